"""The layers of the map page that are drawn as tiles: regions, parcels, grid, fiber."""

from collections.abc import Iterator
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from data import store
from data.build import to_map
from flows import terms
from flows.map_build import Build
from geo.export.page import Archive, TileLayer
from geo.export.page.simplify import layers_by_zoom

# Last zoom of each run of zooms with outlines of its own.
REGION_ZOOMS = (2, 3, 4, 5, 7)
GRID_ZOOM = 6
# Of the grid and of fiber, kV from which on a line or substation shows: from this zoom to the next.
HIGH_KV = ((2, 4, 345.0), (5, 5, 230.0))
# A line may be drawn this far off, under half a pixel at GRID_ZOOM.
LINE_DEGREES = 0.002
PARCEL_ZOOM, MOST_PARCEL_ZOOM = 6, 12
# Steps of a tile's grid across a parcel of middle size: fewer would show as bent corners.
STEPS_A_PARCEL = 16
METRES_A_DEGREE = 111_320.0
EQUATOR_M = 40_075_017.0
STEPS_A_TILE = 4_096
SUBSTATION_COLUMNS = ("kv_max", "headroom_mw_low", "headroom_mw_mid", "headroom_mw_high")


def archives(build: Build) -> Iterator[Archive]:
    """Give the archives of tiles that have anything in them."""
    regions = [
        layer
        for level in build.levels
        for layer in layers_by_zoom(
            level, _shapes(build, "query/map_regions", {"level": level}), REGION_ZOOMS
        )
    ]
    if regions:
        yield Archive("regions", [*regions, *_lakes(build)])
    del regions
    parcels = _shapes(build, "query/map_parcel_shapes")
    if len(parcels):
        first, last = parcel_zooms(parcels)
        yield Archive("parcels", [TileLayer("parcel", parcels, first, last)])
    del parcels
    for name, layers in (
        ("grid", [*_lines(build), *_substations(build)]),
        ("fiber", _fiber(build)),
    ):
        if layers:
            yield Archive(name, layers)


def parcel_zooms(parcels: gpd.GeoDataFrame) -> tuple[int, int]:
    """First and last zoom at which parcels are cut, so that one of middle size keeps its shape.

    Parameters
    ----------
    parcels
        Polygons in OGC:CRS84, at least one.
    """
    width_deg = float(np.median(np.sqrt(shapely.area(parcels.geometry.to_numpy()))))
    step_m = max(width_deg * METRES_A_DEGREE / STEPS_A_PARCEL, 1.0)
    zoom = int(np.ceil(np.log2(EQUATOR_M / STEPS_A_TILE / step_m)))
    last = min(max(zoom, PARCEL_ZOOM), MOST_PARCEL_ZOOM)
    return max(last - 2, PARCEL_ZOOM), last


def _shapes(
    build: Build, query: str, params: dict[str, Any] | None = None, kind: str | None = None
) -> gpd.GeoDataFrame:
    """Features of a query file, those that terms withhold left out; the geometry alone where `kind` is None."""
    frame = to_map(store.query_file(build.con, query, params))
    if kind is None:
        return frame[["geometry"]]
    kept = terms.apply(frame, build.held, kind).drop(columns="source_id", errors="ignore")
    shown = kept[~kept.geometry.isna() & ~kept.geometry.is_empty]
    return shown.reset_index(drop=True)


def _lakes(build: Build) -> list[TileLayer]:
    """Lakes that touch the study: others would float about an empty map."""
    lakes = _shapes(build, "query/map_lakes", kind="lake")
    level = "state" if "state" in build.levels else next(iter(build.levels))
    land = _shapes(build, "query/map_regions", {"level": level}).geometry
    touched = lakes.sindex.query(land.to_numpy(), predicate="intersects")[1]
    lakes = lakes.iloc[np.unique(touched)].reset_index(drop=True)
    return layers_by_zoom("lake", lakes, REGION_ZOOMS) if len(lakes) else []


def _lines(build: Build) -> list[TileLayer]:
    lines = _shapes(build, "query/map_lines", kind="line")
    lines["kv_max"] = _whole(lines["kv_max"])
    lines.geometry = shapely.simplify(lines.geometry.to_numpy(), LINE_DEGREES)
    return _by_kv("line", lines)


def _substations(build: Build) -> list[TileLayer]:
    substations = _shapes(build, "query/map_substations", kind="substation")
    for name in SUBSTATION_COLUMNS:
        substations[name] = _whole(substations[name])
    return _by_kv("substation", substations)


def _by_kv(name: str, frame: gpd.GeoDataFrame) -> list[TileLayer]:
    """High voltages at small zooms, all at the last one."""
    if frame.empty:
        return []
    layers = [TileLayer(name, frame, GRID_ZOOM, GRID_ZOOM)]
    for first, last, kv in HIGH_KV:
        high = frame[(frame["kv_max"] >= kv).fillna(value=False)].reset_index(drop=True)
        if len(high):
            layers.append(TileLayer(name, high, first, last))
    return layers


def _fiber(build: Build) -> list[TileLayer]:
    found = []
    for kind, query in (
        ("fiber_link", "query/map_fiber_links"),
        ("fiber_node", "query/map_fiber_nodes"),
    ):
        if build.held.allows(kind):
            frame = _shapes(build, query, kind=kind)
            if len(frame):
                found.append(TileLayer(kind, frame, 2, GRID_ZOOM))
    return found


def _whole(values: pd.Series) -> pd.Series:
    """Whole numbers, which tiles hold in fewer bytes; unknown stays."""
    return values.astype("Float64").round().astype("Int64")
