"""Compiled loops of `geo.power.sharing` and `geo.power.constraints`."""

# numba infers the types.
# ruff: noqa: ANN001, C901

import numpy as np

from geo._jit import jit
from geo.power._ldl import BLOCK, solve

INTACT = -1
BY_SUPPLY = -1
# Sensitivities under this are what rounding leaves of nothing.
NOTHING = 1e-9


@jit
def room(
    h, near, pair, factor, held_near, near_left_mw, held_pair, pair_left_mw, element, outage, share,
    flow, limit, after_limit, floor, held_floor, found,
) -> None:  # fmt: skip
    """Write into `found` what a site can still draw: MW (may be negative), element, outage.

    Elements `near` and pairs `pair` (with `factor`) are those that the site leans on; of the held ones that
    others lean on those count for it where its own sensitivity is `held_floor` or more. What is left of
    these, either way, tells most of them off: the site's share is under `floor`.
    """
    best, element_of, outage_of = np.inf, BY_SUPPLY, INTACT
    for j in range(near.size):
        i = near[j]
        toward = flow[i] if h[i] > 0.0 else -flow[i]
        mw = (limit[i] - toward) / abs(h[i])
        if mw < best:
            best, element_of, outage_of = mw, i, INTACT
    for j in range(pair.size):
        p = pair[j]
        i = element[p]
        total = flow[i] + share[p] * flow[outage[p]]
        toward = total if factor[j] > 0.0 else -total
        mw = (after_limit[i] - toward) / abs(factor[j])
        if mw < best:
            best, element_of, outage_of = mw, i, outage[p]
    for j in range(held_near.size):
        if near_left_mw[j] >= floor * best:
            continue
        i = held_near[j]
        a = abs(h[i])
        if held_floor <= a < floor:
            toward = flow[i] if h[i] > 0.0 else -flow[i]
            mw = (limit[i] - toward) / a
            if mw < best:
                best, element_of, outage_of = mw, i, INTACT
    for j in range(held_pair.size):
        if pair_left_mw[j] >= floor * best:
            continue
        p = held_pair[j]
        i, k = element[p], outage[p]
        value = h[i] + share[p] * h[k]
        a = abs(value)
        if held_floor <= a < floor:
            total = flow[i] + share[p] * flow[k]
            toward = total if value > 0.0 else -total
            mw = (after_limit[i] - toward) / a
            if mw < best:
                best, element_of, outage_of = mw, i, k
    found[0], found[1], found[2] = best, element_of, outage_of


@jit
def left_of(held_near, held_pair, element, outage, share, flow, limit, after_limit, near_left_mw, pair_left_mw) -> None:  # fmt: skip
    """Write what flows leave of limits in their direction, of elements and of pairs, MW."""
    for j in range(held_near.size):
        i = held_near[j]
        near_left_mw[j] = limit[i] - abs(flow[i])
    for j in range(held_pair.size):
        p = held_pair[j]
        i = element[p]
        pair_left_mw[j] = after_limit[i] - abs(flow[i] + share[p] * flow[outage[p]])


@jit
def leans(
    place, start, below, factor, diagonal, x, from_place, to_place, susceptance, supply_flow,
    element, outage, share, sign, floor, number, value, count,
) -> None:  # fmt: skip
    """Write which constraints up to BLOCK sites lean on, ascending, and with what sensitivity.

    `number` and `value` have shape (BLOCK, constraints), `count` (BLOCK,); `outage` is -1 for the intact
    network; `sign` the direction of the flow that a constraint limits.
    """
    for i in range(diagonal.size + 1):
        for c in range(BLOCK):
            x[i, c] = 0.0
    for c in range(place.size):
        count[c] = 0
        if place[c] >= 0:
            x[place[c], c] = 1.0
    solve(start, below, factor, diagonal, x)
    for j in range(element.size):
        i, k = element[j], outage[j]
        b, one, other = susceptance[i], x[from_place[i]], x[to_place[i]]
        taken, b_out, one_out, other_out = 0.0, 0.0, one, other
        if k >= 0:
            taken, b_out = supply_flow[k], susceptance[k]
            one_out, other_out = x[from_place[k]], x[to_place[k]]
        for c in range(place.size):
            own = supply_flow[i] - b * (one[c] - other[c])
            moved = share[j] * (taken - b_out * (one_out[c] - other_out[c]))
            a = sign[j] * (own + moved)
            if a >= floor:
                number[c, count[c]], value[c, count[c]] = j, a
                count[c] += 1


@jit
def added(first, second, first_mw, own_mw, supply, supply_mw, start, number, factor, margin_mw, out) -> None:  # fmt: skip
    """Write what each second site still has when the first draws `first_mw`.

    `start`, `number`, `factor` are the constraints of each site, ascending; `supply` the number of the supply
    that serves it, -1 where none is known.
    """
    for n in range(first.size):
        f, s, drawn = first[n], second[n], first_mw[n]
        left = own_mw[s]
        if f == s:
            left -= drawn
        else:
            if supply[s] >= 0 and supply[s] == supply[f]:
                left = min(left, supply_mw[supply[s]] - drawn)
            i, j = start[f], start[s]
            while i < start[f + 1] and j < start[s + 1]:
                if number[i] < number[j]:
                    i += 1
                elif number[i] > number[j]:
                    j += 1
                else:
                    left = min(left, (margin_mw[number[j]] - factor[i] * drawn) / factor[j])
                    i += 1
                    j += 1
        out[n] = left if left > 0.0 or np.isnan(left) else 0.0
