"""`make upstream`: serve a study's sources on this machine until Ctrl-C, well or with a fault.

Without a mirror the study of four counties, one source of each access kind; with `--conus MIRROR` the live
sources of the public record, answered from the files of a mirror folder.
"""

import argparse
import os
import shlex
import signal
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from tests.upstream import Upstream, conus, faults, running, small
from tests.upstream.kinds import Served

KINDS = ("http", "arcgis", "overpass", "object", "package")
# Longer than a download waits for the next bytes.
STALL_S = 600.0


def main() -> int:
    """Serve."""
    given = _arguments()
    # To be ended from outside is as good as Ctrl-C: the folder goes in either case.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    faults.STALL_S = STALL_S
    with tempfile.TemporaryDirectory(prefix="gridstead-upstream-") as temporary:
        folder = (given.folder or Path(temporary)).resolve()
        with running(given.port) as upstream, suppress(KeyboardInterrupt):
            _tell(_publish(upstream, given, folder / "study"), folder / "home", upstream, given)
            threading.Event().wait()
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.upstream", description=__doc__)
    parser.add_argument("--conus", type=Path, metavar="MIRROR", help="serve this mirror folder")
    parser.add_argument("--folder", type=Path, help="where the study is written (default: for now)")
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--fault", choices=[*faults.TRANSPORT, *_spoils()])
    parser.add_argument("--kind", choices=KINDS, help="whose source fails (default: all that can)")
    parser.add_argument("--once", action="store_true", help="fail once, not always")
    given = parser.parse_args()
    if given.folder and (given.folder / "study").exists():
        parser.error(f"{given.folder / 'study'} exists already")
    if given.conus and not given.conus.is_dir():
        parser.error(f"{given.conus} is no folder")
    if given.conus and (given.kind or given.fault in _spoils()):
        parser.error("with --conus every route fails in the same way: name no kind, and no data")
    return given


def _publish(upstream: Upstream, given: argparse.Namespace, folder: Path) -> Path:
    """Write the study, and let what is asked for fail."""
    if given.conus:
        folder.mkdir(parents=True)
        study = conus.publish(upstream, given.conus.resolve(), folder)
        if given.fault:
            wrap = faults.once if given.once else faults.always
            for path, route in upstream.routes.items():
                upstream.routes[path] = wrap(route, faults.TRANSPORT[given.fault])
        return study
    study, served = small.publish(upstream, folder)
    for kind in (given.kind,) if given.kind else KINDS:
        _break(served[kind], given.fault, always=not given.once)
    return study


def _break(served: Served, fault: str | None, *, always: bool) -> None:
    if fault in faults.TRANSPORT:
        served.fail(faults.TRANSPORT[fault], always=always)
    elif fault in served.spoils:
        served.spoil(fault, always=always)


def _tell(study: Path, home: Path, upstream: Upstream, given: argparse.Namespace) -> None:
    variables = {"PIP_INDEX_URL": upstream.url("/simple")}
    if given.conus:
        variables = {"GRIDSTEAD_MIRROR": str(given.conus.resolve())}
    words = [f"{name}={shlex.quote(value)}" for name, value in variables.items()]
    command = [sys.executable, "-m", "flows", "run", str(study), "--home", str(home)]
    sys.stdout.write(
        f"Serving on {upstream.root} (process {os.getpid()}); Ctrl-C ends it.\n"
        f"{' '.join(words)} {shlex.join(command)}\n"
    )
    sys.stdout.flush()


def _spoils() -> list[str]:
    kinds: list[type[Served]] = Served.__subclasses__()
    return sorted({name for kind in kinds for name in kind.spoils})


if __name__ == "__main__":
    raise SystemExit(main())
