"""Parcels through the kernels, chunk by chunk: read, take apart, mend, measure, write."""

import hashlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import rasterio
from made_layers import MadeLayers
from made_parcels import GROUP
from rasterio.io import DatasetReader

import geo.exclusion
from geo.contiguous import buildable
from geo.disc_population import PopulationGrid
from geo.exclusion import ExclusionIndex, excluded_share
from geo.features import FeatureIndex
from geo.mend import mend
from geo.nearest import k_nearest_edge, nearest, nearest_edge
from geo.polygons import Polygons
from geo.radius import RadiusIndex
from geo.shape import area_and_perimeter, polsby_popper, shape_measures
from geo.wkb import from_arrow
from geo.zonal import zonal

RADII_MI = (10.0, 25.0, 50.0)
PEOPLE_MI = 100.0
KW_PER_MW = 1000.0
STEEP_PCT = 10.0
Columns = dict[str, np.ndarray]
Item = TypeVar("Item")


@dataclass
class Clock:
    """Wall and CPU seconds by step; CPU is that of the whole process, right where steps run one by one."""

    wall_s: dict[str, float] = field(default_factory=dict)
    cpu_s: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def time(self, step: str) -> Iterator[None]:
        """Add what the block takes to a step."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall_s[step] = self.wall_s.get(step, 0.0) + time.perf_counter() - wall
        self.cpu_s[step] = self.cpu_s.get(step, 0.0) + time.process_time() - cpu


@dataclass(frozen=True)
class Ground:
    """What parcels are measured against, prepared once."""

    substations: FeatureIndex
    lines: FeatureIndex
    fiber: FeatureIndex
    metros: FeatureIndex
    plants: RadiusIndex
    people: PopulationGrid
    exclusions: ExclusionIndex
    slope: DatasetReader

    @classmethod
    def of(cls, layers: MadeLayers, kept: Path, clock: Clock) -> "Ground":
        """Index the layers; the united exclusions are kept in a folder, where they are looked for first."""
        with clock.time("read the layers"):
            tables = (layers.substations, layers.lines, layers.fiber, layers.metros, layers.plants)
        substations, lines, fiber, metros, plants = (table.geometry for table in tables)
        with clock.time("substations, metros, plants"):
            points = FeatureIndex.from_points(substations.x.to_numpy(), substations.y.to_numpy())
            centres = FeatureIndex.from_points(metros.x.to_numpy(), metros.y.to_numpy())
            kw = tables[-1]["kw"].to_numpy()
            power = RadiusIndex.of(plants.x.to_numpy(), plants.y.to_numpy(), kw)
        with clock.time("lines"):
            line_index = FeatureIndex.from_lines(lines)
        with clock.time("fiber"):
            fiber_index = FeatureIndex.from_lines(fiber)
        with clock.time("people"), rasterio.open(layers.people_path) as raster:
            people = PopulationGrid.of(raster)
        united = kept / f"exclusions-{_key_of(layers.exclusions_path)}.npz"
        if not united.exists():
            shapes = layers.exclusions.geometry
            with clock.time("exclusions, united"):
                np.savez(united, **ExclusionIndex.build(shapes).to_arrays())
        with clock.time("exclusions, read back"), np.load(united) as arrays:
            exclusions = ExclusionIndex.from_arrays(arrays)
        slope = rasterio.open(layers.slope_path)
        return cls(points, line_index, fiber_index, centres, power, people, exclusions, slope)


def _key_of(exclusions: Path) -> str:
    """Name what the united exclusions come from: the file, and the code that unites it."""
    told = hashlib.sha256(exclusions.read_bytes())
    for path in sorted(Path(geo.exclusion.__file__).parent.glob("*exclusion*.py")):
        told.update(path.read_bytes())
    return told.hexdigest()[:12]


@dataclass(frozen=True)
class Chunk:
    """Parcels of one chunk and their points in degrees."""

    polygons: Polygons
    lon: np.ndarray
    lat: np.ndarray


def _outline(chunk: Chunk, _: Ground) -> Columns:
    acres, perimeter_m = area_and_perimeter(chunk.polygons)
    return {"area_acres": acres, "compactness": polsby_popper(acres, perimeter_m)}


def _shape(chunk: Chunk, _: Ground) -> Columns:
    found = shape_measures(chunk.polygons)
    names = ("area_acres", "compactness", "minimum_width_m", "inscribed_diameter_m")
    return {name: getattr(found, name) for name in names}


def _substation(chunk: Chunk, ground: Ground) -> Columns:
    number, miles = nearest_edge(ground.substations, chunk.polygons)
    return {"substation_no": number, "substation_mi": miles}


def _substations(chunk: Chunk, ground: Ground) -> Columns:
    number, miles = k_nearest_edge(ground.substations, chunk.polygons, 3)
    rest = {f"substation_{place}_mi": miles[:, place - 1] for place in (2, 3)}
    return {"substation_no": number[:, 0], "substation_mi": miles[:, 0], **rest}


def _line(chunk: Chunk, ground: Ground) -> Columns:
    return {"line_230kv_mi": nearest_edge(ground.lines, chunk.polygons)[1]}


def _fiber(chunk: Chunk, ground: Ground) -> Columns:
    return {"fiber_mi": nearest_edge(ground.fiber, chunk.polygons)[1]}


def _metro(chunk: Chunk, ground: Ground) -> Columns:
    return {"metro_mi": nearest(ground.metros, chunk.lon, chunk.lat)[1]}


def _generation(chunk: Chunk, ground: Ground) -> Columns:
    kw = ground.plants.sums(chunk.lon, chunk.lat, RADII_MI)[:, :, 0]
    return {
        f"generation_{miles:.0f}mi_mw": kw[:, column] / KW_PER_MW
        for column, miles in enumerate(RADII_MI)
    }


def _population(chunk: Chunk, ground: Ground) -> Columns:
    people = ground.people.within(chunk.lon, chunk.lat, (PEOPLE_MI,))
    return {"population_100mi": people[:, 0]}


def _excluded(chunk: Chunk, ground: Ground) -> Columns:
    return {"excluded_share": excluded_share(ground.exclusions, chunk.polygons)}


def _buildable(chunk: Chunk, ground: Ground) -> Columns:
    return dict(vars(buildable(ground.exclusions, chunk.polygons)))


def _slope(chunk: Chunk, ground: Ground) -> Columns:
    return {"slope_mean_pct": zonal(ground.slope, chunk.polygons).mean}


def _slopes(chunk: Chunk, ground: Ground) -> Columns:
    found = zonal(ground.slope, chunk.polygons, below=(STEEP_PCT,))
    return {
        "slope_mean_pct": found.mean,
        "slope_max_pct": found.max,
        "gentle_share": found.below_share[:, 0],
    }


Step = Callable[[Chunk, Ground], Columns]
COMMON: dict[str, Step] = {
    "line": _line,
    "fiber": _fiber,
    "metro": _metro,
    "generation": _generation,
    "population": _population,
}
TWELVE = {
    "outline": _outline,
    **COMMON,
    "substation": _substation,
    "excluded": _excluded,
    "slope": _slope,
}
EVERYTHING = {
    "shape": _shape,
    **COMMON,
    "3 substations": _substations,
    "buildable": _buildable,
    "slopes": _slopes,
}
# What the dozen keeps of what its steps give.
KEPT = (
    "area_acres",
    "compactness",
    "substation_mi",
    "line_230kv_mi",
    "fiber_mi",
    "metro_mi",
    *(f"generation_{miles:.0f}mi_mw" for miles in RADII_MI),
    "population_100mi",
    "excluded_share",
    "slope_mean_pct",
)


@dataclass
class Run:
    """One pass over a file of parcels."""

    clock: Clock = field(default_factory=Clock)
    wall_s: float = 0.0
    measured: int = 0
    repaired: int = 0
    rejected: int = 0


def run(
    parcels: Path,
    ground: Ground,
    steps: dict[str, Step],
    out: Path,
    *,
    keep: tuple[str, ...] | None = None,
    chunk: int = GROUP,
    ahead: bool = True,
) -> Run:
    """Measure a file of parcels into a Parquet file of one row a parcel; `keep` names the columns kept.

    The next chunk is read, taken apart and mended, and the last one written, while the kernels run; not
    `ahead` one after the other, so that the clock tells true seconds of each step.
    """
    done = Run()
    began = time.perf_counter()
    with ThreadPoolExecutor(1) as reading, _Writer(out, done.clock, ahead=ahead) as writer:
        chunks = _chunks(parcels, chunk, done)
        for ids, here in _ahead(chunks, reading) if ahead else chunks:
            columns: Columns = {}
            for name, step in steps.items():
                with done.clock.time(name):
                    columns |= step(here, ground)
            writer.write({"parcel_id": ids, **{name: columns[name] for name in keep or columns}})
    done.wall_s = time.perf_counter() - began
    return done


def floor(parcels: Path, out: Path, *, chunk: int = GROUP) -> Run:
    """Read the same columns and write as many, side by side too, and do nothing else."""
    done = Run()
    began = time.perf_counter()
    noise = np.random.default_rng(0).random((len(KEPT), chunk))
    with ThreadPoolExecutor(1) as reading, _Writer(out, done.clock, ahead=True) as writer:
        for batch in _ahead(_batches(parcels, chunk, done.clock), reading):
            values = {name: noise[i, : len(batch)] for i, name in enumerate(KEPT)}
            writer.write({"parcel_id": batch["parcel_id"], **values})
    done.wall_s = time.perf_counter() - began
    return done


class _Writer:
    """Row groups of a Parquet file, written one behind when `ahead`."""

    def __init__(self, out: Path, clock: Clock, *, ahead: bool) -> None:
        self._out, self._clock = out, clock
        self._pool = ThreadPoolExecutor(1) if ahead else None
        self._last: Future[None] | None = None
        self._file: pq.ParquetWriter | None = None

    def __enter__(self) -> Self:
        """Write until the block ends."""
        return self

    def __exit__(self, *_: object) -> None:
        """Finish the file."""
        self._wait()
        with self._clock.time("write"):
            if self._file is not None:
                self._file.close()
        if self._pool is not None:
            self._pool.shutdown()

    def write(self, columns: dict[str, Any]) -> None:
        """Write columns as a row group."""
        if self._pool is None:
            self._write(columns)
            return
        self._wait()
        self._last = self._pool.submit(self._write, columns)

    def _wait(self) -> None:
        if self._last is not None:
            self._last.result()

    def _write(self, columns: dict[str, Any]) -> None:
        with self._clock.time("write"):
            table = pa.table(columns)
            if self._file is None:
                self._file = pq.ParquetWriter(
                    self._out, table.schema, compression="zstd", use_dictionary=False
                )
            self._file.write_table(table, row_group_size=len(table))


def _ahead(items: Iterator[Item], pool: Executor) -> Iterator[Item]:
    """Make each item while the one before is used."""
    coming = pool.submit(next, items, None)
    while (item := coming.result()) is not None:
        coming = pool.submit(next, items, None)
        yield item


def _chunks(path: Path, chunk: int, done: Run) -> Iterator[tuple[pa.Array, Chunk]]:
    """Ids and parcels that can be measured, in flat arrays."""
    for batch in _batches(path, chunk, done.clock):
        with done.clock.time("decode WKB"):
            decoded = from_arrow(batch["geometry"])
        with done.clock.time("prove or mend"):
            mended = mend(decoded)
        rows = mended.rows
        done.measured += len(rows)
        done.repaired += int(mended.is_repaired.sum())
        done.rejected += len(mended.rejected)
        lon, lat = (batch[name].to_numpy()[rows] for name in ("lon", "lat"))
        with done.clock.time("ECEF and plane"):
            _ = mended.polygons.ecef, mended.polygons.plane
        yield batch["parcel_id"].take(pa.array(rows)), Chunk(mended.polygons, lon, lat)


def _batches(path: Path, chunk: int, clock: Clock) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path) as file:
        batches = file.iter_batches(chunk)
        while True:
            with clock.time("read"):
                batch = next(batches, None)
            if batch is None:
                return
            yield batch
