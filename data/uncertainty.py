"""How well metrics are known: whose ends are measured beside them, and what the others are given."""

import csv
from dataclasses import dataclass
from pathlib import Path

from data.metrics import METRICS

UNCERTAINTY_FILE = Path(__file__).parent / "reference" / "uncertainty.csv"
MID = "_mid"


@dataclass(frozen=True)
class Uncertainty:
    """Interval of a metric, and who shares its error.

    Attributes
    ----------
    metric
        Name.
    low, high
        Metrics that are the ends; None where the metric is multiplied instead.
    low_factor, high_factor
        Ends over the metric; 1 where `low` and `high` are given.
    shared_by
        parcel, substation, second_substation, node, county, state or all.
    source
        Where that comes from.
    """

    metric: str
    low: str | None
    high: str | None
    low_factor: float
    high_factor: float
    shared_by: str
    source: str


def uncertainty_of(metric: str) -> Uncertainty:
    """Tell how well a metric is known; one that the table does not name is known exactly."""
    return _TABLE.get(metric, Uncertainty(metric, None, None, 1.0, 1.0, "parcel", "exact"))


def _load() -> dict[str, Uncertainty]:
    with UNCERTAINTY_FILE.open(encoding="utf-8", newline="") as handle:
        return {row["metric"]: _of_row(row) for row in csv.DictReader(handle)}


def _of_row(row: dict[str, str]) -> Uncertainty:
    metric = row["metric"]
    stem = metric.removesuffix(MID)
    ends = (f"{stem}_low", f"{stem}_high")
    has_ends = metric.endswith(MID) and all(end in METRICS for end in ends)
    low, high = ends if has_ends else (None, None)
    factors = (1.0, 1.0) if has_ends else (float(row["low_factor"]), float(row["high_factor"]))
    return Uncertainty(metric, low, high, *factors, row["shared_by"], row["source"])


_TABLE = _load()
