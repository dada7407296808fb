"""Counts of people as integers: thousandths of a person."""

import numpy as np

from geo.errors import GeoError

# Sums of people are of integers, so that no order changes a bit: thousandths of a person.
MILLI = 1_000


def to_milli(people: np.ndarray) -> np.ndarray:
    """Round people of points to thousandths, each by itself; int64, shape (n,).

    Raises
    ------
    GeoError
        For people that are negative, NaN or infinite.
    """
    people = np.asarray(people, dtype=np.float64)
    bad = ~((people >= 0.0) & np.isfinite(people))
    if bad.any():
        msg = (
            f"Point {int(np.argmax(bad))} has {people[bad][0]:g} people; leave out what is unknown."
        )
        raise GeoError(msg)
    return np.rint(people * MILLI).astype(np.int64)


def shared_milli(people: np.ndarray) -> np.ndarray:
    """Round people of cells to thousandths so that no run of cells gains or loses one; int64, shape (n,).

    Running sums are rounded, not cells: a country has millions of cells with less than a thousandth of a
    person each, all of whom plain rounding would lose.
    """
    running = np.rint(np.cumsum(people, dtype=np.float64) * MILLI).astype(np.int64)
    return np.diff(running, prepend=0)


def whole_people(milli: np.ndarray) -> np.ndarray:
    """Thousandths of a person as whole people, halves up."""
    return (milli + MILLI // 2) // MILLI
