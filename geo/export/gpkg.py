"""GeoPackage: every layer in one file, described, indexed and styled for QGIS."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyogrio

from geo.export._files import check_layers, replacing
from geo.export.model import ExportLayer, ExportNote, in_epsg_4326
from geo.export.qgis import style_of

GEOMETRY_COLUMN = "geom"


def write(path: Path, layers: Sequence[ExportLayer], note: ExportNote) -> Path:
    """Write all layers to one GeoPackage, with spatial indexes, metadata and embedded QGIS styles.

    Rows keep their order; `fid` counts from 1. The note is the metadata of the file, the column documentation that
    of each layer. Styles are in the table `layer_styles`, as QGIS itself stores them. The same layers and note give
    the same bytes: time stamps are the day of the run.

    Parameters
    ----------
    path
        A file, conventionally `.gpkg`.
    layers
        What to write, in the order in which tools list them.
    note
        Provenance and terms.

    Returns
    -------
    Path
        `path`.
    """
    path = Path(path)
    check_layers(layers)
    titles = [layer.title for layer in layers]
    with replacing(path) as temporary, _fixed_clock(note):
        for position, layer in enumerate(layers):
            # The format wants identifiers to differ; a table's name always does.
            identifier = (
                layer.title if layer.title and titles.count(layer.title) == 1 else layer.name
            )
            _write_layer(temporary, layer, identifier, note if position == 0 else None)
        _write_styles(temporary, layers, note)
    return path


def _write_layer(path: Path, layer: ExportLayer, identifier: str, note: ExportNote | None) -> None:
    pyogrio.write_dataframe(
        in_epsg_4326(layer),
        path,
        layer=layer.name,
        driver="GPKG",
        geometry_type=layer.geometry_kind,
        use_arrow=True,
        dataset_metadata=note.items() if note else None,
        layer_metadata={f"column_{column}": text for column, text in layer.column_docs.items()}
        or None,
        layer_options={
            "IDENTIFIER": identifier,
            "DESCRIPTION": layer.description,
            "GEOMETRY_NAME": GEOMETRY_COLUMN,
            "SPATIAL_INDEX": "YES",
        },
    )


def _write_styles(path: Path, layers: Sequence[ExportLayer], note: ExportNote) -> None:
    styles = [(layer, style) for layer in layers if (style := style_of(layer))]
    if not styles:
        return
    # The columns are QGIS's own; it looks styles up by table and geometry column.
    table = pd.DataFrame(
        {
            "f_table_catalog": "",
            "f_table_schema": "",
            "f_table_name": [layer.name for layer, _ in styles],
            "f_geometry_column": GEOMETRY_COLUMN,
            "styleName": [layer.name[:30] for layer, _ in styles],
            "styleQML": [style for _, style in styles],
            "styleSLD": "",
            "useAsDefault": True,
            "description": [layer.title for layer, _ in styles],
            "owner": "",
            "ui": "",
            "update_time": pd.to_datetime([_midnight(note)] * len(styles)).as_unit("ms"),
        }
    )
    pyogrio.write_dataframe(
        table,
        path,
        layer="layer_styles",
        driver="GPKG",
        use_arrow=True,
        layer_options={"FID": "id"},
    )


@contextmanager
def _fixed_clock(note: ExportNote) -> Generator[None]:
    """Have GDAL stamp the file with the day of the run."""
    name = "OGR_CURRENT_DATE"
    before = pyogrio.get_gdal_config_option(name)
    pyogrio.set_gdal_config_options({name: _midnight(note)})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({name: before})


def _midnight(note: ExportNote) -> str:
    return f"{note.run_date:%Y-%m-%d}T00:00:00.000Z"
