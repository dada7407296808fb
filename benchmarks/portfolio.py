"""Measure how long portfolios of the default study take, and how good they are.

`python benchmarks/portfolio.py` runs open-conus first, `--home` takes a home in which it has run. CPU seconds are
told beside those of the clock: over the cores they say what an idle machine takes.
"""

import argparse
import json
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

from pipeline import timed_run, write_section

from flows.home import Home
from flows.portfolio import Asked, portfolio

HEADING = "## Portfolio"
MW = [(3_000.0, 6, 0.0), (3_000.0, 10, 0.0), (3_000.0, 10, 100.0), (10_000.0, 10, 50.0)]
PEOPLE = [(5, 5.0), (5, 10.0), (10, 10.0)]


def main() -> None:
    """Run, and write the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, help="home in which open-conus has run")
    parser.add_argument("--json", action="store_true", help="print the figures and write nothing")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = options.home or Path(folder) / "home"
        if options.home is None:
            timed_run("open-conus", home)
        build = Home.at(home).build
        found = {
            "machine": f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}",
            "mw": [
                measured(build, "training", Asked(mw, n, apart, None, None, None, "score"))
                for mw, n, apart in MW
            ],
            "people": [
                measured(build, "inference", Asked(None, n, 0.0, None, None, ms, None))
                for n, ms in PEOPLE
            ],
        }
    if options.json:
        print(json.dumps(found, indent=1))
        return
    write_section(HEADING, section(found))


def measured(build: Path, workload: str, asked: Asked) -> dict[str, Any]:
    """Give the answer to one question with the time it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    told = portfolio(build, workload, asked).data()
    told["wall_s"], told["cpu_s"] = time.perf_counter() - wall, time.process_time() - cpu
    return told | {"asked": asked._asdict()}


def section(found: dict[str, Any]) -> str:
    """Markdown of the figures."""
    mw = [
        f"| {one['asked']['mw']:,.0f} MW, {one['asked']['sites']} sites, "
        f"{one['asked']['spacing_mi']:g} mi apart | {one['wall_s']:.0f} | {one['cpu_s']:.0f} "
        f"| {one['seconds']:.0f} | {one['gap']:.3%} | {one['limits_found_by_load_flow']} "
        f"| {100 * one['value'] / one['mw']:.2f} |"
        for one in found["mw"]
    ]
    people = [
        f"| {one['asked']['sites']} sites, {one['ms']:g} ms | {one['wall_s']:.0f} "
        f"| {one['cpu_s']:.0f} | {one['seconds']:.0f} | {one['gap']:.2%} | {one['method']} "
        f"| {one['people'] / 1e6:.1f} |"
        for one in found["people"]
    ]
    head = "| asked | s | CPU s | of them choosing and load flow, s | gap |"
    lines = "|---|---:|---:|---:|---:|"
    return "\n".join(
        [
            f"{HEADING}\n",
            f"Sites of the default study that are best together, {found['machine']}; each answer from the published build",
            "alone, load flow made anew. The gap is to the best of all parcels. `python benchmarks/portfolio.py`\n",
            f"{head} limits found by the load flow | mean score |",
            f"{lines}---:|---:|",
            *mw,
            "",
            f"{head} by | million people |",
            f"{lines}---|---:|",
            *people,
            "",
        ]
    )


if __name__ == "__main__":
    main()
