"""PMTiles archives as bytes: several joined into one, with metadata of our own.

Layout after the specification of PMTiles 3: header, root directory, metadata, leaf directories, tiles.
"""

import gzip
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from geo.errors import GeoError

MAGIC, VERSION = b"PMTiles", 3
# Magic, version, eleven offsets and counts, six bytes, bounds, zoom and place of the centre.
HEADER = struct.Struct("<7sB11Q6B4iB2i")
GZIP = 2
# Readers ask for the first 16 KB at once: header and root directory lie within.
MOST_ROOT = 16_384 - HEADER.size
LEAF_ENTRIES = 4_096
PIECE = 1 << 20


class Entry(NamedTuple):
    """Where a tile lies, or a run of tiles that are equal; `run` 0 is a leaf directory."""

    tile: int
    offset: int
    length: int
    run: int


@dataclass(frozen=True)
class Archive:
    """What a file holds, its tiles left in it."""

    path: Path
    fields: tuple[int, ...]
    entries: list[Entry]
    metadata: dict[str, Any]

    @property
    def data_offset(self) -> int:
        """Where tiles begin in the file."""
        return self.fields[6]

    @property
    def data_length(self) -> int:
        """Bytes of tiles."""
        return self.fields[7]


def read_archive(path: Path) -> Archive:
    """Read all of an archive but its tiles.

    Raises
    ------
    GeoError
        If the file is no PMTiles 3 with gzipped directories.
    """
    with path.open("rb") as stream:
        head = stream.read(HEADER.size)
        magic, version, *fields = HEADER.unpack(head) if len(head) == HEADER.size else (b"", 0)
        if (magic, version) != (MAGIC, VERSION) or fields[12] != GZIP:
            msg = f"{path.name} is no archive of tiles."
            raise GeoError(msg)

        def part(offset: int, length: int) -> bytes:
            stream.seek(offset)
            return gzip.decompress(stream.read(length))

        entries = []
        for entry in read_directory(part(*fields[0:2])):
            if entry.run:
                entries.append(entry)
            else:
                entries += read_directory(part(fields[4] + entry.offset, entry.length))
        metadata = json.loads(part(*fields[2:4]))
    return Archive(path, tuple(fields), entries, metadata)


def join_archives(
    target: Path, archives: Sequence[Archive], metadata: Mapping[str, Any], centre_zoom: int
) -> None:
    """Write one archive with the tiles of several that share no zoom, lower zooms first.

    Parameters
    ----------
    target
        File to write.
    archives
        At least one, in order of their zooms.
    metadata
        What it carries, replacing that of the archives.
    centre_zoom
        At which viewers open it.
    """
    entries, shift = [], 0
    for archive in archives:
        entries += [entry._replace(offset=entry.offset + shift) for entry in archive.entries]
        shift += archive.data_length
    root, leaves = _directories(entries)
    described = gzip.compress(
        json.dumps(metadata, ensure_ascii=False, separators=(",", ":")).encode(), mtime=0
    )
    root_at = HEADER.size
    described_at = root_at + len(root)
    leaves_at = described_at + len(described)
    bounds = [archive.fields[17:21] for archive in archives]
    west, south = (min(box[k] for box in bounds) for k in (0, 1))
    east, north = (max(box[k] for box in bounds) for k in (2, 3))
    header = HEADER.pack(
        *(MAGIC, VERSION, root_at, len(root), described_at, len(described)),
        *(leaves_at, len(leaves), leaves_at + len(leaves), shift),
        *(sum(entry.run for entry in entries), len(entries)),
        sum(archive.fields[10] for archive in archives),
        *(1, GZIP, *archives[0].fields[13:15]),
        *(archives[0].fields[15], archives[-1].fields[16]),
        *(west, south, east, north),
        *(centre_zoom, (west + east) // 2, (south + north) // 2),
    )
    with target.open("wb") as out:
        out.write(header + root + described + leaves)
        for archive in archives:
            with archive.path.open("rb") as stream:
                stream.seek(archive.data_offset)
                # What follows the tiles, if anything, is not theirs.
                _copy(stream, out, archive.data_length)


def read_directory(raw: bytes) -> list[Entry]:
    """Take a directory apart: counts and columns of variable-length integers."""
    numbers = _varints(raw)
    count, rest = numbers[0], numbers[1:]
    steps, runs, lengths, offsets = (rest[k * count : (k + 1) * count] for k in range(4))
    entries: list[Entry] = []
    tile = 0
    for step, run, length, told in zip(steps, runs, lengths, offsets, strict=True):
        tile += step
        # 0 says: right after the entry before.
        offset = told - 1 if told else entries[-1].offset + entries[-1].length
        entries.append(Entry(tile, offset, length, run))
    return entries


def write_directory(entries: Sequence[Entry]) -> bytes:
    """Put a directory together, uncompressed."""
    steps, offsets, before = [], [], None
    for entry in entries:
        steps.append(entry.tile - (before.tile if before else 0))
        follows = before is not None and entry.offset == before.offset + before.length
        offsets.append(0 if follows else entry.offset + 1)
        before = entry
    runs, lengths = [entry.run for entry in entries], [entry.length for entry in entries]
    return b"".join(map(_varint, [len(entries), *steps, *runs, *lengths, *offsets]))


def _directories(entries: Sequence[Entry]) -> tuple[bytes, bytes]:
    """Give the root directory and the leaves that it names, none where the root alone is small enough."""
    root = gzip.compress(write_directory(entries), mtime=0)
    size = LEAF_ENTRIES
    leaves = b""
    while len(root) > MOST_ROOT:
        names, leaves = [], b""
        for first in range(0, len(entries), size):
            leaf = gzip.compress(write_directory(entries[first : first + size]), mtime=0)
            names.append(Entry(entries[first].tile, len(leaves), len(leaf), 0))
            leaves += leaf
        root = gzip.compress(write_directory(names), mtime=0)
        size *= 2
    return root, leaves


def _copy(source: Any, out: Any, length: int) -> None:
    while length:
        piece = source.read(min(length, PIECE))
        if not piece:
            msg = "an archive of tiles ends too early"
            raise OSError(msg)
        out.write(piece)
        length -= len(piece)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _varints(raw: bytes) -> list[int]:
    numbers, number, shift = [], 0, 0
    for byte in raw:
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            numbers.append(number)
            number = shift = 0
    return numbers
