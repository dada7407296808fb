"""Sites of a back-test: read from a file of points or polygons, and put on the parcels of a build."""

from dataclasses import dataclass
from pathlib import Path

import duckdb
import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from pyogrio.errors import DataSourceError
from scipy.spatial import KDTree

from data import store
from data.errors import InputError
from geo.locate import locate

# A parcel whose point is within so many degrees of a site may hold it, as for `explain`.
REACH_DEG = 0.6
# A site that no parcel holds belongs to the nearest one, when its edge is so near: a point on a street.
GAP_MI = 2.0
NAMES = ("name", "site", "site_name", "title", "id")


@dataclass(frozen=True)
class Sites:
    """Sites of a file: names, geometries in lon/lat, and what is no site, with the reason."""

    name: np.ndarray
    shape: np.ndarray
    unusable: tuple[str, ...]


def read_sites(path: Path) -> Sites:
    """Read points and polygons of a vector file.

    Raises
    ------
    InputError
        The file is missing, cannot be read, states no CRS or holds no point and no polygon.
    """
    frame = _frame(path)
    geometry = frame.to_crs("OGC:CRS84").geometry.to_numpy()
    names = _names(frame)
    bounds = shapely.bounds(geometry)
    kind = shapely.get_dimensions(geometry)
    reasons = [
        ("no geometry", shapely.is_missing(geometry) | shapely.is_empty(geometry)),
        ("coordinates that are no degrees", ~_in_degrees(bounds)),
        ("a line, neither point nor polygon", kind == 1),
    ]
    unusable: list[str] = []
    is_good = np.ones(len(names), dtype=bool)
    for reason, is_bad in reasons:
        unusable += [f"{name}: {reason}" for name in names[is_bad & is_good]]
        is_good &= ~is_bad
    if not is_good.any():
        msg = f"{path} holds no point and no polygon that can be used: {unusable[0]}."
        raise InputError(msg, "Give points or polygons, longitude first.")
    shapes = shapely.force_2d(geometry[is_good])
    is_area = shapely.get_dimensions(shapes) == 2
    shapes[is_area] = shapely.make_valid(shapes[is_area])
    shapes[~is_area] = shapely.centroid(shapes[~is_area])
    return Sites(names[is_good], shapes, tuple(unusable))


def _frame(path: Path) -> gpd.GeoDataFrame:
    if not path.is_file():
        msg = f"There is no file {path}."
        raise InputError(msg, "Give a GeoJSON file of points or polygons.")
    try:
        frame = pyogrio.read_dataframe(path)
    except DataSourceError as error:
        msg = f"{path} cannot be read as a file of sites."
        raise InputError(msg, "Give GeoJSON, GeoPackage or a shapefile.") from error
    if not isinstance(frame, gpd.GeoDataFrame) or frame.empty:
        msg = f"{path} holds no geometry."
        raise InputError(msg, "Give a file with one point or polygon or more.")
    if frame.crs is None:
        msg = f"{path} states no coordinate reference system."
        raise InputError(msg, "Write it as GeoJSON in lon/lat, or add a .prj.")
    return frame


def _names(frame: gpd.GeoDataFrame) -> np.ndarray:
    """Names of the sites; those without one are called by their number in the file."""
    by_name = {str(column).casefold(): column for column in frame.columns}
    column = next((by_name[name] for name in NAMES if name in by_name), None)
    numbers = [f"site {number}" for number in range(1, len(frame) + 1)]
    if column is None:
        return np.array(numbers, dtype=object)
    given = frame[column]
    return np.array(
        [
            number if pd.isna(name) or not str(name).strip() else str(name).strip()
            for name, number in zip(given, numbers, strict=True)
        ],
        dtype=object,
    )


def _in_degrees(bounds: np.ndarray) -> np.ndarray:
    """Whether bounds are degrees; those of no geometry, which are NaN, are not."""
    return np.all(np.abs(bounds) <= [180, 90, 180, 90], axis=1)


def place_sites(
    con: duckdb.DuckDBPyConnection, sites: Sites, lon: np.ndarray, lat: np.ndarray
) -> np.ndarray:
    """Parcel of each site: the one that holds the point, or most of the polygon, or is within 2 miles.

    Parameters
    ----------
    con
        A published build.
    sites
        What is placed.
    lon, lat
        Points of all parcels, by their number, degrees.

    Returns
    -------
    int64, shape (n,): `parcel_no`, the lowest of several; -1 outside of the build.
    """
    bounds = shapely.bounds(sites.shape)
    middle = (bounds[:, :2] + bounds[:, 2:]) / 2
    half = (bounds[:, 2:] - bounds[:, :2]).max(axis=1) / 2
    near = KDTree(np.column_stack([lon, lat])).query_ball_point(middle, half + REACH_DEG, p=np.inf)
    wanted = sorted(set().union(*near))
    if not wanted:
        return np.full(len(middle), -1)
    rows = store.query_file(con, "query/backtest_shape", {"parcel_nos": wanted}).fetchall()
    parcel_no = np.array([row[0] for row in rows])
    parcels = shapely.from_wkb(np.array([row[1] for row in rows], dtype=object))
    point = shapely.get_coordinates(shapely.point_on_surface(sites.shape))
    found = locate(*point.T, parcels, max_gap_mi=GAP_MI)
    _by_most(sites.shape, parcels, found)
    return np.where(found >= 0, parcel_no[found], -1)


def _by_most(shapes: np.ndarray, parcels: np.ndarray, found: np.ndarray) -> None:
    """Give polygons to the parcel with most of their area, where any has some."""
    is_area = np.flatnonzero(shapely.get_dimensions(shapes) == 2)
    site, parcel = shapely.STRtree(parcels).query(shapes[is_area], predicate="intersects")
    common = shapely.area(shapely.intersection(shapes[is_area][site], parcels[parcel]))
    # The largest piece of a site is written last; of equal ones that of the lowest parcel.
    order = np.lexsort((-parcel, common))
    order = order[common[order] > 0]
    found[is_area[site[order]]] = parcel[order]
