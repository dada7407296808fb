"""Places along a Hilbert curve over the globe, so that neighbours in arrays are neighbours on the ground."""

import numpy as np

from geo._jit import jit
from geo._threads import in_threads
from geo.geodesy import lonlat_arrays

# Cells of 360° / 2^24: 2.4 m at the equator.
BITS = 24


def hilbert_key(lon: np.ndarray, lat: np.ndarray, *, workers: int = -1) -> np.ndarray:
    """Give places their numbers along a Hilbert curve (D. Hilbert, Math. Ann. 38, 1891).

    The curve runs through a square of 360 by 360 degrees, of which latitudes take the lower half, in
    2^24 cells a side; the grid is the same for every call. Consecutive cells share an edge.

    Parameters
    ----------
    lon, lat
        Degrees, WGS84, shape (n,).
    workers
        Threads; -1 takes all cores.

    Returns
    -------
    uint64, shape (n,), below 2^48; equal within a cell.

    Raises
    ------
    GeometryError
        For coordinates that are NaN or no degrees.
    """
    lon, lat = (np.ascontiguousarray(value).ravel() for value in lonlat_arrays(lon, lat))
    out = np.empty(lon.size, dtype=np.int64)
    in_threads(lambda part: _keys(lon[part], lat[part], BITS, out[part]), lon.size, workers)
    return out.view(np.uint64)


def hilbert_order(lon: np.ndarray, lat: np.ndarray, *, workers: int = -1) -> np.ndarray:
    """Sort the places along the curve: row numbers, int64, shape (n,); those of a cell stay in order."""
    return np.argsort(hilbert_key(lon, lat, workers=workers), kind="stable")


@jit
def _keys(lon, lat, bits, out) -> None:  # noqa: ANN001 - numba infers the types
    side = 1 << bits
    scale = side / 360.0
    for i in range(len(lon)):
        x = min(int((lon[i] + 180.0) * scale), side - 1)
        y = min(int((lat[i] + 90.0) * scale), side - 1)
        key = 0
        for bit in range(bits - 1, -1, -1):
            right, up = (x >> bit) & 1, (y >> bit) & 1
            key = (key << 2) | ((3 * right) ^ up)
            # Turn the quadrant so that the curve within it begins where that of the one before ends:
            # flip both where it is the lower right, swap them where it is a lower one. Without branches,
            # since none could be foreseen.
            flip = -(right & (1 - up))
            x, y = x ^ flip, y ^ flip
            swap = (x ^ y) & (up - 1)
            x, y = x ^ swap, y ^ swap
        out[i] = key
