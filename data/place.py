"""A place for the parts of a large study: a folder of this machine, or of a store of objects.

Whatever is written appears whole or not at all. A place is its address alone, so that it travels to
other processes and machines; each opens the store with the variables of its own environment
(AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL and the like).
"""

import functools
import hashlib
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs
from pydantic import ValidationError

from data import store
from data.access._retry import Retry, Transient
from data.access._secrets import fill, hide, without_secrets
from data.access._store import S3, open_store, told
from data.address import ObjectAccess
from data.errors import PullError, UsageError

ATTEMPTS = 3
CHECK = "Check --parts and the store's own variables, such as AWS_ENDPOINT_URL."
MISSING = "It was removed, or lies on a machine that this one does not see."
ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
# Half-written files of a folder; a store of objects has none.
HALF = ".part"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=-]*(/[A-Za-z0-9][A-Za-z0-9._=-]*)*")
_COPY_BYTES = 1024**2
_UPLOAD_BYTES = 8 * 1024**2

T = TypeVar("T")


def parquet_options(schema: pa.Schema) -> dict[str, Any]:
    """How parts are written: measured numbers hardly repeat, so that texts alone get a dictionary.

    Of 129 columns of metrics this makes 305 bytes a parcel in 2.6 us; Snappy made 358, a dictionary for
    all columns 383 in 5.1 us.
    """
    texts = [
        field.name
        for field in schema
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
    ]
    return {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": texts,
        "write_page_checksum": True,
    }


@dataclass(frozen=True)
class Stored:
    """Bytes and SHA-256 of what was written."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Place:
    """A folder, by its address; names in it are relative paths such as `metric-1f2e/82266f-0000.parquet`.

    Attributes
    ----------
    url
        `file:///...`, or an address of a store such as `s3://bucket/parts`, without a slash at its end.
    """

    url: str

    @classmethod
    def at(cls, where: str | Path) -> Self:
        """Place at a path, or at the address of a folder in a store.

        Raises
        ------
        UsageError
            It is no address, or a path that is no folder.
        """
        text = str(where)
        if "://" not in text or text.startswith("file://"):
            path = Path(unquote(text.removeprefix("file://")) if "://" in text else text).resolve()
            if path.exists() and not path.is_dir():
                msg = f"{path} is not a folder."
                raise UsageError(
                    msg, "Name a folder for the parts, or an address such as s3://bucket/parts."
                )
            return cls(f"file://{path}")
        found = cls(text.rstrip("/"))
        try:
            found._access("x")
        except ValidationError as error:
            told_by = error.errors()[0]
            why = told_by["msg"].removeprefix("Value error, ")
            if told_by["type"] == "string_pattern_mismatch":
                why = "a bucket and a folder are wanted, and no query"
            if "password" in why:
                why = "it holds a user or a password, which belong in the environment"
            msg = f"{hide(text)} is no address for parts: {why}."
            raise UsageError(
                msg, "Write it as s3://bucket/parts, gs://bucket/parts or a path."
            ) from error
        return found

    @property
    def is_local(self) -> bool:
        """Whether it is a folder that this machine reaches by a path."""
        return self.url.startswith("file://")

    @property
    def local(self) -> Path:
        """Path of a place that is a folder."""
        assert self.is_local
        return Path(self.url.removeprefix("file://"))

    def path(self, name: str) -> Path:
        """Path of a file in a place that is a folder."""
        return self.local / _checked(name)

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        return self._do(name, lambda at, path: at.get_file_info(path).type == fs.FileType.File)

    def sizes(self, folder: str) -> dict[str, int]:
        """Names and bytes of the whole files of a folder, sorted; none where there is no folder."""

        def listed(at: fs.FileSystem, path: str) -> dict[str, int]:
            try:
                found = at.get_file_info(fs.FileSelector(path))
            except FileNotFoundError:
                # Of the folder: a bucket that is missing is told apart by what is raised.
                return {}
            return {
                info.base_name: info.size
                for info in sorted(found, key=lambda info: info.base_name)
                if info.type == fs.FileType.File and not info.base_name.endswith(HALF)
            }

        return self._do(folder, listed)

    def names(self, folder: str) -> list[str]:
        """Names of the whole files of a folder, sorted."""
        return list(self.sizes(folder))

    def read(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        """Read a Parquet file, or some columns of it."""

        def run(at: fs.FileSystem, path: str) -> pa.Table:
            with (
                at.open_input_file(path) as raw,
                pq.ParquetFile(raw, pre_buffer=True, page_checksum_verification=True) as file,
            ):
                return file.read(columns=None if columns is None else list(columns))

        return self._do(name, run)

    def read_bytes(self, name: str) -> bytes:
        """Read a small file."""

        def run(at: fs.FileSystem, path: str) -> bytes:
            with at.open_input_stream(path) as raw:
                return raw.read()

        return self._do(name, run)

    def write(self, name: str, table: pa.Table, **options: Any) -> Stored:
        """Write a table as a Parquet file that appears whole; `options` are those of Parquet."""
        draft = self.scratch(name)
        try:
            pq.write_table(table, draft, **(parquet_options(table.schema) | options))
            return self.publish(draft, name)
        finally:
            draft.unlink(missing_ok=True)

    def write_bytes(self, name: str, content: bytes) -> Stored:
        """Write a small file that appears whole."""
        draft = self.scratch(name)
        try:
            draft.write_bytes(content)
            return self.publish(draft, name)
        finally:
            draft.unlink(missing_ok=True)

    def put(self, name: str, file: Path) -> Stored:
        """Copy a file of this machine here; it appears whole."""
        if not self.is_local:
            return self.publish(file, name)
        draft = self.scratch(name)
        try:
            shutil.copyfile(file, draft)
            return self.publish(draft, name)
        finally:
            draft.unlink(missing_ok=True)

    def get(self, name: str, file: Path) -> None:
        """Copy a file from here to a path of this machine, where it appears whole."""
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f"{file.name}.{uuid.uuid4().hex[:8]}{HALF}")

        def run(at: fs.FileSystem, path: str) -> None:
            with at.open_input_stream(path) as raw, draft.open("wb") as out:
                shutil.copyfileobj(raw, out, _COPY_BYTES)

        try:
            self._do(name, run)
            store.replace_atomically(draft, file)
        finally:
            draft.unlink(missing_ok=True)

    def remove(self, folder: str) -> None:
        """Remove a folder with all that is in it; one that is not there is fine."""

        def run(at: fs.FileSystem, path: str) -> None:
            try:
                at.delete_dir(path)
            except FileNotFoundError:
                return

        self._do(folder, run, doing="removed")

    def sweep(self, folder: str) -> None:
        """Remove what killed processes left half-written in a folder."""
        if self.is_local:
            for path in self.path(folder).glob(f"*{HALF}"):
                path.unlink(missing_ok=True)

    def scratch(self, name: str) -> Path:
        """Path to write a file at that will be published as `name`, and is the caller's to remove."""
        if not self.is_local:
            handle, made = tempfile.mkstemp(prefix="gridstead-", suffix=HALF)
            os.close(handle)
            return Path(made)
        target = self.path(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        return target.with_name(f"{target.name}.{uuid.uuid4().hex[:8]}{HALF}")

    def publish(self, draft: Path, name: str) -> Stored:
        """Let a finished file appear as `name`: a folder takes it, a store gets a copy."""
        with draft.open("rb") as file:
            stored = Stored(draft.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())
        if self.is_local:
            store.replace_atomically(draft, self.path(name))
            return stored

        def run(at: fs.FileSystem, path: str) -> None:
            # An upload that breaks off leaves no object.
            with draft.open("rb") as file, at.open_output_stream(path) as out:
                shutil.copyfileobj(file, out, _UPLOAD_BYTES)

        self._do(name, run, doing="written")
        return stored

    def _do(self, name: str, work: Callable[[fs.FileSystem, str], T], doing: str = "read") -> T:
        """Call with the open store and the path in it, again where the network failed."""
        access = self._access(_checked(name))
        retry = Retry(attempts=ATTEMPTS)

        def attempt() -> T:
            with told(access, retry, doing=doing, hint=CHECK):
                at, root = _opened(self.url, os.getpid())
                path = f"{root}/{name}"
                try:
                    return work(at, path)
                except FileNotFoundError as error:
                    # Listing tells whether there is a bucket at all.
                    at.get_file_info(fs.FileSelector(root, allow_not_found=self.is_local))
                    if not self.is_local and doing == "written":
                        raise Transient(str(error)) from error
                    msg = f"{access.uri} does not exist."
                    raise PullError(msg, MISSING) from error

        with without_secrets():
            return retry.run(access.uri, attempt)

    def _access(self, name: str) -> ObjectAccess:
        uri = f"{self.url}/{name}"
        if self.is_local:
            return ObjectAccess.model_construct(kind="object", uri=uri, anonymous=False)
        endpoint = next((os.environ[key] for key in ENDPOINTS if os.environ.get(key)), None)
        is_s3 = self.url.partition("://")[0] in S3
        return ObjectAccess(kind="object", uri=uri, endpoint=endpoint if is_s3 else None)


@functools.lru_cache(maxsize=8)
def _opened(url: str, _process: int) -> tuple[fs.FileSystem, str]:
    """Store of an address, opened once a process: its connections are kept, and do not survive a fork."""
    place = Place(url)
    at, path = open_store(place._access("x"), fill(f"{url}/x"), Retry(attempts=ATTEMPTS))  # noqa: SLF001
    if place.is_local:
        return at, str(place.local)
    return at, path.removesuffix("/x")


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        msg = f"{name!r} is no name of a file in a place."
        raise ValueError(msg)
    return name
