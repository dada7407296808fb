"""The report of a run: one page of Markdown from plain data."""

from collections.abc import Sequence

from geo.export._markdown import bullets, escape, table
from geo.export._text import UNKNOWN, is_known, joined, number_text, score_pattern
from geo.export.model import SYNTHETIC_SENTENCE
from geo.export.report_data import (
    CheckReport,
    MovedReport,
    PowerReport,
    RankedRow,
    ReportData,
    SourceReport,
    WorkloadReport,
    ranks_text,
)

TOP_REGIONS, TOP_PARCELS = 20, 10
# Of the first offending rows, those that a report names.
_CHECK_EXAMPLES = 2
_DRAWN = "5 to 95 %"
_GENERAL_LIMITS = (
    "A score screens public data: it does not say that a site can be bought, permitted or connected.",
    "The first score of an interval counts every unknown factor as worst, the second as best; ranks use the first.",
    "Beside a rank stand those that 5 and 95 % of the draws of uncertain inputs and weights do not exceed.",
    "A cost is stated at the size of the profile; its low and high have all terms at their ends at once.",
)
_LOAD_FLOW = (
    "How much more load each substation can serve by itself, from a load flow (direct current, increments on the "
    "base flows) with all in service and after any single outage. Voltage, stability, short circuits, the queue "
    "and what several new loads take from each other are not in these figures."
)
_IMPORT_ESTIMATE = (
    "How much more load each substation can serve by itself, estimated from what its circuits can bring in after "
    "the loss of one, less the load that stands there. It is no load flow: what lines carry for others is not seen."
)


def markdown_report(report: ReportData) -> str:
    """Write the report as GitHub-flavoured Markdown, every text escaped.

    Parameters
    ----------
    report
        What to say.

    Returns
    -------
    str
        Ends in a line break; the same data give the same text.
    """
    blocks = [
        f"# Gridstead: {escape(report.study_title)}",
        _summary(report),
        *(_moved(report.moved) if report.moved else ()),
        *(block for workload in report.workloads for block in _rankings(workload)),
        "## Power" if report.power else "",
        *(_power(report.power) if report.power else ()),
        "## Sources",
        _sources(report.sources),
        "## Excluded ground" if report.exclusions else "",
        bullets(report.exclusions) if report.exclusions else "",
        "## Slope" if report.slope else "",
        _slope(report.slope) if report.slope else "",
        "## What the study lacks",
        _gaps(report),
        "## Rejected rows",
        _rejects(report),
        "## Checks",
        _checks(report.checks),
        "## Honest limits",
        _limits(report),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _summary(report: ReportData) -> str:
    tool = f" with Gridstead {escape(report.tool_version)}" if report.tool_version else ""
    took = f" in {_duration(report.elapsed_s)}" if is_known(report.elapsed_s) else ""
    parcels = _counted(report.parcel_count, f"{escape(report.parcel_kind)} parcel")
    run = f"run {escape(report.run_id)}, {report.run_date:%Y-%m-%d}"
    lines = [f"Study **{escape(report.study)}**, {run}{tool}: {parcels} measured{took}."]
    if report.is_synthetic:
        lines.append(f"**{escape(SYNTHETIC_SENTENCE)}**")
    stale = [source.title for source in report.sources if source.is_stale]
    if stale:
        lines.append(f"Last good copies stand in for: {escape(joined(stale))}.")
    failed = [
        check.name for check in report.checks if check.offending_count and check.severity != "info"
    ]
    if failed:
        lines.append(f"Checks with findings: {escape(joined(failed))}.")
    return "\n\n".join(lines)


def _moved(moved: MovedReport) -> list[str]:
    changed = (
        f"Sources that changed: {'; '.join(escape(source) for source in moved.sources)}."
        if moved.sources
        else "No source changed: a profile, the study or the code did."
    )
    counts = (f"{escape(name)} {count:,}" for name, count in moved.counts.items())
    patterns = score_pattern(
        score for row in moved.rows for score in (row.score_before, row.score_after)
    )
    rows = [
        (
            row.workload,
            row.name,
            *(_count(rank) for rank in (row.rank_before, row.rank_after)),
            *(number_text(score, patterns) for score in (row.score_before, row.score_after)),
        )
        for row in moved.rows
    ]
    headings = ("Workload", "Region", "Rank was", "Rank is", "Score was", "Score is")
    return [
        f"## What moved since run {escape(moved.since_run_id)}, {moved.since_date:%Y-%m-%d}",
        f"{changed} Regions with another rank: {', '.join(counts)}.",
        table(headings, rows, right=headings[2:]),
        "Which input moved each: `gridstead diff`.",
    ]


def _rankings(workload: WorkloadReport) -> list[str]:
    kinds = {"county": "counties"}.get(workload.region_kind, f"{workload.region_kind}s")
    regions, parcels = workload.regions[:TOP_REGIONS], workload.parcels[:TOP_PARCELS]
    unit = workload.cost_unit
    return [
        f"## {escape(workload.title)}",
        f"### First {len(regions)} {escape(kinds)}" if regions else "",
        _ranking(regions, ("Region",), unit)
        if regions
        else f"No {escape(workload.region_kind)} is ranked.",
        f"### First {len(parcels)} parcels" if parcels else "",
        _ranking(parcels, ("Parcel", "Place"), unit) if parcels else "No parcel is ranked.",
    ]


def _ranking(rows: Sequence[RankedRow], names: tuple[str, ...], cost_unit: str) -> str:
    pattern = score_pattern(score for row in rows for score in (row.score_low, row.score_high))
    # Columns that no row fills, as of a build without draws or costs, are left out.
    is_drawn = any(row.rank_p05 is not None for row in rows)
    is_priced = any(is_known(row.cost_mid) for row in rows)
    heads = ("Rank", *((_DRAWN,) if is_drawn else ()), *names, "Score")
    return table(
        (*heads, *((cost_unit,) if is_priced else ()), "Why"),
        [
            (
                f"{row.rank:,}",
                *((ranks_text(row.rank_p05, row.rank_p95),) if is_drawn else ()),
                *(row.name, row.place)[: len(names)],
                _interval(row, pattern),
                *((_cost(row),) if is_priced else ()),
                row.reason,
            )
            for row in rows
        ],
        right=("Rank", _DRAWN, "Score", cost_unit),
    )


def _cost(row: RankedRow) -> str:
    if not is_known(row.cost_mid):
        return UNKNOWN
    return f"{row.cost_mid:,.0f} ({row.cost_low:,.0f} to {row.cost_high:,.0f})"


def _power(power: PowerReport) -> list[str]:
    method = _LOAD_FLOW if power.is_load_flow else _IMPORT_ESTIMATE
    known = f"{power.known_count:,} of {_counted(power.substation_count, 'substation')}"
    zeros = f"{power.zero_count:,} of them can serve nothing more in the middle case"
    counted = [f"The headroom of {known} is known; {zeros}."]
    if power.inferred_count:
        counted.append(f"No source lists {power.inferred_count:,}: they were inferred.")
    if power.user_count:
        counted.append(f"Utilities' own figures stand for {power.user_count:,}.")
    if power.is_load_flow:
        counted.append(
            f"{_counted(power.waived_elements, 'element')}, and {_counted(power.waived_pairs, 'pair')} of element "
            "and outage, are over their limit before any new load and do not bind (`meta.power_waived`)."
        )
    rows = [
        (
            f"{each.kv:g}",
            f"{each.substation_count:,}",
            *(_mw(mw) for mw in (each.intact_mw, each.low_mw, each.mid_mw, each.high_mw)),
            UNKNOWN if each.zero_share is None else _share(each.zero_share),
        )
        for each in power.by_voltage
    ]
    headings = ("kV", "Substations", "No outage", "Low", "Mid", "High", "Zeros")
    blocks = [f"{method} {' '.join(counted)}"]
    if rows:
        blocks += ["Median MW by connecting voltage:", table(headings, rows, right=headings)]
    if power.sensitivity:
        told = "; ".join(
            f"{escape(name)} {mw:,.0f} MW ({_share(zeros)} zeros"
            + (f", rank correlation {rank:.2f})" if is_known(rank) else ")")
            for name, (mw, zeros, rank) in power.sensitivity.items()
        )
        blocks.append(f"Median by assumption, each varied alone: {told}.")
    return blocks


def _sources(sources: Sequence[SourceReport]) -> str:
    if not sources:
        return "No source is listed."
    rows = [
        (
            source.title + (" (synthetic)" if source.is_synthetic else ""),
            source.as_of,
            source.licence,
            "stale" if source.is_stale else "current",
            _count(source.rows_read),
            _count(source.rows_loaded),
            _count(source.rows_rejected),
        )
        for source in sources
    ]
    headings = ("Source", "As of", "Licence", "State", "Read", "Loaded", "Rejected")
    listed = table(headings, rows, right=("Read", "Loaded", "Rejected"))
    attributions = dict.fromkeys(source.attribution for source in sources if source.attribution)
    return f"{listed}\n\n{bullets(attributions)}".rstrip()


def _slope(title: str) -> str:
    return (
        f"The slope of each parcel is that of the cells of {escape(title)}, weighted by how much of each "
        "the parcel covers; it is unknown where under half of the parcel lies on known cells."
    )


def _gaps(report: ReportData) -> str:
    lines = [
        f"{workload.name}: removed from the profile because the study never has it: "
        f"{joined(workload.removed_factors, ', ')}."
        for workload in report.workloads
        if workload.removed_factors
    ]
    shares = {name: share for name, share in report.metric_known_share.items() if is_known(share)}
    never = sorted(name for name, share in shares.items() if share == 0)
    partly = sorted((share, name) for name, share in shares.items() if 0 < share < 1)
    if never:
        lines.append(f"Unknown for every parcel: {', '.join(never)}.")
    if partly:
        told = ", ".join(f"{name} {_share(share)}" for share, name in partly)
        lines.append(f"Known for a share of the parcels: {told}.")
    if is_known(report.known_share):
        lines.append(f"A parcel has {_share(report.known_share)} of its metrics on average.")
    if report.excluded:
        lines.append(f"Left out of exports because of their terms: {joined(report.excluded)}.")
    return bullets(lines) if lines else "Nothing that its profiles ask for."


def _rejects(report: ReportData) -> str:
    if not report.rejects:
        return "No row was rejected."
    order = sorted(report.rejects, key=lambda each: (each.source, -each.row_count, each.reason))
    total = sum(each.row_count for each in order)
    rows = [(each.source, each.reason, f"{each.row_count:,}") for each in order]
    return table(("Source", "Reason", "Rows"), [*rows, ("all", "", f"{total:,}")], right=("Rows",))


def _checks(checks: Sequence[CheckReport]) -> str:
    if not checks:
        return "No check was run."
    passed = [check for check in checks if not check.offending_count]
    found = [check for check in checks if check.offending_count]
    summary = f"{len(passed)} of {_counted(len(checks), 'check')} found nothing."
    if not found:
        return summary
    rows = [
        (
            each.name,
            each.severity,
            f"{each.offending_count:,}",
            each.description,
            "; ".join(each.examples[:_CHECK_EXAMPLES]) or UNKNOWN,
        )
        for each in found
    ]
    heads = ("Check", "Severity", "Rows", "What it looks for", "Found, for example")
    return f"{summary}\n\n{table(heads, rows, right=('Rows',))}"


def _limits(report: ReportData) -> str:
    own = [SYNTHETIC_SENTENCE] if report.is_synthetic else []
    return bullets([*own, *report.limits, *_GENERAL_LIMITS])


def _interval(row: RankedRow, pattern: str) -> str:
    low, high = number_text(row.score_low, pattern), number_text(row.score_high, pattern)
    return (
        low
        if low == high
        else f"{low}{UNKNOWN}{high}"
        if UNKNOWN not in {low, high}
        else f"{low} to {high}"
    )


def _share(share: float) -> str:
    """Give a percentage that says 0 or 100 only where that is exact."""
    percent = 100 * share
    if 0 < percent < 1:
        return "under 1 %"
    if 99 < percent < 100:
        return "over 99 %"
    return f"{percent:.0f} %"


def _mw(value: float | None) -> str:
    return f"{value:,.0f}" if is_known(value) else UNKNOWN


def _count(value: int | None) -> str:
    return UNKNOWN if value is None else f"{value:,}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.0f} s"
