"""topohub's networks: node-link JSON, one file a network."""

import json
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa

from data.readers._artefact import Artefact


def read_topohub_nodes(artefact: Artefact) -> pa.Table:
    """Read the nodes of one network: network, node_id, name, lon, lat (null where not located)."""
    nodes = _load(artefact)["nodes"]
    places = [node.get("pos") or (None, None) for node in nodes]
    return pa.table(
        {
            "collection": _repeat(_collection(artefact), len(nodes)),
            "network": _repeat(artefact.stem, len(nodes)),
            "node_id": pa.array([str(node["id"]) for node in nodes], pa.string()),
            "name": pa.array([node.get("name") for node in nodes], pa.string()),
            "lon": pa.array([lon for lon, _ in places], pa.float64()),
            "lat": pa.array([lat for _, lat in places], pa.float64()),
        }
    )


def read_topohub_edges(artefact: Artefact) -> pa.Table:
    """Read the links of one network: network, source, target (node ids), dist (km, straight)."""
    edges = _load(artefact)["edges"]
    return pa.table(
        {
            "collection": _repeat(_collection(artefact), len(edges)),
            "network": _repeat(artefact.stem, len(edges)),
            "source": pa.array([str(edge["source"]) for edge in edges], pa.string()),
            "target": pa.array([str(edge["target"]) for edge in edges], pa.string()),
            "dist": pa.array([edge.get("dist") for edge in edges], pa.float64()),
        }
    )


def _load(artefact: Artefact) -> dict[str, Any]:
    return json.loads(artefact.read_text("utf-8"))


def _collection(artefact: Artefact) -> str:
    """Name the folder below `data/` that the file lies in: caida, topozoo, ..."""
    parts = PurePosixPath(artefact.member or "").parts
    return parts[parts.index("data") + 1] if "data" in parts[:-1] else ""


def _repeat(value: str, count: int) -> pa.Array:
    return pa.array([value] * count, pa.string())
