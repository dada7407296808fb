"""What changed in a layer from one night to the next, and which columns of layers parcels are measured by."""

from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.layers import Layers

# Whatever measuring looks at. It is given no other column, so that what changes elsewhere cannot matter.
USED = {
    "substation": ("substation_id", "kv_max", "lon", "lat"),
    "line": ("line_id", "kv_min", "kv_max", "is_dc", "geometry"),
    "plant": ("capacity_mw", "fuel_kind", "lon", "lat"),
    "retiring_plant": ("capacity_mw", "retirement_year", "retirement_status", "lon", "lat"),
    "zone_point": ("zone_id", "state_id", "lon", "lat"),
    "metro": ("metro_id", "metro_name", "metro_people", "is_major", "lon", "lat"),
    "metro_county": ("county_id", "metro_id"),
    "place": ("place_name", "state_id", "lon", "lat"),
    "people": ("people", "lon", "lat"),
    "pop": ("pop_id", "carrier_id", "carrier_name", "carrier_kind", "lon", "lat"),
    "ixp": ("ixp_id", "ixp_name", "is_inferred", "lon", "lat"),
    "lake": ("geometry",),
    "park": ("geometry",),
    "developable": ("developable_share", "state_id", "cell_km", "lon", "lat"),
    "climate_point": ("heating_degree_days_65f", "cooling_degree_days_65f", "lon", "lat"),
    "land_value": ("land_value_usd_per_acre", "cell_km", "lon", "lat"),
    "state": (
        *("state_id", "industrial_usd_per_mwh", "generation_queue_mw"),
        *("heating_degree_days_65f", "cooling_degree_days_65f"),
    ),
    "county_fact": (
        *("county_id", "population_people", "hazard_usd", "industrial_usd_per_mwh"),
        *("generation_queue_mw", "fiber_coverage_share"),
    ),
    "data_center": ("lon", "lat"),
}


def used(layers: Layers) -> Layers:
    """Layers with the columns that parcels are measured by, and no other.

    Raises
    ------
    KeyError
        A layer lacks one of them.
    """
    return Layers(**{name: getattr(layers, name)[[*columns]] for name, columns in USED.items()})


@dataclass(frozen=True, eq=False)
class Changes:
    """Rows in which two nights' frames differ; what is left of both is the same rows in the same order.

    Attributes
    ----------
    removed
        Rows of the old frame that are gone, altered or elsewhere in the order.
    added
        Rows of the new frame that are new, altered or elsewhere in the order.
    """

    removed: pd.DataFrame
    added: pd.DataFrame

    @classmethod
    def of(cls, old: pd.DataFrame, new: pd.DataFrame, *, is_ordered: bool = True) -> Self:
        """Compare all columns of two frames, numbers to the bit, unknown equal to unknown.

        Parameters
        ----------
        old, new
            Frames with the same columns; a GeoDataFrame's shapes count by their vertices.
        is_ordered
            Whether the order of the rows matters, as it does where the first of equals wins.
        """
        if old is new:
            return cls(old.iloc[:0], new.iloc[:0])
        # Most nights differ in a few rows that stand together: the rest is told by comparing row by row.
        ahead, behind = _ends(old, new)
        old, new = (frame.iloc[ahead : len(frame) - behind] for frame in (old, new))
        old_kept, new_kept = _common(*_row_numbers(old, new), is_ordered=is_ordered)
        return cls(old[~old_kept], new[~new_kept])

    def __len__(self) -> int:
        """Count the rows that differ, an altered one once."""
        return max(len(self.removed), len(self.added))

    @cached_property
    def rows(self) -> pd.DataFrame:
        """What was removed and what was added, one frame; altered rows as they were and as they are."""
        kept = [frame for frame in (self.removed, self.added) if len(frame)]
        return pd.concat(kept, ignore_index=True) if kept else self.added


def _ends(old: pd.DataFrame, new: pd.DataFrame) -> tuple[int, int]:
    """How many first rows, and how many last of the others, are equal."""
    count = min(len(old), len(new))
    ahead = _run(old.iloc[:count], new.iloc[:count])
    count -= ahead
    if not count:
        return ahead, 0
    return ahead, _run(old.iloc[: -count - 1 : -1], new.iloc[: -count - 1 : -1])


def _run(old: pd.DataFrame, new: pd.DataFrame) -> int:
    """How many first rows of two frames of one length are equal."""
    is_equal = np.ones(len(new), dtype=bool)
    for name in new.columns:
        one, other = _values(old[name], new[name])
        is_equal &= one == other
    return len(is_equal) if is_equal.all() else int(np.argmin(is_equal))


def _row_numbers(old: pd.DataFrame, new: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of rows, equal where all their columns are: shapes (old,) and (new,)."""
    number = np.zeros(len(old) + len(new), dtype=np.int64)
    for name in new.columns:
        code = pd.factorize(np.concatenate(_values(old[name], new[name])))[0] + 1
        number = pd.factorize(number * (code.max(initial=0) + 1) + code)[0]
    return number[: len(old)], number[len(old) :]


def _values(old: pd.Series, new: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Values of two columns as arrays of one type that are equal where they are, unknown (None) too."""
    if isinstance(old, gpd.GeoSeries) or isinstance(new, gpd.GeoSeries):
        one, other = (shapely.to_wkb(held.to_numpy(), include_srid=False) for held in (old, new))
        return one, other
    if not all(
        isinstance(held.dtype, np.dtype) and held.dtype.kind in "iuf" for held in (old, new)
    ):
        one, other = (held.astype(object).to_numpy(copy=True) for held in (old, new))
        for values in (one, other):
            values[pd.isna(values)] = None
        return one, other
    if old.dtype.kind != "f" and new.dtype.kind != "f":
        return old.to_numpy(np.int64), new.to_numpy(np.int64)
    one, other = (held.to_numpy(np.float64, copy=True) for held in (old, new))
    for values in (one, other):
        # NaN has many bit patterns; -0.0 and 0.0 are two values, since a kernel might tell them apart.
        values[np.isnan(values)] = np.nan
    return one.view(np.int64), other.view(np.int64)


def _common(old: np.ndarray, new: np.ndarray, *, is_ordered: bool) -> tuple[np.ndarray, np.ndarray]:
    """Mark what two sequences have in common, in the same order where it matters."""
    if np.array_equal(old, new):
        return np.ones(len(old), dtype=bool), np.ones(len(new), dtype=bool)
    # The first of equal rows meets the first, the second the second.
    times = max(old.max(initial=0), new.max(initial=0)) + 1
    old = old + times * pd.Series(old).groupby(old).cumcount().to_numpy(np.int64)
    new = new + times * pd.Series(new).groupby(new).cumcount().to_numpy(np.int64)
    _, old_at, new_at = np.intersect1d(old, new, assume_unique=True, return_indices=True)
    if is_ordered:
        order = np.argsort(new_at)
        old_at, new_at = old_at[order], new_at[order]
        chosen = longest_rise(old_at)
        old_at, new_at = old_at[chosen], new_at[chosen]
    old_kept, new_kept = np.zeros(len(old), dtype=bool), np.zeros(len(new), dtype=bool)
    old_kept[old_at] = True
    new_kept[new_at] = True
    return old_kept, new_kept


def longest_rise(values: np.ndarray) -> np.ndarray:
    """Positions of a longest ascending subsequence of distinct integers."""
    if (np.diff(values) > 0).all():
        return np.arange(len(values))
    least: list[int] = []
    least_at: list[int] = []
    before = np.full(len(values), -1)
    for at, value in enumerate(values.tolist()):
        place = bisect_left(least, value)
        if place == len(least):
            least.append(value)
            least_at.append(at)
        else:
            least[place], least_at[place] = value, at
        before[at] = least_at[place - 1] if place else -1
    chosen = [least_at[-1]]
    while before[chosen[-1]] >= 0:
        chosen.append(int(before[chosen[-1]]))
    return np.array(chosen[::-1])
