"""Factors and gates of a profile, one parcel at a time: points in whole units, and value functions inverted."""

import math
from dataclasses import dataclass

# A point is so many units: the ranking sums whole ones.
UNITS = 1_000_000_000
FULL_POINTS = 100.0
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
