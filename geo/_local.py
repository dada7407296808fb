"""What is known of the place a parcel lies in: figures by state, county or cell, zone and name."""

import geopandas as gpd
import numpy as np
import pandas as pd

from geo._around import nearest_to, points_index, take
from geo.geodesy import KM_PER_MILE
from geo.layers import Layers
from geo.nearest import nearest

WINDS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")


def measure_averages(parcels: gpd.GeoDataFrame, layers: Layers) -> pd.DataFrame:
    """Figures known by state, county or nearest cell: the finest that is known."""
    out = pd.DataFrame(index=parcels.index)
    state = layers.state.set_index("state_id")
    county = layers.county_fact.set_index("county_id")
    for name in ("industrial_usd_per_mwh", "generation_queue_mw"):
        of_county = parcels["county_id"].map(county[name]).astype(float)
        of_state = parcels["state_id"].map(state[name]).astype(float)
        # A state's average price stands in for a county's; a state's sum is no county's.
        is_sum = name.endswith("_mw") and county[name].notna().any()
        out[name] = of_county if is_sum else of_county.fillna(of_state)
    climate = layers.climate_point
    number = None if climate.empty else nearest_to(parcels, points_index(climate))[0]
    for name in ("heating_degree_days_65f", "cooling_degree_days_65f"):
        of_state = parcels["state_id"].map(state[name]).astype(float)
        out[name] = of_state if number is None else take(climate, name, number, parcels.index)
    people = county["population_people"].where(county["population_people"] > 0)
    out["hazard_usd_per_person"] = parcels["county_id"].map(county["hazard_usd"] / people)
    out["fiber_coverage_share"] = parcels["county_id"].map(county["fiber_coverage_share"])
    out["land_value_usd_per_acre"] = _land_value(parcels, layers.land_value)
    return out.astype(float)


def _land_value(parcels: gpd.GeoDataFrame, land_value: pd.DataFrame) -> pd.Series:
    if land_value.empty:
        return pd.Series(np.nan, index=parcels.index)
    half_diagonal_mi = land_value["cell_km"].max() / np.sqrt(2) / KM_PER_MILE
    number, _ = nearest(
        points_index(land_value),
        parcels["lon"].to_numpy(),
        parcels["lat"].to_numpy(),
        max_mi=half_diagonal_mi,
    )
    return take(land_value, "land_value_usd_per_acre", number, parcels.index)


def measure_where(parcels: gpd.GeoDataFrame, layers: Layers) -> pd.DataFrame:
    """Grid zone, and a name in words."""
    out = pd.DataFrame(index=parcels.index)
    lon, lat = parcels["lon"].to_numpy(), parcels["lat"].to_numpy()
    zone = pd.Series(None, index=parcels.index, dtype=object)
    points = layers.zone_point
    if not points.empty:
        number, _ = nearest(points_index(points), lon, lat)
        zone[:] = points["zone_id"].to_numpy()[number]
        for state_id, of_state in points.groupby("state_id"):
            here = (parcels["state_id"] == state_id).to_numpy()
            number, _ = nearest(points_index(of_state), lon[here], lat[here])
            zone[here] = of_state["zone_id"].to_numpy()[number]
    out["zone_id"] = zone
    out["parcel_name"] = _name(lon, lat, layers.place, parcels.index)
    return out


def _name(lon: np.ndarray, lat: np.ndarray, place: pd.DataFrame, index: pd.Index) -> pd.Series:
    if place.empty:
        return pd.Series(None, index=index, dtype=object)
    number, miles = nearest(points_index(place), lon, lat)
    near = place.iloc[number]
    east = (lon - near["lon"].to_numpy()) * np.cos(np.radians(lat))
    north = lat - near["lat"].to_numpy()
    wind = np.round(np.degrees(np.arctan2(east, north)) / 45).astype(int) % 8
    names = near["place_name"] + ", " + near["state_id"]
    text = [
        name if mile < 1 else f"{mile:.0f} mi {WINDS[w]} of {name}"
        for name, mile, w in zip(names, miles, wind, strict=True)
    ]
    return pd.Series(text, index=index)
