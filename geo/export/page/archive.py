"""Join PMTiles archives: each layer has ids of its own, and each zoom the features and the detail that suit it.

Version 3 of the PMTiles specification (public domain): a header of 127 bytes, a root directory within the first
16,384 bytes, JSON metadata, leaf directories, tiles. Directories are columns of varints, gzipped. Tiles are
numbered along the Hilbert curve of each zoom, zoom after zoom, so archives of rising zooms follow each other.
"""

import gzip
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# magic and version; offset and length of root, metadata, leaves and tiles; counts of tiles, entries and contents;
# is clustered, compression of directories and of tiles, kind of tile, zooms; bounds; centre's zoom and place.
_HEADER = struct.Struct("<7sB8Q3Q4B2B4iB2i")
_MAGIC = b"PMTiles"
_VERSION = 3
_ROOT_BYTES = 16_384
_LEAF_ENTRIES = 4_096
_GZIP = 2
_MVT = 1


@dataclass(frozen=True)
class _Entry:
    """Tiles `tile_id` to `tile_id + run - 1` have one content; a run of 0 points to a leaf directory."""

    tile_id: int
    offset: int
    length: int
    run: int


def join_archives(paths: Sequence[Path], target: Path) -> None:
    """Write one archive that holds the tiles of several; a tile of two archives has the layers of both.

    Parameters
    ----------
    paths
        PMTiles of gzipped vector tiles, at least one. No two have a layer of one name at one zoom.
    target
        File to write.

    Raises
    ------
    ValueError
        If a file is no such archive.
    """
    tiles: dict[int, bytes] = {}
    layers: dict[str, dict[str, Any]] = {}
    headers = []
    for path in paths:
        content = path.read_bytes()
        header = _HEADER.unpack_from(content)
        _check(header)
        headers.append(header)
        for entry in _entries(content, header, header[2], header[3]):
            start = header[8] + entry.offset
            tile = content[start : start + entry.length]
            for tile_id in range(entry.tile_id, entry.tile_id + entry.run):
                held = tiles.get(tile_id)
                tiles[tile_id] = tile if held is None else _both(held, tile)
        told = json.loads(gzip.decompress(content[header[4] : header[4] + header[5]]))
        for layer in told["vector_layers"]:
            held = layers.setdefault(layer["id"], layer)
            held["minzoom"] = min(held["minzoom"], layer["minzoom"])
            held["maxzoom"] = max(held["maxzoom"], layer["maxzoom"])
            held["fields"] = {**held["fields"], **layer["fields"]}
    target.write_bytes(_archive(tiles, list(layers.values()), headers))


def _archive(
    tiles: Mapping[int, bytes], layers: Sequence[Mapping[str, Any]], headers: Sequence[Any]
) -> bytes:
    """Bytes of an archive; tiles of equal content share it."""
    places: dict[bytes, int] = {}
    entries = []
    size = 0
    for tile_id, tile in sorted(tiles.items()):
        if tile not in places:
            places[tile] = size
            size += len(tile)
        entries.append(_Entry(tile_id, places[tile], len(tile), 1))
    root, leaves = _directories(entries)
    metadata = gzip.compress(json.dumps({"vector_layers": list(layers)}).encode(), mtime=0)
    at = _HEADER.size
    metadata_at = at + len(root)
    leaves_at = metadata_at + len(metadata)
    tiles_at = leaves_at + len(leaves)
    west, south, east, north = _bounds(headers)
    first, last = min(header[17] for header in headers), max(header[18] for header in headers)
    header = _HEADER.pack(
        _MAGIC, _VERSION, at, len(root), metadata_at, len(metadata), leaves_at, len(leaves),
        tiles_at, size, len(entries), len(entries), len(places),
        1, _GZIP, _GZIP, _MVT, first, last, west, south, east, north,
        first, (west + east) // 2, (south + north) // 2,
    )  # fmt: skip
    return b"".join([header, root, metadata, leaves, *places])


def _both(one: bytes, other: bytes) -> bytes:
    """Join two gzipped tiles: layers are a repeated field, so their messages behind each other are one."""
    return gzip.compress(gzip.decompress(one) + gzip.decompress(other), mtime=0)


def _check(header: tuple[Any, ...]) -> None:
    if header[:2] != (_MAGIC, _VERSION) or header[14:17] != (_GZIP, _GZIP, _MVT):
        msg = "not an archive of gzipped vector tiles, PMTiles 3"
        raise ValueError(msg)


def _bounds(headers: Sequence[tuple[Any, ...]]) -> tuple[int, int, int, int]:
    """West, south, east, north over all, in 1e-7 degrees."""
    west, south, east, north = zip(*(header[19:23] for header in headers), strict=True)
    return min(west), min(south), max(east), max(north)


def _entries(content: bytes, header: tuple[Any, ...], offset: int, length: int) -> list[_Entry]:
    """Entries of a directory and of the leaves under it, with offsets from the start of the tiles."""
    found = []
    for entry in _parse(gzip.decompress(content[offset : offset + length])):
        if entry.run:
            found.append(entry)
        else:
            found += _entries(content, header, header[6] + entry.offset, entry.length)
    return found


def _parse(body: bytes) -> list[_Entry]:
    numbers = _varints(body)
    count = numbers[0]
    deltas, runs, lengths, offsets = (
        numbers[1 + k * count : 1 + (k + 1) * count] for k in range(4)
    )
    entries: list[_Entry] = []
    tile_id = 0
    for delta, run, length, offset in zip(deltas, runs, lengths, offsets, strict=True):
        tile_id += delta
        # 0: right behind the one before.
        at = entries[-1].offset + entries[-1].length if offset == 0 else offset - 1
        entries.append(_Entry(tile_id, at, length, run))
    return entries


def _directories(entries: Sequence[_Entry]) -> tuple[bytes, bytes]:
    """Root directory, and leaves where it would not fit beside the header."""
    root = _directory(entries)
    if _HEADER.size + len(root) <= _ROOT_BYTES:
        return root, b""
    leaves: list[bytes] = []
    pointers = []
    offset = 0
    for start in range(0, len(entries), _LEAF_ENTRIES):
        leaf = _directory(entries[start : start + _LEAF_ENTRIES])
        pointers.append(_Entry(entries[start].tile_id, offset, len(leaf), 0))
        leaves.append(leaf)
        offset += len(leaf)
    return _directory(pointers), b"".join(leaves)


def _directory(entries: Sequence[_Entry]) -> bytes:
    numbers = [len(entries)]
    tile_id = 0
    for entry in entries:
        numbers.append(entry.tile_id - tile_id)
        tile_id = entry.tile_id
    numbers += [entry.run for entry in entries]
    numbers += [entry.length for entry in entries]
    behind = -1
    for entry in entries:
        numbers.append(0 if entry.offset == behind else entry.offset + 1)
        behind = entry.offset + entry.length
    return gzip.compress(b"".join(map(_varint, numbers)), mtime=0)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _varints(body: bytes) -> list[int]:
    numbers = []
    number = shift = 0
    for byte in body:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            numbers.append(number)
            number = shift = 0
    return numbers
