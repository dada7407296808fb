from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.geodesy import GEOD
from geo.mend import mend_shapes
from geo.polygons import Polygons
from geo.shape import (
    ShapeMeasures,
    area_and_perimeter,
    inner_points,
    shape_keys,
    shape_measures,
)
from tests.oracle import shape as oracle
from tests.oracle.arcs import area_acres
from tests.oracle.shapes import around, examples, parcels, places, seeds

MIRROR = Path(__file__).parents[3] / "shared" / "mirror" / "parcels"
NAMES = tuple(ShapeMeasures.__annotations__)


def metres(shape, place=(-71.5, 41.5), turn=0.0):
    """A shape drawn in metres, laid on the ground at a place."""

    def lay(xy):
        bearing = np.degrees(np.arctan2(xy[:, 0], xy[:, 1])) + turn
        return around(place, bearing, np.hypot(xy[:, 0], xy[:, 1]))

    return shapely.transform(shape, lay)


def measured(*shapes, **options):
    return shape_measures(Polygons.from_shapes(np.array(shapes, dtype=object)), **options)


def assert_right(shape, got, row):
    """Compare one row with shapely and Geod."""
    flat = oracle.azimuthal(shape)
    acres = area_acres(np.array([shape]))[0]
    assert got.area_acres[row] == pytest.approx(acres, rel=1e-9, abs=2.5e-5)
    perimeter_m = oracle.perimeter_m(shape)
    assert got.perimeter_m[row] == pytest.approx(perimeter_m, rel=1e-6)
    compact = 4 * np.pi * acres * 4046.8564224 / perimeter_m**2
    assert got.compactness[row] == pytest.approx(compact, rel=1e-4, abs=1e-9)
    # Straight edges in lon/lat are not quite straight on the ground.
    size_m = np.hypot(flat.bounds[2] - flat.bounds[0], flat.bounds[3] - flat.bounds[1])
    bent_m = size_m**2 / 6.37e6
    width_m = oracle.minimum_width(shapely.get_coordinates(flat))
    assert got.minimum_width_m[row] == pytest.approx(width_m, rel=1e-4, abs=1e-5 + bent_m / 10)
    largest_m = oracle.inscribed_diameter_m(flat)
    here = got.inscribed_diameter_m[row]
    assert here <= largest_m * 1.0002 + bent_m + 0.01
    assert here >= largest_m - max(1.0, 0.01 * largest_m) - 0.0002 * largest_m - bent_m
    # Where it is smaller than a metre, it is still told from none.
    assert here > 0.0
    assert here <= got.minimum_width_m[row] * (1 + 1e-9) + 1e-6


@examples(40)
@given(st.lists(parcels(), min_size=1, max_size=4))
def test_measures_agree_with_shapely_and_geod(shapes):
    got = measured(*shapes)
    for row, shape in enumerate(shapes):
        assert_right(shape, got, row)


@examples(40)
@given(oracle.nasty_polygons(12))
def test_mended_shapes_with_touching_rings_agree(shapes):
    mended = mend_shapes(shapes).polygons
    got = shape_measures(mended)
    for row, shape in enumerate(mended.to_shapes()):
        # Too thin to be told from a line by the oracle.
        if got.area_acres[row] > 1e-3:
            assert_right(shape, got, row)


@pytest.mark.parametrize("turn", [0.0, 27.0, 90.0])
@pytest.mark.parametrize("place", [(-71.5, 41.5), (-80.2, 25.8), (-149.9, 61.2), (151.2, -33.9)])
def test_a_rectangle(place, turn):
    got = measured(metres(shapely.box(-200, -75, 200, 75), place, turn))
    assert got.area_acres[0] == pytest.approx(60_000 / 4046.8564224, rel=1e-5)
    assert got.perimeter_m[0] == pytest.approx(1_100, rel=1e-6)
    assert got.minimum_width_m[0] == pytest.approx(150, rel=1e-6)
    assert got.inscribed_diameter_m[0] == pytest.approx(150, rel=1e-6)
    assert got.compactness[0] == pytest.approx(4 * np.pi * 60_000 / 1_100**2, rel=1e-5)


def test_a_circle_is_compact():
    got = measured(metres(shapely.Point(0, 0).buffer(500, quad_segs=200)))
    assert got.compactness[0] == pytest.approx(1.0, abs=1e-4)
    assert got.minimum_width_m[0] == pytest.approx(1_000, rel=1e-4)
    assert got.inscribed_diameter_m[0] == pytest.approx(1_000, rel=0.01)


def ribbon(width_m, winding):
    along = np.linspace(0, 12 if winding else 1, 300)
    path = (
        np.column_stack([250 * along * np.cos(along), 250 * along * np.sin(along)])
        if winding
        else np.column_stack([20_000 * along - 10_000, 0 * along])
    )
    return metres(shapely.LineString(path).buffer(width_m / 2, cap_style="flat"), turn=15.0)


@pytest.mark.parametrize("winding", [True, False])
def test_a_ribbon_of_many_acres_is_no_campus(winding):
    shape = ribbon(60.0, winding)
    got = measured(shape)
    assert got.area_acres[0] > 250
    assert got.compactness[0] < 0.02
    assert got.inscribed_diameter_m[0] == pytest.approx(60, abs=1.0)
    # Only the circle tells a ribbon that winds through a large hull.
    assert (got.minimum_width_m[0] > 3_000) == winding
    assert_right(shape, got, 0)


def test_holes_are_kept_out_of_the_circle():
    outer = shapely.box(-300, -300, 300, 300)
    got = measured(
        metres(outer), metres(outer.difference(shapely.Point(0, 0).buffer(100))),
        metres(outer.difference(shapely.box(-299, -1, 299, 1))),
    )  # fmt: skip
    assert got.inscribed_diameter_m[0] == pytest.approx(600, rel=1e-4)
    assert got.inscribed_diameter_m[1] == pytest.approx(
        2 * 300 * (2**0.5 - 1 / 3) / (1 + 2**0.5), rel=0.01
    )
    assert got.inscribed_diameter_m[2] == pytest.approx(299, rel=0.01)
    assert got.minimum_width_m == pytest.approx(600, rel=1e-8)


def test_the_circle_lies_in_the_best_part_and_the_width_holds_them_all():
    parts = [
        shapely.box(0, 0, 40, 40),
        shapely.box(200, 0, 300, 100),
        shapely.box(900, 20, 910, 30),
    ]
    got = measured(metres(shapely.MultiPolygon(parts)))
    assert got.inscribed_diameter_m[0] == pytest.approx(100, rel=0.01)
    assert got.minimum_width_m[0] == pytest.approx(
        oracle.minimum_width(shapely.get_coordinates(shapely.MultiPolygon(parts))), rel=1e-5
    )
    assert got.perimeter_m[0] == pytest.approx(160 + 400 + 40, rel=1e-5)


def test_touching_corners_do_not_turn_the_inside_out():
    square = shapely.box(0, 0, 100, 100)
    corner = shapely.MultiPolygon([square, shapely.box(100, 100, 180, 180)])
    wedge = shapely.Polygon(
        square.exterior, [[(0, 0), (60, 30), (30, 60)], [(100, 100), (90, 70), (70, 90)]]
    )
    for shape in (corner, wedge):
        for turn in (0.0, 45.0, 211.0):
            laid = metres(shape, turn=turn)
            assert_right(laid, measured(laid), 0)


def test_hairs_as_thin_as_rounding_do_not_turn_the_inside_out():
    box = metres(shapely.box(0, 0, 100, 100))
    rng = np.random.default_rng(9)
    hairs = []
    while len(hairs) < 40:
        # Beside the box, wide by the last bit of a double.
        lon, lat = -71.5 + rng.uniform(-0.002, -0.0001), 41.5 + rng.uniform(-0.001, 0.002)
        bit = np.spacing(lon)
        hair = shapely.Polygon([(lon, lat), (lon - bit, lat + 1e-4), (lon, lat + 2e-4)])
        if hair.is_valid:
            hairs.append(hair)
    shapes = [shapely.MultiPolygon([box, hair]) for hair in hairs]
    got = measured(*shapes)
    np.testing.assert_allclose(got.inscribed_diameter_m, 100, rtol=0.01)
    assert (got.minimum_width_m > 99.999).all()


def test_repeated_vertices_and_long_straight_edges_change_nothing():
    plain = shapely.Polygon([(0, 0), (90, 0), (90, 40), (0, 60)])
    twice = shapely.Polygon([(0, 0), (0, 0), (45, 0), (90, 0), (90, 40), (90, 40), (0, 60), (0, 0)])
    one, two = measured(metres(plain)), measured(metres(twice))
    for name in NAMES:
        assert getattr(two, name)[0] == pytest.approx(getattr(one, name)[0], rel=2e-6, abs=0.5)


def test_long_edges_are_straight_in_lon_lat():
    wide = shapely.box(-120, 40, -100, 45)
    got = measured(wide)
    assert got.perimeter_m[0] == pytest.approx(oracle.perimeter_m(wide), rel=1e-6)
    # Along geodesics it would be shorter: this is not what the edges are.
    shorter = GEOD.geometry_length(wide.exterior)
    assert got.perimeter_m[0] > shorter * 1.001


def test_no_shapes_and_no_vertices():
    none = Polygons.from_shapes(np.array([], dtype=object))
    got = shape_measures(none)
    assert all(getattr(got, name).shape == (0,) for name in NAMES)
    assert [value.shape for value in inner_points(none)] == [(0,), (0,)]
    assert shape_keys(none).shape == (0,)
    hollow = Polygons(*(np.empty((0, 2)), *(np.zeros(1, np.int64),) * 2, np.zeros(2, np.int64)))
    assert np.isnan([getattr(shape_measures(hollow), name)[0] for name in NAMES]).all()


def test_shapes_that_are_not_valid_end_all_the_same():
    rng = np.random.default_rng(6)
    rings = rng.integers(0, 5, (300, 6, 2)) * 1e-3 + (-71, 41)
    rings = np.concatenate([rings, rings[:, :1]], axis=1)
    shapes = [*shapely.polygons(rings), shapely.Polygon([(-71, 41)] * 4)]
    polygons = Polygons.from_shapes(np.array(shapes))
    got = shape_measures(polygons)
    assert np.isfinite(got.perimeter_m).all()
    assert (got.inscribed_diameter_m >= 0).all()
    lonlat = polygons.lonlat.copy()
    lonlat[::5] = np.nan
    bad = Polygons(lonlat, polygons.ring_start, polygons.part_start, polygons.shape_start)
    assert len(shape_measures(bad).area_acres) == len(shapes)
    assert len(inner_points(bad)[0]) == len(shapes)


@examples(25)
@given(st.lists(parcels(), min_size=2, max_size=6), seeds)
def test_order_chunks_and_threads_change_nothing(shapes, seed):
    rng = np.random.default_rng(seed)
    polygons = Polygons.from_shapes(np.array(shapes, dtype=object))
    order = rng.permutation(np.arange(3_000) % len(shapes))
    many = polygons.take(order)
    one, two = shape_measures(polygons, workers=1), shape_measures(many, workers=2)
    for name in NAMES:
        np.testing.assert_array_equal(getattr(two, name), getattr(one, name)[order])
    for few, more in zip(inner_points(polygons), inner_points(many, workers=2), strict=True):
        np.testing.assert_array_equal(more, few[order])
    np.testing.assert_array_equal(shape_keys(many), shape_keys(polygons)[order])


class TestInnerPoints:
    def check(self, shapes):
        shapes = np.array(shapes, dtype=object)
        lon, lat = inner_points(Polygons.from_shapes(shapes))
        assert shapely.contains_xy(shapes, lon, lat).all()
        centroid = shapely.centroid(shapes)
        is_in = shapely.contains_properly(shapes, centroid)
        np.testing.assert_allclose(lon[is_in], shapely.get_x(centroid[is_in]), atol=1e-9)
        np.testing.assert_allclose(lat[is_in], shapely.get_y(centroid[is_in]), atol=1e-9)
        return is_in

    @examples(60)
    @given(st.lists(parcels(), min_size=1, max_size=8))
    def test_points_lie_inside_and_are_centroids_where_those_do(self, shapes):
        self.check(shapes)

    @examples(40)
    @given(oracle.nasty_polygons(15))
    def test_of_mended_shapes(self, shapes):
        polygons = mend_shapes(shapes).polygons
        shapes = polygons.to_shapes()
        lon, lat = inner_points(polygons)
        # Thinner than what doubles tell apart in degrees, no point is surely inside.
        is_wide = shapely.area(shapes) > 1e-12 * shapely.length(shapes)
        assert shapely.contains_xy(shapes, lon, lat)[is_wide].all()

    def test_where_the_centroid_lies_outside(self):
        ring = shapely.Point(0, 0).buffer(500).difference(shapely.Point(0, 0).buffer(450))
        bracket = shapely.Polygon(
            [(0, 0), (90, 0), (90, 10), (10, 10), (10, 90), (90, 90), (90, 100), (0, 100)]
        )
        parts = shapely.MultiPolygon([shapely.box(0, 0, 10, 10), shapely.box(90, 0, 100, 10)])
        shapes = [metres(shape) for shape in (ring, bracket, parts)]
        assert not self.check(shapes).any()
        # The middle of the widest place.
        lon, lat = inner_points(Polygons.from_shapes(np.array([shapes[2]])))
        assert oracle.distance_to_edge_m(shapes[2], lon[0], lat[0]) == pytest.approx(5, abs=0.3)

    def test_where_even_the_circle_lies_outside(self):
        # A bent strip of 4 cm along 40 km of parallels: chords on the ground leave it by metres.
        thin = 4e-7
        strip = shapely.Polygon([(-72, 42), (-71.5, 42), (-71.5, 42.2), (-71.5 - thin, 42.2),
                                 (-71.5 - thin, 42 + thin), (-72, 42 + thin)])  # fmt: skip
        assert not self.check([strip]).any()

    def test_a_centroid_on_an_edge_is_not_inside(self):
        # Two triangles that touch in their common centroid.
        bow = shapely.MultiPolygon([
            shapely.Polygon([(0, 0), (-2, -1), (-2, 1)]), shapely.Polygon([(0, 0), (2, -1), (2, 1)])])  # fmt: skip
        assert not self.check([bow]).any()


class TestShapeKeys:
    def test_outlines_that_are_equal(self):
        hole = [(0.2, 0.2), (0.4, 0.2), (0.3, 0.4)]
        one = shapely.Polygon([(0, 0), (1, 0), (1, 1), (0, 1)], [hole])
        other = shapely.Polygon([(1, 1), (0, 1), (0, 1), (-0.0, 0), (1, 0)], [hole[::-1]])
        far = shapely.box(5, 5, 6, 6)
        shapes = [one, other, shapely.MultiPolygon([one, far]), shapely.MultiPolygon([far, other])]
        keys = shape_keys(Polygons.from_shapes(np.array(shapes)))
        assert keys[0] == keys[1]
        assert keys[2] == keys[3]
        assert keys[0] != keys[2]

    @examples(40)
    @given(st.lists(parcels(), min_size=2, max_size=10), places)
    def test_others_differ(self, shapes, place):
        moved = [shapely.affinity.translate(shape, 1e-9) for shape in shapes]
        keys = shape_keys(Polygons.from_shapes(np.array([*shapes, *moved], dtype=object)))
        assert len(np.unique(keys)) == len({shapely.to_wkb(shape) for shape in [*shapes, *moved]})


@pytest.mark.mirror
@pytest.mark.skipif(not MIRROR.is_dir(), reason="the real parcels (../shared/mirror) are not here")
@pytest.mark.parametrize("name", oracle.REAL)
def test_real_parcels(name):
    read = gpd.read_parquet if name.endswith("parquet") else pyogrio.read_dataframe
    polygons = mend_shapes(read(MIRROR / name).geometry).polygons
    shapes = polygons.to_shapes()
    got = shape_measures(polygons)
    np.testing.assert_allclose(got.area_acres, area_acres(shapes), rtol=1e-9, atol=2.5e-5)
    assert (got.inscribed_diameter_m > 0).all()
    assert (got.inscribed_diameter_m <= got.minimum_width_m * (1 + 1e-9)).all()
    assert ((got.compactness > 0) & (got.compactness <= 1)).all()
    lon, lat = inner_points(polygons)
    assert shapely.contains_xy(shapes, lon, lat).all()
    sample = np.random.default_rng(1).choice(len(shapes), min(len(shapes), 250), replace=False)
    largest = np.argsort(-got.area_acres)[:10]
    for row in [*sample, *largest]:
        assert_right(shapes[row], got, row)


@given(st.lists(parcels(near=(-98.0, 39.0)), min_size=1, max_size=6))
@examples(30)
def test_area_and_perimeter_alone_are_the_same_to_the_bit(shapes):
    flat = Polygons.from_shapes(shapely.force_2d(np.array(shapes, dtype=object)))
    whole = shape_measures(flat)
    for alone, beside in zip(
        area_and_perimeter(flat), (whole.area_acres, whole.perimeter_m), strict=True
    ):
        assert alone.tobytes() == beside.tobytes()
