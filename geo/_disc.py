"""Compiled loops of `geo.radius`: features of a lon/lat grid that lie within discs on the ellipsoid.

A feature is in a disc when its ECEF chord from the disc's middle is at most c. On the ellipsoid that disc
around a point (r₀, z₀: distance from the axis, height) meets the parallel (r, z) at longitudes ±w with
cos w = (r₀² + r² + (z - z₀)² - c²) / (2 r₀ r). As a function of latitude w has one peak, so that within a
row of the grid it is at least the smaller of its values at the row's edges, and at most the larger, or the
peak where that may lie in the row. Cells inside the first are in the disc, cells outside of the second are
not, and features of the cells between are checked one by one.

Queries that lie together share one search: with s the chord from a middle to the farthest of them, features
within c - s of the middle are in all of their discs, those beyond c + s in none, and only the ring between
is checked for each of them, by the same chord. So a query's result does not depend on its company.
"""

# numba infers the types, and inlines helpers at a price that forbids more of them.
# ruff: noqa: ANN001, ANN202, C901, PLR0912, PLR0915

import numpy as np

from geo._jit import jit
from geo.geodesy import (
    EARTH_ECCENTRICITY_SQUARED,
    EARTH_EQUATOR_RADIUS_M,
    EARTH_SHORTEST_CURVATURE_RADIUS_M,
)

# Half-widths are good to 2e-8 rad where they vanish: 1e-7 rad (0.6 m) decides what is checked singly.
_MARGIN_RAD = 1e-7
# Rounding of a chord is under 1e-8 m: what is this close to a bound of a group is checked singly.
_MARGIN_M = 1e-3
# Groups of queries: at most so many, within so many degrees either way; measured fastest at one query
# per 3 km². Fewer than LEAST of them are searched for one by one.
_MOST, _LEAST = 128, 4
SPAN_DEG = 0.15
_POLAR_M = EARTH_EQUATOR_RADIUS_M * np.sqrt(1.0 - EARTH_ECCENTRICITY_SQUARED)


@jit
def chords(lat, arcs_m, out) -> None:
    """Chords (n, radii) of geodesic radii at latitudes.

    By the Gaussian mean radius of curvature sqrt(M N) at the latitude (Torge & Müller, Geodesy, 4.1.3).
    Against Geod within the 48 states: ±3.4 cm at 161 km, ±0.3 m at 322 km.
    """
    for i in range(len(lat)):
        sin_lat = np.sin(np.radians(lat[i]))
        radius_m = _POLAR_M / (1.0 - EARTH_ECCENTRICITY_SQUARED * sin_lat * sin_lat)
        for k in range(len(arcs_m)):
            half = min(arcs_m[k] / (2.0 * radius_m), np.pi / 2.0)
            out[i, k] = 2.0 * radius_m * np.sin(half)


@jit
def _half_width(rho, z, edge_rho, edge_z, chord):
    """Half-width of the disc on a parallel, in radians; -1 where it does not reach."""
    numerator = rho * rho + edge_rho * edge_rho + (edge_z - z) ** 2 - chord * chord
    denominator = 2.0 * rho * edge_rho
    if numerator >= denominator:
        return -1.0
    if numerator <= -denominator:
        return np.pi
    return np.arccos(numerator / denominator)


@jit
def _peak(lat, reach_deg):
    """Bounds on the latitude (degrees) where a disc is widest, and an upper bound of that half-width.

    On a sphere sin φ = sin φ₀ / cos s and sin w = sin s / cos φ₀; `reach_deg` is measured with the
    ellipsoid's shortest radius of curvature, 0.7 % too long, which covers the difference.
    """
    reach = np.radians(reach_deg)
    widest = np.degrees(np.arcsin(min(max(np.sin(np.radians(lat)) / np.cos(reach), -1.0), 1.0)))
    slack = 0.02 + 0.02 * reach_deg
    half = np.arcsin(min(np.sin(reach) / np.cos(np.radians(lat)), 1.0))
    return widest - slack, widest + slack, half


@jit
def _search(lon, lat, here, chord_in, chord_out, reach_deg, xyz, offsets, edges, grid, sure, ring):
    """Find what is within `chord_in` of a point, and what is beyond that but within `chord_out`.

    Writes runs of the former in bin order as pairs to `sure`, and numbers of the latter to `ring`; returns
    how many runs and how many in the ring. With equal chords the ring stays empty.
    """
    west, south, row_deg, column_deg = grid
    rows, columns = offsets.shape[0], offsets.shape[1] - 1
    x, y, z = here
    rho = np.sqrt(x * x + y * y)
    squared_in = chord_in * chord_in if chord_in > 0.0 else -1.0
    squared_out = chord_out * chord_out
    peak_south, peak_north, peak_half = _peak(lat, reach_deg)
    first = max(int(np.floor((lat - reach_deg - south) / row_deg)), 0)
    last = min(int(np.floor((lat + reach_deg - south) / row_deg)), rows - 1)
    runs, found = 0, 0
    if first > last:
        return runs, found
    high_out, high_in = -1.0, -1.0
    is_next = False
    for row in range(first, last + 1):
        if offsets[row, 0] == offsets[row, columns]:
            is_next = False
            continue
        # The upper edge of the last row is the lower edge of this one, unless that row was skipped.
        if not is_next:
            high_out = _half_width(rho, z, edges[row, 0], edges[row, 1], chord_out)
            if chord_in == chord_out:
                high_in = high_out
            elif chord_in > 0.0:
                high_in = _half_width(rho, z, edges[row, 0], edges[row, 1], chord_in)
        is_next = True
        low_out, low_in = high_out, high_in
        high_out = _half_width(rho, z, edges[row + 1, 0], edges[row + 1, 1], chord_out)
        if chord_in == chord_out:
            high_in = high_out
        elif chord_in > 0.0:
            high_in = _half_width(rho, z, edges[row + 1, 0], edges[row + 1, 1], chord_in)
        inner = np.degrees(min(low_in, high_in) - _MARGIN_RAD)
        outer = max(low_out, high_out, 0.0)
        if south + row * row_deg <= peak_north and south + (row + 1) * row_deg >= peak_south:
            outer = peak_half
        outer = np.degrees(outer + _MARGIN_RAD)
        for turn in range(-1, 2):
            lon_west = lon + 360.0 * turn - west
            begin_column = max(int(np.floor((lon_west - outer) / column_deg)), 0)
            end_column = min(int(np.floor((lon_west + outer) / column_deg)) + 1, columns)
            if begin_column >= end_column:
                continue
            begin, end = offsets[row, begin_column], offsets[row, end_column]
            if begin == end:
                continue
            sure_begin, sure_end = end, end
            if inner > 0.0:
                sure_column = max(int(np.ceil((lon_west - inner) / column_deg)), 0)
                unsure_column = min(int(np.floor((lon_west + inner) / column_deg)), columns)
                if sure_column < unsure_column:
                    sure_begin, sure_end = offsets[row, sure_column], offsets[row, unsure_column]
                    if sure_begin < sure_end:
                        sure[runs, 0], sure[runs, 1] = sure_begin, sure_end
                        runs += 1
            for part in range(2):
                for j in range(begin if part == 0 else sure_end, sure_begin if part == 0 else end):
                    dx, dy, dz = xyz[j, 0] - x, xyz[j, 1] - y, xyz[j, 2] - z
                    distance = dx * dx + dy * dy + dz * dz
                    if distance <= squared_in:
                        sure[runs, 0], sure[runs, 1] = j, j + 1
                        runs += 1
                    elif distance <= squared_out:
                        ring[found] = j
                        found += 1
    return runs, found


@jit
def _group(lon, lat, begin):
    """End of the group of queries that starts at `begin`, and its middle in degrees."""
    west, east, south, north = lon[begin], lon[begin], lat[begin], lat[begin]
    end = begin + 1
    while end < len(lon) and end - begin < _MOST:
        west_next, east_next = min(west, lon[end]), max(east, lon[end])
        south_next, north_next = min(south, lat[end]), max(north, lat[end])
        if east_next - west_next > SPAN_DEG or north_next - south_next > SPAN_DEG:
            break
        west, east, south, north = west_next, east_next, south_next, north_next
        end += 1
    return end, 0.5 * (west + east), 0.5 * (south + north)


@jit
def _middle(lon, lat):
    """Return a point's ECEF in metres."""
    sin_lat = np.sin(np.radians(lat))
    normal_m = EARTH_EQUATOR_RADIUS_M / np.sqrt(1.0 - EARTH_ECCENTRICITY_SQUARED * sin_lat**2)
    across_m = normal_m * np.cos(np.radians(lat))
    x, y = across_m * np.cos(np.radians(lon)), across_m * np.sin(np.radians(lon))
    return x, y, normal_m * (1.0 - EARTH_ECCENTRICITY_SQUARED) * sin_lat


@jit
def _farthest(here, begin, end, x, y, z):
    """Longest chord from a point to the queries begin..end, in metres."""
    most = 0.0
    for i in range(begin, end):
        dx, dy, dz = here[i, 0] - x, here[i, 1] - y, here[i, 2] - z
        most = max(most, dx * dx + dy * dy + dz * dz)
    return np.sqrt(most)


@jit
def add(
    lon, lat, here, chord_m, reach_deg, xyz, offsets, edges, grid, values, totals, sums
) -> None:
    """Add to `sums` (n, radii, v) the values within discs of chords (n, radii).

    `values` (v, m) are those of the features in bin order, `totals` (m + 1, v) their running sums.
    """
    kinds, features = values.shape
    sure = np.empty((features + 3 * offsets.shape[0], 2), dtype=np.int64)
    ring = np.empty(features, dtype=np.int64)
    near = np.empty((3, 256))
    worth = np.empty((kinds, 256), dtype=np.int64)
    base = np.zeros(kinds, dtype=np.int64)
    begin = 0
    while begin < len(lon):
        end, middle_lon, middle_lat = _group(lon, lat, begin)
        if end - begin < _LEAST:
            for i in range(begin, end):
                point = here[i, 0], here[i, 1], here[i, 2]
                for k in range(chord_m.shape[1]):
                    chord = chord_m[i, k]
                    runs, found = _search(
                        lon[i], lat[i], point, chord, chord, reach_deg[k],
                        xyz, offsets, edges, grid, sure, ring,
                    )  # fmt: skip
                    for kind in range(kinds):
                        total = 0
                        for run in range(runs):
                            total += totals[sure[run, 1], kind] - totals[sure[run, 0], kind]
                        sums[i, k, kind] += total
            begin = end
            continue
        x, y, z = _middle(middle_lon, middle_lat)
        spread = _farthest(here, begin, end, x, y, z) + _MARGIN_M
        more_deg = np.degrees(1.02 * spread / EARTH_SHORTEST_CURVATURE_RADIUS_M)
        for k in range(chord_m.shape[1]):
            least, most = np.inf, 0.0
            for i in range(begin, end):
                least, most = min(least, chord_m[i, k]), max(most, chord_m[i, k])
            runs, found = _search(
                middle_lon, middle_lat, (x, y, z), least - spread, most + spread,
                reach_deg[k] + more_deg, xyz, offsets, edges, grid, sure, ring,
            )  # fmt: skip
            if found > near.shape[1]:
                near = np.empty((3, 2 * found))
                worth = np.empty((kinds, 2 * found), dtype=np.int64)
            for j in range(found):
                for axis in range(3):
                    near[axis, j] = xyz[ring[j], axis]
                for kind in range(kinds):
                    worth[kind, j] = values[kind, ring[j]]
            base[:] = 0
            for run in range(runs):
                for kind in range(kinds):
                    base[kind] += totals[sure[run, 1], kind] - totals[sure[run, 0], kind]
            near_x, near_y, near_z = near[0, :found], near[1, :found], near[2, :found]
            for i in range(begin, end):
                here_x, here_y, here_z = here[i, 0], here[i, 1], here[i, 2]
                squared = chord_m[i, k] * chord_m[i, k]
                for kind in range(kinds):
                    total = base[kind]
                    value = worth[kind, :found]
                    for j in range(found):
                        dx, dy, dz = near_x[j] - here_x, near_y[j] - here_y, near_z[j] - here_z
                        total += value[j] if dx * dx + dy * dy + dz * dz <= squared else 0
                    sums[i, k, kind] += total
        begin = end


@jit
def count(
    lon, lat, here, chord_m, reach_deg, xyz, offsets, edges, grid, groups, group_count, counts
) -> None:
    """Write to `counts` (n,) the distinct groups within discs of chords (n, 1); `groups` (m,) from 0."""
    sure = np.empty((len(groups) + 3 * offsets.shape[0], 2), dtype=np.int64)
    ring = np.empty(len(groups), dtype=np.int64)
    # Queries and their company count up: a group was seen by the last that stamped it.
    seen = np.zeros(group_count, dtype=np.int64)
    stamp = 0
    begin = 0
    while begin < len(lon):
        end, middle_lon, middle_lat = _group(lon, lat, begin)
        if end - begin < _LEAST:
            for i in range(begin, end):
                runs, found = _search(
                    lon[i], lat[i], (here[i, 0], here[i, 1], here[i, 2]),
                    chord_m[i, 0], chord_m[i, 0], reach_deg[0],
                    xyz, offsets, edges, grid, sure, ring,
                )  # fmt: skip
                stamp += 1
                for run in range(runs):
                    for j in range(sure[run, 0], sure[run, 1]):
                        counts[i] += seen[groups[j]] != stamp
                        seen[groups[j]] = stamp
            begin = end
            continue
        x, y, z = _middle(middle_lon, middle_lat)
        spread = _farthest(here, begin, end, x, y, z) + _MARGIN_M
        more_deg = np.degrees(1.02 * spread / EARTH_SHORTEST_CURVATURE_RADIUS_M)
        least, most = np.inf, 0.0
        for i in range(begin, end):
            least, most = min(least, chord_m[i, 0]), max(most, chord_m[i, 0])
        runs, found = _search(
            middle_lon, middle_lat, (x, y, z), least - spread, most + spread,
            reach_deg[0] + more_deg, xyz, offsets, edges, grid, sure, ring,
        )  # fmt: skip
        stamp += 1
        base = 0
        for run in range(runs):
            for j in range(sure[run, 0], sure[run, 1]):
                base += seen[groups[j]] != stamp
                seen[groups[j]] = stamp
        left = 0
        for j in range(found):
            if seen[groups[ring[j]]] != stamp:
                ring[left] = ring[j]
                left += 1
        for i in range(begin, end):
            stamp += 1
            counts[i] = base
            squared = chord_m[i, 0] * chord_m[i, 0]
            for k in range(left):
                j = ring[k]
                if seen[groups[j]] == stamp:
                    continue
                dx, dy, dz = xyz[j, 0] - here[i, 0], xyz[j, 1] - here[i, 1], xyz[j, 2] - here[i, 2]
                if dx * dx + dy * dy + dz * dz <= squared:
                    counts[i] += 1
                    seen[groups[j]] = stamp
        begin = end
