"""Sums within radii and distinct counts by the whole matrix of Geod distances."""

import numpy as np

from tests.oracle.geodesic import METRES_PER_MILE, all_pairs_m


def sums_within(lon, lat, feature_lon, feature_lat, values, radii_mi):
    """Sums of values (m, v) within each radius, (n, radii, v), and metres from the nearest circle, (n,)."""
    metres = all_pairs_m(lon, lat, feature_lon, feature_lat)
    radii_m = np.array(radii_mi) * METRES_PER_MILE
    sums = np.stack(
        [(metres <= radius_m).astype(np.int64) @ values for radius_m in radii_m], axis=1
    )
    margin_m = np.abs(metres[:, :, None] - radii_m).min(axis=(1, 2), initial=np.inf)
    return sums, margin_m


def distinct_within(lon, lat, feature_lon, feature_lat, group_no, radius_mi):
    metres = all_pairs_m(lon, lat, feature_lon, feature_lat)
    return np.array([len(set(group_no[row <= radius_mi * METRES_PER_MILE])) for row in metres])
