"""Chunks: bytes as scripts, since a page that was opened from a file may load scripts and nothing else."""

import base64
import re
from pathlib import Path

# Of an archive of tiles: small enough that a view loads little more than it shows.
CHUNK_BYTES = 256 * 1024
_NAME = re.compile(r"[A-Za-z0-9_-]{1,120}")


def write_chunk(folder: Path, name: str, content: bytes) -> int:
    """Write bytes as `<name>.js`, a script that hands them over in base64.

    The name is letters, digits, - and _, and base64 holds neither quotes nor angle brackets: whatever the bytes
    are, the script has one call and one string.

    Returns
    -------
    int
        Bytes of the script.

    Raises
    ------
    ValueError
        If the name has other characters.
    """
    if not _NAME.fullmatch(name):
        msg = f"{name!r} is no name of a chunk"
        raise ValueError(msg)
    text = b'gridstead.put("' + name.encode() + b'","' + base64.b64encode(content) + b'");\n'
    (folder / f"{name}.js").write_bytes(text)
    return len(text)


def write_slices(folder: Path, archive: str, path: Path) -> dict[str, int]:
    """Write an archive of tiles as slices `tiles-<archive>-<000>` of `CHUNK_BYTES`, the last one shorter.

    Returns
    -------
    dict
        bytes (of the archive), chunk_bytes, chunk_count and written (bytes of the scripts).
    """
    content = path.read_bytes()
    starts = range(0, len(content), CHUNK_BYTES)
    written = sum(
        write_chunk(folder, f"tiles-{archive}-{number:03d}", content[start : start + CHUNK_BYTES])
        for number, start in enumerate(starts)
    )
    return {
        "bytes": len(content),
        "chunk_bytes": CHUNK_BYTES,
        "chunk_count": len(starts),
        "written": written,
    }
