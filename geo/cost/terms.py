"""Terms of cost as plain arithmetic: the same on floats, on arrays and on quantities with units.

Money is in dollars, power in MW, energy in MWh, length in miles. What turns one unit into another is an
argument with a default, so that a test can pass it with its units.
"""

from typing import Any

HOURS_PER_YEAR = 8_760.0
QUERIES_PER_MILLION = 1e6
WH_PER_MWH = 1e6
KW_PER_MW = 1e3


def crf(rate_per_year: Any, years: Any, *, year: Any = 1.0) -> Any:
    """Capital recovery factor, 1/year: r (1+r)^n / ((1+r)^n - 1); 8 % and 20 years make 0.1019.

    `year` is the period after which interest is added.
    """
    growth = (1.0 + rate_per_year * year) ** (years / year)
    return rate_per_year * growth / (growth - 1.0)


def it_mw(mw: Any, pue: Any) -> Any:
    """Megawatts of IT load behind a connection, the rest of which goes into cooling and losses."""
    return mw / pue


def mwh_per_year(mw: Any, load_factor: Any, *, hours_per_year: Any = HOURS_PER_YEAR) -> Any:
    """Energy of a year at a peak and a load factor, MWh/year."""
    return mw * hours_per_year * load_factor


def energy_usd_per_mwh(usd_per_mwh: Any, pue: Any) -> Any:
    """Energy bought for a MWh of IT load, $/MWh."""
    return usd_per_mwh * pue


def capital_usd_per_mwh(usd: Any, crf_per_year: Any, mwh_a_year: Any) -> Any:
    """One-off capital spread over the energy of its life, $/MWh: never added to yearly costs as it is."""
    return usd * crf_per_year / mwh_a_year


def line_usd(circuits: Any, usd_per_mi: Any, route_factor: Any, priced_mi: Any) -> Any:
    """Price a new line, $: circuits x price of a mile x route factor x miles priced as short lines are."""
    return circuits * usd_per_mi * route_factor * priced_mi


def fiber_usd(straight_mi: Any, usd_per_mi: Any) -> Any:
    """Fiber that is built to a node, $; the price of a straight mile holds its detour."""
    return straight_mi * usd_per_mi


def area_usd(mw: Any, acres_per_mw: Any, usd_per_acre: Any) -> Any:
    """Price what costs by the acre, land or site works, for the acres that the megawatts take, $."""
    return mw * acres_per_mw * usd_per_acre


def shell_usd(mw_of_it: Any, usd_per_mw: Any, ai_factor: Any) -> Any:
    """Data-center shell, $."""
    return mw_of_it * usd_per_mw * ai_factor


def queue_years(queue_mw: Any, counties: Any, half_mw: Any, most_years: Any) -> Any:
    """Wait behind a queue, years: none where it is empty, half of the most at `half_mw` a county."""
    shared_mw = queue_mw / counties
    return most_years * shared_mw / (shared_mw + half_mw)


def power_years(
    equipment_years: Any,
    study_years: Any,
    doublings: Any,
    years_per_doubling: Any,
    route_mi: Any,
    years_per_mi: Any,
    behind_years: Any,
) -> Any:
    """Time to power, years: equipment, study, more for high voltages, new line, and the queue."""
    return (
        equipment_years
        + study_years
        + doublings * years_per_doubling
        + route_mi * years_per_mi
        + behind_years
    )


def waiting_usd(committed_usd: Any, rate_per_year: Any, years: Any, *, year: Any = 1.0) -> Any:
    """Interest on committed capital while it waits for power, $; added to it once a `year`."""
    return committed_usd * ((1.0 + rate_per_year * year) ** (years / year) - 1.0)


def server_usd_per_mwh(
    usd: Any, kw: Any, crf_per_year: Any, load_factor: Any, *, hours_per_year: Any = HOURS_PER_YEAR,
    kw_per_mw: Any = KW_PER_MW,
) -> Any:  # fmt: skip
    """Capital of servers by the IT energy that they draw, $/MWh."""
    return (
        usd
        * crf_per_year
        / mwh_per_year(kw / kw_per_mw, load_factor, hours_per_year=hours_per_year)
    )


def usd_per_gpu_hour(
    usd_per_mwh: Any, kw: Any, load_factor: Any, utilisation: Any, *, kw_per_mw: Any = KW_PER_MW
) -> Any:
    """Cost of an hour in which a GPU works, $/h, from the cost of a MWh of IT load."""
    return usd_per_mwh * (kw / kw_per_mw) * load_factor / utilisation


def usd_per_million_queries(
    usd_per_mwh: Any,
    wh_per_query: Any,
    *,
    wh_per_mwh: Any = WH_PER_MWH,
    queries_per_million: Any = QUERIES_PER_MILLION,
) -> Any:
    """Cost of a million queries, $, from the cost of a MWh of IT load and the energy of one query."""
    return usd_per_mwh * (wh_per_query / wh_per_mwh) * queries_per_million


def million_queries_per_year(
    mwh_a_year: Any,
    wh_per_query: Any,
    *,
    wh_per_mwh: Any = WH_PER_MWH,
    queries_per_million: Any = QUERIES_PER_MILLION,
) -> Any:
    """Count the queries that a year's IT energy answers, millions."""
    return mwh_a_year / (wh_per_query / wh_per_mwh) / queries_per_million


def revenue_usd_per_year(usd_per_million: Any, million_a_year: Any) -> Any:
    """Tell what a price for a million queries brings in a year, $/year."""
    return usd_per_million * million_a_year
