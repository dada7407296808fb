import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from geo.power.filling import WORTH, fill_regions
from geo.power.hosting import Case, hosting_capacity, prepare_islands
from geo.power.sharing import Sharing
from tests.geo.power.cases import ODD, network_of
from tests.geo.power.test_sharing import Pushed, corridor
from tests.oracle import power as plain

MID = Case("mid")


def candidates(rows, target=1_000.0, **more):
    """Candidates of one region, in order, from (bus, MW)."""
    frame = pd.DataFrame(rows, columns=["bus", "capacity_mw"])
    frame = frame.assign(score=50.0)
    return frame.assign(
        candidate_no=np.arange(1, len(frame) + 1), target_mw=target,
        **{"workload": "w", "region_kind": "county", "region_id": "r", **more},
    )  # fmt: skip


def used(frame, sharing=None):
    found = fill_regions(frame, sharing)
    return [tuple(row) for row in found[["used_mw", "shared_mw"]].to_numpy().tolist()]


def test_without_a_load_flow_each_has_its_own_until_the_target_is_full():
    frame = candidates([(-1, 600.0), (-1, 300.0), (-1, 500.0), (-1, 9.0)])
    assert used(frame)[:3] == [(600.0, 0.0), (300.0, 0.0), (100.0, 0.0)]
    assert np.isnan(used(frame)[3]).all()


def test_megawatts_are_whole_kilowatts():
    frame = candidates([(-1, 0.1), (-1, 0.2), (-1, 9.0)], target=0.3)
    found = fill_regions(frame, None)
    assert found["used_mw"].tolist()[:2] == [0.1, 0.2]
    assert np.isnan(found["used_mw"][2])
    assert used(candidates([(-1, 5.0009), (-1, 0.29)], 100.0)) == [(5.0, 0.0), (0.29, 0.0)]


@pytest.fixture(scope="module")
def towns():
    network = network_of(corridor())
    return Sharing.of(network, prepare_islands(network), MID)


def test_a_corridor_is_sold_once(towns):
    a, b = 0, 1
    assert used(candidates([(a, 120.0), (b, 120.0)]), towns) == [(120.0, 0.0), (0.0, 120.0)]
    # The low end of the one leaves the other some of the corridor, which has 120 for both.
    assert used(candidates([(a, 70.0), (b, 120.0)]), towns) == [(70.0, 0.0), (50.0, 70.0)]
    assert used(candidates([(b, 120.0), (a, 120.0)], 100.0), towns)[0] == (100.0, 0.0)


def test_what_was_stated_has_its_own_and_takes_nothing_from_others(towns):
    frame = candidates([(-1, 500.0), (0, 120.0), (-1, 80.0), (1, 120.0)])
    assert used(frame, towns) == [(500.0, 0.0), (120.0, 0.0), (80.0, 0.0), (0.0, 120.0)]


def test_regions_and_workloads_do_not_share(towns):
    parts = [
        candidates([(0, 120.0), (1, 120.0)], region_id=region, workload=workload)
        for region in ("r", "s") for workload in ("w", "x")
    ]  # fmt: skip
    frame = pd.concat(parts, ignore_index=True)
    assert used(frame, towns) == [(120.0, 0.0), (0.0, 120.0)] * 4


@pytest.fixture(scope="module")
def new_england():
    frames = plain.ieee("39")
    network = network_of(frames)
    islands = prepare_islands(network)
    hosting = hosting_capacity(network, islands, [MID], np.arange(39))
    sharing = Sharing.of(network, islands, MID, held_floor=0.0)
    return plain.PlainGrid(frames), network, hosting.secure_mw[0], sharing


def best_worth(grid, network, rows, target, worth):
    """Most that any of the candidates can be worth together: each set of them by a linear program of all limits."""
    best = 0.0
    for size in range(1, len(rows) + 1):
        for held in itertools.combinations(range(len(rows)), size):
            told = Pushed(grid, network, [(rows[at][0], 1.0) for at in held])
            factor = np.array([each[told.leaned] for each in told.factor]).T
            before, limit = told.before[told.leaned], told.limit[told.leaned]
            known = np.isfinite(limit)
            left = np.concatenate([(limit - before)[known], (limit + before)[known], [target]])
            found = linprog(
                -np.array([worth[at] for at in held]),
                A_ub=np.vstack([factor[known], -factor[known], np.ones(size)]),
                b_ub=left,
                bounds=[(0.0, rows[at][1]) for at in held],
            )
            best = max(best, -found.fun)
    return best


@settings(ODD, max_examples=12)
@given(st.randoms(use_true_random=False), st.sampled_from([300.0, 1_500.0, 20_000.0]))
def test_what_fills_regions_overloads_nothing_together(new_england, random, target):
    grid, network, alone, sharing = new_england
    parts, most = [], {}
    for region in ("north", "south", "west"):
        order = [bus for bus in range(39) if alone[bus] > 0.0]
        random.shuffle(order)
        rows = [(bus, alone[bus]) for bus in order[: random.randint(1, 4)]]
        score = sorted((random.randint(0, 90) for _ in rows), reverse=True)
        parts.append(candidates(rows, target, region_id=region, score=score))
        most[region] = best_worth(grid, network, rows, target, np.array(score) + WORTH)
    frame = pd.concat(parts).sample(frac=1.0, random_state=random.randint(0, 99))
    frame = frame.reset_index(drop=True)
    found = fill_regions(frame, sharing)
    assert found.index.equals(frame.index)
    told = frame.assign(**found).sort_values("candidate_no")
    for region, held in told.groupby("region_id"):
        granted = held[held["used_mw"] > 0]
        pairs = list(zip(granted["bus"], granted["used_mw"], strict=True))
        assert Pushed(grid, network, pairs).over_mw() <= 2e-3
        assert (granted["used_mw"] <= granted["capacity_mw"]).all()
        assert granted["used_mw"].sum() <= target + 1e-9
        worth = (granted["used_mw"] * (granted["score"] + WORTH)).sum()
        first = held.iloc[0]
        assert worth >= (first["score"] + WORTH) * min(first["capacity_mw"], target) - 0.2
        assert worth <= most[region] + 0.2
    assert fill_regions(frame, sharing, workers=1).equals(found)


def test_a_weak_site_gives_way_to_a_strong_one_that_adds_little_to_its_line():
    """A line of 10 MVA feeds the weak one; a hundredth of what the strong one draws takes that way too."""
    frames = corridor(limit=900.0)
    frames.bus.loc[len(frames.bus)] = {
        "bus_id": "weak", "kv": 138.0, "load_mw": 0.0, "substation_id": None, "zone_id": None,
        "interconnect": "I",
    }  # fmt: skip
    for number, (one, other) in enumerate([("works", "weak"), ("weak", "a")]):
        frames.branch.loc[len(frames.branch)] = {
            "branch_id": f"w{number}", "branch_kind": "line", "from_bus_id": one,
            "to_bus_id": other, "x_pu": 3.5, "tap_ratio": np.nan, "phase_shift_deg": np.nan,
            "rating_mva": 10.0, "flow_mw": 0.0, "is_in_service": True,
        }  # fmt: skip
    network = network_of(frames)
    sharing = Sharing.of(network, prepare_islands(network), MID)
    weak, a = (int(np.flatnonzero(network.bus_id == name)[0]) for name in ("weak", "a"))
    alone = [sharing.remaining_mw(bus).mw for bus in (weak, a)]
    assert alone[0] < 25.0
    assert alone[1] > 500.0
    # In turn, what the weak one takes costs the strong one many times that.
    assert sharing.remaining_mw(a, [(weak, alone[0])]).mw < 300.0
    frame = candidates([(weak, alone[0]), (a, alone[1])], 500.0, score=[60.0, 50.0])
    (weak_mw, taken_mw), (strong_mw, _) = used(frame, sharing)
    assert strong_mw > 450.0
    assert weak_mw + strong_mw <= 500.0
    assert weak_mw < alone[0]
    assert taken_mw == pytest.approx(alone[0] - weak_mw, abs=0.01)
