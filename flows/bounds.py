"""Bounds of a query that a user writes: time, memory, and what kind of statement it may be."""

import os
import resource
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from data.errors import UsageError

TIMEOUT_S = 60.0
LONGEST_S = 86_400.0
# After an interrupt, how long a function may go on that does not look for one, seconds.
GRACE_S = 5.0
MEGABYTE = 1_000_000
QUESTIONS = ("SELECT", "EXPLAIN", "MULTI")


def memory_mb() -> int:
    """Half of the machine's memory, MB."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2 // MEGABYTE


def question_of(con: duckdb.DuckDBPyConnection, query: str) -> duckdb.Statement:
    """Parse a query, which is to be one statement that asks.

    Raises
    ------
    UsageError
        There are none or several, or it does something else.
    """
    statements = con.extract_statements(query)
    if len(statements) != 1:
        msg = f"{len(statements)} statements were given, one is answered."
        raise UsageError(msg, "Ask one question at a time.")
    try:
        kind = statements[0].type.name
    except ValueError:
        # A kind that the Python client has no name for.
        kind = "this statement"
    # What pivots is several statements inside.
    if kind not in QUESTIONS:
        msg = f"A build answers questions only: {kind} is none."
        raise UsageError(msg, "Ask with select, from, with, pivot, describe, summarize or show.")
    return statements[0]


@contextmanager
def bounded(con: duckdb.DuckDBPyConnection, timeout_s: float, memory: int) -> Generator[None]:
    """Bound what the block asks of a connection.

    DuckDB bounds most of its memory by itself; the process is bounded as well, for the single values
    that it does not count. A function that no interrupt reaches ends the process.

    Parameters
    ----------
    con
        Connection whose query is interrupted.
    timeout_s
        Seconds that the block may take.
    memory
        MB that the block may take.

    Raises
    ------
    UsageError
        It took longer, or more.
    """
    is_late = threading.Event()

    def interrupt() -> None:
        is_late.set()
        con.interrupt()

    late = f"The query took longer than {timeout_s:g} s."
    timers = [
        threading.Timer(timeout_s, interrupt),
        threading.Timer(timeout_s + GRACE_S, _end, [late]),
    ]
    for timer in timers:
        timer.daemon = True
        timer.start()
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = _held_bytes() + memory * MEGABYTE
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
    try:
        yield
    except duckdb.InterruptException as error:
        if not is_late.is_set():
            raise KeyboardInterrupt from error
        raise UsageError(late, "Ask for less, or give it longer with --timeout.") from error
    except (duckdb.OutOfMemoryException, MemoryError) as error:
        msg = f"The query needs more than {memory / 1000:.1f} GB of memory."
        raise UsageError(msg, "Ask for less: fewer rows, shorter values.") from error
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
        for timer in timers:
            timer.cancel()


def _held_bytes() -> int:
    """Memory of the kind that RLIMIT_DATA counts that the process has by now; 0 where nobody says it."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    told = [line.split()[1] for line in lines if line.startswith("VmData:")]
    return int(told[0]) * 1024 if told else 0


def _end(message: str) -> None:
    """End the process at once: its main thread is in a function that does not return."""
    sys.stderr.write(f"Error: {message}\n")
    sys.stderr.flush()
    os._exit(UsageError.exit_code)
