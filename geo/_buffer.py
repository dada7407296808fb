"""Rings at a distance around points, lines and polygons, drawn by geodesics from each vertex.

Walk along a line there and back, or around a polygon, and draw what lies to the right at the distance: the
edges' parallels, an arc where the walk turns left, and where it turns right the corner where two parallels
meet or, where they do not reach each other, the way in to the vertex and out again. The ring crosses itself,
but it is the sum of the borders of the polygon, of strips beside the edges and of sectors about the vertices,
all of them counter-clockwise: what it winds around is the buffer, and its winding is nowhere negative.
"""

from dataclasses import dataclass

import numpy as np
import shapely

from geo.geodesy import EARTH_ECCENTRICITY_SQUARED, EARTH_EQUATOR_RADIUS_M, GEOD

# Shares of the distance: how far lines may be simplified (either way), how far all is drawn outside to make
# up for that and for the curve of long edges, how far the corners of arcs lie outside of their circle.
_SIMPLIFIED = 1e-4
_OUTSIDE = 2e-4
_CORNER = 6e-4
_STEP_DEG = 2.0 * np.degrees(np.arccos(1.0 / (1.0 + _CORNER)))
# Longer edges are divided. Edges straight in lon/lat are not geodesics, but their parallels run alongside:
# this leaves 1e-5 of the distance.
_LONGEST_DEG = 0.25
# Never fewer, so that a tolerance in degrees is never too large.
_METRES_PER_DEG = 111_400.0
# Turns this close to a half turn are ends, which get half a circle.
_END_DEG = 179.99
# Parallels meet in one corner up to this turn, when both edges reach it with half their length: beyond, the
# earth's curve over 100 km would show in the corner.
_MOST_TURN_DEG = 90.0
# Rings cross themselves as often as their edges are short for the distance: lines are cut so that edges times
# neighbours within the distance stay below this, but into no fewer edges at once. Measured on lakes grown by
# 30 m (7 µs a vertex), 300 m (20) and 5 km (55).
_MOST_CROSSINGS = 1_000
_FEWEST_EDGES = 10


@dataclass(frozen=True)
class _Chains:
    """Lines in lon/lat without repeated vertices: vertices (v, 2), offsets (n + 1,), shape of each (n,).

    `is_shell` tells rings of polygons without holes, counter-clockwise, of which only the outside counts.
    """

    lonlat: np.ndarray
    start: np.ndarray
    owner: np.ndarray
    is_shell: np.ndarray


def buffer_pieces(shapes: np.ndarray, metres: float) -> tuple[np.ndarray, np.ndarray]:
    """Draw polygons that together cover all within `metres` of shapes.

    Returns
    -------
    Valid polygons and multipolygons in lon/lat that may reach over ±180, and the number of the shape of each.
    """
    parts, owner = singles(shapes)
    reach_m = metres * (1.0 + _OUTSIDE)
    kind = shapely.get_type_id(parts)
    points = kind == shapely.GeometryType.POINT
    circles = _circles(shapely.get_coordinates(parts[points]), reach_m)
    chains = _chains(parts[~points], owner[~points], metres)
    rings, ring_owner, around = _walked(chains, reach_m)
    # A buffer of nothing unites by winding.
    rings = shapely.buffer(rings, 0.0)
    # Rings drawn around a polygon hold it already.
    held = np.zeros(len(parts), dtype=bool)
    held[(kind == shapely.GeometryType.POLYGON) & (shapely.get_num_interior_rings(parts) == 0)] = (
        around[chains.is_shell]
    )
    bodies = (kind == shapely.GeometryType.POLYGON) & ~held
    return (
        np.concatenate([circles, rings, parts[bodies]]),
        np.concatenate([owner[points], ring_owner, owner[bodies]]),
    )


def singles(shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Take collections apart: points, lines and polygons, and the number of the shape of each."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    while (shapely.get_type_id(parts) > shapely.GeometryType.POLYGON).any():
        parts, inner = shapely.get_parts(parts, return_index=True)
        owner = owner[inner]
    there = ~shapely.is_empty(parts)
    return parts[there], owner[there]


def _chains(parts: np.ndarray, owner: np.ndarray, metres: float) -> _Chains:
    """Lines and rings, simplified and with long edges divided."""
    is_polygon = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    rings, of_polygon = shapely.get_rings(parts[is_polygon], return_index=True)
    whole = shapely.get_num_interior_rings(parts[is_polygon])[of_polygon] == 0
    turned = whole & ~shapely.is_ccw(rings)
    rings[turned] = shapely.reverse(rings[turned])
    lines = np.concatenate([parts[~is_polygon], rings])
    owner = np.concatenate([owner[~is_polygon], owner[is_polygon][of_polygon]])
    is_shell = np.concatenate([np.zeros((~is_polygon).sum(), dtype=bool), whole])
    lonlat, line = shapely.get_coordinates(lines, return_index=True)
    if len(lines):
        lines = shapely.linestrings(lonlat, indices=line)
    tolerance_deg = _SIMPLIFIED * metres / _METRES_PER_DEG
    lines = shapely.simplify(lines, tolerance_deg, preserve_topology=False)
    # (GEOS takes a line of length 0 for a bad one.)
    long = shapely.length(lines) > _LONGEST_DEG
    lines[long] = shapely.segmentize(lines[long], _LONGEST_DEG)
    lonlat, line = shapely.get_coordinates(lines, return_index=True)
    again = np.zeros(len(line), dtype=bool)
    again[1:] = (line[1:] == line[:-1]) & (lonlat[1:] == lonlat[:-1]).all(axis=1)
    start = np.searchsorted(line[~again], np.arange(len(lines) + 1))
    return _Chains(lonlat[~again], start, owner, is_shell)


def _runs(edges: np.ndarray, length_m: np.ndarray, reach_m: float) -> np.ndarray:
    """Edges to be walked at once, for chains of so many edges and so long."""
    near = np.maximum(reach_m * edges / np.maximum(length_m, 1e-9), 1.0)
    return np.ceil(np.maximum(_MOST_CROSSINGS / near, _FEWEST_EDGES)).astype(np.int64)


def _walked(chains: _Chains, reach_m: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rings about chains, the shape of each, and whether a chain was walked around, not there and back."""
    edges = np.diff(chains.start) - 1
    lone = chains.lonlat[chains.start[:-1][edges == 0]]
    chain = np.repeat(np.arange(len(edges)), edges)
    begin = np.arange(len(chain)) + chain
    here, there = chains.lonlat[begin], chains.lonlat[begin + 1]
    delta = there - here
    out, _ = _course(delta, here[:, 1])
    back, _ = _course(-delta, there[:, 1])
    _, length_m = _course(delta, (here[:, 1] + there[:, 1]) / 2.0)
    total_m = np.bincount(chain, length_m, len(edges))
    at_once = np.where(edges > 0, _runs(edges, total_m, reach_m), 1)
    around = chains.is_shell & (edges <= at_once) & (edges > 1)
    runs = -(-edges // at_once)
    of_chain, place = places(runs)
    first = (np.cumsum(edges) - edges)[of_chain] + place * at_once[of_chain]
    count = np.minimum(at_once[of_chain], edges[of_chain] - place * at_once[of_chain])
    walk, step = places(np.where(around[of_chain], count, 2 * count))
    count, closed = count[walk], around[of_chain][walk]
    is_back = step >= count
    edge = first[walk] + np.where(is_back, 2 * count - 1 - step, step)
    leaving = np.where(is_back, back[edge], out[edge])
    arriving = np.where(is_back, out[edge], back[edge]) + 180.0
    vertex = begin[edge] + ~is_back
    following = np.arange(1, len(walk) + 1)
    is_last = np.append(walk[1:] != walk[:-1], True)[: len(walk)]
    following[is_last] = np.flatnonzero(np.roll(is_last, 1))
    turn = (leaving[following] - arriving + 180.0) % 360.0 - 180.0
    turn[(~closed & (is_last | (step == count - 1))) | (np.abs(turn) > _END_DEG)] = -180.0
    shorter_m = np.minimum(length_m[edge], length_m[edge[following]])
    corners, owner = _drawn(chains.lonlat[vertex], arriving, turn, shorter_m, reach_m)
    rings = _polygons(corners, walk[owner])
    circles = _circles(lone, reach_m)
    return (
        np.concatenate([rings, circles]),
        np.concatenate([chains.owner[of_chain], chains.owner[edges == 0]]),
        around,
    )


def _drawn(
    vertex: np.ndarray,
    arriving: np.ndarray,
    turn: np.ndarray,
    shorter_m: np.ndarray,
    reach_m: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw what is right of each vertex of a walk: points in lon/lat, and the vertex of each."""
    left = turn < 0.0
    half = np.radians(np.abs(turn) / 2.0)
    meets = (turn <= _MOST_TURN_DEG) & (reach_m * np.tan(half) <= shorter_m / 2.0)
    steps = np.where(left, np.ceil(-turn / _STEP_DEG), np.where(meets, 1, 3)).astype(np.int64)
    owner, place = places(steps)
    inward = ~(left | meets)[owner]
    share = np.where(inward, place / 2.0, (place + 0.5) / steps[owner])
    per_corner = np.where(left, half / steps, np.where(meets, half, 0.0))
    metres = np.where(inward & (place == 1), 0.0, (reach_m / np.cos(per_corner))[owner])
    azimuth = arriving[owner] + 90.0 + share * turn[owner]
    return _at(vertex[owner], azimuth, metres), owner


def _circles(centre: np.ndarray, reach_m: float) -> np.ndarray:
    steps = int(np.ceil(360.0 / _STEP_DEG))
    owner, place = places(np.full(len(centre), steps))
    metres = np.full(len(owner), reach_m / np.cos(np.pi / steps))
    return _polygons(_at(centre[owner], place * -360.0 / steps, metres), owner)


def _course(delta: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Azimuth of a line straight in lon/lat at a latitude, and its length by the scale there in metres.

    Radii of curvature M and N of the ellipsoid: Torge & Müller, Geodesy, 4.1.3.
    """
    sin_lat = np.sin(np.radians(lat))
    squared = 1.0 - EARTH_ECCENTRICITY_SQUARED * sin_lat**2
    normal_m = EARTH_EQUATOR_RADIUS_M / np.sqrt(squared)
    meridian_m = normal_m * (1.0 - EARTH_ECCENTRICITY_SQUARED) / squared
    east = np.radians(delta[:, 0]) * normal_m * np.sqrt(1.0 - sin_lat**2)
    north = np.radians(delta[:, 1]) * meridian_m
    return np.degrees(np.arctan2(east, north)), np.hypot(east, north)


def _at(centre: np.ndarray, azimuth: np.ndarray, metres: np.ndarray) -> np.ndarray:
    """Points at azimuths and geodesic distances, longitudes running on over ±180."""
    lon, lat = centre[:, 0].copy(), centre[:, 1].copy()
    lon_at, lat_at = GEOD.fwd(lon, lat, azimuth, metres)[:2]
    return np.column_stack([lon + (np.asarray(lon_at) - lon + 180.0) % 360.0 - 180.0, lat_at])


def places(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Owner and place of each member of runs of so many."""
    owner = np.repeat(np.arange(len(counts)), counts)
    return owner, np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)


def _polygons(corners: np.ndarray, owner: np.ndarray) -> np.ndarray:
    if not len(owner):
        return np.array([], dtype=object)
    return shapely.polygons(shapely.linearrings(corners, indices=owner))
