"""True geodesic buffers: all ground within some metres of points, lines and polygons."""

import geopandas as gpd
import numpy as np
import shapely

from geo._buffer import buffer_pieces
from geo._threads import in_threads
from geo.errors import GeometryError
from geo.geodesy import EARTH_SHORTEST_CURVATURE_RADIUS_M, lonlat_geometries

MOST_M = 100_000.0
# Beyond this latitude edges straight in lon/lat bend too much.
MOST_LAT_DEG = 80.0
# Shapes buffered at once, by a thread: what bounds the memory.
BLOCK = 256


def buffer_m(
    geometries: gpd.GeoSeries | np.ndarray, metres: float, *, workers: int = -1
) -> np.ndarray:
    """Grow shapes by a geodesic distance.

    Each vertex and each edge is given its own circle and strip by geodesics from it (Karney, through
    `pyproj.Geod`), so that no projection bends a long line's buffer. The border lies outside of the true one,
    or on it: its distance from the shape is `metres` at least and 1.001 times that at most (circles are
    drawn by tangents, 0.06 % outside at the corners).

    Parameters
    ----------
    geometries
        Points, lines, polygons and collections of them in EPSG:4326 or OGC:CRS84, edges straight in
        lon/lat, shape (n,). Polygons that cross themselves are mended first.
    metres
        Above 0, at most 100 km.
    workers
        Threads; -1 takes all cores.

    Returns
    -------
    Valid polygons and multipolygons in lon/lat with straight edges, shape (n,), cut at ±180 degrees where
    they reach over it; None for a missing shape, an empty polygon for an empty one.

    Raises
    ------
    CrsError
        For a GeoSeries whose CRS is neither EPSG:4326 nor OGC:CRS84.
    GeometryError
        For coordinates that are no degrees, a distance out of range, and buffers that reach beyond 80 degrees north or
        south.
    """
    if not 0.0 < metres <= MOST_M:
        msg = f"The buffer is {metres} m; it must be above 0 and at most {MOST_M:,.0f} m."
        raise GeometryError(msg)
    shapes = lonlat_geometries(geometries)
    _refuse_polar(shapes, metres)
    out = shapes.copy()
    there = np.flatnonzero(~shapely.is_missing(shapes))
    # Large shapes first, so that no thread is left with one.
    there = there[np.argsort(-shapely.get_num_coordinates(shapes[there]), kind="stable")]

    def grow(part: slice) -> None:
        rows = there[part]
        out[rows] = _grown(shapes[rows], metres)

    in_threads(grow, len(there), workers, block=BLOCK)
    return out


def _grown(shapes: np.ndarray, metres: float) -> np.ndarray:
    shapes = shapes.copy()
    bad = (shapely.get_dimensions(shapes) == 2) & ~shapely.is_valid(shapes)
    shapes[bad] = shapely.make_valid(shapes[bad], method="structure", keep_collapsed=True)
    pieces, owner = buffer_pieces(shapes, metres)
    order = np.argsort(owner, kind="stable")
    pieces, owner = pieces[order], owner[order]
    out = np.full(len(shapes), shapely.Polygon(), dtype=object)
    alone = np.bincount(owner, minlength=len(shapes))[owner] == 1
    out[owner[alone]] = pieces[alone]
    parts, inner = shapely.get_parts(pieces[~alone], return_index=True)
    several, group = np.unique(owner[~alone][inner], return_inverse=True)
    if len(several):
        grouped = shapely.multipolygons(parts, indices=group)
        out[several] = shapely.union_all(grouped[:, None], axis=1)
    over = np.flatnonzero((np.abs(shapely.bounds(out)) > 180.0)[:, [0, 2]].any(axis=1))
    for i in over:
        out[i] = _cut_at_180(out[i])
    return out


def _cut_at_180(shape: shapely.Geometry) -> shapely.Geometry:
    """Bring back what reaches over the antimeridian."""
    strips = []
    for turn in (-360.0, 0.0, 360.0):
        moved = shapely.transform(shape, lambda xy, turn=turn: xy + np.array([turn, 0.0]))
        strips.append(shapely.intersection(moved, shapely.box(-180.0, -90.0, 180.0, 90.0)))
    return shapely.union_all([strip for strip in strips if shapely.area(strip) > 0.0])


def _refuse_polar(shapes: np.ndarray, metres: float) -> None:
    bounds = shapely.bounds(shapes)
    reach_deg = np.degrees(1.001 * metres / EARTH_SHORTEST_CURVATURE_RADIUS_M)
    far = np.abs(bounds[:, [1, 3]]).max(axis=1, initial=0.0) + reach_deg > MOST_LAT_DEG
    if far.any():
        msg = f"The buffer of geometry {int(np.argmax(far))} reaches beyond 80 degrees north or south; leave it out."
        raise GeometryError(msg)
