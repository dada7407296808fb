"""What is near a parcel: nearest features of a layer, with what is known of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Self

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.features import FeatureIndex
from geo.nearest import nearest, nearest_edge
from geo.parcels import Parcels


@dataclass(frozen=True, eq=False)
class Features:
    """Features of a layer, ready to be searched, and the columns that are taken over from them."""

    index: FeatureIndex
    columns: pd.DataFrame

    @classmethod
    def of_points(cls, frame: pd.DataFrame, columns: Iterable[str] = ()) -> Self:
        """Take features that stand at `lon` and `lat`."""
        index = FeatureIndex.from_points(frame["lon"].to_numpy(), frame["lat"].to_numpy())
        return cls(index, _nullable(frame[list(columns)]))

    @classmethod
    def of_lines(cls, frame: gpd.GeoDataFrame, columns: Iterable[str] = ()) -> Self:
        """Take features that are lines."""
        index = FeatureIndex.from_lines(frame.geometry)
        return cls(index, _nullable(pd.DataFrame(frame[list(columns)])))

    def nearest(self, parcels: Parcels) -> tuple[np.ndarray, np.ndarray]:
        """Nearest feature and miles, from the edge of assessors' parcels and the point of cells."""
        is_edge = parcels.is_edge
        if is_edge.all():
            return nearest_edge(self.index, parcels.edges)
        number, miles = self.nearest_to_point(parcels)
        if is_edge.any():
            number[is_edge], miles[is_edge] = nearest_edge(self.index, parcels.edges)
        return number, miles

    def nearest_to_point(
        self, parcels: Parcels, *, max_mi: float = np.inf
    ) -> tuple[np.ndarray, np.ndarray]:
        """Nearest feature and miles from the parcels' points."""
        return nearest(self.index, parcels.lon, parcels.lat, max_mi=max_mi)

    def nearest_at(self, lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Nearest feature and miles from points."""
        return nearest(self.index, lon, lat)

    def take(self, column: str, number: np.ndarray, index: pd.Index) -> pd.Series:
        """Values of a column by feature number; missing where the number is -1."""
        values = self.columns[column].array.take(number, allow_fill=True)
        return pd.Series(values, index=index, name=column)


@dataclass(frozen=True, eq=False)
class NearestColumns:
    """A group of metrics: miles to the nearest feature of a kind, and what is known of it.

    Attributes
    ----------
    features
        The features; None when the study knows none: all columns are then unknown.
    miles
        Name of the column of miles.
    taken
        Name of a published column -> column of the feature.
    is_from_point
        Whether every parcel is measured from its point, assessors' too.
    """

    features: Features | None
    miles: str
    taken: dict[str, str]
    is_from_point: bool = False

    @classmethod
    def of(
        cls,
        frame: pd.DataFrame,
        miles: str,
        taken: dict[str, str],
        *,
        make: Callable[..., Features] = Features.of_points,
        is_from_point: bool = False,
    ) -> Self:
        """Prepare the search over a layer, which may be empty."""
        features = None if frame.empty else make(frame, taken.values())
        return cls(features, miles, taken, is_from_point)

    def measure(self, parcels: Parcels) -> dict[str, Any]:
        """Columns of the group by name."""
        if self.features is None:
            unknown = pd.Series(None, index=parcels.index, dtype=object)
            return {self.miles: np.full(len(parcels), np.nan), **dict.fromkeys(self.taken, unknown)}
        search = self.features.nearest_to_point if self.is_from_point else self.features.nearest
        number, miles = search(parcels)
        columns = {
            name: self.features.take(column, number, parcels.index)
            for name, column in self.taken.items()
        }
        return {self.miles: miles, **columns}


def _nullable(frame: pd.DataFrame) -> pd.DataFrame:
    """Types that can hold an unknown, the same whatever rows are taken: Int64, boolean, string, float."""
    kinds = {"integer": "Int64", "boolean": "boolean", "floating": "float64"}
    found = {
        name: kinds.get(pd.api.types.infer_dtype(values, skipna=True), "string")
        for name, values in frame.items()
    }
    return frame.reset_index(drop=True).astype(found)
