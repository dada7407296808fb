"""Ranks of a run from sources, again from its published tables alone."""

import pytest

from data import store
from tests.oracle import reproduce


@pytest.mark.parametrize("workload", ["training", "inference"])
def test_ranks_of_a_run_come_out_of_its_tables_in_numpy(base, workload):
    with store.open_build(base.build) as con:
        ranked, regions = reproduce.check(con, workload)
    assert ranked > 0
    assert regions > 0
