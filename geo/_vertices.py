"""Compiled loops over vertices: to ECEF, to the equal-area plane, bounds, orientation."""

# numba infers the types.
# ruff: noqa: ANN001, ANN202

import numpy as np

from geo._jit import jit
from geo.geodesy import (
    EARTH_ECCENTRICITY_SQUARED,
    EARTH_EQUATOR_RADIUS_M,
)

_E2 = EARTH_ECCENTRICITY_SQUARED
# EPSG:6933: Lambert cylindrical equal area, true scale at 30 degrees (Snyder, USGS PP 1395, 10-13 ff.).
_SIN_30 = 0.5
_K0 = np.sqrt(0.75) / np.sqrt(1.0 - _E2 * _SIN_30**2)
_METRES_PER_RAD = EARTH_EQUATOR_RADIUS_M * _K0
_METRES_PER_Q = EARTH_EQUATOR_RADIUS_M / (2.0 * _K0)
# Of the series in e² sin² φ, the highest power first.
_Q_TERMS = tuple(1.0 + 1.0 / (2.0 * k + 1.0) for k in range(8, -1, -1))
# Turns from the first vertex of a ring that are taken by series, radians: 1.1 degrees.
_SHORT = 0.02


@jit
def to_ecef(lonlat, out) -> None:
    """Metres ECEF (v, 3) of points on the ellipsoid (v, 2)."""
    for i in range(len(lonlat)):
        lon, lat = np.radians(lonlat[i, 0]), np.radians(lonlat[i, 1])
        sin_lat = np.sin(lat)
        normal_m = EARTH_EQUATOR_RADIUS_M / np.sqrt(1.0 - _E2 * sin_lat * sin_lat)
        across_m = normal_m * np.cos(lat)
        out[i, 0] = across_m * np.cos(lon)
        out[i, 1] = across_m * np.sin(lon)
        out[i, 2] = normal_m * (1.0 - _E2) * sin_lat


@jit
def _turned(sin, cos, step):
    """Sine and cosine of an angle whose sine and cosine are known, turned by `step` radians.

    The series of both, which up to `_SHORT` radians are exact to the last bits.
    """
    square = step * step
    sin_step = step * (1.0 - square * (1.0 / 6.0 - square * (1.0 / 120.0 - square / 5040.0)))
    cos_step = 1.0 - square * (0.5 - square * (1.0 / 24.0 - square / 720.0))
    return sin * cos_step + cos * sin_step, cos * cos_step - sin * sin_step


@jit
def rings_to_ecef(lonlat, ring_start, first, last, out) -> None:
    """Metres ECEF of the vertices of the rings first..last, as `to_ecef`, to 2e-9 m.

    Trigonometry once a ring, at its first vertex, from which the others are short turns: a third of
    the time. What a ring gets depends on the ring alone.
    """
    for r in range(first, last):
        begin = ring_start[r]
        if begin == ring_start[r + 1]:
            continue
        lon_0, lat_0 = lonlat[begin, 0], lonlat[begin, 1]
        sin_lon_0, cos_lon_0 = np.sin(np.radians(lon_0)), np.cos(np.radians(lon_0))
        sin_lat_0, cos_lat_0 = np.sin(np.radians(lat_0)), np.cos(np.radians(lat_0))
        for j in range(begin, ring_start[r + 1]):
            lon, lat = lonlat[j, 0], lonlat[j, 1]
            east, north = np.radians(lon - lon_0), np.radians(lat - lat_0)
            if abs(east) > _SHORT or abs(north) > _SHORT:
                sin_lon, cos_lon = np.sin(np.radians(lon)), np.cos(np.radians(lon))
                sin_lat, cos_lat = np.sin(np.radians(lat)), np.cos(np.radians(lat))
            else:
                sin_lon, cos_lon = _turned(sin_lon_0, cos_lon_0, east)
                sin_lat, cos_lat = _turned(sin_lat_0, cos_lat_0, north)
            normal_m = EARTH_EQUATOR_RADIUS_M / np.sqrt(1.0 - _E2 * sin_lat * sin_lat)
            out[j, 0] = normal_m * cos_lat * cos_lon
            out[j, 1] = normal_m * cos_lat * sin_lon
            out[j, 2] = normal_m * (1.0 - _E2) * sin_lat


@jit
def to_plane(lonlat, out) -> None:
    """Metres of EPSG:6933 (v, 2) of points in lon/lat (v, 2).

    q(φ) of Snyder (3-12), both of its terms as power series in e² sin² φ: with nine terms exact to the
    last bits of a double. Each point by itself, so that outlines that share a vertex in lon/lat share it
    here, to the last bit: what merely touches overlaps by nothing.
    """
    for i in range(len(lonlat)):
        sin_lat = np.sin(np.radians(lonlat[i, 1]))
        power = _E2 * sin_lat * sin_lat
        total = 0.0
        for term in _Q_TERMS:
            total = total * power + term
        out[i, 0] = _METRES_PER_RAD * np.radians(lonlat[i, 0])
        out[i, 1] = _METRES_PER_Q * (1.0 - _E2) * sin_lat * total


@jit
def bounds(points, start, first, last, out) -> None:
    """West, south, east, north of the shapes first..last; `start` are their first vertices."""
    for i in range(first, last):
        west, south = np.inf, np.inf
        east, north = -np.inf, -np.inf
        for j in range(start[i], start[i + 1]):
            west, east = min(west, points[j, 0]), max(east, points[j, 0])
            south, north = min(south, points[j, 1]), max(north, points[j, 1])
        out[i, 0], out[i, 1], out[i, 2], out[i, 3] = west, south, east, north


@jit
def radius_m(ecef, start, first, last, here, out) -> None:
    """Chord from a point of each shape first..last to its farthest vertex."""
    for i in range(first, last):
        most = 0.0
        for j in range(start[i], start[i + 1]):
            dx, dy, dz = ecef[j, 0] - here[i, 0], ecef[j, 1] - here[i, 1], ecef[j, 2] - here[i, 2]
            most = max(most, dx * dx + dy * dy + dz * dz)
        out[i] = np.sqrt(most)


@jit
def orient(lonlat, ring_start, is_shell) -> None:
    """Turn rings in place: shells counter-clockwise, holes clockwise."""
    for r in range(len(is_shell)):
        first, last = ring_start[r], ring_start[r + 1] - 1
        x0, y0 = lonlat[first, 0], lonlat[first, 1]
        twice = 0.0
        for j in range(first, last):
            ax, ay = lonlat[j, 0] - x0, lonlat[j, 1] - y0
            bx, by = lonlat[j + 1, 0] - x0, lonlat[j + 1, 1] - y0
            twice += ax * by - bx * ay
        if (twice < 0.0) == is_shell[r]:
            while first < last:
                for k in range(2):
                    lonlat[first, k], lonlat[last, k] = lonlat[last, k], lonlat[first, k]
                first += 1
                last -= 1
