"""Time a night on which little has changed: measuring again what is near, against measuring all, bit by bit the same.

`python benchmarks/incremental.py --home var` takes the layers, power, fiber, people, exclusions and parcels of
the last run there, of the study that it was, and writes nothing to it. For each change it edits a copy of the layers, runs the
steps that the change calls for (power, divide, exclude), measures from the last metrics, and measures all in
a folder without. `--parcels 1000000` does it with made-up parcels (`made_parcels.py`).
"""

import argparse
import functools
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
import shapely.affinity
from made_parcels import GROUP, made_parcels
from pipeline import write_section

from data.study import Study, load_study
from flows import keys, steps
from flows.exclusions import make_exclusions
from flows.home import Home
from flows.measuring import measure_parcels
from flows.power import make_power
from flows.request import RunRequest
from geo.features import FeatureIndex
from geo.nearest import nearest

HEADING = "## Incremental"


@dataclass(frozen=True)
class Night:
    """What a night measures by."""

    layers: Path
    power: Path
    fiber: Path
    parcels: Path
    excluded: Path | None
    people: Path


@dataclass(frozen=True)
class Change:
    """An edit of the layers, and the steps before measuring that it calls for."""

    name: str
    sql: str
    steps: tuple[str, ...] = ()


LAKE = "select lake_id, st_aswkb(geometry) from core.lake order by lake_id limit 1 offset 30"
# The middle of the country where one can choose, so that no border makes what is near smaller.
CHANGES = (
    Change(
        "names of all metros' sources",
        "update core.metro set source_id = 'other'",
    ),
    Change(
        "one plant, 1 MW more",
        """update core.plant set capacity_mw = capacity_mw + 1 where plant_id = (
            select plant_id from core.plant where lon is not null and fuel_kind = 'firm'
            order by abs(lon + 97) + abs(lat - 39) limit 1)""",
        ("power",),
    ),
    Change(
        "the hazard of one county",
        """update core.county_fact set hazard_usd = hazard_usd + 1 where county_id = (
            select min(county_id) from core.county_fact where hazard_usd is not null and county_id >= '20')""",
    ),
    Change(
        "one more substation, 230 kV",
        """insert into core.substation by name
            select * replace ('new' as substation_id, -97.1 as lon, 39.1 as lat)
            from core.substation where kv_max = 230 order by substation_id limit 1""",
        ("power",),
    ),
    Change(
        "one more carrier's point of presence",
        """insert into core.pop by name
            select * replace ('new' as pop_id, -97.1 as lon, 39.1 as lat)
            from core.pop where carrier_kind = 'carrier' order by pop_id limit 1""",
    ),
    Change(
        "one lake, a tenth larger",
        "update core.lake set geometry = st_geomfromwkb($shape) where lake_id = $lake_id",
        ("divide", "exclude"),
    ),
)


def main() -> None:
    """Measure, and write the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", type=Path, default=Path("var"), help="home of a finished run")
    parser.add_argument("--study", default="open-conus", help="the study that was run")
    parser.add_argument("--parcels", type=int, help="so many made-up parcels instead")
    parser.add_argument("--only", default="", help="changes whose name holds this")
    parser.add_argument("--scratch", type=Path, help="where nights are kept while it runs")
    parser.add_argument("--json", action="store_true", help="print the figures and write nothing")
    parser.add_argument("--kept", type=Path, nargs="*", help="write the section of such figures")
    options = parser.parse_args()
    if options.kept:
        texts = [path.read_text(encoding="utf-8") for path in options.kept]
        write_section(HEADING, section([one for text in texts for one in json.loads(text)]))
        return
    # Of the code that runs, whatever is edited meanwhile.
    keys.code_key = functools.cache(keys.code_key)  # ty: ignore[invalid-assignment]
    found = []
    for count in [options.parcels] if options.parcels else [None]:
        with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
            found.append(figures(options.study, options.home, Path(folder), count, options.only))
    if options.json:
        print(json.dumps(found, indent=2))
        return
    write_section(HEADING, section(found))


def figures(
    study: str, home: Path, folder: Path, made: int | None, only: str = ""
) -> dict[str, Any]:
    """Seconds and shares of all changes, each held against measuring all."""
    loaded = load_study(study)
    last = last_night(home)
    if made is not None:
        last = replace(last, parcels=lots(made, last.parcels, folder))
    base = Home.at(folder / "base").make()
    # Kernels are compiled, or read, and the last metrics made, before anything is timed.
    timed(loaded, last, base)
    rows = []
    for number, change in enumerate(change for change in CHANGES if only in change.name):
        steps_of = set(change.steps) - ({"divide"} if made is not None else set())
        night = changed(loaded, last, change.sql, steps_of, folder / f"{number:016x}")
        if night is None:
            continue
        home_of = Home.at(folder / f"night-{number}").make()
        for path in base.work.glob("metric-*"):
            os.link(path, home_of.work / path.name)
        again_s, said, again = timed(loaded, night, home_of)
        all_s, _, whole = timed(loaded, night, Home.at(folder / f"all-{number}").make())
        rows.append(
            {
                "change": change.name,
                "again_s": again_s[0],
                "again_cpu_s": again_s[1],
                "all_s": all_s[0],
                "all_cpu_s": all_s[1],
                "told": _told(said),
                "is_equal": pq.read_table(again).equals(pq.read_table(whole)),
                "is_same_file": again.read_bytes() == whole.read_bytes(),
            }
        )
        print(rows[-1], file=sys.stderr, flush=True)
        for path in (home_of.root, folder / f"all-{number}"):
            shutil.rmtree(path)
    return {
        "study": study,
        "machine": f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}, "
        f"{os.cpu_count()} cores",
        "parcels": pq.read_metadata(last.parcels).num_rows,
        "is_made": made is not None,
        "load": os.getloadavg()[1],
        "changes": rows,
    }


def last_night(home: Path) -> Night:
    """Results of the steps of the last run in a home."""

    def newest(step: str) -> Path:
        found = [path for path in home.glob(f"work/{step}-*") if path.name.count(".") == 1]
        return max(found, key=lambda path: path.stat().st_mtime)

    names = ("layers", "power", "fiber", "parcel", "exclusion", "people")
    return Night(*(newest(step).resolve() for step in names))


def timed(study: Study, night: Night, home: Home) -> tuple[tuple[float, float], list[str], Path]:
    """Wall and CPU seconds of the whole measure step, what it said, and its metrics."""
    said: list[str] = []
    began = time.perf_counter(), time.process_time()
    made = measure_parcels(
        study,
        *(night.layers, night.power, night.fiber, night.parcels, night.excluded),
        *(home, said.append),
        people=night.people,
    )
    took = time.perf_counter() - began[0], time.process_time() - began[1]
    return took, [line for line in said if line.startswith("metrics")], made


def _told(said: list[str]) -> str:
    return "; ".join(line.removeprefix("metrics: ") for line in said)


def changed(study: Study, last: Night, sql: str, steps_of: set[str], folder: Path) -> Night | None:
    """Edit a copy of the layers and run the steps that it calls for; None where nothing can be edited."""
    home = Home.at(folder).make()
    layers = home.work / f"layers-{folder.name}.duckdb"
    shutil.copyfile(last.layers, layers)
    with duckdb.connect(str(layers)) as con:
        values = larger_lake(con) if "$shape" in sql else None
        row = con.execute(sql, values).fetchone()
        if not row or not row[0]:
            return None
    night = replace(last, layers=layers)
    log: Callable[[str], None] = [].append
    if "power" in steps_of:
        night = replace(night, power=make_power(study, layers, home, log))
    if "divide" in steps_of:
        request = RunRequest(study=study.id, home=home.root)
        night = replace(night, parcels=steps.divide(study, request, layers, home, log))
    if "exclude" in steps_of:
        excluded = make_exclusions(study, layers, night.parcels, {}, home, log)
        night = replace(night, excluded=excluded)
    return night


def larger_lake(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Id of one lake, and its shape a tenth larger each way."""
    row = con.execute(LAKE).fetchone()
    assert row is not None
    shape = shapely.affinity.scale(shapely.from_wkb(bytes(row[1])), 1.1, 1.1)
    return {"lake_id": row[0], "shape": shapely.to_wkb(shape)}


def lots(count: int, cells: Path, folder: Path) -> Path:
    """Made-up assessor's parcels that can be measured, each with the county and state of the nearest cell."""
    target = folder / f"parcel-{count:016x}.parquet"
    near = pd.read_parquet(cells, columns=["lon", "lat", "county_id", "state_id"])
    index = FeatureIndex.from_points(near["lon"].to_numpy(), near["lat"].to_numpy())
    writer = None
    with pq.ParquetFile(made_parcels(count, folder=folder)) as file:
        for batch in file.iter_batches(batch_size=GROUP):
            shapes = shapely.from_wkb(
                batch.column("geometry").to_numpy(zero_copy_only=False), on_invalid="ignore"
            )
            bounds = shapely.bounds(shapes)
            good = shapely.is_valid(shapes) & ~shapely.is_empty(shapes)
            good &= (shapely.get_dimensions(shapes) == 2) & (np.abs(bounds) <= 180).all(axis=1)
            table = pa.Table.from_batches([batch]).filter(pa.array(good))
            lon, lat = (table.column(name).to_numpy() for name in ("lon", "lat"))
            cell, _ = nearest(index, lon, lat)
            for name in ("county_id", "state_id"):
                table = table.append_column(name, pa.array(near[name].to_numpy()[cell]))
            kinds = pa.array(["assessor"] * len(table))
            table = table.append_column("parcel_kind", kinds)
            writer = writer or pq.ParquetWriter(target, table.schema, compression="zstd")
            writer.write_table(table)
    assert writer is not None
    writer.close()
    return target


def section(found: list[dict[str, Any]]) -> str:
    """Markdown of the figures of several sets of parcels."""
    parts = []
    for one in found:
        kind = "made-up parcels" if one["is_made"] else "cells"
        rows = "\n".join(
            f"| {row['change']} | {row['told']} | {row['again_s']:.1f} | {row['again_cpu_s']:.1f} | "
            f"{row['all_s']:.1f} | {row['all_cpu_s']:.1f} | "
            f"{'equal' if row['is_equal'] else 'NOT EQUAL'}{', same file' if row['is_same_file'] else ''} |"
            for row in one["changes"]
        )
        parts.append(
            f"""Study `{one["study"]}`, {one["parcels"]:,} {kind}; load of the machine {one["load"]:.0f}.

| what changed | measured again | wall s | CPU s | all: wall s | CPU s | tables |
|---|---|---:|---:|---:|---:|---|
{rows}"""
        )
    return f"""{HEADING}

{found[0]["machine"]}. `python benchmarks/incremental.py`. Seconds of the measure step alone, from its files to its file,
kernels compiled: reading both nights' layers, comparing them, measuring and writing; of all measured: reading one
night's layers, measuring and writing. CPU seconds are of all threads; wall seconds say little where the load is above
the number of cores. Power, parcels and exclusions were computed anew, untimed, where the change calls for it.

""" + "\n\n".join(parts)


if __name__ == "__main__":
    main()
