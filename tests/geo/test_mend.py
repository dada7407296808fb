import warnings
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

import geo.mend
from geo import _mend
from geo.errors import CrsError
from geo.mend import NO_AREA_DEG2, is_lonlat, mend, mend_shapes, to_lonlat
from geo.polygons import Polygons
from geo.wkb import RowStatus, from_arrow
from tests.oracle.shape import REAL, nasty_polygons, repaired, wkb
from tests.oracle.shapes import examples, parcels, seeds

MIRROR = Path(__file__).parents[3] / "shared" / "mirror" / "parcels"
BOX = shapely.box(-71.5, 41.5, -71.4, 41.6)
PARTS = shapely.MultiPolygon([BOX, shapely.box(-71.3, 41.5, -71.2, 41.6)])
BOW = shapely.Polygon([(-71.5, 41.5), (-71.4, 41.6), (-71.4, 41.5), (-71.5, 41.6)])


def proven(shapes):
    """Which shapes the compiled proof calls valid, and what it takes their areas for."""
    decoded = from_arrow(pa.array(shapely.to_wkb(shapes)))
    polygons = decoded.polygons
    verdict = np.empty(len(polygons), dtype=np.int8)
    area = np.empty(len(polygons))
    _mend.prove(
        *(polygons.lonlat, polygons.ring_start, polygons.part_start, polygons.shape_start),
        *(0, len(polygons), verdict, area),
    )
    return verdict == _mend.VALID, area


def assert_sound(mended):
    """What every caller may rely on."""
    shapes = mended.polygons.to_shapes()
    assert shapely.is_valid(shapes).all(), shapely.is_valid_reason(shapes)
    assert (shapely.area(shapes) > NO_AREA_DEG2).all()
    rings = shapely.get_rings(shapely.get_parts(shapes))
    is_shell = np.zeros(len(rings), dtype=bool)
    is_shell[mended.polygons.part_start[:-1]] = True
    np.testing.assert_array_equal(shapely.is_ccw(rings), is_shell)
    assert (np.diff(mended.rows) > 0).all()
    np.testing.assert_array_equal(mended.rows, np.flatnonzero(mended.status == 0))
    assert len(mended.rejected) == len(mended.reasons) == (mended.status != 0).sum()
    assert all(mended.reasons)
    assert not mended.is_repaired[mended.rejected].any()


@examples(120)
@given(nasty_polygons(40))
def test_what_is_proven_is_valid(shapes):
    is_proven, area = proven(shapes)
    is_valid = shapely.is_valid(shapes)
    assert is_valid[is_proven].all(), shapes[is_proven & ~is_valid]
    np.testing.assert_allclose(
        area[is_proven], shapely.area(shapes[is_proven]), rtol=1e-6, atol=1e-17
    )


@examples(60)
@given(nasty_polygons(20), seeds)
def test_every_row_ends_valid_or_rejected(shapes, seed):
    mended = mend_shapes(shapes, workers=seed % 3)
    assert_sound(mended)
    is_valid = shapely.is_valid(shapes)
    # Valid shapes are kept as they are, invalid ones as GEOS repairs them, if it does.
    expected = shapes.copy()
    expected[~is_valid] = repaired(shapes[~is_valid])
    known = ~shapely.is_missing(expected)
    has_area = shapely.area(expected) > NO_AREA_DEG2
    np.testing.assert_array_equal((mended.status == 0)[known], has_area[known])
    np.testing.assert_array_equal(mended.is_repaired[known], (~is_valid & has_area)[known])
    assert set(mended.status[known & ~has_area]) <= {RowStatus.NO_AREA}
    got = mended.polygons.to_shapes()[known[mended.rows]]
    np.testing.assert_allclose(
        shapely.area(got), shapely.area(expected[known & has_area]), rtol=1e-6, atol=1e-17
    )


def test_what_geos_gives_up_on_is_repaired_in_another_way_or_rejected(monkeypatch):
    shapes = np.array([BOW, BOX, INVALID["parts over each other"], BOW])

    def gives_up(*shape, **options):
        raise shapely.GEOSException

    monkeypatch.setattr(geo.mend, "_made_valid", gives_up)
    mended = mend_shapes(shapes)
    assert mended.is_repaired.tolist() == [True, False, True, True]
    assert_sound(mended)
    monkeypatch.setattr(geo.mend.shapely, "make_valid", gives_up)
    monkeypatch.setattr(geo.mend.shapely, "buffer", gives_up)
    mended = mend_shapes(shapes)
    assert mended.rows.tolist() == [1]
    assert set(mended.reasons) == {"crosses itself in a way that cannot be repaired"}


@examples(40)
@given(st.lists(parcels(), min_size=1, max_size=12))
def test_plain_parcels_are_proven_without_geos(shapes):
    is_proven, _ = proven(np.array(shapes, dtype=object))
    # A sliver of millimetres may be too near to call; it is rare.
    is_thin = shapely.area(shapes) < 1e-7 * shapely.length(shapes) ** 2
    assert is_proven[~is_thin].all()


def ring(*corners):
    return np.array([*corners, corners[0]], dtype=float)


def moved(corners, x, y):
    return corners + np.array([x, y])


SQUARE = ring((0, 0), (4, 0), (4, 4), (0, 4))
VALID = {
    "repeated vertices": shapely.Polygon([(0, 0), (0, 0), (4, 0), (4, 4), (4, 4), (4, 4), (0, 4)]),
    "repeated at the end": shapely.Polygon([(0, 0), (4, 0), (4, 4), (0, 0), (0, 0)]),
    "straight on": shapely.Polygon([(0, 0), (1, 0), (2, 0), (4, 0), (4, 4), (0, 4), (0, 2)]),
    "a thin wedge": shapely.Polygon([(0, 0), (4, 1e-9), (4, 0)]),
    "a comb": shapely.Polygon([(0, 0), (9, 0), (9, 3), (8, 3), (8, 1), (6, 1), (6, 3), (5, 3), (5, 1),
                               (3, 1), (3, 3), (2, 3), (2, 1), (1, 1), (1, 3), (0, 3)]),
    "a hole": shapely.Polygon(SQUARE, [SQUARE / 2 + 1]),
    "two holes": shapely.Polygon(SQUARE, [SQUARE / 4 + 1, moved(SQUARE / 4, 2.5, 1)]),
    "two parts": shapely.MultiPolygon([shapely.Polygon(SQUARE), shapely.Polygon(moved(SQUARE, 5, 0))]),
    "parts whose boxes overlap": shapely.MultiPolygon([
        shapely.Polygon([(0, 0), (4, 0), (0, 4)]), shapely.Polygon([(4, 4), (4, 1), (1, 4)])]),
    "a part around a corner": shapely.MultiPolygon([
        shapely.Polygon([(0, 0), (9, 0), (9, 9), (8, 9), (8, 1), (0, 1)]), shapely.box(0, 2, 7, 9)]),
    "many vertices": shapely.Point(0, 0).buffer(1, quad_segs=500),
    "winding": shapely.Polygon(np.vstack([
        np.column_stack([r * np.cos(t := np.linspace(0, 20, 400)), r * np.sin(t)])[::way]
        for r, way in ((1 + np.linspace(0, 20, 400), 1), (1.4 + np.linspace(0, 20, 400), -1))])),
}  # fmt: skip
# Valid, but left to GEOS: they touch themselves.
TOUCHING = {
    "a hole that touches": shapely.Polygon(SQUARE, [ring((0, 0), (2, 1), (1, 2))]),
    "parts that touch": shapely.MultiPolygon(
        [shapely.Polygon(SQUARE), shapely.Polygon(moved(SQUARE, 4, 4))]
    ),
    "a part in a hole": shapely.MultiPolygon(
        [shapely.Polygon(SQUARE, [SQUARE / 2 + 1]), shapely.Polygon(SQUARE / 4 + 1.5)]
    ),
}
INVALID = {
    "a bow tie": shapely.Polygon([(0, 0), (4, 4), (4, 0), (0, 4)]),
    "a spike out": shapely.Polygon([(0, 0), (4, 0), (4, 4), (4, 6), (4, 4), (0, 4)]),
    "a spike in": shapely.Polygon([(0, 0), (4, 0), (2, 0), (4, 4)]),
    "a spike at the first vertex": shapely.Polygon([(-2, 0), (4, 0), (4, 4), (0, 0)]),
    "a figure of eight through a vertex": shapely.Polygon(
        [(0, 0), (2, 2), (4, 0), (4, 4), (2, 2), (0, 4)]
    ),
    "there and back": shapely.Polygon([(0, 0), (4, 0), (0, 0)]),
    "one place": shapely.Polygon([(1, 1)] * 5),
    "a line of three": shapely.Polygon([(0, 0), (4, 4), (2, 2)]),
    "twice around": shapely.Polygon([*SQUARE, *(SQUARE / 2 + 1)]),
    "a hole outside": shapely.Polygon(SQUARE, [moved(SQUARE / 4, 6, 0)]),
    "a hole across": shapely.Polygon(SQUARE, [moved(SQUARE / 2, 3, 1)]),
    "a hole along an edge": shapely.Polygon(SQUARE, [moved(SQUARE / 2, 0, 1)]),
    "a hole in a hole": shapely.Polygon(SQUARE, [SQUARE * 0.8 + 0.4, SQUARE * 0.3 + 1.4]),
    "a hole in a later hole": shapely.Polygon(SQUARE, [SQUARE * 0.3 + 1.4, SQUARE * 0.8 + 0.4]),
    "holes across": shapely.Polygon(SQUARE, [SQUARE / 2 + 0.5, SQUARE / 2 + 1.5]),
    "a hole as large": shapely.Polygon(SQUARE, [SQUARE]),
    "a hole around": shapely.Polygon(SQUARE / 2 + 1, [SQUARE]),
    "parts over each other": shapely.MultiPolygon(
        [shapely.Polygon(SQUARE), shapely.Polygon(SQUARE + 2)]
    ),
    "a part in a part": shapely.MultiPolygon(
        [shapely.Polygon(SQUARE / 2 + 1), shapely.Polygon(SQUARE)]
    ),
    "a part twice": shapely.MultiPolygon([shapely.Polygon(SQUARE), shapely.Polygon(SQUARE)]),
    "parts side by side": shapely.MultiPolygon(
        [shapely.Polygon(SQUARE), shapely.Polygon(moved(SQUARE, 4, 1))]
    ),
    "a hole in another part": shapely.MultiPolygon(
        [shapely.Polygon(SQUARE, [moved(SQUARE / 2, 7, 1)]), shapely.Polygon(moved(SQUARE, 6, 0))]
    ),
    "many vertices": shapely.Polygon(
        [*shapely.Point(0, 0).buffer(1, quad_segs=99).exterior.coords[:-1], (-2, 0.5)]
    ),
}


@pytest.mark.parametrize("turn", [0.0, 33.0])
@pytest.mark.parametrize("name", VALID)
def test_the_valid_are_proven(name, turn):
    shape = shapely.affinity.rotate(VALID[name], turn)
    assert shape.is_valid
    assert proven([shape])[0].tolist() == [True]
    mended = mend_shapes(np.array([shape]))
    assert mended.status.tolist() == [0]
    assert not mended.is_repaired.any()


@pytest.mark.parametrize("name", TOUCHING)
def test_the_touching_are_left_to_geos_and_kept(name):
    shape = TOUCHING[name]
    assert shape.is_valid
    assert proven([shape])[0].tolist() == [False]
    mended = mend_shapes(np.array([shape]))
    assert not mended.is_repaired.any()
    assert shapely.equals_exact(
        mended.polygons.to_shapes(),
        shapely.multipolygons([shapely.get_parts(shape)]),
        normalize=True,
    ).all()


@pytest.mark.parametrize("turn", [0.0, 33.0])
@pytest.mark.parametrize("name", INVALID)
def test_the_invalid_are_not_proven(name, turn):
    shape = shapely.affinity.rotate(INVALID[name], turn)
    # Turned by a bit, what touched may no longer do so.
    assert turn or not shape.is_valid
    assert not (proven([shape])[0][0] and not shape.is_valid)
    assert_sound(mend_shapes(np.array([shape])))


@pytest.mark.parametrize(
    ("name", "area"),
    [
        ("a bow tie", 8), ("a spike out", 16), ("a hole outside", 17), ("a hole across", 14),
        ("parts over each other", 28), ("a part in a part", 16), ("a part twice", 16),
        ("a hole in a hole", 16 - 16 * 0.64), ("twice around", 16),
    ],
)  # fmt: skip
def test_a_repair_keeps_the_land(name, area):
    mended = mend_shapes(np.array([INVALID[name]]))
    assert mended.is_repaired.tolist() == [True]
    assert shapely.area(mended.polygons.to_shapes()) == pytest.approx([area])


@pytest.mark.parametrize(
    "name", ["there and back", "one place", "a line of three", "a hole as large"]
)
def test_what_has_no_area_is_rejected(name):
    mended = mend_shapes(np.array([INVALID[name], BOX]))
    assert mended.rows.tolist() == [1]
    assert mended.reasons.tolist() == ["has no area"]


def test_specks_have_no_area():
    speck = shapely.affinity.translate(shapely.box(0, 0, 0.9e-7, 0.9e-7), -71, 41)
    ok = shapely.affinity.translate(shapely.box(0, 0, 1.1e-7, 1.1e-7), -71, 41)
    # Below the smallest normal numbers nothing is proven, and nothing breaks.
    tiny = shapely.box(0, 0, 1e-160, 1e-160)
    assert mend_shapes(np.array([speck, ok, tiny])).status.tolist() == [10, 0, 10]


def test_each_reason():
    with np.errstate(invalid="ignore"):
        nan = shapely.Polygon([(-71.5, 41.5), (np.nan, 41.5), (-71.4, 41.6)])
        inf = shapely.Polygon([(-71.5, 41.5), (-71.5, np.inf), (-71.4, 41.6)])
        hole = shapely.Polygon(BOX.exterior, [[(-71.45, 41.55), (-71.45, np.nan), (-71.44, 41.55)]])
    shapes = [None, shapely.Polygon(), shapely.Point(-71, 41), shapely.GeometryCollection([BOX]), nan,
              inf, hole, shapely.box(179, 0, 181, 1), shapely.box(0, 89, 1, 91),
              shapely.box(-170, 10, 170, 11), BOX]  # fmt: skip
    mended = mend_shapes(np.array(shapes, dtype=object))
    assert mended.rows.tolist() == [10]
    assert mended.rejected.tolist() == list(range(10))
    assert mended.reasons.tolist() == [
        "has no geometry",
        "has no geometry",
        "is no polygon",
        "is no polygon",
        *["has coordinates that are not numbers"] * 3,
        *["lies outside the range of longitude and latitude"] * 2,
        "reaches across more than 180 degrees of longitude",
    ]
    assert_sound(mended)


def test_closed_rings_count_as_repaired():
    rows = [wkb(BOX, is_open=True), wkb(BOX), b"\0", wkb(BOW, is_open=True)]
    mended = mend(from_arrow(pa.array(rows)))
    assert mended.is_repaired.tolist() == [True, False, False, True]
    assert mended.reasons.tolist() == ["holds bytes that are no geometry"]


def test_nothing_and_nothing_good():
    none = mend_shapes(np.array([], dtype=object))
    assert (len(none.polygons), len(none.status)) == (0, 0)
    assert len(mend_shapes(np.array([None, BOW.exterior], dtype=object), workers=2).polygons) == 0


def test_chunks_order_and_threads_change_nothing():
    rng = np.random.default_rng(5)
    kinds = [BOX, BOW, PARTS, None, *VALID.values(), *INVALID.values(), *TOUCHING.values()]
    shapes = np.array([kinds[k] for k in rng.integers(0, len(kinds), 9_000)], dtype=object)
    whole = mend_shapes(shapes, workers=1)
    order = rng.permutation(len(shapes))
    other = mend_shapes(shapes[order], workers=2)
    np.testing.assert_array_equal(other.status, whole.status[order])
    np.testing.assert_array_equal(other.is_repaired, whole.is_repaired[order])
    place = np.full(len(shapes), -1)
    place[whole.rows] = np.arange(len(whole.rows))
    again = whole.polygons.take(place[order[other.rows]])
    for name in ("lonlat", "ring_start", "part_start", "shape_start"):
        np.testing.assert_array_equal(getattr(other.polygons, name), getattr(again, name))


class TestCrs:
    @pytest.mark.parametrize(
        "crs", ["EPSG:3857", "EPSG:5070", "EPSG:3438", "EPSG:4269", "EPSG:2193"]
    )
    def test_coordinates_become_what_geopandas_makes_of_them(self, crs):
        here = BOX if crs != "EPSG:2193" else shapely.box(171, -43, 171.1, -42.9)
        there = gpd.GeoSeries([here, shapely.affinity.scale(here, 0.5)], crs="OGC:CRS84").to_crs(
            crs
        )
        xy = shapely.get_coordinates(there.to_numpy())
        got = to_lonlat(xy, crs)
        expected = shapely.get_coordinates(there.to_crs("OGC:CRS84").to_numpy())
        np.testing.assert_allclose(got, expected, atol=1e-12)
        np.testing.assert_allclose(got[:5], shapely.get_coordinates(here), atol=2e-5)
        np.testing.assert_array_equal(to_lonlat(xy, crs, workers=1), got)
        np.testing.assert_array_equal(to_lonlat(xy, there.crs.to_wkt()), got)
        np.testing.assert_array_equal(to_lonlat(xy, there.crs.to_json()), got)
        mended = mend_shapes(there)
        np.testing.assert_allclose(
            shapely.bounds(mended.polygons.to_shapes()[0]), here.bounds, atol=2e-5
        )

    @pytest.mark.parametrize("crs", [None, "EPSG:4326", "OGC:CRS84", "WKT"])
    def test_lon_lat_stays_as_it_is(self, crs):
        if crs == "WKT":
            crs = gpd.GeoSeries(crs="EPSG:4326").crs.to_wkt("WKT1_GDAL")
        xy = shapely.get_coordinates(BOX)
        assert is_lonlat(crs)
        assert to_lonlat(xy, crs) is xy

    def test_places_that_are_not_there(self):
        far = shapely.box(1e12, 1e12, 1e12 + 10, 1e12 + 10)
        here = gpd.GeoSeries([BOX], crs="OGC:CRS84").to_crs(5070)[0]
        with np.errstate(invalid="ignore"):
            nan = shapely.Polygon([(0, 0), (np.nan, 0), (1, 1)])
        shapes = gpd.GeoSeries([far, here, nan, None, shapely.Point(0, 0)], crs="EPSG:5070")
        mended = mend_shapes(shapes)
        assert mended.rows.tolist() == [1]
        assert mended.status.tolist() == [
            RowStatus.OUT_OF_RANGE, 0, RowStatus.NOT_NUMBERS, RowStatus.MISSING, RowStatus.NO_POLYGON,
        ]  # fmt: skip

    def test_crs_that_are_none(self):
        decoded = from_arrow(pa.array([wkb(BOX)]))
        with pytest.raises(CrsError, match="no coordinate reference system"):
            mend(decoded, "EPSG:99999999")
        with pytest.raises(CrsError, match="no CRS"):
            mend_shapes(gpd.GeoSeries([BOX]))
        local = 'ENGCRS["site",EDATUM["here"],CS[Cartesian,2],AXIS["x",east],AXIS["y",north],LENGTHUNIT["metre",1]]'
        with pytest.raises(CrsError, match="cannot be turned"):
            mend(decoded, local)


@pytest.mark.mirror
@pytest.mark.skipif(not MIRROR.is_dir(), reason="the real parcels (../shared/mirror) are not here")
@pytest.mark.parametrize("name", REAL)
def test_real_parcels_are_mended_as_geos_does(name):
    read = gpd.read_parquet if name.endswith("parquet") else pyogrio.read_dataframe
    frame = read(MIRROR / name)
    shapes = frame.geometry.to_crs("OGC:CRS84").to_numpy()
    is_proven, _ = proven(shapes)
    is_valid = shapely.is_valid(shapes)
    assert is_valid[is_proven].all()
    # Nearly all are settled without GEOS.
    assert is_proven.mean() > 0.97
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mended = mend_shapes(frame.geometry)
    assert_sound(mended)
    assert len(mended.rows) > 0.999 * len(frame)
    np.testing.assert_array_equal(mended.is_repaired[mended.rows], ~is_valid[mended.rows])
    kept = Polygons.from_shapes(shapes[is_valid])
    same = mended.polygons.take(is_valid[mended.rows])
    np.testing.assert_allclose(same.lonlat, kept.lonlat, atol=1e-12)
