"""Pull: every source to a content-addressed cache, checked against the lock to the byte."""

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path

from data.access import Request, Retry, fetch
from data.access.file import MIRROR_VARIABLE, find_in_mirror, locate_file
from data.address import MAX_BYTES, FileAccess
from data.catalogue import Lock, LockEntry, Source
from data.errors import IntegrityError, PullError
from data.object_cache import ObjectCache, Pulled, check_sha256, sha256_of

__all__ = ["Progress", "Pulled", "mirror_from_environment", "pull", "sha256_of"]

Progress = Callable[[str, int, int | None], None]


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
        cache = ObjectCache(cache_dir, source)
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
            expected_bytes=entry.bytes if entry else None,
            may_be_empty=any(table.rows == 0 for table in source.tables.values()),
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
    try:
        sha256 = sha256_of(path)
        status = path.stat()
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror or error}."
        raise PullError(message, "Check the permissions of the file.") from error
    check_sha256(source, path.name, sha256, entry)
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
    cache: ObjectCache,
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


def _last_good(cache: ObjectCache, source: Source, entry: LockEntry | None) -> Pulled:
    last = None if entry else cache.last_good()
    if last is None:
        message = f"Source {source.id!r} is not in the cache, and the run is offline."
        raise PullError(message, f"Run once without --offline, or set {MIRROR_VARIABLE}.")
    return last


def _reporter(source: Source, progress: Progress | None) -> Callable[[int, int | None], None]:
    if progress is None:
        return lambda _done, _total: None
    return lambda done, total: progress(source.id, done, total)
