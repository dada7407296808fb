"""Areas of a raster that satisfy a condition, as lon/lat polygons: steep slopes, land cover, wetland."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyproj
import shapely
from scipy import ndimage

from geo import _outline
from geo._raster import LONLAT, Raster, check_band, raster_crs, read_values
from geo.errors import GeoError, GeometryError
from geo.geodesy import is_lonlat

# Cells of the windows that are read one after another: 4 million, on a lattice of the whole raster.
WINDOW = 2_048
# Straight runs of cell borders get a vertex at least this often before they are taken to lon/lat, where a
# line that is straight in the raster's plane bows by up to 2 mm over this length.
LONGEST_RUN_M = 250.0
_MEAN_RADIUS_M = 6_371_000.0


@dataclass(frozen=True)
class Condition:
    """What a cell must hold: a value above or below a limit (both excluded), or one of some classes.

    Attributes
    ----------
    above, below
        Limits in the raster's unit; with both, values between them.
    classes
        Values of a categorical raster.

    Raises
    ------
    GeoError
        When nothing is asked, or both limits and classes are, or nothing can satisfy it.
    """

    above: float | None = None
    below: float | None = None
    classes: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        """Check that some value satisfies it."""
        limits = [limit for limit in (self.above, self.below) if limit is not None]
        if self.classes is None and not limits:
            msg = "The condition asks for nothing; give above, below or classes."
            raise GeoError(msg)
        if self.classes is not None and limits:
            msg = "The condition asks for classes and for limits; give the one or the other."
            raise GeoError(msg)
        if self.classes is not None and not len(self.classes):
            msg = "The condition's list of classes is empty; name at least one."
            raise GeoError(msg)
        if any(math.isnan(value) for value in (*limits, *(self.classes or ()))):
            msg = f"{self} holds NaN; give numbers in the raster's unit."
            raise GeoError(msg)
        if self.above is not None and self.below is not None and self.above >= self.below:
            msg = f"No value is above {self.above:g} and below {self.below:g}; the limits are swapped."
            raise GeoError(msg)

    def holds(self, values: np.ndarray) -> np.ndarray:
        """Whether each value satisfies it; NaN never does."""
        if self.classes is not None:
            return np.isin(values, np.asarray(self.classes, dtype=np.float64))
        hold = ~np.isnan(values)
        if self.above is not None:
            hold &= values > self.above
        if self.below is not None:
            hold &= values < self.below
        return hold


def raster_polygons(
    dataset: Raster,
    condition: Condition,
    *,
    bounds_lonlat: tuple[float, float, float, float],
    band: int = 1,
    crs: Any = None,
) -> np.ndarray:
    """Outline the cells that satisfy a condition.

    Unknown cells (nodata, masked, NaN) satisfy none. The raster is read in windows of 4 million cells, and
    areas are cut at the windows' borders, which lie on one lattice whatever the bounds; polygons that meet
    there touch, with gaps or overlaps of up to 2 mm. A line that is straight in the raster's plane bows in
    lon/lat: it gets a vertex every 250 m.

    Parameters
    ----------
    dataset
        Open raster.
    condition
        What the cells hold.
    bounds_lonlat
        West, south, east, north in degrees: all cells that meet them are outlined, and some around them.
    band, crs
        As in `geo.zonal.zonal`.

    Returns
    -------
    Valid shapely polygons, lon/lat WGS84, shape (n,); cells joined along edges, not at corners.

    Raises
    ------
    CrsError
        When the raster has no CRS and none is given.
    GeoError
        For a band that is not there or complex.
    GeometryError
        For bounds that are no degrees, or swapped.
    """
    check_band(dataset, band)
    stated = raster_crs(dataset, crs)
    west, south, east, north = (float(value) for value in bounds_lonlat)
    if not (-180.0 <= west <= east <= 180.0 and -90.0 <= south <= north <= 90.0):
        msg = f"The bounds {tuple(bounds_lonlat)} are not west, south, east, north in degrees."
        raise GeometryError(msg)
    column0, row0, column1, row1 = _cells(dataset, stated, (west, south, east, north))
    found = [
        _of_window(dataset, condition, band, (column, row))
        for row in range(row0 // WINDOW * WINDOW, row1, WINDOW)
        for column in range(column0 // WINDOW * WINDOW, column1, WINDOW)
    ]
    outlines = np.concatenate([np.empty(0, dtype=object), *found])
    if is_lonlat(stated):
        return outlines
    to_lonlat = pyproj.Transformer.from_crs(stated, LONLAT, always_xy=True)
    outlines = shapely.segmentize(outlines, LONGEST_RUN_M / _metres_per_unit(stated))
    return shapely.transform(outlines, to_lonlat.transform, interleaved=False)


def _of_window(
    dataset: Raster, condition: Condition, band: int, corner: tuple[int, int]
) -> np.ndarray:
    """Polygons, in the raster's plane, of the cells of one window that satisfy the condition."""
    column, row = corner
    height, width = dataset.shape
    window = ((row, min(row + WINDOW, height)), (column, min(column + WINDOW, width)))
    cells = _patches(condition.holds(read_values(dataset, band, window)))
    a, b, c, d, e, f = dataset.transform[:6]

    def place(xy: np.ndarray) -> np.ndarray:
        x, y = xy[:, 0] + column, xy[:, 1] + row
        return np.column_stack([a * x + b * y + c, d * x + e * y + f])

    return shapely.transform(cells, place)


def _patches(hold: np.ndarray) -> np.ndarray:
    """Draw valid polygons in whole columns and rows around the patches of cells that hold."""
    patches = np.zeros((hold.shape[0] + 2, hold.shape[1] + 2), dtype=np.int64)
    count = ndimage.label(hold, output=patches[1:-1, 1:-1])
    none = (
        np.empty((0, 2), dtype=np.int64),
        np.empty(0, np.int64),
        np.empty(0, np.int64),
        np.empty(0, bool),
    )
    rings, length = _outline.trace(patches, np.zeros(patches.shape, dtype=bool), *none, True)
    corners, ring_end = np.empty((length, 2), dtype=np.int64), np.empty(rings, dtype=np.int64)
    ring_patch, is_hole = np.empty(rings, dtype=np.int64), np.empty(rings, dtype=bool)
    _outline.trace(
        patches, np.zeros(patches.shape, dtype=bool), corners, ring_end, ring_patch, is_hole, False
    )
    outlines = np.diff(ring_end, prepend=0)
    # Rings by patch, each patch's shell first.
    order = np.lexsort((is_hole, ring_patch))
    start = np.concatenate([[0], np.cumsum(outlines[order])])
    vertex = np.repeat(ring_end[order] - outlines[order] - start[:-1], outlines[order]) + np.arange(
        length
    )
    part_start = np.searchsorted(ring_patch[order], np.arange(1, count + 2))
    return shapely.from_ragged_array(
        shapely.GeometryType.POLYGON, corners[vertex].astype(np.float64), (start, part_start)
    )


def _cells(
    dataset: Raster, crs: pyproj.CRS, bounds: tuple[float, float, float, float]
) -> tuple[int, int, int, int]:
    """First and last column and row of the raster that bounds in lon/lat meet; empty when none."""
    west, south, east, north = bounds
    # The border of the bounds every hundredth, which bows in the raster's plane.
    share = np.linspace(0.0, 1.0, 101)
    lon = np.concatenate(
        [west + share * (east - west)] * 2 + [np.full(101, west), np.full(101, east)]
    )
    lat = np.concatenate(
        [np.full(101, south), np.full(101, north)] + [south + share * (north - south)] * 2
    )
    if not is_lonlat(crs):
        lon, lat = pyproj.Transformer.from_crs(LONLAT, crs, always_xy=True).transform(lon, lat)
    a, b, c, d, e, f = dataset.transform[:6]
    x, y = lon - c, lat - f
    determinant = a * e - b * d
    column, row = (e * x - b * y) / determinant, (a * y - d * x) / determinant
    height, width = dataset.shape
    if not (np.isfinite(column).all() and np.isfinite(row).all()):
        return 0, 0, width, height
    # Between two of the border's points it bows by less than a hundredth of its span.
    slack = 1.0 + 0.01 * max(np.ptp(column), np.ptp(row))
    return (
        int(np.clip(np.floor(column.min() - slack), 0, width)),
        int(np.clip(np.floor(row.min() - slack), 0, height)),
        int(np.clip(np.ceil(column.max() + slack), 0, width)),
        int(np.clip(np.ceil(row.max() + slack), 0, height)),
    )


def _metres_per_unit(crs: pyproj.CRS) -> float:
    """Length of a unit of a CRS: of a metre or foot, or of a degree along a meridian."""
    factor = crs.axis_info[0].unit_conversion_factor if crs.axis_info else 1.0
    return factor * (_MEAN_RADIUS_M if crs.is_geographic else 1.0)
