"""What lies in the cache of a home: last good copies, objects, broken downloads."""

import json
from pathlib import Path
from typing import Any

from data.object_cache import sha256_of

# Bytes of objects that are read where not all are asked for.
SAMPLE_BYTES = 50_000_000


def indexed(cache: Path) -> dict[str, dict[str, Any]]:
    """Last good copies: what the index remembers, by source; an entry that cannot be read is left out."""
    found = {}
    for path in sorted((cache / "index").glob("*.json")):
        try:
            entry = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            continue
        if isinstance(entry, dict) and isinstance(entry.get("sha256"), str):
            found[path.stem] = entry
    return found


def objects(cache: Path) -> list[Path]:
    """Return all objects: `objects/<first two>/<sha256>/<filename>`."""
    return sorted((cache / "objects").glob("*/*/*"))


def damaged(cache: Path, *, deep: bool) -> tuple[list[Path], int, int]:
    """Find objects that are not what their names say; tell how many were read, and how many there are.

    Parameters
    ----------
    cache
        Folder of the cache.
    deep
        Read all of them; else the smallest ones, up to 50 MB together, and of the others whether they
        are as long as the index remembers.
    """
    lengths = {entry["sha256"]: entry.get("bytes") for entry in indexed(cache).values()}
    wrong, read, total = [], 0, 0
    held = sorted(objects(cache), key=lambda file: file.stat().st_size)
    for path in held:
        sha256, length = path.parent.name, path.stat().st_size
        total += length
        if deep or total <= SAMPLE_BYTES:
            read += 1
            is_wrong = sha256_of(path) != sha256
        else:
            is_wrong = length != (lengths.get(sha256) or length)
        if is_wrong:
            wrong.append(path)
    return wrong, read, len(held)
