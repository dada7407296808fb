"""Which input moved a score: the change of a score between two runs, by factor and by source.

A score is a sum of points, one summand a factor, each a whole number of billionths. The change of a
summand is split in two that add up to it: what its metric did under the old profile (an input), and what
the new profile makes of the new metric. The score of a region is that of the parcels of its plan, weighted
by megawatts: it is split into what those parcels did at the megawatts of the old plan, by factor, and what
the plan did (other parcels, other megawatts, another target), which is the rest, exactly.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from data.errors import BuildError
from flows.diff_side import Side
from geo.decide.factor import UNITS, Factor

INPUT, PROFILE, PLAN = "input", "profile", "plan"
CODE = "code"
GIVEN = "the study, or files given to the run"
# Kilowatts of a megawatt.
KW = 1000
# Fewer points are floating point.
CRUMB = 1e-10


@dataclass(frozen=True)
class Part:
    """A part of the change of a score.

    Attributes
    ----------
    metric
        Metric of the factor; empty for the plan of a region.
    points
        Points that it added.
    by
        `input`, `profile` or `plan`.
    causes
        What changed behind it: sources, the code, a profile. Several are named together, since nothing
        tells how much each of them did.
    before, after
        Value of the metric at the parcel, or at the first one of the region's old plan; NaN is unknown.
    """

    metric: str
    points: float
    by: str
    causes: tuple[str, ...]
    before: float = math.nan
    after: float = math.nan


@dataclass(frozen=True)
class Changes:
    """What differs between two runs, as far as it can move a rank."""

    before: Side
    after: Side

    @cached_property
    def sources(self) -> list[str]:
        """Sources whose bytes differ, or that one of the runs has not."""
        old, new = self.before.sources, self.after.sources
        return sorted(
            name
            for name in {*old, *new}
            if name not in old or name not in new or old[name]["sha256"] != new[name]["sha256"]
        )

    @cached_property
    def is_code(self) -> bool:
        """Whether the program differs; of builds of other versions only the hash of all is known."""
        old, new = self.before.row, self.after.row
        name = "program" if old["program"] and new["program"] else "code_version"
        return old[name] != new[name]

    def causes(self, metric: str) -> tuple[str, ...]:
        """Name what may have changed a metric: the changed ones of the sources behind its layers, and the code.

        Where none of them changed, it came by another way: any changed source, or what the run was given.
        """
        words = self.after.words.get(metric) or self.before.words.get(metric)
        behind = {
            source
            for layer in (words["layers"] if words else ())
            for side in (self.before, self.after)
            for source in side.sources_of.get(layer, ())
        }
        found = [name for name in self.sources if name in behind]
        if not found:
            found = list(self.sources)
        code = [CODE] if self.is_code else []
        return tuple([*found, *code] or [GIVEN])


class Attribution:
    """Splits changes of scores of one workload.

    Parameters
    ----------
    before, after
        The runs.
    workload
        A workload that both rank by.

    Raises
    ------
    BuildError
        The history does not hold the ids of the parcels any more.
    """

    def __init__(self, before: Side, after: Side, workload: str) -> None:
        self.before, self.after, self.workload = before, after, workload
        self._sides = before, after
        self.changes = Changes(before, after)
        self._known: dict[tuple[int, int], list[tuple[Part, int]]] = {}
        old, new = before.factors(workload), after.factors(workload)
        self._factors = {name: (old.get(name), new.get(name)) for name in sorted({*old, *new})}
        self._is_same_land = before.entry.parts["parcels"] == after.entry.parts["parcels"]
        self._target = [side.workloads[workload]["target_mw"] * KW * UNITS for side in self._sides]

    @cached_property
    def now(self) -> np.ndarray:
        """Position in the new run of each parcel of the old one; -1 where it is gone."""
        old = self.before.parcels["parcel_id"]
        if self._is_same_land:
            return np.arange(len(old))
        return pd.Index(self.after.parcels["parcel_id"]).get_indexer(old)

    def parcel(self, number: int) -> list[Part] | None:
        """Parts of the change of a parcel's score, given its position in the old run; None if it is gone."""
        found = self._units(number)
        return None if found is None else [part for part, _ in found]

    def region(self, kind: str, region_id: str) -> list[Part]:
        """Parts of the change of a region's score, which add up to it."""
        old = self.before.plans(self.workload).get((kind, region_id), [])
        new = self.after.plans(self.workload).get((kind, region_id), [])
        sums: dict[tuple[str, str], tuple[Part, int]] = {}
        # What the old plan would score in the new run.
        carried = 0
        for number, kw in old:
            units = self._units(number)
            if units is None:
                continue
            carried += kw * self._score(self.after, int(self.now[number]))
            for part, points in units:
                first, total = sums.get((part.metric, part.by), (part, 0))
                sums[part.metric, part.by] = first, total + kw * points
        gone = sum(
            kw * self._score(self.before, number)
            for number, kw in old
            if self._units(number) is None
        )
        told = [
            replace(part, points=total / self._target[0]) for part, total in sums.values() if total
        ]
        now = sum(kw * self._score(self.after, number) for number, kw in new)
        plan = now / self._target[1] - (carried + gone) / self._target[0]
        if abs(plan) > CRUMB:
            told.append(Part("", plan, PLAN, self._plan_causes))
        return told

    def gates(self, number: int) -> list[tuple[str, str, str, float, float]]:
        """Gates of which a parcel's status changed: metric, status and value before and after."""
        if self.now[number] < 0:
            return []
        old, new = (side.gates(self.workload) for side in (self.before, self.after))
        told = []
        for name in sorted({*old, *new}):
            was, is_ = (
                self._value(self.before, name, number),
                self._value(self.after, name, int(self.now[number])),
            )
            status = [
                gates[name].status(value) if name in gates else "pass"
                for gates, value in ((old, was), (new, is_))
            ]
            if status[0] != status[1]:
                told.append((name, status[0], status[1], was, is_))
        return told

    def _units(self, number: int) -> list[tuple[Part, int]] | None:
        """Parts of the change of a parcel's score, with their exact billionths."""
        there = int(self.now[number])
        if there < 0:
            return None
        if (number, there) in self._known:
            return self._known[number, there]
        told = []
        for metric, (old, new) in self._factors.items():
            if old == new and self._is_equal(metric):
                continue
            was = self._value(self.before, metric, number)
            is_ = self._value(self.after, metric, there)
            start, end = _units_of(old, was), _units_of(new, is_)
            # A factor that only one of the profiles has is the profile's doing.
            middle = start if old is None or new is None else old.units(is_)
            if middle != start:
                causes = self.changes.causes(metric)
                part = Part(metric, (middle - start) / UNITS, INPUT, causes, was, is_)
                told.append((part, middle - start))
            if end != middle:
                causes = (f"profile {self.workload}",)
                part = Part(metric, (end - middle) / UNITS, PROFILE, causes, was, is_)
                told.append((part, end - middle))
        self._known[number, there] = told
        return told

    def _score(self, side: Side, number: int) -> int:
        """Score of a parcel in billionths, whatever its gates say."""
        return sum(
            factor.units(self._value(side, metric, number))
            for metric, factor in side.factors(self.workload).items()
        )

    def _is_equal(self, metric: str) -> bool:
        role = f"metric.{metric}"
        same = self.before.entry.parts.get(role) == self.after.entry.parts.get(role)
        return same and self._is_same_land

    @cached_property
    def _plan_causes(self) -> tuple[str, ...]:
        """What may have changed plans: all that moves a score, a gate or a headroom."""
        judged = {*self.before.gates(self.workload), *self.after.gates(self.workload)}
        offered = {side.workloads[self.workload]["capacity_metric"] for side in self._sides}
        moved = [name for name in {*self._factors, *judged, *offered} if not self._is_equal(name)]
        found = {cause for name in moved for cause in self.changes.causes(name)}
        if len({side.workloads[self.workload]["profile"] for side in self._sides}) > 1:
            found.add(f"profile {self.workload}")
        # Lines that are shared limit a plan, too, though no headroom tells of them.
        return tuple(sorted(found)) or self.changes.causes("")

    @staticmethod
    def _value(side: Side, metric: str, number: int) -> float:
        try:
            return float(side.metric(metric)[number])
        except BuildError:
            if f"metric.{metric}" in side.entry.parts:
                raise
            # A run whose profiles did not ask for it kept it not.
            return math.nan


def _units_of(factor: Factor | None, value: float) -> int:
    return 0 if factor is None else factor.units(value)


def by_cause(parts: Iterable[Part]) -> dict[tuple[str, ...], float]:
    """Points of each set of causes."""
    told: dict[tuple[str, ...], float] = {}
    for part in parts:
        told[part.causes] = told.get(part.causes, 0.0) + part.points
    return told


def rank_alone(field: pd.DataFrame, rank: float, score: float, status: Any) -> int:
    """Rank that one would have had if it alone had changed.

    Parameters
    ----------
    field
        Rank, score and gate_status of all that were ranked before.
    rank
        Its rank before; it is no rival of its own.
    score, status
        Its score and gate status now.
    """
    rivals = field[field["rank"] != rank]
    is_sure = rivals["gate_status"] == "pass"
    better = rivals["score"] > score
    if status == "pass":
        return 1 + int((better & is_sure).sum())
    return 1 + int((is_sure | better).sum())
