"""Compiled loops of `geo.radius`: features of a lon/lat grid that lie within discs on the ellipsoid.

On the ellipsoid the disc of chord c around a point (r₀, z₀: distance from the axis, height) meets the
parallel (r, z) at longitudes ±w with cos w = (r₀² + r² + (z - z₀)² - c²) / (2 r₀ r). As a function of
latitude w has one peak, so that within a row of the grid it is at least the smaller of its values at
the row's edges, and at most the larger, or the peak where that may lie in the row. Cells inside the
first are in the disc, cells outside of the second are not, and features of the cells between are
checked one by one.
"""

# numba infers the types, and inlines helpers at a price that forbids more of them.
# ruff: noqa: ANN001, ANN202, C901

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

# Half-widths are good to 2e-8 rad where they vanish: 1e-7 rad (0.6 m) decides what is checked singly.
_MARGIN_RAD = 1e-7


def _jit(function: Callable[..., Any]) -> Callable[..., Any]:
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # no directory for the cache can be written: compile in each process
        return numba.njit(nogil=True)(function)


@_jit
def _half_width(rho, z, edge_rho, edge_z, chord):
    """Half-width of the disc on a parallel, in radians; -1 where it does not reach."""
    numerator = rho * rho + edge_rho * edge_rho + (edge_z - z) ** 2 - chord * chord
    denominator = 2.0 * rho * edge_rho
    if numerator >= denominator:
        return -1.0
    if numerator <= -denominator:
        return np.pi
    return np.arccos(numerator / denominator)


@_jit
def _peak(lat, reach_deg):
    """Bounds on the latitude (degrees) where a disc is widest, and an upper bound of that half-width.

    On a sphere sin φ = sin φ₀ / cos s and sin w = sin s / cos φ₀; `reach_deg` is measured with the
    ellipsoid's shortest radius of curvature, 0.7 % too long, which covers the difference.
    """
    reach = np.radians(reach_deg)
    widest = np.degrees(np.arcsin(np.sin(np.radians(lat)) / np.cos(reach)))
    slack = 0.02 + 0.02 * reach_deg
    half = np.arcsin(np.sin(reach) / np.cos(np.radians(lat)))
    return widest - slack, widest + slack, half


@_jit
def _ranges(offsets, row, lon_west, column_deg, inner, outer):
    """Features of a row to be checked, taken unseen, and checked again: four ends in bin order."""
    columns = offsets.shape[1] - 1
    first = max(int(np.floor((lon_west - np.degrees(outer)) / column_deg)), 0)
    last = min(int(np.floor((lon_west + np.degrees(outer)) / column_deg)) + 1, columns)
    if first >= last:
        return 0, 0, 0, 0
    begin, end = offsets[row, first], offsets[row, last]
    if inner > 0.0:
        sure_first = max(int(np.ceil((lon_west - np.degrees(inner)) / column_deg)), 0)
        sure_last = min(int(np.floor((lon_west + np.degrees(inner)) / column_deg)), columns)
        if sure_first < sure_last:
            return begin, offsets[row, sure_first], offsets[row, sure_last], end
    return begin, end, end, end


@_jit
def _rows(lat, reach_deg, south, row_deg, rows):
    first = max(int(np.floor((lat - reach_deg - south) / row_deg)), 0)
    last = min(int(np.floor((lat + reach_deg - south) / row_deg)), rows - 1)
    return first, last


@_jit
def _widths(low, high, row, south, row_deg, peak_south, peak_north, peak_half):
    """Inner and outer half-widths of the disc within a row, from those at its edges."""
    inner = min(low, high) - _MARGIN_RAD
    outer = max(low, high, 0.0) + _MARGIN_RAD
    if south + row * row_deg <= peak_north and south + (row + 1) * row_deg >= peak_south:
        outer = peak_half + _MARGIN_RAD
    return inner, outer


@_jit
def add(lon, lat, here, chord_m, reach_deg, xyz, offsets, edges, grid, totals, sums) -> None:
    """Add to `sums` (n, v) the values within each disc; `totals` (m + 1, v) are running sums."""
    west, south, row_deg, column_deg = grid
    rows = offsets.shape[0]
    kinds = totals.shape[1]
    for i in range(lon.size):
        x, y, z = here[i, 0], here[i, 1], here[i, 2]
        rho = np.sqrt(x * x + y * y)
        chord = chord_m[i]
        squared = chord * chord
        peak_south, peak_north, peak_half = _peak(lat[i], reach_deg)
        first, last = _rows(lat[i], reach_deg, south, row_deg, rows)
        if first > last:
            continue
        out = sums[i]
        high = _half_width(rho, z, edges[first, 0], edges[first, 1], chord)
        for row in range(first, last + 1):
            low = high
            high = _half_width(rho, z, edges[row + 1, 0], edges[row + 1, 1], chord)
            if offsets[row, 0] == offsets[row, -1]:
                continue
            inner, outer = _widths(
                low, high, row, south, row_deg, peak_south, peak_north, peak_half
            )
            for turn in range(-1, 2):
                begin, sure, unsure, end = _ranges(
                    offsets, row, lon[i] + 360.0 * turn - west, column_deg, inner, outer
                )
                if begin == end:
                    continue
                for kind in range(kinds):
                    out[kind] += totals[unsure, kind] - totals[sure, kind]
                for part in range(2):
                    for j in range(begin if part == 0 else unsure, sure if part == 0 else end):
                        dx, dy, dz = xyz[j, 0] - x, xyz[j, 1] - y, xyz[j, 2] - z
                        if dx * dx + dy * dy + dz * dz <= squared:
                            for kind in range(kinds):
                                out[kind] += totals[j + 1, kind] - totals[j, kind]


@_jit
def count(
    lon, lat, here, chord_m, reach_deg, xyz, offsets, edges, grid, groups, group_count, counts
) -> None:
    """Write to `counts` (n,) the distinct groups within each disc; `groups` (m,) count from 0."""
    west, south, row_deg, column_deg = grid
    rows = offsets.shape[0]
    seen = np.full(group_count, -1, dtype=np.int64)
    for i in range(lon.size):
        x, y, z = here[i, 0], here[i, 1], here[i, 2]
        rho = np.sqrt(x * x + y * y)
        chord = chord_m[i]
        squared = chord * chord
        peak_south, peak_north, peak_half = _peak(lat[i], reach_deg)
        first, last = _rows(lat[i], reach_deg, south, row_deg, rows)
        if first > last:
            continue
        found = 0
        high = _half_width(rho, z, edges[first, 0], edges[first, 1], chord)
        for row in range(first, last + 1):
            low = high
            high = _half_width(rho, z, edges[row + 1, 0], edges[row + 1, 1], chord)
            if offsets[row, 0] == offsets[row, -1]:
                continue
            inner, outer = _widths(
                low, high, row, south, row_deg, peak_south, peak_north, peak_half
            )
            for turn in range(-1, 2):
                begin, sure, unsure, end = _ranges(
                    offsets, row, lon[i] + 360.0 * turn - west, column_deg, inner, outer
                )
                for j in range(begin, end):
                    if seen[groups[j]] == i:
                        continue
                    dx, dy, dz = xyz[j, 0] - x, xyz[j, 1] - y, xyz[j, 2] - z
                    if sure <= j < unsure or dx * dx + dy * dy + dz * dz <= squared:
                        seen[groups[j]] = i
                        found += 1
        counts[i] = found
