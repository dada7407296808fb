"""Rows at fault are found by halves: all of them where tries suffice, and never a good row lost."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.halving import Fault, first_fault, in_halves

ERROR = ValueError("bad")


class Rows:
    """Measures a row as its number; fails where a row is bad, and counts the tries."""

    def __init__(self, bad):
        self.bad, self.tries = set(bad), 0

    def __call__(self, start, stop):
        self.tries += 1
        if hit := sorted(self.bad & set(range(start, stop))):
            raise ValueError(hit[0])
        return pa.table({"row": range(start, stop)})


def measured_rows(halved):
    return [row for table in halved.measured for row in table.column("row").to_pylist()]


@given(st.integers(1, 60), st.data())
def test_what_is_left_out_are_the_bad_rows_alone(count, data):
    bad = data.draw(st.sets(st.integers(0, count - 1), min_size=1))
    rows = Rows(bad)
    halved = in_halves(Fault(0, count, ERROR), rows, most_tries=1_000)
    assert [(fault.start, fault.stop) for fault in halved.faults] == [
        (row, row + 1) for row in sorted(bad)
    ]
    assert measured_rows(halved) == sorted(set(range(count)) - bad)
    if count > 1:
        assert [fault.error.args[0] for fault in halved.faults] == sorted(bad)


@given(st.integers(1, 60), st.integers(0, 20), st.data())
def test_every_row_is_measured_or_told_whatever_the_tries(count, most_tries, data):
    bad = data.draw(st.sets(st.integers(0, count - 1), min_size=1))
    rows = Rows(bad)
    halved = in_halves(Fault(0, count, ERROR), rows, most_tries)
    assert rows.tries <= most_tries
    told = [row for fault in halved.faults for row in range(fault.start, fault.stop)]
    assert sorted(told + measured_rows(halved)) == list(range(count))
    assert bad <= set(told)
    assert all(bad & set(range(fault.start, fault.stop)) for fault in halved.faults)


def test_eight_rows_of_a_large_chunk_are_singled_out():
    bad = [0, 1, 9_000, 20_001, 33_333, 50_000, 65_534, 65_535]
    halved = in_halves(Fault(0, 65_536, ERROR), Rows(bad))
    assert [fault.start for fault in halved.faults] == bad
    assert all(len(fault) == 1 for fault in halved.faults)


def test_a_chunk_that_is_bad_throughout_is_given_up_soon():
    rows = Rows(range(65_536))
    halved = in_halves(Fault(0, 65_536, ERROR), rows)
    assert rows.tries <= 256
    assert halved.measured == []
    assert sum(map(len, halved.faults)) == 65_536


@given(st.integers(1, 3_000), st.data())
def test_the_first_fault_is_the_first_and_found_in_few_tries(count, data):
    bad = data.draw(st.sets(st.integers(0, count - 1), min_size=1, max_size=5))
    rows = Rows(bad)
    fault = first_fault(Fault(0, count, ERROR), rows)
    assert (fault.start, fault.stop) == (min(bad), min(bad) + 1)
    assert rows.tries <= count.bit_length() + 1


def test_rows_that_fail_together_only_have_no_first_fault():
    def together(start, stop):
        if start <= 3 and stop > 8:
            raise ERROR
        return pa.table({"row": range(start, stop)})

    assert first_fault(Fault(0, 10, ERROR), together) is None
    halved = in_halves(Fault(0, 10, ERROR), together)
    assert halved.faults == []
    assert measured_rows(halved) == list(range(10))


@pytest.mark.parametrize("search", [in_halves, first_fault])
def test_memory_that_runs_out_is_no_rows_fault(search):
    def out_of_memory(*_):
        raise MemoryError

    with pytest.raises(MemoryError):
        search(Fault(0, 10, ERROR), out_of_memory)
