"""The measure step over pieces: each is measured by a worker, which holds the prepared layers."""

import fcntl
import os
import platform
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from data import build as builds
from data.catalogue import Source
from data.errors import MeasureError
from data.metrics import METRICS
from data.object_cache import sha256_of
from data.parts import chunks_of
from data.pieces import PIECE_ROWS, SUFFIX, Piece, content_sha256, write_pieces
from data.place import Place
from data.pull import Pulled
from data.readers.raster import open_raster
from data.study import Measure, Study
from flows import keys
from flows.cluster import Cluster, Summary, files_of, hold
from flows.fiber_graph import INDEX_SUFFIX
from flows.measured_by import MeasuredBy
from flows.measuring import Where, engine_of, measure_rows, rejected_rows, rejects_of
from flows.power import SHARED_SUFFIX
from flows.progress import MeasureProgress
from flows.results import Log, beside
from flows.slope import SlopeSource, open_slope
from geo.measure import Engine

DATASET_CODE = ("data/pieces.py", "data/place.py")
MEASURE_CODE = ("flows/cluster_measure.py", *DATASET_CODE)
KNOWN_COUNT = "known_count"
MEGABYTE = 1_000_000
# Folders of inputs on a worker's machine that nothing has used for so long are removed.
UNUSED_S = 2 * 24 * 3600


@dataclass(frozen=True)
class InputFile:
    """A file that parcels are measured by, as it lies on the machine that gives the order."""

    path: Path
    sha256: str

    @classmethod
    def of(cls, path: Path) -> "InputFile":
        """Fingerprint a file."""
        return cls(path, sha256_of(path))


@dataclass(frozen=True)
class MeasureOrder:
    """What a worker is told of the measuring beside the name of the piece.

    Attributes
    ----------
    place, pieces, folder
        Where pieces are read, and in which folder metrics are written.
    by
        Files by what they are, on the machine that gives the order.
    inputs
        All files that are read, those beside them too; `inputs_folder` of the place holds them for machines
        that lack them.
    slope
        Catalogue entry and path of the slope raster.
    how
        Size of chunks, and the rule for those that fail.
    """

    place: Place
    pieces: str
    folder: str
    by: MeasuredBy
    inputs: tuple[InputFile, ...]
    inputs_folder: str
    slope: tuple[Source, Path] | None
    how: Measure


@dataclass(frozen=True)
class MeasuredPieces:
    """Metrics of all pieces.

    Attributes
    ----------
    place
        Holds the folders.
    parcel_folder, metric_folder
        Pieces of land, and their metrics by the same names.
    pieces
        In the order of their names.
    summaries
        Of each piece: `rows` measured, `content_sha256`, `known` columns, `rejected` ids with reasons,
        `seconds`, and `worker` with its `peak_mb`.
    """

    place: Place
    parcel_folder: str
    metric_folder: str
    pieces: list[Piece]
    summaries: dict[str, Summary]

    @property
    def ever_known(self) -> list[str]:
        """Metrics that are known of any parcel."""
        known = {name for summary in self.summaries.values() for name in summary["known"]}
        return [name for name in METRICS if name in known]

    @property
    def rejected(self) -> pd.DataFrame:
        """Parcels that could not be measured, as rows of `meta.rejected_row` beside their id."""
        found = [row for one in self.summaries.values() for row in one["rejected"]]
        return rejected_rows([pd.DataFrame(found, columns=["parcel_id", "reason"], dtype=object)])

    def metrics(self, name: str) -> pa.Table:
        """Metrics of a piece, with the columns of the single machine's file."""
        table = self.place.read(f"{self.metric_folder}/{name}{SUFFIX}")
        return with_known_share(table.replace_schema_metadata(None), len(self.ever_known))


def with_known_share(part: pa.Table, ever_known: int) -> pa.Table:
    """Put the share of `ever_known` metrics that are known of each parcel in the place of their count."""
    known = part.column(KNOWN_COUNT).to_numpy().astype(np.float64)
    share = pa.array(known / max(ever_known, 1))
    return part.drop_columns([KNOWN_COUNT]).append_column("known_share", share)


def make_pieces(
    parcels: Path, place: Place, log: Log, piece_rows: int = PIECE_ROWS
) -> tuple[str, list[Piece]]:
    """Cut divided land into pieces, or find them there; returns their folder and what they are."""
    key = keys.key_of(parcels.name, piece_rows, keys.code_key(DATASET_CODE))
    folder = f"parcel-{key}"
    began = time.monotonic()
    pieces = write_pieces(parcels, place, folder, piece_rows)
    rows = sum(piece.rows for piece in pieces)
    took = f"{time.monotonic() - began:.1f} s"
    log(f"pieces: {rows:,} parcels in {len(pieces):,} of {folder}, {took}")
    return folder, pieces


def measure_pieces(
    study: Study,
    layers: Path,
    power: Path,
    fiber: Path,
    parcels: Path,
    excluded: Path | None,
    log: Log,
    *,
    place: Place,
    cluster: Cluster,
    pulled: Mapping[str, Pulled] | None = None,
    people: Path | None = None,
    piece_rows: int = PIECE_ROWS,
) -> MeasuredPieces:
    """Measure every parcel by pieces; paths are as those of `measure_parcels`, and so is every figure.

    Raises
    ------
    MeasureError
        A piece failed and the study says `on_failed_chunk: stop`, or no parcel could be measured.
    ClusterError
        The workers cannot do it.
    PullError
        The place cannot be read or written.
    InputError
        The slope raster lies nowhere near the parcels.
    """
    slope = SlopeSource.of(study, pulled or {})
    with open_slope(slope, parcels):
        # Whether it meets the parcels is seen here, where all of them are.
        folder, pieces = make_pieces(parcels, place, log, piece_rows)
    code = keys.code_key(keys.MEASURE_CODE)
    told = slope.told if slope else None
    by = MeasuredBy(layers, power, fiber, parcels, excluded, people, told, code)
    inputs = tuple(InputFile.of(path) for path in _files_of(by, slope))
    rule = study.measure.on_failed_chunk
    key = keys.key_of(by.key, folder, rule, keys.code_key(MEASURE_CODE))
    order = MeasureOrder(
        place=place,
        pieces=folder,
        folder=f"metric-{key}",
        by=by,
        inputs=inputs,
        inputs_folder=f"input-{key}",
        slope=(slope.source, slope.pulled.path) if slope else None,
        how=study.measure,
    )
    rows = {piece.name: piece.rows for piece in pieces}
    progress = MeasureProgress(sum(rows.values()), log)

    def seen(summary: Summary) -> None:
        for line in summary["said"]:
            log(line)
        if summary["rejected"]:
            progress.failed(len(summary["rejected"]))
        if summary["rows"]:
            progress.measured(summary["rows"])

    try:
        if not cluster.is_near:
            _offer(order)
        summaries = cluster.run(measure_piece, order, [*rows], "measure", seen)
    finally:
        if not cluster.is_near:
            place.remove(order.inputs_folder)
    found = MeasuredPieces(place, folder, order.folder, pieces, summaries)
    if not any(summary["rows"] for summary in summaries.values()):
        msg = f"No parcel could be measured: {found.rejected['reason'].iloc[0]}"
        raise MeasureError(msg, "Nothing was published; the last build stays.")
    return found


def measure_piece(order: MeasureOrder, name: str) -> Summary:
    """Measure a piece, in a worker: one at a time, whose kernels take the threads that there are.

    Raises
    ------
    MeasureError
        A parcel failed, and the study says `on_failed_chunk: stop`.
    """
    with _BUSY:
        began = time.monotonic()
        engine = hold(order, partial(_engine, order))
        prepare_s = time.monotonic() - began
        said: list[str] = []
        table = order.place.read(f"{order.pieces}/{name}{SUFFIX}")
        measured, rejected = [_schema().empty_table()], []
        for chunk in chunks_of(table.num_rows, order.how.chunk_parcels):
            rows = table.slice(chunk.start, len(chunk))
            where = Where(f"piece {name}", chunk.start, chunk.stop)
            found = measure_rows(order.how, rows, engine, _schema(), where, said.append)
            measured += found.measured
            rejected += rejects_of(rows, found.faults).to_numpy().tolist()
        metrics = pa.concat_tables(measured)
        known = [column for column in METRICS if metrics[column].null_count < len(metrics)]
        counted = metrics.append_column(KNOWN_COUNT, _known_count(metrics))
        stored = order.place.write(f"{order.folder}/{name}{SUFFIX}", counted)
        return {
            "piece": name,
            "worker": f"{platform.node()}:{os.getpid()}",
            "rows": len(metrics),
            "content_sha256": content_sha256(counted),
            "known": known,
            "rejected": rejected,
            "said": said,
            "seconds": round(time.monotonic() - began, 3),
            "prepare_s": round(prepare_s, 3),
            "peak_mb": round(peak_mb()),
            "files": files_of(parquet=stored),
        }


# A raster is read by one thread at a time.
_BUSY = threading.Lock()


def _engine(order: MeasureOrder, stack: ExitStack) -> Engine:
    """Prepare what the order measures by; the raster of slopes is open as long as the stack."""
    here = _here(order)
    raster = None
    if order.slope is not None:
        source, path = order.slope
        raster = stack.enter_context(open_raster(source, here(path)))
    by = order.by
    own = replace(
        by,
        layers=here(by.layers),
        power=here(by.power),
        fiber=here(by.fiber),
        excluded=by.excluded and here(by.excluded),
        people=by.people and here(by.people),
    )
    return engine_of(own.inputs(), raster)


@cache
def _schema() -> pa.Schema:
    return builds.metric_schema()


def _known_count(metrics: pa.Table) -> pa.Array:
    known = np.zeros(metrics.num_rows, dtype=np.int16)
    for name in METRICS:
        known += metrics.column(name).is_valid().to_numpy()
    return pa.array(known)


def _files_of(by: MeasuredBy, slope: SlopeSource | None) -> Iterator[Path]:
    """Yield the files that are read: those of the steps, what lies beside them, and the slope raster."""
    paths = [by.layers, by.power, by.fiber, by.excluded, by.people]
    yield from (path for path in paths if path is not None)
    aside = [
        by.power.with_suffix(SHARED_SUFFIX),
        by.fiber.with_suffix(INDEX_SUFFIX),
        beside(by.fiber, "fiber_rule"),
    ]
    yield from (path for path in aside if path.is_file())
    if slope is not None:
        yield slope.pulled.path


def _offer(order: MeasureOrder) -> None:
    """Put the inputs where machines that lack them find them."""
    there = order.place.sizes(order.inputs_folder)
    for file in order.inputs:
        if there.get(file.path.name) != file.path.stat().st_size:
            order.place.put(f"{order.inputs_folder}/{file.path.name}", file.path)


def _here(order: MeasureOrder) -> "_Find":
    """Find the inputs on this machine: where the order has them, else in a folder that is filled once."""
    if all(file.path.is_file() and sha256_of(file.path) == file.sha256 for file in order.inputs):
        return _Find(None)
    folder = _machine_folder() / order.inputs_folder
    folder.mkdir(parents=True, exist_ok=True)
    os.utime(folder)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for file in order.inputs:
            path = folder / file.path.name
            if not path.is_file() or sha256_of(path) != file.sha256:
                order.place.get(f"{order.inputs_folder}/{file.path.name}", path)
            if sha256_of(path) != file.sha256:
                msg = f"{file.path.name} is not what the run put at {order.place.url}."
                raise MeasureError(msg, "Something else writes there: run again.")
    return _Find(folder)


@dataclass(frozen=True)
class _Find:
    """Where a file lies on this machine: at its own path, or by its name in a folder."""

    folder: Path | None

    def __call__(self, path: Path) -> Path:
        return path if self.folder is None else self.folder / path.name


def _machine_folder() -> Path:
    """Folder of this user on this machine; what nobody has used for days is removed."""
    cache_home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(cache_home) / "gridstead" / "inputs"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if time.time() - old.stat().st_mtime > UNUSED_S:
            shutil.rmtree(old, ignore_errors=True)
    return folder


def peak_mb() -> float:
    """Most memory that this process has held, MB."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        (peak,) = [line.split()[1] for line in lines if line.startswith("VmHWM")]
        return int(peak) * 1024 / MEGABYTE
    except (OSError, ValueError):
        import resource

        unit = 1 if os.uname().sysname == "Darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MEGABYTE
