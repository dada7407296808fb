"""Lists of sites that somebody owns: one row a site, good rows kept, bad rows named by row and column."""

import csv
import datetime as dt
import io
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from data.errors import InputError

REQUIRED = ("name", "lat", "lon")
COOLING = ("air", "immersion", "liquid")
# Column -> type, least, most, and what a value beyond them probably is.
NUMBERS: dict[str, tuple[float, float, str]] = {
    "lat": (-90.0, 90.0, "write latitude and longitude in degrees, latitude first"),
    "lon": (-180.0, 180.0, "write latitude and longitude in degrees, latitude first"),
    "energized_mw": (0.0, 10_000.0, "give megawatts, not kilowatts"),
    "wanted_mw": (0.0, 10_000.0, "give megawatts, not kilowatts"),
    "acres": (0.0, 1_000_000.0, "give acres, not square feet"),
    "usd_per_mwh": (1.0, 1_000.0, "give dollars a megawatt-hour: 5 cents a kWh are 50"),
    "fiber_carriers": (0.0, 1_000.0, "give the number of carriers"),
}
COLUMNS = (*REQUIRED, *(name for name in NUMBERS if name not in REQUIRED), "cooling", "available_date")  # fmt: skip
# What a column may also be called, once case and signs are evened out.
OTHER_NAMES = {
    "site": "name", "site_name": "name", "latitude": "lat", "longitude": "lon", "lng": "lon",
    "long": "lon", "energised_mw": "energized_mw",
}  # fmt: skip
GOOD_COLUMNS = {
    "row": "int64", "name": "object", **dict.fromkeys(NUMBERS, "float64"), "cooling": "object",
    "available_date": "object",
}  # fmt: skip
REJECT_COLUMNS = ("file", "row", "column", "value", "reason")
EXAMPLE = "name,lat,lon,energized_mw,acres,cooling"
UTF16 = (b"\xff\xfe", b"\xfe\xff")
WORKBOOK = b"PK\x03\x04"

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)
_COMMA = re.compile(r"[-+]?\d+,\d+")
_THOUSANDS = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?")


@dataclass(frozen=True)
class SiteRows:
    """Rows of a list of sites.

    Attributes
    ----------
    file
        Name of the file.
    good
        `row` (line of the file where it begins, the header is 1), `name`, `lat`, `lon` (degrees, WGS84),
        `energized_mw`, `wanted_mw`, `acres`, `usd_per_mwh`, `fiber_carriers` (NaN not given), `cooling`
        (air, immersion, liquid or None) and `available_date` (a date or None).
    rejected
        What is wrong with the other rows, one line a problem: `file`, `row`, `column`, `value`, `reason`.
    unused
        Columns that nothing is read from.
    """

    file: str
    good: pd.DataFrame
    rejected: pd.DataFrame
    unused: list[str]

    def problems(self) -> list[str]:
        """Say what is wrong, one sentence a problem."""
        return [
            f"{each['file']}, row {each['row']}"
            + (f", {each['column']}" if each["column"] else "")
            + f": {each['reason']}."
            for each in self.rejected.to_dict("records")
        ]


def read_sites(path: Path) -> SiteRows:
    """Read a list of sites: CSV in UTF-8 with commas, and points in its decimals.

    A byte-order mark and blank rows are passed over, case and blanks of the header do not matter. A row that
    breaks a rule is rejected as a whole, with every problem named.

    Raises
    ------
    InputError
        The file is missing, is no such CSV, lacks a column, or holds no good row.
    """
    header, rows = _table(path)
    names = [_even(name) for name in header]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        msg = f"{path} has two columns named {twice[0]!r}."
        raise InputError(msg, "Keep one of them.")
    for name in REQUIRED:
        if name not in names:
            msg = f"{path} has no column {name!r}."
            there = ", ".join(repr(each) for each in header) or "none"
            raise InputError(msg, f"Begin the file with {EXAMPLE}; its columns are: {there}.")
    good: list[dict[str, Any]] = []
    rejected: list[dict[str, Any]] = []
    for number, values in rows:
        told, problems = _row(names, values)
        rejected += [{"file": path.name, "row": number} | problem for problem in problems]
        if not problems:
            good.append({"row": number} | told)
    bad = pd.DataFrame(rejected, columns=[*REJECT_COLUMNS])
    unused = [name for name in header if name.strip() and _even(name) not in COLUMNS]
    kept = pd.DataFrame(good, columns=[*GOOD_COLUMNS]).astype(GOOD_COLUMNS)
    found = SiteRows(path.name, kept, bad, unused)
    if not good:
        if not rejected:
            msg = f"{path} holds no rows."
            raise InputError(msg, f"Write one site a row under {EXAMPLE}.")
        problem, more = found.problems()[0], len(rejected) - 1
        msg = f"No row of {path} can be used: {problem}"
        raise InputError(msg, f"Mend it and {more:,} more, then ask again." if more else "Mend it.")
    return found


def _table(path: Path) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Header, and the rows that are not blank with the line that each begins on."""
    if not path.is_file():
        msg = f"There is no list of sites {path}."
        raise InputError(msg, "Check the path.")
    content = path.read_bytes()
    if content.startswith(UTF16):
        msg = f"{path} is UTF-16 text (Excel's 'Unicode Text')."
        raise InputError(msg, "Save it as 'CSV UTF-8 (Comma delimited)'.")
    if content.startswith(WORKBOOK):
        msg = f"{path} is a workbook, no CSV."
        raise InputError(msg, "Save it as 'CSV UTF-8 (Comma delimited)'.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        msg = f"{path} is not UTF-8 text: line {line} holds the byte 0x{content[error.start]:02x}."
        raise InputError(msg, "Save it as 'CSV UTF-8 (Comma delimited)'.") from error
    first = next((line for line in text.splitlines() if line.strip()), "")
    if not first:
        msg = f"{path} is empty."
        raise InputError(msg, f"Begin it with {EXAMPLE}.")
    for sign, word in ((";", "semicolons"), ("\t", "tabs")):
        if sign in first and "," not in first:
            msg = f"{path} is separated by {word}."
            raise InputError(
                msg, "Save it with commas between columns and points in decimals (39.04)."
            )
    try:
        rows = list(_rows(text))
    except csv.Error as error:
        msg = f"{path} is no CSV: {error}."
        raise InputError(msg, "A quote in a value has to be doubled.") from error
    return rows[0][1], iter(rows[1:])


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    begins = 1
    for row in reader:
        if any(value.strip() for value in row):
            yield begins, row
        begins = reader.line_num + 1


def _row(names: list[str], values: list[str]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Read what a row says, and what is wrong with it."""
    if len(values) > len(names):
        reason = f"it has {len(values)} values for {len(names)} columns; a value that holds a comma belongs in quotes, and decimals take a point"  # fmt: skip
        return {}, [{"column": None, "value": None, "reason": reason}]
    given = dict.fromkeys(COLUMNS, "")
    given |= {
        name: value.strip() for name, value in zip(names, values, strict=False) if name in COLUMNS
    }
    told: dict[str, Any] = {}
    problems = []
    for column, text in given.items():
        try:
            told[column] = _value(column, text)
        except ValueError as error:
            problems.append({"column": column, "value": text or None, "reason": str(error)})
    return told, problems


def _value(column: str, text: str) -> Any:
    """Read a cell.

    Raises
    ------
    ValueError
        It is none; the message says what to do.
    """
    if not text:
        if column in REQUIRED:
            msg = "it is missing; give name, lat and lon of every site"
            raise ValueError(msg)
        return math.nan if column in NUMBERS else None
    if column in NUMBERS:
        return _number(column, text)
    if column == "cooling":
        word = text.casefold()
        if word not in COOLING:
            msg = f"{text!r} is no cooling; write air, immersion or liquid"
            raise ValueError(msg)
        return word
    if column == "available_date":
        try:
            return dt.date.fromisoformat(text)
        except ValueError:
            msg = f"{text!r} is no date; write year-month-day, such as 2027-03-31"
            raise ValueError(msg) from None
    return text


def _number(column: str, text: str) -> float:
    if _THOUSANDS.fullmatch(text) and column not in {"lat", "lon"}:
        plain = text.replace(",", "")
        msg = f"{text!r} holds a comma, which may be a decimal or a thousand; write {plain} or {text.replace(',', '.', 1)}"
        raise ValueError(msg)
    if _COMMA.fullmatch(text):
        msg = f"{text!r} has a decimal comma; write {text.replace(',', '.')}"
        raise ValueError(msg)
    if not _NUMBER.fullmatch(text):
        msg = f"{text!r} is no number; write digits alone, without units"
        raise ValueError(msg)
    number = float(text)
    least, most, hint = NUMBERS[column]
    if not least <= number <= most:
        msg = f"{text} is outside {least:g} to {most:,.0f}; {hint}"
        raise ValueError(msg)
    if column == "fiber_carriers" and number != int(number):
        msg = f"{text} is no whole number; give the number of carriers"
        raise ValueError(msg)
    if column in {"wanted_mw", "acres"} and number == 0:
        msg = "it is 0; leave it empty where it is unknown"
        raise ValueError(msg)
    return number


def _even(name: str) -> str:
    even = re.sub(r"[^a-z0-9]+", "_", name.strip().casefold()).strip("_")
    return OTHER_NAMES.get(even, even)
