"""Pictures of a page for people to judge: `python -m tests.browser.shots FOLDER OUT`, FOLDER being a page."""

import argparse
from pathlib import Path
from typing import Any

from tests.browser.chromium import ARGUMENTS, find_chromium
from tests.browser.opened import Opened

DESKTOP = {"viewport": {"width": 1440, "height": 900}}
LAPTOP = {"viewport": {"width": 1024, "height": 768}}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
# name -> size, words of the hash; {a} and {b} are the first two counties. Each is made in light and in dark.
SCENES: dict[str, tuple[dict[str, Any], str]] = {
    "start": (DESKTOP, ""),
    "laptop": (LAPTOP, ""),
    "place": (DESKTOP, "s=county:{a}&p=place"),
    "weights": (DESKTOP, "wt=headroom_mw_mid:0.6&p=weights"),
    "gates": (DESKTOP, "g=headroom_mw_mid:>500&k=1&p=gates"),
    "layers": (DESKTOP, "y=substation,line,metro_ring,place&p=layers"),
    "grid-near": (DESKTOP, "y=substation,line,place&v={lon},{lat},8.2"),
    "compare": (DESKTOP, "x=county:{a},county:{b}&s=county:{a}"),
    "inference": (DESKTOP, "w=inference&y=people,place"),
    "parcels": (DESKTOP, "l=parcel&v={lon},{lat},8&s=county:{a}"),
    "phone": (PHONE, ""),
    "phone-place": (PHONE, "s=county:{a}&p=place"),
    "phone-weights": (PHONE, "p=weights"),
    "phone-layers": (PHONE, "p=layers"),
}
FIRST_TWO = """async () => {
    const ranking = await gridstead.ranking.current();
    const found = [];
    for (const position of ranking.order.slice(0, 2)) found.push(await gridstead.lookup.at("county", position));
    return found.map((one) => ({id: one.id, lon: one.lon, lat: one.lat}));
}"""


def main() -> None:
    """Write a PNG of every scene, and the page as paper has it."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of a page")
    parser.add_argument("out", type=Path, help="folder for the pictures")
    parser.add_argument(
        "--only", nargs="*", default=list(SCENES), help="scenes; all when not given"
    )
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    url = (options.folder.resolve() / "index.html").as_uri()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        first = _open(browser, url, "", {})
        one, other = first.page.evaluate(FIRST_TWO)
        names = {"a": one["id"], "b": other["id"], "lon": one["lon"], "lat": one["lat"]}
        first.page.context.close()
        for name in options.only:
            size, words = SCENES[name]
            for theme in ("light", "dark"):
                opened = _open(browser, url, words.format(**names), size | {"color_scheme": theme})
                path = options.out / f"{name}-{theme}.png"
                opened.page.screenshot(path=path)
                print(path, *opened.problems)  # noqa: T201
                if name == "place" and theme == "light":
                    _print(opened, options.out)
                opened.page.context.close()
        browser.close()


def _open(browser: Any, url: str, words: str, options: dict[str, Any]) -> Opened:
    context = browser.new_context(offline=True, reduced_motion="reduce", **options)
    opened = Opened(context.new_page())
    opened.page.on(
        "console", lambda message: opened.problems.append(f"{message.type}: {message.text}")
    )
    opened.page.on("pageerror", lambda error: opened.problems.append(str(error)))
    opened.page.goto(f"{url}#{words}" if words else url)
    opened.wait_started()
    opened.ranking()
    opened.wait_quiet()
    return opened


def _print(opened: Opened, out: Path) -> None:
    opened.page.pdf(path=out / "print.pdf", format="Letter", print_background=True)
    opened.page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
    opened.page.set_viewport_size({"width": 816, "height": 1056})
    opened.page.emulate_media(media="print")
    opened.page.screenshot(path=out / "print.png", full_page=True)


if __name__ == "__main__":
    main()
