"""Compiled tracing of the outlines of patches of raster cells.

Cells are numbered by patch, 0 for none, cells of a patch joined along edges. An outline is followed with
its patch on the right, rows counted downwards, so that shells turn clockwise on the screen and holes the
other way. Where two cells meet at a corner only, the outline stays with its own cell when the other is
of another patch, and crosses over when it is of the same: then one of the two gaps is a hole of the patch,
which touches the shell in that corner, and every polygon is valid.
"""

# numba infers the types.
# ruff: noqa: ANN001, C901

import numpy as np

from geo._jit import jit

# East, south, west, north: steps in column and row, and where from a corner the cells ahead lie.
_STEP = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])
_RIGHT = np.array([[0, 0], [-1, 0], [-1, -1], [0, -1]])
_LEFT = np.array([[0, -1], [0, 0], [-1, 0], [-1, -1]])


@jit
def trace(patches, seen, corners, ring_end, ring_patch, is_hole, count_only) -> tuple[int, int]:
    """Follow all outlines; returns how many rings and corners there are.

    `patches` (rows + 2, columns + 2) are the cells' patches within a border of zeros, `seen` of the same
    shape starts as False. Unless only counting, `corners` (c, 2) become columns and rows, closed rings one
    after another, and `ring_end`, `ring_patch`, `is_hole` (r,) describe the rings.
    """
    rings, count = 0, 0
    for first_row in range(1, patches.shape[0] - 1):
        for first_column in range(1, patches.shape[1] - 1):
            own = patches[first_row, first_column]
            if own == 0 or patches[first_row - 1, first_column] == own:
                continue
            if seen[first_row, first_column]:
                continue
            begin = count
            twice = 0
            column, row, heading = first_column, first_row, 0
            while not (heading == 0 and seen[row, column]):
                if heading == 0:
                    seen[row, column] = True
                before_column, before_row = column, row
                column += _STEP[heading, 0]
                row += _STEP[heading, 1]
                twice += before_column * row - column * before_row
                right = patches[row + _RIGHT[heading, 1], column + _RIGHT[heading, 0]]
                left = patches[row + _LEFT[heading, 1], column + _LEFT[heading, 0]]
                turn = 0
                if left == own:
                    turn = -1
                elif right != own:
                    turn = 1
                if turn != 0:
                    if not count_only:
                        corners[count, 0], corners[count, 1] = column - 1, row - 1
                    count += 1
                    heading = (heading + turn) % 4
            if not count_only:
                corners[count, 0], corners[count, 1] = corners[begin, 0], corners[begin, 1]
                ring_end[rings], ring_patch[rings] = count + 1, own
                is_hole[rings] = twice < 0
            count += 1
            rings += 1
    return rings, count
