"""Rasters are measured where they lie: a raw table only says what the file is."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import rasterio
from rasterio.io import DatasetReader
from rasterio.warp import transform_bounds

from data.catalogue import Source, Table
from data.errors import CatalogueError, ReadError
from data.readers._artefact import Artefact, artefacts_of
from data.readers._geometry import parse_crs

RASTER = "raster"


@dataclass(frozen=True)
class OpenRaster:
    """A raster that is open for reading, and the CRS that its entry says it has.

    Attributes
    ----------
    dataset
        The raster; its own CRS counts where `crs` is None.
    crs
        CRS as text, where the file states a wrong or a clumsy one.
    """

    dataset: DatasetReader
    crs: str | None

    def bounds_lonlat(self) -> tuple[float, float, float, float]:
        """West, south, east and north of the raster in degrees."""
        return transform_bounds(self.crs or self.dataset.crs, "OGC:CRS84", *self.dataset.bounds)


def read_raster(artefact: Artefact, *, crs: str | None = None) -> pa.Table:
    """Describe a raster in one row: band, size, CRS, nodata and type; no pixel is read.

    `crs` wins over what the file states, for files known to state it wrongly or not at all.
    """
    with artefact.on_disk() as path, rasterio.open(path) as raster:
        if crs is None and raster.crs is None:
            message = f"{artefact.label} states no CRS."
            raise ReadError(message, "Set the reader option 'crs' in the catalogue entry.")
        return pa.table(
            {
                "width": pa.array([raster.width], pa.int64()),
                "height": pa.array([raster.height], pa.int64()),
                "bands": pa.array([raster.count], pa.int64()),
                "dtype": [str(raster.dtypes[0])],
                "nodata": pa.array([raster.nodata], pa.float64()),
                "crs": [raster.crs.to_string() if crs is None else crs],
                "cell_size": pa.array([float(raster.res[0])], pa.float64()),
            }
        )


def raster_table(source: Source) -> Table:
    """Return the one table of a source that is read as a raster.

    Raises
    ------
    CatalogueError
        The source is no raster.
    """
    tables = [table for table in source.tables.values() if table.reader == RASTER]
    if len(tables) != 1:
        message = f"Source {source.id!r} is not read as a raster."
        raise CatalogueError(message, "Name a source whose reader is 'raster'.")
    return tables[0]


@contextmanager
def open_raster(source: Source, path: Path) -> Generator[OpenRaster]:
    """Open the raster of a source that was pulled, for the block.

    Parameters
    ----------
    source
        Its catalogue entry, with one table that is read as a raster.
    path
        The pulled file.

    Raises
    ------
    CatalogueError
        The source is no raster, or its CRS is not understood.
    ReadError
        The file is no raster, or states no CRS and its entry gives none.
    """
    table = raster_table(source)
    (artefact,) = artefacts_of(path, table.members)
    crs = table.options.get("crs")
    if crs is not None:
        parse_crs(crs, artefact.label)
    with artefact.on_disk() as file:
        try:
            dataset = rasterio.open(file)
        except rasterio.RasterioIOError as error:
            message = f"{artefact.label} cannot be read as raster: {str(error).splitlines()[0]}"
            raise ReadError(message, f"Pull source {source.id!r} again.") from error
        with dataset:
            if crs is None and dataset.crs is None:
                message = f"{artefact.label} states no CRS."
                raise ReadError(message, "Set the reader option 'crs' in the catalogue entry.")
            yield OpenRaster(dataset, crs)
