"""Portfolios of the tiny study, from its published build alone."""

import itertools
import shutil

import duckdb
import numpy as np
import pandas as pd
import pytest

from data.errors import BuildError
from data.stage import REFERENCE_DIR
from flows.portfolio import PublishedFlow
from geo.geodesy import KM_PER_MILE, geodesic_km
from geo.power.hosting import hosting_capacity, prepare_islands
from geo.power.network import Network
from geo.power.rules import PowerRules
from tests.oracle import power


@pytest.fixture(scope="module")
def home(base, tmp_path_factory):
    """A home that holds the build and nothing else."""
    home = tmp_path_factory.mktemp("portfolio")
    shutil.copyfile(base.build, home / "gridstead.duckdb")
    return home


@pytest.fixture
def ask(gridstead, home):
    return lambda *words: gridstead("portfolio", *words, "--home", home)


def fetch(home, query, *params):
    with duckdb.connect(str(home / "gridstead.duckdb"), read_only=True) as con:
        return con.execute(query, params).fetchall()


def test_sites_of_training_have_what_their_substations_have(ask, home):
    answer = ask("training", "--mw", "500", "--sites", "2", "--by", "score", "--json")
    assert answer.code == 0, answer.err
    told = answer.json
    assert sum(site["mw"] for site in told["sites"]) == pytest.approx(500.0, abs=0.01)
    assert len({site["substation_id"] for site in told["sites"]}) == 2
    assert not told["is_load_flow_checked"]
    assert told["gap"] <= 1e-3
    assert told["value"] == pytest.approx(
        sum(site["mw"] * site["score"] / 100 for site in told["sites"]), rel=1e-4
    )
    plan = [{"substation_id": site["substation_id"], "mw": site["mw"]} for site in told["sites"]]
    with duckdb.connect(str(home / "gridstead.duckdb"), read_only=True) as con:
        con.execute("use mart")
        broken = con.execute(
            "select * from mart.shared_load($1) where is_broken", [plan]
        ).fetchall()
    assert broken == []
    scores = dict(
        fetch(home, "select parcel_id, score from mart.parcel_score where workload = 'training'")
    )
    assert all(site["score"] == scores[site["parcel_id"]] for site in told["sites"])


def test_the_table_says_how_sure_it_is(ask):
    answer = ask("training", "--mw", "500", "--sites", "2", "--by", "score")
    assert answer.code == 0
    assert "No portfolio is better by more than" in answer.out
    assert "No load flow stands behind the capacities" in answer.out
    assert "the grid is synthetic" in answer.out


def test_sites_stand_as_far_apart_as_asked(ask):
    words = ("training", "--mw", "400", "--sites", "2", "--least-mw", "50", "--by", "score")
    free = ask(*words, "--json").json
    apart = ask(*words, "--min-spacing-mi", "25", "--json")
    assert apart.code == 0, apart.err
    for one, other in itertools.combinations(apart.json["sites"], 2):
        km = geodesic_km(one["lon"], one["lat"], other["lon"], other["lat"])
        assert km / KM_PER_MILE >= 25.0
        assert one["nearest_mi"] == pytest.approx(float(km / KM_PER_MILE))
    assert apart.json["value"] <= free["value"] * (1.0 + free["gap"]) + 1e-6


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--mw", "900000", "--sites", "2"), 1, "or more"),
        (("--mw", "300", "--sites", "2", "--min-spacing-mi", "900"), 1, "1 site can be had"),
        (("--sites", "2"), 2, "needs its megawatts"),
        (("--mw", "-5", "--sites", "2"), 2, "is no load"),
        (("--mw", "500", "--sites", "0"), 2, "is no number of sites"),
        (("--mw", "500", "--sites", "2", "--min-spacing-mi", "-1"), 2, "is no distance"),
        (("--mw", "500", "--sites", "2", "--most-mw", "100"), 2, "do not add up"),
        (("--mw", "500", "--sites", "2", "--ms", "10"), 2, "--ms is for inference"),
    ],
)
def test_what_cannot_be_had_is_said_in_a_sentence(ask, words, code, said):
    answer = ask("training", *words, "--by", "score")
    assert answer.code == code
    assert said in answer.err.replace("\n", " ")
    assert "Traceback" not in answer.err


def test_the_load_flow_is_made_again_from_the_layers_of_a_build():
    """IEEE 118: what the build says each bus has alone, and what two of them overload together."""
    rules = PowerRules.from_frame(pd.read_csv(REFERENCE_DIR / "power_rule.csv"))
    frames = power.ieee("118")
    ratings = rules.ratings(pd.read_csv(REFERENCE_DIR / "line_class.csv"))
    network = Network.from_frames(*frames.all(), ratings)
    case = rules.case("mid")
    hosting = hosting_capacity(network, prepare_islands(network), [case], np.arange(118))
    alone = hosting.secure_mw[0]
    substation = pd.DataFrame(
        {
            "substation_id": [f"s{n}" for n in range(119)],
            "method": ["load_flow"] * 118 + ["user"],
            "connect_bus_id": [*network.bus_id.tolist(), network.bus_id[0]],
        }
    )
    with duckdb.connect() as con:
        con.execute("create schema core")
        for name, frame in zip(("bus", "branch", "plant", "dc_tie"), frames.all(), strict=True):
            con.register("given", frame)
            con.execute(f"create table core.{name} as from given")
            con.unregister("given")
        flow = PublishedFlow.of(con, substation)
        assert PublishedFlow.of(con, substation.assign(method="import_estimate")) is None
        con.execute("delete from core.bus")
        with pytest.raises(BuildError, match="network it does not hold"):
            PublishedFlow.of(con, substation)
    assert flow.bus.tolist() == [*range(118), -1]
    push = flow.pushing()
    best = np.argsort(-alone)[:4]
    assert push(best[:1], alone[best[:1]]) == []
    assert push(np.array([best[0], 118]), np.array([alone[best[0]], 1e6])) == []
    assert push(best, alone[best])
    assert not flow.differs(best, alone[best])
    assert flow.differs(best, alone[best] * 1.01)


def test_an_unknown_workload_is_said(ask):
    assert ask("mining", "--mw", "5", "--sites", "1").code == 2


def test_people_of_inference_count_once(ask, home):
    few = fetch(
        home,
        "select count(*) from mart.parcel_score where workload = 'inference' and gate_status = 'pass'",
    )
    assert few[0][0] > 0
    one, two = (ask("inference", "--sites", str(n), "--ms", "10", "--json") for n in (1, 2))
    assert one.code == 0, one.err
    assert two.code == 0, two.err
    (site,) = one.json["sites"]
    (known,) = fetch(
        home,
        "select people_10ms_mid from core.parcel_metric where parcel_id = ?",
        site["parcel_id"],
    )
    assert site["people"] == pytest.approx(known[0], abs=1.0)
    (most,) = fetch(
        home,
        """select max(people_10ms_mid) from mart.parcel_score
        join core.parcel_metric using (parcel_id)
        where workload = 'inference' and gate_status = 'pass'""",
    )
    assert one.json["people"] == pytest.approx(most[0], abs=1.0)
    assert one.json["people"] <= two.json["people"] <= two.json["people_bound"]
    assert two.json["people"] == pytest.approx(
        sum(site["added_people"] for site in two.json["sites"]), abs=2.0
    )
    assert two.json["people"] <= two.json["study_people"]
    assert np.isfinite(two.json["gap"])


def test_sites_of_inference_share_megawatts_evenly(ask):
    answer = ask("inference", "--sites", "2", "--mw", "40", "--json")
    assert answer.code == 0, answer.err
    assert [site["mw"] for site in answer.json["sites"]] == [20.0, 20.0]
    assert all(site["headroom_mw_mid"] >= 20.0 for site in answer.json["sites"])


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--sites", "2", "--ms", "0"), 2, "is no round trip"),
        (("--sites", "2", "--least-mw", "5"), 2, "is for training"),
        (("--sites", "2", "--by", "cost"), 2, "is for training"),
        (("--sites", "3", "--min-spacing-mi", "2000"), 1, "can be had"),
        (("--sites", "2", "--mw", "900000"), 1, "MW or more"),
    ],
)
def test_what_inference_cannot_have_is_said(ask, words, code, said):
    answer = ask("inference", *words)
    assert answer.code == code
    assert said in answer.err.replace("\n", " ")
