"""Metrics of latency: round trips to metros and exchanges, people in reach, and fiber to a parcel."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from geo.fiber.access import Access
from geo.fiber.latency import FiberIndex
from geo.fiber.lateral import lateral_musd
from geo.fiber.rules import ENDS
from geo.fiber.trenches import BASIS
from geo.parcels import Parcels
from geo.people import PeopleSource
from geo.people_units import whole_people

BUDGETS_MS = (5.0, 10.0, 20.0)
MID = 1
# Ways to be unknown, in the order of which the first that holds is told.
NO_LAYER = "no fiber layer"
NO_PATH = {
    "rtt_metro": "no path to a metro",
    "rtt_major_metro": "no path to a major metro",
    "rtt_ixp": "no path to an exchange",
}


@dataclass(frozen=True, eq=False)
class LatencyMetrics:
    """Fiber nodes, ready to be measured against; without them everything is unknown.

    All is taken from the parcel's point, assessors' too: a lateral leads to a building, not to the
    nearest corner.
    """

    fiber: FiberIndex | None
    people: PeopleSource | None

    @classmethod
    def of(cls, fiber: FiberIndex | None, people: PeopleSource | None = None) -> Self:
        """Take the index of the study's fiber; None where a study has none.

        The index holds the people; their source tells where nothing is known of them.
        """
        return cls(fiber, people)

    def measure(self, parcels: Parcels) -> dict[str, Any]:
        """Round trips, people in reach, the nearest node and the nearest on a route of its own."""
        fiber = self.fiber
        if fiber is None:
            return _unknown(parcels.index)
        access = fiber.access(parcels.lon, parcels.lat)
        targets = {
            "rtt_metro": fiber.metro,
            "rtt_major_metro": fiber.major_metro,
            "rtt_ixp": fiber.exchange,
        }
        reason = np.full(len(parcels), None, dtype=object)
        reason[~access.is_any] = f"no connected node within {fiber.rules.node_reach_mi:g} miles"
        out: dict[str, Any] = {}
        for name, target in targets.items():
            number, ms = target.least_rtt(access, fiber.rules)
            out.update(zip([f"{name}_ms_{end}" for end in ENDS], ms.T, strict=True))
            out[f"{name}_id"] = _taken(target.target_id, number, parcels.index)
            out[f"{name}_name"] = _taken(target.target_name, number, parcels.index)
            if name == "rtt_major_metro":
                km = fiber.great_circle_km(parcels.lon, parcels.lat, target, number)
                words = fiber.rules.above_ceiling(ms, km)
                out["rtt_major_metro_above_ceiling"] = pd.Series(
                    words, index=parcels.index, dtype=object
                )
            reason[(number < 0) & pd.isna(reason)] = NO_PATH[name]
        out.update(_people(fiber, parcels, access, self.people))
        out["rtt_unknown_reason"] = pd.Series(reason, index=parcels.index, dtype=object)
        out.update(_nodes(fiber, parcels, access))
        return out


def _people(
    fiber: FiberIndex, parcels: Parcels, access: Access, source: PeopleSource | None
) -> dict[str, Any]:
    """People within each round trip; unknown where light reaches land that their source leaves out."""
    names = [f"people_{budget:g}ms_{end}" for budget in BUDGETS_MS for end in ENDS]
    if not fiber.people.is_known:
        return dict.fromkeys(names, _no_integers(parcels.index))
    milli = fiber.people_reach.within(parcels.lon, parcels.lat, access, BUDGETS_MS)
    whole = whole_people(milli).reshape(len(parcels), len(names))
    is_known = np.broadcast_to(access.is_any[:, None], (len(parcels), len(BUDGETS_MS)))
    if source is not None:
        # No round trip is quicker than light in fiber, dead straight.
        farthest = tuple(fiber.rules.light_mi(budget) for budget in BUDGETS_MS)
        is_known = is_known & source.is_told(parcels.lon, parcels.lat, farthest)
    columns = zip(names, whole.T, np.repeat(is_known.T, len(ENDS), axis=0), strict=True)
    return {
        name: pd.Series(column, index=parcels.index, dtype="Int64").where(known)
        for name, column, known in columns
    }


def _nodes(fiber: FiberIndex, parcels: Parcels, access: Access) -> dict[str, Any]:
    """Take the nearest lit node, the nearest on a route of its own and the price of fiber to them."""
    near = fiber.lit(parcels.lon, parcels.lat, access)
    lit, lit_mi = near.node_no[:, 0], near.mi[:, 0]
    route = fiber.diverse(parcels.lon, parcels.lat, near)
    index = parcels.index
    count = pd.Series(route.path_count, index=index, dtype="Int64").where(route.path_count >= 0)
    return {
        "lit_node_mi": lit_mi,
        "lit_node_id": _taken(fiber.node_id, lit, index),
        "lit_node_name": _taken(fiber.node_name, lit, index),
        "lit_node_musd": lateral_musd(lit_mi, fiber.rules)[:, MID],
        "diverse_node_mi": route.mi,
        "diverse_node_id": _taken(fiber.node_id, route.node_no, index),
        "diverse_node_musd": lateral_musd(route.mi, fiber.rules)[:, MID],
        "disjoint_path_count": count,
        "is_single_homed": (count < 2).astype("boolean"),
        "path_basis": _taken(np.array(BASIS), route.basis, index),
    }


def _taken(values: np.ndarray, number: np.ndarray, index: pd.Index) -> pd.Series:
    """Text by number; missing where the number is -1 or the text empty."""
    text = pd.array([value or None for value in values.tolist()], dtype="string")
    return pd.Series(text.take(number, allow_fill=True), index=index)


def _unknown(index: pd.Index) -> dict[str, Any]:
    """Give all columns, unknown."""
    text = pd.Series(None, index=index, dtype=object)
    boolean = pd.Series(pd.NA, index=index, dtype="boolean")
    out: dict[str, Any] = {}
    for name in NO_PATH:
        out.update(dict.fromkeys([f"{name}_ms_{end}" for end in ENDS], np.nan))
        out.update({f"{name}_id": text, f"{name}_name": text})
        if name == "rtt_major_metro":
            out["rtt_major_metro_above_ceiling"] = text
    integers = _no_integers(index)
    for budget in BUDGETS_MS:
        out.update({f"people_{budget:g}ms_{end}": integers for end in ENDS})
    out["rtt_unknown_reason"] = pd.Series(NO_LAYER, index=index, dtype=object)
    for node in ("lit_node", "diverse_node"):
        out.update({f"{node}_mi": np.nan, f"{node}_id": text})
        if node == "lit_node":
            out[f"{node}_name"] = text
        out[f"{node}_musd"] = np.nan
    out.update({"disjoint_path_count": integers, "is_single_homed": boolean, "path_basis": text})
    return out


def _no_integers(index: pd.Index) -> pd.Series:
    return pd.Series(pd.NA, index=index, dtype="Int64")
