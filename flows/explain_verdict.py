"""What would change a parcel's verdict, and where a better one is, from a published build."""

import math
from dataclasses import dataclass, replace
from typing import Any

import duckdb
from pyproj import Geod

from flows.explain_words import plain
from flows.reporting import rows_of
from geo.decide.factor import UNITS, Factor, Gate, Piece
from geo.decide.verdict import Change, losing, verdict
from geo.geodesy import METRES_PER_MILE

# Another parcel is clearly better from so many points on.
CLEAR_POINTS = 5.0
# Of those nearest by the sphere, as many are measured on the ellipsoid.
NEAR_COUNT = 8
WINDS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")
WHOLE_UNITS = ("count", "people")


@dataclass(frozen=True)
class Profile:
    """Factors and gates of a workload in use, as read and as computed with."""

    workload: str
    factor_rows: list[dict[str, Any]]
    gate_rows: list[dict[str, Any]]

    @property
    def factors(self) -> list[Factor]:
        """Factors to compute with."""
        return [
            Factor(
                row["metric"],
                row["weight"],
                tuple(Piece(**piece) for piece in row["pieces"]),
                row["unit"] in WHOLE_UNITS or row["metric"].startswith("is_"),
            )
            for row in self.factor_rows
        ]

    @property
    def gates(self) -> list[Gate]:
        """Gates to compute with."""
        return [Gate(row["metric"], row["at_least"], row["at_most"]) for row in self.gate_rows]

    @property
    def metrics(self) -> dict[str, dict[str, Any]]:
        """Unit and label of each metric."""
        gates = {row["metric"]: row | {"metric_label": row["label"]} for row in self.gate_rows}
        return gates | {row["metric"]: row for row in self.factor_rows}


def values_of(metrics: dict[str, Any]) -> dict[str, float]:
    """Numbers among the metrics of a parcel; yes and no are 1 and 0, unknown is NaN."""
    return {
        name: math.nan if value is None else float(value)
        for name, value in metrics.items()
        if value is None or isinstance(value, (bool, int, float))
    }


def changes(
    con: duckdb.DuckDBPyConnection,
    profile: Profile,
    parcel_id: str,
    score: dict[str, Any],
    values: dict[str, float],
    cuts: dict[int, dict[str, Any]],
    top: int,
) -> dict[str, Any]:
    """Tell what lifts a parcel into the first `top` of a workload, or what drops it out of them.

    Parameters
    ----------
    con
        Published build.
    profile
        Profile of the workload.
    parcel_id
        The parcel.
    score
        The parcel's row of mart.parcel_score.
    values
        Its metrics.
    cuts
        Rows of mart.parcel_score at the ranks `top` and `top` + 1, where there are such.
    top
        How many parcels count as the top.
    """
    rows = profile.metrics
    if score["rank"] is not None and score["rank"] <= top:
        after = cuts.get(top + 1)
        # Who passes all gates stands before all whose gates are unknown, whatever the score.
        is_same = after is not None and after["gate_status"] == score["gate_status"]
        ceiling = after["score"] if after and is_same else None
        lost = losing(profile.factors, profile.gates, values, ceiling)
        return {
            "top": top,
            "is_in_top": True,
            "threshold": ceiling,
            "points_to_lose": None if ceiling is None else score["score"] - ceiling,
            "losing": [plain(_turned(change), rows, values) for change in lost],
        }
    cut = cuts.get(top)
    floor = cut["score"] if cut else None
    is_known_asked = cut is not None and cut["gate_status"] == "pass"
    found = verdict(profile.factors, profile.gates, values, floor, is_known_asked=is_known_asked)
    is_passing = is_known_asked or not score["gates_unknown"]
    lifted = {"workload": profile.workload, "score": found.score, "parcel_id": parcel_id}
    return {
        "top": top,
        "is_in_top": False,
        "threshold": floor,
        "gates": [plain(change, rows, values) for change in found.required],
        "score_with_gates": found.score,
        "rank_with_gates": rows_of(con, "query/explain_rank", lifted)[0]["rank"]
        if found.required and is_passing
        else None,
        "points_lacking": max(found.lacking, 0.0),
        "alone": [plain(change, rows, values) for change in found.alone],
        "not_alone": [
            {
                "metric": name,
                "label": rows[name]["label"],
                "unit": rows[name]["unit"],
                "points_most": points,
                "at": at,
            }
            for name, (points, at) in sorted(
                found.most.items(), key=lambda item: (-item[1][0], item[0])
            )
        ],
        "pair": [plain(change, rows, values) for change in found.pair] if found.pair else None,
        "least_count": found.least_count,
    }


def _turned(change: Change) -> Change:
    """Turn a yes, or a no, that a gate asks for into what fails it."""
    is_held = change.metric.startswith("is_") and change.after == change.before
    return replace(change, after=1.0 - change.before) if is_held else change


def alternatives(
    con: duckdb.DuckDBPyConnection,
    workload: str,
    parcel: dict[str, Any],
    score: dict[str, Any],
    top: int,
) -> list[dict[str, Any]]:
    """Give the nearest parcel that is clearly better, and the nearest of the first `top` if that is another.

    Clearly better is one of the first `top` (where this one is not), one that scores `CLEAR_POINTS` more with
    gates no worse, and one that passes all gates where this one fails one.
    """
    is_in_top = score["rank"] is not None and score["rank"] <= top
    is_failing = score["gate_status"] == "fail"
    key = {name: parcel[name] for name in ("parcel_id", "lon", "lat")}
    key |= {"workload": workload, "count": NEAR_COUNT}
    statuses = ["pass", "unknown"] if score["gate_status"] == "unknown" else ["pass"]
    clearly = {
        "least_score": 0.0 if is_failing else score["score"] + CLEAR_POINTS,
        "statuses": statuses,
        "most_rank": 0 if is_in_top else top,
    }
    found = [_nearest(con, key | clearly)]
    if found[0] is not None and not is_in_top and found[0]["rank"] > top:
        found.append(_nearest(con, key | {"least_score": 0.0, "statuses": [], "most_rank": top}))
    return [near | {"is_in_top": near["rank"] <= top} for near in found if near is not None]


def _nearest(con: duckdb.DuckDBPyConnection, params: dict[str, Any]) -> dict[str, Any] | None:
    geod = Geod(ellps="WGS84")
    found = []
    for row in rows_of(con, "query/explain_near", params):
        azimuth, _, metres = geod.inv(params["lon"], params["lat"], row["lon"], row["lat"])
        wind = WINDS[round(azimuth / 45.0) % len(WINDS)]
        found.append(row | {"miles": metres / METRES_PER_MILE, "direction": wind})
    return min(found, key=lambda row: (row["miles"], row["parcel_id"]), default=None)


def compared(
    profile: Profile,
    near: dict[str, Any],
    score: dict[str, Any],
    values: dict[str, float],
    other: dict[str, float],
) -> dict[str, Any]:
    """Add how many points another parcel has more, and the factor that brings most of them."""
    rows = profile.metrics
    gains = {
        f.metric: (f.units(_known(other, f.metric)) - f.units(_known(values, f.metric))) / UNITS
        for f in profile.factors
    }
    first = max(gains, key=lambda name: gains[name])
    value = _known(other, first)
    return near | {
        "points_more": near["score"] - score["score"],
        "most_by": {
            "metric": first,
            "label": rows[first]["label"],
            "points_more": gains[first],
            "unit": rows[first]["unit"],
            "value": None if math.isnan(value) else value,
        },
    }


def _known(values: dict[str, float], metric: str) -> float:
    """Value of a metric; an older build may not have its column."""
    return values.get(metric, math.nan)
