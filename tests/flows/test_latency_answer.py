"""`latency` and `reach` on a made build of which every round trip can be worked out by hand."""

import json
import time
from types import SimpleNamespace

import duckdb
import numpy as np
import pandas as pd
import pytest
from pyproj import Geod

from data import store
from data.stage import REFERENCE_DIR
from flows.fiber_read import PublishedFiber
from flows.fiber_way import Ways, short, text
from geo.fiber.graph import FiberGraph
from geo.fiber.rules import ENDS, LatencyRules
from tests.flows import fiber_world

RULE = pd.read_csv(REFERENCE_DIR / "latency.csv")
RULES = LatencyRules.from_frame(RULE)
GEOD = Geod(ellps="WGS84")
# Alpha goes from Westville to Midtown, beta from Midtown to Eastport; more than 100 miles lie between.
WEST, MID, EAST, LONELY = (-80.0, 39.0), (-77.0, 39.0), (-74.0, 39.0), (-70.0, 45.0)
HERE = (-80.05, 39.0)
METROS = [
    ("10", "Westville, VA", 300_000, -80.1, 39.0, False),
    ("20", "Eastport, NJ", 2_000_000, -74.0, 39.1, True),
    ("30", "Nowhere, WY", 1_500_000, -105.0, 43.0, True),
    ("40", "Midtown, MD", 400_000, -77.0, 39.0, False),
]
PEOPLE = [(1_000.25, -80.0, 39.05), (5_000.5, -74.0, 39.2), (700.0, -105.0, 43.0)]


def layers():
    pop = [
        ("p1", "Westville", "alpha", "Alpha", *WEST),
        ("p2", "Midtown", "alpha", "Alpha", *MID),
        ("p3", "Midtown", "beta", "Beta", *MID),
        ("p4", None, "beta", "Beta", *EAST),
        ("p5", "Lonely", "gamma", "Gamma", *LONELY),
    ]
    link = [("l1", "p1", "p2", "mapped"), ("l2", "p3", "p4", "ip_adjacency")]
    ixp = [("x1", "MID-IX, 1 Main Street, Midtown, MD", False, *MID)]
    return {
        "pop": pd.DataFrame(
            pop, columns=["pop_id", "pop_name", "carrier_id", "carrier_name", "lon", "lat"]
        ).assign(carrier_kind="carrier"),
        "carrier_link": pd.DataFrame(
            link, columns=["link_id", "from_pop_id", "to_pop_id", "link_kind"]
        ).assign(source_id="made"),
        "facility": pd.DataFrame(
            columns=["facility_id", "facility_name", "facility_kind", "lon", "lat"]
        ),
        "ixp": pd.DataFrame(ixp, columns=["ixp_id", "ixp_name", "is_inferred", "lon", "lat"]),
        "metro": pd.DataFrame(
            METROS, columns=["metro_id", "metro_name", "metro_people", "lon", "lat", "is_major"]
        ),
        "people": pd.DataFrame(PEOPLE, columns=["people", "lon", "lat"]).assign(
            people_id=["a", "b", "c"]
        ),
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    home = tmp_path_factory.mktemp("fiber")
    return SimpleNamespace(home=home, build=fiber_world.publish(home, RULE, layers()))


@pytest.fixture
def ask(gridstead, made):
    return lambda *words: gridstead(*words, "--home", made.home)


def fetch(build, query):
    """Rows of a query on a build."""
    with store.open_build(build) as con:
        return con.execute(query).fetchall()


def km(*points):
    """Kilometres along points."""
    lon, lat = zip(*points, strict=True)
    return GEOD.line_length(lon, lat) / 1000


def straight_ms(*points, end):
    """Round trip over straight fiber along points: 2 x km x 4.9 us x the factor of an end."""
    return 2 * km(*points) * 0.0049 * RULES.straight_factor[ENDS.index(end)]


@pytest.mark.parametrize("end", ENDS)
def test_a_round_trip_is_that_of_laterals_links_and_one_change_of_carrier(ask, end):
    told = ask("latency", "39.0,-80.05", "--json").json
    eastport = next(row for row in told["metros"] if row["metro_id"] == "20")
    way = straight_ms(HERE, WEST, MID, EAST, (-74.0, 39.1), end=end)
    exchange = RULES.exchange_ms[ENDS.index(end)]
    assert eastport[f"rtt_ms_{end}"] == pytest.approx(way + exchange, abs=1e-9)
    assert eastport["straight_mi"] == pytest.approx(km(HERE, (-74.0, 39.1)) / 1.609344, abs=1e-9)


def test_the_way_is_told_by_carrier_and_adds_up(ask):
    told = ask("latency", "39.0,-80.05", "--json").json
    (eastport,) = [row for row in told["metros"] if row["metro_id"] == "20"]
    steps = eastport["path"]
    kinds = ["lateral", "carrier", "exchange", "carrier", "lateral"]
    assert [step["kind"] for step in steps] == kinds
    assert sum(step["rtt_ms"] for step in steps) == pytest.approx(eastport["rtt_ms_mid"], abs=1e-9)
    assert [steps[no]["carrier_id"] for no in (1, 3)] == ["alpha", "beta"]
    assert [steps[no]["basis"] for no in (1, 3)] == ["mapped", "logical"]
    assert steps[3]["link_ids"] == ["l2"]
    assert eastport["path_basis"] == "logical"
    assert text(steps) == (
        "lateral 2.7 mi to Westville, Alpha 1 link to Midtown, at exchange MID-IX, 1 Main Street, "
        "Beta 1 link to node at 39.00, -74.00, 6.9 mi to the centre"
    )


def test_major_metros_and_the_nearest_are_told_unless_all_are_asked_for(ask):
    told = ask("latency", "39.0,-80.05", "--json").json
    assert [row["metro_id"] for row in told["metros"]] == ["10", "20", "30"]
    told = ask("latency", "39.0,-80.05", "--all", "--json").json
    assert [row["metro_id"] for row in told["metros"]] == ["10", "40", "20", "30"]
    nowhere = told["metros"][-1]
    assert [nowhere[f"rtt_ms_{end}"] for end in ENDS] == [None] * 3
    assert (nowhere["above_ceiling"], nowhere["path"]) == (None, [])
    said = ask("latency", "39.0,-80.05")
    assert said.code == 0
    assert "No path leads to 1 of these metros" in said.out
    assert "no path" in said.out


@pytest.mark.parametrize(("to", "found"), [("20", ["20"]), ("eastp", ["20"]), ("md", ["40"])])
def test_a_metro_is_found_by_its_id_or_a_part_of_its_name(ask, to, found):
    told = ask("latency", "39.0,-80.05", "--to", to, "--json").json
    assert [row["metro_id"] for row in told["metros"]] == found


def test_the_table_says_what_the_round_trips_rest_upon(ask):
    out = " ".join(ask("latency", "39.0,-80.05").out.split())
    assert "Westville 2.7 mi, 0.33 M$, 1 carrier." in out
    assert "IP adjacency" in out
    assert "1.3 / 1.7 / 2.1 times the great circle" in out
    assert "the user's own access is not counted" in out
    assert "study made, run r1; the grid is synthetic" in out
    # Westville is reached by laterals, Eastport over a logical link.
    assert " no link lateral 2.7 mi to Westville" in out
    assert " logical lateral 2.7 mi to Westville, Alpha" in out


OUTPOST = (-77.0, 39.9)


def test_backhaul_is_told_as_what_no_map_shows(gridstead, tmp_path):
    """Outpost has a carrier without a link, 62 miles from the one exchange, and the point is farther yet."""
    held = layers()
    held["metro"].loc[len(held["metro"])] = ["50", "Outpost, PA", 300_000, *OUTPOST, False]
    outpost = ("p6", "Outpost", "delta", "Delta", *OUTPOST, "carrier")
    held["pop"].loc[len(held["pop"])] = list(outpost)
    build = fiber_world.publish(tmp_path, RULE, held)
    (kind,) = fetch(build, "select link_kind from mart.fiber_link where link_id like '%p6%'")
    assert kind == ("backhaul",)

    def ask(*words):
        return gridstead("latency", *words, "--home", tmp_path)

    (out,) = ask("40.6,-77.0", "--to", "20", "--json").json["metros"]
    for end in ENDS:
        way = straight_ms((-77.0, 40.6), OUTPOST, MID, EAST, (-74.0, 39.1), end=end)
        exchanges = 1.5 * RULES.exchange_ms[ENDS.index(end)]
        assert out[f"rtt_ms_{end}"] == pytest.approx(way + exchanges, abs=1e-9)
    assert [step["kind"] for step in out["path"]] == [
        *("lateral", "backhaul", "exchange", "carrier", "lateral")
    ]
    assert out["path_basis"] == "assumed"
    assert text(out["path"]).startswith(
        "lateral 48 mi to Outpost, backhaul 62 mi to exchange MID-IX, 1 Main Street (carrier not mapped), Beta"
    )
    said = " ".join(ask("40.6,-77.0", "--to", "20").out.split())
    assert "assumed is a way over backhaul" in said
    assert "logical is a way over an IP adjacency" in said
    # From the exchange to the node it is the same link.
    (back,) = ask("39.0,-80.05", "--to", "50", "--json").json["metros"]
    assert back["path_basis"] == "assumed"
    assert "backhaul 62 mi from exchange MID-IX" in text(back["path"])
    assert "to Outpost (carrier not mapped)" in text(back["path"])
    (near,) = ask("39.0,-80.05", "--to", "10", "--json").json["metros"]
    assert near["path_basis"] is None


def test_the_nearest_exchange_is_told(ask):
    exchange = ask("latency", "39.0,-80.05", "--json").json["exchange"]
    assert exchange["ixp_id"] == "x1"
    for end in ENDS:
        # It is at its node, where nobody needs to change to another carrier.
        way = straight_ms(HERE, WEST, MID, end=end)
        assert exchange[f"rtt_ms_{end}"] == pytest.approx(way, abs=1e-9)
    assert "Nearest exchange: MID-IX, 1 Main Street: " in " ".join(
        ask("latency", "39,-80").out.split()
    )
    assert ask("latency", "45.0,-70.0", "--json").json["exchange"] is None


def test_a_lateral_has_its_price(ask):
    (node,) = ask("latency", "39.0,-80.05", "--json").json["nodes"]
    assert node["miles"] == pytest.approx(km(HERE, WEST) / 1.609344, abs=1e-7)
    assert node["lateral_musd"] == pytest.approx(node["miles"] * 1.3 * 0.095, abs=1e-12)


def test_a_detour_is_above_the_ceiling_of_the_great_circle(ask):
    told = ask("latency", "39.0,-80.05", "--all", "--json").json
    by_id = {row["metro_id"]: row for row in told["metros"]}
    # To Westville one goes to its node, past the centre, and back.
    assert by_id["10"]["above_ceiling"] == "low"
    high = straight_ms(HERE, (-80.1, 39.0), end="high")
    assert by_id["10"]["rtt_ms_high"] > high
    # Ceiling and way to a centre in line are alike but for the rounding of lengths.
    assert by_id["40"]["rtt_ms_high"] == pytest.approx(
        straight_ms(HERE, (-77.0, 39.0), end="high"), rel=1e-3
    )


def test_people_are_counted_by_the_high_the_middle_and_the_low_round_trip(ask):
    home = (-80.0, 39.05)
    trips = [straight_ms(HERE, WEST, home, end=end) for end in ENDS]
    far = [
        straight_ms(HERE, WEST, MID, EAST, (-74.0, 39.2), end=end)
        + RULES.exchange_ms[ENDS.index(end)]
        for end in ENDS
    ]
    for ms, people in (
        (0.999 * trips[0], (0, 0, 0)),
        (1.001 * trips[0], (0, 0, 1000)),
        (1.001 * trips[1], (0, 1000, 1000)),
        (1.001 * trips[2], (1000, 1000, 1000)),
        (1.001 * far[0], (1000, 1000, 6001)),
        (1.001 * far[1], (1000, 6001, 6001)),
        (1.001 * far[2], (6001, 6001, 6001)),
    ):
        (row,) = ask("reach", "39.0,-80.05", "--ms", ms, "--json").json["budgets"]
        assert tuple(row[f"people_{end}"] for end in ENDS) == people
        assert row["share_mid"] == pytest.approx(people[1] / 6700.75, abs=1e-12)


def test_metros_in_reach_come_with_how_sure_they_are(ask):
    told = ask("reach", "39.0,-80.05", "--ms", 10, "--json").json
    assert [row["metro_id"] for row in told["metros"]] == ["10", "40", "20"]
    (row,) = told["budgets"]
    eastport = told["metros"][-1]
    assert eastport["rtt_ms_low"] <= 10 < eastport["rtt_ms_high"]
    within = [sum(metro[f"rtt_ms_{end}"] <= 10 for metro in told["metros"]) for end in ENDS]
    assert [row[f"metro_count_{end}"] for end in ENDS] == within[::-1]
    # Light goes 102,041 km a second there and back; 1.7 times the great circle.
    assert row["straight_mi_mid"] == pytest.approx(10 / (2 * 0.0049) / 1.7 / 1.609344)
    said = ask("reach", "39.0,-80.05", "--ms", 10).out
    assert "Metros in reach" in said
    assert "sure" in said


def test_several_round_trips_are_answered_in_order_and_once(ask):
    told = ask("reach", "39.0,-80.05", "--ms", 20, 5, 5, "--json").json
    assert [row["ms"] for row in told["budgets"]] == [5, 20]
    assert [row["ms"] for row in ask("reach", "39.0,-80.05", "--json").json["budgets"]] == [10]


def test_plain_miles_stand_beside(ask):
    told = ask("reach", "39.0,-80.05", "--json").json
    # 4 miles from the point, 330, and 1,350.
    assert [told[f"population_{mi}mi"] for mi in (25, 50, 100)] == [1000, 1000, 1000]
    assert told["study_people"] == 6700.75
    said = ask("reach", "39.0,-80.05").out
    assert "People in plain miles: 1,000 within 25" in said
    assert "leaves out" not in said


def test_people_of_a_raster_take_the_place_of_the_layers(gridstead, tmp_path):
    # The cell that holds 39.0042 north, 79.9958 west: 51 degrees from the pole, 100 from the date line.
    raster = {
        "people_state": pd.DataFrame(
            {
                "state_id": ["WV", "OH"],
                "method": ["raster_cell"] * 2,
                "covered_share": [0.5, 1.0],
            }
        ),
        "people_cell": pd.DataFrame(
            {"row_no": [51 * 120 - 1], "column_no": [100 * 120], "people_milli": [42_000]}
        ),
    }
    fiber_world.publish(tmp_path, RULE, layers() | raster)
    told = gridstead("reach", "39.0042,-79.9958", "--home", tmp_path, "--json").json
    assert (told["population_25mi"], told["study_people"]) == (42, 42)
    said = gridstead("reach", "39.0042,-79.9958", "--home", tmp_path).out
    assert "42 within 25, 42 within 50, 42 within 100 (by cell of 30 arc seconds)" in said
    assert told["left_out_state_ids"] == ["WV"]
    assert "The raster of people leaves out land of WV: nobody there" in said


@pytest.mark.parametrize("command", ["latency", "reach"])
def test_a_point_far_from_any_node_has_no_round_trip(ask, command):
    # Lonely stands there, but nothing leads to it.
    said = ask(command, "45.0,-70.0")
    assert said.code == 0
    reason = "No connected fiber node stands within 100 miles: round trips are unknown."
    assert reason in said.out
    told = ask(command, "45.0,-70.0", "--json").json
    assert told["unknown_reason"] == reason
    assert told["metros"] == []
    assert told.get("budgets", []) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["latency", "somewhere"], "'somewhere' is no point"),
        (["latency", "91,-77"], "is no latitude and longitude"),
        (["latency"], "Name a point"),
        (["latency", "39,-80", "--to", "Atlantis"], "No metro of the build is called 'Atlantis'"),
        (["latency", "39,-80", "--to", " "], "No metro of the build is called ' '"),
        (["reach"], "Name a point"),
        (["reach", "somewhere"], "'somewhere' is no point"),
        (["reach", "39,-80", "--ms", "0"], "--ms 0 is no round trip"),
        (["reach", "39,-80", "--ms", "5", "-1"], "--ms -1 is no round trip"),
        (["reach", "39,-80", "--ms", "nan"], "--ms nan is no round trip"),
        (["reach", "39,-80", "--ms", "inf"], "--ms inf is no round trip"),
    ],
)
def test_what_is_no_question_is_said(ask, words, said):
    answer = ask(*words)
    assert (answer.code, answer.out) == (2, "")
    assert said in " ".join(answer.err.split())


def test_a_study_without_fiber_says_so(gridstead, tmp_path):
    none = {name: frame.iloc[:0] for name, frame in layers().items() if name != "metro"}
    fiber_world.publish(tmp_path, RULE, layers() | none)
    for command in ("latency", "reach"):
        answer = gridstead(command, "39.0,-80.05", "--home", tmp_path)
        assert answer.code == 0
        assert "The study has no fiber layer: round trips are unknown." in answer.out


def test_nobody_near_fiber_is_unknown_not_zero(gridstead, tmp_path):
    far = layers()["people"].iloc[2:]
    fiber_world.publish(tmp_path, RULE, layers() | {"people": far})
    told = gridstead("reach", "39.0,-80.05", "--home", tmp_path, "--json").json
    assert [told["budgets"][0][f"people_{end}"] for end in ENDS] == [None] * 3
    said = gridstead("reach", "39.0,-80.05", "--home", tmp_path).out
    assert "The build knows no people near its fiber" in said


@pytest.mark.parametrize(
    "older", ["drop table mart.fiber_node", "delete from meta.latency_rule where name = 'hop_ms'"]
)
def test_a_build_of_an_older_version_is_said(gridstead, tmp_path, older):
    build = fiber_world.publish(tmp_path, RULE, layers())
    with duckdb.connect(str(build)) as con:
        con.execute(older)
    answer = gridstead("latency", "39.0,-80.05", "--home", tmp_path)
    assert (answer.code, answer.out) == (1, "")
    assert "Run r1 holds no fiber graph" in answer.err


def random_layers(seed):
    """Cities with carriers, links and exchanges at random, people and metros among them."""
    rng = np.random.default_rng(seed)
    city = np.column_stack([rng.uniform(-90, -75, 40), rng.uniform(33, 43, 40)])
    pop = [
        (f"p{no}-{carrier}", f"City {no}", f"c{carrier}", f"Carrier {carrier}", *city[no])
        for no in range(len(city))
        for carrier in rng.choice(8, rng.integers(1, 5), replace=False)
    ]
    frame = pd.DataFrame(pop, columns=layers()["pop"].columns[:-1])
    links = []
    for _, own in frame.groupby("carrier_id"):
        ids = own["pop_id"].to_numpy()
        for _ in range(2 * len(ids)):
            a, b = rng.choice(len(ids), 2, replace=False)
            links.append(
                (f"l{len(links)}", ids[a], ids[b], str(rng.choice(["mapped", "ip_adjacency"])))
            )
    ixp = [(f"x{no}", f"IX {no}", False, *(city[no] + 0.1)) for no in range(0, 40, 7)]
    metro = [(f"{no:05}", f"Metro {no}", 10**6, *(city[no] + 0.2), no % 2 == 0) for no in range(25)]
    people = np.column_stack(
        [rng.uniform(0, 5000, 500), rng.uniform(-91, -74, 500), rng.uniform(32, 44, 500)]
    )
    return {
        "pop": frame.assign(carrier_kind="carrier"),
        "carrier_link": pd.DataFrame(
            links, columns=["link_id", "from_pop_id", "to_pop_id", "link_kind"]
        ).assign(source_id="made"),
        "facility": layers()["facility"],
        "ixp": pd.DataFrame(ixp, columns=layers()["ixp"].columns),
        "metro": pd.DataFrame(metro, columns=layers()["metro"].columns),
        "people": pd.DataFrame(people, columns=["people", "lon", "lat"]).assign(
            people_id=[f"{no:04}" for no in range(500)]
        ),
    }


@pytest.fixture(scope="module")
def random_world(tmp_path_factory):
    home = tmp_path_factory.mktemp("random")
    held = random_layers(7)
    return SimpleNamespace(home=home, build=fiber_world.publish(home, RULE, held), layers=held)


POINTS = np.column_stack(
    [np.random.default_rng(3).uniform(-88, -77, 6), np.random.default_rng(4).uniform(34, 42, 6)]
)


@pytest.mark.parametrize(("lon", "lat"), POINTS)
def test_the_ways_add_up_to_the_published_round_trips(random_world, lon, lat):
    with store.open_build(random_world.build) as con:
        fiber = PublishedFiber.of(con)
        access = fiber.access(lat, lon)
        metro = fiber.metro_rtts(con, access)
    assert metro["rtt_ms_mid"].notna().any()
    for (_, row), steps in zip(metro.iterrows(), Ways(fiber, access).to_metros(metro), strict=True):
        if pd.isna(row["rtt_ms_mid"]):
            assert steps == []
        else:
            total = sum(step["rtt_ms"] for step in steps)
            assert total == pytest.approx(row["rtt_ms_mid"], abs=1e-9)
            words = text(steps)
            assert words.startswith("lateral ")
            for step in steps:
                if step["kind"] == "carrier":
                    assert f"{step['carrier_name']} {step['link_count']} link" in words


def test_the_published_graph_is_the_one_that_was_made(random_world):
    with store.open_build(random_world.build) as con:
        fiber = PublishedFiber.of(con)
    made = fiber_world.graph_of(random_world.layers, RULES)
    for name in FiberGraph.__annotations__:
        if name != "node":
            np.testing.assert_array_equal(getattr(fiber.graph, name), getattr(made, name))


@pytest.mark.parametrize(("lon", "lat"), POINTS)
def test_people_in_reach_are_those_of_a_plain_count(random_world, gridstead, lon, lat):
    """All pairs, one by one: each of the people at the nearest node, each round trip the least."""
    graph = fiber_world.graph_of(random_world.layers, RULES)
    node_ms = graph.node_ms()
    node = np.flatnonzero(graph.is_connected)
    near = sorted((km((lon, lat), (graph.lon[no], graph.lat[no])), no) for no in node)[:4]
    near = [(far, no) for far, no in near if far <= 100 * 1.609344]
    budgets = (5.0, 10.0, 20.0)
    count = np.zeros((3, 3))
    for row in random_world.layers["people"].itertuples():
        far, own = min((km((row.lon, row.lat), (graph.lon[no], graph.lat[no])), no) for no in node)
        if far > 100 * 1.609344:
            continue
        for end in range(3):
            factor = 2 * 0.0049 * RULES.straight_factor[end]
            trips = [factor * here + node_ms[no, own, end] + factor * far for here, no in near]
            for at, budget in enumerate(budgets):
                count[at, 2 - end] += row.people * (min(trips, default=np.inf) <= budget)
    where = f"{lat},{lon}"
    told = gridstead("reach", where, "--ms", *budgets, "--home", random_world.home, "--json").json
    found = [[row[f"people_{end}"] for end in ENDS] for row in told["budgets"]]
    assert count.max() > 0
    np.testing.assert_allclose(found, count, atol=0.51)


def test_addresses_are_shortened_to_two_parts():
    assert (
        short("Equinix DC2, 21715 Filigree Court, Ashburn, VA")
        == "Equinix DC2, 21715 Filigree Court"
    )
    assert short("Ashburn") == "Ashburn"


def test_an_answer_takes_a_moment(made, gridstead):
    gridstead("latency", "39.0,-80.05", "--home", made.home)
    began = time.process_time()
    answer = gridstead("latency", "39.0,-80.05", "--all", "--home", made.home, "--json")
    assert time.process_time() - began < 3
    assert json.loads(answer.out)["run"]["run_id"] == "r1"
