import numpy as np
import pandas as pd
import pytest

from geo.cost.rules import CostRules, Curve
from geo.cost.tables import cost_frame
from geo.errors import GeoError
from tests.geo.cost.frames import INDEX, TABLES, rules

COST = cost_frame(TABLES)


def test_dollars_of_every_row_are_brought_to_one_year():
    # CPI-U of 2024 over 2018, 2019, 2025 and 2020.
    found = rules()
    row = list(found.substation_usd.at).index(138.0)
    assert found.substation_usd.ends[row, 1] == pytest.approx(7.8e6 * 313.689 / 251.107)
    row = list(found.line_usd_per_mi.at).index(500.0)
    assert found.line_usd_per_mi.ends[row, 1] == pytest.approx(4.8e6 * 313.689 / 255.657)
    assert found.fiber_usd_per_mi[1] == pytest.approx(1.3 * 95_000 * 313.689 / 321.943)
    assert found.industrial_price_factor[1] == pytest.approx(313.689 / 258.811)
    assert rules("county").industrial_price_factor[1] == pytest.approx(313.689 / 304.702)
    # What is no money stays.
    assert found.rebased(2018).acres_per_mw == found.acres_per_mw


def test_state_prices_in_dollars_of_2024_are_those_that_were_paid_in_2025():
    """FACTS: 46 to 161 $/MWh in 2020, 54 to 190 in 2025: the index moves one near to the other."""
    factor = rules().industrial_price_factor[1]
    assert 46 * factor == pytest.approx(54, rel=0.05)
    assert 161 * factor == pytest.approx(190, rel=0.05)


def test_a_year_that_the_index_has_not_is_told():
    with pytest.raises(
        GeoError, match="price index has no 1999, so dollars cannot be brought to 1999"
    ):
        rules().rebased(1999)
    old = COST.assign(dollar_year=COST["dollar_year"].replace(2018, 1998))
    with pytest.raises(GeoError, match=r"no 1998, so .* brought to 2024: add the year"):
        CostRules.from_frames(old, INDEX)


def test_published_rules_are_read_back_without_an_index():
    published = rules().frame()
    money = published["dollar_year"].dropna()
    assert set(money) == {2024}
    assert published["source_dollar_year"].notna().sum() == len(money)
    again = CostRules.from_frames(published, None, 2024)
    for name, value in vars(rules()).items():
        if isinstance(value, Curve):
            np.testing.assert_array_equal(getattr(again, name).ends, value.ends)
        elif name not in {"table", "price_index"}:
            assert getattr(again, name) == value, name
    with pytest.raises(GeoError, match="price index has no 2023, 2024"):
        again.rebased(2023)


def test_every_row_has_a_source_and_what_is_money_has_a_year():
    assert COST["source"].str.len().gt(20).all()
    assert set(COST["kind"]) <= {"physics", "measured", "survey", "standard", "rule", "convention"}
    is_money = COST["unit"].str.startswith("usd")
    assert COST["dollar_year"].notna().eq(is_money).all()
    assert set(COST["name"]) == set(CostRules.__annotations__) - {
        "dollar_year",
        "table",
        "price_index",
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: f[f["name"] != "life_years"], "no low, mid and high of life_years"),
        (lambda f: f.assign(low=f["low"].where(f["name"] != "acres_per_mw", 9)), "acres_per_mw"),
        (lambda f: f.assign(mid=f["mid"].where(f["name"] != "gpu_usd")), "gpu_usd"),
        (lambda f: f.assign(high=f["high"].where(f["name"] != "life_years", 25)), "one number"),
        (lambda f: pd.concat([f, f[f["name"] == "life_years"]]), "life_years more than once"),
        (lambda f: pd.concat([f, f[f["name"] == "pue"]]), "Two points of pue"),
        (lambda f: f.assign(at_x=f["at_x"].where(f["name"] != "pue")), "Two points of pue"),
    ],
)
def test_rules_that_make_no_sense_are_refused(change, said):
    with pytest.raises(GeoError, match=said):
        CostRules.from_frames(change(COST), INDEX)


def test_what_is_not_in_the_tables_is_refused():
    with pytest.raises(GeoError, match="no GPU 'z9'; known are h100"):
        cost_frame(TABLES, gpu="z9")
    with pytest.raises(GeoError, match="of a county or of a state"):
        cost_frame(TABLES, basis="zone")


def test_curves_are_straight_between_points_and_flat_outside():
    curve = Curve(np.array([1.0, 3.0]), np.array([[0.0, 1.0, 2.0], [4.0, 5.0, 6.0]]))
    np.testing.assert_allclose(
        curve.at_value(np.array([0.0, 2.0, 9.0, np.nan])),
        [[0, 1, 2], [2, 3, 4], [4, 5, 6], [np.nan] * 3],
    )
    np.testing.assert_allclose(
        curve.of_class(np.array([1.7, 1.8, np.nan])), [[0, 1, 2], [4, 5, 6], [np.nan] * 3]
    )


def test_pue_is_that_of_the_zones():
    """FACTS: 1A 1.20 to 1.26, 3A 1.09 to 1.22, 5A 1.06 to 1.14, 7 1.075 to 1.19."""
    days = TABLES["pue"].set_index("climate_zone")["cooling_degree_days_65f"]
    found = rules().pue.at_value(days[["1A", "3A", "5A", "7"]].to_numpy(float))[:, [0, 2]]
    np.testing.assert_allclose(found, [[1.20, 1.26], [1.09, 1.22], [1.06, 1.14], [1.075, 1.19]])
