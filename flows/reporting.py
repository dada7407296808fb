"""Read what the report says out of a build."""

from importlib.metadata import version
from typing import Any

import duckdb

from data import store
from flows.cost_words import OBJECTIVES, UNITS
from geo.export.report_data import (
    CheckReport,
    MovedReport,
    MovedRow,
    PowerReport,
    RankedRow,
    RejectReport,
    ReportData,
    SourceReport,
    VoltagePower,
    WorkloadReport,
)

TOP_REGIONS = 20
TOP_PARCELS = 10
TOP_MOVED = 5
HISTORY_TABLE = "mart.rank_history"


def rows_of(
    con: duckdb.DuckDBPyConnection, query: str, params: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Rows of a query file as dicts."""
    relation = store.query_file(con, query, params)
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def report_data(con: duckdb.DuckDBPyConnection) -> ReportData:
    """Gather the report of the build's run as plain data."""
    run = rows_of(con, "query/run")[0]
    sources = rows_of(con, "query/source_report")
    titles = {row["source_id"]: row["title"] for row in sources}
    known = rows_of(con, "query/known_shares")
    shares = [row["known_share"] for row in known if row["known_share"] > 0]
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
        workloads=[_workload(con, row) for row in rows_of(con, "query/workloads")],
        sources=[
            SourceReport(
                title=row["title"],
                as_of=row["as_of"],
                licence=row["data_terms"],
                attribution=row["attribution"],
                is_stale=row["is_stale"],
                is_synthetic=row["is_synthetic"],
                rows_read=row["rows_read"],
                rows_loaded=row["rows_loaded"],
                rows_rejected=row["rows_rejected"],
            )
            for row in sources
        ],
        metric_known_share={row["metric"]: row["known_share"] for row in known},
        known_share=sum(shares) / len(shares) if shares else None,
        rejects=[
            RejectReport(
                source=titles.get(row["source_id"], row["source_id"]),
                reason=f"{row['reject_code']}: {row['example']}",
                row_count=row["row_count"],
            )
            for row in rows_of(con, "query/reject_report")
        ],
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
        excluded=[row["title"] for row in sources if not row["is_exportable"]],
        limits=run["limits"],
        exclusions=[f"{row['excluded']}: {row['why']}" for row in rows_of(con, "query/exclusions")],
        power=_power(con),
        slope=next((row["title"] for row in rows_of(con, "query/slope")), None),
        moved=_moved(con),
    )


def _moved(con: duckdb.DuckDBPyConnection) -> MovedReport | None:
    """Tell what moved since the run before that differed; None where nothing did, or nobody knows."""
    if HISTORY_TABLE not in {row["table_name"] for row in rows_of(con, "query/tables")}:
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


def _workload(con: duckdb.DuckDBPyConnection, workload: dict[str, Any]) -> WorkloadReport:
    name = workload["workload"]
    regions = rows_of(
        con, "query/top_regions", {"workload": name, "level": "county", "n": TOP_REGIONS}
    )
    parcels = rows_of(con, "query/top_parcels", {"workload": name, "n": TOP_PARCELS})
    removed = [
        f"{row['metric']} ({row['kind']}): {row['removed_why']}"
        for row in rows_of(con, "query/removed")
        if row["workload"] == name
    ]
    return WorkloadReport(
        name=name,
        title=workload["title"],
        region_kind="county",
        regions=[
            RankedRow(
                rank=row["rank"],
                name=row["region_name"],
                score_low=row["score_low"],
                score_high=row["score_high"],
                reason=row["reason"],
                **_decided(row),
            )
            for row in regions
        ],
        parcels=[
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
            for row in parcels
        ],
        removed_factors=removed,
        cost_unit=UNITS[OBJECTIVES[workload["objective"]]],
    )


def _decided(row: dict[str, Any]) -> dict[str, Any]:
    """How sure a rank is, and what the place costs."""
    names = ("rank_p05", "rank_p95", "cost_low", "cost_mid", "cost_high")
    return {name: row[name] for name in names}
