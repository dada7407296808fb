"""Compiled proof that shapes are valid: whatever is not proven is unsure and left to GEOS.

A shape is proven valid when no two of its edges meet but for the ends that neighbours share, neighbours
do not fold back, holes lie in their shells but not in one another, and shells not in one another.
Signs of areas decide, with the bound of their rounding error, so that exact arithmetic would say the
same; repeated vertices are passed over.
"""

# numba infers the types, builds sets at run time, and inlines helpers at a price that forbids more of them.
# ruff: noqa: ANN001, ANN202, C901, PLR0912

import numpy as np

from geo._jit import jit

NOT_NUMBERS, OUT_OF_RANGE, TOO_WIDE, NO_AREA = 7, 8, 9, 10
VALID, UNSURE = 0, 1
# Shewchuk (Adaptive precision floating-point arithmetic, 1997), the bound of the plain determinant:
# (3 + 16 u) u with u = 2^-53; and one that keeps clear of underflow.
_ROUNDING, _UNDERFLOW = 3.3306690738754716e-16, 1e-280
# Edges in a block, whose box is looked at first.
_BLOCK = 16
# Pairs of edges that are worth looking at: shapes that need more are as well left to GEOS.
_PAIRS_PER_EDGE, _PAIRS = 200, 20_000


@jit
def look(xy, start, first, last, most_x, most_y, out) -> None:
    """Status of the shapes first..last by their coordinates alone: 0, or what is wrong with them."""
    for i in range(first, last):
        status = 0
        west, east = np.inf, -np.inf
        for j in range(start[i], start[i + 1]):
            x, y = xy[j, 0], xy[j, 1]
            if not (np.isfinite(x) and np.isfinite(y)):
                status = NOT_NUMBERS
                break
            if abs(x) > most_x or abs(y) > most_y:
                status = OUT_OF_RANGE
            west, east = min(west, x), max(east, x)
        if status == 0 and east - west > most_x:
            status = TOO_WIDE
        out[i] = status


@jit
def _side(ax, ay, bx, by, x, y):
    """1 left of a line, -1 right of it, 0 on it or too near to tell."""
    plus, minus = (ax - x) * (by - y), (ay - y) * (bx - x)
    twice = plus - minus
    bound = _ROUNDING * (abs(plus) + abs(minus)) + _UNDERFLOW
    if twice > bound:
        return 1
    if twice < -bound:
        return -1
    return 0


@jit
def _apart(ax, ay, bx, by, cx, cy, dx, dy):
    """Whether two edges are known not to meet: one lies strictly to one side of the other's line."""
    one = _side(ax, ay, bx, by, cx, cy)
    if one != 0 and one == _side(ax, ay, bx, by, dx, dy):
        return True
    one = _side(cx, cy, dx, dy, ax, ay)
    return one != 0 and one == _side(cx, cy, dx, dy, bx, by)


@jit
def _folds(ax, ay, bx, by, cx, cy):
    """Whether the edge b to c may run back over the edge a to b."""
    if _side(ax, ay, bx, by, cx, cy) != 0:
        return False
    x, y = (bx - ax) * (cx - bx), (by - ay) * (cy - by)
    return not x + y > 4.0 * _ROUNDING * (abs(x) + abs(y)) + _UNDERFLOW


@jit
def _inside(edges, begin, end, x, y):
    """1 inside of a ring, 0 outside, -1 too near to tell."""
    odd = 0
    for k in range(begin, end):
        if (edges[k, 1] > y) != (edges[k, 3] > y):
            side = _side(edges[k, 0], edges[k, 1], edges[k, 2], edges[k, 3], x, y)
            if side == 0:
                return -1
            if (side > 0) == (edges[k, 3] > edges[k, 1]):
                odd = 1 - odd
    return odd


@jit
def _load(xy, begin, end, edges, to):
    """Write the edges of a ring that have a length, with their boxes; where they end, twice the area."""
    x0, y0 = xy[begin, 0], xy[begin, 1]
    twice = 0.0
    for j in range(begin, end - 1):
        ax, ay, bx, by = xy[j, 0], xy[j, 1], xy[j + 1, 0], xy[j + 1, 1]
        if ax == bx and ay == by:
            continue
        twice += (ax - x0) * (by - y0) - (ay - y0) * (bx - x0)
        edges[to, 0], edges[to, 1], edges[to, 2], edges[to, 3] = ax, ay, bx, by
        edges[to, 4], edges[to, 5] = min(ax, bx), min(ay, by)
        edges[to, 6], edges[to, 7] = max(ax, bx), max(ay, by)
        to += 1
    return to, twice


@jit
def _is_star(edges, count, x, y):
    """Whether each edge of a ring strictly passes a point on the same side, once around."""
    up = 0
    way = _side(edges[0, 0], edges[0, 1], edges[0, 2], edges[0, 3], x, y)
    if way == 0:
        return False
    for k in range(count):
        if _side(edges[k, 0], edges[k, 1], edges[k, 2], edges[k, 3], x, y) != way:
            return False
        if edges[k, 1] <= y < edges[k, 3]:
            up += 1
    return up == 1


@jit
def _no_pair_meets(edges, count, after, around, boxes):
    """Whether no two edges meet that are no neighbours: `after` the next one, `around` the ring's last."""
    blocks = (count + _BLOCK - 1) // _BLOCK
    for b in range(blocks):
        west, south, east, north = np.inf, np.inf, -np.inf, -np.inf
        for k in range(b * _BLOCK, min(count, (b + 1) * _BLOCK)):
            west, south = min(west, edges[k, 4]), min(south, edges[k, 5])
            east, north = max(east, edges[k, 6]), max(north, edges[k, 7])
        boxes[b, 0], boxes[b, 1], boxes[b, 2], boxes[b, 3] = west, south, east, north
    work = 0
    for b in range(blocks):
        for c in range(b, blocks):
            if boxes[b, 0] > boxes[c, 2] or boxes[b, 2] < boxes[c, 0]:
                continue
            if boxes[b, 1] > boxes[c, 3] or boxes[b, 3] < boxes[c, 1]:
                continue
            work += _BLOCK * _BLOCK
            if work > _PAIRS + _PAIRS_PER_EDGE * count:
                return False
            for i in range(b * _BLOCK, min(count, (b + 1) * _BLOCK)):
                ax, ay, bx, by = edges[i, 0], edges[i, 1], edges[i, 2], edges[i, 3]
                west, south, east, north = edges[i, 4], edges[i, 5], edges[i, 6], edges[i, 7]
                following, closing = after[i], around[i]
                for j in range(max(i + 1, c * _BLOCK), min(count, (c + 1) * _BLOCK)):
                    if west > edges[j, 6] or east < edges[j, 4]:
                        continue
                    if south > edges[j, 7] or north < edges[j, 5]:
                        continue
                    cx, cy, dx, dy = edges[j, 0], edges[j, 1], edges[j, 2], edges[j, 3]
                    if j in (following, closing):
                        continue
                    if not _apart(ax, ay, bx, by, cx, cy, dx, dy):
                        return False
    return True


@jit
def _rings_nest(edges, ring_end, part_start, first_ring):
    """Whether holes lie in their shells, no hole in another, and no shell in another."""
    parts = len(part_start) - 1
    work = 0
    for p in range(parts):
        shell, beyond = part_start[p] - first_ring, part_start[p + 1] - first_ring
        for a in range(shell + 1, beyond):
            x, y = edges[ring_end[a], 0], edges[ring_end[a], 1]
            for b in range(shell, beyond):
                if a == b:
                    continue
                work += ring_end[b + 1] - ring_end[b]
                if _inside(edges, ring_end[b], ring_end[b + 1], x, y) != (1 if b == shell else 0):
                    return False
            if work > _PAIRS + _PAIRS_PER_EDGE * ring_end[-1]:
                return False
        x, y = edges[ring_end[shell], 0], edges[ring_end[shell], 1]
        for q in range(parts):
            other = part_start[q] - first_ring
            if q == p:
                continue
            work += ring_end[other + 1] - ring_end[other]
            if work > _PAIRS + _PAIRS_PER_EDGE * ring_end[-1]:
                return False
            if _inside(edges, ring_end[other], ring_end[other + 1], x, y) != 0:
                return False
    return True


@jit
def prove(xy, ring_start, part_start, shape_start, first, last, verdict, areas) -> None:
    """Write for the shapes first..last whether they are VALID or UNSURE, and their areas.

    The areas, in the square of the coordinates' unit, mean something for valid shapes only.
    """
    most = most_rings = 1
    for i in range(first, last):
        begin, end = part_start[shape_start[i]], part_start[shape_start[i + 1]]
        most = max(most, ring_start[end] - ring_start[begin])
        most_rings = max(most_rings, end - begin)
    edges = np.empty((most, 8))
    boxes = np.empty((most // _BLOCK + 1, 4))
    after, around = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int64)
    ring_end = np.zeros(most_rings + 1, dtype=np.int64)
    for i in range(first, last):
        verdict[i] = UNSURE
        parts = part_start[shape_start[i] : shape_start[i + 1] + 1]
        first_ring, last_ring = parts[0], parts[-1]
        count, part = 0, 0
        area = 0.0
        is_sound = True
        for r in range(first_ring, last_ring):
            begin = count
            count, twice = _load(xy, ring_start[r], ring_start[r + 1], edges, count)
            ring_end[r - first_ring + 1] = count
            if count - begin < 3:
                is_sound = False
                break
            is_shell = r == parts[part]
            if is_shell:
                part = min(part + 1, len(parts) - 1)
            area += abs(twice) / 2.0 if is_shell else -abs(twice) / 2.0
        areas[i] = area
        if not is_sound:
            continue
        if last_ring - first_ring == 1:
            x, y = 0.0, 0.0
            for k in range(count):
                x += edges[k, 0] - edges[0, 0]
                y += edges[k, 1] - edges[0, 1]
            if _is_star(edges, count, edges[0, 0] + x / count, edges[0, 1] + y / count):
                verdict[i] = VALID
                continue
        for r in range(last_ring - first_ring):
            begin, end = ring_end[r], ring_end[r + 1]
            for k in range(begin, end):
                after[k], around[k] = k + 1, -1
                n = k + 1 if k + 1 < end else begin
                if _folds(
                    *(edges[k, 0], edges[k, 1], edges[k, 2], edges[k, 3]),
                    *(edges[n, 2], edges[n, 3]),
                ):
                    is_sound = False
            after[end - 1], around[begin] = -1, end - 1
        if not is_sound or not _no_pair_meets(edges, count, after, around, boxes):
            continue
        if last_ring - first_ring > 1:
            ends = ring_end[: last_ring - first_ring + 1]
            if not _rings_nest(edges, ends, parts, first_ring):
                continue
        verdict[i] = VALID
