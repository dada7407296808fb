"""Compiled walk over well-known binary: how much a row holds, then its vertices into flat arrays.

ISO and extended WKB differ in how they say that vertices have heights or measures: thousands in the type
(OGC 06-103r4, 8.2.3) against high bits of it, which also announce an SRID of four bytes.
"""

# numba infers the types, builds sets at run time, and inlines helpers at a price that forbids more of them.
# ruff: noqa: ANN001, ANN202, C901, PLR0912, PLR1714

import numpy as np

from geo._jit import jit

GOOD = 0
MISSING = 1
EMPTY = 2
NO_POLYGON = 3
COLLECTION = 4
CURVED = 5
UNREADABLE = 6

_POLYGON, _MULTIPOLYGON, _COLLECTION = 3, 6, 7
# Circular and compound strings, curve polygons, multicurves, multisurfaces, curves and surfaces.
_FIRST_CURVE, _LAST_CURVE = 8, 14
_LAST_KIND = 17
_HAS_Z, _HAS_M, _HAS_SRID = 0x80000000, 0x40000000, 0x20000000
# A closed ring with an area has at least so many vertices.
_LEAST = 4


@jit
def _uint32(data, at, little):
    a, b = np.int64(data[at]), np.int64(data[at + 1])
    c, d = np.int64(data[at + 2]), np.int64(data[at + 3])
    if little:
        return a | (b << 8) | (c << 16) | (d << 24)
    return d | (c << 8) | (b << 16) | (a << 24)


@jit
def _header(data, at, end):
    """Kind, ordinates a vertex, byte order and where the body starts; kind -1 for no header."""
    if end - at < 5 or data[at] > 1:
        return -1, 0, False, at
    little = data[at] == 1
    word = _uint32(data, at + 1, little)
    at += 5
    if word & _HAS_SRID:
        at += 4
    kind, dimensions = (word & 0xFFFF) % 1000, (word & 0xFFFF) // 1000
    if at > end or dimensions > 3 or kind > _LAST_KIND:
        return -1, 0, False, at
    width = 2
    if (word & _HAS_Z) or dimensions == 1 or dimensions == 3:
        width += 1
    if (word & _HAS_M) or dimensions == 2 or dimensions == 3:
        width += 1
    return kind, width, little, at


@jit
def _is_closed(data, at, count, width):
    last = at + (count - 1) * width * 8
    for k in range(16):  # noqa: SIM110 - numba has no all()
        if data[at + k] != data[last + k]:
            return False
    return True


@jit
def _measure_polygon(data, at, end, width, little):
    """Rings, vertices once closed, rings to be closed, and where the polygon ends: -1 for beyond `end`."""
    rings, vertices, opened = 0, 0, 0
    if end - at < 4:
        return rings, vertices, opened, -1
    told = _uint32(data, at, little)
    at += 4
    has_shell = True
    for ring in range(told):
        if end - at < 4:
            return rings, vertices, opened, -1
        count = _uint32(data, at, little)
        at += 4
        if end - at < count * width * 8:
            return rings, vertices, opened, -1
        if count == 0:
            has_shell = has_shell and ring > 0
        elif has_shell:
            total = count
            if not _is_closed(data, at, count, width):
                total += 1
            total = max(total, _LEAST)
            rings += 1
            vertices += total
            if total > count:
                opened += 1
        at += count * width * 8
    return rings, vertices, opened, at


@jit
def measure(data, start, is_null, first, last, status, counts, is_closed_here) -> None:
    """Look at the rows first..last: their status, their parts, rings and vertices (n, 3)."""
    for row in range(first, last):
        counts[row, 0] = counts[row, 1] = counts[row, 2] = 0
        is_closed_here[row] = False
        at, end = start[row], start[row + 1]
        if is_null[row]:
            status[row] = MISSING
            continue
        if at < 0 or end > len(data):
            status[row] = UNREADABLE
            continue
        kind, width, little, at = _header(data, at, end)
        if kind != _POLYGON and kind != _MULTIPOLYGON:
            status[row] = NO_POLYGON
            if kind < 1:
                status[row] = UNREADABLE
            elif kind == _COLLECTION:
                status[row] = COLLECTION
            elif _FIRST_CURVE <= kind <= _LAST_CURVE:
                status[row] = CURVED
            continue
        polygons = 1
        if kind == _MULTIPOLYGON:
            polygons = 0 if end - at < 4 else _uint32(data, at, little)
            at = -1 if end - at < 4 else at + 4
        parts, rings, vertices, opened = 0, 0, 0, 0
        for _ in range(polygons):
            if kind == _MULTIPOLYGON:
                inner, width, little, at = _header(data, at, end)
                if inner != _POLYGON:
                    at = -1
                    break
            more_rings, more, more_opened, at = _measure_polygon(data, at, end, width, little)
            if at < 0:
                break
            if more_rings > 0:
                parts += 1
            rings += more_rings
            vertices += more
            opened += more_opened
        if at < 0:
            status[row] = UNREADABLE
        elif parts == 0:
            status[row] = EMPTY
        else:
            status[row] = GOOD
            counts[row, 0], counts[row, 1], counts[row, 2] = parts, rings, vertices
            is_closed_here[row] = opened > 0


@jit
def _copy(data, at, count, width, little, out, to) -> None:
    """Copy the bytes of x and y of vertices."""
    if little and width == 2:
        source, target = data[at : at + 16 * count], out[to : to + 16 * count]
        for k in range(16 * count):
            target[k] = source[k]
        return
    for number in range(2 * count):
        begin = at + 8 * (width * (number // 2) + number % 2)
        source, target = data[begin : begin + 8], out[to + 8 * number : to + 8 * number + 8]
        for k in range(8):
            target[k] = source[k] if little else source[7 - k]


@jit
def fill(data, start, status, firsts, first, last, out, ring_start, part_start) -> None:
    """Write the good rows first..last, whose first part, ring and vertex are `firsts` (n + 1, 3).

    `out` are the bytes of the vertices (16 v,), in the byte order of the machine, little end first.
    """
    for row in range(first, last):
        if status[row] != GOOD:
            continue
        part, ring, vertex = firsts[row, 0], firsts[row, 1], firsts[row, 2]
        kind, width, little, at = _header(data, start[row], start[row + 1])
        polygons = 1
        if kind == _MULTIPOLYGON:
            polygons = _uint32(data, at, little)
            at += 4
        for _ in range(polygons):
            if kind == _MULTIPOLYGON:
                _, width, little, at = _header(data, at, start[row + 1])
            told = _uint32(data, at, little)
            at += 4
            has_shell = True
            begun = ring
            for number in range(told):
                count = _uint32(data, at, little)
                at += 4
                if count == 0:
                    has_shell = has_shell and number > 0
                elif has_shell:
                    _copy(data, at, count, width, little, out, 16 * vertex)
                    total = count
                    if not _is_closed(data, at, count, width):
                        total += 1
                    total = max(total, _LEAST)
                    for extra in range(count, total):
                        _copy(data, at, 1, width, little, out, 16 * (vertex + extra))
                    vertex += total
                    ring += 1
                    ring_start[ring] = vertex
                at += count * width * 8
            if ring > begun:
                part += 1
                part_start[part] = ring
