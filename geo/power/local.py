"""What stands at a substation where no source says: the load of the people around it, the plants near it."""

import numpy as np
import pandas as pd

from geo.features import FeatureIndex
from geo.nearest import nearest
from geo.pairs import pairs_within
from geo.power.network import LOWEST_KV

# Generators stand at their own switchyard: the substation that takes them in lies near.
PLANT_REACH_MI = 3.0
# A plant of 345 kV does not feed a 230 kV substation next door; 236 and 245 kV are 230 kV ones.
KV_TOLERANCE = 0.95
# Subtransmission carries a city's load over a few miles; ten is twice what practitioners call workable.
SERVED_MI = 10.0
KW_PER_MW = 1000.0


def load_by_people(
    people: pd.DataFrame,
    substation: pd.DataFrame,
    import_mw: np.ndarray,
    peak_kw_per_person: float,
) -> np.ndarray:
    """Peak load of each substation, estimated from the people around it.

    The people of a point are served by the substations within `SERVED_MI` in proportion to what
    each can import, or, where none is that near, by the nearest with a circuit: the nearest alone
    would put 18 GW of New York on one substation and leave its neighbours free.

    Parameters
    ----------
    people
        Columns `people`, `lon`, `lat`.
    substation
        Columns `lon`, `lat`.
    import_mw
        N-1 import of each substation, shape (substations,), MW; NaN without a known circuit.
    peak_kw_per_person
        Coincident peak load per person, all sectors.

    Returns
    -------
    Shape (substations,), MW; NaN where no circuit is known. Sums to the peak of all people.
    """
    load_kw = np.full(len(substation), np.nan)
    row = np.flatnonzero(~np.isnan(import_mw))
    if people.empty or row.size == 0:
        return load_kw
    able = substation.iloc[row]
    lon, lat = people["lon"].to_numpy(), people["lat"].to_numpy()
    point, number, _ = pairs_within(
        lon, lat, able["lon"].to_numpy(), able["lat"].to_numpy(), SERVED_MI
    )
    weight = import_mw[row][number]
    point, number, weight = point[weight > 0], number[weight > 0], weight[weight > 0]
    share = weight / np.bincount(point, weight, minlength=len(people))[point]
    alone = np.setdiff1d(np.arange(len(people)), point)
    if alone.size:
        nearest_no, _ = nearest(_points(able), lon[alone], lat[alone])
        point = np.concatenate([point, alone])
        number = np.concatenate([number, nearest_no])
        share = np.concatenate([share, np.ones(alone.size)])
    peak_kw = people["people"].to_numpy(float)[point] * share * peak_kw_per_person
    load_kw[row] = np.bincount(number, peak_kw, minlength=len(able))
    return load_kw / KW_PER_MW


def feeding_substations(plant: pd.DataFrame, substation: pd.DataFrame) -> pd.Series:
    """Substation that each plant feeds into, on the index of the plants; missing where none is known.

    A plant that the source does not place is taken to feed the nearest substation within
    `PLANT_REACH_MI` whose voltage is known to be no lower than its own, when it connects at
    `LOWEST_KV` or more.

    Parameters
    ----------
    plant
        Columns `substation_id` (missing: not placed), `lon`, `lat`, `grid_kv` (NaN unknown).
    substation
        Columns `substation_id`, `lon`, `lat`, `kv_max` (NaN unknown).
    """
    found = plant["substation_id"].astype(object).to_numpy().copy()
    grid_kv = np.where(plant["substation_id"].isna(), plant["grid_kv"].to_numpy(float), np.nan)
    ids, kv_max = substation["substation_id"].to_numpy(object), substation["kv_max"].to_numpy(float)
    for kv in np.unique(grid_kv[grid_kv >= LOWEST_KV]):
        able = np.flatnonzero(kv_max >= KV_TOLERANCE * kv)
        asked = np.flatnonzero(grid_kv == kv)
        if able.size == 0:
            continue
        number, _ = nearest(
            _points(substation.iloc[able]),
            plant["lon"].to_numpy()[asked],
            plant["lat"].to_numpy()[asked],
            max_mi=PLANT_REACH_MI,
        )
        found[asked] = np.where(number >= 0, ids[able][number], None)
    return pd.Series(found, index=plant.index, name="substation_id")


def _points(frame: pd.DataFrame) -> FeatureIndex:
    return FeatureIndex.from_points(frame["lon"].to_numpy(), frame["lat"].to_numpy())
