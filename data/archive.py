"""Reading downloaded archives as what they are: files that strangers wrote."""

import fnmatch
import gzip
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Protocol

from data.errors import IntegrityError

MEMBER_MAX_BYTES = 1024**3
TOTAL_MAX_BYTES = 4 * 1024**3
# Deflate cannot exceed 1032:1, and bombs sit near that; the best packed member of the sources is 18:1
# (a .dbf). Small members are let through: 1 MiB of zeros harms nobody.
MAX_RATIO = 200
RATIO_FREE_BYTES = 1024**2

_CHUNK = 1024**2
_CREATED_ON_UNIX = 3
_ENCRYPTED = 0x1


def list_members(
    path: Path, *, member_max: int = MEMBER_MAX_BYTES, total_max: int = TOTAL_MAX_BYTES
) -> dict[str, int]:
    """List the files of a zip or wheel with their sizes, after checking every one of them.

    Raises
    ------
    IntegrityError
        The archive is damaged, or a member leaves it, is a link or a device, is encrypted, appears
        twice, or is larger (by itself, together with the others, or against its packed size) than
        any honest one.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise _damaged(path, error) from error
    sizes: dict[str, int] = {}
    for info in infos:
        _check_member(path, info, member_max)
        if info.is_dir():
            continue
        if info.filename in sizes:
            raise _hostile(path, info.filename, "appears twice")
        sizes[info.filename] = info.file_size
    total = sum(sizes.values())
    if total > total_max:
        message = f"{path.name} unpacks to {total:,} bytes, more than the {total_max:,} allowed."
        raise IntegrityError(message, _HINT)
    return sizes


def match_members(path: Path, pattern: str) -> list[str]:
    """List the members that a name or a glob stands for, sorted; empty when there is none."""
    names = list_members(path)
    if pattern in names:
        return [pattern]
    return sorted(name for name in names if fnmatch.fnmatchcase(name, pattern))


def read_member(path: Path, member: str, *, max_bytes: int = MEMBER_MAX_BYTES) -> bytes:
    """Read one member of a zip or wheel into memory, never more than it said it holds."""
    try:
        with zipfile.ZipFile(path) as archive:
            info = archive.getinfo(member)
            _check_member(path, info, max_bytes)
            with archive.open(info) as stream:
                return _read_capped(path, member, stream, min(max_bytes, info.file_size))
    except KeyError as error:
        message = f"{path.name} holds no {member}."
        raise IntegrityError(message, "Check the member in the catalogue entry.") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
        raise _damaged(path, error) from error


def extract_members(
    path: Path, members: list[str], into: Path, *, member_max: int = MEMBER_MAX_BYTES
) -> list[Path]:
    """Write members of a zip or wheel under a folder, keeping their own paths inside it."""
    root = into.resolve()
    written = []
    for member in members:
        target = (root / member).resolve()
        if not target.is_relative_to(root):
            raise _hostile(path, member, "leaves the archive")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(read_member(path, member, max_bytes=member_max))
        written.append(target)
    return written


def read_gzip(path: Path, *, max_bytes: int = MEMBER_MAX_BYTES) -> bytes:
    """Unpack a .gz file into memory, stopping at the size cap or at a bomb's ratio."""
    allowed = min(max_bytes, max(RATIO_FREE_BYTES, path.stat().st_size * MAX_RATIO))
    try:
        with gzip.open(path) as stream:
            return _read_capped(path, path.stem, stream, allowed)
    except (gzip.BadGzipFile, zlib.error, EOFError, OSError) as error:
        raise _damaged(path, error) from error


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


_HINT = "The file was not used. Fetch it again, or look at what its publisher ships now."


def _check_member(path: Path, info: zipfile.ZipInfo, member_max: int) -> None:
    name = info.filename
    pure = PurePosixPath(name)
    if not name or "\0" in info.orig_filename:
        raise _hostile(path, name, "has no proper name")
    if (
        pure.is_absolute()
        or ".." in pure.parts
        or "\\" in name
        or (len(name) > 1 and name[1] == ":")
    ):
        raise _hostile(path, name, "leaves the archive")
    mode = info.external_attr >> 16
    kind = stat.S_IFMT(mode)
    if info.create_system == _CREATED_ON_UNIX and kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise _hostile(path, name, "is a link or a device, not a file")
    if info.flag_bits & _ENCRYPTED:
        raise _hostile(path, name, "is encrypted")
    if info.file_size > member_max:
        raise _hostile(
            path, name, f"unpacks to {info.file_size:,} bytes, over the {member_max:,} allowed"
        )
    packed = max(info.compress_size, 1)
    if info.file_size > RATIO_FREE_BYTES and info.file_size / packed > MAX_RATIO:
        raise _hostile(path, name, f"unpacks to {info.file_size / packed:,.0f} times its size")


def _read_capped(path: Path, member: str, stream: _Readable, allowed: int) -> bytes:
    """Read a stream whole, trusting what arrives and not what a header promised."""
    parts: list[bytes] = []
    total = 0
    while chunk := stream.read(_CHUNK):
        total += len(chunk)
        if total > allowed:
            raise _hostile(path, member, f"unpacks to more than {allowed:,} bytes")
        parts.append(chunk)
    return b"".join(parts)


def _hostile(path: Path, member: str, what: str) -> IntegrityError:
    return IntegrityError(f"{path.name}: member {member!r} {what}.", _HINT)


def _damaged(path: Path, error: Exception) -> IntegrityError:
    return IntegrityError(f"{path.name} is damaged: {error}.", _HINT)
