"""Prefect tasks: the steps of a run, wrapped; they take and return paths and ids."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any

from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task

from data import store
from data.errors import PassingPullError
from data.pull import Pulled
from flows import exclusions, exporting, last_run, measuring, publishing, steps
from flows.artifacts import link_maps
from flows.cluster_parts import MeasureInputs, make_parts
from flows.confidence import make_confidence
from flows.costing import make_cost
from flows.fiber_graph import make_access, make_fiber
from flows.home import Home
from flows.people import make_people
from flows.power import make_power
from flows.progress import PullProgress, log
from flows.reporting import rows_of
from flows.request import RunRequest, place_of, study_of

RETRIES = 2
RETRY_DELAYS_S: list[float] = [10, 60]
TOP_ROWS = 20


def is_passing_fault(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether a failed pull is worth another try: the network failed, not the bytes or the request.

    Server answers are retried inside the pull, where Retry-After is heard; a wrong hash, a missing
    file and a refusal stay what they are.
    """
    result = state.result(raise_on_failure=False) if state.is_failed() else None
    return isinstance(result, PassingPullError)


@task(
    task_run_name="pull-{source_id}",
    cache_policy=NO_CACHE,
    retries=RETRIES,
    retry_delay_seconds=RETRY_DELAYS_S,
    retry_jitter_factor=0.5,
    retry_condition_fn=is_passing_fault,
)
def pull_source(source_id: str, request: RunRequest) -> Pulled:
    """Bring one source to the cache."""
    progress = PullProgress()
    began = monotonic()
    try:
        pulled = steps.pull_source(
            source_id,
            Home.at(request.home),
            study_of(request),
            offline=request.offline,
            progress=progress,
        )
    finally:
        progress.close()
    log(
        f"{source_id}: {pulled.bytes / 1e6:.1f} MB from {pulled.origin}"
        + (", stale" if pulled.is_stale else ""),
        source=source_id,
        bytes=pulled.bytes,
        origin=pulled.origin,
        is_stale=pulled.is_stale,
        seconds=round(monotonic() - began, 3),
    )
    return pulled


@task(task_run_name="stage-{theme}", cache_policy=NO_CACHE)
def stage_theme(theme: str, pulled: Mapping[str, Pulled], request: RunRequest) -> Path:
    """Stage one theme's layers."""
    return steps.stage(study_of(request), theme, pulled, Home.at(request.home), log)


@task(cache_policy=NO_CACHE)
def assemble(themes: Mapping[str, Path], pulled: Mapping[str, Pulled], request: RunRequest) -> Path:
    """Put all layers into one database."""
    study, home = study_of(request), Home.at(request.home)
    layers = steps.assemble(study, themes, pulled, home, log)
    # Sources that are not as expected stop the run before hours are spent on them; publishing tells the rest.
    last_run.stop_at_error(last_run.source_results(study, request, layers, home))
    return layers


@task(cache_policy=NO_CACHE)
def power(layers: Path, request: RunRequest) -> Path:
    """Compute what every substation can host."""
    study, home = study_of(request), Home.at(request.home)
    return make_power(study, layers, home, log, request.capacity)


@task(cache_policy=NO_CACHE)
def fiber(layers: Path, people: Path, request: RunRequest) -> Path:
    """Build the graph of fiber with its round trips."""
    return make_fiber(layers, people, Home.at(request.home), log)


@task(cache_policy=NO_CACHE)
def divide(layers: Path, request: RunRequest) -> Path:
    """Divide the land into parcels."""
    return steps.divide(study_of(request), request, layers, Home.at(request.home), log)


@task(cache_policy=NO_CACHE)
def exclude(
    layers: Path, parcels: Path, pulled: Mapping[str, Pulled], request: RunRequest
) -> Path | None:
    """Unite the exclusions of the study, when it has any."""
    return exclusions.make_exclusions(
        study_of(request), layers, parcels, pulled, Home.at(request.home), log
    )


@task(cache_policy=NO_CACHE)
def people(layers: Path, pulled: Mapping[str, Pulled], request: RunRequest) -> Path:
    """Gather the people that are counted around parcels."""
    return make_people(study_of(request), layers, pulled, Home.at(request.home), log)


@task(cache_policy=NO_CACHE)
def measure(
    layers: Path,
    power: Path,
    fiber: Path,
    parcels: Path,
    excluded: Path | None,
    people: Path,
    pulled: Mapping[str, Pulled],
    request: RunRequest,
) -> Path:
    """Measure the parcels."""
    return measuring.measure_parcels(
        study_of(request),
        layers,
        power,
        fiber,
        parcels,
        excluded,
        Home.at(request.home),
        log,
        pulled=pulled,
        people=people,
    )


@task(cache_policy=NO_CACHE)
def parts(
    layers: Path,
    power: Path,
    fiber: Path,
    parcels: Path,
    excluded: Path | None,
    people: Path,
    pulled: Mapping[str, Pulled],
    request: RunRequest,
) -> Path:
    """Measure, score and rank the parcels in pieces, by a cluster."""
    inputs: MeasureInputs = {
        "layers": layers,
        "power": power,
        "fiber": fiber,
        "parcels": parcels,
        "excluded": excluded,
        "people": people,
    }
    assert request.cluster is not None
    return make_parts(
        study_of(request),
        request.cluster,
        place_of(request),
        request.keep_parcels,
        inputs,
        pulled,
        Home.at(request.home),
        log,
    )


@task(cache_policy=NO_CACHE)
def access(fiber: Path, parcels: Path, request: RunRequest) -> Path:
    """Find the fiber nodes near each parcel."""
    return make_access(fiber, parcels, Home.at(request.home), log)


@task(cache_policy=NO_CACHE)
def cost(metrics: Path, parcels: Path, request: RunRequest) -> Path:
    """Price the parcels."""
    return make_cost(study_of(request), metrics, parcels, Home.at(request.home), log)


@task(cache_policy=NO_CACHE)
def confidence(metrics: Path, parcels: Path, request: RunRequest) -> Path:
    """Say how sure the ranks of parcels are."""
    return make_confidence(study_of(request), metrics, parcels, Home.at(request.home), log)


@task(cache_policy=NO_CACHE)
def regions(layers: Path, parcels: Path, metrics: Path, request: RunRequest) -> Path:
    """Make the shapes of the regions."""
    return steps.make_regions(layers, parcels, metrics, Home.at(request.home), log)


@task(cache_policy=NO_CACHE)
def publish(
    run_id: str,
    started_at: datetime,
    paths: Mapping[str, Path],
    pulled: Mapping[str, Pulled],
    seconds: Mapping[str, float],
    request: RunRequest,
) -> Path:
    """Score, rank, check, publish."""
    study, home = study_of(request), Home.at(request.home)
    return publishing.publish(study, request, run_id, started_at, paths, pulled, seconds, home, log)


@task(cache_policy=NO_CACHE)
def export(build: Path, request: RunRequest) -> Path:
    """Write the exports of the run, and leave its ranking and report as artifacts."""
    out = request.out or Home.at(request.home).exports
    written = exporting.export_run(build, out)
    with store.open_build(build) as con:
        for workload in (row["workload"] for row in rows_of(con, "query/workloads")):
            params = {"workload": workload, "level": "county", "n": TOP_ROWS}
            table = [
                {
                    name: row[name]
                    for name in ("rank", "region_name", "score_low", "score_high", "reason")
                }
                for row in rows_of(con, "query/top_regions", params)
            ]
            create_table_artifact(
                table,
                # A key holds letters, digits and dashes only.
                key=f"{workload}-counties".replace("_", "-"),
                description=f"First {TOP_ROWS} counties for {workload}",
            )
    link_maps(written)
    report = next(path for path in written if path.name == "report.md")
    create_markdown_artifact(
        report.read_text(encoding="utf-8"), key="report", description="Report of the run"
    )
    return out
