"""Polygons from well-known binary, as Arrow holds it, into flat arrays without an object a shape."""

import enum
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from geo import _wkb
from geo._threads import in_threads
from geo.errors import GeoError
from geo.polygons import Polygons


class RowStatus(enum.IntEnum):
    """What became of a row: good, or why it is no parcel."""

    GOOD = _wkb.GOOD
    MISSING = _wkb.MISSING
    EMPTY = _wkb.EMPTY
    NO_POLYGON = _wkb.NO_POLYGON
    COLLECTION = _wkb.COLLECTION
    CURVED = _wkb.CURVED
    UNREADABLE = _wkb.UNREADABLE
    NOT_NUMBERS = 7
    OUT_OF_RANGE = 8
    TOO_WIDE = 9
    NO_AREA = 10
    BEYOND_REPAIR = 11

    @property
    def reason(self) -> str | None:
        """Say it as the end of a sentence that begins with the parcel; None for a good one."""
        return _REASONS[self]


_REASONS = {
    RowStatus.GOOD: None,
    RowStatus.MISSING: "has no geometry",
    RowStatus.EMPTY: "has no geometry",
    RowStatus.NO_POLYGON: "is no polygon",
    RowStatus.COLLECTION: "is no polygon",
    RowStatus.CURVED: "has curved edges",
    RowStatus.UNREADABLE: "holds bytes that are no geometry",
    RowStatus.NOT_NUMBERS: "has coordinates that are not numbers",
    RowStatus.OUT_OF_RANGE: "lies outside the range of longitude and latitude",
    RowStatus.TOO_WIDE: "reaches across more than 180 degrees of longitude",
    RowStatus.NO_AREA: "has no area",
    RowStatus.BEYOND_REPAIR: "crosses itself in a way that cannot be repaired",
}


@dataclass(frozen=True, eq=False)
class Decoded:
    """Rows of a geometry column, taken apart.

    Attributes
    ----------
    polygons
        The good rows, rings closed but neither checked nor turned; their coordinates are those of the
        column, whatever its CRS.
    rows
        Their row numbers in the column: int64, shape (len(polygons),).
    status
        `RowStatus` of every row: int8, shape (n,).
    is_closed_here
        Rows with a ring that was left open, or with fewer than four vertices, and had its first vertex
        repeated at its end: bool, shape (n,).
    """

    polygons: Polygons
    rows: np.ndarray
    status: np.ndarray
    is_closed_here: np.ndarray


def decode(
    data: np.ndarray, offsets: np.ndarray, is_null: np.ndarray | None = None, *, workers: int = -1
) -> Decoded:
    """Take polygons and multipolygons in well-known binary apart.

    2-D or with heights and measures (dropped), ISO or extended, either byte order. Empty parts and rings
    are left out. Nothing outside of a row's bytes is read, whatever they are; bytes after the shape
    are ignored.

    Parameters
    ----------
    data
        uint8, shape (b,).
    offsets
        Row i is `data[offsets[i]:offsets[i + 1]]`: int32 or int64, shape (n + 1,).
    is_null
        Rows without a geometry: bool, shape (n,).
    workers
        Threads; -1 takes all cores.

    Returns
    -------
    Decoded
        Rows that are no polygons have a status and are not among `polygons`.

    Raises
    ------
    GeoError
        For arrays of the wrong type or shape.
    """
    start = _offsets(offsets)
    count = len(start) - 1
    if data.dtype != np.uint8 or data.ndim != 1 or not data.flags.c_contiguous:
        msg = f"The bytes are {data.dtype} {data.shape}; pass contiguous uint8 of one dimension."
        raise GeoError(msg)
    is_null = np.zeros(count, dtype=bool) if is_null is None else np.ascontiguousarray(is_null)
    if is_null.dtype != bool or is_null.shape != (count,):
        msg = f"is_null is {is_null.dtype} {is_null.shape}; pass bool ({count},)."
        raise GeoError(msg)
    # Memory that Arrow lends cannot be written to, and kernels are compiled for one kind of array.
    data = _writable(data)
    status = np.empty(count, dtype=np.int8)
    counts = np.empty((count, 3), dtype=np.int64)
    is_closed_here = np.empty(count, dtype=bool)
    in_threads(
        lambda part: _wkb.measure(
            data, start, is_null, part.start, part.stop, status, counts, is_closed_here
        ),
        count,
        workers,
    )
    firsts = np.zeros((count + 1, 3), dtype=np.int64)
    np.cumsum(counts, axis=0, out=firsts[1:])
    parts, rings, vertices = firsts[-1]
    xy = np.empty((vertices, 2))
    ring_start = np.zeros(rings + 1, dtype=np.int64)
    part_start = np.zeros(parts + 1, dtype=np.int64)
    raw = xy.view(np.uint8).reshape(-1)
    in_threads(
        lambda part: _wkb.fill(
            data, start, status, firsts, part.start, part.stop, raw, ring_start, part_start
        ),
        count,
        workers,
    )
    if sys.byteorder == "big":  # pragma: no cover
        xy.byteswap(inplace=True)
    rows = np.flatnonzero(status == RowStatus.GOOD)
    shape_start = np.append(firsts[rows, 0], parts)
    return Decoded(Polygons(xy, ring_start, part_start, shape_start), rows, status, is_closed_here)


def from_arrow(column: pa.Array | pa.ChunkedArray, *, workers: int = -1) -> Decoded:
    """Take a column of well-known binary apart; see `decode`.

    Parameters
    ----------
    column
        binary, large_binary or binary_view, or an extension type over one of them (geoarrow.wkb).

    Raises
    ------
    GeoError
        For a column of another type.
    """
    if isinstance(column, pa.ChunkedArray):
        return _join([from_arrow(chunk, workers=workers) for chunk in column.chunks])
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if pa.types.is_binary_view(column.type) or pa.types.is_fixed_size_binary(column.type):
        column = column.cast(pa.large_binary())
    if pa.types.is_binary(column.type):
        kind = np.dtype(np.int32)
    elif pa.types.is_large_binary(column.type):
        kind = np.dtype(np.int64)
    else:
        msg = f"The geometry column is {column.type}; pass well-known binary."
        raise GeoError(msg)
    _, offsets, data = column.buffers()
    if len(column) == 0 or offsets is None:
        return decode(np.empty(0, dtype=np.uint8), np.zeros(1, dtype=np.int64))
    start = np.frombuffer(offsets, dtype=kind, count=column.offset + len(column) + 1)
    is_null = column.is_null().to_numpy(zero_copy_only=False) if column.null_count else None
    flat = np.empty(0, dtype=np.uint8) if data is None else np.frombuffer(data, dtype=np.uint8)
    return decode(flat, start[column.offset :], is_null, workers=workers)


def join(polygons: Sequence[Polygons]) -> Polygons:
    """Put polygons one after the other."""

    def starts(arrays: list[np.ndarray]) -> np.ndarray:
        before = np.cumsum([0, *(array[-1] for array in arrays)])
        moved = [array[1:] + first for array, first in zip(arrays, before[:-1], strict=True)]
        return np.concatenate([np.zeros(1, dtype=np.int64), *moved])

    return Polygons(
        np.concatenate([np.empty((0, 2)), *(one.lonlat for one in polygons)]),
        starts([one.ring_start for one in polygons]),
        starts([one.part_start for one in polygons]),
        starts([one.shape_start for one in polygons]),
    )


def _join(decoded: list[Decoded]) -> Decoded:
    if len(decoded) == 1:
        return decoded[0]
    before = np.cumsum([0, *(len(one.status) for one in decoded)])
    none = np.empty(0, dtype=np.int64)
    return Decoded(
        join([one.polygons for one in decoded]),
        np.concatenate(
            [none, *(one.rows + first for one, first in zip(decoded, before[:-1], strict=True))]
        ),
        np.concatenate([none.astype(np.int8), *(one.status for one in decoded)]),
        np.concatenate([none.astype(bool), *(one.is_closed_here for one in decoded)]),
    )


def _offsets(offsets: np.ndarray) -> np.ndarray:
    if (
        offsets.ndim != 1
        or not len(offsets)
        or offsets.dtype not in {np.dtype("i4"), np.dtype("i8")}
    ):
        msg = f"The offsets are {offsets.dtype} {offsets.shape}; pass one more int32 or int64 than rows."
        raise GeoError(msg)
    return _writable(np.ascontiguousarray(offsets, dtype=np.int64))


class _Lent:
    """Memory of an array that must not be written to, as if it could be: kernels know one kind only."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array
        address, _ = array.__array_interface__["data"]
        self.__array_interface__ = {**array.__array_interface__, "data": (address, False)}


def _writable(array: np.ndarray) -> np.ndarray:
    return array if array.flags.writeable else np.asarray(_Lent(array))
