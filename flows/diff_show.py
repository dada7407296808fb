"""What moved between two runs, as people and programs read it."""

import math
from collections.abc import Sequence
from typing import Any

from flows.diff_moves import BIG_FIRST, FIRST, GateChange, Mover, Moves
from flows.diff_points import INPUT, PLAN, Changes, Part
from flows.explain_show import lines
from flows.explain_words import value_words
from flows.show import Shown

PLURALS = {
    "county": "counties",
    "metro": "metros",
    "state": "states",
    "zone": "zones",
    "parcel": "parcels",
}
COLUMNS = {
    "was": "was",
    "now": "now",
    "name": "name",
    "score": "score",
    "alone": "alone",
    "why": "why",
}
# Parts of a change that are told, and the points from which on they are.
MOST_PARTS, LEAST_POINTS = 3, 0.005
HASH_LENGTH = 8
# Names that are listed of those that came into or left the first.
MOST_NAMES = 5


def equal(first: str, second: str) -> Shown:
    """Say that nothing changed."""
    text = (
        f"Run {first} and run {second} are one."
        if first == second
        else f"Runs {first} and {second} are equal: of inputs, profiles and code nothing changed."
    )
    payload = {"before": first, "after": second, "is_equal": True, "changes": [], "workloads": []}
    return Shown("", notes=[text], payload=payload)


def shown(changes: Changes, told: Sequence[Moves], runs: tuple[str, str]) -> Shown:
    """Put what changed, and what moved by workload, into sections."""
    before, after = changes.before.row, changes.after.row
    what = change_words(changes)
    ends = [
        f"{run_id} ({row['started_at']:%Y-%m-%d %H:%M})"
        for run_id, row in zip(runs, (before, after), strict=True)
    ]
    payload = {
        "before": runs[0],
        "after": runs[1],
        "is_equal": False,
        "study": after["study"],
        "changes": what,
        "workloads": [_payload(changes, each) for each in told],
    }
    level = told[0].level if told else "county"
    title = f"{after['study']}: what moved from run {ends[0]} to run {ends[1]}"
    result = Shown(
        title, notes=["Changed:", *_folded(f"- {each}" for each in what)], payload=payload
    )
    if not told:
        result.notes.append("No workload is ranked by both runs.")
        return result
    result.sections.append(_summary(told, level))
    moved = [each for each in told if each.movers or each.entered or each.left]
    for each in moved:
        result.sections += _workload(changes, each)
    result.sections.append(Shown("", notes=_reading(told, level) if moved else ["Nothing moved."]))
    return result


def places(was: int | None, now: int | None) -> str:
    """Say a move in words."""
    if was is None:
        return f"came in at rank {now:,}"
    if now is None:
        return f"is not ranked any more (was {was:,})"
    return f"rose from {was:,} to {now:,}" if now < was else f"fell from {was:,} to {now:,}"


def change_words(changes: Changes) -> list[str]:
    """Say what differs between two runs: sources, profiles, code, land."""
    old, new = changes.before.sources, changes.after.sources
    told = []
    for name in changes.sources:
        was, now = old.get(name), new.get(name)
        if was is None or now is None:
            told.append(f"source {name}: {'new' if was is None else 'gone'}")
            continue
        fields = ((field, was[field], now[field]) for field in ("version", "as_of"))
        more = [
            f"{field.replace('_', ' ')} {a} -> {b}" if a != b else f"{field.replace('_', ' ')} {a}"
            for field, a, b in fields
        ]
        hashes = " -> ".join(str(row["sha256"])[:HASH_LENGTH] for row in (was, now))
        told.append(f"source {name}: {', '.join(more)}, sha256 {hashes}")
    told += [
        f"source {name}: {'stale now' if new[name]['is_stale'] else 'fresh again'}"
        for name in sorted({*old} & {*new})
        if old[name]["is_stale"] != new[name]["is_stale"]
    ]
    told += [text for name in sorted({*changes.before.workloads, *changes.after.workloads})
             for text in _profile_words(changes, name)]  # fmt: skip
    before, after = changes.before.row, changes.after.row
    for name, words in (("area", "area"), ("h3_resolution", "H3 resolution"), ("parcel_kind", "parcels"),
                        ("parcel_count", "number of parcels")):  # fmt: skip
        if before[name] != after[name]:
            told.append(f"{words}: {_plain(before[name])} -> {_plain(after[name])}")
    if changes.is_code:
        told.append(f"code: {before['code_version']} -> {after['code_version']}")
    return told or ["the study, or files given to the run: no source, profile or code did"]


def _profile_words(changes: Changes, workload: str) -> list[str]:
    """Say what differs between two versions of a profile."""
    sides = changes.before, changes.after
    old, new = (side.workloads.get(workload) for side in sides)
    if old is None or new is None:
        return [f"profile {workload}: {'new' if old is None else 'gone'}"]
    if old["profile"] == new["profile"]:
        return []
    told = [
        f"{name} {_plain(old[name])} -> {_plain(new[name])}"
        for name in ("target_mw", "max_site_mw", "capacity_metric", "objective")
        if old[name] != new[name]
    ]
    was, now = (side.factors(workload) for side in sides)
    for metric in sorted({*was, *now}):
        if metric not in was or metric not in now:
            told.append(f"factor {metric} {'new' if metric not in was else 'gone'}")
            continue
        if was[metric].weight != now[metric].weight:
            told.append(f"weight of {metric} {was[metric].weight:.3g} -> {now[metric].weight:.3g}")
        if was[metric].pieces != now[metric].pieces:
            told.append(f"value function of {metric}")
    first, second = (side.gates(workload) for side in sides)
    for metric in sorted({*first, *second}):
        if first.get(metric) != second.get(metric):
            bounds = [_bound(gates.get(metric)) for gates in (first, second)]
            told.append(f"gate on {metric} {bounds[0]} -> {bounds[1]}")
    return [f"profile {workload}: {', '.join(told) or 'words'}"]


def _bound(gate: Any) -> str:
    if gate is None:
        return "none"
    return f"at least {gate.at_least:g}" if gate.at_most is None else f"at most {gate.at_most:g}"


def _summary(told: Sequence[Moves], level: str) -> Shown:
    rows = [
        {
            "workload": each.workload,
            "ranked": _arrow(*(f"{count:,}" for count in each.ranked)),
            "moved": each.moved_count,
            "rescored": each.rescored_count,
            "entered": each.entered_count,
            "left": each.left_count,
            "first": f"{len(each.first_in)} in, {len(each.first_out)} out",
        }
        for each in told
    ]
    columns = {"workload": "workload", "ranked": f"{PLURALS[level]} ranked", "moved": "changed rank",
               "rescored": "changed score", "entered": "entered", "left": "left",
               "first": f"first {BIG_FIRST}"}  # fmt: skip
    return Shown("", rows, columns=columns)


def _workload(changes: Changes, told: Moves) -> list[Shown]:
    """Sections of one workload: movers, who entered and left, and what moved scores."""
    sections = []
    notes = []
    for names, words in ((told.first_in, "Into"), (told.first_out, "Out of")):
        if names:
            more = f"; and {len(names) - MOST_NAMES} others" if len(names) > MOST_NAMES + 1 else ""
            told_names = names[: MOST_NAMES if more else None]
            notes += lines(f"{words} the first {BIG_FIRST}: {'; '.join(told_names)}{more}.")
    if told.causes:
        notes.append(
            "What moved scores, by the input that moved each most (points: mean of all that changed):"
        )
        notes += _folded(
            f"- {cause_words(cause)}: {count:,} {PLURALS[told.level] if count != 1 else told.level}"
            f" ({mean:+.2f} points)"
            for cause, count, mean in told.causes
        )
    rows = [_row(changes, told, each) for each in told.movers]
    sections.append(Shown(told.workload, rows, columns=COLUMNS, notes=notes))
    for movers, count, words in (
        (told.entered, told.entered_count, "entered"),
        (told.left, told.left_count, "left"),
    ):
        if movers:
            rows = [_row(changes, told, each) for each in movers]
            columns = {name: text for name, text in COLUMNS.items() if name != "alone"}
            more = f", the first {len(movers)}" if len(movers) < count else ""
            sections.append(
                Shown(f"{told.workload}: {count:,} {words}{more}", rows, columns=columns)
            )
    return sections


def _row(changes: Changes, told: Moves, mover: Mover) -> dict[str, Any]:
    return {
        "was": mover.rank_before,
        "now": mover.rank_after,
        "name": mover.name,
        "score": _arrow(
            *(
                None if score is None else f"{score:.2f}"
                for score in (mover.score_before, mover.score_after)
            )
        ),
        "alone": mover.rank_alone,
        "why": why_words(changes, told, mover),
    }


def why_words(changes: Changes, told: Moves, mover: Mover) -> str:
    """Say what moved one: the largest parts of the change of its score, its gates, or its rivals alone."""
    words = [_gate_words(changes, gate) for gate in mover.gates]
    if mover.rank_before is None or mover.rank_after is None:
        return "; ".join([*([mover.why] if mover.why else []), *words])
    if mover.gates_before != mover.gates_after:
        words.append(f"gates: {mover.gates_before} -> {mover.gates_after}")
    if not told.is_detailed:
        return "; ".join([*words, "the history does not hold what moved it any more"])
    parts = sorted(mover.parts or [], key=lambda part: -abs(part.points))
    said = [part for part in parts[:MOST_PARTS] if abs(part.points) >= LEAST_POINTS]
    words = [part_words(changes, part) for part in said] + words
    rest = sum(part.points for part in parts[len(said) :]) if said else 0.0
    if abs(rest) >= LEAST_POINTS:
        words.append(f"others {rest:+.2f}")
    if mover.parts is None:
        return "; ".join([*words, "it is new land"])
    if mover.rank_alone == mover.rank_before and mover.score_before == mover.score_after:
        return "; ".join([*words, "its score is the same, only rivals moved"])
    return "; ".join(words) or "less than 0.01 points, and rivals"


def part_words(changes: Changes, part: Part) -> str:
    """Say a part of a change: what, from what to what, how many points, and what is behind it."""
    cause = cause_words(part.causes)
    if part.by == PLAN:
        return f"other parcels or megawatts {part.points:+.2f} ({cause})"
    told = _words_of(changes, part.metric)
    values = ""
    if part.by == INPUT:
        ends = [
            value_words(part.metric, value, told["unit"]) for value in (part.before, part.after)
        ]
        values = f" {ends[0]} -> {ends[1]}" if ends[0] != ends[1] else ""
    return f"{told['label']}{values} {part.points:+.2f} ({cause})"


def cause_words(causes: Sequence[str]) -> str:
    """Name causes together."""
    return " or ".join(causes)


def _gate_words(changes: Changes, gate: GateChange) -> str:
    metric, was, now, value, then = gate
    told = _words_of(changes, metric)
    ends = [value_words(metric, each, told["unit"]) for each in (value, then)]
    values = f" ({ends[0]} -> {ends[1]})" if ends[0] != ends[1] else ""
    return f"gate on {told['label']}: {was} -> {now}{values}; {cause_words(changes.causes(metric))}"


def _words_of(changes: Changes, metric: str) -> dict[str, Any]:
    words = changes.after.words.get(metric) or changes.before.words.get(metric)
    return words or {"label": metric, "unit": None}


def _reading(told: Sequence[Moves], level: str) -> list[str]:
    """Say how to read it, and what is exact."""
    notes = lines(
        f"First who is or was among the first {FIRST}, then the others, by places moved. alone: rank if only "
        "its own score had changed; the rest of the way is others'. Points by factor add up to the change of "
        "the score; what several changed inputs did to one factor is not told apart."
    )
    if level != "parcel":
        notes += lines(
            "A region's score is that of the parcels of its plan: factors tell what those of the old plan did at "
            "their old megawatts, and the rest is other parcels or megawatts. Values are those of its first parcel."
        )
    if not all(each.is_detailed for each in told):
        notes += lines("The history does not hold the detail of both runs any more.")
    return notes


def _payload(changes: Changes, told: Moves) -> dict[str, Any]:
    return {
        "workload": told.workload,
        "level": told.level,
        "ranked_before": told.ranked[0],
        "ranked_after": told.ranked[1],
        "changed_rank": told.moved_count,
        "changed_score": told.rescored_count,
        "entered_count": told.entered_count,
        "left_count": told.left_count,
        "first_in": told.first_in,
        "first_out": told.first_out,
        "causes": [
            {"causes": list(cause), "moved_most": count, "mean_points": mean}
            for cause, count, mean in told.causes
        ],
        **{
            name: [_mover_payload(changes, told, each) for each in movers]
            for name, movers in (
                ("movers", told.movers),
                ("entered", told.entered),
                ("left", told.left),
            )
        },
    }


def _mover_payload(changes: Changes, told: Moves, mover: Mover) -> dict[str, Any]:
    return {
        "id": mover.id,
        "name": mover.name,
        "rank_before": mover.rank_before,
        "rank_after": mover.rank_after,
        "rank_alone": mover.rank_alone,
        "score_before": mover.score_before,
        "score_after": mover.score_after,
        "parts": None
        if mover.parts is None
        else [
            {
                "metric": part.metric or None,
                "by": part.by,
                "points": part.points,
                "causes": list(part.causes),
                "before": _known(part.before),
                "after": _known(part.after),
            }
            for part in mover.parts
        ],
        "why": why_words(changes, told, mover),
    }


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _arrow(was: str | None, now: str | None) -> str:
    if was is None or now is None:
        return was or now or ""
    return was if was == now else f"{was} -> {now}"


def _plain(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, list):
        return " ".join(map(str, value))
    return (
        f"{value:,}"
        if isinstance(value, int)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )


def _folded(texts: Any) -> list[str]:
    return [line for text in texts for line in lines(text)]
