"""The measure step: chunks whose size decides nothing, kept as they are done, failing by the study's rule."""

import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from data.study import load_study
from flows import measuring
from flows.home import Home
from flows.progress import MeasureProgress
from geo.errors import GeometryError
from tests.flows import tiny
from tests.flows.conftest import rankings, rows

ROOT = Path(__file__).parents[2]


@pytest.fixture
def paths(base):
    """Layers and parcels of the tiny study, as the steps before left them."""
    work = base.home / "work"
    (layers,) = work.glob("layers-*.duckdb")
    (parcels,) = [path for path in work.glob("parcel-*.parquet") if path.name.count(".") == 1]
    return layers, parcels


@pytest.fixture(scope="module")
def power(base):
    return only(base.home, "power")


@pytest.fixture(scope="module")
def fiber(base):
    return only(base.home, "fiber")


def only(home, step):
    """What the only run of a step left."""
    (found,) = [p for p in (home / "work").glob(f"{step}-*.parquet") if p.name.count(".") == 1]
    return found


@pytest.fixture
def measure(base, paths, power, fiber, tmp_path):
    """Measure the tiny study in a home of its own, with a chunk size and a rule for failures."""

    def run(chunk_parcels, on_failed_chunk="stop", home="home", said=None):
        study = load_study(str(base.study))
        how = study.measure.model_copy(
            update={"chunk_parcels": chunk_parcels, "on_failed_chunk": on_failed_chunk}
        )
        lines = [] if said is None else said
        return measuring.measure_parcels(
            study.model_copy(update={"measure": how}),
            paths[0],
            power,
            fiber,
            paths[1],
            None,
            Home.at(tmp_path / home).make(),
            lines.append,
        )

    return run


@pytest.fixture
def calls(monkeypatch):
    """First parcel of every chunk that was measured."""
    seen = []
    real = measuring.measure_chunk

    def watched(table, *more):
        seen.append(table.column("parcel_id")[0].as_py())
        return real(table, *more)

    monkeypatch.setattr(measuring, "measure_chunk", watched)
    return seen


def fail_at(monkeypatch, parcel_id, error):
    """Let what holds a parcel fail."""
    return fail_when(monkeypatch, lambda held: parcel_id in held, error)


@contextmanager
def fail_when(monkeypatch, is_bad, error):
    """Let rows fail by the set of their ids."""
    real = measuring.measure_chunk

    def failing(table, *more):
        if is_bad(set(table.column("parcel_id").to_pylist())):
            raise error
        return real(table, *more)

    with monkeypatch.context() as patch:
        patch.setattr(measuring, "measure_chunk", failing)
        yield


def ids_of(parcels):
    return pq.read_table(parcels, columns=["parcel_id"]).column(0).to_pylist()


@pytest.mark.slow
def test_the_chunk_size_decides_no_bit(measure):
    one = pq.read_table(measure(1000, home="a"))
    for size in (7, 1, 33):
        other = pq.read_table(measure(size, home=f"b{size}"))
        assert other.schema.equals(one.schema)
        assert other.equals(one)
    share = one.column("known_share").to_numpy()
    assert 0 < share.min() <= share.max() <= 1


def test_the_order_of_the_parcels_decides_no_bit(measure, paths, power, fiber, tmp_path, base):
    layers, parcels = paths
    there = pd.read_parquet(measure(7))
    shuffled = pq.read_table(parcels)
    order = pd.Series(range(len(shuffled))).sample(frac=1, random_state=4).to_numpy()
    pq.write_table(shuffled.take(order), tmp_path / "parcel-other.parquet")
    made = measuring.measure_parcels(
        load_study(str(base.study)),
        layers,
        power,
        fiber,
        tmp_path / "parcel-other.parquet",
        None,
        Home.at(tmp_path / "other").make(),
        [].append,
    )
    again = pd.read_parquet(made).set_index("parcel_id").loc[there["parcel_id"]].reset_index()
    pd.testing.assert_frame_equal(again, there, check_exact=True)


def test_a_finished_run_leaves_no_parts_and_is_reused(measure, calls, tmp_path):
    said = []
    first = measure(10, said=said)
    assert not list((tmp_path / "home" / "work").glob("*.parts"))
    count = len(calls)
    assert measure(10, said=said) == first
    assert measure(3, "skip", said=said) == first
    assert len(calls) == count
    assert said[-1] == "metrics: unchanged, reused"


def test_a_killed_run_goes_on_at_the_first_chunk_without_a_part(measure, calls, monkeypatch, paths):
    ids = ids_of(paths[1])
    starts = ids[::10]
    with monkeypatch.context() as patch:
        real = measuring.measure_chunk

        def killed(table, *more):
            if table.column("parcel_id")[0].as_py() == starts[3]:
                raise KeyboardInterrupt
            return real(table, *more)

        patch.setattr(measuring, "measure_chunk", killed)
        with pytest.raises(KeyboardInterrupt):
            measure(10)
    assert calls == starts[:3]
    calls.clear()
    said = []
    resumed = pq.read_table(measure(10, said=said))
    assert calls == starts[3:]
    assert said[-1].startswith(f"measured {len(ids)} of {len(ids)} parcels (100 %), ")
    assert said[-1].endswith("/s, 30 of them before")
    assert resumed.equals(pq.read_table(measure(1000, home="fresh")))


@pytest.mark.parametrize("spoil", ["cut", "garbage", "gone"])
def test_a_part_that_is_not_whole_is_measured_again(
    measure, calls, monkeypatch, paths, tmp_path, spoil
):
    starts = ids_of(paths[1])[::10]
    with monkeypatch.context() as patch:
        patch.setattr(measuring.Parts, "join", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            measure(10)
    (folder,) = (tmp_path / "home" / "work").glob("*.parts")
    part = folder / "part-00002.parquet"
    held = part.read_bytes()
    part.unlink()
    if spoil != "gone":
        part.write_bytes(held[:-100] if spoil == "cut" else bytes(len(held)))
    calls.clear()
    again = measure(10)
    assert calls == [starts[2]]
    assert pq.read_table(again).equals(pq.read_table(measure(1000, home="fresh")))


@pytest.mark.slow
def test_a_run_that_is_killed_leaves_its_parts_to_the_next(world, run, base):
    """In a process of its own: SIGKILL, then the same command again."""
    tiny.edit(world.study, {"measure": {"chunk_parcels": 10}})
    for path in (world.home / "work").glob("metric-*"):
        path.unlink()
    words = ["-m", "tests.flows.stuck", "flows.measuring.Parts.join", "run", world.study]
    process = subprocess.Popen(
        [sys.executable, *map(str, words), "--home", str(world.home), "--no-export"],
        cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with process:
        assert process.stdout.readline() == "stuck\n"
        process.kill()
    (folder,) = (world.home / "work").glob("*.parts")
    (folder / "part-00099.parquet.part").touch()
    answer = run()
    assert answer.code == 0
    count = rows(world.build, "select parcel_count from meta.run")[0][0]
    assert f"measured {count} of {count} parcels (100 %), {count} of them before" in answer.err
    assert not folder.exists()
    assert rankings(world.build) == rankings(base.build)


@pytest.mark.usefixtures("untouched")
def test_a_chunk_that_fails_stops_the_run_and_its_parcel_is_named(world, run, monkeypatch, paths):
    tiny.edit(world.study, {"measure": {"chunk_parcels": 10}})
    for path in (world.home / "work").glob("metric-*"):
        path.unlink()
    ids = ids_of(paths[1])
    with fail_at(monkeypatch, ids[25], ValueError("a ring is not closed")):
        answer = run()
    assert answer.code == 1
    flat = " ".join(answer.err.split())
    chunks = -(-len(ids) // 10)
    assert (
        f"Parcel {ids[25]} (row 26, in chunk 3 of {chunks}) "
        "could not be measured: ValueError: a ring is not closed." in flat
    )
    assert "on_failed_chunk: skip" in flat


def test_a_chunk_that_fails_only_as_a_whole_is_named_itself(measure, monkeypatch, paths):
    ids = ids_of(paths[1])
    with (
        fail_when(monkeypatch, lambda held: {ids[20], ids[29]} <= held, ValueError("too many")),
        pytest.raises(
            measuring.MeasureError,
            match=r"^Chunk 3 of \d+ \(rows 21 to 30\) could not be measured: ValueError: too many\.",
        ),
    ):
        measure(10)


def test_a_chunk_that_fails_only_as_a_whole_is_measured_in_pieces(
    measure, monkeypatch, paths, tmp_path
):
    ids, said = ids_of(paths[1]), []
    with fail_when(monkeypatch, lambda held: {ids[20], ids[29]} <= held, ValueError("too many")):
        made = measure(10, "skip", said=said)
    assert any(
        "measured in pieces, since all of it failed: ValueError: too many." in x for x in said
    )
    assert pq.read_table(made).equals(pq.read_table(measure(10, home="fresh")))
    assert made.name == measure(10, home="fresh").name
    assert len(pd.read_parquet(made.with_suffix(".skipped.parquet"))) == 0


@pytest.mark.slow
def test_a_study_may_go_on_without_the_parcels_at_fault(world, run, monkeypatch, paths, gridstead):
    tiny.edit(world.study, {"measure": {"chunk_parcels": 10, "on_failed_chunk": "skip"}})
    for path in (world.home / "work").glob("metric-*"):
        path.unlink()
    ids = ids_of(paths[1])
    bad = [ids[25], ids[28]]
    error = ValueError("a ring is not closed")
    with fail_at(monkeypatch, bad[0], error), fail_at(monkeypatch, bad[1], error):
        answer = run()
        assert answer.code == 0
        flat = " ".join(answer.err.split())
        assert (
            f"(rows 21 to 30): 2 parcels ({bad[0]}, {bad[1]}) could not be measured: "
            "ValueError: a ring is not closed." in flat
        )
        assert f"measured {len(ids) - 2} of {len(ids)} parcels" in answer.err
        assert "2 failed" in answer.err
    built = rows(world.build, "select parcel_id from core.parcel")
    assert {name for (name,) in built} == set(ids) - set(bad)
    assert rows(world.build, "select parcel_count, divided_count from meta.run") == [
        (len(ids) - 2, len(ids))
    ]
    told = rows(
        world.build,
        "select source_id, reject_code, reason from meta.rejected_row where raw_table = 'parcels'",
    )
    assert sorted(told) == sorted(
        ("parcels", "measure_failed", f"{name}: ValueError: a ring is not closed.") for name in bad
    )
    assert (
        rows(world.build, "from meta.check_result where severity = 'error' and offending_count > 0")
        == []
    )
    gridstead("export", "--home", world.home)
    # An equal run reuses what there is; one that may not skip measures all of them.
    assert "metrics: unchanged, reused" in run().err
    tiny.edit(world.study, {"measure": {"chunk_parcels": 10}})
    assert run().code == 0
    assert rows(world.build, "select count(*) from core.parcel") == [(len(ids),)]


def test_the_other_parcels_of_a_failed_chunk_are_measured_as_ever(measure, monkeypatch, paths):
    ids = ids_of(paths[1])
    bad = {ids[0], ids[9], ids[25], ids[-1]}
    whole = pd.read_parquet(measure(10, home="fresh")).set_index("parcel_id")
    for size in (10, 1000):
        with fail_when(monkeypatch, lambda held: held & bad, ValueError("bad")):
            made = measure(size, "skip", home=f"skip{size}")
        found = pd.read_parquet(made).set_index("parcel_id")
        assert list(found.index) == [name for name in ids if name not in bad]
        pd.testing.assert_frame_equal(found, whole.loc[found.index], check_exact=True)
        skipped = pd.read_parquet(made.with_suffix(".skipped.parquet"))
        assert set(skipped["parcel_id"]) == bad


def test_a_chunk_that_lacks_parcels_is_measured_again_by_the_next_run(
    measure, monkeypatch, paths, calls, tmp_path
):
    ids = ids_of(paths[1])
    with monkeypatch.context() as patch:
        patch.setattr(measuring.Parts, "join", lambda *_: 1 / 0)
        with fail_at(monkeypatch, ids[25], ValueError("bad")), pytest.raises(ZeroDivisionError):
            measure(10, "skip")
    (folder,) = (tmp_path / "home" / "work").glob("*.parts")
    assert (folder / "some-00002.parquet").is_file()
    assert not (folder / "part-00002.parquet").exists()
    calls.clear()
    again = measure(10, "skip")
    assert calls == [ids[20]]
    assert pq.read_table(again).equals(pq.read_table(measure(1000, home="fresh")))
    assert len(pd.read_parquet(again.with_suffix(".skipped.parquet"))) == 0


def test_a_part_that_cannot_be_written_stops_the_run(measure, monkeypatch, paths, calls):
    ids = ids_of(paths[1])

    error = OSError("no space left on the disk")

    def full(*_):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(measuring.Parts, "write", full)
        for size in (10, 1000):
            with pytest.raises(OSError, match="no space left"):
                measure(size, "skip")
    assert set(calls) <= {ids[0], ids[10]}


def test_rows_that_cannot_be_read_stop_the_run(measure, monkeypatch, paths, calls):
    ids = ids_of(paths[1])
    real, error = measuring.RowReader.read, OSError("cannot be read")

    def torn(reader, chunk):
        if chunk.number == 2:
            raise error
        return real(reader, chunk)

    with monkeypatch.context() as patch:
        patch.setattr(measuring.RowReader, "read", torn)
        with pytest.raises(OSError, match="cannot be read"):
            measure(10, "skip")
    assert calls == [ids[0], ids[10]]
    calls.clear()
    measure(10, "skip")
    assert calls[0] == ids[20]


def test_the_next_chunk_is_read_while_one_is_measured(measure, monkeypatch):
    read, seen = [], []
    real_read, real_measure = measuring.RowReader.read, measuring.measure_chunk
    second = threading.Event()

    def reading(reader, chunk):
        read.append(chunk.number)
        if chunk.number == 1:
            second.set()
        return real_read(reader, chunk)

    def watched(*given):
        assert second.wait(10)
        seen.append(max(read))
        return real_measure(*given)

    monkeypatch.setattr(measuring.RowReader, "read", reading)
    monkeypatch.setattr(measuring, "measure_chunk", watched)
    measure(10)
    assert read == sorted(read)
    # Never more than one is held beside the one that is measured.
    assert all(ahead <= number + 1 for number, ahead in enumerate(seen))


def test_when_no_parcel_can_be_measured_there_is_nothing_to_publish(measure, monkeypatch):
    with (
        fail_when(monkeypatch, lambda _: True, ValueError("bad")),
        pytest.raises(measuring.MeasureError, match=r"No parcel could be measured: .*bad"),
    ):
        measure(10, "skip")


def test_memory_that_runs_out_is_not_the_parcels_fault(measure, monkeypatch, paths):
    with (
        fail_at(monkeypatch, ids_of(paths[1])[0], MemoryError()),
        pytest.raises(MemoryError),
    ):
        measure(10, "skip")


def test_a_geometry_that_is_no_polygon_names_its_parcel(paths):
    rows_ = pq.read_table(paths[1]).slice(0, 3)
    point = shapely.to_wkb(shapely.Point(-77.5, 39))
    shapes = [rows_.column("geometry")[0].as_py(), point, None]
    number = rows_.column_names.index("geometry")
    rows_ = rows_.set_column(number, "geometry", pa.array(shapes, pa.binary()))
    name = rows_.column("parcel_id")[1].as_py()
    with pytest.raises(GeometryError, match=f"Parcel {name} is no polygon"):
        measuring.measure_chunk(rows_, measuring.Engine(()))


def test_what_a_chunk_happens_to_hold_decides_no_type(measure):
    schema = measuring.builds.metric_schema()
    frame = pd.DataFrame({"parcel_id": ["a"], "metro_people": [2.0], "pop_id": [None]})
    part = measuring.to_part(frame, schema)
    assert part.schema.equals(schema)
    assert part.to_pylist()[0]["metro_people"] == 2
    assert part.to_pylist()[0]["acres"] is None
    with pytest.raises(ValueError, match="no column 'colour'"):
        measuring.to_part(frame.assign(colour="red"), schema)


def test_progress_is_told_now_and_then_and_at_the_end(monkeypatch):
    clock = iter([0.0, 1.0, 6.0, 7.0, 8.0, 9.0])
    monkeypatch.setattr("flows.progress.monotonic", lambda: next(clock))
    said = []
    progress = MeasureProgress(209_651, said.append)
    progress.measured(65_536)
    progress.measured(65_536)
    progress.measured(65_536)
    progress.failed(43)
    progress.found(13_000)
    assert said == [
        "measured 131,072 of 209,651 parcels (63 %), 21,845/s",
        "measured 209,608 of 209,651 parcels (100 %), 21,845/s, 13,000 of them before, 43 failed",
    ]
