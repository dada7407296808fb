"""The confidence step on a small world: what it reads, keeps and publishes."""

import numpy as np
import pandas as pd
import pytest

from data import store
from data.study import StudyWorkload, Without
from data.uncertainty import UNCERTAINTY_FILE, uncertainty_of
from data.workload import load_workload
from flows import confidence as subject
from flows.home import Home
from geo.decide.confidence import confidence
from geo.decide.draws import Draws
from tests.sql import world

DRAWS = Draws(40)


def parcels(count=30):
    rng = np.random.default_rng(0)
    found = []
    for k in range(count):
        mid = float(rng.uniform(230, 900))
        found.append(
            {
                "parcel_id": f"p{k:02}",
                "county_id": world.REGIONS["county"][k % 2],
                "state_id": world.REGIONS["state"][k % 2],
                "headroom_substation_id": f"s{k // 3}",
                "headroom_mw_low": mid * 0.7,
                "headroom_mw_mid": mid,
                "headroom_mw_high": mid * 1.4,
                "headroom_substation_mi": float(rng.uniform(0, 12)),
                "substation_138kv_mi": 3.0 if k else 30.0,
                "industrial_usd_per_mwh": 50.0 + 20 * (k % 2),
                "firm_generation_50mi_mw": float(rng.uniform(0, 6000)),
                "cooling_degree_days_65f": 800.0,
                "carrier_25mi_count": int(rng.integers(0, 5)),
                "acres": 400.0,
                "contiguous_acres": 300.0 if k != 1 else None,
                "land_value_usd_per_acre": 9_000.0 if k % 5 else None,
            }
        )
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(connection of a build, paths of metrics and parcels, study)."""
    folder = tmp_path_factory.mktemp("confidence")
    profile = load_workload("training")
    lacks = {"hazard_usd_per_person": "no layer"}
    con = world.make(folder, parcels(), [profile], without=lacks)
    study = world.study([profile]).model_copy(
        update={
            "workloads": [
                StudyWorkload(
                    id="training",
                    without=[Without(metric=name, why=why) for name, why in lacks.items()],
                )
            ]
        }
    )
    yield con, folder / "metric.parquet", folder / "parcel.parquet", study
    con.close()


@pytest.fixture(scope="module")
def published(made, tmp_path_factory):
    """The build with both tables of confidence."""
    con, metrics, lots, study = made
    home = Home.at(tmp_path_factory.mktemp("home"))
    home.work.mkdir()
    said = []
    path = subject.make_confidence(study, metrics, lots, home, said.append, draws=DRAWS)
    again = subject.make_confidence(study, metrics, lots, home, said.append, draws=DRAWS)
    assert again == path
    assert said[-1] == "confidence: unchanged, reused"
    assert "29 parcels in 40 draws" in said[0]
    for table in ("parcel_confidence", "region_confidence"):
        con.execute(f"drop table if exists mart.{table}")
    store.run_file(con, "mart/parcel_confidence", {"confidence_path": str(path)})
    plan = con.sql("from mart.region_fill").df()
    regions = subject.confide_regions(study, metrics, lots, plan, draws=DRAWS)
    store.run_file(con, "mart/region_confidence")
    con.from_df(regions).insert_into("mart.region_confidence")
    return con


def test_parcels_are_published_with_what_ranks_them(made, published):
    found = published.sql("from mart.parcel_confidence order by parcel_id").df()
    # p00 is too far from a substation in every draw.
    assert found["parcel_id"].tolist() == [f"p{k:02}" for k in range(1, 30)]
    numbers = published.sql("select parcel_no, parcel_id from core.parcel").df()
    assert found.merge(numbers, on=["parcel_no", "parcel_id"]).shape[0] == 29
    assert found["p_top10"].sum() == pytest.approx(10, rel=1e-5)
    assert set(found["swing_metric"]) <= {*published.sql("from meta.metric").df()["metric"]}
    unknown = found.set_index("parcel_id").loc["p01"]
    # A gate that cannot be judged: after all others that rank in a draw.
    assert unknown["rank_p50"] > 20
    ranks = published.sql("select parcel_id, rank from mart.parcel_score where rank = 1").df()
    first = found.set_index("parcel_id").loc[ranks["parcel_id"][0]]
    assert first["p_top10"] > 0.9
    assert first["rank_p05"] == 1


def test_weights_and_gates_are_those_of_the_published_profile(made):
    con, metrics, lots, study = made
    terms = subject._in_use(study, load_workload("training"))
    frame = subject.read_inputs(metrics, lots, subject._metrics_of([terms]))
    inputs = subject.score_inputs(frame, terms, subject.groups_of(frame))
    by_name = {q.name: q for q in inputs.quantities}
    for metric, weight in con.sql(
        "select metric, weight from meta.factor where not is_removed"
    ).fetchall():
        assert by_name[metric].weight == pytest.approx(weight, abs=1e-12)
    for metric, low, high in con.sql("select metric, at_least, at_most from meta.gate").fetchall():
        held = by_name[metric]
        assert (held.at_least, held.at_most) == (
            -np.inf if low is None else low,
            np.inf if high is None else high,
        )
    assert "hazard_usd_per_person" not in by_name
    power = by_name["headroom_mw_mid"]
    assert power.low[3] == pytest.approx(0.7 * power.mid[3])
    assert power.group[3] == power.group[4] == power.group[5] != power.group[6]
    price = by_name["industrial_usd_per_mwh"]
    assert (price.low[0], price.high[0]) == pytest.approx((42.5, 62.5))
    assert price.group[0] == price.group[2] != price.group[1]


def test_without_doubt_ranks_are_those_published(made):
    """No interval, no variation of weights, nothing unknown: plain SQL's rank."""
    con, metrics, lots, study = made
    terms = subject._in_use(study, load_workload("training"))
    frame = subject.read_inputs(metrics, lots, subject._metrics_of([terms]))
    frame = frame.fillna({"land_value_usd_per_acre": 1e9})
    for end in ("low", "high"):
        frame[f"headroom_mw_{end}"] = frame["headroom_mw_mid"]
    inputs = subject.score_inputs(frame, terms, subject.groups_of(frame))
    sure = tuple(type(q)(**{**vars(q), "low": q.mid, "high": q.mid}) for q in inputs.quantities)
    sure = tuple(q for q in sure if not np.isnan(q.mid).all())
    total = sum(q.weight for q in sure)
    known = confidence(
        type(inputs)(
            inputs.row_id, tuple(type(q)(**{**vars(q), "weight": q.weight / total}) for q in sure)
        ),
        Draws(3, weight_cv=0.0),
    )
    ranks = con.sql("select rank from mart.parcel_score order by parcel_id").df()["rank"]
    assert known.rank_p50.tolist() == pytest.approx(
        ranks.astype("Float64").to_numpy(float, na_value=np.nan).tolist(), nan_ok=True
    )


def test_regions_are_published_where_they_have_a_plan(published):
    found = published.sql("from mart.region_confidence").df()
    ranked = published.sql("from mart.region_rank where rank is not null").df()
    key = ["workload", "region_kind", "region_id"]
    assert set(found[key].apply(tuple, axis=1)) == set(ranked[key].apply(tuple, axis=1))
    assert (found["p_ranked"] > 0).all()
    assert found["rank_p50"].between(1, 2).all()


@pytest.mark.parametrize("table", ["parcel_confidence", "region_confidence"])
def test_every_column_says_what_it_is(published, table):
    rows = published.sql(
        f"select column_name, comment from duckdb_columns() where table_name = '{table}'"
    ).df()
    assert rows["comment"].notna().all()


def test_every_row_of_the_table_is_of_a_metric_and_widens_it():
    table = pd.read_csv(UNCERTAINTY_FILE)
    assert table["metric"].is_unique
    assert table["source"].notna().all()
    assert set(table["shared_by"]) <= {"parcel", "all", *subject.SHARED_BY}
    for name in table["metric"]:
        known = uncertainty_of(name)
        assert (known.low is None) == (table.set_index("metric")["low_factor"].notna()[name])
        assert known.low_factor <= 1 <= known.high_factor
    assert uncertainty_of("acres").high_factor == 1.0


def test_who_has_no_substation_shares_its_error_with_nobody():
    frame = pd.DataFrame(
        {"parcel_id": ["a", "b", "c", "d"], "headroom_substation_id": ["s", None, None, "s"]}
    )
    group = subject.groups_of(frame)["substation"]
    assert group[0] == group[3]
    assert np.unique(group).size == 3
