"""Parquet and GeoParquet: columns keep the types that the file gives them."""

import json
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from data.errors import ReadError
from data.readers._artefact import Artefact
from data.readers._geometry import CRS84, GEOMETRY, to_crs84

# pandas writes its index beside the data under names such as this one.
_PANDAS_INDEX = "__index_level_"


def read_parquet(artefact: Artefact) -> pa.Table:
    """Read a plain Parquet file."""
    return _plain(_open(artefact))


def read_geoparquet(artefact: Artefact, *, crs: str | None = None) -> pa.Table:
    """Read a GeoParquet file, its primary geometry as `geometry` in OGC:CRS84."""
    table = _open(artefact)
    geo = _geo_metadata(artefact, table)
    primary = geo["primary_column"]
    column = geo["columns"].get(primary, {})
    if primary not in table.column_names or column.get("encoding") != "WKB":
        message = f"{artefact.label}: column {primary!r} does not hold WKB geometry."
        raise ReadError(message, "Write it again with geometry_encoding='WKB'.")
    # GeoParquet: no `crs` key means OGC:CRS84, an explicit null means that nobody knows.
    stated = column.get("crs", CRS84)
    system = crs or stated
    if system is None:
        message = f"{artefact.label} states no CRS."
        raise ReadError(message, "Set the reader option 'crs' in the catalogue entry.")
    wkb = to_crs84(table.column(primary), system, artefact.label)
    plain = _plain(table.drop_columns([primary]))
    return pa.table({name: plain.column(name) for name in plain.column_names} | {GEOMETRY: wkb})


def _open(artefact: Artefact) -> pa.Table:
    return parquet.read_table(pa.BufferReader(artefact.read_bytes()))


def _geo_metadata(artefact: Artefact, table: pa.Table) -> dict[str, Any]:
    text = (table.schema.metadata or {}).get(b"geo")
    if text is None:
        message = f"{artefact.label} is no GeoParquet: it has no 'geo' metadata."
        raise ReadError(message, "Use the reader 'parquet' for a table without geometry.")
    return json.loads(text)


def _plain(table: pa.Table) -> pa.Table:
    kept = [name for name in table.column_names if not name.startswith(_PANDAS_INDEX)]
    return table.select(kept).replace_schema_metadata(None)
