"""What a parcel costs by terms, and what each factor's metric has to do with it, from a published build."""

from typing import Any

import duckdb

from flows.reporting import rows_of

COST_TABLE = "mart.parcel_cost"


def cost_terms(
    con: duckdb.DuckDBPyConnection, tables: set[str], workload: str, parcel_id: str
) -> dict[str, Any]:
    """Give the cost of a parcel for a workload; empty where the build has none."""
    if COST_TABLE not in tables:
        return {}
    key = {"workload": workload, "parcel_id": parcel_id}
    rows = rows_of(con, "query/explain_cost", key)
    return rows[0] if rows else {}
