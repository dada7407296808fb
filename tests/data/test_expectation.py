"""Every kind of expectation can be met and can fail; blank values are unknown and judged by `known` alone."""

import pyarrow as pa
import pytest
from pydantic import ValidationError

from data import expectation
from data.expectation import Expectation, evaluate, failure, limits, profile

STATES = [row["state"] for row in expectation._states()]


def held(expected, values, *, required=(), kind=None):
    """The outcome of one expectation of the column `x` of a table."""
    rows = pa.table({"x": pa.array(values, kind), "raw_row": range(1, len(values) + 1)})
    item = Expectation.model_validate({"column": "x", **expected})
    (found,) = evaluate([item], rows, source_id="s", raw_table="t", required=required)
    return found


@pytest.mark.parametrize(
    ("expected", "values"),
    [
        ({"has": ["345", "500"]}, ["345", " 500 ", None, "DC"]),
        # A number is meant as a number, however it is written.
        ({"has": [2023, 345]}, ["2023", "345.0", ""]),
        ({"has": [2023]}, [2023, 2024]),
        ({"has": [2023]}, [2023.0, None]),
        ({"only": ["OP", 5]}, ["OP", " OP", "5.0", None, ""]),
        ({"only": ["OP"], "share": 0.75}, ["OP", "OP", "OP", "RE"]),
        ({"between": [17, 72]}, ["17", "72", "", None, "1,7.5"]),
        ({"between": [17, 72], "share": 0.5}, [17, 425.25]),
        ({"between": [17, 72]}, [float("nan"), 40.0]),
        ({"between": [17, 72]}, []),
        ({"type": "number"}, ["1", "-2.5", "1,250.5", "3e5", ".5", " 7 ", None, " "]),
        ({"type": "integer"}, ["1", "2,000", "3.0"]),
        ({"type": "integer"}, [1, 2]),
        ({"known": 0.5}, ["a", " "]),
        ({"known": 1}, [0, 0]),
        ({"distinct_at_least": 2}, ["a", "b", "b", ""]),
        ({"states": "code"}, STATES),
        ({"states": "code", "without": ["DC", "CT"]}, [s.lower() for s in STATES if s not in "DC CT"]),
    ],
)  # fmt: skip
def test_what_is_as_expected_is_let_pass(expected, values):
    found = held(expected, values)
    assert (found.offending_count, found.examples) == (0, [])


@pytest.mark.parametrize(
    ("expected", "values", "count", "example"),
    [
        ({"has": ["345", "500", "765"]}, ["345", None], 2, "500"),
        ({"has": [2023]}, ["2022", "2024"], 1, "2023"),
        ({"has": ["2023"]}, [], 1, "2023"),
        ({"only": ["OP"]}, ["OP", "op", "RE"], 2, "row 2: op"),
        ({"only": ["OP"], "share": 0.75}, ["OP", "RE", "OP"], 1, "row 2: RE"),
        ({"between": [17, 72]}, [None, "40", "425.25", "-90"], 2, "row 3: 425.25"),
        # What is no number lies in no range.
        ({"between": [17, 72]}, ["40", "forty"], 1, "row 2: forty"),
        ({"between": [17, 72], "share": 0.6}, [17, 425.25], 1, "row 2: 425.25"),
        ({"type": "number"}, ["1", "n/a", "12 MW", "1-2"], 3, "row 2: n/a"),
        ({"type": "integer"}, ["1", "2.5"], 1, "row 2: 2.5"),
        ({"type": "number"}, [True, False], 2, "row 1: True"),
        ({"known": 0.6}, ["a", " ", None, "b"], 2, "50.0% of 4 rows have a value"),
        ({"known": 0.5}, [float("nan"), 1.0, None], 2, "33.3% of 3 rows have a value"),
        ({"distinct_at_least": 3}, ["a", "b", "b", None], 1, "2 found"),
        ({"states": "code"}, [s for s in STATES if s not in ("TX", "WY")], 2, "TX"),
        ({"states": "name"}, ["Texas"], 48, "AL"),
    ],
)  # fmt: skip
def test_what_is_not_as_expected_is_counted_with_examples(expected, values, count, example):
    found = held(expected, values, required=["x"])
    assert (found.severity, found.offending_count, found.examples[0]) == ("error", count, example)
    assert len(found.examples) <= 5


@pytest.mark.parametrize(
    "form", ["{}", "{}001", "1400000US{}001020100", "p{}001"], ids=["state", "county", "tract", "p"]
)
@pytest.mark.parametrize("kind", ["text", "number"])
def test_states_are_known_by_their_fips_and_by_that_of_counties_and_tracts(form, kind):
    codes = [form.format(row["state_fips"]) for row in expectation._states()]
    if kind == "number" and form[0] == "{":
        # A zero in front is lost where codes are read as numbers.
        codes = [int(code) for code in codes]
    assert held({"states": "fips"}, codes).offending_count == 0
    assert held({"states": "fips"}, codes[1:]).examples == ["AL"]


def test_a_column_that_is_not_there_is_not_as_expected():
    item = Expectation(column="gone", has=[1])
    (found,) = evaluate([item], pa.table({"x": [1]}), source_id="s", raw_table="t")
    assert (found.offending_count, found.examples) == (1, ["there is no such column"])
    assert found.description == "table t of source s: column gone holds each of 1"
    assert found.check_name == "t.gone has"


def test_columns_beyond_those_that_are_known_are_noted():
    rows = pa.table({"a": [1], "new": [2], "raw_row": [1], "member": ["m"]})
    (found,) = evaluate([Expectation(columns=["a", "b"])], rows, source_id="s", raw_table="t")
    assert found.severity == "info"
    assert (found.offending_count, found.examples) == (2, ["new is new", "b is gone"])
    (found,) = evaluate([Expectation(columns=["a", "new"])], rows, source_id="s", raw_table="t")
    assert found.offending_count == 0


def test_a_type_is_an_error_in_a_required_column_and_a_warning_in_another():
    expected = {"type": "number"}
    assert held(expected, ["a"], required=["x"]).severity == "error"
    assert held(expected, ["a"]).severity == "warn"
    assert held({**expected, "severity": "error"}, ["a"]).severity == "error"
    assert held({**expected, "severity": "info"}, ["a"], required=["x"]).severity == "info"


def test_limits_are_kept_for_the_comparison_with_the_last_run():
    items = [
        Expectation(fell_by_at_most=0.1, rose_by_at_most=2),
        Expectation(outside_at_most=0.9, severity="warn"),
        Expectation(column="x", has=[1]),
    ]
    kept = [
        (one.limit_name, one.at_most, one.severity)
        for one in limits(items, source_id="s", raw_table="t")
    ]
    assert kept == [
        ("fell_by_at_most", 0.1, "error"),
        ("rose_by_at_most", 2, "warn"),
        ("outside_at_most", 0.9, "warn"),
    ]
    assert evaluate(items[:2], pa.table({"x": [1]}), source_id="s", raw_table="t") == []


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({}, "expects one thing"),
        ({"column": "x"}, "expects one thing"),
        ({"column": "x", "has": [1], "known": 0.5}, "expects one thing"),
        ({"has": [1]}, "has is expected of a column"),
        ({"column": "x", "columns": ["x"]}, "columns is expected of the table"),
        ({"column": "x", "outside_at_most": 0.5}, "outside_at_most is expected of the table"),
        ({"column": "x", "has": [1], "share": 0.5}, "share goes with"),
        ({"column": "x", "has": []}, "at least 1"),
        ({"column": "x", "between": [3, 1]}, "no range"),
        ({"column": "x", "known": 1.5}, "less than or equal to 1"),
        ({"column": "x", "known": 0.5, "without": ["DC"]}, "without goes with states"),
        ({"column": "x", "has": [1], "severity": "fatal"}, "error"),
        ({"column": "x", "has": [1], "hass": 1}, "Extra inputs"),
    ],
)
def test_an_entry_that_means_nothing_is_refused(entry, said):
    with pytest.raises(ValidationError, match=said):
        Expectation.model_validate(entry)


def test_columns_are_described_by_what_their_values_are():
    rows = pa.table(
        {
            "n": ["1", "2,000", " ", None],
            "w": ["a", "b", "3", "c"],
            "i": [1, None, 3, 4],
            "f": [1.5, float("nan"), None, 2.0],
            "b": [True, None, None, None],
            "g": [b"\0", b"\1", None, b"\2"],
            "l": [[1], [2], [], [3]],
            "e": pa.nulls(4),
            "raw_row": [1, 2, 3, 4],
        }
    )
    told = [
        (one.column_no, one.column_name, one.column_kind, one.known_share, one.number_share)
        for one in profile(rows, source_id="s", raw_table="t")
    ]
    assert told == [
        (1, "n", "text", 0.5, 1.0),
        (2, "w", "text", 1.0, 0.25),
        (3, "i", "number", 0.75, 1.0),
        (4, "f", "number", 0.5, 1.0),
        (5, "b", "boolean", 0.25, 0.0),
        (6, "g", "binary", 0.75, 0.0),
        (7, "l", "nested", 1.0, 0.0),
        (8, "e", "empty", 0.0, None),
    ]
    empty = profile(rows.slice(0, 0), source_id="s", raw_table="t")
    assert {(one.known_share, one.number_share) for one in empty} == {(None, None)}


def test_a_failure_is_one_sentence_that_counts_the_others():
    one = failure("t.x has", "table t holds each of 1", 1, ["1"])
    assert one.message == "Check t.x has found 1 row against 'table t holds each of 1': 1."
    more = failure("c", "d", 2000, ["a", "b", "c"], more=2)
    assert more.message == "Check c found 2,000 rows against 'd': a; b. 2 more checks failed."
    assert failure("c", "d", 1, [], more=1).message.endswith("'d'. 1 more check failed.")
