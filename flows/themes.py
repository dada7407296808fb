"""Pull and stage one theme: what the flows of the themes and the nightly flow have in common."""

from collections.abc import Mapping
from pathlib import Path

from prefect.futures import wait

from data.pull import Pulled
from flows import tasks
from flows.home import Home
from flows.housekeeping import alone
from flows.request import RunRequest, study_of


def pull_themes(themes: list[str], request: RunRequest) -> dict[str, Pulled]:
    """Pull the sources of several themes, those that wait for the network side by side."""
    study = study_of(request)
    ids = list(dict.fromkeys(sid for theme in themes for sid in study.themes[theme].sources))
    futures = {source_id: tasks.pull_source.submit(source_id, request) for source_id in ids}
    wait(list(futures.values()))
    return {source_id: future.result() for source_id, future in futures.items()}


def stage(theme: str, pulled: Mapping[str, Pulled], request: RunRequest) -> Path:
    """Stage one theme from what was pulled."""
    wanted = study_of(request).themes[theme].sources
    return tasks.stage_theme(theme, {source_id: pulled[source_id] for source_id in wanted}, request)


def pull_and_stage(theme: str, request: RunRequest) -> Path:
    """Pull and stage one theme on its own."""
    with alone(Home.at(request.home), f"run --only {theme}", request.study):
        return stage(theme, pull_themes([theme], request), request)
