"""Costs of a run: priced once, loaded, ranked, and worked out again in SQL."""

import re

import duckdb
import numpy as np
import pandas as pd
import pytest

from data import build, store
from data.study import Study, StudyWorkload
from data.workload import load_workload
from flows import costing
from flows.home import Home
from geo.cost.rules import ENDS
from tests.geo.cost.frames import PARCEL, frame
from tests.sql import world

NAMES = ("training", "inference")
REASON = "no connected node within 100 miles"
MADE = frame(
    {},
    {"deliverable_mw": 0.0},
    {"deliverable_mw": None, "industrial_usd_per_mwh": None},
    {"industrial_usd_per_mwh": None},
    {"tie_line_kv": None, "tie_line_mi": None},
    {"tie_line_mi": None},
    {"lit_node_mi": None, "diverse_node_mi": None, "rtt_unknown_reason": REASON},
    {"lit_node_mi": None, "diverse_node_mi": None, "rtt_unknown_reason": "no fiber layer"},
    {"diverse_node_mi": None},
    dict.fromkeys(("cooling_degree_days_65f", "slope_mean_pct", "land_value_usd_per_acre")),
    {"generation_queue_mw": None, "deliverable_mw": 40.0},
    # The points of curves and the edges of classes, and beyond them.
    *({"cooling_degree_days_65f": x} for x in (0.0, 200.0, 889.0, 1_815.0, 4_261.0, 9_000.0)),
    *({"slope_mean_pct": x} for x in (0.0, 2.0, 8.0, 15.0, 60.0)),
    *({"tie_line_kv": x} for x in (34.5, 69.0, 83.07, 236.0, 287.0, 765.0, 900.0)),
    *({"tie_line_mi": 1.3 * x} for x in (0.0, 2.9, 3.1, 9.9, 10.1, 20.0)),
    *({"deliverable_mw": x} for x in (74.0, 75.0, 161.0, 300.0, 301.0, 999.0)),
)


def study(*layers):
    """A study whose fiber and land themes fill some layers."""
    made = Study.model_construct(
        themes={"land": type("Theme", (), {"layers": {layer: [layer] for layer in layers}})()},
        derived={},
        workloads=[StudyWorkload(id=name) for name in NAMES],
    )
    assert isinstance(made, Study)
    return made


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    home = Home.at(tmp_path_factory.mktemp("costing"))
    home.work.mkdir(parents=True, exist_ok=True)
    metrics = home.work / "metric-x.parquet"
    MADE.rename_axis("parcel_id").reset_index().to_parquet(metrics, index=False)
    said = []
    cost = costing.make_cost(study(), metrics, metrics, home, said.append)
    return home, metrics, cost, said


@pytest.fixture(scope="module")
def con(made):
    """A build in memory that holds what costs need."""
    _, metrics, cost, _ = made
    con = store.create()
    for name in ("core", "meta", "mart"):
        con.execute(f"create schema {name}")
    con.execute(con.extract_statements(store.sql_text("core/parcel_metric"))[0])
    con.execute(f"insert into core.parcel_metric by name from read_parquet('{metrics}')")
    store.run_file(con, "meta/profile")
    rows = [
        {"workload": name, "objective": load_workload(name).objective,
         "design_mw": load_workload(name).design_mw}
        for name in NAMES
    ]  # fmt: skip
    build.insert_rows(con, "meta.workload", rows)
    con.execute(
        """
        create table mart.parcel_score as
        select
            workload,
            row_number() over (order by parcel_id) as parcel_no,
            parcel_id,
            case parcel_id when 'p0' then 'fail' when 'p9' then 'unknown' else 'pass' end as gate_status
        from core.parcel_metric, unnest(['training', 'inference']) as w (workload)
        """
    )
    params = {
        "cost_path": str(cost),
        "cost_rule_path": str(costing.beside(cost, costing.RULE_TABLE)),
    }
    for name in ("meta/cost_rule", "meta/cost_choice", "mart/parcel_cost", "mart/delivered_cost"):
        store.run_file(con, name, params)
    yield con
    con.close()


def test_costs_are_priced_once_and_told(made):
    home, metrics, cost, said = made
    frame = pd.read_parquet(cost)
    assert len(frame) == len(NAMES) * len(MADE)
    assert not frame.duplicated(["workload", "parcel_id"]).any()
    count = frame["mid"].notna().groupby(frame["workload"]).sum()["training"]
    assert 0 < count < len(MADE)
    assert re.fullmatch(
        rf"training: {count} of {len(MADE)} parcels priced, "
        r"median \d+\.\d \$/MWh of IT load \(2024 dollars\)",
        said[0],
    )
    again = []
    assert costing.make_cost(study(), metrics, metrics, home, again.append) == cost
    assert again == ["costs: unchanged, reused"]


def test_a_study_that_knows_counties_is_priced_with_their_dollars(made):
    home, metrics, cost, _ = made
    other = costing.make_cost(study("county_fact"), metrics, metrics, home, str)
    assert other != cost
    rule = pd.read_parquet(costing.beside(other, costing.RULE_TABLE)).set_index("name")
    assert rule.loc["industrial_price_factor", "source_dollar_year"] == 2023
    assert rule.loc["queue_counties", "mid"] == 1


def test_prices_are_those_of_the_model_to_seven_digits(made):
    told = pd.read_parquet(made[2]).set_index(["workload", "parcel_id"])
    for name in NAMES:
        cost = costing.price(MADE, costing.read_rules(), load_workload(name))
        rows = told.loc[name].loc[cost.index]
        np.testing.assert_allclose(rows[[*ENDS]], cost.total, rtol=1e-6)
        musd = rows[[f"capital_musd_{end}" for end in ENDS]]
        np.testing.assert_allclose(musd, cost.capital_musd, rtol=1e-6)
        assert [tuple(names) for names in rows["missing"]] == list(cost.missing)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("asked", [{}, {"mw": 150.0}, {"mw": 700.0, "usd_per_mwh": 41.5}])
def test_plain_sql_reaches_the_same_terms(con, name, asked):
    cost = costing.price(MADE, costing.published_rules(con), load_workload(name), **asked)
    arguments = "".join(f", {key} := {value}" for key, value in asked.items())
    found = con.execute(f"from mart.delivered_cost('{name}'{arguments})").df()
    want = {
        **cost.terms,
        "total": cost.total,
        "capital_musd": cost.capital_musd,
        "time_to_power_years": cost.extras["time_to_power_years"],
    }
    if cost.objective == "delivered_usd_per_mwh":
        want["usd_per_gpu_h"] = cost.extras["usd_per_gpu_h"]
    else:
        assert found["usd_per_gpu_h"].isna().all()
    for number, end in enumerate(ENDS):
        rows = found[found["bound"] == end].set_index("parcel_id").loc[MADE.index]
        assert set(rows["objective"]) == {cost.objective}
        np.testing.assert_allclose(rows["cost_mw"], cost.cost_mw)
        for term, values in want.items():
            np.testing.assert_allclose(rows[term], values[:, number], rtol=1e-9, err_msg=term)
    terms = {"delay", "shell", "servers"} - set(cost.terms)
    assert found[[*terms]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("'nowhere'", "delivered_cost: there is no workload nowhere"),
        ("'training', mw := 0", "mw and usd_per_mwh must be above 0"),
        ("'training', usd_per_mwh := -1", "mw and usd_per_mwh must be above 0"),
    ],
)
def test_what_the_macro_cannot_price_is_said(con, call, said):
    with pytest.raises(duckdb.Error, match=said):
        con.execute(f"from mart.delivered_cost({call})").fetchall()


def test_parcels_that_fail_no_gate_are_ranked_by_cost(con):
    rows = con.execute("select workload, parcel_id, cost_rank, mid from mart.parcel_cost").df()
    for _, of in rows.groupby("workload"):
        may = of[of["mid"].notna() & (of["parcel_id"] != "p0")]
        ordered = may.sort_values(["mid", "parcel_id"])
        assert ordered["cost_rank"].tolist() == list(range(1, len(may) + 1))
        assert of["cost_rank"].count() == len(may)
        assert len(of) == len(MADE)


def test_costs_that_are_published_say_what_they_are(con):
    silent = con.execute(
        """
        select table_name || '.' || column_name from duckdb_columns()
        where comment is null and table_name in ('parcel_cost', 'cost_rule', 'cost_choice')
        """
    ).fetchall()
    assert silent == []


def test_the_made_parcel_is_a_whole_one():
    assert set(PARCEL) == set(costing.READ)
    assert set(costing.READ) <= set(world.METRIC_COLUMNS)
