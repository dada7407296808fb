"""Time measuring on a cluster of this machine against a single process, bit by bit the same.

`python benchmarks/cluster.py --home var --parcels 5000000` takes the layers, power, fiber, people and exclusions
of the last run there, of the study that it was, and writes nothing to it. Each way runs in a process of its own,
so that its peak of memory is its own; kernels are compiled before.
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
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import h3
import pyarrow as pa
import pyarrow.parquet as pq
from incremental import Night, last_night, lots
from pipeline import write_section

from data.pieces import PARTITION, PIECE_ROWS
from data.place import Place
from data.study import load_study
from flows.cluster import cluster
from flows.cluster_measure import make_pieces, measure_pieces, peak_mb
from flows.home import Home
from flows.measuring import measure_parcels
from geo.divide import PARTITION_RESOLUTION

HEADING = "## Past one machine"
WARM_PARCELS = 2_000
SAME = """
    select count(*) as parcels, bit_xor(hash(m)) as one, sum(hash(m)::hugeint)::varchar as other
    from (select * exclude (known_share) from read_parquet($alone)) as m
"""
SAME_PIECES = SAME.replace("known_share", "known_count").replace("$alone", "$pieces")


def main() -> None:
    """Measure, and write the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", type=Path, default=Path("var"), help="home of a finished run")
    parser.add_argument("--study", default="open-conus", help="the study that was run")
    parser.add_argument("--parcels", type=int, nargs="+", default=[5_000_000])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--piece-rows", type=int, default=PIECE_ROWS)
    parser.add_argument("--scratch", type=Path, help="where parcels and parts are kept meanwhile")
    parser.add_argument(
        "--keep", type=Path, help="folder in which made parcels stay for the next time"
    )
    parser.add_argument("--only", choices=["alone", "cluster"], help="one of the two ways")
    parser.add_argument("--json", action="store_true", help="print the figures and write nothing")
    parser.add_argument("--kept", type=Path, nargs="*", help="write the section of such figures")
    parser.add_argument("--way", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        print(json.dumps(WAYS[options.way](json.loads(sys.stdin.read()))))
        return
    if options.kept:
        found = [one for path in options.kept for one in json.loads(path.read_text())]
    else:
        found = [figures(options, count) for count in options.parcels]
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        write_section(HEADING, section(found))


def figures(options: argparse.Namespace, count: int) -> dict[str, Any]:
    """Seconds, bytes and memory of both ways with so many parcels."""
    last = last_night(options.home)
    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        scratch = Path(folder)
        made = nullcontext(options.keep) if options.keep else nullcontext(scratch)
        with made as held:
            held.mkdir(parents=True, exist_ok=True)
            warm = asked(options, replace(last, parcels=with_partition(WARM_PARCELS, last, held)))
            whole = asked(options, replace(last, parcels=with_partition(count, last, held)))
        apart("alone", warm | {"folder": str(scratch / "warm")})
        ways = [options.only] if options.only else ["alone", "cluster"]
        found = {way: apart(way, whole | {"folder": str(scratch / way)}) for way in ways}
        return {
            "machine": f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}, "
            f"{os.cpu_count()} cores",
            "load": os.getloadavg()[1],
            "parcels": pq.read_metadata(whole["night"]["parcels"]).num_rows,
            "workers": options.workers,
            "is_same": None if options.only else is_same(found),
            **found,
        }


def asked(options: argparse.Namespace, night: Night) -> dict[str, Any]:
    """Tell a process of its own what to measure."""
    return {
        "study": options.study,
        "workers": options.workers,
        "piece_rows": options.piece_rows,
        "night": {name: path and str(path) for name, path in vars(night).items()},
    }


def apart(way: str, what: dict[str, Any]) -> dict[str, Any]:
    """Run one way in a process of its own."""
    command = [sys.executable, __file__, "--way", way]
    ended = subprocess.run(
        command, input=json.dumps(what), text=True, check=True, capture_output=True
    )
    told = json.loads(ended.stdout.splitlines()[-1])
    print(way, told, file=sys.stderr, flush=True)
    return told


def alone(what: dict[str, Any]) -> dict[str, Any]:
    """Measure in one process, with as many threads as there are cores."""
    home = Home.at(Path(what["folder"])).make()
    began = time.perf_counter()
    made = measure_parcels(
        *(load_study(what["study"]), *paths(what)),
        home,
        quiet,
        people=Path(what["night"]["people"]),
    )
    return {
        "measure_s": time.perf_counter() - began,
        "cpu_s": time.process_time(),
        "peak_mb": peak_mb(),
        "bytes": made.stat().st_size,
        "metrics": str(made),
    }


def on_cluster(what: dict[str, Any]) -> dict[str, Any]:
    """Cut into pieces, start workers, measure: each timed apart."""
    place = Place.at(what["folder"])
    study, night = load_study(what["study"]), paths(what)
    began = time.perf_counter()
    folder, pieces = make_pieces(night[3], place, quiet, what["piece_rows"])
    cut = time.perf_counter()
    cut_mb = peak_mb()
    with cluster(f"local:{what['workers']}", quiet) as workers:
        assert len(workers.workers) == what["workers"]
        started = time.perf_counter()
        made = measure_pieces(
            *(study, *night, quiet),
            place=place,
            cluster=workers,
            people=Path(what["night"]["people"]),
            piece_rows=what["piece_rows"],
        )
        ended = time.perf_counter()
    told = list(made.summaries.values())
    peaks: dict[str, float] = {}
    for each in told:
        peaks[each["worker"]] = max(peaks.get(each["worker"], 0), each["peak_mb"])
    return {
        "pieces": len(pieces),
        "pieces_s": cut - began,
        "pieces_peak_mb": cut_mb,
        "pieces_bytes": sum(piece.bytes for piece in pieces),
        "start_s": started - cut,
        "measure_s": ended - started,
        "prepare_s": max(each["prepare_s"] for each in told),
        "cpu_s": time.process_time() + cpu_of_workers(),
        "busy_s": sum(each["seconds"] for each in told),
        "worker_peak_mb": sorted(peaks.values()),
        "peak_mb": peak_mb(),
        "bytes": sum(size for each in told for size, _ in each["files"].values()),
        "metrics": str(place.path(made.metric_folder) / "*.parquet"),
        "folder": folder,
    }


def cpu_of_workers() -> float:
    """Seconds that all processes took which this one started and which have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


WAYS = {"alone": alone, "cluster": on_cluster}


def paths(what: dict[str, Any]) -> list[Path | None]:
    """Paths of a night in the order in which measuring takes them."""
    names = ("layers", "power", "fiber", "parcels", "excluded")
    return [what["night"][name] and Path(what["night"][name]) for name in names]


def quiet(_: str) -> None:
    """Say nothing: it would be timed."""


def is_same(found: dict[str, Any]) -> bool:
    """Whether both ways measured the same parcels to the last bit, in whatever order."""
    with duckdb.connect() as con:
        con.execute("set memory_limit = '2GB'")
        one = con.execute(SAME, {"alone": found["alone"]["metrics"]}).fetchone()
        other = con.execute(SAME_PIECES, {"pieces": found["cluster"]["metrics"]}).fetchone()
    return one == other


def with_partition(count: int, last: Night, folder: Path) -> Path:
    """Made-up parcels with their partition, made when they are not there."""
    target = folder / f"parcel-{count:015x}p.parquet"
    if target.is_file():
        return target
    writer = None
    made = lots(count, last.parcels, folder)
    with pq.ParquetFile(made) as file:
        for batch in file.iter_batches(batch_size=65_536):
            lon, lat = (batch.column(name).to_pylist() for name in ("lon", "lat"))
            cells = [
                h3.latlng_to_cell(y, x, PARTITION_RESOLUTION) for x, y in zip(lon, lat, strict=True)
            ]
            table = pa.Table.from_batches([batch]).append_column(PARTITION, pa.array(cells))
            writer = writer or pq.ParquetWriter(target.with_suffix(".part"), table.schema)
            writer.write_table(table)
    assert writer is not None
    writer.close()
    made.unlink()
    target.with_suffix(".part").rename(target)
    return target


def section(found: list[dict[str, Any]]) -> str:
    """Markdown of the figures of several numbers of parcels."""
    rows = "\n".join(_row(one) for one in found)
    bytes_row = "; ".join(
        f"{one['cluster']['pieces_bytes'] / one['parcels']:.0f} of land and "
        f"{one['cluster']['bytes'] / one['parcels']:.0f} of metrics with {one['parcels']:,}"
        for one in found
    )
    return f"""{HEADING}

{found[0]["machine"]}. `python benchmarks/cluster.py`. Seconds of the measure step, from its files to its files, kernels
compiled: one process with a thread a core, against {found[0]["workers"]} workers of one thread. Of the cluster, cutting
the land into pieces and starting the workers are apart; every worker prepares the layers for itself, which counts.
Memory is the most that a process ever held. Load of the machine {found[0]["load"]:.0f}.

| parcels | one process, s | CPU s | parcels/s | peak MB | pieces | cutting, s | start, s | workers, s | CPU s | parcels/s | against one process | peak MB of each worker | of the run | metrics |
|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|
{rows}

Bytes a parcel at the place: {bytes_row}."""


def _row(one: dict[str, Any]) -> str:
    alone, many, count = one["alone"], one["cluster"], one["parcels"]
    peaks = ", ".join(f"{peak:,.0f}" for peak in many["worker_peak_mb"])
    return (
        f"| {count:,} | {alone['measure_s']:.1f} | {alone['cpu_s']:.1f} | {count / alone['measure_s']:,.0f} | {alone['peak_mb']:,.0f} | "
        f"{many['pieces']:,} | {many['pieces_s']:.1f} | {many['start_s']:.1f} | {many['measure_s']:.1f} | {many['cpu_s']:.1f} | "
        f"{count / many['measure_s']:,.0f} | {many['measure_s'] / alone['measure_s'] - 1:+.0%} | {peaks} | "
        f"{many['peak_mb']:,.0f} | {'equal' if one['is_same'] else 'NOT EQUAL'} |"
    )


if __name__ == "__main__":
    main()
