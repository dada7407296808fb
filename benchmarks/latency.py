"""Measure the fiber graph, round trips and people in reach, and hold round trips against published ones.

`python benchmarks/latency.py` runs open-conus first, `--home` takes a home in which it has run; `--conus` adds a
home in which the study conus has run. The graph is built in a process of its own with nothing compiled. The plain
way, a search with networkx for each parcel, comes after, on a sample in the process of the engine.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import plain_latency
from latency_section import HEADING, section
from pipeline import timed_run, write_section
from published_rtt import BANDS_KM, judged, published, told

from data import store
from flows.fiber_graph import make_fiber, read_fiber
from flows.fiber_read import PublishedFiber
from flows.home import Home
from geo._latency import LatencyMetrics

RUNS = 5
MANY = 5_000_000
CHUNK = 65_536


def main() -> None:
    """Run, and write the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, help="home in which open-conus has run")
    parser.add_argument("--conus", type=Path, help="home in which conus has run")
    parser.add_argument("--json", action="store_true", help="print the figures and write nothing")
    parser.add_argument(
        "--child", nargs=3, metavar=("LAYERS", "PEOPLE", "OUT"), help=argparse.SUPPRESS
    )
    options = parser.parse_args()
    if options.child:
        build_graph(*map(Path, options.child))
        return
    with tempfile.TemporaryDirectory() as folder:
        home = options.home or Path(folder)
        if options.home is None:
            timed_run("open-conus", home)
        found = {
            "machine": f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}",
            "studies": {"open-conus": figures(home)},
        }
        if options.conus:
            found["studies"]["conus"] = figures(options.conus)
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        write_section(HEADING, section(found))


def figures(home: Path) -> dict[str, Any]:
    """Everything that the section tells of one study."""
    files = {name: newest(home, f"{name}-*") for name in ("layers", "people", "parcel", "fiber")}
    cold = timed_graph(files["layers"], files["people"])
    index = read_fiber(files["fiber"])
    if index is None:
        msg = f"{home} holds no fiber: run the study first."
        raise SystemExit(msg)
    parcel = pd.read_parquet(files["parcel"], columns=["parcel_id", "lon", "lat"])
    cells = timed_cells(index, parcel)
    with store.open_build(home / "gridstead.duckdb") as con:
        graph = PublishedFiber.of(con).graph
    return {
        "graph": cold | {"size_mb": files["fiber"].with_suffix(".npz").stat().st_size / 1e6},
        "nodes": len(index.node_id),
        "connected": int(index.is_connected.sum()),
        "cells": cells,
        "plain": plain_latency.compared(index, graph, parcel) | {"engine_s": cells["warm_s"]},
        "published": against_published(index),
    }


def newest(home: Path, pattern: str) -> Path:
    """Find the newest file of a step in a home."""
    found = [path for path in (home / "work").glob(pattern) if path.name.count(".") == 1]
    return max(found, key=lambda path: path.stat().st_mtime)


def timed_graph(layers: Path, people: Path) -> dict[str, Any]:
    """Build the graph in a process of its own: with nothing compiled, then again with kernels compiled."""
    out: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as kernels:
        for name in ("cold", "warm"):
            with tempfile.TemporaryDirectory() as folder:
                words = [sys.executable, __file__, "--child", str(layers), str(people), folder]
                began = time.monotonic()
                done = subprocess.run(
                    words,
                    check=True,
                    env={**os.environ, "NUMBA_CACHE_DIR": kernels},
                    capture_output=True,
                    text=True,
                )
                out[f"{name}_wall_s"] = time.monotonic() - began
                out |= {f"{name}_{key}": value for key, value in json.loads(done.stdout).items()}
    return out


def build_graph(layers: Path, people: Path, out: Path) -> None:
    """Build the graph; prints what it took."""
    began = time.perf_counter()
    make_fiber(layers, people, Home.at(out).make(), lambda _: None)
    taken = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    print(json.dumps({"s": taken, "peak_gb": peak}))


def timed_cells(index: Any, parcel: pd.DataFrame) -> dict[str, Any]:
    """Seconds for every metric of latency of all parcels, and of five million."""
    metrics = LatencyMetrics.of(index)
    places = [places_of(parcel[at : at + CHUNK]) for at in range(0, len(parcel), CHUNK)]
    took = []
    for _ in range(RUNS + 1):
        began = time.perf_counter()
        for place in places:
            metrics.measure(place)
        took.append(time.perf_counter() - began)
    times = -(-MANY // len(parcel))
    began = time.perf_counter()
    # Moved a little each time: no parcel is measured twice at one place.
    for number in range(times):
        moved = parcel.assign(lon=parcel["lon"] + 1e-4 * number)
        for at in range(0, len(moved), CHUNK):
            metrics.measure(places_of(moved[at : at + CHUNK]))
    return {
        "parcels": len(parcel),
        "first_s": took[0],
        "warm_s": statistics.median(took[1:]),
        "many": times * len(parcel),
        "many_s": time.perf_counter() - began,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9,
    }


class Places(SimpleNamespace):
    """What metrics of latency read of parcels."""

    def __len__(self) -> int:
        """Count them."""
        return len(self.lon)


def places_of(parcel: pd.DataFrame) -> Any:
    """Points of parcels, as metrics take them."""
    lon, lat = (np.ascontiguousarray(parcel[name].to_numpy(float)) for name in ("lon", "lat"))
    return Places(lon=lon, lat=lat, index=parcel.index)


def against_published(index: Any) -> dict[str, Any]:
    """Hold published round trips against the index: in all, by publisher, by distance, and the misses."""
    found = judged(published(), index)
    placed = found[found["is_placed"]]
    of_km = pd.cut(placed["km"], BANDS_KM)
    columns = ["publisher", "from_place", "to_place", "km", "rtt_ms", "low", "mid", "high"]
    missed = placed.loc[~placed["is_covered"], columns]
    far = (missed["rtt_ms"] / missed["mid"] - 1.0).abs()
    return {
        "every": told(found),
        "placed": told(placed),
        "publishers": {str(name): told(group) for name, group in placed.groupby("publisher")},
        "bands": {
            f"{band.left:,.0f} to {band.right:,.0f} km": told(group)
            for band, group in placed.groupby(of_km, observed=True)
        },
        "missed": len(missed),
        "worst": missed.loc[far.sort_values(ascending=False).index[:12]].to_dict("records"),
    }


if __name__ == "__main__":
    main()
