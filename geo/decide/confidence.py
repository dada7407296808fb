"""How sure a rank is: scores drawn over what is not known of inputs and weights, and ranked draw by draw.

A draw takes each uncertain input from its interval (triangular: the ends are its ends, the mid its mode) and the
weights from a Dirichlet distribution around the profile's. Who shares an error draws it once: parcels at one
substation, in one state, at one fiber node. An unknown input draws its value score uniformly over 0 to 1, where the
published score counts it as 0. A gate on an uncertain metric is judged by what is drawn; a row that fails one ranks
nowhere in that draw. Rows with a gate that cannot be judged rank after all others, as they do in the published rank.

What is exact: value scores, weights and scores of a draw are whole parts of 2^20 (about 0.0001 points), each rounded
once; sums are whole, ranks are counted, ties go by the id. So no bit depends on chunks, threads or the order of
rows and factors. Scores closer than that part are ties here and are none in the published rank.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from geo._threads import in_threads
from geo.decide import _draws
from geo.decide.draws import UNITS, Draws

TOP_FEW, TOP_MANY = 10, 100
SHARES = (0.05, 0.5, 0.95)
# Rows, one after the other in the undrawn order, that a row is seen to move among, and draws looked at for it.
RIVALS = 100
SWING_DRAWS = 100
# Of these as many as are added up at once.
SWING_BLOCK = 5
# Draws that a thread takes at once, and rows whose draws are put in order at once.
DRAW_BLOCK = 8
ROW_BLOCK = 512
MEMORY_MB = 1_024


@dataclass(frozen=True, eq=False)
class Quantity:
    """One metric of all rows: its interval, what it weighs and what it must hold.

    Attributes
    ----------
    name
        Name, by which its errors and its weight are drawn: the same error wherever the name stands.
    low, mid, high
        Interval in the metric's unit, low <= mid <= high; NaN in `mid` is unknown. Shape (n,).
    group
        Codes of those who share an error, `codes_of`; shape (n,).
    weight
        Weight among all, 0 for a metric that is only gated on.
    value
        Breakpoints (metric, value) of the value function, values 0 to 1, linear between and flat outside.
    at_least, at_most
        Gate, both ends inclusive.
    """

    name: str
    low: np.ndarray
    mid: np.ndarray
    high: np.ndarray
    group: np.ndarray
    weight: float = 0.0
    value: Sequence[tuple[float, float]] = ((0.0, 0.0), (1.0, 0.0))
    at_least: float = -np.inf
    at_most: float = np.inf

    def take(self, rows: np.ndarray) -> "Quantity":
        """Give some of the rows."""
        parts = {name: getattr(self, name)[rows] for name in ("low", "mid", "high", "group")}
        return replace(self, **parts)

    @property
    def is_gate(self) -> bool:
        """Whether it is gated on."""
        return self.at_least > -np.inf or self.at_most < np.inf

    def fails_surely(self) -> np.ndarray:
        """Whether each row fails the gate whatever is drawn."""
        with np.errstate(invalid="ignore"):
            return (self.high < self.at_least) | (self.low > self.at_most)

    def is_open(self) -> bool:
        """Whether any row's gate depends on what is drawn."""
        with np.errstate(invalid="ignore"):
            return bool(((self.low < self.at_least) | (self.high > self.at_most)).any())

    def is_drawn(self) -> bool:
        """Whether anything about it is drawn that a score or a gate sees."""
        is_unsure = np.isnan(self.mid) | (self.low < self.high)
        return bool(is_unsure.any()) if self.weight > 0.0 else self.is_open()


@dataclass(frozen=True, eq=False)
class ScoreInputs:
    """What rows are ranked by.

    Attributes
    ----------
    row_id
        Ids, by whose order ties are broken; shape (n,).
    quantities
        Metrics, each once; the weights sum to 1.
    """

    row_id: np.ndarray
    quantities: tuple[Quantity, ...]


@dataclass(frozen=True, eq=False)
class Confidence:
    """How sure the ranks are; each of shape (n,), in the order of the rows.

    Attributes
    ----------
    p_top10, p_top100, p_ranked
        Shares of the draws in which a row is among the first 10, the first 100, and ranks at all.
    rank_p05, rank_p50, rank_p95
        Smallest rank that is not exceeded in that share of the draws; NaN where the row fails a gate in so many that
        there is none.
    swing_metric
        What most changes its place: where it ranks in some draws and fails in 5 % or more, the gate that it fails
        most often; else the metric with the largest share of the variance of its lead over its rivals, the hundred
        rows of its stretch before anything was drawn: what moves them as far as it counts for nothing. None
        where nothing changes it.
    swing_by
        'gate', 'weight' or 'input' (its own or its rivals'), by which that metric does so; None where there is none.
    swing_share
        That share, 0 to 1 (more where others work against it); of a gate, the share of draws that fail it.
    """

    p_top10: np.ndarray
    p_top100: np.ndarray
    p_ranked: np.ndarray
    rank_p05: np.ndarray
    rank_p50: np.ndarray
    rank_p95: np.ndarray
    swing_metric: np.ndarray
    swing_by: np.ndarray
    swing_share: np.ndarray


def confidence(
    inputs: ScoreInputs,
    draws: Draws,
    *,
    workers: int = -1,
    memory_mb: float = MEMORY_MB,
) -> Confidence:
    """Rank rows in every draw, and say how sure their ranks are.

    Parameters
    ----------
    inputs
        What they are ranked by.
    draws
        How often is drawn, and from which seed.
    workers
        Threads, -1 all cores; they change no bit.
    memory_mb
        Room for ranks, 10^6 bytes. Where all do not fit they are made for some rows at a time, for as much
        longer.
    """
    field = Field.of(inputs, draws)
    n = inputs.row_id.size
    found = _ranked(field, workers, memory_mb)
    out = {name: np.zeros(n) for name in ("p_top10", "p_top100", "p_ranked")}
    out |= {name: np.full(n, np.nan) for name in ("rank_p05", "rank_p50", "rank_p95")}
    for name, values in found.items():
        out[name][field.rows] = values
    swing = _swings(field, found["p_ranked"], workers)
    words = {name: np.full(n, None, dtype=object) for name in ("swing_metric", "swing_by")}
    for name, values in words.items():
        values[field.rows] = swing[name]
    share = np.full(n, np.nan)
    share[field.rows] = swing["swing_share"]
    return Confidence(**out, **words, swing_share=share)


@dataclass(frozen=True, eq=False)
class Field:
    """Rows that may rank, by the order of their ids, with what is drawn once for many of them.

    Rows with the same interval and the same error are one unit of a quantity. `table` holds what is not drawn of
    the value scores of all units, those of one quantity after those of the other.
    """

    draws: Draws
    rows: np.ndarray
    is_later: np.ndarray
    fixed: tuple[Quantity, ...]
    drawn: tuple["Units", ...]
    fixed_value: np.ndarray
    fixed_weight: np.ndarray
    drawn_weight: np.ndarray
    unit: np.ndarray
    first: np.ndarray
    table: np.ndarray

    @classmethod
    def of(cls, inputs: ScoreInputs, draws: Draws) -> "Field":
        """Leave out what surely fails a gate, and tell what is drawn from what is not."""
        rows = np.argsort(np.asarray(inputs.row_id, dtype=object), kind="stable")
        for quantity in inputs.quantities:
            rows = rows[~quantity.take(rows).fails_surely()]
        # By name, so that no order of theirs decides between equals.
        named = sorted(inputs.quantities, key=lambda quantity: quantity.name)
        taken = [quantity.take(rows) for quantity in named]
        is_later = np.zeros(rows.size, dtype=bool)
        for quantity in taken:
            if quantity.is_gate:
                is_later |= np.isnan(quantity.mid)
        weighed = [quantity for quantity in taken if quantity.weight > 0.0]
        weight = draws.weights([q.name for q in weighed], np.array([q.weight for q in weighed]))
        column = {quantity.name: weight[:, k] for k, quantity in enumerate(weighed)}
        none = np.zeros(draws.count, dtype=np.int64)
        fixed = tuple(quantity for quantity in weighed if not quantity.is_drawn())
        drawn = tuple(Units.of(quantity) for quantity in taken if quantity.is_drawn())
        return cls(
            draws,
            rows,
            is_later,
            fixed,
            drawn,
            _stack([value_units(q.mid, q.value) for q in fixed], rows.size, np.int32),
            np.ascontiguousarray(_stack([column[q.name] for q in fixed], draws.count, np.int64).T),
            np.ascontiguousarray(
                _stack([column.get(u.quantity.name, none) for u in drawn], draws.count, np.int64).T
            ),
            _stack([u.unit for u in drawn], rows.size, np.int32),
            np.cumsum([0, *(u.size for u in drawn)]),
            np.concatenate([np.empty(0, dtype=np.int32), *(u.mid_value for u in drawn)]),
        )

    @property
    def names(self) -> list[str]:
        """Names of the fixed and of the drawn quantities."""
        return [*(q.name for q in self.fixed), *(u.quantity.name for u in self.drawn)]

    def put_values(self, draw: int, table: np.ndarray) -> None:
        """Draw the value scores of all units."""
        for units, first in zip(self.drawn, self.first, strict=False):
            units.put(self.draws, draw, table[first : first + units.size])

    def put_scores(self, draw: int, table: np.ndarray, score: np.ndarray) -> None:
        """Score all rows in one draw; NOWHERE where one fails a gate."""
        self.put_values(draw, table)
        weights = self.fixed_weight[draw], self.drawn_weight[draw]
        _draws.put_scores(
            self.fixed_value, weights[0], self.unit, self.first, weights[1], table, score
        )


@dataclass(frozen=True, eq=False)
class Units:
    """A quantity that is drawn, one value for all rows that share error and interval.

    `unit` is the row's, `live` are the units that something is drawn for, `error` the row of `group` of each of them.
    """

    quantity: Quantity
    unit: np.ndarray
    live: np.ndarray
    group: np.ndarray
    error: np.ndarray
    mid_value: np.ndarray
    xs: np.ndarray
    ys: np.ndarray

    @classmethod
    def of(cls, quantity: Quantity) -> "Units":
        """Find the units."""
        code = pd.factorize(quantity.group)[0].astype(np.int64)
        for values in (quantity.low, quantity.mid, quantity.high):
            value_code, found = pd.factorize(values, use_na_sentinel=False)
            code = pd.factorize(code * len(found) + value_code)[0].astype(np.int64)
        unit, row = np.unique(code, return_index=True)
        held = quantity.take(row[np.argsort(unit)])
        live = np.flatnonzero(np.isnan(held.mid) | (held.low < held.high))
        error, group = pd.factorize(held.group[live])
        xs, ys = _breakpoints(quantity.value)
        mid = np.where(np.isnan(held.mid), UNITS // 2, value_units(held.mid, quantity.value))
        # A gate of what is not drawn is known to be held.
        return cls(
            held,
            code.astype(np.int32),
            live,
            np.asarray(group, dtype=np.uint64),
            error,
            mid.astype(np.int32),
            xs,
            ys,
        )

    @property
    def size(self) -> int:
        """Count of units."""
        return self.mid_value.size

    def uniform(self, draws: Draws, draw: int) -> np.ndarray:
        """Draw the errors of the live units."""
        return draws.uniform(draw, self.quantity.name, self.group)[self.error]

    def put(self, draws: Draws, draw: int, table: np.ndarray) -> None:
        """Draw the value scores of the live units."""
        held = self.quantity
        interval = held.low, held.mid, held.high
        _draws.put_values(
            *(self.live, self.uniform(draws, draw), *interval, self.xs, self.ys),
            *(held.at_least, held.at_most, table),
        )


def value_units(x: np.ndarray, value: Sequence[tuple[float, float]]) -> np.ndarray:
    """Value scores in whole `UNITS`, 0 where unknown: int32 (n,)."""
    xs, ys = _breakpoints(value)
    slope = np.diff(ys) / np.diff(xs)
    piece = np.clip(np.searchsorted(xs, x, side="right") - 1, 0, slope.size - 1)
    found = ys[piece] + slope[piece] * (x - xs[piece])
    found = np.where(x < xs[0], ys[0], np.where(x >= xs[-1], ys[-1], found))
    found = np.floor(np.clip(found, 0.0, 1.0) * UNITS + 0.5)
    return np.where(np.isnan(x), 0.0, found).astype(np.int32)


def _breakpoints(value: Sequence[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    xs, ys = np.array(value, dtype=np.float64).T
    return np.ascontiguousarray(xs), np.ascontiguousarray(ys)


def _stack(rows: Iterable[np.ndarray], size: int, dtype: type) -> np.ndarray:
    found = list(rows)
    return np.array(found, dtype=dtype).reshape(len(found), size)


def order_statistic(share: float, count: int) -> int:
    """Place, from 0, of the smallest of `count` values that is not exceeded by a share of them."""
    return max(int(np.ceil(share * count - 1e-9)) - 1, 0)


def _ranked(field: Field, workers: int, memory_mb: float) -> dict[str, np.ndarray]:
    """Shares and ranks of the rows of a field."""
    n, count = field.rows.size, field.draws.count
    names = ("p_top10", "p_top100", "p_ranked", "rank_p05", "rank_p50", "rank_p95")
    out = {name: np.full(n, np.nan) for name in names}
    step = max(int(memory_mb * 1e6 / (4 * count)), ROW_BLOCK)
    for low in range(0, n, step):
        high = min(low + step, n)
        rank = np.empty((count, high - low), dtype=np.int32)

        def draw_some(
            part: slice, low: int = low, high: int = high, rank: np.ndarray = rank
        ) -> None:
            table, score = field.table.copy(), np.empty(n, dtype=np.int32)
            digit, number = np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32)
            for draw in range(part.start, part.stop):
                field.put_scores(draw, table, score)
                _draws.put_ranks(score, field.is_later, low, high, digit, number, rank[draw])

        def sum_up(part: slice, low: int = low, rank: np.ndarray = rank) -> None:
            here = slice(low + part.start, low + part.stop)
            for name, values in rank_summary(np.ascontiguousarray(rank[:, part].T)).items():
                out[name][here] = values

        in_threads(draw_some, count, workers, block=DRAW_BLOCK)
        in_threads(sum_up, high - low, workers, block=ROW_BLOCK)
    return out


def rank_summary(rank: np.ndarray) -> dict[str, np.ndarray]:
    """Shares and order statistics of ranks (rows, draws), which are put in another order."""
    count = rank.shape[1]
    shares = {
        "p_top10": np.count_nonzero(rank <= TOP_FEW, axis=1) / count,
        "p_top100": np.count_nonzero(rank <= TOP_MANY, axis=1) / count,
        "p_ranked": np.count_nonzero(rank < _draws.UNRANKED, axis=1) / count,
    }
    # Quicker than to select the three places.
    rank.sort(axis=1)
    places = [order_statistic(share, count) for share in SHARES]
    for name, place in zip(("rank_p05", "rank_p50", "rank_p95"), places, strict=True):
        found = rank[:, place]
        shares[name] = np.where(found < _draws.UNRANKED, found, np.nan)
    return shares


def _swings(field: Field, p_ranked: np.ndarray, workers: int) -> dict[str, np.ndarray]:
    """Name what changes the place of each row."""
    n, count = field.rows.size, min(field.draws.count, SWING_DRAWS)
    fixed, drawn = len(field.fixed), len(field.drawn)
    order = _undrawn_order(field)
    fixed_value, unit = (
        np.ascontiguousarray(each[:, order]) for each in (field.fixed_value, field.unit)
    )
    parts = fixed + 2 * drawn + 1
    sums: list[tuple[np.ndarray, ...]] = []

    def add(part: slice) -> None:
        swing, joint = np.zeros((n, parts), dtype=np.int64), np.zeros((n, parts), dtype=np.int64)
        failed = np.zeros((n, drawn), dtype=np.int64)
        for first in range(part.start, part.stop, SWING_BLOCK):
            these = slice(first, min(first + SWING_BLOCK, part.stop))
            table = np.repeat(field.table[None], these.stop - these.start, axis=0)
            for row, draw in zip(table, range(these.start, these.stop), strict=True):
                field.put_values(draw, row)
            weights = field.fixed_weight[these], field.drawn_weight[these]
            _draws.add_swings(
                *(fixed_value, weights[0], unit, field.first, weights[1]),
                *(table, field.table, RIVALS, swing, joint, failed),
            )
        sums.append((swing, joint, failed))

    in_threads(add, count, workers, block=-(-count // 2))
    swing, joint, failed = (sum(each[1:], start=each[0]) for each in zip(*sums, strict=True))
    # Back to the order of the ids.
    back = np.argsort(order)
    swing, joint, failed = swing[back], joint[back], failed[back]
    # Whole numbers, count times count times a covariance.
    joint = joint * count - swing * swing[:, -1:]
    by_weight = joint[:, : fixed + drawn]
    by_input = np.zeros_like(by_weight)
    by_input[:, fixed:] = joint[:, fixed + drawn : -1]
    both = by_weight + by_input
    each = np.arange(n)
    best = both.argmax(axis=1) if both.size else np.zeros(n, dtype=np.int64)
    variance = joint[:, -1]
    names = np.array([*field.names, None], dtype=object)
    is_moved = variance > 0
    metric = names[np.where(is_moved, best, -1)]
    word = np.where(by_input[each, best] > by_weight[each, best], "input", "weight").astype(object)
    word[~is_moved] = None
    share = np.divide(
        both[each, best], variance, out=np.full(n, np.nan), where=is_moved, casting="unsafe"
    )
    if drawn:
        gate = failed.argmax(axis=1)
        is_gate = (p_ranked > 0.0) & (p_ranked < SHARES[2]) & (failed[each, gate] > 0)
        metric[is_gate] = names[fixed + gate[is_gate]]
        word[is_gate] = "gate"
        share[is_gate] = failed[each, gate][is_gate] / count
    return {"swing_metric": metric, "swing_by": word, "swing_share": share}


def _undrawn_order(field: Field) -> np.ndarray:
    """Rows by their score before anything is drawn."""
    drawn = [units.mid_value[row] for units, row in zip(field.drawn, field.unit, strict=True)]
    value = np.stack([*field.fixed_value, *drawn]).astype(np.int64)
    weight = np.array([q.weight for q in (*field.fixed, *(u.quantity for u in field.drawn))])
    score = np.rint(weight * UNITS).astype(np.int64) @ value
    return np.lexsort((np.arange(score.size), -score, field.is_later))
