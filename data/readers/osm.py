"""OpenStreetMap features: what an Overpass API answered, or an extract (.osm.pbf, .osm) of a whole state."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyogrio
import shapely
from pyogrio.raw import read_arrow

from data.errors import CatalogueError, ReadError
from data.osm import NODE, RELATION, WAY, Wanted, has_wanted, osm_table
from data.readers._artefact import Artefact
from data.readers._geometry import CRS84, GEOMETRY, to_crs84
from data.readers.columnar import read_geoparquet

CONFIG = Path(__file__).parents[1] / "osmconf.ini"
LAYERS = ("points", "lines", "multipolygons")
SUFFIXES = (".pbf", ".osm")


def read_osm(
    artefact: Artefact,
    *,
    tags: dict[str, Any],
    columns: list[str] | None = None,
) -> pa.Table:
    """Read the features that have one of some tags.

    Parameters
    ----------
    artefact
        GeoParquet as the access `overpass` writes it, or an extract that GDAL's OSM driver reads.
    tags
        Key -> value, list of values, or true for any.
    columns
        Keys of tags that become columns of their own, missing where a feature has none such.

    Returns
    -------
    Table
        `osm_type`, `osm_id`, `tags` (JSON), the columns, `lon` and `lat` (a point on the feature: of an
        area one inside it), `geometry` in OGC:CRS84; in the order of type and id.

    Raises
    ------
    ReadError
        The file is neither, or GDAL lacks its OSM driver.
    """
    if not isinstance(tags, dict) or not tags:
        message = f"{artefact.label}: the reader option 'tags' names no tag."
        raise CatalogueError(message, "Write key: [values] as the access `overpass` has them.")
    name = (artefact.member or artefact.path.name).lower().removesuffix(".gz")
    if name.endswith(".parquet"):
        rows = _of_answer(artefact, tags)
    elif name.endswith(SUFFIXES):
        rows = _of_extract(artefact, tags)
    else:
        message = f"{artefact.label} is no OpenStreetMap data by its name."
        raise ReadError(message, "Give .osm.pbf, .osm, or the .parquet of an overpass source.")
    return _with_columns(rows, columns or [])


def _of_answer(artefact: Artefact, wanted: Wanted) -> pa.Table:
    rows = read_geoparquet(artefact)
    keep = [has_wanted(json.loads(text), wanted) for text in rows.column("tags").to_pylist()]
    return rows.filter(pa.array(keep, pa.bool_()))


def _of_extract(artefact: Artefact, wanted: Wanted) -> pa.Table:
    if "OSM" not in pyogrio.list_drivers():
        message = f"{artefact.label} cannot be read: GDAL was built without its OSM driver."
        raise ReadError(message, "Install the wheel of pyogrio, which has it.")
    found: list[tuple[str, int, dict[str, str], Any]] = []
    with artefact.on_disk() as path:
        for layer in LAYERS:
            found.extend(_features(path, layer, wanted, artefact.label))
    kinds, ids, tags, shapes = zip(*found, strict=True) if found else ((), (), (), ())
    return osm_table(kinds, ids, tags, np.array(shapes, dtype=object))


def _features(
    path: Path, layer: str, wanted: Wanted, label: str
) -> Iterator[tuple[str, int, dict[str, str], Any]]:
    """Read a layer; GDAL leaves out what lacks the keys, so that a state does not fill the memory."""
    where = " OR ".join(f"all_tags LIKE '%\"{key}\":%'" for key in wanted)
    meta, table = read_arrow(
        path, layer=layer, where=where, CONFIG_FILE=str(CONFIG), TAGS_FORMAT="JSON"
    )
    wkb = to_crs84(table.column(meta["geometry_name"] or "wkb_geometry"), CRS84, label)
    shapes = shapely.from_wkb(np.asarray(wkb.to_pylist(), dtype=object))
    rows = table.drop_columns([meta["geometry_name"] or "wkb_geometry"]).to_pylist()
    for row, shape in zip(rows, shapes, strict=True):
        tags = json.loads(row["all_tags"])
        if has_wanted(tags, wanted):
            kind, number = _id_of(layer, row)
            yield kind, number, tags, shape


def _id_of(layer: str, row: dict[str, Any]) -> tuple[str, int]:
    """Say which element a row is: areas are relations, or ways that are tagged as areas."""
    if layer == "points":
        return NODE, int(row["osm_id"])
    if layer == "lines":
        return WAY, int(row["osm_id"])
    if row["osm_id"] is None:
        return WAY, int(row["osm_way_id"])
    return RELATION, int(row["osm_id"])


def _with_columns(rows: pa.Table, keys: list[str]) -> pa.Table:
    own = [json.loads(text) for text in rows.column("tags").to_pylist()]
    shapes = shapely.from_wkb(np.asarray(rows.column(GEOMETRY).to_pylist(), dtype=object))
    points = shapely.point_on_surface(shapes)
    more = {key: pa.array([tags.get(key) for tags in own], pa.string()) for key in keys}
    place = {"lon": pa.array(shapely.get_x(points)), "lat": pa.array(shapely.get_y(points))}
    plain = {name: rows.column(name) for name in ("osm_type", "osm_id", "tags")}
    return pa.table(plain | more | place | {GEOMETRY: rows.column(GEOMETRY)})
