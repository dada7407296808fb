"""Compiled loops of `geo.decide.covering`: which people a place reaches, and what they are worth."""

# numba infers the types.
# ruff: noqa: ANN001, ANN202

import numpy as np

from geo._jit import jit

# No path: more than any budget, and two of them fit into an int32.
NO_PATH_NS = 1 << 29


@jit
def _above(values, begin, end, limit):
    """First position in begin..end whose value is above a limit; values ascend."""
    while begin < end:
        middle = (begin + end) // 2
        if values[middle] <= limit:
            begin = middle + 1
        else:
            end = middle
    return begin


@jit
def _left(node, lateral_ns, node_ns, budget_ns, i, left) -> None:
    """Write what the budget leaves for the tail at every node that serves people; less than 0 is nothing."""
    left.fill(-1)
    for slot in range(node.shape[1]):
        if node[i, slot] < 0:
            continue
        room = budget_ns - lateral_ns[i, slot]
        row = node_ns[node[i, slot]]
        for j in range(left.size):
            left[j] = max(left[j], room - row[j])


@jit
def worths(place, node, lateral_ns, node_ns, first, tail_ns, budget_ns, running, out) -> None:
    """Write what the people within the budget of each place are worth; `running` holds those before each row."""
    left = np.empty(first.size - 1, np.int64)
    for n in range(place.size):
        _left(node, lateral_ns, node_ns, budget_ns, place[n], left)
        total = 0
        for j in range(left.size):
            if left[j] >= tail_ns[first[j]]:
                at = first[j + 1]
                if left[j] < tail_ns[at - 1]:
                    at = _above(tail_ns, first[j], at, left[j])
                total += running[at] - running[first[j]]
        out[n] = total


@jit
def reached(place, node, lateral_ns, node_ns, first, tail_ns, budget_ns, out) -> None:
    """Write how many rows of people of each node are within the budget of each place, shape (places, nodes)."""
    left = np.empty(first.size - 1, np.int64)
    for n in range(place.size):
        _left(node, lateral_ns, node_ns, budget_ns, place[n], left)
        for j in range(left.size):
            out[n, j] = 0
            if left[j] >= tail_ns[first[j]]:
                at = first[j + 1]
                if left[j] < tail_ns[at - 1]:
                    at = _above(tail_ns, first[j], at, left[j])
                out[n, j] = at - first[j]
