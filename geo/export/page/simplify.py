"""Outlines for the small zooms: what a pixel cannot show is left out, and neighbours keep one border."""

from collections.abc import Iterator

import geopandas as gpd
import numpy as np
import shapely

from geo.export.page.tiles import TileLayer

# A tile is drawn 512 pixels wide.
_TILE_PIXELS = 512
# Of a pixel that a border may move.
_MOVED_PIXELS = 0.35
_WORLD_DEGREES = 360.0


def layers_by_zoom(
    name: str, frame: gpd.GeoDataFrame, zooms: tuple[int, ...], min_zoom: int = 0
) -> list[TileLayer]:
    """Give a layer of polygons or lines as one a run of zooms, with outlines as plain as each run can show.

    Parameters
    ----------
    name
        Of the layer.
    frame
        Features in OGC:CRS84.
    zooms
        Last zoom of each run, rising.
    min_zoom
        First zoom of the first run.

    Returns
    -------
    list
        Layers with the rows of the frame, in the same order: every feature is in each of them.
    """
    firsts = [min_zoom, *(zoom + 1 for zoom in zooms[:-1])]
    runs = list(zip(firsts, zooms, strict=True))
    plain = _plain(frame.geometry.to_numpy(), [last for _, last in runs])
    return [
        TileLayer(name, _with(frame, geometry), first, last)
        for (first, last), geometry in zip(reversed(runs), plain, strict=True)
    ]


def _with(frame: gpd.GeoDataFrame, geometry: np.ndarray) -> gpd.GeoDataFrame:
    changed = frame.copy(deep=False)
    changed.geometry = gpd.GeoSeries(geometry, index=frame.index, crs=frame.crs)
    return changed


def _plain(geometry: np.ndarray, zooms: list[int]) -> Iterator[np.ndarray]:
    """Outlines for each zoom, the largest first: each is made from the one before."""
    # Neighbours that share their borders vertex by vertex go on doing so, and none shrinks to nothing.
    is_coverage = bool(np.isin(shapely.get_type_id(geometry), [3, 6]).all()) and bool(
        shapely.coverage_is_valid(geometry)
    )
    for zoom in reversed(zooms):
        degrees = _MOVED_PIXELS * _WORLD_DEGREES / (_TILE_PIXELS * 2**zoom)
        if is_coverage:
            geometry = shapely.coverage_simplify(geometry, degrees)
        else:
            geometry = shapely.simplify(geometry, degrees, preserve_topology=True)
        yield geometry
