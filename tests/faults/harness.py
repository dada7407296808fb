"""A home with a published build, whose sources come through every access kind, and runs of it in copies.

Nothing waits: retries do not sleep, and a server that hangs is given half a second.
"""

import contextlib
import functools
import io
import json
import os
import shutil
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from data.access import Retry
from data.object_cache import sha256_of
from flows import cli, keys
from tests.flows.conftest import leftovers, rows
from tests.flows.plain import without_prefect
from tests.upstream import Upstream, faults, running
from tests.upstream.kinds import Served
from tests.upstream.small import publish

IMPATIENCE_S = 0.5
# A run with a fault ends so, in the words of the matrix.
RECOVERS, STALE, PINNED = "recovers", "last good copy, called stale", "not asked, bytes are pinned"


@dataclass(frozen=True)
class World:
    """The served study and the home that was published from it."""

    upstream: Upstream
    study: Path
    home: Path
    served: dict[str, Served]


@dataclass(frozen=True)
class Ending:
    """How a run with a fault ended: in one of the words above, or with a sentence and a hint."""

    word: str
    hint: str = ""


@contextmanager
def published(folder: Path) -> Generator[World]:
    """Publish the small study once from a healthy upstream; it serves while the block runs."""
    with running() as upstream, ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        without_prefect(patch)
        # Code does not change meanwhile, so its hashes are taken once.
        patch.setattr(keys, "code_key", functools.cache(keys.code_key))
        hurried = partial(Retry, sleep=lambda _seconds: None, connect_s=5.0, read_s=IMPATIENCE_S)
        patch.setattr("data.pull.Retry", hurried)
        for name, value in {
            "PIP_INDEX_URL": upstream.url("/simple"),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_RETRIES": "1",
            "PIP_TIMEOUT": str(IMPATIENCE_S),
        }.items():
            patch.setenv(name, value)
        study, served = publish(upstream, folder / "study")
        world = World(upstream, study, folder / "home", served)
        code, said = _run(world, study, world.home)
        assert code == 0, said
        yield world


def try_cell(world: World, kind: str, fault: str, folder: Path, *, has_copy: bool) -> Ending:
    """Run the study once in a copy of the home while one source fails, and judge how it ended.

    Parameters
    ----------
    fault
        Name of a fault; ` once` at its end lets it pass after the first time.
    has_copy
        Whether the cache holds a last good copy of the source.

    Raises
    ------
    AssertionError
        The exit code and the words do not fit each other, a traceback was shown, something half-written
        stayed, or the published build changed though the run failed.
    """
    served = world.served[kind]
    home = _copy_home(world.home, folder)
    if not has_copy:
        _forget(home, served.source_id)
    before, made = _identity(home), sorted((home / "work").iterdir())
    with ExitStack() as stack:
        study = _break(world, served, fault, folder, stack)
        if study != world.study and has_copy:
            _move_copy(home, served.source_id, world.upstream.root, study)
        code, said = _run(world, study, home)
    for one in world.served.values():
        one.renew()
    assert "Traceback" not in said, said
    assert leftovers(home) == [], leftovers(home)
    if code == 0:
        ending = Ending(_source_word(home, served.source_id))
        # The same bytes, wherever from, are no reason to compute anything anew.
        assert sorted((home / "work").iterdir()) == made, said
    else:
        assert code == 1, said
        assert _identity(home) == before, "the published build changed"
        ending = _failure(said)
    shutil.rmtree(folder)
    return ending


def _break(world: World, served: Served, fault: str, folder: Path, stack: ExitStack) -> Path:
    """Let the source fail; the study to run is returned, another one where the address changes."""
    name, _, word = fault.partition(" ")
    is_always = word != "once"
    served.renew()
    if name == "tls_refusal":
        root = stack.enter_context(faults.tls_refusal())
        return _with_root(world, served, root, folder, stack)
    if name in faults.TRANSPORT:
        served.fail(faults.TRANSPORT[name], always=is_always)
    else:
        served.spoil(name, always=is_always)
    return world.study


def _with_root(world: World, served: Served, root: str, folder: Path, stack: ExitStack) -> Path:
    """Copy the study with one source at another address."""
    study = folder / "study" / world.study.name
    shutil.copytree(world.study.parent, study.parent)
    if served.kind == "package":
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("PIP_INDEX_URL", f"{root}/simple")
        return study
    own = study.parent / "own.yaml"
    blocks = own.read_text().split("- id: ")
    moved = [
        block.replace(world.upstream.root, root) if block.startswith(served.source_id) else block
        for block in blocks
    ]
    own.write_text("- id: ".join(moved))
    return study


def _move_copy(home: Path, source_id: str, old: str, study: Path) -> None:
    """Let the last good copy be one of the new address: here an address changes, elsewhere a server does."""
    index = home / "cache" / "index" / f"{source_id}.json"
    own = (study.parent / "own.yaml").read_text()
    root = next((word for word in own.split() if word.startswith("https://127.0.0.1")), old)
    root = "/".join(root.split("/")[:3])
    if index.exists():
        index.write_text(index.read_text().replace(old, root))


def _copy_home(home: Path, folder: Path) -> Path:
    copy = folder / "home"
    shutil.copytree(home, copy, ignore=shutil.ignore_patterns("*.duckdb"))
    for path in (home / "work").glob("*.duckdb"):
        (copy / "work" / path.name).hardlink_to(path)
    for path in (home / "builds").glob("*.duckdb"):
        shutil.copy2(path, copy / "builds" / path.name)
        (copy / "gridstead.duckdb").hardlink_to(copy / "builds" / path.name)
    return copy


def _forget(home: Path, source_id: str) -> None:
    """Take a source out of the cache."""
    index = home / "cache" / "index" / f"{source_id}.json"
    digest = json.loads(index.read_text())["sha256"]
    index.unlink()
    shutil.rmtree(home / "cache" / "objects" / digest[:2] / digest)


def _run(world: World, study: Path, home: Path) -> tuple[int, str]:
    words = ["run", str(study), "--home", str(home), "--no-export", "--quiet"]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.main(words)
    return code, out.getvalue() + err.getvalue()


def _identity(home: Path) -> tuple[int, str]:
    build = home / "gridstead.duckdb"
    return build.stat().st_ino, sha256_of(build)


def _source_word(home: Path, source_id: str) -> str:
    """Say where the published run took the source from."""
    build = home / "gridstead.duckdb"
    query = f"select origin, is_stale from meta.source where source_id = '{source_id}'"
    [(origin, is_stale)] = rows(build, query)
    if is_stale:
        return STALE
    return {"network": RECOVERS, "cache": PINNED}[origin]


def _failure(said: str) -> Ending:
    """Take the sentence and the hint out of what was said; anything more is a fault of ours."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    assert len(lines) == 2, said
    message, hint = lines
    assert message.startswith("Error: "), said
    assert message.endswith("."), said
    assert "bug in Gridstead" not in message, said
    return Ending(message.removeprefix("Error: "), hint)


__all__ = ["PINNED", "RECOVERS", "STALE", "Ending", "World", "published", "try_cell"]
