"""People of points, put into the cells of a lon/lat grid: no one is lost, no one is spread."""

from dataclasses import dataclass

import numpy as np

from geo._raster import Lattice
from geo.errors import GeoError
from geo.geodesy import lonlat_arrays

CELL_ARCSEC = 30
ARCSEC_PER_DEGREE = 3_600


@dataclass(frozen=True, eq=False)
class PeopleGrid:
    """Thousandths of people by cell.

    Attributes
    ----------
    milli
        int64, shape (rows, columns), from north to south and from west to east.
    lattice
        Where the cells lie, in degrees.
    """

    milli: np.ndarray
    lattice: Lattice


@dataclass(frozen=True, eq=False)
class PeopleCells:
    """The cells with somebody of the grid around the whole earth, in the order of their rows.

    Attributes
    ----------
    row_no, column_no
        Counted from the North Pole and from 180 degrees west, int64, shape (n,).
    milli
        Thousandths of a person, int64, shape (n,).
    """

    row_no: np.ndarray
    column_no: np.ndarray
    milli: np.ndarray


def people_cells(
    lon: np.ndarray, lat: np.ndarray, milli: np.ndarray, *, cell_arcsec: int = CELL_ARCSEC
) -> PeopleCells:
    """Sum people by cell of the grid around the earth; a point on a border belongs south and east of it.

    Parameters
    ----------
    lon, lat
        Degrees, WGS84, shape (n,).
    milli
        Thousandths of a person, integers, shape (n,).
    cell_arcsec
        Side of a cell; divides the 648,000 arc seconds from pole to pole.

    Raises
    ------
    GeoError
        For people that are no integers or below 0, and sides that do not divide the earth.
    GeometryError
        For coordinates that are no degrees.
    """
    rows, columns = _whole(cell_arcsec)
    lon, lat = lonlat_arrays(lon, lat)
    milli = np.asarray(milli)
    if not np.issubdtype(milli.dtype, np.integer) or (milli < 0).any():
        msg = "People are no integers of 0 or more; scale them to thousandths before."
        raise GeoError(msg)
    per_degree = ARCSEC_PER_DEGREE / cell_arcsec
    row = np.clip(np.floor((90.0 - lat) * per_degree), 0, rows - 1).astype(np.int64)
    column = np.clip(np.floor((lon + 180.0) * per_degree), 0, columns - 1).astype(np.int64)
    cell_no, point = np.unique(row * columns + column, return_inverse=True)
    sums = np.zeros(len(cell_no), dtype=np.int64)
    np.add.at(sums, point, milli.astype(np.int64))
    somebody = sums > 0
    row, column = np.divmod(cell_no[somebody], columns)
    return PeopleCells(row, column, sums[somebody])


def grid_of(cells: PeopleCells, *, cell_arcsec: int = CELL_ARCSEC) -> PeopleGrid:
    """Lay out the smallest grid that holds all cells.

    Raises
    ------
    GeoError
        There is no cell with somebody.
    """
    if not len(cells.milli):
        msg = "There are no people to make a grid of."
        raise GeoError(msg)
    _whole(cell_arcsec)
    row, column = int(cells.row_no.min()), int(cells.column_no.min())
    shape = int(cells.row_no.max()) - row + 1, int(cells.column_no.max()) - column + 1
    milli = np.zeros(shape, dtype=np.int64)
    milli[cells.row_no - row, cells.column_no - column] = cells.milli
    cell_deg = cell_arcsec / ARCSEC_PER_DEGREE
    west, north = -180.0 + column * cell_deg, 90.0 - row * cell_deg
    return PeopleGrid(milli, Lattice.of((cell_deg, 0.0, west, 0.0, -cell_deg, north), shape))


def rasterize_people(
    lon: np.ndarray,
    lat: np.ndarray,
    milli: np.ndarray,
    *,
    cell_arcsec: int = CELL_ARCSEC,
    bounds: tuple[float, float, float, float] | None = None,
) -> PeopleGrid:
    """Put people of points into the cells that they stand in; the grid sums to the points, to the unit.

    Parameters
    ----------
    lon, lat, milli, cell_arcsec
        As in `people_cells`.
    bounds
        West, south, east, north that all points must lie in, degrees; the grid is that of their cells,
        whatever they are.

    Raises
    ------
    GeoError
        As `people_cells` and `grid_of`, and for people outside of the bounds, who would be lost.
    """
    cells = people_cells(lon, lat, milli, cell_arcsec=cell_arcsec)
    if bounds is not None:
        west, south, east, north = bounds
        lon, lat = np.asarray(lon), np.asarray(lat)
        is_out = (lon < west) | (lon > east) | (lat < south) | (lat > north)
        if (np.asarray(milli)[is_out] > 0).any():
            first = int(np.flatnonzero(is_out & (np.asarray(milli) > 0))[0])
            msg = f"People stand at {lon[first]:g}, {lat[first]:g}, outside of the grid's bounds; widen them."
            raise GeoError(msg)
    return grid_of(cells, cell_arcsec=cell_arcsec)


def _whole(cell_arcsec: int) -> tuple[int, int]:
    """Rows and columns of the grid around the earth."""
    half = 180 * ARCSEC_PER_DEGREE
    if cell_arcsec <= 0 or half % cell_arcsec:
        msg = f"Cells of {cell_arcsec} arc seconds do not divide the earth; take a divisor of {half:,}."
        raise GeoError(msg)
    return half // cell_arcsec, 2 * half // cell_arcsec
