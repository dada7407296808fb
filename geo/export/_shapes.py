"""Polygons of a frame made ready to draw in Albers metres."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from matplotlib.path import Path as Outline

ALBERS_CRS = "EPSG:5070"
# A sixth of a pixel of the widest map (4,700 km over 1,500 pixels). Neighbours share their vertices, so snapping
# both to one grid keeps their border common, at a twentieth of the cost of simplifying a coverage.
_SNAP_M = 500.0


@dataclass(frozen=True)
class Shapes:
    """Drawable outlines of the rows of a frame.

    Parameters
    ----------
    rows
        Positions of the rows that have polygons.
    rings
        For each of those rows, its rings as (n, 2) metres.
    polygons
        For every row of the frame, the geometry in metres, or None.
    """

    rows: list[int]
    rings: list[list[np.ndarray]]
    polygons: np.ndarray

    def paths(self) -> list[Outline]:
        """Give one path to fill, holes included, for each of `rows`."""
        return [_path(rings) for rings in self.rings]


def project(frame: gpd.GeoDataFrame) -> Shapes:
    """Give the polygons of a frame in Albers metres, with vertices that the map can show."""
    polygons = frame.geometry.to_crs(ALBERS_CRS).to_numpy().copy()
    polygons[~np.isin(shapely.get_type_id(polygons), (3, 6)) | shapely.is_empty(polygons)] = None
    parts, row_of_part = shapely.get_parts(polygons, return_index=True)
    rings, part_of_ring = shapely.get_rings(parts, return_index=True)
    row_of_ring = row_of_part[part_of_ring]
    xy, ring_of_vertex = shapely.get_coordinates(rings, return_index=True)
    xy = np.round(xy / _SNAP_M) * _SNAP_M
    is_new = np.ones(len(xy), dtype=bool)
    is_new[1:] = (xy[1:] != xy[:-1]).any(axis=1) | (ring_of_vertex[1:] != ring_of_vertex[:-1])
    pieces = np.split(xy[is_new], np.cumsum(np.bincount(ring_of_vertex[is_new]))[:-1])
    by_row: dict[int, list[np.ndarray]] = {}
    for row, piece in zip(row_of_ring.tolist(), pieces, strict=False):
        by_row.setdefault(row, []).append(piece)
    return Shapes(list(by_row), list(by_row.values()), polygons)


def _path(rings: list[np.ndarray]) -> Outline:
    codes = np.full(sum(map(len, rings)), Outline.LINETO, dtype=Outline.code_type)
    ends = np.cumsum([len(ring) for ring in rings])
    codes[ends - 1] = Outline.CLOSEPOLY
    codes[np.concatenate([[0], ends[:-1]])] = Outline.MOVETO
    return Outline(np.concatenate(rings), codes)
