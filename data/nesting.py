"""Well-known binary that nests deeper than any honest geometry, which libraries recurse into till they crash."""

import re
from struct import unpack_from

import numpy as np

# Geometries in each other, at most.
MAX_NESTED = 64
# Codes of types that hold geometries, multi-points to collections: plain or with flags (EWKB), with Z and M (ISO).
_LITTLE = rb"\x01(?:[\x04-\x07]\x00\x00[\x00-\xe0]|[\xec-\xef]\x03\x00\x00|[\xd4-\xd7]\x07\x00\x00|[\xbc-\xbf]\x0b\x00\x00)"
_BIG = rb"\x00(?:[\x00-\xe0]\x00\x00[\x04-\x07]|\x00\x00\x03[\xec-\xef]|\x00\x00\x07[\xd4-\xd7]|\x00\x00\x0b[\xbc-\xbf])"
_HOLDER = re.compile(_LITTLE + b"|" + _BIG)
_HAS_Z, _HAS_M, _HAS_SRID = 0x80000000, 0x40000000, 0x20000000
_POINT, _LINE, _POLYGON, _LAST = 1, 2, 3, 7


def is_deep(wkb: bytes) -> bool:
    """Whether geometries lie in each other deeper than `MAX_NESTED`.

    A value that holds no geometries is not looked through. Each level starts with the code of its type, so
    that few codes are proof enough; only where there are many, which may be coordinates, are levels counted.
    """
    if not _HOLDER.match(wkb):
        return False
    for number, _ in enumerate(_HOLDER.finditer(wkb), start=1):
        if number > MAX_NESTED:
            return _is_deep(wkb)
    return False


def deep_rows(wkb: np.ndarray) -> np.ndarray:
    """Positions of the values of an object array (bytes or None) that nest too deep."""
    return np.flatnonzero([value is not None and is_deep(value) for value in wkb])


def _is_deep(wkb: bytes) -> bool:
    """Count levels from the first byte on; where the value breaks off, no library goes deeper either."""
    at = 0
    # Geometries that are still to come, by level.
    left: list[int] = []
    while at + 9 <= len(wkb):
        order = "<I" if wkb[at] else ">I"
        (code,) = unpack_from(order, wkb, at + 1)
        at += 9 if code & _HAS_SRID else 5
        iso, kind = divmod(code & 0xFFFF, 1000)
        ordinates = 2 + bool(code & _HAS_Z or iso in {1, 3}) + bool(code & _HAS_M or iso in {2, 3})
        if kind == _POINT:
            at += 8 * ordinates
        elif at + 4 > len(wkb) or not _POINT < kind <= _LAST:
            return False
        else:
            (count,) = unpack_from(order, wkb, at)
            at += 4
            if kind > _POLYGON and count:
                left.append(count)
                if len(left) > MAX_NESTED:
                    return True
                continue
            at = _behind(wkb, at, order, kind, count, 8 * ordinates)
        while left:
            left[-1] -= 1
            if left[-1]:
                break
            left.pop()
        if not left:
            return False
    return False


def _behind(wkb: bytes, at: int, order: str, kind: int, count: int, step: int) -> int:
    """Position behind the points of a line or the rings of a polygon."""
    if kind == _LINE:
        return at + count * step
    if kind == _POLYGON:
        for _ in range(count):
            if at + 4 > len(wkb):
                break
            (points,) = unpack_from(order, wkb, at)
            at += 4 + points * step
    return at
