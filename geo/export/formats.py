"""The export formats by the words that people type."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from geo.errors import GeoError
from geo.export import cog, fgb, geojson, geoparquet, gpkg, kmz, pmtiles, shp, tabular, xlsx
from geo.export.model import ExportLayer, ExportNote


@dataclass(frozen=True)
class Writer:
    """A format, called as `writer(path, layers, note) -> path`.

    Parameters
    ----------
    word
        What people type.
    suffix
        Of its files, with the dot.
    holds_many_layers
        Whether one file takes several layers. Other formats write a folder when given several.
    function
        What does the writing.
    """

    word: str
    suffix: str
    holds_many_layers: bool
    function: Callable[[Path, Sequence[ExportLayer], ExportNote], Path]

    def __call__(self, path: Path, layers: Sequence[ExportLayer], note: ExportNote) -> Path:
        """Write the layers to `path`, whole or not at all."""
        return self.function(path, layers, note)


FORMATS: dict[str, Writer] = {
    writer.word: writer
    for writer in (
        Writer("gpkg", ".gpkg", True, gpkg.write),
        Writer("geoparquet", ".parquet", False, geoparquet.write),
        Writer("fgb", ".fgb", False, fgb.write),
        Writer("geojson", ".geojson", False, geojson.write),
        Writer("csv", ".csv", False, tabular.write),
        Writer("csv-wkt", ".wkt.csv", False, partial(tabular.write, with_wkt=True)),
        Writer("xlsx", ".xlsx", True, xlsx.write),
        Writer("shp", ".shp.zip", False, shp.write),
        Writer("kmz", ".kmz", True, kmz.write),
        Writer("pmtiles", ".pmtiles", True, pmtiles.write),
        Writer("cog", ".tif", False, cog.write),
    )
}


def find_format(word: str) -> Writer:
    """Give the writer for a format word.

    Raises
    ------
    GeoError
        If the word names no format; the message lists those that exist.
    """
    if word in FORMATS:
        return FORMATS[word]
    known = ", ".join(FORMATS)
    msg = f"{word!r} is no export format: use one of {known}."
    raise GeoError(msg)
