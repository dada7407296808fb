"""Round trips and people in reach the plain way: geopandas for near nodes, a networkx search for each parcel."""

import time
from typing import Any

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd

from geo._latency import BUDGETS_MS
from geo.fiber.rules import ENDS

SAMPLE = 25
SEED = 7
KM = 1_000.0
PLANE = "EPSG:5070"
NODES = 4
HERE = "here"


def compared(index: Any, graph: Any, parcel: pd.DataFrame) -> dict[str, Any]:
    """Seconds for a sample of parcels, scaled up to all, and how far its figures lie from the engine's.

    `index` and `graph` are of one study's fiber; `parcel` has `lon` and `lat`.
    """
    sample = parcel.sample(SAMPLE, random_state=SEED)
    lon, lat = (sample[name].to_numpy(float) for name in ("lon", "lat"))
    plain = Plain(index, graph)
    places = gpd.GeoSeries(gpd.points_from_xy(lon, lat, crs="OGC:CRS84")).to_crs(PLANE)
    began = time.perf_counter()
    rows = [plain.measured(place) for place in places]
    taken = time.perf_counter() - began
    access = index.access(lon, lat)
    _, ms = index.metro.least_rtt(access, index.rules)
    people = index.people_within(lon, lat, BUDGETS_MS)
    known = access.is_any & np.array([row is not None for row in rows])
    found = [row for row, is_known in zip(rows, known, strict=True) if is_known]
    off = np.abs(np.array([row[0] for row in found]) / ms[known][:, 1] - 1.0)
    counted = np.array([row[1] for row in found])
    people_off = np.abs(counted - people[known]) / np.maximum(people[known], 1_000)
    return {
        "sample": SAMPLE,
        "each_s": taken / SAMPLE,
        "all_s": taken / SAMPLE * len(parcel),
        "ms_off": float(np.median(off)),
        "people_off": float(np.median(people_off)),
    }


class Plain:
    """Nodes in a plane, a graph for each end of the interval, and people by node."""

    def __init__(self, index: Any, graph: Any) -> None:
        self.index, self.factor = index, np.array(index.rules.straight_factor)
        points = gpd.points_from_xy(index.lon, index.lat, crs="OGC:CRS84")
        self.nodes = gpd.GeoSeries(points).to_crs(PLANE)[index.is_connected]
        self.graphs = [
            nx.from_scipy_sparse_array(graph.matrix(end), create_using=nx.DiGraph)
            for end in range(len(ENDS))
        ]
        self.vertices = pd.Series(range(len(graph.vertex_node))).groupby(graph.vertex_node)
        self.of_node = {node: group.to_list() for node, group in self.vertices}
        self.node_of = graph.vertex_node
        metro = gpd.GeoSeries(
            gpd.points_from_xy(index.metro.lon, index.metro.lat, crs="OGC:CRS84")
        ).to_crs(PLANE)
        reach_m = index.rules.metro_reach_mi * 1609.344
        self.metro_near = [self._near(place, reach_m) for place in metro]
        served = index.people
        self.people_node = np.repeat(np.arange(len(index.node_id)), np.diff(served.offsets))
        self.people = np.diff(served.milli) / 1_000.0

    def measured(self, place: Any) -> tuple[float, list[list[float]]] | None:
        """Least mid round trip to a metro, and people within the budgets by low, mid and high."""
        near = self._near(place, self.index.rules.node_reach_mi * 1609.344).nsmallest(NODES)
        if near.empty:
            return None
        trips = [self._trips(near, end) for end in range(len(ENDS))]
        mid = [
            min(
                (trips[1].get(node, np.inf) + self._ms(m, 1) for node, m in nodes.items()),
                default=np.inf,
            )
            for nodes in self.metro_near
        ]
        counts = []
        for budget in BUDGETS_MS:
            # Sure are those whose high round trip is within.
            ends = [self._people(trips[end], end, budget) for end in (2, 1, 0)]
            counts.append(ends)
        return min(mid), counts

    def _near(self, place: Any, reach_m: float) -> pd.Series:
        metres = self.nodes.distance(place)
        return metres[metres <= reach_m]

    def _ms(self, metres: Any, end: int) -> Any:
        return self.index.rules.fiber_ms(metres / KM) * self.factor[end]

    def _trips(self, near: pd.Series, end: int) -> dict[int, float]:
        """Round trip from a place to every node that a path leads to."""
        graph = self.graphs[end]
        graph.add_weighted_edges_from(
            (HERE, vertex, float(self._ms(metres, end)))
            for node, metres in near.items()
            for vertex in self.of_node[node]
        )
        found = nx.single_source_dijkstra_path_length(graph, HERE, weight="weight")
        graph.remove_node(HERE)
        best: dict[int, float] = {}
        for vertex, ms in found.items():
            if vertex != HERE:
                node = int(self.node_of[vertex])
                best[node] = min(best.get(node, np.inf), ms)
        return best

    def _people(self, trips: dict[int, float], end: int, budget: float) -> float:
        ms = pd.Series(trips).reindex(range(len(self.index.node_id)), fill_value=np.inf).to_numpy()
        tail = self._ms(self.index.people.tail_km * KM, end)
        return float(self.people[ms[self.people_node] + tail <= budget].sum())
