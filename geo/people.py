"""People at points: what metrics of people count, whatever source they come from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import shapely

from geo._raster import Lattice
from geo.disc_population import PopulationGrid
from geo.features import FeatureIndex
from geo.geodesy import lonlat_arrays
from geo.nearest import nearest
from geo.people_units import MILLI, to_milli
from geo.radius import RadiusIndex


@dataclass(frozen=True, eq=False)
class PeopleSource:
    """People at points, ready for sums within radii.

    Made by `of_points` from a layer (tracts, places, load), or by `geo.people_raster.read_people`.

    Attributes
    ----------
    lon, lat
        Degrees, WGS84, shape (n,): points of the layer, or centres of the raster's populated cells.
    milli
        Thousandths of a person, int64, shape (n,).
    lattice
        Lon/lat grid that all points are cells of; None for points that are anywhere.
    cell_no
        Flat number of each point's cell in the lattice, int64, shape (n,); empty without one.
    uncovered
        Polygons in lon/lat where the source tells nothing, shape (m,): sums that reach them are unknown.
    """

    lon: np.ndarray
    lat: np.ndarray
    milli: np.ndarray
    lattice: Lattice | None
    cell_no: np.ndarray
    uncovered: np.ndarray
    _search: RadiusIndex | PopulationGrid
    _beyond: FeatureIndex | None

    @classmethod
    def of_points(cls, lon: np.ndarray, lat: np.ndarray, people: np.ndarray) -> Self:
        """Take people of points, each rounded to a thousandth.

        Parameters
        ----------
        lon, lat
            Degrees, WGS84, shape (n,).
        people
            Shape (n,), finite and not negative.

        Raises
        ------
        GeoError
            For people that are negative, NaN or infinite.
        GeometryError
            For coordinates that are no degrees.
        """
        return cls.of_milli(lon, lat, to_milli(people))

    @classmethod
    def of_milli(
        cls,
        lon: np.ndarray,
        lat: np.ndarray,
        milli: np.ndarray,
        *,
        lattice: Lattice | None = None,
        cell_no: np.ndarray | None = None,
        uncovered: np.ndarray | None = None,
    ) -> Self:
        """Take thousandths of people, whose points may be cells of a lon/lat grid.

        Cells of a grid are summed along its rows (`PopulationGrid`), ten times as quick for millions of
        cells as points anywhere (`RadiusIndex`); the sums are the same.
        """
        lon, lat = lonlat_arrays(lon, lat)
        none = np.empty(0, dtype=np.int64)
        shapes = np.empty(0, dtype=object) if uncovered is None else uncovered
        if lattice is None or cell_no is None:
            search: RadiusIndex | PopulationGrid = RadiusIndex.of(lon, lat, milli)
            lattice, cell_no = None, none
        else:
            cells = np.zeros(lattice.shape, dtype=np.int64)
            cells.ravel()[cell_no] = milli
            search = PopulationGrid.of(cells, lattice.transform, scale=1)
        beyond = FeatureIndex.from_polygons(shapes) if len(shapes) else None
        return cls(lon, lat, milli, lattice, cell_no, shapes, search, beyond)

    @property
    def people(self) -> float:
        """All people."""
        return int(self.milli.sum()) / MILLI

    def within(
        self, lon: np.ndarray, lat: np.ndarray, radii_mi: tuple[float, ...], *, workers: int = -1
    ) -> tuple[np.ndarray, np.ndarray]:
        """Count the people within plain miles of points.

        A point of the source counts when it is within, as in `RadiusIndex.sums`.

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
        tuple
            Thousandths of a person, int64, and whether they are known, bool: both (n, len(radii_mi)). What
            reaches where the source tells nothing is unknown, since it could only be too low.

        Raises
        ------
        GeometryError
            As `RadiusIndex.sums`.
        """
        if isinstance(self._search, PopulationGrid):
            # Beside the grid is nobody of it, and what is unknown there is told below.
            found = self._search.within(lon, lat, radii_mi, workers=workers)
            milli = np.nan_to_num(found, nan=0.0).astype(np.int64)
        else:
            milli = self._search.sums(lon, lat, radii_mi, workers=workers)[:, :, 0]
        return milli, self.is_told(lon, lat, radii_mi, workers=workers)

    def is_told(
        self, lon: np.ndarray, lat: np.ndarray, radii_mi: tuple[float, ...], *, workers: int = -1
    ) -> np.ndarray:
        """Whether circles around points keep clear of where the source tells nothing.

        Parameters
        ----------
        lon, lat
            Points, degrees, WGS84, shape (n,).
        radii_mi
            Miles, of any length.
        workers
            Threads; -1 takes all cores.

        Returns
        -------
        bool, shape (n, len(radii_mi)).

        Raises
        ------
        GeometryError
            For coordinates that are NaN or no degrees.
        """
        if self._beyond is None:
            return np.ones((len(lon), len(radii_mi)), dtype=bool)
        number, mi = nearest(self._beyond, lon, lat, max_mi=max(radii_mi), workers=workers)
        mi = np.where(number >= 0, mi, np.inf)
        return mi[:, None] > np.array(radii_mi)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Plain arrays that `from_arrays` makes the same source of."""
        lattice = () if self.lattice is None else (*self.lattice.shape, *self.lattice.transform[:6])
        area = shapely.to_wkb(shapely.multipolygons(shapely.get_parts(self.uncovered)))
        return {
            "lon": self.lon,
            "lat": self.lat,
            "milli": self.milli,
            "lattice": np.array(lattice, dtype=np.float64),
            "cell_no": self.cell_no,
            "uncovered": np.frombuffer(area, dtype=np.uint8),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """Make the source that `to_arrays` took apart."""
        told = arrays["lattice"]
        lattice = None if not len(told) else Lattice.of(told[2:], (int(told[0]), int(told[1])))
        uncovered = shapely.get_parts(shapely.from_wkb(arrays["uncovered"].tobytes()))
        return cls.of_milli(
            arrays["lon"],
            arrays["lat"],
            arrays["milli"],
            lattice=lattice,
            cell_no=arrays["cell_no"],
            uncovered=uncovered,
        )
