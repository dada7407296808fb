"""The questions of sql/README.md: read, asked, and written with the answers of a build.

`python -m tests.sql.cookbook BUILD` writes the answers of a build of the default study into the file.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb

ROOT = Path(__file__).parents[2]
COOKBOOK = ROOT / "sql" / "README.md"
# A heading with a number, words, a query, and the answer if it is written already.
QUESTION = re.compile(
    r"^## (\d+)\. (.+?)\n(.*?)```sql\n(.*?)\n```\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL
)
NOTHING = "No rows."


@dataclass(frozen=True)
class Question:
    """A question with its query and the answer that is printed."""

    number: int
    title: str
    query: str
    answer: str


def questions() -> list[Question]:
    """Give the questions in their order."""
    text = COOKBOOK.read_text(encoding="utf-8")
    return [
        Question(int(number), title, query, answer.strip())
        for number, title, _, query, answer in QUESTION.findall(text)
    ]


def ask(con: duckdb.DuckDBPyConnection, query: str) -> str:
    """Give the answer to a query as a table of Markdown."""
    relation = con.sql(query)
    heads, rows = relation.columns, relation.fetchall()
    if not rows:
        return NOTHING
    numbers = [
        all(isinstance(row[i], int | float | None) for row in rows) for i in range(len(heads))
    ]
    lines = [heads, ["---:" if is_number else "---" for is_number in numbers]]
    lines += [[_cell(value) for value in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, float):
        return f"{value:,.0f}" if value == int(value) and abs(value) >= 1000 else f"{value:g}"
    return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "\\|")


def main(build: str) -> None:
    """Write the answers of a build into the cookbook."""
    with duckdb.connect(build, read_only=True) as con:
        text = QUESTION.sub(
            lambda found: (
                f"## {found[1]}. {found[2]}\n{found[3]}```sql\n{found[4]}\n```\n\n{ask(con, found[4])}\n\n"
            ),
            COOKBOOK.read_text(encoding="utf-8"),
        )
    COOKBOOK.write_text(text.rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
