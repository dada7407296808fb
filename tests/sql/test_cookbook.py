"""The SQL cookbook: every query runs on any build, and on the default study gives the answer that is printed."""

import os
from pathlib import Path

import duckdb
import pytest

from data.workload import load_workload, workload_names
from tests.sql import cookbook, world

QUESTIONS = cookbook.questions()
each_question = pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: f"{q.number}")
# A build of the default study, where there is one.
BUILD = Path(os.environ.get("GRIDSTEAD_BUILD", cookbook.ROOT / "var" / "gridstead.duckdb"))
DEFAULT = "open-conus"


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    parcels = [
        {"parcel_id": f"p{n}", "headroom_mw_mid": 100.0 * n, "headroom_mw_low": 100.0 * n,
         "headroom_substation_id": "s", "substation_138kv_mi": 30.0 if n == 1 else 3.0, "substation_345kv_mi": 3.0,
         "industrial_usd_per_mwh": 50.0 + n, "people_10ms_mid": 1e6, "acres": 500.0, "deliverable_mw": 100.0 * n, "tie_line_kv": 138.0, "tie_line_mi": 7.0 - n, "headroom_substation_mi": 7.0 - n, "contiguous_acres": 500.0, "major_metro_mi": 10.0}
        for n in range(7)
    ]  # fmt: skip
    profiles = [load_workload(name) for name in workload_names()]
    con = world.make(tmp_path_factory.mktemp("cookbook"), parcels, profiles)
    yield con
    con.close()


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch):
    """Paths of the queries begin where the README says they do."""
    monkeypatch.chdir(cookbook.ROOT)


@pytest.fixture(scope="module")
def build():
    """The default study's build, opened as the cookbook says."""
    if not BUILD.is_file():
        pytest.skip(f"{BUILD} is not here; GRIDSTEAD_BUILD names a build of {DEFAULT}")
    with duckdb.connect(str(BUILD), read_only=True) as con:
        ((study,),) = con.execute("select study from meta.run").fetchall()
        if study != DEFAULT:
            pytest.skip(f"{BUILD} is of {study}; GRIDSTEAD_BUILD names a build of {DEFAULT}")
        yield con


def test_there_are_ten_questions_with_their_answers():
    assert [question.number for question in QUESTIONS] == list(range(1, 11))
    for question in QUESTIONS:
        assert question.title.endswith("?")
        assert question.answer.startswith("| ") or question.answer == cookbook.NOTHING, question


@each_question
def test_each_query_runs(con, question):
    answer = cookbook.ask(con, question.query)
    heads = question.answer.splitlines()[0]
    assert cookbook.NOTHING in {answer, question.answer} or answer.splitlines()[0] == heads


@pytest.mark.slow
@each_question
def test_each_answer_is_that_of_the_default_study(build, question):
    assert cookbook.ask(build, question.query) == question.answer


def ask(con, number):
    return con.sql(QUESTIONS[number - 1].query).fetchall()


def test_the_cheapest_have_the_megawatts_for_sure(con):
    """Of p3 to p6 only; one county, so its cheapest one."""
    (row,) = ask(con, 2)
    assert row[1] in {"p3", "p4", "p5", "p6"}
    prices = con.sql(
        "select parcel_id, total from mart.delivered_cost('training', mw := 300) where bound = 'mid'"
    ).fetchall()
    fit = {parcel: total for parcel, total in prices if parcel in {"p3", "p4", "p5", "p6"}}
    assert row[1] == min(fit, key=fit.get)


def test_what_gates_turn_away_is_counted_parcel_by_parcel(con):
    """Headroom of 200 MW is wanted: p0 and p1 lack it; p1 lacks 138 kV nearby as well, so p0 alone is turned away by it alone."""
    found = {row[:2]: row[2:] for row in ask(con, 9)}
    assert found["training", "headroom_mw_mid"] == (2, 1)
    assert found["training", "substation_138kv_mi"] == (1, 0)


def test_what_moved_is_told_of_the_newest_two_runs(con):
    con.execute("begin")
    con.execute(
        """
        insert into mart.rank_history by name
        select run_id, now()::timestamp as started_at, 's' as study, 'training' as workload, 'county' as region_kind,
            region_id, region_id as region_name, rank, 100.0 - rank as score
        from (values
            ('1', 'a', 9), ('2', 'a', 1), ('2', 'b', 2), ('2', 'c', 300), ('3', 'a', 2), ('3', 'b', 1), ('3', 'c', 200)
        ) as past (run_id, region_id, rank)
        """
    )
    try:
        assert sorted(ask(con, 7)) == [("training", "a", 1, 2, -1.0), ("training", "b", 2, 1, 1.0)]
    finally:
        con.execute("rollback")


def test_own_sites_meet_the_nearest_parcel(con, tmp_path, monkeypatch):
    """Two made parcels beside each other: the nearer one, and its miles, as on a sphere."""
    folder = tmp_path / "tests" / "flows"
    folder.mkdir(parents=True)
    lon, lat = world.POINT
    (folder / "own_sites.csv").write_text(
        f"name,lat,lon\nhere,{lat},{lon}\nnorth,{lat + 0.1},{lon}\nfar,10,10\n"
    )
    monkeypatch.chdir(tmp_path)
    found = {row[0]: row for row in ask(con, 10)}
    assert set(found) == {"here", "north"}
    assert found["here"][3] == 0
    assert found["north"][3] == pytest.approx(0.1 * 69.1, abs=0.06)
