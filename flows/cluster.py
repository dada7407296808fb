"""Pieces of a study done by workers: in this process, by processes of this machine, or of a Dask cluster.

What is done of a piece lies in a folder of a place, with a summary beside it that is written last. A piece
whose summary and files are whole is never done again, so that whatever dies, the rest goes on from there.
"""

import functools
import hashlib
import json
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib import metadata
from platform import python_version_tuple
from time import monotonic
from typing import Any, Protocol, TypeVar

from data.errors import ClusterError, UsageError
from data.place import Place, Stored
from flows import keys
from flows.results import Log

# Loop over the pieces in this process.
HERE = "here"
# Beside the parts of a folder: what all pieces were, so that nobody has to ask one by one.
ALL_FILE = "all.json"
SAY_EVERY_S = 5.0

_HELD: dict[str, Any] = {}
_STACK = ExitStack()
_LOCAL = re.compile(r"local(?::([1-9][0-9]{0,3}))?")
_SCHEDULER = re.compile(r"(?:tcp|tls|ucx|ws|wss)://[^\s/?#@]+:[0-9]+")

# What figures come from, beside the project's own code.
PACKAGES = (
    *("duckdb", "h3", "numba", "numpy", "pandas", "pyarrow"),
    *("pyproj", "rasterio", "scipy", "shapely"),
)

Summary = dict[str, Any]
T = TypeVar("T")


class Order(Protocol):
    """What workers are told of the work beside the name of the piece: small, and made of plain values."""

    @property
    def place(self) -> Place:
        """Place of the parts."""
        ...

    @property
    def folder(self) -> str:
        """Folder of the place that the work writes to."""
        ...


# A function of a module: it does one piece, writes its files to the order's folder, and returns a summary
# of plain values, with `files` from `files_of`.
Work = Callable[[Any, str], Summary]


def files_of(**stored: Stored) -> dict[str, list[Any]]:
    """Tell of the files that belong to a piece, by what their names end in after the piece's: `parquet=...`."""
    return {suffix: [each.bytes, each.sha256] for suffix, each in stored.items()}


class Cluster(ABC):
    """Workers that do pieces.

    Attributes
    ----------
    is_near
        Whether they read the files of this machine by the same paths.
    """

    is_near = True

    def __init__(self, log: Log) -> None:
        self._log = log

    def run(
        self,
        work: Work,
        order: Order,
        names: Sequence[str],
        what: str,
        seen: Callable[[Summary], None] | None = None,
    ) -> dict[str, Summary]:
        """Have every piece done; those that are done already are not done again.

        Parameters
        ----------
        work
            What is done with the order and the name of a piece.
        order
            What it is told.
        names
            Names of the pieces.
        what
            What is said of it.
        seen
            Takes the summary of each piece as it is done; it then says what there is to say.

        Returns
        -------
        dict
            Name -> summary, in the order of `names`.

        Raises
        ------
        GridsteadError
            The work or the cluster failed; what is done stays for the next run.
        """
        if (there := _all_of(order, names)) is not None:
            self._log(f"{what}: unchanged, reused")
            return there
        done: dict[str, Summary] = {}
        said = monotonic()
        for name, summary in self._each(work, order, names):
            done[name] = summary
            if seen is not None:
                seen(summary)
            elif monotonic() - said >= SAY_EVERY_S or len(done) == len(names):
                said = monotonic()
                self._log(f"{what}: {len(done):,} of {len(names):,} pieces")
        order.place.sweep(order.folder)
        done = {name: done[name] for name in names}
        order.place.write_bytes(f"{order.folder}/{ALL_FILE}", json.dumps(done).encode())
        return done

    @abstractmethod
    def close(self) -> None:
        """Let the workers go."""

    @abstractmethod
    def _each(
        self, work: Work, order: Order, names: Sequence[str]
    ) -> Iterator[tuple[str, Summary]]:
        """Yield name and summary of each piece as it is done."""


class Here(Cluster):
    """No workers: one piece after the other in this process."""

    def close(self) -> None:
        """There is nobody to let go."""

    def _each(
        self, work: Work, order: Order, names: Sequence[str]
    ) -> Iterator[tuple[str, Summary]]:
        try:
            for name in names:
                yield name, do(work, order, name)
        finally:
            let_go()


@contextmanager
def cluster(spec: str, log: Log) -> Generator[Cluster]:
    """Workers for the block.

    Parameters
    ----------
    spec
        `local` or `local:4` for processes of this machine, `tcp://host:8786` for a Dask scheduler, `here`
        for no workers at all.
    log
        Takes lines.

    Raises
    ------
    UsageError
        The spec is none of these, or Dask is not installed.
    """
    made = _of(spec, log)
    try:
        yield made
    finally:
        made.close()


def _of(spec: str, log: Log) -> Cluster:
    from flows.cluster_dask import AtScheduler, OfThisMachine

    if spec == HERE:
        return Here(log)
    if local := _LOCAL.fullmatch(spec):
        return OfThisMachine(log, int(local[1] or os.cpu_count() or 1))
    if _SCHEDULER.fullmatch(spec):
        return AtScheduler(log, spec)
    msg = f"--cluster {spec} is no cluster."
    raise UsageError(msg, "Write local, local:4 or tcp://host:8786.")


def do(work: Work, order: Order, name: str) -> Summary:
    """Do a piece, or read what was told of it when it is done and whole."""
    if (there := _kept(order, name)) is not None:
        return there
    if order.folder not in _HELD:
        let_go()
    summary = work(order, name)
    order.place.write_bytes(f"{order.folder}/{name}.json", json.dumps(summary).encode())
    return summary


def hold(order: Order, make: Callable[[ExitStack], T]) -> T:
    """Give what a process keeps from piece to piece of an order: made once, let go before another order's.

    Parameters
    ----------
    order
        The order.
    make
        Makes it; what it enters in the stack is left when it is let go.
    """
    if order.folder not in _HELD:
        let_go()
        _HELD[order.folder] = make(_STACK)
    return _HELD[order.folder]


def let_go() -> None:
    """Let go what this process keeps."""
    _HELD.clear()
    _STACK.close()


def _kept(order: Order, name: str) -> Summary | None:
    """Summary of a piece whose files are there with the bytes that it tells."""
    place, path = order.place, f"{order.folder}/{name}"
    if not place.has(f"{path}.json"):
        return None
    try:
        summary = json.loads(place.read_bytes(f"{path}.json"))
        for suffix, (_, sha256) in summary["files"].items():
            file = f"{path}.{suffix}"
            if not place.has(file) or hashlib.sha256(place.read_bytes(file)).hexdigest() != sha256:
                return None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return summary


def _all_of(order: Order, names: Sequence[str]) -> dict[str, Summary] | None:
    """Summaries of a folder that was finished, and whose files still have their sizes."""
    sizes = order.place.sizes(order.folder)
    if ALL_FILE not in sizes:
        return None
    try:
        told = json.loads(order.place.read_bytes(f"{order.folder}/{ALL_FILE}"))
        for name in names:
            for suffix, (size, _) in told[name]["files"].items():
                if sizes.get(f"{name}.{suffix}") != size:
                    return None
        return {name: told[name] for name in names}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


@functools.cache
def code_here() -> dict[str, str]:
    """Tell the code that this process computes with: Gridstead's own, and the packages that decide figures."""
    own = {
        "Gridstead": keys.code_key(keys.ALL_CODE),
        "Python": ".".join(python_version_tuple()[:2]),
    }
    return own | {name: metadata.version(name) for name in PACKAGES}


def check_code(wanted: dict[str, str], where: str) -> None:
    """Stop where this process would compute with other code than the run.

    Raises
    ------
    ClusterError
        Something differs; the first is named.
    """
    here = code_here()
    for name, version in wanted.items():
        if here.get(name) != version:
            msg = f"Worker {where} has {name} {here.get(name)}, this run {version}."
            raise ClusterError(msg, "Install the same Gridstead and packages on all machines.")
