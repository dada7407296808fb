"""A small consistent fiber for the worlds of these tests: two cities with an exchange each, one carrier, one link."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from data.stage import REFERENCE_DIR
from flows import fiber_graph
from geo.fiber.lateral import lateral_musd
from geo.fiber.rules import ENDS, LatencyRules
from geo.geodesy import GEOD, KM_PER_MILE

RULE = pd.read_csv(REFERENCE_DIR / "latency.csv")
RULES = LatencyRules.from_frame(RULE)
MID = ENDS.index("mid")
WEST, EAST = (-90.2, 40.0), (-89.0, 40.0)
# Those of the world: more than 50 miles from the eastern city, so that the western alone serves it.
METRO = (-90.0, 40.0)
PEOPLE = 100.0
IXPS = [
    {"ixp_id": name, "ixp_name": name, "is_inferred": False, "lon": lon, "lat": lat}
    for name, (lon, lat) in {"x1": WEST, "x2": EAST}.items()
]


def metrics(lon, lat):
    """Latency metrics of a parcel at a point nearer to the western city, by hand."""
    west, east = km((lon, lat), WEST), km((lon, lat), EAST)
    to_metro = straight(west) + straight(km(WEST, METRO))
    out = {}
    for name in ("metro", "major_metro"):
        out |= named(f"rtt_{name}_ms", to_metro) | {
            f"rtt_{name}_id": "m1",
            f"rtt_{name}_name": "m1",
        }
    out |= named("rtt_ixp_ms", straight(west)) | {"rtt_ixp_id": "x1", "rtt_ixp_name": "x1"}
    for budget in (5, 10, 20):
        # All of them stand at the metro's centre, and even the high round trip is within 5 ms.
        out |= named(f"people_{budget}ms", [int(PEOPLE)] * 3)
    mi = np.array([west, east]) / KM_PER_MILE
    musd = lateral_musd(mi, RULES)[:, MID]
    return out | {
        "rtt_major_metro_above_ceiling": "none",
        "lit_node_mi": mi[0],
        "lit_node_id": "n1",
        "lit_node_name": "West",
        "lit_node_musd": musd[0],
        "diverse_node_mi": mi[1],
        "diverse_node_id": "n2",
        "diverse_node_musd": musd[1],
        "disjoint_path_count": 2,
        "is_single_homed": False,
        "path_basis": "mapped",
    }


def write(path: Path, access: Path, points):
    """Write the tables of the fiber step; `points` are parcels as {id: (lon, lat)}."""
    tables = {
        "fiber_pop": [
            {"pop_id": f"pop {node}", "node_id": node, "carrier_id": "c", "carrier_name": "Carrier"}
            for node in ("n1", "n2")
        ],
        "fiber_link": [
            {
                "link_id": "l1", "from_node_id": "n1", "to_node_id": "n2", "carrier_id": "c",
                "carrier_name": "Carrier", "link_kind": "mapped", "how": "straight",
                "length_km": km(WEST, EAST), "route_km": None, "pair_carrier_count": 1, "source_id": "t",
            } | named("rtt_ms", link_ms())
        ],
        "fiber_metro_rtt": [
            {"metro_id": metro, "node_id": node} | named("rtt_ms", ms)
            for metro in ("m1", "m2")
            for node, ms in {
                "n1": straight(km(WEST, METRO)), "n2": straight(km(WEST, METRO)) + link_ms()
            }.items()
        ],
        "fiber_people": [{"node_id": "n1", "tail_km": km(WEST, METRO), "people": PEOPLE}],
        "fiber_dropped": [{"what": "link", "dropped_id": "l0", "reason": "lies within one node"}],
        "fiber_rule": RULE.to_dict("records"),
    }  # fmt: skip
    for name, columns in fiber_graph.TABLES.items():
        frame = pd.DataFrame(tables[name])[[*columns]]
        frame.to_parquet(fiber_graph.beside(path, name), index=False)
    node = {
        "carrier_count": 1, "pop_count": 1, "facility_count": 0, "ixp_count": 1, "landing_count": 0,
        "is_interconnection": True, "is_inferred": False, "is_connected": True,
        "disjoint_path_count": 2, "path_basis": "mapped", "unknown_reason": None,
    } | named("rtt_ixp_ms", np.zeros(3))  # fmt: skip
    places = {"n1": ("West", WEST, "x1"), "n2": ("East", EAST, "x2")}
    nodes = [
        node | {"node_id": name, "node_name": city, "lon": lon, "lat": lat, "rtt_ixp_id": ixp}
        for name, (city, (lon, lat), ixp) in places.items()
    ]
    pd.DataFrame(nodes)[[*fiber_graph.NODE_COLUMNS]].to_parquet(path, index=False)
    reached = [
        (name, no, node, km(point, place) / KM_PER_MILE)
        for name, point in points.items()
        for no, (node, place) in enumerate({"n1": WEST, "n2": EAST}.items(), start=1)
    ]
    pd.DataFrame(reached, columns=[*fiber_graph.ACCESS_COLUMNS]).to_parquet(access, index=False)


@cache
def km(here, there):
    """Geodesic kilometres between points."""
    return GEOD.inv(*here, *there)[2] / 1_000


def straight(kilometres):
    """Low, mid and high round trip over straight fiber."""
    return 2 * kilometres * 0.0049 * np.array([1.3, 1.7, 2.1])


def link_ms():
    """Round trips of the one link."""
    return straight(km(WEST, EAST))


def named(name, values):
    """Low, mid and high by column."""
    return {f"{name}_{end}": value for end, value in zip(ENDS, values, strict=True)}
