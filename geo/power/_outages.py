"""Compiled loops of `geo.power.outages`."""

# numba infers the types.
# ruff: noqa: ANN001, ANN202, C901

import numpy as np

from geo._jit import jit
from geo.power._ldl import BLOCK, solve

# An outage that leaves this much of the branch's own transfer to the others leaves no solution: reactances
# cancel without it.
LEAST_LEFT = 1e-9


@jit
def shares(
    outage, start, below, factor, diagonal, from_place, to_place, susceptance,
    reach_mw, least_mw, least_share, x, element, column, share,
):  # fmt: skip
    """Write the shares of up to BLOCK outages that may matter; return their number.

    Outages are positions of branches; `x` is work space, (places + 1, BLOCK). A share of an outage matters
    where it is more than `least_share` and, times `reach_mw` of the outage, at least `least_mw` of the
    element. Where there is no room for all, the number is returned and nothing is complete.
    """
    places = diagonal.size
    for i in range(places + 1):
        for c in range(BLOCK):
            x[i, c] = 0.0
    for c in range(outage.size):
        x[from_place[outage[c]], c] += 1.0
        x[to_place[outage[c]], c] -= 1.0
    for c in range(BLOCK):
        x[places, c] = 0.0
    solve(start, below, factor, diagonal, x)
    inverse, reach = np.zeros(BLOCK), np.zeros(BLOCK)
    for c in range(outage.size):
        k = outage[c]
        own = susceptance[k] * (x[from_place[k], c] - x[to_place[k], c])
        if abs(1.0 - own) > LEAST_LEFT:
            inverse[c] = 1.0 / (1.0 - own)
        reach[c] = reach_mw[k]
    count = 0
    for branch in range(susceptance.size):
        one, other, b = x[from_place[branch]], x[to_place[branch]], susceptance[branch]
        least = least_mw[branch]
        for c in range(BLOCK):
            value = b * (one[c] - other[c]) * inverse[c]
            if abs(value) > least_share and abs(value) * reach[c] >= least and outage[c] != branch:
                if count < share.size:
                    element[count], column[count], share[count] = branch, outage[c], value
                count += 1
    return count
