"""Every metric of parcels the plain way: each parcel against each feature, by shapely and Geod alone."""

from dataclasses import dataclass

import numpy as np
import shapely

from tests.oracle import exclusion, feeding, sample, shape, zonal
from tests.oracle.fiber_reach import plain_latency
from tests.oracle.geodesic import GEOD, METRES_PER_MILE, all_pairs_m
from tests.oracle.radius import distinct_within, sums_within

# Edges are straight in lon/lat and lines are geodesics: cut so short, neither leaves its chord by 2 mm.
STEP_DEG, STEP_M = 0.002, 200.0
# Distances less apart than this are as good as equal: to points the engine is exact, to edges it says 5 cm.
SAME_POINT_M, SAME_EDGE_M = 0.001, 0.1
KILOWATTS, THOUSANDTHS = 1000, 1000
FED_BY = {
    "headroom_substation_id": "substation_id", "headroom_substation_kv": "kv_max",
    "headroom_mw_low": "headroom_mw_low", "headroom_mw_mid": "headroom_mw_mid", "headroom_mw_high": "headroom_mw_high",
    "headroom_n0_mw": "headroom_n0_mw", "flexible_025_mw": "flexible_025_mw_mid", "flexible_100_mw": "flexible_100_mw_mid",
    "reserve_zone_mw": "reserve_zone_mw", "reserve_interconnection_mw": "reserve_interconnection_mw",
}  # fmt: skip
TIE_LINE = (
    "headroom_substation_mi",
    "deliverable_mw",
    "tie_line_kv",
    "tie_line_mi",
    "tie_line_musd",
)
SECOND_FEED = ("second_feed_substation_id", "second_feed_mw", "second_feed_mi", "second_feed_musd")
WINDS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")


@dataclass(frozen=True)
class Plain:
    """What is right.

    Attributes
    ----------
    known
        Columns that have one right value a parcel.
    choices
        By columns that are taken from one feature: for each parcel the rows of values that are right, more
        than one where features are equally near.
    """

    known: dict[str, np.ndarray]
    choices: dict[tuple[str, ...], list[list[tuple]]]


def plain_measure(parcels, layers, headroom, exclusions=None, slope=None, fiber=None):
    """Measure parcels.

    Parameters
    ----------
    parcels
        GeoDataFrame in lon/lat with `parcel_kind`, `lon`, `lat`, `county_id`, `state_id`, `acres` and
        `lake_share`.
    layers
        Canonical layers as attributes.
    headroom
        `substation_id`, `headroom_mw_low`, `headroom_mw_mid`, `headroom_mw_high`, and what else is known.
    exclusions
        Shapes in lon/lat; None where the study has none.
    slope
        Values in percent, NaN unknown, transform and CRS of a raster; None where the study has none.
    fiber
        From `fiber_reach.fiber_world`; None where the study has none.
    """
    found = Plain({}, {})
    far = Distances(parcels)
    _land(parcels, layers, exclusions, found)
    _slope(parcels, slope, found)
    _grid(far, layers, headroom, found)
    _people(parcels, far, layers, found)
    _fiber(far, layers, found)
    plain_latency(far.lon, far.lat, fiber, found)
    _averages(parcels, far, layers, found)
    _data_centers(far, layers.data_center, found)
    _zone_and_name(parcels, far, layers, found)
    return found


class Distances:
    """Geodesic metres from parcels, from the edge of assessors' and the point of cells."""

    def __init__(self, parcels):
        self.lon, self.lat = parcels["lon"].to_numpy(float), parcels["lat"].to_numpy(float)
        self.is_edge = (parcels["parcel_kind"] == "assessor").to_numpy()
        edges = shapely.segmentize(parcels.geometry.to_numpy(), STEP_DEG)
        self.basis = np.where(self.is_edge, edges, shapely.points(self.lon, self.lat))

    def from_points(self, frame):
        """From the parcels' points to features that stand at points, (n, m)."""
        return all_pairs_m(self.lon, self.lat, frame["lon"].to_numpy(), frame["lat"].to_numpy())

    def to_points(self, frame):
        return self._to(shapely.points(frame["lon"].to_numpy(), frame["lat"].to_numpy()))

    def to_lines(self, lines):
        return self._to(np.array([_as_geodesics(line) for line in lines], dtype=object))

    def same_m(self, metres):
        """How far apart distances may be to be as good as equal, (n,)."""
        return np.where(self.is_edge, SAME_EDGE_M + 1e-6 * metres, SAME_POINT_M)

    def _to(self, features):
        """Nearest points are found in the plane around the parcel, and held apart by Geod."""
        metres = np.empty((len(self.basis), len(features)))
        for row, (basis, lon, lat) in enumerate(zip(self.basis, self.lon, self.lat, strict=True)):
            here, there = (_around(shapes, lon, lat) for shapes in (basis, features))
            ends = shapely.get_coordinates(shapely.shortest_line(here, there))
            x, y = _from_around(ends, lon, lat).T
            metres[row] = GEOD.inv(x[::2], y[::2], x[1::2], y[1::2])[2]
            metres[row, shapely.intersects(here, there)] = 0.0
        return metres


def _around(shapes, lon, lat):
    """Shapes in the azimuthal equidistant plane around a place: within 1e-5 true to 40 km from there."""

    def place(xy):
        away, _, metres = GEOD.inv(np.full(len(xy), lon), np.full(len(xy), lat), *xy.T)
        return (np.array([np.sin(np.radians(away)), np.cos(np.radians(away))]) * metres).T

    return shapely.transform(shapes, place)


def _from_around(xy, lon, lat):
    away = np.degrees(np.arctan2(*xy.T))
    there = GEOD.fwd(np.full(len(xy), lon), np.full(len(xy), lat), away, np.hypot(*xy.T))
    return np.column_stack(there[:2])


def _as_geodesics(line):
    parts = []
    for part in shapely.get_parts(line):
        points = [part.coords[0]]
        for begin, end in zip(part.coords[:-1], part.coords[1:], strict=True):
            steps = int(GEOD.inv(*begin, *end)[2] // STEP_M)
            points += [*GEOD.npts(*begin, *end, steps), end] if steps else [end]
        parts.append(points)
    return shapely.MultiLineString(parts)


def _nearest(frame, metres, same_m, columns):
    """Miles to the nearest feature, and the rows of its columns that are right.

    Of features at the very same place the first counts.
    """
    values = list(zip(*(frame[name] for name in columns), strict=True))
    places = list(
        shapely.to_wkb(shapely.normalize(frame.geometry.to_numpy()))
        if "geometry" in frame
        else zip(frame["lon"], frame["lat"], strict=True)
    )
    least = metres.min(axis=1)
    rows = []
    for row, low, same in zip(metres, least, np.broadcast_to(same_m, least.shape), strict=True):
        by_place = {places[at]: at for at in np.flatnonzero(row <= low + same)[::-1]}
        rows.append([values[at] for at in by_place.values()])
    return least / METRES_PER_MILE, rows


def _add_nearest(found, name, taken, frame, metres_of, same_m_of):
    """Add `name`_mi and columns that are taken from the nearest feature; unknown where there is none."""
    columns = tuple(taken)
    if frame.empty:
        found.known[f"{name}_mi"] = np.nan
        found.known.update(dict.fromkeys(columns, np.nan))
        return
    metres = metres_of(frame)
    found.known[f"{name}_mi"], found.choices[columns] = _nearest(
        frame, metres, same_m_of(metres.min(axis=1)), list(taken.values())
    )


# ---- Land ------------------------------------------------------------------------------------------


def _land(parcels, layers, exclusions, found):
    shapes, is_edge = parcels.geometry.to_numpy(), (parcels["parcel_kind"] == "assessor").to_numpy()
    acres = shapely.area(exclusion.to_plane(shapes)) / exclusion.SQUARE_METRES_PER_ACRE
    found.known["area_acres"] = acres
    lake = parcels["lake_share"].to_numpy(float)
    if len(layers.lake):
        lake = np.where(is_edge, _share(shapes, layers.lake.geometry.to_numpy()), lake)
    found.known["lake_share"] = lake
    found.known["park_share"] = (
        _share(shapes, layers.park.geometry.to_numpy()) if len(layers.park) else np.nan
    )
    developable = _developable(parcels, layers.developable)
    found.known["developable_share"] = developable
    assessed = parcels["acres"].to_numpy(float)
    found.known["acres"] = np.where(
        is_edge, np.where(np.isnan(assessed), acres, assessed), acres * developable
    )
    if exclusions is None:
        names = ("excluded_share", "buildable_acres", "contiguous_acres")
        found.known.update(dict.fromkeys(names, np.nan))
    else:
        share = _share(shapes, exclusions)
        found.known["excluded_share"] = share
        found.known["buildable_acres"] = acres * (1 - share)
        found.known["contiguous_acres"] = exclusion.largest_acres(shapes, exclusions)
    flat = [shape.azimuthal(one) for one in shapes]
    perimeter_m = np.array([shape.perimeter_m(one) for one in shapes])
    found.known["compactness"] = (
        4 * np.pi * acres * exclusion.SQUARE_METRES_PER_ACRE / perimeter_m**2
    )
    found.known["minimum_width_m"] = np.array(
        [shape.minimum_width(shapely.get_coordinates(one)) for one in flat]
    )
    found.known["inscribed_diameter_m"] = np.array(
        [shape.inscribed_diameter_m(one) for one in flat]
    )


def _slope(parcels, slope, found):
    """Unknown where under half of the parcel lies on known cells."""
    names = ("slope_mean_pct", "slope_max_pct", "gentle_share")
    if slope is None:
        found.known.update(dict.fromkeys(names, np.nan))
        return
    values, transform, crs = slope
    rows = []
    for one in zonal.to_plane(parcels.geometry.to_numpy(), crs):
        known, mean, most, _, under, _ = zonal.statistics(one, values, transform, below=(5.0,))
        rows.append((mean, most, under[0]) if known >= 0.5 else (np.nan,) * 3)
    found.known.update(zip(names, np.array(rows).T, strict=True))


def _share(shapes, others):
    covered_m2, area_m2 = exclusion.areas_m2(shapes, others).T
    return covered_m2 / area_m2


def _developable(parcels, grid):
    """Mean over the centres of the seven hexagons that make up a cell; at the point of a parcel."""
    if grid.empty:
        return np.full(len(parcels), np.nan)
    states = set(grid["state_id"])
    shares = []
    for row in parcels.itertuples():
        lon, lat = [row.lon], [row.lat]
        if row.parcel_kind != "assessor":
            west, south, east, north = row.geometry.bounds
            for degrees in range(0, 360, 60):
                lon.append(row.lon + np.cos(np.radians(degrees)) * (east - west) / 2 * 2 / 3)
                lat.append(row.lat + np.sin(np.radians(degrees)) * (north - south) / 2 * 2 / 3)
        share = sample.cell_share(
            *(np.array([lon]), np.array([lat])),
            *(grid[name].to_numpy(float) for name in ("lon", "lat", "developable_share")),
            grid["cell_km"].to_numpy(float) / np.sqrt(2),
            np.full((1, len(lon)), row.state_id in states),
        )
        shares.append(share[0])
    return np.array(shares)


# ---- Grid ------------------------------------------------------------------------------------------


def _grid(far, layers, headroom, found):
    substation = layers.substation
    # A record that starts at 230 kV says nothing of lower voltages.
    starts_low = (substation["kv_max"] < 220).any()
    for kv in (69, 138, 230, 345):
        name = f"substation_{kv}kv"
        able = substation[(substation["kv_max"] >= kv) & (starts_low | (kv >= 220))]
        taken = {f"{name}_id": "substation_id", f"{name}_kv": "kv_max"}
        _add_nearest(found, name, taken, able, far.to_points, far.same_m)
    is_dc = layers.line["is_dc"].fillna(False).astype(bool)
    line = layers.line[(layers.line["kv_min"] >= 220) & ~is_dc]
    taken = {
        "line_230kv_id": "line_id",
        "line_230kv_kv_min": "kv_min",
        "line_230kv_kv_max": "kv_max",
    }
    _add_nearest(
        found, "line_230kv", taken, line, lambda rows: far.to_lines(rows.geometry), far.same_m
    )
    _generation(far, layers.plant, found)
    _retirement(far, layers.retiring_plant, found)
    _feeding(far, substation.merge(headroom, on="substation_id"), found)


def _generation(far, plant, found):
    plant = plant[plant["capacity_mw"].notna() & plant["fuel_kind"].notna() & plant["lon"].notna()]
    radii = (10, 25, 50)
    for kind in ("firm", "variable"):
        kw = np.rint(plant["capacity_mw"].to_numpy(float) * KILOWATTS).astype(np.int64)
        kw = np.where(plant["fuel_kind"] == kind, kw, 0)
        if plant.empty:
            found.known.update({f"{kind}_generation_{radius}mi_mw": np.nan for radius in radii})
            continue
        place = (plant["lon"].to_numpy(float), plant["lat"].to_numpy(float))
        sums, _ = sums_within(far.lon, far.lat, *place, kw[:, None], radii)
        for number, radius in enumerate(radii):
            found.known[f"{kind}_generation_{radius}mi_mw"] = sums[:, number, 0] / KILOWATTS


def _retirement(far, plant, found):
    names = ("retiring_generation_25mi_mw", "retiring_generation_25mi_count")
    if plant.empty:
        found.known.update(dict.fromkeys(names, np.nan))
        return
    plant = plant[(plant["retirement_year"] <= 2035) | (plant["retirement_status"] == "retired")]
    kw = np.rint(plant["capacity_mw"].to_numpy(float) * KILOWATTS)
    values = np.column_stack([np.where(np.isnan(kw), 0, kw), np.ones(len(plant))]).astype(np.int64)
    place = (plant["lon"].to_numpy(float), plant["lat"].to_numpy(float))
    sums, _ = sums_within(far.lon, far.lat, *place, values, (25,))
    found.known[names[0]] = sums[:, 0, 0] / KILOWATTS
    found.known[names[1]] = sums[:, 0, 1]


def _feeding(far, substation, found):
    """Of the substations within 20 miles the one with the cheapest megawatt, and of the others again."""
    substation = substation.assign(
        **{name: substation.get(name, np.nan) for name in FED_BY.values()}
    )
    kv = substation.get("connect_kv", substation["kv_max"]).fillna(substation["kv_max"])
    known = substation.assign(kv=kv)[substation["headroom_mw_mid"].notna() & kv.notna()]
    if known.empty:
        found.known.update(dict.fromkeys((*FED_BY, *TIE_LINE, *SECOND_FEED), np.nan))
        return
    miles = far.to_points(known) / METRES_PER_MILE
    stations = known.to_dict("records")
    found.choices[*FED_BY, *TIE_LINE, *SECOND_FEED] = [
        _feeds(here, stations, same_m / METRES_PER_MILE)
        for here, same_m in zip(miles, far.same_m(20.0 * METRES_PER_MILE), strict=True)
    ]


def _feeds(here, stations, same_mi):
    """Rows of `FED_BY`, `TIE_LINE` and `SECOND_FEED` that are right for a parcel so many miles from stations."""
    rows = []
    reached = [at for at in range(len(stations)) if here[at] <= 20.0]
    for at in _cheapest(reached, here, stations, same_mi):
        first = stations[at]
        taken = [first[column] for column in FED_BY.values()]
        mw = min(first["headroom_mw_mid"], 1000.0)
        seconds = _cheapest([other for other in reached if other != at], here, stations, same_mi)
        for mile in _miles(here[at], same_mi):
            line = (mile, mw, first["kv"], mile * 1.3, feeding.tie_line_musd(first["kv"], mile, mw))
            for other in seconds:
                second = stations[other]
                added = min(second["headroom_mw_mid"], 1000.0)
                rows += [
                    (*taken, *line, second["substation_id"], added, to, feeding.tie_line_musd(second["kv"], to, added))
                    for to in _miles(here[other], same_mi)
                ]  # fmt: skip
            if not seconds:
                rows.append((*taken, *line, *[np.nan] * len(SECOND_FEED)))
    return rows or [(np.nan,) * len((*FED_BY, *TIE_LINE, *SECOND_FEED))]


def _miles(mile, same_mi):
    """As good as these miles: they tell on which side of a step of the price they are."""
    return [max(mile - same_mi, 0.0), mile, mile + same_mi]


def _cheapest(among, here, stations, same_mi):
    """Of some stations those that may be the cheapest, or, where none has a megawatt, the nearest."""
    rates = {
        at: [
            feeding.rate(stations[at]["kv"], mile, stations[at]["headroom_mw_mid"])
            for mile in _miles(here[at], same_mi)
        ]
        for at in among
    }
    least = min(map(max, rates.values()), default=np.inf)
    good = [at for at in among if min(rates[at]) <= least * (1 + 1e-9)]
    if least == np.inf:
        nearest = min((here[at] for at in good), default=np.inf)
        good = [at for at in good if here[at] <= nearest + 2 * same_mi]
    # At the same place the first counts.
    place = {at: (stations[at]["lon"], stations[at]["lat"], rates[at]) for at in good}
    return [
        at for at in good if not any(place[other] == place[at] and other < at for other in good)
    ]


# ---- People and fiber ------------------------------------------------------------------------------


def _people(parcels, far, layers, found):
    taken = {"id": "metro_id", "name": "metro_name", "people": "metro_people"}
    metro = layers.metro
    for name, frame in (("metro", metro), ("major_metro", metro[metro["is_major"].astype(bool)])):
        columns = {f"{name}_{what}": column for what, column in taken.items()}
        _add_nearest(found, name, columns, frame, far.from_points, lambda _: SAME_POINT_M)
    miles = np.broadcast_to(found.known["major_metro_mi"], len(parcels))
    found.known["is_within_100mi_of_major_metro"] = np.where(
        np.isnan(miles), np.nan, (miles <= 100).astype(float)
    )
    _metro_region(parcels, layers, found)
    radii = (5, 25, 50, 100)
    people = layers.people
    if people.empty:
        found.known.update({f"population_{radius}mi": np.nan for radius in radii})
        return
    number = np.rint(people["people"].to_numpy(float) * THOUSANDTHS).astype(np.int64)
    place = (people["lon"].to_numpy(float), people["lat"].to_numpy(float))
    sums, _ = sums_within(far.lon, far.lat, *place, number[:, None], radii)
    for at, radius in enumerate(radii):
        whole = (sums[:, at, 0] + THOUSANDTHS // 2) // THOUSANDTHS
        found.known[f"population_{radius}mi"] = whole.astype(float)


def _metro_region(parcels, layers, found):
    """The metro that counts the county, or, where no counties are listed, one within 50 miles."""
    if len(layers.metro_county):
        counties = dict(
            zip(layers.metro_county["county_id"], layers.metro_county["metro_id"], strict=True)
        )
        found.choices["region_metro_id",] = [
            [(counties.get(county, np.nan),)] for county in parcels["county_id"]
        ]
    elif layers.metro.empty:
        found.known["region_metro_id"] = np.nan
    else:
        near = found.choices["metro_id", "metro_name", "metro_people"]
        found.choices["region_metro_id",] = [
            [row[:1] if mile <= 50 else (np.nan,) for row in rows]
            for rows, mile in zip(near, found.known["metro_mi"], strict=True)
        ]


def _fiber(far, layers, found):
    pop = layers.pop[layers.pop["carrier_kind"] == "carrier"]
    taken = {"pop_id": "pop_id", "pop_carrier": "carrier_name"}
    _add_nearest(found, "pop", taken, pop, far.to_points, far.same_m)
    taken = {"ixp_id": "ixp_id", "ixp_name": "ixp_name", "ixp_is_inferred": "is_inferred"}
    _add_nearest(found, "ixp", taken, layers.ixp, far.to_points, far.same_m)
    found.known["carrier_25mi_count"] = np.nan
    if len(pop):
        place = (pop["lon"].to_numpy(float), pop["lat"].to_numpy(float))
        count = distinct_within(far.lon, far.lat, *place, pop["carrier_id"].to_numpy(), 25)
        found.known["carrier_25mi_count"] = count.astype(float)


def _data_centers(far, known, found):
    found.known.update(dict.fromkeys(("data_center_mi", "data_center_25mi_count"), np.nan))
    if len(known):
        found.known["data_center_mi"] = far.to_points(known).min(axis=1) / METRES_PER_MILE
        place = (known["lon"].to_numpy(float), known["lat"].to_numpy(float))
        ones = np.ones((len(known), 1), dtype=np.int64)
        sums, _ = sums_within(far.lon, far.lat, *place, ones, (25,))
        found.known["data_center_25mi_count"] = sums[:, 0, 0].astype(float)


# ---- Averages, zone and name -----------------------------------------------------------------------


def _averages(parcels, far, layers, found):
    state = {row["state_id"]: row for row in layers.state.to_dict("records")}
    county = {row["county_id"]: row for row in layers.county_fact.to_dict("records")}
    has_county_queue = layers.county_fact["generation_queue_mw"].notna().any()

    def of(table, key, name):
        return float(table[key][name]) if key in table else np.nan

    def first(*values):
        return next((value for value in values if not np.isnan(value)), np.nan)

    keys = list(zip(parcels["county_id"], parcels["state_id"], strict=True))
    name = "industrial_usd_per_mwh"
    found.known[name] = np.array([first(of(county, c, name), of(state, s, name)) for c, s in keys])
    name = "generation_queue_mw"
    found.known[name] = np.array(
        [of(county, c, name) if has_county_queue else of(state, s, name) for c, s in keys]
    )
    hazard = [(of(county, c, "hazard_usd"), of(county, c, "population_people")) for c, _ in keys]
    found.known["hazard_usd_per_person"] = np.array(
        [usd / people if people > 0 else np.nan for usd, people in hazard]
    )
    name = "fiber_coverage_share"
    found.known[name] = np.array([of(county, c, name) for c, _ in keys])
    days = ("heating_degree_days_65f", "cooling_degree_days_65f")
    if layers.climate_point.empty:
        for name in days:
            found.known[name] = np.array([of(state, s, name) for _, s in keys])
    else:
        metres = far.to_points(layers.climate_point)
        same_m = far.same_m(metres.min(axis=1))
        _, found.choices[days] = _nearest(layers.climate_point, metres, same_m, days)
    name = "land_value_usd_per_acre"
    found.known[name] = np.nan
    if len(layers.land_value):
        metres = far.from_points(layers.land_value)
        least, rows = _nearest(layers.land_value, metres, SAME_POINT_M, [name])
        reach_mi = layers.land_value["cell_km"].max() / np.sqrt(2) * 1000 / METRES_PER_MILE
        found.choices[name,] = [
            row if mile <= reach_mi else [(np.nan,)] for row, mile in zip(rows, least, strict=True)
        ]
        del found.known[name]


def _zone_and_name(parcels, far, layers, found):
    """Zone of the nearest point of the parcel's state, of any where it has none; distance from a place."""
    points, place = layers.zone_point, layers.place
    if points.empty:
        found.known["zone_id"] = np.nan
    else:
        metres = far.from_points(points)
        own = points["state_id"].to_numpy()[None, :] == parcels["state_id"].to_numpy()[:, None]
        metres[own.any(axis=1)[:, None] & ~own] = np.inf
        _, found.choices["zone_id",] = _nearest(points, metres, SAME_POINT_M, ["zone_id"])
    if place.empty:
        found.known["parcel_name"] = np.nan
        return
    metres = far.from_points(place)
    columns = ["place_name", "state_id", "lon", "lat"]
    miles, rows = _nearest(place, metres, SAME_POINT_M, columns)
    found.choices["parcel_name",] = [
        [(name,) for row in places for name in _names(*row, mile, lon, lat)]
        for places, mile, lon, lat in zip(rows, miles, far.lon, far.lat, strict=True)
    ]


def _names(place, state, place_lon, place_lat, mile, lon, lat):
    """Names of a parcel that are right: on the border of two winds either is."""
    full = f"{place}, {state}"
    if mile < 1:
        return [full]
    away = GEOD.inv(place_lon, place_lat, lon, lat)[0]
    winds = {WINDS[round((away + off) / 45) % 8] for off in (-2.0, 0.0, 2.0)}
    return [f"{mile:.0f} mi {wind} of {full}" for wind in sorted(winds)]
