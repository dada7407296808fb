"""Which columns of exports are taken over from sources, and which are results of ours.

Every column of every exported table stands in one of the two tables below, and a test fails for one that
does not: whoever adds a column decides what it is.
"""

# Column -> layers whose rows hold the value as it is exported: one row there gives one value here.
TAKEN: dict[str, tuple[str, ...]] = {
    "region_name": ("county", "metro", "state", "zone"),
    "county_name": ("county",),
    "parcel_name": ("place",),
    "best_parcel_name": ("place",),
    "zone_id": ("zone", "zone_point"),
    "metro_name": ("metro",),
    "metro_people": ("metro",),
    "major_metro_name": ("metro",),
    "major_metro_people": ("metro",),
    "rtt_metro_name": ("metro",),
    "rtt_major_metro_name": ("metro",),
    "population_people": ("county_fact", "metro", "state"),
    "acres": ("developable",),
    "developable_share": ("developable",),
    "pop_id": ("pop",),
    "pop_carrier": ("pop",),
    "ixp_id": ("ixp", "pop"),
    "ixp_name": ("ixp", "pop"),
    "rtt_ixp_id": ("ixp", "pop"),
    "rtt_ixp_name": ("ixp", "pop"),
    "lit_node_id": ("pop", "facility", "ixp"),
    "lit_node_name": ("pop", "facility", "ixp"),
    "diverse_node_id": ("pop", "facility", "ixp"),
    "industrial_usd_per_mwh": ("county_fact", "state"),
    "generation_queue_mw": ("county_fact", "state"),
    "heating_degree_days_65f": ("climate_point", "state"),
    "cooling_degree_days_65f": ("climate_point", "state"),
    "hazard_usd_per_person": ("county_fact",),
    "land_value_usd_per_acre": ("land_value",),
    "fiber_coverage_share": ("county_fact",),
    # Of a substation: what its own row does not hold.
    "load_mw": ("bus",),
    "limit_text": ("branch", "bus"),
    "limit_branch_id": ("branch",),
    "limit_outage_id": ("branch",),
    "connect_bus_id": ("bus",),
}

# Columns of the layer county_fact that other files bring: its rows name the county table alone as their source.
FROM_FILE: dict[str, tuple[str, ...]] = {
    "population_people": ("county_acs", "tract_people"),
    "generation_queue_mw": ("reeds_queue",),
}

# Column that names one row of a layer -> that layer, and the columns that tell more about the same row.
NAMED_ROW: dict[str, tuple[str, tuple[str, ...]]] = {
    "substation_69kv_id": ("substation", ("substation_69kv_kv",)),
    "substation_138kv_id": ("substation", ("substation_138kv_kv",)),
    "substation_230kv_id": ("substation", ("substation_230kv_kv",)),
    "substation_345kv_id": ("substation", ("substation_345kv_kv",)),
    "headroom_substation_id": ("substation", ("headroom_substation_kv",)),
    "second_feed_substation_id": ("substation", ()),
    "line_230kv_id": ("line", ("line_230kv_kv_min", "line_230kv_kv_max")),
}

# Of a table whose rows each come from one source, and go with it.
OWN_ROW = {
    "substation": (
        *("substation_id", "substation_name", "kv_max", "kv_min", "interconnect", "is_synthetic"),
        *("source_id", "lon", "lat", "geometry"),
    ),
    "metro": ("metro_id", "metro_name", "metro_people", "is_major", "lon", "lat", "geometry"),
}

# What we ranked, measured, counted or routed: many rows, or geometry, went into each value. Codes of counties,
# states and metros are public conventions.
_RESULTS = """
    rank score score_low score_high gate_status gates_failed gates_unknown factors_unknown p_top10 p_top100
    rank_p05 rank_p50 rank_p95 swing_metric cost_rank cost_low cost_mid cost_high capital_musd_mid
    time_to_power_years_mid known_share distance_basis lon lat geometry
    region_kind region_id capacity_mw filled_share substation_count candidate_count parcel_count best_parcel_id
    best_parcel_score reason
    parcel_id parcel_kind county_id state_id metro_id major_metro_id rtt_metro_id rtt_major_metro_id
    area_acres lake_share park_share excluded_share buildable_acres contiguous_acres compactness
    minimum_width_m inscribed_diameter_m slope_mean_pct slope_max_pct gentle_share
    substation_69kv_mi substation_138kv_mi substation_230kv_mi substation_345kv_mi line_230kv_mi
    headroom_mw_low headroom_mw_mid headroom_mw_high headroom_substation_mi deliverable_mw tie_line_kv
    tie_line_mi tie_line_musd second_feed_mw second_feed_mi second_feed_musd headroom_n0_mw flexible_025_mw
    flexible_100_mw reserve_zone_mw reserve_interconnection_mw
    firm_generation_10mi_mw firm_generation_25mi_mw firm_generation_50mi_mw variable_generation_10mi_mw
    variable_generation_25mi_mw variable_generation_50mi_mw retiring_generation_25mi_mw
    retiring_generation_25mi_count
    metro_mi major_metro_mi is_within_100mi_of_major_metro population_5mi population_25mi population_50mi
    population_100mi pop_mi ixp_mi ixp_is_inferred carrier_25mi_count
    rtt_metro_ms_low rtt_metro_ms_mid rtt_metro_ms_high rtt_major_metro_ms_low rtt_major_metro_ms_mid
    rtt_major_metro_ms_high rtt_major_metro_above_ceiling rtt_ixp_ms_low rtt_ixp_ms_mid rtt_ixp_ms_high
    people_5ms_low people_5ms_mid people_5ms_high people_10ms_low people_10ms_mid people_10ms_high
    people_20ms_low people_20ms_mid people_20ms_high rtt_unknown_reason lit_node_mi lit_node_musd
    diverse_node_mi diverse_node_musd disjoint_path_count is_single_homed path_basis
    data_center_mi data_center_25mi_count
    method limit_kind connect_kv is_single_fed flexible_025_mw_low flexible_025_mw_mid flexible_025_mw_high
    flexible_050_mw_low flexible_050_mw_mid flexible_050_mw_high flexible_100_mw_low flexible_100_mw_mid
    flexible_100_mw_high circuit_count largest_circuit_mw import_n1_mw capacity_as_of capacity_source
    is_inferred confidence
"""
RESULTS = frozenset(_RESULTS.split())
