"""Delivered cost of training: dollars for a MWh of IT load."""

import numpy as np
import pandas as pd

from geo.cost import terms
from geo.cost.result import USD_PER_MUSD, Cost, recovery
from geo.cost.rules import CostRules, Triple, chosen
from geo.cost.site import price_site


def training_cost(
    metric: pd.DataFrame,
    rules: CostRules,
    *,
    mw: float | np.ndarray,
    usd_per_mwh: float | None = None,
    load_factor: float | None = None,
) -> Cost:
    """Price a MWh of IT load: energy x PUE, capital of the site over its life, and the wait for power.

    Parameters
    ----------
    metric
        Columns of core.parcel_metric (`site.NEEDED`), n rows.
    rules
        Parameters.
    mw
        Megawatts at the grid connection, one number or shape (n,).
    usd_per_mwh
        Price of energy in dollars of the rules' year, in the place of each parcel's own.
    load_factor
        Mean over peak draw of a year, in the place of the rules'.

    Returns
    -------
    Cost
        Terms energy, tie_line, substation, fiber_lit, fiber_diverse, land, site_works and delay, $/MWh; extras
        `usd_per_gpu_h` (with shell and servers), `time_to_power_years`, `shell_musd`.

    Raises
    ------
    GeoError
        A metric is missing, or megawatts or a price are not above 0.
    """
    factor = chosen(load_factor, rules.training_load_factor)
    site = price_site(metric, rules, factor, mw=mw, usd_per_mwh=usd_per_mwh)
    crf = recovery(rules.discount_rate_per_year, rules.life_years)

    def spread(usd: np.ndarray) -> np.ndarray:
        return terms.capital_usd_per_mwh(usd, crf, site.mwh_per_year)

    found = {
        "energy": site.energy_usd_per_mwh,
        **{name: spread(usd) for name, usd in site.capital_usd.items()},
        "delay": spread(site.waiting_usd),
    }
    cost = Cost.of("delivered_usd_per_mwh", metric, site.cost_mw, found, site.capital_usd, {})
    cost.extras.update(
        usd_per_gpu_h=_gpu_hour(cost.total + spread(site.shell_usd), rules, factor),
        time_to_power_years=site.time_to_power_years,
        shell_musd=site.shell_usd / USD_PER_MUSD,
    )
    return cost


def server_usd_per_mwh(rules: CostRules, load_factor: Triple) -> np.ndarray:
    """Capital of servers by the IT energy that they draw, low, mid and high, $/MWh."""
    return terms.server_usd_per_mwh(
        np.array(rules.gpu_usd),
        rules.gpu_kw,
        recovery(rules.discount_rate_per_year, rules.gpu_life_years),
        np.array(load_factor[::-1]),
    )


def _gpu_hour(usd_per_mwh: np.ndarray, rules: CostRules, load_factor: Triple) -> np.ndarray:
    """Dollars for an hour in which a GPU works: site, shell and the GPU itself."""
    factor = np.array(load_factor[::-1])
    whole = usd_per_mwh + server_usd_per_mwh(rules, load_factor)
    return terms.usd_per_gpu_hour(
        whole, rules.gpu_kw, factor, np.array(rules.gpu_utilisation[::-1])
    )
