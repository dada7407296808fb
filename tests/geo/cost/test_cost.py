import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.cost.inference import inference_cost
from geo.cost.rules import ENDS
from geo.cost.training import training_cost
from geo.errors import GeoError
from geo.tie_line import TieLineCosts
from tests.geo.cost.frames import PARCEL, TABLES, frame, parcels, rules
from tests.oracle import cost as oracle

PRICERS = {"training": training_cost, "inference": inference_cost}
objectives = st.sampled_from(list(PRICERS))
sizes = st.floats(5.0, 1_200.0)
few = settings(max_examples=25, deadline=None)
MONEY = ("total", "capital_musd")


@few
@given(
    st.lists(parcels, min_size=1, max_size=4),
    *(objectives, sizes, st.sampled_from(["state", "county"]), st.none() | st.floats(10.0, 200.0)),
)
def test_costs_are_those_of_plain_arithmetic(given_parcels, objective, mw, basis, price):
    cost = PRICERS[objective](frame(*given_parcels), rules(basis), mw=mw, usd_per_mwh=price)
    for row, parcel in enumerate(given_parcels):
        for end in range(3):
            want = oracle.cost(parcel, objective, mw, end, basis=basis, usd_per_mwh=price)
            want = {name: np.nan if value is None else value for name, value in want.items()}
            got = {name: values[row, end] for name, values in cost.terms.items()}
            got["total"] = cost.total[row, end]
            got["years"] = cost.extras["time_to_power_years"][row, end]
            assert got == pytest.approx(want, rel=1e-9, nan_ok=True)


@few
@given(parcels, objectives, sizes)
def test_intervals_rise_and_what_is_unknown_is_named(parcel, objective, mw):
    cost = PRICERS[objective](frame(parcel), rules(), mw=mw)
    for values in (*cost.terms.values(), cost.total, cost.capital_musd, *cost.extras.values()):
        (low, middle, high) = values[0]
        assert np.isnan(values[0]).all() or low <= middle <= high
    unknown = {name for name, values in cost.terms.items() if np.isnan(values[0]).any()}
    named = set(cost.missing[0])
    assert ("deliverable_mw" in named) == (not parcel["deliverable_mw"])
    if "deliverable_mw" not in named:
        assert named == unknown
    essential = {"energy", "tie_line", "substation"} & unknown
    assert np.isnan(cost.total[0]).all() == bool(essential)
    assert np.isnan(cost.capital_musd[0]).all() == bool(essential - {"energy"})


@few
@given(parcels, parcels, objectives, sizes)
def test_a_parcel_costs_the_same_whoever_stands_beside_it(one, other, objective, mw):
    pricer = PRICERS[objective]
    alone, together = pricer(frame(one), rules(), mw=mw), pricer(frame(one, other), rules(), mw=mw)
    np.testing.assert_array_equal(alone.total[0], together.total[0])
    assert alone.missing[0] == together.missing[0]


@pytest.mark.parametrize("objective", PRICERS)
@few
@given(
    name=st.sampled_from(
        [
            "industrial_usd_per_mwh",
            "tie_line_mi",
            "lit_node_mi",
            "diverse_node_mi",
            "generation_queue_mw",
            "land_value_usd_per_acre",
            "slope_mean_pct",
        ]
    ),
    parcel=parcels,
    ends=st.tuples(st.floats(0.1, 100.0), st.floats(0.1, 100.0)),
)
def test_more_of_what_costs_never_costs_less(objective, name, parcel, ends):
    less, more = sorted(ends)
    # Short lines are dearer a mile: past 3 and 10 miles the price falls for a moment.
    if name == "tie_line_mi" and any(less / 1.3 <= edge <= more / 1.3 for edge in (3, 10)):
        more = less
    whole = {key: PARCEL[key] if value is None else value for key, value in parcel.items()}
    two = frame(whole | {name: less}, whole | {name: more})
    cost = PRICERS[objective](two, rules(), mw=300.0)
    assert (np.isnan(cost.total[0]) | (cost.total[0] <= cost.total[1] * (1 + 1e-12))).all()


@few
@given(sizes, sizes)
def test_land_shell_and_energy_go_with_the_megawatts_and_the_line_does_not(one, two):
    small, large = sorted([one, two])
    site = frame({"deliverable_mw": 5_000.0, "tie_line_kv": 765.0})
    few, many = (training_cost(site, rules(), mw=mw) for mw in (small, large))
    for name in ("energy", "land", "site_works"):
        np.testing.assert_allclose(few.terms[name], many.terms[name])
    # One circuit carries both: its dollars are the same, so a MWh of the larger takes less of them.
    ratio = large / small
    for name in ("tie_line", "substation", "fiber_lit"):
        np.testing.assert_allclose(few.terms[name], many.terms[name] * ratio)
    np.testing.assert_allclose(few.extras["shell_musd"] * ratio, many.extras["shell_musd"])


def test_a_parcel_is_priced_at_what_it_gets():
    cost = training_cost(
        frame({"deliverable_mw": 120.0}, {}, {"deliverable_mw": 0.0}), rules(), mw=300
    )
    assert cost.cost_mw[:2].tolist() == [120.0, 300.0]
    assert np.isnan(cost.cost_mw[2])
    assert cost.missing.tolist() == [(), (), ("deliverable_mw",)]
    by_row = training_cost(frame({}, {}), rules(), mw=np.array([50.0, 200.0]))
    assert by_row.cost_mw.tolist() == [50.0, 200.0]


def test_the_tie_line_is_that_of_the_metric_but_for_the_dollars_and_the_size():
    """In the dollars of the guides and at its own MW, mid: what parcels are told as tie_line_musd."""
    own = dataclasses.replace(
        rules(),
        **{
            name: dataclasses.replace(
                getattr(rules(), name),
                ends=np.repeat(
                    TABLES["tie_line"][column].to_numpy(float)[:, None] * 1e6, 3, axis=1
                ),
            )
            for name, column in (
                ("line_usd_per_mi", "line_musd_per_mi"),
                ("substation_usd", "substation_musd"),
            )
        },
    )
    site = frame(
        *({"tie_line_kv": kv, "tie_line_mi": 1.3 * mi} for kv, mi in ((138, 2.0), (345, 10.0)))
    )
    cost = training_cost(site, own, mw=400.0)
    capital = cost.terms["tie_line"] + cost.terms["substation"]
    pue = cost.terms["energy"][:, 1] / (60.0 * rules().industrial_price_factor[1])
    mwh = 400.0 / pue * 8_760 * 0.85
    musd = capital[:, 1] * mwh / oracle.crf(0.08, 20) / 1e6
    want = TieLineCosts.from_frame(TABLES["tie_line"]).tie_line_musd(
        np.array([138.0, 345.0]), np.array([2.0, 10.0]), np.array([400.0, 400.0])
    )
    np.testing.assert_allclose(musd, want)


def test_what_is_unknown_widens_and_is_never_free():
    inputs = [
        "cooling_degree_days_65f",
        "generation_queue_mw",
        "land_value_usd_per_acre",
        "slope_mean_pct",
    ]
    blind = frame({}, *({name: None} for name in inputs))
    cost = training_cost(blind, rules(), mw=300)
    width = cost.total[:, 2] - cost.total[:, 0]
    assert (width[1:] > width[0]).all()
    assert all(not names for names in cost.missing)
    # Where no node is in reach the way is long; where nobody knows of nodes it is unknown.
    reason = "no connected node within 100 miles"
    nodes = {"lit_node_mi": None, "diverse_node_mi": None}
    far, blank, single = (
        training_cost(
            frame(nodes | {"rtt_unknown_reason": reason}, nodes, {"diverse_node_mi": None}),
            rules(),
            mw=300,
        )
        .terms["fiber_lit"][:, 1]
        .tolist()
    )
    assert far > single > 0
    assert np.isnan(blank)
    cost = training_cost(frame(nodes), rules(), mw=300)
    assert cost.missing[0] == ("fiber_lit", "fiber_diverse")
    assert np.isfinite(cost.total).all()


def test_a_row_of_nothing_has_no_cost_and_names_all():
    nothing = frame(dict.fromkeys(PARCEL))
    for pricer in PRICERS.values():
        cost = pricer(nothing, rules(), mw=300)
        assert np.isnan(cost.total).all()
        assert np.isnan(cost.capital_musd).all()
        assert cost.missing[0] == ("deliverable_mw", "energy")


def test_a_site_that_is_energized_pays_for_no_tie_and_waits_for_nothing():
    site = frame({"tie_line_kv": None, "tie_line_mi": None}).assign(is_energized=True)
    cost = training_cost(site, rules(), mw=300)
    for name in ("tie_line", "substation", "delay"):
        assert (cost.terms[name] == 0.0).all()
    assert (cost.extras["time_to_power_years"] == 0.0).all()
    assert cost.missing[0] == ()
    assert (cost.total < training_cost(frame({}), rules(), mw=300).total).all()


@few
@given(parcels, objectives, st.integers(2015, 2025))
def test_another_year_of_dollars_changes_all_of_them_by_one_ratio(parcel, objective, year):
    ratio = oracle.CPI[year] / oracle.CPI[2024]
    now, then = rules(), rules("state", year)
    pricer = PRICERS[objective]
    old, new = pricer(frame(parcel), now, mw=300), pricer(frame(parcel), then, mw=300)
    for name in old.terms:
        np.testing.assert_allclose(new.terms[name], old.terms[name] * ratio)
    for name in MONEY:
        np.testing.assert_allclose(getattr(new, name), getattr(old, name) * ratio)
    for name, values in old.extras.items():
        is_money = "usd" in name
        np.testing.assert_allclose(new.extras[name], values * (ratio if is_money else 1.0))


def test_rules_are_rebased_as_they_are_read():
    site = frame({})
    one = training_cost(site, rules().rebased(2018), mw=300)
    two = training_cost(site, rules("state", 2018), mw=300)
    np.testing.assert_array_equal(one.total, two.total)


def test_a_gpu_hour_holds_site_shell_and_the_gpu():
    cost = training_cost(frame({}), rules(), mw=300)
    low, middle, high = cost.extras["usd_per_gpu_h"][0]
    gpu = oracle.GPU["b200"]
    busy = 8_760 * float(gpu["utilisation_mid"])
    bought = oracle.dollars(gpu["usd_mid"], gpu["dollar_year"], 2024) * oracle.crf(0.08, 5)
    it_mw = cost.cost_mw[0] / oracle.pue(1_000.0, oracle.MID)
    shell = cost.extras["shell_musd"][0, 1] * 1e6 / it_mw * oracle.crf(0.08, 20)
    mw = float(gpu["kw"]) / 1_000
    run = cost.total[0, 1] * 8_760 * 0.85
    assert middle == pytest.approx((bought + (shell + run) * mw) / busy)
    # Whoever rents one out asks 2 to 4 dollars (2025).
    assert 1 < low < middle < high < 8


def test_a_premium_is_unknown_until_it_is_given():
    site = frame({})
    blank = inference_cost(site, rules(), mw=50)
    assert np.isnan(blank.extras["premium_usd_per_year"]).all()
    paid = inference_cost(site, rules(), mw=50, premium_usd_per_million_queries=100.0)
    np.testing.assert_allclose(
        paid.extras["premium_usd_per_year"], 100.0 * paid.extras["million_queries_per_year"]
    )
    np.testing.assert_array_equal(paid.total, blank.total)
    # 50 MW at a PUE of 1.1 and half load answer some 700 thousand million prompts of 0.29 Wh.
    assert paid.extras["million_queries_per_year"][0, 1] == pytest.approx(6.87e5, rel=0.02)


def test_people_within_the_budget_stand_beside_the_cost():
    people = {f"people_5ms_{end}": [count] for end, count in zip(ENDS, (1, 2, 3), strict=True)}
    cost = inference_cost(frame({}).assign(**people), rules(), mw=50, latency_budget_ms=5)
    assert cost.extras["people_5ms"].tolist() == [[1.0, 2.0, 3.0]]
    assert np.isnan(inference_cost(frame({}), rules(), mw=50).extras["people_10ms"]).all()


def test_a_query_of_half_the_energy_costs_half():
    site = frame({})
    one, two = (inference_cost(site, rules(), mw=50, watt_hours_per_query=wh) for wh in (0.15, 0.3))
    np.testing.assert_allclose(one.total * 2, two.total)


def test_a_load_factor_that_is_asked_for_counts_at_every_end():
    site = frame({})
    half, full = (training_cost(site, rules(), mw=300, load_factor=f) for f in (0.5, 1.0))
    np.testing.assert_allclose(half.terms["tie_line"], full.terms["tie_line"] * 2)
    np.testing.assert_allclose(half.terms["energy"], full.terms["energy"])


def test_what_cannot_be_priced_is_refused():
    with pytest.raises(GeoError, match="not there: tie_line_kv"):
        training_cost(frame({}).drop(columns="tie_line_kv"), rules(), mw=300)
    for wrong in ({"mw": 0.0}, {"mw": np.nan}, {"mw": 1.0, "usd_per_mwh": 0.0}):
        with pytest.raises(GeoError, match="above 0"):
            training_cost(frame({}), rules(), **wrong)
