"""Parcel files read whole and mended by GEOS, row by row: what streaming them has to agree with."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from data.errors import InputError
from data.parcels import LONLAT, open_parcels
from data.shared_ids import SharedIds

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
