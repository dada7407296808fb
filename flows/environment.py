"""Environment of Prefect, set before it is imported: local, quiet, no calls home."""

import os
import subprocess
from functools import partial
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


def keep_server_from_ctrl_c() -> None:
    """Let Prefect start its own server in a session of its own.

    Ctrl-C goes to every process of the terminal's group, and a run whose server is gone waits
    more than a minute for it before it ends.
    """
    from prefect.server.api import server

    popen = partial(subprocess.Popen, start_new_session=True)
    apart: Any = SimpleNamespace(**vars(subprocess) | {"Popen": popen})
    server.subprocess = apart
