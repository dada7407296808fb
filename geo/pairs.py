"""All pairs of points within a radius, with their geodesic distance."""

import numpy as np
from scipy.spatial import KDTree

from geo.geodesy import (
    METRES_PER_MILE,
    arc_to_longest_chord_m,
    lonlat_arrays,
    surface_m,
    to_ecef,
)


def pairs_within(
    lon: np.ndarray,
    lat: np.ndarray,
    feature_lon: np.ndarray,
    feature_lat: np.ndarray,
    radius_mi: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pair every point with every feature within a radius.

    Parameters
    ----------
    lon, lat
        Degrees, WGS84, shape (n,).
    feature_lon, feature_lat
        Degrees, WGS84, shape (m,).
    radius_mi
        Geodesic miles.

    Returns
    -------
    tuple
        Point number, feature number and miles, shape (pairs,), ordered by point then feature.

    Raises
    ------
    GeometryError
        For coordinates that are NaN or no degrees.
    """
    here = to_ecef(*lonlat_arrays(lon, lat))
    there = to_ecef(*lonlat_arrays(feature_lon, feature_lat, "feature"))
    reach_m = radius_mi * METRES_PER_MILE
    found = KDTree(here).sparse_distance_matrix(
        KDTree(there), float(arc_to_longest_chord_m(np.array(reach_m))), output_type="ndarray"
    )
    order = np.lexsort((found["j"], found["i"]))
    point, feature = found["i"][order], found["j"][order]
    metres = surface_m(here[point], there[feature])
    inside = metres <= reach_m
    return point[inside], feature[inside], metres[inside] / METRES_PER_MILE
