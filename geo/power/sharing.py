"""What a site can still draw once others draw: no capacity is sold twice.

The flows of an island are f + sum of t_j h_j, with t_j the MW of the sites that draw and h_j their
sensitivities (see `geo.power.hosting`, whose rules hold). A site leans on the elements, and the pairs of
element and outage, on which its sensitivity is at or over the factor floor. Two things limit what it can
still draw: what it leans on itself, and what any that already draws leans on, where it adds to that by
`HELD_FLOOR` or more. So sites that were granted one after the other never load what any of them leans on
over its limit, but for less than `HELD_FLOOR` MW for each MW of the later ones. What was over its limit
before any new load binds nobody, as for a site alone.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from threading import Lock
from typing import NamedTuple, Self

import numpy as np

from geo._threads import in_threads
from geo.power import _hosting, _ldl, _sharing
from geo.power.factors import Factors
from geo.power.hosting import LOCAL, Case, Island, supplies_of
from geo.power.network import Network

# 1 MW for 1,000: a distribution factor that no planner looks at.
HELD_FLOOR = 0.001
# Of the sensitivities that are kept for sites to come.
KEPT_BYTES = 256_000_000


class Remaining(NamedTuple):
    """What a site can still draw, and what limits it: rows of the network's branches, or -1.

    Without a branch it is the supply, without an outage the intact network.
    """

    mw: float
    branch: int
    outage: int


@dataclass(frozen=True, eq=False)
class Part:
    """One island with its limits: all that shared megawatts are computed from.

    Attributes
    ----------
    bus, branch
        Rows of the network.
    place, from_place, to_place, susceptance, start, below, factor, diagonal
        As in `Factors`.
    supply_mw
        What the supply can serve, shape (1,).
    supply_flow
        Flow of each branch for one MW from the supply.
    flow_mw, limit_mw, after_limit_mw
        Base flow, limit of the intact network and after an outage; infinite where it is waived.
    element_start, outage, share
        Pairs that are not waived, by element.
    largest_share
        As in `Outages`.
    """

    bus: np.ndarray
    branch: np.ndarray
    place: np.ndarray
    from_place: np.ndarray
    to_place: np.ndarray
    susceptance: np.ndarray
    start: np.ndarray
    below: np.ndarray
    factor: np.ndarray
    diagonal: np.ndarray
    supply_mw: np.ndarray
    supply_flow: np.ndarray
    flow_mw: np.ndarray
    limit_mw: np.ndarray
    after_limit_mw: np.ndarray
    element_start: np.ndarray
    outage: np.ndarray
    share: np.ndarray
    largest_share: np.ndarray

    @classmethod
    def of(cls, network: Network, island: Island, case: Case) -> Self:
        """Take what is needed from an island under one case."""
        factors, outages = island.factors, island.outages
        rows = factors.branch
        flow, rating = network.flow_mw[rows], network.rating_mva[rows, 1]
        limit = np.where(np.abs(flow) > rating, np.inf, case.limit_mw(network)[rows])
        after_limit = case.emergency_factor * limit
        pair_flow = flow[outages.element] + outages.share * flow[outages.outage]
        over = np.abs(pair_flow) > case.emergency_factor * rating[outages.element]
        kept = ~over & np.isfinite(after_limit[outages.element])
        before = np.concatenate([[0], np.cumsum(kept)])
        supply_mw, supply_flow = supply_of(network, factors, case)
        return cls(
            *(factors.bus, rows, factors.place, factors.from_place, factors.to_place),
            *(factors.susceptance, factors.start, factors.below, factors.factor, factors.diagonal),
            np.array([supply_mw]),
            supply_flow,
            flow * case.flow_factor,
            limit,
            after_limit,
            before[outages.element_start],
            outages.outage[kept],
            outages.share[kept],
            outages.largest_share,
        )


class _Pairs(NamedTuple):
    """The pairs of a part both ways, in the order of the arguments of `_hosting.gather`."""

    element_start: np.ndarray
    outage: np.ndarray
    share: np.ndarray
    outage_start: np.ndarray
    by_outage: np.ndarray
    element: np.ndarray
    largest_share: np.ndarray

    @classmethod
    def of(cls, part: Part) -> Self:
        count = np.bincount(part.outage, minlength=part.branch.size)
        element = np.repeat(
            np.arange(part.branch.size, dtype=np.int32), np.diff(part.element_start)
        )
        return cls(
            *(part.element_start, part.outage, part.share),
            np.concatenate([[0], np.cumsum(count)]).astype(np.int64),
            np.argsort(part.outage, kind="stable"),
            element,
            part.largest_share,
        )


class Site(NamedTuple):
    """A site's sensitivities: to all branches, and those of the elements and pairs that it leans on."""

    part: int
    h: np.ndarray
    near: np.ndarray
    pair: np.ndarray
    factor: np.ndarray

    @property
    def nbytes(self) -> int:
        """Memory of the arrays."""
        return self.h.nbytes + self.near.nbytes + self.pair.nbytes + self.factor.nbytes


class Sharing:
    """Grants megawatts to one site after the other.

    Parameters
    ----------
    bus_id
        Of every bus of the network.
    parts
        Its islands.
    factor_floor
        Sensitivity from which a site leans on an element.
    held_floor
        Sensitivity from which it is held to what others lean on.
    """

    def __init__(
        self,
        bus_id: np.ndarray,
        parts: Sequence[Part],
        factor_floor: float,
        held_floor: float = HELD_FLOOR,
    ) -> None:
        self.bus_id = bus_id
        self.parts = tuple(parts)
        self.factor_floor = factor_floor
        self.held_floor = max(held_floor, _sharing.NOTHING)
        self.pairs = tuple(_Pairs.of(part) for part in self.parts)
        self._part = np.full(bus_id.size, -1)
        self._place = np.full(bus_id.size, -2)
        for number, part in enumerate(self.parts):
            self._part[part.bus], self._place[part.bus] = number, part.place
        self._kept: OrderedDict[int, Site] = OrderedDict()
        self._kept_bytes = 0
        self._lock = Lock()

    @classmethod
    def of(
        cls,
        network: Network,
        islands: Iterable[Island],
        case: Case,
        held_floor: float = HELD_FLOOR,
    ) -> Self:
        """Prepare from screened islands under one case with one supply of the whole interconnection.

        Raises
        ------
        ValueError
            The case has another supply.
        """
        parts = [Part.of(network, island, case) for island in islands]
        return cls(network.bus_id, parts, case.factor_floor, held_floor)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Arrays from which `from_arrays` makes the same again, to be kept in a file."""
        out = {
            "bus_id": self.bus_id.astype(str),
            "floors": np.array([self.factor_floor, self.held_floor]),
            "parts": np.array([len(self.parts)]),
        }
        for number, part in enumerate(self.parts):
            out |= {f"{field.name}_{number}": getattr(part, field.name) for field in fields(Part)}
        return out

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """Make it again."""
        parts = [
            Part(*(arrays[f"{field.name}_{number}"] for field in fields(Part)))
            for number in range(int(arrays["parts"][0]))
        ]
        factor_floor, held_floor = arrays["floors"].tolist()
        return cls(arrays["bus_id"].astype(object), parts, factor_floor, held_floor)

    def has_flows(self, bus: int) -> bool:
        """Whether a row of the buses lies in an island with branches."""
        return bus >= 0 and bool(self._part[bus] >= 0)

    def warm(self, buses: Iterable[int], *, workers: int = -1) -> None:
        """Compute sites of which will be asked in blocks, as many as are kept (`KEPT_BYTES`)."""
        self.sites(buses, workers=workers)

    def remaining_mw(self, bus: int, pushed: Iterable[tuple[int, float]] = ()) -> Remaining:
        """Tell what a site can still draw after others were granted theirs.

        Parameters
        ----------
        bus
            Row of the site's bus.
        pushed
            Bus and MW of those that draw already.

        Returns
        -------
        Remaining
            0 or more; without others the site's hosting capacity.
        """
        ledger = self.ledger()
        for other, mw in pushed:
            ledger.push(other, mw)
        found = ledger.room(bus)
        return found._replace(mw=max(found.mw, 0.0))

    def ledger(self) -> "Ledger":
        """Begin with nobody drawing."""
        return Ledger(self)

    def sites(self, buses: Iterable[int], *, workers: int = 1) -> dict[int, Site]:
        """Sensitivities of sites by bus; buses without flows are left out."""
        wanted = [bus for bus in dict.fromkeys(int(bus) for bus in buses) if self.has_flows(bus)]
        found: dict[int, Site] = {}
        with self._lock:
            for bus in wanted:
                if bus in self._kept:
                    self._kept.move_to_end(bus)
                    found[bus] = self._kept[bus]
        missing = np.array([bus for bus in wanted if bus not in found], dtype=np.int64)
        for number in np.unique(self._part[missing]).tolist():
            fresh = self._sites_of(number, missing[self._part[missing] == number], workers)
            found |= fresh
            self._keep(fresh)
        return found

    def _keep(self, fresh: Mapping[int, Site]) -> None:
        """Keep sites, and drop those that were not asked of for longest where there is no room."""
        with self._lock:
            for bus, site in fresh.items():
                if bus not in self._kept:
                    self._kept[bus] = site
                    self._kept_bytes += site.nbytes
            while self._kept_bytes > KEPT_BYTES:
                self._kept_bytes -= self._kept.popitem(last=False)[1].nbytes

    def _sites_of(self, number: int, buses: np.ndarray, workers: int) -> dict[int, Site]:
        part, pairs = self.parts[number], self.pairs[number]
        buses = buses[np.argsort(self._place[buses], kind="stable")]
        found: list[Site | None] = [None] * buses.size

        def run(rows: slice) -> None:
            x = np.empty((part.diagonal.size + 1, _ldl.BLOCK))
            transfer = np.empty((_ldl.BLOCK, part.branch.size))
            # Earlier sites take room away, so that no element may be passed over.
            none = np.zeros(part.branch.size)
            single = np.empty(part.branch.size, np.int64)
            pair, otdf = np.empty(part.share.size, np.int64), np.empty(part.share.size)
            _hosting.transfers(
                *(self._place[buses[rows]], part.start, part.below, part.factor, part.diagonal),
                *(part.from_place, part.to_place, part.susceptance, x, transfer),
            )
            for at in range(rows.start, rows.stop):
                h = part.supply_flow - transfer[at - rows.start]
                singles, count = _hosting.gather(
                    h, self.factor_floor, np.inf, none, none, *pairs, single, pair, otdf
                )
                found[at] = Site(
                    number,
                    h,
                    single[:singles].astype(np.int32),
                    pair[:count].astype(np.int32),
                    otdf[:count].copy(),
                )

        in_threads(run, buses.size, workers, block=_ldl.BLOCK)
        return {int(bus): site for bus, site in zip(buses, found, strict=True) if site is not None}


class _Drawn:
    """What sites draw in one part: flows, MW of the supply, and what those sites lean on."""

    def __init__(self, part: Part, pairs: _Pairs) -> None:
        self.part, self.pairs = part, pairs
        self.flow_mw, self.mw = part.flow_mw, 0.0
        self._is_near = np.zeros(part.branch.size, dtype=bool)
        self._is_pair = np.zeros(part.share.size, dtype=bool)
        self._near = self._pair = np.empty(0, np.int32)
        self._left_mw = np.empty(0), np.empty(0)

    def add(self, site: Site, mw: float) -> None:
        self.flow_mw = self.flow_mw + mw * site.h
        self.mw += mw
        near, pair = site.near[~self._is_near[site.near]], site.pair[~self._is_pair[site.pair]]
        self._is_near[near], self._is_pair[pair] = True, True
        self._near = np.concatenate([self._near, near])
        self._pair = np.concatenate([self._pair, pair])
        self._left_mw = np.empty(self._near.size), np.empty(self._pair.size)
        _sharing.left_of(
            *(self._near, self._pair, self.pairs.element, self.pairs.outage, self.pairs.share),
            *(self.flow_mw, self.part.limit_mw, self.part.after_limit_mw, *self._left_mw),
        )

    def room(self, site: Site, factor_floor: float, held_floor: float) -> Remaining:
        part, pairs, found = self.part, self.pairs, np.empty(3)
        supply_mw = float(part.supply_mw[0])
        if supply_mw <= 0.0:
            return _NOTHING_LEFT
        _sharing.room(
            *(site.h, site.near, site.pair, site.factor, self._near, self._left_mw[0]),
            *(self._pair, self._left_mw[1], pairs.element, pairs.outage, pairs.share),
            *(self.flow_mw, part.limit_mw, part.after_limit_mw, factor_floor, held_floor, found),
        )
        element, outage = int(found[1]), int(found[2])
        if element < 0 or supply_mw - self.mw < found[0]:
            return Remaining(supply_mw - self.mw, _sharing.BY_SUPPLY, _sharing.INTACT)
        return Remaining(
            float(found[0]),
            int(part.branch[element]),
            int(part.branch[outage]) if outage >= 0 else _sharing.INTACT,
        )


class Ledger:
    """Megawatts that were granted, in turn."""

    def __init__(self, sharing: Sharing) -> None:
        self._sharing = sharing
        self._drawn: dict[int, _Drawn] = {}

    def push(self, bus: int, mw: float) -> None:
        """Let a site draw MW; one without flows takes nothing from others."""
        if site := self._sharing.sites([bus]).get(bus):
            self.push_site(site, mw)

    def push_site(self, site: Site, mw: float) -> None:
        """Let a site draw MW whose sensitivities are at hand."""
        self._in(site).add(site, mw)

    def room(self, bus: int) -> Remaining:
        """Tell what a site can still draw; less than 0 where others have drawn what it leans on."""
        site = self._sharing.sites([bus]).get(bus)
        return self.room_of(site) if site else _NOTHING_LEFT

    def room_of(self, site: Site) -> Remaining:
        """Tell the same of a site whose sensitivities are at hand."""
        return self._in(site).room(site, self._sharing.factor_floor, self._sharing.held_floor)

    def _in(self, site: Site) -> _Drawn:
        if site.part not in self._drawn:
            part, pairs = self._sharing.parts[site.part], self._sharing.pairs[site.part]
            self._drawn[site.part] = _Drawn(part, pairs)
        return self._drawn[site.part]


_NOTHING_LEFT = Remaining(0.0, _sharing.BY_SUPPLY, _sharing.INTACT)


def supply_of(network: Network, factors: Factors, case: Case) -> tuple[float, np.ndarray]:
    """MW of the one supply of a case in an island, and the flow of its branches for one MW of it.

    Raises
    ------
    ValueError
        The case has another supply than one of the whole interconnection.
    """
    (name, *others) = case.supplies
    if others or name in LOCAL:
        msg = f"case {case.name} has not one supply of the whole interconnection"
        raise ValueError(msg)
    row = np.full(network.bus_id.size, -1)
    row[factors.bus] = np.arange(factors.bus.size)
    at, mw = row[network.gen_bus], supplies_of(network)[name]
    by_bus = np.bincount(at[at >= 0], mw[at >= 0], minlength=factors.bus.size)
    total = by_bus.sum()
    if total <= 0:
        return 0.0, np.zeros(factors.branch.size)
    return float(total), factors.flows((by_bus / total)[:, None])[:, 0]
