"""What sites of a portfolio share: limits of the grid, supplies, zones, and the ground between them."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from geo.decide._portfolio import CUTS, Near, Rows

# Megawatts over a limit that are none.
TOLERANCE_MW = 1e-5


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
        """Take some of them."""
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


class Shared:
    """Rows of all offers that sites must keep, added as plans are found to break them.

    Attributes
    ----------
    rows
        Those so far.
    near
        Which offers stand too close to one another.
    added_count
        Limits that were found by pushing plans through the load flow.
    pushed_s
        Seconds that took.
    """

    def __init__(self, offers: Offers, limits: Limits, demand: Demand, push: Push | None) -> None:
        self._offers, self._limits, self._push = offers, limits, push
        self._sites = demand.sites
        self.rows = Rows(offers.worth.size)
        self.near = Near.of(offers.lon, offers.lat, demand.spacing_mi)
        self.added_count, self.pushed_s = 0, 0.0
        self._capacity_mw = np.zeros(self.substation_count)
        self._capacity_mw[offers.substation] = np.minimum(offers.capacity_mw, demand.most_mw)

    @property
    def substation_count(self) -> int:
        """Substations that are numbered."""
        return self._limits.factor.shape[1]

    def breaks(self, rows: np.ndarray, mw: np.ndarray) -> bool:
        """Add what whole sites break; tell whether they break anything."""
        return self.separate(rows, np.ones(rows.size), mw) or self._pushed(rows, mw)

    def separate(self, columns: np.ndarray, x: np.ndarray, mw: np.ndarray) -> bool:
        """Add the limits and spacings that are broken; tell whether any was."""
        load = np.bincount(self._offers.substation[columns], mw, self._limits.factor.shape[1])
        over = self._limits.factor @ load - self._limits.margin_mw
        broken = np.flatnonzero(over > TOLERANCE_MW)
        broken = broken[np.argsort(-over[broken], kind="stable")][:CUTS]
        for limit in broken.tolist():
            factor = self._limits.factor[[limit]].toarray()[0]
            self.rows.add(None, factor[self._offers.substation], self._limits.margin_mw[limit])
        balls = self.near.broken(columns, x)
        for inside in balls:
            self.rows.add(inside, None, 1.0)
        return bool(broken.size or balls)

    def _pushed(self, rows: np.ndarray, mw: np.ndarray) -> bool:
        """Add the limits that a plan breaks in the load flow; tell whether any was."""
        if self._push is None or not rows.size:
            return False
        at = self._offers.substation[rows]
        began = time.monotonic()
        cuts = self._push(at, mw)
        # A load flow that has to be made first is not the solver's to answer for.
        self.pushed_s += time.monotonic() - began
        for cut in cuts:
            factor = np.where(cut.factor > 0.0, cut.factor, 0.0)
            # Without one that leans on it the limit does not count: the others can add so much at most.
            others = np.sort(np.where(cut.is_leaning, 0.0, factor * self._capacity_mw))
            spare = max(float(others[-self._sites :].sum()) - cut.margin_mw, 0.0)
            by_offer = factor[self._offers.substation]
            if spare == 0.0:
                self.rows.add(None, by_offer, cut.margin_mw)
                continue
            for leaning in at[cut.is_leaning[at]].tolist():
                is_its = np.where(self._offers.substation == leaning, spare, 0.0)
                self.rows.add(is_its, by_offer, cut.margin_mw + spare)
        self.added_count += len(cuts)
        return bool(cuts)
