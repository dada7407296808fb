"""Exclusions of a study: gathered from layers and rasters, united once, reused until one changes."""

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
import yaml
from rasterio.transform import Affine

from data import build as builds
from data import store
from data.errors import InputError, ReadError, StudyError
from data.object_cache import sha256_of
from data.pull import Pulled
from data.study import Exclusion, load_study
from flows import exclusions
from flows.home import Home
from flows.results import attach
from geo.exclusion import excluded_share
from geo.polygons import Polygons
from tests.flows import tiny
from tests.flows.conftest import rows

LAKE = {"layer": "lake", "why": "wet"}
# One lake of the tiny study, and where the cells of the raster lie (degrees, 0.01 a side).
LAKE_BOX = shapely.box(-77.7, 38.9, -77.65, 38.95)
WEST, NORTH, SIDE = -78.1, 39.9, 0.01


def write_raster(path, size=(170, 140), crs="EPSG:4326", at=(WEST, NORTH)):
    """Slope 30 in the cells of one square of 10 cells, 2 elsewhere."""
    values = np.full(size, 2.0, dtype=np.float32)
    values[20:30, 40:50] = 30.0
    values[0, 0] = -9999.0
    with rasterio.open(
        path, "w", driver="GTiff", height=size[0], width=size[1], count=1, dtype="float32",
        crs=crs, transform=Affine(SIDE, 0, at[0], 0, -SIDE, at[1]), nodata=-9999.0,
    ) as file:  # fmt: skip
        file.write(values, 1)


STEEP = shapely.box(WEST + 0.4, NORTH - 0.3, WEST + 0.5, NORTH - 0.2)


@pytest.fixture
def place(base, tmp_path):
    """Layers and parcels of the tiny study, a raster, and a home to unite exclusions in."""
    work = base.home / "work"
    (layers,) = work.glob("layers-*.duckdb")
    (parcels,) = [path for path in work.glob("parcel-*.parquet") if path.name.count(".") == 1]
    home = Home.at(tmp_path / "home").make()
    raster = tmp_path / "slope.tif"
    write_raster(raster)
    (tmp_path / "own.yaml").write_text((base.study.parent / "own.yaml").read_text())
    add_raster(tmp_path / "own.yaml")
    said = []

    def make(*items, **change):
        study = load_study(str(base.study))
        land = study.themes["land"]
        land = land.model_copy(update={"sources": [*land.sources, "slope"]})
        study = study.model_copy(
            update={
                "themes": {**study.themes, "land": land},
                "catalogue": tmp_path / "own.yaml",
                "exclusions": [Exclusion.model_validate(item) for item in items],
            }
        )
        pulled = {"slope": pulled_file(raster)}
        given = {"layers": layers, "parcels": parcels} | change
        return exclusions.make_exclusions(study, pulled=pulled, home=home, log=said.append, **given)

    make.said, make.raster, make.parcels, make.layers = said, raster, parcels, layers
    return make


def add_raster(catalogue, **options):
    content = yaml.safe_load(catalogue.read_text())
    entry = content["sources"][-1]
    content["sources"].append(
        entry
        | {
            "id": "slope",
            "title": "Slope",
            "access": {"kind": "file", "path": "slope.tif"},
            "tables": {"slope": {"reader": "raster", "options": options}},
        }
    )
    catalogue.write_text(yaml.safe_dump(content))


def pulled_file(path):
    values = dict.fromkeys(Pulled.__dataclass_fields__)
    return Pulled(**values | {"path": path, "filename": path.name, "sha256": sha256_of(path)})


def share(path, *shapes):
    index = exclusions.load_exclusions(path)
    return excluded_share(index, Polygons.from_shapes(np.array(shapes, dtype=object)))


def test_a_study_without_exclusions_has_none(place):
    assert place() is None
    assert exclusions.load_exclusions(None) is None


def test_a_layer_excludes_its_polygons_and_no_more(place):
    beside = shapely.box(-77.65, 38.9, -77.6, 38.95)
    path = place(LAKE)
    assert share(path, LAKE_BOX, beside) == pytest.approx([1, 0], abs=1e-9)
    assert place(LAKE | {"why": "another reason"}) == path
    assert place.said[-1] == "exclusions: unchanged, reused"
    assert "excluded lake: 1 shapes" in place.said


def test_a_buffer_reaches_as_far_as_it_says(place):
    """500 m around 55 by 43 hundredths of a degree; the strip beside is full up to there, empty beyond."""
    east = gpd.GeoSeries([shapely.Point(-77.65, 38.925)], crs=4326).to_crs(32618).x[0]
    north = gpd.GeoSeries([shapely.Point(-77.65, 38.925)], crs=4326).to_crs(32618).y[0]
    near, far = (
        gpd.GeoSeries([shapely.box(east + a, north - 50, east + b, north + 50)], crs=32618).to_crs(
            4326
        )[0]
        for a, b in ((20, 480), (530, 900))
    )
    path = place(LAKE | {"buffer_m": 500})
    assert path != place(LAKE)
    assert share(path, near, far) == pytest.approx([1, 0], abs=1e-3)


def test_a_raster_excludes_the_cells_of_its_condition(place):
    slope = {"raster": "slope", "why": "steep"}
    path = place(slope | {"condition": {"above": 15}})
    beside = shapely.box(WEST + 0.5, NORTH - 0.3, WEST + 0.6, NORTH - 0.2)
    assert share(path, STEEP, beside) == pytest.approx([1, 0], abs=1e-6)
    assert share(place(slope | {"condition": {"below": 15}}), STEEP, beside) == pytest.approx(
        [0, 1], abs=1e-6
    )
    assert share(place(slope | {"condition": {"classes": [30]}}), STEEP) == pytest.approx([1])
    assert place(slope | {"condition": {"above": 15}}) == path
    assert place(slope | {"condition": {"above": 16}}) != path


def test_overlaps_of_all_exclusions_count_once(place):
    path = place(
        LAKE, LAKE | {"buffer_m": 20}, {"raster": "slope", "condition": {"above": 15}, "why": "x"}
    )
    both = shapely.union_all([LAKE_BOX, STEEP])
    assert share(path, both) == pytest.approx([1], abs=1e-9)


def test_what_is_kept_changes_with_the_bytes_of_a_raster_and_the_box_of_the_parcels(
    place, tmp_path
):
    slope = {"raster": "slope", "condition": {"above": 15}, "why": "steep"}
    first, lake = place(slope), place(LAKE)
    write_raster(place.raster, size=(171, 140))
    assert place(slope) != first
    some = gpd.read_parquet(place.parcels).iloc[:5]
    some.to_parquet(tmp_path / "some.parquet")
    assert place(slope, parcels=tmp_path / "some.parquet") != place(slope)
    assert place(LAKE, parcels=tmp_path / "some.parquet") == lake


def test_a_layer_counts_by_the_shapes_that_exclude(place, tmp_path):
    """Another database with the same lakes gives the same key, one with another lake another."""
    first = place(LAKE)
    for name, shape, same in (("same", LAKE_BOX, True), ("other", STEEP, False)):
        path = tmp_path / f"{name}.duckdb"
        with store.create(path) as con:
            con.execute("create schema core")
            con.execute("create table core.lake (lake_id varchar, geometry geometry('OGC:CRS84'))")
            con.execute("insert into core.lake values ('x', $g::geometry)", {"g": shape.wkt})
        assert (place(LAKE, layers=path) == first) is same


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({"layer": "people", "where": {"colour": "red"}}, "asks for column 'colour', which layer"),
        ({"layer": "state"}, "names layer 'state', which has no shapes and no coordinates"),
        (
            {"layer": "substation"},
            "names layer 'substation', whose points or lines cover no ground",
        ),
        ({"layer": "line"}, "names layer 'line', whose points or lines cover no ground"),
    ],
)
def test_layers_that_cannot_exclude(place, item, said):
    with pytest.raises(StudyError, match=said):
        place(item | {"why": "x"})


def test_points_and_lines_exclude_by_their_buffer_and_rows_by_their_values(place):
    around = shapely.Point(-77.49, 39.04).buffer(0.0005)
    near = {"layer": "substation", "buffer_m": 300, "why": "x"}
    assert share(place(near), around) == pytest.approx([1])
    with store.create() as con:
        attach(con, place.layers)
        names = set(builds.layer_frame(con, "substation")["zone_id"])
    assert len(names) > 2
    one = near | {"where": {"substation_id": "nowhere"}}
    assert share(place(one), around) == [0]
    every = near | {"where": {"zone_id": sorted(names)}}
    assert share(place(every), around) == pytest.approx([1])


def test_a_raster_that_ends_before_the_parcels_is_refused(place):
    slope = {"raster": "slope", "condition": {"above": 15}, "why": "steep"}
    write_raster(place.raster, size=(40, 60))
    with pytest.raises(InputError, match="source 'slope' does not reach all parcels: it ends at"):
        place(slope)


def test_the_crs_of_the_catalogue_wins_over_that_of_the_file(place, tmp_path):
    """The file calls its degrees metres; read so, it would lie in the Gulf of Guinea."""
    slope = {"raster": "slope", "condition": {"above": 15}, "why": "steep"}
    write_raster(place.raster, crs="EPSG:32618")
    with pytest.raises(InputError, match="does not reach all parcels"):
        place(slope)
    (tmp_path / "own.yaml").unlink()
    content = yaml.safe_load((place.layers.parents[2] / "study" / "own.yaml").read_text())
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(content))
    add_raster(tmp_path / "own.yaml", crs="EPSG:4326")
    assert share(place(slope), STEEP) == pytest.approx([1], abs=1e-6)


@pytest.mark.slow
def test_a_run_keeps_its_exclusions_and_tells_them(world, run, gridstead):
    """The tiny study has those of the open study: its lakes. A wider buffer is another result."""
    told = "select excluded, layer, buffer_m from meta.exclusion"
    assert rows(world.build, told) == [("lake", "lake", 0.0)]
    study = load_study(str(world.study))
    items = [item.model_dump(exclude_defaults=True) for item in study.exclusions]
    tiny.edit(world.study, {"exclusions": [items[0] | {"buffer_m": 2000.0}]})
    answer = run()
    assert answer.code == 0
    assert "excluded lake, and 2000 m around: 1 shapes" in answer.err
    assert "metrics: unchanged, reused" not in answer.err
    assert rows(world.build, told) == [("lake, and 2000 m around", "lake", 2000.0)]
    again = run()
    assert "exclusions: unchanged, reused" in again.err
    assert "metrics: unchanged, reused" in again.err
    out = world.home / "exports"
    assert gridstead("run", world.study, "--home", world.home).code == 0
    report = (out / "report.md").read_text()
    assert "## Excluded ground" in report
    assert "lake, and 2000 m around: nothing is built on a lake" in report


@pytest.mark.slow
def test_a_study_without_exclusions_says_that_they_are_unknown(world, run):
    tiny.edit(world.study, {"exclusions": []})
    assert run().code == 0
    assert rows(world.build, "from meta.exclusion") == []
    known = "select count(excluded_share), count(buildable_acres), count(contiguous_acres) from core.parcel_metric"
    assert rows(world.build, known) == [(0, 0, 0)]


def test_a_raster_that_cannot_be_read_is_named(place):
    slope = {"raster": "slope", "condition": {"above": 15}, "why": "steep"}
    write_raster(place.raster, crs=None)
    with pytest.raises(ReadError, match=r"slope\.tif states no CRS"):
        place(slope)
    place.raster.write_bytes(b"no raster")
    with pytest.raises(ReadError, match=r"slope\.tif cannot be read as raster"):
        place(slope)


@pytest.mark.parametrize("writer", ["geopandas", "duckdb"])
def test_parcels_tell_their_own_box(place, tmp_path, writer):
    """Whoever wrote the file: the box holds every parcel, and hardly more."""
    frame = gpd.read_parquet(place.parcels)
    path = tmp_path / "p.parquet"
    frame.to_parquet(path)
    if writer == "duckdb":
        path = tmp_path / "d.parquet"
        store.create().execute(
            f"copy (select * from read_parquet('{place.parcels}')) to '{path}' (format parquet)"
        )
    west, south, east, north = exclusions.bounds_of(path)
    box = frame.total_bounds
    assert (west, south, east, north) == pytest.approx(tuple(box), abs=3e-9)
    assert west <= box[0]
    assert south <= box[1]
    assert east >= box[2]
    assert north >= box[3]
