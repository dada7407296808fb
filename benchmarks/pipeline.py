"""Time the default study from sources to maps, and again with nothing changed, in fresh processes."""

import argparse
import itertools
import json
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from data.parts import RowReader, chunks_of
from data.stage import REFERENCE_DIR
from data.study import load_study
from flows.exclusions import load_exclusions
from flows.fiber_graph import read_fiber
from flows.measuring import measure_chunk, read_layers
from flows.people import read_people_source
from flows.power import read_shared
from geo.measure import prepare
from geo.tie_line import TieLineCosts

RESULTS = Path(__file__).parent / "RESULTS.md"
HEADING = "## Pipeline"


def main() -> None:
    """Run, and write the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", default="open-conus")
    parser.add_argument(
        "--home", type=Path, help="keep cache and builds here (default: a temporary folder)"
    )
    parser.add_argument("--repeats", type=int, default=3, help="runs with nothing changed")
    parser.add_argument("--json", action="store_true", help="print the figures and write nothing")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = options.home or Path(folder)
        first = timed_run(options.study, home)
        again = [timed_run(options.study, home) for _ in range(options.repeats)]
        cells = measured(options.study, home)
    figures = {
        "study": options.study,
        "machine": f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}",
        "first": first,
        "again": {
            "wall_s": statistics.median(run["wall_s"] for run in again),
            "peak_gb": max(run["peak_gb"] for run in again),
        },
        "cells": cells,
    }
    if options.json:
        print(json.dumps(figures, indent=2))
        return
    write_section(HEADING, section(figures))


def timed_run(study: str, home: Path) -> dict[str, Any]:
    """Wall time, peak memory and seconds by step of one run in a process of its own."""
    command = [
        sys.executable,
        "-c",
        "from flows.cli import entry; entry()",
        "run",
        study,
        "--quiet",
    ]
    began = time.monotonic()
    subprocess.run([*command, "--home", str(home)], check=True, stdout=subprocess.DEVNULL)
    wall_s = time.monotonic() - began
    # The largest of all children so far: the first run is the largest, later ones reuse its steps.
    peak_gb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9
    with duckdb.connect(str(home / "gridstead.duckdb"), read_only=True) as con:
        row = con.execute("select seconds, parcel_count from meta.run").fetchone()
    assert row is not None
    return {"wall_s": wall_s, "peak_gb": peak_gb, "seconds": dict(row[0]), "parcels": row[1]}


def measured(study: str, home: Path) -> dict[str, float]:
    """Seconds to read the layers of a run, to prepare them, and to measure all its parcels (median of 3)."""
    loaded = load_study(study)
    newest = {
        what: max(
            (path for path in home.glob(f"work/{what}-*") if path.name.count(".") == 1),
            key=lambda path: path.stat().st_mtime,
        )
        for what in ("layers", "power", "people", "fiber", "parcel", "exclusion")
    }
    clock = [time.perf_counter()]
    layers, headroom = read_layers(newest["layers"], newest["power"])
    clock.append(time.perf_counter())
    costs = TieLineCosts.from_frame(pd.read_csv(REFERENCE_DIR / "tie_line.csv"))
    engine = prepare(
        layers,
        headroom,
        costs,
        shared=read_shared(newest["power"], headroom),
        fiber=read_fiber(newest["fiber"]),
        exclusions=load_exclusions(newest["exclusion"]),
        people=read_people_source(newest["people"]),
    )
    clock.append(time.perf_counter())
    for _ in range(4):
        with RowReader(newest["parcel"]) as rows:
            for chunk in chunks_of(len(rows), loaded.measure.chunk_parcels):
                measure_chunk(rows.read(chunk), engine)
        clock.append(time.perf_counter())
    read_s, prepare_s, first_s, *warm_s = itertools.starmap(
        lambda begin, end: end - begin, itertools.pairwise(clock)
    )
    median_s = statistics.median(warm_s)
    return {"read_s": read_s, "prepare_s": prepare_s, "first_s": first_s, "warm_s": median_s}


def section(figures: dict[str, Any]) -> str:
    """Markdown of the figures."""
    first, again, cells = figures["first"], figures["again"], figures["cells"]
    steps = "\n".join(f"| {name} | {seconds:.1f} |" for name, seconds in first["seconds"].items())
    return f"""{HEADING}

Study `{figures["study"]}`, {first["parcels"]:,} parcels, {figures["machine"]}, 2 cores. `python benchmarks/pipeline.py`

| | wall s | peak GB |
|---|---:|---:|
| first run, pull to maps, Prefect's start included | {first["wall_s"]:.0f} | {first["peak_gb"]:.1f} |
| again with nothing changed (median) | {again["wall_s"]:.0f} | |

| step of the first run | s |
|---|---:|
{steps}

All cells measured in one process, every metric of the study: {cells["warm_s"]:.1f} s (median of 3; the first time {cells["first_s"]:.1f} s),
after {cells["read_s"]:.1f} s to read the layers and {cells["prepare_s"]:.1f} s to prepare them, headroom of the substations included.
"""


def write_section(heading: str, text: str) -> None:
    """Put a section into RESULTS.md in place of the one with the same heading."""
    old = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else "# Results\n"
    kept = []
    is_mine = False
    for line in old.splitlines():
        if line.startswith("## "):
            is_mine = line == heading
        if not is_mine:
            kept.append(line)
    RESULTS.write_text("\n".join(kept).rstrip() + "\n\n" + text.rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
