"""Times, ages and run ids."""

import os
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

# Date, time to the millisecond and process.
_RUN_ID = re.compile(r"(\d{8}T\d{9})-\d+")
_STAMP = "%Y%m%dT%H%M%S%f"
# After its last moment there is none for the next run.
LAST_YEAR = 9999


def new_run_id(now: datetime, known: Iterable[str] = ()) -> str:
    """Run id that sorts by time, names its process and comes after every known one.

    A clock that was put back must not make the newest run the oldest by name.
    """
    moment = now.astimezone(UTC).replace(microsecond=now.microsecond // 1000 * 1000)
    last = last_moment(known)
    if last is not None and moment <= last:
        moment = last + timedelta(milliseconds=1)
    return f"{moment:%Y%m%dT%H%M%S}{moment.microsecond // 1000:03d}-{os.getpid()}"


def is_behind(now: datetime, known: Iterable[str]) -> bool:
    """Whether the clock shows an earlier time than the id of a known run."""
    last = last_moment(known)
    return last is not None and now + timedelta(milliseconds=1) < last


def last_moment(known: Iterable[str]) -> datetime | None:
    """Latest moment that an id of a run names; None where no id names one."""
    moments = [moment for run_id in known if (moment := moment_of(run_id)) is not None]
    return max(moments, default=None)


def moment_of(run_id: str) -> datetime | None:
    """Moment that a run id names; None of a name that is no run id, or of the end of all years."""
    found = _RUN_ID.fullmatch(run_id)
    if found is None:
        return None
    try:
        moment = datetime.strptime(f"{found[1]}000", _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
    return moment if moment.year < LAST_YEAR else None


def age(then: datetime, now: datetime) -> str:
    """Say how long ago a moment was, or that it lies in the future."""
    seconds = (now - then).total_seconds()
    if seconds < -1:
        return f"{_span(-seconds)} in the future"
    return f"{_span(max(seconds, 0))} ago"


def utc(moment: datetime) -> datetime:
    """UTC without a time zone: what every client reads alike, with or without ICU."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def _span(seconds: float) -> str:
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= 2 * length or (unit == "minute" and seconds >= length):
            count = int(seconds // length)
            return f"{count} {unit}" + ("s" if count != 1 else "")
    count = int(seconds)
    return f"{count} second" + ("s" if count != 1 else "")
