"""The log of each run: a JSON object a line, kept beside the builds."""

import json
import logging
import os
import socket
import traceback
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from data import store
from flows.failing import failure_of
from flows.home import Home
from flows.progress import FIELDS, LOGGER, JsonLines
from flows.reporting import rows_of

SUFFIX = ".jsonl"
# Outcomes that the last line of a log states; a log without one is of a run that lives or was killed.
PUBLISHED, FAILED = "published", "failed"


@contextmanager
def kept(home: Home, run_id: str, study: str, killed: str | None = None) -> Generator[None]:
    """Write every line of a run to `logs/<run id>.jsonl` while the block runs, and how it ended.

    Parameters
    ----------
    home
        Home of the run.
    run_id
        Id of the run.
    study
        Study that was asked for.
    killed
        What was said of the run before, when it was killed.
    """
    home.logs.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(home.logs / f"{run_id}{SUFFIX}", mode="w", encoding="utf-8")
    handler.setFormatter(JsonLines())
    level = LOGGER.level
    # On a worker of Prefect nobody shows the lines, and nobody has set the level.
    if LOGGER.getEffectiveLevel() > logging.INFO:
        LOGGER.setLevel(logging.INFO)
    LOGGER.addHandler(handler)
    try:
        _write(handler, logging.INFO, "began", {
            "run_id": run_id, "study": study, "version": version("gridstead"), "pid": os.getpid(),
            "host": socket.gethostname(),
        })  # fmt: skip
        if killed:
            _write(handler, logging.WARNING, killed, {})
        yield
        _write(handler, logging.INFO, PUBLISHED, {"outcome": PUBLISHED})
    except BaseException as error:
        _write(handler, logging.ERROR, *_told(error))
        raise
    finally:
        LOGGER.removeHandler(handler)
        LOGGER.setLevel(level)
        handler.close()


def tell_build(build: Path) -> None:
    """Say of each source, and of each check that found rows, what the build holds: rows, bytes, age."""
    with store.open_build(build) as con:
        for row in rows_of(con, "query/source_report"):
            names = (
                *("source_id", "theme", "version", "as_of", "origin", "sha256", "bytes"),
                *("is_stale", "fetched_at", "rows_read", "rows_loaded", "rows_rejected"),
            )
            fields = {name: row[name] for name in names}
            fields["source"] = fields.pop("source_id")
            _quietly(f"source {row['source_id']}", fields)
        for row in rows_of(con, "query/checks"):
            if row["offending_count"]:
                fields = {"check": row["check_name"], "severity": row["severity"], "rows": row["offending_count"]}  # fmt: skip
                _quietly(f"check {row['check_name']}: {row['description']}", fields)


def read(path: Path) -> list[dict[str, Any]]:
    """Lines of a log; one that a kill or a full disk cut is left out."""
    found = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            told = json.loads(line)
        except ValueError:
            continue
        if isinstance(told, dict):
            found.append(told)
    return found


def ending(path: Path) -> dict[str, Any] | None:
    """Return what the last line of a log says of the end of its run; None where it says nothing."""
    return next((line for line in reversed(read(path)) if "outcome" in line), None)


def _quietly(message: str, fields: Mapping[str, Any]) -> None:
    """Write a line to files and not to the screen: the report says the same to people."""
    for handler in LOGGER.handlers:
        if isinstance(handler, logging.FileHandler):
            _write(handler, logging.INFO, message, fields)


def _write(handler: logging.Handler, level: int, message: str, fields: Mapping[str, Any]) -> None:
    record = LOGGER.makeRecord(
        LOGGER.name, level, __file__, 0, message, (), None, extra={FIELDS: dict(fields)}
    )
    handler.handle(record)


def _told(error: BaseException) -> tuple[str, dict[str, Any]]:
    """Message and fields of a failure; only a bug has a traceback."""
    failure = failure_of(error)
    fields: dict[str, Any] = {
        "outcome": FAILED,
        "hint": failure.hint,
        "exit_code": failure.exit_code,
        "error": type(error).__name__,
    }
    if failure.is_bug:
        fields["traceback"] = "".join(traceback.format_exception(error))
    return failure.message, fields
