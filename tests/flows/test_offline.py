"""`--offline`: what is in the cache or in the mirror folder is enough, and the network is never asked."""

import shutil

import pytest
import yaml

from tests.flows.conftest import rankings, rows


@pytest.fixture
def from_packages(world, monkeypatch):
    """The study's files as wheels of an index that may not be asked; returns where each belongs."""
    own = world.study.parent / "own.yaml"
    lock_path = world.study.parent / "own.lock"
    content, lock = yaml.safe_load(own.read_text()), yaml.safe_load(lock_path.read_text())
    files = {}
    for source in content["sources"]:
        entry = lock["sources"][source["id"]]
        entry["version"] = "1.0"
        files[world.study.parent / source["access"]["path"]] = entry
        source["access"] = {"kind": "package", "name": source["id"], "version": "1.0"}
    own.write_text(yaml.safe_dump(content, sort_keys=False))
    lock_path.write_text(yaml.safe_dump(lock))

    def refuse(*_args, **_more):
        pytest.fail("the network was asked")

    monkeypatch.setattr("data.pull.fetch", refuse)
    return files


def fill_cache(world, files):
    for path, entry in files.items():
        target = world.home / "cache" / "objects" / entry["sha256"][:2] / entry["sha256"]
        target.mkdir(parents=True)
        shutil.copyfile(path, target / entry["filename"])


def test_a_full_cache_is_enough(world, run, base, from_packages, gridstead):
    fill_cache(world, from_packages)
    assert run("--offline").code == 0
    assert rankings(world.build) == rankings(base.build)
    origins = rows(
        world.build, "select distinct origin from meta.source where origin <> 'repository'"
    )
    assert origins == [("cache",)]
    listed = gridstead("sources", world.study, "--home", world.home, "--json").json
    assert all(row["is_cached"] for row in listed)


def test_a_mirror_folder_is_enough(world, run, from_packages, monkeypatch, tmp_path):
    for path in from_packages:
        shutil.copyfile(path, tmp_path / path.name)
    monkeypatch.setenv("GRIDSTEAD_MIRROR", str(tmp_path))
    assert run("--offline", "--only", "land").code == 0


@pytest.mark.usefixtures("untouched")
def test_an_empty_cache_is_told(world, run, from_packages):
    answer = run("--offline")
    assert answer.code == 1
    assert "Error: Source 'tamu_grid' is not in the cache, and the run is offline." in answer.err
    assert "Run once without --offline, or set GRIDSTEAD_MIRROR." in answer.err


@pytest.mark.usefixtures("untouched")
def test_a_damaged_file_in_the_cache_is_not_used(world, run, from_packages):
    fill_cache(world, from_packages)
    (damaged,) = (world.home / "cache").rglob("grid.zip")
    damaged.write_bytes(damaged.read_bytes()[:-1])
    answer = run("--offline")
    assert answer.code == 1
    assert "Source 'tamu_grid' is not in the cache" in answer.err
