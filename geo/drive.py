"""Minutes by road from several places to one, over a network of timed stretches."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from geo.errors import GeoError
from geo.features import FeatureIndex
from geo.geodesy import GEOD, KM_PER_MILE, METRES_PER_MILE, geodesic_km
from geo.nearest import nearest

Box = tuple[float, float, float, float]
SECONDS_PER_MINUTE = 60.0
# Of the sphere with the area of the WGS84 ellipsoid: 6,371.0072 km.
EARTH_AUTHALIC_RADIUS_MI = 6_371_007.2 / METRES_PER_MILE
# To and from the network it goes straight at the usual limit of local roads: a short way of a long one.
ACCESS_MPH = 25.0
# Who stands farther from every main road is not told minutes: nobody knows the way there.
ACCESS_REACH_MI = 10.0
# Roads swing out of the straight line: a fifth of the longest trip, and never less than this.
MARGIN_SHARE = 0.2
MARGIN_MI = 10.0
# Degrees that boxes end on, so that a slightly other shortlist finds the roads of the last one.
GRID_PER_DEGREE = 10
# A stretch of no length would count as none at all.
LEAST_SECONDS = 1e-6


@dataclass(frozen=True, eq=False)
class DriveTimes:
    """What a trip takes, for each place that it starts from; NaN where there is none.

    Attributes
    ----------
    minutes
        At the speed limit, with the ways to and from the network.
    road_mi
        Miles on the network; 0 where the place is as near as the network.
    access_mi
        Straight miles to the network from the start; NaN beyond reach.
    exit_mi
        Straight miles from the network to the place; NaN beyond reach.
    """

    minutes: np.ndarray
    road_mi: np.ndarray
    access_mi: np.ndarray
    exit_mi: float


@dataclass(frozen=True, eq=False)
class RoadNetwork:
    """Roads between whose points one can drive both ways round, ready to be searched.

    Attributes
    ----------
    seconds, metres
        The fastest of the parallel stretches between two points: `start`, `end` -> value, (n, n).
    access
        Points where one can get on and off.
    access_row
        Their rows.
    """

    seconds: csr_array
    metres: csr_array
    access: FeatureIndex
    access_row: np.ndarray

    @classmethod
    def of(
        cls,
        lon: np.ndarray,
        lat: np.ndarray,
        is_access: np.ndarray,
        start: np.ndarray,
        end: np.ndarray,
        seconds: np.ndarray,
        metres: np.ndarray,
    ) -> "RoadNetwork":
        """Prepare a network.

        Parameters
        ----------
        lon, lat
            Points, degrees, WGS84, shape (n,).
        is_access
            Whether one can get on and off there.
        start, end
            Rows of the points that each stretch leads from and to, shape (m,).
        seconds, metres
            Of each stretch, 0 or more.

        Raises
        ------
        GeoError
            When one can get on nowhere, or a stretch takes less than no time.
        """
        if not (seconds >= 0.0).all():
            msg = "a stretch of road takes less than no time, or nobody knows how much"
            raise GeoError(msg)
        first = np.lexsort((metres, seconds, end, start))
        start, end, seconds, metres = (values[first] for values in (start, end, seconds, metres))
        is_first = np.ones(len(start), dtype=bool)
        is_first[1:] = (np.diff(start) != 0) | (np.diff(end) != 0)
        place = (start[is_first], end[is_first])
        shape = (len(lon), len(lon))
        times = csr_array((np.maximum(seconds[is_first], LEAST_SECONDS), place), shape=shape)
        lengths = csr_array((metres[is_first], place), shape=shape)
        # Who gets on in a dead end of the network, an island or a piece cut off by its edge, arrives nowhere.
        part = connected_components(times, connection="strong")[1]
        row = np.flatnonzero(is_access)
        if not len(row):
            msg = "there is no point where one can get on the roads"
            raise GeoError(msg)
        row = row[part[row] == np.bincount(part[row]).argmax()]
        return cls(times, lengths, FeatureIndex.from_points(lon[row], lat[row]), row)

    def times_to(
        self, lon: float, lat: float, from_lon: np.ndarray, from_lat: np.ndarray
    ) -> DriveTimes:
        """Find the fastest ways to a place.

        One gets on at the nearest point of the network, and off at the one nearest to the place, each
        within `ACCESS_REACH_MI`. A place that is no farther than these two ways is gone to straight.

        Parameters
        ----------
        lon, lat
            Where the trips end, degrees.
        from_lon, from_lat
            Where they begin, shape (n,).
        """
        there = np.array([lon]), np.array([lat])
        (place,), (exit_mi,) = nearest(self.access, *there, max_mi=ACCESS_REACH_MI)
        at, access_mi = nearest(self.access, from_lon, from_lat, max_mi=ACCESS_REACH_MI)
        minutes, road_mi = np.full((2, len(at)), np.nan)
        found = np.flatnonzero((at >= 0) & (place >= 0))
        if len(found):
            goal = int(self.access_row[place])
            # Backwards from the goal: one search for all starts.
            backwards = csr_array(self.seconds.T)
            seconds, after = dijkstra(backwards, indices=goal, return_predecessors=True)
            row = self.access_row[at[found]]
            local_mi = access_mi[found] + exit_mi
            minutes[found] = seconds[row] / SECONDS_PER_MINUTE + _local_minutes(local_mi)
            road_mi[found] = [self._miles(int(start), goal, after) for start in row]
            direct_mi = geodesic_km(from_lon[found], from_lat[found], lon, lat) / KM_PER_MILE
            is_direct = direct_mi <= local_mi
            minutes[found[is_direct]] = _local_minutes(direct_mi[is_direct])
            road_mi[found[is_direct]] = 0.0
        return DriveTimes(minutes, road_mi, access_mi, float(exit_mi))

    def _miles(self, row: int, goal: int, after: np.ndarray) -> float:
        metres = 0.0
        while row != goal:
            metres += self.metres[row, after[row]]
            row = int(after[row])
        return metres / METRES_PER_MILE


def corridor(lon: float, lat: float, from_lon: np.ndarray, from_lat: np.ndarray) -> Box:
    """Draw the box that holds several places, one that is gone to from each, and the roads between.

    Returns
    -------
    tuple
        West, south, east and north in degrees, on whole tenths.
    """
    longest_mi = float(geodesic_km(from_lon, from_lat, lon, lat).max()) / KM_PER_MILE
    margin_m = max(MARGIN_MI, MARGIN_SHARE * longest_mi) * METRES_PER_MILE
    lons, lats = np.append(from_lon, lon), np.append(from_lat, lat)
    corners = lons.min(), lats.min(), lons.max(), lats.max()
    south = GEOD.fwd(lon, corners[1], 180, margin_m)[1]
    north = GEOD.fwd(lon, corners[3], 0, margin_m)[1]
    # The margin takes most degrees where meridians are closest.
    widest = north if abs(north) > abs(south) else south
    degrees = abs(GEOD.fwd(0.0, widest, 90, margin_m)[0])
    return (
        math.floor((corners[0] - degrees) * GRID_PER_DEGREE) / GRID_PER_DEGREE,
        math.floor(south * GRID_PER_DEGREE) / GRID_PER_DEGREE,
        math.ceil((corners[2] + degrees) * GRID_PER_DEGREE) / GRID_PER_DEGREE,
        math.ceil(north * GRID_PER_DEGREE) / GRID_PER_DEGREE,
    )


def box_mi2(box: Box) -> float:
    """Area of a box in square miles, its upper and lower edge along parallels of a sphere of equal area.

    The zone between two parallels of a sphere has the area 2 pi R^2 (sin north - sin south).
    """
    west, south, east, north = box
    height = math.sin(math.radians(north)) - math.sin(math.radians(south))
    return EARTH_AUTHALIC_RADIUS_MI**2 * math.radians(east - west) * height


def _local_minutes(miles: np.ndarray) -> np.ndarray:
    return miles / ACCESS_MPH * SECONDS_PER_MINUTE
