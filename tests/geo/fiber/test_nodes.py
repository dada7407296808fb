import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from geo.errors import GeometryError
from geo.fiber.nodes import OUTSIDE, join_nodes
from tests.geo.fiber.worlds import facilities, ixps, land, layers, pops, rules_of
from tests.oracle.fiber import PlainFiber

NO_FACILITY, NO_IXP = facilities(), ixps()


def test_points_join_the_first_within_reach_and_form_no_chain():
    # b is 1.5 km from a; c is 1.5 km from b but 3 km from a: a and c are first points, b is nearer to a by id's order.
    pop = pops(("a1", "x", 0.0), ("b1", "y", 1.4), ("c1", "y", 3.0), ("d1", "x", 3.5))
    found = join_nodes(pop, NO_FACILITY, NO_IXP, None, rules_of())
    assert found.node["node_id"].tolist() == ["pop-a1", "pop-c1"]
    assert found.node["lon"].tolist() == [pop["lon"][0], pop["lon"][2]]
    assert found.pop["node_no"].tolist() == [0, 0, 1, 1]
    assert found.pop["pop_id"].tolist() == ["a1", "b1", "c1", "d1"]
    assert found.carrier["carrier_id"].tolist() == ["x", "y"]
    assert found.carrier["carrier_name"].tolist() == ["x Inc.", "y Inc."]
    assert found.pop["carrier_no"].tolist() == [0, 1, 1, 0]


def test_a_point_between_two_first_points_belongs_to_the_nearer():
    pop = pops(("a1", "x", 0.0), ("b1", "x", 3.0), ("c1", "x", 1.6))
    found = join_nodes(pop, NO_FACILITY, NO_IXP, None, rules_of())
    assert found.pop["node_no"].tolist() == [0, 1, 1]


def test_a_first_point_is_of_the_first_kind_and_names_are_the_commonest():
    pop = pops(("k1", "x", 0.5), ("k2", "x", 0.6), ("j9", "y", 0.7))
    found = join_nodes(
        pop,
        facilities(("a", "colocation", 0.0), ("b", "cable_landing", 50.0), ("c", "exchange", 0.0)),
        ixps(("0", True, 0.1), ("1", False, 90.0)),
        None,
        rules_of(),
    )
    node = found.node.set_index("node_id")
    assert node.index.tolist() == ["ixp-1", "landing-b", "pop-j9"]
    assert node["node_name"].tolist() == ["exchange 1", "hall b", "city k"]
    counts = ["carrier_count", "pop_count", "facility_count", "ixp_count", "landing_count"]
    assert node.loc["pop-j9", counts].tolist() == [2, 3, 1, 1, 0]
    assert node.loc["ixp-1", counts].tolist() == [0, 0, 0, 1, 0]
    assert node.loc["landing-b", counts].tolist() == [0, 0, 0, 0, 1]
    assert found.ixp_node.tolist() == [2, 0]
    # A telephone exchange is no place where carriers meet.
    assert found.facility_node.tolist() == [2, 1, -1]
    assert node["is_interconnection"].tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("facility", "ixp", "carriers", "expected"),
    [
        (NO_FACILITY, NO_IXP, 2, (False, False)),
        (NO_FACILITY, NO_IXP, 3, (True, True)),
        (NO_FACILITY, ixps(("0", True, 0.0)), 1, (True, True)),
        (NO_FACILITY, ixps(("0", False, 0.0)), 1, (True, False)),
        (NO_FACILITY, ixps(("0", True, 0.0), ("1", False, 0.0)), 3, (True, False)),
        (facilities(("a", "colocation", 0.0)), NO_IXP, 1, (True, False)),
        (facilities(("a", "colocation", 0.0)), ixps(("0", True, 0.0)), 3, (True, False)),
        (facilities(("a", "cable_landing", 0.0)), NO_IXP, 1, (False, False)),
        (facilities(("a", "exchange", 0.0)), NO_IXP, 2, (False, False)),
    ],
)
def test_where_carriers_can_be_changed_and_whether_that_is_inferred(
    facility, ixp, carriers, expected
):
    pop = pops(*((f"p{no}", f"c{no}", 0.0) for no in range(carriers)), ("p9", "c0", 0.0))
    node = join_nodes(pop, facility, ixp, None, rules_of()).node
    assert len(node) == 1
    assert node["carrier_count"].tolist() == [carriers]
    assert (bool(node["is_interconnection"][0]), bool(node["is_inferred"][0])) == expected


def test_what_sells_nothing_or_stands_nowhere_is_left_out():
    pop = pops(
        ("a1", "x", 0.0), ("b1", "y", 0.0, "research"), ("c1", None, 0.0), ("d1", "z", np.nan)
    )
    found = join_nodes(pop, NO_FACILITY, ixps(("0", False, np.nan)), None, rules_of())
    assert found.pop["pop_id"].tolist() == ["a1"]
    assert found.carrier["carrier_id"].tolist() == ["x"]
    assert dict(found.left_out.to_numpy()) == {
        "b1": "is of no carrier",
        "c1": "names no carrier",
        "d1": "has no position",
    }
    assert found.ixp_node.tolist() == [-1]
    assert found.node["ixp_count"].tolist() == [0]


def test_nodes_far_from_every_county_are_outside_unless_a_cable_lands():
    pop = pops(("a1", "x", 10.0), ("b1", "x", -4.9), ("c1", "x", -5.2), ("d1", "x", -60.0))
    landing = facilities(("a", "cable_landing", -60.0), ("b", "cable_landing", -90.0))
    found = join_nodes(pop, landing, NO_IXP, land(0.0, 100.0), rules_of(node_join_km=0.1))
    node = found.node.set_index("node_id")
    assert node["reason"].isna().to_dict() == {
        "pop-a1": True, "pop-b1": True, "pop-c1": False, "pop-d1": True, "landing-b": True
    }  # fmt: skip
    assert node.loc["pop-c1", "reason"] == OUTSIDE
    assert found.is_outside.sum() == 1
    assert not join_nodes(pop, landing, NO_IXP, None, rules_of()).is_outside.any()
    assert not join_nodes(pop, landing, NO_IXP, land(0, 1).iloc[:0], rules_of()).is_outside.any()


def test_layers_without_rows_have_no_nodes():
    found = join_nodes(pops(), NO_FACILITY, NO_IXP, land(0.0, 1.0), rules_of())
    assert len(found.node) == len(found.pop) == len(found.carrier) == len(found.left_out) == 0
    assert found.is_exchange.shape == (0,)


def test_a_position_that_is_no_degree_is_refused():
    pop = pops(("a1", "x", 0.0)).assign(lat=91.0)
    with pytest.raises(GeometryError, match="no longitude/latitude"):
        join_nodes(pop, NO_FACILITY, NO_IXP, None, rules_of())


@settings(deadline=None, max_examples=25)
@given(layers())
def test_nodes_are_those_of_plain_loops_whatever_the_order_of_rows(world):
    pop, facility, ixp, link = world
    plain = PlainFiber(pop, facility, ixp, link, rules_of())
    found = join_nodes(pop, facility, ixp, None, rules_of())
    node_id = found.node["node_id"].to_numpy()
    assert node_id.tolist() == plain.nodes
    assert list(zip(found.node["lon"], found.node["lat"], strict=True)) == [
        plain.place[no] for no in plain.nodes
    ]
    assert {
        f"pop-{name}": node_id[no]
        for name, no in zip(found.pop["pop_id"], found.pop["node_no"], strict=True)
    } == {name: no for name, no in plain.node_of.items() if name.startswith("pop-")}
    assert set(node_id[found.node["is_interconnection"]]) == plain.hubs
    assert set(node_id[found.is_exchange]) == plain.exchanges
    assert found.node["carrier_count"].tolist() == [len(plain.carriers[no]) for no in plain.nodes]
    ixp_of = [plain.node_of[f"ixp-{name}"] for name in ixp["ixp_id"]]
    assert node_id[found.ixp_node].tolist() == ixp_of

    again = join_nodes(pop[::-1], facility[::-1], ixp[::-1], None, rules_of())
    for name in ("node", "pop", "carrier", "left_out"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(found, name))
    assert again.ixp_node[::-1].tolist() == found.ixp_node.tolist()
    assert again.facility_node[::-1].tolist() == found.facility_node.tolist()
