"""Layers handed to GDAL as Arrow tables, which carry words and descriptions of columns."""

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyogrio
import shapely

from geo.export.model import ExportLayer

GEOMETRY = "geometry"


def write_layer(path: Path, layer: ExportLayer, driver: str, **options: Any) -> None:
    """Write a layer with a GDAL driver, labelled EPSG:4326, x still the longitude.

    GDAL's readers and many others know EPSG codes only.

    Parameters
    ----------
    path
        File to make, or to add the layer to where the format holds several.
    layer
        What to write. Its aliases and documentation become the alternative names and comments of fields, where the
        format has them.
    driver
        GDAL's name of the format.
    options
        Of `pyogrio.write_arrow`: `dataset_metadata`, `layer_metadata`, `layer_options`.
    """
    pyogrio.write_arrow(
        arrow_table(layer),
        path,
        layer=layer.name,
        driver=driver,
        geometry_name=GEOMETRY,
        geometry_type=layer.geometry_kind,
        crs="EPSG:4326",
        **options,
    )


def arrow_table(layer: ExportLayer) -> pa.Table:
    """Give the rows as a table, geometry last as WKB, with what GDAL knows of fields in their metadata."""
    table = pa.Table.from_pandas(
        pd.DataFrame(layer.frame.drop(columns=GEOMETRY)), preserve_index=False
    ).replace_schema_metadata(None)
    fields = []
    for field in table.schema:
        told = {"GDAL:OGR:alternative_name": layer.aliases[field.name]}
        if doc := layer.column_docs.get(field.name):
            told["GDAL:OGR:comment"] = doc
        # A column of nothing but nulls has no type in Arrow; GDAL wants one.
        kind = pa.string() if pa.types.is_null(field.type) else field.type
        fields.append(pa.field(field.name, kind, metadata=told))
    wkb = pa.array(shapely.to_wkb(layer.frame.geometry.to_numpy()), pa.binary())
    return table.cast(pa.schema(fields)).append_column(pa.field(GEOMETRY, pa.binary()), wkb)
