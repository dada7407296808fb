"""Terms of sources: what no export may carry, and that no column of one is without a decision."""

import duckdb
import geopandas as gpd
import pandas as pd
import pytest
import shapely

from data import store
from flows import terms, terms_columns
from flows.assess_files import SITE, site_columns
from flows.exporting import QUERIES
from flows.terms import Withheld

PARAMS = {
    "region": {"workload": "training", "level": None, "n": 0},
    "parcel": {"workload": "training", "n": 0},
    "substation": None,
    "metro": None,
}


def columns_of(build, kind):
    with store.open_build(build) as con:
        return store.query_file(con, QUERIES[kind], PARAMS[kind]).columns


def decisions(column, kind):
    """How often a column is decided on."""
    own = terms_columns.OWN_ROW.get(kind, ())
    if column in own:
        return 1
    named = {
        name for first, (_, more) in terms_columns.NAMED_ROW.items() for name in (first, *more)
    }
    return sum(column in table for table in (terms_columns.TAKEN, named, terms_columns.RESULTS))


@pytest.mark.parametrize("kind", QUERIES)
def test_every_exported_column_is_decided_on_once(base, kind):
    columns = columns_of(base.build, kind)
    assert columns
    assert {column: decisions(column, kind) for column in columns} == dict.fromkeys(columns, 1)


def test_a_column_that_nobody_decided_on_is_found():
    assert decisions("resale_price_usd", "parcel") == 0


def test_no_decision_is_on_a_column_that_is_gone(base):
    there = {column for kind in QUERIES for column in columns_of(base.build, kind)}
    tables = terms_columns
    named = {name for _, more in tables.NAMED_ROW.values() for name in more}
    assert {*tables.TAKEN, *tables.NAMED_ROW, *named, *tables.RESULTS} <= there
    assert set(tables.FROM_FILE) <= set(tables.TAKEN)


def test_decisions_name_layers_that_there_are():
    layers = {name.removeprefix("core/") for name in store.sql_names("core")}
    named = {layer for layers in terms_columns.TAKEN.values() for layer in layers}
    named |= {layer for layer, _ in terms_columns.NAMED_ROW.values()}
    for group in (terms.ROW_KINDS, terms.WHOLE_KINDS, terms.REGION_LAYERS):
        named |= {layer for layers in group.values() for layer in layers}
    assert named <= layers


@pytest.fixture
def build():
    """Tables that say what comes from where, to be filled."""
    con = duckdb.connect()
    con.execute("""
        create schema meta; create schema mart; create schema core;
        create table meta.source (source_id varchar, title varchar, data_terms varchar, is_exportable boolean);
        create table meta.layer_source (layer varchar, source_id varchar, row_count bigint);
        create table meta.metric (metric varchar, label varchar);
        create table mart.substation (substation_id varchar, source_id varchar);
        create table core.line (line_id varchar, source_id varchar);
        insert into meta.metric values
            ('industrial_usd_per_mwh', 'industrial power price'), ('generation_queue_mw', 'generation queue'),
            ('land_value_usd_per_acre', 'land value'), ('hazard_usd_per_person', 'natural hazard risk'),
            ('headroom_mw_mid', 'headroom of the feeding substation');
    """)
    yield con
    con.close()


def tell(con, sources, layers):
    """Name sources with whether they may be passed on, and layers with their source."""
    con.executemany(
        "insert into meta.source values (?, 'Title of ' || ?, 'terms of ' || ?, ?)",
        [[name, name, name, free] for name, free in sources.items()],
    )
    con.executemany("insert into meta.layer_source values (?, ?, 1)", layers)


def test_nothing_is_withheld_where_all_may_be_passed_on(build):
    tell(build, {"census": True}, [["county", "census"]])
    held = terms.withheld(build)
    assert held == Withheld()
    frame = pd.DataFrame({"region_kind": ["county"], "reason": ["land value 3 $/acre"]})
    assert terms.apply(frame, held, "region") is frame


def test_columns_follow_the_layers_that_they_are_taken_from(build):
    tell(
        build,
        {"prices": False, "county_acs": True, "reeds_queue": True, "census": True},
        [["county_fact", "prices"], ["county", "census"], ["state", "census"]],
    )
    held = terms.withheld(build)
    assert held.sources == [
        {"source_id": "prices", "title": "Title of prices", "why": "terms of prices"}
    ]
    assert held.named == ["Title of prices (terms of prices)"]
    # People and queue of county_fact come from files of their own.
    assert held.columns == {
        *("industrial_usd_per_mwh", "hazard_usd_per_person", "fiber_coverage_share"),
    }
    assert held.layers == held.touched == {"county_fact"}
    assert set(held.labels) == {"natural hazard risk", "industrial power price"}


def test_files_that_are_withheld_withhold_their_columns(build):
    tell(
        build,
        {"county_fact": True, "county_acs": False, "reeds_queue": False},
        [["county_fact", "county_fact"]],
    )
    assert terms.withheld(build).columns == {"population_people", "generation_queue_mw"}


def test_a_layer_of_two_sources_is_withheld_by_row(build):
    tell(
        build,
        {"hifld": True, "state_list": False},
        [["substation", "hifld"], ["substation", "state_list"], ["line", "hifld"]],
    )
    build.execute("""
        insert into mart.substation values ('a', 'hifld'), ('b', 'state_list'), ('c', null);
        insert into core.line values ('l', 'hifld');
    """)
    held = terms.withheld(build)
    assert (held.layers, held.touched) == (frozenset(), {"substation"})
    assert held.ids == {"substation": {"b"}}
    assert held.allows("substation")
    shapes = gpd.GeoDataFrame(
        {"substation_id": ["a", "b", "c"], "source_id": ["hifld", "state_list", None]},
        geometry=[shapely.Point(x, 0) for x in range(3)],
        crs="OGC:CRS84",
    )
    assert terms.apply(shapes, held, "substation")["substation_id"].tolist() == ["a", "c"]
    parcels = pd.DataFrame(
        {
            "substation_69kv_mi": [1.0, 2.0, 3.0],
            "substation_69kv_id": ["a", "b", None],
            "substation_69kv_kv": [230.0, 115.0, None],
            "line_230kv_id": ["l", "l", "l"],
        }
    )
    before = parcels.copy()
    passed = terms.apply(parcels, held, "parcel")
    assert passed["substation_69kv_id"].fillna("-").tolist() == ["a", "-", "-"]
    assert passed["substation_69kv_kv"].fillna(0).tolist() == [230, 0, 0]
    assert passed["substation_69kv_mi"].tolist() == [1, 2, 3]
    assert passed["line_230kv_id"].tolist() == ["l", "l", "l"]
    pd.testing.assert_frame_equal(parcels, before)
    words = terms.documented({"substation_69kv_id": "Nearest", "line_230kv_id": "Line"}, held)
    assert words == {
        "substation_69kv_id": "Nearest" + terms.LEFT_EMPTY,
        "line_230kv_id": "Line",
    }


def test_a_network_case_of_the_users_own_gives_no_row(build):
    layers = ("substation", "line", "bus", "branch", "plant", "zone")
    tell(build, {"network_case": False}, [[layer, "network_case"] for layer in layers])
    held = terms.withheld(build)
    assert not held.allows("substation")
    assert not held.allows_region("zone")
    assert held.allows_region("county")
    assert {"zone_id", "load_mw", "limit_text", "limit_branch_id"} <= held.columns
    regions = pd.DataFrame({"region_kind": ["county", "zone"], "region_name": ["Loudoun", "1"]})
    assert terms.apply(regions, held, "region")["region_name"].tolist() == ["Loudoun"]


def test_nodes_are_withheld_with_any_of_what_they_join(build):
    tell(build, {"carriers": False, "own": True}, [["pop", "carriers"], ["ixp", "own"]])
    held = terms.withheld(build)
    assert not held.allows("fiber_node")
    assert len(terms.apply(pd.DataFrame({"node_id": ["n"]}), held, "fiber_node")) == 0
    assert {"pop_id", "ixp_name", "lit_node_name"} <= held.columns


def test_with_restricted_leaves_all_in_and_names_it(build):
    tell(build, {"values": False}, [["land_value", "values"]])
    held = terms.withheld(build, with_restricted=True)
    assert held.is_restricted
    assert held.source_ids == []
    assert held.named == ["Title of values (terms of values)"]
    frame = pd.DataFrame({"land_value_usd_per_acre": [1.0]})
    assert terms.apply(frame, held, "parcel") is frame


@pytest.mark.parametrize(
    ("said", "left"),
    [
        (None, None),
        (
            "for it: land value 3,900 $/acre; headroom 5 MW; against it: land value at sea 12 $/acre",
            "for it: land value (figure withheld); headroom 5 MW; against it: land value at sea (figure withheld)",
        ),
        (
            "no parcel passes the gates: 7 fail land value",
            "no parcel passes the gates: 7 fail land value",
        ),
        ("for it: headroom 5 MW", "for it: headroom 5 MW"),
    ],
)
def test_sentences_lose_figures_and_keep_words(said, left):
    held = Withheld(
        [{"source_id": "s", "title": "t", "why": "w"}], labels=("land value at sea", "land value")
    )
    assert held.sentence(said) == left


@pytest.mark.parametrize("is_stated", [True, False])
@pytest.mark.parametrize("columns", [frozenset(), frozenset({"industrial_usd_per_mwh"})])
def test_files_of_sites_carry_a_price_that_was_stated_or_may_be_passed_on(columns, is_stated):
    site = dict.fromkeys(SITE, "x") | {"usd_per_mwh": 50.0, "is_usd_per_mwh_stated": is_stated}
    price = site_columns(site, Withheld(columns=columns))["usd_per_mwh"]
    assert price == (50.0 if is_stated or not columns else None)


def test_a_kind_that_nobody_knows_is_refused():
    with pytest.raises(ValueError, match="'tower' is no kind"):
        terms.apply(pd.DataFrame(), Withheld(), "tower")


def test_the_withheld_backbones_of_a_study_are_in_no_file(base):
    """What a run wrote names the source, and holds none of its ids and names."""
    exports = base.home / "exports"
    with store.open_build(base.build) as con:
        held = terms.withheld(con)
        points = {row[0] for row in con.execute("select pop_id from core.pop").fetchall()}
    assert held.source_ids == ["topohub_backbone"]
    frame = gpd.read_parquet(exports / "training_parcels.parquet")
    assert not held.columns & set(frame.columns)
    assert "pop_mi" in frame.columns
    text = frame.astype(str).to_csv()
    assert points
    assert not [point for point in points if point in text]
