"""Measure again only the parcels that a change can reach, and take the others from the last metrics."""

import filecmp
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from data import store
from data.errors import MeasureError
from data.parts import Chunk, Parts, RowReader
from flows.home import Home
from flows.measured_by import INPUTS_SUFFIX, MeasuredBy
from flows.results import Log
from geo.changes import longest_rise
from geo.parcels import EDGE_KIND
from geo.polygons import Polygons
from geo.remeasure import Batch, Inputs, Remeasure
from geo.wkb import from_arrow

# With more to be measured, all are: reading and splicing would cost more than it saves.
MOST_STALE = 0.5
# Parcels that are held against a change at once.
BATCH = 65_536
WHERE = ("lon", "lat", "parcel_kind", "county_id", "state_id")
NAMES = {"feed": "headroom", "counted": "people", "exclusions": "excluded tiles"}
KNOWN_SHARE = "known_share"


@dataclass(frozen=True, eq=False)
class Again:
    """The last metrics, as far as they still hold.

    Attributes
    ----------
    metrics
        The last metrics.
    row
        Row of each parcel in them, int64, shape (n,); -1 where it has to be measured.
    told
        What changed, in words.
    """

    metrics: Path
    row: np.ndarray
    told: str

    @property
    def is_stale(self) -> np.ndarray:
        """Whether each parcel has to be measured, shape (n,)."""
        return self.row < 0

    @cached_property
    def is_all(self) -> bool:
        """Whether the last metrics are the metrics, row by row."""
        count = pq.read_metadata(self.metrics).num_rows
        return len(self.row) == count and bool((self.row == np.arange(count)).all())

    def copy(self, target: Path) -> None:
        """Let the last metrics stand under a second name."""
        target.unlink(missing_ok=True)
        try:
            os.link(self.metrics, target)
        except OSError:
            temporary = target.with_name(target.name + ".part")
            shutil.copyfile(self.metrics, temporary)
            store.replace_atomically(temporary, target)

    def stale_chunks(self, chunks: Sequence[Chunk]) -> list[Chunk]:
        """Chunks with a parcel that has to be measured."""
        stale = self.is_stale
        return [chunk for chunk in chunks if stale[chunk.start : chunk.stop].any()]

    def kept(self, base: RowReader, chunk: Chunk, schema: pa.Schema) -> pa.Table:
        """Rows of a chunk that still hold, in their order, with the columns of a part."""
        row = self.row[chunk.start : chunk.stop]
        row = row[row >= 0]
        if not len(row):
            return schema.empty_table()
        first, last = int(row[0]), int(row[-1]) + 1
        table = base.read(Chunk(chunk.number, first, last)).select(schema.names)
        if last - first != len(row):
            table = table.take(row - first)
        return table.replace_schema_metadata(None).cast(schema).combine_chunks()

    def spliced(
        self, base: RowReader, chunk: Chunk, measured: pa.Table, schema: pa.Schema
    ) -> pa.Table:
        """Put the rows that were measured among those that still hold."""
        stale = self.is_stale[chunk.start : chunk.stop]
        both = pa.concat_tables([self.kept(base, chunk, schema), measured])
        place = np.empty(len(stale), dtype=np.int64)
        place[~stale] = np.arange(len(stale) - stale.sum())
        place[stale] = len(stale) - stale.sum() + np.arange(stale.sum())
        return both.take(place).combine_chunks()

    def known_columns(self, chunks: Sequence[Chunk], known: set[str]) -> set[str]:
        """Columns, beside those known already, with a value in any row that is taken from chunks."""
        rows = np.zeros(pq.read_metadata(self.metrics).num_rows, dtype=bool)
        for chunk in chunks:
            rows[self.row[chunk.start : chunk.stop]] = True
        found: set[str] = set()
        start = 0
        with pq.ParquetFile(self.metrics, pre_buffer=False) as file:
            for group in range(file.num_row_groups):
                meta = file.metadata.row_group(group)
                held = rows[start : start + meta.num_rows]
                start += meta.num_rows
                asked = [
                    name
                    for name, told in _statistics(meta)
                    if name not in known | found and told.null_count < told.num_values
                ]
                if not asked or not held.any():
                    continue
                table = file.read_row_group(group, columns=asked)
                found |= {
                    name
                    for name in asked
                    if (table.column(name).is_valid().to_numpy() & held).any()
                }
        return found

    @classmethod
    def of(cls, home: Home, by: MeasuredBy, inputs: Inputs, log: Log) -> Self | None:
        """Find the last metrics that serve, and the parcels that have changed since or that a change reaches.

        Parameters
        ----------
        home
            Where metrics are.
        by, inputs
            What the parcels are to be measured by.
        log
            Told why none serve, where some might have.

        Returns
        -------
        Again or None
            None where there are no metrics to start from, or most parcels would be measured again.
        """
        base = _base(home, by)
        if base is None:
            return None
        metrics, was = base
        row = aligned(was.parcels, by.parcels)
        if (
            row is None
            or pq.read_metadata(metrics).num_rows != pq.read_metadata(was.parcels).num_rows
        ):
            log("metrics: all parcels measured, since their columns or ids have changed")
            return None
        plan = Remeasure.of(was.inputs((by, inputs)), inputs)
        if plan.everything is not None:
            log(f"metrics: all parcels measured, since this has changed: {plan.everything}")
            return None
        kept = int((row >= 0).sum())
        moved = max(len(row), pq.read_metadata(metrics).num_rows) - kept
        changed = {name: count for name, count in plan.changed.items() if count}
        if changed:
            row = np.where(_reached(plan, by.parcels, metrics, row), -1, row)
        told = [f"{NAMES.get(name, name)}: {_rows(count)}" for name, count in changed.items()]
        told += [f"parcels: {_rows(moved)}"] if moved else []
        stale = int((row < 0).sum())
        if stale > MOST_STALE * len(row):
            log(
                f"metrics: all parcels measured, since what changed is near {stale:,} of {len(row):,} "
                f"({', '.join(told)})"
            )
            return None
        return cls(metrics, row, ", ".join(told))


def measure_again(
    again: Again,
    rows: RowReader,
    chunks: Sequence[Chunk],
    parts: Parts,
    measure_rows: Callable[[pa.Table], pa.Table],
) -> None:
    """Write a part of every chunk with a parcel that has to be measured and that has none.

    Parameters
    ----------
    again
        The last metrics.
    rows, chunks
        The parcels.
    parts
        Where parts are written; those that a killed run left are taken as they are.
    measure_rows
        Measures some parcels: a table with the columns of a part.

    Raises
    ------
    GeoError
        As measuring.
    """
    with RowReader(again.metrics) as base:
        for chunk in again.stale_chunks(chunks):
            if parts.has(chunk):
                continue
            stale = again.is_stale[chunk.start : chunk.stop]
            measured = measure_rows(rows.read(chunk).filter(pa.array(stale)))
            parts.write(chunk, again.spliced(base, chunk, measured, parts.schema))


def aligned(old: Path, new: Path) -> np.ndarray | None:
    """Row in an old file of parcels of each parcel of a new one; -1 where it is new or not the same.

    Returns
    -------
    int64, shape (n,), ascending but for -1, which also stands for those elsewhere in the order; None
    where columns differ, or ids stand for several.
    """
    count = pq.read_metadata(new).num_rows
    if old == new or filecmp.cmp(old, new, shallow=False):
        return np.arange(count)
    if not pq.read_schema(old).equals(pq.read_schema(new)):
        return None
    before, now = (
        pd.Index(pq.read_table(path, columns=["parcel_id"]).column(0).to_pandas())
        for path in (old, new)
    )
    if not (before.is_unique and now.is_unique):
        return None
    row = before.get_indexer(now).astype(np.int64)
    # A parcel that is altered may stand elsewhere: its place along the curve is that of its point.
    found = np.flatnonzero(row >= 0)
    moved = np.ones(len(found), dtype=bool)
    if len(found):
        moved[longest_rise(row[found])] = False
    row[found[moved]] = -1
    with RowReader(old) as before_rows, RowReader(new) as now_rows:
        for start in range(0, count, BATCH):
            chunk = Chunk(0, start, min(start + BATCH, count))
            held = np.flatnonzero(row[start : chunk.stop] >= 0)
            if not len(held):
                continue
            at = row[start + held]
            first = int(at[0])
            one = before_rows.read(Chunk(0, first, int(at[-1]) + 1)).take(at - first)
            other = now_rows.read(chunk).take(held)
            row[start + held[_differ(one, other)]] = -1
    return row


def _base(home: Home, by: MeasuredBy) -> tuple[Path, MeasuredBy] | None:
    """Metrics that were used last among those measured by the same code and slopes, and what by."""
    told = home.work.glob(f"metric-*{INPUTS_SUFFIX}")
    held = [(path.with_name(path.name.replace(INPUTS_SUFFIX, ".parquet")), path) for path in told]
    held = [(metrics, path) for metrics, path in held if metrics.is_file()]
    for metrics, path in sorted(held, key=lambda one: one[0].stat().st_mtime, reverse=True):
        was = MeasuredBy.read(path)
        if was is None or not was.is_there:
            continue
        if was.code == by.code and was.slope == by.slope:
            return metrics, was
    return None


def _reached(plan: Remeasure, parcels: Path, metrics: Path, row: np.ndarray) -> np.ndarray:
    """Whether a change reaches each parcel, shape (n,)."""
    miles = {}
    if plan.needs:
        table = pq.read_table(metrics, columns=[*plan.needs])
        miles = {name: table.column(name).to_numpy().astype(np.float64)[row] for name in plan.needs}
    out = np.empty(len(row), dtype=bool)
    with RowReader(parcels) as rows:
        for start, table in _batches(parcels):
            stop = start + table.num_rows
            chunk = Chunk(0, start, stop)
            text = {
                name: table.column(name).to_pandas().to_numpy(dtype=object)
                for name in ("county_id", "state_id")
            }
            out[start:stop] = plan.stale(
                Batch(
                    *(table.column(name).to_numpy() for name in ("lon", "lat")),
                    (table.column("parcel_kind").to_pandas() == EDGE_KIND).to_numpy(dtype=bool),
                    **text,
                    miles={name: column[start:stop] for name, column in miles.items()},
                    outlines=lambda chunk=chunk: _outlines(rows.read(chunk)),
                )
            )
    return out


def _batches(parcels: Path) -> Iterator[tuple[int, pa.Table]]:
    """Where parcels lie, so many at a time, with the number of the first."""
    start = 0
    with pq.ParquetFile(parcels, pre_buffer=False) as file:
        for batch in file.iter_batches(batch_size=BATCH, columns=[*WHERE]):
            yield start, pa.Table.from_batches([batch])
            start += batch.num_rows


def _outlines(rows: pa.Table) -> Polygons:
    """Outlines of parcels.

    Raises
    ------
    MeasureError
        One is no polygon.
    """
    decoded = from_arrow(rows.column("geometry"))
    if len(decoded.polygons) != rows.num_rows:
        msg = "A parcel has no outline."
        raise MeasureError(msg)
    return decoded.polygons.oriented()


def _differ(one: pa.Table, other: pa.Table) -> np.ndarray:
    """Whether rows of tables with the same columns differ, numbers to the bit, shape (n,)."""
    out = np.zeros(one.num_rows, dtype=bool)
    for name in one.column_names:
        a, b = one.column(name), other.column(name)
        if pa.types.is_floating(a.type):
            known = [column.is_valid().to_numpy() for column in (a, b)]
            bits = [column.fill_null(0.0).to_numpy().view(np.int64) for column in (a, b)]
            out |= (known[0] != known[1]) | (bits[0] != bits[1])
            continue
        if a.equals(b):
            continue
        one_by_one = [column.to_pandas() for column in (a, b)]
        known = [column.notna().to_numpy() for column in one_by_one]
        same = one_by_one[0].to_numpy() == one_by_one[1].to_numpy()
        out |= ~same & (known[0] | known[1])
    return out


def _statistics(meta: "pq.RowGroupMetaData") -> list[tuple[str, "pq.Statistics"]]:
    columns = [meta.column(number) for number in range(meta.num_columns)]
    return [(column.path_in_schema, column.statistics) for column in columns]


def _rows(count: int) -> str:
    return f"{count:,} row" + ("" if count == 1 else "s")
