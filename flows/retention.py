"""What a home keeps: by count, and by a cap on its size."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from data import store
from data.catalogue import load_lock
from data.errors import BuildError, GridsteadError, UsageError
from data.network_case import catalogue_of, load_with_case
from flows.cache_state import indexed
from flows.clock import age
from flows.home import Home
from flows.housekeeping import (
    alone,
    last_used,
    outdated,
    parts_of,
    published_copy,
    remove,
    results_of,
    run_of,
)
from flows.progress import log, warn
from flows.reporting import rows_of
from flows.show import Shown

GIGABYTE = 1_000_000_000
COLUMNS = {"what": "what", "path": "path", "megabytes": "MB", "why": "why"}


@dataclass(frozen=True)
class Removable:
    """Files that may go together, and why."""

    what: str
    paths: tuple[Path, ...]
    why: str

    def bytes(self) -> int:
        """Size of the files."""
        return sum(file.stat().st_size for path in self.paths for file in _files(path))


def cap(home: Home, max_gb: float, study: str | None = None) -> None:
    """Bring a home under a size at the end of a run, or say why it cannot be; the caller holds the lock."""
    found, left = over(home, max_gb, study)
    for item in found:
        _remove(item)
    if found:
        log(f"{len(found):,} results and files were removed to keep the home within {max_gb:g} GB")
    if left > max_gb * GIGABYTE:
        warn(_too_large(home, left, max_gb))


def over(
    home: Home, max_gb: float, study: str | None = None, gone: Iterable[Removable] = ()
) -> tuple[list[Removable], int]:
    """Find what goes, first what costs least to have again, until a home is under a size.

    Objects of the cache that nothing names, broken downloads that no run went on with, results of
    steps by the order of their last use, builds by the order of their runs, and at last the newest result
    of each step, which the next run would have to make again. The published build,
    the last good copy of every source and what a lock pins, exports, history and logs stay.

    Parameters
    ----------
    home
        Home to look at.
    max_gb
        Size in GB (10^9 bytes) of all that lies in the home.
    study
        Study whose lock counts beside ours and that of the published build's study.
    gone
        What is to be removed anyway.

    Returns
    -------
    tuple
        What goes, and the bytes that stay.
    """
    already = {path for item in gone for path in item.paths}
    size = _size(home.root) - sum(item.bytes() for item in gone)
    found = []
    older, newest = _results(home)
    for item in (*_unnamed(home, study), *older, *_builds(home), *newest):
        if size <= max_gb * GIGABYTE:
            break
        if already & set(item.paths):
            continue
        found.append(item)
        size -= item.bytes()
    return found, size


def prune(
    home: Home, *, keep_builds: int, max_gb: float | None, study: str | None, dry_run: bool
) -> Shown:
    """Remove what is too old or too much, or list it.

    Raises
    ------
    UsageError
        A number keeps nothing.
    BuildError
        There is no home.
    """
    if keep_builds < 1:
        msg = f"--keep-builds {keep_builds} keeps no build."
        raise UsageError(msg, "Keep 1 or more.")
    if max_gb is not None and not max_gb > 0:
        msg = f"--max-gb {max_gb:g} leaves no room."
        raise UsageError(msg, "Give a size above 0.")
    if not home.root.is_dir():
        msg = f"There is no home at {home.root}."
        raise BuildError(msg, "Run `gridstead run` first, or name another --home.")
    with alone(home, "prune"):
        found = [
            Removable(f"old {what}", tuple(paths), f"beyond the last {keep}")
            for what, paths, keep in outdated(home, keep_builds)
        ]
        left = _size(home.root) - sum(item.bytes() for item in found)
        if max_gb is not None:
            more, left = over(home, max_gb, study, found)
            found += more
        rows = [
            {
                "what": item.what,
                "path": str(item.paths[0].relative_to(home.root)),
                "files": len(item.paths),
                "megabytes": item.bytes() / 1e6,
                "why": item.why,
            }
            for item in found
        ]
        if not dry_run:
            for item in found:
                _remove(item)
    freed = sum(float(row["megabytes"]) for row in rows)
    notes = [
        f"{freed:,.0f} MB {'would go' if dry_run else 'went'}, {left / 1e6:,.0f} MB stay."
        if rows
        else f"Nothing to remove: {left / 1e6:,.0f} MB stay."
    ]
    if max_gb is not None and left > max_gb * GIGABYTE:
        notes.append(_too_large(home, left, max_gb))
    return Shown("", rows, columns=COLUMNS, notes=notes)


def unnamed_objects(home: Home, study: str | None = None) -> list[Path]:
    """Objects of the cache that no index entry, lock or published build names, oldest first."""
    named = _named(home, study)
    objects = [path for path in (home.cache / "objects").glob("*/*") if path.name not in named]
    return sorted(objects, key=lambda path: path.stat().st_mtime)


def _named(home: Home, study: str | None) -> set[str]:
    """Hashes that must stay: last good copies, what locks pin, what the published build was made from."""
    named = {entry.sha256 for entry in load_lock().sources.values()}
    named |= {entry["sha256"] for entry in indexed(home.cache).values()}
    run = run_of(home.build)
    for name in (study, run["study"] if run else None):
        if name is None:
            continue
        try:
            named |= {
                entry.sha256 for entry in catalogue_of(load_with_case(name))[1].sources.values()
            }
        except (GridsteadError, OSError):
            # A study of the user's that lies elsewhere: what its build was made from stays all the same.
            continue
    if run is not None:
        try:
            with store.open_build(home.build) as con:
                named |= {row["sha256"] for row in rows_of(con, "query/source_report")}
        except (BuildError, duckdb.Error):
            pass
    return named


def _unnamed(home: Home, study: str | None) -> list[Removable]:
    now = datetime.now(UTC)
    found = [
        Removable("cache object", (path,), f"named by nothing, of {_when(path, now)}")
        for path in unnamed_objects(home, study)
    ]
    # Nobody downloads while the lock is held by whoever asks.
    parts = sorted((home.cache / "partial").glob("*"), key=lambda path: path.stat().st_mtime)
    return found + [
        Removable("broken download", (path,), f"of {_when(path, now)}") for path in parts
    ]


def _results(home: Home) -> tuple[list[Removable], list[Removable]]:
    """Results of steps but the newest of each kind, and the newest; those used longest ago come first."""
    now = datetime.now(UTC)
    older: list[tuple[float, Removable]] = []
    newest: list[tuple[float, Removable]] = []
    for kind, by_key in results_of(home).items():
        used = sorted(by_key.values(), key=last_used)
        for paths in used:
            moment = last_used(paths)
            why = f"last used {age(datetime.fromtimestamp(moment, UTC), now)}"
            item = Removable(f"{kind} result", tuple(sorted(paths)), why)
            (newest if paths is used[-1] else older).append((moment, item))
    ordered = [
        [item for _, item in sorted(found, key=lambda pair: pair[0])] for found in (older, newest)
    ]
    return ordered[0], ordered[1]


def _builds(home: Home) -> list[Removable]:
    published = published_copy(home)
    found = [path for path in sorted(home.builds.glob("*.duckdb")) if path != published]
    # Parts go with the last build that names them.
    last = {folder: path for path in found for folder in parts_of(path)}
    kept = parts_of(home.build) if home.build.is_file() else []
    return [
        Removable("build", (path, *_own_parts(home, last, path, kept)), "the oldest of those kept")
        for path in found
    ]


def _own_parts(
    home: Home, last: Mapping[Path, Path], build: Path, kept: Collection[Path]
) -> list[Path]:
    """Folders of parts in the home that go with a build; what lies elsewhere is not the home's."""
    return [
        folder
        for folder, by in last.items()
        if by == build and folder not in kept and folder.parent == home.parts
    ]


def _remove(item: Removable) -> None:
    for path in item.paths:
        remove(path)
    if item.what == "cache object":
        folder = item.paths[0].parent
        if not any(folder.iterdir()):
            folder.rmdir()


def _size(folder: Path) -> int:
    """Bytes of all files of a folder, each counted once whatever names it has."""
    sizes: dict[tuple[int, int], int] = {}
    for file in _files(folder):
        try:
            status = file.stat()
        except FileNotFoundError:
            # Prefect's own files come and go.
            continue
        sizes[status.st_dev, status.st_ino] = status.st_size
    return sum(sizes.values())


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return [file for file in path.rglob("*") if file.is_file() and not file.is_symlink()]
    return [path] if path.exists() else []


def _when(path: Path, now: datetime) -> str:
    return age(datetime.fromtimestamp(path.stat().st_mtime, UTC), now)


def _too_large(home: Home, left: int, max_gb: float) -> str:
    return (
        f"{home.root} still holds {left / GIGABYTE:.1f} GB, more than {max_gb:g} GB: the published build, "
        "last good copies of sources, exports, history, logs and Prefect's own files stay."
    )
