"""Courses of lines as chains: what tiles cut is joined, what passes a substation is cut there.

Ends are numbered `piece` for where a piece starts and `pieces + piece` for where it stops.
"""

import itertools
from dataclasses import dataclass
from typing import Self

import numpy as np
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree
from shapely.ops import substring

from geo.features import FeatureIndex
from geo.geodesy import METRES_PER_MILE, to_ecef
from geo.nearest import k_nearest

# Tiles round to 1/4096 of their side, 38 m at zoom 8 and 27 m on the ground at 45 degrees: ends that
# meet fall on one point (181,391 of 203,318 do, and no two lie between 5 and 20 m of each other).
JOINT_M = 20.0
TILE_ZOOM = 8
# A cut lies on the tile's edge itself; half a step of the tile's own grid allows for rounding.
CUT_TILE_SHARE = 1 / 8192
# The way that a line takes from its end is read this far along: vertices stand on the tile's grid, and
# a first step of 38 m knows eight directions only. About 200 m.
HEADING_DEG = 0.002
# Of 61 national substations that no end of a line comes within 400 m of, 38 stand within 20 m of a
# course of a fitting class and 41 within 100 m: a station on a course is looped in. Of spots 6 km aside 4
# in 100 have one within 100 m.
LOOP_M = 100.0
# Lines on one course: no more than this many are looked at.
MOST_NEAR = 8


@dataclass(frozen=True, eq=False)
class Courses:
    """Pieces of lines.

    Attributes
    ----------
    shape
        LineStrings in lon/lat, shape (p,).
    line
        Row of the line that each piece belongs to, shape (p,).
    """

    shape: np.ndarray
    line: np.ndarray

    @classmethod
    def of(cls, shapes: np.ndarray) -> Self:
        """Take lines apart, shape (lines,); missing and empty ones have no piece."""
        parts, line = shapely.get_parts(shapes, return_index=True)
        whole = shapely.length(parts) > 0.0
        return cls(parts[whole], line[whole])

    def ends(self) -> np.ndarray:
        """Lon/lat of the ends, shape (2p, 2)."""
        return np.concatenate(
            [shapely.get_coordinates(shapely.get_point(self.shape, at)) for at in (0, -1)]
        )

    def headings(self) -> np.ndarray:
        """Direction from each end into its piece, east and north, unit length, shape (2p, 2)."""
        reach = np.minimum(HEADING_DEG, shapely.length(self.shape))
        at = np.concatenate(
            [
                shapely.get_coordinates(shapely.line_interpolate_point(self.shape, along))
                for along in (reach, -reach)
            ]
        )
        ends = self.ends()
        way = at - ends
        way[:, 0] *= np.cos(np.radians(ends[:, 1]))
        size = np.hypot(way[:, 0], way[:, 1])
        return way / np.where(size > 0.0, size, 1.0)[:, None]

    def lengths_m(self) -> np.ndarray:
        """Length along the course, shape (p,): chords between vertices, 1e-6 short at 30 km."""
        lonlat, piece = shapely.get_coordinates(self.shape, return_index=True)
        xyz = to_ecef(lonlat[:, 0], lonlat[:, 1])
        step = np.linalg.norm(np.diff(xyz, axis=0), axis=1)
        inside = piece[1:] == piece[:-1]
        return np.bincount(piece[1:][inside], step[inside], minlength=len(self.shape))

    def cut_at(self, piece: np.ndarray, lon: np.ndarray, lat: np.ndarray) -> "Courses":
        """Cut pieces where they pass points, shape (n,): a piece and its point, in any order."""
        parts, owner = list(self.shape), list(self.line)
        for number in np.unique(piece):
            here = piece == number
            east = np.cos(np.radians(lat[here].mean()))
            course = shapely.transform(self.shape[number], lambda at, e=east: at * [e, 1.0])
            along = shapely.line_locate_point(
                course, shapely.points(np.column_stack([lon[here] * east, lat[here]]))
            )
            cut = np.array([0.0, *np.unique(along), course.length])
            cut = cut[np.append(True, np.diff(cut) > 0.0)]
            if len(cut) <= 2:
                continue
            between = [
                shapely.transform(substring(course, start, stop), lambda at, e=east: at / [e, 1.0])
                for start, stop in itertools.pairwise(cut)
            ]
            parts[number] = between[0]
            parts += between[1:]
            owner += [self.line[number]] * (len(between) - 1)
        order = np.argsort(np.array(owner), kind="stable")
        return Courses(np.array(parts, dtype=object)[order], np.array(owner)[order])


@dataclass(frozen=True, eq=False)
class Chains:
    """Chains of pieces between the nodes where their ends lie.

    Attributes
    ----------
    piece_chain
        Chain of each piece, shape (p,).
    end
        The two ends of each chain, shape (c, 2), as ends of pieces; -1 where a chain closes on itself.
    node
        Node of each of them, shape (c, 2); -1 likewise.
    node_lonlat
        Shape (nodes, 2).
    is_cut
        Whether a node is a tile's cut that nothing continues, shape (nodes,).
    """

    piece_chain: np.ndarray
    end: np.ndarray
    node: np.ndarray
    node_lonlat: np.ndarray
    is_cut: np.ndarray


def chained(courses: Courses, kv: np.ndarray, is_dc: np.ndarray) -> Chains:
    """Join pieces where tiles cut them.

    Parameters
    ----------
    courses
        The pieces.
    kv, is_dc
        Voltage class (NaN unknown) and whether a piece is direct current, shape (p,).
    """
    count = len(courses.shape)
    ends = courses.ends()
    node = meeting(ends)
    cut = np.zeros(node.max(initial=-1) + 1, dtype=bool)
    cut[node[_is_cut(ends)]] = True
    joints = _joints(node, cut, courses.headings(), np.tile(kv, 2), np.tile(is_dc, 2))
    pairs = joints % count
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    chains, chain = connected_components(graph, directed=False)

    free = np.ones(2 * count, dtype=bool)
    free[joints.ravel()] = False
    left = np.flatnonzero(free)
    left = left[np.argsort(chain[left % count], kind="stable")]
    end = np.full((chains, 2), -1)
    end[chain[left[::2] % count]] = left.reshape(-1, 2)
    first = np.full(len(cut), 2 * count)
    order = np.lexsort((ends[:, 1], ends[:, 0]))
    first[node[order[::-1]]] = order[::-1]
    return Chains(chain, end, np.where(end >= 0, node[end], -1), ends[first], cut)


def meeting(ends: np.ndarray) -> np.ndarray:
    """Join ends within `JOINT_M` into nodes: the number of each end's node, shape (n,)."""
    if not len(ends):
        return np.zeros(0, dtype=np.int64)
    pairs = KDTree(to_ecef(ends[:, 0], ends[:, 1])).query_pairs(JOINT_M, output_type="ndarray")
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(ends),) * 2)
    return connected_components(graph, directed=False)[1]


def near(
    index: FeatureIndex, lon: np.ndarray, lat: np.ndarray, reach_m: float
) -> tuple[np.ndarray, np.ndarray]:
    """Pieces within reach of points, nearest first: piece (-1 for none) and metres, shape (n, `MOST_NEAR`)."""
    number, mi = k_nearest(index, lon, lat, MOST_NEAR, max_mi=reach_m / METRES_PER_MILE)
    return number, mi * METRES_PER_MILE


def _is_cut(ends: np.ndarray) -> np.ndarray:
    """Whether an end lies on the edge of a Web Mercator tile of `TILE_ZOOM`."""
    tiles = 2**TILE_ZOOM
    x = (ends[:, 0] + 180) / 360 * tiles
    y = (1 - np.arcsinh(np.tan(np.radians(ends[:, 1]))) / np.pi) / 2 * tiles
    off_edge = np.minimum(np.abs(x - np.round(x)), np.abs(y - np.round(y)))
    return off_edge <= CUT_TILE_SHARE


def _joints(
    node: np.ndarray, cut: np.ndarray, heading: np.ndarray, kv: np.ndarray, is_dc: np.ndarray
) -> np.ndarray:
    """Pairs of ends, shape (pairs, 2), that are one line across a tile's edge.

    Where more than two ends meet, parallel lines run side by side: the pair of one class that
    continues straightest is joined first.
    """
    at = np.flatnonzero(cut[node])
    at = at[np.argsort(node[at], kind="stable")]
    starts = np.flatnonzero(np.diff(node[at], prepend=-1))
    found = []
    for ends in np.split(at, starts[1:]) if len(at) else []:
        one, other = np.triu_indices(len(ends), 1)
        a, b = ends[one], ends[other]
        unknown = np.isnan(kv[a]) | np.isnan(kv[b])
        alike = (is_dc[a] == is_dc[b]) & (
            (kv[a] == kv[b]) | (unknown & (len(ends) == 2)) | (np.isnan(kv[a]) & np.isnan(kv[b]))
        )
        bend = np.round((heading[a] * heading[b]).sum(axis=1), 9)
        taken: set[int] = set()
        for pick in np.lexsort((b, a, bend)):
            if alike[pick] and bend[pick] < 0.0 and not {a[pick], b[pick]} & taken:
                taken |= {a[pick], b[pick]}
                found.append((a[pick], b[pick]))
    return np.array(found, dtype=np.int64).reshape(-1, 2)
