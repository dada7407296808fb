"""Point in polygon and nearest polygon, one pair at a time."""

import numpy as np
import shapely

from tests.oracle.geodesic import METRES_PER_MILE, edge_to_point_m


def locate(lon, lat, polygons, max_gap_mi=0.0):
    found = []
    for x, y in zip(lon, lat, strict=True):
        holds = [i for i, polygon in enumerate(polygons) if polygon.intersects(shapely.Point(x, y))]
        if not holds and max_gap_mi:
            metres = np.array([edge_to_point_m(polygon, x, y) for polygon in polygons])
            best = int(np.argmin(metres))
            holds = [best] if metres[best] <= max_gap_mi * METRES_PER_MILE else []
        found.append(holds[0] if holds else -1)
    return np.array(found)
