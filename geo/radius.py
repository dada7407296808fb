"""Sums and distinct counts of features within geodesic radii of points, exact and reproducible."""

import importlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from geo.errors import GeoError, GeometryError
from geo.geodesy import (
    EARTH_SHORTEST_CURVATURE_RADIUS_M,
    METRES_PER_MILE,
    arc_to_chord_m,
    lonlat_arrays,
    to_ecef,
)

# Bins of features: rows of 0.08° (9 km) measured fastest for radii of 25 to 100 miles.
ROW_DEG = 0.08
COLUMN_DEG = 0.08
# Beyond this a disc may reach around a pole, where half-widths mean nothing.
MAX_REACH_DEG = 89.0
MAX_RADIUS_MI = 1_000.0
# Queries are handed to threads in blocks.
BLOCK = 4_096


def radius_sums(
    lon: np.ndarray,
    lat: np.ndarray,
    feature_lon: np.ndarray,
    feature_lat: np.ndarray,
    values: np.ndarray,
    radii_mi: tuple[float, ...],
    *,
    workers: int = -1,
) -> np.ndarray:
    """Sum the features' values within each radius of each point.

    A feature counts when its ECEF chord from the point is at most that of a geodesic of the radius,
    with the mean radius of curvature at the point: right but for features within 4 cm of a circle
    of 100 miles (see `geodesy.chord_to_arc_m`). Sums are of integers, so that neither the order of
    points nor the number of threads can change a bit.

    Parameters
    ----------
    lon, lat
        Points, degrees, WGS84, shape (n,).
    feature_lon, feature_lat
        Features, degrees, WGS84, shape (m,).
    values
        Integers, shape (m,) or (m, v): people, kW; scale before, divide after.
    radii_mi
        Up to 1,000 miles each.
    workers
        Threads; -1 takes all cores.

    Returns
    -------
    int64, shape (n, len(radii_mi), v); 0 where no feature is within. Unknown values have no place in
    integers: leave their features out.

    Raises
    ------
    GeoError
        For values that are no integers, of the wrong shape, or too large to be summed in int64;
        when numba cannot compile here.
    GeometryError
        For coordinates that are NaN or no degrees, and for radii that are no positive miles.
    """
    lon, lat = lonlat_arrays(lon, lat)
    here = to_ecef(lon, lat)
    kernels = _kernels()
    bins = _Bins.of(feature_lon, feature_lat)
    totals = _running_totals(values, bins.order)
    radii_mi = tuple(float(radius) for radius in radii_mi)
    sums = np.zeros((lon.size, len(radii_mi), totals.shape[1]), dtype=np.int64)
    for column, radius_mi in enumerate(radii_mi):
        reach = _Reach.of(lat, radius_mi)

        def run(part: slice, column: int = column, reach: _Reach = reach) -> None:
            kernels.add(
                *(lon[part], lat[part], here[part], reach.chord_m[part], reach.lat_deg),
                *bins.arrays,
                *(totals, sums[part, column]),
            )

        _in_threads(run, lon.size, workers)
    return sums


def distinct_within(
    lon: np.ndarray,
    lat: np.ndarray,
    feature_lon: np.ndarray,
    feature_lat: np.ndarray,
    group_no: np.ndarray,
    radius_mi: float,
    *,
    workers: int = -1,
) -> np.ndarray:
    """Count the distinct groups (carriers, say) with a feature within a radius of each point.

    Parameters
    ----------
    lon, lat, feature_lon, feature_lat, radius_mi, workers
        As in `radius_sums`.
    group_no
        Integers ≥ 0, shape (m,): the group of each feature.

    Returns
    -------
    int64, shape (n,).

    Raises
    ------
    GeoError
        For group numbers that are negative or no integers; when numba cannot compile here.
    GeometryError
        As in `radius_sums`.
    """
    lon, lat = lonlat_arrays(lon, lat)
    here = to_ecef(lon, lat)
    kernels = _kernels()
    bins = _Bins.of(feature_lon, feature_lat)
    group_no = np.asarray(group_no)
    if group_no.shape != bins.order.shape or not np.issubdtype(group_no.dtype, np.integer):
        msg = f"Group numbers are {group_no.dtype} {group_no.shape}; pass one integer a feature."
        raise GeoError(msg)
    if (group_no < 0).any():
        msg = "Group numbers must be 0 or more; leave features of no group out."
        raise GeoError(msg)
    _, codes = np.unique(group_no, return_inverse=True)
    groups = int(codes.max(initial=-1)) + 1
    codes = codes[bins.order]
    reach = _Reach.of(lat, float(radius_mi))
    counts = np.zeros(lon.size, dtype=np.int64)

    def run(part: slice) -> None:
        kernels.count(
            *(lon[part], lat[part], here[part], reach.chord_m[part], reach.lat_deg),
            *bins.arrays,
            *(codes, groups, counts[part]),
        )

    _in_threads(run, lon.size, workers)
    return counts


@dataclass(frozen=True)
class _Reach:
    """Discs: their chords in metres, shape (n,), and an upper bound of their half-height in degrees."""

    chord_m: np.ndarray
    lat_deg: float

    @classmethod
    def of(cls, lat: np.ndarray, radius_mi: float) -> "_Reach":
        if not 0.0 < radius_mi <= MAX_RADIUS_MI:
            msg = f"The radius is {radius_mi} miles; it must be above 0 and at most {MAX_RADIUS_MI:g}."
            raise GeometryError(msg)
        arc_m = radius_mi * METRES_PER_MILE
        # 0.1 m and the shortest radius of curvature make it an upper bound.
        lat_deg = np.degrees((arc_m + 0.1) / EARTH_SHORTEST_CURVATURE_RADIUS_M)
        if (np.abs(lat) + lat_deg > MAX_REACH_DEG).any():
            msg = f"A circle of {radius_mi:g} miles reaches the pole; leave points so far north or south out."
            raise GeometryError(msg)
        return cls(arc_to_chord_m(arc_m, lat), float(lat_deg))


@dataclass(frozen=True)
class _Bins:
    """Features sorted by row and column of a lon/lat grid.

    `order` are the features' numbers in that order; `arrays` what kernels want: the features'
    ECEF in that order, where each cell's features start (rows, columns + 1), edges of rows as
    (distance from the axis, height) on the ellipsoid, and the grid's west, south, row and column size
    in degrees.
    """

    order: np.ndarray
    arrays: tuple[Any, ...]

    @classmethod
    def of(cls, lon: np.ndarray, lat: np.ndarray) -> "_Bins":
        lon, lat = lonlat_arrays(lon, lat, "feature")
        west, south = (lon.min(), lat.min()) if lon.size else (0.0, 0.0)
        east, north = (lon.max(), lat.max()) if lon.size else (0.0, 0.0)
        rows = int((north - south) / ROW_DEG) + 1
        columns = int((east - west) / COLUMN_DEG) + 1
        row = np.minimum(((lat - south) / ROW_DEG).astype(np.int64), rows - 1)
        column = np.minimum(((lon - west) / COLUMN_DEG).astype(np.int64), columns - 1)
        cell = row * columns + column
        order = np.argsort(cell, kind="stable")
        ends = np.searchsorted(cell[order], np.arange(rows * columns) + 1)
        offsets = np.empty((rows, columns + 1), dtype=np.int64)
        offsets[:, 1:] = ends.reshape(rows, columns)
        offsets[:, 0] = np.append(0, offsets[:-1, -1])
        edge_lat = south + np.arange(rows + 1) * ROW_DEG
        edge = to_ecef(np.zeros(rows + 1), np.clip(edge_lat, -90.0, 90.0))
        grid = np.array([west, south, ROW_DEG, COLUMN_DEG])
        return cls(order, (to_ecef(lon[order], lat[order]), offsets, edge[:, [0, 2]].copy(), grid))


def _running_totals(values: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Sum values up in bin order: shape (m + 1, v)."""
    values = np.asarray(values)
    if not np.issubdtype(values.dtype, np.integer):
        msg = f"Values are {values.dtype}; scale them to integers, so that sums are exact in any order."
        raise GeoError(msg)
    if values.ndim not in {1, 2} or len(values) != len(order):
        msg = f"Values have shape {values.shape}; pass ({len(order)},) or ({len(order)}, v)."
        raise GeoError(msg)
    values = values if values.ndim == 2 else values[:, None]
    if (np.abs(values.astype(np.float64)).sum(axis=0) > 2.0**62).any():
        msg = "The values add up to more than int64 holds; use a coarser unit."
        raise GeoError(msg)
    totals = np.zeros((len(order) + 1, values.shape[1]), dtype=np.int64)
    np.cumsum(values[order].astype(np.int64), axis=0, out=totals[1:])
    return totals


def _in_threads(run: Callable[[slice], None], count: int, workers: int) -> None:
    """Run over blocks of queries; kernels release the GIL.

    Threads of our own rather than numba's: its fallback layer aborts the process when two flows
    call it at once.
    """
    parts = [slice(start, min(start + BLOCK, count)) for start in range(0, count, BLOCK)]
    workers = (os.cpu_count() or 1) if workers < 0 else max(workers, 1)
    if min(workers, len(parts)) <= 1:
        for part in parts:
            run(part)
        return
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(run, parts))


def _kernels() -> ModuleType:
    """Compile the kernels, or load them from numba's cache (NUMBA_CACHE_DIR, else __pycache__)."""
    try:
        return importlib.import_module("geo._disc")
    except Exception as error:
        msg = f"numba cannot run here ({error}); radius sums need it: reinstall numba and llvmlite."
        raise GeoError(msg) from error
