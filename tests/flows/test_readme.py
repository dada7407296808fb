"""What the README tells a newcomer to type works."""

import re
import shlex
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from data import store
from data.study import load_study
from flows import cli

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SQL = [
    query
    for block in re.findall(r"```sql\n(.*?)```", README, re.DOTALL)
    for query in block.split(";\n")
]
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
STUDIES = re.findall(r"```yaml\n(# my-study.yaml.*?)```", README, re.DOTALL)
COMMANDS = re.findall(r"^gridstead .+$", README, re.MULTILINE)
# Questions that the tiny study or its one run are too small for, and those that change a home, ask the machine, or
# serve until somebody ends them.
LARGE = ("portfolio", "backtest", "diff", "restore", "prune", "doctor", "map")
ASKING = [line for line in COMMANDS if shlex.split(line)[1] != "run"]


@pytest.mark.parametrize("query", [query for query in SQL if query.strip()])
def test_queries_run(base: SimpleNamespace, query: str) -> None:
    with store.open_build(base.build) as con:
        assert con.sql(query).columns


@pytest.mark.parametrize(
    "line",
    [
        line
        for line in ASKING
        if "explain" not in line and "export" not in line and shlex.split(line)[1] not in LARGE
    ],
)
def test_questions_are_answered(
    base: SimpleNamespace, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    words = shlex.split(line, comments=True)[1:]
    assert cli.main([*words, "--home", str(base.home)]) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize(
    "line", [line for line in COMMANDS if " run" in line or shlex.split(line)[1] in LARGE]
)
def test_what_takes_long_is_spelled_right(line: str) -> None:
    words = [word for word in shlex.split(line, comments=True)[1:] if word != "&"]
    _, bound, _ = cli.app.parse_args(words, exit_on_error=False, print_error=False)
    assert bound.arguments is not None


@pytest.mark.parametrize("code", PYTHON)
def test_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    west = np.array([-77.60, -77.58, -77.56])
    lots = shapely.box(west, 39.0, west + 0.01, 39.01)
    line = shapely.LineString([(-77.7, 39.03), (-77.4, 39.03)])
    flood = shapely.box(-77.60, 39.0, -77.595, 39.01)
    for name, shapes in (("lots", lots), ("lines", [line]), ("flood", [flood])):
        frame = gpd.GeoDataFrame(geometry=shapes, crs="OGC:CRS84").to_crs("EPSG:32618")
        frame.to_file(tmp_path / f"{name}.gpkg")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(compile(code, "README.md", "exec"), names)
    found = names["lots"]
    assert found["flood_share"].to_numpy() == pytest.approx([0.5, 0.0, 0.0], abs=1e-4)
    assert found["line_mi"].to_numpy() == pytest.approx([1.38] * 3, abs=0.01)
    assert found["widest_circle_m"].to_numpy() == pytest.approx([866] * 3, abs=10)


@pytest.mark.parametrize("text", STUDIES)
def test_studies_are_spelled_right(tmp_path: Path, text: str) -> None:
    (tmp_path / "my-study.yaml").write_text(text, encoding="utf-8")
    study = load_study(str(tmp_path / "my-study.yaml"))
    assert [item.buffer_m for item in study.exclusions] == [30, 0]


def test_files_and_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", README, re.MULTILINE):
        assert f"\n{target}:" in makefile
    for path in re.findall(r"`((?:data|sql|benchmarks|geo|flows)/[\w./-]*)`", README):
        assert (ROOT / path).exists(), path
    for picture in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README):
        assert (ROOT / picture).is_file(), picture
