"""Made-up polygons, written as WKB by compiled loops: the shape of number i depends on i alone."""

# numba infers the types.
# ruff: noqa: ANN001, ANN202

from dataclasses import dataclass

import numpy as np

from geo._jit import jit
from geo._threads import in_threads
from geo.geodesy import SQUARE_METRES_PER_ACRE

# What is wrong with a shape; DOUBLED is valid, the others are to be mended or rejected.
SOUND, DOUBLED, BOW_TIE, NOT_A_NUMBER, UNCLOSED, OFF_THE_GLOBE, EMPTY, POINT = range(8)
HEADER, RING_HEADER, VERTEX = 9, 4, 16

_METRES_PER_DEG = 111_320.0
# Splitmix64 (Steele, Lea, Flood 2014).
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S11, _S27, _S30, _S31 = (np.uint64(bits) for bits in (11, 27, 30, 31))


@dataclass(frozen=True)
class Plan:
    """What shapes are to be, arrays of shape (n,): `vertices` of all parts with the closing ones."""

    number: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    acres: np.ndarray
    vertices: np.ndarray
    parts: np.ndarray
    holes: np.ndarray
    flaw: np.ndarray

    def __len__(self) -> int:
        """Count the shapes."""
        return len(self.number)

    def take(self, rows: np.ndarray | slice) -> "Plan":
        """Take some of the shapes."""
        return Plan(**{name: value[rows] for name, value in vars(self).items()})

    def wkb(self) -> tuple[np.ndarray, np.ndarray]:
        """Bytes of all shapes, uint8, and int64 offsets of shape (n + 1,)."""
        # A hole needs a shell round enough to hold it.
        shell = np.maximum(self.vertices // self.parts, np.where(self.holes > 0, 11, 5))
        hole = np.maximum(shell // 3, 5)
        size = self.parts * (HEADER + RING_HEADER + VERTEX * shell)
        size += self.holes * (RING_HEADER + VERTEX * hole) + HEADER * (self.parts > 1)
        size[self.flaw == EMPTY] = HEADER
        size[self.flaw == POINT] = 5 + VERTEX
        start = np.zeros(len(self) + 1, dtype=np.int64)
        np.cumsum(size, out=start[1:])
        out = np.zeros(start[-1], dtype=np.uint8)
        in_threads(
            lambda rows: _write(
                *(self.number[rows], self.lon[rows], self.lat[rows], self.acres[rows]),
                *(shell[rows], hole[rows], self.parts[rows], self.holes[rows], self.flaw[rows]),
                *(start[rows], out),
            ),
            len(self),
        )
        return out, start


@jit
def scatter(number, lon, lat, share, town_lon, town_lat, town_end, town_deg, box, is_town) -> None:
    """Place points: a `share` around towns, drawn by their running weight, the others anywhere."""
    state = np.zeros(1, dtype=np.uint64)
    for i in range(len(number)):
        _seed(state, number[i], 1)
        is_town[i] = _uniform(state) < share
        if is_town[i]:
            town = min(np.searchsorted(town_end, _uniform(state)), len(town_end) - 1)
            off = town_deg[town]
            lon[i] = town_lon[town] + off * _normal(state) / np.cos(np.radians(town_lat[town]))
            lat[i] = town_lat[town] + off * _normal(state)
        else:
            lon[i] = box[0] + (box[2] - box[0]) * _uniform(state)
            lat[i] = box[1] + (box[3] - box[1]) * _uniform(state)


@jit
def draw(number, stream, out) -> None:
    """Fill `out` (n, k): two uniforms, then normals, of each number."""
    state = np.zeros(1, dtype=np.uint64)
    for i in range(len(number)):
        _seed(state, number[i], stream)
        for j in range(out.shape[1]):
            out[i, j] = _uniform(state) if j < 2 else _normal(state)


@jit
def _seed(state, number, stream):
    state[0] = np.uint64(number) * _MIX_1 ^ np.uint64(stream) * _MIX_2
    _uniform(state)


@jit
def _uniform(state):
    state[0] += _GOLDEN
    z = state[0]
    z = (z ^ (z >> _S30)) * _MIX_1
    z = (z ^ (z >> _S27)) * _MIX_2
    return float((z ^ (z >> _S31)) >> _S11) * 2.0**-53


@jit
def _normal(state):
    far = np.sqrt(-2.0 * np.log(1.0 - _uniform(state)))
    return far * np.cos(2.0 * np.pi * _uniform(state))


@jit
def _star(state, count, ring):
    """Make a ring around (0, 0), counter-clockwise and simple: its shortest reach and its area."""
    dent, bump = 0.25 * _uniform(state), 0.25 * _uniform(state)
    turn_2, turn_3 = 6.3 * _uniform(state), 6.3 * _uniform(state)
    shortest = np.inf
    for k in range(count - 1):
        angle = 2.0 * np.pi * (k + 0.6 * (_uniform(state) - 0.5)) / (count - 1)
        reach = 1.0 + dent * np.cos(2.0 * angle + turn_2) + bump * np.cos(3.0 * angle + turn_3)
        reach += 0.3 * (_uniform(state) - 0.5)
        ring[k, 0], ring[k, 1] = reach * np.cos(angle), reach * np.sin(angle)
        shortest = min(shortest, reach)
    ring[count - 1] = ring[0]
    twice = 0.0
    for k in range(count - 1):
        twice += ring[k, 0] * ring[k + 1, 1] - ring[k + 1, 0] * ring[k, 1]
    return shortest, twice / 2.0


@jit
def _int(out, at, value):
    for k in range(4):
        out[at + k] = (value >> (8 * k)) & 255
    return at + 4


@jit
def _head(out, at, kind, count):
    out[at] = 1
    at = _int(out, at + 1, kind)
    return _int(out, at, count)


@jit
def _points(out, at, ring, count):
    at = _int(out, at, count)
    octets = ring[:count].reshape(-1).view(np.uint8)
    out[at : at + len(octets)] = octets
    return at + len(octets)


@jit
def _spoil(ring, count, flaw):
    if flaw == DOUBLED:
        ring[2] = ring[1]
    elif flaw == BOW_TIE:
        for k in range(2):
            ring[1, k], ring[2, k] = ring[2, k], ring[1, k]
    elif flaw == NOT_A_NUMBER:
        ring[1, 0] = np.nan
    elif flaw == UNCLOSED:
        ring[count - 1, 1] += 1e-5
    elif flaw == OFF_THE_GLOBE:
        ring[1, 0] += 400.0


@jit
def _write(number, lon, lat, acres, shell, hole, parts, holes, flaw, start, out) -> None:
    """Write the shapes from `start` on; parts stand in a row, holes are in the first one."""
    state = np.zeros(1, dtype=np.uint64)
    ring = np.empty((shell.max(), 2))
    ground = np.empty((shell.max(), 2))
    for i in range(len(number)):
        _seed(state, number[i], 3)
        at = start[i]
        if flaw[i] == EMPTY:
            _head(out, at, 3, 0)
            continue
        if flaw[i] == POINT:
            ground[0, 0], ground[0, 1] = lon[i], lat[i]
            _points(out, at + 1, ground, 1)
            out[at] = 1
            _int(out, at + 1, 1)
            continue
        if parts[i] > 1:
            at = _head(out, at, 6, parts[i])
        # Parcels stretch, and half of them follow the survey's lines.
        stretch = np.exp(0.5 * _normal(state))
        turn = 0.0 if _uniform(state) < 0.5 else np.pi * _uniform(state)
        cos, sin = np.cos(turn), np.sin(turn)
        # Parts keep clear of each other: no star reaches further than 2.1 times the radius of its circle.
        apart_m = 4.4 * np.sqrt(acres[i] * SQUARE_METRES_PER_ACRE * stretch / (np.pi * parts[i]))
        for part in range(parts[i]):
            shortest, area = _star(state, shell[i], ring)
            unit_m = np.sqrt(acres[i] * SQUARE_METRES_PER_ACRE / (parts[i] * area))
            wide, high = unit_m * np.sqrt(stretch), unit_m / np.sqrt(stretch)
            is_first = part == 0
            at = _head(out, at, 3, 1 + holes[i] if is_first else 1)
            _lay(ring, shell[i], apart_m * part, wide, high, cos, sin, lon[i], lat[i], ground)
            _spoil(ground, shell[i], flaw[i] if is_first else SOUND)
            at = _points(out, at, ground, shell[i])
            for k in range(holes[i] if is_first else 0):
                _star(state, hole[i], ring)
                # Holes stand side by side within the circle that every edge of the shell leaves free.
                room = 0.7 * shortest / holes[i]
                ring[: hole[i]] *= 0.5 * room
                ring[: hole[i], 0] *= -1.0
                across_m = wide * room * (2 * k + 1 - holes[i])
                _lay(ring, hole[i], across_m, wide, high, cos, sin, lon[i], lat[i], ground)
                at = _points(out, at, ground, hole[i])


@jit
def _lay(ring, count, across_m, wide, high, cos, sin, lon, lat, ground):
    """Stretch, turn and move a ring to degrees."""
    per_lon = _METRES_PER_DEG * np.cos(np.radians(lat))
    for k in range(count):
        x, y = ring[k, 0] * wide + across_m, ring[k, 1] * high
        ground[k, 0] = lon + (x * cos - y * sin) / per_lon
        ground[k, 1] = lat + (x * sin + y * cos) / _METRES_PER_DEG
