"""Slow, obviously-right distances: every pair through pyproj.Geod, lines and edges by ternary search."""

import numpy as np
import pyproj
import shapely

GEOD = pyproj.Geod(ellps="WGS84")
METRES_PER_MILE = 1609.344
# Lines and edges are searched in stretches no longer than this, in each of which distance has one dip.
STRETCH_DEG = 0.5


def all_pairs_m(lon, lat, feature_lon, feature_lat):
    """Geodesic metres from each point to each feature, shape (n, m)."""
    shape = (len(lon), len(feature_lon))
    grid = [np.broadcast_to(np.asarray(v)[:, None], shape).ravel() for v in (lon, lat)]
    grid += [
        np.broadcast_to(np.asarray(v)[None, :], shape).ravel() for v in (feature_lon, feature_lat)
    ]
    return GEOD.inv(*grid)[2].reshape(shape)


def point_to_line_m(lon, lat, line, edges="geodesic"):
    """Geodesic metres from one point to a line whose vertices are joined by geodesics or in lon/lat."""
    begin, end = _segments(line)
    if edges == "lonlat":
        begin, end = _stretches(begin, end)
        return _dip(lon, lat, lambda t: (begin + (end - begin) * t[:, None]).T, len(begin)).min()
    azimuth, _, length = GEOD.inv(*begin.T, *end.T)
    azimuth, length = np.atleast_1d(azimuth), np.atleast_1d(length)

    def along(t):
        return GEOD.fwd(*begin.T, azimuth, length * t)[:2]

    return _dip(lon, lat, along, len(begin)).min()


def edge_to_point_m(parcel, lon, lat):
    """Geodesic metres from a parcel's edge to a point; 0 when it holds or touches the point."""
    if parcel.intersects(shapely.Point(lon, lat)):
        return 0.0
    return min(
        point_to_line_m(lon, lat, ring, edges="lonlat")
        for ring in shapely.get_parts(_rings(parcel))
    )


def edge_to_line_m(parcel, line):
    """Geodesic metres from a parcel's edge to a line of geodesics; 0 when they meet."""
    dense = densify(line)
    if parcel.intersects(dense):
        return 0.0
    to_vertices = [edge_to_point_m(parcel, x, y) for x, y in shapely.get_coordinates(line)]
    corners = shapely.get_coordinates(shapely.segmentize(_rings(parcel), 0.02))
    to_corners = [point_to_line_m(x, y, line) for x, y in corners]
    return min(to_vertices + to_corners)


def edge_to_polygon_m(parcel, polygon):
    """Geodesic metres between two polygons with edges straight in lon/lat; 0 when they share a point."""
    if parcel.intersects(polygon):
        return 0.0
    return min(
        edge_to_point_m(one, x, y)
        for one, other in ((parcel, polygon), (polygon, parcel))
        for x, y in shapely.get_coordinates(shapely.segmentize(_rings(other), 0.02))
    )


def densify(line, step_m=200.0):
    """The line with vertices every `step_m` along its geodesics."""
    parts = []
    for begin, end in zip(*_segments(line), strict=True):
        length = GEOD.inv(*begin, *end)[2]
        inner = GEOD.npts(*begin, *end, int(length // step_m) + 1)
        parts.append(np.vstack([begin, *inner, end]))
    return shapely.union_all([shapely.LineString(part) for part in parts])


def _rings(parcel):
    return shapely.multilinestrings(
        [
            shapely.LineString(ring.coords)
            for part in shapely.get_parts(parcel)
            for ring in (part.exterior, *part.interiors)
        ]
    )


def _segments(line):
    points, part = shapely.get_coordinates(shapely.get_parts(line), return_index=True)
    begins = np.flatnonzero(part[1:] == part[:-1])
    return points[begins], points[begins + 1]


def _stretches(begin, end):
    parts = np.maximum(np.ceil(np.abs(end - begin).max(axis=1) / STRETCH_DEG).astype(int), 1)
    begin_out, end_out = [], []
    for a, b, n in zip(begin, end, parts, strict=True):
        steps = a + (b - a) * np.linspace(0.0, 1.0, n + 1)[:, None]
        begin_out.append(steps[:-1])
        end_out.append(steps[1:])
    return np.vstack(begin_out), np.vstack(end_out)


def _dip(lon, lat, along, count):
    """Least distance on each of `count` stretches, by ternary search."""

    def metres(t):
        x, y = along(t)
        return GEOD.inv(np.full(count, lon), np.full(count, lat), x, y)[2]

    low, high = np.zeros(count), np.ones(count)
    for _ in range(60):
        left, right = low + (high - low) / 3.0, high - (high - low) / 3.0
        is_left = metres(left) < metres(right)
        low, high = np.where(is_left, low, left), np.where(is_left, right, high)
    ends = np.minimum(metres(np.zeros(count)), metres(np.ones(count)))
    return np.minimum(metres((low + high) / 2.0), ends)
