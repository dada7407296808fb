"""Exact shares of parcels under exclusion polygons, however the polygons overlap."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

import geopandas as gpd
import numpy as np
import shapely

from geo import _exclusion, _exclusion_tiles, _vertices
from geo._exclusion_tiles import Progress
from geo._threads import in_threads
from geo.errors import GeoError, GeometryError
from geo.polygons import Polygons

# Measured: 2 to 16 km and 32 to 128 vertices differ by a tenth in time; small pieces help dense layers.
TILE_M = 4_096.0
MOST_VERTICES = 64


@dataclass(frozen=True, eq=False)
class ExclusionIndex:
    """Disjoint pieces of the ground under exclusions, by tiles of the plane of EPSG:6933.

    Piece k has the rings `piece_start[k]:piece_start[k + 1]`, ring r the vertices `ring_start[r]:
    ring_start[r + 1]`; shells run counter-clockwise, holes clockwise, all closed. Tile t has the pieces
    `tile_start[t]:tile_start[t + 1]`, row i of tiles the tiles `row_start[i]:row_start[i + 1]`, by column.

    Attributes
    ----------
    xy
        Metres of EPSG:6933, shape (v, 2).
    ring_start, piece_start, tile_start, row_start, tile_column
        int64 offsets, and the column of each tile.
    box
        West, south, east, north of each piece in metres, shape (k, 4).
    grid
        int64: the first row, the first column, and the number of columns.
    scope
        West, south, east, north in degrees of the ground that the index knows, shape (4,).
    tile_m
        Size of a tile in metres, shape (1,).
    """

    xy: np.ndarray
    ring_start: np.ndarray
    piece_start: np.ndarray
    tile_start: np.ndarray
    row_start: np.ndarray
    tile_column: np.ndarray
    box: np.ndarray
    grid: np.ndarray
    scope: np.ndarray
    tile_m: np.ndarray

    @classmethod
    def build(
        cls,
        shapes: gpd.GeoSeries | np.ndarray,
        *,
        within: tuple[float, float, float, float] | None = None,
        workers: int = -1,
        progress: Progress | None = None,
        tile_m: float = TILE_M,
        most_vertices: int = MOST_VERTICES,
    ) -> Self:
        """Mend exclusion polygons, cut them into tiles and unite them tile by tile.

        Where a polygon crosses itself, all that its rings wind around counts, less its holes. Missing
        and empty shapes exclude nothing. The result does not depend on `workers`; areas do not depend on
        `tile_m` and `most_vertices`, but for rounding.

        Parameters
        ----------
        shapes
            Polygons and multipolygons in EPSG:4326 or OGC:CRS84 that may overlap, shape (m,).
        within
            West, south, east, north in degrees: exclusions elsewhere are left out, and parcels that
            reach beyond are refused.
        workers
            Threads; -1 takes all cores.
        progress
            Told of tiles united so far, and of all tiles to be united.
        tile_m
            Size of a tile in metres.
        most_vertices
            Pieces are cut until they have no more vertices than this.

        Raises
        ------
        CrsError
            For a GeoSeries whose CRS is neither EPSG:4326 nor OGC:CRS84.
        GeometryError
            For points and lines, and for coordinates that are no degrees.
        """
        scope = np.array([-np.inf, -np.inf, np.inf, np.inf] if within is None else within)
        polygons = _exclusion_tiles.plane_polygons(shapes, workers)
        polygons = _meeting(polygons, scope)
        pieces = _exclusion_tiles.united(polygons, tile_m, workers, progress)
        pieces = _exclusion_tiles.cut_small(pieces, most_vertices, workers)
        pieces = pieces.take(np.lexsort((pieces.column, pieces.row)))
        return cls(
            **_flat(pieces.shape),
            **_by_tile(pieces),
            box=np.ascontiguousarray(shapely.bounds(pieces.shape).reshape(-1, 4)),
            scope=scope,
            tile_m=np.array([tile_m]),
        )

    def __len__(self) -> int:
        """Count the pieces."""
        return len(self.box)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """All there is, by name: to be kept on disk and given to `from_arrays`."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """Take back what `to_arrays` gave.

        Arrays mapped from a file stay there when mapped copy-on-write (`mmap_mode="c"`); read-only ones are
        copied, as kernels are compiled for the others.

        Raises
        ------
        GeoError
            When an array is missing.
        """
        missing = sorted({field.name for field in fields(cls)} - set(arrays))
        if missing:
            msg = f"The kept exclusions lack {', '.join(missing)}; build them anew."
            raise GeoError(msg)
        names = [field.name for field in fields(cls)]
        return cls(**{name: np.require(arrays[name], requirements=["C", "W"]) for name in names})

    @property
    def tiles(self) -> tuple[float | np.ndarray, ...]:
        """What kernels take to find pieces: tile size, grid, rows, columns, pieces of tiles, boxes."""
        return (
            *(float(self.tile_m[0]), self.grid, self.row_start, self.tile_column),
            *(self.tile_start, self.box),
        )

    def areas_m2(self, polygons: Polygons, workers: int = -1) -> np.ndarray:
        """Excluded and whole area of each parcel in square metres, shape (n, 2).

        Raises
        ------
        GeometryError
            For a parcel that reaches beyond the ground that the index knows.
        """
        self._require_known(polygons)
        out = np.empty((len(polygons), 2))

        def run(part: slice) -> None:
            _exclusion.excluded(
                *(polygons.plane, polygons.ring_start, polygons.first_ring, part.start, part.stop),
                *(*self.tiles, self.piece_start, self.ring_start, self.xy, out),
            )

        in_threads(run, len(polygons), workers)
        return out

    def _require_known(self, polygons: Polygons) -> None:
        if not np.isfinite(self.scope).any() or not len(polygons):
            return
        bounds = polygons.bounds
        beyond = (bounds[:, :2] < self.scope[:2]) | (bounds[:, 2:] > self.scope[2:])
        if beyond.any():
            first = int(np.argmax(beyond.any(axis=1)))
            msg = (
                f"Parcel {first} reaches beyond {tuple(self.scope.tolist())}, within which the exclusions "
                "were built; build them for all parcels."
            )
            raise GeometryError(msg)


def excluded_m2(index: ExclusionIndex, polygons: Polygons, workers: int = -1) -> np.ndarray:
    """Area of each parcel under exclusions, overlaps counted once.

    Areas are those of the plane of EPSG:6933, in which areas are true and edges taken as straight, as in
    `shape.area_and_perimeter`. Against shapely on the united polygons: within 1e-9 of the parcel's area. The
    figure depends on the parcel and the index alone, bit for bit.

    Parameters
    ----------
    index
        The exclusions.
    polygons
        Valid parcels, n of them.
    workers
        Threads; -1 takes all cores.

    Returns
    -------
    Square metres, shape (n,), from 0 (exactly, where no exclusion reaches) to the parcel's area (exactly,
    where all is excluded: what is within 1e-10 of either is rounding). NaN only for a parcel with a NaN
    vertex or holes larger than its shell.

    Raises
    ------
    GeometryError
        For a parcel that reaches beyond the ground that the index knows.
    """
    return index.areas_m2(polygons, workers)[:, 0].copy()


def excluded_share(index: ExclusionIndex, polygons: Polygons, workers: int = -1) -> np.ndarray:
    """Share of each parcel under exclusions, overlaps counted once: 0 to 1, shape (n,).

    As `excluded_m2`, over the parcel's area; NaN for a parcel without area too.
    """
    excluded, area = index.areas_m2(polygons, workers).T
    with np.errstate(invalid="ignore"):
        return excluded / area


def _meeting(polygons: np.ndarray, scope: np.ndarray) -> np.ndarray:
    """Those of some polygons in the plane whose boxes meet a box in degrees."""
    if not np.isfinite(scope).any() or not len(polygons):
        return polygons
    corners = np.clip(scope.reshape(2, 2), [-180.0, -90.0], [180.0, 90.0])
    plane = np.empty((2, 2))
    _vertices.to_plane(corners, plane)
    bounds = shapely.bounds(polygons)
    meets = (bounds[:, :2] <= plane[1]).all(axis=1) & (bounds[:, 2:] >= plane[0]).all(axis=1)
    return polygons[meets]


def _flat(shapes: np.ndarray) -> dict[str, np.ndarray]:
    """Rings of single polygons: vertices and offsets, shells counter-clockwise, holes clockwise."""
    rings, piece = shapely.get_rings(shapes, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    xy = np.ascontiguousarray(xy)
    ring_start = np.searchsorted(ring, np.arange(len(rings) + 1)).astype(np.int64)
    piece_start = np.searchsorted(piece, np.arange(len(shapes) + 1)).astype(np.int64)
    is_shell = np.zeros(len(rings), dtype=bool)
    is_shell[piece_start[:-1]] = True
    _vertices.orient(xy, ring_start, is_shell)
    return {"xy": xy, "ring_start": ring_start, "piece_start": piece_start}


def _by_tile(pieces: _exclusion_tiles.Pieces) -> dict[str, np.ndarray]:
    """Offsets of rows, tiles and pieces; pieces come by row, then column."""
    column, row = pieces.column, pieces.row
    is_first = np.ones(len(row), dtype=bool)
    is_first[1:] = (np.diff(row) != 0) | (np.diff(column) != 0)
    first = np.flatnonzero(is_first)
    first_row, last_row = (int(row.min()), int(row.max())) if len(row) else (0, -1)
    first_column, last_column = (int(column.min()), int(column.max())) if len(row) else (0, -1)
    rows, columns = last_row - first_row + 1, last_column - first_column + 1
    return {
        "grid": np.array([first_row, first_column, columns], dtype=np.int64),
        "row_start": np.searchsorted(row[first], first_row + np.arange(rows + 1)).astype(np.int64),
        "tile_column": column[first].astype(np.int64),
        "tile_start": np.append(first, len(row)).astype(np.int64),
    }
