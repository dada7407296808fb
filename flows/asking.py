"""Questions to a published build."""

import re
from pathlib import Path
from typing import Any

import duckdb

from data import store
from data.access.file import locate_file
from data.catalogue import FileAccess, LockEntry, Source
from data.errors import PullError, UsageError
from data.network_case import catalogue_of, load_with_case
from data.pull import mirror_from_environment
from flows import bounds
from flows.cost_words import OBJECTIVES, SHORT_UNITS
from flows.exporting import require_level, require_rows, require_workload
from flows.home import Home
from flows.reporting import rows_of
from flows.show import Shown
from geo.export.report_data import ranks_text

REGION_COLUMNS = {
    "rank": "rank",
    "ranks_drawn": "5 to 95 %",
    "region_id": "id",
    "region_name": "region",
    "score_low": "score",
    "score_high": "up to",
    "cost_mid": "$",
    "capacity_mw": "MW",
    "reason": "reason",
}
PARCEL_COLUMNS = {
    "rank": "rank",
    "ranks_drawn": "5 to 95 %",
    "parcel_id": "parcel",
    "parcel_name": "where",
    "county_name": "county",
    "score_low": "score",
    "score_high": "up to",
    "cost_mid": "$",
    "headroom_mw_low": "MW low",
    "headroom_mw_mid": "MW mid",
    "headroom_mw_high": "MW high",
    "gate_status": "gates",
}


def top(build: Path, workload: str, level: str, n: int) -> Shown:
    """Best regions or parcels of a workload."""
    require_level(level)
    require_rows("-n", n)
    with store.open_build(build) as con:
        require_workload(con, workload)
        run = rows_of(con, "query/run")[0]
        is_parcel = level == "parcel"
        params = {"workload": workload, "n": n} | ({} if is_parcel else {"level": level})
        rows = rows_of(con, "query/top_parcels" if is_parcel else "query/top_regions", params)
        profile = next(r for r in rows_of(con, "query/workloads") if r["workload"] == workload)
    columns = PARCEL_COLUMNS if is_parcel else REGION_COLUMNS
    return Shown(
        f"{workload}: first {len(rows)} by {level}",
        [{**row, "ranks_drawn": _ranks_drawn(row)} for row in rows],
        columns=columns | {"cost_mid": SHORT_UNITS[OBJECTIVES[profile["objective"]]]},
        notes=honest(run),
        payload=rows,
    )


def _ranks_drawn(row: dict[str, Any]) -> str | None:
    """Interval of a rank; None of what ranks in no draw."""
    return None if row["p_top100"] is None else ranks_text(row["rank_p05"], row["rank_p95"])


def sql(build: Path, query: str, limit: int, timeout_s: float = bounds.TIMEOUT_S) -> Shown:
    """Answer one read-only statement."""
    require_rows("--limit", limit)
    if not 0 < timeout_s <= bounds.LONGEST_S:
        msg = f"--timeout {timeout_s:g} is no time to wait."
        raise UsageError(msg, f"Give it up to {bounds.LONGEST_S:,.0f} seconds.")
    memory = bounds.memory_mb()
    with store.open_build(build, memory_mb=memory) as con:
        con.execute("use mart")
        try:
            asked = bounds.question_of(con, query)
            with bounds.bounded(con, timeout_s, memory):
                cursor = con.execute(asked)
                columns = [column[0] for column in cursor.description or []]
                found = cursor.fetchmany(limit + 1)
        except duckdb.Error as error:
            msg = str(error).splitlines()[0]
            raise UsageError(
                msg, "See `gridstead sql 'from meta.column'` for tables and columns."
            ) from error
    rows = [dict(zip(_distinct(columns), row, strict=True)) for row in found[:limit]]
    notes = [f"Only the first {limit:,} rows are shown; see --limit."] if len(found) > limit else []
    return Shown("", rows, notes=notes or ([] if rows else ["No rows."]))


def sources(home: Home, study_name: str) -> Shown:
    """List the sources of a study and whether they are in the cache."""
    study = load_with_case(study_name)
    catalogue, lock = catalogue_of(study)
    rows = []
    for theme, spec in study.themes.items():
        for source_id in spec.sources:
            source = catalogue.source(source_id)
            entry = lock.sources.get(source_id)
            rows.append(
                {
                    "theme": theme,
                    "source_id": source_id,
                    "title": source.title,
                    "access": source.access.kind,
                    "version": source.version,
                    "as_of": source.as_of,
                    "licence": source.licence,
                    "data_terms": source.data_terms,
                    "is_synthetic": source.is_synthetic,
                    "is_exportable": source.is_exportable,
                    "megabytes": entry.bytes / 1e6 if entry else None,
                    "is_cached": _is_here(source, entry, home),
                }
            )
    columns = {
        "theme": "theme",
        "source_id": "source",
        "version": "version",
        "as_of": "as of",
        "data_terms": "terms of the data",
        "is_synthetic": "synthetic",
        "megabytes": "MB",
        "is_cached": "here",
    }
    return Shown(f"Sources of {study.id}", rows, columns=columns)


def _is_here(source: Source, entry: LockEntry | None, home: Home) -> bool:
    """Whether the bytes of a source can be had without the network."""
    if isinstance(source.access, FileAccess):
        try:
            return locate_file(source.access, mirror_from_environment()).is_file()
        except PullError:
            return False
    if entry is None:
        return (home.cache / "index" / f"{source.id}.json").is_file()
    return any((home.cache / "objects").glob(f"*/{entry.sha256}/*"))


def point_of(what: str) -> tuple[float, float]:
    """Read a point of the command line.

    Raises
    ------
    UsageError
        The words are no point.
    """
    point = lat_lon(what)
    if point is None:
        msg = f"{what!r} is no point."
        raise UsageError(msg, "Write latitude first: 39.04,-77.49.")
    return point


def lat_lon(what: str) -> tuple[float, float] | None:
    """Read a latitude and a longitude; None where the words are none.

    Raises
    ------
    UsageError
        They are out of range.
    """
    try:
        lat, lon = (float(part) for part in re.split(r"[\s,]+", what.strip()))
    except ValueError:
        return None
    # Not a number compares as false.
    if not (abs(lat) <= 90 and abs(lon) <= 180):
        msg = f"{what} is no latitude and longitude."
        raise UsageError(msg, "Write latitude first: 39.04,-77.49.")
    return lat, lon


def honest(run: dict[str, Any]) -> list[str]:
    """Say of which study and run an answer is, and that its grid is synthetic where it is."""
    note = f"study {run['study']}, run {run['run_id']}"
    return [
        note
        + (
            "; the grid is synthetic: its substations are not the real ones"
            if run["is_synthetic"]
            else ""
        ),
        *kept_note(run),
    ]


def kept_note(run: dict[str, Any]) -> list[str]:
    """Say how many parcels a build holds in full where these are not all."""
    kept, every = run.get("kept_count"), run["parcel_count"]
    if kept is None or kept == every:
        return []
    return [f"of {every:,} parcels the build holds {kept:,} in full; parts.parcel_rank ranks all"]


def _distinct(columns: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    names = []
    for column in columns:
        seen[column] = seen.get(column, 0) + 1
        names.append(column if seen[column] == 1 else f"{column}_{seen[column]}")
    return names
