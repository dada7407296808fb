"""Pull and stage the grid: substations, lines, plants, and the network case where there is one."""

from pathlib import Path

from prefect import flow

from flows.request import RunRequest
from flows.themes import pull_and_stage


@flow(name="grid", flow_run_name="grid-{request.study}")
def grid(request: RunRequest) -> Path:
    """Pull and stage the layers of this theme; the staged database is what the nightly run reuses."""
    return pull_and_stage("grid", request)
