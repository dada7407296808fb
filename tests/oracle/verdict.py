"""Scores and gates of a parcel in plain numpy, and the least changes of it by trying a great many."""

import itertools

import numpy as np


def score(curves, values):
    """Points of a parcel: curves are {metric: (weight, xs, ys)}; an unknown value brings none."""
    total = 0.0
    for metric, (weight, xs, ys) in curves.items():
        x = values.get(metric, np.nan)
        total += 0.0 if np.isnan(x) else 100 * weight * float(np.interp(x, xs, ys))
    return total


def passes(gates, values):
    """Whether all gates, (metric, 'at_least' | 'at_most', bound), are known to pass."""
    for metric, kind, bound in gates:
        x = values.get(metric, np.nan)
        if not (x >= bound if kind == "at_least" else x <= bound):
            return False
    return True


def tried(curve, start, count):
    """Values to try of a metric: a grid over its breakpoints, these, and where it stands."""
    _, xs, _ = curve
    return np.unique(np.concatenate([np.linspace(xs[0], xs[-1], count), xs, [start]]))


def gains(curve, start, count):
    """(sizes, points more) of all values tried of a metric."""
    weight, xs, ys = curve
    x = tried(curve, start, count)
    size = np.abs(x - start) / (xs[-1] - xs[0])
    return size, 100 * weight * (np.interp(x, xs, ys) - np.interp(start, xs, ys))


def least_pair(curves, values, lacking, count=400):
    """Least sum of sizes of two changes, on a grid, that bring what is lacking; infinite where none does."""
    found = np.inf
    for one, other in itertools.combinations(curves, 2):
        size, gain = gains(curves[one], values[one], count)
        size_2, gain_2 = gains(curves[other], values[other], count)
        enough = gain[:, None] + gain_2[None, :] >= lacking
        if enough.any():
            found = min(found, (size[:, None] + size_2[None, :])[enough].min())
    return found
