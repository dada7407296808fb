"""Archives of vector tiles for the page: PMTiles with a layer or several, made by freestiler."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import freestiler
import geopandas as gpd

# Geographic extent of Web Mercator.
MAX_LATITUDE = 85.05112877980659


@dataclass(frozen=True, eq=False)
class TileLayer:
    """One layer of an archive; a feature's id is the number of its row, from 1.

    Parameters
    ----------
    name
        What the style calls it.
    frame
        Features in OGC:CRS84; columns beside the geometry are carried as attributes.
    min_zoom, max_zoom
        Zooms that show it; beyond the last one the page draws that one larger.
    """

    name: str
    frame: gpd.GeoDataFrame
    min_zoom: int
    max_zoom: int


def write_archive(path: Path, layers: Sequence[TileLayer]) -> None:
    """Write layers as one PMTiles archive of gzipped vector tiles.

    Parameters
    ----------
    path
        File to write, .pmtiles.
    layers
        At least one, none of them empty.
    """
    freestiler.freestile(
        {
            layer.name: freestiler.freestile_layer(
                layer.frame, min_zoom=layer.min_zoom, max_zoom=layer.max_zoom
            )
            for layer in layers
        },
        path,
        min_zoom=min(layer.min_zoom for layer in layers),
        max_zoom=max(layer.max_zoom for layer in layers),
        generate_ids=True,
        quiet=True,
    )
