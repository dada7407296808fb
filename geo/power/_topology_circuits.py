"""Circuits: chains of lines between substations, through taps but never through a substation."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components


@dataclass(frozen=True, eq=False)
class Runs:
    """Chains that go on through taps.

    Attributes
    ----------
    of_chain
        Run of each chain, shape (c,).
    place
        Substations at the two ends, lower row first, shape (r, 2); -1 for none.
    end
        Chain ends (2 * chain + side) at them, shape (r, 2); -1 where a run closes on itself.
    """

    of_chain: np.ndarray
    place: np.ndarray
    end: np.ndarray

    @classmethod
    def of(cls, place: np.ndarray, joints: np.ndarray) -> Self:
        """Join chains.

        Parameters
        ----------
        place
            Row of the substation at each end of each chain, shape (c, 2); -1 for none.
        joints
            Chain ends that go on in each other, shape (j, 2).
        """
        count = len(place)
        pairs = joints // 2
        graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
        runs, of_chain = connected_components(graph, directed=False)
        free = np.ones(2 * count, dtype=bool)
        free[joints.ravel()] = False
        ends = np.flatnonzero(free)
        at = place.ravel()[ends]
        order = np.lexsort((ends, at < 0, at, of_chain[ends // 2]))
        ends, run = ends[order], of_chain[ends[order] // 2]
        # Every run has two free ends or none: a joint takes one end of each of two chains.
        end = np.full((runs, 2), -1)
        end[run[::2]] = ends.reshape(-1, 2)
        found = np.where(end >= 0, place.ravel()[end], -1)
        # A substation before an open end.
        swap = (found[:, 0] < 0) & (found[:, 1] >= 0)
        found[swap], end[swap] = found[swap, ::-1], end[swap, ::-1]
        return cls(of_chain, found, end)

    @property
    def is_circuit(self) -> np.ndarray:
        """Whether a run leaves a substation and does not come back to it, shape (r,)."""
        return (self.place[:, 0] >= 0) & (self.place[:, 0] != self.place[:, 1])


def names(line_id: np.ndarray, run: np.ndarray, spot: np.ndarray) -> np.ndarray:
    """Name runs by the smallest line id in each, shape (r,).

    Runs that share a line that a substation cuts are numbered by where they lie: `id`, `id/2`, ...

    Parameters
    ----------
    line_id, run
        Line and run of each piece, shape (p,).
    spot
        Lon/lat of a place on each run, shape (r, 2).
    """
    ids, number = np.unique(line_id.astype(str), return_inverse=True)
    smallest = np.full(len(spot), len(ids))
    np.minimum.at(smallest, run, number)
    order = np.lexsort((spot[:, 1], spot[:, 0], smallest))
    first = np.searchsorted(smallest[order], smallest[order])
    place = np.arange(len(order)) - first
    found = np.empty(len(spot), dtype=object)
    found[order] = [
        ids[own] if no == 0 else f"{ids[own]}/{no + 1}"
        for own, no in zip(smallest[order], place, strict=True)
    ]
    return found
