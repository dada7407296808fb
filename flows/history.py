"""History: what every published run ranked, what it ranked by and what it was made from.

A run leaves one small file, `history/<run_id>.run.parquet`, that names its sources, profiles and parts;
the parts are files under `history/parts` named by their content. A run whose inputs equal those of the
run before leaves `<run_id>.same.parquet`, which names the run that it equals.
"""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from data import store
from data.build import insert_rows
from data.errors import BuildError, GridsteadError
from flows import history_parts, keys
from flows.home import Home
from flows.reporting import rows_of
from flows.results import Log

RUN, SAME = ".run.parquet", ".same.parquet"
KEEP = 400
# What differed before the run that is published is told of, so two that differ stay however few are kept.
LEAST_DISTINCT = 2
# Runs of mart.rank_history, that of the build included.
RUNS_IN_BUILD = 30
# The program without what it reads: tables of reference and profiles are told by themselves.
PROGRAM = ("data/**/*.py", "geo/**/*.py", "flows/*.py", "sql/**/*.sql")

_TEXTS = pa.list_(pa.string())
_PIECE = pa.struct([(name, pa.float64()) for name in ("from_x", "to_x", "from_value", "slope")])
_WORDS = [("workload", pa.string()), ("metric", pa.string()), ("label", pa.string()),
          ("unit", pa.string()), ("layers", _TEXTS)]  # fmt: skip
_SOURCE = [(name, pa.string()) for name in ("source_id", "title", "version", "as_of", "sha256")]
_IDENTITY = [
    *((name, pa.string()) for name in ("run_id", "study")),
    ("started_at", pa.timestamp("us")),
    ("inputs_sha256", pa.string()),
    ("area", _TEXTS),
    ("h3_resolution", pa.int32()),
    ("parcel_kind", pa.string()),
]
SAME_SCHEMA = pa.schema([*_IDENTITY, ("same_as", pa.string())])
RUN_SCHEMA = pa.schema(
    [
        *_IDENTITY,
        ("finished_at", pa.timestamp("us")),
        ("title", pa.string()),
        ("code_version", pa.string()),
        ("program", pa.string()),
        ("parcel_count", pa.int64()),
        ("is_synthetic", pa.bool_()),
        (
            "sources",
            pa.list_(pa.struct([*_SOURCE, ("is_stale", pa.bool_()), ("is_synthetic", pa.bool_())])),
        ),
        (
            "workloads",
            pa.list_(
                pa.struct(
                    [
                        *((name, pa.string()) for name in ("workload", "title", "objective")),
                        *((name, pa.float64()) for name in ("target_mw", "max_site_mw")),
                        *((name, pa.string()) for name in ("capacity_metric", "profile")),
                    ]
                )
            ),
        ),
        (
            "factors",
            pa.list_(pa.struct([*_WORDS, ("weight", pa.float64()), ("pieces", pa.list_(_PIECE))])),
        ),
        (
            "gates",
            pa.list_(pa.struct([*_WORDS, ("at_least", pa.float64()), ("at_most", pa.float64())])),
        ),
        ("layers", pa.list_(pa.struct([("layer", pa.string()), ("source_id", pa.string())]))),
        (
            "parts",
            pa.list_(
                pa.struct([("role", pa.string()), ("file", pa.string()), ("bytes", pa.int64())])
            ),
        ),
    ]
)


@dataclass(frozen=True)
class Entry:
    """What one run left that differed from the run before: the row of its file, and where its parts lie."""

    folder: Path
    row: dict[str, Any]

    @property
    def run_id(self) -> str:
        """Id of the run."""
        return self.row["run_id"]

    @property
    def kind(self) -> tuple[Any, ...]:
        """What two runs must have in common for their ranks to be compared without being asked to."""
        return _kind(self.row)

    @cached_property
    def parts(self) -> dict[str, str]:
        """File of each part, by its role."""
        return {part["role"]: part["file"] for part in self.row["parts"]}

    def path(self, role: str) -> Path:
        """Where a part lies; KeyError where the run has none."""
        return self.folder / history_parts.FOLDER / self.parts[role]


def folder_of(home: Home) -> Path:
    """Folder of the history of a home."""
    return home.root / "history"


def run_ids(home: Home) -> list[str]:
    """Name the runs of the history, oldest first."""
    names = [path.name for path in folder_of(home).glob("*.parquet")]
    return sorted(_run_id(name) for name in names if name.endswith((RUN, SAME)))


def distinct_ids(home: Home) -> list[str]:
    """Name the runs that differed from the one before them, oldest first."""
    return sorted(_run_id(path.name) for path in folder_of(home).glob(f"*{RUN}"))


def read(home: Home, run_id: str) -> Entry:
    """Entry of a run; where it equals an earlier one, the entry of that.

    Raises
    ------
    BuildError
        There is none, or it cannot be read.
    """
    folder = folder_of(home)
    try:
        same = folder / f"{run_id}{SAME}"
        if same.is_file():
            run_id = _row(same)["same_as"]
        return Entry(folder, _row(folder / f"{run_id}{RUN}"))
    except (OSError, pa.ArrowException) as error:
        msg = f"The history of run {run_id} cannot be read: {_first_line(error)}"
        raise BuildError(msg, "Name another run; see gridstead runs.") from error


def keep(home: Home, log: Log, count: int = KEEP) -> None:
    """Add the runs whose builds are kept and that the history lacks, and remove what is too old.

    The run that has just been published is among them, and so is one that was killed before its history
    was written. Nothing that goes wrong here is an error of the run: its build is published.
    """
    folder = folder_of(home)
    try:
        (folder / history_parts.FOLDER).mkdir(parents=True, exist_ok=True)
        for leftover in (*folder.glob("*.part"), *folder.glob(f"{history_parts.FOLDER}/*.part")):
            leftover.unlink()
        last = next(reversed(run_ids(home)), "")
        for build in sorted(home.builds.glob("*.duckdb")):
            if build.stem > last:
                _keep_build(home, build, log)
        prune(home, count)
    except (OSError, pa.ArrowException, GridsteadError, duckdb.Error) as error:
        log(f"history: not kept: {_first_line(error)}; the next run tries again")


def prune(home: Home, keep: int) -> int:
    """Keep the last runs of the history, and give the bytes that were freed.

    A run that a kept one equals stays with it, and so do the last two that differ, so that there is
    always something to compare. Parts go with the last run that has them.
    """
    folder = folder_of(home)
    kept = run_ids(home)[-keep:] if keep > 0 else []
    stay = {*kept, *distinct_ids(home)[-LEAST_DISTINCT:]}
    stay |= {_row(path)["same_as"] for id_ in kept if (path := folder / f"{id_}{SAME}").is_file()}
    gone = [
        path
        for path in folder.glob("*.parquet")
        if path.name.endswith((RUN, SAME)) and _run_id(path.name) not in stay
    ]
    if not gone:
        return 0
    freed = sum(_remove(path) for path in gone)
    used = {
        part["file"]
        for id_ in distinct_ids(home)
        for part in _row(folder / f"{id_}{RUN}", ["parts"])["parts"]
    }
    parts = (folder / history_parts.FOLDER).glob("*.parquet")
    return freed + sum(_remove(path) for path in parts if path.name not in used)


def fill_build(con: duckdb.DuckDBPyConnection, home: Home, log: Log) -> None:
    """Fill `mart.rank_history` and `mart.source_history` of a build whose run is known.

    Runs of another study, area, division or resolution are left out, and so is one of equal inputs, of
    which this run is another.
    """
    store.run_file(con, "meta/rank_history_now", {"parcels": history_parts.FIRST_PARCELS})
    (run,) = rows_of(con, "query/run")
    past = [
        entry for entry in like(home, run) if entry.row["inputs_sha256"] != run["inputs_sha256"]
    ]
    files = [
        (entry, role.partition(".")[2], file)
        for entry in past[: RUNS_IN_BUILD - 1]
        for role, file in entry.parts.items()
        if role.startswith(f"{history_parts.RANKED}.") and entry.path(role).is_file()
    ]
    if not files:
        return
    moments = {entry.run_id: entry.row["started_at"] for entry, _, _ in files}
    params = {
        "runs": [entry.run_id for entry, _, _ in files],
        "moments": [moments[entry.run_id] for entry, _, _ in files],
        "workloads": [workload for _, workload, _ in files],
        "files": [file for _, _, file in files],
        "paths": sorted(
            {str(entry.folder / history_parts.FOLDER / file) for entry, _, file in files}
        ),
    }
    sources = [
        {"run_id": entry.run_id, "started_at": entry.row["started_at"]} | source
        for entry in {entry.run_id: entry for entry, _, _ in files}.values()
        for source in entry.row["sources"]
    ]
    try:
        store.run_file(con, "meta/rank_history_past", params)
    except BuildError as error:
        # A damaged file of the past is no reason to publish nothing.
        log(f"history: ranks of earlier runs were left out: {error.message}")
        return
    insert_rows(con, "mart.source_history", sources)


def like(home: Home, row: dict[str, Any]) -> Iterator[Entry]:
    """Entries of the same study, area, division and resolution, newest first; what cannot be read is passed over."""
    for run_id in reversed(distinct_ids(home)):
        try:
            entry = read(home, run_id)
        except BuildError:
            continue
        if entry.kind == _kind(row):
            yield entry


def _keep_build(home: Home, build: Path, log: Log) -> None:
    """Write the entry of a build, after those of the runs before it."""
    try:
        with store.open_build(build) as con:
            (run,) = rows_of(con, "query/run")
            last = next(reversed(distinct_ids(home)), None)
            if last is not None:
                held = _row(folder_of(home) / f"{last}{RUN}", ["inputs_sha256"])
                if held["inputs_sha256"] == run["inputs_sha256"]:
                    _put(home, f"{build.stem}{SAME}", SAME_SCHEMA, run | {"same_as": last})
                    return
            row = _content(con, run, folder_of(home))
    except (BuildError, duckdb.Error, ValueError) as error:
        log(f"history: {build.name} was left out: {_first_line(error)}")
        return
    _put(home, f"{build.stem}{RUN}", RUN_SCHEMA, row)


def _content(con: duckdb.DuckDBPyConnection, run: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Row of a run, with its parts written."""
    factors, gates = (rows_of(con, f"query/explain_{name}") for name in ("factor", "gate"))
    workloads = [
        row
        | {
            "profile": keys.key_of(
                row, *([each for each in rows if each["workload"] == row["workload"]]
                       for rows in (factors, gates))
            )
        }
        for row in rows_of(con, "query/history_workload")
    ]  # fmt: skip
    names = [row["workload"] for row in workloads]
    metrics = sorted({row["metric"] for row in (*factors, *gates)})
    # Of a build of another version nobody knows the program any more.
    is_ours = run["code_version"] == keys.code_key(keys.ALL_CODE)
    return run | {
        "program": keys.code_key(PROGRAM) if is_ours else None,
        "sources": rows_of(con, "query/history_source"),
        "workloads": workloads,
        "factors": factors,
        "gates": gates,
        "layers": rows_of(con, "query/explain_layer"),
        "parts": history_parts.write_parts(con, folder / history_parts.FOLDER, names, metrics),
    }


def _put(home: Home, name: str, schema: pa.Schema, row: dict[str, Any]) -> None:
    stream = io.BytesIO()
    kept = _only(schema, row)
    pq.write_table(pa.Table.from_pylist([kept], schema), stream, compression="zstd")
    history_parts.put(folder_of(home) / name, stream.getbuffer())


def _only(fields: Iterable[pa.Field], row: dict[str, Any]) -> dict[str, Any]:
    """Columns of a schema; Arrow passes over what else a row has, in structs too."""
    return {field.name: row[field.name] for field in fields}


def _row(path: Path, columns: list[str] | None = None) -> dict[str, Any]:
    return pq.read_table(path, columns=columns).to_pylist()[0]


def _run_id(name: str) -> str:
    return name.removesuffix(RUN).removesuffix(SAME)


def _kind(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["study"], tuple(row["area"] or ()), row["parcel_kind"], row["h3_resolution"]


def _remove(path: Path) -> int:
    size = path.stat().st_size
    path.unlink()
    return size


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
