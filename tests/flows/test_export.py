"""`gridstead export`: formats, levels, and words that are neither."""

import json
import os
import time
import zipfile
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely

from data import store
from data.errors import UsageError
from flows import selecting, terms
from flows.exported import STAGED_S, sweep
from flows.exporting import Selection
from geo.export import FORMATS, shp
from tests.flows.conftest import rows

VECTOR = {
    "gpkg": ".gpkg",
    "geoparquet": ".parquet",
    "fgb": ".fgb",
    "geojson": ".geojson",
    "shp": ".shp.zip",
}
TABLES = {"csv": ".csv", "csv-wkt": ".wkt.csv", "xlsx": ".xlsx"}


@pytest.fixture
def export(gridstead, base, tmp_path):
    return lambda *words: gridstead(
        "export", *words, "--home", base.home, "--out", tmp_path / "out", "--json"
    )


def read(path):
    """Rows of an export, by the names that columns have elsewhere."""
    if path.endswith(".csv"):
        return pd.read_csv(path, dtype={"region_id": str})
    if path.endswith(".xlsx"):
        frame = pd.read_excel(path, sheet_name="Ranking", dtype={"Region (id)": str})
        told = pd.read_excel(path, sheet_name="Columns")
        return frame.rename(columns=dict(zip(told["Heading"], told["Column"], strict=True)))
    frame = gpd.read_parquet(path) if path.endswith(".parquet") else gpd.read_file(path, layer=0)
    assert frame.crs.to_epsg() == 4326 or frame.crs == "OGC:CRS84"
    return frame


def test_every_format_holds_the_same_counties(export, base):
    answer = export("training", *VECTOR, *TABLES)
    assert answer.code == 0
    written = [row["file"].rpartition("/")[2] for row in answer.json]
    assert written == [f"training_county{s}" for s in (VECTOR | TABLES).values()]
    want = rows(
        base.build,
        "select region_id, rank from mart.training_regions where region_kind = 'county' order by 1",
    )
    for row in answer.json:
        frame = read(row["file"]).sort_values("region_id")
        assert row["rows"] == len(frame)
        assert frame["region_id"].tolist() == [region for region, _ in want]
        ranks = [None if pd.isna(rank) else int(rank) for rank in frame["rank"]]
        assert ranks == [rank for _, rank in want]


def test_whole_numbers_stay_whole_where_some_are_unknown(export):
    (written,) = export("training", "geojson", "--level", "metro").json
    held = json.loads(Path(written["file"]).read_text(encoding="utf-8"))
    ranks = [feature["properties"]["rank"] for feature in held["features"]]
    assert None in ranks
    assert {type(rank) for rank in ranks} == {int, type(None)}


def test_help_names_every_format(gridstead):
    said = " ".join(gridstead("export", "--help").out.replace("│", " ").split())
    assert all(f" {word}," in said or f" {word}." in said for word in FORMATS)


@pytest.mark.parametrize("level", ["metro", "state", "zone", "parcel"])
def test_every_level(export, level):
    answer = export("inference", "geoparquet", "--level", level, "--top", 2)
    assert answer.code == 0
    (written,) = answer.json
    assert written["file"].endswith(f"inference_{level}.parquet")
    assert len(gpd.read_parquet(written["file"])) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["training"], "Name a format."),
        (["training", "dwg"], "dwg"),
        (["training", "gpkg", "csv", "dwg"], "dwg"),
        (["cooking", "gpkg"], "The build ranks no workload 'cooking'."),
        (["training", "gpkg", "--level", "planet"], "planet"),
        (["training", "gpkg", "--top", "0"], "--top 0"),
        (["training", "gpkg", "--top", "-3"], "--top -3"),
        (["training", "gpkg", "--top", "some"], "--top"),
        (["training", "gpkg", "--where", ""], "--where asks for nothing."),
        (["training", "gpkg", "--where", "rank > 99"], "No county of training is selected."),
        (["training", "gpkg", "--area", "Atlantis"], "'Atlantis' is no state"),
        (["training", "gpkg", "--area", "TX"], "The area TX holds no land of the study."),
        (["training", "gpkg", "--area"], "--area names nothing."),
    ],
)
def test_wrong_words_write_nothing(export, tmp_path, words, said):
    answer = export(*words)
    assert answer.code == 2
    assert said in answer.err
    assert not (tmp_path / "out").exists()


def test_an_out_that_is_a_file(gridstead, base, tmp_path):
    (tmp_path / "out").write_text("mine")
    answer = gridstead("export", "training", "csv", "--home", base.home, "--out", tmp_path / "out")
    assert answer.code in {1, 2}
    assert (tmp_path / "out").read_text() == "mine"


def selected(base, **options):
    """Rows that a selection gives of the study, by id."""
    selection = Selection(**options)
    selecting.check(selection)
    with store.open_build(base.build, memory_mb=1000) as con:
        frame = selecting.selected(con, "training", selection, terms.withheld(con))
    return frame["parcel_id" if selection.level == "parcel" else "region_id"].tolist()


def asked(base, condition):
    """Ids of parcels of the ranking, best first, by SQL."""
    found = rows(
        base.build,
        f"select parcel_id from mart.training_parcels where {condition} order by rank nulls last, parcel_id",
    )
    return [row[0] for row in found]


@pytest.mark.parametrize(
    ("options", "condition"),
    [
        ({}, "rank <= 5000"),
        ({"top": 3}, "rank <= 3"),
        ({"top": "all"}, "true"),
        ({"where": "county_name like 'L%'"}, "county_id = '51107'"),
        (
            {"where": "county_id = '24021' or rank is null"},
            "county_id = '24021' or rank is null",
        ),
        ({"area": ["va"]}, "state_id = 'VA'"),
        ({"area": ["Maryland", "51107"]}, "county_id <> '51061'"),
        ({"area": ["51107"], "where": "rank <= 20"}, "county_id = '51107' and rank <= 20"),
        ({"area": ["conus"]}, "true"),
    ],
)
def test_parcels_that_are_selected(base, options, condition):
    want = asked(base, condition)
    assert want
    assert selected(base, level="parcel", **options) == want


def test_the_first_of_what_is_selected(base):
    ranked = asked(base, "state_id = 'MD' and rank is not null")
    for options in ({"where": "state_id = 'MD'"}, {"area": ["MD"]}):
        assert selected(base, level="parcel", top=2, **options) == ranked[:2]


def test_an_area_of_a_polygon(base, tmp_path):
    box = shapely.box(-77.6, 38.7, -77.3, 39.0)
    path = tmp_path / "area.geojson"
    gpd.GeoDataFrame(geometry=[box], crs="OGC:CRS84").to_file(path)
    with store.open_build(base.build) as con:
        found = selecting.to_map(con.sql("select parcel_id, geometry from core.parcel"))
    over = found["parcel_id"][found.intersects(box)]
    assert 0 < len(over) < len(found)
    assert set(selected(base, level="parcel", area=[str(path)])) == set(over)
    assert set(selected(base, area=[str(path)])) == {"51107", "51061", "24031"}
    assert set(selected(base, level="state", area=[str(path)])) == {"VA", "MD"}


@pytest.mark.parametrize(
    ("level", "column"), [("metro", "region_metro_id"), ("zone", "zone_id"), ("state", "state_id")]
)
def test_regions_of_an_area_hold_its_parcels(base, level, column):
    held = rows(
        base.build,
        f"select distinct {column} from mart.training_parcels where state_id = 'MD' and {column} is not null",
    )
    assert sorted(selected(base, level=level, area=["MD"])) == sorted(row[0] for row in held)


@pytest.mark.parametrize(
    "where",
    [
        "true; drop table mart.region",
        "true) union all (select * from mart.region",
        "true order by rank",
        "true limit 1",
        "rank < 3, true",
        "rank <",
        "$x",
        "count(*) > 1",
        "row_number() over () < 3",
        "score between 'a' and 'b'",
        "exists (from read_text('/etc/passwd'))",
        "(select count(*) from read_csv('/etc/passwd')) > 0",
        "exists (from glob('/*'))",
        "exists (from 'https://example.com/x.parquet')",
        "(install httpfs)",
    ],
)
def test_a_condition_is_one_expression_without_files(base, where):
    before = base.build.read_bytes()
    with pytest.raises(UsageError, match=r"is no condition|which is no column"):
        selected(base, where=where)
    assert base.build.read_bytes() == before


def test_a_wrong_column_is_told_with_those_there_are(base):
    with pytest.raises(UsageError, match="names 'stat_id', which is no column") as caught:
        selected(base, where="stat_id = 'VA'")
    assert caught.value.hint.startswith("Did you mean 'state_id'? Columns: region_kind, region_id")
    assert "headroom_mw_mid" in caught.value.hint


def test_a_condition_cannot_ask_for_what_is_withheld(base):
    with pytest.raises(UsageError, match="cannot ask for pop_id: the terms of its source"):
        selected(base, level="parcel", where="pop_id is not null")


def test_an_endless_condition_is_ended(base, monkeypatch):
    monkeypatch.setattr("flows.bounds.TIMEOUT_S", 0.2)
    with pytest.raises(UsageError, match=r"longer than 0\.2 s"):
        selected(
            base, where="(select sum(a.i * b.i) from range(1000000) a(i), range(1000000) b(i)) > 0"
        )


def test_what_is_left_out_is_named_and_what_is_restricted_says_so(gridstead, base, tmp_path):
    words = ("export", "training", "geojson", "gpkg", "--level", "parcel", "--home", base.home)
    answer = gridstead(*words, "--out", tmp_path)
    assert "Left out because of terms: " in answer.out
    assert "See --with-restricted." in answer.out
    free = pyogrio.read_info(tmp_path / "training_parcel.gpkg", layer=0)
    assert "CAIDA" in free["dataset_metadata"]["excluded_sources"]
    assert "restriction" not in free["dataset_metadata"]
    answer = gridstead(*words, "--out", tmp_path, "--with-restricted")
    assert terms.RESTRICTED_SENTENCE in answer.out
    full = pyogrio.read_info(tmp_path / "training_parcel_restricted.gpkg", layer=0)
    assert full["dataset_metadata"]["restriction"].startswith(terms.RESTRICTED_SENTENCE)
    assert "CAIDA" in full["dataset_metadata"]["restriction"]
    assert "excluded_sources" not in full["dataset_metadata"]
    withheld = set(full["fields"]) - set(free["fields"])
    assert {"pop_id", "pop_carrier", "ixp_id", "lit_node_id", "lit_node_name"} <= withheld
    assert set(free["fields"]) < set(full["fields"])


def test_a_shapefile_says_which_names_it_cut(gridstead, base, tmp_path):
    answer = gridstead("export", "training", "shp", "--home", base.home, "--out", tmp_path)
    assert "headroom_mw_mid -> hdr_mw_mid" in " ".join(answer.out.split())
    with zipfile.ZipFile(tmp_path / "training_county.shp.zip") as archive:
        assert shp.README in archive.namelist()


@pytest.mark.parametrize(("words", "kind"), [((), ".export-"), ((".map-*",), ".map-")])
def test_what_a_killed_export_left_goes_once_nobody_can_be_writing_there(words, kind, tmp_path):
    for name in (f"{kind}old", f"{kind}young", "old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "half.txt").touch()
    then = time.time() - STAGED_S - 60
    for name in (f"{kind}old", "old"):
        os.utime(tmp_path / name, (then, then))
    sweep(tmp_path, *words)
    assert {path.name for path in tmp_path.iterdir()} == {f"{kind}young", "old"}
    sweep(tmp_path / "missing", *words)
