"""Builds: the core layers of all themes in one database, then parcels, marts and checks on top."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import geopandas as gpd
import pandas as pd
import pyarrow as pa

from data import store
from data.metrics import METRICS
from data.stage import fill_layer, load_layer, load_reference
from data.study import Study
from data.workload import (
    MAJOR_METRO_PEOPLE,
    Factor,
    Workload,
    kept_weight,
    major_metro_people,
)

# Of meta, told by each theme of what it read.
CARRIED = (
    *("raw_table", "rejected_row", "source_load"),
    *("raw_column", "source_check", "source_limit", "staged_point"),
)
# Tables of core that are loaded with the parcels, after the layers.
PARCEL_TABLES = ("parcel", "parcel_metric", "parcel_access")
# What is measured beside the metrics: it goes to core.parcel.
PARCEL_WHERE = ("zone_id", "region_metro_id", "parcel_name")
# What meta.layer_source calls rasters, of which no layer is made.
SLOPE_LAYER = "slope"
PEOPLE_LAYER = "people_raster"
MART_ORDER = (
    "parcel_metric_value",
    "parcel_factor",
    "parcel_gate",
    "parcel_score",
    "parcel_cost",
    "parcel_confidence",
    "region",
    "region_fill",
    "region_rank",
    "region_factor",
    "region_cost",
    "region_confidence",
    "substation",
    "substation_constraint",
    "line_voltage",
    "power_constraint",
    "power_constraint_substation",
    "shared_load",
    "fiber_node",
    "fiber_pop",
    "fiber_link",
    "fiber_metro_rtt",
    "fiber_people",
    "parcel_metro_rtt",
    "metro",
    "people_state",
    "people_cell",
    "ranked_regions",
    "ranked_parcels",
    "training_regions",
    "inference_regions",
    "training_parcels",
    "inference_parcels",
    "scaled_weights",
    "rank_parcels",
    "rank_regions",
    "delivered_cost",
    "what_if_parcels",
    "rank_history",
    "source_history",
)
# Of meta, filled from what the power step wrote beside its substations.
POWER_TABLES = ("power_waived", "power_sensitivity", "power_note")
# Of meta, filled from what the fiber step wrote beside its nodes.
FIBER_TABLES = ("fiber_dropped", "latency_rule")
FIBER_FILES = (
    *("fiber_pop", "fiber_link", "fiber_metro_rtt", "fiber_people", "fiber_dropped", "fiber_rule"),
)
POWER_FILES = (
    *("constraint", "waived", "sensitivity", "note", "line"),
    *("power_constraint", "power_constraint_substation"),
)
# Of meta, filled from what the cost step wrote beside its costs, or from the profiles.
COST_TABLES = ("cost_rule", "cost_choice")
COST_FILES = ("cost_rule",)
# What the people step wrote beside its points.
PEOPLE_FILES = ("state", "cell")
# Views of one workload, whose columns are those of the view of all.
ALIKE = {
    f"{workload}_{level}": f"ranked_{level}"
    for workload in ("training", "inference")
    for level in ("regions", "parcels")
}
# Staged for a range of parcels at a time: each has many rows of metrics.
RANGE_PARCELS = 65_536
# What was found of all parcels in pieces, beside the metrics of those that a build keeps in full.
KEPT_FILES = ("score", "region_parcel", "region_gate", "workload_parcel")
# Told before the view reads them: whoever opens a build may read parts through a reader of its own.
PARTS_VIEWS = {
    "parcel": "core.parcel",
    "parcel_metric": "core.parcel_metric",
    "parcel_score": "mart.parcel_score",
    "parcel_rank": "mart.parcel_score",
}
EXAMPLE_ROWS = 5
# What a region's candidates are granted: from rows of staging.region_candidate those of staging.region_used.
Fill = Callable[[pd.DataFrame], pd.DataFrame]
# How sure the ranks of regions are: from the plans of mart.region_fill the rows of mart.region_confidence.
Confide = Callable[[pd.DataFrame], pd.DataFrame]


@dataclass(frozen=True)
class CheckResult:
    """Outcome of one file under sql/checks."""

    name: str
    severity: str
    description: str
    offending_count: int
    examples: list[str]


def layer_names() -> list[str]:
    """Names of the canonical layers."""
    names = [name.rpartition("/")[2] for name in store.sql_names("core")]
    return [name for name in names if name not in PARCEL_TABLES]


def assemble(
    target: Path,
    study: Study,
    themes: Mapping[str, Path],
    sources: Iterable[Mapping[str, Any]],
    *,
    major_people: int = MAJOR_METRO_PEOPLE,
) -> None:
    """Write the core layers of a study, from the staged databases of its themes, to `target`.

    Parameters
    ----------
    target
        Database to write; it appears whole or not at all.
    study
        The study.
    themes
        Theme -> staged database.
    sources
        Rows of `meta.source`.
    major_people
        People from which on a metro is a major one.
    """
    temporary = target.with_suffix(".duckdb.tmp")
    temporary.unlink(missing_ok=True)
    con = store.create(temporary)
    try:
        store.run_file(con, "meta/schema")
        store.run_file(con, "meta/raw_table")
        store.run_file(con, "meta/run")
        store.run_file(con, "meta/staging_macros")
        _insert(con, "meta.source", pd.DataFrame(list(sources)))
        for theme, path in themes.items():
            _attach(con, theme, path)
        filled = {
            layer: f"{theme}.core.{layer}"
            for theme, spec in study.themes.items()
            for layer in spec.layers
        }
        for layer in layer_names():
            if layer not in study.derived:
                load_layer(con, layer, [filled[layer]] if layer in filled else [])
        for theme in themes:
            store.run_file(
                con,
                "meta/carry",
                {table: f"{theme}.meta.{table}" for table in CARRIED},
            )
        load_reference(con, "derived")
        for layer, staged in study.derived.items():
            fill_layer(con, layer, staged)
        store.run_file(con, "meta/major_metro", {"people": major_people})
        _count_layers(con, {*filled, *study.derived})
        store.run_file(con, "meta/drop_staging")
        store.seal(con, temporary)
    finally:
        con.close()
    store.replace_atomically(temporary, target)


def layer_frame(con: duckdb.DuckDBPyConnection, layer: str) -> pd.DataFrame | gpd.GeoDataFrame:
    """Read one canonical layer; a GeoDataFrame in OGC:CRS84 when it has a geometry."""
    return to_frame(con.table(f"core.{layer}"))


def layer_map(con: duckdb.DuckDBPyConnection, layer: str) -> gpd.GeoDataFrame:
    """Read one canonical layer that has a geometry, in OGC:CRS84."""
    return to_map(con.table(f"core.{layer}"))


def to_map(relation: duckdb.DuckDBPyRelation) -> gpd.GeoDataFrame:
    """Fetch a relation that has a `geometry` column, in OGC:CRS84."""
    frame = to_frame(relation)
    if not isinstance(frame, gpd.GeoDataFrame):
        msg = "the relation has no geometry column"
        raise TypeError(msg)
    return frame


def to_frame(relation: duckdb.DuckDBPyRelation) -> pd.DataFrame | gpd.GeoDataFrame:
    """Fetch a relation; its `geometry` column, if any, becomes shapely in OGC:CRS84."""
    table = relation.to_arrow_table()
    if "geometry" not in table.column_names:
        return table.to_pandas()
    wkb = table.column("geometry").to_numpy(zero_copy_only=False)
    frame = table.drop_columns(["geometry"]).to_pandas()
    return gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries.from_wkb(wkb), crs="OGC:CRS84")


def metric_schema() -> pa.Schema:
    """Columns and types of a measured parcel: `core.parcel_metric`, and where the parcel lies.

    `known_share` is not among them: it speaks of all parcels, so it is known only at the end.
    """
    with store.create() as con:
        con.execute("create schema core")
        store.run_tables(con, "core/parcel_metric")
        measured = con.table("core.parcel_metric").to_arrow_table().schema
    kept = [field for field in measured if field.name != "known_share"]
    return pa.schema([*kept, *(pa.field(name, pa.string()) for name in PARCEL_WHERE)])


def load_profiles(
    con: duckdb.DuckDBPyConnection, study: Study, workloads: Mapping[str, Workload]
) -> None:
    """Fill the tables of profiles, exclusions and the rasters that are measured.

    What the study lacks of a profile is marked as removed, with the reason.
    """
    store.run_file(con, "meta/profile")
    exclusions = [
        {
            "exclusion_no": number,
            **item.model_dump(include={"layer", "raster", "buffer_m", "why"}),
            "excluded": str(item),
        }
        for number, item in enumerate(study.exclusions, start=1)
    ]
    _insert(con, "meta.exclusion", pd.DataFrame(exclusions))
    for layer, item in ((SLOPE_LAYER, study.slope), (PEOPLE_LAYER, study.people)):
        if item is not None:
            # A raster has cells, no rows.
            row = {"layer": layer, "source_id": item.raster, "row_count": None}
            insert_rows(con, "meta.layer_source", [row])
    _insert(
        con,
        "meta.metric",
        pd.DataFrame([{"metric": name, **vars(metric)} for name, metric in METRICS.items()]),
    )
    people = major_metro_people(workloads)
    for entry in study.workloads:
        workload = workloads[entry.id]
        why = {item.metric: item.why for item in entry.without}
        kept = kept_weight(entry, workload)
        _insert(con, "meta.workload", pd.DataFrame([_workload_row(workload, people)]))
        gates = [
            {
                "workload": workload.id,
                **gate.model_dump(exclude={"why", "source"}),
                "is_removed": gate.metric in why,
                "removed_why": why.get(gate.metric),
                "why": gate.why,
                "source": gate.source,
            }
            for gate in workload.gates
        ]
        _insert(con, "meta.gate", pd.DataFrame(gates))
        factors = [_factor_row(workload, factor, why, kept) for factor in workload.factors]
        _insert(con, "meta.factor", pd.DataFrame(factors))
        segments = [row for f in workload.factors for row in _segments(workload.id, f)]
        _insert(con, "meta.value_segment", pd.DataFrame(segments))


def make_mart(
    con: duckdb.DuckDBPyConnection,
    *,
    parcel: Path,
    metric: Path,
    power: Path,
    fiber: Path,
    access: Path,
    region: Path,
    people: Path,
    cost: Path,
    confidence: Path,
    fill: Fill,
    confide: Confide,
    is_kept: bool = False,
) -> None:
    """Load parcels and metrics, then score, rank and publish the views and macros.

    `power` is the table of substations, `fiber` that of fiber nodes and `people` holds the people counted;
    the other tables of their steps stand beside them. `access` says which nodes are near each parcel, `cost`
    what parcels cost, `confidence` how sure their ranks are. `fill` says how many megawatts of its target each
    candidate of a region brings, and `confide` how sure the ranks of regions are that are filled so. With
    `is_kept` the parcels are those that a build keeps of a study measured in parts: ranks among all, and the
    counts of regions, stand beside `metric`.
    """
    params = {
        "parcel_path": str(parcel),
        "metric_path": str(metric),
        "power_path": str(power),
        "fiber_path": str(fiber),
        "access_path": str(access),
        "region_path": str(region),
        **_beside(power, POWER_FILES),
        **_beside(fiber, FIBER_FILES),
        **_beside(people, PEOPLE_FILES, prefix="people_"),
        "cost_path": str(cost),
        **_beside(cost, COST_FILES),
        "confidence_path": str(confidence),
        **(_beside(metric, KEPT_FILES) if is_kept else {}),
    }
    for name in PARCEL_TABLES:
        store.run_file(con, f"core/{name}", params)
    for name in (*POWER_TABLES, *FIBER_TABLES, *COST_TABLES):
        store.run_file(con, f"meta/{name}", params)
    store.run_file(con, "meta/staging_schema")
    store.run_file(con, "meta/figure")
    for name in MART_ORDER:
        _stage_for(con, name, params, is_kept=is_kept)
        if name == "region_fill":
            _fill_regions(con, fill)
        store.run_file(con, f"mart/{name}", params)
        if name == "region_confidence":
            _confide_regions(con, confide)
        if name in ALIKE:
            _comment_alike(con, f"mart.{name}", f"mart.{ALIKE[name]}")
    # Of all parcels: found here, or in pieces.
    store.run_file(con, f"{'cluster' if is_kept else 'meta'}/workload_parcel", params)
    store.run_file(con, "meta/drop_staging")
    store.run_file(con, "meta/column")


def load_piece(con: duckdb.DuckDBPyConnection, *, parcel: Path, metric: Path) -> None:
    """Load one piece of a study measured in parts into an empty build, and score its parcels.

    `parcel` and `metric` are the Parquet files of the piece. What is staged of its regions stays:
    `staging.region_parcel`, `region_best` and `region_gate`; `meta.workload_parcel` counts its parcels.
    """
    for name in ("parcel", "parcel_metric"):
        store.run_tables(con, f"core/{name}")
    store.run_file(con, "cluster/piece", {"parcel_path": str(parcel), "metric_path": str(metric)})
    store.run_file(con, "meta/staging_schema")
    for name in MART_ORDER[: MART_ORDER.index("parcel_score")]:
        store.run_file(con, f"mart/{name}")
    _stage_for(con, "parcel_score", {}, is_kept=False)
    store.run_file(con, "mart/parcel_score")
    for name in ("workload_parcel", "region_parcel", "region_best", "region_gate"):
        store.run_file(con, f"meta/{name}")


def tell_parts(
    con: duckdb.DuckDBPyConnection, parts: list[dict[str, Any]], pieces: pd.DataFrame
) -> None:
    """Tell where all parcels are that were measured in parts, with a view of each folder of this machine.

    `parts` are rows of meta.parts, `pieces` those of meta.partition.
    """
    _insert(con, "meta.partition", pieces)
    _insert(con, "meta.parts", pd.DataFrame(parts))
    con.execute("create schema parts")
    for row in parts:
        if row["view_name"] is not None:
            name = row["part_kind"]
            # A view takes no parameters; the path stands in it as text between quotes.
            folder = "'" + str(row["folder"]).replace("'", "''") + "'"
            for statement in con.extract_statements(
                store.sql_text(f"parts/{name}").replace("$folder", folder)
            ):
                con.execute(statement)
            _comment_alike(con, f"parts.{name}", PARTS_VIEWS[name])


def _comment_alike(con: duckdb.DuckDBPyConnection, view: str, like: str) -> None:
    """Say of the columns of a view what is said of those of the view that it selects from."""
    told = dict(store.query_file(con, "query/comments_of", {"named": like}).fetchall())
    own = dict(store.query_file(con, "query/comments_of", {"named": view}).fetchall())
    # In one transaction: each by itself would be forced to disk.
    con.begin()
    for column in con.table(view).columns:
        if column in own:
            continue
        # A comment cannot be a parameter; those of a view that we wrote are text between quotes.
        text = told[column].replace("'", "''")
        con.execute(f"comment on column {view}.{column} is '{text}'")
    con.commit()


def _beside(result: Path, tables: Iterable[str], prefix: str = "") -> dict[str, str]:
    """Parameters for the paths of tables that a step wrote beside its result."""
    return {f"{prefix}{name}_path": str(result.with_suffix(f".{name}.parquet")) for name in tables}


def run_checks(
    con: duckdb.DuckDBPyConnection, of_sources: Iterable[CheckResult] = ()
) -> list[CheckResult]:
    """Run every check, keep the results in `meta.check_result`, and return them.

    `of_sources` are results of what was read, found before there was a build.
    """
    results = list(of_sources)
    for name in store.sql_names("checks"):
        text = store.sql_text(name)
        rows = store.query_file(con, name).fetchall()
        results.append(
            CheckResult(
                name.rpartition("/")[2],
                _header(text, "severity"),
                _header(text, "description"),
                len(rows),
                [", ".join(str(value) for value in row) for row in rows[:EXAMPLE_ROWS]],
            )
        )
    for result in results:
        params = {
            "name": result.name,
            "severity": result.severity,
            "description": result.description,
            "count": result.offending_count,
            "examples": result.examples,
        }
        store.run_file(con, "meta/check_row", params)
    return results


def removed_lines(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Say in words what the study took out of its profiles."""
    return [
        f"{workload}: {metric} ({kind}{f' of weight {weight:g}' if weight else ''}): {why}"
        for workload, metric, kind, weight, why in store.query_file(con, "query/removed").fetchall()
    ]


def forget_run(con: duckdb.DuckDBPyConnection) -> None:
    """Empty what a build says of its run, so that an equal run can say it anew."""
    store.run_file(con, "meta/forget_run")


def insert_rows(con: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    """Append rows given as dicts, by column name."""
    _insert(con, table, pd.DataFrame(rows))


def insert_frame(con: duckdb.DuckDBPyConnection, table: str, frame: pd.DataFrame) -> None:
    """Append the rows of a frame, by column name."""
    _insert(con, table, frame)


def _stage_for(
    con: duckdb.DuckDBPyConnection, mart: str, params: Mapping[str, str], *, is_kept: bool
) -> None:
    """Stage what a mart is made from: of all parcels, by the pieces that they were measured in if so."""
    found_in = "cluster" if is_kept else "meta"
    if mart == "parcel_score" and is_kept:
        store.run_file(con, "meta/parcel_sum_table")
        store.run_file(con, "cluster/parcel_sum", params)
    elif mart == "parcel_score":
        _fill_in_ranges(con, "parcel_sum")
    elif mart == "region":
        store.run_file(con, f"{found_in}/region_parcel", params)
    elif mart == "region_rank":
        store.run_file(con, f"{found_in}/region_gate", params)
        _fill_in_ranges(con, "best_factor")


def _fill_in_ranges(con: duckdb.DuckDBPyConnection, staged: str) -> None:
    """Create a staged table, and fill it for all parcels."""
    store.run_file(con, f"meta/{staged}_table")
    count = len(con.table("core.parcel"))
    for first_no in range(0, count, RANGE_PARCELS):
        last_no = first_no + RANGE_PARCELS - 1
        store.run_file(con, f"meta/{staged}", {"first_no": first_no, "last_no": last_no})


def _fill_regions(con: duckdb.DuckDBPyConnection, fill: Fill) -> None:
    """Stage the candidates of regions, and what each is granted."""
    for name in ("region_best", "region_candidate", "region_used_table"):
        store.run_file(con, f"meta/{name}")
    _insert(con, "staging.region_used", fill(con.table("staging.region_candidate").to_df()))


def _confide_regions(con: duckdb.DuckDBPyConnection, confide: Confide) -> None:
    """Publish how sure the ranks of regions are, given the plans that were published."""
    plan = con.table("mart.region_fill").to_df()
    _insert(con, "mart.region_confidence", confide(plan))


def _header(text: str, key: str) -> str:
    found = re.search(rf"^-- {key}: (.+)$", text, re.MULTILINE)
    if found is None:
        msg = f"a check states no {key}"
        raise ValueError(msg)
    return found.group(1)


def _attach(con: duckdb.DuckDBPyConnection, theme: str, path: Path) -> None:
    # An alias cannot be a parameter; the four themes are a closed list.
    statements = {
        "grid": "attach $path as grid (read_only)",
        "population": "attach $path as population (read_only)",
        "fiber": "attach $path as fiber (read_only)",
        "land": "attach $path as land (read_only)",
    }
    con.execute(statements[theme], {"path": str(path)})


def _insert(con: duckdb.DuckDBPyConnection, table: str, frame: pd.DataFrame) -> None:
    """Append a frame by position of the table's own columns, missing ones as NULL."""
    if frame.empty:
        return
    columns = con.table(table).columns
    con.from_df(frame.reindex(columns=columns)).insert_into(table)


def _count_layers(con: duckdb.DuckDBPyConnection, filled: Collection[str]) -> None:
    """Count the rows of each layer by source; a layer that should be filled counts even if empty."""
    for layer in layer_names():
        relation = con.table(f"core.{layer}").aggregate("source_id, count(*)", "source_id")
        counts = relation.order("source_id").fetchall()
        for source_id, count in counts or [(None, 0)] * (layer in filled):
            insert_rows(
                con,
                "meta.layer_source",
                [{"layer": layer, "source_id": source_id, "row_count": count}],
            )


def _workload_row(workload: Workload, major_people: int) -> dict[str, Any]:
    return {
        **workload.model_dump(exclude={"id", "cost", "gates", "factors"}),
        **workload.cost.model_dump(),
        "workload": workload.id,
        "design_mw": workload.design_mw,
        "major_metro_people": major_people,
    }


def _factor_row(
    workload: Workload, factor: Factor, why: Mapping[str, str], kept: float
) -> dict[str, Any]:
    is_removed = factor.metric in why
    return {
        "workload": workload.id,
        "metric": factor.metric,
        "label": factor.label,
        "weight": 0.0 if is_removed else factor.weight / kept,
        "profile_weight": factor.weight,
        "is_removed": is_removed,
        "removed_why": why.get(factor.metric),
        "why": factor.why,
        "source": factor.source,
    }


def _segments(workload: str, factor: Factor) -> list[dict[str, Any]]:
    """Straight pieces of a value function, flat before the first and after the last point."""
    points = factor.value
    # Finite, so that a slope of 0 times the distance from the start stays 0.
    infinity = 1e300
    pieces = [(-infinity, points[0][0], points[0][1], 0.0)]
    for (x0, y0), (x1, y1) in pairwise(points):
        pieces.append((x0, x1, y0, (y1 - y0) / (x1 - x0)))
    pieces.append((points[-1][0], infinity, points[-1][1], 0.0))
    return [
        {
            "workload": workload,
            "metric": factor.metric,
            "from_x": from_x,
            "to_x": to_x,
            "from_value": value,
            "slope": slope,
        }
        for from_x, to_x, value, slope in pieces
    ]
