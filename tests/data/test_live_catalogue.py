"""The live addresses: what their entries say, and what comes of them where the mirror stands behind them."""

import inspect
import json
import re
from urllib.parse import urlsplit

import duckdb
import openpyxl
import pytest
import yaml

from data import stage
from data.catalogue import CATALOGUE_PATH, load_catalogue, load_lock, with_own
from data.errors import ReadError
from data.pull import pull
from data.readers import READERS, read_table
from data.study import load_study
from tests.data.test_catalogue import (
    test_terms_are_stated_and_decide_what_is_exported as terms_decide,
)
from tests.data.test_mirror_traps import MIRROR
from tests.upstream import running
from tests.upstream.conus import BUILDING, LIVE_PATH, MADE, publish

LIVE = load_catalogue(LIVE_PATH)
OURS = load_catalogue()
STUDY, CONUS = load_study("conus-live"), load_study("conus")
# A commit in the address of a file: it cannot change.
COMMIT = re.compile(r"/[0-9a-f]{40}/")


@pytest.mark.parametrize("source", LIVE.sources, ids=lambda source: source.id)
def test_an_entry_says_that_nobody_has_run_it(source):
    assert source.is_live
    assert not source.verified
    assert source.unverified_since is not None
    address = urlsplit(source.access.url)
    assert address.scheme == "https"
    assert address.username is None
    assert address.password is None
    assert not re.search("key|token|secret", address.query, re.IGNORECASE)


@pytest.mark.parametrize("source", LIVE.sources, ids=lambda source: source.id)
def test_an_entry_keeps_the_rules_of_ours(source):
    terms_decide(source)
    for table in source.tables.values():
        assert set(table.options) <= set(inspect.signature(READERS[table.reader]).parameters)
        assert table.required or table.reader == "raster"
        # Counted in the mirror's copy: exact where the bytes are the same.
        is_same = COMMIT.search(source.access.url) is not None
        assert table.rows is not None or not is_same
        assert bool(table.rows_tolerance) == (table.rows is not None and not is_same)


def test_an_entry_that_takes_the_place_of_ours_reads_the_same_tables():
    replaced = {source.id for source in LIVE.sources} & {source.id for source in OURS.sources}
    assert len(replaced) > 15
    for name in replaced:
        ours, live = OURS.source(name), LIVE.source(name)
        assert list(live.tables) == list(ours.tables)
        assert live.theme == ours.theme
        for table in live.tables:
            known = set(ours.tables[table].required) | {"geometry", "LSAD", "ADM1NAME"}
            assert set(live.tables[table].required) <= known


def test_what_cannot_change_has_the_bytes_of_the_mirrors_file():
    fixed = {source.id for source in LIVE.sources if COMMIT.search(source.access.url)}
    lock, ours = load_lock(LIVE_PATH.with_suffix(".lock")), load_lock()
    assert set(lock.sources) == fixed
    for name, entry in lock.sources.items():
        assert (entry.sha256, entry.bytes) == (ours.get(name).sha256, ours.get(name).bytes)
        assert entry.version == LIVE.source(name).version
        assert LIVE.source(name).access.url.endswith(f"/{entry.filename}")


def test_every_layer_of_the_study_is_fed_and_only_four_sources_are_the_mirrors():
    catalogue, _ = with_own(STUDY.catalogue)
    assert set(STUDY.themes) == set(CONUS.themes)
    for name, theme in CONUS.themes.items():
        assert set(STUDY.themes[name].layers) == set(theme.layers)
        assert all(STUDY.themes[name].layers.values())
    used = [name for theme in STUDY.themes.values() for name in theme.sources]
    kinds = {name: catalogue.source(name).access.kind for name in used}
    assert {name for name, kind in kinds.items() if kind == "file"} == {
        "cbsa_delineation", "developable_14km", "developable_4km", "reeds_queue",
    }  # fmt: skip
    assert {kind for kind in kinds.values() if kind != "file"} == {"http", "arcgis"}
    live = {name for name, kind in kinds.items() if kind != "file"}
    assert live <= set(MADE), "a live source of the study that the local upstream does not serve"


def test_records_that_an_api_wraps(tmp_path):
    source = LIVE.source("peeringdb_api_presence")
    path = tmp_path / "ixfac.json"
    path.write_text(json.dumps({"data": [{"ix_id": 1, "fac_id": 2, "status": "ok"}], "meta": {}}))
    rows = read_table(source.tables["peeringdb_ixfac"], path, source).to_pylist()
    assert rows == [{"ix_id": 1, "fac_id": 2, "status": "ok", "raw_row": 1}]
    path.write_text('{"meta": {"error": "too many"}}')
    with pytest.raises(ReadError, match="holds no list of objects under 'data'"):
        read_table(source.tables["peeringdb_ixfac"], path, source)


def test_heads_of_three_rows_are_joined(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "States"
    for row in (
        ("Utility Characteristics", None, "INDUSTRIAL", None, "TOTAL"),
        (None, None, "Revenues", "Sales", "Revenues"),
        ("Utility Number", "State", "Thousand Dollars", "Megawatthours", "Thousand Dollars"),
        (7, "OH", 10.0, 200, 90),
    ):
        book.active.append(row)
    path = tmp_path / "sales.xlsx"
    book.save(path)
    source = LIVE.source("eia861_sales")
    table = source.tables["eia861_sales"].model_copy(update={"member": None})
    (row,) = read_table(table, path, source).to_pylist()
    assert row == {
        "Utility Characteristics / Utility Number": "7",
        "Utility Characteristics / State": "OH",
        "INDUSTRIAL / Revenues / Thousand Dollars": "10",
        "INDUSTRIAL / Sales / Megawatthours": "200",
        "TOTAL / Revenues / Thousand Dollars": "90",
        "raw_row": 1,
    }


@pytest.fixture(scope="module")
def staged(tmp_path_factory):
    """Both studies' themes staged from the same record: from the mirror, and from behind the addresses."""
    folder = tmp_path_factory.mktemp("live")
    with running() as upstream, duckdb.connect() as con:
        path = publish(upstream, MIRROR, folder / "study")
        served = {source["id"] for source in yaml.safe_load(_beside(path).read_text())["sources"]}
        for prefix, study in (("live", load_study(str(path))), ("conus", CONUS)):
            catalogue, lock = with_own(study.catalogue)
            for name, theme in study.themes.items():
                pulled = {
                    source: pull(
                        catalogue.source(source), lock, cache_dir=folder / "cache", mirror=MIRROR
                    )
                    for source in theme.sources
                }
                if prefix == "live":
                    from_network = {name for name, got in pulled.items() if got.origin == "network"}
                    assert from_network == set(theme.sources) & served
                target = folder / f"{prefix}-{name}.duckdb"
                paths = {source: got.path for source, got in pulled.items()}
                stage.stage_theme(name, theme, catalogue, paths, target)
                con.execute(f"attach '{target}' as {prefix}_{name} (read_only)")
        yield con


def _beside(study):
    return study.with_name(yaml.safe_load(study.read_text())["catalogue"])


def one(con, query):
    """Return the only row of a query."""
    (row,) = con.sql(query).fetchall()
    return row


def assert_same_rows(con, query, other):
    """Two queries give the same rows, each as often."""
    for left, right in ((query, other), (other, query)):
        assert one(con, f"select count(*) from ({left} except all {right})") == (0,)


def counts(con, database):
    """Rows of each layer, and rejected rows by raw table and code."""
    names = con.sql(
        "select table_name from duckdb_tables() "
        f"where database_name = '{database}' and schema_name = 'core'"
    ).fetchall()
    layers = {
        name: one(con, f"select count(*) from {database}.core.{name}")[0] for (name,) in names
    }
    rejected = con.sql(
        f"select raw_table, reject_code, count(*) from {database}.meta.rejected_row group by all"
    ).fetchall()
    return layers, {(table, code): count for table, code, count in rejected}


@pytest.mark.mirror
@pytest.mark.skipif(not MIRROR.is_dir(), reason="../shared/mirror is not there")
class TestMirrorBehindTheAddresses:
    @pytest.mark.parametrize("theme", ["population", "land"])
    def test_themes_of_the_same_columns_come_out_the_same(self, staged, theme):
        live, conus = (counts(staged, f"{prefix}_{theme}") for prefix in ("live", "conus"))
        assert live == conus
        assert all(live[0].values())

    def test_counties_keep_their_ground(self, staged):
        names = "county_id, county_name, state_id, land_sqmi, st_astext(geometry)"
        assert one(
            staged,
            f"select count(*) from (select {names} from live_population.core.county "
            f"except select {names} from conus_population.core.county)",
        ) == (0,)

    def test_lines_are_those_of_the_mirror_with_their_classes(self, staged):
        of = "select kv_min, kv_max, is_dc, st_astext(geometry) from {}_grid.core.line"
        assert_same_rows(staged, of.format("live"), of.format("conus"))

    def test_plants_have_the_places_and_capacities_of_the_mirrors(self, staged):
        """What EIA's atlas holds is made from EIA-860 and WRI, which conus joins in its staging."""
        of = (
            "select plant_id, capacity_mw, grid_kv, balancing_authority, round(lon, 9), round(lat, 9) "
            "from {}_grid.core.plant"
        )
        assert_same_rows(staged, of.format("live"), of.format("conus"))
        of = "select * from {}_grid.core.retiring_plant"
        assert_same_rows(staged, of.format("live"), of.format("conus"))

    def test_substations_of_two_files_are_not_told_apart_in_one(self, staged):
        """Conus merges California's rows into HIFLD's, and twins of one voltage; one file has no such rule."""
        live, conus = (counts(staged, f"{prefix}_grid") for prefix in ("live", "conus"))
        (merged,) = one(
            staged,
            "select sum(rows_merged) from conus_grid.meta.source_load where raw_table = 'ca_substation'",
        )
        twins = conus[1]["ca_substation", "duplicate"]
        assert merged > 0
        assert live[0]["substation"] == conus[0]["substation"] + merged + twins
        below = "select count(*), min(kv_max) from {}_grid.core.substation where kv_max < 200"
        count, lowest = one(staged, below.format("live"))
        assert lowest == 60
        # Below 200 kV nothing is merged, but twins are.
        assert 0 <= count - one(staged, below.format("conus"))[0] <= twins

    def test_exchanges_stand_where_their_buildings_do(self, staged):
        of = "select carrier_count, round(lon, 9), round(lat, 9) from {}_fiber.core.ixp"
        assert_same_rows(staged, of.format("live"), of.format("conus"))

    def test_facilities_are_the_mirrors_with_the_buildings_of_exchanges(self, staged):
        """Rows that PeeringDB's table repeats have ids of their own in its API, and so are facilities."""
        live, conus = (counts(staged, f"{prefix}_fiber") for prefix in ("live", "conus"))
        (buildings,) = one(
            staged,
            "select count(*) from live_fiber.core.facility "
            f"where substr(facility_id, 11)::bigint > {BUILDING}",
        )
        repeated = conus[1].get(("peeringdb_facility", "duplicate"), 0)
        assert buildings > 200
        assert live[0]["facility"] == conus[0]["facility"] + repeated + buildings
        for layer in ("pop", "carrier_link", "right_of_way"):
            assert live[0][layer] == conus[0][layer] > 0

    def test_parks_of_pad_us_fill_the_layer_of_parks(self, staged, tmp_path):
        theme = CONUS.themes["land"].model_copy(
            update={"sources": ["padus_area"], "layers": {"park": ["padus_park"]}}
        )
        with running() as upstream:
            path = publish(upstream, MIRROR, tmp_path / "study", only=["padus_area"])
            catalogue, lock = with_own(load_study(str(path)).catalogue)
            got = pull(catalogue.source("padus_area"), lock, cache_dir=tmp_path / "cache")
        target = tmp_path / "land.duckdb"
        stage.stage_theme("land", theme, catalogue, {"padus_area": got.path}, target)
        parks = "select count(*), count(distinct park_name) from {}core.park"
        with duckdb.connect(str(target), read_only=True) as con:
            found = one(con, parks.format(""))
        assert found == one(staged, parks.format("conus_land."))


def test_the_live_catalogue_lies_beside_ours():
    assert STUDY.catalogue.resolve() == CATALOGUE_PATH.with_name("sources-live.yaml").resolve()
