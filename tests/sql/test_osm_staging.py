"""OpenStreetMap's recorded elements through our catalogue entries, readers, staging SQL and layers."""

import pytest

from data import store
from data.catalogue import load_catalogue
from data.stage import stage_theme
from data.study import Theme, load_study
from tests.data.osm_files import osm_pbf
from tests.data.overpass import recorded
from tests.sql.staged import codes, line, point, staged, values

STUDY = load_study("rhode-island-osm")
CATALOGUE = load_catalogue()
HERE = (-77.49, 39.04)
NEAR_150_M, NEAR_250_M = (-77.49, 39.04135), (-77.49, 39.04225)


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    """Both themes of the study, with the sources that are not OpenStreetMap's left out."""
    folder = tmp_path_factory.mktemp("osm")
    path = folder / "state.osm.pbf"
    path.write_bytes(osm_pbf(recorded("features")["elements"]))
    with store.create() as con:
        for name in ("grid", "fiber"):
            theme = STUDY.themes[name]
            sources = [source for source in theme.sources if source.startswith("osm_")]
            layers = {
                layer: ours
                for layer, staged in theme.layers.items()
                if (ours := [item for item in staged if item.startswith("osm_")])
            }
            target = folder / f"{name}.duckdb"
            paths = dict.fromkeys(sources, path)
            loads = stage_theme(
                name, Theme(sources=sources, layers=layers), CATALOGUE, paths, target
            )
            assert all(load.rows_read == load.rows_loaded + load.rows_rejected for load in loads)
            con.execute(f"attach '{target}' as {name} (read_only)")
        yield con


def test_substations_have_their_voltages_and_unknown_ones_stay_null(con):
    found = con.execute(
        "select substation_id, substation_name, kv_max, kv_min from grid.core.substation order by 1"
    ).fetchall()
    assert found == [
        ("osm-node-11", "Sterling-Süd", 230, 230), ("osm-node-12", "LSB", None, None),
        ("osm-node-14", "Kilovolts", None, None), ("osm-relation-20", "Warrenton", 230, 115),
        ("osm-way-10", "Ashburn", 500, 230), ("osm-way-24", "Bow tie", 345, 345),
    ]  # fmt: skip
    # The bow tie's middle lies on its edge, the others' points in their areas.
    lon, lat = con.execute(
        "select lon, lat from grid.core.substation where substation_id = 'osm-way-10'"
    ).fetchone()
    assert (lon, lat) == pytest.approx((-77.4892345, 39.0416234), abs=1e-6)


def test_what_is_no_transmission_is_rejected_with_its_reason(con):
    found = con.execute(
        "select raw_table, reject_code, reason from grid.meta.rejected_row order by all"
    ).fetchall()
    below = "34.5 kV is below the 60 kV from which a line is transmission"
    assert found == [
        ("osm_line", "not_used", below), ("osm_substation", "not_used", below),
        ("osm_substation", "not_used", "is a transformer of the street grid (minor_distribution)"),
    ]  # fmt: skip


def test_lines_count_with_their_highest_voltage(con):
    found = con.execute(
        "select line_id, kv_min, kv_max, is_dc, st_astext(geometry) like 'LINESTRING%' "
        "from grid.core.line order by 1"
    ).fetchall()
    assert found == [
        ("osm-way-30", 500, 500, False, True), ("osm-way-31", 230, 230, False, True),
        ("osm-way-32", 500, 500, True, True), ("osm-way-33", None, None, False, True),
        ("osm-way-35", 115, 115, False, True),
    ]  # fmt: skip


def test_exchanges_are_facilities_of_their_own_kind(con):
    assert con.execute(
        "select facility_id, facility_name, facility_kind, operator_name from fiber.core.facility order by 1"
    ).fetchall() == [
        ("osm-node-50", "Frederick CO", "exchange", "Verizon"),
        ("osm-way-51", "WRTN", "exchange", None),
    ]


def test_routes_say_whether_they_lie_in_the_ground_where_it_is_known(con):
    assert con.execute(
        "select route_id, route_name, operator_name, is_underground from fiber.core.fiber_route order by 1"
    ).fetchall() == [
        ("osm-way-60", "Ring", "Zayo", True), ("osm-way-61", None, None, False),
        ("osm-way-62", None, None, None),
    ]  # fmt: skip
    rejected = "select reject_code, reason from fiber.meta.rejected_row"
    assert con.execute(rejected).fetchall() == [("not_used", "carries copper, no fiber")]


def test_a_building_and_its_point_are_one_data_center(con):
    assert con.execute(
        "select data_center_id, data_center_name, operator_name from fiber.core.data_center order by 1"
    ).fetchall() == [
        ("osm-node-72", "DC One", None), ("osm-node-74", None, None), ("osm-relation-75", "Halls", None),
        ("osm-way-70", "DC One", "Equinix"), ("osm-way-73", "Campus 2", None),
    ]  # fmt: skip
    load = "select rows_loaded, rows_merged from fiber.meta.source_load where raw_table = 'osm_data_center'"
    assert con.execute(load).fetchall() == [(6, 1)]


def center(kind, number, name, place):
    lon, lat = place
    return {"osm_type": kind, "osm_id": number, "name": name, "operator": None, "lon": lon, "lat": lat}  # fmt: skip


def test_only_a_point_of_the_same_name_within_200_m_is_the_building():
    rows = [
        center("way", 1, "Hall", HERE),
        center("node", 2, "HALL ", NEAR_150_M),
        center("node", 3, "Hall", NEAR_250_M),
        center("node", 4, "Other", HERE),
        center("node", 5, None, HERE),
        center("way", 6, None, HERE),
        # Two buildings of one name are two.
        center("relation", 7, "Hall", NEAR_150_M),
        center("way", 8, "Abroad", (-0.1, 51.5)),
    ]
    con = staged({"osm_data_center": rows}, "osm_data_center")
    assert list(codes(con, "osm_data_center").values()) == [
        "", "merged", "merged", "", "", "", "", "outside_area",
    ]  # fmt: skip
    # Row 3 is 250 m from the first building, and 100 m from the second.
    told = values(con, "osm_data_center", "reject_reason", "reject_code = 'merged'")
    assert told == ["is osm-relation-7", "is osm-relation-7"]


@pytest.mark.parametrize(
    ("voltage", "kv_max", "kv_min"),
    [
        ("345000;115000", 345, 115), ("115000; 345000 ;", 345, 115), ("69000", 69, 69), ("345", None, None),
        ("230 kV", None, None), ("high", None, None), ("", None, None), (None, None, None), ("-230000", None, None),
        ("230000;unknown", 230, 230), ("115000;12470", 115, 115), ("138000;medium;69000", 138, 69),
    ],
)  # fmt: skip
def test_voltages_are_read_in_volts(voltage, kv_max, kv_min):
    base = {"osm_type": "node", "osm_id": 1, "name": None, "ref": None, "substation": None}
    rows = [
        base | {"voltage": voltage, "lon": HERE[0], "lat": HERE[1]},
        base | {"voltage": "230000"},
    ]
    con = staged({"osm_substation": rows}, "osm_substation")
    found = con.sql("select kv_max, kv_min from staging.osm_substation order by raw_row").fetchall()
    assert found[0] == (kv_max, kv_min)
    rows = [
        {"osm_type": "way", "osm_id": n, "voltage": given, "frequency": None, "geometry": line(HERE, (-77, 39))}
        for n, given in enumerate([voltage, "230000"])
    ]  # fmt: skip
    con = staged({"osm_line": rows}, "osm_line")
    assert values(con, "osm_line", "(kv_min, kv_max)", "raw_row = 1") == [(kv_max, kv_max)]


def test_lines_of_another_shape_and_abroad_are_rejected():
    base = {"osm_type": "way", "voltage": "230000", "frequency": "50", "location": "underground",
            "name": "x", "ref": None, "operator": None, "telecom:medium": "fibre"}  # fmt: skip
    shapes = [point(*HERE), line((10, 50), (11, 51)), line(HERE, (-77, 39))]
    rows = [base | {"osm_id": n, "geometry": shape} for n, shape in enumerate(shapes)]
    for item in ("osm_line", "osm_telecom_line"):
        con = staged({item: rows}, item)
        assert list(codes(con, item).values()) == ["invalid", "outside_area", ""]


def test_the_study_takes_openstreetmap_and_says_that_nobody_has_run_it():
    assert STUDY.exclusions == load_study("rhode-island").exclusions
    for source_id in ("osm_power", "osm_telecom"):
        source = CATALOGUE.source(source_id)
        assert not source.verified
        assert source.attribution == "© OpenStreetMap contributors"
        assert "ODbL" in source.data_terms
    assert "Nobody has run this study" in STUDY.limits[0]
    filled = {layer for theme in STUDY.themes.values() for layer in theme.layers}
    assert {"data_center", "fiber_route", "substation", "line"} <= filled
