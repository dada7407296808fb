"""The plain way of each metric of parcels: geopandas in EPSG:5070, rasterstats and exactextract.

What a newcomer would write, with one mercy: exclusions are dissolved first, since an overlay with layers
that overlap counts land twice. A metric runs on a sample of the parcels where all of them are hopeless;
its seconds are then scaled up to all, and what does not grow with parcels (projecting the layer,
its index, the dissolve) is counted once.
"""

import functools
import importlib
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely
from engine import KEPT
from made_layers import MadeLayers

METRES_PER_MILE = 1609.344
SQUARE_METRES_PER_ACRE = 4046.8564224
PLANE = 5070
KW_PER_MW = 1000.0
STEEP_PCT = 10


@dataclass(frozen=True)
class PlainTime:
    """Seconds of one metric: `once_s` whatever the parcels, `run_s` on the sample, `all_s` on all.

    `is_asked` says whether it is one of the twelve, done as a newcomer would.
    """

    metric: str
    sample: int
    once_s: float
    run_s: float
    all_s: float
    is_asked: bool


@dataclass(frozen=True)
class _Step:
    """How many parcels a step is given, what it prepares, and how it measures."""

    name: str
    sample: int
    prepare: Callable[[], Any]
    run: Callable[[gpd.GeoDataFrame, Any], pd.DataFrame | pd.Series]


def plain_way(
    table: pa.Table, layers: MadeLayers, *, scale: float = 1.0, without: tuple[str, ...] = ()
) -> tuple[list[PlainTime], pd.DataFrame]:
    """Measure parcels the plain way.

    Parameters
    ----------
    table
        `parcel_id`, `lon`, `lat`, and `geometry` as WKB, of all parcels.
    layers
        The layers.
    scale
        Factor on the size of the samples.
    without
        Metrics left out.

    Returns
    -------
    Seconds by metric, the reading first, and the values by parcel's id, NaN outside of the sample.
    """
    began = time.perf_counter()
    parcels = _read(table)
    plane = parcels.to_crs(PLANE)
    plane["point"] = parcels["point"].to_crs(PLANE)
    reading = time.perf_counter() - began
    count = len(plane)
    times = [PlainTime("read, mend, project", count, 0.0, reading, reading, is_asked=True)]
    order = np.random.default_rng(1).permutation(count)
    columns = []
    for step in _steps(layers):
        if step.name in without:
            continue
        size = min(max(int(step.sample * scale), 1), count)
        sample = plane.iloc[np.sort(order[:size])]
        began = time.perf_counter()
        state = step.prepare()
        once_s = time.perf_counter() - began
        began = time.perf_counter()
        columns.append(step.run(sample, state))
        run_s = time.perf_counter() - began
        all_s = once_s + run_s * count / size
        times.append(PlainTime(step.name, size, once_s, run_s, all_s, step.name in KEPT))
    return times, pd.concat(columns, axis=1).reindex(table["parcel_id"].to_pandas())


def _steps(layers: MadeLayers) -> list[_Step]:
    dissolved = functools.cache(lambda: _dissolved(layers))
    return [
        _Step("area_acres", 10**7, _nothing, _area),
        _Step("compactness", 10**7, _nothing, _compactness),
        _Step(
            "substation_mi", 50_000, lambda: _plane(layers.substations), _nearest("substation_mi")
        ),
        _Step("line_230kv_mi", 3_000, lambda: _plane(layers.lines), _nearest("line_230kv_mi")),
        _Step("fiber_mi", 300, lambda: _plane(layers.fiber), _nearest("fiber_mi")),
        _Step("metro_mi", 50_000, lambda: _plane(layers.metros), _nearest("metro_mi", "point")),
        *(
            _Step(f"generation_{miles}mi_mw", size, lambda: _plane(layers.plants), _sums(miles))
            for miles, size in ((10, 20_000), (25, 4_000), (50, 1_000))
        ),
        _Step("population_100mi", 100, lambda: layers.people_path, _people),
        _Step("population_100mi (exactextract)", 100, lambda: layers.people_path, _people_exact),
        _Step("excluded_share", 20_000, dissolved, _excluded),
        _Step("slope_mean_pct", 300, lambda: layers.slope_path, _slope),
        _Step("slope_mean_pct (exactextract)", 2_000, lambda: layers.slope_path, _slope_exact),
        _Step("contiguous_acres", 3_000, dissolved, _contiguous),
        _Step("minimum_width_m", 10_000, _nothing, _width),
        _Step("inscribed_diameter_m", 1_000, _nothing, _inscribed),
    ]


def _read(table: pa.Table) -> gpd.GeoDataFrame:
    """Polygons and multipolygons that can be mended, and their points."""
    with np.errstate(invalid="ignore"):
        shapes = shapely.from_wkb(table["geometry"].to_numpy(), on_invalid="ignore")
    bounds = shapely.bounds(shapes)
    keep = np.isin(shapely.get_type_id(shapes), (3, 6)) & ~shapely.is_empty(shapes)
    keep &= (np.abs(bounds) <= 180.0).all(axis=1)
    keep[keep] = np.isfinite(shapely.area(shapes[keep]))
    points = shapely.points(table["lon"].to_numpy(), table["lat"].to_numpy())
    index = table["parcel_id"].to_numpy()[keep]
    frame = gpd.GeoDataFrame(
        {"point": gpd.GeoSeries(points[keep], index=index, crs="OGC:CRS84")},
        geometry=gpd.GeoSeries(shapes[keep], index=index, crs="OGC:CRS84"),
    )
    frame["geometry"] = frame.make_valid()
    return frame


def _nothing() -> None:
    return None


def _plane(layer: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    layer = layer.to_crs(PLANE)
    _ = layer.sindex
    return layer


def _dissolved(layers: MadeLayers) -> gpd.GeoDataFrame:
    # The default method takes five minutes.
    whole = layers.exclusions.to_crs(PLANE).dissolve(method="disjoint_subset")
    pieces = whole[["geometry"]].explode(ignore_index=True)
    _ = pieces.sindex
    return pieces


def _area(parcels: gpd.GeoDataFrame, _: None) -> pd.Series:
    return (parcels.area / SQUARE_METRES_PER_ACRE).rename("area_acres")


def _compactness(parcels: gpd.GeoDataFrame, _: None) -> pd.Series:
    return (4.0 * np.pi * parcels.area / parcels.length**2).rename("compactness")


def _nearest(
    name: str, column: str = "geometry"
) -> Callable[[gpd.GeoDataFrame, gpd.GeoDataFrame], pd.Series]:
    def run(parcels: gpd.GeoDataFrame, layer: gpd.GeoDataFrame) -> pd.Series:
        here = parcels[[column]].set_geometry(column)
        joined = gpd.sjoin_nearest(here, layer, distance_col="metres")
        metres = joined.loc[~joined.index.duplicated(), "metres"]
        return (metres / METRES_PER_MILE).rename(name)

    return run


def _sums(miles: int) -> Callable[[gpd.GeoDataFrame, gpd.GeoDataFrame], pd.Series]:
    def run(parcels: gpd.GeoDataFrame, plants: gpd.GeoDataFrame) -> pd.Series:
        discs = _discs(parcels, miles)
        kw = gpd.sjoin(discs, plants, predicate="intersects").groupby(level=0)["kw"].sum()
        return (
            (kw / KW_PER_MW)
            .reindex(parcels.index, fill_value=0.0)
            .rename(f"generation_{miles}mi_mw")
        )

    return run


def _discs(parcels: gpd.GeoDataFrame, miles: int) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=parcels["point"].buffer(miles * METRES_PER_MILE))


def _people(parcels: gpd.GeoDataFrame, path: object) -> pd.Series:
    discs = _discs(parcels, 100).to_crs("OGC:CRS84")
    found = _optional("rasterstats").zonal_stats(discs.geometry, str(path), stats="sum", nodata=-1)
    people = [row["sum"] for row in found]
    return pd.Series(people, index=parcels.index, name="population_100mi", dtype=float)


def _people_exact(parcels: gpd.GeoDataFrame, path: object) -> pd.Series:
    return _exact(_discs(parcels, 100), path, "sum").rename("population_100mi (exactextract)")


def _exact(shapes: gpd.GeoDataFrame, path: object, what: str) -> pd.Series:
    frame = shapes[["geometry"]].to_crs("OGC:CRS84").rename_axis("parcel_id").reset_index()
    with warnings.catch_warnings():
        # CRS84 is written differently in the file and in the frame.
        warnings.filterwarnings("ignore", message="Spatial reference system")
        found = _optional("exactextract").exact_extract(
            str(path), frame, [what], include_cols=["parcel_id"], output="pandas"
        )
    return found.set_index("parcel_id")[what]


def _excluded(parcels: gpd.GeoDataFrame, pieces: gpd.GeoDataFrame) -> pd.Series:
    left = parcels[["geometry"]].rename_axis("parcel_id").reset_index()
    cut = gpd.overlay(left, pieces, how="intersection", keep_geom_type=True)
    area = cut.area.groupby(cut["parcel_id"]).sum().reindex(parcels.index, fill_value=0.0)
    return (area / parcels.area).rename("excluded_share")


def _contiguous(parcels: gpd.GeoDataFrame, pieces: gpd.GeoDataFrame) -> pd.Series:
    left = parcels[["geometry"]].rename_axis("parcel_id").reset_index()
    rest = gpd.overlay(left, pieces, how="difference", keep_geom_type=True)
    rest = rest.explode(ignore_index=True)
    area = rest.area.groupby(rest["parcel_id"]).max().reindex(parcels.index, fill_value=0.0)
    return (area / SQUARE_METRES_PER_ACRE).rename("contiguous_acres")


def _slope(parcels: gpd.GeoDataFrame, path: object) -> pd.Series:
    shapes = parcels.to_crs("OGC:CRS84").geometry
    # With all_touched, or small parcels would meet no centre of a cell.
    found = _optional("rasterstats").zonal_stats(shapes, str(path), stats="mean", all_touched=True)
    mean = [row["mean"] for row in found]
    return pd.Series(mean, index=parcels.index, name="slope_mean_pct", dtype=float)


def _slope_exact(parcels: gpd.GeoDataFrame, path: object) -> pd.Series:
    return _exact(parcels, path, "mean").rename("slope_mean_pct (exactextract)")


def _width(parcels: gpd.GeoDataFrame, _: None) -> pd.Series:
    """Short side of the smallest rectangle: at least the width of the convex hull."""
    corners = shapely.get_coordinates(parcels.minimum_rotated_rectangle()).reshape(-1, 5, 2)
    sides = np.linalg.norm(np.diff(corners, axis=1), axis=2)
    return pd.Series(sides.min(axis=1), index=parcels.index, name="minimum_width_m")


def _inscribed(parcels: gpd.GeoDataFrame, _: None) -> pd.Series:
    return (2.0 * parcels.maximum_inscribed_circle().length).rename("inscribed_diameter_m")


def _optional(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        msg = f"The plain side needs {name}, which the product does not: pip install {name}."
        raise SystemExit(msg) from error
