"""Constraints that substations share: which of them load the same element, and what is left of its limit.

The constraints known are those among the tightest of any substation (`Hosting.tight_branch`): an element, the
outage after which it is full, and the direction of the flow that is limited. Every substation leans on those
on which its sensitivity in that direction is at or over the factor floor, also where they are not
among its own tightest. A plan of loads keeps to all of them where for each the sum of sensitivity times MW is
no more than what is left of its limit. A load that relieves a constraint does not count: it may never come.
`geo.power.sharing` looks at all elements and outages instead, for a few sites at a time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
import pandas as pd

from geo._threads import in_threads
from geo.power import _ldl, _sharing
from geo.power.hosting import Case, Hosting, Island
from geo.power.naming import Names
from geo.power.network import Network
from geo.power.sharing import supply_of

# Constraints that are published are those among so many tightest of any substation: of all those known they are
# under half, and what is left of the others allows each substation well over what it has alone.
PUBLISHED_RANK = 3


@dataclass(frozen=True, eq=False)
class SharedConstraints:
    """Constraints, and the sites that lean on them.

    Attributes
    ----------
    branch, outage
        Rows of the network's branches, shape (constraints,); -1 as outage is the intact network.
    direction
        1 where flow from `from_bus` to `to_bus` is limited, -1 where it is the other way.
    margin_mw
        What is left of the limit before any new load.
    rank
        Its place among the tightest of the site for which it is tightest, from 1.
    start, number, factor
        Constraints of each site, ascending, and its sensitivities: shape (sites + 1,), then one each.
    own_mw
        What each site has alone; NaN where that is unknown.
    supply
        Number of the supply that serves each site, -1 where none is known.
    supply_mw
        What each supply can serve.
    """

    branch: np.ndarray
    outage: np.ndarray
    direction: np.ndarray
    margin_mw: np.ndarray
    rank: np.ndarray
    start: np.ndarray
    number: np.ndarray
    factor: np.ndarray
    own_mw: np.ndarray
    supply: np.ndarray
    supply_mw: np.ndarray

    @classmethod
    def of(
        cls,
        network: Network,
        islands: Sequence[Island],
        hosting: Hosting,
        case: Case,
        *,
        workers: int = -1,
    ) -> Self:
        """Find the constraints of the sites of `hosting`, whose first case is `case`."""
        held = hosting.tight_branch >= 0
        branch, outage = hosting.tight_branch[held], hosting.tight_outage[held]
        direction = np.where(hosting.tight_factor[held] > 0.0, 1, -1)
        found, first, inverse = np.unique(
            np.column_stack([branch, outage, direction]),
            axis=0,
            return_index=True,
            return_inverse=True,
        )
        margin_mw = hosting.tight_margin_mw[held][first]
        rank = np.full(len(found), held.shape[1])
        np.minimum.at(rank, inverse, np.nonzero(held)[1] + 1)
        supply = np.full(hosting.bus.size, -1)
        supply_mw = np.zeros(len(islands))
        numbers = [np.empty(0, np.int32)] * hosting.bus.size
        factors = [np.empty(0)] * hosting.bus.size
        for at, island in enumerate(islands):
            place = np.full(network.bus_id.size, -2)
            place[island.factors.bus] = island.factors.place
            sites = np.flatnonzero(place[hosting.bus] >= -1)
            sites = sites[np.argsort(place[hosting.bus[sites]], kind="stable")]
            supply_mw[at], flow = supply_of(network, island.factors, case)
            supply[sites] = at
            kept = np.flatnonzero(np.isin(found[:, 0], island.factors.branch))
            leans = _Leaning.of(island, found[kept], flow, case.factor_floor)

            def run(
                part: slice,
                sites: np.ndarray = sites,
                kept: np.ndarray = kept,
                leans: _Leaning = leans,
                place: np.ndarray = place,
            ) -> None:
                held = sites[part]
                for site, number, factor in zip(
                    held, *leans.sites(place[hosting.bus[held]]), strict=True
                ):
                    numbers[site], factors[site] = kept[number].astype(np.int32), factor

            in_threads(run, sites.size, workers, block=_ldl.BLOCK)
        return cls(
            *found.T.copy(),
            margin_mw,
            rank,
            np.concatenate([[0], np.cumsum([number.size for number in numbers])]).astype(np.int64),
            np.concatenate([np.empty(0, np.int32), *numbers]),
            np.concatenate([np.empty(0), *factors]),
            hosting.secure_mw[0].copy(),
            supply,
            supply_mw,
        )

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Arrays from which `from_arrays` makes the same again, to be kept in a file."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """Make it again."""
        return cls(**{field.name: arrays[field.name] for field in fields(cls)})

    def at(self, site: np.ndarray, own_mw: np.ndarray) -> Self:
        """Give the same for other rows than the sites that it was made of.

        Parameters
        ----------
        site
            Site of each row, shape (rows,); -1 where nothing is known that it shares.
        own_mw
            What each row has alone, MW, shape (rows,).
        """
        known = np.flatnonzero(site >= 0)
        count = np.zeros(site.size, np.int64)
        count[known] = np.diff(self.start)[site[known]]
        start = np.concatenate([[0], np.cumsum(count)])
        entry = np.arange(start[-1]) + np.repeat(
            self.start[:-1][site[known]] - start[known], count[known]
        )
        return replace(
            self,
            start=start,
            number=self.number[entry],
            factor=self.factor[entry],
            own_mw=np.asarray(own_mw, dtype=float),
            supply=np.where(site >= 0, self.supply[site], -1),
        )

    def added_mw(
        self, first_no: np.ndarray, second_no: np.ndarray, first_mw: np.ndarray
    ) -> np.ndarray:
        """MW that a second site still has when a first one draws `first_mw`, shape (n,).

        At most what it has alone, at least 0; NaN where that is unknown.
        """
        out = np.empty(len(first_no))

        def run(part: slice) -> None:
            _sharing.added(
                *(first[part], second[part], drawn[part], self.own_mw, self.supply),
                *(self.supply_mw, self.start, self.number, self.factor, self.margin_mw, out[part]),
            )

        first, second = (np.asarray(number, dtype=np.int64) for number in (first_no, second_no))
        drawn = np.asarray(first_mw, dtype=float)
        in_threads(run, out.size)
        return out

    def frame(self, network: Network, names: Names, case: Case) -> pd.DataFrame:
        """Tell the constraints that are published, one row each.

        Returns
        -------
        DataFrame
            `constraint_no`; `branch_id`, `branch_text`, `branch_kind`, `kv`, `from_substation_id` and
            `to_substation_id` of the element; `outage_branch_id` and `outage_text` (None: intact);
            `is_forward`, whether flow from the one to the other is limited; `limit_mw`, `base_flow_mw` in
            that direction with all in service, `margin_mw`, `substation_count`.
        """
        number = self._published()
        branch, outage = self.branch[number], self.outage[number]
        limit = case.limit_mw(network)[branch]
        outage_id = network.branch_id[np.maximum(outage, 0)].astype(object)
        outage_id[outage < 0] = None
        return pd.DataFrame(
            {
                "constraint_no": number,
                "branch_id": network.branch_id[branch],
                "branch_text": [names.branch(row) for row in branch.tolist()],
                "branch_kind": network.branch_kind[branch],
                "kv": network.branch_kv[branch],
                "from_substation_id": network.bus_substation[network.from_bus[branch]],
                "to_substation_id": network.bus_substation[network.to_bus[branch]],
                "outage_branch_id": outage_id,
                "outage_text": [names.branch(row) if row >= 0 else None for row in outage.tolist()],
                "is_forward": self.direction[number] > 0,
                "limit_mw": np.where(outage < 0, limit, case.emergency_factor * limit),
                "base_flow_mw": self.direction[number] * network.flow_mw[branch] * case.flow_factor,
                "margin_mw": self.margin_mw[number],
                "substation_count": np.bincount(self.number, minlength=self.branch.size)[number],
            }
        )

    def leaning(self, substation_id: np.ndarray) -> pd.DataFrame:
        """Tell which sites lean on the published constraints: `constraint_no`, `substation_id`, `mw_per_mw`."""
        site = np.repeat(np.arange(self.start.size - 1), np.diff(self.start))
        entry = np.flatnonzero(self.rank[self.number] <= PUBLISHED_RANK)
        entry = entry[np.lexsort((site[entry], self.number[entry]))]
        return pd.DataFrame(
            {
                "constraint_no": self.number[entry].astype(np.int64),
                "substation_id": substation_id[site[entry]],
                "mw_per_mw": self.factor[entry],
            }
        )

    def _published(self) -> np.ndarray:
        return np.flatnonzero(self.rank <= PUBLISHED_RANK)


@dataclass(frozen=True, eq=False)
class _Leaning:
    """Constraints of one island, as the kernel takes them."""

    island: Island
    supply_flow: np.ndarray
    element: np.ndarray
    outage: np.ndarray
    share: np.ndarray
    sign: np.ndarray
    floor: float

    @classmethod
    def of(cls, island: Island, found: np.ndarray, flow: np.ndarray, floor: float) -> Self:
        """Take constraints (branch, outage and direction, rows of the network), and the supply's flows."""
        rows, outages = island.factors.branch, island.outages
        element, outage = np.searchsorted(rows, found[:, 0]), np.searchsorted(rows, found[:, 1])
        outage[found[:, 1] < 0] = -1
        share = np.zeros(len(found))
        for j in np.flatnonzero(outage >= 0).tolist():
            held = slice(*outages.element_start[element[j] : element[j] + 2])
            share[j] = outages.share[held][np.searchsorted(outages.outage[held], outage[j])]
        return cls(island, flow, element, outage, share, found[:, 2].astype(float), floor)

    def sites(self, place: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Positions of the constraints on which each of a block of sites leans, and sensitivities."""
        factors, shape = self.island.factors, (_ldl.BLOCK, self.element.size)
        number, value = np.empty(shape, np.int32), np.empty(shape)
        count = np.zeros(_ldl.BLOCK, np.int64)
        _sharing.leans(
            *(place, factors.start, factors.below, factors.factor, factors.diagonal),
            np.empty((factors.diagonal.size + 1, _ldl.BLOCK)),
            *(factors.from_place, factors.to_place, factors.susceptance, self.supply_flow),
            *(self.element, self.outage, self.share, self.sign, self.floor, number, value, count),
        )
        held = range(place.size)
        return (
            [number[c, : count[c]].copy() for c in held],
            [value[c, : count[c]].copy() for c in held],
        )
