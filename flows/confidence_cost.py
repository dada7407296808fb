"""What parcels are ranked by when the cheapest comes first: each term of their cost in its interval."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from geo.cost.result import Cost
from geo.decide.confidence import Quantity, ScoreInputs
from geo.decide.draws import codes_of

# Who shares the error of a term: a price has its state's, work at a voltage its price guide's, land its county's;
# any other is of rules that hold for all.
SHARED_BY = {
    "energy": "state",
    "tie_line": "kv",
    "substation": "kv",
    "land": "county",
    "site_works": "county",
}
PRICED = "priced"


def cost_inputs(
    cost: Cost,
    gates: tuple[Quantity, ...],
    groups: Mapping[str, np.ndarray],
    kv: pd.Series,
) -> ScoreInputs:
    """Give what parcels are ranked by, the least cost first.

    Parameters
    ----------
    cost
        Cost of parcels, in the order of their ids.
    gates
        Metrics of the profile's gates, of the same parcels: what fails one ranks nowhere.
    groups
        Codes of those who share errors, by `state`, `county` and `all`.
    kv
        Voltage of each tie line.

    Returns
    -------
    ScoreInputs
        Each term counts by its dollars: scores fall as the sum of the terms rises, a unit of 2^20 being a millionth of
        what all terms may be together. A term that is unknown is not in the sum, as it is not in the published
        total; a parcel without a total ranks nowhere.
    """
    at_kv = {**groups, "kv": codes_of(kv.astype("string").fillna("").to_numpy())}
    # Powers of two, so that another parcel seldom changes what a unit is.
    most = {
        name: 2.0 ** np.ceil(np.log2(max(np.nanmax(ends, initial=0.0), 1e-6)))
        for name, ends in cost.terms.items()
    }
    total = sum(most.values())
    is_priced = (~np.isnan(cost.total[:, 1])).astype(np.float64)
    own = np.zeros(is_priced.size, dtype=np.uint64)
    quantities: list[Any] = [Quantity(PRICED, is_priced, is_priced, is_priced, own, at_least=1.0)]
    for name, ends in cost.terms.items():
        low, mid, high = np.nan_to_num(ends).T
        quantities.append(
            Quantity(
                name,
                np.minimum(low, mid),
                mid,
                np.maximum(high, mid),
                at_kv[SHARED_BY.get(name, "all")],
                most[name] / total,
                ((0.0, 1.0), (most[name], 0.0)),
            )
        )
    return ScoreInputs(np.asarray(cost.index, dtype=object), (*quantities, *gates))
