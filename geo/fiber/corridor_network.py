"""Rights of way as a network: corridors, the points at which nodes of fiber reach them, and their lengths."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.errors import GeometryError
from geo.fiber.corridors import corridors
from geo.geodesy import geodesic_km, lonlat_arrays, lonlat_geometries

# The plane of noding; scale is within 2 % in the 48 states.
PLANE_CRS = "EPSG:5070"
# A node farther than this from every right of way is on none.
SPUR_REACH_KM = 25.0
# Fiber leaves a node for the nearest corridors, as many of a connected part of the network, as long as they
# are hardly farther than the nearest.
SPURS = 4
SPUR_SLACK_KM = 5.0
# How far lengths in the plane may be off, for search only.
_SCALE = 1.03
_LINES = ("LineString", "MultiLineString")


@dataclass(frozen=True, eq=False)
class RightOfWay:
    """A network of corridors, which meet at vertices.

    Attributes
    ----------
    lon, lat
        Of the vertices, degrees, WGS84, shape (v,).
    from_vertex, to_vertex
        Ends of the edges, shape (e,); an edge may be a loop, and two may have the same ends.
    km
        Geodesic length of the edges, shape (e,).
    start
        Where the course of each edge begins in `course`, shape (e + 1,).
    course
        Vertices of the courses, from `from_vertex` to `to_vertex`: degrees, shape (c, 2).
    course_m
        The same in metres of EPSG:5070.
    """

    lon: np.ndarray
    lat: np.ndarray
    from_vertex: np.ndarray
    to_vertex: np.ndarray
    km: np.ndarray
    start: np.ndarray
    course: np.ndarray
    course_m: np.ndarray

    @classmethod
    def of(cls, lines: gpd.GeoDataFrame) -> Self:
        """Node lines into a network (`geo.fiber.corridors` says what is joined).

        Parameters
        ----------
        lines
            Lines in longitude and latitude, in any order and direction, of any kinds: highways, railroads,
            mapped telecommunication lines. Missing and empty ones are passed over.

        Raises
        ------
        CrsError
            The frame has no CRS, or none of longitude and latitude.
        GeometryError
            A geometry is no line, or a coordinate is no degree.
        """
        shapes = lonlat_geometries(lines.geometry)
        shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
        kinds = {shape.geom_type for shape in shapes} - set(_LINES)
        if kinds:
            msg = f"A right of way is a {min(kinds)}; give lines alone."
            raise GeometryError(msg)
        ahead, _ = _transformers()
        plane = shapely.transform(shapes, lambda at: np.column_stack(ahead.transform(*at.T)))
        # Far outside of its domain the projection gives infinity.
        if not np.isfinite(shapely.get_coordinates(plane)).all():
            msg = f"A right of way lies where {PLANE_CRS} knows no metres; leave out what is not in North America."
            raise GeometryError(msg)
        return cls._of_courses([shapely.get_coordinates(line) for line in corridors(plane)])

    @classmethod
    def _of_courses(cls, courses: list[np.ndarray]) -> Self:
        """Network of courses in whole metres, each shape (k, 2), which meet at ends that are equal."""
        start = np.cumsum([0, *(len(course) for course in courses)])
        course_m = np.concatenate([np.zeros((0, 2)), *courses])
        _, back = _transformers()
        lon, lat = back.transform(course_m[:, 0], course_m[:, 1])
        first, last = start[:-1], start[1:] - 1
        place, at, number = np.unique(
            course_m[np.concatenate([first, last])], axis=0, return_index=True, return_inverse=True
        )
        at = np.concatenate([first, last])[at]
        step_km = np.zeros(len(course_m) + 1)
        if len(course_m):
            step_km[1:-1] = geodesic_km(lon[:-1], lat[:-1], lon[1:], lat[1:])
        # From the last point of a course to the first of the next there is nothing.
        step_km[start] = 0.0
        km = np.add.reduceat(step_km, first) if len(courses) else np.zeros(0)
        ends = number.ravel().reshape(2, len(courses))
        return cls(
            *(lon[at].reshape(len(place)), lat[at].reshape(len(place))),
            *(ends[0], ends[1], km, start),
            *(np.column_stack([lon, lat]), course_m),
        )

    @cached_property
    def component(self) -> np.ndarray:
        """Number of the connected part that each vertex is in, shape (v,)."""
        size = (len(self.lon), len(self.lon))
        ends = (self.from_vertex, self.to_vertex)
        joined = coo_array((np.ones(len(self.km)), ends), shape=size)
        return connected_components(joined, directed=False)[1]

    def lines(self) -> gpd.GeoDataFrame:
        """Edges with their `km` and `component` as lines in OGC:CRS84, row by row."""
        owner = np.repeat(np.arange(len(self.km)), np.diff(self.start))
        return gpd.GeoDataFrame(
            {"km": self.km, "component": self.component[self.from_vertex]},
            geometry=shapely.linestrings(self.course, indices=owner),
            crs="OGC:CRS84",
        )

    def attach(
        self, lon: np.ndarray, lat: np.ndarray
    ) -> tuple[Self, np.ndarray, np.ndarray, np.ndarray]:
        """Reach points from the network, which gets a vertex where each spur begins.

        A spur is straight and goes to the nearest point of a corridor. Each point has up to `SPURS` of them
        for a connected part of the network: to its nearest edges within `SPUR_REACH_KM`, no more than
        `SPUR_SLACK_KM` farther than the nearest of that part.

        Parameters
        ----------
        lon, lat
            Degrees, WGS84, shape (n,).

        Returns
        -------
        tuple
            Network with the edges cut where spurs begin; and for each spur, ordered by point and vertex, its
            point, its vertex and its geodesic km.

        Raises
        ------
        GeometryError
            For coordinates that are NaN or no degrees.
        """
        lon, lat = lonlat_arrays(lon, lat)
        point, edge, along_m, foot = self._feet(lon, lat)
        network = self._cut(edge, along_m, foot)
        # Vertices are in the order of their coordinates in the plane, and each foot is one of them.
        ends = np.concatenate([network.start[:-1], network.start[1:] - 1])
        place = np.unique(network.course_m[ends], axis=0)
        number = np.unique(np.concatenate([place, foot]), axis=0, return_inverse=True)[1]
        vertex = number.ravel()[len(place) :]
        # Edges that meet at a foot share its spur.
        order = np.lexsort((vertex, point))
        point, vertex = point[order], vertex[order]
        other = (np.diff(point, prepend=-1) != 0) | (np.diff(vertex, prepend=-1) != 0)
        point, vertex = point[other], vertex[other]
        km = geodesic_km(lon[point], lat[point], network.lon[vertex], network.lat[vertex])
        return network, point, vertex, km

    def _feet(
        self, lon: np.ndarray, lat: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Point, edge, metres along it, and place in whole metres, of the spurs of all points."""
        ahead, _ = _transformers()
        points = shapely.points(np.column_stack(ahead.transform(lon, lat)).reshape(-1, 2))
        owner = np.repeat(np.arange(len(self.km)), np.diff(self.start))
        lines = shapely.linestrings(self.course_m, indices=owner)
        reach_m = SPUR_REACH_KM * 1_000.0 * _SCALE
        point, edge = shapely.STRtree(lines).query(points, predicate="dwithin", distance=reach_m)
        along_m = shapely.line_locate_point(lines[edge], points[point])
        foot = np.rint(
            shapely.get_coordinates(shapely.line_interpolate_point(lines[edge], along_m))
        )
        _, back = _transformers()
        foot_lon, foot_lat = back.transform(foot[:, 0], foot[:, 1])
        km = geodesic_km(lon[point], lat[point], foot_lon, foot_lat)
        part = self.component[self.from_vertex[edge]]
        order = np.lexsort((edge, km, part, point))
        point, edge, part = point[order], edge[order], part[order]
        along_m, foot, km = along_m[order], foot[order], km[order]
        group = np.flatnonzero(np.diff(point, prepend=-1) | np.diff(part, prepend=-1))
        first = np.repeat(group, np.diff([*group, len(point)]))
        keep = (np.arange(len(point)) - first < SPURS) & (km <= km[first] + SPUR_SLACK_KM)
        keep &= km <= SPUR_REACH_KM
        return point[keep], edge[keep], along_m[keep], foot[keep]

    def _cut(self, edge: np.ndarray, along_m: np.ndarray, foot: np.ndarray) -> Self:
        """Cut edges at feet that are at some metres along them."""
        order = np.lexsort((along_m, edge))
        of_edge = np.searchsorted(edge[order], np.arange(len(self.km) + 1))
        courses = []
        for number in range(len(self.km)):
            course = self.course_m[self.start[number] : self.start[number + 1]]
            at = order[of_edge[number] : of_edge[number + 1]]
            courses.extend(_pieces(course, along_m[at], foot[at]) if len(at) else [course])
        return self._of_courses(courses)


def _pieces(course: np.ndarray, along_m: np.ndarray, foot: np.ndarray) -> list[np.ndarray]:
    """Pieces of a course between the feet on it, which are in order."""
    run_m = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(course, axis=0).T))])
    pieces, begin, here = [], 0, course[:1]
    for metres, place in zip(along_m, foot, strict=True):
        passed = int(np.searchsorted(run_m[:-1], metres, side="right"))
        piece = _without_repeats(np.concatenate([here, course[begin + 1 : passed], place[None]]))
        begin, here = passed - 1, place[None]
        if len(piece) > 1:
            pieces.append(piece)
    piece = _without_repeats(np.concatenate([here, course[begin + 1 :]]))
    return [*pieces, piece] if len(piece) > 1 else pieces


def _without_repeats(course: np.ndarray) -> np.ndarray:
    """Course without points that repeat the one before."""
    return course[np.concatenate([[True], (np.diff(course, axis=0) != 0.0).any(axis=1)])]


def _transformers() -> tuple[pyproj.Transformer, pyproj.Transformer]:
    """To the plane and back; they must not be shared among threads, and PROJ keeps what they need."""
    ahead = pyproj.Transformer.from_crs("OGC:CRS84", PLANE_CRS, always_xy=True)
    back = pyproj.Transformer.from_crs(PLANE_CRS, "OGC:CRS84", always_xy=True)
    return ahead, back
