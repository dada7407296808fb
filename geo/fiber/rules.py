"""The parameters of latency out of their table."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from geo.errors import GeoError
from geo.geodesy import KM_PER_MILE

# Positions of the ends of an interval in the last axis of every array of round trips.
ENDS = ("low", "mid", "high")
Triple = tuple[float, float, float]
# By how many ends of an interval are above the rule of thumb.
ABOVE_CEILING = ("none", "high", "mid", "low")


@dataclass(frozen=True)
class LatencyRules:
    """Parameters of round trips, low, mid and high of each (reference/latency.csv, which gives sources).

    Attributes
    ----------
    light_us_per_km
        One way in fiber, microseconds a kilometre.
    straight_factor
        Route over great circle of a link that no right of way is known for; contains its hops.
    right_of_way_factor
        Route over the length along the right of way that a link is laid on.
    routing_factor
        Path that packets take over the shortest that is laid: carriers choose by price and policy, and a
        map of all their links together is shorter than any one's. 1 for fiber of one's own.
    hop_ms, exchange_ms, access_ms
        Round trip added for each link on a right of way, each change of carrier, the user's access.
    node_join_km
        Points this near are one node.
    node_reach_mi, metro_reach_mi, exchange_reach_mi, backhaul_reach_mi
        How far parcels and people, centres of metros, and exchanges reach for nodes; and nodes for an
        exchange, where none has them in reach.
    exchange_carriers
        Carriers that make a node an interconnection where none is listed.
    detour_factor
        Longest plausible right of way, over the great circle.
    lateral_factor
        Route over straight miles of fiber that is built to a node.
    lateral_musd_per_mi
        Price of a route mile of it, M$.
    """

    light_us_per_km: float
    straight_factor: Triple
    right_of_way_factor: Triple
    routing_factor: Triple
    hop_ms: Triple
    exchange_ms: Triple
    access_ms: Triple
    node_join_km: float
    node_reach_mi: float
    metro_reach_mi: float
    exchange_reach_mi: float
    backhaul_reach_mi: float
    exchange_carriers: int
    detour_factor: float
    lateral_factor: Triple
    lateral_musd_per_mi: Triple

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> Self:
        """Read from a frame with columns `name`, `low`, `mid`, `high`.

        Raises
        ------
        GeoError
            A parameter is missing, no number, below 0, or its low, mid and high are out of order.
        """
        rows = {str(row["name"]): row for row in frame.to_dict("records")}
        values: dict[str, Any] = {}
        for name in cls.__annotations__:
            low, mid, high = (float(rows.get(name, {}).get(end, np.nan)) for end in ENDS)
            if not (np.isfinite([low, mid, high]).all() and 0.0 <= low <= mid <= high):
                msg = f"The rules of latency have no low, mid and high of {name}, each at least the last."
                raise GeoError(msg)
            kind = cls.__annotations__[name]
            values[name] = kind(mid) if kind in {float, int} else (low, mid, high)
        return cls(**values)

    def fiber_ms(self, km: np.ndarray) -> np.ndarray:
        """Round trip of light in fiber of a length: 2 · km · 0.0049 ms, the shape of `km`."""
        return 2.0 * np.asarray(km, dtype=np.float64) * self.light_us_per_km / 1_000.0

    def light_mi(self, ms: float) -> float:
        """Miles of great circle that no round trip of some milliseconds reaches beyond, access taken off."""
        km = max(ms - self.access_ms[0], 0.0) / float(self.fiber_ms(np.array(1.0)))
        return km / KM_PER_MILE

    def straight_ms(self, km: np.ndarray) -> np.ndarray:
        """Low, mid and high round trip over a great circle of some km, shape (..., 3)."""
        return self.fiber_ms(km)[..., None] * np.array(self.straight_factor)

    def laid_ms(self, route_km: np.ndarray) -> np.ndarray:
        """Low, mid and high round trip of a link along a right of way of some km, shape (..., 3)."""
        factor = np.array(self.right_of_way_factor) * np.array(self.routing_factor)
        return self.fiber_ms(route_km)[..., None] * factor + np.array(self.hop_ms)

    def above_ceiling(self, ms: np.ndarray, km: np.ndarray) -> np.ndarray:
        """Tell how much of an interval is above the ceiling of its great circle.

        Parameters
        ----------
        ms
            Low, mid and high round trip, shape (n, 3); NaN or inf where unknown.
        km
            Great circle, shape (n,).

        Returns
        -------
        `none` of it, or the least of its ends that is above (`high`, `mid`, `low`), shape (n,); None where
        unknown. Legs that are each within the rule of thumb make a way that is not, where it bends.
        """
        over = (np.asarray(ms) > self.ceiling_ms(km)[:, None]).sum(axis=1)
        words = np.array(ABOVE_CEILING, dtype=object)[over]
        words[~np.isfinite(ms).all(axis=1)] = None
        return words

    def ceiling_ms(self, km: np.ndarray) -> np.ndarray:
        """Highest round trip that the rule of thumb allows over a great circle, with access."""
        return self.straight_ms(km)[..., 2] + self.access_ms[2]
