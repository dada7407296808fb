"""Measure how long owners wait for an answer on their sites: `gridstead assess` on made lists.

`python benchmarks/assess.py` runs open-conus first, `--home` takes a home in which it has run. Each list is asked of
in a process of its own, as the command line does it, with all three files written.
"""

import argparse
import csv
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from pipeline import timed_run, write_section

from data import store

HEADING = "## Assess"
COUNTS = (1, 100, 1_000)
RUNS = 3
COLUMNS = ("name", "lat", "lon", "energized_mw", "acres", "usd_per_mwh", "cooling")


def main() -> None:
    """Run, and write the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, help="home in which open-conus has run")
    parser.add_argument("--json", action="store_true", help="print the figures and write nothing")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = options.home or Path(folder)
        if options.home is None:
            timed_run("open-conus", home)
        found = [timed(home, count, Path(folder)) for count in COUNTS]
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        write_section(HEADING, section(found))


def timed(home: Path, count: int, folder: Path) -> dict[str, Any]:
    """Wall and processor time of one list (medians), and the load of the machine beforehand."""
    sites = folder / f"sites-{count}.csv"
    write_sites(home, sites, count)
    command = [sys.executable, "-c", "from flows.cli import entry; entry()", "assess", str(sites)]
    for option, suffix in (("csv", "csv"), ("geojson", "geojson"), ("markdown", "md")):
        command += [f"--{option}", str(folder / f"out.{suffix}")]
    wall_s, cpu_s, load = [], [], os.getloadavg()[0]
    for _ in range(RUNS):
        before, began = os.times(), time.monotonic()
        subprocess.run([*command, "--home", str(home)], check=True, stdout=subprocess.DEVNULL)
        wall_s.append(time.monotonic() - began)
        after = os.times()
        cpu_s.append(
            after.children_user
            + after.children_system
            - before.children_user
            - before.children_system
        )
    return {
        "sites": count,
        "wall_s": statistics.median(wall_s),
        "cpu_s": statistics.median(cpu_s),
        "load": load,
    }


def write_sites(home: Path, path: Path, count: int) -> None:
    """Write a list of sites near parcels all over the study, half of them energised."""
    with store.open_build(home / "gridstead.duckdb") as con:
        place = con.execute("select lat, lon from core.parcel order by parcel_id").fetchnumpy()
    draw = np.random.default_rng(1)
    chosen = draw.choice(len(place["lat"]), count, replace=False)
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(COLUMNS)
        for number, at in enumerate(chosen.tolist()):
            lat, lon = place["lat"][at] + draw.uniform(-0.01, 0.01), place["lon"][at]
            mw = int(draw.integers(5, 500)) if draw.random() < 0.5 else ""
            cooling = str(draw.choice(["air", "immersion", "liquid"]))
            acres, usd = int(draw.integers(5, 800)), int(draw.integers(30, 90))
            writer.writerow([f"site {number}", lat, lon, mw, acres, usd, cooling])


def section(found: list[dict[str, Any]]) -> str:
    """Markdown of the figures."""
    machine = f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}"
    rows = [
        f"| {one['sites']:,} | {one['wall_s']:.1f} | {one['cpu_s']:.1f} | {one['load']:.1f} |"
        for one in found
    ]
    return "\n".join(
        [
            f"{HEADING}\n",
            f"`gridstead assess` of lists of sites on open-conus, {machine}, 2 cores, each in a process of its own",
            f"with CSV, GeoJSON and Markdown written; medians of {RUNS}. Must: 1,000 sites in 10 s.",
            "`python benchmarks/assess.py`\n",
            "| sites | s | processor s | load of the machine before |",
            "| ---: | ---: | ---: | ---: |",
            *rows,
        ]
    )


if __name__ == "__main__":
    main()
