"""What the report of a run is made from: plain data, no frames."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from geo.export.report_parts import Picture


def ranks_text(rank_p05: float | None, rank_p95: float | None) -> str:
    """Write the ranks that 5 and 95 % of the draws do not exceed; None is one that ranks nowhere."""
    low, high = ("nowhere" if rank is None else f"{rank:,.0f}" for rank in (rank_p05, rank_p95))
    return low if low == high else f"{low} to {high}"


@dataclass(frozen=True, kw_only=True)
class RankedRow:
    """A region or a parcel in a ranking.

    Parameters
    ----------
    rank
        1 is best.
    name
        Of the region; for a parcel its id.
    score_low, score_high
        Unknown factors counted at 0 and at 1.
    reason
        Why it stands there, in words.
    place
        Where a parcel lies; empty for regions.
    rank_p05, rank_p95
        Ranks that 5 and 95 % of the draws do not exceed; None when it does not rank in more of them.
    cost_low, cost_mid, cost_high
        What it costs, in the unit of the workload's objective; None when that is unknown.
    """

    rank: int
    name: str
    score_low: float | None
    score_high: float | None
    reason: str = ""
    place: str = ""
    rank_p05: int | None = None
    rank_p95: int | None = None
    cost_low: float | None = None
    cost_mid: float | None = None
    cost_high: float | None = None


@dataclass(frozen=True, kw_only=True)
class WorkloadReport:
    """The two rankings of a workload, best first, and what its profile does without.

    Parameters
    ----------
    name
        Of the profile, such as `training`.
    title
        A heading in words.
    region_kind
        What the regions are: county, metro, state or zone.
    regions, parcels
        Best first; more than are shown may be given.
    removed_factors
        Factors that this study never has, removed from the profile by name.
    cost_unit
        Unit of the costs; empty where nothing was priced.
    summary
        What it asks, in words.
    region_count, full_count, target_mw
        Regions that are ranked, and those of them that fill the whole target of megawatts; None where nobody counted.
    pass_count, unknown_count, fail_count
        Parcels that pass every gate, that fail none but have one whose value is unknown, and that fail one.
    picture
        A map of its regions; None where it has none.
    """

    name: str
    title: str
    region_kind: str
    regions: Sequence[RankedRow] = ()
    parcels: Sequence[RankedRow] = ()
    removed_factors: Sequence[str] = ()
    cost_unit: str = ""
    summary: str = ""
    region_count: int | None = None
    full_count: int | None = None
    target_mw: float | None = None
    pass_count: int | None = None
    unknown_count: int | None = None
    fail_count: int | None = None
    picture: Picture | None = None


@dataclass(frozen=True, kw_only=True)
class SourceReport:
    """A source and its rows: read = loaded + rejected, None where it was not counted.

    `attribution` is the sentence that its publisher asks for, `age` how old the data were on the day of the run (empty
    where nobody can tell), `fetched` the day on which they were fetched, `unverified_since` the day since which nobody
    has run its address.
    """

    title: str
    as_of: str
    licence: str
    attribution: str = ""
    age: str = ""
    fetched: dt.date | None = None
    unverified_since: dt.date | None = None
    is_stale: bool = False
    is_synthetic: bool = False
    rows_read: int | None = None
    rows_loaded: int | None = None
    rows_rejected: int | None = None


@dataclass(frozen=True, kw_only=True)
class UsedMetric:
    """A metric that profiles weigh or gate on, the share of parcels that it is known for, and by how many profiles."""

    name: str
    label: str
    known_share: float
    profile_count: int


@dataclass(frozen=True, kw_only=True)
class RejectReport:
    """Rows of a source that were set aside for one reason."""

    source: str
    reason: str
    row_count: int


@dataclass(frozen=True, kw_only=True)
class CheckReport:
    """A check: `severity` error, warn or info, how many rows offend, and the first of them."""

    name: str
    severity: str
    offending_count: int
    description: str = ""
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class VoltagePower:
    """Medians over the substations of a voltage class, MW; `intact_mw` is None without a load flow."""

    kv: float
    substation_count: int
    intact_mw: float | None
    low_mw: float | None
    mid_mw: float | None
    high_mw: float | None
    zero_share: float | None


@dataclass(frozen=True, kw_only=True)
class PowerReport:
    """What substations can serve.

    Parameters
    ----------
    substation_count, known_count, zero_count, inferred_count, user_count
        Substations; those whose headroom is known, is 0, that were inferred, and that were stated in files.
    is_load_flow
        Whether a load flow was solved; else circuits were counted.
    by_voltage
        Voltage classes, ascending.
    waived_elements, waived_pairs
        Elements, and pairs of element and outage, over their limit before any new load.
    sensitivity
        Name of each case to its median MW, its share of zeros and its rank correlation with mid, the
        most different first.
    """

    substation_count: int
    known_count: int
    zero_count: int
    inferred_count: int = 0
    user_count: int = 0
    is_load_flow: bool
    by_voltage: Sequence[VoltagePower] = ()
    waived_elements: int = 0
    waived_pairs: int = 0
    sensitivity: dict[str, tuple[float, float, float | None]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class MovedRow:
    """A region whose rank is another than before; None where it was, or is, not ranked."""

    workload: str
    name: str
    rank_before: int | None
    rank_after: int | None
    score_before: float | None
    score_after: float | None


@dataclass(frozen=True, kw_only=True)
class MovedReport:
    """What moved since an earlier run.

    Parameters
    ----------
    since_run_id, since_date
        The run before that differed.
    counts
        Workload to how many of its regions changed rank.
    rows
        The first movers of each workload, in the order in which they are shown.
    sources
        Sources that changed, each in words.
    """

    since_run_id: str
    since_date: dt.date
    counts: dict[str, int]
    rows: Sequence[MovedRow]
    sources: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class ReportData:
    """All that the report says, as plain data.

    Parameters
    ----------
    study, study_title, run_id, run_date, tool_version
        What was run, and when.
    parcel_count, parcel_kind
        How many parcels of which kind were measured.
    elapsed_s
        Wall time of the run, seconds; None if unknown.
    is_synthetic
        Whether the grid is synthetic.
    workloads, sources, rejects, checks
        In the order in which they are shown.
    figures
        What the run covered: pairs of a number and what it counts.
    used_metrics
        Metrics that profiles weigh or gate on.
    metric_known_share
        Metric name to the share of parcels, 0 to 1, for which it is known.
    known_share
        Mean over parcels of the share of their metrics that is known, 0 to 1.
    withheld
        Title of each source that exports leave out, to why.
    limits
        Further sentences about what the result does not say.
    exclusions
        Ground that counts as not buildable, each with its reason.
    power
        What substations can serve; None in a report without substations.
    slope
        Source on which the parcels' slopes are measured; None when they are unknown.
    moved
        What moved since the run before; None when nothing did.
    standing
        Why nothing moved, in a sentence: the first run, or one that found nothing changed; empty where nobody knows.
    """

    study: str
    study_title: str
    run_id: str
    run_date: dt.date
    parcel_count: int
    parcel_kind: str
    is_synthetic: bool
    tool_version: str = ""
    elapsed_s: float | None = None
    figures: Sequence[tuple[str, str]] = ()
    workloads: Sequence[WorkloadReport] = ()
    used_metrics: Sequence[UsedMetric] = ()
    sources: Sequence[SourceReport] = ()
    metric_known_share: dict[str, float] = field(default_factory=dict)
    known_share: float | None = None
    rejects: Sequence[RejectReport] = ()
    checks: Sequence[CheckReport] = ()
    withheld: dict[str, str] = field(default_factory=dict)
    limits: Sequence[str] = ()
    exclusions: Sequence[str] = ()
    power: PowerReport | None = None
    slope: str | None = None
    moved: MovedReport | None = None
    standing: str = ""
