"""The rules of latency: from their table, and what they make of kilometres."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geo.errors import GeoError
from geo.fiber.rules import LatencyRules
from tests.geo.fiber.worlds import rules_of

TABLE = pd.read_csv(Path(__file__).parents[3] / "data" / "reference" / "latency.csv")


def test_a_hundred_miles_take_what_the_rule_of_thumb_says():
    rules = LatencyRules.from_frame(TABLE)
    np.testing.assert_allclose(
        rules.straight_ms(np.array(160.9344)), 160.9344 * 2 * 0.0049 * np.array([1.3, 1.7, 2.1])
    )
    assert rules.ceiling_ms(np.array(160.9344)) == pytest.approx(3.312, abs=1e-3)


@pytest.mark.parametrize(
    ("ms", "mi"), [(5.0, 4.01 / 2 / 0.0049 / 1.609344), (0.99, 0.0), (0.2, 0.0)]
)
def test_light_bounds_how_far_a_round_trip_reaches(ms, mi):
    rules = rules_of(light_us_per_km=4.9, access_ms=(0.99, 2.0, 9.0))
    assert rules.light_mi(ms) == pytest.approx(mi, rel=1e-12)


def test_what_is_above_the_ceiling_is_told_by_its_least_end():
    # 100 km of great circle may take 2.1 ms.
    rules = rules_of(light_us_per_km=5.0, straight_factor=(1.3, 1.7, 2.1))
    ms = [[1.3, 1.7, 2.1], [1.3, 1.7, 2.2], [1.3, 2.2, 2.2], [2.2, 2.3, 2.4], [1.0, np.inf, np.inf]]
    told = rules.above_ceiling(np.array([*ms, [np.nan] * 3]), np.full(6, 100.0))
    assert told.tolist() == ["none", "high", "mid", "low", None, None]


def test_a_laid_link_takes_its_length_its_slack_its_route_and_a_hop():
    rules = rules_of(
        light_us_per_km=5.0,
        right_of_way_factor=(1.0, 1.1, 1.2),
        routing_factor=(1.0, 1.5, 2.0),
        hop_ms=(0.1, 0.2, 0.3),
    )
    np.testing.assert_allclose(
        rules.laid_ms(np.array([100.0, 0.0])), [[1.1, 1.85, 2.7], [0.1, 0.2, 0.3]]
    )


def test_shipped_intervals_are_open_and_one_s_own_fiber_is_as_short_as_it_is_laid():
    rules = LatencyRules.from_frame(TABLE)
    assert rules.routing_factor[0] == rules.right_of_way_factor[0] == 1.0
    # End to end over the shortest conduit, both of the same source.
    assert rules.routing_factor[2] == pytest.approx(2.1 / 1.3, abs=0.02)
    for low, mid, high in (rules.straight_factor, rules.right_of_way_factor, rules.routing_factor):
        assert low < mid < high


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("hop_ms", {"low": 2.0}),
        ("hop_ms", {"mid": np.nan}),
        ("routing_factor", {"low": -1.0}),
        ("straight_factor", {"name": "straight"}),
        ("access_ms", {"high": np.inf}),
    ],
)
def test_a_table_with_a_fault_names_the_parameter(name, change):
    frame = TABLE.astype({"low": float, "mid": float, "high": float})
    for column, value in change.items():
        frame.loc[frame["name"] == name, column] = value
    with pytest.raises(GeoError, match=name):
        LatencyRules.from_frame(frame)
