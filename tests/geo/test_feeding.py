import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import GeoError, GeometryError
from geo.feeding import Feeding
from geo.polygons import Polygons
from tests.oracle import feeding as oracle
from tests.oracle.geodesic import GEOD, METRES_PER_MILE
from tests.oracle.shapes import around, examples, parcels, places, seeds
from tests.oracle.worlds import TIE_LINES

# Edges and their chords are up to 8 cm apart.
EDGE_MI = 0.1 / METRES_PER_MILE


def at(miles, bearing=90.0, start=(-98.0, 39.0)):
    return GEOD.fwd(*start, bearing, miles * METRES_PER_MILE)[:2]


def stations_around(place, seed, count):
    """Stations, their voltages and headroom; some at the same place, some without a megawatt."""
    rng = np.random.default_rng(seed)
    off_m = rng.uniform(0, 26 * METRES_PER_MILE, count) * rng.uniform(0, 1, count)
    stations = around(place, rng.uniform(0, 360, count), off_m)
    again = rng.random(count) < 0.1
    stations[again] = stations[rng.integers(0, count, again.sum())]
    kv = rng.choice([69.0, 115.0, 138.0, 236.0, 345.0, 500.0], count)
    mw = np.round(rng.uniform(0, 1500, count), 0)
    mw[rng.random(count) < 0.2] = 0.0
    return stations, kv, mw


def feeding_of(stations, kv, mw):
    return Feeding.of(*np.reshape(stations, (-1, 2)).T, kv, mw, TIE_LINES)


@given(places, seeds, st.integers(0, 30), st.integers(1, 6))
@examples(60)
def test_points_are_fed_as_by_looking_at_every_station(place, seed, count, most):
    known = stations_around(place, seed, count)
    number, miles = feeding_of(*known).choose(*np.array([place]).T, most=most)
    expected = oracle.feeding(*place, None, *known)[:most]
    assert number[0].tolist() == [no for *_, no in expected] + [-1] * (most - len(expected))
    right = [mi for _, mi, _ in expected] + [np.nan] * (most - len(expected))
    assert miles[0] == pytest.approx(right, abs=1e-6, nan_ok=True)


@given(parcels(), seeds, st.integers(1, 25), st.integers(1, 4))
@examples(60)
def test_parcels_are_fed_from_their_edge(shape, seed, count, most):
    point = shape.representative_point()
    place = (point.x, point.y)
    stations, kv, mw = stations_around(place, seed, count)
    number, miles = feeding_of(stations, kv, mw).choose(
        *np.array([place]).T, Polygons.from_shapes(np.array([shape], dtype=object)), most=most
    )
    every = oracle.feeding(*place, shape, stations, kv, mw)
    away = {no: mi for _, mi, no in every}
    chosen = [no for no in number[0] if no >= 0]
    assert len(set(chosen)) == len(chosen) == min(most, len(every))
    for no, mi, (rate, right_mi, right) in zip(chosen, miles[0], every, strict=False):
        assert mi == pytest.approx(away[no], rel=1e-5, abs=EDGE_MI)
        if no != right:  # as good, to the last centimetres
            if np.isinf(rate):
                assert mw[no] == 0
                assert away[no] == pytest.approx(right_mi, abs=2 * EDGE_MI)
            else:
                nearest = max(away[no] - EDGE_MI, 0.0)
                least = min(oracle.rate(kv[no], at_mi, mw[no]) for at_mi in (nearest, away[no]))
                farthest = right_mi + EDGE_MI
                most_ = max(
                    oracle.rate(kv[right], at_mi, mw[right]) for at_mi in (farthest, right_mi)
                )
                assert least <= most_ * (1 + 1e-9)


@pytest.mark.parametrize(
    ("stations", "chosen"),
    [
        ([(138, 100, 2), (138, 500, 2)], [1, 0]),
        ([(138, 200, 1), (138, 200, 15)], [0, 1]),
        # A gigawatt is enough.
        ([(345, 5000, 4), (345, 1000, 3.9)], [1, 0]),
        # 80 M$ for 300 MW beat 16 M$ for 30.
        ([(138, 30, 2), (345, 300, 10)], [1, 0]),
        # Short lines cost more a mile: at 10.1 miles a line is cheaper than at 9.
        ([(230, 500, 9), (230, 500, 10.1)], [1, 0]),
        ([(230, 500, 2.9), (230, 500, 3.0001)], [1, 0]),
        # Where there is no megawatt the nearest is known to have none.
        ([(138, 0, 5), (69, 0, 3)], [1, 0]),
        ([(138, 0, 0.1), (69, 1, 19)], [1, 0]),
        ([(138, 400, 3), (138, 400, 3)], [0, 1]),
        ([(138, 900, 20.5), (138, 1, 19)], [1, -1]),
        ([(138, 900, 20.5)], [-1, -1]),
    ],
)
def test_a_parcel_is_fed_where_a_megawatt_costs_least(stations, chosen):
    kv, mw, away = np.array(stations, dtype=float).T
    feeding = feeding_of([at(miles) for miles in away], kv, mw)
    number, miles = feeding.choose(np.array([-98.0]), np.array([39.0]), most=2)
    assert number[0].tolist() == chosen
    expected = [away[no] if no >= 0 else np.nan for no in chosen]
    assert miles[0] == pytest.approx(expected, abs=1e-6, nan_ok=True)


@given(places, seeds, st.integers(2, 12), st.floats(1.0, 40.0))
@examples(40)
def test_more_megawatts_never_make_a_substation_a_worse_choice(place, seed, count, factor):
    stations, kv, mw = stations_around(place, seed, count)
    lon, lat = np.array([place]).T
    before = feeding_of(stations, kv, mw).choose(lon, lat, most=count)[0][0].tolist()
    for no in set(before) - {-1}:
        more = mw.copy()
        more[no] = (more[no] + 1) * factor
        after = feeding_of(stations, kv, more).choose(lon, lat, most=count)[0][0].tolist()
        assert after.index(no) <= before.index(no)


def test_neither_order_nor_threads_change_a_bit():
    rng = np.random.default_rng(3)
    feeding = feeding_of(*stations_around((-98.0, 39.0), 4, 300))
    lon, lat = rng.uniform(-98.4, -97.6, 9_000), rng.uniform(38.7, 39.3, 9_000)
    lots = Polygons.from_shapes(shapely.box(lon - 0.01, lat - 0.02, lon + 0.01, lat + 0.03))
    for outline in (None, lots):
        one = feeding.choose(lon, lat, outline, most=3, workers=1)
        shuffle = rng.permutation(lon.size)
        mixed = None if outline is None else outline.take(shuffle)
        two = feeding.choose(lon[shuffle], lat[shuffle], mixed, most=3, workers=2)
        other = feeding.choose(lon, lat, outline, most=3, workers=2)
        for a, b, c in zip(one, two, other, strict=True):
            assert a[shuffle].tobytes() == b.tobytes()
            assert a.tobytes() == c.tobytes()
        assert (one[0] >= 0).any()
        # How many are asked for changes none of the first.
        fewer = feeding.choose(lon, lat, outline)
        for a, b in zip(one, fewer, strict=True):
            assert a[:, :1].tobytes() == b.tobytes()


def test_neither_the_date_line_nor_a_pole_is_an_end_of_reach():
    feeding = feeding_of([(179.99, 52.0), (0.0, 0.0)], [69.0, 69.0], [10.0, 10.0])
    number, _ = feeding.choose(np.array([-179.99]), np.array([52.0]), most=2)
    assert number[0].tolist() == [0, -1]
    around_pole = [(lon, 89.95) for lon in (-180.0, -60.0, 60.0, 180.0)]
    feeding = feeding_of(around_pole, [69.0] * 4, [10.0, 20.0, 30.0, 40.0])
    number, _ = feeding.choose(np.array([0.0]), np.array([89.99]), most=5)
    assert number[0].tolist() == [3, 2, 1, 0, -1]


def test_bad_stations_and_points_are_refused():
    here = (np.array([-98.0]), np.array([39.0]))
    with pytest.raises(GeoError, match="headroom"):
        Feeding.of(*here, np.array([69.0]), np.array([np.nan]), TIE_LINES)
    with pytest.raises(GeoError, match="no voltage"):
        Feeding.of(*here, np.array([np.nan]), np.array([1.0]), TIE_LINES)
    with pytest.raises(GeometryError, match="no longitude"):
        Feeding.of(*here[::-1], np.array([69.0]), np.array([1.0]), TIE_LINES)
    feeding = Feeding.of(*[np.zeros(0)] * 4, TIE_LINES)
    assert feeding.choose(*here)[0].tolist() == [[-1]]
