"""`make faults`: try every cell of the matrix, print it as Markdown, exit 1 where one is not as declared.

Cells are shared among processes, each with an upstream and a home of its own. `--fault` and `--kind` narrow
the matrix; each cell is told on standard error as it ends, with its sentence.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Sequence

from tests.faults.harness import PINNED, STALE
from tests.faults.matrix import KINDS, ROWS, Row
from tests.faults.trying import try_all

# Kinds by process, so that both take about as long.
SHARES = (("http", "arcgis"), ("overpass", "object", "package"))
# What a good copy in the cache ends in most often is told below the table.
SHORT = {STALE: "stale"}


def main() -> int:
    """Try the cells and print the matrix."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    names = [row.fault for row in ROWS]
    parser.add_argument("--fault", action="append", choices=names, help="may be given again")
    parser.add_argument("--kind", action="append", choices=KINDS)
    given = parser.parse_args()
    began = time.monotonic()
    asked = given.kind or KINDS
    shares = [[kind for kind in share if kind in asked] for share in SHARES]
    with multiprocessing.get_context("spawn").Pool(len(SHARES)) as pool:
        parts = pool.starmap(try_all, [(share, given.fault) for share in shares if share])
    wrong = {key: said for part in parts for key, said in part.items()}
    rows = [row for row in ROWS if not given.fault or row.fault in given.fault]
    tried = sum(2 * (kind in asked and kind in row.cells) for row in rows for kind in KINDS)
    sys.stdout.write(table(rows, asked, wrong) + "\n")
    sys.stdout.write(
        f"\n{tried - len(wrong)} of {tried} runs ended as declared, in {time.monotonic() - began:.0f} s.\n"
    )
    return 1 if wrong else 0


def table(rows: list[Row], kinds: Sequence[str], wrong: dict[tuple[str, str, bool], str]) -> str:
    """Write the matrix: faults by kinds, in each cell the first fetch, then that with a last good copy."""
    lines = [f"| fault | {' | '.join(kinds)} |", "|---" * (len(kinds) + 1) + "|"]
    lines += [
        f"| {row.label} | {' | '.join(_ends(row, kind, wrong) for kind in kinds)} |" for row in rows
    ]
    return "\n".join(lines)


def _ends(row: Row, kind: str, wrong: dict[tuple[str, str, bool], str]) -> str:
    if kind not in row.cells:
        return "-"
    cell = row.cells[kind]
    first, copy = (
        f"**not as declared**: {wrong[row.fault, kind, has_copy]}"
        if (row.fault, kind, has_copy) in wrong
        else SHORT.get(str(declared), str(declared))
        for has_copy, declared in ((False, cell.first), (True, cell.copy))
    )
    # A wheel whose pinned bytes are in the cache is not asked for again.
    return first if copy in {first, PINNED} else f"{first}; {copy}"


if __name__ == "__main__":
    os.environ.pop("GRIDSTEAD_MIRROR", None)
    raise SystemExit(main())
