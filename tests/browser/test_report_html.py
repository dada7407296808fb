"""The report in the browser: on a screen, a phone and paper, in both themes, under axe-core."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from data import store
from flows.run_report import report_data
from geo.export.report_html import html_report

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", params=["board", "hostile"])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Address of the report of a small run, with plain and with hostile names."""
    home = request.getfixturevalue(request.param)
    with store.open_build(home / "gridstead.duckdb") as con:
        text = html_report(report_data(con))
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(text, encoding="utf-8")
    return path.as_uri()


@pytest.mark.parametrize(
    ("width", "theme", "medium"),
    [
        (1200, "light", "screen"),
        (1200, "dark", "screen"),
        (390, "dark", "screen"),
        (700, "light", "print"),
    ],
)
def test_the_report_is_readable_by_everybody(
    visit: Any, report: str, width: int, theme: str, medium: str
) -> None:
    # axe-core is a script, which the report itself never runs.
    opened = visit(report, width=width, started=False, color_scheme=theme, bypass_csp=True)
    opened.page.emulate_media(media=medium, color_scheme=theme)
    found = Axe().run(opened.page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found] == []
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width


def test_maps_are_drawn_in_the_colours_of_the_theme(visit: Any, report: str) -> None:
    fills = (
        "(name) => getComputedStyle(document.querySelector(`.map .${name}, .swatch.${name}`)).fill"
    )
    told = {
        theme: visit(report, started=False, color_scheme=theme).page.evaluate(fills, "rank-1")
        for theme in ("light", "dark")
    }
    assert told == {"light": "rgb(11, 31, 102)", "dark": "rgb(242, 243, 217)"}


def test_a_link_of_the_contents_leads_to_its_section(visit: Any, report: str) -> None:
    opened = visit(report, started=False)
    opened.page.get_by_role("link", name="Checks", exact=True).click()
    top = "document.getElementById('checks').getBoundingClientRect().top"
    assert 0 <= opened.page.evaluate(top) < opened.page.viewport_size["height"]
