"""The cells of a raster of scores: which shape holds the centre of each, window by window."""

from collections.abc import Generator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from rasterio.features import rasterize
from rasterio.transform import Affine
from rasterio.windows import Window

from geo.errors import GeoError, GeometryError

CRS = "EPSG:5070"
FINE_M, COARSE_M = 250.0, 1_000.0
# A shape is told from its neighbours where it has three cells by three.
CELLS_A_SHAPE = 9
# A straight edge in lon/lat bends in the plane: by 6 m in the middle of one of 0.2 degrees.
LONGEST_EDGE_DEG = 0.2
# Cells along the side of a window: 16 MB of numbers of shapes at a time.
SIDE = 2_048
# Past this a file of scores helps nobody: 60 times the 48 states at 1 km, four times at 250 m.
MOST_CELLS = 800_000_000


@dataclass(frozen=True)
class RasterGrid:
    """Square cells in EPSG:5070 whose edges lie at multiples of their size.

    Parameters
    ----------
    west, north
        Outer edges of the first cell, m.
    width, height
        Cells.
    resolution_m
        Side of a cell, m.
    """

    west: float
    north: float
    width: int
    height: int
    resolution_m: float

    @property
    def transform(self) -> Affine:
        """From column and row to m east and north."""
        return self.transform_at(0, 0)

    def transform_at(self, row: int, column: int) -> Affine:
        """From column and row counted from a cell to m east and north."""
        side = self.resolution_m
        west, north = self.west + column * side, self.north - row * side
        return Affine(side, 0.0, west, 0.0, -side, north)

    def windows(self) -> Generator[Window]:
        """Windows of at most `SIDE` cells a side, row by row."""
        for row in range(0, self.height, SIDE):
            for column in range(0, self.width, SIDE):
                yield Window.from_slices(
                    (row, min(row + SIDE, self.height)), (column, min(column + SIDE, self.width))
                )


def in_plane(shapes: gpd.GeoSeries) -> np.ndarray:
    """Polygons in EPSG:5070, edges as straight as they are in lon/lat.

    Parameters
    ----------
    shapes
        Polygons or None in OGC:CRS84, (n,).

    Returns
    -------
    ndarray
        (n,) polygons in m.

    Raises
    ------
    GeometryError
        If a shape is no area.
    """
    geometry = shapes.to_numpy()
    present = geometry[~shapely.is_missing(geometry)]
    if (shapely.get_dimensions(present) != 2).any():
        msg = "A raster takes areas, and there are points or lines: export counties, states or parcels."
        raise GeometryError(msg)
    bounds = shapely.bounds(geometry)
    is_wide = np.maximum(*(bounds[:, 2:] - bounds[:, :2]).T) > LONGEST_EDGE_DEG
    straight = geometry.copy()
    straight[is_wide] = shapely.segmentize(geometry[is_wide], LONGEST_EDGE_DEG)
    return gpd.GeoSeries(straight, crs=shapes.crs).to_crs(CRS).to_numpy()


def resolution_of(plane: np.ndarray) -> float:
    """Give 1 km where half of the shapes cover nine such cells or more, else 250 m.

    Generated cells are 37 km2 each, so that 250 m would only write the same score 16 times; assessors' parcels are
    smaller than any cell, and the finer raster loses fewer of them.
    """
    areas = shapely.area(plane[~shapely.is_missing(plane)])
    is_coarse = len(areas) and float(np.median(areas)) >= CELLS_A_SHAPE * COARSE_M**2
    return COARSE_M if is_coarse else FINE_M


def grid_over(plane: np.ndarray, resolution_m: float) -> RasterGrid:
    """Give the smallest grid that holds all shapes.

    Raises
    ------
    GeoError
        If there is no shape, or the grid would be too large.
    """
    present = plane[~shapely.is_missing(plane)]
    if not len(present):
        msg = "There is no area to make a raster of."
        raise GeoError(msg)
    bounds = shapely.total_bounds(present)
    west, south = np.floor(bounds[:2] / resolution_m) * resolution_m
    east, north = np.ceil(bounds[2:] / resolution_m) * resolution_m
    width, height = round((east - west) / resolution_m), round((north - south) / resolution_m)
    if width * height > MOST_CELLS:
        msg = f"A raster of {width:,} by {height:,} cells of {resolution_m:g} m is too large: ask for larger cells."
        raise GeoError(msg)
    return RasterGrid(float(west), float(north), width, height, resolution_m)


def numbered_windows(
    plane: np.ndarray, grid: RasterGrid
) -> Generator[tuple[Window, np.ndarray | None]]:
    """Tell for each cell the shape that holds its centre, one window at a time.

    Parameters
    ----------
    plane
        Polygons or None in EPSG:5070, (n,).
    grid
        The cells.

    Yields
    ------
    tuple
        The window, and (height, width) int32: position of the shape counted from 1, 0 where there is none; None
        where no shape is near. Where shapes overlap the first has the cell.
    """
    tree = shapely.STRtree(plane)
    for window in grid.windows():
        transform = grid.transform_at(window.row_off, window.col_off)
        east = transform.c + window.width * grid.resolution_m
        south = transform.f - window.height * grid.resolution_m
        near = np.sort(tree.query(shapely.box(transform.c, south, east, transform.f)))[::-1]
        if not len(near):
            yield window, None
            continue
        yield (
            window,
            rasterize(
                zip(plane[near], (near + 1).tolist(), strict=True),
                out_shape=(window.height, window.width),
                transform=transform,
                fill=0,
                dtype="int32",
            ),
        )
