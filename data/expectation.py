"""Expectations of raw tables: what a source must hold, beside its columns, for a run to believe it."""

import csv
import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute
from pydantic import Field, model_validator

from data.address import Strict, Text
from data.errors import CheckError

# Its functions are made as it is imported, unseen by a type checker.
pc: Any = pyarrow.compute

STATES_PATH = Path(__file__).parent / "reference" / "state.csv"
EXAMPLES = 5
# What readers add to the columns of a file.
OURS = frozenset({"raw_row", "member"})

Severity = Literal["error", "warn", "info"]
Share = Annotated[float, Field(ge=0, le=1)]
Value = str | int | float
Bounds = tuple[float, float]

# Expectations of a column; each entry has one of them, or expects something of the whole table.
COLUMN_KINDS = ("has", "only", "states", "between", "type", "known", "distinct_at_least")
LIMITS = ("fell_by_at_most", "rose_by_at_most", "outside_at_most", "invalid_at_most")
# Of kinds whose `share` says how many of the known values must be as expected.
SHARED_KINDS = frozenset({"only", "between", "type"})
_DEFAULT_SEVERITY: dict[str, Severity] = {"columns": "info", "rose_by_at_most": "warn"}
# A number as staging.number reads it: digits with commas, a sign, a fraction, an exponent.
_NUMBER = r"^[-+]?(\d[\d,]*\.?\d*|\.\d+)([eE][-+]?\d+)?$"
_DIGITS = re.compile(r"\d+$")
# Length of a code of a state, of a county and of a tract, by that of one whose zero in front is lost.
_FIPS_LENGTH = {1: 2, 4: 5, 10: 11}


class Expectation(Strict):
    """What is expected of a column of a raw table, or of the table, and how bad it is when it fails.

    `error` keeps the last build published, `warn` and `info` are told. Blank values are unknown and
    judged by `known` alone.
    """

    column: Text | None = None
    has: list[Value] | None = Field(
        default=None, min_length=1, description="Each of these values stands in some row."
    )
    only: list[Value] | None = Field(
        default=None, min_length=1, description="Every known value is one of these."
    )
    states: Literal["code", "fips", "name"] | None = Field(
        default=None,
        description="Each of the 48 states and DC stands in some row; fips may be that of a county or tract.",
    )
    without: list[Text] = Field(
        default_factory=list, description="Codes of states that the source does not hold."
    )
    between: Bounds | None = Field(default=None, description="Known values lie in this range.")
    type: Literal["number", "integer"] | None = Field(
        default=None, description="Known values read as this."
    )
    share: Annotated[float, Field(gt=0, le=1)] = Field(
        default=1.0,
        description="Share of the known values for which only, between or type must hold.",
    )
    known: Share | None = Field(default=None, description="Least share of rows that have a value.")
    distinct_at_least: Annotated[int, Field(ge=1)] | None = None
    columns: list[Text] | None = Field(
        default=None, min_length=1, description="All columns that are known; others are noted."
    )
    fell_by_at_most: Share | None = Field(
        default=None, description="Share of its rows that the table may lose since the last build."
    )
    rose_by_at_most: Annotated[float, Field(ge=0)] | None = Field(
        default=None, description="Share by which its rows may grow since the last build."
    )
    outside_at_most: Share | None = Field(
        default=None, description="Share of rows that may lie outside the study area."
    )
    invalid_at_most: Share | None = Field(
        default=None, description="Share of rows that staging may reject as invalid."
    )
    severity: Severity | None = Field(
        default=None,
        description="error unless given; info for columns, warn for rose_by_at_most.",
    )

    @model_validator(mode="after")
    def _expects_one_thing(self) -> Self:
        of_column = [name for name in COLUMN_KINDS if getattr(self, name) is not None]
        of_table = ["columns"] if self.columns else []
        limits = [name for name in LIMITS if getattr(self, name) is not None]
        if len(of_column) + len(of_table) + bool(limits) != 1:
            names = ", ".join((*COLUMN_KINDS, "columns", *LIMITS))
            message = f"expects one thing of: {names}"
            raise ValueError(message)
        if bool(of_column) != (self.column is not None):
            message = f"{(of_column + of_table + limits)[0]} " + (
                "is expected of a column"
                if of_column
                else "is expected of the table, not of a column"
            )
            raise ValueError(message)
        if self.share != 1 and not SHARED_KINDS & set(of_column):
            message = "share goes with only, between or type"
            raise ValueError(message)
        if self.between and self.between[0] > self.between[1]:
            message = f"between {list(self.between)} is no range from low to high"
            raise ValueError(message)
        if self.without and self.states is None:
            message = "without goes with states"
            raise ValueError(message)
        return self

    @property
    def kind(self) -> str:
        """Name of what is expected; of several limits, the first."""
        names = (*COLUMN_KINDS, "columns", *LIMITS)
        return next(name for name in names if getattr(self, name) is not None)


@dataclass(frozen=True)
class Limit:
    """How far a table may be from its last good run, or how much of it may be set aside."""

    source_id: str
    raw_table: str
    limit_name: str
    at_most: float
    severity: str


@dataclass(frozen=True)
class SourceCheck:
    """Outcome of one expectation; `offending_count` counts values or rows, 0 is good."""

    source_id: str
    raw_table: str
    check_name: str
    severity: str
    description: str
    offending_count: int
    examples: list[str]


@dataclass(frozen=True)
class RawColumn:
    """A column as read: what its values are, and which shares of rows are known and numbers."""

    source_id: str
    raw_table: str
    column_no: int
    column_name: str
    column_kind: str
    known_share: float | None
    number_share: float | None


def evaluate(
    expectations: Iterable[Expectation],
    rows: pa.Table,
    *,
    source_id: str,
    raw_table: str,
    required: Sequence[str] = (),
) -> list[SourceCheck]:
    """Hold a raw table against what its catalogue entry expects of its columns.

    Limits are not judged here: they need the rows of the last run, or what staging rejects.

    Parameters
    ----------
    expectations
        Those of the catalogue entry.
    rows
        The table as its reader gives it.
    source_id, raw_table
        What the outcomes name.
    required
        Columns that must be there: a type of another one is worth a warning, not an error.
    """
    found = []
    for item in expectations:
        if item.kind in LIMITS:
            continue
        count, examples = _offences(item, rows)
        place = f"{raw_table}.{item.column}" if item.column else f"{raw_table}.columns"
        severity = item.severity or _DEFAULT_SEVERITY.get(item.kind, "error")
        if item.severity is None and item.kind == "type" and item.column not in required:
            severity = "warn"
        told = f"table {raw_table} of source {source_id}: {_words(item)}"
        found.append(
            SourceCheck(
                source_id, raw_table, f"{place} {item.kind}", severity, told, count, examples
            )
        )
    return found


def limits(expectations: Iterable[Expectation], *, source_id: str, raw_table: str) -> list[Limit]:
    """List the limits that a catalogue entry sets for one of its tables."""
    return [
        Limit(
            source_id,
            raw_table,
            name,
            getattr(item, name),
            item.severity or _DEFAULT_SEVERITY.get(name, "error"),
        )
        for item in expectations
        for name in LIMITS
        if getattr(item, name) is not None
    ]


def profile(rows: pa.Table, *, source_id: str, raw_table: str) -> list[RawColumn]:
    """Describe the columns of a raw table, so that the next run can be held against it."""
    names = [name for name in rows.column_names if name not in OURS]
    found = []
    for number, name in enumerate(names, start=1):
        column = rows.column(name)
        known = _known(column)
        kind = _kind_of(column.type)
        is_number = _read_as_number(known) if kind == "text" else None
        found.append(
            RawColumn(
                source_id,
                raw_table,
                number,
                name,
                kind,
                len(known) / len(rows) if len(rows) else None,
                (_true_share(is_number) if is_number is not None else float(kind == "number"))
                if len(known)
                else None,
            )
        )
    return found


def failure(
    name: str, description: str, offending_count: int, examples: Sequence[str], *, more: int = 0
) -> CheckError:
    """Say of the first check that failed what it found, and how many more there are."""
    rows = f"{offending_count:,} {'row' if offending_count == 1 else 'rows'}"
    others = f" {more} more {'check' if more == 1 else 'checks'} failed." if more else ""
    told = f": {'; '.join(examples[:2])}" if examples else ""
    msg = f"Check {name} found {rows} against '{description}'{told}.{others}"
    return CheckError(msg, "Nothing was published; the last build stays.")


def _offences(item: Expectation, rows: pa.Table) -> tuple[int, list[str]]:
    """Count what is not as expected, with examples in words."""
    if item.columns is not None:
        there = [name for name in rows.column_names if name not in OURS]
        new = [f"{name} is new" for name in there if name not in item.columns]
        gone = [f"{name} is gone" for name in item.columns if name not in there]
        return len(new) + len(gone), (new + gone)[:EXAMPLES]
    assert item.column is not None
    if item.column not in rows.column_names:
        return 1, ["there is no such column"]
    column = rows.column(item.column)
    known = _known(column)
    if item.has is not None or item.states is not None:
        missing = _missing(item, known)
        return len(missing), missing[:EXAMPLES]
    if item.distinct_at_least is not None:
        distinct = len(pc.unique(known))
        short = max(0, item.distinct_at_least - distinct)
        return short, [f"{distinct} found"] if short else []
    if item.known is not None:
        blank = len(column) - len(known)
        if not blank or len(known) >= item.known * len(column):
            return 0, []
        return blank, [f"{len(known) / len(column):.1%} of {len(column):,} rows have a value"]
    good = _is_good(item, known)
    bad = len(known) - int(good.sum())
    if bad <= (1 - item.share) * len(known):
        return 0, []
    return bad, _bad_values(item.column, rows, good)


def _missing(item: Expectation, known: pa.ChunkedArray) -> list[str]:
    values = pc.unique(known)
    texts = {str(value).strip() for value in values.to_pylist()}
    if item.states is not None:
        there = {_state_key(text, item.states) for text in texts}
        return [
            row["state"]
            for row in _states()
            if _state_key(row[_STATE_COLUMN[item.states]], item.states) not in there
            and row["state"] not in item.without
        ]
    numbers = set(_numbers(values).tolist())
    return [
        str(value)
        for value in item.has or []
        if (value.strip() not in texts if isinstance(value, str) else float(value) not in numbers)
    ]


def _is_good(item: Expectation, known: pa.ChunkedArray) -> np.ndarray:
    """Which of the known values are as expected, as (known values,) booleans."""
    if item.only is not None:
        texts = {value.strip() for value in item.only if isinstance(value, str)}
        numbers = {float(value) for value in item.only if not isinstance(value, str)}
        # Few values are told apart, however many rows there are.
        encoded = known.combine_chunks().dictionary_encode()
        distinct = encoded.dictionary
        is_text = [str(value).strip() in texts for value in distinct.to_pylist()]
        is_one = np.array(is_text, bool) | np.isin(_numbers(distinct), list(numbers))
        return is_one[encoded.indices.to_numpy(zero_copy_only=False)]
    values = _numbers(known)
    if item.between is not None:
        low, high = item.between
        return (values >= low) & (values <= high)
    is_number = ~np.isnan(values)
    return is_number & (values == np.round(values)) if item.type == "integer" else is_number


def _bad_values(name: str, rows: pa.Table, good: np.ndarray) -> list[str]:
    column = rows.column(name)
    places = np.flatnonzero(_known_mask(column).to_numpy(zero_copy_only=False))[~good][:EXAMPLES]
    numbers = rows.column("raw_row") if "raw_row" in rows.column_names else None
    return [
        f"row {numbers[int(at)] if numbers is not None else at + 1}: {str(column[int(at)])[:40]}"
        for at in places
    ]


def _known_mask(column: pa.ChunkedArray) -> pa.Array:
    mask = pc.is_valid(column)
    if pa.types.is_floating(column.type):
        mask = pc.and_(mask, pc.invert(pc.fill_null(pc.is_nan(column), True)))
    elif _is_text(column.type):
        mask = pc.and_(mask, pc.fill_null(pc.match_substring_regex(column, r"\S"), False))
    return mask.combine_chunks()


def _known(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column if _is_nested(column.type) else column.filter(_known_mask(column))


def _numbers(values: Any) -> np.ndarray:
    """Read values as staging does, as (values,) floats; NaN is no number."""
    if _is_text(values.type):
        is_number = _read_as_number(values)
        plain = pc.replace_substring(pc.utf8_trim_whitespace(values), ",", "")
        nothing = pa.scalar(None, plain.type)
        values = pc.cast(pc.if_else(is_number, plain, nothing), pa.float64())
    elif _kind_of(values.type) == "number":
        values = pc.cast(values, pa.float64(), safe=False)
    else:
        return np.full(len(values), np.nan)
    return (
        values.to_numpy(zero_copy_only=False) if isinstance(values, pa.Array) else values.to_numpy()
    )


def _read_as_number(values: Any) -> Any:
    return pc.match_substring_regex(pc.utf8_trim_whitespace(values), _NUMBER)


def _true_share(is_true: Any) -> float:
    return float(pc.mean(pc.cast(is_true, pa.float64())).as_py())


def _kind_of(kind: pa.DataType) -> str:
    of = pa.types
    if of.is_integer(kind) or of.is_floating(kind) or of.is_decimal(kind):
        return "number"
    if _is_text(kind):
        return "text"
    if of.is_temporal(kind):
        return "time"
    if of.is_binary(kind) or of.is_large_binary(kind):
        return "binary"
    if of.is_null(kind):
        return "empty"
    return "boolean" if of.is_boolean(kind) else "nested"


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _is_nested(kind: pa.DataType) -> bool:
    return _kind_of(kind) == "nested"


_STATE_COLUMN: Mapping[str, str] = {"code": "state", "fips": "state_fips", "name": "state_name"}


@functools.cache
def _states() -> list[dict[str, str]]:
    with STATES_PATH.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def _state_key(text: str, how: str) -> str:
    """Give the form in which a state is compared; of a county's or tract's code, that of its state."""
    if how != "fips":
        return text.casefold()
    # Ids put something before the code (1400000US01001020100, p01001); others lost the zero in front.
    found = _DIGITS.search(text.removesuffix(".0"))
    code = found[0] if found else ""
    return code.zfill(_FIPS_LENGTH.get(len(code), len(code)))[:2]


def _words(item: Expectation) -> str:
    """Say what is expected of a column or of the columns."""
    if item.columns is not None:
        return "has no columns but those that are known"
    share = "" if item.share == 1 else f" in {item.share:.1%} of the known rows"
    if item.has is not None:
        what = f"holds each of {', '.join(map(str, item.has))}"
    elif item.only is not None:
        what = f"holds nothing but {', '.join(map(str, item.only))}{share}"
    elif item.states is not None:
        left = f" but {', '.join(item.without)}" if item.without else ""
        what = f"holds every state{left}"
    elif item.between is not None:
        what = f"lies between {item.between[0]:g} and {item.between[1]:g}{share}"
    elif item.type is not None:
        what = f"is {'an integer' if item.type == 'integer' else 'a number'}{share}"
    elif item.known is not None:
        what = f"has a value in {item.known:.1%} of the rows"
    else:
        what = f"has {item.distinct_at_least} different values"
    return f"column {item.column} {what}"
