"""What tests of costs share: the rules of the reference tables and frames of made parcels."""

from functools import cache
from pathlib import Path

import pandas as pd
from hypothesis import strategies as st

from geo.cost.rules import CostRules
from geo.cost.tables import cost_frame

REFERENCE = Path(__file__).parents[3] / "data" / "reference"
TABLES = {
    name: pd.read_csv(REFERENCE / f"{name}.csv")
    for name in ("cost", "tie_line", "latency", "pue", "gpu")
}
INDEX = pd.read_csv(REFERENCE / "price_index.csv")
PARCEL = {
    "deliverable_mw": 400.0,
    "tie_line_kv": 230.0,
    "tie_line_mi": 7.8,
    "lit_node_mi": 12.0,
    "diverse_node_mi": 31.0,
    "industrial_usd_per_mwh": 60.0,
    "cooling_degree_days_65f": 1_000.0,
    "generation_queue_mw": 30_000.0,
    "land_value_usd_per_acre": 4_000.0,
    "slope_mean_pct": 3.0,
    "rtt_unknown_reason": None,
}


@cache
def rules(basis="state", year=2024):
    return CostRules.from_frames(cost_frame(TABLES, basis=basis), INDEX, year)


def frame(*parcels):
    """A frame of parcels, each `PARCEL` but for what is given of it; None is unknown."""
    made = pd.DataFrame([PARCEL | parcel for parcel in parcels])
    numbers = [name for name in PARCEL if name != "rtt_unknown_reason"]
    made = made.astype(dict.fromkeys(numbers, "float64"))
    return made.set_axis([f"p{number}" for number in range(len(made))])


def within(low, high):
    return st.none() | st.floats(low, high)


parcels = st.fixed_dictionaries(
    {
        "deliverable_mw": st.none() | st.just(0.0) | st.floats(1.0, 1_000.0),
        "tie_line_kv": st.none()
        | st.sampled_from([69.0, 115.0, 138.0, 161.0, 345.0, 765.0, 236.0]),
        "tie_line_mi": st.none() | st.floats(0.0, 26.0) | st.sampled_from([3.9, 13.0]),
        "lit_node_mi": within(0.0, 100.0),
        "diverse_node_mi": within(0.0, 100.0),
        "industrial_usd_per_mwh": within(20.0, 250.0),
        "cooling_degree_days_65f": within(0.0, 5_000.0),
        "generation_queue_mw": within(0.0, 300_000.0),
        "land_value_usd_per_acre": within(0.0, 1e6),
        "slope_mean_pct": within(0.0, 40.0),
        "rtt_unknown_reason": st.sampled_from(
            [None, "no connected node within 100 miles", "no fiber layer"]
        ),
    }
)
