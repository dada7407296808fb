"""The declared matrix is whole, and what is printed of it tells what ended otherwise."""

from pathlib import Path

from tests.faults.__main__ import table
from tests.faults.harness import STALE, Ending
from tests.faults.matrix import KINDS, ROWS, Fails, agrees
from tests.upstream.faults import TRANSPORT
from tests.upstream.kinds import Served

README = Path(__file__).parents[2] / "README.md"


def test_every_fault_is_declared_for_every_kind_or_has_a_reason():
    for row in ROWS:
        assert sorted([*row.cells, *row.not_for]) == sorted(KINDS), row.fault
        assert all(row.not_for.values()), row.fault


def test_every_fault_that_the_upstream_knows_is_in_the_matrix():
    spoils = {name for kind in Served.__subclasses__() for name in kind.spoils}
    tried = {row.fault.removesuffix(" once") for row in ROWS}
    assert tried == set(TRANSPORT) | spoils | {"tls_refusal"}
    for row in ROWS:
        name = row.fault.removesuffix(" once")
        if name in spoils:
            able = {kind.kind for kind in Served.__subclasses__() if name in kind.spoils}
            assert set(row.cells) == able, row.fault


def test_an_error_agrees_by_its_sentence_and_needs_a_hint():
    declared = Fails(r"\b429\b", "429")
    assert agrees(Ending("It answered 429 Too Many Requests.", "Try later."), declared)
    assert not agrees(Ending("It answered 429 Too Many Requests."), declared)
    assert not agrees(Ending("It answered 500.", "Try later."), declared)
    assert agrees(Ending(STALE), STALE)
    assert not agrees(Ending("It answered 429.", "Try later."), STALE)


def test_the_table_shows_what_ended_otherwise():
    [row] = [row for row in ROWS if row.fault == "too_many"]
    assert table([row], ("arcgis", "package"), {}).splitlines() == [
        "| fault | arcgis | package |",
        "|---|---|---|",
        "| 429 always | error: 429; stale | error: 429 |",
    ]
    wrong = {("too_many", "arcgis", True): "something else"}
    assert table([row], ("arcgis",), wrong).splitlines()[2] == (
        "| 429 always | error: 429; **not as declared**: something else |"
    )


def test_the_readme_shows_the_matrix_as_it_is_declared():
    assert table(ROWS, KINDS, {}) in README.read_text(encoding="utf-8")
