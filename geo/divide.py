"""Land divided into parcels: H3 cells over counties, clipped to land, or assessors' parcels as given."""

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import h3
import numpy as np
import pandas as pd
import shapely

from geo.errors import CrsError
from geo.locate import locate
from geo.polygons import Polygons
from geo.shape import area_and_perimeter, inner_points

# Two areas closer than this share are the same: sums of clipped pieces carry rounding of 1e-12.
SAME_AREA = 1e-9
PARTITION_RESOLUTION = 2
# Shorelines of 1:5,000,000 county borders stand off the real ones by up to this much.
SHORE_GAP_MI = 0.5


@dataclass(frozen=True)
class Divided:
    """Parcels, and the candidates that were left out with the share of each that is land."""

    parcels: gpd.GeoDataFrame
    left_out: pd.DataFrame


def h3_parcels(
    counties: gpd.GeoDataFrame,
    lakes: gpd.GeoDataFrame,
    *,
    resolution: int,
    min_land_share: float,
    max_lake_share: float = 1.0,
) -> Divided:
    """Cover counties with H3 cells, cut away sea and lakes, and give each cell its county.

    Parameters
    ----------
    counties
        Columns `county_id`, `state_id` and polygons in lon/lat (OGC:CRS84), already clipped to
        the shore as the Census cartographic boundary files are.
    lakes
        Polygons in lon/lat; may be empty.
    resolution
        H3 resolution: 6 is 36 km2 a cell, 7 is 5 km2.
    min_land_share
        A cell with less of its area on land, after lakes, is left out.
    max_lake_share
        A cell with more of its land under lakes is left out: what remains is shore, not a site.

    Returns
    -------
    Divided
        Parcels sorted by id with `parcel_id`, `parcel_kind`, `lon`, `lat` (a point of the land),
        `county_id` (the county with most of the cell), `state_id`, `area_acres`, `land_share`,
        `lake_share` (share of the cell's land that lies in a lake), `parcel_partition` and
        `geometry`; and the cells that were left out with their share of land after lakes.

    Raises
    ------
    CrsError
        A frame is not in lon/lat.
    """
    for frame in (counties, lakes):
        _require_lonlat(frame)
    counties = _by_id(counties, "county_id")
    pairs = _cells_by_county(counties, resolution)
    cells = pairs["cell"].drop_duplicates().sort_values(ignore_index=True)
    hexagons = _hexagons(cells)
    cell_no = pd.Series(np.arange(len(cells)), index=cells)
    pairs["cell_no"] = cell_no.loc[pairs["cell"]].to_numpy()
    land, county_no, land_share = _clip_to_counties(hexagons, pairs, counties.geometry.to_numpy())
    land, lake_share = _cut_lakes(land, lakes.geometry.to_numpy())
    land_share = land_share * (1 - lake_share)

    keep = (land_share >= max(min_land_share, SAME_AREA)) & (lake_share <= max_lake_share)
    outlines = Polygons.from_shapes(land[keep])
    lon, lat = inner_points(outlines)
    ids = cells.to_numpy()
    parcels = gpd.GeoDataFrame(
        {
            "parcel_id": ids[keep],
            "parcel_kind": "h3_cell",
            "lon": lon,
            "lat": lat,
            "county_id": counties["county_id"].to_numpy()[county_no[keep]],
            "state_id": counties["state_id"].to_numpy()[county_no[keep]],
            "area_acres": area_and_perimeter(outlines)[0],
            "land_share": land_share[keep],
            "lake_share": lake_share[keep],
            "parcel_partition": [
                h3.cell_to_parent(cell, PARTITION_RESOLUTION) for cell in ids[keep]
            ],
        },
        geometry=land[keep],
        crs="OGC:CRS84",
    )
    left_out = pd.DataFrame({"parcel_id": ids[~keep], "land_share": land_share[~keep]})
    return Divided(parcels, left_out)


def assessor_columns(parcel_id: Any, acres: Any, placed: pd.DataFrame) -> pd.DataFrame:
    """Columns of assessors' parcels, as `h3_parcels` has them, from their ids, acres and `place`."""
    acres = np.asarray(acres, dtype=float)
    return pd.DataFrame(
        {
            "parcel_id": np.asarray(parcel_id, dtype=object),
            "parcel_kind": "assessor",
            **{
                name: placed[name] for name in ("lon", "lat", "county_id", "state_id", "area_acres")
            },
            "acres": np.where(np.isnan(acres), placed["area_acres"], acres),
            "land_share": np.nan,
            "lake_share": np.nan,
            "parcel_partition": placed["parcel_partition"],
        }
    )


def place(
    polygons: Polygons,
    counties: gpd.GeoDataFrame,
    study_counties: gpd.GeoDataFrame | None = None,
) -> pd.DataFrame:
    """Find the point, county, state, area and partition of parcels.

    Parameters
    ----------
    polygons
        Valid outlines, shape (n,).
    counties
        As in `h3_parcels`: the counties of the area that is run.
    study_counties
        All counties of the study, whole; the same when the study is not narrowed.

    Returns
    -------
    DataFrame
        `lon`, `lat` (centroid, or a point inside where that falls outside), `county_id`, `state_id`
        (None in no county of the area), `area_acres`, `parcel_partition`, on a plain index. A parcel
        that lies in no county of the study either, but within `SHORE_GAP_MI` of the area, belongs to
        the nearest: county borders are drawn coarser than parcels, and cut off shores.

    Raises
    ------
    CrsError
        A frame is not in lon/lat.
    """
    _require_lonlat(counties)
    counties = _by_id(counties, "county_id")
    lon, lat = inner_points(polygons)
    number = _county_of(lon, lat, counties, counties if study_counties is None else study_counties)
    names = counties[["county_id", "state_id"]].astype(object)
    held = names.reindex(number).reset_index(drop=True)
    return pd.DataFrame(
        {
            "lon": lon,
            "lat": lat,
            "county_id": held["county_id"].where(number >= 0, None),
            "state_id": held["state_id"].where(number >= 0, None),
            "area_acres": area_and_perimeter(polygons)[0],
            "parcel_partition": [
                h3.latlng_to_cell(y, x, PARTITION_RESOLUTION) for x, y in zip(lon, lat, strict=True)
            ],
        }
    )


def _county_of(
    lon: np.ndarray, lat: np.ndarray, counties: gpd.GeoDataFrame, study_counties: gpd.GeoDataFrame
) -> np.ndarray:
    """County of each point, -1 none; a point off every drawn shore takes the nearest of the area."""
    county_no = locate(lon, lat, counties.geometry)
    lost = np.flatnonzero(county_no < 0)
    at_sea = lost[locate(lon[lost], lat[lost], study_counties.geometry) < 0]
    county_no[at_sea] = locate(lon[at_sea], lat[at_sea], counties.geometry, max_gap_mi=SHORE_GAP_MI)
    return county_no


def _by_id(frame: gpd.GeoDataFrame, column: str) -> gpd.GeoDataFrame:
    order = np.argsort(frame[column].to_numpy(dtype=object), kind="stable")
    return frame.iloc[order].reset_index(drop=True)


def _require_lonlat(frame: gpd.GeoDataFrame) -> None:
    if frame.crs is None or not frame.crs.is_geographic:
        msg = f"expected lon/lat (OGC:CRS84), got {frame.crs}"
        raise CrsError(msg)


def _cells_by_county(counties: gpd.GeoDataFrame, resolution: int) -> pd.DataFrame:
    cells: list[str] = []
    county_no: list[np.ndarray] = []
    for number, shape in enumerate(counties.geometry):
        found: set[str] = set()
        for part in shapely.get_parts(shape):
            found.update(
                h3.h3shape_to_cells_experimental(h3.geo_to_h3shape(part), resolution, "overlap")
            )
        cells.extend(sorted(found))
        county_no.append(np.full(len(found), number))
    return pd.DataFrame({"cell": cells, "county_no": np.concatenate(county_no)})


def _hexagons(cells: pd.Series) -> np.ndarray:
    rings = [h3.cell_to_boundary(cell) for cell in cells]
    sizes = np.array([len(ring) for ring in rings])
    latlon = np.array([vertex for ring in rings for vertex in ring])
    ring_no = np.repeat(np.arange(len(rings)), sizes)
    return shapely.polygons(shapely.linearrings(latlon[:, ::-1], indices=ring_no))


def _clip_to_counties(
    hexagons: np.ndarray, pairs: pd.DataFrame, counties: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Land of each hexagon, the county with most of it, and the share that is land."""
    cell_no = pairs["cell_no"].to_numpy()
    county_no = pairs["county_no"].to_numpy()
    shapely.prepare(counties)
    whole = shapely.contains_properly(counties[county_no], hexagons[cell_no])
    area = shapely.area(hexagons)
    piece = hexagons[cell_no]
    cut = ~whole
    piece[cut] = shapely.intersection(hexagons[cell_no[cut]], counties[county_no[cut]])
    piece_area = shapely.area(piece)

    # The county with most of the cell; on equal areas the lower id, since counties are sorted.
    order = np.lexsort((county_no, -piece_area, cell_no))
    first = order[np.unique(cell_no[order], return_index=True)[1]]
    land_area = np.bincount(cell_no, weights=piece_area, minlength=len(hexagons))
    land_share = np.minimum(land_area / area, 1.0)

    land = hexagons.copy()
    shore = np.flatnonzero(land_share < 1 - SAME_AREA)
    land[shore] = _union_pieces(piece, cell_no, shore)
    land_share[land_share >= 1 - SAME_AREA] = 1.0
    return land, county_no[first], land_share


def _union_pieces(piece: np.ndarray, cell_no: np.ndarray, shore: np.ndarray) -> np.ndarray:
    wanted = np.isin(cell_no, shore)
    order = np.argsort(cell_no[wanted], kind="stable")
    groups = np.split(
        piece[wanted][order],
        np.unique(cell_no[wanted][order], return_index=True)[1][1:],
    )
    return np.array([_polygonal(shapely.union_all(group)) for group in groups], dtype=object)


def _cut_lakes(land: np.ndarray, lakes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    share = np.zeros(len(land))
    if len(lakes) == 0:
        return land, share
    tree = shapely.STRtree(lakes)
    shapely.prepare(lakes)
    cell_no, lake_no = tree.query(land, predicate="intersects")
    before = shapely.area(land)
    inside = shapely.contains_properly(lakes[lake_no], land[cell_no])
    drowned = np.unique(cell_no[inside])
    share[drowned] = 1.0
    shore = np.setdiff1d(np.unique(cell_no), drowned)
    out = land.copy()
    starts = np.searchsorted(cell_no, shore)
    ends = np.searchsorted(cell_no, shore, side="right")
    for cell, start, end in zip(shore, starts, ends, strict=True):
        wet = shapely.union_all(lakes[lake_no[start:end]])
        out[cell] = _polygonal(shapely.difference(land[cell], wet))
    share[shore] = 1 - shapely.area(out[shore]) / before[shore]
    share[share < SAME_AREA] = 0.0
    return out, share


def _polygonal(shape: shapely.Geometry) -> shapely.Geometry:
    """Drop the points and lines that clipping can leave behind; empty when there is nothing else."""
    if shape.geom_type in {"Polygon", "MultiPolygon"}:
        return shape
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    if not parts:
        return shapely.Polygon()
    return parts[0] if len(parts) == 1 else shapely.multipolygons(parts)
