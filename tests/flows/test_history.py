"""The history: what runs leave, what they share, what is kept, and what a killed run lacks."""

import shutil
import time

import pyarrow.parquet as pq
import pytest

from data import store
from flows import history, history_parts
from flows.home import Home
from tests.flows import history_world as small
from tests.flows.conftest import rows

VALUES = {
    "headroom_mw_mid": [400.0, 800.0],
    "industrial_usd_per_mwh": [80.0, 60.0],
    "pop_mi": [10.0, 20.0],
}
PLANS = {"A": [(0, 300_000)], "B": [(1, 300_000)]}


def log(_line):
    """Say nothing."""


@pytest.fixture
def home(tmp_path):
    return Home.at(tmp_path / "home").make()


def parts_on_disk(home):
    return {path.name for path in (history.folder_of(home) / history_parts.FOLDER).iterdir()}


def test_runs_share_the_parts_that_are_alike(home):
    small.put(home, small.world("1", VALUES, PLANS))
    first = parts_on_disk(home)
    small.put(home, small.world("2", VALUES | {"pop_mi": [10.0, 5.0]}, PLANS))
    # The metric, and the ranks of parcels and of regions that it moved.
    assert len(parts_on_disk(home) - first) == 3
    one, two = (history.read(home, run_id).parts for run_id in ("1", "2"))
    assert one["metric.pop_mi"] != two["metric.pop_mi"]
    assert one["metric.headroom_mw_mid"] == two["metric.headroom_mw_mid"]


def test_pruning_keeps_the_last_runs_what_they_equal_and_two_that_differ(home):
    made = {run_id: small.world(run_id, VALUES | {"pop_mi": [float(run_id), 9.0]}, PLANS)
            for run_id in ("1", "2", "3")}  # fmt: skip
    for each in made.values():
        small.put(home, each)
    for run_id in ("4", "5", "6"):
        small.put_same(home, run_id, "3", made["3"])
    gone = history.read(home, "1").parts["metric.pop_mi"]
    assert gone in parts_on_disk(home)
    freed = history.prune(home, 2)
    assert history.run_ids(home) == ["2", "3", "5", "6"]
    assert history.read(home, "6").run_id == "3"
    assert gone not in parts_on_disk(home)
    assert freed > 0
    for run_id in ("2", "3"):
        entry = history.read(home, run_id)
        assert all(entry.path(role).is_file() for role in entry.parts)
    assert history.prune(home, 2) == 0


def test_a_file_that_cannot_be_read_is_said_in_a_sentence_and_passed_over(home):
    for run_id in ("1", "2"):
        small.put(home, small.world(run_id, VALUES, PLANS))
    (history.folder_of(home) / f"1{history.RUN}").write_bytes(b"half a fi")
    with pytest.raises(store.BuildError, match="The history of run 1 cannot be read"):
        history.read(home, "1")
    kind = history.read(home, "2").row
    assert [entry.run_id for entry in history.like(home, kind)] == ["2"]


def test_what_goes_wrong_with_the_history_is_no_error_of_the_run(home):
    said = []
    (home.builds / "1.duckdb").write_bytes(b"no database" * 500)
    history.keep(home, said.append)
    assert said[0].startswith("history: 1.duckdb was left out: ")
    history.folder_of(home).joinpath(history_parts.FOLDER).rmdir()
    history.folder_of(home).joinpath(history_parts.FOLDER).write_text("in the way")
    history.keep(home, said.append)
    assert "history: not kept: " in said[-1]


@pytest.mark.slow
def test_a_run_leaves_ranks_values_and_what_it_was_made_from(world, run, base):
    home = Home.at(world.home)
    (run_id,) = rows(base.build, "select run_id from meta.run")[0]
    assert history.run_ids(home) == [run_id]
    entry = history.read(home, run_id)
    told = dict(rows(base.build, "select source_id, sha256 from meta.source"))
    assert {row["source_id"]: row["sha256"] for row in entry.row["sources"]} == told
    ranks = pq.read_table(entry.path("ranks.training")).to_pylist()
    assert [(row["parcel_no"], row["rank"], row["score_units"] / 1e9) for row in ranks] == rows(
        base.build, "select parcel_no, rank, score from mart.parcel_score "
        "where workload = 'training' and rank is not null order by rank")  # fmt: skip
    values = pq.read_table(entry.path("metric.major_metro_mi")).column("value").to_pylist()
    assert values == [value for (value,) in rows(
        base.build, "select major_metro_mi from core.parcel_metric join core.parcel using (parcel_id) "
        "order by parcel_no")]  # fmt: skip
    before = parts_on_disk(home)
    assert run().code == 0
    # An equal run adds a row that says so, and no rank.
    assert len(history.run_ids(home)) == 2
    assert history.distinct_ids(home) == [run_id]
    assert parts_on_disk(home) == before
    assert history.read(home, history.run_ids(home)[-1]).run_id == run_id


@pytest.mark.slow
def test_a_gap_is_filled_from_the_builds_and_cheap_when_nothing_is_missing(world, run):
    home = Home.at(world.home)
    shutil.rmtree(history.folder_of(home))
    began = time.monotonic()
    history.keep(home, log)
    assert history.run_ids(home) == sorted(path.stem for path in home.builds.glob("*.duckdb"))
    filled = time.monotonic() - began
    began = time.monotonic()
    history.keep(home, log)
    assert time.monotonic() - began < max(0.05, filled / 4)


def test_ranks_of_a_build_are_those_of_its_own_run(base):
    """And a home's first build knows no other."""
    (run_id,) = rows(base.build, "select run_id from meta.run")[0]
    assert rows(base.build, "select distinct run_id, study from mart.rank_history") == [
        (run_id, "tiny")
    ]
    own = (
        "select workload, region_kind, region_id, rank, score from mart.rank_history "
        "where region_kind <> 'parcel' except all "
        "select workload, region_kind, region_id, rank, score from mart.region_rank"
    )
    assert rows(base.build, own) == []
    parcels = "select count(*) from mart.rank_history where region_kind = 'parcel' and rank <= 3"
    assert rows(base.build, parcels) == [(6,)]
