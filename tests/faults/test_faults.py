"""A few cells of the matrix of faults, one a kind of source; `make faults` tries them all."""

import pytest

from tests.faults.harness import published, try_cell
from tests.faults.matrix import ROWS, agrees

CELLS = [
    ("length_too_short once", "http"),
    ("changes_between_pages once", "arcgis"),
    ("html", "overpass"),
    ("truncated", "package"),
    ("retyped_column", "object"),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with published(tmp_path_factory.mktemp("faults")) as made:
        yield made


@pytest.mark.slow
@pytest.mark.parametrize("has_copy", [False, True])
@pytest.mark.parametrize(("fault", "kind"), CELLS)
def test_a_fault_ends_as_declared(world, fault, kind, has_copy, tmp_path):
    [cell] = [row.cells[kind] for row in ROWS if row.fault == fault]
    ending = try_cell(world, kind, fault, tmp_path / "cell", has_copy=has_copy)
    assert agrees(ending, cell.copy if has_copy else cell.first), ending
