"""Compiled loops for points inside of shapes: centroids, whether points lie inside, and midway across."""

# numba infers the types, and inlines helpers at a price that forbids more of them.
# ruff: noqa: ANN001, ANN202

import numpy as np

from geo._jit import jit

# Shewchuk's bound of the rounding error of a triangle's area (see geo._mend).
_ROUNDING = 3.3306690738754716e-16


@jit
def _is_inside(lonlat, ring_start, first_ring, last_ring, x, y):
    """Whether a point lies inside; one on an edge, or too near to tell, does not."""
    is_odd = False
    for r in range(first_ring, last_ring):
        for j in range(ring_start[r], ring_start[r + 1] - 1):
            ay, by = lonlat[j, 1] - y, lonlat[j + 1, 1] - y
            if (ay > 0.0 and by > 0.0) or (ay < 0.0 and by < 0.0):
                continue
            ax, bx = lonlat[j, 0] - x, lonlat[j + 1, 0] - x
            if ax < 0.0 and bx < 0.0:
                continue
            plus, minus = ax * by, ay * bx
            is_near = abs(plus - minus) <= _ROUNDING * (abs(plus) + abs(minus))
            if is_near and not (ax > 0.0 and bx > 0.0):
                return False
            if (ay > 0.0) != (by > 0.0):
                if is_near:
                    return False
                if (plus > minus) == (by > ay):
                    is_odd = not is_odd
    return is_odd


@jit
def centroids(lonlat, ring_start, part_start, shape_start, first, last, out, inside) -> None:
    """Write the centroids (n, 2) of the shapes first..last, and whether they lie inside."""
    for i in range(first, last):
        first_ring, last_ring = part_start[shape_start[i]], part_start[shape_start[i + 1]]
        x0, y0 = lonlat[ring_start[first_ring], 0], lonlat[ring_start[first_ring], 1]
        twice, sum_x, sum_y = 0.0, 0.0, 0.0
        for r in range(first_ring, last_ring):
            ax, ay = lonlat[ring_start[r], 0] - x0, lonlat[ring_start[r], 1] - y0
            for j in range(ring_start[r] + 1, ring_start[r + 1]):
                bx, by = lonlat[j, 0] - x0, lonlat[j, 1] - y0
                cross = ax * by - ay * bx
                twice += cross
                sum_x += (ax + bx) * cross
                sum_y += (ay + by) * cross
                ax, ay = bx, by
        inside[i] = False
        if twice > 0.0:
            out[i, 0], out[i, 1] = x0 + sum_x / (3.0 * twice), y0 + sum_y / (3.0 * twice)
            inside[i] = _is_inside(lonlat, ring_start, first_ring, last_ring, out[i, 0], out[i, 1])


@jit
def contain(lonlat, ring_start, part_start, shape_start, first, last, points, inside) -> None:
    """Write whether the points (n, 2) lie inside of the shapes first..last, each in its own."""
    for i in range(first, last):
        first_ring, last_ring = part_start[shape_start[i]], part_start[shape_start[i + 1]]
        x, y = points[i, 0], points[i, 1]
        inside[i] = _is_inside(lonlat, ring_start, first_ring, last_ring, x, y)


@jit
def midway(lonlat, ring_start, part_start, shape_start, first, last, out) -> None:
    """Write the middles (n, 2) of the longest stretches of a parallel within the shapes first..last.

    The parallel lies halfway between the vertices' latitudes on both sides of the shape's middle.
    """
    for i in range(first, last):
        first_ring, last_ring = part_start[shape_start[i]], part_start[shape_start[i + 1]]
        begin, end = ring_start[first_ring], ring_start[last_ring]
        south, north = np.inf, -np.inf
        for j in range(begin, end):
            south, north = min(south, lonlat[j, 1]), max(north, lonlat[j, 1])
        middle = (south + north) / 2.0
        below, above = south, north
        for j in range(begin, end):
            if lonlat[j, 1] <= middle:
                below = max(below, lonlat[j, 1])
            else:
                above = min(above, lonlat[j, 1])
        y = (below + above) / 2.0
        met = np.empty(end - begin)
        count = 0
        for r in range(first_ring, last_ring):
            for j in range(ring_start[r], ring_start[r + 1] - 1):
                ay, by = lonlat[j, 1], lonlat[j + 1, 1]
                if (ay > y) != (by > y):
                    ax, bx = lonlat[j, 0], lonlat[j + 1, 0]
                    met[count] = ax + (bx - ax) * ((y - ay) / (by - ay))
                    count += 1
        met = np.sort(met[:count])
        out[i, 0], out[i, 1] = lonlat[begin, 0], lonlat[begin, 1]
        longest = 0.0
        for k in range(0, count - 1, 2):
            if met[k + 1] - met[k] > longest:
                longest = met[k + 1] - met[k]
                out[i, 0], out[i, 1] = (met[k] + met[k + 1]) / 2.0, y
