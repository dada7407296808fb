"""Nasty shapes, and slow ways to their validity and measures."""

import itertools
import struct

import numpy as np
import shapely
from hypothesis import strategies as st

from tests.oracle.geodesic import GEOD
from tests.oracle.shapes import places, seeds

# The real parcels of the mirror.
REAL = ("Rhode_Island.gpkg", "cambridge_ma_fy2013.parquet", "maricopa_az_rural.parquet")


@st.composite
def nasty_polygons(draw, most=12):
    """Polygons on a coarse grid, shape (n,): edges cross, touch, overlap and fold; holes lie anywhere.

    Corners of the grid are what makes shapes touch; moved by a bit of a double they nearly do.
    """
    rng = np.random.default_rng(draw(seeds))
    lon, lat = draw(places)
    size_deg = 10.0 ** draw(st.floats(-6.0, -1.0))
    kind = draw(st.sampled_from(["grid", "turned", "nudged"]))
    shapes = np.array([_nasty(rng) for _ in range(most)], dtype=object)
    turn = rng.uniform(0, 2 * np.pi) if kind == "turned" else 0.0
    cos, sin = np.cos(turn), np.sin(turn)

    def place(xy):
        x, y = xy.T
        out = np.column_stack([x * cos - y * sin, x * sin + y * cos]) * size_deg + (lon, lat)
        if kind == "nudged":
            seed = np.random.default_rng(1)
            # The same corner stays the same corner, so that rings stay closed.
            corners, which = np.unique(xy, axis=0, return_inverse=True)
            nudge = seed.integers(-2, 3, (len(corners), 2)) * np.spacing(100.0)
            out += nudge[which.ravel()]
        return out

    return np.array([shapely.transform(shape, place) for shape in shapes], dtype=object)


def _nasty(rng):
    kind = rng.integers(0, 5)
    if kind == 0:
        return shapely.MultiPolygon([_with_holes(rng) for _ in range(rng.integers(1, 4))])
    if kind == 1:
        # Mostly valid: boxes apart or side by side, with small holes.
        boxes = [shapely.box(x, y, x + 2, y + 2) for x, y in rng.integers(0, 7, (3, 2))]
        return shapely.MultiPolygon(boxes[: rng.integers(1, 4)])
    if kind == 2:
        hole = rng.integers(0, 5, 2)
        other = rng.integers(0, 5, 2)
        holes = [shapely.box(x, y, x + 1, y + 1).exterior for x, y in (hole, other)]
        return shapely.Polygon(shapely.box(0, 0, 5, 5).exterior, holes[: rng.integers(1, 3)])
    if kind == 3:
        return _with_holes(rng)
    # Around a point: valid but for chance.
    count = rng.integers(3, 30)
    angle = np.sort(rng.uniform(0, 2 * np.pi, count))
    far = rng.uniform(0.3, 3.0, count)
    return shapely.Polygon(np.column_stack([far * np.cos(angle), far * np.sin(angle)]))


def _with_holes(rng):
    rings = [_ring(rng, 6) for _ in range(rng.integers(1, 4))]
    return shapely.Polygon(rings[0], rings[1:])


def _ring(rng, size):
    corners = rng.integers(0, size, (rng.integers(3, 9), 2)).astype(float)
    # Vertices twice or three times, and back and forth along an edge.
    corners = np.repeat(corners, rng.choice([1, 1, 1, 2, 3], len(corners)), axis=0)
    return np.vstack([corners, corners[:1]])


def wkb(shape, *, little=True, width=2, extended=False, srid=None, is_open=False):
    """Well-known binary of a polygon or multipolygon, written by hand."""
    order = "<" if little else ">"
    head = struct.pack("B", 1 if little else 0)
    has_z, has_m = width >= 3, width == 4
    # Three ordinates: heights in extended form, measures in ISO's, so that both are met.
    if width == 3 and not extended:
        has_z, has_m = False, True

    def kind_of(number, *, outer):
        if extended:
            number |= (0x80000000 if has_z else 0) | (0x40000000 if has_m else 0)
            if outer and srid is not None:
                return struct.pack(order + "II", number | 0x20000000, srid)
            return struct.pack(order + "I", number)
        return struct.pack(order + "I", number + 1000 * has_z + 2000 * has_m)

    def polygon(one, *, outer):
        rings = [] if one.is_empty else [one.exterior, *one.interiors]
        out = head + kind_of(3, outer=outer) + struct.pack(order + "I", len(rings))
        for ring in rings:
            xy = shapely.get_coordinates(ring)
            xy = xy[:-1] if is_open else xy
            vertices = np.column_stack([xy, *(np.arange(len(xy)) for _ in range(width - 2))])
            out += struct.pack(order + "I", len(xy)) + vertices.astype(order + "f8").tobytes()
        return out

    if shape.geom_type == "Polygon":
        return polygon(shape, outer=True)
    parts = [polygon(one, outer=False) for one in shape.geoms]
    return head + kind_of(6, outer=True) + struct.pack(order + "I", len(parts)) + b"".join(parts)


def repaired(shapes):
    """Shapes as GEOS repairs them, one by one; None where it gives up."""
    out = []
    for shape in shapes:
        try:
            out.append(shapely.make_valid(shape, method="structure", keep_collapsed=False))
        except shapely.GEOSException:
            out.append(None)
    return np.array(out, dtype=object)


def perimeter_m(shape):
    """Length of all rings, edges straight in lon/lat: by Geod over steps of at most 0.01 degrees."""
    total = 0.0
    for ring in shapely.get_rings(shapely.get_parts(shape)):
        lon, lat = shapely.get_coordinates(shapely.segmentize(ring, 0.01)).T
        total += GEOD.line_length(lon, lat)
    return total


def minimum_width(points):
    """Least distance between parallel lines that hold points: over the edges of their hull."""
    hull = shapely.get_coordinates(shapely.MultiPoint(points).convex_hull)
    if len(hull) < 4:
        return 0.0
    best = np.inf
    for a, b in itertools.pairwise(hull):
        along = (b - a) / np.hypot(*(b - a))
        off = (hull - a) @ np.array([-along[1], along[0]])
        best = min(best, off.max() - off.min())
    return best


def azimuthal(shape):
    """The shape in metres around the middle of its bounds, azimuthal equidistant by Geod."""
    west, south, east, north = shape.bounds
    lon0, lat0 = (west + east) / 2.0, (south + north) / 2.0

    def place(xy):
        count = len(xy)
        away, _, metres = GEOD.inv(np.full(count, lon0), np.full(count, lat0), *xy.T)
        away = np.radians(away)
        return np.column_stack([metres * np.sin(away), metres * np.cos(away)])

    return shapely.transform(shape, place)


def hilbert_key(column, row, bits):
    """Textbook: the curve's cell number of a cell, turned quadrant by quadrant."""
    side = 1 << bits
    key = 0
    size = side // 2
    while size:
        right, up = int(column & size > 0), int(row & size > 0)
        key += size * size * ((3 * right) ^ up)
        if not up:
            if right:
                column, row = side - 1 - column, side - 1 - row
            column, row = row, column
        size //= 2
    return key


def inscribed_diameter_m(flat):
    """Diameter of the largest circle in a shape in metres: GEOS, part by part, to 1 mm or 0.01 %."""
    parts = [part for part in shapely.get_parts(flat) if part.area > 0]
    sizes = [np.sqrt(part.area) for part in parts]
    found = [
        2.0 * shapely.maximum_inscribed_circle(part, tolerance=max(1e-3, 1e-4 * size)).length
        for part, size in zip(parts, sizes, strict=True)
    ]
    return max(found)


def distance_to_edge_m(shape, lon, lat):
    """Metres from a point to the nearest edge, in the azimuthal plane around the point's shape."""
    flat = azimuthal(shapely.GeometryCollection([shape, shapely.Point(lon, lat)]))
    outline, point = shapely.get_parts(flat)
    return shapely.distance(shapely.boundary(outline), point)
