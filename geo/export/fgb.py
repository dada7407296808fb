"""FlatGeobuf: one file a layer, with its packed spatial index, streamed by browsers and QGIS."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from geo.export._files import write_each
from geo.export._ogr import write_layer
from geo.export.model import ExportLayer, ExportNote


def write(path: Path, layers: Sequence[ExportLayer], note: ExportNote) -> Path:
    """Write FlatGeobuf; title, description, note, and the words of columns are in the header.

    The index orders the features along the Hilbert curve. A layer with features that have no geometry
    cannot be indexed and keeps its order; GDAL 3.12 reads such a file feature by feature, but its Arrow interface
    falls over it. The same layers and note give the same bytes.

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
    frame = layer.frame
    is_indexed = len(frame) > 0 and bool(frame.geometry.notna().all())
    write_layer(
        path,
        layer,
        "FlatGeobuf",
        layer_metadata=note.items(),
        layer_options={
            "TITLE": layer.title,
            "DESCRIPTION": layer.description,
            "SPATIAL_INDEX": "YES" if is_indexed else "NO",
        },
    )
