"""The feeding substation by looking at every one, with Geod distances."""

import numpy as np

from tests.oracle.geodesic import GEOD, METRES_PER_MILE, edge_to_point_m


def feeding(lon, lat, shape, stations, headroom_mw, reach_mi, useful_mw):
    """(number, miles) for a parcel; `shape` None measures from the point."""
    found = []
    for number, ((x, y), mw) in enumerate(zip(stations, headroom_mw, strict=True)):
        metres = GEOD.inv(lon, lat, x, y)[2] if shape is None else edge_to_point_m(shape, x, y)
        miles = metres / METRES_PER_MILE
        if miles <= reach_mi:
            found.append((-min(mw, useful_mw) * (1 - miles / reach_mi), miles, number))
    return (min(found)[2], min(found)[1]) if found else (-1, np.nan)
