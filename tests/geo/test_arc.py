import numpy as np
import pytest

from geo._arc import arc_m, lift, longest_chord_m
from geo.geodesy import to_ecef
from tests.oracle.geodesic import GEOD

N = 2_000


def _pairs(metres):
    """Places all over the earth, those at a distance from them, and the geodesic between."""
    rng = np.random.default_rng(6)
    lon, lat = rng.uniform(-180, 180, N), np.degrees(np.arcsin(rng.uniform(-1, 1, N)))
    lat[:4] = 90.0, -90.0, 0.0, 0.0
    bearing = rng.uniform(0, 360, N)
    bearing[2:4] = 90.0, 0.0
    to_lon, to_lat, _ = GEOD.fwd(lon, lat, bearing, np.full(N, metres))
    return to_ecef(lon, lat), to_ecef(to_lon, to_lat), GEOD.inv(lon, lat, to_lon, to_lat)[2]


@pytest.mark.parametrize(
    ("metres", "error_m"),
    [
        (0.01, 1e-08),
        (1000.0, 1e-08),
        (160000.0, 1e-05),
        (299000.0, 0.0001),
        (310000.0, 0.0001),
        (3000000.0, 0.0001),
        (19000000.0, 0.0002),
        (19850000.0, 0.0002),
        (19950000.0, 0.0002),
        (20003000.0, 0.0002),
    ],
)
def test_arcs_are_those_of_geod_all_over_the_earth(metres, error_m):
    here, there, expected_m = _pairs(metres)
    got_m = [arc_m(*a, *b) for a, b in zip(here, there, strict=True)]
    np.testing.assert_allclose(got_m, expected_m, rtol=0, atol=error_m)
    chord_m = np.linalg.norm(here - there, axis=1)
    assert (chord_m <= [longest_chord_m(metre) + 1e-6 for metre in expected_m]).all()


def test_arcs_to_the_same_place_and_to_the_antipode():
    for place in ([0.0, 0.0], [12.0, 34.0], [0.0, 90.0]):
        here = to_ecef(*np.array([place]).T)[0]
        assert arc_m(*here, *here) == 0.0
        antipode_m = GEOD.inv(place[0], place[1], place[0] + 180.0, -place[1])[2]
        assert arc_m(*here, *-here) == pytest.approx(antipode_m, abs=1e-3)


def test_what_lies_under_the_ground_is_lifted_onto_it():
    here = to_ecef(np.array([-100.0]), np.array([40.0]))[0]
    np.testing.assert_allclose(lift(*(here * (1 - 1e-8))), here, atol=1e-8)
