"""Keep a home in order: one run at a time, no leftovers of a killed one, old results pruned."""

import fcntl
import os
import re
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from data.errors import BuildError
from flows.home import Home

LOCK_NAME = ".lock"
# What a run writes before it is renamed into place, and what DuckDB writes beside it.
LEFTOVERS = (
    "builds/*.tmp",
    "builds/*.tmp.wal",
    "work/*.tmp",
    "work/*.tmp.wal",
    "work/*.part",
    "work/*.parts/*.part",
    ".*.duckdb",
)
_STEP_RESULT = re.compile(r"(?P<kind>.+)-(?P<key>[0-9a-f]{16})\.")


@contextmanager
def alone(home: Home) -> Generator[None]:
    """Hold the home for one run; the lock goes with the process, however it ends.

    Leftovers are removed first, those of a run that was killed, and at the end, those of a failure.

    Raises
    ------
    BuildError
        Another run holds the home.
    """
    home.make()
    with (home.root / LOCK_NAME).open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            msg = f"Another run (process {lock.read().strip() or 'unknown'}) writes to {home.root}."
            raise BuildError(msg, "Wait until it has ended, or name another --home.") from error
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        sweep(home)
        try:
            yield
        finally:
            sweep(home)


def sweep(home: Home) -> list[Path]:
    """Remove what a killed run left half written; whole parts stay for the run that goes on."""
    found = [path for pattern in LEFTOVERS for path in sorted(home.root.glob(pattern))]
    for path in found:
        path.unlink(missing_ok=True)
    return found


def prune(home: Home, keep: int) -> None:
    """Keep the last builds, and of every step the results that were used last.

    A result and what lies beside it (left-out cells, headroom, parts, ...) share a key and go
    together.
    """
    for old in sorted(home.builds.glob("*.duckdb"))[:-keep]:
        old.unlink()
    results: dict[str, dict[str, list[Path]]] = {}
    for path in home.work.iterdir():
        if found := _STEP_RESULT.match(path.name):
            results.setdefault(found["kind"], {}).setdefault(found["key"], []).append(path)
    for by_key in results.values():
        newest = sorted(by_key.values(), key=_last_used, reverse=True)
        for paths in newest[keep:]:
            for path in paths:
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()


def _last_used(paths: list[Path]) -> float:
    return max(path.stat().st_mtime for path in paths)
