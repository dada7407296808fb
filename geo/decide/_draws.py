"""Compiled loops of `geo.decide.confidence`: value scores, scores and ranks of one draw."""

# numba infers the types.
# ruff: noqa: ANN001

import numpy as np

from geo._jit import jit

# Rows whose scores are added up while they stay in the nearest cache.
TILE = 2_048
# Digits that ranks are sorted by: two of them hold a place.
DIGIT = 2_048
DIGIT_BITS = 11
# Scores, value scores and weights of a draw are whole parts of this.
UNITS = 1_048_576
# A score is a few units over `UNITS` at most, by the rounding of weights.
TOP = UNITS + 64
# Place of a row that does not rank in a draw, and how much later those with an unknown gate come.
NOWHERE = -1
LATER = 2 * UNITS
UNRANKED = 2_147_483_647
# Step, multipliers and shifts of the mixing function SplitMix64 (Steele, Lea, Flood 2014).
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST = np.uint64(0xBF58476D1CE4E5B9)
SECOND = np.uint64(0x94D049BB133111EB)
SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11))
MANTISSA = 2.0**-53


@jit
def put_uniform(state, group, out) -> None:
    """Numbers over 0 to 1, both excluded, of groups: `geo.decide.draws.Draws.uniform` after its state."""
    for i in range(group.size):
        x = state ^ group[i]
        for again in range(2):
            if again == 1:
                x = x + GOLDEN
            x = (x ^ (x >> SHIFTS[0])) * FIRST
            x = (x ^ (x >> SHIFTS[1])) * SECOND
            x = x ^ (x >> SHIFTS[2])
        out[i] = (np.float64(x >> SHIFTS[3]) + 0.5) * MANTISSA


@jit
def put_values(live, uniform, low, mid, high, xs, ys, at_least, at_most, table) -> None:
    """Draw the value scores of units into their table: -1 - value where the drawn metric fails a gate.

    NaN is unknown: its value score is drawn over 0 to 1, and its gate is not judged here.
    """
    last = xs.size - 1
    for k in range(live.size):
        unit = live[k]
        u = uniform[k]
        if np.isnan(mid[unit]):
            table[unit] = np.int32(np.floor(u * UNITS + 0.5))
            continue
        wide = high[unit] - low[unit]
        below = mid[unit] - low[unit]
        x = mid[unit]
        if wide > 0.0:
            if u < below / wide:
                x = low[unit] + np.sqrt(u * (wide * below))
            else:
                x = high[unit] - np.sqrt((1.0 - u) * (wide * (high[unit] - mid[unit])))
        if x < xs[0]:
            value = ys[0]
        elif x >= xs[last]:
            value = ys[last]
        else:
            j = 0
            while x >= xs[j + 1]:
                j += 1
            value = ys[j] + (ys[j + 1] - ys[j]) / (xs[j + 1] - xs[j]) * (x - xs[j])
        whole = np.int32(np.floor(min(max(value, 0.0), 1.0) * UNITS + 0.5))
        table[unit] = -1 - whole if x < at_least or x > at_most else whole


@jit
def put_scores(fixed, fixed_weight, unit, first, drawn_weight, table, score) -> None:
    """Scores of all rows in one draw, in whole units; NOWHERE where a drawn gate fails.

    Sums are of whole numbers under 2^53, so that floats hold them exactly.
    """
    n = score.size
    total = np.empty(TILE)
    for start in range(0, n, TILE):
        count = min(TILE, n - start)
        for i in range(count):
            total[i] = 0.0
        for j in range(fixed_weight.size):
            weight = np.float64(fixed_weight[j])
            row = fixed[j, start : start + count]
            for i in range(count):
                total[i] += weight * row[i]
        for j in range(drawn_weight.size):
            weight = np.float64(drawn_weight[j])
            row = unit[j, start : start + count]
            part = table[first[j] : first[j + 1]]
            for i in range(count):
                value = part[row[i]]
                total[i] = total[i] + weight * value if value >= 0 else -np.inf
        for i in range(count):
            score[start + i] = np.int32(total[i] * (1.0 / UNITS)) if total[i] >= 0.0 else NOWHERE


@jit
def put_ranks(score, is_later, from_row, to_row, digit_of, number, rank) -> None:
    """Ranks from 1 of rows `from_row` to `to_row` among all; ties go by the order of the rows.

    Two passes of a counting sort, without a comparison. `digit_of` and `number` are room for all rows.
    """
    n = score.size
    count = np.zeros(DIGIT, dtype=np.int64)
    above = np.zeros(DIGIT, dtype=np.int64)
    for i in range(n):
        if score[i] >= 0:
            place = TOP - score[i] + (LATER if is_later[i] else 0)
            count[place & (DIGIT - 1)] += 1
            above[place >> DIGIT_BITS] += 1
    at = 0
    over = 0
    for digit in range(DIGIT):
        here, count[digit] = count[digit], at
        at += here
        there, above[digit] = above[digit], over
        over += there
    for i in range(n):
        if score[i] >= 0:
            place = TOP - score[i] + (LATER if is_later[i] else 0)
            k = count[place & (DIGIT - 1)]
            count[place & (DIGIT - 1)] = k + 1
            number[k] = i
            digit_of[k] = place >> DIGIT_BITS
    for i in range(from_row, to_row):
        rank[i - from_row] = UNRANKED
    for k in range(at):
        digit = digit_of[k]
        over = above[digit] + 1
        above[digit] = over
        i = number[k]
        if from_row <= i < to_row:
            rank[i - from_row] = over


@jit
def add_swings(  # noqa: C901, PLR0912
    fixed, fixed_weight, unit, first, drawn_weight, table, mid_table, rivals, swing, joint, failed
) -> None:
    """Add up, over some draws, what moves each row against its rivals: by each weight and by each input.

    Rows stand in the undrawn order; each `rivals` of them, in turn, are rivals of each other. Sums of whole numbers:
    draws may come in any order. `table` and the weights have a row a draw. `swing` and `joint` are (n, parts), parts
    being the weights of fixed and of drawn factors, then the inputs of the drawn, and at the end the sum of all with
    itself.
    """
    n = swing.shape[0]
    draws, fixed_count = fixed_weight.shape
    drawn_count = drawn_weight.shape[1]
    parts = fixed_count + 2 * drawn_count
    here = np.empty((draws, parts), dtype=np.int64)
    total = np.empty(draws, dtype=np.int64)
    mean = np.empty(fixed_count + drawn_count, dtype=np.int64)
    moved = np.empty((draws, drawn_count), dtype=np.int64)
    for start in range(0, n, rivals):
        stop = min(start + rivals, n)
        count = stop - start
        for j in range(fixed_count):
            mean[j] = 0
            for i in range(start, stop):
                mean[j] += fixed[j, i]
            mean[j] = mean[j] // count
        for j in range(drawn_count):
            mean[fixed_count + j] = 0
            for d in range(draws):
                moved[d, j] = 0
            for i in range(start, stop):
                at = first[j] + unit[j, i]
                mid = np.int64(mid_table[at])
                mean[fixed_count + j] += mid
                for d in range(draws):
                    value = np.int64(table[d, at])
                    moved[d, j] += (value if value >= 0 else -1 - value) - mid
            mean[fixed_count + j] = mean[fixed_count + j] // count
            for d in range(draws):
                moved[d, j] = moved[d, j] // count
        for i in range(start, stop):
            for d in range(draws):
                total[d] = 0
            for j in range(fixed_count):
                ahead = np.int64(fixed[j, i]) - mean[j]
                for d in range(draws):
                    here[d, j] = (fixed_weight[d, j] * ahead) >> 20
                    total[d] += here[d, j]
            for j in range(drawn_count):
                at = first[j] + unit[j, i]
                mid = np.int64(mid_table[at])
                ahead = mid - mean[fixed_count + j]
                for d in range(draws):
                    value = np.int64(table[d, at])
                    if value < 0:
                        failed[i, j] += 1
                        value = -1 - value
                    by_weight = (drawn_weight[d, j] * ahead) >> 20
                    by_input = (drawn_weight[d, j] * (value - mid - moved[d, j])) >> 20
                    here[d, fixed_count + j] = by_weight
                    here[d, fixed_count + drawn_count + j] = by_input
                    total[d] += by_weight + by_input
            for d in range(draws):
                for k in range(parts):
                    swing[i, k] += here[d, k]
                    joint[i, k] += here[d, k] * total[d]
                swing[i, parts] += total[d]
                joint[i, parts] += total[d] * total[d]


@jit
def put_spreads(value, weight, score, spread) -> None:
    """Profile score of each row, 0 to 1, and how far its value scores lie from it."""
    n = score.size
    for start in range(0, n, TILE):
        stop = min(start + TILE, n)
        for i in range(start, stop):
            score[i] = 0.0
            spread[i] = 0.0
        for j in range(weight.size):
            row = value[j, start:stop]
            for i in range(stop - start):
                x = row[i] * (1.0 / UNITS)
                score[start + i] += weight[j] * x
                spread[start + i] += weight[j] * x * x
        for i in range(start, stop):
            spread[i] = np.sqrt(max(spread[i] - score[i] * score[i], 0.0))
