"""Pull and stage land: lakes, parks, developable land, prices and climate."""

from pathlib import Path

from prefect import flow

from flows.request import RunRequest
from flows.themes import pull_and_stage


@flow(name="land", flow_run_name="land-{request.study}")
def land(request: RunRequest) -> Path:
    """Pull and stage the layers of this theme; the staged database is what the nightly run reuses."""
    return pull_and_stage("land", request)
