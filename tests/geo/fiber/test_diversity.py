from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import GeoError
from geo.fiber.diversity import UNKNOWN, disjoint_paths, diverse, exchange_metros
from geo.fiber.lateral import lateral_musd
from geo.fiber.rules import LatencyRules
from geo.fiber.trenches import AT_EXCHANGE, LOGICAL, MAPPED, RIGHT_OF_WAY, Trenches
from tests.oracle import fiber_diversity as oracle
from tests.oracle.geodesic import GEOD, METRES_PER_MILE
from tests.oracle.shapes import examples, seeds

TABLE = Path(__file__).parents[3] / "data" / "reference" / "latency.csv"
RULES = LatencyRules.from_frame(pd.read_csv(TABLE))
KINDS = ["ip_adjacency", "mapped"]


def frame(links):
    columns = ["from_node", "to_node", "carrier_no", "link_kind"]
    return pd.DataFrame(links, columns=columns).astype(dict.fromkeys(columns[:3], "int64"))


def flags(nodes, on):
    return np.isin(np.arange(nodes), list(on))


def laid_pairs(laid, order=None):
    """`laid` of the oracle as arrays."""
    pairs = sorted(laid) if order is None else order
    ways = [laid[pair][2] for pair in pairs]
    ends = np.zeros((1 + max((way[0] for each in ways for way in each), default=0), 2), np.int64)
    for number, u, v in (way for each in ways for way in each):
        ends[number] = u, v
    return SimpleNamespace(
        pair=np.array(pairs, np.int64).reshape(-1, 2),
        offsets=np.cumsum([0, *(len(way) for way in ways)]),
        segment_no=np.array([way[0] for each in ways for way in each], np.int64),
        from_vertex=np.array([laid[pair][0] for pair in pairs], np.int64),
        to_vertex=np.array([laid[pair][1] for pair in pairs], np.int64),
        segment_ends=ends,
    )


def trenches_of(links, nodes, hubs, metro, laid=None):
    is_exchange = flags(nodes, [node for node, number in metro.items() if number >= 0])
    given_laid = None if laid is None else laid_pairs(laid)
    return Trenches.of(frame(links), flags(nodes, hubs), is_exchange, given_laid)


def metro_numbers(nodes, metro):
    return np.array([metro.get(node, -1) for node in range(nodes)])


def along(nodes, mi=10.0):
    """Nodes on a parallel, so many miles apart."""
    lon = [GEOD.fwd(-98.0, 39.0, 90.0, no * mi * METRES_PER_MILE)[0] for no in range(nodes)]
    lat = [GEOD.fwd(-98.0, 39.0, 90.0, no * mi * METRES_PER_MILE)[1] for no in range(nodes)]
    return np.array(lon), np.array(lat)


def found(links, nodes, metro, hubs=(), laid=None, connected=None, **options):
    hubs = {*hubs, *metro}
    trenches = trenches_of(links, nodes, hubs, metro, laid)
    connected = flags(nodes, range(nodes) if connected is None else connected)
    return trenches, diverse(
        *along(nodes), trenches, metro_numbers(nodes, metro), connected, RULES, **options
    )


def partners(result):
    offsets, node, basis = result.partner_offsets, result.partner_node, result.partner_basis
    one = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    return {(a, b): c for a, b, c in zip(one.tolist(), node.tolist(), basis.tolist(), strict=True)}


def both_ways(pairs):
    return {(a, b) for pair in pairs for a, b in (pair, pair[::-1])}


@st.composite
def worlds(draw):
    """Links of a few carriers, parallel ones and loops, exchanges that share metros, and some laid pairs."""
    rng = np.random.default_rng(draw(seeds))
    nodes = int(rng.integers(2, 8))
    links = []
    for _ in range(rng.integers(0, 14)):
        one, other = rng.integers(0, nodes, 2).tolist()
        kind = str(rng.choice([*KINDS, "interconnection"], p=[0.4, 0.5, 0.1]))
        carrier = -1 if kind == "interconnection" else int(rng.integers(0, 3))
        links.append((one, other, carrier, kind))
    metro = {}
    for node in rng.permutation(nodes)[: rng.integers(1, nodes + 1)].tolist():
        metro[node] = int(rng.integers(0, 4)) if rng.random() < 0.5 else -1
    metro = {node: number for node, number in metro.items() if number >= 0}
    hubs = {node for node in range(nodes) if node in metro or rng.random() < 0.4}
    ends = rng.integers(0, 6, (10, 2))
    laid = {}
    for one, other, *_ in links:
        if one != other and rng.random() < 0.5:
            at = int(rng.integers(0, 6))
            enter, ways = at, []
            for _ in range(rng.integers(1, 5)):
                out = np.flatnonzero((ends == at).any(axis=1))
                if out.size:
                    number = int(rng.choice(out))
                    u, v = ends[number].tolist()
                    ways.append((number, u, v))
                    at = v if u == at else u
            if ways:
                laid[min(one, other), max(one, other)] = (enter, at, ways)
    return nodes, links, hubs, metro, laid


@given(worlds(), st.booleans())
@examples(80)
def test_paths_and_partners_are_those_of_maximum_flows(world, apart):
    nodes, links, hubs, metro, laid = world
    trenches = trenches_of(links, nodes, hubs, metro, laid)
    result = diverse(
        *along(nodes),
        trenches,
        metro_numbers(nodes, metro),
        np.ones(nodes, bool),
        RULES,
        places_apart=apart,
    )
    told = links, hubs, laid, metro
    expected = [oracle.path_count(*told, node, apart=apart) for node in range(nodes)]
    assert result.node_paths.tolist() == expected
    right, basis = {}, [UNKNOWN] * nodes
    for least in (LOGICAL, MAPPED, RIGHT_OF_WAY, AT_EXCHANGE):
        for one in range(nodes):
            count = oracle.path_count(*told, one, least=least, most=2, apart=apart)
            if count and count >= min(expected[one], 2):
                basis[one] = least if least != AT_EXCHANGE else UNKNOWN
            for other in range(one):
                if oracle.are_partners(*told, one, other, least=least, apart=apart):
                    right[one, other] = right[other, one] = least
    assert partners(result) == right
    assert result.node_basis.tolist() == basis


@given(worlds())
@examples(40)
def test_a_choke_is_shared_by_all_paths_and_nothing_nearer_the_exchange_is(world):
    nodes, links, hubs, metro, laid = world
    trenches = trenches_of(links, nodes, hubs, metro, laid)
    paths = disjoint_paths(trenches, metro_numbers(nodes, metro), np.ones(nodes, bool))
    for node, choke in enumerate(paths.choke.tolist()):
        cut = oracle.chokes(links, hubs, laid, metro, node) if paths.count[node] else []
        assert (choke >= 0) == bool(cut)
        if choke < 0:
            continue
        name = name_of(trenches, choke)
        assert name in cut
        assert name[0] == "metro" or not any(other[0] == "metro" for other in cut)


def name_of(trenches, choke):
    if choke >= len(trenches):
        return "metro", choke - len(trenches)
    if trenches.segment_no[choke] >= 0:
        return "segment", int(trenches.segment_no[choke])
    pair = tuple(trenches.pair[choke].tolist())
    if trenches.to_vertex[choke] < trenches.vertex_start[-1]:
        return "pair", *pair
    twins = np.flatnonzero((trenches.pair == pair).all(axis=1))
    return "way", *pair, int(twins[1] == choke)


@given(worlds(), seeds)
@examples(40)
def test_neither_the_order_of_rows_nor_threads_change_a_bit(world, seed):
    nodes, links, hubs, metro, laid = world
    rng = np.random.default_rng(seed)
    asked = flags(nodes, rng.permutation(nodes)[:5])
    numbers = metro_numbers(nodes, metro)
    is_exchange = numbers >= 0
    mixed = [
        (link[1], link[0], *link[2:]) if rng.random() < 0.5 else link
        for link in (links[row] for row in rng.permutation(len(links)))
    ]
    order = [sorted(laid)[row] for row in rng.permutation(len(laid))]
    results = []
    for rows, sorting, workers in ((links, None, 1), (mixed, order, 2)):
        trenches = Trenches.of(
            frame(rows), flags(nodes, hubs), is_exchange, laid_pairs(laid, sorting)
        )
        result = diverse(*along(nodes), trenches, numbers, asked, RULES, workers=workers)
        results.append({**vars(trenches), **vars(result)})
    for name, values in results[0].items():
        np.testing.assert_array_equal(values, results[1][name], err_msg=name)


@given(worlds())
@examples(40)
def test_one_more_link_never_takes_a_path_or_a_partner(world):
    nodes, links, hubs, metro, _ = world
    before = diverse_of(links[1:], nodes, hubs, metro)
    after = diverse_of(links, nodes, hubs, metro)
    assert (after.node_paths >= before.node_paths).all()
    assert set(partners(before)) <= set(partners(after))


def diverse_of(links, nodes, hubs, metro):
    trenches = trenches_of(links, nodes, hubs, metro)
    numbers = metro_numbers(nodes, metro)
    return diverse(*along(nodes), trenches, numbers, np.ones(nodes, bool), RULES)


def test_links_of_several_carriers_between_two_nodes_lie_in_one_trench():
    links = [(0, 1, 0, "mapped"), (1, 0, 1, "ip_adjacency"), (0, 1, 2, "ip_adjacency")]
    trenches, result = found(links, 2, {1: 0})
    assert len(trenches) == 1
    assert trenches.basis.tolist() == [MAPPED]
    assert trenches.pair.tolist() == [[0, 1]]
    assert result.node_paths.tolist() == [1, 1]
    assert result.node_basis.tolist() == [MAPPED, UNKNOWN]


def test_a_tree_has_one_path_and_a_ring_two():
    # Exchanges 0 and 4 at the ends of a chain; 5 hangs on 2 alone.
    chain = [(no, no + 1, 0, "mapped") for no in range(4)] + [(2, 5, 0, "mapped")]
    trenches, result = found(chain, 6, {0: 0, 4: 1})
    assert result.node_paths.tolist() == [2, 2, 2, 2, 2, 1]
    assert trenches.pair[result.node_choke[5]].tolist() == [2, 5]
    assert set(partners(result)) == both_ways([(a, b) for a in range(6) for b in range(a)])
    # One metro at both ends: nothing is diverse.
    _, result = found(chain, 6, {0: 0, 4: 0})
    assert result.node_paths.tolist() == [1] * 6
    assert partners(result) == {}


def test_what_lies_behind_one_bridge_is_not_diverse():
    # Exchanges 0 and 1 on 2, which is in a ring with 3 and 4; 5, 6, 7 in a ring behind the bridge 4-5. An
    # exchange has a path to itself, without a trench.
    links = [(0, 2), (1, 2), (2, 3), (3, 4), (2, 4), (4, 5), (5, 6), (5, 7), (6, 7)]
    links = [(*pair, 0, "mapped") for pair in links]
    trenches, result = found(links, 8, {0: 0, 1: 1})
    assert result.node_paths.tolist() == [2, 2, 2, 2, 2, 1, 1, 1]
    for node in (5, 6, 7):
        assert trenches.pair[result.node_choke[node]].tolist() == [4, 5]
    are = partners(result)
    assert {(5, 6), (5, 7), (6, 7)}.isdisjoint(are)
    assert {(5, 4), (5, 3), (6, 2), (7, 0), (3, 4)} <= set(are)
    assert set(are) == both_ways(are)


def test_carriers_are_changed_at_interconnections_alone():
    # Carrier 0 from 1 to 0, carrier 1 from 1 to 2 and from 3 to 1: 3 gets to 0 only where 1 changes.
    links = [(1, 0, 0, "mapped"), (1, 2, 1, "mapped"), (3, 1, 1, "mapped")]
    metro = {0: 0, 2: 1}
    _, apart = found([*links, (3, 4, 1, "mapped"), (4, 1, 1, "mapped")], 5, metro)
    _, meeting = found([*links, (3, 4, 1, "mapped"), (4, 1, 1, "mapped")], 5, metro, hubs=[1])
    assert apart.node_paths.tolist() == [1, 2, 1, 1, 1]
    assert meeting.node_paths.tolist() == [2, 2, 2, 2, 2]
    # In reach of an exchange all carriers meet as well.
    _, near = found([*links, (0, 1, -1, "interconnection")], 4, metro)
    assert near.node_paths.tolist() == [2, 2, 2, 1]


def test_laid_links_share_the_segments_that_they_have_in_common():
    # 0 and 1 go west by the same segment 5, then part; 2 and 3 have the exchanges.
    links = [(0, 2, 0, "mapped"), (1, 3, 1, "mapped"), (0, 1, 0, "mapped")]
    laid = {(0, 2): (7, 9, [(5, 7, 8), (6, 8, 9)]), (1, 3): (7, 3, [(5, 7, 8), (4, 8, 3)])}
    trenches, shared = found(links, 4, {2: 0, 3: 1}, laid=laid)
    assert trenches.segment_no.tolist() == [-1, -1, -1, -1, -1, 4, 5, 6]
    assert (trenches.basis == RIGHT_OF_WAY).sum() == 7
    assert shared.node_paths.tolist() == [1, 1, 2, 2]
    assert (0, 1) not in partners(shared)
    assert trenches.segment_no[shared.node_choke[:2]].tolist() == [5, 5]
    laid[1, 3] = (2, 3, [(3, 2, 3)])
    _, apart = found(links, 4, {2: 0, 3: 1}, hubs=[0, 1], laid=laid)
    assert partners(apart)[0, 1] == RIGHT_OF_WAY
    # For its second path each takes the straight link, which a pair of them does not need.
    assert apart.node_paths.tolist() == [2, 2, 2, 2]
    assert apart.node_basis.tolist() == [MAPPED] * 4


def test_the_basis_is_the_best_on_which_disjoint_paths_are():
    links = [(0, 2, 0, "mapped"), (0, 3, 0, "ip_adjacency"), (1, 3, 0, "mapped")]
    metro = {2: 0, 3: 1}
    _, result = found(links, 5, metro, connected=[0, 1, 2, 3])
    assert result.node_paths.tolist() == [2, 1, 2, 2, 0]
    assert result.node_basis.tolist() == [LOGICAL, MAPPED, LOGICAL, LOGICAL, UNKNOWN]
    are = partners(result)
    assert are[0, 1] == MAPPED
    assert are[2, 3] == AT_EXCHANGE
    assert are[0, 2] == LOGICAL


def test_partners_are_other_places_within_reach():
    links = [(0, 1, 0, "mapped"), (1, 2, 0, "mapped")]
    _, result = found(links, 3, {0: 0, 2: 1}, reach_mi=15.0)
    assert set(partners(result)) == both_ways([(0, 1), (1, 2)])
    trenches = trenches_of(links, 3, [0, 2], {0: 0, 2: 1})
    numbers = metro_numbers(3, {0: 0, 2: 1})
    lon, lat = along(3, mi=1.2)
    result = diverse(lon, lat, trenches, numbers, np.ones(3, bool), RULES)
    assert set(partners(result)) == both_ways([(0, 2)])


def test_what_hangs_on_one_place_has_trenches_but_no_places_apart():
    # 2 and 3 hang on 1 by links of their own; 1 has an exchange and a way to another, 4 a way past it.
    links = [(2, 1), (3, 1), (1, 0), (4, 0), (4, 1)]
    links = [(*pair, 0, "mapped") for pair in links]
    metro = {0: 0, 1: 1}
    _, trenches_alone = found(links, 5, metro)
    assert set(partners(trenches_alone)) == both_ways([(a, b) for a in range(5) for b in range(a)])
    _, result = found(links, 5, metro, places_apart=True)
    behind = both_ways([(1, 2), (1, 3), (2, 3)])
    assert set(partners(result)) == set(partners(trenches_alone)) - behind
    assert result.node_paths.tolist() == [2, 2, 1, 1, 2]


def test_more_paths_than_four_are_not_told_apart():
    links = [(0, no, 0, "mapped") for no in range(1, 7)]
    _, result = found(links, 7, {no: no for no in range(1, 7)})
    assert result.node_paths.tolist() == [4, 2, 2, 2, 2, 2, 2]


def test_nothing_has_no_path():
    for nodes, links in ((0, []), (3, []), (3, [(1, 1, 0, "mapped")])):
        _, result = found(links, nodes, {})
        assert result.node_paths.tolist() == [0] * nodes
        assert result.node_basis.tolist() == [UNKNOWN] * nodes
        assert partners(result) == {}


def test_exchanges_near_one_centre_are_one_metro():
    lon, lat = along(5, mi=40.0)
    is_exchange = np.array([True, True, False, True, True])
    numbers = exchange_metros(lon, lat, is_exchange, lon[[0, 3]], lat[[0, 3]], RULES)
    assert numbers.tolist() == [0, 0, -1, 1, 1]
    numbers = exchange_metros(lon, lat, is_exchange, lon[:1], lat[:1], RULES)
    assert numbers.tolist() == [0, 0, -1, 1 + 3, 1 + 4]
    assert exchange_metros(lon, lat, is_exchange, lon[:0], lat[:0], RULES).tolist() == [
        0,
        1,
        -1,
        3,
        4,
    ]
    assert exchange_metros(lon, lat, ~is_exchange & False, lon, lat, RULES).tolist() == [-1] * 5


def test_bad_arrays_are_refused():
    links = frame([(0, 1, 0, "mapped")])
    with pytest.raises(GeoError, match="kind"):
        Trenches.of(links.assign(link_kind="guessed"), flags(2, []), flags(2, []))
    laid = laid_pairs({(0, 2): (0, 1, [(0, 0, 1)])})
    with pytest.raises(GeoError, match="no link joins it"):
        Trenches.of(links, flags(3, []), flags(3, []), laid)
    trenches = Trenches.of(links, flags(2, []), flags(2, []))
    with pytest.raises(GeoError, match="2 nodes"):
        disjoint_paths(trenches, np.array([-1]), np.array([True]))


def test_a_lateral_costs_its_route_miles():
    musd = lateral_musd(np.array([0.0, 10.0, np.nan]), RULES)
    right = [[0.0] * 3, [10 * 1.1 * 0.042, 10 * 1.3 * 0.095, 10 * 1.5 * 0.095], [np.nan] * 3]
    np.testing.assert_allclose(musd, right, rtol=1e-12)
    assert lateral_musd(np.ones((2, 4)), RULES).shape == (2, 4, 3)
    for bad in (-1.0, np.inf):
        with pytest.raises(GeoError):
            lateral_musd(np.array([bad]), RULES)
