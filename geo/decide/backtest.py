"""Where real sites fall in a ranking: AUC and lift against matched land, with bootstrap intervals.

A site is compared with the land of its own group (state, or distance to a metro), each parcel counted
by its acres: its place is the share of that land that ranks below it. That is what a random acre drawn
from the group would give on average, without the noise of a draw. The mean of the places over all sites
is the AUC of Mann and Whitney, stratified by group; ties count half.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from geo.decide.draws import Draws
from geo.errors import GeoError

# Shares of the land at its top for which a lift is told.
TOP_SHARES = (0.01, 0.05, 0.10)
CONFIDENCE = 0.95
# Draws that are made together; a fixed number, so that no sum depends on the memory at hand.
BLOCK = 256
# What is drawn: clusters of sites, and places on the land.
CLUSTER, PLACE = "backtest cluster", "backtest place"


@dataclass(frozen=True)
class Places:
    """Place of each site among the land of its group.

    Attributes
    ----------
    above, tied, below
        Share of the land, by acres, that ranks above, level with and below each site, shape (n,); they
        sum to 1; NaN where the group holds no land.
    """

    above: np.ndarray
    tied: np.ndarray
    below: np.ndarray

    @classmethod
    def of(
        cls,
        site_key: np.ndarray,
        site_group: np.ndarray,
        land_key: np.ndarray,
        land_group: np.ndarray,
        land_acres: np.ndarray,
    ) -> Self:
        """Find the places.

        Parameters
        ----------
        site_key, land_key
            What is ranked by, shapes (n,) and (m,), larger is better; -inf where it is unknown.
        site_group, land_group
            Whole numbers; a site is compared with the land of its number.
        land_acres
            Acres of land, shape (m,), 0 or more. Land of 0 acres is nowhere.

        Raises
        ------
        GeoError
            A key is NaN, or acres are negative or unknown.
        """
        if np.isnan(site_key).any() or np.isnan(land_key).any():
            msg = "a key is NaN: -inf ranks last what is unknown"
            raise GeoError(msg)
        if not (land_acres >= 0).all():
            msg = "acres are negative or unknown"
            raise GeoError(msg)
        is_there = land_acres > 0
        group, key, acres = land_group[is_there], land_key[is_there], land_acres[is_there]
        order = np.lexsort((key, group))
        group, key, acres = group[order], key[order], acres[order]
        shares = np.full((3, len(site_key)), np.nan)
        for number in np.unique(site_group):
            start, stop = np.searchsorted(group, [number, number + 1])
            if start == stop:
                continue
            of_group = site_group == number
            left = np.searchsorted(key[start:stop], site_key[of_group], "left")
            right = np.searchsorted(key[start:stop], site_key[of_group], "right")
            up_to = np.concatenate([[0.0], np.cumsum(acres[start:stop])])
            parts = (up_to[-1] - up_to[right], up_to[right] - up_to[left], up_to[left])
            shares[:, of_group] = np.array(parts) / up_to[-1]
        return cls(*shares)

    @property
    def is_known(self) -> np.ndarray:
        """Whether there was land to compare with, shape (n,)."""
        return ~np.isnan(self.below)

    def wins(self) -> np.ndarray:
        """Share of the land that each site beats, ties counted half, shape (n,): their mean is the AUC."""
        return self.below + self.tied / 2

    def lifts(self, share: float) -> np.ndarray:
        """How often each site is in the top `share` of the land, over how often land is, shape (n,).

        A site that is level with land across the border of the top counts by the part of that land
        which is inside.
        """
        inside = np.clip(share - self.above, 0.0, self.tied)
        is_tied = self.tied > 0
        part = np.divide(inside, self.tied, out=np.zeros_like(inside), where=is_tied)
        credit = np.where(is_tied, part, self.above < share)
        return np.where(self.is_known, credit, np.nan) / share

    def measures(self) -> np.ndarray:
        """Wins and the lift at each of `TOP_SHARES`, shape (n, 4)."""
        return np.column_stack([self.wins(), *(self.lifts(share) for share in TOP_SHARES)])


def bootstrap(values: np.ndarray, cluster: np.ndarray, draws: Draws) -> np.ndarray:
    """Means over sites that are drawn again and again, whole clusters at a time.

    Sites of one county share substations, prices and fiber: drawn one by one, they would make an interval
    that is too narrow.

    Parameters
    ----------
    values
        Measures of each site, shape (n, k), none NaN.
    cluster
        Number of the cluster of each site, shape (n,).
    draws
        How often, and from which seed: a pick follows from it, its draw and its position alone.

    Returns
    -------
    float64, shape (draws.count, k).
    """
    _, number = np.unique(cluster, return_inverse=True)
    count = int(number.max(initial=-1)) + 1
    sums = np.zeros((count, values.shape[1] + 1))
    np.add.at(sums, number, np.column_stack([values, np.ones(len(values))]))
    means = np.empty((draws.count, values.shape[1]))
    for draw in _blocks(draws):
        drawn = draws.uniform(draw[:, None], CLUSTER, np.arange(count))
        picked = (drawn * count).astype(np.int64)
        flat = picked + count * np.arange(len(draw))[:, None]
        times = np.bincount(flat.ravel(), minlength=len(draw) * count).reshape(len(draw), count)
        total = (times[:, :, None] * sums).sum(axis=1)
        means[draw] = total[:, :-1] / total[:, -1:]
    return means


def at_random(count: int, draws: Draws) -> np.ndarray:
    """Measures of so many sites that are put on the land at random, shape (draws.count, 4).

    As many random acres as there are sites: AUC 0.5 and lift 1 on average, and what chance makes of them.
    """
    means = np.empty((draws.count, 1 + len(TOP_SHARES)))
    for draw in _blocks(draws):
        win = draws.uniform(draw[:, None], PLACE, np.arange(count))
        lifts = [((1 - win) <= share).mean(axis=1) / share for share in TOP_SHARES]
        means[draw] = np.column_stack([win.mean(axis=1), *lifts])
    return means


def _blocks(draws: Draws) -> Iterator[np.ndarray]:
    """Numbers of the draws, a block at a time."""
    for start in range(0, draws.count, BLOCK):
        yield np.arange(start, min(start + BLOCK, draws.count))


def interval(drawn: np.ndarray) -> np.ndarray:
    """Central interval of draws along their first axis, shape (2, ...)."""
    tail = (1 - CONFIDENCE) / 2
    return np.quantile(drawn, [tail, 1 - tail], axis=0)


def verdict(ranking: np.ndarray, baseline: np.ndarray) -> str:
    """Say how a ranking compares with a baseline by draws of the same sites, each of shape (draws,).

    Returns
    -------
    `ahead` and `behind` when the intervals do not overlap; `ahead_in_pairs` and `behind_in_pairs` when
    they do, but the difference on the same draws is sure of its sign; else `no_difference`.
    """
    (low, high), (base_low, base_high) = interval(ranking), interval(baseline)
    if low > base_high:
        return "ahead"
    if high < base_low:
        return "behind"
    least, most = interval(ranking - baseline)
    if least > 0:
        return "ahead_in_pairs"
    return "behind_in_pairs" if most < 0 else "no_difference"
