"""Environment of Prefect, set before it is imported: local, quiet, no calls home."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any


def prepare(home: Path) -> None:
    """Set what the user has not set: a Prefect home of our own, no telemetry, quiet logs."""
    defaults = {
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_SERVER_LEVEL": "CRITICAL",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
        "PREFECT_CLI_PROMPT": "false",
    }
    if os.environ.get("PREFECT_API_URL"):
        # A server of the user's: its own home and logs stay as they are.
        defaults = {"DO_NOT_TRACK": "1"}
    for name, value in defaults.items():
        os.environ.setdefault(name, value)


def keep_server() -> None:
    """Let Prefect start its own server in a session of its own, and let it end with this process.

    Ctrl-C goes to every process of the terminal's group, and a run whose server is gone waits
    more than a minute for it before it ends. A run that is killed cannot stop its server: the
    server watches it instead (`flows.watched`).
    """
    from prefect.server.api import server

    apart: Any = SimpleNamespace(**vars(subprocess) | {"Popen": _start_watched})
    server.subprocess = apart


def end_quietly() -> None:
    """Let DuckDB's binding find nothing left over when the interpreter ends, so that it says nothing.

    Prefect's threads hold on to functions that know the types of DuckDB; they are let go of only when
    the modules themselves are still there to be cleared, which they are for whoever `sys` knows.
    """
    sys.__dict__["gridstead_modules"] = [
        module for name, module in sys.modules.items() if name.startswith(("duckdb", "_duckdb"))
    ]


def _start_watched(args: Sequence[str], env: Mapping[str, str]) -> "subprocess.Popen[Any]":
    """Start `python -m MODULE ...` so that it ends with this process."""
    python, dash_m, *words = args
    watched = [python, dash_m, "flows.watched", str(os.getpid()), *words]
    # The module is found from wherever the run was started.
    root = str(Path(__file__).parents[1])
    places = [root, *filter(None, [env.get("PYTHONPATH")])]
    env = {**env, "PYTHONPATH": os.pathsep.join(places)}
    return subprocess.Popen(watched, env=env, start_new_session=True)  # noqa: S603
