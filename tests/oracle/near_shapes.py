"""Hypothesis strategies of parcels as registers hold them, and of places where maps are cut."""

import numpy as np
import shapely
from hypothesis import strategies as st

from tests.oracle.shapes import around, parcels, seeds

# Close to the antimeridian, to the poles, and anywhere.
corners = st.one_of(
    st.tuples(st.sampled_from([-180.0, -179.999, 179.99, 180.0]), st.floats(-70.0, 70.0)),
    st.tuples(st.floats(-180.0, 180.0), st.sampled_from([-90.0, -89.99, 89.9, 90.0])),
    st.tuples(st.floats(-180.0, 180.0), st.floats(-90.0, 90.0)),
)


@st.composite
def rough_parcels(draw, near=None):
    """A valid parcel with vertices twice or on straight edges, holes, parts, or the shape of a comb."""
    parcel = draw(parcels(near=near))
    if not parcel.is_valid:
        parcel = shapely.Point(shapely.get_coordinates(parcel)[0]).buffer(0.001, quad_segs=2)
    kind = draw(st.sampled_from(["as is", "twice", "collinear", "comb", "island"]))
    if kind == "twice":
        return _doubled(parcel)
    if kind == "collinear":
        # Midpoints of box edges lie on them to the last bit.
        west, south, east, north = np.round(parcel.bounds, 3)
        east, north = max(east, west + 0.002), max(north, south + 0.002)
        half_x, half_y = west + (east - west) / 2, south + (north - south) / 2
        return shapely.Polygon(
            [
                (west, south),
                (half_x, south),
                (east, south),
                (east, half_y),
                (east, north),
                (half_x, north),
                (west, north),
                (west, half_y),
            ]
        )
    if kind == "comb":
        west, south, east, north = parcel.bounds
        teeth = [
            shapely.box(x, south, x + (east - west) / 21, north)
            for x in np.linspace(west, east, 11)
        ]
        back = shapely.box(west, south, east + (east - west) / 21, south + (north - south) / 20)
        return shapely.union_all([*teeth, back])
    if kind == "island":
        # A part in the hole of another.
        west, south, east, north = parcel.bounds
        scaled = [
            shapely.affinity.scale(shapely.box(west, south, east, north), s, s)
            for s in (1, 0.6, 0.2)
        ]
        return shapely.MultiPolygon([scaled[0] - scaled[1], scaled[2]])
    return parcel


@st.composite
def neighbours(draw, count=4):
    """Valid polygons around a place, apart, overlapping, or one within another; (shapes, place)."""
    place = draw(st.tuples(st.floats(-120.0, -70.0), st.floats(26.0, 48.0)))
    seed, scale_m = draw(seeds), 10.0 ** draw(st.floats(2.0, 5.3))
    rng = np.random.default_rng(seed)
    spots = around(place, rng.uniform(0, 360, count), scale_m * rng.random(count))
    return np.array([draw(rough_parcels(near=tuple(spot))) for spot in spots]), place


def _doubled(parcel):
    """Every vertex twice in a row."""
    parts = []
    for part in shapely.get_parts(parcel):
        rings = [np.repeat(np.array(r.coords), 2, axis=0) for r in (part.exterior, *part.interiors)]
        parts.append(shapely.Polygon(rings[0], rings[1:]))
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
