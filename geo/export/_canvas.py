"""Text and lines on a figure whose pixels are known."""

from functools import cache
from typing import Any

from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, get_font
from matplotlib.patches import Rectangle
from matplotlib.text import Text

FONT = "DejaVu Sans"  # shipped with matplotlib, so every machine draws the same map
INK, SOFT_INK = "#1d2327", "#5b6470"
_MISSING_GLYPH = "\N{WHITE SQUARE}"
_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


def draw_text(
    parent: Figure | Axes, x: float, y: float, text: str, *, fit: float = 0.0, **style: Any
) -> Text:
    """Draw text as it stands, without TeX.

    Parameters
    ----------
    parent
        A figure, or axes with data coordinates.
    x, y
        Position in the parent's coordinates.
    text
        Any text: characters that the font lacks become squares.
    fit
        Figure fraction at which the text is cut with an ellipsis; 0 lets it run.
    **style
        Of `matplotlib.text.Text`.
    """
    text = drawable(text)
    options: dict[str, Any] = {"parse_math": False, "family": FONT, "color": INK} | style
    drawn = parent.text(x, y, text, **options)
    if fit and right_edge(drawn) > fit:
        kept = _longest(drawn, text, fit)
        drawn.set_text(text[:kept].rstrip(" ,;") + _ELLIPSIS)
    return drawn


def draw_paragraph(
    figure: Figure,
    x: float,
    top: float,
    text: str,
    *,
    fit: float,
    sizes: dict[float, int],
    **style: Any,
) -> float:
    """Draw wrapped text in the first size whose line limit it meets, the last size cut; give the next free y.

    Parameters
    ----------
    figure
        To draw on.
    x, top
        Upper left corner, figure fraction.
    text
        Broken at spaces.
    fit
        Right edge, figure fraction.
    sizes
        Font size in points to the number of lines allowed, largest first.
    **style
        Of `matplotlib.text.Text`.
    """
    for size, limit in sizes.items():
        lines = wrap(figure, x, text, fit=fit, size=size)
        if len(lines) <= limit:
            break
    step = 1.5 * size / 72 / figure.get_figheight()
    if len(lines) > limit:
        lines[limit - 1 :] = [" ".join(lines[limit - 1 :])]
    for line in lines:
        draw_text(figure, x, top, line, size=size, va="top", fit=fit, **style)
        top -= step
    return top


def wrap(figure: Figure, x: float, text: str, *, fit: float, size: float) -> list[str]:
    """Break text at spaces into the lines that run from `x` to `fit`, figure fractions."""
    probe = figure.text(x, 0, "", parse_math=False, family=FONT, size=size)

    @cache
    def width(words: str) -> float:
        probe.set_text(words)
        return right_edge(probe) - x

    # Words are measured once each and added up; hinting makes the sum differ by less than this.
    room = 0.995 * (fit - x)
    space = width("n n") - width("nn")
    lines, used = [""], 0.0
    for word in drawable(text).split():
        if lines[-1] and used + space + width(word) > room:
            lines.append(word)
            used = width(word)
        else:
            used += width(word) + (space if lines[-1] else 0)
            lines[-1] = f"{lines[-1]} {word}".strip()
    probe.remove()
    return lines


def draw_rule(figure: Figure, left: float, right: float, y: float, colour: str) -> None:
    """Draw a thin horizontal line, figure fractions."""
    rule = Rectangle(
        (left, y), right - left, 0.0009, facecolor=colour, linewidth=0, transform=figure.transFigure
    )
    figure.add_artist(rule)


def drawable(text: str) -> str:
    """Replace characters that the font lacks, and line breaks: matplotlib would warn about each."""
    glyphs = _glyphs()
    flat = " ".join(text.split())
    return "".join(char if ord(char) in glyphs else _MISSING_GLYPH for char in flat)


def left_edge(drawn: Text) -> float:
    """Give where a text begins, figure fraction."""
    return drawn.get_window_extent().x0 / _figure(drawn).bbox.width


def right_edge(drawn: Text) -> float:
    """Give where a text ends, figure fraction."""
    return drawn.get_window_extent().x1 / _figure(drawn).bbox.width


def _figure(drawn: Text) -> Figure:
    figure = drawn.get_figure(root=True)
    assert isinstance(figure, Figure)
    return figure


def _longest(drawn: Text, text: str, fit: float) -> int:
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        drawn.set_text(text[:middle] + _ELLIPSIS)
        low, high = (middle, high) if right_edge(drawn) <= fit else (low, middle - 1)
    return low


@cache
def _glyphs() -> frozenset[int]:
    return frozenset(get_font(font_manager.findfont(FontProperties(family=FONT))).get_charmap())
