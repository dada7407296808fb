"""MATPOWER case files as the tables that they hold; what a case computes is refused, not run."""

import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from matpowercaseframes import CaseFrames
from matpowercaseframes.constants import COLUMNS

from data.errors import ReadError

TABLES = ("bus", "branch", "gen", "dcline")
NEEDED = ("bus", "branch")
LISTS = ("bus_name", "genfuel", "gentype")
HINT = "Load it in MATPOWER and write it again with savecase."

_FUNCTION = re.compile(r"^\s*function\s+(\[?[\w\s,]+\]?)\s*=", re.MULTILINE)
_BLOCK_COMMENT = re.compile(r"^[ \t]*%\{[ \t]*$.*?^[ \t]*%\}[ \t]*$", re.MULTILINE | re.DOTALL)
_CONTINUED = re.compile(r"\.\.\.[^\n]*\n")
# A quote opens text unless it follows a value, which it transposes.
_TEXT = re.compile(r"(?<![\w)\]}.'])'((?:[^'\n]|'')*)'|\"([^\"\n]*)\"")


@dataclass
class MatpowerCase:
    """Tables of a case, with MATPOWER's own column names; lists are empty where it has none."""

    base_mva: float
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)


def parse_matpower(text: str, label: str) -> MatpowerCase:
    """Parse the text of a case of version 2.

    matpowercaseframes reads one row a line, blanks between the values; MATLAB's other ways to write a
    matrix (commas, several rows a line, continued lines) are brought to that first.

    Raises
    ------
    ReadError
        The text is no case, has no bus or branch, or changes its tables after it wrote them down.
    """
    struct = _struct(text, label)
    # Text is set aside, so that what it holds is not taken for code or comment.
    bare, kept = _without_comments(text)
    _refuse_code(bare, struct, label)
    case = MatpowerCase(_base_mva(bare, struct, label))
    for name in LISTS:
        body = _body(bare, struct, name, "{", "}", label)
        case.lists[name] = [kept[int(number)] for number in re.findall(r"\x00(\d+)\x00", body)]
    rows = {name: _rows(bare, struct, name, label) for name in TABLES}
    for name in NEEDED:
        if not rows[name]:
            message = f"{label} has no {name}: mpc.{name} is missing or empty."
            raise ReadError(message, "Give a whole case, with mpc.bus and mpc.branch.")
    case.tables = _frames({name: found for name, found in rows.items() if found})
    return case


def _struct(text: str, label: str) -> str:
    """Name of the struct that the case fills, mpc as a rule."""
    found = _FUNCTION.search(text)
    if found is None:
        message = f"{label} is no MATPOWER case: it has no line `function mpc = ...`."
        raise ReadError(message, "Give a case of MATPOWER version 2 (.m).")
    if "[" in found[1]:
        message = f"{label} is a case of MATPOWER version 1."
        raise ReadError(message, HINT)
    return found[1].strip()


def _without_comments(text: str) -> tuple[str, list[str]]:
    """Code alone, with a numbered mark for each text in quotes, and the texts."""
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append((found[1] or found[2] or "").replace("''", "'"))
        return f"\x00{len(kept) - 1}\x00"

    lines = []
    # Lines keep their numbers, for messages.
    plain = _BLOCK_COMMENT.sub(lambda found: "\n" * found[0].count("\n"), text)
    for line in plain.splitlines():
        code = line
        if "'" in line or '"' in line:
            code = _mark_texts(line, keep)
        lines.append(code.partition("%")[0])
    return _CONTINUED.sub(" ", "\n".join(lines) + "\n"), kept


def _mark_texts(line: str, keep: Callable[[re.Match[str]], str]) -> str:
    """Mark the texts of a line that stand before its comment."""
    out, at = "", 0
    while found := _TEXT.search(line, at):
        if "%" in line[at : found.start()]:
            break
        out += line[at : found.start()] + keep(found)
        at = found.end()
    return out + line[at:]


def _refuse_code(bare: str, struct: str, label: str) -> None:
    """Stop at a statement that computes with the tables: what it would make of them is not known."""
    changed = "|".join([*TABLES, "baseMVA"])
    table = (
        rf"\b{struct}\.(?P<name>{changed})\s*(?P<part>\([^=\n]*\))?\s*=(?!=)\s*(?P<begins>[^\s;]?)"
    )
    whole = rf"^[ \t]*(?P<whole>{struct})\s*=(?!=)"
    for found in re.finditer(f"{table}|{whole}", bare, re.MULTILINE):
        name, begins = found["name"], found["begins"] or ""
        is_plain = begins == "[" or (name == "baseMVA" and begins.isdigit())
        if found["whole"] or found["part"] or not is_plain:
            what = struct if found["whole"] else f"{struct}.{name}"
            line = bare.count("\n", 0, found.start()) + 1
            message = f"{label}: a statement near line {line} computes {what}."
            raise ReadError(message, HINT)


def _base_mva(bare: str, struct: str, label: str) -> float:
    found = re.search(rf"\b{struct}\.baseMVA\s*=\s*\[?\s*([-+.\deE]+)", bare)
    try:
        base = float(found[1]) if found else 0.0
    except ValueError:
        base = 0.0
    if not base > 0:
        message = f"{label} states no {struct}.baseMVA above 0."
        raise ReadError(message, "Give a whole case, with mpc.baseMVA.")
    return base


def _body(bare: str, struct: str, name: str, opened: str, closed: str, label: str) -> str:
    """Return what stands between the brackets of a table; empty when it is not there."""
    starts = list(re.finditer(rf"\b{struct}\.{name}\s*=\s*{re.escape(opened)}", bare))
    if not starts:
        return ""
    if len(starts) > 1:
        message = f"{label} writes {struct}.{name} twice."
        raise ReadError(message, HINT)
    end = bare.find(closed, starts[0].end())
    if end < 0:
        message = f"{label}: {struct}.{name} is never closed with {closed}."
        raise ReadError(message, "The file may have been cut off: fetch it again.")
    return bare[starts[0].end() : end]


def _rows(bare: str, struct: str, name: str, label: str) -> list[list[str]]:
    body = _body(bare, struct, name, "[", "]", label).replace(",", " ")
    rows = [values for line in re.split(r"[;\n]", body) if (values := line.split())]
    for number, values in enumerate(rows, start=1):
        if len(values) != len(rows[0]):
            message = (
                f"{label}: row {number} of {struct}.{name} has {len(values)} values where the first "
                f"has {len(rows[0])}."
            )
            raise ReadError(message, "Mend the row.")
    return rows


def _frames(rows: dict[str, list[list[str]]]) -> dict[str, pd.DataFrame]:
    """Tables with the names of their columns; columns beyond those that MATPOWER names are left out."""
    text = ["function mpc = plain", "mpc.version = '2';"]
    for name, found in rows.items():
        width = len(COLUMNS[name])
        text += [f"mpc.{name} = [", *("\t".join(values[:width]) + ";" for values in found), "];"]
    with tempfile.TemporaryDirectory(prefix="gridstead-") as folder:
        path = Path(folder) / "plain.m"
        path.write_text("\n".join([*text, ""]), encoding="utf-8")
        frames = CaseFrames(path, update_index=False)
    return {name: getattr(frames, name) for name in rows}
