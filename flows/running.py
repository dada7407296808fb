"""Run flows from the command line."""

from datetime import UTC, datetime
from typing import Any

from flows import environment
from flows.home import Home
from flows.notify import telling
from flows.progress import shown
from flows.request import RunRequest, check
from flows.show import Shown


def run_study(
    request: RunRequest, *, only: str | None, quiet: bool, log_json: bool = False
) -> Shown:
    """Run the nightly flow, or the flow of one theme, and say what came of it."""
    began = datetime.now(UTC)
    with shown(quiet=quiet, as_json=log_json), telling(request):
        check(request)
        Home.at(request.home).make()
        made = _flow(request, only)(request)
    elapsed = (datetime.now(UTC) - began).total_seconds()
    what = f"staged {only}" if only else "published"
    payload = {"study": request.study, "path": str(made), "seconds": round(elapsed, 1)}
    return Shown("", notes=[f"{request.study}: {what} {made} in {elapsed:.0f} s"], payload=payload)


def _flow(request: RunRequest, only: str | None) -> Any:
    """Flow that is asked for; Prefect takes seconds to import."""
    environment.prepare(request.home)
    environment.keep_server()
    environment.end_quietly()
    from flows.fiber import fiber
    from flows.grid import grid
    from flows.land import land
    from flows.nightly import nightly
    from flows.population import population

    themes: dict[str, Any] = {"grid": grid, "population": population, "fiber": fiber, "land": land}
    return themes[only] if only else nightly
