"""What it costs to bring fiber to a parcel: a lateral built along roads from a node."""

import numpy as np

from geo.errors import GeoError
from geo.fiber.rules import LatencyRules


def lateral_musd(straight_mi: np.ndarray, rules: LatencyRules) -> np.ndarray:
    """Price of laterals: straight miles x route factor x price of a route mile, end by end.

    Construction alone, in the dollars of the table's source; no equipment, no lease, no crossing fee. The
    low end is a short route on poles, the high end a long one in the ground.

    Parameters
    ----------
    straight_mi
        Geodesic miles from the parcel to the node, any shape; NaN where there is no node.
    rules
        `lateral_factor` and `lateral_musd_per_mi`.

    Returns
    -------
    Low, mid and high, M$, shape (..., 3); NaN where the miles are.

    Raises
    ------
    GeoError
        Miles are below 0 or infinite.
    """
    straight_mi = np.asarray(straight_mi, dtype=np.float64)
    if (straight_mi < 0.0).any() or np.isinf(straight_mi).any():
        msg = "A lateral has miles below 0 or infinite; pass NaN where there is no node."
        raise GeoError(msg)
    musd_per_mi = np.array(rules.lateral_factor) * np.array(rules.lateral_musd_per_mi)
    return straight_mi[..., None] * musd_per_mi
