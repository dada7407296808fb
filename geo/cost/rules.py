"""The parameters of costs out of their table, all dollars of one year."""

from dataclasses import dataclass, field, fields
from typing import Any, Self

import numpy as np
import pandas as pd

from geo.errors import GeoError

ENDS = ("low", "mid", "high")
Triple = tuple[float, float, float]
DOLLAR_YEAR = 2024


def chosen(asked: float | None, own: Triple) -> Triple:
    """Give what was asked for, at all three ends, or else the parameter of the rules."""
    return own if asked is None else (asked, asked, asked)


@dataclass(frozen=True, eq=False)
class Curve:
    """A parameter that depends on something: `at`, shape (k,), rising; `ends`, shape (k, 3)."""

    at: np.ndarray
    ends: np.ndarray

    def at_value(self, x: np.ndarray) -> np.ndarray:
        """Low, mid and high, linear between the points and flat outside, shape (n, 3); NaN where x is."""
        return np.column_stack([np.interp(x, self.at, column) for column in self.ends.T])

    def of_class(self, x: np.ndarray) -> np.ndarray:
        """Low, mid and high of the point nearest by ratio, shape (n, 3); NaN where x is."""
        bounds = np.sqrt(self.at[1:] * self.at[:-1])
        found = self.ends[np.searchsorted(bounds, np.nan_to_num(x, nan=1.0))]
        return np.where(np.isnan(x)[:, None], np.nan, found)

    @property
    def widest(self) -> np.ndarray:
        """Least low, mean mid and greatest high: what is known where x is not, shape (3,)."""
        return np.array([self.ends[:, 0].min(), self.ends[:, 1].mean(), self.ends[:, 2].max()])


@dataclass(frozen=True, eq=False)
class CostRules:
    """Parameters of costs, low, mid and high of each (reference/cost.csv, which gives sources).

    Dollars are of `dollar_year`; a parameter whose three values are equal is a plain number. The factors on
    prices and land values hold the change of the dollar since the year of the metric they multiply.

    Attributes
    ----------
    table
        The rows in the dollars of their own years.
    price_index
        Price index by year; None where every row is of `dollar_year`.
    dollar_year
        Year of the dollars of everything else.
    """

    discount_rate_per_year: float
    life_years: float
    training_load_factor: Triple
    inference_load_factor: Triple
    industrial_price_factor: Triple
    line_usd_per_mi: Curve
    substation_usd: Curve
    circuit_mva: Curve
    line_route_factor: Triple
    tie_line_cost_factor: Triple
    fiber_usd_per_mi: Triple
    fiber_reach_mi: float
    fiber_farthest_mi: float
    acres_per_mw: Triple
    land_value_factor: Triple
    land_unknown_usd_per_acre: Triple
    site_works_usd_per_acre: Curve
    slope_unknown_pct: Triple
    shell_usd_per_mw: Triple
    shell_ai_factor: Triple
    committed_share: Triple
    pue: Curve
    time_equipment_years: Triple
    large_load_mw: float
    time_study_years: Triple
    time_base_kv: float
    time_years_per_doubling: Triple
    time_years_per_mi: Triple
    time_queue_years: Triple
    queue_half_mw: float
    queue_counties: float
    build_years: Triple
    gpu_kw: float
    gpu_usd: Triple
    gpu_life_years: float
    gpu_utilisation: Triple
    wh_per_query: Triple
    dollar_year: int
    table: pd.DataFrame = field(repr=False)
    price_index: pd.Series | None = field(repr=False)

    @classmethod
    def from_frames(
        cls,
        cost: pd.DataFrame,
        price_index: pd.DataFrame | None = None,
        dollar_year: int = DOLLAR_YEAR,
    ) -> Self:
        """Read from one row a parameter (`tables.cost_frame`, or what a build keeps of it).

        Parameters
        ----------
        cost
            Columns `name`, `at_x`, `low`, `mid`, `high`, `unit`, `dollar_year`.
        price_index
            Columns `year`, `cpi_u`; not needed where every row is of `dollar_year`.
        dollar_year
            Year to bring dollars to.

        Raises
        ------
        GeoError
            A parameter is missing, no number, below 0 or out of order, its points are not different, or a year
            is not in the index.
        """
        index = None if price_index is None else price_index.set_index("year")["cpi_u"]
        now = _in_dollars_of(cost, index, dollar_year)
        # What else the table may hold is no parameter.
        groups = dict(list(now.groupby("name")))
        values: dict[str, Any] = {
            item.name: _parameter(item.name, item.type, groups.get(item.name))
            for item in fields(cls)
            if item.name not in {"dollar_year", "table", "price_index"}
        }
        return cls(**values, dollar_year=dollar_year, table=cost, price_index=index)

    def rebased(self, dollar_year: int) -> Self:
        """Give the same parameters in the dollars of another year."""
        index = None if self.price_index is None else self.price_index.reset_index()
        return self.from_frames(self.table, index, dollar_year)

    def frame(self) -> pd.DataFrame:
        """Rows in dollars of `dollar_year`, with `source_dollar_year`: what a run publishes."""
        now = _in_dollars_of(self.table, self.price_index, self.dollar_year)
        source_year = self.table["dollar_year"].astype("Int64")
        of_run = source_year.where(source_year.isna(), self.dollar_year)
        return now.assign(dollar_year=of_run, source_dollar_year=source_year)


def _in_dollars_of(cost: pd.DataFrame, index: pd.Series | None, dollar_year: int) -> pd.DataFrame:
    """Bring the rows that have a dollar year to one."""
    year = pd.to_numeric(cost["dollar_year"]).astype("Float64").to_numpy(float, na_value=np.nan)
    moved = ~np.isnan(year) & (year != dollar_year)
    factor = np.ones(len(cost))
    if moved.any():
        known = pd.Series(dtype=float) if index is None else index
        lacking = sorted({*year[moved].astype(int), dollar_year} - {*known.index})
        if lacking:
            msg = (
                f"The price index has no {', '.join(map(str, lacking))}, so dollars cannot be brought to "
                f"{dollar_year}: add the year to price_index.csv, or take another one."
            )
            raise GeoError(msg)
        factor[moved] = known[dollar_year] / known.loc[year[moved].astype(int)].to_numpy()
    return cost.assign(**{end: cost[end].astype(float) * factor for end in ENDS})


def _parameter(name: str, kind: Any, rows: pd.DataFrame | None) -> Any:
    values = np.empty((0, 3)) if rows is None else rows[[*ENDS]].to_numpy(float)
    is_ordered = np.isfinite(values).all() and (np.diff(values, axis=1) >= 0.0).all()
    if not (len(values) and is_ordered and (values >= 0.0).all()):
        msg = (
            f"The rules of costs have no low, mid and high of {name}, each at least the last and 0."
        )
        raise GeoError(msg)
    if kind is Curve:
        at = rows["at_x"].to_numpy(float) if rows is not None else np.empty(0)
        order = np.argsort(at)
        if not (np.diff(at[order]) > 0.0).all():
            msg = f"Two points of {name} in the rules of costs are for the same value, or for none."
            raise GeoError(msg)
        return Curve(at[order], values[order])
    if len(values) > 1:
        msg = f"The rules of costs have {name} more than once."
        raise GeoError(msg)
    low, mid, high = map(float, values[0])
    if kind is float and low != high:
        msg = f"{name} of the rules of costs is one number: low, mid and high have to be equal."
        raise GeoError(msg)
    return mid if kind is float else (low, mid, high)
