from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import GeoError
from geo.power.import_estimate import (
    LEAST_SHARE,
    LineClasses,
    circuit_capability_mw,
    circuits_of_lines,
    import_estimate,
    is_bound_by_length,
)
from tests.oracle.geodesic import GEOD, METRES_PER_MILE
from tests.oracle.power_import import brought, secure_import

DATA = Path(__file__).parents[3] / "data" / "reference"
REFERENCE = pd.read_csv(DATA / "line_class.csv")
CLASSES = LineClasses.from_frame(REFERENCE)
# One class of 100 MW surge impedance loading that heat never limits.
COOL = LineClasses.from_frame(
    pd.DataFrame(
        {"kv": [345.0], "sil_low_mw": 100.0, "sil_high_mw": 100.0, "class_mw": 1e6,
         "thermal_mva": 1e6, "thermal_low_factor": 0.6, "thermal_high_factor": 1.6}
    )
)  # fmt: skip
NONE = np.nan
HEADROOM = ["headroom_mw_low", "headroom_mw_mid", "headroom_mw_high"]


def broadcast(*values):
    return np.broadcast_arrays(*(np.atleast_1d(np.asarray(value, float)) for value in values))


def capability(kv, miles=1.0, rating=NONE, classes=CLASSES):
    return circuit_capability_mw(*broadcast(kv, miles, rating), classes)


@pytest.mark.parametrize(("miles", "times"), [(50, 3.17), (100, 2.00), (300, 0.96)])
def test_long_lines_carry_what_st_clair_says(miles, times):
    # SIL binds the low end already; the curve binds the two others.
    low, mid, high = capability(345, miles, classes=COOL)[0]
    assert (mid / 100, high / 100) == (pytest.approx(times, abs=0.006),) * 2
    assert low == pytest.approx(min(100 * times, 100), abs=0.6)


def test_a_line_of_unknown_length_is_not_limited_by_it():
    assert capability(345, NONE, classes=COOL)[0].tolist() == [100, 1e6, 1e6]
    assert capability(345, 0.0, classes=COOL)[0].tolist() == [100, 1e6, 1e6]


def test_length_binds_where_the_curve_falls_under_the_thermal_limit():
    # 138 kV: 49.5 * 43.261 * miles^-0.6678 is 226 MW at 29.4 miles.
    bound = is_bound_by_length(*broadcast(138.0, [29.0, 30.0, NONE], NONE), CLASSES)
    assert bound.tolist() == [False, True, False]


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


def substations(**load_mw):
    ids = list(load_mw)
    return pd.DataFrame(
        {"substation_id": ids, "kv_max": NONE, "load_mw": [float(load_mw[name]) for name in ids]}
    )


def circuits(*rows):
    """Circuits (from, to, MW) of 138 kV, where a rating is the capability."""
    frame = pd.DataFrame(rows, columns=["from_substation_id", "to_substation_id", "rating_mva"])
    return frame.assign(kv=138.0, length_mi=1.0, rating_mva=frame["rating_mva"].astype(float))


def plants(*rows):
    return pd.DataFrame(rows, columns=["substation_id", "fuel_kind", "capacity_mw"])


def estimate(where, lines, plant=None):
    plant = plants(("gone", "firm", 1.0)) if plant is None else plant
    return import_estimate(where, lines, plant, REFERENCE).set_index("substation_id")


def test_import_counts_all_circuits_but_the_best():
    star = circuits(("a", "b", 100), ("a", "c", 80), ("a", "d", 60), *FEEDS)
    a = estimate(substations(a=50, b=0, c=0, d=0), star).loc["a"]
    assert (a["circuit_count"], a["neighbour_count"]) == (3, 3)
    assert (a["largest_circuit_mw"], a["import_n1_mw"]) == (100, 140)
    assert a[HEADROOM].tolist() == [90, 90, 90]
    assert not a["is_single_fed"]


# What leads out of what is known feeds b, c and d.
FEEDS = [("b", None, 999), ("c", None, 999), ("d", "gone", 999)]


def test_a_circuit_brings_in_no_more_than_its_far_end_has_left():
    lines = circuits(("a", "b", 100), ("a", "c", 80), ("b", None, 70), ("c", None, 90))
    where = substations(a=0, b=40, c=20)
    # b: 70 - 40; c: 90 - 20. Without the circuit to c, 30 come in.
    assert estimate(where, lines).loc["a", "import_n1_mw"] == 30
    plant = plants(("b", "firm", 25.0), ("b", "variable", 500.0), ("c", "firm", NONE))
    a = estimate(where, lines, plant).loc["a"]
    assert a["import_n1_mw"] == 55
    # Plants do not count at the low end.
    assert a[HEADROOM].tolist() == [30, 55, 55]


def test_two_circuits_to_one_neighbour_share_what_it_has():
    lines = circuits(("a", "b", 100), ("a", "b", 100), ("b", None, 120))
    a = estimate(substations(a=0, b=0), lines).loc["a"]
    # With both in service 120 come in, with one 100.
    assert (a["circuit_count"], a["neighbour_count"], a["import_n1_mw"]) == (2, 1, 100)


def test_a_substation_with_one_circuit_that_leads_on_counts_with_all_in_service_and_says_so():
    # d hangs on c and c on a; a has two circuits that lead out.
    lines = circuits(("a", "c", 90), ("c", "d", 60), ("a", None, 200), ("a", None, 150))
    found = estimate(substations(a=10, c=10, d=10), lines)
    assert found["is_single_fed"].to_dict() == {"a": False, "c": True, "d": True}
    assert found["import_n1_mw"].to_dict() == {"a": 150 + 50, "c": 0, "d": 0}
    assert found["headroom_mw_mid"].to_dict() == {"a": 190, "c": 80, "d": 50}


def test_local_plants_are_added_and_where_nothing_is_left_a_tenth_stands_in():
    lines = circuits(("a", None, 100), ("a", None, 100))
    plant = plants(("a", "firm", 30.0), ("a", "firm", 5.0), ("a", "variable", 400.0))
    assert estimate(substations(a=60), lines, plant).loc["a", HEADROOM].tolist() == [40, 75, 75]
    # Nothing is left of 100 MW: the load or the circuits are not what they seem.
    over = estimate(substations(a=500), lines, plant).loc["a", HEADROOM].tolist()
    assert over == [0, LEAST_SHARE * 200, LEAST_SHARE * 200]


def test_without_a_circuit_or_a_load_nothing_is_known():
    lines = circuits(("a", "b", 100), ("a", "b", 100), *FEEDS)
    found = estimate(substations(a=0, b=NONE, alone=5), lines)
    assert found.loc[["b", "alone"], HEADROOM].isna().all(axis=None)
    assert found.loc["alone", ["largest_circuit_mw", "import_n1_mw", "kv_class"]].isna().all()
    assert not found.loc["alone", "is_single_fed"]
    # An unknown load of a neighbour takes nothing away.
    assert found.loc["a", "headroom_mw_mid"] == 100


def test_direct_current_loops_and_lines_without_voltage_bring_in_nothing():
    rows = [("a", None, 100)] * 4 + [("a", "a", 50)]
    lines = circuits(*rows).assign(is_dc=[False, None, True, False, False])
    lines.loc[3, "kv"] = NONE
    a = estimate(substations(a=0), lines).loc["a"]
    assert (a["circuit_count"], a["import_n1_mw"]) == (2, 100)


def test_the_class_is_that_of_the_substation_or_of_its_highest_circuit():
    lines = circuits(("a", "b", 100)).assign(kv=350.0)
    where = substations(a=0, b=0).assign(kv_max=[220.0, NONE])
    assert estimate(where, lines)["kv_class"].tolist() == [230, 345]


NAMES = "abcdef"
WEBS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from([*NAMES, None]), st.integers(1, 400)).filter(
        lambda row: row[0] != row[1]
    ),
    min_size=1,
    max_size=14,
)
LOADS = st.lists(st.integers(0, 300), min_size=len(NAMES), max_size=len(NAMES))


@given(WEBS, LOADS, LOADS)
def test_import_is_that_of_plain_loops_over_outages(web, load, firm):
    where = substations(**dict(zip(NAMES, load, strict=True)))
    plant = plants(*((name, "firm", float(mw)) for name, mw in zip(NAMES, firm, strict=True)))
    found = estimate(where, circuits(*web), plant)
    net = {name: firm[n] - load[n] for n, name in enumerate(NAMES)}
    for name in NAMES:
        own = [mw for a, b, mw in web if name in (a, b)]
        if not own:
            assert np.isnan(found.loc[name, "headroom_mw_mid"])
            continue
        secure, is_single_fed = secure_import(name, web, net)
        after = min(brought(name, web, net, k) for k, row in enumerate(web) if name in row[:2])
        assert found.loc[name, "is_single_fed"] == is_single_fed
        assert found.loc[name, "import_n1_mw"] == pytest.approx(after)
        expected = max(secure + net[name], LEAST_SHARE * sum(own))
        assert found.loc[name, "headroom_mw_mid"] == pytest.approx(expected)
        assert (np.diff(found.loc[name, HEADROOM].to_numpy(float)) >= 0).all()


@given(WEBS, LOADS, st.lists(st.integers(0, 200), min_size=14, max_size=14))
def test_more_rating_never_lowers_headroom(web, load, more):
    where = substations(**dict(zip(NAMES, load, strict=True)))
    lines = circuits(*web)
    stronger = lines.assign(rating_mva=lines["rating_mva"] + more[: len(web)])
    before, after = (estimate(where, rows)[HEADROOM].to_numpy() for rows in (lines, stronger))
    assert (after >= before - 1e-9)[~np.isnan(before)].all()


def test_neither_order_nor_direction_of_circuits_nor_order_of_plants_changes_a_bit():
    rng = np.random.default_rng(8)
    ids = [f"s{n}" for n in range(40)]
    rows = [(*rng.choice(ids, 2, replace=False), mw) for mw in rng.uniform(1, 1e4, 600)]
    where = substations(**dict(zip(ids, rng.uniform(0, 900, 40), strict=True)))
    plant = plants(*((rng.choice(ids), "firm", mw) for mw in rng.uniform(1, 900, 200)))
    lines = circuits(*rows)
    once = estimate(where, lines, plant)
    swapped = lines.rename(
        columns={
            "from_substation_id": "to_substation_id", "to_substation_id": "from_substation_id",
        }
    )  # fmt: skip
    again = estimate(where, swapped.sample(frac=1, random_state=1), plant.sample(frac=1))
    assert again.equals(once)


def test_the_calibration_gives_the_interval():
    lines = circuits(("a", None, 100), ("a", None, 100), ("b", None, 40))
    calibration = pd.DataFrame(
        {"kv_class": [138.0, NONE], "low_factor": [0.2, 0.0], "mid_factor": [0.5, 1.0],
         "high_factor": [1.5, 2.0]}
    )  # fmt: skip
    where = substations(a=20, b=0).assign(kv_max=[NONE, 500.0])
    found = import_estimate(where, lines, plants(), REFERENCE, calibration)
    assert found[HEADROOM].to_numpy().tolist() == [[16, 40, 120], [0, 40, 80]]
    assert found["import_n1_mw"].tolist() == [100, 0]


def test_circuits_of_lines_are_measured_on_the_ground():
    lon, lat, _ = GEOD.fwd(-98.0, 39.0, 90.0, 300 * METRES_PER_MILE)
    course = shapely.segmentize(shapely.LineString([(-98, 39), (lon, lat)]), 0.1)
    line = gpd.GeoDataFrame(
        {
            "kv_min": 345.0, "is_dc": [False, True], "rating_mva": [NONE, 900.0],
            "from_substation_id": "a", "to_substation_id": ["b", None],
        },
        geometry=[course] * 2,
        crs="OGC:CRS84",
    )  # fmt: skip
    found = circuits_of_lines(line)
    assert found["length_mi"].to_numpy() == pytest.approx([300, 300], rel=0.01)
    assert found["kv"].tolist() == [345, 345]
    assert found["to_substation_id"].tolist()[0] == "b"
    assert len(circuits_of_lines(line.iloc[:0])) == 0


def test_a_study_without_circuits_or_substations_knows_no_headroom():
    found = estimate(substations(a=1, b=2), circuits(), plants())
    assert found[HEADROOM].isna().all(axis=None)
    assert (found["circuit_count"] == 0).all()
    assert len(estimate(substations(), circuits(("a", "b", 9)), plants())) == 0


def test_the_reference_of_line_classes_is_well_formed():
    assert REFERENCE["kv"].is_monotonic_increasing
    assert (REFERENCE["sil_low_mw"] <= REFERENCE["sil_high_mw"]).all()
    assert (REFERENCE["sil_high_mw"] < REFERENCE["thermal_mva"]).all()
    assert REFERENCE["source"].notna().all()
