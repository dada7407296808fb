"""Least changes that lift a parcel over a floor, against plain numpy that tries."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.decide.factor import UNITS, Factor, Gate, Piece
from geo.decide.verdict import losing, verdict
from tests.oracle import verdict as oracle

# Points are whole billionths, each rounded by itself.
CRUMB = 1e-8
CURVES = {
    "headroom": (0.5, [0, 100, 200, 500, 1000], [0, 0.15, 0.4, 0.75, 1]),
    "miles": (0.3, [1, 5, 20], [1, 0.8, 0]),
    "carriers": (0.2, [0, 1, 3], [0, 0.4, 1]),
}
GATES = [("headroom", "at_least", 200.0), ("kv_miles", "at_most", 20.0)]


def factor(metric, weight, xs, ys, *, is_whole=False):
    """A factor from its breakpoints, flat outside them."""
    points = list(zip(xs, ys, strict=True))
    pieces = [Piece(-1e300, points[0][0], points[0][1], 0.0)]
    pieces += [Piece(a, b, v, (w - v) / (b - a)) for (a, v), (b, w) in pairwise(points)]
    pieces.append(Piece(points[-1][0], 1e300, points[-1][1], 0.0))
    return Factor(metric, weight, tuple(pieces), is_whole)


def factors(curves):
    return [factor(name, *curve, is_whole=name == "carriers") for name, curve in curves.items()]


def gates(rows):
    return [Gate(metric, **{kind: bound}) for metric, kind, bound in rows]


FACTORS, RULES = factors(CURVES), gates(GATES)
PARCEL = {"headroom": 260.0, "miles": 12.5, "carriers": 1.0, "kv_miles": 3.0}
FAILING = {"headroom": 122.0, "miles": 12.5, "carriers": 1.0, "kv_miles": 23.0}


def test_worked_by_hand():
    # 0.4 + 60/300 * 0.35 = 0.47 of 50; half of 0.8 of 30; 0.4 of 20: 23.5 + 12 + 8.
    found = verdict(FACTORS, RULES, PARCEL, 50.0)
    assert found.required == ()
    assert found.score == pytest.approx(43.5)
    assert found.lacking == pytest.approx(6.5 + 1e-9, abs=1e-12)
    by = {change.metric: change for change in found.alone}
    # 0.47 + 0.13 = 0.60 at 200 + 0.2 / 0.35 * 300; 1.6 points a mile; 0.325 more takes two carriers.
    assert by["headroom"].after == pytest.approx(200 + 0.2 / 0.35 * 300, abs=1e-6)
    assert by["miles"].after == pytest.approx(12.5 - 6.5 / 1.6, abs=1e-6)
    assert by["carriers"].after == 3.0
    assert by["headroom"].gain == pytest.approx(6.5, abs=1e-8)
    assert by["headroom"].size == pytest.approx((by["headroom"].after - 260) / 1000)
    assert [change.metric for change in found.alone] == ["headroom", "miles", "carriers"]
    assert (found.pair, found.most, found.least_count) == (None, {}, 1)


def test_all_failed_gates_come_first_and_their_points_count():
    found = verdict(FACTORS, RULES, FAILING, 50.0)
    assert {c.metric: (c.before, c.after) for c in found.required} == {
        "headroom": (122.0, 200.0),
        "kv_miles": (23.0, 20.0),
    }
    # With 200 MW the headroom brings 20 points, not 10.25.
    assert found.score == pytest.approx(20 + 12 + 8)
    assert {c.metric for c in found.alone} == {"headroom", "miles", "carriers"}
    headroom = next(c for c in found.alone if c.metric == "headroom")
    assert (headroom.before, headroom.after) == (122.0, pytest.approx(200 + 0.2 / 0.35 * 300))
    # Enough is enough: the gates alone.
    assert verdict(FACTORS, RULES, FAILING, 39.9).lacking < 0
    assert verdict(FACTORS, RULES, FAILING, 39.9).alone == ()
    assert verdict(FACTORS, RULES, FAILING, None).lacking == 0


def test_not_by_one_alone_takes_the_smallest_pair_or_says_how_many():
    found = verdict(FACTORS, RULES, PARCEL, 80.0)
    assert found.alone == ()
    assert found.most == {
        "headroom": (pytest.approx(26.5), pytest.approx(1000.0)),
        "miles": (pytest.approx(18.0), pytest.approx(1.0)),
        "carriers": (pytest.approx(12.0), pytest.approx(3.0)),
    }
    assert found.least_count == 2
    assert {c.metric for c in found.pair} == {"headroom", "miles"}
    three = verdict(FACTORS, RULES, PARCEL, 99.0)
    assert (three.pair, three.least_count) == (None, 3)
    never = verdict(FACTORS, RULES, PARCEL, 100.0)
    assert (never.alone, never.pair, never.least_count) == ((), None, None)


def test_unknown_metrics_have_to_become_known():
    dark = PARCEL | {"headroom": math.nan, "carriers": math.nan}
    found = verdict(FACTORS, RULES, dark, 45.0)
    assert [(c.metric, c.after) for c in found.required] == [("headroom", 200.0)]
    assert math.isnan(found.required[0].before)
    assert found.score == pytest.approx(32.0)
    carriers = next(c for c in found.alone if c.metric == "carriers")
    assert (math.isnan(carriers.before), carriers.after) == (True, 2.0)
    # Where others are ranked with unknown gates, they need not.
    easy = verdict(FACTORS, RULES, dark, 20.0, is_known_asked=False)
    assert easy.required == ()
    assert {c.metric for c in easy.alone} == {"headroom", "miles", "carriers"}


def test_a_change_stays_within_the_gates():
    # More is better up to a gate that forbids it.
    narrow = [*RULES, Gate("headroom", at_most=300.0)]
    found = verdict(FACTORS, narrow, PARCEL, 50.0)
    assert {c.metric for c in found.alone} == {"miles", "carriers"}
    assert found.most["headroom"] == (
        pytest.approx(50 * (0.4 + 0.35 / 3) - 23.5),
        pytest.approx(300.0),
    )


def test_value_functions_that_rise_and_fall_are_met_on_the_near_side():
    hill = factor("acres", 1.0, [0, 10, 20], [0, 1, 0])
    assert verdict([hill], [], {"acres": 2.0}, 50.0).alone[0].after == pytest.approx(5.0)
    assert verdict([hill], [], {"acres": 18.0}, 50.0).alone[0].after == pytest.approx(15.0)
    lost = losing([hill], [], {"acres": 14.0}, 50.0)
    assert lost[0].after == pytest.approx(15.0)


def test_losing_is_by_the_nearer_of_gate_and_score():
    found = {c.metric: c for c in losing(FACTORS, RULES, PARCEL, 40.0)}
    # 3.5 points less: 60 MW less would fail the gate at 200, which brings exactly 3.5 less.
    assert found["headroom"].after == pytest.approx(200.0, abs=1e-6)
    assert found["miles"].after == pytest.approx(12.5 + 3.5 / 1.6, abs=1e-6)
    assert found["carriers"].after == 0.0
    assert found["kv_miles"].after == 20.0
    assert losing(FACTORS, [], PARCEL, None) == ()


@st.composite
def cases(draw):
    """Curves, gates, values and a floor."""
    names = draw(st.lists(st.sampled_from("abcde"), min_size=2, max_size=4, unique=True))
    shares = [draw(st.integers(1, 9)) for _ in names]
    curves, values, rows = {}, {}, []
    for name, share in zip(names, shares, strict=True):
        xs = sorted(draw(st.lists(st.integers(0, 400), min_size=2, max_size=5, unique=True)))
        ys = [draw(st.integers(0, 20)) / 20 for _ in xs]
        if draw(st.booleans()):
            ys.sort(reverse=draw(st.booleans()))
        curves[name] = (share / sum(shares), xs, ys)
        values[name] = draw(
            st.one_of(st.just(math.nan), st.integers(-50, 4500).map(lambda x: x / 10))
        )
        if draw(st.booleans()):
            kind = draw(st.sampled_from(["at_least", "at_most"]))
            rows.append((name, kind, float(draw(st.integers(xs[0], xs[-1])))))
    return curves, rows, values, draw(st.integers(0, 990)) / 10


def moved(values, changes, share=1.0):
    """Values with changes made, or the given share of each."""
    new = dict(values)
    for change in changes:
        before = new[change.metric] if math.isnan(change.before) else change.before
        new[change.metric] = before + (change.after - before) * share if share < 1 else change.after
    return new


@settings(max_examples=120)
@given(cases())
def test_changes_are_enough_and_the_least(case):
    curves, rows, values, floor = case
    found = verdict(factors(curves), gates(rows), values, floor)
    base = moved(values, found.required)
    assert oracle.passes(rows, base)
    for change in found.required:
        if not math.isnan(change.before):
            nearly = change.before + 0.999 * (change.after - change.before)
            assert not oracle.passes(rows, base | {change.metric: nearly})
    assert found.score == pytest.approx(oracle.score(curves, base), abs=CRUMB)
    if found.lacking <= 0:
        assert oracle.score(curves, base) >= floor - CRUMB
        return
    for change in found.alone:
        new = base | {change.metric: change.after}
        assert oracle.passes(rows, new)
        assert oracle.score(curves, new) >= floor - CRUMB
        before = base[change.metric]
        if math.isnan(before) or before == change.after:
            continue
        for share in (0.999, 0.9, 0.5, 0.1):
            less = before + share * (change.after - before)
            assert oracle.score(curves, base | {change.metric: less}) <= floor + CRUMB
    enough = {change.metric for change in found.alone}
    for name in curves.keys() - enough:
        for x in oracle.tried(curves[name], curves[name][1][0], 60):
            if oracle.passes(rows, new := base | {name: x}):
                assert oracle.score(curves, new) <= floor + CRUMB


@settings(max_examples=60)
@given(cases())
def test_pairs_are_enough_and_no_grid_finds_a_smaller_one(case):
    curves, _, values, floor = case
    values = {name: 7.0 if math.isnan(x) else x for name, x in values.items()}
    found = verdict(factors(curves), [], values, floor)
    if found.lacking <= 0 or found.alone:
        assert found.pair is None
        return
    least = oracle.least_pair(curves, values, found.lacking + CRUMB, count=60)
    if found.pair is None:
        assert least == np.inf
        assert found.least_count is None or found.least_count > 2
        return
    assert found.least_count == 2
    new = moved(values, found.pair)
    assert oracle.score(curves, new) >= floor - CRUMB
    assert sum(change.size for change in found.pair) <= least + 1e-9


@settings(max_examples=100)
@given(cases())
def test_what_is_lost_is_the_first_that_drops_it(case):
    curves, rows, values, _ = case
    held = [row for row in rows if oracle.passes([row], values)]
    score = oracle.score(curves, values)
    ceiling = score - 5.0
    for change in losing(factors(curves), gates(held), values, ceiling):
        step = change.after - change.before
        beyond = values | {change.metric: change.after + math.copysign(1e-3, step)}
        there = values | {change.metric: change.after}
        assert not oracle.passes(held, beyond) or oracle.score(curves, there) <= ceiling + CRUMB
        for share in (0.999, 0.5):
            less = values | {change.metric: change.before + share * step}
            assert oracle.passes(held, less)
            assert oracle.score(curves, less) >= ceiling - CRUMB


def test_units_are_those_of_the_ranking():
    assert FACTORS[0].units(1000.0) == 50 * UNITS
    assert FACTORS[0].units(math.nan) == 0
    assert math.isnan(FACTORS[0].value_score(math.nan))
