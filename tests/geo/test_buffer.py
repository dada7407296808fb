import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.buffer import buffer_m
from geo.errors import CrsError, GeometryError
from tests.geo.test_exclusion import MIRROR, NEEDS_MIRROR
from tests.oracle.geodesic import GEOD, point_to_line_m
from tests.oracle.shapes import around, examples, lines, parcels, places, seeds

NEAREST, FARTHEST = 1.0, 1.001


def distance_m(lon, lat, shape):
    """Geodesic metres from a point to a shape's points, lines and rings, edges straight in lon/lat."""
    least = np.inf
    for part in shapely.get_parts(shape):
        if part.geom_type == "Point":
            least = min(least, GEOD.inv(lon, lat, part.x, part.y)[2])
            continue
        rings = [part] if part.geom_type == "LineString" else shapely.get_rings(part)
        least = min(least, *(point_to_line_m(lon, lat, ring, edges="lonlat") for ring in rings))
    return least


def assert_true_buffer(shape, metres, rng, count=25):
    """The border lies 1 to 1.001 times as far, in corners and between; what is nearer is inside."""
    [grown] = buffer_m(np.array([shape]), metres)
    assert grown.is_valid
    edges = []
    for ring in shapely.get_rings(shapely.get_parts(grown)):
        corners = shapely.get_coordinates(ring)
        share = rng.random((len(corners) - 1, 1))
        edges += [corners[:-1], corners[:-1] + share * np.diff(corners, axis=0)]
    border = np.vstack(edges)
    some = border[rng.permutation(len(border))[:count]]
    far = np.array([distance_m(*point, shape) for point in some]) / metres
    assert far.min() > NEAREST
    assert far.max() < FARTHEST
    corners = shapely.get_coordinates(shape)
    for corner in corners[rng.integers(0, len(corners), count // 2)]:
        [point] = around(corner, rng.uniform(0, 360, 1), metres * 1.2 * rng.random(1))
        far = distance_m(*point, shape) / metres
        if shape.contains(shapely.Point(point)) or far < NEAREST:
            assert grown.contains(shapely.Point(point))
        elif far > FARTHEST:
            assert not grown.contains(shapely.Point(point))


metres_far = st.floats(0.0, 4.0).map(lambda power: 10.0**power)


@examples(12)
@given(parcels(), metres_far, seeds)
def test_borders_of_grown_parcels_are_as_far_as_asked(parcel, metres, seed):
    assert_true_buffer(parcel, metres, np.random.default_rng(seed))


@examples(12)
@given(lines(most=2), metres_far, seeds)
def test_borders_of_grown_lines_are_as_far_as_asked(some, metres, seed):
    assert_true_buffer(some[0], metres, np.random.default_rng(seed), count=15)


@examples(12)
@given(places, seeds, st.floats(1.0, 4.0))
def test_borders_of_lines_that_wind_are_as_far_as_asked(place, seed, power):
    # Steps shorter than the distance, sharp turns back, a line that crosses itself and ends where it began.
    rng = np.random.default_rng(seed)
    metres = 10.0**power
    count = rng.integers(3, 40)
    walk = np.cumsum(rng.normal(0.0, 1.0, (count, 2)), axis=0)
    walk = np.vstack([walk, walk[:1]]) if rng.random() < 0.5 else walk
    walk = np.repeat(walk, rng.integers(1, 3, len(walk)), axis=0)
    step_deg = metres / 111_000 * 10.0 ** rng.uniform(-1.0, 0.7)
    assert_true_buffer(shapely.LineString(np.asarray(place) + walk * step_deg), metres, rng)


def test_a_point_grows_into_a_circle():
    place = (-100.0, 40.0)
    for metres in (1.0, 30.0, 5_000.0, 100_000.0):
        [circle] = buffer_m(np.array([shapely.Point(place)]), metres)
        corners = shapely.get_coordinates(circle)
        for points in (corners, (corners[1:] + corners[:-1]) / 2.0):
            count = len(points)
            far = GEOD.inv(np.full(count, place[0]), np.full(count, place[1]), *points.T)[2]
            assert far.min() > metres * NEAREST
            assert far.max() < metres * FARTHEST


@pytest.mark.parametrize("metres", [30.0, 5_000.0, 100_000.0])
def test_a_long_line_is_right_along_its_whole_length(metres):
    line = shapely.LineString([(-120, 35), (-119, 36.2), (-110, 41), (-100, 40.5), (-90, 45)])
    assert_true_buffer(line, metres, np.random.default_rng(1), count=30)


def test_points_lines_and_rings_that_are_hardly_there():
    place = (-100.0, 40.0)
    shapes = np.array(
        [
            shapely.LineString([place, place]),
            shapely.MultiPoint([place, place]),
            shapely.GeometryCollection([shapely.Point(place), shapely.LineString([place, place])]),
            shapely.Polygon([place, place, place]),
            shapely.LineString([place, (-100.0 + 1e-12, 40.0)]),
        ],
        dtype=object,
    )
    [circle] = shapely.area(buffer_m(np.array([shapely.Point(place)]), 100.0))
    np.testing.assert_allclose(shapely.area(buffer_m(shapes, 100.0)), circle, rtol=1e-3)
    spike = shapely.LineString([place, (-99.99, 40.0), (-99.995, 40.0)])
    straight = shapely.LineString([place, (-99.99, 40.0)])
    one, other = shapely.area(buffer_m(np.array([spike, straight]), 100.0))
    assert one == pytest.approx(other, rel=1e-6)


def test_holes_close_and_parts_join():
    ring = shapely.box(-100, 40, -99.9, 40.1).difference(shapely.box(-99.96, 40.04, -99.94, 40.06))
    small, large = (buffer_m(np.array([ring]), metres)[0] for metres in (100.0, 1_500.0))
    assert len(small.interiors) == 1
    assert shapely.contains_properly(ring.envelope, shapely.Polygon(small.interiors[0]))
    assert len(large.interiors) == 0
    pair = shapely.MultiPolygon(
        [shapely.box(-100, 40, -99.99, 40.01), shapely.box(-99.98, 40, -99.97, 40.01)]
    )
    [apart] = buffer_m(np.array([pair]), 300.0)
    [joined] = buffer_m(np.array([pair]), 500.0)
    assert (apart.geom_type, joined.geom_type) == ("MultiPolygon", "Polygon")
    bowtie = shapely.Polygon([(-100, 40), (-99.9, 40.1), (-99.9, 40), (-100, 40.1)])
    [grown] = buffer_m(np.array([bowtie]), 50.0)
    assert shapely.contains(grown, bowtie.buffer(0))


def test_a_buffer_over_180_degrees_is_cut_there():
    [grown] = buffer_m(np.array([shapely.Point(-179.99, 52.0)]), 5_000.0)
    assert grown.is_valid
    west, _, east, _ = grown.bounds
    assert (west, east) == (-180.0, 180.0)
    [same] = buffer_m(np.array([shapely.Point(-100.0, 52.0)]), 5_000.0)
    assert grown.area == pytest.approx(same.area, rel=1e-9)
    assert shapely.contains_xy(grown, 179.99, 52.0)


def test_missing_and_empty_shapes_stay_so_and_threads_change_nothing():
    rng = np.random.default_rng(3)
    points = shapely.points(rng.uniform([-120, 30], [-80, 48], (700, 2)))
    shapes = np.array([None, shapely.Polygon(), *shapely.buffer(points, 0.01, quad_segs=2)])
    grown = buffer_m(shapes, 200.0)
    assert grown[0] is None
    assert grown[1].is_empty
    one = buffer_m(shapes, 200.0, workers=1)
    np.testing.assert_array_equal(shapely.to_wkb(grown), shapely.to_wkb(one))
    again = buffer_m(gpd.GeoSeries(shapes[::-1], crs="EPSG:4326"), 200.0)
    np.testing.assert_array_equal(shapely.to_wkb(again[::-1]), shapely.to_wkb(one))
    assert buffer_m(shapes[:0], 200.0).shape == (0,)


def test_what_cannot_be_grown_is_refused():
    here = np.array([shapely.Point(-100, 40)])
    for metres in (0.0, -5.0, np.nan, 1e6):
        with pytest.raises(GeometryError, match="buffer is"):
            buffer_m(here, metres)
    with pytest.raises(GeometryError, match="geometry 1 reaches"):
        buffer_m(np.array([here[0], shapely.Point(0, 79.9)]), 50_000.0)
    with pytest.raises(GeometryError, match="no longitude/latitude"):
        buffer_m(np.array([shapely.Point(-100, 95)]), 10.0)
    with pytest.raises(CrsError):
        buffer_m(gpd.GeoSeries(here, crs=5070), 10.0)


@NEEDS_MIRROR
@pytest.mark.mirror
@pytest.mark.parametrize("metres", [30.0, 300.0, 5_000.0])
def test_real_lakes(metres):
    lakes = gpd.read_file(MIRROR / "constraints/Rhode_Island_Water.gpkg").to_crs("OGC:CRS84")
    rng = np.random.default_rng(7)
    shapes = lakes.geometry.to_numpy()[rng.permutation(len(lakes))[:15]]
    for shape in shapes:
        assert_true_buffer(shape, metres, rng, count=10)
    grown = buffer_m(lakes.geometry, metres)
    assert shapely.is_valid(grown).all()
    # Planar buffers in Rhode Island's own plane fill shallow bays, up to 1 % of the distance.
    flat = gpd.GeoSeries(grown, crs="OGC:CRS84").to_crs(32130).area.sum()
    plain = lakes.to_crs(32130).buffer(metres, quad_segs=64).area.sum()
    assert flat == pytest.approx(plain, rel=0.01)
