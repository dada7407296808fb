"""The mirror's real files through the staging of `conus`: every row accounted for, every trap sprung."""

from pathlib import Path

import duckdb
import geopandas as gpd
import numpy as np
import pytest
import shapely

from data import build, stage, store
from data.catalogue import load_catalogue, load_lock
from data.pull import pull
from data.study import load_study
from geo.fiber.right_of_way import RightOfWay
from geo.geodesy import GEOD
from geo.locate import locate
from geo.radius import radius_sums

ROOT = Path(__file__).parents[2]
MIRROR = ROOT.parent / "shared" / "mirror"
CACHE = ROOT / "var" / "cache"

pytestmark = [
    pytest.mark.mirror,
    pytest.mark.skipif(not MIRROR.is_dir(), reason="../shared/mirror is not there"),
]
CATALOGUE = load_catalogue()
STUDY = load_study("conus")


@pytest.fixture(scope="module")
def themes(tmp_path_factory):
    """Theme -> read-only connection on its staged database, each staged when first asked for."""
    folder = tmp_path_factory.mktemp("conus")
    held = {}

    def theme(name):
        if name not in held:
            spec = STUDY.themes[name]
            paths = {
                source_id: MIRROR / CATALOGUE.source(source_id).access.path
                for source_id in spec.sources
            }
            target = folder / f"{name}.duckdb"
            stage.stage_theme(name, spec, CATALOGUE, paths, target)
            held[name] = duckdb.connect(str(target), read_only=True)
        return held[name]

    yield theme
    for con in held.values():
        con.close()


def one(con, query):
    return con.sql(query).fetchall()[0]


@pytest.mark.parametrize("name", list(STUDY.themes))
def test_every_row_is_loaded_merged_or_rejected_with_a_reason(themes, name):
    con = themes(name)
    for check in ("rows_accounted", "rejects_kept", "raw_table_used"):
        assert store.query_file(con, f"checks/{check}").fetchall() == []
    assert one(
        con, "select count(*) from meta.rejected_row where reason is null or file is null"
    ) == (0,)


def test_grid_counts_substations_lines_and_plants(themes):
    con = themes("grid")
    assert one(
        con, "select count(*) from core.substation where source_id = 'hifld_substation'"
    ) == (3750,)
    kv = con.sql("select distinct kv_max from core.substation where kv_max not in (230, 345, 500)")
    assert {236.0, 245.0, 250.0} <= {value for (value,) in kv.fetchall()}
    # California's, the only ones known under 230 kV, count from 60 kV.
    assert one(con, "select min(kv_max) from core.substation") == (60.0,)
    rejected = con.sql(
        "select reject_code, count(*) from meta.rejected_row where raw_table = 'hifld_line' group by 1"
    )
    assert dict(rejected.fetchall()) == {"outside_area": 693, "duplicate": 946, "invalid": 5}
    unknown, dc = one(
        con,
        "select count(*) filter (where kv_min is null and kv_max is null and not is_dc), "
        "count(*) filter (where is_dc) from core.line",
    )
    assert unknown > 9000
    assert dc == 46
    assert one(con, "select count(*) from core.plant where capacity_mw <= 0") == (0,)
    # The wind farm of latitude 425.25, mended from EIA-860.
    assert one(con, "select round(lat, 2) from core.plant where plant_id = 'USA0062262'") == (
        42.52,
    )


def test_population_keeps_the_people_of_every_state_connecticut_among_them(themes):
    con = themes("population")
    off = con.sql(
        "select state_id from core.state inner join (select state_id, sum(people) as people "
        "from core.people group by state_id) using (state_id) "
        "where abs(people - population_people) > 1"
    )
    assert off.fetchall() == []
    assert one(con, "select count(*) from core.county") == (3108,)
    fact = (
        "select min(population_people), count(industrial_usd_per_mwh) from core.county_fact where "
    )
    people, priced = one(con, fact + "left(county_id, 2) = '09'")
    assert people > 100_000
    assert priced == 8
    lowest, highest = one(
        con, "select min(industrial_usd_per_mwh), max(industrial_usd_per_mwh) from core.county_fact"
    )
    assert 25 < lowest < highest < 250
    assert one(con, "select count(*), sum(is_major::int) from core.metro") == (190, 55)


def test_metros_agree_with_the_reference_table(themes):
    gap = one(
        themes("population"),
        "select max(abs(metro_people - population_acs2023::bigint)), "
        "max(abs(metro.lon - ref.lon::double)), max(abs(metro.lat - ref.lat::double)), count(*) "
        "from core.metro inner join raw.ref_metro as ref on ref.cbsa_code = metro_id",
    )
    people, lon, lat, count = gap
    assert (people, count) == (0, 190)
    # The reference weighs its centres by people of 2010, the study by those of 2019-2023.
    assert max(lon, lat) < 0.05


def test_fiber_leaves_out_the_world_and_counts_carriers_alone(themes):
    con = themes("fiber")
    kinds = dict(con.sql("select carrier_kind, count(*) from core.pop group by 1").fetchall())
    assert set(kinds) == {"carrier", "host", "research", "historical"}
    assert kinds["carrier"] > 8000
    loose = con.sql(
        "select link_id from core.carrier_link "
        "where from_pop_id not in (select pop_id from core.pop) "
        "or to_pop_id not in (select pop_id from core.pop)"
    )
    assert loose.fetchall() == []


def test_rights_of_way_have_both_carriageways_and_end_at_the_48_states(themes):
    con = themes("fiber")
    kinds = con.sql("select right_of_way_kind, count(*) from core.right_of_way group by 1")
    assert dict(kinds.fetchall()) == {"interstate": 6524, "railroad": 948}
    rejected = con.sql(
        "select raw_table, reject_code, count(*) from meta.rejected_row "
        "where raw_table in ('interstate', 'railroad') group by all order by all"
    )
    assert rejected.fetchall() == [
        ("interstate", "duplicate", 52),
        ("interstate", "invalid", 4),
        ("interstate", "outside_area", 9),
        ("railroad", "outside_area", 179),
    ]
    lines = build.layer_map(con, "right_of_way")
    interstates = lines[lines["right_of_way_kind"] == "interstate"].geometry
    # The Interstate System has about 77,000 km.
    assert (
        1.9
        < GEOD.geometry_length(shapely.MultiLineString(list(interstates.explode()))) / 77e6
        < 2.1
    )
    net = RightOfWay.of(lines)
    length_km = np.bincount(net.component[net.from_vertex], net.km)
    # One carriageway, and 125,000 km of railroads with what is in Canada and Mexico.
    assert 195_000 < length_km.sum() < 210_000
    # What is not joined lies in Canada and Mexico.
    assert length_km.max() / length_km.sum() > 0.98


def test_land_shares_stay_within_the_cell_and_no_state_is_missing(themes):
    con = themes("land")
    low, high, states = one(
        con,
        "select min(developable_share), max(developable_share), count(distinct state_id) "
        "from core.developable",
    )
    assert 0 <= low < high <= 1
    assert states == 48
    coarse = con.sql("select distinct state_id from core.developable where cell_km > 5 order by 1")
    assert [state for (state,) in coarse.fetchall()] == ["MT", "NM", "TX"]
    assert one(con, "select count(*) from core.zone") == (22,)
    # Iowa's land, mostly cropland, sold for 7,000 to 10,000 dollars an acre in those years.
    iowa = one(
        con,
        "select avg(land_value_usd_per_acre) from core.land_value "
        "where lat between 41.5 and 43 and lon between -96 and -91",
    )
    assert 7_000 < iowa[0] < 11_000


@pytest.mark.package
def test_people_spread_by_load_agree_with_tracts(themes, tmp_path):
    """open-conus against conus: r >= 0.99 by county, median error <= 10 % within 100 miles."""
    population = themes("population")
    by_load = _people_by_load(tmp_path)
    tracts = population.sql("select people, lon, lat from core.people").df()
    counties = build.layer_frame(population, "county")
    known = population.sql("select county_id, population_people from core.county_fact").df()
    of_county = known.set_index("county_id")["population_people"].reindex(counties["county_id"])
    at = locate(
        by_load["lon"].to_numpy(), by_load["lat"].to_numpy(), gpd.GeoSeries(counties.geometry),
        max_gap_mi=20.0,
    )  # fmt: skip
    spread = np.bincount(at, by_load["people"], minlength=len(counties))
    assert np.corrcoef(spread, of_county.to_numpy(float))[0, 1] >= 0.99
    places = population.sql(
        "select lon, lat from core.place order by place_people desc limit 500"
    ).df()

    def within(people):
        return radius_sums(
            places["lon"].to_numpy(), places["lat"].to_numpy(),
            people["lon"].to_numpy(), people["lat"].to_numpy(),
            np.rint(people["people"].to_numpy(float) * 1000).astype(np.int64)[:, None], (100.0,),
        )[:, 0, 0]  # fmt: skip

    error = within(by_load) / within(tracts) - 1
    assert np.median(np.abs(error)) <= 0.10


def _people_by_load(folder):
    """People of open-conus, without the counties and places that it also has."""
    study = load_study("open-conus")
    grid = study.themes["grid"]
    pulled = {
        source_id: pull(CATALOGUE.source(source_id), load_lock(), cache_dir=CACHE, mirror=None).path
        for source_id in grid.sources
    }
    population = study.themes["population"].model_copy(
        update={"sources": [], "layers": {"state": ["ref_state"]}, "lookups": {}}
    )
    stage.stage_theme("grid", grid, CATALOGUE, pulled, folder / "grid.duckdb")
    stage.stage_theme("population", population, CATALOGUE, {}, folder / "population.duckdb")
    small = study.model_copy(update={"themes": {"grid": grid, "population": population}})
    parts = {name: folder / f"{name}.duckdb" for name in small.themes}
    build.assemble(folder / "layers.duckdb", small, parts, [])
    with duckdb.connect(str(folder / "layers.duckdb"), read_only=True) as con:
        return con.sql("select people, lon, lat from core.people").df()


def test_constraints_of_rhode_island_and_cambridge(tmp_path):
    kinds = {"ri_water": "water", "cambridge_flood": "floodplain", "cambridge_wetland": "wetland"}
    sources = [CATALOGUE.source(name) for name in kinds]
    theme = STUDY.themes["land"].model_copy(
        update={"sources": list(kinds), "layers": {"constraint_area": list(kinds)}}
    )
    paths = {source.id: MIRROR / source.access.path for source in sources}
    stage.stage_theme("land", theme, CATALOGUE, paths, tmp_path / "land.duckdb")
    with duckdb.connect(str(tmp_path / "land.duckdb"), read_only=True) as con:
        counts = con.sql(
            "select source_id, constraint_kind, count(*) from core.constraint_area group by all"
        ).fetchall()
        assert sorted(counts) == [
            ("cambridge_flood", "floodplain", 21),
            ("cambridge_wetland", "wetland", 28),
            ("ri_water", "water", 1087),
        ]
        rejected = "select raw_table, reject_code, count(*) from meta.rejected_row group by all"
        assert con.sql(rejected).fetchall() == [("cambridge_wetland", "not_used", 3)]


def test_plants_retire_with_their_boilers_and_not_by_their_design_life(themes):
    con = themes("grid")
    found = con.sql(
        "select retirement_status, count(*), round(sum(capacity_mw))::int from core.retiring_plant "
        "where retirement_status = 'retired' or retirement_year <= 2035 group by 1 order by 1"
    ).fetchall()
    assert found == [("retired", 97, 25184), ("retiring", 58, 35011)]
    names = {name for (name,) in con.sql("select plant_name from core.retiring_plant").fetchall()}
    assert {"Baldwin Energy Complex", "Homer City Generating Station"} <= names
    # Combined cycles that fill in thirty years from their start.
    assert not {"Fairless Energy Center", "Kendall County Generation Facility"} & names
