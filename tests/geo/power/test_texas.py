"""The real Texas case: sensitivities against PyPSA, and what screening of outages leaves out."""

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from data import build, stage
from data.catalogue import load_catalogue, load_lock
from data.pull import pull
from data.study import load_study
from geo.power.hosting import Case, hosting_capacity, prepare_islands
from geo.power.outages import Screening
from geo.power.rules import PowerRules
from tests.geo.power.cases import network_of, pypsa_of, pypsa_parts
from tests.geo.power.test_factors import assert_same_sensitivities
from tests.oracle import power as plain

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "data" / "reference"
pytestmark = [pytest.mark.package, pytest.mark.timeout(3_600)]


@pytest.fixture(scope="module")
def texas(tmp_path_factory):
    """Frames of the interconnection, as a run stages them."""
    folder = tmp_path_factory.mktemp("texas")
    catalogue, study = load_catalogue(), load_study("open-conus")
    grid = study.themes["grid"]
    pulled = {
        name: pull(catalogue.source(name), load_lock(), cache_dir=ROOT / "var" / "cache",
                   mirror=None).path
        for name in grid.sources
    }  # fmt: skip
    stage.stage_theme("grid", grid, catalogue, pulled, folder / "grid.duckdb")
    with duckdb.connect(str(folder / "grid.duckdb"), read_only=True) as con:
        bus, branch, plant, tie = (
            build.layer_frame(con, name) for name in ("bus", "branch", "plant", "dc_tie")
        )
    bus = bus[bus["interconnect"] == "Texas"]
    return plain.Frames(
        bus,
        branch[branch["interconnect"] == "Texas"],
        plant[plant["bus_id"].isin(bus["bus_id"])],
        tie,
    )


def test_sensitivities_of_every_bus_and_outage_are_those_of_pypsa(texas):
    frames = plain.Frames(*(frame.reset_index(drop=True) for frame in texas.all()))
    frames.branch = frames.branch[frames.branch["is_in_service"].fillna(True).astype(bool)]
    assert_same_sensitivities(network_of(texas), pypsa_parts(pypsa_of(frames)))


def test_screening_loses_nothing_of_the_case_solved_in_full(texas):
    network = network_of(texas)
    rules = PowerRules.from_frame(pd.read_csv(REFERENCE / "power_rule.csv"))
    cases = [*rules.published(), *rules.varied()[1:]]
    assert len(cases) > 20
    screened, whole = prepare_islands(network), prepare_islands(network, Screening.none())
    assert len(whole[0].outages) > 50 * len(screened[0].outages)
    fast = hosting_capacity(network, screened, cases)
    exact = hosting_capacity(network, whole, cases)
    assert fast.bus.size > 1_000
    for name in ("secure_mw", "intact_mw", "limit_branch", "limit_outage", "tight_branch"):
        assert np.array_equal(getattr(fast, name), getattr(exact, name))


def test_capacity_of_buses_is_that_of_dense_solves(texas):
    network = network_of(texas)
    case = Case("mid")
    sites = network.connectable_buses[::150]
    found = hosting_capacity(network, prepare_islands(network), (case,), sites)
    assert found.intact_mw[0] == pytest.approx(intact_by_solves(network, sites, case), rel=1e-6)


def intact_by_solves(network, sites, case):
    """Largest load that keeps every monitored branch under its rating: one dense solve a site."""
    on = network.is_active
    _, ends = np.unique(
        np.concatenate([network.node[network.from_bus[on]], network.node[network.to_bus[on]]]),
        return_inverse=True,
    )
    one, other = np.split(ends, 2)
    incidence = np.zeros((one.size, ends.max() + 1))
    incidence[np.arange(one.size), one] = 1.0
    incidence[np.arange(one.size), other] = -1.0
    b = 1.0 / network.reactance_pu[on]
    matrix = (incidence.T @ (b[:, None] * incidence))[1:, 1:]
    of_bus = np.full(network.bus_id.size, -1)
    of_bus[network.from_bus[on]], of_bus[network.to_bus[on]] = one, other
    headroom = np.where(
        network.gen_is_firm & network.gen_is_committed, network.gen_headroom_mw, 0.0
    )
    supply = np.bincount(of_bus[network.gen_bus], headroom, minlength=incidence.shape[1])
    injection = np.repeat((supply / supply.sum())[:, None], sites.size, axis=1)
    injection[of_bus[sites], np.arange(sites.size)] -= 1.0
    angle = np.vstack([np.zeros(sites.size), np.linalg.solve(matrix, injection[1:])])
    h = b[:, None] * (incidence @ angle)
    flow, rating = network.flow_mw[on][:, None], network.rating_mva[on, 1][:, None]
    held = (np.abs(h) >= case.factor_floor) & (np.abs(flow) <= rating)
    mw = np.where(held, (rating - np.sign(h) * flow) / np.where(held, np.abs(h), 1.0), np.inf)
    return np.clip(mw.min(axis=0), 0.0, supply.sum())
