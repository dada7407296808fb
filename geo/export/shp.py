"""Shapefile, for tools that take nothing else: a zip of the parts, with what the format cannot say beside them."""

import datetime as dt
import os
import re
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from xml.etree import ElementTree as ET

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyogrio
import shapely

from geo.errors import GeoError
from geo.export._files import write_each
from geo.export._ogr import GEOMETRY
from geo.export._warn import ExportWarning
from geo.export.model import ExportLayer, ExportNote

SUFFIX = ".shp.zip"
README = "README.txt"
# Limits of dBASE, which holds the columns.
NAME_LENGTH = 10
TEXT_BYTES = 254
# The size of a .shp or .dbf that all readers take.
MOST_BYTES = 2**31 - 1
# Of zlib: against its usual 6 a third of the time for a quarter more bytes.
LEVEL = 1
PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")


def write(path: Path, layers: Sequence[ExportLayer], note: ExportNote) -> Path:
    """Write a zip with one Shapefile, one a layer, which GDAL and QGIS open as it is.

    Names of columns are cut to ten characters (`short_names`), texts to 254 bytes of UTF-8 without blanks at
    their ends; the zip's README.txt holds the note, and which short name stands for which column. Booleans are dBASE
    logicals, unknown is null. The same layers and note give the same bytes.

    Parameters
    ----------
    path
        A `.shp.zip` file for one layer, else a folder that receives one file a layer.
    layers
        What to write; geometries of a layer are points, lines or polygons, not several of them.
    note
        Provenance and terms.

    Returns
    -------
    Path
        `path`.

    Warns
    -----
    ExportWarning
        Names or texts were cut; the message names each column.

    Raises
    ------
    GeoError
        Geometries are of several kinds, or a part is beyond 2 GB.
    """
    return write_each(path, layers, SUFFIX, partial(_write_layer, note=note))


def short_names(columns: Sequence[str]) -> dict[str, str]:
    """Give each column a name of at most ten characters, different without regard to case.

    Names that fit are kept. Of others the vowels inside the longest words go first, then their last letters; numbers
    stay. What would then be the same gets a number. The same columns give the same names.
    """
    names = {column: column for column in columns if len(column) <= NAME_LENGTH}
    taken = {name.casefold() for name in names.values()}
    for column in columns:
        if column in names:
            continue
        short = squeezed = _squeezed(column)
        count = 1
        while short.casefold() in taken:
            count += 1
            short = squeezed[: NAME_LENGTH - len(str(count))] + str(count)
        names[column] = short
        taken.add(short.casefold())
    return {column: names[column] for column in columns}


def _squeezed(column: str) -> str:
    words = [word for word in column.split("_") if word]
    for separator in ("_", ""):
        room = NAME_LENGTH - len(separator) * (len(words) - 1)
        short = _fitted(words, room)
        # One letter tells nothing: rather let the words touch.
        is_clear = all(len(new) > 1 or len(old) == 1 for new, old in zip(short, words, strict=True))
        if sum(map(len, short)) <= room and (is_clear or not separator):
            return separator.join(short)
    return "".join(short)[:NAME_LENGTH]


def _fitted(words: Sequence[str], room: int) -> list[str]:
    """Take letters from the longest words until all fit into `room` characters, or nothing can go."""
    short = list(words)
    while sum(map(len, short)) > room:
        loose = [number for number, word in enumerate(short) if len(word) > 1 and word.isalpha()]
        if not loose:
            break
        longest = max(loose, key=lambda number: len(short[number]))
        short[longest] = _shorter(short[longest])
    return short


def _shorter(word: str) -> str:
    vowels = [found.start() for found in re.finditer("[aeiou]", word[1:-1])]
    at = vowels[-1] + 1 if vowels else len(word) - 1
    return word[:at] + word[at + 1 :]


def _write_layer(path: Path, layer: ExportLayer, *, note: ExportNote) -> None:
    names = short_names(layer.columns)
    frame, cut = _cut_texts(pd.DataFrame(layer.frame[layer.columns]))
    table = _with_widths(pa.Table.from_pandas(frame.rename(columns=names), preserve_index=False))
    folder = Path(tempfile.mkdtemp(dir=path.parent))
    try:
        _write_parts(folder / f"{layer.name}.shp", layer, table, note)
        parts = [folder / f"{layer.name}{suffix}" for suffix in PARTS]
        for part in parts:
            if part.stat().st_size > MOST_BYTES:
                msg = f"Layer {layer.name!r} is too large for a Shapefile: {part.name} is beyond 2 GB."
                raise GeoError(msg)
        texts = {
            f"{layer.name}.shp.xml": _metadata(layer, note),
            README: _readme(layer, note, names, cut),
        }
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
        _zip(path, [*parts, *(folder / name for name in texts)], note)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    _warn(names, cut)


def _write_parts(path: Path, layer: ExportLayer, table: pa.Table, note: ExportNote) -> None:
    kind = layer.geometry_kind
    geometry = layer.frame.geometry
    if geometry.isna().all():
        kind = "Polygon"
    if kind in {"Unknown", "GeometryCollection"}:
        msg = (
            f"Layer {layer.name!r} has geometries of several kinds, which a Shapefile cannot hold."
        )
        raise GeoError(msg)
    wkb = pa.array(shapely.to_wkb(geometry.to_numpy()), pa.binary())
    pyogrio.write_arrow(
        table.append_column(GEOMETRY, wkb),
        path,
        driver="ESRI Shapefile",
        encoding="UTF-8",
        geometry_name=GEOMETRY,
        geometry_type=kind,
        crs="EPSG:4326",
        layer_options={"DBF_DATE_LAST_UPDATE": note.run_date.isoformat()},
    )


def _with_widths(table: pa.Table) -> pa.Table:
    """Tell GDAL how long texts are: it would begin with 80 bytes, and write all anew when a longer one comes."""
    fields = []
    for field, column in zip(table.schema, table.columns, strict=True):
        told = None
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            lengths = pc.call_function("binary_length", [column])
            told = {"GDAL:OGR:width": str(pc.call_function("max", [lengths]).as_py() or 1)}
        fields.append(field.with_metadata(told))
    return table.cast(pa.schema(fields))


def _cut_texts(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Cut texts between characters, and say in which columns; times become texts."""
    cut = []
    changed = {}
    for column in frame.columns:
        values = frame[column]
        if pd.api.types.is_datetime64_any_dtype(values.dtype):
            values = changed[column] = values.map(
                lambda time: time.isoformat(), na_action="ignore"
            ).astype("string")
        if values.dtype != "string":
            continue
        # A character takes up to four bytes.
        is_long = values.str.len().gt(TEXT_BYTES // 4).fillna(value=False)
        fitted = values[is_long].map(_fit)
        if fitted.ne(values[is_long]).any():
            cut.append(str(column))
            changed[column] = values.where(~is_long, fitted)
    return frame.assign(**changed), cut


def _fit(text: str) -> str:
    return text.encode("utf-8")[:TEXT_BYTES].decode("utf-8", "ignore")


def _warn(names: dict[str, str], cut: Sequence[str]) -> None:
    changed = [f"{column} -> {short}" for column, short in names.items() if column != short]
    if changed:
        warnings.warn(
            f"A Shapefile cuts names of columns to {NAME_LENGTH} characters: {', '.join(changed)}.",
            ExportWarning,
            stacklevel=2,
        )
    if cut:
        warnings.warn(
            f"A Shapefile cuts texts to {TEXT_BYTES} bytes: longer ones were in {', '.join(cut)}.",
            ExportWarning,
            stacklevel=2,
        )


def _readme(layer: ExportLayer, note: ExportNote, names: dict[str, str], cut: Sequence[str]) -> str:
    lines = [
        *([note.restriction, ""] if note.restriction else []),
        layer.title,
        *([layer.description] if layer.description else []),
        "",
        *(f"{key}: {value}" for key, value in note.items().items() if key != "restriction"),
        "",
        f"Columns (name here, name elsewhere, what it holds); names have {NAME_LENGTH} characters at most:",
        *(
            f"{short:<{NAME_LENGTH}}  {column}: {layer.aliases[column]}. {layer.column_docs.get(column, '')}".rstrip()
            for column, short in names.items()
        ),
    ]
    if cut:
        lines += ["", f"Texts were cut to {TEXT_BYTES} bytes in: {', '.join(cut)}."]
    return "\n".join(lines) + "\n"


def _metadata(layer: ExportLayer, note: ExportNote) -> str:
    """Give what ArcGIS reads beside a Shapefile: title, abstract, credits, limits of use."""
    items = note.items()
    about = " ".join(
        part
        for part in (
            note.restriction,
            layer.description,
            items.get("synthetic_note", ""),
            f"Study {note.study}, run {note.run_id} of {items['run_date']}.",
        )
        if part
    )
    root = ET.Element("metadata", {"xml:lang": "en"})
    info = ET.SubElement(root, "dataIdInfo")
    ET.SubElement(ET.SubElement(info, "idCitation"), "resTitle").text = layer.title
    ET.SubElement(info, "idAbs").text = about
    ET.SubElement(info, "idCredit").text = items.get("attribution", "")
    limits = ET.SubElement(ET.SubElement(info, "resConst"), "Consts")
    ET.SubElement(limits, "useLimit").text = "; ".join(
        part for part in (note.restriction, items.get("licence", "")) if part
    )
    return ET.tostring(root, encoding="unicode", xml_declaration=True)


def _zip(path: Path, parts: Sequence[Path], note: ExportNote) -> None:
    # Noon there is everywhere: where clocks are put forward at midnight, no 00:00.
    when = dt.datetime.combine(note.run_date, dt.time(12)).timestamp()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive:
        for part in parts:
            os.utime(part, (when, when))
            part.chmod(0o644)
            archive.write(part, part.name)
