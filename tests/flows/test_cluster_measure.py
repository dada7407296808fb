"""Measuring by pieces: the bits of the single machine, whoever measures them, in whatever order."""

import os
import pickle
import shutil
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data import build as builds
from data.errors import MeasureError, PullError
from data.pieces import content_sha256
from data.place import Place
from data.study import load_study
from flows import cluster_measure, measuring, steps
from flows.cluster import Here, cluster
from flows.cluster_measure import KNOWN_COUNT, measure_pieces, with_known_share
from flows.home import Home
from tests.bucket import bucket
from tests.flows import works
from tests.flows.scheduler import Scheduler
from tests.flows.test_measuring import fail_at, fail_when, only
from tests.flows.test_slope import METRES, declare, write_raster

ROWS = 7


@pytest.fixture
def said():
    return []


@pytest.fixture
def place(tmp_path):
    return Place.at(tmp_path / "parts")


@pytest.fixture(scope="module")
def inputs(base):
    """What the steps before left in the home of the tiny study."""
    (layers,) = (base.home / "work").glob("layers-*.duckdb")
    (people,) = (base.home / "work").glob("people-*.npz")
    (excluded,) = (base.home / "work").glob("exclusion-*.npz")
    (parcels,) = [
        p for p in (base.home / "work").glob("parcel-*.parquet") if p.name.count(".") == 1
    ]
    return {
        "study": load_study(str(base.study)),
        "layers": layers,
        "power": only(base.home, "power"),
        "fiber": only(base.home, "fiber"),
        "parcels": parcels,
        "excluded": excluded,
        "people": people,
    }


@pytest.fixture(scope="module")
def whole(base):
    """Metrics of the single machine, by id."""
    return pq.read_table(only(base.home, "metric")).sort_by("parcel_id")


@pytest.fixture
def measure(inputs, place, said):
    """Measure the tiny study by pieces, in this process."""

    def run(made=None, *, piece_rows=ROWS, rule="stop", **more):
        study = inputs["study"]
        how = study.measure.model_copy(update={"on_failed_chunk": rule})
        given = inputs | {"study": study.model_copy(update={"measure": how})}
        given |= {"place": place, "cluster": made or Here(said.append), "log": said.append}
        return measure_pieces(**(given | {"piece_rows": piece_rows} | more))

    return run


def joined(found):
    """Metrics of all pieces, by id."""
    tables = [found.metrics(piece.name) for piece in found.pieces]
    return pa.concat_tables(tables).sort_by("parcel_id")


def hashes(found):
    return {name: summary["content_sha256"] for name, summary in found.summaries.items()}


class Shuffled(Here):
    """Pieces in another order."""

    def _each(self, work, order, names):
        yield from super()._each(work, order, np.random.default_rng(3).permutation(names).tolist())


@pytest.mark.parametrize("piece_rows", [1, ROWS, 1000])
def test_the_pieces_decide_no_bit(measure, whole, piece_rows):
    found = measure(piece_rows=piece_rows)
    assert joined(found).schema.equals(whole.schema)
    assert joined(found).equals(whole)
    assert sum(piece.rows for piece in found.pieces) == len(whole)
    assert max(piece.rows for piece in found.pieces) <= piece_rows


def test_the_order_and_the_chunks_decide_no_bit(measure, whole, inputs, place, tmp_path):
    found = measure()
    again = measure(Shuffled(print), place=Place.at(tmp_path / "again"))
    assert hashes(again) == hashes(found)
    assert joined(again).equals(whole)
    how = inputs["study"].measure.model_copy(update={"chunk_parcels": 2})
    study = inputs["study"].model_copy(update={"measure": how})
    small = measure(study=study, place=Place.at(tmp_path / "small"))
    assert hashes(small) == hashes(found)


def test_a_part_tells_what_is_known_of_its_parcels_and_a_summary_of_the_part(measure, whole):
    found = measure()
    assert found.ever_known
    for piece in found.pieces:
        part = found.place.read(f"{found.metric_folder}/{piece.name}.parquet")
        assert part.schema.names == [*builds.metric_schema().names, KNOWN_COUNT]
        summary = found.summaries[piece.name]
        assert content_sha256(part) == summary["content_sha256"]
        assert summary["rows"] == piece.rows == part.num_rows
        frame = part.to_pandas()
        assert (frame[found.ever_known].notna().sum(axis=1) == frame[KNOWN_COUNT]).all()
        assert summary["peak_mb"] > 1
    assert found.rejected.empty
    shares = joined(found).column("known_share")
    assert shares.equals(whole.column("known_share"))


def test_nothing_known_of_anything_is_a_share_of_none():
    part = pa.table({KNOWN_COUNT: pa.array([0, 0], pa.int16())})
    assert with_known_share(part, 0).column("known_share").to_pylist() == [0.0, 0.0]


def test_what_is_there_is_not_measured_again(measure, monkeypatch, said):
    found = measure()
    said.clear()
    seen = []
    real = measuring.measure_chunk
    monkeypatch.setattr(
        measuring, "measure_chunk", lambda table, *more: seen.append(1) or real(table, *more)
    )
    assert measure() == found
    assert seen == []
    assert said[-1] == "measure: unchanged, reused"
    measure(rule="skip")
    assert len(seen) == len(found.pieces)


def test_an_order_holds_no_frames(measure, monkeypatch):
    orders = []
    real = cluster_measure.measure_piece
    monkeypatch.setattr(
        cluster_measure,
        "measure_piece",
        lambda order, name: orders.append(order) or real(order, name),
    )
    measure()
    assert len(pickle.dumps(orders[0])) < 10_000


def ids_of(inputs):
    return pq.read_table(inputs["parcels"], columns=["parcel_id"]).column(0).to_pylist()


def test_a_parcel_at_fault_stops_the_run_by_its_name(measure, monkeypatch, inputs):
    bad = ids_of(inputs)[25]
    with fail_at(monkeypatch, bad, ValueError("a ring is not closed")), pytest.raises(
        MeasureError,
        match=rf"^Parcel {bad} \(row \d, in piece [0-9a-f]+-\d{{4}}\) could not be measured: "
        "ValueError: a ring is not closed",
    ) as caught:  # fmt: skip
        measure()
    assert "on_failed_chunk: skip" in caught.value.hint


def test_a_study_may_go_on_without_the_parcels_at_fault(measure, monkeypatch, inputs, whole, said):
    ids = ids_of(inputs)
    bad = {ids[0], ids[9], ids[25]}
    with fail_when(monkeypatch, lambda held: held & bad, ValueError("bad")):
        found = measure(rule="skip")
    assert set(found.rejected["parcel_id"]) == bad
    assert set(found.rejected["reject_code"]) == {"measure_failed"}
    assert sorted(found.rejected["reason"]) == sorted(f"{name}: ValueError: bad." for name in bad)
    table = joined(found)
    keep = [name for name in whole.column("parcel_id").to_pylist() if name not in bad]
    assert table.column("parcel_id").to_pylist() == keep
    there = whole.to_pandas().set_index("parcel_id").loc[keep]
    pd.testing.assert_frame_equal(table.to_pandas().set_index("parcel_id"), there, check_exact=True)
    assert "3 failed" in said[-1]
    # Whoever comes back to it knows of them as well.
    assert measure(rule="skip").rejected.equals(found.rejected)


def test_when_no_parcel_can_be_measured_there_is_nothing_to_publish(measure, monkeypatch):
    with (
        fail_when(monkeypatch, lambda _: True, ValueError("bad")),
        pytest.raises(MeasureError, match=r"No parcel could be measured: .*bad"),
    ):
        measure(rule="skip")


class Far(Here):
    """A machine that has none of the paths of this one."""

    is_near = False

    def __init__(self, log, hidden):
        super().__init__(log)
        self._hidden = hidden

    def _each(self, work, order, names):
        away = self._hidden.with_name("away")
        self._hidden.rename(away)
        try:
            yield from super()._each(work, order, names)
        finally:
            away.rename(self._hidden)


@pytest.fixture
def cache_home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "gridstead" / "inputs"


@pytest.fixture
def copied(inputs, base, tmp_path):
    """The inputs in a folder that can be hidden."""
    shutil.copytree(base.home / "work", tmp_path / "work")
    return {
        name: tmp_path / "work" / value.name if isinstance(value, Path) else value
        for name, value in inputs.items()
    }


def test_a_machine_that_lacks_the_inputs_fetches_them_once(
    measure, copied, tmp_path, cache_home, place, whole
):
    del copied["study"]
    found = measure(Far(print, tmp_path / "work"), **copied)
    assert joined(found).equals(whole)
    (folder,) = cache_home.iterdir()
    names = {path.name for path in folder.iterdir()} - {".lock"}
    assert {copied[name].name for name in ("layers", "power", "fiber", "people")} <= names
    # The place no longer holds them, nor are they asked of it again.
    assert place.names(folder.name) == []
    old = cache_home / "input-of-days-ago"
    old.mkdir()
    os.utime(old, (0, 0))
    place.remove(found.metric_folder)
    measure(Far(print, tmp_path / "work"), **copied)
    assert not old.exists()


def test_inputs_that_were_exchanged_at_the_place_are_not_used(
    measure, copied, tmp_path, cache_home, place, monkeypatch
):
    real = cluster_measure._offer

    def then_spoil(order):
        real(order)
        place.write_bytes(f"{order.inputs_folder}/{copied['power'].name}", b"something else")

    monkeypatch.setattr(cluster_measure, "_offer", then_spoil)
    del copied["study"]
    with pytest.raises(MeasureError, match=r"power-\S+ is not what the run put at file://"):
        measure(Far(print, tmp_path / "work"), **copied)
    assert cache_home.is_dir()


@pytest.mark.slow
class TestWorkers:
    def test_two_workers_measure_the_same_bits(self, measure, whole, said, tmp_path):
        with cluster("local:2", said.append) as two:
            found = measure(two)
            # The same workers go on with another measuring.
            other = measure(two, piece_rows=20, place=Place.at(tmp_path / "other"))
        assert joined(found).equals(whole)
        assert joined(other).equals(whole)
        assert said[-1].startswith(f"measured {len(whole)} of {len(whole)} parcels (100 %)")
        assert any(line.startswith("cluster: 2 workers of this machine, ") for line in said)

    def test_a_worker_that_is_killed_leaves_no_gap_and_no_double(
        self, measure, whole, place, monkeypatch, tmp_path
    ):
        monkeypatch.setattr(cluster_measure, "measure_piece", works.slow_measure)
        notes = works.Order(place)
        killed = []

        class Killing:
            is_near = True

            def __init__(self, two):
                self._two = two

            def run(self, work, order, names, what, seen):
                def kill(summary):
                    seen(summary)
                    if not killed:
                        killed.extend({pid for _, pid in works.calls(notes, "begun")})
                        os.kill(killed[-1], signal.SIGKILL)

                return self._two.run(work, order, names, what, kill)

        with cluster("local:2", print) as two:
            found = measure(Killing(two))
        assert killed
        begun = [name for name, _ in works.calls(notes, "begun")]
        assert len(begun) > len(set(begun)) == len(found.pieces)
        assert joined(found).equals(whole)
        undisturbed = measure(place=Place.at(tmp_path / "undisturbed"))
        assert hashes(undisturbed) == hashes(found)

    def test_a_scheduler_that_is_started_again_leaves_no_gap_and_no_double(
        self, measure, whole, monkeypatch, tmp_path, said
    ):
        undisturbed = measure(place=Place.at(tmp_path / "undisturbed"))
        monkeypatch.setattr(cluster_measure, "measure_piece", works.slow_measure)
        with Scheduler.running(tmp_path) as scheduler:
            scheduler.keep_workers(2)
            begun = []

            def restart(line):
                said.append(line)
                # Told of the first piece, and every few seconds after.
                if line.startswith("measured ") and not begun:
                    begun.append(line)
                    scheduler.kill()
                    scheduler.start()

            with cluster(scheduler.address, said.append) as far:
                found = measure(far, log=restart)
        assert begun
        assert "cluster: the scheduler does not answer, waiting for it" in said
        assert hashes(found) == hashes(undisturbed)
        assert joined(found).equals(whole)
        # What workers elsewhere would have fetched is gone.
        assert not [*found.place.local.glob("input-*")]

    def test_parts_in_a_bucket(self, measure, whole):
        with bucket() as land, cluster("local:2", print) as two:
            found = measure(two, place=Place.at(land.url))
            assert joined(found).equals(whole)
            names = found.place.names(found.metric_folder)
            assert names == sorted(
                [
                    "all.json",
                    *(f"{p.name}.{end}" for p in found.pieces for end in ("json", "parquet")),
                ]
            )

    def test_a_bucket_that_is_not_there_or_not_ours_is_told(self, measure, monkeypatch):
        with bucket() as land:
            with pytest.raises(PullError, match=r"^s3://nowhere/\S+ names a bucket that does not"):
                measure(place=Place.at("s3://nowhere/parts"))
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-wrong-wrong")
            with (
                cluster("local:1", print) as one,
                pytest.raises(
                    PullError,
                    match=r"^s3://land/parts/\S+ may not be (read|written) with the credentials",
                ),
            ):
                measure(one, place=Place.at(land.url))
            monkeypatch.undo()


def test_the_slopes_of_a_raster_are_the_same(measure, base, inputs, tmp_path, cache_home):
    study = tmp_path / "study" / base.study.name
    shutil.copytree(base.study.parent, study.parent)
    raster = study.parent / "files" / "slope.tif"
    write_raster(raster, METRES, "EPSG:32618")
    declare(study)
    loaded, home = load_study(str(study)), Home.at(tmp_path / "home").make()
    pulled = {"slope": steps.pull_source("slope", home, loaded, offline=False)}
    given = {name: path for name, path in inputs.items() if name != "study"}
    alone = measuring.measure_parcels(loaded, **given, home=home, log=print, pulled=pulled)
    alone = pq.read_table(alone).sort_by("parcel_id")
    assert 0 < alone.column("slope_mean_pct").null_count < len(alone)
    assert joined(measure(study=loaded, pulled=pulled)).equals(alone)
    # A raster that this machine lacks comes with the other inputs.
    far = Far(print, pulled["slope"].path)
    there = measure(far, study=loaded, pulled=pulled, place=Place.at(tmp_path / "far"))
    assert joined(there).equals(alone)
    assert [*cache_home.glob(f"*/{pulled['slope'].path.name}")]
