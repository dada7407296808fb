import numpy as np
import pytest
from hypothesis import assume, given, settings

from geo.errors import GeoError
from geo.power.factors import Factors, connected
from geo.power.sensitivity import bridges, factors_of, islands_with_branches
from tests.geo.power.cases import ODD, network_of, pypsa_of, pypsa_parts, shuffled
from tests.oracle import power as plain

CLOSE = 1e-6


def assert_same_sensitivities(network, parts):
    """PTDF and LODF of every bus and outage against those of another: (branch ids, bus ids, PTDF, LODF)."""
    bus_row = {name: row for row, name in enumerate(network.bus_id)}
    branch_row = {name: row for row, name in enumerate(network.branch_id)}
    is_bridge = bridges(network)
    compared = 0
    for branch_ids, bus_ids, ptdf, lodf in parts:
        rows = np.array([branch_row[name] for name in branch_ids])
        island = network.island[network.from_bus[rows[0]]]
        factors = factors_of(network, island)
        at = np.searchsorted(factors.branch, rows)
        assert np.array_equal(factors.branch[at], rows)
        buses = np.searchsorted(factors.bus, [bus_row[name] for name in bus_ids])
        found = factors.ptdf(buses)[at]
        # Slacks differ: what goes in at one bus and out at the first.
        found -= found[:, :1]
        assert found == pytest.approx(ptdf - ptdf[:, :1], abs=CLOSE)
        kept = ~is_bridge[rows]
        assert factors.lodf(at[kept])[at] == pytest.approx(lodf[:, kept], abs=CLOSE)
        compared += rows.size
    assert compared == network.is_active.sum()


@pytest.mark.parametrize("name", ["39", "118"])
def test_sensitivities_of_the_ieee_cases_are_those_of_pypsa(name):
    frames = plain.ieee(name)
    assert_same_sensitivities(network_of(frames), pypsa_parts(pypsa_of(frames)))


@settings(ODD, max_examples=40)
@given(plain.frames_of_cases())
def test_sensitivities_of_odd_networks_are_those_of_dense_solves(frames):
    try:
        grid = plain.PlainGrid(frames)
    except np.linalg.LinAlgError:
        grid = None
    assume(grid is not None and grid.worst < 1e5)
    network = network_of(frames)
    assert sorted(grid.ids) == network.branch_id[network.is_active].tolist()
    row = {name: number for number, name in enumerate(grid.ids)}
    for number in islands_with_branches(network):
        factors = factors_of(network, number)
        mine = [row[name] for name in network.branch_id[factors.branch]]
        nodes = [grid.node[name] for name in network.bus_id[factors.bus]]
        every = np.arange(factors.bus.size)
        slack = np.random.default_rng(0).random(every.size)
        slack /= slack.sum()
        expected = grid.response[0][mine][:, nodes]
        expected = expected - (expected @ slack)[:, None]
        assert factors.ptdf(every, slack) == pytest.approx(expected, abs=CLOSE)
        outages = [k for k in mine if k in grid.outages]
        found = factors.lodf(np.array([mine.index(k) for k in outages], dtype=int))
        for column, outage in enumerate(outages):
            # A transfer over the ends of the outaged branch that is all of what it carries.
            after = grid.flows(grid.incidence[outage][:, None], outage, turns=False)[mine, 0]
            after[mine.index(outage)] = -1.0
            assert found[:, column] == pytest.approx(after, abs=CLOSE)


def test_sensitivities_do_not_depend_on_the_order_of_rows_or_what_is_solved_beside_them():
    network = network_of(plain.ieee("118"))
    factors = factors_of(network, 0)
    whole = factors.ptdf(np.arange(118))
    again = factors_of(network_of(shuffled(plain.ieee("118"), 3)), 0)
    assert np.array_equal(again.ptdf(np.arange(118)), whole)
    some = np.array([117, 3, 64])
    assert np.array_equal(factors.ptdf(some), whole[:, some])
    outages = np.flatnonzero(~bridges(network))
    assert np.array_equal(factors.lodf(outages[some]), factors.lodf(outages)[:, some])


def factored(nodes, branches):
    one, other, b = (np.array(part) for part in zip(*branches, strict=True))
    return Factors.from_arrays(
        np.arange(nodes), np.arange(b.size), np.arange(nodes), one, other, b.astype(float)
    )


def test_a_zero_on_the_diagonal_is_no_obstacle():
    # What joins at 2 cancels, and no order of 1 and 2 with 0 as ground has pivots on the diagonal.
    branches = [(0, 1, 1.0), (1, 2, -1.0), (2, 0, 1.0)]
    factors = factored(3, branches)
    # From 1 to 2 the way over 0 has twice the reactance of -1 the other: 2 MW go directly, 1 comes back.
    injection = np.array([[0.0], [1.0], [-1.0]])
    assert factors.flows(injection)[:, 0] == pytest.approx([1.0, 2.0, 1.0], abs=1e-12)


def test_random_signs_of_reactance_are_solved_or_refused():
    rng = np.random.default_rng(1)
    solved = refused = wrongly = 0
    for _ in range(300):
        nodes = int(rng.integers(3, 12))
        joins = [(n, int(rng.integers(0, n))) for n in range(1, nodes)]
        joins += [tuple(int(n) for n in rng.choice(nodes, 2, replace=False)) for _ in range(nodes)]
        b = rng.choice([1.0, -1.0, 2.0, 0.5, -0.5], len(joins))
        incidence = np.zeros((b.size, nodes))
        for number, (one, other) in enumerate(joins):
            incidence[number, [one, other]] = 1.0, -1.0
        matrix = (incidence.T @ (b[:, None] * incidence))[1:, 1:]
        is_regular = np.linalg.cond(matrix) < 1e9
        try:
            factors = factored(nodes, [(*join, one) for join, one in zip(joins, b, strict=True)])
        except GeoError:
            refused += 1
            wrongly += is_regular
            continue
        assert is_regular
        solved += 1
        injection = np.eye(nodes) - 1.0 / nodes
        angle = np.vstack([np.zeros(nodes), np.linalg.solve(matrix, injection[1:])])
        expected = b[:, None] * (incidence @ angle)
        assert factors.flows(injection) == pytest.approx(expected, abs=1e-6)
    assert solved > 200
    assert refused > 5
    # No order of elimination has all its pivots on the diagonal; some ways of joining ones only.
    assert wrongly <= 3


def test_an_island_without_branches_is_an_error():
    none, one = np.zeros(0, int), np.zeros(1, int)
    with pytest.raises(GeoError, match="without branches"):
        Factors.from_arrays(one, none, one, none, none, np.zeros(0))


def test_connected_parts_are_counted_in_the_order_of_the_buses():
    found = connected(np.array([0, 1, 2, 2, 4]), np.array([4]), np.array([1]))
    assert found.tolist() == [0, 1, 2, 2, 1]
