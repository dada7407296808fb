"""Assessors' parcels in a frame, with the columns that dividing files gives them."""

from types import SimpleNamespace

import geopandas as gpd
import numpy as np

from geo.divide import assessor_columns, place
from geo.polygons import Polygons


def assessor_parcels(frame, counties, study_counties=None):
    """Place parcels with `parcel_id` and `acres`: `parcels` sorted by id, and `left_out`, the ids in no county."""
    placed = place(Polygons.from_shapes(frame.geometry), counties, study_counties)
    keep = placed["county_id"].notna().to_numpy()
    found = assessor_columns(frame["parcel_id"], frame["acres"], placed)[keep]
    parcels = gpd.GeoDataFrame(found, geometry=frame.geometry.to_numpy()[keep], crs="OGC:CRS84")
    order = np.argsort(parcels["parcel_id"].to_numpy(dtype=object), kind="stable")
    return SimpleNamespace(
        parcels=parcels.iloc[order].reset_index(drop=True),
        left_out=frame["parcel_id"].to_numpy()[~keep].tolist(),
    )
