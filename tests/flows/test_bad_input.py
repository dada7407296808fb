"""Bad studies, profiles, sources and homes: one clear sentence, and the last build as it was."""

import csv
import io
import os
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
import yaml

from tests.flows import tiny
from tests.flows.test_run import write_profile

pytestmark = pytest.mark.usefixtures("untouched")


def assert_says(answer, code, said):
    assert answer.code == code, answer.err
    error = answer.err[answer.err.index("Error:") :]
    assert said in error
    assert "bug" not in error
    assert len(error.splitlines()) <= 2


# ---- Studies and profiles ------------------------------------------------------------------------


@pytest.mark.parametrize("study", ["opne-conus", "missing.yaml", "../conus"])
def test_a_study_that_is_not_there(gridstead, world, study):
    assert_says(gridstead("run", study, "--home", world.home), 2, f"There is no study '{study}'.")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"aera": ["VA"]}, "tiny.yaml: aera: is not a known key."),
        (
            {"themes": {"grid": {"sources": ["no_such"], "layers": {}}}, "exclusions": []},
            "There is no source 'no_such'",
        ),
        ({"divide": {"resolution": 12}}, "divide.resolution"),
        ({"catalogue": "no.yaml"}, "There is no catalogue"),
        ({"workloads": [{"id": "cooking"}]}, "There is no workload 'cooking'."),
        ({"workloads": [{"id": "training"}, {"id": "training"}]}, "a workload is listed twice"),
        (
            {"workloads": [{"id": "training", "without": [{"metric": "rainfall", "why": "dry"}]}]},
            "rainfall",
        ),
        ({"title": None}, "tiny.yaml: title"),
    ],
)
def test_a_study_that_is_wrong(world, run, change, said):
    tiny.edit(world.study, change)
    assert_says(run(), 2, said)


def test_a_study_that_is_no_yaml(world, run):
    world.study.write_text("id: [tiny\n")
    assert_says(run(), 2, "tiny.yaml is not valid YAML")
    world.study.write_text("just words")
    assert_says(run(), 2, "tiny.yaml")
    world.study.write_text("")
    assert_says(run(), 2, "tiny.yaml")


@pytest.mark.parametrize(
    ("layers", "name"), [({"moon": []}, "moon"), ({"bus": ["moon_bus"]}, "moon_bus")]
)
def test_a_layer_or_staging_object_that_is_not_there(world, run, layers, name):
    themes = yaml.safe_load(world.study.read_text())["themes"]
    themes["grid"]["layers"] |= layers
    tiny.edit(world.study, {"themes": themes})
    assert_says(run(), 2, f"The study names '{name}'")


def factor(metric="pop_mi", **change):
    return {
        "metric": metric, "weight": 1.0, "value": [[0, 1], [10, 0]], "label": "l", "why": "w", "source": "s",
    } | change  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"colour": "red"}, "colour: is not a known key."),
        ({"factors": [factor("moon_mi")]}, "unknown metric 'moon_mi'"),
        ({"factors": [factor(weight=0.4)]}, "the weights sum to 0.4, not to 1"),
        (
            {"factors": [factor(value=[[5, 1], [5, 0]])]},
            "breakpoints of pop_mi are not in increasing order",
        ),
        (
            {"factors": [factor(value=[[9, 1], [5, 0]])]},
            "breakpoints of pop_mi are not in increasing order",
        ),
        ({"factors": [factor(value=[[0, 1], [5, 7]])]}, "a value of pop_mi is outside 0 to 1"),
        ({"factors": [factor(weight=-1)]}, "weight"),
        ({"factors": [factor(weight=float("nan"))]}, "weight"),
        ({"factors": [factor(value=[[0, 1], [float("nan"), 0]])]}, "factors.0.value.1.0"),
        ({"factors": [factor(weight=0.5), factor(weight=0.5)]}, "a metric is weighted twice"),
        ({"factors": []}, "factors"),
        (
            {"gates": [{"metric": "pop_mi", "why": "w", "source": "s"}]},
            "exactly one of at_least and at_most",
        ),
        ({"target_mw": 0}, "target_mw"),
        ({"id": "other"}, "Profile 'other' stands where study tiny names 'training'."),
    ],
)
def test_a_profile_that_is_wrong(world, run, change, said):
    write_profile(world.study.parent / "mine.yaml", **change)
    tiny.edit(world.study, {"workloads": [{"id": "training", "profile": "mine.yaml"}]})
    assert_says(run(), 2, said)


# ---- Sources -------------------------------------------------------------------------------------


def files_of(world):
    return world.study.parent / "files"


def corrupt(world):
    with (files_of(world) / "grid.zip").open("ab") as file:
        file.write(b"x")


def cut_in_half(world):
    path = files_of(world) / "census.zip"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    tiny.lock(world.study.parent)


def lose(world):
    (files_of(world) / "places.zip").unlink()


def in_metres(world):
    lake = gpd.GeoDataFrame(
        {"gshhs_id": ["7"], "area_km2": [20.0]},
        geometry=[shapely.box(3e5, 4.3e6, 3.1e5, 4.4e6)],
        crs="OGC:CRS84",
    )
    lake.to_file(files_of(world) / "lake.geojson", driver="GeoJSON")
    tiny.lock(world.study.parent)


def without_geometry(world):
    (files_of(world) / "lake.geojson").write_text("gshhs_id,area_km2\n7,20\n")
    tiny.lock(world.study.parent)


def without_crs(world):
    own = world.study.parent / "own.yaml"
    content = yaml.safe_load(own.read_text())
    content["sources"][1]["tables"]["census_county"]["options"] = {}
    own.write_text(yaml.safe_dump(content, sort_keys=False))


def without_column(world):
    grid = files_of(world) / "grid.zip"
    tiny.rewrite_member(
        grid, "plant.csv", tiny.read_member(grid, "plant.csv").replace("Pmax", "P_max")
    )
    tiny.lock(world.study.parent)


def without_rows(world):
    grid = files_of(world) / "grid.zip"
    tiny.rewrite_member(
        grid, "plant.csv", tiny.read_member(grid, "plant.csv").splitlines()[0] + "\n"
    )
    tiny.lock(world.study.parent)


def without_member(world):
    own = world.study.parent / "own.yaml"
    own.write_text(own.read_text().replace("member: plant.csv", "member: plants.csv"))


def no_yaml(world):
    (world.study.parent / "own.yaml").write_text("sources: [")


def strange_lock(world):
    (world.study.parent / "own.lock").write_text("sources: {tamu_grid: {sha256: x}}")


@pytest.mark.parametrize(
    ("spoil", "code", "said"),
    [
        (corrupt, 1, "grid.zip of source 'tamu_grid' has sha256"),
        (cut_in_half, 1, "census.zip is damaged"),
        (lose, 1, "files/places.zip"),
        (in_metres, 1, "lake.geojson: most coordinates are no degrees"),
        (without_geometry, 1, "lake.geojson"),
        (without_crs, 1, "cb_2016_us_county_500k.shp states no CRS"),
        (without_column, 1, "has no column 'Pmax'"),
        (without_rows, 1, "Check layer_not_empty found 1 row against"),
        (without_member, 1, "grid.zip holds no member 'plants.csv'"),
        (no_yaml, 2, "own.yaml is not valid YAML"),
        (strange_lock, 2, "own.lock: sources.tamu_grid"),
    ],
)
def test_a_source_that_is_wrong(world, run, spoil, code, said):
    spoil(world)
    assert_says(run(), code, said)


@pytest.mark.slow
def test_people_that_get_lost_stop_the_publication(world, run):
    """A state without load has nowhere to put its people."""
    grid = files_of(world) / "grid.zip"
    table = list(csv.reader(io.StringIO(tiny.read_member(grid, "bus.csv"))))
    table[20][2] = "0"
    tiny.rewrite_member(grid, "bus.csv", "\n".join(",".join(row) for row in table))
    tiny.lock(world.study.parent)
    answer = run()
    assert_says(answer, 1, "Check people_conserved found 1 row against")
    assert "Nothing was published; the last build stays." in answer.err


# ---- Mirror, cache and network -------------------------------------------------------------------


def test_conus_without_its_mirror(gridstead, world, plain):
    answer = gridstead("run", "conus", "--home", world.home)
    assert_says(answer, 1, "is looked up in the mirror folder, and none is given.")
    assert "Set GRIDSTEAD_MIRROR" in answer.err


def test_conus_with_a_mirror_that_is_none(gridstead, world, plain, monkeypatch, tmp_path):
    monkeypatch.setenv("GRIDSTEAD_MIRROR", str(tmp_path / "nowhere"))
    assert_says(gridstead("run", "conus", "--home", world.home), 1, "which is no folder")
    monkeypatch.setenv("GRIDSTEAD_MIRROR", str(tmp_path))
    assert_says(gridstead("run", "conus", "--home", world.home), 1, "holds no grid/")


def test_offline_with_an_empty_cache(gridstead, world, plain):
    answer = gridstead("run", "open-conus", "--offline", "--home", world.home)
    assert_says(answer, 1, "is not in the cache, and the run is offline.")


# ---- Homes and disks -----------------------------------------------------------------------------


def test_a_home_that_is_a_file(gridstead, world, tmp_path):
    (tmp_path / "file").write_text("mine")
    for words in (["run", world.study], ["top", "training"], ["runs"], ["sources"]):
        assert_says(gridstead(*words, "--home", tmp_path / "file"), 2, "is not a folder.")
    assert_says(
        gridstead("run", world.study, "--home", tmp_path / "file" / "below"), 2, "cannot be written"
    )


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a place where nobody may write")
def test_a_home_where_nobody_may_write(gridstead, world):
    assert_says(gridstead("run", world.study, "--home", "/proc/gridstead"), 2, "cannot be written")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_that_is_read_only(world, run):
    (world.home / "builds").chmod(0o500)
    assert run().code in {1, 2}
    (world.home / "builds").chmod(0o700)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--resolution", "3"], "--resolution 3 is outside 4 to 9."),
        (["--resolution", "six"], "six"),
        (["--keep-builds", "0"], "--keep-builds 0 keeps no build."),
        (["--only", "water"], "water"),
        (["--parcels"], "--parcels"),
    ],
)
def test_options_that_make_no_sense(run, words, said):
    assert_says(run(*words), 2, said)


# A real limit on the size of any file: first the staged layers do not fit, then only the build.
@pytest.mark.parametrize("limit", [100_000, 9_000_000])
def test_a_disk_that_is_full(world, run, limit):
    import resource

    for path in (world.home / "work").iterdir():
        path.unlink()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        answer = run()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert_says(answer, 1, "File too large")
    assert "the last build stays published" in answer.err


@pytest.mark.parametrize(
    "broken",
    [
        "data.store.seal",
        "flows.publishing.shutil.copyfile",
        "flows.publishing.store.replace_atomically",
    ],
)
def test_a_write_that_fails_while_publishing(world, run, monkeypatch, broken):
    def fail(*_args, **_more):
        raise OSError(28, "No space left on device", str(world.home / "builds"))

    monkeypatch.setattr(broken, fail)
    assert_says(run(), 1, f"No space left on device: {world.home / 'builds'}.")


def test_an_error_of_ours_is_called_a_bug_and_its_traceback_kept(world, run, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def fail(*_args):
        return {}["no such thing"]

    monkeypatch.setattr("flows.publishing.builds.run_checks", fail)
    answer = run()
    assert answer.code == 1
    assert "Error: This is a bug in Gridstead: KeyError: 'no such thing'" in answer.err
    (log,) = tmp_path.glob("gridstead-*.log")
    assert f"{log}." in answer.err
    assert "in fail" in log.read_text()
