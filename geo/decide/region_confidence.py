"""How sure the rank of a region is: its plan is kept, and what stands on it is drawn.

A region's plan says which parcels fill its target and with how many megawatts. In a draw each brings what its
substation then has, at most what the plan takes of it, times its drawn score; one that fails a gate brings nothing.
Another plan might serve a draw better: the plan is kept, so that drawn scores lie low where much of it fails.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geo.decide._draws import NOWHERE, UNRANKED
from geo.decide.confidence import SWING_DRAWS, Confidence, Field, ScoreInputs, rank_summary
from geo.decide.draws import UNITS, Draws, triangular

KW_PER_MW = 1_000
# Regions on either side in the undrawn order against which one is seen to move.
RIVALS = 10


@dataclass(frozen=True, eq=False)
class Plans:
    """What fills regions, a row a region and parcel, those of a region together.

    Attributes
    ----------
    region
        Row of the region, rising from 0; shape (rows,).
    region_id
        Ids, by which ties are broken; shape (regions,).
    parcel_id
        Parcel, one of the inputs' rows; shape (rows,).
    used_mw
        What the plan takes of its substation, MW; shape (rows,).
    target_mw
        What fills a region in full.
    capacity
        Name of the quantity that fills it; where the inputs have none of that name nothing of it is drawn.
    """

    region: np.ndarray
    region_id: np.ndarray
    parcel_id: np.ndarray
    used_mw: np.ndarray
    target_mw: float
    capacity: str


def region_confidence(inputs: ScoreInputs, plans: Plans, draws: Draws) -> Confidence:
    """Rank regions in every draw, and say how sure their ranks are.

    Parameters
    ----------
    inputs
        What parcels are ranked by, at least those of the plans.
    plans
        What fills the regions.
    draws
        How often is drawn, and from which seed.

    Returns
    -------
    Confidence
        In the order of `plans.region_id`. `swing_metric` is a metric of the parcels, or that of the capacity where it
        is the megawatts that move the region; no gate is named.
    """
    return kinds_confidence(inputs, [plans], draws)[0]


def kinds_confidence(
    inputs: ScoreInputs, several: Sequence[Plans], draws: Draws
) -> list[Confidence]:
    """Rank regions of several kinds, each among its own, in the same draws: as `region_confidence` does one."""
    named = np.concatenate([plans.parcel_id for plans in several])
    held = np.flatnonzero(pd.Index(inputs.row_id).isin(named))
    inputs = ScoreInputs(inputs.row_id[held], tuple(q.take(held) for q in inputs.quantities))
    field = Field.of(inputs, draws)
    drawn_kw = {
        name: _Capacity.of(inputs, name, field.rows) for name in {p.capacity for p in several}
    }
    kinds = [_Kind(field, inputs.row_id[field.rows], plans, draws.count) for plans in several]
    table, score = field.table.copy(), np.empty(field.rows.size, dtype=np.int32)
    for draw in range(draws.count):
        field.put_scores(draw, table, score)
        able_kw = {name: capacity.kw(draws, draw) for name, capacity in drawn_kw.items()}
        for kind in kinds:
            kind.add(draw, table, score, able_kw[kind.plans.capacity])
    return [kind.told() for kind in kinds]


class _Kind:
    """Regions of one kind and their ranks, draw by draw."""

    def __init__(self, field: Field, row_id: np.ndarray, plans: Plans, count: int) -> None:
        self.plans = plans
        self.row = pd.Index(row_id).get_indexer(pd.Index(plans.parcel_id))
        self.used_kw = np.round(plans.used_mw * KW_PER_MW).astype(np.int64)
        self.target_kw = round(plans.target_mw * KW_PER_MW)
        self.start = np.flatnonzero(np.diff(plans.region, prepend=-1))
        # As published: a region whose plan passes no gate for sure comes after the others.
        self.is_later = np.logical_and.reduceat(field.is_later[self.row], self.start)
        self.rank = np.full((self.start.size, count), UNRANKED, dtype=np.int32)
        names = plans.region_id.astype(object)
        self.by_id = np.argsort(np.argsort(names, kind="stable"), kind="stable")
        self.moves = _Moves(
            field, self.row, self.used_kw, self.target_kw, self.start, self.is_later
        )

    def add(self, draw: int, table: np.ndarray, score: np.ndarray, able_kw: np.ndarray) -> None:
        """Rank them in one draw, from the scores of the field's rows and the kW that are there."""
        kw = np.minimum(able_kw[self.row], self.used_kw)
        here = score[self.row].astype(np.int64)
        kw[here == NOWHERE] = 0
        total = np.add.reduceat(kw * here, self.start) // self.target_kw
        able = np.flatnonzero(np.add.reduceat(kw, self.start) > 0)
        order = able[np.lexsort((self.by_id[able], -total[able], self.is_later[able]))]
        self.rank[order, draw] = np.arange(1, order.size + 1)
        if draw < SWING_DRAWS:
            self.moves.add(draw, table, kw)

    def told(self) -> Confidence:
        """Sum up all draws."""
        return Confidence(**rank_summary(self.rank), **self.moves.named(self.plans.capacity))


@dataclass(frozen=True, eq=False)
class _Capacity:
    """Megawatts behind the rows of plans, drawn as the metric of the same name is."""

    name: str
    low: np.ndarray
    mid: np.ndarray
    high: np.ndarray
    group: np.ndarray

    @classmethod
    def of(cls, inputs: ScoreInputs, name: str, rows: np.ndarray) -> "_Capacity":
        found = next((q.take(rows) for q in inputs.quantities if q.name == name), None)
        if found is None:
            unbound = np.full(rows.size, np.nan)
            return cls(name, unbound, unbound, unbound, np.zeros(rows.size, dtype=np.uint64))
        return cls(name, found.low, found.mid, found.high, found.group)

    def kw(self, draws: Draws, draw: int) -> np.ndarray:
        """Whole kW of one draw; as much as one likes where nothing is known."""
        uniform = draws.uniform(draw, self.name, self.group)
        found = triangular(uniform, self.low, self.mid, self.high) * KW_PER_MW
        known = np.maximum(np.floor(found), 0.0)
        return np.where(np.isnan(found), 2.0**40, known).astype(np.int64)


class _Moves:
    """What moves regions against those next to them, added up over draws.

    Parts are the weights of all factors, then their inputs, then the megawatts that are there.
    """

    def __init__(
        self,
        field: Field,
        row: np.ndarray,
        used_kw: np.ndarray,
        target_kw: int,
        start: np.ndarray,
        is_later: np.ndarray,
    ) -> None:
        self.field, self.row, self.used_kw, self.start = field, row, used_kw, start
        self.full = used_kw / target_kw
        self.mid = self._values(field.table)
        drawn = (units.quantity for units in field.drawn)
        self.weight = np.array([quantity.weight for quantity in (*field.fixed, *drawn)])
        own = np.add.reduceat(self.mid * self.full, start, axis=1)
        n = start.size
        order = np.lexsort((np.arange(n), -(self.weight @ own), is_later))
        width = min(2 * RIVALS + 1, n)
        first = np.clip(np.arange(n) - RIVALS, 0, n - width)
        self.near = np.empty((n, width), dtype=np.int64)
        self.near[order] = order[first[:, None] + np.arange(width)]
        self.ahead = self._over_rivals(own)
        self.found: list[np.ndarray] = []

    def _over_rivals(self, each: np.ndarray) -> np.ndarray:
        """Give what regions have more than those next to them: (quantities, regions)."""
        return each - each[:, self.near].mean(axis=2)

    def _values(self, table: np.ndarray) -> np.ndarray:
        """Value scores of the rows of plans: (quantities, rows)."""
        field = self.field
        drawn = table[field.unit + field.first[:-1, None]]
        drawn = np.where(drawn < 0, -1 - drawn, drawn)
        return np.concatenate([field.fixed_value, drawn])[:, self.row].astype(np.float64)

    def add(self, draw: int, table: np.ndarray, kw: np.ndarray) -> None:
        """Add one draw."""
        weights = self.field.fixed_weight[draw], self.field.drawn_weight[draw]
        weight = np.concatenate(weights) / UNITS
        value = self._values(table)
        by_input = np.add.reduceat((value - self.mid) * self.full, self.start, axis=1)
        lost = self.full * (kw / self.used_kw - 1.0)
        by_mw = np.add.reduceat((weight @ value) * lost, self.start)
        moved = self._over_rivals(np.concatenate([weight[:, None] * by_input, by_mw[None]]))
        parts = [weight[:, None] * self.ahead, moved]
        self.found.append(np.concatenate(parts))

    def named(self, capacity: str) -> dict[str, np.ndarray]:
        """Name what moves each region most."""
        moves = np.stack(self.found)
        lead = moves.sum(axis=1)
        spread = lead - lead.mean(axis=0)
        share = ((moves - moves.mean(axis=0)) * spread[:, None]).mean(axis=0)
        variance = (spread**2).mean(axis=0)
        count = self.weight.size
        names = [*self.field.names]
        by_weight, by_input = share[:count].copy(), share[count:-1].copy()
        # Megawatts are an input like the score that is given for them.
        if capacity in names:
            by_input[names.index(capacity)] += share[-1]
        else:
            names.append(capacity)
            by_weight = np.vstack([by_weight, np.zeros_like(share[-1])])
            by_input = np.vstack([by_input, share[-1]])
        both = by_weight + by_input
        best, each = both.argmax(axis=0), np.arange(variance.size)
        # Of whole parts of 2^20, so that rounding of floats moves nobody.
        is_moved = variance > 1e-6
        metric = np.array([*names, None], dtype=object)[np.where(is_moved, best, -1)]
        is_input = by_input[best, each] > by_weight[best, each]
        word = np.where(is_input, "input", "weight").astype(object)
        word[~is_moved] = None
        told = np.divide(
            both[best, each], variance, out=np.full(variance.size, np.nan), where=is_moved
        )
        return {"swing_metric": metric, "swing_by": word, "swing_share": told}
