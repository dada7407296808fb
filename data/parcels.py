"""Parcel files of the user: any vector file or GeoParquet, any CRS, good rows kept, bad rows named."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from data.errors import InputError

ID_NAMES = (
    "parcel_id",
    "parcelid",
    "apn",
    "parcel_apn",
    "pin",
    "parno",
    "parcel_no",
    "parcelnumb",
    "parcel_num",
    "ll_uuid",
    "map_par_id",
    "ml",
    "gis_pin",
    "objectid",
    "gid",
    "id",
)
ACRES_NAMES = ("acres", "gis_acres", "gisacres", "ll_gisacre", "acreage", "calc_acres", "deedacres")
PARQUET = (".parquet", ".geoparquet")
# What GeoParquet means when it states no CRS.
LONLAT = "OGC:CRS84"
BATCH_ROWS = 65_536
UNREADABLE = (DataSourceError, DataLayerError, pa.ArrowException, OSError, ValueError)


@dataclass(frozen=True)
class ParcelFile:
    """A parcel file that has been looked into and can be read in batches.

    Attributes
    ----------
    crs
        Of the coordinates, as WKT, PROJJSON or authority:code; x before y whatever it says.
    notes
        What the user should know, such as which of several layers is read.
    id_column, acres_column
        As in the file; None when it has none.
    layer
        Layer of a file that GDAL reads; None for GeoParquet.
    geometry_column, encoding
        Of GeoParquet, as its metadata say.
    """

    path: Path
    crs: str
    notes: list[str]
    id_column: str | None
    acres_column: str | None
    layer: str | None
    geometry_column: str
    encoding: str

    def batches(self, rows: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
        """Read the file once, in its order.

        Yields
        ------
        RecordBatch
            `parcel_id` (string, never null: rows without one are named after file and row), `acres`
            (double, null unknown), `raw_row` (int64, from 1) and `geometry` (well-known binary).

        Raises
        ------
        InputError
            The file breaks off, or a column holds what is no id.
        """
        first = 1
        for batch in self._read(rows, geometry=True):
            yield pa.record_batch(
                {
                    "parcel_id": self._ids(batch, first),
                    "acres": self._acres(batch),
                    "raw_row": pa.array(np.arange(first, first + len(batch))),
                    "geometry": batch["geometry"],
                }
            )
            first += len(batch)

    def ids(self, rows: int = BATCH_ROWS) -> Iterator[pa.Array]:
        """Read the ids alone, as in `batches`."""
        first = 1
        for batch in self._read(rows, geometry=False):
            ids = self._ids(batch, first)
            first += len(ids)
            yield ids

    def _read(self, rows: int, *, geometry: bool) -> Iterator[pa.RecordBatch]:
        read = self._read_layer if self.layer is not None else self._read_parquet
        try:
            yield from read(rows, geometry=geometry)
        except UNREADABLE as error:
            raise _unreadable(self.path, error) from error

    def _read_parquet(self, rows: int, *, geometry: bool) -> Iterator[pa.RecordBatch]:
        wanted = self._columns if geometry else self._columns[:1]
        # Without any column of its own a batch has no length.
        names = [*wanted, *([self.geometry_column] if geometry or not wanted else [])]
        with pq.ParquetFile(self.path, pre_buffer=False) as file:
            for batch in file.iter_batches(rows, columns=names):
                found = {name: batch[name] for name in wanted}
                if geometry or not wanted:
                    found["geometry"] = _as_wkb(batch[self.geometry_column], self.encoding)
                yield pa.record_batch(found)

    def _read_layer(self, rows: int, *, geometry: bool) -> Iterator[pa.RecordBatch]:
        wanted = self._columns if geometry else self._columns[:1]
        with pyogrio.open_arrow(
            self.path,
            layer=self.layer,
            columns=wanted,
            read_geometry=geometry or not wanted,
            batch_size=rows,
            use_pyarrow=True,
        ) as (meta, reader):
            shape = meta["geometry_name"] or "wkb_geometry"
            for batch in reader:
                found = {name: batch[name] for name in wanted}
                if geometry or not wanted:
                    column = batch[shape]
                    is_plain = not isinstance(column, pa.ExtensionArray)
                    found["geometry"] = column if is_plain else column.storage
                yield pa.record_batch(found)

    @property
    def _columns(self) -> list[str]:
        """The id column, where there is one, and that of the acres."""
        names = [name for name in (self.id_column, self.acres_column) if name is not None]
        return list(dict.fromkeys(names))

    def _ids(self, batch: pa.RecordBatch, first: int) -> pa.Array:
        if self.id_column is None:
            return self._made_ids(batch, first)
        column = batch[self.id_column]
        try:
            text = _call("utf8_trim_whitespace", _as_text(column))
        except pa.ArrowException as error:
            msg = f"{self.path}: column {self.id_column!r} holds {column.type}, which is no id."
            raise InputError(msg, "Name a column of text or numbers with --parcel-id.") from error
        is_given = _call("coalesce", _call("not_equal", text, pa.scalar("")), pa.scalar(False))
        if is_given.true_count == len(text):
            return text
        return _call("if_else", is_given, text, self._made_ids(batch, first))

    def _made_ids(self, batch: pa.RecordBatch, first: int) -> pa.Array:
        numbers = pa.array(np.arange(first, first + len(batch))).cast(pa.string())
        return _call("binary_join_element_wise", pa.scalar(self.path.stem), numbers, pa.scalar("-"))

    def _acres(self, batch: pa.RecordBatch) -> pa.Array:
        if self.acres_column is None:
            return pa.nulls(len(batch), pa.float64())
        column = batch[self.acres_column]
        kind = column.type
        if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            acres = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        else:
            text = column.to_pandas().astype("string").str.replace(",", "", regex=False)
            numbers = pd.to_numeric(text, errors="coerce").astype("Float64")
            acres = numbers.to_numpy(dtype=float, na_value=np.nan)
        with np.errstate(invalid="ignore"):
            return pa.array(acres, mask=~((acres > 0) & np.isfinite(acres)))


def open_parcels(
    path: Path, *, id_column: str | None = None, acres_column: str | None = None
) -> ParcelFile:
    """Look into a parcel file, so that it can be read in batches however large it is.

    Parameters
    ----------
    path
        A file that GDAL or GeoParquet reads; of several layers the first with shapes is taken.
    id_column, acres_column
        Columns that hold the id and the acres; looked for by common names when not given.

    Raises
    ------
    InputError
        The file is missing, unreadable, without geometry, CRS or rows, or lacks a named column.
    """
    if not path.exists():
        msg = f"There is no parcel file {path}."
        raise InputError(msg, "Check the path given to --parcels.")
    try:
        look = _look_at_parquet if path.suffix.lower() in PARQUET else _look_at_layer
        found = look(path)
    except UNREADABLE as error:
        raise _unreadable(path, error) from error
    if found.geometry_column is None:
        msg = f"{path} has no geometry column."
        raise InputError(
            msg, "Parcels are polygons; a table of points or attributes is not enough."
        )
    if found.crs is None:
        msg = f"{path} states no coordinate reference system."
        raise InputError(msg, "Write it with its CRS, for example with ogr2ogr -a_srs.")
    if found.is_empty:
        msg = f"{path} holds no rows."
        raise InputError(msg, "Check the layer that was exported.")
    return ParcelFile(
        path,
        found.crs,
        found.notes,
        _column(found.columns, path, id_column, ID_NAMES, "--parcel-id"),
        _column(found.columns, path, acres_column, ACRES_NAMES, "--parcel-acres"),
        found.layer,
        found.geometry_column,
        found.encoding,
    )


@dataclass
class _Found:
    """What a file turned out to hold."""

    columns: list[str]
    crs: str | None
    is_empty: bool
    geometry_column: str | None
    encoding: str = "WKB"
    layer: str | None = None
    notes: list[str] = field(default_factory=list)


def _look_at_parquet(path: Path) -> _Found:
    with pq.ParquetFile(path, pre_buffer=False) as file:
        schema, is_empty = file.schema_arrow, file.metadata.num_rows == 0
    told = json.loads((schema.metadata or {}).get(b"geo", b"{}"))
    primary = told.get("primary_column")
    if primary not in schema.names:
        return _Found(schema.names, None, is_empty, None)
    column = told["columns"][primary]
    crs = column.get("crs", LONLAT)
    return _Found(
        [name for name in schema.names if name != primary],
        json.dumps(crs) if isinstance(crs, dict) else crs,
        is_empty,
        primary,
        column["encoding"],
    )


def _look_at_layer(path: Path) -> _Found:
    """Look at the first layer that has a geometry, and say so when there are more."""
    layers = pyogrio.list_layers(path)
    names = [str(name) for name, kind in layers if kind is not None] or [str(layers[0][0])]
    info = pyogrio.read_info(path, layer=names[0])
    rows = info["features"]
    if rows < 0:
        _, table = pyogrio.read_arrow(path, layer=names[0], columns=[], max_features=1)
        rows = len(table)
    notes = [f"{path.name}: of its {len(names)} layers, {names[0]!r} was read"]
    return _Found(
        [str(name) for name in info["fields"]],
        info["crs"],
        rows == 0,
        None if info["geometry_type"] is None else info["geometry_name"],
        layer=names[0],
        notes=notes if len(names) > 1 else [],
    )


def _unreadable(path: Path, error: Exception) -> InputError:
    said = (str(error) or type(error).__name__).splitlines()[0]
    msg = f"{path} cannot be read as a parcel file: {said}"
    return InputError(msg, "Give GeoPackage, GeoJSON, a shapefile or GeoParquet.")


def _column(
    columns: Sequence[str], path: Path, named: str | None, usual: Sequence[str], option: str
) -> str | None:
    if named is not None:
        if named not in columns:
            msg = f"{path} has no column {named!r}."
            hint = f"Name one of its columns with {option}: {', '.join(columns) or 'none'}."
            raise InputError(msg, hint)
        return named
    by_lower = {name.lower(): name for name in columns}
    return next((by_lower[name] for name in usual if name in by_lower), None)


def _as_text(column: pa.Array) -> pa.Array:
    """Values as text; whole numbers that are held as floats have no decimals."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if not pa.types.is_floating(column.type):
        return column.cast(pa.string())
    numbers = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    with np.errstate(invalid="ignore"):
        is_whole = (np.floor(numbers) == numbers) & (np.abs(numbers) < 2.0**63)
    whole = pa.array(np.where(is_whole, numbers, 0.0).astype(np.int64)).cast(pa.string())
    text = _call("if_else", pa.array(is_whole), whole, column.cast(pa.string()))
    return _call("if_else", pa.array(np.isnan(numbers)), pa.scalar(None, pa.string()), text)


def _call(function: str, *values: Any) -> Any:
    """Call one of Arrow's functions, which type checkers do not see."""
    return pc.call_function(function, list(values))


def _as_wkb(column: pa.Array, encoding: str) -> pa.Array:
    """Geometries as well-known binary; GeoParquet 1.1 may hold them in Arrow's own layouts."""
    if encoding == "WKB":
        return column
    metadata = {"ARROW:extension:name": f"geoarrow.{encoding}"}
    name = pa.field("geometry", column.type, metadata=metadata)
    table = pa.Table.from_arrays([column], schema=pa.schema([name]))
    shapes = gpd.GeoDataFrame.from_arrow(table).geometry.to_numpy()
    return pa.array(shapely.to_wkb(shapes), pa.binary())
