from itertools import pairwise

import duckdb
import geopandas as gpd
import pandas as pd
import pytest

from data import build, store
from data.metrics import METRICS
from data.study import Study
from tests.sql import world

PLACE = "insert into core.place (place_id, place_name, lon, lat, source_id) values ($id, 'P', 1, 2, 's')"


def theme_file(path, name, filled, rows=0, rejected=0):
    """A staged database as `data.stage` leaves it, with rows in core.place."""
    con = store.create(path)
    for part in ("schema", "raw_table", "staging_macros"):
        store.run_file(con, f"meta/{part}")
    for layer in filled:
        build.load_layer(con, layer, [])
    for number in range(rows):
        con.execute(PLACE, {"id": f"{name}-{number}"})
    con.execute(
        "insert into meta.raw_table values ($name, 's', $name, 'f', $read)",
        {"name": name, "read": rows + rejected},
    )
    con.execute(
        "insert into meta.source_load values ($name, 's', $name, 'place', $read, $rows, 0, $bad)",
        {"name": name, "read": rows + rejected, "rows": rows, "bad": rejected},
    )
    for number in range(rejected):
        con.execute(
            "insert into meta.rejected_row values ('s', $name, 'f', $row, 'invalid', 'bad')",
            {"name": name, "row": number + 1},
        )
    store.seal(con, path)
    return path


def a_study(**changes):
    return Study.model_validate(
        {
            "id": "s",
            "title": "S",
            "area": ["KS"],
            "themes": {
                "grid": {"sources": [], "layers": {"pop": [], "plant": []}},
                "population": {"sources": [], "layers": {"place": []}},
            },
            "headroom_method": "import_estimate",
            "workloads": [],
        }
        | changes
    )


@pytest.fixture
def layers(tmp_path):
    themes = {
        "grid": theme_file(tmp_path / "g.duckdb", "grid", ["pop", "plant", "place"], rejected=2),
        "population": theme_file(tmp_path / "p.duckdb", "population", ["place"], rows=3),
    }
    target = tmp_path / "layers.duckdb"
    sources = [{"source_id": "s", "title": "S", "is_synthetic": True, "bytes": 7}]
    build.assemble(target, a_study(), themes, sources)
    return target


def test_every_layer_is_there_and_filled_from_its_theme(layers):
    with store.open_build(layers) as con:
        for layer in build.layer_names():
            count = con.execute(f"select count(*) from core.{layer}").fetchone()[0]
            assert count == (3 if layer == "place" else 0), layer
        schemas = con.execute("select schema_name from duckdb_schemas() where not internal")
        assert {name for (name,) in schemas.fetchall()} - {"main"} == {"core", "mart", "meta"}


def test_what_the_themes_read_and_rejected_is_carried(layers):
    with store.open_build(layers) as con:
        assert len(con.execute("from meta.rejected_row").fetchall()) == 2
        assert len(con.execute("from meta.source_load").fetchall()) == 2
        assert con.execute("select title, is_synthetic, sha256 from meta.source").fetchall() == [
            ("S", True, None)
        ]
        assert store.query_file(con, "checks/rows_accounted").fetchall() == []
        assert store.query_file(con, "checks/rejects_kept").fetchall() == []


def test_layers_that_a_study_fills_are_counted_even_when_they_are_empty(layers):
    with store.open_build(layers) as con:
        counted = con.execute("from meta.layer_source order by layer").fetchall()
        assert counted == [("place", "s", 3), ("plant", None, 0), ("pop", None, 0)]
        empty = store.query_file(con, "checks/layer_not_empty").fetchall()
        assert sorted(empty) == [("plant", None), ("pop", None)]


def test_a_build_that_breaks_leaves_nothing_and_keeps_what_was_there(tmp_path, layers):
    before = layers.read_bytes()
    broken = {"grid": tmp_path / "none.duckdb"}
    with pytest.raises(duckdb.Error):
        build.assemble(layers, a_study(), broken, [])
    assert layers.read_bytes() == before


def test_equal_layers_are_equal_bytes_of_tables(tmp_path, layers):
    again = tmp_path / "again.duckdb"
    themes = {"grid": tmp_path / "g.duckdb", "population": tmp_path / "p.duckdb"}
    build.assemble(again, a_study(), themes, [{"source_id": "s"}])
    with store.open_build(layers) as one, store.open_build(again) as two:
        for layer in build.layer_names():
            text = f"from core.{layer}"
            assert one.execute(text).fetchall() == two.execute(text).fetchall()


def test_a_layer_comes_back_as_a_frame_with_its_shapes():
    with store.create() as con:
        store.run_file(con, "meta/schema")
        for layer in ("county", "pop"):
            build.load_layer(con, layer, [])
        con.execute(
            "insert into core.county (county_id, geometry) values "
            "('2', 'POLYGON ((0 0, 1 0, 1 1, 0 0))'::geometry('OGC:CRS84')), ('1', null)"
        )
        county, pop = build.layer_frame(con, "county"), build.layer_frame(con, "pop")
    assert isinstance(county, gpd.GeoDataFrame)
    assert county.crs == "OGC:CRS84"
    assert county.geometry[0].area == 0.5
    assert county.geometry[1] is None
    assert isinstance(pop, pd.DataFrame)
    assert not isinstance(pop, gpd.GeoDataFrame)
    assert pop["lon"].dtype == float


def test_rows_go_in_by_name_and_what_is_not_given_is_null():
    with store.create() as con:
        con.execute("create table t (a integer, b varchar[], c timestamptz, d boolean)")
        build.insert_rows(con, "t", [{"d": True, "b": ["x", "y"], "other": 1}, {"a": 3}])
        build.insert_rows(con, "t", [])
        assert con.execute("from t").fetchall() == [
            (None, ["x", "y"], None, True), (3, None, None, None),
        ]  # fmt: skip


def test_value_functions_become_pieces_that_meet(tmp_path):
    profile = world.profile([("acres", 1, [[10, 0.2], [20, 1], [30, 0.5]])])
    con = world.make(tmp_path, [{"parcel_id": "p"}], [profile])
    pieces = con.execute(
        "select from_x, to_x, from_value, slope from meta.value_segment order by from_x"
    ).fetchall()
    assert [piece[0] for piece in pieces[1:]] == [piece[1] for piece in pieces[:-1]] == [10, 20, 30]
    for (from_x, to_x, value, slope), (_, _, then, _) in pairwise(pieces[1:]):
        assert value + slope * (to_x - from_x) == pytest.approx(then)
    assert pieces[0][2:] == (0.2, 0)
    assert pieces[-1][2:] == (0.5, 0)


def test_profiles_are_stored_as_they_are_said(tmp_path):
    profile = world.profile(
        [("acres", 0.5, [[0, 0], [1, 1]]), ("pop_mi", 0.5, [[0, 1], [1, 0]])],
        [("acres", "at_least", 5), ("metro_mi", "at_most", 100)],
        target_mw=300,
    )
    con = world.make(tmp_path, [{"parcel_id": "p"}], [profile], without={"pop_mi": "not here"})
    assert con.execute(
        "select workload, target_mw, capacity_metric from meta.workload"
    ).fetchall() == [("training", 300, "headroom_mw_mid")]
    gates = con.execute("select metric, at_least, at_most, is_removed from meta.gate").fetchall()
    assert gates == [("acres", 5, None, False), ("metro_mi", None, 100, False)]
    assert con.execute("select metric, weight from meta.factor order by 1").fetchall() == [
        ("acres", 1), ("pop_mi", 0),
    ]  # fmt: skip
    assert len(con.execute("from meta.metric").fetchall()) == len(METRICS)
    assert build.removed_lines(con) == ["training: pop_mi (factor of weight 0.5): not here"]


def test_a_gate_that_is_also_a_factor_is_removed_once(tmp_path):
    profile = world.profile(
        [("acres", 0.5, [[0, 0], [1, 1]]), ("pop_mi", 0.5, [[0, 1], [1, 0]])],
        [("acres", "at_least", 5)],
    )
    con = world.make(tmp_path, [{"parcel_id": "p"}], [profile], without={"acres": "not here"})
    assert build.removed_lines(con) == ["training: acres (factor and gate of weight 0.5): not here"]


def test_a_build_forgets_its_run_and_keeps_the_rest(tmp_path):
    profile = world.profile([("acres", 1, [[0, 0], [1, 1]])])
    con = world.make(tmp_path, [{"parcel_id": "p", "acres": 1.0}], [profile])
    build.run_checks(con)
    build.forget_run(con)
    assert con.execute("select (select count(*) from meta.run), (select count(*) from meta.check_result), "
                       "(select count(*) from mart.parcel_score)").fetchone() == (0, 0, 1)  # fmt: skip


@pytest.mark.parametrize(("people", "major"), [(1_000_000, ["b"]), (500_000, ["a", "b"])])
def test_a_metro_is_major_from_the_people_on_that_profiles_ask_for(people, major):
    with store.create() as con:
        store.run_file(con, "meta/schema")
        build.load_layer(con, "metro", [])
        rows = [
            {"metro_id": name, "metro_people": count, "is_major": count >= 1_000_000}
            for name, count in (("a", 500_000), ("b", 1_000_000), ("c", 499_999))
        ]
        build.insert_rows(con, "core.metro", rows)
        store.run_file(con, "meta/major_metro", {"people": people})
        told = con.execute("select metro_id from core.metro where is_major order by all").fetchall()
        assert [name for (name,) in told] == major
