"""Excel workbooks: one sheet, every cell as text."""

import datetime as dt
import io
from typing import Any

import openpyxl
import pyarrow as pa

from data.errors import ReadError
from data.readers._artefact import Artefact


def read_xlsx(
    artefact: Artefact, *, sheet: str, header_row: int = 1, header_rows_above: int = 0
) -> pa.Table:
    """Read one sheet below its header row (from 1); a cell of blanks stays what it is.

    `header_rows_above` rows above the header row group its columns, in cells that stretch to the
    right: a column is then named by all of them, `INDUSTRIAL / Sales / Megawatthours`.

    Whole numbers lose the `.0` that Excel does not show; dates become ISO 8601; `raw_row` counts
    the sheet's rows below the header, so that rows left empty keep their number.
    """
    book = openpyxl.load_workbook(io.BytesIO(artefact.read_bytes()), read_only=True, data_only=True)
    try:
        if sheet not in book.sheetnames:
            message = f"{artefact.label} has no sheet {sheet!r}."
            raise ReadError(message, f"It has: {', '.join(map(repr, book.sheetnames))}.")
        rows = book[sheet].iter_rows(min_row=header_row - header_rows_above, values_only=True)
        above = [next(rows, ()) for _ in range(header_rows_above)]
        header = _grouped([_text(value) for value in next(rows, ())], above)
        while header and header[-1] is None:
            header.pop()
        _check_header(artefact, sheet, header_row, header)
        width = len(header)
        numbered = [
            (number, row[:width])
            for number, row in enumerate(rows, start=1)
            if any(value is not None for value in row[:width])
        ]
    finally:
        book.close()
    columns = {
        str(name): pa.array(
            [_text(row[place]) if place < len(row) else None for _, row in numbered], pa.string()
        )
        for place, name in enumerate(header)
    }
    columns["raw_row"] = pa.array([number for number, _ in numbered], pa.int64())
    return pa.table(columns)


def _grouped(header: list[str | None], above: list[tuple[Any, ...]]) -> list[str | None]:
    """Put the names of the groups before those of their columns."""
    for groups in reversed(above):
        name: str | None = None
        for place, column in enumerate(header):
            name = (_text(groups[place]) if place < len(groups) else None) or name
            if name and column:
                header[place] = f"{name} / {column}"
    return header


def _check_header(
    artefact: Artefact, sheet: str, header_row: int, header: list[str | None]
) -> None:
    where = f"{artefact.label}, sheet {sheet!r}, row {header_row}"
    hint = "Check the reader option 'header_row'."
    if not header or None in header:
        message = f"{where} has no name for every column."
        raise ReadError(message, hint)
    twice = sorted({str(name) for name in header if header.count(name) > 1})
    if twice:
        message = f"{where} names {twice[0]!r} twice."
        raise ReadError(message, hint)


def _text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        # Excel keeps 15 digits; an integer beyond them is shown as the float that it is.
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    return str(value)
