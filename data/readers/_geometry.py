"""Geometry as every raw table carries it: WKB, two-dimensional, longitude and latitude."""

from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from data.errors import CatalogueError, ReadError
from data.nesting import deep_rows

CRS84 = "OGC:CRS84"
GEOMETRY = "geometry"


def to_crs84(wkb: pa.Array | pa.ChunkedArray, crs: Any, label: str) -> pa.Array:
    """Bring WKB geometries to two dimensions and OGC:CRS84; null stays null.

    Longitude and latitude on WGS 84 or NAD 83 are kept as they are: the two datums differ by less
    than 2 m in the 48 states, and the result must not depend on which grids PROJ has installed.
    """
    values = np.asarray(wkb.to_pylist(), dtype=object)
    hint = "The file is damaged or hostile; nothing of it was used."
    if len(deep := deep_rows(values)):
        message = f"{label}: the geometry of row {deep[0] + 1} nests too deep to be read."
        raise ReadError(message, hint)
    try:
        geometries = shapely.from_wkb(values, on_invalid="raise")
    except shapely.GEOSException as error:
        message = f"{label}: a geometry cannot be read: {str(error).splitlines()[0]}."
        raise ReadError(message, hint) from error
    flat = shapely.force_2d(geometries)
    system = parse_crs(crs, label)
    if not is_lon_lat(system):
        transformer = Transformer.from_crs(system, CRS84, always_xy=True)
        flat = shapely.transform(flat, transformer.transform, interleaved=False)
        if not np.isfinite(shapely.get_coordinates(flat)).all():
            message = f"{label}: coordinates lie outside the range of {system.name}."
            raise ReadError(message, "Check the reader option 'crs'.")
    _check_range(flat, label)
    return pa.array(shapely.to_wkb(flat, flavor="iso"), pa.binary())


def parse_crs(crs: Any, label: str) -> CRS:
    """Understand a CRS in any of the forms that files and options carry it."""
    try:
        return CRS.from_user_input(crs)
    except CRSError as error:
        message = f"{label}: the CRS {str(crs)[:60]!r} is not understood."
        raise CatalogueError(message, "Give an authority code such as EPSG:4269.") from error


def is_lon_lat(system: CRS) -> bool:
    """Whether a CRS is longitude and latitude in degrees on WGS 84 or NAD 83."""
    if not system.is_geographic or system.prime_meridian is None:
        return False
    if system.prime_meridian.longitude or system.ellipsoid is None:
        return False
    if any(axis.unit_name.lower() != "degree" for axis in system.axis_info):
        return False
    datum = system.datum.name.lower() if system.datum else ""
    known = ("wgs 84", "wgs_1984", "world geodetic system 1984", "north american datum 1983")
    return any(datum.startswith(name) or name in datum for name in known)


def _check_range(geometries: np.ndarray, label: str) -> None:
    """Catch projected metres that a file calls degrees; one stray point is left to staging."""
    bounds = shapely.bounds(geometries)
    if not len(bounds) or np.isnan(bounds).all():
        return
    outside = (np.abs(bounds[:, [0, 2]]) > 360).any(axis=1) | (np.abs(bounds[:, [1, 3]]) > 90).any(
        axis=1
    )
    if outside.mean() > 0.5:
        message = f"{label}: most coordinates are no degrees, though the CRS says so."
        raise ReadError(message, "Set the reader option 'crs' to the CRS that the file really has.")
