"""Compiled loops of `geo.fiber.diversity`: disjoint paths by augmentation, and what all paths share.

The network of a node is the graph of trenches, of capacity 1 each, either both ways or ahead alone, with an
arc without limit from each exchange to its metro and one of capacity 1 from each metro to the target.
Metros are numbered after the vertices. Of each arc out of a vertex `way` is 1 where it runs ahead, -1 where
it runs back, and `room` and `back` are the capacity with and against it.
"""

# numba infers the types, and calls between kernels cost more than long ones.
# ruff: noqa: ANN001, ANN202, C901

import numpy as np

from geo._jit import jit


@jit
def _augment(node, graph, sinks, state, seen, stamp, parent, by_edge, queue):
    """Send one more unit from a node, rerouting what is sent; its last metro, or -1 where none is free.

    `parent` and `by_edge` are left to `_send`: the vertex that each was reached from and the arc.
    """
    source_start, source, start, head, edge, way, room, _ = graph
    metro = sinks[0]
    flow, entry = state
    vertices = metro.size
    last = 0
    for k in range(source_start[node], source_start[node + 1]):
        v = source[k]
        seen[v], parent[v], queue[last] = stamp, -1, v
        last += 1
    first = 0
    while first < last:
        v = queue[first]
        first += 1
        m = metro[v]
        if m >= 0 and seen[vertices + m] != stamp:
            seen[vertices + m], parent[vertices + m] = stamp, v
            u = entry[m]
            if u < 0:
                return m
            # Take over the metro: the unit that came from `u` looks for another way.
            if seen[u] != stamp:
                seen[u], parent[u], by_edge[u], queue[last] = stamp, vertices + m, -1, u
                last += 1
        for k in range(start[v], start[v + 1]):
            u = head[k]
            if seen[u] != stamp and way[k] * flow[edge[k]] < room[k]:
                seen[u], parent[u], by_edge[u], queue[last] = stamp, v, k, u
                last += 1
    return -1


@jit
def _send(m, graph, sinks, state, parent, by_edge, used, count):
    """Send a unit along what `_augment` found; append the trenches, return how many there are now."""
    edge, way = graph[4], graph[5]
    flow, entry = state
    vertices = sinks[0].size
    v = parent[vertices + m]
    entry[m] = v
    while parent[v] >= 0:
        before = parent[v]
        if before >= vertices:
            v = parent[before]
            entry[before - vertices] = v
            continue
        k = by_edge[v]
        flow[edge[k]] += way[k]
        used[count] = edge[k]
        count += 1
        v = before
    return count


@jit
def _reaching(graph, sinks, state, seen, stamp, queue):
    """Mark what could still send a unit to the target, searching from there."""
    _, _, start, head, edge, way, _, back = graph
    metro, member_start, member = sinks
    flow, entry = state
    vertices = metro.size
    last = 0
    for m in range(entry.size):
        if entry[m] < 0:
            seen[vertices + m], queue[last] = stamp, vertices + m
            last += 1
    first = 0
    while first < last:
        v = queue[first]
        first += 1
        if v >= vertices:
            for k in range(member_start[v - vertices], member_start[v - vertices + 1]):
                u = member[k]
                if seen[u] != stamp:
                    seen[u], queue[last] = stamp, u
                    last += 1
            continue
        m = metro[v]
        if m >= 0 and entry[m] == v and seen[vertices + m] != stamp:
            seen[vertices + m], queue[last] = stamp, vertices + m
            last += 1
        for k in range(start[v], start[v + 1]):
            u = head[k]
            if seen[u] != stamp and -way[k] * flow[edge[k]] < back[k]:
                seen[u], queue[last] = stamp, u
                last += 1


@jit
def disjoint(first_node, last_node, most, is_asked, graph, ends, sinks, paths, choke):
    """Write the disjoint paths of nodes, at most `most`, and the last trench that all paths of one share.

    `choke` is the number of a trench, or of trenches + metro where all paths end in one metro by
    different ways; -1 where nothing is shared or there is no path.
    """
    from_vertex, to_vertex = ends
    metro, member_start, _ = sinks
    edges, vertices, metros = from_vertex.size, metro.size, member_start.size - 1
    flow = np.zeros(edges, np.int8)
    entry = np.full(metros, -1, np.int64)
    state = flow, entry
    seen = np.zeros(vertices + metros, np.int64)
    parent, by_edge = np.empty(vertices + metros, np.int64), np.empty(vertices, np.int64)
    queue = np.empty(vertices + metros, np.int64)
    used = np.empty(most * (vertices + metros), np.int64)
    stamp = 0
    for node in range(first_node, last_node):
        paths[node], choke[node] = 0, -1
        if not is_asked[node]:
            continue
        count = 0
        while paths[node] < most:
            stamp += 1
            m = _augment(node, graph, sinks, state, seen, stamp, parent, by_edge, queue)
            if m < 0:
                break
            count = _send(m, graph, sinks, state, parent, by_edge, used, count)
            paths[node] += 1
        if paths[node] == 1 and most > 1:
            stamp += 1
            _reaching(graph, sinks, state, seen, stamp, queue)
            for m in range(metros):
                if entry[m] >= 0 and seen[vertices + m] != stamp:
                    choke[node] = edges + m
            for c in range(count):
                e = used[c]
                tail, head = from_vertex[e], to_vertex[e]
                if flow[e] < 0:
                    tail, head = head, tail
                if seen[head] == stamp and seen[tail] != stamp:
                    choke[node] = e
        for c in range(count):
            flow[used[c]] = 0
        entry[:] = -1
