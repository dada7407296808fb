"""Measure parcels: every metric of every parcel, from canonical layers given as frames."""

import geopandas as gpd
import numpy as np
import pandas as pd

from geo._fiber import measure_fiber
from geo._grid import measure_generation, measure_headroom, measure_lines, measure_substations
from geo._land import measure_land
from geo._local import measure_averages, measure_where
from geo._people import measure_metros, measure_people
from geo.layers import Layers


def measure(
    parcels: gpd.GeoDataFrame, layers: Layers, substation_headroom: pd.DataFrame
) -> pd.DataFrame:
    """Measure every parcel.

    Parameters
    ----------
    parcels
        As from `geo.divide`, in lon/lat; `parcel_kind` decides whether distances are taken from
        the parcel's edge (assessor) or from its point (h3_cell).
    layers
        Canonical layers.
    substation_headroom
        Columns `substation_id`, `headroom_mw_low`, `headroom_mw_mid`, `headroom_mw_high`.

    Returns
    -------
    DataFrame
        One row a parcel on the same index, one column a metric (unit in its name; NaN or NA is
        unknown), beside `zone_id`, `region_metro_id` and `parcel_name`. "Within 100 miles" and
        the people and carriers within a radius are always taken from the parcel's point.
    """
    is_edge = (parcels["parcel_kind"] == "assessor").to_numpy()
    out = pd.DataFrame({"parcel_id": parcels["parcel_id"]}, index=parcels.index)
    out["distance_basis"] = np.where(is_edge, "edge", "centroid")
    for step in (
        measure_land,
        measure_substations,
        measure_lines,
        measure_generation,
        measure_metros,
        measure_people,
        measure_fiber,
        measure_averages,
        measure_where,
    ):
        out = out.join(step(parcels, layers))
    return out.join(measure_headroom(parcels, layers, substation_headroom))
