from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from geo.errors import GeoError
from geo.power.flexible import duration_levels, flexible_mw, load_levels

LEVELS = np.array([1.0, 0.8, 0.6, 0.4])
DURATION = pd.read_csv(Path(__file__).parents[3] / "data" / "reference" / "load_duration.csv")
FACTORS = {"low": 0.50, "mid": 0.575, "high": 0.65}


def curtailed(load, levels, capacity, hours):
    """Share of a load's energy that is not served, hour by hour."""
    served = [min(load, np.interp(hour, levels[::-1], capacity[::-1])) for hour in hours]
    return 1.0 - sum(served) / (load * len(served))


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.floats(0.0, 900.0), min_size=4, max_size=4),
    st.lists(st.floats(0.2, 1.0), min_size=1, max_size=40),
    st.sampled_from([0.0025, 0.005, 0.01, 0.2, 0.9]),
)
def test_the_load_is_curtailed_by_the_share_and_no_more(capacity, hours, share):
    capacity, hours = np.array(capacity), np.array(hours)
    found = flexible_mw(LEVELS, capacity[:, None], hours, np.array([share]))[0, 0]
    of_hours = np.interp(hours, LEVELS[::-1], capacity[::-1])
    # Where hours without anything are exactly what may be curtailed, any load up to that of the others is.
    assume(not np.isclose(np.mean(of_hours < 1e-6), share))
    if np.mean(of_hours < 1e-6) >= share:
        # Hours without anything are more than may be curtailed.
        assert found <= 1e-6 / (1.0 - share) + 1e-5
        return
    high = of_hours.max() / (1.0 - share) + 1.0
    expected = brentq(
        lambda load: curtailed(load, LEVELS, capacity, hours) - share, 1e-9, high, xtol=1e-12
    )
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-6)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_more_curtailment_never_lets_in_less_and_none_the_least_hour(seed):
    rng = np.random.default_rng(seed)
    capacity = rng.choice([0.0, 1.0, 50.0, 300.0], (4, 30)) * rng.random((4, 30))
    hours = rng.uniform(0.1, 1.0, 50)
    shares = np.array([0.0, 1e-9, 0.0025, 0.005, 0.01, 0.5])
    found = flexible_mw(LEVELS, capacity, hours, shares)
    assert np.all(np.diff(found, axis=0) >= -1e-9)
    of_hours = [np.interp(hours, LEVELS[::-1], site[::-1]) for site in capacity.T]
    assert found[0] == pytest.approx(np.min(of_hours, axis=1), abs=1e-9)
    assert np.all(np.isfinite(found))
    order, mixed = rng.permutation(4), rng.permutation(hours)
    again = flexible_mw(LEVELS[order], capacity[order], mixed, shares)
    assert np.array_equal(again, found)


def test_worked_example():
    # Ten hours: one at the peak with 100 MW, nine with 200. Of 110 MW, 10 of 1,100 MWh are lost.
    hours = np.array([1.0] + [0.5] * 9)
    capacity = np.array([[100.0], [200.0]])
    share = np.array([0.0, 10.0 / 1100.0, 0.5])
    found = flexible_mw(np.array([1.0, 0.5]), capacity, hours, share)
    # Half of it is served where the ten hours' 1,900 MWh are half of what it asks for.
    assert found[:, 0] == pytest.approx([100.0, 110.0, 380.0])


def test_below_the_lowest_level_capacity_is_constant_and_one_level_is_enough():
    capacity = np.array([[100.0], [200.0]])
    levels = np.array([1.0, 0.5])
    low = flexible_mw(levels, capacity, np.array([0.5, 0.1, 0.0]), np.array([0.0]))
    assert low.tolist() == [[200.0]]
    one = flexible_mw(levels[:1], capacity[:1], np.array([0.9, 0.2]), np.array([0.0, 0.5]))
    assert one.tolist() == [[100.0], [200.0]]


def test_what_is_unknown_stays_so():
    capacity = np.array([[100.0, np.nan, 0.0], [200.0, 50.0, 0.0]])
    found = flexible_mw(np.array([1.0, 0.5]), capacity, np.array([1.0]), np.array([0.0, 0.01]))
    assert np.isnan(found[:, 1]).all()
    assert found[:, 0] == pytest.approx([100.0, 100.0 / 0.99])
    assert found[:, 2].tolist() == [0.0, 0.0]


def test_a_whole_country_of_sites_agrees_with_each_alone():
    rng = np.random.default_rng(0)
    capacity = np.cumsum(rng.exponential(30.0, (7, 3_000)), axis=0)
    levels, shares = np.linspace(1.0, 0.4, 7), np.array([0.0025, 0.005, 0.01])
    hours = duration_levels(DURATION["share_of_hours"], DURATION["level_mid"])
    found = flexible_mw(levels, capacity, hours, shares)
    for site in range(0, 3_000, 300):
        alone = flexible_mw(levels, capacity[:, [site]], hours, shares)
        assert np.array_equal(alone[:, 0], found[:, site])
        of_hours = np.interp(hours, levels[::-1], capacity[::-1, site])
        lost = np.maximum(0.0, found[:, [site]] - of_hours).mean(axis=1) / found[:, site]
        assert lost == pytest.approx(shares, rel=1e-9)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"levels": np.array([])}, "none are given"),
        ({"levels": np.array([1.0, np.nan])}, "is no number"),
        ({"levels": np.array([1.0, 1.0])}, "stands twice"),
        ({"hours": np.array([1.2])}, "above the highest"),
        ({"capacity": np.array([[1.0], [-1.0]])}, "is negative"),
        ({"share": np.array([1.0])}, "below 1"),
        ({"share": np.array([-0.1])}, "below 1"),
    ],
)
def test_what_makes_no_sense_is_an_error(change, told):
    given_ = {"levels": np.array([1.0, 0.5]), "capacity": np.array([[1.0], [2.0]]),
              "hours": np.array([0.7]), "share": np.array([0.1])} | change  # fmt: skip
    with pytest.raises(GeoError, match=told):
        flexible_mw(given_["levels"], given_["capacity"], given_["hours"], given_["share"])


def test_levels_of_a_series_are_shares_of_its_peak():
    assert load_levels(np.array([40.0, 80.0, 20.0])).tolist() == [1.0, 0.5, 0.25]
    assert load_levels(np.arange(8_784.0)).size == 8_784


@pytest.mark.parametrize(
    ("series", "told"),
    [([], "has no value"), ([1.0, -2.0], "Value 2 .* is -2"), ([np.nan], "Value 1 .* is nan"),
     ([1.0, np.inf], "Value 2 .* is inf"), ([0.0, 0.0], "0 in every hour")],
)  # fmt: skip
def test_a_series_that_is_no_load_is_an_error(series, told):
    with pytest.raises(GeoError, match=told):
        load_levels(np.array(series))


@pytest.mark.parametrize("end", FACTORS)
def test_the_assumed_duration_curves_have_the_load_factors_they_state(end):
    level = DURATION[f"level_{end}"].to_numpy()
    hours = duration_levels(DURATION["share_of_hours"], level)
    assert hours.mean() == pytest.approx(FACTORS[end], abs=1e-4)
    assert level[0] == 1.0
    assert np.all(np.diff(level) < 0.0)
    assert 0.3 <= level[-1] <= 0.4
    # Steepest at the peak, and smooth.
    slope = np.diff(level) / np.diff(DURATION["share_of_hours"])
    assert np.all(np.diff(slope) > -1e-3)
    assert set(DURATION["kind"]) == {"assumption"}


def test_a_duration_curve_runs_from_the_first_hour_to_the_last():
    for share in ([0.1, 1.0], [0.0, 0.9], [0.0, 0.5, 0.5, 1.0], [0.0]):
        with pytest.raises(GeoError, match="ascend from 0 to 1"):
            duration_levels(np.array(share), np.ones(len(share)))
