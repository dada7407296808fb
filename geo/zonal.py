"""Statistics of a raster's cells under polygons, each cell weighted by how much of it is covered."""

import itertools
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyproj

from geo import _zonal
from geo._projection import Projection
from geo._raster import LONLAT, Raster, check_band, raster_crs, read_values
from geo._threads import BLOCK, in_threads, thread_count
from geo.errors import CrsError, GeoError
from geo.geodesy import is_lonlat
from geo.polygons import Polygons

# Polygons are grouped by squares of this many cells; a window read then has at most four times as many.
TILE = 1_024
# Cells of a strip of a polygon that is larger than a tile.
STRIP_CELLS = 4 * TILE * TILE
# Edges, which are straight in lon/lat, are cut to this before they are straight in the raster's plane.
LONGEST_EDGE_DEG = 0.01
# What projecting a vertex may be off by, in cells.
TOLERANCE_CELLS = 1e-9
# Windows that wait for their polygons to be summed, beside the one being read.
WAITING = 2


@dataclass(frozen=True, eq=False)
class Zonal:
    """Statistics of the cells under each of n polygons; NaN where no valid cell is covered.

    Attributes
    ----------
    mean, max, min
        Of the valid cells, in the raster's unit (its scale and offset applied), shapes (n,). The mean is
        weighted by covered shares; max and min are over all cells of which any part is covered.
    below_share
        Shares 0..1 of the covered valid area whose value is at or under each threshold, shape (n, k).
    known_share
        Share 0..1 of the polygon that lies on valid cells, shape (n,): 0 for a polygon outside of the
        raster.
    """

    mean: np.ndarray
    max: np.ndarray
    min: np.ndarray
    below_share: np.ndarray
    known_share: np.ndarray


@dataclass(frozen=True, eq=False)
class ClassShare:
    """Shares 0..1 of the covered valid area in each class, (n, k), and of the polygon that is valid, (n,)."""

    share: np.ndarray
    known_share: np.ndarray


def zonal(
    dataset: Raster,
    polygons: Polygons,
    *,
    below: tuple[float, ...] = (),
    band: int = 1,
    crs: Any = None,
    workers: int = -1,
) -> Zonal:
    """Mean, max, min and shares under thresholds of a raster, weighted by exact covered shares.

    The share of each cell that a polygon covers is its area in the raster's own plane, exact to rounding
    (as `exactextract` weights them; Baston, "exactextract", 2018-), so that slivers and parcels smaller
    than a cell count for what they are. Polygons' vertices are projected as PROJ
    does to 1e-9 of a cell (`geo._projection`); edges longer than 0.01° are cut before, which leaves less
    than 4 cm between an edge that is straight in lon/lat and one that is straight in the raster's plane, at
    the latitudes of the 48 states. Cells of which less than 1e-9 is covered are taken for rounding.

    The raster is read in windows of at most 4 million cells, and a polygon's figures depend on the
    polygon and the raster alone, to the bit.

    Parameters
    ----------
    dataset
        Open raster, of any affine transform (rotated and south-up ones too). Cells that are masked, nodata
        or NaN are unknown, and so is everything outside of it.
    polygons
        Lon/lat WGS84.
    below
        Thresholds in the raster's unit.
    band
        Counted from 1.
    crs
        Overrides the CRS that the raster states, for a raster that is mislabelled.
    workers
        Threads; -1 takes all cores.

    Raises
    ------
    CrsError
        When the raster has no CRS and none is given.
    GeoError
        For a band that is not there or complex, a transform without an inverse, and NaN thresholds.
    """
    thresholds = np.asarray(below, dtype=np.float64).reshape(-1)
    if np.isnan(thresholds).any():
        msg = f"A threshold in {tuple(below)} is NaN; pass numbers in the raster's unit."
        raise GeoError(msg)
    raster = _Band.of(dataset, band, crs)
    intervals = np.full(len(thresholds), -np.inf), thresholds
    sums = _sums(raster, polygons, intervals, workers)
    known = sums.known
    with np.errstate(invalid="ignore", divide="ignore"):
        return Zonal(
            sums.of(_zonal.WEIGHTED) / known,
            np.where(known > 0.0, sums.of(_zonal.MOST), np.nan),
            np.where(known > 0.0, sums.of(_zonal.LEAST), np.nan),
            sums.shares / known[:, None],
            sums.known_share,
        )


def class_share(
    dataset: Raster,
    polygons: Polygons,
    classes: tuple[float, ...],
    *,
    band: int = 1,
    crs: Any = None,
    workers: int = -1,
) -> ClassShare:
    """Shares of polygons in each class of a categorical raster, weighted by exact covered shares.

    Parameters
    ----------
    dataset, polygons, band, crs, workers
        As in `zonal`.
    classes
        Values of cells; what is valid and in none of them counts in the whole, so that shares of some
        classes add up to less than 1.

    Raises
    ------
    CrsError, GeoError
        As `zonal`; GeoError for classes that are NaN or given twice.
    """
    values = np.asarray(classes, dtype=np.float64).reshape(-1)
    if np.isnan(values).any() or len(np.unique(values)) < len(values):
        msg = f"The classes {tuple(classes)} hold NaN or one of them twice; name each class once."
        raise GeoError(msg)
    sums = _sums(_Band.of(dataset, band, crs), polygons, (values, values), workers)
    with np.errstate(invalid="ignore", divide="ignore"):
        return ClassShare(sums.shares / sums.known[:, None], sums.known_share)


def check_place(
    dataset: Raster, bounds_lonlat: tuple[float, float, float, float], crs: Any = None
) -> None:
    """Stop at a raster whose stated CRS puts it nowhere near a place: it may be mislabelled.

    Parameters
    ----------
    dataset
        Open raster.
    bounds_lonlat
        West, south, east, north of what it should cover, degrees.
    crs
        As in `zonal`.

    Raises
    ------
    CrsError
        When the two do not meet; it names both places.
    """
    stated = raster_crs(dataset, crs)
    to_lonlat = pyproj.Transformer.from_crs(stated, LONLAT, always_xy=True)
    west, south, east, north = to_lonlat.transform_bounds(*_plane_bounds(dataset))
    if west > bounds_lonlat[2] or east < bounds_lonlat[0]:
        meets = False
    else:
        meets = south <= bounds_lonlat[3] and north >= bounds_lonlat[1]
    if not meets:
        place = ", ".join(f"{degrees:.3f}" for degrees in (west, south, east, north))
        wanted = ", ".join(f"{degrees:.3f}" for degrees in bounds_lonlat)
        msg = (
            f"By its CRS ({stated.name}) the raster {dataset.name} lies at {place}, nowhere near {wanted}; "
            "if its CRS is mislabelled, say which it is with crs."
        )
        raise CrsError(msg)


@dataclass(frozen=True)
class _Band:
    dataset: Raster
    band: int
    crs: pyproj.CRS

    @classmethod
    def of(cls, dataset: Raster, band: int, crs: Any) -> Self:
        check_band(dataset, band)
        if dataset.transform.determinant == 0.0:
            msg = f"The transform of the raster {dataset.name} has no inverse: its cells have no area."
            raise GeoError(msg)
        return cls(dataset, band, raster_crs(dataset, crs))

    def read(self, column0: int, row0: int, column1: int, row1: int) -> np.ndarray:
        return read_values(self.dataset, self.band, ((row0, row1), (column0, column1)))


@dataclass(frozen=True)
class _Sums:
    values: np.ndarray
    area: np.ndarray
    is_inside: np.ndarray

    def of(self, column: int) -> np.ndarray:
        return self.values[:, column]

    @property
    def known(self) -> np.ndarray:
        return np.where(self.of(_zonal.KNOWN) > 0.0, self.of(_zonal.KNOWN), np.nan)

    @property
    def shares(self) -> np.ndarray:
        return self.values[:, _zonal.FIRST_SHARE :]

    @property
    def known_share(self) -> np.ndarray:
        # What lies outside of the raster is the polygon's area less the cells covered.
        covered = self.of(_zonal.COVERED)
        whole = np.where(self.is_inside, covered, np.fmax(np.abs(self.area), covered))
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.of(_zonal.KNOWN) / whole


def _sums(
    raster: _Band,
    polygons: Polygons,
    intervals: tuple[np.ndarray, np.ndarray],
    workers: int,
) -> _Sums:
    """Sum over covered cells: columns of `_zonal`, shape (n, 5 + k)."""
    count = len(polygons)
    cells, ring_start = _to_cells(raster, polygons, workers)
    box, area = np.empty((count, 4), dtype=np.int64), np.empty(count)
    first_ring = polygons.first_ring
    in_threads(
        lambda rows: _zonal.frame(cells, ring_start, first_ring, rows.start, rows.stop, box, area),
        count,
        workers,
    )
    height, width = raster.dataset.shape
    is_inside = (box[:, :2] >= 0).all(axis=1) & (box[:, 2] <= width) & (box[:, 3] <= height)
    np.clip(box, 0, np.array([width, height, width, height]), out=box)
    sums = np.zeros((count, _zonal.FIRST_SHARE + len(intervals[0])))
    sums[:, _zonal.LEAST], sums[:, _zonal.MOST] = np.inf, -np.inf

    def add(job: "_Job", parcels: np.ndarray, values: np.ndarray) -> None:
        _zonal.add(
            *(cells, ring_start, first_ring, parcels, box, area, values, job.column0, job.row0),
            *(job.begin_row, job.end_row, *intervals, sums),
        )

    with ThreadPoolExecutor(thread_count(workers)) as pool:
        running: list[list[Future[None]]] = []
        for job in _jobs(box):
            values = raster.read(job.column0, job.row0, job.column1, job.end_row)
            if job.is_strip:
                # The strips of a polygon are summed from its top down.
                _wait(running, 0)
            parts = np.array_split(job.parcels, -(-len(job.parcels) // BLOCK))
            running.append([pool.submit(add, job, part, values) for part in parts])
            _wait(running, WAITING)
        _wait(running, 0)
    return _Sums(sums, area, is_inside)


def _wait(running: list[list[Future[None]]], most: int) -> None:
    while len(running) > most:
        for future in running.pop(0):
            future.result()


@dataclass(frozen=True)
class _Job:
    """A window of the raster, and the polygons that are summed over its rows."""

    parcels: np.ndarray
    column0: int
    row0: int
    column1: int
    end_row: int
    is_strip: bool

    @property
    def begin_row(self) -> int:
        return self.row0


def _jobs(box: np.ndarray) -> Iterator[_Job]:
    """Windows by tiles in rows, then the strips of polygons larger than a tile; (n, 4) boxes of cells."""
    wide, high = box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]
    is_met = (wide > 0) & (high > 0)
    is_small = is_met & (wide <= TILE) & (high <= TILE)
    small = np.flatnonzero(is_small)
    tile = (box[small, 1] // TILE << 32) + box[small, 0] // TILE
    order = np.argsort(tile, kind="stable")
    small, tile = small[order], tile[order]
    starts = np.flatnonzero(np.diff(tile, prepend=-1))
    for begin, end in itertools.pairwise([*starts, len(small)]):
        parcels = small[begin:end]
        column0, row0 = box[parcels, :2].min(axis=0).tolist()
        column1, row1 = box[parcels, 2:].max(axis=0).tolist()
        yield _Job(parcels, column0, row0, column1, row1, is_strip=False)
    for i in np.flatnonzero(is_met & ~is_small):
        column0, row0, column1, row1 = box[i].tolist()
        step = max(STRIP_CELLS // (column1 - column0), 1)
        for row in range(row0, row1, step):
            end = min(row + step, row1)
            yield _Job(np.array([i]), column0, row, column1, end, is_strip=True)


def _to_cells(raster: _Band, polygons: Polygons, workers: int) -> tuple[np.ndarray, np.ndarray]:
    """Vertices in cells of the raster, shape (w, 2), and where rings start; long edges cut."""
    lonlat, ring_start = polygons.lonlat, polygons.ring_start
    a, b, c, d, e, f = (float(value) for value in raster.dataset.transform[:6])
    if is_lonlat(raster.crs):
        places, first_new, project = lonlat, np.arange(len(lonlat) + 1), None
    else:
        counts = np.empty(len(lonlat), dtype=np.int64)
        _zonal.pieces(lonlat, ring_start, LONGEST_EDGE_DEG, counts)
        first_new = np.zeros(len(lonlat) + 1, dtype=np.int64)
        np.cumsum(counts, out=first_new[1:])
        places = np.empty((first_new[-1], 2))
        _zonal.cut(lonlat, first_new, places)
        tolerance = TOLERANCE_CELLS * np.sqrt(abs(a * e - b * d))
        project = Projection.of(raster.crs, places, tolerance)
    cells = np.empty_like(places)

    def run(rows: slice) -> None:
        points = places[rows]
        x, y = points.T.copy() if project is None else project(points)
        _zonal.to_cells(x, y, (a, b, c, d, e, f), cells[rows])

    in_threads(run, len(places), workers, block=16 * BLOCK)
    return cells, first_new[ring_start]


def _plane_bounds(dataset: Raster) -> tuple[float, float, float, float]:
    """West, south, east, north of a raster in its own plane, rotated ones too."""
    a, b, c, d, e, f = dataset.transform[:6]
    height, width = dataset.shape
    xs = [a * column + b * row + c for column in (0, width) for row in (0, height)]
    ys = [d * column + e * row + f for column in (0, width) for row in (0, height)]
    return min(xs), min(ys), max(xs), max(ys)
