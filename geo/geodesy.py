"""Constants and coordinates of the WGS84 ellipsoid, and the checks of lon/lat input that kernels share."""

import functools

import geopandas as gpd
import numpy as np
import pyproj
import shapely

from geo.errors import CrsError, GeometryError

EARTH_EQUATOR_RADIUS_M = 6_378_137.0
EARTH_POLAR_RADIUS_M = 6_356_752.314245179
EARTH_ECCENTRICITY_SQUARED = 1.0 - (EARTH_POLAR_RADIUS_M / EARTH_EQUATOR_RADIUS_M) ** 2
# Radii of curvature of the ellipsoid at their extremes: along the meridian at the equator, and at a pole.
EARTH_SHORTEST_CURVATURE_RADIUS_M = EARTH_POLAR_RADIUS_M**2 / EARTH_EQUATOR_RADIUS_M
EARTH_LONGEST_CURVATURE_RADIUS_M = EARTH_EQUATOR_RADIUS_M**2 / EARTH_POLAR_RADIUS_M
METRES_PER_MILE = 1609.344
KM_PER_MILE = 1.609344
SQUARE_METRES_PER_ACRE = 4046.8564224
GEOD = pyproj.Geod(ellps="WGS84")


def geodesic_km(
    lon: np.ndarray | float,
    lat: np.ndarray | float,
    other_lon: np.ndarray | float,
    other_lat: np.ndarray | float,
) -> np.ndarray:
    """Geodesic kilometres (WGS84) between pairs of points in degrees, shape (n,); one point stands for all."""
    begin_lon, begin_lat, end_lon, end_lat = np.broadcast_arrays(lon, lat, other_lon, other_lat)
    return np.asarray(GEOD.inv(begin_lon, begin_lat, end_lon, end_lat)[2]) / 1_000.0


def to_ecef(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Earth-centred, earth-fixed coordinates of points on the ellipsoid (height 0).

    Parameters
    ----------
    lon, lat
        Degrees, WGS84, shape (n,).

    Returns
    -------
    Metres, shape (n, 3); NaN rows where a coordinate is NaN.
    """
    lon_rad = np.radians(np.asarray(lon, dtype=np.float64))
    lat_rad = np.radians(np.asarray(lat, dtype=np.float64))
    sin_lat = np.sin(lat_rad)
    normal_m = EARTH_EQUATOR_RADIUS_M / np.sqrt(1.0 - EARTH_ECCENTRICITY_SQUARED * sin_lat**2)
    xyz = np.empty((*lon_rad.shape, 3))
    across_m = normal_m * np.cos(lat_rad)
    xyz[..., 0] = across_m * np.cos(lon_rad)
    xyz[..., 1] = across_m * np.sin(lon_rad)
    xyz[..., 2] = normal_m * (1.0 - EARTH_ECCENTRICITY_SQUARED) * sin_lat
    return xyz


def to_lon_lat(xyz: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Longitude and latitude in degrees of points *on* the ellipsoid: the inverse of `to_ecef`."""
    lon = np.degrees(np.arctan2(xyz[..., 1], xyz[..., 0]))
    across_m = np.hypot(xyz[..., 0], xyz[..., 1]) * (1.0 - EARTH_ECCENTRICITY_SQUARED)
    return lon, np.degrees(np.arctan2(xyz[..., 2], across_m))


def lonlat_geometries(geometries: gpd.GeoSeries | np.ndarray) -> np.ndarray:
    """Geometries as an array of 2-D shapes, after checking that they are lon/lat WGS84.

    A plain array is taken to be lon/lat. Missing geometries stay None.

    Raises
    ------
    CrsError
        For a GeoSeries whose CRS is neither EPSG:4326 nor OGC:CRS84.
    GeometryError
        For coordinates that are NaN or outside of ±180, ±90 degrees.
    """
    if isinstance(geometries, gpd.GeoSeries):
        if geometries.crs is None:
            msg = "The geometries have no CRS; set it with set_crs('OGC:CRS84') if they are longitude/latitude."
            raise CrsError(msg)
        if not is_lonlat(geometries.crs):
            msg = f"The geometries are in {geometries.crs.name}; convert them with to_crs('OGC:CRS84')."
            raise CrsError(msg)
    shapes = shapely.force_2d(np.asarray(geometries, dtype=object))
    coordinates, owner = shapely.get_coordinates(shapes, return_index=True)
    lon, lat = coordinates[:, 0], coordinates[:, 1]
    bad = ~((np.abs(lon) <= 180.0) & (np.abs(lat) <= 90.0))
    if bad.any():
        first = int(np.argmax(bad))
        msg = (
            f"Geometry {owner[first]} has the coordinate ({lon[first]:g}, {lat[first]:g}), which is no "
            "longitude/latitude; repair it or drop it."
        )
        raise GeometryError(msg)
    return shapes


def lonlat_arrays(
    lon: np.ndarray, lat: np.ndarray, what: str = "point"
) -> tuple[np.ndarray, np.ndarray]:
    """Longitudes and latitudes as float64 arrays of one shape, after checking that they are degrees.

    Raises
    ------
    GeometryError
        When shapes differ, or a coordinate is NaN or outside of ±180, ±90 degrees.
    """
    lon = np.asarray(lon, dtype=np.float64)
    lat = np.asarray(lat, dtype=np.float64)
    if lon.shape != lat.shape:
        msg = f"Longitudes {lon.shape} and latitudes {lat.shape} differ in shape; pass one pair a {what}."
        raise GeometryError(msg)
    bad = ~((np.abs(lon) <= 180.0) & (np.abs(lat) <= 90.0))
    if bad.any():
        first = int(np.argmax(bad))
        msg = (
            f"{what.capitalize()} {first} lies at ({lon.flat[first]:g}, {lat.flat[first]:g}), which is no "
            "longitude/latitude; reject it before it is measured."
        )
        raise GeometryError(msg)
    return lon, lat


@functools.lru_cache(maxsize=32)
def is_lonlat(crs: pyproj.CRS) -> bool:
    """Whether a CRS is longitude/latitude on WGS84, so that no vertex need be moved.

    PROJ looks a CRS without an authority's code up among all that it knows, which takes a third of a second.
    """
    return crs.to_authority() in {("EPSG", "4326"), ("OGC", "CRS84")} or crs.to_epsg() == 4326
