"""Mapped networks of the north-east against a plain graph, and those of the country against light."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geo.fiber.graph import NO_CARRIER, NO_LINK, FiberGraph
from geo.fiber.links import merge_links
from geo.fiber.nodes import join_nodes
from geo.fiber.rules import LatencyRules
from geo.geodesy import geodesic_km
from tests.geo.fiber.worlds import facilities
from tests.oracle.fiber import PlainFiber

ROOT = Path(__file__).parents[3]
MIRROR = ROOT.parent / "shared" / "mirror" / "fiber"
COUNTRY = (-125.0, 24.0, -66.0, 50.0)

pytestmark = [
    pytest.mark.mirror,
    pytest.mark.skipif(not MIRROR.is_dir(), reason="../shared/mirror is not there"),
]


def _rules():
    return LatencyRules.from_frame(pd.read_csv(ROOT / "data" / "reference" / "latency.csv"))


def _inside(frame, box):
    west, south, east, north = box
    return frame[frame["lon"].between(west, east) & frame["lat"].between(south, north)]


@cache
def _layers(box):
    """Points of presence, exchanges and links in a box; every organization counts as a carrier."""
    pop = pd.read_csv(MIRROR / "InternetAtlas_phys_nodes.csv").rename(
        columns={"NODE_NAME": "pop_id", "CITY": "pop_name", "LONGITUDE": "lon", "LATITUDE": "lat"}
    )
    pop = _inside(pop[pop["COUNTRY"] == "US"], box).drop_duplicates("pop_id", ignore_index=True)
    pop = pop.assign(
        carrier_id=pop["ORGANIZATION"], carrier_name=pop["ORGANIZATION"], carrier_kind="carrier"
    )
    link = pd.read_csv(MIRROR / "InternetAtlas_edges.csv")
    link = link.rename(columns={"FROM_NODE": "from_pop_id", "TO_NODE": "to_pop_id"})
    link = link.assign(
        link_id=link.index.astype(str), link_kind="mapped", source_id="atlas", length_km=np.nan
    )
    features = json.loads((MIRROR / "ixp_buildings.geojson").read_text())["features"]
    ixp = pd.DataFrame(
        {
            "ixp_id": [str(no) for no in range(len(features))],
            "ixp_name": [feature["properties"]["slug"] for feature in features],
            "is_inferred": False,
            "lon": [feature["geometry"]["coordinates"][0] for feature in features],
            "lat": [feature["geometry"]["coordinates"][1] for feature in features],
        }
    )
    return pop, _inside(ixp, box).reset_index(drop=True), link


def test_the_north_east_has_the_round_trips_of_a_plain_graph():
    pop, ixp, link = _layers((-74.5, 40.0, -70.0, 43.0))
    rules = _rules()
    nodes = join_nodes(pop, facilities(), ixp, None, rules)
    found = FiberGraph.of(nodes, merge_links(nodes, link, rules, None).link, rules)
    plain = PlainFiber(pop, facilities(), ixp, link, rules)
    assert found.node["node_id"].tolist() == plain.nodes
    np.testing.assert_allclose(found.node_ms(), plain.node_ms(), rtol=1e-9, atol=1e-9)
    assert set(found.node["node_id"][found.is_connected]) == plain.connected()


def test_nearly_all_nodes_of_the_country_are_connected_and_none_is_quicker_than_light():
    pop, ixp, link = _layers(COUNTRY)
    rules = _rules()
    nodes = join_nodes(pop, facilities(), ixp, None, rules)
    links, dropped = merge_links(nodes, link, rules, None)
    assert (links["carrier_no"] >= 0).sum() + len(dropped) == len(link)
    found = FiberGraph.of(nodes, links, rules)
    assert found.is_connected.mean() > 0.95
    assert set(found.node["reason"].dropna()) <= {NO_LINK, NO_CARRIER}

    sources = np.arange(0, len(found.lon), 7)
    ms = found.node_ms(sources)
    here, there = (
        np.repeat(sources, len(found.lon)),
        np.tile(np.arange(len(found.lon)), len(sources)),
    )
    km = geodesic_km(found.lon[here], found.lat[here], found.lon[there], found.lat[there])
    low, mid, high = ms.reshape(-1, 3).T
    assert (low >= rules.fiber_ms(km) * rules.straight_factor[0] - 1e-9).all()
    is_path = np.isfinite(low)
    assert (low[is_path] <= mid[is_path] + 1e-9).all()
    assert (mid[is_path] <= high[is_path] + 1e-9).all()
