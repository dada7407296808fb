"""Small builds for the tests of sql/: hand-made parcels through the real profile tables and marts."""

from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely

from data import build, store
from data.study import Study, StudyWorkload, Without
from data.workload import Workload
from flows import costing
from flows.confidence import REGION_COLUMNS
from flows.filling import region_filler
from flows.power import NO_ROWS, beside, complete
from tests.sql import fiber

POINT = (-89.95, 40.05)
WHERE = {"county_id": "99001", "state_id": "AA", "zone_id": "z1"}
REGIONS = {
    "county": ["99001", "99002"],
    "metro": ["m1", "m2"],
    "state": ["AA", "BB"],
    "zone": ["z1", "z2"],
}
LOCATED_COLUMNS = ("zone_id", "region_metro_id", "parcel_name")


def _metric_columns():
    """Columns of core.parcel_metric, from its own DDL."""
    with store.create() as con:
        con.execute("create schema core")
        con.execute(con.extract_statements(store.sql_text("core/parcel_metric"))[0])
        return con.table("core.parcel_metric").columns


METRIC_COLUMNS = _metric_columns()
COST_RULES = costing.read_rules()


def profile(factors, gates=(), *, name="training", target_mw=1000, capacity="headroom_mw_mid"):
    """A workload from (metric, weight, breakpoints) and (metric, 'at_least'|'at_most', bound)."""
    words = {"why": "a test", "source": "a test"}
    return Workload.model_validate(
        {
            "id": name,
            "title": name,
            "summary": name,
            "target_mw": target_mw,
            "capacity_metric": capacity,
            "gates": [{"metric": m, bound: at, **words} for m, bound, at in gates],
            "factors": [
                {"metric": m, "weight": w, "value": v, "label": m, **words} for m, w, v in factors
            ],
        }
    )


def study(workloads, without=None):
    """A study of two states that lacks the metrics in `without` ({metric: why})."""
    lacks = [Without(metric=metric, why=why) for metric, why in (without or {}).items()]
    return Study(
        id="world",
        title="World",
        area=["AA", "BB"],
        themes={},
        headroom_method="import_estimate",
        workloads=[StudyWorkload(id=workload.id, without=lacks) for workload in workloads],
    )


def make(
    folder: Path, parcels, workloads, *, without=None, threads=None, path=None, edit_files=None
):
    """A build with its marts in memory (or at `path`), from dicts of parcels.

    `edit_files` may change the files that the marts are made from.

    A parcel has `parcel_id`, any of county_id, metro_id, state_id, zone_id, and metrics by name.
    """
    con = store.create(path)
    if threads:
        con.execute(f"set threads = {threads}")
    for name in ("schema", "raw_table", "run", "staging_macros"):
        store.run_file(con, f"meta/{name}")
    for layer in build.layer_names():
        build.load_layer(con, layer, [])
    _fill_regions(con)
    build.load_profiles(con, study(workloads, without), {w.id: w for w in workloads})
    paths = _files(folder, parcels)
    _price(paths, workloads)
    if edit_files:
        edit_files(paths)
    build.make_mart(con, **paths, fill=region_filler(paths["power"]), confide=_nothing_drawn)
    run = {"run_id": "r1", "area": ["AA", "BB"], "parcel_kind": "h3_cell"}
    counts = dict.fromkeys(("parcel_count", "kept_count", "divided_count"), len(parcels))
    build.insert_rows(con, "meta.run", [run | counts])
    return con


def rows(con, text, **params):
    """Rows of a query as dicts."""
    result = con.execute(text, params or None)
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _fill_regions(con):
    add = build.insert_rows
    add(
        con,
        "core.county",
        [
            {"county_id": c, "county_name": f"County {c}", "state_id": s, "source_id": "t"}
            for c, s in zip(REGIONS["county"], REGIONS["state"], strict=True)
        ],
    )
    add(
        con,
        "core.state",
        [{"state_id": s, "state_name": s, "population_people": 50} for s in REGIONS["state"]],
    )
    add(
        con,
        "core.metro",
        [
            {"metro_id": m, "metro_name": m, "metro_people": 9, "lon": -90.0, "lat": 40.0,
             "is_major": True}
            for m in REGIONS["metro"]
        ],
    )  # fmt: skip
    add(con, "core.zone", [{"zone_id": z, "zone_name": z} for z in REGIONS["zone"]])
    add(con, "core.ixp", fiber.IXPS)
    add(con, "core.people", [{"people_id": "p", "people": 100.0, "lon": -90.0, "lat": 40.0}])


def _price(paths, workloads):
    metric = costing.read_metrics(paths["metric"])
    frames = [costing.priced(metric, COST_RULES, workload) for workload in workloads]
    pd.concat(frames, ignore_index=True).to_parquet(paths["cost"], index=False)
    rules = costing.beside(paths["cost"], costing.RULE_TABLE)
    COST_RULES.frame().to_parquet(rules, index=False)


def _nothing_drawn(plan):
    assert {"workload", "region_kind", "region_id", "parcel_id", "used_mw"} <= set(plan)
    return pd.DataFrame(columns=list(REGION_COLUMNS))


def _files(folder: Path, parcels):
    folder.mkdir(parents=True, exist_ok=True)
    box = shapely.box(-90, 40, -89.9, 40.1)
    land = gpd.GeoDataFrame(
        [
            {
                "parcel_id": p["parcel_id"],
                "parcel_kind": "h3_cell",
                "lon": POINT[0],
                "lat": POINT[1],
                "county_id": p.get("county_id", WHERE["county_id"]),
                "state_id": p.get("state_id", WHERE["state_id"]),
                "area_acres": p.get("area_acres", 100.0),
                "land_share": 1.0,
                "parcel_partition": "x",
            }
            for p in parcels
        ],
        geometry=[box] * len(parcels),
        crs="OGC:CRS84",
    )
    metric = pd.DataFrame(
        [
            {
                **fiber.metrics(*POINT),
                **{k: v for k, v in p.items() if k not in {"county_id", "state_id", "metro_id"}},
                "zone_id": p.get("zone_id", WHERE["zone_id"]),
                "region_metro_id": p.get("metro_id"),
                "parcel_name": f"near {p['parcel_id']}",
                "distance_basis": "centroid",
                "known_share": 0.5,
            }
            for p in parcels
        ]
    )
    metric = metric.reindex(columns=[*METRIC_COLUMNS, *LOCATED_COLUMNS])
    named = {p["headroom_substation_id"] for p in parcels if p.get("headroom_substation_id")}
    power = pd.DataFrame({"substation_id": sorted(named), "lon": -90.0, "lat": 40.0})
    mw = {"headroom_mw_low": 50.0, "headroom_mw_mid": 100.0, "headroom_mw_high": 150.0}
    power = complete(power.assign(method="import_estimate", limit_kind="circuits", **mw))
    region = gpd.GeoDataFrame(
        [
            {"region_kind": kind, "region_id": name, "lon": -89.95, "lat": 40.05}
            for kind, names in REGIONS.items()
            for name in names
        ],
        geometry=[box] * sum(map(len, REGIONS.values())),
        crs="OGC:CRS84",
    )
    paths = {
        "parcel": folder / "parcel.parquet",
        "metric": folder / "metric.parquet",
        "power": folder / "power.parquet",
        "fiber": folder / "fiber.parquet",
        "access": folder / "access.parquet",
        "region": folder / "region.parquet",
        "people": folder / "people.npz",
        "cost": folder / "cost.parquet",
        "confidence": folder / "confidence.parquet",
    }
    land.to_parquet(paths["parcel"])
    metric.to_parquet(paths["metric"], index=False)
    power.to_parquet(paths["power"], index=False)
    for name, columns in NO_ROWS.items():
        pd.DataFrame(columns=[*columns]).to_parquet(beside(paths["power"], name), index=False)
    region.to_parquet(paths["region"])
    drawn = ["parcel_id", *(c for c in REGION_COLUMNS if not c.startswith("region_"))]
    pd.DataFrame(columns=drawn).to_parquet(paths["confidence"], index=False)
    fiber.write(paths["fiber"], paths["access"], {p["parcel_id"]: POINT for p in parcels})
    state = {"state_id": "AA", "method": "tract_scaled_to_county", "source_people": 100.0}
    state |= {"scale_factor": 1.0, "people": 100.0, "point_count": 1, "census_people": 50.0}
    tables = {"state": state | {"covered_share": 1.0}}
    tables["cell"] = {"row_no": 6_000, "column_no": 10_800, "milli": 100_000}
    for name, row in tables.items():
        path = paths["people"].with_suffix(f".{name}.parquet")
        pd.DataFrame([row]).to_parquet(path, index=False)
    return paths
