"""Pull: every source to a content-addressed cache, checked against the lock to the byte."""

import datetime as dt
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from data.access import Fetched, Request, Retry, fetch
from data.access.file import MIRROR_VARIABLE, find_in_mirror, locate_file
from data.catalogue import MAX_BYTES, FileAccess, Lock, LockEntry, Source
from data.errors import IntegrityError, PullError

Progress = Callable[[str, int, int | None], None]

_CHUNK = 1024**2


@dataclass(frozen=True)
class Pulled:
    """Where a source's artefact lies now, and how it came there.

    `is_stale` says that a live source could not be asked and its last good copy was taken.
    """

    source_id: str
    path: Path
    filename: str
    sha256: str
    bytes: int
    origin: Literal["cache", "mirror", "network"]
    is_stale: bool
    fetched_at: dt.datetime


def mirror_from_environment() -> Path | None:
    """Return the mirror folder that the environment names, if any.

    Raises
    ------
    PullError
        The variable is set to something that is no folder.
    """
    value = os.environ.get(MIRROR_VARIABLE)
    if not value:
        return None
    mirror = Path(value).expanduser()
    if not mirror.is_dir():
        message = f"{MIRROR_VARIABLE} names {value}, which is no folder."
        raise PullError(message, "Set it to the folder that holds the mirrored files, or unset it.")
    return mirror


def pull(
    source: Source,
    lock: Lock | None,
    *,
    cache_dir: Path,
    mirror: Path | None = None,
    offline: bool = False,
    require_fresh: bool = False,
    progress: Progress | None = None,
    max_bytes: int = MAX_BYTES,
    retry: Retry | None = None,
) -> Pulled:
    """Bring a source's artefact to disk: from the cache, the mirror folder or the network.

    Pinned sources must match the lock; with `lock=None` nothing is checked (that is how a lock is
    written). A live source that cannot be fetched falls back to its last good copy, unless
    `require_fresh`. `offline` never touches the network.

    Raises
    ------
    IntegrityError
        The bytes are not those that the lock states; what was downloaded is removed again.
    PullError
        The artefact cannot be had.
    """
    entry = _lock_entry(source, lock)
    if isinstance(source.access, FileAccess):
        return _from_disk(source, locate_file(source.access, mirror), entry)
    try:
        cache = _Cache(cache_dir, source)
        if entry and (hit := cache.pinned(entry)):
            return hit
        if found := find_in_mirror(source, entry.filename if entry else None, mirror):
            return _from_disk(source, found, entry)
        if offline:
            return _last_good(cache, source, entry)
        request = Request(
            source_id=source.id,
            folder=cache.scratch,
            max_bytes=max_bytes,
            report=_reporter(source, progress),
            retry=retry or Retry(),
            # A pinned file that is not in the cache must come, whatever the server thinks we have.
            **({} if entry else cache.validators()),
        )
        return _from_network(cache, source, entry, request, require_fresh=require_fresh)
    except OSError as error:
        message = f"The cache {cache_dir} cannot be used: {error.strerror or error}."
        raise PullError(
            message, "Check the free space and the permissions of the folder."
        ) from error


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _lock_entry(source: Source, lock: Lock | None) -> LockEntry | None:
    if lock is None:
        return None
    entry = lock.get(source.id)
    hint = "Write the lock anew: python -m data.catalogue --lock"
    if entry is None and source.access.kind == "package":
        message = f"Source {source.id!r} is not in the lock."
        raise IntegrityError(message, hint)
    if entry is not None and entry.version != source.version:
        message = (
            f"Source {source.id!r} is version {source.version} in the catalogue and "
            f"{entry.version} in the lock."
        )
        raise IntegrityError(message, hint)
    return entry


def _from_disk(source: Source, path: Path, entry: LockEntry | None) -> Pulled:
    """Take a file where it lies; it is not ours to copy, move or remove."""
    sha256 = sha256_of(path)
    _check_sha256(source, path.name, sha256, entry)
    status = path.stat()
    return Pulled(
        source_id=source.id,
        path=path,
        filename=path.name,
        sha256=sha256,
        bytes=status.st_size,
        origin="mirror",
        is_stale=False,
        fetched_at=dt.datetime.fromtimestamp(status.st_mtime, dt.UTC),
    )


def _from_network(
    cache: "_Cache",
    source: Source,
    entry: LockEntry | None,
    request: Request,
    *,
    require_fresh: bool,
) -> Pulled:
    assert not isinstance(source.access, FileAccess)
    try:
        fetched = fetch(source.access, request)
        if fetched is None:
            return cache.confirm()
        return cache.keep(fetched, entry)
    except PullError:
        last = cache.last_good() if source.is_live and entry is None else None
        if last is None or require_fresh:
            raise
        return last


def _last_good(cache: "_Cache", source: Source, entry: LockEntry | None) -> Pulled:
    last = None if entry else cache.last_good()
    if last is None:
        message = f"Source {source.id!r} is not in the cache, and the run is offline."
        raise PullError(message, f"Run once without --offline, or set {MIRROR_VARIABLE}.")
    return last


def _check_sha256(source: Source, filename: str, sha256: str, entry: LockEntry | None) -> None:
    if entry is not None and sha256 != entry.sha256:
        message = (
            f"{filename} of source {source.id!r} has sha256 {sha256} where the lock states "
            f"{entry.sha256}."
        )
        hint = "The file is damaged or was replaced upstream; it was not used."
        raise IntegrityError(message, hint)


def _reporter(source: Source, progress: Progress | None) -> Callable[[int, int | None], None]:
    if progress is None:
        return lambda _done, _total: None
    return lambda done, total: progress(source.id, done, total)


@dataclass(frozen=True)
class _IndexEntry:
    """What is remembered of the last good copy of a source."""

    source_id: str
    access: str
    filename: str
    sha256: str
    bytes: int
    etag: str | None
    last_modified: str | None
    fetched_at: str


class _Cache:
    """The cache as one source sees it: objects by content, an index entry, scratch space."""

    def __init__(self, folder: Path, source: Source) -> None:
        self._folder = folder
        self._source = source
        self._index_path = folder / "index" / f"{source.id}.json"
        self.scratch = folder / "partial" / source.id
        self._index = self._read_index()

    def pinned(self, entry: LockEntry) -> Pulled | None:
        """Return the pinned object if it is here and whole; a damaged one is removed."""
        path = self._object(entry.sha256, entry.filename)
        if not path.is_file():
            return None
        if path.stat().st_size != entry.bytes or sha256_of(path) != entry.sha256:
            path.unlink()
            return None
        return self._pulled(path, "cache", is_stale=False)

    def last_good(self) -> Pulled | None:
        """Return the last good copy, marked stale."""
        return self._last(is_stale=True)

    def confirm(self) -> Pulled:
        """Return the last good copy that the server has just called current."""
        last = self._last(is_stale=False)
        if last is None:
            message = f"The cached copy of source {self._source.id!r} is damaged."
            raise PullError(message, "Run again: it will be fetched anew.")
        return last

    def validators(self) -> dict[str, str | None]:
        """Return what a conditional request asks with; nothing when the copy is not whole."""
        if self._index is None or self._last(is_stale=False) is None:
            return {}
        return {"etag": self._index.etag, "last_modified": self._index.last_modified}

    def keep(self, fetched: Fetched, entry: LockEntry | None) -> Pulled:
        """Check what was fetched, move it to its place by content, and remember it."""
        sha256 = sha256_of(fetched.path)
        try:
            _check_sha256(self._source, fetched.filename, sha256, entry)
        except IntegrityError:
            fetched.path.unlink()
            raise
        path = self._object(sha256, fetched.filename)
        _move(fetched.path, path)
        self._index = _IndexEntry(
            source_id=self._source.id,
            access=self._access_key(),
            filename=fetched.filename,
            sha256=sha256,
            bytes=path.stat().st_size,
            etag=fetched.etag,
            last_modified=fetched.last_modified,
            fetched_at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        )
        self._write_index(self._index)
        shutil.rmtree(self.scratch, ignore_errors=True)
        return self._pulled(path, "network", is_stale=False)

    def _last(self, *, is_stale: bool) -> Pulled | None:
        if self._index is None:
            return None
        path = self._object(self._index.sha256, self._index.filename)
        if not path.is_file() or sha256_of(path) != self._index.sha256:
            return None
        return self._pulled(path, "cache", is_stale=is_stale)

    def _pulled(self, path: Path, origin: Literal["cache", "network"], *, is_stale: bool) -> Pulled:
        sha256 = path.parent.name
        status = path.stat()
        fetched_at = dt.datetime.fromtimestamp(status.st_mtime, dt.UTC)
        if self._index is not None and self._index.sha256 == sha256:
            fetched_at = dt.datetime.fromisoformat(self._index.fetched_at)
        return Pulled(
            source_id=self._source.id,
            path=path,
            filename=path.name,
            sha256=sha256,
            bytes=status.st_size,
            origin=origin,
            is_stale=is_stale,
            fetched_at=fetched_at,
        )

    def _object(self, sha256: str, filename: str) -> Path:
        return self._folder / "objects" / sha256[:2] / sha256 / filename

    def _access_key(self) -> str:
        """Say what was asked for: a changed URL or filter makes the last copy another one's."""
        return self._source.access.model_dump_json(exclude={"max_bytes", "page_size"})

    def _read_index(self) -> _IndexEntry | None:
        try:
            entry = _IndexEntry(**json.loads(self._index_path.read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        return entry if entry.access == self._access_key() else None

    def _write_index(self, entry: _IndexEntry) -> None:
        self.scratch.mkdir(parents=True, exist_ok=True)
        draft = self.scratch / "index.json"
        draft.write_text(json.dumps(asdict(entry), indent=2) + "\n", encoding="utf-8")
        _move(draft, self._index_path)


def _move(source: Path, target: Path) -> None:
    """Move a finished file to its place so that a crash leaves the old one or the new one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as file:
        os.fsync(file.fileno())
    source.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
