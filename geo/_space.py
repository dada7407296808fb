"""Compiled pieces of geometry in space (metres ECEF) that kernels share: arcs, feet, insides."""

# numba infers the types.
# ruff: noqa: ANN001, ANN202

import numpy as np

from geo._jit import jit
from geo.geodesy import EARTH_EQUATOR_RADIUS_M, EARTH_POLAR_RADIUS_M

_A = EARTH_EQUATOR_RADIUS_M**-2
_C = EARTH_POLAR_RADIUS_M**-2


@jit
def arc_m(ax, ay, az, bx, by, bz):
    """Geodesic metres between two points on the ellipsoid: the closed form of `geodesy.surface_m`."""
    dx, dy, dz = bx - ax, by - ay, bz - az
    mx, my, mz = 0.5 * (ax + bx), 0.5 * (ay + by), 0.5 * (az + bz)
    squared = dx * dx + dy * dy + dz * dz
    chord_m = np.sqrt(squared)
    if chord_m < 1e-9:
        return chord_m
    curvature = (_A * (dx * dx + dy * dy) + _C * dz * dz) / squared
    across = mx * mx + my * my
    up = mz * mz
    curvature *= np.sqrt((_A * across + _C * up) / (_A * _A * across + _C * _C * up))
    return 2.0 / curvature * np.arcsin(min(chord_m * curvature * 0.5, 1.0))


@jit
def lifted(x, y, z):
    """Point near the ellipsoid, moved onto it along the line to the earth's centre."""
    scale = 1.0 / np.sqrt(_A * (x * x + y * y) + _C * z * z)
    return x * scale, y * scale, z * scale


@jit
def foot(px, py, pz, ax, ay, az, bx, by, bz):
    """Point of the segment a-b that is nearest to p, in space."""
    ux, uy, uz = bx - ax, by - ay, bz - az
    squared = ux * ux + uy * uy + uz * uz
    if squared <= 0.0:
        return ax, ay, az
    along = ((px - ax) * ux + (py - ay) * uy + (pz - az) * uz) / squared
    along = min(max(along, 0.0), 1.0)
    return ax + along * ux, ay + along * uy, az + along * uz


@jit
def is_inside(lonlat, ring_start, first_ring, last_ring, lon, lat):
    """Whether a point lies in the rings of a shape in lon/lat, by crossings of a ray; holes are outside."""
    inside = False
    for ring in range(first_ring, last_ring):
        for j in range(ring_start[ring], ring_start[ring + 1] - 1):
            south, north = lonlat[j, 1], lonlat[j + 1, 1]
            if (south > lat) == (north > lat):
                continue
            west, east = lonlat[j, 0], lonlat[j + 1, 0]
            if lon < west + (lat - south) / (north - south) * (east - west):
                inside = not inside
    return inside
