"""Metrics of fiber: points of presence, exchanges and carriers around a parcel."""

import geopandas as gpd
import numpy as np
import pandas as pd

from geo._around import nearest_to, points_index, take
from geo.layers import Layers
from geo.radius import distinct_within

CARRIER_RADIUS_MI = 25.0


def measure_fiber(parcels: gpd.GeoDataFrame, layers: Layers) -> pd.DataFrame:
    """Nearest carrier PoP and exchange, and distinct carriers around."""
    out = pd.DataFrame(index=parcels.index)
    # Research networks stand in the layer, but sell to nobody.
    pop = layers.pop[layers.pop["carrier_kind"] == "carrier"]
    if pop.empty:
        out["pop_mi"], out["pop_id"], out["pop_carrier"] = np.nan, None, None
        out["carrier_25mi_count"] = pd.NA
    else:
        number, out["pop_mi"] = nearest_to(parcels, points_index(pop))
        out["pop_id"] = take(pop, "pop_id", number, parcels.index)
        out["pop_carrier"] = take(pop, "carrier_name", number, parcels.index)
        out["carrier_25mi_count"] = distinct_within(
            parcels["lon"].to_numpy(),
            parcels["lat"].to_numpy(),
            pop["lon"].to_numpy(),
            pop["lat"].to_numpy(),
            pd.factorize(pop["carrier_id"])[0],
            CARRIER_RADIUS_MI,
        )
    if layers.ixp.empty:
        out["ixp_mi"], out["ixp_id"], out["ixp_name"] = np.nan, None, None
        out["ixp_is_inferred"] = pd.NA
    else:
        number, out["ixp_mi"] = nearest_to(parcels, points_index(layers.ixp))
        out["ixp_id"] = take(layers.ixp, "ixp_id", number, parcels.index)
        out["ixp_name"] = take(layers.ixp, "ixp_name", number, parcels.index)
        out["ixp_is_inferred"] = take(layers.ixp, "is_inferred", number, parcels.index)
    return out
