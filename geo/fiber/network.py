"""From layers to all that is asked of fiber: nodes, links, graph, second routes and the index of places."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import geopandas as gpd
import numpy as np

from geo.fiber.diversity import diverse, exchange_metros
from geo.fiber.graph import FiberGraph
from geo.fiber.latency import FiberIndex
from geo.fiber.links import BACKHAUL, FiberLinks, laid_pairs, merge_links
from geo.fiber.nodes import FiberNodes, join_nodes
from geo.fiber.right_of_way import LaidRoutes, RightOfWay, lay
from geo.fiber.rules import LatencyRules
from geo.fiber.trenches import Trenches
from geo.geodesy import lonlat_geometries


@dataclass(frozen=True, eq=False)
class FiberNetwork:
    """The fiber of a study.

    Attributes
    ----------
    nodes
        Nodes, and what of the layers is in them.
    links
        Links, and those that were dropped.
    graph
        The graph of both.
    index
        What places are measured against, second routes of nodes among it.
    """

    nodes: FiberNodes
    links: FiberLinks
    graph: FiberGraph
    index: FiberIndex

    @classmethod
    def of(cls, layers: Mapping[str, Any], rules: LatencyRules) -> Self:
        """Build it from layers.

        Parameters
        ----------
        layers
            Frames with the columns of `core.<layer>`: `pop`, `carrier_link`, `facility`, `ixp`, `metro`,
            `people`, and as GeoDataFrames in lon/lat `county`, `right_of_way` and `fiber_route`. Each may
            be empty.
        rules
            Parameters of latency.

        Raises
        ------
        CrsError
            Shapes are not in lon/lat.
        GeometryError
            A coordinate is no degree.
        """
        nodes = join_nodes(
            layers["pop"], layers["facility"], layers["ixp"], layers["county"], rules
        )
        links, laid = _links(nodes, layers, rules)
        graph = FiberGraph.of(nodes, links.link, rules)
        node_ms = graph.node_ms()
        metro, ixp = layers["metro"], layers["ixp"]
        metro_no = exchange_metros(
            graph.lon,
            graph.lat,
            graph.is_exchange,
            metro["lon"].to_numpy(float),
            metro["lat"].to_numpy(float),
            rules,
        )
        is_hub = nodes.node["is_interconnection"].to_numpy(dtype=bool)
        # Nobody knows where backhaul lies, so that it makes no path diverse.
        mapped = links.link[links.link["link_kind"] != BACKHAUL]
        trenches = Trenches.of(mapped, is_hub, graph.is_exchange, laid)
        found = diverse(graph.lon, graph.lat, trenches, metro_no, graph.is_connected, rules)
        index = FiberIndex.of(
            graph.node.assign(is_connected=graph.is_connected),
            node_ms,
            (metro, ixp, layers["people"]),
            nodes.ixp_node,
            found,
            rules,
        )
        return cls(nodes, links, graph, index)


def _links(
    nodes: FiberNodes, layers: Mapping[str, Any], rules: LatencyRules
) -> tuple[FiberLinks, LaidRoutes | None]:
    """Links, laid where the study knows rights of way."""
    straight = merge_links(nodes, layers["carrier_link"], rules, None)
    lines = _lines(layers["right_of_way"], layers["fiber_route"])
    pairs = laid_pairs(straight.link)
    if lines.empty or not len(pairs):
        return straight, None
    lon, lat = (nodes.node[name].to_numpy(float) for name in ("lon", "lat"))
    routes = lay(RightOfWay.of(lines), lon, lat, pairs, rules)
    return merge_links(nodes, layers["carrier_link"], rules, routes), routes


def _lines(*layers: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Courses that fiber follows, of every layer that has any."""
    shapes = [lonlat_geometries(layer.geometry) for layer in layers]
    return gpd.GeoDataFrame(geometry=np.concatenate(shapes), crs="OGC:CRS84")
