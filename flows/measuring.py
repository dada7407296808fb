"""The measure step: chunk by chunk, each kept as it is done, so that a killed run goes on."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from data import build as builds
from data.errors import GridsteadError, MeasureError
from data.metrics import METRICS
from data.parts import PARTS_SUFFIX, Chunk, Parts, RowReader, chunks_of
from data.pull import Pulled
from data.readers.raster import OpenRaster
from data.study import Measure, Study
from flows import keys
from flows.halving import Fault, Halved, first_fault, in_halves
from flows.home import Home
from flows.measured_by import MeasuredBy, read_layers
from flows.progress import MeasureProgress
from flows.remeasuring import Again, measure_again
from flows.results import Log, is_there, write
from flows.slope import SlopeSource, open_slope
from geo.errors import GeoError, GeometryError
from geo.measure import Engine, measure, prepare
from geo.parcels import Parcels
from geo.remeasure import Inputs
from geo.wkb import RowStatus, from_arrow

__all__ = [
    "Where",
    "engine_of",
    "measure_chunk",
    "measure_parcels",
    "measure_rows",
    "read_layers",
    "rejected_rows",
    "rejects_of",
    "to_part",
]

SKIPPED_SUFFIX = ".skipped.parquet"
NAMED_PARCELS = 3


@dataclass(frozen=True)
class _Result:
    """Names of what one measuring leaves; a result that lacks parcels is never named as a whole."""

    whole: Path
    partial: Path

    @classmethod
    def of(cls, home: Home, key: str, how: Measure) -> "_Result":
        skipping = keys.key_of(key, how.model_dump())
        return cls(home.work / f"metric-{key}.parquet", home.work / f"metric-{skipping}.parquet")

    def found(self, how: Measure, log: Log) -> Path | None:
        """Find what is there and may be reused under the study's rule for failed chunks."""
        wanted = [self.whole, self.partial] if how.on_failed_chunk == "skip" else [self.whole]
        there = next((path for path in wanted if path.is_file()), None)
        if there is not None:
            is_there(there, "metrics", log)
        return there


@dataclass(frozen=True)
class Where:
    """Rows of a file, as they are told when one of them fails.

    Attributes
    ----------
    what
        Such as "chunk 3 of 5", or "piece 82266ffffffffff-0003".
    start, stop
        The rows, from 0, `stop` exclusive.
    """

    what: str
    start: int
    stop: int

    @property
    def named(self) -> str:
        """All of them, at the beginning of a sentence."""
        return f"{self.what[:1].upper()}{self.what[1:]} (rows {self.start + 1:,} to {self.stop:,})"

    def row(self, number: int) -> str:
        """One of them, from 0."""
        return f"row {self.start + number + 1:,}, in {self.what}"


def measure_parcels(
    study: Study,
    layers: Path,
    power: Path,
    fiber: Path,
    parcels: Path,
    excluded: Path | None,
    home: Home,
    log: Log,
    *,
    pulled: Mapping[str, Pulled] | None = None,
    people: Path | None = None,
) -> Path:
    """Measure every parcel.

    `power` is what `make_power` kept, `fiber` what `make_fiber` did, `excluded` is what `make_exclusions` kept, `people` what `make_people`
    did (the layer's when it is None), and `pulled` holds the study's slope raster when it has one. The parcels are taken in chunks of the study's size, in the order of their file. Each chunk is
    kept as a part when it is done; a run that starts again measures what has no whole part. Where metrics
    of the same code are there, only the parcels near what changed since are measured, and the others taken
    from them; the result is the same, to the last bit.

    Returns
    -------
    Path
        Metrics; beside them `.skipped.parquet` with the parcels at fault where chunks failed and the
        study lets the run go on: such a chunk is halved until they stand alone, as far as 256 tries go.

    Raises
    ------
    MeasureError
        A chunk failed and the study says `on_failed_chunk: stop`, or no parcel could be measured.
    InputError
        The slope raster lies nowhere near the parcels.
    """
    slope = SlopeSource.of(study, pulled or {})
    code = keys.code_key(keys.MEASURE_CODE)
    told = slope.told if slope else None
    by = MeasuredBy(layers, power, fiber, parcels, excluded, people, told, code)
    result = _Result.of(home, by.key, study.measure)
    parts = Parts(home.work / f"metric-{by.key}{PARTS_SUFFIX}", builds.metric_schema())
    if (there := result.found(study.measure, log)) is not None:
        # Those of a run that was killed when it had joined them.
        parts.remove()
        return there
    inputs = by.inputs()
    skipped: list[pd.DataFrame] = []
    with RowReader(parcels) as rows, open_slope(slope, parcels) as raster:

        def engine() -> Engine:
            return engine_of(inputs, raster)

        done = chunks_of(len(rows), study.measure.chunk_parcels)
        again = _again(home, by, inputs, engine, rows, done, parts, log)
        if again is None:
            done, skipped = _measure_chunks(study.measure, rows, done, parts, engine(), log)
    if not done:
        msg = f"No parcel could be measured: {skipped[0]['reason'].iloc[0]}"
        raise MeasureError(msg, "Nothing was published; the last build stays.")
    target = result.partial if skipped else result.whole
    write(rejected_rows(skipped), target.with_suffix(SKIPPED_SUFFIX))
    if target == result.whole:
        by.write(target)
    # Last: the others are there whenever it is.
    if again is not None and again.is_all:
        again.copy(target)
    else:
        _join(parts, done, target, again)
    parts.remove()
    return target


def engine_of(inputs: Inputs, raster: OpenRaster | None) -> Engine:
    """Prepare what parcels are measured by; `raster` is of slopes, and has to stay open."""
    return prepare(
        inputs.narrow,
        inputs.headroom,
        inputs.tie_lines,
        shared=inputs.shared,
        fiber=inputs.fiber,
        exclusions=inputs.exclusions,
        slope=raster.dataset if raster else None,
        slope_crs=raster.crs if raster else None,
        people=inputs.people,
    )


def _again(
    home: Home,
    by: MeasuredBy,
    inputs: Inputs,
    engine: Callable[[], Engine],
    rows: RowReader,
    chunks: Sequence[Chunk],
    parts: Parts,
    log: Log,
) -> Again | None:
    """Measure what a change since the last metrics can reach; None where all parcels are to be measured."""
    try:
        again = Again.of(home, by, inputs, log)
        if again is None:
            return None
        if again.is_stale.any():
            made = engine()
            measure_again(
                again,
                rows,
                chunks,
                parts,
                lambda table: to_part(measure_chunk(table, made), parts.schema),
            )
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001
        # Measuring all needs none of what failed, or finds the parcel at fault.
        log(f"metrics: the last ones cannot be used, all parcels measured: {_cause(error)}")
        return None
    stale = int(again.is_stale.sum())
    if again.told:
        near = f"near what changed ({again.told})"
        log(f"metrics: {stale:,} of {len(rows):,} parcels measured again, {near}")
    else:
        log("metrics: nothing that parcels are measured by has changed, copied")
    return again


def _join(parts: Parts, chunks: Sequence[Chunk], target: Path, again: Again | None) -> None:
    """Join the parts, and what is taken from the last metrics, with the share that is known of each parcel."""
    held = [chunk for chunk in chunks if parts.holds(chunk)]
    known = parts.known_columns(held)
    if again is None:
        ever_known = [name for name in METRICS if name in known]
        parts.join(chunks, target, lambda part: _with_known_share(part, ever_known))
        return
    known |= again.known_columns([chunk for chunk in chunks if not parts.holds(chunk)], known)
    ever_known = [name for name in METRICS if name in known]
    with RowReader(again.metrics) as base:
        parts.join(
            chunks,
            target,
            lambda part: _with_known_share(part, ever_known),
            lambda chunk: again.kept(base, chunk, parts.schema),
        )


def measure_chunk(rows: pa.Table, engine: Engine) -> pd.DataFrame:
    """Measure the parcels of one chunk, as the divide step wrote them.

    Raises
    ------
    GeometryError
        A geometry is no polygon.
    """
    decoded = from_arrow(rows.column("geometry"))
    frame = rows.drop_columns(["geometry"]).replace_schema_metadata(None).to_pandas()
    if len(bad := np.flatnonzero(decoded.status != RowStatus.GOOD)):
        reason = RowStatus(decoded.status[bad[0]]).reason
        msg = f"Parcel {frame['parcel_id'][bad[0]]} {reason}."
        raise GeometryError(msg)
    return measure(Parcels.of(frame, decoded.polygons.oriented()), engine)


def to_part(frame: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    """Give measured parcels the columns of every part, whatever one chunk happened to hold.

    A column that `frame` lacks is unknown for every parcel. NaN is unknown.

    Raises
    ------
    ValueError
        `frame` has a column that no build has.
    """
    if unknown := [name for name in frame.columns if name not in schema.names]:
        msg = f"core.parcel_metric has no column {', '.join(map(repr, unknown))}"
        raise ValueError(msg)
    columns = [
        pa.array(frame[field.name], from_pandas=True).cast(field.type)
        if field.name in frame
        else pa.nulls(len(frame), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _measure_chunks(
    how: Measure,
    rows: RowReader,
    chunks: Sequence[Chunk],
    parts: Parts,
    engine: Engine,
    log: Log,
) -> tuple[list[Chunk], list[pd.DataFrame]]:
    """Measure the chunks that have no whole part; returns those with a part, and all rejects.

    The next chunk is read, and the part of the last one written, while one is measured.
    """
    progress = MeasureProgress(len(rows), log)
    todo = []
    for chunk in chunks:
        if parts.has(chunk):
            progress.found(len(chunk))
        else:
            todo.append(chunk)
    lost: set[Chunk] = set()
    skipped: list[pd.DataFrame] = []
    # Both end before the file of rows is closed, whatever is raised.
    with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(1) as writer:
        ahead = [reader.submit(rows.read, chunk) for chunk in todo[:1]]
        behind: list[Future[None]] = []
        for number, chunk in enumerate(todo):
            table = ahead.pop().result()
            ahead += [reader.submit(rows.read, later) for later in todo[number + 1 : number + 2]]
            where = Where(f"chunk {chunk.number + 1:,} of {len(chunks):,}", chunk.start, chunk.stop)
            found = measure_rows(how, table, engine, parts.schema, where, log)
            if found.faults:
                skipped.append(rejects_of(table, found.faults))
            if behind:
                behind.pop().result()
            if not found.measured:
                lost.add(chunk)
            else:
                part = pa.concat_tables(found.measured)
                put = parts.write_some if found.faults else parts.write
                behind.append(writer.submit(put, chunk, part))
            bad = sum(len(fault) for fault in found.faults)
            if bad:
                progress.failed(bad)
            if bad < len(chunk):
                progress.measured(len(chunk) - bad)
        if behind:
            behind.pop().result()
    return [chunk for chunk in chunks if chunk not in lost], skipped


def measure_rows(
    how: Measure, table: pa.Table, engine: Engine, schema: pa.Schema, where: Where, log: Log
) -> Halved:
    """Measure rows of parcels; what is at fault is left out or raised, by the study's rule.

    Raises
    ------
    MeasureError
        A parcel failed and the study says `on_failed_chunk: stop`.
    """

    def measure_some(start: int, stop: int) -> pa.Table:
        return to_part(measure_chunk(table.slice(start, stop - start), engine), schema)

    try:
        return Halved([to_part(measure_chunk(table, engine), schema)], [])
    except MemoryError:
        # Not the fault of these parcels.
        raise
    except Exception as error:
        whole = Fault(0, len(table), error)
        if how.on_failed_chunk == "stop":
            fault = first_fault(whole, measure_some)
            msg = f"{where.named} could not be measured: {_cause(error)}"
            if fault is not None:
                name = table.column("parcel_id")[fault.start]
                at = where.row(fault.start)
                msg = f"Parcel {name} ({at}) could not be measured: {_cause(fault.error)}"
            hint = (
                "Leave the parcels at fault out, or set measure.on_failed_chunk: skip in the study."
            )
            raise MeasureError(msg, hint) from error
        halved = in_halves(whole, measure_some)
        log(f"{where.named}: {_told(table, halved.faults, error)}")
        return halved


def _told(table: pa.Table, faults: list[Fault], error: Exception) -> str:
    """Say which parcels of a chunk could not be measured, and why the first of them."""
    if not faults:
        return f"measured in pieces, since all of it failed: {_cause(error)}"
    ids = [name for fault in faults for name in _ids(table, fault)]
    first = ", ".join(ids[:NAMED_PARCELS]) + (" ..." if len(ids) > NAMED_PARCELS else "")
    word = "parcel" if len(ids) == 1 else "parcels"
    return f"{len(ids):,} {word} ({first}) could not be measured: {_cause(faults[0].error)}"


def _ids(table: pa.Table, fault: Fault) -> list[str]:
    return table.column("parcel_id").slice(fault.start, len(fault)).to_pylist()


def _cause(error: Exception) -> str:
    """Say in one sentence what went wrong, with the kind of error where it is not one of ours."""
    lines = str(error).strip().splitlines() or ["no message"]
    text = lines[0].rstrip(".") + "."
    return (
        text if isinstance(error, GridsteadError | GeoError) else f"{type(error).__name__}: {text}"
    )


def rejects_of(table: pa.Table, faults: list[Fault]) -> pd.DataFrame:
    """Parcels at fault with the reason; of many that fail together, none can be told from the others."""
    found = []
    for fault in faults:
        among = f"its piece of {len(fault):,} parcels failed: " if len(fault) > 1 else ""
        cause = among + _cause(fault.error)
        found += [(name, f"{name}: {cause}") for name in _ids(table, fault)]
    return pd.DataFrame(found, columns=["parcel_id", "reason"])


def rejected_rows(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Parcels that were not measured, as rows of `meta.rejected_row` beside their id."""
    empty = pd.DataFrame({"parcel_id": [], "reason": []}, dtype=str)
    found = pd.concat(frames, ignore_index=True) if frames else empty
    return found.assign(raw_table="parcels", reject_code="measure_failed")


def _with_known_share(part: pa.Table, ever_known: list[str]) -> pa.Table:
    """Add the share of the metrics known of any parcel that are known of each."""
    known = np.zeros(part.num_rows)
    for name in ever_known:
        known += part.column(name).is_valid().to_numpy()
    return part.append_column("known_share", pa.array(known / max(len(ever_known), 1)))
