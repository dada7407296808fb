"""The trenches that carriers' links lie in, as far as it is known: what one excavator can cut.

Links of all carriers between two nodes share one trench. Links laid on a right of way share each segment
that they have in common, and the way from a node to its right of way is a trench for each pair of nodes,
as links to different places leave a town by different streets as far as anybody can tell. The course of
straight links is unknown, so those of different pairs are taken to share nothing: disjoint paths found
here are an upper bound, and the basis says how much the map knows.
"""

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.errors import GeoError

# What is known of trenches, the least first: neighbours by address with a course nobody drew, a link
# drawn on a map, a link laid on a right of way; and of paths that need no trench.
LOGICAL, MAPPED, RIGHT_OF_WAY, AT_EXCHANGE = range(4)
BASIS = ("logical", "mapped", "right_of_way", "exchange")
# The reach of an exchange is a rule for a metro and no link on a map: as little known as a straight one.
_BASIS_OF_KIND = {"ip_adjacency": LOGICAL, "mapped": MAPPED, "interconnection": MAPPED}
_HUB = -1


class LaidPairs(Protocol):
    """Pairs of nodes whose links are laid on rights of way, as `geo.fiber.right_of_way.lay` gives them.

    Attributes
    ----------
    pair
        Nodes, shape (n, 2), each pair once, either way round.
    offsets, segment_no
        Segments of each pair, shape (n + 1,) and (k,); a pair without a segment is not laid.
    from_vertex, to_vertex
        Vertex of the right of way at which the first and the second node of each pair enter it, shape (n,).
    segment_ends
        Vertices that each segment joins, shape (s, 2).
    """

    @property
    def pair(self) -> np.ndarray: ...  # noqa: D102
    @property
    def offsets(self) -> np.ndarray: ...  # noqa: D102
    @property
    def segment_no(self) -> np.ndarray: ...  # noqa: D102
    @property
    def from_vertex(self) -> np.ndarray: ...  # noqa: D102
    @property
    def to_vertex(self) -> np.ndarray: ...  # noqa: D102
    @property
    def segment_ends(self) -> np.ndarray: ...  # noqa: D102


@dataclass(frozen=True, eq=False)
class Trenches:
    """Undirected graph of trenches, each of which carries one of several disjoint paths.

    A vertex is a node where all carriers meet, or one carrier's share of a node where they do not: a
    path changes carriers at interconnections alone. Two exceptions make what is found an upper bound:
    carriers that share a trench at a node meet there, and on rights of way all meet.

    Attributes
    ----------
    vertex_start
        First vertex of each node, shape (nodes + 1,); vertices beyond the last are those of rights of way.
    from_vertex, to_vertex
        Ends of each trench, shape (e,).
    basis
        LOGICAL, MAPPED or RIGHT_OF_WAY: the best that any of its links says, shape (e,).
    pair
        Nodes that the trench joins, the lower first, shape (e, 2); -1 for segments of rights of way.
    segment_no
        Segment of a right of way, shape (e,); -1 for others.
    """

    vertex_start: np.ndarray
    from_vertex: np.ndarray
    to_vertex: np.ndarray
    basis: np.ndarray
    pair: np.ndarray
    segment_no: np.ndarray

    @classmethod
    def of(
        cls,
        link: pd.DataFrame,
        is_interconnection: np.ndarray,
        is_exchange: np.ndarray,
        laid: LaidPairs | None = None,
    ) -> Self:
        """Merge links to trenches; the order of links and of laid pairs changes nothing.

        Parameters
        ----------
        link
            `from_node`, `to_node`, `carrier_no` (-1 for the reach of an exchange), `link_kind`.
        is_interconnection, is_exchange
            Whether carriers can be changed at each node, and whether it has an exchange, shape (nodes,).
        laid
            Pairs laid on rights of way; None where none is.

        Raises
        ------
        GeoError
            A kind of link is unknown, or a laid pair has no link.
        """
        basis = link["link_kind"].map(_BASIS_OF_KIND).to_numpy(dtype=np.float64)
        if np.isnan(basis).any():
            msg = f"Links have a kind that is none of {', '.join(_BASIS_OF_KIND)}."
            raise GeoError(msg)
        ends = link[["from_node", "to_node"]].to_numpy(dtype=np.int64)
        carrier = link["carrier_no"].to_numpy(dtype=np.int64)
        kept = ends[:, 0] != ends[:, 1]
        ends, carrier, basis = np.sort(ends[kept], axis=1), carrier[kept], basis[kept]
        pair, pair_no = np.unique(ends, axis=0, return_inverse=True)
        pair, pair_no = pair.reshape(-1, 2), pair_no.ravel()
        pair_basis = np.full(len(pair), LOGICAL, dtype=np.int8)
        np.maximum.at(pair_basis, pair_no, basis.astype(np.int8))
        start, pair_vertex = _vertices(ends, carrier, pair_no, is_interconnection | is_exchange)
        count = int(start[-1])
        straight = (pair_vertex[:, 0], pair_vertex[:, 1], pair_basis, pair, np.full(len(pair), -1))
        if laid is None:
            return cls(start, *straight)
        laid_at, parts = _laid_edges(laid, pair, pair_vertex, count)
        left = np.ones(len(pair), dtype=bool)
        left[laid_at] = False
        every = zip((part[left] for part in straight), parts, strict=True)
        return cls(start, *(np.concatenate(both) for both in every))

    def __len__(self) -> int:
        """Count the trenches."""
        return len(self.basis)


def _vertices(
    ends: np.ndarray, carrier: np.ndarray, pair_no: np.ndarray, is_hub: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """First vertex of each node, shape (nodes + 1,), and the vertices of each pair's ends, shape (pairs, 2)."""
    is_hub = is_hub.copy()
    # Whoever is in reach of an exchange meets the others there.
    is_hub[ends[carrier == _HUB]] = True
    hubs = np.flatnonzero(is_hub)
    carrier = np.where(is_hub[ends], _HUB, carrier[:, None])
    every = np.concatenate(
        [
            np.column_stack([hubs, np.full(len(hubs), _HUB)]),
            *(np.column_stack([ends[:, side], carrier[:, side]]) for side in (0, 1)),
        ]
    )
    place, number = np.unique(every, axis=0, return_inverse=True)
    place, number = place.reshape(-1, 2), number.ravel()
    side = number[len(hubs) :].reshape(2, -1)
    # One carrier stands for all of a pair.
    first = np.full((2, int(pair_no.max(initial=-1)) + 1), len(place))
    for end in (0, 1):
        np.minimum.at(first[end], pair_no, side[end])
    joined = side.ravel(), first[:, pair_no].ravel()
    matrix = coo_array((np.ones(side.size), joined), shape=(len(place), len(place)))
    _, label = connected_components(matrix, directed=False)
    _, least = np.unique(label, return_index=True)
    vertex = np.searchsorted(np.sort(least), least)[label]
    node = place[np.sort(least), 0]
    return np.searchsorted(node, np.arange(len(is_hub) + 1)), vertex[first].T


def _laid_edges(
    laid: LaidPairs, pair: np.ndarray, pair_vertex: np.ndarray, count: int
) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """Rows of `pair` that are laid, and their trenches: the ways to rights of way, then segments."""
    on = np.flatnonzero(np.diff(laid.offsets) > 0)
    turned = laid.pair[on, 0] > laid.pair[on, 1]
    enters = np.column_stack([laid.from_vertex[on], laid.to_vertex[on]])
    enters[turned] = enters[turned, ::-1]
    wanted = np.sort(laid.pair[on], axis=1)
    at = pd.MultiIndex.from_arrays(pair.T).get_indexer(pd.MultiIndex.from_arrays(wanted.T))
    if (at < 0).any():
        msg = "A pair of nodes is laid on a right of way, but no link joins it."
        raise GeoError(msg)
    by_pair = np.argsort(at, kind="stable")
    at, enters = at[by_pair], enters[by_pair]
    used = np.unique(laid.segment_no)
    ends = laid.segment_ends[used]
    known = np.unique(np.concatenate([enters.ravel(), ends.ravel()]))
    enters, ends = (count + np.searchsorted(known, vertex) for vertex in (enters, ends))
    none = np.full((len(used), 2), -1)
    return at, (
        np.concatenate([pair_vertex[at].ravel(), ends[:, 0]]),
        np.concatenate([enters.ravel(), ends[:, 1]]),
        np.full(2 * len(at) + len(used), RIGHT_OF_WAY, dtype=np.int8),
        np.concatenate([np.repeat(pair[at], 2, axis=0), none]),
        np.concatenate([np.full(2 * len(at), -1), used]),
    )
