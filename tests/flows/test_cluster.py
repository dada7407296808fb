"""Pieces done by workers: each once, whoever dies; what is done and whole is never done again."""

import json
import os
import signal
import sys
import threading
from contextlib import closing

import psutil
import pytest

from data.errors import ClusterError, MeasureError, PullError, UsageError
from data.place import Place
from flows import cluster as clusters
from flows import cluster_dask
from flows.cluster import cluster
from tests.bucket import bucket
from tests.flows import works
from tests.flows.scheduler import Scheduler
from tests.flows.works import Order, calls

NAMES = [str(number) for number in range(8)]
SQUARES = [number**2 for number in range(8)]


@pytest.fixture
def order(tmp_path):
    return Order(Place.at(tmp_path / "parts"))


@pytest.fixture
def said():
    return []


@pytest.fixture
def run(order, said):
    """Do pieces in this process."""

    def go(work=works.square, names=NAMES, **more):
        with cluster("here", said.append) as here:
            return here.run(work, order, names, "square", **more)

    return go


def squares(found):
    return [summary["square"] for summary in found.values()]


def test_every_piece_is_done_once_and_told_in_order(run, order, said):
    seen = []
    found = run(names=NAMES[::-1], seen=seen.append)
    assert list(found) == NAMES[::-1]
    assert squares(found) == SQUARES[::-1]
    assert [summary["square"] for summary in seen] == SQUARES[::-1]
    assert run() == {name: found[name] for name in NAMES}
    assert len(calls(order)) == len(NAMES)
    assert said == ["square: unchanged, reused"]


def test_a_run_that_was_stopped_goes_on(run, order):
    with pytest.raises(MeasureError, match="p3 could not be measured"):
        run(works.faulty)
    assert [name for name, _ in calls(order)] == ["0", "1", "2"]
    assert not order.place.has("metric-1/all.json")
    assert squares(run()) == SQUARES
    assert sorted(name for name, _ in calls(order)) == NAMES


@pytest.mark.parametrize("which", ["4.json", "4.parquet"])
@pytest.mark.parametrize("spoil", ["cut", "empty", "gone", "other"])
def test_what_is_half_written_is_not_taken_for_whole(run, order, spoil, which):
    run()
    order.place.path("metric-1/all.json").unlink()
    path = order.place.path(f"metric-1/{which}")
    content = path.read_bytes()
    spoil_file(path, spoil)
    assert squares(run()) == SQUARES
    assert sorted(name for name, _ in calls(order)) == sorted([*NAMES, "4"])
    assert path.read_bytes() == content


@pytest.mark.parametrize("which", ["all.json", "4.parquet"])
@pytest.mark.parametrize("spoil", ["cut", "empty", "gone"])
def test_what_a_finished_run_left_is_held_against_its_sizes(run, order, spoil, which):
    run()
    spoil_file(order.place.path(f"metric-1/{which}"), spoil)
    assert squares(run()) == SQUARES
    assert len(calls(order)) == len(NAMES) + (which == "4.parquet")
    assert squares(run()) == SQUARES
    assert len(calls(order)) == len(NAMES) + (which == "4.parquet")


def test_summaries_of_fewer_pieces_are_not_those_of_all(run, order):
    run(names=NAMES[:3])
    assert squares(run()) == SQUARES
    assert len(calls(order)) == len(NAMES)
    order.place.path("metric-1/all.json").write_text(json.dumps({"0": 1}))
    assert squares(run()) == SQUARES
    assert len(calls(order)) == len(NAMES)


def test_files_of_killed_workers_are_swept(run, order):
    order.place.scratch("metric-1/4.parquet").write_bytes(b"half")
    run()
    assert not list(order.place.path("metric-1").glob("*.part"))


@pytest.mark.parametrize(
    "spec", ["", "remote", "local:0", "local:two", "tcp://", "tcp://a/b:1", "http://a:1"]
)
def test_what_is_no_cluster_is_refused(spec):
    with pytest.raises(UsageError, match="is no cluster"), cluster(spec, print):
        pass


def test_without_dask_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(UsageError, match="Dask, which is not installed") as caught,
        cluster("local", print),
    ):
        pass
    assert "gridstead[cluster]" in caught.value.hint


def test_other_code_is_told_by_name(monkeypatch):
    monkeypatch.setattr(clusters, "code_here", lambda: {"Gridstead": "a", "numpy": "2.1"})
    clusters.check_code({"Gridstead": "a", "numpy": "2.1"}, "here")
    with pytest.raises(
        ClusterError, match=r"Worker tcp://x has numpy 2\.1, this run 2\.2\."
    ) as caught:
        clusters.check_code({"Gridstead": "a", "numpy": "2.2"}, "tcp://x")
    assert "same Gridstead" in caught.value.hint


def test_a_scheduler_that_is_not_there_is_told(order, monkeypatch):
    monkeypatch.setattr(cluster_dask, "CONNECT_S", 0.5)
    with (
        cluster("tcp://127.0.0.1:9", print) as nobody,
        pytest.raises(ClusterError, match=r"There is no Dask scheduler at tcp://127\.0\.0\.1:9"),
    ):
        nobody.run(works.square, order, NAMES, "square")


@pytest.fixture(scope="module")
def two():
    """Two workers that tests share."""
    with cluster("local:2", [].append) as made:
        yield made


@pytest.mark.slow
class TestOfThisMachine:
    def test_pieces_are_shared_out(self, two, order):
        found = two.run(works.slow_square, order, NAMES, "square")
        assert squares(found) == SQUARES
        assert sorted(name for name, _ in calls(order)) == NAMES
        assert len({pid for _, pid in calls(order)}) == 2

    def test_they_are_reached_by_nobody_else_and_send_nothing(self, two, order):
        assert len(two.workers) == 2
        for told in two.workers.values():
            assert told["nthreads"] == 1
            assert told["memory_limit"] < psutil.virtual_memory().total / 2
        me = psutil.Process()
        heard = [
            each.laddr.ip
            for process in (me, *me.children(recursive=True))
            for each in process.net_connections("inet")
            if each.status == psutil.CONN_LISTEN
        ]
        assert heard
        assert set(heard) == {"127.0.0.1"}
        found = two.run(works.where_it_runs, order, ["0"], "env")
        assert found["0"]["told"] == {"NUMBA_NUM_THREADS": "1", "DO_NOT_TRACK": "1"}

    def test_a_piece_at_fault_stops_the_run_with_its_sentence_and_hint(self, two, order):
        with pytest.raises(MeasureError, match=r"^Parcel p3 could not be measured\.$") as caught:
            two.run(works.faulty, order, NAMES, "square")
        assert caught.value.hint == "Leave it out."
        with pytest.raises(MemoryError):
            two.run(works.hungry, order, NAMES, "square")
        assert squares(two.run(works.square, order, NAMES, "square")) == SQUARES

    def test_other_code_of_a_worker_stops_the_run(self, two, order, monkeypatch):
        code = clusters.code_here() | {"numpy": "1.0"}
        monkeypatch.setattr(cluster_dask, "code_here", lambda: code)
        with pytest.raises(
            ClusterError, match=r"Worker tcp://127\S+ has numpy 2\S+, this run 1\.0\."
        ):
            two.run(works.square, order, NAMES, "square")

    def test_a_worker_that_is_killed_is_replaced_and_its_piece_done_again(self, two, order):
        killed = []

        def kill(_):
            if not killed:
                killed.extend({pid for name, pid in calls(order, "begun")})
                os.kill(killed[0], signal.SIGKILL)

        found = two.run(works.slow_square, order, NAMES, "square", seen=kill)
        assert squares(found) == SQUARES
        assert sorted(name for name, _ in calls(order)) == NAMES
        assert killed
        assert len(calls(order, "begun")) == len(NAMES) + 1

    def test_a_piece_that_ends_every_worker_is_told(self, two, order):
        with pytest.raises(
            ClusterError, match=r"^Piece 3 ended 4 workers, one after the other\.$"
        ) as caught:
            two.run(works.deadly, order, NAMES, "square")
        assert "memory" in caught.value.hint
        assert squares(two.run(works.square, order, NAMES, "square")) == SQUARES


@pytest.mark.slow
class TestAtScheduler:
    @pytest.fixture
    def scheduler(self, tmp_path):
        with Scheduler.running(tmp_path) as scheduler:
            yield scheduler

    def test_one_that_dies_and_comes_back_is_waited_for(self, scheduler, order, said):
        seen = []
        scheduler.keep_workers(2)

        def restart(summary):
            seen.append(summary)
            if len(seen) == 2:
                scheduler.kill()
                scheduler.start()

        with cluster(scheduler.address, said.append) as far:
            assert not far.is_near
            found = far.run(works.slow_square, order, NAMES, "square", seen=restart)
        assert squares(found) == SQUARES
        assert len(seen) == len(NAMES)
        # A piece that was on its way may be done by a worker that does not know better, with the same bytes.
        assert {name for name, _ in calls(order)} == set(NAMES)
        assert "cluster: the scheduler does not answer, waiting for it" in said
        parts = [name for name in order.place.names("metric-1") if name.endswith(".parquet")]
        assert parts == [f"{name}.parquet" for name in NAMES]

    def test_one_that_stays_away_or_has_no_workers_is_told(self, scheduler, order):
        far = cluster_dask.AtScheduler(print, scheduler.address, patience_s=2)
        with closing(far):
            with pytest.raises(ClusterError, match=r"No worker has been at tcp://\S+ for 2 s\."):
                far.run(works.square, order, NAMES, "square")
            threading.Timer(1, scheduler.kill).start()
            with pytest.raises(ClusterError, match="There is no Dask scheduler at"):
                far.run(works.square, order, NAMES, "square")


@pytest.mark.slow
def test_a_bucket_that_vanishes_is_told_in_one_sentence():
    with bucket() as land:
        order = Order(Place.at(land.url))
        gone = threading.Event()

        def vanish(_):
            if not gone.is_set():
                gone.set()
                land.vanish()

        with (
            cluster("local:2", print) as two,
            pytest.raises(
                PullError, match=r"^s3://land/parts/\S+ names a bucket that does not exist\.$"
            ),
        ):
            two.run(works.slow_square, order, NAMES, "square", seen=vanish)
        assert gone.is_set()


def spoil_file(path, how):
    """Leave a file as a killed process or a bad disk may."""
    content = path.read_bytes()
    path.unlink()
    if how != "gone":
        path.write_bytes({"cut": content[:-7], "empty": b"", "other": bytes(len(content))}[how])
