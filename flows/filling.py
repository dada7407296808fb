"""How regions are filled: each substation with what others of the region leave it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from flows.power import FLOW_SUFFIX
from geo.power.filling import fill_regions
from geo.power.sharing import Sharing

BY_LOAD_FLOW = "load_flow"


def region_filler(power: Path) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Give what fills regions: by the load flow behind a table of substations, if there is one.

    A substation whose capacity was stated or estimated has its own megawatts, whatever others draw.
    """

    def fill(candidates: pd.DataFrame) -> pd.DataFrame:
        sharing = read_sharing(power)
        if sharing is not None:
            bus = bus_of(power, sharing)
            candidates = candidates.assign(
                bus=candidates["substation_id"].map(bus).fillna(-1).astype("int64")
            )
        return pd.concat([candidates, fill_regions(candidates, sharing)], axis=1)

    return fill


def read_sharing(power: Path) -> Sharing | None:
    """Read the load flow behind a table of substations; None where there is none."""
    path = power.with_suffix(FLOW_SUFFIX)
    if not path.is_file():
        return None
    with np.load(path) as arrays:
        return Sharing.from_arrays(arrays)


def bus_of(power: Path, sharing: Sharing) -> pd.Series:
    """Row of the bus of each substation whose capacity the load flow gives, by its id."""
    told = pd.read_parquet(power, columns=["substation_id", "connect_bus_id", "method"])
    told = told[(told["method"] == BY_LOAD_FLOW) & told["connect_bus_id"].notna()]
    row = pd.Series(np.arange(sharing.bus_id.size), index=sharing.bus_id)
    return told.set_index("substation_id")["connect_bus_id"].map(row)
