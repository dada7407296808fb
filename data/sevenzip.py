"""7z archives, read as `data.archive` reads zip files: with the same suspicion.

py7zr unpacks whole folders of a solid archive to reach one member: what it writes goes through a sink
that keeps the members asked for and stops at the sizes that were declared.
"""

import lzma
import zlib
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    import py7zr

MAGIC = b"7z\xbc\xaf\x27\x1c"


class EncryptedError(Exception):
    """The archive asks for a password."""


class DamageError(Exception):
    """The archive cannot be unpacked."""


class OversizeError(Exception):
    """A member unpacks to more than it said; its name is the argument."""


@dataclass(frozen=True)
class Member:
    """One entry of a 7z archive: `bytes` unpacked; `is_plain` for files and folders alone."""

    name: str
    bytes: int
    is_folder: bool
    is_plain: bool


def list_entries(path: Path) -> list[Member]:
    """List what an archive holds, in its order.

    Raises
    ------
    EncryptedError, DamageError
        The archive cannot be listed.
    """
    with _opened(path) as archive:
        return [
            Member(
                name=entry.filename,
                bytes=int(entry.uncompressed or 0),
                is_folder=bool(entry.is_directory),
                is_plain=not (entry.is_symlink or entry.is_junction or entry.is_socket),
            )
            for entry in archive.files
        ]


def unpack(path: Path, sizes: dict[str, int], sink: Callable[[str], BinaryIO | None]) -> None:
    """Unpack members, each into what `sink` gives for it; None throws its bytes away.

    Parameters
    ----------
    sizes
        Bytes of each member to unpack, as it was listed.

    Raises
    ------
    EncryptedError, DamageError, OversizeError
        A member cannot be unpacked, fails its checksum, or is larger than it said.
    """
    # Its base classes hold no code, and to import them is to import all of py7zr.
    factory: Any = _Factory(sizes, sink)
    with _opened(path) as archive:
        targets: Collection[str] = list(sizes)
        archive.extract(targets=targets, factory=factory)
    short = [name for name, size in sizes.items() if factory.written.get(name, 0) != size]
    if short:
        message = f"{short[0]} is shorter than it says"
        raise DamageError(message)


class _Sink:
    """Where the bytes of one member go."""

    def __init__(
        self, name: str, allowed: int, target: BinaryIO | None, done: dict[str, int]
    ) -> None:
        self._name = name
        self._allowed = allowed
        self._target = target
        self._done = done
        done[name] = 0

    def write(self, s: bytes | bytearray) -> int:
        self._done[self._name] += len(s)
        if self._done[self._name] > self._allowed:
            raise OversizeError(self._name)
        if self._target is not None:
            self._target.write(s)
        return len(s)

    def read(self, size: int | None = None) -> bytes:  # noqa: ARG002
        return b""

    def seek(self, offset: int, whence: int = 0) -> int:  # noqa: ARG002
        return 0

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass

    def size(self) -> int:
        return self._done[self._name]


class _Factory:
    def __init__(self, sizes: dict[str, int], sink: Callable[[str], BinaryIO | None]) -> None:
        self._sizes = sizes
        self._sink = sink
        self.written: dict[str, int] = {}

    def create(self, filename: str) -> _Sink:
        return _Sink(filename, self._sizes.get(filename, 0), self._sink(filename), self.written)


@contextmanager
def _opened(path: Path) -> "Generator[py7zr.SevenZipFile]":
    # It takes a tenth of a second to import: only who reads such an archive pays for it.
    import py7zr
    from py7zr.exceptions import ArchiveError, CrcError, PasswordRequired

    try:
        with py7zr.SevenZipFile(path) as archive:
            if archive.needs_password():
                raise EncryptedError
            yield archive
    except PasswordRequired as error:
        raise EncryptedError from error
    except CrcError as error:
        message = f"the checksum of {error.args[-1]} is wrong"
        raise DamageError(message) from error
    except (
        ArchiveError,
        lzma.LZMAError,
        zlib.error,
        EOFError,
        OSError,
        ValueError,
        IndexError,
        KeyError,
        TypeError,
        AssertionError,
    ) as error:
        # It trusts the header of a file: one that was altered fails anywhere in it.
        message = str(error) or type(error).__name__
        raise DamageError(message) from error
