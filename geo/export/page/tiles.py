"""Archives of vector tiles for the page: PMTiles with a layer or several, cut by freestiler."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import freestiler
import geopandas as gpd

from geo.export._tile_archive import join_archives


@dataclass(frozen=True, eq=False)
class TileLayer:
    """One layer of an archive at some zooms.

    An archive may have several of one name at different zooms: less detail at the smaller ones.

    Parameters
    ----------
    name
        What the style calls it.
    frame
        Features in OGC:CRS84; the id of each is the number of its row, from 1. Columns beside the geometry are
        carried as attributes.
    min_zoom, max_zoom
        Zooms that show it; beyond the last of all the page draws that one larger.
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
        File to write, .pmtiles; files beside it whose names begin alike are written for a while.
    layers
        At least one, none of them empty.
    """
    parts = []
    for number, layer in enumerate(layers):
        part = path.with_name(f"{path.stem}-{number:02d}.pmtiles")
        # Labelled so, it is not transformed.
        frame = layer.frame.copy(deep=False)
        frame.geometry = frame.geometry.set_crs("EPSG:4326", allow_override=True)
        # One layer a call, since ids go on from layer to layer.
        freestiler.freestile(
            frame,
            part,
            layer_name=layer.name,
            min_zoom=layer.min_zoom,
            max_zoom=layer.max_zoom,
            generate_ids=True,
            quiet=True,
        )
        parts.append(part)
    join_archives(path, parts)
    for part in parts:
        part.unlink()
