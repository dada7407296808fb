"""Compiled loops of `geo.power.hosting`."""

# numba infers the types.
# ruff: noqa: ANN001, ANN202, C901

import numpy as np

from geo._jit import jit
from geo.power._ldl import BLOCK, solve

# Elements of a site's list of tightest constraints.
TIGHTEST = 8
BY_SUPPLY = -1
INTACT = -1


@jit
def transfers(
    place, start, below, factor, diagonal, from_place, to_place, susceptance, x, out
) -> None:
    """Write the flow of every branch for one MW in at each of up to BLOCK places: out (BLOCK, branches)."""
    places = diagonal.size
    for i in range(places + 1):
        for c in range(BLOCK):
            x[i, c] = 0.0
    for c in range(place.size):
        if place[c] >= 0:
            x[place[c], c] = 1.0
    solve(start, below, factor, diagonal, x)
    for branch in range(susceptance.size):
        one, other, b = x[from_place[branch]], x[to_place[branch]], susceptance[branch]
        for c in range(BLOCK):
            out[c, branch] = b * (one[c] - other[c])


@jit
def gather(
    h, floor, ceiling, room, widest, element_start, outage, share, outage_start, by_outage, element, largest,
    single, pair, otdf,
):  # fmt: skip
    """Write the elements and the pairs whose factor is at least `floor`; return their numbers.

    Of a pair either the element or the outaged branch has half the floor itself, whatever the share.
    Elements that have `room` MW or more under their limit after every outage, and whose shares are at
    most `widest`, are passed over where that is more than `ceiling` MW of load take.
    """
    half = 0.5 * floor
    singles = count = 0
    largest_h = 0.0
    for i in range(h.size):
        largest_h = max(largest_h, abs(h[i]))
    for i in range(h.size):
        a = abs(h[i])
        if a >= floor:
            single[singles] = i
            singles += 1
        if a >= half and not room[i] > ceiling * (a + widest[i] * largest_h):
            for p in range(element_start[i], element_start[i + 1]):
                value = h[i] + share[p] * h[outage[p]]
                if abs(value) >= floor:
                    pair[count], otdf[count] = p, value
                    count += 1
        if a * largest[i] >= half:
            for q in range(outage_start[i], outage_start[i + 1]):
                p = by_outage[q]
                j = element[p]
                if abs(h[j]) < half:
                    value = h[j] + share[p] * h[i]
                    if abs(value) >= floor:
                        pair[count], otdf[count] = p, value
                        count += 1
    return singles, count


@jit
def ceiling_of(h, flow, most_limit, flow_factor, floor, lowest) -> float:
    """MW over which nothing is among the tightest constraints of a site, in any case; `lowest` is work space.

    As many elements as a list of the tightest holds allow no more, intact and with the loosest assumptions.
    """
    least_flow, most_flow, surely = flow_factor.min(), flow_factor.max(), floor.max()
    for j in range(TIGHTEST):
        lowest[j] = np.inf
    for i in range(h.size):
        a = abs(h[i])
        if a >= surely:
            with_it = flow[i] if h[i] > 0.0 else -flow[i]
            mw = (most_limit[i] - min(with_it * least_flow, with_it * most_flow)) / a
            at = TIGHTEST
            while at > 0 and lowest[at - 1] > mw:
                if at < TIGHTEST:
                    lowest[at] = lowest[at - 1]
                at -= 1
            if at < TIGHTEST:
                lowest[at] = mw
    return max(lowest[TIGHTEST - 1], 0.0) * (1.0 + 1e-9) + 1e-9


@jit
def keep(
    h, singles, single, count, pair, otdf, outage, element, pair_flow, flow, waived_at,
    least_limit, most_limit, flow_factor, emergency, floor,
    at, out_of, size, toward, waived,
) -> tuple[int, int]:  # fmt: skip
    """Write the constraints that can bind in any case, elements before pairs; return their numbers.

    No case allows more than the constraint that is tightest when each has its loosest assumptions,
    and none of what stands in every case; so what allows more than that at its tightest never binds.
    """
    least_flow, most_flow = flow_factor.min(), flow_factor.max()
    least_emergency, most_emergency = emergency.min(), emergency.max()
    surely = floor.max()
    ceiling = np.inf
    for j in range(singles):
        i = single[j]
        a = abs(h[i])
        if a >= surely:
            with_it = flow[i] if h[i] > 0.0 else -flow[i]
            loose = most_limit[i] - min(with_it * least_flow, with_it * most_flow)
            ceiling = min(ceiling, loose / a)
    # The intact network has a limit of its own. Rounding leaves nothing out.
    intact_ceiling = max(ceiling, 0.0) * (1.0 + 1e-9) + 1e-9
    for j in range(count):
        a = abs(otdf[j])
        p = pair[j]
        i = element[p]
        if a >= surely and abs(pair_flow[p]) <= least_emergency * waived_at[i]:
            with_it = pair_flow[p] if otdf[j] > 0.0 else -pair_flow[p]
            loose = most_emergency * most_limit[i] - min(with_it * least_flow, with_it * most_flow)
            ceiling = min(ceiling, loose / a)
    ceiling = max(ceiling, 0.0) * (1.0 + 1e-9) + 1e-9
    kept = 0
    for j in range(singles):
        i = single[j]
        a = abs(h[i])
        with_it = flow[i] if h[i] > 0.0 else -flow[i]
        if least_limit[i] - max(with_it * least_flow, with_it * most_flow) <= intact_ceiling * a:
            at[kept], out_of[kept], size[kept], toward[kept] = i, INTACT, a, with_it
            kept += 1
    kept_singles = kept
    for j in range(count):
        a = abs(otdf[j])
        p = pair[j]
        i = element[p]
        with_it = pair_flow[p] if otdf[j] > 0.0 else -pair_flow[p]
        tight = least_emergency * least_limit[i] - max(with_it * least_flow, with_it * most_flow)
        if tight <= ceiling * a and abs(with_it) <= most_emergency * waived_at[i]:
            at[kept], out_of[kept], size[kept], toward[kept] = i, outage[p], a, with_it
            waived[kept] = waived_at[i]
            kept += 1
    return kept_singles, kept


@jit
def limit_of(
    kept_singles, kept, at, out_of, size, toward, waived, limit, flow_factor, emergency, floor, found,
) -> None:  # fmt: skip
    """Write into `found` what limits a site: MW intact, MW with outages, element, outage (as floats).

    `waived` is the rating at which what is over its limit before the new load is told; the limit of
    a waived element is infinite.
    """
    best, element_of, outage_of = np.inf, -1, INTACT
    for j in range(kept_singles):
        if size[j] >= floor:
            mw = (limit[at[j]] - toward[j] * flow_factor) / size[j]
            if mw < best:
                best, element_of = mw, at[j]
    found[0] = max(best, 0.0)
    for j in range(kept_singles, kept):
        if size[j] >= floor and abs(toward[j]) <= emergency * waived[j]:
            mw = (emergency * limit[at[j]] - toward[j] * flow_factor) / size[j]
            if mw < best:
                best, element_of, outage_of = mw, at[j], out_of[j]
    found[1], found[2], found[3] = max(best, 0.0), element_of, outage_of


@jit
def _offer(mw, i, k, value, margin, t_mw, t_element, t_outage, t_factor, t_margin) -> None:
    """Put a constraint among the tightest, one for each element, ordered by MW."""
    last = TIGHTEST - 1
    if not mw < t_mw[last]:
        return
    at = last
    for j in range(TIGHTEST):
        if t_element[j] == i and t_mw[j] < np.inf:
            if t_mw[j] <= mw:
                return
            at = j
            break
    while at > 0 and t_mw[at - 1] > mw:
        t_mw[at], t_element[at], t_outage[at] = t_mw[at - 1], t_element[at - 1], t_outage[at - 1]
        t_factor[at], t_margin[at] = t_factor[at - 1], t_margin[at - 1]
        at -= 1
    t_mw[at], t_element[at], t_outage[at], t_factor[at], t_margin[at] = mw, i, k, value, margin


@jit
def tightest_of(
    h, singles, single, count, pair, otdf, outage, element, pair_flow, flow, waived_at, limit,
    flow_factor, emergency, floor, t_mw, t_element, t_outage, t_factor, t_margin,
) -> None:  # fmt: skip
    """Write the tightest constraints of a site, the same that `limit_of` looks at."""
    for j in range(TIGHTEST):
        t_mw[j], t_element[j], t_outage[j] = np.inf, -1, INTACT
        t_factor[j], t_margin[j] = np.nan, np.nan
    for j in range(singles):
        i = single[j]
        a = abs(h[i])
        if a >= floor:
            toward = flow[i] if h[i] > 0.0 else -flow[i]
            margin = limit[i] - toward * flow_factor
            _offer(
                margin / a, i, INTACT, h[i], margin, t_mw, t_element, t_outage, t_factor, t_margin
            )
    for j in range(count):
        a = abs(otdf[j])
        if a < floor:
            continue
        p = pair[j]
        i = element[p]
        if abs(pair_flow[p]) > emergency * waived_at[i]:
            continue
        toward = pair_flow[p] if otdf[j] > 0.0 else -pair_flow[p]
        margin = emergency * limit[i] - toward * flow_factor
        _offer(
            margin / a, i, outage[p], otdf[j], margin, t_mw, t_element, t_outage, t_factor, t_margin
        )


@jit
def weigh(
    rows, transfer, supply_flow, supply_of, supply_mw, is_local, room, widest,
    element_start, outage, share, outage_start, by_outage, element, largest, pair_flow,
    flow, waived_at, limit, least_limit, most_limit, flow_factor, emergency, floor, case_supply, takes_most, main,
    h, single, pair, otdf, at, out_of, size, toward, waived, mw_intact, mw_secure, limit_element, limit_outage,
    t_mw, t_element, t_outage, t_factor, t_margin,
) -> None:  # fmt: skip
    """Weigh up to BLOCK sites under every case: results of site `rows[c]` from `transfer[c]`.

    `supply_of` (sites, supplies) names a row of `supply_flow`, or -1. `case_supply` (cases, supplies) says
    which supplies a case tries, the local ones last: where the least counts, a local one that runs out
    before anything is overloaded limits nothing that another serves, and another that has nothing
    leaves nothing.
    """
    cases, supplies = case_supply.shape
    lowest_floor = floor.min()
    found, lowest = np.empty(4), np.empty(TIGHTEST)
    for c in range(rows.size):
        site = rows[c]
        for case in range(cases):
            mw_intact[case, site] = np.nan
            mw_secure[case, site] = np.nan
        for s in range(supplies):
            v = supply_of[site, s]
            if v < 0:
                for case in range(cases):
                    if case_supply[case, s] and not is_local[s] and not takes_most[case]:
                        mw_intact[case, site] = 0.0
                        mw_secure[case, site] = 0.0
                continue
            for i in range(h.size):
                h[i] = supply_flow[v, i] - transfer[c, i]
            ceiling = ceiling_of(h, flow, most_limit, flow_factor, floor, lowest)
            singles, count = gather(
                h, lowest_floor, ceiling, room, widest, element_start, outage, share,
                outage_start, by_outage, element, largest, single, pair, otdf,
            )  # fmt: skip
            kept_singles, kept = keep(
                h, singles, single, count, pair, otdf, outage, element, pair_flow, flow, waived_at,
                least_limit, most_limit, flow_factor, emergency, floor,
                at, out_of, size, toward, waived,
            )  # fmt: skip
            for case in range(cases):
                if not case_supply[case, s]:
                    continue
                limit_of(
                    kept_singles, kept, at, out_of, size, toward, waived, limit[case],
                    flow_factor[case], emergency[case], floor[case], found,
                )  # fmt: skip
                cap = supply_mw[v]
                may_run_out = is_local[s] and not takes_most[case]
                intact, secure = min(found[0], cap), min(found[1], cap)
                old = mw_intact[case, site]
                if np.isnan(old) or (
                    (intact > old) == takes_most[case] and not (may_run_out and found[0] > cap)
                ):
                    mw_intact[case, site] = intact
                old = mw_secure[case, site]
                if np.isnan(old) or (
                    secure != old
                    and (secure > old) == takes_most[case]
                    and not (may_run_out and found[1] > cap)
                ):
                    mw_secure[case, site] = secure
                    is_bound = found[1] <= cap
                    limit_element[case, site] = int(found[2]) if is_bound else BY_SUPPLY
                    limit_outage[case, site] = int(found[3]) if is_bound else INTACT
                    if case != main:
                        continue
                    tightest_of(
                        h, singles, single, count, pair, otdf, outage, element, pair_flow, flow, waived_at, limit[case],
                        flow_factor[case], emergency[case], floor[case],
                        t_mw[site], t_element[site], t_outage[site], t_factor[site], t_margin[site],
                    )  # fmt: skip
