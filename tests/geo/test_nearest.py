import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st

from geo.errors import CrsError, GeometryError
from geo.features import FeatureIndex
from geo.nearest import k_nearest, k_nearest_edge, nearest, nearest_edge
from tests.oracle.geodesic import (
    GEOD,
    METRES_PER_MILE,
    all_pairs_m,
    edge_to_line_m,
    edge_to_point_m,
    point_to_line_m,
)
from tests.oracle.shapes import around, clusters, examples, lines, parcels, places, scales_m, seeds

SQUARE = shapely.box(-100.1, 39.9, -99.9, 40.1)
DONUT = SQUARE - shapely.box(-100.05, 39.95, -99.95, 40.05)


def _assert_nearest(feature_no, distance_mi, true_m, *, error_m, error_share=0.0):
    """`true_m` (n, m): the winner is as near as any, none with a lower number is as near, and so on."""
    row = np.arange(len(true_m))
    least_m = true_m.min(axis=1)
    allowed_m = error_m + error_share * least_m
    distance_m = distance_mi * METRES_PER_MILE
    assert (np.abs(distance_m - least_m) <= allowed_m).all(), (distance_m, least_m)
    assert (true_m[row, feature_no] <= least_m + 1e-3 + 2 * allowed_m).all()
    ahead = np.arange(true_m.shape[1]) < feature_no[:, None]
    assert (true_m[ahead] > np.broadcast_to(least_m[:, None], true_m.shape)[ahead]).all()


@examples(60)
@given(clusters(), places, scales_m, seeds)
def test_nearest_point_is_the_one_by_geod(features, place, scale_m, seed):
    rng = np.random.default_rng(seed)
    far = around(place, rng.uniform(0, 360, 20), scale_m * rng.random(20))
    near = around(features[0], rng.uniform(0, 360, 20), scale_m * rng.random(20) / 10)
    lon, lat = np.vstack([far, near, features]).T
    index = FeatureIndex.from_points(*features.T)
    true_m = all_pairs_m(lon, lat, *features.T)
    feature_no, distance_mi = nearest(index, lon, lat)
    _assert_nearest(feature_no, distance_mi, true_m, error_m=1e-3, error_share=1e-10)

    feature_nos, distances_mi = k_nearest(index, lon, lat, 5)
    np.testing.assert_array_equal(feature_nos[:, 0], feature_no)
    count = min(5, len(features))
    expected_m = np.sort(true_m, axis=1)[:, :count]
    got_m = distances_mi[:, :count] * METRES_PER_MILE
    np.testing.assert_allclose(got_m, expected_m, rtol=1e-9, atol=3e-3)
    assert (feature_nos[:, count:] == -1).all()
    assert np.isnan(distances_mi[:, count:]).all()
    assert all(len(set(row[:count])) == count for row in feature_nos)


@examples(20)
@given(lines(most=8), scales_m, seeds)
def test_nearest_line_is_the_one_by_geod(features, scale_m, seed):
    rng = np.random.default_rng(seed)
    corners = shapely.get_coordinates(features)
    off = around(corners[0], rng.uniform(0, 360, 6), scale_m * rng.random(6))
    lon, lat = np.vstack([off, corners[:2]]).T
    index = FeatureIndex.from_lines(features)
    true_m = np.array(
        [[point_to_line_m(x, y, line) for line in features] for x, y in zip(lon, lat, strict=True)]
    )
    feature_no, distance_mi = nearest(index, lon, lat)
    distance_m, least_m = distance_mi * METRES_PER_MILE, true_m.min(axis=1)
    np.testing.assert_allclose(distance_m, least_m, rtol=1e-7, atol=0.02)
    assert (true_m[np.arange(len(lon)), feature_no] <= least_m * (1 + 2e-7) + 0.04).all()
    # The last line is the first one backwards.
    assert (feature_no < len(features) - 1).all()

    _, distances_mi = k_nearest(index, lon, lat, 3)
    count = min(3, len(features))
    expected_m = np.sort(true_m, axis=1)[:, :count]
    got_m = distances_mi[:, :count] * METRES_PER_MILE
    np.testing.assert_allclose(got_m, expected_m, rtol=1e-7, atol=0.03)


@examples(40)
@given(parcels(), scales_m, seeds)
def test_nearest_point_to_an_edge_is_the_one_by_geod(parcel, scale_m, seed):
    assume(parcel.is_valid)
    rng = np.random.default_rng(seed)
    centre = parcel.representative_point()
    points = around((centre.x, centre.y), rng.uniform(0, 360, 30), scale_m * rng.random(30))
    assume((np.abs(points[:, 1]) < 80).all())
    # Less than 10 cm is touching.
    true_m = np.array([[edge_to_point_m(parcel, x, y) for x, y in points]])
    index = FeatureIndex.from_points(*points.T)
    parcel_series = gpd.GeoSeries([parcel], crs="OGC:CRS84")
    feature_no, distance_mi = nearest_edge(index, parcel_series)
    _assert_nearest(feature_no, distance_mi, true_m, error_m=0.11, error_share=1e-6)

    _, distances_mi = k_nearest_edge(index, parcel_series, 4)
    expected_m = np.sort(true_m, axis=1)[:, :4]
    np.testing.assert_allclose(distances_mi * METRES_PER_MILE, expected_m, rtol=1e-6, atol=0.11)


@examples(15)
@given(st.data(), lines(most=4))
def test_nearest_line_to_an_edge_is_the_one_by_geod(data, features):
    corner = tuple(shapely.get_coordinates(features)[0])
    scale_m, seed = data.draw(scales_m), data.draw(seeds)
    near = around(corner, [np.random.default_rng(seed).uniform(0, 360)], [scale_m / 3])[0]
    assume(abs(near[1]) < 70)
    parcel = data.draw(parcels(near=tuple(near)))
    assume(parcel.is_valid)
    true_m = [edge_to_line_m(parcel, line) for line in features]
    feature_no, distance_mi = nearest_edge(FeatureIndex.from_lines(features), np.array([parcel]))
    error_m = 0.3 + 1e-5 * min(true_m)
    assert distance_mi[0] * METRES_PER_MILE == pytest.approx(min(true_m), abs=error_m)
    assert true_m[feature_no[0]] <= min(true_m) + 2 * error_m


@pytest.mark.parametrize(
    ("parcel", "point", "inside"),
    [
        (SQUARE, (-100.0, 40.0), True),
        (SQUARE, (-100.1, 40.1), True),
        (SQUARE, (-100.1, 40.0), True),
        (SQUARE, (-100.1001, 40.0), False),
        (DONUT, (-100.0, 40.0), False),
        (DONUT, (-100.07, 40.0), True),
        (DONUT, (-100.05, 40.0), True),
        (
            shapely.MultiPolygon([shapely.box(-101, 40, -100.9, 40.1), SQUARE]),
            (-100.5, 40.05),
            False,
        ),
        (
            shapely.MultiPolygon([shapely.box(-101, 40, -100.9, 40.1), SQUARE]),
            (-100.95, 40.05),
            True,
        ),
    ],
)
def test_touching_and_inside_are_zero_and_holes_are_outside(parcel, point, inside):
    index = FeatureIndex.from_points([point[0]], [point[1]])
    _, distance_mi = nearest_edge(index, np.array([parcel]))
    if inside:
        assert distance_mi[0] == 0.0
    else:
        expected_m = edge_to_point_m(parcel, *point)
        assert distance_mi[0] * METRES_PER_MILE == pytest.approx(expected_m, rel=1e-6)


def test_a_line_through_a_parcel_is_at_zero_and_one_in_its_hole_is_not():
    across = shapely.LineString([(-101, 40.01), (-99, 40.02)])
    in_hole = shapely.LineString([(-100.02, 40), (-99.98, 40)])
    parcel = np.array([DONUT])
    assert nearest_edge(FeatureIndex.from_lines(np.array([across])), parcel)[1][0] == 0.0
    _, distance_mi = nearest_edge(FeatureIndex.from_lines(np.array([in_hole])), parcel)
    assert distance_mi[0] * METRES_PER_MILE == pytest.approx(
        edge_to_line_m(DONUT, in_hole), rel=1e-4
    )


def test_a_parcel_the_size_of_a_state_misses_nothing():
    # 1,000 km wide: straight in lon/lat is 20 km off the geodesic along its north.
    parcel = shapely.box(-111, 41, -99, 45)
    rng = np.random.default_rng(1)
    points = np.column_stack([rng.uniform(-116, -94, 200), rng.uniform(37, 49, 200)])
    points = points[~shapely.contains_xy(parcel, *points.T)]
    true_m = np.array([edge_to_point_m(parcel, x, y) for x, y in points])
    feature_nos, distances_mi = k_nearest_edge(
        FeatureIndex.from_points(*points.T), np.array([parcel]), 200
    )
    count = len(points)
    assert sorted(feature_nos[0, :count]) == list(range(count))
    got_m = distances_mi[0, :count] * METRES_PER_MILE
    np.testing.assert_allclose(got_m, true_m[feature_nos[0, :count]], rtol=1e-5, atol=0.3)
    assert (np.diff(got_m) >= 0).all()


def test_of_equals_the_lowest_number_wins():
    lon, lat = [-100, -98, -100, -98], [40, 40, 40, 40]
    index = FeatureIndex.from_points(lon, lat)
    # Midway on the same parallel: equal but for rounding.
    assert nearest(index, [-99, -99.5, -98.5], [41, 40, 40])[0].tolist() == [0, 0, 1]
    assert k_nearest(index, [-99], [41], 4)[0].tolist() == [[0, 1, 2, 3]]
    assert nearest_edge(index, np.array([shapely.box(-99.1, 40, -98.9, 41)]))[0].tolist() == [0]
    line = shapely.LineString([(-100, 40), (-99, 40.7), (-98, 41)])
    pair = np.array([shapely.reverse(line), line])
    lon, lat = around((-99, 40), np.arange(0, 360, 5), np.full(72, 3e4)).T
    assert not nearest(FeatureIndex.from_lines(pair), lon, lat)[0].any()


def test_many_features_at_one_place():
    lon, lat = np.repeat([-100.0, -98.0], 300), np.full(600, 40.0)
    feature_no, distance_mi = nearest(FeatureIndex.from_points(lon, lat), [-100, -98.1], [40, 40])
    assert feature_no.tolist() == [0, 300]
    assert distance_mi[0] == 0.0
    feature_nos, _ = k_nearest(FeatureIndex.from_points(lon, lat), [-98.1], [40], 301)
    assert feature_nos[0].tolist() == [*range(300, 600), 0]


@examples(30)
@given(places, st.floats(0, 360), st.floats(-11.0, 11.0))
def test_within_100_miles_is_decided_as_geod_does(place, bearing, off_m):
    (lon, lat), *_ = around(place, [bearing], [100 * METRES_PER_MILE + off_m])
    index = FeatureIndex.from_points([lon], [lat])
    feature_no, distance_mi = nearest(index, [place[0]], [place[1]], max_mi=100.0)
    if abs(off_m) > 0.001:
        assert (feature_no[0] == 0) == (off_m < 0)
        assert np.isnan(distance_mi[0]) == (off_m > 0)
    edge_no, _ = nearest_edge(index, np.array([shapely.Point(place).buffer(1e-7)]), max_mi=100.0)
    if abs(off_m) > 0.1:
        assert (edge_no[0] == 0) == (off_m < 0)


@pytest.mark.parametrize("search", ["centre", "edge"])
def test_nothing_near_is_minus_one_and_nan(search):
    shapes = np.array([SQUARE, shapely.box(-80, 30, -79.9, 30.1)])
    here = shapely.get_coordinates(shapely.centroid(shapes)).T

    def run(index, **options):
        if search == "edge":
            return nearest_edge(index, shapes, **options)
        return nearest(index, *here, **options)

    index = FeatureIndex.from_points([-100.3], [40.0])
    feature_no, distance_mi = run(index, max_mi=50)
    assert feature_no.dtype == np.int64
    assert feature_no.tolist() == [0, -1]
    assert np.isfinite(distance_mi).tolist() == [True, False]
    for empty in (
        FeatureIndex.from_points([], []),
        FeatureIndex.from_lines(np.array([], dtype=object)),
    ):
        feature_no, distance_mi = run(empty)
        assert feature_no.tolist() == [-1, -1]
        assert np.isnan(distance_mi).all()


def test_no_queries_is_no_answers():
    index = FeatureIndex.from_points([-100.3], [40.0])
    assert nearest(index, [], [])[0].shape == (0,)
    assert nearest_edge(index, gpd.GeoSeries([], crs="EPSG:4326"))[1].shape == (0,)
    assert k_nearest_edge(index, gpd.GeoSeries([], crs="EPSG:4326"), 2)[1].shape == (0, 2)


def test_order_and_threads_do_not_change_a_bit():
    rng = np.random.default_rng(5)
    index = FeatureIndex.from_points(rng.uniform(-100, -90, 500), rng.uniform(30, 40, 500))
    lon, lat = rng.uniform(-101, -89, 5000), rng.uniform(29, 41, 5000)
    one = nearest(index, lon, lat, workers=1)
    order = rng.permutation(5000)
    two = nearest(index, lon[order], lat[order], workers=2)
    for a, b in zip(one, two, strict=True):
        assert a[order].tobytes() == b.tobytes()


def test_dead_ends_of_lines():
    # A line of no length is a point; repeated vertices change nothing.
    dot = shapely.LineString([(-100, 40), (-100, 40)])
    line = shapely.LineString([(-100, 41), (-100, 41), (-99, 41), (-99, 41)])
    feature_no, distance_mi = nearest(
        FeatureIndex.from_lines(np.array([dot, line])), [-100.1, -99.5], [40, 41]
    )
    assert feature_no.tolist() == [0, 1]
    assert distance_mi[0] * METRES_PER_MILE == pytest.approx(GEOD.inv(-100.1, 40, -100, 40)[2])


def test_bad_input_is_refused_by_name():
    index = FeatureIndex.from_points([-100.3], [40.0])
    with pytest.raises(GeometryError, match="Feature 1"):
        FeatureIndex.from_points([-100, np.nan], [40, 40])
    with pytest.raises(GeometryError, match="Point 0"):
        nearest(index, [np.nan], [40])
    with pytest.raises(GeometryError, match="Line 0 of 1 is a Point"):
        FeatureIndex.from_lines(np.array([shapely.Point(-100, 40)]))
    with pytest.raises(GeometryError, match="Line 0 of 1 is empty"):
        FeatureIndex.from_lines(np.array([shapely.LineString()]))
    with pytest.raises(GeometryError, match="Parcel 1 of 2 is missing"):
        nearest_edge(index, np.array([SQUARE, None]))
    with pytest.raises(GeometryError, match="Parcel 0 of 1 is a LineString"):
        nearest_edge(index, np.array([shapely.LineString([(0, 0), (1, 1)])]))
    with pytest.raises(CrsError, match="no CRS"):
        nearest_edge(index, gpd.GeoSeries([SQUARE]))
    with pytest.raises(CrsError, match="Albers"):
        FeatureIndex.from_lines(
            gpd.GeoSeries([SQUARE.exterior], crs="EPSG:4326").to_crs("EPSG:5070")
        )
    with pytest.raises(GeometryError, match="0 or more"):
        nearest(index, [-100], [40], max_mi=np.nan)
