"""Many sites at once on the real Texas case, against dense solves with all pairs of element and outage."""

import numpy as np
import pandas as pd
import pytest

from geo.power.filling import fill_regions
from geo.power.hosting import Case, hosting_capacity, prepare_islands
from geo.power.sharing import Sharing
from tests.geo.power.cases import network_of
from tests.geo.power.test_texas import texas  # noqa: F401 - a fixture

pytestmark = [pytest.mark.package, pytest.mark.timeout(3_600)]
MID = Case("mid")


class Dense:
    """Flows of the whole network with new loads, intact and after every outage that islands nothing."""

    def __init__(self, network):
        on = self.on = np.flatnonzero(network.is_active)
        nodes, ends = np.unique(
            network.node[np.concatenate([network.from_bus[on], network.to_bus[on]])],
            return_inverse=True,
        )
        one, other = np.split(ends, 2)
        incidence = np.zeros((on.size, nodes.size))
        incidence[np.arange(on.size), one] = 1.0
        incidence[np.arange(on.size), other] = -1.0
        b = 1.0 / network.reactance_pu[on]
        matrix = incidence.T @ (b[:, None] * incidence)
        angle = np.zeros((nodes.size, nodes.size))
        angle[1:, 1:] = np.linalg.inv(matrix[1:, 1:])
        self.ptdf = b[:, None] * (incidence @ angle)
        transfer = self.ptdf @ incidence.T
        own = np.diag(transfer)
        self.lodf = transfer / np.where(own > 1.0 - 1e-6, np.nan, 1.0 - own)
        np.fill_diagonal(self.lodf, np.nan)
        self.of_bus = np.searchsorted(nodes, network.node)
        is_supply = network.gen_is_firm & network.gen_is_committed
        mw = np.where(is_supply, network.gen_headroom_mw, 0.0)
        supply = np.bincount(self.of_bus[network.gen_bus], mw, minlength=nodes.size)
        self.supply = supply / supply.sum()
        self.flow, self.rating = network.flow_mw[on], network.rating_mva[on, 1]

    def over_mw(self, loads):
        """Largest excess over what any of the loads leans on, and how many limits are full."""
        total, leaned = self.flow.copy(), np.zeros(self.lodf.shape, dtype=bool)
        intact = np.zeros(self.flow.size, dtype=bool)
        for bus, mw in loads:
            h = self.ptdf @ self.supply - self.ptdf[:, self.of_bus[bus]]
            total += mw * h
            leaned |= np.abs(h[:, None] + self.lodf * h[None, :]) >= MID.factor_floor + 1e-9
            intact |= np.abs(h) >= MID.factor_floor + 1e-9
        known = np.abs(self.flow) <= self.rating
        limit = MID.emergency_factor * self.rating
        before = self.flow[:, None] + self.lodf * self.flow[None, :]
        leaned &= known[:, None] & (np.abs(before) <= limit[:, None])
        after = np.abs(total[:, None] + self.lodf * total[None, :]) - limit[:, None]
        over = np.concatenate(
            [
                (np.abs(total) - self.rating)[known & intact],
                np.where(leaned, after, -np.inf).ravel(),
            ]
        )
        return over.max(), int((over > -1e-2).sum())


@pytest.fixture(scope="module")
def case(texas):  # noqa: F811
    network = network_of(texas)
    islands = prepare_islands(network)
    hosting = hosting_capacity(network, islands, [MID])
    sharing = Sharing.of(network, islands, MID, held_floor=0.0)
    return Dense(network), hosting.bus, hosting.secure_mw[0], sharing


@pytest.mark.parametrize(("share", "least"), [(1.0, 3), (0.5, 30)])
def test_sites_granted_in_turn_overload_nothing(case, share, least):
    dense, bus, alone, sharing = case
    pushed = []
    for site in np.random.default_rng(7).choice(bus, 60, replace=False).tolist():
        pushed.append((site, share * sharing.remaining_mw(site, pushed).mw))
    granted = [(site, mw) for site, mw in pushed if mw > 0.0]
    assert len(granted) >= least
    over, full = dense.over_mw(granted)
    assert over <= 1e-5
    assert full >= 2 or share < 1.0
    # What they have alone, all at once, is too much.
    at = pd.Series(alone, index=bus)
    assert dense.over_mw([(site, at[site]) for site, _ in granted])[0] > 10.0


def test_what_fills_regions_overloads_nothing(case):
    dense, bus, alone, sharing = case
    rng = np.random.default_rng(8)
    parts = []
    for region in range(12):
        site = rng.choice(np.flatnonzero(alone > 1.0), rng.integers(2, 30), replace=False)
        parts.append(
            pd.DataFrame({
                "workload": "w", "region_kind": "county", "region_id": str(region),
                "candidate_no": np.arange(site.size), "score": np.linspace(90, 10, site.size),
                "bus": bus[site], "capacity_mw": alone[site], "target_mw": 2_000.0,
            })
        )  # fmt: skip
    frame = pd.concat(parts, ignore_index=True)
    told = frame.assign(**fill_regions(frame, sharing))
    for _, held in told.groupby("region_id"):
        granted = held[held["used_mw"] > 0.0]
        loads = list(zip(granted["bus"], granted["used_mw"], strict=True))
        assert dense.over_mw(loads)[0] <= 2e-3
    assert (told["shared_mw"] > 1.0).any()
