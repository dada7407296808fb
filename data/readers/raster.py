"""Rasters are measured where they lie: a raw table only says what the file is."""

import pyarrow as pa
import rasterio

from data.errors import ReadError
from data.readers._artefact import Artefact


def read_raster(artefact: Artefact) -> pa.Table:
    """Describe a raster in one row: band, size, CRS, nodata and type; no pixel is read."""
    with artefact.on_disk() as path, rasterio.open(path) as raster:
        if raster.crs is None:
            message = f"{artefact.label} states no CRS."
            raise ReadError(message, "A raster without a CRS cannot be laid over parcels.")
        return pa.table(
            {
                "width": pa.array([raster.width], pa.int64()),
                "height": pa.array([raster.height], pa.int64()),
                "bands": pa.array([raster.count], pa.int64()),
                "dtype": [str(raster.dtypes[0])],
                "nodata": pa.array([raster.nodata], pa.float64()),
                "crs": [raster.crs.to_string()],
                "cell_size": pa.array([float(raster.res[0])], pa.float64()),
            }
        )
