import datetime as dt

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from data.capacity import read_capacity
from data.errors import InputError

POINT = shapely.Point(-77.49, 39.04)


@pytest.fixture
def read(tmp_path):
    """Read a CSV of the given text."""

    def read(text):
        path = tmp_path / "map.csv"
        path.write_text(text)
        return read_capacity(path)

    return read


def reasons(read):
    columns = ["raw_table", "file", "raw_row", "reject_code", "reason"]
    assert list(read.rejected.columns) == columns
    return dict(zip(read.rejected["raw_row"], read.rejected["reason"], strict=True))


def test_a_row_by_id_and_one_by_point_are_read(read):
    found = read(
        "\ufeffSubstation ID,Lon,LATITUDE,Hosting Capacity (MW),kV,As-of,Source\n"
        'tamu-12,,,"1,250.5",345,2024-03-01,PG&E map\n'
        ",-77.49,39.04,0,,2023,PG&E map\n"
    )
    assert found.rejected.empty
    assert found.good.astype(object).where(found.good.notna(), None).to_dict("records") == [
        {
            "file": "map.csv", "raw_row": 1, "substation_id": "tamu-12", "lon": None, "lat": None,
            "kv": 345, "mw_low": 1250.5, "mw_mid": 1250.5, "mw_high": 1250.5, "as_of": "2024-03-01",
            "source": "PG&E map",
        },
        {
            "file": "map.csv", "raw_row": 2, "substation_id": None, "lon": -77.49, "lat": 39.04,
            "kv": None, "mw_low": 0, "mw_mid": 0, "mw_high": 0, "as_of": "2023",
            "source": "PG&E map",
        },
    ]  # fmt: skip


def test_an_interval_is_read_and_a_single_figure_stands_for_all_three(read):
    found = read(
        "substation_id,mw_low,mw,mw_high,year,source\na,10,20,30,2024,u\nb,,20,,2024,u\nc,20,20,20,2024,u\n"
    )
    ends = found.good[["mw_low", "mw_mid", "mw_high"]].to_numpy().tolist()
    assert ends == [[10, 20, 30], [20, 20, 20], [20, 20, 20]]
    assert found.rejected.empty


BAD = {
    "a,,,abc,2024,u": "mw 'abc' is not a number: write digits only, no unit",
    "b,,,50 MW,2024,u": "mw '50 MW' is not a number: write digits only, no unit",
    'c,,,"1,5",2024,u': "mw '1,5' is not a number: write digits only, no unit",
    "d,,,nan,2024,u": "mw 'nan' is not a number: write digits only, no unit",
    "e,,,1e999,2024,u": "mw '1e999' is not a number: write digits only, no unit",
    "f,,,,2024,u": "mw is blank: give the MW, or leave the row out",
    "g,,,-5,2024,u": "mw -5 is negative: write 0 where nothing is free",
    "h,,,25000,2024,u": "mw 25000 is more than 10,000 MW: give MW, not kW",
    ",,,5,2024,u": "has neither a substation id nor a point: give one of them",
    ",-77.49,,5,2024,u": "lat is blank: give both coordinates or none",
    ",west,39,5,2024,u": "lon 'west' is not a number: write digits only, no unit",
    ",39.04,-77.49,5,2024,u": "point (39.04, -77.49) has longitude and latitude swapped: swap them back",
    ",77.49,39.04,5,2024,u": "point (77.49, 39.04) lacks the minus of western longitude: write -77.49",
    ",-77.49,390.4,5,2024,u": "point (-77.49, 390.4) is not on the earth: give degrees, or the right CRS",
    ",2.3,48.8,5,2024,u": "point (2.3, 48.8) lies outside the 48 states: check it, or leave it out",
    "i,0,0,5,2024,u": "point (0, 0) lies outside the 48 states: check it, or leave it out",
    "j,,,5,,u": "as_of is blank: say of which date or year the MW are",
    "k,,,5,recent,u": "as_of 'recent' is no date: write 2024, 2024-05 or 2024-05-31",
    "l,,,5,2023-02-30,u": "as_of '2023-02-30' is no date: write 2024, 2024-05 or 2024-05-31",
    "m,,,5,13/25/2023,u": "as_of '13/25/2023' is no date: write 2024, 2024-05 or 2024-05-31",
    "n,,,5,1714521600000,u": "as_of '1714521600000' is no date: write 2024, 2024-05 or 2024-05-31",
    "o,,,5,2024,  ": "source is blank: say who states the MW",
    "p,,,x,,u": "mw 'x' is not a number: write digits only, no unit; as_of is blank: say of which date or year the MW are",
}  # fmt: skip


def test_bad_rows_are_named_and_the_good_ones_kept(read):
    good = "good,,,5,2024,u\n"
    found = read("substation_id,lon,lat,mw,as_of,source\n" + good + "\n".join(BAD) + "\n")
    assert found.good["substation_id"].tolist() == ["good"]
    assert list(reasons(found).values()) == list(BAD.values())
    assert found.rejected["raw_row"].tolist() == list(range(2, len(BAD) + 2))
    outside = found.rejected["reason"].str.contains("outside the 48 states")
    assert (found.rejected["reject_code"] == outside.map({True: "outside_area", False: "invalid"})).all()  # fmt: skip


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a,30,20,40", "mw_low 30, mw 20, mw_high 40 do not rise: order them low, mid, high"),
        ("a,10,50,40", "mw_low 10, mw 50, mw_high 40 do not rise: order them low, mid, high"),
        ("a,10,20,", "mw_high is not given: give low, mid and high, or only one MW"),
        ("a,,20,40", "mw_low is not given: give low, mid and high, or only one MW"),
        ("a,10,,40", "mw is blank: give the MW, or leave the row out"),
        ("a,-1,20,40", "mw_low -1 is negative: write 0 where nothing is free"),
    ],
)
def test_an_interval_that_is_none_is_rejected(read, row, reason):
    found = read(f"id,substation_id,mw_low,mw,mw_high,year,source\n1,ok,,5,,2024,u\n2,{row},2024,u\n")  # fmt: skip
    assert reasons(found) == {2: reason}


@pytest.mark.parametrize(
    ("told", "date"),
    [
        ("2024", "2024"), ("2024-5", "2024-05"), ("2024-05-09", "2024-05-09"),
        ("2024-05-09T13:00:00Z", "2024-05-09"), ("5/9/2024", "2024-05-09"),
    ],
)  # fmt: skip
def test_dates_are_kept_as_exact_as_they_are_given(read, told, date):
    assert read(f"substation_id,mw,date,source\na,1,{told},u\n").good["as_of"][0] == date


def test_of_rows_that_repeat_one_another_the_lowest_holds_whatever_their_order(read):
    rows = ["a,90,2024,u", "a,70,2024,u", "a,80,2024,u", "a,99,2023,u", "b,1,2024,u"]
    found = read("substation_id,mw,as_of,source\n" + "\n".join(rows) + "\n")
    assert found.good[["substation_id", "mw_mid"]].to_numpy().tolist() == [["a", 70], ["a", 99], ["b", 1]]  # fmt: skip
    assert reasons(found)[1] == (
        "repeats the substation or point and the date of row 2, which states 70 MW where this states "
        "90: leave one"
    )
    assert found.rejected["reject_code"].tolist() == ["duplicate", "duplicate"]
    turned = read("substation_id,mw,as_of,source\n" + "\n".join(rows[::-1]) + "\n")
    assert sorted(turned.good["mw_mid"]) == sorted(found.good["mw_mid"])


@pytest.mark.parametrize("name", ["map.gpkg", "map.geojson", "map.parquet", "map.shp"])
@pytest.mark.parametrize("crs", ["OGC:CRS84", "EPSG:4269", "EPSG:3857", "EPSG:2232"])
def test_any_vector_file_in_any_crs_is_read(tmp_path, name, crs):
    crs = "OGC:CRS84" if name.endswith("geojson") else crs
    frame = gpd.GeoDataFrame(
        {"MW": [120.0, 5.0], "year": [2024, 2024], "source": ["u", "u"], "x": [1e6, 1e6]},
        geometry=[POINT, shapely.MultiPoint([POINT])] if name.endswith("gpkg") else [POINT, POINT],
        crs="OGC:CRS84",
    ).to_crs(crs)
    frame.loc[1, "year"] = 2023
    path = tmp_path / name
    frame.to_parquet(path) if path.suffix == ".parquet" else frame.to_file(path)
    found = read_capacity(path)
    assert found.good["lon"].to_numpy() == pytest.approx([-77.49] * 2, abs=2e-5)
    assert found.good["lat"].to_numpy() == pytest.approx([39.04] * 2, abs=2e-5)
    assert found.good["as_of"].tolist() == ["2024", "2023"]
    assert found.rejected.empty


def test_shapes_that_are_no_points_and_rows_without_one(tmp_path):
    frame = gpd.GeoDataFrame(
        {
            "substation_id": [None, "a", None, "b"],
            "mw": [1.0, 2.0, 3.0, 4.0],
            "as_of": pd.to_datetime([dt.date(2024, 5, day) for day in (1, 2, 3, 4)]),
            "source": "u",
        },
        geometry=[shapely.LineString([(-77, 39), (-77, 40)]), None, None, shapely.Point()],
        crs="OGC:CRS84",
    )
    frame.to_file(tmp_path / "map.gpkg")
    found = read_capacity(tmp_path / "map.gpkg")
    assert found.good[["substation_id", "as_of"]].to_numpy().tolist() == [
        ["a", "2024-05-02"], ["b", "2024-05-04"],
    ]  # fmt: skip
    assert reasons(found) == {
        1: "its geometry is a LineString: give a point, or the id alone",
        3: "has neither a substation id nor a point: give one of them",
    }


def test_a_point_beyond_its_crs_is_rejected(tmp_path):
    frame = gpd.GeoDataFrame(
        {"mw": [1.0, 2.0], "as_of": 2024, "source": "u"},
        geometry=[shapely.Point(3e5, 4.3e6), shapely.Point(1e300, 1e300)],
        crs="EPSG:26918",
    )
    frame.to_file(tmp_path / "map.gpkg")
    found = read_capacity(tmp_path / "map.gpkg")
    assert len(found.good) == 1
    assert reasons(found)[2].startswith("its point lies outside the range of NAD83")


def test_a_parquet_without_geometry_is_read_as_a_table(tmp_path):
    frame = pd.DataFrame({"substation_id": [12.0, None], "mw": [5, 6], "as_of": 2024, "source": "u"})  # fmt: skip
    frame.to_parquet(tmp_path / "map.parquet")
    found = read_capacity(tmp_path / "map.parquet")
    assert found.good["substation_id"].tolist() == ["12"]
    assert reasons(found) == {2: "has neither a substation id nor a point: give one of them"}


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("substation_id,as_of,source\na,2024,u\n", "has no column of the MW", "'mw'"),
        ("substation_id,mw,source\na,5,u\n", "has no column of the date or year", "'as_of'"),
        ("substation_id,mw,as_of\na,5,2024\n", "has no column of the source", "'source'"),
        ("name,mw,as_of,source\na,5,2024,u\n", "neither a column of substation ids nor points", "'lon'"),
        ("lon,mw,as_of,source\n-77,5,2024,u\n", "neither a column of substation ids nor points", "'lon'"),
        ("substation_id,mw,headroom_mw,as_of,source\na,5,6,2024,u\n", "two columns that could be the MW: 'mw' and 'headroom_mw'", "Keep one"),
        ("substation_id,mw,as_of,source\n", "holds no rows", "exported"),
        ("", "cannot be read as a capacity file", "Give CSV"),
        ("substation_id,mw,as_of,source\na,,2024,u\n", "none of its 1 rows can be used; row 1 mw is blank", "Mend"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_refused_in_one_sentence(tmp_path, text, message, hint):
    path = tmp_path / "map.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        read_capacity(path)
    assert caught.value.message.startswith(str(path))
    assert hint in caught.value.hint


def test_files_that_are_missing_or_no_tables_are_refused(tmp_path):
    with pytest.raises(InputError, match="There is no capacity file"):
        read_capacity(tmp_path / "none.csv")
    (tmp_path / "map.gpkg").write_bytes(b"no database")
    (tmp_path / "map.parquet").write_bytes(b"no table")
    (tmp_path / "latin.csv").write_bytes(
        "substation_id,mw,as_of,source\nä,1,2024,u".encode("latin-1")
    )
    for name in ("map.gpkg", "map.parquet", "latin.csv"):
        with pytest.raises(InputError, match=f"{name} cannot be read as a capacity file"):
            read_capacity(tmp_path / name)
    gpd.GeoDataFrame({"mw": [1.0]}, geometry=[POINT]).to_parquet(tmp_path / "bare.parquet")
    with pytest.raises(InputError, match="states no coordinate reference system"):
        read_capacity(tmp_path / "bare.parquet")
    for layer in ("one", "two"):
        gpd.GeoDataFrame({"mw": [1.0]}, geometry=[POINT], crs="OGC:CRS84").to_file(
            tmp_path / "two.gpkg", layer=layer
        )
    with pytest.raises(InputError, match="has 2 layers: one, two"):
        read_capacity(tmp_path / "two.gpkg")
