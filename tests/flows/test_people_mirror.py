"""People of the real tracts on a made raster as WorldPop publishes them, through a run of Rhode Island."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import rasterio
import yaml
from rasterio.transform import Affine

from data import store
from data.object_cache import sha256_of
from data.study import STUDIES_DIR, load_study
from flows import cli, steps
from flows.home import Home
from geo.radius import radius_sums
from tests.flows.conftest import rows
from tests.flows.plain import without_prefect

MIRROR = Path(__file__).parents[3] / "shared" / "mirror"
RADII = (5, 25, 50, 100)
NODATA = -99_999.0
PER_DEGREE = 120
# The 48 states with some sea and neighbours around them.
WEST, SOUTH, EAST, NORTH = -125.0, 24.0, -66.0, 50.0

pytestmark = [
    pytest.mark.mirror,
    pytest.mark.skipif(not (MIRROR / "population").exists(), reason="../shared/mirror is missing"),
]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Rhode Island with its people on a raster of the tracts' people, scaled to the census."""
    folder = tmp_path_factory.mktemp("people")
    home = Home.at(folder / "home").make()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRIDSTEAD_MIRROR", str(MIRROR))
        without_prefect(patch)
        tracts, places = read_people(home)
        write_raster(folder / "worldpop.tif", *tracts[:, :3].astype(float).T)
        study = write_study(folder)
        words = ["run", study, "--home", folder / "home", "--quiet"]
        assert cli.main([str(word) for word in words]) == 0
    return SimpleNamespace(
        build=folder / "home" / "gridstead.duckdb",
        exported=folder / "home" / "exports" / "people.tif",
        raster=folder / "worldpop.tif",
        tracts=tracts,
        places=places,
    )


def read_people(home):
    """Longitude, latitude, people and state of the tracts, staged as the study does, and of places."""
    study = load_study("rhode-island")
    sources = study.themes["population"].sources
    pulled = {name: steps.pull_source(name, home, study, offline=True) for name in sources}
    staged = steps.stage(study, "population", pulled, home, lambda _: None)
    places = spread_over_places(staged)
    with store.open_build(staged) as con:
        found = con.execute("select lon, lat, people, state_id from core.people").fetchall()
    return np.array(found, dtype=object), places


def spread_over_places(staged):
    """People of people_from_place, by the places and states of a staged theme."""
    with store.create() as con:
        con.execute("create schema core; create schema staging")
        con.execute("attach $path as theme (read_only)", {"path": str(staged)})
        for layer in ("place", "state"):
            con.execute(f"create table core.{layer} as from theme.core.{layer}")
        store.run_file(con, "staging/people_from_place")
        query = "select lon, lat, people, state_id from staging.people_from_place"
        return np.array(con.execute(query).fetchall(), dtype=object)


def write_raster(path, lon, lat, people):
    """Put people into the cells that they stand in: 30 arc seconds, people a cell, float32."""
    shape = round((NORTH - SOUTH) * PER_DEGREE), round((EAST - WEST) * PER_DEGREE)
    cells = np.zeros(shape)
    at = ((NORTH - lat) * PER_DEGREE).astype(int), ((lon - WEST) * PER_DEGREE).astype(int)
    np.add.at(cells, at, people)
    cells[cells == 0.0] = NODATA
    with rasterio.open(
        path, "w", driver="GTiff", height=shape[0], width=shape[1], count=1, dtype="float32",
        crs="EPSG:4326", transform=Affine(1 / PER_DEGREE, 0, WEST, 0, -1 / PER_DEGREE, NORTH),
        nodata=NODATA, compress="deflate",
    ) as file:  # fmt: skip
        file.write(cells.astype(np.float32), 1)


def write_study(folder):
    """Rhode Island with the raster; land that cannot be built on is left aside, to be quick."""
    source = {
        "id": "worldpop", "title": "People of the tracts, as WorldPop publishes people",
        "theme": "population", "licence": "made", "data_terms": "made", "attribution": "made",
        "as_of": "2023",
        "is_exportable": True, "access": {"kind": "file", "path": "worldpop.tif"},
        "tables": {"worldpop": {"reader": "raster"}},
    }  # fmt: skip
    path = folder / "worldpop.tif"
    entry = {
        "version": "2023",
        "filename": path.name,
        "sha256": sha256_of(path),
        "bytes": path.stat().st_size,
    }
    (folder / "own.yaml").write_text(yaml.safe_dump({"sources": [source]}))
    (folder / "own.lock").write_text(yaml.safe_dump({"sources": {"worldpop": entry}}))
    conus = yaml.safe_load((STUDIES_DIR / "conus.yaml").read_text())
    population = conus["themes"]["population"]
    population["sources"].append("worldpop")
    study = {
        "id": "ri-worldpop", "extends": "rhode-island", "title": "Rhode Island by raster",
        "catalogue": "own.yaml", "exclusions": [], "slope": None,
        "themes": {"population": population, "land": {"sources": [], "layers": {}}},
        "people": {"raster": "worldpop", "scale_to_states": True},
    }  # fmt: skip
    (folder / "ri-worldpop.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    return folder / "ri-worldpop.yaml"


def test_nobody_of_the_raster_is_lost(run):
    with rasterio.open(run.raster) as file:
        held = file.read(1, masked=True).astype(float).sum()
    query = "select sum(source_people), sum(source_people) filter (state_id is null) from mart.people_state"
    ((read, outside),) = rows(run.build, query)
    assert read == pytest.approx(held, rel=1e-9)
    assert held == pytest.approx(run.tracts[:, 2].sum(), rel=1e-7)
    # One in 2,000 stands in cells that lie off the counties' generalized shores.
    assert 0 < outside / held < 1e-3


def test_places_hold_the_same_people_more_coarsely(run):
    """Natural Earth's 679 places, against the tracts around every 20th of them."""
    at = run.tracts[::20, :2].astype(float).T
    sums = []
    for source in (run.tracts, run.places):
        lon, lat, people = source[:, :3].astype(float).T
        milli = np.rint(people * 1000.0).astype(np.int64)
        assert milli.sum() == pytest.approx(1000.0 * run.tracts[:, 2].sum(), rel=1e-9)
        sums.append(radius_sums(*at, lon, lat, milli, RADII)[:, :, 0])
    off = np.median(np.abs(sums[1] / sums[0] - 1), axis=0)
    # Found: all of them at 5 miles, 60 % at 25, 33 % at 50 and 20 % at 100.
    assert (np.diff(off) < 0).all()
    assert (off[2:] < [0.4, 0.25]).all()
    assert set(run.places[:, 3]) == set(run.tracts[:, 3])


def test_states_hold_their_census_and_were_near_it_before(run):
    query = """
        select state_id, source_people, people, census_people, covered_share
        from mart.people_state where state_id is not null
    """
    tracts = {}
    for _, _, people, state in run.tracts:
        tracts[state] = tracts.get(state, 0.0) + people
    found = rows(run.build, query)
    assert {state for state, *_ in found} == set(tracts)
    for state, source, people, census, share in found:
        assert people == pytest.approx(census, abs=0.001)
        assert share == 1.0
        # Found: up to 0.63 %, in Maine.
        assert source == pytest.approx(tracts[state], rel=0.01)
    failed = "from meta.check_result where offending_count > 0 and check_name like 'people%'"
    assert rows(run.build, failed) == []


def test_plain_miles_reach_the_people_that_tracts_put_there(run):
    names = ", ".join(f"population_{radius}mi" for radius in RADII)
    found = np.array(
        rows(
            run.build,
            f"select lon, lat, {names} from core.parcel inner join core.parcel_metric using (parcel_id)",
        ),
        dtype=float,
    )
    lon, lat, people = run.tracts[:, :3].astype(float).T
    milli = np.rint(people * 1000.0).astype(np.int64)
    wanted = radius_sums(found[:, 0], found[:, 1], lon, lat, milli, RADII)[:, :, 0] / 1000
    # Half a diagonal of a cell is 0.45 miles: much for circles of 5 miles, little for the others.
    off = np.abs(found[:, 2:] - wanted) / np.maximum(wanted, 1.0)
    assert (np.median(off, axis=0) < 0.01).all()
    # Found: up to 3.8, 1.4 and 0.27 % for circles of 25, 50 and 100 miles.
    assert (off[:, 1:].max(axis=0) < [0.05, 0.02, 0.005]).all()
    assert len(found) > 500


def test_fiber_serves_the_people_of_the_raster(run):
    """All but a few have a node within reach, and a round trip of 20 ms reaches some of them."""
    query = "select (select sum(people) from mart.fiber_people), (select sum(people) from mart.people_state)"
    ((served, people),) = rows(run.build, query)
    assert 0.99 < served / people <= 1.0
    query = "select min(people_20ms_low), max(people_20ms_high) from core.parcel_metric"
    ((least, most),) = rows(run.build, query)
    assert 1e6 < least < most <= served


def test_the_exported_grid_holds_the_people_that_are_counted(run):
    ((people,),) = rows(run.build, "select sum(people) from mart.people_state")
    with rasterio.open(run.exported) as file:
        assert file.crs.to_epsg() == 4326
        assert file.transform.a == pytest.approx(1 / PER_DEGREE)
        held = file.read(1, masked=True).astype(float).sum()
        tags = file.tags()
    assert held == pytest.approx(people, rel=1e-7)
    assert float(tags["people_total"]) == pytest.approx(people, rel=1e-9)
    assert tags["people_method"] == "raster_cell"
