"""Hypothesis strategies for points, lines and parcels in the 48 states."""

import numpy as np
import shapely
from hypothesis import Phase, settings
from hypothesis import strategies as st

from tests.oracle.geodesic import GEOD


def examples(count):
    """Settings of slow oracles: shapes come from a seed, so that shrinking costs minutes and tells little."""
    phases = (Phase.explicit, Phase.reuse, Phase.generate)
    return settings(max_examples=count, deadline=None, phases=phases, print_blob=True)


places = st.tuples(st.floats(-125.0, -66.0), st.floats(24.0, 50.0))
# From metres to a third of the country, evenly in powers of ten.
scales_m = st.floats(0.0, 6.0).map(lambda power: 10.0**power)
seeds = st.integers(0, 2**32 - 1)


@st.composite
def clusters(draw, most=40):
    """Points around a place, (n, 2); some of them twice."""
    place, scale_m, seed = draw(places), draw(scales_m), draw(seeds)
    count = draw(st.integers(1, most))
    rng = np.random.default_rng(seed)
    points = around(place, rng.uniform(0, 360, count), scale_m * rng.exponential(1.0, count) / 3.0)
    again = rng.integers(0, count, count // 4)
    return np.vstack([points, points[again]])


@st.composite
def lines(draw, most=12):
    """Lines around a place: short, long, of several parts, some of them twice or backwards."""
    place, scale_m, seed = draw(places), draw(scales_m), draw(seeds)
    rng = np.random.default_rng(seed)
    shapes = []
    for _ in range(draw(st.integers(1, most))):
        parts = []
        for _ in range(rng.integers(1, 3)):
            count = rng.integers(2, 5)
            off_m = np.minimum(scale_m * rng.exponential(1.0, count) / 5.0, 300_000.0)
            parts.append(shapely.LineString(around(place, rng.uniform(0, 360, count), off_m)))
        shapes.append(parts[0] if len(parts) == 1 else shapely.MultiLineString(parts))
    shapes.append(shapely.reverse(shapes[0]))
    return np.array(shapes, dtype=object)


@st.composite
def parcels(draw, near=None):
    """A parcel: star-shaped, with a hole, in parts, or a sliver; 30 m to 30 km across."""
    place = draw(places) if near is None else near
    seed, kind = draw(seeds), draw(st.sampled_from(["plain", "hole", "parts", "sliver"]))
    radius_m = 10.0 ** draw(st.floats(1.5, 4.5))
    rng = np.random.default_rng(seed)
    if kind == "sliver":
        turn = rng.uniform(0, 360)
        bearings = turn + np.array([0.0, 0.01, 180.0, 180.01])
        return shapely.Polygon(around(place, bearings, np.full(4, radius_m)))
    outer = _star(place, radius_m, rng)
    if kind == "hole":
        inner = shapely.affinity.scale(outer, 0.6, 0.6, origin=shapely.Point(place))
        return outer.difference(inner)
    if kind == "parts":
        other = around(place, [rng.uniform(0, 360)], [radius_m * rng.uniform(2.5, 6.0)])[0]
        return shapely.MultiPolygon([outer, _star(tuple(other), radius_m, rng)])
    return outer


def around(place, bearings_deg, metres):
    """Points at bearings and geodesic metres from a place, (n, 2)."""
    count = len(bearings_deg)
    lon, lat, _ = GEOD.fwd(
        np.full(count, place[0]),
        np.full(count, place[1]),
        bearings_deg,
        np.asarray(metres, dtype=float),
    )
    return np.column_stack([lon, lat])


def _star(place, radius_m, rng):
    count = rng.integers(3, 12)
    bearings = (np.arange(count) + rng.uniform(0.1, 0.9, count)) * 360.0 / count
    return shapely.Polygon(around(place, bearings, radius_m * rng.uniform(0.5, 1.0, count)))
