"""The flows on Prefect's engine: rules of the tasks, a real run, retries, and a schedule that fires."""

import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import get_type_hints

import httpx
import pandas as pd
import pytest
import yaml
from prefect import Task
from prefect.cache_policies import NO_CACHE
from prefect.server.api import server as api_server
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Completed, Failed

from data.errors import IntegrityError, PassingPullError, PullError
from flows import environment, steps, tasks
from flows.request import RunRequest
from tests.flows.conftest import PREFECT_HOME, leftovers, rows

ROOT = Path(__file__).parents[2]
TASKS = {name: value for name, value in vars(tasks).items() if isinstance(value, Task)}


# ---- Rules ---------------------------------------------------------------------------------------


def test_no_task_caches_and_only_the_network_is_retried():
    assert set(TASKS) == {
        "pull_source", "stage_theme", "assemble", "power", "people", "fiber", "divide", "exclude", "measure",
        "parts", "access", "regions", "cost", "confidence", "publish", "export",
    }  # fmt: skip
    for name, task in TASKS.items():
        assert task.cache_policy == NO_CACHE, name
        assert bool(task.retries) == (name == "pull_source"), name


def test_no_frame_passes_between_tasks():
    for name, task in TASKS.items():
        for hint in get_type_hints(task.fn).values():
            assert not (isinstance(hint, type) and issubclass(hint, pd.DataFrame)), name
            assert "Frame" not in str(hint), name


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (PassingPullError("no route to host"), True),
        (PullError("404"), False),
        (IntegrityError("other bytes"), False),
        (OSError(28, "No space left on device"), False),
        (KeyError("bug"), False),
    ],
)
def test_only_a_passing_fault_is_tried_again(error, again):
    assert tasks.is_passing_fault(tasks.pull_source, None, Failed(data=error)) is again


def test_a_success_is_not_tried_again():
    assert tasks.is_passing_fault(tasks.pull_source, None, Completed()) is False


def test_the_server_of_a_run_does_not_get_its_ctrl_c(monkeypatch):
    started = []

    def start(words, **options):
        started.append((words, options))

    monkeypatch.setattr(subprocess, "Popen", start)
    monkeypatch.setattr(api_server, "subprocess", subprocess)
    environment.keep_server()
    api_server.SubprocessASGIServer(port=9)._run_uvicorn_command()
    ((words, options),) = started
    assert options["start_new_session"] is True
    assert words[1:5] == ["-m", "flows.watched", str(os.getpid()), "uvicorn"]
    assert options["env"]["PYTHONPATH"].partition(os.pathsep)[0] == str(ROOT)


def test_request_travels_as_plain_values(tmp_path):
    request = RunRequest(home=tmp_path, area=["VA"])
    assert RunRequest.model_validate_json(request.model_dump_json()) == request


# ---- A server ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(prefect_server):
    """A whole server, as `prefect server start` runs it: the one of the test harness schedules nothing."""
    with httpx.Client(base_url=prefect_server, timeout=30) as client:
        wait_for(lambda: is_up(client), 120)
        yield client


def is_up(client):
    try:
        return client.get("/health").is_success
    except httpx.TransportError:
        return False


def wait_for(question, seconds):
    until = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < until, "nothing came"
        time.sleep(0.2)
    return answer


@pytest.fixture
def engine(server):
    with temporary_settings({PREFECT_API_URL: str(server.base_url).rstrip("/")}):
        yield server


def ask(client, what, **query):
    return client.post(f"/{what}/filter", json=query).raise_for_status().json()


def test_the_nightly_flow_publishes_and_leaves_artifacts(engine, gridstead, world):
    answer = gridstead("run", world.study, "--home", world.home)
    assert answer.code == 0, answer.err
    assert "nightly-" in {run["name"] for run in ask(engine, "flow_runs")}.pop()
    (run,) = ask(engine, "flow_runs")
    assert run["state_type"] == "COMPLETED"
    assert {task["state_type"] for task in ask(engine, "task_runs")} == {"COMPLETED"}
    artifacts = {artifact["key"]: artifact["type"] for artifact in ask(engine, "artifacts")}
    assert artifacts == {
        "training-counties": "table",
        "inference-counties": "table",
        "report": "markdown",
        "progress": "progress",
        "map-training": "markdown",
        "map-inference": "markdown",
        "map-headroom": "markdown",
    }
    (link,) = [each for each in ask(engine, "artifacts") if each["key"] == "map-training"]
    assert (world.home / "exports" / "training.png").as_uri() in link["data"]
    (progress,) = [each for each in ask(engine, "artifacts") if each["key"] == "progress"]
    assert progress["data"] == 100
    assert len(list((world.home / "builds").glob("*.duckdb"))) == 2


def test_a_failed_flow_is_one_sentence(engine, gridstead, world, untouched):
    with (world.study.parent / "files" / "grid.zip").open("ab") as file:
        file.write(b"x")
    answer = gridstead("run", world.study, "--home", world.home, "--quiet")
    assert answer.code == 1
    assert answer.err.startswith("Error: grid.zip of source 'tamu_grid' has sha256")
    assert len(answer.err.splitlines()) == 2
    failed = ask(engine, "flow_runs", flow_runs={"state": {"type": {"any_": ["FAILED"]}}})
    assert len(failed) == 1


@pytest.mark.parametrize(
    ("error", "tries", "code"),
    [(PassingPullError("The server hung up."), 2, 0), (IntegrityError("Other bytes."), 1, 1)],
)
def test_the_engine_tries_a_passing_fault_again(
    engine, gridstead, world, monkeypatch, error, tries, code
):
    calls = []
    pull = steps.pull_source

    def flaky(*arguments, **options):
        calls.append(arguments[0])
        if len(calls) == 1:
            raise error
        return pull(*arguments, **options)

    monkeypatch.setattr(steps, "pull_source", flaky)
    hasty = tasks.pull_source.with_options(retry_delay_seconds=0, retry_jitter_factor=None)
    monkeypatch.setattr(tasks, "pull_source", hasty)
    answer = gridstead("run", world.study, "--home", world.home, "--only", "fiber", "--quiet")
    assert (answer.code, len(calls)) == (code, tries)


def test_a_server_that_does_not_answer_is_one_sentence(gridstead, world):
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        answer = gridstead("run", world.study, "--home", world.home, "--quiet")
    assert answer.code == 1
    assert "Prefect did not answer: Failed to reach API at http://127.0.0.1:9/api" in answer.err
    assert "PREFECT_API_URL" in answer.err


# ---- Deployments ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_deployments_of_prefect_yaml_are_scheduled(server):
    """A schedule that a server has taken proves nothing: a run must stand in its list."""
    server.post("/work_pools/", json={"name": "gridstead", "type": "process"}).raise_for_status()
    done = subprocess.run(
        [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"],
        cwd=ROOT,
        env=os.environ | {"PREFECT_API_URL": str(server.base_url).rstrip("/")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    wanted = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    made = {deployment["name"]: deployment for deployment in ask(server, "deployments")}
    assert set(made) == {deployment["name"] for deployment in wanted}
    nightly = made["nightly"]
    assert nightly["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
    assert nightly["global_concurrency_limit"]["limit"] == 1
    assert nightly["work_pool_name"] == "gridstead"
    assert nightly["paused"] is False
    (schedule,) = nightly["schedules"]
    assert schedule["active"] is True
    assert schedule["schedule"]["timezone"] == "America/New_York"
    RunRequest.model_validate(nightly["parameters"]["request"])
    query = {"deployments": {"name": {"any_": ["nightly"]}}, "sort": "EXPECTED_START_TIME_ASC"}
    due = wait_for(lambda: ask(server, "flow_runs", **query), 60)
    assert due[0]["state_type"] == "SCHEDULED"
    first = datetime.fromisoformat(due[0]["expected_start_time"])
    assert 0 < (first - datetime.now(UTC)).total_seconds() < 25 * 3600
    assert {item["work_pool_name"] for item in due} == {"gridstead"}


@pytest.fixture
def worker(server, tmp_path):
    """A work pool and its worker, as they are set up once for `prefect.yaml`."""
    server.post("/work_pools/", json={"name": "soon", "type": "process"}).raise_for_status()
    url = {"PREFECT_API_URL": str(server.base_url).rstrip("/"), "PREFECT_WORKER_QUERY_SECONDS": "1"}
    with (
        (tmp_path / "worker.txt").open("w") as said,
        subprocess.Popen(
            [sys.executable, "-m", "prefect", "worker", "start", "--pool", "soon", "--limit", "1"],
            cwd=tmp_path,
            env=os.environ | url,
            stdout=said,
            stderr=said,
            start_new_session=True,
        ) as process,
    ):
        yield os.environ | url
        # Asked to end, it waits for a run that it has started: with those it goes at once.
        os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.slow
def test_the_deployed_schedule_fires(server, worker, world, tmp_path):
    """Our own deployment, of the tiny study and in seconds: a run is due, starts by itself and publishes."""
    content = yaml.safe_load((ROOT / "prefect.yaml").read_text())
    (nightly,) = content["deployments"]
    request = {"study": str(world.study), "home": str(world.home), "export": False}
    nightly |= {
        "name": "soon",
        "parameters": {"request": request},
        "schedules": [{"slug": "soon", "interval": 20, "active": True}],
        "work_pool": {"name": "soon"},
    }
    (tmp_path / "prefect.yaml").write_text(yaml.safe_dump(content))
    before = rows(world.build, "select run_id from meta.run")
    done = subprocess.run(
        [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", tmp_path / "prefect.yaml"],
        cwd=ROOT,
        env=worker,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (deployment,) = ask(server, "deployments", deployments={"name": {"any_": ["soon"]}})
    ours = {"deployments": {"name": {"any_": ["soon"]}}, "sort": "EXPECTED_START_TIME_ASC"}
    due = wait_for(lambda: ask(server, "flow_runs", **ours), 60)[0]
    assert due["auto_scheduled"] is True

    def is_in(*names):
        # A database that is busy for a moment is an answer too (503).
        answer = server.get(f"/flow_runs/{due['id']}")
        return answer.is_success and answer.json()["state_type"] in names

    wait_for(lambda: is_in("RUNNING", "COMPLETED", "FAILED", "CRASHED"), 120)
    # One night is enough.
    paused = {"paused": True}
    wait_for(lambda: server.patch(f"/deployments/{deployment['id']}", json=paused).is_success, 60)
    wait_for(lambda: is_in("COMPLETED", "FAILED", "CRASHED"), 240)
    assert is_in("COMPLETED"), (tmp_path / "worker.txt").read_text()
    states = server.get("/flow_run_states/", params={"flow_run_id": due["id"]}).raise_for_status()
    came = [state["type"] for state in sorted(states.json(), key=lambda state: state["timestamp"])]
    assert (came[0], came[-1]) == ("SCHEDULED", "COMPLETED"), came
    assert rows(world.build, "select run_id from meta.run") > before
    assert leftovers(world.home) == []


# ---- As a user starts it -------------------------------------------------------------------------


@pytest.fixture
def stuck_run(world, server):
    """A run with a server of its own, as a user starts it where nothing is set up; it hangs at its checks."""
    # The database is there already: to make it takes ten seconds.
    (world.home / "prefect").mkdir()
    shutil.copyfile(PREFECT_HOME / "prefect.db", world.home / "prefect" / "prefect.db")
    variables = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT")}
    where = ["tests.flows.stuck", "--engine", "flows.publishing.builds.run_checks"]
    with subprocess.Popen(
        [sys.executable, "-m", *where, "run", world.study, "--home", world.home, "--quiet"],
        cwd=ROOT,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout.readline() == "stuck\n"
        yield process
        process.kill()


def servers_of(pid):
    """Processes that were started to end with a run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"flows.watched" in words and str(pid).encode() in words:
            found.append(int(path.parent.name))
    return found


@pytest.mark.slow
@pytest.mark.usefixtures("untouched")
def test_a_run_with_a_server_of_its_own_ends_at_ctrl_c(stuck_run):
    """Ctrl-C reaches every process of the terminal's group, the server too if it could."""
    os.killpg(stuck_run.pid, signal.SIGINT)
    said = stuck_run.communicate(timeout=120)[1]
    assert stuck_run.returncode == 1
    assert said.startswith("Error: Stopped.\nThe last build stays published.\n")
    assert "Traceback" not in said
    assert servers_of(stuck_run.pid) == []


@pytest.mark.slow
def test_a_run_that_is_killed_leaves_no_server(stuck_run):
    assert len(servers_of(stuck_run.pid)) == 1
    stuck_run.kill()
    stuck_run.communicate(timeout=30)
    wait_for(lambda: servers_of(stuck_run.pid) == [], 20)
