import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import GeoError
from geo.fiber.graph import NO_CARRIER, NO_EXCHANGE, NO_LINK, FiberGraph
from geo.fiber.links import merge_links
from geo.fiber.nodes import OUTSIDE, FiberNodes, join_nodes
from geo.geodesy import geodesic_km
from tests.geo.fiber.worlds import facilities, ixps, land, layers, links, pops, rules_of
from tests.oracle.fiber import PlainFiber


def graph_of(pop, link, *, facility=None, ixp=None, county=None, **changed):
    rules = rules_of(**changed)
    facility = facilities() if facility is None else facility
    ixp = ixps() if ixp is None else ixp
    nodes = join_nodes(pop, facility, ixp, county, rules)
    return FiberGraph.of(nodes, merge_links(nodes, link, rules, None).link, rules)


# Carrier x from a (0 km) to b (100 km) to c (300 km), carrier y from b to d (400 km) and from a to d
# by way of e (1000 km off). Round trips are 0.01, 0.02 and 0.03 ms a km.
TWO_CARRIERS = (
    pops(
        ("a1", "x", 0.0), ("b1", "x", 100.0), ("c1", "x", 300.0),
        ("a2", "y", 0.0), ("b2", "y", 100.0), ("d2", "y", 400.0), ("e2", "y", 1_400.0),
    ),
    links(
        ("x1", "a1", "b1"), ("x2", "b1", "c1"), ("y1", "b2", "d2"),
        ("y2", "a2", "e2"), ("y3", "e2", "d2"),
    ),
)  # fmt: skip


def test_a_carrier_is_changed_at_an_exchange_and_nowhere_else():
    a, b, c, d, e = range(5)
    with_exchange = graph_of(*TWO_CARRIERS, ixp=ixps(("0", False, 100.0)))
    ms = with_exchange.node_ms()
    # 400 km and one change, halves of which lead to the hub and from it.
    assert ms[a, d] == pytest.approx([4.0 + 0.2, 8.0 + 0.4, 12.0 + 0.8])
    assert ms[c, d] == pytest.approx([5.0 + 0.2, 10.0 + 0.4, 15.0 + 0.8])
    # No change where a path starts or ends: at b each carrier is taken as it is.
    assert ms[b, d] == pytest.approx([3.0, 6.0, 9.0])
    assert ms[b, c] == pytest.approx([2.0, 4.0, 6.0])
    assert ms[a, e] == pytest.approx([14.0, 28.0, 42.0])
    # Back from e to c: by way of d and b, or of a and b, both with a change, at b alone.
    assert ms[e, c] == pytest.approx([13.0 + 2.0 + 0.2, 26.0 + 4.0 + 0.4, 39.0 + 6.0 + 0.8])
    assert ms == pytest.approx(ms.transpose(1, 0, 2))
    assert (ms[range(5), range(5)] == 0.0).all()

    steps = with_exchange.path(a, d, 2)
    assert [tuple(step[:4]) for step in steps] == [(0, a, b, 0), (-1, b, b, 1), (3, b, d, 1)]
    assert [step.ms for step in steps] == pytest.approx([3.0, 0.8, 9.0])
    assert with_exchange.path(a, a) == []

    without = graph_of(*TWO_CARRIERS)
    ms = without.node_ms()
    # Around by e with carrier y: 1400 km and 1000 km back.
    assert ms[a, d] == pytest.approx([24.0, 48.0, 72.0])
    assert np.isinf(ms[c, d]).all()
    assert without.path(c, d) == []
    assert not without.is_connected.any()
    assert with_exchange.is_connected.all()


@pytest.mark.parametrize(
    ("facility", "pop", "changes"),
    [
        (facilities(("0", "colocation", 100.0)), pops(), True),
        (facilities(("0", "cable_landing", 100.0)), pops(), False),
        (facilities(), pops(("b3", "z", 100.0)), True),
        (facilities(), pops(("b3", "y", 100.0)), False),
    ],
)
def test_a_facility_or_three_carriers_make_an_interconnection_too(facility, pop, changes):
    made = TWO_CARRIERS[0] if pop.empty else TWO_CARRIERS[0].merge(pop, how="outer")
    found = graph_of(made, TWO_CARRIERS[1], facility=facility)
    expected = 4.2 if changes else 24.0
    assert found.node_ms([0])[0, 3, 0] == pytest.approx(expected)


def test_low_mid_and_high_may_take_different_ways():
    # Direct by carrier y, 400 km; or 390 km by x and y with a change, in which the ends differ.
    pop = pops(("a1", "x", 0.0), ("b1", "x", 195.0), ("b2", "y", 195.0), ("c2", "y", 390.0),
               ("a3", "z", 0.0), ("c3", "z", 390.0), ("d3", "z", 395.0))  # fmt: skip
    link = links(("x", "a1", "b1"), ("y", "b2", "c2"), ("z1", "a3", "d3"), ("z2", "d3", "c3"))
    # By z it is 400 km: 4, 8 and 12 ms. By x and y 3.9, 7.8 and 11.7 ms, and the change.
    exchange = (0.05, 0.1, 0.5)
    found = graph_of(pop, link, ixp=ixps(("0", False, 195.0)), exchange_ms=exchange)
    assert found.node_ms([0])[0, 2] == pytest.approx([3.95, 7.9, 12.0])
    assert [step.carrier_no for step in found.path(0, 2, 1)] == [0, 1, 1]
    assert [step.carrier_no for step in found.path(0, 2, 2)] == [2, 2]


def test_reach_of_an_exchange_joins_carriers_of_other_towns():
    # The exchange has no carrier of its own: x at 20 km on one side, y at 30 km on the other.
    pop = pops(("a1", "x", -20.0), ("b1", "x", -120.0), ("c2", "y", 30.0), ("d2", "y", 130.0))
    found = graph_of(pop, links(("x", "a1", "b1"), ("y", "c2", "d2")), ixp=ixps(("0", True, 0.0)))
    node = {name: no for no, name in enumerate(found.node["node_id"])}
    b, d, hub = node["pop-b1"], node["pop-d2"], node["ixp-0"]
    ms = found.node_ms()
    # 250 km, and the exchange's reach costs a change on each side.
    assert ms[b, d] == pytest.approx([2.5 + 0.4, 5.0 + 0.8, 7.5 + 1.6])
    assert ms[b, hub] == pytest.approx([1.2 + 0.2, 2.4 + 0.4, 3.6 + 0.8])
    assert found.is_connected.all()
    steps = found.path(b, d)
    assert [(s.from_node, s.to_node, s.carrier_no) for s in steps] == [
        (b, node["pop-a1"], 0),
        (node["pop-a1"], hub, -1),
        (hub, node["pop-c2"], -1),
        (node["pop-c2"], d, 1),
    ]
    assert sum(step.ms for step in steps) == pytest.approx(ms[b, d, 1])


def test_parallel_links_are_merged_and_two_names_of_a_city_stay_two_nodes():
    pop = pops(("a1", "x", 0.0), ("a2", "x", 1.0), ("b1", "x", 100.0), ("a3", "x", 50.0))
    link = links(("1", "a1", "b1"), ("2", "b1", "a2"), ("3", "a2", "a3"), ("4", "a3", "b1"))
    found = graph_of(pop, link, ixp=ixps(("0", False, 0.0)))
    assert found.node["node_name"].tolist() == ["city a", "city a", "city b"]
    # Three links and a hub, both ways.
    assert len(found.edge_link) == 8
    assert found.node_ms([0, 2])[:, 1, 0] == pytest.approx([0.5, 0.5])
    # Edges that are given twice count as the better one.
    assert found.matrix(0).nnz == 8


def test_changes_of_carrier_that_cost_nothing_are_no_missing_edges():
    found = graph_of(*TWO_CARRIERS, ixp=ixps(("0", False, 100.0)), exchange_ms=(0.0, 0.0, 0.0))
    assert found.matrix(0).data.min() > 0.0
    assert found.node_ms([0])[0, 3] == pytest.approx([4.0, 8.0, 12.0], abs=1e-6)
    assert len(found.path(0, 3)) == 3


def test_why_a_node_is_not_connected():
    pop = pops(
        ("a1", "x", 0.0), ("b1", "x", 100.0),  # with the exchange at 0 km
        ("c1", "y", 200.0), ("d1", "y", 300.0),  # a part of its own
        ("e1", "x", 400.0),  # no link
        ("f1", "x", 9_000.0),  # in the sea
        ("g1", "y", 4_000.0), ("h1", "y", 9_990.0),  # an ocean jump
    )  # fmt: skip
    link = links(("1", "a1", "b1"), ("2", "c1", "d1"), ("3", "e1", "f1"), ("4", "g1", "h1"))
    found = graph_of(
        pop,
        link,
        facility=facilities(("0", "colocation", 600.0), ("1", "cable_landing", 700.0)),
        ixp=ixps(("0", True, 0.0), ("1", False, 500.0), ("2", False, 399.0)),
        county=land(0.0, 6_000.0).merge(land(9_900.0, 9_999.0), how="outer"),
    )
    node = found.node.set_index("node_id")["reason"]
    assert node.fillna("").to_dict() == {
        "facility-0": NO_CARRIER,
        "ixp-1": NO_CARRIER,
        "landing-1": NO_CARRIER,
        "pop-a1": "",
        "pop-b1": "",
        "pop-c1": NO_EXCHANGE,
        "pop-d1": NO_EXCHANGE,
        "pop-e1": NO_LINK,
        "pop-f1": OUTSIDE,
        "pop-g1": NO_LINK,
        "pop-h1": NO_LINK,
    }
    assert found.is_connected.tolist() == (node.isna()).tolist()
    ms = found.node_ms()
    at = {name: no for no, name in enumerate(node.index)}
    assert np.isinf(ms[at["pop-f1"]]).all()
    assert np.isinf(ms[at["landing-1"]]).all()
    assert np.isinf(ms[at["pop-a1"], at["pop-c1"]]).all()
    assert ms[at["pop-c1"], at["pop-d1"], 0] == pytest.approx(1.0)


def test_paths_longer_than_the_limit_are_none():
    found = graph_of(*TWO_CARRIERS, ixp=ixps(("0", False, 100.0)))
    ms = found.node_ms([0], limit_ms=4.5)[0]
    assert np.isfinite(ms[3]).tolist() == [True, False, False]
    assert ms[1, 1] == pytest.approx(2.0)


def test_published_tables_alone_make_the_same_graph():
    pop, link = TWO_CARRIERS
    rules = rules_of()
    nodes = join_nodes(pop, facilities(), ixps(("0", False, 100.0)), None, rules)
    table = merge_links(nodes, link, rules, None).link
    shuffled = table.sample(frac=1.0, random_state=3)
    again = FiberGraph.of(FiberNodes(nodes.node, nodes.pop[::-1], nodes.carrier), shuffled, rules)
    once = FiberGraph.of(nodes, table, rules)
    assert np.array_equal(again.node_ms(), once.node_ms())
    assert again.path(0, 3) == once.path(0, 3)


def test_links_of_other_nodes_are_refused():
    rules = rules_of()
    nodes = join_nodes(TWO_CARRIERS[0], facilities(), ixps(), None, rules)
    table = merge_links(nodes, TWO_CARRIERS[1], rules, None).link
    with pytest.raises(GeoError, match="merge links with the same nodes"):
        FiberGraph.of(nodes, table.assign(carrier_no=1), rules)


def test_no_nodes_make_an_empty_graph():
    found = graph_of(pops(), links(), county=land(0.0, 1.0))
    assert found.node_ms().shape == (0, 0, 3)
    alone = graph_of(pops(), links(), facility=facilities(("0", "cable_landing", 0.0)))
    assert np.isinf(alone.node_ms()).all()
    assert alone.path(0, 0) == []


@settings(deadline=None, max_examples=30)
@given(layers(), st.sampled_from([0.0, 60.0, 300.0]))
def test_round_trips_are_those_of_a_plain_graph(world, backhaul_mi):
    rules = rules_of(backhaul_reach_mi=backhaul_mi)
    nodes = join_nodes(*world[:3], None, rules)
    found = FiberGraph.of(nodes, merge_links(nodes, world[3], rules, None).link, rules)
    plain = PlainFiber(*world, rules)
    ms = found.node_ms()
    np.testing.assert_allclose(ms, plain.node_ms(), rtol=1e-9, atol=1e-9)
    assert set(found.node["node_id"][found.is_connected]) == plain.connected()
    assert (found.node["reason"].isna() == found.is_connected).all()

    ends = np.where(np.isfinite(ms), ms, 0.0)
    assert (np.diff(ends, axis=2) >= -1e-12).all()
    assert np.array_equal(np.isfinite(ms), np.isfinite(ms.transpose(1, 0, 2)))
    assert ends == pytest.approx(ends.transpose(1, 0, 2), abs=1e-9)
    here, there = np.divmod(np.arange(ms[:, :, 0].size), max(len(ms), 1))
    km = geodesic_km(found.lon[here], found.lat[here], found.lon[there], found.lat[there])
    assert (ms[:, :, 0].ravel() >= rules.fiber_ms(km) - 1e-9).all()

    for one, other in zip(here[::7], there[::7], strict=True):
        steps = found.path(one, other, 2)
        assert bool(steps) == (one != other and np.isfinite(ms[one, other, 2]))
        if steps:
            assert sum(step.ms for step in steps) == pytest.approx(ms[one, other, 2])
            assert [step.to_node for step in steps[:-1]] == [step.from_node for step in steps[1:]]
            assert (steps[0].from_node, steps[-1].to_node) == (one, other)


@settings(deadline=None, max_examples=12)
@given(layers())
def test_the_order_of_rows_changes_no_bit(world):
    rules = rules_of()
    graphs = []
    for step in (1, -1):
        pop, facility, ixp, link = (layer[::step] for layer in world)
        nodes = join_nodes(pop, facility, ixp, None, rules)
        graphs.append(FiberGraph.of(nodes, merge_links(nodes, link, rules, None).link, rules))
    assert np.array_equal(graphs[0].node_ms(), graphs[1].node_ms())
