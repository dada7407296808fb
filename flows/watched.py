"""Prefect's own server of one run: it ends when the run does, however that ends.

`python -m flows.watched PARENT uvicorn ...` runs a module in this process, and leaves when the process
PARENT is no longer the parent of this one: a run that is killed with -9 cannot stop what it has started.
"""

import os
import runpy
import signal
import sys
import threading
import time

LOOK_EVERY_S = 0.5
# Time that a server has to end in order before it is ended.
GRACE_S = 5.0


def main() -> None:
    """Watch the parent and run the module that is named after it."""
    parent, module, *words = sys.argv[1:]
    threading.Thread(target=_watch, args=(int(parent),), daemon=True).start()
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_EVERY_S)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    os._exit(1)


if __name__ == "__main__":
    main()
