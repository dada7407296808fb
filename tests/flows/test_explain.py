"""Why a parcel ranks as it does, what would change it, and where a better one is."""

import functools
import math
import shutil

import duckdb
import numpy as np
import pytest
from pyproj import Geod

from data import store
from data.metrics import METRICS
from data.study import load_study
from data.workload import load_workload
from flows import costing
from flows.explain import explain
from flows.explain_words import change_words, reached_words
from flows.home import Home
from flows.results import beside
from geo.decide.verdict import Change
from tests.flows.conftest import rows
from tests.oracle import verdict as oracle

# Points are whole billionths, each rounded by itself.
CRUMB = 1e-8
# So many are the top of a study of some fifty parcels.
TOP = 3


@pytest.fixture
def ask(gridstead, base):
    return lambda *words: gridstead("explain", *words, "--home", base.home)


@pytest.fixture(scope="module")
def parcels(base):
    """Id by rank of training: the first, the middle one, and one that fails a gate."""
    found = rows(
        base.build,
        "select parcel_id, rank from mart.parcel_score where workload = 'training' order by rank nulls last",
    )
    ranked = [parcel_id for parcel_id, rank in found if rank is not None]
    return {
        "first": ranked[0],
        "middle": ranked[len(ranked) // 2],
        "failing": found[-1][0] if found[-1][1] is None else None,
    }


@pytest.fixture(scope="module")
def told_of(base):
    """What is told of a parcel where the first three count, kept."""
    return functools.cache(lambda parcel_id: explain(base.build, parcel_id, top=TOP).payload)


def of(answer, workload="training"):
    return next(item for item in answer["workloads"] if item["workload"] == workload)


def curves_of(build, workload="training"):
    """Curves and gates as the profile states them, without what the study removed."""
    profile = load_workload(workload)
    key = f"where workload = '{workload}' and not is_removed"
    weights = dict(rows(build, f"select metric, weight from meta.factor {key}"))
    curves = {
        f.metric: (weights[f.metric], *np.array(f.value, dtype=float).T)
        for f in profile.factors
        if f.metric in weights
    }
    kept = {row[0] for row in rows(build, f"select metric from meta.gate {key}")}
    gates = [
        (g.metric, "at_most", g.at_most)
        if g.at_least is None
        else (g.metric, "at_least", g.at_least)
        for g in profile.gates
        if g.metric in kept
    ]
    return curves, gates


def values_of(build, parcel_id, metrics):
    names = ", ".join(f"{name}::double" for name in metrics)
    row = rows(build, f"select {names} from core.parcel_metric where parcel_id = '{parcel_id}'")[0]
    return {
        name: math.nan if value is None else value for name, value in zip(metrics, row, strict=True)
    }


def test_by_id_adds_up_to_the_score(ask, parcels):
    parcel_id = parcels["first"]
    answer = ask(parcel_id, "--json").json
    assert answer["parcel"]["parcel_id"] == parcel_id
    training = of(answer)
    assert training["rank"] == 1
    points = sum(factor["points"] or 0 for factor in training["factors"])
    assert points == pytest.approx(training["score_low"])
    assert {"metric", "label", "value", "unit", "points", "points_possible", "sources"} <= set(
        training["factors"][0]
    )
    assert {gate["gate_status"] for gate in training["gates"]} <= {"pass", "fail", "unknown"}
    assert any("tamu_grid (2020)" in factor["sources"] for factor in training["factors"])
    assert {row["metric"] for row in training["removed"]} >= {"hazard_usd_per_person"}
    shown = ask(parcel_id, "--workload", "all")
    assert shown.code == 0
    for word in (
        "training: rank 1 of",
        "inference: ",
        "headroom",
        "left out in this study",
        parcel_id,
        f"fed by substation {answer['parcel']['headroom_substation_id']}, ",
        f" kV, {answer['parcel']['tie_line_mi']:.1f} route miles, {answer['parcel']['tie_line_musd']:,.0f} M$",
        f"a second feed from {answer['parcel']['second_feed_substation_id']}, ",
        ", as of 2020, is synthetic",
    ):
        assert word in shown.out


def test_factors_and_gates_are_those_of_the_marts(told_of, base, parcels):
    for parcel_id in filter(None, parcels.values()):
        for told in told_of(parcel_id)["workloads"]:
            key = f"where parcel_id = '{parcel_id}' and workload = '{told['workload']}'"
            published = rows(
                base.build,
                f"select metric, value, value_score, points from mart.parcel_factor {key} order by metric",
            )
            mine = [
                (row["metric"], row["value"], row["value_score"], row["points"])
                for row in sorted(told["factors"], key=lambda row: row["metric"])
            ]
            assert mine == published
            gates = rows(
                base.build, f"select metric, value, gate_status from mart.parcel_gate {key}"
            )
            assert sorted(gates) == sorted(
                (row["metric"], row["value"], row["gate_status"]) for row in told["gates"]
            )


@pytest.mark.parametrize("workload", ["training", "inference"])
def test_changes_put_parcels_into_the_top(told_of, base, workload):
    curves, gates = curves_of(base.build, workload)
    metrics = list(curves.keys() | {metric for metric, *_ in gates})
    floor = rows(
        base.build,
        f"select score from mart.parcel_score where workload = '{workload}' and rank = {TOP}",
    )[0][0]
    # The same for both, so that each is explained once.
    asked = rows(base.build, "select parcel_id from core.parcel order by hash(parcel_id) limit 5")
    kinds = set()
    for (parcel_id,) in asked:
        told = of(told_of(parcel_id), workload)["changes"]
        values = values_of(base.build, parcel_id, metrics)
        if told["is_in_top"]:
            assert oracle.score(curves, values) >= floor - CRUMB
            continue
        assert told["threshold"] == floor
        lifted = values | {row["metric"]: row["to"] for row in told["gates"]}
        assert oracle.passes(gates, lifted)
        kinds |= {"gates"} if told["gates"] else set()
        for row in told["alone"]:
            new = lifted | {row["metric"]: row["to"]}
            assert oracle.passes(gates, new)
            assert oracle.score(curves, new) >= floor - CRUMB
            start = lifted[row["metric"]]
            if not math.isnan(start):
                less = start + 0.999 * (row["to"] - start)
                if row["unit"] in {"count", "people"}:
                    less = row["to"] - math.copysign(1.0, row["to"] - start)
                assert oracle.score(curves, lifted | {row["metric"]: less}) <= floor + CRUMB
            kinds.add("alone")
        if told["pair"]:
            new = lifted | {row["metric"]: row["to"] for row in told["pair"]}
            assert oracle.passes(gates, new)
            assert oracle.score(curves, new) >= floor - CRUMB
            kinds.add("pair")
        for row in told["not_alone"]:
            best = max(
                oracle.score(curves, lifted | {row["metric"]: x})
                for x in oracle.tried(curves[row["metric"]], lifted[row["metric"]], 30)
                if oracle.passes(gates, lifted | {row["metric"]: x})
            )
            assert best - oracle.score(curves, lifted) <= row["points_most"] + CRUMB
            assert best <= floor + CRUMB
    assert kinds & {"alone", "pair", "gates"}


def test_the_first_tells_what_would_drop_it(ask, told_of, base, parcels):
    told = of(told_of(parcels["first"]))["changes"]
    curves, gates = curves_of(base.build)
    metrics = list(curves.keys() | {metric for metric, *_ in gates})
    values = values_of(base.build, parcels["first"], metrics)
    fourth = rows(
        base.build, "select score from mart.parcel_score where workload = 'training' and rank = 4"
    )[0][0]
    assert told["is_in_top"]
    assert told["threshold"] == fourth
    assert told["points_to_lose"] == pytest.approx(oracle.score(curves, values) - fourth)
    assert told["losing"]
    for row in told["losing"]:
        past = math.copysign(1e-6, row["by"])
        new = values | {row["metric"]: row["to"] + past}
        assert not oracle.passes(gates, new) or oracle.score(curves, new) <= fourth + CRUMB
    assert "points to spare" in ask(parcels["first"], "--top", "3").out


def test_the_nearest_better_is_found_by_measuring_all(told_of, base, parcels):
    geod = Geod(ellps="WGS84")
    where = rows(
        base.build,
        "select workload, parcel_id, lon, lat, rank, score, gate_status from mart.parcel_score "
        "inner join core.parcel using (parcel_no, parcel_id)",
    )
    for parcel_id in filter(None, parcels.values()):
        for told in told_of(parcel_id)["workloads"]:
            others = [row for row in where if row[0] == told["workload"] and row[1] != parcel_id]
            here = next(row for row in where if row[0] == told["workload"] and row[1] == parcel_id)
            is_in_top = told["rank"] is not None and told["rank"] <= TOP
            miles = {}
            for _, other_id, lon, lat, rank, score, status in others:
                is_first = rank is not None and rank <= TOP and not is_in_top
                is_more = status == "pass" and score >= told["score"] + 5
                is_passing = status == "pass" and told["gate_status"] == "fail"
                if is_first or is_more or is_passing:
                    miles[other_id] = geod.inv(here[2], here[3], lon, lat)[2] / 1609.344
            near = told["alternatives"]
            assert bool(near) == bool(miles)
            if near:
                assert near[0]["parcel_id"] == min(miles, key=miles.__getitem__)
                assert near[0]["miles"] == pytest.approx(miles[near[0]["parcel_id"]])
                assert near[0]["points_more"] == pytest.approx(near[0]["score"] - told["score"])
                assert any(row["is_in_top"] for row in near) != is_in_top


@pytest.fixture(scope="module")
def priced(base, tmp_path_factory):
    """A copy of the build with costs, and with confidence of its first parcel, to read and to change."""
    folder = tmp_path_factory.mktemp("priced")
    path = folder / "gridstead.duckdb"
    shutil.copyfile(base.build, path)
    with duckdb.connect(str(path)) as con:
        tables = {
            row[0] for row in con.execute("select table_name from duckdb_tables()").fetchall()
        }
        if "parcel_cost" not in tables:
            add_costs(con, base, folder)
        if "parcel_confidence" not in tables:
            con.execute(CONFIDENCE_TABLE)
        con.execute("delete from mart.parcel_confidence")
        con.execute(
            "insert into mart.parcel_confidence by name select workload, 'score' as basis, parcel_no, parcel_id, "
            "0.4 as p_top10, 0.97 as p_top100, 0.99 as p_ranked, 1 as rank_p05, 4 as rank_p50, 17 as rank_p95, "
            "'headroom_mw_mid' as swing_metric, 'input' as swing_by "
            "from mart.parcel_score where rank = 1"
        )
    return path


CONFIDENCE_TABLE = (
    "create table mart.parcel_confidence (workload varchar, basis varchar, parcel_no bigint, parcel_id varchar, "
    "p_top10 float, p_top100 float, p_ranked float, rank_p05 integer, rank_p50 integer, rank_p95 integer, "
    "swing_metric varchar, swing_by varchar)"
)


def add_costs(con, base, folder):
    """Price the parcels of a build as a run does."""
    home = Home.at(folder)
    home.work.mkdir()
    metrics = home.work / "metric-x.parquet"
    con.sql("from core.parcel_metric").write_parquet(str(metrics))
    said = []
    made = costing.make_cost(load_study(str(base.study)), metrics, metrics, home, said.append)
    params = {"cost_path": str(made), "cost_rule_path": str(beside(made, costing.RULE_TABLE))}
    for name in ("meta/cost_rule", "mart/parcel_cost", "mart/delivered_cost"):
        store.run_file(con, name, params)


def delivered(con, workload, parcel_id):
    """Rows of the macro by end of the interval."""
    frame = con.sql(f"from mart.delivered_cost('{workload}') where parcel_id = '{parcel_id}'").df()
    return frame.set_index("bound")


def test_costs_are_those_of_the_macro(priced, parcels):
    told = explain(priced, parcels["first"], top=TOP).payload
    for each in told["workloads"]:
        with store.open_build(priced) as con:
            rows_of_macro = delivered(con, each["workload"], parcels["first"])
        cost = each["cost"]
        assert {row["term"] for row in cost["terms"]} >= {"energy", "tie_line", "substation"}
        for end in ("low", "mid", "high"):
            assert cost[end] == pytest.approx(rows_of_macro.loc[end, "total"], rel=1e-9)
            hour, by_macro = cost["usd_per_gpu_h"][end], rows_of_macro.loc[end, "usd_per_gpu_h"]
            is_training = each["workload"] == "training"
            assert (hour == pytest.approx(by_macro, rel=1e-9)) if is_training else hour is None
            for row in cost["terms"]:
                assert row[end] == pytest.approx(rows_of_macro.loc[end, row["term"]], rel=1e-9)
        assert sum(row["mid"] for row in cost["terms"]) == pytest.approx(cost["mid"])


def test_dollars_of_a_factor_are_what_the_macro_finds_at_its_best(priced, parcels, tmp_path):
    parcel_id = parcels["middle"]
    told = of(explain(priced, parcel_id, top=TOP).payload)
    over = {row["metric"]: row["cost_over_best"] for row in told["factors"]}
    assert over["firm_generation_50mi_mw"] is None
    best = {
        "industrial_usd_per_mwh": "industrial_usd_per_mwh = 45",
        "cooling_degree_days_65f": "cooling_degree_days_65f = least(cooling_degree_days_65f, 300)",
        "headroom_substation_mi": (
            "tie_line_mi = 1.3 * least(headroom_substation_mi, 1), "
            "headroom_substation_mi = least(headroom_substation_mi, 1)"
        ),
        "headroom_mw_mid": "deliverable_mw = 1000",
    }
    copy = tmp_path / "changed.duckdb"
    for metric, change in best.items():
        shutil.copyfile(priced, copy)
        with duckdb.connect(str(copy)) as con:
            before = delivered(con, "training", parcel_id).loc["mid", "total"]
            con.execute(f"update core.parcel_metric set {change} where parcel_id = '{parcel_id}'")
            after = delivered(con, "training", parcel_id).loc["mid", "total"]
        assert over[metric] == pytest.approx(before - after, rel=1e-6, abs=1e-6), metric
    assert over["industrial_usd_per_mwh"] > 0


def test_rank_is_told_with_its_interval(priced, parcels, gridstead, base):
    home = priced.parent
    shown = gridstead("explain", parcels["first"], "--home", home, "--workload", "training").out
    assert "training: rank 1 of" in shown
    assert "(5 to 95 %: 1 to 17)" in shown
    assert "97% in the first 100" in shown
    assert "its place changes most by the value of headroom" in shown
    assert "$/MWh of IT load" in shown
    assert "$ over best" in shown
    middle = gridstead("explain", parcels["middle"], "--home", home, "--workload", "training").out
    assert "5 to 95 %" not in middle


def test_a_build_without_costs_and_confidence_is_told_too(priced, parcels, gridstead, tmp_path):
    shutil.copyfile(priced, tmp_path / "gridstead.duckdb")
    with duckdb.connect(str(tmp_path / "gridstead.duckdb")) as con:
        con.execute("drop table mart.parcel_cost")
        con.execute("drop table mart.parcel_confidence")
    answer = gridstead("explain", parcels["first"], "--home", tmp_path, "--workload", "all")
    assert answer.code == 0
    assert "training: rank 1 of" in answer.out
    assert "$" not in answer.out.partition("What would")[0].replace("M$", "").replace("$/MWh", "")
    assert "5 to 95 %" not in answer.out


@pytest.mark.parametrize(
    "words",
    [
        ["39.04,-77.49"],
        ["39.04, -77.49"],
        [" 39.04 ,-77.49"],
        ["39.04", "-77.49"],
        ["39.04,", "-77.49"],
    ],
)
def test_by_point_finds_the_parcel_under_it(ask, words):
    answer = ask(*words, "--json")
    assert answer.code == 0
    parcel = answer.json["parcel"]
    assert (parcel["lat"], parcel["lon"]) == pytest.approx((39.04, -77.49), abs=0.15)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-77.49,39.04"], "No parcel of the build holds -77.49, 39.04."),
        (["39.04,-70"], "No parcel of the build holds 39.04, -70.0."),
        (["38.925,-77.675"], "No parcel of the build holds 38.925, -77.675."),
        (["39.04,-377"], "39.04,-377 is no latitude and longitude."),
        (["139.04,-77"], "139.04,-77 is no latitude and longitude."),
        (["nan,-77"], "nan,-77 is no latitude and longitude."),
        (["nowhere"], "There is no parcel 'nowhere'."),
        (["1,2,3"], "There is no parcel '1,2,3'."),
        ([""], "There is no parcel ''."),
        (["1e999,0"], "1e999,0 is no latitude and longitude."),
        (["39.04,-77.49", "--workload", "mining"], "There is no workload 'mining' in this build."),
        (["39.04,-77.49", "--top", "0"], "--top 0 names no parcels."),
    ],
)
def test_of_what_is_not_there(ask, words, said):
    answer = ask(*words)
    assert answer.code == 2
    assert said in answer.err


@pytest.mark.parametrize(
    ("metric", "before", "after", "said", "then"),
    [
        ("headroom_mw_mid", 210.0, 349.2, "+140 MW headroom of the feeding substation", "350 MW"),
        ("headroom_substation_mi", 5.63, 2.48, "3.2 mi closer to the feeding substation", "2.4 mi"),
        ("substation_138kv_mi", 1.0, 20.0, "19.0 mi farther from a substation of 138 kV or more", "20.0 mi"),
        ("industrial_usd_per_mwh", 62.0, 57.94, "industrial power price 4.1 $/MWh lower", "57.9 $/MWh"),
        ("carrier_25mi_count", 1.0, 3.0, "+2 carriers within 25 mi", "3"),
        ("acres", 40.0, 99.5, "+60 developable acres", "100 acres"),
        ("rtt_metro_ms_mid", 3.0, 1.999, "round trip to the nearest metro 1.01 ms lower", "1.99 ms"),
        ("developable_share", 0.2, 0.301, "developable share of the land 11 points of a hundred higher", "31 %"),
        ("is_within_100mi_of_major_metro", 0.0, 1.0, "66.4 mi closer to a major metro", "yes"),
        ("is_single_homed", 1.0, 0.0, "is_single_homed: no", "no"),
        ("acres", math.nan, 100.0, "developable acres to be known, and 100 acres or better", "100 acres"),
        ("compactness", 0.5, 0.7, "compactness of the shape 0.2 higher", "0.7"),
    ],
)  # fmt: skip
def test_changes_are_said_as_people_say_them(metric, before, after, said, then):
    change = Change(metric, before, after, 1.0, 0.1)
    label = METRICS[metric].label if metric != "is_single_homed" else metric
    values = {"major_metro_mi": 166.32}
    assert change_words(change, METRICS[metric].unit, label, values) == said
    assert reached_words(change, METRICS[metric].unit) == then


def test_lines_fit_a_terminal(ask, parcels):
    for parcel_id in filter(None, parcels.values()):
        told = ask(parcel_id, "--workload", "all").out
        assert "What would put it" in told
        prose = [line for line in told.splitlines() if line.startswith("  ") and line[-1] != " "]
        assert all(len(line) < 80 for line in prose)
