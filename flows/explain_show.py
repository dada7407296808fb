"""An explanation as people read it, in 80 columns."""

import textwrap
from typing import Any

from flows.cost_words import SHORT_UNITS
from flows.explain_words import figure, value_words
from flows.show import Shown
from geo.export.report_data import ranks_text

WIDTH = 79
# Fewer points are not told in figures.
LEAST_SAID = 0.01
SWINGS = {"gate": "gate on", "weight": "weight of", "input": "value of"}
FACTOR_COLUMNS = {"label": "factor", "said": "value", "points": "points", "points_possible": "of"}
GATE_COLUMNS = {"label": "gate", "said": "value", "bound": "asked", "gate_status": "status"}
CHANGE_COLUMNS = {
    "words": "change of one thing",
    "from_words": "now",
    "to_words": "then",
    "who": "by whom",
}


def lines(text: str, indent: str = "  ") -> list[str]:
    """Fold a text to the width, with what follows the first line set in."""
    return textwrap.wrap(
        text, WIDTH, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False
    )


def parcel_notes(parcel: dict[str, Any]) -> list[str]:
    """Say where a parcel is, what of it can be built on, and what feeds it."""
    told = [
        f"{parcel['lat']:.4f}, {parcel['lon']:.4f}; {parcel['area_acres']:,.0f} acres of land",
        f"{parcel['known_share']:.0%} of the study's metrics are known",
        f"distances from its {parcel['distance_basis']}",
    ]
    if parcel["excluded_share"] is not None:
        told.append(
            f"{parcel['excluded_share']:.0%} of it is excluded: {parcel['buildable_acres']:,.0f} acres remain, "
            f"{parcel['contiguous_acres']:,.0f} of them in one piece"
        )
    if parcel["slope_mean_pct"] is not None:
        told.append(
            f"slope {parcel['slope_mean_pct']:.1f} % on average, {parcel['slope_max_pct']:.1f} % at the steepest; "
            f"{parcel['gentle_share']:.0%} of its known ground at or under 5 %"
        )
    if parcel["headroom_substation_id"]:
        told += [
            f"fed by substation {parcel['headroom_substation_id']}, {parcel['headroom_substation_mi']:.1f} mi away",
            f"headroom {figure(parcel['headroom_mw_low'], None)} MW"
            if parcel["headroom_mw_mid"] is None
            else f"headroom {parcel['headroom_mw_low']:,.0f} / {parcel['headroom_mw_mid']:,.0f} / "
            f"{parcel['headroom_mw_high']:,.0f} MW (low / mid / high)",
        ]
    if parcel["tie_line_musd"] is not None:
        told.append(
            f"tie line for {parcel['deliverable_mw']:,.0f} MW: {parcel['tie_line_kv']:,.0f} kV, "
            f"{parcel['tie_line_mi']:.1f} route miles, {parcel['tie_line_musd']:,.0f} M$"
        )
    if parcel["second_feed_substation_id"]:
        told.append(
            f"a second feed from {parcel['second_feed_substation_id']}, {parcel['second_feed_mi']:.1f} mi away, "
            f"would add {parcel['second_feed_mw']:,.0f} MW for {parcel['second_feed_musd']:,.0f} M$"
        )
    return told


def summary(explained: list[dict[str, Any]], full: list[dict[str, Any]]) -> Shown:
    """Put all workloads into one table, one row each."""
    rows = []
    for each in explained:
        interval, cost = _interval(each), each["cost"]
        rows.append(
            {
                "workload": each["workload"],
                "rank": each["rank"],
                "of": each["ranked_count"],
                "interval": interval,
                "score": each["score_low"],
                "cost": _cost_words(cost),
                "gates": each["gate_status"],
            }
        )
    columns = {"workload": "workload", "rank": "rank", "of": "of", "interval": "5 to 95 %"}
    columns |= {"score": "score", "cost": "cost", "gates": "gates"}
    columns = {
        name: heading
        for name, heading in columns.items()
        if name not in {"interval", "cost"} or any(row[name] for row in rows)
    }
    left = len(explained) - len(full)
    notes = ["The others in full: --workload NAME, or --workload all."] if left else []
    return Shown("", rows, columns=columns, notes=notes)


def workload_sections(workload: dict[str, Any], sources: list[dict[str, Any]]) -> list[Shown]:
    """Tell one workload: its rank, factors, gates, what would change it, and what is better near it."""
    numbers = {row["source_id"]: row["no"] for row in sources}
    cost = _cost_section(workload)
    return [
        _factor_section(workload, numbers),
        *([] if cost is None else [cost]),
        _gate_section(workload, numbers),
        _change_section(workload),
        _alternative_section(workload),
    ]


def source_section(sources: list[dict[str, Any]], used: set[str]) -> Shown:
    """Say from what the values come, as of when and under which terms."""
    notes = []
    for row in sources:
        if row["source_id"] in used:
            kind = ", is synthetic" if row["is_synthetic"] else ""
            stale = ", is stale" if row["is_stale"] else ""
            notes += lines(
                f"{row['no']}  {row['source_id']} {row['version']}, as of {row['as_of']}{kind}{stale}: "
                f"{row['title']}; terms: {row['data_terms']}",
                indent="   ",
            )
    return Shown("sources", notes=notes)


def _interval(workload: dict[str, Any]) -> str | None:
    """Ranks between which a parcel lies in 90 of 100 draws, by score."""
    for row in workload["confidence"]:
        if row["basis"] == "score":
            return ranks_text(row["rank_p05"], row["rank_p95"])
    return None


def _cost_words(cost: dict[str, Any]) -> str | None:
    if not cost or cost["mid"] is None:
        return None
    return f"{cost['mid']:,.1f} {SHORT_UNITS[cost['objective']]}"


def _factor_section(workload: dict[str, Any], numbers: dict[str, int]) -> Shown:
    interval = _interval(workload)
    rank = (
        f"rank {workload['rank']:,} of {workload['ranked_count']:,}"
        if workload["rank"]
        else "not a candidate"
    )
    rank += f" (5 to 95 %: {interval})" if interval else ""
    title = f"{workload['workload']}: {rank}, score {workload['score_low']:.1f}" + (
        f" to {workload['score_high']:.1f}" if workload["factors_unknown"] else ""
    )
    rows = [
        row
        | {
            "said": value_words(row["metric"], row["value"], row["unit"]),
            "from": _from(row, numbers),
            "points": _rounded(row["points"], 1),
            "over_best": _rounded(row.get("cost_over_best"), 1),
        }
        for row in workload["factors"]
    ]
    columns, notes = dict(FACTOR_COLUMNS), _confidence_notes(workload)
    if workload["cost"]:
        columns["over_best"] = "$ over best"
        unit = workload["cost"]["unit"]
        notes = [
            *lines(
                f"$ over best: how many {unit} less it would cost if this one were where it scores best"
            ),
            *notes,
        ]
    return Shown(title, rows, columns=columns | {"from": "from"}, notes=notes)


def _cost_section(workload: dict[str, Any]) -> Shown | None:
    cost = workload["cost"]
    if not cost:
        return None
    if cost["mid"] is None:
        title = f"Cost: unknown, for lack of {', '.join(_spaced(each) for each in cost['missing'])}"
        return Shown("", notes=lines(title))
    title = (
        f"Cost: {cost['mid']:,.1f} {cost['unit']} ({cost['low']:,.1f} to {cost['high']:,.1f}) "
        f"at {cost['cost_mw']:,.0f} MW"
    )
    rows = [
        {"term": _spaced(row["term"]), "of": row["of"]}
        | {end: _rounded(row[end], 2) for end in ("low", "mid", "high")}
        for row in cost["terms"]
    ]
    columns = {"term": "term", "low": "low", "mid": "mid", "high": "high", "of": "hangs on"}
    by_cost = (
        f"rank {cost['cost_rank']:,} of {cost['cost_ranked_count']:,} by cost; "
        if cost["cost_rank"]
        else ""
    )
    notes = [f"{by_cost}{cost['dollar_year']} dollars"]
    if cost["missing"]:
        notes += lines(
            f"unknown, and not in it: {', '.join(_spaced(each) for each in cost['missing'])}"
        )
    capital, years = cost["capital_musd"], cost["time_to_power_years"]
    if capital["mid"] is not None:
        notes += lines(
            f"{capital['mid']:,.0f} M$ ({capital['low']:,.0f} to {capital['high']:,.0f}) for power, fiber and "
            "ground, without building and servers"
        )
    if years["mid"] is not None:
        notes += lines(
            f"{years['mid']:.1f} years ({years['low']:.1f} to {years['high']:.1f}) to power, mostly by convention"
        )
    hour = cost["usd_per_gpu_h"]
    if hour["mid"] is not None:
        notes += lines(
            f"{hour['mid']:.2f} $ ({hour['low']:.2f} to {hour['high']:.2f}) an hour of a working GPU, with building "
            "and servers, which are the same everywhere"
        )
    return Shown(title, rows, columns=columns, notes=notes)


def _rounded(value: float | None, decimals: int) -> float | None:
    """Round for print; never to a zero below zero."""
    return None if value is None else round(value, decimals) + 0.0


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def _confidence_notes(workload: dict[str, Any]) -> list[str]:
    notes = []
    for row in workload["confidence"]:
        if row["p_top100"] is None:
            continue
        swing = (
            f"; its place changes most by the {SWINGS.get(row['swing_by'], row['swing_by'])} "
            f"{row['swing_label']}"
            if row["swing_label"]
            else ""
        )
        ranks = ranks_text(row["rank_p05"], row["rank_p95"])
        notes += lines(
            f"of the draws by {row['basis']}: {row['p_top10']:.0%} in the first 10, {row['p_top100']:.0%} in the "
            f"first 100, {row['p_ranked']:.0%} pass all gates; rank {ranks}{swing}"
        )
    return notes


def _gate_section(workload: dict[str, Any], numbers: dict[str, int]) -> Shown:
    rows = [
        row
        | {
            "said": value_words(row["metric"], row["value"], row["unit"]),
            "bound": _bound(row),
            "from": _from(row, numbers),
        }
        for row in workload["gates"]
    ]
    notes = [
        line
        for row in workload["removed"]
        for line in lines(
            f"left out in this study: {row['metric']} ({row['kind']}), {row['removed_why']}"
        )
    ]
    return Shown("", rows, columns=GATE_COLUMNS | {"from": "from"}, notes=notes)


def _from(row: dict[str, Any], numbers: dict[str, int]) -> str:
    return " ".join(str(number) for number in sorted(numbers[each] for each in row["source_ids"]))


def _bound(gate: dict[str, Any]) -> str:
    if gate["metric"].startswith("is_"):
        return "yes" if gate["at_least"] else "no"
    if gate["at_least"] is not None:
        return f"at least {figure(gate['at_least'], gate['unit'])}"
    return f"at most {figure(gate['at_most'], gate['unit'])}"


def _change_section(workload: dict[str, Any]) -> Shown:
    told = workload["changes"]
    if told["is_in_top"]:
        return _losing(told)
    top = f"the first {told['top']:,}"
    title = f"What would put it into {top}"
    if told["threshold"] is not None:
        title += f": a score above {told['threshold']:.2f}"
    notes = []
    if told["gates"]:
        asked = " and ".join(_asked(row) for row in told["gates"])
        notes += lines(f"Its gates need{' all of' if len(told['gates']) > 1 else ''}: {asked}.")
        rank = told["rank_with_gates"]
        then = f", rank {rank:,}" if rank else ""
        notes += lines(f"It would then score {told['score_with_gates']:.1f}{then}.")
    if told["points_lacking"] <= 0:
        notes.append(f"That alone puts it into {top}.")
        return Shown(title, notes=notes)
    still = " still" if told["gates"] else ""
    lacking = (
        f"{told['points_lacking']:.2f}"
        if told["points_lacking"] >= LEAST_SAID
        else "Less than 0.01"
    )
    notes += lines(f"{lacking} points are{still} lacking. {_ways(told)}")
    if told["not_alone"] and told["alone"]:
        notes += lines(f"Not by this alone: {_most(told['not_alone'])}.")
    return Shown(title, _said(told["alone"]), columns=_change_columns(told["alone"]), notes=notes)


def _said(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row | {"cost_said": _rounded(row.get("cost_by"), 1)} for row in rows]


def _change_columns(rows: list[dict[str, Any]]) -> dict[str, str]:
    """Columns of changes; what they do to the cost where any does."""
    is_priced = any(row.get("cost_by") is not None for row in rows)
    priced = {"cost_said": "$ more"} if is_priced else {}
    return (
        {name: CHANGE_COLUMNS[name] for name in CHANGE_COLUMNS if name != "who"}
        | priced
        | {"who": CHANGE_COLUMNS["who"]}
    )


def _asked(row: dict[str, Any]) -> str:
    """Say what a gate needs; of yes and no, and of what is unknown, the words are enough."""
    if row["from"] is None or row["metric"].startswith("is_"):
        return row["words"]
    return f"{row['words']} ({row['from_words']} to {row['to_words']})"


def _ways(told: dict[str, Any]) -> str:
    """Say by how many changes what is lacking can be had."""
    if told["alone"]:
        return "Any one of the changes above brings them."
    if told["pair"]:
        first, second = (
            f"{row['words']} ({row['from_words']} to {row['to_words']}; {row['who']})"
            for row in told["pair"]
        )
        return f"No single change brings them; the smallest two: {first}, and {second}."
    if told["least_count"]:
        return f"It takes {told['least_count']} changes or more. The best of each: {_most(told['not_alone'])}."
    return "All factors at their best do not bring them."


def _most(rows: list[dict[str, Any]]) -> str:
    able = [
        f"{row['label']} at {value_words(row['metric'], row['at'], row['unit'])} (+{row['points_most']:.1f})"
        for row in rows
        if row["points_most"] > 0
    ]
    none = sum(row["points_most"] <= 0 for row in rows)
    best = "1 is at its best already" if none == 1 else f"{none} are at their best already"
    rest = [best] if none else []
    return ", ".join(able + rest)


def _losing(told: dict[str, Any]) -> Shown:
    top = f"the first {told['top']:,}"
    spare = (
        f"It is in {top}, with {told['points_to_lose']:.2f} points to spare."
        if told["points_to_lose"] is not None
        else f"It is in {top}, and no other parcel could take its place."
    )
    title = f"What would put it out of {top}"
    columns = _change_columns(told["losing"])
    columns["words"] = "change of one thing, this much or more"
    del columns["who"]
    return Shown(title, _said(told["losing"]), columns=columns, notes=[spare])


def _cost_beside(row: dict[str, Any], cost: dict[str, Any]) -> str:
    """Say what another parcel costs, and how much more than this one."""
    if not cost or row["cost_mid"] is None:
        return ""
    more = "" if cost["mid"] is None else f" ({row['cost_mid'] - cost['mid']:+.1f})"
    return f"; {row['cost_mid']:,.1f} {SHORT_UNITS[cost['objective']]}{more}"


def _alternative_section(workload: dict[str, Any]) -> Shown:
    title = "Nearest that is clearly better"
    notes = []
    for row in workload["alternatives"]:
        more = row["most_by"]
        by = (
            f", most by {more['label']}: {value_words(more['metric'], more['value'], more['unit'])} "
            f"({more['points_more']:+.1f})"
            if more["points_more"] > 0
            else ""
        )
        place = f" ({row['parcel_name']})" if row["parcel_name"] else ""
        notes += lines(
            f"{row['miles']:,.1f} mi {row['direction']}: {row['parcel_id']}{place}, rank {row['rank']:,}, "
            f"score {row['score']:.1f} ({row['points_more']:+.1f}){by}{_cost_beside(row, workload['cost'])}"
        )
    return Shown(title, notes=notes or ["None in this build."])
