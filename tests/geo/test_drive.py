import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from geo.drive import RoadNetwork, box_mi2, corridor
from geo.errors import GeoError
from tests.oracle.drive import minutes_and_miles
from tests.oracle.geodesic import GEOD, METRES_PER_MILE
from tests.oracle.shapes import examples, seeds

HERE = (-100.0, 40.0)


def east(miles, north=0.0):
    """Return the point so many miles east and north of here."""
    lon, lat, _ = GEOD.fwd(*HERE, 90, miles * METRES_PER_MILE)
    lon, lat, _ = GEOD.fwd(lon, lat, 0, north * METRES_PER_MILE)
    return lon, lat


def network(points, stretches, access=None):
    lon, lat = np.array(points).T
    start, end, seconds, metres = np.array(stretches, dtype=float).T
    is_access = np.ones(len(lon), bool) if access is None else np.isin(np.arange(len(lon)), access)
    return RoadNetwork.of(lon, lat, is_access, start.astype(int), end.astype(int), seconds, metres)


def both_ways(*stretches):
    return [*stretches, *((end, start, *rest) for start, end, *rest in stretches)]


def times(roads, to, *starts):
    return roads.times_to(*to, *np.array(starts).T)


def test_minutes_are_those_on_the_road_and_on_the_ways_to_it():
    # 50 miles at 60 mph; 2 miles to it and half a mile from it at 25 mph.
    roads = network([HERE, east(50)], both_ways((0, 1, 3000.0, 50 * METRES_PER_MILE)))
    found = times(roads, east(50, 0.5), east(0, 2))
    assert found.minutes == pytest.approx([50 + 2.5 / 25 * 60], abs=1e-3)
    assert found.road_mi == pytest.approx([50])
    assert found.access_mi == pytest.approx([2], abs=1e-3)
    assert found.exit_mi == pytest.approx(0.5, abs=1e-3)


def test_the_faster_way_is_taken_though_it_is_longer():
    points = [HERE, east(10), east(5, 5)]
    roads = network(
        points, both_ways((0, 1, 1200, 16_093), (0, 2, 300, 12_000), (2, 1, 300, 12_000))
    )
    found = times(roads, points[1], points[0])
    assert found.minutes == pytest.approx([10])
    assert found.road_mi == pytest.approx([24_000 / METRES_PER_MILE])


def test_a_one_way_road_is_driven_one_way():
    # A round course of three: forwards one stretch, back two.
    points = [HERE, east(20), east(20, 20)]
    roads = network(points, [(0, 1, 600, 32_000), (1, 2, 700, 32_000), (2, 0, 800, 45_000)])
    assert times(roads, points[1], points[0]).minutes == pytest.approx([10])
    assert times(roads, points[0], points[1]).minutes == pytest.approx([25])


def test_motorways_are_passed_and_not_got_on_to():
    points = [HERE, east(15), east(30)]
    roads = network(points, both_ways((0, 1, 900, 24_000), (1, 2, 900, 24_000)), access=[0, 2])
    found = times(roads, points[2], east(5.0), points[1])
    assert found.access_mi[0] == pytest.approx(5, abs=1e-3)
    assert found.minutes[0] == pytest.approx(30 + 5 / 25 * 60, abs=1e-3)
    # It stands on the motorway, and 15 miles from where one gets on.
    assert np.isnan(found.minutes[1])
    assert np.isnan(found.access_mi[1])


def test_a_piece_cut_off_is_not_got_on_to():
    points = [HERE, east(20), east(40), east(1, 3), east(2, 3)]
    roads = network(points, both_ways((0, 1, 600, 32_000), (1, 2, 600, 32_000), (3, 4, 60, 1_600)))
    found = times(roads, points[2], points[3])
    assert found.access_mi[0] == pytest.approx(np.hypot(1, 3), rel=1e-3)
    assert found.minutes[0] == pytest.approx(20 + np.hypot(1, 3) / 25 * 60, rel=1e-3)


def test_who_is_far_from_every_road_is_told_nothing():
    roads = network([HERE, east(20)], both_ways((0, 1, 600, 32_000)))
    found = times(roads, HERE, east(0, 9.9), east(0, 10.1))
    assert np.isnan(found.minutes).tolist() == [False, True]
    assert np.isnan(found.road_mi).tolist() == [False, True]
    found = times(roads, east(0, -10.1), east(20), HERE)
    assert np.isnan(found.exit_mi)
    assert np.isnan(found.minutes).all()
    assert (found.access_mi < 1e-3).all()


def test_a_near_place_is_gone_to_straight():
    roads = network([HERE, east(20)], both_ways((0, 1, 600, 32_000)))
    found = times(roads, east(1, 4), east(-1, 4), east(1, 4))
    assert found.minutes == pytest.approx([2 / 25 * 60, 0], abs=2e-2)
    assert found.road_mi.tolist() == [0, 0]


def test_stretches_of_no_length_join_their_ends():
    points = [HERE, HERE, east(20)]
    roads = network(points, both_ways((0, 1, 0, 0), (1, 2, 600, 32_000)), access=[0, 2])
    assert times(roads, points[2], HERE).minutes == pytest.approx([10], abs=1e-6)


@pytest.mark.parametrize("seconds", [-1.0, np.nan])
def test_a_time_that_is_none_is_refused(seconds):
    with pytest.raises(GeoError, match="less than no time"):
        network([HERE, east(1)], [(0, 1, seconds, 5)])


def test_roads_without_a_way_on_to_them_are_refused():
    with pytest.raises(GeoError, match="no point where one can get on"):
        network([HERE, east(1)], [(0, 1, 60, 5)], access=[])


@examples(60)
@given(seeds, st.integers(2, 14), st.floats(1, 60))
def test_times_are_those_of_a_plain_search(seed, count, spread_mi):
    rng = np.random.default_rng(seed)
    points = np.array([east(*rng.uniform(0, spread_mi, 2)) for _ in range(count)])
    drawn = int(rng.integers(1, 5 * count))
    start, end = rng.integers(0, count, (2, drawn))
    seconds, metres = rng.uniform(1, 2000, drawn), rng.uniform(1, 50_000, drawn)
    # Some stretches twice, as fast but not as long.
    again = np.arange(drawn)[: drawn // 3]
    stretches = np.column_stack(
        [
            np.append(start, start[again]),
            np.append(end, end[again]),
            np.append(seconds, seconds[again]),
            np.append(metres, rng.uniform(1, 50_000, len(again))),
        ]
    )
    is_access = rng.random(count) < 0.8
    assume(is_access.any())
    to, *starts = [east(*rng.uniform(-5, spread_mi + 5, 2)) for _ in range(6)]
    plain = [(int(row[0]), int(row[1]), *row[2:]) for row in stretches]
    expected = minutes_and_miles(*points.T, is_access, plain, to, starts)
    assume(expected is not None)
    found = times(network(points, stretches, np.flatnonzero(is_access)), to, *starts)
    for row, told in enumerate(expected):
        if told is None:
            assert np.isnan([found.minutes[row], found.road_mi[row]]).all()
            continue
        assert found.minutes[row] == pytest.approx(told[0], rel=1e-5, abs=1e-5)
        assert found.road_mi[row] == pytest.approx(told[1], rel=1e-9)


@examples(60)
@given(seeds, st.floats(25, 48), st.floats(0, 100))
def test_a_corridor_holds_its_places_with_a_margin(seed, lat, spread_mi):
    rng = np.random.default_rng(seed)
    around = rng.uniform(0, 360, 4), rng.uniform(0, spread_mi, 4) * METRES_PER_MILE
    lon, lats, _ = GEOD.fwd(np.full(4, -95.0), np.full(4, lat), *around)
    west, south, east_, north = box = corridor(lon[0], lats[0], lon[1:], lats[1:])
    reach_mi = max(GEOD.inv(np.full(3, lon[0]), np.full(3, lats[0]), lon[1:], lats[1:])[2])
    margin_m = max(10 * METRES_PER_MILE, 0.2 * reach_mi)
    for turn in (0, 90, 180, 270):
        out = GEOD.fwd(lon, lats, np.full(4, turn), np.full(4, margin_m))
        assert (west <= out[0]).all()
        assert (out[0] <= east_).all()
        assert (south <= out[1] + 1e-9).all()
        assert (out[1] <= north + 1e-9).all()
    assert all(round(edge * 10) / 10 == edge for edge in box)
    # And not much more: two margins, what is drawn between, and a tenth of a degree a side.
    height_mi = (np.ptp(lats) * 69.1) + 2 * margin_m / METRES_PER_MILE + 14
    assert (north - south) * 69.1 <= height_mi + 0.3


def test_the_area_of_a_box_is_that_of_the_ellipsoid():
    # Along parallels a degree at a time: what Geod measures between the corners.
    west, south, east_, north = box = (-80.0, 38.0, -77.0, 40.0)
    lon = np.linspace(west, east_, 301)
    ring = np.append(lon, lon[::-1]), np.repeat([south, north], 301)
    true_mi2 = abs(GEOD.polygon_area_perimeter(*ring)[0]) / METRES_PER_MILE**2
    assert box_mi2(box) == pytest.approx(true_mi2, rel=2e-3)
