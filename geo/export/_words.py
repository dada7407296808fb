"""Column names turned into words for people: `headroom_mw_mid` is "Headroom, middle (MW)"."""

import re

# Units as people write them, by the ending of a column's name or the unit of a metric.
UNITS = {
    "usd_per_mwh": "$/MWh",
    "usd_per_acre": "$/acre",
    "usd_per_person": "$/person",
    "degree_days": "degree days",
    "musd": "million $",
    "acres": "acres",
    "years": "years",
    "people": "people",
    "count": "count",
    "share": "share, 0\N{EN DASH}1",
    "pct": "%",
    "mw": "MW",
    "kv": "kV",
    "ms": "ms",
    "mi": "mi",
    "km": "km",
    "m": "m",
}
_ENDS = {"low": "low", "mid": "middle", "high": "high"}
_PERCENTILES = {
    "p05": "5 % of draws are better",
    "p50": "median of draws",
    "p95": "95 % of draws are better",
}
# What a name alone does not say.
_ALIASES = {
    "rank": "Rank",
    "score": "Score (0\N{EN DASH}100)",
    "lon": "Longitude (\N{DEGREE SIGN})",
    "lat": "Latitude (\N{DEGREE SIGN})",
    "p_top10": "Share of draws among the first 10 (0\N{EN DASH}1)",
    "p_top100": "Share of draws among the first 100 (0\N{EN DASH}1)",
    "swing_metric": "Metric that most changes the rank",
    "gate_status": "Gates (pass, unknown or fail)",
    "kv_max": "Highest voltage (kV)",
    "kv_min": "Lowest voltage of 69 kV or more (kV)",
    "acres": "Developable (acres)",
    "known_share": "Metrics known (share, 0\N{EN DASH}1)",
    "tie_line_mi": "Length of the tie line (mi)",
    "tie_line_musd": "Cost of the tie line (million $)",
    "heating_degree_days_65f": "Heating degree days (65 \N{DEGREE SIGN}F)",
    "cooling_degree_days_65f": "Cooling degree days (65 \N{DEGREE SIGN}F)",
    "headroom_n0_mw": "Headroom, intact network (MW)",
    "connect_kv": "Voltage at which a load would connect (kV)",
    "largest_circuit_mw": "Largest circuit (MW)",
    "import_n1_mw": "All circuits but the largest (MW)",
    "limit_text": "What limits headroom",
    "retiring_generation_25mi_count": "Number of retiring plants within 25 mi",
    "capacity_as_of": "Stated capacity, as of",
    "population_people": "People",
    "industrial_usd_per_mwh": "Industrial power price ($/MWh)",
    "hazard_usd_per_person": "Natural hazard risk ($/person)",
    "slope_mean_pct": "Mean slope (%)",
    "slope_max_pct": "Steepest slope (%)",
    "is_within_100mi_of_major_metro": "Within 100 mi of a major metro",
    "is_single_homed": "On a single fiber path",
    "is_single_fed": "Cut off by the outage of one branch",
    "is_synthetic": "Stands in a synthetic network",
    "is_major": "Major metro",
    "line_230kv_kv_min": "Line, 230 kV or more: lowest voltage of its class (kV)",
    "line_230kv_kv_max": "Line, 230 kV or more: highest voltage of its class (kV)",
    "second_feed_musd": "Cost of the second feed (million $)",
    "lit_node_musd": "Cost of fiber to the lit node (million $)",
    "diverse_node_musd": "Cost of fiber to the diverse node (million $)",
    "rtt_unknown_reason": "Why round trips are unknown",
    "reserve_zone_mw": "Generation reserve of the zone (MW)",
    "reserve_interconnection_mw": "Generation reserve of the interconnection (MW)",
}
_WORDS = {
    "rtt": "round trip to",
    "ixp": "exchange",
    "pop": "point of presence",
    "usd": "$",
    "musd": "million $",
    "kv": "kV",
    "mw": "MW",
    "flexible_025": "flexible load at 0.25 % curtailment",
    "flexible_050": "flexible load at 0.5 % curtailment",
    "flexible_100": "flexible load at 1 % curtailment",
}


def alias_of(column: str) -> str:
    """Give words with units for a column, by the rules that names of columns follow.

    `_low`, `_mid` and `_high` are ends of an interval, a unit ends the name, `_50mi` and `_10ms` are reach,
    `_230kv` is a least voltage.

    Parameters
    ----------
    column
        Name in snake_case. Any other name is given back with spaces for underscores.
    """
    if column in _ALIASES:
        return _ALIASES[column]
    rest, end = _without_end(column)
    rest, unit = _without_unit(rest)
    if unit == "mi":
        rest = f"distance_to_{rest}"
    if rest.endswith("_count"):
        rest = re.sub(r"^(.+?)((?:_\d+(?:mi|ms))?)_count$", r"number_of_\1s\2", rest)
    rest = re.sub(r"_(\d+)(mi|ms)(?=_|$)", r" within \1 \2", rest)
    rest = re.sub(r"_(\d+)kv(?=_|$)", r", \1 kV or more", rest)
    rest = re.sub("^population", "people", rest)
    for short, words in _WORDS.items():
        rest = re.sub(rf"(?<![A-Za-z0-9]){short}(?![A-Za-z0-9])", words, rest)
    text = _capital(rest.replace("_", " ").strip()) + end
    return f"{text} ({unit})" if unit else text


def alias_of_metric(label: str, unit: str | None, *, is_middle: bool = False) -> str:
    """Give the words of a metric's label and unit in the same form.

    Parameters
    ----------
    label
        As in `headroom of the feeding substation (low)`.
    unit
        A key of `UNITS`, another word that is taken as it is, or None for what has no unit.
    is_middle
        Whether it is the middle of an interval, which labels do not say.
    """
    text = _capital(re.sub(r" \((low|high)\)$", r", \1", label.strip()))
    text += ", middle" if is_middle else ""
    words = UNITS.get(unit or "", unit)
    # A label often says its unit itself, as in "share under lakes" or "number of plants".
    said = unit in {"share", "count", "people", "degree_days"} or {unit, words} & set(
        text.replace("Acres", "acres").split()
    )
    return text if not unit or said else f"{text} ({words})"


def _without_end(name: str) -> tuple[str, str]:
    head, _, last = name.rpartition("_")
    word = _ENDS.get(last) or _PERCENTILES.get(last)
    return (head, f", {word}") if head and word else (name, "")


def _without_unit(name: str) -> tuple[str, str]:
    """Split the unit off, unless the ending says what is counted or how far something reaches."""
    if name.endswith("_id"):
        return name[:-3], "id"
    for suffix, words in UNITS.items():
        if name.endswith(f"_{suffix}") and suffix not in {"people", "count"}:
            return name[: -len(suffix) - 1], words
    return name, ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
