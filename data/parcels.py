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
from data.shared_ids import SharedIds

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
POLYGON_TYPES = (3, 6)
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
        with pq.ParquetFile(self.path) as file:
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
        As in `read_parcels`.

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


@dataclass(frozen=True)
class ReadParcels:
    """Parcels that can be measured, rows that cannot, and what was mended on the way."""

    frame: gpd.GeoDataFrame
    rejected: pd.DataFrame
    notes: list[str]


def read_parcels(
    paths: Sequence[Path], *, id_column: str | None = None, acres_column: str | None = None
) -> ReadParcels:
    """Read parcel files into one frame in lon/lat.

    Parameters
    ----------
    paths
        Files that pyogrio or GeoParquet reads.
    id_column, acres_column
        Columns that hold the id and the acres; looked for by common names when not given. A file
        without an id column gets ids of its name and row number. Acres of zero are unknown.

    Returns
    -------
    ReadParcels
        `parcel_id`, `acres` (NaN unknown) and valid 2-D polygons in OGC:CRS84; the rejected rows
        with file, row and reason; notes on what was repaired.

    Raises
    ------
    InputError
        A file is missing, unreadable, without geometry, CRS or rows, or lacks a named column.
    """
    kept: list[gpd.GeoDataFrame] = []
    rejected: list[pd.DataFrame] = []
    notes: list[str] = []
    for path in paths:
        good, bad, said = _read_one(path, id_column, acres_column)
        kept.append(good)
        rejected.append(bad)
        notes.extend(said)
    frame, twice, said = _without_duplicates(gpd.GeoDataFrame(pd.concat(kept, ignore_index=True)))
    if frame.empty:
        msg = f"{', '.join(path.name for path in paths)}: no row is a usable polygon."
        raise InputError(msg, "See whether the file holds parcel polygons and its CRS is right.")
    return ReadParcels(
        frame[["parcel_id", "acres", "geometry"]],
        pd.concat([*rejected, twice], ignore_index=True),
        notes + said,
    )


def _read_one(
    path: Path, id_column: str | None, acres_column: str | None
) -> tuple[gpd.GeoDataFrame, pd.DataFrame, list[str]]:
    source = open_parcels(path, id_column=id_column, acres_column=acres_column)
    table = pa.Table.from_batches(source.batches())
    # A coordinate that is no number is a reject of its row, not a warning.
    with np.errstate(invalid="ignore"):
        shapes = shapely.force_2d(shapely.from_wkb(table["geometry"].to_numpy(), on_invalid="fix"))
    row = table["raw_row"].to_numpy()
    broken = ~shapely.is_valid(shapes) & ~shapely.is_missing(shapes)
    reason = np.full(len(shapes), None, dtype=object)
    reason[shapely.is_missing(shapes) | shapely.is_empty(shapes)] = "has no geometry"
    wrong = ~np.isin(shapely.get_type_id(shapes), POLYGON_TYPES) & (reason == None)  # noqa: E711
    reason[wrong] = "is no polygon"
    # Bounds pass over NaN, so every coordinate is looked at.
    coordinates, owner = shapely.get_coordinates(shapes, return_index=True)
    is_finite = np.ones(len(shapes), dtype=bool)
    is_finite[owner[~np.isfinite(coordinates).all(axis=1)]] = False
    reason[~is_finite & (reason == None)] = "has coordinates that are not numbers"  # noqa: E711
    usable = reason == None  # noqa: E711
    mend = broken & usable
    shapes[mend] = _polygons_of(
        shapely.make_valid(shapes[mend], method="structure", keep_collapsed=False)
    )
    lonlat = gpd.GeoSeries(shapes, crs=source.crs).to_crs(LONLAT).to_numpy()
    bounds = shapely.bounds(lonlat)
    with np.errstate(invalid="ignore"):
        inside = (np.abs(bounds[:, [0, 2]]) <= 180).all(axis=1) & (
            np.abs(bounds[:, [1, 3]]) <= 90
        ).all(axis=1)
    outside = usable & ~inside & ~shapely.is_empty(shapes)
    reason[outside] = "lies outside the range of longitude and latitude"
    placed = np.flatnonzero(usable & ~outside)
    reason[placed[~(shapely.area(lonlat[placed]) > 0)]] = "has no area"
    usable = reason == None  # noqa: E711
    notes = list(source.notes)
    if (mended := int((mend & usable).sum())) > 0:
        notes.append(f"{path.name}: {mended:,} invalid geometries repaired")
    good = gpd.GeoDataFrame(
        {
            "parcel_id": table["parcel_id"].to_numpy()[usable],
            "acres": table["acres"].to_numpy()[usable],
            "file": path.name,
            "raw_row": row[usable],
        },
        geometry=lonlat[usable],
        crs=LONLAT,
    )
    return good, _rejects(path.name, row[~usable], "invalid", reason[~usable]), notes


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
    with pq.ParquetFile(path) as file:
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


def _polygons_of(shapes: np.ndarray) -> np.ndarray:
    """Polygonal part of repaired shapes, which may be collections with stray lines."""
    out = shapes.copy()
    for number in np.flatnonzero(~np.isin(shapely.get_type_id(shapes), POLYGON_TYPES)):
        parts = shapely.get_parts(shapes[number])
        out[number] = shapely.union_all(parts[np.isin(shapely.get_type_id(parts), POLYGON_TYPES)])
    return out


def _without_duplicates(
    frame: gpd.GeoDataFrame,
) -> tuple[gpd.GeoDataFrame, pd.DataFrame, list[str]]:
    """Drop rows that repeat id and shape; number rows that share an id but not the shape."""
    ids = pa.array(frame["parcel_id"], pa.string())
    shared = SharedIds([ids])
    is_shared = shared.which(ids)
    keys = shapely.to_wkb(shapely.normalize(frame.geometry.to_numpy()[is_shared]))
    ids, is_repeat = shared.settle(ids, is_shared, keys)
    twice = frame[is_repeat]
    rejected = pd.concat(
        [
            _rejects(
                str(file),
                rows["raw_row"].to_numpy(),
                "duplicate",
                np.full(len(rows), "repeats an earlier row"),
            )
            for file, rows in twice.groupby("file", sort=True)
        ]
        or [_rejects("", np.zeros(0), "duplicate", np.zeros(0))],
        ignore_index=True,
    )
    frame["parcel_id"] = ids.to_numpy(zero_copy_only=False)
    return frame[~is_repeat].reset_index(drop=True), rejected, shared.notes


def _rejects(file: str, row: np.ndarray, code: str, reason: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "raw_table": "parcels",
            "file": file,
            "raw_row": np.asarray(row, dtype=np.int64),
            "reject_code": code,
            "reason": np.asarray(reason, dtype=object),
        }
    )
