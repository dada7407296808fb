"""Carriers' links between nodes, merged, with their round trips, and the reach of exchanges."""

from typing import NamedTuple, Protocol

import numpy as np
import pandas as pd

from geo.errors import GeoError
from geo.features import FeatureIndex
from geo.fiber.nodes import FiberNodes
from geo.fiber.rules import ENDS, LatencyRules
from geo.geodesy import geodesic_km
from geo.nearest import nearest
from geo.pairs import pairs_within

# No carrier's cable on land is longer: two places of one name were mistaken, or an ocean is crossed.
LONGEST_KM = 5_000.0
INTERCONNECTION = "interconnection"
BACKHAUL = "backhaul"
MAPPED = "mapped"
HUB = -1
# Two geodesics may differ by rounding from one.
_ROUNDING = 1e-6
_COLUMNS = ["link_id", "from_node", "to_node", "carrier_no", "link_kind", "length_km", "source_id"]


class Route(Protocol):
    """What is needed of links that are laid on rights of way."""

    @property
    def pair(self) -> np.ndarray:
        """Rows of nodes, each pair once in either direction, shape (n, 2)."""
        ...

    @property
    def route_km(self) -> np.ndarray:
        """Kilometres from node to node, NaN where no way is plausible, shape (n,)."""
        ...


class FiberLinks(NamedTuple):
    """Links of the graph, and those that are not in it.

    Attributes
    ----------
    link
        One row per carrier and pair of nodes, and one per pair of nodes that an exchange's reach
        joins, in order of `from_node` < `to_node` and `carrier_no` (-1 for the latter); `link_no`,
        `link_id` (smallest of the merged), `link_kind` (`mapped` where any of the merged is, else
        `ip_adjacency`; `interconnection`; `backhaul`), `length_km` (geodesic between nodes), `route_km` (NaN
        unless laid on a right of way), `how` (`right_of_way`, `straight`), `rtt_ms_low`, `rtt_ms_mid`,
        `rtt_ms_high`, `pair_carrier_count` (carriers with a link on the pair), `source_id` (missing
        where the rule of reach made the link).
    dropped
        `link_id`, `reason`, one row per row of the layer that is not in `link`.
    """

    link: pd.DataFrame
    dropped: pd.DataFrame


def merge_links(
    nodes: FiberNodes, carrier_link: pd.DataFrame, rules: LatencyRules, route: Route | None
) -> FiberLinks:
    """Merge carriers' links to one per carrier and pair of nodes.

    A straight link takes the great circle times `straight_factor`, a laid one its right of way. Nodes
    with carriers within `exchange_reach_mi` of a node with an exchange reach that for the straight way
    and `exchange_ms`; others reach the nearest exchange within `backhaul_reach_mi` alike, since capacity
    to it is for sale though no map shows by whom.

    Parameters
    ----------
    nodes
        From `join_nodes`.
    carrier_link
        Columns of `core.carrier_link`.
    rules
        Parameters of latency.
    route
        Ways of `laid_pairs(merge_links(..., None).link)` along rights of way; None lays nothing, and
        links that are not mapped are never laid.

    Raises
    ------
    GeoError
        A way is shorter than the great circle between the nodes.
    """
    read, dropped = _read(nodes, carrier_link)
    read = read.assign(is_logical=read["link_kind"] != MAPPED)
    key = ["from_node", "to_node", "carrier_no"]
    read = read.sort_values([*key, "is_logical", "link_id"], ignore_index=True)
    again = read.duplicated(key)
    dropped.append(_reason(read.loc[again, "link_id"], "repeats another link of its carrier"))
    carried = read.loc[~again, _COLUMNS]
    link = pd.concat([carried, _reach(nodes, rules)], ignore_index=True)
    link = link.sort_values(key, ignore_index=True)
    link.insert(0, "link_no", np.arange(len(link)))
    route_km = _route_km(link, route)
    is_laid = ~np.isnan(route_km)
    link["route_km"] = route_km
    link["how"] = np.where(is_laid, "right_of_way", "straight").astype(object)
    ms = rules.straight_ms(link["length_km"].to_numpy())
    ms[is_laid] = rules.laid_ms(route_km[is_laid])
    ms[(link["carrier_no"] == HUB).to_numpy()] += np.array(rules.exchange_ms)
    for end, name in enumerate(ENDS):
        link[f"rtt_ms_{name}"] = ms[:, end]
    is_carried = (link["carrier_no"] != HUB).astype(np.int64)
    link["pair_carrier_count"] = is_carried.groupby([link["from_node"], link["to_node"]]).transform(
        "sum"
    )
    columns = [*link.columns.drop("source_id"), "source_id"]
    all_dropped = pd.concat(dropped, ignore_index=True)
    return FiberLinks(
        link[columns], all_dropped.sort_values(["link_id", "reason"], ignore_index=True)
    )


def laid_pairs(link: pd.DataFrame) -> np.ndarray:
    """Pairs of nodes that a right of way is sought for: those with a mapped link, shape (n, 2), sorted.

    A logical link may take any way between its ends, so none is guessed for it.
    """
    is_mapped = (link["link_kind"] == MAPPED).to_numpy()
    pairs = link.loc[is_mapped, ["from_node", "to_node"]].to_numpy(dtype=np.int64)
    return np.unique(pairs, axis=0).reshape(-1, 2)


def _read(nodes: FiberNodes, carrier_link: pd.DataFrame) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """Links with their nodes and lengths, and those that are dropped for themselves, with the reason."""
    rows = carrier_link.sort_values(["link_id", "from_pop_id", "to_pop_id"], ignore_index=True)
    pop_id = pd.Index(nodes.pop["pop_id"])
    # An unknown end is -1, which takes the row that is added at the end here.
    pop_node = np.append(nodes.pop["node_no"].to_numpy(dtype=np.int64), -1)
    pop_carrier = np.append(nodes.pop["carrier_no"].to_numpy(dtype=np.int64), -1)
    here, there = (pop_id.get_indexer(rows[f"{end}_pop_id"]) for end in ("from", "to"))
    is_known = (here >= 0) & (there >= 0)
    node = np.column_stack([pop_node[here], pop_node[there]])
    node.sort(axis=1)
    lon, lat = nodes.node["lon"].to_numpy(), nodes.node["lat"].to_numpy()
    length_km = np.full(len(rows), np.nan)
    a, b = node[is_known].T
    length_km[is_known] = geodesic_km(lon[a], lat[a], lon[b], lat[b])
    is_outside = np.zeros(len(rows), dtype=bool)
    is_outside[is_known] = nodes.is_outside[node[is_known]].any(axis=1)
    reason = np.select(
        [
            rows.duplicated("link_id").to_numpy(),
            ~is_known,
            pop_carrier[here] != pop_carrier[there],
            is_outside,
            length_km > LONGEST_KM,
            node[:, 0] == node[:, 1],
        ],
        [
            "repeats a link_id",
            "has an end that is no carrier's point of presence",
            "has ends of two carriers",
            "has an end in the sea or abroad",
            f"is longer than {LONGEST_KM:,.0f} km",
            "lies within one node",
        ],
        "",
    )
    is_kept = reason == ""
    found = rows.assign(
        from_node=node[:, 0],
        to_node=node[:, 1],
        carrier_no=pop_carrier[here],
        length_km=length_km,
    )
    return found.loc[is_kept, _COLUMNS], [_reason(rows.loc[~is_kept, "link_id"], reason[~is_kept])]


def _reason(link_id: pd.Series, reason: str | np.ndarray) -> pd.DataFrame:
    """Table of links that are dropped."""
    return pd.DataFrame({"link_id": link_id.to_numpy(dtype=object), "reason": reason}, dtype=object)


def _reach(nodes: FiberNodes, rules: LatencyRules) -> pd.DataFrame:
    """Pairs of nodes of which one has an exchange and the other a carrier, in reach of one another.

    A node beyond the reach of every exchange is given a way to the nearest one that backhaul reaches.
    """
    node = nodes.node
    is_in = ~nodes.is_outside
    exchange = np.flatnonzero(is_in & nodes.is_exchange)
    carried = np.flatnonzero(is_in & (node["carrier_count"].to_numpy() > 0))
    lon, lat = node["lon"].to_numpy(), node["lat"].to_numpy()
    here, there, _ = pairs_within(
        lon[carried], lat[carried], lon[exchange], lat[exchange], rules.exchange_reach_mi
    )
    near = np.sort(np.column_stack([carried[here], exchange[there]]), axis=1)
    near = np.unique(near[near[:, 0] != near[:, 1]], axis=0).reshape(-1, 2)
    lone = np.setdiff1d(carried, np.concatenate([carried[here], exchange]))
    index = FeatureIndex.from_points(lon[exchange], lat[exchange])
    found, _ = nearest(index, lon[lone], lat[lone], max_mi=rules.backhaul_reach_mi)
    far = np.column_stack([lone, np.append(exchange, -1)[found]])[found >= 0]
    a, b = np.concatenate([near, np.sort(far, axis=1)]).T
    node_id = node["node_id"].to_numpy(dtype=object)
    return pd.DataFrame(
        {
            "link_id": node_id[a] + " - " + node_id[b],
            "from_node": a,
            "to_node": b,
            "carrier_no": np.full(len(a), HUB, dtype=np.int64),
            "link_kind": np.repeat(
                np.array([INTERCONNECTION, BACKHAUL], dtype=object), [len(near), len(far)]
            ),
            "length_km": geodesic_km(lon[a], lat[a], lon[b], lat[b]),
            "source_id": np.full(len(a), None, dtype=object),
        }
    )


def _route_km(link: pd.DataFrame, route: Route | None) -> np.ndarray:
    """Kilometres along the right of way that each link is laid on, NaN for none, shape (links,)."""
    route_km = np.full(len(link), np.nan)
    if route is None:
        return route_km
    rows = np.flatnonzero((link["link_kind"] == MAPPED).to_numpy())
    pairs = np.sort(np.asarray(route.pair, dtype=np.int64).reshape(-1, 2), axis=1)
    laid = pd.MultiIndex.from_arrays(pairs.T)
    own = pd.MultiIndex.from_arrays(link.loc[rows, ["from_node", "to_node"]].to_numpy().T)
    at = laid.get_indexer(own)
    along_km = np.append(np.asarray(route.route_km, dtype=np.float64), np.nan)
    route_km[rows] = along_km[at]
    length_km = link["length_km"].to_numpy()
    if np.any(route_km < length_km * (1.0 - _ROUNDING)):
        msg = "A right of way is shorter than the great circle; the routes are of other pairs of nodes."
        raise GeoError(msg)
    return np.maximum(route_km, length_km)
