"""Keep a home in order: one run at a time, no leftovers of a killed one, old results pruned."""

import os
import re
import shutil
import time
from collections.abc import Collection, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from data import store
from data.errors import BuildError
from flows.home import Home
from flows.home_lock import hold
from flows.progress import warn
from flows.reporting import rows_of

# Logs of runs that are kept; a log takes a few kilobytes.
KEEP_LOGS = 200
# What a run writes before it is renamed into place, and what DuckDB writes beside it.
LEFTOVERS = (
    "builds/*.tmp",
    "builds/*.tmp.wal",
    "work/*.tmp",
    "work/*.tmp.wal",
    "work/*.part",
    "work/*.parts/*.part",
    "parts/*/*.part",
    # Folders of sorts that were too large for memory.
    "work/spill-*",
    "work/near-*",
    ".*.duckdb",
)
_PARTS_FOLDER = re.compile(r"(?P<kind>[a-z]+)-(?P<key>[0-9a-f]{16})")
_STEP_RESULT = re.compile(r"(?P<kind>.+)-(?P<key>[0-9a-f]{16})\.")


@contextmanager
def alone(home: Home, command: str = "run", study: str | None = None) -> Generator[str | None]:
    """Hold the home for one run; the lock goes with the process, however it ends.

    Leftovers are removed first, those of a run that was killed, and at the end, those of a failure.
    Yields a sentence about the run that was killed, where one was.

    Raises
    ------
    BuildError
        Another run holds the home, or its file system has no locks.
    """
    home.make()
    with hold(home.root, command, study) as killed:
        told = None
        if killed is not None:
            told = f"The run before ({killed.told(datetime.now(UTC))}) was killed; what it left half written is removed."
            warn(told)
        sweep(home)
        settle_clock(home)
        try:
            yield told
        finally:
            sweep(home)


def sweep(home: Home) -> list[Path]:
    """Remove what a killed run left half written; whole parts stay for the run that goes on."""
    found = leftovers(home)
    for path in found:
        remove(path)
    return found


def leftovers(home: Home) -> list[Path]:
    """Find what is half written: by a run that goes on, or that was killed."""
    return [path for pattern in LEFTOVERS for path in sorted(home.root.glob(pattern))]


def settle_clock(home: Home) -> None:
    """Let results that were used in the future, by a clock that was put back, count as used just now.

    Their order stays, and whatever this run uses counts as used after them: they are pruned by the
    order of runs.
    """
    now = time.time()
    ahead = [
        (status.st_mtime, path)
        for path in home.work.iterdir()
        if (status := path.stat()).st_mtime > now
    ]
    for number, (_, path) in enumerate(sorted(ahead, reverse=True)):
        moment = now - 1e-3 * (number + 1)
        os.utime(path, (moment, moment))


def prune(home: Home, keep: int) -> None:
    """Keep the last builds, of every step the results that were used last, and the last logs."""
    for _, paths, _ in outdated(home, keep):
        for path in paths:
            remove(path)


def outdated(home: Home, keep: int) -> list[tuple[str, list[Path], int]]:
    """Find what `prune` removes: old builds but never the published one, old results, old logs.

    A result and what lies beside it (left-out cells, headroom, parts, ...) share a key and go
    together. Parcels that a cluster measured in parts stay as long as a build that names them.

    Returns
    -------
    list
        What it is, its files and folders, and how many of its kind are kept.
    """
    published = published_copy(home)
    builds = [path for path in sorted(home.builds.glob("*.duckdb"))[:-keep] if path != published]
    found = [("build", [path], keep) for path in builds]
    for kind, by_key in sorted(results_of(home).items()):
        newest = sorted(by_key.values(), key=last_used, reverse=True)
        found += [(f"{kind} result", sorted(paths), keep) for paths in newest[keep:]]
    going = {path for _, paths, _ in found for path in paths}
    named = {path for build in builds_of(home) if build not in going for path in parts_of(build)}
    found += [("parts", [path], 1) for path in unnamed_parts(home, named)]
    logs = sorted(home.logs.glob("*.jsonl"))[:-KEEP_LOGS]
    return [*found, *(("log", [path], KEEP_LOGS) for path in logs)]


def builds_of(home: Home) -> list[Path]:
    """All builds of a home, the published one last."""
    published = [home.build] if home.build.is_file() else []
    return [*sorted(home.builds.glob("*.duckdb")), *published]


def parts_of(build: Path) -> list[Path]:
    """Folders of this machine that a build reads its parcels from; none where it cannot be read."""
    try:
        with store.open_build(build) as con:
            return [Path(row["folder"]) for row in rows_of(con, "query/parts_folders")]
    except (BuildError, duckdb.Error):
        # Made by another version, before there were parts.
        return []


def unnamed_parts(home: Home, named: Collection[Path]) -> list[Path]:
    """Folders of parts that no build names, but the newest of each kind: a run may go on with it."""
    by_kind: dict[str, list[Path]] = {}
    for path in sorted(home.parts.glob("*")):
        if found := _PARTS_FOLDER.fullmatch(path.name):
            by_kind.setdefault(found["kind"], []).append(path)
    older = [
        path
        for paths in by_kind.values()
        for path in sorted(paths, key=lambda path: path.stat().st_mtime)[:-1]
    ]
    return [path for path in older if path not in named]


def published_copy(home: Home) -> Path | None:
    """Return the kept build that is the published one; None where there is none."""
    if not home.build.is_file():
        return None
    kept = sorted(home.builds.glob("*.duckdb"), reverse=True)
    found = next((path for path in kept if path.samefile(home.build)), None)
    if found is None:
        # Where files cannot be linked the published build is a copy.
        run = run_of(home.build)
        named = home.builds / f"{run['run_id']}.duckdb" if run else None
        found = named if named in kept else None
    return found


def run_of(build: Path) -> dict[str, Any] | None:
    """Row of the run that made a build; None where there is none or it cannot be read."""
    try:
        with store.open_build(build) as con:
            return rows_of(con, "query/run")[0]
    except (BuildError, duckdb.Error, IndexError):
        return None


def results_of(home: Home) -> dict[str, dict[str, list[Path]]]:
    """Results of steps: by kind and by key, the files and folders that share it."""
    results: dict[str, dict[str, list[Path]]] = {}
    for path in home.work.iterdir():
        if found := _STEP_RESULT.match(path.name):
            results.setdefault(found["kind"], {}).setdefault(found["key"], []).append(path)
    return results


def last_used(paths: list[Path]) -> float:
    """Moment at which a run last made or took a result."""
    return max(path.stat().st_mtime for path in paths)


def remove(path: Path) -> None:
    """Remove a file, or a folder with all in it."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
