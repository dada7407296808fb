from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import GeoError
from geo.tie_line import ROUTE_FACTOR, USEFUL_MW, TieLineCosts, priced_mi
from tests.oracle import feeding as oracle

REFERENCE = Path(__file__).parents[2] / "data" / "reference"
TABLE = pd.read_csv(REFERENCE / "tie_line.csv")
COSTS = TieLineCosts.from_frame(TABLE)

voltages = st.floats(30.0, 1_000.0)
miles_ = st.floats(0.0, 30.0) | st.sampled_from([3.0, np.nextafter(3.0, 0), 10.0, 10.000001])
amounts = st.floats(0.0, 3_000.0) | st.integers(0, 20).map(lambda count: 61.0 * count)


def musd(kv, miles, mw):
    return COSTS.tie_line_musd(*(np.array([value], dtype=float) for value in (kv, miles, mw)))[0]


def rate_of(kv, miles, mw):
    per_mi, fixed = COSTS.rate(np.array([kv]), np.array([mw]))
    return (per_mi * priced_mi(np.array([miles])) + fixed)[0]


def test_the_worked_example_costs_what_it_says():
    # 10 miles of 345 kV for 300 MW with a ring bus: 79.8 M$, and 65.0 without the length adder.
    assert round(musd(345, 10, 300), 1) == 79.8
    ring_bus = TABLE.set_index("kv").loc[345, "substation_musd"]
    assert round((musd(345, 10, 300) - ring_bus) / ROUTE_FACTOR + ring_bus, 1) == 65.0


@pytest.mark.parametrize(
    ("kv", "miles", "mw", "expected"),
    [
        (69, 2, 61, 2 * 2.0 * 1.5 * 1.3 + 5.0),
        (69, 2, 62, 2 * 2 * 2.0 * 1.5 * 1.3 + 5.0),
        (69, 2, 0, 2 * 2.0 * 1.5 * 1.3 + 5.0),
        (138, 3, 226, 3 * 2.3 * 1.2 * 1.3 + 7.8),
        (236, 10.5, 900, 2 * 10.5 * 2.6 * 1.3 + 10.8),
        (500, 0, 500, 31.4),
    ],
)
def test_circuits_miles_and_short_lines_make_the_price(kv, miles, mw, expected):
    assert musd(kv, miles, mw) == pytest.approx(expected)


@given(voltages, miles_, amounts)
def test_prices_are_those_of_the_plain_way(kv, miles, mw):
    assert musd(kv, miles, mw) == pytest.approx(oracle.tie_line_musd(kv, miles, mw))
    assert rate_of(kv, miles, mw) == pytest.approx(oracle.rate(kv, miles, mw))


@given(voltages, miles_, amounts, amounts)
def test_more_megawatts_never_make_a_substation_a_worse_choice(kv, miles, one, two):
    few, many = sorted([one, two])
    assert rate_of(kv, miles, many) <= rate_of(kv, miles, few) * (1 + 1e-12)


@given(voltages, miles_, st.floats(0.1, USEFUL_MW))
def test_the_rate_is_the_price_but_for_the_share_of_the_last_circuit(kv, miles, mw):
    a_megawatt = musd(kv, miles, mw) / mw
    row = COSTS.circuit_mva[np.abs(np.log(kv / COSTS.kv)).argmin()]
    one_circuit = (musd(kv, miles, 0.0) - musd(kv, 0.0, 0.0)) / mw
    assert a_megawatt - one_circuit - 1e-9 <= rate_of(kv, miles, mw) <= a_megawatt * (1 + 1e-12)
    if mw <= row:
        assert rate_of(kv, miles, mw) == pytest.approx(a_megawatt)


def test_what_has_no_voltage_or_price_is_refused():
    for kv in (np.nan, 0.0, -69.0):
        with pytest.raises(GeoError, match="no voltage"):
            musd(kv, 1, 1)
    for bad in (TABLE.iloc[:0], TABLE.assign(circuit_mva=0), TABLE.assign(substation_musd=np.nan)):
        with pytest.raises(GeoError, match="costs of tie lines"):
            TieLineCosts.from_frame(bad)


def test_the_reference_of_tie_lines_is_well_formed():
    assert TABLE["kv"].tolist() == [69, 100, 115, 138, 161, 230, 345, 500, 765]
    assert TABLE["source"].str.len().min() > 0
    for name in ("line_dollar_year", "substation_dollar_year"):
        assert TABLE[name].between(2015, 2026).all()
    # A higher voltage costs more and carries more; its new substation costs more too.
    for name in ("line_musd_per_mi", "substation_musd", "circuit_mva"):
        assert TABLE[name].is_monotonic_increasing, name
    thermal = pd.read_csv(REFERENCE / "line_class.csv").set_index("kv")["thermal_mva"]
    assert TABLE["circuit_mva"].tolist() == thermal.loc[TABLE["kv"]].tolist()
    shuffled = TieLineCosts.from_frame(TABLE.sample(frac=1, random_state=1))
    assert (shuffled.kv == COSTS.kv).all()
