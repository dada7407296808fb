"""The lock of a home: who writes there, since when, and whether it was killed."""

import errno
import fcntl
import getpass
import json
import os
import socket
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TextIO

from data.errors import BuildError
from flows.clock import age

LOCK_NAME = ".lock"
# Beyond this a lock of another machine is more likely forgotten by its file server than held.
LONG = timedelta(days=1)
_WITHOUT_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}


@dataclass(frozen=True)
class Holder:
    """Who holds a home, or held it when it was killed."""

    pid: int
    host: str
    user: str
    began_at: str
    command: str
    study: str | None

    @classmethod
    def here(cls, command: str, study: str | None) -> "Holder":
        """Return this process, as holder from now."""
        began_at = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(os.getpid(), socket.gethostname(), _user(), began_at, command, study)

    def told(self, now: datetime) -> str:
        """Say who it is and since when."""
        began = datetime.fromisoformat(self.began_at)
        pattern = "%H:%M:%S" if abs(now - began) < timedelta(hours=20) else "%Y-%m-%d %H:%M:%S"
        what = f"of study {self.study}" if self.study else f"gridstead {self.command}"
        return (
            f"process {self.pid} of {self.user} on {self.host}, {what}, "
            f"began {began.astimezone():{pattern}}, {age(began, now)}"
        )


@contextmanager
def hold(root: Path, command: str, study: str | None) -> Generator[Holder | None]:
    """Hold the home while the block runs; the lock goes with the process, however it ends.

    Yields the record of a holder that was killed: one that ended leaves none.

    Raises
    ------
    BuildError
        Another process holds the home, or its file system has no locks.
    """
    with (root / LOCK_NAME).open("a+", encoding="utf-8") as lock:
        _take(lock, root)
        killed = _read(lock)
        _write(lock, Holder.here(command, study))
        try:
            yield killed
        finally:
            lock.truncate(0)


def holder_of(root: Path) -> tuple[Holder | None, bool]:
    """Record of the lock of a home, and whether somebody holds it now; nothing is changed.

    Raises
    ------
    OSError
        The lock cannot be read, or the file system has no locks.
    """
    try:
        lock = (root / LOCK_NAME).open(encoding="utf-8")
    except FileNotFoundError:
        return None, False
    with lock:
        try:
            # A shared lock is refused while a run holds its own, and stands in no run's way for long.
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _read(lock), True
        return _read(lock), False


def _take(lock: TextIO, root: Path) -> None:
    try:
        # Again, because whoever asks who holds the home (`holder_of`) holds it for a moment.
        for pause_s in (0.05, 0.1, 0.2):
            with suppress(BlockingIOError):
                return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            time.sleep(pause_s)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise _taken(_read(lock), root) from error
    except OSError as error:
        if error.errno not in _WITHOUT_LOCKS:
            raise
        msg = f"{root} lies on a file system without locks: two runs there cannot be kept apart."
        raise BuildError(msg, "Name a --home on a local disk.") from error


def _taken(holder: Holder | None, root: Path) -> BuildError:
    now = datetime.now(UTC)
    hint = "Wait until it has ended, or name another --home."
    if holder is None:
        return BuildError(f"Another run writes to {root}.", hint)
    msg = f"Another run ({holder.told(now)}) writes to {root}."
    began = datetime.fromisoformat(holder.began_at)
    if holder.host != socket.gethostname() and now - began > LONG:
        hint = (
            f"It is of another machine and older than a day: look on {holder.host} whether it "
            f"still runs, and if not, remove {root / LOCK_NAME}."
        )
    return BuildError(msg, hint)


def _read(lock: TextIO) -> Holder | None:
    """Record of a lock; None where there is none, or one of another version."""
    lock.seek(0)
    try:
        holder = Holder(**json.loads(lock.read()))
        datetime.fromisoformat(holder.began_at).astimezone(UTC)
    except (ValueError, TypeError):
        return None
    return holder


def _write(lock: TextIO, holder: Holder) -> None:
    lock.truncate(0)
    lock.write(json.dumps(asdict(holder)) + "\n")
    lock.flush()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run as a number that has no name.
        return f"user {os.getuid()}"
