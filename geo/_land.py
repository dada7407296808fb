"""Metrics of the land itself: acres, lakes, parks and what can be developed."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.layers import Layers
from geo.sample import cell_share


def measure_land(parcels: gpd.GeoDataFrame, layers: Layers) -> pd.DataFrame:
    """Acres, and the shares of the land under lakes, in parks and developable."""
    out = pd.DataFrame(index=parcels.index)
    out["area_acres"] = parcels["area_acres"]
    out["lake_share"] = parcels["lake_share"]
    out["park_share"] = _overlap_share(parcels, layers.park)
    out["developable_share"] = _developable(parcels, layers.developable)
    cells = parcels["parcel_kind"] == "h3_cell"
    assessed = parcels["acres"] if "acres" in parcels else parcels["area_acres"]
    out["acres"] = assessed.where(~cells, parcels["area_acres"] * out["developable_share"])
    return out


def _overlap_share(parcels: gpd.GeoDataFrame, polygons: gpd.GeoDataFrame) -> pd.Series:
    """Share of each parcel under a layer whose polygons are first merged; NaN without a layer."""
    share = pd.Series(np.nan, index=parcels.index)
    if polygons.empty:
        return share
    merged = shapely.get_parts(shapely.union_all(shapely.make_valid(polygons.geometry.to_numpy())))
    merged = merged[shapely.get_dimensions(merged) == 2]
    shapes = parcels.geometry.to_numpy()
    tree = shapely.STRtree(merged)
    parcel_no, polygon_no = tree.query(shapes, predicate="intersects")
    wet = shapely.area(shapely.intersection(shapes[parcel_no], merged[polygon_no]))
    covered = np.bincount(parcel_no, wet, minlength=len(shapes))
    share[:] = np.minimum(covered / shapely.area(shapes), 1.0)
    return share


def _developable(parcels: gpd.GeoDataFrame, grid: pd.DataFrame) -> pd.Series:
    share = pd.Series(np.nan, index=parcels.index)
    if grid.empty:
        return share
    lon, lat = _sample_points(parcels)
    covered = parcels["state_id"].isin(set(grid["state_id"])).to_numpy()
    share[:] = cell_share(
        lon,
        lat,
        grid["lon"].to_numpy(),
        grid["lat"].to_numpy(),
        grid["developable_share"].to_numpy(),
        grid["cell_km"].to_numpy() / np.sqrt(2),
        np.broadcast_to(covered[:, None], lon.shape),
    )
    return share


def _sample_points(parcels: gpd.GeoDataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Seven points a cell: its own and six halfway to the corners of its box; one for a parcel."""
    lon, lat = parcels["lon"].to_numpy(), parcels["lat"].to_numpy()
    is_cell = (parcels["parcel_kind"] == "h3_cell").to_numpy()
    bounds = shapely.bounds(parcels.geometry.to_numpy())
    half_lon = np.where(is_cell, (bounds[:, 2] - bounds[:, 0]) / 2, 0.0)
    half_lat = np.where(is_cell, (bounds[:, 3] - bounds[:, 1]) / 2, 0.0)
    # Centres of the seven hexagons that make up one: at 2/3 of the inradius, 60 degrees apart.
    angle = np.arange(6) * np.pi / 3
    step_lon = np.concatenate([[0.0], np.cos(angle)]) * 2 / 3
    step_lat = np.concatenate([[0.0], np.sin(angle)]) * 2 / 3
    return (
        lon[:, None] + half_lon[:, None] * step_lon[None, :],
        lat[:, None] + half_lat[:, None] * step_lat[None, :],
    )
