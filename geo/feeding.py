"""The substation that would feed a parcel: of those within reach, the one that brings the most megawatts."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from geo import _feeding
from geo._threads import in_threads
from geo.bins import Bins
from geo.errors import GeoError
from geo.geodesy import METRES_PER_MILE, lonlat_arrays, to_ecef
from geo.polygons import Polygons

# The feeding substation of a parcel is looked for within the distance practitioners call the end.
REACH_MI = 20.0
# More than a gigawatt at one substation does not make a site better (the training target).
USEFUL_MW = 1000.0
# Longer edges are cut before they are measured as chords: 2 km sag 8 cm under the ground.
EDGE_DEG = 2_000.0 / 111_320.0


@dataclass(frozen=True, eq=False)
class Feeding:
    """Substations with known headroom, ready to be searched; numbers count them as they were given."""

    arrays: tuple[Any, ...]

    @classmethod
    def of(cls, lon: np.ndarray, lat: np.ndarray, headroom_mw: np.ndarray) -> Self:
        """Prepare the search.

        Parameters
        ----------
        lon, lat
            Degrees, WGS84, shape (m,).
        headroom_mw
            Mid headroom, MW, shape (m,); none unknown.

        Raises
        ------
        GeometryError
            For coordinates that are NaN or no degrees.
        GeoError
            For a headroom that is unknown or negative.
        """
        lon, lat = lonlat_arrays(lon, lat, "substation")
        headroom_mw = np.asarray(headroom_mw, dtype=np.float64)
        if headroom_mw.shape != lon.shape or not (headroom_mw >= 0.0).all():
            msg = "A substation's headroom is missing, NaN or negative; leave such substations out."
            raise GeoError(msg)
        bins = Bins.of(lon, lat)
        ecef, offsets, _, grid = bins.arrays
        return cls(
            (
                np.column_stack([lon, lat])[bins.order],
                ecef,
                np.minimum(headroom_mw, USEFUL_MW)[bins.order],
                bins.order,
                offsets,
                grid,
                REACH_MI * METRES_PER_MILE,
            )
        )

    def choose(
        self,
        lon: np.ndarray,
        lat: np.ndarray,
        outline: Polygons | None = None,
        *,
        workers: int = -1,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Choose for each parcel the substation within reach that would bring it the most.

        What it brings is its mid headroom, up to `USEFUL_MW`, worn down linearly to nothing at
        `REACH_MI` (a convention: under 1 mi ideal, over 20 a deal-breaker). Ties go to the nearer,
        then to the lower number.

        Parameters
        ----------
        lon, lat
            Points of the parcels, degrees, shape (n,).
        outline
            Where given, miles are taken from its edge (0 inside), else from the point.
        workers
            Threads; -1 takes all cores.

        Returns
        -------
        tuple
            Substation number (-1 none within reach) and geodesic miles (NaN none), shape (n,).

        Raises
        ------
        GeometryError
            For coordinates that are NaN or no degrees.
        """
        lon, lat = lonlat_arrays(lon, lat)
        here = to_ecef(lon, lat)
        number = np.empty(lon.size, dtype=np.int64)
        metres = np.empty(lon.size)
        edges = _NOTHING if outline is None else outline.cut(EDGE_DEG)
        radius_m = np.full(lon.size, -1.0)
        if outline is not None:
            radius_m = edges.radius_m(here) + 1.0

        def run(rows: slice) -> None:
            first_ring = edges.first_ring[rows.start : rows.stop + 1]
            _feeding.choose(
                *(lon[rows], lat[rows], here[rows], radius_m[rows]),
                *(edges.lonlat, edges.ecef, edges.ring_start, first_ring),
                *self.arrays,
                *(number[rows], metres[rows]),
            )

        in_threads(run, lon.size, workers)
        return number, metres / METRES_PER_MILE


_NOTHING = Polygons(np.empty((0, 2)), *(np.zeros(1, dtype=np.int64) for _ in range(3)))
