"""One side of a comparison of two runs: what the history holds of a run, read when it is asked for."""

from collections import defaultdict
from functools import cache, cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from data.errors import BuildError
from flows import history_parts as parts
from flows.explain_verdict import WHOLE_UNITS
from flows.history import Entry
from geo.decide.factor import Factor, Gate, Piece

# A summand of a score is a whole number of billionths of a point.
DECIMALS = 9
# Layers that are made of others, by what meta.layer_source calls those.
MADE_OF = {"people": ("people_raster",)}


class Side:
    """A run of the history.

    Parameters
    ----------
    entry
        What the history says of it.
    """

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.row = entry.row
        self.sources = {row["source_id"]: row for row in entry.row["sources"]}
        self.workloads = {row["workload"]: row for row in entry.row["workloads"]}
        # Read once, as long as the side lives.
        self.metric = cache(self._metric)
        self.plans = cache(self._plans)
        self.factors = cache(self._factors)

    def ranked(self, workload: str, kind: str) -> pd.DataFrame:
        """Regions of a kind: id, name, rank, score, gate_status, unranked_why; ranks that are none are NaN."""
        frame = self._frame(f"{parts.RANKED}.{workload}")
        frame = frame[frame["region_kind"] == kind]
        names = {"region_id": "id", "region_name": "name"}
        # A score is a quotient: what is less than its smallest summand is floating point.
        return frame.rename(columns=names).round({"score": DECIMALS})[
            ["id", "name", "rank", "score", "gate_status", "unranked_why"]
        ]

    def ranks(self, workload: str) -> pd.DataFrame:
        """Every parcel that fails no gate: parcel_no, rank, score, gate_status."""
        frame = self._frame(f"{parts.RANKS}.{workload}")
        status = np.where(frame["is_unknown"], "unknown", "pass")
        return frame.assign(score=frame["score_units"] / 1e9, gate_status=status)[
            ["parcel_no", "rank", "score", "gate_status"]
        ]

    @cached_property
    def parcels(self) -> pd.DataFrame:
        """Ids and names of the parcels, in the order of `parcel_no`."""
        return self._frame(parts.PARCELS)

    def _metric(self, name: str) -> np.ndarray:
        """Values of a metric, float64, in the order of `parcel_no`; NaN is unknown."""
        column = self._table(f"{parts.METRIC}.{name}").column("value")
        return column.to_numpy(zero_copy_only=False).astype(float)

    def _plans(self, workload: str) -> dict[tuple[str, str], list[tuple[int, int]]]:
        """Parcels and kilowatts that fill each region, the best first."""
        found = defaultdict(list)
        table = self._table(f"{parts.FILL}.{workload}")
        names = ("region_kind", "region_id", "parcel_no", "used_kw")
        for kind, id_, number, kw in zip(
            *(table.column(n).to_pylist() for n in names), strict=True
        ):
            found[kind, id_].append((number, kw))
        return dict(found)

    def _factors(self, workload: str) -> dict[str, Factor]:
        """Weighted factors of a workload, by their metric."""
        return {
            row["metric"]: Factor(
                row["metric"],
                row["weight"],
                tuple(Piece(**piece) for piece in row["pieces"]),
                row["unit"] in WHOLE_UNITS or row["metric"].startswith("is_"),
            )
            for row in self.row["factors"]
            if row["workload"] == workload
        }

    def gates(self, workload: str) -> dict[str, Gate]:
        """Gates of a workload, by their metric."""
        return {
            row["metric"]: Gate(row["metric"], row["at_least"], row["at_most"])
            for row in self.row["gates"]
            if row["workload"] == workload
        }

    @cached_property
    def words(self) -> dict[str, dict[str, Any]]:
        """Label, unit and layers of each metric that is weighed or judged."""
        return {row["metric"]: row for row in (*self.row["gates"], *self.row["factors"])}

    @cached_property
    def sources_of(self) -> dict[str, set[str]]:
        """Sources that each layer was filled from."""
        found = defaultdict(set)
        for row in self.row["layers"]:
            found[row["layer"]].add(row["source_id"])
        for layer, others in MADE_OF.items():
            found[layer] |= {source for other in others for source in found.get(other, ())}
        return dict(found)

    def _frame(self, role: str) -> pd.DataFrame:
        return self._table(role).to_pandas()

    def _table(self, role: str) -> pa.Table:
        try:
            return pq.read_table(self.entry.path(role))
        except (KeyError, OSError, pa.ArrowException) as error:
            msg = f"The history of run {self.entry.run_id} does not hold {role} any more."
            raise BuildError(msg, "Compare with another run; see gridstead runs.") from error
