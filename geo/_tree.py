"""Packed trees of boxes, eight children a node, built once over things in Hilbert order.

Every node keeps the boxes of its eight children side by side, so that one pass of vector instructions
tests all of them. Level 0 are the things themselves (or leaves of eight pieces each), the last level is
the root. A tree is three arrays and can be mapped into memory or sent to another process.
"""

# numba infers the types.
# ruff: noqa: ANN001, ANN202

from typing import NamedTuple

import numpy as np

from geo._jit import jit

FAN = 8
# Room on a stack for all siblings of every level: trees over 8^16 things.
STACK = FAN * 16
# Steps of the Hilbert curve along one side.
_SIDE = 1 << 16


class Tree(NamedTuple):
    """Boxes around things.

    Attributes
    ----------
    boxes
        Low ends, then high ends, of each node's children: shape (nodes, 2 d, 8).
    count
        Things, nodes above them, and so on to 1 for the root: int64, shape (levels + 1,).
    first
        Row in `boxes` of the first node of each level; 0 for level 0, which has none.
    """

    boxes: np.ndarray
    count: np.ndarray
    first: np.ndarray


def build(item_boxes: np.ndarray) -> Tree:
    """Build a tree over boxes (n, 2 d), low ends then high ends, given in the order to keep."""
    sizes = [len(item_boxes)]
    while sizes[-1] > 1 or len(sizes) == 1:
        sizes.append(max(-(-sizes[-1] // FAN), 1))
    count = np.array(sizes, dtype=np.int64)
    first = np.zeros(len(count), dtype=np.int64)
    first[2:] = np.cumsum(count[1:-1])
    boxes = np.zeros((int(count[1:].sum()), item_boxes.shape[1], FAN))
    fill(np.ascontiguousarray(item_boxes, dtype=np.float64), count, first, boxes)
    return Tree(boxes, count, first)


def hilbert_order(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Order of points along a Hilbert curve through the box around them."""
    if not x.size:
        return np.zeros(0, dtype=np.int64)
    codes = np.empty(x.size, dtype=np.int64)
    west, south = float(x.min()), float(y.min())
    side = max(float(x.max()) - west, float(y.max()) - south, 1e-9)
    hilbert(np.ascontiguousarray(x), np.ascontiguousarray(y), west, south, side, codes)
    return np.argsort(codes, kind="stable")


@jit
def hilbert(x, y, west, south, side, codes) -> None:
    """Places of points along the Hilbert curve through a square."""
    scale = (_SIDE - 1) / side
    for i in range(len(x)):
        column = int((x[i] - west) * scale)
        row = int((y[i] - south) * scale)
        code = 0
        half = _SIDE // 2
        while half > 0:
            right = 1 if column & half else 0
            upper = 1 if row & half else 0
            code += half * half * ((3 * right) ^ upper)
            if upper == 0:
                if right == 1:
                    column, row = _SIDE - 1 - column, _SIDE - 1 - row
                column, row = row, column
            half >>= 1
        codes[i] = code


@jit
def fill(item_boxes, count, first, boxes) -> None:
    """Boxes of all nodes, from those of the things upwards."""
    axes = item_boxes.shape[1] // 2
    for i in range(count[0]):
        for side in range(2 * axes):
            boxes[i // FAN, side, i % FAN] = item_boxes[i, side]
    for level in range(2, len(count)):
        for i in range(count[level - 1]):
            child = first[level - 1] + i
            node = first[level] + i // FAN
            children = min(FAN, count[level - 2] - i * FAN)
            for axis in range(axes):
                low, high = np.inf, -np.inf
                for j in range(children):
                    low = min(low, boxes[child, axis, j])
                    high = max(high, boxes[child, axes + axis, j])
                boxes[node, axis, i % FAN] = low
                boxes[node, axes + axis, i % FAN] = high


@jit
def pack_pieces(start, span, order, piece, boxes):
    """Pieces (n, 3) in order into leaves (leaves, 7, 8) and the boxes around those (leaves, 6).

    A leaf's rows are start, span and 1 / |span|², 0 for points. Returns the square of the longest span.
    """
    longest = 0.0
    for leaf in range(len(boxes)):
        for axis in range(3):
            boxes[leaf, axis], boxes[leaf, 3 + axis] = np.inf, -np.inf
        for i in range(leaf * FAN, min((leaf + 1) * FAN, len(order))):
            slot = i - leaf * FAN
            squared = 0.0
            for axis in range(3):
                a, w = start[order[i], axis], span[order[i], axis]
                squared += w * w
                piece[leaf, axis, slot] = a
                piece[leaf, 3 + axis, slot] = w
                boxes[leaf, axis] = min(boxes[leaf, axis], a, a + w)
                boxes[leaf, 3 + axis] = max(boxes[leaf, 3 + axis], a, a + w)
            piece[leaf, 6, slot] = 1.0 / squared if squared > 0.0 else 0.0
            longest = max(longest, squared)
    return longest
