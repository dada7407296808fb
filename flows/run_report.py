"""Read what the report says out of a build."""

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import duckdb

from data import store
from data.build import to_map
from flows.cost_words import OBJECTIVES, UNITS
from flows.freshness import data_age, known_sources
from flows.reporting import rows_of
from flows.terms import Withheld, withheld
from geo.export.figures import rank_picture
from geo.export.report import TOP_PARCELS, TOP_REGIONS
from geo.export.report_data import (
    CheckReport,
    MovedReport,
    MovedRow,
    PowerReport,
    RankedRow,
    RejectReport,
    ReportData,
    SourceReport,
    UsedMetric,
    VoltagePower,
    WorkloadReport,
)
from geo.export.report_parts import Picture

TOP_MOVED = 5
HISTORY_TABLE = "mart.rank_history"
COUNTS = ("pass_count", "unknown_count", "fail_count", "region_count", "full_count")


def report_data(con: duckdb.DuckDBPyConnection) -> ReportData:
    """Gather the report of the build's run as plain data."""
    run = rows_of(con, "query/run")[0]
    sources = rows_of(con, "query/source_report")
    titles = {row["source_id"]: row["title"] for row in sources}
    known = rows_of(con, "query/known_shares")
    shares = [row["known_share"] for row in known if row["known_share"] > 0]
    held = withheld(con)
    moved = _moved(con)
    return ReportData(
        study=run["study"],
        study_title=run["title"],
        run_id=run["run_id"],
        run_date=run["started_at"].date(),
        tool_version=version("gridstead"),
        parcel_count=run["parcel_count"],
        parcel_kind=run["parcel_kind"],
        elapsed_s=sum(run["seconds"].values()) if run["seconds"] else None,
        is_synthetic=run["is_synthetic"],
        figures=list(_figures(rows_of(con, "query/report_covered")[0])),
        workloads=list(_workloads(con, held)),
        used_metrics=_used_metrics(con, known),
        sources=_sources(sources, run),
        metric_known_share={row["metric"]: row["known_share"] for row in known},
        known_share=sum(shares) / len(shares) if shares else None,
        rejects=_rejects(con, titles, held),
        checks=[
            CheckReport(
                name=row["check_name"],
                severity=row["severity"],
                offending_count=row["offending_count"],
                description=row["description"],
                examples=tuple(row["examples"] or ()),
            )
            for row in rows_of(con, "query/checks")
        ],
        withheld={source["title"]: source["why"] for source in held.sources},
        limits=run["limits"],
        exclusions=[f"{row['excluded']}: {row['why']}" for row in rows_of(con, "query/exclusions")],
        power=_power(con),
        slope=next((row["title"] for row in rows_of(con, "query/slope")), None),
        moved=moved,
        standing="" if moved else _standing(con, run["run_id"]),
    )


def _figures(told: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Say in figures what the run covered; what the study does not know is left out."""
    yield f"{told['parcel_count']:,}", "parcels measured"
    if told["area_acres"]:
        yield f"{told['area_acres'] / 1e6:,.1f} M", "acres of land in them"
    yield f"{told['county_count']:,}", "counties"
    if told["people"]:
        yield f"{told['people'] / 1e6:,.1f} M", "people counted around parcels"
    if told["metro_count"]:
        yield f"{told['metro_count']:,}", "metros of 250,000 people or more"
    if told["substation_count"]:
        yield f"{told['substation_count']:,}", "substations"
    if told["load_mw"]:
        yield f"{told['load_mw']:,.0f} MW", "load that stands on them"
    if told["plant_mw"]:
        yield f"{told['plant_mw']:,.0f} MW", f"generation, {told['plant_count']:,} plants"
    if told["line_count"]:
        yield f"{told['line_count']:,}", "power lines"
    if told["fiber_node_count"]:
        yield f"{told['fiber_node_count']:,}", "places with fiber"


def _used_metrics(con: duckdb.DuckDBPyConnection, known: list[dict[str, Any]]) -> list[UsedMetric]:
    shares = {row["metric"]: row["known_share"] for row in known}
    used = [
        UsedMetric(
            name=row["metric"],
            label=row["label"],
            known_share=shares.get(row["metric"], 0.0),
            profile_count=row["profile_count"],
        )
        for row in rows_of(con, "query/report_metric")
    ]
    return sorted(used, key=lambda metric: metric.known_share)


def _sources(rows: list[dict[str, Any]], run: dict[str, Any]) -> list[SourceReport]:
    known = known_sources(run["study"])
    return [
        SourceReport(
            title=row["title"],
            as_of=row["as_of"],
            licence=row["data_terms"],
            attribution=row["attribution"],
            age=data_age(row["as_of"] or "", run["started_at"].date()),
            fetched=row["fetched_at"].date() if row["fetched_at"] else None,
            unverified_since=getattr(known.get(row["source_id"]), "unverified_since", None),
            is_stale=row["is_stale"],
            is_synthetic=row["is_synthetic"],
            rows_read=row["rows_read"],
            rows_loaded=row["rows_loaded"],
            rows_rejected=row["rows_rejected"],
        )
        for row in rows
    ]


def _rejects(
    con: duckdb.DuckDBPyConnection, titles: dict[str, str], held: Withheld
) -> list[RejectReport]:
    """Tell why rows were set aside; an example is a piece of its row, so withheld sources give none."""
    barred = set(held.source_ids)
    return [
        RejectReport(
            source=titles.get(row["source_id"], row["source_id"]),
            reason=row["reject_code"]
            if row["source_id"] in barred
            else f"{row['reject_code']}: {row['example']}",
            row_count=row["row_count"],
        )
        for row in rows_of(con, "query/reject_report")
    ]


def _standing(con: duckdb.DuckDBPyConnection, run_id: str) -> str:
    """Say why nothing moved: the first run, or one that found nothing changed."""
    if not _has_history(con):
        return ""
    runs = rows_of(con, "query/report_history")
    if not runs:
        return ""
    if runs[0]["run_id"] != run_id:
        newest = f"{runs[0]['run_id']} of {runs[0]['started_at']:%Y-%m-%d}"
        return f"Nothing: this run ranks what run {newest} ranked, from the same inputs."
    if len(runs) == 1:
        return "This is the first run of its study, area and resolution: there is none to compare it with."
    return "No county changed its rank since the run before."


def _has_history(con: duckdb.DuckDBPyConnection) -> bool:
    return HISTORY_TABLE in {row["table_name"] for row in rows_of(con, "query/tables")}


def _moved(con: duckdb.DuckDBPyConnection) -> MovedReport | None:
    """Tell what moved since the run before that differed; None where nothing did, or nobody knows."""
    if not _has_history(con):
        return None
    since = rows_of(con, "query/history_since")
    if not since:
        return None
    key = {"since": since[0]["run_id"]}
    rows = rows_of(con, "query/history_moved", key | {"n": TOP_MOVED})
    if not rows:
        return None
    return MovedReport(
        since_run_id=since[0]["run_id"],
        since_date=since[0]["started_at"].date(),
        counts={row["workload"]: row["moved_count"] for row in rows},
        rows=[
            MovedRow(
                workload=row["workload"],
                name=row["region_name"],
                rank_before=row["rank_before"],
                rank_after=row["rank_after"],
                score_before=row["score_before"],
                score_after=row["score_after"],
            )
            for row in rows
        ],
        sources=[_changed_source(row) for row in rows_of(con, "query/history_changed_source", key)],
    )


def _changed_source(row: dict[str, Any]) -> str:
    """Say how a source changed: what it is called by, where that tells, else that its bytes did."""
    if row["is_new"] or row["is_gone"]:
        return f"{row['source_id']} ({'new' if row['is_new'] else 'gone'})"
    told = [
        f"{words} {row[f'{name}_before']} to {row[f'{name}_after']}"
        for name, words in (("version", "version"), ("as_of", "as of"))
        if row[f"{name}_before"] != row[f"{name}_after"]
    ]
    return f"{row['source_id']} ({', '.join(told) or 'its content'})"


def _power(con: duckdb.DuckDBPyConnection) -> PowerReport | None:
    told = rows_of(con, "query/power_summary")[0]
    if not told["substation_count"]:
        return None
    return PowerReport(
        substation_count=told["substation_count"],
        known_count=told["known_count"],
        zero_count=told["zero_count"],
        inferred_count=told["inferred_count"],
        user_count=told["user_count"],
        is_load_flow=told["load_flow_count"] > 0,
        by_voltage=[
            VoltagePower(
                kv=row["kv"],
                substation_count=row["substation_count"],
                intact_mw=row["median_n0_mw"],
                low_mw=row["median_low_mw"],
                mid_mw=row["median_mid_mw"],
                high_mw=row["median_high_mw"],
                zero_share=row["zero_share"],
            )
            for row in rows_of(con, "query/power_by_kv")
        ],
        waived_elements=told["waived_element_count"],
        waived_pairs=told["waived_pair_count"],
        sensitivity={
            row["case_name"]: (row["median_mw"], row["zero_share"], row["rank_correlation"])
            for row in rows_of(con, "query/power_sensitivity")
        },
    )


def _workloads(con: duckdb.DuckDBPyConnection, held: Withheld) -> Iterator[WorkloadReport]:
    """Tell each workload; the first of each objective is a main one and has a map."""
    counts = {row["workload"]: row for row in rows_of(con, "query/report_workload")}
    removed = rows_of(con, "query/removed")
    mapped: set[str] = set()
    for workload in rows_of(con, "query/workloads"):
        name = workload["workload"]
        picture = None
        if workload["objective"] not in mapped and held.allows_region("county"):
            mapped.add(workload["objective"])
            picture = _picture(con, workload)
        told = counts.get(name, {})
        yield WorkloadReport(
            name=name,
            title=workload["title"],
            summary=workload["summary"],
            region_kind="county",
            regions=_regions(con, name, held),
            parcels=_parcels(con, name),
            removed_factors=[
                f"{row['metric']} ({row['kind']}): {row['removed_why']}"
                for row in removed
                if row["workload"] == name
            ],
            cost_unit=UNITS[OBJECTIVES[workload["objective"]]],
            target_mw=workload["target_mw"],
            picture=picture,
            **{count: told.get(count) for count in COUNTS},
        )


def _picture(con: duckdb.DuckDBPyConnection, workload: dict[str, Any]) -> Picture | None:
    params = {"workload": workload["workload"]}
    return rank_picture(
        to_map(store.query_file(con, "query/report_map", params)),
        to_map(store.query_file(con, "query/state_outline")),
        title=f"{workload['title']}: counties by rank",
        file=f"{workload['workload']}.png",
    )


def _regions(con: duckdb.DuckDBPyConnection, name: str, held: Withheld) -> list[RankedRow]:
    params = {"workload": name, "level": "county", "n": TOP_REGIONS}
    return [
        RankedRow(
            rank=row["rank"],
            name=row["region_name"],
            score_low=row["score_low"],
            score_high=row["score_high"],
            reason=held.sentence(row["reason"]) or "",
            **_decided(row),
        )
        for row in rows_of(con, "query/top_regions", params)
        if held.allows_region("county")
    ]


def _parcels(con: duckdb.DuckDBPyConnection, name: str) -> list[RankedRow]:
    return [
        RankedRow(
            rank=row["rank"],
            name=row["parcel_id"],
            score_low=row["score_low"],
            score_high=row["score_high"],
            reason=f"headroom {row['headroom_mw_low']:,.0f} to {row['headroom_mw_high']:,.0f} MW "
            f"at {row['headroom_substation_mi']:.1f} mi"
            if row["headroom_mw_mid"] is not None
            else "",
            place=row["parcel_name"] or row["county_name"],
            **_decided(row),
        )
        for row in rows_of(con, "query/top_parcels", {"workload": name, "n": TOP_PARCELS})
    ]


def _decided(row: dict[str, Any]) -> dict[str, Any]:
    """How sure a rank is, and what the place costs."""
    names = ("rank_p05", "rank_p95", "cost_low", "cost_mid", "cost_high")
    return {name: row[name] for name in names}
