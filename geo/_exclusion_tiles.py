"""How exclusion polygons become disjoint pieces: mended, cut into tiles, united tile by tile, cut small."""

from collections.abc import Callable
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely

from geo import _vertices
from geo._threads import in_threads
from geo.errors import GeometryError
from geo.geodesy import lonlat_geometries

# A vertex this close to a cut lies on it: rounding of the cut is 4e-9 m.
ON_CUT_M = 1e-6
# Where rounding defeats a union, coordinates are rounded to this.
COARSE_M = 1e-5
# Cuts within a tile are multiples of this, which doubles hold exactly.
CUT_STEP_M = 2.0**-10
# Shapes handed to a thread at once.
BLOCK = 512
_POLYGONAL = (3, 6, 7)

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Pieces:
    """Polygons (n,), each within one tile: its column and row, int64 (n,)."""

    shape: np.ndarray
    column: np.ndarray
    row: np.ndarray

    def take(self, rows: np.ndarray) -> "Pieces":
        """Return some of them."""
        return Pieces(self.shape[rows], self.column[rows], self.row[rows])

    @classmethod
    def joined(cls, parts: "list[Pieces]") -> "Pieces":
        """Return all of several."""
        none = np.array([], dtype=np.int64)
        return cls(
            np.concatenate([none.astype(object), *(part.shape for part in parts)]),
            np.concatenate([none, *(part.column for part in parts)]),
            np.concatenate([none, *(part.row for part in parts)]),
        )


def plane_polygons(shapes: gpd.GeoSeries | np.ndarray, workers: int) -> np.ndarray:
    """Single valid polygons in the plane of EPSG:6933 that cover the same ground, shape (m,).

    Raises
    ------
    GeometryError
        For points and lines, which cover nothing.
    """
    shapes = lonlat_geometries(shapes)
    shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    flat = ~np.isin(shapely.get_type_id(shapes), _POLYGONAL)
    if flat.any():
        first = int(np.argmax(flat))
        msg = (
            f"An exclusion is a {shapes[first].geom_type}, which covers nothing; give it a buffer."
        )
        raise GeometryError(msg)
    shapes = shapely.transform(shapes, _to_plane)
    valid = _mapped(shapely.is_valid, workers, shapes, dtype=bool)
    shapes[~valid] = shapely.make_valid(shapes[~valid], method="structure", keep_collapsed=False)
    return _polygons(shapes)[0]


def united(
    polygons: np.ndarray, tile_m: float, workers: int, progress: Progress | None = None
) -> Pieces:
    """Cut polygons along the lines of tiles, and unite what lies in the same tile."""
    pieces = _cut_to_tiles(polygons, tile_m, workers)
    order = np.lexsort((pieces.column, pieces.row))
    pieces = pieces.take(order)
    is_first = np.ones(len(order), dtype=bool)
    is_first[1:] = (np.diff(pieces.column) != 0) | (np.diff(pieces.row) != 0)
    tile = np.cumsum(is_first) - 1
    alone = np.bincount(tile)[tile] == 1
    crowd, crowd_tile = pieces.shape[~alone], tile[~alone]
    _, crowd_no = np.unique(crowd_tile, return_inverse=True)
    crowds = np.array([], dtype=object)
    if len(crowd):
        crowds = _unite(shapely.multipolygons(crowd, indices=crowd_no), workers, progress)
    tiles = np.unique(crowd_tile)
    parts, owner = _polygons(crowds)
    shape = np.concatenate([pieces.shape[alone], parts])
    at = np.flatnonzero(is_first)[np.concatenate([tile[alone], tiles[owner]])]
    return Pieces(shape, pieces.column[at], pieces.row[at])


def cut_small(pieces: Pieces, most_vertices: int, workers: int) -> Pieces:
    """Halve pieces until none has more vertices, but for those too small to be halved."""
    done: list[Pieces] = []
    while len(pieces.shape):
        bounds = shapely.bounds(pieces.shape)
        size = bounds[:, 2:] - bounds[:, :2]
        wide = size[:, 0] >= size[:, 1]
        low = np.where(wide, bounds[:, 0], bounds[:, 1])
        at = np.rint((low + size.max(axis=1) / 2.0) / CUT_STEP_M) * CUT_STEP_M
        large = shapely.get_num_coordinates(pieces.shape) > most_vertices
        large &= size.max(axis=1) > 1.0
        done.append(pieces.take(~large))
        pieces = pieces.take(large)
        shape, source, _ = _halve(pieces.shape, wide[large], at[large], workers)
        pieces = Pieces(shape, pieces.column[source], pieces.row[source])
    return Pieces.joined(done)


def union(crowds: np.ndarray) -> np.ndarray:
    """Union of the polygons of each multipolygon, which may overlap and share borders."""
    try:
        return shapely.union_all(crowds[:, None], axis=1)
    except shapely.GEOSException:
        return shapely.union_all(crowds[:, None], axis=1, grid_size=COARSE_M)


def _cut_to_tiles(polygons: np.ndarray, tile_m: float, workers: int) -> Pieces:
    done: list[Pieces] = []
    while len(polygons):
        bounds = shapely.bounds(polygons)
        first = np.floor((bounds[:, :2] + ON_CUT_M) / tile_m).astype(np.int64)
        last = np.ceil((bounds[:, 2:] - ON_CUT_M) / tile_m).astype(np.int64) - 1
        count = np.maximum(last - first + 1, 1)
        whole = (count == 1).all(axis=1)
        done.append(Pieces(polygons[whole], first[whole, 0], first[whole, 1]))
        wide = (count[:, 0] >= count[:, 1])[~whole]
        middle = ((first + last + 1) // 2)[~whole]
        at = np.where(wide, middle[:, 0], middle[:, 1]) * tile_m
        polygons, _, _ = _halve(polygons[~whole], wide, at, workers)
    return Pieces.joined(done)


def _halve(
    shapes: np.ndarray, upright: np.ndarray, at: np.ndarray, workers: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut polygons along x = at (where upright) or y = at; vertices on the cut lie on it exactly.

    Returns
    -------
    The polygons, the number of the one that each comes from, and whether it is on the far side.
    """
    west, south, east, north = (shapely.bounds(shapes) + np.array([-1.0, -1.0, 1.0, 1.0])).T
    near = shapely.box(west, south, np.where(upright, at, east), np.where(upright, north, at))
    far = shapely.box(np.where(upright, at, west), np.where(upright, south, at), east, north)
    halves = _mapped(_intersection, workers, np.tile(shapes, 2), np.concatenate([near, far]))
    parts, half = _polygons(halves)
    source = half % max(len(shapes), 1)
    xy, owner = shapely.get_coordinates(parts, return_index=True)
    for axis, is_cut in ((0, upright), (1, ~upright)):
        line = np.where(is_cut, at, np.nan)[source][owner]
        on = np.abs(xy[:, axis] - line) < ON_CUT_M
        xy[on, axis] = line[on]
    return shapely.set_coordinates(parts, xy), source, half >= len(shapes)


def _intersection(shapes: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    try:
        return shapely.intersection(shapes, boxes)
    except shapely.GEOSException:
        mended = shapely.make_valid(shapes, method="structure", keep_collapsed=False)
        return shapely.intersection(mended, boxes, grid_size=COARSE_M)


def _unite(crowds: np.ndarray, workers: int, progress: Progress | None) -> np.ndarray:
    """Union of the polygons of each multipolygon; largest first, so that no thread is left with one."""
    order = np.argsort(-shapely.get_num_coordinates(crowds), kind="stable")
    out = np.empty(len(crowds), dtype=object)
    left = len(crowds)

    def run(part: slice) -> None:
        nonlocal left
        rows = order[part]
        out[rows] = union(crowds[rows])
        left -= len(rows)
        if progress is not None:
            progress(len(crowds) - left, len(crowds))

    in_threads(run, len(crowds), workers, block=32)
    return out


def _mapped(
    function: Callable[..., np.ndarray], workers: int, *arrays: np.ndarray, dtype: type = object
) -> np.ndarray:
    """Apply a vectorised function that releases the GIL, in threads."""
    out = np.empty(len(arrays[0]), dtype=dtype)

    def run(part: slice) -> None:
        out[part] = function(*(array[part] for array in arrays))

    in_threads(run, len(out), workers, block=BLOCK)
    return out


def _polygons(shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Take the single polygons out of shapes of any kind, with the number of the shape of each."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    while (shapely.get_type_id(parts) > 3).any():
        parts, inner = shapely.get_parts(parts, return_index=True)
        owner = owner[inner]
    keep = (shapely.get_type_id(parts) == 3) & ~shapely.is_empty(parts)
    return parts[keep], owner[keep]


def _to_plane(lonlat: np.ndarray) -> np.ndarray:
    out = np.empty((len(lonlat), 2))
    _vertices.to_plane(np.ascontiguousarray(lonlat), out)
    return out
