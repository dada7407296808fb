"""Markdown whose texts cannot become markup."""

import re
from collections.abc import Collection, Iterable, Sequence

from geo.export._cells import clean_text

# An underscore inside a word is no emphasis: column names stay readable.
_SPECIAL = re.compile(r"([\\`*\[\]~|$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
# Overrides and isolates reorder what follows them, also in other cells of a plain-text view.
_BIDI = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_LINE_START = re.compile(r"^(\d+)([.)])(?=\s|$)|^([-+#=:])")
# GitHub links bare addresses and e-mail by itself.
_AUTOLINK = re.compile(r"(?i)(https?|ftp)(:)|(www)(\.)|(@)")


def escape(text: str) -> str:
    """Give text that Markdown shows as it stands: one line, no markup, no HTML, no links."""
    text = " ".join(_BIDI.sub("", clean_text(text)).split())
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


def _break_link(found: re.Match[str]) -> str:
    word, mark = (found[1] or found[3] or ""), (found[2] or found[4] or found[5])
    return f"{word}&#{ord(mark)};"
