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
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from geo.decide import _portfolio
from geo.decide._portfolio import Model, Plan, Rows
from geo.errors import GeoError

# Megawatts over a limit that are none.
TOLERANCE_MW = 1e-5
# Parcels of the first program, and of the last.
FIRST = 400
MOST_COLUMNS = 6_000
# Rounds in which limits are added to the relaxation, and parcels that it would take.
ROUNDS = 200
PRICED = 1_000


class Demand(NamedTuple):
    """What is asked for: MW in all, sites, MW of a site at least and at most, miles between sites at least."""

    mw: float
    sites: int
    least_mw: float
    most_mw: float
    spacing_mi: float = 0.0


@dataclass(frozen=True, eq=False)
class Offers:
    """Parcels that may be taken.

    Attributes
    ----------
    worth
        Of one MW, in any unit, shape (n,); the larger the better (a cost is given as less than 0).
    capacity_mw
        What the parcel's substation has alone, MW, shape (n,).
    substation
        Its number, shape (n,).
    lon, lat
        Degrees, WGS84, shape (n,).
    """

    worth: np.ndarray
    capacity_mw: np.ndarray
    substation: np.ndarray
    lon: np.ndarray
    lat: np.ndarray

    def take(self, rows: np.ndarray) -> "Offers":
        """Some of them."""
        return Offers(
            *(each[rows] for each in (self.worth, self.capacity_mw, self.substation)),
            self.lon[rows],
            self.lat[rows],
        )


class Limits(NamedTuple):
    """What substations share.

    Attributes
    ----------
    factor
        What one MW at each substation adds to each limit, 0 or more, sparse, shape (limits, substations).
    margin_mw
        What is left of each, MW, shape (limits,).
    """

    factor: csr_array
    margin_mw: np.ndarray


class Cut(NamedTuple):
    """A limit that a plan breaks.

    Attributes
    ----------
    factor
        What one MW of each substation adds to it, 0 or more, shape (substations,).
    is_leaning
        Whether a substation leans on it; it counts for a plan of which one does, shape (substations,).
    margin_mw
        What is left of it, MW.
    """

    factor: np.ndarray
    is_leaning: np.ndarray
    margin_mw: float


# Numbers of substations and their MW, to the limits that they break together.
Push = Callable[[np.ndarray, np.ndarray], list[Cut]]


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
        `milp`, or `greedy` where the solver had found nothing within the time.
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
        Sites that can be had, each with the least MW and apart; at most as many as were asked for.
    mw
        MW that these can have together, no more than was asked for, where all sites can be had.
    most_mw
        No portfolio of that many sites has more.
    """

    sites: int
    mw: float
    most_mw: float


def choose(
    offers: Offers,
    limits: Limits,
    demand: Demand,
    *,
    push: Push | None = None,
    time_limit_s: float = 30.0,
    gap: float = 1e-4,
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
        At which the solver may stop, as a share.
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
    held = offers.take(fits)
    search = _Search(held, limits, demand, push, began + time_limit_s, gap)
    plan = search.run(method) if fits.size else None
    if plan is None or not plan.is_whole:
        return search.shortfall() if fits.size else Shortfall(0, 0.0, 0.0)
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
        fits.size,
        np.unique(held.substation).size,
        search.kept_count,
        search.added_count,
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
        self.offers, self.limits, self.demand, self.push = offers, limits, demand, push
        self.deadline, self.gap = deadline, gap
        self.rows = Rows(offers.worth.size)
        self.model = Model.of(offers, demand)
        self.near = _portfolio.Near.of(offers.lon, offers.lat, demand.spacing_mi)
        self.bound, self.priced = np.inf, np.zeros(offers.worth.size)
        self.method: Literal["milp", "greedy"] = "milp"
        self.is_covering, self.kept_count, self.added_count = True, 0, 0
        # Offers of each substation, best first: of equals the first row.
        self.order = np.lexsort((np.arange(offers.worth.size), -offers.worth, offers.substation))
        self.is_best = np.diff(offers.substation[self.order], prepend=-1) != 0
        capacity = np.zeros(limits.factor.shape[1])
        capacity[offers.substation] = np.minimum(offers.capacity_mw, demand.most_mw)
        self.capacity_mw = capacity

    def run(self, method: Literal["milp", "greedy"]) -> Plan | None:
        """Find the best portfolio, or one that falls short where there is none."""
        self._relax()
        plan = None
        if method == "milp":
            first = self._highest(FIRST)
            plan = self._integer(first)
            # What falls short is no measure for dropping others.
            kept = self._kept(plan.value if plan is not None and plan.is_whole else -np.inf)
            if not np.isin(kept, first).all():
                plan = self._better(plan, self._integer(kept))
            if plan is not None and self.is_covering and plan.is_proven:
                self.bound = min(self.bound, plan.bound)
        if plan is None or not plan.is_whole:
            greedy = self._greedy()
            if greedy is not None and greedy.is_whole:
                self.method, self.is_covering = "greedy", True
                return greedy
        return plan

    def shortfall(self) -> Shortfall:
        """Tell what can be had where the portfolio cannot."""
        model, sites = self.model, self.demand.sites
        count = self._again(model.for_count())
        count_sites = 0 if count is None else count.rows.size
        if count_sites < sites:
            return Shortfall(count_sites, 0.0, 0.0)
        most = self._again(model.for_mw())
        if most is None:
            return Shortfall(count_sites, 0.0, 0.0)
        return Shortfall(sites, float(most.mw.sum()), min(self.bound, self.demand.mw))

    def _again(self, model: Model) -> Plan | None:
        """Search with another objective, under the limits that are known already."""
        self.model, self.bound, self.is_covering = model, np.inf, True
        self.deadline += max(time.monotonic() - self.deadline, 0.0) + 10.0
        self._relax()
        plan = self._integer(self._highest(FIRST))
        kept = self._kept(-np.inf if plan is None else plan.value)
        plan = self._better(plan, self._integer(kept))
        if plan is not None and self.is_covering and plan.is_proven:
            self.bound = min(self.bound, plan.bound)
        return plan

    def _better(self, one: Plan | None, other: Plan | None) -> Plan | None:
        if one is None or other is None:
            return other if one is None else one
        # The other's parcels hold those of the one: its bound counts for both.
        return other if other.total >= one.total else replace(one, bound=other.bound)

    @property
    def left_s(self) -> float:
        return self.deadline - time.monotonic()

    def _relax(self) -> None:
        """Solve the linear relaxation over all parcels, and price each of them."""
        columns = np.sort(self.order[self.is_best])
        for _ in range(ROUNDS):
            found = self.model.relaxed(columns, self.rows)
            bound, priced = self.model.priced(found, self.rows)
            if bound < self.bound:
                self.bound, self.priced = bound, priced
            if self._separate(found.columns, found.x, found.mw):
                if self.left_s < 0.0:
                    return
                continue
            # Other parcels of a substation, which stand farther from what else is taken.
            best = np.full(self.limits.factor.shape[1], 0.0)
            np.maximum.at(best, self.offers.substation[columns], priced[columns])
            better = np.flatnonzero(priced > best[self.offers.substation] + 1e-7 * abs(bound))
            better = better[np.argsort(-priced[better], kind="stable")][:PRICED]
            if not better.size or self.left_s < 0.0:
                return
            columns = np.union1d(columns, better)

    def _highest(self, count: int) -> np.ndarray:
        """Parcels that the relaxation prices highest."""
        return np.sort(np.argsort(-self.priced, kind="stable")[:count])

    def _kept(self, value: float) -> np.ndarray:
        """Parcels that may be part of a portfolio that is worth more than a value, the best ones if too many."""
        best = np.zeros(self.limits.factor.shape[1])
        np.maximum.at(best, self.offers.substation, self.priced)
        possible = self.bound - best[self.offers.substation] + self.priced
        kept = np.flatnonzero(possible > value + 1e-9 * abs(value))
        if kept.size > MOST_COLUMNS:
            self.is_covering = False
            kept = kept[np.argsort(-self.priced[kept], kind="stable")[:MOST_COLUMNS]]
        self.kept_count = kept.size
        return np.sort(kept)

    def _integer(self, columns: np.ndarray) -> Plan | None:
        """Solve the program over some parcels until nothing is broken; None where time ran out."""
        while self.left_s > 0.0:
            plan = self.model.solved(columns, self.rows, self.left_s, self.gap)
            if plan is None:
                return None
            if not self._separate(plan.rows, np.ones(plan.rows.size), plan.mw) and not (
                self._pushed(plan)
            ):
                return plan
        return None

    def _greedy(self) -> Plan | None:
        """Take the parcel that is priced highest of those that fit, one after the other."""
        best: Plan | None = None
        for priced in (self.priced, np.minimum(self.offers.capacity_mw, self.demand.most_mw)):
            order = np.argsort(-priced, kind="stable")[:MOST_COLUMNS]
            while True:
                plan = self._in_turn(order)
                if plan is None or not (
                    self._separate(plan.rows, np.ones(plan.rows.size), plan.mw)
                    or self._pushed(plan)
                ):
                    break
            best = plan if best is None else best
            if plan is not None and plan.is_whole:
                return plan
        return best

    def _in_turn(self, order: np.ndarray) -> Plan | None:
        taken: list[int] = []
        plan = None
        for row in order.tolist():
            if len(taken) == self.demand.sites:
                break
            same = self.offers.substation[taken] == self.offers.substation[row]
            if same.any() or self.near.is_near(row, taken):
                continue
            found = self.model.filled(np.array([*taken, row]), self.rows)
            if found is not None:
                taken, plan = [*taken, row], found
        return plan

    def _separate(self, columns: np.ndarray, x: np.ndarray, mw: np.ndarray) -> bool:
        """Add the limits and spacings that are broken; tell whether any was."""
        load = np.bincount(self.offers.substation[columns], mw, self.limits.factor.shape[1])
        over = self.limits.factor @ load - self.limits.margin_mw
        broken = np.flatnonzero(over > TOLERANCE_MW)
        broken = broken[np.argsort(-over[broken], kind="stable")][: _portfolio.CUTS]
        for limit in broken.tolist():
            factor = self.limits.factor[[limit]].toarray()[0]
            self.rows.add(None, factor[self.offers.substation], self.limits.margin_mw[limit])
        balls = self.near.broken(columns, x)
        for inside in balls:
            self.rows.add(inside, None, 1.0)
        return bool(broken.size or balls)

    def _pushed(self, plan: Plan) -> bool:
        """Add the limits that a plan breaks in the load flow; tell whether any was."""
        if self.push is None or not plan.rows.size:
            return False
        at = self.offers.substation[plan.rows]
        began = time.monotonic()
        cuts = self.push(at, plan.mw)
        # A load flow that has to be made first is not the solver's to answer for.
        self.deadline += time.monotonic() - began
        for cut in cuts:
            factor = np.where(cut.factor > 0.0, cut.factor, 0.0)
            # Without one that leans on it the limit does not count: the others can add so much at most.
            others = np.sort(np.where(cut.is_leaning, 0.0, factor * self.capacity_mw))
            spare = max(float(others[-self.demand.sites :].sum()) - cut.margin_mw, 0.0)
            by_offer = factor[self.offers.substation]
            if spare == 0.0:
                self.rows.add(None, by_offer, cut.margin_mw)
                continue
            for leaning in at[cut.is_leaning[at]].tolist():
                is_its = np.where(self.offers.substation == leaning, spare, 0.0)
                self.rows.add(is_its, by_offer, cut.margin_mw + spare)
        self.added_count += len(cuts)
        return bool(cuts)
