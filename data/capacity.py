"""Capacity files of the user: megawatts that a utility states by substation or point, good rows kept, bad rows named."""

import datetime as dt
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import Transformer

from data.errors import CatalogueError, InputError, ReadError
from data.readers._artefact import Artefact
from data.readers._geometry import CRS84, is_lon_lat, parse_crs
from data.readers.delimited import read_csv

# Names of columns, the surest first, as they stand once case and signs are evened out.
ID_NAMES = ("substation_id", "substationid", "sub_id", "subid", "station_id", "substation")
LON_NAMES = ("lon", "longitude", "long", "lng", "x")
LAT_NAMES = ("lat", "latitude", "y")
MW_NAMES = (
    "mw",
    "mw_mid",
    "mid_mw",
    "capacity_mw",
    "available_mw",
    "available_capacity_mw",
    "hosting_capacity_mw",
    "load_hosting_mw",
    "load_hosting_capacity_mw",
    "headroom_mw",
    "headroom_mw_mid",
)
LOW_NAMES = ("mw_low", "low_mw", "mw_min", "min_mw", "capacity_mw_low", "headroom_mw_low")
HIGH_NAMES = ("mw_high", "high_mw", "mw_max", "max_mw", "capacity_mw_high", "headroom_mw_high")
KV_NAMES = ("kv", "kv_max", "voltage_kv", "nominal_kv", "base_kv")
AS_OF_NAMES = ("as_of", "asof", "as_of_date", "date", "year", "updated", "last_updated", "vintage")
SOURCE_NAMES = ("source", "data_source", "capacity_source", "publisher", "utility")

CSV_DELIMITERS = {".csv": ",", ".txt": ",", ".tsv": "\t"}
PARQUET = (".parquet", ".geoparquet")
UNREADABLE = (DataSourceError, DataLayerError, ReadError, pa.ArrowException, OSError, ValueError)

# No substation of the country carries as much; what is above was written in kW.
MOST_MW = 10_000.0
# The highest voltage of the country is 765 kV; what is above was written in volts.
MOST_KV = 1_000.0
# The 48 states with a margin, as in sql/meta/staging_macros: west, south, east, north.
AREA = (-126.5, 23.5, -65.5, 50.5)

GOOD_COLUMNS = {
    "file": object, "raw_row": np.int64, "substation_id": object, "lon": float, "lat": float,
    "kv": float, "mw_low": float, "mw_mid": float, "mw_high": float, "as_of": object,
    "source": object,
}  # fmt: skip
REJECT_COLUMNS = ("raw_table", "file", "raw_row", "reject_code", "reason")
RAW_TABLE = "capacity"

_NUMBER = re.compile(r"[-+]?(\d{1,3}(,\d{3})+|\d+)?(\.\d*)?(e[-+]?\d+)?", re.IGNORECASE)
_ISO = re.compile(r"((?:19|20)\d\d)(?:-(\d\d?)(?:-(\d\d?))?)?(?:[T ].*)?")
_US = re.compile(r"(\d\d?)/(\d\d?)/((?:19|20)\d\d)(?: .*)?")


@dataclass(frozen=True)
class CapacityRows:
    """Rows of one capacity file.

    Attributes
    ----------
    good
        `file`, `raw_row` (from 1), `substation_id` (None without one), `lon`, `lat` (degrees, NaN without
        a point), `kv` (NaN unknown), `mw_low`, `mw_mid`, `mw_high`, `as_of` (YYYY, YYYY-MM or
        YYYY-MM-DD) and `source`. Every row has an id, a point, or both.
    rejected
        The other rows, as rows of `meta.rejected_row`.
    """

    good: pd.DataFrame
    rejected: pd.DataFrame


def read_capacity(path: Path) -> CapacityRows:
    """Read a table of capacities: CSV, GeoJSON, GeoPackage, GeoParquet or what else GDAL opens.

    Columns are found by common names, whatever their case: substation id, or a point (geometry in any
    CRS, or longitude and latitude in degrees); MW, alone or between a low and a high end; the date or year
    of the statement; its source; and, where it is known, the voltage in kV. A date with slashes is
    month/day/year.

    Of rows that state the same substation or point as of the same date, the one with the lowest MW is
    kept, so that the order of the file does not matter.

    Raises
    ------
    InputError
        The file is missing, unreadable, empty or without CRS, lacks a column, has two columns that could
        be the MW, or holds no good row.
    """
    if not path.is_file():
        msg = f"There is no capacity file {path}."
        raise InputError(msg, "Check the path given to --capacity.")
    try:
        frame, points = _read(path)
    except UNREADABLE as error:
        said = (str(error) or type(error).__name__).splitlines()[0]
        msg = f"{path} cannot be read as a capacity file: {said}"
        raise InputError(msg, "Give CSV, GeoJSON, GeoPackage or GeoParquet.") from error
    if frame.empty:
        msg = f"{path} holds no rows."
        raise InputError(msg, "Check the table that was exported.")
    columns = _Columns.of(
        path, [str(name) for name in frame.columns], has_points=points is not None
    )
    good: list[dict[str, Any]] = []
    rejected: list[dict[str, Any]] = []
    for number, values in enumerate(frame.to_dict("records"), start=1):
        at = {"file": path.name, "raw_row": number}
        row = _Row(values, None if points is None else points[number - 1])
        told = row.read(columns)
        if row.problems:
            rejected.append(at | _reject(row.code, "; ".join(row.problems)))
        else:
            good.append(at | told)
    good, repeated = _without_repeats(good)
    rejected.extend(repeated)
    if not good:
        msg = f"{path}: none of its {len(frame):,} rows can be used; row 1 {rejected[0]['reason']}."
        raise InputError(msg, "Mend the columns that are named, and run again.")
    kept = pd.DataFrame(good, columns=[*GOOD_COLUMNS]).astype(GOOD_COLUMNS)
    bad = pd.DataFrame(rejected, columns=[*REJECT_COLUMNS]).sort_values("raw_row")
    return CapacityRows(kept, bad.reset_index(drop=True))


def _reject(code: str, reason: str) -> dict[str, Any]:
    return {"raw_table": RAW_TABLE, "reject_code": code, "reason": reason}


@dataclass(frozen=True)
class _Columns:
    """Which column of a file holds what; None where it has none."""

    substation_id: str | None
    lon: str | None
    lat: str | None
    mw: str
    low: str | None
    high: str | None
    kv: str | None
    as_of: str
    source: str

    @classmethod
    def of(cls, path: Path, names: Sequence[str], *, has_points: bool) -> "_Columns":
        even = {_even(name): name for name in reversed(names)}
        found = {
            role: [even[name] for name in usual if name in even]
            for role, usual in (
                ("substation_id", ID_NAMES), ("lon", LON_NAMES), ("lat", LAT_NAMES),
                ("mw", MW_NAMES), ("low", LOW_NAMES), ("high", HIGH_NAMES), ("kv", KV_NAMES),
                ("as_of", AS_OF_NAMES), ("source", SOURCE_NAMES),
            )
        }  # fmt: skip
        there = f"Its columns are: {', '.join(names)}."
        for role, what, usual in (
            ("mw", "MW", "mw"), ("as_of", "date or year", "as_of"), ("source", "source", "source"),
        ):  # fmt: skip
            if not found[role]:
                msg = f"{path} has no column of the {what}."
                raise InputError(msg, f"Name it {usual!r}. {there}")
        for role in ("mw", "low", "high"):
            if len(found[role]) > 1:
                msg = f"{path} has two columns that could be the MW: {found[role][0]!r} and {found[role][1]!r}."
                raise InputError(msg, "Keep one of them, or name the other what it is.")
        is_placed = has_points or (found["lon"] and found["lat"])
        if not is_placed and not found["substation_id"]:
            msg = f"{path} has neither a column of substation ids nor points."
            raise InputError(msg, f"Name it 'substation_id', or give 'lon' and 'lat'. {there}")
        first = {role: columns[0] if columns else None for role, columns in found.items()}
        if has_points:
            # Columns beside a geometry may hold anything: metres, or the place of the office.
            first |= {"lon": None, "lat": None}
        return cls(
            mw=found["mw"][0],
            as_of=found["as_of"][0],
            source=found["source"][0],
            substation_id=first["substation_id"],
            lon=first["lon"],
            lat=first["lat"],
            low=first["low"],
            high=first["high"],
            kv=first["kv"],
        )


def _even(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


class _Row:
    """One row, and what is wrong with it."""

    def __init__(self, values: dict[str, Any], point: "_Point | None") -> None:
        self.values = values
        self.point = point
        self.problems: list[str] = []
        self.code = "invalid"

    def read(self, columns: _Columns) -> dict[str, Any]:
        """Say what the row says; `problems` names what cannot be used."""
        substation_id = self._text(columns.substation_id)
        lon, lat = self._place(columns)
        if substation_id is None and math.isnan(lon) and not self.problems:
            self.problems.append("has neither a substation id nor a point: give one of them")
        low, mid, high = self._megawatts(columns)
        kv = self._number(columns.kv)
        if not math.isnan(kv) and not 0 < kv <= MOST_KV:
            self.problems.append(f"{columns.kv} {kv:g} is no voltage: give it in kV")
        as_of = self._as_of(columns.as_of)
        source = self._text(columns.source)
        if source is None:
            self.problems.append(f"{columns.source} is blank: say who states the MW")
        return {
            "substation_id": substation_id, "lon": lon, "lat": lat, "kv": kv,
            "mw_low": low, "mw_mid": mid, "mw_high": high, "as_of": as_of, "source": source,
        }  # fmt: skip

    def _text(self, column: str | None) -> str | None:
        return None if column is None else _text(self.values[column])

    def _number(self, column: str | None) -> float:
        """Read a number; NaN where the cell is blank, and where it is no number, which is a problem."""
        text = self._text(column)
        if text is None:
            return math.nan
        number = _number(text)
        if math.isnan(number):
            self.problems.append(f"{column} {text!r} is not a number: write digits only, no unit")
        return number

    def _place(self, columns: _Columns) -> tuple[float, float]:
        """Longitude and latitude of the row, NaN when it gives none."""
        if columns.lon is not None and columns.lat is not None:
            lon, lat = self._number(columns.lon), self._number(columns.lat)
            if not math.isnan(lon) and not math.isnan(lat):
                return self._on_land(lon, lat)
            if math.isnan(lon) != math.isnan(lat) and not self.problems:
                blank = columns.lon if math.isnan(lon) else columns.lat
                self.problems.append(f"{blank} is blank: give both coordinates or none")
            return math.nan, math.nan
        if self.point is None:
            return math.nan, math.nan
        if self.point.problem:
            self.problems.append(self.point.problem)
            return math.nan, math.nan
        if math.isnan(self.point.lon):
            return math.nan, math.nan
        return self._on_land(self.point.lon, self.point.lat)

    def _on_land(self, lon: float, lat: float) -> tuple[float, float]:
        if _is_inside(lon, lat):
            return lon, lat
        where = f"point ({lon:g}, {lat:g})"
        if _is_inside(lat, lon):
            self.problems.append(f"{where} has longitude and latitude swapped: swap them back")
        elif _is_inside(-lon, lat):
            self.problems.append(f"{where} lacks the minus of western longitude: write {-lon:g}")
        elif abs(lon) > 180 or abs(lat) > 90:
            self.problems.append(f"{where} is not on the earth: give degrees, or the right CRS")
        else:
            self.problems.append(f"{where} lies outside the 48 states: check it, or leave it out")
            self.code = "outside_area"
        return math.nan, math.nan

    def _megawatts(self, columns: _Columns) -> tuple[float, float, float]:
        """Low, mid and high MW; a single figure stands for all three."""
        before = len(self.problems)
        ends = [("low", columns.low), ("mid", columns.mw), ("high", columns.high)]
        names = {end: column for end, column in ends if column is not None}
        told = {end: self._number(column) for end, column in names.items()}
        if len(self.problems) > before:
            return math.nan, math.nan, math.nan
        blank = [names[end] for end, value in told.items() if math.isnan(value)]
        if math.isnan(told["mid"]):
            self.problems.append(f"{columns.mw} is blank: give the MW, or leave the row out")
        elif len(told) == 1 or len(blank) == len(told) - 1:
            told = dict.fromkeys(("low", "mid", "high"), told["mid"])
        elif blank or len(told) == 2:
            missing = blank[0] if blank else "mw_high" if "low" in told else "mw_low"
            self.problems.append(f"{missing} is not given: give low, mid and high, or only one MW")
        for end, value in told.items():
            if value < 0 or value > MOST_MW:
                what = "negative" if value < 0 else f"more than {MOST_MW:,.0f} MW"
                hint = "write 0 where nothing is free" if value < 0 else "give MW, not kW"
                self.problems.append(f"{names.get(end, columns.mw)} {value:g} is {what}: {hint}")
                break
        low, mid, high = (told.get(end, math.nan) for end in ("low", "mid", "high"))
        if len(self.problems) == before and not low <= mid <= high:
            self.problems.append(
                f"{columns.low} {low:g}, {columns.mw} {mid:g}, {columns.high} {high:g} do not rise: "
                "order them low, mid, high"
            )
        return low, mid, high

    def _as_of(self, column: str) -> str | None:
        text = self._text(column)
        if text is None:
            self.problems.append(f"{column} is blank: say of which date or year the MW are")
            return None
        date = _date(text)
        if date is None:
            self.problems.append(f"{column} {text!r} is no date: write 2024, 2024-05 or 2024-05-31")
        return date


def _text(value: Any) -> str | None:
    """Write a cell as text; whole numbers that are held as floats have no decimals."""
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return None
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip() or None


def _number(text: str) -> float:
    """Read a number, with commas between thousands or without; NaN for anything else."""
    if _NUMBER.fullmatch(text) is None:
        return math.nan
    try:
        number = float(text.replace(",", ""))
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def _date(text: str) -> str | None:
    """Read a date, month or year in ISO 8601, as exact as it was given; None when it is none."""
    if found := _US.fullmatch(text):
        parts = [found[3], found[1], found[2]]
    elif found := _ISO.fullmatch(text):
        parts = [part for part in found.groups() if part is not None]
    else:
        return None
    try:
        dt.date(*[int(part) for part in [*parts, "1", "1"][:3]])
    except ValueError:
        return None
    return "-".join([parts[0], *(part.zfill(2) for part in parts[1:])])


def _is_inside(lon: float, lat: float) -> bool:
    west, south, east, north = AREA
    return west <= lon <= east and south <= lat <= north


def _without_repeats(
    rows: list[dict[str, Any]],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Keep, of the rows of one substation or point and date, the one with the lowest MW."""
    kept: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = _key(row)
        if key not in kept or _rank(row) < _rank(kept[key]):
            kept[key] = row
    rejected = []
    for row in rows:
        taken = kept[_key(row)]
        if row is not taken:
            reason = (
                f"repeats the substation or point and the date of row {taken['raw_row']}, which "
                f"states {taken['mw_mid']:g} MW where this states {row['mw_mid']:g}: leave one"
            )
            at = {"file": row["file"], "raw_row": row["raw_row"]}
            rejected.append(at | _reject("duplicate", reason))
    return [row for row in rows if kept[_key(row)] is row], rejected


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    place = row["substation_id"] or (round(row["lon"], 6), round(row["lat"], 6))
    return place, row["as_of"]


def _rank(row: dict[str, Any]) -> tuple[float, ...]:
    return tuple(row[name] for name in ("mw_mid", "mw_low", "mw_high"))


@dataclass(frozen=True)
class _Point:
    """Point of a row in degrees, NaN where the row has none; or why it cannot be used."""

    lon: float = math.nan
    lat: float = math.nan
    problem: str = ""


def _read(path: Path) -> tuple[pd.DataFrame, list[_Point] | None]:
    """Columns of a file, and the point of each row when it has geometries."""
    suffix = path.suffix.lower()
    if suffix in CSV_DELIMITERS:
        table = read_csv(Artefact(path), delimiter=CSV_DELIMITERS[suffix])
        return table.to_pandas(), None
    if suffix in PARQUET:
        is_geo = b"geo" in (pq.read_schema(path).metadata or {})
        frame = gpd.read_parquet(path) if is_geo else pd.read_parquet(path)
    else:
        layers = pyogrio.list_layers(path)
        names = [str(name) for name, kind in layers if kind is not None] or [str(layers[0][0])]
        if len(names) > 1:
            msg = f"{path} has {len(names)} layers: {', '.join(names)}."
            raise InputError(msg, "Give a file with the one layer that holds the capacities.")
        frame = pyogrio.read_dataframe(path, layer=names[0], on_invalid="ignore")
    if not isinstance(frame, gpd.GeoDataFrame):
        return frame, None
    if frame.crs is None:
        msg = f"{path} states no coordinate reference system."
        raise InputError(msg, "Write it with its CRS, for example with ogr2ogr -a_srs.")
    points = _points(frame.geometry.to_numpy(), frame.crs, path)
    return pd.DataFrame(frame.drop(columns=frame.geometry.name)), points


def _points(shapes: np.ndarray, crs: Any, path: Path) -> list[_Point]:
    try:
        system = parse_crs(crs, path.name)
    except CatalogueError as error:
        raise InputError(error.message, "Write the file with a CRS such as EPSG:4326.") from error
    # A multipoint of one point is that point.
    is_one = (shapely.get_type_id(shapes) == 4) & (shapely.get_num_geometries(shapes) == 1)
    flat = np.where(is_one, shapely.get_geometry(shapes, 0), shapes)
    flat[shapely.is_empty(flat)] = None
    is_point = shapely.get_type_id(flat) == 0
    lon, lat = shapely.get_x(flat), shapely.get_y(flat)
    if not is_lon_lat(system):
        to_degrees = Transformer.from_crs(system, CRS84, always_xy=True)
        lon, lat = to_degrees.transform(lon, lat)
    return [
        _Point()
        if shape is None
        else _Point(problem=f"its geometry is a {shape.geom_type}: give a point, or the id alone")
        if not is_it
        else _Point(x, y)
        if math.isfinite(x) and math.isfinite(y)
        else _Point(problem=f"its point lies outside the range of {system.name}: check the CRS")
        for shape, is_it, x, y in zip(flat, is_point, lon, lat, strict=True)
    ]
