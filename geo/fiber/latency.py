"""Round trips, people in reach and second routes of places, by the fiber nodes around them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd

from geo._threads import in_threads
from geo.errors import GeoError
from geo.fiber import _reach
from geo.fiber.access import Access, NodeSearch
from geo.fiber.diversity import Diversity
from geo.fiber.reach import PeopleReach, ServedPeople
from geo.fiber.rules import LatencyRules
from geo.fiber.targets import Targets
from geo.geodesy import METRES_PER_MILE, lonlat_arrays, to_ecef
from geo.people_units import whole_people


class DiverseRoute(NamedTuple):
    """Second routes of places.

    Attributes
    ----------
    node_no, mi
        Nearest diverse partner of the place's lit node that is within reach of the place, and geodesic miles, shape (n,); -1 and NaN where there is none.
    path_count
        2 where there is one, else 1 where the lit node has a path to an exchange, else 0;
        -1 unknown.
    basis
        The worst on the paths of the two nodes, a number in `trenches.BASIS`; -1 unknown.
    """

    node_no: np.ndarray
    mi: np.ndarray
    path_count: np.ndarray
    basis: np.ndarray


@dataclass(frozen=True, eq=False)
class FiberIndex:
    """Fiber nodes with all that places are measured against; nothing but arrays.

    Attributes
    ----------
    rules
        Parameters of latency.
    node_id, node_name
        Text, shape (P,).
    lon, lat
        Degrees, shape (P,).
    is_connected
        Whether a node has a path to an exchange, shape (P,); others serve nobody.
    node_ms
        Low, mid and high round trip between nodes, float32, shape (P, P, 3); inf where there is no path.
    metro, exchange
        What round trips lead to.
    people
        People by the node that serves them.
    diversity
        Second routes.
    """

    rules: LatencyRules
    node_id: np.ndarray
    node_name: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    is_connected: np.ndarray
    node_ms: np.ndarray
    metro: Targets
    exchange: Targets
    people: ServedPeople
    diversity: Diversity

    def __post_init__(self) -> None:
        """Hold the arrays against each other."""
        count = len(self.node_id)
        shapes = {
            "lon": (self.lon, (count,)),
            "lat": (self.lat, (count,)),
            "is_connected": (self.is_connected, (count,)),
            "node_ms": (self.node_ms, (count, count, 3)),
            "metro.ms": (self.metro.ms, (len(self.metro), count, 3)),
            "exchange.ms": (self.exchange.ms, (len(self.exchange), count, 3)),
            "people.offsets": (self.people.offsets, (count + 1,)),
            "diversity.partner_offsets": (self.diversity.partner_offsets, (count + 1,)),
            "diversity.node_paths": (self.diversity.node_paths, (count,)),
            "diversity.node_basis": (self.diversity.node_basis, (count,)),
        }
        for name, (array, shape) in shapes.items():
            if array.shape != shape:
                msg = f"The fiber index has {count} nodes, but {name} of shape {array.shape}, not {shape}."
                raise GeoError(msg)

    @classmethod
    def of(
        cls,
        node: pd.DataFrame,
        node_ms: np.ndarray,
        layers: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame],
        ixp_node: np.ndarray,
        diversity: Diversity,
        rules: LatencyRules,
    ) -> Self:
        """Prepare an index.

        Parameters
        ----------
        node
            Columns `node_id`, `node_name`, `lon`, `lat`, `is_connected`, one row a node.
        node_ms
            Low, mid and high round trip between nodes, shape (P, P, 3); inf where there is no path.
        layers
            Metros, exchanges and people: see `Targets` and `ServedPeople`.
        ixp_node
            Number of the node of each exchange, -1 where it is left out.
        diversity
            Second routes.
        rules
            Parameters.

        Raises
        ------
        GeometryError
            For coordinates that are NaN or no degrees.
        GeoError
            For arrays that do not fit together.
        """
        metro, ixp, people = layers
        lon, lat = lonlat_arrays(node["lon"].to_numpy(), node["lat"].to_numpy(), "node")
        is_connected = node["is_connected"].to_numpy(dtype=bool)
        search = NodeSearch.of(lon, lat, is_connected)
        return cls(
            rules=rules,
            node_id=node["node_id"].to_numpy(dtype=str),
            node_name=node["node_name"].fillna("").to_numpy(dtype=str),
            lon=lon,
            lat=lat,
            is_connected=is_connected,
            node_ms=np.asarray(node_ms, dtype=np.float32),
            metro=Targets.of_metros(metro, (lon, lat, is_connected), node_ms, rules),
            exchange=Targets.of_exchanges(ixp, ixp_node, node_ms),
            people=ServedPeople.of(people, search, len(node), rules),
            diversity=diversity,
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """All but the rules by name, as `numpy.savez` takes them; none needs pickling."""
        own = ("node_id", "node_name", "lon", "lat", "is_connected", "node_ms")
        out = {name: getattr(self, name) for name in own}
        for part, kind in _PARTS.items():
            held = getattr(self, part)
            for name in kind.__annotations__:
                out[f"{part}.{name}"] = np.asarray(getattr(held, name))
        return out

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray], rules: LatencyRules) -> Self:
        """Put together what `arrays` gave, read back from a file say.

        Raises
        ------
        GeoError
            When an array is missing, or they do not fit together.
        """
        try:
            parts: dict[str, Any] = {
                part: kind(**{name: arrays[f"{part}.{name}"][()] for name in kind.__annotations__})
                for part, kind in _PARTS.items()
            }
            own = ("node_id", "node_name", "lon", "lat", "is_connected", "node_ms")
            parts.update({name: arrays[name] for name in own})
            return cls(rules=rules, **parts)
        except KeyError as error:
            msg = f"The fiber index has no array {error}; build it again."
            raise GeoError(msg) from None

    @cached_property
    def search(self) -> NodeSearch:
        """Connected nodes, ready to be searched."""
        return NodeSearch.of(self.lon, self.lat, self.is_connected)

    @cached_property
    def major_metro(self) -> Targets:
        """Metros of a million people or more."""
        return self.metro.take(self.metro.is_major)

    @cached_property
    def people_reach(self) -> PeopleReach:
        """People, ready to be counted."""
        return PeopleReach.of(self.people, self.node_ms, self.rules)

    def access(self, lon: np.ndarray, lat: np.ndarray, *, workers: int = -1) -> Access:
        """Find the four nearest connected nodes within `rules.node_reach_mi` of places.

        Parameters
        ----------
        lon, lat
            Degrees, WGS84, shape (n,).
        workers
            Threads; -1 takes all cores.

        Raises
        ------
        GeometryError
            For coordinates that are NaN or no degrees.
        """
        return self.search.access(lon, lat, self.rules.node_reach_mi, workers=workers)

    def people_within(
        self, lon: np.ndarray, lat: np.ndarray, budgets_ms: tuple[float, ...]
    ) -> np.ndarray:
        """Count whole people within round trips of places: see `PeopleReach.within`.

        Returns
        -------
        int64, shape (n, len(budgets_ms), 3); -1 where a place has no node in reach.
        """
        access = self.access(lon, lat)
        people = whole_people(self.people_reach.within(lon, lat, access, budgets_ms))
        people[~access.is_any] = -1
        return people

    @cached_property
    def _with_path(self) -> NodeSearch:
        """Nodes with a path to an exchange on links that somebody knows of."""
        return NodeSearch.of(
            self.lon, self.lat, self.is_connected & (self.diversity.node_paths > 0)
        )

    def lit(self, lon: np.ndarray, lat: np.ndarray, access: Access, *, workers: int = -1) -> Access:
        """Find the node that fiber would be built to first, shape (n, 1).

        It is the nearest with a path to an exchange on known links, else the nearest connected one: what
        backhaul alone leads to nobody knows to be lit.

        Parameters
        ----------
        lon, lat
            Degrees, WGS84, shape (n,).
        access
            Nearest connected nodes of the places.
        workers
            Threads; -1 takes all cores.
        """
        near = self._with_path.access(
            *(lon, lat, self.rules.node_reach_mi), count=1, workers=workers
        )
        is_known = near.node_no >= 0
        return Access(
            np.where(is_known, near.node_no, access.node_no[:, :1]),
            np.where(is_known, near.mi, access.mi[:, :1]),
        )

    def diverse(
        self, lon: np.ndarray, lat: np.ndarray, near: Access, *, workers: int = -1
    ) -> DiverseRoute:
        """Second routes of places, in degrees, shape (n,), beside their first: `near` is that of `lit`."""
        lit = near.node_no[:, 0]
        known = self.diversity
        here, there = to_ecef(lon, lat), to_ecef(self.lon, self.lat)
        number, metres = np.full(len(lit), -1), np.full(len(lit), np.inf)
        reach_m = self.rules.node_reach_mi * METRES_PER_MILE
        lists = (np.asarray(lit), known.partner_offsets, known.partner_node, there)
        in_threads(
            lambda rows: _reach.nearest_of(
                here, *lists, reach_m, rows.start, rows.stop, number, metres
            ),
            len(lit),
            workers,
        )
        mi = np.where(number < 0, np.nan, metres / METRES_PER_MILE)
        if not len(self.node_id):
            return DiverseRoute(number, mi, number, number)
        paths, basis = known.node_paths[lit], known.node_basis[lit]
        count = np.where(number >= 0, 2, np.minimum(paths, 1))
        other = np.where(number >= 0, known.node_basis[number], basis)
        # Of two that are known the worse; nothing is known where one is not.
        basis = np.minimum(basis, other)
        is_any = lit >= 0
        return DiverseRoute(number, mi, np.where(is_any, count, -1), np.where(is_any, basis, -1))

    def great_circle_km(
        self, lon: np.ndarray, lat: np.ndarray, target: Targets, number: np.ndarray
    ) -> np.ndarray:
        """Geodesic km from places to a target each, by its number, shape (n,); NaN where it is -1."""
        metres = np.full(len(number), np.nan)
        rows = np.flatnonzero(number >= 0)
        here = to_ecef(lon[rows], lat[rows])
        there = to_ecef(target.lon[number[rows]], target.lat[number[rows]])
        found = np.empty(len(rows))
        in_threads(lambda part: _reach.arcs(here, there, part.start, part.stop, found), len(rows))
        metres[rows] = found
        return metres / 1_000.0


_PARTS: dict[str, type] = {
    "metro": Targets,
    "exchange": Targets,
    "people": ServedPeople,
    "diversity": Diversity,
}
