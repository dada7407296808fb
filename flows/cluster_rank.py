"""Rank all parcels of a study measured in parts, and keep those in full that a build is made from."""

import shutil
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data import store
from data.pieces import SUFFIX, Piece
from data.place import Place
from flows.cluster import Summary
from flows.cluster_measure import MeasuredPieces
from flows.cluster_score import ScoreOrder
from flows.results import ROW_GROUP, beside, write

# Sorts and joins of all parcels; what does not fit goes to disk.
MEMORY_MB = 2_000
BATCH_ROWS = 131_072
# What a build tells of the land's division, beside the parcels.
DIVIDED_TABLES = ("counties", "left-out", "rejected")
RANK_SCHEMA = pa.schema(
    [
        ("rank", pa.int64()),
        ("parcel_id", pa.string()),
        ("piece", pa.string()),
        ("score", pa.float64()),
        ("score_high", pa.float64()),
        ("gate_status", pa.string()),
    ]
)


@dataclass(frozen=True)
class Scored:
    """A study whose parcels are measured and scored in pieces.

    Attributes
    ----------
    order
        What the pieces were scored by.
    measured
        What was measured of them.
    scores
        What was told of the scores of each.
    spill
        Folder of this machine for what sorts and joins cannot hold in memory.
    """

    order: ScoreOrder
    measured: MeasuredPieces
    scores: Mapping[str, Summary]
    spill: Path

    @property
    def place(self) -> Place:
        """Where the parts are."""
        return self.order.place

    @property
    def pieces(self) -> list[Piece]:
        """All pieces."""
        return self.measured.pieces

    @property
    def parcel_count(self) -> int:
        """Parcels that were measured."""
        return sum(one["rows"] for one in self.measured.summaries.values())

    @property
    def rank_folder(self) -> str:
        """Folder of the ranks: `<workload>.parquet`."""
        return "rank" + self.order.folder.removeprefix("score")

    @property
    def rank_files(self) -> list[str]:
        """Ranks of each workload."""
        return [f"{self.rank_folder}/{workload}{SUFFIX}" for workload in self.order.workloads]

    def files(self, kind: str | None = None) -> list[str]:
        """Scores of all pieces, or one kind of what was found of regions."""
        return [self.order.file(piece.name, kind) for piece in self.pieces]


def rank_pieces(scored: Scored) -> None:
    """Rank the parcels of all pieces for each workload, in `rank-<key>/<workload>.parquet`.

    The rank is that of `mart.parcel_score`. The sort holds a bounded part of the parcels in memory. What was
    ranked before is kept.
    """
    todo = {
        workload: name
        for workload, name in zip(scored.order.workloads, scored.rank_files, strict=True)
        if not scored.place.has(name)
    }
    if not todo:
        return
    with _database(scored) as con, near(scored, scored.files()) as paths:
        for workload, name in todo.items():
            draft = scored.place.scratch(name)
            try:
                _write_ranks(con, paths, workload, draft)
                scored.place.publish(draft, name)
            finally:
                draft.unlink(missing_ok=True)


def keep(scored: Scored, divided: Path, most: int, target: Path, metrics: Path) -> None:
    """Write the parcels that a build holds in full as the files that a single process would leave.

    They are the first `most` of each workload, and the best parcel of each region at each substation, so that
    regions fill as from all parcels; where there are no more than `most` parcels, they are all.

    Parameters
    ----------
    scored
        The study, ranked.
    divided
        Parcels of the divide step.
    most
        Parcels of each workload.
    target
        File for the parcels; beside it what the divide step left, and `spot`, which shows where regions lie.
    metrics
        File for their metrics; beside it `score`, `region_parcel`, `region_gate` and `workload_parcel`.
    """
    is_all = scored.parcel_count <= most
    with _database(scored) as con, near(scored, scored.rank_files) as ranks:
        ids = None if is_all else _kept(con, scored, ranks, most) or _some(scored)
        _gather(con, scored, ids, ranks, target, metrics)
        _write_tables(con, scored, divided, target, metrics)
    # Where all are kept, no rank is beyond.
    write(
        _gates(scored, scored.parcel_count if is_all else most), beside(metrics, "workload_parcel")
    )
    for table in DIVIDED_TABLES:
        shutil.copyfile(
            divided.with_suffix(f".{table}.parquet"), target.with_suffix(f".{table}.parquet")
        )


def partitions(scored: Scored) -> pd.DataFrame:
    """Rows of meta.partition."""
    return pd.DataFrame(
        [
            {
                "piece": piece.name,
                "parcel_partition": piece.partition,
                "row_count": piece.rows,
                "measured_count": told["rows"],
                "content_sha256": told["content_sha256"],
            }
            for piece in scored.pieces
            for told in [scored.measured.summaries[piece.name]]
        ]
    )


@contextmanager
def near(scored: Scored, names: Sequence[str]) -> Generator[list[str]]:
    """Paths on this machine of some parts; those of a store are fetched, and go at the end."""
    if scored.place.is_local:
        yield [str(scored.place.path(name)) for name in names]
        return
    with tempfile.TemporaryDirectory(prefix="near-", dir=scored.spill) as folder:
        paths = [Path(folder, name) for name in names]
        for name, path in zip(names, paths, strict=True):
            scored.place.get(name, path)
        yield [str(path) for path in paths]


@contextmanager
def _database(scored: Scored) -> Generator[duckdb.DuckDBPyConnection]:
    with (
        tempfile.TemporaryDirectory(prefix="spill-", dir=scored.spill) as spill,
        store.create() as con,
    ):
        con.execute("set memory_limit = $limit", {"limit": f"{MEMORY_MB}MB"})
        con.execute("set temp_directory = $spill", {"spill": spill})
        yield con


def _write_ranks(
    con: duckdb.DuckDBPyConnection, paths: Sequence[str], workload: str, target: Path
) -> None:
    params = {"score_paths": paths, "workload": workload}
    ordered = store.query_file(con, "cluster/ranking", params).to_arrow_reader(BATCH_ROWS)
    with pq.ParquetWriter(target, RANK_SCHEMA, compression="zstd") as writer:
        first = 1
        for batch in ordered:
            rank = pa.array(np.arange(first, first + len(batch)))
            table = pa.Table.from_batches([batch]).append_column("rank", rank)
            writer.write_table(table.select(RANK_SCHEMA.names).cast(RANK_SCHEMA))
            first += len(batch)


def _kept(
    con: duckdb.DuckDBPyConnection, scored: Scored, ranks: Sequence[str], most: int
) -> dict[str, pa.Array]:
    """Ids of the parcels that are kept, by piece."""
    with near(scored, scored.files("best")) as best:
        params = {"rank_paths": ranks, "best_paths": best, "most": most}
        found = store.query_file(con, "cluster/kept", params).to_arrow_table()
    pieces = found.column("piece").combine_chunks().dictionary_encode()
    code = pieces.indices.to_numpy(zero_copy_only=False)
    # The rows of a piece lie together.
    ends = np.searchsorted(code, np.arange(len(pieces.dictionary) + 1))
    return {
        name: found.column("parcel_id").slice(start, end - start).combine_chunks()
        for name, start, end in zip(
            pieces.dictionary.to_pylist(), ends[:-1].tolist(), ends[1:].tolist(), strict=True
        )
    }


def _some(scored: Scored) -> dict[str, pa.Array]:
    """Ids of a piece: a build holds some parcels, too, where none passes the gates of any workload."""
    piece = next(p for p in scored.pieces if scored.measured.summaries[p.name]["rows"])
    name = f"{scored.order.metrics}/{piece.name}{SUFFIX}"
    ids = scored.place.read(name, columns=["parcel_id"]).column(0).combine_chunks()
    return {piece.name: ids}


def _gates(scored: Scored, most: int) -> pd.DataFrame:
    """Rows of meta.workload_parcel, of all pieces."""
    rows = pd.DataFrame([row for told in scored.scores.values() for row in told["gates"]])
    found = rows.groupby("workload", as_index=False)[["pass_count", "unknown_count", "fail_count"]]
    summed = found.sum()
    ranked = summed["pass_count"] + summed["unknown_count"]
    return summed.assign(kept_rank=ranked.clip(upper=most))


def _gather(
    con: duckdb.DuckDBPyConnection,
    scored: Scored,
    ids: Mapping[str, pa.Array] | None,
    ranks: Sequence[str],
    target: Path,
    metrics: Path,
) -> None:
    """Copy kept parcels, their metrics and scores out of the pieces; memory holds one piece."""
    scores = metrics.with_suffix(".score.part")
    with _Writer(target) as parcel, _Writer(metrics) as metric, _Writer(scores) as score:
        for piece in scored.pieces:
            if ids is not None and piece.name not in ids:
                continue
            mine = None if ids is None else ids[piece.name]
            order = scored.order
            read = scored.place.read
            parcel.add(_only(read(f"{order.parcels}/{piece.name}{SUFFIX}"), mine))
            metric.add(_only(scored.measured.metrics(piece.name), mine))
            score.add(_only(read(order.file(piece.name)), mine))
    params = {"score_path": str(scores), "rank_paths": ranks}
    _write_rows(con, "cluster/kept_score", params, beside(metrics, "score"))
    scores.unlink()


def _write_tables(
    con: duckdb.DuckDBPyConnection,
    scored: Scored,
    divided: Path,
    target: Path,
    metrics: Path,
) -> None:
    """Write what the build takes of all parcels: counts of regions and gates, and where regions lie."""
    for kind, query, name, where in (
        ("region", "regions", "region_parcel", metrics),
        ("gate", "gates", "region_gate", metrics),
        ("spot", "spots", "spot", target),
    ):
        with near(scored, scored.files(kind)) as paths:
            params: dict[str, Any] = {f"{kind}_paths": paths}
            if kind == "spot":
                params["parcel_path"] = str(divided)
            _write_rows(con, f"cluster/{query}", params, beside(where, name))


def _write_rows(
    con: duckdb.DuckDBPyConnection, query: str, params: Mapping[str, Any], target: Path
) -> None:
    """Write the rows of a query as they come."""
    rows = store.query_file(con, query, params).to_arrow_reader(BATCH_ROWS)
    with _Writer(target) as writer:
        writer.add(rows.schema.empty_table())
        for batch in rows:
            writer.add(pa.Table.from_batches([batch]))


def _only(table: pa.Table, ids: pa.Array | None) -> pa.Table:
    if ids is None:
        return table
    return table.filter(pc.field("parcel_id").isin(ids))


class _Writer:
    """A Parquet file written table by table, which appears whole at the end of the block."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._draft = target.with_name(target.name + ".part")
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> Self:
        return self

    def add(self, table: pa.Table) -> None:
        """Write the rows of a table; the first one says which columns there are."""
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._draft, table.schema, compression="zstd")
        self._writer.write_table(table.cast(self._writer.schema), row_group_size=ROW_GROUP)

    def __exit__(self, kind: object, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()
        if kind is None and self._writer is not None:
            store.replace_atomically(self._draft, self._target)
