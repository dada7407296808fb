"""All profiles of ours in one made build: views, ranks from the published tables, questions in SQL."""

import duckdb
import numpy as np
import pytest

from data.metrics import METRICS
from data.workload import load_workload, workload_names
from tests.oracle import reproduce
from tests.sql import world

PARCELS = 300
LACKS = {"hazard_usd_per_person": "not here", "flexible_100_mw": "no load flow here"}
WORKLOADS = workload_names()


def _parcels(profiles):
    """Parcels whose metrics lie about the breakpoints and bounds of all profiles; some are unknown."""
    rng = np.random.default_rng(6)
    points = {}
    for profile in profiles:
        for factor in profile.factors:
            points.setdefault(factor.metric, []).extend(x for x, _ in factor.value)
        for gate in profile.gates:
            bound = gate.at_least if gate.at_least is not None else gate.at_most
            points.setdefault(gate.metric, []).append(bound)
    counties = world.REGIONS["county"]
    rows = []
    for number in range(PARCELS):
        row = {"parcel_id": f"p{number:03}", "headroom_substation_id": f"s{number % 40}"}
        at = number % 2
        row |= {"county_id": counties[at], "state_id": world.REGIONS["state"][at]}
        row |= {"zone_id": world.REGIONS["zone"][at], "metro_id": world.REGIONS["metro"][at]}
        # Some are good at all, so that the strictest gates are passed too.
        good = number % 3 == 0
        for metric, xs in points.items():
            best = max(xs) if METRICS[metric].direction == "more" else min(xs)
            value = best if good and rng.random() < 0.9 else rng.choice(xs)
            value *= rng.choice([1.0, rng.uniform(0.5, 1.5)])
            row[metric] = None if rng.random() < 0.04 else float(value)
        # What a cost needs beside what profiles ask of.
        row |= {
            "deliverable_mw": 50.0 + number,
            "tie_line_kv": 138.0,
            "tie_line_mi": None if number % 6 == 0 else 2.0 + number % 7,
        }
        row["disjoint_path_count"] = int(rng.integers(0, 3))
        row["carrier_25mi_count"] = int(rng.integers(0, 7))
        rows.append(row)
    return rows


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    profiles = [load_workload(name) for name in WORKLOADS]
    con = world.make(
        tmp_path_factory.mktemp("profiles"), _parcels(profiles), profiles, without=LACKS
    )
    yield con
    con.close()


@pytest.mark.parametrize("workload", WORKLOADS)
def test_ranks_come_out_of_the_published_tables_in_numpy(con, workload):
    ranked, regions = reproduce.check(con, workload)
    assert 5 < ranked < PARCELS
    assert regions > 1


@pytest.mark.parametrize("workload", ["training", "inference"])
def test_the_views_of_one_workload_are_a_selection_of_those_of_all(con, workload):
    for level, order in (("parcels", "parcel_id"), ("regions", "region_kind, region_id")):
        one = f"select * exclude (geometry) from mart.{workload}_{level} order by {order}"
        all_of = (
            f"select * exclude (geometry, workload) from mart.ranked_{level} "
            f"where workload = '{workload}' order by {order}"
        )
        assert con.execute(one).fetchall() == con.execute(all_of).fetchall() != []
        told = (
            "select column_name, comment from meta.column "
            "where table_name = $name and column_name <> 'workload'"
        )
        names = (f"{workload}_{level}", f"ranked_{level}")
        first, second = (con.execute(told, {"name": name}).fetchall() for name in names)
        assert first == second


def test_what_a_profile_weighs_or_gates_on_is_told_of_regions_too(con):
    told = set(con.table("mart.ranked_regions").columns)
    for name in WORKLOADS:
        profile = load_workload(name)
        assert {item.metric for item in (*profile.factors, *profile.gates)} <= told, name


def test_a_region_of_inference_is_filled_by_many_small_sites(con):
    most = {name: load_workload(name).max_site_mw for name in WORKLOADS}
    assert most["inference"] == 50
    assert most["training"] is None
    rows = con.execute(
        "select workload, max(used_mw), max(capacity_mw), max(n) from "
        "(select *, count(*) over (partition by workload, region_kind, region_id) as n "
        "from mart.region_fill) group by workload"
    ).fetchall()
    assert {row[0] for row in rows} == set(WORKLOADS)
    for workload, used_mw, capacity_mw, sites in rows:
        if most[workload] is not None:
            assert used_mw <= capacity_mw <= most[workload], workload
            assert sites >= 4, workload
        else:
            assert capacity_mw > 200, workload


def test_a_profile_tells_of_its_objective_in_the_build(con):
    told = {
        row["workload"]: row
        for row in world.rows(
            con,
            "select workload, objective, latency_budget_ms, design_mw, major_metro_people "
            "from meta.workload",
        )
    }
    assert told["training"] == {
        "workload": "training", "objective": "training", "latency_budget_ms": None,
        "design_mw": 300, "major_metro_people": 1_000_000,
    }  # fmt: skip
    budgets = {name: row["latency_budget_ms"] for name, row in told.items()}
    assert budgets["inference"] == 10
    assert budgets["inference_metro_edge"] == 5
    assert budgets["inference_regional"] == 20
    assert told["training_gigawatt"]["design_mw"] == 1000


@pytest.mark.parametrize("workload", WORKLOADS)
def test_without_a_change_what_if_is_the_published_ranking(con, workload):
    off = con.execute(
        """
        select
            count(*),
            count(*) filter (
                asked.rank is not distinct from score.rank and asked.score = score.score
                and asked.gate_status = score.gate_status and asked.gates_failed = score.gates_failed
                and asked.profile_rank is not distinct from score.rank
            )
        from mart.what_if_parcels($w) as asked
        inner join mart.parcel_score as score
            on asked.parcel_id = score.parcel_id and score.workload = $w
        """,
        {"w": workload},
    ).fetchone()
    assert off == (PARCELS, PARCELS)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Three parcels whose points can be worked by hand."""
    profile = world.profile(
        [
            ("headroom_mw_mid", 0.5, [[0, 0], [100, 1]]),
            ("industrial_usd_per_mwh", 0.3, [[0, 1], [100, 0]]),
            ("people_10ms_mid", 0.2, [[0, 0], [1000, 1]]),
        ],
        [("headroom_mw_mid", "at_least", 50)],
    )
    numbers = {"a": (100, 50, 0, 500), "b": (60, 10, 500, 500), "c": (None, 0, 1000, 1000)}
    names = ("headroom_mw_mid", "industrial_usd_per_mwh", "people_10ms_mid", "people_20ms_mid")
    parcels = [
        {"parcel_id": key, **dict(zip(names, row, strict=True))} for key, row in numbers.items()
    ]
    con = world.make(tmp_path_factory.mktemp("small"), parcels, [profile])
    yield con
    con.close()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("", {"b": (1, 67, "pass"), "a": (2, 65, "pass"), "c": (3, 50, "unknown")}),
        # Half of the megawatts: a has 50, b fails at 30.
        (
            "times := map {'headroom_mw_mid': 0.5}",
            {"a": (1, 40, "pass"), "b": (None, 52, "fail"), "c": (2, 50, "unknown")},
        ),
        ("gates := map {'headroom_mw_mid': 70}",
         {"a": (1, 65, "pass"), "b": (None, 67, "fail"), "c": (2, 50, "unknown")}),
        # One price for all.
        ("fixed := map {'industrial_usd_per_mwh': 100}",
         {"a": (1, 50, "pass"), "b": (2, 40, "pass"), "c": (3, 20, "unknown")}),
        # Within 20 ms as many people reach a as b.
        ("instead := map {'people_10ms_mid': 'people_20ms_mid'}",
         {"a": (1, 75, "pass"), "b": (2, 67, "pass"), "c": (3, 50, "unknown")}),
        ("weights := map {'headroom_mw_mid': 0, 'industrial_usd_per_mwh': 0}",
         {"b": (1, 50, "pass"), "a": (2, 0, "pass"), "c": (3, 100, "unknown")}),
    ],
)  # fmt: skip
def test_what_if_changes_megawatts_price_budget_and_weights(small, asked, told):
    text = f"from mart.what_if_parcels('training'{', ' * bool(asked)}{asked})"
    found = {
        r["parcel_id"]: (r["rank"], r["score"], r["gate_status"]) for r in world.rows(small, text)
    }
    assert found == told


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("'mining'", "there is no workload mining"),
        ("'training', weights := map {'acres': 1}", "weights name a metric that is no factor"),
        ("'training', weights := map {'people_10ms_mid': -1}", "weights must not be negative"),
        ("'training', gates := map {'people_10ms_mid': 1}", "gates name a metric that is no gate"),
        ("'training', fixed := map {'acres': 1}", "neither factor nor gate"),
        ("'training', times := map {'acres': 1}", "neither factor nor gate"),
        ("'training', instead := map {'acres': 'park_share'}", "neither factor nor gate"),
        ("'training', instead := map {'people_10ms_mid': 'people'}", "a metric that there is not"),
    ],
)
def test_what_if_refuses_what_it_cannot_use(small, asked, said):
    with pytest.raises(duckdb.Error, match=f"what_if_parcels: .*{said}"):
        small.execute(f"from mart.what_if_parcels({asked})").fetchall()


def test_a_region_costs_what_its_plan_costs(con):
    """By the megawatts that each parcel brings; unknown where the cost of any is."""
    fill = con.execute("from mart.region_fill").df()
    told = con.execute("from mart.parcel_cost").df()
    fill = fill.merge(told, on=["workload", "parcel_no"], validate="many_to_one")
    found = con.execute("from mart.region_cost").df()
    found = found.set_index(["workload", "region_kind", "region_id"])
    plans = fill.groupby(["workload", "region_kind", "region_id"])
    assert len(plans) == len(found) > 20
    known = 0
    for region, plan in plans:
        row = found.loc[region]
        if plan["mid"].isna().any():
            assert np.isnan(row["mid"])
            assert row["unknown_mw"] == pytest.approx(plan["used_mw"][plan["mid"].isna()].sum())
            continue
        known += 1
        for name in ("low", "mid", "high"):
            mean = np.average(plan[name], weights=plan["used_mw"])
            assert row[name] == pytest.approx(mean, abs=1e-5)
        assert row["capital_musd_mid"] == pytest.approx(plan["capital_musd_mid"].sum(), abs=1e-4)
    ranked = found.dropna(subset=["mid"]).sort_values(["mid"])
    for _, of in ranked.groupby(["workload", "region_kind"]):
        assert sorted(of["cost_rank"]) == list(range(1, len(of) + 1))
        assert of.sort_values("cost_rank")["mid"].is_monotonic_increasing
    assert 0 < known < len(plans)
