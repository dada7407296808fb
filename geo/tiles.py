"""Sets of the tiles by which polygons are united (`geo.exclusion`), and which parcels meet one of them."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
import shapely

from geo import _vertices
from geo.exclusion import ExclusionIndex

# Tiles more on each side than a box reaches: rounding of borders is far less than one.
MARGIN = 1


@dataclass(frozen=True, eq=False)
class TileSet:
    """Some tiles of the plane of EPSG:6933.

    Attributes
    ----------
    tile_m
        Side of a tile, metres.
    first_row, first_column
        Where `is_in` begins.
    is_in
        Whether a tile is one of them, shape (rows, columns).
    """

    tile_m: float
    first_row: int
    first_column: int
    is_in: np.ndarray

    def __len__(self) -> int:
        """Count the tiles."""
        return int(self.is_in.sum())

    @classmethod
    def of_shapes(cls, shapes: np.ndarray, tile_m: float) -> Self:
        """Take the tiles that the boxes of polygons meet, part by part.

        Parameters
        ----------
        shapes
            Shapely polygons in lon/lat, valid or not; missing and empty ones meet none.
        tile_m
            Side of a tile, metres.
        """
        parts = shapely.get_parts(shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))])
        bounds = shapely.bounds(parts).reshape(-1, 4)
        first, last = _tiles(bounds, tile_m)
        if not len(first):
            return cls(tile_m, 0, 0, np.zeros((0, 0), dtype=bool))
        least, most = first.min(axis=0), last.max(axis=0)
        is_in = np.zeros(tuple((most - least + 1)[::-1]), dtype=bool)
        for (west, south), (east, north) in zip(first - least, last - least, strict=True):
            is_in[south : north + 1, west : east + 1] = True
        return cls(tile_m, int(least[1]), int(least[0]), is_in)

    @classmethod
    def of_tiles(cls, tiles: np.ndarray, tile_m: float) -> Self:
        """Take tiles by column and row, shape (n, 2), `tile_m` metres wide."""
        if not len(tiles):
            return cls(tile_m, 0, 0, np.zeros((0, 0), dtype=bool))
        least, most = tiles.min(axis=0), tiles.max(axis=0)
        is_in = np.zeros(tuple((most - least + 1)[::-1]), dtype=bool)
        is_in[tiles[:, 1] - least[1], tiles[:, 0] - least[0]] = True
        return cls(tile_m, int(least[1]), int(least[0]), is_in)

    def meet(self, bounds: np.ndarray) -> np.ndarray:
        """Whether boxes meet one of the tiles, or the tile beside one.

        Parameters
        ----------
        bounds
            West, south, east, north in degrees, shape (n, 4).

        Returns
        -------
        bool, shape (n,).
        """
        first, last = _tiles(bounds, self.tile_m)
        rows, columns = self.is_in.shape
        # Tiles of the set south and west of each corner.
        below = np.zeros((rows + 1, columns + 1), dtype=np.int64)
        below[1:, 1:] = self.is_in.cumsum(axis=0).cumsum(axis=1)
        west = np.clip(first[:, 0] - self.first_column, 0, columns)
        east = np.clip(last[:, 0] + 1 - self.first_column, 0, columns)
        south = np.clip(first[:, 1] - self.first_row, 0, rows)
        north = np.clip(last[:, 1] + 1 - self.first_row, 0, rows)
        return (
            below[north, east] - below[south, east] - below[north, west] + below[south, west]
        ) > 0


def differing_tiles(old: ExclusionIndex | None, new: ExclusionIndex | None) -> pd.DataFrame:
    """Find the tiles whose pieces differ, in any bit or in their order, between two indexes.

    Parameters
    ----------
    old, new
        Indexes whose tiles are equally large; where one is missing, none is told.

    Returns
    -------
    DataFrame
        `column` and `row`, each tile once.
    """
    if old is None or new is None or old is new:
        return pd.DataFrame({"column": [], "row": []}, dtype=np.int64)
    places = _places(old).merge(_places(new), how="outer", on=["column", "row"])
    both = places.dropna().astype(np.int64)
    is_same = [
        _content(old, a) == _content(new, b)
        for a, b in zip(both["tile_x"], both["tile_y"], strict=True)
    ]
    places = places.drop(index=both.index[np.array(is_same, dtype=bool)])
    return places[["column", "row"]]


def _tiles(bounds: np.ndarray, tile_m: float) -> tuple[np.ndarray, np.ndarray]:
    """First and last column and row of tiles around boxes in degrees, shapes (n, 2)."""
    corners = np.empty((2 * len(bounds), 2))
    lonlat = np.ascontiguousarray(bounds, dtype=np.float64).reshape(-1, 2)
    _vertices.to_plane(lonlat, corners)
    tile = np.floor(corners / tile_m).astype(np.int64).reshape(-1, 2, 2)
    return tile[:, 0] - MARGIN, tile[:, 1] + MARGIN


def _places(index: ExclusionIndex) -> pd.DataFrame:
    """Tell number, column and row of each tile of an index."""
    row = int(index.grid[0]) + np.repeat(
        np.arange(len(index.row_start) - 1), np.diff(index.row_start)
    )
    return pd.DataFrame({"tile": np.arange(len(row)), "column": index.tile_column, "row": row})


def _content(index: ExclusionIndex, tile: int) -> tuple[bytes, ...]:
    """All that a tile holds: offsets of its pieces and rings, their vertices and boxes."""
    first, last = index.tile_start[tile], index.tile_start[tile + 1]
    rings = index.piece_start[first : last + 1]
    vertices = index.ring_start[rings[0] : rings[-1] + 1]
    return (
        (rings - rings[0]).tobytes(),
        (vertices - vertices[0]).tobytes(),
        index.xy[vertices[0] : vertices[-1]].tobytes(),
        index.box[first:last].tobytes(),
    )
