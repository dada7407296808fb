"""Hosting capacity: the largest new load that each bus can serve, intact and after any single outage.

For a new load of t MW at a bus, served by a supply (generators with headroom, in proportion to it), the
flow of element l is f_l + t h_l, with f the base flow and h the sensitivity to the transfer; after the outage
of branch k it is f_l + LODF_lk f_k + t (h_l + LODF_lk h_k). The capacity is the largest t at which no monitored
flow is above its limit and the supply suffices. Rules, each a field of `Case`:

- the factor floor: an element whose sensitivity is under it (after the outage, for a pair) is not monitored;
- the limit is the rating, after an outage `emergency_factor` times the rating;
- outages that island something are left out;
- what is over its limit before the new load, at mid ratings and base flows, is waived: it does not
  bind in any case, an element not after outages either. Ratings of the network say what is waived and
  limits of a case what binds, so that a higher limit (`Case.upgrade`) never lowers a capacity.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from geo._threads import in_threads
from geo.errors import GeoError
from geo.power import _hosting, _ldl
from geo.power.factors import Factors
from geo.power.network import Network
from geo.power.outages import BLOCKS, Outages, Screening, screen
from geo.power.sensitivity import bridges, factors_of, islands_with_branches

# Generators that serve a new load, in proportion to their headroom.
Supply = Literal["committed", "committable", "zone"]
# committed: firm units that run in the base case, of the interconnection; committable: with those that
# stand still; zone: the committed ones of the load's zone. The local ones come last.
SUPPLIES: tuple[Supply, ...] = ("committed", "committable", "zone")
LOCAL: tuple[Supply, ...] = ("zone",)
ENDS = ("low", "mid", "high")


@dataclass(frozen=True)
class Case:
    """One set of assumptions.

    Attributes
    ----------
    name
        What it is called in results.
    rating
        End of the interval of estimated ratings.
    rating_factor
        On ratings that the network gives.
    flow_factor
        On the base flows: the level of load and generation, 1 as published.
    emergency_factor
        Limit after an outage, times the rating.
    factor_floor
        Sensitivity under which an element is not monitored.
    supplies
        Supplies that are tried.
    takes
        Whether the least or the most of them counts.
    upgrade
        Factor on the limit of every branch of the network, shape (branches,); no change where None.
    """

    name: str
    rating: Literal["low", "mid", "high"] = "mid"
    rating_factor: float = 1.0
    flow_factor: float = 1.0
    emergency_factor: float = 1.2
    factor_floor: float = 0.05
    supplies: tuple[Supply, ...] = ("committed",)
    takes: Literal["least", "most"] = "least"
    upgrade: np.ndarray | None = field(default=None, repr=False, compare=False)

    def limit_mw(self, network: Network) -> np.ndarray:
        """Limit of every branch in the intact network, MW."""
        estimated = network.rating_mva[:, ENDS.index(self.rating)]
        given = network.rating_mva[:, 1] * self.rating_factor
        limit = np.where(network.is_rating_estimated, estimated, given)
        return limit if self.upgrade is None else limit * self.upgrade


@dataclass(frozen=True, eq=False)
class Island:
    """An island of a network, ready for hosting capacities of any cases and sites."""

    factors: Factors
    outages: Outages
    is_bridge: np.ndarray


@dataclass(frozen=True, eq=False)
class Hosting:
    """Hosting capacity of buses under several cases.

    Attributes
    ----------
    bus
        Rows of the network's buses, shape (sites,).
    cases
        Names.
    intact_mw, secure_mw
        Capacity of the intact network (N-0), and also after any single outage (N-1), MW, shape
        (cases, sites).
    limit_branch, limit_outage
        Rows of the network's branches that limit `secure_mw`: -1 as branch is the supply, -1 as
        outage the intact network.
    tight_mw, tight_branch, tight_outage, tight_factor, tight_margin_mw
        Tightest constraints of the first case, one an element, ascending, shape (sites, 8): MW that they
        allow this site alone, element, outage, sensitivity (sign: direction), and MW that are left
        of the limit; branch -1 past the last.
    """

    bus: np.ndarray
    cases: tuple[str, ...]
    intact_mw: np.ndarray
    secure_mw: np.ndarray
    limit_branch: np.ndarray
    limit_outage: np.ndarray
    tight_mw: np.ndarray
    tight_branch: np.ndarray
    tight_outage: np.ndarray
    tight_factor: np.ndarray
    tight_margin_mw: np.ndarray


def prepare_islands(
    network: Network, rules: Screening | None = None, *, workers: int = -1
) -> list[Island]:
    """Factor the islands of a network and screen their outages.

    Raises
    ------
    GeoError
        Negative reactances cancel, so that flows are not defined.
    """
    is_bridge = bridges(network)
    found = []
    for number in islands_with_branches(network):
        factors = factors_of(network, number)
        rows = factors.branch
        outages = screen(
            factors,
            network.flow_mw[rows],
            network.rating_mva[rows],
            ~is_bridge[rows],
            rules,
            workers=workers,
        )
        found.append(Island(factors, outages, is_bridge[rows]))
    return found


def hosting_capacity(
    network: Network,
    islands: Sequence[Island],
    cases: Sequence[Case],
    bus: np.ndarray | None = None,
    *,
    workers: int = -1,
) -> Hosting:
    """Hosting capacity of buses under every case.

    Parameters
    ----------
    network
        The case.
    islands
        From `prepare_islands`.
    cases
        Sets of assumptions; the first is the one whose tightest constraints are kept.
    bus
        Rows of buses, default all of 60 kV or more.

    Returns
    -------
    Hosting
        0 where nothing serves a bus: alone, or in an island without generators that have headroom.

    Raises
    ------
    GeoError
        No case is given.
    """
    if not cases:
        msg = "Hosting capacity needs a case to work with."
        raise GeoError(msg)
    bus = network.connectable_buses if bus is None else np.asarray(bus, dtype=np.int64)
    out = _empty(bus, cases)
    for island in islands:
        _of_island(network, island, cases, out, workers)
    return out


def supplies_of(network: Network) -> dict[Supply, np.ndarray]:
    """Headroom of every unit as part of each supply, MW, shape (units,)."""
    headroom = np.where(network.gen_is_firm, network.gen_headroom_mw, 0.0)
    committed = np.where(network.gen_is_committed, headroom, 0.0)
    return {"committed": committed, "committable": headroom, "zone": committed}


def waived_elements(network: Network) -> np.ndarray:
    """Rows of the branches that are over their mid rating before any new load."""
    return np.flatnonzero(network.is_active & (np.abs(network.flow_mw) > network.rating_mva[:, 1]))


def waived_pairs(
    network: Network, island: Island, emergency_factor: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs that are over their limit before any new load.

    Elements that are so in the intact network are left out.

    Returns
    -------
    tuple
        Rows of the elements and of the outages among the network's branches, and the flow after the
        outage, MW.
    """
    rows, outages = island.factors.branch, island.outages
    flow, rating = network.flow_mw[rows], network.rating_mva[rows, 1]
    after = flow[outages.element] + outages.share * flow[outages.outage]
    over = np.abs(after) > emergency_factor * rating[outages.element]
    over &= np.abs(flow[outages.element]) <= rating[outages.element]
    return rows[outages.element[over]], rows[outages.outage[over]], after[over]


@dataclass(frozen=True, eq=False)
class _Supplies:
    """Supplies of one island: flows for one MW from each, and which serves which site."""

    flow: np.ndarray
    mw: np.ndarray
    of_site: np.ndarray
    names: tuple[Supply, ...] = field(default=SUPPLIES)

    @classmethod
    def of(cls, network: Network, factors: Factors, site_bus: np.ndarray) -> "_Supplies":
        row = np.full(network.bus_id.size, -1)
        row[factors.bus] = np.arange(factors.bus.size)
        at = row[network.gen_bus]
        zones = network.bus_zone[factors.bus]
        zone_names, zone_no = np.unique(
            np.array([zone or "" for zone in zones], dtype=object), return_inverse=True
        )
        vectors: list[np.ndarray] = []
        of_site = np.full((site_bus.size, len(SUPPLIES)), -1)
        for s, (name, mw) in enumerate(supplies_of(network).items()):
            by_bus = np.bincount(at[at >= 0], mw[at >= 0], minlength=factors.bus.size)
            groups = [(np.ones(factors.bus.size, bool), np.ones(site_bus.size, bool))]
            if name in LOCAL:
                site_zone = zone_no[row[site_bus]]
                groups = [
                    (zone_no == z, site_zone == z) for z in range(zone_names.size) if zone_names[z]
                ]
            for is_in, serves in groups:
                if (held := np.where(is_in, by_bus, 0.0)).sum() > 0:
                    of_site[serves, s] = len(vectors)
                    vectors.append(held)
        mw = np.array([held.sum() for held in vectors])
        if not vectors:
            return cls(np.zeros((0, factors.branch.size)), mw, of_site)
        shares = np.column_stack([held / held.sum() for held in vectors])
        return cls(np.ascontiguousarray(factors.flows(shares).T), mw, of_site)


def _of_island(
    network: Network, island: Island, cases: Sequence[Case], out: Hosting, workers: int
) -> None:
    factors, outages = island.factors, island.outages
    branch = factors.branch
    place = np.full(network.bus_id.size, -2)
    place[factors.bus] = factors.place
    sites = np.flatnonzero(place[out.bus] >= -1)
    sites = sites[np.argsort(place[out.bus[sites]], kind="stable")]
    supplies = _Supplies.of(network, factors, out.bus[sites])
    flow = network.flow_mw[branch]
    limit = np.array([case.limit_mw(network)[branch] for case in cases])
    limit[:, np.abs(flow) > network.rating_mva[branch, 1]] = np.inf
    pair_flow = flow[outages.element] + outages.share * flow[outages.outage]
    case_arrays = (
        np.array([case.flow_factor for case in cases], dtype=float),
        np.array([case.emergency_factor for case in cases], dtype=float),
        np.array([case.factor_floor for case in cases], dtype=float),
        np.array([[name in case.supplies for name in supplies.names] for case in cases]),
        np.array([case.takes == "most" for case in cases]),
    )
    spare = _spare(outages, cases, limit.min(axis=0), pair_flow, network.rating_mva[branch, 1])
    is_local = np.array([name in LOCAL for name in supplies.names])
    supply_of = np.full((out.bus.size, len(supplies.names)), -1)
    supply_of[sites] = supplies.of_site
    results = (
        *(out.intact_mw, out.secure_mw, out.limit_branch, out.limit_outage),
        *(out.tight_mw, out.tight_branch, out.tight_outage, out.tight_factor, out.tight_margin_mw),
    )

    def run(rows: slice) -> None:
        space = np.empty((factors.diagonal.size + 1, _ldl.BLOCK))
        transfer = np.empty((_ldl.BLOCK, branch.size))
        h, single = np.empty(branch.size), np.empty(branch.size, np.int64)
        pair, otdf = np.empty(len(outages), np.int64), np.empty(len(outages))
        # One row for every constraint: untouched room costs nothing.
        room = branch.size + len(outages)
        kept = np.empty(room, np.int64), np.empty(room, np.int64), *np.empty((3, room))
        for begin in range(rows.start, rows.stop, _ldl.BLOCK):
            part = sites[begin : min(begin + _ldl.BLOCK, rows.stop)]
            _hosting.transfers(
                *(place[out.bus[part]], factors.start, factors.below, factors.factor),
                *(factors.diagonal, factors.from_place, factors.to_place, factors.susceptance),
                *(space, transfer),
            )
            _hosting.weigh(
                *(part, transfer, supplies.flow, supply_of, supplies.mw, is_local, *spare),
                *(outages.element_start, outages.outage, outages.share, outages.outage_start),
                *(outages.by_outage, outages.element, outages.largest_share, pair_flow),
                *(flow, network.rating_mva[branch, 1], limit),
                *(limit.min(axis=0), limit.max(axis=0), *case_arrays, 0),
                *(h, single, pair, otdf, *kept, *results),
            )

    in_threads(run, sites.size, workers, block=BLOCKS * _ldl.BLOCK)
    for numbers in (out.limit_branch, out.limit_outage):
        part = numbers[:, sites]
        numbers[:, sites] = np.where(part >= 0, branch[part], part)
    for numbers in (out.tight_branch, out.tight_outage):
        part = numbers[sites]
        numbers[sites] = np.where(part >= 0, branch[part], part)
    for mw in (out.intact_mw, out.secure_mw):
        mw[:, sites] = np.nan_to_num(mw[:, sites], nan=0.0)


def _spare(
    outages: Outages,
    cases: Sequence[Case],
    limit: np.ndarray,
    pair_flow: np.ndarray,
    waived_at: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Tell what each element has left under its limit after the worst outage of any case, and its largest share."""
    emergency = [case.emergency_factor for case in cases]
    carried = np.abs(pair_flow)
    counts = carried <= max(emergency) * waived_at[outages.element]
    worst, widest = np.zeros(limit.size), np.zeros(limit.size)
    np.maximum.at(worst, outages.element[counts], carried[counts])
    np.maximum.at(widest, outages.element, np.abs(outages.share))
    most_flow = max(case.flow_factor for case in cases)
    return min(emergency) * limit - most_flow * worst, widest


def _empty(bus: np.ndarray, cases: Sequence[Case]) -> Hosting:
    by_case, by_rank = (len(cases), bus.size), (bus.size, _hosting.TIGHTEST)
    return Hosting(
        bus,
        tuple(case.name for case in cases),
        np.zeros(by_case),
        np.zeros(by_case),
        np.full(by_case, -1),
        np.full(by_case, -1),
        np.full(by_rank, np.inf),
        np.full(by_rank, -1),
        np.full(by_rank, -1),
        np.full(by_rank, np.nan),
        np.full(by_rank, np.nan),
    )
