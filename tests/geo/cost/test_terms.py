import inspect
import re

import pint
import pytest

from geo.cost import terms

# Nothing turns into anything else by itself: an hour is no part of a year, a kilowatt none of a megawatt.
UNITS = pint.UnitRegistry(None)
for unit in ("USD", "MW", "kW", "hour", "year", "mile", "acre", "Wh", "query", "Mquery", "county"):
    UNITS.define(f"{unit} = [{unit}]")
MWH = "MW * hour"

# Of every term: its arguments with their units, and the unit of what comes out.
WALK = {
    terms.crf: ({"rate_per_year": (0.08, "1/year"), "years": (20, "year"), "year": (1, "year")}, "1/year"),
    terms.it_mw: ({"mw": (300, "MW"), "pue": (1.2, "")}, "MW"),
    terms.mwh_per_year: (
        {"mw": (300, "MW"), "load_factor": (0.85, ""), "hours_per_year": (8_760, "hour/year")},
        f"{MWH} / year",
    ),
    terms.energy_usd_per_mwh: ({"usd_per_mwh": (60, f"USD/({MWH})"), "pue": (1.2, "")}, f"USD/({MWH})"),
    terms.capital_usd_per_mwh: (
        {"usd": (8e7, "USD"), "crf_per_year": (0.1, "1/year"), "mwh_a_year": (2e6, f"{MWH}/year")},
        f"USD/({MWH})",
    ),
    terms.line_usd: (
        {"circuits": (2, ""), "usd_per_mi": (4.1e6, "USD/mile"), "route_factor": (1.3, ""), "priced_mi": (12, "mile")},
        "USD",
    ),
    terms.fiber_usd: ({"straight_mi": (9, "mile"), "usd_per_mi": (95e3, "USD/mile")}, "USD"),
    terms.area_usd: (
        {"mw": (300, "MW"), "acres_per_mw": (1, "acre/MW"), "usd_per_acre": (2e4, "USD/acre")},
        "USD",
    ),
    terms.shell_usd: (
        {"mw_of_it": (250, "MW"), "usd_per_mw": (11.7e6, "USD/MW"), "ai_factor": (1.1, "")},
        "USD",
    ),
    terms.queue_years: (
        {"queue_mw": (9e3, "MW"), "counties": (65, "county"), "half_mw": (2e3, "MW/county"), "most_years": (1, "year")},
        "year",
    ),
    terms.power_years: (
        {"equipment_years": (3, "year"), "study_years": (0.5, "year"), "doublings": (1.3, ""),
         "years_per_doubling": (0.4, "year"), "route_mi": (12, "mile"), "years_per_mi": (0.03, "year/mile"),
         "behind_years": (0.2, "year")},
        "year",
    ),
    terms.waiting_usd: (
        {"committed_usd": (3e9, "USD"), "rate_per_year": (0.08, "1/year"), "years": (2.5, "year"), "year": (1, "year")},
        "USD",
    ),
    terms.server_usd_per_mwh: (
        {"usd": (5e4, "USD"), "kw": (1.8, "kW"), "crf_per_year": (0.25, "1/year"), "load_factor": (0.5, ""),
         "hours_per_year": (8_760, "hour/year"), "kw_per_mw": (1_000, "kW/MW")},
        f"USD/({MWH})",
    ),
    terms.usd_per_gpu_hour: (
        {"usd_per_mwh": (900, f"USD/({MWH})"), "kw": (1.8, "kW"), "load_factor": (0.85, ""),
         "utilisation": (0.7, ""), "kw_per_mw": (1_000, "kW/MW")},
        "USD/hour",
    ),
    terms.usd_per_million_queries: (
        {"usd_per_mwh": (60, f"USD/({MWH})"), "wh_per_query": (0.24, "Wh/query"),
         "wh_per_mwh": (1e6, f"Wh/({MWH})"), "queries_per_million": (1e6, "query/Mquery")},
        "USD/Mquery",
    ),
    terms.million_queries_per_year: (
        {"mwh_a_year": (2e5, f"{MWH}/year"), "wh_per_query": (0.24, "Wh/query"),
         "wh_per_mwh": (1e6, f"Wh/({MWH})"), "queries_per_million": (1e6, "query/Mquery")},
        "Mquery/year",
    ),
    terms.revenue_usd_per_year: (
        {"usd_per_million": (90, "USD/Mquery"), "million_a_year": (1e6, "Mquery/year")},
        "USD/year",
    ),
}  # fmt: skip


def test_every_term_is_walked():
    public = {
        function
        for name, function in inspect.getmembers(terms, inspect.isfunction)
        if not name.startswith("_")
    }
    assert public == set(WALK)


@pytest.mark.parametrize("term", WALK, ids=lambda term: term.__name__)
def test_units_of_a_term_come_out_as_it_says(term):
    given, unit = WALK[term]
    # Constants that have a unit are arguments, so none is left out of the walk.
    assert set(inspect.signature(term).parameters) == set(given)
    with_units = term(**{name: UNITS.Quantity(value, of) for name, (value, of) in given.items()})
    assert with_units.units == UNITS.Unit(unit)
    plain = term(**{name: value for name, (value, _) in given.items()})
    assert with_units.magnitude == pytest.approx(plain, rel=1e-12)


@pytest.mark.parametrize("term", WALK, ids=lambda term: term.__name__)
def test_a_unit_too_many_is_seen(term):
    given, unit = WALK[term]
    quantities = {name: UNITS.Quantity(value, of) for name, (value, of) in given.items()}
    for name in given:
        wrong = quantities | {name: quantities[name] * UNITS.Quantity(1, "county**2")}
        try:
            found = term(**wrong)
        except pint.DimensionalityError:
            continue
        assert found.units != UNITS.Unit(unit), name


def test_no_number_with_a_unit_is_hidden_in_a_term():
    """Of literals in the bodies, ones alone are dimensionless; 8,760 and millions are arguments."""
    for term in WALK:
        body = inspect.getsource(term).rpartition('"""')[2]
        assert set(re.findall(r"(?<![\w.])\d[\d_.e]*", body)) <= {"1.0"}, term


def test_the_worked_figures_of_the_field():
    crf = terms.crf(0.08, 20)
    assert crf == pytest.approx(0.1019, abs=5e-5)
    energy = terms.mwh_per_year(300, 0.85)
    # 10 miles of 345 kV (short lines cost 1.2) and a ring bus of 15.8 M$.
    for route, musd, usd_per_mwh in ((1.3, 79.8, 3.6), (1.0, 65.0, 3.0)):
        usd = terms.line_usd(1, 4.1e6, route, 10 * 1.2) + 15.8e6
        assert round(usd / 1e6, 1) == musd
        assert round(terms.capital_usd_per_mwh(usd, crf, energy), 1) == usd_per_mwh
    # A year's delay on the shell.
    shell = terms.shell_usd(300, 11.7e6, 1.0)
    delay = terms.capital_usd_per_mwh(terms.waiting_usd(shell, 0.08, 1), crf, energy)
    assert round(delay) == 13
    # A prompt of 0.24 Wh at 60 $/MWh.
    prompt = terms.usd_per_million_queries(60, 0.24) / 1e6
    assert f"{prompt:.1e}" == "1.4e-05"
