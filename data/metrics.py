"""The metrics a parcel is measured by: names, units and words, from one reference table."""

import csv
from dataclasses import dataclass
from pathlib import Path

METRIC_FILE = Path(__file__).parent / "reference" / "metric.csv"


@dataclass(frozen=True)
class Metric:
    """One measured property of a parcel that a profile may gate on or weigh."""

    name: str
    unit: str
    label: str
    layer: str
    direction: str
    description: str


def _load() -> dict[str, Metric]:
    with METRIC_FILE.open(encoding="utf-8", newline="") as handle:
        rows = csv.DictReader(handle)
        return {
            row["metric"]: Metric(
                row["metric"],
                row["unit"],
                row["label"],
                row["layer"],
                row["direction"],
                row["description"],
            )
            for row in rows
        }


METRICS = _load()
