"""Drive times the plain way: every stretch an edge of a multigraph, every distance by Geod."""

from itertools import pairwise

import networkx as nx
import numpy as np

from tests.oracle.geodesic import METRES_PER_MILE, all_pairs_m

MPH = 25.0
REACH_MI = 10.0


def minutes_and_miles(lon, lat, is_access, stretches, to, starts):
    """Return minutes and miles on the network, of each start; None where one cannot go.

    Also None as a whole where it is undecided which part of the network one can drive round in.
    """
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(len(lon)))
    for start, end, seconds, metres in stretches:
        graph.add_edge(start, end, seconds=seconds, metres=metres)
    parts = [
        [node for node in part if is_access[node]]
        for part in nx.strongly_connected_components(graph)
    ]
    sizes = sorted(map(len, parts))
    if len(sizes) > 1 and sizes[-1] == sizes[-2]:
        return None
    usable = np.array(sorted(max(parts, key=len)))
    away_mi = all_pairs_m(*np.array([to, *starts]).T, lon[usable], lat[usable]) / METRES_PER_MILE
    nearest, local_mi = usable[away_mi.argmin(axis=1)], away_mi.min(axis=1)
    direct_mi = all_pairs_m(*np.array(starts).T, *np.array([to]).T)[:, 0] / METRES_PER_MILE
    told = []
    for row, straight_mi in enumerate(direct_mi, start=1):
        both_mi = local_mi[row] + local_mi[0]
        if max(local_mi[row], local_mi[0]) > REACH_MI:
            told.append(None)
        elif straight_mi <= both_mi:
            told.append((straight_mi / MPH * 60, 0.0))
        else:
            told.append(_on_roads(graph, int(nearest[row]), int(nearest[0]), both_mi))
    return told


def _on_roads(graph, start, goal, local_mi):
    """Take the fastest way, and of stretches that are as fast the shortest."""
    seconds, way = nx.single_source_dijkstra(graph, start, goal, weight="seconds")
    metres = 0.0
    for here, there in pairwise(way):
        stretches = graph[here][there].values()
        metres += min((each["seconds"], each["metres"]) for each in stretches)[1]
    return seconds / 60 + local_mi / MPH * 60, metres / METRES_PER_MILE
