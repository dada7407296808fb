"""What a cost is made of, parcel by parcel."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import pandas as pd

from geo.cost.terms import crf
from geo.errors import GeoError

Objective = Literal["delivered_usd_per_mwh", "usd_per_million_queries"]
USD_PER_MUSD = 1e6
# Without the price of energy, or a tie to the grid, nothing can be said of a site.
ESSENTIAL = ("energy", "tie_line", "substation")
# Of `missing`: there is no megawatt to state a cost at.
NO_MW = "deliverable_mw"


@dataclass(frozen=True, eq=False)
class Cost:
    """Cost of n parcels; low, mid and high in the last axis of every array, NaN unknown.

    Attributes
    ----------
    objective
        Unit of the terms and their total: dollars a MWh of IT load, or a million queries.
    index
        Of the parcels, shape (n,).
    cost_mw
        Megawatts at the grid connection that the cost is stated at: those asked for, or what the feeding
        substation delivers if that is less. NaN where it delivers nothing or nobody knows. Shape (n,).
    terms
        By name, in the unit of the objective, shape (n, 3).
    total
        Sum of the known terms, shape (n, 3); NaN where one of `ESSENTIAL` is not known.
    missing
        Names of the terms that are unknown and not in the total, a tuple a parcel, shape (n,);
        `deliverable_mw` where there is no megawatt to state a cost at.
    capital_musd
        What is spent once so that the site has power, fiber and level ground, M$, shape (n, 3): neither shell
        nor servers are in it. NaN where the tie line is.
    extras
        What goes with the objective, by name, shape (n, 3).
    """

    objective: Objective
    index: pd.Index
    cost_mw: np.ndarray
    terms: dict[str, np.ndarray]
    total: np.ndarray
    missing: np.ndarray
    capital_musd: np.ndarray
    extras: dict[str, np.ndarray]

    @classmethod
    def of(
        cls,
        objective: Objective,
        metric: pd.DataFrame,
        cost_mw: np.ndarray,
        terms: Mapping[str, np.ndarray],
        capital_usd: Mapping[str, np.ndarray],
        extras: Mapping[str, np.ndarray],
    ) -> Self:
        """Add terms up, and name those that are unknown."""
        no_mw = np.isnan(cost_mw)
        unknown = {name: np.isnan(values[:, 1]) for name, values in terms.items()}
        is_told = ~np.any([unknown[name] for name in ESSENTIAL], axis=0)
        has_tie = ~(unknown["tie_line"] | unknown["substation"])
        # Without megawatts every term of capital is unknown; that they lack is said once.
        names = [NO_MW, *terms]
        flags = [no_mw, *(unknown[n] & ~no_mw if n != "energy" else unknown[n] for n in terms)]
        return cls(
            objective,
            metric.index,
            cost_mw,
            dict(terms),
            np.where(is_told[:, None], _sum_of_known(terms), np.nan),
            _names_of(names, flags),
            np.where(has_tie[:, None], _sum_of_known(capital_usd) / USD_PER_MUSD, np.nan),
            dict(extras),
        )


def _sum_of_known(parts: Mapping[str, np.ndarray]) -> np.ndarray:
    return np.sum([np.nan_to_num(values) for values in parts.values()], axis=0)


def _names_of(names: list[str], flags: list[np.ndarray]) -> np.ndarray:
    """Names whose flag is set, a tuple a row; equal tuples are one."""
    code = np.zeros(len(flags[0]), dtype=np.int64)
    for bit, flag in enumerate(flags):
        code |= flag.astype(np.int64) << bit
    found = np.empty(len(code), dtype=object)
    for value in np.unique(code):
        told = tuple(name for bit, name in enumerate(names) if value >> bit & 1)
        rows = np.flatnonzero(code == value)
        found[rows] = np.frompyfunc(lambda _, told=told: told, 1, 1)(rows)
    return found


def recovery(rate_per_year: float, years: float) -> float:
    """Capital recovery factor of the rules, 1/year.

    Raises
    ------
    GeoError
        The rate or the years are not above 0.
    """
    if not (rate_per_year > 0.0 and years > 0.0):
        msg = "Capital is recovered over more than no years at a rate above 0."
        raise GeoError(msg)
    return float(crf(rate_per_year, years))
