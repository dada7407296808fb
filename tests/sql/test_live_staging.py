"""Staging of the live record: what its columns say, and what it does not count."""

import pytest

from tests.sql.staged import box, codes, line, point, staged, values

IOWA, OHIO, LONDON = (-93.5, 42.0), (-83.0, 40.0), (-0.1, 51.5)
COURSE = line(IOWA, OHIO)


def eia_line(number, *, kv=-999999, kind="100-161", status="IN SERVICE", geometry=COURSE, **more):
    return {
        "ID": str(number), "TYPE": "AC; OVERHEAD", "STATUS": status, "VOLTAGE": float(kv),
        "VOLT_CLASS": kind, "geometry": geometry,
    } | more  # fmt: skip


def test_a_line_has_its_voltage_or_else_the_interval_of_its_class():
    rows = [
        eia_line(1, kv=138),
        eia_line(2),
        eia_line(3, kind="735 AND ABOVE"),
        eia_line(4, kind="Under 100"),
        eia_line(5, kind="Unknown"),
        eia_line(6, kv=765, kind="735 AND ABOVE"),
        eia_line(7, kind="DC"),
        eia_line(8, kv=500, kind="500", TYPE="DC; UNDERGROUND"),
    ]
    con = staged({"eia_line": rows}, "eia_line")
    assert values(con, "eia_line", "kv_min") == [138, 100, 735, None, None, 765, None, 500]
    assert values(con, "eia_line", "kv_max") == [138, 161, None, 100, None, 765, None, 500]
    assert values(con, "eia_line", "is_dc") == [False] * 6 + [True] * 2
    assert values(con, "eia_line", "line_id")[0] == "eia-1"


def test_a_line_that_is_none_says_why():
    twice = line(IOWA, (-93.0, 41.0))
    rows = [
        eia_line(1, geometry=twice),
        eia_line(2, geometry=twice),
        # The same course at another voltage is another circuit.
        eia_line(3, geometry=twice, kv=345),
        eia_line(4, geometry=line(LONDON, (0.0, 51.0))),
        eia_line(5, status="INACTIVE"),
        eia_line(6, status="Under Construction"),
        eia_line(7, kind="PLENTY"),
        eia_line(8, geometry=line(IOWA, IOWA)),
        eia_line(9, geometry=None),
        eia_line("NOT AVAILABLE", status=None),
    ]
    con = staged({"eia_line": rows}, "eia_line")
    assert list(codes(con, "eia_line").values()) == [
        "", "duplicate", "", "outside_area", "not_in_service", "not_in_service", "invalid", "invalid",
        "invalid", "",
    ]  # fmt: skip
    assert values(con, "eia_line", "line_id")[-1] == "eia-row-10"


def substation(number, *, kv=345, low=-999999, kind="SUBSTATION", status="IN SERVICE", **more):
    return {
        "ID": number, "NAME": "CREEK", "TYPE": kind, "STATUS": status, "MAX_VOLT": float(kv),
        "MIN_VOLT": float(low), "geometry": point(*IOWA),
    } | more  # fmt: skip


def test_substations_have_names_and_voltages_where_they_are_known():
    rows = [
        substation("1", low=138),
        substation("2", NAME="UNKNOWN12345"),
        substation("3", NAME="Tap 7", low=12.5),
        substation("4", NAME="Unknown Creek", low=500),
        substation(None, NAME=None),
        substation("6", kv=66),
    ]
    con = staged({"hifld_open_substation": rows}, "hifld_open_substation")
    item = "hifld_open_substation"
    assert values(con, item, "substation_name") == ["CREEK", None, None, "Unknown Creek", None, "CREEK"]  # fmt: skip
    assert values(con, item, "kv_max") == [345] * 5 + [66]
    # The lowest voltage counts from 69 kV on, and not above the highest.
    assert values(con, item, "kv_min") == [138, None, None, None, None, None]
    assert values(con, item, "substation_id")[4] == "hifld-row-5"


def test_places_of_lines_are_no_substations():
    rows = [
        substation("1"),
        substation("2", kind="TAP"),
        substation("3", kind="Dead End"),
        substation("4", kind="NOT AVAILABLE", status=None),
        substation("5", status="UNDER CONST"),
        substation("6", kv=-999999),
        substation("7", kv=46),
        substation("1"),
        substation("9", geometry=point(*LONDON)),
        substation(None),
        substation(None),
    ]
    con = staged({"hifld_open_substation": rows}, "hifld_open_substation")
    assert list(codes(con, "hifld_open_substation").values()) == [
        "", "not_used", "not_used", "", "not_in_service", "invalid", "not_used", "duplicate", "outside_area",
        "", "",
    ]  # fmt: skip
    told = values(con, "hifld_open_substation", "reject_reason", "reject_code = 'not_used'")
    assert told[:2] == ["is a tap of a line", "is a dead end of a line"]


def facility(number, *, country="US", status="ok", lon=IOWA[0], lat=IOWA[1]):
    return {
        "id": number, "name": f"DC{number} ", "org_name": "Operator", "country": country,
        "status": status, "longitude": lon, "latitude": lat,
    }  # fmt: skip


def exchange(number, *, networks=3, status="ok"):
    return {"id": number, "net_count": networks, "status": status}


def presence(exchange_id, facility_id, status="ok"):
    return {"ix_id": exchange_id, "fac_id": facility_id, "status": status}


@pytest.fixture
def peering():
    return staged(
        {
            "peeringdb_fac": [
                facility(1),
                facility(2, country="CA"),
                facility(3, status="pending"),
                facility(4, lon=None, lat=None),
                facility(5),
                facility(1),
                facility(7, lon=-157.8, lat=21.3),
            ],
            "peeringdb_ix": [
                exchange(10),
                exchange(11),
                exchange(12, networks=0),
                exchange(13, status="pending"),
                exchange(14, networks=None),
            ],
            "peeringdb_ixfac": [
                presence(10, 1),
                presence(10, 1),
                presence(11, 1),
                presence(12, 1),
                presence(13, 5),
                presence(14, 5),
                presence(10, 2),
                presence(10, 4),
                presence(11, 5, "deleted"),
                presence(99, 1),
            ],
        },
        "peeringdb_api_facility",
        "peeringdb_api_ixp",
    )


def test_facilities_of_the_48_states_that_stand(peering):
    assert list(codes(peering, "peeringdb_api_facility").values()) == [
        "", "outside_area", "not_in_service", "invalid", "", "duplicate", "outside_area",
    ]  # fmt: skip
    assert values(peering, "peeringdb_api_facility", "facility_name") == ["DC1", "DC5"]


def test_a_facility_counts_the_exchanges_that_networks_have_joined_in_it(peering):
    found = peering.sql(
        "select ixp_id, ixp_name, carrier_count, is_inferred from staging.peeringdb_api_ixp order by 1"
    ).fetchall()
    # An exchange whose networks nobody has counted is one; 12 has none, 13 and 99 are not there.
    assert found == [("peeringdb-1", "DC1", 2, False), ("peeringdb-5", "DC5", 1, False)]


def test_parks_are_what_its_owner_keeps_for_nature():
    rows = [
        {"Unit_Nm": "Creek Preserve", "GAP_Sts": "2", "geometry": box(-94, 41, -93, 42)},
        {"Unit_Nm": "Range", "GAP_Sts": "3", "geometry": box(-94, 41, -93, 42)},
        {"Unit_Nm": "Range", "GAP_Sts": None, "geometry": box(-94, 41, -93, 42)},
        {"Unit_Nm": "Alaska", "GAP_Sts": "1", "geometry": box(-150, 61, -149, 62)},
        {"Unit_Nm": "Nothing", "GAP_Sts": "1", "geometry": None},
    ]
    con = staged({"padus_area": rows}, "padus_park")
    assert list(codes(con, "padus_park").values()) == [
        "", "not_used", "not_used", "outside_area", "invalid",
    ]  # fmt: skip
    assert values(con, "padus_park", "park_name") == ["Creek Preserve"]


def test_counties_of_2023_are_named_in_full():
    rows = [
        {"GEOID": "09110", "STATEFP": "09", "NAMELSAD": "Capitol Planning Region",
         "ALAND": 2589988110, "geometry": box(-73, 41, -72, 42)},
        {"GEOID": "72001", "STATEFP": "72", "NAMELSAD": "Adjuntas Municipio",
         "ALAND": 1, "geometry": box(-67, 18, -66, 19)},
    ]  # fmt: skip
    con = staged({"census_county_2023": rows}, "census_county_2023")
    assert list(codes(con, "census_county_2023").values()) == ["", "outside_area"]
    assert values(con, "census_county_2023", "county_name") == ["Capitol Planning Region"]
    assert values(con, "census_county_2023", "land_sqmi") == pytest.approx([1000.0], rel=1e-6)


def plant(code, fuel, *, installed=100.0, summer=90.0, place=IOWA):
    return {
        "Plant_Code": code, "Plant_Name": f"Plant {code}", "PrimSource": fuel,
        "Install_MW": installed, "Total_MW": summer, "geometry": place and point(*place),
    }  # fmt: skip


def eia860(code, *kvs):
    kvs = [*kvs, None, None, None]
    return {
        "Plant Code": code, "Balancing Authority Code": "MISO", "Grid Voltage (kV)": kvs[0],
        "Grid Voltage 2 (kV)": kvs[1], "Grid Voltage 3 (kV)": kvs[2],
    }  # fmt: skip


def test_plants_that_can_run_have_what_eia_860_says_of_them():
    rows = [
        plant(7, "Natural Gas"),
        plant(8, "solar", installed=0.0),
        plant(9, "other", installed=None, summer=None),
        plant(7, "coal"),
        plant(11, "batteries", place=LONDON),
        plant(None, "wind"),
        plant(13, "pumped storage", place=None),
    ]
    forms = [
        eia860("7", "138", "345.0", "600"),
        eia860("8"),
        eia860("99", "69"),
        eia860("7"),
        eia860("NOTE"),
    ]
    con = staged({"eia_plant": rows, "eia860_plant": forms}, "eia_plant")
    assert list(codes(con, "eia_plant", "eia_plant").values()) == [
        "", "", "", "duplicate", "outside_area", "invalid", "invalid",
    ]  # fmt: skip
    assert list(codes(con, "eia_plant", "eia860_plant").values()) == [
        "merged", "merged", "not_in_service", "duplicate", "not_data",
    ]  # fmt: skip
    found = con.sql(
        "select plant_id, fuel_kind, capacity_mw, grid_kv, balancing_authority from staging.eia_plant "
        "where reject_code is null order by 1"
    ).fetchall()
    # Capacity in summer where the name plate says nothing; 600 kV is the inverter's voltage in volts.
    assert found == [
        ("USA0000007", "firm", 100.0, 345.0, "MISO"),
        ("USA0000008", "variable", 90.0, None, "MISO"),
        ("USA0000009", None, None, None, None),
    ]
