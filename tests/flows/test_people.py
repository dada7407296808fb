"""The people of a run: of the layer or of a raster that the study declares, counted, published, exported."""

import json

import numpy as np
import pandas as pd
import pyproj
import pytest
import rasterio
import yaml
from rasterio.transform import Affine

from data.errors import InputError
from data.study import load_study
from flows import people as module
from flows import steps
from flows.home import Home
from geo.geodesy import METRES_PER_MILE
from geo.radius import radius_sums
from tests.flows import tiny
from tests.flows.conftest import rows

RADII = (5, 25, 50, 100)
COLUMNS = ", ".join(f"population_{radius}mi" for radius in RADII)
NODATA = -99_999.0
CELL = 1 / 60
GEOD = pyproj.Geod(ellps="WGS84")
WHOLE = (-78.5, 37.9, -76.3, 40.2)


def write_raster(path, bounds=WHOLE, *, nodata=NODATA, lowest=0.0):
    """People around the four counties, with nodata here and there."""
    west, south, east, north = bounds
    shape = round((north - south) / CELL), round((east - west) / CELL)
    rng = np.random.default_rng(11)
    values = rng.gamma(0.4, 400.0, shape).astype(np.float32)
    values[rng.random(shape) < 0.2] = NODATA
    # Amid the counties: what lies beside them is not read.
    values[shape[0] // 2, shape[1] // 2] = lowest
    with rasterio.open(
        path, "w", driver="GTiff", height=shape[0], width=shape[1], count=1, dtype="float32",
        crs="EPSG:4326", transform=Affine(CELL, 0, west, 0, -CELL, north), nodata=nodata,
    ) as file:  # fmt: skip
        file.write(values, 1)


def declare(study, **how):
    """Let a study and its catalogue name files/people.tif as its people."""
    catalogue = study.parent / "own.yaml"
    sources = yaml.safe_load(catalogue.read_text())["sources"]
    kept = [entry for entry in sources if entry["id"] != "head_count"]
    entry = {"id": "head_count", "title": "Made people", "theme": "population"}
    entry |= {"tables": {"head_count": {"reader": "raster"}}}
    entry["access"] = {"kind": "file", "path": "files/people.tif"}
    tiny.edit(catalogue, {"sources": [*kept, kept[-1] | entry]})
    tiny.lock(study.parent)
    themes = yaml.safe_load(study.read_text())["themes"]
    names = [*themes["population"]["sources"], "head_count"]
    themes["population"]["sources"] = list(dict.fromkeys(names))
    tiny.edit(study, {"themes": themes, "people": {"raster": "head_count", **how}})


@pytest.fixture
def place(base, tmp_path):
    """The tiny study with a raster of people beside it, whose people are gathered in a home of its own."""
    (layers,) = (base.home / "work").glob("layers-*.duckdb")
    home = Home.at(tmp_path / "home").make()
    (tmp_path / "files").mkdir()
    for path in base.study.parent.glob("files/*"):
        (tmp_path / "files" / path.name).hardlink_to(path)
    for name in (base.study.name, "own.yaml"):
        (tmp_path / name).write_text((base.study.parent / name).read_text())
    said = []

    def make(**how):
        declare(tmp_path / base.study.name, **how)
        study = load_study(str(tmp_path / base.study.name))
        pulled = {"head_count": steps.pull_source("head_count", home, study, offline=False)}
        return module.make_people(study, layers, pulled, home, said.append)

    make.raster, make.said = tmp_path / "files" / "people.tif", said
    return make


def test_people_are_reused_until_the_raster_or_its_reading_changes(place):
    write_raster(place.raster)
    first = place()
    assert place() == first
    assert place.said[-1] == "people: unchanged, reused"
    assert place(unit="people_per_km2") != first
    assert place(scale_to_states=True) != first
    write_raster(place.raster, (-78.5, 38.0, -76.3, 40.2))
    assert place() != first


def test_states_are_scaled_to_the_census_of_the_layers(place):
    write_raster(place.raster)
    path = place(scale_to_states=True)
    states = pd.read_parquet(module.beside(path, module.STATE)).set_index("state_id")
    scaled = states.loc[["MD", "VA"]]
    assert scaled["people"].tolist() == scaled["census_people"].tolist()
    assert (scaled["scale_factor"] > 10).all()
    assert states["method"].tolist() == ["raster_cell", "raster_cell", "raster_outside"]
    outside = states.iloc[-1]
    assert (outside["people"], outside["scale_factor"]) == (0.0, 0.0)
    assert outside["source_people"] > 0
    milli = module.read_people_source(path).milli
    cells = pd.read_parquet(module.beside(path, module.CELL))
    assert milli.sum() == cells["milli"].sum() == round(1000 * scaled["people"].sum())


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"nodata": None, "lowest": -7.0}, "holds -7 people in a cell; state its nodata value"),
        ({"bounds": (10.0, 50.0, 11.0, 51.0)}, "lies nowhere near the counties"),
    ],
)
def test_a_raster_that_holds_no_people_is_named(place, how, said):
    write_raster(place.raster, **how)
    with pytest.raises(
        InputError, match="The raster of people 'head_count' cannot be used"
    ) as raised:
        place()
    assert said in raised.value.message


@pytest.mark.slow
def test_a_run_counts_the_people_of_its_raster(world, plain, gridstead, base):
    """Plain miles against a sum over the raster's cells; the export holds the same people."""
    path = world.study.parent / "files" / "people.tif"
    write_raster(path)
    declare(world.study)
    assert gridstead("run", world.study, "--home", world.home).code == 0
    with rasterio.open(path) as file:
        people, at = file.read(1), file.transform
    row, column = np.nonzero(people > 0)
    lon, lat = at @ np.array([column + 0.5, row + 0.5])
    # Shores reach half a diagonal, which is the less in degrees of longitude the farther north.
    margin = np.hypot(CELL, CELL * np.cos(np.radians(39.0))) / 2
    inside = _in_counties(lon, lat, 1.3 * margin)
    parcels = rows(
        world.build,
        f"select lon, lat, {COLUMNS} from core.parcel inner join core.parcel_metric using (parcel_id)",
    )
    found = np.array(parcels, dtype=float)
    most = _sums(found, lon[inside], lat[inside], people[row, column][inside])
    core = _in_counties(lon, lat, 0.0)
    least = _sums(found, lon[core], lat[core], people[row, column][core])
    assert (found[:, 2:] <= most + 1).all()
    assert (found[:, 2:] >= least - 1).all()
    assert (most < 1.12 * least)[:, 1:].mean() > 0.9
    told = "select layer, source_id, row_count from meta.layer_source where layer = 'people_raster'"
    assert rows(world.build, told) == [("people_raster", "head_count", None)]
    failed = (
        "select check_name from meta.check_result where severity = 'error' and offending_count > 0"
    )
    assert rows(world.build, failed) == []
    warned = "select offending_count from meta.check_result where check_name = 'people_as_census'"
    assert rows(world.build, warned) == [(2,)]
    assert rows(
        world.build, "select count(*) from core.parcel_metric where people_5ms_high is null"
    ) == [(0,)]
    _assert_exported(world, "Made people", "raster_cell")
    # The layer is another source of people, and is left as it is.
    query = "select sum(people) from core.people"
    assert rows(world.build, query) == rows(base.build, query)


def test_a_run_without_a_raster_exports_the_people_of_its_layer(base):
    _assert_exported(base, "grid", "state_total_by_load")
    ((people,),) = rows(base.build, "select sum(people) from core.people")
    with rasterio.open(base.home / "exports" / "people.tif") as file:
        assert file.read(1, masked=True).astype(float).sum() == pytest.approx(people, rel=1e-6)
    by_state = "select state_id, sum(people) from core.people group by 1 order by 1"
    told = "select state_id, people from mart.people_state order by 1"
    for (state, people), (name, counted) in zip(
        rows(base.build, by_state), rows(base.build, told), strict=True
    ):
        assert (state, people) == (name, pytest.approx(counted, abs=0.01))


@pytest.mark.slow
def test_where_the_raster_ends_the_count_is_unknown(world, plain, gridstead):
    """West of the raster's eastern edge by 25 miles and more the smaller circles are known."""
    write_raster(world.study.parent / "files" / "people.tif", (-78.5, 37.9, -77.2, 40.2))
    declare(world.study)
    assert gridstead("run", world.study, "--home", world.home, "--no-export").code == 0
    share = "select state_id, covered_share from mart.people_state where state_id is not null order by 1"
    (_, east), (_, west) = rows(world.build, share)
    assert (0.1 < east < 0.5, west) == (True, 1.0)
    found = rows(
        world.build,
        f"select lon, lat, {COLUMNS} from core.parcel inner join core.parcel_metric using (parcel_id)",
    )
    # What is left out of the two counties of Maryland, as points of its edge.
    edge_lat = np.linspace(38.8, 39.8, 2_001)
    known = []
    for lon, lat, *counts in found:
        _, _, metres = GEOD.inv(
            np.full(2_001, lon), np.full(2_001, lat), np.full(2_001, -77.2), edge_lat
        )
        mi = 0.0 if lon > -77.2 else metres.min() / METRES_PER_MILE
        assert [count is not None for count in counts] == [mi > radius for radius in RADII]
        known.append(sum(count is not None for count in counts))
    # Some lie where nothing is known, others where only the widest circles reach there.
    assert set(known) >= {0, 1, 2}
    # In 5 ms light is 317 miles away.
    assert rows(world.build, "select count(people_5ms_high) from core.parcel_metric") == [(0,)]


@pytest.mark.slow
def test_a_study_may_count_the_people_of_its_places(world, plain, gridstead):
    """With a place in every state, whose census it holds."""
    themes = yaml.safe_load(world.study.read_text())["themes"]
    del themes["grid"]["layers"]["people"]
    tiny.edit(world.study, {"themes": themes, "derived": {"people": ["people_from_place"]}})
    archive = world.study.parent / "files" / "places.zip"
    member = "cities5000.json"
    places = json.loads(tiny.read_member(archive, member))
    states = rows(world.build, "select state_id from core.state where state_id not in ('VA', 'MD')")
    for number, (state,) in enumerate(states, start=900):
        far = {"geonameid": number, "admin1code": state, "latitude": 40.0, "longitude": -100.0}
        places[str(number)] = places["0"] | far
    tiny.rewrite_member(archive, member, json.dumps(places))
    tiny.lock(world.study.parent)
    assert gridstead("run", world.study, "--home", world.home, "--no-export").code == 0
    unlike = """
        select state_id, sum(people), any_value(population_people)
        from core.state left join core.people using (state_id)
        group by state_id having not abs(sum(people) / any_value(population_people) - 1) < 1e-12
    """
    assert rows(world.build, unlike) == []
    assert rows(world.build, "select distinct layer from meta.layer_source where layer = 'people'")
    found = np.array(
        rows(
            world.build,
            f"select lon, lat, {COLUMNS} from core.parcel inner join core.parcel_metric using (parcel_id)",
        ),
        dtype=float,
    )
    at = np.array(rows(world.build, "select lon, lat, people from core.people"), dtype=float)
    assert np.abs(found[:, 2:] - _sums(found, *at.T)).max() <= 0.5
    methods = "select distinct method from mart.people_state"
    assert rows(world.build, methods) == [("place_scaled_to_state",)]


def _in_counties(lon, lat, margin):
    """Whether points lie in one of the four counties, or within a margin of degrees of it."""
    return np.any(
        [
            (lon > west - margin)
            & (lon < east + margin)
            & (lat > south - margin)
            & (lat < north + margin)
            for _, west, south, east, north in tiny.COUNTIES.values()
        ],
        axis=0,
    )


def _sums(found, lon, lat, people):
    milli = np.rint(people * 1000.0).astype(np.int64)
    return radius_sums(found[:, 0], found[:, 1], lon, lat, milli, RADII)[:, :, 0] / 1000


def _assert_exported(world, source, method):
    with rasterio.open(world.home / "exports" / "people.tif") as file:
        held = file.read(1, masked=True).astype(float).sum()
        tags = file.tags()
    ((people, milli),) = rows(
        world.build,
        "select (select sum(people) from mart.people_state), (select sum(people_milli) from mart.people_cell)",
    )
    assert held == pytest.approx(people, rel=1e-6)
    assert float(tags["people_total"]) == milli / 1000 == pytest.approx(people, rel=1e-9)
    assert source.lower() in tags["people_source"].lower()
    assert (tags["people_method"], tags["study"]) == (method, "tiny")
