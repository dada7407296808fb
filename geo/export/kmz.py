"""KMZ for Google Earth and its like: ranked places in folders, coloured, with a balloon each."""

import io
import zipfile
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from geo.errors import GeoError
from geo.export._canvas import draw_text
from geo.export._files import check_layers, replacing
from geo.export._kml import Kml, colour, shown
from geo.export._text import UNKNOWN
from geo.export.model import ExportLayer, ExportNote
from geo.export.palette import RANK_CLASSES, UNRANKED_COLOUR, UNRANKED_LABEL

# Viewers keep all of a document in memory: a quarter of a million parcels took 4 GB.
MOST_FEATURES = 50_000
# A table of more columns than this is cut down to those that a balloon has room for.
MOST_COLUMNS = 40
SHORT_LIST = (
    "rank", "score", "gate_status", "rank_p05", "rank_p95", "p_top10", "cost_low", "cost_mid", "cost_high",
    "capacity_mw", "filled_share", "candidate_count", "best_parcel_id", "best_parcel_name",
    "headroom_mw_low", "headroom_mw_mid", "headroom_mw_high", "headroom_substation_mi", "substation_230kv_mi",
    "substation_345kv_mi", "line_230kv_mi", "industrial_usd_per_mwh", "time_to_power_years_mid",
    "buildable_acres", "contiguous_acres", "major_metro_name", "major_metro_mi", "rtt_major_metro_ms_mid",
    "people_10ms_mid", "population_50mi", "carrier_25mi_count", "lit_node_mi", "known_share", "reason",
    "region_kind", "region_id", "region_name", "parcel_id", "parcel_name", "county_name", "state_id", "zone_id",
)  # fmt: skip
NAMES = ("region_name", "parcel_name", "substation_name", "metro_name", "name")
IDS = ("region_id", "parcel_id", "substation_id", "metro_id")
LEGEND = "files/legend.png"
FILL_OPACITY, LINE_OPACITY = 178, 255
OUTLINE = "#3c4650"
# The date of members of the archive, so that equal exports are equal bytes; the format knows none before 1980.
MEMBER_DATE = (1980, 1, 1, 0, 0, 0)
INT_LIMIT = 2**31
BUFFER = 1 << 20


def write(path: Path, layers: Sequence[ExportLayer], note: ExportNote) -> Path:
    """Write all layers to one KMZ, a folder for each class of ranks, within one for each layer where there are several.

    Every feature has its values as typed data, and a balloon made of its description. Text from elsewhere is escaped
    once more there, so that it is read and never run. Unknown values are left out, and a dash in the balloon. Wide
    tables are cut down to `SHORT_LIST`. A legend is in the archive; nothing is asked of a network. The file is
    written feature by feature, and the same layers and note give the same bytes.

    Parameters
    ----------
    path
        A `.kmz` file.
    layers
        What to write.
    note
        Provenance and terms: the description of the document, and its data.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    GeoError
        If there are more features than viewers can hold.
    """
    path = Path(path)
    check_layers(layers)
    count = sum(len(layer.frame) for layer in layers)
    if count > MOST_FEATURES:
        msg = (
            f"{count:,} features are too many for KMZ, whose viewers keep all in memory: "
            f"ask for the first {MOST_FEATURES:,} or fewer (--top), or for pmtiles, gpkg or fgb."
        )
        raise GeoError(msg)
    has_ranks = any("rank" in layer.columns for layer in layers)
    with (
        replacing(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        with (
            archive.open(_member("doc.kml"), "w") as member,
            io.TextIOWrapper(io.BufferedWriter(member, BUFFER), "utf-8", newline="\n") as text,
        ):
            _write_document(Kml(text), layers, note, has_ranks=has_ranks)
        if has_ranks:
            archive.writestr(_member(LEGEND), _legend())
    return path


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, MEMBER_DATE)
    member.compress_type = zipfile.ZIP_DEFLATED
    return member


def _write_document(
    kml: Kml, layers: Sequence[ExportLayer], note: ExportNote, *, has_ranks: bool
) -> None:
    with kml.document():
        kml.leaf("name", ", ".join(layer.title for layer in layers))
        kml.leaf("open", 1)
        with kml.element("atom:author"):
            kml.leaf("atom:name", note.items()["tool"])
        kml.leaf("Snippet", f"Run {note.run_id} of {note.run_date.isoformat()}", {"maxLines": "1"})
        told = shown(layers[0].description) if len(layers) == 1 else ""
        kml.leaf("description", _about(note) + (f"<p>{told}</p>" if told else ""))
        shapes = np.concatenate([layer.frame.geometry.to_numpy() for layer in layers])
        if not shapely.is_missing(shapes).all():
            kml.look_at(shapely.total_bounds(shapes[~shapely.is_missing(shapes)]))
        for style, _, fill in _classes():
            kml.style(style, colour(fill, FILL_OPACITY), colour(OUTLINE, LINE_OPACITY))
        with kml.element("ExtendedData"):
            for key, value in note.items().items():
                with kml.element("Data", {"name": key}):
                    kml.leaf("value", value)
        if has_ranks:
            kml.legend("Legend", LEGEND)
        for layer in layers:
            _write_layer(kml, layer, nullcontext() if len(layers) == 1 else _folder(kml, layer))


def _classes() -> Generator[tuple[str, str, str]]:
    """Name of the style, words and colour of every class of ranks; the last is that of no rank."""
    for number, one in enumerate(RANK_CLASSES, 1):
        yield f"rank-{number}", f"Ranks {one.label}", one.colour
    yield "unranked", UNRANKED_LABEL.capitalize(), UNRANKED_COLOUR


def _about(note: ExportNote) -> str:
    items = note.items()
    first = [items[key] for key in ("restriction", "synthetic_note") if key in items]
    said = [f"<p><b>{shown(text)}</b></p>" for text in first]
    said.append(
        f"<p>{shown(items['tool'])}, study {shown(note.study)}, run {shown(note.run_id)} "
        f"of {note.run_date.isoformat()}.</p>"
    )
    lists = (
        ("Sources", note.attributions),
        ("Terms", note.licences),
        ("Left out because of their terms", note.excluded),
    )
    for title, lines in lists:
        if lines:
            rows = "".join(f"<li>{shown(line)}</li>" for line in lines)
            said.append(f"<p>{title}</p><ul>{rows}</ul>")
    return "".join(said)


def _write_schema(kml: Kml, layer: ExportLayer, name: str) -> None:
    with kml.element("Schema", {"name": name, "id": name}):
        for column in _columns(layer):
            kind, _ = _data_of(layer.frame[column])
            with kml.element("SimpleField", {"type": kind, "name": column}):
                kml.leaf("displayName", layer.aliases[column])


def _write_layer(kml: Kml, layer: ExportLayer, folder: AbstractContextManager[None]) -> None:
    columns = _columns(layer)
    texts = {column: _data_of(layer.frame[column])[1] for column in columns}
    told = {column: _told(layer.frame[column]) for column in columns}
    names = _names(layer)
    snippets = _snippets(layer)
    shapes = layer.frame.geometry.to_numpy()
    classes = _class_of(layer)

    def write_one(row: int, style: str, schema: str) -> None:
        kml.leaf("name", names[row])
        kml.leaf("Snippet", snippets[row], {"maxLines": "1"})
        kml.leaf("description", _balloon(layer, names[row], columns, told, row))
        kml.leaf("styleUrl", f"#{style}")
        with (
            kml.element("ExtendedData"),
            kml.element("SchemaData", {"schemaUrl": f"#{schema}"}),
        ):
            for column in columns:
                if (value := texts[column][row]) is not None:
                    kml.leaf("SimpleData", value, {"name": column})
        kml.geometry(shapes[row])

    with folder:
        for number, (style, words, _) in enumerate(_classes()):
            rows = np.flatnonzero(classes == number).tolist()
            if not rows:
                continue
            schema = f"{layer.name}-{style}"
            # GDAL looks for the types of data in the container of the features, and only if that is a Document.
            with kml.element("Document"):
                kml.leaf("name", f"{words if 'rank' in layer.columns else 'All'} ({len(rows):,})")
                _write_schema(kml, layer, schema)
                for row in rows:
                    with kml.element("Placemark"):
                        write_one(row, style, schema)


@contextmanager
def _folder(kml: Kml, layer: ExportLayer) -> Generator[None]:
    with kml.element("Folder"):
        kml.leaf("name", layer.title)
        kml.leaf("open", 1)
        if layer.description:
            kml.leaf("description", shown(layer.description))
        yield


def _balloon(
    layer: ExportLayer,
    name: str,
    columns: Sequence[str],
    told: dict[str, list[str]],
    row: int,
) -> str:
    rows = "".join(
        f"<tr><td>{shown(layer.aliases[column])}</td><td><b>{shown(told[column][row])}</b></td></tr>"
        for column in columns
    )
    return f'<h3>{shown(name)}</h3><table cellpadding="2">{rows}</table>'


def _columns(layer: ExportLayer) -> list[str]:
    if len(layer.columns) <= MOST_COLUMNS:
        return layer.columns
    known = [column for column in SHORT_LIST if column in layer.columns]
    return known or layer.columns[:MOST_COLUMNS]


def _class_of(layer: ExportLayer) -> np.ndarray:
    """Position of each row's class in `_classes`, the last where it has no rank."""
    unranked = len(RANK_CLASSES)
    if "rank" not in layer.columns:
        return np.full(len(layer.frame), unranked)
    ranks = pd.to_numeric(layer.frame["rank"], errors="coerce").to_numpy(float, na_value=np.nan)
    ends = [one.last for one in RANK_CLASSES if one.last is not None]
    return np.where(np.isnan(ranks), unranked, np.searchsorted(ends, ranks))


def _names(layer: ExportLayer) -> list[str]:
    """Rank and name of every feature, its id where it has no name."""
    frame = layer.frame
    words = pd.Series(pd.NA, index=frame.index, dtype="string")
    for column in (*NAMES, *IDS):
        if column in layer.columns:
            words = words.fillna(frame[column].astype("string").replace("", pd.NA))
    words = words.fillna("Feature " + (frame.index + 1).astype("string").to_series(frame.index))
    if "rank" in layer.columns:
        ranks = frame["rank"].astype("string")
        words = (ranks + ". ").fillna("") + words
    return words.tolist()


def _snippets(layer: ExportLayer) -> list[str]:
    parts = [
        [f"{words} {text}" if text != UNKNOWN else "" for text in _told(layer.frame[column])]
        for column, words in (("score", "Score"), ("gate_status", "gates:"))
        if column in layer.columns
    ]
    return [", ".join(filter(None, row)) for row in zip(*parts, strict=True)] or [""] * len(
        layer.frame
    )


def _data_of(column: pd.Series) -> tuple[str, list[str | None]]:
    """Give KML's type of a column, and its values as text, None where unknown."""
    write_one: Callable[[Any], str] = str
    if pd.api.types.is_bool_dtype(column.dtype):
        kind, write_one = "bool", lambda value: str(int(value))
    elif pd.api.types.is_integer_dtype(column.dtype):
        largest = column.abs().max()
        is_small = pd.isna(largest) or int(largest) < INT_LIMIT
        kind, write_one = ("int" if is_small else "string"), lambda value: str(int(value))
    elif pd.api.types.is_float_dtype(column.dtype):
        kind, write_one = "double", lambda value: repr(float(value))
    else:
        kind = "string"
    known = column.notna().to_numpy()
    return kind, [
        write_one(value) if is_known else None
        for value, is_known in zip(column, known, strict=True)
    ]


def _told(column: pd.Series) -> list[str]:
    """Give values for people: thousands apart, four figures, a dash where unknown."""
    kind, texts = _data_of(column)
    if kind == "double":
        return [UNKNOWN if text is None else _figures(float(text)) for text in texts]
    if kind == "int" and column.name != "rank":
        return [UNKNOWN if text is None else f"{int(text):,}" for text in texts]
    if kind == "bool":
        return [UNKNOWN if text is None else ("yes" if text == "1" else "no") for text in texts]
    return [UNKNOWN if text is None else text for text in texts]


def _figures(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"


def _legend() -> bytes:
    """Draw the classes of ranks as a small picture."""
    classes = list(_classes())
    height = 26 * len(classes) + 16
    figure = Figure(figsize=(1.8, height / 100), dpi=100, facecolor="#ffffff")
    for line, (_, words, fill) in enumerate(classes):
        y = 1 - (26 * line + 21) / height
        box = Rectangle((0.06, y - 8 / height), 0.12, 16 / height, facecolor=fill, linewidth=0.6)
        box.set(edgecolor=OUTLINE, transform=figure.transFigure)
        figure.add_artist(box)
        draw_text(figure, 0.25, y, words, fontsize=9, va="center")
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()
