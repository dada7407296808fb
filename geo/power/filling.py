"""How many megawatts of a target a region's substations fill, none of them sold twice."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from geo._threads import in_threads
from geo.power.sharing import Ledger, Sharing

GROUP = ["workload", "region_kind", "region_id"]
KW_PER_MW = 1_000
# Rounding of megawatts as floats, in kW.
TINY_KW = 1e-6
# Regions whose sites are computed together; each thread fills so many.
REGIONS = 64
# Sites are computed ahead while those before them hold less than this multiple of what is to be filled.
AHEAD = 2.0


def fill_regions(
    candidates: pd.DataFrame, sharing: Sharing | None, *, workers: int = -1
) -> pd.DataFrame:
    """Fill each region's target with its candidates in turn.

    Each takes what it has alone, less what the region's earlier ones take away from it; the last one only what
    the target still wants. Without `sharing`, or at a bus that it does not know, a substation has its
    own MW, whatever others draw.

    Parameters
    ----------
    candidates
        `workload`, `region_kind`, `region_id`; `candidate_no`, the order within them; `capacity_mw` of the
        substation alone; `target_mw`; `bus`, row of the substation's bus in the network of `sharing`, -1
        where it has none (not needed without `sharing`). A substation stands once in a region.
    sharing
        Load flow that the mid capacities come from.

    Returns
    -------
    DataFrame
        `used_mw` and `shared_mw`, what the earlier ones took away, at most all; both in whole kW, what is
        used rounded down. NaN from where the target is full. On the index of `candidates`.
    """
    order = candidates.sort_values([*GROUP[1:], "workload", "candidate_no"], kind="stable")
    number = order.groupby([*GROUP[1:], "workload"], sort=False, dropna=False).ngroup().to_numpy()
    start = np.flatnonzero(np.diff(number, prepend=-1))
    regions = _Regions(
        np.append(start, len(order)),
        np.floor(order["capacity_mw"].to_numpy(float) * KW_PER_MW + TINY_KW).astype(np.int64),
        np.round(order["target_mw"].to_numpy(float) * KW_PER_MW).astype(np.int64),
        np.full(len(order), -1) if sharing is None else order["bus"].to_numpy(np.int64),
        np.full(len(order), np.nan),
        np.full(len(order), np.nan),
    )
    for first in range(0, start.size, REGIONS):
        held = range(first, min(first + REGIONS, start.size))
        if sharing is not None:
            sharing.warm(
                np.concatenate([regions.ahead(region) for region in held]), workers=workers
            )

        def run(part: slice, held: range = held) -> None:
            for region in held[part]:
                regions.fill(region, sharing)

        in_threads(run, len(held), workers, block=8)
    filled = pd.DataFrame(
        {"used_mw": regions.used_kw / KW_PER_MW, "shared_mw": regions.shared_kw / KW_PER_MW},
        index=order.index,
    )
    return filled.reindex(candidates.index)


@dataclass(frozen=True, eq=False)
class _Regions:
    """Candidates of all regions, one region's after the other's; what is filled is written in place."""

    start: np.ndarray
    capacity_kw: np.ndarray
    target_kw: np.ndarray
    bus: np.ndarray
    used_kw: np.ndarray
    shared_kw: np.ndarray

    def ahead(self, region: int) -> np.ndarray:
        """Buses of the sites that will likely be asked of: none where the first one fills the target."""
        rows = slice(self.start[region], self.start[region + 1])
        capacity, target = self.capacity_kw[rows], self.target_kw[rows]
        if capacity[0] >= target[0]:
            return np.empty(0, np.int64)
        return self.bus[rows][np.cumsum(capacity) - capacity < AHEAD * target]

    def fill(self, region: int, sharing: Sharing | None) -> None:
        """Go through the candidates of a region until its target is full."""
        rows = range(self.start[region], self.start[region + 1])
        left_kw = int(self.target_kw[rows[0]])
        ledger = None if sharing is None else sharing.ledger()
        for row in rows:
            capacity_kw, bus = int(self.capacity_kw[row]), int(self.bus[row])
            shared_kw = 0 if ledger is None else _taken_kw(ledger, bus, capacity_kw)
            used_kw = min(capacity_kw - shared_kw, left_kw)
            self.used_kw[row], self.shared_kw[row] = used_kw, shared_kw
            left_kw -= used_kw
            if left_kw <= 0:
                break
            if ledger is not None and used_kw > 0:
                ledger.push(bus, used_kw / KW_PER_MW)


def _taken_kw(ledger: Ledger, bus: int, capacity_kw: int) -> int:
    """Give what those that draw already take away from a site: whole kW, rounded up."""
    taken_kw = np.ceil(ledger.taken_mw(bus) * KW_PER_MW - TINY_KW)
    return int(min(max(taken_kw, 0.0), capacity_kw))
