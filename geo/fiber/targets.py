"""Places that round trips lead to, metros and exchanges, and the round trip from every node to each."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd

from geo._threads import in_threads
from geo.fiber.access import Access, NodeSearch
from geo.fiber.rules import LatencyRules
from geo.geodesy import lonlat_arrays

# Places that are searched at once hold some hundred bytes each.
BLOCK = 65_536
MID = 1


@dataclass(frozen=True, eq=False)
class Targets:
    """Places that round trips lead to.

    Attributes
    ----------
    target_id, target_name
        Text, shape (T,).
    lon, lat
        Degrees, shape (T,).
    is_major
        Whether it is a metro of a million people or more, shape (T,); False of exchanges.
    ms
        Low, mid and high round trip between target and node, the target's own tail contained, shape
        (T, P, 3); inf where there is no path.
    """

    target_id: np.ndarray
    target_name: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    is_major: np.ndarray
    ms: np.ndarray

    def __len__(self) -> int:
        """Count the targets."""
        return len(self.target_id)

    @classmethod
    def of_metros(
        cls,
        metro: pd.DataFrame,
        nodes: tuple[np.ndarray, np.ndarray, np.ndarray],
        node_ms: np.ndarray,
        rules: LatencyRules,
    ) -> Self:
        """Take metros, each served from the four connected nodes nearest to its centre, as a parcel is.

        None farther than `rules.metro_reach_mi` serves it.

        Parameters
        ----------
        metro
            Columns `metro_id`, `metro_name`, `lon`, `lat`, `is_major`; rows are sorted by id.
        nodes
            Longitudes and latitudes in degrees and whether they are connected, each of shape (P,).
        node_ms
            Round trips between nodes, shape (P, P, 3); inf where there is no path.
        rules
            Parameters.

        Raises
        ------
        GeometryError
            For coordinates that are NaN or no degrees.
        """
        metro = metro.sort_values("metro_id", kind="stable")
        lon, lat, is_connected = nodes
        centre = lonlat_arrays(metro["lon"].to_numpy(), metro["lat"].to_numpy(), "metro")
        near = NodeSearch.of(lon, lat, is_connected).access(*centre, rules.metro_reach_mi)
        tail_ms = near.lateral_ms(rules)
        ms = np.full((len(metro), len(lon), 3), np.inf)
        for one, slot in zip(*np.nonzero(near.node_no >= 0), strict=True):
            way = tail_ms[one, slot] + node_ms[near.node_no[one, slot]]
            np.minimum(ms[one], way, out=ms[one])
        return cls(
            _text(metro["metro_id"]), _text(metro["metro_name"]), *centre,
            metro["is_major"].to_numpy(dtype=bool), ms,
        )  # fmt: skip

    @classmethod
    def of_exchanges(cls, ixp: pd.DataFrame, ixp_node: np.ndarray, node_ms: np.ndarray) -> Self:
        """Take exchanges, each at a node: no tail.

        Parameters
        ----------
        ixp
            Columns `ixp_id`, `ixp_name`, `lon`, `lat`; rows are sorted by id.
        ixp_node
            Number of the node of each row, -1 where it is left out, shape (X,).
        node_ms
            Round trips between nodes, shape (P, P, 3); inf where there is no path.
        """
        ixp = ixp.assign(node_no=ixp_node).sort_values("ixp_id", kind="stable")
        ixp = ixp[ixp["node_no"] >= 0]
        lon, lat = ixp["lon"].to_numpy(float), ixp["lat"].to_numpy(float)
        ms = np.asarray(node_ms, dtype=np.float64)[ixp["node_no"].to_numpy()]
        none = np.zeros(len(ixp), dtype=bool)
        return cls(_text(ixp["ixp_id"]), _text(ixp["ixp_name"]), lon, lat, none, ms)

    def take(self, chosen: np.ndarray) -> Self:
        """Take some of the targets, by a mask or numbers."""
        return type(self)(
            self.target_id[chosen], self.target_name[chosen], self.lon[chosen], self.lat[chosen],
            self.is_major[chosen], self.ms[chosen],
        )  # fmt: skip

    @cached_property
    def best(self) -> tuple[np.ndarray, np.ndarray]:
        """Target of the least mid round trip from each node, shape (P,), -1 none, and that mid."""
        if not len(self):
            count = self.ms.shape[1]
            return np.full(count, -1), np.full(count, np.inf)
        mid = self.ms[:, :, MID]
        number = mid.argmin(axis=0)
        least = np.take_along_axis(mid, number[None], axis=0)[0]
        return np.where(np.isfinite(least), number, -1), least

    def rtt(self, access: Access, rules: LatencyRules) -> np.ndarray:
        """Low, mid and high round trip from each place to each target.

        The least over the place's nodes of lateral and round trip from there, and the user's access
        once. The three are separate shortest paths.

        Returns
        -------
        Milliseconds, shape (n, T, 3); inf where there is no path.
        """
        out = np.full((len(access.mi), len(self), 3), np.inf)
        ms = np.ascontiguousarray(self.ms.transpose(1, 0, 2))

        def run(rows: slice) -> None:
            lateral = access.take(rows).lateral_ms(rules)
            for slot, node in enumerate(access.node_no[rows].T):
                there = lateral[:, slot, None, :] + ms[node]
                np.minimum(out[rows], there, out=out[rows])
            out[rows] += np.array(rules.access_ms)

        in_threads(run, len(out), block=1024)
        return out

    def least_rtt(self, access: Access, rules: LatencyRules) -> tuple[np.ndarray, np.ndarray]:
        """Target of the least mid round trip from each place, and the three round trips to it.

        The least over all targets of the least over the nodes is the least over the nodes of the best
        target of each, so that places cost no more where targets are many. Of equals it is the target
        of the nearest node, then the first.

        Returns
        -------
        tuple
            Target number, shape (n,), -1 where no target is reached, and milliseconds, shape (n, 3),
            NaN there.
        """
        best_no, best_ms = self.best
        number = np.full(len(access.mi), -1)
        ms = np.full((len(access.mi), 3), np.nan)
        if not len(self) or not self.ms.shape[1]:
            return number, ms

        def run(rows: slice) -> None:
            node = access.node_no[rows]
            lateral = access.take(rows).lateral_ms(rules)
            mid = lateral[:, :, MID] + best_ms[node]
            slot = mid.argmin(axis=1)[:, None]
            is_found = np.isfinite(np.take_along_axis(mid, slot, axis=1))[:, 0]
            chosen = best_no[np.take_along_axis(node, slot, axis=1)[:, 0]]
            there = (lateral + self.ms[chosen[:, None], node]).min(axis=1)
            number[rows] = np.where(is_found, chosen, -1)
            there = there + np.array(rules.access_ms)
            ms[rows] = np.where(is_found[:, None], there, np.nan)

        in_threads(run, len(ms), block=BLOCK)
        return number, ms


def _text(values: pd.Series) -> np.ndarray:
    """Plain text, so that arrays can be stored without pickling; an unknown name is empty."""
    return values.fillna("").to_numpy(dtype=str)
