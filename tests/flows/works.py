"""Work on pieces for tests of clusters: functions that workers find by their names."""

import os
import signal
import time
import uuid
from dataclasses import dataclass

import pyarrow as pa

from data.errors import MeasureError
from data.place import Place
from flows.cluster import files_of
from flows.cluster_measure import MeasureOrder, measure_piece


@dataclass(frozen=True)
class Order:
    """Where parts go; beside them every call leaves a file in `calls`."""

    place: Place
    folder: str = "metric-1"


def note(order, name, what="done"):
    """Leave a file for a call: piece, what became of it, and the process."""
    order.place.write_bytes(f"calls/{name}.{what}.{os.getpid()}.{uuid.uuid4().hex[:6]}", b"")


def calls(order, what="done"):
    """Piece and process of every call that was noted."""
    found = [name.split(".") for name in order.place.names("calls")]
    return [(name, int(pid)) for name, how, pid, _ in found if how == what]


def square(order, name):
    """Write a part of one row."""
    note(order, name)
    stored = order.place.write(
        f"{order.folder}/{name}.parquet", pa.table({"square": [int(name) ** 2]})
    )
    return {"square": int(name) ** 2, "pid": os.getpid(), "files": files_of(parquet=stored)}


def slow_square(order, name):
    """Take a while, so that there is time to break things."""
    note(order, name, "begun")
    time.sleep(0.4)
    return square(order, name)


def deadly(order, name):
    """End the worker of one piece every time."""
    if name == "3":
        os.kill(os.getpid(), signal.SIGKILL)
    return square(order, name)


def faulty(order, name):
    """Fail at one piece."""
    if name == "3":
        msg = "Parcel p3 could not be measured."
        raise MeasureError(msg, "Leave it out.")
    return square(order, name)


def hungry(order, name):
    """Run out of memory at one piece."""
    if name == "3":
        raise MemoryError
    return square(order, name)


def slow_measure(order: MeasureOrder, name: str):
    """Measure a piece after a while; its calls are noted."""
    note(order, name, "begun")
    time.sleep(0.4)
    found = measure_piece(order, name)
    note(order, name)
    return found


def where_it_runs(order, name):
    """Tell what the environment of a worker is."""
    stored = order.place.write_bytes(f"{order.folder}/{name}.txt", b"x")
    names = ("NUMBA_NUM_THREADS", "DO_NOT_TRACK")
    return {"told": {key: os.environ.get(key) for key in names}, "files": files_of(txt=stored)}
