"""Distances and areas on the WGS84 ellipsoid, and the checks of lon/lat input that kernels share."""

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

# Chords up to here become geodesics in closed form (0.6 mm); longer ones are left to Geod.
_CLOSED_FORM_M = 500_000.0
_INVERSE_SQUARED_AXES = (
    np.array([EARTH_EQUATOR_RADIUS_M, EARTH_EQUATOR_RADIUS_M, EARTH_POLAR_RADIUS_M]) ** -2
)


def geodesic_m(
    lon1: np.ndarray, lat1: np.ndarray, lon2: np.ndarray, lat2: np.ndarray
) -> np.ndarray:
    """Exact geodesic distances between pairs of points.

    Karney's algorithm (C. F. F. Karney, "Algorithms for geodesics", J. Geodesy 87, 2013) through
    `pyproj.Geod`: errors of nanometres, ~0.8 µs a pair.

    Parameters
    ----------
    lon1, lat1, lon2, lat2
        Degrees, WGS84; any shapes that broadcast together.

    Returns
    -------
    Metres, the broadcast shape; NaN where a coordinate is NaN.
    """
    arrays = np.broadcast_arrays(
        *(np.asarray(value, dtype=np.float64) for value in (lon1, lat1, lon2, lat2))
    )
    if not arrays[0].size:
        return np.empty(arrays[0].shape)
    lon1, lat1, lon2, lat2 = (np.ravel(value) for value in arrays)
    _, _, metres = GEOD.inv(lon1, lat1, lon2, lat2)
    return np.asarray(metres).reshape(arrays[0].shape)


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


def to_surface(xyz: np.ndarray) -> np.ndarray:
    """Points near the ellipsoid, moved onto it along the line to the earth's centre."""
    return xyz / np.sqrt(xyz**2 @ _INVERSE_SQUARED_AXES)[..., None]


def surface_m(here: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Geodesic distances between pairs of points given as ECEF on the ellipsoid.

    The chord is bent onto a circle whose curvature is that of the ellipsoid's normal section along
    the chord at its middle (for the surface x'Ax = 1 and a unit tangent t: t'At / |Ax|). Against
    Geod, measured: 2 µm at 161 km, 0.1 mm at 322 km, 0.6 mm at 500 km; beyond, Geod itself is used.

    Parameters
    ----------
    here, there
        Metres, shapes (..., 3) that broadcast together.

    Returns
    -------
    Metres, shape (...); NaN where a coordinate is NaN.
    """
    delta = there - here
    middle = (there + here) / 2.0
    chord_squared = np.einsum("...i,...i", delta, delta)
    chord_m = np.sqrt(chord_squared)
    with np.errstate(invalid="ignore", divide="ignore"):
        curvature = (delta**2 @ _INVERSE_SQUARED_AXES) / chord_squared
        curvature *= np.sqrt(
            (middle**2 @ _INVERSE_SQUARED_AXES) / (middle**2 @ _INVERSE_SQUARED_AXES**2)
        )
        metres = 2.0 / curvature * np.arcsin(np.minimum(chord_m * curvature / 2.0, 1.0))
    metres = np.where(chord_m < 1e-9, chord_m, metres)
    far = chord_m > _CLOSED_FORM_M
    if far.any():
        here, there = np.broadcast_arrays(here, there)
        metres[far] = geodesic_m(*to_lon_lat(here[far]), *to_lon_lat(there[far]))
    return metres


def chord_to_arc_m(chord_m: np.ndarray | float, lat: np.ndarray) -> np.ndarray:
    """Geodesic distances for ECEF chords whose direction is not known.

    Uses the Gaussian mean radius of curvature sqrt(M N) at `lat` (Torge & Müller, Geodesy, 4.1.3).
    Against Geod within the 48 states, `lat` being either end: ±3.4 cm at 161 km, ±0.3 m at 322 km.

    Parameters
    ----------
    chord_m
        Metres.
    lat
        Degrees, latitude of either end; broadcasts with `chord_m`.

    Returns
    -------
    Metres; NaN where an input is NaN.
    """
    radius_m = mean_curvature_radius_m(lat)
    return 2.0 * radius_m * np.arcsin(np.minimum(np.asarray(chord_m) / (2.0 * radius_m), 1.0))


def arc_to_chord_m(arc_m: np.ndarray | float, lat: np.ndarray) -> np.ndarray:
    """ECEF chords for geodesic distances: the inverse of `chord_to_arc_m`, equally exact."""
    radius_m = mean_curvature_radius_m(lat)
    return 2.0 * radius_m * np.sin(np.minimum(np.asarray(arc_m) / (2.0 * radius_m), np.pi / 2.0))


def arc_to_longest_chord_m(arc_m: np.ndarray | float) -> np.ndarray:
    """Upper bound of the ECEF chord of any geodesic of this length, anywhere: for search radii."""
    radius_m = EARTH_LONGEST_CURVATURE_RADIUS_M
    return 2.0 * radius_m * np.sin(np.minimum(np.asarray(arc_m) / (2.0 * radius_m), np.pi / 2.0))


def chord_to_shortest_arc_m(chord_m: np.ndarray | float) -> np.ndarray:
    """Lower bound of the geodesic distance of any ECEF chord of this length, anywhere.

    A circle of the ellipsoid's longest radius of curvature bends least, so its arc is the shortest.
    A chord can be longer than no geodesic allows (rounding): it is taken as the diameter.
    """
    radius_m = EARTH_LONGEST_CURVATURE_RADIUS_M
    return 2.0 * radius_m * np.arcsin(np.clip(np.asarray(chord_m) / (2.0 * radius_m), 0.0, 1.0))


def mean_curvature_radius_m(lat: np.ndarray) -> np.ndarray:
    """Gaussian mean radius of curvature sqrt(M N) = a sqrt(1 - e²) / (1 - e² sin² lat), in metres."""
    sin_lat = np.sin(np.radians(np.asarray(lat, dtype=np.float64)))
    polar_m = EARTH_EQUATOR_RADIUS_M * np.sqrt(1.0 - EARTH_ECCENTRICITY_SQUARED)
    return polar_m / (1.0 - EARTH_ECCENTRICITY_SQUARED * sin_lat**2)


def area_acres(geometries: gpd.GeoSeries | np.ndarray) -> np.ndarray:
    """Areas of polygons on the ellipsoid.

    Projected to EPSG:6933 (cylindrical equal area, WGS84), where no area is distorted. Edges mean what
    they mean in RFC 7946: straight in lon/lat. `Geod.geometry_area_perimeter` joins vertices by geodesics
    instead; for compact polygons the two differ by under 1e-5 of the area up to 1 km across, 1e-4 up to
    20 km, 1e-3 up to 300 km, and by 1e-7 once the edges are densified.

    Parameters
    ----------
    geometries
        Polygons or multipolygons, lon/lat WGS84, shape (n,); holes are taken off.

    Returns
    -------
    Acres, shape (n,); NaN for a missing geometry, 0 for an empty one.

    Raises
    ------
    CrsError
        For a GeoSeries whose CRS is neither EPSG:4326 nor OGC:CRS84.
    GeometryError
        For coordinates that are NaN or no degrees.
    """
    shapes = lonlat_geometries(geometries)
    projected = shapely.transform(shapes, _to_equal_area().transform, interleaved=False)
    return shapely.area(projected) / SQUARE_METRES_PER_ACRE


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
        if not _is_lonlat(geometries.crs):
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


@functools.lru_cache(maxsize=16)
def _is_lonlat(crs: pyproj.CRS) -> bool:
    return crs.to_authority() in {("EPSG", "4326"), ("OGC", "CRS84")} or crs.to_epsg() == 4326


@functools.lru_cache(maxsize=1)
def _to_equal_area() -> pyproj.Transformer:
    return pyproj.Transformer.from_crs("OGC:CRS84", "EPSG:6933", always_xy=True)
