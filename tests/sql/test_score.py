import shutil

import duckdb
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from data import build, store
from data.metrics import METRICS
from data.workload import load_workload
from tests.oracle import score as oracle
from tests.sql import world

NEAR = ("substation_230kv_mi", 0.5, [[1, 1], [5, 0.6], [20, 0]])
CHEAP = ("industrial_usd_per_mwh", 0.3, [[45, 1], [60, 0]])
CARRIERS = ("carrier_25mi_count", 0.2, [[0, 0], [1, 0.4], [3, 1]])
FACTORS = [NEAR, CHEAP, CARRIERS]
BIG = ("headroom_mw_mid", "at_least", 200)
CLOSE = ("substation_138kv_mi", "at_most", 20)


def parcel(name, **metrics):
    best = {
        "substation_230kv_mi": 0.0,
        "substation_138kv_mi": 1.0,
        "industrial_usd_per_mwh": 40.0,
        "carrier_25mi_count": 5,
        "headroom_mw_mid": 500.0,
        "headroom_substation_id": f"s-{name}",
    }
    return {"parcel_id": name, **best, **metrics}


def scores(con, workload="training"):
    found = world.rows(con, "from mart.parcel_score where workload = $w order by rank", w=workload)
    return {row["parcel_id"]: row for row in found}


def test_value_functions_are_flat_outside_and_straight_between_breakpoints(tmp_path):
    worth = {
        -3.0: 1, 0.0: 1, 1.0: 1, 2.0: 0.9, 3.0: 0.8, 5.0: 0.6, 5.000001: 0.6 - 4e-8, 12.5: 0.3,
        20.0: 0, 20.1: 0, 1e6: 0, 1e299: 0, -1e299: 1,
    }  # fmt: skip
    parcels = [parcel(f"p{x!r}", substation_230kv_mi=x) for x in worth]
    con = world.make(tmp_path, parcels, [world.profile(FACTORS)])
    found = con.execute(
        "select value, value_score, points from mart.parcel_factor where metric = $m",
        {"m": NEAR[0]},
    ).fetchall()
    assert len(found) == len(worth)
    for value, value_score, points in found:
        assert value_score == pytest.approx(worth[value], abs=1e-12), value
        assert points == pytest.approx(50 * worth[value], abs=1e-10), value


def test_unknown_factors_count_nothing_low_and_everything_high(tmp_path):
    parcels = [
        parcel("known"),
        parcel("half", industrial_usd_per_mwh=None),
        parcel("dark", **dict.fromkeys(m for m, *_ in FACTORS)),
        parcel("poor", substation_230kv_mi=99.0, industrial_usd_per_mwh=99.0, carrier_25mi_count=0),
    ]
    found = scores(world.make(tmp_path, parcels, [world.profile(FACTORS)]))
    ends = {name: (row["score_low"], row["score_high"]) for name, row in found.items()}
    assert ends == {"known": (100, 100), "half": (70, 100), "dark": (0, 100), "poor": (0, 0)}
    assert all(row["score"] == row["score_low"] for row in found.values())
    assert found["half"]["factors_unknown"] == ["industrial_usd_per_mwh"]
    assert found["dark"]["factors_unknown"] == sorted(m for m, *_ in FACTORS)
    assert found["known"]["factors_unknown"] == []
    # Ranked by the low end; "dark" and "poor" tie at 0 and go by id.
    assert [found[n]["rank"] for n in ("known", "half", "dark", "poor")] == [1, 2, 3, 4]


def test_gates_pass_on_the_bound_and_the_unknown_rank_after_every_pass(tmp_path):
    parcels = [
        parcel("a-on-bound", headroom_mw_mid=200.0, substation_138kv_mi=20.0),
        parcel("b-low", headroom_mw_mid=199.999),
        parcel("c-far", substation_138kv_mi=20.001),
        parcel("d-unknown", headroom_mw_mid=None),
        parcel("e-both", headroom_mw_mid=None, substation_138kv_mi=21.0),
        parcel("f-weak", industrial_usd_per_mwh=99.0, substation_230kv_mi=99.0),
        parcel("g-dark", headroom_mw_mid=None, substation_138kv_mi=None),
    ]
    found = scores(world.make(tmp_path, parcels, [world.profile(FACTORS, [BIG, CLOSE])]))
    judged = {name: row["gate_status"] for name, row in found.items()}
    assert judged == {
        "a-on-bound": "pass",
        "b-low": "fail",
        "c-far": "fail",
        "d-unknown": "unknown",
        "e-both": "fail",
        "f-weak": "pass",
        "g-dark": "unknown",
    }
    ranks = {name: row["rank"] for name, row in found.items() if row["rank"] is not None}
    assert ranks == {"a-on-bound": 1, "f-weak": 2, "d-unknown": 3, "g-dark": 4}
    assert found["f-weak"]["score"] < found["d-unknown"]["score"]
    assert found["c-far"]["gates_failed"] == ["substation_138kv_mi"]
    assert found["e-both"]["gates_failed"] == ["substation_138kv_mi"]
    assert found["e-both"]["gates_unknown"] == ["headroom_mw_mid"]
    assert found["g-dark"]["gates_unknown"] == ["headroom_mw_mid", "substation_138kv_mi"]


def test_a_true_or_false_metric_is_a_gate(tmp_path):
    near = ("is_within_100mi_of_major_metro", "at_least", 1)
    parcels = [
        parcel(name, is_within_100mi_of_major_metro=value)
        for name, value in {"in": True, "out": False, "who": None}.items()
    ]
    found = scores(world.make(tmp_path, parcels, [world.profile(FACTORS, [near])]))
    judged = {name: row["gate_status"] for name, row in found.items()}
    assert judged == {"in": "pass", "out": "fail", "who": "unknown"}


def test_a_profile_without_gates_passes_everything(tmp_path):
    found = scores(world.make(tmp_path, [parcel("p")], [world.profile(FACTORS)]))
    assert (found["p"]["gate_status"], found["p"]["rank"]) == ("pass", 1)


def test_what_a_study_never_has_is_removed_by_name_and_the_rest_rescaled(tmp_path):
    without = {"industrial_usd_per_mwh": "no prices here", "headroom_mw_mid": "no circuits here"}
    parcels = [parcel("a", headroom_mw_mid=0.0), parcel("b", substation_230kv_mi=5.0)]
    con = world.make(tmp_path, parcels, [world.profile(FACTORS, [BIG, CLOSE])], without=without)
    weights = con.execute(
        "select metric, weight, profile_weight, is_removed, removed_why from meta.factor order by 1"
    ).fetchall()
    assert weights == [
        ("carrier_25mi_count", pytest.approx(2 / 7), 0.2, False, None),
        ("industrial_usd_per_mwh", 0, 0.3, True, "no prices here"),
        ("substation_230kv_mi", pytest.approx(5 / 7), 0.5, False, None),
    ]
    assert build.removed_lines(con) == [
        "training: headroom_mw_mid (gate): no circuits here",
        "training: industrial_usd_per_mwh (factor of weight 0.3): no prices here",
    ]
    found = scores(con)
    assert found["a"]["gate_status"] == "pass"
    assert found["b"]["score"] == pytest.approx(100 * (2 / 7 + 0.6 * 5 / 7), abs=1e-8)
    assert found["b"]["factors_unknown"] == []


def test_ties_go_by_id_and_ranks_are_dense_in_each_workload(tmp_path):
    names = ["b", "a", "B", "10", "9", "é", "c"]
    profiles = [
        world.profile(FACTORS),
        world.profile([("population_50mi", 1, [[0, 0], [100, 1]])], name="inference"),
    ]
    parcels = [parcel(name, population_50mi=i) for i, name in enumerate(names)]
    con = world.make(tmp_path, parcels, profiles)
    assert list(scores(con)) == sorted(names)
    assert list(scores(con, "inference")) == names[::-1]
    for workload in ("training", "inference"):
        assert [row["rank"] for row in scores(con, workload).values()] == [1, 2, 3, 4, 5, 6, 7]


@pytest.fixture(scope="module")
def crowd():
    rng = np.random.default_rng(5)
    count = 25_000

    def some(values):
        return [None if rng.random() < 0.1 else value for value in values.tolist()]

    columns = {
        "substation_230kv_mi": some(rng.integers(0, 25, count).astype(float)),
        "substation_138kv_mi": some(rng.integers(0, 25, count).astype(float)),
        "industrial_usd_per_mwh": some(rng.uniform(40, 65, count)),
        "carrier_25mi_count": some(rng.integers(0, 5, count)),
        "headroom_mw_mid": some(rng.uniform(0, 900, count)),
        "headroom_substation_id": [f"s{n}" for n in rng.integers(0, 400, count)],
        "county_id": [world.REGIONS["county"][n] for n in rng.integers(0, 2, count)],
    }
    parcels = [
        {"parcel_id": f"p{row:06d}", **{name: column[row] for name, column in columns.items()}}
        for row in range(count)
    ]
    return parcels, world.profile(FACTORS, [BIG, CLOSE])


@pytest.mark.slow
def test_rankings_are_the_same_bytes_whatever_the_threads_and_the_order_of_parcels(tmp_path, crowd):
    parcels, profile = crowd
    shuffled = [parcels[i] for i in np.random.default_rng(1).permutation(len(parcels))]
    told = []
    for number, (threads, given_parcels) in enumerate(
        [(1, parcels), (4, shuffled), (7, shuffled[::-1])]
    ):
        con = world.make(tmp_path / str(number), given_parcels, [profile], threads=threads)
        told.append(
            [
                con.execute(f"from mart.{table}").fetchall()
                for table in (
                    *("parcel_score", "parcel_cost", "region_fill", "region_rank", "region_cost"),
                )
            ]
        )
    assert told[0] == told[1] == told[2]
    assert len(told[0][0]) == len(parcels)


def test_rank_parcels_without_weights_is_the_ranking_of_the_profile(tmp_path, crowd):
    parcels, profile = crowd
    con = world.make(tmp_path, parcels[:5000], [profile])
    off = con.execute(
        """
        select count(*), count(*) filter (where again.rank = score.rank and again.score = score.score)
        from mart.rank_parcels('training') as again
        full join (from mart.parcel_score where rank is not null) as score using (parcel_id)
        """
    ).fetchone()
    assert off[0] == off[1] > 1000


def test_rank_parcels_scales_the_weights_that_are_named_with_those_that_are_not(tmp_path):
    parcels = [
        parcel("near", substation_230kv_mi=0.0, industrial_usd_per_mwh=99.0),
        parcel("cheap", substation_230kv_mi=20.0),
        parcel("unsure", substation_138kv_mi=None),
        parcel("out", headroom_mw_mid=0.0),
    ]
    con = world.make(tmp_path, parcels, [world.profile(FACTORS, [BIG, CLOSE])])

    def ranked(weights):
        text = f"from mart.rank_parcels('training', weights := {weights}) order by rank"
        return {row["parcel_id"]: row["score"] for row in world.rows(con, text)}

    assert ranked("map {}") == {"near": 70, "cheap": 50, "unsure": 100}
    # 0.5 near, 1.3 cheap, 0.2 carriers, over 2.
    assert ranked("map {'industrial_usd_per_mwh': 1.3}") == {"cheap": 75, "near": 35, "unsure": 100}
    only = "map {'industrial_usd_per_mwh': 0, 'carrier_25mi_count': 0}"
    assert ranked(only) == {"near": 100, "cheap": 0, "unsure": 100}
    first = world.rows(con, f"from mart.rank_parcels('training', weights := {only})")[0]
    assert (first["profile_rank"], first["rank"], first["gate_status"]) == (1, 1, "pass")


@pytest.mark.parametrize(("macro", "level"), [("rank_parcels", ""), ("rank_regions", ", 'county'")])
def test_ranking_again_refuses_what_it_cannot_use(macro, level, tmp_path):
    con = world.make(tmp_path, [parcel("p")], [world.profile(FACTORS)])
    none = {metric: 0 for metric, *_ in FACTORS}
    for weights in ("{'headrom_mw_mid': 0.5}", "{'substation_230kv_mi': -1}", none):
        with pytest.raises(duckdb.Error, match=f"{macro}: weights"):
            con.execute(
                f"from mart.{macro}('training'{level}, weights := map {weights})"
            ).fetchall()
    with pytest.raises(duckdb.Error, match=f"{macro}: there is no workload mining"):
        con.execute(f"from mart.{macro}('mining'{level})").fetchall()


def test_rank_regions_refuses_a_kind_that_there_is_not(tmp_path):
    con = world.make(tmp_path, [parcel("p")], [world.profile(FACTORS)])
    with pytest.raises(duckdb.Error, match="rank_regions: there is no kind town: county, metro"):
        con.execute("from mart.rank_regions('training', 'town')").fetchall()


def test_a_build_answers_under_any_file_name_and_alias(tmp_path):
    path = tmp_path / "first.duckdb"
    con = world.make(tmp_path, [parcel("p")], [world.profile(FACTORS, [BIG])], path=path)
    store.seal(con, path)
    copy = shutil.copy(path, tmp_path / "moved away.duckdb")
    with store.open_build(tmp_path / "moved away.duckdb") as con:
        assert con.execute("select count(*) from meta.column").fetchone()[0] > 300
        assert con.execute("select rank from mart.training_parcels").fetchall() == [(1,)]
        assert con.execute("select rank from mart.rank_parcels('training')").fetchall() == [(1,)]
    with duckdb.connect() as con:
        con.execute(f"attach '{copy}' as other (read_only)")
        names = [f"mart.{n}" for (n,) in con.execute(
            "select view_name from duckdb_views() where database_name = 'other' and not internal "
            "and schema_name = 'mart'").fetchall()]  # fmt: skip
        assert len(names) > 5
        for name in names:
            con.execute(f"from other.{name}").fetchall()
        # The names inside a macro are looked up where it is called.
        con.execute("use other")
        assert con.execute("select rank from mart.rank_parcels('training')").fetchall() == [(1,)]
        assert con.execute("select count(*) from meta.column").fetchone()[0] > 300


@pytest.mark.slow
@settings(max_examples=6, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.integers(0, 2**32 - 1))
def test_scores_of_our_own_profiles_agree_with_the_oracle(tmp_path_factory, seed):
    rng = np.random.default_rng(seed)
    profiles = {name: load_workload(name) for name in ("training", "inference")}
    drawn = {}
    for profile in profiles.values():
        for factor in profile.factors:
            xs = [x for x, _ in factor.value]
            drawn.setdefault(factor.metric, []).extend(
                [*xs, xs[0] - 1, xs[-1] + 1, *np.mean([xs[1:], xs[:-1]], 0)]
            )
        for gate in profile.gates:
            bound = gate.at_most if gate.at_least is None else gate.at_least
            drawn.setdefault(gate.metric, []).extend([bound, bound + 1, bound + 1, bound * 2])
    # Tables hold people and counts as whole numbers.
    whole = {name: int for name, metric in METRICS.items() if metric.unit in {"people", "count"}}
    parcels = []
    for number in range(40):
        values = {
            metric: None if rng.random() < 0.15 else whole.get(metric, float)(rng.choice(choices))
            for metric, choices in drawn.items()
        }
        parcels.append({"parcel_id": f"p{number:03d}", **values})
    con = world.make(tmp_path_factory.mktemp("w"), parcels, list(profiles.values()))
    for name, profile in profiles.items():
        found = scores(con, name)
        for values in parcels:
            low, high, status = oracle.score(profile, values)
            row = found[values["parcel_id"]]
            assert row["gate_status"] == status
            assert (row["score_low"], row["score_high"]) == pytest.approx((low, high), abs=1e-7)
        order = sorted(
            (row["gate_status"] == "unknown", -row["score"], row["parcel_id"])
            for row in found.values()
            if row["gate_status"] != "fail"
        )
        ranked = {row["parcel_id"]: row["rank"] for row in found.values() if row["rank"]}
        assert ranked == {key[2]: number for number, key in enumerate(order, 1)}
