import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from data import store
from data.metrics import METRICS
from geo.divide import h3_parcels
from geo.measure import measure, prepare
from tests.oracle import feeding as plain
from tests.oracle import geodesic as oracle
from tests.oracle.geodesic import GEOD, METRES_PER_MILE
from tests.oracle.lots import assessor_parcels
from tests.oracle.worlds import HEADROOM, TIE_LINES, layers

HERE = (-98.0, 39.0)
COUNTY = gpd.GeoDataFrame(
    {"county_id": ["20001"], "state_id": ["KS"]},
    geometry=[shapely.box(-98.2, 38.9, -97.8, 39.1)],
    crs="OGC:CRS84",
)
LOT = shapely.box(-98.02, 38.99, -97.98, 39.01)


def at(bearing, miles, start=HERE):
    lon, lat, _ = GEOD.fwd(*start, bearing, miles * METRES_PER_MILE)
    return {"lon": lon, "lat": lat}


def one_lot(shape=LOT, acres=np.nan):
    frame = gpd.GeoDataFrame(
        {"parcel_id": ["lot"], "acres": [acres]}, geometry=[shape], crs="OGC:CRS84"
    )
    return assessor_parcels(frame, COUNTY).parcels


def one_cell(lakes=()):
    water = gpd.GeoDataFrame(geometry=list(lakes), crs="OGC:CRS84")
    cells = h3_parcels(COUNTY, water, resolution=6, min_land_share=0.5).parcels
    return cells[cells.geometry.contains(shapely.Point(HERE))].reset_index(drop=True)


CELL = one_cell()


def measured(parcels, headroom=None, shared=None, **rows):
    headroom = pd.DataFrame(columns=HEADROOM) if headroom is None else headroom
    return measure(parcels, prepare(layers(**rows), headroom, TIE_LINES, shared=shared)).iloc[0]


def miles_of(parcel, point):
    _, _, metres = GEOD.inv(parcel["lon"], parcel["lat"], point["lon"], point["lat"])
    return metres / METRES_PER_MILE


def substation(name, kv, place):
    return {"substation_id": name, "kv_max": kv, **place}


def test_without_any_layer_nothing_is_known_but_the_land():
    both = pd.concat([CELL, one_lot()], ignore_index=True)
    found = measure(both, prepare(layers(), pd.DataFrame(columns=HEADROOM), TIE_LINES))
    known = {name for name in METRICS if found[name].notna().any()}
    shape = {"compactness", "minimum_width_m", "inscribed_diameter_m"}
    assert known == {"area_acres", "lake_share", "acres"} | shape
    assert found["acres"].isna().tolist() == [True, False]
    assert set(METRICS) <= set(found.columns)
    for name in ("zone_id", "parcel_name", "region_metro_id", "substation_69kv_id"):
        assert found[name].isna().all(), name
    with store.create() as con:
        con.execute("create schema core")
        con.execute(con.extract_statements(store.sql_text("core/parcel_metric"))[0])
        stored = con.table("core.parcel_metric").columns
    assert set(stored) - {"known_share"} <= set(found.columns)


def test_cells_are_measured_from_their_point_and_lots_from_their_edge():
    place = at(70.0, 12.0)
    rows = {"substation": [substation("s", 345.0, place)]}
    cell, lot = measured(CELL, **rows), measured(one_lot(), **rows)
    assert (cell["distance_basis"], lot["distance_basis"]) == ("centroid", "edge")
    assert cell["substation_345kv_mi"] == pytest.approx(miles_of(CELL.iloc[0], place), abs=1e-6)
    edge = oracle.edge_to_point_m(LOT, place["lon"], place["lat"]) / METRES_PER_MILE
    assert lot["substation_345kv_mi"] == pytest.approx(edge, abs=2e-4)
    assert edge < 11.2
    inside = measured(one_lot(), substation=[substation("s", 345.0, at(0, 0.1))])
    assert inside["substation_345kv_mi"] == 0


def test_a_substation_counts_for_every_class_up_to_its_own():
    rows = [
        substation("near-69", 69.0, at(0, 2)),
        substation("mid-161", 161.0, at(90, 4)),
        substation("far-500", 500.0, at(180, 9)),
        substation("unknown", np.nan, at(270, 0.5)),
    ]
    found = measured(CELL, substation=rows)
    assert [found[f"substation_{kv}kv_id"] for kv in (69, 138, 230, 345)] == [
        "near-69", "mid-161", "far-500", "far-500",
    ]  # fmt: skip
    assert [found[f"substation_{kv}kv_kv"] for kv in (69, 138, 230)] == [69, 161, 500]


def test_a_record_that_starts_at_230_kv_says_nothing_of_lower_ones():
    rows = [substation("a", 230.0, at(0, 2)), substation("b", 345.0, at(90, 4))]
    found = measured(CELL, substation=rows)
    for kv in (69, 138):
        assert found[[f"substation_{kv}kv_{what}" for what in ("mi", "id", "kv")]].isna().all()
    assert (found["substation_230kv_id"], found["substation_345kv_id"]) == ("a", "b")
    found = measured(CELL, substation=rows[:1])
    assert pd.isna(found["substation_345kv_mi"])
    assert pd.isna(found["substation_345kv_id"])


def test_lines_are_ac_and_certainly_of_the_class():
    def line(name, miles, kv_min, *, is_dc=False, kv_max=None):
        ends = [at(0, miles, start=(lon, 39.0)) for lon in (-98.1, -97.9)]
        shape = shapely.LineString([(e["lon"], e["lat"]) for e in ends])
        return {
            "line_id": name,
            "kv_min": kv_min,
            "kv_max": kv_max,
            "is_dc": is_dc,
            "geometry": shape,
        }

    rows = [
        line("dc", 1, 500.0, is_dc=True),
        line("class-100-161", 2, 100.0, kv_max=161.0),
        line("unknown", 3, np.nan),
        line("class-220-287", 4, 220.0, kv_max=287.0),
        line("500", 5, 500.0, is_dc=None),
    ]
    found = measured(CELL, line=rows)
    assert found["line_230kv_id"] == "class-220-287"
    assert (found["line_230kv_kv_min"], found["line_230kv_kv_max"]) == (220, 287)
    parcel = CELL.iloc[0]
    metres = oracle.point_to_line_m(parcel["lon"], parcel["lat"], rows[3]["geometry"])
    assert found["line_230kv_mi"] == pytest.approx(metres / METRES_PER_MILE, abs=1e-4)
    assert pd.isna(measured(CELL, line=rows[:3])["line_230kv_mi"])
    # A lot that the line crosses is at it.
    assert measured(one_lot(LOT.buffer(0.1)), line=rows)["line_230kv_mi"] == 0


def test_generation_is_summed_by_kind_within_each_radius_of_the_point():
    start = (CELL["lon"][0], CELL["lat"][0])

    def plant(miles, kind, mw):
        return {"capacity_mw": mw, "fuel_kind": kind, **at(33, miles, start)}

    rows = [
        plant(9.999, "firm", 100.25), plant(10.001, "firm", 10.0), plant(24, "variable", 7.5),
        plant(49.99, "firm", 1.0), plant(50.01, "firm", 5000.0), plant(1, "storage", 40.0),
        plant(1, None, 60.0), plant(1, "firm", np.nan),
    ]  # fmt: skip
    for parcels in (CELL, one_lot(LOT).assign(lon=start[0], lat=start[1])):
        found = measured(parcels, plant=rows)
        firm = [found[f"firm_generation_{r}mi_mw"] for r in (10, 25, 50)]
        variable = [found[f"variable_generation_{r}mi_mw"] for r in (10, 25, 50)]
        assert firm == [100.25, 110.25, 111.25]
        assert variable == [0, 7.5, 7.5]


def test_metros_and_people_are_measured_from_the_point_whatever_the_kind():
    lot = one_lot(shapely.box(-98.1, 38.95, -97.9, 39.05))
    start = (lot["lon"][0], lot["lat"][0])
    rows = {
        "metro": [
            {"metro_id": "1", "metro_name": "Town", "metro_people": 300_000, "is_major": False, **at(0, 20, start)},
            {"metro_id": "2", "metro_name": "City", "metro_people": 2_000_000, "is_major": True, **at(90, 100.01, start)},
        ],
        "people": [
            {"people": 10.4, **at(5, 4.99, start)}, {"people": 100.4, **at(5, 5.01, start)},
            {"people": 1000.0, **at(5, 99.99, start)}, {"people": 1e4, **at(5, 100.01, start)},
        ],
    }  # fmt: skip
    for parcels in (lot, lot.assign(parcel_kind="h3_cell")):
        found = measured(parcels, **rows)
        assert (found["metro_id"], found["metro_name"], found["metro_people"]) == (
            "1",
            "Town",
            300_000,
        )
        assert found["metro_mi"] == pytest.approx(20, abs=1e-6)
        assert (found["major_metro_id"], found["major_metro_people"]) == ("2", 2_000_000)
        assert found["major_metro_mi"] == pytest.approx(100.01, abs=1e-6)
        # Its edge is within 100 miles, its point is not.
        assert not found["is_within_100mi_of_major_metro"]
        people = [found[f"population_{r}mi"] for r in (5, 25, 50, 100)]
        assert people == [10, 111, 111, 1111]
    rows["metro"][1] |= at(90, 99.99, start)
    assert measured(lot, **rows)["is_within_100mi_of_major_metro"]


def test_a_metro_region_is_its_counties_or_the_land_around_its_centre():
    metro = [
        {"metro_id": "m", "metro_name": "M", "metro_people": 9, "is_major": False, **at(0, 60)}
    ]
    assert pd.isna(measured(CELL, metro=metro)["region_metro_id"])
    metro[0] |= at(0, 45)
    assert measured(CELL, metro=metro)["region_metro_id"] == "m"
    found = measured(CELL, metro=metro, metro_county=[{"metro_id": "x", "county_id": "20001"}])
    assert found["region_metro_id"] == "x"
    found = measured(CELL, metro=metro, metro_county=[{"metro_id": "x", "county_id": "20003"}])
    assert pd.isna(found["region_metro_id"])
    # No metro of a million is known: nobody can say how far it is.
    assert pd.isna(found["is_within_100mi_of_major_metro"])


def test_only_carriers_are_counted_and_each_once():
    def pop(name, carrier, miles, kind="carrier"):
        return {"pop_id": name, "carrier_id": carrier, "carrier_name": carrier.upper(),
                "carrier_kind": kind, **at(200, miles, (CELL["lon"][0], CELL["lat"][0]))}  # fmt: skip

    rows = [pop("1", "a", 24.99), pop("2", "a", 3), pop("3", "b", 20), pop("4", "c", 25.01),
            pop("5", "edu", 1, "research"), pop("6", "old", 1, "historical")]  # fmt: skip
    exchange = [{"ixp_id": "x", "ixp_name": "X", "is_inferred": True, **at(10, 30)}]
    found = measured(CELL, pop=rows, ixp=exchange)
    assert (found["pop_id"], found["pop_carrier"], found["carrier_25mi_count"]) == ("2", "A", 2)
    assert found["pop_mi"] == pytest.approx(3, abs=1e-6)
    assert (found["ixp_id"], found["ixp_name"], found["ixp_is_inferred"]) == ("x", "X", True)
    # A layer without a carrier near counts none; one without carriers knows nothing.
    assert measured(CELL, pop=rows[3:4])["carrier_25mi_count"] == 0
    assert pd.isna(measured(CELL, pop=rows[4:])["carrier_25mi_count"])


def test_data_centers_are_counted_as_far_as_25_miles_and_unknown_without_any():
    start = (CELL["lon"][0], CELL["lat"][0])
    places = [at(10, 3, start), at(10, 24.999, start), at(200, 25.001, start)]
    found = measured(CELL, data_center=places)
    assert (found["data_center_mi"], found["data_center_25mi_count"]) == (pytest.approx(3), 2)
    # Where others are known there are none here; where none is known nothing is.
    far = measured(CELL, data_center=[at(0, 60)])
    assert (far["data_center_25mi_count"], far["data_center_mi"] > 25) == (0, True)
    assert measured(CELL)[["data_center_mi", "data_center_25mi_count"]].isna().all()


def test_the_finest_figure_that_is_known_counts():
    state = {"state_id": "KS", "industrial_usd_per_mwh": 70.0, "heating_degree_days_65f": 5000.0,
             "cooling_degree_days_65f": 1500.0, "generation_queue_mw": 9000.0}  # fmt: skip
    county = {"county_id": "20001", "population_people": 200, "industrial_usd_per_mwh": 61.0,
              "fiber_coverage_share": 0.4, "hazard_usd": 5000.0}  # fmt: skip
    found = measured(CELL, state=[state])
    assert found["industrial_usd_per_mwh"] == 70
    assert found["cooling_degree_days_65f"] == 1500
    assert pd.isna(found["hazard_usd_per_person"])
    point = {"heating_degree_days_65f": 5100.0, "cooling_degree_days_65f": 1400.0, **at(0, 30)}
    found = measured(CELL, state=[state], county_fact=[county], climate_point=[point])
    assert found["industrial_usd_per_mwh"] == 61
    assert found["cooling_degree_days_65f"] == 1400
    assert (found["hazard_usd_per_person"], found["fiber_coverage_share"]) == (25, 0.4)
    blank = county | {"industrial_usd_per_mwh": np.nan, "population_people": 0}
    found = measured(CELL, state=[state], county_fact=[blank])
    assert found["industrial_usd_per_mwh"] == 70
    assert pd.isna(found["hazard_usd_per_person"])


def test_land_values_reach_as_far_as_their_cell():
    start = (CELL["lon"][0], CELL["lat"][0])
    value = {"land_value_usd_per_acre": 4000.0, "cell_km": 11.5}
    half_diagonal_mi = 11.5 / np.sqrt(2) / 1.609344
    near, far = at(45, half_diagonal_mi - 0.01, start), at(45, half_diagonal_mi + 0.01, start)
    assert measured(CELL, land_value=[value | near])["land_value_usd_per_acre"] == 4000
    assert pd.isna(measured(CELL, land_value=[value | far])["land_value_usd_per_acre"])


def test_a_parcel_is_named_after_the_nearest_place():
    def named(bearing, miles):
        place = {"place_name": "Salina", "state_id": "KS"}
        start = (CELL["lon"][0], CELL["lat"][0])
        return measured(CELL, place=[place | at(bearing, miles, start)])["parcel_name"]

    assert named(0, 0.5) == "Salina, KS"
    # The parcel lies on the other side of the place.
    winds = {0: "S", 45: "SW", 90: "W", 135: "NW", 180: "N", 225: "NE", 270: "E", 315: "SE"}
    assert {b: named(b, 12.2) for b in winds} == {
        b: f"12 mi {w} of Salina, KS" for b, w in winds.items()
    }


def test_the_zone_is_that_of_the_nearest_point_of_its_state():
    points = [
        {"zone_id": "other-side", "state_id": "NE", **at(0, 1)},
        {"zone_id": "near", "state_id": "KS", **at(0, 40)},
        {"zone_id": "far", "state_id": "KS", **at(0, 80)},
    ]
    assert measured(CELL, zone_point=points)["zone_id"] == "near"
    assert measured(CELL, zone_point=points[:1])["zone_id"] == "other-side"


def test_developable_land_and_parks_are_shares_of_the_parcel():
    start = (CELL["lon"][0], CELL["lat"][0])
    whole = CELL["area_acres"][0]
    grid = [
        {"state_id": "KS", "cell_km": 4.0, "developable_share": 0.5, "lon": start[0] + x, "lat": start[1] + y}
        for x in np.arange(-0.3, 0.31, 0.04) for y in np.arange(-0.3, 0.31, 0.03)
    ]  # fmt: skip
    found = measured(CELL, developable=grid)
    assert found["developable_share"] == pytest.approx(0.5)
    assert found["acres"] == pytest.approx(0.5 * whole)
    # A cell that is missing within a covered state has no developable land; no layer says nothing.
    away = [row | {"lon": row["lon"] + 3} for row in grid]
    assert measured(CELL, developable=away)["developable_share"] == 0
    elsewhere = [row | {"state_id": "NE", "lon": row["lon"] + 3} for row in grid]
    assert pd.isna(measured(CELL, developable=elsewhere)["developable_share"])
    west = {"park_id": "p", "geometry": shapely.box(-99, 38, start[0], 40)}
    overlapping = west | {"park_id": "q"}
    found = measured(CELL, park=[west, overlapping])
    assert found["park_share"] == pytest.approx(0.5, abs=0.02)
    assert measured(CELL, park=[west | {"geometry": shapely.box(0, 0, 1, 1)}])["park_share"] == 0


def test_acres_of_a_lot_are_the_assessors_or_measured():
    assert measured(one_lot(acres=123.0))["acres"] == 123
    lot = one_lot()
    assert measured(lot)["acres"] == pytest.approx(lot["area_acres"][0])
    assert pd.isna(measured(CELL)["acres"])


def test_lakes_are_known_from_the_division():
    bounds = CELL.total_bounds
    wet = one_cell([shapely.box(-99, 38, -97, bounds[1] + (bounds[3] - bounds[1]) / 8)])
    assert 0 < wet["lake_share"][0] < 0.2
    assert measured(wet)["lake_share"] == wet["lake_share"][0]


FEEDS = [
    substation("weak", 138.0, at(0, 1)), substation("strong", 345.0, at(90, 8)), substation("other", 230.0, at(200, 14)),
    substation("far", 345.0, at(90, 21.5)), substation("dark", 345.0, at(180, 0.5)), substation("mute", np.nan, at(180, 0.5)),
]  # fmt: skip
FEED_MW = pd.DataFrame(
    [
        ("far", 1e3, 1e4, 1e5), ("dark", *[np.nan] * 3), ("other", 60, 300, 450), ("mute", 1e3, 1e4, 1e5),
        ("weak", 1, 30, 90), ("strong", 100, 1400, 1900),
    ],
    columns=HEADROOM,
)  # fmt: skip


def test_a_parcel_is_fed_where_a_megawatt_costs_least():
    for parcels in (CELL, one_lot()):
        found = measured(parcels, FEED_MW, substation=FEEDS)
        assert (found["headroom_substation_id"], found["headroom_substation_kv"]) == ("strong", 345)
        ends = [found[f"headroom_mw_{end}"] for end in ("low", "mid", "high")]
        assert ends == [100, 1400, 1900]
        assert found["deliverable_mw"] == 1000
        assert found["second_feed_substation_id"] == "other"
        assert found["second_feed_mw"] == 300
    found = measured(CELL, FEED_MW, substation=FEEDS)
    miles = miles_of(CELL.iloc[0], FEEDS[1])
    assert found["headroom_substation_mi"] == pytest.approx(miles, abs=1e-6)
    assert found["tie_line_mi"] == pytest.approx(1.3 * miles, abs=1e-6)
    assert found["tie_line_musd"] == pytest.approx(plain.tie_line_musd(345, miles, 1000), abs=1e-5)
    second_mi = miles_of(CELL.iloc[0], FEEDS[2])
    assert found["second_feed_mi"] == pytest.approx(second_mi, abs=1e-6)
    second_musd = plain.tie_line_musd(230, second_mi, 300)
    assert found["second_feed_musd"] == pytest.approx(second_musd, abs=1e-5)
    edge = oracle.edge_to_point_m(LOT, FEEDS[1]["lon"], FEEDS[1]["lat"]) / METRES_PER_MILE
    found = measured(one_lot(), FEED_MW, substation=FEEDS)
    assert found["headroom_substation_mi"] == pytest.approx(edge, abs=2e-4)


def test_what_no_substation_within_reach_has_is_unknown_and_none_is_0():
    names = [name for name in METRICS if name.startswith(("headroom", "deliver", "tie", "second"))]
    for number in (3, 4, 5):
        found = measured(CELL, FEED_MW, substation=FEEDS[number : number + 1])
        assert found[names].isna().all()
    alone = measured(CELL, FEED_MW, substation=FEEDS[:1])
    assert alone["deliverable_mw"] == 30
    assert alone.filter(like="second_feed").isna().all()
    none_left = FEED_MW.assign(**dict.fromkeys(HEADROOM[1:], 0.0))
    found = measured(CELL, none_left, substation=FEEDS[:3])
    assert (found["headroom_substation_id"], found["second_feed_substation_id"]) == (
        "weak",
        "strong",
    )
    assert (found["headroom_mw_mid"], found["deliverable_mw"], found["second_feed_mw"]) == (0, 0, 0)
    # The line that would bring nothing still has its price.
    assert found["tie_line_musd"] > 7.8


def test_a_parcel_connects_at_the_voltage_that_the_headroom_names():
    frame = FEED_MW.assign(connect_kv=[np.nan, np.nan, 138.0, 115.0, 69.0, np.nan])
    found = measured(CELL, frame, substation=FEEDS)
    assert (found["headroom_substation_id"], found["tie_line_kv"]) == ("mute", 115)
    assert pd.isna(found["headroom_substation_kv"])
    # Of the others the one at 345 kV is named no voltage: its own counts.
    assert found["second_feed_substation_id"] == "strong"
    assert measured(CELL, frame, substation=FEEDS[1:2])["tie_line_kv"] == 345
    assert measured(CELL, frame, substation=FEEDS[2:3])["tie_line_kv"] == 138


def test_what_else_is_known_of_the_feeding_substation_is_taken_over():
    more = {
        "headroom_n0_mw": "headroom_n0_mw", "flexible_025_mw_mid": "flexible_025_mw",
        "flexible_100_mw_mid": "flexible_100_mw", "reserve_zone_mw": "reserve_zone_mw",
        "reserve_interconnection_mw": "reserve_interconnection_mw",
    }  # fmt: skip
    values = {name: np.arange(6) * 10.0 + number for number, name in enumerate(more)}
    found = measured(CELL, FEED_MW.assign(**values), substation=FEEDS)
    assert found[list(more.values())].tolist() == [50, 51, 52, 53, 54]
    assert measured(CELL, FEED_MW, substation=FEEDS)[list(more.values())].isna().all()


class Shared:
    """Substations by rows of the headroom: what one of a group delivers the others have no more."""

    def __init__(self, *groups):
        self.groups, self.asked = groups, []

    def added_mw(self, first_no, second_no, first_mw):
        self.asked += zip(first_no.tolist(), second_no.tolist(), first_mw.tolist(), strict=True)
        own = FEED_MW["headroom_mw_mid"].to_numpy()[second_no]
        same = [
            any({a, b} <= group for group in self.groups)
            for a, b in zip(first_no, second_no, strict=True)
        ]
        return np.where(same, np.maximum(own - first_mw, 0.0), own)  # fmt: skip


def test_a_second_feed_adds_only_what_is_not_shared():
    other, weak, strong = 2, 4, 5
    shared = Shared()
    alone = measured(CELL, FEED_MW, shared, substation=FEEDS)
    assert alone.equals(measured(CELL, FEED_MW, substation=FEEDS))
    assert shared.asked == [(strong, other, 1000.0), (strong, weak, 1000.0)]
    # The next that leans on other lines takes its place, dearer as it is.
    found = measured(CELL, FEED_MW, Shared({strong, other}), substation=FEEDS)
    assert (found["second_feed_substation_id"], found["second_feed_mw"]) == ("weak", 30)
    assert found["headroom_substation_id"] == "strong"
    found = measured(CELL, FEED_MW, Shared({strong, other, weak}), substation=FEEDS)
    assert (found["second_feed_substation_id"], found["second_feed_mw"]) == ("other", 0)
    one_circuit = plain.tie_line_musd(230, miles_of(CELL.iloc[0], FEEDS[2]), 0)
    assert found["second_feed_musd"] == pytest.approx(one_circuit, abs=1e-5)
    for parcels, rows in ((CELL, FEEDS[1:2]), (CELL, FEEDS[3:]), (one_lot(), [])):
        found = measured(parcels, FEED_MW, Shared({strong, other}), substation=rows)
        assert found.filter(like="second_feed").isna().all()


def test_many_parcels_come_out_as_they_went_in():
    cells = h3_parcels(COUNTY, gpd.GeoDataFrame(geometry=[], crs="OGC:CRS84"), resolution=7,
                       min_land_share=0.3).parcels  # fmt: skip
    mixed = pd.concat([cells, one_lot()], ignore_index=True).sample(frac=1, random_state=1)
    rng = np.random.default_rng(3)
    rows = [
        substation(f"s{n}", kv, {"lon": lon, "lat": lat})
        for n, (kv, lon, lat) in enumerate(
            zip(rng.choice([69.0, 138.0, 230.0, 345.0], 60), rng.uniform(-98.5, -97.5, 60),
                rng.uniform(38.7, 39.3, 60), strict=True)
        )
    ]  # fmt: skip
    found = measure(
        mixed, prepare(layers(substation=rows), pd.DataFrame(columns=HEADROOM), TIE_LINES)
    )
    assert found.index.tolist() == mixed.index.tolist()
    assert found["parcel_id"].tolist() == mixed["parcel_id"].tolist()
    is_cell = (mixed["parcel_kind"] == "h3_cell").to_numpy()
    big = [row for row in rows if row["kv_max"] >= 230]
    expected = oracle.all_pairs_m(
        mixed["lon"].to_numpy(), mixed["lat"].to_numpy(), [r["lon"] for r in big], [r["lat"] for r in big]
    ).min(axis=1) / METRES_PER_MILE  # fmt: skip
    np.testing.assert_allclose(found["substation_230kv_mi"][is_cell], expected[is_cell], atol=1e-6)
    assert (found["substation_230kv_mi"][~is_cell] <= expected[~is_cell]).all()
