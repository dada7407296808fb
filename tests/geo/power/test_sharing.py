import itertools
import zipfile

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from geo.errors import GeoError
from geo.power.hosting import Case, hosting_capacity, prepare_islands
from geo.power.outages import Screening
from geo.power.sharing import HELD_FLOOR, Sharing
from tests.geo.power.cases import ODD, network_of
from tests.oracle import power as plain

MID = Case("mid")


def prepared(frames, held_floor=0.0, case=MID, rules=None):
    network = network_of(frames)
    islands = prepare_islands(network, rules)
    return network, islands, Sharing.of(network, islands, case, held_floor)


def granted(sharing, order, share=1.0):
    """Let sites take their part of what remains for them, one after the other."""
    pushed = []
    for bus in order:
        pushed.append((int(bus), share * sharing.remaining_mw(bus, pushed).mw))
    return pushed


class Pushed:
    """Flows with all new loads at once, of a load flow of the whole network for each outage."""

    def __init__(self, grid, network, pushed, case=MID):
        self.states = len(grid.states)
        emergency = np.array([1.0] + [case.emergency_factor] * len(grid.outages))[:, None]
        self.limit = grid.limits(case) * emergency
        change = np.zeros(grid.nodes)
        self.leaned = np.zeros(self.limit.shape, dtype=bool)
        before = grid.flows_with(change, [0.0], 1.0)[:, :, 0]
        waived = np.abs(before) > grid.rating[:, 1] * emergency
        waived |= np.abs(grid.base) > grid.rating[:, 1]
        self.factor, self.before = [], before
        for bus, mw in pushed:
            supply = grid.supplies(network.bus_id[bus])["committed"]
            if mw <= 0.0:
                continue
            own = supply / supply.sum()
            own[grid.node[network.bus_id[bus]]] -= 1.0
            change += mw * own
            factor = grid.flows_with(own, [1.0], 1.0)[:, :, 0] - before
            self.factor.append(factor)
            self.leaned |= np.abs(factor) >= MID.factor_floor + 1e-9
        self.leaned &= ~waived
        self.leaned[np.arange(1, self.states), grid.outages] = False
        self.after = grid.flows_with(change, [1.0], 1.0)[:, :, 0]

    def over_mw(self):
        """Largest excess over a limit on which a site that was granted something leans."""
        excess = np.where(self.leaned, np.abs(self.after) - self.limit, -np.inf)
        return excess.max(initial=-np.inf)

    def most_mw(self):
        """Most that the sites can have together, whoever has how much."""
        factor = np.array([each[self.leaned] for each in self.factor]).T
        before, limit = self.before[self.leaned], self.limit[self.leaned]
        held = np.isfinite(limit)
        found = linprog(
            -np.ones(len(self.factor)),
            A_ub=np.vstack([factor[held], -factor[held]]),
            b_ub=np.concatenate([(limit - before)[held], (limit + before)[held]]),
        )
        return -found.fun


@settings(ODD, max_examples=30)
@given(plain.frames_of_cases(), st.randoms(use_true_random=False), st.sampled_from([1.0, 0.7]))
def test_sites_granted_in_turn_never_load_what_any_of_them_leans_on_over_its_limit(
    frames, random, share
):
    try:
        grid = plain.PlainGrid(frames)
        network, _, sharing = prepared(frames, rules=Screening.none())
    except (np.linalg.LinAlgError, GeoError):
        assume(False)
    order = list(range(network.bus_id.size))
    random.shuffle(order)
    pushed = granted(sharing, order, share)
    assert all(np.isfinite(mw) and mw >= 0.0 for _, mw in pushed)
    assert Pushed(grid, network, pushed).over_mw() <= 1e-5
    for island in np.unique(network.island):
        held = [bus for bus in order if network.island[bus] == island]
        name = network.bus_id[held[0]]
        most = grid.supplies(name)["committed"].sum()
        assert sum(mw for bus, mw in pushed if bus in held) <= most + 1e-6


@pytest.fixture(scope="module")
def new_england():
    frames = plain.ieee("39")
    return plain.PlainGrid(frames), *prepared(frames)


def test_alone_a_site_has_its_hosting_capacity_and_its_limit(new_england):
    _, network, islands, sharing = new_england
    bus = np.arange(network.bus_id.size)
    hosting = hosting_capacity(network, islands, [MID], bus)
    for site in bus:
        found = sharing.remaining_mw(site)
        assert found.mw == hosting.secure_mw[0, site]
        assert found[1:] == (hosting.limit_branch[0, site], hosting.limit_outage[0, site])


def test_whatever_the_order_all_hold_and_together_have_no_more_than_any_plan_could(new_england):
    grid, network, _, sharing = new_england
    totals = []
    for order in itertools.islice(itertools.permutations([3, 7, 15, 20, 26]), 0, 120, 11):
        pushed = granted(sharing, order)
        told = Pushed(grid, network, pushed)
        assert told.over_mw() <= 1e-6
        totals.append(sum(mw for _, mw in pushed))
        assert totals[-1] <= told.most_mw() + 1e-6
        alone = [sharing.remaining_mw(bus).mw for bus in order]
        # The first has all of its own.
        assert pushed[0][1] == alone[0]
        assert totals[-1] < 0.9 * sum(alone)
    # Who comes first matters for what there is in all.
    assert max(totals) > 1.01 * min(totals)


def test_what_remains_is_full_at_once(new_england):
    """One MW more overloads what was named, and nothing is left of it."""
    grid, network, _, sharing = new_england
    first, second = 3, 15
    pushed = granted(sharing, [first])
    mw, branch, outage = sharing.remaining_mw(second, pushed)
    assert mw < sharing.remaining_mw(second).mw
    at = grid.ids.index(network.branch_id[branch])
    state = grid.states.index(None if outage < 0 else grid.ids.index(network.branch_id[outage]))
    told = Pushed(grid, network, [*pushed, (second, mw + 1.0)])
    assert abs(told.after[state, at]) > told.limit[state, at]
    told = Pushed(grid, network, [*pushed, (second, mw)])
    assert abs(told.after[state, at]) == pytest.approx(told.limit[state, at], abs=1e-6)


def corridor(limit=100.0, generator=5_000.0):
    """Two towns behind a double circuit, each on two strong lines of its own."""
    bus = [{"bus_id": name, "kv": 138.0, "load_mw": 0.0} for name in ("a", "b", "hub", "works")]
    joins = [
        *[("works", "hub", limit)] * 2, *[("hub", "a", 900.0)] * 2, *[("hub", "b", 900.0)] * 2,
    ]  # fmt: skip
    branch = [
        {"branch_id": f"l{n}", "branch_kind": "line", "from_bus_id": one, "to_bus_id": other,
         "x_pu": 0.1, "rating_mva": mva, "flow_mw": 0.0, "is_in_service": True}
        for n, (one, other, mva) in enumerate(joins)
    ]  # fmt: skip
    plant = [{"plant_id": "g", "bus_id": "works", "capacity_mw": generator, "dispatch_mw": 0.0,
              "fuel_kind": "firm", "is_in_service": True}]  # fmt: skip
    return plain.Frames.of(
        [{**row, "substation_id": None, "zone_id": None, "interconnect": "I"} for row in bus],
        branch,
        plant,
    )


def test_two_sites_behind_one_corridor_get_together_what_it_carries():
    _, _, sharing = prepared(corridor())
    a, b = 0, 1
    assert sharing.remaining_mw(a).mw == pytest.approx(120.0)
    assert sharing.remaining_mw(b).mw == pytest.approx(120.0)
    assert sharing.remaining_mw(b, [(a, 50.0)]).mw == pytest.approx(70.0)
    assert sharing.remaining_mw(b, [(a, 120.0)]).mw == pytest.approx(0.0, abs=1e-9)
    assert sharing.remaining_mw(b, [(a, 130.0)]).mw == 0.0


def test_generation_is_shared_too():
    _, _, sharing = prepared(corridor(generator=100.0))
    assert sharing.remaining_mw(1, [(0, 60.0)]) == (40.0, -1, -1)


def test_what_the_first_lean_on_holds_later_ones_that_add_little_to_it():
    """A sixth of a percent is under every floor of planners, but a full line has no room for it."""
    frames = corridor()
    far = {"bus_id": "far", "kv": 138.0, "load_mw": 0.0, "substation_id": None, "zone_id": None,
           "interconnect": "I"}  # fmt: skip
    frames.bus.loc[len(frames.bus)] = far
    for number, (one, other, x) in enumerate(
        [*[("works", "far", 0.0005)] * 2, *[("far", "hub", 0.1)] * 2]
    ):
        frames.branch.loc[len(frames.branch)] = {
            "branch_id": f"m{number}", "branch_kind": "line", "from_bus_id": one,
            "to_bus_id": other, "x_pu": x, "tap_ratio": np.nan, "phase_shift_deg": np.nan,
            "rating_mva": 2_000.0, "flow_mw": 0.0, "is_in_service": True,
        }  # fmt: skip
    network, islands, strict = prepared(frames)
    a, distant = (int(np.flatnonzero(network.bus_id == name)[0]) for name in ("a", "far"))
    first = strict.remaining_mw(a).mw
    site = strict.sites([distant])[distant]
    on_line = abs(site.h[abs(site.h) > 1e-9]).min()
    assert HELD_FLOOR < on_line < 0.005
    assert strict.remaining_mw(distant).mw > 1_000.0
    assert strict.remaining_mw(distant, [(a, first)]).mw == pytest.approx(0.0, abs=1e-6)
    # Of what is left of the line it can have its small part.
    some = strict.remaining_mw(distant, [(a, first - 1.0)]).mw
    assert 100.0 < some < 1_000.0
    lenient = Sharing.of(network, islands, MID, held_floor=0.01)
    assert lenient.remaining_mw(distant, [(a, first)]).mw > 1_000.0


def test_a_bus_that_nothing_reaches_has_and_takes_nothing():
    frames = corridor()
    frames.bus.loc[len(frames.bus)] = {
        "bus_id": "alone", "kv": 138.0, "load_mw": 0.0, "substation_id": None, "zone_id": None,
        "interconnect": "I",
    }  # fmt: skip
    network, _, sharing = prepared(frames)
    alone = int(np.flatnonzero(network.bus_id == "alone")[0])
    assert sharing.remaining_mw(alone) == (0.0, -1, -1)
    a = int(np.flatnonzero(network.bus_id == "a")[0])
    assert sharing.remaining_mw(a, [(alone, 500.0)]).mw == sharing.remaining_mw(a).mw


def test_it_is_kept_in_a_file_and_read_again(new_england, tmp_path):
    _, _, _, sharing = new_england
    path = tmp_path / "flows.npz"
    np.savez(path, **sharing.to_arrays())
    assert zipfile.is_zipfile(path)
    with np.load(path) as arrays:
        again = Sharing.from_arrays(arrays)
    assert again.bus_id.tolist() == sharing.bus_id.tolist()
    pushed = granted(sharing, [3, 20, 15])
    assert granted(again, [3, 20, 15]) == pushed


def test_sites_are_the_same_one_by_one_or_in_blocks_and_memory_is_bounded(monkeypatch):
    frames = plain.ieee("39")
    network, islands, one_by_one = prepared(frames)
    pushed = granted(one_by_one, [3, 20])
    sizes = [site.nbytes for site in one_by_one.sites(range(39)).values()]
    monkeypatch.setattr("geo.power.sharing.KEPT_BYTES", 5 * max(sizes))
    small = Sharing.of(network, islands, MID, 0.0)
    small.warm(range(39))
    assert sum(site.nbytes for site in small._kept.values()) <= 5 * max(sizes)
    assert len(small._kept) >= 5
    assert granted(small, [3, 20]) == pushed


def test_another_supply_than_one_of_the_interconnection_is_refused(new_england):
    _, network, islands, _ = new_england
    with pytest.raises(ValueError, match="one supply"):
        Sharing.of(network, islands, Case("low", supplies=("committed", "zone")))
