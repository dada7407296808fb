import duckdb
import pytest
import yaml

from data import stage, store
from data.catalogue import load_catalogue
from data.errors import BuildError, CheckError, ReadError, StudyError
from data.stage import LayerLoad, stage_theme
from data.study import Theme

SUB = """sub_id,name,interconnect_sub_id,lat,lon,interconnect
1,Salina,1,38.84,-97.61,Eastern
2,No Bus,2,38.9,-97.7,Eastern
3,Alaska,3,61.2,-149.9,Eastern
4,Typo,4,425.25,-97.6,Eastern
5,"Blank, Here",5,,-97.6,Eastern
6,Wichita,6,37.69,-97.34,Eastern
"""
BUS = """bus_id,type,Pd,baseKV,zone_id,interconnect
11,1,100.5,345,53,Eastern
12,1,,69,53,Eastern
13,1,1,138,53,Eastern
14,1,1,138,53,Eastern
15,1,1,138,53,Eastern
16,1,"1,250.5",230,53,Eastern
"""
BUS2SUB = """bus_id,sub_id,interconnect
11,1,Eastern
12,1,Eastern
13,3,Eastern
14,4,Eastern
15,5,Eastern
16,6,Eastern
"""


def source(name, **table):
    return {
        "id": name, "title": name, "theme": "grid", "access": {"kind": "file", "path": f"{name}.csv"},
        "licence": "MIT", "data_terms": "none", "attribution": "none", "as_of": 2020,
        "is_exportable": True,
        "tables": {name: {"reader": "csv", **table}},
    }  # fmt: skip


@pytest.fixture
def world(tmp_path):
    files = {"tamu_sub": SUB, "tamu_bus": BUS, "tamu_bus2sub": BUS2SUB}
    entries = [
        source(name, required=text.splitlines()[0].split(",")[:2]) for name, text in files.items()
    ]
    (tmp_path / "sources.yaml").write_text(yaml.safe_dump({"sources": entries}))
    catalogue = load_catalogue(tmp_path / "sources.yaml")
    paths = {name: tmp_path / f"{name}.csv" for name in files}
    for name, text in files.items():
        paths[name].write_text(text)
    return catalogue, paths


def theme(**changes):
    return Theme.model_validate(
        {
            "sources": ["tamu_sub", "tamu_bus", "tamu_bus2sub"],
            "layers": {"substation": ["tamu_substation"], "facility": []},
            "lookups": {"tamu_bus": "substation", "tamu_bus2sub": "substation"},
        }
        | changes
    )


def staged(world, tmp_path, **changes):
    catalogue, paths = world
    target = tmp_path / "staged.duckdb"
    loads = stage_theme("grid", theme(**changes), catalogue, paths, target)
    return target, loads


def test_rows_are_loaded_typed_and_in_order(world, tmp_path):
    target, _ = staged(world, tmp_path)
    with store.open_build(target) as con:
        found = con.execute(
            "select substation_id, kv_max, kv_min, load_mw, lon, lat from core.substation"
        ).fetchall()
    assert found == [
        ("tamu-1", 345, 69, 100.5, -97.61, 38.84),
        # Numbers may carry commas.
        ("tamu-6", 230, 230, 1250.5, -97.34, 37.69),
    ]


def test_every_row_is_loaded_merged_or_rejected(world, tmp_path):
    _, loads = staged(world, tmp_path)
    assert loads == [
        LayerLoad("tamu_bus", "tamu_bus", "substation", 6, 6, 6, 0),
        LayerLoad("tamu_bus2sub", "tamu_bus2sub", "substation", 6, 6, 6, 0),
        LayerLoad("tamu_sub", "tamu_sub", "substation", 6, 2, 0, 4),
    ]
    assert all(load.rows_read == load.rows_loaded + load.rows_rejected for load in loads)


def test_rejects_say_file_row_and_reason(world, tmp_path):
    target, _ = staged(world, tmp_path)
    with store.open_build(target) as con:
        found = con.execute("from meta.rejected_row").fetchall()
    where = ("tamu_sub", "tamu_sub", "tamu_sub.csv")
    assert found == [
        (*where, 2, "invalid", "has no bus"),
        (*where, 3, "outside_area", "lies outside the 48 states (-149.9, 61.2)"),
        (*where, 4, "invalid", "latitude 425.25 is outside -90 to 90"),
        (*where, 5, "invalid", "has no coordinates"),
    ]


def test_a_layer_without_a_source_is_an_empty_typed_table(world, tmp_path):
    target, _ = staged(world, tmp_path)
    with store.open_build(target) as con:
        table = con.table("core.facility")
        assert dict(zip(table.columns, map(str, table.types), strict=True))["lon"] == "DOUBLE"
        assert table.fetchall() == []
        comment = "select comment from duckdb_tables() where table_name = 'facility'"
        assert con.execute(comment).fetchone()[0]


def test_a_file_with_a_header_only_gives_an_empty_layer_and_offends_a_check(world, tmp_path):
    _, paths = world
    paths["tamu_sub"].write_text(SUB.splitlines()[0] + "\n")
    target, loads = staged(world, tmp_path)
    assert {load.raw_table for load in loads} == {"tamu_bus", "tamu_bus2sub"}
    with store.open_build(target) as con:
        assert con.execute("from core.substation").fetchall() == []
        unused = store.query_file(con, "checks/raw_table_used").fetchall()
    assert unused == [("tamu_sub", "tamu_sub")]


def test_reference_tables_are_read_as_text_with_row_numbers(world, tmp_path):
    target, _ = staged(world, tmp_path)
    with store.open_build(target) as con:
        for path in sorted(stage.REFERENCE_DIR.glob("*.csv")):
            table = con.table(f"raw.ref_{path.stem}")
            types = dict(zip(table.columns, map(str, table.types), strict=True))
            assert types.pop("raw_row") == "BIGINT", path
            assert set(types.values()) == {"VARCHAR"}, path
            assert list(types) == path.read_text(encoding="utf-8").splitlines()[0].split(","), path
        fips = con.execute("select state_fips from raw.ref_state where state = 'AL'").fetchone()
    assert fips == ("01",)


def test_a_key_given_twice_or_not_at_all_goes_to_quarantine(world, tmp_path):
    _, paths = world
    paths["tamu_sub"].write_text(SUB + "1,Again,1,38.84,-97.61,Eastern\n")
    target, loads = staged(world, tmp_path)
    with store.open_build(target) as con:
        names = con.execute("select substation_id, substation_name from core.substation").fetchall()
        refused = con.execute(
            "select raw_row, reject_code, reason from meta.rejected_row where raw_row = 7"
        ).fetchall()
    # The first of the two stays.
    assert names == [("tamu-1", "Salina"), ("tamu-6", "Wichita")]
    assert refused == [(7, "duplicate", "repeats substation_id tamu-1")]
    assert loads[-1] == LayerLoad("tamu_sub", "tamu_sub", "substation", 7, 2, 0, 5)


def test_a_file_that_cannot_be_read_leaves_no_database(world, tmp_path):
    _, paths = world
    paths["tamu_sub"].write_text("other,columns\n1,2\n")
    with pytest.raises(ReadError, match="tamu_sub"):
        staged(world, tmp_path)
    assert not (tmp_path / "staged.duckdb").exists()


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ({"substation": ["tamu_substaton"]}, "names 'tamu_substaton', but there is no sql/staging"),
        ({"substations": ["tamu_substation"]}, "names 'substations', but there is no sql/core"),
    ],
)
def test_a_study_that_names_what_there_is_not_is_refused(world, tmp_path, layers, said):
    with pytest.raises(StudyError, match="The study names") as raised:
        staged(world, tmp_path, layers=layers)
    assert said in raised.value.message
    assert raised.value.hint.startswith("Known: ")
    assert not (tmp_path / "staged.duckdb").exists()


def test_each_layer_is_said_as_it_is_staged(world, tmp_path):
    catalogue, paths = world
    lines = []
    stage_theme("grid", theme(), catalogue, paths, tmp_path / "x.duckdb", log=lines.append)
    assert lines[0] == "staged substation from tamu_substation"


@pytest.mark.parametrize(
    ("lon", "lat", "code"),
    [
        (-98, 39, None), (-126.5, 23.5, None), (-65.5, 50.5, None), (-126.51, 39, "outside_area"),
        (-98, 23.49, "outside_area"), (None, 39, "invalid"), (-98, None, "invalid"),
        (float("nan"), 39, "invalid"), (-98, 425.25, "invalid"), (-181, 39, "invalid"),
        (39, -98, "invalid"), (0, 0, "outside_area"), (float("inf"), 39, "invalid"),
    ],
)  # fmt: skip
def test_points_are_judged_by_the_macro(macros, lon, lat, code):
    text = "select staging.point_reject_code($lon::double, $lat::double), staging.point_reject_reason($lon::double, $lat::double)"
    found, reason = macros.execute(text, {"lon": lon, "lat": lat}).fetchone()
    assert found == code
    assert (reason is None) == (code is None)


@pytest.mark.parametrize(
    ("cell", "number"),
    [("1,234.5", 1234.5), (" 7 ", 7), ("", None), ("  ", None), ("n/a", None), ("0", 0),
     ("-1e3", -1000), (None, None)],
)  # fmt: skip
def test_numbers_are_read_by_the_macro(macros, cell, number):
    assert macros.execute("select staging.number($cell)", {"cell": cell}).fetchone() == (number,)


@pytest.fixture(scope="module")
def macros():
    con = store.create()
    for name in ("schema", "staging_macros"):
        store.run_file(con, f"meta/{name}")
    yield con
    con.close()


def test_staged_files_are_read_only_by_readers(world, tmp_path):
    target, _ = staged(world, tmp_path)
    with store.open_build(target) as con, pytest.raises(duckdb.Error):
        con.execute("delete from core.substation")


@pytest.fixture
def expecting(world, tmp_path):
    """The same, with two expectations of the substations, and a limit."""
    _, paths = world
    content = yaml.safe_load((tmp_path / "sources.yaml").read_text())
    content["sources"][0]["tables"]["tamu_sub"]["expect"] = [
        {"column": "interconnect", "has": ["Eastern", "Texas"], "severity": "warn"},
        {"column": "lat", "between": [17, 72], "share": 0.7},
        {"fell_by_at_most": 0.1},
    ]
    (tmp_path / "sources.yaml").write_text(yaml.safe_dump(content))
    return load_catalogue(tmp_path / "sources.yaml"), paths


def test_what_a_table_holds_and_whether_it_is_as_expected_is_kept(expecting, tmp_path):
    target, _ = staged(expecting, tmp_path)
    with store.open_build(target) as con:
        checks = con.execute(
            "select check_name, severity, offending_count, examples from meta.source_check order by all"
        ).fetchall()
        columns = con.execute(
            "select column_name, column_kind, number_share from meta.raw_column where raw_table = 'tamu_sub'"
        ).fetchall()
        limits = con.execute("from meta.source_limit").fetchall()
        read = con.execute("select distinct source_id from meta.raw_column").fetchall()
    assert checks == [
        ("tamu_sub.interconnect has", "warn", 1, ["Texas"]),
        # One of five is 425.25.
        ("tamu_sub.lat between", "error", 0, []),
    ]
    assert columns == [
        ("sub_id", "text", 1), ("name", "text", 0), ("interconnect_sub_id", "text", 1),
        ("lat", "text", 1), ("lon", "text", 1), ("interconnect", "text", 0),
    ]  # fmt: skip
    assert limits == [("tamu_sub", "tamu_sub", "fell_by_at_most", 0.1, "error")]
    assert sorted(read) == [("tamu_bus",), ("tamu_bus2sub",), ("tamu_sub",)]


def test_rows_that_cannot_be_staged_are_told_by_what_was_expected_of_them(expecting, tmp_path):
    _, paths = expecting
    paths["tamu_sub"].write_text(SUB.replace("lat", "latitude", 1))
    with pytest.raises(CheckError) as raised:
        staged(expecting, tmp_path)
    assert raised.value.message == (
        "Check tamu_sub.lat between found 1 row against 'table tamu_sub of source tamu_sub: column lat lies "
        "between 17 and 72 in 70.0% of the known rows': there is no such column."
    )
    assert not (tmp_path / "staged.duckdb").exists()


def test_rows_that_cannot_be_staged_though_as_expected_are_told_by_the_sql(world, tmp_path):
    _, paths = world
    paths["tamu_sub"].write_text(SUB.replace("lat", "latitude", 1))
    with pytest.raises(BuildError, match=r"sql/staging/tamu_substation\.sql failed"):
        staged(world, tmp_path)
