import numpy as np
import pandas as pd
import pytest

from geo.power.constraints import PUBLISHED_RANK, SharedConstraints
from geo.power.hosting import Case, hosting_capacity, prepare_islands
from geo.power.naming import Names
from tests.geo.power.cases import network_of
from tests.geo.power.test_sharing import corridor
from tests.oracle import power as plain

MID = Case("mid")


def shared(frames):
    network = network_of(frames)
    islands = prepare_islands(network)
    hosting = hosting_capacity(network, islands, [MID], np.arange(network.bus_id.size))
    return network, hosting, SharedConstraints.of(network, islands, hosting, MID)


@pytest.fixture(scope="module")
def new_england():
    return shared(plain.ieee("39"))


def plain_added(hosting, constraints, factor, first, second, first_mw):
    """What the formula says, one constraint after the other, with the factors of load flows."""
    if first == second:
        return max(hosting.secure_mw[0, second] - first_mw, 0.0)
    left = hosting.secure_mw[0, second]
    left = min(left, constraints.supply_mw[0] - first_mw)
    for number, margin in enumerate(constraints.margin_mw):
        one, other = factor[number, first], factor[number, second]
        if other >= MID.factor_floor:
            taken = one * first_mw if one >= MID.factor_floor else 0.0
            left = min(left, (margin - taken) / other)
    return max(left, 0.0)


def factors(network, constraints):
    """Sensitivity of every constraint to every bus in its direction, of load flows without each branch."""
    grid = plain.PlainGrid(plain.ieee("39"))
    out = np.empty((constraints.branch.size, network.bus_id.size))
    for bus, name in enumerate(network.bus_id):
        supply = grid.supplies(name)["committed"]
        change = supply / supply.sum()
        change[grid.node[name]] -= 1.0
        before, after = np.moveaxis(grid.flows_with(change, [0.0, 1.0], 1.0), 2, 0)
        for number, (branch, outage) in enumerate(
            zip(constraints.branch, constraints.outage, strict=True)
        ):
            left_out = None if outage < 0 else grid.ids.index(network.branch_id[outage])
            state, at = grid.states.index(left_out), grid.ids.index(network.branch_id[branch])
            out[number, bus] = after[state, at] - before[state, at]
    return out * constraints.direction[:, None]


def test_what_a_second_site_adds_is_what_load_flows_say_of_every_constraint(new_england):
    network, hosting, constraints = new_england
    factor = factors(network, constraints)
    rng = np.random.default_rng(4)
    first, second = rng.integers(0, 39, (2, 300))
    first_mw = hosting.secure_mw[0, first] * rng.choice([0.0, 0.3, 1.0, 2.0], 300)
    expected = [
        plain_added(hosting, constraints, factor, *row)
        for row in zip(first, second, first_mw, strict=True)
    ]
    found = constraints.added_mw(first, second, first_mw)
    assert found == pytest.approx(expected, abs=1e-6)
    alone = hosting.secure_mw[0, second]
    assert (found < alone - 1.0).mean() > 0.1
    assert (found[first_mw == 0.0] == alone[first_mw == 0.0]).all()


def test_two_sites_behind_one_corridor_share_it_and_the_works_do_not():
    network, hosting, constraints = shared(corridor())
    a, b, works = (int(np.flatnonzero(network.bus_id == name)[0]) for name in ("a", "b", "works"))
    assert hosting.secure_mw[0, [a, b]] == pytest.approx([120.0, 120.0])
    found = constraints.added_mw(np.array([a, a, a]), np.array([b, a, works]), np.full(3, 50.0))
    assert found == pytest.approx([70.0, 70.0, 4_950.0])


def test_generation_is_shared_too():
    network, _, constraints = shared(corridor(limit=2_000.0, generator=100.0))
    a, b = (int(np.flatnonzero(network.bus_id == name)[0]) for name in ("a", "b"))
    assert constraints.added_mw([a], [b], [30.0]) == pytest.approx([70.0])


def test_rows_without_a_load_flow_have_their_own_megawatts():
    _, hosting, constraints = shared(corridor())
    own_mw = np.array([500.0, hosting.secure_mw[0, 1], np.nan, hosting.secure_mw[0, 0]])
    rows = constraints.at(np.array([-1, 1, -1, 0]), own_mw)
    first, second = np.array([0, 1, 1, 3, 0, 2]), np.array([1, 0, 2, 1, 0, 1])
    found = rows.added_mw(first, second, np.full(6, 50.0))
    assert found == pytest.approx([120.0, 500.0, np.nan, 70.0, 450.0, 120.0], nan_ok=True)


def test_it_is_kept_in_a_file_and_read_again(new_england, tmp_path):
    _, hosting, constraints = new_england
    np.savez(tmp_path / "shared.npz", **constraints.to_arrays())
    with np.load(tmp_path / "shared.npz") as arrays:
        again = SharedConstraints.from_arrays(arrays)
    first, second = np.divmod(np.arange(39 * 39), 39)
    drawn = hosting.secure_mw[0, first]
    told = constraints.added_mw(first, second, drawn)
    assert (again.added_mw(first, second, drawn) == told).all()


def test_a_plan_that_keeps_to_what_is_published_overloads_none_of_it(new_england):
    """And what each site has alone uses up its first constraint."""
    network, hosting, constraints = new_england
    names = Names(network, pd.Series(dtype=object))
    frame = constraints.frame(network, names, MID)
    leaning = constraints.leaning(network.bus_id)
    assert frame["constraint_no"].is_unique
    assert len(frame) < constraints.branch.size
    told = leaning.merge(frame, on="constraint_no", validate="many_to_one")
    assert len(told) == len(leaning)
    alone = (told["margin_mw"] / told["mw_per_mw"]).groupby(told["substation_id"]).min()
    limited = hosting.limit_branch[0] >= 0
    assert alone[network.bus_id[limited]].to_numpy() == pytest.approx(
        hosting.secure_mw[0, limited], abs=1e-6
    )
    assert (leaning["mw_per_mw"] >= MID.factor_floor).all()
    counted = leaning.groupby("constraint_no").size()
    assert counted[frame["constraint_no"]].tolist() == frame["substation_count"].tolist()
    intact = frame[frame["outage_branch_id"].isna()]
    assert (intact["limit_mw"] - intact["base_flow_mw"]).to_numpy() == pytest.approx(
        intact["margin_mw"].to_numpy()
    )
    assert (constraints.rank[frame["constraint_no"]] <= PUBLISHED_RANK).all()
