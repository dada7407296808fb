"""Parcels as flat arrays: polygons and multipolygons in GeoArrow's layout, lon/lat on WGS84."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import geopandas as gpd
import numpy as np
import shapely

from geo import _vertices
from geo._threads import in_threads
from geo.errors import GeometryError
from geo.geodesy import lonlat_geometries

POLYGON_TYPES = (3, 6)


@dataclass(frozen=True, eq=False)
class Polygons:
    """Polygons and multipolygons in flat arrays, as kernels take them.

    Shape i has the parts `shape_start[i]:shape_start[i + 1]`, part p the rings
    `part_start[p]:part_start[p + 1]`, ring r the vertices `ring_start[r]:ring_start[r + 1]`. The first
    ring of a part is its shell, counter-clockwise, the others are holes, clockwise; every ring is
    closed. Edges are straight in lon/lat (RFC 7946).

    Attributes
    ----------
    lonlat
        Degrees, WGS84, shape (v, 2), C-contiguous float64.
    ring_start, part_start, shape_start
        int64 offsets, shapes (rings + 1,), (parts + 1,), (n + 1,), each starting at 0.
    """

    lonlat: np.ndarray
    ring_start: np.ndarray
    part_start: np.ndarray
    shape_start: np.ndarray

    @classmethod
    def from_shapes(cls, geometries: gpd.GeoSeries | np.ndarray) -> Self:
        """Take shapely polygons and multipolygons apart.

        Parameters
        ----------
        geometries
            Valid polygons or multipolygons in EPSG:4326 or OGC:CRS84, shape (n,).

        Raises
        ------
        CrsError
            For a GeoSeries whose CRS is neither EPSG:4326 nor OGC:CRS84.
        GeometryError
            For a geometry that is missing, empty or no polygon, and coordinates that are no degrees.
        """
        shapes = lonlat_geometries(geometries)
        bad = ~np.isin(shapely.get_type_id(shapes), POLYGON_TYPES) | shapely.is_empty(shapes)
        if bad.any():
            first = int(np.argmax(bad))
            kind = "missing" if shapes[first] is None else f"a {shapes[first].geom_type}"
            if shapes[first] is not None and shapes[first].is_empty:
                kind = "empty"
            msg = f"Parcel {first} of {len(shapes)} is {kind}; reject it before it is measured."
            raise GeometryError(msg)
        parts, shape = shapely.get_parts(shapes, return_index=True)
        rings, part = shapely.get_rings(parts, return_index=True)
        lonlat, ring = shapely.get_coordinates(rings, return_index=True)
        return cls(
            np.ascontiguousarray(lonlat),
            _starts(ring, len(rings)),
            _starts(part, len(parts)),
            _starts(shape, len(shapes)),
        ).oriented()

    def __len__(self) -> int:
        """Count the shapes."""
        return len(self.shape_start) - 1

    @cached_property
    def vertex_start(self) -> np.ndarray:
        """First vertex of each shape: int64, shape (n + 1,)."""
        return self.ring_start[self.part_start[self.shape_start]]

    @cached_property
    def first_ring(self) -> np.ndarray:
        """First ring of each shape: int64, shape (n + 1,)."""
        return self.part_start[self.shape_start]

    @cached_property
    def bounds(self) -> np.ndarray:
        """West, south, east, north of each shape in degrees, shape (n, 4)."""
        out = np.empty((len(self), 4))
        start = self.vertex_start
        in_threads(
            lambda rows: _vertices.bounds(self.lonlat, start, rows.start, rows.stop, out), len(self)
        )
        return out

    @cached_property
    def ecef(self) -> np.ndarray:
        """Vertices as metres ECEF on the ellipsoid, shape (v, 3)."""
        out = np.empty((len(self.lonlat), 3))
        in_threads(
            lambda part: _vertices.rings_to_ecef(
                self.lonlat, self.ring_start, part.start, part.stop, out
            ),
            len(self.ring_start) - 1,
        )
        return out

    @cached_property
    def plane(self) -> np.ndarray:
        """Vertices in metres of EPSG:6933, where areas are those of the ellipsoid, shape (v, 2)."""
        out = np.empty((len(self.lonlat), 2))
        in_threads(lambda rows: _vertices.to_plane(self.lonlat[rows], out[rows]), len(out))
        return out

    def oriented(self) -> Self:
        """Return the same polygons with shells counter-clockwise and holes clockwise."""
        is_shell = np.zeros(len(self.ring_start) - 1, dtype=bool)
        is_shell[self.part_start[:-1]] = True
        lonlat = self.lonlat.copy()
        _vertices.orient(lonlat, self.ring_start, is_shell)
        return type(self)(lonlat, self.ring_start, self.part_start, self.shape_start)

    def take(self, rows: np.ndarray | slice) -> Self:
        """Return some of the shapes, in the order given."""
        if isinstance(rows, slice):
            rows = np.arange(len(self))[rows]
        elif rows.dtype == bool:
            rows = np.flatnonzero(rows)
        parts, shape_start = _gather(self.shape_start, rows)
        rings, part_start = _gather(self.part_start, parts)
        vertices, ring_start = _gather(self.ring_start, rings)
        return type(self)(self.lonlat[vertices], ring_start, part_start, shape_start)

    def cut(self, most_deg: float) -> Self:
        """Return the same polygons with no edge longer than so many degrees of longitude or latitude."""
        step = np.zeros_like(self.lonlat)
        step[:-1] = np.diff(self.lonlat, axis=0)
        step[self.ring_start[1:] - 1] = 0.0
        parts = np.maximum(np.ceil(np.abs(step).max(axis=1) / most_deg).astype(np.int64), 1)
        if (parts == 1).all():
            return self
        start = np.zeros(len(parts) + 1, dtype=np.int64)
        np.cumsum(parts, out=start[1:])
        owner = np.repeat(np.arange(len(parts)), parts)
        share = (np.arange(start[-1]) - start[owner]) / parts[owner]
        lonlat = self.lonlat[owner] + step[owner] * share[:, None]
        return type(self)(lonlat, start[self.ring_start], self.part_start, self.shape_start)

    def radius_m(self, here: np.ndarray) -> np.ndarray:
        """Chord in metres from a point of each shape (ECEF, shape (n, 3)) to its farthest vertex."""
        out = np.empty(len(self))
        start = self.vertex_start
        in_threads(
            lambda rows: _vertices.radius_m(self.ecef, start, rows.start, rows.stop, here, out),
            len(self),
        )
        return out

    def to_shapes(self, *, plane: bool = False) -> np.ndarray:
        """Build shapely multipolygons, in lon/lat or in the plane of EPSG:6933: for the few, not for all."""
        return shapely.from_ragged_array(
            shapely.GeometryType.MULTIPOLYGON,
            self.plane if plane else self.lonlat,
            (self.ring_start, self.part_start, self.shape_start),
        )


def _starts(owner: np.ndarray, count: int) -> np.ndarray:
    """Offsets of runs of equal owners 0..count-1, none of which is empty."""
    return np.searchsorted(owner, np.arange(count + 1)).astype(np.int64)


def _gather(start: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Children of some parents, and the offsets that they then have."""
    first, count = start[rows], start[rows + 1] - start[rows]
    new = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum(count, out=new[1:])
    children = np.arange(new[-1]) + np.repeat(first - new[:-1], count)
    return children, new
