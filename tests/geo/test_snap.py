import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo import snap

TILE_EDGE_LON = -180 + 59 * 360 / 256  # -97.03125


def substations(*rows):
    frame = pd.DataFrame(rows, columns=["substation_id", "lon", "lat", "kv_max"])
    return frame.assign(load_mw=np.nan)


def lines(*rows):
    return gpd.GeoDataFrame(
        {
            "line_id": [f"l{n}" for n in range(len(rows))],
            "kv_min": [kv for kv, _ in rows],
            "is_dc": False,
            "rating_mva": np.nan,
            "flow_mw": np.nan,
            "from_substation_id": None,
            "to_substation_id": None,
        },
        geometry=[shapely.LineString(course) for _, course in rows],
        crs="OGC:CRS84",
    )


def ids(series):
    return [name if isinstance(name, str) else None for name in series]


def ends(circuits):
    pairs = zip(ids(circuits["from_substation_id"]), ids(circuits["to_substation_id"]), strict=True)
    return list(pairs)


A = ("a", -97.5, 30.0, 345.0)
B = ("b", -96.5, 30.0, 345.0)


def test_ends_within_a_kilometre_are_snapped_and_others_stay_open():
    network = lines(
        (345, [(-97.505, 30.0), (-96.5, 30.004)]), (345, [(-97.5, 30.0), (-97.6, 30.6)])
    )
    found = snap.snapped_circuits(network, substations(A, B))
    assert ends(found) == [("a", "b"), ("a", None)]


def test_a_line_cut_at_a_tile_edge_is_one_circuit_even_beside_a_substation():
    cut = (TILE_EDGE_LON, 30.1)
    beside = ("c", TILE_EDGE_LON, 30.1005, 345.0)
    network = lines((345, [(-97.5, 30.0), cut]), (345, [cut, (-96.5, 30.0)]))
    found = snap.snapped_circuits(network, substations(A, B, beside))
    assert ends(found) == [("a", "b")]
    assert shapely.get_num_geometries(found.geometry.iloc[0]) == 2


def test_pieces_are_joined_where_two_of_one_class_meet_and_not_at_a_tap():
    middle = (-97.0, 30.2)
    two = lines((345, [(-97.5, 30.0), middle]), (345, [middle, (-96.5, 30.0)]))
    assert ends(snap.snapped_circuits(two, substations(A, B))) == [("a", "b")]
    tap = pd.concat([two, lines((345, [middle, (-97.0, 31.0)]))], ignore_index=True)
    tap["line_id"] = ["l0", "l1", "l2"]
    assert ends(snap.snapped_circuits(tap, substations(A, B))) == [("a", None), ("b", None)]
    mixed = two.assign(kv_min=[345.0, 220.0])
    assert ends(snap.snapped_circuits(mixed, substations(A, B))) == [("a", None), ("b", None)]


def test_a_line_ends_only_where_the_voltage_can_take_it():
    low = ("low", -97.5, 30.0, 230.0)
    odd = ("odd", -97.5, 30.005, 236.0)
    network = lines((345, [(-97.5, 30.0), (-96.5, 30.0)]), (220, [(-97.5, 30.005), (-98, 31)]))
    found = snap.snapped_circuits(network, substations(low, odd, B))
    assert ends(found) == [("b", None), ("odd", None)]


def test_loops_low_voltages_dc_and_unknown_classes_are_no_circuits():
    loop = lines(
        (345, [(-97.5, 30.0), (-97.4, 30.1), (-97.5, 30.001)]),
        (100, [(-97.5, 30.0), (-96.5, 30.0)]),
        (np.nan, [(-97.5, 30.0), (-96.5, 30.0)]),
        (500, [(-97.5, 30.0), (-96.5, 30.0)]),
    )
    loop["is_dc"] = [False, False, False, True]
    assert snap.snapped_circuits(loop, substations(A, B)).empty
    assert snap.snapped_circuits(lines(), substations(A, B)).empty
    assert snap.snapped_circuits(loop, substations()).empty


def test_load_is_shared_by_import_within_reach_and_falls_to_the_nearest_beyond():
    people = pd.DataFrame({"people": [1000.0, 3000.0], "lon": [-97.5, -90.0], "lat": [30.05, 30.0]})
    where = substations(A, ("twin", -97.5, 30.1, 345.0), B, ("blind", -97.5, 30.05, 230.0))
    load = snap.load_by_people(people, where, np.array([100.0, 300.0, 0.0, np.nan]), 2.0)
    assert load[:3] == pytest.approx([0.5, 1.5, 6.0])
    assert np.isnan(load[3])
    assert np.isnan(snap.load_by_people(people.iloc[:0], where, np.full(4, 1.0), 2.0)).all()


def test_plants_feed_the_near_substation_when_they_connect_at_bulk_voltage():
    plant = pd.DataFrame(
        {
            "substation_id": [None, None, None, "b"],
            "grid_kv": [345.0, 138.0, 345.0, 345.0],
            "lon": [-97.51, -97.51, -98.5, -97.5],
            "lat": [30.0, 30.0, 30.0, 30.0],
        }
    )
    found = snap.feeding_substations(plant, substations(A, B))
    assert ids(found) == ["a", None, None, "b"]
