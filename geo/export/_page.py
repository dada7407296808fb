"""What every picture has in common: its size, its headline and what stands below it."""

from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from geo.export._canvas import SOFT_INK, draw_paragraph, draw_rule, draw_text, wrap
from geo.export._cells import clean_text
from geo.export._files import replacing
from geo.export._text import joined
from geo.export.model import SYNTHETIC_SENTENCE, ExportNote

WIDTH_PX, HEIGHT_PX, DPI = 2100, 1260, 150
# Left, bottom, width and height of the map, figure fractions.
MAP_BOX = (0.02, 0.165, 0.70, 0.715)
PANEL_LEFT, PANEL_RIGHT, PANEL_TOP, PANEL_BOTTOM = 0.745, 0.975, 0.845, 0.125
BORDER = "#4a4f55"
_SOURCE_LINES: dict[float, int] = {7.5: 2, 6: 3}  # font size in points to lines


def new_page(title: str, subtitle: str) -> Figure:
    """Begin a picture with its headline."""
    figure = Figure(figsize=(WIDTH_PX / DPI, HEIGHT_PX / DPI), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    draw_heading(figure, title, subtitle)
    return figure


def save_page(figure: Figure, path: Path, title: str, note: ExportNote) -> Path:
    """Draw what stands below, and write the picture whole or not at all."""
    draw_footer(figure, note)
    described = {"Title": title, "Source": joined(note.attributions), "Description": note.to_json()}
    described = {key: clean_text(text) for key, text in described.items()}
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=DPI, metadata=described | {"Software": None})
    return path


def draw_heading(figure: Figure, title: str, subtitle: str) -> None:
    """Draw a headline and a line below it."""
    draw_text(figure, 0.025, 0.945, title, size=20, weight="bold", fit=0.95)
    draw_text(figure, 0.025, 0.905, subtitle, size=11, color=SOFT_INK, fit=0.95)


def draw_footer(figure: Figure, note: ExportNote) -> None:
    """Draw sources, run and, where it is so, that the grid is synthetic."""
    draw_rule(figure, 0.025, 0.975, 0.096, "#c4c9cf")
    y = 0.086
    if note.is_synthetic:
        y = draw_paragraph(
            figure,
            0.025,
            y,
            SYNTHETIC_SENTENCE,
            fit=0.975,
            sizes={8: 1},
            weight="bold",
            color="#8a3b00",
        )
    if note.attributions:
        sources = sources_sentence(figure, note.attributions)
        y = draw_paragraph(
            figure, 0.025, y, sources, fit=0.975, sizes=_SOURCE_LINES, color=SOFT_INK
        )
    tool = f"Gridstead {note.tool_version}".strip()
    run = f"{tool}, study {note.study}, run {note.run_id}, {note.run_date:%Y-%m-%d}. Albers equal-area projection."
    draw_paragraph(figure, 0.025, y, run, fit=0.975, sizes={7.5: 1}, color=SOFT_INK)


def sources_sentence(figure: Figure, attributions: list[str]) -> str:
    """Name as many sources as there is room for and say how many more there are."""
    size, limit = list(_SOURCE_LINES.items())[-1]
    names = list(dict.fromkeys(attributions))
    sentence = f"Sources: {joined(names)}."
    for count in range(len(names) - 1, 0, -1):
        if len(wrap(figure, 0.025, sentence, fit=0.975, size=size)) <= limit:
            break
        more = f"more in the report and in this file's metadata: {len(names) - count}"
        sentence = f"Sources: {joined(names[:count])}; {more}."
    return sentence
