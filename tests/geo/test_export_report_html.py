"""The HTML report: one file that asks nobody for anything, whose structure no text in it can change."""

import html
import itertools
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.errors import CrsError, GeoError
from geo.export.figures import rank_picture
from geo.export.palette import RANK_CLASSES
from geo.export.report import markdown_report
from geo.export.report_data import RankedRow, WorkloadReport
from geo.export.report_html import html_report
from tests.geo.test_export_png import grid, states
from tests.geo.test_export_report import HOSTILE, data, rows

VOID = {"meta", "br"}
# The only way out of the file that HTML and SVG know of, and what runs by itself.
LOADS = {"src", "srcset", "data", "action", "xlink:href", "poster", "background", "formaction"}


class Page(HTMLParser):
    """Reads a page as strictly as a reader may: every element is closed in its order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.texts = [], [], {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        if text.strip() and self.open:
            self.texts.setdefault(self.open[-1], []).append(text)

    def named(self, *tags):
        return [(tag, attrs) for tag, attrs in self.tags if tag in tags]


def full(**changes):
    picture = rank_picture(grid(6, 4, 2), states(), title="Training", file="training.png")
    regions = [RankedRow(rank=1, name="First", score_low=1.0, score_high=2.0, rank_p05=1, rank_p95=40,
                         cost_low=1.0, cost_mid=2.0, cost_high=3.0)]  # fmt: skip
    workload = WorkloadReport(
        name="training", title="Training", region_kind="county", regions=regions, parcels=rows(3),
        summary="A campus.", region_count=100, full_count=7, target_mw=1000.0, pass_count=5,
        unknown_count=0, fail_count=6, cost_unit="$/MWh", picture=picture,
    )  # fmt: skip
    given = {"workloads": [workload], "figures": [("12 MW", "load")], "standing": "First run."}
    return data(**(given | changes))


def test_page_has_what_readers_and_their_tools_need():
    text = html_report(full())
    page = Page(text)
    assert page.named("html") == [("html", {"lang": "en"})]
    levels = [int(tag[1]) for tag, _ in page.named("h1", "h2", "h3")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    tables = page.named("table")
    assert len(page.named("caption")) == len(tables) >= 6
    assert all(attrs.get("scope") in {"col", "row"} for _, attrs in page.named("th"))
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = [attrs["href"] for _, attrs in page.named("a")]
    assert {link[1:] for link in links} <= set(ids)
    assert all(link.startswith("#") for link in links)
    sections = [attrs["aria-labelledby"] for _, attrs in page.named("section")]
    assert len(sections) == levels.count(2) - 1, "all but the contents"
    (drawing,) = [attrs for _, attrs in page.named("svg") if attrs.get("class") == "map"]
    assert drawing["role"] == "img"
    assert "The first 10 in order: County" in drawing["aria-label"]


def test_page_is_one_file_that_runs_nothing_and_asks_for_nothing():
    text = html_report(full())
    page = Page(text)
    assert not page.named("script", "link", "iframe", "object", "embed", "base", "form", "img")
    assert not [attrs for _, attrs in page.tags if LOADS & set(attrs)]
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    assert not re.search(r"@import|url\(|@font-face|https?:", style)
    assert "default-src 'none'" in text
    for words in ("prefers-color-scheme:dark", "@media print", "max-width:45rem"):
        assert words in style


def test_both_forms_say_the_same():
    report = full()
    texts = {
        html.unescape(t).strip() for each in Page(html_report(report)).texts.values() for t in each
    }
    told = " ".join(texts)
    for line in markdown_report(report).splitlines():
        if line.startswith("|") and "---" not in line:
            for cell in line.strip("| ").split(" | "):
                plain = re.sub(r"\\([^A-Za-z0-9 ])", r"\1", html.unescape(cell)).strip()
                assert plain in told or plain in {"", "What the run covered", "How many"}, plain
        elif line.startswith("- "):
            assert html.unescape(line[2:]) in told


def test_the_same_data_give_the_same_page():
    assert html_report(full()) == html_report(full())


@pytest.mark.parametrize(
    "text",
    [*filter(None, HOSTILE), "</style><img src=x onerror=alert(1)>", '" onload="x', "\x00'&"],
)
def test_hostile_text_anywhere_changes_no_structure(text):
    def page(word):
        row = RankedRow(rank=1, name=word, score_low=0.1, score_high=0.2, reason=word, place=word)
        regions = grid(3, 2, 1).assign(region_name=word)
        workload = WorkloadReport(
            name=word, title=word, region_kind="county", regions=[row], parcels=[row], summary=word,
            picture=rank_picture(regions, states(), title=word, file=word), removed_factors=[word],
        )  # fmt: skip
        return Page(html_report(full(
            study=word, study_title=word, run_id=word, workloads=[workload], limits=[word],
            withheld={word: word}, figures=[(word, word)], standing=word,
        )))  # fmt: skip

    plain, hostile = page("plain"), page(text)
    assert [tag for tag, _ in hostile.tags] == [tag for tag, _ in plain.tags]
    assert [set(attrs) for _, attrs in hostile.tags] == [set(attrs) for _, attrs in plain.tags]
    shown = " ".join(
        text.replace("\x00", "\ufffd").translate(dict.fromkeys(map(ord, "\u202e\u2066"))).split()
    )
    assert shown in " ".join(" ".join(hostile.texts["td"]).split())


def test_marks_stand_for_their_intervals():
    marks = [
        attrs for _, attrs in Page(html_report(full())).named("rect") if attrs["class"] == "reach"
    ]
    # Ranks 1 to 40 of 100 on an axis by powers of ten: 0 to log(40) / log(100).
    assert float(marks[0]["x"]) == 0
    assert float(marks[0]["width"]) == pytest.approx(100 * np.log(40) / np.log(100), abs=0.06)


def drawn(regions, outline=None):
    picture = rank_picture(regions, states() if outline is None else outline, title="T")
    return picture, ET.fromstring(picture.svg)


def test_map_draws_every_region_in_the_class_of_its_rank():
    regions = grid(30, 20, 50)
    picture, svg = drawn(regions)
    height = int(svg.attrib["viewBox"].split()[3])
    counts = {g.attrib["class"]: len(g) for g in svg.findall("g")}
    ranks = regions["rank"].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    for index, each in enumerate(RANK_CLASSES, start=1):
        inside = (ranks >= each.first) & (ranks <= (each.last or np.inf))
        assert counts[f"rank-{index}"] == inside.sum()
    assert counts["rank-none"] == 50
    assert counts["callouts"] == 4 * 10
    assert [label for _, label in picture.legend] == [
        *(c.label for c in RANK_CLASSES),
        "not ranked",
    ]
    titles = {t.text for t in svg.iter("title")}
    first = regions.loc[regions["rank"] == 1, "region_name"].item()
    assert f"1. {first}" in titles
    numbers = [float(n) for c in svg.iter("circle") for n in (c.attrib["cx"], c.attrib["cy"])]
    assert min(numbers) >= 0
    assert max(numbers[::2]) <= 1920
    assert max(numbers[1::2]) <= height


def test_map_keeps_the_shape_of_what_it_draws():
    """A square of 300 km beside one with a hole: areas in units are those in metres."""
    west = shapely.box(0, 0, 3e5, 3e5)
    east = shapely.box(3e5, 0, 6e5, 3e5) - shapely.box(4e5, 1e5, 5e5, 2e5)
    frame = gpd.GeoDataFrame(
        {"region_id": ["a", "b"], "region_name": ["A", "B"], "rank": pd.array([1, None], "Int64")},
        geometry=[west, east],
        crs="EPSG:5070",
    )
    _, svg = drawn(frame, frame.iloc[:0])
    areas = {p.find("title").text: path_area(p.attrib["d"]) for p in svg.iter("path")}
    unit = (1920 - 48) / 6e5
    assert areas["1. A"] == pytest.approx([9e10 * unit**2], rel=0.01)
    assert sorted(areas["B"]) == pytest.approx([1e10 * unit**2, 9e10 * unit**2], rel=0.02)


def path_area(path):
    """Areas of the closed rings of a path of steps."""
    areas = []
    for ring in path.split("z")[:-1]:
        start, steps = ring[1:].split("l")
        numbers = [int(n) for n in re.findall(r"-?\d+", steps)]
        moves = np.array(numbers).reshape(-1, 2)
        corners = np.cumsum([[int(n) for n in start.split()], *moves.tolist()], axis=0)
        areas.append(shapely.Polygon(corners).area)
    return areas


def test_a_region_smaller_than_a_unit_stays_on_the_map():
    tiny = shapely.box(-90, 40, -89.9999, 40.0001)
    wide = shapely.box(-120, 30, -80, 48)
    frame = gpd.GeoDataFrame(
        {"region_id": ["a", "b"], "region_name": ["Tiny", "Wide"], "rank": [1, 2]},
        geometry=[tiny, wide], crs="OGC:CRS84",
    )  # fmt: skip
    _, svg = drawn(frame)
    (path,) = [
        p
        for p in svg.iter("path")
        if p.find("title") is not None and "Tiny" in p.find("title").text
    ]
    assert re.fullmatch(r"M\d+ \d+h2v2h-2z", path.attrib["d"])


def test_maps_of_nothing_and_of_wrong_frames():
    assert rank_picture(grid(2, 2, 0).iloc[:0], states(), title="T") is None
    unranked, svg = drawn(grid(3, 2, 6))
    assert "The first" not in unranked.caption + unranked.alt
    assert {g.attrib["class"] for g in svg.findall("g")} == {"rank-none"}
    with pytest.raises(GeoError, match="lack rank"):
        rank_picture(grid(2, 2, 0).drop(columns="rank"), states(), title="T")
    with pytest.raises(CrsError):
        rank_picture(grid(2, 2, 0).set_crs(None, allow_override=True), states(), title="T")
