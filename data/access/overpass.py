"""OpenStreetMap features of some tags in a box, asked of an Overpass API, as one GeoParquet file."""

import json
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from data.access._osmnx import RENAMED, as_of, ask
from data.access._request import Fetched, Request
from data.address import OverpassAccess
from data.osm import has_wanted, osm_table

if TYPE_CHECKING:
    import geopandas as gpd

CACHE = "overpass"
# GeoParquet 1.1: without a `crs` the coordinates are OGC:CRS84.
GEO = {
    "version": "1.1.0",
    "primary_column": "geometry",
    "columns": {"geometry": {"encoding": "WKB", "geometry_types": []}},
}


def fetch_overpass(access: OverpassAccess, request: Request) -> Fetched:
    """Fetch the features of a box.

    The file holds `osm_type`, `osm_id`, `tags` (JSON) and `geometry`, in the order of type and id, and
    nothing that changes while the features do not. Up to when the server knew edits comes back as
    `last_modified`.

    Raises
    ------
    PullError
        The server refuses, keeps failing, or knows no such feature.
    """
    cache = request.folder / CACHE
    cache.mkdir(parents=True, exist_ok=True)
    wanted: dict[str, Any] = dict(access.tags)
    west, south, east, north = access.bbox

    def question(osmnx: ModuleType) -> "gpd.GeoDataFrame":
        return osmnx.features.features_from_bbox((west, south, east, north), wanted)

    request.report(0, None)
    cap = min(access.max_bytes, request.max_bytes)
    rows = _rows_of(ask(access.url, cache, cap, request.retry, question), wanted)
    filename = f"{request.source_id}.parquet"
    part = request.folder / f"{filename}.part"
    _write(rows, part)
    request.report(part.stat().st_size, None)
    return Fetched(path=part, filename=filename, last_modified=as_of(cache))


def _rows_of(found: "gpd.GeoDataFrame", wanted: dict[str, Any]) -> pa.Table:
    """Take the tags, which osmnx spreads over columns, back to their features."""
    shapes = found.geometry.to_numpy()
    kinds = found.index.get_level_values("element").tolist()
    ids = found.index.get_level_values("id").tolist()
    tags: list[dict[str, str]] = [{} for _ in shapes]
    for key, values in found.drop(columns=found.geometry.name).items():
        for row in values.notna().to_numpy().nonzero()[0]:
            tags[row][str(key).removeprefix(RENAMED)] = values.iloc[row]
    assert all(has_wanted(own, wanted) for own in tags)
    return osm_table(kinds, ids, tags, shapes)


def _write(rows: pa.Table, path: Path) -> None:
    """Write GeoParquet; the same rows give the same bytes."""
    schema = rows.schema.with_metadata({"geo": json.dumps(GEO)})
    pq.write_table(rows.cast(schema), path, compression="zstd")
