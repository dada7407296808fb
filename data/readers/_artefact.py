"""What a reader is handed: one file, or one member of an archive."""

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from data import archive
from data.errors import ReadError

ARCHIVE_SUFFIXES = frozenset({".7z", ".whl", ".zip"})
# Archives that no reader opens, said before one stumbles over them.
FOREIGN_SUFFIXES = (".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".rar")
# A shapefile is a family of files that share a stem.
_SHAPEFILE_SUFFIXES = (".shp", ".shx", ".dbf", ".prj", ".cpg")


@dataclass(frozen=True)
class Artefact:
    """A file, or one member of the zip, wheel or 7z that the file is."""

    path: Path
    member: str | None = None

    @property
    def label(self) -> str:
        """Name for messages: file, and member where there is one."""
        return f"{self.path.name}/{self.member}" if self.member else self.path.name

    @property
    def stem(self) -> str:
        """File name without folder and suffix."""
        return PurePosixPath(self.member or self.path.name).stem

    def read_bytes(self) -> bytes:
        """Return the content, unpacked."""
        if self.member is not None:
            return archive.read_member(self.path, self.member)
        if self.path.suffix == ".gz":
            return archive.read_gzip(self.path)
        return self.path.read_bytes()

    def read_text(self, encoding: str) -> str:
        """Return the content as text."""
        try:
            return self.read_bytes().decode(encoding)
        except UnicodeDecodeError as error:
            message = f"{self.label} is not {encoding} text (byte {error.start})."
            raise ReadError(message, "Set the reader option 'encoding'.") from error

    @contextmanager
    def on_disk(self) -> Generator[Path]:
        """Give a path that libraries can open; members are unpacked for the while."""
        if self.member is None and self.path.suffix != ".gz":
            yield self.path
            return
        with tempfile.TemporaryDirectory(prefix="gridstead-") as folder:
            if self.member is None:
                target = Path(folder) / self.path.stem
                target.write_bytes(self.read_bytes())
            else:
                members = [self.member, *self._family()]
                target = archive.extract_members(self.path, members, Path(folder))[0]
            yield target

    def sibling(self, member: str) -> "Artefact":
        """Return another member of the same archive, or another file of the same folder."""
        if self.member is None:
            return Artefact(self.path.with_name(member))
        return Artefact(self.path, member)

    def _family(self) -> list[str]:
        if self.member is None or not self.member.lower().endswith(".shp"):
            return []
        base = self.member[:-4]
        family = {base.lower() + suffix for suffix in _SHAPEFILE_SUFFIXES[1:]}
        return [name for name in archive.list_members(self.path) if name.lower() in family]


def artefacts_of(path: Path, members: list[str]) -> list[Artefact]:
    """Turn a table's member names or globs into artefacts, in their written order."""
    if not path.is_file():
        message = f"{path.name} does not exist or is not a file."
        raise ReadError(message, "Pull the source again.")
    if path.name.lower().endswith(FOREIGN_SUFFIXES):
        message = f"{path.name} is an archive of a kind that is not read here."
        raise ReadError(message, "Archives that are read: .zip, .whl and .7z; single files: .gz.")
    if not members:
        return [Artefact(path)]
    if path.suffix.lower() not in ARCHIVE_SUFFIXES:
        message = f"{path.name} is no archive, yet the catalogue names a member of it."
        raise ReadError(message, "Remove 'member' from the catalogue entry.")
    found: list[str] = []
    for pattern in members:
        matches = archive.match_members(path, pattern)
        if not matches:
            message = f"{path.name} holds no member {pattern!r}."
            raise ReadError(message, "The publisher may have moved it: check the catalogue entry.")
        found.extend(matches)
    return [Artefact(path, member) for member in dict.fromkeys(found)]
