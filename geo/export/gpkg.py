"""GeoPackage: every layer in one file, described, indexed and styled for QGIS."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyogrio

from geo.export._files import check_layers, replacing
from geo.export._gpkg_rows import add_rows
from geo.export._ogr import write_layer
from geo.export._qgis_project import project_row, project_xml
from geo.export.model import ExportLayer, ExportNote
from geo.export.qgis import metadata_of, style_of

GEOMETRY_COLUMN = "geom"
# Tools as old as QGIS 3.22 warn of each layer of a newer one.
_VERSION = "1.3"


def write(path: Path, layers: Sequence[ExportLayer], note: ExportNote) -> Path:
    """Write all layers to one GeoPackage, with spatial indexes, metadata, embedded QGIS styles and a QGIS project.

    Rows keep their order; `fid` counts from 1. The note is the metadata of the file and, for QGIS, of each layer.
    Columns have words and descriptions (extension Schema, `gpkg_data_columns`). Styles are in the table
    `layer_styles` and a project with all layers in `qgis_projects`, as QGIS itself stores them. The same layers and
    note give the same bytes: time stamps are the day of the run.

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
            write_layer(
                temporary,
                layer,
                "GPKG",
                dataset_metadata=note.items() if position == 0 else None,
                layer_metadata={
                    f"column_{column}": text for column, text in layer.column_docs.items()
                }
                or None,
                layer_options={
                    "IDENTIFIER": identifier,
                    "DESCRIPTION": layer.description,
                    "GEOMETRY_NAME": GEOMETRY_COLUMN,
                    "SPATIAL_INDEX": "YES",
                    "DATETIME_PRECISION": "MILLISECOND",
                },
                dataset_options={"VERSION": _VERSION} if position == 0 else None,
            )
        is_styled = _write_styles(temporary, layers, note)
        metadata = {layer.name: metadata_of(layer, note) for layer in layers}
        project = project_row(project_xml(path.name, layers, note), note) if is_styled else None
        add_rows(temporary, metadata, project, _midnight(note))
    return path


def _write_styles(path: Path, layers: Sequence[ExportLayer], note: ExportNote) -> bool:
    styles = [(layer, style) for layer in layers if (style := style_of(layer, note))]
    if not styles:
        return False
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
        layer_options={"FID": "id", "DATETIME_PRECISION": "MILLISECOND"},
    )
    return True


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
