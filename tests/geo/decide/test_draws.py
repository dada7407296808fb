"""Draws: spread as they say, of the thing that is drawn alone, and the same for ever."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.decide.draws import UNITS, Draws, codes_of, triangular
from tests.oracle import confidence as oracle


@given(
    st.integers(0, 2**63), st.integers(0, 10_000), st.text(max_size=9), st.integers(0, 2**64 - 1)
)
@settings(max_examples=100)
def test_a_number_depends_on_seed_draw_quantity_and_group_alone(seed, draw, quantity, group):
    draws = Draws(10, seed)
    alone = draws.uniform(draw, quantity, np.array([group], dtype=np.uint64))
    among = draws.uniform(draw, quantity, np.array([1, group, 2**63], dtype=np.uint64))
    assert alone[0] == among[1] == oracle.uniform(seed, draw, quantity, group)
    assert 0.0 < alone[0] < 1.0


def test_numbers_are_uniform_and_apart():
    groups = codes_of(np.arange(4_000).astype(str))
    draws = Draws()
    first, second = draws.uniform(0, "x", groups), draws.uniform(1, "x", groups)
    other = draws.uniform(0, "y", groups)
    for found in (first, second, other):
        assert np.abs(np.histogram(found, 10, (0, 1))[0] - 400).max() < 90
    for a, b in ((first, second), (first, other), (first[:-1], first[1:])):
        assert abs(np.corrcoef(a, b)[0, 1]) < 0.06


def test_codes_go_by_the_name_alone():
    some, more = codes_of(np.array(["a", "b", "a"])), codes_of(np.array(["b", "c", "a"]))
    assert some[0] == some[2] == more[2] == oracle.code("a")
    assert some[1] == more[0]
    assert codes_of([]).shape == (0,)


def test_weights_vary_around_those_of_the_profile():
    weight = np.array([0.4, 0.3, 0.0, 0.2, 0.1])
    drawn = Draws(4_000).weights(list("abcde"), weight)
    share = drawn / UNITS
    assert np.abs(share.sum(axis=1) - 1).max() <= 2 / UNITS
    assert share.mean(axis=0) == pytest.approx(weight, abs=0.004)
    assert (drawn[:, 2] == 0).all()
    held = weight > 0
    # Four factors: a weight of a quarter has the 25 %.
    expected = 0.25 * np.sqrt((1 / weight[held] - 1) / 3)
    cv = share.std(axis=0)[held] / share.mean(axis=0)[held]
    assert cv == pytest.approx(expected, rel=0.05)


def test_weights_go_by_name_and_stay_without_variation():
    weight = np.array([0.5, 0.3, 0.2])
    drawn = Draws(20).weights(["a", "b", "c"], weight)
    turned = Draws(20).weights(["c", "a", "b"], weight[[2, 0, 1]])
    assert (drawn[:, [2, 0, 1]] == turned).all()
    assert (drawn[:7] == Draws(7).weights(["a", "b", "c"], weight)).all()
    assert not (drawn == Draws(20, seed=1).weights(["a", "b", "c"], weight)).all()
    still = Draws(3, weight_cv=0.0).weights(["a", "b", "c"], weight)
    assert (still == np.rint(weight * UNITS)).all()
    with pytest.raises(ValueError, match="cannot vary"):
        Draws(3, weight_cv=1.5).weights(["a", "b", "c"], weight)


@given(st.floats(-1e3, 1e3), st.floats(0, 1e3), st.floats(0, 1e3))
def test_triangles_keep_their_ends_their_mode_and_their_shares(low, below, above):
    u = (np.arange(400) + 0.5) / 400
    mid, high = low + below, low + below + above
    ends = (np.full(400, each) for each in (low, mid, high))
    x = triangular(u, *ends)
    assert (np.diff(x) >= -1e-9 * max(abs(low), high - low, 1.0)).all()
    assert low - 1e-9 <= x[0]
    assert x[-1] <= high + 1e-9
    assert x.mean() == pytest.approx((low + mid + high) / 3, abs=5e-3 * max(high - low, 1e-9))


def test_a_triangle_of_no_width_is_a_point_and_of_the_unknown_unknown():
    five, none = np.array([5.0]), np.array([np.nan])
    assert triangular(np.array([0.3]), five, five, five).tolist() == [5.0]
    assert np.isnan(triangular(np.array([0.3]), none, none, none)).all()
