"""How often each of many rows is among the first when only weights are drawn: few rows ever can be, the rest is passed over.

The k-th best score of some likely rows is a bound that the k-th best of all does not fall under. With weights w that
are d off the profile's, a row of profile score s and spread q = sqrt(sum of w (v - s)^2) of its value scores v moves
by no more than q sqrt(sum of d^2 / w) (Cauchy-Schwarz; the d sum to 0). So one look at each row tells whether it can
reach the bound in any draw, and only those that can are scored. What comes out is exact: the shares that scoring all
rows gives.
"""

from collections.abc import Sequence

import numpy as np

from geo._threads import in_threads
from geo.decide import _draws
from geo.decide.draws import UNITS, Draws

# Likely rows that the bound is taken from.
PILOT = 2_048
# Steps of the spread, which is 0.5 at most, and scores held at once.
STEPS = 1_024
SCORES = 16_000_000
BLOCK = 65_536
# Over what rounding of floats, 1e-12, and that of weights, half a unit each, can do.
MARGIN = 1e-6


def top_chances(
    value: np.ndarray,
    names: Sequence[str],
    weight: np.ndarray,
    draws: Draws,
    tops: tuple[int, ...] = (10, 100),
    *,
    workers: int = -1,
) -> np.ndarray:
    """Shares of the draws of weights in which rows are among the first.

    Parameters
    ----------
    value
        Value scores in whole `UNITS`, int32 (J, n); equal scores go by the order of the rows.
    names
        Of the J factors; weights are drawn by them.
    weight
        Weights, which sum to 1; shape (J,).
    draws
        How often is drawn, from which seed, and how far weights go.
    tops
        How many are first.
    workers
        Threads, -1 all cores.

    Returns
    -------
    ndarray
        Shape (len(tops), n), float32.
    """
    factors, n = value.shape
    weight = np.asarray(weight, dtype=np.float64)
    drawn = draws.weights(names, weight)
    most = min(max(tops), n)
    chance = np.zeros((len(tops), n), dtype=np.float32)
    if n == 0:
        return chance
    score, spread = np.empty(n), np.empty(n)

    def bound(part: slice) -> None:
        _draws.put_spreads(value[:, part], weight, score[part], spread[part])

    in_threads(bound, n, workers, block=BLOCK)
    pilot = np.argpartition(-score, min(max(PILOT, most) - 1, n - 1))[: max(PILOT, most)]
    least = _least_of_first(drawn, value[:, pilot], most)
    is_used = weight > 0.0
    off = drawn[:, is_used] / UNITS - weight[is_used]
    reach = np.sqrt((off**2 / weight[is_used]).sum(axis=1))
    # Convex in the spread, so that ends of a step bound what lies between.
    steps = np.arange(STEPS + 1) / (2 * STEPS)
    ahead = (reach[:, None] * steps - least[:, None] / UNITS).max(axis=0)
    ahead = np.maximum(ahead[:-1], ahead[1:]) + factors * MARGIN + MARGIN
    step = np.minimum((spread * (2 * STEPS)).astype(np.int64), STEPS - 1)
    rows = np.flatnonzero(score + ahead[step] >= 0.0)
    held = value[:, rows].astype(np.float64)
    count = np.zeros((len(tops), rows.size), dtype=np.int64)
    block = max(SCORES // max(rows.size, 1), 1)
    for first in range(0, draws.count, block):
        # Products and sums of whole numbers under 2^53: exact in any order.
        some = drawn[first : first + block].astype(np.float64) @ held
        for total, bar in zip(some, least[first : first + block], strict=True):
            able = np.flatnonzero(total >= bar * UNITS)
            order = np.argsort(-np.floor(total[able] / UNITS), kind="stable")
            for k, top in enumerate(tops):
                count[k, able[order[:top]]] += 1
    chance[:, rows] = count / draws.count
    return chance


def _least_of_first(drawn: np.ndarray, value: np.ndarray, most: int) -> np.ndarray:
    """Whole scores of the last of the first `most`, by draw."""
    total = np.floor(drawn.astype(np.float64) @ value.astype(np.float64) / UNITS)
    total.partition(total.shape[1] - most, axis=1)
    return total[:, total.shape[1] - most]
