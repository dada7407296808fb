"""Disjoint paths of fiber nodes to exchanges of different metros, and which nodes go well together.

A node has as many disjoint paths as units of flow that its trenches carry to different exchange metros. A
node with one path has a last trench (or metro) that all of its paths share, its choke: two nodes
reach different metros by disjoint paths unless they have the same choke. For, were there no two, one
trench or metro would cut both from every exchange (max-flow min-cut), and the last such one is the choke of
both. So no pair need be searched.
"""

from dataclasses import dataclass

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
        where they share none but all end in one metro; -1 where nothing is shared or there is no path.
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
        Number in `trenches.BASIS`: the best basis on which the node has its paths (two of them, where
        it has more), AT_EXCHANGE where its only path ends where it begins; UNKNOWN without any, shape
        (nodes,).
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
    workers
        Threads; -1 takes all cores.

    Raises
    ------
    GeoError
        The arrays are not of the nodes of the trenches.
    """
    nodes = len(trenches.vertex_start) - 1
    if not len(metro_no) == len(is_connected) == nodes:
        msg = f"Metros and connections are not of the {nodes} nodes of the trenches."
        raise GeoError(msg)
    graph, ends, sinks = _network(trenches, metro_no)
    asked = np.asarray(is_connected, dtype=bool)
    count, choke = np.zeros(nodes, dtype=np.int64), np.full(nodes, -1, dtype=np.int64)

    def run(rows: slice) -> None:
        _diversity.disjoint(rows.start, rows.stop, most, asked, graph, ends, sinks, count, choke)

    in_threads(run, nodes, workers, block=_BLOCK)
    metros = np.unique(metro_no[metro_no >= 0])
    is_metro = choke >= len(trenches)
    choke[is_metro] = len(trenches) + metros[choke[is_metro] - len(trenches)]
    return Paths(count, choke)


def diverse(
    lon: np.ndarray,
    lat: np.ndarray,
    trenches: Trenches,
    metro_no: np.ndarray,
    is_connected: np.ndarray,
    rules: LatencyRules,
    *,
    reach_mi: float | None = None,
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

    Raises
    ------
    GeoError
        The arrays are not of the nodes of the trenches.
    GeometryError
        A coordinate is no degree.
    """
    # In the order of the levels: trenches of every basis first, then of better ones alone.
    levels = [
        disjoint_paths(
            _of_basis(trenches, least), metro_no, is_connected, most=most, workers=workers
        )
        for least, most in ((LOGICAL, MOST_PATHS), *((b, 2) for b in range(1, AT_EXCHANGE + 1)))
    ]
    every = levels[LOGICAL]
    node_basis = np.full(len(every.count), UNKNOWN, dtype=np.int8)
    for basis, paths in enumerate(levels):
        holds = (paths.count > 0) & (paths.count >= np.minimum(every.count, 2))
        node_basis[holds] = basis
    reach_mi = 2.0 * rules.node_reach_mi if reach_mi is None else reach_mi
    here, there, miles = pairs_within(lon, lat, lon, lat, reach_mi, workers=workers)
    apart = miles > rules.node_join_km / KM_PER_MILE
    here, there = here[apart], there[apart]
    pair_basis = np.full(len(here), UNKNOWN, dtype=np.int8)
    for basis, paths in enumerate(levels):
        pair_basis[_are_diverse(paths, here, there)] = basis
    are = pair_basis != UNKNOWN
    offsets = np.searchsorted(here[are], np.arange(len(lon) + 1))
    return Diversity(every.count, node_basis, every.choke, offsets, there[are], pair_basis[are])


def _are_diverse(paths: Paths, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Whether nodes have disjoint paths to different metros, shape of the pairs."""
    choke = paths.choke[one]
    both = (paths.count[one] > 0) & (paths.count[other] > 0)
    return both & ((choke < 0) | (choke != paths.choke[other]))


def _of_basis(trenches: Trenches, least: int) -> Trenches:
    """Trenches that are at least so well known."""
    if least == LOGICAL:
        return trenches
    on = trenches.basis >= least
    kept = (
        getattr(trenches, name)[on] for name in Trenches.__annotations__ if name != "vertex_start"
    )
    return Trenches(trenches.vertex_start, *kept)


def _network(
    trenches: Trenches, metro_no: np.ndarray
) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """Arcs out of each vertex, ends of trenches, and metros of vertices with their exchanges."""
    ends = np.stack([trenches.from_vertex, trenches.to_vertex]).astype(np.int64)
    vertices = int(max(trenches.vertex_start[-1], ends.max(initial=-1) + 1))
    tail = ends.ravel()
    order = np.argsort(tail, kind="stable")
    start = np.searchsorted(tail[order], np.arange(vertices + 1))
    edge = np.tile(np.arange(len(trenches)), 2)[order]
    way = np.repeat(np.array([1, -1], dtype=np.int64), len(trenches))[order]
    graph = (trenches.vertex_start, start, ends[::-1].ravel()[order], edge, way)
    found, code = np.unique(metro_no[metro_no >= 0], return_inverse=True)
    of_node = np.full(len(metro_no), -1, dtype=np.int64)
    of_node[metro_no >= 0] = code.ravel()
    metro = np.full(vertices, -1, dtype=np.int64)
    metro[: trenches.vertex_start[-1]] = np.repeat(of_node, np.diff(trenches.vertex_start))
    member = np.argsort(metro, kind="stable")[np.count_nonzero(metro < 0) :]
    member_start = np.searchsorted(metro[member], np.arange(len(found) + 1))
    return graph, (ends[0], ends[1]), (metro, member_start, member)
