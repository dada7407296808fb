"""Latency of places the plain way: loops over nodes, targets and people with Geod, and made-up fiber to try it on."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from data.stage import REFERENCE_DIR
from geo.fiber.diversity import UNKNOWN, Diversity
from geo.fiber.latency import FiberIndex
from geo.fiber.rules import LatencyRules
from tests.oracle.geodesic import GEOD, METRES_PER_MILE
from tests.oracle.shapes import around

RULES = LatencyRules.from_frame(pd.read_csv(REFERENCE_DIR / "latency.csv"))
ENDS = ("low", "mid", "high")
FACTORS = (1.3, 1.7, 2.1)
# Round trip of light in fiber: there and back at 4.9 microseconds a kilometre.
MS_PER_KM = 2 * 0.0049
REACH_MI, METRO_REACH_MI, NODES = 100.0, 50.0, 4
BUDGETS_MS = (5, 10, 20)
MUSD_PER_MI = 1.3 * 0.095
BASES = ("logical", "mapped", "right_of_way")
# The engine's distances are good to 0.1 mm, and it counts people by the nanosecond.
SAME_MS, SAME_MI = 1e-5, 1e-6


class Fiber(SimpleNamespace):
    """`node` (with `is_connected`), `node_ms`, `metro`, `ixp`, `people`, `ixp_node`, `partners`, `paths`, `basis`."""

    def __repr__(self):
        """Say how large it is: what fails prints it."""
        return f"<fiber of {len(self.node)} nodes>"

    def index(self):
        """Prepare it as the engine takes it."""
        return FiberIndex.of(
            self.node, self.node_ms, (self.metro, self.ixp, self.people), self.ixp_node,
            self.diversity(), RULES,
        )  # fmt: skip

    def diversity(self):
        """Paths and partners; parcels are measured against no choke and no basis of pairs."""
        partner = np.array([one for row in self.partners for one in row], dtype=np.int64)
        return Diversity(
            node_paths=self.paths,
            node_basis=self.basis,
            node_choke=np.full(len(self.paths), -1),
            partner_offsets=np.cumsum([0, *map(len, self.partners)]),
            partner_node=partner,
            partner_basis=np.full(len(partner), UNKNOWN),
        )


def fiber_world(place, scale_m, seed, layers, *, most=14):
    """Make nodes around a place, with paths between some of them, to reach a world's metros and people."""
    rng = np.random.default_rng([seed, 5])
    count = int(rng.integers(0, most))
    spots = around(place, rng.uniform(0, 360, count), 1.5 * scale_m * np.sqrt(rng.random(count)))
    lon, lat = spots.reshape(count, 2).T
    km = np.array([[miles(*a, *b) * 1.609344 for a in spots] for b in spots]).reshape(count, count)
    # Paths are longer than straight, each end by its own, and in two parts of the country none leads over.
    node_ms = np.empty((count, count, 3))
    longer = 1.0 + rng.random((count, count))
    part = rng.random(count) < 0.15
    for end in range(3):
        ms = MS_PER_KM * FACTORS[end] * km * (longer + longer.T) / 2.0
        ms += np.where(part[:, None] == part[None, :], 0.0, np.inf)
        np.fill_diagonal(ms, 0.0)
        node_ms[:, :, end] = ms
    connected = rng.random(count) < 0.8
    # Some have backhaul alone.
    paths = np.where(connected, rng.integers(0, 4, count), 0)
    return Fiber(
        node=pd.DataFrame(
            {
                "node_id": [f"n{no:03d}" for no in range(count)],
                "node_name": [None if rng.random() < 0.2 else f"N{no}" for no in range(count)],
                "lon": lon, "lat": lat, "is_connected": connected,
            }
        ),
        node_ms=node_ms,
        metro=layers.metro,
        ixp=layers.ixp,
        people=layers.people,
        ixp_node=rng.integers(-1, max(count, 0), len(layers.ixp)) if count else np.full(len(layers.ixp), -1),
        partners=[
            sorted(set(np.flatnonzero((paths > 0) & (rng.random(count) < 0.2))) - {no}) if paths[no] else []
            for no in range(count)
        ],
        paths=paths,
        basis=rng.integers(-1, 3, count),
    )  # fmt: skip


def miles(lon, lat, to_lon, to_lat):
    """Geodesic miles between two points."""
    return GEOD.inv(lon, lat, to_lon, to_lat)[2] / METRES_PER_MILE


def straight_ms(mi, end):
    """Round trip over a great circle of some miles."""
    return MS_PER_KM * mi * 1.609344 * FACTORS[end]


def nodes_near(lon, lat, fiber, most, reach_mi):
    """Connected nodes within reach and the miles to them, nearest first."""
    rows = zip(fiber.node["lon"], fiber.node["lat"], fiber.node["is_connected"], strict=True)
    found = [(miles(lon, lat, *row[:2]), number) for number, row in enumerate(rows) if row[2]]
    return [(number, mi) for mi, number in sorted(found) if mi <= reach_mi][:most]


def node_to_node(fiber, near, far, end):
    """Least round trip from nodes at some miles to nodes at some miles; inf where no path leads there."""
    trips = [
        straight_ms(mi, end) + fiber.node_ms[a, b, end] + straight_ms(tail_mi, end)
        for a, mi in near
        for b, tail_mi in far
    ]
    return min(trips, default=np.inf)


def targets_of(fiber, kind):
    """Ids, names and places of targets, with the nodes that each is reached over and the miles from them."""
    if kind == "rtt_ixp":
        rows = zip(fiber.ixp["ixp_id"], fiber.ixp["ixp_name"], fiber.ixp_node, strict=True)
        return [(key, name, None, [(node, 0.0)]) for key, name, node in rows if node >= 0]
    metro = fiber.metro
    if kind == "rtt_major_metro":
        metro = metro[metro["is_major"].astype(bool)]
    rows = zip(metro["metro_id"], metro["metro_name"], metro["lon"], metro["lat"], strict=True)
    return [
        (key, name, (lon, lat), nodes_near(lon, lat, fiber, NODES, METRO_REACH_MI))
        for key, name, lon, lat in rows
    ]


def plain_latency(lon, lat, fiber, found):
    """Add the right values of places to `found.known` and `found.choices`; `fiber` is None where there is none."""
    places = list(zip(lon, lat, strict=True))
    if fiber is None:
        _nothing(places, found)
        return
    near = [nodes_near(*place, fiber, NODES, REACH_MI) for place in places]
    reasons = [None if nodes else "no connected node within 100 miles" for nodes in near]
    said = {"rtt_metro": "a metro", "rtt_major_metro": "a major metro", "rtt_ixp": "an exchange"}
    for kind, word in said.items():
        _trips(kind, places, near, fiber, found)
        for row in np.flatnonzero(np.isnan(found.known[f"{kind}_ms_mid"])):
            reasons[row] = reasons[row] or f"no path to {word}"
    found.choices["rtt_unknown_reason",] = [[(reason,)] for reason in reasons]
    _people(near, fiber, found)
    _routes(places, near, fiber, found)


def _nothing(places, found):
    for name in columns():
        found.choices[name,] = [[(None,)] for _ in places]
    found.choices["rtt_unknown_reason",] = [[("no fiber layer",)] for _ in places]


def columns():
    """Names of all columns of latency."""
    names = []
    for kind in ("rtt_metro", "rtt_major_metro", "rtt_ixp"):
        names += [f"{kind}_ms_{end}" for end in ENDS] + [f"{kind}_id", f"{kind}_name"]
    names += ["rtt_major_metro_above_ceiling"]
    names += [f"people_{budget}ms_{end}" for budget in BUDGETS_MS for end in ENDS]
    names += [
        "rtt_unknown_reason",
        "lit_node_name",
        "disjoint_path_count",
        "is_single_homed",
        "path_basis",
    ]
    for node in ("lit_node", "diverse_node"):
        names += [f"{node}_{what}" for what in ("mi", "id", "musd")]
    return names


def _trips(kind, places, near, fiber, found):
    targets = targets_of(fiber, kind)
    values = np.full((len(places), 3), np.nan)
    chosen, above = [], []
    for row, nodes in enumerate(near):
        trips = [[node_to_node(fiber, nodes, far, end) for end in range(3)] for *_, far in targets]
        least = min((trip[1] for trip in trips), default=np.inf)
        if np.isinf(least):
            chosen.append([(None, None)])
            above.append([(None,)])
            continue
        same = [no for no, trip in enumerate(trips) if trip[1] <= least + SAME_MS]
        values[row] = trips[same[0]]
        chosen.append([targets[no][:2] for no in same])
        ways = [_above(places[row], targets[no][2], trips[no]) for no in same]
        above.append([(one,) for words in ways for one in words])
    for end, name in enumerate(ENDS):
        found.known[f"{kind}_ms_{name}"] = values[:, end]
    found.choices[f"{kind}_id", f"{kind}_name"] = chosen
    if kind == "rtt_major_metro":
        found.choices["rtt_major_metro_above_ceiling",] = above


def _above(place, centre, trips):
    """Words for the ends above 2.1 times light along the great circle; two where one is as good as equal."""
    if centre is None:
        return [None]
    ceiling = straight_ms(miles(*place, *centre), 2)
    counts = {sum(ms > ceiling + slack for ms in trips) for slack in (-SAME_MS, SAME_MS)}
    return [("none", "high", "mid", "low")[count] for count in counts]


def served(fiber):
    """People with the node that is nearest to them and the miles to it; those with none in reach left out."""
    rows = zip(fiber.people["people"], fiber.people["lon"], fiber.people["lat"], strict=True)
    nodes = [(people, nodes_near(lon, lat, fiber, 1, REACH_MI)) for people, lon, lat in rows]
    return [(round(people * 1000), *at[0]) for people, at in nodes if at]


def _people(near, fiber, found):
    people = served(fiber)
    # Sure are those whose high round trip is within.
    for end, told in enumerate(reversed(ENDS)):
        trips = [
            [node_to_node(fiber, nodes, [(node, mi)], end) for _, node, mi in people]
            for nodes in near
        ]
        for budget in BUDGETS_MS:
            found.choices[f"people_{budget}ms_{told}",] = [
                _counts(people, row, budget) if nodes and people else [(None,)]
                for nodes, row in zip(near, trips, strict=True)
            ]


def _counts(people, trips, budget):
    """Counts that are right: at the budget, and where trips all but equal it, with any of those."""
    limits = [budget - SAME_MS, *(ms for ms in trips if abs(ms - budget) <= SAME_MS)]
    out = []
    for limit in limits:
        milli = sum(one[0] for one, ms in zip(people, trips, strict=True) if ms <= limit)
        out.append(((milli + 500) // 1000,))
    return out


def _routes(places, near, fiber, found):
    rows = [
        _route(place, _lit(place, fiber) or nodes[:1], fiber)
        for place, nodes in zip(places, near, strict=True)
    ]
    for at, name in enumerate(
        ("lit_node_mi", "lit_node_musd", "diverse_node_mi", "diverse_node_musd")
    ):
        found.known[name] = np.array([row[at] for row in rows])
    names = (
        "lit_node_id",
        "lit_node_name",
        "diverse_node_id",
        "disjoint_path_count",
        "is_single_homed",
        "path_basis",
    )
    found.choices[names] = [[row[4:]] for row in rows]


def _lit(place, fiber):
    """The nearest node with a path, if one is in reach."""
    found = nodes_near(*place, fiber, None, REACH_MI)
    return [(no, mi) for no, mi in found if fiber.paths[no] > 0][:1]


def _route(place, nodes, fiber):
    if not nodes:
        return (np.nan,) * 4 + (None,) * 6
    lit, lit_mi = nodes[0]
    name = {no: (fiber.node["node_id"][no], fiber.node["node_name"][no]) for no in fiber.node.index}
    around_place = [
        (miles(*place, fiber.node["lon"][no], fiber.node["lat"][no]), no)
        for no in fiber.partners[lit]
    ]
    second_mi, second = min(around_place, default=(np.inf, None))
    bases = [fiber.basis[lit]]
    if second_mi > REACH_MI:
        other = (np.nan, None)
        count = min(fiber.paths[lit], 1)
    else:
        other = (second_mi, name[second][0])
        count = 2
        bases.append(fiber.basis[second])
    basis = None if min(bases) < 0 else BASES[min(bases)]
    return (
        lit_mi, lit_mi * MUSD_PER_MI, other[0], other[0] * MUSD_PER_MI,
        *name[lit], other[1], count, count < 2, basis,
    )  # fmt: skip
