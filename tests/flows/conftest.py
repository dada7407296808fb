"""The command line on the tiny study: a published home to ask, and runs without Prefect's engine."""

import fcntl
import functools
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

# Before Prefect is imported anywhere: nothing of the tests goes to the user's own Prefect home.
PREFECT_HOME = Path(tempfile.mkdtemp(prefix="gridstead-tests-"))
os.environ |= {
    "PREFECT_HOME": str(PREFECT_HOME),
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_SERVER_LEVEL": "CRITICAL",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
}
for name in ("PREFECT_API_URL", "GRIDSTEAD_MIRROR", "GRIDSTEAD_HOME"):
    os.environ.pop(name, None)

import duckdb  # noqa: E402

from data import store  # noqa: E402
from data.object_cache import sha256_of  # noqa: E402
from flows import cli, keys  # noqa: E402
from tests.flows import tiny  # noqa: E402
from tests.flows.plain import without_prefect  # noqa: E402


@dataclass(frozen=True)
class Answer:
    """What a command left: exit code and the two streams."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Answer]


@pytest.fixture(scope="session", autouse=True)
def _prefect_home() -> Iterator[None]:
    yield
    shutil.rmtree(PREFECT_HOME, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def prefect_server(request: pytest.FixtureRequest, _prefect_home: None) -> Iterator[str]:
    """URL of a server that starts while the other tests run, when a test wants one."""
    if not any("server" in item.fixturenames for item in request.session.items):
        yield ""
        return
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "--factory", "prefect.server.api.server:create_app"]
    variables = os.environ | {
        "PREFECT_UI_ENABLED": "0",
        "PREFECT_SERVER_SERVICES_SCHEDULER_RECENT_DEPLOYMENTS_LOOP_SECONDS": "1",
    }
    process = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port), "--log-level", "error"],
        env=variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"http://127.0.0.1:{port}/api"
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.fixture(scope="session", autouse=True)
def _same_code() -> Iterator[None]:
    """Code does not change while the tests run, so its hashes are taken once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "code_key", functools.cache(keys.code_key))
        yield


@pytest.fixture
def gridstead(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run the command line in this process."""

    def run(*words: object) -> Answer:
        capsys.readouterr()
        code = cli.main([str(word) for word in words])
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return Answer(code, said.out, said.err)

    return run


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    without_prefect(monkeypatch)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The study and a home in which it was run once, with exports: not to be written to.

    Processes that share the tests share the run: the first one makes it, and the others wait for it.
    """
    shared = tmp_path_factory.getbasetemp()
    folder = (shared.parent if os.environ.get("PYTEST_XDIST_WORKER") else shared) / "tiny"
    folder.mkdir(exist_ok=True)
    study, home = folder / "study" / "tiny.yaml", folder / "home"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            assert tiny.write_study(folder / "study") == study
            with pytest.MonkeyPatch.context() as patch:
                without_prefect(patch)
                assert cli.main(["run", str(study), "--home", str(home), "--quiet"]) == 0
            (folder / "done").touch()
    return SimpleNamespace(study=study, home=home, build=home / "gridstead.duckdb")


@pytest.fixture
def world(base: SimpleNamespace, tmp_path: Path) -> SimpleNamespace:
    """A copy of study and home to change; what was staged there is reused."""
    shutil.copytree(base.study.parent, tmp_path / "study")
    shutil.copytree(
        base.home, tmp_path / "home", ignore=shutil.ignore_patterns("*.duckdb", "exports")
    )
    home = tmp_path / "home"
    for path in (base.home / "work").glob("*.duckdb"):
        (home / "work" / path.name).hardlink_to(path)
    for path in (base.home / "builds").glob("*.duckdb"):
        shutil.copy2(path, home / "builds" / path.name)
        (home / "gridstead.duckdb").hardlink_to(home / "builds" / path.name)
    (home / "exports").mkdir()
    return SimpleNamespace(
        study=tmp_path / "study" / base.study.name, home=home, build=home / "gridstead.duckdb"
    )


@pytest.fixture
def run(gridstead: Command, world: SimpleNamespace, plain: None) -> Command:
    """Run the study of this test's world, without exports."""

    def command(*words: object) -> Answer:
        return gridstead("run", world.study, "--home", world.home, "--no-export", *words)

    return command


@pytest.fixture
def untouched(world: SimpleNamespace) -> Iterator[None]:
    """The published build is the same file with the same bytes afterwards, and nothing half-made stays."""
    before = world.build.stat().st_ino, sha256_of(world.build)
    yield
    assert (world.build.stat().st_ino, sha256_of(world.build)) == before
    assert leftovers(world.home) == []


def leftovers(home: Path) -> list[str]:
    """Half-written files of a home."""
    found = [*home.glob("work/*.part"), *home.glob("*/*.tmp*"), *home.glob(".*.duckdb")]
    return sorted(path.name for path in found)


def rows(build: Path, query: str) -> list[tuple[Any, ...]]:
    """Rows of a query on a build."""
    with store.open_build(build) as con:
        return con.execute(query).fetchall()


def rankings(build: Path) -> tuple[list[tuple[Any, ...]], ...]:
    """Everything that is ranked."""
    return (
        rows(build, "select * from mart.parcel_score order by workload, parcel_id"),
        rows(build, "select * from mart.region_rank order by workload, region_kind, region_id"),
        rows(build, "select * exclude (geometry) from mart.training_parcels order by parcel_id"),
        rows(build, "select * exclude (geometry) from mart.inference_regions order by all"),
    )


def write_to(build: Path, statement: str) -> None:
    """Change a database that nobody has open."""
    with duckdb.connect(str(build)) as con:
        con.execute(statement)
