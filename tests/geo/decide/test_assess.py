"""Sites of owners, judged by profiles of which every figure can be worked out by hand."""

import datetime as dt
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.decide.assess import (
    ENERGIZED,
    Need,
    SiteProfile,
    best_use,
    fix_first,
    in_order,
    judge,
    mine_needs,
    needs,
    weakest,
    with_owner,
)
from tests.oracle import score as oracle

WORDS = {
    "headroom_mw_mid": ("headroom of the feeding substation", "mw"),
    "acres": ("developable acres", "acres"),
    "contiguous_acres": ("acres in one piece", "acres"),
    "major_metro_mi": ("distance to the nearest major metro", "mi"),
    "is_within_100mi_of_major_metro": ("within 100 mi of a major metro", ""),
}
COOLING = {
    ("training", "air"): ("no", "liquid cooling"),
    ("training", "immersion"): ("partly", "cold plates"),
    ("training", "liquid"): ("yes", ""),
    ("inference", "air"): ("yes", ""),
}
TODAY = dt.date(2026, 1, 1)
GATES = [
    ("headroom_mw_mid", 200.0, None),
    ("acres", 100.0, None),
    ("contiguous_acres", 100.0, None),
]
FACTORS = {
    "headroom_mw_mid": (0.75, [(0, 0), (100, 0.5), (500, 1)]),
    "industrial_usd_per_mwh": (0.25, [(40, 1), (80, 0)]),
}


def profile(gates=GATES, factors=FACTORS, passing=(20.0, 50.0, 80.0), unsure=(60.0,), **changes):
    """A workload as a build holds it: value functions in straight pieces, flat outside."""
    pieces = []
    for metric, (_, points) in factors.items():
        pieces.append((metric, -1e300, points[0][0], points[0][1], 0.0))
        for (x0, y0), (x1, y1) in pairwise(points):
            pieces.append((metric, x0, x1, y0, (y1 - y0) / (x1 - x0)))
        pieces.append((metric, points[-1][0], 1e300, points[-1][1], 0.0))
    told = {"workload": "training", "title": "Training", "objective": "training"} | changes
    return SiteProfile(
        **told,
        gates=pd.DataFrame(gates, columns=["metric", "at_least", "at_most"]).astype(
            {"at_least": float, "at_most": float}
        ),
        factors=pd.DataFrame(
            [(metric, metric, weight) for metric, (weight, _) in factors.items()],
            columns=["metric", "label", "weight"],
        ),
        segments=pd.DataFrame(pieces, columns=["metric", "from_x", "to_x", "from_value", "slope"]),
        passing=np.array(passing),
        unsure=np.array(unsure),
    )


def measured(**changes):
    """Metrics of one site, as the engine gives them."""
    row = {
        **dict.fromkeys(ENERGIZED, 120.0),
        "deliverable_mw": 120.0, "headroom_substation_mi": 4.0, "tie_line_mi": 5.2,
        "tie_line_musd": 20.0, "acres": np.nan, "contiguous_acres": np.nan,
        "buildable_acres": np.nan, "area_acres": np.nan, "industrial_usd_per_mwh": 60.0,
        "pop_mi": 12.0, "lit_node_mi": 11.0, "lit_node_musd": 1.5, "carrier_25mi_count": 2.0,
        "major_metro_mi": 130.0, "is_within_100mi_of_major_metro": 0.0,
    }  # fmt: skip
    return pd.DataFrame([row | changes])


def owner(**changes):
    """What an owner states of one site."""
    row = dict.fromkeys(
        ("energized_mw", "wanted_mw", "acres", "usd_per_mwh", "fiber_carriers"), np.nan
    )
    return pd.DataFrame([row | {"cooling": None, "available_date": None} | changes])


def assessed(site, metric=None, by=None):
    """Metrics with what the owner states, verdict and needs of one site."""
    by = by or profile()
    metric = with_owner(measured() if metric is None else metric, site)
    judged = judge(metric, by)
    row, told = metric.iloc[0].to_dict(), site.iloc[0].to_dict()
    lacks = needs(row, told, by, judged, 0, WORDS, COOLING, TODAY)
    return SimpleNamespace(row=row, judged=judged, needs=lacks)


def texts(lacks, status):
    return [need.text for need in lacks if need.status == status]


def test_a_site_worked_out_by_hand():
    # 300 MW are worth 0.5 + 0.5 * 200 / 400 = 0.75 of 75 points, 50 $/MWh 0.75 of 25.
    got = assessed(owner(energized_mw=300.0, acres=150.0, usd_per_mwh=50.0, cooling="liquid"))
    assert got.judged.gate_status.tolist() == ["pass"]
    assert got.judged.points[0].tolist() == [56.25, 18.75]
    assert (got.judged.score_low[0], got.judged.score_high[0]) == (75.0, 75.0)
    # Of those that pass only 80 is better; of all four candidates three are worse.
    assert (got.judged.rank_low[0], got.judged.percentile_low[0]) == (2.0, 75.0)
    assert [need.kind for need in got.needs] == ["fiber"]


def test_what_is_not_known_is_counted_at_worst_and_at_best_and_ranks_behind_what_passes():
    got = assessed(owner(energized_mw=300.0), measured(industrial_usd_per_mwh=np.nan))
    assert got.judged.gate[0].tolist() == ["pass", "unknown", "unknown"]
    assert (got.judged.score_low[0], got.judged.score_high[0]) == (56.25, 81.25)
    # Three pass, and 60 is better than 56.25 among the unsure; the best case beats it.
    assert (got.judged.rank_low[0], got.judged.rank_high[0]) == (5.0, 4.0)
    assert (got.judged.percentile_low[0], got.judged.percentile_high[0]) == (50.0, 100.0)
    # Acres of one piece are those that the owner states: they are asked for once.
    assert texts(got.needs, "unknown") == ["say its acres: at least 100 acres are asked for"]


def test_what_fails_is_no_candidate_and_says_how_much_is_missing():
    got = assessed(owner(energized_mw=60.0, acres=60.0, cooling="liquid", fiber_carriers=3))
    assert got.judged.gate_status.tolist() == ["fail"]
    assert np.isnan(got.judged.rank_low[0])
    assert texts(got.needs, "fail") == [
        "140 MW more: 60 of at least 200 MW", "40 acres more: 60 of at least 100 acres",
    ]  # fmt: skip
    assert [need.amount for need in got.needs] == [140.0, 40.0]


@pytest.mark.parametrize("mw", [60.0, 400.0, 2_000.0])
def test_energised_megawatts_replace_the_grid_and_are_never_added(mw):
    got = with_owner(measured(), owner(energized_mw=mw)).iloc[0]
    assert [got[name] for name in ENERGIZED] == [mw] * len(ENERGIZED)
    assert got["deliverable_mw"] == min(mw, 1_000.0)
    assert [got[f"grid_mw_{end}"] for end in ("low", "mid", "high")] == [120.0] * 3
    assert [got[name] for name in ("headroom_substation_mi", "tie_line_mi", "tie_line_musd")] == [
        0
    ] * 3


@pytest.mark.parametrize("mw", [np.nan, 0.0])
def test_a_site_that_is_not_energised_has_what_the_grid_offers(mw):
    got = with_owner(measured(), owner(energized_mw=mw)).iloc[0]
    assert (got["headroom_mw_mid"], got["deliverable_mw"], got["tie_line_mi"]) == (
        120.0,
        120.0,
        5.2,
    )
    row = got.to_dict()
    assert texts(mine_needs(row, {"energized_mw": mw}), "fail") == [
        "energised megawatts: none are stated"
    ]
    assert mine_needs(row, {"energized_mw": 5.0}) == []


def test_megawatts_that_are_unknown_stay_so():
    nothing = measured(**dict.fromkeys((*ENERGIZED, "deliverable_mw"), np.nan))
    assert np.isnan(with_owner(nothing, owner()).iloc[0]["headroom_mw_mid"])
    assert with_owner(nothing, owner(energized_mw=5.0)).iloc[0]["headroom_mw_mid"] == 5.0


def test_carriers_at_the_site_light_it_and_count_within_25_miles():
    lit = with_owner(measured(), owner(fiber_carriers=3.0)).iloc[0]
    assert [lit[name] for name in ("pop_mi", "lit_node_mi", "lit_node_musd")] == [0.0] * 3
    assert lit["carrier_25mi_count"] == 3.0
    dark = with_owner(measured(), owner(fiber_carriers=0.0)).iloc[0]
    assert (dark["pop_mi"], dark["carrier_25mi_count"]) == (12.0, 2.0)
    assert texts(assessed(owner(fiber_carriers=1.0, cooling="liquid")).needs, "want") == [
        "2 more carriers with laterals of their own: 1 of 3"
    ]


def test_air_has_to_become_liquid_for_training_and_not_for_inference():
    told = owner(energized_mw=300.0, acres=150.0, fiber_carriers=3.0, cooling="air")
    assert texts(assessed(told).needs, "want") == ["liquid cooling"]
    assert assessed(told, by=profile(objective="inference")).needs == []
    assert assessed(told.assign(cooling="liquid")).needs == []
    assert texts(assessed(told.assign(cooling=None)).needs, "want") == [
        "say how the site is cooled"
    ]


def test_wanted_megawatts_beyond_what_the_site_has_are_a_lack_but_disqualify_nothing():
    told = owner(
        energized_mw=300.0, wanted_mw=450.0, acres=150.0, fiber_carriers=3.0, cooling="liquid"
    )
    (need,) = assessed(told).needs
    assert (need.status, need.amount) == ("want", 150.0)
    assert need.text == "150 MW more for the 450 MW that are wanted"


@pytest.mark.parametrize(("year", "late"), [(2027, False), (2029, True)])
def test_inference_wants_its_site_within_two_years(year, late):
    told = owner(
        energized_mw=300.0, acres=150.0, fiber_carriers=3.0, cooling="air",
        available_date=dt.date(year, 6, 1),
    )  # fmt: skip
    got = assessed(told, by=profile(objective="inference"))
    assert [need.kind for need in got.needs] == (["date"] if late else [])
    assert assessed(told.assign(cooling="liquid")).needs == []


def test_where_a_site_lies_cannot_be_mended_and_is_told_first():
    gates = [*GATES, ("major_metro_mi", None, 100.0), ("is_within_100mi_of_major_metro", 1.0, None)]
    got = assessed(owner(energized_mw=50.0, acres=500.0), by=profile(gates=gates))
    assert texts(got.needs, "fail") == [
        "distance to the nearest major metro: 130.0 of at most 100 mi",
        "not within 100 mi of a major metro",
        "150 MW more: 50 of at least 200 MW",
    ]
    assert [need.is_fixable for need in got.needs[:3]] == [False, False, True]
    assert fix_first(got.needs) == got.needs[0]


def test_what_disqualifies_is_mended_before_what_is_merely_wanted():
    found = [
        Need("power", "want", "a"), Need("fiber", "fail", "b"), Need("land", "unknown", "c"),
        Need("power", "fail", "d"),
    ]  # fmt: skip
    assert [need.text for need in in_order(found)] == ["d", "b", "c", "a"]
    assert fix_first([]) is None


def test_the_weakest_factor_is_one_that_an_owner_can_mend():
    factors = {
        "major_metro_mi": (0.5, [(0, 1), (100, 0)]),
        "headroom_mw_mid": (0.5, [(0, 0), (1000, 1)]),
    }
    by = profile(factors=factors)
    judged = judge(with_owner(measured(), owner(energized_mw=400.0)), by)
    assert weakest(by, judged, 0) == "headroom_mw_mid brings 20 of 50 points"
    judged = judge(with_owner(measured(), owner(energized_mw=1000.0)), by)
    assert weakest(by, judged, 0) is None


def verdict(status, rank, percentile):
    one = {"gate_status": status, "rank_low": rank, "percentile_low": percentile}
    return SimpleNamespace(**{name: np.array([value]) for name, value in one.items()})


@pytest.mark.parametrize(
    ("training", "inference", "energized", "idle"),
    [
        # The one in which fewer parcels do better, whatever their scores.
        (("pass", 900, 80), ("pass", 20, 70), "inference", "inference"),
        # What passes comes before what may.
        (("pass", 900, 80), ("unknown", 20, 90), "training", "training"),
        (("fail", np.nan, 99), ("unknown", 20, 90), "inference", "inference"),
        # Bare land does better: a mine stays one.
        (("fail", np.nan, 99), ("pass", 9_000, 30), "mine", "inference"),
        (("fail", np.nan, 99), ("fail", np.nan, 99), "mine", None),
    ],
)
def test_the_best_use(training, inference, energized, idle):
    judged = {"training": verdict(*training), "inference": verdict(*inference)}
    assert best_use(judged, 0, is_energized=True) == energized
    assert best_use(judged, 0, is_energized=False) == idle


values = st.none() | st.floats(0, 1000)


@given(st.lists(st.tuples(values, values, values), min_size=1, max_size=8))
def test_sites_are_judged_as_the_words_of_the_profile_say(rows):
    names = ["headroom_mw_mid", "acres", "industrial_usd_per_mwh"]
    gates = [("headroom_mw_mid", 200.0, None), ("acres", None, 500.0)]
    by = profile(gates=gates)
    spoken = SimpleNamespace(
        factors=[
            SimpleNamespace(metric=metric, weight=weight, value=points)
            for metric, (weight, points) in FACTORS.items()
        ],
        gates=[SimpleNamespace(metric=m, at_least=low, at_most=high) for m, low, high in gates],
    )
    judged = judge(pd.DataFrame(rows, columns=names).astype(float), by)
    for number, row in enumerate(rows):
        low, high, status = oracle.score(spoken, dict(zip(names, row, strict=True)))
        assert judged.score_low[number] == pytest.approx(low, abs=1e-8)
        assert judged.score_high[number] == pytest.approx(high, abs=1e-8)
        assert judged.gate_status[number] == status
        mine = judged.score_low[number]
        above = [other for other in (20.0, 50.0, 80.0) if status != "pass" or other > mine]
        above += [other for other in (60.0,) if status == "unknown" and other > mine]
        if status != "fail":
            assert judged.rank_low[number] == 1 + len(above)
        below = sum(other < mine for other in (20.0, 50.0, 60.0, 80.0))
        assert judged.percentile_low[number] == 25.0 * below


def test_without_a_candidate_no_percentile_is_known():
    judged = judge(with_owner(measured(), owner()), profile(passing=(), unsure=()))
    assert np.isnan(judged.percentile_low[0])
