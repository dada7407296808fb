"""Flexible load: what a new load could be if it gives way for a small share of its yearly energy.

A load of D MW that gives way in every hour in which the grid serves less than D is curtailed by
mean(max(0, D - C_h)) / D of its energy, with C_h the hosting capacity in hour h. That capacity follows
from the system's load level in the hour. What the share allows is the largest D that keeps to it
(Norris, Profeta, Patino-Echeverri and Cowie-Haskell, Rethinking Load Growth, Duke University 2025, who
ask it of whole balancing areas against their seasonal peak).
"""

import numpy as np

from geo.errors import GeoError

HOURS = 8_760


def flexible_mw(
    levels: np.ndarray,
    capacity_mw: np.ndarray,
    duration_level: np.ndarray,
    curtailed_share: np.ndarray,
) -> np.ndarray:
    """Largest load that is curtailed by no more than a share of its energy.

    Parameters
    ----------
    levels
        Load levels of the system, share of its peak, any order, shape (levels,).
    capacity_mw
        Hosting capacity at each level, MW, shape (levels, sites); NaN is unknown. Between levels it is
        linear, below the lowest constant.
    duration_level
        Level of the system in hours of equal weight, in any order, shape (hours,); none above the
        highest of `levels`.
    curtailed_share
        Shares of the load's energy, at least 0 and below 1, shape (k,).

    Returns
    -------
    ndarray
        MW, shape (k, sites); at a share of 0 the least capacity of any hour. NaN where a capacity is.

    Raises
    ------
    GeoError
        No level or hour is given, or one that is no number; a level stands twice; an hour is above the
        highest level; a capacity is negative or a share outside its range.
    """
    order = np.argsort(levels)
    level, capacity = np.asarray(levels, float)[order], np.asarray(capacity_mw, float)[order]
    hour = np.sort(np.asarray(duration_level, float))
    share = np.asarray(curtailed_share, float)
    _check(level, capacity, hour, share)
    parts = _segments(level, hour)
    out = np.full((share.size, capacity.shape[1]), np.nan)
    known = np.flatnonzero(np.isfinite(capacity).all(axis=0))
    capacity = capacity[:, known]
    least = _least(parts, capacity)
    for row, one in enumerate(share):
        out[row, known] = least if one == 0.0 else _largest(parts, capacity, least, one, hour.size)
    return out


def load_levels(series_mw: np.ndarray) -> np.ndarray:
    """Levels of a system from its hourly load, as `flexible_mw` takes them: descending, the peak is 1.

    Parameters
    ----------
    series_mw
        Load of hours (or other equal spans of time) of a year, MW, in any order.

    Raises
    ------
    GeoError
        The series is empty, has a value that is no number or negative, or is zero throughout.
    """
    series = np.asarray(series_mw, float).ravel()
    if series.size == 0:
        msg = "The hourly load has no value; give one for each hour of a year."
        raise GeoError(msg)
    if (bad := np.flatnonzero(~np.isfinite(series) | (series < 0.0))).size:
        msg = f"Value {bad[0] + 1} of the hourly load is {series[bad[0]]:g}; give MW of 0 or more."
        raise GeoError(msg)
    if (peak := series.max()) == 0.0:
        msg = "The hourly load is 0 in every hour; give the load of the whole system."
        raise GeoError(msg)
    return np.sort(series)[::-1] / peak


def duration_levels(
    share_of_hours: np.ndarray, level: np.ndarray, hours: int = HOURS
) -> np.ndarray:
    """Levels of hours of equal weight from points of a duration curve (reference/load_duration.csv).

    Parameters
    ----------
    share_of_hours
        Share of the year in which the load is at least `level`, ascending from 0 to 1, shape (n,).
    level
        Share of the peak, shape (n,); linear between the points.

    Returns
    -------
    ndarray
        Level in the middle of each span, descending where `level` is, shape (hours,).

    Raises
    ------
    GeoError
        The shares do not ascend from 0 to 1.
    """
    share = np.asarray(share_of_hours, float)
    if not (share.size > 1 and share[0] == 0.0 and share[-1] == 1.0 and np.all(np.diff(share) > 0)):
        msg = (
            "The shares of hours of a duration curve ascend from 0 to 1; look at load_duration.csv."
        )
        raise GeoError(msg)
    return np.interp((np.arange(hours) + 0.5) / hours, share, np.asarray(level, float))


def _check(level: np.ndarray, capacity: np.ndarray, hour: np.ndarray, share: np.ndarray) -> None:
    if level.size == 0 or hour.size == 0:
        msg = "Flexible load needs load levels and hours; none are given."
    elif not (np.isfinite(level).all() and np.isfinite(hour).all()):
        msg = "A load level is no number; give shares of the system's peak."
    elif np.any(np.diff(level) == 0.0):
        msg = "A load level stands twice; give each once."
    elif hour[-1] > level[-1]:
        msg = (
            f"An hour is at a level of {hour[-1]:g}, above the highest with a capacity, {level[-1]:g}; "
            "give capacities up to the peak."
        )
    elif np.any(capacity < 0.0):
        msg = "A hosting capacity is negative; the least is 0 MW."
    elif not np.all((share >= 0.0) & (share < 1.0)):
        msg = "A share of curtailed energy is at least 0 and below 1."
    else:
        return
    raise GeoError(msg)


class _Segment:
    """Hours between two neighbouring levels, by where they stand between them (0 to 1)."""

    def __init__(self, lower: int, upper: int, at: np.ndarray) -> None:
        self.lower, self.upper, self.at = lower, upper, at
        self.sum = np.concatenate([[0.0], np.cumsum(at)])

    def under(self, capacity: np.ndarray, load: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Count the hours with less capacity than the load, and sum their capacities."""
        low, step = capacity[self.lower], capacity[self.upper] - capacity[self.lower]
        crossing = np.where(load > low, np.inf, -np.inf)
        with np.errstate(over="ignore"):  # a step that is next to nothing
            np.divide(load - low, step, out=crossing, where=step != 0.0)
        first = np.searchsorted(self.at, crossing)
        falls = step < 0.0
        count = np.where(falls, self.at.size - first, first)
        at_sum = np.where(falls, self.sum[-1] - self.sum[first], self.sum[first])
        return count, count * low + step * at_sum


def _segments(level: np.ndarray, hour: np.ndarray) -> list[_Segment]:
    hour = np.maximum(hour, level[0])
    lower = np.minimum(np.searchsorted(level, hour, side="right") - 1, max(level.size - 2, 0))
    found = []
    for number in np.unique(lower):
        upper = min(number + 1, level.size - 1)
        span = level[upper] - level[number] or 1.0
        found.append(_Segment(number, upper, (hour[lower == number] - level[number]) / span))
    return found


def _least(parts: list[_Segment], capacity: np.ndarray) -> np.ndarray:
    """Capacity in the hour with the least of it; a linear course has it at an end."""
    out = np.full(capacity.shape[1], np.inf)
    for part in parts:
        step = capacity[part.upper] - capacity[part.lower]
        for at in (part.at[0], part.at[-1]):
            out = np.minimum(out, capacity[part.lower] + at * step)
    return out


def _largest(
    parts: list[_Segment], capacity: np.ndarray, least: np.ndarray, share: float, hours: int
) -> np.ndarray:
    """Newton's method on mean(max(0, D - C)) - share D, from above.

    It is convex and piecewise linear, so that each step lands at or above the root and the last,
    on the piece of the root, at it. With n the hours in which D is not served, a step leads to
    sum(their C) / (n - share hours).
    """
    load = np.full(capacity.shape[1], np.inf)
    left = np.arange(load.size)
    while left.size:
        count, total = np.zeros(left.size), np.zeros(left.size)
        for part in parts:
            counted, summed = part.under(capacity[:, left], load[left])
            count += counted
            total += summed
        weight = count - share * hours
        step = load[left].copy()
        np.divide(total, weight, out=step, where=weight > 0.0)
        step = np.maximum(step, least[left])
        goes_on = step < load[left]
        load[left[goes_on]] = step[goes_on]
        left = left[goes_on]
    return load
