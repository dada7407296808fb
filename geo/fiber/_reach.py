"""Compiled loops of `geo.fiber.reach`: people within a round trip, and the nearest of each place's candidates.

Round trips are whole nanoseconds here (a tenth of a metre of fiber), so that sums are exact and it cannot
matter in what company a place is counted. Places that follow one another and are linked to the same nodes
are counted together: with `low` and `high` the least and the greatest of their laterals, people within even
from `high` count for all of them, and people out of reach even from `low` for none; only those between are
held against each place.
"""

# numba infers the types, and inlines helpers at a price that forbids more of them.
# ruff: noqa: ANN001, ANN202, C901, PLR0912, PLR0915

import numpy as np

from geo._arc import arc_m
from geo._jit import jit

# No path: more than any budget, and two of them fit into an int32.
NO_PATH_NS = 1 << 29
# Places counted together: so many at most, their laterals no farther apart than this either way (15 km of
# mid round trip); a million places took longer with 40,000, and about as long with 500,000.
_MOST = 256
_SPREAD_NS = 250_000


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
def _company(node, lateral_ns, begin, last):
    """End of the places from `begin` that are linked to the same nodes with laterals nearly the same."""
    slots = node.shape[1]
    end = begin + 1
    while end < last and end - begin < _MOST:
        for slot in range(slots):
            gap = lateral_ns[1, end, slot] - lateral_ns[1, begin, slot]
            if node[end, slot] != node[begin, slot] or abs(gap) > _SPREAD_NS:
                return end
        end += 1
    return end


@jit
def people(node, lateral_ns, node_ns, first, tail_ns, total, budget_ns, start, stop, out) -> None:
    """Count the people within budgets of the places start..stop.

    Parameters
    ----------
    node
        Nodes of each place, ascending, -1 where there are fewer, (n, K).
    lateral_ns
        Round trip to them, (3, n, K); NO_PATH_NS where there are fewer.
    node_ns
        Round trip from every node to the nodes that serve people, (3, P, S).
    first
        Where the people of each of those begin, (S + 1,).
    tail_ns
        Round trip from people to their node, ascending within a node, (3, R).
    total
        People before each row, (R + 1,).
    budget_ns
        Ascending, without access, (3, B).
    out
        People, (n, B, 3), all 0; the last axis is that of the round trips.
    """
    slots, served, budgets = node.shape[1], node_ns.shape[2], budget_ns.shape[1]
    least, most = np.empty(served, np.int64), np.empty(served, np.int64)
    low, high = np.empty(slots, np.int64), np.empty(slots, np.int64)
    base = np.empty(budgets, np.int64)
    added = np.empty((slots, budgets, _MOST + 1), np.int64)
    sorted_ns, rank = np.empty((slots, _MOST), np.int64), np.empty((slots, _MOST), np.int64)
    begin = start
    while begin < stop:
        if node[begin].max() < 0:
            begin += 1
            continue
        end = _company(node, lateral_ns, begin, stop)
        size = end - begin
        for e in range(3):
            least.fill(2 * NO_PATH_NS)
            most.fill(2 * NO_PATH_NS)
            for slot in range(slots):
                if node[begin, slot] < 0:
                    continue
                here = lateral_ns[e, begin:end, slot]
                low[slot], high[slot] = here.min(), here.max()
                row = node_ns[e, node[begin, slot]]
                for j in range(served):
                    least[j] = min(least[j], low[slot] + row[j])
                    most[j] = min(most[j], high[slot] + row[j])
                if size > 1:
                    order = np.argsort(here, kind="mergesort")
                    for i in range(size):
                        sorted_ns[slot, i], rank[slot, i] = here[order[i]], order[i]
            base.fill(0)
            if size > 1:
                added[:, :, : size + 1] = 0
            tail = tail_ns[e]
            longest = budget_ns[e, budgets - 1]
            for j in range(served):
                if least[j] + tail[first[j]] > longest:
                    continue
                for b in range(budgets):
                    # What is left for the tail, from the nearest and the farthest of the places.
                    room = budget_ns[e, b] - least[j]
                    if room < tail[first[j]]:
                        continue
                    sure = budget_ns[e, b] - most[j]
                    inner = first[j + 1]
                    if sure < tail[inner - 1]:
                        inner = _above(tail, first[j], inner, sure)
                    base[b] += total[inner] - total[first[j]]
                    outer = inner
                    if size > 1:
                        outer = _above(tail, inner, first[j + 1], room)
                    if inner == outer:
                        continue
                    alone, rivals = 0, 0
                    for slot in range(slots):
                        if node[begin, slot] >= 0:
                            via = node_ns[e, node[begin, slot], j]
                            if low[slot] + via <= most[j]:
                                alone, rivals = slot, rivals + 1
                    if rivals == 1:
                        # One node serves all the places best: a threshold on their laterals to it.
                        left = budget_ns[e, b] - node_ns[e, node[begin, alone], j]
                        for p in range(inner, outer):
                            at = _above(sorted_ns[alone], 0, size, left - tail[p])
                            added[alone, b, at] += total[p + 1] - total[p]
                        continue
                    for i in range(begin, end):
                        best = 2 * NO_PATH_NS
                        for slot in range(slots):
                            if node[i, slot] >= 0:
                                via = node_ns[e, node[i, slot], j]
                                best = min(best, lateral_ns[e, i, slot] + via)
                        at = _above(tail, inner, outer, budget_ns[e, b] - best)
                        out[i, b, e] += total[at] - total[inner]
            for b in range(budgets):
                for i in range(begin, end):
                    out[i, b, e] += base[b]
                if size == 1:
                    continue
                for slot in range(slots):
                    if node[begin, slot] < 0:
                        continue
                    # What the first `at` places of the order reach is reached by all nearer ones.
                    so_far = 0
                    for i in range(size - 1, -1, -1):
                        so_far += added[slot, b, i + 1]
                        out[begin + rank[slot, i], b, e] += so_far
        begin = end


@jit
def nearest_of(
    here, list_no, offsets, candidate, there, reach_m, start, stop, number, metres
) -> None:
    """Write the nearest of the candidates in each place's list, and geodesic metres, over -1 and inf.

    Of equals it is the first. No arc is shorter than its chord, so that few arcs are measured.
    """
    for i in range(start, stop):
        if list_no[i] < 0:
            continue
        begin, end = offsets[list_no[i]], offsets[list_no[i] + 1]
        x, y, z = here[i, 0], here[i, 1], here[i, 2]
        nearest, nearest2 = -1, np.inf
        for j in range(begin, end):
            c = candidate[j]
            squared = (there[c, 0] - x) ** 2 + (there[c, 1] - y) ** 2 + (there[c, 2] - z) ** 2
            if squared < nearest2:
                nearest, nearest2 = c, squared
        if nearest < 0 or nearest2 > reach_m * reach_m:
            continue
        bound = arc_m(x, y, z, there[nearest, 0], there[nearest, 1], there[nearest, 2])
        best, winner = np.inf, -1
        for j in range(begin, end):
            c = candidate[j]
            squared = (there[c, 0] - x) ** 2 + (there[c, 1] - y) ** 2 + (there[c, 2] - z) ** 2
            if squared <= bound * bound:
                metre = arc_m(x, y, z, there[c, 0], there[c, 1], there[c, 2])
                if metre < best:
                    best, winner = metre, c
        if best <= reach_m:
            number[i], metres[i] = winner, best


@jit
def arcs(here, there, start, stop, metres) -> None:
    """Write the geodesic metres between pairs of points in ECEF."""
    for i in range(start, stop):
        metres[i] = arc_m(here[i, 0], here[i, 1], here[i, 2], there[i, 0], there[i, 1], there[i, 2])
