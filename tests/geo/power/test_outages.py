import numpy as np
import pytest
from hypothesis import assume, given, settings

from geo.power.outages import Outages, Screening, screen
from geo.power.sensitivity import bridges, factors_of, is_single_fed, islands_with_branches
from tests.geo.power.cases import ODD, bus, line, network_of, unit
from tests.oracle import power as plain


def pairs_of(factors, network, rules, **options):
    rows = factors.branch
    return screen(factors, network.flow_mw[rows], network.rating_mva[rows],
                  ~bridges(network)[rows], rules, **options)  # fmt: skip


@settings(ODD, max_examples=40)
@given(plain.frames_of_cases())
def test_pairs_are_those_of_dense_solves_that_can_reach_the_limit(frames):
    try:
        grid = plain.PlainGrid(frames)
    except np.linalg.LinAlgError:
        grid = None
    assume(grid is not None and grid.worst < 1e5)
    network, row = network_of(frames), {name: number for number, name in enumerate(grid.ids)}
    rules = Screening(largest_mw=500.0)
    for number in islands_with_branches(network):
        factors = factors_of(network, number)
        mine = [row[name] for name in network.branch_id[factors.branch]]
        whole = pairs_of(factors, network, Screening.none())
        few = pairs_of(factors, network, rules)
        share = np.zeros((len(mine), len(mine)))
        share[whole.element, whole.outage] = whole.share
        reached, doubtful = np.zeros_like(share, dtype=bool), np.zeros_like(share, dtype=bool)
        for column, outage in enumerate(mine):
            expected = np.zeros(len(mine))
            if outage in grid.outages:
                moved = grid.incidence[outage][:, None]
                expected = grid.flows(moved, outage, turns=False)[mine, 0]
            assert share[:, column] == pytest.approx(expected, abs=1e-6)
            # What the outaged branch may carry before anybody notices.
            _, mid, high = grid.rating[outage]
            carried = abs(grid.base[outage])
            if np.isinf(mid) or carried > mid:
                carried = 1.1 * carried + 500.0
            else:
                carried = max(1.1 * carried + 0.05 * 500.0, 1.1 * high)
            brought = np.abs(expected) * carried - 0.09 * grid.rating[mine, 1]
            reached[:, column] = (brought >= 0.0) & (np.abs(expected) > 0.005)
            doubtful[:, column] = (np.abs(brought) < 1e-4) | (np.abs(expected) < 1e-9)
        found = np.zeros_like(reached)
        found[few.element, few.outage] = True
        assert np.array_equal(found | doubtful, reached | doubtful)


def test_pairs_are_the_same_both_ways_and_without_workers():
    network = network_of(plain.ieee("118"))
    factors = factors_of(network, 0)
    found = pairs_of(factors, network, None)
    assert len(found) == found.share.size > 1000
    for start, key, other in ((found.element_start, found.element, found.outage),
                              (found.outage_start, found.outage[found.by_outage],
                               found.element[found.by_outage])):  # fmt: skip
        assert np.all(np.diff(key) >= 0)
        assert np.array_equal(np.bincount(key, minlength=186), np.diff(start))
        assert np.all(np.diff(other)[np.diff(key) == 0] > 0)
    assert np.all(np.abs(found.share) <= found.largest_share[found.outage])
    assert np.all(found.largest_share[bridges(network)[factors.branch]] == 0.0)
    again = pairs_of(factors, network, None, workers=1)
    assert np.array_equal(found.share, again.share)


def test_no_pair_at_all_is_fine():
    found = Outages.of(3, *[np.zeros(0, np.int32)] * 2, np.zeros(0))
    assert len(found) == 0
    assert found.element_start.tolist() == [0] * 4


@settings(ODD, max_examples=60)
@given(plain.frames_of_cases())
def test_bridges_and_what_a_single_one_feeds_are_those_of_the_graph(frames):
    try:
        grid = plain.PlainGrid(frames)
    except np.linalg.LinAlgError:
        grid = None
    assume(grid is not None)
    network = network_of(frames)
    found = set(network.branch_id[bridges(network)])
    expected = {
        grid.ids[k] for k in range(len(grid.ids))
        if len(grid.parts_without(k)) > len(grid.islands)
    }  # fmt: skip
    assert found == expected
    fed = plain.single_fed(grid, frames)
    for name, is_single in zip(network.bus_id, is_single_fed(network), strict=True):
        assert fed[name] is None or fed[name] == is_single


def test_a_radial_end_is_single_fed_and_a_double_circuit_or_a_lone_bus_is_not():
    frames = plain.Frames.of(
        [bus("a", 90.0), bus("b"), bus("c", 40.0), bus("end"), bus("pair"), bus("lone", 70.0)],
        [line("1", "a", "b"), line("2", "b", "c"), line("3", "c", "a"), line("4", "c", "end"),
         line("5", "b", "pair"), line("6", "b", "pair"), line("7", "pair", "lone", x=0.0)],
        [unit("g", "a", 100.0)],
    )  # fmt: skip
    network = network_of(frames)
    assert network.bus_id[is_single_fed(network)].tolist() == ["end"]
    frames.branch.loc[5, "is_in_service"] = False
    # Then `pair`, with what is tied to it, hangs on one line; the ring has the more load and units.
    network = network_of(frames)
    assert network.bus_id[is_single_fed(network)].tolist() == ["end", "lone", "pair"]
    frames.branch = frames.branch.drop(index=4)
    network = network_of(frames)
    assert network.bus_id[is_single_fed(network)].tolist() == ["end"]
