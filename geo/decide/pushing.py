"""Pushes a plan of loads through the whole load flow: every element, intact and after every outage that counts.

The rules are those of `geo.power.hosting` and `geo.power.sharing`: a limit counts for a plan where any of its sites
leans on it (its sensitivity is at or over the factor floor), then with all that the other sites add, however little.
One is stricter: a load that relieves a limit does not count, since it may never come. So what holds for a plan
holds for every part of it too.
"""

from collections.abc import Callable

import numpy as np

from geo.decide.portfolio import Cut
from geo.power import _ldl
from geo.power.sharing import Part, Sharing

# Overload that is none, MW, and limits that are told at once, of each element the worst.
TOLERANCE_MW = 1e-4
CUTS = 40


class Pushing:
    """Judges plans by load flows.

    Parameters
    ----------
    sharing_of
        Gives the load flow that holds the island of some buses; it is asked for islands with two sites or more
        alone, since what one site has by itself is known.
    bus, island
        Of each substation, rows of buses and numbers of islands; -1 where it has no flows, so that it takes
        nothing from others.
    """

    def __init__(
        self, sharing_of: Callable[[int], Sharing], bus: np.ndarray, island: np.ndarray
    ) -> None:
        self._sharing_of, self._bus, self._island = sharing_of, bus, island

    def __call__(self, substation: np.ndarray, mw: np.ndarray) -> list[Cut]:
        """Find the limits that a plan breaks."""
        drawing = (self._bus[substation] >= 0) & (mw > 0.0)
        substation, mw = substation[drawing], mw[drawing]
        cuts: list[Cut] = []
        for island in np.unique(self._island[substation]).tolist():
            held = self._island[substation] == island
            if held.sum() > 1:
                cuts += self._of_island(island, substation[held], mw[held])
        return cuts

    def _of_island(self, island: int, substation: np.ndarray, mw: np.ndarray) -> list[Cut]:
        sharing = self._sharing_of(island)
        sites = sharing.sites(self._bus[substation].tolist())
        held = [sites[bus] for bus in self._bus[substation].tolist()]
        number = held[0].part
        part, pairs = sharing.parts[number], sharing.pairs[number]
        everywhere = (self._island == island).astype(float)
        cuts = []
        if mw.sum() > part.supply_mw[0] + TOLERANCE_MW:
            cuts.append(Cut(everywhere, everywhere > 0.0, float(part.supply_mw[0])))
        h = np.array([site.h for site in held])
        near = np.unique(np.concatenate([site.near for site in held]))
        pair = np.unique(np.concatenate([site.pair for site in held]))
        element, outage = pairs.element[pair], pairs.outage[pair]
        factor = np.concatenate(
            [h[:, near], h[:, element] + pairs.share[pair] * h[:, outage]], axis=1
        )
        flow = np.concatenate(
            [part.flow_mw[near], part.flow_mw[element] + pairs.share[pair] * part.flow_mw[outage]]
        )
        limit = np.concatenate([part.limit_mw[near], part.after_limit_mw[element]])
        on = np.concatenate([near, element])
        left = np.array(
            [limit - sign * flow - mw @ np.maximum(sign * factor, 0.0) for sign in (1.0, -1.0)]
        )
        way, over = np.nonzero(left < -TOLERANCE_MW)
        order = np.lexsort((over, way, left[way, over]))
        way, over = way[order], over[order]
        first = np.sort(np.unique(on[over], return_index=True)[1])[:CUTS]
        for direction, at in zip(way[first].tolist(), over[first].tolist(), strict=True):
            sign = 1.0 if direction == 0 else -1.0
            own = self._factors(part, int(on[at]), sharing, island)
            if at >= near.size:
                p = int(pair[at - near.size])
                other = self._factors(part, int(pairs.outage[p]), sharing, island)
                own = own + pairs.share[p] * other
            cuts.append(
                Cut(
                    np.maximum(sign * own, 0.0),
                    np.abs(own) >= sharing.factor_floor,
                    float(limit[at] - sign * flow[at]),
                )
            )
        return cuts

    def _factors(self, part: Part, branch: int, sharing: Sharing, island: int) -> np.ndarray:
        """Tell what one MW at each substation adds to the flow of a branch of an island, (substations,).

        By the symmetry of the network one solution for the branch's ends gives it for all.
        """
        x = np.zeros((part.diagonal.size + 1, _ldl.BLOCK))
        for place, value in ((part.from_place[branch], 1.0), (part.to_place[branch], -1.0)):
            # The place that is left out is the ground.
            if place >= 0:
                x[place, 0] = value * part.susceptance[branch]
        _ldl.solve(part.start, part.below, part.factor, part.diagonal, x)
        place_of = np.full(sharing.bus_id.size, -1)
        place_of[part.bus] = part.place
        out = np.zeros(self._bus.size)
        held = np.flatnonzero(self._island == island)
        out[held] = part.supply_flow[branch] - x[place_of[self._bus[held]], 0]
        return out
