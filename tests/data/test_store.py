import duckdb
import pytest

from data import store
from data.errors import BuildError


@pytest.fixture
def built(tmp_path):
    path = tmp_path / "b.duckdb"
    con = store.create(path)
    con.execute("create table t as select 1 as x")
    store.seal(con, path)
    return path


def test_sql_files_are_found_by_folder_and_name():
    names = store.sql_names("mart")
    assert "mart/parcel_score" in names
    assert names == sorted(names)
    assert "create table mart.parcel_score" in store.sql_text("mart/parcel_score")
    assert all(
        store.sql_text(name)
        for folder in ("core", "checks", "query")
        for name in store.sql_names(folder)
    )


def test_a_build_is_written_for_older_clients(built):
    with duckdb.connect() as con:
        con.execute(f"attach '{built}' as b (read_only)")
        tags = con.execute(
            "select tags from duckdb_databases() where database_name = 'b'"
        ).fetchone()
    assert store.STORAGE_VERSION.removesuffix(".0") in str(tags)


def test_a_published_build_can_be_read_and_nothing_else(built, tmp_path):
    with store.open_build(built) as con:
        assert con.execute("select x from t").fetchall() == [(1,)]
        for text in (
            "insert into t values (2)",
            "create table u as select 1",
            "drop table t",
            f"copy t to '{tmp_path}/out.csv'",
            f"from read_csv('{__file__}')",
            f"attach '{tmp_path}/other.duckdb'",
            "set enable_external_access = true",
            "set lock_configuration = false",
        ):
            with pytest.raises(duckdb.Error):
                con.execute(text)


def test_a_build_that_is_missing_or_broken_is_said_in_a_sentence(tmp_path):
    with pytest.raises(BuildError, match="There is no build at") as raised:
        store.open_build(tmp_path / "none.duckdb")
    assert "gridstead run" in raised.value.hint
    broken = tmp_path / "broken.duckdb"
    broken.write_bytes(b"not a database, whatever its name says" * 200)
    with pytest.raises(BuildError, match="cannot be opened") as raised:
        store.open_build(broken)
    assert "\n" not in raised.value.message
    with pytest.raises(BuildError):
        store.open_build(tmp_path)


def test_a_failing_statement_names_its_file():
    with store.create() as con, pytest.raises(BuildError, match=r"sql/meta/forget_run\.sql failed"):
        store.run_file(con, "meta/forget_run")


def test_parameters_reach_the_statements_that_use_them():
    with store.create() as con:
        store.run_file(con, "meta/schema")
        store.run_file(con, "meta/raw_table")
        con.execute("insert into meta.raw_table values ('grid', 's', 't', 'f', 7)")
        store.run_file(con, "meta/lookup_load", {"raw_table": "t", "layer": "bus", "unused": 1})
        loads = store.query_file(con, "meta/loads").fetchall()
        assert loads == [("s", "t", "bus", 7, 7, 7, 0)]


def test_replacing_a_file_leaves_readers_what_they_opened(built, tmp_path):
    fresh = tmp_path / "fresh.duckdb"
    con = store.create(fresh)
    con.execute("create table t as select 2 as x")
    store.seal(con, fresh)
    with store.open_build(built) as reader:
        store.replace_atomically(fresh, built)
        assert reader.execute("select x from t").fetchall() == [(1,)]
    with store.open_build(built) as reader:
        assert reader.execute("select x from t").fetchall() == [(2,)]
    assert not fresh.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["b.duckdb"]


def test_sealing_leaves_no_log_beside_the_file(built):
    assert [path.name for path in built.parent.iterdir()] == [built.name]


def test_no_sql_is_built_from_strings_that_a_user_gives():
    with store.create() as con:
        store.set_variable(con, ["core.x'; drop table t; --"])
        assert con.execute("select getvariable('staged')").fetchone() == (
            ["core.x'; drop table t; --"],
        )
