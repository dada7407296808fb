"""The page's own files and the libraries that it uses, as they stand in this package."""

import re
import shutil
from importlib.resources import as_file, files
from itertools import groupby
from pathlib import Path

# Libraries, and what their licences ask to be handed on with them.
VENDORED = ("maplibre-gl.js", "maplibre-gl.css", "pmtiles.js")
LICENCES = (
    ("MapLibre GL JS 5.24.1", "maplibre-gl.LICENSE.txt"),
    ("PMTiles 4.5.0", "pmtiles.LICENSE.txt"),
    ("fflate, in pmtiles.js", "fflate.LICENSE.txt"),
)
LICENCES_NAME = "LICENSES.txt"
INDEX = "index.html"
_OWN = re.compile(r'<(?:script src|link rel="stylesheet" href)="assets/([a-z]+\.(?:js|css))"')
_TAGS = {
    ".js": '<script src="assets/{}"></script>\n',
    ".css": '<link rel="stylesheet" href="assets/{}">\n',
}


def write_assets(folder: Path) -> int:
    """Write `index.html` into a folder and everything else into `assets/` in it.

    Of the page's own scripts, those that follow one another become one file, and so do its styles: each file more
    is a wait more before the first view.

    Returns
    -------
    int
        Bytes written.
    """
    assets = folder / "assets"
    assets.mkdir(parents=True)
    with as_file(files("geo.export.page")) as package:
        _write_joined(package / "app", folder)
        for name in VENDORED:
            shutil.copyfile(package / "vendor" / name, assets / name)
        texts = [
            f"{title}\n\n{(package / 'vendor' / name).read_text(encoding='utf-8')}"
            for title, name in LICENCES
        ]
    (assets / LICENCES_NAME).write_text(f"\n{'-' * 80}\n\n".join(texts), encoding="utf-8")
    return sum(path.stat().st_size for path in [*assets.iterdir(), *folder.glob(INDEX)])


def _write_joined(app: Path, folder: Path) -> None:
    def own(line: str) -> Path | None:
        found = _OWN.match(line)
        path = app / found[1] if found else None
        return path if path and path.is_file() else None

    written: list[str] = []
    lines = [
        (line, own(line))
        for line in (app / INDEX).read_text(encoding="utf-8").splitlines(keepends=True)
    ]
    runs = groupby(lines, lambda pair: pair[1].suffix if pair[1] else "")
    for number, (suffix, run) in enumerate(runs):
        if not suffix:
            written += [line for line, _ in run]
            continue
        texts = [
            f"/* {path.name} */\n{path.read_text(encoding='utf-8')}" for _, path in run if path
        ]
        name = f"page-{number}{suffix}"
        (folder / "assets" / name).write_text("\n".join(texts), encoding="utf-8")
        written.append(_TAGS[suffix].format(name))
    (folder / INDEX).write_text("".join(written), encoding="utf-8")
