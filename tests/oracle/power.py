"""Hosting capacity by dense solves of the whole network: one for each outage and trial load."""

from dataclasses import dataclass
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
from hypothesis import strategies as st

FOLDER = Path(__file__).parent
BASE_MVA = 100.0
# A network of worse condition is called singular.
WORST = 1e9
# Loads that are tried at once: a bisection into so many and one parts.
TRIALS = 12
BRANCH = ("branch_id", "branch_kind", "from_bus_id", "to_bus_id", "x_pu", "tap_ratio",
          "phase_shift_deg", "rating_mva", "flow_mw", "is_in_service")  # fmt: skip
BUS = ("bus_id", "kv", "load_mw", "substation_id", "zone_id", "interconnect")
PLANT = ("plant_id", "bus_id", "capacity_mw", "dispatch_mw", "fuel_kind", "is_in_service")
TIE = ("dc_tie_id", "from_bus_id", "to_bus_id", "flow_mw")
LINE_KV, LINE_MVA = (69.0, 138.0, 345.0), (61.0, 226.0, 1500.0)
LINE_SPREAD, AMPERES, OF_FLOW = (0.6, 1.0, 1.6), (2000.0, 3000.0, 4000.0), (1.1, 1.25, 1.6)


@dataclass
class Frames:
    bus: pd.DataFrame
    branch: pd.DataFrame
    plant: pd.DataFrame
    dc_tie: pd.DataFrame

    def all(self):
        return self.bus, self.branch, self.plant, self.dc_tie

    @classmethod
    def of(cls, bus, branch, plant, dc_tie=()):
        """From dicts; what they do not name is unknown."""
        frames = []
        for rows, names, numbers in (
            (bus, BUS, ("kv", "load_mw")),
            (branch, BRANCH, ("x_pu", "tap_ratio", "phase_shift_deg", "rating_mva", "flow_mw")),
            (plant, PLANT, ("capacity_mw", "dispatch_mw")),
            (dc_tie, TIE, ("flow_mw",)),
        ):
            frame = pd.DataFrame(rows, columns=[*names])
            frames.append(frame.astype(dict.fromkeys(numbers, float)))
        return cls(*frames)


def ieee(name):
    """IEEE 39 (New England) or 118 buses, with the ratings that MATPOWER has of them."""
    bus = pd.read_csv(FOLDER / f"ieee{name}_bus.csv")
    branch = pd.read_csv(FOLDER / f"ieee{name}_branch.csv")
    ids = "b" + bus["bus"].astype(str).str.zfill(3)
    runs = bus["capacity_mw"].notna()
    return Frames(
        pd.DataFrame({"bus_id": ids, "kv": bus["kv"].astype(float), "load_mw": bus["load_mw"],
                      "substation_id": None, "zone_id": bus["area"].astype(str),
                      "interconnect": "IEEE"}),
        pd.DataFrame({"branch_id": [f"l{n:03d}" for n in range(len(branch))],
                      "branch_kind": np.where(branch["tap_ratio"].isna(), "line", "transformer"),
                      "from_bus_id": "b" + branch["from_bus"].astype(str).str.zfill(3),
                      "to_bus_id": "b" + branch["to_bus"].astype(str).str.zfill(3),
                      "x_pu": branch["x_pu"], "tap_ratio": branch["tap_ratio"],
                      "phase_shift_deg": np.nan, "rating_mva": branch["rating_mva"],
                      "flow_mw": np.nan, "is_in_service": True}),
        pd.DataFrame({"plant_id": "g" + ids[runs], "bus_id": ids[runs],
                      "capacity_mw": bus["capacity_mw"][runs],
                      "dispatch_mw": bus["dispatch_mw"][runs],
                      "fuel_kind": "firm", "is_in_service": True}),
        pd.DataFrame([], columns=[*TIE]),
    )  # fmt: skip


class PlainGrid:
    """One case, read row by row; angles from the inverse of the whole matrix."""

    def __init__(self, frames):
        bus, branch, plant, tie = (frame.to_dict("records") for frame in frames.all())
        self.bus = {row["bus_id"]: row for row in bus}
        kept = [
            row for row in branch
            if row["from_bus_id"] in self.bus and row["to_bus_id"] in self.bus
            and row["from_bus_id"] != row["to_bus_id"]
            and row["is_in_service"] is not False and not np.isnan(row["x_pu"])
        ]  # fmt: skip
        tied = nx.Graph()
        tied.add_nodes_from(self.bus)
        tied.add_edges_from((r["from_bus_id"], r["to_bus_id"]) for r in kept if r["x_pu"] == 0.0)
        parts = [sorted(part) for part in nx.connected_components(tied)]
        self.node = {name: number for number, part in enumerate(parts) for name in part}
        self.branch = sorted(
            (row for row in kept if row["x_pu"] != 0.0
             and self.node[row["from_bus_id"]] != self.node[row["to_bus_id"]]),
            key=lambda row: row["branch_id"],
        )  # fmt: skip
        self.ids = [row["branch_id"] for row in self.branch]
        self.plant = [row for row in plant if row["bus_id"] in self.bus]
        self.nodes = len(parts)
        self.incidence = np.zeros((len(self.branch), self.nodes))
        for number, row in enumerate(self.branch):
            self.incidence[number, self.node[row["from_bus_id"]]] = 1.0
            self.incidence[number, self.node[row["to_bus_id"]]] = -1.0
        self.b = np.array([1.0 / (r["x_pu"] * _known(r["tap_ratio"], 1.0)) for r in self.branch])
        shift = np.radians([_known(r["phase_shift_deg"], 0.0) for r in self.branch])
        self.turned = BASE_MVA * self.b * shift
        self.islands = self.parts_without(None)
        self.island = np.zeros(self.nodes, dtype=int)
        for number, part in enumerate(self.islands):
            self.island[part] = number
        self.inverse = {None: self.inverse_without(None)}
        self.injection = self._balanced(tie)
        self.is_published = not any(np.isnan(row["flow_mw"]) for row in self.branch)
        self.base = (
            np.array([row["flow_mw"] for row in self.branch])
            if self.is_published
            else self.flows(self.injection[:, None])[:, 0]
        )
        self.rating = np.array([self._rating(n) for n in range(len(self.branch))]).reshape(-1, 3)
        self.is_estimated = np.array([not row["rating_mva"] > 0.0 for row in self.branch], bool)
        for outage in range(len(self.branch)):
            self.inverse[outage] = self.inverse_without(outage)
        self.outages = [k for k in range(len(self.branch)) if self.inverse[k] is not None]
        self.states = [None, *self.outages]
        each = np.eye(self.nodes)
        self.response = np.array([self.flows(each, state, turns=False) for state in self.states])
        injection = self.injection[:, None]
        self.solved = np.array([self.flows(injection, state)[:, 0] for state in self.states])
        self.taken_over = np.array(
            [self.response[1 + n] @ self.incidence[k] for n, k in enumerate(self.outages)]
        ).reshape(len(self.outages), len(self.branch))

    def parts_without(self, outage):
        graph = nx.Graph()
        graph.add_nodes_from(range(self.nodes))
        for number, row in enumerate(self.incidence):
            if number != outage:
                graph.add_edge(*np.flatnonzero(row))
        return sorted((sorted(part) for part in nx.connected_components(graph)), key=min)

    def inverse_without(self, outage):
        """Angles for injections, each island against its first node; None where there are none."""
        parts = self.parts_without(outage)
        if outage is not None and len(parts) > len(self.islands):
            return None
        kept = np.arange(len(self.b)) != outage
        matrix = self.incidence[kept].T @ (self.b[kept, None] * self.incidence[kept])
        out = np.zeros((self.nodes, self.nodes))
        for part in parts:
            if len(part) == 1:
                continue
            inner = np.ix_(part[1:], part[1:])
            if (worst := np.linalg.cond(matrix[inner], 1)) > WORST:
                if outage is None:
                    raise np.linalg.LinAlgError
                return None
            self.worst = max(self.worst, worst)
            out[inner] = np.linalg.inv(matrix[inner])
        return out

    def flows(self, injection, outage=None, *, turns=True):
        """Flows for injections of nodes, MW, shape (branches, columns): a load flow of all of it."""
        turned = self.turned if turns else 0.0 * self.turned
        if outage is not None:
            turned = np.where(np.arange(turned.size) == outage, 0.0, turned)
        angle = self.inverse[outage] @ (injection + (self.incidence.T @ turned)[:, None])
        flow = self.b[:, None] * (self.incidence @ angle) - turned[:, None]
        if outage is not None:
            flow[outage] = 0.0
        return flow

    def flows_with(self, change, loads, level):
        """Flows of every state, intact and without each branch, shape (states, branches, loads).

        A load flow of the whole network for each state and load: at a load level, and with a load
        times a change of the injections.
        """
        change = np.outer(change, loads)
        if not self.is_published:
            # A level scales what is solved, phase shifts too.
            return level * self.solved[:, :, None] + self.response @ change
        flow = level * self.base[:, None] + self.response[0] @ change
        # What the outaged branch carried goes in at its one end and out at the other.
        after = flow + self.taken_over[:, :, None] * flow[self.outages][:, None, :]
        after[np.arange(len(self.outages)), self.outages] = 0.0
        return np.concatenate([flow[None], after])

    def limits(self, case):
        end = self.rating[:, ("low", "mid", "high").index(case.rating)]
        return np.where(self.is_estimated, end, self.rating[:, 1] * case.rating_factor)

    def supplies(self, bus_id):
        """Headroom by node of what may serve a bus, by name of the supply."""
        zone = self.bus[bus_id]["zone_id"]
        out = {name: np.zeros(self.nodes) for name in ("committed", "committable", "zone")}
        for row in self.plant:
            node = self.node[row["bus_id"]]
            gives = max(_known(row["dispatch_mw"], 0.0), 0.0)
            headroom = max(_known(row["capacity_mw"], gives) - gives, 0.0)
            if row["fuel_kind"] != "firm" or self.island[node] != self.island[self.node[bus_id]]:
                continue
            out["committable"][node] += headroom
            if row["is_in_service"] is not False:
                out["committed"][node] += headroom
                if isinstance(zone, str) and self.bus[row["bus_id"]]["zone_id"] == zone:
                    out["zone"][node] += headroom
        return out

    def hosting(self, bus_id, case):
        """Return MW intact and secure, whether each is the supply's, and what limits the secure one."""
        found = {}
        if len(self.islands[self.island[self.node[bus_id]]]) == 1:
            return 0.0, 0.0, set()
        supplies = self.supplies(bus_id)
        for name in case.supplies:
            if supplies[name].sum() > 0.0:
                found[name] = self._hosting(bus_id, supplies[name], case)
        if not found:
            return 0.0, 0.0, set()
        most = case.takes == "most"
        if not most and any(name != "zone" and name not in found for name in case.supplies):
            return 0.0, 0.0, set()

        def chosen(which):
            left = {name: one[which] for name, one in found.items()
                    if most or name != "zone" or not one[which][1]}  # fmt: skip
            left = left or {"zone": found["zone"][which]}
            return (max if most else min)(left.values(), key=lambda one: one[0])

        return chosen("intact")[0], chosen("secure")[0], chosen("secure")[2]

    def _hosting(self, bus_id, headroom, case):
        most = headroom.sum()
        change = headroom / most
        change[self.node[bus_id]] -= 1.0
        with_outages = np.array([1.0] + [case.emergency_factor] * len(self.outages))[:, None]
        limit, held = self.limits(case) * with_outages, self.rating[:, 1] * with_outages
        # The sensitivity: by how much the first MW moves it.
        before, after = np.moveaxis(self.flows_with(change, [0.0, 1.0], 1.0), 2, 0)
        factor = after - before
        counts = (np.abs(factor) >= case.factor_floor) & (np.abs(before) <= held)
        counts &= np.abs(self.base) <= self.rating[:, 1]
        counts[np.arange(1, len(self.states)), self.outages] = False
        self.doubt = min(self.doubt, _nearest(np.abs(factor), case.factor_floor),
                         _nearest(np.abs(before) / held, 1.0))  # fmt: skip

        def over(loads, states):
            """What is over its limit at each load, in the direction in which the load pushes."""
            flow = self.flows_with(change, loads, case.flow_factor)[:states]
            hit = np.sign(factor)[:states, :, None] * flow > limit[:states, :, None]
            return counts[:states, :, None] & hit

        def largest(states):
            if not over([most], states).any():
                return most, True, {("supply", None)}
            low, high = 0.0, most
            if over([0.0], states).any():
                high = 0.0
            while high - low > 1e-8 * most:
                trials = np.linspace(low, high, TRIALS + 2)[1:-1]
                hits = np.append(over(trials, states).any(axis=(0, 1)), True)
                first = int(np.argmax(hits))
                low, high = [low, *trials][first], [*trials, high][first]
            just = over([high * (1.0 + 1e-7) + 1e-6], states)[:, :, 0]
            named = {
                (self.ids[element], None if state == 0 else self.ids[self.states[state]])
                for state, element in np.argwhere(just)
            }
            return low, False, named

        return {"intact": largest(1), "secure": largest(len(self.states))}

    doubt = np.inf
    """How near a factor or a flow came to where a rule changes."""
    worst = 0.0
    """Worst condition of what was inverted."""

    def _rating(self, number):
        row = self.branch[number]
        if row["rating_mva"] > 0.0:
            return [row["rating_mva"]] * 3
        ends = [self.bus[row[name]] for name in ("from_bus_id", "to_bus_id")]
        known = [end["kv"] for end in ends if not np.isnan(end["kv"])]
        if not known:
            return [np.inf] * 3
        kv = min(known) if min(known) >= 60.0 else max(known)
        sites = [end["substation_id"] for end in ends]
        if isinstance(sites[0], str) and sites[0] == sites[1]:
            estimate = [3**0.5 * kv * amperes / 1000.0 for amperes in AMPERES]
        else:
            line = LINE_MVA[int(np.argmin([abs(np.log(kv / one)) for one in LINE_KV]))]
            estimate = [line * factor for factor in LINE_SPREAD]
        carried = abs(self.base[number])
        return [max(mva, carried * f) for mva, f in zip(estimate, OF_FLOW, strict=True)]

    def _balanced(self, ties):
        out, weight = np.zeros(self.nodes), np.zeros(self.nodes)
        for name, row in self.bus.items():
            out[self.node[name]] -= _known(row["load_mw"], 0.0)
        for row in self.plant:
            if row["is_in_service"] is not False:
                gives = _known(row["dispatch_mw"], 0.0)
                out[self.node[row["bus_id"]]] += gives
                weight[self.node[row["bus_id"]]] += _known(row["capacity_mw"], max(gives, 0.0))
        for row in ties:
            for name, sign in (("from_bus_id", -1.0), ("to_bus_id", 1.0)):
                if row[name] in self.node:
                    out[self.node[row[name]]] += sign * _known(row["flow_mw"], 0.0)
        buses = np.bincount([self.node[name] for name in self.bus], minlength=self.nodes)
        for part in self.islands:
            share = weight[part] if weight[part].sum() > 0 else buses[part]
            out[part] -= out[part].sum() * share / share.sum()
        return out


def _known(value, otherwise):
    return otherwise if value is None or np.isnan(value) else value


def _nearest(values, bound):
    known = values[np.isfinite(values)]
    return float(np.abs(known - bound).min()) if known.size else np.inf


def single_fed(grid, frames):
    """Buses that some outage cuts off the part of their island with the most load and capacity."""
    graph = nx.MultiGraph()
    graph.add_nodes_from(range(grid.nodes))
    graph.add_edges_from(tuple(np.flatnonzero(row)) for row in grid.incidence)
    simple = nx.Graph(graph)
    bridges = [edge for edge in nx.bridges(simple) if graph.number_of_edges(*edge) == 1]
    parts = graph.copy()
    parts.remove_edges_from(bridges)
    weight = dict.fromkeys(range(grid.nodes), 0.0)
    for row in frames.bus.to_dict("records"):
        weight[grid.node[row["bus_id"]]] += max(_known(row["load_mw"], 0.0), 0.0)
    for row in grid.plant:
        gives = max(_known(row["dispatch_mw"], 0.0), 0.0)
        weight[grid.node[row["bus_id"]]] += _known(row["capacity_mw"], gives)
    of_bus = {}
    for island in nx.connected_components(graph):
        found = [part for part in nx.connected_components(parts) if part <= island]
        heaviest = max(sum(weight[node] for node in part) for part in found)
        main = [p for p in found if sum(weight[n] for n in p) > heaviest * (1 - 1e-12) - 1e-12]
        for name, node in grid.node.items():
            if node in island:
                of_bus[name] = None if len(main) > 1 else node not in main[0]
    return of_bus


def _numbers(*values):
    return st.sampled_from(values)


@st.composite
def frames_of_cases(draw):
    """A case of 5 to 15 buses with what real ones hold that is odd."""
    buses = draw(st.integers(5, 15))
    islands = draw(st.integers(1, 2))
    odd = draw(st.booleans())
    bus = [
        {"bus_id": f"b{n:02d}",
         "kv": draw(_numbers(138.0, 345.0, 69.0, 138.0, *([13.8, np.nan] if odd else []))),
         "load_mw": draw(st.integers(0, 120)) * draw(_numbers(1.0, 1.0, 1.0, -0.5, np.nan))
         if odd else float(draw(st.integers(0, 120))),
         "substation_id": draw(_numbers(None, f"s{n // 2}")),
         "zone_id": draw(_numbers("north", "south", None)), "interconnect": "I"}
        for n in range(buses)
    ]  # fmt: skip
    reach = [0.01, 0.05, 0.0731, 0.1, 0.213, 0.4]
    joins = [
        (n, draw(st.integers(0, (n - islands) // islands)) * islands + n % islands)
        for n in range(islands, buses)
        if not odd or draw(st.integers(0, 12))
    ]
    for _ in range(draw(st.integers(2, buses))):
        one = draw(st.integers(0, buses - 1))
        other = draw(st.integers(0, (buses - 1 - one % islands) // islands)) * islands
        joins.append((one, other + one % islands))
    for _ in range(draw(st.integers(0, 3))):
        joins.append(draw(st.sampled_from(joins)))
    is_solved = draw(st.booleans())
    branch = []
    for number, (one, other) in enumerate(joins):
        x = draw(st.sampled_from(reach)) * draw(st.floats(0.9, 1.1))
        if odd:
            x *= draw(_numbers(*[1.0] * 12, -0.31, 0.0, np.nan))
        branch.append(
            {"branch_id": f"l{number:02d}", "branch_kind": "line", "from_bus_id": f"b{one:02d}",
             "to_bus_id": f"b{other:02d}" if not odd or draw(st.integers(0, 40)) else "nowhere",
             "x_pu": x, "tap_ratio": draw(_numbers(np.nan, np.nan, 0.0, 0.96, 1.04)) or np.nan,
             "phase_shift_deg": draw(_numbers(0.0, 0.0, 0.0, np.nan, -4.0, 9.0)),
             "rating_mva": draw(_numbers(np.nan, 40.0, 80.0, 150.0, 300.0, 1000.0)),
             "flow_mw": float(draw(st.integers(-120, 120))) if is_solved else np.nan,
             "is_in_service": draw(_numbers(True, True, True, True, None, False)) if odd else True}
        )  # fmt: skip
    plant = [
        {"plant_id": f"g{n}", "bus_id": f"b{draw(st.integers(0, buses - 1)):02d}",
         "capacity_mw": draw(_numbers(50.0, 200.0, 500.0, 500.0, *([np.nan] if odd else []))),
         "dispatch_mw": draw(_numbers(0.0, 50.0, 137.0, 300.0, -20.0, *([np.nan] if odd else []))),
         "fuel_kind": draw(_numbers("firm", "firm", "firm", "wind")),
         "is_in_service": draw(_numbers(True, True, False, None))}
        for n in range(draw(st.integers(0 if odd else 1, 5)))
    ]  # fmt: skip
    tie = [{"dc_tie_id": "t", "from_bus_id": "b00", "to_bus_id": draw(_numbers("b01", "nowhere")),
            "flow_mw": 33.0}]  # fmt: skip
    return Frames.of(bus, branch, plant, tie if draw(st.booleans()) else [])
