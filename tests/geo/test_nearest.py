import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st

from geo.errors import CrsError, GeometryError
from geo.features import FeatureIndex
from geo.nearest import k_nearest, k_nearest_edge, nearest, nearest_edge
from geo.polygons import Polygons
from tests.oracle.geodesic import (
    GEOD,
    METRES_PER_MILE,
    all_pairs_m,
    edge_to_line_m,
    edge_to_point_m,
    edge_to_polygon_m,
    point_to_line_m,
)
from tests.oracle.near_shapes import corners, neighbours, rough_parcels
from tests.oracle.shapes import around, clusters, examples, lines, places, scales_m, seeds

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
    _assert_nearest(feature_no, distance_mi, true_m, error_m=2e-4)

    feature_nos, distances_mi = k_nearest(index, lon, lat, 5)
    np.testing.assert_array_equal(feature_nos[:, 0], feature_no)
    count = min(5, len(features))
    expected_m = np.sort(true_m, axis=1)[:, :count]
    got_m = distances_mi[:, :count] * METRES_PER_MILE
    # Those that tie within 1 mm may change places.
    np.testing.assert_allclose(got_m, expected_m, rtol=0, atol=1.5e-3)
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


def _assert_edge(distance_mi, true_m, *, error_m=0.05, error_share=1e-6):
    """Metres agree; what is nearer than 10 cm, more or less, is at 0."""
    got_m, true_m = np.asarray(distance_mi) * METRES_PER_MILE, np.asarray(true_m)
    touches = (got_m == 0.0) & (true_m < 0.1 + error_m)
    assert (touches | (got_m >= 0.1 - error_m)).all()
    near = np.abs(got_m - true_m) <= error_m + error_share * true_m
    assert (touches | near).all(), (got_m, true_m)


@examples(30)
@given(rough_parcels(), scales_m, seeds)
def test_nearest_point_to_an_edge_is_the_one_by_geod(parcel, scale_m, seed):
    rng = np.random.default_rng(seed)
    centre = parcel.representative_point()
    points = around((centre.x, centre.y), rng.uniform(0, 360, 20), scale_m * rng.random(20))
    assume((np.abs(points[:, 1]) < 60).all())
    true_m = np.array([edge_to_point_m(parcel, x, y) for x, y in points])
    index = FeatureIndex.from_points(*points.T)
    parcel_series = gpd.GeoSeries([parcel], crs="OGC:CRS84")
    feature_no, distance_mi = nearest_edge(index, parcel_series)
    _assert_edge(distance_mi[0], true_m.min())
    assert true_m[feature_no[0]] <= true_m.min() * (1 + 2e-6) + 0.2

    feature_nos, distances_mi = k_nearest_edge(index, parcel_series, 25)
    assert feature_nos[0, 0] == feature_no[0]
    assert sorted(feature_nos[0, :20]) == list(range(20))
    _assert_edge(distances_mi[0, :20], true_m[feature_nos[0, :20]])
    assert (np.diff(distances_mi[0, :20]) >= 0).all()
    assert (feature_nos[0, 20:] == -1).all()
    assert np.isnan(distances_mi[0, 20:]).all()


@examples(15)
@given(st.data(), lines(most=4))
def test_nearest_line_to_an_edge_is_the_one_by_geod(data, features):
    corner = tuple(shapely.get_coordinates(features)[0])
    scale_m, seed = data.draw(scales_m), data.draw(seeds)
    near = around(corner, [np.random.default_rng(seed).uniform(0, 360)], [scale_m / 3])[0]
    assume(abs(near[1]) < 60)
    parcel = data.draw(rough_parcels(near=tuple(near)))
    true_m = np.array([edge_to_line_m(parcel, line) for line in features])
    feature_no, distance_mi = nearest_edge(FeatureIndex.from_lines(features), np.array([parcel]))
    # The oracle takes the least over corners, which geodesics across long edges undercut.
    _assert_edge(distance_mi[0], true_m.min(), error_share=1e-5)
    assert true_m[feature_no[0]] <= true_m.min() * (1 + 2e-5) + 0.2


@examples(8)
@given(neighbours(count=3), st.data(), scales_m)
def test_nearest_polygon_is_the_one_by_geod(shapes_and_place, data, scale_m):
    shapes, place = shapes_and_place
    seed = data.draw(seeds)
    near = around(place, [np.random.default_rng(seed).uniform(0, 360)], [min(scale_m, 3e5)])[0]
    assume(abs(near[1]) < 60)
    parcel = data.draw(rough_parcels(near=tuple(near)))
    index = FeatureIndex.from_polygons(gpd.GeoSeries(shapes, crs="EPSG:4326"))
    true_m = np.array([edge_to_polygon_m(parcel, shape) for shape in shapes])
    feature_no, distance_mi = nearest_edge(index, np.array([parcel]))
    _assert_edge(distance_mi[0], true_m.min(), error_m=0.06)
    assert true_m[feature_no[0]] <= true_m.min() * (1 + 2e-6) + 0.2
    feature_nos, distances_mi = k_nearest_edge(index, np.array([parcel]), 3)
    _assert_edge(distances_mi[0], true_m[feature_nos[0]], error_m=0.06)

    lon, lat = np.vstack([near, place, shapely.get_coordinates(parcel)[:3]]).T
    true_m = np.array(
        [[edge_to_point_m(s, x, y) for s in shapes] for x, y in zip(lon, lat, strict=True)]
    )
    feature_no, distance_mi = nearest(index, lon, lat)
    got_m, least_m = distance_mi * METRES_PER_MILE, true_m.min(axis=1)
    np.testing.assert_allclose(got_m, least_m, rtol=1e-6, atol=0.06)
    assert (got_m[least_m == 0.0] < 0.06).all()


@examples(30)
@given(corners, scales_m, seeds)
def test_poles_and_the_antimeridian_are_like_any_place(place, scale_m, seed):
    rng = np.random.default_rng(seed)
    scale_m = 1e7 if scale_m > 5e5 else scale_m
    features = around(place, rng.uniform(0, 360, 30), scale_m * rng.random(30))
    spots = around(place, rng.uniform(0, 360, 8), scale_m * rng.random(8))
    lon, lat = np.vstack([spots, [place]]).T
    index = FeatureIndex.from_points(*features.T)
    true_m = all_pairs_m(lon, lat, *features.T)
    feature_no, distance_mi = nearest(index, lon, lat)
    _assert_nearest(feature_no, distance_mi, true_m, error_m=2e-4)
    _, distances_mi = k_nearest(index, lon, lat, 30)
    np.testing.assert_allclose(
        distances_mi * METRES_PER_MILE, np.sort(true_m, axis=1), rtol=0, atol=1.5e-3
    )


def test_a_parcel_in_two_parts_at_the_antimeridian():
    parcel = shapely.MultiPolygon(
        [shapely.box(179.99, 51, 180, 51.01), shapely.box(-180, 51, -179.99, 51.01)]
    )
    lon, lat = np.array([-179.98, 179.98, 179.995, -179.995]), np.full(4, 51.005)
    _, distances_mi = k_nearest_edge(FeatureIndex.from_points(lon, lat), np.array([parcel]), 4)
    true_m = sorted(edge_to_point_m(parcel, x, y) for x, y in zip(lon, lat, strict=True))
    _assert_edge(distances_mi[0], true_m)
    line = FeatureIndex.from_lines(np.array([shapely.LineString([(179.5, 51.1), (-179.5, 51.1)])]))
    _, distance_mi = nearest_edge(line, np.array([parcel]))
    # The geodesic over the antimeridian, not the line around the earth: 10 km north, and bowed up.
    across = GEOD.npts(179.5, 51.1, -179.5, 51.1, 1)[0]
    expected_m = min(
        edge_to_point_m(parcel, *p) for p in [across, *GEOD.npts(179.5, 51.1, -179.5, 51.1, 99)]
    )
    assert distance_mi[0] * METRES_PER_MILE == pytest.approx(expected_m, rel=1e-5)


def test_edges_once_around_the_earth_are_followed():
    cap = shapely.box(-180, 60, 180, 90)
    lon, lat = np.array([0.0, 90.0, -135.0, 10.0]), np.array([59.0, 58.0, 57.0, 75.0])
    index = FeatureIndex.from_points(lon, lat)
    feature_nos, distances_mi = k_nearest_edge(index, np.array([cap]), 4)
    assert feature_nos[0].tolist() == [3, 0, 1, 2]
    true_m = [GEOD.inv(x, y, x, 60.0)[2] for x, y in zip(lon[:3], lat[:3], strict=True)]
    np.testing.assert_allclose(distances_mi[0] * METRES_PER_MILE, [0, *true_m], atol=0.1)
    polygons = FeatureIndex.from_polygons(np.array([cap]))
    np.testing.assert_allclose(
        nearest(polygons, lon, lat)[1] * METRES_PER_MILE, [*true_m, 0], atol=0.1
    )


LAKE = shapely.box(-100.2, 39.8, -99.8, 40.2) - SQUARE


@pytest.mark.parametrize(
    ("parcel", "apart"),
    [
        (shapely.box(-100.19, 39.9, -100.18, 39.91), False),  # in the polygon
        (shapely.box(-101, 39, -99, 41), False),  # around it
        (shapely.box(-100.3, 39.9, -100.2, 39.91), False),  # touching it from outside
        (shapely.box(-100.1, 39.9, -100.0, 39.91), False),  # touching it from its hole
        (shapely.box(-100.01, 39.99, -100.0, 40.0), True),  # in its hole
        (SQUARE, False),  # filling its hole
        (
            shapely.box(-100.3, 39.7, -99.7, 40.3) - shapely.box(-100.29, 39.71, -99.71, 40.29),
            True,
        ),  # around it, apart
        (
            shapely.MultiPolygon(
                [shapely.box(-98, 40, -97.9, 40.1), shapely.box(-100.19, 40, -100.18, 40.1)]
            ),
            False,  # its second part in the polygon
        ),
    ],
)
def test_what_lies_in_a_polygon_or_holds_it_is_at_zero(parcel, apart):
    index = FeatureIndex.from_polygons(np.array([LAKE]))
    _, distance_mi = nearest_edge(index, np.array([parcel]))
    if apart:
        _assert_edge(distance_mi, [edge_to_polygon_m(parcel, LAKE)])
    else:
        assert distance_mi[0] == 0.0


def test_of_polygons_that_overlap_the_lowest_wins_and_all_are_found():
    shapes = np.array([shapely.Point(-100, 40).buffer(r) for r in (0.3, 0.1, 0.2, 0.4)])
    index = FeatureIndex.from_polygons(Polygons.from_shapes(shapes[[1, 0, 2, 3]]))
    lon, lat = [-100.0, -100.15, -100.25, -100.35, -101.0], [40.0] * 5
    feature_no, distance_mi = nearest(index, lon, lat)
    assert feature_no.tolist() == [0, 1, 1, 3, 3]
    assert (distance_mi[:4] == 0).all()
    assert distance_mi[4] > 20
    feature_nos, distances_mi = k_nearest(index, lon, lat, 4)
    assert feature_nos.tolist() == [
        [0, 1, 2, 3], [1, 2, 3, 0], [1, 3, 2, 0], [3, 1, 2, 0], [3, 1, 2, 0]
    ]  # fmt: skip
    assert (distances_mi[:3] == 0).sum() == 9


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
        FeatureIndex.from_polygons(np.array([], dtype=object)),
    ):
        feature_no, distance_mi = run(empty)
        assert feature_no.tolist() == [-1, -1]
        assert np.isnan(distance_mi).all()


def test_no_queries_is_no_answers():
    index = FeatureIndex.from_points([-100.3], [40.0])
    assert nearest(index, [], [])[0].shape == (0,)
    assert nearest_edge(index, gpd.GeoSeries([], crs="EPSG:4326"))[1].shape == (0,)
    assert k_nearest_edge(index, gpd.GeoSeries([], crs="EPSG:4326"), 2)[1].shape == (0, 2)


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("kind", ["points", "lines", "polygons"])
def test_order_threads_and_blocks_do_not_change_a_bit(kind, k):
    rng = np.random.default_rng(5)
    features = np.column_stack([rng.uniform(-100, -94, 400), rng.uniform(32, 38, 400)])
    # Many ties: a lattice, features twice, lines that share their ends.
    features[:200] = np.round(features[:200] * 4) / 4
    if kind == "points":
        index = FeatureIndex.from_points(*features.T)
    elif kind == "lines":
        ends = features + rng.uniform(-0.2, 0.2, features.shape)
        chains = [
            [a, b, c] for a, b, c in zip(features, ends, np.roll(features, 1, 0), strict=True)
        ]
        index = FeatureIndex.from_lines(shapely.linestrings(np.array(chains)))
    else:
        boxes = shapely.box(*features.T, *(features + rng.uniform(0.01, 0.2, (400, 2))).T)
        index = FeatureIndex.from_polygons(boxes)
    # In order along a path, so that neighbours help each other, and some on the lattice.
    path = np.cumsum(rng.normal(0, 0.01, (6000, 2)), axis=0)
    spots = np.array([-97.0, 35.0]) + np.clip(path, -4, 4)
    spots[::7] = np.round(spots[::7] * 8) / 8
    parcels = Polygons.from_shapes(_squares(spots, rng))
    order = rng.permutation(len(spots))
    answers = [
        k_nearest(index, *spots.T, k, workers=1),
        k_nearest_edge(index, parcels, k, workers=1),
    ]
    shuffled = [
        k_nearest(index, *spots[order].T, k, workers=2),
        k_nearest_edge(index, parcels.take(order), k, workers=2),
    ]
    part = slice(1234, 1300)
    parts = [
        k_nearest(index, *spots[part].T, k),
        k_nearest_edge(index, parcels.take(part), k),
    ]
    for whole, other, some in zip(answers, shuffled, parts, strict=True):
        for a, b, c in zip(whole, other, some, strict=True):
            assert a[order].tobytes() == b.tobytes()
            assert a[part].tobytes() == c.tobytes()


def _squares(spots, rng):
    half = rng.uniform(1e-4, 0.01, (len(spots), 1)) * rng.uniform(0.5, 2.0, (len(spots), 2))
    return shapely.box(*(spots - half).T, *(spots + half).T)


def test_k_of_features_with_many_pieces_are_distinct_and_complete():
    rng = np.random.default_rng(8)
    starts = np.column_stack([rng.uniform(-100, -99, 30), rng.uniform(40, 41, 30)])
    chains = starts[:, None] + np.cumsum(rng.normal(0, 0.05, (30, 8, 2)), axis=1)
    features = shapely.linestrings(chains)
    lon, lat = rng.uniform(-100.5, -98.5, 12), rng.uniform(39.5, 41.5, 12)
    feature_nos, distances_mi = k_nearest(FeatureIndex.from_lines(features), lon, lat, 30)
    true_m = np.array(
        [[point_to_line_m(x, y, f) for f in features] for x, y in zip(lon, lat, strict=True)]
    )
    assert (np.sort(feature_nos, axis=1) == np.arange(30)).all()
    got_m = distances_mi * METRES_PER_MILE
    np.testing.assert_allclose(got_m, np.take_along_axis(true_m, feature_nos, 1), atol=0.02)
    for k in (2, 7):
        fewer = k_nearest(FeatureIndex.from_lines(features), lon, lat, k)
        np.testing.assert_array_equal(fewer[0], feature_nos[:, :k])
        np.testing.assert_array_equal(fewer[1], distances_mi[:, :k])


def test_rings_without_an_area_and_pinched_ones_are_measured_by_their_edges():
    flat = shapely.Polygon([(-100, 40), (-99.99, 40), (-99.98, 40), (-100, 40)])
    dot = shapely.Polygon([(-100, 40)] * 4)
    bow = shapely.Polygon([(-100, 40), (-99.99, 40.01), (-99.99, 40), (-100, 40.01)])
    index = FeatureIndex.from_points([-100.02], [40.0])
    _, distance_mi = nearest_edge(index, np.array([flat, dot, bow]))
    expected_m = GEOD.inv(-100.02, 40.0, -100.0, 40.0)[2]
    np.testing.assert_allclose(distance_mi * METRES_PER_MILE, expected_m, atol=1e-4)


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
    with pytest.raises(GeometryError, match="Polygon 0 of 1 is a Point"):
        FeatureIndex.from_polygons(np.array([shapely.Point(-100, 40)]))
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
