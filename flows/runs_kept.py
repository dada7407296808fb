"""Runs of a home: builds that are kept, and runs that failed, from their logs."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from data import store
from data.errors import BuildError
from flows import journal
from flows.clock import moment_of, utc
from flows.home import Home
from flows.home_lock import holder_of
from flows.housekeeping import published_copy, run_of
from flows.reporting import rows_of
from flows.show import Shown

MEGABYTE = 1_000_000
COLUMNS = {
    "run_id": "run",
    "study": "study",
    "started_at": "started",
    "outcome": "outcome",
    "is_published": "published",
    "parcels": "parcels",
    "seconds": "seconds",
    "megabytes": "MB",
    "stale": "stale sources",
}


def runs(home: Home) -> Shown:
    """List kept builds and failed runs, newest first."""
    builds = {path.stem: path for path in home.builds.glob("*.duckdb")}
    logs = {path.stem: path for path in home.logs.glob(f"*{journal.SUFFIX}")}
    published = published_copy(home)
    rows = []
    for run_id in sorted(builds.keys() | logs.keys(), reverse=True):
        if run_id in builds:
            rows.append(_of_build(builds[run_id], published, logs.get(run_id)))
        elif failed := _of_log(logs[run_id], home, is_last=run_id == max(logs)):
            rows.append(failed)
    notes = [f"{row['run_id']}: {row['note']}" for row in rows if "note" in row]
    if home.build.is_file() and published is None:
        notes.append(_without_copy(home))
    if not rows:
        notes.append("No run yet: gridstead run.")
    return Shown("Runs", rows, columns=COLUMNS, notes=notes)


def stale_of(build: Path) -> list[str]:
    """Name the sources of a build that were stale when it was made."""
    with store.open_build(build) as con:
        return [row["source_id"] for row in rows_of(con, "query/source_report") if row["is_stale"]]


def _of_build(path: Path, published: Path | None, log: Path | None) -> dict[str, Any]:
    run = run_of(path)
    if run is None:
        return {"run_id": path.stem, "path": str(path), "outcome": "damaged", "note": "cannot be opened"}  # fmt: skip
    row = {
        "run_id": run["run_id"],
        "study": run["study"],
        "started_at": run["started_at"],
        "outcome": journal.PUBLISHED,
        "parcels": run["parcel_count"],
        "seconds": sum(run["seconds"].values()) if run["seconds"] else None,
        "is_published": path == published,
        "megabytes": path.stat().st_size / MEGABYTE,
        "bytes": path.stat().st_size,
        "stale": _stale(path),
        "path": str(path),
    }
    end = journal.ending(log) if log else None
    if end and end["outcome"] == journal.FAILED:
        row |= {"outcome": "published, then failed", "note": end["message"]}
    return row


def _of_log(path: Path, home: Home, *, is_last: bool) -> dict[str, Any] | None:
    """Row of a run that left no build; None of one whose build was removed since."""
    end = journal.ending(path)
    if end is not None and end["outcome"] == journal.PUBLISHED:
        return None
    began = next((line for line in journal.read(path) if line.get("message") == "began"), {})
    if end is None:
        is_running = is_last and _is_held(home)
        outcome, note = ("running", "goes on") if is_running else ("killed", "the run was killed")
    else:
        outcome, note = end["outcome"], end["message"]
    return {
        "run_id": path.stem,
        "study": began.get("study"),
        "started_at": _moment(path.stem, began),
        "outcome": outcome,
        "is_published": False,
        "megabytes": None,
        "note": note,
        "log": str(path),
    }


def _moment(run_id: str, began: dict[str, Any]) -> datetime | None:
    """When a run began: by its log, which is right where the clock was put back, else by its id."""
    try:
        return utc(datetime.fromisoformat(began["ts"]))
    except (KeyError, ValueError, TypeError):
        moment = moment_of(run_id)
        return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)


def _is_held(home: Home) -> bool:
    try:
        return holder_of(home.root)[1]
    except OSError:
        return False


def _stale(path: Path) -> list[str]:
    try:
        return stale_of(path)
    except (BuildError, duckdb.Error):
        return []


def _without_copy(home: Home) -> str:
    run = run_of(home.build)
    if run is None:
        return f"{home.build} cannot be opened: gridstead restore puts a kept build in its place."
    return f"The published build is of run {run['run_id']}, of which builds/ has no copy."
