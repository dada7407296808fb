import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import CrsError, GeometryError
from geo.locate import locate
from tests.oracle import locate as oracle
from tests.oracle.geodesic import METRES_PER_MILE
from tests.oracle.shapes import around, examples, parcels, places, scales_m, seeds

WEST, EAST = shapely.box(-101, 40, -100, 41), shapely.box(-100, 40, -99, 41)


@examples(25)
@given(st.data(), places, scales_m, seeds, st.sampled_from([0.0, 3.0]))
def test_located_as_shapely_and_geod_do(data, place, scale_m, seed, max_gap_mi):
    rng = np.random.default_rng(seed)
    count = data.draw(st.integers(1, 5))
    spots = around(place, rng.uniform(0, 360, count), min(scale_m, 1e5) * rng.random(count))
    shapes = [data.draw(parcels(near=tuple(spot))) for spot in spots]
    shapes = np.array([shape for shape in shapes if shape.is_valid] or [WEST])
    lon, lat = np.vstack(
        [
            around(spots[0], rng.uniform(0, 360, 15), 2e4 * rng.random(15)),
            shapely.get_coordinates(shapes[0])[:3],
        ]
    ).T
    found = locate(lon, lat, gpd.GeoSeries(shapes, crs="EPSG:4326"), max_gap_mi=max_gap_mi)
    np.testing.assert_array_equal(found, oracle.locate(lon, lat, shapes, max_gap_mi))


@examples(60)
@given(seeds, st.sampled_from([0.1, 1.0, 0.0625]))
def test_points_on_borders_are_decided_as_shapely_does(seed, step):
    # Corners and points on one lattice: most points lie on vertices, on edges, or level with vertices.
    rng = np.random.default_rng(seed)
    shapes = []
    while len(shapes) < 3:
        corners = rng.integers(0, 7, (rng.integers(3, 40), 2)) * step
        shape = shapely.make_valid(shapely.Polygon(corners))
        shapes += [s for s in shapely.get_parts(shape) if s.geom_type == "Polygon"][:1]
    shapes = np.array([shapes[0], shapely.MultiPolygon(shapes[1:2]), shapes[2]])
    lon, lat = (v.ravel() * step for v in np.meshgrid(np.arange(15) / 2, np.arange(15) / 2))
    vertices = shapely.get_coordinates(shapes)
    between = (vertices[1:] + vertices[:-1]) / 2
    lon, lat = np.vstack([np.column_stack([lon, lat]), vertices, between]).T
    holds = shapely.intersects(shapes[:, None], shapely.points(lon, lat)[None])
    expected = np.where(holds.any(axis=0), holds.argmax(axis=0), -1)
    np.testing.assert_array_equal(locate(lon, lat, shapes), expected)


def test_many_polygons_with_many_vertices_are_located_as_shapely_does():
    rng = np.random.default_rng(2)
    spots = rng.uniform(0, 10, (300, 2))
    shapes = shapely.buffer(shapely.points(spots), rng.uniform(0.05, 1.5, 300), quad_segs=40)
    shapes[::3] = shapely.difference(shapes[::3], shapely.buffer(shapely.points(spots[::3]), 0.2))
    lon, lat = rng.uniform(-1, 11, (2, 4000))
    holds = shapely.intersects(shapes[:, None], shapely.points(lon, lat)[None])
    expected = np.where(holds.any(axis=0), holds.argmax(axis=0), -1)
    np.testing.assert_array_equal(locate(lon, lat, shapes), expected)
    np.testing.assert_array_equal(locate(lon, lat, shapes, workers=1), expected)


def test_shared_borders_go_to_the_lowest():
    lon, lat = [-100.5, -99.5, -100.0, -98.0], [40.5, 40.5, 40.5, 40.5]
    assert locate(lon, lat, np.array([WEST, EAST])).tolist() == [0, 1, 0, -1]
    assert locate(lon, lat, np.array([EAST, WEST])).tolist() == [1, 0, 0, -1]
    found = locate(lon, lat, np.array([None, shapely.Polygon(), WEST], dtype=object))
    assert found.dtype == np.int64
    assert found.tolist() == [2, -1, 2, -1]


def test_a_hole_is_outside_unless_the_gap_reaches():
    donut = WEST - shapely.box(-100.6, 40.4, -100.4, 40.6)
    shapes = np.array([donut])
    assert locate([-100.5], [40.5], shapes).tolist() == [-1]
    assert locate([-100.5], [40.5], shapes, max_gap_mi=4.0).tolist() == [-1]
    assert locate([-100.5], [40.5], shapes, max_gap_mi=6.0).tolist() == [0]


def test_the_gap_is_geodesic_miles_and_ties_go_to_the_lowest():
    lon, lat = around((-100.0, 40.0), [180.0, 180.0], np.array([4.99, 5.01]) * METRES_PER_MILE).T
    shapes = gpd.GeoSeries([EAST, WEST], crs="OGC:CRS84")
    assert locate(lon, lat, shapes, max_gap_mi=5.0).tolist() == [0, -1]
    assert locate(lon[:1], lat[:1], shapes[::-1], max_gap_mi=5.0).tolist() == [0]


def test_bad_input_is_refused_by_name():
    with pytest.raises(GeometryError, match="Point 0"):
        locate([np.nan], [40.0], np.array([WEST]))
    with pytest.raises(CrsError, match="no CRS"):
        locate([-100.0], [40.0], gpd.GeoSeries([WEST]))
    assert locate([], [], np.array([WEST])).shape == (0,)
    assert locate([-100.0], [40.0], np.array([], dtype=object), max_gap_mi=5.0).tolist() == [-1]
