"""Judge sites that somebody owns: what the owner states, gates, scores among the parcels, and what is lacking."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from geo.tie_line import USEFUL_MW

BILLION = 1e9
HEADROOM = tuple(f"headroom_mw_{end}" for end in ("low", "mid", "high"))
# What a site can draw already, it draws with any element out and all year round.
ENERGIZED = (*HEADROOM, "headroom_n0_mw", "flexible_025_mw", "flexible_100_mw")
# The line to the grid stands and is paid for.
BUILT = ("headroom_substation_mi", "tie_line_mi", "tie_line_musd")
# Fiber that carriers have lit at the site need not be built.
LIT = ("pop_mi", "lit_node_mi", "lit_node_musd")
ACRES = ("acres", "contiguous_acres", "buildable_acres", "area_acres")
# Three carriers and more, by diverse laterals: the usual demand of both workloads.
WANTED_CARRIERS = 3
# Inference wants its megawatts within so many months.
WANTED_MONTHS = 24
DAYS_PER_MONTH = 30.4375
# Less is not worth naming.
LEAST_POINTS = 0.5
# A conversion is worth while above the middle of the parcels that anybody may build on (convention).
LEAST_PERCENTILE = 50.0

Status = Literal["pass", "fail", "unknown"]
# In the order in which sites are screened: speed to power first, then land, heat and fiber.
Kind = Literal["location", "power", "grid", "land", "cooling", "fiber", "price", "date"]
KINDS: tuple[Kind, ...] = ("location", "power", "grid", "land", "cooling", "fiber", "price", "date")
_KIND_OF: dict[str, Kind] = {
    **dict.fromkeys((*ENERGIZED, "deliverable_mw", "second_feed_mw"), "power"),
    **dict.fromkeys(
        (
            *("headroom_substation_mi", "line_230kv_mi", "tie_line_mi", "tie_line_musd"),
            *(f"substation_{kv}kv_mi" for kv in (69, 138, 230, 345)),
        ),
        "grid",
    ),
    **dict.fromkeys(ACRES, "land"),
    **dict.fromkeys(
        (
            *("pop_mi", "carrier_25mi_count", "lit_node_mi", "lit_node_musd"),
            *("diverse_node_mi", "diverse_node_musd", "disjoint_path_count", "is_single_homed"),
        ),
        "fiber",
    ),
    "industrial_usd_per_mwh": "price",
}


@dataclass(frozen=True, eq=False)
class SiteProfile:
    """A workload as sites are judged by it.

    Attributes
    ----------
    workload, title, objective
        Id, title, and training or inference.
    gates
        Columns `metric`, `at_least`, `at_most` (NaN where the gate is the other one).
    factors
        Columns `metric`, `label`, `weight`, one row a factor.
    segments
        Columns `metric`, `from_x`, `to_x`, `from_value`, `slope`: the value functions.
    passing, unsure
        Scores of the parcels that pass all gates, and of those of which a gate is unknown, ascending.
    """

    workload: str
    title: str
    objective: str
    gates: pd.DataFrame
    factors: pd.DataFrame
    segments: pd.DataFrame
    passing: np.ndarray
    unsure: np.ndarray

    @property
    def candidate_count(self) -> int:
        """Count the parcels that fail no gate."""
        return len(self.passing) + len(self.unsure)

    @cached_property
    def gate_rows(self) -> list[dict[Any, Any]]:
        """Gates as plain rows: sites are told one at a time."""
        return self.gates.to_dict("records")

    @cached_property
    def gate_metrics(self) -> list[str]:
        """Metrics of the gates."""
        return self.gates["metric"].tolist()

    @cached_property
    def factor_rows(self) -> list[dict[Any, Any]]:
        """Factors as plain rows."""
        return self.factors.to_dict("records")


@dataclass(frozen=True, eq=False)
class Judged:
    """How sites do in one workload; arrays of shape (n,), or (n, gates) and (n, factors).

    Attributes
    ----------
    gate_status
        pass, unknown or fail over all gates.
    gate
        Status by gate.
    value, gate_value
        Metrics of the factors and of the gates in their own units; NaN unknown.
    points
        Points of the factors; NaN unknown.
    score_low, score_high
        0 to 100, unknown factors at their worst and at their best.
    rank_low, rank_high
        Rank that the site would take among the parcels with the low and the high score, from 1; NaN
        where a gate fails.
    percentile_low, percentile_high
        Percent of the candidates (parcels that fail no gate) whose score is below; NaN without any.
    """

    gate_status: np.ndarray
    gate: np.ndarray
    value: np.ndarray
    gate_value: np.ndarray
    points: np.ndarray
    score_low: np.ndarray
    score_high: np.ndarray
    rank_low: np.ndarray
    rank_high: np.ndarray
    percentile_low: np.ndarray
    percentile_high: np.ndarray


@dataclass(frozen=True)
class Need:
    """One thing that a site lacks for a use.

    Attributes
    ----------
    kind
        One of `KINDS`.
    status
        `fail` disqualifies, `unknown` may, `want` does not.
    text
        What is lacking, in words.
    metric
        Metric of the gate; None where it is no gate.
    amount, unit
        How much of it, where that is a number.
    """

    kind: Kind
    status: Literal["fail", "unknown", "want"]
    text: str
    metric: str | None = None
    amount: float | None = None
    unit: str | None = None

    @property
    def is_fixable(self) -> bool:
        """Whether an owner can do something about it: no site can be moved."""
        return self.kind != "location"


def with_owner(metric: pd.DataFrame, site: pd.DataFrame) -> pd.DataFrame:
    """Put what owners state in the place of what was measured.

    Energised MW replace the headroom of the grid and are never added to it: the feeding substation may
    serve the site with the same megawatts. They need no tie line. Acres are taken as one piece.

    Parameters
    ----------
    metric
        Measured at the sites: columns of `core.parcel_metric`, shape (n,).
    site
        Columns `energized_mw`, `acres`, `usd_per_mwh`, `fiber_carriers` (NaN not stated), in the same order.

    Returns
    -------
    DataFrame
        A copy of `metric`, with `grid_mw_low`, `grid_mw_mid`, `grid_mw_high`: what the grid offered beside.
    """
    out = metric.assign(
        **{f"grid_mw_{end}": metric[f"headroom_mw_{end}"] for end in ("low", "mid", "high")}
    )
    stated = {name: site[name].to_numpy(float) for name in _STATED}
    mw, acres = stated["energized_mw"], stated["acres"]
    is_energized = mw > 0.0
    for name in ENERGIZED:
        out[name] = np.where(is_energized, mw, _floats(out[name]))
    out["deliverable_mw"] = np.where(
        is_energized, np.minimum(mw, USEFUL_MW), _floats(out["deliverable_mw"])
    )
    for name in BUILT:
        out[name] = np.where(is_energized, 0.0, _floats(out[name]))
    for name in ACRES:
        out[name] = np.where(np.isnan(acres), _floats(out[name]), acres)
    price = stated["usd_per_mwh"]
    out["industrial_usd_per_mwh"] = np.where(
        np.isnan(price), _floats(out["industrial_usd_per_mwh"]), price
    )
    carriers = stated["fiber_carriers"]
    for name in LIT:
        out[name] = np.where(carriers >= 1.0, 0.0, _floats(out[name]))
    # Who is at the site is within 25 miles of it; others may be too.
    out["carrier_25mi_count"] = np.fmax(_floats(out["carrier_25mi_count"]), carriers)
    return out


_STATED = ("energized_mw", "acres", "usd_per_mwh", "fiber_carriers")


def judge(metric: pd.DataFrame, profile: SiteProfile) -> Judged:
    """Judge sites by one workload, as parcels are judged: gates, value functions, weights.

    Parameters
    ----------
    metric
        Metrics of the sites, shape (n,); NaN or NA is unknown.
    profile
        The workload.
    """
    gates = profile.gates
    gate_value = _columns(metric, gates["metric"])
    at_least, at_most = (gates[name].to_numpy(float) for name in ("at_least", "at_most"))
    holds = (gate_value >= at_least) | (gate_value <= at_most)
    gate = np.where(np.isnan(gate_value), "unknown", np.where(holds, "pass", "fail"))
    worst = np.where((gate == "unknown").any(axis=1), "unknown", "pass")
    status = np.where((gate == "fail").any(axis=1), "fail", worst)
    factors = profile.factors
    value = _columns(metric, factors["metric"])
    weight = factors["weight"].to_numpy(float)
    points = 100.0 * weight * _value_scores(value, factors["metric"], profile.segments)
    # Whole billionths, as parcels are summed: the order of the sum cannot change a score.
    known = np.rint(np.nan_to_num(points) * BILLION).astype(np.int64).sum(axis=1)
    most = np.rint(100.0 * weight * BILLION).astype(np.int64)
    unknown = np.where(np.isnan(points), most, 0).sum(axis=1)
    low, high = known / BILLION, (known + unknown) / BILLION
    return Judged(
        status,
        gate,
        value,
        gate_value,
        points,
        low,
        high,
        *(_rank(score, status, profile) for score in (low, high)),
        *(_percentile(score, profile) for score in (low, high)),
    )


def needs(
    row: Mapping[str, Any],
    site: Mapping[str, Any],
    profile: SiteProfile,
    judged: Judged,
    number: int,
    words: Mapping[str, tuple[str, str]],
    cooling: Mapping[tuple[str, str], tuple[str, str]],
    as_of: Any,
) -> list[Need]:
    """List what a site still needs for a workload, what disqualifies it first.

    Parameters
    ----------
    row
        Metrics of the site, from `with_owner`.
    site
        What its owner states: `energized_mw`, `wanted_mw`, `cooling`, `fiber_carriers`, `available_date`.
    profile, judged
        The workload, and how the sites do in it.
    number
        Row of the site in `judged`.
    words
        Metric -> its name in words and its unit.
    cooling
        (objective, cooling) -> yes, partly or no, and what has to be done.
    as_of
        Date that `available_date` is held against.
    """
    found = _gate_needs(profile, judged, number, words)
    found += _power_needs(row, site)
    word = site["cooling"]
    if word is None:
        found.append(Need("cooling", "want", "say how the site is cooled"))
    else:
        fits, todo = cooling[profile.objective, word]
        if fits != "yes":
            found.append(Need("cooling", "want", todo))
    found += _fiber_needs(row, site)
    if profile.objective == "inference" and site["available_date"] is not None:
        months = (site["available_date"] - as_of).days / DAYS_PER_MONTH
        if months > WANTED_MONTHS:
            text = f"is available in {months:.0f} months; {WANTED_MONTHS} are asked for"
            found.append(Need("date", "want", text, None, months - WANTED_MONTHS, "months"))
    return in_order(found)


def mine_needs(row: Mapping[str, Any], site: Mapping[str, Any]) -> list[Need]:
    """List what a site needs to be, or to stay, a mine: megawatts that are energised, and a price."""
    found = []
    if not site["energized_mw"] > 0.0:
        found.append(Need("power", "fail", "energised megawatts: none are stated"))
    if np.isnan(row["industrial_usd_per_mwh"]):
        found.append(Need("price", "unknown", "say what its power costs, in $/MWh"))
    return found


def in_order(found: Sequence[Need]) -> list[Need]:
    """Needs, what disqualifies first, then what may, then the rest, each in the order of screening."""
    status = ("fail", "unknown", "want")
    return sorted(found, key=lambda need: (status.index(need.status), KINDS.index(need.kind)))


def fix_first(found: Sequence[Need]) -> Need | None:
    """Say which need to mend first: one that cannot be mended ends the matter; None where there is none."""
    return in_order(found)[0] if found else None


def weakest(profile: SiteProfile, judged: Judged, number: int) -> str | None:
    """Say which factor that an owner can mend loses most points; None where none loses one."""
    brought = np.nan_to_num(judged.points[number]).tolist()
    found = [
        (100.0 * factor["weight"] - points, points, factor)
        for factor, points in zip(profile.factor_rows, brought, strict=True)
        if _KIND_OF.get(factor["metric"], "location") != "location"
    ]
    lost, points, factor = max(found, key=lambda each: each[0], default=(0.0, 0.0, {}))
    if lost < LEAST_POINTS:
        return None
    return f"{factor['label']} brings {points:.0f} of {100.0 * factor['weight']:.0f} points"


def best_use(judged: Mapping[str, Judged], number: int, *, is_energized: bool) -> str | None:
    """Workload in which the fewest parcels of the build do better than the site.

    Ranks are compared and not scores, whose points mean something else in each workload. One in which all
    gates pass comes before one in which some are unknown. A mine stays one unless the site does better in
    the other use than `LEAST_PERCENTILE` of the candidates, which are bare land: else anybody could have it.

    Returns
    -------
    A workload, `mine`, or None where nothing is left.
    """
    found = [
        (each.gate_status[number] == "unknown", float(each.rank_low[number]), name)
        for name, each in judged.items()
        if each.gate_status[number] != "fail"
    ]
    good = [one for one in found if judged[one[2]].percentile_low[number] >= LEAST_PERCENTILE]
    if good or (found and not is_energized):
        return min(good or found)[2]
    return "mine" if is_energized else None


def _gate_needs(
    profile: SiteProfile,
    judged: Judged,
    number: int,
    words: Mapping[str, tuple[str, str]],
) -> list[Need]:
    found = []
    for at, gate in enumerate(profile.gate_rows):
        status = judged.gate[number, at]
        if status == "pass":
            continue
        metric, value = gate["metric"], judged.gate_value[number, at]
        is_least = not np.isnan(gate["at_least"])
        bound = gate["at_least"] if is_least else gate["at_most"]
        kind = _KIND_OF.get(metric, "location")
        if (
            kind == "land"
            and metric != "acres"
            and _has_gate(profile, "acres", status, judged, number)
        ):
            # Acres of one piece are those that the owner states: the same lack is told once.
            continue
        label, unit = words[metric]
        more = bound - value if is_least else value - bound
        text = _gate_text(metric, kind, value, bound, label, unit, is_least=is_least)
        amount = None if np.isnan(more) else float(more)
        found.append(Need(kind, status, text, metric, amount, unit or None))
    return found


def _has_gate(profile: SiteProfile, metric: str, status: str, judged: Judged, number: int) -> bool:
    metrics = profile.gate_metrics
    return metric in metrics and judged.gate[number, metrics.index(metric)] == status


def _gate_text(
    metric: str, kind: Kind, value: float, bound: float, label: str, unit: str, *, is_least: bool
) -> str:
    limit = f"{'at least' if is_least else 'at most'} {bound:,.10g}"
    if metric.startswith("is_"):
        return f"not {label}" if not np.isnan(value) else f"unknown whether {label}"
    sign = _SIGNS.get(unit, unit)
    if np.isnan(value):
        say = "say its acres" if kind == "land" else f"{label} is unknown"
        return f"{say}: {limit} {sign} are asked for".replace("  ", " ")
    more = abs(bound - value)
    if kind == "power":
        return f"{more:,.0f} MW more: {value:,.0f} of {limit} MW"
    if kind == "land":
        return f"{more:,.0f} acres more: {value:,.0f} of {limit} acres"
    return f"{label}: {value:,.1f} of {limit} {sign}".rstrip()


_SIGNS = {"usd_per_mwh": "$/MWh", "mw": "MW", "musd": "M$", "count": "", "share": "", "pct": "%"}


def _power_needs(row: Mapping[str, Any], site: Mapping[str, Any]) -> list[Need]:
    wanted, has = site["wanted_mw"], row["headroom_mw_mid"]
    if np.isnan(wanted) or not has < wanted:
        return []
    text = f"{wanted - has:,.0f} MW more for the {wanted:,.0f} MW that are wanted"
    return [Need("power", "want", text, None, float(wanted - has), "mw")]


def _fiber_needs(row: Mapping[str, Any], site: Mapping[str, Any]) -> list[Need]:
    carriers = site["fiber_carriers"]
    if np.isnan(carriers):
        near = row["carrier_25mi_count"]
        if not np.isnan(near) and near < WANTED_CARRIERS:
            text = f"carriers: {near:,.0f} within 25 miles, {WANTED_CARRIERS} with laterals of their own are usual"
            return [Need("fiber", "want", text, None, WANTED_CARRIERS - float(near), "count")]
        return []
    if carriers >= WANTED_CARRIERS:
        return []
    more = WANTED_CARRIERS - int(carriers)
    text = f"{more} more carrier{'s' if more > 1 else ''} with laterals of their own: {carriers:,.0f} of {WANTED_CARRIERS}"
    return [Need("fiber", "want", text, None, float(more), "count")]


def _rank(score: np.ndarray, status: np.ndarray, profile: SiteProfile) -> np.ndarray:
    """Rank among the parcels: those that pass come before those with an unknown gate."""
    better = len(profile.passing) - np.searchsorted(profile.passing, score, side="right")
    unsure = len(profile.unsure) - np.searchsorted(profile.unsure, score, side="right")
    behind = len(profile.passing) + unsure
    rank = 1.0 + np.where(status == "pass", better, behind)
    return np.where(status == "fail", np.nan, rank)


def _percentile(score: np.ndarray, profile: SiteProfile) -> np.ndarray:
    count = profile.candidate_count
    if not count:
        return np.full(score.shape, np.nan)
    below = np.searchsorted(profile.passing, score) + np.searchsorted(profile.unsure, score)
    return 100.0 * below / count


def _value_scores(value: np.ndarray, metrics: pd.Series, segments: pd.DataFrame) -> np.ndarray:
    """Value functions of metrics, 0 to 1, NaN unknown; shape (n, factors)."""
    out = np.full(value.shape, np.nan)
    for at, metric in enumerate(metrics):
        piece = segments[segments["metric"] == metric].sort_values("from_x")
        start, begin, slope = (
            piece[name].to_numpy(float) for name in ("from_x", "from_value", "slope")
        )
        known = np.flatnonzero(~np.isnan(value[:, at]))
        x = value[known, at]
        row = np.searchsorted(start, x, side="right") - 1
        out[known, at] = np.clip(begin[row] + slope[row] * (x - start[row]), 0.0, 1.0)
    return out


def _columns(metric: pd.DataFrame, names: pd.Series) -> np.ndarray:
    return np.column_stack(
        [_floats(metric[name]) for name in names] or [np.empty((len(metric), 0))]
    )


def _floats(values: pd.Series) -> np.ndarray:
    return values.to_numpy(dtype=float, na_value=np.nan)
