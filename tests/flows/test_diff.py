"""What moved between two runs, and which input moved it: worked out by hand, and held against sums."""

import datetime as dt
import json
import math

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import BuildError, UsageError
from flows import diff, history
from flows.diff_moves import moves
from flows.diff_points import INPUT, PLAN, PROFILE, Attribution
from flows.home import Home
from geo.export.report import markdown_report
from geo.export.report_data import MovedReport, MovedRow, ReportData
from tests.flows import history_world as small
from tests.flows import tiny
from tests.flows.conftest import rows
from tests.flows.test_run import write_profile

VALUES = {
    "headroom_mw_mid": [400.0, 700.0, 300.0, 50.0],
    "industrial_usd_per_mwh": [80.0, 80.0, 60.0, 60.0],
    "pop_mi": [10.0, 20.0, 5.0, 1.0],
}
PLANS = {"A": [(0, 300_000)], "B": [(1, 300_000)], "C": [(2, 200_000)], "D": []}
EXACT = 1e-9


def changed(**columns):
    return VALUES | columns


def sides(*made):
    return [small.MemorySide(each) for each in made]


def parts_of(told):
    """Points by metric and kind, of a list of parts."""
    return {(part.metric, part.by): part.points for part in told}


@pytest.fixture
def before():
    return small.world("1", VALUES, PLANS)


def test_points_of_the_only_factor_that_changed_are_its_sources(before):
    prices = small.SOURCES | {"prices": "p2"}
    after = small.world(
        "2", changed(industrial_usd_per_mwh=[80.0, 80.0, 52.0, 60.0]), PLANS, sources=prices
    )
    told = Attribution(*sides(before, after), "training")
    (part,) = told.parcel(2)
    # Eight dollars of eighty, at a weight of 0.3.
    assert (part.metric, part.by, part.causes) == ("industrial_usd_per_mwh", INPUT, ("prices",))
    assert part.points == pytest.approx(3.0, abs=EXACT)
    assert (part.before, part.after) == (60.0, 52.0)
    assert told.parcel(0) == []
    (of_region,) = told.region("county", "C")
    assert of_region.points == pytest.approx(3.0 * 200 / 300, abs=EXACT)
    assert of_region.causes == ("prices",)


def test_two_inputs_that_changed_at_once_have_their_own_factors(before):
    both = small.SOURCES | {"prices": "p2", "carriers": "c2"}
    values = changed(industrial_usd_per_mwh=[88.0, 80.0, 60.0, 60.0], pop_mi=[1.0, 20.0, 5.0, 1.0])
    told = Attribution(*sides(before, small.world("2", values, PLANS, sources=both)), "training")
    causes = {part.metric: part.causes for part in told.parcel(0)}
    assert causes == {"industrial_usd_per_mwh": ("prices",), "pop_mi": ("carriers",)}
    points = parts_of(told.parcel(0))
    assert points["industrial_usd_per_mwh", INPUT] == pytest.approx(-3.0, abs=EXACT)
    assert points["pop_mi", INPUT] == pytest.approx(20 * 9 / 49, abs=EXACT)


def test_changed_sources_behind_one_factor_are_named_together(before):
    both = small.SOURCES | {"grid": "g2", "eia": "e2", "prices": "p2"}
    values = changed(headroom_mw_mid=[500.0, 700.0, 300.0, 50.0])
    told = Attribution(*sides(before, small.world("2", values, PLANS, sources=both)), "training")
    (part,) = told.parcel(0)
    assert part.causes == ("eia", "grid")


def test_what_no_source_of_its_own_explains_is_named_by_what_else_changed(before):
    values = changed(pop_mi=[1.0, 20.0, 5.0, 1.0])
    by_code = small.world("2", values, PLANS, program="code2")
    by_other = small.world("2", values, PLANS, sources=small.SOURCES | {"grid": "g2"})
    by_study = small.world("2", values, PLANS)
    causes = [
        Attribution(*sides(before, after), "training").parcel(0)[0].causes
        for after in (by_code, by_other, by_study)
    ]
    assert causes == [("code",), ("grid",), ("the study, or files given to the run",)]


def test_a_changed_weight_is_the_profiles_and_not_a_sources(before):
    heavier = small.PROFILE | {"headroom_mw_mid": (0.4, *small.PROFILE["headroom_mw_mid"][1:]),
                               "pop_mi": (0.3, *small.PROFILE["pop_mi"][1:])}  # fmt: skip
    after = small.world("2", changed(headroom_mw_mid=[500.0, 700.0, 300.0, 50.0]), PLANS, profile=heavier,
                        sources=small.SOURCES | {"grid": "g2"})  # fmt: skip
    points = parts_of(Attribution(*sides(before, after), "training").parcel(0))
    # The metric under the old weight, then the new weight on the new metric.
    assert points["headroom_mw_mid", INPUT] == pytest.approx(5.0, abs=EXACT)
    assert points["headroom_mw_mid", PROFILE] == pytest.approx(-5.0, abs=EXACT)
    assert points["pop_mi", PROFILE] == pytest.approx(10 * 40 / 49, abs=EXACT)


def test_who_moves_by_rivals_alone_is_told_so(before):
    values = changed(industrial_usd_per_mwh=[80.0, 120.0, 60.0, 60.0])
    after = small.world("2", values, PLANS, sources=small.SOURCES | {"prices": "p2"})
    told = moves(*sides(before, after), "training", "county", 5)
    by_name = {each.id: each for each in told.movers}
    assert (by_name["B"].rank_before, by_name["B"].rank_after) == (1, 2)
    assert (by_name["A"].rank_before, by_name["A"].rank_after) == (2, 1)
    assert by_name["A"].parts == []
    assert by_name["A"].rank_alone == 2
    assert by_name["B"].rank_alone == 2
    assert (told.moved_count, told.rescored_count) == (2, 1)
    assert told.causes == [(("prices",), 1, pytest.approx(-15.0))]


def test_a_plan_that_changed_is_told_apart_from_the_scores_of_its_parcels(before):
    values = changed(industrial_usd_per_mwh=[80.0, 72.0, 60.0, 60.0])
    plans = PLANS | {"B": [(1, 200_000), (2, 100_000)]}
    after = small.world("2", values, plans, sources=small.SOURCES | {"prices": "p2"})
    old, new = sides(before, after)
    points = parts_of(Attribution(old, new, "training").region("county", "B"))
    assert points["industrial_usd_per_mwh", INPUT] == pytest.approx(3.0, abs=EXACT)
    scores = [small.units(small.PROFILE, values, number) / 1e9 for number in (1, 2)]
    assert points["", PLAN] == pytest.approx((scores[1] - scores[0]) / 3, abs=EXACT)


def test_who_enters_and_leaves_is_told_by_its_gates(before):
    values = changed(headroom_mw_mid=[90.0, 700.0, 300.0, 150.0])
    plans = {"A": [], "B": PLANS["B"], "C": PLANS["C"], "D": [(3, 150_000)]}
    after = small.world("2", values, plans, sources=small.SOURCES | {"grid": "g2"})
    told = moves(*sides(before, after), "training", "county", 5)
    (entered,), (left,) = told.entered, told.left
    assert (entered.id, left.id) == ("D", "A")
    assert entered.gates == [("headroom_mw_mid", "fail", "pass", 50.0, 150.0)]
    assert left.gates == [("headroom_mw_mid", "pass", "fail", 400.0, 90.0)]
    assert left.why == "no parcel passes the gates: 2 fail headroom"
    parcels = moves(*sides(before, after), "training", "parcel", 5)
    assert [each.id for each in parcels.entered] == ["p3"]
    assert [each.id for each in parcels.left] == ["p0"]
    assert parcels.entered[0].gates == entered.gates


def test_land_that_is_new_or_gone_is_followed_by_its_id(before):
    """Parcel p0 is gone, p9 is new, and the others have other positions."""
    values = {name: [*column[1:], 60.0 if name != "headroom_mw_mid" else 900.0]
              for name, column in VALUES.items()}  # fmt: skip
    plans = {"A": [(3, 300_000)], "B": [(0, 300_000)], "C": [(1, 200_000)], "D": []}
    after = small.world("2", values, plans, ids=["p1", "p2", "p3", "p9"])
    old, new = sides(before, after)
    told = Attribution(old, new, "training")
    assert list(told.now) == [-1, 0, 1, 2]
    assert told.parcel(0) is None
    assert told.parcel(1) == []
    assert told.region("county", "B") == []
    (plan,) = told.region("county", "A")
    assert plan.by == PLAN
    scores = [row[0] for row in (old.ranked("training", "county")[["score"]].to_numpy(),
                                 new.ranked("training", "county")[["score"]].to_numpy())]  # fmt: skip
    assert plan.points == pytest.approx(float(scores[1][0] - scores[0][0]), abs=EXACT)
    found = moves(old, new, "training", "parcel", 5)
    assert [each.id for each in found.entered] == ["p9"]
    assert [each.id for each in found.left] == ["p0"]


UNKNOWN = st.one_of(st.just(math.nan), st.floats(0, 1200))
COLUMN = st.lists(UNKNOWN, min_size=3, max_size=3)
RUN = st.fixed_dictionaries(
    {
        "values": st.fixed_dictionaries(dict.fromkeys(VALUES, COLUMN)),
        "plan": st.lists(st.tuples(st.integers(0, 2), st.integers(1, 300_000)), max_size=3,
                         unique_by=lambda row: row[0]),
        "weights": st.lists(st.integers(1, 100), min_size=3, max_size=3),
        "target": st.sampled_from([300.0, 1000.0]),
    }
)  # fmt: skip


def drawn(run_id, run):
    total = sum(run["weights"])
    profile = {
        name: (weight / total, *small.PROFILE[name][1:])
        for name, weight in zip(small.PROFILE, run["weights"], strict=True)
    }
    return small.world(
        run_id, run["values"], {"A": run["plan"]}, profile=profile, target=run["target"]
    )


@settings(max_examples=40, deadline=None)
@given(RUN, RUN)
def test_parts_add_up_to_the_change_of_the_score(first, second):
    made = drawn("1", first), drawn("2", second)
    told = Attribution(*sides(*made), "training")
    totals = [
        [small.units({f["metric"]: (f["weight"], *small.PROFILE[f["metric"]][1:]) for f in row["factors"]},
                     run["values"], number) for number in range(3)]
        for (row, _), run in zip(made, (first, second), strict=True)
    ]  # fmt: skip
    for number in range(3):
        moved = (totals[1][number] - totals[0][number]) / 1e9
        assert sum(part.points for part in told.parcel(number)) == pytest.approx(moved, abs=EXACT)
    scores = [
        sum(kw * total[number] for number, kw in run["plan"]) / (run["target"] * 1000) / 1e9
        for total, run in zip(totals, (first, second), strict=True)
    ]
    points = sum(part.points for part in told.region("county", "A"))
    assert points == pytest.approx(scores[1] - scores[0], abs=EXACT)


@pytest.fixture
def home(tmp_path, before):
    """Three runs that differ, one that does not, and one of another study."""
    home = Home.at(tmp_path / "home").make()
    small.put(home, before)
    small.put(home, small.world("2", VALUES, study="other"))
    after = small.world("3", changed(pop_mi=[10.0, 20.0, 50.0, 1.0]), PLANS,
                        sources=small.SOURCES | {"carriers": "c2"})  # fmt: skip
    small.put(home, after)
    small.put_same(home, "4", "3", after)
    return home


def test_the_newest_run_is_compared_with_the_last_that_differed_and_is_of_its_kind(home):
    assert diff.choose(home, []) == ("1", "4")
    assert diff.choose(home, ["previous", "last"]) == ("1", "4")
    assert diff.choose(home, ["3"]) == ("3", "4")
    told = diff.diff(home, []).payload
    assert (told["before"], told["after"]) == ("1", "4")
    (workload,) = told["workloads"]
    assert workload["changed_score"] == 1
    assert told["changes"] == ["source carriers: version c1 -> c2, as of 2026, sha256 c1 -> c2"]


@pytest.mark.parametrize(("asked", "said"), [
    (["9"], "There is no run '9'"), (["1", "2", "3"], "3 runs are named"),
    (["1", "2"], "is of study small, run 2 of other"),
])  # fmt: skip
def test_wrong_runs_are_said_with_those_that_there_are(home, asked, said):
    with pytest.raises(UsageError, match=said):
        diff.diff(home, asked)
    if asked == ["9"]:
        with pytest.raises(UsageError) as raised:
            diff.diff(home, asked)
        assert raised.value.hint == "Runs, newest first: 4, 3, 2, 1; or last, previous."


def test_beginnings_of_ids_are_enough_where_they_are_of_one_run(tmp_path, before):
    home = Home.at(tmp_path).make()
    for run_id in ("101", "102", "201"):
        small.put(home, small.world(run_id, VALUES, PLANS))
    assert diff.choose(home, ["2", "102"]) == ("201", "102")
    with pytest.raises(UsageError, match="2 runs begin with '10'"):
        diff.choose(home, ["10"])


def test_equal_runs_are_said_to_be_in_a_sentence(home):
    shown = diff.diff(home, ["3", "4"])
    assert shown.notes == ["Runs 3 and 4 are equal: of inputs, profiles and code nothing changed."]
    assert shown.payload["is_equal"]


def test_a_home_without_history_or_without_another_run_says_so(tmp_path, before):
    home = Home.at(tmp_path).make()
    with pytest.raises(BuildError, match="There is no history in"):
        diff.diff(home, [])
    small.put(home, before)
    with pytest.raises(BuildError, match="No run before 1 differs from it"):
        diff.diff(home, [])


def test_ranks_are_told_where_the_detail_behind_them_is_gone(home):
    entry = history.read(home, "1")
    for role in entry.parts:
        if role.startswith("metric."):
            entry.path(role).unlink(missing_ok=True)
    shown = diff.diff(home, [], level="parcel")
    (row,) = [each for each in shown.payload["workloads"][0]["movers"] if each["id"] == "p0"]
    assert row["parts"] is None
    assert "does not hold what moved it" in row["why"]


def test_big_movers_are_those_of_the_first_twenty_and_who_moved_far(tmp_path):
    """Ranks follow headroom: county 70 comes to the top, and pushes the twentieth out."""
    home = Home.at(tmp_path).make()
    count = 90
    plain = [999.0 - number for number in range(count)]
    values = {
        "headroom_mw_mid": plain,
        "industrial_usd_per_mwh": [60.0] * count,
        "pop_mi": [9.0] * count,
    }
    plans = {f"{number:02d}": [(number, 300_000)] for number in range(count)}
    small.put(home, small.world("1", values, plans))
    assert diff.big_movers(home) == []
    rising = values | {
        "headroom_mw_mid": [1000.0 if number == 70 else mw for number, mw in enumerate(plain)]
    }
    small.put(home, small.world("2", rising, plans))
    told = diff.big_movers(home)
    assert [(row["region_id"], row["rank_before"], row["rank_after"]) for row in told] == [
        ("70", 71, 1), ("19", 20, 21),
    ]  # fmt: skip
    assert told[0]["text"] == "training: 70 County, VA rose from 71 to 1"
    assert told[0]["before_run_id"] == "1"
    small.put_same(home, "3", "2", small.world("2", rising, plans))
    assert diff.big_movers(home) == []


def test_the_report_tells_what_moved_and_nothing_where_nothing_did():
    report = ReportData(
        study="s", study_title="S", run_id="2", run_date=dt.date(2026, 1, 3), parcel_count=1,
        parcel_kind="h3_cell", is_synthetic=False,
    )  # fmt: skip
    assert "What moved" not in markdown_report(report)
    rows = [
        MovedRow(workload="training", name="A | B", rank_before=12, rank_after=None,
                 score_before=50.25, score_after=None),
        MovedRow(workload="training", name="C", rank_before=1234, rank_after=3,
                 score_before=10.0, score_after=60.5),
    ]  # fmt: skip
    moved = MovedReport(since_run_id="1", since_date=dt.date(2026, 1, 2), counts={"training": 1200},
                        rows=rows, sources=["prices (as of 2024 to 2025)"])  # fmt: skip
    text = markdown_report(ReportData(**vars(report) | {"moved": moved}))
    assert "## What moved since run 1, 2026-01-02" in text
    assert "prices (as of 2024 to 2025)" in text
    assert "training 1,200" in text
    assert "1,234" in text


def change_member(world, file, member, old, new):
    path = world.study.parent / "files" / file
    text = tiny.read_member(path, member)
    assert old in text
    tiny.rewrite_member(path, member, text.replace(old, new))
    tiny.lock(world.study.parent)


def scores_of(world, run_id):
    """Scores of the regions of a run, as its build has them."""
    build = world.home / "builds" / f"{run_id}.duckdb"
    query = (
        "select workload, region_kind, region_id, score from mart.region_rank union all "
        "select workload, 'parcel', parcel_id, score from mart.parcel_score"
    )
    return {row[:3]: row[3] for row in rows(build, query)}


def check_sums(world, told):
    """Parts add up to the change between the scores that the two builds published."""
    before, after = (scores_of(world, told[side]) for side in ("before", "after"))
    checked = 0
    for workload in told["workloads"]:
        for row in workload["movers"]:
            key = workload["workload"], workload["level"], row["id"]
            points = sum(part["points"] for part in row["parts"])
            assert points == pytest.approx(after[key] - before[key], abs=EXACT)
            checked += 1
    return checked


def causes_of(told):
    """Causes of every factor that moved anything, by its metric."""
    return {
        part["metric"]: part["causes"]
        for workload in told["workloads"]
        for row in workload["movers"]
        for part in row["parts"]
    }


@pytest.mark.slow
def test_each_change_of_a_study_is_told_as_what_it_was(world, run, gridstead):
    """A plant, then a weight, then a plant and a backbone at once; each run against the one before."""

    def diff_now(*words):
        answer = gridstead("diff", *words, "--home", world.home, "-n", 1000, "--json")
        assert answer.code == 0
        assert gridstead("diff", *words, "--home", world.home).code == 0
        return answer.json

    change_member(world, "grid.zip", "plant.csv", "1500.0", "15.0")
    assert run().code == 0
    told = diff_now()
    assert [text.split(":")[0] for text in told["changes"]] == ["source tamu_grid"]
    assert check_sums(world, told) > 0
    assert set(map(tuple, causes_of(told).values())) == {("tamu_grid",)}
    assert "firm_generation_50mi_mw" in causes_of(told)
    since = rows(world.build, "select run_id from mart.rank_history group by all order by all")
    assert [run_id for (run_id,) in since] == [told["before"], told["after"]]

    assert run().code == 0
    assert diff_now()["after"] > told["after"]
    assert "are equal" in gridstead("diff", told["after"], "last", "--home", world.home).out

    write_profile(world.study.parent / "mine.yaml", swap=True)
    workloads = yaml.safe_load(world.study.read_text())["workloads"]
    tiny.edit(world.study, {"workloads": [workloads[0] | {"profile": "mine.yaml"}, workloads[1]]})
    assert run().code == 0
    weighed = diff_now("--workload", "training", "--level", "parcel")
    assert [text.split(":")[0] for text in weighed["changes"]] == ["profile training"]
    assert set(map(tuple, causes_of(weighed).values())) == {("profile training",)}
    assert check_sums(world, weighed) > 0
    assert diff_now("--workload", "inference")["workloads"][0]["changed_score"] == 0

    change_member(world, "grid.zip", "plant.csv", "850.0", "8.0")
    for network in ("3356", "7018"):
        member = f"topohub/data/caida/2024-08/{network}.json"
        nodes = tiny.read_member(world.study.parent / "files" / "backbone.zip", member)
        moved = json.loads(nodes)
        moved["nodes"][1]["pos"] = [-77.2, 39.6]
        change_member(world, "backbone.zip", member, nodes, json.dumps(moved))
    assert run().code == 0
    both = diff_now()
    assert [text.split(":")[0] for text in both["changes"]] == [
        "source tamu_grid", "source topohub_backbone",
    ]  # fmt: skip
    parcels = diff_now("--level", "parcel")
    assert check_sums(world, parcels) > 0
    causes = causes_of(parcels)
    assert causes["firm_generation_50mi_mw"] == ["tamu_grid"]
    assert [metric for metric, cause in causes.items() if cause == ["topohub_backbone"]]
