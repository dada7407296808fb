"""The substations that would feed a parcel: of those within reach, whose tie lines cost least a megawatt."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from geo import _feeding
from geo._threads import in_threads
from geo.bins import Bins
from geo.errors import GeoError
from geo.geodesy import METRES_PER_MILE, lonlat_arrays, to_ecef
from geo.polygons import Polygons
from geo.tie_line import MIDDLE_FACTOR, MIDDLE_MI, SHORT_FACTOR, SHORT_MI, TieLineCosts

# The feeding substation of a parcel is looked for within the distance practitioners call the end.
REACH_MI = 20.0
# Longer edges are cut before they are measured as chords: 2 km sag 8 cm under the ground.
EDGE_DEG = 2_000.0 / 111_320.0


@dataclass(frozen=True, eq=False)
class Feeding:
    """Substations with known headroom, ready to be searched; numbers count them as they were given."""

    arrays: tuple[Any, ...]

    @classmethod
    def of(
        cls,
        lon: np.ndarray,
        lat: np.ndarray,
        kv: np.ndarray,
        headroom_mw: np.ndarray,
        costs: TieLineCosts,
    ) -> Self:
        """Prepare the search.

        Parameters
        ----------
        lon, lat
            Degrees, WGS84, shape (m,).
        kv
            Voltage at which a parcel would connect, shape (m,); none unknown.
        headroom_mw
            Mid headroom, MW, shape (m,); none unknown.
        costs
            Of tie lines.

        Raises
        ------
        GeometryError
            For coordinates that are NaN or no degrees.
        GeoError
            For a voltage that is unknown or not above 0, and a headroom that is unknown or negative.
        """
        lon, lat = lonlat_arrays(lon, lat, "substation")
        headroom_mw = np.asarray(headroom_mw, dtype=np.float64)
        if headroom_mw.shape != lon.shape or not (headroom_mw >= 0.0).all():
            msg = "A substation's headroom is missing, NaN or negative; leave such substations out."
            raise GeoError(msg)
        per_mi, fixed = costs.rate(kv, headroom_mw)
        bins = Bins.of(lon, lat)
        ecef, offsets, _, grid = bins.arrays
        return cls(
            (
                np.column_stack([lon, lat])[bins.order],
                ecef,
                per_mi[bins.order],
                fixed[bins.order],
                bins.order,
                offsets,
                grid,
                REACH_MI * METRES_PER_MILE,
                *(SHORT_MI, SHORT_FACTOR, MIDDLE_MI, MIDDLE_FACTOR),
            )
        )

    def choose(
        self,
        lon: np.ndarray,
        lat: np.ndarray,
        outline: Polygons | None = None,
        *,
        most: int = 1,
        workers: int = -1,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Choose for each parcel the substations within `REACH_MI` that bring a megawatt at the least cost.

        Cost is that of the tie line and the substation at its end (`TieLineCosts.rate`). Ties go to the
        nearer, then to the lower number; so those without a megawatt come last, the nearest first.

        Parameters
        ----------
        lon, lat
            Points of the parcels, degrees, shape (n,).
        outline
            Where given, miles are taken from its edge (0 inside), else from the point.
        most
            How many, at least 1.
        workers
            Threads; -1 takes all cores.

        Returns
        -------
        tuple
            Substation numbers (-1 no more within reach) and geodesic miles (NaN none), the best first,
            shape (n, most).

        Raises
        ------
        GeometryError
            For coordinates that are NaN or no degrees.
        """
        lon, lat = lonlat_arrays(lon, lat)
        here = to_ecef(lon, lat)
        number = np.full((lon.size, most), -1)
        metres = np.full((lon.size, most), np.inf)
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
        return number, np.where(number < 0, np.nan, metres / METRES_PER_MILE)


_NOTHING = Polygons(np.empty((0, 2)), *(np.zeros(1, dtype=np.int64) for _ in range(3)))
