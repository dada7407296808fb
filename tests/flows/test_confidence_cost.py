"""Confidence in ranks by cost: the terms in their intervals, against plain sums."""

import numpy as np
import pandas as pd
import pytest

from flows.confidence_cost import cost_inputs
from geo.cost.result import Cost
from geo.decide.confidence import Quantity, confidence
from geo.decide.draws import Draws, codes_of
from tests.oracle import confidence as oracle

DRAWS = Draws(50, weight_cv=0.0)


def cost_of(terms, total=None):
    """A cost with only what ranks."""
    found = {name: np.array(rows, dtype=float) for name, rows in terms.items()}
    n = len(next(iter(found.values())))
    known = np.sum([np.nan_to_num(rows) for rows in found.values()], axis=0)
    return Cost(
        "delivered_usd_per_mwh",
        pd.Index([f"p{k:02}" for k in range(n)]),
        np.full(n, 100.0),
        found,
        known if total is None else total,
        np.full(n, None),
        known,
        {},
    )


def groups(n):
    return {
        "state": codes_of(np.array([f"s{k % 3}" for k in range(n)])),
        "county": codes_of(np.array([f"c{k % 5}" for k in range(n)])),
        "all": np.zeros(n, dtype=np.uint64),
    }


def kvs(n):
    return pd.Series(np.where(np.arange(n) % 2, 345.0, 138.0))


def test_the_cheapest_come_first_and_what_is_not_priced_ranks_nowhere():
    sure = [[60.0] * 3, [40.0] * 3, [50.0] * 3, [10.0] * 3, [45.0] * 3]
    land = [[1.0] * 3, [np.nan] * 3, [2.0] * 3, [0.5] * 3, [0.0] * 3]
    total = np.array(sure) + np.nan_to_num(land)
    total[3] = np.nan
    gate = np.array([1.0, 1.0, 1.0, 1.0, 0.0])
    fails = Quantity("gate", gate, gate, gate, groups(5)["all"], at_least=1.0)
    found = confidence(
        cost_inputs(cost_of({"energy": sure, "land": land}, total), (fails,), groups(5), kvs(5)),
        DRAWS,
    )
    assert np.nan_to_num(found.rank_p50, nan=-1).tolist() == [3, 1, 2, -1, -1]
    assert found.p_ranked.tolist() == [1, 1, 1, 0, 0]


def test_ranks_are_those_of_plain_sums_of_what_is_drawn():
    """Terms by the oracle's draws, added up as dollars: closer than the unit nobody may be to tell."""
    rng = np.random.default_rng(3)
    n = 25
    terms = {}
    for name, size in (("energy", 60.0), ("tie_line", 8.0), ("land", 1.0), ("shell", 30.0)):
        mid = rng.uniform(0.5, 1.0, n) * size
        terms[name] = np.column_stack([mid * 0.8, mid, mid * 1.3])
    cost = cost_of(terms)
    inputs = cost_inputs(cost, (), groups(n), kvs(n))
    by_name = {q.name: q for q in inputs.quantities}
    assert by_name["energy"].group[0] == by_name["energy"].group[3] != by_name["energy"].group[1]
    assert by_name["tie_line"].group[0] == by_name["tie_line"].group[2]
    assert np.unique(by_name["shell"].group).size == 1
    assert sum(q.weight for q in inputs.quantities) == pytest.approx(1.0)
    found = confidence(inputs, DRAWS)
    ranks = np.empty((DRAWS.count, n))
    for draw in range(DRAWS.count):
        usd = [sum(oracle.drawn(DRAWS, by_name[t], row, draw) for t in terms) for row in range(n)]
        ranks[draw] = np.argsort(np.argsort(usd)) + 1
    assert found.p_top10 == pytest.approx((ranks <= 10).mean(axis=0), abs=0.021)
    assert found.rank_p50 == pytest.approx(np.sort(ranks, axis=0)[24], abs=1)
    assert set(found.swing_metric) <= set(terms)
    assert (np.abs(found.rank_p50 - np.sort(ranks, axis=0)[24]) > 0).mean() < 0.1
