"""The fiber step: one graph of all sources with its round trips, reused when its layers say the same."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data import build as builds
from data import store
from data.stage import REFERENCE_DIR
from flows import keys
from flows.home import Home
from flows.people import read_people_source
from flows.results import Log, attach, beside, is_there, layer_content, write, write_arrays
from geo.fiber.latency import FiberIndex
from geo.fiber.network import FiberNetwork
from geo.fiber.rules import ENDS, LatencyRules
from geo.fiber.trenches import BASIS
from geo.people_units import MILLI

# Layers that the graph is made of; the others say where round trips lead.
LAYERS = (
    *("pop", "carrier_link", "facility", "ixp", "right_of_way", "fiber_route"),
    *("metro", "county"),
)
RTT = tuple(f"rtt_ms_{end}" for end in ENDS)
# Tables beside that of the nodes, with their columns; every one is written even when it is empty.
TABLES = {
    "fiber_pop": ("pop_id", "node_id", "carrier_id", "carrier_name"),
    "fiber_link": (
        *(
            "link_id",
            "from_node_id",
            "to_node_id",
            "carrier_id",
            "carrier_name",
            "link_kind",
            "how",
        ),
        *("length_km", "route_km", *RTT, "pair_carrier_count", "source_id"),
    ),
    "fiber_metro_rtt": ("metro_id", "node_id", *RTT),
    "fiber_people": ("node_id", "tail_km", "people"),
    "fiber_dropped": ("what", "dropped_id", "reason"),
    "fiber_rule": ("name", "low", "mid", "high", "unit", "kind", "source"),
}
NODE_COLUMNS = (
    *("node_id", "node_name", "lon", "lat", "carrier_count", "pop_count", "facility_count"),
    *("ixp_count", "landing_count", "is_interconnection", "is_inferred", "is_connected"),
    *(f"rtt_ixp_ms_{end}" for end in ENDS),
    *("rtt_ixp_id", "disjoint_path_count", "path_basis", "unknown_reason"),
)
ACCESS_COLUMNS = ("parcel_id", "access_no", "node_id", "access_mi")
INDEX_SUFFIX = ".npz"
MID = 1


def make_fiber(layers: Path, people: Path, home: Home, log: Log) -> Path:
    """Build the graph of fiber and what round trips are asked of it, or reuse it.

    It counts by the rows of the layers that it is made from, wherever they come from. `people` is what
    `make_people` kept.

    Returns
    -------
    Path
        One row a node; beside it, with the same stem, the tables of `TABLES`, each `.parquet`, and
        `.npz`, from which `read_fiber` takes what parcels are measured against. A study without points
        of presence has no node, and no `.npz`.
    """
    with store.create() as con:
        attach(con, layers)
        content = layer_content(con, LAYERS)
        target = (
            home.work
            / f"fiber-{keys.key_of(content, people.name, keys.code_key(keys.FIBER_CODE))}.parquet"
        )
        if is_there(target, "fiber", log):
            return target
        frames: dict[str, Any] = {name: builds.layer_frame(con, name) for name in LAYERS}
    frames["people"] = _people_frame(people)
    rule = pd.read_csv(REFERENCE_DIR / "latency.csv")
    made = FiberNetwork.of(frames, LatencyRules.from_frame(rule))
    for line in _told(made):
        log(line)
    tables = {**_tables(made), "fiber_rule": rule}
    for name, columns in TABLES.items():
        write(tables[name][[*columns]], beside(target, name))
    if len(made.nodes.node):
        write_arrays(made.index.arrays(), target.with_suffix(INDEX_SUFFIX))
    # Last: the others are there whenever it is.
    write(_nodes(made)[[*NODE_COLUMNS]], target)
    return target


def read_fiber(fiber: Path) -> FiberIndex | None:
    """Read what parcels are measured against; None where a study has no fiber."""
    path = fiber.with_suffix(INDEX_SUFFIX)
    if not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    return FiberIndex.from_arrays(
        arrays, LatencyRules.from_frame(pd.read_parquet(beside(fiber, "fiber_rule")))
    )


def make_access(fiber: Path, parcels: Path, home: Home, log: Log) -> Path:
    """Find the fiber nodes that each parcel can be linked to, nearest first.

    Returns
    -------
    Path
        `parcel_id`, `access_no` from 1, `node_id`, `access_mi`; a parcel with no node in reach has no row.
    """
    key = keys.key_of(fiber.name, parcels.name, keys.code_key(keys.FIBER_CODE))
    target = home.work / f"access-{key}.parquet"
    if is_there(target, "fiber nodes near parcels", log):
        return target
    parcel = pd.read_parquet(parcels, columns=["parcel_id", "lon", "lat"])
    index = read_fiber(fiber)
    if index is None:
        found = pd.DataFrame(columns=[*ACCESS_COLUMNS])
    else:
        access = index.access(parcel["lon"].to_numpy(float), parcel["lat"].to_numpy(float))
        row, slot = np.nonzero(access.node_no >= 0)
        found = pd.DataFrame(
            {
                "parcel_id": parcel["parcel_id"].to_numpy()[row],
                "access_no": slot + 1,
                "node_id": index.node_id[access.node_no[row, slot]],
                "access_mi": access.mi[row, slot],
            }
        )
    write(found, target)
    return target


def _people_frame(people: Path) -> pd.DataFrame:
    source = read_people_source(people)
    return pd.DataFrame({"lon": source.lon, "lat": source.lat, "people": source.milli / MILLI})


def _told(made: FiberNetwork) -> list[str]:
    """Say what the graph is."""
    link, dropped = made.links
    count = len(made.nodes.node)
    laid = int((link["how"] == "right_of_way").sum())
    people = made.index.people
    return [
        f"fiber: {count:,} nodes, {int(made.graph.is_connected.sum()):,} of them with a path to an exchange",
        f"fiber: {len(link):,} links, {laid:,} along rights of way, {len(dropped):,} dropped",
        f"fiber: {people.milli[-1] / MILLI:,.0f} people served, {people.unserved_people:,.0f} too far from any node",
    ]


def _tables(made: FiberNetwork) -> dict[str, pd.DataFrame]:
    """Tables of `TABLES` but the rules."""
    return {
        "fiber_pop": _pops(made),
        "fiber_link": _links(made),
        "fiber_metro_rtt": _metro_rtts(made.index),
        "fiber_people": _people(made.index),
        "fiber_dropped": _dropped(made),
    }


def _nodes(made: FiberNetwork) -> pd.DataFrame:
    node, index = made.graph.node, made.index
    exchange_no, _ = index.exchange.best
    ms = np.full((len(node), len(ENDS)), np.nan)
    has = np.flatnonzero(made.graph.is_connected & (exchange_no >= 0))
    ms[has] = index.exchange.ms[exchange_no[has], has]
    basis = index.diversity.node_basis
    paths = pd.Series(index.diversity.node_paths, dtype="Int64")
    return node.assign(
        is_connected=made.graph.is_connected,
        **{f"rtt_ixp_ms_{end}": ms[:, at] for at, end in enumerate(ENDS)},
        rtt_ixp_id=_text(index.exchange.target_id, np.where(np.isnan(ms[:, MID]), -1, exchange_no)),
        disjoint_path_count=paths.where(made.graph.is_connected),
        path_basis=_text(np.array(BASIS), np.where(made.graph.is_connected, basis, -1)),
        unknown_reason=node["reason"].astype("string"),
    )


def _pops(made: FiberNetwork) -> pd.DataFrame:
    pop, carrier = made.nodes.pop, made.nodes.carrier
    at = pop["carrier_no"].to_numpy()
    return pop.assign(
        node_id=made.nodes.node["node_id"].to_numpy()[pop["node_no"]],
        carrier_id=carrier["carrier_id"].to_numpy()[at],
        carrier_name=carrier["carrier_name"].to_numpy()[at],
    )


def _links(made: FiberNetwork) -> pd.DataFrame:
    link, carrier = made.links.link, made.nodes.carrier
    node_id, number = made.nodes.node["node_id"].to_numpy(), link["carrier_no"].to_numpy()
    return link.assign(
        # One id may stand for the links of several carriers.
        from_node_id=node_id[link["from_node"]],
        to_node_id=node_id[link["to_node"]],
        carrier_id=_text(carrier["carrier_id"].to_numpy(), number),
        carrier_name=_text(carrier["carrier_name"].to_numpy(), number),
        source_id=link["source_id"].astype("string"),
    )


def _metro_rtts(index: FiberIndex) -> pd.DataFrame:
    metro, node = np.nonzero(np.isfinite(index.metro.ms[:, :, MID]) & index.is_connected)
    ms = index.metro.ms[metro, node]
    columns = {"metro_id": index.metro.target_id[metro], "node_id": index.node_id[node]}
    return pd.DataFrame(columns | {name: ms[:, at] for at, name in enumerate(RTT)})


def _people(index: FiberIndex) -> pd.DataFrame:
    served = index.people
    node = np.repeat(np.arange(len(index.node_id)), np.diff(served.offsets))
    return pd.DataFrame(
        {
            "node_id": index.node_id[node],
            "tail_km": served.tail_km,
            "people": np.diff(served.milli) / MILLI,
        }
    )


def _dropped(made: FiberNetwork) -> pd.DataFrame:
    pop = made.nodes.left_out.rename(columns={"pop_id": "dropped_id"}).assign(what="pop")
    link = made.links.dropped.rename(columns={"link_id": "dropped_id"}).assign(what="link")
    return pd.concat([pop, link], ignore_index=True)


def _text(values: np.ndarray, number: np.ndarray) -> pd.Series:
    """Text by number; missing where the number is -1."""
    known = pd.array(values.tolist(), dtype="string")
    return pd.Series(known.take(np.asarray(number, dtype=np.int64), allow_fill=True))
