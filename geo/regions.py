"""Shapes of the regions that are ranked."""

from collections.abc import Callable

import geopandas as gpd
import h3
import numpy as np
import pandas as pd
import shapely

# The outline of whole cells and clipped ones meet within rounding: snapping to 0.1 mm closes seams.
SEAM_DEG = 1e-9


def region_shapes(
    counties: gpd.GeoDataFrame, parcels: gpd.GeoDataFrame, metro: pd.DataFrame, zone: pd.DataFrame
) -> gpd.GeoDataFrame:
    """One shape for every region: counties as they are, states from counties, metros and zones from parcels.

    Parameters
    ----------
    counties
        `county_id`, `state_id` and polygons in lon/lat, of the area that is run.
    parcels
        `parcel_id`, `parcel_kind`, `land_share`, `lake_share`, `zone_id`, `region_metro_id` and
        polygons in lon/lat.
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
    borders, land = counties.geometry.to_numpy(), _Parcels(parcels)
    parts = [
        _named("county", counties["county_id"], counties.geometry.to_numpy()),
        _dissolved("state", counties["state_id"], lambda rows: shapely.union_all(borders[rows])),
        _dissolved("metro", parcels["region_metro_id"], land.union),
        _dissolved("zone", parcels["zone_id"], land.union),
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


def _dissolved(
    kind: str, ids: pd.Series, merge: Callable[[np.ndarray], shapely.Geometry]
) -> pd.DataFrame:
    held = ids.notna().to_numpy()
    groups = pd.Series(np.flatnonzero(held)).groupby(ids[held].to_numpy())
    names, merged = [], []
    for name, rows in groups:
        names.append(name)
        merged.append(merge(rows.to_numpy()))
    return _named(kind, pd.Series(names, dtype=object), np.array(merged, dtype=object))


class _Parcels:
    """Union of parcels: whole cells by their H3 outline, which is quick, the others piece by piece."""

    def __init__(self, parcels: gpd.GeoDataFrame) -> None:
        self._shapes = parcels.geometry.to_numpy()
        self._ids = parcels["parcel_id"].to_numpy()
        is_whole = (parcels["land_share"] == 1) & (parcels["lake_share"] == 0)
        self._is_cell = ((parcels["parcel_kind"] == "h3_cell") & is_whole).to_numpy()

    def union(self, rows: np.ndarray) -> shapely.Geometry:
        """Union of the parcels in these rows."""
        cells, pieces = rows[self._is_cell[rows]], rows[~self._is_cell[rows]]
        parts = list(self._shapes[pieces])
        if len(cells):
            parts.append(shapely.geometry.shape(h3.cells_to_geo(self._ids[cells].tolist())))
        return shapely.union_all(parts, grid_size=SEAM_DEG)
