"""Canonical layers as frames, as `geo.measure` takes them."""

from dataclasses import dataclass

import geopandas as gpd
import pandas as pd


@dataclass(frozen=True)
class Layers:
    """Canonical layers as frames with the columns of `core.<layer>`; empty where a study has none."""

    substation: pd.DataFrame
    line: gpd.GeoDataFrame
    plant: pd.DataFrame
    retiring_plant: pd.DataFrame
    zone_point: pd.DataFrame
    metro: pd.DataFrame
    metro_county: pd.DataFrame
    place: pd.DataFrame
    people: pd.DataFrame
    pop: pd.DataFrame
    ixp: pd.DataFrame
    lake: gpd.GeoDataFrame
    park: gpd.GeoDataFrame
    developable: pd.DataFrame
    climate_point: pd.DataFrame
    land_value: pd.DataFrame
    state: pd.DataFrame
    county_fact: pd.DataFrame
    data_center: pd.DataFrame
