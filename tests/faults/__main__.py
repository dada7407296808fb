"""`make faults`: try every cell of the matrix, print it as Markdown, exit 1 where one is not as declared.

Cells are shared among processes, each with an upstream and a home of its own. `--fault` and `--kind` narrow
the matrix; each cell is told on standard error as it ends, with its sentence.
"""

import argparse
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from itertools import groupby
from pathlib import Path

from tests.faults.harness import Ending, World, published, try_cell
from tests.faults.matrix import KINDS, ROWS, Row, agrees, anonymous, cells
from tests.flows.conftest import PREFECT_HOME

# Kinds by process, so that both take about as long.
SHARES = (("http", "arcgis"), ("overpass", "object", "package"))
HEAD = "| fault | kind | first fetch | with a last good copy |\n|---|---|---|---|"


def main() -> int:
    """Try the cells and print the matrix."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--fault", action="append", help="name of a fault; may be given again")
    parser.add_argument("--kind", action="append", choices=KINDS)
    given = parser.parse_args()
    began = time.monotonic()
    asked = given.kind or KINDS
    shares = [[kind for kind in share if kind in asked] for share in SHARES]
    with multiprocessing.get_context("spawn").Pool(len(SHARES)) as pool:
        parts = pool.starmap(_try_all, [(share, given.fault) for share in shares if share])
    wrong = {key: said for part in parts for key, said in part.items()}
    rows = [row for row in ROWS if not given.fault or row.fault in given.fault]
    tried = sum(2 * (kind in asked and kind in row.cells) for row in rows for kind in KINDS)
    sys.stdout.write(table(rows, wrong) + "\n")
    sys.stdout.write(
        f"\n{tried - len(wrong)} of {tried} runs ended as declared, in {time.monotonic() - began:.0f} s.\n"
    )
    return 1 if wrong else 0


def _try_all(kinds: list[str], names: list[str] | None) -> dict[tuple[str, str, bool], str]:
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


def table(rows: list[Row], wrong: dict[tuple[str, str, bool], str]) -> str:
    """Write the matrix; kinds of the same endings share a line."""
    lines = [HEAD]
    for row in rows:
        ends = {kind: _ends(row, kind, wrong) for kind in KINDS}
        ordered = sorted(KINDS, key=lambda kind: (KINDS.index(_first_like(kind, ends)), kind))
        for end, kinds in groupby(ordered, key=ends.__getitem__):
            lines.append(f"| {row.label} | {', '.join(sorted(kinds, key=KINDS.index))} | {end} |")
    return "\n".join(lines)


def _first_like(kind: str, ends: dict[str, str]) -> str:
    return next(other for other in KINDS if ends[other] == ends[kind])


def _ends(row: Row, kind: str, wrong: dict[tuple[str, str, bool], str]) -> str:
    if kind not in row.cells:
        return f"does not apply: {row.not_for[kind]} | "
    cell = row.cells[kind]
    said = [
        f"**not as declared**: {wrong[row.fault, kind, has_copy]}"
        if (row.fault, kind, has_copy) in wrong
        else str(declared)
        for has_copy, declared in ((False, cell.first), (True, cell.copy))
    ]
    return " | ".join(said)


if __name__ == "__main__":
    os.environ.pop("GRIDSTEAD_MIRROR", None)
    raise SystemExit(main())
