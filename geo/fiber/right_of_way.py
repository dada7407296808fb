"""Links of carriers laid along rights of way: the shortest way from node to node, if it is a plausible one."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo.errors import GeoError
from geo.fiber.corridor_network import RightOfWay
from geo.fiber.rules import LatencyRules
from geo.geodesy import geodesic_km, lonlat_arrays

__all__ = ["LaidRoutes", "RightOfWay", "lay"]

# What is mostly spur does not lie on a right of way.
MOST_SPUR_SHARE = 0.5
# In the choice of a way, which is to follow rights of way rather than to cut across country.
SPUR_WEIGHT = 2.0
_ROUNDING = 1e-9
# Edges of no length would vanish from sparse matrices.
_LEAST_KM = 1e-9


@dataclass(frozen=True, eq=False)
class LaidRoutes:
    """Where pairs of nodes are joined along rights of way.

    Attributes
    ----------
    pair
        Node numbers, as they were given, shape (n, 2).
    route_km
        Geodesic length from node to node with the spurs at both ends, shape (n,); NaN where there is no
        plausible way. Never less than the great circle.
    spur_km
        Length of the spurs at the first and the second node, shape (n, 2); NaN as `route_km`.
    from_vertex, to_vertex
        Vertices of `network` at which the spurs of the first and the second node begin, shape (n,); -1 where
        nothing is laid.
    offsets, segment_no
        Edges of `network` that each route uses, from the first node to the second: those of route i are
        segment_no[offsets[i] : offsets[i + 1]]. Spurs are none: where fiber enters a place is not known.
    is_ahead
        Whether a route passes each of them from its first vertex to its last, shape as `segment_no`.
    network
        The rights of way, cut where spurs begin; its edges are the segments.
    """

    pair: np.ndarray
    route_km: np.ndarray
    spur_km: np.ndarray
    from_vertex: np.ndarray
    to_vertex: np.ndarray
    offsets: np.ndarray
    segment_no: np.ndarray
    is_ahead: np.ndarray
    network: RightOfWay

    @cached_property
    def segment_ends(self) -> np.ndarray:
        """Vertices of `network` that each segment joins, shape (segments, 2)."""
        return np.column_stack([self.network.from_vertex, self.network.to_vertex])

    def course(self, row: int) -> np.ndarray:
        """Course of one route without its spurs, degrees, shape (k, 2); empty where nothing is laid."""
        net = self.network
        parts = [net.course[:0]]
        used = slice(self.offsets[row], self.offsets[row + 1])
        for segment, ahead in zip(self.segment_no[used], self.is_ahead[used], strict=True):
            part = net.course[net.start[segment] : net.start[segment + 1]]
            part = part if ahead else part[::-1]
            parts.append(part[1:] if len(parts) > 1 else part)
        return np.concatenate(parts)


def lay(
    row: RightOfWay, lon: np.ndarray, lat: np.ndarray, pairs: np.ndarray, rules: LatencyRules
) -> LaidRoutes:
    """Lay links along rights of way.

    A link takes the shortest way from node to node over spurs, which count double, and corridors, and may change from one right
    of way to another where they meet. It stays straight, with a NaN for its route, when a node is farther
    than 25 km from all rights of way, when nothing joins the two, when the way is longer than the detour
    factor allows, when more than half of it is spurs, and when both nodes are at one place. That long-haul
    fiber follows roads and railroads: Durairajan et al., InterTubes, SIGCOMM 2015.

    Parameters
    ----------
    row
        The rights of way.
    lon, lat
        Nodes, degrees, WGS84, shape (p,).
    pairs
        Node numbers of the links' ends, shape (n, 2); pairs may repeat.
    rules
        Parameters of latency; `detour_factor` counts.

    Returns
    -------
    LaidRoutes
        The same routes whatever the order of `pairs` and of the nodes in a pair.

    Raises
    ------
    GeometryError
        For coordinates that are NaN or no degrees.
    GeoError
        A pair names a node that is not there.
    """
    lon, lat = lonlat_arrays(lon, lat, "node")
    pairs = np.asarray(pairs, dtype=np.int64).reshape(-1, 2)
    if pairs.size and not ((pairs >= 0) & (pairs < lon.size)).all():
        msg = f"A link to lay ends at a node that is none of the {lon.size}; check the pairs."
        raise GeoError(msg)
    distinct, of_pair = np.unique(np.sort(pairs, axis=1), axis=0, return_inverse=True)
    of_pair = of_pair.ravel()
    used = np.unique(distinct)
    network, point, vertex, length_km = row.attach(lon[used], lat[used])
    one, other = distinct[:, 0], distinct[:, 1]
    straight_km = geodesic_km(lon[one], lat[one], lon[other], lat[other])
    roads = _Roads.of(network, point, vertex, length_km, len(used))
    end = np.searchsorted(used, distinct)
    ways = roads.ways(end, np.where(straight_km > 0.0, rules.detour_factor * straight_km, -1.0))
    found = [ways[number] for number in of_pair.tolist()]
    is_turned = pairs[:, 0] > pairs[:, 1]
    both = list(zip(found, is_turned.tolist(), strict=True))
    chains = [way.segments[::-1] if turned else way.segments for way, turned in both]
    senses = [~way.is_ahead[::-1] if turned else way.is_ahead for way, turned in both]
    spur_km = np.array([way.spur_km for way in found]).reshape(-1, 2)
    enters = np.array([way.vertex for way in found], dtype=np.int64).reshape(-1, 2)
    spur_km[is_turned], enters[is_turned] = spur_km[is_turned, ::-1], enters[is_turned, ::-1]
    return LaidRoutes(
        pair=pairs,
        # Sums of geodesics may fall a rounding short of the geodesic itself.
        route_km=np.maximum([way.km for way in found], straight_km[of_pair]),
        spur_km=spur_km,
        from_vertex=enters[:, 0],
        to_vertex=enters[:, 1],
        offsets=np.cumsum([0, *(len(chain) for chain in chains)]),
        segment_no=np.concatenate([np.zeros(0, dtype=np.int64), *chains]),
        is_ahead=np.concatenate([np.zeros(0, dtype=bool), *senses]),
        network=network,
    )


@dataclass(frozen=True, eq=False)
class _Way:
    """One way: km with spurs, the spurs' km and vertices, edges in order and their direction."""

    km: float
    spur_km: tuple[float, float]
    vertex: tuple[int, int]
    segments: np.ndarray
    is_ahead: np.ndarray


_NO_WAY = _Way(
    np.nan, (np.nan, np.nan), (-1, -1), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool)
)


@dataclass(frozen=True, eq=False)
class _Roads:
    """Directed graph of the network's vertices, then of an origin and a destination for each node.

    Spurs lead from origins and to destinations only, so that no way goes through a node.
    """

    # Of entries: km, spurs weighted.
    matrix: csr_array
    network: RightOfWay
    # Of the matrix's entries, as from * size + to, ascending; and their edge, -1 a spur.
    key: np.ndarray
    edge: np.ndarray
    node_count: int

    @classmethod
    def of(
        cls,
        network: RightOfWay,
        point: np.ndarray,
        vertex: np.ndarray,
        spur_km: np.ndarray,
        node_count: int,
    ) -> "_Roads":
        count = len(network.lon)
        size = count + 2 * node_count
        edge = np.arange(len(network.km))
        origin, destination = count + point, count + node_count + point
        tail = np.concatenate([network.from_vertex, network.to_vertex, origin, vertex])
        head = np.concatenate([network.to_vertex, network.from_vertex, vertex, destination])
        spur = SPUR_WEIGHT * spur_km
        cost_km = np.concatenate([network.km, network.km, spur, spur])
        number = np.concatenate([edge, edge, np.full(2 * len(point), -1)])
        # Of parallel edges the shortest.
        order = np.lexsort((number, cost_km, head, tail))
        key = tail[order] * size + head[order]
        first = np.flatnonzero(np.diff(key, prepend=-1))
        first = first[tail[order][first] != head[order][first]]
        chosen = order[first]
        weight = np.maximum(cost_km[chosen], _LEAST_KM)
        matrix = csr_array((weight, (tail[chosen], head[chosen])), shape=(size, size))
        return cls(matrix, network, key[first], number[chosen], node_count)

    def ways(self, end: np.ndarray, limit_km: np.ndarray) -> list[_Way]:
        """Shortest ways between nodes, end shape (n, 2), none longer than their limits; by origins."""
        ways = [_NO_WAY] * len(end)
        origin = len(self.network.lon) + end[:, 0]
        destination = len(self.network.lon) + self.node_count + end[:, 1]
        rows = np.flatnonzero(limit_km > 0.0)
        # The cost of a way within its limit, of which no more than some share is spurs.
        most = (1.0 + (SPUR_WEIGHT - 1.0) * MOST_SPUR_SHARE) * (1.0 + _ROUNDING)
        for node in np.unique(origin[rows]):
            of_node = rows[origin[rows] == node]
            # What the limit passes over is infinitely far, as what is not joined.
            _, before = dijkstra(
                self.matrix,
                indices=node,
                return_predecessors=True,
                limit=limit_km[of_node].max() * most,
            )
            for row in of_node:
                way = self._way(before, destination[row])
                if way.km <= limit_km[row]:
                    ways[row] = way
        return ways

    def _way(self, before: np.ndarray, to: int) -> _Way:
        """Way that ends at a destination, by the vertex before each on the way."""
        back = [int(to)]
        while before[back[-1]] >= 0:
            back.append(int(before[back[-1]]))
        # Of origin, vertex and destination no edge is passed.
        if len(back) <= 3:
            return _NO_WAY
        chain = np.array(back[::-1])
        at = np.searchsorted(self.key, chain[:-1] * self.matrix.shape[0] + chain[1:])
        edges = self.edge[at[1:-1]]
        spurs = self.matrix.data[at[[0, -1]]] / SPUR_WEIGHT
        km = float(self.network.km[edges].sum() + spurs.sum())
        if spurs.sum() > MOST_SPUR_SHARE * km:
            return _NO_WAY
        is_ahead = self.network.from_vertex[edges] == chain[1:-2]
        return _Way(
            km, (float(spurs[0]), float(spurs[1])), (int(chain[1]), int(chain[-2])), edges, is_ahead
        )
