"""Projection of very many points at a tenth of PROJ's cost: interpolated between points that PROJ projected.

PROJ projects the nodes of a lattice of degrees, wherever points are; between them Lagrange's formula of
degree five in either direction is exact to a nanometre for the smooth formulas of map projections. The
middle of each lattice cell is projected both ways: where they differ (edges of a projection's domain, of
datum grids, the antimeridian) that cell's points are left to PROJ. A point's result depends on the point
alone, since the lattice lies still.
"""

# numba infers the types.
# ruff: noqa: ANN001, ANN202

import functools
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyproj

from geo._jit import jit

# Nodes a degree.
_PER_DEG = 8.0
# Nodes on either side of a cell.
_BEFORE, _AFTER = 2, 3


@jit
def _extent(lonlat):
    """First and last column and row of lattice cells with points; the first beyond the last without any."""
    west, south, east, north = np.inf, np.inf, -np.inf, -np.inf
    for j in range(len(lonlat)):
        lon, lat = lonlat[j, 0], lonlat[j, 1]
        if abs(lon) <= 360.0 and abs(lat) <= 90.0:
            west, east = min(west, lon), max(east, lon)
            south, north = min(south, lat), max(north, lat)
    if west > east:
        return 0, 0, -1, -1
    return (
        np.int64(np.floor(west * _PER_DEG)),
        np.int64(np.floor(south * _PER_DEG)),
        np.int64(np.floor(east * _PER_DEG)),
        np.int64(np.floor(north * _PER_DEG)),
    )


@jit
def _mark(lonlat, first_column, first_row, used) -> None:
    for j in range(len(lonlat)):
        if not (abs(lonlat[j, 0]) <= 360.0 and abs(lonlat[j, 1]) <= 90.0):
            continue
        column = np.int64(np.floor(lonlat[j, 0] * _PER_DEG)) - first_column
        row = np.int64(np.floor(lonlat[j, 1] * _PER_DEG)) - first_row
        used[row, column] = True


@jit
def _weights(u, out) -> None:
    """Lagrange's weights of the nodes -2..3 at u."""
    a, b, c, d, e, f = u + 2.0, u + 1.0, u, u - 1.0, u - 2.0, u - 3.0
    ab, cd, ef = a * b, c * d, e * f
    out[0] = b * cd * ef / -120.0
    out[1] = a * cd * ef / 24.0
    out[2] = ab * d * ef / -12.0
    out[3] = ab * c * ef / 12.0
    out[4] = ab * cd * f / -24.0
    out[5] = ab * cd * e / 120.0


@jit
def _interpolate(lonlat, first_column, first_row, is_smooth, nodes_x, nodes_y, x, y, missed):
    """Write the points' x and y, and to `missed` the numbers of those left to PROJ; returns how many."""
    across, along = np.empty(6), np.empty(6)
    count = 0
    for j in range(len(lonlat)):
        x[j], y[j] = np.nan, np.nan
        if not (abs(lonlat[j, 0]) <= 360.0 and abs(lonlat[j, 1]) <= 90.0):
            continue
        lon, lat = lonlat[j, 0] * _PER_DEG, lonlat[j, 1] * _PER_DEG
        column = np.int64(np.floor(lon)) - first_column
        row = np.int64(np.floor(lat)) - first_row
        if not is_smooth[row, column]:
            missed[count] = j
            count += 1
            continue
        _weights(lon - np.floor(lon), across)
        _weights(lat - np.floor(lat), along)
        total_x, total_y = 0.0, 0.0
        for k in range(6):
            node_x, node_y = nodes_x[row + k], nodes_y[row + k]
            row_x, row_y = 0.0, 0.0
            for i in range(6):
                row_x += across[i] * node_x[column + i]
                row_y += across[i] * node_y[column + i]
            total_x += along[k] * row_x
            total_y += along[k] * row_y
        x[j], y[j] = total_x, total_y
    return count


@functools.lru_cache(maxsize=16)
def _from_lonlat(crs: pyproj.CRS) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs("OGC:CRS84", crs, always_xy=True)


@dataclass(frozen=True, eq=False)
class Projection:
    """A projection from lon/lat WGS84, ready for points in the lattice cells that it was made for."""

    proj: pyproj.Transformer
    first_column: int
    first_row: int
    is_smooth: np.ndarray
    nodes_x: np.ndarray
    nodes_y: np.ndarray

    @classmethod
    def of(cls, crs: pyproj.CRS, lonlat: np.ndarray, tolerance: float) -> Self:
        """Project the lattice around some points.

        Parameters
        ----------
        crs
            The plane.
        lonlat
            Degrees, shape (v, 2), of the points that will be asked for.
        tolerance
            In the plane's unit: cells whose middle is off by more are left to PROJ.
        """
        proj = _from_lonlat(crs)
        first_column, first_row, last_column, last_row = _extent(lonlat)
        rows, columns = last_row - first_row + 1, last_column - first_column + 1
        is_used = np.zeros((rows, columns), dtype=bool)
        _mark(lonlat, first_column, first_row, is_used)
        is_node = np.zeros((rows + _BEFORE + _AFTER, columns + _BEFORE + _AFTER), dtype=bool)
        for row in range(_BEFORE + _AFTER + 1):
            for column in range(_BEFORE + _AFTER + 1):
                is_node[row : row + rows, column : column + columns] |= is_used
        nodes = np.full((2, *is_node.shape), np.nan)
        row, column = np.nonzero(is_node)
        nodes[:, row, column] = proj.transform(
            (column + first_column - _BEFORE) / _PER_DEG, (row + first_row - _BEFORE) / _PER_DEG
        )
        made = cls(proj, first_column, first_row, is_used.copy(), nodes[0], nodes[1])
        row, column = np.nonzero(is_used)
        middles = np.column_stack([column + first_column + 0.5, row + first_row + 0.5]) / _PER_DEG
        x, y, _ = made._between(middles)
        exact_x, exact_y = proj.transform(*middles.T)
        with np.errstate(invalid="ignore"):
            off = np.maximum(np.abs(x - exact_x), np.abs(y - exact_y))
        made.is_smooth[row, column] = off <= tolerance
        return made

    def __call__(self, lonlat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return x and y of points (v, 2); NaN or infinite where the projection has no place for them."""
        x, y, missed = self._between(lonlat)
        if len(missed):
            x[missed], y[missed] = self.proj.transform(*lonlat[missed].T)
        return x, y

    def _between(self, lonlat: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        x, y = np.empty(len(lonlat)), np.empty(len(lonlat))
        missed = np.empty(len(lonlat), dtype=np.int64)
        count = _interpolate(
            *(
                lonlat,
                self.first_column,
                self.first_row,
                self.is_smooth,
                self.nodes_x,
                self.nodes_y,
            ),
            *(x, y, missed),
        )
        return x, y, missed[:count]
