"""Which nodes places can be linked to: the nearest connected ones, by geodesic miles."""

from typing import NamedTuple

import numpy as np

from geo.features import FeatureIndex
from geo.fiber.rules import LatencyRules
from geo.geodesy import KM_PER_MILE
from geo.nearest import k_nearest

# The nearest node is not always the best way in: its carriers may go round. More than four change
# little and cost each place a search.
ACCESS_NODES = 4


class Access(NamedTuple):
    """Nodes that places are linked to, nearest first.

    Attributes
    ----------
    node_no
        Numbers of nodes, shape (n, K); -1 where there are fewer.
    mi
        Geodesic miles to them, shape (n, K); NaN where there are fewer.
    """

    node_no: np.ndarray
    mi: np.ndarray

    @property
    def is_any(self) -> np.ndarray:
        """Whether a place is linked to any node, shape (n,)."""
        return self.node_no[:, 0] >= 0

    def take(self, rows: slice | np.ndarray) -> "Access":
        """Access of some of the places."""
        return Access(self.node_no[rows], self.mi[rows])

    def lateral_ms(self, rules: LatencyRules) -> np.ndarray:
        """Low, mid and high round trip to each node, shape (n, K, 3); inf where there is none."""
        ms = rules.straight_ms(self.mi * KM_PER_MILE)
        return np.where(self.node_no[:, :, None] < 0, np.inf, ms)


class NodeSearch(NamedTuple):
    """Connected nodes, ready to be searched.

    Attributes
    ----------
    node_no
        Numbers of the nodes among all, ascending.
    index
        Their places.
    """

    node_no: np.ndarray
    index: FeatureIndex

    @classmethod
    def of(cls, lon: np.ndarray, lat: np.ndarray, is_connected: np.ndarray) -> "NodeSearch":
        """Prepare nodes at longitudes and latitudes, degrees, shape (P,), of which some are connected."""
        node_no = np.flatnonzero(is_connected)
        return cls(node_no, FeatureIndex.from_points(lon[node_no], lat[node_no]))

    def access(
        self,
        lon: np.ndarray,
        lat: np.ndarray,
        reach_mi: float,
        *,
        count: int = ACCESS_NODES,
        workers: int = -1,
    ) -> Access:
        """Find the nearest connected nodes within reach of places.

        Parameters
        ----------
        lon, lat
            Degrees, WGS84, shape (n,).
        reach_mi
            Geodesic miles.
        count
            How many nodes at most, K.
        workers
            Threads; -1 takes all cores.

        Raises
        ------
        GeometryError
            For coordinates that are NaN or no degrees.
        """
        found, mi = k_nearest(self.index, lon, lat, count, max_mi=reach_mi, workers=workers)
        if not len(self.node_no):
            return Access(found, mi)
        return Access(np.where(found < 0, -1, self.node_no[found]), mi)
