"""GeoJSON by RFC 7946: lon/lat, seven decimals (1 cm), outer rings counter-clockwise."""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pyogrio

from geo.export._files import write_each
from geo.export.model import ExportLayer, ExportNote, in_epsg_4326


def write(path: Path, layers: Sequence[ExportLayer], note: ExportNote) -> Path:
    """Write one FeatureCollection a layer; title, description and note are members of the collection.

    Unknown is null. The same layers and note give the same bytes.

    Parameters
    ----------
    path
        A `.geojson` file for one layer, else a folder that receives one file a layer.
    layers
        What to write.
    note
        Provenance and terms.

    Returns
    -------
    Path
        `path`.
    """
    return write_each(path, layers, ".geojson", partial(_write_layer, note=note))


def _write_layer(path: Path, layer: ExportLayer, *, note: ExportNote) -> None:
    members = {"title": layer.title, "description": layer.description, **note.items()}
    pyogrio.write_dataframe(
        in_epsg_4326(layer),
        path,
        layer=layer.name,
        driver="GeoJSON",
        geometry_type=layer.geometry_kind,
        use_arrow=True,
        layer_options={
            "RFC7946": "YES",
            "COORDINATE_PRECISION": "7",
            # A name such as "[x]" is a name, not an array.
            "AUTODETECT_JSON_STRINGS": "NO",
            # RFC 7946 section 6.1 allows foreign members; the driver takes them in this way.
            "NATIVE_DATA": json.dumps({"type": "FeatureCollection", "gridstead": members}),
            "NATIVE_MEDIA_TYPE": "application/vnd.geo+json",
        },
    )
