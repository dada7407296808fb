"""What geo asks of a raster: the part of an open rasterio dataset that kernels read from."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
import pyproj

from geo.errors import CrsError, GeoError

LONLAT = "OGC:CRS84"
# First and last row, first and last column of a window, the last ones excluded.
Window = tuple[tuple[int, int], tuple[int, int]]


class Transform(NamedTuple):
    """Columns and rows to the plane: x = a column + b row + c, y = d column + e row + f."""

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float


@dataclass(frozen=True)
class Lattice:
    """Cells in rows and columns: how many, and where they lie in the plane."""

    transform: Transform
    shape: tuple[int, int]

    @classmethod
    def of(cls, transform: Any, shape: tuple[int, int]) -> Self:
        """Take the first six numbers of an affine transform."""
        return cls(Transform(*(float(number) for number in tuple(transform)[:6])), shape)

    def places(self, column: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates in the plane of places given in columns and rows, 0.5 the middle of the first."""
        a, b, c, d, e, f = self.transform
        return a * column + b * row + c, d * column + e * row + f

    def centres(self, cell_no: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates in the plane of the centres of cells, counted along the rows."""
        row, column = np.divmod(cell_no, self.shape[1])
        return self.places(column + 0.5, row + 0.5)

    def part(self, row: int, column: int, shape: tuple[int, int], times: int = 1) -> "Lattice":
        """Lattice of so many cells from a row and column on, each `times` as wide and high."""
        a, b, _, d, e, _ = self.transform
        x, y = self.places(np.array(float(column)), np.array(float(row)))
        return Lattice.of((a * times, b * times, x, d * times, e * times, y), shape)


class Raster(Protocol):
    """An open raster, as rasterio gives it; geo itself opens none."""

    @property
    def name(self) -> str:
        """Path or name, for messages."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""

    @property
    def count(self) -> int:
        """Bands."""

    @property
    def dtypes(self) -> Sequence[str]:
        """Type of each band's values."""

    @property
    def crs(self) -> Any:
        """Coordinate reference system with `to_wkt`, or None."""

    @property
    def transform(self) -> Any:
        """Affine transform of columns and rows to the plane: a, b, c, d, e, f first."""

    @property
    def scales(self) -> Sequence[float]:
        """Factor of each band's values."""

    @property
    def offsets(self) -> Sequence[float]:
        """Summand of each band's values, after the factor."""

    @property
    def mask_flag_enums(self) -> Sequence[Sequence[Any]]:
        """Where each band's mask comes from."""

    def read(self, indexes: int, *, window: Window) -> np.ndarray:
        """Values of a window of a band."""

    def read_masks(self, indexes: int, *, window: Window) -> np.ndarray:
        """Mask of a window of a band: 0 where unknown."""


def raster_crs(dataset: Raster, crs: Any = None) -> pyproj.CRS:
    """CRS of a raster: the one given, or else the one that it states.

    Raises
    ------
    CrsError
        When there is neither, or the one given is none.
    """
    if crs is None and not dataset.crs:
        msg = f"The raster {dataset.name} states no CRS; say which it is with crs."
        raise CrsError(msg)
    try:
        return _crs(dataset.crs.to_wkt() if crs is None else crs)
    except pyproj.exceptions.CRSError as error:
        msg = f"The CRS {crs!r} of the raster {dataset.name} is none that PROJ knows."
        raise CrsError(msg) from error


def check_band(dataset: Raster, band: int) -> None:
    """Stop at a band that is not there, or whose values are complex.

    Raises
    ------
    GeoError
        It names the raster and its bands.
    """
    if not 1 <= band <= dataset.count:
        msg = f"The raster {dataset.name} has no band {band}; it has {dataset.count}."
        raise GeoError(msg)
    if dataset.dtypes[band - 1].startswith("complex"):
        msg = (
            f"Band {band} of the raster {dataset.name} holds complex numbers, which have no order."
        )
        raise GeoError(msg)


def read_values(dataset: Raster, band: int, window: Window) -> np.ndarray:
    """Read a window as float64 with scale and offset applied, NaN where it is masked or nodata."""
    values = dataset.read(band, window=window).astype(np.float64)
    if all(flag.name != "all_valid" for flag in dataset.mask_flag_enums[band - 1]):
        values[dataset.read_masks(band, window=window) == 0] = np.nan
    scale, offset = dataset.scales[band - 1], dataset.offsets[band - 1]
    if (scale, offset) != (1.0, 0.0):
        values *= scale
        values += offset
    return values


@functools.lru_cache(maxsize=32)
def _crs(crs: Any) -> pyproj.CRS:
    return pyproj.CRS.from_user_input(crs)
