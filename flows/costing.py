"""The cost step: what every parcel costs for every workload, in dollars of one year."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from data import store
from data.stage import REFERENCE_DIR
from data.study import Study
from data.workload import Workload, study_workloads
from flows import keys
from flows.home import Home
from flows.results import Log, beside, is_there, write
from geo.cost.inference import inference_cost
from geo.cost.result import Cost
from geo.cost.rules import DOLLAR_YEAR, ENDS, CostRules
from geo.cost.site import NEEDED
from geo.cost.tables import cost_frame
from geo.cost.training import training_cost

COST_CODE = (
    *("geo/cost/*.py", "geo/tie_line.py", "flows/costing.py"),
    *("data/reference/cost.csv", "data/reference/price_index.csv", "data/reference/gpu.csv"),
    *("data/reference/pue.csv", "data/reference/tie_line.csv", "data/reference/latency.csv"),
)
TABLES = ("cost", "tie_line", "latency", "pue", "gpu")
# Where it is filled, prices and queues are of counties; else of states.
COUNTY_LAYER = "county_fact"
# Beside the table of the costs.
RULE_TABLE = "cost_rule"
READ = (*NEEDED, "rtt_unknown_reason")


def make_cost(study: Study, metrics: Path, parcels: Path, home: Home, log: Log) -> Path:
    """Price every parcel for every workload of a study, or reuse what was priced before.

    Returns
    -------
    Path
        One row a workload and parcel: `low`, `mid` and `high` in the unit of `objective`, `cost_mw`,
        `capital_musd_*`, `time_to_power_years_mid` and the names of what is `missing`. Beside it `cost_rule`,
        the parameters in dollars of the run.
    """
    workloads = study_workloads(study)
    basis = basis_of(study)
    choices = [
        (workload.id, workload.objective, workload.design_mw, workload.cost.model_dump())
        for workload in workloads.values()
    ]
    key = keys.key_of(metrics.name, parcels.name, basis, choices, keys.code_key(COST_CODE))
    target = home.work / f"cost-{key}.parquet"
    if is_there(target, "costs", log):
        return target
    write_costs(read_metrics(metrics), read_rules(basis), workloads.values(), target, log)
    return target


def write_costs(
    metric: pd.DataFrame,
    rules: CostRules,
    workloads: Iterable[Workload],
    target: Path,
    log: Log,
) -> None:
    """Price parcels for some workloads; write their costs to `target` and the parameters beside it."""
    frames = []
    for workload in workloads:
        frames.append(priced(metric, rules, workload))
        log(_told(frames[-1], rules))
    write(rules.frame(), beside(target, RULE_TABLE))
    # Last: the others are there whenever it is.
    write(pd.concat(frames, ignore_index=True), target)


def basis_of(study: Study) -> str:
    """Tell whether prices and queues of a study are those of a `county` or of a `state`."""
    layers = {layer for theme in study.themes.values() for layer in theme.layers}
    return "county" if COUNTY_LAYER in layers | {*study.derived} else "state"


def read_rules(
    basis: str = "state", *, dollar_year: int = DOLLAR_YEAR, gpu: str = "b200"
) -> CostRules:
    """Read the parameters of costs from the reference tables."""
    tables = {name: pd.read_csv(REFERENCE_DIR / f"{name}.csv") for name in TABLES}
    index = pd.read_csv(REFERENCE_DIR / "price_index.csv")
    return CostRules.from_frames(cost_frame(tables, basis=basis, gpu=gpu), index, dollar_year)


def published_rules(con: duckdb.DuckDBPyConnection) -> CostRules:
    """Read the parameters that a build was priced with; it cannot be brought to another year."""
    frame = store.query_file(con, "query/cost_rules").df()
    return CostRules.from_frames(frame, None, int(frame["dollar_year"].dropna().iloc[0]))


def read_metrics(metrics: Path) -> pd.DataFrame:
    """Read the metrics that costs are made of, by parcel."""
    held = set(pq.read_schema(metrics).names)
    columns = ["parcel_id", *(name for name in READ if name in held)]
    return pd.read_parquet(metrics, columns=columns).set_index("parcel_id")


def price(
    metric: pd.DataFrame,
    rules: CostRules,
    workload: Workload,
    *,
    mw: float | np.ndarray | None = None,
    usd_per_mwh: float | None = None,
) -> Cost:
    """Price parcels for a workload: as its profile says, or at another size or price of energy."""
    choice = workload.cost
    asked: dict[str, Any] = {
        "mw": workload.design_mw if mw is None else mw,
        "usd_per_mwh": choice.usd_per_mwh if usd_per_mwh is None else usd_per_mwh,
        "load_factor": choice.load_factor,
    }
    if workload.objective == "training":
        return training_cost(metric, rules, **asked)
    return inference_cost(
        metric,
        rules,
        **asked,
        watt_hours_per_query=choice.watt_hours_per_query,
        latency_budget_ms=int(workload.latency_budget_ms or 0),
        premium_usd_per_million_queries=choice.premium_usd_per_million_queries,
    )


def priced(metric: pd.DataFrame, rules: CostRules, workload: Workload) -> pd.DataFrame:
    """Rows of the table of costs, of the parcels of a frame by parcel id."""
    cost = price(metric, rules, workload)
    frame = pd.DataFrame(
        {
            "workload": workload.id,
            "parcel_id": cost.index,
            "objective": cost.objective,
            **dict(zip(ENDS, cost.total.T, strict=True)),
            "cost_mw": cost.cost_mw,
        }
    )
    for number, end in enumerate(ENDS):
        frame[f"capital_musd_{end}"] = cost.capital_musd[:, number]
    frame["time_to_power_years_mid"] = cost.extras["time_to_power_years"][:, 1]
    # Seven digits are more than any cost has; terms in full are worked out by mart.delivered_cost.
    numbers = frame.select_dtypes("float64").columns
    frame = frame.astype(dict.fromkeys(numbers, "float32"))
    return frame.assign(missing=cost.missing)


def _told(frame: pd.DataFrame, rules: CostRules) -> str:
    known = frame["mid"].dropna()
    unit = "$/MWh of IT load" if "mwh" in frame["objective"].iloc[0] else "$ a million queries"
    middle = f", median {known.median():,.1f} {unit}" if len(known) else ""
    return (
        f"{frame['workload'].iloc[0]}: {len(known):,} of {len(frame):,} parcels priced"
        f"{middle} ({rules.dollar_year} dollars)"
    )
