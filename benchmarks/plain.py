"""The plain geopandas way of each kernel, on a sample of the queries: what a newcomer would write."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

METRES_PER_MILE = 1609.344
PLANE = 5070


@dataclass(frozen=True)
class Plain:
    """A plain version and how many queries it is given."""

    queries: int
    run: Callable[[], object]

    def us_each(self) -> float:
        """Microseconds a query, from one run: it is long enough."""
        start = time.perf_counter()
        self.run()
        return (time.perf_counter() - start) / self.queries * 1e6


def nearest(queries: np.ndarray, features: np.ndarray, sample: int) -> Plain:
    """`sjoin_nearest` in the plane."""
    left, right = _plane(_sample(queries, sample)), _plane(features)
    return Plain(len(left), lambda: gpd.sjoin_nearest(left, right, distance_col="metres"))


def within(queries: np.ndarray, polygons: np.ndarray, sample: int) -> Plain:
    """`sjoin` of points with polygons."""
    left, right = _plane(_sample(queries, sample)), _plane(polygons)
    return Plain(len(left), lambda: gpd.sjoin(left, right, predicate="within"))


def sums(
    queries: np.ndarray,
    features: np.ndarray,
    values: np.ndarray,
    radii_mi: tuple[int, ...],
    sample: int,
) -> Plain:
    """Buffer, `sjoin`, `groupby().sum()` for each radius."""
    left, right = _plane(_sample(queries, sample)), _plane(features)
    right["value"] = values

    def run() -> list[pd.Series]:
        return [_joined(left, right, miles)["value"].sum() for miles in radii_mi]

    return Plain(len(left), run)


def distinct(
    queries: np.ndarray, features: np.ndarray, groups: np.ndarray, miles: int, sample: int
) -> Plain:
    """Buffer, `sjoin`, `groupby().nunique()`."""
    left, right = _plane(_sample(queries, sample)), _plane(features)
    right["value"] = groups

    def run() -> pd.Series:
        return _joined(left, right, miles)["value"].nunique()

    return Plain(len(left), run)


def _joined(
    left: gpd.GeoDataFrame, right: gpd.GeoDataFrame, miles: int
) -> pd.api.typing.DataFrameGroupBy:
    discs = left.set_geometry(left.buffer(miles * METRES_PER_MILE))
    return gpd.sjoin(discs, right, predicate="intersects").groupby(level=0)


def _sample(shapes: np.ndarray, count: int) -> np.ndarray:
    return shapes[np.random.default_rng(1).permutation(len(shapes))[:count]]


def _plane(shapes: np.ndarray) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=gpd.GeoSeries(shapes, crs="OGC:CRS84")).to_crs(PLANE)
