"""Names that are markup, code, or hard to write are text on the page and nothing else."""

import re
from typing import Any

import pytest

from tests.browser.test_page_rank import rows
from tests.browser.worlds import HOSTILE

pytestmark = pytest.mark.browser

# Elements and attributes that only a name could have brought.
BROUGHT = """() => {
    const found = [];
    if (window.hacked !== undefined) found.push("a script ran");
    for (const element of document.querySelectorAll("*")) {
        if (["B", "I"].includes(element.tagName) && /^bold$|^i$/.test(element.textContent)) found.push("b");
        if (element.tagName === "IMG" && element.getAttribute("src") === "x") found.push("img");
        if (element.tagName === "SCRIPT" && !element.src) found.push("inline script");
        for (const attribute of element.attributes) {
            if (/^on/i.test(attribute.name)) found.push(attribute.name);
            if (/^\\s*javascript:/i.test(attribute.value) && ["href", "src", "action"].includes(attribute.name)) {
                found.push(attribute.value);
            }
        }
    }
    return found;
}"""


@pytest.fixture
def hostile_build(hostile):
    return hostile / "gridstead.duckdb"


def brought(opened: Any) -> list[str]:
    return opened.page.evaluate(BROUGHT)


def squeezed(text: str) -> str:
    """Text without what a page may wrap or not show."""
    return re.sub(r"\s+", " ", text).strip()


def names_of(build: Any, level: str) -> dict[str, str]:
    if level == "parcel":
        return dict(rows(build, "select parcel_id, parcel_name from core.parcel"))
    query = "select region_id, region_name from mart.region where region_kind = $level"
    return dict(rows(build, query, level=level))


@pytest.mark.parametrize("level", ["county", "state", "metro", "parcel"])
def test_names_in_the_list_and_in_what_opens_are_text(visit, hostile_page, hostile_build, level):
    opened = visit(hostile_page, f"l={level}")
    opened.ranking()
    names = names_of(hostile_build, level)
    shown = opened.id("row").evaluate_all(
        "(rows) => rows.map((row) => [row.dataset.id, row.textContent])"
    )
    assert shown
    for key, text in shown:
        assert squeezed(names[key]) in squeezed(text)
    for key, _ in shown[:13]:
        opened.set(selected={"level": level, "id": key})
        opened.page.wait_for_function(
            """(name) => document.querySelector('[data-testid=place]').textContent
                .replace(/\\s+/g, ' ').includes(name)""",
            arg=squeezed(names[key]),
        )
    opened.set(compared=[{"level": level, "id": key} for key, _ in shown[:2]])
    opened.id("compare").first.wait_for(state="visible")
    opened.wait_quiet()
    assert brought(opened) == []


def test_all_hostile_names_are_there(hostile_build):
    assert set(names_of(hostile_build, "county").values()) == set(HOSTILE)
    assert set(names_of(hostile_build, "parcel").values()) == set(HOSTILE)


def test_names_under_the_mouse_are_text(visit, hostile_page, hostile_build):
    opened = visit(hostile_page)
    opened.set(layers=dict.fromkeys(("substation", "line", "fiber", "metro_ring", "place"), True))
    opened.wait_quiet()
    seen = set()
    names = names_of(hostile_build, "county")
    centres = rows(
        hostile_build, "select region_id, lon, lat from mart.region where region_kind = 'county'"
    )
    for region, lon, lat in centres:
        opened.page.mouse.move(*opened.point(lon + 0.05, lat + 0.07))
        opened.page.mouse.move(*opened.point(lon + 0.04, lat + 0.07))
        text = squeezed(opened.page.locator("#map").inner_text())
        if squeezed(names[region])[:40] in text:
            seen.add(names[region])
    assert len(seen) >= len(HOSTILE) // 2
    assert brought(opened) == []


def test_a_search_lists_names_as_text(visit, hostile_page):
    opened = visit(hostile_page)
    box = opened.id("search").first
    for typed in ("script", "onerror", "bold", "gnp", "AAAA", "new", "hacked", "<", '"', "\\"):
        box.fill(typed)
        opened.page.wait_for_function(
            """(typed) => [...document.querySelectorAll('[data-testid=search-hit]')]
                .some((hit) => hit.textContent.includes(typed))""",
            arg=typed,
        )
        assert brought(opened) == []
    box.press("Enter")
    opened.wait_quiet()
    assert brought(opened) == []


def test_names_of_sources_and_of_the_study_are_text(visit, hostile_page):
    opened = visit(hostile_page)
    text = opened.open_about().inner_text()
    assert "<script>window.hacked = 1</script>" in text
    opened.page.keyboard.press("Escape")
    # Who is to be named on the map.
    opened.page.evaluate(
        "() => document.querySelectorAll('.maplibregl-ctrl-attrib-button').forEach((one) => one.click())"
    )
    assert brought(opened) == []


@pytest.mark.parametrize("width", [1280, 390])
def test_long_and_reversed_names_stay_in_their_place(visit, hostile_page, width):
    opened = visit(hostile_page, width=width, height=844)
    opened.ranking()
    assert opened.page.evaluate(
        "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )
    # A right-to-left override in a name turns nothing around that stands beside it.
    isolated = opened.id("row").evaluate_all(
        """(rows) => rows.filter((row) => row.textContent.includes("\\u202e")).map((row) => {
            const walker = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
            while (walker.nextNode()) {
                if (walker.currentNode.data.includes("\\u202e")) {
                    const style = getComputedStyle(walker.currentNode.parentElement);
                    return style.unicodeBidi.includes("isolate") || style.display.includes("block")
                        || style.display.includes("flex") || style.display.includes("grid");
                }
            }
            return false;
        })"""
    )
    assert isolated
    assert all(isolated)
