"""Plain shares and largest pieces after exclusions: shapely on the dissolved union; and layers to try them on."""

import numpy as np
import pyproj
import shapely
from hypothesis import strategies as st

from tests.oracle.shapes import around, places, seeds

SQUARE_METRES_PER_ACRE = 4046.8564224
_PLANE = pyproj.Transformer.from_crs("OGC:CRS84", "EPSG:6933", always_xy=True)


def to_plane(shapes):
    """Shapes in EPSG:6933 metres."""
    return shapely.transform(np.asarray(shapes), _PLANE.transform, interleaved=False)


def from_plane(shapes):
    """Shapes in lon/lat of shapes in EPSG:6933 metres."""
    return shapely.transform(
        np.asarray(shapes),
        lambda x, y: _PLANE.transform(x, y, direction="INVERSE"),
        interleaved=False,
    )


def dissolved(exclusions):
    """All exclusions as one shape in the plane."""
    valid = shapely.make_valid(to_plane(exclusions), method="structure", keep_collapsed=False)
    return shapely.union_all(valid)


def areas_m2(parcels, exclusions):
    """Excluded and whole area of each parcel, (n, 2)."""
    flat = to_plane(parcels)
    union = dissolved(exclusions)
    # Part by part: the same, but sooner.
    parts = shapely.get_parts(union)
    parcel_no, part_no = shapely.STRtree(parts).query(flat, predicate="intersects")
    common = shapely.area(shapely.intersection(flat[parcel_no], parts[part_no]))
    return np.column_stack([np.bincount(parcel_no, common, len(flat)), shapely.area(flat)])


def largest_acres(parcels, exclusions):
    """Acres of the largest polygon of each parcel less the union."""
    union = dissolved(exclusions)
    shapely.prepare(union)
    rest = to_plane(parcels)
    met = shapely.intersects(union, rest)
    rest[met] = shapely.difference(rest[met], union)
    parts, owner = shapely.get_parts(rest, return_index=True)
    largest = np.zeros(len(rest))
    np.maximum.at(largest, owner, shapely.area(parts))
    return largest / SQUARE_METRES_PER_ACRE


@st.composite
def scenes(draw, most=14):
    """Exclusions and parcels around a place, 100 m to 20 km in all: arrays of shapes.

    Among the exclusions: nested, doubled, in parts, with holes, slivers, sharing borders, crossing
    themselves; among the parcels: with holes, in parts, slivers, inside an exclusion, an exclusion itself.
    """
    place, seed = draw(places), draw(seeds)
    scale_m = 10.0 ** draw(st.floats(2.0, 4.3))
    rng = np.random.default_rng(seed)
    exclusions = [_any(place, scale_m, rng) for _ in range(draw(st.integers(1, most)))]
    first = exclusions[0]
    extra = [
        first,
        shapely.affinity.scale(first, 0.5, 0.5),
        *_grid(place, scale_m, rng),
        _bowtie(place, scale_m, rng),
    ]
    exclusions += [shape for shape in extra if rng.random() < 0.5]
    parcels = [_any(place, scale_m, rng) for _ in range(6)]
    parcels += [
        shapely.affinity.scale(first, 0.3, 0.3, origin=first.representative_point()),
        first,
        *_grid(place, scale_m, rng)[:2],
    ]
    parcels = np.array(parcels, dtype=object)
    return np.array(exclusions, dtype=object), parcels[shapely.is_valid(to_plane(parcels))]


def _any(place, scale_m, rng):
    away = around(place, [rng.uniform(0, 360)], [scale_m * rng.random()])[0]
    radius_m = scale_m * 10.0 ** rng.uniform(-1.5, 0.0)
    kind = rng.choice(["star", "hole", "parts", "sliver", "many"])
    if kind == "sliver":
        bearings = rng.uniform(0, 360) + np.array([0.0, 0.01, 180.0, 180.01])
        return shapely.Polygon(around(away, bearings, np.full(4, radius_m)))
    outer = _star(away, radius_m, rng, 200 if kind == "many" else 12)
    if kind == "hole":
        return outer.difference(shapely.affinity.scale(outer, 0.6, 0.6, origin=shapely.Point(away)))
    if kind == "parts":
        return outer.union(_star(around(away, [90.0], [2.5 * radius_m])[0], radius_m, rng, 12))
    return outer


def _star(place, radius_m, rng, most):
    count = rng.integers(3, most)
    bearings = (np.arange(count) + rng.uniform(0.1, 0.9, count)) * 360.0 / count
    return shapely.Polygon(around(place, bearings, radius_m * rng.uniform(0.5, 1.0, count)))


def _grid(place, scale_m, rng):
    """Four boxes that share borders and a corner."""
    step = scale_m / 111_000 / 4
    lon, lat = np.asarray(place) + rng.uniform(-step, step, 2)
    return [
        shapely.box(lon, lat, lon + step, lat + step),
        shapely.box(lon + step, lat, lon + 2 * step, lat + step),
        shapely.box(lon, lat + step, lon + step, lat + 2 * step),
        shapely.box(lon + step, lat + step, lon + 2 * step, lat + 2 * step),
    ]


def _bowtie(place, scale_m, rng):
    points = around(place, np.array([0.0, 180.0, 90.0, 270.0]), np.full(4, scale_m * rng.random()))
    return shapely.Polygon(points)
