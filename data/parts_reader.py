"""Parts of a build as its queries may read them: whole files of its own folders, none of them written."""

import io
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from glob import has_magic
from pathlib import Path
from typing import Any

from fsspec.spec import AbstractFileSystem

from data.store import PARTS_PREFIX


class PartsReader(AbstractFileSystem):
    """Reads the Parquet files of some folders by `parts://<path>`; writes nothing.

    DuckDB lets statements write to whatever folder of the machine it may read, and over the build itself. So
    its own reader of files stays off, and this one takes its place.

    Attributes
    ----------
    folders
        Folders whose files are read; links and what lies beneath them are not.
    """

    protocol = PARTS_PREFIX.removesuffix("://")
    cachable = False

    def __init__(self, folders: Iterable[Path]) -> None:
        super().__init__()
        self.folders = frozenset(folders)

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(path).removeprefix(PARTS_PREFIX)

    def glob(self, path: str, maxdepth: int | None = None, **_: Any) -> list[str]:
        """Files of a folder that match, sorted."""
        del maxdepth
        wanted = Path(self._strip_protocol(path))
        if wanted.parent not in self.folders or not has_magic(wanted.name):
            return [str(self._found(path))]
        return sorted(str(found) for found in wanted.parent.glob(wanted.name) if self._has(found))

    def exists(self, path: str, **_: Any) -> bool:
        """Whether it is a file that may be read."""
        return self._has(Path(self._strip_protocol(path)))

    def isfile(self, path: str) -> bool:
        """Whether it is a file that may be read."""
        return self.exists(path)

    def isdir(self, path: str) -> bool:
        """There are none to go into."""
        del path
        return False

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Size of a file."""
        found = self._found(path)
        return {"name": str(found), "size": found.stat().st_size, "type": "file"}

    def modified(self, path: str) -> datetime:
        """Moment at which a file was last written."""
        return datetime.fromtimestamp(self._found(path).stat().st_mtime, UTC)

    def _open(
        self,
        path: str,
        mode: str = "rb",
        block_size: Any = None,
        autocommit: bool = True,
        cache_options: Any = None,
        **_: Any,
    ) -> Any:
        del block_size, autocommit, cache_options
        if mode != "rb":
            msg = f"{path} is not to be written."
            raise PermissionError(msg)
        return _Part(self._found(path))

    def _found(self, path: str) -> Path:
        found = Path(self._strip_protocol(path))
        if not self._has(found):
            msg = f"{path} is no part of this build."
            raise PermissionError(msg)
        return found

    def _has(self, path: Path) -> bool:
        is_part = path.parent in self.folders and path.suffix == ".parquet"
        return is_part and path.resolve() == path and path.is_file()


class _Part(io.RawIOBase):
    """A file that closes when nobody holds it any more: DuckDB drops what it has read without a word."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        # Nobody slips a link in after it was looked at.
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_CUR:
            offset, whence = self._at + offset, os.SEEK_SET
        self._at = os.lseek(self._descriptor, offset, whence)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        count = os.preadv(self._descriptor, [buffer], self._at)
        self._at += count
        return count

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()
