"""Which sites together reach most people within a round trip: maximal covering location (Church, ReVelle 1974).

People stand at fiber nodes, with a tail to them (`geo.fiber.reach`); a site covers those whose round trip is within
the budget, and whoever is covered by several counts once. The program over some of the parcels takes x_p (a parcel)
and y_s (a group of people whom the same parcels cover):

    most of sum people_s y_s,  y_s <= sum of x_p that cover s,  sum x_p = sites,

with rows for spacing, substations and what these share as in `geo.decide.portfolio`. The parcels of the program are
those that the greedy choice looks at, then those that the duals of its relaxation price highest of all. By the same
duals (Lagrange) no choice of all parcels covers more than `Covering.bound_people`, so that the gap covers those
that were never in the program too.
"""

import time
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Self

import numpy as np
import pandas as pd
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array, eye_array, hstack, vstack

from geo._threads import in_threads
from geo.decide import _covering
from geo.decide._shared import Demand, Limits, Offers, Push, Shared
from geo.errors import GeoError
from geo.fiber.access import Access
from geo.fiber.reach import MAX_BUDGET_MS, NS_PER_MS, ServedPeople
from geo.fiber.rules import ENDS, LatencyRules

MID = ENDS.index("mid")
# Parcels of a program: of each round of the greedy choice, and those that the duals add each time, of one node.
LOOKED_AT = 24
ADDED = 200
ALIKE = 3
ROUNDS = 30
# Share of the time that is left for whole sites.
FOR_WHOLE = 0.4
# Whole units of worth that a thousandth of a person has in sums, so that they are exact.
UNIT = 1_000
MILLI = 1_000.0
_BLOCK = 256


@dataclass(frozen=True, eq=False)
class Reach:
    """Whom each parcel has within a budget.

    Attributes
    ----------
    node, lateral_ns
        Nodes of each parcel and the round trip to them, shape (n, K); node -1 where there are fewer.
    node_ns
        Round trip from every node to those that serve people, shape (P, S).
    first
        Where the people of each of those begin, shape (S + 1,).
    tail_ns
        From people to their node, ascending within a node, shape (R,).
    milli
        Thousandths of a person of each row, shape (R,).
    budget_ns
        Without the users' access.
    """

    node: np.ndarray
    lateral_ns: np.ndarray
    node_ns: np.ndarray
    first: np.ndarray
    tail_ns: np.ndarray
    milli: np.ndarray
    budget_ns: int

    @classmethod
    def of(
        cls,
        access: Access,
        served: ServedPeople,
        node_ms: np.ndarray,
        rules: LatencyRules,
        budget_ms: float,
        end: int = MID,
    ) -> Self:
        """Prepare from the nodes of parcels, the people by node, and round trips between nodes.

        Parameters
        ----------
        access
            Nodes of the parcels.
        served
            People.
        node_ms
            Shape (P, P, 3); inf where there is no path.
        rules
            Parameters.
        budget_ms
            Above 0 and up to 400.
        end
            Low (0), mid (1) or high (2) round trips.

        Raises
        ------
        GeoError
            For another budget.
        """
        if not 0.0 < budget_ms <= MAX_BUDGET_MS:
            msg = f"Round trips of {budget_ms} ms cannot be asked for; take some above 0 and up to 400."
            raise GeoError(msg)
        serving = served.serving
        return cls(
            access.node_no.astype(np.int64),
            _nanoseconds(access.lateral_ms(rules)[:, :, end]).astype(np.int64),
            _nanoseconds(node_ms[:, serving, end]),
            np.append(served.offsets[serving], served.offsets[-1]),
            _nanoseconds(rules.straight_ms(served.tail_km)[:, end]).astype(np.int64),
            np.diff(served.milli),
            int(np.rint((budget_ms - rules.access_ms[end]) * NS_PER_MS)),
        )

    def worths(self, worth: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """Sum what people within the budget of parcels are worth.

        Parameters
        ----------
        worth
            Of each row of people, whole numbers, shape (R,).
        rows
            Parcels, default all.
        """
        rows = np.arange(len(self.node)) if rows is None else rows
        running = np.concatenate([[0], np.cumsum(worth)]).astype(np.int64)
        out = np.zeros(rows.size, dtype=np.int64)

        def run(part: slice) -> None:
            _covering.worths(rows[part], *self._arrays, running, out[part])

        in_threads(run, rows.size, -1, block=_BLOCK)
        return out

    def reached(self, rows: np.ndarray) -> np.ndarray:
        """Count how many rows of people of each node parcels reach, shape (parcels, S)."""
        out = np.zeros((rows.size, self.first.size - 1), dtype=np.int32)

        def run(part: slice) -> None:
            _covering.reached(rows[part], *self._arrays, out[part])

        in_threads(run, rows.size, -1, block=_BLOCK)
        return out

    def covered(self, rows: np.ndarray) -> np.ndarray:
        """Whether any of some parcels reaches each row of people, shape (R,)."""
        if not rows.size:
            return np.zeros(self.tail_ns.size, dtype=bool)
        most = self.reached(rows).max(axis=0)
        return np.arange(self.tail_ns.size) - self.first[self._of_row] < most[self._of_row]

    @cached_property
    def _of_row(self) -> np.ndarray:
        """Node of each row of people, among those that serve any."""
        return np.repeat(np.arange(self.first.size - 1), np.diff(self.first))

    @property
    def _arrays(self) -> tuple[np.ndarray | int, ...]:
        places = self.node, self.lateral_ns, self.node_ns, self.first, self.tail_ns
        return (*places, self.budget_ns)


@dataclass(frozen=True, eq=False)
class Covering:
    """Parcels that were chosen, the one that adds most people first.

    Attributes
    ----------
    rows
        Of the offers, shape (sites,).
    people
        Whom each has within the budget, shape (sites,).
    added_people
        Whom each adds to those before it, shape (sites,).
    total_people
        All of them, each once.
    bound_people
        No choice of all parcels covers more.
    gap
        Of the bound over the total.
    method
        `milp`, or `greedy` (with exchanges of one site) where the solver found nothing better within the time.
    offer_count, kept_count
        Parcels that were offered, and those of the last program.
    added_count
        Limits that were found by pushing plans through the load flow.
    seconds
        Time taken.
    """

    rows: np.ndarray
    people: np.ndarray
    added_people: np.ndarray
    total_people: float
    bound_people: float
    gap: float
    method: Literal["milp", "greedy"]
    offer_count: int
    kept_count: int
    added_count: int
    seconds: float


def cover(
    reach: Reach,
    offers: Offers,
    limits: Limits,
    demand: Demand,
    *,
    push: Push | None = None,
    time_limit_s: float = 40.0,
    gap: float = 1e-3,
    method: Literal["milp", "greedy"] = "milp",
) -> Covering | int:
    """Choose sites that cover most people.

    Parameters
    ----------
    reach
        Whom each parcel has within the budget.
    offers
        The parcels; `worth` is not used.
    limits
        What substations share.
    demand
        Each site has the even share of the MW, whatever else is said of its size; MW of 0 count nowhere.
    push
        Judges a plan by the whole load flow.
    time_limit_s
        For choosing; what `push` takes comes on top.
    gap
        Of the bound over the value, as a share, at which the search may stop.
    method
        `greedy` takes the parcel that adds most people of those that still fit, one after the other, and then exchanges
        one site for another as long as that covers more.

    Returns
    -------
    Covering, or the number of sites that could be found where it is less than was asked for.
    """
    began = time.monotonic()
    search = _Search(reach, offers, limits, demand, push, began + time_limit_s, gap)
    taken = search.greedy()
    if taken is None:
        return search.most_sites()
    taken = search.exchanged(taken)
    best: Literal["milp", "greedy"] = "greedy"
    search.bound_greedily(taken)
    if method == "milp":
        found = search.improve(taken)
        if found is not None:
            taken, best = found, "milp"
    order, added = search.in_order(taken)
    total = float(added.sum())
    bound = max(search.bound / MILLI, total)
    return Covering(
        order,
        reach.worths(reach.milli, order) / MILLI,
        added,
        total,
        bound,
        (bound - total) / total if total else (np.inf if bound else 0.0),
        best,
        offers.worth.size,
        search.columns.size,
        search.shared.added_count,
        time.monotonic() - began,
    )


class _Search:
    """One search for sites that cover most people; people are counted in thousandths."""

    def __init__(
        self,
        reach: Reach,
        offers: Offers,
        limits: Limits,
        demand: Demand,
        push: Push | None,
        deadline: float,
        gap: float,
    ) -> None:
        self.reach, self.offers, self.sites = reach, offers, demand.sites
        self.share_mw = demand.mw / demand.sites
        self.deadline, self.gap = deadline, gap
        self.shared = Shared(offers, limits, demand, push)
        self.bound = float(reach.milli.sum())
        self.columns = np.zeros(0, dtype=np.int64)
        self.best_share: np.ndarray | None = None

    @property
    def left_s(self) -> float:
        return self.deadline + self.shared.pushed_s - time.monotonic()

    def greedy(self) -> np.ndarray | None:
        """Take what adds most, again whenever the sites together break a limit; None where they cannot fit."""
        for _ in range(200):
            taken = self._in_turn()
            if taken.size < self.sites:
                return None
            if not self.shared.breaks(taken, np.full(taken.size, self.share_mw)):
                return taken
        return None

    def exchanged(self, taken: np.ndarray) -> np.ndarray:
        """Exchange one site for another while that covers more and breaks nothing (Teitz, Bart 1968)."""
        have = int(self.reach.milli[self.reach.covered(taken)].sum())
        is_better = True
        while is_better and self.left_s > 0.0:
            is_better = False
            for row in taken.tolist():
                others = taken[taken != row]
                is_covered = self.reach.covered(others)
                kept = int(self.reach.milli[is_covered].sum())
                gain = self.reach.worths(np.where(is_covered, 0, self.reach.milli))
                top = np.argpartition(-gain, min(_BLOCK, gain.size - 1))[:_BLOCK]
                top = top[np.lexsort((top, -gain[top]))]
                self.columns = np.union1d(self.columns, top[:LOOKED_AT])
                top = top[kept + gain[top] > have]
                new = next((n for n in top.tolist() if self._fits(n, others.tolist())), -1)
                if new < 0:
                    continue
                plan = np.append(others, new)
                if not self.shared.breaks(plan, np.full(plan.size, self.share_mw)):
                    taken, have, is_better = plan, kept + int(gain[new]), True
                    break
        return taken

    def most_sites(self) -> int:
        """Sites that can be found, however few people they cover: each as far as can be from those before."""
        best = self._in_turn().size
        far: list[int] = []
        for row in self.shared.near.apart(2_000, ordered=True).tolist():
            if len(far) < self.sites and self._fits(row, far):
                far.append(row)
        return max(best, len(far))

    def bound_greedily(self, taken: np.ndarray) -> None:
        """Bound by what sites cover and the best additions to them: covering is submodular (Nemhauser 1978)."""
        is_covered = self.reach.covered(taken)
        worth = np.where(is_covered, 0, self.reach.milli)
        add = np.sort(self.reach.worths(worth))[-self.sites :]
        have = int(self.reach.milli[is_covered].sum())
        self.bound = min(self.bound, float(have + add.sum()))

    def improve(self, taken: np.ndarray) -> np.ndarray | None:
        """Solve the program; None where nothing better was found than what is taken."""
        self.columns = np.union1d(self.columns, taken)
        before = int(self.reach.milli[self.reach.covered(taken)].sum())
        for_whole_s = FOR_WHOLE * self.left_s
        for _ in range(ROUNDS):
            if not self._priced() or self.left_s < for_whole_s:
                break
        best, most = None, before
        while self.left_s > 0.0 and most < self.bound * (1.0 - self.gap):
            found = self._solved()
            if found is None:
                break
            if not self.shared.breaks(found, np.full(found.size, self.share_mw)):
                total = int(self.reach.milli[self.reach.covered(found)].sum())
                if total > most and found.size == self.sites:
                    best, most = found, total
                break
        return best

    def in_order(self, taken: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Order sites by what each adds to those before it; give that in people."""
        left, order, added = sorted(taken.tolist()), [], []
        while left:
            worth = np.where(self.reach.covered(np.array(order, dtype=int)), 0, self.reach.milli)
            gains = self.reach.worths(worth, np.array(left))
            at = int(np.argmax(gains))
            order.append(left.pop(at))
            added.append(gains[at] / MILLI)
        return np.array(order, dtype=np.int64), np.array(added)

    def _fits(self, row: int, taken: list[int]) -> bool:
        """Whether a parcel can join others: apart, of its own substation, and within rows known so far."""
        same = self.offers.substation[taken] == self.offers.substation[row]
        if same.any() or self.shared.near.is_near(row, taken):
            return False
        x, mw, most = self.shared.rows.arrays()
        rows = np.array([*taken, row])
        used = np.asarray((x + self.share_mw * mw)[:, rows].sum(axis=1)).ravel()
        return bool((used <= most + 1e-9 * np.abs(most) + 1e-6).all())

    def _in_turn(self) -> np.ndarray:
        """Take what adds most of what fits, one after the other; gains that are out of date only fall."""
        taken: list[int] = []
        gain = self.reach.worths(self.reach.milli)
        looked: list[np.ndarray] = []
        is_out = np.zeros(gain.size, dtype=bool)
        while len(taken) < self.sites:
            worth = np.where(self.reach.covered(np.array(taken, dtype=int)), 0, self.reach.milli)
            fresh = np.zeros(gain.size, dtype=bool)
            chosen = -1
            while True:
                order = np.argpartition(-np.where(is_out, -1, gain), min(_BLOCK, gain.size - 1))
                top = order[:_BLOCK]
                top = top[~is_out[top]]
                stale = top[~fresh[top]]
                if stale.size:
                    gain[stale], fresh[stale] = self.reach.worths(worth, stale), True
                    continue
                if not top.size:
                    break
                top = top[np.lexsort((top, -gain[top]))]
                fitting = next((row for row in top.tolist() if self._fits(row, taken)), -1)
                if fitting >= 0:
                    chosen = fitting
                    looked.append(top[:LOOKED_AT])
                    break
                # What does not fit now never will: sites only become more.
                is_out[top] = True
            if chosen < 0:
                break
            taken.append(chosen)
            is_out[chosen] = True
        if looked:
            self.columns = np.union1d(self.columns, np.concatenate(looked))
        return np.array(taken, dtype=np.int64)

    def _groups(self) -> tuple[csr_array, np.ndarray, np.ndarray]:
        """People by the columns that cover them: (groups, columns), thousandths of each, group of each row or -1."""
        reached = self.reach.reached(self.columns)
        first = self.reach.first
        at = np.arange(self.reach.tail_ns.size)
        node = np.repeat(np.arange(first.size - 1), np.diff(first))
        # Rows of one node that lie between the same two ends of reach are covered by the same columns.
        ends = [np.unique(reached[:, j]) for j in range(first.size - 1)]
        part = np.concatenate(
            [np.searchsorted(ends[j], np.arange(first[j + 1] - first[j]), side="right")
             for j in range(first.size - 1)]
        ) if first.size > 1 else np.zeros(0, int)  # fmt: skip
        _, lead, of_row = np.unique(
            np.column_stack([node, part]), axis=0, return_index=True, return_inverse=True
        )
        its_node = node[lead]
        covers = (at[lead] - first[its_node])[:, None] < reached[:, its_node].T
        covers, merged = np.unique(covers, axis=0, return_inverse=True)
        group = merged.ravel()[of_row.ravel()]
        milli = np.bincount(group, self.reach.milli, len(covers))
        return csr_array(covers.astype(float)), milli, group

    def _program(self, covers: csr_array) -> tuple[csr_array, np.ndarray]:
        """Rows over x and y: groups, substations, and what was added."""
        groups, n = covers.shape
        number, row, count = np.unique(
            self.offers.substation[self.columns], return_inverse=True, return_counts=True
        )
        once = csr_array((np.ones(n), (row, np.arange(n))), shape=(number.size, n))
        once = once[np.flatnonzero(count > 1)]
        x, mw, most = self.shared.rows.arrays()
        held = (x + self.share_mw * mw)[:, self.columns]
        a = vstack(
            [
                hstack([-covers, eye_array(groups)]),
                hstack([once, csr_array((once.shape[0], groups))]),
                hstack([held, csr_array((most.size, groups))]),
            ],
            format="csr",
        )
        return csr_array(a), np.concatenate([np.zeros(groups), np.ones(once.shape[0]), most])

    def _priced(self) -> bool:
        """Solve the relaxation over the columns, bound by its duals, and add what these price highest.

        Tell whether any was added.
        """
        covers, milli, group = self._groups()
        groups, n = covers.shape
        a, most = self._program(covers)
        scale = max(float(milli.max(initial=1.0)), 1.0)
        asked = np.concatenate([np.ones(n), np.zeros(groups)])[None]
        found = linprog(
            -np.concatenate([np.zeros(n), milli / scale]),
            A_ub=a,
            b_ub=most,
            A_eq=asked,
            b_eq=[self.sites],
            bounds=(0.0, 1.0),
            method="highs",
            options={"time_limit": max(self.left_s, 1.0)},
        )
        if found.x is None or found.status != 0:
            return False
        # The share of each group that is paid to whoever covers it; the rest counts whether or not it is covered.
        paid = np.clip(-found.ineqlin.marginals[:groups] * scale, 0.0, milli)
        share = np.divide(paid, milli, out=np.zeros(groups), where=milli > 0.0)
        # Duals of few columns jump about: halfway to the best ones so far they bound better and add what is needed.
        own = share[group]
        shares = [own] if self.best_share is None else [(own + self.best_share) / 2.0, own]
        return any(self._bounded(each) for each in shares)

    def _bounded(self, share: np.ndarray) -> bool:
        """Bound by shares of people that are paid for covering them; add the parcels that are paid most.

        Whoever is not paid for counts as covered.
        """
        worth = np.ceil(share * self.reach.milli * UNIT).astype(np.int64)
        prices = self.reach.worths(worth) / UNIT
        free = float(((1.0 - share) * self.reach.milli).sum())
        bound = free + float(np.sort(prices)[-self.sites :].sum())
        if bound < self.bound:
            self.bound, self.best_share = bound, share
        held = np.sort(prices[self.columns])
        level = held[-self.sites :].min(initial=np.inf)
        is_new = np.ones(prices.size, dtype=bool)
        is_new[self.columns] = False
        better = np.flatnonzero(is_new & (prices > level * (1.0 + 1e-6)))
        better = better[np.lexsort((better, -prices[better]))]
        # Neighbours reach the same people: of one node the best ones.
        near = pd.Series(self.reach.node[better, 0])
        better = better[near.groupby(near).cumcount().to_numpy() < ALIKE][:ADDED]
        self.columns = np.union1d(self.columns, better)
        return bool(better.size)

    def _solved(self) -> np.ndarray | None:
        """Solve the program over the columns in whole sites."""
        covers, milli, _ = self._groups()
        groups, n = covers.shape
        a, most = self._program(covers)
        scale = max(float(milli.max(initial=1.0)), 1.0)
        found = milp(
            -np.concatenate([np.zeros(n), milli / scale]),
            integrality=np.concatenate([np.ones(n), np.zeros(groups)]),
            bounds=Bounds(0.0, 1.0),
            constraints=[
                LinearConstraint(a, ub=most),
                LinearConstraint(
                    np.concatenate([np.ones(n), np.zeros(groups)])[None],
                    lb=self.sites,
                    ub=self.sites,
                ),
            ],
            options={"time_limit": max(self.left_s, 0.1), "mip_rel_gap": self.gap},
        )
        if found.x is None:
            return None
        return self.columns[found.x[:n] > 0.5]


def _nanoseconds(ms: np.ndarray) -> np.ndarray:
    """Milliseconds in whole nanoseconds, int32; what has no path or is longer than any budget alike."""
    ns = np.rint(np.asarray(ms, dtype=np.float64) * NS_PER_MS)
    return np.minimum(ns, _covering.NO_PATH_NS).astype(np.int32)
