from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from geo.errors import GeoError
from geo.fiber.links import laid_pairs, merge_links
from geo.fiber.nodes import join_nodes
from tests.geo.fiber.worlds import facilities, ixps, land, layers, links, pops, rules_of

MS = ["rtt_ms_low", "rtt_ms_mid", "rtt_ms_high"]


@dataclass
class Laid:
    pair: np.ndarray
    route_km: np.ndarray


def merged(pop, link, *, ixp=None, county=None, route=None, **changed):
    rules = rules_of(**changed)
    ixp = ixps() if ixp is None else ixp
    return merge_links(join_nodes(pop, facilities(), ixp, county, rules), link, rules, route)


def test_one_link_a_carrier_and_pair_of_nodes_with_the_straight_round_trip():
    pop = pops(
        ("a1", "x", 0.0), ("a2", "x", 1.0), ("b1", "x", 100.0), ("b2", "y", 100.0), ("a3", "y", 0.5)
    )
    link, dropped = merged(
        pop,
        links(
            ("5", "b1", "a1", "ip_adjacency"),
            ("7", "a2", "b1", "mapped"),
            ("6", "b1", "a2", "mapped"),
            ("8", "a1", "a2"),
            ("9", "b2", "a3", "ip_adjacency"),
        ),
    )
    assert link["link_id"].tolist() == ["6", "9"]
    assert link["link_no"].tolist() == [0, 1]
    assert link[["from_node", "to_node", "carrier_no"]].to_numpy().tolist() == [
        [0, 1, 0],
        [0, 1, 1],
    ]
    assert link["link_kind"].tolist() == ["mapped", "ip_adjacency"]
    assert link["pair_carrier_count"].tolist() == [2, 2]
    assert link["how"].tolist() == ["straight", "straight"]
    assert link["route_km"].isna().all()
    # Lengths are between nodes, so that of a3 at 0.5 km counts from the node's first point at 0 km.
    assert link["length_km"].to_numpy() == pytest.approx(100.0)
    assert link[MS].to_numpy() == pytest.approx(np.array([[1.0, 2.0, 3.0]] * 2))
    assert link["source_id"].tolist() == ["made", "made"]
    assert dict(dropped.to_numpy()) == {
        "5": "repeats another link of its carrier",
        "7": "repeats another link of its carrier",
        "8": "lies within one node",
    }


def test_what_is_dropped_and_why():
    pop = pops(
        ("a1", "x", 0.0), ("b1", "x", 50.0), ("c1", "y", 50.0), ("d1", "x", -400.0),
        ("e1", "x", 5_001.0), ("f1", "x", 4_990.0), ("g1", "x", 20.0, "research"),
    )  # fmt: skip
    made = links(
        ("1", "a1", "b1"),
        ("1", "a1", "e1"),
        ("2", "a1", "nowhere"),
        ("3", None, "a1"),
        ("4", "a1", "g1"),
        ("5", "a1", "c1"),
        ("6", "d1", "a1"),
        ("7", "a1", "e1"),
        ("8", "f1", "a1"),
    )
    link, dropped = merged(pop, made, county=land(0.0, 6_000.0))
    assert link["link_id"].tolist() == ["1", "8"]
    assert [tuple(row) for row in dropped.to_numpy()] == [
        ("1", "repeats a link_id"),
        ("2", "has an end that is no carrier's point of presence"),
        ("3", "has an end that is no carrier's point of presence"),
        ("4", "has an end that is no carrier's point of presence"),
        ("5", "has ends of two carriers"),
        ("6", "has an end in the sea or abroad"),
        ("7", "is longer than 5,000 km"),
    ]
    assert len(link) + len(dropped) == len(made)


def test_carriers_in_reach_of_an_exchange_are_joined_with_it():
    # 40 km is in reach (25 miles are 40.2 km), 41 km is not; the exchange at 0 km has a carrier itself.
    pop = pops(("a1", "x", 0.0), ("b1", "x", 40.0), ("b2", "y", 40.0), ("c1", "x", 41.0 + 40.0))
    link, dropped = merged(
        pop, links(("1", "a1", "b1")), ixp=ixps(("0", False, 0.0), ("1", True, 60.0))
    )
    assert dropped.empty
    reach = link[link["link_kind"] == "interconnection"]
    assert reach["link_id"].tolist() == ["ixp-1 - pop-b1", "ixp-1 - pop-c1", "pop-a1 - pop-b1"]
    assert reach["carrier_no"].tolist() == [-1, -1, -1]
    assert reach["length_km"].to_numpy() == pytest.approx([20.0, 21.0, 40.0])
    # The straight way, 0.2 ms low, and a change of carrier, 0.2 ms.
    assert reach[MS].to_numpy()[0] == pytest.approx([0.2 + 0.2, 0.4 + 0.4, 0.6 + 0.8])
    assert reach["source_id"].isna().all()
    assert reach["pair_carrier_count"].tolist() == [0, 0, 1]
    own = link[link["link_kind"] == "mapped"]
    assert own[["from_node", "to_node", "carrier_no"]].to_numpy().tolist() == [[1, 2, 0]]
    assert own["pair_carrier_count"].tolist() == [1]
    assert link["link_no"].tolist() == [0, 1, 2, 3]


def test_a_node_out_of_every_reach_has_backhaul_to_the_nearest_exchange_and_no_other():
    # Exchanges at 0 and 300 km; 25 miles are 40 km, 100 miles 161 km.
    pop = pops(
        ("a1", "x", 0.0), ("b1", "x", 39.0), ("c1", "x", 100.0), ("d1", "y", 160.0),
        ("e1", "x", 300.0), ("f1", "x", 462.0),
    )  # fmt: skip
    made = links(("1", "c1", "e1"))
    at = ixps(("0", False, 0.0), ("1", False, 300.0))
    link, _ = merged(pop, made, ixp=at, backhaul_reach_mi=100.0)
    lone = link[link["link_kind"] == "backhaul"]
    # A link of its own spares none from it; f is too far from any.
    assert lone[["from_node", "to_node", "carrier_no"]].to_numpy().tolist() == [
        [0, 2, -1],
        [3, 4, -1],
    ]
    assert lone["length_km"].to_numpy() == pytest.approx([100.0, 140.0])
    assert lone[MS].to_numpy()[0] == pytest.approx([1.0 + 0.2, 2.0 + 0.4, 3.0 + 0.8])
    near = link[link["link_kind"] == "interconnection"]
    assert near[["from_node", "to_node"]].to_numpy().tolist() == [[0, 1]]
    none, _ = merged(pop, made, ixp=ixps(), backhaul_reach_mi=100.0)
    assert none["link_kind"].tolist() == ["mapped"]


def test_two_exchanges_with_carriers_are_one_reach():
    pop = pops(("a1", "x", 0.0), ("b1", "y", 30.0))
    link, _ = merged(pop, links(), ixp=ixps(("0", False, 0.0), ("1", False, 30.0)))
    assert link[["from_node", "to_node", "carrier_no"]].to_numpy().tolist() == [[0, 1, -1]]


def test_an_exchange_outside_reaches_nothing():
    pop = pops(("a1", "x", 0.0))
    link, _ = merged(pop, links(), ixp=ixps(("0", False, -20.0)), county=land(0.0, 10.0))
    assert link.empty
    link, _ = merged(pop, links(), ixp=ixps(("0", False, -4.0)), county=land(0.0, 10.0))
    assert len(link) == 1


def test_a_mapped_link_is_laid_on_its_right_of_way_and_no_other():
    pop = pops(
        ("a1", "x", 0.0),
        ("b1", "x", 100.0),
        ("c1", "x", 200.0),
        ("a2", "y", 0.0),
        ("b2", "y", 100.0),
    )
    made = links(
        ("1", "a1", "b1"), ("2", "b1", "c1"), ("3", "a2", "b2", "ip_adjacency"), ("4", "a1", "c1")
    )
    plain, _ = merged(pop, made)
    assert laid_pairs(plain).tolist() == [[0, 1], [0, 2], [1, 2]]
    route = Laid(np.array([[1, 0], [1, 2], [0, 2]]), np.array([120.0, np.nan, 200.0 - 1e-9]))
    link, _ = merged(pop, made, route=route)
    link = link.set_index("link_id")
    assert link["how"].to_dict() == {
        "1": "right_of_way", "2": "straight", "3": "straight", "4": "right_of_way"
    }  # fmt: skip
    assert link.loc["1", "route_km"] == 120.0
    # 120 km at 0.01 ms and 1.0, 1.1 and 1.2 of the length, and a hop.
    assert link.loc["1", MS].tolist() == pytest.approx([1.21, 1.32 + 0.05, 1.44 + 0.25])
    assert link.loc["2", MS].tolist() == pytest.approx([1.0, 2.0, 3.0])
    assert link.loc["3", MS].tolist() == pytest.approx([1.0, 2.0, 3.0])
    # What rounding takes from a straight way is given back.
    assert link.loc["4", "route_km"] == link.loc["4", "length_km"]

    with pytest.raises(GeoError, match="shorter than the great circle"):
        merged(pop, made, route=Laid(np.array([[0, 1]]), np.array([90.0])))


def test_no_links_make_an_empty_table_of_the_same_columns():
    full, _ = merged(pops(("a1", "x", 0.0), ("b1", "x", 9.0)), links(("1", "a1", "b1")))
    for pop in (pops(), pops(("a1", "x", 0.0))):
        link, dropped = merged(pop, links(), route=Laid(np.zeros((0, 2), int), np.zeros(0)))
        assert link.empty
        assert dropped.empty
        assert link.columns.tolist() == full.columns.tolist()
    _, dropped = merged(pops(), links(("1", "a1", "b1")))
    assert dropped["link_id"].tolist() == ["1"]


@settings(deadline=None, max_examples=25)
@given(layers())
def test_every_link_is_counted_once_whatever_the_order_of_rows(world):
    pop, facility, ixp, link = world
    rules = rules_of()
    nodes = join_nodes(pop, facility, ixp, None, rules)
    kept, dropped = merge_links(nodes, link, rules, None)
    own = kept[kept["carrier_no"] >= 0]
    assert sorted([*own["link_id"], *dropped["link_id"]]) == sorted(link["link_id"])
    assert (kept["from_node"] < kept["to_node"]).all()
    assert not kept.duplicated(["from_node", "to_node", "carrier_no"]).any()
    ms = kept[MS].to_numpy()
    assert (np.diff(ms, axis=1) >= 0.0).all()
    assert (ms[:, 0] >= rules.fiber_ms(kept["length_km"].to_numpy()) * (1.0 - 1e-12)).all()

    again = merge_links(
        join_nodes(pop[::-1], facility[::-1], ixp[::-1], None, rules), link[::-1], rules, None
    )
    pd.testing.assert_frame_equal(again.link, kept)
    pd.testing.assert_frame_equal(again.dropped, dropped)
