"""Read what the map page shows out of a build: tables as packs, and what the page says about them."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from importlib.metadata import version
from typing import Any

import duckdb
import numpy as np
import pyproj
import shapely

from data import store
from data.build import to_map
from flows.reporting import rows_of
from geo.export.model import SYNTHETIC_SENTENCE
from geo.export.page import PagePack
from geo.export.page.pack import (
    UNKNOWN_I32,
    UNKNOWN_U8,
    UNKNOWN_U32,
    significant,
    whole,
)
from geo.export.palette import (
    MEGAWATT_CLASSES,
    RANK_CLASSES,
    UNRANKED_COLOUR,
    UNRANKED_LABEL,
)

FORMAT = 1
LEVELS = {"county": "Counties", "metro": "Metros", "state": "States", "zone": "Grid zones"}
# Ring around a metro: the edge of what is near it by the rule of thumb.
RING_MI = 100.0
RING_POINTS = 96
METRES_A_MILE = 1609.344
WHOLE_COLUMNS = ("rank", "rank_p05", "rank_p50", "rank_p95", "substation_count", "candidate_count", "cost_rank")
WORD_COLUMNS = ("reason", "best_parcel_id", "swing_metric")
SMALL_COLUMNS = (
    *("filled_share", "p_top10", "p_top100", "cost_low", "cost_mid", "cost_high"),
    *("capital_musd_mid", "time_to_power_years_mid"),
)
# Of values that explain and filter: their own interval is wider than a ten-thousandth.
DIGITS = 4


def words(values: Any) -> list[str | None]:
    """Texts of a column, None where there is none."""
    return [None if value is None or value != value else str(value) for value in values]  # noqa: PLR0124


def floats(values: Any) -> np.ndarray:
    """(n,) float64 of a column, NaN where it is unknown."""
    return np.ma.filled(np.ma.asarray(values).astype(np.float64), np.nan)


class Build:
    """What the page needs to know of a build before anything is packed."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con
        self.run = rows_of(con, "query/run")[0]
        self.workloads = rows_of(con, "query/workloads")
        self.factors = rows_of(con, "query/map_factors")
        self.gates = rows_of(con, "query/map_gates")
        self.metrics = {row["metric"]: row for row in rows_of(con, "query/map_metrics")}
        self.sources = rows_of(con, "query/source_report")
        self.parcel_count = len(con.table("core.parcel"))

    def factors_of(self, workload: str) -> list[str]:
        """Metrics of the factors in use, in the order of the profile."""
        return _in_use(self.factors, workload)

    def gates_of(self, workload: str) -> list[str]:
        """Metrics of the gates in use, in the order of the profile."""
        return _in_use(self.gates, workload)


def region_packs(build: Build) -> Iterator[PagePack]:
    """Give the packs regions-<level> and regions-<level>-<workload>."""
    for level in LEVELS:
        shapes = to_map(store.query_file(build.con, "query/map_regions", {"level": level}))
        if shapes.empty:
            continue
        yield PagePack(f"regions-{level}", len(shapes), _region_columns(shapes), "regions")
        for row in build.workloads:
            workload = row["workload"]
            columns = _region_ranks(build, workload, level, len(shapes))
            yield PagePack(f"regions-{level}-{workload}", len(shapes), columns, "regions")


def parcel_packs(build: Build, told: dict[tuple[str, str], str]) -> Iterator[PagePack]:
    """Give the packs of parcels; `told` receives the column of each workload and metric."""
    rows = build.parcel_count
    found = _fetch(build, "query/map_parcels")
    columns: dict[str, Any] = {"parcel_id": words(found["parcel_id"])}
    names = words(found["parcel_name"])
    if any(name is not None for name in names):
        columns["parcel_name"] = names
    columns |= {name: floats(found[name]).astype(np.float32) for name in ("lon", "lat")}
    columns["county"] = whole(found["county"], UNKNOWN_I32, np.int32)
    yield PagePack("parcels", rows, columns, "parcels")
    for row in build.workloads:
        workload = row["workload"]
        yield PagePack(f"parcels-{workload}", rows, _parcel_ranks(build, workload), "parcel ranks")
        yield from _value_packs(build, workload, told)
    yield from _metric_packs(build)


def place_packs(build: Build) -> Iterator[PagePack]:
    """Give the packs of places and metros, where there are any."""
    found = _fetch(build, "query/map_places")
    columns = {
        "name": words(found["name"]),
        "state": words(found["state"]),
        "people": whole(found["people"], UNKNOWN_I32, np.int32),
        "lon": floats(found["lon"]).astype(np.float32),
        "lat": floats(found["lat"]).astype(np.float32),
    }
    yield PagePack("places", len(columns["name"]), columns, "places")
    found = _fetch(build, "query/metros_for_export")
    lon, lat = floats(found["lon"]), floats(found["lat"])
    columns = {
        "metro_id": words(found["metro_id"]),
        "name": words(found["metro_name"]),
        "people": whole(found["metro_people"], UNKNOWN_I32, np.int32),
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


def about(build: Build, told: dict[tuple[str, str], str], bounds: list[float]) -> dict[str, Any]:
    """Say of the run, workloads, metrics and sources what the page shows."""
    run = build.run
    return {
        "format": FORMAT,
        "run": {
            "run_id": run["run_id"],
            "run_date": run["started_at"].date().isoformat(),
            "study": run["study"],
            "title": run["title"],
            "tool_version": version("gridstead"),
            "is_synthetic": run["is_synthetic"],
            "synthetic_note": SYNTHETIC_SENTENCE if run["is_synthetic"] else "",
            "parcel_kind": run["parcel_kind"],
            "parcel_count": build.parcel_count,
            "bounds": bounds,
            "limits": run["limits"] or [],
        },
        "note": {
            "attribution": [row["attribution"] for row in build.sources],
            "licences": [f"{row['source_id']}: {row['data_terms']}" for row in build.sources],
            "excluded": [],
        },
        "rank_classes": [
            {"first": c.first, "last": c.last, "colour": c.colour, "label": c.label} for c in RANK_CLASSES
        ],
        "unranked": {"colour": UNRANKED_COLOUR, "label": UNRANKED_LABEL},
        "megawatt_classes": [
            {"at_least": c.at_least, "below": c.below, "colour": c.colour, "label": c.label}
            for c in MEGAWATT_CLASSES
        ],
        "levels": _levels(build),
        "workloads": [_workload(build, row, told) for row in build.workloads],
        "metrics": {
            name: {
                "label": row["label"],
                "unit": row["unit"],
                "direction": row["direction"],
                "description": row["description"],
                "sources": sorted(_sources_of(build, row["layer"])),
                "has_parcels": name in _shown_metrics(build),
                "has_regions": True,
            }
            for name, row in build.metrics.items()
        },
        "sources": [
            {
                key: row[key]
                for key in (
                    *("source_id", "title", "version", "as_of", "data_terms", "attribution"),
                    *("is_synthetic", "is_exportable", "is_stale"),
                )
            }
            for row in build.sources
        ],
        "restricted": True,
    }


def _levels(build: Build) -> list[dict[str, Any]]:
    counts = dict(build.con.sql("select region_kind, count(*) from mart.region group by all").fetchall())
    return [
        {"level": level, "title": title, "count": counts[level]}
        for level, title in LEVELS.items()
        if counts.get(level)
    ]


def _workload(build: Build, row: dict[str, Any], told: dict[tuple[str, str], str]) -> dict[str, Any]:
    workload = row["workload"]
    mine = [factor for factor in build.factors if factor["workload"] == workload]
    gates = [gate for gate in build.gates if gate["workload"] == workload]
    return {
        **{key: row[key] for key in ("workload", "title", "summary", "objective", "target_mw")},
        "factors": [
            {
                "metric": factor["metric"],
                "label": factor["label"],
                "unit": build.metrics[factor["metric"]]["unit"],
                "weight": factor["profile_weight"],
                "direction": build.metrics[factor["metric"]]["direction"],
                "why": factor["why"],
                "source": factor["source"],
                "parcel_column": told.get((workload, factor["metric"])),
            }
            for factor in mine
            if not factor["is_removed"]
        ],
        "removed": [
            {"metric": factor["metric"], "label": factor["label"], "why": factor["removed_why"]}
            for factor in mine
            if factor["is_removed"]
        ],
        "gates": [
            {key: gate[key] for key in ("metric", "label", "unit", "at_least", "at_most", "why", "is_removed", "removed_why")}
            for gate in gates
        ],
    }


def _sources_of(build: Build, layers: str) -> set[str]:
    rows = build.con.table("meta.layer_source").project("layer, source_id").fetchall()
    wanted = set((layers or "").split())
    return {source for layer, source in rows if layer in wanted and source is not None}


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
    found = _fetch(build, "query/map_region_ranks", at)
    columns: dict[str, Any] = {
        name: whole(found[name], UNKNOWN_I32, np.int32) for name in WHOLE_COLUMNS
    }
    columns |= {name: floats(found[name]) for name in ("score", "score_high", "capacity_mw")}
    columns |= {name: floats(found[name]).astype(np.float32) for name in SMALL_COLUMNS}
    columns["gate_status"] = whole(found["gate_status"], UNKNOWN_U8, np.uint8)
    columns |= {name: words(found[name]) for name in WORD_COLUMNS}
    metrics = build.factors_of(workload)
    millionths = np.full((len(metrics), rows), UNKNOWN_U32, dtype=np.uint32)
    for position, metric, value in store.query_file(build.con, "query/map_region_factors", at).fetchall():
        if value is not None:
            millionths[metrics.index(metric), position] = value
    columns |= {f"v:{metric}": millionths[number] for number, metric in enumerate(metrics)}
    values = _fetch(build, "query/map_region_metrics", at)
    for metric in _shown_metrics(build):
        value = floats(values[metric])
        if not np.isnan(value).all():
            columns[f"m:{metric}"] = value
    return columns


def _shown_metrics(build: Build) -> list[str]:
    """Metrics that any workload judges by, and those of the same kind that tell of their ends."""
    used = {row["metric"] for row in (*build.factors, *build.gates) if not row["is_removed"]}
    return sorted(used)


def _parcel_ranks(build: Build, workload: str) -> dict[str, Any]:
    gates = build.gates_of(workload)
    found = _fetch(build, "query/map_parcel_ranks", {"workload": workload, "gates": gates})
    return {
        "rank": whole(found["rank"], UNKNOWN_I32, np.int32),
        "score": significant(floats(found["score"]), 6).astype(np.float32),
        "rank_p05": whole(found["rank_p05"], UNKNOWN_I32, np.int32),
        "rank_p95": whole(found["rank_p95"], UNKNOWN_I32, np.int32),
        "cost_mid": significant(floats(found["cost_mid"]), DIGITS).astype(np.float32),
        "gates_failed": whole(found["gates_failed"], UNKNOWN_U8, np.uint8),
        "gates_unknown": whole(found["gates_unknown"], UNKNOWN_U8, np.uint8),
    }


def _value_packs(
    build: Build, workload: str, told: dict[tuple[str, str], str]
) -> Iterator[PagePack]:
    """Give the columns v-<metric>-<hash> that no workload before it has."""
    metrics = build.factors_of(workload)
    at = {"workload": workload, "metrics": metrics}
    found = _fetch(build, "query/map_parcel_factors", at)
    values = np.full((len(metrics), build.parcel_count), UNKNOWN_U32, dtype=np.uint32)
    values[found["factor_no"], found["parcel_no"]] = found["millionths"]
    known = set(told.values())
    for metric, column in zip(metrics, values, strict=True):
        name = f"v-{metric}-{sha256(column.tobytes()).hexdigest()[:6]}"
        told[workload, metric] = name
        if name not in known:
            known.add(name)
            yield PagePack(name, build.parcel_count, {"v": column}, "parcel values")


def _metric_packs(build: Build) -> Iterator[PagePack]:
    found = _fetch(build, "query/map_parcel_metrics")
    for metric in _shown_metrics(build):
        value = significant(floats(found[metric]), DIGITS).astype(np.float32)
        yield PagePack(f"m-{metric}", build.parcel_count, {"m": value}, "parcel metrics")


def _fetch(build: Build, query: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
    return store.query_file(build.con, query, params).fetchnumpy()


def _in_use(rows: list[dict[str, Any]], workload: str) -> list[str]:
    return [
        row["metric"] for row in rows if row["workload"] == workload and not row["is_removed"]
    ]


Say = Callable[[str], None]
