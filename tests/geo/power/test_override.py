import numpy as np
import pandas as pd
import pytest

from geo.geodesy import GEOD
from geo.power.override import apply_capacity


def substations():
    return pd.DataFrame(
        {
            "substation_id": ["b", "a", "c"],
            "substation_name": ["BETA", None, "GAMMA"],
            "lon": [-77.40, -77.50, -78.00],
            "lat": [39.00, 39.00, 39.00],
            "kv_max": [230.0, 138.0, np.nan],
            "is_inferred": [False, True, False],
            "method": "load_flow",
            "limit_kind": "branch",
            "limit_branch_id": ["17", "18", None],
            "limit_text": "line 17",
            "headroom_mw_low": [10.0, 20.0, 30.0],
            "headroom_mw_mid": [11.0, 21.0, 31.0],
            "headroom_mw_high": [12.0, 22.0, 32.0],
            "headroom_n0_mw": [99.0, 99.0, 99.0],
            "flexible_025_mw_mid": [50.0, 50.0, 50.0],
            "circuit_count": [3, 2, 1],
        }
    )


def rows(*told):
    base = {
        "file": "map.csv", "substation_id": None, "lon": np.nan, "lat": np.nan, "kv": np.nan,
        "mw_low": 100.0, "mw_mid": 100.0, "mw_high": 100.0, "as_of": "2024", "source": "Utility",
    }  # fmt: skip
    return pd.DataFrame([base | {"raw_row": n} | row for n, row in enumerate(told, start=1)])


def mw(frame):
    ends = [f"headroom_mw_{end}" for end in ("low", "mid", "high")]
    return dict(zip(frame["substation_id"], frame[ends].to_numpy().tolist(), strict=True))


def test_by_id_the_stated_megawatts_take_the_place_of_the_computed_ones():
    before = substations()
    kept = before.copy()
    out, unmatched = apply_capacity(
        before, rows({"substation_id": "a", "mw_low": 40.0, "mw_mid": 60.0, "mw_high": 90.0})
    )
    pd.testing.assert_frame_equal(before, kept)
    assert unmatched.empty
    assert mw(out) == {"b": [10, 11, 12], "a": [40, 60, 90], "c": [30, 31, 32]}
    row = out.set_index("substation_id").loc["a"]
    assert (row["method"], row["limit_kind"]) == ("user", "user")
    assert (row["capacity_as_of"], row["capacity_source"]) == ("2024", "Utility")
    assert row["limit_text"] == "Utility, 2024"
    # A figure that was not computed is limited by no branch that was.
    assert row[["limit_branch_id", "headroom_n0_mw", "flexible_025_mw_mid"]].isna().all()
    assert (row["circuit_count"], row["is_inferred"]) == (2, True)
    # All that is said of the others stays.
    columns = list(before.columns)
    pd.testing.assert_frame_equal(out.loc[[0, 2], columns], before.loc[[0, 2]], check_dtype=False)
    assert out.loc[[0, 2], ["capacity_as_of", "capacity_source"]].isna().all(axis=None)


@pytest.mark.parametrize(("miles", "is_matched"), [(0.499, True), (0.501, False)])
def test_a_point_means_the_nearest_substation_within_reach(miles, is_matched):
    lon, lat, _ = GEOD.fwd(-77.4, 39.0, 33.0, miles * 1609.344)
    out, unmatched = apply_capacity(substations(), rows({"lon": lon, "lat": lat}))
    assert mw(out)["b"] == ([100] * 3 if is_matched else [10, 11, 12])
    assert len(unmatched) == (0 if is_matched else 1)
    if not is_matched:
        assert "no kv to make one" in unmatched["reason"][0]


def test_an_unknown_id_falls_back_to_its_point_and_without_one_is_told():
    out, unmatched = apply_capacity(
        substations(),
        rows({"substation_id": "their-7", "lon": -78.0, "lat": 39.0}, {"substation_id": "their-8"}),
    )
    assert mw(out)["c"] == [100] * 3
    assert unmatched.to_dict("records") == [
        {
            "raw_table": "capacity",
            "file": "map.csv",
            "raw_row": 2,
            "reject_code": "invalid",
            "reason": "names substation their-8, which is not known: give its point too",
        }
    ]


def test_far_from_all_a_point_with_a_voltage_is_a_new_substation():
    told = rows(
        {"lon": -80.0, "lat": 40.0, "kv": 138.0},
        {"substation_id": "mine", "lon": -81.0, "lat": 40.0, "kv": 345.0, "mw_mid": 70.0},
        {"lon": -80.0, "lat": 40.0, "kv": 138.0, "as_of": "2025", "mw_mid": 500.0},
    )
    out, unmatched = apply_capacity(substations(), told)
    assert out["substation_id"].tolist()[:4] == ["b", "a", "c", out["substation_id"][3]]
    new = out.set_index("substation_id").iloc[3:]
    assert new.index.str.startswith("user-").all()
    assert new.index.is_monotonic_increasing
    assert new.loc["user-mine", ["lon", "lat", "kv_max", "headroom_mw_mid"]].tolist() == [
        -81, 40, 345, 70,
    ]  # fmt: skip
    assert new["is_inferred"].tolist() == [False, False]
    assert new[["substation_name", "circuit_count"]].isna().all(axis=None)
    # The same point is the same substation: the newer statement holds.
    assert new.drop("user-mine")["headroom_mw_mid"].tolist() == [500]
    assert unmatched["raw_row"].tolist() == [1]
    assert "is superseded" in unmatched["reason"][0]


def test_the_newest_statement_holds_and_of_one_date_the_lowest():
    told = rows(
        {"substation_id": "a", "as_of": "2023-11-30", "mw_mid": 1.0},
        {"substation_id": "a", "as_of": "2024", "mw_mid": 80.0},
        {"lon": -77.5, "lat": 39.0, "as_of": "2024-02", "mw_mid": 70.0},
        {"substation_id": "a", "as_of": "2024-02", "mw_mid": 60.0, "file": "other.csv"},
    )
    out, unmatched = apply_capacity(substations(), told)
    assert mw(out)["a"][1] == 60
    assert unmatched[["file", "raw_row"]].to_numpy().tolist() == [["map.csv", n] for n in (1, 2, 3)]
    assert unmatched["reason"][1] == (
        "is superseded: other.csv row 4 states 60 MW as of 2024-02 for the same substation a"
    )
    assert set(unmatched["reject_code"]) == {"duplicate"}


def test_the_order_of_rows_and_substations_changes_nothing():
    rng = np.random.default_rng(5)
    told = rows(
        *[
            {
                "lon": -77.5 + rng.uniform(-0.012, 0.012),
                "lat": 39.0 + rng.uniform(-0.012, 0.012),
                "kv": 138.0,
                "mw_mid": float(rng.integers(1, 4)),
                "as_of": str(2023 + rng.integers(0, 2)),
            }
            for _ in range(30)
        ]
    )
    twins = pd.concat([substations(), substations().assign(substation_id=["x", "y", "z"])])
    one, told_one = apply_capacity(twins, told)
    two, told_two = apply_capacity(twins[::-1], told[::-1])
    one, two = (f.sort_values("substation_id").reset_index(drop=True) for f in (one, two))
    pd.testing.assert_frame_equal(one, two)
    pd.testing.assert_frame_equal(told_one, told_two)
    assert one["method"].eq("user").sum() > 2
    assert len(told_one) + one["method"].eq("user").sum() == len(told)


def test_no_substations_and_no_rows_are_no_trouble():
    out, unmatched = apply_capacity(substations(), rows({}).iloc[:0])
    assert mw(out) == mw(substations())
    assert unmatched.empty
    assert out["capacity_source"].isna().all()
    out, _ = apply_capacity(substations().iloc[:0], rows({"lon": -80.0, "lat": 40.0, "kv": 69.0}))
    assert out["headroom_mw_high"].tolist() == [100]
