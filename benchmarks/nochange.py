"""Time a night on which no source has changed: what Prefect takes to start, and what the run then does."""

import argparse
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pipeline import write_section

HEADING = "## A night without changes"
# A line of the run: 02:15:04 publish: 3.9 s
LAP = re.compile(r"^\d\d:\d\d:\d\d (?P<step>\w+): (?P<seconds>[\d.]+) s$", re.MULTILINE)


def main() -> None:
    """Run, and write the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", default="open-conus")
    parser.add_argument(
        "--home",
        type=Path,
        help="home to run in, in which nothing has changed (default: a new one)",
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--print", action="store_true", help="write nothing")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = options.home or Path(folder)
        night(options.study, home)
        nights = [night(options.study, home) for _ in range(options.repeats)]
        size_mb = (home / "gridstead.duckdb").stat().st_size / 1e6
    text = section(options.study, nights, size_mb)
    print(text)
    if not options.print:
        write_section(HEADING, text)


def night(study: str, home: Path) -> tuple[float, dict[str, float]]:
    """Wall seconds of a run in a process of its own, and the seconds of its steps."""
    command = [sys.executable, "-c", "from flows.cli import entry; entry()"]
    began = time.monotonic()
    ended = subprocess.run(
        [*command, "run", study, "--home", str(home)], check=True, capture_output=True, text=True
    )
    wall_s = time.monotonic() - began
    laps = {found["step"]: float(found["seconds"]) for found in LAP.finditer(ended.stderr)}
    return wall_s, laps


def section(study: str, nights: list[tuple[float, dict[str, float]]], size_mb: float) -> str:
    """Markdown of the figures: medians over the nights."""
    wall_s = statistics.median(wall for wall, _ in nights)
    work_s = statistics.median(sum(laps.values()) for _, laps in nights)
    steps = {name: statistics.median(laps[name] for _, laps in nights) for name in nights[0][1]}
    told = "\n".join(f"| {name} | {seconds:.1f} |" for name, seconds in steps.items() if seconds)
    return f"""{HEADING}

Study `{study}`, a build of {size_mb:,.0f} MB, {platform.machine()}, Python {platform.python_version()}, 2 cores, \
median of {len(nights)}. `python benchmarks/nochange.py`

The run works {work_s:.1f} s, and takes {wall_s:.1f} s with the start and the end of Prefect's own server.

| step | s |
|---|---:|
{told}
"""


if __name__ == "__main__":
    main()
