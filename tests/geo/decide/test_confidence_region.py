"""Confidence in ranks of regions: against plain loops, and on regions worked out by hand."""

import numpy as np
import pytest

from geo.decide.confidence import Quantity, ScoreInputs
from geo.decide.draws import Draws, codes_of
from geo.decide.region_confidence import Plans, region_confidence
from tests.geo.decide.test_confidence import NAMES, made
from tests.oracle import confidence as oracle

STRAIGHT = ((0.0, 0.0), (100.0, 1.0))


def plans_over(inputs, regions, seed, capacity="power"):
    """Plans over rows that pass all gates when nothing is drawn, as a published plan does."""
    rng = np.random.default_rng(seed)
    passing = np.ones(inputs.row_id.size, dtype=bool)
    for q in inputs.quantities:
        with np.errstate(invalid="ignore"):
            passing &= ~((q.mid < q.at_least) | (q.mid > q.at_most))
    rows = rng.permutation(np.flatnonzero(passing))
    region = np.sort(np.append(np.arange(regions), rng.integers(0, regions, rows.size - regions)))
    return Plans(
        region,
        np.array([f"r{k}" for k in rng.permutation(regions)], dtype=object),
        inputs.row_id[rows],
        np.round(rng.uniform(1, 60, rows.size), 3),
        150.0,
        capacity,
    )


@pytest.mark.parametrize(("seed", "capacity"), [(1, "power"), (2, "price"), (3, "stated")])
def test_it_is_what_plain_loops_say_to_the_last_integer(seed, capacity):
    inputs = made(60, seed, unknown=0.3)
    plans = plans_over(inputs, 24, seed, capacity)
    draws = Draws(15, seed)
    found = region_confidence(inputs, plans, draws)
    wanted = oracle.region_summary(inputs, plans, draws)
    for region, told in enumerate(wanted):
        here = [getattr(found, name)[region] for name in NAMES]
        assert [None if np.isnan(each) else each for each in here] == list(told), region
    assert any(0 < told[2] < 1 for told in wanted)


def world(spread_mw=0.0, spread=0.0, *, gate=-np.inf):
    """Three regions of one parcel each, 90, 80 and 70 points on 100 MW of a target of 100 MW."""
    ids = np.array(["p1", "p2", "p3"], dtype=object)
    own = codes_of(ids)
    points = np.array([90.0, 80.0, 70.0])
    mw = np.full(3, 100.0)
    sure = np.array([0.0, spread_mw, 0.0])
    inputs = ScoreInputs(
        ids,
        (
            Quantity("points", points - spread, points, points + spread, own, 1.0, STRAIGHT),
            Quantity("mw", mw - sure, mw, mw + sure, own, at_least=gate),
        ),
    )
    return inputs, Plans(np.arange(3), np.array(["a", "b", "c"]), ids, mw, 100.0, "mw")


def test_without_doubt_regions_stand_as_published():
    found = region_confidence(*world(), Draws(20))
    assert found.rank_p05.tolist() == found.rank_p95.tolist() == [1, 2, 3]
    assert found.p_ranked.tolist() == [1, 1, 1]
    assert found.swing_metric.tolist() == [None] * 3


def test_megawatts_that_may_be_missing_move_a_region_and_more_of_them_do_not():
    """Of 100 MW between 0 and 200, half of the draws have less; under 70 / 80 of them b falls behind c."""
    found = region_confidence(*world(100.0), Draws(4_000))
    assert found.rank_p05.tolist() == [1, 2, 2]
    assert found.rank_p95.tolist() == [1, 3, 3]
    inputs, _ = world(100.0)
    drawn = [oracle.drawn(Draws(4_000), inputs.quantities[1], 1, draw) for draw in range(2_000)]
    assert np.mean(np.array(drawn) < 87.5) == pytest.approx(0.875**2 / 2, abs=0.03)
    # Its rivals are moved by what moves it.
    assert found.swing_metric.tolist() == ["mw"] * 3
    assert found.swing_by[1] == "input"
    assert found.swing_share[1] == pytest.approx(1.0)


def test_a_parcel_that_fails_its_gate_brings_nothing():
    found = region_confidence(*world(100.0, gate=100.0), Draws(2_000))
    assert found.p_ranked.tolist() == pytest.approx([1, 0.5, 1], abs=0.04)
    assert found.rank_p05.tolist() == [1, 2, 2]
    assert np.isnan(found.rank_p95[1])


def test_intervals_shrink_when_an_interval_of_an_input_shrinks():
    wide, narrow = (region_confidence(*world(spread=s), Draws(400)) for s in (30.0, 12.0))
    none = region_confidence(*world(spread=3.0), Draws(400))
    spans = [found.rank_p95 - found.rank_p05 for found in (wide, narrow, none)]
    assert spans[0].sum() > spans[1].sum() > spans[2].sum() == 0
    assert wide.swing_metric.tolist() == ["points"] * 3
