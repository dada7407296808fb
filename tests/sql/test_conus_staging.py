"""The traps of the mirror's files, each as a few made rows through the same staging SQL."""

import math

import pytest
import shapely

from tests.sql.staged import box, codes, line, point, staged, values

AUSTIN = (-97.74, 30.27)
HONOLULU = (-157.86, 21.31)


def hifld_lines(*rows):
    return [{"VOLT_CLASS": kv, "geometry": shape} for kv, shape in rows]


def test_line_classes_become_intervals_and_what_is_not_known_stays_null():
    course = line((-97, 30), (-97.5, 30.5))
    classes = [
        "UNDER 100", "SUB 100", "100-161", "220-287", "345", "500", "735 AND ABOVE", "DC",
        "NOT AVAILABLE", None,
    ]  # fmt: skip
    con = staged({"hifld_line": hifld_lines(*[(kv, course) for kv in classes])}, "hifld_line")
    assert set(codes(con, "hifld_line").values()) == {""}
    found = list(
        zip(*(values(con, "hifld_line", c) for c in ("kv_min", "kv_max", "is_dc")), strict=True)
    )
    assert found == [
        (None, 100, False), (None, 100, False), (100, 161, False), (220, 287, False),
        (345, 345, False), (500, 500, False), (735, None, False), (None, None, True),
        (None, None, False), (None, None, False),
    ]  # fmt: skip


def test_lines_outside_the_states_of_no_length_or_written_twice_are_rejected():
    course = line((-97, 30), (-97.5, 30.5))
    rows = hifld_lines(
        ("345", course),
        ("345", course),
        ("500", course),
        ("345", line((-150, 61), (-149, 62))),
        ("345", line((-66.5, 18.1), (-66.4, 18.2))),
        ("345", line((-97, 30), (-97, 30))),
        ("1000", course),
    )
    con = staged({"hifld_line": rows}, "hifld_line")
    assert list(codes(con, "hifld_line").values()) == [
        "", "duplicate", "", "outside_area", "outside_area", "invalid", "invalid",
    ]  # fmt: skip


def hifld_substations(*rows):
    return [
        {"objectid": n, "lon_station": lon, "lat_station": lat, "voltage": kv}
        for n, (kv, lon, lat) in enumerate(rows, 1)
    ]


def california(*rows):
    return [
        {"Name": name, "Max_Voltag": kv, "Status": status, "geometry": point(lon, lat)}
        for name, kv, status, lon, lat in rows
    ]


def test_odd_voltages_are_kept_as_they_are():
    con = staged(
        {
            "hifld_substation": hifld_substations((236, -97, 30), (245, -98, 30), (250, -99, 30)),
            "ca_substation": california(("far", 60, "Operational", -120, 38)),
        },
        "hifld_substation",
    )
    assert values(con, "hifld_substation", "kv_max") == [236, 245, 250]


def test_california_counts_from_60_kv_in_service_and_not_twice():
    rows = california(
        ("Here", 230, "Operational", -120.001, 38),  # 300 ft from the HIFLD one
        ("Other level", 500, "Operational", -120.001, 38),
        ("New", 230, "IN SERVICE", -121, 38),
        ("New again", 230, "IN SERVICE", -121.0005, 38),
        ("Unasked", 230, "NOT AVAILABLE", -122, 38),
        ("Blank", 230, "", -123, 38),
        ("Planned", 500, "Proposed", -119, 36),
        ("Gone", 230, "Closed", -118, 36),
        ("Edison", 220, "Operational", -118, 35),
        ("Town", 60, "Low kV", -118, 35.5),
        ("Edison here", 220, "Operational", -120.001, 38),
        ("Street", 12, "Low kV", -118, 35.7),
        ("Silent", 0, "Operational", -117, 35),
    )
    tables = {"hifld_substation": hifld_substations((230, -120, 38)), "ca_substation": rows}
    con = staged(tables, "hifld_substation", "ca_substation")
    assert list(codes(con, "ca_substation").values()) == [
        "merged", "", "", "duplicate", "", "", "not_in_service", "not_in_service", "",
        "", "merged", "not_used", "invalid",
    ]  # fmt: skip
    assert values(con, "hifld_substation", "substation_name") == ["Here"]


def wri(code, *, mw="10.0", lat="30.27", lon="-97.74", fuel="Gas"):
    return {
        "gppd_idnr": code, "name": code, "capacity_mw": mw, "latitude": lat, "longitude": lon,
        "primary_fuel": fuel,
    }  # fmt: skip


def eia(code, *, lat="30.27", lon="-97.74", kv=("138", " ", " ")):
    return {
        "Plant Code": code, "Plant Name": code, "Latitude": lat, "Longitude": lon,
        "Balancing Authority Code": "ERCO", "Grid Voltage (kV)": kv[0],
        "Grid Voltage 2 (kV)": kv[1], "Grid Voltage 3 (kV)": kv[2],
    }  # fmt: skip


def plants(wri_rows, eia_rows):
    tables = {"wri_plant": wri_rows, "eia860_plant": eia_rows}
    return staged(tables, "wri_plant", "eia860_plant")


def test_an_impossible_latitude_is_mended_from_eia_or_rejected():
    con = plants(
        [wri("USA0000001", lat="425.25"), wri("WRI0000002", lat="425.25")],
        [eia("1", lat="42.52", lon="-75.28")],
    )
    assert codes(con, "wri_plant") == {1: "", 2: "invalid"}
    assert values(con, "wri_plant", "lat") == [42.52]


def test_zero_capacity_is_unknown_and_a_plant_that_eia_lost_is_out_of_service():
    con = plants([wri("USA0000001", mw="0.0"), wri("USA0000009")], [eia("1")])
    assert values(con, "wri_plant", "capacity_mw") == [None]
    assert codes(con, "wri_plant") == {1: "", 2: "not_in_service"}


def test_eia_plants_join_on_code_and_blanks_are_no_numbers():
    con = plants(
        [wri("USA0000001")],
        [
            eia("1", kv=("138", "345", " ")),
            eia("2", kv=(" ", " ", " ")),
            eia("3", lat=" ", lon=" "),
            eia("4", lat="61.2", lon="-149.9"),
            eia("5", kv=("690", " ", " ")),
        ],
    )
    assert list(codes(con, "eia860_plant").values()) == [
        "merged",
        "",
        "invalid",
        "outside_area",
        "",
    ]
    assert values(con, "wri_plant", "grid_kv") == [345]
    assert values(con, "wri_plant", "balancing_authority") == ["ERCO"]
    assert values(con, "eia860_plant", "capacity_mw") == [None, None]
    assert values(con, "eia860_plant", "grid_kv") == [None, None]


def tract(code, people, lon=-97.0, lat=30.0):
    return (
        {"tract": f"tract_{code}", "pop": str(people)},
        {"tract": f"tract_{code}", "lon": str(lon), "lat": str(lat)},
    )


def population(tracts, counties):
    people, centroid = zip(*tracts, strict=True)
    return {
        "tract_people": list(people),
        "tract_centroid": [row for row in centroid if row["lon"] != "None"],
        "county_acs": [
            {"fips": fips, "population": str(count), "median_hh_income": income}
            for fips, count, income in counties
        ],
    }


def test_tracts_are_scaled_to_acs_and_the_states_keep_their_people():
    tables = population(
        [
            tract("48453000100", 100),
            tract("48453000200", 300),
            tract("46113940500", 50),  # Shannon County, renamed
            tract("51515050100", 60),  # Bedford city, part of the county now
            tract("51019030100", 40),
            tract("09001010100", 200),  # Connecticut: ACS has planning regions
            tract("09003010100", 300),
            tract("12086990000", 0, None, None),
            tract("15003000100", 900, None, None),
        ],
        [
            ("48453", 800, "1"),
            ("46102", 55, "1"),
            ("51019", 250, "1"),
            ("09110", 400, "1"),
            ("09190", 200, "1"),
            ("15003", 900, "1"),
        ],
    )
    con = staged(tables, "tract_people")
    assert list(codes(con, "tract_people", "tract_people").values()) == [
        "", "", "", "", "", "", "", "not_used", "outside_area",
    ]  # fmt: skip
    assert values(con, "tract_people", "people") == pytest.approx(
        [200, 600, 55, 150, 100, 240, 360]
    )
    assert values(con, "tract_people", "county_id")[2:4] == ["46102", "51019"]
    assert set(values(con, "tract_people", "method")) == {
        "tract_scaled_to_county", "tract_scaled_to_state",
    }  # fmt: skip
    assert set(codes(con, "tract_people", "tract_centroid").values()) == {"merged"}


HAZARDS = (
    "cold_wave", "drought", "earthquake", "hail", "heat_wave", "hurricane", "ice_storm",
    "landslide", "lightning", "riverine_flooding", "strong_wind", "tornado", "wildfire",
    "winter_weather",
)  # fmt: skip


def county_row(fips, state, price, **hazards):
    risks = {f"{hazard}_risk_index_value": hazards.get(hazard) for hazard in HAZARDS}
    return {
        "county_fips": fips, "state": state, "county": fips, "industrial_price": price,
        "fiber_100_20_coverage": "0.5", "num_datacenters": "99", **risks,
    }  # fmt: skip


def county_facts():
    """Texas has retail choice; Alabama (58.7 $/MWh in 2020) and Georgia (57.7) do not."""
    ids = ["01001", "01003", "01005", "13001", "48453", "09001"]
    tables = population(
        [tract(f"{fips}000100", 100) for fips in ids],
        [
            *((fips, 1 if fips == "01003" else 100, "50000") for fips in ids[:5]),
            ("09110", 150, "-666666666"),
            ("72001", 9, "1"),
        ],
    )
    tables["county_2018"] = [
        {"GEOID": fips, "STATEFP": fips[:2], "NAME": fips, "LSAD": "06", "ALAND": "2589988.110336",
         "geometry": box(-97, 30, -96, 31)}
        for fips in [*ids, "02020"]
    ]  # fmt: skip
    tables["county_fact"] = [
        county_row("01001", "Alabama", "0.0704", drought="5", hail="7.5"),
        county_row("01003", "Alabama", "0.0", tornado="0"),
        county_row("01005", "Alabama", None),
        county_row("13001", "Georgia", "0.0694"),
        county_row("48453", "Texas", "0.009"),
        county_row("<NA>", "Georgia", "0.07"),
        county_row("78010", "Virgin Islands", None),
    ]
    tables["reeds_queue"] = [
        {"r": "p01001", "tg": tech, "2025": str(mw / 2), "2029": str(mw)}
        for tech, mw in (("pv", 30.0), ("gas", 12.5))
    ]
    return tables


def test_county_prices_are_in_dollars_a_mwh_and_implausible_ones_take_the_states():
    con = staged(county_facts(), "county_2018", "tract_people", "county_fact")
    rows = con.sql(
        "select county_id, industrial_usd_per_mwh from staging.county_fact where reject_code is null"
    ).fetchall()
    price = dict(rows)
    assert price["01001"] == pytest.approx(70.4)
    assert price["13001"] == pytest.approx(69.4)
    # The change of the believed states since 2020: both 1.2, but for Alabama's zero.
    alabama = 70.4 * 100 / 101 / 58.7
    moved = (alabama + 69.4 / 57.7) / 2
    assert price["01003"] == pytest.approx(58.7 * moved)
    assert price["01005"] == pytest.approx(58.7 * moved)
    assert price["48453"] == pytest.approx(51.1 * moved)
    assert price["09001"] > price["48453"]


def test_county_hazards_sum_what_is_known_and_blank_is_not_zero():
    con = staged(county_facts(), "county_2018", "tract_people", "county_fact")
    rows = con.sql(
        "select county_id, hazard_usd, hazard_known_count, generation_queue_mw, population_people, "
        "median_household_usd from staging.county_fact where reject_code is null"
    ).fetchall()
    fact = {row[0]: row[1:] for row in rows}
    assert fact["01001"] == (12.5, 2, 42.5, 100, 50000)
    assert fact["01003"][:3] == (0, 1, None)
    assert fact["01005"][:2] == (None, 0)
    assert fact["09001"][3:] == (150, None)


def test_county_rows_are_accounted_for_and_the_answer_is_never_read():
    con = staged(county_facts(), "county_2018", "tract_people", "county_fact")
    found = codes(con, "county_fact", "county_fact")
    assert list(found.values()) == ["", "", "", "", "", "invalid", "outside_area"]
    merged = ["merged"] * 5
    assert list(codes(con, "county_fact", "county_acs").values()) == [
        *merged, "not_used", "outside_area",
    ]  # fmt: skip
    assert set(codes(con, "county_fact", "reeds_queue").values()) == {"merged"}
    assert "num_datacenters" not in con.table("staging.county_fact").columns


def test_footnotes_and_small_metros_are_no_counties_of_a_metro():
    tables = population(
        [tract("48453000100", 100, -98, 30), tract("48491000100", 300, -97, 31)],
        [("48453", 1_200_000, "1"), ("48491", 400_000, "1")],
    )

    def member(code, kind, state, county, title="Austin, TX"):
        return {
            "CBSA Code": code, "CBSA Title": title, "FIPS State Code": state,
            "Metropolitan/Micropolitan Statistical Area": kind, "FIPS County Code": county,
        }  # fmt: skip

    metro = "Metropolitan Statistical Area"
    tables["cbsa_delineation"] = [
        member("12420", metro, "48", "453"),
        member("12420", metro, "48", "491"),
        member("12430", metro, "48", "001", "Small, TX"),
        member("12440", "Micropolitan Statistical Area", "48", "003", "Tiny, TX"),
        member("46520", metro, "15", "003", "Honolulu, HI"),
        member("Note: The 2010 OMB Standards", None, None, None, None),
        member(None, None, None, None, None),
    ]
    tables |= {name: rows for name, rows in county_facts().items() if name not in tables}
    tables["county_2018"] = [
        {**row, "GEOID": fips, "STATEFP": "48"}
        for row, fips in zip(tables["county_2018"], ("48453", "48491"), strict=False)
    ]
    con = staged(
        tables, "county_2018", "tract_people", "county_fact", "cbsa_metro_county", "cbsa_metro"
    )
    assert list(codes(con, "cbsa_metro_county").values()) == [
        "", "", "not_used", "not_used", "outside_area", "not_data", "not_data",
    ]  # fmt: skip
    row = con.sql(
        "select metro_id, metro_name, metro_people, is_major, lon, lat from staging.cbsa_metro"
    ).fetchall()
    # Weighted by people of today, 1.2M and 0.4M, not by the tracts' own counts.
    assert row == [("12420", "Austin, TX", 1_600_000, True, -97.75, 30.25)]


def node(label, organization, lon, lat, country="US"):
    return {
        "NODE_NAME": label, "ORGANIZATION": organization, "LONGITUDE": str(lon),
        "LATITUDE": str(lat), "CITY": label, "COUNTRY": country, "ASOF_DATE": "2013-08-16",
    }  # fmt: skip


ATLAS_NODES = [
    node("a1", "Longhaul Inc.", -97, 30),
    node("a2", "Longhaul Inc.", -95, 30),
    node("a2", "Longhaul Inc.", -95, 30),
    node("twin", "Longhaul Inc.", -96, 30),
    node("twin", "Longhaul Inc.", -94, 30),
    node("ber", "Longhaul Inc.", 13.4, 52.5, "DE"),
    node("h1", "Hoster", -97, 30),
    node("es", "ESnet", -97, 30),
    node("hi", "Longhaul Inc.", *HONOLULU),
]


def atlas(*links):
    rows = [{"FROM_NODE": a, "TO_NODE": b} for a, b in links]
    return staged({"atlas_node": ATLAS_NODES, "atlas_link": rows}, "atlas_pop", "atlas_link")


def test_points_of_presence_are_unique_and_only_carriers_count():
    con = atlas(("a1", "a2"))
    assert list(codes(con, "atlas_pop").values()) == [
        "", "", "duplicate", "", "", "outside_area", "", "", "outside_area",
    ]  # fmt: skip
    ids = values(con, "atlas_pop", "pop_id")
    assert len(set(ids)) == len(ids)
    kinds = dict(
        zip(
            values(con, "atlas_pop", "pop_id"),
            values(con, "atlas_pop", "carrier_kind"),
            strict=True,
        )
    )
    assert (kinds["a1"], kinds["h1"], kinds["es"]) == ("carrier", "host", "research")


def test_links_name_their_ends_by_labels_that_may_be_missing_foreign_or_ambiguous():
    con = atlas(
        ("a1", "a2"), ("a2", "a1"), ("a1", "a1"), ("a1", None), ("a1", "ghost"), ("a1", "twin"),
        ("a1", "ber"),
    )  # fmt: skip
    assert list(codes(con, "atlas_link").values()) == [
        "", "duplicate", "invalid", "invalid", "invalid", "invalid", "outside_area",
    ]  # fmt: skip
    assert values(con, "atlas_link", "length_km") == pytest.approx([192.6], abs=0.5)


def test_facilities_are_placed_by_coordinates_whatever_the_state_says():
    rows = [
        {"ORGANIZATION": "Equinix", "NODE_NAME": name, "LONGITUDE": str(lon), "LATITUDE": str(lat),
         "STATE": state, "COUNTRY": country}
        for name, lon, lat, state, country in (
            ("full", *AUSTIN, "Texas", "US"),
            ("short", *AUSTIN, "TX", "US"),
            ("blank", *AUSTIN, None, "US"),
            ("island", *HONOLULU, "Hawaii", "US"),
            ("abroad", 13.4, 52.5, "Berlin", "DE"),
            ("nowhere", "", "", None, None),
        )
    ]  # fmt: skip
    con = staged({"peeringdb_facility": rows}, "peeringdb_facility")
    assert list(codes(con, "peeringdb_facility").values()) == [
        "", "", "", "outside_area", "outside_area", "invalid",
    ]  # fmt: skip


def test_an_exchange_building_counts_its_exchanges():
    rows = [
        {"building_id": n, "address": '["1 Main St", "Austin, TX"]', "metro_area": "austin-tx",
         "country": country, "exchanges": exchanges, "geometry": point(*AUSTIN)}
        for n, country, exchanges in (
            (1, "united-states", '[{"slug": "a"}, {"slug": "b"}]'),
            (2, "united-states", "[]"),
            (3, "brazil", '[{"slug": "c"}]'),
        )
    ]  # fmt: skip
    con = staged({"ixp_building": rows}, "ixp_building")
    assert list(codes(con, "ixp_building").values()) == ["", "invalid", "outside_area"]
    assert values(con, "ixp_building", "carrier_count") == [2]
    assert values(con, "ixp_building", "ixp_name") == ["1 Main St, Austin, TX"]


def cell(state, name, km2, lon=-95.0, lat=30.0):
    return {"state": state, "rowf_colf": name, "longitude": lon, "latitude": lat, "km2": km2}


def mesh(state, lon, lat, km2, zone="ERCT"):
    return {"state": state, "Longitude": lon, "Latitude": lat, "km2": km2, "eGRID": zone}


def test_a_cells_share_is_of_its_true_area_and_never_above_one():
    # At 30 degrees the cone touches the globe: 4 km are 4 km. At 46 degrees a cell is 17.2 km2.
    rows = [cell("LA", "a", 8.0), cell("LA", "b", 16.04), cell("MN", "c", 17.2, lat=46.0)]
    con = staged({"developable_4km": rows}, "developable_4km")
    share = values(con, "developable_4km", "developable_share")
    assert share[0] == pytest.approx(0.5, abs=1e-9)
    assert share[1] == 1
    assert share[2] == pytest.approx(1, abs=0.004)


def test_the_parts_of_a_cell_on_a_state_line_are_added_up():
    con = staged(
        {"developable_4km": [cell("LA", "a", 3.0), cell("AR", "a", 5.0)]}, "developable_4km"
    )
    assert codes(con, "developable_4km") == {1: "merged", 2: ""}
    assert values(con, "developable_4km", "developable_share") == pytest.approx([0.5])
    assert values(con, "developable_4km", "state_id") == ["AR"]


def test_the_mesh_fills_only_the_states_that_the_grid_lacks():
    rows = [mesh("TX", -97 - n * 0.1, 30.0, 190.0) for n in range(39)]
    rows += [
        mesh("TX", -104.0, 29.0, 513.0),
        mesh("LA", -97.0, 30.0, 10.0),
        mesh("LA", -92, 31, 180.0),
    ]
    tables = {"developable_4km": [cell("LA", "a", 8.0)], "developable_14km": rows}
    con = staged(tables, "developable_4km", "developable_14km", "egrid_zone_point", "egrid_zone")
    found = list(codes(con, "developable_14km").values())
    assert found == [""] * 40 + ["not_used", "not_used"]
    share = values(con, "developable_14km", "developable_share")
    assert max(share) == 1
    assert share[0] == 1  # 190 in Texas and 10 over the line in Louisiana
    assert math.isclose(values(con, "developable_14km", "cell_km")[0], 13.8)
    # Every point still tells the zone.
    assert set(codes(con, "egrid_zone_point").values()) == {""}
    assert con.sql("select zone_id, interconnect from staging.egrid_zone").fetchall() == [
        ("ERCT", "Texas")
    ]


def test_land_values_are_dollars_a_hectare_and_zero_is_no_price():
    rows = [
        {"longitude": "-93", "latitude": "42", "places_fmv_all_rev": value}
        for value in ("24710.5381", "0.0", "")
    ]
    con = staged({"land_value": rows}, "places_land_value")
    assert codes(con, "places_land_value") == {1: "", 2: "invalid", 3: "invalid"}
    assert values(con, "places_land_value", "land_value_usd_per_acre") == pytest.approx([10_000])


def test_lakes_parks_and_places_of_the_world_are_left_out():
    world = [
        {"name": "Tahoe", "unit_name": "Tahoe", "geometry": box(-120.2, 38.9, -119.9, 39.2)},
        {"name": "Baikal", "unit_name": "Denali", "geometry": box(104, 51, 110, 56)},
    ]
    places = [
        {"NAME": name, "ADM1NAME": state, "ADM0_A3": country, "POP_MAX": 1, "LONGITUDE": lon,
         "LATITUDE": lat}
        for name, state, country, lon, lat in (
            ("Austin", "Texas", "USA", *AUSTIN),
            ("Honolulu", "Hawaii", "USA", *HONOLULU),
            ("Berlin", "Berlin", "DEU", 13.4, 52.5),
        )
    ]  # fmt: skip
    tables = {"lake_ne": world, "park_ne": world, "ne_place": places}
    con = staged(tables, "ne_lake", "ne_park", "ne_place")
    assert codes(con, "ne_lake") == codes(con, "ne_park") == {1: "", 2: "outside_area"}
    assert list(codes(con, "ne_place").values()) == ["", "outside_area", "outside_area"]


def test_ground_that_constrains_keeps_its_kind_and_what_is_none_is_left_out():
    shape = {"geometry": box(-71.4, 41.7, -71.3, 41.8)}
    water = [{"COMID": "7", **shape}, {"COMID": "8", "geometry": box(10, 50, 11, 51)},
             {"COMID": "9", "geometry": None}]  # fmt: skip
    zones = ("AE", "A", "VE", "A12", "X", "D", "AREA NOT INCLUDED", None)
    flood = [{"fld_zone": zone, "zone_subty": None, **shape} for zone in zones]
    flood[0]["zone_subty"] = "FLOODWAY"
    systems = ("Palustrine Forested", None, "Upland")
    wetland = [{"WTSYSTEM": name, "NAMELOCATI": "Here", **shape} for name in systems]
    tables = {"ri_water": water, "cambridge_flood": flood, "cambridge_wetland": wetland}
    con = staged(tables, *tables)
    assert codes(con, "ri_water") == {1: "", 2: "outside_area", 3: "invalid"}
    assert list(codes(con, "cambridge_flood").values()) == [""] * 4 + ["not_used"] * 4
    assert codes(con, "cambridge_wetland") == {1: "", 2: "", 3: "not_used"}
    assert values(con, "ri_water", "constraint_id") == ["ri-water-7"]
    assert values(con, "cambridge_flood", "constraint_name")[:2] == ["zone AE floodway", "zone A"]
    for item, kind in zip(tables, ("water", "floodplain", "wetland"), strict=True):
        assert set(values(con, item, "constraint_kind")) == {kind}


def test_a_constraint_is_held_once():
    shape = {"geometry": box(-71.4, 41.7, -71.3, 41.8)}
    water = [{"COMID": "7", **shape}, {"COMID": "7", **shape}, {"COMID": None, **shape}]
    con = staged({"ri_water": water}, core=[("constraint_area", "ri_water")])
    assert con.execute("select constraint_id, constraint_kind from core.constraint_area").fetchall() == [
        ("ri-water-7", "water")
    ]  # fmt: skip
    told = con.execute("select raw_row, reject_code from meta.rejected_row order by 1").fetchall()
    assert told == [(2, "duplicate"), (3, "invalid")]


def test_counties_keep_their_kind_in_the_name_and_alaska_is_left_out():
    rows = [
        {"GEOID": fips, "STATEFP": fips[:2], "NAME": name, "LSAD": kind, "ALAND": "2589988.110336",
         "geometry": box(-97, 30, -96, 31)}
        for fips, name, kind in (
            ("48453", "Travis", "06"), ("22001", "Acadia", "15"), ("24510", "Baltimore", "25"),
            ("11001", "District of Columbia", "00"), ("02020", "Anchorage", "12"),
        )
    ]  # fmt: skip
    con = staged({"county_2018": rows}, "county_2018")
    assert values(con, "county_2018", "county_name") == [
        "Travis County", "Acadia Parish", "Baltimore city", "District of Columbia",
    ]  # fmt: skip
    assert codes(con, "county_2018")[5] == "outside_area"


def boilers(*rows):
    return [
        {
            "Plant Code": code, "Plant Name": f"Plant {code}", "Boiler Status": status,
            "Retirement Year": year, "HRSG": recovery,
        }
        for code, status, year, recovery in rows
    ]  # fmt: skip


def test_a_plant_retires_when_every_boiler_in_use_has_a_year():
    rows = boilers(
        # Every boiler in use has a year; what was cancelled or retired before does not count.
        ("1", "OP", "2027", "N"), ("1", "sb", "2029", None), ("1", "CN", " ", "N"), ("1", "RE", "2001", "N"),
        # One stays.
        ("2", "OP", "2027", "N"), ("2", "OP", " ", "N"),
        # All retired, in time and long ago.
        ("3", "RE", "2012", None), ("3", "re", "2018", None), ("4", "RE", "2017", "N"),
        # Another boiler comes, and a gas turbine's tail with its design life.
        ("5", "RE", "2020", "N"), ("5", "CO", "2056", "N"), ("6", "OP", "2033", "Y"), ("6", "OP", "2033", "N"),
        # Nobody knows where it is; Hawaii; a footnote.
        ("7", "RE", "2020", "N"), ("8", "RE", "2020", "N"), (None, None, None, None),
    )  # fmt: skip
    plants = [
        {
            "Plant Code": code, "Longitude": str(lon), "Latitude": str(lat), "Grid Voltage (kV)": kv,
            "Grid Voltage 2 (kV)": " ", "Grid Voltage 3 (kV)": None,
        }
        for code, (lon, lat), kv in (("1", AUSTIN, "345"), ("8", HONOLULU, "138"), ("2", AUSTIN, "69"))
    ]  # fmt: skip
    wri = [
        {"gppd_idnr": "USA0000003", "capacity_mw": "500.5", "longitude": "-97.0", "latitude": "30.0"},
        {"gppd_idnr": "USA0000001", "capacity_mw": "0", "longitude": "-90.0", "latitude": "30.0"},
        {"gppd_idnr": "USA0000004", "capacity_mw": "10", "longitude": "-97.0", "latitude": "30.0"},
    ]  # fmt: skip
    tables = {"eia860_boiler": rows, "eia860_plant": plants, "wri_plant": wri}
    con = staged(tables, "eia860_retiring_plant")
    assert list(codes(con, "eia860_retiring_plant").values()) == [
        "", "merged", "merged", "merged", "not_used", "not_used", "", "merged", "not_used", "not_used",
        "not_used", "not_used", "not_used", "invalid", "outside_area", "not_data",
    ]  # fmt: skip

    def told(column):
        return values(con, "eia860_retiring_plant", column)

    assert told("plant_id") == ["USA0000001", "USA0000003"]
    assert told("retirement_status") == ["retiring", "retired"]
    assert told("retirement_year") == [2029, 2018]
    assert told("capacity_mw") == [None, 500.5]
    assert told("kv") == [345, None]
    assert list(zip(told("lon"), told("lat"), strict=True)) == [AUSTIN, (-97, 30)]
    reasons = values(con, "eia860_retiring_plant", "reject_reason", "raw_row in (5, 9, 10, 12)")
    assert reasons == [
        "belongs to a plant of which 1 of 2 boilers in use have no planned retirement",
        "belongs to a plant that retired in 2017",
        "belongs to a plant with a boiler planned, built or tested",
        "belongs to a plant whose gas turbines stay, as far as is known",
    ]


def test_interstates_are_named_one_way_and_those_without_length_or_held_twice_are_rejected():
    course = line((-97, 30), (-97.5, 30.5))
    parts = shapely.to_wkb(
        shapely.MultiLineString([[(-97, 30), (-97, 31)], [(-96, 30), (-96, 31)]])
    )
    rows = [
        {"name": name, "geometry": shape}
        for name, shape in [
            ("I- 35", course), ("I- -35", course), ("I- 35", course), ("I- I- 880", parts), ("I- 10 Bus", course),
            ("I- 35", line((-97, 30), (-97, 30), (-97, 30))), ("I- H-1", line((-158, 21.3), (-157.9, 21.4))),
            ("I- 35", None), (" ", course),
        ]
    ]  # fmt: skip
    con = staged({"interstate": rows}, "us_interstate")
    assert list(codes(con, "us_interstate").values()) == [
        "", "", "duplicate", "", "", "invalid", "outside_area", "invalid", "",
    ]  # fmt: skip
    names = values(con, "us_interstate", "right_of_way_name")
    assert names == ["I-35", "I-35", "I-880", "I-10 Bus", None]
    assert set(values(con, "us_interstate", "right_of_way_kind")) == {"interstate"}


def test_railroads_near_the_border_stay_and_those_of_alaska_do_not():
    rows = [
        {"geometry": shape}
        for shape in [
            line((-83.1, 42.3), (-79.0, 43.0)), line((-149.9, 61.2), (-149.4, 64.8)),
            line((-83.1, 42.3), (-79.0, 43.0)), None,
        ]
    ]  # fmt: skip
    con = staged({"railroad": rows}, "ne_railroad")
    assert list(codes(con, "ne_railroad").values()) == ["", "outside_area", "duplicate", "invalid"]
    kinds = zip(
        *(values(con, "ne_railroad", f"right_of_way_{c}") for c in ("id", "kind", "name")),
        strict=True,
    )
    assert list(kinds) == [("railroad-1", "railroad", None)]


def landing(city, state, date, lon, lat, country=" United States"):
    return {
        "city_name": city, "state_province": state, "country": country, "latitude": str(lat),
        "longitude": str(lon), "asof_date": date,
    }  # fmt: skip


def test_a_cable_landing_counts_once_by_its_last_date_and_in_the_48_states_alone():
    rows = [
        landing("Bandon", " OR", "2022-04-11", -124.40, 43.11),
        landing("Anchorage", "AK", "2022-04-11", -149.85, 61.21),
        landing("Nassau", "", "2022-04-11", -77.3, 25.0, " Bahamas"),
        landing("Bandon", "OR", "2022-09-14", -124.41, 43.12),
        landing("Bandon", "OR", "2022-09-14", -124.41, 43.12),
        landing("Eureka", "CA", "2022-04-11", -124.2, 40.8),
        landing("Nowhere", "CA", "2022-04-11", "", ""),
    ]
    con = staged({"cable_landing": rows}, "cable_landing")
    assert list(codes(con, "cable_landing").values()) == [
        "duplicate", "outside_area", "outside_area", "", "duplicate", "", "invalid",
    ]  # fmt: skip
    assert values(con, "cable_landing", "facility_name") == ["Bandon, OR", "Eureka, CA"]
    assert values(con, "cable_landing", "lon") == [-124.41, -124.2]
    assert set(values(con, "cable_landing", "facility_kind")) == {"cable_landing"}
