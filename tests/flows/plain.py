"""The flows without Prefect's engine: their own code, with plain functions for tasks."""

from types import SimpleNamespace
from typing import Any

import pytest


class PlainTasks:
    """The tasks as the plain functions that they wrap, for runs that need no server."""

    def __init__(self) -> None:
        from flows import tasks

        for name in (
            "stage_theme",
            "assemble",
            "power",
            "people",
            "fiber",
            "divide",
            "exclude",
            "measure",
            "parts",
            "access",
            "regions",
            "cost",
            "confidence",
            "publish",
            "export",
        ):
            setattr(self, name, getattr(tasks, name).fn)
        self.pull_source = SimpleNamespace(submit=self._submit)
        self._pull = tasks.pull_source.fn

    def _submit(self, *arguments: Any) -> SimpleNamespace:
        pulled = self._pull(*arguments)
        return SimpleNamespace(result=lambda: pulled)


def without_prefect(patch: pytest.MonkeyPatch) -> None:
    """Let the flows run their own code with plain tasks, without engine and server."""
    from flows import fiber, grid, land, nightly, population, tasks, themes

    plain = PlainTasks()
    patch.setattr(nightly, "tasks", plain)
    patch.setattr(themes, "tasks", plain)
    patch.setattr(themes, "wait", lambda futures: None)
    for name in ("create_table_artifact", "create_markdown_artifact", "link_maps"):
        patch.setattr(tasks, name, lambda *_, **__: None)
    for module in (nightly, grid, population, fiber, land):
        name = module.__name__.rpartition(".")[2]
        patch.setattr(module, name, getattr(module, name).fn)
