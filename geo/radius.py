"""Sums and distinct counts of features within geodesic radii of points, exact and reproducible."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from geo import _disc, _vertices
from geo._threads import in_threads
from geo.bins import Bins
from geo.errors import GeoError, GeometryError
from geo.geodesy import (
    EARTH_SHORTEST_CURVATURE_RADIUS_M,
    METRES_PER_MILE,
    lonlat_arrays,
)

# Beyond this a disc may reach around a pole, where half-widths mean nothing.
MAX_REACH_DEG = 89.0
MAX_RADIUS_MI = 1_000.0
# More than the columns of a grid around the earth.
COLUMNS = 1 << 20
# Points of which more than this share lie away from the one before are sorted first.
MOST_MOVES = 0.25


@dataclass(frozen=True, eq=False)
class RadiusIndex:
    """Features with integer values, prepared for sums within radii of many points.

    Made by `RadiusIndex.of` once a layer, then asked for each chunk of points.
    """

    _bins: Bins
    _values: np.ndarray
    _totals: np.ndarray

    @classmethod
    def of(cls, lon: np.ndarray, lat: np.ndarray, values: np.ndarray) -> Self:
        """Sort features into bins.

        Parameters
        ----------
        lon, lat
            Features, degrees, WGS84, shape (m,).
        values
            Integers, shape (m,) or (m, v): people, kW; scale before, divide after. Unknown values have no
            place in integers: leave their features out.

        Raises
        ------
        GeoError
            For values that are no integers, of the wrong shape, or too large to be summed in int64.
        GeometryError
            For coordinates that are NaN or no degrees.
        """
        bins = Bins.of(lon, lat)
        values = _checked_values(values, len(bins.order))[bins.order]
        totals = np.zeros((len(values) + 1, values.shape[1]), dtype=np.int64)
        np.cumsum(values, axis=0, out=totals[1:])
        return cls(bins, np.ascontiguousarray(values.T), totals)

    def sums(
        self, lon: np.ndarray, lat: np.ndarray, radii_mi: tuple[float, ...], *, workers: int = -1
    ) -> np.ndarray:
        """Sum the features' values within each radius of each point.

        A feature counts when its ECEF chord from the point is at most that of a geodesic of the radius,
        with the mean radius of curvature at the point: right but for features within 4 cm of a circle of
        100 miles (see `_disc.chords`). Sums are of integers, so that neither the order of points
        nor the number of threads can change a bit. Points that follow one another closely, as in Hilbert
        order, share most of the search.

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
        int64, shape (n, len(radii_mi), v); 0 where no feature is within.

        Raises
        ------
        GeometryError
            For coordinates that are NaN or no degrees, radii that are no positive miles, and points so far
            north or south that a circle reaches the pole.
        """
        discs, order = Discs.of(lon, lat, radii_mi).together()
        sums = np.zeros((len(discs.lon), len(discs.arcs_m), len(self._values)), dtype=np.int64)

        def run(rows: slice) -> None:
            _disc.add(*discs.take(rows), *self._bins.arrays, self._values, self._totals, sums[rows])

        in_threads(run, len(sums), workers)
        return in_order(sums, order)


@dataclass(frozen=True, eq=False)
class GroupIndex:
    """Features of groups (carriers, say), prepared for counts of distinct groups around many points."""

    _bins: Bins
    _codes: np.ndarray
    _groups: int

    @classmethod
    def of(cls, lon: np.ndarray, lat: np.ndarray, group_no: np.ndarray) -> Self:
        """Sort features into bins.

        Parameters
        ----------
        lon, lat
            Features, degrees, WGS84, shape (m,).
        group_no
            Integers ≥ 0, shape (m,): the group of each feature.

        Raises
        ------
        GeoError
            For group numbers that are negative or no integers.
        GeometryError
            For coordinates that are NaN or no degrees.
        """
        bins = Bins.of(lon, lat)
        group_no = np.asarray(group_no)
        if group_no.shape != bins.order.shape or not np.issubdtype(group_no.dtype, np.integer):
            msg = (
                f"Group numbers are {group_no.dtype} {group_no.shape}; pass one integer a feature."
            )
            raise GeoError(msg)
        if (group_no < 0).any():
            msg = "Group numbers must be 0 or more; leave features of no group out."
            raise GeoError(msg)
        _, codes = np.unique(group_no, return_inverse=True)
        return cls(bins, codes[bins.order].astype(np.int64), int(codes.max(initial=-1)) + 1)

    def distinct(
        self, lon: np.ndarray, lat: np.ndarray, radius_mi: float, *, workers: int = -1
    ) -> np.ndarray:
        """Count the distinct groups with a feature within a radius of each point.

        Parameters, bounds and errors are those of `RadiusIndex.sums`.

        Returns
        -------
        int64, shape (n,).
        """
        discs, order = Discs.of(lon, lat, (radius_mi,)).together()
        counts = np.zeros(len(discs.lon), dtype=np.int64)

        def run(rows: slice) -> None:
            _disc.count(
                *discs.take(rows), *self._bins.arrays, self._codes, self._groups, counts[rows]
            )

        in_threads(run, len(counts), workers)
        return in_order(counts, order)


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
    """Sum the features' values within each radius of each point, once: see `RadiusIndex`.

    Parameters
    ----------
    lon, lat, radii_mi, workers
        As in `RadiusIndex.sums`.
    feature_lon, feature_lat, values
        As in `RadiusIndex.of`.

    Returns
    -------
    int64, shape (n, len(radii_mi), v); 0 where no feature is within.
    """
    index = RadiusIndex.of(feature_lon, feature_lat, values)
    return index.sums(lon, lat, radii_mi, workers=workers)


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
    """Count the distinct groups with a feature within a radius of each point, once: see `GroupIndex`.

    Parameters
    ----------
    lon, lat, radius_mi, workers
        As in `GroupIndex.distinct`.
    feature_lon, feature_lat, group_no
        As in `GroupIndex.of`.

    Returns
    -------
    int64, shape (n,).
    """
    index = GroupIndex.of(feature_lon, feature_lat, group_no)
    return index.distinct(lon, lat, radius_mi, workers=workers)


@dataclass(frozen=True)
class Discs:
    """Points in degrees, radii in metres, and upper bounds of the discs' half-heights in degrees."""

    lon: np.ndarray
    lat: np.ndarray
    arcs_m: np.ndarray
    reach_deg: np.ndarray

    @classmethod
    def of(cls, lon: np.ndarray, lat: np.ndarray, radii_mi: tuple[float, ...]) -> Self:
        """Check points in degrees and radii in miles; errors as in `RadiusIndex.sums`."""
        lon, lat = (np.ascontiguousarray(value) for value in lonlat_arrays(lon, lat))
        radii_mi = tuple(float(radius_mi) for radius_mi in radii_mi)
        for radius_mi in radii_mi:
            if not 0.0 < radius_mi <= MAX_RADIUS_MI:
                msg = f"The radius is {radius_mi} miles; it must be above 0 and at most {MAX_RADIUS_MI:g}."
                raise GeometryError(msg)
        arcs_m = np.array(radii_mi) * METRES_PER_MILE
        # 0.1 m and the shortest radius of curvature make it an upper bound.
        reach_deg = np.degrees((arcs_m + 0.1) / EARTH_SHORTEST_CURVATURE_RADIUS_M)
        farthest = max(lat.max(initial=0.0), -lat.min(initial=0.0))
        for radius_mi, reach in zip(radii_mi, reach_deg, strict=True):
            if farthest + reach > MAX_REACH_DEG:
                msg = (
                    f"A circle of {radius_mi:g} miles reaches the pole; leave points so far north or "
                    "south out."
                )
                raise GeometryError(msg)
        return cls(lon, lat, arcs_m, reach_deg)

    def together(self) -> tuple[Self, np.ndarray | None]:
        """Discs in an order that keeps neighbours together, and that order; None where they are so already."""
        row = np.floor(self.lat / _disc.SPAN_DEG).astype(np.int64)
        column = np.floor(self.lon / _disc.SPAN_DEG).astype(np.int64)
        moves = np.count_nonzero((np.abs(np.diff(row)) > 1) | (np.abs(np.diff(column)) > 1))
        if moves <= MOST_MOVES * len(row):
            return self, None
        order = np.argsort(row * COLUMNS + column, kind="stable")
        return replace(self, lon=self.lon[order], lat=self.lat[order]), order

    def take(self, rows: slice) -> tuple[np.ndarray, ...]:
        """Longitudes, latitudes, ECEF, chords (n, radii) of some points, and half-heights (radii,)."""
        lon, lat = self.lon[rows], self.lat[rows]
        here, chord_m = np.empty((len(lon), 3)), np.empty((len(lon), len(self.arcs_m)))
        _vertices.to_ecef(np.column_stack([lon, lat]), here)
        _disc.chords(lat, self.arcs_m, chord_m)
        return lon, lat, here, chord_m, self.reach_deg


def in_order(results: np.ndarray, order: np.ndarray | None) -> np.ndarray:
    """Results of points that were taken in some order, back in their own."""
    if order is None:
        return results
    out = np.empty_like(results)
    out[order] = results
    return out


def _checked_values(values: np.ndarray, count: int) -> np.ndarray:
    """Values as int64, shape (m, v)."""
    values = np.asarray(values)
    if not np.issubdtype(values.dtype, np.integer):
        msg = f"Values are {values.dtype}; scale them to integers, so that sums are exact in any order."
        raise GeoError(msg)
    if values.ndim not in {1, 2} or len(values) != count:
        msg = f"Values have shape {values.shape}; pass ({count},) or ({count}, v)."
        raise GeoError(msg)
    values = values if values.ndim == 2 else values[:, None]
    if (np.abs(values.astype(np.float64)).sum(axis=0) > 2.0**62).any():
        msg = "The values add up to more than int64 holds; use a coarser unit."
        raise GeoError(msg)
    return values.astype(np.int64)
