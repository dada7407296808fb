"""The content-addressed cache: objects by what is in them, an index of what came from where.

`objects/<first two>/<sha256>/<filename>`, `index/<source>.json`, `partial/<source>/` for downloads.
"""

import datetime as dt
import hashlib
import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from data import store
from data.access import Fetched, mark
from data.catalogue import LockEntry, Source
from data.errors import IntegrityError, PullError


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


class ObjectCache:
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
        self._forget_partial()
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
        self._forget_partial()
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
            check_sha256(self._source, fetched.filename, sha256, entry)
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
        self._forget_partial()
        return self._pulled(path, "network", is_stale=False)

    def _forget_partial(self) -> None:
        """Remove what a killed run had begun to fetch: the whole object is here."""
        shutil.rmtree(self.scratch, ignore_errors=True)

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
        access = self._source.access
        # A key that came later changes nothing for entries that do not have it.
        new = {"headers"} if getattr(access, "headers", None) == {} else set()
        return mark(access.model_dump_json(exclude={"max_bytes", "page_size"} | new))

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


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_sha256(source: Source, filename: str, sha256: str, entry: LockEntry | None) -> None:
    """Raise IntegrityError, naming both hashes, when a file is not the one in the lock."""
    if entry is not None and sha256 != entry.sha256:
        message = (
            f"{filename} of source {source.id!r} has sha256 {sha256} where the lock states "
            f"{entry.sha256}."
        )
        hint = "The file is damaged or was replaced upstream; it was not used."
        raise IntegrityError(message, hint)


def _move(source: Path, target: Path) -> None:
    """Move a finished file to its place so that a crash leaves the old one or the new one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as file:
        os.fsync(file.fileno())
    store.replace_atomically(source, target)
