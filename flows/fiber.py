"""Pull and stage fiber: points of presence, carrier links, exchanges and facilities."""

from pathlib import Path

from prefect import flow

from flows.request import RunRequest
from flows.themes import pull_and_stage


@flow(name="fiber", flow_run_name="fiber-{request.study}")
def fiber(request: RunRequest) -> Path:
    """Pull and stage the layers of this theme; the staged database is what the nightly run reuses."""
    return pull_and_stage("fiber", request)
