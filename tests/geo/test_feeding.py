import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import GeoError, GeometryError
from geo.feeding import REACH_MI, USEFUL_MW, Feeding
from geo.polygons import Polygons
from tests.oracle import feeding as oracle
from tests.oracle.geodesic import GEOD, METRES_PER_MILE
from tests.oracle.shapes import around, examples, parcels, places, seeds

# Edges and their chords are up to 8 cm apart.
EDGE_MI = 0.1 / METRES_PER_MILE


def at(miles, bearing=90.0, start=(-98.0, 39.0)):
    return GEOD.fwd(*start, bearing, miles * METRES_PER_MILE)[:2]


def stations_around(place, seed, count):
    rng = np.random.default_rng(seed)
    off_m = rng.uniform(0, 26 * METRES_PER_MILE, count) * rng.uniform(0, 1, count)
    stations = around(place, rng.uniform(0, 360, count), off_m)
    return stations, np.round(rng.uniform(0, 1500, count), 0)


@given(places, seeds, st.integers(0, 30))
@examples(60)
def test_points_are_fed_as_by_looking_at_every_station(place, seed, count):
    stations, mw = stations_around(place, seed, count)
    number, miles = Feeding.of(*stations.T, mw).choose(*np.array([place]).T)
    expected, expected_mi = oracle.feeding(*place, None, stations, mw, REACH_MI, USEFUL_MW)
    assert number[0] == expected
    assert miles[0] == pytest.approx(expected_mi, abs=1e-6, nan_ok=True)


@given(parcels(), seeds, st.integers(1, 25))
@examples(60)
def test_parcels_are_fed_from_their_edge(shape, seed, count):
    point = shape.representative_point()
    place = (point.x, point.y)
    stations, mw = stations_around(place, seed, count)
    number, miles = Feeding.of(*stations.T, mw).choose(
        *np.array([place]).T, Polygons.from_shapes(np.array([shape], dtype=object))
    )
    expected, expected_mi = oracle.feeding(*place, shape, stations, mw, REACH_MI, USEFUL_MW)
    if number[0] != expected:  # as good, to the last centimetres
        assert number[0] >= 0
        _, other_mi = oracle.feeding(
            *place, shape, stations[number], mw[number], REACH_MI, USEFUL_MW
        )
        brought, best = (
            min(mw[no], USEFUL_MW) * (1 - mi / REACH_MI)
            for no, mi in ((number[0], other_mi), (expected, expected_mi))
        )
        assert brought == pytest.approx(best, abs=USEFUL_MW * EDGE_MI / REACH_MI)
    else:
        assert miles[0] == pytest.approx(expected_mi, rel=1e-5, abs=EDGE_MI, nan_ok=True)


@pytest.mark.parametrize(
    ("stations", "chosen"),
    [
        ([(100, 2), (500, 2)], 1),
        ([(500, 1), (500, 15)], 0),
        ([(5000, 4), (1000, 3.9)], 1),
        ([(0, 5), (0, 3)], 1),
        ([(400, 3), (400, 3)], 0),
        ([(900, 20.5), (1, 19)], 1),
        ([(900, 20.5)], -1),
    ],
)
def test_a_parcel_is_fed_by_what_brings_it_the_most(stations, chosen):
    lon, lat = np.array([at(miles) for _, miles in stations]).T
    feeding = Feeding.of(lon, lat, np.array([mw for mw, _ in stations], dtype=float))
    number, miles = feeding.choose(np.array([-98.0]), np.array([39.0]))
    assert number[0] == chosen
    expected = stations[chosen][1] if chosen >= 0 else np.nan
    assert miles[0] == pytest.approx(expected, abs=1e-6, nan_ok=True)


def test_neither_order_nor_threads_change_a_bit():
    rng = np.random.default_rng(3)
    stations, mw = stations_around((-98.0, 39.0), 4, 300)
    feeding = Feeding.of(*stations.T, mw)
    lon, lat = rng.uniform(-98.4, -97.6, 9_000), rng.uniform(38.7, 39.3, 9_000)
    lots = Polygons.from_shapes(shapely.box(lon - 0.01, lat - 0.02, lon + 0.01, lat + 0.03))
    for outline in (None, lots):
        one = feeding.choose(lon, lat, outline, workers=1)
        shuffle = rng.permutation(lon.size)
        mixed = None if outline is None else outline.take(shuffle)
        two = feeding.choose(lon[shuffle], lat[shuffle], mixed, workers=2)
        other = feeding.choose(lon, lat, outline, workers=2)
        for a, b, c in zip(one, two, other, strict=True):
            assert a[shuffle].tobytes() == b.tobytes()
            assert a.tobytes() == c.tobytes()
        assert (one[0] >= 0).any()


def test_the_date_line_is_no_end_of_reach():
    feeding = Feeding.of(np.array([179.99, 0.0]), np.array([52.0, 0.0]), np.array([10.0, 10.0]))
    number, _ = feeding.choose(np.array([-179.99]), np.array([52.0]))
    assert number[0] == 0


def test_bad_stations_and_points_are_refused():
    with pytest.raises(GeoError, match="headroom"):
        Feeding.of(np.array([-98.0]), np.array([39.0]), np.array([np.nan]))
    with pytest.raises(GeometryError, match="no longitude"):
        Feeding.of(np.array([39.0]), np.array([-98.0]), np.array([1.0]))
    feeding = Feeding.of(np.zeros(0), np.zeros(0), np.zeros(0))
    assert feeding.choose(np.array([-98.0]), np.array([39.0]))[0][0] == -1
