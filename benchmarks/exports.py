"""Time every export of all parcels of the default study, each in a process of its own, against the plain way.

`python benchmarks/exports.py` runs open-conus first, `--home` takes a home in which it has run. CPU seconds are told
beside those of the clock: over the cores they say what an idle machine takes.
"""

import argparse
import json
import os
import pickle
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import rasterio
from pipeline import timed_run, write_section
from rasterio.features import rasterize
from rasterio.transform import from_bounds

from data import store
from data.build import to_map
from flows import exporting, rasters, selecting, terms
from flows.home import Home
from flows.reporting import rows_of
from flows.selecting import ALL, Selection
from geo.export import FORMATS, ExportLayer
from geo.export.pmtiles import DETAIL

HEADING = "## Exports"
WORKLOAD = "training"
# At most so many seconds together, PMTiles apart, and so much memory.
TOGETHER_S, TILES_S, PEAK_GB = 90, 60, 3
TOP_KMZ = 5_000


def main() -> None:
    """Run, and write the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, help="home in which open-conus has run")
    parser.add_argument("--only", nargs="*", help="words of formats (default: all)")
    parser.add_argument("--no-plain", action="store_true", help="leave the plain way out")
    parser.add_argument("--json", action="store_true", help="print the figures and write nothing")
    parser.add_argument("--part", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        _part(*options.part, options.home)
        return
    with tempfile.TemporaryDirectory() as folder:
        home = options.home or Path(folder) / "home"
        if options.home is None:
            timed_run("open-conus", home)
        found = figures(home, Path(folder), options.only or [*FORMATS], plain=not options.no_plain)
    if options.json:
        print(json.dumps(found, indent=1))
        return
    write_section(HEADING, section(found))


def figures(home: Path, folder: Path, words: list[str], *, plain: bool) -> dict[str, Any]:
    """Seconds, bytes and peak memory of each export, and of what a newcomer would write."""
    read = _measured("read", folder, home)
    return {
        "machine": f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}",
        "load": os.getloadavg()[0],
        "parcels": read["rows"],
        "read": read,
        "run": _measured("run", folder, home),
        "formats": {
            word: {
                "ours": _measured(f"ours:{word}", folder, home),
                "plain": _measured(f"plain:{word}", folder, home)
                if plain and word in PLAIN
                else None,
            }
            for word in words
        },
    }


def _measured(what: str, folder: Path, home: Path) -> dict[str, Any]:
    """Run a part in a process of its own, whose peak is then its own."""
    command = [sys.executable, __file__, "--home", str(home), "--part", what, str(folder)]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(told.splitlines()[-1])


def _part(what: str, folder_name: str, home: Path) -> None:
    """Do one part and print its figures."""
    folder = Path(folder_name)
    held = folder / "layers.pickle"
    kind, _, word = what.partition(":")
    result: dict[str, Any] = {}
    out = folder / "out" / what.replace(":", "-")
    before = _peak_gb()
    began = time.perf_counter(), time.process_time()
    if kind == "read":
        layers, note = _read(Home.at(home).build)
    elif kind == "run":
        result["files"] = _rasters(Home.at(home).build, out)
    else:
        with held.open("rb") as stream:
            layers, note = pickle.load(stream)
        if word == "kmz":
            layers = [layers[0], _first(layers[1])]
        used = layers if word == "pmtiles" else layers[1:]
        before, began = _peak_gb(), (time.perf_counter(), time.process_time())
        path = out / f"parcels{FORMATS[word].suffix}"
        if kind == "ours":
            FORMATS[word](path, used, note)
        else:
            out.mkdir(parents=True)
            PLAIN[word](path, used)
        result["mb"] = sum(file.stat().st_size for file in out.iterdir()) / 1e6
    result |= {
        "wall_s": time.perf_counter() - began[0],
        "cpu_s": time.process_time() - began[1],
        "before_gb": before,
        "peak_gb": _peak_gb(),
    }
    if kind == "read":
        result |= {"rows": len(layers[1].frame), "columns": len(layers[1].columns)}
        with held.open("wb") as stream:
            pickle.dump((layers, note), stream)
    print(json.dumps(result))


def _peak_gb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def _read(build: Path) -> tuple[list[ExportLayer], Any]:
    """Regions and all parcels as `gridstead export` reads them."""
    with store.open_build(build) as con:
        held = terms.withheld(con)
        note = exporting.export_note(con, rows_of(con, "query/run")[0], held)
        frame = selecting.selected(con, WORKLOAD, Selection("parcel", ALL), held)
        regions = to_map(
            store.query_file(
                con, "query/regions_for_export", {"workload": WORKLOAD, "level": None, "n": None}
            )
        )
    return [
        ExportLayer("training_regions", "Regions", regions),
        ExportLayer("training_parcels", "Parcels", frame),
    ], note


def _first(layer: ExportLayer) -> ExportLayer:
    return ExportLayer(layer.name, layer.title, layer.frame.head(TOP_KMZ))


def _rasters(build: Path, out: Path) -> int:
    with store.open_build(build) as con:
        note = exporting.export_note(con, rows_of(con, "query/run")[0])
        return len(rasters.suitability(con, out, note))


def _plain_file(driver: str, **options: Any) -> Callable[[Path, list[ExportLayer]], None]:
    """`to_file` of geopandas."""

    def write(path: Path, layers: list[ExportLayer]) -> None:
        layers[0].frame.to_file(path, driver=driver, **options)

    return write


def _plain_parquet(path: Path, layers: list[ExportLayer]) -> None:
    layers[0].frame.to_parquet(path)


def _plain_csv(path: Path, layers: list[ExportLayer]) -> None:
    layers[0].frame.drop(columns="geometry").to_csv(path, index=False)


def _plain_wkt(path: Path, layers: list[ExportLayer]) -> None:
    layers[0].frame.to_wkt().to_csv(path, index=False)


def _plain_tiles(path: Path, layers: list[ExportLayer]) -> None:
    """GDAL's own driver, which takes one layer, with the attributes and zooms that ours has."""
    parcels = layers[-1]
    columns = [name for name in parcels.columns if name in DETAIL]
    pyogrio.write_dataframe(
        gpd.GeoDataFrame(parcels.frame[[*columns, "geometry"]]),
        path,
        driver="PMTiles",
        layer="parcel",
        MINZOOM="6",
        MAXZOOM="8",
    )


def _plain_raster(path: Path, layers: list[ExportLayer]) -> None:
    """Score burnt in at 1 km in one piece, as floats."""
    frame = layers[0].frame.to_crs(5070)
    west, south, east, north = frame.total_bounds
    shape = int((north - south) / 1000), int((east - west) / 1000)
    transform = from_bounds(west, south, east, north, shape[1], shape[0])
    burnt = rasterize(
        zip(frame.geometry, frame["score"].astype(float), strict=True), shape, transform=transform
    )
    with rasterio.open(
        path, "w", driver="COG", count=1, height=shape[0], width=shape[1], crs=5070,
        transform=transform, dtype="float32",
    ) as file:  # fmt: skip
        file.write(burnt.astype(np.float32), 1)


PLAIN: dict[str, Callable[[Path, list[ExportLayer]], None]] = {
    "gpkg": _plain_file("GPKG"),
    "geoparquet": _plain_parquet,
    "fgb": _plain_file("FlatGeobuf"),
    "geojson": _plain_file("GeoJSON"),
    "csv": _plain_csv,
    "csv-wkt": _plain_wkt,
    "kmz": _plain_file("KML"),
    "pmtiles": _plain_tiles,
    "cog": _plain_raster,
}


def section(found: dict[str, Any]) -> str:
    """Markdown of the figures."""
    formats = found["formats"]
    rows = []
    for word, both in formats.items():
        ours, plain = both["ours"], both["plain"]
        cells = [word, f"{ours['wall_s']:.1f}", f"{ours['cpu_s']:.1f}", f"{ours['mb']:.1f}", f"{ours['peak_gb']:.1f}"]  # fmt: skip
        if plain:
            cells += [
                f"{plain['wall_s']:.1f}", f"{plain['cpu_s']:.1f}", f"{plain['mb']:.1f}", f"{plain['peak_gb']:.1f}",
                f"{plain['cpu_s'] / ours['cpu_s']:.1f}",
            ]  # fmt: skip
        else:
            cells += [""] * 5
        rows.append("| " + " | ".join(cells) + " |")
    others = [both["ours"] for word, both in formats.items() if word != "pmtiles"]
    together = {key: sum(one[key] for one in others) for key in ("wall_s", "cpu_s")}
    peak = max(both["ours"]["peak_gb"] for both in formats.values())
    read, run = found["read"], found["run"]
    tiles = formats.get("pmtiles")
    said = (
        f"All but PMTiles together: {together['wall_s']:.0f} s of {TOGETHER_S}, {together['cpu_s']:.0f} of the processor"
        + (f"; PMTiles {tiles['ours']['wall_s']:.0f} s of {TILES_S}" if tiles else "")
        + f"; largest peak {max(peak, read['peak_gb'], run['peak_gb']):.1f} GB of {PEAK_GB}."
    )
    return f"""{HEADING}

All {found["parcels"]:,} parcels of `open-conus` for {WORKLOAD} with their {read["columns"]} columns, {found["machine"]}, load of the machine {found["load"]:.0f}.
Each format is written in a process of its own; its peak includes the table ({read["peak_gb"]:.1f} GB when it is read, which takes {read["wall_s"]:.0f} s,
{read["cpu_s"]:.0f} of the processor). KMZ holds the first {TOP_KMZ:,}; PMTiles the regions too. The plain way is geopandas' `to_file` and
`to_csv` with their defaults, one raster burnt in a piece, GDAL's own PMTiles (parcels, zooms 6 to 8). `python benchmarks/exports.py`

| format | s | CPU s | MB | peak GB | plain: s | CPU s | MB | peak GB | CPU, plain over ours |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|
{chr(10).join(rows)}

{said}
The rasters of all {run["files"]} workloads, as every run writes them: {run["wall_s"]:.0f} s, {run["cpu_s"]:.0f} of the processor, {run["peak_gb"]:.1f} GB.
"""


if __name__ == "__main__":
    main()
