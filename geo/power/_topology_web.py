"""Chains of lines with their classes, and what meets at their nodes."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import KDTree

from geo.features import FeatureIndex
from geo.geodesy import to_ecef
from geo.power import _topology_courses as courses
from geo.power import _topology_sites as sites
from geo.power._topology_courses import Chains, Courses
from geo.power._topology_kv import KV_TOLERANCE, infer_classes

# Below this a line is distribution here: California's 60 and 66 kV are the lowest that are called
# transmission.
LOWEST_KV = 60.0
# Dead ends within 40 m of a line of their own class have a named substation in 7 of 100 cases, beyond in
# 77 of 100; 40 m is a step of the tiles' grid.
ON_COURSE_M = 40.0
# A course that ends this near meets the node in a yard, it does not pass.
PASSING_M = 200.0
# A line beside another runs within a step of the tiles' grid of it at these shares of its length.
BESIDE_M = 45.0
BESIDE_AT = (0.3, 0.5, 0.7)


@dataclass(frozen=True, eq=False)
class Classes:
    """Voltage classes of lines, shape (lines,).

    Attributes
    ----------
    kv
        Lower end of the class, which names it; NaN unknown or direct current.
    top_kv
        Upper end, inf where open or unknown.
    is_dc, is_low
        Direct current; under `LOWEST_KV`.
    """

    kv: np.ndarray
    top_kv: np.ndarray
    is_dc: np.ndarray
    is_low: np.ndarray

    @classmethod
    def of(cls, line: pd.DataFrame) -> Self:
        """Read from the columns of `core.line`."""
        low, high = (line[name].to_numpy(float) for name in ("kv_min", "kv_max"))
        is_dc = line["is_dc"].fillna(False).to_numpy(bool)
        is_low = ~is_dc & (np.fmax(low, high) < LOWEST_KV)
        kv = np.where(np.isnan(low), np.where(np.isnan(high), np.nan, LOWEST_KV), low)
        kv[is_dc | is_low] = np.nan
        return cls(kv, np.where(np.isnan(high), np.inf, high), is_dc, is_low)


@dataclass(frozen=True, eq=False)
class Web:
    """Chains and nodes of all lines.

    Attributes
    ----------
    laid, chains, classes
        Pieces, the chains that they form, and the classes of their lines.
    kv, confidence
        Class of each chain, given or inferred, and its probability, shape (c,); NaN unknown.
    is_dc, is_used
        Direct current; whether a chain counts, shape (c,): those of unknown class and those that end
        where they begin do not.
    met
        What meets at each node, direct current apart.
    """

    laid: Courses
    chains: Chains
    classes: Classes
    kv: np.ndarray
    confidence: np.ndarray
    is_dc: np.ndarray
    is_used: np.ndarray
    met: sites.Meetings
    index: FeatureIndex

    @classmethod
    def of(cls, shapes: np.ndarray, classes: Classes, given: pd.DataFrame) -> Self:
        """Loop in given substations, join what tiles cut, infer classes and see what meets."""
        shapes = shapes.copy()
        shapes[classes.is_low] = None
        laid = Courses.of(shapes)
        index = FeatureIndex.from_lines(laid.shape, edges="lonlat")
        cut = _looped_in(laid, index, classes, given)
        if cut is not laid:
            laid, index = cut, FeatureIndex.from_lines(cut.shape, edges="lonlat")
        chains = courses.chained(laid, classes.kv[laid.line], classes.is_dc[laid.line])
        count, nodes = len(chains.end), len(chains.node_lonlat)
        kv = np.full(count, -np.inf)
        np.fmax.at(kv, chains.piece_chain, classes.kv[laid.line])
        kv[np.isinf(kv)] = np.nan
        is_dc = np.zeros(count, dtype=bool)
        is_dc[chains.piece_chain] = classes.is_dc[laid.line]

        at = sites.given_at(
            chains.node_lonlat, np.full(nodes, sites.TAP_SNAP_M), np.full(nodes, np.nan), given
        )
        limit_kv = np.append(given["kv_max"].to_numpy(float), np.nan)[at]
        ac_node = np.where(is_dc[:, None], -1, chains.node)
        beside = _beside(laid, index, chains, kv)
        kv, confidence = infer_classes(kv, ac_node, limit_kv, beside)
        is_used = (is_dc | ~np.isnan(kv)) & (chains.node[:, 0] != chains.node[:, 1])
        heading = np.where((chains.end >= 0)[:, :, None], laid.headings()[chains.end], 0.0)
        met = sites.meetings(np.where(is_used[:, None], ac_node, -1), kv, heading, nodes)
        return cls(laid, chains, classes, kv, confidence, is_dc, is_used, met, index)

    def kinds(self, plant: pd.DataFrame | None) -> tuple[np.ndarray, np.ndarray]:
        """Kind of each node, and the chain that a dead end taps in its course (-1 for none)."""
        lonlat = self.chains.node_lonlat
        xyz = to_ecef(lonlat[:, 0], lonlat[:, 1])
        has_plant = np.zeros(len(xyz), dtype=bool)
        if plant is not None and len(xyz):
            bulk = plant[(plant["grid_kv"] >= LOWEST_KV) & plant["lon"].notna()]
            if len(bulk):
                tree = KDTree(to_ecef(bulk["lon"].to_numpy(float), bulk["lat"].to_numpy(float)))
                has_plant = np.isfinite(tree.query(xyz, distance_upper_bound=sites.PLANT_M)[0])
        course = np.full(len(xyz), sites.OPEN)
        tapped = np.full(len(xyz), -1)
        chain, side = np.nonzero((self.is_used & ~self.is_dc)[:, None] & (self.chains.node >= 0))
        dead = self.chains.node[chain, side]
        alone = (self.met.degree[dead] == 1) & ~self.chains.is_cut[dead]
        own, dead = chain[alone], dead[alone]
        piece, _ = courses.near(self.index, lonlat[dead, 0], lonlat[dead, 1], ON_COURSE_M)
        other = np.where(piece >= 0, self.chains.piece_chain[piece], -1)
        passes = (other >= 0) & (other != own[:, None]) & self.is_used[other] & ~self.is_dc[other]
        for end in self.chains.node[other].transpose(2, 0, 1):
            passes &= np.linalg.norm(xyz[end] - xyz[dead][:, None], axis=2) > PASSING_M
        same = passes & (self.kv[other] == self.kv[own][:, None])
        course[dead] = np.select(
            [same.any(axis=1), passes.any(axis=1)], [sites.TAP, sites.ON_COURSE], sites.OPEN
        )
        first = np.take_along_axis(other, same.argmax(axis=1)[:, None], axis=1)[:, 0]
        tapped[dead] = np.where(same.any(axis=1), first, -1)
        return sites.kinds(self.met, self.chains.is_cut, course, has_plant), tapped


def _looped_in(
    laid: Courses, index: FeatureIndex, classes: Classes, given: pd.DataFrame
) -> Courses:
    """Cut the courses on which given substations stand that no end comes near."""
    ends = laid.ends()
    stated = given[given["kv_max"].notna()]
    if stated.empty or not len(ends):
        return laid
    lon, lat, kv = (stated[name].to_numpy(float) for name in ("lon", "lat", "kv_max"))
    tree = KDTree(to_ecef(ends[:, 0], ends[:, 1]))
    metres, _ = tree.query(to_ecef(lon, lat), distance_upper_bound=sites.SNAP_M)
    alone = np.isinf(metres)
    lon, lat, kv = lon[alone], lat[alone], kv[alone]
    piece, _ = courses.near(index, lon, lat, courses.LOOP_M)
    line = laid.line[piece]
    fits = (piece >= 0) & ~classes.is_dc[line] & ~np.isnan(classes.kv[line])
    fits &= classes.kv[line] * KV_TOLERANCE <= kv[:, None]
    fits &= classes.top_kv[line] >= kv[:, None] * KV_TOLERANCE
    first = np.take_along_axis(piece, fits.argmax(axis=1)[:, None], axis=1)[:, 0]
    on = fits.any(axis=1)
    return laid.cut_at(first[on], lon[on], lat[on]) if on.any() else laid


def _beside(laid: Courses, index: FeatureIndex, chains: Chains, kv: np.ndarray) -> np.ndarray:
    """Class of the known line that each unknown chain runs beside, shape (c,); NaN for none."""
    beside = np.full(len(kv), np.nan)
    length = shapely.length(laid.shape)
    # The longest piece speaks for its chain.
    order = np.lexsort((-length, chains.piece_chain))
    longest = order[np.searchsorted(chains.piece_chain[order], np.arange(len(kv)))]
    open_ = np.flatnonzero(np.isnan(kv))
    said = []
    for share in BESIDE_AT:
        spot = shapely.line_interpolate_point(laid.shape[longest[open_]], share, normalized=True)
        lonlat = shapely.get_coordinates(spot)
        piece, _ = courses.near(index, lonlat[:, 0], lonlat[:, 1], BESIDE_M)
        near_kv = np.where(piece >= 0, kv[chains.piece_chain[piece]], np.nan)
        first = (~np.isnan(near_kv)).argmax(axis=1)[:, None]
        said.append(np.take_along_axis(near_kv, first, axis=1)[:, 0])
    beside[open_] = np.where((said[0] == said[1]) & (said[1] == said[2]), said[0], np.nan)
    return beside
