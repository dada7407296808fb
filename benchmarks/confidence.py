"""Measure confidence in ranks: a million rows made for it, and the default study.

`python benchmarks/confidence.py` runs open-conus first, `--home` takes a home in which it has run. CPU seconds are
told beside those of the clock: over the cores they say what an idle machine takes.
"""

import argparse
import json
import platform
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pipeline import timed_run, write_section

from data import store
from data.study import load_study
from flows.confidence import confide_regions, make_confidence
from flows.home import Home
from geo.decide.confidence import Quantity, ScoreInputs, confidence, value_units
from geo.decide.draws import Draws
from geo.decide.top_chances import top_chances

HEADING = "## Confidence"
ROWS, FACTORS = 1_000_000, 8
PLAIN_DRAWS = 20
# Room for ranks of the million, MB; a run takes half of it.
MEMORY_MB = 2_100
STRAIGHT = ((0.0, 0.0), (1.0, 1.0))


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
        found = {
            "machine": f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}",
            "million": million(ROWS),
            "study": study_figures(home, Path(folder)),
        }
    if options.json:
        print(json.dumps(found, indent=1))
        return
    write_section(HEADING, section(found))


def timed(run: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """Give what comes out, with seconds of the clock and of the processor."""
    wall, cpu = time.perf_counter(), time.process_time()
    out = run()
    return out, {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}


def million(rows: int, draws: Draws | None = None) -> dict[str, Any]:
    """Rank made rows: chances with drawn weights, rank intervals, and the plain way on few draws."""
    draws = draws or Draws()
    rng = np.random.default_rng(0)
    share = rng.random((FACTORS, rows))
    weight = rng.random(FACTORS) + 0.5
    weight /= weight.sum()
    names = [f"factor {k}" for k in range(FACTORS)]
    value = np.stack([value_units(row, STRAIGHT) for row in share])
    top_chances(value[:, :100], names, weight, Draws(2))
    chances, quick = timed(lambda: top_chances(value, names, weight, draws))
    ids = np.char.zfill(np.arange(rows).astype(str), 8).astype(object)
    group = np.arange(rows, dtype=np.uint64)
    inputs = ScoreInputs(
        ids,
        tuple(
            Quantity(name, row, row, row, group, each, STRAIGHT)
            for name, row, each in zip(names, share, weight, strict=True)
        ),
    )
    confidence(
        ScoreInputs(ids[:50], tuple(q.take(np.arange(50)) for q in inputs.quantities)), Draws(2)
    )
    told, full = timed(lambda: confidence(inputs, draws, memory_mb=MEMORY_MB))
    few = Draws(min(PLAIN_DRAWS, draws.count), draws.seed, draws.weight_cv)
    plain, slow = timed(lambda: plain_chances(share, few.weights(names, weight)))
    return {
        "rows": rows,
        "draws": draws.count,
        "chances": quick,
        "intervals": full,
        "same": bool((chances[1] == told.p_top100.astype(np.float32)).all()),
        "able": int((chances[1] > 0).sum()),
        "plain": {name: each / few.count * draws.count for name, each in slow.items()},
        "plain_off": float(np.abs(plain - few_chances(value, names, weight, few)).max()),
    }


def few_chances(
    value: np.ndarray, names: list[str], weight: np.ndarray, draws: Draws
) -> np.ndarray:
    """Give chances of the first 100 in few draws, to hold the plain way against."""
    return top_chances(value, names, weight, draws)[1]


def plain_chances(share: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Numpy as one would write it: score all, part off the first 100, count."""
    hits = np.zeros(share.shape[1])
    for weight in drawn:
        score = weight @ share
        hits[np.argpartition(-score, min(100, score.size) - 1)[:100]] += 1
    return hits / len(drawn)


def study_figures(home: Path, folder: Path) -> dict[str, Any]:
    """Run the confidence step on the newest metrics of a home, then that of regions."""
    study = load_study("open-conus")
    work = home / "work"
    metrics, parcels = (
        newest(work, f"{name}-????????????????.parquet") for name in ("metric", "parcel")
    )
    said: list[str] = []
    path, step = timed(
        lambda: make_confidence(study, metrics, parcels, Home.at(folder).make(), said.append)
    )
    ids = {entry.id for entry in study.workloads}
    with store.open_build(home / "gridstead.duckdb") as con:
        plan = con.table("mart.region_fill").to_df()
    plan = plan[plan["workload"].isin(ids)]
    regions, regional = timed(lambda: confide_regions(study, metrics, parcels, plan))
    frame = pd.read_parquet(path)
    return {
        "parcels": len(pd.read_parquet(metrics, columns=["parcel_id"])),
        "workloads": frame["workload"].nunique(),
        "rows": len(frame),
        "mb": path.stat().st_size / 1e6,
        "step": step,
        "regional": regional,
        "regions": len(regions),
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9,
        "said": said,
    }


def newest(folder: Path, pattern: str) -> Path:
    """Newest file of a pattern."""
    return max(folder.glob(pattern), key=lambda path: path.stat().st_mtime)


def section(found: dict[str, Any]) -> str:
    """Put figures into words."""
    made, study = found["million"], found["study"]

    def row(label: str, one: dict[str, float]) -> str:
        return f"| {label} | {one['wall_s']:.1f} | {one['cpu_s']:.1f} |"

    rows = [
        row("chances of the first 10 and 100, weights drawn", made["chances"]),
        row("rank intervals of all rows, chances and what swings them", made["intervals"]),
        row("plain numpy, chances of the first 100", made["plain"]),
    ]
    return f"""{HEADING}

{found["machine"]}, 2 cores. `python benchmarks/confidence.py`

{made["rows"]:,} made rows (uniform value scores), {FACTORS} factors, {made["draws"]:,} draws:

| | s | CPU s |
|---|---:|---:|
{chr(10).join(rows)}

The plain way is scaled up from {PLAIN_DRAWS} draws. {made["able"]:,} rows are among the first 100 in any draw. Both ways of ours give the same
chances to the last bit: {"yes" if made["same"] else "no"}; the plain way's, whose scores are floats, differ by {made["plain_off"]:.3f} at most.

open-conus, {study["parcels"]:,} parcels, {study["workloads"]} workloads, inputs and weights drawn {made["draws"]:,} times: the step takes {study["step"]["wall_s"]:.0f} s
({study["step"]["cpu_s"]:.0f} CPU s) and writes {study["rows"]:,} rows, {study["mb"]:.1f} MB; {study["regions"]:,} ranks of regions {study["regional"]["wall_s"]:.0f} s ({study["regional"]["cpu_s"]:.0f} CPU s).
Peak of the whole benchmark {study["peak_gb"]:.1f} GB, with the million rows.
"""


if __name__ == "__main__":
    main()
