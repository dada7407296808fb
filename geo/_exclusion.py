"""Compiled loops of `geo.exclusion` and `geo.contiguous`: areas that parcels share with disjoint pieces.

With edges f of a polygon signed by their direction (+1 right to left, as a counter-clockwise ring runs
along its top), a point (x, y) is inside when the signs of the edges above it add up to 1. So the area
common to P and E, both above a base b, is

    Σ over edges i of P, j of E of  sᵢ sⱼ ∫ max(0, min(fᵢ(x), fⱼ(x)) - b) dx

over the x that both edges span. The lesser of two straight lines has one kink at most: each integral is
exact, and there is no topology that holes, shared borders or touching corners could upset.
"""

# numba infers the types, and inlines helpers at a price that forbids more of them.
# ruff: noqa: ANN001, ANN202, C901

import numpy as np

from geo._jit import jit

# Noise of the sums, as shares of the parcel and of its box: less than this excluded is nothing, less
# than this left is nothing. Measured: 1e-13 of the box.
_SHARE_NOISE = 1e-10
_BOX_NOISE = 1e-12


@jit
def _corner(plane, begin, end):
    """West, south, east, north of some vertices."""
    west, south = np.inf, np.inf
    east, north = -np.inf, -np.inf
    for v in range(begin, end):
        x, y = plane[v, 0], plane[v, 1]
        west, east = min(west, x), max(east, x)
        south, north = min(south, y), max(north, y)
    return west, south, east, north


@jit
def _tiles(low, high, tile_m, first, count):
    """Rows (or columns) of tiles from `low` to `high` metres: half-open, within first..first + count."""
    begin = max(np.floor(low / tile_m), float(first))
    end = min(np.floor(high / tile_m) + 1.0, float(first + count))
    if not begin < end:
        return 0, 0
    return int(begin), int(end)


@jit
def _first_at_least(values, begin, end, wanted):
    """First position in ascending values[begin:end] that holds at least `wanted`; `end` if none."""
    while begin < end:
        middle = (begin + end) // 2
        if values[middle] < wanted:
            begin = middle + 1
        else:
            end = middle
    return begin


@jit
def _under(left, right, width):
    """Integral of the positive part of a line from `left` to `right` over `width`."""
    if left >= 0.0 and right >= 0.0:
        return 0.5 * (left + right) * width
    if left <= 0.0 and right <= 0.0:
        return 0.0
    above = max(left, right)
    return 0.5 * above * width * (above / (above - min(left, right)))


@jit
def _under_both(a_left, a_right, b_left, b_right, width):
    """Integral of the positive part of the lesser of two lines over `width`."""
    left, right = a_left - b_left, a_right - b_right
    if left <= 0.0 and right <= 0.0:
        return _under(a_left, a_right, width)
    if left >= 0.0 and right >= 0.0:
        return _under(b_left, b_right, width)
    share = left / (left - right)
    kink = a_left + (a_right - a_left) * share
    if left < 0.0:
        return _under(a_left, kink, width * share) + _under(kink, b_right, width * (1.0 - share))
    return _under(b_left, kink, width * share) + _under(kink, a_right, width * (1.0 - share))


@jit
def _load(plane, ring_start, first_ring, last_ring, west, south, edge) -> int:
    """Write a parcel's edges that are not upright, left to right: x, y, x, y, slope, sign; count them."""
    count = 0
    for r in range(first_ring, last_ring):
        for v in range(ring_start[r], ring_start[r + 1] - 1):
            x0, y0 = plane[v, 0] - west, plane[v, 1] - south
            x1, y1 = plane[v + 1, 0] - west, plane[v + 1, 1] - south
            if x0 == x1:
                continue
            sign = 1.0
            if x0 < x1:
                sign = -1.0
            else:
                x0, y0, x1, y1 = x1, y1, x0, y0
            edge[count, 0], edge[count, 1], edge[count, 2], edge[count, 3] = x0, y0, x1, y1
            edge[count, 4], edge[count, 5] = (y1 - y0) / (x1 - x0), sign
            count += 1
    return count


@jit
def _common(edge, near, count, xy, ring_start, first_ring, last_ring, west, south, east, base, top):
    """Area above `base` that a parcel's edges share with one piece; positions are from (west, south)."""
    total = 0.0
    for r in range(first_ring, last_ring):
        for v in range(ring_start[r], ring_start[r + 1] - 1):
            x0, x1 = xy[v, 0] - west, xy[v + 1, 0] - west
            if x0 == x1 or (x0 <= 0.0 and x1 <= 0.0) or (x0 >= east and x1 >= east):
                continue
            y0, y1 = xy[v, 1] - south, xy[v + 1, 1] - south
            if y0 <= base and y1 <= base:
                continue
            sign = 1.0
            if x0 < x1:
                sign = -1.0
            else:
                x0, y0, x1, y1 = x1, y1, x0, y0
            slope = (y1 - y0) / (x1 - x0)
            above = y0 >= top and y1 >= top
            part = 0.0
            for k in range(count):
                i = near[k]
                left, right = max(x0, edge[i, 0]), min(x1, edge[i, 2])
                if left >= right:
                    continue
                width = right - left
                a_left = edge[i, 1] + (left - edge[i, 0]) * edge[i, 4] - base
                a_right = edge[i, 1] + (right - edge[i, 0]) * edge[i, 4] - base
                if above:
                    part += edge[i, 5] * _under(a_left, a_right, width)
                else:
                    b_left = y0 + (left - x0) * slope - base
                    b_right = y0 + (right - x0) * slope - base
                    part += edge[i, 5] * _under_both(a_left, a_right, b_left, b_right, width)
            total += sign * part
    return total


@jit
def _with_piece(edge, edges, near, xy, ring_start, first_ring, last_ring, box, west, south, size):
    """Area that a parcel shares with one piece whose box meets its own; `size` is width and height."""
    low, high = box[0] - west, box[2] - west
    base = max(box[1] - south, 0.0)
    count = 0
    for i in range(edges):
        if edge[i, 0] < high and edge[i, 2] > low and max(edge[i, 1], edge[i, 3]) > base:
            near[count] = i
            count += 1
    return _common(
        edge,
        near,
        count,
        xy,
        ring_start,
        first_ring,
        last_ring,
        west,
        south,
        size[0],
        base,
        size[1],
    )


@jit
def excluded(
    plane, ring_start, first_ring, first, last,
    tile_m, grid, row_start, tile_column, tile_start, box, piece_start, piece_ring_start, xy,
    out,
) -> None:  # fmt: skip
    """Excluded and whole square metres of the parcels first..last, out (n, 2); NaN where a vertex is NaN."""
    most = 0
    for p in range(first, last):
        most = max(most, ring_start[first_ring[p + 1]] - ring_start[first_ring[p]])
    edge, near, size = np.empty((most, 6)), np.empty(most, dtype=np.int64), np.empty(2)
    for p in range(first, last):
        begin, end = ring_start[first_ring[p]], ring_start[first_ring[p + 1]]
        west, south, east, north = _corner(plane, begin, end)
        edges = _load(plane, ring_start, first_ring[p], first_ring[p + 1], west, south, edge)
        size[0], size[1] = east - west, north - south
        area = 0.0
        for i in range(edges):
            area += edge[i, 5] * 0.5 * (edge[i, 1] + edge[i, 3]) * (edge[i, 2] - edge[i, 0])
        total = 0.0
        row_begin, row_end = _tiles(south, north, tile_m, grid[0], len(row_start) - 1)
        column_begin, column_end = _tiles(west, east, tile_m, grid[1], grid[2])
        for row in range(row_begin, row_end):
            row_last = row_start[row - grid[0] + 1]
            tile = _first_at_least(tile_column, row_start[row - grid[0]], row_last, column_begin)
            while tile < row_last and tile_column[tile] < column_end:
                for k in range(tile_start[tile], tile_start[tile + 1]):
                    if (
                        box[k, 0] < east
                        and box[k, 2] > west
                        and box[k, 1] < north
                        and box[k, 3] > south
                    ):
                        total += _with_piece(
                            edge, edges, near, xy, piece_ring_start,
                            piece_start[k], piece_start[k + 1], box[k], west, south, size,
                        )  # fmt: skip
                tile += 1
        noise = _SHARE_NOISE * area + _BOX_NOISE * size[0] * size[1]
        if not area >= 0.0:
            total = np.nan
        elif total <= noise:
            total = 0.0
        elif total >= area - noise:
            total = area
        out[p, 0], out[p, 1] = total, area


@jit
def meeting_pieces(
    plane, ring_start, first_ring, rows,
    tile_m, grid, row_start, tile_column, tile_start, box,
    start, pieces,
) -> None:  # fmt: skip
    """Pieces whose boxes meet those of some parcels.

    Called with no room in `pieces` it counts, into start[1:]; called again, with offsets in `start`, it
    writes the pieces' numbers.
    """
    counting = len(pieces) == 0
    for i in range(len(rows)):
        p = rows[i]
        west, south, east, north = _corner(
            plane, ring_start[first_ring[p]], ring_start[first_ring[p + 1]]
        )
        count = 0
        row_begin, row_end = _tiles(south, north, tile_m, grid[0], len(row_start) - 1)
        column_begin, column_end = _tiles(west, east, tile_m, grid[1], grid[2])
        for row in range(row_begin, row_end):
            row_last = row_start[row - grid[0] + 1]
            tile = _first_at_least(tile_column, row_start[row - grid[0]], row_last, column_begin)
            while tile < row_last and tile_column[tile] < column_end:
                for k in range(tile_start[tile], tile_start[tile + 1]):
                    if (
                        box[k, 0] < east
                        and box[k, 2] > west
                        and box[k, 1] < north
                        and box[k, 3] > south
                    ):
                        if not counting:
                            pieces[start[i] + count] = k
                        count += 1
                tile += 1
        if counting:
            start[i + 1] = count


@jit
def largest_part(plane, ring_start, part_start, shape_start, rows, out) -> None:
    """Square metres of the largest part of some shapes, its holes taken off, into out[rows]."""
    for p in rows:
        most = 0.0
        for part in range(shape_start[p], shape_start[p + 1]):
            twice = 0.0
            for r in range(part_start[part], part_start[part + 1]):
                x0, y0 = plane[ring_start[r], 0], plane[ring_start[r], 1]
                for v in range(ring_start[r], ring_start[r + 1] - 1):
                    ax, ay = plane[v, 0] - x0, plane[v, 1] - y0
                    bx, by = plane[v + 1, 0] - x0, plane[v + 1, 1] - y0
                    twice += ax * by - bx * ay
            most = max(most, 0.5 * twice)
        out[p] = most
