"""What can be wrong with data that arrive whole: columns, rows, and members of an archive."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import geopandas as gpd
import pandas as pd

Change = Callable[[pd.DataFrame], pd.DataFrame]

# A fixed date, so that equal content gives equal bytes.
_DATE = (2024, 1, 1, 0, 0, 0)
BOMB_BYTES = 3 * 1024**2


def renamed(frame: Any, column: str) -> Any:
    """Give a column another name."""
    return frame.rename(columns={column: f"{column}_new"})


def dropped(frame: Any, column: str) -> Any:
    """Leave a column out."""
    return frame.drop(columns=column)


def retyped(frame: Any, column: str) -> Any:
    """Write words where numbers stood."""
    return frame.assign(**{column: [f"about {value}" for value in frame[column]]})


def without_rows(frame: Any, _: str) -> Any:
    """Leave the columns and no row."""
    return frame.iloc[:0]


def csv_member(body: bytes, member: str, change: Change) -> bytes:
    """Change a table in a zip of CSV files."""
    members = unzip(body)
    table = pd.read_csv(io.BytesIO(members[member]), dtype=str, keep_default_na=False)
    return rezip(members | {member: change(table).to_csv(index=False).encode()})


def geoparquet(frame: gpd.GeoDataFrame) -> bytes:
    """Write GeoParquet into memory."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


def json_members(body: bytes, pattern: str, old: str, new: str) -> bytes:
    """Give a key another name in all JSON members whose names end in a pattern."""
    members = unzip(body)
    for name, content in members.items():
        if name.endswith(pattern):
            text = json.dumps(json.loads(content)).replace(f'"{old}":', f'"{new}":')
            members[name] = text.encode()
    return rezip(members)


def zip_bomb(body: bytes) -> bytes:
    """Add a member that unpacks to a thousand times its size."""
    return rezip(unzip(body) | {"zeros.csv": bytes(BOMB_BYTES)})


def dotdot_member(body: bytes) -> bytes:
    """Add a member that would be written beside the folder it is unpacked into."""
    return rezip(unzip(body) | {"../../evil.csv": b"a,b\n1,2\n"})


def unzip(body: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rezip(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, _DATE)
            archive.writestr(info, content, compress_type=zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
