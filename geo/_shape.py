"""Compiled loops over whole shapes: area, perimeter, width of the hull, largest circle, a point inside.

Widths and circles are taken in the plane that touches the ellipsoid at the middle of the shape's vertices
(orthographic: true to 1e-6 at 10 km from the middle and 1e-4 at 90 km).

The largest circle is searched by halving boxes, as in Mapbox's polylabel, with bounds that are tighter than
"distance at the middle plus half the diagonal": within a box the distance to any one edge is convex, so
that it is largest at a corner, and so is the sum of the distances to two edges. Of two edges that face each
other the mean is hardly above the radius, however long the box: ribbons need few boxes.
"""

# numba infers the types, builds sets at run time, and inlines helpers at a price that forbids more of them.
# ruff: noqa: ANN001, ANN202, C901, PLR0912, PLR0915

import numpy as np

from geo._jit import jit
from geo.geodesy import EARTH_ECCENTRICITY_SQUARED, EARTH_EQUATOR_RADIUS_M

_E2 = EARTH_ECCENTRICITY_SQUARED
# Longer edges, straight in lon/lat, are no chords: 1e-6 of the length at 70 degrees.
_STEP_DEG = 0.1
# Boxes that are looked into before the search is given up with the circle found so far.
_MOST_BOXES = 20_000
_STACK = 256
# Steps uphill from a guess before the search.
_STEPS = 6
# Distances as equal as this may be those to one vertex, or to both sides of a strip: coordinates are rounded
# to 1e-9 m, and an edge of length L that is straight in lon/lat is off its chord by L² tan(lat) / 8 R, below
# L² / 2 R up to 75 degrees.
_ROUNDED_M = 1e-7
_BENT_PER_M = 0.5 / EARTH_EQUATOR_RADIUS_M
# Sine of the angle below which an edge is seen head on, so that its sides cannot be told.
_HEAD_ON = 1e-3
# Gaps of Shell's sort (Ciura, 2001, then times 2.25).
_GAPS = np.array([887_000, 394_000, 175_000, 77_700, 34_500, 15_300, 6_820, 3_030, 1_350, 600, 301, 132,
                  57, 23, 10, 4, 1])  # fmt: skip


@jit
def _ecef(lon, lat):
    lon, lat = np.radians(lon), np.radians(lat)
    sin_lat = np.sin(lat)
    normal_m = EARTH_EQUATOR_RADIUS_M / np.sqrt(1.0 - _E2 * sin_lat * sin_lat)
    across_m = normal_m * np.cos(lat)
    return across_m * np.cos(lon), across_m * np.sin(lon), normal_m * (1.0 - _E2) * sin_lat


@jit
def _long_edge_m(lon0, lat0, lon1, lat1):
    """Length of an edge that is straight in lon/lat, in chords of at most 0.1 degrees."""
    steps = int(max(abs(lon1 - lon0), abs(lat1 - lat0)) / _STEP_DEG) + 1
    total = 0.0
    x0, y0, z0 = _ecef(lon0, lat0)
    for k in range(1, steps + 1):
        x1, y1, z1 = _ecef(lon0 + (lon1 - lon0) * k / steps, lat0 + (lat1 - lat0) * k / steps)
        total += np.sqrt((x1 - x0) ** 2 + (y1 - y0) ** 2 + (z1 - z0) ** 2)
        x0, y0, z0 = x1, y1, z1
    return total


@jit
def _sort(x, y, count) -> None:
    """Sort points by x, then y (Shell's sort)."""
    for gap in _GAPS:
        for i in range(gap, count):
            px, py = x[i], y[i]
            j = i
            while j >= gap and (x[j - gap] > px or (x[j - gap] == px and y[j - gap] > py)):
                x[j], y[j] = x[j - gap], y[j - gap]
                j -= gap
            x[j], y[j] = px, py


@jit
def _hull(x, y, count, hx, hy):
    """Write the convex hull of sorted points, counter-clockwise, first not repeated (Andrew, 1979)."""
    size = 0
    for turn in range(2):
        least = size + 1 if turn else 1
        for k in range(count):
            i = count - 1 - k if turn else k
            while size > least and (hx[size - 1] - hx[size - 2]) * (y[i] - hy[size - 2]) <= (
                hy[size - 1] - hy[size - 2]
            ) * (x[i] - hx[size - 2]):
                size -= 1
            hx[size], hy[size] = x[i], y[i]
            size += 1
        # The last point of a half is the first of the other.
        size -= 1
    return size


@jit
def _narrowest(hx, hy, count):
    """Least distance of parallel lines that hold a hull, and their direction (Toussaint, 1983)."""
    if count < 3:
        length = np.hypot(hx[count - 1] - hx[0], hy[count - 1] - hy[0])
        if not length > 0.0:
            return 0.0, 1.0, 0.0
        return 0.0, (hx[count - 1] - hx[0]) / length, (hy[count - 1] - hy[0]) / length
    best, ux, uy = np.inf, 1.0, 0.0
    far = 1
    for i in range(count):
        n = i + 1 if i + 1 < count else 0
        dx, dy = hx[n] - hx[i], hy[n] - hy[i]
        length = np.sqrt(dx * dx + dy * dy)
        off = dx * (hy[far] - hy[i]) - dy * (hx[far] - hx[i])
        for _ in range(count):
            other = far + 1 if far + 1 < count else 0
            more = dx * (hy[other] - hy[i]) - dy * (hx[other] - hx[i])
            if not more > off:
                break
            far, off = other, more
        if length > 0.0 and off / length < best:
            best, ux, uy = off / length, dx / length, dy / length
    return best, ux, uy


@jit
def _away(edges, k, x, y):
    """Distance from a point to an edge."""
    px, py = x - edges[k, 0], y - edges[k, 1]
    along = (px * edges[k, 2] + py * edges[k, 3]) * edges[k, 4]
    along = max(0.0, along)
    along = min(1.0, along)
    vx, vy = along * edges[k, 2] - px, along * edges[k, 3] - py
    return np.sqrt(vx * vx + vy * vy)


@jit
def _is_inside(edges, count, x, y):
    is_odd = False
    for e in range(count):
        if (edges[e, 1] > y) != (edges[e, 5] > y):
            turn = edges[e, 2] * (y - edges[e, 1]) - edges[e, 3] * (x - edges[e, 0])
            if (turn > 0.0) == (edges[e, 3] > 0.0):
                is_odd = not is_odd
    return is_odd


@jit
def _nearest(edges, count, begin, end, x, y, same_m, ways):
    """Nearest of some edges, and the distance to it: negative outside of the shape.

    `ways` (m, 3) take the vectors to all of them, and their squares. Insides lie to the left of edges; at
    a vertex the edge that is seen most from the side decides. Edges that say both, to within `same_m`, such
    as those of a strip that is thinner than its edges are bent, are not believed: then all edges (`count`)
    are crossed and counted.
    """
    least = np.inf
    for k in range(end - begin):
        e = begin + k
        px, py = x - edges[e, 0], y - edges[e, 1]
        along = (px * edges[e, 2] + py * edges[e, 3]) * edges[e, 4]
        along = max(0.0, along)
        along = min(1.0, along)
        vx, vy = along * edges[e, 2] - px, along * edges[e, 3] - py
        squared = vx * vx + vy * vy
        ways[k, 0], ways[k, 1], ways[k, 2] = vx, vy, squared
        least = min(least, squared)
    away = np.sqrt(least)
    limit = (away + same_m) ** 2
    inner, outer, which_inner, which_outer = -1.0, -1.0, -1, -1
    for k in range(end - begin):
        if ways[k, 2] <= limit:
            e = begin + k
            turn = edges[e, 2] * (y - edges[e, 1]) - edges[e, 3] * (x - edges[e, 0])
            slant = turn * turn * edges[e, 4]
            if turn > 0.0 and slant > inner:
                inner, which_inner = slant, k
            elif not turn > 0.0 and slant > outer:
                outer, which_outer = slant, k
    is_in = inner > outer
    if which_inner >= 0 and which_outer >= 0:
        # Edges are turned as well as moved, short ones more.
        turned = max(edges[begin + which_inner, 4], edges[begin + which_outer, 4])
        unsure = same_m * (1.0 + away * np.sqrt(turned))
        if abs(np.sqrt(inner) - np.sqrt(outer)) <= unsure:
            is_in = _is_inside(edges, count, x, y)
    if max(inner, outer) <= (same_m + _HEAD_ON * away) ** 2:
        is_in = _is_inside(edges, count, x, y)
    which = which_inner if inner > outer else which_outer
    return which, away if is_in else -away


@jit
def _others(ways, count, which, away):
    """Edges that hold a circle with the nearest one: one facing it, or two aside; -1 for none.

    Facing is the nearest of those seen more than 120 degrees from it. Aside are the nearest at more than 60
    degrees, and the nearest of those so that the ways to the three pull in no direction together.
    """
    nx, ny = ways[which, 0], ways[which, 1]
    facing, aside, third = -1, -1, -1
    least, least_aside = np.inf, np.inf
    for k in range(count):
        squared = ways[k, 2]
        if squared < least:
            along = ways[k, 0] * nx + ways[k, 1] * ny
            is_wide = along * along > 0.25 * squared * away * away
            if (along < 0.0 or not is_wide) and squared < least_aside:
                aside, least_aside = k, squared
            if along < 0.0 and is_wide:
                facing, least = k, squared
    if aside >= 0:
        mx, my = ways[aside, 0], ways[aside, 1]
        turn = nx * my - ny * mx
        least = np.inf
        for k in range(count):
            if ways[k, 2] < least:
                vx, vy = ways[k, 0], ways[k, 1]
                if (mx * vy - my * vx) * turn > 0.0 and (vx * ny - vy * nx) * turn > 0.0:
                    third, least = k, ways[k, 2]
    return facing, aside, third


@jit
def _largest_mean(edges, one, two, three, weights, x, y, half_x, half_y):
    """Largest weighted mean of the distances to three edges within a box: at a corner."""
    most = 0.0
    for corner in range(4):
        cx = x + (half_x if corner % 2 else -half_x)
        cy = y + (half_y if corner // 2 else -half_y)
        mean = weights[0] * _away(edges, one, cx, cy)
        if weights[1] > 0.0:
            mean += weights[1] * _away(edges, two, cx, cy)
        if weights[2] > 0.0:
            mean += weights[2] * _away(edges, three, cx, cy)
        most = max(most, mean)
    return most


@jit
def _weights(ways, which, aside, third):
    """Weights of three edges, with which the sum of the ways to them, as long as 1, is nothing."""
    one, two, three = np.sqrt(ways[which, 2]), np.sqrt(ways[aside, 2]), np.sqrt(ways[third, 2])
    ax, ay = ways[which, 0] / one, ways[which, 1] / one
    bx, by = ways[aside, 0] / two, ways[aside, 1] / two
    cx, cy = ways[third, 0] / three, ways[third, 1] / three
    first, second, last = abs(bx * cy - by * cx), abs(cx * ay - cy * ax), abs(ax * by - ay * bx)
    total = first + second + last
    return first / total, second / total, last / total


@jit
def _better(ways, which, facing, aside, third):
    """Step to where the edges that hold a circle are equally far, were the ways to them to stay as they are."""
    one = np.sqrt(ways[which, 2])
    ax, ay = ways[which, 0] / one, ways[which, 1] / one
    if third >= 0:
        two, three = np.sqrt(ways[aside, 2]), np.sqrt(ways[third, 2])
        px, py = ax - ways[aside, 0] / two, ay - ways[aside, 1] / two
        qx, qy = ax - ways[third, 0] / three, ay - ways[third, 1] / three
        turn = px * qy - py * qx
        if abs(turn) > 1e-6:
            return (
                ((one - two) * qy - (one - three) * py) / turn,
                ((one - three) * px - (one - two) * qx) / turn,
            )
    if facing >= 0:
        half = (np.sqrt(ways[facing, 2]) - one) / 2.0
        return -ax * half, -ay * half
    return -ax * one / 4.0, -ay * one / 4.0


@jit
def _search(edges, count, box, most, tolerance, same_m, best, best_x, best_y, ways, stack, ranges):
    """Halve boxes until none may hold the middle of a circle larger by more than the tolerance or 1 %."""
    # Larger circles have their middles so far from the sides of the box that holds the shape.
    margin = best + max(tolerance, 0.01 * best)
    stack[0, 0], stack[0, 1] = (box[0] + box[2]) / 2.0, (box[1] + box[3]) / 2.0
    stack[0, 2] = max((box[2] - box[0]) / 2.0 - margin, 0.0)
    stack[0, 3] = max((box[3] - box[1]) / 2.0 - margin, 0.0)
    stack[0, 4] = np.inf
    ranges[0, 0], ranges[0, 1] = 0, count
    size = 1
    for _ in range(_MOST_BOXES):
        enough = best + max(tolerance, 0.01 * best)
        if size == 0 or enough >= most:
            break
        size -= 1
        x, y, half_x, half_y = stack[size, 0], stack[size, 1], stack[size, 2], stack[size, 3]
        bound, begin, end = stack[size, 4], ranges[size, 0], ranges[size, 1]
        if bound <= enough:
            continue
        which, away = _nearest(edges, count, begin, end, x, y, same_m, ways)
        if which < 0:
            continue
        if away > best:
            best, best_x, best_y = away, x, y
            enough = best + max(tolerance, 0.01 * best)
        diagonal = np.sqrt(half_x * half_x + half_y * half_y)
        bound = min(bound, away + diagonal)
        if not bound > enough or size + 2 > _STACK:
            continue
        if away > 0.0:
            facing, aside, third = _others(ways, end - begin, which, away)
            one = begin + which
            # Right on an edge there is no way to it, and no weights.
            if third >= 0 and away > _ROUNDED_M:
                weights = _weights(ways, which, aside, third)
                two, three = begin + aside, begin + third
                mean = _largest_mean(edges, one, two, three, weights, x, y, half_x, half_y)
                bound = min(bound, mean)
            if facing >= 0 and bound > enough:
                two = begin + facing
                mean = _largest_mean(edges, one, two, two, (0.5, 0.5, 0.0), x, y, half_x, half_y)
                bound = min(bound, mean)
            if bound > enough:
                mean = _largest_mean(edges, one, one, one, (1.0, 0.0, 0.0), x, y, half_x, half_y)
                bound = min(bound, mean)
            if not bound > enough:
                continue
        way_x, way_y = ways[which, 0], ways[which, 1]
        # Edges farther than this are nearest to no point of the box.
        reach = (abs(away) + 2.0 * diagonal + same_m) ** 2
        kept = 0
        for k in range(end - begin):
            if ways[k, 2] <= reach:
                kept += 1
        if 4 * kept < 3 * (end - begin):
            to = end
            for k in range(end - begin):
                if ways[k, 2] <= reach:
                    for row in range(6):
                        edges[to, row] = edges[begin + k, row]
                    to += 1
            begin, end = end, to
        # The half that lies away from the nearest edge is looked into first; outside, the one near it.
        is_across = half_x >= half_y
        way = (way_x if is_across else way_y) * (1.0 if away > 0.0 else -1.0)
        shift_x, shift_y = 0.0, 0.0
        if is_across:
            half_x /= 2.0
            shift_x = half_x if way > 0.0 else -half_x
        else:
            half_y /= 2.0
            shift_y = half_y if way > 0.0 else -half_y
        for child in range(2):
            turn = 1.0 if child == 0 else -1.0
            stack[size, 0], stack[size, 1] = x + turn * shift_x, y + turn * shift_y
            stack[size, 2], stack[size, 3], stack[size, 4] = half_x, half_y, bound
            ranges[size, 0], ranges[size, 1] = begin, end
            size += 1
    return best, best_x, best_y


@jit
def _circle(edges, count, box, starts, most, tolerance, same_m, ways, stack, ranges):
    """Radius and middle of the largest circle, to within the tolerance, and 1 % of the radius.

    `box` (4,) holds the shape; `starts` (s, 2) are guesses; no radius is above `most`.
    """
    best, best_x, best_y = 0.0, starts[0, 0], starts[0, 1]
    for s in range(len(starts)):
        x, y = starts[s, 0], starts[s, 1]
        for _ in range(_STEPS):
            which, away = _nearest(edges, count, 0, count, x, y, same_m, ways)
            if which < 0 or not away > best:
                break
            gain = away - best
            best, best_x, best_y = away, x, y
            if best + max(tolerance, 0.01 * best) >= most or gain < 0.001 * best:
                break
            facing, aside, third = _others(ways, count, which, away)
            step_x, step_y = _better(ways, which, facing, aside, third)
            x, y = x + step_x, y + step_y
    # Coarse rounds first, so that no thin strip takes all boxes while the large places are not yet known.
    coarse = most / 4.0
    while best < coarse and coarse > tolerance:
        best, best_x, best_y = _search(
            *(edges, count, box, most, coarse, same_m),
            *(best, best_x, best_y, ways, stack, ranges),
        )
        coarse /= 4.0
    return _search(
        *(edges, count, box, most, tolerance, same_m),
        *(best, best_x, best_y, ways, stack, ranges),
    )


@jit
def _outline(lonlat, ecef, plane, ring_start, parts):
    """Area in the equal-area plane, perimeter in chords, and the middle of the vertices (ECEF)."""
    twice, perimeter, part = 0.0, 0.0, 0
    ox, oy, oz = 0.0, 0.0, 0.0
    for r in range(parts[0], parts[-1]):
        x0, y0 = plane[ring_start[r], 0], plane[ring_start[r], 1]
        ring = 0.0
        for j in range(ring_start[r], ring_start[r + 1] - 1):
            ring += (plane[j, 0] - x0) * (plane[j + 1, 1] - y0)
            ring -= (plane[j, 1] - y0) * (plane[j + 1, 0] - x0)
            dx, dy = ecef[j + 1, 0] - ecef[j, 0], ecef[j + 1, 1] - ecef[j, 1]
            dz = ecef[j + 1, 2] - ecef[j, 2]
            if (
                abs(lonlat[j + 1, 0] - lonlat[j, 0]) > _STEP_DEG
                or abs(lonlat[j + 1, 1] - lonlat[j, 1]) > _STEP_DEG
            ):
                perimeter += _long_edge_m(
                    lonlat[j, 0], lonlat[j, 1], lonlat[j + 1, 0], lonlat[j + 1, 1]
                )
            else:
                perimeter += np.sqrt(dx * dx + dy * dy + dz * dz)
            ox, oy, oz = ox + ecef[j, 0], oy + ecef[j, 1], oz + ecef[j, 2]
        if r == parts[part]:
            twice += abs(ring)
            part = min(part + 1, len(parts) - 1)
        else:
            twice -= abs(ring)
    steps = ring_start[parts[-1]] - ring_start[parts[0]] - (parts[-1] - parts[0])
    return twice / 2.0, perimeter, ox / steps, oy / steps, oz / steps


@jit
def outlines(
    lonlat, ecef, plane, ring_start, part_start, shape_start, first, last, area_m2, perimeter_m
) -> None:
    """Write area and perimeter of the shapes first..last; NaN for those without vertices."""
    for i in range(first, last):
        parts = part_start[shape_start[i] : shape_start[i + 1] + 1]
        if ring_start[parts[0]] == ring_start[parts[-1]]:
            area_m2[i], perimeter_m[i] = np.nan, np.nan
        else:
            area_m2[i], perimeter_m[i], _, _, _ = _outline(lonlat, ecef, plane, ring_start, parts)


@jit
def measure(
    lonlat, ecef, plane, ring_start, part_start, shape_start, first, last, tolerance_m, out, middle
) -> None:
    """Write area (m2), perimeter, width and diameter (m) of the shapes first..last to `out` (n, 4).

    `middle` (n, 3) takes the middles of the circles, ECEF. Shapes without vertices are NaN.
    """
    most = 4
    for i in range(first, last):
        begin, end = part_start[shape_start[i]], part_start[shape_start[i + 1]]
        most = max(most, ring_start[end] - ring_start[begin])
    x, y, hull_x, hull_y = np.empty(most), np.empty(most), np.empty(most + 2), np.empty(most + 2)
    edges, ways = np.empty((5 * most, 6)), np.empty((most, 3))
    stack, ranges = np.empty((_STACK, 5)), np.empty((_STACK, 2), dtype=np.int64)
    box, starts = np.empty(4), np.empty((2, 2))
    for i in range(first, last):
        parts = part_start[shape_start[i] : shape_start[i + 1] + 1]
        begin, end = ring_start[parts[0]], ring_start[parts[-1]]
        if begin == end:
            out[i, :] = np.nan
            middle[i, :] = np.nan
            continue

        area_m2, perimeter, ox, oy, oz = _outline(lonlat, ecef, plane, ring_start, parts)

        # East and north there: the normal of the ellipsoid is along (x, y, z / (1 - e2)).
        across = np.sqrt(ox * ox + oy * oy)
        cos_lon, sin_lon = (ox / across, oy / across) if across > 0.0 else (1.0, 0.0)
        up_z = oz / (1.0 - _E2)
        up = np.sqrt(across * across + up_z * up_z)
        cos_lat, sin_lat = across / up, up_z / up

        # The shells' vertices in the plane, their hull and the direction in which it is narrowest.
        count = 0
        for p in range(len(parts) - 1):
            for j in range(ring_start[parts[p]], ring_start[parts[p] + 1] - 1):
                dx, dy, dz = ecef[j, 0] - ox, ecef[j, 1] - oy, ecef[j, 2] - oz
                x[count] = cos_lon * dy - sin_lon * dx
                y[count] = cos_lat * dz - sin_lat * (cos_lon * dx + sin_lon * dy)
                count += 1
        _sort(x, y, count)
        size = _hull(x, y, count, hull_x, hull_y)
        width, ux, uy = _narrowest(hull_x, hull_y, size)

        # Edges with that direction as x.
        count = 0
        area, cx, cy, longest = 0.0, 0.0, 0.0, 0.0
        box[0], box[1], box[2], box[3] = np.inf, np.inf, -np.inf, -np.inf
        for r in range(parts[0], parts[-1]):
            ax, ay = 0.0, 0.0
            for j in range(ring_start[r], ring_start[r + 1]):
                dx, dy, dz = ecef[j, 0] - ox, ecef[j, 1] - oy, ecef[j, 2] - oz
                east = cos_lon * dy - sin_lon * dx
                north = cos_lat * dz - sin_lat * (cos_lon * dx + sin_lon * dy)
                bx, by = ux * east + uy * north, ux * north - uy * east
                box[0], box[1] = min(box[0], bx), min(box[1], by)
                box[2], box[3] = max(box[2], bx), max(box[3], by)
                if j > ring_start[r]:
                    length = (bx - ax) ** 2 + (by - ay) ** 2
                    longest = max(longest, length)
                    if length > 0.0:
                        edges[count, 0], edges[count, 1] = ax, ay
                        edges[count, 2], edges[count, 3] = bx - ax, by - ay
                        edges[count, 4], edges[count, 5] = 1.0 / length, by
                        count += 1
                        cross = ax * by - ay * bx
                        area += cross / 2.0
                        cx, cy = cx + (ax + bx) * cross / 6.0, cy + (ay + by) * cross / 6.0
                ax, ay = bx, by
        starts[0, 0], starts[0, 1] = (box[0] + box[2]) / 2.0, (box[1] + box[3]) / 2.0
        starts[1, 0], starts[1, 1] = starts[0, 0], starts[0, 1]
        if area > 0.0:
            starts[1, 0], starts[1, 1] = cx / area, cy / area
        largest = min(width / 2.0, np.sqrt(max(area, 0.0) / np.pi))
        same_m = _ROUNDED_M + _BENT_PER_M * longest
        radius, cx, cy = _circle(
            *(edges, count, box, starts, largest, min(tolerance_m, 0.05 * largest), same_m),
            *(ways, stack, ranges),
        )
        out[i, 0], out[i, 1] = area_m2, perimeter
        out[i, 2], out[i, 3] = width, 2.0 * radius
        east, north = ux * cx - uy * cy, uy * cx + ux * cy
        middle[i, 0] = ox - sin_lon * east - sin_lat * cos_lon * north
        middle[i, 1] = oy + cos_lon * east - sin_lat * sin_lon * north
        middle[i, 2] = oz + cos_lat * north
