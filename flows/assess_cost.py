"""What sites that somebody owns cost for each workload, beside what parcels cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import duckdb
import numpy as np
import pandas as pd

from data import store
from data.errors import LackingError
from flows.costing import published_rules
from geo.cost.inference import inference_cost
from geo.cost.result import Cost
from geo.cost.rules import ENDS, CostRules
from geo.cost.training import training_cost

MID = ENDS.index("mid")
UNITS = {
    "delivered_usd_per_mwh": "$/MWh",
    "usd_per_million_queries": "$ a million queries",
}
# What a profile may put in the place of the rules' own.
OF_INFERENCE = ("watt_hours_per_query", "premium_usd_per_million_queries")


@dataclass(frozen=True, eq=False)
class SiteCosts:
    """Costs of a build: its parameters, and what its candidates cost.

    Attributes
    ----------
    rules
        Parameters.
    of_parcels
        Middle costs of the parcels that fail no gate, ascending, by workload.
    """

    rules: CostRules
    of_parcels: dict[str, np.ndarray]

    @classmethod
    def of(cls, con: duckdb.DuckDBPyConnection) -> Self | None:
        """Read them; None where a build was made without costs."""
        try:
            told = store.query_file(con, "query/assess_costs").df()
            rules = published_rules(con)
        except LackingError:
            return None
        mids = zip(told["workload"], told["mids"], strict=True)
        return cls(rules, {str(name): np.asarray(mid, dtype=float) for name, mid in mids})

    def site_cost(
        self, metric: pd.DataFrame, site: pd.DataFrame, workload: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """Price sites for a workload, at the megawatts that are wanted or else those of its profile.

        A site that is energised has its tie line and no time to power. A price that an owner states is taken
        as it is: it is not brought from the year of the public one to that of the rules.

        Parameters
        ----------
        metric
            Metrics of the sites with what owners state, shape (n,).
        site
            Columns `energized_mw`, `wanted_mw`, `usd_per_mwh` (NaN not stated).
        workload
            Row of meta.workload.

        Returns
        -------
        list
            A dict a site: `cost_low`, `cost_mid`, `cost_high`, `cost_unit`, `cost_mw`, `cost_percentile`
            (percent of the candidates that cost more), `cost_capital_musd_*`, `cost_years_*` (to power),
            `cost_missing`, `cost_text`; None is unknown.
        """
        wanted = site["wanted_mw"].to_numpy(float)
        mw = np.where(np.isnan(wanted), workload["design_mw"], wanted)
        held = metric.assign(is_energized=(site["energized_mw"] > 0.0).to_numpy())
        own = _price(held, self.rules, workload, mw, workload["usd_per_mwh"])
        # A cost is a straight line over the price of energy, so one price tells those of all.
        one = _price(held, self.rules, workload, mw, 1.0)
        stated = site["usd_per_mwh"].to_numpy(float)
        is_stated = ~np.isnan(stated)
        at_stated = one.total + (stated[:, None] - 1.0) * one.terms["energy"]
        total = np.where(is_stated[:, None], at_stated, own.total)
        missing = np.where(is_stated, one.missing, own.missing)
        dearer = self.of_parcels.get(str(workload["workload"]), np.empty(0))
        return [_told(own, total[no], missing[no], dearer, no) for no in range(len(metric))]


def _price(
    metric: pd.DataFrame,
    rules: CostRules,
    workload: Mapping[str, Any],
    mw: np.ndarray,
    usd_per_mwh: float | None,
) -> Cost:
    asked: dict[str, Any] = {
        "mw": mw,
        "usd_per_mwh": usd_per_mwh,
        "load_factor": workload["load_factor"],
    }
    if workload["objective"] == "training":
        return training_cost(metric, rules, **asked)
    return inference_cost(
        metric,
        rules,
        **asked,
        **{name: workload[name] for name in OF_INFERENCE},
        latency_budget_ms=int(workload["latency_budget_ms"]),
    )


def _told(
    cost: Cost, total: np.ndarray, missing: tuple[str, ...], dearer: np.ndarray, number: int
) -> dict[str, Any]:
    mid = total[MID]
    percentile = np.nan
    if len(dearer) and not np.isnan(mid):
        percentile = (
            100.0 * (len(dearer) - np.searchsorted(dearer, mid, side="right")) / len(dearer)
        )
    unit = UNITS[cost.objective]
    years = cost.extras["time_to_power_years"][number]
    return {
        **_ends("cost", total),
        "cost_unit": unit,
        "cost_mw": _known(cost.cost_mw[number]),
        "cost_percentile": _known(percentile),
        **_ends("cost_capital_musd", cost.capital_musd[number]),
        **_ends("cost_years", years),
        "cost_missing": ", ".join(missing) or None,
        "cost_text": _text(total, unit, percentile, years),
    }


def _text(total: np.ndarray, unit: str, percentile: float, years: np.ndarray) -> str | None:
    if np.isnan(total[MID]):
        return None
    low, mid, high = (f"{value:,.3g}" if value < 100 else f"{value:,.0f}" for value in total)
    told = f"{mid} ({low} to {high}) {unit}"
    if not np.isnan(percentile):
        told += f", cheaper than {np.floor(percentile):.0f} % of candidates"
    if years[MID] == 0.0:
        return f"{told}; has power"
    return told if np.isnan(years[MID]) else f"{told}; power in {years[MID]:.1f} years"


def _ends(name: str, values: np.ndarray) -> dict[str, float | None]:
    return {f"{name}_{end}": _known(value) for end, value in zip(ENDS, values, strict=True)}


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
