import duckdb
import pandas as pd
import pytest

from flows.power import beside
from tests.sql import world

MILES = ("substation_230kv_mi", 1, [[0, 1], [100, 0]])
# Two substations behind one line, one of them half behind another; a third that was stated.
CONSTRAINTS = [
    {"constraint_no": 3, "branch_id": "x", "branch_text": "line x", "outage_branch_id": "y",
     "outage_text": "line y", "is_forward": True, "limit_mw": 240.0, "base_flow_mw": 40.0,
     "margin_mw": 200.0, "substation_count": 2},
    {"constraint_no": 8, "branch_id": "z", "branch_text": "line z", "is_forward": False,
     "limit_mw": 70.0, "base_flow_mw": 10.0, "margin_mw": 60.0, "substation_count": 1},
]  # fmt: skip
LEANING = [(3, "a", 1.0), (3, "b", 1.0), (8, "b", 0.5)]
SUBSTATIONS = [
    {"substation_id": "a", "substation_name": "Ash", "headroom_mw_mid": 200.0},
    {"substation_id": "b", "substation_name": "Birch", "headroom_mw_mid": 120.0},
    {"substation_id": "c", "headroom_mw_mid": 30.0, "method": "user"},
    {"substation_id": "d", "method": "import_estimate"},
]


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    def edit(paths):
        power = pd.read_parquet(paths["power"])
        told = pd.DataFrame(SUBSTATIONS)
        told = told.assign(
            method=told["method"].fillna("load_flow"), interconnect="I", lon=-90.0, lat=40.0,
            reserve_interconnection_mw=250.0,
        )  # fmt: skip
        told.reindex(columns=power.columns).to_parquet(paths["power"], index=False)
        pd.DataFrame(CONSTRAINTS).reindex(
            columns=pd.read_parquet(beside(paths["power"], "power_constraint")).columns
        ).to_parquet(beside(paths["power"], "power_constraint"), index=False)
        pd.DataFrame(LEANING, columns=["constraint_no", "substation_id", "mw_per_mw"]).to_parquet(
            beside(paths["power"], "power_constraint_substation"), index=False
        )

    parcels = [{"parcel_id": "p", "headroom_substation_id": "a", "headroom_mw_mid": 200.0}]
    con = world.make(
        tmp_path_factory.mktemp("w"), parcels, [world.profile([MILES])], edit_files=edit
    )
    yield con
    con.close()


def judged(con, *plan):
    items = [{"substation_id": name, "mw": float(mw)} for name, mw in plan]
    return world.rows(con, "from mart.shared_load($plan)", plan=items)


def left(found):
    return {row["limit_text"]: row["left_mw"] for row in found}


def test_what_each_can_host_alone_breaks_nothing_alone(con):
    for name, mw in (("a", 200), ("b", 120), ("c", 30)):
        assert not any(row["is_broken"] for row in judged(con, (name, mw)))
        first = judged(con, (name, mw + 1))[0]
        assert first["is_broken"]
        assert name in first["substation_ids"]


def test_a_line_is_not_sold_twice(con):
    found = judged(con, ("a", 150), ("b", 100))
    assert left(found) == {
        "line x after the outage of line y": -50.0,
        "committed firm units of the I interconnection": 0.0,
        "line z with all in service": 10.0,
        "what Birch can host alone": 20.0,
        "what Ash can host alone": 50.0,
    }
    assert [row["left_mw"] for row in found] == sorted(left(found).values())
    assert [row["is_broken"] for row in found] == [True, False, False, False, False]
    first = found[0]
    assert (first["limit_kind"], first["constraint_no"]) == ("branch", 3)
    assert first["substation_ids"] == ["a", "b"]
    assert (first["added_mw"], first["margin_mw"]) == (250.0, 200.0)


def test_loads_at_one_substation_add_up(con):
    assert left(judged(con, ("b", 50), ("b", 50))) == left(judged(con, ("b", 100)))


def test_generation_is_shared_too(con):
    found = judged(con, ("a", 140), ("b", 120))
    assert left(found)["committed firm units of the I interconnection"] == -10.0


def test_what_is_stated_or_unknown_has_no_limit_but_its_own(con):
    found = judged(con, ("c", 40), ("d", 5))
    assert [(row["limit_text"], row["left_mw"], row["is_broken"]) for row in found] == [
        ("what c can host alone", -10.0, True),
        ("what d can host alone", None, None),
    ]


def test_a_plan_that_cannot_be_judged_says_why(con):
    with pytest.raises(duckdb.Error, match="there is no substation nowhere"):
        judged(con, ("a", 1), ("nowhere", 1))
    with pytest.raises(duckdb.Error, match="mw of 0 or more"):
        judged(con, ("a", -1))
    assert judged(con) == []
