"""The page's own files and the libraries that it uses, as they stand in this package."""

import shutil
from importlib.resources import as_file, files
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


def write_assets(folder: Path) -> int:
    """Copy `index.html` into a folder and everything else into `assets/` in it.

    Returns
    -------
    int
        Bytes written.
    """
    assets = folder / "assets"
    assets.mkdir(parents=True)
    with as_file(files("geo.export.page")) as package:
        for path in sorted((package / "app").iterdir()):
            shutil.copyfile(path, (folder if path.name == INDEX else assets) / path.name)
        for name in VENDORED:
            shutil.copyfile(package / "vendor" / name, assets / name)
        texts = [
            f"{title}\n\n{(package / 'vendor' / name).read_text(encoding='utf-8')}"
            for title, name in LICENCES
        ]
    (assets / LICENCES_NAME).write_text(f"\n{'-' * 80}\n\n".join(texts), encoding="utf-8")
    return sum(path.stat().st_size for path in [*assets.iterdir(), *folder.glob(INDEX)])
