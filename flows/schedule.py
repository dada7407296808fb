"""Texts that make a run start every night: a crontab line, a systemd service and timer, Prefect's commands.

Nothing is installed: the text is printed for whoever runs the machine.
"""

import json
import os
import re
import shlex
import shutil
import sys
from pathlib import Path

from data.errors import UsageError
from flows.home import Home
from flows.notify import NOTIFY_VARIABLE
from flows.show import Shown

KINDS = ("cron", "systemd", "prefect")
# A first run of the default study takes minutes, one of many parcels hours.
TIMEOUT_H = 6
_AT = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def schedule(kind: str, *, at: str, study: str, home: Home) -> Shown:
    """Print what starts a study every night at a time of the machine's clock.

    Parameters
    ----------
    kind
        cron, systemd or prefect.
    at
        Hour and minute: 02:15.
    study
        Name of a study, or path of a study file.
    home
        Home of the run.

    Raises
    ------
    UsageError
        The time is none, or a path cannot be written into such a text.
    """
    found = _AT.fullmatch(at)
    if found is None:
        msg = f"--at {at!r} is no time of day."
        raise UsageError(msg, "Write hour and minute: 02:15.")
    hour, minute = int(found[1]), int(found[2])
    words = _command(study, home)
    if any(set(word) & set("\n\r\0") for word in words):
        msg = "A path with a line break cannot be scheduled."
        raise UsageError(msg, "Name another --home or study.")
    texts = {
        "cron": lambda: _cron(hour, minute, words),
        "systemd": lambda: _systemd(hour, minute, words),
        "prefect": lambda: _prefect(hour, minute, study, home),
    }
    text = texts[kind]()
    return Shown("", notes=text.splitlines(), payload={"kind": kind, "text": text}, is_text=True)


def _command(study: str, home: Home) -> list[str]:
    beside = Path(sys.executable).with_name("gridstead")
    program = str(beside) if beside.is_file() else shutil.which("gridstead")
    start = [program] if program else [sys.executable, "-m", "flows"]
    # A study file is found wherever the run is started.
    named = str(Path(study).resolve()) if Path(study).is_file() else study
    return [*start, "run", named, "--home", str(home.root), "--quiet"]


def _cron(hour: int, minute: int, words: list[str]) -> str:
    # In a crontab a percent sign ends the command.
    command = shlex.join(words).replace("%", r"\%")
    return f"""\
# Add with `crontab -e`. cron mails what is printed: nothing but errors, with --quiet.
# To be told otherwise, set {NOTIFY_VARIABLE} above the line (see README).
{minute} {hour} * * * cd {_escaped(Path.cwd())} && nice -n 10 {command}
"""


def _systemd(hour: int, minute: int, words: list[str]) -> str:
    command = " ".join(_unit_word(word) for word in words)
    folder = _unit_text(Path.cwd())
    return f"""\
# ~/.config/systemd/user/gridstead.service
[Unit]
Description=Gridstead: rank land for AI compute
Wants=network-online.target
After=network-online.target
# To start a unit of yours when a run fails: OnFailure=tell-me@%n.service

[Service]
Type=oneshot
WorkingDirectory={folder}
ExecStart={command}
# Holds {NOTIFY_VARIABLE}=... and GRIDSTEAD_MIRROR=..., readable by you alone; it may be missing.
EnvironmentFile=-%h/.config/gridstead.env
Nice=10
IOSchedulingClass=idle
TimeoutStartSec={TIMEOUT_H}h
# Stopped as by Ctrl-C: it removes what is half written, and the last build stays.
KillSignal=SIGTERM
TimeoutStopSec=2min
NoNewPrivileges=yes
UMask=0027

# ~/.config/systemd/user/gridstead.timer
[Unit]
Description=Gridstead every night

[Timer]
OnCalendar=*-*-* {hour:02d}:{minute:02d}:00
# A night that the machine slept through is made up for.
Persistent=true
RandomizedDelaySec=2min

[Install]
WantedBy=timers.target

# Then: systemctl --user daemon-reload && systemctl --user enable --now gridstead.timer
# To run while nobody is logged in: loginctl enable-linger. What it said: journalctl --user -u gridstead
"""


def _prefect(hour: int, minute: int, study: str, home: Home) -> str:
    named = str(Path(study).resolve()) if Path(study).is_file() else study
    request = {"study": named, "home": str(home.root)}
    parameters = shlex.quote(json.dumps({"request": request}, ensure_ascii=False))
    root = Path(__file__).parents[1]
    zone = _zone()
    return f"""\
# In {root}; the server and the worker keep running (each in a terminal or a service of its own).
prefect server start
prefect work-pool create gridstead --type process && prefect --no-prompt deploy flows/nightly.py:nightly --name nightly --pool gridstead \
--cron '{minute} {hour} * * *' --timezone {zone} --concurrency-limit 1 --collision-strategy CANCEL_NEW --params {parameters}
prefect worker start --pool gridstead
# Where the server is another one: export PREFECT_API_URL=http://127.0.0.1:4200/api for the last two.
"""


def _zone() -> str:
    """Name of the machine's time zone, UTC where it has none."""
    named = os.environ.get("TZ", "").removeprefix(":")
    if not named:
        try:
            named = str(Path("/etc/localtime").resolve()).partition("zoneinfo/")[2]
        except OSError:
            named = ""
    return named or "UTC"


def _escaped(path: Path) -> str:
    return shlex.quote(str(path)).replace("%", r"\%")


def _unit_word(word: str) -> str:
    """One word of ExecStart: quoted, with nothing for systemd to expand."""
    text = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{text}"'


def _unit_text(path: Path) -> str:
    return str(path).replace("%", "%%")
