"""Reading downloaded archives as what they are: files that strangers wrote."""

import contextlib
import fnmatch
import gzip
import io
import stat
import zipfile
import zlib
from collections.abc import Generator
from pathlib import Path, PurePosixPath
from typing import Protocol

from data import sevenzip
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


class DamagedError(IntegrityError):
    """An archive that is cut short or altered; one that is whole but hostile is not."""


def list_members(
    path: Path, *, member_max: int = MEMBER_MAX_BYTES, total_max: int = TOTAL_MAX_BYTES
) -> dict[str, int]:
    """List the files of a zip, wheel or 7z with their sizes, after checking every one of them.

    Raises
    ------
    IntegrityError
        The archive is damaged, or a member leaves it, is a link or a device, is encrypted, appears
        twice, or is larger (by itself, together with the others, or against its packed size) than
        any honest one.
    """
    sizes: dict[str, int] = {}
    for name, size in _sizes(path, member_max):
        if name in sizes:
            raise _hostile(path, name, "appears twice")
        sizes[name] = size
    total = sum(sizes.values())
    if total > total_max:
        message = f"{path.name} unpacks to {total:,} bytes, more than the {total_max:,} allowed."
        raise IntegrityError(message, _HINT)
    packed = max(path.stat().st_size, 1)
    # Members of a 7z are packed together: their ratio is one.
    if is_7z(path) and total > RATIO_FREE_BYTES and total / packed > MAX_RATIO:
        message = f"{path.name} unpacks to {total / packed:,.0f} times its size."
        raise IntegrityError(message, _HINT)
    return sizes


def check_archive(path: Path) -> None:
    """Unpack every member of a zip, wheel or 7z into nothing, so that its checksum is held against it.

    Raises
    ------
    DamagedError
        The archive is cut short or altered.
    IntegrityError
        It is whole, but `list_members` refuses it.
    """
    sizes = list_members(path)
    if is_7z(path):
        with _unpacking(path):
            sevenzip.unpack(path, sizes, lambda _name: None)
    else:
        check_zip(path)


def check_zip(path: Path) -> None:
    """Hold the checksums of a zip's members against them, whatever the members are."""
    with _unpacking(path), zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        total = sum(info.file_size for info in infos)
        if total > TOTAL_MAX_BYTES:
            message = f"{path.name} unpacks to {total:,} bytes, more than the {TOTAL_MAX_BYTES:,} allowed."
            raise IntegrityError(message, _HINT)
        for info in infos:
            with archive.open(info) as stream:
                _drain(path, info.filename, stream, info.file_size)


def check_gzip(path: Path, *, max_bytes: int = TOTAL_MAX_BYTES) -> None:
    """Unpack a .gz file into nothing, so that its checksum is held against it."""
    allowed = min(max_bytes, max(RATIO_FREE_BYTES, path.stat().st_size * MAX_RATIO))
    with _unpacking(path), gzip.open(path) as stream:
        _drain(path, path.stem, stream, allowed)


def is_7z(path: Path) -> bool:
    """Tell whether a file begins as a 7z archive does."""
    try:
        with path.open("rb") as file:
            return file.read(len(sevenzip.MAGIC)) == sevenzip.MAGIC
    except OSError as error:
        raise _damaged(path, error) from error


def match_members(path: Path, pattern: str) -> list[str]:
    """List the members that a name or a glob stands for, sorted; empty when there is none."""
    names = list_members(path)
    if pattern in names:
        return [pattern]
    return sorted(name for name in names if fnmatch.fnmatchcase(name, pattern))


def read_member(path: Path, member: str, *, max_bytes: int = MEMBER_MAX_BYTES) -> bytes:
    """Read one member of a zip, wheel or 7z into memory, never more than it said it holds."""
    if is_7z(path):
        kept = io.BytesIO()
        with _unpacking(path):
            sevenzip.unpack(path, _chosen(path, [member], max_bytes), lambda _name: kept)
        return kept.getvalue()
    with _unpacking(path), zipfile.ZipFile(path) as archive:
        try:
            info = archive.getinfo(member)
        except KeyError as error:
            raise _missing(path, member) from error
        _check_member(path, info, max_bytes)
        with archive.open(info) as stream:
            return _read_capped(path, member, stream, min(max_bytes, info.file_size))


def extract_members(
    path: Path, members: list[str], into: Path, *, member_max: int = MEMBER_MAX_BYTES
) -> list[Path]:
    """Write members of a zip, wheel or 7z under a folder, keeping their own paths inside it."""
    root = into.resolve()
    targets = {member: (root / member).resolve() for member in members}
    for member, target in targets.items():
        if not target.is_relative_to(root):
            raise _hostile(path, member, "leaves the archive")
        target.parent.mkdir(parents=True, exist_ok=True)
    if is_7z(path):
        # All in one pass: each member of a solid archive is unpacked behind those before it.
        with contextlib.ExitStack() as files, _unpacking(path):
            opened = {
                name: files.enter_context(target.open("wb")) for name, target in targets.items()
            }
            sevenzip.unpack(path, _chosen(path, members, member_max), opened.__getitem__)
    else:
        for member, target in targets.items():
            target.write_bytes(read_member(path, member, max_bytes=member_max))
    return list(targets.values())


def read_gzip(path: Path, *, max_bytes: int = MEMBER_MAX_BYTES) -> bytes:
    """Unpack a .gz file into memory, stopping at the size cap or at a bomb's ratio."""
    allowed = min(max_bytes, max(RATIO_FREE_BYTES, path.stat().st_size * MAX_RATIO))
    with _unpacking(path), gzip.open(path) as stream:
        return _read_capped(path, path.stem, stream, allowed)


@contextlib.contextmanager
def _unpacking(path: Path) -> Generator[None]:
    """Say of whatever an unpacker raises that the file is damaged, or what else is wrong with it."""
    try:
        yield
    except sevenzip.EncryptedError as error:
        raise _encrypted(path) from error
    except sevenzip.OversizeError as error:
        raise _hostile(path, str(error), "unpacks to more than it says") from error
    except RuntimeError as error:
        if "encrypted" in str(error):
            raise _encrypted(path) from error
        raise
    except (
        sevenzip.DamageError,
        zipfile.BadZipFile,
        gzip.BadGzipFile,
        zlib.error,
        EOFError,
        OSError,
        NotImplementedError,
        ValueError,
    ) as error:
        raise _damaged(path, error) from error


def _sizes(path: Path, member_max: int) -> Generator[tuple[str, int]]:
    """Check every member of an archive, and give the names and sizes of files."""
    if is_7z(path):
        with _unpacking(path):
            entries = sevenzip.list_entries(path)
        for entry in entries:
            _check_name(path, entry.name)
            if not entry.is_plain:
                raise _hostile(path, entry.name, "is a link or a device, not a file")
            _check_size(path, entry.name, entry.bytes, member_max)
            if not entry.is_folder:
                yield entry.name, entry.bytes
        return
    with _unpacking(path), zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
    for info in infos:
        _check_member(path, info, member_max)
        if not info.is_dir():
            yield info.filename, info.file_size


def _chosen(path: Path, members: list[str], member_max: int) -> dict[str, int]:
    sizes = list_members(path, member_max=member_max)
    for member in members:
        if member not in sizes:
            raise _missing(path, member)
    return {member: sizes[member] for member in members}


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


_HINT = "The file was not used. Fetch it again, or look at what its publisher ships now."


def _check_member(path: Path, info: zipfile.ZipInfo, member_max: int) -> None:
    name = info.filename
    if "\0" in info.orig_filename:
        raise _hostile(path, name, "has no proper name")
    _check_name(path, name)
    mode = info.external_attr >> 16
    kind = stat.S_IFMT(mode)
    if info.create_system == _CREATED_ON_UNIX and kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise _hostile(path, name, "is a link or a device, not a file")
    if info.flag_bits & _ENCRYPTED:
        raise _hostile(path, name, "is encrypted")
    _check_size(path, name, info.file_size, member_max)
    packed = max(info.compress_size, 1)
    if info.file_size > RATIO_FREE_BYTES and info.file_size / packed > MAX_RATIO:
        raise _hostile(path, name, f"unpacks to {info.file_size / packed:,.0f} times its size")


def _check_name(path: Path, name: str) -> None:
    pure = PurePosixPath(name)
    if not name or "\0" in name:
        raise _hostile(path, name, "has no proper name")
    if (
        pure.is_absolute()
        or ".." in pure.parts
        or "\\" in name
        or (len(name) > 1 and name[1] == ":")
    ):
        raise _hostile(path, name, "leaves the archive")


def _check_size(path: Path, name: str, size: int, member_max: int) -> None:
    if size > member_max:
        raise _hostile(path, name, f"unpacks to {size:,} bytes, over the {member_max:,} allowed")


def _drain(path: Path, member: str, stream: _Readable, allowed: int) -> None:
    total = 0
    while chunk := stream.read(_CHUNK):
        total += len(chunk)
        if total > allowed:
            raise _hostile(path, member, f"unpacks to more than {allowed:,} bytes")


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


def _encrypted(path: Path) -> IntegrityError:
    return IntegrityError(f"{path.name} is encrypted.", _HINT)


def _missing(path: Path, member: str) -> IntegrityError:
    hint = "Check the member in the catalogue entry."
    return IntegrityError(f"{path.name} holds no {member}.", hint)


def _damaged(path: Path, error: Exception) -> DamagedError:
    return DamagedError(f"{path.name} is damaged: {str(error).rstrip('.')}.", _HINT)
