import dataclasses

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from geo.errors import GeoError
from geo.power import hosting, outages
from geo.power.hosting import (
    SUPPLIES,
    Case,
    hosting_capacity,
    prepare_islands,
    supplies_of,
    waived_elements,
    waived_pairs,
)
from geo.power.outages import Screening
from tests.geo.power.cases import ODD, bus, line, network_of, shuffled, unit
from tests.oracle import power as plain

MID = Case("mid")
CASES = (
    MID,
    Case("low", "low", 0.95, 1.05, supplies=SUPPLIES),
    Case("high", "high", 1.15, 0.85, supplies=SUPPLIES, takes="most"),
    Case("night", flow_factor=0.4, supplies=("zone", "committable")),
    Case("strict", emergency_factor=1.1, factor_floor=0.02),
)


def every_bus(frames, cases=CASES, rules=None, **options):
    network = network_of(frames)
    islands = prepare_islands(network, rules)
    every = np.arange(network.bus_id.size)
    return network, hosting_capacity(network, islands, cases, every, **options)


def limit_name(network, found, case, site):
    element, outage = found.limit_branch[case, site], found.limit_outage[case, site]
    if element < 0:
        return "supply", None
    return network.branch_id[element], network.branch_id[outage] if outage >= 0 else None


def assert_agrees(grid, network, found, cases):
    for c, case in enumerate(cases):
        for site, row in enumerate(found.bus):
            intact, secure, named = grid.hosting(network.bus_id[row], case)
            # Where a rule hangs on a rounding there is no right answer.
            if grid.doubt < 1e-7:
                return
            assert found.intact_mw[c, site] == pytest.approx(intact, rel=1e-6, abs=1e-4)
            assert found.secure_mw[c, site] == pytest.approx(secure, rel=1e-6, abs=1e-4)
            assert not named or limit_name(network, found, c, site) in named


def solvable(frames):
    """The plain grid, if dense inverses are good for as many digits as the tests compare."""
    try:
        grid = plain.PlainGrid(frames)
    except np.linalg.LinAlgError:
        grid = None
    assume(grid is not None and grid.worst < 1e5)
    return grid


def test_capacity_of_every_bus_of_ieee_39_is_that_of_bisection():
    frames = plain.ieee("39")
    network, found = every_bus(frames)
    assert_agrees(plain.PlainGrid(frames), network, found, CASES)
    assert (found.secure_mw[0] > 0).mean() > 0.5
    assert (found.limit_outage[0] >= 0).any()


def test_capacity_of_buses_of_ieee_118_is_that_of_bisection():
    frames = plain.ieee("118")
    network = network_of(frames)
    found = hosting_capacity(network, prepare_islands(network), CASES[:1], np.arange(0, 118, 13))
    assert_agrees(plain.PlainGrid(frames), network, found, CASES[:1])


@settings(ODD, max_examples=40)
@given(plain.frames_of_cases(), st.sampled_from(CASES))
def test_capacity_of_every_bus_of_odd_networks_is_that_of_bisection(frames, case):
    grid = solvable(frames)
    network, found = every_bus(frames, (case,), Screening.none())
    assert_agrees(grid, network, found, (case,))


def test_the_returned_load_overloads_nothing_and_one_percent_more_what_is_named():
    frames = plain.ieee("39")
    network, found = every_bus(frames)
    grid = plain.PlainGrid(frames)
    named = 0
    for site, name in enumerate(network.bus_id):
        mw, (element, outage) = found.secure_mw[0, site], limit_name(network, found, 0, site)
        assert not overloaded(grid, name, mw * (1 - 1e-9))
        if element == "supply":
            assert mw == grid.supplies(name)["committed"].sum()
            continue
        named += 1
        over = overloaded(grid, name, mw * 1.01 + 1e-6)
        assert (element, outage) in over
        # Others are over it only if their own limit is no further away than that.
        tight = {network.branch_id[row] for row, limit in
                 zip(found.tight_branch[site], found.tight_mw[site], strict=True)
                 if limit <= mw * 1.01 + 1e-6}  # fmt: skip
        assert {one for one, _ in over} == tight
    assert named > 20


def overloaded(grid, name, mw):
    """Monitored elements over their limit with a load, and the outages: one load flow each."""
    change = grid.supplies(name)["committed"]
    change = change / change.sum()
    change[grid.node[name]] -= 1.0
    flow = grid.flows_with(change, [0.0, 1.0, mw], 1.0)
    out = set()
    for state, outage in enumerate(grid.states):
        limit = grid.rating[:, 1] * (1.0 if outage is None else 1.2)
        factor = flow[state, :, 1] - flow[state, :, 0]
        held = (np.abs(factor) >= 0.05) & (np.abs(flow[state, :, 0]) <= limit)
        hit = held & (np.sign(factor) * flow[state, :, 2] > limit)
        outage_id = None if outage is None else grid.ids[outage]
        out |= {(grid.ids[element], outage_id) for element in np.flatnonzero(hit)}
    return out


def test_the_tightest_constraints_are_those_of_load_flows():
    frames = plain.ieee("39")
    network, found = every_bus(frames, (MID,))
    grid = plain.PlainGrid(frames)
    row = {name: number for number, name in enumerate(grid.ids)}
    for site, name in enumerate(network.bus_id):
        change = grid.supplies(name)["committed"]
        change = change / change.sum()
        change[grid.node[name]] -= 1.0
        flow = grid.flows_with(change, [0.0, 1.0], 1.0)
        mws = []
        for place in range(found.tight_mw.shape[1]):
            element = row[network.branch_id[found.tight_branch[site, place]]]
            outage = found.tight_outage[site, place]
            outage = None if outage < 0 else row[network.branch_id[outage]]
            before, after = flow[grid.states.index(outage), element]
            factor = after - before
            limit = grid.rating[element, 1] * (1.0 if outage is None else 1.2)
            margin = limit - np.sign(factor) * before
            assert found.tight_factor[site, place] == pytest.approx(factor, abs=1e-8)
            assert found.tight_margin_mw[site, place] == pytest.approx(margin, abs=1e-6)
            mws.append(margin / abs(factor))
        assert found.tight_mw[site] == pytest.approx(mws, rel=1e-6)
        assert np.all(np.diff(found.tight_mw[site]) >= 0.0)
        assert len(set(found.tight_branch[site])) == len(mws)
        if found.limit_branch[0, site] >= 0:
            assert found.tight_branch[site, 0] == found.limit_branch[0, site]
            assert max(found.tight_mw[site, 0], 0.0) == pytest.approx(found.secure_mw[0, site])


@settings(ODD, max_examples=40)
@given(plain.frames_of_cases(), st.integers(0, 2**32 - 1))
def test_no_upgrade_lowers_a_capacity(frames, seed):
    solvable(frames)
    network = network_of(frames)
    islands = prepare_islands(network, Screening.none())
    rng = np.random.default_rng(seed)
    size = network.branch_id.size
    some = np.where(rng.random(size) < 0.3, rng.uniform(1.0, 4.0, size), 1.0)
    upgraded = [dataclasses.replace(case, upgrade=some) for case in CASES]
    every = np.arange(network.bus_id.size)
    before = hosting_capacity(network, islands, CASES, every)
    after = hosting_capacity(network, islands, upgraded, every)
    assert np.all(after.intact_mw >= before.intact_mw - 1e-9)
    assert np.all(after.secure_mw >= before.secure_mw - 1e-9)


@settings(ODD, max_examples=40)
@given(plain.frames_of_cases())
def test_low_mid_and_high_are_in_order_and_outages_only_take_away(frames):
    solvable(frames)
    _, found = every_bus(frames, CASES[:3], Screening.none())
    mid, low, high = found.secure_mw
    assert np.all(low <= mid + 1e-9)
    assert np.all(mid <= high + 1e-9)
    assert np.all(found.secure_mw <= found.intact_mw)
    for mw in (found.intact_mw, found.secure_mw):
        assert np.all(np.isfinite(mw) & (mw >= 0.0))


@settings(ODD, max_examples=40)
@given(plain.frames_of_cases(), st.sampled_from((MID, CASES[-1])))
def test_screening_loses_only_what_the_intact_network_does_not_monitor(frames, case):
    grid = solvable(frames)
    network, whole = every_bus(frames, (case,), Screening.none())
    _, fast = every_bus(frames, (case,))
    assert np.all(fast.secure_mw >= whole.secure_mw - 1e-9)
    for site in np.flatnonzero(fast.secure_mw[0] > whole.secure_mw[0] + 1e-6):
        name, (element, _) = network.bus_id[site], limit_name(network, whole, 0, site)
        change = grid.supplies(name)["committed"]
        change = change / change.sum()
        change[grid.node[name]] -= 1.0
        before, after = grid.flows_with(change, [0.0, 1.0], 1.0)[0, grid.ids.index(element)]
        assert abs(after - before) < case.factor_floor


def test_screening_loses_nothing_of_the_ieee_cases():
    for name in ("39", "118"):
        network, fast = every_bus(plain.ieee(name))
        _, whole = every_bus(plain.ieee(name), rules=Screening.none())
        assert np.array_equal(fast.secure_mw, whole.secure_mw)
        assert np.array_equal(fast.limit_branch, whole.limit_branch)
        few, all_of_them = (
            sum(len(island.outages) for island in prepare_islands(network, rules))
            for rules in (Screening(), Screening.none())
        )
        assert few < all_of_them / 2


def same(one, other, bus_id, branch_id, other_bus_id, other_branch_id):
    """Whether results are the same to the last bit, whatever the rows."""
    order, other_order = np.argsort(bus_id[one.bus]), np.argsort(other_bus_id[other.bus])

    def named(ids, rows):
        return np.where(rows >= 0, ids[rows], "")

    for field in dataclasses.fields(one):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if field.name in {"bus", "cases"}:
            continue
        if "branch" in field.name or "outage" in field.name:
            a, b = named(branch_id, a), named(other_branch_id, b)
        rows_first = field.name.startswith("tight")
        a = a[order] if rows_first else a[:, order]
        b = b[other_order] if rows_first else b[:, other_order]
        if not np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
            return False
    return True


@settings(ODD, max_examples=15)
@given(plain.frames_of_cases(), st.integers(0, 9))
def test_results_do_not_depend_on_the_order_of_rows(frames, seed):
    solvable(frames)
    network, found = every_bus(frames)
    mixed, again = every_bus(shuffled(frames, seed))
    ids = network.bus_id, network.branch_id, mixed.bus_id, mixed.branch_id
    assert same(found, again, *ids)


def test_results_do_not_depend_on_workers_blocks_sites_or_the_other_cases(monkeypatch):
    network, found = every_bus(plain.ieee("118"), workers=1)
    ids = (network.bus_id, network.branch_id) * 2
    monkeypatch.setattr(hosting, "BLOCKS", 1)
    monkeypatch.setattr(outages, "BLOCKS", 1)
    monkeypatch.setattr(outages, "ROOM", 1)
    islands = prepare_islands(network, workers=3)
    every = np.arange(118)
    assert same(found, hosting_capacity(network, islands, CASES, every, workers=4), *ids)
    assert same(found, hosting_capacity(network, islands, CASES, every[::-1].copy()), *ids)
    few = hosting_capacity(network, islands, CASES, np.array([90, 7, 7]))
    assert np.array_equal(few.secure_mw, found.secure_mw[:, [90, 7, 7]])
    assert np.array_equal(few.tight_branch, found.tight_branch[[90, 7, 7]])
    for c, case in enumerate(CASES):
        alone = hosting_capacity(network, islands, (case,), every)
        for name in ("intact_mw", "secure_mw", "limit_branch", "limit_outage"):
            assert np.array_equal(getattr(alone, name)[0], getattr(found, name)[c])


def test_where_nothing_serves_a_bus_its_capacity_is_zero_and_supply_its_limit():
    frames = plain.Frames.of(
        [bus("alone", 5.0), bus("dark1", 10.0), bus("dark2"), bus("full1"), bus("full2", 100.0),
         bus("lit1"), bus("lit2", 20.0), bus("windy1"), bus("windy2")],
        [line("dark", "dark1", "dark2"), line("full", "full1", "full2", rating_mva=500.0),
         line("lit", "lit1", "lit2", rating_mva=90.0), line("windy", "windy1", "windy2")],
        [unit("f", "full1", 100.0, 130.0), unit("l", "lit1", 50.0, 20.0),
         unit("a", "alone", 50.0), unit("w", "windy1", 50.0, fuel_kind="wind")],
    )  # fmt: skip
    network, found = every_bus(frames)
    lit = np.isin(network.bus_id, ["lit1", "lit2"])
    assert np.all(found.secure_mw[:, ~lit] == 0.0)
    assert np.all(found.intact_mw[:, ~lit] == 0.0)
    assert np.all(found.limit_branch[:, ~lit] == -1)
    assert np.all(found.tight_branch[~lit] == -1)
    # 30 MW of headroom, less than the 70 MW that the line has left.
    assert np.all(found.secure_mw[:3, lit] == 30.0)
    assert np.all(found.limit_branch[:, lit] == -1)


def test_what_is_over_its_limit_before_is_waived_intact_and_after_every_outage():
    branch = [line("over", "a", "b", rating_mva=50.0, flow_mw=60.0),
              line("side", "a", "c", x=0.2, rating_mva=200.0, flow_mw=20.0),
              line("back", "c", "b", x=0.2, rating_mva=70.0, flow_mw=40.0)]  # fmt: skip
    frames = plain.Frames.of(
        [bus("a"), bus("b", 100.0), bus("c")], branch, [unit("g", "a", 1000.0, 100.0)]
    )
    network, found = every_bus(frames, (MID,))
    assert network.branch_id[waived_elements(network)].tolist() == ["over"]
    element, outage, after = waived_pairs(network, prepare_islands(network)[0], 1.2)
    pairs = zip(network.branch_id[element], network.branch_id[outage], after, strict=True)
    # The outage of `over` brings 60 MW to `back`: 100 MW, over 1.2 times 70.
    assert [*pairs] == [("back", "over", pytest.approx(100.0))]
    assert limit_name(network, found, 0, 1) == ("back", None)
    assert found.secure_mw[0, 1] == pytest.approx((70.0 - 40.0) * 5.0)
    assert "over" not in network.branch_id[found.tight_branch[1][found.tight_branch[1] >= 0]]


def test_a_zone_that_runs_out_limits_only_the_most():
    frames = plain.Frames.of(
        [bus("a", zone_id="near"), bus("b", zone_id="far"), bus("c", zone_id="far")],
        [line("ab", "a", "b", rating_mva=100.0), line("bc", "b", "c", rating_mva=500.0)],
        [unit("near", "a", 30.0), unit("far", "c", 270.0)],
    )
    supplies = ("committed", "zone")
    cases = [Case("least", supplies=supplies), Case("most", supplies=supplies, takes="most"),
             Case("zone", supplies=("zone",))]  # fmt: skip
    _, found = every_bus(frames, cases)
    # From both, 9 of 10 MW come over ab: 100 / 0.9. The near zone alone covers 30 MW, the far one
    # serves b and c with nothing over ab.
    assert found.secure_mw[:, 0] == pytest.approx([100 / 0.9, 100 / 0.9, 30.0])
    assert found.secure_mw[:, 1] == pytest.approx([300.0, 300.0, 270.0])
    assert found.limit_branch[2].tolist() == [-1, -1, -1]


def test_headroom_of_supplies():
    frames = plain.Frames.of(
        [bus("a"), bus("b")], [line("ab", "a", "b")],
        [unit("1", "a", 100.0, 40.0), unit("2", "a", 100.0, 140.0), unit("3", "a", 100.0, -30.0),
         unit("4", "b", 70.0, 0.0, is_in_service=False), unit("5", "b", 50.0, fuel_kind="solar"),
         unit("6", "b", np.nan, 25.0)],
    )  # fmt: skip
    found = supplies_of(network_of(frames))
    assert found["committed"].tolist() == [60.0, 0.0, 100.0, 0.0, 0.0, 0.0]
    assert found["committable"].tolist() == [60.0, 0.0, 100.0, 70.0, 0.0, 0.0]


def test_an_outage_without_which_reactances_cancel_is_left_out():
    frames = plain.Frames.of(
        [bus("a"), bus("b", 50.0)],
        [line("1", "a", "b", 0.1, rating_mva=100.0), line("2", "a", "b", 0.1, rating_mva=100.0),
         line("3", "a", "b", -0.1, rating_mva=100.0)],
        [unit("g", "a", 500.0, 50.0)],
    )  # fmt: skip
    _, found = every_bus(frames, (MID,), Screening.none())
    # One of 1 and 2 carries what 3 sends back; without 3 each carries half.
    assert found.secure_mw[0, 1] == pytest.approx(50.0)
    assert np.isfinite(found.secure_mw).all()


def test_reactances_that_cancel_are_an_error():
    frames = plain.Frames.of(
        [bus("a"), bus("b"), bus("c")],
        [line("1", "a", "b", 0.1, flow_mw=0.0), line("2", "a", "b", -0.1, flow_mw=0.0),
         line("3", "b", "c", flow_mw=0.0)],
        [],
    )  # fmt: skip
    with pytest.raises(GeoError, match="reactances cancel"):
        prepare_islands(network_of(frames))


def test_no_case_is_an_error():
    network = network_of(plain.ieee("39"))
    with pytest.raises(GeoError, match="needs a case"):
        hosting_capacity(network, prepare_islands(network), ())
