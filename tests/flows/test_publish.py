"""Publishing: whole or not at all, whoever reads, writes or dies meanwhile."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from data.object_cache import sha256_of
from flows import housekeeping
from flows.home import Home
from tests.flows import tiny
from tests.flows.conftest import leftovers, rankings, rows

ROOT = Path(__file__).parents[2]
READER = """
import sys
from data import store
from pathlib import Path
with store.open_build(Path(sys.argv[1])) as con:
    for _ in sys.stdin:
        print(con.execute("select run_id from meta.run").fetchall()[0][0], flush=True)
"""


def start(*words, **more):
    return subprocess.Popen(
        [sys.executable, *map(str, words)], cwd=ROOT, text=True, stdout=subprocess.PIPE, **more
    )


def stuck(world, where):
    """A run that hangs in a function, past the lock."""
    process = start(
        "-m", "tests.flows.stuck", where, "run", world.study, "--home", world.home, "--no-export",
        stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout.readline() == "stuck\n"
    return process


def change_plants(world):
    grid = world.study.parent / "files" / "grid.zip"
    tiny.rewrite_member(
        grid, "plant.csv", tiny.read_member(grid, "plant.csv").replace("1500.0", "2500.0")
    )
    tiny.lock(world.study.parent)


def test_a_reader_keeps_the_build_that_it_opened(world, run):
    before = rows(world.build, "select run_id from meta.run")[0][0]
    with start("-c", READER, world.build, stdin=subprocess.PIPE) as reader:
        for _ in range(2):
            reader.stdin.write("\n")
            reader.stdin.flush()
            assert reader.stdout.readline().strip() == before
            assert run().code == 0
        reader.stdin.close()
    assert rows(world.build, "select run_id from meta.run")[0][0] > before


@pytest.mark.slow
def test_a_killed_run_leaves_the_last_build_and_the_next_one_clears_up(world, run, gridstead, base):
    """While it lives no other run may write there, and everybody may read."""
    change_plants(world)
    before = world.build.stat().st_ino, sha256_of(world.build)
    with stuck(world, "flows.publishing.builds.run_checks") as process:
        refused = run()
        assert gridstead("top", "training", "--home", world.home).code == 0
        process.kill()
    assert refused.code == 1
    assert f"Another run (process {process.pid} of " in refused.err
    assert f", of study {world.study}, began " in refused.err
    assert f" ago) writes to {world.home}." in refused.err
    assert (world.build.stat().st_ino, sha256_of(world.build)) == before
    assert rankings(world.build) == rankings(base.build)
    assert leftovers(world.home)
    assert run().code == 0
    assert leftovers(world.home) == []
    assert world.build.stat().st_ino != before[0]


def test_an_export_that_fails_leaves_the_new_build_published(world, gridstead, plain):
    before = world.build.stat().st_ino
    (world.home / "taken").write_text("mine")
    answer = gridstead("run", world.study, "--home", world.home, "--out", world.home / "taken")
    assert answer.code == 1
    assert f"File exists: {world.home / 'taken'}." in answer.err
    assert (world.home / "taken").read_text() == "mine"
    assert world.build.stat().st_ino != before


def test_a_name_that_cannot_be_linked_is_copied(world, run, monkeypatch):
    def refuse(*_args):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", refuse)
    assert run().code == 0
    newest = max((world.home / "builds").glob("*.duckdb"))
    assert newest.stat().st_ino != world.build.stat().st_ino
    assert sha256_of(newest) == sha256_of(world.build)


def test_the_published_build_opens_in_older_clients(base):
    tags = rows(base.build, "select tags from duckdb_databases() where database_name = 'gridstead'")
    assert tags == [({"storage_version": "v1.5.0+"},)] or "v1.5.0" in str(tags)


def test_pruning_keeps_a_result_and_what_lies_beside_it(tmp_path):
    home = Home.at(tmp_path).make()
    for day in range(4):
        key = f"{day:016x}"
        for name in (
            f"parcel-{key}.parquet",
            f"parcel-{key}.left-out.parquet",
            f"stage-grid-{key}.duckdb",
        ):
            path = home.work / name
            path.touch()
            os.utime(path, (day, day))
        # A run that died while it measured.
        folder = home.work / f"metric-{key}.parts"
        folder.mkdir()
        (folder / "part-00000.parquet").touch()
        os.utime(folder, (day, day))
    # The oldest was used again today: only its main file says so.
    os.utime(home.work / f"parcel-{0:016x}.parquet")
    housekeeping.prune(home, 2)
    kept = sorted(path.name for path in home.work.iterdir())
    assert kept == [
        f"metric-{2:016x}.parts", f"metric-{3:016x}.parts",
        f"parcel-{0:016x}.left-out.parquet", f"parcel-{0:016x}.parquet",
        f"parcel-{3:016x}.left-out.parquet", f"parcel-{3:016x}.parquet",
        f"stage-grid-{2:016x}.duckdb", f"stage-grid-{3:016x}.duckdb",
    ]  # fmt: skip


def test_sweeping_takes_only_what_is_half_written(tmp_path):
    home = Home.at(tmp_path).make()
    (home.work / "a.parts").mkdir()
    ours = [home.builds / "1.duckdb.tmp", home.builds / "1.duckdb.tmp.wal", home.work / "a.parquet.part",
            home.work / "a.duckdb.tmp", home.root / ".1.duckdb",
            home.work / "a.parts" / "part-00001.parquet.part"]  # fmt: skip
    others = [
        home.work / "a.parts" / "part-00000.parquet",
        home.build,
        home.builds / "1.duckdb",
        home.work / "a.parquet",
        home.exports / "a.tmp",
    ]
    for path in ours + others:
        path.touch()
    assert sorted(housekeeping.sweep(home)) == sorted(ours)
    assert all(path.exists() for path in others)
