import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from geo.decide.covering import Covering, Reach, cover
from geo.decide.portfolio import Demand, Limits, Offers
from geo.errors import GeoError
from geo.fiber.access import Access
from geo.fiber.reach import PeopleReach, ServedPeople
from tests.geo.fiber.worlds import rules_of
from tests.oracle import portfolio as plain

RULES = rules_of()


def world(seed, places=9, nodes=7, people=40):
    """Places with up to three nodes each, people at nodes, and round trips between these."""
    rng = np.random.default_rng(seed)
    away = rng.uniform(0, 900, nodes)
    node_ms = np.abs(away[:, None] - away[None])[:, :, None] * np.array([0.01, 0.02, 0.03])
    node = np.argsort(rng.random((places, nodes)), axis=1)[:, :3]
    node = np.where(np.arange(3) < rng.integers(1, 4, places)[:, None], node, -1)
    mi = np.where(node >= 0, rng.uniform(0, 60, node.shape), np.nan)
    of_node, km = rng.integers(0, nodes, people), rng.uniform(0, 150, people)
    milli = rng.integers(0, 5_000_000, people)
    order = np.lexsort((km, of_node))
    served = ServedPeople(
        np.searchsorted(of_node[order], np.arange(nodes + 1)).astype(np.int64),
        km[order],
        np.concatenate([[0], np.cumsum(milli[order])]),
        0.0,
    )
    offers = Offers(
        np.zeros(places),
        np.full(places, 100.0),
        rng.integers(0, places, places),
        rng.uniform(-100, -95, places),
        rng.uniform(38, 42, places),
    )
    return Access(node, mi), served, node_ms, of_node[order], offers


def limits(count=30):
    return Limits(csr_array((0, count)), np.zeros(0))


def asked(sites, spacing_mi=0.0):
    return Demand(1e-6 * sites, sites, 1e-6, 1e-6, spacing_mi)


def plainly(access, served, node_ms, of_node, budget_ms, end):
    """Who is covered by which place, a loop over both."""
    out = np.zeros((len(access.node_no), served.tail_km.size), dtype=bool)
    lateral = access.lateral_ms(RULES)[:, :, end]
    tail = RULES.straight_ms(served.tail_km)[:, end]
    for place in range(len(out)):
        for person, node in enumerate(of_node.tolist()):
            for slot, near in enumerate(access.node_no[place].tolist()):
                ms = lateral[place, slot] + node_ms[near, node, end] + tail[person]
                out[place, person] |= near >= 0 and ms <= budget_ms
    return out


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([3.0, 8.0, 15.0]), st.integers(0, 2))
def test_people_of_a_parcel_are_those_of_a_loop_and_of_the_published_count(seed, budget_ms, end):
    access, served, node_ms, of_node, offers = world(seed)
    reach = Reach.of(access, served, node_ms, RULES, budget_ms, end)
    told = plainly(access, served, node_ms, of_node, budget_ms, end)
    assert np.array_equal(reach.worths(reach.milli), (told * reach.milli).sum(axis=1))
    for rows in ([0], [1, 4], []):
        assert np.array_equal(reach.covered(np.array(rows, int)), told[rows].any(axis=0))
    counted = PeopleReach.of(served, node_ms, RULES).within(
        offers.lon, offers.lat, access, (budget_ms,)
    )
    assert np.array_equal(reach.worths(reach.milli), counted[:, 0, 2 - end])


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from([2.0, 5.0, 9.0]),
    st.integers(1, 4),
    st.sampled_from([0.0, 0.0, 60.0, 150.0]),
)
def test_the_most_people_are_found_and_no_bound_is_under_them(seed, budget_ms, sites, spacing_mi):
    access, served, node_ms, of_node, offers = world(seed)
    reach = Reach.of(access, served, node_ms, RULES, budget_ms)
    told = plainly(access, served, node_ms, of_node, budget_ms, 1)
    best = plain.most_people(told, reach.milli, offers, sites, spacing_mi)
    found = cover(reach, offers, limits(), asked(sites, spacing_mi), gap=1e-9)
    greedy = cover(reach, offers, limits(), asked(sites, spacing_mi), method="greedy")
    if best is None:
        assert isinstance(found, int)
        assert found < sites
        return
    # One that is taken in turn can stand in the way of so many sites.
    for each in (found, greedy):
        if isinstance(each, int):
            assert spacing_mi > 0.0
            continue
        assert plain.is_apart(offers.lon, offers.lat, each.rows, spacing_mi)
        assert len(set(offers.substation[each.rows].tolist())) == sites
        covered = told[each.rows].any(axis=0)
        assert each.total_people == pytest.approx(reach.milli[covered].sum() / 1_000)
        assert each.added_people.sum() == pytest.approx(each.total_people)
        assert each.bound_people * 1_000 >= best - 1
        assert each.total_people * 1_000 <= best + 1e-3
    if isinstance(found, Covering):
        assert found.total_people * 1_000 == pytest.approx(best, rel=1e-6)
    if isinstance(greedy, Covering) and spacing_mi == 0.0 and len(set(offers.substation)) == 9:
        assert greedy.total_people * 1_000 >= (1 - np.exp(-1)) * best


def test_people_whom_two_sites_reach_count_once():
    access = Access(np.array([[0], [0], [1]]), np.zeros((3, 1)))
    served = ServedPeople(np.array([0, 1, 2]), np.zeros(2), np.array([0, 9_000, 10_000]), 0.0)
    node_ms = np.array([[0.0, 99.0], [99.0, 0.0]])[:, :, None] * np.ones(3)
    reach = Reach.of(access, served, node_ms, RULES, 5.0)
    offers = Offers(*np.zeros((2, 3)), np.arange(3), np.array([-100.0, -99.0, -98.0]), np.zeros(3))
    found = cover(reach, offers, limits(), asked(2))
    assert 2 in found.rows
    assert (found.total_people, found.bound_people, found.gap) == (10.0, 10.0, 0.0)
    assert found.people.tolist() == found.added_people.tolist() == [9.0, 1.0]


def test_a_limit_that_sites_share_is_kept():
    access = Access(np.array([[0], [1], [2]]), np.zeros((3, 1)))
    served = ServedPeople(np.arange(4), np.zeros(3), np.array([0, 9_000, 17_000, 18_000]), 0.0)
    node_ms = np.where(np.eye(3) > 0, 0.0, 99.0)[:, :, None] * np.ones(3)
    reach = Reach.of(access, served, node_ms, RULES, 5.0)
    offers = Offers(np.zeros(3), np.full(3, 100.0), np.arange(3), np.arange(3) - 100.0, np.zeros(3))
    shared = Limits(csr_array(np.array([[1.0, 1.0, 0.0]])), np.array([150.0]))
    found = cover(reach, offers, shared, Demand(200.0, 2, 100.0, 100.0))
    assert sorted(found.rows.tolist()) == [0, 2]
    found = cover(reach, offers, shared, Demand(140.0, 2, 70.0, 70.0))
    assert sorted(found.rows.tolist()) == [0, 1]
    assert cover(reach, offers, shared, Demand(300.0, 3, 100.0, 100.0)) == 2


def test_a_round_trip_that_is_none_is_an_error():
    access, served, node_ms, _, _ = world(1)
    for ms in (0.0, -1.0, 401.0, np.nan):
        with pytest.raises(GeoError, match="cannot be asked for"):
            Reach.of(access, served, node_ms, RULES, ms)


def test_the_order_of_people_and_places_leaves_no_trace():
    access, served, node_ms, _, offers = world(5)
    reach = Reach.of(access, served, node_ms, RULES, 5.0)
    found = cover(reach, offers, limits(), asked(3))
    turn = np.random.default_rng(0).permutation(9)
    turned = Reach.of(access.take(turn), served, node_ms, RULES, 5.0)
    moved = Offers(
        *(each[turn] for each in (offers.worth, offers.capacity_mw, offers.substation)),
        offers.lon[turn],
        offers.lat[turn],
    )
    again = cover(turned, moved, limits(), asked(3))
    assert again.total_people == found.total_people
    assert pd.Series(again.added_people).is_monotonic_decreasing
