"""What a fetch is asked for, and what it hands back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from data.access._retry import Retry


@dataclass(frozen=True)
class Request:
    """One fetch of one source.

    `folder` is scratch space inside the cache that outlives a failed fetch, so that a download can
    go on where it broke off. `etag` and `last_modified` belong to the last good copy, if there is one;
    `expected_bytes` is what the lock says; `may_be_empty` that a source without rows is none to doubt.
    """

    source_id: str
    folder: Path
    max_bytes: int
    etag: str | None = None
    last_modified: str | None = None
    expected_bytes: int | None = None
    may_be_empty: bool = False
    report: Callable[[int, int | None], None] = lambda _done, _total: None
    retry: Retry = field(default_factory=Retry)


@dataclass(frozen=True)
class Fetched:
    """A file fetched whole into the request's folder, and the validators it came with."""

    path: Path
    filename: str
    etag: str | None = None
    last_modified: str | None = None
