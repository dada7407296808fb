"""A build of parts: equal to that of one process where all parcels are kept, and of all parcels where few are."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from data import store
from flows import cli
from flows.cluster import Here
from flows.cluster_measure import measure_pieces
from geo.errors import GeometryError
from tests.bucket import bucket
from tests.flows import tiny
from tests.flows.conftest import rows
from tests.flows.plain import without_prefect
from tests.flows.test_measuring import fail_at

# Results of the steps before parcels are measured.
BEFORE = ("stage-", "layers-", "power-", "people-", "fiber-", "exclusion-", "parcel-")
KEPT = 5
ROOT = Path(__file__).parents[2]
# What tells of the run itself.
OF_THE_RUN = {
    "meta.run",
    "meta.partition",
    "meta.parts",
    "meta.check_result",
    "mart.rank_history",
    "mart.source_history",
}
SCORE = "workload, rank, score, score_low, score_high, gate_status"
OF_PARCELS = [
    "select * exclude (parcel_no) from core.parcel order by parcel_id",
    "from core.parcel_metric order by parcel_id",
    f"select parcel_id, {SCORE}, gates_failed, factors_unknown from mart.parcel_score order by all",
    "select parcel_id, workload, low, mid, high, missing from mart.parcel_cost order by all",
]
OF_REGIONS = [
    "from mart.region order by all",
    "select * exclude (parcel_no) from mart.region_fill order by all",
    "from mart.region_rank order by all",
    "from mart.region_factor order by all",
    "from mart.region_cost order by all",
    "from mart.region_confidence order by all",
    "from mart.ranked_regions order by workload, region_kind, region_id",
    "select * exclude (kept_rank) from meta.workload_parcel order by all",
]
WITH_PIECE = "select * exclude (piece)"
METRIC_PLACE = "known_share, zone_id, region_metro_id, parcel_name"
RANKED = "workload, rank, parcel_id, score, score_high, gate_status"
# Of the parts, and of the build of one process.
OF_PARTS = [
    (
        f"{WITH_PIECE} from parts.parcel order by parcel_id",
        """
        select * exclude (parcel_no, parcel_name, zone_id, metro_id)
        from core.parcel order by parcel_id
        """,
    ),
    (
        f"select * exclude (piece, {METRIC_PLACE}) from parts.parcel_metric order by parcel_id",
        "select * exclude (known_share) from core.parcel_metric order by parcel_id",
    ),
    (
        f"select parcel_id, {METRIC_PLACE} from parts.parcel_metric order by parcel_id",
        """
        select parcel_id, known_share, zone_id, parcel.metro_id, parcel_name
        from core.parcel join core.parcel_metric using (parcel_id) order by parcel_id
        """,
    ),
    (
        f"{WITH_PIECE} from parts.parcel_score order by all",
        "select * exclude (rank, parcel_no) from mart.parcel_score order by all",
    ),
    (
        f"select {RANKED} from parts.parcel_rank order by all",
        f"select {RANKED} from mart.parcel_score where rank is not null order by all",
    ),
]


def home_of(base, folder):
    """A home that has what is found before parcels are measured."""
    home = folder / "home"
    (home / "work").mkdir(parents=True)
    shutil.copytree(base.home / "cache", home / "cache")
    for path in (base.home / "work").iterdir():
        if path.name.startswith(BEFORE):
            shutil.copy2(path, home / "work")
    return home


@pytest.fixture(scope="module")
def parted(base, tmp_path_factory):
    """Run the tiny study in parts, once a set of options, each in a home of its own."""
    made = {}

    def run(*words, piece_rows=7, again=False):
        key = (piece_rows, *words)
        if key not in made or again:
            home = made[key].home if again else home_of(base, tmp_path_factory.mktemp("parted"))
            with pytest.MonkeyPatch.context() as patch:
                without_prefect(patch)
                patch.setitem(measure_pieces.__kwdefaults__, "piece_rows", piece_rows)
                command = ["run", base.study, "--home", home, "--no-export", "--quiet"]
                command += ["--cluster", "here", *words]
                assert cli.main([str(word) for word in command]) == 0
            made[key] = SimpleNamespace(home=home, build=home / "gridstead.duckdb")
        return made[key]

    return run


def tables(build):
    """Rows of all tables, as they lie, and of all views, sorted, of core, mart and meta."""
    found = {}
    with store.open_build(build) as con:
        names = con.execute(
            "select schema_name || '.' || table_name, '' from duckdb_tables() union all "
            "select schema_name || '.' || view_name, 'order by all' from duckdb_views() "
            "where not internal"
        ).fetchall()
        for name, order in sorted(names):
            if name.partition(".")[0] in {"core", "mart", "meta"} and name not in OF_THE_RUN:
                found[name] = con.execute(f"from {name} {order}").fetchall()
    found["meta.column"] = [row for row in found["meta.column"] if row[0] != "parts"]
    return found


def assert_equal(one, other):
    ours, theirs = tables(one), tables(other)
    assert ours.keys() == theirs.keys()
    different = [name for name in ours if ours[name] != theirs[name]]
    assert different == []


@pytest.mark.parametrize("piece_rows", [7, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_build_of_parts_is_that_of_one_process(base, parted, piece_rows):
    assert_equal(parted(piece_rows=piece_rows).build, base.build)


@pytest.mark.slow
def test_the_order_of_pieces_changes_nothing(base, parted, monkeypatch):
    each = Here._each

    def shuffled(self, work, order, names):
        yield from each(self, work, order, sorted(names, key=lambda name: name[::-1]))

    monkeypatch.setattr(Here, "_each", shuffled)
    assert_equal(parted(piece_rows=9).build, base.build)


def test_what_is_kept_of_many_is_what_it_is_of_all(base, parted):
    build = parted("--keep-parcels", KEPT).build
    kept = {row[0] for row in rows(build, "select parcel_id from core.parcel")}
    assert KEPT < len(kept) < len(rows(base.build, "select parcel_id from core.parcel"))
    told = "select parcel_count, kept_count, divided_count from meta.run"
    ((all_count, kept_count, divided_count),) = rows(build, told)
    assert (all_count, divided_count) == rows(base.build, f"select parcel_count, divided_count from ({told})")[0]  # fmt: skip
    assert kept_count == len(kept)
    for query in OF_PARCELS:
        ours = [row for row in rows(base.build, query) if row[0] in kept]
        assert rows(build, query) == ours, query
    for query in OF_REGIONS:
        assert rows(build, query) == rows(base.build, query), query
    first = f"select parcel_id from mart.parcel_score where rank <= {KEPT}"
    assert {row[0] for row in rows(base.build, first)} <= kept


def test_views_of_the_parts_hold_all_parcels(base, parted):
    build = parted("--keep-parcels", KEPT).build
    for query in OF_PARTS:
        ours, theirs = query
        assert rows(build, ours) == rows(base.build, theirs), ours
    pieces = dict(rows(build, "select piece, row_count from meta.partition"))
    assert len(pieces) > 1
    counted = "select piece, count(*) from parts.parcel group by piece"
    assert dict(rows(build, counted)) == pieces
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (told,) = re.findall(r"``` sql\n(.*?)```", readme, re.DOTALL)
    for query in told.strip().removesuffix(";").split(";\n"):
        rows(build, query)
    lacking = [row for row in rows(build, "from meta.column") if row[0] == "parts" and not row[4]]
    assert lacking == []


def test_a_run_that_changes_nothing_does_nothing_again(parted):
    words = ("--keep-parcels", KEPT)
    home = parted(*words).home
    before = {path: path.stat().st_mtime_ns for path in home.glob("parts/*/*")}
    (gone,) = home.glob("parts/rank-*/training.parquet")
    gone.unlink()
    build = parted(*words, again=True).build
    said = max((home / "logs").iterdir()).read_text()
    for each in ("measure", "scores", "parcels kept in full", "scores and ranks"):
        assert f"{each}: unchanged" in said
    after = {path: path.stat().st_mtime_ns for path in home.glob("parts/*/*")}
    assert after.keys() == before.keys()
    assert [path for path in before if before[path] != after[path]] == [gone]
    ((count,),) = rows(build, "select count(*) from parts.parcel_rank")
    assert count > KEPT


def test_options_without_a_cluster_are_refused(gridstead, base, tmp_path):
    words = ("run", base.study, "--home", tmp_path / "home")
    for wrong, said in (
        (("--parts", "here"), "no cluster is given"),
        (("--cluster", "here", "--keep-parcels", 0), "keeps no parcel"),
        (("--cluster", "elsewhere"), "is no cluster"),
        (("--cluster", "here", "--parts", "s3://"), "is no address for parts"),
    ):
        found = gridstead(*words, *wrong)
        assert found.code == 2
        assert said in found.err
    assert not (tmp_path / "home").exists()


@pytest.mark.slow
def test_a_build_of_parts_in_a_bucket_is_the_same(base, parted):
    with bucket() as land:
        build = parted("--parts", land.url).build
        assert any("/score-" in name for name in land.objects())
        assert_equal(build, base.build)
        parts = rows(build, "select folder, view_name, note from meta.parts order by folder")
    assert all(folder.startswith(f"{land.url}/") for folder, _, _ in parts)
    assert {view for _, view, _ in parts} == {None}
    assert all("store of objects" in note for _, _, note in parts)


@pytest.mark.slow
def test_processes_of_this_machine_make_the_same_build(base, tmp_path):
    home = home_of(base, tmp_path)
    command = [sys.executable, "-m", "flows", "run", base.study, "--home", home, "--no-export"]
    variables = os.environ | {"PREFECT_HOME": str(tmp_path / "prefect")}
    done = subprocess.run(
        [*command, "--cluster", "local:2"],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    assert_equal(home / "gridstead.duckdb", base.build)


def test_what_is_asked_of_few_says_that_they_are_few(parted, gridstead, tmp_path):
    home = parted("--keep-parcels", KEPT).home
    asked = ("--home", home)
    ((lost,),) = rows(
        home / "gridstead.duckdb",
        "select parcel_id from parts.parcel anti join core.parcel using (parcel_id) limit 1",
    )
    told = gridstead("explain", lost, *asked)
    assert told.code == 2
    assert "see parts.parcel_score" in told.err
    top = gridstead("top", "training", "--level", "parcel", *asked)
    assert "parcels the build holds" in top.out
    ((limits,),) = rows(home / "gridstead.duckdb", "select limits from meta.run")
    assert any(f"the first {KEPT} of each workload" in limit for limit in limits)
    for words in (
        ("export", "training", "gpkg", "csv", "--level", "parcel", "--top", "all"),
        ("export", "training", "geoparquet", "pmtiles", "--level", "county"),
    ):
        assert gridstead(*words, "--out", tmp_path, *asked).code == 0
    assert gridstead("doctor", *asked, "--json").json["errors"] == 0


def test_parcels_at_fault_are_left_out_as_by_one_process(
    base, gridstead, plain, tmp_path, monkeypatch
):
    shutil.copytree(base.study.parent, tmp_path / "study")
    study = tmp_path / "study" / base.study.name
    tiny.edit(study, {"measure": {"on_failed_chunk": "skip"}})
    query = "select parcel_id from mart.parcel_score where rank = 2 and workload = 'training'"
    ((bad,),) = rows(base.build, query)
    builds = {}
    with fail_at(monkeypatch, bad, GeometryError(f"Parcel {bad} is bad.")):
        for name, words in (("one", ()), ("parts", ("--cluster", "here"))):
            home = home_of(base, tmp_path / name)
            found = gridstead("run", study, "--home", home, "--no-export", *words)
            assert found.code == 0, found.err
            builds[name] = home / "gridstead.duckdb"
    assert_equal(builds["parts"], builds["one"])
    told = "select reason from meta.rejected_row where reject_code = 'measure_failed'"
    assert rows(builds["parts"], told) == [(f"{bad}: Parcel {bad} is bad.",)]
    pieces = "select sum(row_count) - sum(measured_count) from meta.partition"
    assert rows(builds["parts"], pieces) == [(1,)]


@pytest.mark.slow
def test_a_build_holds_some_parcels_where_none_passes_a_gate(base, gridstead, plain, tmp_path):
    shutil.copytree(base.study.parent, tmp_path / "study")
    study = tmp_path / "study" / base.study.name
    profile = yaml.safe_load((ROOT / "data" / "workloads" / "training.yaml").read_text())
    profile["gates"][0]["at_least"] = 1e6
    (study.parent / "mine.yaml").write_text(yaml.safe_dump(profile))
    (entry,) = [e for e in tiny.study_content()["workloads"] if e["id"] == "training"]
    tiny.edit(study, {"workloads": [entry | {"profile": "mine.yaml"}]})
    builds = {}
    for name, words in (("one", ()), ("parts", ("--cluster", "here", "--keep-parcels", 1))):
        home = home_of(base, tmp_path / name)
        found = gridstead("run", study, "--home", home, "--no-export", *words)
        assert found.code == 0, found.err
        builds[name] = home / "gridstead.duckdb"
    for query in OF_REGIONS:
        assert rows(builds["parts"], query) == rows(builds["one"], query), query
    assert rows(builds["parts"], "from parts.parcel_rank") == []
    ((kept, every),) = rows(builds["parts"], "select kept_count, parcel_count from meta.run")
    assert 0 < kept <= every
