"""Threads over blocks of rows, for kernels that release the GIL."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

# Rows handed to a thread at once.
BLOCK = 4_096
# Says how many threads a process may use, where several share a machine; numba reads it as well.
THREADS_VARIABLE = "NUMBA_NUM_THREADS"


def thread_count(workers: int = -1) -> int:
    """Threads to run: so many, or with -1 as many as the environment allows, else one a core."""
    if workers >= 0:
        return max(workers, 1)
    told = os.environ.get(THREADS_VARIABLE, "")
    return max(int(told), 1) if told.isdigit() else os.cpu_count() or 1


def in_threads(
    run: Callable[[slice], object], count: int, workers: int = -1, *, block: int = BLOCK
) -> None:
    """Run over blocks of `count` rows; -1 workers takes as many threads as `thread_count` says.

    Each row's result must depend on the row alone, so that blocks and threads change nothing.

    Threads of our own rather than numba's: its fallback layer aborts the process when two flows
    call it at once.
    """
    parts = [slice(start, min(start + block, count)) for start in range(0, count, block)]
    workers = thread_count(workers)
    if min(workers, len(parts)) <= 1:
        for part in parts:
            run(part)
        return
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(run, parts))
