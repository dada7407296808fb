"""The parts that a report is made of: said once, written as Markdown and as HTML."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Code:
    """A command or a name of a table, shown as it is typed."""

    text: str


@dataclass(frozen=True)
class Strong:
    """Words that must not be missed."""

    text: str


Span = str | Code | Strong


@dataclass(frozen=True)
class Heading:
    """A heading of level 1 to 3; levels are never skipped."""

    level: int
    text: str


@dataclass(frozen=True)
class Paragraph:
    """Sentences; plain text is escaped where it is written.

    Parameters
    ----------
    spans
        Text, code and strong words, one after the other.
    is_warning
        Whether it stands out, as what every reader must know.
    """

    spans: tuple[Span, ...]
    is_warning: bool = False


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    lines: Sequence[str]


@dataclass(frozen=True)
class Figures:
    """What a run covered: pairs of a number and what it counts."""

    pairs: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Interval:
    """An interval drawn as a thin mark beside its text: ends as shares of the axis, 0 to 1."""

    low: float
    high: float


@dataclass(frozen=True)
class Cell:
    """A cell whose text has a mark beside it in HTML; Markdown has the text alone."""

    text: str
    mark: Interval


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table.

    Parameters
    ----------
    caption
        What it shows, in a few words.
    headings
        Of the columns.
    rows
        As many cells each as there are headings.
    right
        Headings of the columns that are aligned to the right.
    name_column
        Position of the column that names its row.
    key
        What the marks beside cells mean: HTML alone has them.
    folded
        Words under which HTML folds a long table away; empty leaves it open.
    """

    caption: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    right: Collection[str] = field(default_factory=tuple)
    name_column: int = 0
    key: str = ""
    folded: str = ""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture: drawn into the HTML, named by its file in Markdown.

    Parameters
    ----------
    svg
        The drawing: an `svg` element, its texts escaped.
    file
        Name of the same picture as a file beside the report; empty where there is none.
    alt
        What the picture shows, for those who do not see it.
    caption
        Below it.
    legend
        Pairs of the class of a colour in the drawing and its label.
    """

    svg: str
    file: str
    alt: str
    caption: str
    legend: Sequence[tuple[str, str]] = ()


Part = Heading | Paragraph | Bullets | Figures | Table | Picture


def words(*spans: Span) -> Paragraph:
    """Give a paragraph of text, code and strong words."""
    return Paragraph(spans)
