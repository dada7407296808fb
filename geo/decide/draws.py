"""Random draws that depend on what is drawn alone: seed, draw, quantity and who shares the error."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.special import gammaincinv

from geo.decide import _draws
from geo.decide._draws import FIRST, GOLDEN, MANTISSA, SECOND, UNITS

SEED = 20_261_122
COUNT = 1_000
# Coefficient of variation of a weight of average size.
WEIGHT_CV = 0.25


@dataclass(frozen=True)
class Draws:
    """How often is drawn, from which seed, and how far weights go.

    Attributes
    ----------
    count
        Draws.
    seed
        Whole number from 0; another gives other draws.
    weight_cv
        Coefficient of variation of a weight of 1 / J among J factors; 0 keeps the weights. A weight w has
        sqrt((1 / w - 1) / (J - 1)) times it: light weights are known less well.
    """

    count: int = COUNT
    seed: int = SEED
    weight_cv: float = WEIGHT_CV

    def uniform(self, draw: int | np.ndarray, quantity: str, group: np.ndarray) -> np.ndarray:
        """Draw uniformly over 0 to 1, both excluded, for groups that share an error.

        Parameters
        ----------
        draw
            Number of the draw, from 0; or several, which go with the groups by numpy's broadcasting.
        quantity
            What is drawn: the same number comes wherever its name comes.
        group
            Codes of the groups, uint64 (`codes_of`); shape (groups,).

        Returns
        -------
        ndarray
            Shape (groups,): of each group alone, whatever others are asked for beside it.
        """
        if isinstance(draw, int) and draw < self.count:
            found = np.empty(group.size)
            codes = np.asarray(group, dtype=np.uint64)
            _draws.put_uniform(_states(self, quantity)[draw], codes, found)
            return found
        state = self.state(np.atleast_1d(np.asarray(draw)), quantity)
        mixed = _mixed(_mixed(state ^ np.asarray(group, dtype=np.uint64)) + GOLDEN)
        return ((mixed >> np.uint64(11)).astype(np.float64) + 0.5) * MANTISSA

    def state(self, draw: np.ndarray, quantity: str) -> np.ndarray:
        """Mix seed, draws and what is drawn, before who shares it: uint64 (draws,)."""
        start = np.array([self.seed], dtype=np.uint64)
        number = draw.astype(np.uint64) + np.uint64(1)
        state = _mixed(_mixed(start + GOLDEN) + number * GOLDEN)
        return _mixed(state ^ _code(quantity))

    def weights(self, names: Sequence[str], weight: np.ndarray) -> np.ndarray:
        """Draw weights around those of a profile: a Dirichlet distribution with them as its mean.

        Parameters
        ----------
        names
            Of the factors; a factor's number comes from its name, not from its place.
        weight
            Weights, which sum to 1; one of 0 stays 0. Shape (J,).

        Returns
        -------
        ndarray
            int64 (count, J), in `UNITS`: each rounded for itself, so that a row's sum may be J / 2 off.
        """
        weight = np.asarray(weight, dtype=np.float64)
        is_used = weight > 0.0
        used = int(is_used.sum())
        drawn = np.repeat(weight[None, :], self.count, axis=0)
        if self.weight_cv > 0.0 and used > 1:
            concentration = (used - 1) / self.weight_cv**2 - 1.0
            if concentration <= 0.0:
                msg = f"weights of {used} factors cannot vary by {self.weight_cv:g} of themselves"
                raise ValueError(msg)
            none = np.zeros(1, dtype=np.uint64)
            for column in np.flatnonzero(is_used):
                uniform = self.uniform(np.arange(self.count), f"weight {names[column]}", none)
                drawn[:, column] = gammaincinv(concentration * weight[column], uniform)
            # Sorted, so that the order of the factors cannot change a bit of their sum.
            drawn /= np.cumsum(np.sort(drawn, axis=1), axis=1)[:, -1:]
        return np.rint(drawn * UNITS).astype(np.int64)


@lru_cache(maxsize=256)
def _states(draws: Draws, quantity: str) -> np.ndarray:
    return draws.state(np.arange(draws.count), quantity)


def codes_of(names: Sequence[str] | np.ndarray) -> np.ndarray:
    """Codes of groups by their names, the same in every run: uint64 (n,)."""
    code, found = pd.factorize(np.asarray(names, dtype=object))
    number = np.array([_code(str(name)) for name in found], dtype=np.uint64)
    return number[code] if number.size else np.empty(0, dtype=np.uint64)


def _code(name: str) -> np.uint64:
    return np.uint64(
        int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
    )


def triangular(
    uniform: np.ndarray, low: np.ndarray, mid: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """Values of triangular distributions where their shares below are `uniform`.

    Low and high are the ends and mid the mode; NaN where one of them is. All of shape (n,).
    """
    wide, below, above = high - low, mid - low, high - mid
    is_wide = wide > 0.0
    peak = np.divide(below, wide, out=np.zeros_like(wide), where=is_wide)
    rising = low + np.sqrt(uniform * (wide * below))
    falling = high - np.sqrt((1.0 - uniform) * (wide * above))
    return np.where(is_wide, np.where(uniform < peak, rising, falling), mid)


def _mixed(state: np.ndarray) -> np.ndarray:
    state = (state ^ (state >> np.uint64(30))) * FIRST
    state = (state ^ (state >> np.uint64(27))) * SECOND
    return state ^ (state >> np.uint64(31))
