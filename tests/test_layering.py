"""Imports run one way: flows -> {geo, data}; geo computes, and opens files in geo/export only."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for package in ("data", "flows", "geo", "sql")
    for path in sorted((ROOT / package).rglob("*.py"))
}
FORBIDDEN = {
    "data": {"geo", "flows", "prefect", "cyclopts", "rich"},
    "geo": {"data", "flows", "duckdb", "prefect", "cyclopts", "rich", "httpx", "yaml"},
    "sql": {"data", "geo", "flows"},
}
# Calls that open or write a file by its path.
OPENERS = {
    "open", "read_text", "write_text", "read_bytes", "write_bytes", "read_file", "read_parquet",
    "read_csv", "to_parquet", "to_csv", "to_file", "read_dataframe", "write_dataframe", "savefig",
    "connect", "loadtxt", "savez", "unlink", "mkdir",
}  # fmt: skip


def imported(tree):
    """Top-level packages that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." if node.level else node.module.partition(".")[0])
    return found


def opened(tree):
    names = [
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
    ]
    return OPENERS & set(names)


@pytest.mark.parametrize("package", sorted(FORBIDDEN))
def test_imports_run_one_way(package):
    wrong = {
        path: imported(tree) & FORBIDDEN[package]
        for path, tree in MODULES.items()
        if path.startswith(f"{package}/") and imported(tree) & FORBIDDEN[package]
    }
    assert wrong == {}


def test_imports_are_absolute():
    assert [path for path, tree in MODULES.items() if "." in imported(tree)] == []


def test_geo_opens_files_only_to_export():
    opening = {
        path: opened(tree)
        for path, tree in MODULES.items()
        if path.startswith("geo/") and not path.startswith("geo/export/") and opened(tree)
    }
    assert opening == {}


def test_geo_takes_no_paths_and_no_file_formats_outside_of_export():
    handles_files = {"pathlib", "shutil", "tempfile", "io", "pyogrio", "rasterio"}
    wrong = [
        path
        for path, tree in MODULES.items()
        if path.startswith("geo/")
        and not path.startswith("geo/export/")
        and imported(tree) & handles_files
    ]
    assert wrong == []


def silent_of_fetching(tree):
    """Lines that open a Parquet file and leave it to Arrow whether it fetches ahead."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "ParquetFile"
        and "pre_buffer" not in {keyword.arg for keyword in node.keywords}
    ]


def test_files_read_in_batches_are_not_fetched_ahead():
    # What Arrow fetched ahead it holds until the file is closed, which is all of it in the end.
    silent = {path: silent_of_fetching(tree) for path, tree in MODULES.items()}
    assert {path: lines for path, lines in silent.items() if lines} == {}


def test_the_rules_see_what_they_forbid():
    assert silent_of_fetching(ast.parse("pq.ParquetFile(path, memory_map=True)")) == [1]
    assert silent_of_fetching(ast.parse("pq.ParquetFile(path, pre_buffer=False)")) == []
    tree = ast.parse("import geo.nearest\nfrom flows import cli\ndef f():\n    open('x')\n")
    assert imported(tree) == {"geo", "flows"}
    assert opened(tree) == {"open"}
    assert {path.partition("/")[0] for path in MODULES} == {"data", "flows", "geo"} | (
        {"sql"} if any(path.startswith("sql/") for path in MODULES) else set()
    )
