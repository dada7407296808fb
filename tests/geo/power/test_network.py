import numpy as np
import pytest
from hypothesis import assume, given, settings

from geo.errors import GeoError
from tests.geo.power.cases import (
    ODD,
    bus,
    line,
    network_of,
    pypsa_of,
    shuffled,
    unit,
)
from tests.oracle import power as plain


@settings(ODD, max_examples=60)
@given(plain.frames_of_cases())
def test_flows_and_ratings_are_those_of_a_plain_reading(frames):
    try:
        grid = plain.PlainGrid(frames)
    except np.linalg.LinAlgError:
        grid = None
    assume(grid is not None and grid.worst < 1e5)
    network = network_of(frames)
    on = network.is_active
    assert network.branch_id[on].tolist() == grid.ids
    assert network.flow_mw[on] == pytest.approx(grid.base, abs=1e-6)
    assert network.rating_mva[on] == pytest.approx(grid.rating, rel=1e-6)
    assert np.array_equal(network.is_rating_estimated[on], grid.is_estimated)
    assert np.all(network.rating_mva > 0.0)
    assert np.all(network.flow_mw[~on] == 0.0)
    if on.any():
        assert network.is_flow_published == grid.is_published
    nodes = [grid.node[name] for name in network.bus_id]
    for mine, other in ((network.node, nodes), (network.island, grid.island[nodes])):
        assert np.array_equal(mine[:, None] == mine, np.equal.outer(other, other))


def balanced(frames):
    """Scale the loads to what the units give: PyPSA leaves what is missing to one of them."""
    frames.bus["load_mw"] *= frames.plant["dispatch_mw"].sum() / frames.bus["load_mw"].sum()
    return frames


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # of pandas, inside PyPSA
@pytest.mark.parametrize("name", ["39", "118"])
def test_computed_flows_are_those_of_pypsa_with_taps_and_phase_shifters(name):
    frames = balanced(plain.ieee(name))
    frames.branch.loc[[3, 20, 30], "phase_shift_deg"] = [5.0, -3.0, 30.0]
    frames.branch.loc[[3, 7], "tap_ratio"] = [0.9, 1.1]
    network, theirs = network_of(frames), pypsa_of(frames)
    theirs.lpf()
    flow = theirs.c.transformers.dynamic["p0"].iloc[0][network.branch_id].to_numpy()
    assert not network.is_flow_published
    assert network.flow_mw == pytest.approx(flow, abs=1e-6)
    assert np.abs(flow).max() > 300.0


def test_what_is_missing_is_shared_by_the_committed_units():
    frames = plain.Frames.of(
        [bus("a"), bus("b", 100.0), bus("c")],
        [line("ab", "a", "b"), line("cb", "c", "b")],
        [unit("a", "a", 100.0, 10.0), unit("c", "c", 300.0, 10.0),
         unit("off", "b", 500.0, 99.0, is_in_service=False)],
        [{"dc_tie_id": "t", "from_bus_id": "abroad", "to_bus_id": "b", "flow_mw": 20.0}],
    )  # fmt: skip
    # 60 MW are missing: a gives 15 of them, c 45.
    assert network_of(frames).flow_mw == pytest.approx([25.0, 55.0])


def test_ratings_are_intervals_by_voltage_and_never_under_what_is_carried():
    frames = plain.Frames.of(
        [bus("a", kv=345.0, substation_id="s"), bus("b", kv=138.0, substation_id="s"),
         bus("c", kv=130.0), bus("d", kv=13.8), bus("e", kv=np.nan), bus("f", kv=np.nan)],
        [line("given", "b", "c", rating_mva=77.0, flow_mw=0.0),
         line("jumper", "a", "b", flow_mw=0.0), line("line", "b", "c", flow_mw=0.0),
         line("loaded", "c", "b", flow_mw=-400.0), line("none", "e", "f", flow_mw=0.0),
         line("step", "c", "d", rating_mva=0.0, flow_mw=0.0)],
        [],
    )  # fmt: skip
    network = network_of(frames)
    breaker = 3**0.5 * 138.0 * np.array([2.0, 3.0, 4.0])
    assert network.rating_mva == pytest.approx(np.array([
        [77.0] * 3, breaker, [135.6, 226.0, 361.6], [440.0, 500.0, 640.0], [np.inf] * 3,
        [135.6, 226.0, 361.6],
    ]))  # fmt: skip
    assert network.is_rating_estimated.tolist() == [False, True, True, True, True, True]


def test_every_oddity_is_noted():
    frames = plain.Frames.of(
        [bus("a", kv=np.nan), bus("b", np.nan), bus("c", -5.0), bus("d"), bus("e"), bus("f")],
        [line("1", "a", "b", -0.1, phase_shift_deg=3.0), line("2", "b", "c", 0.0),
         line("3", "c", "b"), line("4", "c", "nowhere"), line("5", "c", "c"),
         line("6", "c", "d", np.nan), line("7", "a", "c", is_in_service=False),
         line("8", "e", "f", rating_mva=10.0)],
        [unit("1", "nowhere", 10.0), unit("2", "a", np.nan, 5.0), unit("3", "a", 10.0, 20.0),
         unit("4", "a", 30.0, 20.0)],
        [{"dc_tie_id": "t", "from_bus_id": "a", "to_bus_id": "abroad", "flow_mw": 1.0}],
    )  # fmt: skip
    notes = network_of(frames).notes
    named = notes[notes["subject_id"].notna()]
    assert {(row.code, row.subject_kind, row.subject_id) for row in named.itertuples()} == {
        ("no_bus", "branch", "4"), ("no_bus", "generator", "1"), ("no_bus", "dc_tie", "t"),
        ("loop", "branch", "5"), ("no_reactance", "branch", "6"),
        ("zero_reactance", "branch", "2"), ("shorted", "branch", "3"),
    }  # fmt: skip
    counted = notes[notes["subject_id"].isna()].set_index(["code", "subject_kind"])["detail"]
    numbers = {key: detail.split()[0] for key, detail in counted.items()}
    assert numbers == {
        ("computed_flows", "case"): "2", ("no_capacity", "generator"): "1",
        ("over_capacity", "generator"): "1", ("out_of_service", "branch"): "1",
        ("estimated_rating", "branch"): "1", ("negative_reactance", "branch"): "1",
        ("phase_shift", "branch"): "1", ("negative_load", "bus"): "1", ("no_load", "bus"): "1",
        ("no_voltage", "bus"): "1", ("alone", "bus"): "1", ("no_supply", "bus"): "2",
    }  # fmt: skip


def test_a_sound_case_has_no_notes_but_what_is_computed():
    frames = plain.ieee("39")
    frames.branch["flow_mw"] = 1.0
    frames.plant["dispatch_mw"] = 1.0
    assert network_of(frames).notes.empty
    assert network_of(frames).is_flow_published


def test_reading_does_not_depend_on_the_order_of_rows():
    frames = plain.ieee("118")
    network, again = network_of(frames), network_of(shuffled(frames))
    for name in ("bus_id", "branch_id", "flow_mw", "rating_mva", "from_bus", "node", "island",
                 "gen_bus", "gen_headroom_mw"):  # fmt: skip
        assert np.array_equal(getattr(network, name), getattr(again, name))


def test_a_load_connects_at_60_kv_or_more():
    frames = plain.Frames.of([bus("a", kv=60.0), bus("b", kv=59.9), bus("c", kv=np.nan)], [], [])
    network = network_of(frames)
    assert network.connectable_buses.tolist() == [0]


def test_a_case_without_a_bus_or_with_an_id_twice_is_an_error():
    with pytest.raises(GeoError, match="has no bus"):
        network_of(plain.Frames.of([], [], []))
    with pytest.raises(GeoError, match="branch_id 1 stands twice"):
        network_of(plain.Frames.of([bus("a"), bus("b")], [line("1", "a", "b")] * 2, []))
