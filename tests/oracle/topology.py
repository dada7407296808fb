"""Topology the plain way: one node after the other by Geod, circuits by walking from station to station.

For lines between few places of which none lies on a tile's edge, without direct current, unknown
classes, plants, yards of several nodes and stations without an end of a line.
"""

from collections import defaultdict

import numpy as np
import shapely

from tests.oracle.geodesic import GEOD

SNAP_M, TAP_SNAP_M, ON_COURSE_M, TAP_BEND_DEG = 400.0, 50.0, 40.0, 15.0


def metres(one, other):
    return GEOD.inv(*one, *other)[2]


class PlainTopology:
    """Stations (`given`: id by node, `inferred`: nodes) and `circuits`: (from, to, line ids), sorted."""

    def __init__(self, line, substation):
        self.line = {
            row.line_id: (row.kv_min if row.kv_min > 0 else 60.0, list(row.geometry.coords))
            for row in line.itertuples()
        }
        self.at = defaultdict(list)  # node -> (line id, side)
        for name, (_, course) in self.line.items():
            self.at[course[0]].append((name, 0))
            self.at[course[-1]].append((name, -1))
        self.substation = list(substation.itertuples())
        self.trunk = {node: self._trunk(node) for node in self.at}
        self.is_tap = {
            node: self.trunk[node] is not None or self._on_course(node) for node in self.at
        }
        self.given = {node: found for node in self.at if (found := self._given(node))}
        self.inferred = {n for n in self.at if n not in self.given and not self.is_tap[n]}
        self.circuits = sorted(self._circuits(), key=repr)

    def station(self, node):
        if node in self.given:
            return self.given[node]
        lon, lat = node
        return f"inferred-{lat:.4f}{lon:+.4f}" if node in self.inferred else None

    def _kv(self, node):
        return {self.line[name][0] for name, _ in self.at[node]}

    def _trunk(self, node):
        """The two lines that go on straight, where three of one class meet."""
        if len(self.at[node]) != 3 or len(self._kv(node)) != 1:
            return None
        way = []
        for name, side in self.at[node]:
            course = self.line[name][1]
            other = course[1] if side == 0 else course[-2]
            way.append(GEOD.inv(*node, *other)[0])
        pairs = [(0, 1), (0, 2), (1, 2)]
        bends = [abs(180.0 - abs((way[a] - way[b] + 180.0) % 360.0 - 180.0)) for a, b in pairs]
        best = int(np.argmin(np.round(bends, 3)))
        return [self.at[node][no] for no in pairs[best]] if bends[best] <= TAP_BEND_DEG else None

    def _on_course(self, node):
        """Whether a dead end lies on the course of a line of its class that does not end beside it."""
        if len(self.at[node]) != 1:
            return False
        (own, _), *_ = self.at[node]
        scale = np.array([np.cos(np.radians(node[1])), 1.0]) * 111_000.0
        for name, (kv, course) in self.line.items():
            flat = shapely.LineString((np.array(course) - node) * scale)
            near = flat.distance(shapely.Point(0, 0)) < ON_COURSE_M
            passes = min(metres(node, course[0]), metres(node, course[-1])) > 200.0
            if name != own and near and passes and {kv} == self._kv(node):
                return True
        return False

    def _given(self, node):
        reach = TAP_SNAP_M if self.is_tap[node] else SNAP_M
        able = [
            (metres(node, (row.lon, row.lat)), row.substation_id)
            for row in self.substation
            if not row.kv_max < 0.95 * max(self._kv(node))
        ]
        return min([(m, name) for m, name in able if m <= reach], default=(0, None))[1]

    def _circuits(self):
        seen = set()
        for node in [*self.given, *self.inferred]:
            for start in self.at[node]:
                if start in seen:
                    continue
                seen.add(start)
                names, (name, side), here = set(), start, node
                while True:
                    names.add(name)
                    side = -1 if side == 0 else 0
                    here = self.line[name][1][side]
                    trunk = self.trunk[here]
                    if self.station(here) or trunk is None or (name, side) not in trunk:
                        break
                    name, side = trunk[1 - trunk.index((name, side))]
                seen.add((name, side))
                ends = (self.station(node), self.station(here))
                if ends[0] != ends[1]:
                    known = sorted(end for end in ends if end)
                    yield (*known, *[None] * (2 - len(known)), tuple(sorted(names)))
