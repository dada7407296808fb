"""The power step on the tiny study's network: figures known by hand, reuse, stated capacities, the answer."""

import shutil
from types import SimpleNamespace

import duckdb
import numpy as np
import pandas as pd
import pytest

from data.errors import InputError
from data.study import load_study
from flows import cli, power
from flows.home import Home
from geo.errors import GeoError
from tests.flows import tiny
from tests.flows.conftest import rows
from tests.flows.plain import without_prefect

# Thurmont hangs on Frederick, and that on Dickerson by one line of 1,300 MVA that carries 120 MW.
RADIAL = {"headroom_mw_low": 0.95 * 1300 - 120.0, "headroom_mw_mid": 1300 - 120.0,
          "headroom_mw_high": 1.05 * 1300 - 0.85 * 120}  # fmt: skip
FIRM_HEADROOM_MW = (1500 + 850 + 770) / 2
STATED = "substation_id,mw_low,mw,mw_high,as_of,source\n{},10,20,30,2025,Potomac Edison\nno-such,1,1,1,2025,x\n"


@pytest.fixture(scope="module")
def layers(base):
    (found,) = (base.home / "work").glob("layers-*.duckdb")
    return found


@pytest.fixture(scope="module")
def study(base):
    return load_study(str(base.study)).model_copy(update={"headroom_method": "load_flow"})


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return Home.at(tmp_path_factory.mktemp("power")).make()


@pytest.fixture(scope="module")
def made(study, layers, home):
    """The power step of the tiny study, once."""
    return power.make_power(study, layers, home, [].append)


@pytest.fixture(scope="module")
def thurmont(made):
    return one(made, "THURMONT")


def one(made, name):
    found = pd.read_parquet(made).set_index("substation_name")
    return found.loc[name]


def edited(layers, folder, *statements):
    """A copy of the layers with something changed."""
    path = folder / "layers-edited.duckdb"
    shutil.copyfile(layers, path)
    with duckdb.connect(str(path)) as con:
        for statement in statements:
            con.execute(statement)
    return path


def test_a_radial_substation_has_what_its_line_leaves(thurmont):
    assert thurmont[[*RADIAL]].to_dict() == pytest.approx(RADIAL)
    assert thurmont["headroom_n0_mw"] == pytest.approx(1180)
    assert thurmont["limit_text"] == "line 230 kV DICKERSON - FREDERICK with all in service"
    assert thurmont["limit_kind"] == "branch"
    assert pd.isna(thurmont["limit_outage_id"])
    assert (thurmont["connect_kv"], thurmont["circuit_count"]) == (69, 1)
    assert thurmont["import_n1_mw"] == 0
    assert thurmont["is_single_fed"]
    assert thurmont["method"] == "load_flow"
    assert thurmont["confidence"] == 1
    assert not thurmont["is_inferred"]


def test_reserves_are_what_running_firm_units_have_left(made, thurmont):
    assert thurmont["reserve_interconnection_mw"] == FIRM_HEADROOM_MW
    assert thurmont["reserve_zone_mw"] == 850 / 2
    assert one(made, "ASHBURN")["reserve_zone_mw"] == (1500 + 770) / 2


def test_what_nothing_reaches_hosts_nothing_and_says_so(made):
    lonely = one(made, "KANSAS")
    assert (lonely["headroom_mw_high"], lonely["limit_kind"]) == (0, "no_supply")
    assert lonely["limit_text"].startswith("nothing serves it")
    note = pd.read_parquet(power.beside(made, "note"))
    told = note.set_index("code")["detail"]
    assert told.index.tolist() == ["alone"]
    # The bus of the substation that is rejected is there too.
    count = len(pd.read_parquet(made)) - len(tiny.SUBSTATIONS) + 1
    assert told["alone"].startswith(f"{count} buses that no branch reaches")


def test_flexible_load_grows_with_what_it_gives_way(thurmont):
    mid = [thurmont[f"flexible_{code}_mw_mid"] for code in ("025", "050", "100")]
    # Its line has room for 1,264 MW where the system is at 0.3 of its peak.
    assert 1180 < mid[0] < mid[1] < mid[2] < 1264
    for code in ("025", "050", "100"):
        low, middle, high = (
            thurmont[f"flexible_{code}_mw_{end}"] for end in ("low", "mid", "high")
        )
        assert low < middle < high


def test_limits_stand_in_order_one_an_element_and_begin_with_what_binds(made, thurmont):
    limits = pd.read_parquet(power.beside(made, "constraint"))
    own = limits[limits["substation_id"] == thurmont["substation_id"]]
    assert own["order_no"].tolist() == list(range(1, len(own) + 1))
    assert own["alone_mw"].is_monotonic_increasing
    assert own["branch_id"].is_unique
    first = own.iloc[0]
    assert (first["branch_id"], first["alone_mw"], first["margin_mw"], first["mw_per_mw"]) == (
        thurmont["limit_branch_id"], pytest.approx(1180), pytest.approx(1180), pytest.approx(1),
    )  # fmt: skip
    assert first["limit_text"] == thurmont["limit_text"]


def test_every_assumption_is_varied_alone(made):
    told = pd.read_parquet(power.beside(made, "sensitivity"))
    every = told[told["interconnect"].isna() & told["kv_class"].isna()].set_index("case_name")
    assert every.loc["mid", "rank_correlation"] == pytest.approx(1)
    assert {"low", "high", "rating_factor 0.9", "emergency_factor 1.3", "factor_floor 0.03",
            "flow_factor 1.05", "estimated_rating low", "supply committable"} <= set(every.index)  # fmt: skip
    # Most of the tiny grid's substations stand alone.
    assert every["zero_share"].between(0.8, 0.9).all()
    count = told[
        told["kv_class"].notna() & told["interconnect"].isna() & (told["case_name"] == "mid")
    ]
    assert count["substation_count"].sum() == every.loc["mid", "substation_count"]


def test_what_is_over_its_limit_before_any_load_is_listed_and_does_not_bind(
    study, layers, home, tmp_path
):
    line = "where branch_id = '108'"
    path = edited(layers, tmp_path, f"update core.branch set flow_mw = 1400 {line}")
    made = power.make_power(study, path, home, [].append)
    (waived,) = pd.read_parquet(power.beside(made, "waived")).to_dict("records")
    assert waived["limit_text"] == "line 230 kV DICKERSON - FREDERICK with all in service"
    assert (waived["flow_mw"], waived["limit_mw"]) == (1400, 1300)
    # The next line on the way then limits: 1,350 MVA that carry 120 MW.
    assert one(made, "THURMONT")["headroom_mw_mid"] == pytest.approx(1350 - 120)


def test_it_is_computed_again_only_when_the_network_or_the_rules_change(
    study, layers, home, made, tmp_path
):
    said = []
    other = study.model_copy(update={"title": "Another", "limits": ["x"]})
    assert power.make_power(other, layers, home, said.append) == made
    assert said == ["power: unchanged, reused"]
    moved = edited(layers, tmp_path, "update core.county set county_name = 'Elsewhere'")
    assert power.make_power(study, moved, home, said.append) == made
    path = edited(
        layers, tmp_path, "update core.branch set rating_mva = 600 where branch_id = '108'"
    )
    changed = power.make_power(study, path, home, said.append)
    assert changed != made
    assert one(changed, "THURMONT")["headroom_mw_mid"] == pytest.approx(600 - 120)


def test_the_order_of_the_layers_decides_no_bit(study, layers, home, made, tmp_path):
    turned = [
        f"create or replace table core.{name} as from core.{name} order by hash({name}_id)"
        for name in ("bus", "branch", "plant")
    ]
    path = edited(layers, tmp_path, *turned)
    assert power.make_power(study, path, home, [].append) == made
    again = power.make_power(study, path, Home.at(tmp_path).make(), [].append)
    for table in (made, *(power.beside(made, name) for name in power.BESIDE)):
        there, here = pd.read_parquet(table), pd.read_parquet(again.with_name(table.name))
        pd.testing.assert_frame_equal(here, there, check_exact=True)


def test_stated_capacities_take_the_place_of_computed_ones(
    study, layers, home, made, thurmont, tmp_path
):
    path = tmp_path / "stated.csv"
    path.write_text(STATED.format(thurmont["substation_id"]))
    said = []
    stated = power.make_power(study, layers, home, said.append, [path])
    assert said[0] == "power: unchanged, reused"
    row = one(stated, "THURMONT")
    assert row[[*RADIAL]].tolist() == [10, 20, 30]
    assert (row["method"], row["capacity_as_of"], row["capacity_source"]) == (
        "user", "2025", "Potomac Edison",
    )  # fmt: skip
    assert pd.isna(row["headroom_n0_mw"])
    assert pd.isna(row["flexible_100_mw_mid"])
    (rejected,) = pd.read_parquet(power.beside(stated, power.REJECTED)).to_dict("records")
    assert (rejected["file"], rejected["raw_row"]) == ("stated.csv", 2)
    there, before = (pd.read_parquet(path).set_index("substation_name") for path in (stated, made))
    pd.testing.assert_frame_equal(there.drop(index="THURMONT"), before.drop(index="THURMONT"))
    assert power.make_power(study, layers, home, said.append, [path]) == stated
    assert said[-1] == "stated capacities: unchanged, reused"


def test_a_load_series_takes_the_place_of_the_assumed_shape(
    study, layers, home, thurmont, tmp_path
):
    path = tmp_path / "load.csv"
    # The system is at its peak in every hour: giving way wins what the share itself is worth.
    pd.DataFrame({"mw": np.full(8760, 500.0)}).to_csv(path, index=False)
    flat = study.model_copy(update={"load_series": path})
    row = one(power.make_power(flat, layers, home, [].append), "THURMONT")
    assert row["flexible_100_mw_mid"] == pytest.approx(1180 / 0.99)
    assert row["headroom_mw_mid"] == thurmont["headroom_mw_mid"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hour,mw\n" + "1,2\n" * 8760, "has 2: hour, mw"),
        ("when\n" + "noon\n" * 8760, "it has none"),
        ("mw\n" + "5\n" * 10, "holds 10 hours"),
        ("mw\n5\n-3\n" + "5\n" * 8760, "row 2 of column mw is no load: '-3'"),
        ("when,mw\na,5\nb,\n" + "c,5\n" * 8760, "row 2 of column mw is no load"),
        ("mw\n" + "0\n" * 8760, "is 0 in every hour"),
    ],
)
def test_a_load_series_that_cannot_be_used_says_why(study, layers, home, tmp_path, text, said):
    path = tmp_path / "load.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        power.make_power(study.model_copy(update={"load_series": path}), layers, home, [].append)


def test_an_empty_network_is_an_error_of_its_own(study, layers, home, tmp_path):
    path = edited(layers, tmp_path, "delete from core.bus")
    with pytest.raises(GeoError, match="no bus"):
        power.make_power(study, path, home, [].append)


def test_a_study_without_a_network_tells_circuits_and_no_limits(base):
    (made,) = [p for p in (base.home / "work").glob("power-*.parquet") if p.name.count(".") == 1]
    row = one(made, "LEESBURG")
    assert (row["method"], row["limit_kind"]) == ("import_estimate", "circuits")
    assert row["limit_text"].startswith("2 circuits, all but the largest")
    assert pd.isna(row["headroom_n0_mw"])
    assert pd.isna(row["reserve_zone_mw"])
    for table in power.BESIDE:
        assert pd.read_parquet(power.beside(made, table)).empty


@pytest.fixture(scope="module")
def published(base, tmp_path_factory):
    """A run of the tiny study by load flow, with what a utility states of Sterling."""
    folder = tmp_path_factory.mktemp("published")
    shutil.copytree(base.study.parent, folder / "study")
    study = folder / "study" / base.study.name
    tiny.edit(study, {"headroom_method": "load_flow"})
    stated = folder / "stated.csv"
    sterling = rows(
        base.build, "select substation_id from mart.substation where substation_name = 'STERLING'"
    )[0][0]
    stated.write_text(STATED.format(sterling))
    home = folder / "home"
    with pytest.MonkeyPatch.context() as patch:
        without_prefect(patch)
        command = ["run", str(study), "--home", str(home), "--capacity", str(stated), "--quiet"]
        assert cli.main(command) == 0
    return SimpleNamespace(home=home, build=home / "gridstead.duckdb", sterling=sterling)


@pytest.mark.slow
def test_a_build_holds_what_the_step_found(published):
    found = rows(
        published.build,
        "select method, count(*), min(headroom_mw_mid) from mart.substation group by all order by 1",
    )
    assert [row[:2] for row in found] == [("load_flow", 55), ("user", 1)]
    assert rows(published.build, "select count(*) from mart.substation_constraint")[0][0] > 20
    assert rows(published.build, "select count(*) from meta.power_sensitivity")[0][0] > 40
    assert rows(published.build, "select distinct code from meta.power_note") == [("alone",)]
    rejected = "select source_id, file, reason from meta.rejected_row where raw_table = 'capacity'"
    assert rows(published.build, rejected)[0][:2] == ("capacity", "stated.csv")
    fed = "select headroom_mw_mid from core.parcel_metric where headroom_substation_id = ?"
    with duckdb.connect(str(published.build), read_only=True) as con:
        assert {mw for (mw,) in con.execute(fed, [published.sterling]).fetchall()} <= {20}
    report = (published.home / "exports" / "report.md").read_text()
    assert "## Power" in report
    assert "load flow" in report


@pytest.mark.slow
def test_power_at_a_point_says_who_serves_it_and_what_limits_it(gridstead, published):
    answer = gridstead("power", "39.42,-77.36", "--home", published.home)
    assert answer.code == 0
    assert "FREDERICK" in answer.out
    assert "What limits it first: line 230 kV DICKERSON - FREDERICK" in answer.out
    told = gridstead("power", "39.42,-77.36", "--home", published.home, "--json").json
    near = told["substations"]
    assert {"FREDERICK", "THURMONT", "DICKERSON"} == {each["substation_name"] for each in near}
    assert all(0 <= each["miles"] <= 20 for each in near)
    assert told["best_substation_id"] == near[0]["substation_id"]
    assert told["upgrade"] is None
    assert told["limits"][0]["limit_text"] == near[0]["limit_text"]


@pytest.mark.slow
def test_more_than_there_is_asks_for_an_upgrade(gridstead, published):
    said = gridstead("power", "39.62,-77.20", "--mw", 1300, "--home", published.home)
    assert "None within 20 miles serves 1,300 MW in the middle case." in said.out
    told = gridstead("power", "39.62,-77.20", "--mw", 1300, "--home", published.home, "--json").json
    upgrade = told["upgrade"]
    assert [each["alone_mw"] for each in upgrade["elements"]] == sorted(
        each["alone_mw"] for each in upgrade["elements"]
    )
    assert all(each["alone_mw"] < 1300 for each in upgrade["elements"])
    line = upgrade["elements"][0]
    # 14.6 straight miles from Dickerson to Frederick, 1.3 times as long, 2.6 M$ a mile.
    assert line["element_text"] == "line 230 kV DICKERSON - FREDERICK"
    assert line["miles"] == pytest.approx(1.3 * 14.77, abs=0.1)
    assert line["musd"] == pytest.approx(2.6 * line["miles"])
    assert line["cost_class"] == "$$"
    assert "rebuild" in said.out


@pytest.mark.slow
def test_a_load_that_fits_needs_no_upgrade(gridstead, published):
    told = gridstead("power", "39.62,-77.20", "--mw", 300, "--home", published.home, "--json").json
    assert told["upgrade"]["elements"] == []
    assert told["substations"][0]["serves"] == "yes"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["somewhere"], "'somewhere' is no point"),
        (["91,-77"], "is no latitude and longitude"),
        (["39.4,-77.3", "--mw", "-5"], "--mw -5 is no load"),
        (["39.4,-77.3", "--mw", "nan"], "--mw nan is no load"),
        ([], "Name a point"),
    ],
)
def test_what_is_no_point_or_no_load_is_said(gridstead, published, words, said):
    answer = gridstead("power", *words, "--home", published.home)
    assert (answer.code, answer.out) == (2, "")
    assert said in " ".join(answer.err.split())


@pytest.mark.slow
def test_a_point_far_from_any_substation_has_unknown_power(gridstead, published):
    answer = gridstead("power", "45.0,-60.0", "--home", published.home)
    assert answer.code == 0
    assert "No substation stands within 20 miles: its power is unknown." in answer.out
    told = gridstead("power", "45.0,-60.0", "--mw", 100, "--home", published.home, "--json").json
    assert (told["substations"], told["best_substation_id"], told["upgrade"]) == ([], None, None)
