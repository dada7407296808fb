import numpy as np
import pytest

from geo.errors import GeometryError
from geo.pairs import pairs_within
from tests.oracle.geodesic import GEOD, METRES_PER_MILE, all_pairs_m


@pytest.mark.parametrize("radius_mi", [0.0, 3.0, 20.0, 200.0])
def test_pairs_are_those_that_geod_finds(radius_mi):
    rng = np.random.default_rng(4)
    lon, lat = rng.uniform(-100, -96, 150), rng.uniform(38, 41, 150)
    feature_lon, feature_lat = rng.uniform(-100, -96, 200), rng.uniform(38, 41, 200)
    feature_lon[:5], feature_lat[:5] = lon[:5], lat[:5]
    expected = all_pairs_m(lon, lat, feature_lon, feature_lat) / METRES_PER_MILE
    point, feature, miles = pairs_within(lon, lat, feature_lon, feature_lat, radius_mi)
    wanted = np.argwhere(expected <= radius_mi)
    np.testing.assert_array_equal(np.column_stack([point, feature]), wanted)
    np.testing.assert_allclose(miles, expected[point, feature], atol=1e-6)


def test_the_radius_is_geodesic_to_a_centimetre():
    for bearing in range(0, 360, 30):
        lon, lat, _ = GEOD.fwd([-98.0] * 2, [39.0] * 2, [bearing] * 2,
                               [20 * METRES_PER_MILE - 0.01, 20 * METRES_PER_MILE + 0.01])  # fmt: skip
        _, feature, _ = pairs_within([-98.0], [39.0], lon, lat, 20.0)
        assert feature.tolist() == [0]


def test_nothing_pairs_with_nothing():
    empty = np.zeros(0)
    for here, there in [(empty, empty), (empty, np.array([1.0])), (np.array([1.0]), empty)]:
        assert [len(a) for a in pairs_within(here, here, there, there, 5.0)] == [0, 0, 0]


def test_coordinates_that_are_no_degrees_are_refused():
    with pytest.raises(GeometryError):
        pairs_within([np.nan], [39.0], [-98.0], [39.0], 1.0)
    with pytest.raises(GeometryError):
        pairs_within([-98.0], [39.0], [39.0], [-98.0], 1.0)
