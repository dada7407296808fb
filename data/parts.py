"""A long table made in parts: each run of rows is a Parquet file that is whole or not there.

What makes the table can die between two parts; whoever starts again finds the whole parts and makes
the rest. Memory holds one part at a time, also when the parts are joined.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data import store

ROWS_KEY = b"gridstead.rows"
PARTS_SUFFIX = ".parts"


@dataclass(frozen=True)
class Chunk:
    """Rows `start` to `stop` (exclusive, from 0) of a table, the `number`-th chunk of it."""

    number: int
    start: int
    stop: int

    def __len__(self) -> int:
        """Count the rows."""
        return self.stop - self.start


def chunks_of(row_count: int, chunk_rows: int) -> list[Chunk]:
    """Cut `row_count` rows into chunks of `chunk_rows`, the last one shorter."""
    starts = range(0, row_count, chunk_rows)
    return [
        Chunk(number, start, min(start + chunk_rows, row_count))
        for number, start in enumerate(starts)
    ]


class RowReader:
    """Runs of rows of a Parquet file; only the row groups that hold them are read."""

    def __init__(self, path: Path) -> None:
        self._file = pq.ParquetFile(path, pre_buffer=False)
        meta = self._file.metadata
        sizes = [meta.row_group(group).num_rows for group in range(meta.num_row_groups)]
        self._first = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
        self._held: tuple[int, pa.Table] | None = None

    def __enter__(self) -> Self:
        """Keep the file open for the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._held = None
        self._file.close()

    def __len__(self) -> int:
        """Count the rows of the file."""
        return int(self._first[-1])

    def read(self, chunk: Chunk) -> pa.Table:
        """Read the rows of a chunk, all columns."""
        first = int(np.searchsorted(self._first, chunk.start, side="right")) - 1
        last = int(np.searchsorted(self._first, chunk.stop, side="left"))
        pieces = []
        for group in range(first, last):
            offset = int(self._first[group])
            start = max(chunk.start - offset, 0)
            pieces.append(self._group(group).slice(start, chunk.stop - offset - start))
        return pa.concat_tables(pieces)

    def _group(self, number: int) -> pa.Table:
        """One row group; the last one is held, since the next chunk often starts in it."""
        if self._held is None or self._held[0] != number:
            self._held = None
            self._held = number, self._file.read_row_group(number)
        return self._held[1]


@dataclass(frozen=True)
class Parts:
    """The parts of one table, in a folder of their own.

    Attributes
    ----------
    folder
        Holds `part-00000.parquet`, `part-00001.parquet` ..., and `some-00002.parquet` where the part of
        a chunk lacks rows.
    schema
        Columns of every part.
    """

    folder: Path
    schema: pa.Schema

    def path(self, chunk: Chunk) -> Path:
        """File of a chunk."""
        return self.folder / f"part-{chunk.number:05d}.parquet"

    def has(self, chunk: Chunk) -> bool:
        """Whether the part of a chunk is there and whole: its rows, its columns, every checksum."""
        try:
            with pq.ParquetFile(
                self.path(chunk), pre_buffer=False, page_checksum_verification=True
            ) as file:
                told = (file.schema_arrow.metadata or {}).get(ROWS_KEY)
                return (
                    told == _rows_of(chunk)
                    and file.metadata.num_rows == len(chunk)
                    and file.schema_arrow.equals(self.schema)
                    and file.read().num_rows == len(chunk)
                )
        except (OSError, pa.ArrowException):
            return False

    def write(self, chunk: Chunk, table: pa.Table) -> None:
        """Write the part of a chunk in one step; `table` has the columns of the schema."""
        if table.num_rows != len(chunk):
            msg = f"chunk {chunk.number} has {len(chunk)} rows, its part {table.num_rows}"
            raise ValueError(msg)
        self._write(self.path(chunk), table, {ROWS_KEY: _rows_of(chunk)})

    def write_some(self, chunk: Chunk, table: pa.Table) -> None:
        """Write what there is of a chunk that lacks rows: it is joined, and never taken for whole."""
        self.path(chunk).unlink(missing_ok=True)
        self._write(self._lacking(chunk), table, {})

    def holds(self, chunk: Chunk) -> bool:
        """Whether there is a part of a chunk, whole or lacking rows."""
        return self._held(chunk).is_file()

    def known_columns(self, chunks: Sequence[Chunk]) -> set[str]:
        """Columns with a value that is not null in any of the parts, from their statistics alone."""
        known: set[str] = set()
        for chunk in chunks:
            meta = pq.read_metadata(self._held(chunk))
            for group in range(meta.num_row_groups):
                rows = meta.row_group(group)
                for column in range(rows.num_columns):
                    told = rows.column(column)
                    if told.statistics.null_count < told.num_values:
                        known.add(told.path_in_schema)
        return known

    def join(
        self,
        chunks: Sequence[Chunk],
        target: Path,
        finish: Callable[[pa.Table], pa.Table],
        elsewhere: Callable[[Chunk], pa.Table] | None = None,
    ) -> int:
        """Write the parts of the chunks behind each other to `target`, which appears whole.

        Parameters
        ----------
        chunks
            Chunks whose parts are there, whole or lacking rows, in the order of their rows; not empty.
        target
            Parquet file to write; each part becomes a row group.
        finish
            Called with each part; what it returns is written.
        elsewhere
            Gives the rows of a chunk that has no part, with the columns of the schema.

        Returns
        -------
        int
            Rows written.
        """
        temporary = target.with_name(target.name + ".part")
        tables = self._finished(chunks, finish, elsewhere)
        first = next(tables)
        count = 0
        # Measured numbers hardly repeat: trying to find repetitions costs more than measuring them,
        # and no stronger compression makes the file smaller.
        with pq.ParquetWriter(
            temporary, first.schema, compression="snappy", use_dictionary=_texts(first.schema)
        ) as writer:
            table: pa.Table | None = first
            del first
            while table is not None:
                writer.write_table(table)
                count += table.num_rows
                table = next(tables, None)
        store.replace_atomically(temporary, target)
        return count

    def remove(self) -> None:
        """Remove the parts; a folder that is not there is fine."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _lacking(self, chunk: Chunk) -> Path:
        return self.folder / f"some-{chunk.number:05d}.parquet"

    def _held(self, chunk: Chunk) -> Path:
        whole = self.path(chunk)
        return whole if whole.is_file() else self._lacking(chunk)

    def _write(self, path: Path, table: pa.Table, told: dict[bytes, bytes]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        table = table.cast(self.schema).replace_schema_metadata(told)
        temporary = path.with_suffix(".parquet.part")
        # Read once and thrown away: not worth the time to make it small.
        pq.write_table(
            table,
            temporary,
            compression="none",
            use_dictionary=_texts(table.schema),
            write_page_checksum=True,
        )
        store.replace_atomically(temporary, path)

    def _finished(
        self,
        chunks: Sequence[Chunk],
        finish: Callable[[pa.Table], pa.Table],
        elsewhere: Callable[[Chunk], pa.Table] | None,
    ) -> Iterator[pa.Table]:
        for chunk in chunks:
            if elsewhere is not None and not self.holds(chunk):
                yield finish(elsewhere(chunk))
                continue
            with pq.ParquetFile(self._held(chunk), pre_buffer=False) as file:
                table = file.read().replace_schema_metadata(None)
            yield finish(table)


def _texts(schema: pa.Schema) -> list[str]:
    """Columns whose values repeat."""
    return [field.name for field in schema if pa.types.is_string(field.type)]


def _rows_of(chunk: Chunk) -> bytes:
    return f"{chunk.start}:{chunk.stop}".encode()
