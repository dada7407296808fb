"""The graph of fiber: carriers at nodes, their links, changes of carrier, and shortest round trips."""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import pandas as pd
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from geo.errors import GeoError
from geo.fiber.links import HUB
from geo.fiber.nodes import FiberNodes
from geo.fiber.rules import ENDS, LatencyRules

# Searches of sparse graphs take a weight of 0 for no edge once weights are added up or compared; 1e-9 ms
# is light's way over 0.1 mm.
LEAST_MS = 1e-9
NO_CARRIER = "has no carrier"
NO_LINK = "has no link"
NO_EXCHANGE = "has no path to an exchange"
# Nodes that a search starts from at once, which bounds its memory: 64 rows of some 10,000 vertices.
_BLOCK = 64


class PathStep(NamedTuple):
    """One step of a path.

    `link_no` is -1 where the carrier is changed within a node to `carrier_no`; `carrier_no` is -1 on a
    link of an exchange's reach.
    """

    link_no: int
    from_node: int
    to_node: int
    carrier_no: int
    ms: float


@dataclass(frozen=True, eq=False)
class FiberGraph:
    """Vertices are carriers at nodes, and hubs (carrier -1) where carriers can be changed.

    A change goes by the hub, half of `exchange_ms` each way. A parcel may take any carrier at a node at no
    cost, so that the round trip between nodes is the least between any two of their vertices. Low, mid
    and high are three shortest paths of their own.

    Attributes
    ----------
    node
        `FiberNodes.node` with `reason` told for every node that is not connected.
    lon, lat
        Degrees, WGS84, shape (P,).
    is_connected
        Whether a carrier's link, or an exchange's reach, leads from a node to an exchange (or from one
        to another node), shape (P,).
    is_exchange
        Whether a node has an exchange, shape (P,).
    vertex_node, vertex_carrier
        In order of node, then carrier, int32, shape (V,).
    vertex_component
        Number of the connected part that a vertex belongs to, int32, shape (V,).
    from_vertex, to_vertex
        Ends of the edges, each of which stands both ways, int32, shape (E,).
    edge_ms
        Round trips of the edges, low, mid, high, shape (E, 3).
    edge_link
        `link_no` of each edge; -1 between a carrier and the hub of its node, shape (E,).
    """

    node: pd.DataFrame
    lon: np.ndarray
    lat: np.ndarray
    is_connected: np.ndarray
    is_exchange: np.ndarray
    vertex_node: np.ndarray
    vertex_carrier: np.ndarray
    vertex_component: np.ndarray
    from_vertex: np.ndarray
    to_vertex: np.ndarray
    edge_ms: np.ndarray
    edge_link: np.ndarray

    @classmethod
    def of(cls, nodes: FiberNodes, links: pd.DataFrame, rules: LatencyRules) -> Self:
        """Build the graph of nodes and links.

        Parameters
        ----------
        nodes
            `node` and `pop` are read.
        links
            `link_no`, `from_node`, `to_node`, `carrier_no`, `rtt_ms_low`, `rtt_ms_mid`, `rtt_ms_high`.
        rules
            `exchange_ms`.

        Raises
        ------
        GeoError
            A link is of a carrier that has no point of presence at its end.
        """
        vertex_node, vertex_carrier = _vertices(nodes)
        finder = _Finder(vertex_node, vertex_carrier)
        from_vertex, to_vertex, ms, link = _edges(nodes, links, rules, finder)
        count = len(vertex_node)
        joined = csr_array(
            (np.ones(len(link), dtype=np.int8), (from_vertex, to_vertex)), shape=(count, count)
        )
        component = connected_components(joined, directed=False)[1].astype(np.int32)
        is_exchange = nodes.is_exchange
        # Parts with a link, and with the hub of an exchange.
        parts = int(component.max(initial=-1)) + 1
        has_link, has_exchange = np.zeros(parts, dtype=bool), np.zeros(parts, dtype=bool)
        has_link[component[from_vertex[link >= 0]]] = True
        has_exchange[component[(vertex_carrier == HUB) & is_exchange[vertex_node]]] = True
        is_connected, is_linked = (np.zeros(len(nodes.node), dtype=bool) for _ in range(2))
        is_connected[vertex_node[(has_link & has_exchange)[component]]] = True
        is_linked[vertex_node[has_link[component]]] = True
        return cls(
            _with_reasons(nodes, is_connected, is_linked),
            nodes.node["lon"].to_numpy(dtype=np.float64),
            nodes.node["lat"].to_numpy(dtype=np.float64),
            is_connected,
            is_exchange,
            vertex_node,
            vertex_carrier,
            component,
            from_vertex,
            to_vertex,
            ms,
            link,
        )

    def matrix(self, end: int) -> csr_array:
        """Round trips of edges, low (0), mid (1) or high (2), the least of parallel ones, shape (V, V)."""
        order, is_first = self._sorted(end)
        best = order[is_first]
        count = len(self.vertex_node)
        weight = np.maximum(self.edge_ms[best, end], LEAST_MS)
        return csr_array(
            coo_array((weight, (self.from_vertex[best], self.to_vertex[best])), (count, count))
        )

    def node_ms(
        self, sources: np.ndarray | list[int] | None = None, *, limit_ms: float = np.inf
    ) -> np.ndarray:
        """Shortest round trips between nodes.

        Parameters
        ----------
        sources
            Rows of `node`; all of them by default.
        limit_ms
            Longer paths count as none.

        Returns
        -------
        Low, mid and high ms, float64, shape (sources, P, 3); inf where there is no path, and from a node
        without a carrier or an exchange.
        """
        nodes = len(self.lon)
        chosen = np.arange(nodes) if sources is None else np.asarray(sources, dtype=np.int64)
        found = np.full((len(chosen), nodes, len(ENDS)), np.inf)
        held, start = np.unique(self.vertex_node, return_index=True)
        if not held.size:
            return found
        for end in range(len(ENDS)):
            graph = self.matrix(end)
            for first in range(0, len(chosen), _BLOCK):
                whole = self._with_sources(graph, chosen[first : first + _BLOCK])
                begin = np.arange(len(self.vertex_node), whole.shape[0])
                ms = dijkstra(whole, indices=begin, limit=limit_ms)[:, : len(self.vertex_node)]
                found[first : first + _BLOCK, held, end] = np.minimum.reduceat(ms, start, axis=1)
        return found

    def path(self, from_node: int, to_node: int, end: int = 1) -> list[PathStep]:
        """Shortest path between nodes, low (0), mid (1) or high (2), in order.

        Empty within a node, and where there is no path. The round trips of the steps add up to `node_ms`.
        """
        if from_node == to_node:
            return []
        count = len(self.vertex_node)
        goal = np.flatnonzero(self.vertex_node == to_node)
        ms, before = dijkstra(
            self._with_sources(self.matrix(end), np.array([from_node])),
            indices=count,
            return_predecessors=True,
        )
        if not goal.size or np.isinf(ms[goal].min()):
            return []
        way = [int(goal[np.argmin(ms[goal])])]
        # The vertex that stands for the node itself is the last.
        while before[way[-1]] < count:
            way.append(int(before[way[-1]]))
        order, is_first = self._sorted(end)
        best = order[is_first]
        key = self._key(self.from_vertex[best], self.to_vertex[best])
        here, there = np.array(way[:0:-1]), np.array(way[-2::-1])
        edge = best[np.searchsorted(key, self._key(here, there))]
        return _fold([self._step(int(no), end) for no in edge])

    def _step(self, edge: int, end: int) -> PathStep:
        """One edge as a step."""
        here, there = int(self.from_vertex[edge]), int(self.to_vertex[edge])
        link_no = int(self.edge_link[edge])
        carrier = int(self.vertex_carrier[there])
        if link_no >= 0 and int(self.vertex_carrier[here]) == HUB:
            carrier = HUB
        ms = max(float(self.edge_ms[edge, end]), LEAST_MS)
        return PathStep(
            link_no, int(self.vertex_node[here]), int(self.vertex_node[there]), carrier, ms
        )

    def _with_sources(self, graph: csr_array, block: np.ndarray) -> csr_array:
        """Add a vertex for each node of a block, with edges of no length to the node's vertices.

        None leads back, so that carriers are taken for nothing at the start of a path alone. Explicit zeros
        of a sparse matrix are edges to the search.
        """
        count = len(self.vertex_node)
        width, lead = _ranges(self.vertex_node, block)
        return csr_array(
            (
                np.concatenate([graph.data, np.zeros(len(lead))]),
                np.concatenate([graph.indices, lead]).astype(np.int32),
                np.concatenate([graph.indptr, graph.indptr[-1] + np.cumsum(width)]).astype(
                    np.int32
                ),
            ),
            shape=(count + len(block), count + len(block)),
        )

    def _sorted(self, end: int) -> tuple[np.ndarray, np.ndarray]:
        """Edges by their ends, then round trip, then link, and whether each is the first of its ends."""
        key = self._key(self.from_vertex, self.to_vertex)
        order = np.lexsort((self.edge_link, self.edge_ms[:, end], key))
        return order, np.diff(key[order], prepend=-1) != 0

    def _key(self, from_vertex: np.ndarray, to_vertex: np.ndarray) -> np.ndarray:
        """One number of a pair of vertices."""
        return from_vertex.astype(np.int64) * len(self.vertex_node) + to_vertex


class _Finder:
    """Finds the vertices of a node, and that of a carrier at a node."""

    def __init__(self, vertex_node: np.ndarray, vertex_carrier: np.ndarray) -> None:
        self.carriers = int(vertex_carrier.max(initial=0)) + 2
        self.key = self._key(vertex_node, vertex_carrier)

    def vertex(self, node_no: np.ndarray, carrier_no: np.ndarray) -> np.ndarray:
        """Vertex of each node and carrier; -1 where the carrier is not there."""
        key = self._key(node_no, carrier_no)
        found = np.searchsorted(self.key, key)
        is_there = np.append(self.key, -1)[found] == key
        return np.where(is_there, found, -1)

    def _key(self, node_no: np.ndarray, carrier_no: np.ndarray) -> np.ndarray:
        return np.asarray(node_no, dtype=np.int64) * self.carriers + carrier_no + 1


def _vertices(nodes: FiberNodes) -> tuple[np.ndarray, np.ndarray]:
    """Node and carrier of each vertex: carriers at nodes, and hubs; none for nodes outside."""
    is_in = ~nodes.is_outside
    pop_node = nodes.pop["node_no"].to_numpy(dtype=np.int64)
    pairs = np.column_stack([pop_node, nodes.pop["carrier_no"].to_numpy(dtype=np.int64)])
    hub = np.flatnonzero(is_in & nodes.node["is_interconnection"].to_numpy(dtype=bool))
    hubs = np.column_stack([hub, np.full(len(hub), HUB)])
    vertex = np.unique(np.concatenate([pairs[is_in[pop_node]], hubs]), axis=0).astype(np.int32)
    return np.ascontiguousarray(vertex[:, 0]), np.ascontiguousarray(vertex[:, 1])


def _edges(
    nodes: FiberNodes, links: pd.DataFrame, rules: LatencyRules, finder: _Finder
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """List the edges both ways: ends, round trips and links."""
    vertex_node, vertex_carrier = _vertices(nodes)
    vertices = np.arange(len(vertex_node))
    is_carrier = vertex_carrier != HUB
    ends = links[["from_node", "to_node"]].to_numpy(dtype=np.int64)
    carrier = links["carrier_no"].to_numpy(dtype=np.int64)
    ms = links[[f"rtt_ms_{name}" for name in ENDS]].to_numpy(dtype=np.float64)
    no = links["link_no"].to_numpy(dtype=np.int64)

    own = carrier != HUB
    here = finder.vertex(ends[own, 0], carrier[own])
    there = finder.vertex(ends[own, 1], carrier[own])
    if (bad := (here < 0) | (there < 0)).any():
        msg = (
            f"Link {no[own][np.argmax(bad)]} is of a carrier that has no point of presence at its end; "
            "merge links with the same nodes."
        )
        raise GeoError(msg)
    parts = [(here, there, ms[own], no[own])]

    # Every carrier at one end of a reach is joined with the hub of the other, where that has an exchange.
    for near, far in ((0, 1), (1, 0)):
        rows = np.flatnonzero((carrier == HUB) & nodes.is_exchange[ends[:, far]])
        width, at = _ranges(vertex_node, ends[rows, near])
        row = np.repeat(rows, width)
        row, at = row[is_carrier[at]], at[is_carrier[at]]
        hub = finder.vertex(ends[row, far], np.full(len(row), HUB))
        parts.append((at, hub, ms[row], no[row]))

    hub = finder.vertex(vertex_node, np.full(len(vertex_node), HUB))
    at = vertices[is_carrier & (hub >= 0)]
    half = np.tile(np.array(rules.exchange_ms) / 2.0, (len(at), 1))
    parts.append((at, hub[at], half, np.full(len(at), -1)))

    here, there, ms, no = (np.concatenate(column) for column in zip(*parts, strict=True))
    return (
        np.concatenate([here, there]).astype(np.int32),
        np.concatenate([there, here]).astype(np.int32),
        np.concatenate([ms, ms]),
        np.concatenate([no, no]),
    )


def _ranges(vertex_node: np.ndarray, node_no: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Count the vertices of nodes, and list them one node after the other."""
    first = np.searchsorted(vertex_node, node_no)
    width = np.searchsorted(vertex_node, node_no, side="right") - first
    return width, np.repeat(first - np.cumsum(width) + width, width) + np.arange(width.sum())


def _with_reasons(
    nodes: FiberNodes, is_connected: np.ndarray, is_linked: np.ndarray
) -> pd.DataFrame:
    """Nodes with the reason why one is not connected."""
    reason = nodes.node["reason"].to_numpy(dtype=object).copy()
    untold = ~is_connected & ~nodes.is_outside
    has_carrier = nodes.node["carrier_count"].to_numpy() > 0
    reason[untold & ~has_carrier] = NO_CARRIER
    reason[untold & has_carrier & ~is_linked] = NO_LINK
    reason[untold & has_carrier & is_linked] = NO_EXCHANGE
    return nodes.node.assign(reason=reason)


def _fold(steps: list[PathStep]) -> list[PathStep]:
    """Fold the two hops to and from the hub of a node into one change of carrier."""
    folded: list[PathStep] = []
    for step in steps:
        last = folded[-1] if folded else None
        if last and last.link_no == step.link_no == -1:
            folded[-1] = last._replace(carrier_no=step.carrier_no, ms=last.ms + step.ms)
        else:
            folded.append(step)
    return folded
