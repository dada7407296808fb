"""Packs: columns of numbers and words in one gzip, as the page's script reads them.

A pack is the gzip of a little-endian 32-bit length, a JSON header of that length and the bytes of all columns
behind each other. The header tells of each column its kind, where it lies and whether its bytes are shuffled:
first all first bytes, then all second bytes and so on, which compresses numbers of like size better. Unknown is
NaN in floats, the least i32, the largest u32 and u8, and null in JSON.
"""

import gzip
import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

UNKNOWN_I32 = -(2**31)
UNKNOWN_U32 = 2**32 - 1
UNKNOWN_U8 = 2**8 - 1
# What a script can read as a typed array, and what it calls it.
_KINDS = {"<f8": "f64", "<f4": "f32", "<i4": "i32", "<u4": "u32", "|u1": "u8"}
# Columns start where a typed array of any kind may.
_ALIGNED = 8


@dataclass(frozen=True, eq=False)
class Coded:
    """A column whose numbers stand for others; `told` says in the header how to read them.

    Parameters
    ----------
    values
        (m,) of a type that packs take; m is the rows of the table where `told` says nothing else.
    told
        Members of the column's header: `step` (a value is its number times this), `levels` (a number is the place
        of its value in this list) or `by: rank` (rows that are ranked, in order of their rank).
    """

    values: np.ndarray
    told: Mapping[str, Any]


def pack(rows: int, columns: Mapping[str, Any], **members: Any) -> bytes:
    """Put columns into a pack; equal columns give equal bytes.

    Parameters
    ----------
    rows
        Rows of the table.
    columns
        Name to an array of `rows` float64, float32, int32, uint32 or uint8, to a `Coded` one, or to anything that
        JSON holds.
    members
        Free members of the header.

    Returns
    -------
    bytes
        The pack.

    Raises
    ------
    ValueError
        If an array has another length or type.
    """
    told: dict[str, dict[str, Any]] = {}
    parts: list[bytes] = []
    offset = 0
    for name, values in columns.items():
        is_shuffled, more = False, {}
        if isinstance(values, Coded):
            kind, is_shuffled, body = _bytes_of(name, len(values.values), values.values)
            more = values.told
        elif isinstance(values, np.ndarray):
            kind, is_shuffled, body = _bytes_of(name, rows, values)
        else:
            kind, body = "json", to_json(values)
        place = {"offset": offset, "bytes": len(body), "shuffled": is_shuffled}
        told[name] = {"kind": kind, **place, **more}
        padding = -len(body) % _ALIGNED
        parts += [body, bytes(padding)]
        offset += len(body) + padding
    header = to_json({"rows": rows, "columns": told, **members})
    return gzip.compress(
        struct.pack("<I", len(header)) + header + b"".join(parts), compresslevel=9, mtime=0
    )


def to_json(value: Any) -> bytes:
    """JSON in UTF-8, without spaces; half of a surrogate pair becomes a question mark.

    Raises
    ------
    ValueError
        If a number is not finite, which JSON cannot say.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", errors="replace")


def whole(values: Any, unknown: int, dtype: Any) -> np.ndarray:
    """Whole numbers with a sentinel for unknown.

    Parameters
    ----------
    values
        (n,) float64 with NaN, or masked integers.
    unknown
        What stands for unknown.
    dtype
        int32, uint32 or uint8.

    Returns
    -------
    numpy.ndarray
        (n,) of `dtype`.

    Raises
    ------
    ValueError
        If a value does not fit, or is the sentinel.
    """
    given = np.ma.filled(np.ma.asarray(values).astype(np.float64), np.nan)
    known = np.isfinite(given)
    limits = np.iinfo(dtype)
    if ((given[known] < limits.min) | (given[known] > limits.max)).any():
        msg = f"whole numbers do not fit into {np.dtype(dtype)}"
        raise ValueError(msg)
    if (given[known] == unknown).any():
        msg = f"{unknown} stands for unknown"
        raise ValueError(msg)
    out = np.full(given.shape, unknown, dtype=dtype)
    out[known] = given[known]
    return out


def significant(values: np.ndarray, digits: int) -> np.ndarray:
    """Round to significant digits; NaN stays.

    Parameters
    ----------
    values
        (n,) float64.
    digits
        Significant digits to keep, 1 to 15.

    Returns
    -------
    numpy.ndarray
        (n,) float64.
    """
    out = np.array(values, dtype=np.float64)
    used = np.isfinite(out) & (out != 0)
    shift = digits - 1 - np.floor(np.log10(np.abs(out[used]))).astype(np.int64)
    # A power of ten is exact in a double only where it is whole: divide for the others.
    up, down = 10.0 ** np.maximum(shift, 0), 10.0 ** np.maximum(-shift, 0)
    out[used] = np.rint(out[used] * up / down) * down / up
    return out


def _bytes_of(name: str, rows: int, values: np.ndarray) -> tuple[str, bool, bytes]:
    """Kind, whether shuffled, and bytes: in the order that compresses better."""
    little = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
    kind = _KINDS.get(little.dtype.str)
    if kind is None or values.shape != (rows,):
        kinds = ", ".join(_KINDS.values())
        msg = f"column {name!r} is {values.shape} of {values.dtype}: a pack takes {rows} of {kinds}"
        raise ValueError(msg)
    plain = little.tobytes()
    if little.itemsize == 1:
        return kind, False, plain
    planes = little.view(np.uint8).reshape(rows, little.itemsize).T.tobytes()
    # A quick look is enough: whoever wins it by the fastest compression wins by the best one too.
    is_shuffled = len(zlib.compress(planes, 1)) <= len(zlib.compress(plain, 1))
    return kind, is_shuffled, planes if is_shuffled else plain
