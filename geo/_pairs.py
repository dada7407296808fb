"""Compiled search for all features within a distance of points, by the tree of `geo.features`."""

# numba infers the types, and calls between kernels cost more than long ones.
# ruff: noqa: ANN001, ANN202, C901

import numpy as np

from geo._arc import arc_m, longest_chord_m
from geo._jit import jit
from geo._tree import FAN, STACK

# Rounding of coordinates and bounds.
_SLACK_M = 1e-3


@jit
def within(here, parts, tree, reach_m, first, last, counts):
    """Pair the points first..last with the point features within reach.

    Writes how many each has to `counts`; returns features and metres, ordered by point and feature.
    """
    piece, number = parts
    boxes, count, level_first = tree
    chord = longest_chord_m(reach_m) + _SLACK_M
    chord2 = chord * chord
    stack, stack_level = np.empty(STACK, np.int64), np.empty(STACK, np.int64)
    found, metres = np.empty(1024, np.int64), np.empty(1024)
    # Metres by feature, so that only numbers are sorted.
    by_number = np.empty(len(number))
    total = 0
    for i in range(first, last):
        x, y, z = here[i, 0], here[i, 1], here[i, 2]
        begin = total
        stack[0], stack_level[0], depth = 0, len(count) - 1, 1
        while depth:
            depth -= 1
            node, level = stack[depth], stack_level[depth]
            if level:
                row = boxes[level_first[level] + node]
                for c in range(min(FAN, count[level - 1] - node * FAN)):
                    dx = max(row[0, c] - x, x - row[3, c], 0.0)
                    dy = max(row[1, c] - y, y - row[4, c], 0.0)
                    dz = max(row[2, c] - z, z - row[5, c], 0.0)
                    if dx * dx + dy * dy + dz * dz <= chord2:
                        stack[depth], stack_level[depth] = node * FAN + c, level - 1
                        depth += 1
                continue
            row = piece[node]
            if total + FAN > len(found):
                found, metres = _longer(found, metres, total)
            for c in range(min(FAN, len(number) - node * FAN)):
                u, v, w = row[0, c], row[1, c], row[2, c]
                if (u - x) ** 2 + (v - y) ** 2 + (w - z) ** 2 <= chord2:
                    metre = arc_m(x, y, z, u, v, w)
                    if metre <= reach_m:
                        no = number[node * FAN + c]
                        found[total], by_number[no] = no, metre
                        total += 1
        found[begin:total].sort()
        for j in range(begin, total):
            metres[j] = by_number[found[j]]
        counts[i] = total - begin
    return found[:total], metres[:total]


@jit
def _longer(found, metres, total):
    more, more_m = np.empty(2 * len(found), np.int64), np.empty(2 * len(found))
    for j in range(total):
        more[j], more_m[j] = found[j], metres[j]
    return more, more_m
