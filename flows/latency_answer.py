"""The answer to how many milliseconds a point is from metros, from a published build."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data import store
from data.errors import UsageError
from flows.asking import honest, point_of
from flows.fiber_read import (
    MID,
    RTT,
    PublishedFiber,
    assumed,
    miles_to,
    unknown_because,
)
from flows.fiber_way import Ways, node_name, path_basis, short, text
from flows.show import Shown, records
from geo.fiber.access import Access
from geo.fiber.lateral import lateral_musd
from geo.geodesy import KM_PER_MILE

COLUMNS = {
    "metro_name": "metro",
    "straight_mi": "miles",
    "rtt_ms_low": "RTT ms low",
    "rtt_ms_mid": "mid",
    "rtt_ms_high": "high",
    "above_ceiling": "above ceiling",
    "path_basis": "known by",
    "path": "path by carrier, middle case",
}
# What a way rests upon that is no cable on a map.
BASIS_NOTES = {
    "assumed": (
        "assumed is a way over backhaul, capacity from a node to the nearest exchange that is for sale, "
        "though no map shows whose."
    ),
    "logical": (
        "logical is a way over an IP adjacency, which says that two routers meet and nothing of the cable "
        "between them."
    ),
}


def latency(build: Path, what: str, *, is_all: bool = False, to: str | None = None) -> Shown:
    """Tell the round trips from a point to metros, and the carriers they go by.

    Parameters
    ----------
    build
        Published build.
    what
        Latitude and longitude.
    is_all
        Tell of every metro, not of those of a million people or more and the nearest one.
    to
        Tell of the metros of this id, or with this in their names.

    Raises
    ------
    UsageError
        The words are no point, or no metro is called so.
    """
    lat, lon = point_of(what)
    with store.open_build(build) as con:
        fiber = PublishedFiber.of(con)
        access = fiber.access(lat, lon)
        every = fiber.metro_rtts(con, access)
        exchange = fiber.exchange_rtt(access)
    metro = _chosen(every, is_all=is_all, to=to) if access.is_any[0] else every.iloc[:0]
    rows = _rows(fiber, access, metro, miles_to(lon, lat, metro))
    nodes = _nodes(fiber, access)
    payload = {
        "lat": lat,
        "lon": lon,
        "unknown_reason": None if nodes else unknown_because(fiber),
        "nodes": nodes,
        "exchange": exchange,
        "metros": rows,
        "run": {name: fiber.run[name] for name in ("run_id", "study", "is_synthetic", "limits")},
    }
    shown = Shown(
        f"Round trips from {lat:.4f}, {lon:.4f}",
        [_told(row) for row in rows],
        columns=COLUMNS,
        notes=_notes(fiber, nodes, exchange, rows),
        payload=payload,
    )
    shown.sections.append(Shown("", notes=honest(fiber.run)))
    return shown


def _chosen(every: pd.DataFrame, *, is_all: bool, to: str | None) -> pd.DataFrame:
    """Metros that are asked for, by the middle round trip; those that no path reaches come last."""
    every = every.sort_values(["rtt_ms_mid", "metro_id"], na_position="last")
    if to is not None:
        name = every["metro_name"].fillna("").str.casefold()
        is_asked = (every["metro_id"] == to) | name.str.contains(to.casefold(), regex=False)
        if not to.strip() or not is_asked.any():
            msg = f"No metro of the build is called {to!r}."
            raise UsageError(
                msg, "See `gridstead sql 'select metro_id, metro_name from core.metro'`."
            )
        return every[is_asked]
    if is_all:
        return every
    is_best = np.arange(len(every)) == 0
    return every[every["is_major"].to_numpy(bool) | is_best]


def _rows(
    fiber: PublishedFiber, access: Access, metro: pd.DataFrame, miles: np.ndarray
) -> list[dict[str, Any]]:
    """One row a metro, with its way."""
    if metro.empty:
        return []
    ms = metro[[*RTT]].to_numpy(float)
    rows = records(
        metro.drop(columns=["lon", "lat"]).assign(
            straight_mi=miles,
            above_ceiling=fiber.rules.above_ceiling(ms, miles * KM_PER_MILE),
        )
    )
    for row, steps in zip(rows, Ways(fiber, access).to_metros(metro), strict=True):
        row |= {"path_basis": path_basis(steps), "path": steps}
    return rows


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """Put a row in words: round trips to a hundredth, the way in a sentence."""
    ms = {name: None if row[name] is None else round(row[name], 2) for name in RTT}
    basis = row["path_basis"]
    if basis is None and row["path"]:
        basis = "no link"
    words = {"path_basis": basis and basis.replace("_", " "), "path": text(row["path"])}
    return row | ms | words


def _nodes(fiber: PublishedFiber, access: Access) -> list[dict[str, Any]]:
    """Nodes that the point is linked to, with what a lateral to each costs."""
    is_one = access.node_no[0] >= 0
    names = [
        "node_id", "node_name", "carrier_count", "ixp_count", "disjoint_path_count", "path_basis",
        "lon", "lat",
    ]  # fmt: skip
    found = fiber.node.loc[access.node_no[0][is_one], names].assign(
        miles=access.mi[0][is_one],
        lateral_musd=lateral_musd(access.mi[0][is_one], fiber.rules)[:, MID],
    )
    return records(found)


def _notes(
    fiber: PublishedFiber,
    nodes: list[dict[str, Any]],
    exchange: dict[str, Any] | None,
    rows: list[dict[str, Any]],
) -> list[str]:
    if not nodes:
        return [unknown_because(fiber)]
    told = "; ".join(
        f"{short(node_name(node['node_name'], node['lat'], node['lon']))} {node['miles']:.1f} mi, "
        f"{node['lateral_musd']:.2f} M$, {_members(node)}"
        for node in nodes
    )
    notes = [f"Nearest nodes, with the price of a buried lateral: {told}."]
    if exchange:
        ms = " / ".join(f"{exchange[name]:.2f}" for name in RTT)
        name = short(exchange["ixp_name"] or exchange["ixp_id"])
        notes.append(f"Nearest exchange: {name}: {ms} ms.")
    left = sum(row["rtt_ms_mid"] is None for row in rows)
    if left:
        notes.append(f"No path leads to {left:,} of these metros: their round trips are unknown.")
    notes.append(
        "Above ceiling: the high round trip is above that of light in fiber over "
        f"{fiber.rules.straight_factor[-1]:g} times the great circle."
    )
    found = {step.get("basis") for row in rows for step in row["path"]}
    notes += [f"Known by: {words}" for basis, words in BASIS_NOTES.items() if basis in found]
    return [*notes, assumed(fiber)]


def _members(node: dict[str, Any]) -> str:
    """Say who is at a node."""
    count = node["carrier_count"]
    if count == 0 and node["ixp_count"]:
        return "exchange"
    return f"{count} {'carrier' if count == 1 else 'carriers'}"
