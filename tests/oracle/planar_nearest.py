"""Nearest features to parcels' edges by scipy's KD-tree and shapely in azimuthal-equidistant planes.

The first implementation of the search, 20 to 30 µs a parcel. It is no truth of its own (Geod is), but
fast enough to check every real parcel.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Self

import geopandas as gpd
import numpy as np
import shapely
from scipy.spatial import KDTree

from geo.features import require_kind
from geo.geodesy import (
    EARTH_SHORTEST_CURVATURE_RADIUS_M,
    GEOD,
    METRES_PER_MILE,
    lonlat_arrays,
    lonlat_geometries,
    to_ecef,
    to_lon_lat,
)
from tests.oracle.arcs import (
    arc_to_longest_chord_m,
    chord_to_shortest_arc_m,
    geodesic_m,
    surface_m,
    to_surface,
)

# Longest piece of a line: its chord runs at most 8 cm under the ground.
PIECE_M = 2_000.0
SAG_M = 0.1
# Features that differ by less in distance are as near as each other, and the lowest number wins.
TIE_M = 1e-3
# Edges of parcels are cut like lines before they are laid into a plane.
PIECE_DEG = PIECE_M / 111_320.0
# Candidate pairs held at once: bounds memory, ~200 MB.
PAIRS_AT_ONCE = 1 << 20


@dataclass(frozen=True, eq=False)
class PlanarIndex:
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


def k_nearest_edge(
    index: PlanarIndex,
    parcels: gpd.GeoSeries | np.ndarray,
    k: int,
    *,
    max_mi: float = np.inf,
    workers: int = -1,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the k nearest distinct features to the edge of each parcel, nearest first.

    As `nearest_edge`, with arrays of shape (n, k), padded with -1 and NaN where there are fewer.

    Every feature is at least (distance from the centre - parcel's radius) from the edge and at most
    (distance from the centre + the centre's distance to the parcel), so the search around centres
    with that much slack misses none. What it finds is measured in an azimuthal-equidistant plane
    around the centre, which stretches a distance by at most (r/R)²/6 at r from the centre; all
    within that of the k-th best are measured again as geodesics between the nearest points.
    """
    shapes = lonlat_geometries(parcels)
    require_kind(shapes, {3, 6}, "Parcel")
    feature_no = np.full((len(shapes), k), -1, dtype=np.int64)
    distance_m = np.full((len(shapes), k), np.nan)
    if not len(shapes):
        return feature_no, distance_m
    centre = shapely.get_coordinates(shapely.centroid(shapes))
    plane, radius_m = _to_plane(shapely.segmentize(shapes, PIECE_DEG), centre)
    shapely.prepare(plane)
    # 0 where the parcel covers its own centre.
    centre_off_m = shapely.distance(plane, shapely.Point(0.0, 0.0))
    here = to_ecef(centre[:, 0], centre[:, 1])
    # Outlines cut at 2 km bow out of the plane's straight edges by centimetres.
    slack_m = radius_m + centre_off_m + 1.0
    max_m = max_mi * METRES_PER_MILE
    for row, piece, centre_m in _pairs(index, here, k, slack_m, max_m, workers):
        features = _in_plane(index, piece, centre[row])
        planar_m = shapely.distance(plane[row], features)
        number = index.feature_no[piece]
        starts, run = _runs(row)
        kth_m = _kth_m(run, number, planar_m, k, len(starts))[run]
        stretch = ((centre_m + radius_m[row]) / EARTH_SHORTEST_CURVATURE_RADIUS_M) ** 2 / 5.0
        near = planar_m <= kth_m * (1.0 + stretch) + 1.0
        metres = np.full(len(row), np.inf)
        metres[near] = _measure_again(
            plane[row[near]], features[near], centre[row[near]], planar_m[near]
        )
        within = near & (metres <= max_m)
        _pick(row[within], number[within], metres[within], feature_no, distance_m)
    return feature_no, distance_m / METRES_PER_MILE


def _pairs(
    index: PlanarIndex,
    here: np.ndarray,
    k: int,
    slack_m: np.ndarray,
    max_m: float,
    workers: int,
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield (row, piece, metres) of pieces near points `here`, rows ascending and each in one batch.

    No piece is missing that is as near as the row's k-th nearest feature plus `slack_m`, up to
    `max_m` plus `slack_m`. The tree is asked for ever more middles until the last one proves it.
    """
    count = len(index.start)
    if not count or not len(here):
        return
    todo = np.arange(len(here))
    limit_m = max_m + slack_m
    search_m = arc_to_longest_chord_m(limit_m.max()) + index.half_m + SAG_M
    width = k + 1 if index.is_points else k + 15
    while todo.size:
        width = min(width, count)
        unsure = []
        step = max(PAIRS_AT_ONCE // width, 1)
        for block in np.split(todo, range(step, todo.size, step)):
            middle_m, piece = index.tree.query(
                here[block],
                k=[*range(1, width + 1)],
                distance_upper_bound=search_m,
                workers=workers,
            )
            is_complete = (piece[:, -1] == count) | (width == count)
            unseen_m = chord_to_shortest_arc_m(middle_m[:, -1] - index.half_m)
            run, column = np.nonzero(piece < count)
            piece = piece[run, column]
            metres = _piece_m(index, here[block[run]], piece)
            kth_m = _kth_m(run, index.feature_no[piece], metres, k, len(block))
            reach_m = np.minimum(kth_m + slack_m[block] + TIE_M, limit_m[block])
            is_sure = is_complete | (unseen_m > reach_m)
            unsure.append(block[~is_sure])
            keep = is_sure[run] & (metres <= reach_m[run])
            if keep.any():
                yield block[run[keep]], piece[keep], metres[keep]
        todo = np.concatenate(unsure)
        width *= 4


def _piece_m(index: PlanarIndex, here: np.ndarray, piece: np.ndarray) -> np.ndarray:
    """Geodesic metres from points to the pieces paired with them."""
    start = index.start[piece]
    if index.is_points:
        return surface_m(here, start)
    span = index.span[piece]
    squared = np.einsum("ij,ij->i", span, span)
    along = np.einsum("ij,ij->i", here - start, span) / np.where(squared > 0.0, squared, 1.0)
    foot = start + np.clip(along, 0.0, 1.0)[:, None] * span
    return surface_m(here, to_surface(foot))


def _kth_m(
    run: np.ndarray, number: np.ndarray, metres: np.ndarray, k: int, runs: int
) -> np.ndarray:
    """Distance of the k-th nearest distinct feature of each run; inf where there are fewer."""
    kth_m = np.full(runs, np.inf)
    if k == 1:
        starts, _ = _runs(run)
        if starts.size:
            kth_m[run[starts]] = np.minimum.reduceat(metres, starts)
        return kth_m
    order = np.lexsort((metres, number, run))
    run, number, metres = run[order], number[order], metres[order]
    first = np.ones(len(run), dtype=bool)
    first[1:] = (run[1:] != run[:-1]) | (number[1:] != number[:-1])
    run, metres = run[first], metres[first]
    order = np.lexsort((metres, run))
    run, metres = run[order], metres[order]
    starts, _ = _runs(run)
    ends = np.append(starts[1:], len(run))
    enough = ends - starts >= k
    kth_m[run[starts[enough]]] = metres[starts[enough] + k - 1]
    return kth_m


def _pick(
    row: np.ndarray,
    number: np.ndarray,
    metres: np.ndarray,
    feature_no: np.ndarray,
    distance_m: np.ndarray,
) -> None:
    """Write each row's nearest features into the columns of `feature_no` and `distance_m`."""
    for column in range(feature_no.shape[1]):
        if not row.size:
            return
        starts, run = _runs(row)
        best_m = np.minimum.reduceat(metres, starts)
        tied = metres <= best_m[run] + TIE_M
        winner = np.minimum.reduceat(np.where(tied, number, np.iinfo(np.int64).max), starts)
        feature_no[row[starts], column] = winner
        distance_m[row[starts], column] = best_m
        left = number != winner[run]
        row, number, metres = row[left], number[left], metres[left]


def _runs(row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each run of equal values starts, and the number of the run that an element is in."""
    is_start = np.ones(len(row), dtype=bool)
    is_start[1:] = row[1:] != row[:-1]
    return np.flatnonzero(is_start), np.cumsum(is_start) - 1


def _to_plane(shapes: np.ndarray, centre: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shapes in azimuthal-equidistant metres, each around its own centre, and their radii."""
    points, owner = shapely.get_coordinates(shapes, return_index=True)
    flat = _polar(centre[owner], points)
    starts, _ = _runs(owner)
    radius_m = np.maximum.reduceat(np.hypot(flat[:, 0], flat[:, 1]), starts)
    return shapely.set_coordinates(shapes, flat), radius_m


def _in_plane(index: PlanarIndex, piece: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Pieces as points or two-point lines in the planes around the centres paired with them."""
    start = _polar(centre, np.column_stack(to_lon_lat(index.start[piece])))
    if index.is_points:
        return shapely.points(start)
    end = _polar(centre, np.column_stack(to_lon_lat(index.start[piece] + index.span[piece])))
    return shapely.linestrings(np.stack([start, end], axis=1))


def _measure_again(
    plane: np.ndarray, features: np.ndarray, centre: np.ndarray, planar_m: np.ndarray
) -> np.ndarray:
    """Geodesic metres between the nearest points of pairs; 0 for what touches.

    Edges and lines are off by up to 8 cm between the ends of their pieces, so less is touching.
    """
    metres = np.zeros(len(planar_m))
    apart = np.flatnonzero(planar_m > 0.0)
    if apart.size:
        ends = shapely.get_coordinates(shapely.shortest_line(plane[apart], features[apart]))
        east_m, north_m = ends.reshape(-1, 2, 2).transpose(2, 1, 0)
        azimuth, metres_off = np.degrees(np.arctan2(east_m, north_m)), np.hypot(east_m, north_m)
        lon, lat = (np.tile(centre[apart, axis], 2) for axis in (0, 1))
        lon, lat, _ = GEOD.fwd(lon, lat, azimuth.ravel(), metres_off.ravel())
        half = apart.size
        metres[apart] = geodesic_m(lon[:half], lat[:half], lon[half:], lat[half:])
        metres[metres < SAG_M] = 0.0
    return metres


def _polar(centre: np.ndarray, points: np.ndarray) -> np.ndarray:
    """East and north metres of points in the azimuthal-equidistant planes around centres."""
    azimuth, _, metres = GEOD.inv(centre[:, 0], centre[:, 1], points[:, 0], points[:, 1])
    azimuth = np.radians(azimuth)
    return np.column_stack([metres * np.sin(azimuth), metres * np.cos(azimuth)])
