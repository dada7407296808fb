"""Points of presence, exchanges, facilities and cable landings as nodes of one graph."""

from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.fiber.rules import LatencyRules
from geo.geodesy import KM_PER_MILE
from geo.locate import locate
from geo.pairs import pairs_within

# Coasts of county maps are drawn this coarsely: what is farther out stands in no county.
SHORE_KM = 5.0
# Cities of the neighbouring countries are in no county either, so the reason does not say `sea` alone.
OUTSIDE = "lies in the sea or abroad"
# Order in which points become first points of a node. A facility of another kind (a telephone
# exchange ends an access network, and nothing says that carriers meet there) makes no node.
POP, IXP, COLOCATION, LANDING = range(4)
_PREFIX = np.array(["pop-", "ixp-", "facility-", "landing-"], dtype=object)
_FACILITY = {"colocation": COLOCATION, "cable_landing": LANDING}


@dataclass(frozen=True, eq=False)
class FiberNodes:
    """Places where fiber can be entered. The first three tables, as published, are enough for a graph.

    Attributes
    ----------
    node
        In order of `node_id`, which is the id of the node's first point after its kind (`pop-`, `ixp-`,
        `facility-`, `landing-`): `node_name` (the commonest name of its points of presence, else an
        exchange's, else a facility's), `lon`, `lat` (degrees, WGS84, of the first point),
        `carrier_count`, `pop_count`, `facility_count` (colocation), `ixp_count`, `landing_count`,
        `is_interconnection` (carriers can be changed here), `is_inferred` (taken for one, as no
        exchange and no facility is listed), `reason` (why it is left out of every path; missing
        otherwise, and until `FiberGraph.node` tells more than `OUTSIDE`).
    pop
        `pop_id`, `node_no` (row of `node`), `carrier_no` (row of `carrier`), in order of `pop_id`.
    carrier
        `carrier_id`, `carrier_name`, in order of `carrier_id`.
    ixp_node, facility_node
        Rows of the layers that were given to rows of `node`; -1 for what is left out.
    left_out
        `pop_id`, `reason` of points of presence that are in no node.
    """

    node: pd.DataFrame
    pop: pd.DataFrame
    carrier: pd.DataFrame
    ixp_node: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    facility_node: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    left_out: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=["pop_id", "reason"])
    )

    @property
    def is_outside(self) -> np.ndarray:
        """Whether each node lies in no county, shape (nodes,)."""
        return (self.node["reason"] == OUTSIDE).to_numpy(dtype=bool)

    @property
    def is_exchange(self) -> np.ndarray:
        """Whether each node has an exchange, listed or inferred by the study, shape (nodes,)."""
        return self.node["ixp_count"].to_numpy() > 0


def join_nodes(
    pop: pd.DataFrame,
    facility: pd.DataFrame,
    ixp: pd.DataFrame,
    county: gpd.GeoDataFrame | None,
    rules: LatencyRules,
) -> FiberNodes:
    """Join points that are nearly identical.

    Points become first points of nodes in order of kind and id, unless one stands within
    `node_join_km`; every other point belongs to the nearest of them. No chains form, and the order
    of rows changes nothing.

    Parameters
    ----------
    pop, facility, ixp
        Columns of `core.pop`, `core.facility`, `core.ixp`; only carriers' points of presence count.
    county
        Columns of `core.county`, polygons in lon/lat; nodes farther than 5 km from all of them are
        `OUTSIDE`, except cable landings. Without it none is.
    rules
        `node_join_km`, `exchange_carriers`.

    Raises
    ------
    CrsError
        `county` is not in lon/lat.
    GeometryError
        A coordinate is no degree.
    """
    reason = _pop_reasons(pop)
    point = pd.concat(
        [
            _points(pop[reason == ""], "pop_id", "pop_name", POP),
            _points(ixp, "ixp_id", "ixp_name", IXP),
            _points(facility, "facility_id", "facility_name", -1).assign(
                kind=facility["facility_kind"].map(_FACILITY).fillna(-1).astype(int).to_numpy()
            ),
        ],
        ignore_index=True,
    )
    is_kept = (point["kind"] >= 0) & point["lon"].notna() & point["lat"].notna()
    kept = point[is_kept].sort_values(["kind", "id", "lon", "lat", "name"])
    first, member = _join(kept["lon"].to_numpy(), kept["lat"].to_numpy(), rules.node_join_km)
    node_id = (_PREFIX[kept["kind"].to_numpy()] + kept["id"].to_numpy(dtype=object))[first]
    by_id = np.argsort(node_id, kind="stable")
    rank = np.empty(len(first), dtype=np.int64)
    rank[by_id] = np.arange(len(first))
    kept = kept.assign(node_no=rank[member])
    node_no = np.full(len(point), -1, dtype=np.int64)
    node_no[kept.index.to_numpy()] = kept["node_no"].to_numpy()
    pops = len(point) - len(ixp) - len(facility)
    carried = pop.loc[reason == "", ["pop_id", "carrier_id", "carrier_name"]]
    carried = carried.assign(node_no=node_no[:pops]).sort_values("pop_id", ignore_index=True)
    carrier = _carriers(carried)
    carrier_no = np.searchsorted(carrier["carrier_id"].to_numpy(object), carried["carrier_id"])
    node = pd.DataFrame(
        {
            "node_id": node_id[by_id],
            "node_name": _names(kept, len(first)),
            "lon": kept["lon"].to_numpy()[first[by_id]],
            "lat": kept["lat"].to_numpy()[first[by_id]],
            **_counts(kept, carried["node_no"].to_numpy(), carrier_no, len(first)),
        }
    )
    ixp_node = node_no[pops : pops + len(ixp)]
    is_inferred = ixp["is_inferred"].fillna(value=False).to_numpy(dtype=bool)
    is_listed = node["facility_count"].to_numpy() > 0
    is_listed[ixp_node[(ixp_node >= 0) & ~is_inferred]] = True
    many = node["carrier_count"].to_numpy() >= rules.exchange_carriers
    node["is_interconnection"] = is_listed | many | (node["ixp_count"].to_numpy() > 0)
    node["is_inferred"] = node["is_interconnection"] & ~is_listed
    node["reason"] = _outside(node, county)
    return FiberNodes(
        node,
        carried.assign(carrier_no=carrier_no)[["pop_id", "node_no", "carrier_no"]],
        carrier,
        ixp_node,
        node_no[pops + len(ixp) :],
        pd.DataFrame({"pop_id": pop["pop_id"], "reason": reason})[reason != ""].sort_values(
            "pop_id", ignore_index=True
        ),
    )


def _pop_reasons(pop: pd.DataFrame) -> np.ndarray:
    """Why each point of presence is left out, '' where it is not, shape (n,)."""
    return np.select(
        [
            (pop["carrier_kind"] != "carrier").to_numpy(dtype=bool),
            pop["carrier_id"].isna().to_numpy(),
            (pop["lon"].isna() | pop["lat"].isna()).to_numpy(),
        ],
        ["is of no carrier", "names no carrier", "has no position"],
        "",
    )


def _points(layer: pd.DataFrame, key: str, name: str, kind: int) -> pd.DataFrame:
    """Take the points of one layer: kind, id, name ('' for none), lon, lat."""
    return pd.DataFrame(
        {
            "kind": np.full(len(layer), kind, dtype=np.int64),
            "id": layer[key].astype(str).to_numpy(dtype=object),
            "name": layer[name].fillna("").astype(str).to_numpy(dtype=object),
            "lon": layer["lon"].to_numpy(dtype=np.float64, na_value=np.nan),
            "lat": layer["lat"].to_numpy(dtype=np.float64, na_value=np.nan),
        }
    )


def _join(lon: np.ndarray, lat: np.ndarray, join_km: float) -> tuple[np.ndarray, np.ndarray]:
    """First points of nodes (rows, in the order given) and the node of each point."""
    _, place, back = np.unique(
        np.column_stack([lon, lat]), axis=0, return_index=True, return_inverse=True
    )
    # Places in the order of their first points.
    order = np.argsort(place, kind="stable")
    place_no = np.empty(len(place), dtype=np.int64)
    place_no[order] = np.arange(len(place))
    point = place[order]
    here, there, miles = pairs_within(
        lon[point], lat[point], lon[point], lat[point], join_km / KM_PER_MILE
    )
    start = np.searchsorted(here, np.arange(len(point) + 1))
    is_first, is_near = np.zeros(len(point), dtype=bool), np.zeros(len(point), dtype=bool)
    for no in range(len(point)):
        if not is_near[no]:
            is_first[no] = True
            is_near[there[start[no] : start[no + 1]]] = True
    pairs = np.flatnonzero(is_first[there])
    pairs = pairs[np.lexsort((there[pairs], miles[pairs], here[pairs]))]
    nearest = there[pairs[np.flatnonzero(np.diff(here[pairs], prepend=-1))]]
    node_of_place = (np.cumsum(is_first) - 1)[nearest]
    return point[is_first], node_of_place[place_no[back.ravel()]]


def _carriers(carried: pd.DataFrame) -> pd.DataFrame:
    """Each carrier, with the first of its names."""
    names = carried.groupby("carrier_id", sort=True)["carrier_name"].min()
    return pd.DataFrame(
        {
            "carrier_id": names.index.to_numpy(dtype=object),
            "carrier_name": names.to_numpy(dtype=object),
        }
    )


def _names(kept: pd.DataFrame, nodes: int) -> np.ndarray:
    """Name of each node: the commonest of its first kind of point that has one, None for no name."""
    named = kept[kept["name"] != ""]
    common = named.groupby(["node_no", "kind", "name"]).size().rename("points").reset_index()
    common = common.sort_values(
        ["node_no", "kind", "points", "name"], ascending=[True, True, False, True]
    ).drop_duplicates("node_no")
    names = np.full(nodes, None, dtype=object)
    names[common["node_no"].to_numpy()] = common["name"].to_numpy(dtype=object)
    return names


def _counts(
    kept: pd.DataFrame, pop_node: np.ndarray, carrier_no: np.ndarray, nodes: int
) -> dict[str, np.ndarray]:
    """Carriers and points of each kind of the nodes."""
    node_no, kind = kept["node_no"].to_numpy(), kept["kind"].to_numpy()
    pairs = np.unique(np.column_stack([pop_node, carrier_no]), axis=0)
    count = {"carrier_count": np.bincount(pairs[:, 0], minlength=nodes)}
    columns = {"pop": POP, "facility": COLOCATION, "ixp": IXP, "landing": LANDING}
    for name, number in columns.items():
        count[f"{name}_count"] = np.bincount(node_no[kind == number], minlength=nodes)
    return count


def _outside(node: pd.DataFrame, county: gpd.GeoDataFrame | None) -> np.ndarray:
    """Say which nodes lie in no county; landings may stand in the water."""
    reason = np.full(len(node), None, dtype=object)
    if county is None or county.empty:
        return reason
    found = locate(
        node["lon"].to_numpy(),
        node["lat"].to_numpy(),
        county.geometry,
        max_gap_mi=SHORE_KM / KM_PER_MILE,
    )
    reason[(found < 0) & (node["landing_count"].to_numpy() == 0)] = OUTSIDE
    return reason
