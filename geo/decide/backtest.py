"""Where real sites fall in a ranking: AUC and lift against matched land, with bootstrap intervals.

A site is compared with the land of its own group (state, or distance to a metro), each parcel counted
by its acres: its place is the share of that land that ranks below it. That is what a random acre drawn
from the group would give on average, without the noise of a draw. The mean of the places over all sites
is the AUC of Mann and Whitney, stratified by group; ties count half.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from geo.errors import GeoError

# Shares of the land at its top for which a lift is told.
TOP_SHARES = (0.01, 0.05, 0.10)
CONFIDENCE = 0.95
# Draws that are made together; a fixed number, so that no sum depends on the memory at hand.
BLOCK = 256
# What chance counts sites by, where the bootstrap counts groups of sites.
CHANCE_THING = 1 << 40


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


def bootstrap(
    values: np.ndarray, cluster: np.ndarray, *, seed: int, draws: int = 2000
) -> np.ndarray:
    """Means over sites that are drawn again and again, whole clusters at a time.

    Sites of one county share substations, prices and fiber: drawn one by one, they would make an interval
    that is too narrow.

    Parameters
    ----------
    values
        Measures of each site, shape (n, k), none NaN.
    cluster
        Number of the cluster of each site, shape (n,).
    seed, draws
        Every pick follows from the seed, its draw and its position, and from nothing else.

    Returns
    -------
    float64, shape (draws, k).
    """
    _, number = np.unique(cluster, return_inverse=True)
    count = int(number.max(initial=-1)) + 1
    sums = np.zeros((count, values.shape[1] + 1))
    np.add.at(sums, number, np.column_stack([values, np.ones(len(values))]))
    means = np.empty((draws, values.shape[1]))
    for start in range(0, draws, BLOCK):
        draw = np.arange(start, min(start + BLOCK, draws))
        picked = (chances(seed, draw, np.arange(count)) * count).astype(np.int64)
        flat = picked + count * np.arange(len(draw))[:, None]
        times = np.bincount(flat.ravel(), minlength=len(draw) * count).reshape(len(draw), count)
        total = (times[:, :, None] * sums).sum(axis=1)
        means[draw] = total[:, :-1] / total[:, -1:]
    return means


def at_random(count: int, *, seed: int, draws: int = 2000) -> np.ndarray:
    """Measures of so many sites that are put on the land at random, shape (draws, 4).

    As many random acres as there are sites: AUC 0.5 and lift 1 on average, and what chance makes of them.
    """
    means = np.empty((draws, 1 + len(TOP_SHARES)))
    for start in range(0, draws, BLOCK):
        draw = np.arange(start, min(start + BLOCK, draws))
        win = chances(seed, draw, CHANCE_THING + np.arange(count))
        lifts = [((1 - win) <= share).mean(axis=1) / share for share in TOP_SHARES]
        means[draw] = np.column_stack([win.mean(axis=1), *lifts])
    return means


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


def chances(seed: int, draw: np.ndarray, thing: np.ndarray) -> np.ndarray:
    """Numbers from 0 to under 1 that follow from seed, draw and thing alone, shape (draws, things)."""
    of_draw = _stirred(_stirred(np.array([seed], dtype=np.uint64)) + draw.astype(np.uint64))
    bits = _stirred(of_draw[:, None] + thing.astype(np.uint64)[None, :])
    return (bits >> np.uint64(11)) * 2.0**-53


def _stirred(bits: np.ndarray) -> np.ndarray:
    """Stir 64 bits (the finalizer of SplitMix64: Steele, Lea, Flood, 2014)."""
    bits = bits + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))
