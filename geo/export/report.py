"""The report of a run: what it says, from plain data, in parts that become Markdown or HTML."""

import math
from collections.abc import Iterator, Sequence

from geo.export._markdown import document
from geo.export._text import UNKNOWN, is_known, joined, number_text, score_pattern
from geo.export.model import SYNTHETIC_SENTENCE
from geo.export.report_data import (
    MovedReport,
    RankedRow,
    ReportData,
    WorkloadReport,
    ranks_text,
)
from geo.export.report_parts import (
    Bullets,
    Cell,
    Code,
    Figures,
    Heading,
    Interval,
    Paragraph,
    Part,
    Strong,
    Table,
    words,
)
from geo.export.report_sections import (
    checks,
    counted,
    coverage,
    freshness,
    gaps,
    power,
    rejects,
    terms,
)

TOP_REGIONS, TOP_PARCELS = 20, 10
_DRAWN = "5 to 95 %"
_GENERAL_LIMITS = (
    "A score screens public data: it does not say that a site can be bought, permitted or connected.",
    "The first score of an interval counts every unknown factor as worst, the second as best; ranks use the first.",
    "Beside a rank stand those that 5 and 95 % of the draws of uncertain inputs and weights do not exceed.",
    "A cost is stated at the size of the profile; its low and high have all terms at their ends at once.",
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
    return document(report_parts(report))


def report_parts(report: ReportData) -> list[Part]:
    """Give what the report says, in its order."""
    return list(_parts(report))


def _parts(report: ReportData) -> Iterator[Part]:
    yield Heading(1, f"Gridstead: {report.study_title}")
    yield from _summary(report)
    if report.figures:
        yield Figures(report.figures)
    yield from _moved(report)
    for workload in report.workloads:
        yield from _rankings(workload)
    if report.power:
        yield from power(report.power)
    yield from freshness(report.sources)
    yield from coverage(report)
    if report.exclusions:
        yield Heading(2, "Excluded ground")
        yield Bullets(report.exclusions)
    if report.slope:
        yield Heading(2, "Slope")
        yield words(
            f"The slope of each parcel is that of the cells of {report.slope}, weighted by how much of each "
            "the parcel covers; it is unknown where under half of the parcel lies on known cells."
        )
    yield from gaps(report)
    yield from rejects(report.rejects)
    yield from checks(report.checks)
    yield Heading(2, "Honest limits")
    own = [SYNTHETIC_SENTENCE] if report.is_synthetic else []
    yield Bullets([*own, *report.limits, *_GENERAL_LIMITS])
    yield from terms(report)


def _summary(report: ReportData) -> Iterator[Part]:
    tool = f" with Gridstead {report.tool_version}" if report.tool_version else ""
    # What was unchanged is not measured again, so the time is that of the run and not of the measuring.
    took = f" The run took {_duration(report.elapsed_s)}." if is_known(report.elapsed_s) else ""
    parcels = counted(report.parcel_count, f"{report.parcel_kind.replace('_', ' ')} parcel")
    run = f"run {report.run_id}, {report.run_date:%Y-%m-%d}"
    yield words("Study ", Strong(report.study), f", {run}{tool}: {parcels} measured.{took}")
    if report.is_synthetic:
        yield Paragraph((Strong(SYNTHETIC_SENTENCE),), is_warning=True)
    stale = [source.title for source in report.sources if source.is_stale]
    if stale:
        yield words(f"Last good copies stand in for: {joined(stale)}.")
    failed = [
        check.name for check in report.checks if check.offending_count and check.severity != "info"
    ]
    if failed:
        yield words(f"Checks with findings: {joined(failed)}.")


def _moved(report: ReportData) -> Iterator[Part]:
    if report.moved:
        yield from _movers(report.moved)
    elif report.standing:
        yield Heading(2, "What moved")
        yield words(report.standing)


def _movers(moved: MovedReport) -> Iterator[Part]:
    changed = (
        f"Sources that changed: {'; '.join(moved.sources)}."
        if moved.sources
        else "No source changed: a profile, the study or the code did."
    )
    counts = (f"{name} {count:,}" for name, count in moved.counts.items())
    patterns = score_pattern(
        score for row in moved.rows for score in (row.score_before, row.score_after)
    )
    rows = [
        (
            row.workload,
            row.name,
            *(
                UNKNOWN if rank is None else f"{rank:,}"
                for rank in (row.rank_before, row.rank_after)
            ),
            *(number_text(score, patterns) for score in (row.score_before, row.score_after)),
        )
        for row in moved.rows
    ]
    headings = ("Workload", "Region", "Rank was", "Rank is", "Score was", "Score is")
    yield Heading(2, f"What moved since run {moved.since_run_id}, {moved.since_date:%Y-%m-%d}")
    yield words(f"{changed} Regions with another rank: {', '.join(counts)}.")
    yield Table(
        caption="The regions that moved most, of the first hundred where there are such",
        headings=headings,
        rows=rows,
        right=headings[2:],
        name_column=1,
    )
    yield words("Which input moved each: ", Code("gridstead diff"), ".")


def _rankings(workload: WorkloadReport) -> Iterator[Part]:
    kinds = {"county": "counties"}.get(workload.region_kind, f"{workload.region_kind}s")
    regions, parcels = workload.regions[:TOP_REGIONS], workload.parcels[:TOP_PARCELS]
    yield Heading(2, workload.title)
    if told := _told(workload, kinds):
        yield words(told)
    if workload.picture:
        yield workload.picture
    if regions:
        yield Heading(3, f"First {len(regions)} {kinds}")
        yield _ranking(regions, ("Region",), workload, kinds, workload.region_count)
    else:
        yield words(f"No {workload.region_kind} is ranked.")
    if parcels:
        yield Heading(3, f"First {len(parcels)} parcels")
        ranked = (workload.pass_count or 0) + (workload.unknown_count or 0)
        yield _ranking(parcels, ("Parcel", "Place"), workload, "parcels", ranked or None)
    else:
        yield words("No parcel is ranked.")


def _told(workload: WorkloadReport, kinds: str) -> str:
    """Say what a workload asks, and what of the land answers it."""
    told = [workload.summary] if workload.summary else []
    if workload.pass_count is not None:
        unknown = (
            f"{workload.unknown_count:,} fail none but have one that is unknown, "
            if workload.unknown_count
            else ""
        )
        told.append(
            f"Of the parcels {workload.pass_count:,} pass every gate, {unknown}and {workload.fail_count:,} fail one."
        )
    if workload.region_count is not None and is_known(workload.target_mw):
        told.append(
            f"{workload.region_count:,} {kinds} are ranked; in {workload.full_count:,} of them there is room for all "
            f"{workload.target_mw:,.0f} MW."
        )
    return " ".join(told)


def _ranking(
    rows: Sequence[RankedRow],
    names: tuple[str, ...],
    workload: WorkloadReport,
    what: str,
    ranked: int | None,
) -> Table:
    pattern = score_pattern(score for row in rows for score in (row.score_low, row.score_high))
    unit = workload.cost_unit
    # Columns that no row fills, as of a build without draws or costs, are left out.
    is_drawn = any(row.rank_p05 is not None for row in rows)
    is_priced = any(is_known(row.cost_mid) for row in rows)
    heads = ("Rank", *((_DRAWN,) if is_drawn else ()), *names, "Score")
    return Table(
        caption=f"{workload.title}: {what} by rank"
        + (", with the ranks that 5 and 95 % of the draws do not exceed" if is_drawn else ""),
        key=f"The line beside a rank runs from 1 to {ranked:,} by powers of ten."
        if is_drawn and ranked
        else "",
        headings=(*heads, *((unit,) if is_priced else ()), "Why"),
        rows=[
            (
                f"{row.rank:,}",
                *((_drawn(row, ranked),) if is_drawn else ()),
                *(row.name, row.place)[: len(names)],
                _scores(row, pattern),
                *((_cost(row),) if is_priced else ()),
                row.reason,
            )
            for row in rows
        ],
        right=("Rank", "Score", unit),
        name_column=2 if is_drawn else 1,
    )


def _drawn(row: RankedRow, ranked: int | None) -> str | Cell:
    text = ranks_text(row.rank_p05, row.rank_p95)
    if ranked is None or ranked < 2 or row.rank_p05 is None:
        return text
    low, high = (
        min(1.0, math.log(rank) / math.log(ranked))
        for rank in (row.rank_p05, ranked if row.rank_p95 is None else row.rank_p95)
    )
    return Cell(text, Interval(low, high))


def _cost(row: RankedRow) -> str:
    if not is_known(row.cost_mid):
        return UNKNOWN
    return f"{row.cost_mid:,.0f} ({row.cost_low:,.0f} to {row.cost_high:,.0f})"


def _scores(row: RankedRow, pattern: str) -> str:
    low, high = number_text(row.score_low, pattern), number_text(row.score_high, pattern)
    return (
        low
        if low == high
        else f"{low}{UNKNOWN}{high}"
        if UNKNOWN not in {low, high}
        else f"{low} to {high}"
    )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.0f} s"
