"""What is said when a command fails: one sentence, a hint, an exit code; never a traceback."""

import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path

import duckdb
from cyclopts import CycloptsError

from data.errors import GridsteadError
from geo.errors import GeoError

FAILED = 1
WRONG_USAGE = 2


@dataclass(frozen=True)
class Failure:
    """One sentence, what to do about it, and the exit code."""

    message: str
    hint: str
    exit_code: int
    is_bug: bool = False


def failure_of(error: BaseException) -> Failure:
    """Say an exception as a person would want to read it.

    Whatever is neither the user's nor the machine's fault is a bug: its traceback goes to a log
    file, whose path is the hint.
    """
    if isinstance(error, GridsteadError):
        return Failure(error.message, error.hint, error.exit_code)
    if isinstance(error, GeoError):
        return Failure(str(error), "", WRONG_USAGE)
    if isinstance(error, CycloptsError):
        return Failure(" ".join(str(error).split()), "See gridstead --help.", WRONG_USAGE)
    if isinstance(error, KeyboardInterrupt) or type(error).__name__ == "TerminationSignal":
        return Failure("Stopped.", "The last build stays published.", FAILED)
    if isinstance(error, MemoryError | duckdb.OutOfMemoryException):
        hint = "The last build stays published. Narrow --area, or take a coarser --resolution."
        return Failure("Memory ran out.", hint, FAILED)
    if isinstance(error, OSError) and error.strerror:
        where = f": {error.filename}" if error.filename else ""
        return Failure(f"{error.strerror}{where}.", _SPACE, FAILED)
    if isinstance(error, duckdb.Error) and _is_of_disk(error):
        return Failure(_first_line(error), _SPACE, FAILED)
    if _is_of_prefect(error):
        hint = "Look at PREFECT_API_URL, or unset it to run without a server of your own."
        return Failure(f"Prefect did not answer: {_first_line(error)}", hint, FAILED)
    name = type(error).__name__
    hint = f"Please report it with the traceback in {_keep_traceback(error)}."
    return Failure(
        f"This is a bug in Gridstead: {name}: {_first_line(error)}", hint, FAILED, is_bug=True
    )


def let_go(error: BaseException | None) -> None:
    """Empty the frames of an exception and of those behind it.

    Prefect keeps the exception to its end; a connection in a frame would outlive DuckDB, which
    then lists what it calls leaks on standard error.
    """
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


_SPACE = "Check the free space and the permissions of the folder; the last build stays published."


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else "no message"


def _is_of_disk(error: duckdb.Error) -> bool:
    """Whether DuckDB could not write; a failed commit or checkpoint wraps the write that failed."""
    return isinstance(error, duckdb.IOException) or "Could not write" in str(error)


def _is_of_prefect(error: BaseException) -> bool:
    """Whether the server that Prefect talks to failed, without importing Prefect to find out."""
    is_plain = isinstance(error, RuntimeError) and "Prefect API server" in str(error)
    unreachable = isinstance(error, RuntimeError) and "Failed to reach API" in str(error)
    return (
        is_plain or unreachable or type(error).__module__.partition(".")[0] in {"httpx", "httpcore"}
    )


def _keep_traceback(error: BaseException) -> Path:
    """Write the traceback once, however often the failure is told: on screen, in logs, by mail."""
    kept = getattr(error, "gridstead_traceback", None)
    if kept is not None:
        return kept
    with tempfile.NamedTemporaryFile(
        "w", prefix="gridstead-", suffix=".log", delete=False, encoding="utf-8"
    ) as file:
        file.writelines(traceback.format_exception(error))
    error.gridstead_traceback = Path(file.name)  # ty: ignore[missing-attribute]
    return Path(file.name)
