"""The page without a mouse and under axe-core."""

import json
from typing import Any

import pytest

from tests.browser.test_page_rank import published

pytestmark = pytest.mark.browser

# Where the keyboard is, in words of the tests.
FOCUS = """() => {
    const element = document.activeElement;
    const held = element && element.closest("[data-testid]");
    return {
        name: held ? held.dataset.testid : null,
        id: held ? held.dataset.id || null : null,
        tag: element ? element.tagName : null,
        outlined: element ? getComputedStyle(element).outlineStyle !== "none"
            || getComputedStyle(element).boxShadow !== "none" : false,
    };
}"""
MANY = 400


def focus(opened: Any) -> dict[str, Any]:
    return opened.page.evaluate(FOCUS)


def tab_to(opened: Any, name: str) -> None:
    """Press Tab until something with this data-testid has the focus."""
    seen = []
    for _ in range(MANY):
        opened.page.keyboard.press("Tab")
        found = focus(opened)
        if found["name"] == name:
            return
        seen.append(found["name"] or found["tag"])
    pytest.fail(f"Tab never reaches {name}: {seen[:60]}")


def test_the_list_is_walked_with_arrows(visit, build):
    opened = visit()
    want = [row[0] for row in published(build, "training", "county")]
    opened.wait_listed(want[:5])
    tab_to(opened, "row")
    at = want.index(focus(opened)["id"])
    opened.page.keyboard.press("ArrowDown")
    opened.page.wait_for_function(
        "(id) => document.activeElement.closest('[data-id]')?.dataset.id === id", arg=want[at + 1]
    )
    assert focus(opened)["outlined"]
    opened.page.keyboard.press("Enter")
    opened.wait_state("state.selected !== null && state.selected.id === arg", want[at + 1])
    opened.page.keyboard.press("ArrowUp")
    opened.wait_state("state.selected !== null && state.selected.id === arg", want[at])
    opened.id("place").first.wait_for(state="visible")


PANELS = {
    "weights": "weight-headroom_mw_mid",
    "gates": "gate-headroom_mw_mid",
    "layers": "layer-substation",
}


@pytest.mark.parametrize("panel", PANELS)
def test_every_control_is_reached_and_seen(visit, panel):
    opened = visit()
    tab_to(opened, f"tab-{panel}")
    opened.page.keyboard.press("Enter")
    opened.id(panel).first.wait_for(state="visible")
    wanted = {"search", "theme", "about-open", "row", "colour", "workload-training", PANELS[panel]}
    reached, hidden = set(), []
    for _ in range(MANY):
        opened.page.keyboard.press("Tab")
        found = focus(opened)
        if found["name"]:
            reached.add(found["name"])
        if not found["outlined"] and found["tag"] != "BODY":
            hidden.append(found)
        if wanted <= reached:
            break
    assert wanted <= reached
    assert hidden == []


def test_the_first_stop_skips_to_the_list(visit):
    opened = visit()
    opened.page.keyboard.press("Tab")
    first = opened.page.evaluate("() => document.activeElement.textContent")
    assert "skip" in first.lower()
    opened.page.keyboard.press("Enter")
    opened.page.wait_for_function("() => document.activeElement !== document.body")


def test_keys_search_help_and_close(visit):
    opened = visit()
    opened.page.keyboard.press("/")
    opened.page.wait_for_function(
        "() => document.activeElement.closest('[data-testid=search]') !== null"
    )
    opened.page.keyboard.type("Culpeper")
    opened.id("search-hit").first.wait_for(state="visible")
    opened.page.keyboard.press("Escape")
    opened.id("search-hit").first.wait_for(state="hidden")
    opened.page.evaluate("() => document.activeElement.blur()")
    opened.page.keyboard.press("?")
    dialog = opened.id("help").first
    dialog.wait_for(state="visible")
    assert "Esc" in dialog.inner_text()
    opened.page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")


def test_a_question_mark_in_the_search_is_a_letter(visit):
    opened = visit()
    box = opened.id("search").first
    box.focus()
    opened.page.keyboard.type("a?/b")
    assert box.input_value() == "a?/b"
    assert not opened.id("help").first.is_visible()


def test_two_places_are_compared_by_keyboard(visit, build):
    opened = visit()
    want = [row[0] for row in published(build, "training", "county")]
    opened.wait_listed(want[:3])
    for region in want[:2]:
        opened.row(region).focus()
        opened.page.keyboard.press("Enter")
        opened.wait_state("state.selected !== null && state.selected.id === arg", region)
        opened.id("place").first.wait_for(state="visible")
        opened.id("pin").first.focus()
        opened.page.keyboard.press("Enter")
        opened.wait_state("state.compared.some((one) => one.id === arg)", region)
    opened.id("compare").first.wait_for(state="visible")
    opened.page.keyboard.press("Escape")
    opened.id("compare").first.wait_for(state="hidden")


def test_a_slider_moves_by_arrows_and_the_new_order_is_announced(visit):
    opened = visit()
    opened.page.evaluate(
        """() => {
            window.heard = [];
            for (const region of document.querySelectorAll('[aria-live], [role=status], output')) {
                new MutationObserver(() => window.heard.push(region.textContent)).observe(
                    region, {childList: true, characterData: true, subtree: true});
            }
        }"""
    )
    opened.panel("weights")
    slider = opened.id("weight-headroom_mw_mid").first
    slider.focus()
    before = slider.evaluate("(element) => element.getAttribute('aria-valuetext') || element.value")
    opened.page.keyboard.press("ArrowRight")
    opened.wait_state("state.weights !== null")
    after = slider.evaluate("(element) => element.getAttribute('aria-valuetext') || element.value")
    assert after != before
    opened.page.wait_for_function("() => window.heard.some((text) => /first/i.test(text))")


SCENES = {
    "start": {},
    "place": {"selected": {"level": "county", "id": "51041"}, "panel": "place"},
    "compare": {
        "selected": {"level": "county", "id": "51041"},
        "panel": "place",
        "compared": [{"level": "county", "id": "51041"}, {"level": "county", "id": "24009"}],
    },
    "moved": {"weights": {"headroom_mw_mid": 0.9}, "panel": "weights"},
    "gates": {"gates": {"headroom_mw_mid": {"at_least": 300}}, "panel": "gates"},
    "layers": {"panel": "layers"},
    "parcels": {"level": "parcel", "workload": "inference", "colour": "headroom_mw_mid"},
    "about": {},
}


CHANGED = ("workload", "level", "weights", "gates", "colour", "selected", "compared", "panel")


@pytest.mark.parametrize("look", ["light", "dark", "phone", "dark phone"])
def test_axe_finds_no_serious_fault(visit, look):
    from axe_playwright_python.sync_playwright import Axe

    options: dict[str, Any] = {"color_scheme": "dark" if "dark" in look else "light"}
    if "phone" in look:
        options |= {"width": 390, "height": 844, "has_touch": True, "is_mobile": True}
    opened = visit(**options)
    before = opened.state()
    faults = []
    for scene, patch in SCENES.items():
        opened.set(**{key: before[key] for key in CHANGED} | patch)
        opened.ranking()
        if "selected" in patch:
            opened.id("place").first.wait_for(state="visible")
        opened.id("compare").first.wait_for(state="visible" if "compared" in patch else "hidden")
        if scene == "about":
            opened.open_about()
        opened.wait_quiet()
        # It may not fetch style sheets a second time.
        found = Axe().run(opened.page, options={"preload": False}).response
        # It did look.
        assert len(found["passes"]) > 10
        for fault in found["violations"]:
            if fault["impact"] in {"serious", "critical"}:
                where = [node["target"] for node in fault["nodes"]][:4]
                faults.append(f"{scene}: {fault['id']} {json.dumps(where)}")
    assert faults == []
