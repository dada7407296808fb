"""Nearest features (points, lines, polygons) to points and to the edges of parcels, exact on the ellipsoid."""

import geopandas as gpd
import numpy as np

from geo import _nearest
from geo._threads import in_threads
from geo.errors import GeometryError
from geo.features import FeatureIndex, require_kind, to_ecef
from geo.geodesy import METRES_PER_MILE, lonlat_arrays, lonlat_geometries
from geo.polygons import Polygons

# Edges of parcels and lines run up to 8 cm aside from, or under, where they should: less is touching.
TOUCH_M = 0.1
POLYGON_TYPES = {3, 6}


def nearest(
    index: FeatureIndex,
    lon: np.ndarray,
    lat: np.ndarray,
    *,
    max_mi: float = np.inf,
    workers: int = -1,
) -> tuple[np.ndarray, np.ndarray]:
    """Nearest feature to each point.

    Parameters
    ----------
    index
        The features.
    lon, lat
        Degrees, WGS84, shape (n,). Points that follow each other on the ground, in Hilbert order say,
        are answered two to four times as fast.
    max_mi
        Features farther than this count as none.
    workers
        Threads; -1 takes all cores.

    Returns
    -------
    feature_no
        int64, shape (n,); -1 where no feature is within `max_mi`. Of features less than 1 mm apart
        in distance the one with the lowest number.
    distance_mi
        Geodesic miles, shape (n,); NaN where there is none. Against Geod: 0.1 mm to points, 2 cm to
        lines and polygons, whatever the distance; 0 in a polygon.

    Raises
    ------
    GeometryError
        For coordinates that are NaN or no degrees, and for a `max_mi` that is NaN or below 0.
    """
    feature_no, distance_mi = k_nearest(index, lon, lat, 1, max_mi=max_mi, workers=workers)
    return feature_no[:, 0], distance_mi[:, 0]


def k_nearest(
    index: FeatureIndex,
    lon: np.ndarray,
    lat: np.ndarray,
    k: int,
    *,
    max_mi: float = np.inf,
    workers: int = -1,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the k nearest distinct features to each point, nearest first.

    As `nearest`, with arrays of shape (n, k), padded with -1 and NaN where there are fewer.
    """
    lon, lat = lonlat_arrays(lon, lat)
    lonlat = np.column_stack([lon.ravel(), lat.ravel()])
    each = np.arange(len(lonlat) + 1)
    return _search(index, (lonlat, to_ecef(lonlat), each, each), k, max_mi, 0.0, workers)


def nearest_edge(
    index: FeatureIndex,
    parcels: gpd.GeoSeries | np.ndarray | Polygons,
    *,
    max_mi: float = np.inf,
    workers: int = -1,
) -> tuple[np.ndarray, np.ndarray]:
    """Nearest feature to the edge of each parcel.

    Parameters
    ----------
    index
        The features.
    parcels
        Polygons or multipolygons in EPSG:4326 or OGC:CRS84, shape (n,); edges are straight in lon/lat.
        In flat arrays they are searched as they are; shapely ones are taken apart first.
    max_mi, workers
        As in `nearest`.

    Returns
    -------
    feature_no
        int64, shape (n,); -1 where no feature is within `max_mi`; ties as in `nearest`.
    distance_mi
        Geodesic miles, shape (n,); 0 where the feature touches (to 10 cm), crosses or lies inside the
        parcel, or the parcel inside a polygon (a hole is outside); NaN where there is none. Against
        Geod: within 1e-6 or 5 cm.

    Raises
    ------
    CrsError
        For a GeoSeries whose CRS is neither EPSG:4326 nor OGC:CRS84.
    GeometryError
        For a missing or empty parcel, one that is no polygon, coordinates that are no degrees, and for a
        `max_mi` that is NaN or below 0.
    """
    feature_no, distance_mi = k_nearest_edge(index, parcels, 1, max_mi=max_mi, workers=workers)
    return feature_no[:, 0], distance_mi[:, 0]


def k_nearest_edge(
    index: FeatureIndex,
    parcels: gpd.GeoSeries | np.ndarray | Polygons,
    k: int,
    *,
    max_mi: float = np.inf,
    workers: int = -1,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the k nearest distinct features to the edge of each parcel, nearest first.

    As `nearest_edge`, with arrays of shape (n, k), padded with -1 and NaN where there are fewer.
    """
    if not isinstance(parcels, Polygons):
        shapes = lonlat_geometries(parcels)
        require_kind(shapes, POLYGON_TYPES, "Parcel")
        parcels = Polygons.from_shapes(shapes)
    query = (parcels.lonlat, parcels.ecef, parcels.ring_start, parcels.first_ring)
    return _search(index, query, k, max_mi, TOUCH_M, workers)


def _search(
    index: FeatureIndex,
    query: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    k: int,
    max_mi: float,
    touch_m: float,
    workers: int,
) -> tuple[np.ndarray, np.ndarray]:
    if not max_mi >= 0.0:
        msg = f"The greatest distance is {max_mi} miles; it must be 0 or more."
        raise GeometryError(msg)
    count = len(query[-1]) - 1
    feature_no = np.full((count, k), -1, dtype=np.int64)
    metres = np.full((count, k), np.nan)
    if k < 1 or not index.feature_count:
        return feature_no, metres
    limits = (float(max_mi) * METRES_PER_MILE, touch_m, index.sag_m)
    parts = (index.piece, index.feature_no)
    in_threads(
        lambda rows: _nearest.search(
            query, parts, tuple(index.tree), index.areas, limits,
            rows.start, rows.stop, feature_no, metres,
        ),
        count,
        workers,
    )  # fmt: skip
    return feature_no, metres / METRES_PER_MILE
