"""How costs are called: what is priced for either kind of workload, and its units in words."""

# What is priced for a profile of either objective, as it is published.
OBJECTIVES = {"training": "delivered_usd_per_mwh", "inference": "usd_per_million_queries"}
UNITS = {
    "delivered_usd_per_mwh": "$/MWh of IT load",
    "usd_per_million_queries": "$ a million queries",
}
SHORT_UNITS = {"delivered_usd_per_mwh": "$/MWh", "usd_per_million_queries": "$/M queries"}
