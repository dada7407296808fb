"""PMTiles archives of gzipped vector tiles, joined into one."""

import gzip
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from heapq import merge
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from pmtiles.reader import MmapSource, Reader, all_tiles
from pmtiles.tile import (
    Compression,
    MagicNumberNotFound,
    SpecVersionUnsupported,
    TileType,
    zxy_to_tileid,
)
from pmtiles.writer import Writer

from geo.errors import GeoError

SECTIONS = ("root", "metadata", "leaf_directory", "tile_data")
BOUNDS = {"min_lon_e7": min, "min_lat_e7": min, "max_lon_e7": max, "max_lat_e7": max}


def join_archives(
    target: Path,
    paths: Sequence[Path],
    *,
    metadata: Mapping[str, Any] | None = None,
    centre_zoom: int | None = None,
) -> None:
    """Write one archive that holds the tiles of several; a tile of two archives has the layers of both.

    Equal tiles are held once. The same archives give the same bytes.

    Parameters
    ----------
    target
        File to write.
    paths
        At least one. No two have a layer of one name in one tile.
    metadata
        What it carries instead of `vector_layers`, those of all archives; layers of one name become one.
    centre_zoom
        At which viewers open it, the lowest unless told.

    Raises
    ------
    GeoError
        If a file is no PMTiles 3 of gzipped vector tiles, or ends too early.
    """
    readers = [_reader(path) for path in paths]
    headers = [reader.header() for reader in readers]
    header: dict[str, Any] = {"tile_compression": Compression.GZIP, "tile_type": TileType.MVT}
    header |= {name: most(told[name] for told in headers) for name, most in BOUNDS.items()}
    if centre_zoom is not None:
        header["center_zoom"] = centre_zoom
    if metadata is None:
        metadata = {"vector_layers": _vector_layers(readers)}
    with target.open("wb") as out:
        writer = Writer(out)
        with closing(writer.tile_f):
            by_id = itemgetter(0)
            for tile_id, held in groupby(merge(*map(_tiles, readers), key=by_id), key=by_id):
                writer.write_tile(tile_id, _together([tile for _, tile in held]))
            writer.finalize(header, metadata)


def _reader(path: Path) -> Reader:
    try:
        with path.open("rb") as stream:
            reader = Reader(MmapSource(stream))
        header = reader.header()
        kinds = header["internal_compression"], header["tile_compression"], header["tile_type"]
        end = max(header[f"{part}_offset"] + header[f"{part}_length"] for part in SECTIONS)
        is_archive = (
            kinds == (Compression.GZIP, Compression.GZIP, TileType.MVT)
            and end <= path.stat().st_size
        )
    except (MagicNumberNotFound, SpecVersionUnsupported, ValueError, IndexError):
        is_archive = False
    if not is_archive:
        msg = f"{path.name} is no archive of tiles."
        raise GeoError(msg)
    return reader


def _tiles(reader: Reader) -> Iterator[tuple[int, bytes]]:
    return ((zxy_to_tileid(*place), tile) for place, tile in all_tiles(reader.get_bytes))


def _together(tiles: Sequence[bytes]) -> bytes:
    """Join gzipped tiles: layers are a repeated field, so their messages behind each other are one."""
    if len(tiles) == 1:
        return tiles[0]
    return gzip.compress(b"".join(map(gzip.decompress, tiles)), mtime=0)


def _vector_layers(readers: Sequence[Reader]) -> list[dict[str, Any]]:
    layers: dict[str, dict[str, Any]] = {}
    for reader in readers:
        for layer in reader.metadata()["vector_layers"]:
            held = layers.setdefault(layer["id"], layer)
            held["minzoom"] = min(held["minzoom"], layer["minzoom"])
            held["maxzoom"] = max(held["maxzoom"], layer["maxzoom"])
            held["fields"] = {**held["fields"], **layer["fields"]}
    return list(layers.values())
