"""People of a population raster: cells of any grid, as points of the states that they lie in.

Conventions that are read as they are published:

- WorldPop: people a cell, EPSG:4326, 3 or 30 arc seconds, nodata -99999.
- GHS-POP: people a cell, Mollweide (ESRI:54009) of 100 m or 1 km, or EPSG:4326, nodata -200.
- GPW v4: people a cell, or people per square kilometre, EPSG:4326, nodata -3.4e38 or -9999.
"""

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from geo._raster import LONLAT, Lattice, Raster, check_band, raster_crs, read_values
from geo.errors import CrsError, GeoError
from geo.geodesy import METRES_PER_MILE, is_lonlat, lonlat_geometries, to_ecef
from geo.locate import locate
from geo.people import PeopleSource
from geo.people_area import cell_areas_km2
from geo.people_units import MILLI, shared_milli

# Cells that are read at once.
STRIP_CELLS = 4_194_304
# A finer grid is summed in squares of cells until it has no more: 30 arc seconds of the 48 states are 21
# million, 3 arc seconds are 2 billion.
MOST_CELLS = 33_554_432
# What publishers write where nothing is known, whether or not the file says so. Nobody lives there.
NODATA = (-99_999.0, -9_999.0, -200.0)
LOWEST = -1e30
UNITS = ("people", "people_per_km2")
# A county of which the raster leaves out less is covered: outlines are drawn more coarsely than cells.
LEAST_GAP_SHARE = 0.01
# Straight edges of a raster are cut to so many pieces before they bend in lon/lat.
EDGE_PIECES = 64


@dataclass(frozen=True, eq=False)
class RasterPeople:
    """People of a raster by cell and by state.

    Attributes
    ----------
    source
        Points with somebody of the states, ready for sums.
    states
        One row a state: `state_id`, `source_people` (as the raster counts them), `scale_factor` (1 unless
        scaled), `people` (as they are used), `point_count`, `census_people`, `covered_share` (of the land).
    outside_people, outside_count
        Of the cells read that lie in no state: neighbours' people and those in the sea.
    times
        How many cells were summed to one, along rows and columns; 1 for none.
    """

    source: PeopleSource
    states: pd.DataFrame
    outside_people: float
    outside_count: int
    times: int


def read_people(
    dataset: Raster,
    counties: gpd.GeoDataFrame,
    *,
    unit: str = "people",
    census: pd.Series | None = None,
    scale_to_states: bool = False,
    band: int = 1,
    crs: Any = None,
    most_cells: int = MOST_CELLS,
    strip_cells: int = STRIP_CELLS,
) -> RasterPeople:
    """Read the people of the states from a population raster, window by window.

    Only the rows and columns around the counties are read. A cell belongs to the county that holds its
    centre, or, since coasts and shores run through cells, to the nearest within half a cell's diagonal.
    Other cells (neighbouring countries, open sea) are summed apart and not used: people in reach are
    those of the states. Nodata, NaN and the publishers' values for it are nobody.

    Parameters
    ----------
    dataset
        Open raster of any CRS and affine transform.
    counties
        `state_id` and polygons in lon/lat.
    unit
        `people` a cell, or `people_per_km2`: of true area on the ellipsoid, whatever the CRS does to areas.
    census
        People by `state_id`, or None where unknown.
    scale_to_states
        Whether to multiply each state's cells so that they sum to its census. A state that the raster
        does not cover is left as it is.
    band
        Counted from 1.
    crs
        Overrides the CRS that the raster states.
    most_cells, strip_cells
        Cells that are kept, and that are read at once; the second changes no bit.

    Raises
    ------
    CrsError
        When the raster has no CRS, or lies nowhere near the counties.
    GeoError
        For an unknown unit, values below 0 that stand for no nodata, infinite ones, and a state of the
        census that the raster covers and holds nobody of, when it is to be scaled.
    """
    if unit not in UNITS:
        msg = f"The unit {unit!r} of the raster {dataset.name} is none of {', '.join(UNITS)}."
        raise GeoError(msg)
    check_band(dataset, band)
    stated = raster_crs(dataset, crs)
    whole = Lattice.of(dataset.transform, dataset.shape)
    shapes = lonlat_geometries(counties.geometry)
    window = _window(dataset.name, whole, stated, shapes)
    times = _times(window.shape, most_cells)
    kept = (-(-window.shape[0] // times), -(-window.shape[1] // times))
    lattice = whole.part(window.row, window.column, kept, times)
    to_lonlat = pyproj.Transformer.from_crs(stated, LONLAT, always_xy=True)
    strip_rows = max(strip_cells // (window.shape[1] * times), 1) * times
    ids, codes = np.unique(counties["state_id"].to_numpy(str), return_inverse=True)
    found = []
    outside = []
    gap_mi = _half_diagonal_mi(lattice, to_lonlat)
    for row in range(0, window.shape[0], strip_rows):
        rows = min(strip_rows, window.shape[0] - row)
        part = whole.part(window.row + row, window.column, (rows, window.shape[1]))
        people = _counted(dataset, band, (window.row + row, window.column), part.shape)
        if unit == "people_per_km2":
            people *= cell_areas_km2(part, stated)
        people = _summed(people, times).ravel()
        cell_no = np.flatnonzero(people > 0.0)
        people = people[cell_no]
        cell_no += row // times * kept[1]
        lon, lat = _centres(lattice, cell_no, to_lonlat, is_lonlat=is_lonlat(stated))
        county = locate(lon, lat, shapes, max_gap_mi=gap_mi)
        is_in = county >= 0
        outside.append(people[~is_in])
        found.append((cell_no[is_in], lon[is_in], lat[is_in], people[is_in], codes[county[is_in]]))
    cell_no, lon, lat, people, state_no = (
        np.concatenate(each) for each in zip(*found, strict=True)
    )
    uncovered, covered_share = _uncovered(whole, to_lonlat, shapes, codes, len(ids))
    census_people = np.full(len(ids), np.nan)
    if census is not None:
        census_people = census.reindex(ids).to_numpy(float)
    used = _Used.of(people, state_no, census_people if scale_to_states else None, covered_share)
    used.check(dataset.name, ids, census_people)
    somebody = used.milli > 0
    source = PeopleSource.of_milli(
        lon[somebody],
        lat[somebody],
        used.milli[somebody],
        lattice=lattice if _is_straight(lattice, stated) else None,
        cell_no=cell_no[somebody],
        uncovered=uncovered,
    )
    states = pd.DataFrame(
        {
            "state_id": ids,
            "source_people": used.source_people,
            "scale_factor": used.scale_factor,
            "people": used.people,
            "point_count": np.bincount(state_no[somebody], minlength=len(ids)),
            "census_people": census_people,
            "covered_share": covered_share,
        }
    )
    beside = np.concatenate(outside)
    return RasterPeople(source, states, float(beside.sum()), len(beside), times)


@dataclass(frozen=True)
class _Window:
    row: int
    column: int
    shape: tuple[int, int]


@dataclass(frozen=True)
class _Used:
    """People of cells in thousandths, and by state."""

    milli: np.ndarray
    source_people: np.ndarray
    scale_factor: np.ndarray
    people: np.ndarray

    @classmethod
    def of(
        cls,
        people: np.ndarray,
        state_no: np.ndarray,
        wanted: np.ndarray | None,
        covered_share: np.ndarray,
    ) -> "_Used":
        count = len(covered_share)
        milli = np.zeros(len(people), dtype=np.int64)
        source_people, factor, used = np.zeros(count), np.ones(count), np.zeros(count)
        order = np.argsort(state_no, kind="stable")
        starts = np.searchsorted(state_no[order], np.arange(count + 1))
        for state in range(count):
            # Cells of a state in the order of the raster, so that strips change no bit.
            cells = order[starts[state] : starts[state + 1]]
            total = float(people[cells].sum())
            if wanted is not None and covered_share[state] == 1.0 and wanted[state] >= 0.0:
                factor[state] = wanted[state] / total if total > 0.0 else np.inf
            if total > 0.0:
                milli[cells] = shared_milli(people[cells] * factor[state])
            source_people[state], used[state] = total, milli[cells].sum() / MILLI
        return cls(milli, source_people, factor, used)

    def check(self, name: str, ids: np.ndarray, census_people: np.ndarray) -> None:
        bad = np.isinf(self.scale_factor)
        if bad.any():
            state = int(np.argmax(bad))
            msg = (
                f"The raster {name} holds nobody in {ids[state]}, whose census is "
                f"{census_people[state]:,.0f}; it cannot be scaled to that."
            )
            raise GeoError(msg)


def _window(name: str, whole: Lattice, crs: pyproj.CRS, shapes: np.ndarray) -> _Window:
    """Rows and columns around the bounds of shapes, one more on each side, within the raster."""
    bounds = shapely.total_bounds(shapes)
    from_lonlat = pyproj.Transformer.from_crs(LONLAT, crs, always_xy=True)
    west, south, east, north = from_lonlat.transform_bounds(*bounds, densify_pts=EDGE_PIECES)
    a, b, c, d, e, f = whole.transform
    determinant = a * e - b * d
    x, y = np.array([west, east, east, west]) - c, np.array([south, south, north, north]) - f
    columns, rows = (e * x - b * y) / determinant, (a * y - d * x) / determinant
    if not (np.isfinite(columns).all() and np.isfinite(rows).all()):
        msg = f"The CRS {crs.name} of the raster {name} does not reach the counties."
        raise CrsError(msg)
    first = np.floor([rows.min(), columns.min()]).astype(np.int64) - 1
    last = np.ceil([rows.max(), columns.max()]).astype(np.int64) + 1
    first, last = np.maximum(first, 0), np.minimum(last, whole.shape)
    if (last <= first).any():
        msg = (
            f"By its CRS ({crs.name}) the raster {name} lies nowhere near the counties; "
            "if its CRS is mislabelled, say which it is with crs."
        )
        raise CrsError(msg)
    shape = (int(last[0] - first[0]), int(last[1] - first[1]))
    return _Window(int(first[0]), int(first[1]), shape)


def _times(shape: tuple[int, int], most_cells: int) -> int:
    """Least side of a square of cells that leaves no more than so many squares."""
    times = 1
    while -(-shape[0] // times) * -(-shape[1] // times) > most_cells:
        times += 1
    return times


def _counted(dataset: Raster, band: int, at: tuple[int, int], shape: tuple[int, int]) -> np.ndarray:
    """Values of a window, 0 where nodata; others below 0 are no people."""
    values = read_values(dataset, band, ((at[0], at[0] + shape[0]), (at[1], at[1] + shape[1])))
    values[np.isnan(values) | np.isin(values, NODATA) | (values < LOWEST)] = 0.0
    bad = (values < 0.0) | np.isinf(values)
    if bad.any():
        msg = (
            f"The raster {dataset.name} holds {values[bad][0]:g} people in a cell; "
            "state its nodata value in the file."
        )
        raise GeoError(msg)
    return values


def _summed(people: np.ndarray, times: int) -> np.ndarray:
    """Sum squares of cells; those at the ends may be cut."""
    if times == 1:
        return people
    rows, columns = (np.arange(0, size, times) for size in people.shape)
    return np.add.reduceat(np.add.reduceat(people, rows, axis=0), columns, axis=1)


def _centres(
    lattice: Lattice, cell_no: np.ndarray, to_lonlat: pyproj.Transformer, *, is_lonlat: bool
) -> tuple[np.ndarray, np.ndarray]:
    x, y = lattice.centres(cell_no)
    lon, lat = (x, y) if is_lonlat else to_lonlat.transform(x, y)
    return np.asarray(lon), np.asarray(lat)


def _half_diagonal_mi(lattice: Lattice, to_lonlat: pyproj.Transformer) -> float:
    """Half the diagonal of the cell in the middle; 0 where that is not on the earth."""
    row, column = lattice.shape[0] // 2, lattice.shape[1] // 2
    x, y = lattice.places(np.array([column, column + 1.0]), np.array([row, row + 1.0]))
    corners = to_ecef(*to_lonlat.transform(x, y))
    half = float(np.linalg.norm(corners[1] - corners[0])) / 2.0 / METRES_PER_MILE
    return half if np.isfinite(half) else 0.0


def _uncovered(
    whole: Lattice,
    to_lonlat: pyproj.Transformer,
    shapes: np.ndarray,
    codes: np.ndarray,
    state_count: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Parts of counties that lie beyond the raster's edge, and the share of each state that does not.

    Shares are of areas in degrees, 1 unless a county of the state is left out in part.
    """
    footprint = _footprint(whole, to_lonlat)
    missing = shapely.difference(shapes, footprint)
    area = shapely.area(shapes)
    gap = np.where(shapely.area(missing) > LEAST_GAP_SHARE * area, shapely.area(missing), 0.0)
    state_area = np.bincount(codes, area, minlength=state_count)
    share = 1.0 - np.bincount(codes, gap, minlength=state_count) / state_area
    parts = shapely.get_parts(missing[gap > 0.0])
    return parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON], share


def _footprint(whole: Lattice, to_lonlat: pyproj.Transformer) -> shapely.Geometry:
    """Outline of the raster in lon/lat; corners that have no place on the earth are left out."""
    rows, columns = whole.shape
    along = np.linspace(0.0, 1.0, EDGE_PIECES, endpoint=False)
    column = np.concatenate([along, np.ones_like(along), 1.0 - along, np.zeros_like(along)])
    row = np.concatenate([np.zeros_like(along), along, np.ones_like(along), 1.0 - along])
    lon, lat = to_lonlat.transform(*whole.places(column * columns, row * rows))
    fine = np.isfinite(lon) & np.isfinite(lat)
    return shapely.make_valid(shapely.Polygon(np.column_stack([lon[fine], lat[fine]])))


def _is_straight(lattice: Lattice, crs: pyproj.CRS) -> bool:
    """Whether rows run along parallels, and columns along meridians."""
    return is_lonlat(crs) and lattice.transform.b == 0.0 and lattice.transform.d == 0.0
