"""Find the rows at fault in a run of rows that cannot be measured, by measuring it in halves."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

# Tries in a chunk: enough to single out eight rows of 65,536, few where every row is at fault.
MOST_TRIES = 256

# Measures rows `start` to `stop` (exclusive) of the chunk.
Measuring = Callable[[int, int], pa.Table]


@dataclass(frozen=True)
class Fault:
    """Rows `start` to `stop` (exclusive) of a chunk that cannot be measured together, and why."""

    start: int
    stop: int
    error: Exception

    def __len__(self) -> int:
        """Count the rows."""
        return self.stop - self.start


@dataclass(frozen=True)
class Halved:
    """What came of a chunk that was measured in pieces.

    Attributes
    ----------
    measured
        Rows measured, in their order.
    faults
        What could not be measured, in the order of rows; single rows unless there are too many.
    """

    measured: list[pa.Table]
    faults: list[Fault]


def in_halves(whole: Fault, measure: Measuring, most_tries: int = MOST_TRIES) -> Halved:
    """Measure all rows that can be, halving what fails until single rows are left.

    Large pieces come first, so that with many rows at fault the tries are spent evenly.

    Parameters
    ----------
    whole
        All rows of the chunk, with the error that they gave.
    measure
        Measures some of them.
    most_tries
        Calls of `measure` after which what still fails is left as it is.

    Raises
    ------
    MemoryError
        Memory ran out, which is no row's fault.
    """
    measured: list[tuple[int, pa.Table]] = []
    faults: list[Fault] = []
    failing = deque([whole])
    tries = 0
    while failing:
        fault = failing.popleft()
        if len(fault) == 1 or tries + 2 > most_tries:
            faults.append(fault)
            continue
        middle = (fault.start + fault.stop) // 2
        for start, stop in ((fault.start, middle), (middle, fault.stop)):
            tries += 1
            found = _tried(start, stop, measure)
            if isinstance(found, Fault):
                failing.append(found)
            else:
                measured.append((start, found))
    measured.sort(key=lambda piece: piece[0])
    return Halved([table for _, table in measured], sorted(faults, key=lambda fault: fault.start))


def first_fault(whole: Fault, measure: Measuring) -> Fault | None:
    """First row that cannot be measured by itself, found in about log2 of the rows tries.

    Parameters
    ----------
    whole, measure
        As in `in_halves`.

    Returns
    -------
    Fault or None
        None when the rows fail together only.

    Raises
    ------
    MemoryError
        Memory ran out, which is no row's fault.
    """
    fault, start, stop = whole, whole.start, whole.stop
    while stop - start > 1:
        middle = (start + stop) // 2
        found = _tried(start, middle, measure)
        if isinstance(found, Fault):
            fault, stop = found, middle
        else:
            start = middle
    if (fault.start, fault.stop) == (start, stop):
        return fault
    last = _tried(start, stop, measure)
    return last if isinstance(last, Fault) else None


def _tried(start: int, stop: int, measure: Measuring) -> pa.Table | Fault:
    try:
        return measure(start, stop)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001, whatever it is, it is told of the rows
        return Fault(start, stop, error)
