from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import CrsError, GeoError, GeometryError
from geo.fiber.right_of_way import RightOfWay, lay
from geo.fiber.rules import LatencyRules
from tests.oracle.geodesic import GEOD
from tests.oracle.right_of_way import shortest_km, unit_steps

ROOT = Path(__file__).parents[3]
RULES = LatencyRules.from_frame(pd.read_csv(ROOT / "data" / "reference" / "latency.csv"))
BACK = pyproj.Transformer.from_crs("EPSG:5070", "OGC:CRS84", always_xy=True)
# Somewhere in Kansas, metres of EPSG:5070.
X0, Y0 = -200_000, 1_700_000


def place(x_km, y_km):
    """Longitude and latitude of a place by its km east and north of a corner."""
    return BACK.transform(X0 + 1_000 * x_km, Y0 + 1_000 * y_km)


def ways(*lines):
    """Frame of lines given by their vertices in km."""
    shapes = [shapely.LineString([place(*at) for at in line]) for line in lines]
    return gpd.GeoDataFrame(geometry=shapes, crs="OGC:CRS84")


def laid(row, nodes, pairs):
    lon, lat = np.array([place(*at) for at in nodes]).T
    return lay(row, lon, lat, np.array(pairs), RULES)


def along_km(*places):
    lon, lat = np.array([place(*at) for at in places]).T
    return GEOD.line_length(lon, lat) / 1_000


def part_lengths(row):
    return sorted(np.round(np.bincount(row.component[row.from_vertex], row.km)).tolist())


def test_a_link_follows_the_road_around_the_corner_with_its_spurs():
    row = RightOfWay.of(ways([(0, 0), (40, 0), (40, 30)]))
    routes = laid(row, [(0, -2), (42, 30), (40, 15)], [(0, 1), (1, 0), (0, 2)])
    whole = along_km((0, -2), (0, 0), (40, 0), (40, 30), (42, 30))
    np.testing.assert_allclose(routes.route_km[:2], whole, rtol=1e-5)
    np.testing.assert_allclose(
        routes.route_km[2], along_km((0, -2), (0, 0), (40, 0), (40, 15)), rtol=1e-5
    )
    np.testing.assert_allclose(routes.spur_km, [[2, 2], [2, 2], [2, 0]], rtol=0.02, atol=2e-3)
    # The third link begins on the segment that the others share, and ends where their last begins.
    first, second, third = (
        routes.segment_no[routes.offsets[n] : routes.offsets[n + 1]].tolist() for n in range(3)
    )
    assert second == first[::-1]
    assert third == first[: len(third)]
    assert len(third) < len(first)
    there = routes.course(0)
    np.testing.assert_array_equal(routes.course(1), there[::-1])
    np.testing.assert_allclose(there[[0, -1]], [place(0, 0), place(40, 30)], atol=1e-5)


def test_a_way_longer_than_the_detour_factor_or_mostly_spur_is_not_laid():
    # Beside one another over a long loop: 2 * 30 + 10 for 10 km.
    loop = RightOfWay.of(ways([(0, 0), (30, 0), (30, 10), (0, 10)]))
    assert np.isnan(laid(loop, [(0, 0), (0, 10)], [(0, 1)]).route_km).all()
    # Two sides of a square for its diagonal are 1.41.
    np.testing.assert_allclose(
        laid(loop, [(20, 0), (30, 10)], [(0, 1)]).route_km, along_km((20, 0), (30, 0), (30, 10)), rtol=1e-5
    )  # fmt: skip
    # 24 km of spurs for 16 km of road.
    road = RightOfWay.of(ways([(0, 0), (16, 0)]))
    far = laid(road, [(0, 12), (16, 12), (0, -12)], [(0, 1), (0, 2)])
    assert np.isnan(far.route_km).all()
    assert far.from_vertex.tolist() == [-1, -1]
    assert len(far.segment_no) == 0


def test_nodes_beyond_the_reach_and_both_at_one_place_have_no_way():
    row = RightOfWay.of(ways([(0, 0), (200, 0)]))
    nodes = [(0, 24), (200, 0), (100, 26), (200, 0), (100, 0)]
    routes = laid(row, nodes, [(0, 1), (1, 2), (1, 3), (1, 4)])
    assert np.isnan(routes.route_km).tolist() == [False, True, True, False]


def test_no_way_leads_through_a_node():
    # Two roads 8 km apart, each within reach of the node between them, are not joined by it.
    row = RightOfWay.of(ways([(0, 0), (50, 0)], [(50, 8), (100, 8)]))
    routes = laid(row, [(0, 0), (100, 8), (50, 4)], [(0, 1), (0, 2), (2, 1)])
    assert np.isnan(routes.route_km).tolist() == [True, False, False]


def test_carriageways_are_one_right_of_way_and_a_road_apart_is_another():
    rows = ways(
        [(-5, 0), (30, 0.1), (65, 0)],
        # Weaves across the first, up to 200 m from it.
        [(60, 0.04), (31, -0.1), (1, 0.2)],
        [(0, 0.7), (60, 0.7)],
    )
    row = RightOfWay.of(rows.iloc[:2])
    assert len(row.km) == 1
    np.testing.assert_allclose(row.km, along_km((-5, 0), (30, 0.1), (65, 0)), rtol=1e-6)
    # The third is joined to it at its ends.
    np.testing.assert_allclose(sorted(RightOfWay.of(rows).km), [5, 5, 60, 61.4], rtol=0.02)


def test_crossings_and_ends_that_stop_short_join_the_network():
    crossing = RightOfWay.of(ways([(0, 0), (40, 0)], [(20, -20), (20, 20)]))
    assert len(crossing.lon) == 5
    assert len(crossing.km) == 4
    # 0.9 km short is joined, 1.1 km short is not.
    near = RightOfWay.of(ways([(0, 0), (40, 0)], [(20, 0.9), (20, 20)]))
    assert part_lengths(near) == [60]
    off = RightOfWay.of(ways([(0, 0), (40, 0)], [(20, 1.1), (20, 20)]))
    assert part_lengths(off) == [19, 40]
    # Ends are joined to another part first, where each is nearer to the other end of their own.
    fork = [(20, 0.9), (20, 10)], [(20.6, 0.9), (23, 5), (20, 10)], [(20, 10), (20, 20)]
    assert len(part_lengths(RightOfWay.of(ways([(0, 0), (40, 0)], *fork)))) == 1


def test_a_loop_stays_where_it_meets_the_road():
    loop = [(40, 0), (50, 9), (60, 0), (50, -9), (40, 0)]
    for turn in range(4):
        turned = [*loop[turn:-1], *loop[: turn + 1]]
        row = RightOfWay.of(ways([(0, 0), (40, 0)], turned))
        assert len(np.unique(row.component)) == 1


@st.composite
def towns(draw):
    """Streets on a lattice of 30 km, of which no spur leads to another, and pairs of crossings on them."""
    coordinate = st.integers(0, 5)
    streets = []
    for _ in range(draw(st.integers(1, 9))):
        fixed, (one, other) = draw(coordinate), draw(st.tuples(coordinate, coordinate))
        if one != other:
            ends = ((one, fixed), (other, fixed))
            turned = tuple(at[::-1] for at in ends)
            streets.append(ends if draw(st.booleans()) else turned)
    crossings = sorted({at for step in unit_steps(streets) for at in step})
    if not crossings:
        return streets, []
    at = st.sampled_from(crossings)
    return streets, draw(st.lists(st.tuples(at, at), min_size=1, max_size=6))


@settings(max_examples=40, deadline=None)
@given(towns())
def test_ways_on_a_lattice_are_the_shortest_that_a_heap_finds(town):
    streets, pairs = town
    if not pairs:
        return
    row = RightOfWay.of(ways(*[[(30 * x, 30 * y) for x, y in ends] for ends in streets]))
    nodes = sorted({at for pair in pairs for at in pair})
    number = {at: n for n, at in enumerate(nodes)}
    routes = laid(
        row, [(30 * x, 30 * y) for x, y in nodes], [[number[a], number[b]] for a, b in pairs]
    )
    steps = unit_steps(streets)
    for (a, b), km, spurs in zip(pairs, routes.route_km, routes.spur_km, strict=True):
        straight = along_km([30 * v for v in a], [30 * v for v in b])
        expected = shortest_km(steps, lambda x, y: place(30 * x, 30 * y), a, b)
        if a == b or expected > RULES.detour_factor * straight:
            assert np.isnan(km)
        else:
            assert km == pytest.approx(expected, rel=1e-6)
            assert km >= straight
            # On the crossing but for the rounding to whole metres.
            assert (spurs < 1e-3).all()


def _wild(seed):
    """Lines and nodes anywhere in 300 by 200 km, with copies that are moved by a little."""
    rng = np.random.default_rng(seed)
    walk = rng.uniform(0, 1, (40, 1, 2)) * [300, 200] + np.cumsum(rng.normal(0, 20, (40, 7, 2)), 1)
    lines = [*walk, *(walk[:15] + rng.normal(0, 0.05, (15, 7, 2)))]
    return lines, rng.uniform(0, 1, (25, 2)) * [300, 200], rng.integers(0, 25, (80, 2))


@pytest.mark.parametrize("seed", range(3))
def test_routes_are_chains_of_segments_and_never_beat_the_great_circle(seed):
    lines, nodes, pairs = _wild(seed)
    routes = laid(RightOfWay.of(ways(*lines)), nodes, pairs)
    net, is_laid = routes.network, ~np.isnan(routes.route_km)
    assert is_laid.sum() > 10
    for row in np.flatnonzero(is_laid):
        used = routes.segment_no[routes.offsets[row] : routes.offsets[row + 1]]
        straight = along_km(*nodes[pairs[row]])
        total = net.km[used].sum() + routes.spur_km[row].sum()
        assert routes.route_km[row] == pytest.approx(total, rel=1e-12)
        assert straight <= routes.route_km[row] <= RULES.detour_factor * straight * (1 + 1e-9)
        here = routes.from_vertex[row]
        for segment in used:
            ends = routes.segment_ends[segment].tolist()
            assert here in ends
            here = ends[1] if here == ends[0] else ends[0]
        assert here == routes.to_vertex[row]
        course = routes.course(row)
        assert GEOD.line_length(*course.T) / 1_000 == pytest.approx(net.km[used].sum())
        for end, vertex in ((0, routes.from_vertex[row]), (-1, here)):
            assert course[end].tolist() == [net.lon[vertex], net.lat[vertex]]
    assert np.diff(routes.offsets)[~is_laid].sum() == 0


@pytest.mark.parametrize("seed", range(3))
def test_the_order_and_direction_of_lines_and_pairs_change_no_bit(seed):
    lines, nodes, pairs = _wild(seed)
    rng = np.random.default_rng(seed + 9)
    row = RightOfWay.of(ways(*lines))
    other = RightOfWay.of(ways(*(lines[n][:: rng.choice([1, -1])] for n in rng.permutation(55))))
    for name, values in vars(row).items():
        np.testing.assert_array_equal(vars(other)[name], values)
    order, sides = rng.permutation(len(pairs)), rng.integers(0, 2, len(pairs))
    turned = np.where(sides[:, None] == 1, pairs[:, ::-1], pairs)[order]
    one, two = laid(row, nodes, pairs), laid(other, nodes, turned)
    np.testing.assert_array_equal(two.route_km, one.route_km[order])
    for new, old in enumerate(order):
        step = -1 if sides[old] else 1
        np.testing.assert_array_equal(two.course(new), one.course(old)[::step])
        np.testing.assert_array_equal(two.spur_km[new], one.spur_km[old][::step])


def test_nothing_is_laid_without_rights_of_way_or_without_links():
    nothing = RightOfWay.of(gpd.GeoDataFrame(geometry=[None], crs="OGC:CRS84"))
    assert len(nothing.km) == 0
    assert len(nothing.lines()) == 0
    routes = laid(nothing, [(0, 0), (10, 0)], [(0, 1)])
    assert np.isnan(routes.route_km).tolist() == [True]
    row = RightOfWay.of(ways([(0, 0), (10, 0)]))
    assert laid(row, [(0, 0)], np.zeros((0, 2))).offsets.tolist() == [0]
    assert row.lines()["km"].round().tolist() == [10]


def test_what_is_no_line_no_degree_and_no_node_is_refused():
    with pytest.raises(GeometryError, match="Point"):
        RightOfWay.of(gpd.GeoDataFrame(geometry=[shapely.Point(-97, 30)], crs="OGC:CRS84"))
    with pytest.raises(CrsError):
        RightOfWay.of(ways([(0, 0), (10, 0)]).to_crs("EPSG:5070"))
    row = RightOfWay.of(ways([(0, 0), (10, 0)]))
    with pytest.raises(GeoError, match="node"):
        laid(row, [(0, 0), (10, 0)], [(0, 2)])
    with pytest.raises(GeometryError):
        lay(row, [np.nan], [30.0], [(0, 0)], RULES)
