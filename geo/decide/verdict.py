"""What would change a verdict: the least change of one metric, or of two, that lifts a score over a floor.

A score is the sum of whole billionths of a point, as the ranking counts it, so that a change that is said to
be enough is enough in the ranking too. Every change leaves the other metrics as they are.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from geo.decide.factor import FULL_POINTS, UNITS, Factor, Gate, Piece

# Of a metric that comes in whole numbers, each is tried in a pair, up to so many.
MOST_WHOLE = 64


@dataclass(frozen=True)
class Change:
    """A metric that moves: from `before` (NaN: unknown) to `after`, which brings `gain` points more.

    `size` is the move as a share of the span of the value function; 0 where no factor weighs the metric.
    """

    metric: str
    before: float
    after: float
    gain: float
    size: float


@dataclass(frozen=True)
class Verdict:
    """What lifts a parcel over a floor.

    Attributes
    ----------
    required
        What the gates need, all of it: it comes first, and counts in everything below.
    lacking
        Points that are still lacking once the gates pass; 0 or less where nothing is.
    alone
        For each factor that is enough by itself, the least change, smallest first.
    most
        For each other factor, the points that it could bring more at most, and the nearest value that brings them.
    pair
        Smallest two changes, where no single one is enough; None where one is, or no two are.
    least_count
        How many factors must change at least; None where all at their best are not enough.
    score
        Score once the gates pass.
    """

    required: tuple[Change, ...]
    lacking: float
    alone: tuple[Change, ...]
    most: dict[str, tuple[float, float]]
    pair: tuple[Change, Change] | None
    least_count: int | None
    score: float


@dataclass(frozen=True)
class _Place:
    """A factor with where its metric stands once the gates pass, and between which bounds it may move."""

    factor: Factor
    before: float
    base: float
    low: float
    high: float

    @property
    def start(self) -> float:
        return self.factor.start(self.base)

    @property
    def held(self) -> int:
        return self.factor.units(self.base)

    @property
    def room(self) -> int:
        """Units that it could bring more."""
        return self.factor.most(self.low, self.high) - self.held

    def size(self, after: float) -> float:
        return abs(after - self.start) / self.factor.span

    def reach(self, gain: int) -> float | None:
        """Nearest value that brings so many units more."""
        return self.factor.nearest(self.start, self.held + gain, self.low, self.high)

    def most(self) -> tuple[float, float]:
        """Points that it could bring more, and the nearest value that brings them."""
        at = self.reach(self.room)
        return self.room / UNITS, self.start if at is None else at

    def asked(self) -> Change:
        """Tell the change that the gates ask for."""
        gain = (self.held - self.factor.units(self.before)) / UNITS
        size = abs(self.base - self.factor.start(self.before)) / self.factor.span
        return Change(self.factor.metric, self.before, self.base, gain, size)

    def change(self, after: float) -> Change:
        gain = (self.factor.units(after) - self.factor.units(self.before)) / UNITS
        return Change(self.factor.metric, self.before, after, gain, self.size(after))

    def stops(self) -> list[float]:
        """Values between which gain grows straight: the corners, and each whole number of a short span."""
        corners = {x for x in self.factor.breakpoints if self.low <= x <= self.high}
        corners |= {x for x in (self.low, self.high) if math.isfinite(x)}
        first, last = self.factor.breakpoints[0], self.factor.breakpoints[-1]
        if self.factor.is_whole and last - first <= MOST_WHOLE:
            whole = range(math.ceil(first), math.floor(last) + 1)
            corners |= {float(x) for x in whole if self.low <= x <= self.high}
        return sorted(corners)


def verdict(
    factors: Sequence[Factor],
    gates: Sequence[Gate],
    values: Mapping[str, float],
    floor: float | None,
    *,
    is_known_asked: bool = True,
) -> Verdict:
    """Tell the least changes with which a parcel passes its gates and scores above a floor.

    Parameters
    ----------
    factors, gates
        Those in use; weights sum to 1.
    values
        Metrics by name; one that is missing or NaN is unknown.
    floor
        Score to be above, by one billionth of a point at least; None where passing the gates is enough.
    is_known_asked
        Whether unknown gates count as not passed.
    """
    bounds = _bounds(gates)
    known = {name: values.get(name, math.nan) for name in {f.metric for f in factors} | set(bounds)}
    lifted = dict(known)
    for gate in gates:
        status = gate.status(known[gate.metric])
        if status == "fail" or (status == "unknown" and is_known_asked):
            lifted[gate.metric] = _lifted(known[gate.metric], *bounds[gate.metric])
    places = [
        _Place(f, known[f.metric], lifted[f.metric], *bounds.get(f.metric, (-math.inf, math.inf)))
        for f in factors
    ]
    by_metric = {place.factor.metric: place for place in places}
    required = tuple(
        by_metric[name].asked()
        if name in by_metric
        else Change(name, known[name], lifted[name], 0.0, 0.0)
        for name in sorted(known)
        if known[name] != lifted[name] and not math.isnan(lifted[name])
    )
    score = sum(place.held for place in places)
    lacking = 0 if floor is None else math.floor(floor * UNITS + 0.5) + 1 - score
    alone: list[Change] = []
    pair, least_count = None, 0
    if lacking > 0:
        reached = ((place, place.reach(lacking)) for place in places)
        alone = [place.change(after) for place, after in reached if after is not None]
        alone.sort(key=lambda change: (change.size, change.metric))
        least_count = _least_count([place.room for place in places], lacking)
        pair = None if alone else _pair(places, lacking)
    enough = {change.metric for change in alone}
    most = {p.factor.metric: p.most() for p in places if p.factor.metric not in enough}
    return Verdict(required, lacking / UNITS, tuple(alone), most, pair, least_count, score / UNITS)


def losing(
    factors: Sequence[Factor],
    gates: Sequence[Gate],
    values: Mapping[str, float],
    ceiling: float | None,
) -> tuple[Change, ...]:
    """Tell the least change of each known metric that fails a gate or scores below a ceiling, smallest first.

    Parameters
    ----------
    factors, gates, values
        As of `verdict`, of a parcel that fails no gate.
    ceiling
        Score to be below; None where only a gate can end it.

    Returns
    -------
    tuple of Change
        `after` is where it happens: the bound of a gate, past which it fails, or the value that scores too little.
    """
    score = sum(f.units(values.get(f.metric, math.nan)) for f in factors)
    by_metric = {f.metric: f for f in factors}
    bounds = _bounds(gates)
    found = []
    for name in sorted(by_metric.keys() | bounds.keys()):
        before, factor = values.get(name, math.nan), by_metric.get(name)
        if math.isnan(before):
            continue
        ends = [x for x in bounds.get(name, ()) if math.isfinite(x)]
        if factor is not None and ceiling is not None:
            most = factor.units(before) - (score - (math.floor(ceiling * UNITS + 0.5) - 1))
            after = _turned(factor).nearest(before, _turned_units(factor, most))
            ends += [] if after is None or most < 0 else [after]
        if not ends:
            continue
        after = min(ends, key=lambda x: abs(x - before))
        span = factor.span if factor else 0.0
        gain = (factor.units(after) - factor.units(before)) / UNITS if factor else 0.0
        size = abs(after - before) / span if span else math.inf
        found.append(Change(name, before, after, gain, size))
    return tuple(sorted(found, key=lambda change: (change.size, change.metric)))


def _bounds(gates: Sequence[Gate]) -> dict[str, tuple[float, float]]:
    """Between which values all gates of a metric pass."""
    bounds: dict[str, tuple[float, float]] = {}
    for gate in gates:
        low, high = bounds.get(gate.metric, (-math.inf, math.inf))
        low = low if gate.at_least is None else max(low, gate.at_least)
        high = high if gate.at_most is None else min(high, gate.at_most)
        bounds[gate.metric] = low, high
    return bounds


def _lifted(x: float, low: float, high: float) -> float:
    """Value nearest to `x` that passes; where `x` is unknown, the bound itself."""
    if math.isnan(x):
        return low if math.isfinite(low) else high
    return min(max(x, low), high)


def _pair(places: Sequence[_Place], lacking: int) -> tuple[Change, Change] | None:
    """Two changes of the smallest sum of sizes that together bring what is lacking.

    Sizes and gains run straight between stops, so in the best pair one of the two lies on a stop.
    """
    best: tuple[float, Change, Change] | None = None
    for one, other in combinations(places, 2):
        if one.room + other.room < lacking:
            continue
        for fixed, free in ((one, other), (other, one)):
            for stop in fixed.stops():
                gain = fixed.factor.units(stop) - fixed.held
                after = free.reach(lacking - gain) if gain > 0 else None
                if after is None:
                    continue
                size = fixed.size(stop) + free.size(after)
                if best is None or size < best[0]:
                    best = size, fixed.change(stop), free.change(after)
    if best is None:
        return None
    first, second = sorted(best[1:], key=lambda change: -change.gain)
    return first, second


def _least_count(rooms: Sequence[int], lacking: int) -> int | None:
    """Fewest factors whose best values bring what is lacking."""
    total = 0
    for count, room in enumerate(sorted(rooms, reverse=True), start=1):
        total += room
        if total >= lacking:
            return count
    return None


def _turned(factor: Factor) -> Factor:
    """Factor of which much is worth what little of this one is: its value function upside down."""
    pieces = tuple(
        Piece(piece.from_x, piece.to_x, 1.0 - piece.from_value, -piece.slope)
        for piece in factor.pieces
    )
    return Factor(factor.metric, factor.weight, pieces, factor.is_whole)


def _turned_units(factor: Factor, most: int) -> int:
    """Units that the factor turned upside down brings at least where the factor brings at most so many.

    One more than plain arithmetic says, since both are rounded.
    """
    return math.floor(FULL_POINTS * factor.weight * UNITS + 0.5) - most + 1
