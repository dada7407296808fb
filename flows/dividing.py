"""Land divided into parcels, cells or those of files, in one file along a Hilbert curve."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from data import store
from data.errors import InputError
from data.parcels import ParcelFile, open_parcels
from data.shared_ids import SharedIds
from data.study import Divide
from flows.request import RunRequest
from flows.results import write
from geo.divide import assessor_columns, h3_parcels, place
from geo.exclusion import ExclusionIndex, excluded_share
from geo.hilbert import hilbert_key, hilbert_order
from geo.mend import Mended, mend
from geo.polygons import Polygons
from geo.shape import shape_keys
from geo.wkb import from_arrow

REJECT_COLUMNS = ("raw_table", "file", "raw_row", "reject_code", "reason")


@dataclass
class Divided:
    """What became of the rows of the files beside the parcels themselves."""

    parcels: int = 0
    notes: list[str] = field(default_factory=list)
    _left_out: list[pd.DataFrame] = field(default_factory=list)
    _rejected: list[pd.DataFrame] = field(default_factory=list)

    def leave_out(self, candidates: pd.DataFrame) -> None:
        """Note candidates, `parcel_id` and `land_share`, that are no parcels of the area."""
        self._left_out.append(candidates)

    def reject(
        self, file: str, rows: np.ndarray, ids: pa.Array, code: str, reasons: Iterable[str]
    ) -> None:
        """Note rows that cannot be parcels, each with its id and why."""
        columns = {"raw_table": "parcels", "file": file, "raw_row": rows, "reject_code": code}
        told = [f"parcel {name} {why}" for name, why in zip(ids.to_pylist(), reasons, strict=True)]
        self._rejected.append(pd.DataFrame({**columns, "reason": told}))

    @property
    def left_out(self) -> pd.DataFrame:
        """Candidates left out: `parcel_id`, and `land_share` where it is known."""
        empty = pd.DataFrame(
            {"parcel_id": pd.Series(dtype=object), "land_share": pd.Series(dtype=float)}
        )
        found = [frame for frame in self._left_out if len(frame)]
        return pd.concat(found, ignore_index=True) if found else empty

    @property
    def rejected(self) -> pd.DataFrame:
        """Rows rejected, as rows of `meta.rejected_row`."""
        found = [frame for frame in self._rejected if len(frame)]
        return (
            pd.concat(found, ignore_index=True)
            if found
            else pd.DataFrame(columns=[*REJECT_COLUMNS])
        )


def divide_cells(
    how: Divide,
    resolution: int,
    counties: gpd.GeoDataFrame,
    lakes: gpd.GeoDataFrame,
    target: Path,
) -> Divided:
    """Write generated cells to `target`, in Hilbert order of their points."""
    divided = h3_parcels(
        counties,
        lakes,
        resolution=resolution,
        min_land_share=how.min_land_share,
        max_lake_share=how.max_lake_share,
    )
    cells = divided.parcels
    done = Divided(len(cells))
    done.leave_out(divided.left_out)
    if len(cells):
        order = hilbert_order(cells["lon"].to_numpy(), cells["lat"].to_numpy())
        write(gpd.GeoDataFrame(cells.iloc[order].reset_index(drop=True)), target)
    return done


def divide_files(
    request: RunRequest,
    how: Divide,
    counties: gpd.GeoDataFrame,
    whole: gpd.GeoDataFrame,
    lakes: gpd.GeoDataFrame,
    target: Path,
) -> Divided:
    """Write the parcels of the request's files to `target`, in Hilbert order of their points.

    Each batch is decoded, mended, placed in its county and appended to a file beside `target`, which is
    sorted at the end, on disk where memory does not hold it.

    Parameters
    ----------
    request
        Files, and the columns that hold id and acres.
    how
        Which lots are left out as mostly lake, as cells are.
    counties, whole
        Counties of the area, and of the study.
    lakes
        Polygons in lon/lat; may be empty.
    target
        GeoParquet file to write; it appears whole.

    Raises
    ------
    InputError
        A file cannot be read, or none of its rows is a usable polygon.
    """
    files = [
        open_parcels(path, id_column=request.parcel_id, acres_column=request.parcel_acres)
        for path in request.parcels
    ]
    done = Divided()
    where = _Ground(counties, whole, _lakes(lakes), how.max_lake_share)
    shared = SharedIds(ids for file in files for ids in file.ids())
    unsorted = target.with_name(target.name + ".unsorted.part")
    try:
        usable = _append(files, shared, where, unsorted, done)
        if not usable:
            msg = f"{', '.join(path.name for path in request.parcels)}: no row is a usable polygon."
            raise InputError(
                msg, "See whether the file holds parcel polygons and its CRS is right."
            )
        done.notes.extend(shared.notes)
        if done.parcels:
            _sort(unsorted, target)
    finally:
        unsorted.unlink(missing_ok=True)
    return done


@dataclass(frozen=True)
class _Ground:
    """What says whether a lot is a parcel of the area."""

    counties: gpd.GeoDataFrame
    whole: gpd.GeoDataFrame
    lakes: ExclusionIndex | None
    max_lake_share: float

    def lake_share(self, polygons: Polygons) -> np.ndarray:
        """Share of each lot under lakes."""
        return (
            np.zeros(len(polygons)) if self.lakes is None else excluded_share(self.lakes, polygons)
        )


def _lakes(lakes: gpd.GeoDataFrame) -> ExclusionIndex | None:
    return None if lakes.empty else ExclusionIndex.build(lakes.geometry)


def _append(
    files: Sequence[ParcelFile], shared: SharedIds, where: _Ground, unsorted: Path, done: Divided
) -> int:
    """Write the parcels of all files as they come; returns how many rows were usable polygons."""
    usable = 0
    writer: pq.ParquetWriter | None = None
    try:
        for file in files:
            done.notes.extend(file.notes)
            repaired = 0
            for batch in file.batches():
                mended = mend(from_arrow(batch["geometry"]), file.crs)
                repaired += int(mended.is_repaired.sum())
                usable += len(mended.rows)
                table = _parcels_of(file, batch, mended, shared, where, done)
                writer = writer or pq.ParquetWriter(unsorted, table.schema, compression="zstd")
                writer.write_table(table)
                done.parcels += len(table)
            if repaired:
                done.notes.append(f"{file.path.name}: {repaired:,} invalid geometries repaired")
    finally:
        if writer is not None:
            writer.close()
    return usable


def _parcels_of(
    file: ParcelFile,
    batch: pa.RecordBatch,
    mended: Mended,
    shared: SharedIds,
    where: _Ground,
    done: Divided,
) -> pa.Table:
    """Parcels of one batch; what is none of the area's is noted."""
    name, raw_row = file.path.name, batch["raw_row"].to_numpy()
    bad, good = pa.array(mended.rejected), pa.array(mended.rows)
    names = batch["parcel_id"].take(bad)
    done.reject(name, raw_row[mended.rejected], names, "invalid", mended.reasons)
    ids, polygons = batch["parcel_id"].take(good), mended.polygons
    is_shared = shared.which(ids)
    keys = shape_keys(polygons.take(is_shared)).tolist()
    ids, is_repeat = shared.settle(ids, is_shared, keys)
    repeats, names = raw_row[mended.rows[is_repeat]], ids.filter(pa.array(is_repeat))
    done.reject(name, repeats, names, "duplicate", ["repeats an earlier row"] * len(repeats))
    acres = batch["acres"].take(good).to_numpy(zero_copy_only=False)
    keep = np.flatnonzero(~is_repeat)
    polygons, names = polygons.take(keep), ids.to_numpy(zero_copy_only=False)[keep]
    placed = place(polygons, where.counties, where.whole)
    inside = placed["county_id"].notna().to_numpy()
    lake_share = where.lake_share(polygons)
    # What remains of such a lot is shore, not a site.
    is_lake = inside & (lake_share > where.max_lake_share)
    is_out = ~inside | is_lake
    land_share = np.where(is_lake, 1 - lake_share, np.nan)
    done.leave_out(pd.DataFrame({"parcel_id": names[is_out], "land_share": land_share[is_out]}))
    frame = assessor_columns(names, acres[keep], placed)[~is_out]
    return _table(frame, polygons.take(~is_out))


def _table(frame: pd.DataFrame, polygons: Polygons) -> pa.Table:
    """Columns, outlines in well-known binary, and the key along the curve; types are always the same."""
    text = ("parcel_id", "parcel_kind", "county_id", "state_id", "parcel_partition")
    columns = {
        name: pa.array(values.to_numpy(dtype=object), pa.string())
        if name in text
        else pa.array(values.to_numpy(dtype=float), from_pandas=True)
        for name, values in frame.items()
    }
    columns["hilbert_key"] = pa.array(hilbert_key(frame["lon"].to_numpy(), frame["lat"].to_numpy()))
    columns["geometry"] = pa.array(shapely.to_wkb(as_plain(polygons.to_shapes())), pa.binary())
    return pa.table(columns)


def as_plain(shapes: np.ndarray) -> np.ndarray:
    """Multipolygons, those of one part as polygons."""
    out = shapes.copy()
    single = shapely.get_num_geometries(shapes) == 1
    out[single] = shapely.get_geometry(shapes[single], 0)
    return out


def _sort(unsorted: Path, target: Path) -> None:
    temporary = target.with_name(target.name + ".part")
    with store.create() as con:
        store.run_file(
            con,
            "divide/parcel",
            {"unsorted": str(unsorted), "target": str(temporary), "spill": str(target.parent)},
        )
    store.replace_atomically(temporary, target)
