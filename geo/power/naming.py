"""Branches and limits of a network in plain words."""

import numpy as np
import pandas as pd

from geo.power.network import LOWEST_KV, Network

TRANSFORMERS = ("transformer", "winding")


class Names:
    """Words for what a network holds, with the names of its substations.

    Parameters
    ----------
    network
        The case.
    substation_name
        Name by substation id; the id stands for a missing one.
    """

    def __init__(self, network: Network, substation_name: pd.Series) -> None:
        self.network = network
        self._name = substation_name.where(substation_name.notna(), substation_name.index).to_dict()
        self._known: dict[int, str] = {}

    def branch(self, row: int) -> str:
        """Say what a branch is and where: `line 138 kV A - B`, `transformer 345/138 kV at C`."""
        if row not in self._known:
            self._known[row] = self._branch(row)
        return self._known[row]

    def limit(self, branch: int, outage: int) -> str:
        """Say what limits a load: an element, and the outage after which it does (-1: none)."""
        if outage < 0:
            return f"{self.branch(branch)} with all in service"
        if self.branch(branch) == self.branch(outage):
            return f"{self.branch(branch)} after the outage of the one beside it"
        return f"{self.branch(branch)} after the outage of {self.branch(outage)}"

    def supply(self, bus: int) -> str:
        """Say that generation limits a load at a bus."""
        return f"generation: the committed firm units of {self._interconnection(bus)} have no more"

    def no_supply(self, bus: int) -> str:
        """Say that nothing serves a load at a bus."""
        return f"nothing serves it: no generator with headroom reaches it in {self._interconnection(bus)}"

    def _interconnection(self, bus: int) -> str:
        name = self.network.bus_interconnect[bus]
        return f"the {name} interconnection" if name else "its interconnection"

    def _branch(self, row: int) -> str:
        net = self.network
        ends, kind = (int(net.from_bus[row]), int(net.to_bus[row])), net.branch_kind[row]
        high, low = sorted((net.bus_kv[bus] for bus in ends), reverse=True)
        where = self._where(*ends)
        if kind == "winding" and low < LOWEST_KV:
            # The other end is the star point, which has no voltage of its own.
            return f"{_kv(high)} winding of a transformer {where}"
        if kind in TRANSFORMERS or (kind != "line" and high != low):
            return f"transformer {high:g}/{_kv(low)} {where}"
        word = "tie" if where.startswith("at ") else "line"
        return f"{word} {_kv(net.branch_kv[row])} {where}"

    def _where(self, one: int, other: int) -> str:
        ids = [self.network.bus_substation[bus] for bus in (one, other)]
        names = [
            self._name.get(name, name) if name else f"bus {self.network.bus_id[bus]}"
            for name, bus in zip(ids, (one, other), strict=True)
        ]
        if ids[0] == ids[1] and ids[0] is not None:
            return f"at {names[0]}"
        return f"{names[0]} - {names[1]}"


def _kv(kv: float) -> str:
    return f"{kv:g} kV" if np.isfinite(kv) else "of unknown kV"
