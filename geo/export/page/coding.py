"""Short codes for columns of parcels: a metric once, and from it the value scores of every workload.

The page re-ranks by value scores in whole millionths, which must be those of SQL to the last place. A metric is
therefore kept in steps so fine that its value functions give nearly all of them, and the few rows in which they do
not are listed with what is missing. One column so serves every workload, and shows and filters the metric as well.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from geo.export.page.pack import UNKNOWN_U32, Coded

MILLION = 1e6
# Part of a millionth that half a step may move a value score: with finer steps a metric costs more bytes than the
# corrections that it saves.
_STEP_MILLIONTHS = 0.25
# Part of itself that a value may be off where no value function rises or falls: it only has to be shown there, but
# of a gate's metric it is compared with bounds, and should not change sides.
_SHOWN = 2e-4
_COMPARED = 2e-6
_MOST_LEVELS = 4_096
# A piece of a value function: from_x, from_value, slope; it ends where the next one begins.
Piece = tuple[float, float, float]


def code_metric(
    values: np.ndarray, functions: Sequence[Sequence[Piece]], *, is_compared: bool = False
) -> tuple[Coded, np.ndarray]:
    """Code a metric by its levels where it has few values, else in steps of a power of two.

    Parameters
    ----------
    values
        (n,) float64 in the metric's own unit, NaN where it is unknown; none is infinite.
    functions
        Value functions that are computed from it, each a list of pieces from -1e300 on.
    is_compared
        Whether users compare it with bounds.

    Returns
    -------
    Coded
        (n,) uint32, the largest number where it is unknown.
    numpy.ndarray
        (n,) float64 that the page reads from it, NaN where it is unknown.
    """
    known = ~np.isnan(values)
    codes = np.full(values.shape, UNKNOWN_U32, dtype=np.uint32)
    read = np.full(values.shape, np.nan)
    levels, place = np.unique(values[known], return_inverse=True)
    if len(levels) <= _MOST_LEVELS:
        codes[known] = place
        read[known] = levels[place]
        return Coded(codes, {"levels": levels.tolist()}), read
    low = float(levels[0])
    base = min(low, 0.0)
    wanted = _wanted_step(values[known], functions, _COMPARED if is_compared else _SHOWN)
    step = 2.0 ** np.floor(np.log2(wanted.min()))
    while (levels[-1] - base) / step > UNKNOWN_U32 - 1:
        step *= 2
    base = float(np.floor(base / step)) * step
    # Of the values that are only shown the last bits are 0, which compresses.
    times = 2.0 ** np.maximum(np.floor(np.log2(wanted / step)), 0)
    steps = np.rint(np.rint((values[known] - base) / step / times) * times)
    codes[known] = np.clip(steps, 0, UNKNOWN_U32 - 1)
    read[known] = codes[known] * step + base
    return Coded(codes, {"step": step, "base": base}), read


def code_scores(
    millionths: np.ndarray, read: np.ndarray, pieces: Sequence[Piece]
) -> dict[str, np.ndarray]:
    """List where a value function of what the page reads differs from the value scores of SQL.

    Parameters
    ----------
    millionths
        (n,) uint32 value scores, the largest number where unknown.
    read
        (n,) float64 metric as the page reads it.
    pieces
        The value function.

    Returns
    -------
    dict
        `gap` (rows from one that differs to the next, the first from row 0) and `by` (what is to be added), both (m,)
        int32.

    Raises
    ------
    ValueError
        If one of the two is unknown where the other is not.
    """
    known = millionths != UNKNOWN_U32
    if not np.array_equal(known, ~np.isnan(read)):
        msg = "a value score is unknown where its metric is known, or the other way round"
        raise ValueError(msg)
    off = np.zeros(millionths.shape, dtype=np.int64)
    off[known] = millionths[known].astype(np.int64) - page_scores(read[known], pieces)
    rows = np.flatnonzero(off)
    return {
        "gap": np.diff(rows, prepend=0).astype(np.int32),
        "by": off[rows].astype(np.int32),
    }


def page_scores(x: np.ndarray, pieces: Sequence[Piece]) -> np.ndarray:
    """Value scores in millionths as the page's script computes them: the same doubles in the same order.

    Parameters
    ----------
    x
        (n,) float64.
    pieces
        The value function.

    Returns
    -------
    numpy.ndarray
        (n,) int64.
    """
    from_x, from_value, slope = np.array(pieces, dtype=np.float64).T
    at = np.searchsorted(from_x, x, side="right") - 1
    value = np.clip(from_value[at] + slope[at] * (x - from_x[at]), 0, 1)
    return np.floor(value * MILLION + 0.5).astype(np.int64)


def by_rank(values: np.ndarray, rank: np.ndarray, told: Mapping[str, Any] | None = None) -> Coded:
    """Keep of a column the rows that are ranked, in order of their rank: neighbours are alike then.

    Parameters
    ----------
    values
        (n,) of a type that packs take.
    rank
        (n,) float64 ranks from 1 without gaps, NaN where not ranked.
    told
        More for the column's header.
    """
    order = np.argsort(rank, kind="stable")[: int(np.isfinite(rank).sum())]
    return Coded(values[order], {"by": "rank", **(told or {})})


def _wanted_step(
    values: np.ndarray, functions: Sequence[Sequence[Piece]], share: float
) -> np.ndarray:
    """Widest step that each value may be rounded to, (n,) float64."""
    # Less than a millionth of a unit is nothing, so that values near 0 ask for no finer step.
    wanted = np.maximum(np.abs(values) * share, 1e-6)
    for pieces in functions:
        from_x, _, slopes = np.array(pieces, dtype=np.float64).T
        slope = np.abs(slopes[np.searchsorted(from_x, values, side="right") - 1])
        steep = slope > 0
        wanted[steep] = np.minimum(wanted[steep], _STEP_MILLIONTHS / (slope[steep] * MILLION))
    return wanted
