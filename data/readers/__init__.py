"""Readers: each turns one artefact into a table of its raw rows."""

import inspect
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from data.catalogue import Source, Table
from data.errors import CatalogueError, GridsteadError, ReadError
from data.readers._artefact import Artefact, artefacts_of
from data.readers.case import read_case_points, read_matpower, read_pypsa
from data.readers.columnar import read_geoparquet, read_parquet
from data.readers.delimited import read_csv
from data.readers.gshhs import read_gshhs_lakes
from data.readers.osm import read_osm
from data.readers.raster import read_raster
from data.readers.records import read_geonames_cities, read_json_records
from data.readers.topohub import read_topohub_edges, read_topohub_nodes
from data.readers.vector import read_geo
from data.readers.workbook import read_xlsx

__all__ = ["READERS", "read_table"]

READERS: dict[str, Callable[..., pa.Table]] = {
    "case_points": read_case_points,
    "csv": read_csv,
    "geo": read_geo,
    "geonames_cities": read_geonames_cities,
    "geoparquet": read_geoparquet,
    "gshhs_lakes": read_gshhs_lakes,
    "json_records": read_json_records,
    "matpower": read_matpower,
    "osm": read_osm,
    "parquet": read_parquet,
    "pypsa": read_pypsa,
    "raster": read_raster,
    "topohub_edges": read_topohub_edges,
    "topohub_nodes": read_topohub_nodes,
    "xlsx": read_xlsx,
}


def read_table(table: Table, path: Path, source: Source) -> pa.Table:
    """Read the raw rows of one table.

    Every column of the file keeps its own name. Two are added: `raw_row`, the number of the data row
    in its file or member, from 1; and `member`, where the catalogue entry names several. Geometry, if
    any, is the column `geometry`: two-dimensional WKB in longitude and latitude (OGC:CRS84).

    Raises
    ------
    ReadError
        The file cannot be read, lacks a required column, or has too few or too many rows.
    CatalogueError
        The entry gives its reader an option that the reader does not have.
    """
    reader = READERS[table.reader]
    artefacts = artefacts_of(path, table.members)
    _check_options(reader, table, source)
    parts = [_read_part(reader, artefact, table, source) for artefact in artefacts]
    if _has_several(table):
        parts = [
            part.append_column("member", pa.array([artefact.member] * len(part), pa.string()))
            for part, artefact in zip(parts, artefacts, strict=True)
        ]
    rows = pa.concat_tables(parts, promote_options="permissive").combine_chunks()
    _check_rows(rows.num_rows, table, path, source)
    return rows


def _read_part(
    reader: Callable[..., pa.Table], artefact: Artefact, table: Table, source: Source
) -> pa.Table:
    try:
        part = reader(artefact, **table.options)
    except GridsteadError:
        raise
    except Exception as error:
        message = f"{artefact.label} cannot be read as {table.reader}: {_first_line(error)}"
        hint = f"Pull source {source.id!r} again, or check its catalogue entry."
        raise ReadError(message, hint) from error
    missing = [column for column in table.required if column not in part.column_names]
    if missing:
        message = f"{artefact.label} has no column {', '.join(map(repr, missing))}."
        hint = f"It has: {', '.join(part.column_names)}. The publisher may have renamed it."
        raise ReadError(message, hint)
    if "raw_row" not in part.column_names:
        part = part.append_column("raw_row", pa.array(range(1, len(part) + 1), pa.int64()))
    return part


def _check_options(reader: Callable[..., pa.Table], table: Table, source: Source) -> None:
    known = [
        name
        for name, parameter in inspect.signature(reader).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    ]
    for name in table.options:
        if name not in known:
            message = f"Source {source.id!r}: reader {table.reader!r} has no option {name!r}."
            raise CatalogueError(message, f"Its options: {', '.join(known) or 'none'}.")


def _check_rows(count: int, table: Table, path: Path, source: Source) -> None:
    if table.rows is None:
        return
    slack = int(table.rows * table.rows_tolerance)
    if abs(count - table.rows) > slack:
        expected = f"{table.rows:,}" + (f" ± {slack:,}" if slack else "")
        where = f"{path.name}/{table.member}" if isinstance(table.member, str) else path.name
        message = f"{where} has {count:,} rows where source {source.id!r} expects {expected}."
        raise ReadError(message, "Look at what changed upstream before changing the expectation.")


def _has_several(table: Table) -> bool:
    return isinstance(table.member, list) or any(c in m for m in table.members for c in "*?[")


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return (text[0] if text else type(error).__name__).rstrip(".") + "."
