"""Audit of the requirements: known vulnerabilities where a service tells them, else that all are what was pinned.

`make audit`: exit code 0 when nothing is wrong, 1 when something is, 2 when nothing could be found out.
"""

import importlib.util
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements.lock"
# What pip-audit says of a service that it cannot ask; anything else it says is a finding.
NO_ANSWER = ("ConnectionError", "ServiceError", "Max retries", "Timeout", "HTTPError", "resolve")
TIMEOUT_S = 300
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}\b")
# Options that would let pip look for packages where the user has not said so.
_ADDRESS = re.compile(r"://|^-(?:i|f)\b|^--(?:index-url|extra-index-url|find-links|trusted-host)\b")


@dataclass
class Pin:
    """A requirement of the lock: what is wrong with how it is pinned, and what it asks for."""

    name: str
    wanted: str
    marker: Marker | None
    faults: list[str] = field(default_factory=list)


def main() -> int:
    """Audit, and say what came of it."""
    text = LOCK.read_text(encoding="utf-8")
    asked = known_vulnerabilities()
    if asked is not None:
        code, said = asked
        sys.stdout.write(f"{said}\n")
    else:
        code = 0
        sys.stdout.write(
            "pip-audit is not installed or its service does not answer: known vulnerabilities were not looked up.\n"
        )
    faults = faults_of(text, installed)
    for fault in faults:
        sys.stdout.write(f"{fault}\n")
    pins = pins_of(text)
    sys.stdout.write(
        f"{len(pins)} requirements: {len(faults)} faults of pins, hashes and the installed environment.\n"
    )
    return 1 if faults else code


def known_vulnerabilities() -> tuple[int, str] | None:
    """Exit code and words of pip-audit; None when it is not there or nobody answers it."""
    if importlib.util.find_spec("pip_audit") is None:
        return None
    command = [
        sys.executable,
        "-m",
        "pip_audit",
        "-r",
        str(LOCK),
        "--require-hashes",
        "--disable-pip",
    ]
    try:
        ended = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    if ended.returncode and any(word in ended.stderr for word in NO_ANSWER):
        return None
    return ended.returncode, (ended.stdout + ended.stderr).strip()


def pins_of(text: str) -> list[Pin]:
    """Requirements of a lock, one a logical line."""
    pins = []
    for line in text.replace("\\\n", " ").splitlines():
        stated = line.partition(" #")[0].strip()
        if not stated or stated.startswith(("#", "-")):
            continue
        requirement = Requirement(stated.partition("--hash")[0].strip())
        exact = [each for each in requirement.specifier if each.operator == "=="]
        is_exact = len(exact) == len(requirement.specifier) == 1 and "*" not in exact[0].version
        wanted = exact[0].version if is_exact else ""
        pin = Pin(canonicalize_name(requirement.name), wanted, requirement.marker)
        if not is_exact or requirement.url:
            pin.faults.append(f"{pin.name} is not pinned to one version.")
        if not _HASH.search(stated):
            pin.faults.append(f"{pin.name} states no hash.")
        pins.append(pin)
    return pins


def faults_of(text: str, version_of: Callable[[str], str | None]) -> list[str]:
    """Sentences on what is wrong with a lock, or with what is installed by it."""
    faults = [
        f"Line {number} names where packages come from, which is the user's to say."
        for number, line in enumerate(text.splitlines(), start=1)
        if _ADDRESS.search(line.strip())
    ]
    pins = pins_of(text)
    if not pins:
        faults.append("The lock holds no requirement.")
    for pin in pins:
        faults += pin.faults
        if not pin.wanted or (pin.marker and not pin.marker.evaluate()):
            continue
        found = version_of(pin.name)
        if found is None:
            faults.append(f"{pin.name} {pin.wanted} is not installed.")
        elif found != pin.wanted:
            faults.append(f"{pin.name} is installed as {found}, and pinned to {pin.wanted}.")
    return faults


def installed(name: str) -> str | None:
    """Version of an installed package."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    sys.exit(main())
