import numpy as np
import pytest
import shapely
from hypothesis import given

from geo import _contiguous, contiguous
from geo.contiguous import buildable, contiguous_acres
from geo.exclusion import ExclusionIndex, excluded_m2
from geo.geodesy import SQUARE_METRES_PER_ACRE
from geo.polygons import Polygons
from tests.geo.test_exclusion import NEEDS_MIRROR, mirror_scene
from tests.oracle import exclusion as oracle
from tests.oracle.arcs import area_acres
from tests.oracle.shapes import around, examples, places, seeds


def box(west, south, east, north):
    """A box in metres from a corner in the plane, as lon/lat."""
    return oracle.from_plane(
        shapely.box(-9_000_000 + west, 4_500_000 + south, -9_000_000 + east, 4_500_000 + north)
    ).item()


def acres(parcel, *exclusions, **options):
    index = ExclusionIndex.build(np.array(exclusions), **options)
    return contiguous_acres(index, Polygons.from_shapes(np.array([parcel])))[0]


def square_m(metres2, within=0.05):
    return pytest.approx(metres2 / SQUARE_METRES_PER_ACRE, abs=within / SQUARE_METRES_PER_ACRE)


@examples(60)
@given(oracle.scenes())
def test_largest_pieces_agree_with_shapely_on_the_dissolved_union(scene):
    exclusions, parcels = scene
    index = ExclusionIndex.build(exclusions, tile_m=3_000.0)
    polygons = Polygons.from_shapes(parcels)
    got = buildable(index, polygons)
    expected = oracle.largest_acres(parcels, exclusions)
    # Where an edge of an exclusion is a parcel's own but for rounding, slivers join or part what they like.
    union = oracle.dissolved(exclusions)
    clear = np.array([borders_keep_clear(p, union) for p in oracle.to_plane(parcels)])
    off_m2 = np.abs(got.contiguous_acres - expected) * SQUARE_METRES_PER_ACRE
    np.testing.assert_array_less(off_m2[clear], 0.1)
    assert (got.contiguous_acres <= got.buildable_acres).all()
    left_m2 = area_acres(parcels) * SQUARE_METRES_PER_ACRE - excluded_m2(index, polygons)
    np.testing.assert_allclose(
        got.buildable_acres * SQUARE_METRES_PER_ACRE, left_m2, rtol=1e-9, atol=1e-3
    )


def borders_keep_clear(parcel, union):
    """Whether no vertex of one border lies within 2 mm of the other."""
    ends = [(parcel, union.boundary), (union, parcel.boundary)]
    for vertices, border in ends:
        points = shapely.points(shapely.get_coordinates(vertices))
        if (shapely.distance(points, border) < 0.002).any():
            return False
    return True


@examples(40)
@given(places, seeds)
def test_strips_and_discs_cut_parcels_as_shapely_does(place, seed):
    rng = np.random.default_rng(seed)
    centres = around(place, rng.uniform(0, 360, 20), 3_000 * rng.random(20))
    strips = [
        shapely.LineString(around(c, [a, a + 180], [1_500, 1_500])).buffer(0.0003)
        for c, a in zip(centres[:8], rng.uniform(0, 360, 8), strict=True)
    ]
    discs = shapely.buffer(shapely.points(centres[8:14]), 0.004, quad_segs=4)
    parcels = shapely.buffer(shapely.points(centres), rng.uniform(0.002, 0.02, 20), quad_segs=3)
    exclusions = np.array([*strips, *discs])
    index = ExclusionIndex.build(exclusions, tile_m=1_024.0)
    got = contiguous_acres(index, Polygons.from_shapes(parcels))
    np.testing.assert_allclose(got, oracle.largest_acres(parcels, exclusions), atol=2e-4)


def test_known_pieces():
    parcel = box(0, 0, 100, 100)
    assert acres(parcel, box(500, 500, 600, 600)) == square_m(10_000)
    assert acres(parcel, box(-10, -10, 110, 110)) == 0.0
    assert acres(parcel, parcel) == 0.0
    # A bite, a hole, a strip across, a strip that ends inside.
    assert acres(parcel, box(90, 90, 110, 110)) == square_m(9_900)
    assert acres(parcel, box(40, 40, 60, 60)) == square_m(9_600)
    assert acres(parcel, box(-10, 30, 110, 40)) == square_m(6_000)
    assert acres(parcel, box(-10, 30, 90, 40)) == square_m(9_100)
    # Two that leave pieces touching in one point.
    assert acres(parcel, box(0, 0, 50, 50), box(50, 50, 100, 100)) == square_m(2_500)
    # Two that meet, and two that leave a gap.
    assert acres(parcel, box(-1, 30, 50, 40), box(50, 30, 101, 40)) == square_m(6_000)
    assert acres(parcel, box(-1, 30, 50, 40), box(51, 30, 101, 40)) == square_m(9_010)


def test_a_strip_that_ends_on_the_border_cuts():
    # The strip's ends are points of slanted edges: rounding puts them up to 0.2 mm inside or outside.
    shares = np.random.default_rng(3).uniform(0.2, 0.8, (60, 2))
    corners = shapely.get_coordinates(box(0, 0, 70, 70))[:4]
    turned = around(tuple(corners.mean(axis=0)), [20.0, 110.0, 200.0, 290.0], np.full(4, 50.0))
    parcel = shapely.Polygon(turned)
    whole = area_acres(np.array([parcel]))[0]
    for low, high in shares:
        ends = [
            turned[0] + (turned[1] - turned[0]) * low,
            turned[3] + (turned[2] - turned[3]) * high,
        ]
        side = (turned[1] - turned[0]) * 0.05
        strip = shapely.Polygon([ends[0], ends[1], ends[1] + side, ends[0] + side])
        piece = acres(parcel, strip)
        left, right = (low + high) / 2, 1 - 0.05 - (low + high) / 2
        assert piece == pytest.approx(max(left, right) * whole, rel=2e-4)


@pytest.mark.parametrize("tile_m", [64.0, 100.0, 1_000.0, 4_096.0])
def test_borders_of_tiles_leave_no_hair(tile_m):
    parcel = box(0, 0, 1_000, 1_000)
    rng = np.random.default_rng(4)
    for _ in range(10):
        y0, y1 = rng.uniform(300, 600, 2)
        x, y = -9_000_000, 4_500_000
        corners = [(x - 10, y + y0), (x + 1_010, y + y1)]
        corners += [(x + 1_010, y + y1 + 7), (x - 10, y + y0 + 7)]
        strip = oracle.from_plane(shapely.Polygon(corners)).item()
        above = 1_000 - 7 - (y0 + y1) / 2
        piece = acres(parcel, strip, tile_m=tile_m)
        assert piece == square_m(1_000 * max(above, (y0 + y1) / 2), within=1.0)
        # A gap of a metre in the strip connects.
        cut = shapely.difference(strip, box(500, 0, 501, 1_000))
        assert acres(parcel, cut, tile_m=tile_m) > piece + 50


def test_parts_and_holes_of_parcels():
    parts = shapely.MultiPolygon([box(0, 0, 100, 100), box(200, 0, 350, 100)])
    far, over_large = box(900, 0, 910, 10), box(200, -10, 300, 110)
    assert acres(parts, far) == square_m(15_000)
    assert acres(parts, over_large) == square_m(10_000)
    ring = shapely.difference(box(0, 0, 100, 100), box(40, 40, 60, 60))
    assert acres(ring, far) == square_m(9_600)
    # A bridge from the hole to the edge leaves it whole, two cut it; a lid on the hole excludes nothing.
    assert acres(ring, box(60, 45, 110, 55)) == square_m(9_200)
    assert acres(ring, box(60, 45, 110, 55), box(-10, 45, 40, 55)) == square_m(4_400)
    assert acres(ring, box(40, 40, 60, 60)) == square_m(9_600)
    # A moat, of one ring and from pieces with holes.
    moat = shapely.difference(box(20, 20, 80, 80), box(25, 25, 75, 75))
    assert acres(box(0, 0, 100, 100), moat) == square_m(6_400)


def test_chunks_threads_and_order_change_no_bit(monkeypatch):
    rng = np.random.default_rng(12)
    exclusions = shapely.buffer(shapely.points(rng.normal([-90, 35], 0.05, (400, 2))), 0.003)
    parcels = shapely.buffer(
        shapely.points(rng.normal([-90, 35], 0.05, (1_500, 2))), 0.004, quad_segs=2
    )
    polygons = Polygons.from_shapes(parcels)
    index = ExclusionIndex.build(exclusions)
    expected = buildable(index, polygons, workers=1)
    assert (expected.contiguous_acres < expected.buildable_acres).any()
    order = rng.permutation(len(parcels))
    monkeypatch.setattr(contiguous, "BLOCK", 77)
    again = buildable(index, polygons.take(order), workers=2)
    for name in vars(expected):
        np.testing.assert_array_equal(getattr(again, name), getattr(expected, name)[order])


def test_what_is_judged_whole_is_whole():
    rng = np.random.default_rng(13)
    exclusions = shapely.buffer(shapely.points(rng.normal([-90, 35], 0.05, (300, 2))), 0.003)
    parcels = shapely.buffer(
        shapely.points(rng.normal([-90, 35], 0.05, (800, 2))), 0.004, quad_segs=2
    )
    index, polygons = ExclusionIndex.build(exclusions), Polygons.from_shapes(parcels)
    rows = np.arange(len(parcels))
    start, pieces = contiguous._pieces(index, polygons, rows)
    verdict = np.empty(len(rows), dtype=np.int64)
    _contiguous.verdicts(
        *(polygons.plane, polygons.ring_start, polygons.first_ring, rows, np.ones_like(rows)),
        *(index.xy, index.ring_start, index.piece_start, start, pieces, 1e-3, verdict),
    )
    rest = shapely.difference(oracle.to_plane(parcels), oracle.dissolved(exclusions))
    whole = verdict == _contiguous.WHOLE
    assert 0.2 < whole.mean() < 1.0
    assert (shapely.get_num_geometries(rest)[whole] <= 1).all()


def test_a_parcel_without_area_is_unknown():
    index = ExclusionIndex.build(np.array([box(0, 0, 10, 10)]))
    nan = np.full((4, 2), np.nan)
    got = buildable(index, Polygons(nan, np.array([0, 4]), np.arange(2), np.arange(2)))
    assert np.isnan(got.contiguous_acres).all()
    assert np.isnan(got.excluded_share).all()


@NEEDS_MIRROR
@pytest.mark.mirror
@pytest.mark.parametrize("town", ["cambridge", "rhode island"])
def test_real_parcels_agree_with_the_plain_difference(town):
    exclusions, parcels = mirror_scene(town)
    index = ExclusionIndex.build(exclusions)
    got = buildable(index, Polygons.from_shapes(parcels))
    off = np.abs(got.contiguous_acres - oracle.largest_acres(parcels, exclusions))
    assert (off * SQUARE_METRES_PER_ACRE).max() < 1.0
