"""The report: what it says, and that no text in it becomes markup."""

import dataclasses
import datetime as dt

import pytest
from markdown_it import MarkdownIt

from geo.export._markdown import escape
from geo.export.model import SYNTHETIC_SENTENCE
from geo.export.report import markdown_report
from geo.export.report_data import (
    CheckReport,
    RankedRow,
    RejectReport,
    ReportData,
    SourceReport,
    UsedMetric,
    WorkloadReport,
)

HOSTILE = [
    "<script>alert(1)</script>",
    "a | b || c",
    "[x](javascript:alert(1)) ![y](http://e.example/z.png)",
    "`code` **bold** __strong__ ~~gone~~ $x$",
    "line\nbreak\r\n\n# heading",
    "https://e.example www.e.example a@b.example",
    "\u202eevil\u2066 مقاطعة 🚀",
    "&lt;b&gt; &amp; \\| \\",
    "1. x",
    "- x",
    "# x",
    "| --- |",
    "",
]


def rows(count, name="Region"):
    return [
        RankedRow(
            rank=i + 1,
            name=f"{name} {i + 1}",
            score_low=0.9 - i / 100,
            score_high=0.95 - i / 100,
            reason="345 kV at 0.6 mi",
            place="Iowa",
        )
        for i in range(count)
    ]


def data(**changes):
    return dataclasses.replace(
        ReportData(
            study="open-conus",
            study_title="Open CONUS",
            run_id="r1",
            run_date=dt.date(2026, 1, 2),
            parcel_count=210_000,
            parcel_kind="h3 cell",
            is_synthetic=True,
            tool_version="0.1.0",
            elapsed_s=83.2,
            workloads=[
                WorkloadReport(
                    name="training",
                    title="Training",
                    region_kind="county",
                    regions=rows(25),
                    parcels=rows(15, "p"),
                    removed_factors=["land_value"],
                ),
                WorkloadReport(name="inference", title="Inference", region_kind="metro"),
            ],
            sources=[
                SourceReport(
                    title="Grid",
                    as_of="2020",
                    licence="MIT",
                    is_synthetic=True,
                    age="about 6 years",
                    fetched=dt.date(2026, 1, 1),
                    rows_read=10,
                    rows_loaded=8,
                    rows_rejected=2,
                ),
                SourceReport(
                    title="Old",
                    as_of="2019",
                    licence="public domain",
                    attribution="Old & Co.",
                    unverified_since=dt.date(2025, 5, 1),
                    is_stale=True,
                ),
            ],
            metric_known_share={
                "acres": 0.0,
                "rtt_metro_ms": 0.42,
                "substation_mi": 1.0,
                "x_kv": 0.9999,
            },
            known_share=0.83,
            rejects=[
                RejectReport(source="wri", reason="latitude 425.25", row_count=1),
                RejectReport(source="eia", reason="no coordinates", row_count=1_200),
            ],
            checks=[
                CheckReport(name="in_area", severity="error", offending_count=0),
                CheckReport(
                    name="states",
                    severity="warn",
                    offending_count=3,
                    description="every state",
                    examples=("Iowa", "Ohio", "Utah"),
                ),
            ],
            withheld={"Telegeography": "terms are not stated"},
            limits=["People are spread by load."],
        ),
        **changes,
    )


def rendered(text):
    return MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(text)


def section(text, heading):
    return text.split(f"## {heading}\n")[1].split("\n## ")[0]


def test_report_says_what_was_run_and_found():
    text = markdown_report(data())
    head = text.split("\n## ")[0]
    assert "**open-conus**" in head
    assert "210,000 h3 cell parcels measured. The run took 1 min 23 s." in head
    assert SYNTHETIC_SENTENCE in head
    assert "Last good copies stand in for: Old." in head
    assert "Checks with findings: states." in head
    training = section(text, "Training")
    assert "| 1 | Region 1 | 0.900\N{EN DASH}0.950 | 345 kV at 0.6 mi |" in training
    assert "Region 20 " in training
    assert "Region 21" not in training
    assert "| 10 | p 10 | Iowa |" in training
    assert "p 11" not in training
    assert "No metro is ranked." in section(text, "Inference")
    sources = section(text, "Sources")
    assert (
        "| Grid (synthetic) | 2020 | about 6 years | 2026-01-01 | current | 10 | 8 | 2 |" in sources
    )
    assert "| Old | 2019 | unknown | \N{EN DASH} | stale, unverified since 2025-05-01 |" in sources
    terms = section(text, "Terms and attribution")
    assert "| Grid | MIT |  |" in terms
    assert "| Old | public domain | Old &amp; Co. |" in terms
    assert "- Telegeography: terms are not stated" in terms
    gaps = section(text, "What the study lacks")
    assert "training: removed from the profile because the study never has it: land_value." in gaps
    assert "Unknown for every parcel: acres." in gaps
    assert "rtt_metro_ms 42 %, x_kv over 99 %" in gaps
    assert "83 % of its metrics" in gaps
    assert "| all |  | 1,201 |" in section(text, "Rejected rows")
    assert "1 of 2 checks found nothing." in section(text, "Checks")
    assert "| states | warn | 3 | every state | Iowa; Ohio |" in section(text, "Checks")
    assert "People are spread by load." in section(text, "Honest limits")


def test_report_without_anything_still_stands():
    empty = ReportData(
        study="s",
        study_title="S",
        run_id="r",
        run_date=dt.date(2026, 1, 2),
        parcel_count=1,
        parcel_kind="assessor",
        is_synthetic=False,
    )
    text = markdown_report(empty)
    assert "1 assessor parcel measured." in text
    assert "synthetic" not in text
    for words in ("No row was rejected.", "No check was run.", "No source is listed."):
        assert words in text


def test_report_is_the_same_for_the_same_data():
    assert markdown_report(data()) == markdown_report(data())


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (0.5, 0.5, "0.500"),
        (None, None, "\N{EN DASH}"),
        (float("nan"), 0.5, "\N{EN DASH} to 0.500"),
        (71.25, 88.0, "71.2\N{EN DASH}88.0"),
    ],
)
def test_scores_are_shown_as_intervals(low, high, shown):
    row = RankedRow(rank=1, name="x", score_low=low, score_high=high)
    workload = WorkloadReport(name="t", title="T", region_kind="state", regions=[row])
    assert f"| 1 | x | {shown} |" in markdown_report(data(workloads=[workload]))


@pytest.mark.parametrize("text", HOSTILE)
def test_escaped_text_renders_as_itself(text):
    html = rendered(
        f"before {escape(text)} after\n\n| a | b |\n| --- | --- |\n| {escape(text)} | end |\n"
    )
    tags = {part.split(">")[0].split()[0].strip("/") for part in html.split("<")[1:]}
    assert tags == {"p", "table", "thead", "tbody", "tr", "th", "td"}
    assert html.count("<td>") == 2, "no cell more, none less"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_anywhere_changes_no_structure(text):
    row = RankedRow(rank=1, name=text, score_low=0.1, score_high=0.2, reason=text, place=text)
    hostile = data(
        study_title=text,
        workloads=[
            WorkloadReport(
                name=text,
                title=text,
                region_kind="county",
                regions=[row],
                parcels=[row],
                removed_factors=[text],
            )
        ],
        sources=[
            SourceReport(title=text, as_of=text, licence=text, attribution=text, is_stale=True)
        ],
        rejects=[RejectReport(source=text, reason=text, row_count=1)],
        checks=[
            CheckReport(
                name=text, severity="warn", offending_count=1, description=text, examples=(text,)
            )
        ],
        withheld={text: text},
        figures=[(text, text)],
        used_metrics=[UsedMetric(name=text, label=text, known_share=0.5, profile_count=1)],
        standing=text,
        limits=[text],
    )
    html = rendered(markdown_report(hostile))
    for tag in ("<script", "<a ", "<img", "<code", "<em", "<del", "<s>", 'javascript:alert(1)"'):
        assert tag not in html
    assert html.count("<table>") == 8
    assert html.count("<h1>") == 1
    assert html.count("<li>") == len(html.split("<li>")) - 1 >= 5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("substation_mi 0.6 mi", "substation_mi 0.6 mi"),
        ("_x_", "\\_x\\_"),
        ("58.7 $/MWh", "58.7 \\$/MWh"),
        ("12. Street", "12\\. Street"),
        ("a@b.example", "a&#64;b.example"),
    ],
)
def test_escape_leaves_plain_words_readable(text, expected):
    assert escape(text) == expected


def test_a_check_is_told_with_the_first_of_what_it_found():
    found = [
        CheckReport(
            name="a", severity="info", offending_count=3, description="d", examples=("x", "y", "z")
        ),
        CheckReport(name="b", severity="warn", offending_count=1, description="e"),
        CheckReport(name="c", severity="error", offending_count=0, description="f", examples=()),
    ]
    text = markdown_report(data(checks=found))
    assert "1 of 3 checks found nothing." in text
    assert "| a | info | 3 | d | x; y |" in text
    assert "| b | warn | 1 | e |" in text
    assert "Checks with findings: b." in text
