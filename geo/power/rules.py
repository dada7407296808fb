"""The rules of the load flow out of their table, and the cases that they make."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np
import pandas as pd

from geo.errors import GeoError
from geo.power.hosting import ENDS, SUPPLIES, Case, Supply
from geo.power.network import RatingRules

End = Literal["low", "mid", "high"]
# Of the base flows: a year's hours lie between the peak and 0.3 of it.
LEVELS = (1.0, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)
# What each end of the interval assumes of the supply.
TAKES: dict[End, tuple[tuple[Supply, ...], Literal["least", "most"]]] = {
    "low": (SUPPLIES, "least"),
    "mid": (("committed",), "least"),
    "high": (SUPPLIES, "most"),
}
Triple = tuple[float, float, float]


@dataclass(frozen=True)
class PowerRules:
    """Parameters of the load flow: low, mid and high of each (reference/power_rule.csv).

    Attributes
    ----------
    interval
        Those that together make the published low, mid and high.
    alone
        Those that are varied one at a time, all else at its middle, to show what each does.
    """

    interval: dict[str, Triple]
    alone: dict[str, Triple]

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> Self:
        """Read from a frame with columns `name`, `used` (interval or alone), `low`, `mid`, `high`.

        Raises
        ------
        GeoError
            A parameter that the rules need is missing, or not a number.
        """
        found: dict[str, dict[str, Triple]] = {"interval": {}, "alone": {}}
        for row in frame.to_dict("records"):
            if row["used"] in found:
                found[row["used"]][row["name"]] = (row["low"], row["mid"], row["high"])
        needed = {
            "interval": (
                *("rating_factor", "flow_factor", "estimated_line_factor"),
                *("breaker_amperes", "base_flow_room"),
            ),
            "alone": ("rating_factor", "flow_factor", "factor_floor", "emergency_factor"),
        }
        for used, names in needed.items():
            for name in names:
                if not np.isfinite(found[used].get(name, (np.nan,))).all():
                    msg = f"The rules of the load flow lack a number of {name} ({used})."
                    raise GeoError(msg)
        return cls(found["interval"], found["alone"])

    def ratings(self, classes: pd.DataFrame) -> RatingRules:
        """How branches without a rating are rated, with the limits of `reference/line_class.csv`."""
        classes = classes.sort_values("kv")
        return RatingRules(
            classes["kv"].to_numpy(float),
            classes["thermal_mva"].to_numpy(float),
            self.interval["estimated_line_factor"],
            self.interval["breaker_amperes"],
            self.interval["base_flow_room"],
        )

    def case(self, end: End, level: float = 1.0) -> Case:
        """One end of the published interval, at a share of its base flows."""
        at = ENDS.index(end)
        supplies, takes = TAKES[end]
        return Case(
            end if level == 1.0 else f"{end} at {level:g}",
            rating=end,
            rating_factor=self.interval["rating_factor"][at],
            flow_factor=self.interval["flow_factor"][at] * level,
            emergency_factor=self.alone["emergency_factor"][1],
            factor_floor=self.alone["factor_floor"][1],
            supplies=supplies,
            takes=takes,
        )

    def published(self) -> list[Case]:
        """Mid, low and high, then low, mid and high at each lower level."""
        levels = [self.case(end, level) for end in ENDS for level in LEVELS[1:]]
        return [self.case("mid"), self.case("low"), self.case("high"), *levels]

    def varied(self) -> list[Case]:
        """Mid, then each parameter alone at its ends."""
        return [self.case("mid"), *self._alone()]

    def levels_of(self, end: End, names: Sequence[str]) -> list[int]:
        """Positions among the names of cases of one end at `LEVELS`."""
        return [list(names).index(self.case(end, level).name) for level in LEVELS]

    def _alone(self) -> list[Case]:
        mid = self.case("mid")
        varied = [
            replace(mid, name=f"{name} {value:g}", **{name: value})
            for name, (low, _, high) in self.alone.items()
            for value in (low, high)
        ]
        ends: tuple[End, ...] = ("low", "high")
        varied += [replace(mid, name=f"estimated_rating {end}", rating=end) for end in ends]
        # Where its zone does not cover a load, only the interconnection serves it.
        local: tuple[Supply, ...] = ("committed", "zone")
        return [
            *varied,
            replace(mid, name="supply committable", supplies=("committable",)),
            replace(mid, name="supply zone, least", supplies=local, takes="least"),
            replace(mid, name="supply zone, most", supplies=local, takes="most"),
        ]
