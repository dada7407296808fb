"""A network of alternating current, as a direct-current load flow takes it."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from geo.errors import GeoError
from geo.power.factors import base_flow, connected

# Buses of less are generator terminals and the star points of three-winding transformers.
LOWEST_KV = 60.0
FIRM = "firm"
NOTE_COLUMNS = ("code", "subject_kind", "subject_id", "detail")


@dataclass(frozen=True)
class RatingRules:
    """How a branch without a rating is rated: by its voltage, as an interval, never by nothing.

    Attributes
    ----------
    line_kv, line_mva
        Thermal limit of one circuit by voltage class, shape (classes,), kV ascending, MVA.
    line_spread
        Low, mid and high factor on it.
    breaker_amperes
        Low, mid and high current of what joins buses of one substation (preferred continuous
        currents of breakers, IEEE C37.06).
    base_flow_factor
        Low, mid and high: no estimate is under this multiple of what the branch carries already.
    """

    line_kv: np.ndarray
    line_mva: np.ndarray
    line_spread: tuple[float, float, float]
    breaker_amperes: tuple[float, float, float]
    base_flow_factor: tuple[float, float, float]

    def rating_mva(self, kv: np.ndarray, is_jumper: np.ndarray, flow_mw: np.ndarray) -> np.ndarray:
        """Estimate ratings, shape (n, 3) low, mid, high; NaN where the voltage is unknown."""
        known = np.where(kv > 0, kv, np.nan)
        ratio = np.abs(np.log(known[:, None] / self.line_kv[None, :]))
        line = self.line_mva[np.argmin(np.nan_to_num(ratio), axis=1)]
        line = np.where(np.isnan(known), np.nan, line)[:, None] * np.array(self.line_spread)
        breaker = np.sqrt(3.0) * known[:, None] * np.array(self.breaker_amperes) / 1000.0
        estimate = np.where(is_jumper[:, None], breaker, line)
        return np.maximum(estimate, np.abs(flow_mw)[:, None] * np.array(self.base_flow_factor))


@dataclass(frozen=True, eq=False)
class Network:
    """Buses, branches and generators as arrays; rows are in the order of their ids.

    Attributes
    ----------
    bus_id, bus_kv, bus_load_mw, bus_substation, bus_zone, bus_interconnect
        Shape (buses,).
    branch_id, branch_kind, branch_kv, from_bus, to_bus
        Shape (branches,); the kV of the end with the lower one that is known, ends as rows of buses.
    reactance_pu
        x times tap ratio, per unit of 100 MVA; not 0 where `is_active`.
    is_active
        In service, between two nodes.
    rating_mva
        Shape (branches, 3): low, mid, high; equal where the rating is given.
    is_rating_estimated
        Whether the case gives none.
    flow_mw
        Base flow from `from_bus` to `to_bus`.
    is_flow_published
        Whether the base flows are the case's, or computed here.
    gen_bus, gen_capacity_mw, gen_dispatch_mw, gen_is_firm, gen_is_committed
        Shape (units,); units of unknown bus are left out, one of unknown capacity has its output as
        such.
    node
        Electrical node of each bus: buses that no reactance separates share one.
    island
        Number of the island of each bus.
    notes
        What was odd in the case and how it was handled.
    """

    bus_id: np.ndarray
    bus_kv: np.ndarray
    bus_load_mw: np.ndarray
    bus_substation: np.ndarray
    bus_zone: np.ndarray
    bus_interconnect: np.ndarray
    branch_id: np.ndarray
    branch_kind: np.ndarray
    branch_kv: np.ndarray
    from_bus: np.ndarray
    to_bus: np.ndarray
    reactance_pu: np.ndarray
    is_active: np.ndarray
    rating_mva: np.ndarray
    is_rating_estimated: np.ndarray
    flow_mw: np.ndarray
    is_flow_published: bool
    gen_bus: np.ndarray
    gen_capacity_mw: np.ndarray
    gen_dispatch_mw: np.ndarray
    gen_is_firm: np.ndarray
    gen_is_committed: np.ndarray
    node: np.ndarray
    island: np.ndarray
    notes: pd.DataFrame

    @staticmethod
    def from_frames(
        bus: pd.DataFrame,
        branch: pd.DataFrame,
        plant: pd.DataFrame,
        dc_tie: pd.DataFrame,
        ratings: RatingRules,
    ) -> "Network":
        """Read a case from frames with the columns of core.bus, branch, plant and dc_tie.

        Where any active branch lacks a base flow, all are computed: a load flow of loads, dispatch
        and ties, in which the committed units of each island share what is missing or too much.

        Raises
        ------
        GeoError
            The case has no bus, or an id stands twice.
        """
        return _Reader(bus, branch, plant, dc_tie).read(ratings)

    @property
    def gen_headroom_mw(self) -> np.ndarray:
        """What each unit could still give: 0 where its output is at or above its capacity."""
        return np.maximum(self.gen_capacity_mw - np.maximum(self.gen_dispatch_mw, 0.0), 0.0)

    @property
    def connectable_buses(self) -> np.ndarray:
        """Rows of the buses where a load may connect: of `LOWEST_KV` or more."""
        return np.flatnonzero(self.bus_kv >= LOWEST_KV)


class _Generators(NamedTuple):
    bus: np.ndarray
    capacity_mw: np.ndarray
    dispatch_mw: np.ndarray
    is_firm: np.ndarray
    is_committed: np.ndarray

    @property
    def has_headroom(self) -> np.ndarray:
        return self.is_firm & (self.capacity_mw > np.maximum(self.dispatch_mw, 0.0))


class _Reader:
    def __init__(
        self, bus: pd.DataFrame, branch: pd.DataFrame, plant: pd.DataFrame, dc_tie: pd.DataFrame
    ) -> None:
        self.bus = _by_id(bus, "bus_id")
        self.branch = _by_id(branch, "branch_id")
        self.row = pd.Series(np.arange(len(self.bus)), index=self.bus["bus_id"].to_numpy())
        self.plant = _by_id(plant, "plant_id")
        self.tie = _by_id(dc_tie, "dc_tie_id")
        self.notes: list[tuple[str, str, object, str]] = []
        if self.bus.empty:
            msg = "The network case has no bus."
            raise GeoError(msg)

    def read(self, ratings: RatingRules) -> Network:
        ends = [self._row_of(self.branch[name], "branch") for name in ("from_bus_id", "to_bus_id")]
        node, is_active, reactance = self._nodes(*ends)
        from_bus, to_bus = (np.where(end < 0, 0, end) for end in ends)
        kv = self.bus["kv"].to_numpy(float)
        branch_kv = _lower_kv(kv[from_bus], kv[to_bus])
        flow = self.branch["flow_mw"].to_numpy(float)
        missing = int(np.isnan(flow[is_active]).sum())
        gens = self._generators()
        if missing:
            self._note(
                "computed_flows",
                "case",
                None,
                f"{missing:,} of {int(is_active.sum()):,} active branches have no solved flow; all are computed "
                "from loads and dispatch",
            )
            flow = self._computed(node, from_bus, to_bus, reactance, is_active, gens)
        flow = np.where(is_active, flow, 0.0)
        rating, is_estimated = self._ratings(ratings, from_bus, to_bus, branch_kv, flow, is_active)
        island = connected(node, from_bus[is_active], to_bus[is_active])
        self._note_counts(is_active, is_estimated & np.isfinite(rating[:, 1]), reactance)
        self._note_islands(island, np.concatenate([from_bus[is_active], to_bus[is_active]]), gens)
        return Network(
            bus_id=self.bus["bus_id"].to_numpy(object),
            bus_kv=kv,
            bus_load_mw=self.bus["load_mw"].fillna(0.0).to_numpy(float),
            bus_substation=_text(self.bus["substation_id"]),
            bus_zone=_text(self.bus["zone_id"]),
            bus_interconnect=_text(self.bus["interconnect"]),
            branch_id=self.branch["branch_id"].to_numpy(object),
            branch_kind=_text(self.branch["branch_kind"]),
            branch_kv=branch_kv,
            from_bus=from_bus,
            to_bus=to_bus,
            reactance_pu=reactance,
            is_active=is_active,
            rating_mva=rating,
            is_rating_estimated=is_estimated,
            flow_mw=flow,
            is_flow_published=missing == 0,
            gen_bus=gens.bus,
            gen_capacity_mw=gens.capacity_mw,
            gen_dispatch_mw=gens.dispatch_mw,
            gen_is_firm=gens.is_firm,
            gen_is_committed=gens.is_committed,
            node=node,
            island=island,
            notes=pd.DataFrame(self.notes, columns=list(NOTE_COLUMNS)),
        )

    def _row_of(self, ids: pd.Series, what: str) -> np.ndarray:
        """Rows of buses; -1 where the case has no such bus, which is noted."""
        rows = ids.map(self.row).fillna(-1).to_numpy(np.int64)
        for name in self.branch["branch_id"].to_numpy()[rows < 0] if what == "branch" else ():
            self._note("no_bus", what, name, "an end is at no bus of the case; left out")
        return rows

    def _nodes(
        self, from_bus: np.ndarray, to_bus: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Electrical nodes of the buses, which branches are active, and reactances."""
        tap = self.branch["tap_ratio"].fillna(1.0).to_numpy(float)
        reactance = self.branch["x_pu"].to_numpy(float) * np.where(tap == 0.0, 1.0, tap)
        in_service = self.branch["is_in_service"].fillna(True).to_numpy(bool)
        running = in_service & (from_bus >= 0) & (to_bus >= 0) & (from_bus != to_bus)
        names = self.branch["branch_id"].to_numpy()
        for name in names[running & np.isnan(reactance)]:
            self._note("no_reactance", "branch", name, "has no reactance; left out")
        for name in names[in_service & (from_bus >= 0) & (from_bus == to_bus)]:
            self._note("loop", "branch", name, "joins a bus to itself; left out")
        for name in names[running & (reactance == 0.0)]:
            self._note("zero_reactance", "branch", name, "its buses are one node; not monitored")
        tied = running & (reactance == 0.0)
        node = connected(np.arange(len(self.bus)), from_bus[tied], to_bus[tied])
        is_active = running & np.isfinite(reactance) & (reactance != 0.0)
        same = is_active & (node[from_bus] == node[to_bus])
        for name in names[same]:
            self._note(
                "shorted", "branch", name, "lies beside a branch without reactance; left out"
            )
        return node, is_active & ~same, reactance

    def _generators(self) -> "_Generators":
        plant = self.plant
        rows = plant["bus_id"].map(self.row)
        held = rows.notna()
        for name in plant["plant_id"][~held]:
            self._note("no_bus", "generator", name, "is at no bus of the case; left out")
        plant = plant[held]
        capacity = plant["capacity_mw"].to_numpy(float)
        dispatch = plant["dispatch_mw"].fillna(0.0).to_numpy(float)
        self._count(
            "no_capacity", "generator", np.isnan(capacity), "units of unknown capacity; no headroom"
        )
        self._count(
            "over_capacity",
            "generator",
            dispatch > capacity,
            "units run above their capacity; no headroom",
        )
        return _Generators(
            rows[held].to_numpy(np.int64),
            np.where(np.isnan(capacity), np.maximum(dispatch, 0.0), capacity),
            dispatch,
            (plant["fuel_kind"] == FIRM).to_numpy(bool),
            plant["is_in_service"].fillna(True).to_numpy(bool),
        )

    def _ratings(
        self,
        rules: RatingRules,
        from_bus: np.ndarray,
        to_bus: np.ndarray,
        kv: np.ndarray,
        flow: np.ndarray,
        is_active: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        given = self.branch["rating_mva"].to_numpy(float)
        given = np.where(given > 0, given, np.nan)
        substation = _text(self.bus["substation_id"])
        is_jumper = (substation[from_bus] == substation[to_bus]) & (substation[from_bus] != None)  # noqa: E711
        estimate = rules.rating_mva(kv, is_jumper, flow)
        is_estimated = np.isnan(given)
        rating = np.where(is_estimated[:, None], estimate, given[:, None])
        for name in self.branch["branch_id"].to_numpy()[is_active & np.isnan(rating[:, 1])]:
            self._note("no_rating", "branch", name, "has neither rating nor voltage; not monitored")
        return np.where(np.isnan(rating), np.inf, rating), is_estimated

    def _computed(
        self,
        node: np.ndarray,
        from_bus: np.ndarray,
        to_bus: np.ndarray,
        reactance: np.ndarray,
        is_active: np.ndarray,
        gens: "_Generators",
    ) -> np.ndarray:
        """Compute the base flows from loads, dispatch, ties and phase shifts."""
        injection = -self.bus["load_mw"].fillna(0.0).to_numpy(float)
        np.add.at(injection, gens.bus, np.where(gens.is_committed, gens.dispatch_mw, 0.0))
        for name, sign in (("from_bus_id", -1.0), ("to_bus_id", 1.0)):
            rows = self.tie[name].map(self.row)
            held = rows.notna().to_numpy()
            flow = self.tie["flow_mw"].fillna(0.0).to_numpy(float)
            np.add.at(injection, rows[held].to_numpy(np.int64), sign * flow[held])
        committed = np.where(gens.is_committed, gens.capacity_mw, 0.0)
        weight = np.bincount(gens.bus, committed, minlength=len(self.bus))
        shift = np.radians(self.branch["phase_shift_deg"].fillna(0.0).to_numpy(float))
        return base_flow(node, from_bus, to_bus, reactance, is_active, injection, weight, shift)

    def _note_counts(
        self, is_active: np.ndarray, is_estimated: np.ndarray, reactance: np.ndarray
    ) -> None:
        """Note what is common enough to be counted rather than named."""
        bus, branch = self.bus, self.branch
        off = ~branch["is_in_service"].fillna(True).to_numpy(bool)
        shift = branch["phase_shift_deg"].fillna(0.0).to_numpy(float)
        load = bus["load_mw"].to_numpy(float)
        for code, kind, found, detail in (
            ("out_of_service", "branch", off, "branches are out of service; left out"),
            ("estimated_rating", "branch", is_active & is_estimated,
             "branches without a rating; estimated from their voltage"),
            ("negative_reactance", "branch", is_active & (reactance < 0.0),
             "branches of negative reactance; taken as they are"),
            ("phase_shift", "branch", is_active & (shift != 0.0),
             "branches shift the phase; their angle is held"),
            ("negative_load", "bus", load < 0.0, "buses of negative load; taken as generation"),
            ("no_load", "bus", np.isnan(load), "buses of unknown load; taken as 0 MW"),
            ("no_voltage", "bus", ~(bus["kv"].to_numpy(float) > 0.0),
             "buses of unknown voltage; no new load connects there"),
        ):  # fmt: skip
            self._count(code, kind, found, detail)
        for name in ("from_bus_id", "to_bus_id"):
            known = self.tie[name].isin(self.row.index) | self.tie[name].isna()
            for tie in self.tie["dc_tie_id"][~known]:
                self._note("no_bus", "dc_tie", tie, "an end is at no bus of the case; left out")

    def _note_islands(
        self, island: np.ndarray, branch_ends: np.ndarray, gens: "_Generators"
    ) -> None:
        """Note buses that no branch reaches, and islands that nothing can serve."""
        is_reached = np.zeros(island.max() + 1, dtype=bool)
        is_reached[island[branch_ends]] = True
        is_served = np.zeros(is_reached.size, dtype=bool)
        is_served[island[gens.bus[gens.has_headroom]]] = True
        self._count("alone", "bus", ~is_reached[island], "buses that no branch reaches; capacity 0")
        self._count(
            "no_supply",
            "bus",
            (is_reached & ~is_served)[island],
            "buses of islands without a firm unit that has headroom; capacity 0",
        )

    def _count(self, code: str, kind: str, found: np.ndarray, detail: str) -> None:
        if count := int(found.sum()):
            self._note(code, kind, None, f"{count:,} {detail}")

    def _note(self, code: str, kind: str, name: object, detail: str) -> None:
        self.notes.append((code, kind, name, detail))


def _by_id(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    frame = frame.sort_values(name, ignore_index=True)
    if (again := frame[name].duplicated()).any():
        msg = f"{name} {frame[name][again].iloc[0]} stands twice in the network case."
        raise GeoError(msg)
    return frame


def _text(column: pd.Series) -> np.ndarray:
    """Values as objects, None where unknown."""
    return column.astype(object).where(column.notna(), None).to_numpy(object)


def _lower_kv(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Lower voltage of two ends, of those that are transmission where any is."""
    low, high = np.fmin(one, other), np.fmax(one, other)
    return np.where(low >= LOWEST_KV, low, high)
