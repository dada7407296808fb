"""Shortest ways on a lattice of streets, step by step with a heap; streets are drawn at right angles."""

import heapq

from tests.oracle.geodesic import GEOD


def unit_steps(streets):
    """Steps between neighbouring crossings: streets are ((x, y), (x, y)) with one coordinate equal."""
    steps = set()
    for (x1, y1), (x2, y2) in streets:
        for x in range(min(x1, x2), max(x1, x2) + 1):
            for y in range(min(y1, y2), max(y1, y2) + 1):
                for there in ((x + 1, y), (x, y + 1)):
                    if there[0] <= max(x1, x2) and there[1] <= max(y1, y2):
                        steps.add(((x, y), there))
    return steps


def shortest_km(steps, place, begin, end):
    """Length of the shortest way from crossing to crossing; infinite where there is none.

    `place` gives longitude and latitude of a crossing.
    """
    beside = {}
    for here, there in steps:
        km = GEOD.inv(*place(*here), *place(*there))[2] / 1_000
        beside.setdefault(here, []).append((there, km))
        beside.setdefault(there, []).append((here, km))
    best, heap = {}, [(0.0, begin)]
    while heap:
        km, here = heapq.heappop(heap)
        if here in best:
            continue
        best[here] = km
        for there, more in beside.get(here, []):
            heapq.heappush(heap, (km + more, there))
    return best.get(end, float("inf"))
