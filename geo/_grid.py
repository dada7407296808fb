"""Metrics of the grid: nearest substations and lines, headroom, generation around."""

import geopandas as gpd
import numpy as np
import pandas as pd

from geo import headroom as line_class
from geo._around import nearest_to, points_index, sums_around, take
from geo.features import FeatureIndex
from geo.layers import Layers
from geo.nearest import nearest_edge
from geo.pairs import pairs_within

VOLTAGE_CLASSES_KV = (69, 138, 230, 345)
# 220 kV is the lower end of the public record's class 220-287, which is the 230 kV class.
BULK_LINE_KV = 220.0
GENERATION_RADII_MI = (10.0, 25.0, 50.0)
# Radius sums are exact in integers: whole kilowatts, finer than any nameplate.
KW_PER_MW = 1000


def measure_substations(parcels: gpd.GeoDataFrame, layers: Layers) -> pd.DataFrame:
    """Nearest substation of each voltage class: miles, id and highest kV."""
    out = pd.DataFrame(index=parcels.index)
    substation = layers.substation
    lowest = substation["kv_max"].min()
    for kv in VOLTAGE_CLASSES_KV:
        name = f"substation_{kv}kv"
        # A record that starts at 230 kV cannot say where the nearest 69 kV substation is.
        able = substation[substation["kv_max"] >= kv]
        if able.empty or (kv < BULK_LINE_KV and lowest >= BULK_LINE_KV):
            out[f"{name}_mi"], out[f"{name}_id"], out[f"{name}_kv"] = np.nan, None, np.nan
            continue
        number, out[f"{name}_mi"] = nearest_to(parcels, points_index(able))
        out[f"{name}_id"] = take(able, "substation_id", number, parcels.index)
        out[f"{name}_kv"] = take(able, "kv_max", number, parcels.index)
    return out


def measure_lines(parcels: gpd.GeoDataFrame, layers: Layers) -> pd.DataFrame:
    """Nearest AC line that is certainly of the 230 kV class or above: miles, id, kV class."""
    out = pd.DataFrame(index=parcels.index)
    is_dc = layers.line["is_dc"].fillna(False).astype(bool)
    line = layers.line[(layers.line["kv_min"] >= BULK_LINE_KV) & ~is_dc]
    if line.empty:
        out["line_230kv_mi"], out["line_230kv_id"] = np.nan, None
        out["line_230kv_kv_min"], out["line_230kv_kv_max"] = np.nan, np.nan
        return out
    number, out["line_230kv_mi"] = nearest_to(parcels, FeatureIndex.from_lines(line.geometry))
    out["line_230kv_id"] = take(line, "line_id", number, parcels.index)
    out["line_230kv_kv_min"] = take(line, "kv_min", number, parcels.index)
    out["line_230kv_kv_max"] = take(line, "kv_max", number, parcels.index)
    return out


def measure_generation(parcels: gpd.GeoDataFrame, layers: Layers) -> pd.DataFrame:
    """Firm and variable capacity within each radius of the parcel's point, MW."""
    names = [
        f"{kind}_generation_{int(radius)}mi_mw"
        for radius in GENERATION_RADII_MI
        for kind in ("firm", "variable")
    ]
    plant = layers.plant[layers.plant["capacity_mw"].notna() & layers.plant["fuel_kind"].notna()]
    if plant.empty:
        return pd.DataFrame(np.nan, index=parcels.index, columns=names)
    kw = np.rint(plant["capacity_mw"].to_numpy(float) * KW_PER_MW).astype(np.int64)
    kinds = np.column_stack(
        [np.where(plant["fuel_kind"] == kind, kw, 0) for kind in ("firm", "variable")]
    )
    sums = sums_around(parcels, plant, kinds, GENERATION_RADII_MI)
    table = sums.reshape(len(parcels), -1) / KW_PER_MW
    return pd.DataFrame(table, index=parcels.index, columns=names)


def measure_headroom(
    parcels: gpd.GeoDataFrame, layers: Layers, headroom: pd.DataFrame
) -> pd.DataFrame:
    """Headroom of the feeding substation of each parcel."""
    substation = layers.substation.merge(headroom, on="substation_id", validate="one_to_one")
    known = substation[substation["headroom_mw_mid"].notna()].reset_index(drop=True)
    out = pd.DataFrame(index=parcels.index)
    ends = ("low", "mid", "high")
    if known.empty:
        for end in ends:
            out[f"headroom_mw_{end}"] = np.nan
        out["headroom_substation_mi"], out["headroom_substation_kv"] = np.nan, np.nan
        out["headroom_substation_id"] = None
        return out
    number, miles = _feeding(parcels, known)
    for end in ends:
        out[f"headroom_mw_{end}"] = take(known, f"headroom_mw_{end}", number, parcels.index)
    out["headroom_substation_mi"] = miles
    out["headroom_substation_id"] = take(known, "substation_id", number, parcels.index)
    out["headroom_substation_kv"] = take(known, "kv_max", number, parcels.index)
    return out


def _feeding(parcels: gpd.GeoDataFrame, known: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Choose among all substations within reach, in slices so that the pairs stay small."""
    mid = known["headroom_mw_mid"].to_numpy()
    number = np.full(len(parcels), -1)
    miles = np.full(len(parcels), np.nan)
    slice_size = 50_000
    for start in range(0, len(parcels), slice_size):
        part = parcels.iloc[start : start + slice_size]
        parcel_no, substation_no, pair_mi = pairs_within(
            part["lon"].to_numpy(),
            part["lat"].to_numpy(),
            known["lon"].to_numpy(),
            known["lat"].to_numpy(),
            line_class.REACH_MI,
        )
        stop = start + len(part)
        number[start:stop], miles[start:stop] = line_class.feeding_substation(
            parcel_no, substation_no, pair_mi, mid, len(part)
        )
    is_edge = (parcels["parcel_kind"] == "assessor").to_numpy() & (number >= 0)
    if is_edge.any():
        miles[is_edge] = _edge_to_point_mi(parcels.geometry[is_edge], known, number[is_edge])
    return number, miles


def _edge_to_point_mi(
    parcels: gpd.GeoSeries, points: pd.DataFrame, point_no: np.ndarray
) -> np.ndarray:
    """Miles from each parcel's edge to a point of its own; 0 where the point lies inside."""
    miles = np.empty(len(parcels))
    # Many parcels share a point: one search for each point, not for each parcel.
    for number in np.unique(point_no):
        rows = point_no == number
        miles[rows] = nearest_edge(points_index(points.iloc[[number]]), parcels[rows])[1]
    return miles
