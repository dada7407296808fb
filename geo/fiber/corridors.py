"""Lines of rights of way to corridors: one line where several run side by side, cut where they meet.

All in a plane of metres. Interstates are drawn as two carriageways (29 m apart in the middle, within 500 m
on 98.6 % of their length), and fiber on both is in one right of way; so of lines that run within `SAME_M` of
one another the longest stays. Where lines cross they are taken to be joined. Ends that stop short of another
line, which the drawing of ramps, state borders and the removal of parallels leave, are joined to it up to
`JOIN_M`.
"""

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

# Lines this near to a longer one are the same right of way.
SAME_M = 500.0
# What crosses another right of way stays: at a right angle it is within 2 * SAME_M of it, at 20 degrees 3 km.
CROSSING_M = 3_000.0
# Ends this near to another line are joined to it: the caps of two removed stretches leave as much.
JOIN_M = 2 * SAME_M
# Coordinates are whole metres, so that lines which meet have a vertex in common.
GRID_M = 1.0


def corridors(lines: np.ndarray) -> np.ndarray:
    """Join lines into corridors that meet only at their ends.

    Parameters
    ----------
    lines
        Shapely lines in metres of a projected CRS, in any order; without empty ones.

    Returns
    -------
    np.ndarray
        LineStrings with coordinates in whole metres, loops among them, which touch at their ends only. The
        same ones in the same order, whatever the order and direction of `lines`.
    """
    lines = _sorted(shapely.get_parts(lines))
    if len(lines) == 0:
        return lines
    lines = _node(_thin(lines))
    parts = _parts(lines)
    while len(stubs := _stubs(lines, parts)):
        lines = _node(np.concatenate([lines, stubs]))
        before, parts = parts, _parts(lines)
        if parts.max() == before.max():
            break
    # What is one network may have gaps yet.
    return _sorted(_node(np.concatenate([lines, _stubs(lines, np.arange(len(lines)))])))


def _sorted(lines: np.ndarray) -> np.ndarray:
    """Lines with a length, each in one of its directions, in the order of their bytes."""
    lines = lines[shapely.length(lines) > 0.0]
    # shapely.normalize would also turn a loop, so that it no longer begins where other lines meet it.
    turned = shapely.reverse(lines)
    wkb, turned_wkb = shapely.to_wkb(lines), shapely.to_wkb(turned)
    lines = np.where(wkb <= turned_wkb, lines, turned)
    return lines[np.argsort(np.minimum(wkb, turned_wkb), kind="stable")]


def _node(lines: np.ndarray) -> np.ndarray:
    """Cut lines where they meet, and join those between which nothing branches off."""
    cut = shapely.union_all(lines, grid_size=GRID_M)
    return shapely.get_parts(shapely.line_merge(cut))


def _thin(lines: np.ndarray) -> np.ndarray:
    """Leave out what runs along a longer line."""
    lines = _sorted(shapely.get_parts(shapely.line_merge(shapely.multilinestrings(lines))))
    lines = lines[np.argsort(-shapely.length(lines), kind="stable")]
    line, near = shapely.STRtree(lines).query(lines, predicate="dwithin", distance=SAME_M)
    longer = near < line
    order = np.lexsort((near[longer], line[longer]))
    line, near = line[longer][order], near[longer][order]
    first = np.searchsorted(line, np.arange(len(lines) + 1))
    around = np.full(len(lines), None, dtype=object)
    kept: list[np.ndarray] = []
    for number, one in enumerate(lines):
        beside = [around[n] for n in near[first[number] : first[number + 1]] if around[n]]
        rest = _off(one, shapely.union_all(beside)) if beside else lines[number : number + 1]
        if len(rest):
            kept.append(rest)
            around[number] = shapely.buffer(shapely.multilinestrings(rest), SAME_M, quad_segs=4)
    return np.concatenate(kept)


def _off(line: shapely.LineString, cover: shapely.Geometry) -> np.ndarray:
    """Parts of a line outside of a cover, and short ones inside; none when nothing lies outside."""
    outside = shapely.get_parts(shapely.difference(line, cover))
    outside = outside[shapely.length(outside) > 0.0]
    if len(outside) == 0:
        return outside
    inside = shapely.get_parts(shapely.intersection(line, cover))
    length_m = shapely.length(inside)
    return np.concatenate([outside, inside[(length_m > 0.0) & (length_m < CROSSING_M)]])


def _stubs(lines: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Straight lines from loose ends to the nearest line of another group within `JOIN_M`."""
    ends, place = _ends(lines)
    owner = np.tile(np.arange(len(lines)), 2)
    loose = np.flatnonzero(np.bincount(place)[place] == 1)
    end, other = shapely.STRtree(lines).query(ends[loose], predicate="dwithin", distance=JOIN_M)
    end = loose[end]
    foreign = group[owner[end]] != group[other]
    end, other = end[foreign], other[foreign]
    order = np.lexsort((other, shapely.distance(ends[end], lines[other]), end))
    end, other = end[order], other[order]
    _, nearest = np.unique(end, return_index=True)
    return shapely.shortest_line(ends[end[nearest]], lines[other[nearest]])


def _parts(lines: np.ndarray) -> np.ndarray:
    """Give each line the number of the connected part that it is in."""
    _, place = _ends(lines)
    begin, end = place.reshape(2, len(lines))
    size = (place.max() + 1, place.max() + 1)
    joined = coo_array((np.ones(len(lines)), (begin, end)), shape=size)
    return connected_components(joined, directed=False)[1][begin]


def _ends(lines: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First points of all lines, then their last points; and the number of each one's place."""
    ends = np.concatenate([shapely.get_point(lines, 0), shapely.get_point(lines, -1)])
    place = np.unique(shapely.get_coordinates(ends), axis=0, return_inverse=True)[1]
    return ends, place.ravel()
