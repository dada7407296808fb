"""Where a run is killed: every step, before and after every file that is put in place."""

from dataclasses import dataclass
from typing import Literal

REPLACE = "pathlib.Path.replace"
SQL = "data.store.run_file"


@dataclass(frozen=True)
class Point:
    """A call at which a run ends by SIGKILL.

    `where` is the dotted name of the function; calls count when their arguments, as text, match the
    regular expression `told`, and the `nth` of them is the last. It dies before it or `after` it.
    `is_new` says which build is published then. A run that starts `ready` finds all steps before
    `publish` done.
    """

    name: str
    where: str
    told: str = ""
    nth: int = 1
    after: bool = False
    is_new: bool = False
    start: Literal["fresh", "ready"] = "fresh"
    export: bool = False


def _ready(name: str, where: str, told: str = "", **more: int) -> Point:
    return Point(name, where, told, start="ready", **more)  # type: ignore[arg-type]


def _written(step: str, told: str) -> tuple[Point, Point]:
    """Just before and just after the result of a step is put in place."""
    return (
        Point(f"{step}: written, not in place", REPLACE, told),
        Point(f"{step}: in place", REPLACE, told, after=True),
    )


POINTS = (
    Point("download: half a body", "flows.progress.PullProgress.__call__", nth=33),
    Point("download: whole, not renamed", REPLACE, r"partial/\w+/lake"),
    Point("cache: before the object", "data.object_cache.ObjectCache.keep"),
    Point("cache: object not in place", REPLACE, r"cache/objects/"),
    Point("cache: object in place, no index", REPLACE, r"cache/objects/", after=True),
    Point("cache: index in place", REPLACE, r"cache/index/", after=True),
    Point("stage grid: half of the tables", "data.stage.load_layer", nth=2),
    *_written("stage grid", r"work/stage-grid-"),
    Point("stage population: not in place", REPLACE, r"work/stage-population-"),
    Point("stage fiber: not in place", REPLACE, r"work/stage-fiber-"),
    Point("stage land: in place", REPLACE, r"work/stage-land-", after=True),
    Point("assemble: half of the layers", "data.build.load_layer", nth=9),
    *_written("assemble", r"work/layers-"),
    Point("power: first table in place", REPLACE, r"work/power-", after=True),
    Point("power: result in place", REPLACE, r"work/power-\w+\.parquet'", after=True),
    Point("people: first table in place", REPLACE, r"work/people-", after=True),
    Point("fiber: first table in place", REPLACE, r"work/fiber-", after=True),
    Point("fiber: result not in place", REPLACE, r"work/fiber-\w+\.npz'"),
    Point("divide: parcels written, counties not", REPLACE, r"work/parcel-\w+\.counties"),
    *_written("divide", r"work/parcel-\w+\.parquet'"),
    Point("exclude: not in place", REPLACE, r"work/exclusion-"),
    Point("measure: in the write of a part", REPLACE, r"parts/part-00001"),
    Point("measure: between two parts", REPLACE, r"parts/part-00001", after=True),
    Point("measure: parts there, not joined", "data.parts.Parts.join"),
    Point("measure: joined, parts still there", "data.parts.Parts.remove"),
    Point("measure: result in place", REPLACE, r"work/metric-\w+\.parquet'", after=True),
    Point("access: not in place", REPLACE, r"work/access-"),
    Point("regions: not in place", REPLACE, r"work/region-"),
    Point("cost: first table in place", REPLACE, r"work/cost-", after=True),
    Point("confidence: not in place", REPLACE, r"work/confidence-"),
    _ready("publish: layers copied", "shutil.copyfile", r"builds/", after=True),
    _ready("publish: half of the marts", SQL, r"mart/region_rank'", after=True),
    _ready("publish: before the checks", "data.build.run_checks"),
    _ready("publish: after the checks", "data.build.run_checks", after=True),
    _ready("publish: before the checkpoint", "data.store.seal", r"builds/"),
    _ready("publish: sealed, not in place", REPLACE, r"builds/\S+\.duckdb'\)"),
    _ready("publish: among the builds", REPLACE, r"builds/\S+\.duckdb'\)", after=True),
    _ready("publish: linked, not published", "os.link", after=True),
    _ready("publish: published", REPLACE, r"/gridstead\.duckdb'\)", after=True, is_new=True),
    _ready("history: first part in place", REPLACE, r"history/parts/", after=True, is_new=True),
    _ready("history: parts, but not the run", REPLACE, r"history/[^/]+\.run\.parquet'\)", is_new=True),
    _ready("history: the run is in place", REPLACE, r"history/[^/]+\.run\.parquet'\)", after=True, is_new=True),
    _ready("prune: before", "flows.publishing.prune", is_new=True),
    _ready("prune: an old build is gone", "pathlib.Path.unlink", r"builds/", after=True, is_new=True),
    _ready("prune: half of the old results", "pathlib.Path.unlink", r"work/", nth=9, is_new=True),
    _ready("export: first file not in place", REPLACE, r"exports/", is_new=True, export=True),
    _ready("export: half of the files", REPLACE, r"exports/", nth=6, is_new=True, export=True),
    _ready("export: no manifest", "json.dumps", r"inputs_sha256", is_new=True, export=True),
)  # fmt: skip
