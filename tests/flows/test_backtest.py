"""`gridstead backtest` on a build whose every place can be worked out by hand, and on the tiny study."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from data import build, store
from data.stage import REFERENCE_DIR
from flows import backtest as module
from flows import fiber_graph
from flows.backtest_sites import place_sites, read_sites
from tests.flows.conftest import rows, write_to
from tests.oracle import backtest as oracle
from tests.sql import world as made

KNOWN = Path(__file__).parent / "known_sites.geojson"
# Squares of 0.1 degrees from west to east: ten in AA, then ten in BB.
COUNT, WEST, SOUTH, SIZE = 20, -90.0, 40.0, 0.1
PRICE = [10.0 * n for n in range(10)] * 2
IXP_MI = [float(9 - n) for n in range(10)] * 2
GATE_FAILS = {0, 10}
NAMES = [f"p{n:02d}" for n in range(COUNT)]


def parcels():
    """The dearer power is, the farther east; exchanges are near where it is dear."""
    return [
        {
            "parcel_id": name,
            "state_id": "AA" if n < 10 else "BB",
            "county_id": "99001" if n < 10 else "99002",
            "industrial_usd_per_mwh": PRICE[n],
            "ixp_mi": IXP_MI[n],
            "rtt_major_metro_ms_mid": 1.0 + n % 10,
            "headroom_mw_mid": 0.0 if n in GATE_FAILS else 100.0,
            "substation_230kv_mi": 3.0,
            "population_50mi": 100 + n,
            "metro_mi": 5.0 if n % 2 else 60.0,
            "acres": 100.0,
        }
        for n, name in enumerate(NAMES)
    ]


def square(number):
    west = WEST + SIZE * number
    return shapely.box(west, SOUTH, west + SIZE, SOUTH + SIZE)


def spread(paths):
    """Give every parcel a square of its own; the last has no acres that can be built on."""
    land = gpd.read_parquet(paths["parcel"])
    middle = WEST + SIZE * (np.arange(COUNT) + 0.5)
    land = land.assign(lon=middle, lat=SOUTH + SIZE / 2).set_geometry(
        [square(n) for n in range(COUNT)], crs="OGC:CRS84"
    )
    land.to_parquet(paths["parcel"])


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Profiles with an exchange among their factors, alone and beside others, and with a gate on it."""
    folder = tmp_path_factory.mktemp("backtest")
    price = ("industrial_usd_per_mwh", 0.4, [(0, 1), (100, 0)])
    ixp = ("ixp_mi", 0.6, [(0, 1), (10, 0)])
    rtt = ("rtt_major_metro_ms_mid", 0.6, [(0, 1), (100, 0)])
    gate = ("headroom_mw_mid", "at_least", 50)
    profiles = [
        made.profile([price, ixp], [gate, ("ixp_mi", "at_most", 5)]),
        made.profile([price, rtt], [gate], name="inference"),
        made.profile([(ixp[0], 1.0, ixp[2])], name="exchange"),
        made.profile([(price[0], 1.0, price[2])], [gate], name="price"),
    ]
    path = folder / "gridstead.duckdb"
    con = made.make(folder / "files", parcels(), profiles, path=path, edit_files=spread)
    layers = [("ixp", 3), ("facility", 0), ("carrier_link", 9)]
    build.insert_rows(
        con,
        "meta.layer_source",
        [{"layer": layer, "source_id": "made", "row_count": n} for layer, n in layers],
    )
    con.close()
    return folder


def points(folder, places, **columns):
    """A file of sites on the middles of parcels by number, or at (lon, lat)."""
    at = [
        shapely.centroid(square(place)) if isinstance(place, int) else shapely.Point(place)
        for place in places
    ]
    path = folder / "sites.geojson"
    gpd.GeoDataFrame(columns, geometry=at, crs="OGC:CRS84").to_file(path)
    return path


@pytest.fixture
def ask(gridstead, home):
    def ask(path, workload, *words, home=home):
        found = gridstead(
            "backtest", path, "--workload", workload, "--home", home, "--json", *words
        )
        assert found.code == 0, found.err
        return SimpleNamespace(**found.json)

    return ask


def estimate(answer, ranking, match="state"):
    (row,) = (r for r in answer.estimates if (r["ranking"], r["match"]) == (ranking, match))
    return row


def by_hand(sites, key):
    """AUC by loops over all pairs of sites and land of their state."""
    land = [(key(n), n // 10, 100.0) for n in range(COUNT) if n not in sites]
    return np.mean([oracle.win(key(n), n // 10, land) for n in sites])


def test_exchanges_count_as_published_and_not_as_tested(ask, tmp_path):
    sites = [1, 2, 13, 19]
    found = ask(points(tmp_path, sites), "training")

    def tested(n):
        return -1.0 if n in GATE_FAILS else 100.0 - PRICE[n]

    def published(n):
        if n in GATE_FAILS or IXP_MI[n] > 5:
            return -1.0
        return 0.4 * (1 - PRICE[n] / 100) + 0.6 * (1 - IXP_MI[n] / 10)

    assert estimate(found, "tested")["auc"] == pytest.approx(by_hand(sites, tested))
    assert estimate(found, "published")["auc"] == pytest.approx(by_hand(sites, published))
    assert estimate(found, "population")["auc"] == pytest.approx(by_hand(sites, float))
    assert estimate(found, "substation_230kv")["auc"] == 0.5
    assert estimate(found, "random")["auc"] == 0.5
    assert {(row["kind"], row["metric"]) for row in found.dropped} == {
        ("factor", "ixp_mi"),
        ("gate", "ixp_mi"),
    }
    assert found.weight_dropped == pytest.approx(0.6)
    ranks = {row["parcel_id"]: row["rank"] for row in found.sites}
    # By price, then by id; p00 and p10, which are cheapest, fail the other gate.
    assert ranks == {"p01": 1, "p02": 3, "p13": 6, "p19": 18}
    assert {row["gate_status"] for row in found.sites} == {"pass"}


def test_what_is_measured_over_the_fiber_graph_is_dropped_where_exchanges_are_in_it(ask, tmp_path):
    found = ask(points(tmp_path, [3, 15]), "inference")
    (row,) = found.dropped
    assert row["metric"] == "rtt_major_metro_ms_mid"
    assert row["dropped_why"] == "measured over the fiber graph, which holds ixp"


def test_it_is_kept_where_the_build_has_neither_exchange_nor_facility(ask, home, tmp_path):
    shutil.copy2(home / "gridstead.duckdb", tmp_path)
    write_to(tmp_path / "gridstead.duckdb", "delete from meta.layer_source where layer = 'ixp'")
    assert ask(points(tmp_path, [3, 15]), "inference", home=tmp_path).dropped == []


def test_every_metric_of_their_layers_is_dropped_and_no_other(home):
    """The layers come from the table of metrics, whatever is in it."""
    metric = pd.read_csv(REFERENCE_DIR / "metric.csv")
    layers = {"data_center", "facility", "ixp", "carrier_link"}
    expected = {
        name
        for name, layer in zip(metric["metric"], metric["layer"], strict=True)
        if set(str(layer).split()) & layers
    }
    assert {"data_center_mi", "data_center_25mi_count", "ixp_mi", "lit_node_mi"} <= expected
    with store.create() as con:
        con.execute("create schema meta")
        con.execute(f"attach '{home / 'gridstead.duckdb'}' as old (read_only)")
        con.execute("create table meta.metric as from old.meta.metric")
        con.execute("create table meta.layer_source as from old.meta.layer_source")
        con.execute(
            "create table meta.factor as "
            "select 'all' as workload, metric, 0.1 as weight, false as is_removed from meta.metric"
        )
        con.execute("create table meta.gate as from meta.factor limit 0")
        found = {row["metric"] for row in module.metrics_in_use(con, "all") if row["dropped_why"]}
    assert found == expected


def test_the_graph_is_made_of_the_layers_that_are_said():
    assert {module.GRAPH_BY, *module.GRAPH_LAYERS} <= set(fiber_graph.LAYERS)
    assert set(module.GRAPH_LAYERS) == set(module.PRESENCE_LAYERS) & set(fiber_graph.LAYERS)


def test_nothing_is_left_of_a_profile_of_exchanges(gridstead, home, tmp_path):
    path = points(tmp_path, [3])
    found = gridstead("backtest", path, "--workload", "exchange", "--home", home)
    assert found.code == 2
    assert "nothing is left to test" in found.err


def test_what_fails_a_gate_is_last_and_level(ask, tmp_path):
    found = ask(points(tmp_path, [0, 10]), "price")
    assert [row["rank"] for row in found.sites] == [None, None]
    assert {tuple(row["gates_failed"]) for row in found.sites} == {("headroom_mw_mid",)}
    assert found.failed_gate_count == 2
    # All other land of their states passes; by price alone they are the best.
    assert estimate(found, "tested")["auc"] == 0.0
    assert estimate(found, "ungated")["auc"] == 1.0
    assert found.dropped == []
    assert estimate(found, "published")["auc"] == 0.0


def test_matches_compare_with_the_land_they_name(ask, tmp_path):
    path = points(tmp_path, [4])
    found = ask(path, "price", "--match", "metro")
    # As far from a metro, cheaper and passing: p02, p12; as dear: p14; dearer or failing: p06 p08 p16 p18 p00 p10.
    assert estimate(found, "tested", "metro")["auc"] == pytest.approx((6 + 0.5) / 9)
    assert estimate(found, "tested", "state")["auc"] == pytest.approx((5 + 1) / 9)
    assert estimate(found, "tested", "all")["auc"] == pytest.approx((5 + 5 + 2 + 0.5) / 19)
    assert found.sites[0]["beats_pct"] == pytest.approx(72.2)


def test_warnings_name_what_is_few_outside_and_shared(ask, tmp_path):
    path = points(tmp_path, [3, 3, (0.0, 0.0)], name=["one", "two", "Null Island"])
    found = ask(path, "price")
    assert found.outside == ["Null Island"]
    assert (found.site_count, found.placed_count) == (3, 2)
    said = " ".join(found.warnings)
    for words in (
        "2 sites are few",
        "all sites stand in AA",
        "2 sites stand on 1 parcels",
        "1 sites lie outside of the build and are not counted: Null Island",
    ):
        assert words in said


def test_sites_that_are_all_land_have_nothing_to_be_compared_with(ask, gridstead, home, tmp_path):
    path = points(tmp_path, list(range(COUNT)))
    found = ask(path, "price")
    assert (found.estimates, found.verdicts) == ([], {})
    told = gridstead("backtest", path, "--workload", "price", "--home", home)
    assert "No land of the build is left to compare" in told.out


def test_points_edges_and_polygons_find_their_parcels(home, tmp_path):
    whole = shapely.box(WEST + 0.18, SOUTH, WEST + 0.39, SOUTH + 0.05)
    shapes = [
        shapely.Point(WEST + 0.05, SOUTH + 0.05),  # in 0
        shapely.Point(WEST + SIZE, SOUTH + 0.05),  # on the border of 0 and 1
        shapely.Point(WEST + 0.25, SOUTH - 0.01),  # 0.7 miles off 2
        shapely.Point(WEST + 0.25, SOUTH - 0.1),  # 7 miles off
        whole,  # a fifth of 1, all of 2, most of 3
        shapely.box(WEST + 0.45, SOUTH + 0.101, WEST + 0.46, SOUTH + 0.102),  # just off 4
        shapely.MultiPoint([(WEST + 0.51, SOUTH + 0.01), (WEST + 0.53, SOUTH + 0.01)]),
    ]
    path = tmp_path / "sites.gpkg"
    gpd.GeoDataFrame(geometry=shapes, crs="OGC:CRS84").to_crs("EPSG:5070").to_file(path)
    with store.open_build(home / "gridstead.duckdb") as con:
        lonlat = np.array(
            con.execute("select lon, lat from core.parcel order by parcel_no").fetchall()
        )
        sites = read_sites(path)
        found = place_sites(con, sites, *lonlat.T.copy())
    assert found.tolist()[0] == 0
    assert found.tolist()[1] in {0, 1}
    assert found.tolist()[2:] == [2, -1, 2, 4, 5]
    assert sites.name.tolist() == [f"site {n}" for n in range(1, 8)]


def test_features_that_are_no_site_are_named(ask, tmp_path):
    path = tmp_path / "odd.geojson"
    shapes = [
        {"type": "Point", "coordinates": [WEST + 0.35, SOUTH + 0.05]},
        None,
        {"type": "LineString", "coordinates": [[WEST, SOUTH], [WEST + 1, SOUTH]]},
        {"type": "Point", "coordinates": [WEST, 140.0]},
    ]
    names = ["good", " ", "a road", "north of the pole"]
    features = [
        {"type": "Feature", "properties": {"Name": name}, "geometry": shape}
        for name, shape in zip(names, shapes, strict=True)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    found = ask(path, "price")
    assert [row["site"] for row in found.sites] == ["good"]
    assert found.unusable == [
        "site 2: no geometry",
        "north of the pole: coordinates that are no degrees",
        "a road: a line, neither point nor polygon",
    ]


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (None, 1, "There is no file"),
        ("not json", 1, "cannot be read"),
        ('{"type": "FeatureCollection", "features": []}', 1, "holds no geometry"),
        ('{"type": "Point", "coordinates": [39.0, -90.0]}', 1, "lies in the build"),
        ('{"type": "LineString", "coordinates": [[0, 1], [2, 3]]}', 1, "a line"),
    ],
)
def test_bad_files_end_in_a_sentence(gridstead, home, tmp_path, content, code, words):
    path = tmp_path / "bad.geojson"
    if content is not None:
        path.write_text(content)
    found = gridstead("backtest", path, "--workload", "price", "--home", home)
    assert found.code == code
    assert words in found.err


def test_bad_words_end_in_a_sentence(gridstead, home, tmp_path):
    path = points(tmp_path, [3])
    for words, said in (
        (["--workload", "mining"], "ranks no workload"),
        (["--workload", "price", "--seed", "-1"], "below 0"),
        (["--workload", "price", "--match", "county"], "match"),
    ):
        found = gridstead("backtest", path, "--home", home, *words)
        assert found.code == 2
        assert said in found.err.casefold()


def test_the_seed_moves_the_interval_and_nothing_else(ask, tmp_path):
    path = points(tmp_path, [1, 2, 5, 13, 17])
    one, same, other = (ask(path, "price", "--seed", seed) for seed in (1, 1, 2))
    assert one == same
    assert estimate(one, "tested")["auc"] == estimate(other, "tested")["auc"]
    assert estimate(one, "random") != estimate(other, "random")


def test_it_says_when_a_baseline_is_not_beaten(gridstead, home, tmp_path):
    """Sites where power is cheapest, and where it is dearest, which is where people are."""
    words = ("--workload", "price", "--home", home)
    good = gridstead("backtest", points(tmp_path, [1, 2, 11, 12]), *words).out
    assert "It beats people within 50 miles only" in good
    assert "It beats random land" in good
    bad = gridstead("backtest", points(tmp_path, [8, 9, 18, 19]), *words).out
    assert "It does worse than people within 50 miles only" in bad
    assert "It does worse than random land" in bad
    mixed = gridstead("backtest", points(tmp_path, [1, 9, 11, 18]), *words).out
    assert "It does not beat people within 50 miles only" in mixed


def test_known_places_on_the_tiny_study(ask, base):
    found = ask(KNOWN, "training", home=base.home)
    assert {"Ashburn, VA", "Sterling, VA", "Manassas, VA"} <= {row["site"] for row in found.sites}
    assert "Mesa, AZ" in found.outside
    ids = {row["parcel_id"]: row["published_rank"] for row in found.sites}
    ranks = rows(
        base.build, "select parcel_id, rank from mart.parcel_score where workload = 'training'"
    )
    assert ids == {name: rank for name, rank in ranks if name in ids}
    # What is tested is what the macro gives for weights of 0, as no gate is dropped.
    assert {row["kind"] for row in found.dropped} == {"factor"}
    weights = ", ".join(f"'{row['metric']}': 0.0" for row in found.dropped)
    ranked = rows(
        base.build,
        f"select parcel_id, rank from mart.rank_parcels('training', weights := map {{{weights}}})",
    )
    tested = {row["parcel_id"]: row["rank"] for row in found.sites}
    assert tested == {name: rank for name, rank in ranked if name in tested}
    assert len(tested) == len({row["parcel_id"] for row in found.sites}) > 1
