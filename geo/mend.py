"""Every row a valid polygon in lon/lat, or rejected with a reason."""

import functools
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pyproj
import shapely

from geo import _mend, geodesy
from geo._threads import in_threads
from geo.errors import CrsError
from geo.polygons import POLYGON_TYPES, Polygons
from geo.wkb import Decoded, RowStatus, decode

LONLAT = "OGC:CRS84"
COLLECTION_TYPE = 7
# A square centimetre and less is rounding, not land.
NO_AREA_DEG2 = 1e-14


@dataclass(frozen=True, eq=False)
class Mended:
    """Rows that can be measured, and why the others cannot.

    Attributes
    ----------
    polygons
        Valid polygons in lon/lat WGS84, shells counter-clockwise and holes clockwise, in the order of
        the rows.
    rows
        Their row numbers: int64, shape (len(polygons),), ascending.
    status
        `RowStatus` of every row: int8, shape (n,).
    is_repaired
        Rows whose rings were closed, or whose shape crossed itself: bool, shape (n,); rejected rows are
        not among them.
    """

    polygons: Polygons
    rows: np.ndarray
    status: np.ndarray
    is_repaired: np.ndarray

    @property
    def rejected(self) -> np.ndarray:
        """Row numbers that are not among `rows`: int64."""
        return np.flatnonzero(self.status != RowStatus.GOOD)

    @property
    def reasons(self) -> np.ndarray:
        """Why each of the `rejected` is: strings, same shape."""
        by_status = np.array([status.reason for status in RowStatus], dtype=object)
        return by_status[self.status[self.rejected]]


def mend(
    decoded: Decoded, crs: pyproj.CRS | str | dict | None = None, *, workers: int = -1
) -> Mended:
    """Turn decoded rows to lon/lat, prove them valid or repair them, and reject the rest.

    A compiled proof settles nearly all shapes; the few that it is not sure of go to GEOS, whose
    "structure" repair is taken where they are invalid: the union of the shells less that of the holes,
    but a hole that lies outside of its shell is land. Repeated vertices stay.

    Parameters
    ----------
    decoded
        As from `geo.wkb.decode` or `from_arrow`.
    crs
        CRS of its coordinates, x before y whatever the CRS says; None for lon/lat WGS84.
    workers
        Threads; -1 takes all cores. They change nothing but the time.

    Returns
    -------
    Mended
        Each row is valid and of more than a square centimetre, or has a status that says why not.

    Raises
    ------
    CrsError
        For a CRS that cannot be turned to lon/lat.
    """
    polygons = decoded.polygons
    code = np.zeros(len(polygons), dtype=np.int8)
    lonlat = polygons.lonlat
    if not is_lonlat(crs):
        _look(polygons, lonlat, np.inf, np.inf, code, workers)
        polygons, rows, status = _without(polygons, decoded.rows, decoded.status, code)
        lonlat = to_lonlat(polygons.lonlat, crs, workers=workers)
        code = np.zeros(len(polygons), dtype=np.int8)
        polygons = Polygons(lonlat, polygons.ring_start, polygons.part_start, polygons.shape_start)
    else:
        rows, status = decoded.rows, decoded.status
    _look(polygons, lonlat, 180.0, 90.0, code, workers)
    if lonlat is not decoded.polygons.lonlat:
        # What was a number and is none now has no place on earth.
        code[code == RowStatus.NOT_NUMBERS] = RowStatus.OUT_OF_RANGE
    polygons, rows, status = _without(polygons, rows, status, code)

    verdict = np.empty(len(polygons), dtype=np.int8)
    area_deg2 = np.empty(len(polygons))
    in_threads(
        lambda part: _mend.prove(
            *(polygons.lonlat, polygons.ring_start, polygons.part_start, polygons.shape_start),
            *(part.start, part.stop, verdict, area_deg2),
        ),
        len(polygons),
        workers,
    )
    code = np.where(area_deg2 > NO_AREA_DEG2, 0, RowStatus.NO_AREA).astype(np.int8)
    code[verdict == _mend.UNSURE] = 0
    unsure = np.flatnonzero(verdict == _mend.UNSURE)
    polygons, crossed = _repair(polygons.oriented(), unsure, code)
    is_repaired = decoded.is_closed_here.copy()
    is_repaired[rows[crossed]] = True
    polygons, rows, status = _without(polygons, rows, status, code)
    return Mended(polygons, rows, status, is_repaired & (status == RowStatus.GOOD))


def mend_shapes(geometries: gpd.GeoSeries | np.ndarray, *, workers: int = -1) -> Mended:
    """Mend shapely geometries; see `mend`.

    Parameters
    ----------
    geometries
        Any geometries, None among them, shape (n,): a GeoSeries in any CRS, or an array in lon/lat.

    Raises
    ------
    CrsError
        For a GeoSeries without a CRS.
    """
    crs = None
    if isinstance(geometries, gpd.GeoSeries):
        if geometries.crs is None:
            msg = "The geometries have no CRS; set it with set_crs('OGC:CRS84') if they are longitude/latitude."
            raise CrsError(msg)
        crs = geometries.crs
    shapes = np.asarray(geometries, dtype=object)
    # Points without coordinates have no 2-D form in WKB, and are no polygons anyway.
    is_missing = shapely.is_missing(shapes)
    wkb = shapely.to_wkb(np.where(is_missing, shapely.Point(0.0, 0.0), shapes), output_dimension=2)
    offsets = np.zeros(len(wkb) + 1, dtype=np.int64)
    np.cumsum([len(one) for one in wkb], out=offsets[1:])
    data = np.frombuffer(b"".join(wkb), dtype=np.uint8)
    return mend(decode(data, offsets, is_missing, workers=workers), crs, workers=workers)


def is_lonlat(crs: pyproj.CRS | str | dict | None) -> bool:
    """Whether coordinates of a CRS are lon/lat WGS84 as they stand."""
    return crs is None or _transformer(_crs(crs)) is None


def to_lonlat(
    xy: np.ndarray, crs: pyproj.CRS | str | dict | None, *, workers: int = -1
) -> np.ndarray:
    """Turn coordinates to lon/lat on WGS84.

    Parameters
    ----------
    xy
        Shape (v, 2), x (or longitude) before y whatever the CRS says, as files have them.
    crs
        Anything that pyproj takes; None for lon/lat WGS84.
    workers
        Threads; -1 takes all cores.

    Returns
    -------
    Degrees, shape (v, 2); infinite where the CRS has no such place. The same array where nothing is
    to be done.

    Raises
    ------
    CrsError
        For a CRS that cannot be turned to lon/lat.
    """
    transformer = None if crs is None else _transformer(_crs(crs))
    if transformer is None:
        return xy
    out = np.empty_like(xy)

    def turn(part: slice) -> None:
        lon, lat = transformer.transform(xy[part, 0], xy[part, 1])
        out[part, 0], out[part, 1] = lon, lat

    in_threads(turn, len(xy), workers, block=65_536)
    return out


def _crs(crs: pyproj.CRS | str | dict) -> pyproj.CRS:
    try:
        return pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError as error:
        msg = f"{str(crs)[:80]!r} is no coordinate reference system; state it as EPSG:code or WKT."
        raise CrsError(msg) from error


@functools.lru_cache(maxsize=16)
def _transformer(crs: pyproj.CRS) -> pyproj.Transformer | None:
    """Make a transformer to lon/lat, None for no change; threads can share it, each with a PROJ object of its own."""
    if geodesy.is_lonlat(crs):
        return None
    try:
        return pyproj.Transformer.from_crs(crs, LONLAT, always_xy=True)
    except pyproj.exceptions.ProjError as error:
        msg = f"Coordinates in {crs.name} cannot be turned to longitude/latitude ({error})."
        raise CrsError(msg) from error


def _look(
    polygons: Polygons,
    xy: np.ndarray,
    most_x: float,
    most_y: float,
    code: np.ndarray,
    workers: int,
) -> None:
    start = polygons.vertex_start
    in_threads(
        lambda part: _mend.look(xy, start, part.start, part.stop, most_x, most_y, code),
        len(polygons),
        workers,
    )


def _without(
    polygons: Polygons, rows: np.ndarray, status: np.ndarray, code: np.ndarray
) -> tuple[Polygons, np.ndarray, np.ndarray]:
    """Leave out the polygons with a code, which becomes the status of their rows."""
    if not code.any():
        return polygons, rows, status
    status = status.copy()
    status[rows] = code
    return _replaced(polygons, np.flatnonzero(code), None), rows[code == 0], status


def _repair(
    polygons: Polygons, unsure: np.ndarray, code: np.ndarray
) -> tuple[Polygons, np.ndarray]:
    """Repair the invalid ones of the unsure; their numbers. Those left without an area get a code."""
    shapes = polygons.take(unsure).to_shapes()
    broken = np.flatnonzero(~shapely.is_valid(shapes))
    shapes[broken] = _valid(shapes[broken])
    code[unsure[~(shapely.area(shapes) > NO_AREA_DEG2)]] = RowStatus.NO_AREA
    code[unsure[shapely.is_missing(shapes)]] = RowStatus.BEYOND_REPAIR
    invalid = unsure[broken]
    crossed = invalid[code[invalid] == 0]
    if not len(crossed):
        return polygons, crossed
    mended = Polygons.from_shapes(shapes[broken][code[invalid] == 0])
    return _replaced(polygons, crossed, mended), crossed


def _valid(shapes: np.ndarray) -> np.ndarray:
    """Repair shapes; None for those that GEOS cannot."""
    out = np.empty(len(shapes), dtype=object)

    def run(part: slice) -> None:
        try:
            out[part] = _made_valid(shapes[part])
        except shapely.GEOSException:
            for number in range(part.start, part.stop):
                out[number] = _valid_somehow(shapes[number])

    in_threads(run, len(shapes), block=256)
    out[~shapely.is_valid(out)] = None
    # Lines may be left over.
    for number in np.flatnonzero(shapely.get_type_id(out) == COLLECTION_TYPE):
        parts = shapely.get_parts(out[number])
        out[number] = shapely.union_all(parts[np.isin(shapely.get_type_id(parts), POLYGON_TYPES)])
    return out


def _made_valid(shapes: np.ndarray) -> np.ndarray:
    return shapely.make_valid(shapes, method="structure", keep_collapsed=False)


def _valid_somehow(shape: shapely.Geometry) -> shapely.Geometry | None:
    """Repair one shape: GEOS gives up on some whose edges nearly meet, but not in each of its ways."""
    for repair in (_made_valid, shapely.make_valid, lambda one: shapely.buffer(one, 0.0)):
        try:
            return repair(shape)
        except shapely.GEOSException:
            continue
    return None


def _replaced(polygons: Polygons, which: np.ndarray, by: Polygons | None) -> Polygons:
    """Put other polygons, as many, in the place of some, or none; the runs between them are copied whole."""
    levels = ("shape_start", "part_start", "ring_start")
    old, new = np.column_stack([which, which + 1]), None
    if by is not None:
        new = np.column_stack([np.arange(len(by)), np.arange(len(by)) + 1])
    starts = []
    for level in levels:
        start = getattr(polygons, level)
        other = None if by is None else getattr(by, level)
        count = _spliced(np.diff(start), old, None if other is None else np.diff(other), new)
        starts.append(np.concatenate([[0], np.cumsum(count)]))
        old, new = start[old], None if other is None else other[new]
    lonlat = _spliced(polygons.lonlat, old, None if by is None else by.lonlat, new)
    shape_start, part_start, ring_start = starts
    return Polygons(lonlat, ring_start, part_start, shape_start)


def _spliced(
    old: np.ndarray, cut: np.ndarray, new: np.ndarray | None, ranges: np.ndarray | None
) -> np.ndarray:
    """Cut ranges out of an array and put ranges of another there."""
    pieces, done = [], 0
    for number, (begin, end) in enumerate(cut.tolist()):
        pieces.append(old[done:begin])
        if new is not None and ranges is not None:
            pieces.append(new[ranges[number, 0] : ranges[number, 1]])
        done = end
    return np.concatenate([*pieces, old[done:]])
