"""What moved between two runs, by how much, and which input moved it: from the history alone."""

from collections.abc import Sequence
from typing import Any

from data.errors import BuildError, UsageError
from flows import diff_show, history
from flows.diff_moves import BIG_FIRST, FIRST, moves, region_frame
from flows.diff_points import Changes
from flows.diff_side import Side
from flows.exporting import require_level, require_rows
from flows.home import Home
from flows.housekeeping import run_of
from flows.show import Shown, records

LAST, PREVIOUS = "last", "previous"
# Rows of each workload where none, and where one, is named.
FEW, MANY = 5, 20
# Told at night: who moved by more places, of the first hundred.
BIG_PLACES = 50


def diff(
    home: Home, runs: Sequence[str], workload: str | None = None, level: str = "county",
    n: int | None = None,
) -> Shown:  # fmt: skip
    """Tell what moved between two runs.

    Parameters
    ----------
    home
        Home with a history.
    runs
        As for `choose`.
    workload
        One workload, or all that both runs rank by.
    level
        county, metro, state, zone or parcel.
    n
        Rows of each workload: 20 of one, 5 of each of several, when left out.

    Raises
    ------
    UsageError
        A run, workload or level is not known, or the runs are of different studies.
    BuildError
        There is no history, or it cannot be read.
    """
    require_level(level)
    require_rows("-n", n)
    first, second = choose(home, runs)
    before, after = (Side(history.read(home, run_id)) for run_id in (first, second))
    if before.row["inputs_sha256"] == after.row["inputs_sha256"]:
        return diff_show.equal(first, second)
    if before.row["study"] != after.row["study"]:
        msg = (
            f"Run {first} is of study {before.row['study']}, run {second} of {after.row['study']}: "
            "their ranks cannot be compared."
        )
        raise UsageError(msg, "Name two runs of one study; see gridstead runs.")
    known = shared(before, after)
    if workload not in (None, *known):
        msg = f"Not both runs rank by {workload!r}."
        raise UsageError(msg, f"Both rank by: {', '.join(known)}.")
    asked = known if workload is None else [workload]
    count = n or (FEW if workload is None else MANY)
    told = [moves(before, after, each, level, count) for each in asked]
    return diff_show.shown(Changes(before, after), told, (first, second))


def choose(home: Home, asked: Sequence[str]) -> tuple[str, str]:
    """Run ids to compare, the earlier one of the two named first.

    Parameters
    ----------
    home
        Home with a history.
    asked
        Up to two of: a run id, the beginning of one, `last` (the run that is published), `previous` (the last
        run before it that differed from it). One is compared with the published one; none is `previous` and `last`.

    Raises
    ------
    UsageError
        A run is not known, or more than two are named.
    BuildError
        There is no history, or no run that differed from the newest.
    """
    known = history.run_ids(home)
    if not known:
        msg = f"There is no history in {home.root}."
        raise BuildError(msg, "Every `gridstead run` adds to it from now on.")
    if len(asked) > 2:
        msg = f"{len(asked)} runs are named, two can be compared."
        raise UsageError(msg, "Name two runs, one or none.")
    last = _published(home, known)
    first, second = {0: (PREVIOUS, LAST), 1: (*asked, LAST)}.get(len(asked), tuple(asked))
    return _found(home, known, first, last), _found(home, known, second, last)


def _published(home: Home, known: list[str]) -> str:
    """Give the run that is published; the newest where that is not in the history, or cannot be read."""
    run = run_of(home.build)
    return run["run_id"] if run and run["run_id"] in known else known[-1]


def _found(home: Home, known: list[str], asked: str, last: str) -> str:
    if asked == LAST:
        return last
    if asked == PREVIOUS:
        return differing(home, last)
    fitting = [run_id for run_id in known if run_id.startswith(asked)]
    if asked in fitting:
        return asked
    if len(fitting) == 1:
        return fitting[0]
    newest = ", ".join(reversed(known[-10:])) + (", ..." if len(known) > 10 else "")
    if fitting:
        msg = f"{len(fitting)} runs begin with {asked!r}."
        raise UsageError(msg, f"Write more of the id: {', '.join(fitting[-10:])}.")
    msg = f"There is no run {asked!r} in the history."
    raise UsageError(msg, f"Runs, newest first: {newest}; or last, previous.")


def differing(home: Home, run_id: str) -> str:
    """Last run before one that differed from it, of the same study, area, division and resolution.

    Raises
    ------
    BuildError
        There is none.
    """
    now = history.read(home, run_id)
    for entry in history.like(home, now.row):
        if entry.run_id < now.run_id and entry.row["inputs_sha256"] != now.row["inputs_sha256"]:
            return entry.run_id
    msg = f"No run before {now.run_id} differs from it."
    hint = f"The history holds {len(history.run_ids(home))} of its kind; it grows when an input changes."
    raise BuildError(msg, hint)


def big_movers(home: Home) -> list[dict[str, Any]]:
    """Counties that the newest run moved far, against the last run before it that differed.

    Returns
    -------
    list
        A row each, the best ranks first: `workload`, `region_id`, `region_name`, `rank_before`,
        `rank_after` (None: not ranked), `before_run_id`, and `text`, which says it in a sentence. Those that
        came into or left the first 20 of a workload, and those of the first 100 that moved by more than
        50 places. Empty when the newest run found nothing changed, or there is nothing to compare with.
    """
    known = history.distinct_ids(home)
    if not known or known[-1] != history.run_ids(home)[-1]:
        return []
    try:
        old, new = (
            Side(history.read(home, run_id)) for run_id in (differing(home, known[-1]), known[-1])
        )
        return [row for each in shared(old, new) for row in _big(old, new, each)]
    except BuildError:
        return []


def shared(before: Side, after: Side) -> list[str]:
    """Name the workloads that both runs rank by, in the order of the newer one."""
    return [name for name in after.workloads if name in before.workloads]


def _big(before: Side, after: Side, workload: str) -> list[dict[str, Any]]:
    frame = region_frame(before, after, workload, "county")
    ranks = frame[["rank_before", "rank_after"]]
    is_first = ranks <= BIG_FIRST
    best = ranks.min(axis=1)
    far = (ranks["rank_after"] - ranks["rank_before"]).abs() > BIG_PLACES
    is_big = (best <= FIRST) & (far | ranks.isna().any(axis=1))
    is_big |= is_first["rank_before"] != is_first["rank_after"]
    rows = []
    for row in records(frame.assign(best=best)[is_big].sort_values(["best", "id"])):
        was, now = (
            None if row[name] is None else int(row[name]) for name in ("rank_before", "rank_after")
        )
        rows.append(
            {
                "workload": workload,
                "region_id": row["id"],
                "region_name": row["name"],
                "rank_before": was,
                "rank_after": now,
                "before_run_id": before.entry.run_id,
                "text": f"{workload}: {row['name']} {diff_show.places(was, now)}",
            }
        )
    return rows
