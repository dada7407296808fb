"""Excel workbook for people without mapping tools: what it is, the ranking, the columns, the sources."""

import datetime as dt
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from geo.errors import GeoError
from geo.export._files import check_layers, replacing
from geo.export._sheets import TEMPLATE_ROW, fill
from geo.export._text import is_known
from geo.export._warn import ExportWarning
from geo.export.model import SYNTHETIC_SENTENCE, ExportLayer, ExportNote

MOST_ROWS = 1_048_576
MOST_CHARACTERS = 32_767
SHEET_NAME = 31
TOP = 20
CUT = "\N{HORIZONTAL ELLIPSIS}"
# Columns that come first, where a layer has them: how it ranks, what it is, where it lies.
FIRST = (
    *("rank", "region_name", "parcel_name", "substation_name", "metro_name", "region_id", "parcel_id"),
    *("county_name", "state_id", "score"),
)  # fmt: skip
# Columns of the first rows on the summary.
SUMMARY = (
    *("rank", "region_name", "parcel_name", "parcel_id", "county_name", "state_id", "score", "rank_p05"),
    *("rank_p95", "capacity_mw", "headroom_mw_mid", "cost_mid", "reason"),
)  # fmt: skip
# End of a column's name -> how its numbers are shown; the first that fits.
NUMBERS = (
    ("(^|_)(rank|rank_p\\d+|count|people|acres|mw|kv|m)(_low|_mid|_high|_\\d+(mi|ms))*$", "#,##0"),
    ("people_\\d+ms|population_\\d+mi|headroom_|flexible_", "#,##0"),
    ("(^|_)share$|^p_top", "0.000"),
    ("(^|_)(lon|lat|longitude|latitude)$", "0.00000"),
    ("(^|_)score", "0.00"),
    ("_usd_per_acre$", "#,##0"),
    ("", "#,##0.0#"),
)
_WIDEST, _NARROWEST, _WORDY = 28, 8, 60
_SAMPLE = 200
_LINE_HEIGHT = 15.0
_FORBIDDEN = re.compile(r"[\[\]:*?/\\]")


@dataclass(frozen=True)
class _Column:
    """A column of a sheet: its name, heading, format, width and values as Python objects."""

    name: str
    heading: str
    format: Format
    cells: list[Any]


def write(path: Path, layers: Sequence[ExportLayer], note: ExportNote) -> Path:
    """Write one workbook: Summary, a sheet a layer (Ranking for one), Columns, Sources.

    Rows are those of the layers in their order, without geometry; headings are the columns' words with units, the
    sheet Columns says which is which. Unknown is an empty cell. Every text is written as text: no name runs as a
    formula or becomes a link. Rows go to disk as they are written. The same layers and note give the same bytes.

    Parameters
    ----------
    path
        A file, conventionally `.xlsx`.
    layers
        What to write.
    note
        Provenance and terms.

    Returns
    -------
    Path
        `path`.

    Warns
    -----
    ExportWarning
        Texts were cut to the 32,767 characters that a cell holds.

    Raises
    ------
    GeoError
        A layer has more rows than a sheet holds.
    """
    path = Path(path)
    check_layers(layers)
    for layer in layers:
        if len(layer.frame) >= MOST_ROWS:
            msg = (
                f"Layer {layer.name!r} has {len(layer.frame):,} rows, and a sheet of Excel holds "
                f"{MOST_ROWS - 1:,} below its heading: select fewer, or write csv."
            )
            raise GeoError(msg)
    with replacing(path) as temporary:
        book = xlsxwriter.Workbook(
            str(temporary), {"constant_memory": True, "tmpdir": str(temporary.parent)}
        )
        writer = _Book(book, note)
        writer.write(layers)
        book.close()
        fill(temporary, writer.tables)
    if writer.cut:
        warnings.warn(
            f"A cell of Excel holds {MOST_CHARACTERS:,} characters: longer texts were cut in "
            f"{', '.join(sorted(writer.cut))}.",
            ExportWarning,
            stacklevel=2,
        )
    return path


class _Book:
    """A workbook that is being written."""

    def __init__(self, book: xlsxwriter.Workbook, note: ExportNote) -> None:
        self.book, self.note = book, note
        self.cut: set[str] = set()
        # Member of the archive -> rows that it still waits for.
        self.tables: dict[str, pa.Table] = {}
        self.formats: dict[str, Format] = {}
        head = {
            "bold": True,
            "text_wrap": True,
            "valign": "top",
            "bottom": 1,
            "bg_color": "#E7ECEF",
        }
        self.head = book.add_format(head)
        self.bold = book.add_format({"bold": True})
        self.title = book.add_format({"bold": True, "font_size": 16})
        self.alarm = book.add_format(
            {"bold": True, "font_color": "#9C0006", "text_wrap": True, "valign": "top"}
        )
        self.wrap = book.add_format({"text_wrap": True, "valign": "top"})
        self.text = book.add_format({"valign": "top"})
        # The day of the run, so that the same export has the same bytes.
        day = dt.datetime.combine(note.run_date, dt.time())
        book.set_properties(
            {
                "title": f"Gridstead: {note.study}",
                "comments": note.to_json(),
                "created": day,
                "author": f"Gridstead {note.tool_version}".strip(),
            }
        )

    def write(self, layers: Sequence[ExportLayer]) -> None:
        names = _sheet_names(layers)
        # Sheets stand in the order in which they are made, and a constant memory takes one at a time.
        self._summary(layers)
        for layer, name in zip(layers, names, strict=True):
            self._table(name, layer)
        self._columns(layers, names)
        self._sources()

    def _summary(self, layers: Sequence[ExportLayer]) -> None:
        sheet = self._sheet("Summary")
        sheet.set_column(0, 0, 10)
        sheet.set_column(1, 1, 34)
        sheet.set_column(2, len(SUMMARY), 16)
        note = self.note
        lines: list[tuple[str, Format]] = []
        if note.restriction:
            lines.append((note.restriction, self.alarm))
        heading = layers[0].title if len(layers) == 1 else f"Gridstead: {note.study}"
        lines.append((heading, self.title))
        lines += [(layer.description, self.wrap) for layer in layers[:1] if layer.description]
        lines.append(
            (f"Study {note.study}, run {note.run_id} of {note.run_date.isoformat()}.", self.wrap)
        )
        if note.is_synthetic:
            lines.append((SYNTHETIC_SENTENCE, self.alarm))
        if note.excluded:
            lines.append((f"Left out because of its terms: {'; '.join(note.excluded)}.", self.wrap))
        lines.append(
            ("Columns are explained on the sheet Columns, sources on the last.", self.text)
        )
        row = 0
        for text, look in lines:
            sheet.merge_range(row, 0, row, len(SUMMARY) - 4, "", look)
            sheet.set_row(row, _LINE_HEIGHT * (1.6 if look is self.title else 1 + len(text) // 130))
            self._put(sheet, row, 0, text, look)
            row += 1
        for layer in layers:
            row = self._top(sheet, row + 1, layer)

    def _top(self, sheet: Worksheet, row: int, layer: ExportLayer) -> int:
        """Write the first ranked rows of a layer; the row below them is given back."""
        if "rank" not in layer.columns:
            return row
        frame = layer.frame[layer.frame["rank"].notna()].head(TOP)
        columns = [self._column(layer, frame, name) for name in SUMMARY if name in layer.columns]
        self._put(sheet, row, 0, f"{layer.title}: first {len(frame)}", self.bold)
        self._rows(sheet, row + 1, columns)
        return row + 2 + len(frame)

    def _table(self, name: str, layer: ExportLayer) -> None:
        sheet = self._sheet(name)
        order = [name for name in FIRST if name in layer.columns]
        order += [name for name in layer.columns if name not in FIRST]
        columns = [self._column(layer, layer.frame.head(_SAMPLE), name) for name in order]
        sheet.freeze_panes(1, 2 if len(columns) > 2 and order[0] == "rank" else 1)
        sheet.set_row(0, 48)
        sheet.repeat_rows(0)
        for number, column in enumerate(columns):
            sheet.set_column(number, number, _width(column))
        last = len(layer.frame)
        if columns:
            sheet.autofilter(0, 0, max(last, 1), len(columns) - 1)
        if "score" in order and last:
            at = order.index("score")
            sheet.conditional_format(1, at, last, at, _bar(layer.frame["score"]))
        for number, column in enumerate(columns):
            self._put(sheet, 0, number, column.heading, self.head)
        for number, column in enumerate(columns):
            sheet.write_blank(TEMPLATE_ROW - 1, number, None, column.format)
        member = f"xl/worksheets/sheet{len(self.book.worksheets())}.xml"
        self.tables[member] = self._fitted(layer, order)

    def _fitted(self, layer: ExportLayer, order: Sequence[str]) -> pa.Table:
        """Rows of a layer with texts that cells can hold."""
        frame = pd.DataFrame(layer.frame[list(order)])
        for name in frame.columns[frame.dtypes == "string"]:
            # A character takes up to two of what Excel counts.
            long = frame[name].str.len().gt(MOST_CHARACTERS // 2).fillna(value=False)
            if long.any():
                frame[name] = frame[name].mask(
                    long, frame[name][long].map(partial(self._fit, name))
                )
        return pa.Table.from_pandas(frame, preserve_index=False)

    def _fit(self, column: str, text: str) -> str:
        """Cut a text to what a cell holds; Excel counts in UTF-16."""
        if len(text.encode("utf-16-le")) // 2 <= MOST_CHARACTERS:
            return text
        self.cut.add(column)
        units = text.encode("utf-16-le")[: 2 * (MOST_CHARACTERS - 1)]
        return units.decode("utf-16-le", "ignore") + CUT

    def _columns(self, layers: Sequence[ExportLayer], names: Sequence[str]) -> None:
        rows = [
            (name, layer.aliases[column], column, layer.column_docs.get(column, ""))
            for layer, name in zip(layers, names, strict=True)
            for column in layer.columns
        ]
        self._listing(
            "Columns", ("Sheet", "Heading", "Column", "What it holds"), rows, (18, 40, 30, 90)
        )

    def _sources(self) -> None:
        note = self.note
        rows = [("Terms", text) for text in note.licences]
        rows += [("Attribution", text) for text in note.attributions]
        rows += [("Left out because of its terms", text) for text in note.excluded]
        rows += [("Made by", text) for key, text in note.items().items() if key == "tool"]
        if note.restriction:
            rows.insert(0, ("Not to be passed on", note.restriction))
        self._listing("Sources", ("What", "In words"), rows, (30, 120))

    def _listing(
        self,
        name: str,
        headings: Sequence[str],
        rows: Sequence[Sequence[str]],
        widths: Sequence[int],
    ) -> None:
        sheet = self._sheet(name)
        sheet.freeze_panes(1, 0)
        for number, width in enumerate(widths):
            sheet.set_column(number, number, width)
        for number, heading in enumerate(headings):
            self._put(sheet, 0, number, heading, self.head)
        for row, texts in enumerate(rows, start=1):
            for number, text in enumerate(texts):
                self._put(sheet, row, number, text, self.wrap)

    def _sheet(self, name: str) -> Worksheet:
        sheet = self.book.add_worksheet(name)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        return sheet

    def _column(self, layer: ExportLayer, frame: pd.DataFrame, name: str) -> _Column:
        values = frame[name]
        is_number = pd.api.types.is_numeric_dtype(values.dtype) and values.dtype != "boolean"
        look = self._number_format(name) if is_number else self.text
        return _Column(name, layer.aliases[name], look, values.astype(object).tolist())

    def _number_format(self, name: str) -> Format:
        pattern = next(form for ending, form in NUMBERS if re.search(ending, name))
        if pattern not in self.formats:
            self.formats[pattern] = self.book.add_format({"num_format": pattern, "valign": "top"})
        return self.formats[pattern]

    def _rows(self, sheet: Worksheet, first: int, columns: Sequence[_Column]) -> None:
        for number, column in enumerate(columns):
            self._put(sheet, first, number, column.heading, self.head)
        if not columns:
            return
        for row in range(len(columns[0].cells)):
            for number, column in enumerate(columns):
                self._put(
                    sheet, first + 1 + row, number, column.cells[row], column.format, column.name
                )

    def _put(
        self,
        sheet: Worksheet,
        row: int,
        number: int,
        value: Any,
        look: Format,
        column: str = "a note",
    ) -> None:
        """Write a value as what it is; text always as text."""
        if isinstance(value, str):
            sheet.write_string(row, number, self._fit(column, value), look)
        elif not is_known(value):
            return
        elif isinstance(value, bool):
            sheet.write_boolean(row, number, value, look)
        elif isinstance(value, int | float):
            sheet.write_number(row, number, value, look)
        else:
            sheet.write_string(row, number, str(value), look)


def _bar(scores: pd.Series) -> dict[str, Any]:
    """Draw a bar in each cell, from 0 to the highest score there can be."""
    top = 1 if scores.max() <= 1 else 100
    ends = {"min_type": "num", "min_value": 0, "max_type": "num", "max_value": top}
    return {"type": "data_bar", "bar_color": "#9CC3D5", **ends}


def _width(column: _Column) -> float:
    texts = [len(value) for value in column.cells[:_SAMPLE] if isinstance(value, str)]
    limit = _WORDY if texts and max(texts) > _WIDEST * 2 else _WIDEST
    # The heading wraps over three lines.
    return min(limit, max(_NARROWEST, len(column.heading) / 2.5, *texts, 0) + 2)


def _sheet_names(layers: Sequence[ExportLayer]) -> list[str]:
    """Names of sheets: the titles as Excel takes them, cut, different without regard to case."""
    if len(layers) == 1:
        return ["Ranking" if "rank" in layers[0].columns else "Table"]
    taken = {"summary", "columns", "sources", "history", ""}
    names = []
    for layer in layers:
        plain = _FORBIDDEN.sub(" ", layer.title or layer.name).strip("' ")[:SHEET_NAME]
        name, count = plain, 1
        while name.casefold() in taken:
            count += 1
            name = f"{plain[: SHEET_NAME - len(str(count)) - 1]} {count}"
        taken.add(name.casefold())
        names.append(name)
    return names
