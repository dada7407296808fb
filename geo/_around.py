"""What is near a parcel: nearest features and sums around it, for the modules of metrics."""

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.features import FeatureIndex
from geo.nearest import nearest, nearest_edge
from geo.radius import radius_sums


def nearest_to(
    parcels: gpd.GeoDataFrame, index: FeatureIndex, *, max_mi: float = np.inf
) -> tuple[np.ndarray, np.ndarray]:
    """Nearest feature from the edge of assessors' parcels and from the point of cells."""
    is_edge = (parcels["parcel_kind"] == "assessor").to_numpy()
    number, miles = nearest(
        index, parcels["lon"].to_numpy(), parcels["lat"].to_numpy(), max_mi=max_mi
    )
    if is_edge.any():
        number[is_edge], miles[is_edge] = nearest_edge(
            index, parcels.geometry[is_edge], max_mi=max_mi
        )
    return number, miles


def points_index(frame: pd.DataFrame) -> FeatureIndex:
    """Index of the points that a frame gives as `lon` and `lat`."""
    return FeatureIndex.from_points(frame["lon"].to_numpy(), frame["lat"].to_numpy())


def take(frame: pd.DataFrame, column: str, number: np.ndarray, index: pd.Index) -> pd.Series:
    """Values of a column by row number; missing where the number is -1."""
    values = frame[column].reset_index(drop=True).reindex(number)
    return pd.Series(values.to_numpy(), index=index, name=column).where(number >= 0)


def sums_around(
    parcels: gpd.GeoDataFrame,
    features: pd.DataFrame,
    values: np.ndarray,
    radii_mi: tuple[float, ...],
) -> np.ndarray:
    """Sum integer values of features within each radius of the parcel's point."""
    return radius_sums(
        parcels["lon"].to_numpy(),
        parcels["lat"].to_numpy(),
        features["lon"].to_numpy(),
        features["lat"].to_numpy(),
        values,
        radii_mi,
    )
