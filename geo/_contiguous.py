"""Compiled loops of `geo.contiguous`: parcels that exclusions cannot have cut apart.

A disc (a ring and what is inside) whose border crosses a ring of the parcel twice takes a bite out of the
parcel, one that crosses none lies inside or outside of it: neither cuts it apart, and neither do several
discs that keep clear of each other. So crossings are counted, and shapely is left with parcels where a
piece crosses more often, has holes, or touches another piece, and with parcels of several parts.
"""

# numba infers the types, and inlines helpers at a price that forbids more of them.
# ruff: noqa: ANN001, ANN202, C901

import numpy as np

from geo._jit import jit

WHOLE, CUT, ROUND = 0, 1, 2


@jit
def _apart(x, y, x0, y0, x1, y1):
    """Squared distance of a point from a segment."""
    dx, dy = x1 - x0, y1 - y0
    length = dx * dx + dy * dy
    along = 0.0
    if length > 0.0:
        along = min(max(((x - x0) * dx + (y - y0) * dy) / length, 0.0), 1.0)
    if along == 1.0:
        dx, dy = x - x1, y - y1
    elif along == 0.0:
        dx, dy = x - x0, y - y0
    else:
        across = dx * (y - y0) - dy * (x - x0)
        return across * across / length
    return dx * dx + dy * dy


@jit
def _closest(a, b):
    """Least squared distance of the ends of two segments from the other."""
    of_b = min(
        _apart(a[0], a[1], b[0], b[1], b[2], b[3]), _apart(a[2], a[3], b[0], b[1], b[2], b[3])
    )
    of_a = min(
        _apart(b[0], b[1], a[0], a[1], a[2], a[3]), _apart(b[2], b[3], a[0], a[1], a[2], a[3])
    )
    return min(of_a, of_b)


@jit
def _side(x, y, a):
    """Which side of a segment's line a point lies on."""
    return (a[2] - a[0]) * (y - a[1]) - (a[3] - a[1]) * (x - a[0]) > 0.0


@jit
def _cross(a, b):
    """Whether two segments cross whose ends keep clear of each other."""
    return _side(a[0], a[1], b) != _side(a[2], a[3], b) and _side(b[0], b[1], a) != _side(
        b[2], b[3], a
    )


@jit
def _parcel_edges(plane, ring_start, first, last, edge, owner):
    """Write a parcel's edges, from its first vertex, and its box: their number, west, south, east, north."""
    x0, y0 = plane[ring_start[first], 0], plane[ring_start[first], 1]
    west, south = np.inf, np.inf
    east, north = -np.inf, -np.inf
    count = 0
    for r in range(first, last):
        for v in range(ring_start[r], ring_start[r + 1] - 1):
            edge[count, 0], edge[count, 1] = plane[v, 0] - x0, plane[v, 1] - y0
            edge[count, 2], edge[count, 3] = plane[v + 1, 0] - x0, plane[v + 1, 1] - y0
            west, east = min(west, edge[count, 0]), max(east, edge[count, 0])
            south, north = min(south, edge[count, 1]), max(north, edge[count, 1])
            owner[count] = -1
            count += 1
    return count, west, south, east, north


@jit
def _neighbours(a, b, length):
    """Whether two edges of a ring share a vertex, by their places in it."""
    between = abs(a - b)
    return between == 1 or between == length - 1


@jit
def _verdict(edge, owner, ring, place, length, count, pieces, neck):
    """Judge the edges of a parcel (owner -1) and of pieces (their numbers from 0) in one sweep."""
    crossings = np.zeros(pieces, dtype=np.int64)
    west = np.empty(count)
    for i in range(count):
        west[i] = min(edge[i, 0], edge[i, 2])
    order = np.argsort(west)
    verdict = WHOLE
    for m in range(count):
        a = order[m]
        east = max(edge[a, 0], edge[a, 2]) + neck
        south, north = min(edge[a, 1], edge[a, 3]) - neck, max(edge[a, 1], edge[a, 3]) + neck
        for n in range(m + 1, count):
            b = order[n]
            if west[b] > east:
                break
            if max(edge[b, 1], edge[b, 3]) < south or min(edge[b, 1], edge[b, 3]) > north:
                continue
            if owner[a] < 0 and owner[b] < 0:
                continue
            if ring[a] == ring[b] and _neighbours(place[a], place[b], length[a]):
                continue
            gap = _closest(edge[a], edge[b])
            if gap == 0.0:
                verdict = CUT
            elif gap < neck * neck:
                return ROUND
            elif (owner[a] < 0 or owner[b] < 0) and _cross(edge[a], edge[b]):
                piece = max(owner[a], owner[b])
                crossings[piece] += 1
                if crossings[piece] > 2:
                    verdict = CUT
    return verdict


@jit
def verdicts(
    plane, ring_start, first_ring, rows, parts,
    xy, piece_ring_start, piece_start, start, pieces,
    neck, out,
) -> None:  # fmt: skip
    """Say what parcels need: nothing, as they hang together (WHOLE), to be cut, or to be rounded and cut.

    Parcel i of `rows` has parts[i] parts and meets pieces[start[i]:start[i + 1]]. ROUND when borders come
    closer than `neck` without touching, so that rounding may have opened or closed what is between.
    """
    most = 0
    for i in range(len(rows)):
        count = ring_start[first_ring[rows[i] + 1]] - ring_start[first_ring[rows[i]]]
        for k in range(start[i], start[i + 1]):
            first, last = piece_start[pieces[k]], piece_start[pieces[k] + 1]
            count += piece_ring_start[last] - piece_ring_start[first]
        most = max(most, count)
    edge = np.empty((most, 4))
    owner, ring = np.empty(most, dtype=np.int64), np.full(most, -1)
    place, length = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int64)
    for i in range(len(rows)):
        first, last = first_ring[rows[i]], first_ring[rows[i] + 1]
        x0, y0 = plane[ring_start[first], 0], plane[ring_start[first], 1]
        count, west, south, east, north = _parcel_edges(plane, ring_start, first, last, edge, owner)
        ring[:count] = -1
        verdict = WHOLE if parts[i] == 1 else CUT
        for k in range(start[i], start[i + 1]):
            piece = pieces[k]
            if piece_start[piece + 1] - piece_start[piece] > 1:
                verdict = CUT
            for r in range(piece_start[piece], piece_start[piece + 1]):
                begin, end = piece_ring_start[r], piece_ring_start[r + 1] - 1
                for v in range(begin, end):
                    ax, ay, bx, by = (
                        xy[v, 0] - x0,
                        xy[v, 1] - y0,
                        xy[v + 1, 0] - x0,
                        xy[v + 1, 1] - y0,
                    )
                    if (
                        max(ax, bx) + neck < west
                        or min(ax, bx) - neck > east
                        or max(ay, by) + neck < south
                        or min(ay, by) - neck > north
                    ):
                        continue
                    edge[count, 0], edge[count, 1] = ax, ay
                    edge[count, 2], edge[count, 3] = bx, by
                    owner[count], ring[count] = k - start[i], r
                    place[count], length[count] = v, end - begin
                    count += 1
        swept = _verdict(edge, owner, ring, place, length, count, start[i + 1] - start[i], neck)
        out[i] = max(verdict, swept)
