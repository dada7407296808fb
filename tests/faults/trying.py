"""Trying the cells of some kinds, in a process of its own."""

import shutil
import sys
import tempfile
from pathlib import Path

from tests.faults.harness import Ending, World, published, try_cell
from tests.faults.matrix import Row, agrees, anonymous, cells
from tests.flows.conftest import PREFECT_HOME


def try_all(kinds: list[str], names: list[str] | None) -> dict[tuple[str, str, bool], str]:
    """Try the cells of some kinds; what did not end as declared is returned."""
    wrong = {}
    with (
        tempfile.TemporaryDirectory(prefix="gridstead-faults-") as folder,
        published(Path(folder)) as world,
    ):
        for row, kind in cells():
            if kind not in kinds or (names and row.fault not in names):
                continue
            for has_copy in (False, True):
                said, is_right = _try(world, row, kind, Path(folder), has_copy=has_copy)
                if not is_right:
                    wrong[row.fault, kind, has_copy] = said
    # The tests of flows, whose pieces are used here, make one on import.
    shutil.rmtree(PREFECT_HOME, ignore_errors=True)
    return wrong


def _try(world: World, row: Row, kind: str, folder: Path, *, has_copy: bool) -> tuple[str, bool]:
    """Try one cell; what was said, and whether it is as declared."""
    cell = row.cells[kind]
    trial = folder / f"{kind}-{row.fault.replace(' ', '-')}-{has_copy}"
    try:
        ending = try_cell(world, kind, row.fault, trial, has_copy=has_copy)
    except AssertionError as error:
        ending = Ending(f"broke a rule: {' '.join(str(error).split())}")
    said = anonymous(ending.word, world)
    is_right = agrees(ending, cell.copy if has_copy else cell.first)
    when = "with a copy" if has_copy else "first fetch"
    sys.stderr.write(f"{'  ' if is_right else '! '}{row.fault}, {kind}, {when}: {said}\n")
    sys.stderr.flush()
    return said, is_right
