"""`--area` and `--resolution`: what of the land is divided, and into what."""

import geopandas as gpd
import h3
import pytest
import shapely

from tests.flows import tiny
from tests.flows.conftest import rows


def counties_of(build):
    return {county for (county,) in rows(build, "select distinct county_id from core.parcel")}


def write_area(path, *shapes, crs="OGC:CRS84"):
    gpd.GeoDataFrame(geometry=list(shapes), crs=crs).to_file(path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "expected"),
    [(["va"], {"51107", "51061"}), (["51107", "Maryland"], {"51107", "24031", "24021"})],
)
def test_states_names_and_counties(world, run, words, expected):
    answer = run("--area", *words)
    assert answer.code == 0
    assert "grid layers: unchanged, reused" in answer.err
    assert counties_of(world.build) == expected
    listed = rows(world.build, "select region_id from mart.region where region_kind = 'county'")
    assert {region for (region,) in listed} == expected


@pytest.mark.slow
def test_a_polygon_clips_parcels_and_counties(world, run, tmp_path):
    """A polygon in metres over the border of two counties; only what lies in it is ranked."""
    box = shapely.box(-77.6, 38.9, -77.2, 39.2)
    area = write_area(tmp_path / "area.gpkg", *gpd.GeoSeries([box], crs=4326).to_crs(26918))
    gpd.read_file(area).set_crs(26918, allow_override=True).to_file(area)
    answer = run("--area", area)
    assert answer.code == 0
    assert counties_of(world.build) == {"51107", "24031"}
    shapes = rows(world.build, "select st_aswkb(geometry) from core.parcel")
    reach = box.buffer(1e-3)
    assert all(reach.covers(shapely.from_wkb(bytes(shape))) for (shape,) in shapes)
    assert rows(world.build, "select area from meta.run") == [([str(area)],)]
    area.rename(tmp_path / "other.gpkg")
    again = run("--area", tmp_path / "other.gpkg")
    assert "metrics: unchanged, reused" in again.err


@pytest.mark.slow
def test_resolution_divides_finer(world, run, base):
    answer = run("--resolution", 6, "--area", "24021")
    assert answer.code == 0
    ids = [cell for (cell,) in rows(world.build, "select parcel_id from core.parcel")]
    assert {h3.get_resolution(cell) for cell in ids} == {6}
    assert rows(world.build, "select h3_resolution from meta.run") == [(6,)]
    coarse = rows(base.build, "select count(*) from core.parcel where county_id = '24021'")[0][0]
    assert len(ids) > 5 * coarse


def test_a_lake_is_cut_out(base):
    lake = shapely.box(-77.7, 38.9, -77.65, 38.95)
    shapes = [
        shapely.from_wkb(bytes(s))
        for (s,) in rows(base.build, "select st_aswkb(geometry) from core.parcel")
    ]
    assert max(shapely.area(shapely.intersection(shapes, lake))) < 1e-9


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["Virginai"], "Did you mean 'Virginia'?"),
        (["ZZ"], "'ZZ' is no state, no five-digit county code and no file."),
        (["99999"], "'99999' is no state, no five-digit county code and no file."),
        (["missing.geojson"], "'missing.geojson' is no state"),
        (["TX"], "holds no land of the study"),
    ],
)
def test_words_that_are_no_area(run, words, said):
    answer = run("--area", *words)
    assert answer.code == 2
    assert said in answer.err


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("shapes", "crs", "said"),
    [
        ([shapely.Point(-77.5, 39)], "OGC:CRS84", "holds no polygon"),
        ([], "OGC:CRS84", "holds no geometry"),
        ([shapely.box(10, 40, 11, 41)], "OGC:CRS84", "holds no land of the study"),
        ([shapely.box(-77.6, 39.0, -77.599, 39.001)], "OGC:CRS84", "finer --resolution"),
    ],
)
def test_files_that_are_no_area(run, tmp_path, shapes, crs, said):
    frame = gpd.GeoDataFrame(geometry=gpd.GeoSeries(shapes, crs=crs))
    path = tmp_path / "area.gpkg"
    frame.to_file(path, **({} if shapes else {"geometry_type": "Polygon"}))
    answer = run("--area", path)
    assert answer.code in {1, 2}
    assert said in answer.err


def test_a_file_without_its_system(run, tmp_path):
    write_area(tmp_path / "area.shp", shapely.box(-77.6, 39.0, -77.5, 39.1))
    (tmp_path / "area.prj").unlink()
    answer = run("--area", tmp_path / "area.shp")
    assert (answer.code, "states no coordinate reference system" in answer.err) == (1, True)


def test_a_file_that_is_none_of_gdals(run, tmp_path):
    path = tmp_path / "area.geojson"
    path.write_text("no json")
    answer = run("--area", path)
    assert (answer.code, "cannot be read as a polygon file" in answer.err) == (1, True)


def test_the_fixture_has_the_counties_it_says(base):
    assert counties_of(base.build) == set(tiny.COUNTIES)
