"""What the steps of a run share: reuse of results, whole files, layers to read."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from data import store

Log = Callable[[str], None]
# Rows that a reader of a few has to hold.
ROW_GROUP = 65_536


def is_there(target: Path, what: str, log: Log) -> bool:
    """Whether the result of a step is there already; it is marked as used and told."""
    if target.is_file():
        os.utime(target)
        log(f"{what}: unchanged, reused")
        return True
    return False


def write(frame: pd.DataFrame | gpd.GeoDataFrame, target: Path) -> None:
    """Write a frame as (Geo)Parquet that appears whole."""
    temporary = target.with_name(target.name + ".part")
    if isinstance(frame, gpd.GeoDataFrame):
        frame.to_parquet(temporary, compression="zstd", row_group_size=ROW_GROUP)
    else:
        frame.to_parquet(temporary, compression="zstd", index=False)
    store.replace_atomically(temporary, target)


def attach(con: Any, layers: Path) -> None:
    """Let a connection read the layers of a run by their plain names."""
    con.execute("attach $path as layers (read_only)", {"path": str(layers)})
    con.execute("use layers")
