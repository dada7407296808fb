"""The quick way to chances of being first, against scoring every row."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.decide import top_chances as subject
from geo.decide.confidence import Quantity, ScoreInputs, confidence
from geo.decide.draws import UNITS, Draws, codes_of
from geo.decide.top_chances import top_chances

WEIGHT = np.array([0.3, 0.25, 0.2, 0.15, 0.1])
NAMES = list("abcde")


def slow(value, draws, tops):
    """Sort all rows in every draw."""
    drawn = draws.weights(NAMES, WEIGHT)
    out = np.zeros((len(tops), value.shape[1]))
    for weight in drawn:
        score = (weight @ value.astype(np.int64)) // UNITS
        order = np.lexsort((np.arange(score.size), -score))
        for k, top in enumerate(tops):
            out[k, order[:top]] += 1
    return (out / draws.count).astype(np.float32)


@given(
    st.integers(0, 10_000), st.integers(1, 900), st.sampled_from([1, 3, 40]), st.floats(0.01, 0.6)
)
@settings(max_examples=40, deadline=None)
def test_it_is_what_scoring_all_rows_gives(seed, count, levels, cv):
    rng = np.random.default_rng(seed)
    # Few levels make many ties; powers make some fields crowded at their top, some thin.
    share = np.round(rng.random((5, count)) ** rng.uniform(0.2, 3) * levels) / levels
    value = (share * UNITS).astype(np.int32)
    draws = Draws(60, seed, cv)
    tops = (1, 10, 100)
    assert (
        top_chances(value, NAMES, WEIGHT, draws, tops).tolist() == slow(value, draws, tops).tolist()
    )


@pytest.mark.parametrize("pilot", [100, 2_048])
def test_a_poor_pilot_costs_time_and_no_row(monkeypatch, pilot):
    value = (np.random.default_rng(1).random((5, 6_000)) * UNITS).astype(np.int32)
    monkeypatch.setattr(subject, "PILOT", pilot)
    monkeypatch.setattr(subject, "SCORES", 1_000)
    draws = Draws(40)
    found = top_chances(value, NAMES, WEIGHT, draws)
    assert found.tolist() == slow(value, draws, (10, 100)).tolist()
    assert found.sum(axis=1) == pytest.approx([10, 100], rel=1e-5)


def test_it_agrees_with_ranks_of_all():
    rng = np.random.default_rng(2)
    x = np.round(rng.random((5, 3_000)), 3)
    ids = np.array([f"{k:05}" for k in range(3_000)])
    own = codes_of(ids)
    inputs = ScoreInputs(
        ids,
        tuple(
            Quantity(n, row, row, row, own, w, ((0.0, 0.0), (1.0, 1.0)))
            for n, row, w in zip(NAMES, x, WEIGHT, strict=True)
        ),
    )
    draws = Draws(50)
    slow_way = confidence(inputs, draws)
    value = np.floor(x * UNITS + 0.5).astype(np.int32)
    quick = top_chances(value, NAMES, WEIGHT, draws)
    assert quick[0].tolist() == slow_way.p_top10.astype(np.float32).tolist()
    assert quick[1].tolist() == slow_way.p_top100.astype(np.float32).tolist()


def test_no_rows_no_chances():
    assert top_chances(np.empty((5, 0), np.int32), NAMES, WEIGHT, Draws(5)).shape == (2, 0)
