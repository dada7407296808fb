"""What a run says while it works: a bar when a person watches, plain lines when not."""

import json
import logging
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from time import monotonic
from typing import Any, ClassVar

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
# Attribute of a log record that holds its fields.
FIELDS = "gridstead_fields"


def log(line: str, **fields: Any) -> None:
    """Say one line; its numbers and names go to structured logs as fields of their own."""
    LOGGER.info(line, extra={FIELDS: fields})


def warn(line: str, **fields: Any) -> None:
    """Say one line that somebody should read."""
    LOGGER.warning(line, extra={FIELDS: fields})


@contextmanager
def shown(*, quiet: bool = False, as_json: bool = False) -> Generator[None]:
    """Show the run's lines on standard error while the block runs."""
    console = Console(stderr=True)
    handler: logging.Handler
    if as_json:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(JsonLines())
    elif console.is_terminal:
        handler = RichHandler(console=console, show_path=False, show_level=False, markup=False)
    else:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    before = LOGGER.level, LOGGER.propagate
    # The log of the run takes every line, whatever is shown.
    LOGGER.setLevel(logging.INFO)
    handler.setLevel(logging.WARNING if quiet else logging.INFO)
    LOGGER.propagate = False
    LOGGER.addHandler(handler)
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)
        LOGGER.setLevel(before[0])
        LOGGER.propagate = before[1]


class JsonLines(logging.Formatter):
    """A line of a run as JSON: ts, level, step, message, and its fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record as one line."""
        told = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "step": Stopwatch.current,
            "message": record.getMessage(),
        }
        return json.dumps(told | getattr(record, FIELDS, {}), default=str, ensure_ascii=False)


class Stopwatch:
    """Seconds by step.

    Parameters
    ----------
    steps
        Names of all steps in their order.
    begun
        Called with the number of steps that are done whenever one is.
    """

    # A process runs one study at a time, and its tasks in threads: the step is one for all of them.
    current: ClassVar[str | None] = None

    def __init__(self, steps: Sequence[str], begun: Callable[[int], None] = lambda _: None) -> None:
        self.seconds: dict[str, float] = {}
        self._steps = steps
        self._begun = begun
        self._last = monotonic()
        Stopwatch.current = steps[0]

    def lap(self, step: str) -> None:
        """Book the time since the last lap on a step; what follows is of the next one."""
        now = monotonic()
        self.seconds[step] = round(now - self._last, 3)
        self._last = now
        log(f"{step}: {self.seconds[step]:.1f} s", seconds=self.seconds[step])
        after = self._steps.index(step) + 1
        Stopwatch.current = self._steps[after] if after < len(self._steps) else None
        self._begun(after)


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
