"""The answer to why a parcel ranks as it does, from a published build."""

import math
from pathlib import Path
from typing import Any

import duckdb
import shapely

from data import store
from data.errors import UsageError
from flows.asking import honest, kept_note, lat_lon
from flows.explain_cost import costs_beside, parcel_costs
from flows.explain_show import parcel_notes, source_section, summary, workload_sections
from flows.explain_verdict import Profile, alternatives, changes, compared, values_of
from flows.reporting import rows_of
from flows.show import Shown

# Looked for around a point: a cell of resolution 4 is 0.5 degrees across.
REACH_DEG = 0.6
TOP = 100
ALL = "all"
CONFIDENCE_TABLE = "mart.parcel_confidence"
# Of core.parcel_metric, told of the parcel itself; an older build may not have some.
TOLD = (
    *("known_share", "distance_basis", "excluded_share", "buildable_acres", "contiguous_acres"),
    *("minimum_width_m", "slope_mean_pct", "slope_max_pct", "gentle_share"),
    *("headroom_substation_id", "headroom_substation_mi"),
    *("headroom_mw_low", "headroom_mw_mid", "headroom_mw_high"),
    *("deliverable_mw", "tie_line_kv", "tie_line_mi", "tie_line_musd"),
    *("second_feed_substation_id", "second_feed_mw", "second_feed_mi", "second_feed_musd"),
    *("headroom_n0_mw", "flexible_025_mw", "flexible_100_mw"),
    *("reserve_zone_mw", "reserve_interconnection_mw"),
)


def explain(build: Path, what: str, workload: str | None = None, top: int = TOP) -> Shown:
    """Tell everything behind a parcel's score, what would change it, and where a better one is.

    Parameters
    ----------
    build
        Published build.
    what
        Parcel id, or latitude and longitude.
    workload
        Profile to print in full; `all` prints all of them. By default the one that the parcel ranks best in.
    top
        How many parcels of a workload count as its top.

    Raises
    ------
    UsageError
        There is no such parcel or workload, or `top` is below 1.
    """
    if top < 1:
        msg = f"--top {top} names no parcels."
        raise UsageError(msg, "Give 1 or more.")
    with store.open_build(build) as con:
        known = [row["workload"] for row in rows_of(con, "query/explain_workload")]
        if workload not in (None, ALL, *known):
            msg = f"There is no workload {workload!r} in this build."
            raise UsageError(msg, f"Workloads: {', '.join(known)}; or {ALL}.")
        parcel_id = _find_parcel(con, what)
        key = {"parcel_id": parcel_id}
        metrics = rows_of(con, "query/explain_metric", {"parcel_ids": [parcel_id]})[0]
        parcel = rows_of(con, "query/explain_parcel", key)[0]
        parcel |= {name: metrics.get(name) for name in TOLD}
        run = rows_of(con, "query/run")[0]
        asked = known if workload in (None, ALL) else [workload]
        explained = _workloads(con, parcel, metrics, asked, top)
        sources = _sources(con, explained)
    told = {name: run[name] for name in ("run_id", "study", "is_synthetic", "limits")}
    payload = {"parcel": parcel, "run": told, "sources": sources, "workloads": explained}
    place = ", ".join(
        str(parcel[name])
        for name in ("parcel_name", "county_name", "state_id", "zone_name")
        if parcel[name]
    )
    shown = Shown(
        f"{parcel['parcel_id']} ({parcel['parcel_kind']}): {place}",
        payload=payload,
        notes=parcel_notes(parcel),
    )
    full = explained if workload else [_best(explained)]
    if len(explained) > 1:
        shown.sections.append(summary(explained, full))
    for each in full:
        shown.sections.extend(workload_sections(each, sources))
    used = {source for each in full for row in each["factors"] for source in row["source_ids"]}
    used |= {source for each in full for row in each["gates"] for source in row["source_ids"]}
    shown.sections.append(source_section(sources, used))
    shown.sections.append(Shown("", notes=honest(run)))
    return shown


def _workloads(
    con: duckdb.DuckDBPyConnection,
    parcel: dict[str, Any],
    metrics: dict[str, Any],
    asked: list[str],
    top: int,
) -> list[dict[str, Any]]:
    """Explain a parcel for each workload."""
    key = {"parcel_id": parcel["parcel_id"]}
    tables = {row["table_name"] for row in rows_of(con, "query/tables")}
    values, priced = values_of(metrics), parcel_costs(con, tables, metrics)
    scores = {row["workload"]: row for row in rows_of(con, "query/explain_score", key)}
    factors = rows_of(con, "query/explain_factor")
    gates = rows_of(con, "query/explain_gate")
    removed = rows_of(con, "query/removed")
    as_of = {row["source_id"]: row["as_of"] for row in rows_of(con, "query/source_report")}
    cuts = rows_of(con, "query/explain_cut", {"top": top})
    confidence = rows_of(con, "query/explain_confidence", key) if CONFIDENCE_TABLE in tables else []
    layers: dict[str, set[str]] = {}
    for row in rows_of(con, "query/explain_layer"):
        layers.setdefault(row["layer"], set()).add(row["source_id"])
    better = {each: alternatives(con, each, parcel, scores[each], top) for each in asked}
    other_ids = sorted({row["parcel_id"] for rows in better.values() for row in rows})
    other_rows = rows_of(con, "query/explain_metric", {"parcel_ids": other_ids})
    others = {row["parcel_id"]: values_of(row) for row in other_rows}
    mids = costs_beside(con, tables, other_ids)
    explained = []
    for workload in asked:
        profile = Profile(workload, *(_of(rows, workload) for rows in (factors, gates)))
        score, costs = scores[workload], priced.get(workload)
        cut = {row["rank"]: row for row in _of(cuts, workload)}
        moves = changes(con, profile, parcel["parcel_id"], score, values, cut, top)
        factor_rows = _factors(profile, values, layers, as_of)
        if costs is not None:
            over_best = costs.over_best(profile.factors, values)
            for row, usd in zip(factor_rows, over_best, strict=True):
                row["cost_over_best"] = usd
            costs.price_changes(moves)
        explained.append(
            {
                **score,
                "factors": factor_rows,
                "gates": _gates(profile, values, layers),
                "removed": _of(removed, workload),
                "confidence": _of(confidence, workload),
                "cost": costs.told() if costs is not None else {},
                "changes": moves,
                "alternatives": [
                    compared(profile, near, score, values, others[near["parcel_id"]])
                    | {"cost_mid": mids.get((workload, near["parcel_id"]))}
                    for near in better[workload]
                ],
            }
        )
    return explained


def _of(rows: list[dict[str, Any]], workload: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["workload"] == workload]


def _factors(
    profile: Profile, values: dict[str, float], layers: dict[str, set[str]], as_of: dict[str, str]
) -> list[dict[str, Any]]:
    """Rows of factors with value, points and sources."""
    told = []
    for row, factor in zip(profile.factor_rows, profile.factors, strict=True):
        value = values.get(row["metric"], math.nan)
        is_known = not math.isnan(value)
        value_score = factor.value_score(value)
        sources = _source_ids(row, layers)
        told.append(
            {name: row[name] for name in ("workload", "metric", "label", "unit", "weight")}
            | {
                "value": value if is_known else None,
                "value_score": value_score if is_known else None,
                "points": 100 * row["weight"] * value_score if is_known else None,
                "points_possible": row["points_possible"],
                "why": row["why"],
                "layers": row["layers"],
                "source_ids": sources,
                "sources": [f"{each} ({as_of.get(each, 'unknown date')})" for each in sources],
            }
        )
    return told


def _gates(
    profile: Profile, values: dict[str, float], layers: dict[str, set[str]]
) -> list[dict[str, Any]]:
    """Rows of gates with value and status."""
    told = []
    for row, gate in zip(profile.gate_rows, profile.gates, strict=True):
        value = values.get(row["metric"], math.nan)
        state = {
            "value": None if math.isnan(value) else value,
            "gate_status": gate.status(value),
            "source_ids": _source_ids(row, layers),
        }
        told.append(row | state)
    return told


def _source_ids(row: dict[str, Any], layers: dict[str, set[str]]) -> list[str]:
    """Name the sources of the layers that a metric is measured from."""
    return sorted({source for layer in row["layers"] for source in layers.get(layer, ())})


def _sources(
    con: duckdb.DuckDBPyConnection, explained: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Give the sources behind the values that are told, numbered."""
    used = {
        source
        for each in explained
        for row in (*each["factors"], *each["gates"])
        for source in row["source_ids"]
    }
    names = ("source_id", "title", "version", "as_of", "data_terms", "is_synthetic", "is_stale")
    rows = [row for row in rows_of(con, "query/source_report") if row["source_id"] in used]
    return [
        {"no": no, **{name: row[name] for name in names}, "fetched_at": row["fetched_at"]}
        for no, row in enumerate(rows, start=1)
    ]


def _best(explained: list[dict[str, Any]]) -> dict[str, Any]:
    """Workload in which a parcel ranks best; of equals, and where it ranks nowhere, the first."""
    return min(explained, key=lambda each: math.inf if each["rank"] is None else each["rank"])


def _find_parcel(con: duckdb.DuckDBPyConnection, what: str) -> str:
    if rows_of(con, "query/explain_parcel", {"parcel_id": what}):
        return what
    point = lat_lon(what)
    if point is None:
        msg = f"There is no parcel {what!r}."
        hint = "Give the id of a parcel, or LAT,LON such as 39.04,-77.49."
        raise UsageError(msg, " ".join([hint, *_elsewhere(con)]))
    lat, lon = point
    near = store.query_file(
        con, "query/parcels_near", {"lon": lon, "lat": lat, "reach": REACH_DEG}
    ).fetchall()
    here = shapely.Point(lon, lat)
    for parcel_id, geometry in near:
        if shapely.covers(shapely.from_wkb(geometry), here):
            return str(parcel_id)
    msg = f"No parcel of the build holds {lat}, {lon}."
    hint = "The point may lie in water or outside the area; write latitude first."
    raise UsageError(msg, " ".join([hint, *_elsewhere(con)]))


def _elsewhere(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Say where a parcel may be that a build does not hold in full."""
    note = kept_note(rows_of(con, "query/run")[0])
    return ["It may be one of those that the build does not hold in full: see parts.parcel_score."] * len(note)  # fmt: skip
