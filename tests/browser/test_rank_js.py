"""The page's rank.js against ranks that are made one row at a time."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.browser

RANK_JS = Path(__file__).parents[2] / "geo/export/page/app/rank.js"
UNKNOWN = 4294967295
# Typed arrays travel as lists.
CALLS = """
const calls = {
  compute: ({ factors, status, ids }) => {
    const made = rank.compute({
      factors: factors.map(({ weight, v }) => ({ weight, v: v && Uint32Array.from(v) })),
      status: Uint8Array.from(status),
      ids,
    });
    return Object.fromEntries(Object.entries(made).map(([key, values]) => [key, [...values]]));
  },
  order_of: ({ published }) => [...rank.orderOf(Int32Array.from(published))],
  tightened: ({ order, values, bounds, is_small }) => {
    const kept = values.map((value) => (value === null ? NaN : value));
    const column = is_small ? Float32Array.from(kept) : Float64Array.from(kept);
    const keep = new Uint8Array(values.length).fill(1);
    rank.tighten(keep, column, bounds);
    return [...rank.keepOnly(Int32Array.from(order), keep)];
  },
};
const answer = ({ call, given }) => {
  try {
    return calls[call](given);
  } catch (error) {
    return { error: error.message };
  }
};
"""
NODE = f"""
const rank = require({json.dumps(str(RANK_JS))});
{CALLS}
const lines = require("readline").createInterface({{ input: process.stdin }});
lines.on("line", (line) => console.log(JSON.stringify(answer(JSON.parse(line)))));
"""

Ranker = Callable[..., Any]


@pytest.fixture(scope="module", params=["node", "chromium"])
def ranker(request: pytest.FixtureRequest) -> Iterator[Ranker]:
    """Call functions of rank.js: in node where there is one, and in the browser that the page is for."""
    if request.param == "chromium":
        tab = request.getfixturevalue("launch")().new_page()
        tab.add_script_tag(path=RANK_JS)
        tab.add_script_tag(content=f"const rank = gridstead.rank; {CALLS}")
        yield lambda call, **given: tab.evaluate(
            "(asked) => answer(asked)", {"call": call, "given": given}
        )
        tab.close()
        return
    if (node := shutil.which("node")) is None:
        pytest.skip("node is not installed; Chromium runs the same tests")
    with subprocess.Popen(
        [node, "-e", NODE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def ask(call: str, **given: Any) -> Any:
            process.stdin.write(json.dumps({"call": call, "given": given}) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield ask
        process.stdin.close()


def plain_ranks(factors: list[dict], status: list[int], ids: list[str] | None) -> tuple[list, list]:
    """Units by position and the order, from doubles that are rounded half up by exact decimals."""
    whole = 0.0
    for factor in factors:
        whole += factor["weight"]
    units = []
    for i in range(len(status)):
        row = 0
        for factor in factors:
            v6 = factor["v"][i] if factor["v"] else UNKNOWN
            part = (100 * (factor["weight"] / whole)) * (0 if v6 == UNKNOWN else v6) * 1e3
            row += int(Decimal(part).to_integral_value(ROUND_HALF_UP))
        units.append(row)
    names = [name.encode() for name in ids] if ids else list(range(len(status)))
    holding = [i for i in range(len(status)) if status[i]]
    return units, sorted(holding, key=lambda i: (status[i] == 2, -units[i], names[i]))


scores = st.one_of(st.integers(0, 1_000_000), st.just(UNKNOWN), st.sampled_from([0, 500_000]))
weights = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.05, 0.11, 1 / 3]), st.floats(0, 1e-9))


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    """Some rows under some factors, with many equal rows among them, and any names."""
    rows = draw(st.integers(0, 12))

    def column(of: st.SearchStrategy) -> st.SearchStrategy:
        return st.lists(of, min_size=rows, max_size=rows)

    factor = st.fixed_dictionaries({"weight": weights, "v": st.none() | column(scores)})
    factors = draw(st.lists(factor, min_size=1, max_size=6))
    factors[0]["weight"] += 0.01
    letters = st.text(st.sampled_from("aB0\u00e9\ufffd\U0001f600\ud7ff\ue000"), max_size=3)
    ids = st.none() | st.lists(letters, min_size=rows, max_size=rows, unique=True)
    return {
        "factors": factors,
        "status": draw(column(st.sampled_from([0, 1, 1, 2]))),
        "ids": draw(ids),
    }


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(case=cases())
def test_ranks_are_those_of_plain_arithmetic(ranker: Ranker, case: dict[str, Any]) -> None:
    made = ranker("compute", **case)
    units, order = plain_ranks(**case)
    assert [int(one) for one in made["units"]] == units
    assert made["order"] == order
    ranks = {position: k + 1 for k, position in enumerate(order)}
    assert made["rank"] == [ranks.get(i, 0) for i in range(len(units))]


def test_thousands_of_rows_under_random_weights(ranker: Ranker) -> None:
    rng = np.random.default_rng(8)
    rows = 3000
    v6 = rng.integers(0, 1_000_001, size=(7, rows))
    v6[rng.random(v6.shape) < 0.1] = UNKNOWN
    v6[:, : rows // 2] = v6[:, :1]  # equal rows: only their place tells them apart
    weight = rng.random(7)
    status = rng.integers(0, 3, size=rows)
    factors = [{"weight": float(w), "v": v.tolist()} for w, v in zip(weight, v6, strict=True)]
    made = ranker("compute", factors=factors, status=status.tolist(), ids=None)
    share = 100 * (weight / sum(weight.tolist()))
    known = np.where(v6 == UNKNOWN, 0, v6)
    units = np.floor(share[:, None] * known * 1e3 + 0.5).sum(axis=0)
    holding = np.flatnonzero(status)
    order = holding[np.lexsort((holding, -units[holding], status[holding] == 2))]
    assert made["order"] == order.tolist()


def test_largest_and_smallest_scores_are_told_apart(ranker: Ranker) -> None:
    factors = [{"weight": 1.0, "v": [0, 1_000_000, 999_999, 1]}]
    made = ranker("compute", factors=factors, status=[2, 2, 1, 1], ids=None)
    assert made["units"] == [0, 100e9, 99.9999e9, 100e3]
    assert made["order"] == [2, 3, 1, 0]


@pytest.mark.parametrize("weight", [[0, 0], [1, -0.5], [float("1e-400"), 0]])
def test_weights_that_cannot_rank_are_refused(ranker: Ranker, weight: list[float]) -> None:
    factors = [{"weight": one, "v": [1, 2]} for one in weight]
    made = ranker("compute", factors=factors, status=[1, 1], ids=None)
    assert made == {"error": "weights must not be negative, nor all be 0"}


def test_published_ranks_become_an_order(ranker: Ranker) -> None:
    assert ranker("order_of", published=[3, -2147483648, 1, 2, -2147483648]) == [2, 3, 0]


def test_tightened_gates_take_rows_out_and_unknown_ones_too(ranker: Ranker) -> None:
    values = [300.0, None, 299.9, 301.0, 500.0]

    def kept(**bounds: float) -> list[int]:
        return ranker(
            "tightened", order=[4, 2, 0, 1, 3], values=values, bounds=bounds, is_small=False
        )

    assert kept(at_least=300) == [4, 0, 3]
    assert kept(at_most=300) == [2, 0]
    assert kept(at_least=300, at_most=301) == [0, 3]


def test_a_bound_holds_for_small_floats_as_it_is_written(ranker: Ranker) -> None:
    # 0.3 in four bytes is above 0.3 in eight.
    kept = ranker(
        "tightened", order=[0, 1], values=[0.3, 0.31], bounds={"at_most": 0.3}, is_small=True
    )
    assert kept == [0]
