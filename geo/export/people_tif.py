"""People as a GeoTIFF that mapping tools read: one number of people a cell of 30 arc seconds."""

from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import Affine

from geo.export._files import replacing
from geo.export.model import ExportNote
from geo.people_grid import PeopleGrid
from geo.people_units import MILLI

# As WorldPop writes where nobody is counted.
NODATA = -99_999.0
CRS = "EPSG:4326"
BLOCK = 256


def write(path: Path, grid: PeopleGrid, note: ExportNote, *, source: str, method: str) -> Path:
    """Write a grid of people as a deflated GeoTIFF of float32 in EPSG:4326.

    Each number is right to one in 16 million, as float32 holds them. Cells with nobody are nodata. The
    tags of the file say where the people come from, how many they are, and whether the grid behind the run
    is synthetic. The same grid and note give the same bytes.

    Parameters
    ----------
    path
        A `.tif` file.
    grid
        People by cell.
    note
        Provenance and terms.
    source, method
        Titles of the sources that tell of people, and how people were put at points.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    GeoError
        If the file cannot be written.
    """
    people = np.where(grid.milli > 0, grid.milli / MILLI, NODATA).astype(np.float32)
    total = int(grid.milli.sum()) / MILLI
    with (
        replacing(path) as target,
        rasterio.open(
            target,
            "w",
            driver="GTiff",
            height=people.shape[0],
            width=people.shape[1],
            count=1,
            dtype="float32",
            crs=CRS,
            transform=Affine(*grid.lattice.transform),
            nodata=NODATA,
            compress="deflate",
            predictor=3,
            tiled=True,
            blockxsize=BLOCK,
            blockysize=BLOCK,
        ) as file,
    ):
        file.write(people, 1)
        file.set_band_description(1, "people")
        file.update_tags(
            **note.items(),
            people_source=source,
            people_method=method,
            people_total=f"{total:.3f}",
            unit="people a cell",
        )
    return path
