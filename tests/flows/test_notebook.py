"""The analyst's notebook: it runs from top to bottom on any build, and what is committed is a clean run of it."""

from pathlib import Path

import geopandas as gpd
import nbformat
import pytest
from nbclient import NotebookClient

from tests.flows.conftest import rows

NOTEBOOK = Path(__file__).parents[2] / "examples" / "analyst.ipynb"
MAX_BYTES = 400_000
CELL_S = 120


def read():
    return nbformat.read(NOTEBOOK, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def said(notebook):
    """Text of every output."""
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    return "\n".join(
        output.get("text", "") + output.get("data", {}).get("text/plain", "") for output in outputs
    )


def test_what_is_committed_is_one_clean_run():
    notebook = read()
    nbformat.validate(notebook)
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert {output.output_type for output in outputs} <= {
        "execute_result",
        "display_data",
        "stream",
    }
    assert not [o for o in outputs if o.output_type == "stream" and o.name == "stderr"]
    assert not [cell for cell in notebook.cells if cell.metadata], "no noise of an editor"
    assert NOTEBOOK.stat().st_size < MAX_BYTES
    assert "open-conus" in said(notebook)
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 1


@pytest.mark.slow
def test_notebook_runs_on_a_small_study(base, tmp_path, monkeypatch):
    monkeypatch.setenv("GRIDSTEAD_HOME", str(base.home))
    notebook = read()
    for cell in code_cells(notebook):
        cell.outputs, cell.execution_count = [], None
    where = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=CELL_S, kernel_name="python3", resources=where).execute()
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    assert not [o for o in outputs if o.output_type == "stream" and o.name == "stderr"]
    text = said(notebook)
    ranked = rows(
        base.build,
        "select region_id, region_name from mart.training_regions where region_kind = 'county' and rank is not null",
    )
    assert ranked
    assert all(name in text for _, name in ranked)
    written = gpd.read_file(tmp_path / "first-counties.gpkg")
    assert set(written["region_id"]) == {region for region, _ in ranked}
    assert written.crs.to_epsg() == 4326


@pytest.mark.slow
def test_notebook_without_a_build_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("GRIDSTEAD_HOME", str(tmp_path))
    first = code_cells(read())[0].source
    with pytest.raises(SystemExit, match="There is no build yet"):
        exec(compile(first, NOTEBOOK.name, "exec"), {})
