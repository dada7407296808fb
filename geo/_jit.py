"""How kernels are compiled: numba with a cache and without the GIL, or a plain word when it cannot."""

import functools
import importlib
import warnings
from collections.abc import Callable
from typing import Any

FALLBACK = (
    "numba cannot compile here ({error}), so the measuring kernels run as plain Python, several hundred "
    "times slower with the same results; reinstall numba and llvmlite for this Python."
)


class SlowKernelWarning(RuntimeWarning):
    """The kernels run uncompiled."""


def jit(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel at its first call, cached on disk (NUMBA_CACHE_DIR, else __pycache__).

    Where numba cannot be imported or has no compiler the function stays what it is, and one
    SlowKernelWarning says so.
    """
    njit = _njit()
    if njit is None:
        return function
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:  # no directory for the cache can be written: compile in each process
        return njit(nogil=True)(function)


@functools.cache
def _njit() -> Callable[..., Any] | None:
    try:
        numba = importlib.import_module("numba")
        # Import alone proves nothing: a broken llvmlite shows at the first compilation.
        numba.njit(_probe)(1)
    except Exception as error:  # noqa: BLE001 - llvmlite fails in ways of its own
        warnings.warn(FALLBACK.format(error=error), SlowKernelWarning, stacklevel=3)
        return None
    return numba.njit


def _probe(number: int) -> int:
    return number + 1
