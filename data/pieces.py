"""Divided land in pieces: GeoParquet files of one partition each, of about equal size where one is crowded."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data.place import Place, Stored, parquet_options

PARTITION = "parcel_partition"
PIECES_FILE = "pieces.json"
# What a piece costs beside its parcels, 0.07 s, is 2 % of measuring so many; its worker held 1.4 GB at most
# (1.2 with half, 1.9 with twice as many), and files of 20 to 40 MB suit stores of objects.
PIECE_ROWS = 131_072
SUFFIX = ".parquet"
# Read at a time, and held of pieces that are not full; beyond it the fullest goes to disk.
BATCH_ROWS = 65_536
MOST_HELD_BYTES = 256 * 1024**2
GEO_VERSION = "1.1.0"


@dataclass(frozen=True)
class Piece:
    """A file of parcels of one partition.

    Attributes
    ----------
    name
        Partition and number, such as `82266ffffffffff-0003`; the file is `<name>.parquet`.
    partition
        H3 cell of resolution 2 that the parcels' points lie in.
    rows
        Count of parcels.
    bytes, sha256
        Of the file.
    """

    name: str
    partition: str
    rows: int
    bytes: int = 0
    sha256: str = ""


def write_pieces(
    divided: Path, place: Place, folder: str, piece_rows: int = PIECE_ROWS
) -> list[Piece]:
    """Write a file of parcels as pieces, in the order of its rows; those of a finished call are kept.

    Rows of each partition are counted first, so that one with more than `piece_rows` is cut into pieces
    of the same size, give or take a row. Memory holds some row groups, however long the file is.

    Parameters
    ----------
    divided
        GeoParquet file of the divide step.
    place, folder
        Where the pieces go, with `pieces.json` beside them when all are there.
    piece_rows
        Most parcels of a piece.

    Returns
    -------
    list of Piece
        In the order of their names.
    """
    if (there := read_pieces(place, folder)) is not None:
        return there
    place.sweep(folder)
    cutting = _Cutting(place, folder, _sizes(divided, piece_rows))
    try:
        for rows in _batches(divided):
            cutting.take(rows)
    finally:
        cutting.close()
    pieces = sorted(cutting.done, key=lambda piece: piece.name)
    told = {"piece_rows": piece_rows, "pieces": [asdict(piece) for piece in pieces]}
    place.write_bytes(f"{folder}/{PIECES_FILE}", json.dumps(told, indent=1).encode())
    return pieces


def read_pieces(place: Place, folder: str) -> list[Piece] | None:
    """Read which pieces there are; None where they are not all there."""
    sizes = place.sizes(folder)
    if PIECES_FILE not in sizes:
        return None
    try:
        told = json.loads(place.read_bytes(f"{folder}/{PIECES_FILE}"))
        pieces = [Piece(**one) for one in told["pieces"]]
    except (ValueError, KeyError, TypeError):
        return None
    is_whole = all(sizes.get(piece.name + SUFFIX) == piece.bytes for piece in pieces)
    return pieces if is_whole else None


def content_sha256(table: pa.Table, key: str = "parcel_id") -> str:
    """Fingerprint what a table says: names, types, values and which are unknown, by the order of `key`.

    How the rows lie in files, how they are compressed or chunked changes nothing.
    """
    rows = pa.table({"key": table.column(key), "row": np.arange(table.num_rows)})
    order = rows.sort_by("key").column("row").to_numpy()
    digest = hashlib.sha256()
    for name, column in zip(table.column_names, table.columns, strict=True):
        values = _plain(column)
        digest.update(f"{name}\0{values.type}\0{len(values)}\0{values.null_count}\0".encode())
        if values.null_count:
            digest.update(values.is_valid().to_numpy(zero_copy_only=False)[order].data)
        if pa.types.is_large_binary(values.type):
            ends, octets = _octets(values.take(pa.array(order)))
            digest.update(np.diff(ends).data)
            digest.update(octets)
        else:
            nothing = False if pa.types.is_boolean(values.type) else 0
            numbers = values.fill_null(nothing) if values.null_count else values
            digest.update(numbers.to_numpy(zero_copy_only=False)[order].data)
    return digest.hexdigest()


def _plain(column: pa.ChunkedArray) -> pa.Array:
    """One array of numbers, or of bytes with long offsets, whatever a reader made of the file."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
        column = column.cast(kind)
    if pa.types.is_nested(kind):
        column = pa.chunked_array(
            [[json.dumps(value) for value in column.to_pylist()]], pa.string()
        )
        kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind):
        column = column.cast(pa.large_binary())
    found = column.combine_chunks()
    return found if isinstance(found, pa.Array) else pa.concat_arrays(found.chunks)


def _octets(values: pa.Array) -> tuple[np.ndarray, memoryview]:
    """Find the ends of all values, shape (n + 1,), and their bytes; an unknown one has none."""
    _, offsets, octets = values.fill_null(b"").buffers()
    if not len(values):
        return np.zeros(1, np.int64), memoryview(b"")
    ends = np.frombuffer(offsets, dtype="<i8")[values.offset :][: len(values) + 1]
    return ends, memoryview(octets or b"")[int(ends[0]) : int(ends[-1])]


def _batches(divided: Path) -> Iterator[pa.Table]:
    """Rows as they lie, told to be GeoParquet each."""
    with pq.ParquetFile(divided, pre_buffer=False) as file:
        metadata = {b"geo": _geo(file.schema_arrow.metadata or {})}
        for batch in file.iter_batches(batch_size=BATCH_ROWS):
            yield pa.Table.from_batches([batch]).replace_schema_metadata(metadata)


def _geo(metadata: dict[bytes, bytes]) -> bytes:
    """Give what GeoParquet tells of a whole file, without what holds for that alone."""
    told: dict[str, Any] = {"primary_column": "geometry", "columns": {}}
    told |= json.loads(metadata.get(b"geo", b"{}")) | {"version": GEO_VERSION}
    column = told["columns"].setdefault("geometry", {"encoding": "WKB"})
    column |= {"geometry_types": []}
    column.pop("bbox", None)
    return json.dumps(told).encode()


def _sizes(divided: Path, piece_rows: int) -> dict[str, list[int]]:
    """Rows of each piece of each partition."""
    counts: dict[str, int] = {}
    with pq.ParquetFile(divided, pre_buffer=False) as file:
        for batch in file.iter_batches(batch_size=16 * BATCH_ROWS, columns=[PARTITION]):
            for one in batch.column(0).value_counts():
                partition = one["values"].as_py()
                counts[partition] = counts.get(partition, 0) + one["counts"].as_py()
    return {name: _cut(count, piece_rows) for name, count in counts.items()}


def _cut(count: int, piece_rows: int) -> list[int]:
    pieces = -(-count // piece_rows)
    ends = [count * number // pieces for number in range(pieces + 1)]
    return [end - start for start, end in pairwise(ends)]


@dataclass
class _Open:
    """A piece that is not full: rows held, and those on disk where memory was short."""

    name: str
    partition: str
    rows: int
    held: list[pa.Table] = field(default_factory=list)
    held_rows: int = 0
    held_bytes: int = 0
    written_rows: int = 0
    draft: Path | None = None
    writer: pq.ParquetWriter | None = None

    @property
    def lacking(self) -> int:
        return self.rows - self.written_rows - self.held_rows

    def add(self, table: pa.Table) -> None:
        self.held.append(table)
        self.held_rows += table.num_rows
        self.held_bytes += table.nbytes

    def flush(self, place: Place, folder: str) -> None:
        table = pa.concat_tables(self.held)
        if self.writer is None:
            self.draft = place.scratch(f"{folder}/{self.name}{SUFFIX}")
            self.writer = pq.ParquetWriter(
                self.draft, table.schema, **parquet_options(table.schema)
            )
        self.writer.write_table(table, row_group_size=BATCH_ROWS)
        self.written_rows += self.held_rows
        self.held, self.held_rows, self.held_bytes = [], 0, 0

    def finish(self, place: Place, folder: str) -> Stored:
        file = f"{folder}/{self.name}{SUFFIX}"
        if self.writer is None or self.draft is None:
            return place.write(file, pa.concat_tables(self.held), row_group_size=BATCH_ROWS)
        if self.held:
            self.flush(place, folder)
        self.writer.close()
        return place.publish(self.draft, file)

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
        if self.draft is not None:
            self.draft.unlink(missing_ok=True)


class _Cutting:
    """Pieces while their rows come in."""

    def __init__(self, place: Place, folder: str, sizes: dict[str, list[int]]) -> None:
        self.done: list[Piece] = []
        self._place = place
        self._folder = folder
        self._sizes = sizes
        self._begun = dict.fromkeys(sizes, 0)
        self._open: dict[str, _Open] = {}

    def take(self, rows: pa.Table) -> None:
        codes = rows.column(PARTITION).combine_chunks().dictionary_encode()
        number = codes.indices.to_numpy(zero_copy_only=False)
        for code, partition in enumerate(codes.dictionary.to_pylist()):
            own = rows.take(pa.array(np.flatnonzero(number == code)))
            start = 0
            while start < own.num_rows:
                piece = self._piece(partition)
                part = own.slice(start, piece.lacking)
                start += part.num_rows
                piece.add(part)
                if not piece.lacking:
                    self._finish(piece)
        while sum(piece.held_bytes for piece in self._open.values()) > MOST_HELD_BYTES:
            fullest = max(self._open.values(), key=lambda piece: piece.held_bytes)
            fullest.flush(self._place, self._folder)

    def close(self) -> None:
        for piece in self._open.values():
            piece.close()

    def _piece(self, partition: str) -> _Open:
        if partition not in self._open:
            number = self._begun[partition]
            self._begun[partition] += 1
            name = f"{partition}-{number:04d}"
            self._open[partition] = _Open(name, partition, self._sizes[partition][number])
        return self._open[partition]

    def _finish(self, piece: _Open) -> None:
        stored = piece.finish(self._place, self._folder)
        piece.close()
        del self._open[piece.partition]
        self.done.append(
            Piece(piece.name, piece.partition, piece.rows, stored.bytes, stored.sha256)
        )
