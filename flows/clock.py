"""Times and run ids."""

import os
from datetime import UTC, datetime


def new_run_id(now: datetime) -> str:
    """Run id that sorts by time and names its process."""
    return f"{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03d}-{os.getpid()}"


def utc(moment: datetime) -> datetime:
    """UTC without a time zone: what every client reads alike, with or without ICU."""
    return moment.astimezone(UTC).replace(tzinfo=None)
