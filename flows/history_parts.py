"""Parts of the history: tables of a run in files named by their content, which equal runs share."""

import hashlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from data import store

FOLDER = "parts"
NAME_LENGTH = 16
# First parcels of a workload that stand among the regions, for lists.
FIRST_PARCELS = 1_000
# A column with fewer distinct values than this share of its rows is written through a dictionary.
FEW_VALUES = 0.5
# Of zstd: higher ones take several times as long for a hundredth.
LEVEL = 6
RANKED, RANKS, FILL, METRIC, PARCELS = "ranked", "ranks", "fill", "metric", "parcels"


def write_parts(
    con: duckdb.DuckDBPyConnection, folder: Path, workloads: list[str], metrics: list[str]
) -> list[dict[str, Any]]:
    """Write what a build ranks, and what it ranks by, and say which file holds what.

    A part that is there already, because an earlier run had the same, is not written again: a night on
    which one price changed costs the files that this price goes into.

    Parameters
    ----------
    con
        Build.
    folder
        Folder of the parts.
    workloads, metrics
        Workloads, and metrics that their factors weigh and their gates judge.

    Returns
    -------
    list
        `role`, `file` and `bytes` of each part. Roles: `parcels` (ids and names, in the order of
        `parcel_no`), `metric.<name>` (float64, NULL unknown, same order), and by workload
        `ranked.<workload>` (regions, and the first parcels), `ranks.<workload>` (every parcel that fails
        no gate) and `fill.<workload>` (plans of regions).
    """
    return [
        {"role": role, **_write(folder, table, **encoding)}
        for role, table, encoding in _tables(con, workloads, metrics)
    ]


def _tables(
    con: duckdb.DuckDBPyConnection, workloads: list[str], metrics: list[str]
) -> Iterator[tuple[str, pa.Table, dict[str, Any]]]:
    yield PARCELS, store.query_file(con, "query/history_parcel").to_arrow_table(), {}
    measured = store.query_file(con, "query/history_metric").select(
        *(duckdb.ColumnExpression(name).cast("DOUBLE").alias(name) for name in metrics)
    )
    values = measured.to_arrow_table()
    for name in metrics:
        column = values.column(name)
        yield f"{METRIC}.{name}", pa.table({"value": column}), _packing(column)
    for workload in workloads:
        key = {"workload": workload}
        top = key | {"parcels": FIRST_PARCELS}
        ranked = store.query_file(con, "query/history_ranked", top).to_arrow_table()
        yield f"{RANKED}.{workload}", ranked, {}
        # Ranks and scores run one way, so that what they differ by is short.
        encoding = {
            "use_dictionary": False,
            "column_encoding": {
                "rank": "DELTA_BINARY_PACKED",
                "score_units": "DELTA_BINARY_PACKED",
                "parcel_no": "BYTE_STREAM_SPLIT",
            },
        }
        ranks = store.query_file(con, "query/history_rank", key).to_arrow_table()
        yield f"{RANKS}.{workload}", ranks, encoding
        yield (
            f"{FILL}.{workload}",
            store.query_file(con, "query/history_fill", key).to_arrow_table(),
            {},
        )


def _packing(column: pa.ChunkedArray) -> dict[str, Any]:
    """Give the writing of a column of numbers: by dictionary where they repeat, else by their bytes."""
    if len(column.unique()) < FEW_VALUES * len(column):
        return {}
    return {"use_dictionary": False, "use_byte_stream_split": True}


def _write(folder: Path, table: pa.Table, **encoding: Any) -> dict[str, Any]:
    """Write a table under the hash of its file; nothing when that is there."""
    stream = io.BytesIO()
    pq.write_table(
        table,
        stream,
        compression="zstd",
        compression_level=LEVEL,
        write_statistics=False,
        **encoding,
    )
    content = stream.getbuffer()
    name = f"{hashlib.sha256(content).hexdigest()[:NAME_LENGTH]}.parquet"
    target = folder / name
    if not target.is_file() or target.stat().st_size != len(content):
        put(target, content)
    return {"file": name, "bytes": len(content)}


def put(target: Path, content: bytes | memoryview) -> None:
    """Write a file whole or not at all, forced to disk."""
    temporary = target.with_name(f"{target.name}.part")
    try:
        with temporary.open("wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        store.replace_atomically(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
