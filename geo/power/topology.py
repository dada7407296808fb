"""Substations and circuits out of mapped line segments, for studies without a network.

The public record draws lines as courses without saying what they connect, and the copy at hand was
decoded from map tiles, which cut lines at their edges. Rules, in order; each constant stands with the
measurement that it rests on:

1. A given substation that no end of a line comes near, and that stands on a course of its voltage, is
   looped in: the course is cut there.
2. What tiles cut is joined.
3. The class of lines that state none is inferred from what they touch and run beside.
4. Ends of lines that meet are a node. A node near a given substation belongs to it. Elsewhere three ends
   of one class of which two go on straight, and a dead end on the course of its own class, are
   taps; every other node is an inferred substation, with a confidence by what meets there.
5. Circuits run between substations, through taps along the straight pair, never through a substation.
   The third line of a tap leads from its substation to no other.
6. Within a class the voltage is that of most plants and substations around.
"""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.geodesy import METRES_PER_MILE, lonlat_geometries, to_ecef
from geo.power import _topology_sites as sites
from geo.power._topology_circuits import Runs, names
from geo.power._topology_kv import KV_TOLERANCE, usual_kv
from geo.power._topology_web import LOWEST_KV, Classes, Web

# What a class is called where nothing around tells: the commonest, or the lower of two.
NOMINAL_KV = {LOWEST_KV: 69.0, 100.0: 115.0, 220.0: 230.0, 735.0: 765.0}
# Four decimals are 11 m: nodes are 20 m apart at least.
INFERRED_ID = "inferred-{lat:.4f}{lon:+.4f}"
NUMBERS = {"lon", "lat", "kv_max", "kv_min", "load_mw", "is_inferred", "confidence"}


@dataclass(frozen=True, eq=False)
class Topology:
    """Network without impedances.

    Attributes
    ----------
    substation
        Given ones first, then inferred ones: columns of `core.substation`, `is_inferred` and `confidence`
        (1 for given ones; of inferred ones the share of such places that are a named substation where
        that is known). A voltage that a given one does not state is that of its circuits.
    circuit
        `circuit_id` (smallest line id in it; `id/2` for the second circuit that a line is cut into),
        `kv` (NaN for direct current of no stated voltage), `kv_is_inferred`, `confidence` of the
        voltage, `from_substation_id`, `to_substation_id` (missing: leads out of what is known, or into
        `tapped_circuit_id`), `tapped_circuit_id`, `length_mi`, `line_count`, `is_dc`, `geometry`
        (MultiLineString in lon/lat). Parallel circuits are rows of their own.
    line
        `line_id`, `kv` used, `is_inferred` (the class), `confidence` of the voltage, `how`: `given`,
        `inferred`, `unknown`, `low` (under `LOWEST_KV`), `dc`. Those `unknown` and `low` count nowhere.
    """

    substation: pd.DataFrame
    circuit: gpd.GeoDataFrame
    line: pd.DataFrame


def build_topology(
    line: gpd.GeoDataFrame, substation: pd.DataFrame, plant: pd.DataFrame | None = None
) -> Topology:
    """Build the topology of mapped lines.

    Parameters
    ----------
    line
        Columns of `core.line`, lines in lon/lat. `kv_min` names the class; NaN with a `kv_max` is a class
        that is open below, NaN without one is not known.
    substation
        Columns of `core.substation`: known ones.
    plant
        Columns `lon`, `lat`, `grid_kv` of plants, if any.

    Raises
    ------
    CrsError
        `line` is not in lon/lat.
    GeometryError
        A coordinate is NaN or no degree.
    """
    line = line.take(np.argsort(line["line_id"].to_numpy(dtype=str), kind="stable"))
    given = substation.sort_values("substation_id", ignore_index=True)
    web = Web.of(lonlat_geometries(line.geometry), Classes.of(line), given)
    kind, tapped_chain = web.kinds(plant)
    place, lead = _places(web, kind, given)
    runs = _runs(web, kind, place)
    kv, confidence = _voltages(web, runs, given, _witnesses(given, plant))
    stations = _stations(given, line, web, place, lead, kind, runs, kv)
    circuit = _circuit_frame(line, web, runs, kv, confidence, stations)
    circuit["tapped_circuit_id"] = _tapped(web, runs, kind, place, tapped_chain, circuit)
    order = [*circuit.columns.drop(["geometry", "run"]), "geometry"]
    return Topology(stations, circuit[order], _line_frame(line, web, runs, kv, confidence))


def _places(web: Web, kind: np.ndarray, given: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Substation of each node (-1 for none), and the node that stands for each inferred one."""
    chains, met = web.chains, web.met
    nodes = len(chains.node_lonlat)
    has_dc = np.zeros(nodes, dtype=bool)
    has_dc[chains.node[web.is_used & web.is_dc].ravel()] = True
    passing = ((kind == sites.TAP) | chains.is_cut) & ~has_dc
    place = sites.given_at(
        chains.node_lonlat,
        np.where(passing, sites.TAP_SNAP_M, sites.SNAP_M),
        met.kv_max,
        given,
    )
    place[(met.degree == 0) & ~has_dc] = -1
    free = np.flatnonzero((place < 0) & (kind != sites.TAP) & (kind != sites.OPEN))
    yard = sites.yards(chains.node_lonlat, free)
    # Its highest voltage, then most lines, then the western one stands for a yard.
    lonlat = chains.node_lonlat[free]
    order = np.lexsort((lonlat[:, 1], lonlat[:, 0], -met.degree[free], -met.kv_max[free], yard))
    lead = free[order[np.flatnonzero(np.diff(yard[order], prepend=-1))]]
    by_place = np.lexsort((chains.node_lonlat[lead, 0], chains.node_lonlat[lead, 1]))
    number = np.empty(len(lead), dtype=np.int64)
    number[by_place] = np.arange(len(lead))
    place[free] = len(given) + number[yard]
    return place, lead[by_place]


def _runs(web: Web, kind: np.ndarray, place: np.ndarray) -> Runs:
    """Chain what runs between places, through taps."""
    through = (kind == sites.TAP) & (place < 0) & (web.met.degree == sites.TAP_ENDS)
    node = np.where(web.is_used[:, None], web.chains.node, -1)
    at = np.where(node >= 0, place[node], -1)
    return Runs.of(at, web.met.trunk[through])


def _witnesses(given: pd.DataFrame, plant: pd.DataFrame | None) -> tuple[np.ndarray, np.ndarray]:
    """Lon/lat and kV of all that states a voltage."""
    told = [given[["lon", "lat", "kv_max"]].to_numpy(float)]
    if plant is not None:
        told.append(plant[["lon", "lat", "grid_kv"]].to_numpy(float))
    all_told = np.concatenate(told)
    all_told = all_told[~np.isnan(all_told).any(axis=1)]
    return all_told[:, :2], all_told[:, 2]


def _voltages(
    web: Web, runs: Runs, given: pd.DataFrame, witness: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Voltage of each run and the probability that it is right, shape (r,).

    Within its class it is what the given substation at an end states (the lower of two), or else
    what most witnesses around the middle of its ends state.
    """
    count = len(runs.place)
    level, confidence = np.full(count, -np.inf), np.full(count, np.inf)
    np.fmax.at(level, runs.of_chain, web.kv)
    np.fmin.at(confidence, runs.of_chain, web.confidence)
    level[np.isinf(level)] = np.nan
    confidence[np.isinf(confidence)] = np.nan
    ends = web.chains.node_lonlat[web.chains.node.ravel()[runs.end]]
    xyz = to_ecef(ends[:, :, 0], ends[:, :, 1]).mean(axis=1)
    stated = np.append(given["kv_max"].to_numpy(float), np.nan)
    at_end = stated[np.where(runs.place < len(given), runs.place, -1)]
    kv = level.copy()
    named = web.classes.kv
    for low in np.unique(level[~np.isnan(level)]):
        top = np.max(web.classes.top_kv[named == low])
        if top == low:
            continue
        own = np.flatnonzero(level == low)
        floor = max(KV_TOLERANCE * low, LOWEST_KV)
        near_kv, share = usual_kv(xyz[own], floor, top, witness)
        near_kv = np.where(np.isnan(near_kv), NOMINAL_KV.get(low, low), near_kv)
        share = np.where(np.isnan(share), 1 / 2, share)
        end_kv = np.where((at_end[own] >= floor) & (at_end[own] <= top), at_end[own], np.nan)
        at_given = np.fmin(end_kv[:, 0], end_kv[:, 1])
        kv[own] = np.where(np.isnan(at_given), near_kv, at_given)
        confidence[own] *= np.where(np.isnan(at_given), share, 1.0)
    return kv, confidence


def _stations(
    given: pd.DataFrame,
    line: pd.DataFrame,
    web: Web,
    place: np.ndarray,
    lead: np.ndarray,
    kind: np.ndarray,
    runs: Runs,
    kv: np.ndarray,
) -> pd.DataFrame:
    """Given and inferred substations, in the order of their rows."""
    chain, side = np.nonzero((web.is_used & ~web.is_dc)[:, None] & (web.chains.node >= 0))
    end = pd.DataFrame(
        {
            "row": place[web.chains.node[chain, side]],
            "level": web.kv[chain],
            "kv": kv[runs.of_chain[chain]],
        }
    )
    # One voltage a class: a station between 115 and 138 kV of one class has the commoner.
    usual = end[end["row"] >= 0].value_counts().reset_index()
    usual = usual.sort_values(["row", "level", "count", "kv"], ascending=[True, True, False, True])
    usual = usual.drop_duplicates(["row", "level"]).groupby("row")["kv"].agg(["max", "min"])
    count = len(given) + len(lead)
    kv_max = usual["max"].reindex(range(count)).to_numpy()
    kv_min = usual["min"].reindex(range(count)).to_numpy()

    first = len(given)
    known = given.assign(
        kv_max=given["kv_max"].fillna(pd.Series(kv_max[:first])),
        is_inferred=False,
        confidence=1.0,
    )
    lowest = np.fmin(kv_min[:first], known["kv_max"].to_numpy(float))
    known["kv_min"] = given["kv_min"].astype(float).fillna(pd.Series(lowest))
    lonlat = web.chains.node_lonlat[lead]
    confidence = np.zeros(count)
    inside = np.flatnonzero(place >= first)
    np.maximum.at(confidence, place[inside], sites.CONFIDENCE[kind[inside]])
    drawn = np.full(len(web.kv), len(line))
    np.minimum.at(drawn, web.chains.piece_chain, web.laid.line)
    source = np.full(count + 1, len(line))
    np.minimum.at(source, place[web.chains.node[chain, side]], drawn[chain])
    found = pd.DataFrame(
        {
            "substation_id": [INFERRED_ID.format(lon=lon, lat=lat) for lon, lat in lonlat],
            "lon": lonlat[:, 0],
            "lat": lonlat[:, 1],
            "kv_max": kv_max[first:],
            "kv_min": kv_min[first:],
            "source_id": line["source_id"].to_numpy(object)[source[first:count]],
            "is_inferred": True,
            "confidence": confidence[first:],
        }
    ).reindex(columns=known.columns)
    texts = [name for name in known if name not in NUMBERS]
    found[texts] = found[texts].astype(object).where(found[texts].notna(), None)
    parts = [part for part in (known, found) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else known


def _circuit_frame(
    line: gpd.GeoDataFrame,
    web: Web,
    runs: Runs,
    kv: np.ndarray,
    confidence: np.ndarray,
    stations: pd.DataFrame,
) -> gpd.GeoDataFrame:
    """Take the runs that are circuits, ordered by name; `run` is their number."""
    is_circuit = runs.is_circuit
    of_piece = runs.of_chain[web.chains.piece_chain]
    piece = np.flatnonzero(is_circuit[of_piece])
    piece = piece[np.argsort(of_piece[piece], kind="stable")]
    run, group = np.unique(of_piece[piece], return_inverse=True)
    drawn = web.laid.line[piece]
    spot = web.chains.node_lonlat[web.chains.node.ravel()[runs.end[run, 0]]]
    ids = stations["substation_id"].to_numpy(dtype=object)
    leads = runs.place[run]
    is_inferred = np.isnan(web.classes.kv[drawn]) & ~web.classes.is_dc[drawn]
    lines_in = pd.DataFrame({"run": group, "line": drawn}).drop_duplicates()["run"]
    frame = pd.DataFrame(
        {
            "circuit_id": names(line["line_id"].to_numpy()[drawn], group, spot),
            "kv": kv[run],
            "kv_is_inferred": np.bincount(group, is_inferred, minlength=len(run)) > 0,
            "confidence": confidence[run],
            "from_substation_id": ids[leads[:, 0]],
            "to_substation_id": np.where(leads[:, 1] >= 0, ids[leads[:, 1]], None),
            "length_mi": np.bincount(group, web.laid.lengths_m()[piece]) / METRES_PER_MILE,
            "line_count": np.bincount(lines_in, minlength=len(run)),
            "is_dc": np.bincount(group, web.classes.is_dc[drawn], minlength=len(run)) > 0,
            "run": run,
        }
    )
    courses = shapely.multilinestrings(web.laid.shape[piece], indices=group)
    order = np.argsort(frame["circuit_id"].to_numpy(dtype=str))
    return gpd.GeoDataFrame(
        frame.take(order).reset_index(drop=True), geometry=courses[order], crs=line.crs
    )


def _tapped(
    web: Web,
    runs: Runs,
    kind: np.ndarray,
    place: np.ndarray,
    tapped_chain: np.ndarray,
    circuit: pd.DataFrame,
) -> np.ndarray:
    """Circuit that each circuit's open end taps, None for none."""
    through = (kind == sites.TAP) & (place < 0) & (web.met.degree == sites.TAP_ENDS)
    at = np.where(through, web.met.trunk[:, 0] // 2, tapped_chain)
    ids = np.full(len(runs.place) + 1, None, dtype=object)
    ids[circuit["run"]] = circuit["circuit_id"]
    open_node = web.chains.node.ravel()[runs.end[circuit["run"], 1]]
    chain = np.where(circuit["to_substation_id"].isna(), at[open_node], -1)
    return ids[np.where(chain >= 0, runs.of_chain[chain], -1)]


def _line_frame(
    line: pd.DataFrame, web: Web, runs: Runs, kv: np.ndarray, confidence: np.ndarray
) -> pd.DataFrame:
    """Voltage that each line is taken to have: of its first piece."""
    chain = np.full(len(line), -1)
    chain[web.laid.line[::-1]] = web.chains.piece_chain[::-1]
    run = np.append(runs.of_chain, -1)[chain]
    used_kv = np.where(chain >= 0, np.append(kv, np.nan)[run], np.nan)
    classes = web.classes
    is_given = ~np.isnan(classes.kv)
    is_told = ~np.isnan(used_kv)
    return pd.DataFrame(
        {
            "line_id": line["line_id"].to_numpy(),
            "kv": used_kv,
            "is_inferred": is_told & ~is_given,
            "confidence": np.where(is_told, np.append(confidence, np.nan)[run], np.nan),
            "how": np.select(
                [classes.is_dc, classes.is_low, is_given, is_told],
                ["dc", "low", "given", "inferred"],
                "unknown",
            ),
        }
    )
