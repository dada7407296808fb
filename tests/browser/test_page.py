"""The page opens from disk and from a host, and answers mouse, search, hash, theme, paper and phone."""

import functools
import http.client
import http.server
import re
import socket
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.browser.test_page_rank import published, rows

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844, "has_touch": True, "is_mobile": True}
CULPEPER = "51041"


def middle(build: Path, region: str) -> tuple[float, float]:
    ((lon, lat),) = rows(
        build,
        "select lon, lat from mart.region where region_kind = 'county' and region_id = $region",
        region=region,
    )
    return lon, lat


def name_of(build: Path, region: str) -> str:
    query = (
        "select region_name from mart.region where region_kind = 'county' and region_id = $region"
    )
    return rows(build, query, region=region)[0][0]


def hash_of(opened: Any) -> str:
    return opened.page.evaluate("() => location.hash.slice(1)")


def wait_hash(opened: Any, part: str) -> None:
    opened.page.wait_for_function(
        "(part) => decodeURIComponent(location.hash).includes(part)", arg=part
    )


def test_opens_from_disk_without_network(visit, build, page):
    opened = visit()
    want = published(build, "training", "county")
    opened.wait_listed([row[0] for row in want[:20]])
    assert (
        opened.page.evaluate("() => performance.getEntriesByName('gridstead-first-view').length")
        == 1
    )
    assert opened.page.locator("#map canvas").is_visible()
    assert opened.page.title()
    assert opened.page.locator("html").get_attribute("lang") == "en"
    # The build's grid is made up, and whoever sees the map is told.
    assert "synthetic" in opened.page.locator("#map").inner_text().lower()


def test_the_map_shows_the_classes_of_the_ranks(visit, build):
    opened = visit()
    opened.wait_quiet()
    classes = opened.page.evaluate(
        "async () => (await gridstead.store.pack('about')).column('about')[0].rank_classes"
    )
    best = published(build, "training", "county")[0][0]
    lon, lat = middle(build, best)
    opened.page.evaluate(
        "(view) => gridstead.map.instance.jumpTo(view)", {"center": [lon, lat], "zoom": 9}
    )
    opened.wait_quiet()
    colour = pixel(opened, *opened.point(lon + 0.07, lat + 0.09))
    (want,) = [one["colour"] for one in classes if one["first"] == 1]
    assert near(colour, rgb(want)), (colour, want)


AT_FIRST_VIEW = """
    const mark = performance.mark.bind(performance);
    performance.mark = (...words) => {
        const map = gridstead.map.instance;
        const drawn = map.queryRenderedFeatures({layers: ["fill-county"]});
        const count = (features) => new Set(features.map(({id}) => id)).size;
        window.atFirstView = {
            counties: count(drawn),
            coloured: count(drawn.filter(({state}) => state.c > 0)),
            rows: document.querySelectorAll('[data-testid="row"]').length,
        };
        return mark(...words);
    };
"""


def test_the_first_view_is_marked_when_it_is_whole(visit, build):
    opened = visit(script=AT_FIRST_VIEW)
    seen = opened.page.evaluate("() => window.atFirstView")
    ranked = len(published(build, "training", "county"))
    assert seen == {"counties": 36, "coloured": ranked, "rows": 20}


def pixel(opened: Any, x: float, y: float) -> tuple[int, int, int]:
    """Colour on the screen."""
    import io

    from matplotlib import image

    shot = image.imread(io.BytesIO(opened.page.screenshot()), format="png")
    red, green, blue = (round(255 * float(part)) for part in shot[int(y), int(x)][:3])
    return red, green, blue


def rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def near(found: tuple[int, int, int], want: tuple[int, int, int]) -> bool:
    # Fills may be a little transparent over the ground.
    return all(abs(a - b) <= 40 for a, b in zip(found, want, strict=True))


def test_opens_over_http(visit, build, page):
    handler = functools.partial(_Quiet, directory=page)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            opened = visit(f"http://127.0.0.1:{server.server_port}/index.html")
            opened.wait_listed([row[0] for row in published(build, "training", "county")[:20]])
            opened.set(level="parcel", weights={"headroom_mw_mid": 0.9})
            assert opened.ranking()["level"] == "parcel"
            opened.wait_quiet()
        finally:
            server.shutdown()
            thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def test_is_served_on_this_machine_alone(visit, board, build, tmp_path):
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["map", "--home", str(board), "--out", str(tmp_path / "out"), "--serve", str(port)]
    process = subprocess.Popen(
        [sys.executable, "-m", "flows", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=_environment(),
    )
    try:
        said = ""
        for line in process.stdout:
            said += line
            if f"127.0.0.1:{port}" in line:
                break
        assert f"127.0.0.1:{port}" in said, said
        opened = visit(f"http://127.0.0.1:{port}/")
        opened.wait_listed([row[0] for row in published(build, "training", "county")[:20]])
        asked = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        asked.request("GET", "/data/about.js")
        answer = asked.getresponse()
        assert (answer.status, "javascript" in answer.headers["Content-Type"]) == (200, True)
        answer.read()
        asked.request("GET", "/../../home/gridstead.duckdb")
        assert asked.getresponse().status == 404
        asked.close()
        opened.page.goto("about:blank")
    finally:
        process.send_signal(2)
        rest = process.communicate(timeout=30)[0]
    assert "Traceback" not in rest
    assert process.returncode in {0, 130}


def _environment() -> dict[str, str]:
    import os

    return os.environ | {"PYTHONUNBUFFERED": "1"}


def test_a_click_on_the_map_selects_the_county_under_the_mouse(visit, build):
    opened = visit()
    for region in (CULPEPER, "24009"):
        opened.wait_quiet()
        lon, lat = middle(build, region)
        opened.page.mouse.click(*opened.point(lon + 0.03, lat - 0.04))
        opened.wait_state("state.selected !== null && state.selected.id === arg", region)
        assert opened.state()["selected"]["level"] == "county"
        place = opened.id("place").first
        place.wait_for(state="visible")
        opened.page.wait_for_function(
            "(name) => document.querySelector('[data-testid=place]').textContent.includes(name)",
            arg=name_of(build, region),
        )
        wait_hash(opened, f"county:{region}")


def test_a_row_opens_its_explanation(visit, build):
    opened = visit()
    region, rank, score = published(build, "training", "county")[1]
    row = opened.row(region)
    row.click()
    opened.wait_state("state.selected !== null && state.selected.id === arg", region)
    explained = opened.page.evaluate(
        """async (id) => {
            const place = await gridstead.lookup.find("county", id);
            return gridstead.lookup.explain("county", place.position);
        }""",
        region,
    )
    assert (explained["name"], explained["rank"]) == (name_of(build, region), rank)
    assert explained["score"] == pytest.approx(score, abs=1e-9)
    # Points of the factors make up the score.
    assert sum(factor["points"] for factor in explained["factors"]) == pytest.approx(
        score, abs=1e-3
    )
    shown = opened.id("place").first
    shown.wait_for(state="visible")
    text = shown.inner_text().lower()
    for factor in explained["factors"][:3]:
        assert factor["label"].lower() in text
    ((reason, parcel),) = rows(
        build,
        """
        select reason, best_parcel_id from mart.region_rank
        where workload = 'training' and region_kind = 'county' and region_id = $region
        """,
        region=region,
    )
    assert explained["reason"] == reason
    # Values are those of its best parcel.
    values = {factor["metric"]: factor["value"] for factor in explained["factors"]}
    for metric, value in values.items():
        ((want,),) = rows(
            build,
            f"select {metric} from core.parcel_metric where parcel_id = $parcel",
            parcel=parcel,
        )
        assert value == (None if want is None else pytest.approx(want, rel=1e-6)), metric


@pytest.mark.parametrize(
    ("typed", "hit", "selected"),
    [
        ("Culpeper", "Culpeper", "county:51041"),
        ("dona ana", "Doña Ana", "county:51065"),
        ("COEUR D'ALENE", "Coeur d'Alène", None),
        ("san jose", "San José", None),
    ],
)
def test_search_finds_counties_and_places_without_accents(visit, typed, hit, selected):
    opened = visit()
    opened.wait_quiet()
    before = opened.state()["view"]
    box = opened.id("search").first
    box.fill(typed)
    first = opened.id("search-hit").filter(has_text=hit).first
    first.wait_for(state="visible")
    box.press("Enter")
    if selected:
        opened.wait_state(
            "state.selected && state.selected.level + ':' + state.selected.id === arg", selected
        )
    opened.wait_state("JSON.stringify(state.view) !== arg", _compact(before))


def _compact(value: Any) -> str:
    import json

    return json.dumps(value, separators=(",", ":"))


def test_search_takes_coordinates_and_parcel_ids(visit, build):
    opened = visit()
    opened.wait_quiet()
    box = opened.id("search").first
    box.fill("38.71, -77.52")
    opened.id("search-hit").first.wait_for(state="visible")
    box.press("Enter")
    opened.wait_state(
        "Math.abs(state.view.lon + 77.52) < 0.02 && Math.abs(state.view.lat - 38.71) < 0.02"
    )
    parcel = published(build, "training", "parcel")[3][0]
    box.fill(parcel)
    opened.id("search-hit").filter(has_text=parcel).first.wait_for(state="visible")
    box.press("Enter")
    opened.wait_state("state.selected && state.selected.id === arg", parcel)
    assert opened.state()["selected"]["level"] == "parcel"


def test_search_says_so_when_nothing_is_found(visit):
    opened = visit()
    opened.id("search").first.fill("xyzzyplugh")
    opened.page.get_by_text(
        re.compile("nothing|no match|not found|no place", re.IGNORECASE)
    ).first.wait_for(state="visible")
    assert opened.id("search-hit").count() == 0


STATE = {
    "workload": "inference",
    "level": "county",
    "weights": {"headroom_mw_mid": 0.4},
    "gates": {"headroom_mw_mid": {"at_least": 60}},
    "colour": "headroom_mw_mid",
    "selected": {"level": "county", "id": CULPEPER},
    "compared": [{"level": "county", "id": CULPEPER}, {"level": "county", "id": "24009"}],
    "theme": "dark",
}


def test_a_shared_address_restores_everything(visit):
    first = visit()
    first.wait_quiet()
    first.set(**STATE)
    first.page.evaluate(
        "() => gridstead.map.instance.jumpTo({center: [-77.55, 38.92], zoom: 8.25})"
    )
    first.wait_state("Math.abs(state.view.zoom - 8.25) < 0.01")
    wait_hash(first, "s=county")
    wait_hash(first, "8.25")
    ranking = first.ranking()
    second = visit(words=hash_of(first))
    assert second.ranking() == ranking
    found = second.state()
    assert {key: found[key] for key in STATE} == STATE
    view = second.page.evaluate(
        "() => [...gridstead.map.instance.getCenter().toArray(), gridstead.map.instance.getZoom()]"
    )
    assert view == pytest.approx([-77.55, 38.92, 8.25], abs=0.01)
    second.id("place").first.wait_for(state="visible")
    second.id("compare").first.wait_for(state="visible")


def test_a_changed_hash_is_followed(visit, build):
    opened = visit()
    opened.page.evaluate("() => { location.hash = 'w=inference&l=state'; }")
    opened.wait_state("state.workload === 'inference' && state.level === 'state'")
    opened.wait_listed([row[0] for row in published(build, "inference", "state")])


@pytest.mark.parametrize(
    "words",
    [
        "w=<script>window.hacked=1</script>&l=planet&s=county:<img src=x onerror=window.hacked=1>",
        "w=__proto__&l=constructor&c=__proto__&wt=__proto__:1,constructor:2&g=__proto__:>1&y=__proto__",
        "wt=headroom_mw_mid:NaN,rtt_metro_ms_mid:-5,nosuch:1e999&v=NaN,Infinity,1e999&t=purple",
        "wt=headroom_mw_mid:-0.5&g=headroom_mw_mid:>abc&x=county:1,county:2,county:3,county:4&s=county",
        "%E0%A4%A&w=%ZZ&&&===&v=,,,&s=:&x=:,:",
        "c=javascript:window.hacked=1&s=parcel:" + "f" * 5_000,
        "v=500,200,99",
    ],
)
def test_a_hostile_hash_does_nothing(visit, build, words):
    opened = visit(words=words)
    opened.wait_listed([row[0] for row in published(build, "training", "county")[:5]])
    assert opened.page.evaluate("() => window.hacked") is None
    assert opened.page.evaluate("() => ({}).headroom_mw_mid") is None
    state = opened.state()
    assert (state["workload"], state["level"]) == ("training", "county")
    # The page still works.
    opened.id("workload-inference").first.click()
    opened.wait_listed([row[0] for row in published(build, "inference", "county")[:5]])


def test_two_places_side_by_side(visit, build):
    opened = visit()
    one, other = (row[0] for row in published(build, "training", "county")[:2])
    for region in (one, other):
        opened.set(selected={"level": "county", "id": region})
        opened.page.wait_for_function(
            "(name) => document.querySelector('[data-testid=place]').textContent.includes(name)",
            arg=name_of(build, region),
        )
        opened.id("pin").first.click()
    opened.wait_state("state.compared.length === 2")
    compare = opened.id("compare").first
    compare.wait_for(state="visible")
    opened.page.wait_for_function(
        """(names) => names.every(
            (name) => document.querySelector('[data-testid=compare]').textContent.includes(name))""",
        arg=[name_of(build, one), name_of(build, other)],
    )


def test_light_and_dark(visit):
    def ground(opened: Any) -> int:
        words = opened.page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in re.findall(r"\d+", words)[:3])

    assert ground(visit(color_scheme="light")) > 600
    dark = visit(color_scheme="dark")
    assert ground(dark) < 200
    assert ground(visit(words="t=light", color_scheme="dark")) > 600
    dark.id("theme").first.select_option("light")
    dark.wait_state("state.theme === 'light'")
    assert ground(dark) > 600


def test_on_paper(visit, build):
    opened = visit()
    want = [row[0] for row in published(build, "training", "county")]
    opened.wait_listed(want[:10])
    opened.set(selected={"level": "county", "id": want[0]})
    opened.id("place").first.wait_for(state="visible")
    opened.wait_quiet()
    opened.page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
    opened.page.emulate_media(media="print")
    for region in want[:10]:
        assert opened.row(region).is_visible()
    assert opened.id("legend").first.is_visible()
    assert opened.id("place").first.is_visible()
    # What cannot be pressed on paper is not on it.
    for name in ("search", "theme", "reset", "workload-inference"):
        assert not opened.id(name).first.is_visible(), name
    assert opened.page.evaluate("() => document.documentElement.scrollWidth") <= 1280
    opened.page.evaluate("() => window.dispatchEvent(new Event('afterprint'))")
    opened.page.emulate_media(media="screen")
    paper = opened.page.pdf(format="Letter")
    assert paper.startswith(b"%PDF")
    pages = len(re.findall(rb"/Type\s*/Page\b", paper))
    assert 1 <= pages <= 4
    # The map is a picture on it.
    assert b"/Subtype /Image" in paper
    assert opened.id("search").first.is_visible()


def test_on_a_phone(visit, build):
    opened = visit(words="", **PHONE)
    want = [row[0] for row in published(build, "training", "county")]
    opened.wait_listed(want[:5])

    def wide() -> list[str]:
        return opened.page.evaluate(
            """() => {
                const wide = [];
                const width = document.documentElement.clientWidth;
                if (document.documentElement.scrollWidth > width) wide.push("page");
                return wide;
            }"""
        )

    assert wide() == []
    assert opened.page.locator("#map canvas").is_visible()
    row = opened.row(want[0])
    row.scroll_into_view_if_needed()
    assert row.is_visible()
    row.tap()
    opened.wait_state("state.selected !== null && state.selected.id === arg", want[0])
    opened.id("place").first.wait_for(state="visible")
    assert wide() == []
    # Every tab of the sheet opens, fits, and can be hit by a thumb.
    for name in ("list", "place", "weights", "gates", "layers"):
        tab = opened.id(f"tab-{name}")
        box = tab.bounding_box()
        assert (box["height"] >= 44, box["width"] >= 44) == (True, True), name
        tab.tap()
        opened.id(name).first.wait_for(state="visible")
        assert wide() == []


NO_WEBGL = """
    const real = HTMLCanvasElement.prototype.getContext;
    HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
        return /webgl/.test(kind) ? null : real.call(this, kind, ...rest);
    };
"""


@pytest.mark.parametrize(
    ("arguments", "script"),
    [
        ((), NO_WEBGL),
        (("--disable-gpu", "--disable-software-rasterizer", "--disable-3d-apis"), None),
    ],
    ids=["a stub", "a switch"],
)
def test_without_webgl_all_but_the_map_works(visit, build, arguments, script):
    opened = visit(arguments=arguments, script=script)
    want = published(build, "training", "county")
    opened.wait_listed([row[0] for row in want[:20]])
    assert "webgl" in opened.page.locator("#map").inner_text().lower()
    opened.set(weights={"headroom_mw_mid": 0.9}, level="parcel")
    assert opened.ranking()["count"] == len(published(build, "training", "parcel"))
    opened.set(selected={"level": "county", "id": CULPEPER})
    opened.id("place").first.wait_for(state="visible")


@pytest.mark.parametrize("name", ["about", "regions-county", "regions-county-training"])
def test_a_missing_file_is_named(visit, own_page, name):
    gone = own_page / "data" / f"{name}.js"
    gone.unlink()
    opened = visit(own_page, started=False)
    opened.allowed = ("console error: Failed to load resource: net::ERR_FILE_NOT_FOUND",)
    said = opened.page.get_by_text(f"data/{name}.js").first
    said.wait_for(state="visible")
    assert "missing" in said.inner_text()


def test_a_damaged_file_is_named(visit, own_page):
    (own_page / "data" / "regions-county.js").write_text('gridstead.put("regions-county", "AAAA");')
    opened = visit(own_page, started=False)
    opened.page.get_by_text("regions-county").first.wait_for(state="visible")


def test_a_file_that_was_damaged_can_be_asked_for_again_at_once(visit, own_page):
    (own_page / "data" / "places.js").write_text('gridstead.put("places", "no base64!");')
    said = visit(own_page).page.evaluate(
        """async () => {
            const ask = () => gridstead.store.bytes("places").then(() => "read", (error) => error.message);
            return [await ask(), await ask()];
        }"""
    )
    assert said == ["data/places.js is damaged"] * 2


def test_without_scripts_the_page_says_so(launch, page):
    context = launch().new_context(java_script_enabled=False, offline=True)
    opened = context.new_page()
    opened.goto((page / "index.html").as_uri())
    assert "JavaScript" in opened.locator("body").inner_text()
    context.close()


@pytest.mark.parametrize("layer", ["substation", "line", "metro_ring", "people", "place"])
def test_layers_are_shown_and_hidden(visit, layer):
    opened = visit()
    opened.wait_quiet()
    opened.panel("layers")
    shown = opened.state()["layers"][layer]
    toggle = opened.id(f"layer-{layer}").first
    for now in (not shown, shown):
        toggle.click()
        opened.wait_state(f"state.layers.{layer} === arg", now)
        opened.wait_quiet()


def test_who_made_it_of_what_is_told(visit, build):
    opened = visit()
    dialog = opened.open_about()
    text = dialog.inner_text()
    sources = rows(build, "select title, attribution, is_exportable from meta.source")
    assert sources
    for title, attribution, is_exportable in sources:
        assert title in text
        assert attribution in text or not is_exportable
    ((run, study),) = rows(build, "select run_id, title from meta.run")
    assert run in text
    assert study in text
    assert "synthetic" in text.lower()
    opened.page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
