"""Confidence in ranks by plain loops: one draw, one row and one factor at a time, with Python's own numbers."""

import hashlib
import itertools
import math

from scipy.special import gammaincinv

ONE = 1 << 20
MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15


def mixed(state):
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & MASK
    return state ^ (state >> 31)


def code(name):
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")


def uniform(seed, draw, quantity, group):
    state = mixed((mixed((seed + GOLDEN) & MASK) + (draw + 1) * GOLDEN) & MASK)
    state = mixed(state ^ code(quantity))
    state = mixed((mixed(state ^ group) + GOLDEN) & MASK)
    return ((state >> 11) + 0.5) / 2.0**53


def weights(draws, quantities, draw):
    """Whole weights of the quantities by name; 0 where one is only gated on."""
    used = [q for q in quantities if q.weight > 0]
    if draws.weight_cv == 0 or len(used) == 1:
        found = {q.name: q.weight for q in used}
    else:
        around = (len(used) - 1) / draws.weight_cv**2 - 1
        gamma = {
            q.name: float(
                gammaincinv(around * q.weight, uniform(draws.seed, draw, f"weight {q.name}", 0))
            )
            for q in used
        }
        total = 0.0
        for each in sorted(gamma.values()):
            total += each
        found = {name: each / total for name, each in gamma.items()}
    return {q.name: round(found.get(q.name, 0.0) * ONE) for q in quantities}


def drawn(draws, quantity, row, draw):
    """The metric of a row in a draw; None where it is unknown."""
    low, mid, high = (float(ends[row]) for ends in (quantity.low, quantity.mid, quantity.high))
    if math.isnan(mid):
        return None
    if low == high:
        return mid
    u = uniform(draws.seed, draw, quantity.name, int(quantity.group[row]))
    if u < (mid - low) / (high - low):
        return low + math.sqrt(u * ((high - low) * (mid - low)))
    return high - math.sqrt((1 - u) * ((high - low) * (high - mid)))


def worth(value, x):
    """Whole value score of a metric."""
    points = list(value)
    found = points[0][1]
    if x >= points[-1][0]:
        found = points[-1][1]
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        if x0 <= x < x1:
            found = y0 + (y1 - y0) / (x1 - x0) * (x - x0)
    return math.floor(min(max(found, 0.0), 1.0) * ONE + 0.5)


def score(inputs, draws, row, draw, weight):
    """(whole score, whether a gate is unknown), or None where a gate fails."""
    total, is_later = 0, False
    for quantity in inputs.quantities:
        x = drawn(draws, quantity, row, draw)
        is_gate = quantity.at_least > -math.inf or quantity.at_most < math.inf
        if x is None:
            is_later |= is_gate
            u = uniform(draws.seed, draw, quantity.name, int(quantity.group[row]))
            total += weight[quantity.name] * math.floor(u * ONE + 0.5)
            continue
        if x < quantity.at_least or x > quantity.at_most:
            return None
        total += weight[quantity.name] * worth(quantity.value, x)
    return total // ONE, is_later


def ranks(inputs, draws):
    """Rank of every row in every draw, None where it fails: a list of draws."""
    out = []
    for draw in range(draws.count):
        weight = weights(draws, inputs.quantities, draw)
        found = [score(inputs, draws, row, draw, weight) for row in range(len(inputs.row_id))]
        order = sorted(
            (each[1], -each[0], inputs.row_id[row], row)
            for row, each in enumerate(found)
            if each is not None
        )
        place = {row: k for k, (*_, row) in enumerate(order, start=1)}
        out.append([place.get(row) for row in range(len(found))])
    return out


def summary(inputs, draws):
    """By row: shares in the first 10, in the first 100 and ranked; ranks at 5, 50 and 95 %, None beyond."""
    by_draw = ranks(inputs, draws)
    out = []
    for row in range(len(inputs.row_id)):
        held = sorted(each[row] or math.inf for each in by_draw)
        at = [held[math.ceil(share * draws.count / 100) - 1] for share in (5, 50, 95)]
        out.append(
            (
                *(sum(place <= k for place in held) / draws.count for k in (10, 100)),
                sum(place < math.inf for place in held) / draws.count,
                *(None if place == math.inf else place for place in at),
            )
        )
    return out


def middle(quantity, row):
    x = float(quantity.mid[row])
    return ONE // 2 if math.isnan(x) else worth(quantity.value, x)


def is_gated(quantity):
    return quantity.at_least > -math.inf or quantity.at_most < math.inf


def undrawn_order(inputs):
    """Rows that may rank, by their score before anything is drawn."""
    keys = {}
    for row, row_id in enumerate(inputs.row_id):
        if any(q.high[row] < q.at_least or q.low[row] > q.at_most for q in inputs.quantities):
            continue
        is_later = any(math.isnan(q.mid[row]) and is_gated(q) for q in inputs.quantities)
        total = sum(round(q.weight * ONE) * middle(q, row) for q in inputs.quantities)
        keys[row] = (is_later, -total, row_id)
    return sorted(keys, key=keys.get)


def whole_values(draws, quantity, draw):
    """Of all rows, their value scores in a draw less those undrawn."""
    out = []
    for row in range(len(quantity.mid)):
        x = drawn(draws, quantity, row, draw)
        if x is None:
            group = int(quantity.group[row])
            value = math.floor(uniform(draws.seed, draw, quantity.name, group) * ONE + 0.5)
        else:
            value = worth(quantity.value, x)
        out.append(value - middle(quantity, row))
    return out


def moves_of(inputs, draws, row, near, by_draw):
    """Of one row by (metric, by what) its moves against those near in the draws, and how often each gate fails."""
    moves, failed = {}, {}
    for draw, (weight, own) in enumerate(by_draw):
        for q in inputs.quantities:
            x = drawn(draws, q, row, draw)
            if x is not None and (x < q.at_least or x > q.at_most):
                failed[q.name] = failed.get(q.name, 0) + 1
            if q.weight > 0:
                rival = sum(middle(q, r) for r in near) // len(near)
                others = sum(own[q.name][r] for r in near) // len(near)
                by_weight = (weight[q.name] * (middle(q, row) - rival)) >> 20
                by_input = (weight[q.name] * (own[q.name][row] - others)) >> 20
                moves.setdefault((q.name, "weight"), []).append(by_weight)
                moves.setdefault((q.name, "input"), []).append(by_input)
    return moves, failed


def swings(inputs, draws):
    """By row (metric, by what, share), as the docstring of `Confidence` words it."""
    count = min(draws.count, 100)
    order = undrawn_order(inputs)
    by_draw = ranks(inputs, draws)
    drawn_of = [
        (
            weights(draws, inputs.quantities, draw),
            {q.name: whole_values(draws, q, draw) for q in inputs.quantities},
        )
        for draw in range(count)
    ]
    out = [(None, None, None)] * len(inputs.row_id)
    for at, row in enumerate(order):
        near = order[at // 100 * 100 : at // 100 * 100 + 100]
        moves, failed = moves_of(inputs, draws, row, near, drawn_of)
        lead = [sum(each) for each in zip(*moves.values(), strict=True)]
        share = {key: joint(each, lead) for key, each in moves.items()}
        ranked = sum(each[row] is not None for each in by_draw)
        if failed and 0 < ranked < 0.95 * draws.count:
            metric = max(sorted(failed), key=failed.get)
            out[row] = (metric, "gate", failed[metric] / count)
        elif joint(lead, lead) > 0:
            both = {name: share[name, "weight"] + share[name, "input"] for name, _ in share}
            metric = max(sorted(both), key=both.get)
            by = "input" if share[metric, "input"] > share[metric, "weight"] else "weight"
            out[row] = (metric, by, both[metric] / joint(lead, lead))
    return out


def joint(a, b):
    return len(a) * sum(x * y for x, y in zip(a, b, strict=True)) - sum(a) * sum(b)


def region_summary(inputs, plans, draws):
    """By region as `summary`, of the whole score of its plan in each draw."""
    row_of = {row_id: row for row, row_id in enumerate(inputs.row_id)}
    capacity = {q.name: q for q in inputs.quantities}.get(plans.capacity)
    places = [[] for _ in plans.region_id]
    later = dict.fromkeys(plans.region, True)
    for region, parcel_id in zip(plans.region, plans.parcel_id, strict=True):
        row = row_of[parcel_id]
        is_later = any(math.isnan(q.mid[row]) and is_gated(q) for q in inputs.quantities)
        later[region] = later[region] and is_later
    for draw in range(draws.count):
        weight = weights(draws, inputs.quantities, draw)
        total = {}
        for region, parcel_id, used in zip(
            plans.region, plans.parcel_id, plans.used_mw, strict=True
        ):
            row = row_of[parcel_id]
            found = score(inputs, draws, row, draw, weight)
            if found is None:
                continue
            mw = drawn(draws, capacity, row, draw) if capacity is not None else None
            kw = round(used * 1000)
            if mw is not None:
                kw = min(kw, math.floor(mw * 1000))
            if kw > 0:
                total[region] = total.get(region, 0) + kw * found[0]
        order = sorted(
            (later[r], -(each // round(plans.target_mw * 1000)), plans.region_id[r], r)
            for r, each in total.items()
        )
        for place, (*_, region) in enumerate(order, start=1):
            places[region].append(place)
    out = []
    for ranked in places:
        held = sorted([*ranked, *[math.inf] * (draws.count - len(ranked))])
        at = [held[math.ceil(share * draws.count / 100) - 1] for share in (5, 50, 95)]
        out.append(
            (
                *(sum(place <= k for place in held) / draws.count for k in (10, 100)),
                len(ranked) / draws.count,
                *(None if place == math.inf else place for place in at),
            )
        )
    return out
