"""Time the parcel engine from file to file: `python benchmarks/parcels.py`, or for one size `--parcels 1000000 --json`.

Parcels and layers are made up (`made_parcels.py`, `made_layers.py`) and kept under var/bench. Twelve metrics:
area_acres, compactness, substation_mi, line_230kv_mi, fiber_mi, metro_mi, generation_10mi_mw,
generation_25mi_mw, generation_50mi_mw, population_100mi, excluded_share and slope_mean_pct. "Everything" is
these and minimum_width_m, inscribed_diameter_m, the three nearest substations, buildable_acres,
contiguous_acres, slope_max_pct and the share under 10 % of slope.

Each size runs in processes of its own, so that peaks of memory are its own: one with no compiled kernel
and no united exclusions (the first run), then one with both, whose runs are the warm ones. Reading ahead and
writing behind overlap with the kernels; seconds by step are of one more run without that. At 100,000 parcels the plain way (`plain_parcels.py`) is timed in the same
process on the same input, on samples where all would take hours.
"""

import argparse
import cProfile
import json
import os
import platform
import pstats
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import engine
import made_parcels
import numpy as np
import pandas as pd
import plain_parcels
import pyarrow.parquet as pq
from engine import EVERYTHING, KEPT, TWELVE, Clock, Ground, Run
from made_layers import MadeLayers
from parcels_section import HEADING, section
from pipeline import write_section
from plain_parcels import PlainTime

SIZES = (100_000, 1_000_000, 5_000_000)
PLAIN_SIZE = 100_000
EXACT = " (exactextract)"
HERE = Path(__file__).resolve()


def main() -> None:
    """Run all sizes and write the section of RESULTS.md, or one size and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parcels", type=int, help="one size instead of the three")
    parser.add_argument("--json", action="store_true", help="print the figures and write nothing")
    parser.add_argument("--profile", action="store_true", help="print where the time goes")
    parser.add_argument("--runs", type=int, help="warm runs (default: 3, of 5 million parcels 2)")
    parser.add_argument("--shuffled", action="store_true", help="parcels in random order")
    parser.add_argument("--no-plain", action="store_true", help="without the plain way")
    parser.add_argument("--first", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    sizes = SIZES if options.parcels is None else (options.parcels,)
    if options.first:
        print(json.dumps(first_run(_file(sizes[0], options), Path(os.environ["NUMBA_CACHE_DIR"]))))
        return
    for count in sizes:
        _make(count, options)
    if options.profile:
        for count in sizes:
            print(profile(_file(count, options)))
        return
    if options.parcels is not None:
        is_plain = count <= PLAIN_SIZE and not options.no_plain
        found = figures(_file(count, options), runs=options.runs, plain=is_plain)
        print(json.dumps(found, indent=2) if options.json else section([found]))
        return
    found = [_apart(count, options) for count in sizes]
    if options.json:
        print(json.dumps(found, indent=2))
        return
    write_section(HEADING, section(found))
    print(section(found))


def figures(
    parcels: Path,
    *,
    layers: MadeLayers | None = None,
    runs: int | None = None,
    plain: bool = False,
    plain_scale: float = 1.0,
    plain_without: tuple[str, ...] = (),
    first: bool = True,
) -> dict[str, Any]:
    """Time one file of parcels; the process is new, or peaks of memory are not the file's."""
    layers = layers or MadeLayers()
    count = pq.read_metadata(parcels).num_rows
    runs = runs or (2 if count > 2_000_000 else 3)
    with tempfile.TemporaryDirectory() as folder:
        out, other = Path(folder) / "twelve.parquet", Path(folder) / "everything.parquet"
        cold = _first_apart(parcels) if first else None
        loading = Clock()
        ground = Ground.of(layers, layers.folder, loading)

        def one_run(steps: dict[str, engine.Step], *, ahead: bool) -> Run:
            is_twelve = steps is TWELVE
            keep, target = (KEPT, out) if is_twelve else (None, other)
            return engine.run(parcels, ground, steps, target, keep=keep, ahead=ahead)

        twelve = _warm(lambda *, ahead: one_run(TWELVE, ahead=ahead), runs)
        everything = _warm(lambda *, ahead: one_run(EVERYTHING, ahead=ahead), runs)
        floor_s = statistics.median(
            engine.floor(parcels, Path(folder) / "floor.parquet").wall_s
            for _ in range(max(runs, 3))
        )
        found = {
            "parcels": count,
            "file": parcels.name,
            "machine": f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}, "
            f"{os.cpu_count()} cores",
            "first": cold,
            "load_layers_s": loading.wall_s,
            "twelve": twelve,
            "everything": everything,
            "floor_s": floor_s,
            "ratio_to_floor": twelve["wall_s"] / floor_s,
        }
        if plain:
            times, values = plain_parcels.plain_way(
                pq.read_table(parcels), layers, scale=plain_scale, without=plain_without
            )
            mine = pd.read_parquet(other).set_index("parcel_id").reindex(values.index)
            found["plain"] = _plain(times, values, mine, twelve, cold)
    return found


def first_run(parcels: Path, kept: Path) -> dict[str, Any]:
    """Run once with nothing compiled and nothing united: `kept` is an empty folder."""
    began = time.perf_counter()
    clock = Clock()
    ground = Ground.of(MadeLayers(), kept, clock)
    done = engine.run(parcels, ground, TWELVE, kept / "first.parquet", keep=KEPT)
    return {
        "layers_s": clock.wall_s,
        "run_s": done.wall_s,
        "wall_s": time.perf_counter() - began,
        "peak_gb": peak_gb(),
    }


def profile(parcels: Path) -> str:
    """Seconds by step of a warm run, and the functions of the main thread with most time of their own."""
    layers = MadeLayers()
    ground = Ground.of(layers, layers.folder, Clock())
    texts = []
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.parquet"
        for name, steps in (("12 metrics", TWELVE), ("everything", EVERYTHING)):
            engine.run(parcels, ground, steps, out)
            watch = cProfile.Profile()
            done = watch.runcall(engine.run, parcels, ground, steps, out, ahead=False)
            texts.append(
                f"{name}: {done.measured:,} parcels in {done.wall_s:.2f} s\n{_steps(done)}"
            )
            pstats.Stats(watch).sort_stats("tottime").print_stats(15)
    return "\n".join([*texts, f"peak {peak_gb():.2f} GB"])


def peak_gb() -> float:
    """Most memory that this process ever held: what its parent held does not count."""
    with Path("/proc/self/status").open(encoding="ascii") as lines:
        (kilobytes,) = (line.split()[1] for line in lines if line.startswith("VmHWM"))
    return int(kilobytes) * 1024 / 1e9


def _warm(run: Callable[..., Run], runs: int) -> dict[str, Any]:
    fresh, *rest = (run(ahead=True) for _ in range(runs + 1))
    wall_s = statistics.median(one.wall_s for one in rest)
    highest_gb = peak_gb()
    last = run(ahead=False)
    return {
        "fresh_s": fresh.wall_s,
        "runs_s": [one.wall_s for one in rest],
        "wall_s": wall_s,
        "measured": last.measured,
        "repaired": last.repaired,
        "rejected": last.rejected,
        "parcels_per_s": last.measured / wall_s,
        "peak_gb": highest_gb,
        "one_by_one_s": last.wall_s,
        "steps_wall_s": last.clock.wall_s,
        "steps_cpu_s": last.clock.cpu_s,
    }


def _plain(
    times: list[PlainTime],
    values: pd.DataFrame,
    mine: pd.DataFrame,
    twelve: dict[str, Any],
    cold: dict[str, Any] | None,
) -> dict[str, Any]:
    """Hold seconds and values of the plain way against those of the engine."""
    asked = [one for one in times if one.is_asked]
    all_s = sum(one.all_s for one in asked)
    work_s = all_s - sum(one.once_s for one in asked)
    seconds = {one.metric: one.all_s - one.once_s for one in times}
    saved_s = sum(
        seconds.get(name.removesuffix(EXACT), seconds[name]) - seconds[name]
        for name in seconds
        if name.endswith(EXACT)
    )
    return {
        "times": [vars(one) for one in times],
        "twelve_s": all_s,
        "twelve_without_setup_s": work_s,
        "ratio": work_s / twelve["wall_s"],
        "exact_ratio": (work_s - saved_s) / twelve["wall_s"],
        "first_ratio": all_s / cold["wall_s"] if cold else None,
        "differences": {
            name: _difference(values[name], mine[name.split(" ")[0]]) for name in values.columns
        },
    }


def _difference(plain: pd.Series, mine: pd.Series) -> dict[str, float]:
    """Median and 99th percentile of the relative difference of what both know."""
    known = plain.notna() & mine.notna()
    off = (plain[known] - mine[known]).abs() / np.maximum(plain[known].abs(), 1e-9)
    off[plain[known] == mine[known]] = 0.0
    return {
        "compared": int(known.sum()),
        "median": float(off.median()),
        "p99": float(off.quantile(0.99)),
    }


def _steps(done: Run) -> str:
    rows = (
        f"  {step:22s} {wall_s:8.2f} s wall {done.clock.cpu_s[step]:8.2f} s CPU "
        f"{wall_s / done.measured * 1e6:7.2f} µs a parcel {wall_s / done.wall_s:6.1%}"
        for step, wall_s in sorted(done.clock.wall_s.items(), key=lambda item: -item[1])
    )
    return "\n".join(rows)


def _make(count: int, options: argparse.Namespace) -> None:
    """Make what is missing in another process: its memory is none of ours."""
    shuffled = ["--shuffled"] if options.shuffled else []
    for command in (["made_layers.py"], ["made_parcels.py", str(count), *shuffled]):
        script = [sys.executable, str(HERE.with_name(command[0])), *command[1:]]
        subprocess.run(script, check=True, stdout=subprocess.DEVNULL)


def _file(count: int, options: argparse.Namespace) -> Path:
    return made_parcels.made_parcels(count, shuffled=options.shuffled)


def _apart(count: int, options: argparse.Namespace) -> dict[str, Any]:
    arguments = ["--parcels", str(count), "--json"]
    arguments += ["--runs", str(options.runs)] if options.runs else []
    arguments += ["--shuffled"] * options.shuffled + ["--no-plain"] * options.no_plain
    return _json_of(arguments, os.environ)


def _first_apart(parcels: Path) -> dict[str, Any]:
    count = str(pq.read_metadata(parcels).num_rows)
    arguments = ["--parcels", count, "--first"] + ["--shuffled"] * ("shuffled" in parcels.name)
    with tempfile.TemporaryDirectory() as empty:
        return _json_of(arguments, {**os.environ, "NUMBA_CACHE_DIR": empty})


def _json_of(arguments: list[str], environment: dict[str, str] | os._Environ[str]) -> Any:
    command = [sys.executable, str(HERE), *arguments]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment)
    return json.loads(told.stdout)


if __name__ == "__main__":
    main()
