"""Parcel files of the user: any vector file or GeoParquet, any CRS, good rows kept, bad rows named."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import shapely
from pyogrio.errors import DataSourceError

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
POLYGON_TYPES = (3, 6)


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
    frame, notes = _open(path)
    ids = _column(frame, path, id_column, ID_NAMES, "--parcel-id")
    acres = _column(frame, path, acres_column, ACRES_NAMES, "--parcel-acres")
    row = np.arange(1, len(frame) + 1)
    shapes = shapely.force_2d(frame.geometry.to_numpy())
    broken = ~shapely.is_valid(shapes) & ~shapely.is_missing(shapes)
    reason = np.full(len(frame), None, dtype=object)
    reason[shapely.is_missing(shapes) | shapely.is_empty(shapes)] = "has no geometry"
    wrong = ~np.isin(shapely.get_type_id(shapes), POLYGON_TYPES) & (reason == None)  # noqa: E711
    reason[wrong] = "is no polygon"
    # Bounds pass over NaN, so every coordinate is looked at.
    coordinates, owner = shapely.get_coordinates(shapes, return_index=True)
    is_finite = np.ones(len(frame), dtype=bool)
    is_finite[owner[~np.isfinite(coordinates).all(axis=1)]] = False
    reason[~is_finite & (reason == None)] = "has coordinates that are not numbers"  # noqa: E711
    usable = reason == None  # noqa: E711
    mend = broken & usable
    shapes[mend] = _polygons_of(shapely.make_valid(shapes[mend]))
    lonlat = gpd.GeoSeries(shapes, crs=frame.crs).to_crs("OGC:CRS84").to_numpy()
    bounds = shapely.bounds(lonlat)
    with np.errstate(invalid="ignore"):
        inside = (np.abs(bounds[:, [0, 2]]) <= 180).all(axis=1) & (
            np.abs(bounds[:, [1, 3]]) <= 90
        ).all(axis=1)
    reason[usable & ~inside] = "lies outside the range of longitude and latitude"
    placed = np.flatnonzero(usable & inside)
    reason[placed[~(shapely.area(lonlat[placed]) > 0)]] = "has no area"
    usable = reason == None  # noqa: E711
    if (mended := int((mend & usable).sum())) > 0:
        notes.append(f"{path.name}: {mended:,} invalid geometries repaired")
    good = gpd.GeoDataFrame(
        {
            "parcel_id": _ids(frame, ids, path, row)[usable],
            "acres": _acres(frame, acres)[usable],
            "file": path.name,
            "raw_row": row[usable],
        },
        geometry=lonlat[usable],
        crs="OGC:CRS84",
    )
    return good, _rejects(path.name, row[~usable], "invalid", reason[~usable]), notes


def _open(path: Path) -> tuple[gpd.GeoDataFrame, list[str]]:
    if not path.exists():
        msg = f"There is no parcel file {path}."
        raise InputError(msg, "Check the path given to --parcels.")
    try:
        # A coordinate that is no number is a reject of its row, not a warning.
        with np.errstate(invalid="ignore"):
            frame, notes = _read_parquet(path) if path.suffix == ".parquet" else _read_layer(path)
    except (DataSourceError, OSError, ValueError) as error:
        msg = f"{path} cannot be read as a parcel file: {str(error).splitlines()[0]}"
        raise InputError(msg, "Give GeoPackage, GeoJSON, a shapefile or GeoParquet.") from error
    if not isinstance(frame, gpd.GeoDataFrame):
        msg = f"{path} has no geometry column."
        raise InputError(
            msg, "Parcels are polygons; a table of points or attributes is not enough."
        )
    if frame.crs is None:
        msg = f"{path} states no coordinate reference system."
        raise InputError(msg, "Write it with its CRS, for example with ogr2ogr -a_srs.")
    if frame.empty:
        msg = f"{path} holds no rows."
        raise InputError(msg, "Check the layer that was exported.")
    return frame, notes


def _read_parquet(path: Path) -> tuple[pd.DataFrame, list[str]]:
    if b"geo" not in (pq.read_schema(path).metadata or {}):
        return pq.read_table(path).to_pandas(), []
    return gpd.read_parquet(path), []


def _read_layer(path: Path) -> tuple[pd.DataFrame, list[str]]:
    """Read the first layer that has a geometry, and say so when there are more."""
    layers = pyogrio.list_layers(path)
    names = [str(name) for name, kind in layers if kind is not None] or [str(layers[0][0])]
    notes = [f"{path.name}: of its {len(names)} layers, {names[0]!r} was read"]
    return pyogrio.read_dataframe(path, layer=names[0]), notes if len(names) > 1 else []


def _column(
    frame: pd.DataFrame, path: Path, named: str | None, usual: Sequence[str], option: str
) -> str | None:
    if named is not None:
        if named not in frame.columns:
            msg = f"{path} has no column {named!r}."
            columns = ", ".join(str(name) for name in frame.columns if name != "geometry")
            raise InputError(msg, f"Name one of its columns with {option}: {columns or 'none'}.")
        return named
    by_lower = {str(name).lower(): str(name) for name in frame.columns}
    return next((by_lower[name] for name in usual if name in by_lower), None)


def _ids(frame: pd.DataFrame, column: str | None, path: Path, row: np.ndarray) -> np.ndarray:
    made = np.array([f"{path.stem}-{number}" for number in row], dtype=object)
    if column is None:
        return made
    given = frame[column]
    # A column of whole numbers with a gap is read as floats, but its ids have no decimals.
    if pd.api.types.is_float_dtype(given) and (given.dropna() % 1 == 0).all():
        given = given.astype("Int64")
    given = given.astype("string").str.strip().replace("", pd.NA)
    return given.fillna(pd.Series(made, index=frame.index)).to_numpy(dtype=object)


def _acres(frame: pd.DataFrame, column: str | None) -> np.ndarray:
    if column is None:
        return np.full(len(frame), np.nan)
    text = frame[column].astype("string").str.replace(",", "", regex=False)
    acres = (
        pd.to_numeric(text, errors="coerce")
        .astype("Float64")
        .to_numpy(dtype=float, na_value=np.nan)
    )
    return np.where((acres > 0) & np.isfinite(acres), acres, np.nan)


def _polygons_of(shapes: np.ndarray) -> np.ndarray:
    """Polygonal part of repaired shapes, which may be collections with stray lines."""
    out = shapes.copy()
    for number in np.flatnonzero(shapely.get_type_id(shapes) == 7):
        parts = [
            part
            for part in shapely.get_parts(shapes[number])
            if part.geom_type in {"Polygon", "MultiPolygon"}
        ]
        out[number] = shapely.union_all(parts)
    return out


def _without_duplicates(
    frame: gpd.GeoDataFrame,
) -> tuple[gpd.GeoDataFrame, pd.DataFrame, list[str]]:
    """Drop rows that repeat id and shape; number rows that share an id but not the shape."""
    shape_key = shapely.to_wkb(shapely.normalize(frame.geometry.to_numpy()))
    repeated = frame.assign(shape_key=shape_key).duplicated(["parcel_id", "shape_key"]).to_numpy()
    twice = frame[repeated]
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
    frame = frame[~repeated].reset_index(drop=True)
    shared = frame["parcel_id"].duplicated()
    frame["parcel_id"] = _numbered(frame["parcel_id"].tolist())
    notes = []
    if len(twice):
        notes.append(f"{len(twice):,} rows repeat the id and shape of another and were left out")
    if shared.any():
        notes.append(
            f"{int(shared.sum()):,} rows share an id with another shape and were numbered (#2, #3 ...)"
        )
    return frame, rejected, notes


def _numbered(ids: list[str]) -> list[str]:
    """Ids made unique: the first of each stays, the next are #2, #3 ... where that is free."""
    given, seen, numbers = set(ids), set(), defaultdict(lambda: count(2))
    out = []
    for name in ids:
        free = (f"{name}#{number}" for number in numbers[name])
        out.append(next(n for n in free if n not in given) if name in seen else name)
        seen.add(name)
    return out


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
