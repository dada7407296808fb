from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import GeoError
from geo.headroom import (
    LineClasses,
    circuit_capability_mw,
    substation_headroom,
    substation_headroom_mw,
)
from tests.oracle.geodesic import GEOD, METRES_PER_MILE

REFERENCE = pd.read_csv(Path(__file__).parents[2] / "data" / "reference" / "line_class.csv")
CLASSES = LineClasses.from_frame(REFERENCE)
# One class of 100 MW surge impedance loading that heat never limits.
COOL = LineClasses.from_frame(
    pd.DataFrame(
        {"kv": [345.0], "sil_low_mw": 100.0, "sil_high_mw": 100.0, "class_mw": 1e6,
         "thermal_mva": 1e6, "thermal_low_factor": 0.6, "thermal_high_factor": 1.6}
    )
)  # fmt: skip
NONE = np.nan


def capability(kv, miles=1.0, rating=NONE, classes=CLASSES):
    arrays = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(v, float)) for v in (kv, miles, rating))
    )
    return circuit_capability_mw(*arrays, classes)


@pytest.mark.parametrize(("miles", "times"), [(50, 3.17), (100, 2.00), (300, 0.96)])
def test_long_lines_carry_what_st_clair_says(miles, times):
    # SIL binds the low end already; the curve binds the two others.
    low, mid, high = capability(345, miles, classes=COOL)[0]
    assert (mid / 100, high / 100) == (pytest.approx(times, abs=0.006),) * 2
    assert low == pytest.approx(min(100 * times, 100), abs=0.6)


def test_a_line_of_unknown_length_is_not_limited_by_it():
    assert capability(345, NONE, classes=COOL)[0].tolist() == [100, 1e6, 1e6]
    assert capability(345, 0.0, classes=COOL)[0].tolist() == [100, 1e6, 1e6]


@pytest.mark.parametrize(
    ("kv", "rating", "expected"),
    [
        # Below 220 kV heat binds: a rating is the capability, an unknown one spreads by 0.6 to 1.6.
        (69, NONE, (0.6 * 61, 61, 1.6 * 61)),
        (138, NONE, (0.6 * 226, 226, 1.6 * 226)),
        (138, 180, (180, 180, 180)),
        (115, 300, (300, 300, 300)),
        # From 220 kV up: surge impedance loading, the line class, the rating or the thermal limit.
        (345, NONE, (375, 750, 1500)),
        (345, 1200, (375, 750, 1200)),
        (345, 600, (375, 600, 600)),
        (345, 100, (100, 100, 100)),
        (230, NONE, (139.5, 371.5, 600)),
        (500, 2600, (962.5, 1500, 2600)),
        # No line class is given at 765 kV: the geometric middle.
        (765, NONE, (2250, np.sqrt(2250 * 4500), 4500)),
        # Odd voltages go to the class nearest by ratio.
        (236, NONE, (139.5, 371.5, 600)),
        (287, NONE, (375, 750, 1500)),
        (46, NONE, (0.6 * 61, 61, 1.6 * 61)),
    ],
)
def test_a_short_circuit_is_worth_its_class_or_its_rating(kv, rating, expected):
    np.testing.assert_allclose(capability(kv, 1.0, rating)[0], expected)


@pytest.mark.parametrize("kv", [0.0, -138.0, NONE])
def test_a_circuit_without_a_voltage_is_refused(kv):
    with pytest.raises(GeoError):
        capability([138.0, kv])


@given(
    st.lists(
        st.tuples(
            st.floats(20, 800), st.floats(0, 600), st.one_of(st.just(NONE), st.floats(0.1, 5000))
        ),
        min_size=1,
        max_size=20,
    )
)
def test_capability_is_an_interval_and_never_above_a_rating(circuits):
    kv, miles, rating = np.array(circuits).T
    found = capability(kv, miles, rating)
    assert (np.diff(found, axis=1) >= 0).all()
    assert (found > 0).all()
    assert (found <= np.where(np.isnan(rating), np.inf, rating)[:, None]).all()
    assert (capability(kv, miles + 50, rating) <= found).all()


def headroom(ends, capability_mw, carried=NONE, load=0.0, firm=0.0, dispatch=0.0, count=1):
    ends = np.array(ends, dtype=int)

    def each(value, size):
        return np.broadcast_to(np.asarray(value, float), (size,)).copy()

    return substation_headroom_mw(
        count, ends, np.asarray(capability_mw, float).reshape(len(ends), 3), each(carried, len(ends)),
        each(load, count), each(firm, count), each(dispatch, count),
    )  # fmt: skip


THREE = [(375, 750, 1000), (375, 750, 1200), (375, 750, 800)]


def test_import_counts_all_circuits_but_the_best():
    assert headroom([0, 0, 0], THREE)[0].tolist() == [750, 1500, 1800]


def test_local_load_and_plants_shift_the_ends():
    # low: 750 - 300; mid: 1500 - (300 - 200 served here); high: 1800 - 300 + 500.
    found = headroom([0, 0, 0], THREE, load=300, firm=500, dispatch=200)[0]
    assert found.tolist() == [450, 1400, 2000]
    # What plants make beyond the local load goes elsewhere.
    found = headroom([0, 0, 0], THREE, load=300, firm=500, dispatch=450)[0]
    assert found.tolist() == [450, 1500, 2000]


def test_what_circuits_already_carry_binds_the_low_end():
    # Left free of the high capability: 50 + 50 + 100, less the best: 100, whichever way it flows.
    found = headroom([0, 0, 0], THREE, carried=[950, -1150, 700], load=300)[0]
    assert found.tolist() == [100, 1200, 1500]
    # A circuit beyond its capability has nothing left, not less than nothing.
    assert headroom([0, 0, 0], THREE, carried=[9999, 9999, 700], load=300)[0, 0] == 0
    # Flows known of some circuits only say nothing of the substation.
    assert headroom([0, 0, 0], THREE, carried=[950, NONE, 700], load=300)[0, 0] == 450


def test_one_circuit_imports_nothing_when_it_is_out():
    assert headroom([0], [(375, 750, 1500)])[0].tolist() == [0, 0, 0]
    assert headroom([0], [(375, 750, 1500)], load=100, firm=500)[0].tolist() == [0, 0, 400]


def test_headroom_is_never_negative_and_never_out_of_order():
    rng = np.random.default_rng(2)
    ends = rng.integers(0, 40, 150)
    found = headroom(
        ends, np.sort(rng.uniform(0, 900, (150, 3))), rng.uniform(-900, 900, 150),
        rng.uniform(0, 900, 40), rng.uniform(0, 900, 40), rng.uniform(0, 900, 40), count=40,
    )  # fmt: skip
    held = np.isin(np.arange(40), ends)
    assert (found[held] >= 0).all()
    assert (np.diff(found[held], axis=1) >= 0).all()
    assert np.isnan(found[~held]).all()


def test_without_a_circuit_or_a_load_nothing_is_known():
    found = headroom([0, 0, 1, 1], [*THREE[:2], *THREE[:2]], load=[NONE, 5, 5], count=3)
    assert np.isnan(found[[0, 2]]).all()
    assert found[1].tolist() == [370, 745, 995]


def test_sums_do_not_depend_on_the_order_of_circuits():
    rng = np.random.default_rng(8)
    ends, mw = rng.integers(0, 30, 3000), np.sort(rng.uniform(0, 1e4, (3000, 3)))
    once = headroom(ends, mw, count=30)
    for _ in range(5):
        order = rng.permutation(3000)
        assert headroom(ends[order], mw[order], count=30).tobytes() == once.tobytes()


def world():
    substation = pd.DataFrame(
        {"substation_id": ["a", "b", "c", "d"], "load_mw": [100.0, 50.0, 10.0, NONE]}
    )
    places = {"a": (-98.0, 39.0), "b": (-98.0, 39.1), "c": (-97.9, 39.0), "d": (-97.9, 39.1)}

    def line(name, start, end, kv, *, rating=NONE, flow=NONE, is_dc=False):
        shape = shapely.LineString([places[start], places[end]])
        return {
            "line_id": name, "kv_min": kv, "is_dc": is_dc, "rating_mva": rating, "flow_mw": flow,
            "from_substation_id": start, "to_substation_id": end, "geometry": shape,
        }  # fmt: skip

    lines = [
        line("1", "a", "b", 345.0, rating=1200.0),
        line("2", "a", "b", 345.0),
        line("3", "a", "c", 138.0, rating=200.0),
        line("4", "a", "b", 500.0, is_dc=True),
        line("5", "a", "b", None),
        line("6", "a", "d", 230.0, is_dc=None),
        line("7", "b", "d", 230.0),
    ]
    # A line whose far end is no substation of the layer, and one without ends.
    lines += [line("8", "c", "a", 138.0) | {"to_substation_id": "gone"}]
    lines += [line("9", "c", "a", 138.0) | {"from_substation_id": None, "to_substation_id": None}]
    line_frame = gpd.GeoDataFrame(lines, geometry="geometry", crs="OGC:CRS84")
    plant = pd.DataFrame(
        [
            ("p", "a", "firm", 300.0, 60.0),
            ("q", "a", "variable", 900.0, 900.0),
            ("r", "a", "firm", NONE, -5.0),
            ("s", "gone", "firm", 100.0, 100.0),
            ("t", None, "firm", 100.0, 100.0),
        ],
        columns=["plant_id", "substation_id", "fuel_kind", "capacity_mw", "dispatch_mw"],
    )
    return substation, line_frame, plant


def test_headroom_of_layers_by_hand():
    found = substation_headroom(*world(), REFERENCE).set_index("substation_id")
    # a: 345 kV rated 1200 (375, 750, 1200), 345 kV (375, 750, 1500), 138 kV rated 200, 230 kV
    # (139.5, 371.5, 600); less the best. Load 100; firm plants of 300 make 60 - 5 of it.
    assert found["circuit_count"].to_dict() == {"a": 4, "b": 3, "c": 2, "d": 2}
    a = found.loc["a"]
    assert a["largest_circuit_mw"] == 750
    assert a["import_n1_mw"] == pytest.approx(750 + 200 + 371.5)
    assert a["headroom_mw_low"] == pytest.approx(375 + 200 + 139.5 - 100)
    assert a["headroom_mw_mid"] == pytest.approx(750 + 200 + 371.5 - (100 - 55))
    assert a["headroom_mw_high"] == pytest.approx(1200 + 200 + 600 - 100 + 300)
    # c: 138 kV rated 200 and 138 kV of 226.
    assert found.loc["c", "import_n1_mw"] == pytest.approx(200)
    # d has circuits, but nobody knows its load.
    assert found.loc["d", "circuit_count"] == 2
    assert found.loc["d"].filter(like="headroom").isna().all()


def test_length_is_measured_on_the_ground():
    lon, lat, _ = GEOD.fwd(-98.0, 39.0, 90.0, 300 * METRES_PER_MILE)
    substation = pd.DataFrame({"substation_id": ["a", "b"], "load_mw": 0.0})
    two = gpd.GeoDataFrame(
        {
            "kv_min": [345.0] * 2, "is_dc": False, "rating_mva": NONE, "flow_mw": NONE,
            "from_substation_id": "a", "to_substation_id": "b",
        },
        geometry=[shapely.segmentize(shapely.LineString([(-98, 39), (lon, lat)]), 0.1)] * 2,
        crs="OGC:CRS84",
    )  # fmt: skip
    found = substation_headroom(substation, two, world()[2].iloc[:0], REFERENCE)
    sil = np.array([325, 375, 425])
    ends = found.loc[0, ["headroom_mw_low", "headroom_mw_mid", "headroom_mw_high"]]
    np.testing.assert_allclose(ends.to_numpy(float), 0.96 * sil, rtol=0.01)


def test_a_study_without_lines_or_plants_knows_no_headroom():
    substation, line, plant = world()
    found = substation_headroom(substation, line.iloc[:0], plant.iloc[:0], REFERENCE)
    assert found.filter(like="headroom").isna().all().all()
    assert (found["circuit_count"] == 0).all()
    empty = substation_headroom(substation.iloc[:0], line, plant, REFERENCE)
    assert len(empty) == 0


def test_the_reference_of_line_classes_is_well_formed():
    assert REFERENCE["kv"].is_monotonic_increasing
    assert (REFERENCE["sil_low_mw"] <= REFERENCE["sil_high_mw"]).all()
    assert (REFERENCE["sil_high_mw"] < REFERENCE["thermal_mva"]).all()
    assert REFERENCE["source"].notna().all()
