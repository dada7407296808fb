"""The confidence step: how sure the rank of every parcel is for every workload, and that of every region."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from data.study import Study
from data.uncertainty import Uncertainty, uncertainty_of
from data.workload import Workload, kept_weight, study_workloads
from flows import keys
from flows.confidence_cost import cost_inputs
from flows.costing import COST_CODE, basis_of, price, read_metrics, read_rules
from flows.home import Home
from flows.results import Log, is_there, write
from geo.decide.confidence import Confidence, Quantity, ScoreInputs, confidence
from geo.decide.draws import Draws, codes_of
from geo.decide.region_confidence import Plans, kinds_confidence

CONFIDENCE_CODE = (
    *("geo/decide/*.py", "data/uncertainty.py", "data/reference/uncertainty.csv"),
    *("flows/confidence.py", "flows/confidence_cost.py", *COST_CODE),
)
# What ranks: the score, or the cost; the latter in fewer draws, since nearly every term of each parcel is drawn.
SCORE, COST = "score", "cost"
COST_DRAWS = 200
# Columns that say who shares an error; those without a substation or node have one of their own.
SHARED_BY = {
    "substation": "headroom_substation_id",
    "second_substation": "second_feed_substation_id",
    "node": "lit_node_id",
    "county": "county_id",
    "state": "state_id",
}
WHERE = ("county_id", "state_id")
PLACES = ("rank_p05", "rank_p50", "rank_p95")
SHARES = ("p_top10", "p_top100", "p_ranked", "swing_share")
REGION = ["region_kind", "region_id"]
REGION_COLUMNS = (
    *("workload", "basis", *REGION, *SHARES[:3], *PLACES),
    *("swing_metric", "swing_by", "swing_share"),
)


def make_confidence(
    study: Study, metrics: Path, parcels: Path, home: Home, log: Log, *, draws: Draws | None = None
) -> Path:
    """Rank every parcel in every draw for every workload of a study, or reuse what was drawn before.

    Returns
    -------
    Path
        One row a workload, basis and parcel that ranks in any draw: `p_top10`, `p_top100`, `p_ranked`, `rank_p05`,
        `rank_p50`, `rank_p95`, `swing_metric`, `swing_by`, `swing_share` (`geo.decide.confidence.Confidence`).
    """
    draws = draws or Draws(study.draws)
    workloads = study_workloads(study)
    used = {name: _in_use(study, workload) for name, workload in workloads.items()}
    priced = {
        name: (workload.objective, workload.design_mw, workload.cost.model_dump())
        for name, workload in workloads.items()
    }
    basis = basis_of(study)
    key = keys.key_of(
        *(metrics.name, parcels.name, used, priced, basis, vars(draws)),
        keys.code_key(CONFIDENCE_CODE),
    )
    target = home.work / f"confidence-{key}.parquet"
    if is_there(target, "confidence", log):
        return target
    frame = read_inputs(metrics, parcels, _metrics_of(used.values()))
    found = []
    groups = groups_of(frame)
    metric, rules = read_metrics(metrics).loc[frame["parcel_id"]], read_rules(basis)
    few = replace(draws, count=min(draws.count, COST_DRAWS), weight_cv=0.0)
    for name, terms in used.items():
        inputs = score_inputs(frame, terms, groups)
        found.append(_published(frame, name, SCORE, confidence(inputs, draws)))
        log(_told(name, found[-1], draws))
        gates = tuple(replace(q, weight=0.0) for q in inputs.quantities if q.is_gate)
        cost = price(metric, rules, workloads[name])
        inputs = cost_inputs(cost, gates, groups, metric["tie_line_kv"])
        found.append(_published(frame, name, COST, confidence(inputs, few)))
    write(pd.concat(found, ignore_index=True), target)
    return target


def confide_regions(
    study: Study,
    metrics: Path,
    parcels: Path,
    plan: pd.DataFrame,
    *,
    draws: Draws | None = None,
) -> pd.DataFrame:
    """Rank regions in every draw, with the plans that were published.

    Parameters
    ----------
    study, metrics, parcels
        As for `make_confidence`.
    plan
        Rows of mart.region_fill: `workload`, `region_kind`, `region_id`, `parcel_id`, `used_mw`.
    draws
        How often is drawn, and from which seed; by default as often as the study says.

    Returns
    -------
    DataFrame
        Rows of mart.region_confidence, of the regions that have a plan.
    """
    draws = draws or Draws(study.draws)
    used = {name: _in_use(study, workload) for name, workload in study_workloads(study).items()}
    frame = read_inputs(metrics, parcels, _metrics_of(used.values()))
    frame = frame[frame["parcel_id"].isin(plan["parcel_id"])].reset_index(drop=True)
    found = [pd.DataFrame(columns=list(REGION_COLUMNS))]
    groups = groups_of(frame)
    for workload, mine in plan.groupby("workload", sort=True):
        terms = used[str(workload)]
        inputs = score_inputs(frame, terms, groups)
        plans_by_kind = {
            kind: plans_of(rows, terms) for kind, rows in mine.groupby("region_kind", sort=True)
        }
        every = kinds_confidence(inputs, [*plans_by_kind.values()], draws)
        for (kind, plans), told in zip(plans_by_kind.items(), every, strict=True):
            regions = _frame_of(told, {"region_id": plans.region_id})
            regions = regions.assign(workload=workload, basis=SCORE, region_kind=kind)
            found.append(regions[list(REGION_COLUMNS)])
    return pd.concat(found[1:] or found, ignore_index=True)


def plans_of(rows: pd.DataFrame, terms: Mapping[str, Any]) -> Plans:
    """Plans of the regions of one kind for one workload."""
    rows = rows.sort_values(["region_id", "parcel_id"], kind="stable")
    number, region_id = pd.factorize(rows["region_id"])
    return Plans(
        number,
        np.asarray(region_id, dtype=object),
        rows["parcel_id"].to_numpy(dtype=object),
        rows["used_mw"].to_numpy(float),
        float(terms["target_mw"]),
        str(terms["capacity_metric"]),
    )


def read_inputs(metrics: Path, parcels: Path, names: Iterable[str]) -> pd.DataFrame:
    """Read metrics with their ends, and who shares their errors, one row a parcel in the order of the ids."""
    columns = {"parcel_id"}
    for name in names:
        known = uncertainty_of(name)
        columns |= {name, *(end for end in (known.low, known.high) if end is not None)}
        columns |= {SHARED_BY[known.shared_by]} if known.shared_by in SHARED_BY else set()
    held = pq.read_schema(metrics).names
    frame = pd.read_parquet(metrics, columns=[name for name in held if name in columns - {*WHERE}])
    where = pd.read_parquet(parcels, columns=["parcel_id", *WHERE])
    frame = frame.merge(where, how="left", on="parcel_id", validate="one_to_one")
    return frame.sort_values("parcel_id", ignore_index=True)


def groups_of(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """Codes of those who share errors, of each way to share; a row without one has its own."""
    own = codes_of(frame["parcel_id"].to_numpy())
    groups = {"parcel": own, "all": np.zeros(len(frame), dtype=np.uint64)}
    for shared_by, column in SHARED_BY.items():
        if column in frame:
            names = frame[column]
            groups[shared_by] = np.where(names.isna(), own, codes_of(names.fillna("").to_numpy()))
    return groups


def score_inputs(
    frame: pd.DataFrame, terms: Mapping[str, Any], groups: Mapping[str, np.ndarray]
) -> ScoreInputs:
    """Give what a workload ranks parcels by, with the weights and gates that the study keeps."""
    gates = terms["gates"]
    factors = terms["factors"]
    quantities = []
    for name in dict.fromkeys([*factors, *gates]):
        known = uncertainty_of(name)
        bounds = gates.get(name, {})
        weight, value = factors.get(name, (0.0, ((0.0, 0.0), (1.0, 0.0))))
        quantities.append(
            Quantity(
                name,
                *_interval(frame, known),
                groups[known.shared_by],
                weight,
                value,
                **bounds,
            )
        )
    return ScoreInputs(frame["parcel_id"].to_numpy(dtype=object), tuple(quantities))


def _in_use(study: Study, workload: Workload) -> dict[str, Any]:
    """Factors and gates that a study keeps of a profile, with weights that sum to 1."""
    entry = next(entry for entry in study.workloads if entry.id == workload.id)
    lacks = {item.metric for item in entry.without}
    kept = kept_weight(entry, workload)
    gates: dict[str, dict[str, float]] = {}
    for gate in workload.gates:
        if gate.metric not in lacks:
            bounds = gate.model_dump(include={"at_least", "at_most"}, exclude_none=True)
            held = gates.setdefault(gate.metric, {})
            for bound, tighter in (("at_least", max), ("at_most", min)):
                if bound in bounds:
                    held[bound] = tighter(bounds[bound], held.get(bound, bounds[bound]))
    return {
        "target_mw": workload.target_mw,
        "capacity_metric": workload.capacity_metric,
        "factors": {
            factor.metric: (factor.weight / kept, factor.value)
            for factor in workload.factors
            if factor.metric not in lacks
        },
        "gates": gates,
    }


def _metrics_of(used: Iterable[Mapping[str, Any]]) -> list[str]:
    return sorted({name for terms in used for name in (*terms["factors"], *terms["gates"])})


def _interval(frame: pd.DataFrame, known: Uncertainty) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Low, mid and high of a metric, in their order; an end that is unknown is the mid."""
    mid = _floats(frame, known.metric)
    low = mid * known.low_factor if known.low is None else _floats(frame, known.low)
    high = mid * known.high_factor if known.high is None else _floats(frame, known.high)
    return (
        np.where(np.isnan(low), mid, np.minimum(low, mid)),
        mid,
        np.where(np.isnan(high), mid, np.maximum(high, mid)),
    )


def _floats(frame: pd.DataFrame, name: str) -> np.ndarray:
    return frame[name].astype("Float64").to_numpy(np.float64, na_value=np.nan)


def _published(frame: pd.DataFrame, workload: str, basis: str, told: Confidence) -> pd.DataFrame:
    """Rows of parcels that rank in any draw."""
    rows = _frame_of(told, {"parcel_id": frame["parcel_id"].to_numpy()})
    rows = rows[rows["p_ranked"] > 0.0]
    rows.insert(0, "workload", workload)
    rows.insert(1, "basis", basis)
    return rows


def _frame_of(told: Confidence, ids: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Columns as they are published; 7 digits are enough for shares."""
    frame = pd.DataFrame({**ids, **vars(told)})
    for name in PLACES:
        frame[name] = frame[name].astype("Int32")
    for name in SHARES:
        frame[name] = frame[name].astype("float32")
    return frame


def _told(workload: str, rows: pd.DataFrame, draws: Draws) -> str:
    sure = int((rows["p_top10"] >= 0.5).sum())
    return (
        f"confidence for {workload}: {len(rows):,} parcels in {draws.count:,} draws, {sure} are among the "
        f"first 10 in half of them or more"
    )
