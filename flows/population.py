"""Pull and stage people: states, counties, metros, places and people at points."""

from pathlib import Path

from prefect import flow

from flows.request import RunRequest
from flows.themes import pull_and_stage


@flow(name="population", flow_run_name="population-{request.study}")
def population(request: RunRequest) -> Path:
    """Pull and stage the layers of this theme; the staged database is what the nightly run reuses."""
    return pull_and_stage("population", request)
