"""Vector files that GDAL opens: shapefile, GeoPackage, GeoJSON, FlatGeobuf, TopoJSON."""

import json

import pyarrow as pa
import pyogrio
from pyogrio.raw import read_arrow

from data.errors import ReadError
from data.readers._artefact import Artefact
from data.readers._geometry import GEOMETRY, to_crs84


def read_geo(
    artefact: Artefact,
    *,
    layer: str | None = None,
    crs: str | None = None,
    encoding: str | None = None,
    override_crs: bool = False,
) -> pa.Table:
    """Read one layer with its attributes and its geometry in OGC:CRS84.

    A file that states no CRS needs the option `crs`; `override_crs` makes the option win over what
    the file states, for files known to state it wrongly or not at all in substance.
    """
    with artefact.on_disk() as path:
        layers = [str(name) for name, _ in pyogrio.list_layers(path)]
        if layer is not None and layer not in layers:
            message = f"{artefact.label} has no layer {layer!r}."
            raise ReadError(message, f"It has: {', '.join(layers)}.")
        if layer is None and len(layers) > 1:
            message = f"{artefact.label} has {len(layers)} layers and the entry names none."
            raise ReadError(
                message, f"Set the reader option 'layer' to one of {', '.join(layers)}."
            )
        meta, table = read_arrow(path, layer=layer, encoding=encoding)
    stated = meta["crs"]
    system = crs if override_crs or stated is None else stated
    if system is None:
        message = f"{artefact.label} states no CRS."
        raise ReadError(message, "Set the reader option 'crs' in the catalogue entry.")
    name = meta["geometry_name"] or "wkb_geometry"
    if name not in table.column_names:
        message = f"{artefact.label} has no geometry column."
        raise ReadError(message, "Use the reader 'csv' or 'parquet' for plain tables.")
    wkb = to_crs84(table.column(name), system, artefact.label)
    columns = {
        column: _plain(table.column(column)) for column in table.column_names if column != name
    }
    return pa.table(columns | {GEOMETRY: wkb})


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    """Turn nested values into JSON text, so that every engine reads the column."""
    if isinstance(column.type, pa.BaseExtensionType):
        return column.cast(column.type.storage_type)
    if pa.types.is_nested(column.type):
        values = (
            None if value is None else json.dumps(value, ensure_ascii=False)
            for value in column.to_pylist()
        )
        return pa.array(values, pa.string())
    return column
