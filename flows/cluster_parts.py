"""A study measured in parts by a cluster: divided, measured, scored and ranked in pieces, the best kept in full."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypedDict

import pandas as pd
import pyarrow.parquet as pq

from data import store
from data.place import Place
from data.pull import Pulled
from data.study import Study
from data.workload import study_workloads
from flows import keys
from flows.cluster import cluster
from flows.cluster_measure import MeasuredPieces, measure_pieces
from flows.cluster_rank import Scored, keep, partitions, rank_pieces
from flows.cluster_score import ScoreOrder, score_piece
from flows.home import Home
from flows.measuring import SKIPPED_SUFFIX
from flows.results import Log, beside, is_there, write

KEEP_PARCELS = 100_000
SCORE_CODE = (
    *("sql/core/parcel*.sql", "sql/meta/*.sql", "sql/mart/parcel_*.sql", "sql/cluster/*.sql"),
    *("data/build.py", "data/workload.py", "data/reference/metric.csv", "geo/regions.py"),
    *("flows/cluster_score.py", "flows/cluster_rank.py", "flows/cluster_parts.py"),
)
NO_VIEW = "The parts are in a store of objects, which a build does not reach: read them from there."
PARTITION_TABLE = "partition"


class MeasureInputs(TypedDict):
    """Results of the steps before that parcels are measured by."""

    layers: Path
    power: Path
    fiber: Path
    parcels: Path
    excluded: Path | None
    people: Path


@dataclass(frozen=True)
class Parts:
    """What a cluster left of a study.

    Attributes
    ----------
    parcels, metrics
        Parcels that a build holds in full, and their metrics, as a single process would leave them.
    told
        Rows of meta.parts: where all parcels are.
    pieces
        Rows of meta.partition.
    """

    parcels: Path
    metrics: Path
    told: list[dict[str, Any]]
    pieces: pd.DataFrame

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `make_parts` wrote."""
        content = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            path.with_name(content["parcels"]),
            path.with_name(content["metrics"]),
            content["parts"],
            pd.read_parquet(beside(path, PARTITION_TABLE)),
        )

    @property
    def divided_count(self) -> int:
        """Parcels that the land was divided into."""
        return int(self.pieces["row_count"].sum())

    @property
    def parcel_count(self) -> int:
        """Parcels that were measured and ranked."""
        return int(self.pieces["measured_count"].sum())


def kept_of(parts: Path) -> tuple[Path, Path]:
    """Parcels that a build holds in full, and their metrics, of what `make_parts` wrote."""
    found = Parts.read(parts)
    return found.parcels, found.metrics


def make_parts(
    study: Study,
    spec: str,
    place: Place,
    most: int,
    inputs: MeasureInputs,
    pulled: Mapping[str, Pulled],
    home: Home,
    log: Log,
) -> Path:
    """Measure, score and rank all parcels in pieces, and keep the first of each workload in full.

    What is done of it stays at the place, piece by piece: a run that starts again does the rest.

    Parameters
    ----------
    study
        The study.
    spec
        Who does the pieces, see `flows.cluster.cluster`.
    place
        Where the parts go.
    most
        Parcels of each workload that are kept in full.
    inputs
        Results of the steps before.
    pulled
        Sources, with the study's slope raster when it has one.
    home, log
        Home of the run, and what takes its lines.

    Returns
    -------
    Path
        For `Parts.read`.
    """
    home.work.mkdir(parents=True, exist_ok=True)
    parcels = inputs["parcels"]
    with cluster(spec, log) as workers:
        measured = measure_pieces(
            study, **inputs, log=log, place=place, cluster=workers, pulled=pulled
        )
        order = _score_order(study, measured)
        names = [piece.name for piece in measured.pieces]
        scores = workers.run(score_piece, order, names, "scores")
    return _kept(Scored(order, measured, scores, home.work), most, parcels, home, log)


def _score_order(study: Study, measured: MeasuredPieces) -> ScoreOrder:
    workloads = study_workloads(study)
    # Profiles count by what they say, not by where they lie.
    entries = [entry.model_dump(exclude={"profile"}) for entry in study.workloads]
    profiles = {name: workload.model_dump() for name, workload in workloads.items()}
    parcels, metrics = measured.parcel_folder, measured.metric_folder
    key = keys.key_of(parcels, metrics, entries, profiles, keys.code_key(SCORE_CODE))
    return ScoreOrder(measured.place, f"score-{key}", parcels, metrics, study, workloads)


def _kept(
    scored: Scored,
    most: int,
    divided: Path,
    home: Home,
    log: Log,
) -> Path:
    """Rank, and keep what a build holds in full."""
    place, order = scored.place, scored.order
    key = keys.key_of(place.url, divided.name, order.folder, most)
    target = home.work / f"parts-{key}.json"
    parcels, metrics = home.work / f"parcel-{key}.parquet", home.work / f"metric-{key}.parquet"
    # Views of a build read them: made again where somebody removed them.
    rank_pieces(scored)
    if parcels.is_file() and metrics.is_file() and is_there(target, "parcels kept in full", log):
        return target
    keep(scored, divided, most, parcels, metrics)
    write(scored.measured.rejected, metrics.with_suffix(SKIPPED_SUFFIX))
    write(partitions(scored), beside(target, PARTITION_TABLE))
    content = {"parcels": parcels.name, "metrics": metrics.name, "parts": _told(scored)}
    draft = target.with_name(target.name + ".part")
    draft.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    # Last: all of it is there whenever it is.
    store.replace_atomically(draft, target)
    kept = pq.read_metadata(parcels).num_rows
    log(f"{scored.parcel_count:,} parcels ranked, {kept:,} kept in full")
    return target


def _told(scored: Scored) -> list[dict[str, Any]]:
    """Rows of meta.parts."""
    place, order = scored.place, scored.order
    folders = {
        "parcel": order.parcels,
        "parcel_metric": order.metrics,
        "parcel_score": order.folder,
        "parcel_rank": scored.rank_folder,
    }
    return [
        {
            "part_kind": kind,
            "folder": str(place.path(folder)) if place.is_local else f"{place.url}/{folder}",
            "view_name": f"parts.{kind}" if place.is_local else None,
            "metric_count": len(scored.measured.ever_known) if kind == "parcel_metric" else None,
            "note": None if place.is_local else NO_VIEW,
        }
        for kind, folder in folders.items()
    ]
