"""Markdown whose texts cannot become markup."""

import re
from collections.abc import Collection, Iterable, Sequence
from urllib.parse import quote

from geo.export._text import in_order
from geo.export.report_parts import (
    Bullets,
    Cell,
    Code,
    Figures,
    Heading,
    Paragraph,
    Part,
    Picture,
    Span,
    Strong,
)

# An underscore inside a word is no emphasis: column names stay readable.
_SPECIAL = re.compile(r"([\\`*\[\]~|$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_LINE_START = re.compile(r"^(\d+)([.)])(?=\s|$)|^([-+#=:])")
# GitHub links bare addresses and e-mail by itself.
_AUTOLINK = re.compile(r"(?i)(https?|ftp)(:)|(www)(\.)|(@)")


def escape(text: str) -> str:
    """Give text that Markdown shows as it stands: one line, no markup, no HTML, no links."""
    text = " ".join(in_order(text).split())
    text = _SPECIAL.sub(r"\\\1", text.translate(_ENTITIES))
    text = _AUTOLINK.sub(_break_link, text)
    return _LINE_START.sub(lambda found: f"{found[1] or ''}\\{found[2] or found[3]}", text)


def bullets(lines: Iterable[str]) -> str:
    """Give a list, its lines escaped."""
    return "\n".join(f"- {escape(line)}" for line in lines)


def table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], *, right: Collection[str] = ()
) -> str:
    """Give a table, headings as they are, cells escaped.

    Parameters
    ----------
    headings
        Of the columns.
    rows
        As many cells each as there are headings.
    right
        Headings of the columns that are aligned to the right.
    """
    rules = ["---:" if heading in right else "---" for heading in headings]
    lines = [headings, rules, *([escape(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def document(parts: Iterable[Part]) -> str:
    """Give the parts of a report as GitHub-flavoured Markdown that ends in a line break."""
    return "\n\n".join(_part(part) for part in parts) + "\n"


def _part(part: Part) -> str:
    if isinstance(part, Heading):
        return f"{'#' * part.level} {escape(part.text)}"
    if isinstance(part, Paragraph):
        return "".join(_span(span) for span in part.spans)
    if isinstance(part, Bullets):
        return bullets(part.lines)
    if isinstance(part, Figures):
        return table(("What the run covered", "How many"), [pair[::-1] for pair in part.pairs])
    if isinstance(part, Picture):
        # A file name is no place for markup; what is odd in one is percent-encoded.
        shown = f"![{escape(part.alt)}]({quote(part.file)})\n\n" if part.file else ""
        return shown + escape(part.caption)
    rows = [[cell.text if isinstance(cell, Cell) else cell for cell in row] for row in part.rows]
    listed = table(part.headings, rows, right=part.right)
    return f"{escape(part.caption)}\n\n{listed}" if part.caption else listed


def _span(span: Span) -> str:
    if isinstance(span, Code):
        return f"`{span.text}`"
    if isinstance(span, Strong):
        return f"**{escape(span.text)}**"
    # Text beside other spans keeps the blanks at its ends.
    lead, tail = span[: len(span) - len(span.lstrip())], span[len(span.rstrip()) :]
    return f"{' ' if lead else ''}{escape(span)}{' ' if tail else ''}" if span.strip() else ""


def _break_link(found: re.Match[str]) -> str:
    word, mark = (found[1] or found[3] or ""), (found[2] or found[4] or found[5])
    return f"{word}&#{ord(mark)};"
