"""The section of RESULTS.md on power, from the figures of `power.py`."""

import math
from typing import Any

HEADING = "## Power"
NAMES = {"all": "in all"}
ENDS = ("low", "mid", "high")
# In names of cases at lower levels of load, which flexible load takes.
LEVEL = " at "


def section(found: dict[str, Any]) -> str:
    """Markdown of the figures."""
    parts = [_intro(found), _runs(found), _plain(found), _capacities(found), _cases(found)]
    parts += [_estimate(found["estimate"])]
    return "\n".join([f"{HEADING}\n", *parts])


def _intro(found: dict[str, Any]) -> str:
    return f"""Load flow of the Texas A&M synthetic grid, {found["machine"]}, 2 cores; each column in a process of its own with no
kernel compiled. `python benchmarks/power.py`
"""


def _runs(found: dict[str, Any]) -> str:
    runs = found["runs"]
    rows: list[tuple[str, str, float]] = [
        ("substations", "substations", 0),
        ("buses", "buses", 0),
        ("branches in service", "branches", 0),
        ("pairs of element and outage kept", "pairs", 0),
        ("network read and made, s", "read_s", 1),
        ("factored, outages screened, s", "prepare_s", 1),
        (
            "every bus of 60 kV or more, N-0 and N-1 (mid), and the best of each substation, s",
            "mid_s",
            1,
        ),
        ("low, mid and high of the best buses at ten levels of load, s", "published_s", 1),
        ("each parameter alone, at a sample of 5,000 buses, s", "varied_s", 1),
        ("peak GB", "peak_gb", 2),
        ("substations whose limit (mid) has an end there, %", "own_limit_pct", 0),
    ]
    lines = [f"| {name} | " + " | ".join(f"{run[key]:,.{int(digits)}f}" for run in runs.values()) + " |"
             for name, key, digits in rows]  # fmt: skip
    total = " | ".join(
        f"**{run['read_s'] + run['prepare_s'] + run['mid_s']:,.0f}**" for run in runs.values()
    )
    whole = " | ".join(
        f"**{run['read_s'] + run['prepare_s'] + run['mid_s'] + run['published_s'] + run['varied_s']:,.0f}**"
        for run in runs.values()
    )
    head = " | ".join(NAMES.get(name, name) for name in runs)
    cases = next(iter(runs.values()))["cases"]
    return "\n".join(
        [
            f"| | {head} |",
            "|---|" + "---:|" * len(runs),
            *lines,
            f"| **N-0 and N-1 of all substations, cold, s** | {total} |",
            f"| **with all {cases} cases, cold, s** | {whole} |",
            "",
        ]
    )


def _plain(found: dict[str, Any]) -> str:
    plain, screening = found["plain"], found["screening"]
    rows = [
        f"| {name} | {one['site_ms']:.1f} | {one['outage_ms']:.1f} | {one['pair_us']:,.0f} | {one['whole_s'] / 60:,.0f} "
        f"| {one['engine_s']:,.1f} | {one['whole_s'] / one['engine_s']:,.0f} | {one['largest_difference_mw']:.0e} |"
        for name, one in plain.items()
    ]
    first = next(iter(plain.values()))
    naive = [
        f"| {name} | {one['naive'][0]['pairs']:,} | {one['naive'][0]['sites']:,} "
        + "".join(f"| {each['zero_share']:.0%} " for each in one["naive"])
        + "|"
        for name, one in plain.items()
    ]
    return f"""The plain way solves once a bus with scipy's general factorisation and weighs every outage with every element,
unscreened: timed on {first["sites"]} buses and {first["outages"]} outages, scaled up to all. The engine's time is that of the
same at every bus, factoring and screening left out. N-0 of both differs by what is in the last column.

| | a bus, ms | an outage, ms | weighing an outage at a bus, µs | plain in all, minutes | engine, s | ratio | MW |
|---|---:|---:|---:|---:|---:|---:|---:|
{chr(10).join(rows)}

Screening, Texas: {screening["pairs"]:,} of {screening["all_pairs"]:,} pairs are kept; N-1 (mid) differs by more than 0.1 MW at
{screening["different"]} of {screening["sites"]:,} buses, at most by {screening["largest_mw"]:.2g} MW.

Naive rules: the limit after an outage is the rating itself and nothing is waived. Texas has {screening["over_pairs"]} pairs that are over
it before any new load, of elements that are not with all in service (a trial before had found 107). Share of buses (a sample)
that get 0 MW then, by the floor on factors; pairs are those that screening keeps:

| | pairs over | buses | floor 5 % | 2 % | 1 % |
|---|---:|---:|---:|---:|---:|
{chr(10).join(naive)}
"""


def _capacities(found: dict[str, Any]) -> str:
    every = len(found["plain"]) > 1
    told = [
        row
        for row in found["sensitivity"]
        if row["case_name"] in ENDS and (row["interconnect"] or (every and row["kv_class"] is None))
    ]
    by: dict[tuple[Any, Any], dict[str, Any]] = {}
    for row in told:
        by.setdefault((row["interconnect"], row["kv_class"]), {})[row["case_name"]] = row
    lines = [
        f"| {place or 'all'} | {_kv(kv, 'all')} | {row['mid']['substation_count']:,} "
        f"| {row['mid']['median_n0_mw']:,.0f} | {row['mid']['median_mw']:,.0f} | {row['mid']['p10_mw']:,.0f} "
        f"| {row['mid']['p90_mw']:,.0f} | {row['low']['median_mw']:,.0f} | {row['high']['median_mw']:,.0f} "
        f"| {row['mid']['zero_share']:.1%} | {row['low']['zero_share']:.1%} |"
        for (place, kv), row in by.items()
    ]
    return f"""Capacity of substations, MW, at the best bus, by its voltage:

| | kV | substations | N-0 median | N-1 median | 10 % | 90 % | low, median | high, median | zero, mid | zero, low |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
{chr(10).join(lines)}
"""


def _cases(found: dict[str, Any]) -> str:
    every = len(found["plain"]) > 1
    rows = [
        row
        for row in found["sensitivity"]
        if row["kv_class"] is None
        and (row["interconnect"] or every)
        and LEVEL not in row["case_name"]
    ]
    places = [*dict.fromkeys(row["interconnect"] for row in rows)]
    cases = [*dict.fromkeys(row["case_name"] for row in rows)]
    by = {(row["interconnect"], row["case_name"]): row for row in rows}
    lines = []
    for case in cases:
        cells = [
            f"{by[place, case]['median_mw']:,.0f} | {by[place, case]['zero_share']:.1%} | "
            f"{by[place, case]['rank_correlation'] or 0:.2f}"
            for place in places
        ]
        lines.append(f"| {case} | " + " | ".join(cells) + " |")
    head = " | ".join(f"{place or 'all'}: median MW | zero | rank" for place in places)
    return f"""What each assumption does to N-1, one at a time (all else as in mid); rank is Spearman's with mid:

| case | {head} |
|---|{"---:|" * 3 * len(places)}
{chr(10).join(lines)}
"""


def _estimate(estimate: dict[str, Any]) -> str:
    places = [*estimate["overall"]]
    ranks = [
        f"| {row['kv']:g} | " + " | ".join(_rank(*row[place]) for place in places) + " |"
        for row in estimate["ranks"]
    ]
    overall = " | ".join(f"{estimate['overall'][place]:.2f}" for place in places)
    worse = [
        f"| {row['name']} | " + " | ".join(f"{row[place]:.2f}" for place in places) + " |"
        for row in estimate["worse"]
    ]
    head = " | ".join(places)
    bars = "---:|" * len(places)
    binds = estimate["length_binds"]
    return f"""### The estimate without a network

`import_estimate` knows of the same grid what a map would tell: ends, voltage and length of lines, load of substations,
firm capacity of plants; no ratings, reactances, flows or dispatch. Spearman with the load flow's N-1 (mid), substations in
brackets:

| kV | {head} |
|---|{bars}
{chr(10).join(ranks)}
| all | {overall} |

St. Clair loadability, not heat, limits {binds["low"]:.1%} of lines under 230 kV and {binds["bulk"]:.1%} of others.
{estimate["single_fed"]:,} substations hang on one circuit; {estimate["least"]:.2%} have an estimate of 0.

A map lacks more than this one does. Mean Spearman within classes, weighed by substations, when circuits are left out of
what the estimate sees:

| circuits | {head} |
|---|{bars}
{chr(10).join(worse)}
{_held_out(estimate)}"""


def _held_out(estimate: dict[str, Any]) -> str:
    if "held_out" not in estimate:
        return ""
    lines = []
    for one in estimate["held_out"]:
        for row in one["rows"]:
            low, mid, high = row["median_interval"]
            lines.append(
                f"| {one['place']} | {_kv(row['kv'], '**all**')} | {row['count']:,} | {row['covered']:.0%} "
                f"| {row['below']:.0%} | {row['above']:.0%} | {low:,.0f} | {mid:,.0f} | {high:,.0f} | {row['median_answer']:,.0f} |"
            )
    factors = [
        f"| {'other' if math.isnan(kv) else f'{kv:g}'} | {low:.2f} | {mid:.2f} | {high:.2f} | {high / low:.0f} |"
        for kv, low, mid, high in estimate["factors"]
    ]
    return f"""
The interval is calibrated on load flows (`geo/power/calibration.py`): of each voltage class the 10, 50 and 90 % quantiles of
load flow over estimate, of several interconnections the outer ends and the geometric middle. Estimate and procedure were
settled on Texas and Western, before the estimate was compared with anything in Eastern, and not changed after. Each row: fitted on the other
two interconnections, looked at in this one; medians in MW. 80 % is the aim.

| looked at | kV | substations | covered | under low | over high | low | mid | high | load flow |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|
{chr(10).join(lines)}

`data/reference/import_calibration.csv` is the same fitted on all three; its intervals are wide. Whether they hold for the real
grid, whose topology study `conus` infers from a map, is untested. Load flow over estimate:

| kV | low | mid | high | high over low |
|---|---:|---:|---:|---:|
{chr(10).join(factors)}
"""


def _rank(rank: float, count: int) -> str:
    if count == 0:
        return ""
    return f"({count})" if math.isnan(rank) else f"{rank:.2f} ({count:,})"


def _kv(kv: float | None, every: str) -> str:
    return f"{kv:g}" if kv else every
