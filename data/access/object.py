"""Objects of a store as one file: S3, Google Cloud and Azure through Arrow, other schemes through fsspec."""

import fnmatch
import hashlib
from dataclasses import replace
from pathlib import Path

from pyarrow import fs

from data.access._join import join_parquet
from data.access._request import Fetched, Request
from data.access._retry import Retry, Transient
from data.access._secrets import fill
from data.access._store import open_store, told
from data.access._whole import check_whole
from data.address import ObjectAccess
from data.errors import IntegrityError, PullError

# Each attempt of a dead store takes as long as its timeouts; three of them end within a minute.
MAX_ATTEMPTS = 3
MAX_OBJECTS = 10_000

_CHUNK = 1024**2


def fetch_object(access: ObjectAccess, request: Request) -> Fetched | None:
    """Fetch one object, or join several Parquet objects; None says that the last copy is current.

    Objects that a * stands for become one file in the order of their names. Size, time and tag of
    each are held against those of the last good copy before anything is read, and again after.

    Raises
    ------
    PullError
        The store refuses or keeps failing, there is no such object, it is larger than the cap, or
        objects of one source differ in their columns.
    """
    retry = _short(request.retry)
    uri = fill(access.uri)
    request.folder.mkdir(parents=True, exist_ok=True)

    def attempt() -> Fetched | None:
        with told(access, retry):
            store, path = open_store(access, uri, retry)
            return _Fetch(access, request, store, path).run()

    return retry.run(access.uri, attempt)


class _Fetch:
    """One attempt at the objects of a source."""

    def __init__(
        self, access: ObjectAccess, request: Request, store: fs.FileSystem, path: str
    ) -> None:
        self._access = access
        self._request = request
        self._store = store
        self._path = path
        self._cap = min(access.max_bytes, request.max_bytes)
        self._done = 0

    def run(self) -> Fetched | None:
        is_several = "*" in self._path
        found = self._matches() if is_several else [self._one()]
        etag = f"objects:{self._print_of(found)}"
        if etag == self._request.etag:
            return None
        total = sum(info.size or 0 for info in found)
        if total > self._cap:
            raise self._too_large()
        self._request.report(0, total)
        if is_several:
            filename = f"{self._request.source_id}.parquet"
            part = self._request.folder / f"{filename}.part"
            copies = (self._copy(info, total) for info in found)
            join_parquet(copies, [info.base_name for info in found], part)
        else:
            filename = found[0].base_name
            part = self._copy(found[0], total)
            self._check(part, filename, found[0].path)
        return Fetched(path=part, filename=filename, etag=etag)

    def _one(self) -> fs.FileInfo:
        info = self._store.get_file_info(self._path)
        if info.type == fs.FileType.File:
            return info
        if info.type == fs.FileType.NotFound:
            # It says whether there is a bucket at all.
            self._list()
        message = f"{self._access.uri} does not exist."
        raise PullError(message, "Check the uri in the catalogue entry.")

    def _matches(self) -> list[fs.FileInfo]:
        pattern = self._path.rpartition("/")[2]
        found = [
            info
            for info in self._list()
            if info.type == fs.FileType.File and fnmatch.fnmatchcase(info.base_name, pattern)
        ]
        if not found:
            # An answer that is no listing counts as an empty one with the client of S3.
            message = f"{self._access.uri} stands for no object"
            raise Transient(message, hint="Check the uri in the catalogue entry.")
        if len(found) > MAX_OBJECTS:
            message = (
                f"{self._access.uri} stands for {len(found):,} objects, more than {MAX_OBJECTS:,}."
            )
            raise PullError(message, "Name fewer of them.")
        return sorted(found, key=lambda info: info.base_name)

    def _list(self) -> list[fs.FileInfo]:
        folder = self._path.rpartition("/")[0]
        try:
            return self._store.get_file_info(fs.FileSelector(folder))
        except FileNotFoundError:
            # Of a folder, that is: a bucket that is missing is told apart by what is raised.
            return []

    def _print_of(self, found: list[fs.FileInfo]) -> str:
        """Fingerprint what objects are without reading them."""
        lines = [f"{info.path} {info.size} {info.mtime_ns}" for info in found]
        if len(found) == 1:
            lines.append(self._tag(found[0].path))
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def _tag(self, path: str) -> str:
        """Return the tag of an object, which changes with its bytes; empty where a store has none."""
        with self._store.open_input_stream(path) as stream:
            about = stream.metadata() or {}
        return (about.get(b"ETag") or about.get("ETag") or b"").decode()

    def _copy(self, info: fs.FileInfo, total: int) -> Path:
        """Copy an object to disk; it must be the same before and after."""
        part = self._request.folder / f"{hashlib.sha256(info.path.encode()).hexdigest()[:16]}.part"
        before = self._tag(info.path)
        size = 0
        with self._store.open_input_stream(info.path) as stream, part.open("wb") as file:
            while chunk := stream.read(_CHUNK):
                size += len(chunk)
                self._done += len(chunk)
                if self._done > self._cap:
                    break
                file.write(chunk)
                self._request.report(self._done, total)
        if self._done > self._cap:
            part.unlink()
            raise self._too_large()
        now = self._store.get_file_info(info.path)
        is_same = (now.size, now.mtime_ns) == (info.size, info.mtime_ns)
        if size != info.size or not is_same or self._tag(info.path) != before:
            part.unlink()
            message = f"{info.path} changed while it was read"
            raise Transient(message)
        return part

    def _check(self, part: Path, filename: str, path: str) -> None:
        try:
            check_whole(path, part, filename)
        except (Transient, IntegrityError):
            part.unlink()
            raise

    def _too_large(self) -> PullError:
        message = f"{self._access.uri} is larger than the {self._cap:,} bytes allowed."
        return PullError(message, "Raise max_bytes in the catalogue entry if that is right.")


def _short(retry: Retry) -> Retry:
    return replace(retry, attempts=min(retry.attempts, MAX_ATTEMPTS))
