"""Questions to a published build: top, sql, sources, runs."""

import json
import shutil

import pytest

from tests.flows import tiny


@pytest.fixture
def ask(gridstead, base):
    return lambda *words: gridstead(*words, "--home", base.home)


@pytest.mark.parametrize("workload", ["training", "inference"])
@pytest.mark.parametrize("level", ["county", "metro", "state", "zone", "parcel"])
def test_top_lists_what_is_ranked_in_order(ask, base, workload, level):
    answer = ask("top", workload, "--level", level, "-n", "3", "--json")
    assert answer.code == 0
    ranks = [row["rank"] for row in answer.json]
    assert ranks == list(range(1, len(ranks) + 1))
    assert len(ranks) <= 3
    scores = [row["score_low"] for row in answer.json]
    assert scores == sorted(scores, reverse=True)
    shown = ask("top", workload, "--level", level)
    assert shown.code == 0
    assert "the grid is synthetic" in shown.out


def test_top_of_counties_names_them(ask):
    answer = ask("top", "training")
    assert "Loudoun County" in answer.out
    assert {row["region_id"] for row in ask("top", "training", "--json").json} <= set(tiny.COUNTIES)


def test_sql_answers_from_every_schema(ask):
    answer = ask("sql", "select count(*) as n from training_parcels", "--json")
    assert answer.json[0]["n"] > 40
    for table in ("core.parcel", "meta.run", "mart.region_rank", "training_regions", "meta.column"):
        assert ask("sql", f"from {table} limit 2").code == 0
    shown = ask(
        "sql", "select 1 as a, 2 as a, geometry from training_parcels limit 1", "--json"
    ).json[0]
    assert list(shown) == ["a", "a_2", "geometry"]
    assert shown["geometry"].startswith(("POLYGON", "MULTIPOLYGON"))
    assert "No rows." in ask("sql", "from training_regions where false").out


def test_sql_prints_values_of_every_type_as_json(ask):
    query = (
        "select date '2024-02-29' as d, timestamptz '2024-02-29 12:00+00' as t, 1.5::decimal(9, 2) as dec, "
        "interval 1 day as i, [1, null] as l, {'a': 1} as s, map {'k': 2.5} as m, null as n, "
        "uuid '00000000-0000-0000-0000-000000000001' as u, 'x'::blob as b, 2::hugeint ** 70 as h"
    )
    row = ask("sql", query, "--json").json[0]
    assert (row["d"], row["dec"], row["l"], row["m"], row["n"]) == (
        "2024-02-29",
        1.5,
        [1, None],
        {"k": 2.5},
        None,
    )
    assert ask("sql", query).code == 0


def test_sql_numbers_that_json_has_not_are_null(ask):
    answer = ask("sql", "select 'nan'::double as nan, 'inf'::double as inf", "--json")
    assert json.loads(
        answer.out, parse_constant=lambda word: pytest.fail(f"{word} is no JSON")
    ) == [{"nan": None, "inf": None}]


def test_sql_stops_at_the_limit_and_says_so(ask):
    answer = ask("sql", "select range as n from range(30)", "--limit", "10")
    assert "Only the first 10 rows are shown" in answer.out
    assert len(ask("sql", "select range as n from range(30)", "--limit", "10", "--json").json) == 10


def test_sql_from_standard_input(ask, monkeypatch):
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("select 7 as seven"))
    assert ask("sql", "-", "--json").json == [{"seven": 7}]


@pytest.mark.parametrize(
    "query",
    [
        "create table core.mine (a int)",
        "insert into meta.run (run_id) values ('x')",
        "update meta.run set study = 'x'",
        "delete from meta.run",
        "drop table core.parcel",
        "attach ':memory:' as other",
        "attach '{file}' as other",
        "copy (select 1) to '{file}'",
        "copy meta.run from '{file}'",
        "export database '{file}'",
        "import database '{file}'",
        "from read_csv('{file}')",
        "from read_text('{file}')",
        "from read_blob('/etc/hostname')",
        "from '{file}'",
        "from glob('/etc/*')",
        "from parquet_metadata('{file}')",
        "install spatial",
        "load spatial",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "set memory_limit = '1GB'",
        "pragma enable_external_access = true",
        "reset lock_configuration",
        "from columns",
        "from query",
        "select 1; select 2",
        "select 1; drop table core.parcel",
        "",
        ";",
        "select",
        "from no_such_table",
        "select * from training_parcels where",
    ],
)
def test_sql_only_reads_the_build(ask, tmp_path, base, query):
    file = tmp_path / "other.csv"
    file.write_text("a\n1\n")
    before = base.build.stat().st_mtime_ns
    answer = ask("sql", query.format(file=file))
    assert answer.code == 2, answer.out
    assert answer.err.startswith("Error:")
    assert len(answer.err.splitlines()) <= 2
    assert [path.name for path in tmp_path.iterdir()] == ["other.csv"]
    assert base.build.stat().st_mtime_ns == before


def test_sources_are_listed_with_their_terms(gridstead, base, tmp_path):
    listed = gridstead("sources", base.study, "--home", base.home, "--json").json
    assert {row["source_id"] for row in listed} == {
        "tamu_grid", "census_boundary_2016", "geonames_place", "topohub_backbone", "gshhs_lake",
    }  # fmt: skip
    assert all(row["data_terms"] and row["as_of"] for row in listed)
    assert all(row["is_cached"] for row in listed)
    ours = gridstead("sources", "--home", tmp_path, "--json").json
    assert not any(row["is_cached"] for row in ours)
    assert "terms of the data" in gridstead("sources", "--study", "conus", "--home", tmp_path).out


def test_runs_are_listed_newest_first(gridstead, world, run):
    assert run().code == 0
    listed = gridstead("runs", "--home", world.home, "--json").json
    assert [row["is_published"] for row in listed] == [True, False]
    assert listed[0]["run_id"] > listed[1]["run_id"]
    (world.home / "builds" / "00000000T000000-1.duckdb").write_bytes(b"broken")
    listed = gridstead("runs", "--home", world.home, "--json").json
    assert listed[-1]["note"] == "cannot be opened"
    assert "cannot be opened" in gridstead("runs", "--home", world.home).out


def test_no_build_yet(gridstead, tmp_path):
    assert "No run yet" in gridstead("runs", "--home", tmp_path / "new").out
    assert gridstead("runs", "--home", tmp_path / "new", "--json").json == []
    for words in (
        ["top", "training"],
        ["explain", "1,2"],
        ["sql", "select 1"],
        ["export", "training", "csv"],
    ):
        answer = gridstead(*words, "--home", tmp_path / "new")
        assert (answer.code, "There is no build at" in answer.err) == (1, True)
    assert not (tmp_path / "new").exists()


def test_a_build_that_is_damaged(gridstead, base, tmp_path):
    (tmp_path / "gridstead.duckdb").write_bytes(b"\0" * 5000)
    answer = gridstead("top", "training", "--home", tmp_path)
    assert (answer.code, "cannot be opened" in answer.err) == (1, True)
    whole = base.build.read_bytes()
    (tmp_path / "gridstead.duckdb").write_bytes(whole[: len(whole) // 2])
    answer = gridstead("top", "training", "--home", tmp_path)
    assert answer.code == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["top", "cooking"], "The build ranks no workload 'cooking'."),
        (["top", "training", "--level", "planet"], "planet"),
        (["top", "training", "-n", "0"], "-n 0 asks for no rows."),
        (["top", "training", "-n", "many"], "many"),
        (["top"], "WORKLOAD"),
        (["sql", "select 1", "--limit", "0"], "--limit 0"),
        (["dig"], "dig"),
        (["top", "training", "--colour"], "--colour"),
    ],
)
def test_wrong_words_are_told_in_one_sentence(ask, words, said):
    answer = ask(*words)
    assert answer.code == 2
    assert said.lower() in answer.err.lower()
    assert len(answer.err.splitlines()) <= 2


def test_errors_are_json_too_where_asked(ask):
    answer = ask("top", "cooking", "--json")
    assert answer.code == 2
    assert answer.out == ""
    assert set(json.loads(answer.err)) == {"error", "hint"}


def test_home_from_the_environment(gridstead, base, monkeypatch):
    monkeypatch.setenv("GRIDSTEAD_HOME", str(base.home))
    assert gridstead("top", "training", "--json").code == 0


def test_a_moved_home_still_answers(gridstead, base, tmp_path):
    shutil.copyfile(base.build, tmp_path / "gridstead.duckdb")
    assert gridstead("top", "training", "--home", tmp_path).code == 0
