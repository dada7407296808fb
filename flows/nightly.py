"""The nightly run: pull, stage, power, people, fiber, divide, measure, price, rank, check, publish, export."""

from datetime import UTC, datetime
from pathlib import Path

from prefect import flow

from data.study import THEMES
from flows import journal, retention, tasks
from flows.artifacts import RunProgress
from flows.clock import is_behind, new_run_id
from flows.cluster_parts import kept_of
from flows.home import Home
from flows.housekeeping import alone
from flows.notify import tell_of_build, telling
from flows.progress import Stopwatch, log, warn
from flows.request import RunRequest, study_of
from flows.themes import pull_themes, stage

STEPS = (
    "pull", "stage", "power", "people", "fiber", "divide", "exclude", "measure", "regions", "cost", "confidence",
    "publish", "export",
)  # fmt: skip


@flow(name="nightly", flow_run_name="nightly-{request.study}")
def nightly(request: RunRequest) -> Path:
    """Run a study from its sources to a published build and its exports.

    Returns the published build. When a check of severity error fails, nothing is published.
    """
    home = Home.at(request.home)
    with telling(request), alone(home, "run", request.study) as killed:
        started_at = datetime.now(UTC)
        known = home.run_ids()
        run_id = new_run_id(started_at, known)
        with journal.kept(home, run_id, request.study, killed):
            if is_behind(started_at, known):
                warn(f"The clock is behind the last run's; this run counts as after it: {run_id}.")
            build = _run(request, run_id, started_at)
            if request.max_gb is not None:
                retention.cap(home, request.max_gb, request.study)
            journal.tell_build(build)
            tell_of_build(home)
        return build


def _run(request: RunRequest, run_id: str, started_at: datetime) -> Path:
    study = study_of(request)
    themes = [theme for theme in THEMES if theme in study.themes]
    steps = STEPS if request.export else STEPS[:-1]
    watch = Stopwatch(steps, RunProgress(len(steps)))

    pulled = pull_themes(themes, request)
    watch.lap("pull")
    staged = {theme: stage(theme, pulled, request) for theme in themes}
    layers = tasks.assemble(staged, pulled, request)
    watch.lap("stage")
    power = tasks.power(layers, request)
    watch.lap("power")
    people = tasks.people(layers, pulled, request)
    watch.lap("people")
    fiber = tasks.fiber(layers, people, request)
    watch.lap("fiber")
    parcels = tasks.divide(layers, request)
    watch.lap("divide")
    excluded = tasks.exclude(layers, parcels, pulled, request)
    watch.lap("exclude")
    before = (layers, power, fiber, parcels, excluded, people, pulled, request)
    measured = {}
    if request.cluster is None:
        metrics = tasks.measure(*before)
    else:
        measured["parts"] = tasks.parts(*before)
        parcels, metrics = kept_of(measured["parts"])
    access = tasks.access(fiber, parcels, request)
    watch.lap("measure")
    shapes = tasks.regions(layers, parcels, metrics, request)
    watch.lap("regions")
    cost = tasks.cost(metrics, parcels, request)
    watch.lap("cost")
    confidence = tasks.confidence(metrics, parcels, request)
    watch.lap("confidence")
    paths = {
        "layers": layers,
        "power": power,
        "fiber": fiber,
        "access": access,
        "parcels": parcels,
        "metrics": metrics,
        "regions": shapes,
        "people": people,
        "cost": cost,
        "confidence": confidence,
        **measured,
    }
    build = tasks.publish(run_id, started_at, paths, pulled, watch.seconds, request)
    watch.lap("publish")
    log(f"published {build} as run {run_id}")
    if request.export:
        out = tasks.export(build, request)
        watch.lap("export")
        log(f"exported to {out}")
    return build
