"""People within geodesic radii of points, from a population raster."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from geo import _disc_population
from geo._raster import Raster, check_band, raster_crs, read_values
from geo._threads import in_threads
from geo.errors import CrsError, GeoError
from geo.geodesy import is_lonlat, to_ecef
from geo.radius import Discs, in_order

# Cells that are read at once.
STRIP_CELLS = 4_194_304
_EVERYWHERE_DEG = 360.0 + 1e-6


@dataclass(frozen=True, eq=False)
class PopulationGrid:
    """A lon/lat grid of people, as running sums of integers along its rows, from south to north.

    Made by `PopulationGrid.of` once, then asked for each chunk of points. Eight bytes a cell: 1 km cells of
    the 48 states take 140 MB.

    Attributes
    ----------
    scale
        Parts of a person that sums are counted in.
    """

    scale: int
    _running: np.ndarray
    _row_rho_m: np.ndarray
    _row_z_m: np.ndarray
    _grid_deg: np.ndarray

    @classmethod
    def of(
        cls,
        source: Raster | np.ndarray,
        transform: Any | None = None,
        *,
        scale: int = 1_000,
        band: int = 1,
        crs: Any = None,
    ) -> Self:
        """Read a grid once, in strips.

        Sums run along each row before they are rounded, so that the people of any run of cells are right to
        1/`scale`, and no one is lost to rounding in a million thinly peopled cells.

        Parameters
        ----------
        source
            Open raster in lon/lat, or people of each cell, shape (rows, columns). Masked, nodata and NaN
            cells hold nobody.
        transform
            Of an array: columns and rows to degrees, as rasterio gives it.
        scale
            Sums are integers of 1/scale person.
        band, crs
            As in `geo.zonal.zonal`.

        Raises
        ------
        CrsError
            For a raster that is not in lon/lat WGS84.
        GeoError
            For a grid that is rotated, reaches more than once around the earth or beyond a pole, for
            negative or infinite people, and for more than int64 holds.
        """
        if isinstance(source, np.ndarray):
            if transform is None or source.ndim != 2:
                msg = f"An array of people has shape {source.shape}; pass (rows, columns) and its transform."
                raise GeoError(msg)
            shape, at, name = source.shape, transform, "array of people"
        else:
            check_band(source, band)
            stated = raster_crs(source, crs)
            if not is_lonlat(stated):
                msg = f"The raster {source.name} is in {stated.name}; warp it to EPSG:4326 first."
                raise CrsError(msg)
            shape, at, name = source.shape, source.transform, f"raster {source.name}"
        grid = _grid(at, shape, name)
        running = np.zeros((shape[0], shape[1] + 1), dtype=np.int64)
        # Rows go north and columns go east, whichever way the raster goes.
        placed = running[:: -1 if at.e < 0.0 else 1]
        step = max(STRIP_CELLS // shape[1], 1)
        for row in range(0, shape[0], step):
            rows = slice(row, min(row + step, shape[0]))
            if isinstance(source, np.ndarray):
                people = source[rows].astype(np.float64)
            else:
                window = ((rows.start, rows.stop), (0, shape[1]))
                people = read_values(source, band, window)
            people = np.nan_to_num(people[:, :: -1 if at.a < 0.0 else 1], nan=0.0, posinf=np.inf)
            if (people < 0.0).any() or np.isinf(people).any():
                msg = f"The {name} holds {people[(people < 0.0) | np.isinf(people)][0]:g} people in a cell; state its nodata value."
                raise GeoError(msg)
            totals = np.cumsum(people, axis=1) * scale
            if totals[:, -1].max() * shape[0] > 2.0**62:
                msg = f"The {name} holds more people than int64 does at a scale of {scale}; use a smaller one."
                raise GeoError(msg)
            placed[rows, 1:] = np.rint(totals)
        row_lat = grid[1] + np.arange(shape[0]) * grid[3]
        edge = to_ecef(np.zeros(shape[0]), row_lat)
        return cls(scale, running, edge[:, 0].copy(), edge[:, 2].copy(), grid)

    @property
    def total(self) -> float:
        """All people of the grid."""
        return int(self._running[:, -1].sum()) / self.scale

    def within(
        self, lon: np.ndarray, lat: np.ndarray, radii_mi: tuple[float, ...], *, workers: int = -1
    ) -> np.ndarray:
        """Count the people within each radius of each point.

        A cell counts when its centre is within, by the same chord as in `geo.radius.RadiusIndex.sums`: right
        but for centres within 4 cm of a circle of 100 miles. Sums are of integers, the same to the bit in any
        order and with any number of threads.

        Parameters
        ----------
        lon, lat
            Points, degrees, WGS84, shape (n,).
        radii_mi
            Up to 1,000 miles each.
        workers
            Threads; -1 takes all cores.

        Returns
        -------
        People, float64, shape (n, len(radii_mi)); NaN for a point off the grid whose disc holds no cell's
        centre. A disc that the grid's edge cuts counts what is on the grid.

        Raises
        ------
        GeometryError
            As `RadiusIndex.sums`.
        """
        discs, order = Discs.of(lon, lat, radii_mi).together()
        shape = len(discs.lon), len(discs.arcs_m)
        sums, met = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)

        def run(rows: slice) -> None:
            _disc_population.add(
                *discs.take(rows),
                *(self._row_rho_m, self._row_z_m, self._grid_deg, self._running),
                *(sums[rows], met[rows]),
            )

        in_threads(run, shape[0], workers, block=1_024)
        people = sums / self.scale
        people[(met == 0) & ~self._holds(discs.lon, discs.lat)[:, None]] = np.nan
        return in_order(people, order)

    def _holds(self, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        """Whether points lie on the grid, shape (n,)."""
        west, south, column_deg, row_deg = self._grid_deg
        rows, columns = self._running.shape[0], self._running.shape[1] - 1
        east_of = np.mod(lon - (west - column_deg / 2.0), 360.0)
        north_of = lat - (south - row_deg / 2.0)
        return (east_of <= columns * column_deg) & (north_of >= 0.0) & (north_of <= rows * row_deg)


def _grid(at: Any, shape: tuple[int, int], name: str) -> np.ndarray:
    """Longitude and latitude of the southwesternmost cell's centre, and the cells' sizes, in degrees."""
    rows, columns = shape
    if at.b != 0.0 or at.d != 0.0 or at.a == 0.0 or at.e == 0.0 or not rows or not columns:
        msg = f"The {name} is rotated or has no cells; warp it so that rows run along parallels."
        raise GeoError(msg)
    column_deg, row_deg = abs(at.a), abs(at.e)
    west = at.c + min(columns * at.a, 0.0)
    south = at.f + min(rows * at.e, 0.0)
    if (
        columns * column_deg > _EVERYWHERE_DEG
        or south < -90.0 - 1e-6
        or south + rows * row_deg > 90.0 + 1e-6
    ):
        msg = f"The {name} reaches beyond the earth; its transform is {tuple(at[:6])} degrees."
        raise GeoError(msg)
    return np.array([west + column_deg / 2.0, south + row_deg / 2.0, column_deg, row_deg])
