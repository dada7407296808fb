"""What it would take to lift the limits of a substation: a first price, as a class."""

import numpy as np
import pandas as pd

from geo.tie_line import ROUTE_FACTOR, TieLineCosts

# Upper bounds of the classes, M$: a screening price is good to a factor of two or three, so the classes are
# wider than that.
COST_CLASSES = ((10.0, "$"), (50.0, "$$"), (200.0, "$$$"))
HIGHEST_CLASS = "$$$$"


def upgrade_musd(
    kv: np.ndarray, straight_mi: np.ndarray, is_in_substation: np.ndarray, costs: TieLineCosts
) -> np.ndarray:
    """Price the rebuilding of elements, M$.

    A line costs what a new one of its voltage does over its route, which a straight line is shorter
    than by `ROUTE_FACTOR`; what stands in a substation (transformer, bus tie) costs what a new substation does.

    Parameters
    ----------
    kv
        Higher voltage of each element, shape (n,).
    straight_mi
        Straight-line miles between its ends; NaN where a place is unknown.
    is_in_substation
        Whether both ends stand in one substation, or are of different voltages.
    costs
        Unit costs.

    Returns
    -------
    Shape (n,); NaN where the length is unknown.
    """
    row = costs.class_of(kv)
    line = costs.line_musd_per_mi[row] * ROUTE_FACTOR * straight_mi
    return np.where(is_in_substation, costs.substation_musd[row], line)


def cost_class(musd: float) -> str | None:
    """Class of a price: `$` under 10 M$, `$$` under 50, `$$$` under 200, `$$$$` from there; None for NaN."""
    if np.isnan(musd):
        return None
    return next((name for most, name in COST_CLASSES if musd < most), HIGHEST_CLASS)


def lifting(constraint: pd.DataFrame, wanted_mw: float) -> tuple[pd.DataFrame, float]:
    """Elements to rebuild until a substation serves a load, and what limits it then.

    Flows are taken to stay as they are, though an element of less reactance draws more.

    Parameters
    ----------
    constraint
        Constraints of one substation, one an element, with `alone_mw`.
    wanted_mw
        The load.

    Returns
    -------
    tuple
        The rows that bind under the load, tightest first, and the MW at which the next one binds; NaN where
        all that are known are among them.
    """
    order = constraint.sort_values("alone_mw", kind="stable")
    binds = (order["alone_mw"] < wanted_mw).to_numpy()
    left = order["alone_mw"][~binds]
    return order[binds], float(left.iloc[0]) if len(left) else np.nan
