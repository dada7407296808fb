"""Read what the map page shows out of a build: tables as packs."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import numpy as np
import pyproj
import shapely

from data import store
from data.build import to_map
from flows.map_build import Build, floats, words
from geo.export.page import PagePack
from geo.export.page.coding import by_rank, code_metric, code_scores
from geo.export.page.pack import (
    UNKNOWN_I32,
    UNKNOWN_U8,
    UNKNOWN_U32,
    Coded,
    significant,
    whole,
)

# Ring around a metro: the edge of what is near it by the rule of thumb.
RING_MI = 100.0
RING_POINTS = 96
METRES_A_MILE = 1609.344
WHOLE_COLUMNS = (
    "rank",
    "rank_p05",
    "rank_p50",
    "rank_p95",
    "substation_count",
    "candidate_count",
    "cost_rank",
)
WORD_COLUMNS = ("reason", "best_parcel_id", "swing_metric")
SMALL_COLUMNS = (
    *("filled_share", "p_top10", "p_top100", "cost_low", "cost_mid", "cost_high"),
    *("capital_musd_mid", "time_to_power_years_mid"),
)
# Of scores of parcels, in points: what lists and explanations show is coarser.
SCORE_STEP = 0.001
# Of values that explain and filter: their own interval is wider than a ten-thousandth.
DIGITS = 4


def region_packs(build: Build) -> Iterator[PagePack]:
    """Give the packs regions-<level> and regions-<level>-<workload>."""
    for level in build.levels:
        shapes = to_map(store.query_file(build.con, "query/map_regions", {"level": level}))
        columns = _region_columns(shapes)
        if "population_people" in build.held.columns:
            columns["population_people"] = np.full(len(shapes), np.nan)
        yield PagePack(f"regions-{level}", len(shapes), columns, "regions")
        for row in build.workloads:
            workload = row["workload"]
            columns = _region_ranks(build, workload, level, len(shapes))
            yield PagePack(f"regions-{level}-{workload}", len(shapes), columns, "regions")


def parcel_packs(build: Build) -> Iterator[PagePack]:
    """Give the packs of parcels; `build.columns` then knows the column of each workload and metric."""
    rows = build.parcel_count
    found = build.fetch("query/map_parcels")
    columns: dict[str, Any] = {"parcel_id": words(found["parcel_id"])}
    names = words(found["parcel_name"])
    if "parcel_name" not in build.held.columns and any(name is not None for name in names):
        columns["parcel_name"] = names
    columns |= {name: floats(found[name]).astype(np.float32) for name in ("lon", "lat")}
    county = floats(found["county"]) if "county" in build.levels else np.full(rows, np.nan)
    columns["county"] = whole(county, UNKNOWN_I32, np.int32)
    yield PagePack("parcels", rows, columns, "parcels")
    yield from _metric_packs(build)
    for row in build.workloads:
        workload = row["workload"]
        yield PagePack(f"parcels-{workload}", rows, _parcel_ranks(build, workload), "parcel ranks")
        yield from _value_packs(build, workload)


def place_packs(build: Build) -> Iterator[PagePack]:
    """Give the packs of places and metros; what may not be shown is empty."""
    found = build.fetch("query/map_places", {"shown": build.held.allows("place")})
    columns = {
        "name": words(found["name"]),
        "state": words(found["state"]),
        "people": whole(found["people"], UNKNOWN_I32, np.int32),
        "lon": floats(found["lon"]).astype(np.float32),
        "lat": floats(found["lat"]).astype(np.float32),
    }
    yield PagePack("places", len(columns["name"]), columns, "places")
    found = build.fetch("query/map_metros", {"shown": build.held.allows("metro")})
    lon, lat = floats(found["lon"]), floats(found["lat"])
    columns = {
        "metro_id": words(found["metro_id"]),
        "name": words(found["name"]),
        "people": whole(found["people"], UNKNOWN_I32, np.int32),
        "is_major": whole(found["is_major"], UNKNOWN_U8, np.uint8),
        "lon": lon.astype(np.float32),
        "lat": lat.astype(np.float32),
        "ring": [ring(*at) for at in zip(lon.tolist(), lat.tolist(), strict=True)],
    }
    yield PagePack("metros", len(lon), columns, "places")


def ring(lon: float, lat: float) -> list[list[float]]:
    """Geodesic circle of `RING_MI` around a point, closed, [lon, lat] in degrees."""
    azimuths = np.linspace(0.0, 360.0, RING_POINTS, endpoint=False)
    there = np.full(RING_POINTS, RING_MI * METRES_A_MILE)
    full = np.ones(RING_POINTS)
    x, y, _ = pyproj.Geod(ellps="WGS84").fwd(lon * full, lat * full, azimuths, there)
    points = np.column_stack([np.round(x, 4), np.round(y, 4)]).tolist()
    return [*points, points[0]]


def _region_columns(shapes: Any) -> dict[str, Any]:
    bounds = shapely.bounds(shapes.geometry.to_numpy()).astype(np.float64)
    return {
        **{name: words(shapes[name]) for name in ("region_id", "region_name", "state_id")},
        **{name: np.round(floats(shapes[name]), 5) for name in ("lon", "lat")},
        **{
            name: np.round(bounds[:, column], 5)
            for column, name in enumerate(("west", "south", "east", "north"))
        },
        "population_people": floats(shapes["population_people"]),
        "area_sqmi": floats(shapes["area_sqmi"]),
        "parcel_count": whole(floats(shapes["parcel_count"]), UNKNOWN_I32, np.int32),
    }


def _region_ranks(build: Build, workload: str, level: str, rows: int) -> dict[str, Any]:
    at = {"workload": workload, "level": level}
    found = build.fetch("query/map_region_ranks", at)
    columns: dict[str, Any] = {
        name: whole(found[name], UNKNOWN_I32, np.int32) for name in WHOLE_COLUMNS
    }
    columns |= {name: floats(found[name]) for name in ("score", "score_high", "capacity_mw")}
    columns |= {name: floats(found[name]).astype(np.float32) for name in SMALL_COLUMNS}
    columns["gate_status"] = whole(found["gate_status"], UNKNOWN_U8, np.uint8)
    columns |= {name: words(found[name]) for name in WORD_COLUMNS}
    columns["reason"] = [build.held.sentence(reason) for reason in columns["reason"]]
    metrics = build.factors_of(workload)
    millionths = np.full((len(metrics), rows), UNKNOWN_U32, dtype=np.uint32)
    for position, metric, value in store.query_file(
        build.con, "query/map_region_factors", at
    ).fetchall():
        if value is not None:
            millionths[metrics.index(metric), position] = value
    columns |= {f"v:{metric}": millionths[number] for number, metric in enumerate(metrics)}
    values = build.fetch("query/map_region_metrics", at)
    for metric in build.shown_metrics:
        value = floats(values[metric])
        if metric not in build.held.columns and not np.isnan(value).all():
            columns[f"m:{metric}"] = value
    return columns


def _parcel_ranks(build: Build, workload: str) -> dict[str, Any]:
    gates = build.gates_of(workload)
    found = build.fetch("query/map_parcel_ranks", {"workload": workload, "gates": gates})
    rank = floats(found["rank"])
    score = whole(np.rint(floats(found["score"]) / SCORE_STEP), UNKNOWN_U32, np.uint32)
    cost = significant(floats(found["cost_mid"]), DIGITS).astype(np.float32)
    return {
        "rank": whole(rank, UNKNOWN_I32, np.int32),
        "score": by_rank(score, rank, {"step": SCORE_STEP, "base": 0}),
        **{
            name: by_rank(whole(found[name], UNKNOWN_I32, np.int32), rank)
            for name in ("rank_p05", "rank_p95")
        },
        "cost_mid": by_rank(cost, rank),
        "gates_failed": _bits(found["gates_failed"]),
        "gates_unknown": _bits(found["gates_unknown"]),
    }


def _bits(values: Any) -> np.ndarray:
    """Bits in as few bytes as hold them; a workload has seldom more than eight gates."""
    given = floats(values)
    is_small = not len(given) or given.max() < UNKNOWN_U8
    return given.astype(np.uint8 if is_small else np.uint32)


def _metric_packs(build: Build) -> Iterator[PagePack]:
    """Give the packs m-<metric> of metrics, and v-<metric>-<hash> of the value scores computed from them."""
    found = build.fetch("query/map_parcel_metrics")
    gated = {row["metric"] for row in build.gates if not row["is_removed"]}
    for metric in build.shown_metrics:
        values = floats(found[metric])
        if metric in build.held.columns or np.isnan(values).all():
            continue
        functions = list(build.pieces_of(metric).values())
        coded, build.read[metric] = code_metric(values, functions, is_compared=metric in gated)
        yield PagePack(f"m-{metric}", build.parcel_count, {"m": coded}, "parcel metrics")


def _value_packs(build: Build, workload: str) -> Iterator[PagePack]:
    """Give the value scores of a workload that none before it has."""
    metrics = build.factors_of(workload)
    at = {"workload": workload, "metrics": metrics}
    found = build.fetch("query/map_parcel_factors", at)
    values = np.full((len(metrics), build.parcel_count), UNKNOWN_U32, dtype=np.uint32)
    values[found["factor_no"], found["parcel_no"]] = found["millionths"]
    known = set(build.columns.values())
    for metric, column in zip(metrics, values, strict=True):
        name = f"v-{metric}-{sha256(column.tobytes()).hexdigest()[:6]}"
        build.columns[workload, metric] = name
        if name in known:
            continue
        known.add(name)
        if metric not in build.read:
            yield PagePack(name, build.parcel_count, {"v": column}, "parcel values")
            continue
        pieces = build.pieces_of(metric)[workload]
        corrected = code_scores(column, build.read[metric], pieces)
        columns = {key: Coded(numbers, {}) for key, numbers in corrected.items()}
        members = {"from": f"m-{metric}", "pieces": pieces}
        yield PagePack(name, build.parcel_count, columns, "parcel values", members)
