"""The rank classes and their colours, one choice for every map that is made."""

from dataclasses import dataclass

UNRANKED_COLOUR = "#d6d6d3"
UNRANKED_LABEL = "not ranked"


@dataclass(frozen=True)
class RankClass:
    """An inclusive interval of ranks that is drawn in one colour.

    Parameters
    ----------
    first
        Best rank of the class.
    last
        Worst rank of the class; None where the class is open.
    colour
        Hexadecimal sRGB.
    """

    first: int
    last: int | None
    colour: str

    @property
    def label(self) -> str:
        """Words for the legend."""
        return f"{self.first}\N{EN DASH}{self.last}" if self.last else f"{self.first} and after"


# Dark is good. Five steps of a yellow-green-blue ramp: lightness falls by nearly equal steps, so that the
# order survives colour blindness (it has no red-green pair) and grey print.
RANK_CLASSES = (
    RankClass(1, 10, "#0b1f66"),
    RankClass(11, 50, "#1f63a8"),
    RankClass(51, 100, "#2fa3bd"),
    RankClass(101, 500, "#8fd3b6"),
    RankClass(501, None, "#f2f3d9"),
)


UNKNOWN_MW_LABEL = "unknown"


@dataclass(frozen=True)
class MegawattClass:
    """A half-open interval of megawatts that is drawn in one colour.

    Parameters
    ----------
    at_least
        MW from which on it holds.
    below
        MW at which it ends; None where the class is open.
    colour
        Hexadecimal sRGB.
    """

    at_least: float
    below: float | None
    colour: str

    @property
    def label(self) -> str:
        """Words for the legend."""
        if self.below is None:
            return f"{self.at_least:,.0f} and more"
        if self.at_least == 0:
            return f"under {self.below:,.0f}"
        return f"{self.at_least:,.0f}\N{EN DASH}{self.below:,.0f}"


# Bounds at what sites ask for: an edge site 50 MW, a campus 200 to 1,000 MW. Light is little: a ramp from sand to
# violet of falling lightness without a red-green pair.
MEGAWATT_CLASSES = (
    MegawattClass(0, 50, "#d9cfb4"),
    MegawattClass(50, 200, "#e3a45c"),
    MegawattClass(200, 500, "#d8624f"),
    MegawattClass(500, 1000, "#9b2c73"),
    MegawattClass(1000, None, "#3b0a59"),
)
