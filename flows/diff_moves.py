"""Which regions or parcels moved between two runs of the history, and what moved each."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from data.errors import BuildError
from flows.diff_points import Attribution, Part, by_cause, rank_alone
from flows.diff_side import Side
from flows.show import records

# Who is, or was, among the first so many comes before others that moved.
FIRST = 100
# Into and out of the first so many is told by name.
BIG_FIRST = 20
PARCEL = "parcel"
# A gate whose status changed: metric, status before and after, value before and after.
GateChange = tuple[str, str, str, float, float]


@dataclass(frozen=True)
class Mover:
    """A region or parcel that moved; None where it was, or is, not ranked.

    Attributes
    ----------
    rank_alone
        Rank that it would have had if it alone had changed; None where it was or is not ranked.
    parts
        Parts of the change of its score; None where the history holds no detail, or there is no change.
    gates
        Gates whose status changed: metric, status before and after, value before and after.
    why
        Why it is not ranked, in the run that does not rank it.
    """

    id: str
    name: str
    rank_before: int | None
    rank_after: int | None
    score_before: float | None
    score_after: float | None
    gates_before: str | None
    gates_after: str | None
    rank_alone: int | None = None
    parts: list[Part] | None = None
    gates: list[GateChange] = field(default_factory=list)
    why: str = ""


@dataclass(frozen=True)
class Moves:
    """What moved of one workload and level.

    Attributes
    ----------
    ranked
        How many were ranked before and after.
    moved_count, rescored_count
        Of those ranked in both, how many changed rank, and how many changed score.
    first_in, first_out
        Names of those that came into the first 20, and that left them.
    causes
        For each set of causes: how many scores it moved most, and the points that it brought all of them,
        on average; of regions alone.
    movers, entered, left
        The first of those that changed rank, that were not ranked before, and that are not any more.
    entered_count, left_count
        How many there are.
    is_detailed
        Whether the history holds what attributions need.
    """

    workload: str
    title: str
    level: str
    ranked: tuple[int, int]
    moved_count: int
    rescored_count: int
    entered_count: int
    left_count: int
    first_in: list[str]
    first_out: list[str]
    causes: list[tuple[tuple[str, ...], int, float]]
    movers: list[Mover]
    entered: list[Mover]
    left: list[Mover]
    is_detailed: bool


def moves(before: Side, after: Side, workload: str, level: str, n: int) -> Moves:
    """Compare one workload of two runs.

    Parameters
    ----------
    before, after
        The runs, both of which rank by the workload.
    workload, level
        What is compared.
    n
        How many movers, entered and left are told at most.
    """
    told = Attribution(before, after, workload)
    frame = parcel_frame(told) if level == PARCEL else region_frame(before, after, workload, level)
    was, now = frame["rank_before"].notna(), frame["rank_after"].notna()
    both = frame[was & now]
    moved = both[both["rank_before"] != both["rank_after"]]
    rescored = both[both["score_before"] != both["score_after"]]
    causes, is_detailed = _causes(told, level, rescored)
    entered = frame[~was & now].sort_values("rank_after")
    left = frame[was & ~now].sort_values("rank_before")
    was_first, is_first = frame["rank_before"] <= BIG_FIRST, frame["rank_after"] <= BIG_FIRST
    teller = _Teller(told, level, _field(frame), is_detailed)
    return Moves(
        workload=workload,
        title=after.workloads[workload]["title"],
        level=level,
        ranked=(int(was.sum()), int(now.sum())),
        moved_count=len(moved),
        rescored_count=len(rescored),
        entered_count=len(entered),
        left_count=len(left),
        first_in=teller.names(frame[is_first & ~was_first].sort_values("rank_after")),
        first_out=teller.names(frame[was_first & ~is_first].sort_values("rank_before")),
        causes=causes,
        movers=teller.movers(by_size(moved).head(n)),
        entered=teller.movers(entered.head(n)),
        left=teller.movers(left.head(n)),
        is_detailed=is_detailed,
    )


def region_frame(before: Side, after: Side, workload: str, kind: str) -> pd.DataFrame:
    """Give regions of a kind in both runs, one row each; NaN where a run does not rank it."""
    old, new = (side.ranked(workload, kind) for side in (before, after))
    frame = old.merge(new, on="id", how="outer", suffixes=("_before", "_after"))
    frame["name"] = frame["name_after"].fillna(frame["name_before"])
    return frame


def parcel_frame(told: Attribution) -> pd.DataFrame:
    """Give parcels that fail no gate in one of the runs, one row each.

    `number` is the position in the old run; of a parcel that the old run has not it is -1 less the position
    in the new one.
    """
    old, new = (side.ranks(told.workload) for side in (told.before, told.after))
    back = np.full(len(told.after.parcels), -1)
    there = told.now >= 0
    back[told.now[there]] = np.flatnonzero(there)
    number = back[new["parcel_no"]]
    new = new.assign(number=np.where(number >= 0, number, -1 - new["parcel_no"]))
    old = old.assign(number=old["parcel_no"])
    columns = ["number", "rank", "score", "gate_status"]
    return old[columns].merge(
        new[columns], on="number", how="outer", suffixes=("_before", "_after")
    )


def by_size(moved: pd.DataFrame) -> pd.DataFrame:
    """Put those of the first hundred first; then who moved by more places, then who ranks better."""
    best = moved[["rank_before", "rank_after"]].min(axis=1)
    far = (moved["rank_after"] - moved["rank_before"]).abs()
    keys = moved.assign(is_far_down=best > FIRST, places=-far)
    return keys.sort_values(["is_far_down", "places", "rank_after"])


def _causes(
    told: Attribution, level: str, rescored: pd.DataFrame
) -> tuple[list[tuple[tuple[str, ...], int, float]], bool]:
    """Count which causes moved the scores of regions most; of parcels there are too many."""
    try:
        if level == PARCEL or rescored.empty:
            # The values behind one parcel stand for all.
            told.parcel(0)
            return [], True
        shares = [by_cause(told.region(level, id_)) for id_ in rescored["id"]]
    except BuildError:
        return [], False
    count: dict[tuple[str, ...], int] = {}
    total: dict[tuple[str, ...], float] = {}
    for points in shares:
        for cause, value in points.items():
            total[cause] = total.get(cause, 0.0) + value
        if points:
            most = max(points, key=lambda cause: (abs(points[cause]), cause))
            count[most] = count.get(most, 0) + 1
    rows = [(cause, count.get(cause, 0), total[cause] / len(rescored)) for cause in total]
    return sorted(rows, key=lambda row: (-row[1], row[0])), True


def _field(frame: pd.DataFrame) -> pd.DataFrame:
    """Give all that were ranked before."""
    names = {f"{name}_before": name for name in ("rank", "score", "gate_status")}
    return frame[frame["rank_before"].notna()][list(names)].rename(columns=names)


@dataclass(frozen=True)
class _Teller:
    """Tells of rows what moved them."""

    told: Attribution
    level: str
    field: pd.DataFrame
    is_detailed: bool

    def movers(self, frame: pd.DataFrame) -> list[Mover]:
        return [self._mover(row) for row in records(frame)]

    def names(self, frame: pd.DataFrame) -> list[str]:
        return [self._identity(row)[1] for row in records(frame.head(BIG_FIRST))]

    def _mover(self, row: dict[str, Any]) -> Mover:
        was, now = (
            None if row[name] is None else int(row[name]) for name in ("rank_before", "rank_after")
        )
        is_in_both = was is not None and now is not None
        parts, gates = None, []
        if self.is_detailed:
            number = row["number"] if self.level == PARCEL else self._first_parcel(row["id"])
            if is_in_both:
                parts = (
                    self.told.parcel(row["number"])
                    if self.level == PARCEL
                    else self.told.region(self.level, row["id"])
                )
            gates = self.told.gates(number) if number is not None and number >= 0 else []
        alone = was
        own = [(row[f"score_{side}"], row[f"gate_status_{side}"]) for side in ("before", "after")]
        if is_in_both and own[0] != own[1]:
            alone = rank_alone(self.field, was, *own[1])
        id_, name = self._identity(row)
        return Mover(
            id_, name, was, now, row["score_before"], row["score_after"],
            row["gate_status_before"], row["gate_status_after"],
            rank_alone=alone if is_in_both else None, parts=parts, gates=gates, why=self._why(row),
        )  # fmt: skip

    def _first_parcel(self, region_id: str) -> int | None:
        """Position in the old run of a region's best parcel: of the new plan, where there was none before."""
        key, told = (self.level, region_id), self.told
        if old := told.before.plans(told.workload).get(key):
            return old[0][0]
        if new := told.after.plans(told.workload).get(key):
            found = np.flatnonzero(told.now == new[0][0])
            return int(found[0]) if len(found) else None
        return None

    def _why(self, row: dict[str, Any]) -> str:
        """Say why one is not ranked, in the run that does not rank it."""
        if self.level == PARCEL:
            return ""
        if row["rank_before"] is None:
            return f"before: {row['unranked_why_before'] or 'it was not in the run'}"
        return "" if row["rank_after"] else row["unranked_why_after"] or "it is not in the run"

    def _identity(self, row: dict[str, Any]) -> tuple[str, str]:
        """Id and name."""
        if self.level != PARCEL:
            return row["id"], row["name"]
        side, number = (
            (self.told.before, row["number"])
            if row["number"] >= 0
            else (self.told.after, -1 - row["number"])
        )
        place = side.parcels.iloc[number]
        where = [place[name] for name in ("parcel_name", "county_name", "state_id")]
        words = ", ".join(str(word) for word in where if word is not None)
        return place["parcel_id"], f"{place['parcel_id']}: {words}"
