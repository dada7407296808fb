"""The page ranks as SQL does: the published order, under other weights, with tightened gates."""

import os
import random
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from data import store

pytestmark = pytest.mark.browser

WORKLOADS = ("training", "inference")
LEVELS = ("county", "metro", "state", "zone")
SEED = 20_261_123


def rows(build: Path, query: str, **params: Any) -> list[tuple[Any, ...]]:
    with store.open_build(build) as con:
        return con.execute(query, params or None).fetchall()


def published(build: Path, workload: str, level: str) -> list[tuple[Any, ...]]:
    """Ids, ranks and scores of what is ranked, best first."""
    if level == "parcel":
        query = "select parcel_id, rank, score from mart.parcel_score where workload = $workload and rank is not null order by rank"
        return rows(build, query, workload=workload)
    query = """
        select region_id, rank, score from mart.region_rank
        where workload = $workload and region_kind = $level and rank is not null order by rank
    """
    return rows(build, query, workload=workload, level=level)


def weighed(
    build: Path, workload: str, level: str, weights: dict[str, float]
) -> list[tuple[Any, ...]]:
    """Ids, ranks and scores under other weights, by the macros that analysts use."""
    words = ", ".join(f"'{metric}': {weight:.17e}" for metric, weight in weights.items())
    what = f"'{workload}'" if level == "parcel" else f"'{workload}', '{level}'"
    macro, key = (
        ("rank_parcels", "parcel_id") if level == "parcel" else ("rank_regions", "region_id")
    )
    return rows(
        build,
        f"select {key}, rank, score from mart.{macro}({what}, weights := map {{{words}}}) order by rank",
    )


def factors(build: Path, workload: str) -> list[str]:
    query = "select metric from meta.factor where workload = $workload and not is_removed order by metric"
    return [metric for (metric,) in rows(build, query, workload=workload)]


def drawn(metrics: list[str], seed: int) -> dict[str, float]:
    """Weights of some factors, some of them 0, drawn so that sums are no round numbers."""
    draw = random.Random(seed)
    chosen = draw.sample(metrics, draw.randint(1, len(metrics)))
    weights = {metric: draw.choice([0.0, draw.random(), draw.random() * 7]) for metric in chosen}
    # Not all may be 0.
    return weights | {chosen[0]: 0.1 + draw.random()}


def equal(found: dict[str, Any], want: Iterable[tuple[Any, ...]], *, digits: int = 9) -> None:
    """Hold the whole ranking of the page against SQL's: order, ranks and scores."""
    ids, ranks, scores = zip(*want, strict=True)
    assert found["ids"] == list(ids)
    assert found["ranks"] == list(ranks)
    assert found["count"] == len(ids)
    assert found["scores"] == pytest.approx(list(scores), abs=0.51 * 10**-digits)


@pytest.mark.parametrize("workload", WORKLOADS)
@pytest.mark.parametrize("level", [*LEVELS, "parcel"])
def test_what_is_published_is_listed_at_once(visit, build, workload, level):
    want = published(build, workload, level)
    opened = visit(words=f"w={workload}&l={level}")
    opened.wait_listed([row[0] for row in want[:20]])
    found = opened.ranking()
    assert (found["workload"], found["level"], found["is_published"]) == (workload, level, True)
    # Scores of parcels have three decimals on the page.
    equal(found, want, digits=3 if level == "parcel" else 9)
    shown = opened.id("row").evaluate_all("(rows) => rows.map((row) => row.dataset.rank)")
    assert shown[:20] == [str(rank) for _, rank, _ in want[:20]]


@pytest.mark.parametrize("workload", WORKLOADS)
def test_other_weights_rank_as_sql_does(visit, build, workload):
    opened = visit(words=f"w={workload}")
    metrics = factors(build, workload)
    orders = set()
    for level in [*LEVELS, "parcel"]:
        for seed in range(4):
            weights = drawn(metrics, SEED + seed)
            opened.set(level=level, weights=weights)
            found = opened.ranking()
            assert not found["is_published"]
            equal(found, weighed(build, workload, level, weights))
            opened.wait_listed(found["ids"][:20])
            orders.add((level, tuple(found["ids"])))
    # The weights do change something, or equality proves nothing.
    assert len({order for level, order in orders if level == "county"}) > 1
    assert len({order for level, order in orders if level == "parcel"}) > 1
    opened.set(weights=None, level="county")
    equal(opened.ranking(), published(build, workload, "county"))


@pytest.mark.parametrize("workload", WORKLOADS)
def test_a_moved_slider_ranks_again(visit, build, workload):
    opened = visit(words=f"w={workload}")
    before = opened.listed()[:20]
    opened.panel("weights")
    moved = factors(build, workload)
    for metric in moved:
        slider = opened.id(f"weight-{metric}").first
        slider.focus()
        slider.press("End" if metric == moved[-1] else "Home")
    opened.wait_state("state.weights !== null && state.weights[arg] > 0", moved[-1])
    weights = opened.state()["weights"]
    want = weighed(build, workload, "county", weights)
    opened.wait_listed([row[0] for row in want[:20]])
    equal(opened.ranking(), want)
    assert opened.listed()[: len(before)] != before
    opened.id("reset").first.click()
    opened.wait_listed(before)
    assert opened.state()["weights"] is None


def test_a_dragged_slider_ranks_again(visit, build):
    opened = visit()
    metric = factors(build, "training")[0]
    opened.panel("weights")
    slider = opened.id(f"weight-{metric}").first
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    middle = box["y"] + box["height"] / 2
    mouse = opened.page.mouse
    mouse.move(box["x"] + box["width"] / 2, middle)
    mouse.down()
    mouse.move(box["x"] + box["width"] - 3, middle, steps=5)
    mouse.up()
    opened.wait_state("state.weights !== null")
    weights = opened.state()["weights"]
    want = weighed(build, "training", "county", weights)
    opened.wait_listed([row[0] for row in want[:20]])


GATED = {
    "county": """
        select ranked.region_id from mart.region_rank as ranked
        inner join core.parcel_metric as measured on measured.parcel_id = ranked.best_parcel_id
        where ranked.workload = $workload and ranked.region_kind = 'county' and ranked.rank is not null
            and {test}
        order by ranked.rank
    """,
    "parcel": """
        select score.parcel_id from mart.parcel_score as score
        inner join core.parcel_metric as measured using (parcel_id)
        where score.workload = $workload and score.rank is not null and {test}
        order by score.rank
    """,
}
GATES = """
    select metric, at_least is not null from meta.gate
    where workload = $workload and not is_removed order by metric
"""


def between(build: Path, metric: str) -> float | None:
    """Give the middle of the widest gap in the middle half of what is measured; None where all is equal.

    The page holds four digits of a parcel's metrics, so that a bound may not lie on a value.
    """
    query = (
        f"select distinct {metric} from core.parcel_metric where {metric} is not null order by 1"
    )
    values = [value for (value,) in rows(build, query)]
    pairs = list(pairwise(values))
    middle = pairs[len(pairs) // 4 : 1 + 3 * len(pairs) // 4]
    return sum(max(middle, key=lambda pair: pair[1] - pair[0])) / 2 if middle else None


@pytest.mark.parametrize("workload", WORKLOADS)
def test_tightened_gates_are_filters(visit, build, workload):
    opened = visit(words=f"w={workload}")
    narrowed = set()
    for metric, is_least in rows(build, GATES, workload=workload):
        bound = between(build, metric)
        if bound is None:
            continue
        test = f"measured.{metric} {'>=' if is_least else '<='} {bound!r}"
        for level, query in GATED.items():
            want = [row[0] for row in rows(build, query.format(test=test), workload=workload)]
            side = "at_least" if is_least else "at_most"
            opened.set(level=level, gates={metric: {side: bound}})
            found = opened.ranking()
            assert found["ids"] == want, (metric, level)
            assert found["ranks"] == list(range(1, 1 + len(want)))
            opened.wait_listed(want[:20])
            if 0 < len(want) < len(published(build, workload, level)):
                narrowed.add(level)
    assert narrowed == set(GATED)


def test_a_gate_is_tightened_by_typing(visit, build):
    opened = visit()
    opened.panel("gates")
    test = "measured.headroom_mw_mid >= {}"
    # The least bound in steps of 100 MW that takes a county out.
    bound, everything = 200, published(build, "training", "county")
    want = everything
    while len(want) == len(everything):
        bound += 100
        want = rows(build, GATED["county"].format(test=test.format(bound)), workload="training")
    assert want
    field = opened.id("gate-headroom_mw_mid").first
    field.fill(str(bound))
    field.press("Enter")
    opened.wait_state("state.gates.headroom_mw_mid !== undefined")
    assert opened.state()["gates"] == {"headroom_mw_mid": {"at_least": bound}}
    opened.wait_listed([row[0] for row in want])
    assert len(opened.listed()) == len(want)


def test_a_looser_gate_than_the_profile_brings_nothing_back(visit, build):
    opened = visit()
    opened.set(gates={"headroom_mw_mid": {"at_least": 1.0}})
    assert opened.ranking()["ids"] == [row[0] for row in published(build, "training", "county")]


def test_certain_leaves_out_what_is_unknown(visit, build):
    for workload in WORKLOADS:
        opened = visit(words=f"w={workload}&l=parcel")
        want = rows(
            build,
            """
            select parcel_id from mart.parcel_score
            where workload = $workload and rank is not null and gate_status = 'pass' order by rank
            """,
            workload=workload,
        )
        opened.set(certain=True)
        assert opened.ranking()["ids"] == [row[0] for row in want]


@pytest.fixture(scope="session")
def large():
    """A large page, and the build that it was made of."""
    folder, build = (os.environ.get(name) for name in ("GRIDSTEAD_PAGE", "GRIDSTEAD_PAGE_BUILD"))
    if not folder or not build:
        pytest.skip("GRIDSTEAD_PAGE and GRIDSTEAD_PAGE_BUILD name no page of a large study")
    return Path(folder), Path(build)


def test_a_large_page_ranks_as_sql_does(visit, large):
    folder, build = large
    workloads = [name for (name,) in rows(build, "select workload from meta.workload order by 1")]
    opened = visit(folder)
    for workload in workloads:
        for level in (*LEVELS, "parcel"):
            opened.set(workload=workload, level=level, weights=None)
            digits = 3 if level == "parcel" else 9
            equal(opened.ranking(), published(build, workload, level), digits=digits)
            opened.set(weights=drawn(factors(build, workload), SEED))
            weights = opened.state()["weights"]
            equal(opened.ranking(), weighed(build, workload, level, weights))
