"""Disjoint paths of fiber nodes by the maximum flows of networkx, one pair of nodes at a time.

Links are (from node, to node, carrier, kind); carrier -1 is the reach of an exchange. `laid` tells for a
pair of nodes (lower, higher) the vertex where each enters its right of way, and the segments between as
(number, vertex, vertex).
"""

import itertools

import networkx as nx

LEVEL = {"ip_adjacency": 0, "mapped": 1, "interconnection": 1}
ROAD = 2
# The quickest on networks this small.
FLOW = nx.algorithms.flow.edmonds_karp


def meets(links, hubs):
    """Carriers of each node by the vertex where they meet."""
    links = [link for link in links if link[0] != link[1]]
    hubs = set(hubs) | {node for *ends, carrier, _ in links if carrier < 0 for node in ends}
    same = nx.Graph()
    same.add_nodes_from((node, -1) for node in hubs)
    at = lambda node, carrier: (node, -1 if node in hubs else carrier)  # noqa: E731
    for one, other, carrier, _ in links:
        same.add_nodes_from([at(one, carrier), at(other, carrier)])
    for first, second in itertools.combinations(links, 2):
        if set(first[:2]) == set(second[:2]):
            for node in first[:2]:
                same.add_edge(at(node, first[2]), at(node, second[2]))
    group = {place: min(part) for part in nx.connected_components(same) for place in part}
    return lambda node, carrier: group[at(node, carrier)], set(group.values())


def trenches(links, hubs, laid, least):
    """Trenches by their names, each with its two ends, and the vertices of each node."""
    vertex_of, vertices = meets(links, hubs)
    found = {}
    for one, other, carrier, kind in links:
        if one == other:
            continue
        (low, a), (high, b) = sorted(
            [(one, vertex_of(one, carrier)), (other, vertex_of(other, carrier))]
        )
        if (low, high) in laid and least <= ROAD:
            enter, leave, segments = laid[low, high]
            found["way", low, high, 0] = a, ("row", enter)
            found["way", low, high, 1] = b, ("row", leave)
            for number, u, v in segments:
                found["segment", number] = ("row", u), ("row", v)
        elif LEVEL[kind] >= least:
            found["pair", low, high] = a, b
    return found, vertices


def into(vertex):
    return "in", vertex


def out(vertex):
    return "out", vertex


def network(found, vertices, metro, sources, *, apart=False, own=True):
    """Flow network of some nodes: a unit of each, a unit a trench either way, a unit a metro.

    `apart`: a unit a place as well, of the sources themselves only where `own`.
    """
    net = nx.DiGraph()
    net.add_nodes_from(["source", "target"])
    for vertex in vertices:
        net.add_edge(into(vertex), out(vertex), **({"capacity": 1} if apart else {}))
    for name, (a, b) in found.items():
        # A trench may have a twin between the same vertices: a vertex of its own keeps them apart.
        for u, v, way in ((a, b, 0), (b, a, 1)):
            net.add_edge(out(u), (name, way), capacity=1)
            net.add_edge((name, way), into(v), capacity=1)
        for end in {a, b} - vertices:
            net.add_edge(into(end), out(end))
    for vertex in vertices:
        number = metro.get(vertex[0], -1)
        if number >= 0:
            net.add_edge(out(vertex), ("metro", number))
            net.add_edge(("metro", number), "target", capacity=1)
    for node, units in sources:
        net.add_edge("source", ("start", node), capacity=units)
        for vertex in vertices:
            if vertex[0] == node:
                net.add_edge(("start", node), into(vertex) if own else out(vertex))
    return net


def flow(found, vertices, metro, sources, **options):
    net = network(found, vertices, metro, sources, **options)
    return nx.maximum_flow_value(net, "source", "target", flow_func=FLOW)


def path_count(links, hubs, laid, metro, node, *, least=0, most=4, apart=False):
    parts = trenches(links, hubs, laid, least)
    return flow(*parts, metro, [(node, most)], apart=apart, own=False)


def are_partners(links, hubs, laid, metro, one, other, *, least=0, apart=False):
    parts = trenches(links, hubs, laid, least)
    return flow(*parts, metro, [(one, 1), (other, 1)], apart=apart) == 2


def chokes(links, hubs, laid, metro, node):
    """All trenches and metros without which no path is left."""
    found, vertices = trenches(links, hubs, laid, 0)
    cut = [
        name
        for name in found
        if not flow({n: e for n, e in found.items() if n != name}, vertices, metro, [(node, 1)])
    ]
    for number in set(metro.values()) - {-1}:
        left = {place: m for place, m in metro.items() if m != number}
        if not flow(found, vertices, left, [(node, 1)]):
            cut.append(("metro", number))
    return cut
