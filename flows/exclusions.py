"""The exclusions of a study: gathered, buffered, united, and kept until one of them changes."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import shapely

from data import build as builds
from data import store
from data.catalogue import Catalogue, Source
from data.errors import InputError, StudyError
from data.network_case import catalogue_of
from data.pull import Pulled
from data.readers.raster import OpenRaster, open_raster
from data.study import Exclusion, Study
from flows import keys
from flows.home import Home
from flows.results import Log, attach, is_there, write_arrays
from geo.buffer import buffer_m
from geo.classify import Condition, raster_polygons
from geo.exclusion import ExclusionIndex

Bounds = tuple[float, float, float, float]

# A degree of latitude is at least this long.
METRES_PER_DEGREE = 110_500.0
POLYGON = 2
# Files tell their box in 15 digits, which may cut a parcel by less than this (0.1 mm).
ROUNDING_DEG = 1e-9


def make_exclusions(
    study: Study, layers: Path, parcels: Path, pulled: Mapping[str, Pulled], home: Home, log: Log
) -> Path | None:
    """Unite the exclusions of a study, or reuse them when nothing they come from has changed.

    Layers count by the shapes that exclude, rasters by their bytes and the box of the parcels, within
    which alone they are looked at.

    Returns
    -------
    Path or None
        Arrays of an `ExclusionIndex`; None when the study has no exclusions.

    Raises
    ------
    StudyError
        A layer has no shapes, or none of any width, or lacks a column.
    InputError
        A raster does not reach all parcels: what it excludes there is unknown.
    """
    if not study.exclusions:
        return None
    catalogue, _ = catalogue_of(study)
    has_raster = any(item.raster is not None for item in study.exclusions)
    within = bounds_of(parcels) if has_raster else None
    with store.create() as con:
        attach(con, layers)
        shapes = {
            number: layer_shapes(con, item)
            for number, item in enumerate(study.exclusions)
            if item.layer is not None
        }
    told = [
        _told(item, shapes.get(number), catalogue, pulled)
        for number, item in enumerate(study.exclusions)
    ]
    key = keys.key_of(told, within, keys.code_key(keys.EXCLUDE_CODE))
    target = home.work / f"exclusion-{key}.npz"
    if is_there(target, "exclusions", log):
        return target
    found = []
    for number, item in enumerate(study.exclusions):
        if item.raster is not None and within is not None:
            source = catalogue.source(item.raster)
            one = raster_shapes(item, source, pulled[item.raster].path, within)
        else:
            one = shapes[number]
            if within is not None:
                reach = shapely.box(*_wider(within, item.buffer_m))
                one = one[shapely.intersects(shapely.envelope(one), reach)]
        log(f"excluded {item}: {len(one):,} shapes")
        found.append(buffer_m(one, item.buffer_m) if item.buffer_m else one)
    index = ExclusionIndex.build(np.concatenate(found), within=within)
    log(f"exclusions united into {len(index):,} pieces")
    write_arrays(index.to_arrays(), target)
    return target


def load_exclusions(path: Path | None) -> ExclusionIndex | None:
    """Read what `make_exclusions` kept."""
    if path is None:
        return None
    with np.load(path, allow_pickle=False) as arrays:
        return ExclusionIndex.from_arrays({name: arrays[name] for name in arrays.files})


def layer_shapes(con: Any, item: Exclusion) -> np.ndarray:
    """Shapes of a canonical layer that exclude, as they lie in lon/lat, shape (n,).

    Raises
    ------
    StudyError
        The layer has no shapes or lacks a column of `where`; points and lines have no buffer.
    """
    frame = builds.layer_frame(con, str(item.layer))
    for column, wanted in item.where.items():
        if column not in frame:
            msg = f"An exclusion asks for column {column!r}, which layer {item.layer!r} has not."
            raise StudyError(msg, f"Its columns: {', '.join(map(str, frame.columns))}.")
        values = [wanted] if isinstance(wanted, str) else wanted
        frame = frame[frame[column].astype("string").isin(values).to_numpy()]
    shapes = _shapes_of(frame)
    if shapes is None:
        msg = f"An exclusion names layer {item.layer!r}, which has no shapes and no coordinates."
        raise StudyError(msg, "Name a layer of polygons, lines or points.")
    shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    if not item.buffer_m and (shapely.get_dimensions(shapes) < POLYGON).any():
        msg = f"An exclusion names layer {item.layer!r}, whose points or lines cover no ground."
        raise StudyError(msg, "Give it a buffer_m.")
    return shapes


def raster_shapes(item: Exclusion, source: Source, path: Path, within: Bounds) -> np.ndarray:
    """Cells of a raster that exclude and can reach a box, as polygons in lon/lat, shape (n,).

    Raises
    ------
    InputError
        The raster does not reach the whole box.
    """
    if item.condition is None:
        return np.empty(0, dtype=object)
    told = item.condition.model_dump()
    classes = told.pop("classes")
    condition = Condition(**told, classes=None if classes is None else tuple(classes))
    with open_raster(source, path) as raster:
        _require_reach(raster, source, within)
        return raster_polygons(
            raster.dataset,
            condition,
            bounds_lonlat=_wider(within, item.buffer_m),
            crs=raster.crs,
        )


def bounds_of(parcels: Path) -> Bounds:
    """West, south, east and north of a GeoParquet file, as it says itself, and a hair more."""
    meta = json.loads((pq.read_schema(parcels).metadata or {})[b"geo"])
    west, south, east, north = meta["columns"][meta["primary_column"]]["bbox"]
    return west - ROUNDING_DEG, south - ROUNDING_DEG, east + ROUNDING_DEG, north + ROUNDING_DEG


def _shapes_of(frame: pd.DataFrame | gpd.GeoDataFrame) -> np.ndarray | None:
    if isinstance(frame, gpd.GeoDataFrame):
        return frame.geometry.to_numpy()
    if {"lon", "lat"} <= set(frame.columns):
        placed = frame[frame["lon"].notna() & frame["lat"].notna()]
        return shapely.points(placed["lon"].to_numpy(float), placed["lat"].to_numpy(float))
    return None


def _told(
    item: Exclusion, shapes: np.ndarray | None, catalogue: Catalogue, pulled: Mapping[str, Pulled]
) -> list[Any]:
    """Gather what of an exclusion decides what it excludes; neither its name nor its why does."""
    if item.raster is None or shapes is not None:
        digest = hashlib.sha256()
        for wkb in shapely.to_wkb(shapes, include_srid=False):
            digest.update(wkb)
        return ["layer", digest.hexdigest(), item.buffer_m]
    tables = catalogue.source(item.raster).model_dump()["tables"]
    condition = item.condition.model_dump() if item.condition else None
    return ["raster", pulled[item.raster].sha256, tables, condition, item.buffer_m]


def _require_reach(raster: OpenRaster, source: Source, within: Bounds) -> None:
    west, south, east, north = raster.bounds_lonlat()
    if west > within[0] or south > within[1] or east < within[2] or north < within[3]:
        msg = (
            f"The raster of source {source.id!r} does not reach all parcels: it ends at "
            f"{west:.3f}, {south:.3f}, {east:.3f}, {north:.3f}, they at "
            f"{', '.join(f'{value:.3f}' for value in within)}."
        )
        raise InputError(msg, "Narrow --area, or take it out of the study's exclusions.")


def _wider(bounds: Bounds, metres: float) -> Bounds:
    """Box with a margin, so that all whose buffer can reach the box is in it."""
    west, south, east, north = bounds
    up = 1.01 * metres / METRES_PER_DEGREE
    side = up / max(np.cos(np.radians(min(max(abs(south), abs(north)) + up, 89.0))), 0.01)
    return (
        max(west - side, -180.0),
        max(south - up, -90.0),
        min(east + side, 180.0),
        min(north + up, 90.0),
    )
