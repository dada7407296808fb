"""OpenStreetMap features as canonical rows, the same from an Overpass answer and from an extract.

Nodes, ways and areas (relations of type multipolygon or boundary) are features. Relations of other types
are not: a route of power lines repeats the ways that it is made of.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

# Kinds of elements, in the order of rows.
NODE, WAY, RELATION = "node", "way", "relation"
KINDS = (NODE, WAY, RELATION)
COLUMNS = ("osm_type", "osm_id", "tags", "geometry")
# OpenStreetMap keeps degrees as whole numbers of 1e-7; decimals beyond that are how a file wrote them.
DECIMALS = 7
# Tags by which a closed way is a line that comes back to where it began, not an area.
LINE_TAGS: Mapping[str, tuple[str, ...]] = {
    "power": ("line", "minor_line", "cable"),
    "communication": ("line", "cable"),
    "telecom": ("line", "cable", "path"),
    "area": ("no",),
}

Wanted = Mapping[str, bool | str | Sequence[str]]


def has_wanted(tags: Mapping[str, str], wanted: Wanted) -> bool:
    """Tell whether one of the tags is wanted: by its key (true), its value, or one of several values."""
    for key, values in wanted.items():
        if (value := tags.get(key)) is None:
            continue
        if values is True or value == values:
            return True
        if not isinstance(values, bool | str) and value in values:
            return True
    return False


def osm_table(
    kinds: Sequence[str],
    ids: Sequence[int],
    tags: Sequence[Mapping[str, str]],
    geometry: np.ndarray,
) -> pa.Table:
    """Bring features to canonical rows.

    Parameters
    ----------
    kinds
        `node`, `way` or `relation`.
    ids
        Ids, unique in a kind; of a feature given twice the first counts.
    tags
        Key -> value.
    geometry
        Points, lines and polygons in longitude and latitude, shape (n,); features without one are left
        out. A closed way may be either a ring or a polygon.

    Returns
    -------
    Table
        `osm_type`, `osm_id`, `tags` (JSON, keys in order) and `geometry` (WKB, OGC:CRS84), in the order
        of type and id. Coordinates are rounded to 1e-7 degrees, polygons valid and in normal form, so
        that one feature gives the same bytes wherever it was read.
    """
    held: dict[tuple[int, int], tuple[str, bytes]] = {}
    for kind, number, own, shape in zip(kinds, ids, tags, geometry, strict=True):
        if shape is None or shape.is_empty:
            continue
        plain = {key: str(value) for key, value in own.items()}
        if kind == RELATION:
            # What kind of relation it is, which the geometry says already.
            plain.pop("type", None)
        text = json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        key = KINDS.index(kind), int(number)
        held.setdefault(key, (text, shapely.to_wkb(_canonical(shape, plain), flavor="iso")))
    order = sorted(held)
    columns: Iterable[pa.Array] = (
        pa.array([KINDS[kind] for kind, _ in order], pa.string()),
        pa.array([number for _, number in order], pa.int64()),
        pa.array([held[key][0] for key in order], pa.string()),
        pa.array([held[key][1] for key in order], pa.binary()),
    )
    return pa.table(dict(zip(COLUMNS, columns, strict=True)))


def _canonical(shape: Any, tags: Mapping[str, str]) -> Any:
    rounded = shapely.transform(shapely.force_2d(shape), lambda xy: np.round(xy, DECIMALS))
    is_line = any(tags.get(key) in values for key, values in LINE_TAGS.items())
    if rounded.geom_type == "LineString" and _is_closed(rounded) and not is_line:
        rounded = shapely.Polygon(rounded)
    elif rounded.geom_type == "Polygon" and is_line:
        rounded = shapely.LineString(rounded.exterior.coords)
    if rounded.geom_type not in {"Polygon", "MultiPolygon"}:
        return rounded
    valid = rounded if rounded.is_valid else shapely.make_valid(rounded)
    parts = shapely.get_parts(valid)
    return shapely.normalize(parts[0] if len(parts) == 1 else valid)


def _is_closed(line: Any) -> bool:
    """Tell whether a line encloses ground; one that runs there and back does not, one that crosses itself may."""
    return line.is_closed and len(line.coords) > 3
