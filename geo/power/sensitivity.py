"""The islands of a network, factored, and the branches that hold them together."""

import networkx as nx
import numpy as np

from geo.power.factors import Factors, connected
from geo.power.network import Network


def factors_of(network: Network, island: int) -> Factors:
    """Factor one island of a network.

    Raises
    ------
    GeoError
        The island has no active branch, or its negative reactances cancel.
    """
    bus = np.flatnonzero(network.island == island)
    branch = np.flatnonzero(network.is_active & (network.island[network.from_bus] == island))
    return Factors.from_arrays(
        bus,
        branch,
        network.node[bus],
        network.node[network.from_bus[branch]],
        network.node[network.to_bus[branch]],
        1.0 / network.reactance_pu[branch],
    )


def islands_with_branches(network: Network) -> list[int]:
    """Numbers of the islands that have an active branch."""
    found = np.unique(network.island[network.from_bus[network.is_active]])
    return [int(number) for number in found]


def bridges(network: Network) -> np.ndarray:
    """Whether the outage of each branch islands something: shape (branches,), False where inactive."""
    out = np.zeros(network.branch_id.size, dtype=bool)
    rows = np.flatnonzero(network.is_active)
    ends = np.sort(
        np.column_stack([network.node[network.from_bus[rows]], network.node[network.to_bus[rows]]]),
        axis=1,
    )
    pairs, number, count = np.unique(ends, axis=0, return_inverse=True, return_counts=True)
    graph = nx.Graph(map(tuple, pairs.tolist()))
    found = {tuple(sorted(pair)) for pair in nx.bridges(graph)}
    is_bridge = np.array([tuple(pair) in found for pair in pairs.tolist()], dtype=bool)
    out[rows] = (is_bridge & (count == 1))[number]
    return out


def is_single_fed(network: Network) -> np.ndarray:
    """Whether one outage cuts each bus off the main part of its island: shape (buses,).

    The parts of an island are what is left without its bridges, the main one that with the most load
    and generating capacity. A bus that no branch reaches is not fed, and False.
    """
    kept = network.is_active & ~bridges(network)
    part = connected(network.node, network.from_bus[kept], network.to_bus[kept])
    weight = np.bincount(part, np.maximum(network.bus_load_mw, 0.0))
    np.add.at(weight, part[network.gen_bus], np.maximum(network.gen_capacity_mw, 0.0))
    # The parts of each island by weight, of equal ones the first: numbers follow the buses' order.
    numbers, first = np.unique(part, return_index=True)
    order = np.lexsort((numbers, -weight, network.island[first]))
    island = network.island[first][order]
    main = np.zeros(numbers.size, dtype=bool)
    main[order[np.append(True, island[1:] != island[:-1])]] = True
    return ~main[part]
