"""Whether a file that was fetched is whole: proved before it takes the place of the last good copy."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pyarrow as pa
from pydantic_core import from_json

from data import archive
from data.access._retry import Transient

# A document as large as this is judged by its two ends: parsed, it would take ten times its size.
JSON_MAX_BYTES = 256 * 1024**2

_HINT = (
    "What the server holds is damaged or is no such file: look at it, and at the catalogue entry."
)
_HEAD_BYTES = 1024
_MAGIC = {
    b"PK\x03\x04": ".zip",
    b"\x1f\x8b": ".gz",
    b"7z\xbc\xaf\x27\x1c": ".7z",
    b"PAR1": ".parquet",
    b"II*\0": ".tif",
    b"MM\0*": ".tif",
    b"SQLite format 3\0": ".gpkg",
}
_PAGE_STARTS = (b"<!doctype html", b"<html", b"<head", b"<body", b"<script")
_PAGE_SUFFIXES = frozenset({".htm", ".html", ".xhtml"})
# Files of these kinds begin like a page; where it is said to be one, it is one.
_MARKUP_SUFFIXES = frozenset({".gml", ".kml", ".svg", ".xml"})


def check_whole(what: str, path: Path, filename: str, content_type: str = "") -> None:
    """Raise Transient when a file is damaged or empty, or is a web page where a file is due.

    Parameters
    ----------
    what
        The address, for the message.
    path
        Where the file lies now.
    filename
        Its own name, which says what it should be.
    content_type
        What the server called it.

    Raises
    ------
    IntegrityError
        It is a whole archive that no honest publisher would make.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head:
        message = f"{what} answered an empty file"
        raise Transient(message, hint=_HINT)
    if _is_page(head, filename, content_type):
        message = f"{what} answered a web page where a file is due"
        raise Transient(message, hint="Open the address in a browser: it may have moved.")
    suffix = PurePosixPath(filename).suffix.lower()
    if suffix not in _CHECKS:
        suffix = next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), suffix)
    if suffix not in _CHECKS:
        return
    kind, check, damage = _CHECKS[suffix]
    try:
        check(path)
    except damage as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        message = f"{what} sent a damaged {kind}: {reason}".replace(path.name, filename)
        raise Transient(message, hint=_HINT) from error


def _is_page(head: bytes, filename: str, content_type: str) -> bool:
    suffix = PurePosixPath(filename).suffix.lower()
    if suffix in _PAGE_SUFFIXES:
        return False
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith(_PAGE_STARTS):
        return True
    is_called_so = content_type.partition(";")[0].strip().lower() in {
        "application/xhtml+xml",
        "text/html",
    }
    # Servers call plain files a page as well: what does not begin like one is not believed to be.
    return is_called_so and start.startswith(b"<") and suffix not in _MARKUP_SUFFIXES


def _check_gzip(path: Path) -> None:
    archive.check_gzip(path)


def _check_parquet(path: Path) -> None:
    # Checksums are written by few; that every page decodes is what can be asked of all.
    from pyarrow import parquet

    with parquet.ParquetFile(path, pre_buffer=False, page_checksum_verification=True) as file:
        for _ in file.iter_batches():
            pass


def _check_json(path: Path) -> None:
    if path.stat().st_size <= JSON_MAX_BYTES:
        from_json(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
        return
    with path.open("rb") as file:
        first = file.read(_HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
        file.seek(-_HEAD_BYTES, 2)
        last = file.read().rstrip()[-1:]
    if first + last not in {b"{}", b"[]"}:
        message = "it does not end as it begins"
        raise ValueError(message)


def _check_json_lines(path: Path) -> None:
    with path.open("rb") as file:
        for line in file:
            if line.strip():
                json.loads(line)


def _check_tiff(path: Path) -> None:
    import rasterio

    with rasterio.open(path) as raster:
        for band in raster.indexes:
            # The directory of blocks stands at either end; what is cut off is the last ones.
            rows, columns = raster.block_shapes[band - 1]
            left = (raster.width - 1) // columns * columns
            top = (raster.height - 1) // rows * rows
            for x, y in ((0, 0), (left, top)):
                window = ((y, min(y + rows, raster.height)), (x, min(x + columns, raster.width)))
                raster.read(band, window=window)


def _check_sqlite(path: Path) -> None:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        said = connection.execute("pragma quick_check(1)").fetchone()
    except sqlite3.OperationalError:
        # A module that this SQLite was built without says nothing of the file.
        return
    finally:
        connection.close()
    if said != ("ok",):
        raise sqlite3.DatabaseError(said[0])


_ARCHIVE = ("archive", archive.check_archive, (archive.DamagedError,))
_JSON = ("JSON file", _check_json, (ValueError,))
_JSON_LINES = ("JSON file", _check_json_lines, (ValueError,))
_PARQUET = ("Parquet file", _check_parquet, (pa.ArrowException, OSError))
_SQLITE = ("database", _check_sqlite, (sqlite3.DatabaseError,))
_TIFF = ("GeoTIFF", _check_tiff, (OSError, ValueError))

_CHECKS: dict[str, tuple[str, Callable[[Path], None], tuple[type[Exception], ...]]] = {
    ".7z": _ARCHIVE,
    ".geojson": _JSON,
    ".geojsonl": _JSON_LINES,
    ".geoparquet": _PARQUET,
    ".gpkg": _SQLITE,
    ".gz": ("gzip file", _check_gzip, (archive.DamagedError,)),
    ".json": _JSON,
    ".jsonl": _JSON_LINES,
    ".parquet": _PARQUET,
    ".sqlite": _SQLITE,
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".topojson": _JSON,
    ".whl": _ARCHIVE,
    ".xlsx": ("workbook", archive.check_zip, (archive.DamagedError,)),
    ".zip": _ARCHIVE,
}
