"""Point and line features, cut into short pieces on the ellipsoid and indexed for searches."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Self

import geopandas as gpd
import numpy as np
import shapely
from scipy.spatial import KDTree

from geo.errors import GeometryError
from geo.geodesy import GEOD, lonlat_arrays, lonlat_geometries, to_ecef

# Longest piece of a line: its chord runs at most 8 cm under the ground.
PIECE_M = 2_000.0
SAG_M = 0.1


@dataclass(frozen=True, eq=False)
class FeatureIndex:
    """Point or line features, cut into short straight pieces and ready for searches.

    Attributes
    ----------
    start, span
        Metres ECEF, shape (p, 3): where a piece starts, and from there to its end (0 for points).
    feature_no
        Shape (p,): which feature a piece belongs to, counted from 0 in the order given.
    feature_count
        Number of features.
    """

    start: np.ndarray
    span: np.ndarray
    feature_no: np.ndarray
    feature_count: int

    @classmethod
    def from_points(cls, lon: np.ndarray, lat: np.ndarray) -> Self:
        """Index points.

        Parameters
        ----------
        lon, lat
            Degrees, WGS84, shape (m,).

        Raises
        ------
        GeometryError
            For coordinates that are NaN or no degrees.
        """
        lon, lat = lonlat_arrays(lon, lat, "feature")
        start = to_ecef(lon, lat)
        return cls(start, np.zeros_like(start), np.arange(lon.size), lon.size)

    @classmethod
    def from_lines(
        cls,
        geometries: gpd.GeoSeries | np.ndarray,
        *,
        edges: Literal["geodesic", "lonlat"] = "geodesic",
    ) -> Self:
        """Index lines, cut into pieces of at most 2 km.

        Parameters
        ----------
        geometries
            LineStrings, MultiLineStrings or LinearRings in lon/lat WGS84, shape (m,).
        edges
            What lies between two vertices: the `geodesic`, or, as in RFC 7946, the line that is
            straight in `lonlat`. They are up to 0.1 m apart over 2 km and 250 m over 100 km.

        Raises
        ------
        CrsError
            For a GeoSeries whose CRS is neither EPSG:4326 nor OGC:CRS84.
        GeometryError
            For a missing or empty geometry, one that is no line, or coordinates that are no degrees.
        """
        shapes = lonlat_geometries(geometries)
        require_kind(shapes, {1, 2, 5}, "Line")
        parts, feature_of_part = shapely.get_parts(shapes, return_index=True)
        points, part = shapely.get_coordinates(parts, return_index=True)
        begins = np.flatnonzero(part[1:] == part[:-1])
        pieces, owner = _cut(points[begins], points[begins + 1], edges)
        start = to_ecef(pieces[:, 0], pieces[:, 1])
        span = to_ecef(pieces[:, 2], pieces[:, 3]) - start
        return cls(start, span, feature_of_part[part[begins[owner]]], len(shapes))

    @cached_property
    def is_points(self) -> bool:
        """Whether no piece has a length."""
        return not self.span.any()

    @cached_property
    def tree(self) -> KDTree:
        """KD-tree of the pieces' middles."""
        return KDTree(self.start + self.span / 2.0)

    @cached_property
    def half_m(self) -> float:
        """How far a piece reaches from its middle, at most, ground included."""
        if self.is_points:
            return 0.0
        return float(np.linalg.norm(self.span, axis=1).max(initial=0.0)) / 2.0 + SAG_M

    @cached_property
    def firsts(self) -> Self:
        """The same points without those at the very place of one with a lower number."""
        if not self.is_points:
            return self
        order = np.lexsort((self.feature_no, *self.start.T))
        placed = self.start[order]
        is_first = np.ones(len(order), dtype=bool)
        is_first[1:] = (placed[1:] != placed[:-1]).any(axis=1)
        if is_first.all():
            return self
        keep = np.sort(order[is_first])
        return type(self)(
            self.start[keep], self.span[keep], self.feature_no[keep], self.feature_count
        )


def require_kind(shapes: np.ndarray, type_ids: set[int], what: str) -> None:
    """Raise a GeometryError that names the first shape that is missing, empty or of another kind."""
    bad = ~np.isin(shapely.get_type_id(shapes), list(type_ids)) | shapely.is_empty(shapes)
    if bad.any():
        first = int(np.argmax(bad))
        kind = "missing" if shapes[first] is None else f"a {shapes[first].geom_type}"
        kind = "empty" if shapes[first] is not None and shapes[first].is_empty else kind
        msg = f"{what} {first} of {len(shapes)} is {kind}; reject it before it is measured."
        raise GeometryError(msg)


def _cut(begin: np.ndarray, end: np.ndarray, edges: str) -> tuple[np.ndarray, np.ndarray]:
    """Segments (lon, lat) cut to pieces (lon, lat, lon, lat), and the segment of each piece."""
    azimuth, _, length_m = GEOD.inv(begin[:, 0], begin[:, 1], end[:, 0], end[:, 1])
    parts = np.maximum(np.ceil(np.asarray(length_m) / PIECE_M).astype(np.int64), 1)
    owner = np.repeat(np.arange(len(begin)), parts)
    part = np.arange(len(owner)) - np.repeat(np.cumsum(parts) - parts, parts)
    share = part / parts[owner]
    start = begin[owner]
    inner = np.flatnonzero(part)
    at = owner[inner]
    if edges == "geodesic":
        lon, lat, _ = GEOD.fwd(begin[at, 0], begin[at, 1], azimuth[at], length_m[at] * share[inner])
        start[inner] = np.column_stack([lon, lat])
    else:
        start[inner] += (end - begin)[at] * share[inner, None]
    stop = np.empty_like(start)
    stop[:-1] = start[1:]
    last = part == parts[owner] - 1
    stop[last] = end[owner[last]]
    return np.hstack([start, stop]), owner
