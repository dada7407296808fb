"""Circuits out of mapped line segments: pieces joined, their ends snapped to substations.

The public record draws lines as separate courses without saying what they connect, and the copy at
hand was decoded from map tiles, so that a line is cut wherever it crosses a tile's edge. A circuit
here is a chain of pieces of one voltage class between the substations that its two ends reach.
Real topology (taps, parallel circuits on one course, what lies between) is not recovered.
"""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from geo.features import FeatureIndex
from geo.geodesy import METRES_PER_MILE, to_ecef
from geo.nearest import nearest
from geo.pairs import pairs_within
from geo.power.import_estimate import BULK_KV

# Lines end at a bay or at the fence, substations are one point: half of the ends that are near any
# substation lie within 50 m of it, 90 % within 500 m, and beyond 1 km the share grows like chance.
SNAP_M = 1000.0
# Tiles round to 1/4096 of their side, 38 m at zoom 8 and 27 m on the ground at 45 degrees: two ends of
# one line fall on one point (5,846 of 5,858 cuts do), and parallel lines beside it on another.
JOINT_M = 20.0
TILE_ZOOM = 8
# A cut lies on the tile's edge itself; half a step of the tile's own grid allows for rounding.
CUT_TILE_SHARE = 1 / 8192
# A line of 345 kV does not end at a 230 kV substation next door; 236 and 245 kV are 230 kV ones.
KV_TOLERANCE = 0.95
# Generators stand at their own switchyard: the substation that takes them in lies near.
PLANT_REACH_MI = 3.0
# Subtransmission carries a city's load over a few miles; ten is twice what practitioners call workable.
SERVED_MI = 10.0
KW_PER_MW = 1000.0


def snapped_circuits(line: gpd.GeoDataFrame, substation: pd.DataFrame) -> gpd.GeoDataFrame:
    """Join the pieces of bulk lines and snap the ends of the chains to substations.

    Cut ends are joined first (a tile's edge that passes a substation is no terminal), then every
    other end is snapped to the nearest substation within `SNAP_M` whose voltage can take the line,
    then ends that reach no substation are joined where exactly two of one class meet. Where three
    or more meet, a tap, they stay open.

    Parameters
    ----------
    line
        Columns of `core.line`, LineStrings in lon/lat. DC lines, unknown classes and classes under
        `BULK_KV` are left out.
    substation
        Columns of `core.substation`.

    Returns
    -------
    GeoDataFrame
        Columns of `core.line`, one row a chain with a substation at one end or at both;
        `from_substation_id` and `to_substation_id` are missing at an open end. A chain that comes back
        to its own substation is left out. The geometry is a MultiLineString of the pieces.
    """
    is_dc = line["is_dc"].fillna(False).astype(bool)
    bulk = line[~is_dc & (line["kv_min"] >= BULK_KV)].sort_values("line_id", ignore_index=True)
    if bulk.empty or substation.empty:
        return bulk.iloc[:0]
    count = len(bulk)
    shapes = bulk.geometry.to_numpy()
    ends = np.concatenate(
        [shapely.get_coordinates(shapely.get_point(shapes, at)) for at in (0, -1)]
    )
    kv = np.tile(bulk["kv_min"].to_numpy(float), 2)
    of_line = np.tile(np.arange(count), 2)

    joints = _joints(ends, kv, of_line, _is_cut(ends))
    free = np.ones(2 * count, dtype=bool)
    free[joints.ravel()] = False
    at = np.full(2 * count, -1)
    at[free] = _terminal(ends[free], kv[free], substation)
    late = _joints(ends, kv, of_line, free & (at < 0))
    joints = np.concatenate([joints, late])

    pairs = of_line[joints]
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    _, chain = connected_components(graph, directed=False)
    return _circuits(bulk, chain, chain[of_line], at, substation)


def load_by_people(
    people: pd.DataFrame,
    substation: pd.DataFrame,
    import_mw: np.ndarray,
    peak_kw_per_person: float,
) -> np.ndarray:
    """Peak load of each substation, estimated from the people around it.

    The people of a point are served by the substations within `SERVED_MI` in proportion to what
    each can import, or, where none is that near, by the nearest with a circuit: the nearest alone
    would put 18 GW of New York on one substation and leave its neighbours free.

    Parameters
    ----------
    people
        Columns `people`, `lon`, `lat`.
    substation
        Columns `lon`, `lat`.
    import_mw
        N-1 import of each substation, shape (substations,), MW; NaN without a known circuit.
    peak_kw_per_person
        Coincident peak load per person, all sectors.

    Returns
    -------
    Shape (substations,), MW; NaN where no circuit is known. Sums to the peak of all people.
    """
    load_kw = np.full(len(substation), np.nan)
    row = np.flatnonzero(~np.isnan(import_mw))
    if people.empty or row.size == 0:
        return load_kw
    able = substation.iloc[row]
    lon, lat = people["lon"].to_numpy(), people["lat"].to_numpy()
    point, number, _ = pairs_within(
        lon, lat, able["lon"].to_numpy(), able["lat"].to_numpy(), SERVED_MI
    )
    weight = import_mw[row][number]
    point, number, weight = point[weight > 0], number[weight > 0], weight[weight > 0]
    share = weight / np.bincount(point, weight, minlength=len(people))[point]
    alone = np.setdiff1d(np.arange(len(people)), point)
    if alone.size:
        nearest_no, _ = nearest(_points(able), lon[alone], lat[alone])
        point = np.concatenate([point, alone])
        number = np.concatenate([number, nearest_no])
        share = np.concatenate([share, np.ones(alone.size)])
    peak_kw = people["people"].to_numpy(float)[point] * share * peak_kw_per_person
    load_kw[row] = np.bincount(number, peak_kw, minlength=len(able))
    return load_kw / KW_PER_MW


def feeding_substations(plant: pd.DataFrame, substation: pd.DataFrame) -> pd.Series:
    """Substation that each plant feeds into, on the index of the plants; missing where none is known.

    A plant that the source does not place is taken to feed the nearest substation within
    `PLANT_REACH_MI` when it connects at `BULK_KV` or more.
    """
    known = plant["substation_id"].astype(object)
    bulk = (known.isna() & (plant["grid_kv"] >= BULK_KV)).to_numpy()
    if not bulk.any() or substation.empty:
        return known
    number, _ = nearest(
        _points(substation),
        plant["lon"].to_numpy()[bulk],
        plant["lat"].to_numpy()[bulk],
        max_mi=PLANT_REACH_MI,
    )
    ids = substation["substation_id"].to_numpy(dtype=object)
    found = known.to_numpy().copy()
    found[bulk] = np.where(number >= 0, ids[number], None)
    return pd.Series(found, index=plant.index, name="substation_id")


def _points(frame: pd.DataFrame) -> FeatureIndex:
    return FeatureIndex.from_points(frame["lon"].to_numpy(), frame["lat"].to_numpy())


def _is_cut(ends: np.ndarray) -> np.ndarray:
    """Whether an end lies on the edge of a Web Mercator tile of `TILE_ZOOM`."""
    tiles = 2**TILE_ZOOM
    lat = np.radians(ends[:, 1])
    x = (ends[:, 0] + 180) / 360 * tiles
    y = (1 - np.arcsinh(np.tan(lat)) / np.pi) / 2 * tiles
    off_edge = np.minimum(np.abs(x - np.round(x)), np.abs(y - np.round(y)))
    return off_edge <= CUT_TILE_SHARE


def _joints(
    ends: np.ndarray, kv: np.ndarray, of_line: np.ndarray, open_end: np.ndarray
) -> np.ndarray:
    """Pairs of open ends, shape (pairs, 2), that meet each other and no third of their class."""
    found = []
    for level in np.unique(kv[open_end]):
        number = np.flatnonzero(open_end & (kv == level))
        spots = to_ecef(ends[number, 0], ends[number, 1])
        pairs = KDTree(spots).query_pairs(JOINT_M, output_type="ndarray")
        meetings = np.bincount(pairs.ravel(), minlength=len(number))
        alone = (meetings[pairs] == 1).all(axis=1)
        pairs = number[pairs[alone]]
        found.append(pairs[of_line[pairs[:, 0]] != of_line[pairs[:, 1]]])
    return np.concatenate(found) if found else np.zeros((0, 2), dtype=int)


def _terminal(ends: np.ndarray, kv: np.ndarray, substation: pd.DataFrame) -> np.ndarray:
    """Row of the nearest able substation within reach of each end; -1 where there is none."""
    at = np.full(len(ends), -1)
    kv_max = substation["kv_max"].to_numpy(float)
    for level in np.unique(kv):
        able = np.flatnonzero(kv_max >= KV_TOLERANCE * level)
        here = np.flatnonzero(kv == level)
        if able.size == 0:
            continue
        number, _ = nearest(
            _points(substation.iloc[able]),
            ends[here, 0],
            ends[here, 1],
            max_mi=SNAP_M / METRES_PER_MILE,
        )
        at[here] = np.where(number >= 0, able[number], -1)
    return at


def _circuits(
    bulk: gpd.GeoDataFrame,
    chain: np.ndarray,
    chain_of_end: np.ndarray,
    at: np.ndarray,
    substation: pd.DataFrame,
) -> gpd.GeoDataFrame:
    held = np.flatnonzero(at >= 0)
    terminal = pd.DataFrame({"chain": chain_of_end[held], "at": at[held]})
    terminal = (
        terminal.sort_values(["chain", "at"]).groupby("chain")["at"].agg(["first", "last", "size"])
    )
    terminal = terminal[(terminal["size"] == 1) | (terminal["first"] != terminal["last"])]
    order = np.argsort(chain, kind="stable")
    lines = shapely.multilinestrings(bulk.geometry.to_numpy()[order], indices=chain[order])
    first_row = order[np.searchsorted(chain[order], terminal.index.to_numpy())]
    circuits = bulk.iloc[first_row].reset_index(drop=True)
    ids = substation["substation_id"].to_numpy(dtype=object)
    last = np.where(terminal["size"] == 2, ids[terminal["last"].to_numpy()], None)
    return circuits.assign(
        from_substation_id=ids[terminal["first"].to_numpy()], to_substation_id=last
    ).set_geometry(gpd.GeoSeries(lines[terminal.index.to_numpy()], crs=bulk.crs))
