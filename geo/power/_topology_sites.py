"""Which places where lines end are substations: given ones, inferred ones, and taps, which are none."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from geo.geodesy import to_ecef
from geo.power._topology_kv import KV_TOLERANCE

# Ends are as dense around a given substation as its own yard out to 400 m (five times the density
# beyond); from 500 m on they thin out like chance.
SNAP_M = 400.0
# A tap that stands 60 to 200 m beside its substation is the tap of it, not the substation: its
# two courses do not pass through.
TAP_SNAP_M = 50.0
# Given substations that are tried for one node, nearest first.
MOST_GIVEN = 8
# Places of California's file stand within 120 m of another in 546 of 4,416 cases, mostly a tap and its customer or two
# bays of one yard: less than this is one place to connect.
YARD_M = 100.0
# A line's end within 200 m of a plant's coordinates is the plant's switchyard: by chance 0.4 % are.
PLANT_M = 200.0
# Of three ends that meet, where two go on straight the third is a tap: up to 15 degrees 12 of 100 such
# places have a name in California, from 15 on half and more.
TAP_BEND_DEG = 15.0
TAP_ENDS = 3
# HIFLD's substations from 230 kV on are given: a line of that class that ends elsewhere ends at a
# station built since, or where its course was not drawn on.
GIVEN_KV = 220.0

OPEN, TAP, DEAD_END, BULK_DEAD_END, ON_COURSE, THROUGH, CLASSES_MEET, BENT, MANY, PLANT = range(10)
# Share of the places of each kind that have a named substation of California's file within 250 m, when
# that file is hidden (tests/geo/power/test_topology.py): unnamed ones may be substations too.
CONFIDENCE = np.array([np.nan, np.nan, 0.8, 0.35, 0.55, 0.85, 0.85, 0.65, 0.8, 0.9])


@dataclass(frozen=True, eq=False)
class Meetings:
    """What meets at each node.

    Attributes
    ----------
    degree
        Ends of chains, shape (nodes,).
    kv_max, kv_min
        Classes of them, shape (nodes,); NaN where nothing meets.
    trunk
        Of three ends the two that go on straight, shape (nodes, 2), as numbers of chain ends
        (2 * chain + side); -1 elsewhere.
    bend_deg
        How far those two are from straight, shape (nodes,); NaN elsewhere.
    """

    degree: np.ndarray
    kv_max: np.ndarray
    kv_min: np.ndarray
    trunk: np.ndarray
    bend_deg: np.ndarray


def meetings(node: np.ndarray, kv: np.ndarray, heading: np.ndarray, count: int) -> Meetings:
    """See what meets at nodes.

    Parameters
    ----------
    node
        Nodes of the ends of chains, shape (c, 2); -1 where a chain is left out.
    kv
        Their classes, shape (c,).
    heading
        Direction from each end into its chain, shape (c, 2, 2).
    count
        Number of nodes.
    """
    at = node.ravel()
    end = np.flatnonzero(at >= 0)
    end = end[np.argsort(at[end], kind="stable")]
    at = at[end]
    degree = np.bincount(at, minlength=count)
    kv_max, kv_min = np.full(count, -np.inf), np.full(count, np.inf)
    np.maximum.at(kv_max, at, kv[end // 2])
    np.minimum.at(kv_min, at, kv[end // 2])
    kv_max[degree == 0] = kv_min[degree == 0] = np.nan
    trunk, bend_deg = np.full((count, 2), -1), np.full(count, np.nan)
    three = np.flatnonzero(degree == TAP_ENDS)
    if len(three):
        first = np.searchsorted(at, three)
        ends = end[first[:, None] + np.arange(TAP_ENDS)]
        way = heading.reshape(-1, 2)[ends]
        pairs = np.array([(0, 1), (0, 2), (1, 2)])
        cosine = (way[:, pairs[:, 0]] * way[:, pairs[:, 1]]).sum(axis=2)
        best = np.round(cosine, 9).argmin(axis=1)
        trunk[three] = np.take_along_axis(ends, pairs[best], axis=1)
        straight = np.clip(-cosine[np.arange(len(three)), best], -1.0, 1.0)
        bend_deg[three] = np.degrees(np.arccos(straight))
    return Meetings(degree, kv_max, kv_min, trunk, bend_deg)


def kinds(
    met: Meetings, is_cut: np.ndarray, course: np.ndarray, has_plant: np.ndarray
) -> np.ndarray:
    """Kind of each node, shape (nodes,).

    Parameters
    ----------
    met
        What meets there.
    is_cut
        Whether it is a tile's cut that nothing continues.
    course
        `TAP` where a dead end lies on the course of a line of its class, `ON_COURSE` of another class,
        else `OPEN`.
    has_plant
        Whether a plant that connects at transmission voltage stands there.
    """
    one_class = met.kv_max == met.kv_min
    three = met.degree == TAP_ENDS
    kind = np.full(len(is_cut), MANY)
    kind[three] = BENT
    kind[met.degree == 2] = THROUGH
    kind[~one_class] = CLASSES_MEET
    kind[three & one_class & (met.bend_deg <= TAP_BEND_DEG)] = TAP
    alone = met.degree == 1
    kind[alone] = np.where(met.kv_max[alone] >= GIVEN_KV, BULK_DEAD_END, DEAD_END)
    kind[alone & (course != OPEN)] = course[alone & (course != OPEN)]
    kind[has_plant] = PLANT
    kind[(met.degree == 0) | is_cut] = OPEN
    return kind


def given_at(
    lonlat: np.ndarray, reach_m: np.ndarray, kv_max: np.ndarray, given: pd.DataFrame
) -> np.ndarray:
    """Row of the given substation that each node belongs to, shape (nodes,); -1 for none.

    The nearest within reach whose voltage takes the lines.

    Parameters
    ----------
    lonlat
        The nodes, shape (nodes, 2).
    reach_m
        How far each looks, shape (nodes,), at most `SNAP_M`.
    kv_max
        Highest class that meets there, shape (nodes,); NaN any.
    given
        Columns `lon`, `lat`, `kv_max` (NaN takes any).
    """
    found = np.full(len(lonlat), -1)
    if given.empty or not len(lonlat):
        return found
    number = np.arange(1, min(MOST_GIVEN, len(given)) + 1)
    tree = KDTree(to_ecef(given["lon"].to_numpy(), given["lat"].to_numpy()))
    metres, row = tree.query(
        to_ecef(lonlat[:, 0], lonlat[:, 1]), k=number, distance_upper_bound=SNAP_M
    )
    limit_kv = np.append(given["kv_max"].to_numpy(float), np.nan)[row]
    able = (metres <= reach_m[:, None]) & ~(limit_kv < KV_TOLERANCE * kv_max[:, None])
    metres = np.where(able, np.round(metres, 3), np.inf)
    # Substations of one spot: the lowest row.
    best = np.lexsort((row, metres), axis=1)[:, :1]
    taken = np.isfinite(np.take_along_axis(metres, best, axis=1)[:, 0])
    found[taken] = np.take_along_axis(row, best, axis=1)[taken, 0]
    return found


def yards(lonlat: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Join some nodes within `YARD_M` into yards: the number of each one's yard, shape (n,)."""
    if not len(row):
        return np.zeros(0, dtype=np.int64)
    xyz = to_ecef(lonlat[row, 0], lonlat[row, 1])
    pairs = KDTree(xyz).query_pairs(YARD_M, output_type="ndarray")
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(row),) * 2)
    return connected_components(graph, directed=False)[1]
