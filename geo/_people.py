"""Metrics of people: metros and the population around a parcel."""

import geopandas as gpd
import numpy as np
import pandas as pd

from geo._around import points_index, sums_around, take
from geo.layers import Layers
from geo.nearest import nearest

PEOPLE_RADII_MI = (5.0, 25.0, 50.0, 100.0)
METRO_REACH_MI = 100.0
# Land within this distance of a metro's centre is its region where no list of counties is given.
METRO_REGION_MI = 50.0
# Radius sums are exact in integers: thousandths of a person.
MILLI = 1000


def measure_metros(parcels: gpd.GeoDataFrame, layers: Layers) -> pd.DataFrame:
    """Metros are measured from the parcel's point to the metro's centre, whatever its kind."""
    out = pd.DataFrame(index=parcels.index)
    lon, lat = parcels["lon"].to_numpy(), parcels["lat"].to_numpy()
    for prefix, metro in (
        ("metro", layers.metro),
        ("major_metro", layers.metro[layers.metro["is_major"].astype(bool)]),
    ):
        if metro.empty:
            out[f"{prefix}_mi"], out[f"{prefix}_people"] = np.nan, pd.NA
            out[f"{prefix}_id"], out[f"{prefix}_name"] = None, None
            continue
        number, miles = nearest(points_index(metro), lon, lat)
        out[f"{prefix}_mi"] = miles
        out[f"{prefix}_id"] = take(metro, "metro_id", number, parcels.index)
        out[f"{prefix}_name"] = take(metro, "metro_name", number, parcels.index)
        out[f"{prefix}_people"] = take(metro, "metro_people", number, parcels.index)
    near = out["major_metro_mi"] <= METRO_REACH_MI
    out["is_within_100mi_of_major_metro"] = near.astype("boolean").where(
        out["major_metro_mi"].notna()
    )
    if layers.metro_county.empty:
        out["region_metro_id"] = out["metro_id"].where(out["metro_mi"] <= METRO_REGION_MI)
    else:
        of_county = layers.metro_county.set_index("county_id")["metro_id"]
        out["region_metro_id"] = parcels["county_id"].map(of_county)
    return out


def measure_people(parcels: gpd.GeoDataFrame, layers: Layers) -> pd.DataFrame:
    """People within each radius of the parcel's point."""
    names = [f"population_{int(radius)}mi" for radius in PEOPLE_RADII_MI]
    if layers.people.empty:
        return pd.DataFrame(pd.NA, index=parcels.index, columns=names)
    people = np.rint(layers.people["people"].to_numpy(float) * MILLI).astype(np.int64)
    sums = sums_around(parcels, layers.people, people[:, None], PEOPLE_RADII_MI)[:, :, 0]
    whole = (sums + MILLI // 2) // MILLI
    return pd.DataFrame(whole, index=parcels.index, columns=names)
