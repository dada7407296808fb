"""Which sites together are worth most, while substations, corridors and zones are drawn down by each of them.

A portfolio takes a number of parcels and gives each some megawatts, no substation twice, within limits that
substations share: a limit is kept where the sum of factor times MW, over those whose load adds to it, is no more
than its margin. It is a mixed-integer program (x_p takes a parcel, m_p is its MW):

    most of sum worth_p m_p,  sum x_p = sites,  sum m_p = MW,  least x_p <= m_p <= min(capacity_p, most) x_p,
    sum over a substation's parcels of x_p <= 1,  sum factor m <= margin of each limit,
    x_p + x_q <= 1 where two parcels stand closer than the spacing.

Limits, spacing and what `push` finds are added as they are found to be broken. Candidates are reduced without
loss: the duals of the linear relaxation price every parcel (Lagrange), and one that could not be part of anything
better than what is known already is dropped. So the bound, and the gap, hold for all parcels, unless
`Portfolio.is_covering` says that the program over those that were left was too large.
"""

import time
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from geo.decide._portfolio import Model, Plan
from geo.decide._shared import TOLERANCE_MW, Cut, Demand, Limits, Offers, Push, Shared
from geo.errors import GeoError

__all__ = ["Cut", "Demand", "Limits", "Offers", "Portfolio", "Push", "Shortfall", "choose"]

# Parcels of the first program, and of the last.
FIRST = 400
MOST_COLUMNS = 6_000
# Rounds in which limits are added to the relaxation, and parcels that it would take.
ROUNDS = 200
PRICED = 1_000
# Seconds to find what can be had where a portfolio cannot.
AGAIN_S = 10.0


@dataclass(frozen=True, eq=False)
class Portfolio:
    """Parcels that were chosen, the one that brings most worth first.

    Attributes
    ----------
    rows
        Of the offers, shape (sites,).
    mw
        Of each, shape (sites,).
    value
        Sum of worth times MW.
    bound
        No portfolio is worth more: of all offers where `is_covering`, else of the relaxation over all.
    gap
        Of the bound over the value, as a share of the value's size; infinite where that is 0 and the bound more.
    method
        `milp`, or `greedy` where the solver had found nothing of the best worth within the time.
    is_covering
        Whether no parcel was left out of the last program that could be part of a better portfolio.
    offer_count, substation_count
        Parcels and substations that were offered with enough MW.
    kept_count
        Parcels of the last program.
    added_count
        Limits that were found by pushing plans through the load flow.
    seconds
        Time taken.
    """

    rows: np.ndarray
    mw: np.ndarray
    value: float
    bound: float
    gap: float
    method: Literal["milp", "greedy"]
    is_covering: bool
    offer_count: int
    substation_count: int
    kept_count: int
    added_count: int
    seconds: float


class Shortfall(NamedTuple):
    """Why there is no portfolio: what can be had instead.

    Attributes
    ----------
    sites
        Sites that were found, each with the least MW and apart; at most as many as were asked for.
    most_sites
        No more can be had, or as many as were asked for.
    mw
        MW that were found for these together, no more than was asked for, where all sites can be had.
    most_mw
        No portfolio of that many sites has more, up to what was asked for.
    """

    sites: int
    most_sites: int
    mw: float
    most_mw: float


def choose(
    offers: Offers,
    limits: Limits,
    demand: Demand,
    *,
    push: Push | None = None,
    time_limit_s: float = 30.0,
    gap: float = 1e-3,
    method: Literal["milp", "greedy"] = "milp",
) -> Portfolio | Shortfall:
    """Choose sites.

    Parameters
    ----------
    offers
        Parcels; those with less than the least MW are passed over.
    limits
        What substations share, as far as it is known beforehand.
    demand
        What is asked for.
    push
        Judges a plan by the whole load flow; what it finds is added.
    time_limit_s
        For choosing; what `push` takes comes on top.
    gap
        Of the bound over the value, as a share, at which the search may stop.
    method
        `greedy` takes the parcel that is priced highest of those that still fit, one after the other.

    Raises
    ------
    GeoError
        The demand is none, or a worth or capacity is not a number.
    """
    _check(offers, demand)
    began = time.monotonic()
    fits = np.flatnonzero(offers.capacity_mw >= demand.least_mw - TOLERANCE_MW)
    offer_count = fits.size
    if demand.spacing_mi == 0.0:
        # Of a substation's parcels only the best can be part of the best portfolio.
        order = fits[np.lexsort((fits, -offers.worth[fits], offers.substation[fits]))]
        fits = np.sort(order[np.diff(offers.substation[order], prepend=-1) != 0])
    held = offers.take(fits)
    search = _Search(held, limits, demand, push, began + time_limit_s, gap)
    plan = search.run(method) if fits.size else None
    if plan is None or not plan.is_whole:
        had = search.shortfall(plan) if fits.size else Shortfall(0, 0, 0.0, 0.0)
        if isinstance(had, Shortfall):
            return had
        plan = had
    order = np.lexsort((plan.rows, -held.worth[plan.rows] * plan.mw))
    value = plan.value
    bound = max(search.bound, value)
    over = bound - value
    return Portfolio(
        fits[plan.rows[order]],
        plan.mw[order],
        value,
        bound,
        over / abs(value) if value else (np.inf if over > 0.0 else 0.0),
        search.method,
        search.is_covering,
        offer_count,
        np.unique(held.substation).size,
        search.kept_count,
        search.shared.added_count,
        time.monotonic() - began,
    )


def _check(offers: Offers, demand: Demand) -> None:
    if not (
        0.0 < demand.mw < np.inf
        and demand.sites >= 1
        and 0.0 < demand.least_mw <= demand.most_mw
        and 0.0 <= demand.spacing_mi < np.inf
    ):
        msg = f"No portfolio can be asked for with {demand}."
        raise GeoError(msg)
    if not (np.isfinite(offers.worth).all() and np.isfinite(offers.capacity_mw).all()):
        msg = "Every parcel that is offered needs a worth and a capacity."
        raise GeoError(msg)


class _Search:
    """One search for a portfolio: the relaxation over all parcels, then programs over fewer of them."""

    def __init__(
        self,
        offers: Offers,
        limits: Limits,
        demand: Demand,
        push: Push | None,
        deadline: float,
        gap: float,
    ) -> None:
        self.offers, self.demand = offers, demand
        self.deadline, self.gap = deadline, gap
        self.shared = Shared(offers, limits, demand, push)
        self.model = Model.of(offers, demand)
        self.bound, self.priced = np.inf, np.zeros(offers.worth.size)
        self.method: Literal["milp", "greedy"] = "milp"
        self.is_covering, self.kept_count = True, 0
        # Offers of each substation, best first: of equals the first row.
        self.order = np.lexsort((np.arange(offers.worth.size), -offers.worth, offers.substation))
        self.is_best = np.diff(offers.substation[self.order], prepend=-1) != 0

    def run(self, method: Literal["milp", "greedy"]) -> Plan | None:
        """Find the best portfolio, or one that falls short where none is found."""
        self._relax()
        plan = self._best() if method == "milp" else None
        if plan is None or not plan.is_whole:
            greedy = self._greedy()
            if greedy is not None and (plan is None or greedy.total > plan.total):
                self.method = "greedy"
                plan = greedy
        return plan

    def shortfall(self, plan: Plan | None) -> Shortfall | Plan:
        """Tell what can be had where no portfolio was found; a portfolio if looking for MW alone finds one."""
        sites, model, bound = self.demand.sites, self.model, self.bound
        had = 0.0
        if plan is None or plan.rows.size < sites:
            self._ask_again(self.model.for_count())
            counted = self._integer(self.shared.near.apart(FIRST), self.left_s)
            count = max(0 if each is None else each.rows.size for each in (plan, counted))
            if count < sites:
                return Shortfall(count, int(self.bound + 1e-6), 0.0, 0.0)
        else:
            had = float(plan.mw.sum())
        self._ask_again(self.model.for_mw())
        most = self._best()
        if most is not None and most.rows.size == sites:
            had = max(had, float(most.mw.sum()))
            if most.is_whole:
                self.model, self.bound, self.method = model, bound, "greedy"
                whole = self.model.filled(most.rows, self.shared.rows)
                whole = None if whole is None else self._settled(whole)
                if whole is not None and whole.is_whole:
                    return whole
        return Shortfall(sites, sites, had, min(self.bound, self.demand.mw))

    def _ask_again(self, model: Model) -> None:
        """Price with another objective, under the limits that are known already."""
        self.model, self.bound = model, np.inf
        self.deadline = max(self.deadline, time.monotonic() + AGAIN_S)
        self._relax()

    def _best(self) -> Plan | None:
        """Solve the program over the parcels that are priced highest, then over all that may be in a better one."""
        first = self._highest(FIRST)
        plan = self._integer(first, 0.5 * self.left_s)
        # What falls short is no measure for dropping others.
        kept = self._kept(plan.total if plan is not None and plan.is_whole else -np.inf)
        if np.isin(kept, first).all():
            last = plan
        else:
            last = self._integer(kept, self.left_s)
            plan = self._better(plan, last)
        if last is not None and self.is_covering and last.is_proven:
            # What is dropped is worth no more than what was found before.
            self.bound = min(self.bound, max(last.bound, plan.total if plan else last.total))
        return plan

    def _better(self, one: Plan | None, other: Plan | None) -> Plan | None:
        if one is None or other is None:
            return other if one is None else one
        return other if other.total >= one.total else one

    @property
    def left_s(self) -> float:
        return self.deadline + self.shared.pushed_s - time.monotonic()

    def _relax(self) -> None:
        """Solve the linear relaxation over all parcels, and price each of them."""
        columns = np.sort(self.order[self.is_best])
        for _ in range(ROUNDS):
            found = self.model.relaxed(columns, self.shared.rows)
            bound, priced = self.model.priced(found, self.shared.rows)
            if bound < self.bound:
                self.bound, self.priced = bound, priced
            if self.shared.separate(found.columns, found.x, found.mw):
                if self.left_s < 0.0:
                    return
                continue
            # Other parcels of a substation, which stand farther from what else is taken.
            best = np.full(self.shared.substation_count, 0.0)
            np.maximum.at(best, self.offers.substation[columns], priced[columns])
            better = np.flatnonzero(priced > best[self.offers.substation] + 1e-7 * abs(bound))
            better = better[np.argsort(-priced[better], kind="stable")][:PRICED]
            if not better.size or self.left_s < 0.0:
                return
            columns = np.union1d(columns, better)

    def _highest(self, count: int, of: np.ndarray | None = None) -> np.ndarray:
        """Take parcels that the relaxation prices highest: half of them the best of their substations."""
        rows = np.arange(self.priced.size) if of is None else of
        order = rows[np.argsort(-self.priced[rows], kind="stable")]
        first = np.sort(np.unique(self.offers.substation[order], return_index=True)[1])
        best = order[first[: count // 2]]
        others = order[~np.isin(order, best)]
        return np.sort(np.concatenate([best, others[: count - best.size]]))

    def _kept(self, value: float) -> np.ndarray:
        """Take the parcels that may be part of what is worth more than a value, the best ones if too many."""
        best = np.zeros(self.shared.substation_count)
        np.maximum.at(best, self.offers.substation, self.priced)
        possible = self.bound - best[self.offers.substation] + self.priced
        kept = np.flatnonzero(possible > value + 1e-9 * abs(value))
        self.is_covering = kept.size <= MOST_COLUMNS
        if not self.is_covering:
            kept = self._highest(MOST_COLUMNS, kept)
        self.kept_count = kept.size
        return kept

    def _integer(self, columns: np.ndarray, time_s: float) -> Plan | None:
        """Solve the program over some parcels, again with what was broken, until what holds is good enough."""
        until = time.monotonic() + time_s - self.shared.pushed_s
        best, bound = None, np.inf
        while (left_s := until + self.shared.pushed_s - time.monotonic()) > 0.0:
            plan = self.model.solved(columns, self.shared.rows, left_s, self.gap)
            if plan is None:
                break
            bound = min(bound, plan.bound)
            settled = self._settled(plan)
            if settled is not None and (best is None or settled.total > best.total):
                best = settled
            if settled is plan:
                break
            if best is not None and best.total >= bound - self.gap * abs(bound):
                break
        if best is None:
            return None
        return replace(best, bound=max(bound, best.total), is_proven=np.isfinite(bound))

    def _settled(self, plan: Plan) -> Plan | None:
        """Give the sites of a plan megawatts that overload nothing; None where they stand too close or cannot."""
        settled: Plan | None = plan
        while settled is not None and self.shared.breaks(settled.rows, settled.mw):
            settled = self.model.filled(settled.rows, self.shared.rows)
        return settled

    def _greedy(self) -> Plan | None:
        """Take the parcel that is priced highest of those that fit, one after the other; or the largest."""
        best: Plan | None = None
        for priced in (self.priced, np.minimum(self.offers.capacity_mw, self.demand.most_mw)):
            order = np.argsort(-priced, kind="stable")[:MOST_COLUMNS]
            plan = self._in_turn(order)
            for _ in range(ROUNDS):
                settled = None if plan is None else self._settled(plan)
                if settled is not None or plan is None:
                    break
                plan = self._in_turn(order)
            else:
                settled = None
            if settled is not None and (best is None or settled.total > best.total):
                best = settled
            if best is not None and best.is_whole:
                break
        return best

    def _in_turn(self, order: np.ndarray) -> Plan | None:
        taken: list[int] = []
        plan = None
        for row in order.tolist():
            if len(taken) == self.demand.sites:
                break
            same = self.offers.substation[taken] == self.offers.substation[row]
            if same.any() or self.shared.near.is_near(row, taken):
                continue
            found = self.model.filled(np.array([*taken, row]), self.shared.rows)
            if found is not None:
                taken, plan = [*taken, row], found
        return plan
