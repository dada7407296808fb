"""PMTiles: one file of vector tiles for web maps, with more detail the nearer one looks."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import freestiler
import geopandas as gpd
import numpy as np
import shapely

from geo.errors import GeoError
from geo.export._files import check_layers, replacing
from geo.export._text import joined
from geo.export._tile_archive import join_archives
from geo.export.model import ExportLayer, ExportNote, in_epsg_4326

# What tiles carry, with the decimals that numbers keep. Every attribute is paid for in each tile that a feature
# touches, so whoever wants the other columns opens one of the other files by the id.
DETAIL: dict[str, int | None] = {
    "region_id": None,
    "region_name": None,
    "parcel_id": None,
    "parcel_name": None,
    "substation_id": None,
    "substation_name": None,
    "metro_id": None,
    "metro_name": None,
    "rank": None,
    "score": 1,
    "gate_status": None,
    "capacity_mw": 0,
    "headroom_mw_mid": 0,
    "cost_mid": 1,
}
# What parcels carry where they are a few pixels wide.
OVERVIEW = ("rank", "score")
# Other tables carry the first columns that they have.
MOST_COLUMNS = 8
LOWEST_ZOOM, LAST_ZOOM = 0, 8
# Parcels are shown over three zooms, the last being the first at which half of them are this wide.
PARCEL_ZOOMS, PIXELS_WIDE = 3, 16
FINEST_ZOOM = 12
# At zoom 0 a tile of 512 pixels goes around the equator.
METRES_A_PIXEL = 40_075_016.686 / 512
CENTRE_ZOOM = 4
METRES_A_DEGREE = 111_320.0


@dataclass(frozen=True, eq=False)
class _Tiled:
    """A layer of the tiles."""

    name: str
    source: ExportLayer
    frame: gpd.GeoDataFrame
    first_zoom: int
    last_zoom: int

    @property
    def is_parcels(self) -> bool:
        return self.first_zoom > LOWEST_ZOOM


def write(path: Path, layers: Sequence[ExportLayer], note: ExportNote) -> Path:
    """Write all layers to one PMTiles archive of gzipped Mapbox vector tiles.

    Regions are in every tile from zoom 0 on, a layer of tiles for each kind (`county`, `state`, ...). Parcels are in
    the layer `parcel` at the last three zooms, 6 to 8 for cells of 37 km2: with rank and score, and at the last with
    their id, name, gate status, headroom and cost. No feature is dropped at any zoom. The ids of features count
    from 1 through all layers of the tiles, the same at every zoom. Features without geometry are left out. Metadata carry the note; the attribution,
    which viewers show as HTML, is escaped. The same layers and note give the same bytes.

    Parameters
    ----------
    path
        A `.pmtiles` file.
    layers
        What to write.
    note
        Provenance and terms.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    GeoError
        If no feature has a place.
    """
    path = Path(path)
    check_layers(layers)
    tiled = _tiled(layers)
    if not tiled:
        msg = f"{path.name} would have no tile: no feature has a place."
        raise GeoError(msg)
    last = max(layer.last_zoom for layer in tiled)
    lowest = min(layer.first_zoom for layer in tiled)
    with replacing(path) as temporary:
        parts = []
        # Attributes of a layer are the same at all zooms of a pass, hence two.
        for first, end in ((lowest, last - 1), (last, last)):
            shown = [layer for layer in tiled if layer.first_zoom <= end]
            if first > end or not shown:
                continue
            part = temporary.with_name(f"part-{first}.pmtiles")
            _make(part, shown, first, end, is_last=end == last)
            parts.append(part)
        join_archives(
            temporary,
            parts,
            metadata=_metadata(tiled, note, last),
            centre_zoom=max(CENTRE_ZOOM, lowest),
        )
    return path


def _tiled(layers: Sequence[ExportLayer]) -> list[_Tiled]:
    found: list[_Tiled] = []
    for layer in layers:
        frame = in_epsg_4326(layer)
        frame = frame[frame.geometry.notna()]
        if not len(frame):
            continue
        if "parcel_id" in layer.columns and "region_kind" not in layer.columns:
            last = _last_zoom(frame)
            found.append(_Tiled("parcel", layer, frame, last - PARCEL_ZOOMS + 1, last))
        elif "region_kind" in layer.columns:
            found += [
                _Tiled(str(kind), layer, rows, LOWEST_ZOOM, LAST_ZOOM)
                for kind, rows in frame.groupby("region_kind")
            ]
        else:
            found.append(_Tiled(layer.name, layer, frame, LOWEST_ZOOM, LAST_ZOOM))
    names = [each.name for each in found]
    last = max((each.last_zoom for each in found), default=LAST_ZOOM)
    return [
        _Tiled(
            # Two rankings in one archive go by the names of their tables.
            each.name if names.count(each.name) == 1 else f"{each.source.name}_{each.name}",
            each.source,
            each.frame,
            each.first_zoom,
            # A viewer enlarges the last zoom of an archive, not that of a layer.
            last,
        )
        for each in found
    ]


def _last_zoom(frame: gpd.GeoDataFrame) -> int:
    """Give the first zoom at which half of the features are wide enough to be told apart."""
    shapes = frame.geometry.to_numpy()
    bounds = shapely.bounds(shapes)
    shrink = np.cos(np.deg2rad((bounds[:, 1] + bounds[:, 3]) / 2))
    side_m = np.sqrt(shapely.area(shapes) * shrink) * METRES_A_DEGREE
    pixels = float(np.median(side_m / shrink)) / METRES_A_PIXEL
    if pixels <= 0:
        return LAST_ZOOM
    return int(np.clip(np.ceil(np.log2(PIXELS_WIDE / pixels)), LAST_ZOOM, FINEST_ZOOM))


def _make(path: Path, tiled: Sequence[_Tiled], first: int, last: int, *, is_last: bool) -> None:
    wanted: dict[str, gpd.GeoDataFrame | freestiler.FreestileLayer] = {
        layer.name: freestiler.freestile_layer(
            _attributes(layer, is_last=is_last),
            min_zoom=max(layer.first_zoom, first),
            max_zoom=last,
        )
        for layer in tiled
    }
    try:
        freestiler.freestile(wanted, path, min_zoom=first, max_zoom=last, quiet=True)
    except RuntimeError as error:
        msg = f"Tiles were not made: {error}."
        raise GeoError(msg) from error


def _attributes(layer: _Tiled, *, is_last: bool) -> gpd.GeoDataFrame:
    columns = _columns(layer)
    if layer.is_parcels and not is_last:
        columns = [column for column in columns if column in OVERVIEW]
    kept = layer.frame[[*columns, "geometry"]]
    rounded = {}
    for column in columns:
        decimals = DETAIL.get(column)
        if decimals is not None and kept[column].dtype.kind == "f":
            numbers = kept[column].round(decimals)
            rounded[column] = numbers if decimals else numbers.astype("Int64")
    return kept.assign(**rounded)


def _columns(layer: _Tiled) -> list[str]:
    there = layer.source.columns
    known = [column for column in DETAIL if column in there]
    return known or [column for column in there if column != "region_kind"][:MOST_COLUMNS]


def _metadata(tiled: Sequence[_Tiled], note: ExportNote, last: int) -> Mapping[str, Any]:
    items = note.items()
    titles = list(dict.fromkeys(layer.source.title for layer in tiled))
    said = [
        items.get("restriction", ""),
        f"{', '.join(titles)}, run {note.run_id} of {note.run_date.isoformat()}.",
        items.get("synthetic_note", ""),
    ]
    return {
        "name": titles[0],
        "description": joined(said, " "),
        # Viewers put it on the map as HTML.
        "attribution": html.escape("; ".join(note.attributions)),
        "type": "overlay",
        "format": "pbf",
        "version": note.run_date.isoformat(),
        "generator": items["tool"],
        "vector_layers": [
            {
                "id": layer.name,
                "description": layer.source.title,
                "minzoom": layer.first_zoom,
                "maxzoom": last,
                "fields": {column: _kind(layer, column) for column in _columns(layer)},
            }
            for layer in tiled
        ],
        "columns": {
            column: layer.source.column_docs[column]
            for layer in tiled
            for column in _columns(layer)
            if column in layer.source.column_docs
        },
        "gridstead": items,
    }


def _kind(layer: _Tiled, column: str) -> str:
    kind = layer.source.frame[column].dtype
    if kind == "boolean" or kind.kind == "b":
        return "Boolean"
    return "Number" if kind.kind in "iuf" else "String"
