"""Answers which sites together have most people within a round trip, from a published build."""

from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd

from data import store
from data.errors import GridsteadError, UsageError
from flows import portfolio as by_mw
from flows.asking import honest
from flows.fiber_read import PublishedFiber, assumed, unknown_because
from flows.show import Shown
from geo.decide.covering import Covering, Reach, cover
from geo.decide.portfolio import Demand
from geo.fiber.access import ACCESS_NODES, Access
from geo.fiber.reach import MAX_BUDGET_MS, ServedPeople
from geo.people_units import MILLI

if TYPE_CHECKING:
    from flows.portfolio import Asked

DEFAULT_MS = 10.0
# Less than any substation has: without --mw power is not counted.
NO_MW = 1e-6
COLUMNS = {
    "parcel_id": "parcel",
    "parcel_name": "where",
    "county_name": "county",
    "added_people": "adds people",
    "people": "people",
    "mw": "MW",
    "score": "score",
    "rank": "rank",
    "headroom_mw_mid": "alone: MW mid",
    "substation_name": "substation",
    "nearest_mi": "next site mi",
}


def cover_people(
    con: duckdb.DuckDBPyConnection, run: dict[str, Any], profile: dict[str, Any], asked: "Asked"
) -> Shown:
    """Choose sites of inference that cover most people.

    Raises
    ------
    UsageError
        The round trip is none.
    GridsteadError
        So many sites cannot be had, or nothing is known of fiber or people.
    """
    workload = profile["workload"]
    ms = asked.ms or float(profile.get("latency_budget_ms") or DEFAULT_MS)
    if asked.ms is not None and not 0.0 < asked.ms <= MAX_BUDGET_MS:
        msg = f"--ms {asked.ms:g} is no round trip."
        raise UsageError(msg, f"Give milliseconds above 0 and up to {MAX_BUDGET_MS:g}.")
    _check_unused(asked)
    share = NO_MW if asked.mw is None else asked.mw / asked.sites
    demand = Demand(share * asked.sites, asked.sites, share, share, asked.spacing_mi)
    market = by_mw.market_of(con, workload, share, "score")
    if market.offer.empty:
        msg = f"No parcel of {workload} passes its gates with {share:,.0f} MW or more."
        raise GridsteadError(msg, "Ask for less power, or more sites.")
    fiber = PublishedFiber.of(con)
    reach = _reach(con, fiber, workload, market.offer["parcel_id"], ms)
    flow = None if asked.mw is None else by_mw.PublishedFlow.of(con, market.substation)
    offers = market.offers()
    found = cover(reach, offers, market.limits, demand, push=flow.pushing() if flow else None)
    if isinstance(found, int):
        apart = f" {asked.spacing_mi:g} miles apart" if asked.spacing_mi else ""
        power = f" with {share:,.0f} MW each" if asked.mw else ""
        msg = f"No {asked.sites} sites of {workload}{apart}{power} were found: {found} can be had."
        raise GridsteadError(msg, "Ask for fewer sites, less spacing, or less power.")
    taken = market.offer.iloc[found.rows].assign(
        people=np.rint(found.people), added_people=np.rint(found.added_people)
    )
    mw = np.full(len(taken), np.nan if asked.mw is None else share)
    rows = by_mw.rows_of_sites(taken.reset_index(drop=True), market.substation, mw)
    for row in rows:
        row |= {name: int(row[name]) for name in ("people", "added_people")}
    study_people = float(reach.milli.sum()) / MILLI
    is_other = flow is not None and by_mw.is_other_flow(flow, market, offers.substation[found.rows])
    payload = {
        "workload": workload,
        "objective": "people",
        "ms": ms,
        "demand": {"sites": asked.sites, "mw": asked.mw, "spacing_mi": asked.spacing_mi},
        "sites": rows,
        "people": round(found.total_people),
        "people_bound": round(found.bound_people),
        "study_people": round(study_people),
        "gap": found.gap,
        "method": found.method,
        "offer_count": found.offer_count,
        "kept_count": found.kept_count,
        "limits_found_by_load_flow": found.added_count,
        "is_load_flow_checked": flow is not None and not is_other,
        "seconds": found.seconds,
        "run": {name: run[name] for name in ("run_id", "study", "is_synthetic", "limits")},
    }
    power = (
        ["Power is not counted without --mw: each substation serves one site at most."]
        if asked.mw is None
        else by_mw.checked(flow, found.added_count, is_other=is_other)
    )
    notes = [_told(found, ms, study_people), _gap(found), *power, assumed(fiber), *honest(run)]
    title = (
        f"{workload}: {asked.sites} site{'s' if asked.sites > 1 else ''}, people within {ms:g} ms"
    )
    columns = {name: text for name, text in COLUMNS.items() if name != "mw" or asked.mw}
    return Shown(title, rows, columns=columns, notes=notes, payload=payload)


def _check_unused(asked: "Asked") -> None:
    for name, value in (("--least-mw", asked.least_mw), ("--most-mw", asked.most_mw)):
        if value is not None:
            msg = f"{name} is for training: sites of inference share the megawatts evenly."
            raise UsageError(msg, "Leave it out.")
    if asked.by is not None:
        msg = "--by is for training: sites of inference are chosen by the people they reach."
        raise UsageError(msg, "Leave it out.")


def _reach(
    con: duckdb.DuckDBPyConnection,
    fiber: PublishedFiber,
    workload: str,
    parcel_id: pd.Series,
    ms: float,
) -> Reach:
    """Read whom each parcel has within a round trip."""
    table = store.query_file(con, "query/fiber_people").df()
    if fiber.node.empty or table.empty:
        msg = unknown_because(fiber) if fiber.node.empty else "The build knows no people."
        raise GridsteadError(msg, "Run a study with layers of fiber and people.")
    node = pd.Index(fiber.node["node_id"])
    milli = np.rint(table["people"].to_numpy(float) * MILLI).astype(np.int64)
    served = ServedPeople(
        np.searchsorted(node.get_indexer(table["node_id"]), np.arange(len(fiber.node) + 1)).astype(
            np.int64
        ),
        table["tail_km"].to_numpy(float),
        np.concatenate([[0], np.cumsum(milli)]),
        0.0,
    )
    told = store.query_file(con, "query/portfolio_access", {"workload": workload}).df()
    row = pd.Index(parcel_id).get_indexer(told["parcel_id"])
    told, row = told[row >= 0], row[row >= 0]
    slot = told["access_no"].to_numpy(np.int64) - 1
    number = np.full((len(parcel_id), ACCESS_NODES), -1, dtype=np.int64)
    mi = np.full(number.shape, np.nan)
    number[row, slot] = node.get_indexer(told["node_id"])
    mi[row, slot] = told["access_mi"].to_numpy(float)
    # Round trips are needed from the parcels' own nodes alone; parcels are measured in this precision.
    used = np.unique(number[number >= 0])
    node_ms = fiber.graph.node_ms(used).astype(np.float32)
    own = np.where(number >= 0, np.searchsorted(used, np.maximum(number, 0)), -1)
    return Reach.of(Access(own, mi), served, node_ms, fiber.rules, ms)


def _told(found: Covering, ms: float, study_people: float) -> str:
    share = found.total_people / study_people if study_people else 0.0
    return (
        f"{found.total_people:,.0f} people within {ms:g} ms by the middle round trip, each counted once: "
        f"{share:.1%} of {study_people:,.0f} whom fiber serves."
    )


def _gap(found: Covering) -> str:
    by = "whole sites by HiGHS"
    if found.method == "greedy":
        by = "greedy with exchanges, bounded by HiGHS"
    return (
        f"No choice of all {found.offer_count:,} parcels covers more than {found.bound_people:,.0f}, "
        f"{found.gap:.2%} more ({by}, {found.kept_count:,} parcels, {found.seconds:.0f} s)."
    )
