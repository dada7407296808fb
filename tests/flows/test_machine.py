"""Faults of the machine: full disks, disks that cannot be written, clocks put back. Nothing is lost by any."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from data.access import Retry
from data.catalogue import load_catalogue
from data.errors import PullError
from data.object_cache import sha256_of
from data.pull import pull
from flows import nightly
from tests.flows import tiny
from tests.flows.conftest import leftovers, rankings, rows
from tests.upstream.server import conditional, running

pytestmark = pytest.mark.slow

ROOM_BYTES = 256 * 1024
PAGE_BYTES = 4096


def mount(*words: object) -> bool:
    return (
        subprocess.run(["mount", *map(str, words)], capture_output=True, check=False).returncode
        == 0
    )


@contextmanager
def small_disk(folder: Path, room_bytes: int = ROOM_BYTES) -> Iterator[Path]:
    """Put a folder and what is in it on a disk of its own with little room; skip where nobody may."""
    held = folder.with_name(f"{folder.name}-held")
    folder.mkdir(exist_ok=True)
    used = sum(path.stat().st_size + 2 * PAGE_BYTES for path in folder.rglob("*"))
    shutil.copytree(folder, held)
    if not mount("-t", "tmpfs", "-o", f"size={used + room_bytes}", "none", folder):
        pytest.skip("a disk of its own takes the right to mount")
    try:
        shutil.copytree(held, folder, dirs_exist_ok=True)
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
        shutil.rmtree(held)


def assert_said(answer, *words: str) -> None:
    assert answer.code == 1, answer.err
    error = answer.err[answer.err.index("Error:") :]
    assert all(word in error for word in words), error
    assert "bug in Gridstead" not in error
    assert len(error.strip().splitlines()) == 2


def print_of(world) -> tuple[int, str]:
    return world.build.stat().st_ino, sha256_of(world.build)


def change_plants(world) -> None:
    grid = world.study.parent / "files" / "grid.zip"
    tiny.rewrite_member(
        grid, "plant.csv", tiny.read_member(grid, "plant.csv").replace("1500.0", "2500.0")
    )
    tiny.lock(world.study.parent)


@pytest.mark.parametrize("step", ["work", "builds"])
def test_a_full_disk_stops_a_run_and_the_next_one_goes_on(world, run, base, step):
    """Layers do not fit, or the build does not; with room again everything does."""
    if step == "work":
        change_plants(world)
    before = print_of(world)
    with small_disk(world.home / step) as disk:
        answer = run()
        assert_said(answer, "No space left on device", "the last build stays published")
        assert print_of(world) == before
        assert leftovers(world.home) == []
        assert rankings(world.build) == rankings(base.build)
        assert mount("-o", "remount,size=1g", disk)
        assert run().code == 0
        assert leftovers(world.home) == []
    assert world.build.stat().st_ino != before[0]


def test_a_full_disk_of_exports_leaves_the_new_build_published(world, gridstead, plain, tmp_path):
    words = ["run", world.study, "--home", world.home, "--out", tmp_path / "out"]
    before = print_of(world)
    with small_disk(tmp_path / "out") as out:
        answer = gridstead(*words)
        assert answer.code in {1, 2}
        assert "No space left on device" in answer.err or "was not written" in answer.err
        assert "bug in Gridstead" not in answer.err
        assert world.build.stat().st_ino != before[0]
        assert not (out / "manifest.json").exists()
        assert list(out.glob(".export-*")) == []
        assert mount("-o", "remount,size=1g", out)
        assert gridstead(*words).code == 0
        assert (out / "manifest.json").exists()


def test_a_full_disk_of_the_cache_fails_the_pull_and_keeps_what_is_there(world, tmp_path):
    source = load_catalogue(world.study.parent / "own.yaml").source("gshhs_lake")
    with running() as upstream:
        upstream.routes["/lake.geojson"] = conditional(b"{}".ljust(1_000_000))
        access = {"kind": "http", "url": upstream.url("/lake.geojson")}
        live = type(source).model_validate(source.model_dump() | {"access": access})
        with small_disk(tmp_path / "cache") as cache:
            (cache / "mine").write_text("mine")
            with pytest.raises(PullError, match="No space left on device") as caught:
                pull(live, None, cache_dir=cache, retry=Retry(sleep=lambda _s: None))
            assert "free space" in caught.value.hint
            assert list(cache.glob("objects/**/*.geojson")) == []
            assert mount("-o", "remount,size=1g", cache)
            got = pull(live, None, cache_dir=cache, retry=Retry(sleep=lambda _s: None))
            assert got.bytes == 1_000_000
            assert (cache / "mine").read_text() == "mine"


@pytest.mark.parametrize("folder", ["", "builds", "work"])
def test_a_disk_that_cannot_be_written_stops_a_run(world, run, base, folder):
    """Root may write everywhere but there: a mount that is read-only."""
    if folder == "work":
        change_plants(world)
    where = world.home / folder
    before = print_of(world)
    if not mount("--bind", where, where):
        pytest.skip("a mount that is read-only takes the right to mount")
    try:
        assert mount("-o", "remount,ro,bind", where)
        answer = run()
        assert answer.code in {1, 2}, answer.err
        assert "Read-only file system" in answer.err
        assert "bug in Gridstead" not in answer.err
        assert rankings(world.build) == rankings(base.build)
    finally:
        subprocess.run(["umount", str(where)], check=True)
    assert print_of(world) == before
    assert run().code == 0
    assert leftovers(world.home) == []


def test_a_clock_that_was_put_back_leaves_the_newer_run_published(world, run, monkeypatch):
    (before,) = rows(world.build, "select run_id, started_at from meta.run")

    class Behind(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) - timedelta(days=400)

    monkeypatch.setattr(nightly, "datetime", Behind)
    answer = run("--keep-builds", "2")
    assert answer.code == 0, answer.err
    (first,) = rows(world.build, "select run_id, started_at from meta.run")
    assert first[0] > before[0]
    assert first[1].year <= (datetime.now(UTC) - timedelta(days=300)).year
    assert run("--keep-builds", "2").code == 0
    (second,) = rows(world.build, "select run_id, started_at from meta.run")
    kept = sorted(path.stem for path in (world.home / "builds").glob("*.duckdb"))
    assert kept == [first[0], second[0]]
    assert second[0] > first[0]
