"""Compiled tests of points against polygons in lon/lat, edges straight there (RFC 7946)."""

# numba infers the types, and calls between kernels cost more than long ones.
# ruff: noqa: ANN001, ANN202, C901

from typing import NamedTuple

import numpy as np

from geo._jit import jit
from geo._tree import FAN, STACK, Tree, build, hilbert_order

# Edges in a row that share a box: those that lie off a point's parallel are passed over together.
RUN = 16
# Rounding of an orientation, relative to its terms (J. R. Shewchuk, "Adaptive Precision Floating-Point
# Arithmetic and Fast Robust Geometric Predicates", 1997: 3 + 16 ε times ε).
_ROUNDING = 3.4e-16
# Splits a double into halves whose products are exact (T. J. Dekker, 1971).
_SPLIT = 134_217_729.0


class Areas(NamedTuple):
    """Polygons in lon/lat, ready to be asked which of them hold a point.

    Attributes
    ----------
    lonlat, ring_start, first_ring
        Vertices, offsets of rings, first ring of each polygon and one more: see `geo.polygons`.
    run_box, first_run
        South, north and east of every 16 edges in a row, shape (runs, 3), and the first such run of
        each ring and one more.
    order
        Polygons in the order of the tree.
    tree
        Boxes (west, south, east, north) around polygons.
    """

    lonlat: np.ndarray
    ring_start: np.ndarray
    first_ring: np.ndarray
    run_box: np.ndarray
    first_run: np.ndarray
    order: np.ndarray
    tree: Tree


def index_areas(lonlat: np.ndarray, ring_start: np.ndarray, first_ring: np.ndarray) -> Areas:
    """Index polygons given as rings; a polygon without rings holds nothing."""
    edges = np.maximum(np.diff(ring_start) - 1, 0)
    first_run = np.zeros(len(ring_start), dtype=np.int64)
    np.cumsum(-(-edges // RUN), out=first_run[1:])
    run_box = np.empty((int(first_run[-1]), 3))
    boxes = np.empty((len(first_ring) - 1, 4))
    lonlat = np.ascontiguousarray(lonlat)
    _run_boxes(lonlat, ring_start, first_run, run_box)
    _shape_boxes(lonlat, ring_start, first_ring, boxes)
    filled = np.flatnonzero(boxes[:, 0] <= boxes[:, 2])
    middle = (boxes[filled, :2] + boxes[filled, 2:]) / 2.0
    order = filled[hilbert_order(middle[:, 0], middle[:, 1])]
    return Areas(
        lonlat,
        ring_start,
        first_ring,
        run_box,
        first_run,
        order,
        build(boxes[order].reshape(-1, 4)),
    )


def no_areas() -> Areas:
    """Index no polygons at all."""
    nothing = np.zeros(1, dtype=np.int64)
    return index_areas(np.zeros((0, 2)), nothing, nothing)


@jit
def _run_boxes(lonlat, ring_start, first_run, run_box) -> None:
    for r in range(len(ring_start) - 1):
        last = ring_start[r + 1] - 1
        for run in range(first_run[r], first_run[r + 1]):
            begin = ring_start[r] + (run - first_run[r]) * RUN
            south, north, east = np.inf, -np.inf, -np.inf
            for j in range(begin, min(begin + RUN, last) + 1):
                south, north = min(south, lonlat[j, 1]), max(north, lonlat[j, 1])
                east = max(east, lonlat[j, 0])
            run_box[run, 0], run_box[run, 1], run_box[run, 2] = south, north, east


@jit
def _shape_boxes(lonlat, ring_start, first_ring, boxes) -> None:
    for i in range(len(boxes)):
        west, south, east, north = np.inf, np.inf, -np.inf, -np.inf
        for j in range(ring_start[first_ring[i]], ring_start[first_ring[i + 1]]):
            west, east = min(west, lonlat[j, 0]), max(east, lonlat[j, 0])
            south, north = min(south, lonlat[j, 1]), max(north, lonlat[j, 1])
        boxes[i, 0], boxes[i, 1], boxes[i, 2], boxes[i, 3] = west, south, east, north


@jit
def holds(lonlat, ring_start, first, last, lon, lat):
    """Whether the rings first..last hold a point: an odd number of edges lies east of it."""
    inside = False
    for r in range(first, last):
        for j in range(ring_start[r], ring_start[r + 1] - 1):
            ay, by = lonlat[j, 1], lonlat[j + 1, 1]
            if (ay > lat) != (by > lat):
                ax, bx = lonlat[j, 0], lonlat[j + 1, 0]
                if lon < ax + (lat - ay) / (by - ay) * (bx - ax):
                    inside = not inside
    return inside


@jit
def holding(areas, lon, lat, found, held):
    """Append the polygons that hold or touch a point to `found`; a larger one if need be, and the count.

    In no order; a border belongs to its polygon.
    """
    lonlat, ring_start, first_ring, run_box, first_run, order, (boxes, count, level_first) = areas
    if not len(order):
        return found, held
    stack, stack_level = np.empty(STACK, np.int64), np.empty(STACK, np.int64)
    stack[0], stack_level[0], depth = 0, len(count) - 1, 1
    while depth:
        depth -= 1
        node, level = stack[depth], stack_level[depth]
        row = boxes[level_first[level] + node]
        for c in range(min(FAN, count[level - 1] - node * FAN)):
            if not (row[0, c] <= lon <= row[2, c] and row[1, c] <= lat <= row[3, c]):
                continue
            if level > 1:
                stack[depth], stack_level[depth] = node * FAN + c, level - 1
                depth += 1
                continue
            shape = order[node * FAN + c]
            if _covers(
                lonlat, ring_start, run_box, first_run, first_ring[shape], first_ring[shape + 1],
                lon, lat,
            ):  # fmt: skip
                if held == len(found):
                    more = np.empty(2 * held, np.int64)
                    for s in range(held):
                        more[s] = found[s]
                    found = more
                found[held] = shape
                held += 1
    return found, held


@jit
def lowest_holding(areas, points, first, last, out) -> None:
    """Write the lowest polygon that holds or touches each of the points first..last; -1 where none."""
    found = np.empty(16, np.int64)
    for i in range(first, last):
        found, held = holding(areas, points[i, 0], points[i, 1], found, 0)
        out[i] = -1
        for s in range(held):
            if out[i] < 0 or found[s] < out[i]:
                out[i] = found[s]


@jit
def _covers(lonlat, ring_start, run_box, first_run, first, last, lon, lat):
    """Whether the rings first..last hold a point or have it on them, decided without rounding."""
    inside = False
    for r in range(first, last):
        for run in range(first_run[r], first_run[r + 1]):
            if lat < run_box[run, 0] or lat > run_box[run, 1] or lon > run_box[run, 2]:
                continue
            begin = ring_start[r] + (run - first_run[r]) * RUN
            for j in range(begin, min(begin + RUN, ring_start[r + 1] - 1)):
                ax, ay, bx, by = lonlat[j, 0], lonlat[j, 1], lonlat[j + 1, 0], lonlat[j + 1, 1]
                if ay == lat and by == lat:
                    if min(ax, bx) <= lon <= max(ax, bx):
                        return True
                elif (ax == lon and ay == lat) or (bx == lon and by == lat):
                    return True
                elif (ay > lat) != (by > lat):
                    side = _side(ax, ay, bx, by, lon, lat)
                    if side == 0.0:
                        return True
                    if (side > 0.0) == (by > ay):
                        inside = not inside
    return inside


@jit
def _side(ax, ay, bx, by, x, y):
    """Above 0 where a point lies left of the line from a to b, below 0 right of it, 0 on it."""
    p, q = (ax - x) * (by - y), (ay - y) * (bx - x)
    if abs(p - q) > _ROUNDING * (abs(p) + abs(q)):
        return p - q
    # Each difference as a sum of two doubles, each product of two doubles likewise: nothing is lost
    # but what the smallest terms are rounded by, far below a double's own step.
    p0, p1 = _product(ax, x, by, y)
    q0, q1 = _product(ay, y, bx, x)
    return (p0 - q0) + (p1 - q1)


@jit
def _product(a, b, c, d):
    """Product (a - b) (c - d) as a sum of two doubles."""
    u, v = a - b, c - d
    t = u - a
    du = (a - (u - t)) - (b + t)
    t = v - c
    dv = (c - (v - t)) - (d + t)
    s = _SPLIT * u
    u0 = s - (s - u)
    s = _SPLIT * v
    v0 = s - (s - v)
    u1, v1 = u - u0, v - v0
    high = u * v
    low = ((u0 * v0 - high) + u0 * v1 + u1 * v0) + u1 * v1
    return high, low + (u * dv + v * du)
