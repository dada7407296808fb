import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.power.filling import fill_regions
from geo.power.hosting import Case, hosting_capacity, prepare_islands
from geo.power.sharing import Sharing
from tests.geo.power.cases import network_of
from tests.geo.power.test_sharing import Pushed, corridor
from tests.oracle import power as plain

MID = Case("mid")


def candidates(rows, target=1_000.0, **more):
    """Candidates of one region, in order, from (bus, MW)."""
    frame = pd.DataFrame(rows, columns=["bus", "capacity_mw"])
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


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from([300.0, 1_500.0, 20_000.0]))
def test_what_fills_regions_overloads_nothing_together(new_england, random, target):
    grid, network, alone, sharing = new_england
    parts, expected = [], {}
    for region in ("north", "south", "west"):
        order = [bus for bus in range(39) if alone[bus] > 0.0]
        random.shuffle(order)
        order = order[: random.randint(1, 12)]
        parts.append(candidates([(bus, alone[bus]) for bus in order], target, region_id=region))
        pushed, total = [], 0.0
        for bus in order:
            remaining = min(sharing.remaining_mw(bus, pushed).mw, alone[bus])
            pushed.append((bus, min(remaining, target - total)))
            total += pushed[-1][1]
        expected[region] = total
        assert Pushed(grid, network, pushed).over_mw() <= 1e-5
    frame = pd.concat(parts).sample(frac=1.0, random_state=random.randint(0, 99))
    frame = frame.reset_index(drop=True)
    found = fill_regions(frame, sharing)
    assert found.index.equals(frame.index)
    told = frame.assign(**found)
    for region, held in told.sort_values("candidate_no").groupby("region_id"):
        granted = held[held["used_mw"] > 0]
        pairs = list(zip(granted["bus"], granted["used_mw"], strict=True))
        assert Pushed(grid, network, pairs).over_mw() <= 1e-5
        assert granted["used_mw"].sum() == pytest.approx(expected[region], abs=0.5)
        kept = (held["used_mw"] + held["shared_mw"]) <= held["capacity_mw"] + 1e-9
        assert kept[held["used_mw"].notna()].all()
    alone_again = fill_regions(frame, sharing, workers=1)
    assert alone_again.equals(found)
