"""`--area`: narrow a study to states, counties or a GeoJSON polygon."""

import difflib
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
import shapely
from pyogrio.errors import DataSourceError

from data.errors import InputError, UsageError
from data.stage import REFERENCE_DIR

WHOLE = "conus"
COUNTY_DIGITS = 5


def narrow(counties: gpd.GeoDataFrame, states: pd.DataFrame, area: list[str]) -> gpd.GeoDataFrame:
    """Counties of the area, clipped where a polygon cuts them.

    Parameters
    ----------
    counties
        `county_id`, `county_name`, `state_id` and polygons.
    states
        `state_id` and `state_name`.
    area
        `conus`, USPS codes, state names, five-digit county FIPS codes, or paths of GeoJSON (or any
        vector) files with polygons.

    Raises
    ------
    UsageError
        A word is no state, county or file.
    InputError
        A file holds no usable polygon.
    """
    if not area or WHOLE in area:
        return counties
    by_name = {
        name.lower(): code
        for code, name in zip(states["state_id"], states["state_name"], strict=True)
    }
    codes = set(states["state_id"])
    wanted_states: set[str] = set()
    wanted_counties: set[str] = set()
    polygons: list[shapely.Geometry] = []
    for word in area:
        state = word.upper() if word.upper() in codes else by_name.get(word.lower())
        if state:
            wanted_states.add(state)
        elif word in set(counties["county_id"]):
            wanted_counties.add(word)
        elif Path(word).is_file():
            polygons.append(_polygon(Path(word)))
        else:
            msg = f"{word!r} is no state, no five-digit county code and no file."
            raise UsageError(
                msg, "Write for example --area VA MD, --area 51107 or --area area.geojson."
            )
    whole = counties["state_id"].isin(wanted_states) | counties["county_id"].isin(wanted_counties)
    pieces = [counties[whole]]
    if polygons:
        mask = shapely.union_all(polygons)
        rest = counties[~whole & shapely.intersects(counties.geometry.to_numpy(), mask)]
        pieces.append(rest.set_geometry(rest.geometry.intersection(mask)))
    found = pd.concat(pieces)
    found = found[shapely.area(found.geometry.to_numpy()) > 0]
    if found.empty:
        msg = f"The area {' '.join(area)} holds no land of the study."
        raise UsageError(msg, "Check that its coordinates are lon/lat and lie in the 48 states.")
    return found.sort_values("county_id", ignore_index=True)


def check_area(area: list[str]) -> None:
    """Check the words of `--area` against the states, before anything is pulled.

    Raises
    ------
    UsageError
        A word is no state, no five digits and no file.
    """
    states = pd.read_csv(REFERENCE_DIR / "state.csv", usecols=["state", "state_name"])
    known = {WHOLE} | set(states["state"]) | {name.lower() for name in states["state_name"]}
    for word in area:
        is_county = len(word) == COUNTY_DIGITS and word.isdigit()
        if not (
            word in known
            or word.upper() in known
            or word.lower() in known
            or is_county
            or Path(word).is_file()
        ):
            near = difflib.get_close_matches(word.title(), states["state_name"], n=1)
            msg = f"{word!r} is no state, no five-digit county code and no file."
            hint = f"Did you mean {near[0]!r}? " if near else ""
            raise UsageError(
                msg, hint + "Write for example --area VA MD, --area 51107 or --area area.geojson."
            )


def _polygon(path: Path) -> shapely.Geometry:
    try:
        frame = pyogrio.read_dataframe(path)
    except DataSourceError as error:
        msg = f"{path} cannot be read as a polygon file."
        raise InputError(msg, "Give GeoJSON, GeoPackage or a shapefile.") from error
    if not isinstance(frame, gpd.GeoDataFrame) or frame.empty:
        msg = f"{path} holds no geometry."
        raise InputError(msg, "Give a file with one polygon or more.")
    if frame.crs is None:
        msg = f"{path} states no coordinate reference system."
        raise InputError(msg, "Write it as GeoJSON in lon/lat, or add a .prj.")
    shapes = shapely.make_valid(shapely.force_2d(frame.to_crs("OGC:CRS84").geometry.to_numpy()))
    polygons = shapes[shapely.get_dimensions(shapes) == 2]
    if len(polygons) == 0:
        msg = f"{path} holds no polygon."
        raise InputError(msg, "Points and lines are no area.")
    return shapely.union_all(polygons)
