"""Cost of inference: dollars for a million queries."""

import numpy as np
import pandas as pd

from geo.cost import terms
from geo.cost.result import USD_PER_MUSD, Cost, recovery
from geo.cost.rules import ENDS, CostRules, chosen
from geo.cost.site import price_site
from geo.cost.training import server_usd_per_mwh

# Round trips that people are counted within, and the one that is told where none is asked for.
BUDGETS_MS = (5, 10, 20)
BUDGET_MS = 10


def inference_cost(
    metric: pd.DataFrame,
    rules: CostRules,
    *,
    mw: float | np.ndarray,
    usd_per_mwh: float | None = None,
    load_factor: float | None = None,
    watt_hours_per_query: float | None = None,
    latency_budget_ms: int = BUDGET_MS,
    premium_usd_per_million_queries: float | None = None,
) -> Cost:
    """Price a million queries: energy, site, shell and servers, by the energy of one query.

    Parameters
    ----------
    metric
        Columns of core.parcel_metric (`site.NEEDED`), n rows; `people_10ms_low` and so on where it has them.
    rules
        Parameters.
    mw
        Megawatts at the grid connection, one number or shape (n,).
    usd_per_mwh
        Price of energy in dollars of the rules' year, in the place of each parcel's own.
    load_factor, watt_hours_per_query
        In the place of the rules' own.
    latency_budget_ms
        Round trip of the people who are told beside the cost: 5, 10 or 20.
    premium_usd_per_million_queries
        What users pay more for a million answers within the budget; None leaves the premium unknown.

    Returns
    -------
    Cost
        Terms energy, tie_line, substation, fiber_lit, fiber_diverse, land, site_works, shell and servers, $ a
        million queries; extras `people_{budget}ms`, `premium_usd_per_year` (at the capacity of the site),
        `million_queries_per_year`, `time_to_power_years`, `shell_musd`. The wait for power is told, not
        priced.

    Raises
    ------
    GeoError
        A metric is missing, or megawatts or a price are not above 0.
    """
    factor = chosen(load_factor, rules.inference_load_factor)
    site = price_site(metric, rules, factor, mw=mw, usd_per_mwh=usd_per_mwh)
    crf = recovery(rules.discount_rate_per_year, rules.life_years)
    watt_hours = np.array(chosen(watt_hours_per_query, rules.wh_per_query))

    def of_queries(usd_per_mwh: np.ndarray) -> np.ndarray:
        return terms.usd_per_million_queries(usd_per_mwh, watt_hours)

    def spread(usd: np.ndarray) -> np.ndarray:
        return of_queries(terms.capital_usd_per_mwh(usd, crf, site.mwh_per_year))

    has_mw = ~np.isnan(site.cost_mw)[:, None]
    servers = np.where(has_mw, of_queries(server_usd_per_mwh(rules, factor)), np.nan)
    found = {
        "energy": of_queries(site.energy_usd_per_mwh),
        **{name: spread(usd) for name, usd in site.capital_usd.items()},
        "shell": spread(site.shell_usd),
        "servers": servers,
    }
    # Low to high of what a site can answer, which is the other way round than its cost.
    queries = terms.million_queries_per_year(site.mwh_per_year, watt_hours)[:, ::-1]
    premium = premium_usd_per_million_queries
    paid = np.nan if premium is None else premium
    extras = {
        f"people_{latency_budget_ms}ms": _people(metric, latency_budget_ms),
        "premium_usd_per_year": terms.revenue_usd_per_year(paid, queries),
        "million_queries_per_year": queries,
        "time_to_power_years": site.time_to_power_years,
        "shell_musd": site.shell_usd / USD_PER_MUSD,
    }
    return Cost.of("usd_per_million_queries", metric, site.cost_mw, found, site.capital_usd, extras)


def _people(metric: pd.DataFrame, budget_ms: int) -> np.ndarray:
    """People within the budget, low, mid and high; NaN where nobody counted."""
    names = [f"people_{budget_ms}ms_{end}" for end in ENDS]
    return metric.reindex(columns=names).astype("Float64").to_numpy(float, na_value=np.nan)
