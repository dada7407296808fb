"""A published build with a fiber layer and nothing else, made by `geo` from frames."""

from pathlib import Path

import numpy as np
import pandas as pd

from data import store
from geo.fiber.access import NodeSearch
from geo.fiber.graph import FiberGraph
from geo.fiber.links import merge_links
from geo.fiber.nodes import FiberNodes, join_nodes
from geo.fiber.reach import ServedPeople
from geo.fiber.rules import ENDS, LatencyRules
from geo.fiber.targets import Targets
from geo.people_units import MILLI

RTT = [f"rtt_ms_{end}" for end in ENDS]
# People of a layer, none of a raster.
PEOPLE_STATE = pd.DataFrame(
    {"state_id": ["VA"], "method": ["tract_scaled_to_county"], "covered_share": [1.0]}
)
PEOPLE_CELL = pd.DataFrame({"row_no": [0], "column_no": [0], "people_milli": [1]})


def publish(
    home: Path,
    rule: pd.DataFrame,
    layers: dict[str, pd.DataFrame],
    *,
    study: str = "made",
) -> Path:
    """Write `gridstead.duckdb` into a home from the layers pop, carrier_link, facility, ixp, metro, people."""
    rules = LatencyRules.from_frame(rule)
    nodes, link, graph = _made(layers, rules)
    node_ms = graph.node_ms()
    metro = layers["metro"].sort_values("metro_id", ignore_index=True)
    at = (graph.lon, graph.lat, graph.is_connected)
    targets = Targets.of_metros(metro, at, node_ms, rules)
    node_id = graph.node["node_id"].to_numpy(object)
    named = pd.concat([nodes.carrier, pd.DataFrame({"carrier_id": [None], "carrier_name": [None]})])
    names = link["carrier_no"].to_numpy(int)
    search = NodeSearch.of(*at)
    served = ServedPeople.of(layers["people"], search, len(node_id), rules)
    tables = {
        "meta.latency_rule": rule,
        "core.metro": metro,
        "core.ixp": layers["ixp"],
        "core.people": layers["people"],
        "mart.people_state": layers.get("people_state", PEOPLE_STATE),
        "mart.people_cell": layers.get("people_cell", PEOPLE_CELL),
        "mart.fiber_node": graph.node.rename(columns={"reason": "unknown_reason"}).assign(
            is_connected=graph.is_connected,
            path_basis=None,
            disjoint_path_count=None,
            **_exchange(layers["ixp"], nodes, graph, node_ms),
            geometry=None,
        ),
        "mart.fiber_pop": nodes.pop.assign(
            node_id=node_id[nodes.pop["node_no"]],
            **{
                name: nodes.carrier[name].to_numpy(object)[nodes.pop["carrier_no"]]
                for name in nodes.carrier
            },
        ),
        "mart.fiber_link": link.drop(columns=["link_no", "from_node", "to_node"]).assign(
            from_node_id=node_id[link["from_node"]],
            to_node_id=node_id[link["to_node"]],
            **{name: named[name].to_numpy(object)[names] for name in named},
            geometry=None,
        ),
        "mart.fiber_metro_rtt": _metro_rtt(metro, node_id, targets.ms),
        "mart.fiber_people": pd.DataFrame(
            {
                "node_id": np.repeat(node_id, np.diff(served.offsets)),
                "tail_km": served.tail_km,
                "people": np.diff(served.milli) / MILLI,
            }
        ),
    }
    home.mkdir(parents=True, exist_ok=True)
    build = home / "gridstead.duckdb"
    with store.create(build) as con:
        for schema in ("meta", "core", "mart"):
            con.execute(f"create schema {schema}")
        store.run_file(con, "meta/run")
        con.execute(
            "insert into meta.run by name select 'r1' as run_id, $study as study, true as is_synthetic, "
            "['made'] as limits",
            {"study": study},
        )
        for name, frame in tables.items():
            con.register("frame", frame.astype({n: "string" for n in frame if _is_text(frame[n])}))
            con.execute(f"create table {name} as select * from frame order by random()")
            con.unregister("frame")
    return build


def graph_of(layers: dict[str, pd.DataFrame], rules: LatencyRules) -> FiberGraph:
    """Build the graph of layers."""
    return _made(layers, rules)[2]


def _made(
    layers: dict[str, pd.DataFrame], rules: LatencyRules
) -> tuple[FiberNodes, pd.DataFrame, FiberGraph]:
    nodes = join_nodes(layers["pop"], layers["facility"], layers["ixp"], None, rules)
    link = merge_links(nodes, layers["carrier_link"], rules, None).link
    return nodes, link, FiberGraph.of(nodes, link, rules)


def _exchange(
    ixp: pd.DataFrame, nodes: FiberNodes, graph: FiberGraph, node_ms: np.ndarray
) -> dict[str, np.ndarray]:
    """Exchange of the least middle round trip of each node."""
    exchange = Targets.of_exchanges(ixp, nodes.ixp_node, node_ms)
    number, _ = exchange.best
    is_known = graph.is_connected & (number >= 0)
    ms = np.full((len(number), 3), np.nan)
    ms[is_known] = exchange.ms[number[is_known], is_known]
    name = np.append(exchange.target_id.astype(object), None)
    columns = {f"rtt_ixp_ms_{end}": ms[:, at] for at, end in enumerate(ENDS)}
    return columns | {"rtt_ixp_id": name[np.where(is_known, number, -1)]}


def _metro_rtt(metro: pd.DataFrame, node_id: np.ndarray, ms: np.ndarray) -> pd.DataFrame:
    """Pairs that a path joins."""
    row, node = np.nonzero(np.isfinite(ms).all(axis=2))
    frame = pd.DataFrame({"metro_id": metro["metro_id"].to_numpy()[row], "node_id": node_id[node]})
    frame[RTT] = ms[row, node]
    return frame


def _is_text(column: pd.Series) -> bool:
    return pd.api.types.is_object_dtype(column) or pd.api.types.is_string_dtype(column)
