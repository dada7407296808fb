import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given

from geo import geodesy
from geo.errors import CrsError, GeometryError
from tests.oracle import arcs
from tests.oracle.geodesic import GEOD
from tests.oracle.shapes import examples, parcels, places

N = 20_000


@pytest.fixture(scope="module")
def ends():
    rng = np.random.default_rng(7)
    return rng.uniform(-125, -66, N), rng.uniform(24, 50, N), rng.uniform(0, 360, N)


def _there(ends, metres):
    lon, lat, bearing = ends
    return GEOD.fwd(lon, lat, bearing, np.full(N, metres))[:2]


def test_constants_are_those_of_wgs84():
    ellipsoid = pyproj.CRS("OGC:CRS84").ellipsoid
    assert ellipsoid.semi_major_metre == geodesy.EARTH_EQUATOR_RADIUS_M
    assert ellipsoid.semi_minor_metre == pytest.approx(geodesy.EARTH_POLAR_RADIUS_M, abs=1e-8)
    assert geodesy.METRES_PER_MILE / geodesy.KM_PER_MILE == 1000.0
    square_mile_m2 = geodesy.METRES_PER_MILE**2
    assert square_mile_m2 / 640.0 == pytest.approx(geodesy.SQUARE_METRES_PER_ACRE, rel=1e-12)


def test_to_ecef_agrees_with_proj_and_is_undone(ends):
    lon, lat, _ = ends
    to_xyz = pyproj.Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
    xyz = geodesy.to_ecef(lon, lat)
    np.testing.assert_allclose(xyz, np.column_stack(to_xyz.transform(lon, lat, 0 * lon)), atol=1e-7)
    np.testing.assert_allclose(geodesy.to_lon_lat(xyz), [lon, lat], atol=1e-12)


@pytest.mark.parametrize(
    ("km", "error_m"),
    [(0.001, 1e-7), (10, 1e-7), (161, 1e-5), (322, 1e-3), (500, 1e-2), (3000, 1e-5)],
)
def test_surface_m_agrees_with_geod(ends, km, error_m):
    there = geodesy.to_ecef(*_there(ends, km * 1000.0))
    metres = arcs.surface_m(geodesy.to_ecef(ends[0], ends[1]), there)
    np.testing.assert_allclose(metres, km * 1000.0, rtol=0, atol=error_m)


def test_surface_m_of_the_same_place_is_zero(ends):
    here = geodesy.to_ecef(ends[0], ends[1])
    assert not arcs.surface_m(here, here).any()
    assert np.isnan(arcs.surface_m(here[:1], np.full((1, 3), np.nan))).all()


@pytest.mark.parametrize(("km", "error_m"), [(10, 1e-4), (161, 0.034), (322, 0.3)])
def test_chords_without_a_direction_become_arcs_within_centimetres(ends, km, error_m):
    lon, lat, _ = ends
    there = _there(ends, km * 1000.0)
    chord_m = np.linalg.norm(geodesy.to_ecef(lon, lat) - geodesy.to_ecef(*there), axis=1)
    for end_lat in (lat, there[1]):
        arc_m = arcs.chord_to_arc_m(chord_m, end_lat)
        np.testing.assert_allclose(arc_m, km * 1000.0, rtol=0, atol=error_m)
        np.testing.assert_allclose(arcs.arc_to_chord_m(arc_m, end_lat), chord_m, rtol=1e-12)


@pytest.mark.parametrize("km", [0.1, 10, 161, 1000, 5000])
def test_bounds_of_chords_and_arcs_hold_everywhere(km):
    rng = np.random.default_rng(3)
    lon, lat = rng.uniform(-180, 180, N), rng.uniform(-90, 90, N)
    there = _there((lon, lat, rng.uniform(0, 360, N)), km * 1000.0)
    chord_m = np.linalg.norm(geodesy.to_ecef(lon, lat) - geodesy.to_ecef(*there), axis=1)
    assert (chord_m <= arcs.arc_to_longest_chord_m(km * 1000.0) + 1e-6).all()
    assert (arcs.chord_to_shortest_arc_m(chord_m) <= km * 1000.0 + 1e-6).all()


def test_geodesic_m_broadcasts_and_takes_nothing():
    metres = arcs.geodesic_m(
        np.array([[-100.0], [-90.0]]), 40.0, np.array([-100.0, -90.0, -80.0]), 40.0
    )
    assert metres.shape == (2, 3)
    assert metres[0, 0] == 0.0
    assert metres[0, 1] == pytest.approx(GEOD.inv(-100, 40, -90, 40)[2])
    assert arcs.geodesic_m([], [], [], []).size == 0


@examples(40)
@given(parcels())
def test_area_agrees_with_geod_once_edges_are_dense(parcel):
    if not parcel.is_valid:
        return
    dense = shapely.segmentize(parcel, 0.001)
    geod_m2 = abs(GEOD.geometry_area_perimeter(shapely.orient_polygons(dense))[0])
    acres = arcs.area_acres(gpd.GeoSeries([dense, parcel], crs="EPSG:4326"))
    expected = geod_m2 / geodesy.SQUARE_METRES_PER_ACRE
    # Slivers cannot be measured better than their coordinates are rounded.
    rounding = 1e-9 * parcel.length * 111e3**2 / geodesy.SQUARE_METRES_PER_ACRE
    assert acres[0] == pytest.approx(expected, rel=1e-6, abs=rounding)


@examples(40)
@given(places)
def test_area_of_a_square_agrees_with_geod(place):
    lon, lat = place
    square = shapely.box(lon, lat, lon + 0.01, lat + 0.01)
    geod_m2 = GEOD.geometry_area_perimeter(shapely.orient_polygons(square))[0]
    acres = arcs.area_acres(np.array([square]))
    assert acres[0] == pytest.approx(geod_m2 / geodesy.SQUARE_METRES_PER_ACRE, rel=1e-5)


def test_area_takes_off_holes_and_passes_on_nothing():
    outer, inner = shapely.box(-100, 40, -99.9, 40.1), shapely.box(-99.98, 40.02, -99.92, 40.08)
    shapes = np.array([outer, inner, outer - inner, None, shapely.Polygon()], dtype=object)
    whole, hole, ring, missing, empty = arcs.area_acres(shapes)
    assert ring == pytest.approx(whole - hole, rel=1e-12)
    assert np.isnan(missing)
    assert empty == 0.0


def test_crs_must_be_lon_lat():
    square = [shapely.box(-100, 40, -99, 41)]
    for crs in ("EPSG:4326", "OGC:CRS84"):
        arcs.area_acres(gpd.GeoSeries(square, crs=crs))
    with pytest.raises(CrsError, match="no CRS"):
        arcs.area_acres(gpd.GeoSeries(square))
    with pytest.raises(CrsError, match="to_crs"):
        arcs.area_acres(gpd.GeoSeries(square, crs="EPSG:4326").to_crs("EPSG:5070"))
    with pytest.raises(GeometryError, match="Geometry 0"):
        arcs.area_acres(
            gpd.GeoSeries(square, crs="EPSG:4326").to_crs(5070).set_crs(4326, allow_override=True)
        )


def test_altitudes_are_dropped():
    flat, high = (
        shapely.box(-100, 40, -99, 41),
        shapely.force_3d(shapely.box(-100, 40, -99, 41), 500.0),
    )
    assert arcs.area_acres(np.array([flat])) == arcs.area_acres(np.array([high]))


@pytest.mark.parametrize(
    ("lon", "lat"), [(np.nan, 40), (-100, np.nan), (-190, 40), (-100, 425.25), (np.inf, 0)]
)
def test_what_is_no_degree_is_named(lon, lat):
    with pytest.raises(GeometryError, match="Point 1 lies at"):
        geodesy.lonlat_arrays([-100, lon], [40, lat])
    with pytest.raises(GeometryError, match="shape"):
        geodesy.lonlat_arrays([-100, -100], [40])
