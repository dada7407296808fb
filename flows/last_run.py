"""What was read is held against what the catalogue expects of it and against the last build."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb

from data import expectation, store
from data.build import CheckResult
from data.catalogue import LIVE_KINDS
from data.errors import BuildError
from data.study import Study
from flows.home import Home
from flows.reporting import rows_of
from flows.request import RunRequest
from flows.results import Log, attach

# What a live source may do from one run to the next, where its entry says nothing else.
FELL_AT_MOST = 0.2
ROSE_AT_MOST = 0.5
# Share of a table that may lie outside the area, or be invalid. Nine tables of the record of the 48
# states have 5 % or less of either; those of the whole world say more in their entries.
ASIDE_AT_MOST = 0.2
# Rows below which nothing is made of how many came or went.
FEW_ROWS = 10
_ACCEPTED = {"error": "warn", "warn": "warn", "info": "info"}
# How the names of checks end that a run can be told to accept.
_CHANGES = ("fell_by_at_most", "rose_by_at_most", " gone")


def source_results(
    study: Study, request: RunRequest, layers: Path, home: Home, log: Log = lambda _: None
) -> list[CheckResult]:
    """Results of all expectations of what was read; changes are since the build that is published.

    Parameters
    ----------
    study
        The study; a build of another one is not compared with.
    request
        The run; one that accepts changes is only warned of them.
    layers
        Database of the layers, with what was kept of the tables that they were made from.
    home
        Where the last build is published.
    log
        Told when there is nothing to compare with, and why.
    """
    with store.create() as con:
        attach(con, layers)
        known = {"live": sorted(LIVE_KINDS), "few": FEW_ROWS}
        # What changed upstream explains what became of it, so that it is told first.
        rows = rows_of(con, "query/source_checks")
        changes = _changes(con, study, home, known, log)
        if request.accept_changes:
            changes = [row | {"severity": _ACCEPTED[row["severity"]]} for row in changes]
        rows += changes
        rows += rows_of(con, "query/source_set_aside", known | {"usual": ASIDE_AT_MOST})
    return [
        CheckResult(
            row["check_name"],
            row["severity"],
            row["description"],
            row["offending_count"],
            row["examples"],
        )
        for row in rows
    ]


def stop_at_error(results: Iterable[CheckResult]) -> None:
    """Stop the run where a check of severity error found something.

    Raises
    ------
    CheckError
        Names the first of them and counts the others; nothing is published.
    """
    failed = [one for one in results if one.severity == "error" and one.offending_count]
    if failed:
        first = failed[0]
        error = expectation.failure(
            first.name,
            first.description,
            first.offending_count,
            first.examples,
            more=len(failed) - 1,
        )
        if first.name.endswith(_CHANGES):
            error.hint += " If the change is right, run again with --accept-changes."
        raise error


def _changes(
    con: Any, study: Study, home: Home, known: dict[str, Any], log: Log
) -> list[dict[str, Any]]:
    if not home.build.is_file():
        log("sources: no earlier build here to compare with")
        return []
    try:
        con.execute("attach $path as last_run (read_only)", {"path": str(home.build)})
        theirs = rows_of(con, "query/last_run")[0]["study"]
        if theirs != study.id:
            log(f"sources: the last build is of {theirs}, so they are not compared with it")
            return []
        limits = {"fell": FELL_AT_MOST, "rose": ROSE_AT_MOST}
        drift = rows_of(con, "query/source_drift", known | limits)
        return drift + rows_of(con, "query/layer_drift", known)
    except (BuildError, duckdb.Error):
        log("sources: the last build cannot be compared with, it was made by another version")
        return []
