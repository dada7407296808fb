"""True areas of raster cells on the ellipsoid, whatever their CRS does to areas."""

import numpy as np
import pyproj

from geo._raster import LONLAT, Lattice
from geo.geodesy import EARTH_ECCENTRICITY_SQUARED, EARTH_EQUATOR_RADIUS_M, is_lonlat

SQUARE_METRES_PER_KM2 = 1e6


def cell_areas_km2(lattice: Lattice, crs: pyproj.CRS) -> np.ndarray:
    """Areas of all cells of a lattice.

    Corners are mapped to the plane of the cylindrical equal-area projection of the ellipsoid (Snyder, Map
    Projections, 1987, eq. 3-12 and 10-13), where the shoelace formula gives the area between them. For
    cells between parallels and meridians that is exact; for others edges are taken as straight there,
    which for cells of 1 km is right to one in a million.

    Parameters
    ----------
    lattice
        Cells in the plane of the CRS.
    crs
        Any.

    Returns
    -------
    km2, shape (rows, columns) of the lattice, or (rows, 1) where all cells of a row are equal.
    """
    rows, columns = lattice.shape
    row, column = np.arange(rows + 1.0), np.arange(columns + 1.0)
    if is_lonlat(crs) and lattice.transform.b == 0.0 and lattice.transform.d == 0.0:
        _, lat = lattice.places(np.zeros(rows + 1), row)
        _, y = _equal_area(np.zeros(rows + 1), lat)
        width = EARTH_EQUATOR_RADIUS_M * np.radians(abs(lattice.transform.a))
        return (np.abs(np.diff(y)) * width / SQUARE_METRES_PER_KM2)[:, None]
    corner_column, corner_row = np.meshgrid(column, row)
    to_lonlat = pyproj.Transformer.from_crs(crs, LONLAT, always_xy=True)
    x, y = _equal_area(*to_lonlat.transform(*lattice.places(corner_column, corner_row)))
    # Twice the area is the cross product of the diagonals.
    down_x, down_y = x[1:, 1:] - x[:-1, :-1], y[1:, 1:] - y[:-1, :-1]
    up_x, up_y = x[:-1, 1:] - x[1:, :-1], y[:-1, 1:] - y[1:, :-1]
    areas = 0.5 * np.abs(down_x * up_y - down_y * up_x) / SQUARE_METRES_PER_KM2
    # Cells that lie beside the earth, as at the corners of a Mollweide map, have no area.
    return np.nan_to_num(areas, nan=0.0, posinf=0.0)


def _equal_area(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Metres in the cylindrical equal-area projection, with standard parallel at the equator."""
    eccentricity = np.sqrt(EARTH_ECCENTRICITY_SQUARED)
    sin_lat = np.sin(np.radians(lat))
    with np.errstate(invalid="ignore"):
        q = (1.0 - EARTH_ECCENTRICITY_SQUARED) * (
            sin_lat / (1.0 - EARTH_ECCENTRICITY_SQUARED * sin_lat**2)
            + np.arctanh(eccentricity * sin_lat) / eccentricity
        )
        x = EARTH_EQUATOR_RADIUS_M * np.radians(lon)
    return x, EARTH_EQUATOR_RADIUS_M * q / 2.0
