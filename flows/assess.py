"""The answer to what sites that somebody owns are good for, from a published build."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from data import store
from data.errors import BuildError, InputError
from data.site_list import SiteRows
from data.stage import REFERENCE_DIR
from flows.assess_cost import SiteCosts
from flows.reporting import rows_of
from flows.site_measure import MeasuredSites, measure_sites
from geo.decide.assess import (
    Judged,
    Need,
    SiteProfile,
    best_use,
    fix_first,
    judge,
    mine_needs,
    needs,
    weakest,
    with_owner,
)

MINE = "mine"
# It says how well an energised site converts at all, and not to what.
NO_USE = frozenset({"mining_conversion"})
# Metrics that are told as they are, or that needs are worked out from.
TOLD = (
    *(f"{name}_mw_{end}" for name in ("headroom", "grid") for end in ("low", "mid", "high")),
    *("acres", "industrial_usd_per_mwh", "carrier_25mi_count"),
)


@dataclass(frozen=True, eq=False)
class Assessed:
    """Sites as they were judged.

    Attributes
    ----------
    listed
        What was read, and what of it could not be.
    measured, metric
        What is measured at the sites, and the same with what their owners state in its place.
    profiles
        The workloads of the build, by id.
    judged
        How the sites do, by workload.
    words
        Metric -> its name in words and its unit.
    costs
        What the sites cost, by workload, a dict a site; empty where a build was made without costs.
    run
        Row of the run.
    """

    listed: SiteRows
    measured: MeasuredSites
    metric: pd.DataFrame
    profiles: dict[str, SiteProfile]
    judged: dict[str, Judged]
    words: dict[str, tuple[str, str]]
    costs: dict[str, list[dict[str, Any]]]
    run: dict[str, Any]

    @cached_property
    def sites(self) -> list[dict[str, Any]]:
        """What is told of each site, with its uses."""
        cooling = _cooling()
        site = self.listed.good.to_dict("records")
        metric = self.metric[[*TOLD]].astype(float).to_dict("records")
        where = self.measured.where.to_dict("records")
        told = zip(site, metric, where, strict=True)
        return [_site(self, number, *row, cooling) for number, row in enumerate(told)]


def assess_list(build: Path, listed: SiteRows) -> Assessed:
    """Measure and judge the sites of a list by a build.

    Raises
    ------
    InputError
        No site lies in the study.
    """
    lon, lat = (listed.good[name].to_numpy(float) for name in ("lon", "lat"))
    with store.open_build(build) as con:
        run = rows_of(con, "query/run")[0]
        workloads = _workloads(con, run)
        profiles = _profiles(con, workloads)
        costs = SiteCosts.of(con)
        words = {
            name: (label, unit or "")
            for name, label, unit in store.query_file(con, "query/assess_words").fetchall()
        }
        measured = measure_sites(con, lon, lat)
    if measured.where["state_id"].isna().all():
        msg = f"No site lies in study {run['study']}."
        raise InputError(
            msg, "Give latitude and longitude in degrees; longitudes here are below 0."
        )
    metric = with_owner(measured.metric, listed.good)
    judged = {name: judge(metric, profile) for name, profile in profiles.items()}
    priced = {}
    if costs is not None:
        priced = {row["workload"]: costs.site_cost(metric, listed.good, row) for row in workloads}
    return Assessed(listed, measured, metric, profiles, judged, words, priced, run)


def _workloads(con: duckdb.DuckDBPyConnection, run: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of the workloads: those of training come first, the conversion of mines last."""
    told = rows_of(con, "query/assess_workloads")
    if told and "objective" not in told[0]:
        msg = f"Run {run['run_id']} does not say what its workloads are priced by."
        raise BuildError(msg, "It was made by an older version: run `gridstead run`.")
    return sorted(told, key=lambda row: (row["workload"] in NO_USE, row["objective"] != "training"))


def _profiles(
    con: duckdb.DuckDBPyConnection, workloads: list[dict[str, Any]]
) -> dict[str, SiteProfile]:
    rows = store.query_file(con, "query/assess_profiles").df()
    scores = {
        (row["workload"], row["gate_status"]): np.asarray(row["scores"], dtype=float)
        for row in store.query_file(con, "query/assess_candidates").df().to_dict("records")
    }
    found = {}
    for workload in workloads:
        name = workload["workload"]
        own = rows[rows["workload"] == name]
        factor = own[own["kind"] == "factor"]
        found[name] = SiteProfile(
            name,
            workload["title"],
            workload["objective"],
            own.loc[own["kind"] == "gate", ["metric", "at_least", "at_most"]].astype(
                {"at_least": float, "at_most": float}
            ),
            factor[["metric", "label", "weight"]].drop_duplicates("metric"),
            factor[["metric", "from_x", "to_x", "from_value", "slope"]],
            scores.get((name, "pass"), np.empty(0)),
            scores.get((name, "unknown"), np.empty(0)),
        )
    return found


def _cooling() -> dict[tuple[str, str], tuple[str, str]]:
    table = pd.read_csv(REFERENCE_DIR / "cooling.csv", keep_default_na=False)
    return {
        (row["objective"], row["cooling"]): (row["fits"], row["todo"])
        for row in table.to_dict("records")
    }


def _site(
    assessed: Assessed,
    number: int,
    site: Mapping[str, Any],
    metric: Mapping[str, Any],
    where: Mapping[str, Any],
    cooling: Mapping[tuple[str, str], tuple[str, str]],
) -> dict[str, Any]:
    """Everything that is told of one site."""
    is_energized = bool(site["energized_mw"] > 0)
    is_inside = where["state_id"] is not None
    uses, lacks = [], {}
    for name, profile in assessed.profiles.items() if is_inside else ():
        judged = assessed.judged[name]
        lacks[name] = needs(
            *(metric, site, profile, judged, number, assessed.words, cooling),
            assessed.run["started_at"].date(),
        )
        cost = assessed.costs[name][number] if assessed.costs else {}
        uses.append(_use(profile, judged, number, lacks[name]) | cost)
    if is_inside:
        lacks[MINE] = mine_needs(metric, site)
        uses.append(_mine(lacks[MINE], is_energized=is_energized))
    able = {name: each for name, each in assessed.judged.items() if name not in NO_USE}
    best = best_use(able, number, is_energized=is_energized) if is_inside else None
    return {
        "row": site["row"],
        "name": site["name"],
        "lat": site["lat"],
        "lon": site["lon"],
        "place": _text(where["place"]),
        "parcel_id": _text(where["parcel_id"]),
        "county_id": where["county_id"],
        "state_id": where["state_id"],
        "is_energized": is_energized,
        "available_date": site["available_date"],
        "cooling": site["cooling"],
        **{name: _known(site[name]) for name in ("energized_mw", "wanted_mw", "fiber_carriers")},
        "mw_low": _known(metric["headroom_mw_low"]),
        "mw_mid": _known(metric["headroom_mw_mid"]),
        "mw_high": _known(metric["headroom_mw_high"]),
        **{f"grid_mw_{end}": _known(metric[f"grid_mw_{end}"]) for end in ("low", "mid", "high")},
        "acres": _known(metric["acres"]),
        "usd_per_mwh": _known(metric["industrial_usd_per_mwh"]),
        "is_usd_per_mwh_stated": bool(site["usd_per_mwh"] > 0),
        "best_use": best,
        "fix_first": _fix(assessed, number, best, lacks) if is_inside else None,
        "note": _where_note(where, assessed.run),
        "uses": uses,
    }


def _use(profile: SiteProfile, judged: Judged, number: int, lacks: list[Need]) -> dict[str, Any]:
    factor = [row["metric"] for row in profile.factor_rows]
    gate = profile.gate_metrics
    return {
        "use": profile.workload,
        "gate_status": str(judged.gate_status[number]),
        "gates_failed": _named(gate, judged.gate[number] == "fail"),
        "gates_unknown": _named(gate, judged.gate[number] == "unknown"),
        "factors_unknown": _named(factor, np.isnan(judged.points[number])),
        "rank": _whole(judged.rank_low[number]),
        "rank_high": _whole(judged.rank_high[number]),
        "candidate_count": profile.candidate_count,
        **{
            name: _known(getattr(judged, name)[number])
            for name in ("score_low", "score_high", "percentile_low", "percentile_high")
        },
        "needs": [dict(vars(need)) for need in lacks],
    }


def _mine(lacks: list[Need], *, is_energized: bool) -> dict[str, Any]:
    """Judge a mine by what it draws alone: no parcel is ranked for one."""
    return {
        "use": MINE,
        "gate_status": "pass" if is_energized else "fail",
        "needs": [dict(vars(need)) for need in lacks],
    }


def _fix(
    assessed: Assessed, number: int, best: str | None, lacks: Mapping[str, list[Need]]
) -> str | None:
    """Say what to mend first for the best use; where that is none, for the use that can be reached."""
    target = best if best in assessed.profiles else _reachable(assessed, number, lacks)
    if target is None:
        return "nothing: no workload can be had here, whatever is mended"
    first = fix_first(lacks[target])
    if first is None:
        told = weakest(assessed.profiles[target], assessed.judged[target], number)
        return None if told is None else f"{target}: {told}"
    return f"{target}: {first.text}"


def _reachable(assessed: Assessed, number: int, lacks: Mapping[str, list[Need]]) -> str | None:
    """Workload of the highest percentile that only such things keep from a site as can be mended."""
    able = [
        (-float(judged.percentile_low[number]), name)
        for name, judged in assessed.judged.items()
        if name not in NO_USE
        and all(need.status != "fail" or need.is_fixable for need in lacks[name])
    ]
    return min(able)[1] if able else None


def _where_note(where: Mapping[str, Any], run: Mapping[str, Any]) -> str | None:
    if where["state_id"] is None:
        return f"lies outside of study {run['study']}: not assessed"
    if pd.isna(where["parcel_id"]):
        return "lies in no parcel of the build (water, or outside of the area that was run): slopes and what excludes ground are unknown"  # fmt: skip
    return None


def _named(names: list[str], chosen: np.ndarray) -> list[str]:
    return [name for name, is_one in zip(names, chosen, strict=True) if is_one]


def _known(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


def _whole(value: float) -> int | None:
    return None if np.isnan(value) else int(value)


def _text(value: Any) -> str | None:
    return None if pd.isna(value) else str(value)
