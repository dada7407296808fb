"""Points, lines and polygons, cut into short pieces on the ellipsoid and indexed for searches."""

from dataclasses import dataclass
from typing import Literal, Self

import geopandas as gpd
import numpy as np
import shapely

from geo import _tree, _vertices
from geo._inside import Areas, index_areas, no_areas
from geo._threads import in_threads
from geo._tree import FAN, Tree
from geo.errors import GeometryError
from geo.geodesy import (
    EARTH_SHORTEST_CURVATURE_RADIUS_M,
    GEOD,
    lonlat_arrays,
    lonlat_geometries,
)
from geo.polygons import Polygons

# Longest piece of a line of geodesics: its chord runs at most 8 cm under the ground.
PIECE_M = 2_000.0
# Longest piece of an edge that is straight in lon/lat: at 50 degrees it bows 2 cm aside from its chord.
LONLAT_PIECE_M = 1_000.0
# No degree is longer than this.
METRES_PER_DEGREE = 111_700.0


@dataclass(frozen=True, eq=False)
class FeatureIndex:
    """Features, cut into short straight pieces and ready for searches: arrays alone.

    Attributes
    ----------
    piece
        Metres ECEF, shape (leaves, 7, 8), eight pieces a leaf: where a piece starts (3), from there to
        its end (3; 0 for points), and 1 over the square of its length (0 for points).
    feature_no
        Shape (p,): which feature a piece belongs to, counted from 0 in the order given.
    tree
        Boxes around the leaves, metres ECEF.
    areas
        What features that are polygons hold; empty for points and lines.
    sag_m
        How far a piece runs under the ground, at most.
    feature_count
        Number of features.
    """

    piece: np.ndarray
    feature_no: np.ndarray
    tree: Tree
    areas: Areas
    sag_m: float
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
        lonlat = np.column_stack([lon.ravel(), lat.ravel()])
        start = to_ecef(lonlat)
        number = np.arange(lon.size)
        return cls._packed(lonlat, start, np.zeros_like(start), number, no_areas(), lon.size)

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
        lonlat, part = shapely.get_coordinates(parts, return_index=True)
        begins = np.flatnonzero(part[1:] == part[:-1])
        return cls._of_edges(
            lonlat, begins, feature_of_part[part[begins]], edges, no_areas(), len(shapes)
        )

    @classmethod
    def from_polygons(cls, geometries: gpd.GeoSeries | np.ndarray | Polygons) -> Self:
        """Index polygons: what touches, lies in or holds one is at 0, its holes are outside.

        Parameters
        ----------
        geometries
            Valid polygons or multipolygons, edges straight in lon/lat, shape (m,).

        Raises
        ------
        CrsError
            For a GeoSeries whose CRS is neither EPSG:4326 nor OGC:CRS84.
        GeometryError
            For a missing or empty geometry, one that is no polygon, or coordinates that are no degrees.
        """
        if not isinstance(geometries, Polygons):
            shapes = lonlat_geometries(geometries)
            require_kind(shapes, {3, 6}, "Polygon")
            geometries = Polygons.from_shapes(shapes)
        lonlat, ring_start = geometries.lonlat, geometries.ring_start
        is_begin = np.ones(len(lonlat), dtype=bool)
        is_begin[ring_start[1:] - 1] = False
        begins = np.flatnonzero(is_begin)
        number = np.repeat(np.arange(len(geometries)), np.diff(geometries.vertex_start))[begins]
        areas = index_areas(lonlat, ring_start, geometries.first_ring)
        return cls._of_edges(lonlat, begins, number, "lonlat", areas, len(geometries))

    @classmethod
    def _of_edges(
        cls,
        lonlat: np.ndarray,
        begins: np.ndarray,
        number: np.ndarray,
        edges: str,
        areas: Areas,
        feature_count: int,
    ) -> Self:
        """Index edges, each from a vertex to the next one."""
        xyz = to_ecef(lonlat)
        start, end = xyz[begins], xyz[begins + 1]
        middle = (lonlat[begins] + lonlat[begins + 1]) / 2.0
        longest_m = PIECE_M if edges == "geodesic" else LONLAT_PIECE_M
        span = end - start
        chord_m = np.sqrt(np.einsum("ij,ij->i", span, span))
        # Edges that go around the earth or over a pole have short chords.
        wide = np.abs(lonlat[begins + 1, 0] - lonlat[begins, 0]) > 0.5
        long = np.flatnonzero((chord_m > longest_m) | wide)
        if long.size:
            pieces, owner = _cut(lonlat[begins[long]], lonlat[begins[long] + 1], edges, longest_m)
            keep = np.ones(len(begins), dtype=bool)
            keep[long] = False
            start_of, end_of = to_ecef(pieces[:, :2]), to_ecef(pieces[:, 2:])
            start = np.vstack([start[keep], start_of])
            span = np.vstack([span[keep], end_of - start_of])
            middle = np.vstack([middle[keep], (pieces[:, :2] + pieces[:, 2:]) / 2.0])
            number = np.concatenate([number[keep], number[long[owner]]])
        return cls._packed(middle, start, span, number, areas, feature_count)

    @classmethod
    def _packed(
        cls,
        middle: np.ndarray,
        start: np.ndarray,
        span: np.ndarray,
        number: np.ndarray,
        areas: Areas,
        feature_count: int,
    ) -> Self:
        """Put pieces into the leaves of a tree, in Hilbert order of their middles (lon, lat)."""
        order = _tree.hilbert_order(middle[:, 0], middle[:, 1])
        leaves = -(-len(order) // FAN)
        piece = np.zeros((leaves, 7, FAN))
        boxes = np.empty((leaves, 6))
        squared_m2 = _tree.pack_pieces(start, span, order, piece, boxes)
        return cls(
            piece,
            np.ascontiguousarray(number[order], dtype=np.int64),
            _tree.build(boxes),
            areas,
            float(squared_m2) / (8.0 * EARTH_SHORTEST_CURVATURE_RADIUS_M),
            feature_count,
        )

    @property
    def start(self) -> np.ndarray:
        """Where the pieces start: metres ECEF, shape (p, 3), in the order of `feature_no`."""
        return self.piece[:, :3].transpose(0, 2, 1).reshape(-1, 3)[: len(self.feature_no)]


def to_ecef(lonlat: np.ndarray) -> np.ndarray:
    """Metres ECEF (n, 3) of points (n, 2), compiled and in threads, with the bits of `Polygons.ecef`."""
    lonlat = np.ascontiguousarray(lonlat)
    out = np.empty((len(lonlat), 3))
    in_threads(lambda rows: _vertices.to_ecef(lonlat[rows], out[rows]), len(out), block=1 << 16)
    return out


def require_kind(shapes: np.ndarray, type_ids: set[int], what: str) -> None:
    """Raise a GeometryError that names the first shape that is missing, empty or of another kind."""
    bad = ~np.isin(shapely.get_type_id(shapes), list(type_ids)) | shapely.is_empty(shapes)
    if bad.any():
        first = int(np.argmax(bad))
        kind = "missing" if shapes[first] is None else f"a {shapes[first].geom_type}"
        kind = "empty" if shapes[first] is not None and shapes[first].is_empty else kind
        msg = f"{what} {first} of {len(shapes)} is {kind}; reject it before it is measured."
        raise GeometryError(msg)


def _cut(
    begin: np.ndarray, end: np.ndarray, edges: str, longest_m: float
) -> tuple[np.ndarray, np.ndarray]:
    """Segments (lon, lat) cut to pieces (lon, lat, lon, lat), and the segment of each piece."""
    azimuth, _, length_m = (np.asarray(v) for v in GEOD.inv(*begin.T, *end.T))
    if edges == "lonlat":
        # Along parallels the way is longer than the geodesic, and may be once around the earth.
        delta = np.abs(end - begin)
        lowest = np.minimum(np.abs(begin[:, 1]), np.abs(end[:, 1]))
        lowest[begin[:, 1] * end[:, 1] <= 0.0] = 0.0
        across = delta[:, 0] * np.cos(np.radians(lowest))
        length_m = np.hypot(across, delta[:, 1]) * METRES_PER_DEGREE
    parts = np.maximum(np.ceil(length_m / longest_m).astype(np.int64), 1)
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
