"""What writers are given: layers checked and cleaned once, and the note that every file carries."""

import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import shapely

from geo.errors import CrsError, GeoError, GeometryError
from geo.export._cells import clean_column, clean_text
from geo.export._words import alias_of

LONLAT_CRS = "OGC:CRS84"
SYNTHETIC_SENTENCE = (
    "The grid behind this ranking is synthetic: statistically like the real one and placed on real "
    "towns, but its lines and substations are not the real ones."
)
_LAYER_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_COLUMN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
# GeoPackage keeps `fid` for its key, GeoParquet `bbox` for its covering and OGR `ogc_fid`.
_RESERVED_COLUMNS = frozenset({"fid", "ogc_fid", "bbox"})
_SINGLE_TO_MULTI = {0: 4, 1: 5, 3: 6}  # shapely type ids: point, line, polygon
_PROMOTE = {4: shapely.multipoints, 5: shapely.multilinestrings, 6: shapely.multipolygons}


@dataclass(frozen=True, eq=False)
class ExportLayer:
    """One table of features, checked when it is made and kept in the form that every format can hold.

    `frame` is replaced by a cleaned copy: geometry last, named `geometry`, two-dimensional, OGC:CRS84;
    a plain RangeIndex; lists and dicts as JSON text; integers and booleans nullable; unknown is null.
    Column names are left as they are, order of rows too.

    Parameters
    ----------
    name
        Table and file name: lower case letters, digits, underscores.
    title
        What people read in the layer list.
    frame
        Features in OGC:CRS84 or EPSG:4326. A missing or empty geometry is kept as null.
    description
        One or two sentences.
    column_docs
        Column name to what it holds; columns may be left out.
    aliases
        Column name to words for people, with the unit; those left out are made from the name.

    Raises
    ------
    CrsError
        If the frame has no CRS or another one.
    GeometryError
        If coordinates are not finite or not longitudes and latitudes.
    GeoError
        If the names are unusable, docs name no column, or a number is infinite.
    """

    name: str
    title: str
    frame: gpd.GeoDataFrame
    description: str = ""
    column_docs: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the layer and clean its frame."""
        problems = _name_problems(self)
        if problems:
            raise GeoError(f"Layer {self.name!r} cannot be exported: " + "; ".join(problems) + ".")
        _check_crs(self.name, self.frame)
        cleaned = _clean_frame(self.name, self.frame)
        object.__setattr__(self, "frame", cleaned)
        object.__setattr__(self, "title", clean_text(self.title))
        object.__setattr__(self, "description", clean_text(self.description))
        docs = {column: clean_text(text) for column, text in self.column_docs.items()}
        object.__setattr__(self, "column_docs", docs)
        object.__setattr__(self, "aliases", _distinct_aliases(self.columns, self.aliases))

    @property
    def columns(self) -> list[str]:
        """Names of the columns that are not the geometry."""
        return [str(column) for column in self.frame.columns[:-1]]

    @property
    def geometry_kind(self) -> str:
        """OGR's name of the one geometry type of the layer, `Unknown` where it has several or none."""
        kinds = self.frame.geometry.geom_type.dropna().unique()
        return str(kinds[0]) if len(kinds) == 1 else "Unknown"


@dataclass(frozen=True, kw_only=True)
class ExportNote:
    """Where an export comes from and on which terms: carried by every file.

    Parameters
    ----------
    run_id
        The run that made the build.
    run_date
        The day of the run; also the time stamp inside formats that want one, so that files are reproducible.
    study
        Name of the study.
    is_synthetic
        Whether any source behind it is synthetic.
    attributions
        One sentence a source.
    licences
        One entry a source.
    excluded
        Sources left out of exports because of their terms.
    tool_version
        Version of the pipeline.
    restriction
        One sentence that stands first where the file must not be passed on; empty where it may.
    """

    run_id: str
    run_date: dt.date
    study: str
    is_synthetic: bool
    attributions: list[str] = field(default_factory=list)
    licences: list[str] = field(default_factory=list)
    excluded: list[str] = field(default_factory=list)
    tool_version: str = ""
    restriction: str = ""

    def items(self) -> dict[str, str]:
        """Give the note as text keys and values, empty ones left out."""
        pairs = {
            "restriction": self.restriction,
            "run_id": self.run_id,
            "run_date": self.run_date.isoformat(),
            "study": self.study,
            "is_synthetic": "true" if self.is_synthetic else "false",
            "synthetic_note": SYNTHETIC_SENTENCE if self.is_synthetic else "",
            "attribution": "; ".join(self.attributions),
            "licence": "; ".join(self.licences),
            "excluded_sources": "; ".join(self.excluded),
            "tool": f"Gridstead {self.tool_version}".strip(),
        }
        return {key: clean_text(value) for key, value in pairs.items() if value}

    def to_json(self) -> str:
        """Give `items` as a JSON object."""
        return json.dumps(self.items(), ensure_ascii=False)


def _distinct_aliases(columns: list[str], given: Mapping[str, str]) -> dict[str, str]:
    """Give words for every column; GeoPackage wants those of a table to differ."""
    aliases: dict[str, str] = {}
    for column in columns:
        words = clean_text(given.get(column) or alias_of(column))
        aliases[column] = f"{words} [{column}]" if words in aliases.values() else words
    return aliases


def in_epsg_4326(layer: ExportLayer) -> gpd.GeoDataFrame:
    """Give the frame labelled EPSG:4326, x still the longitude.

    GDAL's readers and many others know EPSG codes only, and its GeoJSON driver would transform every vertex of CRS84.
    """
    frame = layer.frame.copy(deep=False)
    frame.geometry = frame.geometry.set_crs("EPSG:4326", allow_override=True)
    return frame


def _name_problems(layer: ExportLayer) -> list[str]:
    frame = layer.frame
    problems = []
    if not _LAYER_NAME.fullmatch(layer.name):
        problems.append("a layer name is lower case letters, digits and underscores")
    if not isinstance(frame, gpd.GeoDataFrame) or frame._geometry_column_name not in frame.columns:  # noqa: SLF001
        return [*problems, "it has no geometry column"]
    active = frame.geometry.name
    columns = [str(column) for column in frame.columns if column != active]
    seen: dict[str, str] = {}
    for column in [*columns, "geometry"]:
        # SQLite and most GIS tables compare column names without case.
        if column.casefold() in seen:
            problems.append(f"columns {seen[column.casefold()]!r} and {column!r} have one name")
        seen[column.casefold()] = column
        if not _COLUMN_NAME.fullmatch(column):
            problems.append(f"column name {column!r} is not letters, digits and underscores")
        if column.casefold() in _RESERVED_COLUMNS:
            problems.append(f"column name {column!r} is reserved by a format")
    geometries = [str(name) for name in frame.columns[frame.dtypes == "geometry"] if name != active]
    problems += [f"column {name!r} is a second geometry" for name in geometries]
    for what, named in (("column_docs", layer.column_docs), ("aliases", layer.aliases)):
        unknown = sorted(set(named) - {*columns, "geometry"})
        problems += [f"{what} name {name!r}, which is no column" for name in unknown]
    return problems


def _check_crs(name: str, frame: gpd.GeoDataFrame) -> None:
    if frame.crs is None:
        msg = f"Layer {name!r} has no CRS: exports take OGC:CRS84 or EPSG:4326."
        raise CrsError(msg)
    if frame.crs.to_authority() not in {("OGC", "CRS84"), ("EPSG", "4326")}:
        msg = (
            f"Layer {name!r} is in {frame.crs.to_string()[:60]}: exports take OGC:CRS84 or EPSG:4326, "
            "so reproject it first with to_crs."
        )
        raise CrsError(msg)


def _clean_frame(name: str, frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    active = frame.geometry.name
    cells = {
        str(column): clean_column(frame[column].reset_index(drop=True), layer=name)
        for column in frame.columns
        if column != active
    }
    geometry = _clean_geometry(name, frame.geometry.to_numpy())
    return gpd.GeoDataFrame(cells, geometry=geometry, crs=LONLAT_CRS)


def _clean_geometry(name: str, geometry: np.ndarray) -> np.ndarray:
    geometry = shapely.force_2d(geometry)
    geometry[shapely.is_empty(geometry)] = None
    present = ~shapely.is_missing(geometry)
    bounds = shapely.bounds(geometry[present])
    # Bounds skip NaN vertices, so ask the geometry itself; a NaN area or length gives a NaN sum.
    if not np.isfinite(bounds).all() or np.isnan(shapely.length(geometry[present])).any():
        msg = f"Layer {name!r} has coordinates that are not finite."
        raise GeometryError(msg)
    if (np.abs(bounds) > [180.0, 90.0, 180.0, 90.0]).any():
        msg = (
            f"Layer {name!r} has coordinates beyond 180 degrees of longitude or 90 of latitude: "
            "it is not in lon/lat, or the two are swapped."
        )
        raise GeometryError(msg)
    kinds = shapely.get_type_id(geometry)
    found = set(kinds[present].tolist())
    for single, multi in _SINGLE_TO_MULTI.items():
        if found == {single, multi}:  # formats with one type a layer take the wider one
            geometry[kinds == single] = _PROMOTE[multi](
                geometry[kinds == single], indices=np.arange((kinds == single).sum())
            )
    return geometry
