"""What the processes of the kill tests do; they are forked from one that has imported everything."""

import fcntl
import functools
import os
import re
import signal
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

os.environ |= {
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_SERVER_LEVEL": "CRITICAL",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
}
for _name in ("PREFECT_API_URL", "GRIDSTEAD_MIRROR", "GRIDSTEAD_HOME", "GRIDSTEAD_NOTIFY"):
    os.environ.pop(_name, None)

import pytest  # noqa: E402

from data import build as builds  # noqa: E402
from data import store  # noqa: E402
from data.access import http  # noqa: E402
from flows import cli, keys, running  # noqa: E402, F401
from tests.flows.plain import without_prefect  # noqa: E402
from tests.kills.points import Point  # noqa: E402

# Code does not change while the tests run: its hashes are taken once, before the processes fork.
keys.code_key = functools.cache(keys.code_key)  # type: ignore[assignment]
for _patterns in [value for name, value in vars(keys).items() if name.endswith("_CODE")]:
    keys.code_key(_patterns)

# A small body comes in many pieces.
PIECE_BYTES = 1024


def run(words: list[str], said: Path, point: Point | None = None) -> None:
    """Run the command line without Prefect's engine, up to a point if one is given."""
    handle = os.open(said, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    with pytest.MonkeyPatch.context() as patch:
        without_prefect(patch)
        patch.setattr(http, "_CHUNK", PIECE_BYTES)
        if point is not None:
            patch.setattr(point.where, _dying(point, _held(point.where)))
        code = cli.main(words)
    sys.stdout.flush()
    os._exit(code)


def look(build: Path, answer: Connection) -> None:
    """Send the state of a build: its run and its checks, run again on the bytes that are there.

    The bytes are copied, so that checks may write what they found.
    """
    copy = build.with_name(f"looked-at-{os.getpid()}.duckdb")
    copy.write_bytes(build.read_bytes())
    try:
        with store.create(copy) as con:
            failed = [
                check.name
                for check in builds.run_checks(con)
                if check.offending_count and check.severity == "error"
            ]
        with store.open_build(build) as con:
            answer.send((failed, contents(con)))
    finally:
        copy.unlink()


def read_on(build: Path, line: Connection) -> None:
    """Open a build once and send what is in it whenever asked."""
    with store.open_build(build) as con:
        while line.recv():
            line.send(contents(con))


def is_free(home: Path) -> bool:
    """Whether nobody holds the lock of a home."""
    with (home / ".lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def contents(con: Any) -> dict[str, tuple[int, int]]:
    """Rows, and the sum of their hashes, of every table and view that is published of ranks.

    What names the run, or when it was, is no part of them.
    """
    found = {}
    names = con.execute(
        "select table_name from information_schema.tables where table_schema = 'mart' order by 1"
    ).fetchall()
    for (name,) in names:
        columns = con.execute(f"describe mart.{name}").fetchall()
        kept = ", ".join(
            f'"{column}"' for column, *_ in columns if column not in {"run_id", "started_at"}
        )
        asked = f"select count(*), sum(hash(row({kept}))::hugeint) from mart.{name}"
        found[name] = con.execute(asked).fetchone()
    return found


def _held(where: str) -> Any:
    """Return what a dotted name stands for."""
    module, _, rest = where.partition(".")
    held = __import__(module)
    for word in rest.split("."):
        if not hasattr(held, word):
            module = f"{module}.{word}"
            __import__(module)
        else:
            module = f"{module}.{word}"
        held = getattr(held, word)
    return held


def _dying(point: Point, original: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a function so that the process dies at one of its calls."""
    seen = 0

    @functools.wraps(original)
    def call(*args: Any, **more: Any) -> Any:
        nonlocal seen
        is_counted = re.search(point.told, f"{args} {more}" if point.told else "") is not None
        seen += is_counted
        is_last = is_counted and seen == point.nth
        if is_last and not point.after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*args, **more)
        if is_last:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return call
