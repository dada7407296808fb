"""Questions to a published build."""

import re
from pathlib import Path
from typing import Any

import duckdb
import shapely

from data import store
from data.access.file import locate_file
from data.catalogue import FileAccess, LockEntry, Source
from data.errors import BuildError, PullError, UsageError
from data.network_case import catalogue_of, load_with_case
from data.pull import mirror_from_environment
from flows.exporting import LEVELS, require_workload
from flows.home import Home
from flows.reporting import rows_of
from flows.show import Shown

# Looked for around a point: a cell of resolution 4 is 0.5 degrees across.
REACH_DEG = 0.6
REGION_COLUMNS = {
    "rank": "rank",
    "region_id": "id",
    "region_name": "region",
    "score_low": "score",
    "score_high": "up to",
    "capacity_mw": "MW",
    "reason": "reason",
}
RUN_COLUMNS = {
    "run_id": "run",
    "study": "study",
    "started_at": "started",
    "parcels": "parcels",
    "seconds": "seconds",
    "is_published": "published",
    "path": "build",
}
PARCEL_COLUMNS = {
    "rank": "rank",
    "parcel_id": "parcel",
    "parcel_name": "where",
    "county_name": "county",
    "score_low": "score",
    "score_high": "up to",
    "headroom_mw_low": "MW low",
    "headroom_mw_mid": "MW mid",
    "headroom_mw_high": "MW high",
    "gate_status": "gates",
}


def top(build: Path, workload: str, level: str, n: int) -> Shown:
    """Best regions or parcels of a workload."""
    if level not in LEVELS:
        msg = f"{level!r} is no level."
        raise UsageError(msg, f"Levels: {', '.join(LEVELS)}.")
    if n < 1:
        msg = f"-n {n} asks for no rows."
        raise UsageError(msg, "Ask for 1 or more.")
    with store.open_build(build) as con:
        require_workload(con, workload)
        run = rows_of(con, "query/run")[0]
        is_parcel = level == "parcel"
        params = {"workload": workload, "n": n} | ({} if is_parcel else {"level": level})
        rows = rows_of(con, "query/top_parcels" if is_parcel else "query/top_regions", params)
    return Shown(
        f"{workload}: first {len(rows)} by {level}",
        rows,
        columns=PARCEL_COLUMNS if is_parcel else REGION_COLUMNS,
        notes=honest(run),
    )


def explain(build: Path, what: str) -> Shown:
    """Everything behind a parcel's score."""
    with store.open_build(build) as con:
        parcel_id = _find_parcel(con, what)
        key = {"parcel_id": parcel_id}
        parcel = rows_of(con, "query/explain_parcel", key)[0]
        scores = rows_of(con, "query/explain_score", key)
        factors = rows_of(con, "query/explain_factor", key)
        gates = rows_of(con, "query/explain_gate", key)
        removed = rows_of(con, "query/removed")
        run = rows_of(con, "query/run")[0]
        as_of = {row["source_id"]: row["as_of"] for row in rows_of(con, "query/source_report")}
    for row in factors:
        row["sources"] = [
            f"{source} ({as_of.get(source, 'unknown date')})" for source in row["sources"] or []
        ]
    payload = {
        "parcel": parcel,
        "run": {name: run[name] for name in ("run_id", "study", "is_synthetic", "limits")},
        "workloads": [
            {
                **score,
                "factors": [row for row in factors if row["workload"] == score["workload"]],
                "gates": [row for row in gates if row["workload"] == score["workload"]],
                "removed": [row for row in removed if row["workload"] == score["workload"]],
            }
            for score in scores
        ],
    }
    place = ", ".join(
        str(parcel[name])
        for name in ("parcel_name", "county_name", "state_id", "zone_name")
        if parcel[name]
    )
    shown = Shown(
        f"{parcel['parcel_id']} ({parcel['parcel_kind']}): {place}",
        payload=payload,
        notes=_parcel_notes(parcel),
    )
    for workload in payload["workloads"]:
        shown.sections.extend(_workload_sections(workload))
    shown.sections.append(Shown("", notes=honest(run)))
    return shown


def sql(build: Path, query: str, limit: int) -> Shown:
    """Answer one read-only statement."""
    if limit < 1:
        msg = f"--limit {limit} asks for no rows."
        raise UsageError(msg, "Ask for 1 or more.")
    with store.open_build(build) as con:
        con.execute("use mart")
        try:
            statements = con.extract_statements(query)
            if len(statements) != 1:
                msg = f"{len(statements)} statements were given, one is answered."
                raise UsageError(msg, "Ask one question at a time.")
            cursor = con.execute(statements[0])
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


def runs(home: Home) -> Shown:
    """List the builds that are kept."""
    published = _run_of(home.build)
    rows, notes = [], []
    for path in sorted(home.builds.glob("*.duckdb"), reverse=True):
        run = _run_of(path)
        if run is None:
            rows.append({"run_id": path.stem, "path": str(path), "note": "cannot be opened"})
            notes.append(f"{path.name} cannot be opened.")
            continue
        rows.append(
            {
                "run_id": run["run_id"],
                "study": run["study"],
                "started_at": run["started_at"],
                "parcels": run["parcel_count"],
                "seconds": sum(run["seconds"].values()) if run["seconds"] else None,
                "is_published": published is not None and published["run_id"] == run["run_id"],
                "bytes": path.stat().st_size,
                "path": str(path),
            }
        )
    return Shown(
        "Runs", rows, columns=RUN_COLUMNS, notes=notes if rows else ["No run yet: gridstead run."]
    )


def _run_of(build: Path) -> dict[str, Any] | None:
    """Row of the run that made a build; None where there is none or it cannot be read."""
    try:
        with store.open_build(build) as con:
            return rows_of(con, "query/run")[0]
    except (BuildError, duckdb.Error):
        return None


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


def _find_parcel(con: duckdb.DuckDBPyConnection, what: str) -> str:
    if rows_of(con, "query/explain_parcel", {"parcel_id": what}):
        return what
    point = lat_lon(what)
    if point is None:
        msg = f"There is no parcel {what!r}."
        raise UsageError(msg, "Give the id of a parcel, or LAT,LON such as 39.04,-77.49.")
    lat, lon = point
    near = store.query_file(
        con, "query/parcels_near", {"lon": lon, "lat": lat, "reach": REACH_DEG}
    ).fetchall()
    here = shapely.Point(lon, lat)
    for parcel_id, geometry in near:
        if shapely.covers(shapely.from_wkb(geometry), here):
            return str(parcel_id)
    msg = f"No parcel of the build holds {lat}, {lon}."
    raise UsageError(msg, "The point may lie in water or outside the area; write latitude first.")


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


def _parcel_notes(parcel: dict[str, Any]) -> list[str]:
    line = (
        f"{parcel['lat']:.4f}, {parcel['lon']:.4f}; {parcel['area_acres']:,.0f} acres of land; "
        f"distances from its {parcel['distance_basis']}; "
        f"{parcel['known_share']:.0%} of the study's metrics are known"
    )
    lines = [line]
    if parcel["excluded_share"] is not None:
        lines.append(
            f"{parcel['excluded_share']:.0%} of it is excluded: {parcel['buildable_acres']:,.0f} acres remain, "
            f"{parcel['contiguous_acres']:,.0f} of them in one piece"
        )
    if parcel["slope_mean_pct"] is not None:
        lines.append(
            f"slope {parcel['slope_mean_pct']:.1f} % on average, {parcel['slope_max_pct']:.1f} % at the steepest; "
            f"{parcel['gentle_share']:.0%} of its known ground at or under 5 %"
        )
    if parcel["headroom_substation_id"]:
        lines.append(
            f"fed by substation {parcel['headroom_substation_id']}, {parcel['headroom_substation_mi']:.1f} mi away, "
            f"headroom {parcel['headroom_mw_low']:,.0f} / {parcel['headroom_mw_mid']:,.0f} / "
            f"{parcel['headroom_mw_high']:,.0f} MW (low / mid / high)"
        )
        lines.append(
            f"tie line for {parcel['deliverable_mw']:,.0f} MW: {parcel['tie_line_kv']:,.0f} kV, "
            f"{parcel['tie_line_mi']:.1f} route miles, {parcel['tie_line_musd']:,.0f} M$"
        )
    if parcel["second_feed_substation_id"]:
        lines.append(
            f"a second feed from {parcel['second_feed_substation_id']}, {parcel['second_feed_mi']:.1f} mi away, "
            f"would add {parcel['second_feed_mw']:,.0f} MW for {parcel['second_feed_musd']:,.0f} M$"
        )
    return lines


def _workload_sections(workload: dict[str, Any]) -> list[Shown]:
    rank = (
        f"rank {workload['rank']:,} of {workload['ranked_count']:,}"
        if workload["rank"]
        else "not a candidate"
    )
    title = f"{workload['workload']}: {rank}, score {workload['score_low']:.1f} to {workload['score_high']:.1f}"
    notes = [
        f"left out in this study: {row['metric']} ({row['kind']}), {row['removed_why']}"
        for row in workload["removed"]
    ]
    factors = Shown(
        title,
        workload["factors"],
        columns={
            "label": "factor",
            "value": "value",
            "unit": "unit",
            "value_score": "0 to 1",
            "points": "points",
            "points_possible": "of",
            "sources": "sources",
        },
    )
    gates = Shown(
        "",
        workload["gates"],
        columns={
            "label": "gate",
            "value": "value",
            "unit": "unit",
            "at_least": "at least",
            "at_most": "at most",
            "gate_status": "status",
        },
        notes=notes,
    )
    return [factors, gates]


def honest(run: dict[str, Any]) -> list[str]:
    """Say of which study and run an answer is, and that its grid is synthetic where it is."""
    note = f"study {run['study']}, run {run['run_id']}"
    return [
        note
        + (
            "; the grid is synthetic: its substations are not the real ones"
            if run["is_synthetic"]
            else ""
        )
    ]


def _distinct(columns: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    names = []
    for column in columns:
        seen[column] = seen.get(column, 0) + 1
        names.append(column if seen[column] == 1 else f"{column}_{seen[column]}")
    return names
