"""Share of cells at sample points, by the whole matrix of Geod distances."""

import numpy as np

from tests.oracle.geodesic import all_pairs_m


def cell_share(lon, lat, grid_lon, grid_lat, share, half_diagonal_km, covered):
    metres = all_pairs_m(lon.ravel(), lat.ravel(), grid_lon, grid_lat)
    values = []
    for row, is_covered in zip(metres, covered.ravel(), strict=True):
        holds = [i for i in range(len(share)) if row[i] <= half_diagonal_km[i] * 1000.0]
        finest = _nearest_of(
            [i for i in holds if half_diagonal_km[i] == min(half_diagonal_km[holds])], row
        )
        values.append(share[finest] if finest is not None else (0.0 if is_covered else np.nan))
    values = np.array(values).reshape(lon.shape)
    return np.array([np.mean(v[~np.isnan(v)]) if (~np.isnan(v)).any() else np.nan for v in values])


def _nearest_of(cells, metres):
    """The nearest; of those less than a millimetre apart the first."""
    least = min((metres[i] for i in cells), default=np.inf)
    return next((i for i in cells if metres[i] < least + 0.001), None)
