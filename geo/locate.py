"""Which polygon holds a point: counties, states, zones."""

import geopandas as gpd
import numpy as np
import shapely

from geo import _inside
from geo._threads import in_threads
from geo.features import FeatureIndex
from geo.geodesy import METRES_PER_MILE, lonlat_arrays, lonlat_geometries
from geo.nearest import nearest

# Shorter than any degree of latitude on the ellipsoid (110,574 m at the equator).
METRES_PER_LAT_DEGREE = 110_000.0


def locate(
    lon: np.ndarray,
    lat: np.ndarray,
    polygons: gpd.GeoSeries | np.ndarray,
    *,
    max_gap_mi: float = 0.0,
    workers: int = -1,
) -> np.ndarray:
    """Index of the polygon that holds each point.

    Parameters
    ----------
    lon, lat
        Points, degrees, WGS84, shape (n,).
    polygons
        Polygons or multipolygons in EPSG:4326 or OGC:CRS84, edges straight in lon/lat, shape (m,).
        Missing and empty ones hold nothing.
    max_gap_mi
        A point that lies in no polygon is given to the one whose edge is nearest, if that is within
        so many geodesic miles: substations on a coast that the map cuts off.
    workers
        Threads; -1 takes all cores.

    Returns
    -------
    int64, shape (n,): position in `polygons`, the lowest where several hold the point (shared
    borders) or are equally near; -1 where none does.

    Raises
    ------
    CrsError
        For a GeoSeries whose CRS is neither EPSG:4326 nor OGC:CRS84.
    GeometryError
        For coordinates that are NaN or no degrees.
    """
    lon, lat = lonlat_arrays(lon, lat)
    shapes = lonlat_geometries(polygons)
    areas = _areas(shapes)
    points = np.column_stack([lon.ravel(), lat.ravel()])
    found = np.empty(lon.size, dtype=np.int64)
    in_threads(
        lambda rows: _inside.lowest_holding(areas, points, rows.start, rows.stop, found),
        lon.size,
        workers,
    )
    if max_gap_mi > 0.0:
        lost = np.flatnonzero(found < 0)
        found[lost] = _nearest_polygon(lon[lost], lat[lost], shapes, max_gap_mi)
    return found


def _areas(shapes: np.ndarray) -> _inside.Areas:
    """Index shapes as areas, in flat arrays; those that are missing, empty or no polygon hold nothing."""
    parts, shape = shapely.get_parts(shapes, return_index=True)
    is_polygon = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    parts, shape = parts[is_polygon], shape[is_polygon]
    rings, part = shapely.get_rings(parts, return_index=True)
    lonlat, ring = shapely.get_coordinates(rings, return_index=True)
    ring_start = np.searchsorted(ring, np.arange(len(rings) + 1))
    first_ring = np.searchsorted(shape[part], np.arange(len(shapes) + 1))
    return _inside.index_areas(lonlat, ring_start, first_ring)


def _nearest_polygon(
    lon: np.ndarray, lat: np.ndarray, shapes: np.ndarray, max_gap_mi: float
) -> np.ndarray:
    """Find the polygon whose edge is nearest to points that lie in none; -1 beyond the gap."""
    none = np.full(lon.size, -1, dtype=np.int64)
    if not lon.size or not len(shapes):
        return none
    # Only edges near a point are cut into pieces: boxes that surely cover the gap, unioned.
    lat_deg = max_gap_mi * METRES_PER_MILE / METRES_PER_LAT_DEGREE
    widest_lat = np.minimum(np.abs(lat) + lat_deg, 89.0)
    lon_deg = lat_deg / np.cos(np.radians(widest_lat))
    boxes = shapely.box(lon - lon_deg, lat - lat_deg, lon + lon_deg, lat + lat_deg)
    near = np.unique(shapely.STRtree(shapes).query(boxes)[1])
    edges = shapely.boundary(shapes[near])
    lines = shapely.get_parts(edges)
    owner = near[np.repeat(np.arange(len(near)), shapely.get_num_geometries(edges))]
    segments, part = _segments(lines)
    hit = np.unique(shapely.STRtree(segments).query(boxes)[1])
    if not hit.size:
        return none
    # Features in order of their polygons: a tie goes to the lowest.
    index = FeatureIndex.from_lines(segments[hit], edges="lonlat")
    feature_no, _ = nearest(index, lon, lat, max_mi=max_gap_mi)
    return np.where(feature_no >= 0, owner[part[hit]][feature_no], -1)


def _segments(lines: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split lines into two-point lines, with the number of the line that each is of."""
    points, line = shapely.get_coordinates(lines, return_index=True)
    begins = np.flatnonzero(line[1:] == line[:-1])
    return shapely.linestrings(np.stack([points[begins], points[begins + 1]], axis=1)), line[begins]
