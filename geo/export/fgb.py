"""FlatGeobuf: one file a layer, with its packed spatial index, streamed by browsers and QGIS."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pyogrio

from geo.export._files import write_each
from geo.export.model import ExportLayer, ExportNote, in_epsg_4326


def write(path: Path, layers: Sequence[ExportLayer], note: ExportNote) -> Path:
    """Write FlatGeobuf; title, description and note are in the header.

    The index orders the features along the Hilbert curve. A layer with features that have no geometry
    cannot be indexed and keeps its order. The same layers and note give the same bytes.

    Parameters
    ----------
    path
        A `.fgb` file for one layer, else a folder that receives one file a layer.
    layers
        What to write.
    note
        Provenance and terms.

    Returns
    -------
    Path
        `path`.
    """
    return write_each(path, layers, ".fgb", partial(_write_layer, note=note))


def _write_layer(path: Path, layer: ExportLayer, *, note: ExportNote) -> None:
    frame = in_epsg_4326(layer)
    is_indexed = len(frame) > 0 and bool(frame.geometry.notna().all())
    pyogrio.write_dataframe(
        frame,
        path,
        layer=layer.name,
        driver="FlatGeobuf",
        geometry_type=layer.geometry_kind,
        use_arrow=True,
        layer_metadata=note.items(),
        layer_options={
            "TITLE": layer.title,
            "DESCRIPTION": layer.description,
            "SPATIAL_INDEX": "YES" if is_indexed else "NO",
        },
    )
