"""Disjoint paths of fiber nodes to exchanges of different metros, and which nodes go well together.

A node has as many disjoint paths as units of flow that its trenches carry to different exchange metros. A
node with one path has a last trench (or metro) that all of its paths share, its choke: two nodes
reach different metros by disjoint paths unless they have the same choke. For, were there no two, one
trench or metro would cut both from every exchange (max-flow min-cut), and the last such one is the choke of
both. So no pair need be searched.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from geo._threads import in_threads
from geo.errors import GeoError
from geo.features import FeatureIndex
from geo.fiber import _diversity
from geo.fiber.rules import LatencyRules
from geo.fiber.trenches import AT_EXCHANGE, LOGICAL, Trenches
from geo.geodesy import KM_PER_MILE
from geo.nearest import nearest
from geo.pairs import pairs_within

# More disjoint paths than this are not told apart.
MOST_PATHS = 4
UNKNOWN = -1
# Nodes that a thread takes at once.
_BLOCK = 64


@dataclass(frozen=True, eq=False)
class Paths:
    """Disjoint paths from each node to exchanges of different metros.

    Attributes
    ----------
    count
        At most what was asked for, shape (nodes,); 0 where there is none, or the node is not connected.
    choke
        The trench nearest to the exchanges that all paths share, shape (nodes,), or trenches + metro
        where they share none but all end in one metro; -1 where no trench and no metro is shared, or
        there is no path.
    """

    count: np.ndarray
    choke: np.ndarray


@dataclass(frozen=True, eq=False)
class Diversity:
    """Disjoint paths of nodes, and the diverse partners of each.

    Attributes
    ----------
    node_paths
        Disjoint paths to different exchange metros, up to `MOST_PATHS`, shape (nodes,).
    node_basis
        LOGICAL, MAPPED or RIGHT_OF_WAY: the best basis on which the node has its paths (two of them,
        where it has more), shape (nodes,); UNKNOWN without a path, and where the only one ends where
        it begins, at an exchange.
    node_choke
        As `Paths.choke`.
    partner_offsets, partner_node
        Diverse partners of each node, ascending: shape (nodes + 1,) and (pairs,).
    partner_basis
        Number in `trenches.BASIS`: the best on which the two have disjoint paths, AT_EXCHANGE where both
        have exchanges, shape (pairs,). Better than that of either node where one needs no second path.
    """

    node_paths: np.ndarray
    node_basis: np.ndarray
    node_choke: np.ndarray
    partner_offsets: np.ndarray
    partner_node: np.ndarray
    partner_basis: np.ndarray


def exchange_metros(
    lon: np.ndarray,
    lat: np.ndarray,
    is_exchange: np.ndarray,
    metro_lon: np.ndarray,
    metro_lat: np.ndarray,
    rules: LatencyRules,
) -> np.ndarray:
    """Metro of each node with an exchange: two exchanges of one metro are no diverse ends.

    Parameters
    ----------
    lon, lat
        Nodes, degrees, WGS84, shape (nodes,).
    is_exchange
        Shape (nodes,).
    metro_lon, metro_lat
        Centres, degrees, WGS84, shape (m,).
    rules
        `metro_reach_mi`.

    Returns
    -------
    Row of the nearest centre in reach, m + node where there is none, -1 for other nodes; shape (nodes,).

    Raises
    ------
    GeometryError
        A coordinate is no degree.
    """
    number = np.full(len(lon), -1, dtype=np.int64)
    at = np.flatnonzero(is_exchange)
    if not at.size:
        return number
    centres = FeatureIndex.from_points(metro_lon, metro_lat)
    found, _ = nearest(centres, lon[at], lat[at], max_mi=rules.metro_reach_mi)
    number[at] = np.where(found >= 0, found, len(metro_lon) + at)
    return number


def disjoint_paths(
    trenches: Trenches,
    metro_no: np.ndarray,
    is_connected: np.ndarray,
    *,
    most: int = MOST_PATHS,
    places_apart: bool = False,
    workers: int = -1,
) -> Paths:
    """Count the disjoint paths from each node to exchanges of different metros.

    Parameters
    ----------
    trenches
        The graph.
    metro_no
        From `exchange_metros`, shape (nodes,).
    is_connected
        Nodes that are asked for, shape (nodes,).
    most
        Paths that are told apart; with 1 no choke is found.
    places_apart
        Whether paths may not pass one place either, but for the node that they start from. Carriers that
        do not meet at a place pass it as two.
    workers
        Threads; -1 takes all cores.

    Raises
    ------
    GeoError
        The arrays are not of the nodes of the trenches.
    """
    network = _Network.of(trenches, metro_no, is_split=places_apart)
    count, choke = network.search(is_connected, network.outs, most, workers)
    edges, metros = len(network.ends[0]), np.unique(metro_no[metro_no >= 0])
    trench = np.append(network.trench, -1)[np.minimum(choke, edges)]
    is_metro = choke >= edges
    trench[is_metro] = len(trenches) + metros[choke[is_metro] - edges]
    return Paths(count, trench)


def diverse(
    lon: np.ndarray,
    lat: np.ndarray,
    trenches: Trenches,
    metro_no: np.ndarray,
    is_connected: np.ndarray,
    rules: LatencyRules,
    *,
    reach_mi: float | None = None,
    places_apart: bool = False,
    workers: int = -1,
) -> Diversity:
    """Find the disjoint paths of nodes and their diverse partners.

    Node j is a partner of node i when a path from i and one from j end in exchanges of different metros and
    share no trench, and j is another place (farther than `node_join_km`). Partners go both ways.

    Parameters
    ----------
    lon, lat
        Nodes, degrees, WGS84, shape (nodes,).
    trenches, metro_no, is_connected, workers
        As in `disjoint_paths`.
    rules
        `node_join_km`, `node_reach_mi`.
    reach_mi
        How far partners are looked for; default twice `node_reach_mi`, as a parcel between two nodes
        may have both in reach.

    places_apart
        Whether the paths of partners may not pass one place either: then neither leads through the other
        partner, and what hangs on one place is no partner of what else hangs there.

    Raises
    ------
    GeoError
        The arrays are not of the nodes of the trenches.
    GeometryError
        A coordinate is no degree.
    """
    levels = [_of_basis(trenches, least) for least in range(AT_EXCHANGE + 1)]
    told = {"places_apart": places_apart, "workers": workers}
    every = disjoint_paths(trenches, metro_no, is_connected, **told)
    node_basis = np.full(len(every.count), UNKNOWN, dtype=np.int8)
    for basis, known in enumerate(levels):
        count = disjoint_paths(known, metro_no, is_connected, most=2, **told).count
        holds = (count > 0) & (count >= np.minimum(every.count, 2))
        node_basis[holds] = basis if basis != AT_EXCHANGE else UNKNOWN
    reach_mi = 2.0 * rules.node_reach_mi if reach_mi is None else reach_mi
    here, there, miles = pairs_within(lon, lat, lon, lat, reach_mi, workers=workers)
    apart = miles > rules.node_join_km / KM_PER_MILE
    here, there = here[apart], there[apart]
    pair_basis = np.full(len(here), UNKNOWN, dtype=np.int8)
    for basis, known in enumerate(levels):
        network = _Network.of(known, metro_no, is_split=places_apart)
        count, choke = network.search(is_connected, network.ins, 2, workers)
        are = (count[here] > 0) & (count[there] > 0)
        are &= (choke[here] < 0) | (choke[here] != choke[there])
        pair_basis[are] = basis
    are = pair_basis != UNKNOWN
    offsets = np.searchsorted(here[are], np.arange(len(lon) + 1))
    return Diversity(every.count, node_basis, every.choke, offsets, there[are], pair_basis[are])


def _of_basis(trenches: Trenches, least: int) -> Trenches:
    """Trenches that are at least so well known."""
    if least == LOGICAL:
        return trenches
    on = trenches.basis >= least
    kept = (
        getattr(trenches, name)[on] for name in Trenches.__annotations__ if name != "vertex_start"
    )
    return Trenches(trenches.vertex_start, *kept)


@dataclass(frozen=True, eq=False)
class _Network:
    """Arrays of the kernels.

    Split, each vertex of a node has a twin that all its trenches leave from, with an arc of capacity 1 to
    it: a path through the place takes it.
    """

    # Sources that count the node's own place as passed, and those that do not: first of each node, vertices.
    ins: tuple[np.ndarray, np.ndarray]
    outs: tuple[np.ndarray, np.ndarray]
    arcs: tuple[np.ndarray, ...]
    ends: tuple[np.ndarray, np.ndarray]
    sinks: tuple[np.ndarray, np.ndarray, np.ndarray]
    # Trench that each edge stands for, -1 a place.
    trench: np.ndarray

    @classmethod
    def of(cls, trenches: Trenches, metro_no: np.ndarray, *, is_split: bool) -> Self:
        """Lay out arcs and metros."""
        first = trenches.vertex_start
        if len(metro_no) != len(first) - 1:
            msg = f"Metros are not of the {len(first) - 1} nodes of the trenches."
            raise GeoError(msg)
        one, other = trenches.from_vertex.astype(np.int64), trenches.to_vertex.astype(np.int64)
        own = np.arange(first[-1])
        trench = np.arange(len(trenches))
        vertices = int(max(first[-1], one.max(initial=-1) + 1, other.max(initial=-1) + 1))
        out = np.arange(vertices)
        if is_split:
            out[: first[-1]] = vertices + own
            tails, heads = (out[one], out[other], own), (other, one, out[own])
            one, other = np.concatenate(tails), np.concatenate(heads)
            trench = np.concatenate([trench, trench, np.full(len(own), -1)])
            vertices += len(own)
        metro, member_start, member = _sinks(metro_no, first, out, vertices)
        return cls(
            (first, own),
            (first, out[own]),
            _arcs(one, other, vertices, is_both=not is_split),
            (one, other),
            (metro, member_start, member),
            trench,
        )

    def search(
        self,
        is_asked: np.ndarray,
        sources: tuple[np.ndarray, np.ndarray],
        most: int,
        workers: int,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Disjoint paths of each node and the last edge that all share, see `_diversity.disjoint`."""
        nodes = len(sources[0]) - 1
        if len(is_asked) != nodes:
            msg = f"Connections are not of the {nodes} nodes of the trenches."
            raise GeoError(msg)
        asked = np.asarray(is_asked, dtype=bool)
        count, choke = np.zeros(nodes, dtype=np.int64), np.full(nodes, -1, dtype=np.int64)
        graph = (*sources, *self.arcs)
        told = asked, graph, self.ends, self.sinks, count, choke
        in_threads(
            lambda rows: _diversity.disjoint(rows.start, rows.stop, most, *told),
            nodes,
            workers,
            block=_BLOCK,
        )
        return count, choke


def _arcs(
    one: np.ndarray, other: np.ndarray, vertices: int, *, is_both: bool
) -> tuple[np.ndarray, ...]:
    """First arc out of each vertex; of each arc its head, edge, way, and capacity with and against it."""
    tail = np.concatenate([one, other])
    order = np.argsort(tail, kind="stable")
    start = np.searchsorted(tail[order], np.arange(vertices + 1))
    edge = np.tile(np.arange(len(one)), 2)[order]
    way = np.repeat(np.array([1, -1], dtype=np.int64), len(one))[order]
    room, back = ((is_both | (along > 0)).astype(np.int64) for along in (way, -way))
    return start, np.concatenate([other, one])[order], edge, way, room, back


def _sinks(
    metro_no: np.ndarray, first: np.ndarray, out: np.ndarray, vertices: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Metro of each vertex, numbered from 0, -1 for none; first exchange of each metro, and vertices."""
    found, code = np.unique(metro_no[metro_no >= 0], return_inverse=True)
    of_node = np.full(len(metro_no), -1, dtype=np.int64)
    of_node[metro_no >= 0] = code.ravel()
    metro = np.full(vertices, -1, dtype=np.int64)
    metro[out[: first[-1]]] = np.repeat(of_node, np.diff(first))
    member = np.argsort(metro, kind="stable")[np.count_nonzero(metro < 0) :]
    return metro, np.searchsorted(metro[member], np.arange(len(found) + 1)), member
