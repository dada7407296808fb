"""Sections of the report of a run: power, data and their terms, what is lacking, checks."""

from collections.abc import Iterator, Sequence

from geo.export._text import UNKNOWN, is_known, joined
from geo.export.report_data import (
    CheckReport,
    PowerReport,
    RejectReport,
    ReportData,
    SourceReport,
)
from geo.export.report_parts import (
    Bullets,
    Cell,
    Code,
    Heading,
    Interval,
    Part,
    Strong,
    Table,
    words,
)

# Of the first offending rows, those that a report names.
_CHECK_EXAMPLES = 2
_LOAD_FLOW = (
    "How much more load each substation can serve by itself, from a load flow (direct current, increments on the "
    "base flows) with all in service and after any single outage. Voltage, stability, short circuits, the queue "
    "and what several new loads take from each other are not in these figures."
)
_IMPORT_ESTIMATE = (
    "How much more load each substation can serve by itself, estimated from what its circuits can bring in after "
    "the loss of one, less the load that stands there. It is no load flow: what lines carry for others is not seen."
)


def power(told: PowerReport) -> Iterator[Part]:
    """Say what substations can serve."""
    yield Heading(2, "Power")
    yield words(_LOAD_FLOW if told.is_load_flow else _IMPORT_ESTIMATE)
    known = f"{told.known_count:,} of {counted(told.substation_count, 'substation')}"
    zeros = f"{told.zero_count:,} of them can serve nothing more in the middle case"
    lines = [f"The headroom of {known} is known; {zeros}."]
    if told.inferred_count:
        lines.append(f"No source lists {told.inferred_count:,}: they were inferred.")
    if told.user_count:
        lines.append(f"Utilities' own figures stand for {told.user_count:,}.")
    if told.is_load_flow:
        waived = (
            f" {counted(told.waived_elements, 'element')}, and {counted(told.waived_pairs, 'pair')} of element "
            "and outage, are over their limit before any new load and do not bind ("
        )
        yield words(" ".join(lines) + waived, Code("meta.power_waived"), ").")
    else:
        yield words(" ".join(lines))
    if told.by_voltage:
        yield _by_voltage(told)
    if told.sensitivity:
        cases = "; ".join(
            f"{name} {mw:,.0f} MW ({share_text(zeros)} zeros"
            + (f", rank correlation {rank:.2f})" if is_known(rank) else ")")
            for name, (mw, zeros, rank) in told.sensitivity.items()
        )
        yield words(f"Median by assumption, each varied alone: {cases}.")


def _by_voltage(told: PowerReport) -> Table:
    headings = ("kV", "Substations", "No outage", "Low", "Mid", "High", "Zeros")
    return Table(
        caption="Median megawatts by connecting voltage",
        headings=headings,
        rows=[
            (
                f"{each.kv:g}",
                f"{each.substation_count:,}",
                *(_mw(mw) for mw in (each.intact_mw, each.low_mw, each.mid_mw, each.high_mw)),
                UNKNOWN if each.zero_share is None else share_text(each.zero_share),
            )
            for each in told.by_voltage
        ],
        right=headings,
    )


def freshness(sources: Sequence[SourceReport]) -> Iterator[Part]:
    """Say how old each source is, in which state it came, and what became of its rows."""
    yield Heading(2, "Sources")
    if not sources:
        yield words("No source is listed.")
        return
    rows = [
        (
            source.title + (" (synthetic)" if source.is_synthetic else ""),
            source.as_of,
            source.age or "unknown",
            UNKNOWN if source.fetched is None else f"{source.fetched:%Y-%m-%d}",
            _state(source),
            _count(source.rows_read),
            _count(source.rows_loaded),
            _count(source.rows_rejected),
        )
        for source in sources
    ]
    counts = ("Read", "Loaded", "Rejected")
    yield Table(
        caption="How fresh the sources are: their age is that of what they describe, on the day of the run",
        headings=("Source", "As of", "Age", "Fetched", "State", *counts),
        rows=rows,
        right=counts,
    )


def _state(source: SourceReport) -> str:
    state = "stale" if source.is_stale else "current"
    if source.unverified_since is None:
        return state
    return f"{state}, unverified since {source.unverified_since:%Y-%m-%d}"


def coverage(report: ReportData) -> Iterator[Part]:
    """Say for what share of the parcels each metric is known that a profile asks for."""
    if not report.used_metrics:
        return
    yield Heading(2, "What is known")
    if is_known(report.known_share):
        yield words(f"A parcel has {share_text(report.known_share)} of its metrics on average.")
    count = len(report.workloads)
    yield Table(
        caption="Metrics that profiles weigh or gate on, and the share of the parcels that each is known for",
        headings=("Metric", "Known", "Profiles"),
        rows=[
            (
                f"{metric.label} ({metric.name})",
                Cell(share_text(metric.known_share), Interval(0.0, metric.known_share)),
                f"{metric.profile_count} of {count}",
            )
            for metric in report.used_metrics
        ],
        right=("Profiles",),
    )


def gaps(report: ReportData) -> Iterator[Part]:
    """Say what the study lacks of what its profiles ask for."""
    lines = [
        f"{workload.name}: removed from the profile because the study never has it: "
        f"{joined(workload.removed_factors, ', ')}."
        for workload in report.workloads
        if workload.removed_factors
    ]
    told = {metric.name for metric in report.used_metrics}
    shares = {name: share for name, share in report.metric_known_share.items() if is_known(share)}
    never = sorted(name for name, share in shares.items() if share == 0)
    partly = sorted(
        (share, name) for name, share in shares.items() if 0 < share < 1 and name not in told
    )
    if never:
        lines.append(f"Unknown for every parcel: {', '.join(never)}.")
    if partly:
        beside = "Of the other metrics, known" if told else "Known"
        listed = ", ".join(f"{name} {share_text(share)}" for share, name in partly)
        lines.append(f"{beside} for a share of the parcels: {listed}.")
    if is_known(report.known_share) and not told:
        lines.append(f"A parcel has {share_text(report.known_share)} of its metrics on average.")
    yield Heading(2, "What the study lacks")
    yield Bullets(lines) if lines else words("Nothing that its profiles ask for.")


def rejects(rejected: Sequence[RejectReport]) -> Iterator[Part]:
    """Say which rows were set aside, and why."""
    yield Heading(2, "Rejected rows")
    if not rejected:
        yield words("No row was rejected.")
        return
    order = sorted(rejected, key=lambda each: (each.source, -each.row_count, each.reason))
    total = sum(each.row_count for each in order)
    rows = [(each.source, each.reason, f"{each.row_count:,}") for each in order]
    yield Table(
        caption="Rows that were read and not loaded",
        headings=("Source", "Reason", "Rows"),
        rows=[*rows, ("all", "", f"{total:,}")],
        right=("Rows",),
    )


def checks(results: Sequence[CheckReport]) -> Iterator[Part]:
    """Say which checks passed, and what the others found."""
    yield Heading(2, "Checks")
    if not results:
        yield words("No check was run.")
        return
    found = [check for check in results if check.offending_count]
    passed = [check for check in results if not check.offending_count]
    yield words(f"{len(passed)} of {counted(len(results), 'check')} found nothing.")
    if found:
        yield Table(
            caption="Checks with findings",
            headings=("Check", "Severity", "Rows", "What it looks for", "Found, for example"),
            rows=[
                (
                    each.name,
                    each.severity,
                    f"{each.offending_count:,}",
                    each.description,
                    "; ".join(each.examples[:_CHECK_EXAMPLES]) or UNKNOWN,
                )
                for each in found
            ],
            right=("Rows",),
        )
    if passed:
        yield Table(
            caption="Checks that found nothing",
            headings=("Check", "Severity", "What it looks for"),
            rows=[(each.name, each.severity, each.description) for each in passed],
            folded=f"What the {counted(len(passed), 'check')} that found nothing looked for",
        )


def terms(report: ReportData) -> Iterator[Part]:
    """Say whose data these are, on which terms, and whose are withheld from exports."""
    yield Heading(2, "Terms and attribution")
    if report.sources:
        yield Table(
            caption="Terms of each source, and the words that it asks for",
            headings=("Source", "Terms", "Attribution"),
            rows=[(each.title, each.licence, each.attribution) for each in report.sources],
        )
    if report.withheld:
        yield words(
            Strong("Withheld from exports, because of their terms:"),
            " what was measured from them stays in rankings, the data themselves are passed on to nobody.",
        )
        yield Bullets([f"{title}: {why}" for title, why in report.withheld.items()])
    else:
        yield words("No source is withheld from exports.")


def counted(number: int, noun: str) -> str:
    """Give a number with its noun."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def share_text(share: float) -> str:
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
