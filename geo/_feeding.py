"""Compiled loops of `geo.feeding`: which substations within reach bring a parcel a megawatt at the least cost."""

# numba infers the types, and inlines helpers at a price that forbids more of them.
# ruff: noqa: ANN001, ANN202

import numpy as np

from geo._arc import arc_m, lift
from geo._inside import holds
from geo._jit import jit
from geo.geodesy import METRES_PER_MILE


@jit
def _foot(px, py, pz, ax, ay, az, bx, by, bz):
    """Point of the segment a-b that is nearest to p, in space."""
    ux, uy, uz = bx - ax, by - ay, bz - az
    squared = ux * ux + uy * uy + uz * uz
    if squared <= 0.0:
        return ax, ay, az
    along = ((px - ax) * ux + (py - ay) * uy + (pz - az) * uz) / squared
    along = min(max(along, 0.0), 1.0)
    return ax + along * ux, ay + along * uy, az + along * uz


@jit
def _edge_m(lonlat, ecef, ring_start, first_ring, last_ring, x, y, z, lon, lat):
    """Geodesic metres from a shape's edge to a point; 0 where it lies inside."""
    if holds(lonlat, ring_start, first_ring, last_ring, lon, lat):
        return 0.0
    best, at_x, at_y, at_z = np.inf, 0.0, 0.0, 0.0
    for ring in range(first_ring, last_ring):
        for j in range(ring_start[ring], ring_start[ring + 1] - 1):
            fx, fy, fz = _foot(
                x, y, z,
                ecef[j, 0], ecef[j, 1], ecef[j, 2],
                ecef[j + 1, 0], ecef[j + 1, 1], ecef[j + 1, 2],
            )  # fmt: skip
            squared = (fx - x) ** 2 + (fy - y) ** 2 + (fz - z) ** 2
            if squared < best:
                best, at_x, at_y, at_z = squared, fx, fy, fz
    at_x, at_y, at_z = lift(at_x, at_y, at_z)
    return arc_m(x, y, z, at_x, at_y, at_z)


@jit
def _least_priced_mi(miles, short_mi, short_factor, middle_mi, middle_factor):
    """Least priced miles of any line of at least so many miles: the price drops where a line is short no more."""
    if miles < short_mi:
        return min(miles * short_factor, short_mi * middle_factor)
    if miles <= middle_mi:
        return min(miles * middle_factor, middle_mi)
    return miles


@jit
def _priced_mi(miles, short_mi, short_factor, middle_mi, middle_factor):
    """Miles that a line is priced for (`geo.tie_line.priced_mi`)."""
    if miles < short_mi:
        return miles * short_factor
    return miles * middle_factor if miles <= middle_mi else miles


@jit
def _put(rates, metres, number, rate, arc, no) -> None:
    """Insert a feature where it belongs among the best so far; the worst drops out."""
    k = rates.size
    while k > 0 and (
        rate < rates[k - 1]
        or (rate == rates[k - 1] and arc < metres[k - 1])
        or (rate == rates[k - 1] and arc == metres[k - 1] and no < number[k - 1])
    ):
        k -= 1
    # Around a pole a feature is met from both sides.
    if k == rates.size or (k > 0 and number[k - 1] == no):
        return
    for back in range(rates.size - 1, k, -1):
        rates[back], metres[back], number[back] = (
            rates[back - 1],
            metres[back - 1],
            number[back - 1],
        )
    rates[k], metres[k], number[k] = rate, arc, no


@jit
def choose(
    lon, lat, here, radius_m,
    lonlat, ecef, ring_start, first_ring,
    feature_lonlat, feature_ecef, per_mi, fixed, feature_no, offsets, grid, reach_m,
    short_mi, short_factor, middle_mi, middle_factor,
    number, metres,
) -> None:  # fmt: skip
    """Write the best features of each parcel and their distances, best first, over numbers -1 and endless metres.

    As many are written as `number` has columns. A feature costs `fixed` and `per_mi` for each priced mile;
    the cheapest is best, then the nearer, then the lower number. `radius_m` bounds the chord from a parcel's point to its edge; below 0 the point alone
    counts. Features stand in the order of a lon/lat grid: `offsets` (rows, columns + 1), `grid` west,
    south, row and column size in degrees; `reach_m` is geodesic, and no arc is shorter than its chord.
    """
    west, south, row_deg, column_deg = grid
    rows, columns = offsets.shape[0], offsets.shape[1] - 1
    last = number.shape[1] - 1
    rates = np.empty(last + 1)
    for i in range(lon.size):
        x, y, z = here[i, 0], here[i, 1], here[i, 2]
        slack_m = max(radius_m[i], 0.0)
        around_m = reach_m + slack_m
        # A degree of latitude is nowhere shorter than 110.5 km; the disc is widest at its northern or
        # southern end, where a degree of longitude is shortest.
        half_lat = around_m / 110_500.0
        first_row = max(int(np.floor((lat[i] - half_lat - south) / row_deg)), 0)
        last_row = min(int(np.floor((lat[i] + half_lat - south) / row_deg)), rows - 1)
        across = np.cos(np.radians(min(abs(lat[i]) + half_lat, 89.99)))
        half_lon = min(half_lat / across, 180.0)
        rates.fill(np.inf)
        best_m, best_no = metres[i], number[i]
        for turn in range(-1, 2):
            at = lon[i] + 360.0 * turn - west
            first_column = max(int(np.floor((at - half_lon) / column_deg)), 0)
            end_column = min(int(np.floor((at + half_lon) / column_deg)) + 1, columns)
            if first_column >= end_column:
                continue
            for row in range(first_row, last_row + 1):
                for j in range(offsets[row, first_column], offsets[row, end_column]):
                    fx, fy, fz = feature_ecef[j, 0], feature_ecef[j, 1], feature_ecef[j, 2]
                    squared = (fx - x) ** 2 + (fy - y) ** 2 + (fz - z) ** 2
                    if squared > around_m * around_m:
                        continue
                    least_m = max(np.sqrt(squared) - slack_m, 0.0)
                    priced = _least_priced_mi(
                        least_m / METRES_PER_MILE, short_mi, short_factor, middle_mi, middle_factor
                    )
                    rate = per_mi[j] * priced + fixed[j]
                    if rate > rates[last] or (rate == rates[last] and least_m > best_m[last]):
                        continue
                    if radius_m[i] < 0.0:
                        arc = arc_m(x, y, z, fx, fy, fz)
                    else:
                        arc = _edge_m(
                            lonlat, ecef, ring_start, first_ring[i], first_ring[i + 1],
                            fx, fy, fz, feature_lonlat[j, 0], feature_lonlat[j, 1],
                        )  # fmt: skip
                    if arc > reach_m:
                        continue
                    priced = _priced_mi(
                        arc / METRES_PER_MILE, short_mi, short_factor, middle_mi, middle_factor
                    )
                    rate, no = per_mi[j] * priced + fixed[j], feature_no[j]
                    _put(rates, best_m, best_no, rate, arc, no)
