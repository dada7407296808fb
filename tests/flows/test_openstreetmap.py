"""A run with OpenStreetMap's grid and data centers, asked of a stand-in for the Overpass API."""

import json

import pytest
import yaml

from data import access
from data.access import Retry
from data.catalogue import load_catalogue
from tests.data import overpass as stand_in
from tests.data.osm_files import osm_pbf
from tests.data.overpass import Failure, recorded
from tests.flows.conftest import rows


@pytest.fixture
def overpass():
    with stand_in.running() as server:
        yield server


@pytest.fixture
def osm(world, overpass, monkeypatch):
    """The study with OpenStreetMap's sources of our catalogue, the box drawn around its counties."""
    monkeypatch.setattr(access, "Retry", Retry)
    monkeypatch.setattr("data.pull.Retry", lambda: Retry(attempts=2, sleep=lambda _seconds: None))
    ours = load_catalogue()
    box = {"url": overpass.url, "bbox": [-78.0, 38.3, -76.8, 39.8]}
    entries = [ours.source(name).model_dump(mode="json") for name in ("osm_power", "osm_telecom")]
    for entry in entries:
        entry["access"] |= box
    add_sources(world, entries)
    content = yaml.safe_load(world.study.read_text())
    grid, fiber = content["themes"]["grid"], content["themes"]["fiber"]
    grid["sources"] += ["osm_power"]
    grid["layers"] |= {"substation": ["tamu_substation", "osm_substation"], "line": ["osm_line"]}
    grid["lookups"] |= {"tamu_branch": "substation", "tamu_bus": "substation"}
    fiber["sources"] += ["osm_telecom"]
    fiber["layers"] |= {
        "facility": ["osm_exchange"],
        "fiber_route": ["osm_telecom_line"],
        "data_center": ["osm_data_center"],
    }
    world.study.write_text(yaml.safe_dump(content, sort_keys=False))
    return world


def add_sources(world, entries):
    path = world.study.parent / "own.yaml"
    held = {entry["id"]: entry for entry in yaml.safe_load(path.read_text())["sources"]}
    held |= {entry["id"]: entry for entry in entries}
    path.write_text(yaml.safe_dump({"sources": list(held.values())}, sort_keys=False))


def data_centers(build):
    return rows(
        build,
        "select count(data_center_mi), min(data_center_mi), max(data_center_25mi_count) from core.parcel_metric",
    )[0]


@pytest.mark.slow
def test_a_run_measures_data_centers_and_they_score_nothing(osm, run, base, overpass, gridstead):
    answer = run()
    assert answer.code == 0, answer.err
    known, nearest, most = data_centers(osm.build)
    (parcels,) = rows(osm.build, "select count(*) from core.parcel")[0]
    assert (known, most) == (parcels, 5)
    assert 0 < nearest < 10
    assert data_centers(base.build) == (0, None, None)
    used = "select distinct metric from mart.parcel_factor where metric like 'data_center%'"
    assert rows(osm.build, used) == []
    named = "select substation_id, kv_max from mart.substation where source_id = 'osm_power' and kv_max is null order by 1"
    assert [row[0] for row in rows(osm.build, named)] == ["osm-node-12", "osm-node-14"]
    told = "select distinct attribution from meta.source where source_id like 'osm%'"
    assert rows(osm.build, told) == [("© OpenStreetMap contributors",)]
    assert len(overpass.queries) == 2
    exported = gridstead("export", "inference", "geojson", "csv", "--home", osm.home)
    assert exported.code == 0
    folder = osm.home / "exports"
    beside = json.loads((folder / "inference_county.csv-metadata.json").read_text())
    within = json.loads((folder / "inference_county.geojson").read_text())
    for note in (beside["notes"][0], within["gridstead"]):
        assert "© OpenStreetMap contributors" in note["attribution"]
        assert "osm_power: ODbL 1.0" in note["licence"]


def test_the_last_good_answer_stands_in_and_is_told_to_be_stale(osm, run, overpass):
    assert run("--only", "fiber").code == 0
    overpass.failures = [Failure(504, "")] * 10
    answer = run("--only", "fiber")
    assert answer.code == 0
    assert "osm_telecom" in answer.err
    assert ", stale" in answer.err


def test_without_any_good_answer_the_run_fails_in_one_sentence(osm, run, overpass):
    overpass.failures = [Failure(remark=stand_in.TIMED_OUT)] * 10
    answer = run("--only", "fiber", "--json")
    assert answer.code == 1
    assert (
        "did not finish: runtime error: Query timed out"
        in json.loads(answer.err.splitlines()[-1])["error"]
    )


def test_an_extract_takes_the_place_of_the_answer_with_the_same_layers(osm, run, overpass):
    assert run("--only", "fiber").code == 0
    before = layers(osm)
    ours = load_catalogue().source("osm_telecom").model_dump(mode="json")
    (osm.study.parent / "files" / "state.osm.pbf").write_bytes(
        osm_pbf(recorded("features")["elements"])
    )
    ours["access"] = {"kind": "file", "path": "files/state.osm.pbf"}
    add_sources(osm, [ours])
    overpass.failures = [Failure(504, "")] * 10
    assert run("--only", "fiber").code == 0
    assert layers(osm) == before


def layers(world):
    staged = (world.home / "work").glob("stage-fiber-*.duckdb")
    newest = max(staged, key=lambda path: path.stat().st_mtime_ns)
    return {
        name: rows(newest, f"select * exclude (geometry) from core.{name} order by 1")
        if name == "fiber_route"
        else rows(newest, f"from core.{name} order by 1")
        for name in ("facility", "data_center", "fiber_route")
    }
