"""Measure parcels: every metric of every parcel, from canonical layers given as frames."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo import headroom as line_class
from geo.geodesy import KM_PER_MILE
from geo.geodesy import METRES_PER_MILE as M_PER_MI
from geo.features import FeatureIndex
from geo.nearest import nearest, nearest_edge
from geo.pairs import pairs_within
from geo.radius import distinct_within, radius_sums
from geo.sample import cell_share

VOLTAGE_CLASSES_KV = (69, 138, 230, 345)
# 220 kV is the lower end of the public record's class 220-287, which is the 230 kV class.
BULK_LINE_KV = 220.0
GENERATION_RADII_MI = (10.0, 25.0, 50.0)
PEOPLE_RADII_MI = (5.0, 25.0, 50.0, 100.0)
CARRIER_RADIUS_MI = 25.0
METRO_REACH_MI = 100.0
# Land within this distance of a metro's centre is its region where no list of counties is given.
METRO_REGION_MI = 50.0
WINDS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")
# Radius sums are exact in integers: watts and thousandths of a person.
KW_PER_MW = 1000
MILLI = 1000


@dataclass(frozen=True)
class Layers:
    """Canonical layers as frames with the columns of `core.<layer>`; empty where a study has none."""

    substation: pd.DataFrame
    line: gpd.GeoDataFrame
    plant: pd.DataFrame
    zone_point: pd.DataFrame
    metro: pd.DataFrame
    metro_county: pd.DataFrame
    place: pd.DataFrame
    people: pd.DataFrame
    pop: pd.DataFrame
    ixp: pd.DataFrame
    park: gpd.GeoDataFrame
    developable: pd.DataFrame
    climate_point: pd.DataFrame
    land_value: pd.DataFrame
    state: pd.DataFrame
    county_fact: pd.DataFrame


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
        _land,
        _substations,
        _lines,
        _generation,
        _metros,
        _people,
        _fiber,
        _averages,
        _where,
    ):
        out = out.join(step(parcels, layers))
    return out.join(_headroom(parcels, layers, substation_headroom))


def substation_headroom(
    substation: pd.DataFrame, line: gpd.GeoDataFrame, plant: pd.DataFrame, classes: pd.DataFrame
) -> pd.DataFrame:
    """Headroom interval of every substation by the line-class method (`geo.headroom`).

    Returns
    -------
    DataFrame
        `substation_id`, `circuit_count`, `largest_circuit_mw`, `import_n1_mw`, `headroom_mw_low`,
        `headroom_mw_mid`, `headroom_mw_high`; NaN where no circuit or no load is known.
    """
    number = pd.Series(np.arange(len(substation)), index=substation["substation_id"])
    ac = line[~line["is_dc"].fillna(False).astype(bool) & line["kv_min"].notna()]
    length_mi = shapely.length(_albers(ac.geometry)) / M_PER_MI if len(ac) else np.zeros(0)
    capability = line_class.circuit_capability_mw(
        ac["kv_min"].to_numpy(float),
        length_mi,
        ac["rating_mva"].to_numpy(float),
        line_class.LineClasses.from_frame(classes),
    )
    ends = pd.concat([ac["from_substation_id"], ac["to_substation_id"]]).map(number)
    held = ends.notna().to_numpy()
    end_no = ends[held].to_numpy(dtype=np.int64)
    capability = np.concatenate([capability, capability])[held]
    carried = np.tile(ac["flow_mw"].to_numpy(float), 2)[held]
    firm = plant[(plant["fuel_kind"] == "firm") & plant["substation_id"].isin(number.index)]
    firm_no = number.loc[firm["substation_id"]].to_numpy()
    count = len(substation)

    def at_substation(column: str) -> np.ndarray:
        return np.bincount(firm_no, firm[column].fillna(0).to_numpy(float), minlength=count)

    interval = line_class.substation_headroom_mw(
        count,
        end_no,
        capability,
        carried,
        substation["load_mw"].to_numpy(float),
        at_substation("capacity_mw"),
        np.maximum(at_substation("dispatch_mw"), 0.0),
    )
    circuits = np.bincount(end_no, minlength=count)
    largest = np.zeros(count)
    np.maximum.at(largest, end_no, capability[:, 1])
    total = np.bincount(end_no, capability[:, 1], minlength=count)
    return pd.DataFrame(
        {
            "substation_id": substation["substation_id"].to_numpy(),
            "circuit_count": circuits,
            "largest_circuit_mw": np.where(circuits > 0, largest, np.nan),
            "import_n1_mw": np.where(circuits > 0, total - largest, np.nan),
            "headroom_mw_low": interval[:, 0],
            "headroom_mw_mid": interval[:, 1],
            "headroom_mw_high": interval[:, 2],
        }
    )


def _albers(geometry: gpd.GeoSeries) -> np.ndarray:
    return geometry.to_crs(5070).to_numpy()


def _nearest(
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


def _points(frame: pd.DataFrame) -> FeatureIndex:
    return FeatureIndex.from_points(frame["lon"].to_numpy(), frame["lat"].to_numpy())


def _take(frame: pd.DataFrame, column: str, number: np.ndarray, index: pd.Index) -> pd.Series:
    """Values of a column by row number; missing where the number is -1."""
    values = frame[column].reset_index(drop=True).reindex(number)
    return pd.Series(values.to_numpy(), index=index, name=column).where(number >= 0)


def _land(parcels: gpd.GeoDataFrame, layers: Layers) -> pd.DataFrame:
    out = pd.DataFrame(index=parcels.index)
    out["area_acres"] = parcels["area_acres"]
    out["lake_share"] = parcels["lake_share"]
    out["park_share"] = _overlap_share(parcels, layers.park)
    out["developable_share"] = _developable(parcels, layers.developable)
    cells = parcels["parcel_kind"] == "h3_cell"
    assessed = parcels["acres"] if "acres" in parcels else parcels["area_acres"]
    out["acres"] = assessed.where(~cells, parcels["area_acres"] * out["developable_share"])
    return out


def _overlap_share(parcels: gpd.GeoDataFrame, polygons: gpd.GeoDataFrame) -> pd.Series:
    """Share of each parcel under a layer whose polygons are first merged; NaN without a layer."""
    share = pd.Series(np.nan, index=parcels.index)
    if polygons.empty:
        return share
    merged = shapely.get_parts(shapely.union_all(shapely.make_valid(polygons.geometry.to_numpy())))
    merged = merged[shapely.get_dimensions(merged) == 2]
    shapes = parcels.geometry.to_numpy()
    tree = shapely.STRtree(merged)
    parcel_no, polygon_no = tree.query(shapes, predicate="intersects")
    wet = shapely.area(shapely.intersection(shapes[parcel_no], merged[polygon_no]))
    covered = np.bincount(parcel_no, wet, minlength=len(shapes))
    share[:] = np.minimum(covered / shapely.area(shapes), 1.0)
    return share


def _developable(parcels: gpd.GeoDataFrame, grid: pd.DataFrame) -> pd.Series:
    share = pd.Series(np.nan, index=parcels.index)
    if grid.empty:
        return share
    lon, lat = _sample_points(parcels)
    covered = parcels["state_id"].isin(set(grid["state_id"])).to_numpy()
    share[:] = cell_share(
        lon,
        lat,
        grid["lon"].to_numpy(),
        grid["lat"].to_numpy(),
        grid["developable_share"].to_numpy(),
        grid["cell_km"].to_numpy() / np.sqrt(2),
        np.broadcast_to(covered[:, None], lon.shape),
    )
    return share


def _sample_points(parcels: gpd.GeoDataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Seven points a cell: its own and six halfway to the corners of its box; one for a parcel."""
    lon, lat = parcels["lon"].to_numpy(), parcels["lat"].to_numpy()
    is_cell = (parcels["parcel_kind"] == "h3_cell").to_numpy()
    bounds = shapely.bounds(parcels.geometry.to_numpy())
    half_lon = np.where(is_cell, (bounds[:, 2] - bounds[:, 0]) / 2, 0.0)
    half_lat = np.where(is_cell, (bounds[:, 3] - bounds[:, 1]) / 2, 0.0)
    # Centres of the seven hexagons that make up one: at 2/3 of the inradius, 60 degrees apart.
    angle = np.arange(6) * np.pi / 3
    step_lon = np.concatenate([[0.0], np.cos(angle)]) * 2 / 3
    step_lat = np.concatenate([[0.0], np.sin(angle)]) * 2 / 3
    return (
        lon[:, None] + half_lon[:, None] * step_lon[None, :],
        lat[:, None] + half_lat[:, None] * step_lat[None, :],
    )


def _substations(parcels: gpd.GeoDataFrame, layers: Layers) -> pd.DataFrame:
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
        number, out[f"{name}_mi"] = _nearest(parcels, _points(able))
        out[f"{name}_id"] = _take(able, "substation_id", number, parcels.index)
        out[f"{name}_kv"] = _take(able, "kv_max", number, parcels.index)
    return out


def _lines(parcels: gpd.GeoDataFrame, layers: Layers) -> pd.DataFrame:
    out = pd.DataFrame(index=parcels.index)
    is_dc = layers.line["is_dc"].fillna(False).astype(bool)
    line = layers.line[(layers.line["kv_min"] >= BULK_LINE_KV) & ~is_dc]
    if line.empty:
        out["line_230kv_mi"], out["line_230kv_id"] = np.nan, None
        out["line_230kv_kv_min"], out["line_230kv_kv_max"] = np.nan, np.nan
        return out
    number, out["line_230kv_mi"] = _nearest(parcels, FeatureIndex.from_lines(line.geometry))
    out["line_230kv_id"] = _take(line, "line_id", number, parcels.index)
    out["line_230kv_kv_min"] = _take(line, "kv_min", number, parcels.index)
    out["line_230kv_kv_max"] = _take(line, "kv_max", number, parcels.index)
    return out


def _generation(parcels: gpd.GeoDataFrame, layers: Layers) -> pd.DataFrame:
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
    sums = _radius(parcels, plant, kinds, GENERATION_RADII_MI)
    table = sums.reshape(len(parcels), -1) / KW_PER_MW
    return pd.DataFrame(table, index=parcels.index, columns=names)


def _radius(
    parcels: gpd.GeoDataFrame,
    features: pd.DataFrame,
    values: np.ndarray,
    radii_mi: tuple[float, ...],
) -> np.ndarray:
    return radius_sums(
        parcels["lon"].to_numpy(),
        parcels["lat"].to_numpy(),
        features["lon"].to_numpy(),
        features["lat"].to_numpy(),
        values,
        radii_mi,
    )


def _metros(parcels: gpd.GeoDataFrame, layers: Layers) -> pd.DataFrame:
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
        number, miles = nearest(_points(metro), lon, lat)
        out[f"{prefix}_mi"] = miles
        out[f"{prefix}_id"] = _take(metro, "metro_id", number, parcels.index)
        out[f"{prefix}_name"] = _take(metro, "metro_name", number, parcels.index)
        out[f"{prefix}_people"] = _take(metro, "metro_people", number, parcels.index)
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


def _people(parcels: gpd.GeoDataFrame, layers: Layers) -> pd.DataFrame:
    names = [f"population_{int(radius)}mi" for radius in PEOPLE_RADII_MI]
    if layers.people.empty:
        return pd.DataFrame(pd.NA, index=parcels.index, columns=names)
    people = np.rint(layers.people["people"].to_numpy(float) * MILLI).astype(np.int64)
    sums = _radius(parcels, layers.people, people[:, None], PEOPLE_RADII_MI)[:, :, 0]
    whole = (sums + MILLI // 2) // MILLI
    return pd.DataFrame(whole, index=parcels.index, columns=names)


def _fiber(parcels: gpd.GeoDataFrame, layers: Layers) -> pd.DataFrame:
    out = pd.DataFrame(index=parcels.index)
    # Research networks stand in the layer, but sell to nobody.
    pop = layers.pop[layers.pop["carrier_kind"] == "carrier"]
    if pop.empty:
        out["pop_mi"], out["pop_id"], out["pop_carrier"] = np.nan, None, None
        out["carrier_25mi_count"] = pd.NA
    else:
        number, out["pop_mi"] = _nearest(parcels, _points(pop))
        out["pop_id"] = _take(pop, "pop_id", number, parcels.index)
        out["pop_carrier"] = _take(pop, "carrier_name", number, parcels.index)
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
        number, out["ixp_mi"] = _nearest(parcels, _points(layers.ixp))
        out["ixp_id"] = _take(layers.ixp, "ixp_id", number, parcels.index)
        out["ixp_name"] = _take(layers.ixp, "ixp_name", number, parcels.index)
        out["ixp_is_inferred"] = _take(layers.ixp, "is_inferred", number, parcels.index)
    return out


def _averages(parcels: gpd.GeoDataFrame, layers: Layers) -> pd.DataFrame:
    """Figures known by state, county or nearest cell: the finest that is known."""
    out = pd.DataFrame(index=parcels.index)
    state = layers.state.set_index("state_id")
    county = layers.county_fact.set_index("county_id")
    for name in ("industrial_usd_per_mwh", "generation_queue_mw"):
        of_county = parcels["county_id"].map(county[name]).astype(float)
        out[name] = of_county.fillna(parcels["state_id"].map(state[name]).astype(float))
    climate = layers.climate_point
    number = None if climate.empty else _nearest(parcels, _points(climate))[0]
    for name in ("heating_degree_days_65f", "cooling_degree_days_65f"):
        of_state = parcels["state_id"].map(state[name]).astype(float)
        out[name] = of_state if number is None else _take(climate, name, number, parcels.index)
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
        _points(land_value),
        parcels["lon"].to_numpy(),
        parcels["lat"].to_numpy(),
        max_mi=half_diagonal_mi,
    )
    return _take(land_value, "land_value_usd_per_acre", number, parcels.index)


def _where(parcels: gpd.GeoDataFrame, layers: Layers) -> pd.DataFrame:
    """Grid zone, and a name in words."""
    out = pd.DataFrame(index=parcels.index)
    lon, lat = parcels["lon"].to_numpy(), parcels["lat"].to_numpy()
    zone = pd.Series(None, index=parcels.index, dtype=object)
    points = layers.zone_point
    if not points.empty:
        number, _ = nearest(_points(points), lon, lat)
        zone[:] = points["zone_id"].to_numpy()[number]
        for state_id, of_state in points.groupby("state_id"):
            here = (parcels["state_id"] == state_id).to_numpy()
            number, _ = nearest(_points(of_state), lon[here], lat[here])
            zone[here] = of_state["zone_id"].to_numpy()[number]
    out["zone_id"] = zone
    out["parcel_name"] = _name(lon, lat, layers.place, parcels.index)
    return out


def _name(lon: np.ndarray, lat: np.ndarray, place: pd.DataFrame, index: pd.Index) -> pd.Series:
    if place.empty:
        return pd.Series(None, index=index, dtype=object)
    number, miles = nearest(_points(place), lon, lat)
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


def _headroom(
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
        out[f"headroom_mw_{end}"] = _take(known, f"headroom_mw_{end}", number, parcels.index)
    out["headroom_substation_mi"] = miles
    out["headroom_substation_id"] = _take(known, "substation_id", number, parcels.index)
    out["headroom_substation_kv"] = _take(known, "kv_max", number, parcels.index)
    return out


def _feeding(
    parcels: gpd.GeoDataFrame, known: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
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
        miles[is_edge] = edge_to_point_mi(
            parcels.geometry[is_edge],
            known["lon"].to_numpy()[number[is_edge]],
            known["lat"].to_numpy()[number[is_edge]],
        )
    return number, miles


def edge_to_point_mi(parcels: gpd.GeoSeries, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Miles from each parcel's edge to a point of its own; 0 where the point lies inside."""
    miles = np.empty(len(parcels))
    for row, (shape, x, y) in enumerate(zip(parcels, lon, lat, strict=True)):
        one = FeatureIndex.from_points(np.array([x]), np.array([y]))
        miles[row] = nearest_edge(one, gpd.GeoSeries([shape], crs=parcels.crs))[1][0]
    return miles
