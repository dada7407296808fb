"""What would change a verdict: the least change of one metric, or of two, that lifts a score over a floor.

A score is the sum of whole billionths of a point, as the ranking counts it, so that a change that is said to
be enough is enough in the ranking too. Every change leaves the other metrics as they are.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

# A point is so many units: the ranking sums whole ones.
UNITS = 1_000_000_000
FULL_POINTS = 100.0
# Of a metric that comes in whole numbers, each is tried in a pair, up to so many.
MOST_WHOLE = 64
# Steps away from an inverse that rounding left a hair short, each twice the one before.
NUDGES = 60


@dataclass(frozen=True)
class Piece:
    """A straight piece of a value function: from_value + slope * (x - from_x) for from_x <= x < to_x."""

    from_x: float
    to_x: float
    from_value: float
    slope: float


@dataclass(frozen=True)
class Factor:
    """A weighted metric with its value function.

    Attributes
    ----------
    metric
        Name.
    weight
        Share of the score, 0 to 1.
    pieces
        Pieces in the order of the metric; together they cover every number.
    is_whole
        Whether the metric comes in whole numbers: counts, people, yes or no.
    """

    metric: str
    weight: float
    pieces: tuple[Piece, ...]
    is_whole: bool = False

    def value_score(self, x: float) -> float:
        """Value function at `x`, 0 to 1; NaN where `x` is."""
        for piece in self.pieces:
            if piece.from_x <= x < piece.to_x:
                value = piece.from_value + piece.slope * (x - piece.from_x)
                return min(max(value, 0.0), 1.0)
        return math.nan

    def units(self, x: float) -> int:
        """Points that `x` brings, in units; 0 where it is unknown."""
        value = self.value_score(x)
        return (
            0 if math.isnan(value) else math.floor(FULL_POINTS * self.weight * value * UNITS + 0.5)
        )

    @property
    def breakpoints(self) -> tuple[float, ...]:
        """Where one piece ends and the next begins."""
        return tuple(piece.from_x for piece in self.pieces[1:])

    @property
    def span(self) -> float:
        """From the first breakpoint to the last: changes of different metrics are compared by it."""
        return self.breakpoints[-1] - self.breakpoints[0]

    @property
    def worst(self) -> float:
        """Breakpoint of the least value: an unknown metric is scored no better."""
        return min(self.breakpoints, key=self.value_score)

    def start(self, x: float) -> float:
        """Where changes begin: at `x`, or at the worst where that is unknown."""
        return self.worst if math.isnan(x) else x

    def most(self, low: float = -math.inf, high: float = math.inf) -> int:
        """Units of the best value between two bounds."""
        ends = [x for x in (low, high) if math.isfinite(x)]
        inside = [x for x in self.breakpoints if low <= x <= high]
        return max(self.units(x) for x in (*ends, *inside))

    def nearest(
        self, start: float, units: int, low: float = -math.inf, high: float = math.inf
    ) -> float | None:
        """Value nearest to `start`, between two bounds, that brings at least so many units.

        Returns
        -------
        float or None
            The value function inverted: one step of rounding nearer brings less. None where no value is enough.
        """
        scale = FULL_POINTS * self.weight * UNITS
        found = []
        for piece in self.pieces:
            left, right = max(piece.from_x, low), min(piece.to_x, high)
            if left > right:
                continue
            if piece.slope == 0.0:
                if math.floor(scale * piece.from_value + 0.5) < units:
                    continue
            else:
                at = piece.from_x + ((units - 0.5) / scale - piece.from_value) / piece.slope
                if piece.slope > 0:
                    left = max(left, at)
                else:
                    right = min(right, at)
                if left > right:
                    continue
            x = self._settle(start, min(max(start, left), right), units, piece.slope)
            if x is not None and low <= x <= high:
                found.append(x)
        return min(found, key=lambda x: abs(x - start), default=None)

    def _settle(self, start: float, x: float, units: int, slope: float) -> float | None:
        """Move away from the start by as little as rounding, or whole numbers, ask for."""
        away = x - start or slope
        if self.is_whole and x != start:
            x = float(math.ceil(x) if away > 0 else math.floor(x))
        step = 1.0 if self.is_whole else math.ulp(x)
        for _ in range(2 if self.is_whole else NUDGES):
            if self.units(x) >= units:
                return x
            x += math.copysign(step, away)
            step *= 2.0
        return None


@dataclass(frozen=True)
class Gate:
    """A hard requirement: at least, or at most, a bound."""

    metric: str
    at_least: float | None = None
    at_most: float | None = None

    def status(self, x: float) -> str:
        """Tell `pass`, `fail` or, where `x` is NaN, `unknown`."""
        if math.isnan(x):
            return "unknown"
        is_high = self.at_least is None or x >= self.at_least
        is_low = self.at_most is None or x <= self.at_most
        return "pass" if is_high and is_low else "fail"


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
