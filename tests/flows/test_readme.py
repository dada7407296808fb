"""What the README tells a newcomer to type works."""

import re
import shlex
from pathlib import Path
from types import SimpleNamespace

import pytest

from data import store
from flows import cli

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SQL = [
    query
    for block in re.findall(r"```sql\n(.*?)```", README, re.DOTALL)
    for query in block.split(";\n")
]
COMMANDS = re.findall(r"^gridstead .+$", README, re.MULTILINE)
ASKING = [line for line in COMMANDS if shlex.split(line)[1] != "run"]


@pytest.mark.parametrize("query", [query for query in SQL if query.strip()])
def test_queries_run(base: SimpleNamespace, query: str) -> None:
    with store.open_build(base.build) as con:
        assert con.sql(query).columns


@pytest.mark.parametrize(
    "line", [line for line in ASKING if "explain" not in line and "export" not in line]
)
def test_questions_are_answered(
    base: SimpleNamespace, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    words = shlex.split(line, comments=True)[1:]
    assert cli.main([*words, "--home", str(base.home)]) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize("line", [line for line in COMMANDS if " run" in line])
def test_runs_are_spelled_right(line: str) -> None:
    words = [word for word in shlex.split(line, comments=True)[1:] if word != "&"]
    _, bound, _ = cli.app.parse_args(words, exit_on_error=False, print_error=False)
    assert bound.arguments is not None


def test_files_and_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", README, re.MULTILINE):
        assert f"\n{target}:" in makefile
    for path in re.findall(r"`((?:data|sql|benchmarks|geo|flows)/[\w./-]*)`", README):
        assert (ROOT / path).exists(), path
    for picture in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README):
        assert (ROOT / picture).is_file(), picture
