"""Compiled loops of `geo.zonal`: how much of each raster cell a polygon covers, and sums over the cells.

Polygons come in cell units: a cell is the unit square of its column and row. Each edge adds, to every
cell that it crosses, the signed area between it and the cell's far side, and to the next cell the rest of
its rise: the running sum along a row is then the covered share of each cell. Holes and further parts take
part by their orientation. Rows do not touch one another, so that a polygon may be done in strips.
"""

# numba infers the types, and inlines helpers at a price that forbids more of them.
# ruff: noqa: ANN001, C901

import numpy as np

from geo._jit import jit

# Columns of a parcel's sums; the shares of intervals follow.
COVERED, KNOWN, WEIGHTED, LEAST, MOST, FIRST_SHARE = 0, 1, 2, 3, 4, 5
# Cells whose covered share is below this part of the polygon's own area do not count: it is rounding.
_LEAST_SHARE = 1e-9
# Cells of a scratch band: 2 MB, which stay in the processor's cache.
_BAND = 262_144


@jit
def pieces(lonlat, ring_start, longest_deg, counts) -> None:
    """Count into how many pieces each edge (by its first vertex) is cut; 1 for the last of a ring."""
    for r in range(len(ring_start) - 1):
        first, last = ring_start[r], ring_start[r + 1] - 1
        for j in range(first, last):
            span = max(abs(lonlat[j + 1, 0] - lonlat[j, 0]), abs(lonlat[j + 1, 1] - lonlat[j, 1]))
            counts[j] = max(np.int64(np.ceil(span / longest_deg)), 1)
        counts[last] = 1


@jit
def cut(lonlat, first_new, out) -> None:
    """Write the vertices and those that cut their edges; vertex j becomes first_new[j]."""
    for j in range(len(lonlat)):
        at, count = first_new[j], first_new[j + 1] - first_new[j]
        out[at, 0], out[at, 1] = lonlat[j, 0], lonlat[j, 1]
        for k in range(1, count):
            share = k / count
            for axis in range(2):
                out[at + k, axis] = lonlat[j, axis] + share * (
                    lonlat[j + 1, axis] - lonlat[j, axis]
                )


@jit
def to_cells(x, y, transform, cells) -> None:
    """Columns and rows, in `cells` (v, 2), of points of a plane; `transform` is a, b, c, d, e, f."""
    a, b, c, d, e, f = transform
    determinant = a * e - b * d
    for j in range(len(x)):
        east, north = x[j] - c, y[j] - f
        if b == 0.0 and d == 0.0:
            cells[j, 0], cells[j, 1] = east / a, north / e
        else:
            cells[j, 0] = (e * east - b * north) / determinant
            cells[j, 1] = (a * north - d * east) / determinant


@jit
def frame(cells, ring_start, first_ring, begin, end, box, area) -> None:
    """Write the first and last column and row (n, 4) of the polygons begin..end, and their signed areas.

    Polygons with a vertex that has no place in the raster's plane get an empty box.
    """
    for i in range(begin, end):
        first, last = ring_start[first_ring[i]], ring_start[first_ring[i + 1]]
        west, north, east, south = np.inf, np.inf, -np.inf, -np.inf
        fine = first < last
        for j in range(first, last):
            x, y = cells[j, 0], cells[j, 1]
            # Far outside of any raster, and NaN: no integers are that large.
            if not (abs(x) < 1e15 and abs(y) < 1e15):
                fine = False
                break
            west, east = min(west, x), max(east, x)
            north, south = min(north, y), max(south, y)
        if not fine:
            box[i, 0], box[i, 1], box[i, 2], box[i, 3] = 0, 0, 0, 0
            area[i] = np.nan
            continue
        box[i, 0], box[i, 1] = np.int64(np.floor(west)), np.int64(np.floor(north))
        box[i, 2], box[i, 3] = np.int64(np.ceil(east)), np.int64(np.ceil(south))
        twice = 0.0
        for r in range(first_ring[i], first_ring[i + 1]):
            for j in range(ring_start[r], ring_start[r + 1] - 1):
                ax, ay = cells[j, 0] - box[i, 0], cells[j, 1] - box[i, 1]
                bx, by = cells[j + 1, 0] - box[i, 0], cells[j + 1, 1] - box[i, 1]
                twice += ax * by - bx * ay
        area[i] = 0.5 * twice


@jit
def _rise(line, x0, x1, rise, width) -> None:
    """Add to a row's line an edge that rises by `rise` between x0 and x1, columns counted from 0."""
    west, east = min(x0, x1), max(x0, x1)
    if west >= width:
        return
    if east <= 0.0:
        line[0] += rise
        return
    first, last = np.int64(np.floor(west)), np.int64(np.floor(east))
    if first == last:
        beyond = 0.5 * (west + east) - first
        line[first] += rise * (1.0 - beyond)
        line[first + 1] += rise * beyond
        return
    slope = rise / (east - west)
    if first < 0:
        line[0] += slope * -west
        first = 0
    for column in range(first, min(last, width - 1) + 1):
        left, right = max(west, float(column)), min(east, column + 1.0)
        part = slope * (right - left)
        beyond = 0.5 * (left + right) - column
        line[column] += part * (1.0 - beyond)
        line[column + 1] += part * beyond


@jit
def _edges(cells, ring_start, first, last, west, north, band, rows, width, lines) -> None:
    """Add all edges of the rings first..last to a band of rows; lines (rows, width + 1).

    Coordinates are taken from west, north of the polygon, whatever the band, which starts `band` rows on.
    """
    left, top = np.float64(west), np.float64(north)
    for r in range(first, last):
        for j in range(ring_start[r], ring_start[r + 1] - 1):
            ya, yb = cells[j, 1] - top, cells[j + 1, 1] - top
            if ya == yb or max(ya, yb) <= band or min(ya, yb) >= band + rows:
                continue
            xa, xb = cells[j, 0] - left, cells[j + 1, 0] - left
            sign = 1.0
            if ya > yb:
                xa, ya, xb, yb, sign = xb, yb, xa, ya, -1.0
            per_row = (xb - xa) / (yb - ya)
            low, high = min(xa, xb), max(xa, xb)
            begin = max(np.int64(np.floor(ya)), band)
            end = min(np.int64(np.ceil(yb)), band + rows)
            for row in range(begin, end):
                y0, y1 = ya, yb
                x0, x1 = xa, xb
                if y0 < row:
                    y0 = float(row)
                    x0 = min(max(xa + (y0 - ya) * per_row, low), high)
                if y1 > row + 1:
                    y1 = row + 1.0
                    x1 = min(max(xa + (y1 - ya) * per_row, low), high)
                _rise(lines[row - band], x0, x1, sign * (y1 - y0), width)


@jit
def add(
    cells,
    ring_start,
    first_ring,
    parcels,
    box,
    area,
    values,
    column0,
    row0,
    begin_row,
    end_row,
    low,
    high,
    sums,
) -> None:
    """Add the rows begin_row..end_row of some parcels to their `sums`.

    `box` (n, 4) are first and last columns and rows, clipped to the raster; `values` is the window of the
    raster that starts at column0, row0, NaN where unknown; `low`, `high` (k,) the closed intervals whose
    shares are summed; `sums` (n, 5 + k).
    """
    scratch = np.empty(1024)
    for i in parcels:
        west, north, width = box[i, 0], box[i, 1], box[i, 2] - box[i, 0]
        size = abs(area[i])
        if width <= 0 or not size > 0.0:
            continue
        least = _LEAST_SHARE * min(1.0, size)
        sign = -1.0 if area[i] > 0.0 else 1.0
        out = sums[i]
        smallest, largest = out[LEAST], out[MOST]
        step = max(_BAND // (width + 1), 1)
        last_row = min(box[i, 3], end_row)
        for top in range(max(north, begin_row), last_row, step):
            rows = min(step, last_row - top)
            if rows * (width + 1) > len(scratch):
                scratch = np.empty(rows * (width + 1))
            lines = scratch[: rows * (width + 1)].reshape(rows, width + 1)
            lines[:] = 0.0
            first, last = first_ring[i], first_ring[i + 1]
            _edges(cells, ring_start, first, last, west, north, top - north, rows, width, lines)
            for row in range(rows):
                line = lines[row]
                value = values[top + row - row0, west - column0 : west - column0 + width]
                covered, known, weighted = 0.0, 0.0, 0.0
                running = 0.0
                for column in range(width):
                    running += line[column]
                    share = min(sign * running, 1.0)
                    if share <= least:
                        line[column] = 0.0
                        continue
                    line[column] = share
                    covered += share
                    v = value[column]
                    if np.isnan(v):
                        continue
                    known += share
                    weighted += share * v
                    smallest = min(smallest, v)
                    largest = max(largest, v)
                out[COVERED] += covered
                out[KNOWN] += known
                out[WEIGHTED] += weighted
                for k in range(len(low)):
                    first_value, last_value = low[k], high[k]
                    within = 0.0
                    for column in range(width):
                        v = value[column]
                        # A product rather than a branch, which would be guessed wrong for most cells.
                        within += line[column] * ((v >= first_value) & (v <= last_value))
                    out[FIRST_SHARE + k] += within
        out[LEAST], out[MOST] = smallest, largest
