"""Rows of query files."""

from typing import Any

import duckdb

from data import store


def rows_of(
    con: duckdb.DuckDBPyConnection, query: str, params: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Rows of a query file as dicts."""
    relation = store.query_file(con, query, params)
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
