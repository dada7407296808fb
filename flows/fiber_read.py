"""What a published build knows of fiber: nodes, graph, round trips of metros, and the way to them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import duckdb
import numpy as np
import pandas as pd

from data import store
from data.errors import BuildError, LackingError
from flows.reporting import rows_of
from geo.errors import GeoError
from geo.fiber.access import Access, NodeSearch
from geo.fiber.graph import FiberGraph
from geo.fiber.links import HUB
from geo.fiber.nodes import FiberNodes
from geo.fiber.rules import ENDS, LatencyRules
from geo.fiber.targets import Targets
from geo.geodesy import KM_PER_MILE, geodesic_km

RTT = [f"rtt_ms_{end}" for end in ENDS]
MID = ENDS.index("mid")


@dataclass(frozen=True, eq=False)
class PublishedFiber:
    """The fiber tables of a build.

    Attributes
    ----------
    run
        Row of the run.
    rules
        Parameters that the build was computed with.
    node, pop, link, exchange, metro
        Published tables, each in the order of its id.
    """

    run: dict[str, Any]
    rules: LatencyRules
    node: pd.DataFrame
    pop: pd.DataFrame
    link: pd.DataFrame
    exchange: pd.DataFrame
    metro: pd.DataFrame

    @classmethod
    def of(cls, con: duckdb.DuckDBPyConnection) -> Self:
        """Read the tables.

        Raises
        ------
        BuildError
            The build is of a version without them.
        """
        run = rows_of(con, "query/run")[0]
        names = ("fiber_nodes", "fiber_pops", "fiber_links", "fiber_exchanges", "fiber_metros")
        try:
            rules = LatencyRules.from_frame(store.query_file(con, "query/latency_rules").df())
            frames = [store.query_file(con, f"query/{name}").df() for name in names]
        except (LackingError, GeoError) as error:
            msg = f"Run {run['run_id']} holds no fiber graph that this version reads."
            raise BuildError(
                msg, "It was made by an older version: run `gridstead run`."
            ) from error
        return cls(run, rules, *frames)

    @cached_property
    def link_by_no(self) -> pd.DataFrame:
        """Links with numbers for ids, in the order of the graph that the build was made with."""
        node_no = pd.Series(np.arange(len(self.node)), index=self.node["node_id"])
        carrier_no = pd.Series(np.arange(len(self._carrier)), index=self._carrier["carrier_id"])
        link = self.link.assign(
            from_node=self.link["from_node_id"].map(node_no).astype(np.int64),
            to_node=self.link["to_node_id"].map(node_no).astype(np.int64),
            carrier_no=self.link["carrier_id"].map(carrier_no).fillna(HUB).astype(np.int64),
        )
        link = link.sort_values(["from_node", "to_node", "carrier_no"], ignore_index=True)
        return link.assign(link_no=np.arange(len(link)))

    @property
    def _carrier(self) -> pd.DataFrame:
        named = self.pop[["carrier_id", "carrier_name"]].drop_duplicates("carrier_id")
        return named.sort_values("carrier_id", ignore_index=True)

    @cached_property
    def graph(self) -> FiberGraph:
        """The graph that round trips were computed on."""
        node_no = pd.Series(np.arange(len(self.node)), index=self.node["node_id"])
        carrier_no = pd.Series(np.arange(len(self._carrier)), index=self._carrier["carrier_id"])
        pop = pd.DataFrame(
            {
                "pop_id": self.pop["pop_id"],
                "node_no": self.pop["node_id"].map(node_no).astype(np.int64),
                "carrier_no": self.pop["carrier_id"].map(carrier_no).astype(np.int64),
            }
        )
        node = self.node.rename(columns={"unknown_reason": "reason"})
        none = np.zeros(0, dtype=np.int64)
        left_out = pd.DataFrame({"pop_id": [], "reason": []}, dtype=object)
        nodes = FiberNodes(node, pop, self._carrier, none, none, left_out)
        return FiberGraph.of(nodes, self.link_by_no, self.rules)

    def access(self, lat: float, lon: float) -> Access:
        """Find the nearest connected nodes within reach of a point, as for a parcel."""
        return self.search.access(np.array([lon]), np.array([lat]), self.rules.node_reach_mi)

    @cached_property
    def search(self) -> NodeSearch:
        """Connected nodes, ready to be searched."""
        at = (self.node[name].to_numpy(float) for name in ("lon", "lat"))
        return NodeSearch.of(*at, self.node["is_connected"].to_numpy(bool))

    def metro_rtts(self, con: duckdb.DuckDBPyConnection, access: Access) -> pd.DataFrame:
        """Round trips from a point to every metro.

        Returns
        -------
        DataFrame
            The metro table with `rtt_ms_low`, `rtt_ms_mid`, `rtt_ms_high` (NaN where no path leads).
        """
        if not access.is_any[0]:
            return self.metro.assign(**dict.fromkeys(RTT, np.nan))
        node_no = access.node_no[0][access.node_no[0] >= 0]
        ids = self.node["node_id"].to_numpy(object)[node_no]
        told = store.query_file(con, "query/fiber_metro_rtts", {"node_ids": ids.tolist()}).df()
        ms = np.full((len(self.metro), len(self.node), len(ENDS)), np.inf)
        column = pd.Series(node_no, index=ids)
        metro = pd.Index(self.metro["metro_id"]).get_indexer(told["metro_id"])
        ms[metro, told["node_id"].map(column).to_numpy(int)] = told[RTT].to_numpy(float)
        text = (self.metro[name].to_numpy(str) for name in ("metro_id", "metro_name"))
        at = (self.metro[name].to_numpy(float) for name in ("lon", "lat"))
        targets = Targets(*text, *at, self.metro["is_major"].to_numpy(bool), ms)
        found = self.metro.copy()
        least = targets.rtt(access, self.rules)[0]
        found[RTT] = np.where(np.isfinite(least), least, np.nan)
        return found

    def exchange_rtt(self, access: Access) -> dict[str, Any] | None:
        """Exchange of the least middle round trip from a point, with the round trips to it; None without."""
        node_no = access.node_no[0][access.node_no[0] >= 0]
        near = self.node.iloc[node_no]
        lateral_ms = access.lateral_ms(self.rules)[0, : len(node_no)]
        mid = lateral_ms[:, MID] + near["rtt_ixp_ms_mid"].fillna(np.inf).to_numpy(float)
        if not np.isfinite(mid).any():
            return None
        ixp_id = near["rtt_ixp_id"].iloc[int(mid.argmin())]
        # No way is shorter than to stay: an exchange is at the node that is nearest to it by 0 ms.
        is_at = (self.node["rtt_ixp_id"] == ixp_id) & (self.node["rtt_ixp_ms_mid"] == 0)
        there = self.graph.node_ms(node_no)[:, np.flatnonzero(is_at)[0]]
        ms = (lateral_ms + there).min(axis=0) + np.array(self.rules.access_ms)
        (name,) = self.exchange.loc[self.exchange["ixp_id"] == ixp_id, "ixp_name"]
        found = {"ixp_id": str(ixp_id), "ixp_name": None if pd.isna(name) else str(name)}
        return found | dict(zip(RTT, ms.tolist(), strict=True))


def miles_to(lon: float, lat: float, places: pd.DataFrame) -> np.ndarray:
    """Geodesic miles from a point to places with lon and lat, shape (n,)."""
    there = (places[name].to_numpy(float) for name in ("lon", "lat"))
    return geodesic_km(lon, lat, *there) / KM_PER_MILE


def unknown_because(fiber: PublishedFiber) -> str:
    """Say why a point without a node in reach has no round trips."""
    if fiber.node.empty:
        return "The study has no fiber layer: round trips are unknown."
    reach = fiber.rules.node_reach_mi
    return f"No connected fiber node stands within {reach:g} miles: round trips are unknown."


def assumed(fiber: PublishedFiber) -> str:
    """Say what round trips rest upon."""
    rules = fiber.rules
    factor = " / ".join(f"{each:g}" for each in rules.straight_factor)
    along_ms = (rules.laid_ms(np.ones(1)) - np.array(rules.hop_ms)) / rules.fiber_ms(np.ones(1))
    along = " / ".join(f"{each:.3g}" for each in along_ms[0])
    access = " / ".join(f"{each:g}" for each in rules.access_ms)
    user = (
        f"the user's own access adds {access} ms"
        if any(rules.access_ms)
        else "the user's own access is not counted"
    )
    return (
        f"Light takes {rules.light_us_per_km:g} µs a km of fiber; a route is {along} times the right of way "
        f"(low / mid / high) or, where none is known, {factor} times the great circle; {user}. Sources: "
        "meta.latency_rule."
    )
