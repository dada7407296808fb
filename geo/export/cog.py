"""Cloud-optimized GeoTIFF: where a workload scores how well, one number a cell."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
from rasterio.enums import ColorInterp
from rasterio.io import DatasetWriter
from rasterio.shutil import copy  # ty: ignore[import-not-found]
from rasterio.windows import Window

from geo.errors import GeoError
from geo.export._files import replacing, write_each
from geo.export._text import joined
from geo.export.model import ExportLayer, ExportNote
from geo.export.suitability import (
    CRS,
    RasterGrid,
    grid_over,
    in_plane,
    numbered_windows,
    resolution_of,
)

NODATA = 255
BEST = 100
BLOCK = 512
# Score to colour, straight lines between. Half of the candidates score 60 to 85, so most of the ramp lies there; one
# ramp for all workloads, so that a colour means one score. Dark is good, as on the other maps.
RAMP = (
    (0, "#f8f6e3"),
    (50, "#dcebc0"),
    (65, "#8fd3b6"),
    (77, "#2fa3bd"),
    (88, "#1f63a8"),
    (100, "#0b1f66"),
)


@dataclass(frozen=True)
class Scores:
    """What one raster shows.

    Parameters
    ----------
    title
        For people.
    values
        Score of each shape, 0 to 100, NaN for those that are no candidates, (n,).
    """

    title: str
    values: np.ndarray

    def codes(self) -> np.ndarray:
        """Give the values as they are stored: (n + 1,) uint8 by number of the shape, the first for no shape."""
        if (self.values < 0).any() or (self.values > BEST).any():
            msg = f"{self.title} has scores beyond 0 to {BEST}."
            raise GeoError(msg)
        codes = np.where(np.isnan(self.values), NODATA, np.rint(self.values)).astype(np.uint8)
        return np.concatenate([np.array([NODATA], dtype=np.uint8), codes])


def write(
    path: Path,
    layers: Sequence[ExportLayer],
    note: ExportNote,
    *,
    resolution_m: float | None = None,
) -> Path:
    """Write the scores of layers as rasters, one file a layer.

    A cell takes the score of the feature that holds its centre, the first of the layer where several do. Features
    without a `rank` are no candidates, and nodata. See `write_scores` for the file.

    Parameters
    ----------
    path
        A `.tif` file for one layer, else a folder that receives one file a layer.
    layers
        Areas with the columns `score` and `rank`.
    note
        Provenance and terms.
    resolution_m
        Side of a cell, m; by the size of the features where it is left out.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    GeoError
        If a layer has no scores or no areas.
    """
    return write_each(
        path, layers, ".tif", partial(_write_layer, note=note, resolution_m=resolution_m)
    )


def write_scores(
    rasters: Mapping[Path, Scores],
    shapes: gpd.GeoSeries,
    note: ExportNote,
    *,
    resolution_m: float | None = None,
) -> list[Path]:
    """Write several rasters over the same shapes, finding the shape of each cell once.

    EPSG:5070, uint8: whole points from 0 to 100, 255 nodata, a colour for each. Overviews are of the nearest cell:
    each of their scores is that of some place, where an average of colours would be that of none and would blur
    who is a candidate. Statistics are of all cells, not a sample. Memory is bounded by windows. The same shapes,
    scores and note give the same bytes.

    Parameters
    ----------
    rasters
        `.tif` files and what they show.
    shapes
        Areas in OGC:CRS84, (n,).
    note
        Provenance and terms.
    resolution_m
        Side of a cell, m; by the size of the shapes where it is left out.

    Returns
    -------
    list
        The files.

    Raises
    ------
    GeoError
        If there is no area, or a score is beyond 0 to 100.
    """
    plane = in_plane(shapes)
    grid = grid_over(plane, resolution_m or resolution_of(plane))
    with ExitStack() as stack:
        targets = [stack.enter_context(replacing(path)) for path in rasters]
        _write(dict(zip(targets, rasters.values(), strict=True)), plane, grid, note)
    return list(rasters)


def colour_table() -> dict[int, tuple[int, int, int, int]]:
    """Red, green, blue and opacity of every stored number, 0 to 255 each."""
    points, colours = zip(*RAMP, strict=True)
    channels = np.array([[int(text[k : k + 2], 16) for k in (1, 3, 5)] for text in colours])
    scores = np.arange(BEST + 1)
    mixed = [np.rint(np.interp(scores, points, channel)).astype(int) for channel in channels.T]
    table = dict.fromkeys(range(BEST + 1, NODATA + 1), (0, 0, 0, 0))
    return table | {
        int(score): (int(red), int(green), int(blue), 255)
        for score, red, green, blue in zip(scores, *mixed, strict=True)
    }


def _write_layer(
    path: Path, layer: ExportLayer, *, note: ExportNote, resolution_m: float | None
) -> None:
    if missing := {"score", "rank"} - set(layer.columns):
        msg = (
            f"Layer {layer.name!r} has no {' and no '.join(sorted(missing))}: "
            "a raster shows scores of what is ranked."
        )
        raise GeoError(msg)
    frame = layer.frame
    plane = in_plane(frame.geometry)
    grid = grid_over(plane, resolution_m or resolution_of(plane))
    ranked = (frame["rank"].notna() & frame["score"].notna()).to_numpy()
    values = pd.to_numeric(frame["score"][ranked]).to_numpy(dtype=float, na_value=np.nan)
    _write({path: Scores(layer.title, values)}, plane[ranked], grid, note)


def _write(
    targets: Mapping[Path, Scores], plane: np.ndarray, grid: RasterGrid, note: ExportNote
) -> None:
    """Fill plain tiled files window by window, then have GDAL order them as the format wants."""
    fills = [_Fill(path, scores, grid) for path, scores in targets.items()]
    with ExitStack() as stack:
        for fill in fills:
            stack.enter_context(fill.file)
        for window, numbers in numbered_windows(plane, grid):
            for fill in fills:
                fill.put(window, numbers)
        for fill in fills:
            fill.describe(note, grid)
    for fill in fills:
        # The ordered file is made beside the plain one, then takes its place.
        ordered = fill.path.with_name("ordered.tif")
        copy(
            fill.path,
            ordered,
            driver="COG",
            compress="DEFLATE",
            level=9,
            blocksize=BLOCK,
            overviews="IGNORE_EXISTING",
            overview_resampling="NEAREST",
            num_threads=1,
        )
        ordered.replace(fill.path)


@dataclass
class _Fill:
    """One raster that is being written."""

    path: Path
    scores: Scores
    grid: RasterGrid
    file: DatasetWriter = field(init=False)
    codes: np.ndarray = field(init=False)
    counts: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.codes = self.scores.codes()
        self.counts = np.zeros(NODATA + 1, dtype=np.int64)
        self.file = rasterio.open(
            self.path,
            "w",
            driver="GTiff",
            width=self.grid.width,
            height=self.grid.height,
            count=1,
            dtype="uint8",
            crs=CRS,
            transform=self.grid.transform,
            nodata=NODATA,
            compress="deflate",
            zlevel=1,
            tiled=True,
            blockxsize=BLOCK,
            blockysize=BLOCK,
            photometric="palette",
        )

    def put(self, window: Window, numbers: np.ndarray | None) -> None:
        """Write a window, given the numbers of the shapes in it."""
        cells = np.zeros((window.height, window.width), np.int32) if numbers is None else numbers
        block = self.codes[cells]
        self.counts += np.bincount(block.ravel(), minlength=len(self.counts))
        self.file.write(block, 1, window=window)

    def describe(self, note: ExportNote, grid: RasterGrid) -> None:
        """Give colours, statistics and tags, all windows being there."""
        self.file.write_colormap(1, colour_table())
        self.file.colorinterp = [ColorInterp.palette]
        self.file.set_band_description(1, "score")
        self.file.set_band_unit(1, "points")
        self.file.update_tags(1, **_statistics(self.counts))
        tags = note.items()
        said = [
            tags.get("restriction", ""),
            f"{self.scores.title}: score of the candidates, 0 to {BEST} points.",
            tags.get("synthetic_note", ""),
        ]
        self.file.update_tags(
            **tags,
            title=self.scores.title,
            description=joined(said, " "),
            unit="points",
            cell=f"{grid.resolution_m:g} m; the score of what holds its centre, {NODATA} where that is no candidate",
            AREA_OR_POINT="Area",
            TIFFTAG_SOFTWARE=tags["tool"],
            TIFFTAG_DATETIME=f"{note.run_date:%Y:%m:%d} 00:00:00",
        )


def _statistics(counts: np.ndarray) -> dict[str, str]:
    """Give GDAL's names of the statistics of all cells that are not nodata; none where all are."""
    scores = np.arange(NODATA)
    known = counts[:NODATA]
    total = int(known.sum())
    share = {"STATISTICS_VALID_PERCENT": f"{100 * total / max(int(counts.sum()), 1):.4g}"}
    if not total:
        return share
    mean = float((known * scores).sum() / total)
    variance = float((known * (scores - mean) ** 2).sum() / total)
    return {
        "STATISTICS_MINIMUM": str(int(scores[known > 0].min())),
        "STATISTICS_MAXIMUM": str(int(scores[known > 0].max())),
        "STATISTICS_MEAN": repr(mean),
        "STATISTICS_STDDEV": repr(variance**0.5),
    } | share
