"""Covered shares of raster cells by clipping each cell with shapely, and statistics over them."""

import itertools

import numpy as np
import pyproj
import shapely
from hypothesis import strategies as st
from rasterio.io import MemoryFile


def to_plane(shapes, crs, longest_deg=0.01):
    """Lon/lat shapes with their long edges cut, in the plane of a raster."""
    project = pyproj.Transformer.from_crs("OGC:CRS84", crs, always_xy=True)
    if pyproj.CRS(crs).to_epsg() == 4326:
        return np.asarray(shapes, dtype=object)
    cut = np.array([_cut(shape, longest_deg) for shape in shapes], dtype=object)
    return shapely.transform(cut, project.transform, interleaved=False)


def place(transform, column, row):
    """Coordinates in the raster's plane of a place in cell units."""
    a, b, c, d, e, f = transform[:6]
    return a * column + b * row + c, d * column + e * row + f


def statistics(shape, values, transform, below=(), classes=()):
    """Known share, mean, max, min, shares at or under thresholds, and of classes, of one planar shape."""
    height, width = values.shape
    rows, columns = np.indices(values.shape)
    corners = [(0, 0), (1, 0), (1, 1), (0, 1)]
    boxes = shapely.polygons(
        np.stack(
            [np.stack(place(transform, columns + x, rows + y), axis=-1) for x, y in corners], axis=2
        ).reshape(height * width, 4, 2)
    )
    # The plane's coordinates are large and cells small: clip near the origin.
    west, south, *_ = shapely.bounds(shape)
    boxes = shapely.transform(boxes, lambda xy: xy - [west, south])
    shape = shapely.transform(shape, lambda xy: xy - [west, south])
    cell = abs(transform.determinant)
    share = shapely.area(shapely.intersection(boxes, shape)) / cell
    share[share <= 1e-9 * min(1.0, shape.area / cell)] = 0.0
    flat = values.ravel()
    hit = (share > 0.0) & ~np.isnan(flat)
    known = share[hit].sum()
    if not hit.any():
        unknown = np.full(len(below), np.nan), np.full(len(classes), np.nan)
        return 0.0, np.nan, np.nan, np.nan, *unknown
    found = flat[hit]
    return (
        known * cell / shape.area,
        (share[hit] * found).sum() / known,
        found.max(),
        found.min(),
        np.array([share[hit][found <= limit].sum() / known for limit in below]),
        np.array([share[hit][found == value].sum() / known for value in classes]),
    )


def open_raster(values, transform, crs, nodata=None, scale=1.0, offset=0.0):
    """Raster in memory, open for reading."""
    file = MemoryFile()
    with file.open(
        driver="GTiff", height=values.shape[0], width=values.shape[1], count=1,
        dtype=values.dtype, transform=transform, crs=crs, nodata=nodata,
    ) as dataset:  # fmt: skip
        dataset.write(values, 1)
        dataset.scales, dataset.offsets = (scale,), (offset,)
    return file.open()


@st.composite
def planar_shapes(draw, size=12.0):
    """A valid shape in cell units, about 0..size: star, hole, parts, sliver, on cell borders, tiny, outside."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(
        st.sampled_from(
            [
                "star",
                "hole",
                "touching hole",
                "parts",
                "sliver",
                "grid",
                "tiny",
                "beyond",
                "doubled",
            ]
        )
    )
    middle = rng.uniform(0.0, size, 2)
    star = _star(middle, rng.uniform(0.3, size / 2), rng)
    if kind == "hole":
        return star.difference(shapely.affinity.scale(star, 0.5, 0.5, origin=shapely.Point(middle)))
    if kind == "touching hole":
        outer = shapely.box(1, 1, 9, 9)
        return shapely.Polygon(outer.exterior, [[(1, 5), (5, 3), (5, 7)]])
    if kind == "parts":
        return shapely.union_all([star, _star(rng.uniform(0, size, 2), 1.5, rng)])
    if kind == "sliver":
        turn = rng.uniform(0, 2 * np.pi)
        ends = np.array([turn, turn + 1e-4, turn + np.pi, turn + np.pi + 1e-4])
        return shapely.Polygon(middle + 4.0 * np.column_stack([np.cos(ends), np.sin(ends)]))
    if kind == "grid":
        west, south = rng.integers(-1, 8, 2)
        east, north = np.array([west, south]) + rng.integers(1, 6, 2)
        return shapely.box(west, south, east, north)
    if kind == "tiny":
        return _star(np.round(middle), 10.0 ** rng.uniform(-4, -1), rng)
    if kind == "beyond":
        return _star(rng.choice([-1.0, size + 1.0], 2), size / 2, rng)
    if kind == "doubled":
        xy = np.repeat(shapely.get_coordinates(star), 2, axis=0)
        middles = (xy[:-1] + xy[1:]) / 2.0
        return shapely.Polygon(np.stack([xy[:-1], middles], axis=1).reshape(-1, 2))
    return star


def _star(middle, radius, rng):
    count = rng.integers(3, 15)
    angle = (np.arange(count) + rng.uniform(0.1, 0.9, count)) * 2 * np.pi / count
    reach = radius * rng.uniform(0.4, 1.0, count)
    return shapely.Polygon(
        np.asarray(middle) + np.column_stack([np.cos(angle), np.sin(angle)]) * reach[:, None]
    )


def _cut(shape, longest_deg):
    parts = []
    for part in shapely.get_parts(shape):
        rings = [
            _cut_ring(shapely.get_coordinates(ring), longest_deg)
            for ring in shapely.get_rings(part)
        ]
        parts.append(shapely.Polygon(rings[0], rings[1:]))
    return shapely.MultiPolygon(parts)


def _cut_ring(xy, longest_deg):
    out = []
    for start, end in itertools.pairwise(xy):
        count = max(int(np.ceil(np.abs(end - start).max() / longest_deg)), 1)
        out += [start + (end - start) * (k / count) for k in range(count)]
    return np.array([*out, xy[-1]])
