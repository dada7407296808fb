"""CSV for spreadsheets and scripts: a point for each feature, its outline as WKT on request."""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import shapely

from geo.export._files import write_each
from geo.export.model import ExportLayer, ExportNote

SUFFIX, WKT_SUFFIX = ".csv", ".wkt.csv"
METADATA_SUFFIX = "-metadata.json"
# What a spreadsheet would run as a formula. Names come from strangers' files.
_FORMULA_START = r"^([=+\-@\t\r])"
_DEFUSED = r"'\1"


def write(
    path: Path, layers: Sequence[ExportLayer], note: ExportNote, *, with_wkt: bool = False
) -> Path:
    """Write UTF-8 CSV, one file a layer, and beside it `<file>-metadata.json` (W3C CSV on the Web) with the note.

    Unknown is an empty cell, empty text is `""`. `longitude` and `latitude` of a point inside the feature are added
    where the layer lacks them. Text that a spreadsheet would run as a formula gets a leading apostrophe. The same
    layers and note give the same bytes.

    Parameters
    ----------
    path
        A `.csv` file (`.wkt.csv` with outlines) for one layer, else a folder that receives one file a layer.
    layers
        What to write.
    note
        Provenance and terms.
    with_wkt
        Add the geometry as `wkt`, seven decimals.

    Returns
    -------
    Path
        `path`.
    """
    write_layer = partial(_write_layer, note=note, with_wkt=with_wkt)
    is_file = Path(path).suffix.lower() == SUFFIX
    suffix = WKT_SUFFIX if with_wkt and not is_file else SUFFIX
    return write_each(path, layers, suffix, write_layer, METADATA_SUFFIX)


def _write_layer(path: Path, layer: ExportLayer, *, note: ExportNote, with_wkt: bool) -> None:
    table = pd.DataFrame(layer.frame.drop(columns="geometry")).assign(**_coordinates(layer))
    if with_wkt:
        table["wkt"] = shapely.to_wkt(
            layer.frame.geometry.to_numpy(), rounding_precision=7, output_dimension=2
        )
    pyarrow.csv.write_csv(_defused(pa.Table.from_pandas(table, preserve_index=False)), path)
    metadata = _metadata(path.name, layer, list(table.columns), note)
    path.with_name(path.name + METADATA_SUFFIX).write_text(metadata, encoding="utf-8")


def _defused(table: pa.Table) -> pa.Table:
    how = pc.ReplaceSubstringOptions(_FORMULA_START, _DEFUSED)
    for place, (name, column) in enumerate(zip(table.column_names, table.columns, strict=True)):
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            text = pc.call_function("replace_substring_regex", [column], how)
            table = table.set_column(place, name, text)
    return table


def _coordinates(layer: ExportLayer) -> dict[str, pd.Series]:
    names = set(layer.columns)
    if {"longitude", "latitude"} & names or {"lon", "lat"} <= names:
        return {}
    points = shapely.point_on_surface(layer.frame.geometry.to_numpy())
    return {
        "longitude": pd.Series(shapely.get_x(points)).round(7),
        "latitude": pd.Series(shapely.get_y(points)).round(7),
    }


def _metadata(name: str, layer: ExportLayer, columns: list[str], note: ExportNote) -> str:
    docs = {
        "longitude": "Longitude of a point inside the feature, degrees, OGC:CRS84.",
        "latitude": "Latitude of a point inside the feature, degrees, OGC:CRS84.",
        "wkt": "Outline as well-known text, lon lat, OGC:CRS84.",
        **layer.column_docs,
    }
    described = [
        {"name": column, "titles": column}
        | ({"dc:description": docs[column]} if column in docs else {})
        for column in columns
    ]
    document = {
        "@context": "http://www.w3.org/ns/csvw",
        "url": name,
        "dc:title": layer.title,
        "dc:description": layer.description,
        "tableSchema": {"columns": described},
        "notes": [note.items()],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"
