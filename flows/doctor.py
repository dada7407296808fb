"""Doctor: whether all is there that a run needs, and whether what the last runs left is sound."""

import os
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

import geo
from data.access.file import MIRROR_VARIABLE
from data.errors import GridsteadError
from data.pull import mirror_from_environment
from flows import doctor_build, notify
from flows.cache_state import damaged
from flows.clock import age, is_behind
from flows.finding import ERROR, OK, WARN, Finding
from flows.home import Home
from flows.home_lock import holder_of
from flows.housekeeping import leftovers
from flows.show import Shown

PYTHON = (3, 11)
# A run writes a build beside the published one, and results of steps of about its size: below the
# first a run may not end, below the second the one after the next.
NEEDED, WANTED = 2, 4
GIGABYTE = 1_000_000_000
# Where there is no build to measure by.
FEW_GB = 5
SERVER_TIMEOUT_S = 5.0
COLUMNS = {"check": "check", "status": "status", "found": "found", "hint": "what to do"}


def doctor(
    home: Home, *, deep: bool = False, max_age_h: float | None = None, send: bool = False
) -> Shown:
    """Examine the environment and a home.

    Parameters
    ----------
    home
        Home to look at; nothing in it is changed.
    deep
        Read every object of the cache, not the small ones only.
    max_age_h
        Hours after which the last run is too old, which is an error; without it, a warning after 36.
    send
        Send a notification as a test.
    """
    now = datetime.now(UTC)
    findings = [
        *_python(),
        _kernels(),
        _disk(home),
        _writable(home),
        _lock(home),
        _clock(home, now),
        _cache(home, deep=deep),
        _partial(home, now),
        _leftovers(home),
        *doctor_build.examine(home, now, max_age_h),
        _mirror(),
        _server(),
        _notify(send=send),
    ]
    rows = [finding.row() for finding in findings]
    errors, warnings = (
        sum(finding.status == status for finding in findings) for status in (ERROR, WARN)
    )
    notes = [f"{len(findings)} checks of {home.root}: {errors} errors, {warnings} warnings."]
    payload = {
        "home": str(home.root),
        "errors": errors,
        "warnings": warnings,
        "checks": rows,
        "sources": doctor_build.sources_of(home, now),
    }
    return Shown(
        "Doctor", rows, columns=COLUMNS, notes=notes, payload=payload, exit_code=1 if errors else 0
    )


def _python() -> Iterator[Finding]:
    found = f"Python {sys.version.split()[0]}"
    is_known = sys.version_info >= PYTHON
    yield Finding("python", OK if is_known else ERROR, found, "" if is_known else "Take 3.11 or later.")  # fmt: skip
    wrong = []
    pinned = []
    for text in requires("gridstead") or []:
        needed = Requirement(text)
        if needed.marker is not None and not needed.marker.evaluate({"extra": ""}):
            continue
        try:
            installed = version(needed.name)
        except PackageNotFoundError:
            wrong.append(f"{needed} is not installed")
            continue
        if not needed.specifier.contains(installed, prereleases=True):
            wrong.append(f"{needed.name} {installed} is outside {needed.specifier}")
        elif any(spec.operator == "<" for spec in needed.specifier):
            pinned.append(f"{needed.name} {installed}")
    if wrong:
        hint = "Install requirements.lock: make setup."
        yield Finding("packages", ERROR, "; ".join(wrong) + ".", hint)
    else:
        yield Finding("packages", OK, ", ".join(pinned) + " and all others are in their ranges.")


def _kernels() -> Finding:
    place = Path(os.environ.get("NUMBA_CACHE_DIR") or geo.__path__[0])
    count = len(list(place.rglob("*.nbi")))
    if not os.access(place, os.W_OK) and not count:
        hint = "Set NUMBA_CACHE_DIR to a folder that can be written."
        return Finding(
            "kernels", WARN, f"{place} cannot be written: every run compiles anew.", hint
        )
    if not count:
        return Finding("kernels", OK, "Not compiled yet: the first run does it.")
    return Finding("kernels", OK, f"{count} compiled kernels are kept.")


def _disk(home: Home) -> Finding:
    place = _nearest(home.root)
    free = shutil.disk_usage(place).free
    found = f"{free / GIGABYTE:,.1f} GB are free"
    hint = "Make room: gridstead prune --max-gb, or name a --home on a larger disk."
    if not home.build.is_file():
        status = OK if free > FEW_GB * GIGABYTE else WARN
        return Finding("disk", status, f"{found}; no build yet to measure by.", hint if status == WARN else "")  # fmt: skip
    size = home.build.stat().st_size
    found = (
        f"{found}; the last build takes {size / GIGABYTE:,.2f} GB, a run up to {NEEDED} times that."
    )
    if free < NEEDED * size:
        return Finding("disk", ERROR, found, hint)
    return Finding("disk", *((WARN, found, hint) if free < WANTED * size else (OK, found)))


def _writable(home: Home) -> Finding:
    folders = [folder for folder in (home.root, home.cache, home.work, home.builds, home.exports, home.logs) if folder.exists()]  # fmt: skip
    refused = [
        folder
        for folder in folders or [_nearest(home.root)]
        if not os.access(folder, os.W_OK | os.X_OK)
    ]
    if refused:
        hint = "Give the user of the runs the right to write there, or name another --home."
        return Finding("home", ERROR, f"{refused[0]} cannot be written.", hint)
    return Finding("home", OK, "can be written." if folders else "is made by the first run.")


def _lock(home: Home) -> Finding:
    try:
        holder, is_held = holder_of(home.root)
    except OSError as error:
        hint = "Name a --home on a local disk."
        return Finding("lock", ERROR, f"The lock cannot be asked: {error.strerror}.", hint)
    told = holder.told(datetime.now(UTC)) if holder else "nobody knows whose"
    if is_held:
        return Finding("lock", WARN, f"A run goes on: {told}.", "Wait until it has ended.")
    if holder is not None:
        return Finding(
            "lock", WARN, f"A run was killed: {told}.", "The next run clears up after it."
        )
    return Finding("lock", OK, "Nobody writes.")


def _clock(home: Home, now: datetime) -> Finding:
    if is_behind(now, home.run_ids()):
        hint = "Set the clock; runs keep their order, but ages and dates are wrong."
        return Finding("clock", WARN, "The clock is behind the last run's.", hint)
    return Finding("clock", OK, "is not behind the last run's.")


def _cache(home: Home, *, deep: bool) -> Finding:
    try:
        wrong, read, held = damaged(home.cache, deep=deep)
    except OSError as error:
        return Finding("cache", ERROR, f"cannot be read: {error.strerror}: {error.filename}.", "Check the permissions.")  # fmt: skip
    if wrong:
        names = ", ".join(str(path.relative_to(home.cache)) for path in wrong[:3])
        found = f"{len(wrong)} of {held} objects are damaged: {names}."
        return Finding("cache", ERROR, found, "Remove them: the next run fetches them anew.")
    found = f"{held} objects; {read} were read, each is what its name says."
    hint = "" if read == held else "--deep reads all of them."
    return Finding("cache", OK, found, hint)


def _partial(home: Home, now: datetime) -> Finding:
    found = sorted((home.cache / "partial").glob("*"))
    if not found:
        return Finding("downloads", OK, "None is broken off.")
    told = ", ".join(
        f"{path.name} of {age(datetime.fromtimestamp(path.stat().st_mtime, UTC), now)}"
        for path in found
    )
    return Finding("downloads", WARN, f"Broken off: {told}.", "The next run goes on with them.")


def _leftovers(home: Home) -> Finding:
    found = leftovers(home)
    if not found:
        return Finding("leftovers", OK, "No file is half written.")
    names = ", ".join(str(path.relative_to(home.root)) for path in found[:3])
    hint = "The next run removes what no run is writing."
    return Finding("leftovers", WARN, f"{len(found)} half written: {names}.", hint)


def _mirror() -> Finding:
    try:
        mirror = mirror_from_environment()
    except GridsteadError as error:
        return Finding("mirror", ERROR, error.message, error.hint)
    return Finding("mirror", OK, f"{MIRROR_VARIABLE} is " + ("not set." if mirror is None else f"{mirror}."))  # fmt: skip


def _server() -> Finding:
    url = os.environ.get("PREFECT_API_URL")
    if not url:
        return Finding(
            "prefect", OK, "PREFECT_API_URL is not set: each run has a server of its own."
        )
    import httpx

    try:
        answer = httpx.get(f"{url.rstrip('/')}/health", timeout=SERVER_TIMEOUT_S)
        why = "" if answer.is_success else f"says {answer.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # Its text may hold a password of the address.
        why = f"does not answer ({type(error).__name__})"
    if why:
        hint = "Start it (prefect server start), or unset PREFECT_API_URL."
        return Finding("prefect", ERROR, f"The server of PREFECT_API_URL {why}.", hint)
    return Finding("prefect", OK, "The server of PREFECT_API_URL answers.")


def _notify(*, send: bool) -> Finding:
    count = len(notify.addresses())
    if not count:
        hint = f"Set {notify.NOTIFY_VARIABLE} to be told of failures."
        status = ERROR if send else OK
        return Finding("notify", status, "Notifications are off.", hint)
    if not send:
        return Finding("notify", OK, f"{count} addresses.", "--notify sends a test.")
    notice = notify.Notice("gridstead doctor: a test", ["Notifications of Gridstead arrive here."])
    failed = notify.tell(notice)
    if failed:
        hint = f"Mend {notify.NOTIFY_VARIABLE}, or look at the service."
        return Finding("notify", ERROR, " ".join(failed), hint)
    return Finding("notify", OK, f"A test was sent to {count} addresses.")


def _nearest(path: Path) -> Path:
    """Return the nearest folder above a path that exists."""
    return next(folder for folder in (path, *path.parents) if folder.is_dir())
