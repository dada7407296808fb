"""Real parcels to real substations, lines and water, against shapely's planes and, some, against Geod."""

from functools import cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geo.features import FeatureIndex
from geo.nearest import k_nearest_edge, nearest_edge
from geo.polygons import Polygons
from tests.oracle import planar_nearest
from tests.oracle.geodesic import (
    METRES_PER_MILE,
    edge_to_line_m,
    edge_to_point_m,
    edge_to_polygon_m,
)

MIRROR = Path(__file__).parents[2].parent / "shared" / "mirror"
PARCELS = ["Rhode_Island.gpkg", "cambridge_ma_fy2013.parquet", "maricopa_az_rural.parquet"]

pytestmark = [
    pytest.mark.mirror,
    pytest.mark.skipif(not MIRROR.is_dir(), reason="../shared/mirror is not there"),
]


@cache
def _read(name):
    path = MIRROR / name
    frame = gpd.read_parquet(path) if path.suffix == ".parquet" else gpd.read_file(path)
    shapes = shapely.force_2d(frame.to_crs("OGC:CRS84").geometry.to_numpy())
    return shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]


@cache
def _parcels(name):
    shapes = shapely.make_valid(_read(f"parcels/{name}"))
    return shapes[np.isin(shapely.get_type_id(shapes), [3, 6])]


@cache
def _lines():
    shapes = _read("grid/hifld_transmission_lines.parquet")
    return FeatureIndex.from_lines(shapes), planar_nearest.PlanarIndex.from_lines(shapes)


@cache
def _substations():
    lonlat = shapely.get_coordinates(_read("grid/hifld_substations_ge230kv.parquet"))
    return FeatureIndex.from_points(*lonlat.T), planar_nearest.PlanarIndex.from_points(*lonlat.T)


def _assert_same(got, expected):
    """Metres agree to 1e-6 or 15 cm (the plane's own error), and winners but where they tie so."""
    (number, mi), (planar_no, planar_mi) = got, expected
    metres, planar_m = mi * METRES_PER_MILE, planar_mi * METRES_PER_MILE
    np.testing.assert_allclose(metres, planar_m, rtol=1e-6, atol=0.15)
    assert (number == planar_no).mean() > 0.98


@pytest.mark.parametrize("name", PARCELS)
def test_real_parcels_to_real_lines(name):
    parcels = _parcels(name)
    index, planar = _lines()
    got = k_nearest_edge(index, parcels, 2)
    _assert_same(got, planar_nearest.k_nearest_edge(planar, parcels, 2))
    lines = _read("grid/hifld_transmission_lines.parquet")
    for i in np.random.default_rng(1).choice(len(parcels), 3, replace=False):
        expected_m = edge_to_line_m(parcels[i], lines[got[0][i, 0]])
        assert got[1][i, 0] * METRES_PER_MILE == pytest.approx(expected_m, rel=1e-5, abs=0.1)


@pytest.mark.parametrize("name", PARCELS)
def test_real_parcels_to_real_substations(name):
    parcels = _parcels(name)
    index, planar = _substations()
    got = k_nearest_edge(index, parcels, 3)
    _assert_same(got, planar_nearest.k_nearest_edge(planar, parcels, 3))
    lonlat = shapely.get_coordinates(_read("grid/hifld_substations_ge230kv.parquet"))
    for i in np.random.default_rng(1).choice(len(parcels), 20, replace=False):
        expected_m = [edge_to_point_m(parcels[i], *lonlat[no]) for no in got[0][i]]
        np.testing.assert_allclose(got[1][i] * METRES_PER_MILE, expected_m, rtol=1e-7, atol=0.05)


def test_real_parcels_to_real_water():
    parcels = _parcels("Rhode_Island.gpkg")
    water = shapely.make_valid(_read("constraints/Rhode_Island_Water.gpkg"))
    water = water[np.isin(shapely.get_type_id(water), [3, 6])]
    number, mi = nearest_edge(FeatureIndex.from_polygons(water), parcels)
    tree = shapely.STRtree(water)
    parcel_no, water_no = tree.query(parcels, predicate="intersects")
    wet = np.zeros(len(parcels), dtype=bool)
    wet[parcel_no] = True
    assert 0 < wet.sum() < len(parcels)
    assert (mi[wet] == 0).all()
    # Of several the lowest; on the dry ones nothing is nearer than 10 cm unless it is at 0.
    lowest = np.full(len(parcels), len(water))
    np.minimum.at(lowest, parcel_no, water_no)
    assert (number[wet] <= lowest[wet]).all()
    dry = np.flatnonzero(~wet)
    # Planes around the parcels, for the lines around the water.
    planar = planar_nearest.PlanarIndex.from_lines(shapely.boundary(water), edges="lonlat")
    planar_no, planar_mi = planar_nearest.k_nearest_edge(planar, parcels[dry], 1)
    _assert_same((number[dry], mi[dry]), (planar_no[:, 0], planar_mi[:, 0]))
    for i in np.random.default_rng(1).choice(dry, 5, replace=False):
        expected_m = edge_to_polygon_m(parcels[i], water[number[i]])
        assert mi[i] * METRES_PER_MILE == pytest.approx(expected_m, rel=1e-6, abs=0.05)


@pytest.mark.parametrize("name", PARCELS)
def test_order_does_not_change_a_bit_of_real_parcels(name):
    parcels = Polygons.from_shapes(_parcels(name))
    order = np.random.default_rng(3).permutation(len(parcels))
    for index in (_lines()[0], _substations()[0]):
        one = nearest_edge(index, parcels, workers=1)
        two = nearest_edge(index, parcels.take(order))
        for a, b in zip(one, two, strict=True):
            assert a[order].tobytes() == b.tobytes()
