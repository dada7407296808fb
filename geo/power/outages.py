"""Outages and the elements that they load: the pairs that can limit a new load."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from geo._threads import in_threads
from geo.power import _ldl, _outages
from geo.power.factors import Factors

# Work space is kept for this many blocks of outages.
BLOCKS = 16
ROOM = 1 << 16


@dataclass(frozen=True)
class Screening:
    """Which pairs of element and outage can bind.

    The post-outage limit is `emergency` times the rating and the intact one the rating, so that for
    a pair to bind before its element does in the intact network the outage has to bring at least
    (emergency - 1) times the element's rating: |LODF| times what the outaged branch carries then. That is
    no more than its own rating, or what it carries before and a tolerated share of the new load.

    What this leaves out are elements just under the factor floor in the intact network that a tiny
    share of an outage lifts just over it; the tests count what that changes.

    Attributes
    ----------
    margin_share
        Pairs are kept from this multiple of the element's rating on; less than (emergency - 1) times
        the smallest rating factor of any case.
    largest_mw
        New load up to which nothing is lost.
    factor_floor
        Sensitivity under which the outaged branch is not held to its rating.
    largest_factor
        On ratings and base flows of the outaged branch: the largest of any case.
    least_share
        A share (LODF) of no more than this moves no flow that a planner looks at.
    """

    margin_share: float = 0.09
    largest_mw: float = 5_000.0
    factor_floor: float = 0.05
    largest_factor: float = 1.1
    least_share: float = 0.005

    @classmethod
    def none(cls) -> Self:
        """Keep every pair, with however small a share."""
        return cls(0.0, np.inf, least_share=0.0)


@dataclass(frozen=True, eq=False)
class Outages:
    """Pairs of an element and an outage in one island, by element and by outage.

    Attributes
    ----------
    element_start
        Shape (branches + 1,): the pairs of each element, outages ascending.
    outage, share
        Outaged branch (position in the island) and LODF of each pair.
    outage_start, by_outage
        The same pairs by outage: their numbers.
    element
        Element of each pair.
    largest_share
        Largest |LODF| of each outage, shape (branches,); 0 for an outage that is not studied.
    """

    element_start: np.ndarray
    outage: np.ndarray
    share: np.ndarray
    outage_start: np.ndarray
    by_outage: np.ndarray
    element: np.ndarray
    largest_share: np.ndarray

    @classmethod
    def of(cls, branches: int, element: np.ndarray, outage: np.ndarray, share: np.ndarray) -> Self:
        """Sort pairs both ways."""
        order = np.lexsort((outage, element))
        element, outage, share = element[order], outage[order], share[order]
        largest = np.zeros(branches)
        np.maximum.at(largest, outage, np.abs(share))
        return cls(
            _starts(element, branches),
            outage,
            share,
            _starts(outage, branches),
            np.argsort(outage, kind="stable"),
            element,
            largest,
        )

    def __len__(self) -> int:
        """Count the pairs."""
        return self.share.size


def screen(
    factors: Factors,
    flow_mw: np.ndarray,
    rating_mva: np.ndarray,
    is_studied: np.ndarray,
    rules: Screening | None = None,
    *,
    workers: int = -1,
) -> Outages:
    """Find the pairs of outage and element that can limit a new load.

    Parameters
    ----------
    factors
        An island.
    flow_mw, rating_mva
        Base flow of its branches, shape (branches,), and rating, shape (branches, 3): low, mid and high;
        may be infinite.
    is_studied
        Which branches are taken out: not those whose outage islands something. One without which
        negative reactances cancel has no pair.
    rules
        Default `Screening()`.
    """
    rules = rules or Screening()
    before, rating = rules.largest_factor * np.abs(flow_mw), rating_mva[:, 1]
    # What is unlimited or over its limit already is not held to it by any new load.
    is_held = np.isfinite(rating) & (np.abs(flow_mw) <= rating)
    tolerated = rules.largest_mw * np.where(is_held, rules.factor_floor, 1.0)
    held = np.where(is_held, rules.largest_factor * rating_mva[:, 2], 0.0)
    reach = np.maximum(before + tolerated, held)
    least = rules.margin_share * rating if rules.margin_share > 0.0 else np.zeros(rating.size)
    places = np.minimum(factors.from_place, factors.to_place)
    studied = np.flatnonzero(is_studied)
    # Neighbours in the factor share the part of it that is not touched.
    studied = studied[np.argsort(places[studied], kind="stable")]
    found: dict[int, tuple[np.ndarray, ...]] = {}

    def run(rows: slice) -> None:
        space = np.empty((factors.diagonal.size + 1, _ldl.BLOCK))
        room = ROOM
        for begin in range(rows.start, rows.stop, _ldl.BLOCK):
            outage = studied[begin : min(begin + _ldl.BLOCK, rows.stop)]
            while True:
                out = np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room)
                count = _outages.shares(
                    *(outage, factors.start, factors.below, factors.factor, factors.diagonal),
                    *(factors.from_place, factors.to_place, factors.susceptance),
                    *(reach, least, rules.least_share, space, *out),
                )
                if count <= room:
                    break
                room = 2 * count
            found[begin] = tuple(part[:count].copy() for part in out)

    in_threads(run, studied.size, workers, block=BLOCKS * _ldl.BLOCK)
    parts = [found[begin] for begin in sorted(found)] or [_NO_PAIR]
    element, outage, share = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Outages.of(factors.branch.size, element, outage, share)


_NO_PAIR = np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0)


def _starts(number: np.ndarray, count: int) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(np.bincount(number, minlength=count))]).astype(np.int64)
