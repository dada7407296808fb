"""Shapes of the regions that are ranked."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely


def region_shapes(
    counties: gpd.GeoDataFrame, parcels: gpd.GeoDataFrame, metro: pd.DataFrame, zone: pd.DataFrame
) -> gpd.GeoDataFrame:
    """One shape for every region: counties as they are, states from counties, metros and zones from parcels.

    Parameters
    ----------
    counties
        `county_id`, `state_id` and polygons in lon/lat, of the area that is run.
    parcels
        `zone_id`, `region_metro_id` and polygons in lon/lat.
    metro
        `metro_id`, `lon`, `lat`: a metro without parcels keeps its centre as its shape.
    zone
        `zone_id`: a zone without parcels has an empty shape.

    Returns
    -------
    GeoDataFrame
        `region_kind`, `region_id`, `lon`, `lat` (a point inside, NaN for an empty shape) and
        `geometry`, OGC:CRS84.
    """
    parts = [
        _named("county", counties["county_id"], counties.geometry.to_numpy()),
        _dissolved("state", counties["state_id"], counties.geometry.to_numpy()),
        _dissolved("metro", parcels["region_metro_id"], parcels.geometry.to_numpy()),
        _dissolved("zone", parcels["zone_id"], parcels.geometry.to_numpy()),
    ]
    found = pd.concat(parts, ignore_index=True)
    lone = metro[~metro["metro_id"].isin(found.loc[found["region_kind"] == "metro", "region_id"])]
    idle = zone[~zone["zone_id"].isin(found.loc[found["region_kind"] == "zone", "region_id"])]
    found = pd.concat(
        [
            found,
            _named("metro", lone["metro_id"], shapely.points(lone["lon"], lone["lat"])),
            _named("zone", idle["zone_id"], np.full(len(idle), shapely.from_wkt("POLYGON EMPTY"))),
        ],
        ignore_index=True,
    )
    inside = shapely.point_on_surface(found["geometry"].to_numpy())
    inside[shapely.is_empty(inside)] = None
    found["lon"], found["lat"] = shapely.get_x(inside), shapely.get_y(inside)
    return gpd.GeoDataFrame(found, geometry="geometry", crs="OGC:CRS84")


def _named(kind: str, ids: pd.Series, shapes: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"region_kind": kind, "region_id": ids.to_numpy(), "geometry": shapes})


def _dissolved(kind: str, ids: pd.Series, shapes: np.ndarray) -> pd.DataFrame:
    held = ids.notna().to_numpy()
    groups = pd.Series(np.flatnonzero(held)).groupby(ids[held].to_numpy())
    names, merged = [], []
    for name, rows in groups:
        names.append(name)
        merged.append(_union(shapes[rows.to_numpy()]))
    return _named(kind, pd.Series(names, dtype=object), np.array(merged, dtype=object))


def _union(shapes: np.ndarray) -> shapely.Geometry:
    """Union of pieces that share edges; assessors' parcels that overlap take the slower way."""
    if shapely.coverage_is_valid(shapes):
        return shapely.coverage_union_all(shapes)
    return shapely.union_all(shapes)
