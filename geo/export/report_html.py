"""The report as one HTML file: no script, no request, readable on a screen, a phone and paper."""

import html
import re
from collections.abc import Iterable, Sequence

from geo.export._text import in_order
from geo.export.palette import RANK_CLASSES, UNRANKED_COLOUR
from geo.export.report import report_parts
from geo.export.report_data import ReportData
from geo.export.report_parts import (
    Bullets,
    Cell,
    Code,
    Figures,
    Heading,
    Interval,
    Paragraph,
    Part,
    Picture,
    Span,
    Strong,
    Table,
)
from geo.export.report_style import STYLE

# On a dark ground light is good: the ramp the other way round, so that the best still stand out, and a quieter end.
_LAST_DARK, _UNRANKED_DARK = "#1c2b4d", "#2a2d31"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def html_report(report: ReportData) -> str:
    """Write the report as one HTML document, every text escaped.

    Parameters
    ----------
    report
        What to say.

    Returns
    -------
    str
        Self-contained: styles and drawings are inside, nothing is asked of anybody. The same data give the same text.
    """
    parts = report_parts(report)
    title = f"Gridstead: {report.study_title}, {report.run_date:%Y-%m-%d}"
    ids = _ids(parts)
    sections = _sections(parts, ids)
    return (
        "<!doctype html>\n"
        '<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{_text(title)}</title>\n<style>\n{_colours()}{STYLE}</style>\n</head>\n<body>\n"
        '<a class="skip" href="#content">Skip to the report</a>\n'
        f"{sections}</body>\n</html>\n"
    )


def _sections(parts: Sequence[Part], ids: dict[int, str]) -> str:
    """Lay out a head, the table of contents, and a section for each heading of level 2."""
    begins = [i for i, part in enumerate(parts) if isinstance(part, Heading) and part.level == 2]
    first = begins[0] if begins else len(parts)
    head = "\n".join(_part(part, None) for part in parts[:first])
    sections = []
    for begin, end in zip(begins, [*begins[1:], len(parts)], strict=True):
        inner = "\n".join(_part(parts[i], ids.get(i)) for i in range(begin, end))
        sections.append(f'<section aria-labelledby="{ids[begin]}">\n{inner}\n</section>\n')
    entries = "".join(
        f'<li><a href="#{ids[i]}">{_text(part.text)}</a></li>'
        for i in begins
        if isinstance(part := parts[i], Heading)
    )
    contents = (
        f'<nav aria-label="Contents">\n<h2>Contents</h2>\n<ol>{entries}</ol>\n</nav>\n'
        if entries
        else ""
    )
    return (
        f'<header>\n{head}\n</header>\n{contents}<main id="content">\n{"".join(sections)}</main>\n'
    )


def _part(part: Part, name: str | None) -> str:
    if isinstance(part, Heading):
        anchor = f' id="{name}"' if name else ""
        return f"<h{part.level}{anchor}>{_text(part.text)}</h{part.level}>"
    if isinstance(part, Paragraph):
        kind = ' class="warning"' if part.is_warning else ""
        return f"<p{kind}>{''.join(_span(span) for span in part.spans)}</p>"
    if isinstance(part, Bullets):
        return f"<ul>{''.join(f'<li>{_text(line)}</li>' for line in part.lines)}</ul>"
    if isinstance(part, Figures):
        pairs = (
            f"<div><dt>{_text(what)}</dt><dd>{_text(number)}</dd></div>"
            for number, what in part.pairs
        )
        return f'<dl class="figures">{"".join(pairs)}</dl>'
    if isinstance(part, Picture):
        return _picture(part)
    return _table(part)


def _picture(part: Picture) -> str:
    key = "".join(
        f'<li><span class="swatch {_text(name)}"></span>{_text(label)}</li>'
        for name, label in part.legend
    )
    legend = f'<ul class="legend" aria-label="Colours by rank">{key}</ul>' if key else ""
    return (
        f"<figure>\n{part.svg}\n{legend}<figcaption>{_text(part.caption)}</figcaption>\n</figure>"
    )


def _table(part: Table) -> str:
    sides = [' class="right"' if name in part.right else "" for name in part.headings]
    heads = "".join(
        f'<th scope="col"{side}>{_text(name)}</th>'
        for name, side in zip(part.headings, sides, strict=True)
    )
    told = f"{part.caption}. {part.key}" if part.key else part.caption
    rows = "\n".join(_row(row, sides, part.name_column) for row in part.rows)
    # What is wider than the page is scrolled, by keyboard as well.
    table = (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{_text(part.caption)}">\n'
        f"<table>\n<caption><span>{_text(told)}</span></caption>\n"
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>\n</div>"
    )
    if not part.folded:
        return table
    return f"<details>\n<summary>{_text(part.folded)}</summary>\n{table}\n</details>"


def _row(row: Iterable[str | Cell], sides: Sequence[str], name_column: int) -> str:
    cells = []
    for index, (cell, side) in enumerate(zip(row, sides, strict=True)):
        text = _text(cell.text) + _mark(cell.mark) if isinstance(cell, Cell) else _text(cell)
        kind = side or (' class="date"' if _DATE.fullmatch(text) else "")
        # Names of strangers may run from right to left: they do so inside their own cell.
        cells.append(
            f'<th scope="row"{kind} dir="auto">{text}</th>'
            if index == name_column
            else f"<td{kind}>{text}</td>"
        )
    return f"<tr>{''.join(cells)}</tr>"


def _mark(mark: Interval) -> str:
    """Draw an interval as a line on a thinner one; an interval without width stays visible."""
    low, high = (round(100 * end, 1) for end in (mark.low, mark.high))
    width = max(high - low, 2.0) if high else 0.0
    left = min(low, 100 - width)
    return (
        '<svg class="mark" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="axis" y="2.5" width="100" height="1"/>'
        f'<rect class="reach" x="{left:g}" width="{width:g}" height="6"/></svg>'
    )


def _span(span: Span) -> str:
    if isinstance(span, Code):
        return f"<code>{_text(span.text)}</code>"
    if isinstance(span, Strong):
        return f"<strong>{_text(span.text)}</strong>"
    return _text(span)


def _ids(parts: Sequence[Part]) -> dict[int, str]:
    """Give each heading below the title an anchor that no other has; of letters, digits and dashes."""
    names: dict[int, str] = {}
    for index, part in enumerate(parts):
        if isinstance(part, Heading) and part.level > 1:
            plain = re.sub(r"[^a-z0-9]+", "-", part.text.lower()).strip("-") or "section"
            name, count = plain, 1
            while name in {*names.values(), "content"}:
                count += 1
                name = f"{plain}-{count}"
            names[index] = name
    return names


def _colours() -> str:
    """Set the colours of the rank classes, for either theme."""
    ramp = [each.colour for each in RANK_CLASSES]
    light = _variables(ramp, UNRANKED_COLOUR)
    dark = _variables([*ramp[:0:-1], _LAST_DARK], _UNRANKED_DARK)
    fills = "".join(
        f".{name}{{fill:var(--{name});background:var(--{name})}}\n"
        for name in (*(f"rank-{index}" for index in range(1, len(ramp) + 1)), "rank-none")
    )
    return f":root{{{light}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n{fills}"


def _variables(ramp: Sequence[str], unranked: str) -> str:
    named = {f"rank-{index}": colour for index, colour in enumerate(ramp, start=1)}
    return "".join(
        f"--{name}:{colour};" for name, colour in (named | {"rank-none": unranked}).items()
    )


def _text(text: str) -> str:
    """Escape text for elements and quoted attributes, on one line."""
    return html.escape(re.sub(r"\s+", " ", in_order(text)), quote=True)
