import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.oracle import score as oracle
from tests.sql import world

# The score of a parcel is 100 less its miles.
MILES = ("substation_230kv_mi", 1, [[0, 1], [100, 0]])
CLOSE = ("substation_138kv_mi", "at_most", 20)
BIG = ("headroom_mw_mid", "at_least", 50)


def parcel(name, score, substation, mw, **more):
    return {
        "parcel_id": name,
        "substation_230kv_mi": None if score is None else 100.0 - score,
        "substation_138kv_mi": 1.0,
        "headroom_substation_id": substation,
        "headroom_mw_low": None if mw is None else mw / 2,
        "headroom_mw_mid": mw,
        "headroom_mw_high": None if mw is None else mw * 2,
        **more,
    }


def ranked(con, kind="county"):
    text = "from mart.region_rank where region_kind = $kind and workload = 'training'"
    return {row["region_id"]: row for row in world.rows(con, text, kind=kind)}


def filling(con, region_id):
    return con.execute(
        "select parcel_id, used_mw from mart.region_fill where region_id = $id order by fill_no",
        {"id": region_id},
    ).fetchall()


EAST = {"county_id": "99002", "state_id": "BB", "zone_id": "z2"}


def test_the_best_parcels_fill_the_target_and_each_substation_counts_once(tmp_path):
    parcels = [
        parcel("p1", 90, "s1", 600.0),
        parcel("p2", 85, "s1", 600.0),
        parcel("p3", 80, "s2", 300.0),
        parcel("p4", 70, "s3", 500.0),
        parcel("p5", 60, "s4", 400.0),
        parcel("q1", 50, "s5", 250.0, **EAST),
        parcel("q2", 40, "s6", 150.0, **EAST),
    ]
    con = world.make(tmp_path, parcels, [world.profile([MILES], [BIG], target_mw=1000)])
    assert filling(con, "99001") == [("p1", 600), ("p3", 300), ("p4", 100)]
    assert filling(con, "99002") == [("q1", 250), ("q2", 150)]
    found = ranked(con)
    full, part = found["99001"], found["99002"]
    assert full["score"] == pytest.approx(0.6 * 90 + 0.3 * 80 + 0.1 * 70, abs=1e-9)
    assert part["score"] == pytest.approx(0.25 * 50 + 0.15 * 40, abs=1e-9)
    assert (full["capacity_mw"], full["filled_share"], full["substation_count"]) == (1000, 1, 3)
    assert (part["capacity_mw"], part["filled_share"], part["substation_count"]) == (400, 0.4, 2)
    assert (full["rank"], part["rank"]) == (1, 2)
    assert (full["best_parcel_id"], full["best_parcel_score"]) == ("p1", 90)
    assert (full["candidate_count"], full["parcel_count"]) == (5, 5)
    assert full["reason"].startswith("1,000 of 1,000 MW at 3 substations; for it: substation_230kv")
    assert part["reason"].startswith("400 of 1,000 MW at 2 substations; ")
    # What one county brings, its state and zone bring.
    for kind, names in {"state": ("AA", "BB"), "zone": ("z1", "z2")}.items():
        found = ranked(con, kind)
        assert [found[name]["score"] for name in names] == [full["score"], part["score"]]


def test_a_substation_counts_once_in_every_region_that_has_a_parcel_near_it(tmp_path):
    parcels = [parcel("p", 90, "s1", 500.0), parcel("q", 80, "s1", 500.0, **EAST)]
    parcels = [{**p, "metro_id": "m1"} for p in parcels]
    con = world.make(tmp_path, parcels, [world.profile([MILES])])
    assert filling(con, "99001") == [("p", 500)]
    assert filling(con, "99002") == [("q", 500)]
    assert filling(con, "m1") == [("p", 500)]


def test_a_target_filled_to_the_kilowatt_takes_no_further_substation(tmp_path):
    parcels = [parcel("a", 90, "s1", 0.1), parcel("b", 80, "s2", 0.2), parcel("c", 70, "s3", 9.0)]
    con = world.make(tmp_path, parcels, [world.profile([MILES], target_mw=0.3)])
    assert filling(con, "99001") == [("a", 0.1), ("b", 0.2)]
    assert ranked(con)["99001"]["filled_share"] == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(("metric", "mw"), [("low", 50), ("mid", 100), ("high", 200)])
def test_the_profile_says_which_end_of_headroom_is_capacity(tmp_path, metric, mw):
    profile = world.profile([MILES], capacity=f"headroom_mw_{metric}")
    con = world.make(tmp_path, [parcel("a", 90, "s1", 100.0)], [profile])
    assert filling(con, "99001") == [("a", mw)]


def test_only_parcels_that_pass_fill_a_region_that_has_one(tmp_path):
    unsure = {"substation_138kv_mi": None}
    parcels = [
        parcel("p-pass", 30, "s1", 100.0),
        parcel("p-unsure", 95, "s2", 900.0, **unsure),
        parcel("p-unsure-too", 95, "s1", 100.0, **unsure),
        parcel("q-unsure", 95, "s3", 1000.0, **unsure, **EAST),
        parcel("q-fails", 99, "s4", 1000.0, **{**EAST, "substation_138kv_mi": 30.0}),
    ]
    con = world.make(tmp_path, parcels, [world.profile([MILES], [CLOSE])])
    found = ranked(con)
    assert filling(con, "99001") == [("p-pass", 100)]
    assert filling(con, "99002") == [("q-unsure", 1000)]
    assert found["99001"]["score"] == pytest.approx(3, abs=1e-9)
    assert found["99002"]["score"] == pytest.approx(95, abs=1e-9)
    # What is unknown ranks after every pass, whatever its score.
    assert [found[c]["rank"] for c in ("99001", "99002")] == [1, 2]
    assert [found[c]["gate_status"] for c in ("99001", "99002")] == ["pass", "unknown"]
    assert [found[c]["candidate_count"] for c in ("99001", "99002")] == [3, 1]
    assert found["99002"]["reason"].endswith("; a gate cannot be judged")


def test_unknown_factors_give_a_region_a_low_and_a_high(tmp_path):
    profile = world.profile(
        [(MILES[0], 0.5, MILES[2]), ("industrial_usd_per_mwh", 0.5, [[40, 1], [90, 0]])]
    )
    con = world.make(tmp_path, [parcel("a", 80, "s", 500.0)], [profile])
    row = ranked(con)["99001"]
    assert (row["score"], row["score_low"], row["score_high"]) == pytest.approx((20, 20, 45))


def test_a_region_without_a_known_factor_is_ranked_and_says_so(tmp_path):
    con = world.make(tmp_path, [parcel("a", None, "s", 50.0)], [world.profile([MILES])])
    row = ranked(con)["99001"]
    assert (row["rank"], row["score"], row["score_high"]) == (1, 0, 5)
    assert row["reason"] == "50 of 1,000 MW at 1 substation; none of its factors is known"


def test_a_region_that_is_not_ranked_says_why(tmp_path):
    parcels = [
        parcel("a", 90, "s1", 20.0),
        parcel("b", 80, "s1", 10.0, substation_138kv_mi=40.0),
        parcel("c", 70, None, None, **EAST),
        parcel("d", 70, "s2", 0.0, substation_138kv_mi=40.0, metro_id="m1"),
    ]
    con = world.make(tmp_path, parcels, [world.profile([MILES], [BIG, CLOSE])])
    reasons = {r: row["reason"] for r, row in {**ranked(con), **ranked(con, "metro")}.items()}
    labels = dict(con.execute("select metric, label from meta.metric").fetchall())
    big, close = labels[BIG[0]], labels[CLOSE[0]]
    assert reasons == {
        "99001": f"no parcel passes the gates: 3 fail {big}, 2 fail {close}",
        "99002": "no headroom is known within reach of its parcels",
        "m1": f"no parcel passes the gates: 1 fail {close}, 1 fail {big}",
        "m2": "has no parcel: smaller than one, or outside the area that was run",
    }
    for row in ranked(con).values():
        assert (row["rank"], row["score"], row["capacity_mw"]) == (None, None, None)
        assert row["substation_count"] == 0


def test_equal_regions_go_by_id_and_ranks_are_dense(tmp_path):
    parcels = [
        parcel("p", 90, "s1", 500.0, metro_id="m2"),
        parcel("q", 90, "s2", 500.0, **{**EAST, "metro_id": "m1"}),
    ]
    con = world.make(tmp_path, parcels, [world.profile([MILES])])
    for kind, names in world.REGIONS.items():
        found = ranked(con, kind)
        assert [found[name]["rank"] for name in names] == [1, 2]


@pytest.mark.slow
@settings(max_examples=6, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.integers(0, 2**32 - 1))
def test_regions_agree_with_the_oracle(tmp_path_factory, seed):
    rng = np.random.default_rng(seed)
    profile = world.profile(
        [(MILES[0], 0.7, MILES[2]), ("carrier_25mi_count", 0.3, [[0, 0], [3, 1]])],
        [CLOSE, ("headroom_mw_mid", "at_least", 5)],
        target_mw=int(rng.choice([50, 200, 1000])),
    )
    # What feeds from a substation has its headroom; some substations have none that is known.
    headroom = [
        None if rng.random() < 0.1 else round(float(rng.uniform(0, 80)), 3) for _ in range(25)
    ]
    parcels = []
    for number in range(120):
        near = int(rng.integers(-2, 25))
        side = rng.integers(0, 2)
        parcels.append(
            parcel(
                f"p{number:03d}",
                float(rng.integers(0, 12)) * 10,
                f"s{near}" if near >= 0 else None,
                headroom[near] if near >= 0 else None,
                substation_138kv_mi=None if rng.random() < 0.2 else float(rng.choice([5, 20, 30])),
                carrier_25mi_count=None if rng.random() < 0.2 else int(rng.integers(0, 5)),
                metro_id=[None, "m1", "m2"][rng.integers(0, 3)],
                county_id=world.REGIONS["county"][side],
                zone_id=world.REGIONS["zone"][rng.integers(0, 2)],
                state_id=world.REGIONS["state"][side],
            )
        )
    con = world.make(tmp_path_factory.mktemp("w"), parcels, [profile])
    told = {row["parcel_id"]: row for row in world.rows(con, "from mart.parcel_score")}
    for kind, names in world.REGIONS.items():
        found = ranked(con, kind)
        for name in names:
            candidates = [
                (
                    p["parcel_id"],
                    told[p["parcel_id"]]["score"],
                    oracle.status(profile, p),
                    p["headroom_substation_id"],
                    p["headroom_mw_mid"],
                )
                for p in parcels
                if p[f"{kind}_id"] == name
            ]
            expected = oracle.fill(profile, candidates)
            if expected is None:
                assert found[name]["rank"] is None
                continue
            score, used = expected
            assert found[name]["score"] == pytest.approx(score, abs=1e-6)
            assert dict(filling(con, name)) == pytest.approx(used, abs=1e-6)
