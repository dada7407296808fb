"""How far a change of a layer reaches: checks that find the parcels near the rows that differ.

Each function makes the check of one kind of metric; `geo.remeasure` says which metric takes which, and why.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd

from geo._feeds import FeedMetrics, SharedMegawatts
from geo._grid import BULK_LINE_KV
from geo.changes import Changes, used
from geo.exclusion import TILE_M, ExclusionIndex
from geo.features import FeatureIndex
from geo.fiber.latency import FiberIndex
from geo.geodesy import KM_PER_MILE, METRES_PER_MILE
from geo.layers import Layers
from geo.nearest import nearest, nearest_edge
from geo.people import PeopleSource
from geo.polygons import Polygons
from geo.tie_line import TieLineCosts
from geo.tiles import TileSet

# Bounds are wider by this than what the parcel has now: ties count within 1 mm, the edge of a parcel lies
# within 10 cm, long distances within 1e-6.
SLACK_SHARE = 1e-6
SLACK_MI = 10.0 / METRES_PER_MILE
# No degree is longer than this.
MI_PER_DEGREE = 111_700.0 / METRES_PER_MILE


@dataclass(frozen=True, eq=False)
class Inputs:
    """What `geo.measure.prepare` is given, but for the slope raster, which has to be the same.

    The layers are narrowed to the columns that are used.
    """

    layers: Layers
    headroom: pd.DataFrame
    tie_lines: TieLineCosts
    shared: SharedMegawatts | None = None
    exclusions: ExclusionIndex | None = None
    fiber: FiberIndex | None = None
    people: PeopleSource | None = None

    @cached_property
    def narrow(self) -> Layers:
        """Layers with the columns that parcels are measured by."""
        return used(self.layers)

    @cached_property
    def feed(self) -> pd.DataFrame:
        """Substations as those that feed are chosen, in their order; their row of the headroom left out."""
        chosen = FeedMetrics.of(self.narrow.substation, self.headroom, self.tie_lines)
        return chosen.substation.drop(columns="headroom_no")

    @cached_property
    def counted(self) -> pd.DataFrame:
        """People at points as they are counted."""
        if self.people is None:
            return self.narrow.people
        source = self.people
        return pd.DataFrame({"people": source.milli, "lon": source.lon, "lat": source.lat})


@dataclass(frozen=True, eq=False)
class Batch:
    """Parcels as the change is held against them.

    Attributes
    ----------
    lon, lat
        Their points, degrees, shape (n,).
    is_edge
        Whether distances are taken from the edge, shape (n,).
    county_id, state_id
        Text, None unknown, shape (n,).
    miles
        Columns of miles of the last measurement (`Remeasure.needs`), NaN unknown, each of shape (n,).
    outlines
        Gives the outlines when they are asked for.
    """

    lon: np.ndarray
    lat: np.ndarray
    is_edge: np.ndarray
    county_id: np.ndarray
    state_id: np.ndarray
    miles: Mapping[str, np.ndarray]
    outlines: Callable[[], Polygons]

    @cached_property
    def polygons(self) -> Polygons:
        """The outlines."""
        return self.outlines()


@dataclass(frozen=True, eq=False)
class Check:
    """Finds the parcels that a change may reach.

    Attributes
    ----------
    find
        Gives a mask, shape (n,).
    needs
        Columns of miles that it looks at.
    """

    find: Callable[[Batch], np.ndarray]
    needs: tuple[str, ...] = ()


Make = Callable[[Inputs, Inputs, Changes], Check | None]


def _bound(miles: np.ndarray) -> np.ndarray:
    """How near a changed feature has to be to matter where the nearest is now at so many miles."""
    return np.where(np.isnan(miles), np.inf, miles * (1.0 + SLACK_SHARE) + SLACK_MI)


def _points(frame: pd.DataFrame) -> FeatureIndex | None:
    """Features that have a place; None where none has."""
    placed = frame[frame["lon"].notna() & frame["lat"].notna()]
    if placed.empty:
        return None
    return FeatureIndex.from_points(placed["lon"].to_numpy(float), placed["lat"].to_numpy(float))


def _away(index: FeatureIndex, batch: Batch, most_mi: float, *, is_from_point: bool) -> np.ndarray:
    """Miles to the nearest feature as measuring takes them; infinite beyond `most_mi`."""
    _, miles = nearest(index, batch.lon, batch.lat, max_mi=most_mi)
    if not is_from_point and batch.is_edge.any():
        edges = batch.polygons.take(batch.is_edge)
        miles[batch.is_edge] = nearest_edge(index, edges, max_mi=most_mi)[1]
    return np.where(np.isnan(miles), np.inf, miles)


def _within(
    index: FeatureIndex, batch: Batch, limit_mi: np.ndarray, *, is_from_point: bool
) -> np.ndarray:
    """Whether a feature is within each parcel's limit, shape (n,); an infinite one reaches all."""
    most_mi = float(limit_mi.max(initial=0.0))
    return _away(index, batch, most_mi, is_from_point=is_from_point) <= limit_mi


def nearest_now(
    miles: str,
    where: Callable[[pd.DataFrame], pd.Series] | None = None,
    *,
    is_from_point: bool = False,
) -> Make:
    """Reach of a nearest feature whose miles are published: as far as it is now."""

    def make(_old: Inputs, _new: Inputs, changes: Changes) -> Check | None:
        rows = changes.rows if where is None else changes.rows[where(changes.rows).to_numpy(bool)]
        if rows.empty:
            return None
        index = (
            FeatureIndex.from_lines(rows.geometry)
            if isinstance(rows, gpd.GeoDataFrame)
            else _points(rows)
        )
        if index is None:
            return None
        return Check(
            lambda batch: _within(
                index, batch, _bound(batch.miles[miles]), is_from_point=is_from_point
            ),
            (miles,),
        )

    return make


def nearest_unpublished(layer: str, *, is_from_point: bool) -> Make:
    """Reach of a nearest feature whose miles are not published: they are looked up in what was."""

    def make(old: Inputs, _new: Inputs, changes: Changes) -> Check | None:
        index, before = _points(changes.rows), _points(getattr(old.narrow, layer))
        if index is None or before is None:
            return None

        def find(batch: Batch) -> np.ndarray:
            limit = _away(before, batch, np.inf, is_from_point=is_from_point)
            return _within(index, batch, _bound(limit), is_from_point=is_from_point)

        return Check(find)

    return make


def radius(mi: float, *, is_from_point: bool = True) -> Make:
    """Reach of what is counted or chosen within a fixed radius."""

    def make(_old: Inputs, _new: Inputs, changes: Changes) -> Check | None:
        index = _points(changes.rows)
        if index is None:
            return None
        limit = float(_bound(np.array(mi)))
        return Check(
            lambda batch: _within(
                index, batch, np.full(len(batch.lon), limit), is_from_point=is_from_point
            )
        )

    return make


def area(column: str) -> Make:
    """Reach of a figure of the county or state that a parcel lies in."""

    def make(_old: Inputs, _new: Inputs, changes: Changes) -> Check | None:
        ids = changes.rows[column].dropna().unique()
        return Check(lambda batch: pd.Series(getattr(batch, column)).isin(ids).to_numpy())

    return make


def land_value(old: Inputs, new: Inputs, changes: Changes) -> Check | None:
    """Reach of the cell whose centre is nearest, at most half a diagonal of the largest away."""
    cell_km = float(new.narrow.land_value["cell_km"].max())
    return radius(cell_km / np.sqrt(2) / KM_PER_MILE)(old, new, changes)


def zone(old: Inputs, _new: Inputs, changes: Changes) -> Check | None:
    """Reach of the nearest point of the grid, and of the nearest of the parcel's own state."""
    before, rows = old.narrow.zone_point, changes.rows
    every, index = _points(before), _points(rows)
    if every is None or index is None:
        return None
    own = {
        str(state): (_points(points), _points(before[before["state_id"] == state]))
        for state, points in rows.groupby("state_id")
    }

    def find(batch: Batch) -> np.ndarray:
        limit = _bound(_away(every, batch, np.inf, is_from_point=True))
        mask = _within(index, batch, limit, is_from_point=True)
        for state, (changed, known) in own.items():
            here = np.flatnonzero(np.asarray(batch.state_id, dtype=object) == state)
            if changed is None or known is None:
                mask[here] = True
            else:
                place = batch.lon[here], batch.lat[here]
                limit = _bound(nearest(known, *place)[1])
                mask[here] |= nearest(changed, *place)[1] <= limit
        return mask

    return Check(find)


def developable(old: Inputs, new: Inputs, changes: Changes) -> Check | None:
    """Reach of cells for sample points, which lie in the parcel's box; and of states that are covered or not."""
    index = _points(changes.rows)
    states = set(old.narrow.developable["state_id"]) ^ set(new.narrow.developable["state_id"])
    reach_mi = float(changes.rows["cell_km"].max()) / np.sqrt(2) / KM_PER_MILE

    def find(batch: Batch) -> np.ndarray:
        west, south, east, north = batch.polygons.bounds.T
        box_mi = MI_PER_DEGREE * np.hypot(east - west, north - south)
        mask = pd.Series(batch.state_id).isin(states).to_numpy()
        if index is not None:
            mask = mask | _within(index, batch, _bound(reach_mi + box_mi), is_from_point=True)
        return mask

    return Check(find)


def shapes(*, is_edge: bool) -> Make:
    """Reach of polygons that are united tile by tile: parcels that meet a tile that one of them meets."""

    def make(_old: Inputs, _new: Inputs, changes: Changes) -> Check | None:
        tiles = TileSet.of_shapes(changes.rows.geometry.to_numpy(), TILE_M)

        def find(batch: Batch) -> np.ndarray:
            # Of cells the lakes are cut out before: what changes there changes the cell.
            if is_edge and not batch.is_edge.any():
                return np.zeros(len(batch.lon), dtype=bool)
            mask = tiles.meet(batch.polygons.bounds)
            return mask & batch.is_edge if is_edge else mask

        return Check(find)

    return make


def exclusions(_old: Inputs, new: Inputs, changes: Changes) -> Check | None:
    """Reach of tiles whose pieces are not the same: parcels that meet one."""
    if new.exclusions is None:
        return None
    tiles = TileSet.of_tiles(changes.added.to_numpy(), float(new.exclusions.tile_m[0]))
    return Check(lambda batch: tiles.meet(batch.polygons.bounds))


def voltage_class(kv: int) -> Make:
    """Reach of the nearest substation of a voltage class."""
    search = nearest_now(f"substation_{kv}kv_mi", lambda frame: frame["kv_max"] >= kv)

    def make(old: Inputs, new: Inputs, changes: Changes) -> Check | None:
        # A record that starts above the class knows none of it, whatever changes.
        is_known = kv >= BULK_LINE_KV or knows_low(new)
        return search(old, new, changes) if is_known else None

    return make


def knows_low(held: Inputs) -> bool:
    """Whether the record knows of substations below the bulk grid; as old and new do or do not (`_facts`)."""
    return bool(held.narrow.substation["kv_max"].min() < BULK_LINE_KV)
