"""What an earlier export left in a folder: whole, it stands; half, it goes."""

import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from geo.export import replacing

MANIFEST = "manifest.json"
# Where writers stage their files, and after how many seconds nobody is writing there any more.
STAGED = ".export-*"
STAGED_S = 3600.0


def sweep(out: Path, staged: str = STAGED) -> None:
    """Remove what an export that was killed left half written.

    Young folders may be those of an export that somebody else is writing just now.

    Parameters
    ----------
    out
        Folder that exports are staged in.
    staged
        Pattern of the names of those folders.
    """
    for folder in out.glob(staged):
        if time.time() - folder.stat().st_mtime > STAGED_S:
            shutil.rmtree(folder, ignore_errors=True)


def already_there(out: Path, inputs_sha256: str) -> list[Path]:
    """Files of a finished export of an equal build; none where any is gone."""
    manifest = out / MANIFEST
    if not manifest.is_file():
        return []
    try:
        held = json.loads(manifest.read_text(encoding="utf-8"))
        files = [out / name for name in held["files"]]
    except (ValueError, TypeError, KeyError):
        return []
    same = held.get("inputs_sha256") == inputs_sha256 and all(path.is_file() for path in files)
    return files if same else []


def tell(out: Path, inputs_sha256: str, written: Sequence[Path]) -> None:
    """Tell that the export of a build is whole."""
    manifest = {"inputs_sha256": inputs_sha256, "files": [path.name for path in written]}
    with replacing(out / MANIFEST) as temporary:
        temporary.write_text(json.dumps(manifest, indent=2), encoding="utf-8")
