"""What the steps of a run share: reuse of results, whole files, layers to read."""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from data import store
from flows.reporting import rows_of

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


def write_arrays(arrays: Mapping[str, Any], target: Path) -> None:
    """Write arrays as an `.npz` that appears whole."""
    temporary = target.with_name(target.name + ".part")
    with temporary.open("wb") as handle:
        np.savez(handle, **arrays)
    store.replace_atomically(temporary, target)


def beside(result: Path, table: str) -> Path:
    """Path of a table that a step writes beside its result, with the same stem."""
    return result.with_suffix(f".{table}.parquet")


def layer_content(con: Any, names: Iterable[str]) -> dict[str, str]:
    """Tell the rows of layers apart, wherever they come from; `con` reads the layers (`attach`)."""
    return {
        name: rows_of(con, "query/layer_content", {"layer": f"core.{name}"})[0]["content"]
        for name in names
    }


def attach(con: Any, layers: Path) -> None:
    """Let a connection read the layers of a run by their plain names."""
    con.execute("attach $path as layers (read_only)", {"path": str(layers)})
    con.execute("use layers")
