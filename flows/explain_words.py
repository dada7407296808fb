"""Words of an explanation: figures with their units, changes, and who could make them."""

import math
import re
from typing import Any

from geo.decide.verdict import Change

# Decimals of a figure by unit; where a unit is not named, three digits that count.
DECIMALS = {
    "mi": 1,
    "mw": 0,
    "kv": 0,
    "acres": 0,
    "count": 0,
    "people": 0,
    "degree_days": 0,
    "usd_per_mwh": 1,
    "usd_per_acre": 0,
    "usd_per_person": 0,
    "musd": 1,
    "ms": 2,
    "m": 0,
    "pct": 1,
}
SUFFIXES = {
    "mi": " mi",
    "mw": " MW",
    "kv": " kV",
    "acres": " acres",
    "usd_per_mwh": " $/MWh",
    "usd_per_acre": " $/acre",
    "usd_per_person": " $/person",
    "musd": " M$",
    "ms": " ms",
    "m": " m",
    "pct": " %",
}
# Who could make a change (site: only another place offers it), by how the metric's name begins; a longer beginning goes first.
WHO = {
    "headroom_substation_mi": "substation or site",
    "headroom_": "utility",
    "flexible_": "utility",
    "reserve_": "utility",
    "deliverable_": "utility",
    "second_feed_": "utility",
    "tie_line_": "substation or site",
    "substation_": "substation or site",
    "line_": "line or site",
    "acres": "owner",
    "area_acres": "owner",
    "buildable_acres": "owner",
    "contiguous_acres": "owner",
    "industrial_usd_per_mwh": "supplier or site",
    "carrier_": "carrier or site",
    "pop_mi": "carrier or site",
    "ixp_mi": "carrier or site",
    "lit_node_": "carrier or site",
    "diverse_node_": "carrier or site",
    "disjoint_path_count": "carrier or site",
    "is_single_homed": "carrier or site",
    "rtt_": "carrier or site",
    "fiber_coverage_": "carrier or site",
    "people_": "carrier or site",
}
OTHER_SITE = "site"
NEAR_METRO = re.compile(r"^is_within_(\d+)mi_of_(\w+)$")
# Changes are rounded up, so that what is printed is enough; less than this is floating point.
CRUMB = 1e-9


def figure(value: float | None, unit: str | None, toward: float = math.nan) -> str:
    """Write a figure with its unit; rounded away from `toward` where one is given."""
    if value is None or math.isnan(value):
        return "unknown"
    if not unit:
        return f"{value:.3g}"
    if unit == "share":
        return f"{_rounded(100 * value, 0, 100 * toward):,.0f} %"
    if unit not in DECIMALS:
        return f"{value:.3g} {unit}"
    decimals = DECIMALS[unit]
    return f"{_rounded(value, decimals, toward):,.{decimals}f}{SUFFIXES.get(unit, '')}"


def value_words(metric: str, value: float | None, unit: str | None) -> str:
    """Write the value of a metric: a figure, or yes and no."""
    if metric.startswith("is_") and value is not None and not math.isnan(value):
        return "yes" if value else "no"
    return figure(value, unit)


def change_words(change: Change, unit: str | None, label: str, values: dict[str, float]) -> str:
    """Say a change as people of the field do: +140 MW, 3.2 mi closer, 2 more carriers."""
    more = change.after > change.before
    if math.isnan(change.before):
        return (
            f"{label} to be known, and {value_words(change.metric, change.after, unit)} or better"
        )
    if change.metric.startswith("is_"):
        return _yes(change, label, values)
    step = _step(change.after - change.before, unit)
    match unit:
        case "mi" if label.startswith("distance to "):
            way = "farther from" if more else "closer to"
            return f"{step} {way} {label.removeprefix('distance to ')}"
        case "mw" | "acres" | "kv" | "people" | "count":
            # Acres of acres are said once.
            step = step.removesuffix(" acres") if "acres" in label else step
            return f"{'+' if more else '-'}{step} {label.removeprefix('number of ')}"
        case _:
            return f"{label} {step} {'higher' if more else 'lower'}"


def reached_words(change: Change, unit: str | None) -> str:
    """Write the value that is enough, rounded to the far side."""
    if change.metric.startswith("is_"):
        return value_words(change.metric, change.after, unit)
    return figure(change.after, unit, change.before)


def who(metric: str) -> str:
    """Say who could make a change of a metric."""
    fitting = [name for name in WHO if metric.startswith(name)]
    return WHO[max(fitting, key=len)] if fitting else OTHER_SITE


def _step(delta: float, unit: str | None) -> str:
    if unit == "share":
        return f"{_rounded(abs(100 * delta), 0, 0.0):,.0f} points of a hundred"
    return figure(abs(delta), unit, 0.0)


def _yes(change: Change, label: str, values: dict[str, float]) -> str:
    """Say a change of yes and no; by miles where the metric is about them."""
    found = NEAR_METRO.match(change.metric)
    miles = values.get(f"{found[2]}_mi", math.nan) if found else math.nan
    if found and not math.isnan(miles):
        way = "closer to" if change.after else "farther from"
        return f"{_step(miles - float(found[1]), 'mi')} {way} a {found[2].replace('_', ' ')}"
    return f"{label}: {'yes' if change.after else 'no'}"


def _rounded(value: float, decimals: int, toward: float) -> float:
    """Round to the nearest, or away from `toward`."""
    scale = 10.0**decimals
    if math.isnan(toward) or value == toward:
        return round(value * scale) / scale
    if value > toward:
        return math.ceil(value * scale - CRUMB * max(abs(value * scale), 1.0)) / scale
    return math.floor(value * scale + CRUMB * max(abs(value * scale), 1.0)) / scale


def plain(
    change: Change, rows: dict[str, dict[str, Any]], values: dict[str, float]
) -> dict[str, Any]:
    """Give a change as JSON has it, with its words; `rows` tell the unit and label of metrics."""
    row = rows[change.metric]
    return {
        "metric": change.metric,
        "from": None if math.isnan(change.before) else change.before,
        "to": change.after,
        "by": None if math.isnan(change.before) else change.after - change.before,
        "unit": row["unit"],
        "points": change.gain,
        "size": change.size,
        "who": who(change.metric),
        "words": change_words(change, row["unit"], row["metric_label"], values),
        "from_words": value_words(change.metric, change.before, row["unit"]),
        "to_words": reached_words(change, row["unit"]),
    }
