"""How many megawatts of a target a region's substations fill, none of them sold twice."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import linprog

from geo._threads import in_threads
from geo.power import _sharing
from geo.power.sharing import Sharing, Site

REGION = ["region_kind", "region_id", "workload"]
KW_PER_MW = 1_000
# Rounding of megawatts as floats, in kW.
TINY_KW = 1e-6
# Regions that are filled side by side, so that their sites are computed together, and sites of each at a time.
REGIONS = 32
SITES = 8
# Of these as many as hold, alone, this multiple of what is to be filled.
AHEAD = 2.0
# Limits that are added to a region's program at once, and overload that is none, MW.
CUTS = 30
TOLERANCE_MW = 2e-4
# A megawatt counts for its score, 0 to 100, and for a little by itself: where scores are 0 as well.
WORTH = 1.0
# Well over the tolerance of the solver, and under what scores differ by.
SOLVED = 1e-5


def fill_regions(
    candidates: pd.DataFrame, sharing: Sharing | None, *, workers: int = -1
) -> pd.DataFrame:
    """Fill each region's target as well as its substations can together.

    A region's plan takes in one candidate after the other until the target is full. With each the megawatts of
    all are set anew, to the largest sum of megawatts times score in which no substation has more than alone,
    all together no more than the target, and nothing that any of them leans on is over its limit, intact or after
    an outage: a linear program, whose limits are added as they are found to be broken. A candidate with which that
    sum is not larger stays out; another set of candidates may be worth more still. Where substations share nothing each has all of its own. Without
    `sharing`, or at a bus that it does not know, a substation has its own MW, whatever others draw.

    Parameters
    ----------
    candidates
        `workload`, `region_kind`, `region_id`; `candidate_no`, the order within them, and `score`, which does not
        rise in it; `capacity_mw` of the substation alone; `target_mw`; `bus`, row of the substation's bus in
        the network of `sharing`, -1 where it has none (not needed without `sharing`). A substation stands
        once in a region.
    sharing
        Load flow that the capacities come from.

    Returns
    -------
    DataFrame
        `used_mw`, rounded down, and `shared_mw`, what the others take away of a substation's capacity by what
        they draw; both in whole kW, NaN where a candidate was not looked at. On the index of `candidates`.
    """
    order = candidates.sort_values([*REGION, "candidate_no"], kind="stable")
    number = order.groupby(REGION, sort=False, dropna=False).ngroup().to_numpy()
    start = np.flatnonzero(np.diff(number, prepend=-1))
    regions = _Regions(
        np.append(start, len(order)),
        np.floor(order["capacity_mw"].to_numpy(float) * KW_PER_MW + TINY_KW) / KW_PER_MW,
        np.round(order["target_mw"].to_numpy(float) * KW_PER_MW) / KW_PER_MW,
        order["score"].to_numpy(float) + WORTH,
        np.full(len(order), -1) if sharing is None else order["bus"].to_numpy(np.int64),
        np.full(len(order), np.nan),
        np.full(len(order), np.nan),
    )
    for first in range(0, start.size, REGIONS):
        plans = [_Plan(regions, n) for n in range(first, min(first + REGIONS, start.size))]
        while plans:
            _go_on(plans, sharing, workers)
            plans = [plan for plan in plans if not plan.is_done]
    filled = pd.DataFrame(
        {"used_mw": regions.used_mw, "shared_mw": regions.shared_mw}, index=order.index
    )
    return filled.reindex(candidates.index)


@dataclass(frozen=True, eq=False)
class _Regions:
    """Candidates of all regions, one region's after the other's; what is filled is written in place."""

    start: np.ndarray
    capacity_mw: np.ndarray
    target_mw: np.ndarray
    worth: np.ndarray
    bus: np.ndarray
    used_mw: np.ndarray
    shared_mw: np.ndarray


@dataclass(frozen=True)
class _Cut:
    """A limit of one part that a plan broke: of an element, of a pair, or (-1 both) of the supply."""

    part: int
    element: int
    pair: int
    sign: float
    left_mw: float


class _Plan:
    """One region that is being filled: which of its candidates take part, and with how much."""

    def __init__(self, regions: _Regions, number: int) -> None:
        self.regions = regions
        self.first, self.stop = int(regions.start[number]), int(regions.start[number + 1])
        self.end = self.first
        self.target_mw = float(regions.target_mw[self.first])
        self.sites: dict[int, Site] = {}
        self.rows: list[int] = []
        self.mw = np.empty(0)
        self.cuts: list[_Cut] = []

    @property
    def is_done(self) -> bool:
        """Whether the target is full, or no candidate is left."""
        return self.end == self.stop or self.mw.sum() >= self.target_mw - 1.0 / KW_PER_MW

    def ahead(self) -> range:
        """Candidates to look at next; the first alone where it fills the target, since nobody shares then."""
        capacity = self.regions.capacity_mw[self.end : min(self.end + SITES, self.stop)]
        left_mw = self.target_mw - self.mw.sum()
        most = AHEAD * left_mw if capacity[0] < left_mw or self.rows else 0.0
        count = int((np.cumsum(capacity) - capacity < most).sum())
        return range(self.end, self.end + max(count, 1))

    def wanted(self) -> list[int]:
        """Buses of those."""
        rows = self.ahead()
        if not self.rows and len(rows) == 1:
            return []
        return self.regions.bus[rows.start : rows.stop].tolist()

    def go_on(self, sharing: Sharing | None) -> None:
        """Look at them in turn."""
        rows, wanted = self.ahead(), self.wanted()
        if sharing is not None and wanted:
            found = sharing.sites(wanted)
            self.sites |= {
                row: found[bus] for row, bus in zip(rows, wanted, strict=True) if bus in found
            }
        for row in rows:
            self._look_at(row, sharing)
            self.end = row + 1
            if self.is_done:
                self._write(sharing)
                return

    def _look_at(self, row: int, sharing: Sharing | None) -> None:
        """Let a candidate take part if that makes the plan better."""
        rows, cuts = [*self.rows, row], self.cuts
        while True:
            mw = self._best(rows, cuts, sharing)
            while sharing is not None and (broken := _broken(sharing, self._sites(rows), mw)):
                cuts = [*cuts, *broken]
                mw = self._best(rows, cuts, sharing)
            kept = [at for at, each in zip(rows, mw, strict=True) if each >= 1.0 / KW_PER_MW]
            if len(kept) == len(rows) or sharing is None:
                break
            # What only those leaned on that are left with nothing limits nobody.
            rows = kept
            cuts = [cut for cut in cuts if _is_leaned_on(sharing, self._sites(rows), cut)]
        if self._worth(rows, mw) > self._worth(self.rows, self.mw):
            self.rows, self.mw, self.cuts = rows, mw, cuts

    def _sites(self, rows: Sequence[int]) -> list[Site | None]:
        return [self.sites.get(row) for row in rows]

    def _worth(self, rows: Sequence[int], mw: np.ndarray) -> float:
        return float(self.regions.worth[list(rows)] @ mw)

    def _best(
        self, rows: Sequence[int], cuts: Sequence[_Cut], sharing: Sharing | None
    ) -> np.ndarray:
        """Solve for the MW of candidates under limits."""
        capacity = self.regions.capacity_mw[list(rows)]
        if not cuts or sharing is None:
            before = np.cumsum(capacity) - capacity
            return np.clip(self.target_mw - before, 0.0, capacity)
        sites = self._sites(rows)
        # Of equals the earlier one.
        worth = self.regions.worth[list(rows)] - SOLVED * np.arange(capacity.size)
        found = linprog(
            -worth,
            A_ub=np.array([np.ones(capacity.size), *(_factors(sharing, sites, c) for c in cuts)]),
            b_ub=np.array([self.target_mw, *(cut.left_mw for cut in cuts)]),
            bounds=np.column_stack([np.zeros(capacity.size), capacity]),
        )
        return np.clip(found.x, 0.0, capacity)

    def _write(self, sharing: Sharing | None) -> None:
        used_mw, shared_mw = self.regions.used_mw, self.regions.shared_mw
        used_mw[self.first : self.end] = shared_mw[self.first : self.end] = 0.0
        used_mw[self.rows] = np.floor(self.mw * KW_PER_MW + 0.1) / KW_PER_MW
        if sharing is None:
            return
        ledger = sharing.ledger()
        for row, mw in zip(self.rows, self.mw, strict=True):
            if row in self.sites:
                ledger.push_site(self.sites[row], mw)
        mw = dict(zip(self.rows, self.mw, strict=True))
        for row, site in self.sites.items():
            left_mw = mw.get(row, 0.0) + max(ledger.room_of(site).mw, 0.0)
            taken_mw = max(self.regions.capacity_mw[row] - left_mw, 0.0)
            shared_mw[row] = np.round(taken_mw * KW_PER_MW) / KW_PER_MW


def _go_on(plans: Sequence[_Plan], sharing: Sharing | None, workers: int) -> None:
    """Let each region go on by some candidates, whose sites are computed together."""
    if sharing is not None:
        sharing.warm([bus for plan in plans for bus in plan.wanted()], workers=workers)

    def run(part: slice) -> None:
        for plan in plans[part]:
            plan.go_on(sharing)

    in_threads(run, len(plans), workers, block=2)


def _broken(sharing: Sharing, sites: Sequence[Site | None], mw: np.ndarray) -> list[_Cut]:
    """Find the limits that a plan breaks, of each element the one that is broken most."""
    drawing = [(site, t) for site, t in zip(sites, mw, strict=True) if site is not None and t > 0.0]
    cuts = []
    for number in sorted({site.part for site, _ in drawing}):
        held = [(site, t) for site, t in drawing if site.part == number]
        if len(held) < 2:
            continue
        part, pairs = sharing.parts[number], sharing.pairs[number]
        total = sum(t for _, t in held)
        if total > part.supply_mw[0] + TOLERANCE_MW:
            cuts.append(_Cut(number, -1, -1, 1.0, float(part.supply_mw[0])))
        flow = part.flow_mw.copy()
        for site, t in held:
            flow += t * site.h
        near = np.concatenate([site.near for site, _ in held])
        pair = np.concatenate([site.pair for site, _ in held])
        near_left, pair_left = np.empty(near.size), np.empty(pair.size)
        _sharing.left_of(
            *(near, pair, pairs.element, pairs.outage, pairs.share, flow),
            *(part.limit_mw, part.after_limit_mw, near_left, pair_left),
        )
        left = np.concatenate([near_left, pair_left])
        element = np.concatenate([near, pairs.element[pair]])
        over = np.flatnonzero(left < -TOLERANCE_MW)
        # Worst first; of equals, and of what several lean on, the one that stands first in the case.
        over = over[np.lexsort((np.concatenate([near, pair])[over], element[over], left[over]))]
        over = over[np.sort(np.unique(element[over], return_index=True)[1])][:CUTS]
        for at in over.tolist():
            is_near = at < near.size
            i, p = int(element[at]), -1 if is_near else int(pair[at - near.size])
            now, before = flow[i], part.flow_mw[i]
            limit = part.limit_mw[i] if is_near else part.after_limit_mw[i]
            if not is_near:
                now += pairs.share[p] * flow[pairs.outage[p]]
                before += pairs.share[p] * part.flow_mw[pairs.outage[p]]
            sign = 1.0 if now > 0.0 else -1.0
            cuts.append(_Cut(number, i, p, sign, float(limit - sign * before)))
    return cuts


def _is_leaned_on(sharing: Sharing, sites: Sequence[Site | None], cut: _Cut) -> bool:
    """Whether any of the sites leans on what a cut limits."""
    return bool((np.abs(_factors(sharing, sites, cut)) >= sharing.factor_floor).any())


def _factors(sharing: Sharing, sites: Sequence[Site | None], cut: _Cut) -> np.ndarray:
    """Give what one MW of each site adds to what a cut limits."""
    out = np.zeros(len(sites))
    pairs = sharing.pairs[cut.part]
    for at, site in enumerate(sites):
        if site is None or site.part != cut.part:
            continue
        if cut.element < 0:
            out[at] = 1.0
            continue
        value = site.h[cut.element]
        if cut.pair >= 0:
            value += pairs.share[cut.pair] * site.h[pairs.outage[cut.pair]]
        out[at] = cut.sign * value
    return out
