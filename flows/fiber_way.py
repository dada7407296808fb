"""The way that a round trip takes, told by carrier: laterals, links, changes of carrier."""

from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

from flows.fiber_read import MID, PublishedFiber
from geo.fiber.access import Access
from geo.fiber.graph import PathStep
from geo.fiber.links import BACKHAUL, HUB, INTERCONNECTION
from geo.geodesy import KM_PER_MILE
from geo.pairs import pairs_within

# What a path is made of, from what says least of cables to what says most.
BASES = ("assumed", "logical", "mapped", "right_of_way")
# Links that are on no carrier's map.
REACH_KINDS = (INTERCONNECTION, BACKHAUL)


@dataclass(frozen=True, eq=False)
class Ways:
    """Ways of the middle round trips from a point.

    Attributes
    ----------
    fiber
        Tables and graph.
    access
        Nodes that the point is linked to.
    """

    fiber: PublishedFiber
    access: Access

    def to_metros(self, metro: pd.DataFrame) -> list[list[dict[str, Any]]]:
        """Tell the way to each metro: its steps in order, none where no path leads.

        Every step has `kind` (lateral, carrier, interconnection, backhaul, exchange), `rtt_ms` and
        `to_node_name` (the metro's name at the end); see `text`.
        """
        rules = self.fiber.rules
        at = (metro[name].to_numpy(float) for name in ("lon", "lat"))
        near = self.fiber.search.access(*at, rules.metro_reach_mi)
        tail_ms = near.lateral_ms(rules)[:, :, MID]
        lateral_ms = self.access.lateral_ms(rules)[0, :, MID]
        found: list[list[dict[str, Any]]] = []
        for no, name in enumerate(metro["metro_name"]):
            mine = np.flatnonzero(near.node_no[no] >= 0)
            end_no = near.node_no[no, mine]
            total = lateral_ms[:, None] + self._from_access[:, end_no] + tail_ms[no, mine]
            if not np.isfinite(total).any():
                found.append([])
                continue
            slot, end = np.unravel_index(int(total.argmin()), total.shape)
            start_no = int(self.access.node_no[0, slot])
            first = self._lateral(self.access.mi[0, slot], lateral_ms[slot], start_no)
            last = {
                "kind": "lateral",
                "to_node_name": str(name),
                "miles": float(near.mi[no, mine[end]]),
                "rtt_ms": float(tail_ms[no, mine[end]]),
            }
            found.append([first, *self._steps(start_no, int(end_no[end])), last])
        return found

    @cached_property
    def _from_access(self) -> np.ndarray:
        """Middle round trips from each node of access, shape (K, P); inf where there is no path."""
        node_no = self.access.node_no[0]
        ms = np.full((len(node_no), len(self.fiber.node)), np.inf)
        is_one = node_no >= 0
        ms[is_one] = self.fiber.graph.node_ms(node_no[is_one])[:, :, MID]
        return ms

    @cached_property
    def _exchange_name(self) -> dict[int, str]:
        """Name of each node's exchange: the one that the node is called by, else the nearest."""
        node, exchange = self.fiber.node, self.fiber.exchange
        number = np.flatnonzero(node["ixp_count"].to_numpy() > 0)
        at = (node[name].to_numpy(float)[number] for name in ("lon", "lat"))
        there = (exchange[name].to_numpy(float) for name in ("lon", "lat"))
        row, near, mi = pairs_within(*at, *there, self.fiber.rules.node_join_km / KM_PER_MILE)
        found = pd.DataFrame(
            {
                "node_no": number[row],
                "mi": mi,
                "exchange": exchange["ixp_name"].to_numpy(object)[near],
                "called": node["node_name"].to_numpy(object)[number[row]],
            }
        ).dropna(subset="exchange")
        found = found.assign(is_other=found["exchange"] != found["called"])
        found = found.sort_values(["node_no", "is_other", "mi", "exchange"])
        return found.drop_duplicates("node_no").set_index("node_no")["exchange"].to_dict()

    @cached_property
    def _node(self) -> list[tuple[str, str]]:
        """Id and name of each node; rows of a frame are slow to take one by one."""
        columns = self.fiber.node[["node_id", "node_name", "lat", "lon"]]
        rows = columns.itertuples(index=False, name=None)
        return [(str(node_id), node_name(*where)) for node_id, *where in rows]

    @cached_property
    def _link(self) -> list[dict[str, Any]]:
        """Rows of links, by number."""
        link = self.fiber.link_by_no
        km = link["route_km"].fillna(link["length_km"])
        names = ["link_id", "link_kind", "how", "carrier_id", "carrier_name"]
        return link[names].assign(km=km).to_dict("records")

    def _lateral(self, miles: float, rtt_ms: float, node_no: int) -> dict[str, Any]:
        return {
            "kind": "lateral",
            "to_node_id": self._node[node_no][0],
            "to_node_name": self._node[node_no][1],
            "miles": float(miles),
            "rtt_ms": float(rtt_ms),
        }

    def _steps(self, start_no: int, end_no: int) -> list[dict[str, Any]]:
        """Tell the steps between two nodes; links of one carrier that follow each other are one step."""
        hops = self.fiber.graph.path(start_no, end_no, MID)
        # What is no carrier's link stands alone.
        runs = groupby(
            enumerate(hops),
            lambda at: at[1].carrier_no if _is_carried(at[1]) else -1 - at[0],
        )
        return [self._step([hop for _, hop in run]) for _, run in runs]

    def _step(self, hops: list[PathStep]) -> dict[str, Any]:
        link_no, from_node, to_node, carrier_no, _ = hops[-1]
        step: dict[str, Any] = {
            "kind": "carrier",
            "to_node_id": self._node[to_node][0],
            "to_node_name": self._node[to_node][1],
            "rtt_ms": float(sum(hop.ms for hop in hops)),
        }
        if link_no < 0:
            exchange = self._exchange_name.get(to_node)
            return step | {"kind": "exchange", "exchange_name": exchange}
        links = [self._link[hop.link_no] for hop in hops]
        first = links[0]
        basis = [basis_of(link["link_kind"], link["how"]) for link in links]
        miles = sum(link["km"] for link in links) / KM_PER_MILE
        step |= {"link_count": len(hops), "miles": float(miles)}
        if carrier_no == HUB:
            to, back = (self._exchange_name.get(node) for node in (to_node, from_node))
            kind = first["link_kind"]
            step |= {"kind": kind, "exchange_name": to, "from_exchange_name": back}
            return step | ({"basis": basis[0]} if kind == BACKHAUL else {})
        return step | {
            "carrier_id": first["carrier_id"],
            "carrier_name": first["carrier_name"],
            "basis": min(basis, key=BASES.index),
            "link_ids": [link["link_id"] for link in links],
        }


def _is_carried(hop: PathStep) -> bool:
    """Whether a hop is a carrier's link: no change of carrier, and no exchange's reach."""
    return hop.link_no >= 0 and hop.carrier_no != HUB


def basis_of(link_kind: str, how: str) -> str:
    """Say what a link is known by: nothing, routers that see one another, a map, a right of way."""
    if link_kind in REACH_KINDS:
        return "assumed"
    if how == "right_of_way":
        return "right_of_way"
    return "logical" if link_kind == "ip_adjacency" else "mapped"


def path_basis(steps: list[dict[str, Any]]) -> str | None:
    """Tell what says least of cables on a way; None for a way without a link but an exchange's reach."""
    held = [step["basis"] for step in steps if "basis" in step]
    return min(held, key=BASES.index) if held else None


def node_name(name: str | None, lat: float, lon: float) -> str:
    """Call a node by its name, or by its place where it has none."""
    return f"node at {lat:.2f}, {lon:.2f}" if pd.isna(name) else str(name)


def short(name: str) -> str:
    """Shorten the address of a building to its first two parts."""
    return ",".join(name.split(",")[:2])


def text(steps: list[dict[str, Any]]) -> str:
    """Tell a way in words."""
    if not steps:
        return "no path"
    parts = [
        _words(step)
        for before, step, after in zip(
            [None, *steps[:-2]], steps[:-1], [*steps[1:-1], None], strict=True
        )
        if not (
            _is_told(step, before, "exchange_name") or _is_told(step, after, "from_exchange_name")
        )
    ]
    if steps[-1]["miles"] >= 0.05:
        parts.append(f"{_miles(steps[-1])} to the centre")
    return ", ".join(parts)


def _is_told(step: dict[str, Any], neighbour: dict[str, Any] | None, by: str) -> bool:
    """Whether the way to or from an exchange names it already."""
    return (
        neighbour is not None
        and step["kind"] == "exchange"
        and neighbour["kind"] in REACH_KINDS
        and step["exchange_name"] is not None
        and step["exchange_name"] == neighbour[by]
    )


def _words(step: dict[str, Any]) -> str:
    to = short(step["to_node_name"])
    if step["kind"] == "lateral":
        return f"lateral {_miles(step)} to {to}"
    if step["kind"] == "exchange":
        name = step["exchange_name"]
        return f"at exchange {short(name)}" if name else f"change at {to}"
    if step["kind"] in REACH_KINDS:
        name, back = step["exchange_name"], step["from_exchange_name"]
        back = f"from exchange {short(back)} " if back else ""
        way = (
            f"{_miles(step)} to exchange {short(name)}" if name else f"{_miles(step)} {back}to {to}"
        )
        return f"backhaul {way} (carrier not mapped)" if step["kind"] == BACKHAUL else way
    count = step["link_count"]
    return f"{step['carrier_name']} {count} {'link' if count == 1 else 'links'} to {to}"


def _miles(step: dict[str, Any]) -> str:
    """Miles of a step, to a tenth where they are few."""
    miles = step["miles"]
    return f"{miles:.1f} mi" if miles < 9.95 else f"{miles:,.0f} mi"
