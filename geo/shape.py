"""Measures of a parcel's shape: area, perimeter, compactness, width, and the largest circle inside."""

from dataclasses import dataclass

import numpy as np

from geo import _inner, _shape
from geo._threads import in_threads
from geo.geodesy import SQUARE_METRES_PER_ACRE, to_lon_lat
from geo.polygons import Polygons

# Half of the metre to which diameters are found.
TOLERANCE_M = 0.5
# Shapes a thread takes at once; scratch memory goes with the largest of them.
BLOCK = 1_024


@dataclass(frozen=True, eq=False)
class ShapeMeasures:
    """Shapes of parcels, float64, shape (n,); NaN for a shape without vertices.

    Attributes
    ----------
    area_acres
        On the ellipsoid, holes taken off: in EPSG:6933, where no area is distorted, edges straight in it.
    perimeter_m
        Of shells and holes, edges straight in lon/lat.
    compactness
        Polsby and Popper (Yale Law & Policy Review 9, 1991): 4 pi area / perimeter². 1 for a circle, 0.79
        for a square, 0.03 for a ribbon of 1 to 100.
    minimum_width_m
        Least distance of two parallel lines that hold the parcel, all its parts.
    inscribed_diameter_m
        Diameter of the largest circle inside one of its parts and clear of its holes: a circle that does
        fit, at most a metre or 1 % smaller than the largest (5 % of the width where that is less).
    """

    area_acres: np.ndarray
    perimeter_m: np.ndarray
    compactness: np.ndarray
    minimum_width_m: np.ndarray
    inscribed_diameter_m: np.ndarray


def shape_measures(polygons: Polygons, workers: int = -1) -> ShapeMeasures:
    """Measure the shapes of polygons.

    Widths and circles are metric to 1e-6 for parcels of 10 km, 1e-4 for those of 90 km.

    Parameters
    ----------
    polygons
        Valid, lon/lat WGS84.
    workers
        Threads; -1 takes all cores. Neither they nor other parcels change a bit.
    """
    out, _ = _measure(polygons, workers)
    area_m2, perimeter_m, width_m, diameter_m = np.ascontiguousarray(out.T)
    area_acres = area_m2 / SQUARE_METRES_PER_ACRE
    compactness = polsby_popper(area_acres, perimeter_m)
    return ShapeMeasures(area_acres, perimeter_m, compactness, width_m, diameter_m)


def area_and_perimeter(polygons: Polygons, workers: int = -1) -> tuple[np.ndarray, np.ndarray]:
    """Measure area (acres) and perimeter (m) alone, bit for bit as `shape_measures`, in a sixth of the time.

    Parameters
    ----------
    polygons
        Valid, lon/lat WGS84.
    workers
        Threads; -1 takes all cores.

    Returns
    -------
    float64, each of shape (n,); NaN for a shape without vertices.
    """
    area_m2, perimeter_m = np.empty(len(polygons)), np.empty(len(polygons))
    arrays = (polygons.lonlat, polygons.ecef, polygons.plane)
    starts = (polygons.ring_start, polygons.part_start, polygons.shape_start)
    in_threads(
        lambda part: _shape.outlines(*arrays, *starts, part.start, part.stop, area_m2, perimeter_m),
        len(polygons),
        workers,
    )
    return area_m2 / SQUARE_METRES_PER_ACRE, perimeter_m


def polsby_popper(area_acres: np.ndarray, perimeter_m: np.ndarray) -> np.ndarray:
    """Compactness, 4 pi area / perimeter²: see `ShapeMeasures.compactness`."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return 4.0 * np.pi * area_acres * SQUARE_METRES_PER_ACRE / perimeter_m**2


def inner_points(polygons: Polygons, workers: int = -1) -> tuple[np.ndarray, np.ndarray]:
    """Take one point inside of each shape: its centroid, if that lies inside.

    Otherwise the middle of the largest circle that fits inside, and where even that lies outside (shapes so
    thin that a straight edge is not what it is in lon/lat) the middle of a stretch along a parallel.

    Parameters
    ----------
    polygons
        Valid, lon/lat WGS84, none empty.
    workers
        Threads; -1 takes all cores. Neither they nor other parcels change a bit.

    Returns
    -------
    Longitudes and latitudes in degrees, each of shape (n,).
    """
    points, inside = np.empty((len(polygons), 2)), np.empty(len(polygons), dtype=bool)
    starts = (polygons.ring_start, polygons.part_start, polygons.shape_start)
    in_threads(
        lambda part: _inner.centroids(
            polygons.lonlat, *starts, part.start, part.stop, points, inside
        ),
        len(polygons),
        workers,
    )
    lost = np.flatnonzero(~inside)
    if len(lost):
        few = polygons.take(lost)
        _, middle = _measure(few, workers)
        found = np.column_stack(to_lon_lat(middle))
        starts = (few.lonlat, few.ring_start, few.part_start, few.shape_start)
        is_in = np.empty(len(few), dtype=bool)
        _inner.contain(*starts, 0, len(few), found, is_in)
        if not is_in.all():
            across = np.empty_like(found)
            _inner.midway(*starts, 0, len(few), across)
            found[~is_in] = across[~is_in]
        points[lost] = found
    return np.ascontiguousarray(points[:, 0]), np.ascontiguousarray(points[:, 1])


def shape_keys(polygons: Polygons) -> np.ndarray:
    """Hash the outlines of shapes, wherever rings begin, whichever way they run, in any order of parts.

    Sums of the hashes of edges: equal for equal outlines, and for no others but by a chance of 2^-64.

    Returns
    -------
    uint64, shape (n,).
    """
    if not len(polygons):
        return np.empty(0, dtype=np.uint64)
    # -0 is 0.
    bits = (polygons.lonlat + 0.0).view(np.uint64)
    vertex = _mixed(_mixed(bits[:, 0]) + bits[:, 1])
    edge = _mixed(vertex[:-1] + vertex[1:])
    is_edge = np.ones(len(edge), dtype=bool)
    is_edge[polygons.ring_start[1:-1] - 1] = False
    is_edge &= (polygons.lonlat[:-1] != polygons.lonlat[1:]).any(axis=1)
    total = np.zeros(len(vertex) + 1, dtype=np.uint64)
    np.cumsum(np.where(is_edge, edge, np.uint64(0)), out=total[1:-1])
    total[-1] = total[-2]
    start = polygons.vertex_start
    return total[start[1:]] - total[start[:-1]]


def _mixed(bits: np.ndarray) -> np.ndarray:
    """Stir 64 bits (the finalizer of SplitMix64: Steele, Lea, Flood, 2014)."""
    bits = bits + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def _measure(polygons: Polygons, workers: int) -> tuple[np.ndarray, np.ndarray]:
    out, middle = np.empty((len(polygons), 4)), np.empty((len(polygons), 3))
    arrays = (polygons.lonlat, polygons.ecef, polygons.plane)
    starts = (polygons.ring_start, polygons.part_start, polygons.shape_start)
    in_threads(
        lambda part: _shape.measure(
            *arrays, *starts, part.start, part.stop, TOLERANCE_M, out, middle
        ),
        len(polygons),
        workers,
        block=BLOCK,
    )
    return out, middle
