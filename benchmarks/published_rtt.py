"""Round trips that publishers state between places, held against those of a fiber index."""

from pathlib import Path

import numpy as np
import pandas as pd

from geo.fiber.latency import FiberIndex
from geo.geodesy import GEOD

PAIRS = Path(__file__).parents[1] / "tests" / "geo" / "fiber" / "published_rtt.csv"
# The note of a place that its publisher names by state alone.
STATE_ONLY = "state only"
# By which the pairs are told apart, great circle.
BANDS_KM = (0.0, 150.0, 500.0, 1_500.0, 3_000.0, 5_000.0)


def published() -> pd.DataFrame:
    """Read the published pairs, with `km` of great circle and `is_placed`: both places are known to the city."""
    pairs = pd.read_csv(PAIRS, dtype={"location_note": str})
    ends = [pairs[name].to_numpy(float) for name in ("from_lon", "from_lat", "to_lon", "to_lat")]
    note = pairs["location_note"].fillna("")
    return pairs.assign(km=GEOD.inv(*ends)[2] / 1000, is_placed=~note.str.contains(STATE_ONLY))


def judged(pairs: pd.DataFrame, index: FiberIndex) -> pd.DataFrame:
    """Add the model's round trip between the two points to pairs.

    Adds `low`, `mid`, `high` (ms; NaN where a point has no node in reach), `is_covered` (low <= published
    <= high, nothing allowed for rounding), `error` (mid over published, less 1) and `width` (high less low, over
    mid).
    """
    here, there = (
        index.access(pairs[f"{end}_lon"].to_numpy(float), pairs[f"{end}_lat"].to_numpy(float))
        for end in ("from", "to")
    )
    ms = np.full((len(pairs), 3), np.nan)
    lateral = here.lateral_ms(index.rules), there.lateral_ms(index.rules)
    for row in range(len(pairs)):
        ways = [
            lateral[0][row, i] + index.node_ms[a, b].astype(float) + lateral[1][row, j]
            for i, a in enumerate(here.node_no[row])
            for j, b in enumerate(there.node_no[row])
            if a >= 0 and b >= 0
        ]
        if ways:
            ms[row] = np.min(ways, axis=0) + np.array(index.rules.access_ms)
    low, mid, high = ms.T
    rtt = pairs["rtt_ms"].to_numpy(float)
    return pairs.assign(
        low=low,
        mid=mid,
        high=high,
        is_covered=(low <= rtt) & (rtt <= high),
        error=mid / rtt - 1.0,
        width=(high - low) / mid,
    )


def told(found: pd.DataFrame) -> dict[str, float]:
    """Pairs, share covered, median width, median error of the middle and of its size."""
    return {
        "pairs": len(found),
        "covered": float(found["is_covered"].mean()),
        "width": float(found["width"].median()),
        "error": float(found["error"].median()),
        "size_of_error": float(found["error"].abs().median()),
        "above": float((found["rtt_ms"] > found["high"]).mean()),
        "below": float((found["rtt_ms"] < found["low"]).mean()),
    }
