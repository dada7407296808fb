"""People in reach where their source ends: unknown as soon as light could bring somebody of beyond."""

import numpy as np
import pandas as pd
import pytest
import shapely

from geo.measure import measure, prepare
from geo.people import PeopleSource
from tests.geo.test_measure import CELL, HERE, at
from tests.oracle.fiber_reach import Fiber
from tests.oracle.worlds import HEADROOM, TIE_LINES, layers

BUDGETS_MS = (5, 10, 20)
# Light does 63.4 miles of fiber, there and back, in a millisecond.
MI_PER_MS = 1 / (2 * 0.0049 * 1.609344)


def counted(gap_mi):
    """People within the round trips of a cell, when nothing is known from some miles to its east on."""
    village = {"people": [700.0], **{key: [value] for key, value in at(10.0, 3.0).items()}}
    held = layers()
    node = {"node_id": ["n"], "node_name": ["N"], "lon": [HERE[0]], "lat": [HERE[1]]}
    fiber = Fiber(
        node=pd.DataFrame(node | {"is_connected": [True]}), node_ms=np.zeros((1, 1, 3)),
        metro=held.metro, ixp=held.ixp, people=pd.DataFrame(village), ixp_node=np.empty(0, int),
        partners=[[]], paths=np.array([1]), basis=np.array([0]),
    )  # fmt: skip
    uncovered = None
    if gap_mi is not None:
        lon, lat = CELL.loc[0, ["lon", "lat"]]
        # A band that curves less than the great circle: its nearest point lies due east, or nearly.
        edge = at(90.0, gap_mi, (lon, lat))
        uncovered = np.array([shapely.box(edge["lon"], lat - 8.0, edge["lon"] + 1.0, lat + 8.0)])
    milli = np.array([700_000])
    source = PeopleSource.of_milli(
        np.array(village["lon"]), np.array(village["lat"]), milli, uncovered=uncovered
    )
    engine = prepare(
        held, pd.DataFrame(columns=HEADROOM), TIE_LINES, fiber=fiber.index(), people=source
    )
    return measure(CELL, engine).iloc[0]


@pytest.mark.parametrize("gap_mi", [None, 200.0, 400.0, 800.0])
def test_counts_are_unknown_where_light_reaches_beyond_the_source(gap_mi):
    found = counted(gap_mi)
    for budget in BUDGETS_MS:
        is_known = gap_mi is None or budget * MI_PER_MS < gap_mi
        for end in ("low", "mid", "high"):
            people = found[f"people_{budget}ms_{end}"]
            assert (people == 700) if is_known else pd.isna(people)
    assert found["population_100mi"] == 700
