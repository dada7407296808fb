"""Measure the map page: how long it takes to make, its size by part, its first view, and how fast it ranks again.

`python benchmarks/page.py` runs open-conus first, `--home` takes a home in which it has run, `--page` a page that is
there. The page is opened from disk in the machine's Chromium, a new process each time. Without a graphics card
Chromium draws WebGL in software, whose start says nothing about the page: it is measured on an empty MapLibre map
beside it and told apart.
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
MOVES = 7
EMPTY = """<!doctype html><meta charset="utf-8"><title>An empty map</title>
<link rel="stylesheet" href="{assets}/maplibre-gl.css">
<div id="map" style="position: absolute; inset: 0"></div>
<script src="{assets}/maplibre-gl.js"></script><script src="empty.js"></script>"""
EMPTY_JS = """window.began = performance.now();
const style = {version: 8, sources: {}, layers: [{id: "ground", type: "background"}]};
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


def in_chromium(work: Callable[[Any], Any]) -> Any:
    """Do something with a page of a Chromium that is started for it."""
    from playwright.sync_api import sync_playwright

    path = find_chromium()
    if path is None:
        sys.exit("There is no Chromium: apt-get install chromium, or set GRIDSTEAD_CHROMIUM.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        context = browser.new_context(viewport={"width": 1440, "height": 900}, offline=True)
        page = context.new_page()
        page.set_default_timeout(300_000)
        found = work(page)
        browser.close()
    return found


def first_views(folder: Path, scratch: Path) -> dict[str, list[float]]:
    """Milliseconds from the navigation to the first list and the first coloured counties; of an empty map beside."""
    (scratch / "empty.html").write_text(
        EMPTY.format(assets=(folder.resolve() / "assets").as_uri()), encoding="utf-8"
    )
    (scratch / "empty.js").write_text(EMPTY_JS, encoding="utf-8")

    def empty(page: Any) -> float:
        page.goto((scratch / "empty.html").as_uri())
        return page.evaluate(WAIT_EMPTY)

    def view(page: Any) -> float:
        page.goto((folder.resolve() / "index.html").as_uri())
        page.evaluate(STARTED)
        return page.evaluate(FIRST_VIEW)

    found: dict[str, list[float]] = {"page_ms": [], "empty_ms": []}
    for _ in range(VIEWS):
        found["empty_ms"].append(in_chromium(empty))
        found["page_ms"].append(in_chromium(view))
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
    views = found["first_view"]
    page_ms, empty_ms = (statistics.median(views[key]) for key in ("page_ms", "empty_ms"))
    total = sum(found["bytes"].values())
    lines = [
        f"{HEADING}\n",
        (
            f"The page of open-conus, opened from disk in Chromium with WebGL in software; {found['machine']}. Medians of "
            f"{VIEWS} new processes."
        ),
        (
            "First view: the list and the coloured counties stand. Empty map: MapLibre with one colour, from its making "
            "until it is drawn, which is the start of WebGL."
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
        f"| first view, ms | {page_ms:.0f} |",
        f"| of it the start of WebGL (empty map), ms | {empty_ms:.0f} |",
        f"| first view without it, ms | {page_ms - empty_ms:.0f} |",
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
