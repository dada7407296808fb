"""CSV: every value as the text that it is."""

import csv
import io
from collections.abc import Iterator

import pyarrow as pa
from pyarrow import csv as arrow_csv

from data.errors import ReadError
from data.readers._artefact import Artefact


def read_csv(
    artefact: Artefact, *, delimiter: str = ",", encoding: str = "utf-8", skip_lines: int = 0
) -> pa.Table:
    """Read a CSV file as strings; a byte-order mark is dropped, only an empty value is null.

    Rows shorter than the header are padded with nulls (footnotes at the end of official tables).
    """
    content = artefact.read_bytes()
    if encoding != "utf-8":
        content = artefact.read_text(encoding).encode()
    header = _header(artefact, content, delimiter, skip_lines)
    irregular: list[int] = []

    def note(row: arrow_csv.InvalidRow) -> str:
        irregular.append(row.actual_columns)
        return "skip"

    table = arrow_csv.read_csv(
        pa.BufferReader(content),
        read_options=arrow_csv.ReadOptions(skip_rows=skip_lines),
        parse_options=arrow_csv.ParseOptions(
            delimiter=delimiter, newlines_in_values=True, invalid_row_handler=note
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )
    if irregular:
        return _read_ragged(artefact, content, delimiter, skip_lines, header)
    return table


def _header(artefact: Artefact, content: bytes, delimiter: str, skip_lines: int) -> list[str]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"{artefact.label} is not UTF-8 text (byte {error.start})."
        raise ReadError(message, "Set the reader option 'encoding'.") from error
    header = next(_rows(text, delimiter, skip_lines), [])
    if not header:
        message = f"{artefact.label} is empty."
        raise ReadError(message, "Pull the source again.")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        message = f"{artefact.label} has two columns named {twice[0]!r}."
        raise ReadError(message, "Columns must be told apart by name.")
    return header


def _read_ragged(
    artefact: Artefact, content: bytes, delimiter: str, skip_lines: int, header: list[str]
) -> pa.Table:
    rows = _rows(content.decode("utf-8-sig"), delimiter, skip_lines)
    next(rows)
    padded = []
    for number, row in enumerate((row for row in rows if row), start=1):
        if len(row) > len(header):
            message = (
                f"{artefact.label}, row {number}: {len(row)} values for {len(header)} columns."
            )
            raise ReadError(message, "A comma or quote inside a value may not be escaped.")
        padded.append([value or None for value in row] + [None] * (len(header) - len(row)))
    columns = zip(*padded, strict=True) if padded else [() for _ in header]
    return pa.table(
        {
            name: pa.array(list(column), pa.string())
            for name, column in zip(header, columns, strict=True)
        }
    )


def _rows(text: str, delimiter: str, skip_lines: int) -> Iterator[list[str]]:
    stream = io.StringIO(text, newline="")
    for _ in range(skip_lines):
        stream.readline()
    return csv.reader(stream, delimiter=delimiter)
