"""Compiled solution of L D L' x = b for a block of right-hand sides at once."""

# numba infers the types.
# ruff: noqa: ANN001, C901

from geo._jit import jit

# Right-hand sides solved together: their values of one node are four cache lines side by side.
BLOCK = 32


@jit
def solve(start, below, factor, diagonal, x) -> None:
    """Solve in place, x (nodes, BLOCK), for a unit lower triangle in columns without its diagonal.

    A column's result does not depend on the others of its block.
    """
    for j in range(diagonal.size):
        xj = x[j]
        is_zero = True
        for c in range(BLOCK):
            if xj[c] != 0.0:
                is_zero = False
        if is_zero:
            continue
        for p in range(start[j], start[j + 1]):
            value, xi = factor[p], x[below[p]]
            for c in range(BLOCK):
                xi[c] -= value * xj[c]
    for j in range(diagonal.size - 1, -1, -1):
        xj, inverse = x[j], 1.0 / diagonal[j]
        for c in range(BLOCK):
            xj[c] *= inverse
        for p in range(start[j], start[j + 1]):
            value, xi = factor[p], x[below[p]]
            for c in range(BLOCK):
                xj[c] -= value * xi[c]
