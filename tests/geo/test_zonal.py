from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import rasterio
import shapely
from exactextract import exact_extract
from hypothesis import given
from hypothesis import strategies as st
from rasterio.transform import Affine

from geo import zonal as module
from geo._projection import Projection
from geo.errors import CrsError, GeoError
from geo.polygons import Polygons
from geo.zonal import check_place, class_share, zonal
from tests.oracle import zonal as oracle
from tests.oracle.shapes import examples, seeds

MIRROR = Path(__file__).parents[3] / "shared" / "mirror"
ALBERS = "EPSG:5070"
NORTH_UP = Affine(30.0, 0.0, 1_900_000.0, 0.0, -30.0, 2_300_000.0)
TRANSFORMS = {
    "north up": NORTH_UP,
    "south up": Affine(30.0, 0.0, 1_900_000.0, 0.0, 30.0, 2_300_000.0),
    "rotated": NORTH_UP @ Affine.rotation(31.0),
    "sheared": NORTH_UP @ Affine.shear(10.0, 20.0),
    "from the right": Affine(-30.0, 0.0, 1_900_000.0, 0.0, 30.0, 2_300_000.0),
    "oblong": Affine(10.0, 0.0, 1_900_000.0, 0.0, -70.0, 2_300_000.0),
}
FIELDS = ("mean", "max", "min", "below_share", "known_share")


def to_lonlat(cells, transform, crs=ALBERS):
    """Shapes in cell units as lon/lat, for a raster of that transform."""
    back = pyproj.Transformer.from_crs(crs, "OGC:CRS84", always_xy=True)

    def move(xy):
        x, y = oracle.place(transform, *xy.T)
        return (
            np.column_stack(back.transform(x, y)) if crs != "OGC:CRS84" else np.column_stack([x, y])
        )

    return shapely.transform(np.asarray(cells, dtype=object), move)


def numbers(rng, shape):
    values = np.round(rng.uniform(-5.0, 40.0, shape))
    values[rng.random(shape) < 0.15] = -999.0
    return values


def assert_agrees(shapes, values, transform, crs, dataset, **options):
    below, classes = (0.0, 12.0), (3.0, 7.0)
    polygons = Polygons.from_shapes(shapes)
    stats = zonal(dataset, polygons, below=below, **options)
    in_class = class_share(dataset, polygons, classes, **options)
    np.testing.assert_array_equal(in_class.known_share, stats.known_share)
    for i, shape in enumerate(oracle.to_plane(shapes, crs)):
        known, mean, most, least, under, share = oracle.statistics(
            shape, np.where(values == -999.0, np.nan, values), transform, below, classes
        )
        # Vertices are known to some nanometres in coordinates of millions of metres: slivers feel it.
        off = 1e-8 * shape.length / shape.area
        close = {"rtol": 1e-9, "atol": 1e-9 + off}
        np.testing.assert_allclose(stats.known_share[i], known, **close)
        np.testing.assert_allclose(stats.mean[i], mean, rtol=1e-9, atol=40.0 * close["atol"])
        np.testing.assert_allclose(stats.below_share[i], under, **close)
        np.testing.assert_allclose(in_class.share[i], share, **close)
        assert (stats.max[i], stats.min[i]) == (most, least) or np.isnan(most)
        assert np.isnan([stats.max[i], stats.min[i]]).all() == np.isnan(most)


@examples(50)
@given(
    st.lists(oracle.planar_shapes(), min_size=1, max_size=4),
    seeds,
    st.sampled_from(list(TRANSFORMS)),
)
def test_statistics_agree_with_clipped_cells(cells, seed, turn):
    values, transform = numbers(np.random.default_rng(seed), (10, 11)), TRANSFORMS[turn]
    shapes = to_lonlat(cells, transform)
    with oracle.open_raster(values, transform, ALBERS, nodata=-999.0) as dataset:
        assert_agrees(shapes, values, transform, ALBERS, dataset)


@examples(40)
@given(st.lists(oracle.planar_shapes(), min_size=1, max_size=4), seeds)
def test_statistics_agree_with_exactextract(cells, seed):
    # It keeps covered shares in 32 bits, so it is held to 1e-6 where our own clipping is held to 1e-9.
    values = numbers(np.random.default_rng(seed), (10, 11))
    with oracle.open_raster(values, NORTH_UP, ALBERS, nodata=-999.0) as dataset:
        shapes = to_lonlat(cells, NORTH_UP)
        assert_agrees_with_exactextract(shapes, dataset, ALBERS)


def assert_agrees_with_exactextract(shapes, dataset, crs):
    """Also that something was compared: returns the number of shapes on valid cells."""
    planar = oracle.to_plane(shapes, crs)
    frame = gpd.GeoDataFrame(geometry=planar, crs=dataset.crs)
    theirs = exact_extract(dataset, frame, ["count", "mean", "values", "coverage"], output="pandas")
    ours = zonal(dataset, Polygons.from_shapes(shapes), below=(5.0,), crs=crs)
    cells = shapely.area(planar) / abs(dataset.transform.determinant)
    known = theirs["count"].to_numpy() / cells
    np.testing.assert_allclose(ours.known_share, known, rtol=1e-6, atol=1e-6)
    is_met = known > 1e-6
    mean = theirs["mean"].to_numpy(dtype=float)[is_met]
    np.testing.assert_allclose(ours.mean[is_met], mean, rtol=1e-6, atol=1e-5)
    for i in np.flatnonzero(is_met):
        # To it a cell touched by a rounding error counts; the largest is still the largest otherwise.
        share = np.asarray(theirs["coverage"][i])
        counts = share > 1e-9 * min(1.0, cells[i])
        values, share = np.asarray(theirs["values"][i])[counts], share[counts]
        assert (ours.max[i], ours.min[i]) == (values.max(), values.min())
        under = share[values <= 5.0].sum() / share.sum()
        np.testing.assert_allclose(ours.below_share[i, 0], under, rtol=1e-6, atol=1e-6)
    return is_met.sum()


def many(count=400, seed=5, reach=600.0):
    """Parcels of all sizes over, across and beyond a raster of 300 x 200 cells, and the raster."""
    rng = np.random.default_rng(seed)
    values = numbers(rng, (300, 200))
    angle = np.linspace(0.0, 2.0 * np.pi, 8)[:-1]
    cells = []
    for _ in range(count):
        middle, radius = rng.uniform(-20, [220, 320]), rng.choice([0.3, 2.0, 15.0, 90.0])
        spread = radius * rng.uniform(0.5, 1.0, (7, 1))
        ring = middle + spread * np.column_stack([np.cos(angle), np.sin(angle)])
        holes = [middle + 0.3 * (ring - middle)] if rng.random() < 0.3 else []
        cells.append(shapely.Polygon(ring, holes))
    return Polygons.from_shapes(to_lonlat(cells, NORTH_UP)), values


def bits(stats):
    return [getattr(stats, field).tobytes() for field in FIELDS]


def test_windows_strips_threads_chunks_and_order_do_not_change_a_bit(monkeypatch):
    polygons, values = many()
    rows = np.random.default_rng(1).permutation(len(polygons))
    with oracle.open_raster(values, NORTH_UP, ALBERS, nodata=-999.0) as dataset:
        whole = zonal(dataset, polygons, below=(3.0, 20.0), workers=1)
        assert np.isfinite(whole.mean).sum() > 200
        shuffled = zonal(dataset, polygons.take(rows), below=(3.0, 20.0), workers=3)
        for field in FIELDS:
            assert getattr(whole, field)[rows].tobytes() == getattr(shuffled, field).tobytes()
        chunks = [
            zonal(dataset, polygons.take(part), below=(3.0, 20.0))
            for part in np.array_split(range(400), 7)
        ]
        for field in FIELDS:
            together = np.concatenate([getattr(chunk, field) for chunk in chunks])
            assert together.tobytes() == getattr(whole, field).tobytes()
        # Small tiles: most parcels are read in strips of a few rows.
        monkeypatch.setattr(module, "TILE", 16)
        monkeypatch.setattr(module, "STRIP_CELLS", 700)
        assert bits(zonal(dataset, polygons, below=(3.0, 20.0), workers=3)) == bits(whole)


def test_windows_are_bounded(monkeypatch):
    polygons, values = many(60)
    monkeypatch.setattr(module, "TILE", 32)
    monkeypatch.setattr(module, "STRIP_CELLS", 4 * 32 * 32)
    sizes, read = [], module.read_values

    def spy(dataset, band, window):
        sizes.append(np.prod(np.diff(window)))
        return read(dataset, band, window)

    monkeypatch.setattr(module, "read_values", spy)
    with oracle.open_raster(values, NORTH_UP, ALBERS, nodata=-999.0) as dataset:
        zonal(dataset, polygons)
    assert len(sizes) > 10
    assert max(sizes) <= 4 * 32 * 32


def test_flows_may_ask_at_once():
    polygons, values = many(100)

    def run(_):
        with oracle.open_raster(values, NORTH_UP, ALBERS, nodata=-999.0) as dataset:
            return bits(zonal(dataset, polygons))

    with ThreadPoolExecutor(3) as pool:
        first, *others = pool.map(run, range(3))
    assert all(other == first for other in others)


def test_a_lonlat_raster_needs_no_projection():
    transform = Affine(0.25, 0.0, -71.5, 0.0, -0.25, 42.5)
    values = np.arange(20.0).reshape(4, 5)
    shapes = np.array([shapely.box(-71.5, 42.0, -71.125, 42.5), shapely.box(0, 0, 1, 1)])
    with oracle.open_raster(values, transform, "EPSG:4326") as dataset:
        stats = zonal(dataset, Polygons.from_shapes(shapes), below=(0.0, 5.0))
    # Cells 0 and 5 whole, 1 and 6 half.
    np.testing.assert_allclose(stats.mean, [(0 + 5 + 0.5 + 3) / 3, np.nan], rtol=1e-13)
    np.testing.assert_array_equal(stats.max, [6.0, np.nan])
    np.testing.assert_array_equal(stats.min, [0.0, np.nan])
    np.testing.assert_allclose(stats.below_share[0], [1 / 3, 2.5 / 3], rtol=1e-13)
    np.testing.assert_array_equal(stats.known_share, [1.0, 0.0])


def test_edges_on_cell_borders_touch_nothing_beyond():
    transform = Affine(1.0, 0.0, 0.0, 0.0, -1.0, 10.0)
    values = np.where(np.indices((10, 10)).sum(axis=0) % 2, 1.0, 100.0)
    values[3:5, 2:6] = 7.0
    shapes = np.array([shapely.box(2, 5, 6, 7)])
    with oracle.open_raster(values, transform, "EPSG:4326") as dataset:
        stats = zonal(dataset, Polygons.from_shapes(shapes))
    assert (stats.mean, stats.max, stats.min, stats.known_share) == (7.0, 7.0, 7.0, 1.0)


def test_scale_offset_nodata_masks_and_nan():
    transform = Affine(1.0, 0.0, 0.0, 0.0, -1.0, 2.0)
    everywhere = Polygons.from_shapes(np.array([shapely.box(0, 0, 3, 2)]))
    raw = np.array([[1, 2, 255], [3, 4, 255]], dtype=np.uint8)
    with oracle.open_raster(raw, transform, "EPSG:4326", 255, 0.5, 10.0) as dataset:
        stats = zonal(dataset, everywhere, below=(11.0,))
        share = class_share(dataset, everywhere, (11.5, 12.0, 99.0)).share
    assert (stats.mean[0], stats.max[0], stats.min[0]) == (11.25, 12.0, 10.5)
    assert (stats.below_share[0, 0], stats.known_share[0]) == (0.5, 4 / 6)
    np.testing.assert_array_equal(share, [[0.25, 0.25, 0.0]])

    floats = np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.nan]], dtype=np.float32)
    with oracle.open_raster(floats, transform, "EPSG:4326") as dataset:
        stats = zonal(dataset, everywhere)
    assert (stats.mean[0], stats.known_share[0]) == (2.0, 2 / 6)

    mask = np.array([[255, 0, 0], [0, 0, 255]], dtype=np.uint8)
    with rasterio.MemoryFile() as file:
        with file.open(
            driver="GTiff", height=2, width=3, count=1, dtype="uint8", crs="EPSG:4326", transform=transform
        ) as dataset:  # fmt: skip
            dataset.write(raw, 1)
            dataset.write_mask(mask)
        with file.open() as dataset:
            stats = zonal(dataset, everywhere)
    assert (stats.mean[0], stats.max[0], stats.known_share[0]) == (128.0, 255.0, 2 / 6)


def test_no_parcels_and_all_unknown():
    transform = Affine(1.0, 0.0, 0.0, 0.0, -1.0, 2.0)
    with oracle.open_raster(np.full((2, 2), -1.0), transform, "EPSG:4326", -1.0) as dataset:
        polygons = Polygons.from_shapes(np.array([shapely.box(0, 0, 2, 2)]))
        stats = zonal(dataset, polygons, below=(1.0,))
        none = zonal(dataset, polygons.take(slice(0, 0)), below=(1.0,))
        assert np.isnan(class_share(dataset, polygons, (1.0,)).share).all()
    assert np.isnan([stats.mean[0], stats.max[0], stats.min[0], stats.below_share[0, 0]]).all()
    assert stats.known_share == 0.0
    assert none.below_share.shape == (0, 1)


def test_polygons_that_should_not_be_here_do_no_harm():
    # Crossing itself, of no area, NaN: nothing hangs, and nothing reaches the sound one.
    rings = [
        [(0.5, 0.5), (2.5, 2.5), (2.5, 0.5), (0.5, 2.5), (0.5, 0.5)],
        [(0.5, 0.5), (2.5, 2.5), (0.5, 0.5)],
        [(0.5, 0.5), (np.nan, 2.5), (2.5, 0.5), (0.5, 0.5)],
        [(1.0, 1.0), (2.0, 1.0), (2.0, 2.0), (1.0, 2.0), (1.0, 1.0)],
    ]
    starts = np.cumsum([0, *map(len, rings)])
    one = np.arange(len(rings) + 1)
    polygons = Polygons(np.vstack(rings), starts, one, one)
    transform = Affine(1.0, 0.0, 0.0, 0.0, -1.0, 3.0)
    with oracle.open_raster(np.arange(9.0).reshape(3, 3), transform, "EPSG:4326") as dataset:
        stats = zonal(dataset, polygons)
    assert np.isnan(stats.mean[1:3]).all()
    assert (stats.mean[3], stats.known_share[3]) == (4.0, 1.0)


def test_bad_asks_are_refused_by_name():
    polygons = Polygons.from_shapes(np.array([shapely.box(0, 0, 2, 2)]))
    transform = Affine(1.0, 0.0, 0.0, 0.0, -1.0, 2.0)
    with oracle.open_raster(np.ones((2, 2)), transform, "EPSG:4326") as dataset:
        with pytest.raises(GeoError, match="no band 2; it has 1"):
            zonal(dataset, polygons, band=2)
        with pytest.raises(GeoError, match=r"threshold .* is NaN"):
            zonal(dataset, polygons, below=(np.nan,))
        with pytest.raises(GeoError, match="one of them twice"):
            class_share(dataset, polygons, (1.0, 1.0))
        with pytest.raises(CrsError, match="none that PROJ knows"):
            zonal(dataset, polygons, crs="EPSG:1")
    with (
        oracle.open_raster(np.ones((2, 2), dtype=np.complex64), transform, "EPSG:4326") as dataset,
        pytest.raises(GeoError, match="complex"),
    ):
        zonal(dataset, polygons)
    with oracle.open_raster(np.ones((2, 2)), transform, None) as dataset:
        with pytest.raises(CrsError, match="states no CRS"):
            zonal(dataset, polygons)
        assert zonal(dataset, polygons, crs="EPSG:4326").mean == 1.0
    with (
        oracle.open_raster(
            np.ones((2, 2)), Affine(1.0, 1.0, 0.0, 1.0, 1.0, 2.0), "EPSG:4326"
        ) as dataset,
        pytest.raises(GeoError, match="no inverse"),
    ):
        zonal(dataset, polygons)


@pytest.mark.parametrize(
    ("crs", "bounds"),
    [
        ("EPSG:5070", (-125, 24, -66, 50)),
        ("EPSG:32130", (-72, 41, -71, 42)),
        ("EPSG:3438", (-72, 41, -71, 42)),
        ("EPSG:32619", (-74, 25, -66, 49)),
        ("EPSG:4269", (-125, 24, -66, 50)),
        ("EPSG:3857", (-180, -90, 180, 90)),
        ("EPSG:3338", (170, 50, 180, 60)),
    ],
)
def test_vertices_are_projected_as_proj_does(crs, bounds):
    rng = np.random.default_rng(6)
    lonlat = rng.uniform(bounds[:2], bounds[2:], (3_000, 2))
    lonlat[:3] = [[np.nan, 40.0], [-71.5, 90.0], [180.0, 41.0]]
    unit = 1e-12 if crs == "EPSG:4269" else 3e-8
    projection = Projection.of(pyproj.CRS(crs), lonlat, unit)
    x, y = projection(lonlat)
    proj = pyproj.Transformer.from_crs("OGC:CRS84", crs, always_xy=True)
    exact_x, exact_y = proj.transform(*lonlat[1:].T)
    known = np.isfinite(exact_x) & np.isfinite(exact_y)
    assert known.mean() > 0.99
    # Between nodes the largest error is a few times that of a cell's middle.
    np.testing.assert_allclose(x[1:][known], exact_x[known], rtol=0, atol=3.0 * unit)
    np.testing.assert_allclose(y[1:][known], exact_y[known], rtol=1e-15, atol=3.0 * unit)
    assert np.isnan(x[0])
    assert not np.isfinite(y[1:][~known]).any()
    # Most cells are interpolated, and a point's place does not depend on the others.
    assert len(projection._between(lonlat)[2]) < 0.5 * len(lonlat)
    few = Projection.of(pyproj.CRS(crs), lonlat[50:60].copy(), unit)(lonlat[50:60].copy())
    assert np.array(few).tobytes() == np.array([x[50:60], y[50:60]]).tobytes()


mirror = [
    pytest.mark.mirror,
    pytest.mark.skipif(not MIRROR.is_dir(), reason="../shared/mirror is not here"),
]
RHODE_ISLAND = (-71.87, 41.3, -71.12, 42.02)


@pytest.fixture(scope="module")
def shapes():
    frame = gpd.read_file(MIRROR / "parcels" / "Rhode_Island.gpkg")
    return shapely.force_2d(frame.geometry.to_numpy())


class TestRhodeIsland:
    pytestmark = mirror

    @pytest.mark.parametrize("name", ["srtm_slope", "nlcd", "padus", "smod", "trans_barriers"])
    def test_real_parcels_agree_with_exactextract(self, shapes, name):
        with rasterio.open(MIRROR / "constraints" / f"ri_{name}.tif") as dataset:
            met = assert_agrees_with_exactextract(shapes, dataset, dataset.crs.to_wkt())
        assert met > (3_400 if name != "padus" else 10)

    def test_real_parcels_agree_with_clipped_cells(self, shapes):
        with rasterio.open(MIRROR / "constraints" / "ri_srtm_slope.tif") as dataset:
            polygons = Polygons.from_shapes(shapes)
            stats = zonal(dataset, polygons, below=(2.0, 5.0))
            planar = oracle.to_plane(shapes, "EPSG:32130")
            values, at = dataset.read(1).astype(float), dataset.transform
            for i in range(0, len(shapes), 29):
                west, south, east, north = shapely.bounds(planar[i])
                column, row = int((west - at.c) / at.a) - 1, int((north - at.f) / at.e) - 1
                wide, high = int((east - west) / at.a) + 4, int((south - north) / at.e) + 4
                known, mean, most, least, under, _ = oracle.statistics(
                    planar[i],
                    values[row : row + high, column : column + wide],
                    Affine(at.a, 0.0, at.c + column * at.a, 0.0, at.e, at.f + row * at.e),
                    (2.0, 5.0),
                )
                np.testing.assert_allclose(stats.known_share[i], known, rtol=1e-9)
                np.testing.assert_allclose(stats.mean[i], mean, rtol=1e-9)
                np.testing.assert_allclose(stats.below_share[i], under, rtol=1e-9, atol=1e-9)
                assert (stats.max[i], stats.min[i]) == (most, least)

    def test_a_mislabelled_raster_is_named(self):
        for name in ("nlcd", "smod"):
            with rasterio.open(MIRROR / "constraints" / f"ri_{name}.tif") as dataset:
                check_place(dataset, RHODE_ISLAND)
                # The same state plane in feet.
                with pytest.raises(CrsError, match="nowhere near"):
                    check_place(dataset, RHODE_ISLAND, "EPSG:3654")

    def test_the_two_state_planes_of_the_mirror_are_one(self, shapes):
        # Land cover is in EPSG:3653 (NSRS2007), the others in EPSG:32130 (NAD83): metres, the same place.
        polygons = Polygons.from_shapes(shapes)
        with rasterio.open(MIRROR / "constraints" / "ri_nlcd.tif") as dataset:
            assert dataset.crs.to_epsg() == 3653
            stated = class_share(dataset, polygons, (22, 41))
            other = class_share(dataset, polygons, (22, 41), crs="EPSG:32130")
        np.testing.assert_allclose(stated.share, other.share, rtol=1e-9, atol=1e-9)
        assert stated.share.sum() > 100
