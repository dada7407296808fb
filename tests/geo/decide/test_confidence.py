"""Confidence in ranks: against plain loops to the last integer, calibrated, and narrower where inputs are."""

from dataclasses import replace

import numpy as np
import pytest

from geo.decide import confidence as subject
from geo.decide.confidence import Quantity, ScoreInputs, confidence
from geo.decide.draws import Draws, codes_of
from tests.oracle import confidence as oracle

NAMES = ("p_top10", "p_top100", "p_ranked", "rank_p05", "rank_p50", "rank_p95")
RISING = ((0.0, 0.0), (50.0, 0.7), (100.0, 1.0))


def made(count, seed=0, *, width=30.0, unknown=0.1):
    """Rows with every kind of quantity: sure, drawn, shared, unknown, gated, both and only gated."""
    rng = np.random.default_rng(seed)
    row_id = np.array([f"p{k}" for k in rng.permutation(count)], dtype=object)
    own = codes_of(row_id)
    shared = codes_of(np.array([f"s{k}" for k in rng.integers(0, max(count // 4, 1), count)]))

    def interval(scale=1.0):
        mid = rng.uniform(0, 100, count) * scale
        low = mid - rng.uniform(0, width, count) * scale
        return low, mid, mid + rng.uniform(0, width, count) * scale

    sure = np.round(rng.uniform(0, 100, count))
    dark = rng.uniform(0, 100, count)
    dark[rng.random(count) < unknown] = np.nan
    low, mid, high = interval()
    hidden = rng.random(count) < unknown / 2
    half = np.where(hidden, np.nan, 1.0)
    return ScoreInputs(
        row_id,
        (
            Quantity("power", *interval(), shared, 0.4, RISING, at_least=20.0),
            Quantity("sure", sure, sure, sure, own, 0.2, ((0.0, 1.0), (100.0, 0.0)), at_most=95.0),
            Quantity("dark", dark, dark, dark, own, 0.25, RISING),
            Quantity("price", *interval(0.5), codes_of(np.full(count, "all")), 0.15, RISING),
            Quantity("near", low * half, mid * half, high * half, own, at_most=90.0),
        ),
    )


def same(found, other):
    for name in (*NAMES, "swing_metric", "swing_by", "swing_share"):
        a, b = getattr(found, name), getattr(other, name)
        if a.dtype == object:
            assert a.tolist() == b.tolist(), name
        else:
            assert a.tobytes() == b.tobytes(), name


@pytest.mark.parametrize(("count", "seed", "cv"), [(30, 1, 0.25), (140, 2, 0.0), (1, 3, 0.25)])
def test_it_is_what_plain_loops_say_to_the_last_integer(count, seed, cv):
    inputs = made(count, seed, unknown=0.3)
    draws = Draws(21, seed, cv)
    found = confidence(inputs, draws)
    wanted = oracle.summary(inputs, draws)
    for row, told in enumerate(wanted):
        here = [getattr(found, name)[row] for name in NAMES]
        assert here == [np.nan if each is None else each for each in told] or all(
            (np.isnan(a) and b is None) or a == b for a, b in zip(here, told, strict=True)
        ), (row, here, told)
    assert any(told[2] == 0 for told in wanted) or count == 1
    for row, told in enumerate(oracle.swings(inputs, draws)):
        assert (found.swing_metric[row], found.swing_by[row]) == told[:2], row
        if told[2] is None:
            assert np.isnan(found.swing_share[row])
        else:
            assert found.swing_share[row] == pytest.approx(told[2], rel=1e-12)


def test_neither_threads_nor_memory_nor_order_change_a_bit(monkeypatch):
    inputs = made(1_300, 4)
    draws = Draws(64)
    found = confidence(inputs, draws)
    monkeypatch.setattr(subject, "ROW_BLOCK", 100)
    same(found, confidence(inputs, draws, workers=1, memory_mb=1e-3))
    order = np.random.default_rng(0).permutation(1_300)
    mixed = ScoreInputs(
        inputs.row_id[order], tuple(q.take(order) for q in reversed(inputs.quantities))
    )
    other = confidence(mixed, draws)
    for name in NAMES:
        assert getattr(found, name)[order].tobytes() == getattr(other, name).tobytes()
    assert found.swing_metric[order].tolist() == other.swing_metric.tolist()


def test_another_row_far_behind_changes_nothing_of_those_before():
    inputs = made(300, 5)
    last = ScoreInputs(
        np.append(inputs.row_id, "zz"),
        tuple(
            replace(
                q,
                **{
                    name: np.append(getattr(q, name), 95.0 if q.name == "sure" else 20.0)
                    for name in ("low", "mid", "high")
                },
                group=np.append(q.group, np.uint64(7)),
            )
            for q in inputs.quantities
        ),
    )
    before, after = confidence(inputs, Draws(200)), confidence(last, Draws(200))
    top = before.p_top10 > 0.5
    assert top.sum() >= 5
    assert before.p_top10[top].tolist() == after.p_top10[:-1][top].tolist()
    assert after.rank_p50[-1] > 100


def test_shares_of_the_first_add_up():
    found = confidence(made(400, 6), Draws(250))
    assert found.p_top10.sum() == pytest.approx(10)
    assert found.p_top100.sum() == pytest.approx(100)
    known = ~np.isnan(found.rank_p95)
    assert (found.rank_p05[known] <= found.rank_p50[known]).all()
    assert (found.rank_p50[known] <= found.rank_p95[known]).all()
    assert (found.p_ranked[known] >= 0.95).all()
    assert (found.p_ranked[np.isnan(found.rank_p95)] < 0.95).all()


def test_without_doubt_there_is_one_rank():
    """Ranks by hand: scores 0.5, 0.9, 0.9 and a gate that fails."""
    x = np.array([50.0, 90.0, 90.0, 99.0])
    straight = ((0.0, 0.0), (100.0, 1.0))
    own = codes_of(np.array(["c", "b", "a", "d"]))
    gate = np.array([1.0, 1.0, 1.0, 0.0])
    inputs = ScoreInputs(
        np.array(["c", "b", "a", "d"]),
        (
            Quantity("x", x, x, x, own, 1.0, straight),
            Quantity("gate", gate, gate, gate, own, at_least=1.0),
        ),
    )
    found = confidence(inputs, Draws(10))
    for name in ("rank_p05", "rank_p50", "rank_p95"):
        assert np.nan_to_num(getattr(found, name), nan=-1).tolist() == [3, 2, 1, -1]
    assert found.p_top10.tolist() == [1, 1, 1, 0]
    assert found.swing_metric.tolist() == [None] * 4
    assert np.isnan(found.swing_share).all()


def test_chances_are_calibrated_on_truth_drawn_from_the_intervals():
    """In worlds whose truth lies in the intervals, rows of chance p are among the first 10 as often as p."""
    rng = np.random.default_rng(7)
    chance, came = [], []
    for world in range(50):
        count = 60
        mid = rng.uniform(30, 70, (2, count))
        low = mid - rng.uniform(0, 30, (2, count))
        high = mid + rng.uniform(0, 30, (2, count))
        own = codes_of(np.array([f"{world}-{k}" for k in range(count)]))
        straight = ((0.0, 0.0), (100.0, 1.0))
        inputs = ScoreInputs(
            np.array([f"{k:03}" for k in range(count)]),
            tuple(
                Quantity(f"x{j}", low[j], mid[j], high[j], own, w, straight)
                for j, w in enumerate((0.6, 0.4))
            ),
        )
        found = confidence(inputs, Draws(120, seed=world, weight_cv=0.0))
        truth = np.array([0.6, 0.4]) @ rng.triangular(low, mid, high)
        chance.append(found.p_top10)
        came.append(np.argsort(np.argsort(-truth)) < 10)
    chance, came = np.concatenate(chance), np.concatenate(came)
    edges = np.array([0.0, 0.02, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.01])
    bins = np.digitize(chance, edges)
    for k in np.unique(bins):
        here = bins == k
        expected, seen, error = chance[here].mean(), came[here].mean(), 0.0
        error = np.sqrt(max(expected * (1 - expected), 1e-3) / here.sum())
        assert abs(seen - expected) < 4 * error + 0.02, (edges[k - 1], expected, seen, here.sum())
    assert np.unique(bins).size >= 8


@pytest.mark.parametrize("seed", range(3))
def test_intervals_shrink_when_an_interval_of_an_input_shrinks(seed):
    inputs = made(300, 10 + seed, unknown=0.0)

    def narrowed(share):
        first, *others = inputs.quantities
        first = replace(
            first,
            low=first.mid + share * (first.low - first.mid),
            high=first.mid + share * (first.high - first.mid),
            at_least=-np.inf,
        )
        return ScoreInputs(inputs.row_id, (first, *others))

    widths, sure = [], []
    for share in (1.0, 0.5, 0.1):
        found = confidence(narrowed(share), Draws(300, weight_cv=0.0))
        width = found.rank_p95 - found.rank_p05
        widths.append(np.nanmean(width))
        # How sure the list of ten is: 10 where the same ten always lead.
        sure.append((found.p_top10**2).sum())
    assert widths[0] > widths[1] > widths[2]
    assert sure[0] < sure[1] < sure[2]


def test_what_swings_a_row_is_named():
    count = 120
    rng = np.random.default_rng(8)
    ids = np.array([f"{k:03}" for k in range(count)])
    own, straight = codes_of(ids), ((0.0, 0.0), (100.0, 1.0))
    calm = rng.uniform(40, 60, count)
    wild = rng.uniform(40, 60, count)
    spread = np.where(np.arange(count) < 60, 30.0, 0.0)
    inputs = ScoreInputs(
        ids,
        (
            Quantity("calm", calm, calm, calm, own, 0.5, straight),
            Quantity("wild", wild - spread, wild, wild + spread, own, 0.5, straight, at_least=25.0),
        ),
    )
    found = confidence(inputs, Draws(200, weight_cv=0.05))
    often = found.p_ranked < 0.95
    assert set(found.swing_by[often]) == {"gate"}
    assert set(zip(found.swing_metric[:60], found.swing_by[:60], strict=True)) >= {
        ("wild", "input")
    }
    assert set(found.swing_metric[:60]) == {"wild"}
    assert set(found.swing_by[:60]) == {"gate", "input"}
    # What moves all alike moves nobody's place.
    shared = tuple(replace(q, group=np.zeros(count, np.uint64)) for q in inputs.quantities)
    even = ScoreInputs(ids, (shared[0], replace(shared[1], low=wild - 9.0, high=wild + 9.0)))
    assert set(confidence(even, Draws(200, weight_cv=0.05)).swing_by) == {"weight"}
