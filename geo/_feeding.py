"""Compiled loops of `geo.feeding`: which substation within reach brings a parcel the most."""

# numba infers the types, and inlines helpers at a price that forbids more of them.
# ruff: noqa: ANN001, ANN202

import numpy as np

from geo._arc import arc_m, lift
from geo._inside import holds
from geo._jit import jit


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
def choose(
    lon, lat, here, radius_m,
    lonlat, ecef, ring_start, first_ring,
    feature_lonlat, feature_ecef, useful_mw, feature_no, offsets, grid, reach_m,
    number, metres,
) -> None:  # fmt: skip
    """Write the chosen feature and its distance for each parcel.

    `radius_m` bounds the chord from a parcel's point to its edge; below 0 the point alone counts. Features
    stand in the order of a lon/lat grid: `offsets` (rows, columns + 1), `grid` west, south, row and
    column size in degrees; `reach_m` is geodesic, and no arc is shorter than its chord.
    """
    west, south, row_deg, column_deg = grid
    rows, columns = offsets.shape[0], offsets.shape[1] - 1
    for i in range(lon.size):
        x, y, z = here[i, 0], here[i, 1], here[i, 2]
        slack_m = max(radius_m[i], 0.0)
        around_m = reach_m + slack_m
        # A degree of latitude is nowhere shorter than 110.5 km; the disc is widest at its northern or
        # southern end, where a degree of longitude is shortest.
        half_lat = around_m / 110_500.0
        first_row = max(int(np.floor((lat[i] - half_lat - south) / row_deg)), 0)
        last_row = min(int(np.floor((lat[i] + half_lat - south) / row_deg)), rows - 1)
        across = np.cos(np.radians(min(abs(lat[i]) + half_lat, 89.9)))
        half_lon = min(half_lat / across, 180.0)
        best_mw, best_m, best_no = -1.0, np.inf, -1
        for turn in range(-1, 2):
            at = lon[i] + 360.0 * turn - west
            first = max(int(np.floor((at - half_lon) / column_deg)), 0)
            last = min(int(np.floor((at + half_lon) / column_deg)) + 1, columns)
            if first >= last:
                continue
            for row in range(first_row, last_row + 1):
                for j in range(offsets[row, first], offsets[row, last]):
                    fx, fy, fz = feature_ecef[j, 0], feature_ecef[j, 1], feature_ecef[j, 2]
                    chord = np.sqrt((fx - x) ** 2 + (fy - y) ** 2 + (fz - z) ** 2)
                    least_m = max(chord - slack_m, 0.0)
                    if least_m > reach_m or useful_mw[j] * (1.0 - least_m / reach_m) < best_mw:
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
                    mw = useful_mw[j] * (1.0 - arc / reach_m)
                    if (
                        mw > best_mw
                        or (mw == best_mw and arc < best_m)
                        or (mw == best_mw and arc == best_m and feature_no[j] < best_no)
                    ):
                        best_mw, best_m, best_no = mw, arc, feature_no[j]
        number[i] = best_no
        metres[i] = best_m if best_no >= 0 else np.nan
