"""Measure points from a published build alone, with the engine that measures parcels."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import duckdb
import numpy as np
import pandas as pd
import shapely

from data import build as builds
from data import store
from data.stage import REFERENCE_DIR
from flows.fiber_read import RTT, PublishedFiber
from geo.divide import SHORE_GAP_MI
from geo.features import FeatureIndex
from geo.fiber.access import Access
from geo.fiber.diversity import UNKNOWN, Diversity
from geo.fiber.latency import FiberIndex
from geo.fiber.lateral import lateral_musd
from geo.fiber.reach import ServedPeople
from geo.fiber.rules import ENDS
from geo.fiber.targets import Targets
from geo.fiber.trenches import BASIS
from geo.geodesy import KM_PER_MILE, geodesic_km
from geo.layers import Layers
from geo.locate import locate
from geo.measure import measure, prepare
from geo.nearest import k_nearest
from geo.parcels import EDGE_KIND, Parcels
from geo.people import PeopleSource
from geo.people_units import MILLI
from geo.polygons import Polygons
from geo.tie_line import TieLineCosts

MID = ENDS.index("mid")
# A cell that holds a point is among those whose points are nearest to it; assessors' lots differ in size.
NEAR_CELLS, NEAR_LOTS = 16, 64
# Degrees of the square that stands for a point: nothing that is kept depends on it.
SPOT_DEG = 1e-5
# Layers of ground: what they say of a point is taken from the parcel around it.
GROUND = ("lake", "park", "developable")
# Metrics of an outline, of which a point has none.
OF_OUTLINE = (
    *("acres", "area_acres", "buildable_acres", "contiguous_acres"),
    *("compactness", "minimum_width_m", "inscribed_diameter_m"),
)
OF_PARCEL = (
    *("developable_share", "lake_share", "park_share", "excluded_share"),
    *("slope_mean_pct", "slope_max_pct", "gentle_share"),
)
# A build does not hold what second feeds and second routes are worked out from: they are those of the nearest
# parcel that hangs on the same substation, or the same node.
SECOND = ("second_feed_mw", "second_feed_substation_id")
ROUTES = ("diverse_node_id", "disjoint_path_count", "is_single_homed", "path_basis")
BUDGETS_MS = (5, 10, 20)
PEOPLE = tuple(f"people_{ms}ms_{end}" for ms in BUDGETS_MS for end in ENDS) + tuple(
    f"population_{radius}mi" for radius in (5, 25, 50, 100)
)


@dataclass(frozen=True, eq=False)
class MeasuredSites:
    """Metrics of points.

    Attributes
    ----------
    metric
        One row a point, the columns of `core.parcel_metric`; acres and shape are unknown, shares of ground
        and slopes are those of the parcel around the point.
    where
        Beside it: `parcel_id` of that parcel (NA where none holds the point), `parcel_name`, `county_id`,
        `state_id` (None outside of the study), `place`.
    """

    metric: pd.DataFrame
    where: pd.DataFrame


def measure_sites(
    con: duckdb.DuckDBPyConnection, lon: np.ndarray, lat: np.ndarray
) -> MeasuredSites:
    """Measure points, degrees, WGS84, shape (n,), as the build's parcels were."""
    near = NearParcels.of(con, lon, lat)
    around = near.holding
    parcels = _as_parcels(con, lon, lat)
    frames: dict[str, Any] = {
        name: builds.layer_frame(con, name) for name in Layers.__annotations__
    }
    for name in GROUND:
        frames[name] = frames[name].iloc[:0]
    substation = store.query_file(con, "query/assess_substations").df()
    frames["substation"] = substation[[*frames["substation"].columns]]
    fiber = SiteFiber(con, PublishedFiber.of(con), lon, lat)
    costs = TieLineCosts.from_frame(pd.read_csv(REFERENCE_DIR / "tie_line.csv"))
    engine = prepare(
        Layers(**frames),
        substation,
        costs,
        fiber=fiber.index,
        people=_people(con),
    )
    metric = measure(parcels, engine)
    where = pd.DataFrame(
        {
            "parcel_id": around["parcel_id"],
            "county_id": parcels.frame["county_id"],
            "state_id": parcels.frame["state_id"],
            "place": metric.pop("parcel_name"),
        }
    )
    metric = metric.drop(columns=["zone_id", "region_metro_id"])
    metric[[*OF_OUTLINE]] = np.nan
    for name in OF_PARCEL:
        metric[name] = around[name].to_numpy(float, na_value=np.nan)
    _take_second_feeds(metric, near, substation, costs)
    _take_routes(metric, near, fiber)
    _forget_people(con, metric, around)
    return MeasuredSites(metric, where)


def _as_parcels(con: duckdb.DuckDBPyConnection, lon: np.ndarray, lat: np.ndarray) -> Parcels:
    """Points as the engine takes them: cells, since those are measured from their points."""
    # Of two counties that share a border it is the first by id, as for parcels.
    county = builds.layer_map(con, "county").sort_values("county_id", ignore_index=True)
    number = locate(lon, lat, county.geometry, max_gap_mi=SHORE_GAP_MI)
    held = county[["county_id", "state_id"]].astype(object).reindex(number).reset_index(drop=True)
    frame = pd.DataFrame(held.where(held.notna(), None)).assign(
        parcel_id=[str(no) for no in range(len(lon))],
        parcel_kind="h3_cell",
        lon=lon,
        lat=lat,
        area_acres=np.nan,
        acres=np.nan,
        lake_share=np.nan,
    )
    spots = shapely.box(lon - SPOT_DEG, lat - SPOT_DEG, lon + SPOT_DEG, lat + SPOT_DEG)
    return Parcels.of(frame, Polygons.from_shapes(spots))


@dataclass(frozen=True, eq=False)
class NearParcels:
    """The parcels around points.

    Attributes
    ----------
    lon, lat
        The points, degrees, shape (n,).
    parcel_no
        Nearest parcels of each point, the nearest first, shape (n, most); -1 where there are fewer.
    told
        What is taken from one that hangs on the same substation or node, by parcel number.
    holding
        Metrics of the parcel that holds each point; a row of NA where none does.
    """

    lon: np.ndarray
    lat: np.ndarray
    parcel_no: np.ndarray
    told: pd.DataFrame
    holding: pd.DataFrame

    @classmethod
    def of(cls, con: duckdb.DuckDBPyConnection, lon: np.ndarray, lat: np.ndarray) -> Self:
        """Find the parcels around points, degrees, WGS84, shape (n,)."""
        point = store.query_file(con, "query/assess_parcel_points").df()
        many = NEAR_LOTS if (point["parcel_kind"] == EDGE_KIND).any() else NEAR_CELLS
        index = FeatureIndex.from_points(point["lon"].to_numpy(), point["lat"].to_numpy())
        near, _ = k_nearest(index, lon, lat, min(many, len(point)))
        wanted = np.unique(near[near >= 0])
        asked = {"parcel_no": wanted.tolist()}
        shapes = store.query_file(con, "query/assess_parcel_shapes", asked).df()["geometry"]
        outline = shapely.from_wkb(shapes.map(bytes).to_numpy(object))
        here = shapely.points(lon, lat)
        held = np.full(len(lon), -1)
        for slot in reversed(range(near.shape[1])):
            is_one = near[:, slot] >= 0
            at = np.searchsorted(wanted, near[:, slot])
            is_in = is_one & shapely.covers(outline[np.where(is_one, at, 0)], here)
            held[is_in] = near[is_in, slot]
        if many == NEAR_LOTS:
            _in_large_lots(con, lon, lat, held)
        told = store.query_file(con, "query/assess_near_parcels", asked).df()
        asked = {"parcel_no": np.unique(held[held >= 0]).tolist()}
        found = store.query_file(con, "query/assess_parcels", asked).df().set_index("parcel_no")
        holding = found.reindex(held).reset_index(drop=True)
        return cls(lon, lat, near, told.set_index("parcel_no"), holding)

    def same(self, column: str, wanted: pd.Series) -> pd.DataFrame:
        """Rows of `told` of the nearest parcel whose `column` is what is wanted of each point; NA without."""
        ids = self.told[column].astype(object).reindex([*self.told.index, -1])
        at = np.append(self.told.index.to_numpy(), -1)
        place = np.searchsorted(self.told.index.to_numpy(), self.parcel_no)
        place = np.where(self.parcel_no < 0, len(at) - 1, place)
        theirs = ids.to_numpy(object)[place]
        is_same = (theirs == wanted.to_numpy(object, na_value=None)[:, None]) & (
            wanted.notna().to_numpy()[:, None]
        )
        number = np.where(is_same.any(axis=1), at[place[_rows(is_same)]], -1)
        return self.told.reindex(number).reset_index(drop=True)


def _in_large_lots(
    con: duckdb.DuckDBPyConnection, lon: np.ndarray, lat: np.ndarray, held: np.ndarray
) -> None:
    """Fill in, where `held` is -1, the lot that holds a point though many others stand nearer to it."""
    lost = np.flatnonzero(held < 0)
    if not lost.size:
        return
    asked = {"point_no": lost.tolist(), "lon": lon[lost].tolist(), "lat": lat[lost].tolist()}
    found = store.query_file(con, "query/assess_lots_at", asked).df()
    point_no = found["point_no"].to_numpy(np.int64)
    outline = shapely.from_wkb(found["geometry"].map(bytes).to_numpy(object))
    is_in = shapely.covers(outline, shapely.points(lon[point_no], lat[point_no]))
    held[point_no[is_in]] = found["parcel_no"].to_numpy(np.int64)[is_in]


def _rows(chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Index of the first that is chosen in each row."""
    return np.arange(len(chosen)), chosen.argmax(axis=1)


def _people(con: duckdb.DuckDBPyConnection) -> PeopleSource | None:
    people = store.query_file(con, "query/people_points").df()
    if people.empty:
        return None
    return PeopleSource.of_points(
        *(people[name].to_numpy(float) for name in ("lon", "lat", "people"))
    )


def _forget_people(
    con: duckdb.DuckDBPyConnection, metric: pd.DataFrame, around: pd.DataFrame
) -> None:
    """Where a raster of people leaves land out, what is unknown of a parcel is unknown of its points."""
    if store.query_file(con, "query/people_left_out").df().empty:
        return
    for name in PEOPLE:
        metric[name] = metric[name].where(around[name].notna().to_numpy())


def _take_second_feeds(
    metric: pd.DataFrame, near: NearParcels, substation: pd.DataFrame, costs: TieLineCosts
) -> None:
    """Second feeds of the nearest parcel that the same substation feeds, with the site's own miles."""
    found = near.same("headroom_substation_id", metric["headroom_substation_id"])
    for name in SECOND:
        metric[name] = found[name].astype(metric[name].dtype)
    number = pd.Index(substation["substation_id"]).get_indexer(metric["second_feed_substation_id"])
    is_one = number >= 0
    at = substation.iloc[number[is_one]]
    mi, musd = np.full(len(metric), np.nan), np.full(len(metric), np.nan)
    mi[is_one] = _miles(near.lon[is_one], near.lat[is_one], at)
    kv = at["connect_kv"].fillna(at["kv_max"]).to_numpy(float)
    mw = metric["second_feed_mw"].to_numpy(float)
    musd[is_one] = costs.tie_line_musd(kv, mi[is_one], mw[is_one])
    metric["second_feed_mi"], metric["second_feed_musd"] = mi, musd


def _take_routes(metric: pd.DataFrame, near: NearParcels, fiber: "SiteFiber") -> None:
    """Second routes of the nearest parcel that is lit from the same node, with the site's own miles."""
    found = near.same("lit_node_id", metric["lit_node_id"])
    for name in ROUTES:
        metric[name] = found[name].astype(metric[name].dtype)
    mi = fiber.miles_to(metric["diverse_node_id"])
    metric["diverse_node_mi"] = mi
    metric["diverse_node_musd"] = lateral_musd(mi, fiber.fiber.rules)[:, MID]


def _miles(lon: np.ndarray, lat: np.ndarray, places: pd.DataFrame) -> np.ndarray:
    """Geodesic miles from points to a place each, shape (n,)."""
    there = (places[name].to_numpy(float) for name in ("lon", "lat"))
    return geodesic_km(lon, lat, *there) / KM_PER_MILE


class SiteFiber:
    """The fiber of a build, as far as round trips from some points need it."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        fiber: PublishedFiber,
        lon: np.ndarray,
        lat: np.ndarray,
    ) -> None:
        self.con, self.fiber, self.lon, self.lat = con, fiber, lon, lat

    def miles_to(self, node_id: pd.Series) -> np.ndarray:
        """Geodesic miles from each point to a node, NaN where it is NA, shape (n,)."""
        number = pd.Index(self.fiber.node["node_id"]).get_indexer(node_id)
        is_one = number >= 0
        mi = np.full(len(number), np.nan)
        mi[is_one] = _miles(
            self.lon[is_one], self.lat[is_one], self.fiber.node.iloc[number[is_one]]
        )
        return mi

    @cached_property
    def index(self) -> FiberIndex | None:
        """What points are measured against: round trips are known from the nodes around them alone."""
        node = self.fiber.node
        if node.empty:
            return None
        access: Access = self.fiber.search.access(
            self.lon, self.lat, self.fiber.rules.node_reach_mi
        )
        used = np.unique(access.node_no[access.node_no >= 0])
        node_ms = np.full((len(node), len(node), len(ENDS)), np.inf, dtype=np.float32)
        ms = self.fiber.graph.node_ms(used, limit_ms=self._limit_ms(used))
        node_ms[used] = ms
        lon, lat = (node[name].to_numpy(float) for name in ("lon", "lat"))
        return FiberIndex(
            rules=self.fiber.rules,
            node_id=node["node_id"].to_numpy(dtype=str),
            node_name=node["node_name"].fillna("").to_numpy(dtype=str),
            lon=lon,
            lat=lat,
            is_connected=node["is_connected"].to_numpy(dtype=bool),
            node_ms=node_ms,
            metro=self._metros(),
            exchange=self._exchanges(used, ms),
            people=self._served(),
            diversity=self._diversity(),
        )

    def _limit_ms(self, used: np.ndarray) -> float:
        """Round trip between nodes beyond which nothing is asked of points.

        People are counted within budgets, round trips of metros are published, and to an exchange a point
        never goes by another node than the one from which its exchange is nearest, if that is farther.
        """
        rules = self.fiber.rules
        lateral_ms = rules.straight_ms(np.array([rules.node_reach_mi * KM_PER_MILE])).max()
        farthest_ms = self.fiber.node["rtt_ixp_ms_high"].to_numpy(float)[used]
        farthest_ms = np.nan_to_num(farthest_ms).max(initial=0.0)
        return max(float(BUDGETS_MS[-1]), float(farthest_ms + lateral_ms))

    def _metros(self) -> Targets:
        metro, node = self.fiber.metro, self.fiber.node
        told = store.query_file(self.con, "query/assess_metro_rtts").df()
        ms = np.full((len(metro), len(node), len(ENDS)), np.inf)
        row = pd.Index(metro["metro_id"]).get_indexer(told["metro_id"])
        ms[row, pd.Index(node["node_id"]).get_indexer(told["node_id"])] = told[RTT].to_numpy(float)
        return _targets(metro, "metro", metro["is_major"].to_numpy(bool), ms)

    def _exchanges(self, used: np.ndarray, node_ms: np.ndarray) -> Targets:
        """Exchanges that are the nearest of some node, each at the node that is 0 ms from it."""
        node = self.fiber.node
        at = np.flatnonzero((node["rtt_ixp_ms_mid"] == 0).to_numpy())
        place = pd.Series(at, index=node["rtt_ixp_id"].to_numpy(object)[at])
        place = place[~place.index.duplicated()]
        exchange = self.fiber.exchange
        exchange = exchange[exchange["ixp_id"].isin(place.index)]
        ms = np.full((len(exchange), len(node), len(ENDS)), np.inf)
        there = exchange["ixp_id"].map(place).to_numpy(np.int64)
        # Links go both ways: a round trip is the same from either end.
        ms[:, used] = node_ms[:, there].transpose(1, 0, 2)
        return _targets(exchange, "ixp", np.zeros(len(exchange), dtype=bool), ms)

    def _served(self) -> ServedPeople:
        table = store.query_file(self.con, "query/fiber_people").df()
        number = pd.Index(self.fiber.node["node_id"]).get_indexer(table["node_id"])
        order = np.argsort(number, kind="stable")
        milli = np.rint(table["people"].to_numpy(float)[order] * MILLI).astype(np.int64)
        offsets = np.searchsorted(number[order], np.arange(len(self.fiber.node) + 1))
        running = np.concatenate([[0], np.cumsum(milli)])
        tail_km = table["tail_km"].to_numpy(float)[order]
        return ServedPeople(offsets.astype(np.int64), tail_km, running, 0.0)

    def _diversity(self) -> Diversity:
        """Paths of the nodes; a build does not hold which nodes are diverse of each other."""
        node = self.fiber.node
        basis = pd.Index(BASIS).get_indexer(node["path_basis"]).astype(np.int8)
        paths = node["disjoint_path_count"].fillna(0).to_numpy(np.int64)
        none = np.zeros(0, dtype=np.int64)
        offsets = np.zeros(len(node) + 1, dtype=np.int64)
        choke = np.full(len(node), UNKNOWN)
        return Diversity(paths, basis, choke, offsets, none, none.astype(np.int8))


def _targets(frame: pd.DataFrame, what: str, is_major: np.ndarray, ms: np.ndarray) -> Targets:
    text = (frame[f"{what}_{part}"].fillna("").to_numpy(str) for part in ("id", "name"))
    at = (frame[name].to_numpy(float) for name in ("lon", "lat"))
    return Targets(*text, *at, is_major, ms)
