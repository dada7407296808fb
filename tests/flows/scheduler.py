"""A Dask scheduler and its workers in processes of their own, to be killed and started again."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psutil

ROOT = Path(__file__).parents[2]
STARTING_S = 30


@dataclass
class Scheduler:
    """A scheduler on loopback; its workers are started again whenever they end, as a supervisor does."""

    folder: Path
    port: int
    _process: subprocess.Popen[bytes] | None = None
    _threads: list[threading.Thread] = field(default_factory=list)
    _is_over: threading.Event = field(default_factory=threading.Event)

    @classmethod
    @contextmanager
    def running(cls, folder: Path) -> Iterator[Self]:
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            made = cls(folder, probe.getsockname()[1])
        try:
            made.start()
            yield made
        finally:
            made._is_over.set()
            for thread in made._threads:
                thread.join()
            made.kill()

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def start(self) -> None:
        words = ["-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port"]
        quiet = ["--dashboard-address", "127.0.0.1:0", "--no-dashboard"]
        self._process = _python([*words, str(self.port), *quiet])
        ends = time.monotonic() + STARTING_S
        while time.monotonic() < ends:
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise TimeoutError

    def kill(self) -> None:
        if self._process is not None:
            _end(self._process)

    def keep_workers(self, count: int) -> None:
        for _ in range(count):
            self._threads.append(threading.Thread(target=self._keep_worker))
            self._threads[-1].start()

    def _keep_worker(self) -> None:
        words = ["-m", "distributed.cli.dask_worker", self.address, "--nthreads", "1"]
        words += ["--no-dashboard", "--local-directory", str(self.folder)]
        while not self._is_over.is_set():
            process = _python(words)
            while process.poll() is None and not self._is_over.wait(0.2):
                pass
            _end(process)


def _python(words: list[str]) -> subprocess.Popen[bytes]:
    """Start Python with this tree on its path, and without a word."""
    return subprocess.Popen(
        [sys.executable, *words],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process with those that it started."""
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
    process.kill()
    process.wait()
