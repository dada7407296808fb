"""A file on disk: where the catalogue says, or in the mirror folder."""

from pathlib import Path

from data.address import FileAccess, PackageAccess
from data.catalogue import Source
from data.errors import PullError

MIRROR_VARIABLE = "GRIDSTEAD_MIRROR"


def locate_file(access: FileAccess, mirror: Path | None) -> Path:
    """Find the file of a file source.

    Raises
    ------
    PullError
        The path is relative and there is no mirror folder, or there is no such file.
    """
    path = Path(access.path).expanduser()
    if path.is_absolute():
        if not path.is_file():
            message = f"{path} does not exist."
            raise PullError(message, "Check the path in the catalogue entry.")
        return path
    if mirror is None:
        message = f"{access.path} is looked up in the mirror folder, and none is given."
        raise PullError(message, f"Set {MIRROR_VARIABLE} to the folder that holds it.")
    found = _inside(mirror, access.path)
    if found is None:
        message = f"The mirror folder {mirror} holds no {access.path}."
        raise PullError(message, f"Check {MIRROR_VARIABLE}.")
    return found


def find_in_mirror(source: Source, filename: str | None, mirror: Path | None) -> Path | None:
    """Look for a network source's artefact in the mirror folder; None where it is not there."""
    if mirror is None:
        return None
    names = [source.mirror] if source.mirror else []
    if isinstance(source.access, PackageAccess) and filename:
        names += [filename, f"packages/{filename}"]
    return next((path for name in names if (path := _inside(mirror, name))), None)


def _inside(mirror: Path, name: str) -> Path | None:
    path = (mirror / name).resolve()
    return path if path.is_file() and path.is_relative_to(mirror.resolve()) else None
