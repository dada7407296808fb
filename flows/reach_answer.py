"""The answer to how many people and metros a point has within some milliseconds, from a published build."""

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from data import store
from data.errors import UsageError
from flows.asking import honest, point_of
from flows.fiber_read import (
    RTT,
    PublishedFiber,
    assumed,
    miles_to,
    unknown_because,
)
from flows.show import Shown, records
from geo.fiber.access import Access
from geo.fiber.reach import MAX_BUDGET_MS, PeopleReach, ServedPeople
from geo.fiber.rules import ENDS, LatencyRules
from geo.geodesy import KM_PER_MILE
from geo.people_units import MILLI, whole_people
from geo.radius import RadiusIndex

PLAIN_RADII_MI = (25.0, 50.0, 100.0)
SHOWN_METROS = 25
# By which round trip somebody is within: the high one is sure.
SURENESS = {"rtt_ms_high": "sure", "rtt_ms_mid": "likely", "rtt_ms_low": "at best"}
COLUMNS = {
    "ms": "ms",
    "people_low": "people, sure",
    "people_mid": "likely",
    "people_high": "at best",
    "share_mid": "likely share",
    "metro_count_low": "metros, sure",
    "metro_count_mid": "likely",
    "metro_count_high": "at best",
    "straight_mi_mid": "straight miles",
}
METRO_COLUMNS = {
    "metro_name": "metro",
    "metro_people": "people",
    "straight_mi": "miles",
    "rtt_ms_low": "RTT ms low",
    "rtt_ms_mid": "mid",
    "rtt_ms_high": "high",
}


def reach(build: Path, what: str, budgets_ms: list[float]) -> Shown:
    """Tell the people and metros within round trips of a point, beside those within plain miles.

    Parameters
    ----------
    build
        Published build.
    what
        Latitude and longitude.
    budgets_ms
        Round trips, above 0.

    Raises
    ------
    UsageError
        The words are no point, or a budget is none.
    """
    lat, lon = point_of(what)
    for ms in budgets_ms:
        if not 0.0 < ms <= MAX_BUDGET_MS:
            msg = f"--ms {ms:g} is no round trip."
            raise UsageError(msg, f"Give milliseconds above 0 and up to {MAX_BUDGET_MS:g}.")
    budgets = tuple(sorted(set(budgets_ms)))
    with store.open_build(build) as con:
        fiber = PublishedFiber.of(con)
        access = fiber.access(lat, lon)
        metro = fiber.metro_rtts(con, access).assign(straight_mi=miles_to(lon, lat, fiber.metro))
        plain, study_people, is_cell = _plain(con, lat, lon)
        left_out = store.query_file(con, "query/people_left_out").df()["state_id"].tolist()
        people = _people(con, fiber, access, budgets) if access.is_any[0] else None
    rows = [
        _row(fiber.rules, metro, ms, None if people is None else people[no], study_people)
        for no, ms in enumerate(budgets)
        if access.is_any[0]
    ]
    near = _near(metro, budgets)
    reason = None if access.is_any[0] else unknown_because(fiber)
    payload = {
        "lat": lat,
        "lon": lon,
        "unknown_reason": reason,
        "study_people": study_people,
        "left_out_state_ids": left_out,
        "budgets": rows,
        "metros": near,
        **plain,
        "run": {name: fiber.run[name] for name in ("run_id", "study", "is_synthetic", "limits")},
    }
    shown = Shown(
        f"In reach of {lat:.4f}, {lon:.4f}",
        rows,
        columns=COLUMNS,
        notes=[
            *([] if reason is None else [reason]),
            *_notes(rows, plain, study_people, is_cell=is_cell),
            *_left_out(left_out),
            *([assumed(fiber)] if rows else []),
        ],
        payload=payload,
    )
    if near:
        left = len(near) - SHOWN_METROS
        shown.sections.append(
            Shown(
                "Metros in reach",
                [
                    row | {name: round(row[name], 2) for name in RTT} | _words(row, budgets)
                    for row in near[:SHOWN_METROS]
                ],
                columns=METRO_COLUMNS | {f"{ms:g} ms": f"{ms:g} ms" for ms in budgets},
                notes=[f"{left:,} more: see --json."] if left > 0 else [],
            )
        )
    shown.sections.append(Shown("", notes=honest(fiber.run)))
    return shown


def _people(
    con: duckdb.DuckDBPyConnection,
    fiber: PublishedFiber,
    access: Access,
    budgets: tuple[float, ...],
) -> np.ndarray | None:
    """Whole people within each budget, (budgets, 3): sure, likely, at best; None where none are known."""
    table = store.query_file(con, "query/fiber_people").df()
    if table.empty:
        return None
    node_no = pd.Index(fiber.node["node_id"]).get_indexer(table["node_id"])
    milli = np.rint(table["people"].to_numpy(float) * MILLI).astype(np.int64)
    served = ServedPeople(
        np.searchsorted(node_no, np.arange(len(fiber.node) + 1)).astype(np.int64),
        table["tail_km"].to_numpy(float),
        np.concatenate([[0], np.cumsum(milli)]),
        0.0,
    )
    # Round trips are needed from the point's own nodes alone, which get numbers of their own; parcels are
    # measured in this precision, and a point is to count whom its parcel counts.
    is_one = access.node_no[0] >= 0
    node_ms = fiber.graph.node_ms(access.node_no[0][is_one]).astype(np.float32)
    own = Access(np.where(is_one, np.cumsum(is_one) - 1, -1)[None], access.mi)
    here = np.zeros(1), np.zeros(1)
    reached = PeopleReach.of(served, node_ms, fiber.rules).within(*here, own, budgets)
    return whole_people(reached[0])


def _plain(
    con: duckdb.DuckDBPyConnection, lat: float, lon: float
) -> tuple[dict[str, int | None], float | None, bool]:
    """People within plain miles of a point, and in the study, and whether they stand in cells.

    Unknown where the study has no people.
    """
    names = [f"population_{radius:g}mi" for radius in PLAIN_RADII_MI]
    people = store.query_file(con, "query/people_points").df()
    if people.empty:
        return dict.fromkeys(names), None, False
    milli = np.rint(people["people"].to_numpy(float) * MILLI).astype(np.int64)
    at = (people[name].to_numpy(float) for name in ("lon", "lat"))
    sums = RadiusIndex.of(*at, milli).sums(np.array([lon]), np.array([lat]), PLAIN_RADII_MI)
    whole = whole_people(sums[0, :, 0]).tolist()
    is_cell = bool(people["is_cell"].iloc[0])
    return dict(zip(names, whole, strict=True)), float(milli.sum()) / MILLI, is_cell


def _row(
    rules: LatencyRules,
    metro: pd.DataFrame,
    ms: float,
    people: np.ndarray | None,
    study_people: float | None,
) -> dict[str, Any]:
    """Tell what one budget holds; low counts by the high round trip, so that it is sure."""
    row: dict[str, Any] = {"ms": ms}
    ms_per_km = float(rules.fiber_ms(np.ones(1))[0])
    for no, end in enumerate(ENDS):
        # The low count is by the high round trip, and so on.
        trip = len(ENDS) - 1 - no
        count = None if people is None else int(people[no])
        left_ms = max(ms - rules.access_ms[trip], 0.0)
        row |= {
            f"people_{end}": count,
            f"share_{end}": None if count is None or not study_people else count / study_people,
            f"metro_count_{end}": int((metro[RTT[trip]] <= ms).sum()),
            f"straight_mi_{end}": left_ms / ms_per_km / rules.straight_factor[trip] / KM_PER_MILE,
        }
    return row


def _near(metro: pd.DataFrame, budgets: tuple[float, ...]) -> list[dict[str, Any]]:
    """Metros within the longest budget, at best, by the middle round trip."""
    near = metro[metro["rtt_ms_low"] <= budgets[-1]]
    near = near.sort_values(["rtt_ms_mid", "metro_id"])
    return records(near.drop(columns=["lon", "lat"]))


def _words(row: dict[str, Any], budgets: tuple[float, ...]) -> dict[str, str | None]:
    """How sure a metro is within each budget."""
    return {
        f"{ms:g} ms": next((word for trip, word in SURENESS.items() if row[trip] <= ms), None)
        for ms in budgets
    }


def _left_out(state_ids: list[str]) -> list[str]:
    """Say where nothing is known of people."""
    if not state_ids:
        return []
    told = (
        f"The raster of people leaves out land of {', '.join(state_ids)}: nobody there is in any count, and "
        "of parcels from which light gets there in time people in reach are unknown."
    )
    return [told]


def _notes(
    rows: list[dict[str, Any]],
    plain: dict[str, int | None],
    study_people: float | None,
    *,
    is_cell: bool,
) -> list[str]:
    notes = []
    if rows and rows[0]["people_mid"] is None:
        notes.append("The build knows no people near its fiber: those in reach are unknown.")
    if study_people is not None:
        told = ", ".join(
            f"{count:,} within {radius:g}"
            for radius, count in zip(PLAIN_RADII_MI, plain.values(), strict=True)
        )
        cells = " (by cell of 30 arc seconds)" if is_cell else ""
        notes.append(f"People in plain miles: {told}{cells}; {study_people:,.0f} in the study.")
    if rows:
        notes.append(
            "Sure, likely, at best: by the high, middle and low round trip. Straight miles: what a straight "
            "link of the middle round trip spans."
        )
    return notes
