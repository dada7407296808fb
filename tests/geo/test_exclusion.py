from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given

from geo import _exclusion
from geo.errors import CrsError, GeoError, GeometryError
from geo.exclusion import ExclusionIndex, excluded_m2, excluded_share
from geo.polygons import Polygons
from tests.oracle import exclusion as oracle
from tests.oracle.shapes import around, examples, places, seeds

MIRROR = Path(__file__).parents[3] / "shared" / "mirror"
NEEDS_MIRROR = pytest.mark.skipif(not MIRROR.is_dir(), reason="../shared/mirror is not there")


def assert_same_areas(got_m2, expected):
    """Within 1e-9 of the parcel or 1 m², and aim better: 0.001 m²."""
    excluded, area = expected.T
    np.testing.assert_array_less(np.abs(got_m2 - excluded), np.maximum(1e-9 * area, 1e-3))


def squares(*corners):
    """Squares of 0.01 degrees at steps from -100, 40."""
    return np.array(
        [
            shapely.box(-100 + x / 100, 40 + y / 100, -99.99 + x / 100, 40.01 + y / 100)
            for x, y in corners
        ]
    )


@examples(60)
@given(oracle.scenes())
def test_areas_agree_with_shapely_on_the_dissolved_union(scene):
    exclusions, parcels = scene
    index = ExclusionIndex.build(exclusions)
    expected = oracle.areas_m2(parcels, exclusions)
    got = excluded_m2(index, Polygons.from_shapes(parcels))
    assert_same_areas(got, expected)
    share = excluded_share(index, Polygons.from_shapes(parcels))
    assert_same_areas(share * expected[:, 1], expected)
    assert ((share >= 0.0) & (share <= 1.0)).all()


@examples(15)
@given(oracle.scenes(most=5), seeds)
def test_areas_do_not_depend_on_tiles_and_pieces(scene, seed):
    exclusions, parcels = scene
    size = np.ptp(shapely.total_bounds(oracle.to_plane(exclusions)).reshape(2, 2), axis=0).max()
    polygons = Polygons.from_shapes(parcels)
    one = excluded_m2(ExclusionIndex.build(exclusions, tile_m=2.0**26), polygons)
    tile_m = float(np.random.default_rng(seed).uniform(size / 12, size / 3))
    many = excluded_m2(ExclusionIndex.build(exclusions, tile_m=tile_m, most_vertices=8), polygons)
    area = polygons_m2(polygons)
    np.testing.assert_array_less(np.abs(one - many), np.maximum(1e-9 * area, 1e-3))


def polygons_m2(polygons):
    return shapely.area(polygons.to_shapes(plane=True))


def test_known_shares():
    index = ExclusionIndex.build(squares((0, 0), (0.5, 0), (0.25, 0)))
    share = excluded_share(
        index, Polygons.from_shapes(squares((0, 0), (1, 0), (1.2, 0), (0.3, 0), (5, 5)))
    )
    np.testing.assert_allclose(share, [1.0, 0.5, 0.3, 1.0, 0.0], atol=1e-9)


def test_what_is_covered_is_one_and_what_is_touched_is_zero_to_the_last_bit():
    rng = np.random.default_rng(5)
    lake = shapely.Polygon(around((-100.0, 40.0), np.arange(0, 360, 3.0), np.full(120, 30_000.0)))
    lon, lat = np.meshgrid(np.linspace(-100.15, -99.85, 16), np.linspace(39.9, 40.1, 11))
    inside = shapely.points(lon.ravel(), lat.ravel())
    fields = shapely.buffer(inside, 10.0 ** rng.uniform(-6, -2.05, len(inside)), quad_segs=3)
    index = ExclusionIndex.build(np.array([lake, *fields]))
    assert (excluded_share(index, Polygons.from_shapes(fields)) == 1.0).all()
    # Fields in holes of their own shape, and squares that share a border or a corner.
    index = ExclusionIndex.build(np.array([lake.difference(shapely.union_all(fields))]))
    assert (excluded_share(index, Polygons.from_shapes(fields)) == 0.0).all()
    index = ExclusionIndex.build(squares((0, 0)))
    around_it = squares((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1), (0.25, 1))
    assert (excluded_share(index, Polygons.from_shapes(around_it)) == 0.0).all()


@examples(15)
@given(places, seeds)
def test_cells_clipped_to_counties_span_many_tiles(place, seed):
    rng = np.random.default_rng(seed)
    centres = around(place, rng.uniform(0, 360, 5), 8_000 * rng.random(5))
    cells = [
        shapely.Polygon(around(c, np.arange(0, 360, 60.0), np.full(6, 3_700))) for c in centres
    ]
    county = shapely.Polygon(around(place, np.arange(0, 360, 2.0), rng.uniform(8_000, 10_000, 180)))
    parcels = shapely.intersection(np.array(cells), county)
    ponds = around(place, rng.uniform(0, 360, 200), 12_000 * rng.random(200))
    exclusions = shapely.buffer(shapely.points(ponds), rng.uniform(0.0005, 0.005, 200), quad_segs=4)
    index = ExclusionIndex.build(exclusions, tile_m=1_000.0)
    got = excluded_m2(index, Polygons.from_shapes(parcels))
    assert_same_areas(got, oracle.areas_m2(parcels, exclusions))


def test_chunks_threads_and_order_change_no_bit(monkeypatch):
    rng = np.random.default_rng(11)
    exclusions = shapely.buffer(shapely.points(rng.normal([-90, 35], 0.1, (400, 2))), 0.004)
    parcels = shapely.buffer(
        shapely.points(rng.normal([-90, 35], 0.1, (9_000, 2))), 0.002, quad_segs=2
    )
    polygons = Polygons.from_shapes(parcels)
    index = ExclusionIndex.build(exclusions)
    expected = excluded_m2(index, polygons, workers=1)
    assert (expected > 0.0).mean() > 0.1
    order = rng.permutation(len(parcels))
    np.testing.assert_array_equal(excluded_m2(index, polygons.take(order)), expected[order])
    chunks = [excluded_m2(index, polygons.take(slice(i, i + 997))) for i in range(0, 9_000, 997)]
    np.testing.assert_array_equal(np.concatenate(chunks), expected)
    for name, array in ExclusionIndex.build(exclusions, workers=1).to_arrays().items():
        np.testing.assert_array_equal(array, index.to_arrays()[name])
    share = excluded_share(index, polygons, workers=2)
    assert (share > 0.0).sum() == (expected > 0.0).sum()


@pytest.mark.parametrize("mode", ["r", "c"])
def test_kept_arrays_give_the_same_figures(tmp_path, mode):
    index = ExclusionIndex.build(squares((0, 0), (0.5, 0.5)), within=(-101, 39, -99, 41))
    for name, array in index.to_arrays().items():
        np.save(tmp_path / f"{name}.npy", array)
    kept = {path.stem: np.load(path, mmap_mode=mode) for path in tmp_path.iterdir()}
    parcels = Polygons.from_shapes(squares((0.1, 0.2), (1, 1)))
    again = ExclusionIndex.from_arrays(kept)
    np.testing.assert_array_equal(excluded_m2(again, parcels), excluded_m2(index, parcels))
    del kept["box"]
    with pytest.raises(GeoError, match="lack box"):
        ExclusionIndex.from_arrays(kept)


def test_exclusions_are_mended_and_what_is_not_there_excludes_nothing():
    bowtie = shapely.Polygon([(-100, 40), (-99.99, 40.01), (-99.99, 40), (-100, 40.01)])
    doubled = shapely.MultiPolygon([*squares((3, 0)), *squares((3.5, 0))])
    shapes = np.array([bowtie, None, shapely.Polygon(), doubled], dtype=object)
    index = ExclusionIndex.build(shapes)
    share = excluded_share(index, Polygons.from_shapes(squares((0, 0), (3, 0), (4, 0), (9, 9))))
    np.testing.assert_allclose(share, [0.5, 1.0, 0.5, 0.0], atol=1e-6)
    nothing = ExclusionIndex.build(np.array([None, shapely.Polygon()], dtype=object))
    assert len(nothing) == 0
    assert excluded_share(nothing, Polygons.from_shapes(squares((0, 0)))).tolist() == [0.0]
    none = Polygons.from_shapes(squares((0, 0))).take(slice(0, 0))
    assert excluded_share(index, none).shape == (0,)


def test_an_index_of_part_of_the_ground_says_what_it_does_not_know():
    index = ExclusionIndex.build(squares((0, 0), (50, 0)), within=(-100.005, 39.9, -99.8, 40.1))
    assert excluded_share(index, Polygons.from_shapes(squares((0, 0)))).tolist() == [1.0]
    assert len(index) < len(ExclusionIndex.build(squares((0, 0), (50, 0))))
    with pytest.raises(GeometryError, match="Parcel 1 reaches beyond"):
        excluded_share(index, Polygons.from_shapes(squares((0, 0), (50, 0))))


def test_bad_exclusions_are_refused():
    with pytest.raises(GeometryError, match="LineString"):
        ExclusionIndex.build(np.array([shapely.LineString([(-100, 40), (-99, 40)])]))
    with pytest.raises(GeometryError, match="no longitude/latitude"):
        ExclusionIndex.build(np.array([shapely.box(500_000, 0, 600_000, 10)]))
    with pytest.raises(CrsError):
        ExclusionIndex.build(gpd.GeoSeries(squares((0, 0)), crs=5070))


def test_parcels_that_are_no_polygons_neither_crash_nor_count():
    index = ExclusionIndex.build(squares((0, 0)))
    rings = [
        [[-100, 40], [-99.99, np.nan], [-99.99, 40.01], [-100, 40]],
        [[np.nan] * 2] * 4,
        [[-100, 40], [1e300, 40], [-99.99, 40.01], [-100, 40]],
        [[-99.995, 40.005]] * 4,
        [[-100, 40], [-99.995, 40], [-99.995, 40.01], [-100, 40]],
    ]
    start = np.arange(6)
    polygons = Polygons(np.array(rings).reshape(-1, 2), start * 4, start, start)
    share = excluded_share(index, polygons)
    assert np.isnan(share[[0, 1, 3]]).all()
    assert share[4] == 1.0


def test_progress_is_told():
    told = []
    ExclusionIndex.build(
        squares((0, 0), (0.5, 0)), tile_m=500.0, progress=lambda *now: told.append(now)
    )
    assert told[-1][0] == told[-1][1] > 1


def test_kernels_give_the_same_uncompiled(monkeypatch):
    rng = np.random.default_rng(2)
    exclusions = shapely.buffer(
        shapely.points(rng.normal([-90, 35], 0.01, (5, 2))), 0.004, quad_segs=2
    )
    polygons = Polygons.from_shapes(
        shapely.buffer(shapely.points(rng.normal([-90, 35], 0.01, (5, 2))), 0.002, quad_segs=2)
    )
    index = ExclusionIndex.build(exclusions)
    expected = excluded_m2(index, polygons)
    for name, kernel in vars(_exclusion).copy().items():
        if hasattr(kernel, "py_func"):
            monkeypatch.setattr(_exclusion, name, kernel.py_func)
    np.testing.assert_allclose(excluded_m2(index, polygons), expected, rtol=1e-9)


def mirror_scene(town):
    """Exclusions and parcels of a town of the mirror, valid and in lon/lat."""
    if town == "cambridge":
        parcels = gpd.read_parquet(MIRROR / "parcels/cambridge_ma_fy2013.parquet")
        names = ("FEMA_FloodPlains100Year.geojson", "HYDRO_Wetlands.geojson")
    else:
        parcels = gpd.read_file(MIRROR / "parcels/Rhode_Island.gpkg")
        parcels = parcels.set_crs("OGC:CRS84", allow_override=True)
        names = ("Rhode_Island_Water.gpkg",)
    layers = [gpd.read_file(MIRROR / "constraints" / name).to_crs("OGC:CRS84") for name in names]
    exclusions = np.concatenate([layer.geometry.to_numpy() for layer in layers])
    shapes = shapely.force_2d(parcels.geometry.to_numpy())
    return exclusions, shapely.make_valid(shapes, method="structure", keep_collapsed=False)


@NEEDS_MIRROR
@pytest.mark.mirror
@pytest.mark.parametrize("town", ["cambridge", "rhode island"])
@pytest.mark.parametrize("metres", [0, 30])
def test_real_parcels_agree_with_the_plain_overlay(town, metres):
    from geo.buffer import buffer_m

    exclusions, parcels = mirror_scene(town)
    if metres:
        exclusions = buffer_m(exclusions, metres)
    index = ExclusionIndex.build(exclusions)
    got = excluded_m2(index, Polygons.from_shapes(parcels))
    expected = oracle.areas_m2(parcels, exclusions)
    assert_same_areas(got, expected)
    assert (got > 0.0).sum() > 15
    np.testing.assert_array_equal(got > 0.0, expected[:, 0] > 1e-6)
