"""What a run says while it works: a bar when a person watches, plain lines when not."""

import logging
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.logging import RichHandler
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TransferSpeedColumn,
)

LOGGER = logging.getLogger("gridstead")
MEGABYTE = 1_000_000


def log(line: str) -> None:
    """Say one line."""
    LOGGER.info(line)


@contextmanager
def shown(*, quiet: bool = False) -> Generator[None]:
    """Show the run's lines on standard error while the block runs."""
    console = Console(stderr=True)
    handler: logging.Handler
    if console.is_terminal:
        handler = RichHandler(console=console, show_path=False, show_level=False, markup=False)
    else:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    before = LOGGER.level, LOGGER.propagate
    LOGGER.setLevel(logging.WARNING if quiet else logging.INFO)
    LOGGER.propagate = False
    LOGGER.addHandler(handler)
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)
        LOGGER.setLevel(before[0])
        LOGGER.propagate = before[1]


class PullProgress:
    """Progress of downloads: one bar a source on a terminal, else a line at the start and end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bars: dict[str, TaskID] = {}
        self._said: set[str] = set()
        console = Console(stderr=True)
        self._progress = (
            Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                DownloadColumn(),
                TransferSpeedColumn(),
                console=console,
                transient=True,
            )
            if console.is_terminal
            else None
        )

    def __call__(self, source_id: str, done_bytes: int, total_bytes: int | None) -> None:
        """Report bytes of one source."""
        with self._lock:
            if self._progress is None:
                self._say(source_id, done_bytes, total_bytes)
                return
            if not self._bars:
                self._progress.start()
            if source_id not in self._bars:
                self._bars[source_id] = self._progress.add_task(source_id, total=total_bytes)
            self._progress.update(self._bars[source_id], completed=done_bytes, total=total_bytes)

    def close(self) -> None:
        """Take the bars away."""
        with self._lock:
            if self._progress is not None and self._bars:
                self._progress.stop()
                self._bars.clear()

    def _say(self, source_id: str, done_bytes: int, total_bytes: int | None) -> None:
        if source_id not in self._said:
            self._said.add(source_id)
            size = f" ({total_bytes / MEGABYTE:.0f} MB)" if total_bytes else ""
            log(f"downloading {source_id}{size}")
        elif total_bytes and done_bytes >= total_bytes and f"{source_id} done" not in self._said:
            self._said.add(f"{source_id} done")
            log(f"downloaded {source_id}")


class MeasureProgress:
    """Progress of measuring, as a line every few seconds and one at the end.

    Parameters
    ----------
    total
        Parcels in all.
    say
        Takes each line.
    every_s
        Seconds between two lines.
    """

    def __init__(self, total: int, say: Callable[[str], None], *, every_s: float = 5.0) -> None:
        self._total = total
        self._say = say
        self._every_s = every_s
        self._found = self._failed = self._measured = 0
        self._began = self._said_at = monotonic()

    def found(self, count: int) -> None:
        """Count parcels that an earlier run measured."""
        self._found += count
        self._tell()

    def failed(self, count: int) -> None:
        """Count parcels of a chunk that failed."""
        self._failed += count
        self._tell()

    def measured(self, count: int) -> None:
        """Count parcels measured now."""
        self._measured += count
        self._tell()

    def _tell(self) -> None:
        now = monotonic()
        done = self._found + self._failed + self._measured
        if done < self._total and now - self._said_at < self._every_s:
            return
        self._said_at = now
        known = self._found + self._measured
        rate = self._measured / max(now - self._began, 1e-9)
        share = 100 * known / self._total
        line = f"measured {known:,} of {self._total:,} parcels ({share:.0f} %)"
        notes = [f"{rate:,.0f}/s"] if self._measured else []
        notes += [f"{self._found:,} of them before"] if self._found else []
        notes += [f"{self._failed:,} failed"] if self._failed else []
        self._say(", ".join([line, *notes]))
