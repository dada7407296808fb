"""Measure the map page: how long it takes to make, its size by part, its first view, and how fast it ranks again.

`python benchmarks/page.py` runs open-conus first, `--home` takes a home in which it has run, `--page` a page that is
there. The page is opened from disk in the machine's Chromium, a new process each time. Two things that say nothing
about the page are told apart. Chromium itself works on for a second after it has started, in windows that no page
sees: the page is opened when that is over, and once more at once. Without a graphics card Chromium draws WebGL in
software, whose start is measured on two maps without data beside it: one of a plain colour, and one with a fill, a
line, a dot and a word, which has to make the shaders that any map of these kinds needs.
"""

import argparse
import json
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline import timed_run, write_section

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.browser.chromium import ARGUMENTS, find_chromium
from tests.browser.opened import QUIET, STARTED

HEADING = "## Map page"
VIEWS = 5
# Chromium rests when its processes take less than this share of a processor so many times in turn.
REST_S, REST_TIMES, REST_SHARE = 0.1, 3, 0.05
MOVES = 7
EMPTY = """<!doctype html><meta charset="utf-8"><title>An empty map</title>
<link rel="stylesheet" href="{assets}/maplibre-gl.css">
<div id="map" style="position: absolute; inset: 0"></div>
<script src="{assets}/maplibre-gl.js"></script><script src="{name}.js"></script>"""
# A square and a word in its middle.
SHADERS_JS = """const box = [[-110, 30], [-85, 30], [-85, 45], [-110, 45], [-110, 30]];
const feature = (type, coordinates) => ({type: "geojson", data: {type: "Feature", properties: {}, geometry: {type, coordinates}}});
window.sources = {box: feature("Polygon", [box]), point: feature("Point", [-98, 38])};
window.layers = [
    {id: "fill", type: "fill", source: "box"},
    {id: "line", type: "line", source: "box"},
    {id: "circle", type: "circle", source: "point"},
    {id: "symbol", type: "symbol", source: "point", layout: {"text-field": "A", "text-font": ["sans-serif"]}},
];
"""
EMPTY_JS = """window.began = performance.now();
const style = {version: 8, sources: window.sources, layers: [{id: "ground", type: "background"}, ...window.layers]};
const map = new maplibregl.Map({container: "map", style, center: [-98.5, 39.5], zoom: 3.6});
map.once("load", () => { window.done = performance.now(); });"""
WAIT_EMPTY = """async () => {
    while (window.done === undefined) await new Promise(requestAnimationFrame);
    return window.done - window.began;
}"""
FIRST_VIEW = "() => performance.getEntriesByName('gridstead-first-view')[0].startTime"
# Milliseconds until the new order is known, until the map has drawn it, and of the longest that nothing else could run.
MOVE = """async (weight) => {
    const about = (await gridstead.store.pack("about")).column("about")[0];
    const metric = about.workloads[0].factors[0].metric;
    let longest = 0, last = performance.now(), running = true;
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
        const now = performance.now();
        longest = Math.max(longest, now - last);
        last = now;
        if (running) channel.port2.postMessage(0);
    };
    channel.port2.postMessage(0);
    const began = performance.now();
    gridstead.state.set({weights: {[metric]: weight}});
    const ranking = await gridstead.ranking.current();
    const ranked = performance.now() - began;
    await new Promise((done) => {
        const map = gridstead.map.instance;
        if (!map) done();
        else { map.once("idle", done); map.triggerRepaint(); }
    });
    running = false;
    return {ranked, drawn: performance.now() - began, longest, count: ranking.count};
}"""
PARTS = {
    "code and licences": ("assets/", "index.html"),
    "tiles of regions": ("data/tiles-regions",),
    "tiles of parcels": ("data/tiles-parcels",),
    "tiles of the grid": ("data/tiles-grid",),
    "tiles of fiber": ("data/tiles-fiber",),
    "regions": ("data/regions-",),
    "parcels": ("data/parcels",),
    "value scores of parcels": ("data/v-",),
    "values of parcels": ("data/m-",),
    "places and metros": ("data/places", "data/metros"),
    "about": ("data/about",),
}


def main() -> None:
    """Measure, and write the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, help="home in which open-conus has run")
    parser.add_argument("--page", type=Path, help="folder of its page; made when not given")
    parser.add_argument("--json", action="store_true", help="print the figures and write nothing")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        found: dict[str, Any] = {
            "machine": f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}"
        }
        page = options.page
        if page is None:
            home = options.home or scratch / "home"
            if options.home is None:
                timed_run("open-conus", home)
            page = scratch / "page"
            found["made"] = made(home, page)
        found["bytes"] = sizes(page)
        found["first_view"] = first_views(page, scratch)
        found["moves"] = moves(page)
    if options.json:
        print(json.dumps(found, indent=1))
        return
    write_section(HEADING, section(found))


def made(home: Path, page: Path) -> dict[str, float]:
    """Make the page in a process of its own: seconds and peak memory."""
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "flows", "map", "--home", home, "--out", page, "--json"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    wall_s = time.monotonic() - began
    return {
        "wall_s": wall_s,
        "peak_gb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9,
    }


def sizes(page: Path) -> dict[str, int]:
    """Bytes of the folder by part."""
    found = dict.fromkeys(PARTS, 0) | {"other": 0}
    for path in page.rglob("*"):
        if path.is_file():
            name = path.relative_to(page).as_posix()
            part = next((key for key, starts in PARTS.items() if name.startswith(starts)), "other")
            found[part] += path.stat().st_size
    return found


def in_chromium(work: Callable[[Any], Any], *, at_once: bool = False) -> Any:
    """Do something with a page of a Chromium that is started for it, once its own start is over."""
    from playwright.sync_api import sync_playwright

    path = find_chromium()
    if path is None:
        sys.exit("There is no Chromium: apt-get install chromium, or set GRIDSTEAD_CHROMIUM.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        context = browser.new_context(viewport={"width": 1440, "height": 900}, offline=True)
        page = context.new_page()
        page.set_default_timeout(300_000)
        if not at_once:
            wait_for_rest(browser)
        found = work(page)
        browser.close()
    return found


def wait_for_rest(browser: Any) -> None:
    """Wait until the processes of a browser do nothing for a while; where others need the processor, until they do little."""
    session = browser.new_browser_cdp_session()

    def used_s() -> float:
        told = session.send("SystemInfo.getProcessInfo")["processInfo"]
        return sum(process["cpuTime"] for process in told)

    calm, before = 0, used_s()
    while calm < REST_TIMES:
        time.sleep(REST_S)
        now = used_s()
        calm = calm + 1 if now - before < REST_SHARE * REST_S else 0
        before = now


def first_views(folder: Path, scratch: Path) -> dict[str, list[float]]:
    """Milliseconds from the navigation to the first list and the first coloured counties; of maps without data beside."""
    assets = (folder.resolve() / "assets").as_uri()
    for name, script in (
        ("empty", "window.sources = {}; window.layers = [];\n"),
        ("shaders", SHADERS_JS),
    ):
        page = EMPTY.format(assets=assets, name=name)
        (scratch / f"{name}.html").write_text(page, encoding="utf-8")
        (scratch / f"{name}.js").write_text(script + EMPTY_JS, encoding="utf-8")

    def without_data(name: str) -> Callable[[Any], float]:
        def work(page: Any) -> float:
            page.goto((scratch / f"{name}.html").as_uri())
            return page.evaluate(WAIT_EMPTY)

        return work

    def view(page: Any) -> float:
        page.goto((folder.resolve() / "index.html").as_uri())
        page.evaluate(STARTED)
        return page.evaluate(FIRST_VIEW)

    kinds = {
        "page_ms": (view, False),
        "empty_ms": (without_data("empty"), False),
        "shaders_ms": (without_data("shaders"), False),
        "page_at_once_ms": (view, True),
        "empty_at_once_ms": (without_data("empty"), True),
    }
    found: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(VIEWS):
        for kind, (work, at_once) in kinds.items():
            found[kind].append(in_chromium(work, at_once=at_once))
    return found


def moves(folder: Path) -> dict[str, dict[str, float]]:
    """Move a weight several times at two levels: medians in milliseconds."""
    url = (folder.resolve() / "index.html").as_uri()

    def at(words: str) -> Callable[[Any], dict[str, float]]:
        def work(page: Any) -> dict[str, float]:
            page.goto(f"{url}#{words}")
            page.evaluate(STARTED)
            page.evaluate(QUIET)
            # The first move reads the value scores.
            first = page.evaluate(MOVE, 0.05)
            later = [page.evaluate(MOVE, 0.1 + 0.1 * number) for number in range(MOVES)]
            told = {
                key: statistics.median(move[key] for move in later)
                for key in ("ranked", "drawn", "longest")
            }
            return told | {"first": first["drawn"], "count": first["count"]}

        return work

    return {
        "counties": in_chromium(at("l=county")),
        "parcels": in_chromium(at("l=parcel&v=-98.5,39.5,7")),
    }


def section(found: dict[str, Any]) -> str:
    """Markdown of the figures."""
    ms = {kind: statistics.median(times) for kind, times in found["first_view"].items()}
    total = sum(found["bytes"].values())
    lines = [
        f"{HEADING}\n",
        (
            f"The page of open-conus, opened from disk in Chromium with WebGL in software; {found['machine']}. Medians of "
            f"{VIEWS} new processes."
        ),
        (
            "First view: the list and the coloured counties stand. Map without data: MapLibre from its making until it is "
            "drawn, which is the start of WebGL; of one colour, or with a fill, a line, a dot and a word, which have "
            "shaders. At once: while Chromium itself still starts."
        ),
        "`python benchmarks/page.py`\n",
        "| | |",
        "|---|---:|",
    ]
    if "made" in found:
        lines += [
            f"| made in, s | {found['made']['wall_s']:.0f} |",
            f"| peak GB | {found['made']['peak_gb']:.1f} |",
        ]
    lines += [
        f"| first view, ms | {ms['page_ms']:.0f} |",
        f"| map without data: one colour, ms | {ms['empty_ms']:.0f} |",
        f"| first view less that, ms | {ms['page_ms'] - ms['empty_ms']:.0f} |",
        f"| map without data: with shaders, ms | {ms['shaders_ms']:.0f} |",
        f"| first view less that, ms | {ms['page_ms'] - ms['shaders_ms']:.0f} |",
        f"| at once: first view, ms | {ms['page_at_once_ms']:.0f} |",
        f"| at once: map of one colour, ms | {ms['empty_at_once_ms']:.0f} |",
        f"| at once: first view less that, ms | {ms['page_at_once_ms'] - ms['empty_at_once_ms']:.0f} |",
        f"| whole folder, MB | {total / 1e6:.1f} |",
        *[f"| {part}, MB | {size / 1e6:.2f} |" for part, size in found["bytes"].items() if size],
        "",
        (
            "A weight is moved; ms, medians of "
            f"{MOVES}, the first one apart (it reads the value scores). Longest: that nothing else could run.\n"
        ),
        "| | rows | ranked, ms | drawn, ms | longest, ms | first, ms |",
        "|---|---:|---:|---:|---:|---:|",
        *[
            f"| {name} | {move['count']:,} | {move['ranked']:.0f} | {move['drawn']:.0f} | {move['longest']:.0f} "
            f"| {move['first']:.0f} |"
            for name, move in found["moves"].items()
        ],
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
