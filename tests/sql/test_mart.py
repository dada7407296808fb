import csv

import pytest

from data import build, store
from data.metrics import METRIC_FILE, METRICS
from data.workload import load_workload, workload_names
from tests.sql import world


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    parcels = [
        {"parcel_id": f"p{n}", "headroom_mw_mid": 100.0 * n, "headroom_substation_id": "s",
         "substation_138kv_mi": 3.0, "is_within_100mi_of_major_metro": True, "acres": 500.0}
        for n in range(4)
    ]  # fmt: skip
    profiles = [load_workload(name) for name in workload_names()]
    con = world.make(tmp_path_factory.mktemp("mart"), parcels, profiles)
    yield con
    con.close()


def test_everything_that_is_published_says_what_it_is(con):
    silent = con.execute(
        """
        select schema_name || '.' || table_name from duckdb_tables() where comment is null and not internal
        union all
        select schema_name || '.' || view_name from duckdb_views() where comment is null and not internal
        union all
        select schema_name || '.' || table_name || '.' || column_name from duckdb_columns()
        where comment is null and not internal
        union all
        select schema_name || '.' || function_name from duckdb_functions()
        where comment is null and not internal
        """
    ).fetchall()
    assert silent == []


def test_a_build_holds_no_other_schemas(con):
    found = con.execute("select schema_name from duckdb_schemas() where not internal").fetchall()
    assert {name for (name,) in found} - {"main"} == {"core", "mart", "meta"}


def test_the_data_dictionary_lists_every_column_of_the_build(con):
    listed = con.execute("select table_schema, table_name, column_name from meta.column").fetchall()
    held = con.execute(
        "select schema_name, table_name, column_name from duckdb_columns() where not internal"
    ).fetchall()
    assert sorted(listed) == sorted(held)
    assert con.execute("select count(*) from meta.column where comment is null").fetchone() == (0,)


def test_every_measured_column_is_loaded():
    """What the select leaves out would be NULL without a word, since columns go by name."""
    text = store.sql_text("core/parcel_metric")
    with store.create() as con:
        con.execute("create schema core")
        create, *_ = con.extract_statements(text)
        con.execute(create)
        columns = con.table("core.parcel_metric").columns
    selected = text.rpartition("by name\nselect")[2].partition("\nfrom ")[0]
    assert [name.strip() for name in selected.split(",")] == columns


def test_the_reference_of_metrics_is_well_formed():
    with METRIC_FILE.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["metric"] for row in rows] == list(METRICS)
    layers = {*build.layer_names(), "county", build.SLOPE_LAYER}
    for metric in METRICS.values():
        assert metric.direction in {"more", "less"}, metric
        assert metric.label, metric
        assert metric.description, metric
        assert set(metric.layer.split()) <= layers, metric
        suffix = metric.unit.replace("people", "").replace("degree_days", "degree_days_65f")
        assert suffix in metric.name, metric


def test_parcel_metrics_are_the_metrics_of_the_reference_and_nothing_scored_is_missing(con):
    stored = set(con.table("core.parcel_metric").columns)
    assert set(METRICS) <= stored
    text = store.sql_text("mart/parcel_metric_value")
    listed = [
        line.split(" as ")[-1].strip(" ,") for line in text.splitlines() if "::double" in line
    ]
    assert listed == list(METRICS)
    assert con.execute("select metric from meta.metric order by rowid").fetchall() == [
        (name,) for name in METRICS
    ]


def test_what_a_metric_is_called_is_the_same_everywhere(con):
    told = dict(
        con.execute(
            "select column_name, comment from meta.column where table_name = 'parcel_metric'"
        ).fetchall()
    )
    assert {name: told[name] for name in METRICS} == {
        name: metric.description for name, metric in METRICS.items()
    }


@pytest.mark.parametrize("workload", ["training", "inference"])
def test_the_views_people_expect_carry_rank_score_factors_place_and_shape(con, workload):
    for level in ("parcels", "regions"):
        view = con.table(f"mart.{workload}_{level}")
        columns = dict(zip(view.columns, map(str, view.types), strict=True))
        assert {"rank", "score", "lon", "lat", "headroom_mw_mid", "known_share"} <= set(columns)
        assert columns["geometry"].startswith("GEOMETRY")
    parcels = con.table(f"mart.{workload}_parcels").columns
    assert set(METRICS) <= set(parcels)
    assert {"region_kind", "region_id", "region_name", "reason"} <= set(
        con.table(f"mart.{workload}_regions").columns
    )
    count = con.execute(f"select count(*) from mart.{workload}_regions").fetchone()
    assert count == (sum(map(len, world.REGIONS.values())),)
    assert con.execute(f"select count(*) from mart.{workload}_parcels").fetchone() == (4,)


def test_the_factors_of_a_parcel_add_up_to_its_score(con):
    off = con.execute(
        """
        select score.workload, score.parcel_id, score.score, sum(factor.points)
        from mart.parcel_score as score
        inner join mart.parcel_factor as factor using (workload, parcel_no)
        group by all
        having abs(score.score - coalesce(sum(factor.points), 0)) > 1e-6
        """
    ).fetchall()
    assert off == []


def test_names_of_objects_are_the_names_of_their_files(con):
    held = con.execute(
        """
        select schema_name || '/' || table_name from duckdb_tables() where not internal
        union select schema_name || '/' || view_name from duckdb_views() where not internal
        union select schema_name || '/' || function_name from duckdb_functions() where not internal
        """
    ).fetchall()
    held = {name for (name,) in held}
    for folder in ("core", "mart"):
        assert {name for name in held if name.startswith(f"{folder}/")} == set(
            store.sql_names(folder)
        )
