"""A wheel, through whatever index the user's own pip is configured for."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from data.access._request import Fetched, Request
from data.access._retry import Transient
from data.access._secrets import hide
from data.address import PackageAccess
from data.errors import PullError

TIMEOUT_S = 1800
MAX_ATTEMPTS = 2
POLL_S = 0.25


def fetch_package(access: PackageAccess, request: Request) -> Fetched:
    """Download one wheel with `pip download --no-deps`; nothing of it is installed or run.

    Raises
    ------
    PullError
        pip is missing, finds no such wheel, or fails.
    """
    folder = request.folder / "download"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    request.report(0, request.expected_bytes)
    requirement = f"{access.name}=={access.version}"
    # pip asks again where it cannot connect, not where an answer breaks off or comes damaged.
    retry = replace(request.retry, attempts=min(MAX_ATTEMPTS, request.retry.attempts))
    retry.run(f"pip download {requirement}", lambda: _run_pip(requirement, folder, request))
    wheels = [path for path in folder.iterdir() if is_wheel_of(path, access)]
    if len(wheels) != 1:
        message = f"pip downloaded no wheel of {requirement}."
        raise PullError(message, "The index may hold only a source distribution of it.")
    size = wheels[0].stat().st_size
    if size > request.max_bytes:
        wheels[0].unlink()
        message = f"{wheels[0].name} is larger than the {request.max_bytes:,} bytes allowed."
        raise PullError(message)
    request.report(size, size)
    return Fetched(path=wheels[0], filename=wheels[0].name)


def is_wheel_of(path: Path, access: PackageAccess) -> bool:
    """Tell whether a file is, by its name, the wheel of that package and version."""
    try:
        name, version, _, _ = parse_wheel_filename(path.name)
    except InvalidWheelFilename:
        return False
    return name == canonicalize_name(access.name) and str(version) == access.version


def _run_pip(requirement: str, folder: Path, request: Request) -> None:
    scratch = request.folder / "pip"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
        # A source distribution runs code to say what it is; a wheel does not.
        *("--only-binary", ":all:"),
        # The wheel is read, not run: which Python it is for does not matter.
        "--ignore-requires-python",
        *("--dest", str(folder), requirement),
    ]
    environment = os.environ | {
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "TMPDIR": str(scratch),
    }
    deadline = time.monotonic() + TIMEOUT_S
    with subprocess.Popen(  # noqa: S603
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            problems = _watch(process, scratch, request, deadline)
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        reason, may_pass = _reason(problems)
        if may_pass:
            raise Transient(reason)
        message = f"pip download {requirement} failed: {reason}."
        raise PullError(message, "Check the network and the index that pip is configured for.")


def _watch(
    process: "subprocess.Popen[str]", scratch: Path, request: Request, deadline: float
) -> str:
    """Wait for pip, reporting what it has written so far: its own progress is for people."""
    done = 0
    while True:
        try:
            return process.communicate(timeout=POLL_S)[1]
        except subprocess.TimeoutExpired:
            done = max(done, _size_of(scratch))
            request.report(done, request.expected_bytes)
        if time.monotonic() > deadline:
            message = f"pip download took longer than {TIMEOUT_S // 60} minutes."
            raise PullError(message, "Try again when the network is better.")


def _size_of(folder: Path) -> int:
    sizes = []
    for path in folder.rglob("*"):
        # pip removes its files while they are looked at.
        with contextlib.suppress(OSError):
            sizes.append(path.stat().st_size if path.is_file() else 0)
    return sum(sizes)


def _reason(output: str) -> tuple[str, bool]:
    """Take the telling line out of pip's output, without secrets, and say whether it may pass."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    reason = (telling or lines or ["it gave no reason"])[0]
    may_pass = False
    if reason == "Exception:":
        # A traceback of pip's own: its last line names the error and says what was wrong.
        reason, may_pass = lines[-1].partition(": ")[2] or lines[-1], True
    elif reason.startswith("THESE PACKAGES DO NOT MATCH THE HASHES"):
        reason, may_pass = "the index sent other bytes than the hash that it states", True
    elif reason.startswith("Could not find a version") and any("SSL" in line for line in lines):
        reason = "the index refuses a safe connection (TLS)"
    return hide(reason).rstrip("."), may_pass
