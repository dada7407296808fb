"""How kernels are compiled: numba with a cache and without the GIL, or a plain word when it cannot."""

# geo handles no paths but this one, which numba takes as a string.
# ruff: noqa: PTH111, PTH118

import functools
import hashlib
import importlib
import os
import pkgutil
import warnings
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import geo
from geo import decide, fiber, power

FALLBACK = (
    "numba cannot compile here ({error}), so the measuring kernels run as plain Python, several hundred "
    "times slower with the same results; reinstall numba and llvmlite for this Python."
)


class SlowKernelWarning(RuntimeWarning):
    """The kernels run uncompiled."""


def jit(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel at its first call, cached on disk (NUMBA_CACHE_DIR, else __pycache__).

    A kernel is compiled with those that it calls inside it, and with the constants of their modules, but
    numba renews what it has cached only when the kernel's own file changes. So the cache has a folder
    for each state of the sources of all kernels.

    Where numba cannot be imported or has no compiler the function stays what it is, and one
    SlowKernelWarning says so.
    """
    numba = _numba()
    if numba is None or numba.config.DISABLE_JIT:
        return function
    given = numba.config.CACHE_DIR
    for folder in _folders(given):
        numba.config.CACHE_DIR = folder
        try:
            kernel = numba.njit(cache=True, nogil=True)(function)
        except RuntimeError:  # no directory for the cache can be written
            continue
        finally:
            numba.config.CACHE_DIR = given
        # Where the folder cannot be written numba takes another, which has no regard to the sources.
        if kernel.stats.cache_path.startswith(folder):
            return kernel
    return numba.njit(nogil=True)(function)


def _folders(given: str) -> Iterator[str]:
    """Folders for the cache, the one that the user gave alone or those that are tried in turn."""
    if given:
        yield os.path.join(given, _sources())
        return
    yield os.path.join(geo.__path__[0], "__pycache__", _sources())
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    yield os.path.join(home, "gridstead", _sources())


@functools.cache
def _sources() -> str:
    """Name of the state of the sources: kernels are in modules with a leading underscore."""
    digest = hashlib.sha256()
    for package in (geo, decide, fiber, power):
        for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda found: found.name):
            if module.name.startswith("_") or module.name == "geodesy":
                digest.update(pkgutil.get_data(package.__name__, f"{module.name}.py") or b"")
    return f"kernels-{digest.hexdigest()[:12]}"


@functools.cache
def _numba() -> ModuleType | None:
    try:
        numba = importlib.import_module("numba")
        # Import alone proves nothing: a broken llvmlite shows at the first compilation.
        numba.njit(_probe)(1)
    except Exception as error:  # noqa: BLE001 - llvmlite fails in ways of its own
        warnings.warn(FALLBACK.format(error=error), SlowKernelWarning, stacklevel=3)
        return None
    return numba


def _probe(number: int) -> int:
    return number + 1
