"""Shapes of the regions that are ranked."""

from collections.abc import Callable, Collection

import geopandas as gpd
import h3
import numpy as np
import pandas as pd
import shapely

from geo.errors import GeometryError

# The outline of whole cells and clipped ones meet within rounding: snapping to 0.1 mm closes seams.
SEAM_DEG = 1e-9
# Fine enough to show a metro, coarse enough that parcels strewn over all states fill it in seconds.
OUTLINE_RESOLUTION = 6


def needs_outline(parcels: pd.DataFrame) -> np.ndarray:
    """Which parcels `region_shapes` needs the outline of: generated cells that are clipped.

    Parameters
    ----------
    parcels
        `parcel_kind`, `land_share`, `lake_share`.

    Returns
    -------
    ndarray
        True or False for each row.
    """
    is_whole = (parcels["land_share"] == 1) & (parcels["lake_share"] == 0)
    return ((parcels["parcel_kind"] == "h3_cell") & ~is_whole).to_numpy(dtype=bool)


def outline_spots(parcels: pd.DataFrame) -> np.ndarray:
    """Which parcels `region_shapes` makes the same shapes of as of all: of parcels of files one in each cell.

    Parameters
    ----------
    parcels
        `parcel_kind`, `lon`, `lat` (degrees), `zone_id`, `region_metro_id`.

    Returns
    -------
    ndarray
        True or False for each row; generated cells are all needed.
    """
    is_cell = (parcels["parcel_kind"] == "h3_cell").to_numpy(dtype=bool)
    lots = parcels[~is_cell]
    points = zip(lots["lat"].tolist(), lots["lon"].tolist(), strict=True)
    cell = [h3.latlng_to_cell(*point, OUTLINE_RESOLUTION) for point in points]
    again = lots[["zone_id", "region_metro_id"]].assign(cell=cell).duplicated()
    is_spot = is_cell.copy()
    is_spot[~is_cell] = ~again.to_numpy()
    return is_spot


def region_shapes(
    counties: gpd.GeoDataFrame,
    parcels: pd.DataFrame,
    clipped: np.ndarray,
    metro: pd.DataFrame,
    zone: pd.DataFrame,
) -> gpd.GeoDataFrame:
    """One shape for every region: counties as they are, states from counties, metros and zones from parcels.

    Metros and zones are the unions of their generated cells. Of parcels of files they are an outline of
    where the parcels lie: the H3 cells of resolution 6 (about 14 square miles) that hold their points.

    Parameters
    ----------
    counties
        `county_id`, `state_id` and polygons in lon/lat, of the area that is run.
    parcels
        `parcel_id`, `parcel_kind`, `land_share`, `lake_share`, `lon`, `lat` (degrees), `zone_id` and
        `region_metro_id`; no geometry.
    clipped
        Polygons in lon/lat of the parcels that `needs_outline` names, in their order.
    metro
        `metro_id`, `lon`, `lat`: a metro without parcels keeps its centre as its shape.
    zone
        `zone_id`: a zone without parcels has an empty shape.

    Returns
    -------
    GeoDataFrame
        `region_kind`, `region_id`, `lon`, `lat` (a point inside, NaN for an empty shape) and
        `geometry`, OGC:CRS84.

    Raises
    ------
    GeometryError
        `clipped` is not one polygon for each parcel that `needs_outline` names.
    """
    borders, land = counties.geometry.to_numpy(), _Parcels(parcels, clipped)
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
    """Union of parcels: cells by their H3 outline, which is quick, clipped ones piece by piece."""

    def __init__(self, parcels: pd.DataFrame, clipped: np.ndarray) -> None:
        is_piece = needs_outline(parcels)
        if len(clipped) != (count := np.count_nonzero(is_piece)):
            msg = f"{len(clipped)} outlines for {count} clipped cells; give one for each."
            raise GeometryError(msg)
        self._clipped = clipped
        self._piece = np.where(is_piece, np.cumsum(is_piece) - 1, -1)
        self._is_cell = (parcels["parcel_kind"] == "h3_cell").to_numpy(dtype=bool)
        self._ids = parcels["parcel_id"].to_numpy()
        self._lon, self._lat = parcels["lon"].to_numpy(), parcels["lat"].to_numpy()

    def union(self, rows: np.ndarray) -> shapely.Geometry:
        """Union of the parcels in these rows."""
        is_cell, piece = self._is_cell[rows], self._piece[rows]
        parts = list(self._clipped[piece[piece >= 0]])
        if len(whole := rows[is_cell & (piece < 0)]):
            parts.append(_outline(self._ids[whole].tolist()))
        if len(lots := rows[~is_cell]):
            points = zip(self._lat[lots].tolist(), self._lon[lots].tolist(), strict=True)
            cells = {h3.latlng_to_cell(*point, OUTLINE_RESOLUTION) for point in points}
            parts.append(_outline(sorted(cells)))
        # Cells alone are united already: only three meet at a corner, so that nothing is to mend.
        return parts[0] if len(lots) == len(rows) else shapely.union_all(parts, grid_size=SEAM_DEG)


def _outline(cells: Collection[str]) -> shapely.Geometry:
    return shapely.geometry.shape(h3.cells_to_geo(cells))
