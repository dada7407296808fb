"""Kill -9 at every step of a run: the published build stays whole, and the next run makes it good.

`make kills`; each run is a process of its own, which kills itself at a named call.
"""

import multiprocessing
import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import yaml

from tests.flows import tiny
from tests.kills import dying
from tests.kills.points import POINTS, Point
from tests.upstream.server import Upstream, conditional

pytestmark = pytest.mark.kills

FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(["tests.kills.dying"])
ROUTE = "/lake.geojson"
LAKE_BYTES = 64 * 1024
CHUNK_PARCELS = 20
TIMEOUT_S = 300
# In the name of what a run leaves: ids and times of runs.
RUN_ID = re.compile(r"\d{8}T\d{9}-\d+")


@dataclass(frozen=True)
class Ended:
    """How a run ended, and what it said."""

    code: int | None
    said: str


@dataclass(frozen=True)
class Told:
    """A row of the table."""

    point: str
    published: str
    next_run: str
    leftovers: str


TABLE: list[Told] = []


@pytest.fixture(scope="session", autouse=True)
def _table() -> Iterator[None]:
    """Print what came of every point, once all have been tried."""
    yield
    frame = pd.DataFrame(TABLE)
    if len(frame):
        sys.stdout.write(f"\n{frame.to_string(justify='left')}\n{len(frame)} points\n")


@pytest.fixture(scope="session")
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


@pytest.fixture(scope="session")
def worlds(tmp_path_factory: pytest.TempPathFactory, upstream: Upstream) -> SimpleNamespace:
    """The study before and after all its sources changed, and homes in which each was run."""
    folder = tmp_path_factory.mktemp("worlds")
    old, new = folder / "old" / "tiny.yaml", folder / "new" / "tiny.yaml"
    homes = SimpleNamespace(
        old=folder / "old-home", new=folder / "new-home", ready=folder / "ready"
    )
    write_study(old.parent, upstream)
    assert go(old, homes.old, folder).code == 0
    copy_home(homes.old, homes.new)
    write_study(new.parent, upstream, is_changed=True)
    assert go(new, homes.new, folder, keep=2).code == 0
    # All steps done, the old build still published, and results of old to prune.
    copy_home(homes.new, homes.ready)
    for path in (*homes.ready.glob("*.duckdb"), *homes.ready.glob("builds/*")):
        path.unlink()
    for name in ("builds", "exports", "history"):
        shutil.rmtree(homes.ready / name, ignore_errors=True)
        if (homes.old / name).exists():
            copy_tree(homes.old / name, homes.ready / name)
    publish_newest(homes.ready)
    assert go(new, homes.new, folder).code == 0
    states = SimpleNamespace(old=look(homes.old), new=look(homes.new))
    assert states.old[0] == states.new[0] == []
    assert differing(states.old[1], states.new[1])
    return SimpleNamespace(study=new, homes=homes, old=states.old[1], new=states.new[1])


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_killed(point: Point, worlds: SimpleNamespace, tmp_path: Path) -> None:
    home = tmp_path / "home"
    copy_home(worlds.homes.old if point.start == "fresh" else worlds.homes.ready, home)
    with reader(home / "gridstead.duckdb") as asked:
        killed = go(worlds.study, home, tmp_path, point)
        assert killed.code == -9, f"the run did not come to the point:\n{killed.said}"
        assert dying.is_free(home)
        failed, found = look(home)
        assert failed == []
        expected = worlds.new if point.is_new else worlds.old
        assert differing(found, expected) == []
        age(home)
        again = go(worlds.study, home, tmp_path, replace(point, where=""))
        assert again.code == 0, again.said
        assert "Traceback" not in again.said
        # Who opened the build before keeps what was there.
        assert differing(asked(), worlds.old) == []
    failed, found = look(home)
    assert failed == []
    assert differing(found, worlds.new) == []
    extra = sorted(tree(home, point) - tree(worlds.homes.new, point))
    TABLE.append(
        Told(
            point.name,
            "new" if point.is_new else "old",
            "equal",
            ", ".join(extra) or "none",
        )
    )
    assert extra == []
    if point.export:
        assert exported(home) == exported(worlds.homes.new)


def test_every_file_that_is_put_in_place_has_a_point(worlds: SimpleNamespace) -> None:
    """A new kind of result of a run wants a point of its own."""
    told = "\n".join(point.told for point in POINTS)
    kinds = {path.split("-")[0] for path in tree(worlds.homes.new) if path.startswith("work/")}
    assert sorted(kind for kind in kinds if kind not in told) == []


def write_study(folder: Path, upstream: Upstream, *, is_changed: bool = False) -> None:
    """The tiny study in parts of few parcels, its lakes behind a URL; every theme can be changed."""
    tiny.write_study(folder)
    tiny.edit(folder / "tiny.yaml", {"measure": {"chunk_parcels": CHUNK_PARCELS}})
    files = folder / "files"
    lake = (files / "lake.geojson").read_text()
    if is_changed:
        changes = (
            ("grid.zip", "plant.csv", "1500.0", "2500.0"),
            ("grid.zip", "bus.csv", ",1,500.0,", ",1,550.0,"),
            ("places.zip", "cities5000.json", '"population": 10001', '"population": 50001'),
            ("backbone.zip", "topohub/data/caida/2024-08/3356.json", "42.0", "43.5"),
        )
        for name, member, before, after in changes:
            text = tiny.read_member(files / name, member)
            assert before in text
            tiny.rewrite_member(files / name, member, text.replace(before, after))
        assert "-77.65" in lake
        lake = lake.replace("-77.65", "-77.6")
    (files / "lake.geojson").write_text(lake.ljust(LAKE_BYTES))
    tiny.lock(folder)
    route = f"/{folder.name}{ROUTE}"
    upstream.routes[route] = conditional((files / "lake.geojson").read_bytes())
    own = folder / "own.yaml"
    content = yaml.safe_load(own.read_text())
    source = next(each for each in content["sources"] if each["id"] == "gshhs_lake")
    source["access"] = {"kind": "http", "url": upstream.url(route)}
    own.write_text(yaml.safe_dump(content, sort_keys=False))


def go(study: Path, home: Path, folder: Path, point: Point | None = None, keep: int = 1) -> Ended:
    """Run a study in a process of its own; a point without a place is never reached."""
    said = folder / "said.txt"
    words = ["run", str(study), "--home", str(home), "--keep-builds", str(keep)]
    if point is not None and not point.export:
        words.append("--no-export")
    reached = point if point is not None and point.where else None
    process = FORKED.Process(target=dying.run, args=(words, said, reached))
    process.start()
    process.join(TIMEOUT_S)
    text = said.read_text() if said.exists() else ""
    return Ended(process.exitcode, text)


def look(home: Path) -> Any:
    """Failed checks and contents of the published build of a home."""
    ours, theirs = FORKED.Pipe()
    process = FORKED.Process(target=dying.look, args=(home / "gridstead.duckdb", theirs))
    process.start()
    theirs.close()
    answer = ours.recv()
    process.join(TIMEOUT_S)
    return answer


class reader:  # noqa: N801
    """A process that opens a build, and what it finds there when asked."""

    def __init__(self, build: Path) -> None:
        self._line, theirs = FORKED.Pipe()
        self._process = FORKED.Process(target=dying.read_on, args=(build, theirs))
        self._process.start()
        theirs.close()

    def __enter__(self) -> Any:
        self._ask()
        return self._ask

    def __exit__(self, *_: object) -> None:
        self._line.send(False)
        self._process.join(TIMEOUT_S)

    def _ask(self) -> dict[str, Any]:
        self._line.send(True)
        return self._line.recv()


def copy_home(source: Path, target: Path) -> None:
    copy_tree(source, target)
    publish_newest(target)


def copy_tree(source: Path, target: Path) -> None:
    """Copy a folder; databases and results of steps, which are never written in place, as links."""

    def link(here: str, there: str) -> None:
        if here.endswith(".duckdb") or "/work/" in here:
            Path(there).hardlink_to(here)
        else:
            shutil.copy2(here, there)

    shutil.copytree(source, target, copy_function=link, dirs_exist_ok=True)


def publish_newest(home: Path) -> None:
    """Let the newest build be the published one, by the same bytes."""
    (home / "gridstead.duckdb").unlink(missing_ok=True)
    (home / "gridstead.duckdb").hardlink_to(max((home / "builds").glob("*.duckdb")))


def tree(home: Path, point: Point | None = None) -> set[str]:
    """Every file and folder of a home by name, without the ids of runs."""
    names = {RUN_ID.sub("RUN", path.relative_to(home).as_posix()) for path in home.rglob("*")}
    is_exported = point is None or point.export
    return {name for name in names if is_exported or not name.startswith("exports")}


def age(home: Path) -> None:
    """Let the night pass: what was half exported is not taken for the work of somebody else."""
    for folder in home.glob("exports/.export-*"):
        os.utime(folder, (0, 0))


def exported(home: Path) -> dict[str, Any]:
    """Contents of the tables that were exported."""
    paths = sorted((home / "exports").glob("*.parquet"))
    assert paths
    return {path.name: gpd.read_parquet(path).to_wkb().to_csv() for path in paths}


def differing(found: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """Names of tables that differ."""
    names = found.keys() | expected.keys()
    return sorted(name for name in names if found.get(name) != expected.get(name))
