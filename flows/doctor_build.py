"""What the doctor asks of the published build, of its sources and of the last runs."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from data import store
from data.errors import BuildError, GridsteadError, LackingError
from flows import journal
from flows.clock import age
from flows.finding import ERROR, OK, WARN, Finding
from flows.freshness import known_sources
from flows.home import Home
from flows.reporting import rows_of

# A night and a half: one that was missed shows.
LATE_H = 36.0
RESTORE = "gridstead restore puts a kept build in its place."


def examine(home: Home, now: datetime, max_age_h: float | None) -> Iterator[Finding]:
    """Examine the build, the age of its run, the last try, and the freshness of its sources."""
    if not home.build.is_file():
        yield Finding("build", WARN, "There is no build yet.", "gridstead run.")
        yield from _last_try(home)
        return
    try:
        with store.open_build(home.build) as con:
            run = rows_of(con, "query/run")[0]
            checks = rows_of(con, "query/checks")
            parts = rows_of(con, "query/parts_files")
            sources = rows_of(con, "query/source_report")
    except LackingError as error:
        yield Finding("build", WARN, error.message, error.hint)
        return
    except (BuildError, duckdb.Error, IndexError) as error:
        first = str(error).splitlines()[0] if str(error) else "it holds no run"
        yield Finding("build", ERROR, f"cannot be opened: {first}", RESTORE)
        return
    yield _build(run, checks)
    if parts:
        yield _parts(parts)
    yield _age(run, now, max_age_h)
    yield from _last_try(home)
    yield _stale(sources, now)
    yield _unverified(run["study"], sources)


def sources_of(home: Home, now: datetime) -> list[dict[str, Any]]:
    """Freshness of every source of the published build; none where it cannot be read."""
    try:
        with store.open_build(home.build) as con:
            run = rows_of(con, "query/run")[0]
            sources = rows_of(con, "query/source_report")
    except (GridsteadError, duckdb.Error, IndexError):
        return []
    known = known_sources(run["study"])
    return [
        {
            "source_id": row["source_id"],
            "version": row["version"],
            "as_of": row["as_of"],
            "origin": row["origin"],
            "is_stale": row["is_stale"],
            "fetched_at": row["fetched_at"],
            "fetched": _age_of(row["fetched_at"], now),
            "unverified_since": getattr(known.get(row["source_id"]), "unverified_since", None),
        }
        for row in sources
    ]


def _build(run: dict[str, Any], checks: list[dict[str, Any]]) -> Finding:
    found = {
        severity: [
            row["check_name"]
            for row in checks
            if row["severity"] == severity and row["offending_count"]
        ]
        for severity in ("error", "warn")
    }
    about = f"run {run['run_id']} of study {run['study']}, {run['parcel_count']:,} parcels"
    if run["kept_count"] < run["parcel_count"]:
        about += f" ({run['kept_count']:,} of them in full)"
    if found["error"]:
        return Finding("build", ERROR, f"{about}; failed: {', '.join(found['error'])}.", RESTORE)
    if found["warn"]:
        hint = "Look at the report, or at meta.check_result."
        return Finding("build", WARN, f"{about}; warnings: {', '.join(found['warn'])}.", hint)
    return Finding("build", OK, f"{about}; {len(checks)} checks hold.")


def _parts(files: list[dict[str, Any]]) -> Finding:
    """Whether the files are there that the views of the parts read."""
    there = {
        folder: {path.name for path in Path(folder).glob("*.parquet")}
        for folder in {row["folder"] for row in files}
    }
    lacking = [row for row in files if row["file"] not in there[row["folder"]]]
    if lacking:
        told = f"{len(lacking):,} of {len(files):,} files are gone, {lacking[0]['folder']}/{lacking[0]['file']} among them"
        hint = "Views of the schema parts fail: gridstead run makes what is gone again."
        return Finding("parts", ERROR, f"{told}.", hint)
    return Finding("parts", OK, f"{len(files):,} files of {len(there):,} folders are there.")


def _age(run: dict[str, Any], now: datetime, max_age_h: float | None) -> Finding:
    ended = run["finished_at"] or run["started_at"]
    told = f"ended {_age_of(ended, now)}"
    late = timedelta(hours=LATE_H if max_age_h is None else max_age_h)
    if now - ended.replace(tzinfo=UTC) > late:
        hint = "Look at the schedule and at gridstead runs."
        status = WARN if max_age_h is None else ERROR
        return Finding("last run", status, f"{told}: later than {late / timedelta(hours=1):g} hours.", hint)  # fmt: skip
    return Finding("last run", OK, f"{told}.")


def _last_try(home: Home) -> Iterator[Finding]:
    logs = sorted(home.logs.glob(f"*{journal.SUFFIX}"))
    if not logs:
        return
    end = journal.ending(logs[-1])
    if end is None or end["outcome"] == journal.PUBLISHED:
        # One that goes on, or was killed, is told of by the lock.
        return
    hint = end.get("hint") or "See gridstead runs."
    yield Finding("last try", WARN, f"{logs[-1].stem} failed: {end['message']}", hint)


def _stale(sources: list[dict[str, Any]], now: datetime) -> Finding:
    stale = [
        f"{row['source_id']} (its copy was fetched {_age_of(row['fetched_at'], now)}, as of {row['as_of']})"
        for row in sources
        if row["is_stale"]
    ]
    if stale:
        hint = "Look whether they answer; `required: fresh` in the study makes it an error."
        return Finding("sources", WARN, f"Stale: {'; '.join(stale)}.", hint)
    dated = sorted(str(row["as_of"]) for row in sources if row["as_of"])
    about = f", data as of {dated[0]} and later" if dated and dated[0][:1].isdigit() else ""
    return Finding("sources", OK, f"{len(sources)} sources, none stale{about}.")


def _unverified(study: str, sources: list[dict[str, Any]]) -> Finding:
    known = known_sources(study)
    found = []
    for row in sources:
        source = known.get(row["source_id"])
        if source is not None and not source.verified:
            found.append(f"{source.id} (since {source.unverified_since})")
    if found:
        hint = "Compare what they hold with what you expect: nobody has run these addresses."
        return Finding("addresses", WARN, f"Not verified: {', '.join(found)}.", hint)
    return Finding("addresses", OK, "All were fetched by somebody before.")


def _age_of(moment: datetime | None, now: datetime) -> str:
    return "at an unknown time" if moment is None else age(moment.replace(tzinfo=UTC), now)
