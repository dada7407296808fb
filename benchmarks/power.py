"""Measure the load flow and the estimate without one: `python benchmarks/power.py`, `--quick` for Texas alone.

The grid is pulled and staged like that of a run. Each interconnection, and all of them, are computed in a
process of its own with nothing compiled, so that times are cold and peaks of memory their own. The plain way,
naive rules and what screening loses come after, in this process. `--calibrate` also writes
data/reference/import_calibration.csv from the answers.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import power_estimate
import power_plain
from pipeline import write_section
from power_estimate import PLACES
from power_section import HEADING, section

from data import build as builds
from data import store
from data.stage import REFERENCE_DIR
from data.study import load_study
from flows.home import Home
from flows.results import attach
from flows.steps import pull_source, stage
from geo.power.hosting import Hosting, hosting_capacity, prepare_islands
from geo.power.network import Network
from geo.power.rules import PowerRules
from geo.power.substations import best_bus, ordered, sensitivity_of, vary

STUDY = "open-conus"
LAYERS = ("substation", "bus", "branch", "plant", "dc_tie")
ALL = "all"
NAIVE_FLOORS = (0.05, 0.02, 0.01)


def main() -> None:
    """Run, and write the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="Texas alone; prints, writes nothing")
    parser.add_argument("--home", type=Path, help="cache (default: a temporary folder)")
    parser.add_argument("--offline", action="store_true", help="take the grid from the cache")
    parser.add_argument("--calibrate", action="store_true", help="write import_calibration.csv")
    parser.add_argument("--json", action="store_true", help="print the figures and write nothing")
    parser.add_argument("--child", nargs=2, metavar=("FOLDER", "PLACE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        compute(Path(options.child[0]), options.child[1])
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home = Home.at(options.home or folder / "home").make()
        read_grid(home, folder, offline=options.offline)
        found = figures(
            folder, PLACES[:1] if options.quick else PLACES, calibrate=options.calibrate
        )
    if options.json:
        print(json.dumps(found, indent=2))
    elif options.quick:
        print(section(found))
    else:
        write_section(HEADING, section(found))


def read_grid(home: Home, folder: Path, *, offline: bool) -> None:
    """Bring the layers of the grid into a folder, as a run stages them."""
    study = load_study(STUDY)
    pulled = {
        source: pull_source(source, home, study, offline=offline)
        for source in study.themes["grid"].sources
    }
    staged = stage(study, "grid", pulled, home, lambda _: None)
    with store.create() as con:
        attach(con, staged)
        for layer in LAYERS:
            builds.layer_frame(con, layer).to_parquet(folder / f"{layer}.parquet")


def figures(folder: Path, places: tuple[str, ...], *, calibrate: bool) -> dict[str, Any]:
    """Everything that the section tells."""
    runs = {place: timed(folder, place) for place in (*places, *([ALL] if len(places) > 1 else []))}
    frames = frames_of(folder, ALL)
    answer = pd.concat([pd.read_parquet(folder / f"answer-{place}.parquet") for place in places])
    if calibrate:
        print(power_estimate.calibrate(frames, answer))
    sensitivity = pd.read_parquet(folder / f"sensitivity-{[*runs][-1]}.parquet")
    plain: dict[str, Any] = {}
    for place in places:
        network, _ = network_of(frames_of(folder, place))
        islands = prepare_islands(network)
        sites = network.connectable_buses
        plain[place] = power_plain.plain(network, islands, sites)
        plain[place]["engine_s"] = runs[place]["mid_s"]
        plain[place]["naive"] = [
            power_plain.naive(network, islands, sites, floor) for floor in NAIVE_FLOORS
        ]
        if place == PLACES[0]:
            screening = power_plain.screening_loss(network, sites)
    return {
        "machine": f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}",
        "runs": runs,
        "plain": plain,
        "screening": screening,
        "sensitivity": json.loads(sensitivity.to_json(orient="records")),
        "estimate": power_estimate.figures(frames, answer),
    }


def timed(folder: Path, place: str) -> dict[str, Any]:
    """Compute a place in a process of its own, with nothing compiled."""
    with tempfile.TemporaryDirectory() as kernels:
        command = [sys.executable, __file__, "--child", str(folder), place]
        began = time.monotonic()
        subprocess.run(command, check=True, env={**os.environ, "NUMBA_CACHE_DIR": kernels})
        wall_s = time.monotonic() - began
    return {"wall_s": wall_s, **json.loads((folder / f"run-{place}.json").read_text())}


def compute(folder: Path, place: str) -> None:
    """Load flow of one interconnection or of all; leaves its times and answers in the folder."""
    clock = [time.perf_counter()]
    frames = frames_of(folder, place)
    network, rules = network_of(frames)
    clock.append(time.perf_counter())
    islands = prepare_islands(network)
    clock.append(time.perf_counter())
    # Weighs every bus of 60 kV or more, intact and with outages.
    bus = best_bus(network, islands, frames["substation"]["substation_id"], rules)
    held = np.flatnonzero(bus >= 0)
    clock.append(time.perf_counter())
    hosting = hosting_capacity(network, islands, rules.published(), bus[held])
    clock.append(time.perf_counter())
    sensitivity = vary(network, islands, rules, hosting.bus)
    clock.append(time.perf_counter())
    read_s, prepare_s, mid_s, published_s, varied_s = np.diff(clock).tolist()
    run = {
        "buses": network.bus_id.size,
        "branches": int(network.is_active.sum()),
        "substations": len(frames["substation"]),
        "pairs": sum(len(island.outages) for island in islands),
        "cases": len(hosting.cases),
        "read_s": read_s,
        "prepare_s": prepare_s,
        "mid_s": mid_s,
        "published_s": published_s,
        "varied_s": varied_s,
        "own_limit_pct": 100.0 * float(_limited_here(network, hosting).mean()),
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9,
    }
    (folder / f"run-{place}.json").write_text(json.dumps(run))
    _answers(network, hosting, frames["substation"]["substation_id"].to_numpy()[held]).to_parquet(
        folder / f"answer-{place}.parquet"
    )
    found = pd.concat([sensitivity_of(network, hosting), sensitivity], ignore_index=True)
    found.to_parquet(folder / f"sensitivity-{place}.parquet")


def frames_of(folder: Path, place: str) -> dict[str, pd.DataFrame]:
    """Layers of one interconnection, or of all."""
    frames = {name: pd.read_parquet(folder / f"{name}.parquet") for name in LAYERS}
    if place == ALL:
        return frames
    for name in ("substation", "bus", "branch"):
        frames[name] = frames[name][frames[name]["interconnect"] == place]
    held = frames["plant"]["bus_id"].isin(frames["bus"]["bus_id"])
    frames["plant"] = frames["plant"][held]
    return frames


def network_of(frames: dict[str, pd.DataFrame]) -> tuple[Network, PowerRules]:
    """Network of the layers, by the rules of the reference tables."""
    rules = PowerRules.from_frame(pd.read_csv(REFERENCE_DIR / "power_rule.csv"))
    ratings = rules.ratings(pd.read_csv(REFERENCE_DIR / "line_class.csv"))
    layers = (frames[name] for name in ("bus", "branch", "plant", "dc_tie"))
    return Network.from_frames(*layers, ratings), rules


def _answers(network: Network, hosting: Hosting, substation_id: np.ndarray) -> pd.DataFrame:
    low, _, high = ordered(hosting)
    return pd.DataFrame(
        {
            "substation_id": substation_id,
            "interconnect": network.bus_interconnect[hosting.bus],
            "intact_mw": hosting.intact_mw[0],
            "low_mw": low,
            "secure_mw": hosting.secure_mw[0],
            "high_mw": high,
        }
    )


def _limited_here(network: Network, hosting: Hosting) -> np.ndarray:
    """Whether what limits each site in the mid case has an end at its own substation."""
    limit, here = hosting.limit_branch[0], network.bus_substation[hosting.bus]
    ends = (network.bus_substation[end[limit]] for end in (network.from_bus, network.to_bus))
    return (limit >= 0) & np.any([end == here for end in ends], axis=0)


if __name__ == "__main__":
    main()
