"""People within a round trip of a place, each counted once at the node that is nearest to them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd

from geo._threads import in_threads
from geo.errors import GeoError
from geo.fiber import _reach
from geo.fiber.access import Access, NodeSearch
from geo.fiber.rules import LatencyRules
from geo.geodesy import KM_PER_MILE
from geo.hilbert import hilbert_order
from geo.people_units import MILLI

NS_PER_MS = 1e6
MAX_BUDGET_MS = 400.0
# Places that are prepared at once hold some 200 bytes each.
BLOCK = 131_072
# Places of a thread at once: neighbours are counted together, so blocks should not be small.
_PART = 4_096


@dataclass(frozen=True, eq=False)
class ServedPeople:
    """People by the node that serves them: the nearest connected one within reach.

    Attributes
    ----------
    offsets
        Where the people of each node begin, shape (P + 1,).
    tail_km
        Great circle from them to their node, ascending within a node, shape (R,).
    milli
        Thousandths of a person, running: those before each row, shape (R + 1,).
    unserved_people
        People with no connected node within reach; no count holds them.
    """

    offsets: np.ndarray
    tail_km: np.ndarray
    milli: np.ndarray
    unserved_people: float

    @classmethod
    def of(
        cls, people: pd.DataFrame, search: NodeSearch, node_count: int, rules: LatencyRules
    ) -> Self:
        """Assign people to nodes.

        Parameters
        ----------
        people
            Columns `people`, `lon`, `lat`; where they live, in any order.
        search
            The connected nodes.
        node_count
            Nodes in all, P.
        rules
            Parameters: `node_reach_mi`.

        Raises
        ------
        GeometryError
            For coordinates that are NaN or no degrees.
        """
        milli = np.rint(people["people"].to_numpy(float) * MILLI).astype(np.int64)
        lon, lat = people["lon"].to_numpy(float), people["lat"].to_numpy(float)
        found = search.access(lon, lat, rules.node_reach_mi, count=1)
        node, km = found.node_no[:, 0], found.mi[:, 0] * KM_PER_MILE
        served = np.flatnonzero((node >= 0) & (milli > 0))
        # Among equals by what they bring, so that the order of rows leaves no trace.
        order = served[np.lexsort((milli[served], km[served], node[served]))]
        offsets = np.searchsorted(node[order], np.arange(node_count + 1))
        running = np.concatenate([[0], np.cumsum(milli[order])])
        unserved = float(milli[node < 0].sum()) / MILLI
        return cls(offsets.astype(np.int64), km[order], running, unserved)

    @property
    def is_known(self) -> bool:
        """Whether anybody is served at all."""
        return len(self.tail_km) > 0

    @cached_property
    def serving(self) -> np.ndarray:
        """Numbers of the nodes that serve anybody."""
        return np.flatnonzero(np.diff(self.offsets))


@dataclass(frozen=True, eq=False)
class PeopleReach:
    """People and round trips in whole nanoseconds, ready to be counted."""

    served: ServedPeople
    rules: LatencyRules
    _node_ns: np.ndarray
    _first: np.ndarray
    _tail_ns: np.ndarray

    @classmethod
    def of(cls, served: ServedPeople, node_ms: np.ndarray, rules: LatencyRules) -> Self:
        """Prepare the counts.

        Parameters
        ----------
        served
            People by node.
        node_ms
            Round trips between nodes, shape (P, P, 3); inf where there is no path.
        rules
            Parameters.
        """
        serving = served.serving
        node_ns = np.empty((3, len(node_ms), len(serving)), dtype=np.int32)
        for end in range(3):
            node_ns[end] = _nanoseconds(node_ms[:, serving, end])
        tail_ns = _nanoseconds(rules.straight_ms(served.tail_km)).astype(np.int64).T.copy()
        first = np.append(served.offsets[serving], served.offsets[-1])
        return cls(served, rules, node_ns, first, tail_ns)

    def within(
        self,
        lon: np.ndarray,
        lat: np.ndarray,
        access: Access,
        budgets_ms: tuple[float, ...],
        *,
        workers: int = -1,
    ) -> np.ndarray:
        """Count the people whose round trip from places is within budgets.

        People's round trip is the least over the place's nodes of lateral and round trip to the people's
        node, their own tail to it, and the user's access once, each rounded to a nanosecond.

        Parameters
        ----------
        lon, lat
            Places, degrees, shape (n,); they only decide which are counted together.
        access
            Nodes of the places.
        budgets_ms
            Milliseconds, above 0 and up to 400, in any order.
        workers
            Threads; -1 takes all cores.

        Returns
        -------
        Thousandths of a person, int64, shape (n, len(budgets_ms), 3). The first are those whose *high*
        round trip is within the budget, who surely are; the last those whose low one is. 0 where a place
        has no node.

        Raises
        ------
        GeoError
            For a budget that is not above 0 and up to 400 ms.
        """
        budgets = np.array(budgets_ms, dtype=np.float64)
        if not ((budgets > 0.0) & (budgets <= MAX_BUDGET_MS)).all():
            msg = f"Round trips of {budgets_ms} ms cannot be asked for; take some above 0 and up to 400."
            raise GeoError(msg)
        out = np.zeros((len(access.mi), len(budgets), 3), dtype=np.int64)
        if not (self.served.is_known and len(budgets)):
            return out
        ascending = np.argsort(budgets, kind="stable")
        access_ms = np.array(self.rules.access_ms)
        budget_ns = np.rint((budgets[ascending] - access_ms[:, None]) * NS_PER_MS).astype(np.int64)
        order = hilbert_order(lon, lat, workers=workers)
        for begin in range(0, len(order), BLOCK):
            rows = order[begin : begin + BLOCK]
            out[rows[:, None], ascending] = self._block(access.take(rows), budget_ns, workers)
        # Who is within reach even by the high round trip is the low end of the count.
        return out[:, :, ::-1]

    def _block(self, access: Access, budget_ns: np.ndarray, workers: int) -> np.ndarray:
        """Count for places of which neighbours follow one another; the last axis is that of the trips."""
        # The same nodes in the same slots, whichever is the nearest.
        slot = np.argsort(access.node_no, axis=1, kind="stable")
        node = np.take_along_axis(access.node_no, slot, axis=1)
        mi = np.take_along_axis(access.mi, slot, axis=1)
        lateral_ms = Access(node, mi).lateral_ms(self.rules)
        lateral_ns = np.ascontiguousarray(
            _nanoseconds(lateral_ms).astype(np.int64).transpose(2, 0, 1)
        )
        out = np.zeros((len(node), budget_ns.shape[1], 3), dtype=np.int64)

        def run(rows: slice) -> None:
            _reach.people(
                node, lateral_ns, self._node_ns, self._first, self._tail_ns, self.served.milli,
                budget_ns, rows.start, rows.stop, out,
            )  # fmt: skip

        in_threads(run, len(node), workers, block=_PART)
        return out


def _nanoseconds(ms: np.ndarray) -> np.ndarray:
    """Milliseconds in whole nanoseconds, int32; what has no path or is longer than any budget alike."""
    ns = np.rint(np.asarray(ms, dtype=np.float64) * NS_PER_MS)
    return np.minimum(ns, _reach.NO_PATH_NS).astype(np.int32)
