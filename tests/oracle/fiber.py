"""The fiber graph the plain way: loops over points and links with Geod, networkx for shortest paths."""

from collections import defaultdict

import networkx as nx
import numpy as np

from tests.oracle.geodesic import GEOD, METRES_PER_MILE

ENDS = ("low", "mid", "high")
HUB = "hub"


def km(one, other):
    """Geodesic km between two (lon, lat)."""
    return GEOD.inv(*one, *other)[2] / 1_000.0


class PlainFiber:
    """Nodes by id and one multigraph of (node id, carrier id) for each end of the interval."""

    def __init__(self, pop, facility, ixp, carrier_link, rules):
        self.rules = rules
        self.pop = {row.pop_id: row for row in pop.itertuples() if row.carrier_kind == "carrier"}
        self.links = list(carrier_link.itertuples())
        points = [(0, f"pop-{key}", (row.lon, row.lat)) for key, row in self.pop.items()]
        points += [(1, f"ixp-{row.ixp_id}", (row.lon, row.lat)) for row in ixp.itertuples()]
        points += [
            (2, f"facility-{row.facility_id}", (row.lon, row.lat))
            for row in facility.itertuples()
            if row.facility_kind == "colocation"
        ]
        self.place = {}
        for _, name, at in sorted(points):
            if all(km(at, first) > rules.node_join_km for first in self.place.values()):
                self.place[name] = at
        order = list(self.place)
        self.node_of = {
            name: min(
                order, key=lambda no, at=at: (round(km(at, self.place[no]), 7), order.index(no))
            )
            for _, name, at in points
        }
        self.nodes = sorted(self.place)
        self.carriers = defaultdict(set)
        for key, row in self.pop.items():
            self.carriers[self.node_of[f"pop-{key}"]].add(row.carrier_id)
        self.exchanges = {self.node_of[name] for kind, name, _ in points if kind == 1}
        listed = {self.node_of[name] for kind, name, _ in points if kind > 0}
        self.hubs = listed | {
            no for no, held in self.carriers.items() if len(held) >= rules.exchange_carriers
        }

    def graph(self, end):
        """Carriers at nodes and hubs, joined by links, changes of carrier and reaches of exchanges."""
        factor = 2.0 * self.rules.light_us_per_km / 1_000.0 * self.rules.straight_factor[end]
        change = self.rules.exchange_ms[end]
        graph = nx.MultiGraph()
        for no, held in self.carriers.items():
            for carrier in held:
                graph.add_node((no, carrier))
                if no in self.hubs:
                    graph.add_edge((no, carrier), (no, HUB), ms=change / 2.0, is_link=False)
        for no in self.hubs:
            graph.add_node((no, HUB))
        for here, there, carrier in self._carried():
            ms = factor * km(self.place[here], self.place[there])
            graph.add_edge((here, carrier), (there, carrier), ms=ms, is_link=True)
        for near, far, length in self._reached():
            for carrier in self.carriers[near]:
                graph.add_edge(
                    (near, carrier), (far, HUB), ms=factor * length + change, is_link=True
                )
        return graph

    def _carried(self):
        """From node, to node and carrier of each link that counts."""
        for row in self.links:
            ends = [self.pop.get(row.from_pop_id), self.pop.get(row.to_pop_id)]
            if None not in ends and ends[0].carrier_id == ends[1].carrier_id:
                here, there = (self.node_of[f"pop-{pop.pop_id}"] for pop in ends)
                if here != there:
                    yield here, there, ends[0].carrier_id

    def _reached(self):
        """Node with carriers, node with an exchange, and km between the two."""
        reach_km = self.rules.exchange_reach_mi * METRES_PER_MILE / 1_000.0
        for far in self.exchanges:
            for near in self.carriers:
                length = km(self.place[near], self.place[far])
                if near != far and length <= reach_km:
                    yield near, far, length
        for near in set(self.carriers) - self.exchanges:
            away = [(km(self.place[near], self.place[far]), far) for far in self.exchanges]
            length, far = min(away, default=(np.inf, None))
            if reach_km < length <= self.rules.backhaul_reach_mi * METRES_PER_MILE / 1_000.0:
                yield near, far, length

    def node_ms(self):
        """Round trips between nodes, (P, P, 3), inf for none."""
        found = np.full((len(self.nodes), len(self.nodes), len(ENDS)), np.inf)
        row = {no: at for at, no in enumerate(self.nodes)}
        for end in range(len(ENDS)):
            graph = self.graph(end)
            for here in self.nodes:
                starts = {vertex for vertex in graph if vertex[0] == here}
                if starts:
                    reached = nx.multi_source_dijkstra_path_length(graph, starts, weight="ms")
                    for (there, _), ms in reached.items():
                        at = row[here], row[there], end
                        found[at] = min(found[at], ms)
        return found

    def connected(self):
        """Nodes from which a link leads to an exchange."""
        graph, found = self.graph(0), set()
        for part in nx.connected_components(graph):
            has_link = any(data["is_link"] for *_, data in graph.subgraph(part).edges(data=True))
            if has_link and any((no, HUB) in part for no in self.exchanges):
                found |= {no for no, _ in part}
        return found
