"""Sensitivities of a direct-current load flow: PTDF, LODF, base flows.

With b = 1 / x of each branch, B = A' diag(b) A (A the incidence matrix) and angles theta = B^-1 p, the
flow of branch l is b_l (theta_from - theta_to). PTDF is its change for one MW in at one bus and out at
another, LODF the share of an outaged branch's flow that it takes over:
LODF_lk = PTDF_lk / (1 - PTDF_kk), with PTDF_lk that of a transfer over the ends of branch k
(Wood, Wollenberg and Sheble, Power Generation, Operation and Control, chapter 7).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import coo_matrix, csc_matrix, diags_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import SuperLU, splu

from geo.errors import GeoError
from geo.power import _ldl

# Pivots of a regular network are susceptances; one this much under the largest means that negative
# reactances cancel.
SMALLEST_PIVOT = 1e-12
# Orders of elimination that are tried before a network is called singular.
ATTEMPTS = 6
BASE_MVA = 100.0
_SINGULAR = (
    "The network case cannot be solved: its reactances cancel; look for negative ones that equal "
    "those beside them."
)


@dataclass(frozen=True, eq=False)
class Factors:
    """One island of a network, factored.

    Attributes
    ----------
    bus, branch
        Rows of the network's buses and active branches that lie in the island.
    place
        Row in the factor of each bus of `bus`; -1 for the buses of the ground node.
    from_place, to_place
        The same for the ends of `branch`.
    susceptance
        1 / reactance of `branch`, per unit.
    """

    bus: np.ndarray
    branch: np.ndarray
    place: np.ndarray
    from_place: np.ndarray
    to_place: np.ndarray
    susceptance: np.ndarray
    start: np.ndarray
    below: np.ndarray
    factor: np.ndarray
    diagonal: np.ndarray

    @classmethod
    def from_arrays(
        cls,
        bus: np.ndarray,
        branch: np.ndarray,
        node: np.ndarray,
        from_node: np.ndarray,
        to_node: np.ndarray,
        susceptance: np.ndarray,
    ) -> Self:
        """Factor a connected network of nodes with any numbers.

        Raises
        ------
        GeoError
            There is no branch, or negative reactances cancel.
        """
        if branch.size == 0:
            msg = "An island without branches carries no flow."
            raise GeoError(msg)
        nodes, node = np.unique(node, return_inverse=True)
        one, other = np.searchsorted(nodes, from_node), np.searchsorted(nodes, to_node)
        matrix = coo_matrix(
            (
                np.concatenate([susceptance, susceptance, -susceptance, -susceptance]),
                (
                    np.concatenate([one, other, one, other]),
                    np.concatenate([one, other, other, one]),
                ),
            ),
            shape=(nodes.size, nodes.size),
        ).tocsc()
        place, lower, diagonal = _factored(matrix, int(node[0]))
        return cls(
            bus,
            branch,
            place[node],
            place[one],
            place[other],
            susceptance,
            *(lower.indptr.astype(np.int64), lower.indices.astype(np.int64), lower.data),
            diagonal,
        )

    def flows(self, injection_pu: np.ndarray) -> np.ndarray:
        """Flow of every branch for injections at buses.

        Parameters
        ----------
        injection_pu
            Shape (buses of the island, columns). What does not sum to nothing leaves at the ground node.

        Returns
        -------
        ndarray
            Shape (branches of the island, columns), in the unit of the injections.
        """
        at_place = np.zeros((self.diagonal.size + 1, injection_pu.shape[1]))
        np.add.at(at_place, self.place, injection_pu)
        return self._flows(self._angles(at_place))

    def ptdf(self, bus: np.ndarray, slack: np.ndarray | None = None) -> np.ndarray:
        """Change of every branch's flow for one MW in at each bus and out at the slack.

        Parameters
        ----------
        bus
            Positions in `self.bus`, shape (k,).
        slack
            Share of each bus of the island that takes it out, sums to 1; the ground bus when None.

        Returns
        -------
        ndarray
            Shape (branches of the island, k).
        """
        injection = np.zeros((self.bus.size, bus.size))
        injection[bus, np.arange(bus.size)] = 1.0
        if slack is not None:
            injection -= slack[:, None]
        return self.flows(injection)

    def lodf(self, outage: np.ndarray) -> np.ndarray:
        """Share of each outaged branch's flow that every branch takes over.

        Parameters
        ----------
        outage
            Positions in `self.branch`, shape (k,); of branches whose outage islands nothing.

        Returns
        -------
        ndarray
            Shape (branches of the island, k); -1 for the outaged branch itself.
        """
        injection = np.zeros((self.diagonal.size + 1, outage.size))
        columns = np.arange(outage.size)
        injection[self.from_place[outage], columns] += 1.0
        injection[self.to_place[outage], columns] -= 1.0
        change = self._flows(self._angles(injection))
        share = change / (1.0 - change[outage, columns])
        share[outage, columns] = -1.0
        return share

    def _flows(self, angle: np.ndarray) -> np.ndarray:
        return self.susceptance[:, None] * (angle[self.from_place] - angle[self.to_place])

    def _angles(self, injection: np.ndarray) -> np.ndarray:
        """Angles at the places of the factor, and at last that of the ground, shape (places + 1, k)."""
        out = np.zeros_like(injection)
        for begin in range(0, injection.shape[1], _ldl.BLOCK):
            part = injection[:-1, begin : begin + _ldl.BLOCK]
            x = np.zeros((self.diagonal.size, _ldl.BLOCK))
            x[:, : part.shape[1]] = part
            _ldl.solve(self.start, self.below, self.factor, self.diagonal, x)
            out[:-1, begin : begin + part.shape[1]] = x[:, : part.shape[1]]
        return out


def _factored(matrix: csc_matrix, ground: int) -> tuple[np.ndarray, csc_matrix, np.ndarray]:
    """Place of each node (-1 the ground), unit lower triangle without its diagonal, and diagonal.

    L D L' takes no pivots off the diagonal, and negative reactances may leave a zero on it where
    the network is regular. Another ground and another order put it elsewhere.
    """
    inner, order = np.delete(np.arange(matrix.shape[0]), ground), "MMD_AT_PLUS_A"
    for _ in range(ATTEMPTS):
        lu = _lu(matrix[inner][:, inner], order)
        diagonal = lu.U.diagonal()
        is_weak = ~(np.abs(diagonal) > SMALLEST_PIVOT * np.abs(diagonal).max())
        is_weak = is_weak[lu.perm_c] | (lu.perm_r != lu.perm_c)
        if not is_weak.any():
            break
        # One of the nodes whose pivot fails becomes the ground, the others are eliminated last.
        weak, kept = inner[is_weak], np.argsort(lu.perm_c)
        kept = inner[kept[~is_weak[kept]]]
        inner, order = np.concatenate([kept, [ground], weak[1:]]), "NATURAL"
        ground = weak[0]
    else:
        raise GeoError(_SINGULAR)
    lower = (lu.L - diags_array(np.ones(inner.size))).tocsc()
    lower.eliminate_zeros()
    lower.sort_indices()
    place = np.full(matrix.shape[0], -1)
    place[inner] = lu.perm_r
    return place, lower, diagonal


def _lu(matrix: csc_matrix, order: str) -> SuperLU:
    try:
        return splu(
            matrix, permc_spec=order, diag_pivot_thresh=0.0, options={"SymmetricMode": True}
        )
    except RuntimeError as error:
        raise GeoError(_SINGULAR) from error


def connected(node: np.ndarray, from_bus: np.ndarray, to_bus: np.ndarray) -> np.ndarray:
    """Give the number of the connected part of each bus, counted in the order of the buses.

    Parameters
    ----------
    node
        Node of each bus, shape (buses,), numbers below their count.
    from_bus, to_bus
        Buses that branches join, shape (branches,).
    """
    graph = coo_matrix(
        (np.ones(from_bus.size), (node[from_bus], node[to_bus])), shape=(node.size, node.size)
    )
    label = connected_components(graph, directed=False)[1][node]
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def base_flow(
    node: np.ndarray,
    from_bus: np.ndarray,
    to_bus: np.ndarray,
    reactance_pu: np.ndarray,
    is_active: np.ndarray,
    injection_mw: np.ndarray,
    weight: np.ndarray,
    shift_rad: np.ndarray,
) -> np.ndarray:
    """Flows of a direct-current load flow, MW, shape (branches,); 0 where inactive.

    What the injections of an island lack or have too much is shared by `weight`, or where it has
    none by all its buses. A phase shift s turns a flow by -b s, as an injection at its ends would.
    """
    out = np.zeros(from_bus.size)
    labels = connected(node, from_bus[is_active], to_bus[is_active])
    for label in np.unique(labels[from_bus[is_active]]):
        bus = np.flatnonzero(labels == label)
        branch = np.flatnonzero(is_active & (labels[from_bus] == label))
        factors = Factors.from_arrays(
            bus,
            branch,
            node[bus],
            node[from_bus[branch]],
            node[to_bus[branch]],
            1.0 / reactance_pu[branch],
        )
        row = np.zeros(node.size, dtype=np.int64)
        row[bus] = np.arange(bus.size)
        injection = injection_mw[bus].copy()
        shares = weight[bus] if weight[bus].sum() > 0 else np.ones(bus.size)
        injection -= injection.sum() * shares / shares.sum()
        turned = BASE_MVA * shift_rad[branch] / reactance_pu[branch]
        np.add.at(injection, row[from_bus[branch]], turned)
        np.add.at(injection, row[to_bus[branch]], -turned)
        out[branch] = factors.flows(injection[:, None])[:, 0] - turned
    return out
