"""Places of sites among land against loops over all pairs, and intervals against known truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, norm

from geo.decide.backtest import (
    TOP_SHARES,
    Places,
    at_random,
    bootstrap,
    interval,
    verdict,
)
from geo.decide.draws import Draws
from geo.errors import GeoError
from tests.oracle import backtest as oracle

KEY = st.one_of(st.integers(0, 6).map(float), st.just(-np.inf))
SITES = st.lists(st.tuples(KEY, st.integers(0, 2)), min_size=1, max_size=8)
LAND = st.lists(
    st.tuples(KEY, st.integers(0, 2), st.sampled_from([0.0, 1.0, 2.5, 40.0])), max_size=30
)


def places(sites, land):
    site_key, site_group = (np.array(column) for column in zip(*sites, strict=True))
    rows = np.array(land, dtype=float).reshape(-1, 3)
    return Places.of(site_key, site_group, rows[:, 0], rows[:, 1].astype(int), rows[:, 2])


@given(SITES, LAND)
def test_wins_and_lifts_are_those_of_all_pairs(sites, land):
    found = places(sites, land)
    for number, (key, group) in enumerate(sites):
        expected = [oracle.win(key, group, land)]
        expected += [oracle.lift(key, group, land, share) for share in TOP_SHARES]
        assert found.is_known[number] == (expected[0] is not None)
        wanted = [np.nan if value is None else value for value in expected]
        assert found.measures()[number] == pytest.approx(wanted, abs=1e-9, nan_ok=True)


@given(SITES, LAND)
def test_shares_sum_to_one_and_any_rising_key_gives_the_same(sites, land):
    found = places(sites, land)
    total = (found.above + found.tied + found.below)[found.is_known]
    assert total == pytest.approx(1.0)
    raised = places(
        [(3 * key - 5, group) for key, group in sites],
        [(3 * key - 5, group, acres) for key, group, acres in land],
    )
    np.testing.assert_array_equal(found.measures(), raised.measures())


def test_equal_acres_of_one_group_give_the_auc_of_mann_and_whitney():
    rng = np.random.default_rng(1)
    site, land = rng.integers(0, 20, 40).astype(float), rng.integers(-5, 18, 500).astype(float)
    found = Places.of(site, np.zeros(40, int), land, np.zeros(500, int), np.full(500, 9.0))
    expected = mannwhitneyu(site, land).statistic / (40 * 500)
    assert found.wins().mean() == pytest.approx(expected, abs=1e-12)


def test_a_site_above_all_land_has_the_greatest_lift_and_one_below_all_none():
    found = places([(9.0, 0), (-1.0, 0)], [(float(k), 0, 1.0) for k in range(9)])
    assert found.measures()[0] == pytest.approx([1.0, 100.0, 20.0, 10.0])
    assert found.measures()[1] == pytest.approx([0.0, 0.0, 0.0, 0.0])


@pytest.mark.parametrize(
    ("site", "land", "acres"), [(np.nan, 0.0, 1.0), (0.0, np.nan, 1.0), (0.0, 0.0, -1.0)]
)
def test_unknown_keys_and_negative_acres_are_refused(site, land, acres):
    one = np.zeros(1, int)
    with pytest.raises(GeoError):
        Places.of(np.array([site]), one, np.array([land]), one, np.array([acres]))


@given(st.integers(0, 2**40), st.lists(st.integers(0, 3), min_size=1, max_size=7))
def test_draws_are_those_of_plain_loops(seed, clusters):
    values = np.column_stack([np.arange(len(clusters)), np.sqrt(np.arange(len(clusters)))])
    draws = Draws(count=4, seed=seed)
    found = bootstrap(values, np.array(clusters), draws)
    for draw in range(4):
        expected = oracle.bootstrap(values.tolist(), clusters, draws, draw)
        assert found[draw] == pytest.approx(expected, rel=1e-12)


def test_a_draw_does_not_depend_on_how_many_are_made():
    values, cluster = np.random.default_rng(2).random((30, 2)), np.arange(30) // 2
    few, many, other = Draws(300, 5), Draws(700, 5), Draws(300, 6)
    first = bootstrap(values, cluster, few)
    np.testing.assert_array_equal(first, bootstrap(values, cluster, many)[:300])
    np.testing.assert_array_equal(at_random(9, few), at_random(9, many)[:300])
    assert not np.array_equal(first, bootstrap(values, cluster, other))


def test_random_land_has_an_auc_of_a_half_and_a_lift_of_one():
    drawn = at_random(400, Draws(2_000, 7))
    assert drawn.mean(axis=0) == pytest.approx([0.5, 1, 1, 1], abs=0.02)
    assert np.std(drawn[:, 0]) == pytest.approx(np.sqrt(1 / 12 / 400), rel=0.1)


def world(rng, mean, sites, per_cluster):
    """Wins of sites whose keys share a shift within clusters, over land of the normal distribution."""
    cluster = np.repeat(np.arange(sites // per_cluster), per_cluster)
    share = 0.8 if per_cluster > 1 else 0.0
    shift = rng.normal(size=cluster[-1] + 1)[cluster]
    key = mean + np.sqrt(share) * shift + np.sqrt(1 - share) * rng.normal(size=sites)
    land = norm.ppf((np.arange(2_000) + 0.5) / 2_000)
    zero = np.zeros(sites, int)
    found = Places.of(key, zero, land, np.zeros(2_000, int), np.ones(2_000))
    return found.wins()[:, None], cluster


@pytest.mark.parametrize("per_cluster", [1, 4])
def test_intervals_hold_the_truth_as_often_as_they_say(per_cluster):
    truth, held, alone = norm.cdf(0.5 / np.sqrt(2)), 0, 0
    rng = np.random.default_rng(10 + per_cluster)
    for seed in range(150):
        wins, cluster = world(rng, 0.5, 40 * per_cluster, per_cluster)
        low, high = interval(bootstrap(wins, cluster, Draws(300, seed))[:, 0])
        held += low <= truth <= high
        low, high = interval(bootstrap(wins, np.arange(len(wins)), Draws(300, seed))[:, 0])
        alone += low <= truth <= high
    # 95 %, less what 40 clusters cost and as 150 worlds can tell it.
    assert 0.89 <= held / 150 <= 0.995
    if per_cluster > 1:
        assert alone < held - 15


def test_verdicts():
    rng = np.random.default_rng(4)
    base, far = 0.6 + 0.05 * rng.normal(size=(2, 1_000))
    assert verdict(base + 0.3, far) == "ahead"
    assert verdict(far, base + 0.3) == "behind"
    assert verdict(base + 0.01, base) == "ahead_in_pairs"
    assert verdict(base, base + 0.01) == "behind_in_pairs"
    assert verdict(base + 0.01, far) == "no_difference"
    assert verdict(base, base) == "no_difference"
