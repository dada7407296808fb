"""Compiled search for the nearest pieces of features to points and parcels, in ECEF metres.

A parcel is its vertices and the chords between them, a feature its pieces (points, or chords of at most
2 km). The tree of boxes around the pieces is walked nearest first, against the bound that the best
features so far set. What passes is measured between chords in 3-D, the two feet are lifted to the
ellipsoid, and the arc between them decides. Chords of one length belong to arcs that differ with place
and direction (by 1e-6 at 322 km), and chords run centimetres under the ground: the bound is the longest
chord that an arc of the best so far can have, plus both sags, so that nothing is passed over that
could win.

What won for the previous query is tried first. That sets the bound, never the answer.
"""

# numba infers the types, and calls between kernels cost more than long ones.
# ruff: noqa: ANN001, ANN202, C901, PLR0912, PLR0915, SIM110

import numpy as np

from geo._arc import arc_m, lift, longest_chord_m
from geo._inside import holding, holds
from geo._jit import jit
from geo._tree import FAN, STACK
from geo._vertices import to_ecef
from geo.geodesy import (
    EARTH_ECCENTRICITY_SQUARED,
    EARTH_SHORTEST_CURVATURE_RADIUS_M,
)

# Features that differ by less in distance are as near as each other, and the lowest number wins.
TIE_M = 1e-3
# Edges of parcels are cut at this length before they are taken as chords: a straight line in lon/lat
# bows 2 cm aside from its chord at 50 degrees, and the chord runs 2 cm under the ground.
EDGE_M = 1_000.0
# No degree is longer than this.
_METRES_PER_DEGREE = 111_700.0
# Rounding of coordinates and bounds.
_SLACK_M = 1e-3
# Rows of a parcel's scratch: ECEF of its vertices, metres to the next (-inf at the end of a ring),
# metres to a piece.
_ROOM = 5
# Leaves held ready around a query for those that follow it on the ground: at most, and how many pay.
_NEAR, _FEW, _MANY = 64, 8, 24
# How far they are held, times the bound and the way between two queries: it adapts from here by steps.
_NEAR_TIMES, _NEAR_STEP = 2.0, 1.25


@jit
def search(query, parts, tree, areas, limits, first, last, numbers, metres) -> None:
    """Write the nearest features of the queries first..last into numbers and metres (n, k).

    Parameters
    ----------
    query
        Vertices: lonlat (v, 2), ecef (v, 3), ring_start (rings + 1,), first_ring (n + 1,). A ring of one
        vertex is a point.
    parts
        Pieces by leaves (leaves, 7, 8): start, span, 1 / |span|²; their features' numbers (pieces,).
    tree
        Boxes around the leaves: boxes, count, first.
    areas
        What features that are polygons hold.
    limits
        Greatest distance, distance that counts as touching, longest sag of a piece, in metres.
    first, last
        Queries to answer.
    numbers, metres
        Filled with -1 and NaN.
    """
    piece, number = parts
    boxes, count, level_first = tree
    max_m, touch_m, sag_m = limits
    k = numbers.shape[1]
    has_areas = len(areas[5]) > 0
    nowhere = np.int64(-1)
    # The k best so far: their arcs, ascending, features and pieces.
    arcs, nos, at = np.empty(k), np.empty(k, np.int64), np.empty(k, np.int64)
    seeds = np.full(k, -1, np.int64)
    room = np.empty((_ROOM, 64))
    box = np.empty(9)
    stack, stack_level = np.empty(STACK, np.int64), np.empty(STACK, np.int64)
    stack_m2 = np.empty(STACK)
    gap_m2 = np.empty(FAN)
    found = np.empty(16, np.int64)
    near, near_box, near_m2 = np.empty(_NEAR, np.int64), np.empty((6, _NEAR)), np.empty(_NEAR)
    # A place, and how far around it all leaves are held ready.
    around = np.full(4, -1.0)
    nears, times = 0, _NEAR_TIMES
    before = np.zeros(3)
    for i in range(first, last):
        size, longest = _load(query, i, room)
        while size > room.shape[1]:
            room = np.empty((_ROOM, 2 * size))
            size, longest = _load(query, i, room)
        radius = _surround(room, size, box)
        slack = sag_m + longest * longest / (8.0 * EARTH_SHORTEST_CURVATURE_RADIUS_M) + _SLACK_M
        held, is_tied = 0, False
        if has_areas:
            found, inside = _held(query, areas, i, found)
            for s in range(inside):
                held, tied = _enter(arcs, nos, at, held, 0.0, found[s], nowhere, max_m)
                is_tied |= tied
        for s in range(k):
            if seeds[s] >= 0:
                metre = _measure(
                    query, i, room, size, radius, box, piece, seeds[s], np.inf, touch_m
                )
                held, tied = _enter(arcs, nos, at, held, metre, number[seeds[s]], seeds[s], max_m)
                is_tied |= tied
        bound = _bound(arcs, held, k, max_m, slack)
        off = np.sqrt(
            (box[6] - around[0]) ** 2 + (box[7] - around[1]) ** 2 + (box[8] - around[2]) ** 2
        )
        is_near = bound + radius + off <= around[3]
        if is_near:
            depth = _recall(
                near, near_box, near_m2, nears, box, bound, stack, stack_level, stack_m2
            )
        else:
            stack[0], stack_level[0], stack_m2[0], depth = 0, len(count) - 1, 0.0, 1
        while depth:
            depth -= 1
            if stack_m2[depth] > bound * bound:
                continue
            node = stack[depth]
            if stack_level[depth]:
                depth = _open(
                    boxes, count, level_first, node, stack_level[depth], box, bound, gap_m2,
                    stack, stack_level, stack_m2, depth,
                )  # fmt: skip
                continue
            _centre_m2(piece, node, box, gap_m2)
            for slot in range(FAN):
                reach = bound + radius
                p = node * FAN + slot
                if gap_m2[slot] > reach * reach or p >= len(number):
                    continue
                if k == 1 and held and _is_beaten(arcs, nos, at, piece, p, number[p]):
                    continue
                if k > 1 and held:
                    # Another piece of a feature that is held has to be nearer than the one that is.
                    old = _place(nos, held, number[p])
                    if old < held:
                        reach = longest_chord_m(arcs[old]) + slack + radius
                        if gap_m2[slot] > reach * reach:
                            continue
                is_seed = False
                for s in range(k):
                    is_seed |= seeds[s] == p
                if is_seed:
                    continue
                metre = _measure(query, i, room, size, radius, box, piece, p, bound, touch_m)
                if metre < np.inf:
                    held, tied = _enter(arcs, nos, at, held, metre, number[p], p, max_m)
                    is_tied |= tied
                    bound = _bound(arcs, held, k, max_m, slack)
        for s in range(1, held):
            is_tied |= arcs[s] - arcs[s - 1] <= TIE_M
        if is_tied:
            limit = min(arcs[held - 1] + TIE_M, max_m) if held == k else -1.0
            all_m, all_no, total = _tied(
                query, i, room, size, radius, box, parts, tree, limit, slack, touch_m,
                stack, stack_level, arcs, nos, held,
            )  # fmt: skip
            _settle(all_m, all_no, total, numbers[i], metres[i])
        else:
            for s in range(held):
                numbers[i, s], metres[i, s] = nos[s], arcs[s]
        for s in range(k):
            seeds[s] = at[s] if s < held else -1
        if not is_near:
            step = np.sqrt(
                (box[6] - before[0]) ** 2 + (box[7] - before[1]) ** 2 + (box[8] - before[2]) ** 2
            )
            if step < bound + EDGE_M:
                around[0], around[1], around[2] = box[6], box[7], box[8]
                around[3] = times * (bound + step + radius)
                nears = _gather(
                    boxes, count, level_first, around, stack, stack_level, near, near_box
                )
                if around[3] < 0.0 or nears > _MANY:
                    times = max(times / _NEAR_STEP, 1.0)
                elif nears < _FEW:
                    times = min(times * _NEAR_STEP, 16.0)
        before[0], before[1], before[2] = box[6], box[7], box[8]


@jit
def _held(query, areas, i, found):
    """Features that hold a vertex of a query's rings: `found`, a larger one if need be, and how many.

    What holds none is crossed by an edge, lies in the query, or is apart from it.
    """
    lonlat, _, ring_start, first_ring = query
    held = 0
    for r in range(first_ring[i], first_ring[i + 1]):
        j = ring_start[r]
        found, held = holding(areas, lonlat[j, 0], lonlat[j, 1], found, held)
    return found, held


@jit
def _is_beaten(arcs, nos, at, piece, p, no):
    """Whether a piece cannot win against the one best: the same place, or 0, of a higher number."""
    if no < nos[0]:
        return False
    if arcs[0] == 0.0:
        return True
    if at[0] < 0:
        return False
    best, mine = piece[at[0] // FAN], piece[p // FAN]
    a, b = at[0] % FAN, p % FAN
    for row in range(6):
        if best[row, a] != mine[row, b]:
            return False
    return True


@jit
def _tied(
    query, i, room, size, radius, box, parts, tree, limit, slack, touch_m,
    stack, stack_level, arcs, nos, held,
):  # fmt: skip
    """All features with an arc of at most `limit`: arcs, numbers and how many, in no order.

    A query with one answer gets the one with the lowest number only, at the least of the arcs.
    """
    piece, number = parts
    boxes, count, level_first = tree
    all_m, all_no, total = np.empty(held + 16), np.empty(held + 16, np.int64), held
    for s in range(held):
        all_m[s], all_no[s] = arcs[s], nos[s]
    if limit < 0.0:
        return all_m, all_no, total
    bound = longest_chord_m(limit) + slack
    is_one = len(arcs) == 1
    gap_m2 = np.empty(FAN)
    stack_m2 = np.empty(STACK)
    stack[0], stack_level[0], depth = 0, len(count) - 1, 1
    while depth:
        depth -= 1
        node = stack[depth]
        if stack_level[depth]:
            depth = _open(
                boxes, count, level_first, node, stack_level[depth], box, bound, gap_m2,
                stack, stack_level, stack_m2, depth,
            )  # fmt: skip
            continue
        _centre_m2(piece, node, box, gap_m2)
        for slot in range(FAN):
            p = node * FAN + slot
            if gap_m2[slot] > (bound + radius) ** 2 or p >= len(number):
                continue
            if is_one and number[p] >= all_no[0]:
                continue
            metre = _measure(query, i, room, size, radius, box, piece, p, bound, touch_m)
            if metre > limit:
                continue
            if is_one:
                all_no[0] = number[p]
                continue
            old = _place(all_no, total, number[p])
            if old == total:
                if total == len(all_m):
                    more_m, more_no = np.empty(2 * total), np.empty(2 * total, np.int64)
                    for j in range(total):
                        more_m[j], more_no[j] = all_m[j], all_no[j]
                    all_m, all_no = more_m, more_no
                all_m[total], all_no[total] = metre, number[p]
                total += 1
            all_m[old] = min(all_m[old], metre)
    return all_m, all_no, total


@jit
def _settle(all_m, all_no, total, numbers, metres) -> None:
    """Write features nearest first, the lowest number of those that tie with the nearest first."""
    for s in range(min(total, len(numbers))):
        best = np.inf
        for j in range(total):
            best = min(best, all_m[j])
        winner = -1
        for j in range(total):
            if all_m[j] <= best + TIE_M and (winner < 0 or all_no[j] < all_no[winner]):
                winner = j
        numbers[s], metres[s] = all_no[winner], best
        total -= 1
        all_m[winner], all_no[winner] = all_m[total], all_no[total]


@jit
def _recall(near, near_box, near_m2, nears, box, bound, stack, stack_level, stack_m2):
    """Put the leaves held ready that a query's box may reach on the stack."""
    for c in range(nears):
        dx = max(near_box[0, c] - box[3], box[0] - near_box[3, c], 0.0)
        dy = max(near_box[1, c] - box[4], box[1] - near_box[4, c], 0.0)
        dz = max(near_box[2, c] - box[5], box[2] - near_box[5, c], 0.0)
        near_m2[c] = dx * dx + dy * dy + dz * dz
    depth = 0
    for c in range(nears):
        if near_m2[c] <= bound * bound:
            stack[depth], stack_level[depth], stack_m2[depth] = near[c], 0, near_m2[c]
            depth += 1
    return depth


@jit
def _gather(boxes, count, level_first, around, stack, stack_level, near, near_box):
    """Hold the leaves ready that lie within around[3] of a place; none where they are too many."""
    reach2 = around[3] * around[3]
    nears = 0
    stack[0], stack_level[0], depth = 0, len(count) - 1, 1
    while depth:
        depth -= 1
        node, level = stack[depth], stack_level[depth]
        row = boxes[level_first[level] + node]
        for c in range(min(FAN, count[level - 1] - node * FAN)):
            dx = max(row[0, c] - around[0], around[0] - row[3, c], 0.0)
            dy = max(row[1, c] - around[1], around[1] - row[4, c], 0.0)
            dz = max(row[2, c] - around[2], around[2] - row[5, c], 0.0)
            if dx * dx + dy * dy + dz * dz > reach2:
                continue
            if level > 1:
                stack[depth], stack_level[depth] = node * FAN + c, level - 1
                depth += 1
            else:
                if nears == _NEAR:
                    around[3] = -1.0
                    return 0
                near[nears] = node * FAN + c
                for side in range(6):
                    near_box[side, nears] = row[side, c]
                nears += 1
    return nears


@jit
def _open(
    boxes, count, level_first, node, level, box, bound, gap_m2, stack, stack_level, stack_m2, depth
):
    """Put the children of a node that a query's box may reach on the stack, the nearest on top."""
    row = boxes[level_first[level] + node]
    for c in range(FAN):
        dx = max(row[0, c] - box[3], box[0] - row[3, c], 0.0)
        dy = max(row[1, c] - box[4], box[1] - row[4, c], 0.0)
        dz = max(row[2, c] - box[5], box[2] - row[5, c], 0.0)
        gap_m2[c] = dx * dx + dy * dy + dz * dz
    base = depth
    for c in range(min(FAN, count[level - 1] - node * FAN)):
        m2 = gap_m2[c]
        if m2 <= bound * bound:
            place = depth
            while place > base and stack_m2[place - 1] < m2:
                stack[place], stack_m2[place] = stack[place - 1], stack_m2[place - 1]
                place -= 1
            stack[place], stack_m2[place] = node * FAN + c, m2
            stack_level[depth] = level - 1
            depth += 1
    return depth


@jit
def _centre_m2(piece, leaf, box, gap_m2) -> None:
    """Squared distances from the middle of a query's box to the pieces of a leaf."""
    row = piece[leaf]
    x, y, z = box[6], box[7], box[8]
    for c in range(FAN):
        px, py, pz = x - row[0, c], y - row[1, c], z - row[2, c]
        t = (px * row[3, c] + py * row[4, c] + pz * row[5, c]) * row[6, c]
        t = min(max(t, 0.0), 1.0)
        px, py, pz = px - t * row[3, c], py - t * row[4, c], pz - t * row[5, c]
        gap_m2[c] = px * px + py * py + pz * pz


@jit
def _bound(arcs, held, k, max_m, slack):
    """Longest chord between sagging chords that can still matter."""
    arc = max_m
    if held == k:
        arc = min(arcs[k - 1] + TIE_M, max_m)
    return longest_chord_m(arc) + slack


@jit
def _place(nos, held, no):
    """Where a feature is among those held; their count where it is not."""
    for s in range(held):
        if nos[s] == no:
            return s
    return held


@jit
def _enter(arcs, nos, at, held, metre, no, p, max_m):
    """Enter a feature among the k best; returns how many there are, and whether one nearly tied."""
    if metre > max_m:
        return held, False
    k = len(arcs)
    old = _place(nos, held, no)
    out = np.inf
    if old < held:
        if metre >= arcs[old]:
            return held, False
    elif held < k:
        old = held
        held += 1
    else:
        old = k - 1
        out = arcs[old]
        if metre > out or (metre == out and no > nos[old]):
            gap = metre - out
            return held, gap <= TIE_M and (k > 1 or gap > 0.0)
    place = old
    while place > 0 and (
        arcs[place - 1] > metre or (arcs[place - 1] == metre and nos[place - 1] > no)
    ):
        arcs[place], nos[place], at[place] = arcs[place - 1], nos[place - 1], at[place - 1]
        place -= 1
    arcs[place], nos[place], at[place] = metre, no, p
    # The one that is out may be as near as the one that is last now. Of one, equals are decided already.
    gap = out - arcs[k - 1]
    return held, gap <= TIE_M and (k > 1 or gap > 0.0)


@jit
def _load(query, i, room):
    """Vertices of a query into `room` (5, size), and metres from each to the next.

    Returns the number of vertices and the longest edge. Where the room is too small it is not filled,
    and the number says what is needed.
    """
    lonlat, ecef, ring_start, first_ring = query
    begin = ring_start[first_ring[i]]
    size = ring_start[first_ring[i + 1]] - begin
    if size > room.shape[1]:
        return size, 0.0
    xs, ys, zs, length = room[0], room[1], room[2], room[3]
    widest_deg = 0.0
    for j in range(size):
        xs[j], ys[j], zs[j] = ecef[begin + j, 0], ecef[begin + j, 1], ecef[begin + j, 2]
        widest_deg = max(widest_deg, abs(lonlat[begin + j, 0] - lonlat[begin, 0]))
    for j in range(size - 1):
        dx, dy, dz = xs[j + 1] - xs[j], ys[j + 1] - ys[j], zs[j + 1] - zs[j]
        length[j] = np.sqrt(dx * dx + dy * dy + dz * dz)
    for r in range(first_ring[i], first_ring[i + 1]):
        length[ring_start[r + 1] - 1 - begin] = -np.inf
    longest = 0.0
    for j in range(size):
        longest = max(longest, length[j])
    # Edges around the earth or over a pole have short chords.
    if longest > EDGE_M or widest_deg > 0.5:
        return _load_cut(query, i, room), EDGE_M
    return size, longest


@jit
def _load_cut(query, i, room):
    """Vertices into `room` as `_load` does, and more of them inside of edges that are long."""
    lonlat, ecef, ring_start, first_ring = query
    size = 0
    point, xyz = np.empty((1, 2)), np.empty((1, 3))
    for r in range(first_ring[i], first_ring[i + 1]):
        for j in range(ring_start[r], ring_start[r + 1]):
            parts = 1 if j == ring_start[r] else _parts(lonlat, j)
            if size + parts > room.shape[1]:
                size += parts
                continue
            for part in range(1, parts + 1):
                # The vertex itself comes last, with its own bits.
                if part < parts:
                    for axis in range(2):
                        a, b = lonlat[j - 1, axis], lonlat[j, axis]
                        point[0, axis] = a + (b - a) * part / parts
                    to_ecef(point, xyz)
                for axis in range(3):
                    room[axis, size] = xyz[0, axis] if part < parts else ecef[j, axis]
                room[3, size] = -np.inf
                if j > ring_start[r]:
                    room[3, size - 1] = np.sqrt(
                        (room[0, size] - room[0, size - 1]) ** 2
                        + (room[1, size] - room[1, size - 1]) ** 2
                        + (room[2, size] - room[2, size - 1]) ** 2
                    )
                size += 1
    return size


@jit
def _parts(lonlat, j):
    """Into how many parts the edge that ends at a vertex is cut."""
    dlon, dlat = lonlat[j, 0] - lonlat[j - 1, 0], lonlat[j, 1] - lonlat[j - 1, 1]
    widest = 1.0
    if lonlat[j, 1] * lonlat[j - 1, 1] > 0.0:
        widest = np.cos(np.radians(min(abs(lonlat[j, 1]), abs(lonlat[j - 1, 1]))))
    across, up = dlon * widest * _METRES_PER_DEGREE, dlat * _METRES_PER_DEGREE
    return max(int(np.ceil(np.sqrt(across * across + up * up) / EDGE_M)), 1)


@jit
def _surround(room, size, box):
    """Box of a query's vertices, low, high and middle, into `box` (9,); returns the radius around it."""
    xs, ys, zs = room[0], room[1], room[2]
    west, south, low, east, north, high = xs[0], ys[0], zs[0], xs[0], ys[0], zs[0]
    for j in range(1, size):
        west, east = min(west, xs[j]), max(east, xs[j])
        south, north = min(south, ys[j]), max(north, ys[j])
        low, high = min(low, zs[j]), max(high, zs[j])
    x, y, z = (west + east) / 2.0, (south + north) / 2.0, (low + high) / 2.0
    box[0], box[1], box[2], box[3], box[4], box[5] = west, south, low, east, north, high
    box[6], box[7], box[8] = x, y, z
    radius2 = 0.0
    for j in range(size):
        radius2 = max(radius2, (xs[j] - x) ** 2 + (ys[j] - y) ** 2 + (zs[j] - z) ** 2)
    return np.sqrt(radius2)


@jit
def _measure(query, i, room, size, radius, box, piece, p, bound, touch_m):
    """Arc from a query to a piece in metres; inf where the chord is longer than `bound`."""
    leaf, slot = p // FAN, p % FAN
    sx, sy, sz = piece[leaf, 0, slot], piece[leaf, 1, slot], piece[leaf, 2, slot]
    wx, wy, wz = piece[leaf, 3, slot], piece[leaf, 4, slot], piece[leaf, 5, slot]
    inverse = piece[leaf, 6, slot]
    if size == 1:
        x, y, z = room[0, 0], room[1, 0], room[2, 0]
        t = ((x - sx) * wx + (y - sy) * wy + (z - sz) * wz) * inverse
        t = min(max(t, 0.0), 1.0)
        u, v, w = sx + t * wx, sy + t * wy, sz + t * wz
        if (u - x) ** 2 + (v - y) ** 2 + (w - z) ** 2 > bound * bound:
            return np.inf
    else:
        near2, x, y, z, u, v, w = _feet(room, size, sx, sy, sz, wx, wy, wz, inverse)
        if near2 > touch_m * touch_m:
            away2 = (sx - box[6]) ** 2 + (sy - box[7]) ** 2 + (sz - box[8]) ** 2
            if away2 <= radius * radius and _is_inside(query, i, sx, sy, sz):
                return 0.0
            if near2 > bound * bound:
                return np.inf
    x, y, z = lift(x, y, z)
    u, v, w = lift(u, v, w)
    metre = arc_m(x, y, z, u, v, w)
    return 0.0 if metre < touch_m else metre


@jit
def _feet(room, size, sx, sy, sz, wx, wy, wz, inverse):
    """Squared distance between a query's chords and a piece, and the two feet, ECEF.

    The distance to the piece is convex along an edge and changes no faster than one goes, so an edge
    whose ends are a and b away is at least (a + b - length) / 2 away.
    """
    xs, ys, zs, length, away = room[0], room[1], room[2], room[3], room[4]
    for j in range(size):
        px, py, pz = xs[j] - sx, ys[j] - sy, zs[j] - sz
        t = (px * wx + py * wy + pz * wz) * inverse
        t = min(max(t, 0.0), 1.0)
        px, py, pz = px - t * wx, py - t * wy, pz - t * wz
        away[j] = np.sqrt(px * px + py * py + pz * pz)
    near = np.inf
    j_near = 0
    for j in range(size):
        if away[j] < near:
            near, j_near = away[j], j
    x, y, z = xs[j_near], ys[j_near], zs[j_near]
    t = ((x - sx) * wx + (y - sy) * wy + (z - sz) * wz) * inverse
    t = min(max(t, 0.0), 1.0)
    u, v, w = sx + t * wx, sy + t * wy, sz + t * wz
    best2 = near * near
    for j in range(size - 1):
        if away[j] + away[j + 1] - length[j] >= 2.0 * near:
            continue
        bx, by, bz = xs[j + 1] - xs[j], ys[j + 1] - ys[j], zs[j + 1] - zs[j]
        # From the nearer end inwards: where that leads away from the piece, the end is nearest.
        end = j if away[j] <= away[j + 1] else j + 1
        px, py, pz = xs[end] - sx, ys[end] - sy, zs[end] - sz
        t = (px * wx + py * wy + pz * wz) * inverse
        t = min(max(t, 0.0), 1.0)
        slope = (px - t * wx) * bx + (py - t * wy) * by + (pz - t * wz) * bz
        if (slope >= 0.0) == (end == j):
            continue
        found2, a, b, c, d, e, f = _edge_feet(
            xs[j], ys[j], zs[j], bx, by, bz, sx, sy, sz, wx, wy, wz
        )
        if found2 < best2:
            best2, x, y, z, u, v, w = found2, a, b, c, d, e, f
            near = np.sqrt(best2)
    return best2, x, y, z, u, v, w


@jit
def _edge_feet(ax, ay, az, bx, by, bz, sx, sy, sz, wx, wy, wz):
    """Squared distance from an edge a + s b to a piece s + t w, and the feet.

    The least is at an end of one of the two, or where the lines are nearest. The ends of the edge are
    left out: its vertices are measured already.
    """
    px, py, pz = sx - ax, sy - ay, sz - az
    bb, ww, bw = (
        bx * bx + by * by + bz * bz,
        wx * wx + wy * wy + wz * wz,
        bx * wx + by * wy + bz * wz,
    )
    bp, wp = bx * px + by * py + bz * pz, wx * px + wy * py + wz * pz
    if bb == 0.0:
        return np.inf, ax, ay, az, sx, sy, sz
    best2, best_s, best_t = np.inf, 0.0, 0.0
    cross = bb * ww - bw * bw
    for turn in range(3):
        if turn == 2:
            if cross <= 1e-14 * bb * ww:
                break
            t = min(max((bw * bp - bb * wp) / cross, 0.0), 1.0)
        else:
            t = float(turn)
        s = min(max((bp + t * bw) / bb, 0.0), 1.0)
        ex, ey, ez = px + t * wx - s * bx, py + t * wy - s * by, pz + t * wz - s * bz
        found2 = ex * ex + ey * ey + ez * ez
        if found2 < best2:
            best2, best_s, best_t = found2, s, t
        if ww == 0.0:
            break
    return (
        best2,
        ax + best_s * bx,
        ay + best_s * by,
        az + best_s * bz,
        sx + best_t * wx,
        sy + best_t * wy,
        sz + best_t * wz,
    )


@jit
def _is_inside(query, i, x, y, z):
    """Whether a parcel holds a point on the ellipsoid."""
    lonlat, _, ring_start, first_ring = query
    lon = np.degrees(np.arctan2(y, x))
    lat = np.degrees(np.arctan2(z, np.sqrt(x * x + y * y) * (1.0 - EARTH_ECCENTRICITY_SQUARED)))
    return holds(lonlat, ring_start, first_ring[i], first_ring[i + 1], lon, lat)
