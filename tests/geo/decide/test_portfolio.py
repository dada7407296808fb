import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from geo.decide.portfolio import Cut, Demand, Limits, Offers, Portfolio, Shortfall, choose
from geo.decide.pushing import Pushing
from geo.errors import GeoError
from geo.power.hosting import Case, hosting_capacity, prepare_islands
from geo.power.outages import Screening
from geo.power.sharing import Sharing
from tests.geo.power.cases import network_of
from tests.geo.power.test_sharing import corridor
from tests.geo.power.test_sharing_texas import Dense
from tests.geo.power.test_texas import texas  # noqa: F401 - a fixture
from tests.oracle import portfolio as plain
from tests.oracle import power

MID = Case("mid")


def offers_of(worth, capacity, substation=None, lon=None, lat=None):
    n = len(worth)
    return Offers(
        np.array(worth, float),
        np.array(capacity, float),
        np.arange(n) if substation is None else np.array(substation),
        np.linspace(-100.0, -90.0, n) if lon is None else np.array(lon, float),
        np.full(n, 40.0) if lat is None else np.array(lat, float),
    )


def limits_of(rows=(), count=20):
    """Limits from ({substation: factor}, margin)."""
    factor = np.zeros((len(rows), count))
    for number, (held, _) in enumerate(rows):
        for at, value in held.items():
            factor[number, at] = value
    return Limits(csr_array(factor), np.array([margin for _, margin in rows], float))


def holds(found, offers, limits, demand):
    """What every portfolio keeps, whatever it is worth."""
    at = offers.substation[found.rows]
    assert found.rows.size == demand.sites == len(set(at.tolist()))
    assert found.mw.sum() == pytest.approx(demand.mw)
    assert (found.mw >= demand.least_mw - 1e-6).all()
    most = np.minimum(offers.capacity_mw[found.rows], demand.most_mw)
    assert (found.mw <= most + 1e-6).all()
    load = np.bincount(at, found.mw, limits.factor.shape[1])
    assert (limits.factor @ load <= limits.margin_mw + 1e-4).all()
    assert plain.is_apart(offers.lon, offers.lat, found.rows, demand.spacing_mi)
    assert found.value == pytest.approx(offers.worth[found.rows] @ found.mw)
    assert found.bound >= found.value - 1e-9 * abs(found.value)


@st.composite
def worlds(draw):
    n = draw(st.integers(3, 8))
    number = st.integers(-50, 100).map(float)
    substations = draw(st.integers(2, n))
    offers = offers_of(
        draw(st.lists(number, min_size=n, max_size=n)),
        np.array(draw(st.lists(st.sampled_from([60.0, 90.0, 150.0, 300.0]), min_size=substations,
                               max_size=substations)))[
            substation := draw(st.lists(st.integers(0, substations - 1), min_size=n, max_size=n))
        ],
        substation,
        draw(st.lists(st.sampled_from([-100.0, -99.5, -99.0, -97.0]), min_size=n, max_size=n)),
        draw(st.lists(st.sampled_from([40.0, 40.3, 41.0, 42.0]), min_size=n, max_size=n)),
    )  # fmt: skip
    limits = limits_of(
        draw(st.lists(
            st.tuples(
                st.dictionaries(st.integers(0, substations - 1), st.sampled_from([0.05, 0.5, 1.0]),
                                min_size=2),
                st.sampled_from([20.0, 100.0, 180.0]),
            ), max_size=4)),
        substations,
    )  # fmt: skip
    sites = draw(st.integers(1, min(3, n)))
    demand = Demand(
        sites * draw(st.sampled_from([60.0, 80.0])),
        sites,
        draw(st.sampled_from([10.0, 50.0])),
        draw(st.sampled_from([80.0, 150.0])),
        draw(st.sampled_from([0.0, 30.0, 120.0])),
    )
    return offers, limits, demand


@settings(max_examples=25, deadline=None)
@given(worlds())
def test_the_best_of_all_sets_of_sites_is_found_and_no_bound_is_under_it(world):
    offers, limits, demand = world
    best = plain.best_value(offers, limits.factor.toarray(), limits.margin_mw, demand)
    found = choose(offers, limits, demand, gap=1e-6)
    if best is None:
        assert isinstance(found, Shortfall)
        assert found.sites < demand.sites or found.mw < demand.mw
        assert found.most_sites >= found.sites
        return
    assert isinstance(found, Portfolio)
    holds(found, offers, limits, demand)
    assert found.value == pytest.approx(best, abs=1e-3)
    assert found.bound >= best - 1e-3
    assert (found.method, found.is_covering) == ("milp", True)


@settings(max_examples=10, deadline=None)
@given(worlds())
def test_what_greedy_finds_holds_and_its_gap_is_true(world):
    offers, limits, demand = world
    best = plain.best_value(offers, limits.factor.toarray(), limits.margin_mw, demand)
    found = choose(offers, limits, demand, method="greedy")
    if isinstance(found, Portfolio):
        holds(found, offers, limits, demand)
        assert found.method == "greedy"
        assert found.value <= best + 1e-3
        assert found.bound >= best - 1e-3


def test_without_time_greedy_answers_and_says_so():
    offers = offers_of([3.0, 2.0, 1.0], [100.0] * 3)
    demand = Demand(150.0, 2, 50.0, 100.0)
    found = choose(offers, limits_of(), demand, time_limit_s=0.0)
    assert (found.method, found.rows.tolist(), found.mw.tolist()) == ("greedy", [0, 1], [100, 50])
    assert found.bound >= 400.0


def test_a_corridor_is_sold_once():
    offers = offers_of([90.0, 80.0, 10.0], [300.0] * 3)
    limits = limits_of([({0: 1.0, 1: 1.0}, 200.0)], 3)
    found = choose(offers, limits, Demand(300.0, 2, 50.0, 250.0))
    assert found.rows.tolist() == [0, 2]
    assert found.mw.tolist() == pytest.approx([200.0, 100.0]) or found.value >= 19_000.0
    holds(found, offers, limits, Demand(300.0, 2, 50.0, 250.0))


def test_the_least_cost_is_chosen_as_well_as_the_best_score():
    offers = offers_of([-70.0, -60.0, -50.0], [100.0] * 3)
    found = choose(offers, limits_of(), Demand(150.0, 2, 50.0, 100.0))
    assert found.rows.tolist() == [1, 2] or found.rows.tolist() == [2, 1]
    assert -found.value / found.mw.sum() == pytest.approx((100 * 50 + 50 * 60) / 150)


def test_a_parcel_that_is_a_little_worse_is_taken_where_the_better_one_stands_too_close():
    """Both of the second substation: the better one stands next to the first site."""
    offers = offers_of(
        [90.0, 89.0, 85.0], [100.0] * 3, [0, 1, 1], [-100.0, -99.9, -97.0], [40.0] * 3
    )
    found = choose(offers, limits_of(count=2), Demand(200.0, 2, 50.0, 100.0, 50.0))
    assert sorted(found.rows.tolist()) == [0, 2]
    assert found.gap <= 1e-3


def test_what_can_be_had_is_told():
    offers = offers_of([5.0] * 3, [100.0, 80.0, 60.0], lon=[-100.0, -99.9, -99.8])
    assert choose(offers, limits_of(), Demand(200.0, 2, 50.0, 100.0, 100.0))[:2] == (1, 1)
    short = choose(offers, limits_of(), Demand(300.0, 3, 50.0, 100.0))
    assert short[:2] == (3, 3)
    assert (short.mw, short.most_mw) == pytest.approx((240.0, 240.0))
    shared = limits_of([({0: 1.0, 1: 1.0, 2: 1.0}, 160.0)])
    short = choose(offers, shared, Demand(200.0, 3, 40.0, 100.0))
    assert (short.sites, short.mw) == (3, pytest.approx(160.0))
    assert choose(offers, limits_of(), Demand(300.0, 1, 300.0, 300.0)) == (0, 0, 0.0, 0.0)


@pytest.mark.parametrize(
    "demand",
    [Demand(0.0, 1, 1.0, 2.0), Demand(5.0, 0, 1.0, 2.0), Demand(5.0, 1, 3.0, 2.0),
     Demand(np.nan, 1, 1.0, 2.0), Demand(5.0, 1, 1.0, 2.0, -1.0)],
)  # fmt: skip
def test_a_demand_that_is_none_is_an_error(demand):
    with pytest.raises(GeoError, match="No portfolio can be asked for"):
        choose(offers_of([1.0], [9.0]), limits_of(), demand)


def test_a_worth_that_is_unknown_is_an_error():
    with pytest.raises(GeoError, match="needs a worth"):
        choose(offers_of([np.nan], [9.0]), limits_of(), Demand(5.0, 1, 1.0, 9.0))


def test_a_limit_that_only_pushing_finds_is_kept_and_others_need_not_keep_it_where_nobody_leans():
    """The third substation leans on a weak line, to which all add a little."""
    factor = np.array([0.04, 0.04, 0.5, 0.04])

    def push(substation, mw):
        leaning = (substation == 2).any()
        over = float(factor[substation] @ mw) > 40.0 + 1e-4
        return [Cut(factor, factor > 0.05, 40.0)] if leaning and over else []

    offers = offers_of([50.0, 40.0, 90.0, 45.0], [1_000.0] * 4)
    demand = Demand(1_200.0, 2, 20.0, 1_150.0)
    found = choose(offers, limits_of(count=4), demand, push=push)
    # 20 MW of the third and 980 of another would be 49: it cannot take part, and 48 without it is no matter.
    assert sorted(found.rows.tolist()) == [0, 3]
    assert found.added_count >= 1
    assert found.value == pytest.approx(1_000.0 * 50.0 + 200.0 * 45.0)


def test_the_corridor_of_two_towns_is_sold_once_by_the_load_flow():
    network = network_of(corridor())
    sharing = Sharing.of(network, prepare_islands(network), MID, 0.0)
    pushing = Pushing(lambda _: sharing, np.array([0, 1, -1]), np.array([0, 0, -1]))
    (cut, *_) = pushing(np.array([0, 1]), np.array([100.0, 50.0]))
    assert cut.margin_mw == pytest.approx(120.0)
    assert cut.factor.tolist() == pytest.approx([1.0, 1.0, 0.0])
    assert pushing(np.array([0, 1]), np.array([70.0, 50.0])) == []
    # What was stated takes nothing from others, and one site alone has what it has.
    assert pushing(np.array([0, 2]), np.array([100.0, 500.0])) == []
    offers = offers_of([90.0, 80.0, 10.0], [120.0, 120.0, 500.0])
    found = choose(offers, limits_of(count=3), Demand(200.0, 3, 10.0, 150.0), push=pushing)
    assert found.mw[np.argsort(found.rows)].tolist() == pytest.approx([110.0, 10.0, 80.0])


@pytest.fixture(scope="module")
def ieee118():
    frames = power.ieee("118")
    network = network_of(frames)
    islands = prepare_islands(network, Screening.none())
    bus = np.arange(118)
    alone = hosting_capacity(network, islands, [MID], bus).secure_mw[0]
    sharing = Sharing.of(network, islands, MID, held_floor=0.0)
    return Dense(network), network, alone, sharing


@pytest.mark.slow
@pytest.mark.parametrize(("sites", "mw"), [(3, 0.6), (5, 0.5)])
def test_a_portfolio_of_ieee_118_overloads_nothing_intact_or_after_any_outage(ieee118, sites, mw):
    dense, network, alone, sharing = ieee118
    rng = np.random.default_rng(sites)
    offers = offers_of(rng.uniform(20, 100, 118), alone)
    best = np.sort(alone)[-sites:].sum()
    demand = Demand(mw * best, sites, 0.1 * mw * best / sites, best)
    pushing = Pushing(lambda _: sharing, np.arange(118), network.island)
    quick = {"gap": 0.05, "time_limit_s": 2.0}
    free = choose(offers, limits_of(count=118), demand)
    pairs = list(zip(free.rows.tolist(), free.mw.tolist(), strict=True))
    assert dense.over_mw(pairs)[0] > 1.0
    found = choose(offers, limits_of(count=118), demand, push=pushing, **quick)
    if isinstance(found, Shortfall):
        assert found.mw < demand.mw
        demand = demand._replace(mw=0.9 * found.mw, least_mw=0.05 * found.mw / sites)
        found = choose(offers, limits_of(count=118), demand, push=pushing, **quick)
    assert isinstance(found, Portfolio)
    holds(found, offers, limits_of(count=118), demand)
    pairs = list(zip(found.rows.tolist(), found.mw.tolist(), strict=True))
    assert dense.over_mw(pairs)[0] <= 1e-3
    # Nor does any part of it, since loads that relieve others do not count.
    for left_out in range(sites):
        part = [pair for at, pair in enumerate(pairs) if at != left_out]
        assert dense.over_mw(part)[0] <= 1e-3
    assert found.added_count >= 1
    assert found.value <= free.value * (1.0 + 1e-3) or demand.mw < mw * best


@pytest.mark.package
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize(("sites", "mw"), [(6, 3_000.0), (8, 7_000.0)])
def test_a_portfolio_of_texas_overloads_nothing_in_dense_solves(texas, sites, mw):  # noqa: F811
    network = network_of(texas)
    islands = prepare_islands(network)
    hosting = hosting_capacity(network, islands, [MID])
    sharing = Sharing.of(network, islands, MID, held_floor=0.0)
    bus, alone = hosting.bus, hosting.secure_mw[0]
    # One bus of a substation serves.
    _, substation = np.unique(network.bus_substation[bus].astype(str), return_inverse=True)
    order = np.lexsort((-alone, substation))
    best = order[np.diff(substation[order], prepend=-1) != 0]
    bus, alone = bus[best], alone[best]
    rng = np.random.default_rng(11)
    offers = offers_of(rng.uniform(20, 100, bus.size), alone)
    demand = Demand(mw, sites, 0.5 * mw / sites, 2.0 * mw / sites)
    none = limits_of(count=bus.size)
    pushing = Pushing(lambda _: sharing, bus, network.island[bus])
    found = choose(offers, none, demand, push=pushing)
    if isinstance(found, Shortfall):
        demand = Demand(0.95 * found.mw, sites, 0.2 * found.mw / sites, 2.0 * mw / sites)
        found = choose(offers, none, demand, push=pushing)
    assert isinstance(found, Portfolio)
    holds(found, offers, none, demand)
    loads = list(zip(bus[found.rows].tolist(), found.mw.tolist(), strict=True))
    assert Dense(network).over_mw(loads)[0] <= 1e-3
