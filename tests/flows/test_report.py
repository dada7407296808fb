"""The report of a run, read out of a build: what it says is what the build holds."""

import datetime as dt
import re
import shutil
from types import SimpleNamespace

import duckdb
import pytest

from data import store
from flows.freshness import data_age
from flows.run_report import report_data
from geo.export.report import markdown_report
from geo.export.report_html import html_report
from tests.flows.conftest import rows, write_to
from tests.geo.test_export_report_html import Page
from tests.sql import cookbook

MAX_BYTES = 3_000_000
# A run before all others, whose ranks each test makes up.
BEFORE = "20200101T021500000-1"


def told(build):
    with store.open_build(build) as con:
        return report_data(con)


@pytest.fixture(scope="module")
def report(base):
    return told(base.build)


@pytest.fixture
def own(base, tmp_path):
    """A copy of the build to change."""
    path = tmp_path / "own.duckdb"
    shutil.copyfile(base.build, path)
    return SimpleNamespace(path=path, run_id=rows(path, "select run_id from meta.run")[0][0])


def test_every_run_leaves_both_forms_of_the_report(base, report):
    """The files are those that the build gives again, byte for byte."""
    exports = base.home / "exports"
    page = (exports / "report.html").read_text(encoding="utf-8")
    assert page == html_report(report)
    assert (exports / "report.md").read_text(encoding="utf-8") == markdown_report(report)
    assert len(page.encode()) < MAX_BYTES
    Page(page)
    for name in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", markdown_report(report)):
        assert (exports / name).is_file(), name


def test_main_workloads_have_a_map_and_all_have_their_ranking(base, report):
    assert [(w.name, w.picture is not None) for w in report.workloads] == [
        ("training", True),
        ("inference", True),
    ]
    for workload in report.workloads:
        want = rows(
            base.build,
            f"""
            select rank, region_name, rank_p05, rank_p95, cost_mid from mart.{workload.name}_regions
            where region_kind = 'county' and rank is not null order by rank limit 20
            """,
        )
        got = [(r.rank, r.name, r.rank_p05, r.rank_p95, r.cost_mid) for r in workload.regions]
        assert got == want
        assert all(f"{rank:,}. {name}" in workload.picture.svg for rank, name, *_ in want)
        counts = dict(
            rows(
                base.build,
                f"select gate_status, count(*) from mart.parcel_score where workload = '{workload.name}' group by 1",
            )
        )
        assert workload.pass_count == counts.get("pass", 0)
        assert workload.unknown_count == counts.get("unknown", 0)
        assert workload.fail_count == counts.get("fail", 0)


def test_figures_are_those_of_the_build(base, report):
    figures = {what: number for number, what in report.figures}
    ((parcels,),) = rows(base.build, "select count(*) from core.parcel")
    ((people,),) = rows(
        base.build, "select sum(people) from mart.people_state where state_id is not null"
    )
    ((plants,),) = rows(base.build, "select sum(capacity_mw) from core.plant")
    assert figures["parcels measured"] == f"{parcels:,}"
    assert figures["people counted around parcels"] == f"{people / 1e6:,.1f} M"
    assert [n for what, n in figures.items() if what.startswith("generation")] == [
        f"{plants:,.0f} MW"
    ]


def test_what_is_known_of_each_metric_that_is_asked_for(base, report):
    asked = rows(base.build, "select metric from meta.factor union select metric from meta.gate")
    assert {metric.name for metric in report.used_metrics} == {name for (name,) in asked}
    shares = [metric.known_share for metric in report.used_metrics]
    assert shares == sorted(shares)
    known = {metric.name: metric.known_share for metric in report.used_metrics}
    ((share,),) = rows(
        base.build, "select count(headroom_mw_mid) / count(*) from core.parcel_metric"
    )
    assert known["headroom_mw_mid"] == pytest.approx(share)
    assert known["land_value_usd_per_acre"] == 0


def test_sources_whose_terms_withhold_them_are_named_with_why(base, report):
    held = rows(base.build, "select title, data_terms from meta.source where not is_exportable")
    assert held
    assert set(report.withheld) == {title for title, _ in held}
    page = html_report(report)
    assert "Withheld from exports" in page


def test_rejected_rows_of_withheld_sources_show_no_piece_of_a_row(own):
    write_to(
        own.path,
        """
        insert into meta.rejected_row by name
        select * replace ('topohub_backbone' as source_id, 'bad' as reject_code, 'lies in Atlantis' as reason)
        from meta.rejected_row limit 1
        """,
    )
    report = told(own.path)
    reasons = {r.reason for r in report.rejects if r.source in report.withheld}
    assert "bad" in reasons
    assert "Atlantis" not in html_report(report)
    others = {r.reason for r in report.rejects if r.source not in report.withheld}
    assert any(": " in reason for reason in others)


def test_sources_tell_their_age_and_that_nobody_ran_their_address(own):
    write_to(
        own.path,
        "update meta.source set as_of = '2024-08', is_stale = true where source_id = 'topohub_backbone'",
    )
    write_to(own.path, "update meta.run set started_at = timestamp '2026-10-02 02:00:00'")
    report = told(own.path)
    (source,) = [s for s in report.sources if s.as_of == "2024-08"]
    assert source.age == "2 years"
    assert source.is_stale
    assert source.title in markdown_report(report).split("\n## ")[0]


def test_the_first_run_says_that_it_is_the_first(report):
    assert report.moved is None
    assert report.standing.startswith("This is the first run of its study")


def test_a_run_that_found_nothing_changed_says_which_it_equals(own):
    write_to(own.path, f"update meta.run set run_id = '{own.run_id}0'")
    report = told(own.path)
    assert report.moved is None
    assert f"this run ranks what run {own.run_id} of " in report.standing


def past(own, change):
    """Give the build an earlier run in its history, with other ranks."""
    write_to(
        own.path,
        f"""
        insert into mart.rank_history by name
        select * replace ('{BEFORE}' as run_id, timestamp '2020-01-01 02:15:00' as started_at, {change} as rank)
        from mart.rank_history
        """,
    )


def test_movers_are_told_against_the_run_before(own):
    past(own, "rank + 3")
    report = told(own.path)
    assert report.standing == ""
    assert report.moved.since_run_id == BEFORE
    assert all(row.rank_before == row.rank_after + 3 for row in report.moved.rows)
    assert f"What moved since run {BEFORE}" in html_report(report)


def test_a_run_after_which_all_counties_stand_where_they_stood(own):
    past(own, "rank")
    report = told(own.path)
    assert report.moved is None
    assert report.standing == "No county changed its rank since the run before."


def test_a_build_from_before_there_was_a_history_tells_nothing_of_it(own):
    write_to(own.path, "drop table mart.rank_history")
    report = told(own.path)
    assert (report.moved, report.standing) == (None, "")
    assert "What moved" not in markdown_report(report)


@pytest.mark.parametrize(
    ("as_of", "age"),
    [
        ("2026-03", "this month"),
        ("2026-02-14", "1 month"),
        ("2024-08", "19 months"),
        ("2024-03", "2 years"),
        ("2023-04", "2 years"),
        ("2020", "about 6 years"),
        ("2025", "about 1 year"),
        ("2026", "this year"),
        ("2024-2026", "this year"),
        ("2020-2022", "about 4 years"),
        (" 2020 ", "about 6 years"),
        ("2027-01", "this month"),
        ("GSHHG 2.3.6", ""),
        ("each row states its year", ""),
        ("20201", ""),
        ("", ""),
    ],
)
def test_ages_are_as_exact_as_their_sources(as_of, age):
    assert data_age(as_of, dt.date(2026, 3, 15)) == age


@pytest.mark.parametrize(
    "question", cookbook.questions(), ids=lambda question: f"{question.number}"
)
def test_the_cookbook_runs_on_a_published_build(base, monkeypatch, question):
    monkeypatch.chdir(cookbook.ROOT)
    with duckdb.connect(str(base.build), read_only=True) as con:
        assert cookbook.ask(con, question.query)
