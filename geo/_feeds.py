"""Metrics of the substations that would feed a parcel: megawatts, the tie line, a second feed."""

from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
import pandas as pd

from geo.feeding import Feeding
from geo.parcels import Parcels
from geo.tie_line import ROUTE_FACTOR, USEFUL_MW, TieLineCosts, priced_mi

ENDS = tuple(f"headroom_mw_{end}" for end in ("low", "mid", "high"))
# What is published of the feeding substation beside its headroom <- column of the headroom, where it has it.
TAKEN = {
    "headroom_n0_mw": "headroom_n0_mw",
    "flexible_025_mw": "flexible_025_mw_mid",
    "flexible_100_mw": "flexible_100_mw_mid",
    "reserve_zone_mw": "reserve_zone_mw",
    "reserve_interconnection_mw": "reserve_interconnection_mw",
}
# Where substations share a limit, the second feed is the best of so many others: the nearest ones often
# hang on the same corridor and add nothing.
OTHERS = 4


class SharedMegawatts(Protocol):
    """What substations leave each other, in numbers of the rows of the headroom."""

    def added_mw(
        self, first_no: np.ndarray, second_no: np.ndarray, first_mw: np.ndarray
    ) -> np.ndarray:
        """MW that the second still has, at most its mid headroom, when the first delivers; shape (n,)."""
        ...


@dataclass(frozen=True, eq=False)
class FeedMetrics:
    """Substations with known headroom and voltage, ready to be chosen from.

    Attributes
    ----------
    feeding
        The search; its numbers count the rows of `substation`.
    substation
        What is taken over, `kv` at which a parcel would connect and `headroom_no`, the row of the headroom.
    costs
        Of tie lines.
    shared
        What substations leave each other; None where each has its own.
    """

    feeding: Feeding
    substation: pd.DataFrame
    costs: TieLineCosts
    shared: SharedMegawatts | None

    @classmethod
    def of(
        cls,
        substation: pd.DataFrame,
        headroom: pd.DataFrame,
        costs: TieLineCosts,
        shared: SharedMegawatts | None = None,
    ) -> Self:
        """Prepare the search.

        A parcel connects at `connect_kv` of the headroom, or at the substation's highest voltage where that
        is unknown; a substation whose headroom or voltage is unknown feeds none.
        """
        told = [*ENDS, "connect_kv", *TAKEN.values()]
        given = headroom[["substation_id", *(name for name in told if name in headroom)]]
        given = given.assign(headroom_no=np.arange(len(given)))
        place = substation[["substation_id", "lon", "lat", "kv_max"]]
        known = place.merge(given, on="substation_id", validate="one_to_one")
        known = known.reindex(columns=[*place.columns, *told, "headroom_no"])
        numbers = known.columns.drop("substation_id")
        known = known.astype({"substation_id": "string", **dict.fromkeys(numbers, "float64")})
        known["kv"] = known["connect_kv"].fillna(known["kv_max"])
        known = known[known["headroom_mw_mid"].notna() & known["kv"].notna()]
        lon, lat, kv, mw = (known[name].to_numpy() for name in ("lon", "lat", "kv", ENDS[1]))
        return cls(Feeding.of(lon, lat, kv, mw, costs), known, costs, shared)

    def measure(self, parcels: Parcels) -> dict[str, Any]:
        """Headroom of the feeding substation, its tie line, and what a second feed would add."""
        number, miles = self._choose(parcels)
        first, first_mi = number[:, 0], miles[:, 0]
        kv = self._at("kv", first)
        mw = np.minimum(self._at("headroom_mw_mid", first), USEFUL_MW)
        return {
            **{name: self._at(name, first) for name in ENDS},
            "headroom_substation_mi": first_mi,
            "headroom_substation_id": self._id(first, parcels.index),
            "headroom_substation_kv": self._at("kv_max", first),
            "deliverable_mw": mw,
            "tie_line_kv": kv,
            "tie_line_mi": first_mi * ROUTE_FACTOR,
            "tie_line_musd": self._musd(first, first_mi, mw),
            **self._second_feed(parcels, number, miles, mw),
            **{name: self._at(column, first) for name, column in TAKEN.items()},
        }

    def _choose(self, parcels: Parcels) -> tuple[np.ndarray, np.ndarray]:
        """Choose from the edge of assessors' parcels and from the point of cells."""
        most = 2 if self.shared is None else 1 + OTHERS
        is_edge = parcels.is_edge
        if is_edge.all():
            return self.feeding.choose(parcels.lon, parcels.lat, parcels.edges, most=most)
        number, miles = self.feeding.choose(parcels.lon, parcels.lat, most=most)
        if is_edge.any():
            lon, lat = parcels.lon[is_edge], parcels.lat[is_edge]
            found = self.feeding.choose(lon, lat, parcels.edges, most=most)
            number[is_edge], miles[is_edge] = found
        return number, miles

    def _second_feed(
        self, parcels: Parcels, number: np.ndarray, miles: np.ndarray, first_mw: np.ndarray
    ) -> dict[str, Any]:
        """Of the other substations the one that adds a megawatt at the least cost, and what it adds."""
        others, added_mw = number[:, 1:], self._added_mw(number, first_mw)
        best = np.zeros(len(number), dtype=np.int64)
        if others.shape[1] > 1:
            rate = np.full(added_mw.shape, np.inf)
            known = others >= 0
            per_mi, fixed = self.costs.rate(self._at("kv", others[known]), added_mw[known])
            rate[known] = per_mi * priced_mi(miles[:, 1:][known]) + fixed
            # Of equals the one that is better by itself: they stand in that order.
            best = rate.argmin(axis=1)
        row = np.arange(len(number))
        second, second_mi, mw = others[row, best], miles[row, 1 + best], added_mw[row, best]
        return {
            "second_feed_mw": mw,
            "second_feed_mi": second_mi,
            "second_feed_substation_id": self._id(second, parcels.index),
            "second_feed_musd": self._musd(second, second_mi, mw),
        }

    def _added_mw(self, number: np.ndarray, first_mw: np.ndarray) -> np.ndarray:
        """MW that each of the others adds to those of the first, at most `USEFUL_MW`; NaN where there is none."""
        others = number[:, 1:]
        if self.shared is None:
            return np.minimum(self._at("headroom_mw_mid", others), USEFUL_MW)
        row, column = np.nonzero(others >= 0)
        headroom_no = self.substation["headroom_no"].to_numpy(dtype=np.int64)
        added_mw = np.full(others.shape, np.nan)
        added_mw[row, column] = self.shared.added_mw(
            headroom_no[number[row, 0]], headroom_no[others[row, column]], first_mw[row]
        )
        return np.minimum(added_mw, USEFUL_MW)

    def _musd(self, number: np.ndarray, miles: np.ndarray, mw: np.ndarray) -> np.ndarray:
        """Cost of tie lines, M$; NaN where the number is -1."""
        musd = np.full(number.shape, np.nan)
        known = number >= 0
        kv = self._at("kv", number[known])
        musd[known] = self.costs.tie_line_musd(kv, miles[known], mw[known])
        return musd

    def _at(self, column: str, number: np.ndarray) -> np.ndarray:
        """Values of a column by substation number; NaN where the number is -1."""
        return np.append(self.substation[column].to_numpy(), np.nan)[number]

    def _id(self, number: np.ndarray, index: pd.Index) -> pd.Series:
        ids = self.substation["substation_id"].array.take(number, allow_fill=True)
        return pd.Series(ids, index=index)
