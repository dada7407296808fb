"""Rows of GeoPackage's own tables that GDAL does not write: what QGIS reads as a layer's metadata, titles of columns."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

# QGIS looks a table's metadata up by this name.
_QGIS_STANDARD = "http://mrcc.com/qgis.dtd"
# The tables and their columns are those of the GeoPackage standard's extensions Metadata and Schema.
_ADD_METADATA = """
insert into gpkg_metadata (md_scope, md_standard_uri, mime_type, metadata)
values ('dataset', $standard, 'text/xml', $text)
"""
_ADD_REFERENCE = """
insert into gpkg_metadata_reference (reference_scope, table_name, timestamp, md_file_id)
values ('table', $name, $stamp, $file)
"""
# GDAL puts the words of a column into its name only.
_COPY_TITLES = "update gpkg_data_columns set title = name"
# QGIS's own definition: it adds rows without naming the columns.
_MAKE_PROJECTS = "create table qgis_projects (name text primary key, metadata blob, content blob)"
_ADD_PROJECT = "insert into qgis_projects values ($name, $metadata, $content)"


def add_rows(
    path: Path, metadata: Mapping[str, str], project: Mapping[str, str] | None, stamp: str
) -> None:
    """Add metadata of layers, titles of columns and a project to a GeoPackage that GDAL has written.

    Parameters
    ----------
    path
        The file.
    metadata
        Table name to QGIS's XML.
    project
        The row of `qgis_projects`; None for none.
    stamp
        Time of the rows, ISO 8601.
    """
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(_COPY_TITLES)
        for name, text in metadata.items():
            added = connection.execute(_ADD_METADATA, {"standard": _QGIS_STANDARD, "text": text})
            row = {"name": name, "stamp": stamp, "file": added.lastrowid}
            connection.execute(_ADD_REFERENCE, row)
        if project:
            connection.execute(_MAKE_PROJECTS)
            connection.execute(_ADD_PROJECT, dict(project))
