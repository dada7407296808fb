"""People of a raster by a plain loop over its cells with pyproj and shapely."""

import itertools

import numpy as np
import pyproj
import shapely

GEOD = pyproj.Geod(ellps="WGS84")


def cells(values, transform, crs, *, density=False):
    """Longitude, latitude and people of each cell with somebody; NaN and 0 are nobody."""
    to_lonlat = pyproj.Transformer.from_crs(crs, "OGC:CRS84", always_xy=True)
    found = []
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            people = float(values[row, column])
            if not people > 0.0:
                continue
            if density:
                people *= area_km2(transform, row, column, to_lonlat)
            found.append((*to_lonlat.transform(*(transform @ (column + 0.5, row + 0.5))), people))
    return np.array(found).reshape(-1, 3)


def area_km2(transform, row, column, to_lonlat, pieces=64):
    """Area of a cell whose edges, straight in the raster's plane, are cut before Geod takes them."""
    corners = [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]
    ring = [
        (column + x0 + (x1 - x0) * k / pieces, row + y0 + (y1 - y0) * k / pieces)
        for (x0, y0), (x1, y1) in itertools.pairwise(corners)
        for k in range(pieces)
    ]
    lon, lat = to_lonlat.transform(*np.array([transform @ place for place in ring]).T)
    return abs(GEOD.polygon_area_perimeter(lon, lat)[0]) / 1e6


def by_state(found, shapes, state_ids):
    """People by state of the cells whose centre is in a shape; the first that holds it."""
    totals = dict.fromkeys(state_ids, 0.0)
    for lon, lat, people in found:
        point = shapely.Point(lon, lat)
        holds = (
            state for shape, state in zip(shapes, state_ids, strict=True) if shape.intersects(point)
        )
        state = next(holds, None)
        if state is not None:
            totals[state] += people
    return totals
