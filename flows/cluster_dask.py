"""Workers of a Dask cluster: processes of this machine, or those that a scheduler elsewhere knows."""

import logging
import os
import queue
from abc import abstractmethod
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from time import monotonic, sleep
from types import ModuleType
from typing import Any

from data.errors import ClusterError, UsageError
from flows.cluster import Cluster, Order, Summary, Work, check_code, code_here, do
from flows.results import Log

# How long a scheduler that went away, and workers that are not there, are waited for.
PATIENCE_S = 300.0
CONNECT_S = 10.0
BEAT_S = 1.0
POLL_S = 0.05
# Pieces that are handed out beyond those that are worked on, so that no worker waits for the next.
AHEAD = 2
# Of the memory of this machine, what workers get together; the run itself needs the rest.
MEMORY_SHARE = 0.8
# Workers hold what cannot be spilled, the prepared layers: a worker that is paused would stay so for good.
CONFIG = {
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": 0.95,
    "distributed.diagnostics.nvml": False,
    "distributed.comm.timeouts.connect": CONNECT_S,
}
# Of the workers of this machine: one thread each, and nothing leaves the machine.
ENVIRONMENT = {
    "NUMBA_NUM_THREADS": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
}
# Each has a level of its own, and a handler that writes to the user's terminal.
LOGGERS = (
    *("distributed", "distributed.client", "distributed.gc"),
    *("bokeh", "tornado", "tornado.application"),
)
GIGABYTE = 1e9


def dask() -> ModuleType:
    """Dask's distributed, which is an extra.

    Raises
    ------
    UsageError
        It is not installed.
    """
    try:
        import distributed
    except ImportError as error:
        msg = "A cluster needs Dask, which is not installed."
        raise UsageError(msg, "Install it: pip install 'gridstead[cluster]'.") from error
    return distributed


class DaskCluster(Cluster):
    """Workers behind a Dask scheduler; connected to, or started, when the first piece is due."""

    def __init__(self, log: Log, *, patience_s: float = PATIENCE_S) -> None:
        super().__init__(log)
        self._patience_s = patience_s
        self._client: Any = None
        self._stack = ExitStack()
        dask()

    def close(self) -> None:
        """Let the workers go; those of this machine end."""
        self._leave()
        self._stack.close()

    @property
    def workers(self) -> dict[str, Any]:
        """Workers by their address, as the scheduler tells of them; connects when it has to."""
        if self._client is None:
            self._client = self._connect()
        return self._client.scheduler_info(n_workers=-1)["workers"]

    @abstractmethod
    def _connect(self) -> Any:
        """Client of the scheduler, with a worker at least."""

    def _each(
        self, work: Work, order: Order, names: Sequence[str]
    ) -> Iterator[tuple[str, Summary]]:
        missing = dict.fromkeys(names)
        while missing:
            try:
                if self._client is None:
                    self._client = self._connect()
                for name, summary in self._pieces(work, order, list(missing)):
                    del missing[name]
                    yield name, summary
            except _LostError:
                self._leave()
                self._log("cluster: the scheduler does not answer, waiting for it")

    def _pieces(
        self, work: Work, order: Order, names: Sequence[str]
    ) -> Iterator[tuple[str, Summary]]:
        """Yield pieces as they are done, handing out the next ones; ends early where the scheduler is lost."""
        client, code = self._client, code_here()
        waiting, flying = deque(names), {}
        # Of several that a dying worker had, any may have ended it: each is tried again by itself.
        accused: list[str] = []
        alone: deque[str] = deque()
        done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        watch = _Watch(client, self._patience_s)
        try:
            while waiting or flying or alone:
                if not waiting and not flying:
                    waiting.append(alone.popleft())
                while waiting and len(flying) < AHEAD * watch.threads:
                    name = waiting.popleft()
                    future = client.submit(_do, work, order, name, code, pure=False)
                    flying[future] = name
                    future.add_done_callback(done.put)
                with suppress(queue.Empty):
                    future = done.get(timeout=BEAT_S)
                    name = flying.pop(future)
                    summary = self._summary(future, name, name in accused)
                    if summary is not None:
                        yield name, summary
                    elif future.status == "error":
                        accused.append(name)
                        alone.append(name)
                    else:
                        waiting.append(name)
                watch.look()
        finally:
            if client.status == "running":
                client.cancel(list(flying))

    def _summary(self, future: Any, name: str, is_accused: bool) -> Summary | None:
        """Summary of a piece, or what went wrong with it; None where workers died with it or its answer."""
        if future.status == "cancelled":
            raise _LostError
        distributed = dask()
        try:
            return future.result(timeout=CONNECT_S)
        except distributed.KilledWorker as error:
            if not is_accused:
                return None
            ended = error.allowed_failures + 1
            msg = f"Piece {name} ended {ended} workers, one after the other."
            hint = "Most likely memory: give each worker more, or take fewer of them."
            raise ClusterError(msg, hint) from error
        except (distributed.CancelledError, distributed.comm.CommClosedError) as error:
            raise _LostError from error
        except TimeoutError:
            if future.status == "error":
                # Of the work itself.
                raise
            return None
        except ModuleNotFoundError as error:
            msg = f"A worker cannot load Gridstead: {error}."
            raise ClusterError(msg, "Install the same Gridstead where the workers run.") from error

    def _leave(self) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        # Closed while it connects again, it would forget a socket; it gives up by itself.
        ends = monotonic() + CONNECT_S + BEAT_S
        while client.status == "connecting" and monotonic() < ends:
            sleep(POLL_S)
        with suppress(Exception):
            client.close(timeout=CONNECT_S)


class OfThisMachine(DaskCluster):
    """Processes of this machine, one thread each, reached by nobody else."""

    def __init__(self, log: Log, count: int) -> None:
        super().__init__(log)
        self._count = count

    def _connect(self) -> Any:
        distributed = dask()
        began = monotonic()
        memory = int(MEMORY_SHARE * distributed.system.MEMORY_LIMIT / self._count)
        self._stack.enter_context(_configured())
        cluster = self._stack.enter_context(
            distributed.LocalCluster(
                n_workers=self._count,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
                scheduler_kwargs={"dashboard": False},
                memory_limit=memory,
                silence_logs=logging.CRITICAL,
                env=ENVIRONMENT,
            )
        )
        client = distributed.Client(cluster, set_as_default=False)
        took = f"started in {monotonic() - began:.1f} s"
        self._log(
            f"cluster: {self._count} workers of this machine, {memory / GIGABYTE:.1f} GB each, {took}"
        )
        return client


class AtScheduler(DaskCluster):
    """Workers that a scheduler knows; when it goes away it is waited for, and what is missing done then."""

    is_near = False

    def __init__(self, log: Log, address: str, *, patience_s: float = PATIENCE_S) -> None:
        super().__init__(log, patience_s=patience_s)
        self._address = address
        self._was_there = False

    def _connect(self) -> Any:
        distributed = dask()
        began = monotonic()
        if not self._was_there:
            self._stack.enter_context(_configured())
        while True:
            try:
                client = distributed.Client(self._address, timeout=CONNECT_S, set_as_default=False)
                break
            except (OSError, TimeoutError, distributed.comm.CommClosedError) as error:
                # A wrong address is told at once.
                if not self._was_there or monotonic() - began > self._patience_s:
                    msg = f"There is no Dask scheduler at {self._address}."
                    hint = "Start one with `dask scheduler`, or check the address."
                    raise ClusterError(msg, hint) from error
                sleep(BEAT_S)
        self._was_there = True
        threads = _threads_of(client)
        self._log(f"cluster: {threads} threads of workers at {self._address}")
        return client


class _Watch:
    """Whether the scheduler and its workers are there."""

    def __init__(self, client: Any, patience_s: float) -> None:
        self._client = client
        self._patience_s = patience_s
        self.threads = _threads_of(client)
        self._asked = self._seen = monotonic()

    def look(self) -> None:
        """Look at the scheduler, and now and then at its workers, who come and go.

        Raises
        ------
        _LostError
            The scheduler does not answer.
        ClusterError
            There has been no worker for too long.
        """
        if self._client.status != "running":
            raise _LostError
        now = monotonic()
        if now - self._asked > BEAT_S:
            self.threads, self._asked = _threads_of(self._client), now
        if self.threads:
            self._seen = now
        elif now - self._seen > self._patience_s:
            address = self._client.scheduler.address
            msg = f"No worker has been at {address} for {self._patience_s:.0f} s."
            raise ClusterError(msg, "Start workers and run again: what is done stays.")


class _LostError(Exception):
    """The scheduler went away with all that it knew."""


def _do(work: Work, order: Order, name: str, code: dict[str, str]) -> Summary:
    """Do a piece in a worker whose code is that of the run."""
    worker = dask().get_worker()
    check_code(code, worker.address)
    # Read by the kernels whenever they run.
    os.environ.setdefault("NUMBA_NUM_THREADS", str(worker.state.nthreads))
    return do(work, order, name)


def _threads_of(client: Any) -> int:
    """Threads of all workers; 0 where there is none."""
    try:
        return sum(client.nthreads().values())
    except (OSError, TimeoutError, KeyError, ValueError) as error:
        raise _LostError from error


@contextmanager
def _configured() -> Generator[None]:
    """Dask as it is wanted, and without its own lines: whatever matters is told by the run."""
    import dask.config

    # For good: a client may have something to say after it was closed.
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with dask.config.set(CONFIG):
        yield
