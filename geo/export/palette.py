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
