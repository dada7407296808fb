"""A build of parts: equal to that of one process where all parcels are kept, and of all parcels where few are."""

import shutil
from types import SimpleNamespace

import pytest

from data import store
from flows import cluster_measure

# What tells of the run itself.
OF_THE_RUN = {
    "meta.run",
    "meta.partition",
    "meta.parts",
    "meta.check_result",
    "mart.rank_history",
    "mart.source_history",
}


@pytest.fixture
def parted(gridstead, base, plain, tmp_path, monkeypatch):
    """Run the tiny study in parts, in a home that has its layers; options as on the command line."""

    def run(*words, piece_rows=7, name="home"):
        home = tmp_path / name
        if not home.exists():
            kept = ("stage-", "layers-", "power-", "people-", "fiber-", "exclusion-")
            (home / "work").mkdir(parents=True)
            shutil.copytree(base.home / "cache", home / "cache")
            for path in (base.home / "work").iterdir():
                if path.name.startswith(kept):
                    shutil.copy2(path, home / "work")
        monkeypatch.setattr(cluster_measure, "PIECE_ROWS", piece_rows)
        monkeypatch.setattr(
            cluster_measure.make_pieces, "__defaults__", (piece_rows,), raising=True
        )
        monkeypatch.setitem(cluster_measure.measure_pieces.__kwdefaults__, "piece_rows", piece_rows)
        words = ("--cluster", "here", *words) if "--cluster" not in words else words
        found = gridstead("run", base.study, "--home", home, "--no-export", *words)
        assert found.code == 0, found.err
        return SimpleNamespace(home=home, build=home / "gridstead.duckdb")

    return run


def tables(build):
    """Rows of all tables and views of core, mart and meta."""
    found = {}
    with store.open_build(build) as con:
        names = con.execute(
            "select schema_name || '.' || table_name from duckdb_tables() union all "
            "select schema_name || '.' || view_name from duckdb_views() where not internal"
        ).fetchall()
        for (name,) in sorted(names):
            if name.partition(".")[0] in {"core", "mart", "meta"} and name not in OF_THE_RUN:
                found[name] = con.execute(f"from {name}").fetchall()
    found["meta.column"] = [row for row in found["meta.column"] if row[0] != "parts"]
    return found


def assert_equal(one, other):
    ours, theirs = tables(one), tables(other)
    assert ours.keys() == theirs.keys()
    different = [name for name in ours if ours[name] != theirs[name]]
    assert different == []


def test_a_build_of_parts_is_that_of_one_process(base, parted):
    assert_equal(parted().build, base.build)
