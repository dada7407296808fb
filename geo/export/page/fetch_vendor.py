"""Fetch the libraries of the map page anew, as package-lock.json pins them, and write their sums.

Run by `make map-assets`; needs npm. What npm installs stays in a temporary folder: only the build output of the
libraries, and their licences, are copied to vendor/.
"""

import hashlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).parent / "vendor"
# Where a file is in what npm installs -> what it is called here.
FILES = {
    "maplibre-gl/dist/maplibre-gl.js": "maplibre-gl.js",
    "maplibre-gl/dist/maplibre-gl.css": "maplibre-gl.css",
    "maplibre-gl/LICENSE.txt": "maplibre-gl.LICENSE.txt",
    "pmtiles/dist/pmtiles.js": "pmtiles.js",
    "fflate/LICENSE": "fflate.LICENSE.txt",
}
# The package of PMTiles brings no licence text: this one is of its repository.
KEPT = ("pmtiles.LICENSE.txt",)
SUMS = "SHA256SUMS"
# A debugger would ask for what it names.
SOURCE_MAP = re.compile(r"^(//|/\*)# sourceMappingURL=.*$\n?", re.MULTILINE)


def fetch() -> None:
    """Install, copy, and write the sums."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(HERE / name, work / name)
        npm = shutil.which("npm")
        if npm is None:
            msg = "npm is not on the path: install Node.js, or keep the files that are here."
            raise SystemExit(msg)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=work, check=True)  # noqa: S603
        for source, name in FILES.items():
            text = (work / "node_modules" / source).read_text(encoding="utf-8")
            (HERE / name).write_text(SOURCE_MAP.sub("", text), encoding="utf-8")
    names = sorted([*FILES.values(), *KEPT])
    sums = [f"{hashlib.sha256((HERE / name).read_bytes()).hexdigest()}  {name}" for name in names]
    (HERE / SUMS).write_text("\n".join(sums) + "\n", encoding="utf-8")


if __name__ == "__main__":
    fetch()
