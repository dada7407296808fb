"""Values of a grid of square cells at sample points of parcels."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from geo.errors import GeometryError
from geo.features import FeatureIndex
from geo.geodesy import KM_PER_MILE, lonlat_arrays
from geo.nearest import nearest


@dataclass(frozen=True, eq=False)
class ShareGrid:
    """Cells with a share each, ready to be asked at many points.

    The grid lists cells that have something (developable land) and leaves out those that have
    nothing, so that a point in no cell counts as 0 where the grid covers the land and is unknown
    elsewhere. A cell is taken as the circle around its square, so it reaches 41 % of its half-side
    over the middle of its edge. Where grids of several resolutions overlap (4 km cells and the 14 km
    mesh) the finest cell that holds the point counts.

    Attributes
    ----------
    levels
        For each resolution, finest first: its reach in miles, its cells and their shares.
    """

    levels: tuple[tuple[float, FeatureIndex, np.ndarray], ...]

    @classmethod
    def of(
        cls,
        grid_lon: np.ndarray,
        grid_lat: np.ndarray,
        share: np.ndarray,
        half_diagonal_km: np.ndarray | float,
    ) -> Self:
        """Prepare the cells.

        Parameters
        ----------
        grid_lon, grid_lat
            Centres of cells, degrees, WGS84, shape (m,).
        share
            0 to 1, shape (m,); NaN where unknown.
        half_diagonal_km
            Half the diagonal of each cell, shape (m,) or one for all; a few distinct values, one a
            resolution, since each is searched by itself.

        Raises
        ------
        GeometryError
            For coordinates that are NaN or no degrees, arrays that do not match, and half diagonals
            that are not positive.
        """
        grid_lon, grid_lat = lonlat_arrays(grid_lon, grid_lat, "cell")
        share = np.asarray(share, dtype=np.float64)
        if share.shape != grid_lon.shape:
            msg = f"{grid_lon.size} cells have {share.size} shares; pass one a cell."
            raise GeometryError(msg)
        half_km = np.broadcast_to(np.asarray(half_diagonal_km, dtype=np.float64), share.shape)
        if not (half_km > 0.0).all():
            msg = "Half diagonals of cells must be above 0 km."
            raise GeometryError(msg)
        levels = []
        for reach_km in np.unique(half_km):
            cells = np.flatnonzero(half_km == reach_km)
            index = FeatureIndex.from_points(grid_lon[cells], grid_lat[cells])
            levels.append((float(reach_km / KM_PER_MILE), index, share[cells]))
        return cls(tuple(levels))

    def mean(self, lon: np.ndarray, lat: np.ndarray, covered: np.ndarray) -> np.ndarray:
        """Mean share over the sample points of each parcel.

        Parameters
        ----------
        lon, lat
            Sample points, degrees, WGS84, shape (n, k), or (n,) for one each.
        covered
            Whether a sample point lies where the grid covers the land; broadcasts to the shape of `lon`.

        Returns
        -------
        Shape (n,): the mean over sample points whose share is known; NaN where none is.

        Raises
        ------
        GeometryError
            For coordinates that are NaN or no degrees.
        """
        lon, lat = lonlat_arrays(lon, lat, "sample point")
        value = np.where(np.broadcast_to(covered, lon.shape), 0.0, np.nan).ravel()
        left = np.arange(value.size)
        for reach_mi, index, share in self.levels:
            cell, _ = nearest(index, lon.ravel()[left], lat.ravel()[left], max_mi=reach_mi)
            held = cell >= 0
            value[left[held]] = share[cell[held]]
            left = left[~held]
        value = value.reshape(lon.shape if lon.ndim == 2 else (lon.size, 1))
        known = np.isfinite(value)
        count = known.sum(axis=1)
        total = np.where(known, value, 0.0).sum(axis=1)
        return np.divide(total, count, out=np.full(len(value), np.nan), where=count > 0)


def cell_share(
    lon: np.ndarray,
    lat: np.ndarray,
    grid_lon: np.ndarray,
    grid_lat: np.ndarray,
    share: np.ndarray,
    half_diagonal_km: np.ndarray | float,
    covered: np.ndarray,
) -> np.ndarray:
    """Prepare a `ShareGrid` and ask it once; parameters, result and errors are those of its methods."""
    grid = ShareGrid.of(grid_lon, grid_lat, share, half_diagonal_km)
    return grid.mean(lon, lat, covered)
