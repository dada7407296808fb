"""Files that appear whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pyogrio.errors import DataLayerError, DataSourceError, FeatureError, GeometryError

from geo.errors import GeoError
from geo.export.model import ExportLayer

_FILE_SUFFIXES = frozenset({".gpkg", ".parquet", ".fgb", ".geojson", ".json", ".csv", ".tif"})
_GDAL_ERRORS = (DataSourceError, DataLayerError, FeatureError, GeometryError)


@contextmanager
def replacing(path: Path) -> Generator[Path]:
    """Lend a path beside `path` to write to, and move it onto `path` when the block ends well.

    The lent file has the same name in a temporary folder of the same directory, so that drivers see the
    right suffix, their journals stay out of sight, and the move is one rename. On failure nothing changes.

    Raises
    ------
    GeoError
        If the file cannot be written.
    """
    path = Path(path)
    if path.is_dir():
        msg = f"{path} is a folder: name a file to write."
        raise GeoError(msg)
    with _staging_beside(path.parent, path.name) as folder:
        yield folder / path.name
        _publish(folder, path.parent, [path.name])


def write_each(
    path: Path,
    layers: Sequence[ExportLayer],
    suffix: str,
    write: Callable[[Path, ExportLayer], None],
    sidecar: str = "",
) -> Path:
    """Write layers with a format that holds one a file.

    A `path` that ends in `suffix` takes exactly one layer; any other is a folder that receives
    `<layer name><suffix>` each. No file is moved into place before all have been written.

    Parameters
    ----------
    path
        A file or a folder.
    layers
        At least one.
    suffix
        With its dot.
    write
        Called with a path to write and the layer.
    sidecar
        Added to a file's name to give that of a second file that `write` also makes.
    """
    path = Path(path)
    check_layers(layers)
    is_file = path.name.lower().endswith(suffix) and not path.is_dir()
    if is_file and len(layers) > 1:
        msg = f"{path.name} can hold one layer, not {len(layers)}: name a folder to have one file a layer."
        raise GeoError(msg)
    if not is_file and path.suffix.lower() in _FILE_SUFFIXES and not path.is_dir():
        msg = f"{path.name} is no name for this format: its files end in {suffix}."
        raise GeoError(msg)
    folder = path.parent if is_file else path
    names = {layer.name: path.name if is_file else layer.name + suffix for layer in layers}
    with _staging_beside(folder, path.name) as staging:
        for layer in layers:
            write(staging / names[layer.name], layer)
        written = list(names.values())
        _publish(staging, folder, written + [name + sidecar for name in written if sidecar])
    return path


def check_layers(layers: Sequence[ExportLayer]) -> None:
    """Refuse an export of nothing, or of two layers with one name."""
    if not layers:
        msg = "There is no layer to export."
        raise GeoError(msg)
    names = [layer.name for layer in layers]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        msg = f"Two layers are called {twice[0]!r}: names must differ."
        raise GeoError(msg)


@contextmanager
def _staging_beside(folder: Path, name: str) -> Generator[Path]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".export-", dir=folder))
    except OSError as error:
        msg = f"{name} cannot be written to {folder}: {error.strerror}."
        raise GeoError(msg) from error
    try:
        yield staging
    except OSError as error:
        msg = f"{name} was not written: {error.strerror or error}."
        raise GeoError(msg) from error
    except _GDAL_ERRORS as error:
        msg = f"{name} was not written: {error}."
        raise GeoError(msg) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _publish(staging: Path, folder: Path, names: Sequence[str]) -> None:
    for name in names:
        # Without the sync a power cut could leave a renamed file without its bytes.
        with (staging / name).open("rb") as stream:
            os.fsync(stream.fileno())
    for name in names:
        (staging / name).replace(folder / name)
