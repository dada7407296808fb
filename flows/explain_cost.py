"""What a parcel costs by terms, and what each factor's metric has to do with it, from a published build."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from flows.cost_words import UNITS
from flows.reporting import rows_of
from geo.decide.factor import Factor
from geo.tie_line import ROUTE_FACTOR, USEFUL_MW

COST_TABLE = "mart.parcel_cost"
# What each term hangs on, in words.
TERM_WORDS = {
    "energy": "price of power x PUE of the climate",
    "tie_line": "miles and kV to the feeding substation",
    "substation": "kV of the feeding substation",
    "fiber_lit": "miles to a lit fiber node",
    "fiber_diverse": "miles to a diverse fiber node",
    "land": "acres for the MW x land value",
    "site_works": "slope",
    "delay": "years until power on committed capital",
    "shell": "the building, by MW",
    "servers": "GPUs, by MW: the same everywhere",
}
ENDS = ("low", "mid", "high")
MID = 1
# Of what the objective does not tell.
UNKNOWN_ENDS = np.full((1, 3), np.nan)


@dataclass(frozen=True, eq=False)
class ParcelCosts:
    """Costs of one parcel for one workload, as it is and as it would be.

    Attributes
    ----------
    choice
        What the profile asks of the cost model, with the parcel's rank by cost.
    metrics
        Row of core.parcel_metric.
    rules
        Parameters of the build (geo.cost.rules.CostRules).
    """

    choice: dict[str, Any]
    metrics: dict[str, Any]
    rules: Any

    @property
    def objective(self) -> str:
        """What the cost is in."""
        return str(self.choice["objective"])

    def at(self, cases: Sequence[Mapping[str, float]]) -> Any:
        """Price the parcel with some of its metrics moved, a case each (geo.cost.result.Cost)."""
        from geo.cost.inference import inference_cost
        from geo.cost.site import NEEDED
        from geo.cost.training import training_cost

        rows = [_moved(self.metrics, case) for case in cases]
        names = [*NEEDED, "rtt_unknown_reason"]
        frame = pd.DataFrame([{name: row.get(name) for name in names} for row in rows])
        numbers = {name: frame[name].astype(float) for name in NEEDED}
        asked = {name: self.choice[name] for name in ("usd_per_mwh", "load_factor")}
        asked["mw"] = self.choice["design_mw"]
        if self.objective == "delivered_usd_per_mwh":
            return training_cost(frame.assign(**numbers), self.rules, **asked)
        more = ("watt_hours_per_query", "premium_usd_per_million_queries")
        return inference_cost(
            frame.assign(**numbers),
            self.rules,
            **asked,
            **{name: self.choice[name] for name in more},
            latency_budget_ms=int(self.choice["latency_budget_ms"]),
        )

    def mids(self, cases: Sequence[Mapping[str, float]]) -> list[float | None]:
        """Middle cost of each case; None unknown."""
        return [_known(x) for x in self.at(cases).total[:, MID]] if cases else []

    def told(self) -> dict[str, Any]:
        """Tell the cost with its terms."""
        cost = self.at([{}])
        known = {name: _ends(cost.terms[name][0]) for name in cost.terms}
        return {
            "objective": self.objective,
            "unit": UNITS[self.objective],
            "cost_mw": _known(cost.cost_mw[0]),
            "dollar_year": self.rules.dollar_year,
            **_ends(cost.total[0]),
            "cost_rank": self.choice["cost_rank"],
            "cost_ranked_count": self.choice["cost_ranked_count"],
            "terms": [
                {"term": name, **ends, "of": TERM_WORDS.get(name, "")}
                for name, ends in known.items()
                if ends["mid"] is not None
            ],
            "missing": list(cost.missing[0]),
            "capital_musd": _ends(cost.capital_musd[0]),
            "time_to_power_years": _ends(cost.extras["time_to_power_years"][0]),
            "usd_per_gpu_h": _ends(cost.extras.get("usd_per_gpu_h", UNKNOWN_ENDS)[0]),
        }

    def over_best(self, factors: list[Factor], values: Mapping[str, float]) -> list[float | None]:
        """Tell by how much each factor's metric, where it is, costs more than at its best score.

        None where the metric is in no term, or a cost is unknown. What enters the cost through another metric
        is moved along: megawatts with headroom, route miles with the distance to the feeding substation.
        """
        cases: list[dict[str, float]] = [{}]
        for factor in factors:
            start = factor.start(values.get(factor.metric, math.nan))
            best = factor.nearest(start, factor.most())
            is_in = _enters(factor.metric) and best is not None
            cases.append({factor.metric: best} if is_in and best is not None else {})
        now, *best_mids = self.mids(cases)
        return [
            None if now is None or mid is None or not case else now - mid
            for mid, case in zip(best_mids, cases[1:], strict=True)
        ]

    def price_changes(self, told: dict[str, Any]) -> None:
        """Add `cost_by`, what each change does to the cost, to the changes of a verdict.

        A change that comes after those of the gates is priced together with them, against them alone.
        """
        gates = {row["metric"]: row["to"] for row in told.get("gates", ())}
        groups = [
            (gates, row) for name in ("alone", "losing", "pair") for row in told.get(name) or ()
        ]
        groups += [({}, row) for row in told.get("gates", ())]
        cases = [case for base, row in groups for case in (base, base | {row["metric"]: row["to"]})]
        mids = self.mids(cases)
        for (_, row), before, after in zip(groups, mids[::2], mids[1::2], strict=True):
            is_told = _enters(row["metric"]) and before is not None and after is not None
            row["cost_by"] = after - before if is_told else None


def parcel_costs(
    con: duckdb.DuckDBPyConnection, tables: set[str], metrics: dict[str, Any]
) -> dict[str, ParcelCosts]:
    """Read the costs of a parcel by workload; none where the build is older than costs."""
    if COST_TABLE not in tables:
        return {}
    # Imports that only builds with costs pay for.
    from flows.costing import published_rules

    rules = published_rules(con)
    rows = rows_of(con, "query/explain_cost", {"parcel_id": metrics["parcel_id"]})
    return {row["workload"]: ParcelCosts(row, metrics, rules) for row in rows}


def costs_beside(
    con: duckdb.DuckDBPyConnection, tables: set[str], parcel_ids: list[str]
) -> dict[tuple[str, str], float]:
    """Read the published cost of other parcels, by workload and parcel."""
    if COST_TABLE not in tables or not parcel_ids:
        return {}
    rows = rows_of(con, "query/explain_cost_beside", {"parcel_ids": parcel_ids})
    return {(row["workload"], row["parcel_id"]): row["mid"] for row in rows}


def _enters(metric: str) -> bool:
    from geo.cost.site import NEEDED

    return metric in {*NEEDED, "headroom_mw_mid", "headroom_substation_mi"}


def _moved(metrics: dict[str, Any], case: Mapping[str, float]) -> dict[str, Any]:
    """Metrics with some moved, and what follows from them."""
    row = metrics | dict(case)
    if "headroom_mw_mid" in case:
        row["deliverable_mw"] = min(case["headroom_mw_mid"], USEFUL_MW)
    if "headroom_substation_mi" in case:
        row["tie_line_mi"] = case["headroom_substation_mi"] * ROUTE_FACTOR
    return row


def _ends(values: np.ndarray) -> dict[str, float | None]:
    return {end: _known(x) for end, x in zip(ENDS, values, strict=True)}


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
