"""Artifacts of a run on Prefect's server: how far it is, and where its maps lie."""

from pathlib import Path
from uuid import UUID

from prefect.artifacts import (
    create_link_artifact,
    create_progress_artifact,
    update_progress_artifact,
)
from prefect.context import FlowRunContext

# Share of the run, percent, at which the progress is told again: each tells the server once.
TOLD_EVERY = 15


class RunProgress:
    """Progress of a run on the server's page of it; nothing without Prefect's engine.

    Parameters
    ----------
    steps
        How many steps the run has.
    """

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._told = 0.0
        self._id: UUID | None = None
        if FlowRunContext.get() is not None:
            made = create_progress_artifact(0.0, key="progress", description="Steps of the run")
            self._id = made if isinstance(made, UUID) else None

    def __call__(self, done: int) -> None:
        """Tell how many steps are done, a handful of times a run."""
        share = 100.0 * done / self._steps
        if self._id is None or (share < 100 and share - self._told < TOLD_EVERY):
            return
        self._told = share
        update_progress_artifact(self._id, progress=share)


def link_maps(written: list[Path]) -> None:
    """Leave a link to each map of a run; a browser on this machine opens it."""
    for path in written:
        if path.suffix == ".png":
            key = f"map-{path.stem}".replace("_", "-")
            create_link_artifact(
                path.resolve().as_uri(),
                link_text=path.name,
                key=key,
                description=f"Map of {path.stem}",
            )
