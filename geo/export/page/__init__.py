"""The map page: one folder that works from a file or any static host, without a request elsewhere."""

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from geo.export.page.assets import write_assets
from geo.export.page.chunks import write_chunk, write_slices
from geo.export.page.pack import pack
from geo.export.page.tiles import TileLayer, write_archive

__all__ = ["Archive", "PagePack", "TileLayer", "write_page"]


@dataclass(frozen=True, eq=False)
class PagePack:
    """A table of the page.

    Parameters
    ----------
    name
        Of its chunk.
    rows
        Rows of the table.
    columns
        Name to array or JSON value, as `pack` takes them.
    part
        What its bytes are counted with.
    members
        Free members of its header.
    """

    name: str
    rows: int
    columns: Mapping[str, Any] = field(repr=False)
    part: str
    members: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Archive:
    """Layers of tiles in one archive.

    Parameters
    ----------
    name
        Of the archive.
    layers
        At least one, none of them empty.
    """

    name: str
    layers: Sequence[TileLayer]


def write_page(
    folder: Path,
    about: Callable[[], Mapping[str, Any]],
    packs: Iterable[PagePack],
    archives: Iterable[Archive],
) -> dict[str, int]:
    """Write the page's folder.

    Parameters
    ----------
    folder
        To write to; it must not exist.
    about
        Gives what the page says of the run, the workloads and the sources, once packs and tiles are written;
        `archives` is added.
    packs
        Tables; each is written and let go before the next is asked for.
    archives
        Tiles, likewise.

    Returns
    -------
    dict
        Bytes on disk by part: page, about, what the packs name, and tiles by archive.
    """
    data = folder / "data"
    data.mkdir(parents=True)
    parts = {"page": write_assets(folder)}
    for item in packs:
        written = write_chunk(data, item.name, pack(item.rows, item.columns, **item.members))
        parts[item.part] = parts.get(item.part, 0) + written
    told = {}
    for archive in archives:
        told[archive.name], written = _write_tiles(data, archive)
        parts[f"tiles: {archive.name}"] = written
    content = pack(1, {"about": [{**about(), "archives": told}]})
    parts["about"] = write_chunk(data, "about", content)
    return parts


def _write_tiles(data: Path, archive: Archive) -> tuple[dict[str, Any], int]:
    with tempfile.TemporaryDirectory(prefix="gridstead-tiles-") as temporary:
        path = Path(temporary) / f"{archive.name}.pmtiles"
        write_archive(path, archive.layers)
        sliced = write_slices(data, archive.name, path)
    written = sliced.pop("written")
    return {
        **sliced,
        "min_zoom": min(layer.min_zoom for layer in archive.layers),
        "max_zoom": max(layer.max_zoom for layer in archive.layers),
        "layers": list(dict.fromkeys(layer.name for layer in archive.layers)),
    }, written
