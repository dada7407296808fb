"""The nightly run: pull, stage, power, people, fiber, divide, measure, price, rank, check, publish, export."""

from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from prefect import flow

from data.study import THEMES
from flows import tasks
from flows.clock import new_run_id
from flows.home import Home
from flows.housekeeping import alone
from flows.progress import log
from flows.request import RunRequest, study_of
from flows.themes import pull_themes, stage


class Stopwatch:
    """Seconds by step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = monotonic()

    def lap(self, step: str) -> None:
        """Book the time since the last lap on a step."""
        now = monotonic()
        self.seconds[step] = round(now - self._last, 3)
        self._last = now
        log(f"{step}: {self.seconds[step]:.1f} s")


@flow(name="nightly", flow_run_name="nightly-{request.study}")
def nightly(request: RunRequest) -> Path:
    """Run a study from its sources to a published build and its exports.

    Returns the published build. When a check of severity error fails, nothing is published.
    """
    with alone(Home.at(request.home)):
        return _run(request)


def _run(request: RunRequest) -> Path:
    started_at = datetime.now(UTC)
    run_id = new_run_id(started_at)
    study = study_of(request)
    themes = [theme for theme in THEMES if theme in study.themes]
    watch = Stopwatch()

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
    metrics = tasks.measure(layers, power, fiber, parcels, excluded, people, pulled, request)
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
    }
    build = tasks.publish(run_id, started_at, paths, pulled, watch.seconds, request)
    watch.lap("publish")
    log(f"published {build} as run {run_id}")
    if request.export:
        out = tasks.export(build, request)
        watch.lap("export")
        log(f"exported to {out}")
    return build
