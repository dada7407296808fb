"""What the map page needs to know of a build before anything is packed or cut into tiles."""

from typing import Any

import duckdb
import numpy as np

from data import store
from flows.reporting import rows_of
from flows.terms import Withheld
from geo.export.page.coding import Piece

LEVELS = {"county": "Counties", "metro": "Metros", "state": "States", "zone": "Grid zones"}


class Build:
    """A build and what may be shown of it.

    Attributes
    ----------
    con
        Open build.
    held
        What its terms withhold.
    levels
        Kind of region to how many there are, of those that may be shown.
    shown_metrics
        Metrics that any workload judges by.
    columns
        Workload and metric to the name of the pack of its value scores; filled while packs are made.
    read
        Metric to what the page reads of it by parcel, (n,) float64; filled while packs are made.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, held: Withheld) -> None:
        self.con = con
        self.held = held
        self.run = rows_of(con, "query/run")[0]
        self.workloads = rows_of(con, "query/workloads")
        self.factors = rows_of(con, "query/map_factors")
        self.gates = rows_of(con, "query/map_gates")
        self.metrics = {row["metric"]: row for row in rows_of(con, "query/map_metrics")}
        self.sources = rows_of(con, "query/source_report")
        self.parcel_count = len(con.table("core.parcel"))
        counts = {row["level"]: row["count"] for row in rows_of(con, "query/map_levels")}
        self.levels = {
            level: counts[level]
            for level in LEVELS
            if level in counts and held.allows_region(level)
        }
        used = {row["metric"] for row in (*self.factors, *self.gates) if not row["is_removed"]}
        self.shown_metrics = sorted(used)
        self.columns: dict[tuple[str, str], str] = {}
        self.read: dict[str, np.ndarray] = {}
        self._pieces = rows_of(con, "query/map_value_pieces")

    def factors_of(self, workload: str) -> list[str]:
        """Metrics of the factors in use, in the order of the profile."""
        return _in_use(self.factors, workload)

    def gates_of(self, workload: str) -> list[str]:
        """Metrics of the gates in use, in the order of the profile."""
        return _in_use(self.gates, workload)

    def pieces_of(self, metric: str) -> dict[str, list[Piece]]:
        """Value functions of a metric by workload, of the workloads that weigh it."""
        weighing = {row["workload"] for row in self.workloads}
        return {
            workload: [
                (row["from_x"], row["from_value"], row["slope"])
                for row in self._pieces
                if row["workload"] == workload and row["metric"] == metric
            ]
            for workload in sorted(weighing)
            if metric in self.factors_of(workload)
        }

    def fetch(self, query: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Columns of a query file as (masked) arrays."""
        return store.query_file(self.con, query, params).fetchnumpy()


def words(values: Any) -> list[str | None]:
    """Texts of a column, None where there is none."""
    return [value if isinstance(value, str) else None for value in values]


def floats(values: Any) -> np.ndarray:
    """(n,) float64 of a column, NaN where it is unknown."""
    return np.ma.filled(np.ma.asarray(values).astype(np.float64), np.nan)


def _in_use(rows: list[dict[str, Any]], workload: str) -> list[str]:
    return [row["metric"] for row in rows if row["workload"] == workload and not row["is_removed"]]
