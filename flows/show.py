"""What the command line prints: tables for people, JSON for programs, errors in one sentence."""

import json
import math
import sys
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import shapely
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from data.nesting import is_deep


@dataclass
class Shown:
    """A result: rows under a title, further sections below it, and notes."""

    title: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    sections: list["Shown"] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    payload: Any = None
    exit_code: int = 0
    # Notes are lines to copy: none is broken.
    is_text: bool = False

    def data(self) -> Any:
        """Return what `--json` prints."""
        return self.rows if self.payload is None else self.payload


def show(result: Shown, *, as_json: bool) -> None:
    """Print a result on standard output."""
    if as_json:
        text = json.dumps(
            _plain(result.data()), default=_json, ensure_ascii=False, indent=2, allow_nan=False
        )
        print(text)  # noqa: T201
        return
    # Piped output keeps its columns: a terminal of 80 would cut them.
    console = Console() if sys.stdout.isatty() else Console(width=200)
    _print(console, result)


def error_line(message: str, hint: str, *, as_json: bool) -> None:
    """Print one sentence and a hint on standard error."""
    if as_json:
        print(json.dumps({"error": message, "hint": hint}, ensure_ascii=False), file=sys.stderr)  # noqa: T201
        return
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    console.print(f"[bold red]Error:[/] {escape(message)}")
    if hint:
        console.print(f"[dim]{escape(hint)}[/]")


def _print(console: Console, result: Shown) -> None:
    if result.title:
        console.print(f"[bold]{escape(result.title)}[/]")
    if result.rows:
        console.print(_table(result))
    for note in result.notes:
        console.print(escape(note), highlight=False, soft_wrap=result.is_text)
    for section in result.sections:
        console.print()
        _print(console, section)


def _table(result: Shown) -> Table:
    columns = result.columns or {name: name for name in result.rows[0]}
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, heading in columns.items():
        is_number = any(_is_number(row.get(name)) for row in result.rows)
        table.add_column(escape(heading), justify="right" if is_number else "left", overflow="fold")
    for row in result.rows:
        table.add_row(*(escape(_text(row.get(name))) for name in columns))
    return table


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def _text(value: Any) -> str:
    if value is None:
        return "–"  # noqa: RUF001
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.1f}" if abs(value) >= 1 or value == 0 else f"{value:.3g}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, (bytes, bytearray)):
        return _wkt(bytes(value))
    if isinstance(value, (list, tuple)):
        return ", ".join(_text(item) for item in value)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return str(value)


def _plain(value: Any) -> Any:
    """Bring nested values to what JSON has: text as keys, null for what is no number."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _json(value: Any) -> Any:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, (bytes, bytearray)):
        return _wkt(bytes(value))
    return str(value)


def _wkt(value: bytes) -> str:
    if is_deep(value):
        return value.hex()
    try:
        return shapely.from_wkb(value).wkt
    except shapely.GEOSException:
        return value.hex()


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a frame as `Shown` takes them, with None for what is missing."""
    return frame.astype(object).where(frame.notna(), None).to_dict("records")
