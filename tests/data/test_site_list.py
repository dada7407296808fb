"""Lists of sites as people save them: good rows are read, bad ones named by row and column."""

import datetime as dt

import numpy as np
import pytest

from data.errors import InputError
from data.site_list import COLUMNS, read_sites


@pytest.fixture
def read(tmp_path):
    """Read a list of the given text or bytes."""

    def read(content):
        path = tmp_path / "sites.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_sites(path)

    return read


def problems(found):
    columns = ["file", "row", "column", "value", "reason"]
    assert list(found.rejected.columns) == columns
    return {(row["row"], row["column"]): row["reason"] for row in found.rejected.to_dict("records")}


def test_every_column_is_read_as_what_it_is(read):
    found = read(
        "name,lat,lon,energized_mw,wanted_mw,acres,usd_per_mwh,cooling,fiber_carriers,available_date\n"
        "Mine,39.04,-77.49,60,300.5,40,45,Immersion,2,2027-03-31\n"
    )
    assert found.rejected.empty
    assert found.unused == []
    assert found.good.to_dict("records") == [
        {
            "row": 2, "name": "Mine", "lat": 39.04, "lon": -77.49, "energized_mw": 60.0,
            "wanted_mw": 300.5, "acres": 40.0, "usd_per_mwh": 45.0, "fiber_carriers": 2.0,
            "cooling": "immersion", "available_date": dt.date(2027, 3, 31),
        }
    ]  # fmt: skip
    assert set(COLUMNS) | {"row"} == set(found.good.columns)


def test_what_is_not_stated_is_unknown_and_never_zero(read):
    (site,) = read("name,lat,lon,acres\nA,39,-77,\n").good.to_dict("records")
    for name in ("energized_mw", "wanted_mw", "acres", "usd_per_mwh", "fiber_carriers"):
        assert np.isnan(site[name])
    assert (site["cooling"], site["available_date"]) == (None, None)


def test_a_byte_order_mark_blank_rows_and_loose_names_are_passed_over(read):
    found = read(
        "\ufeff Site ,LATITUDE,Longitude,Energised MW,Remark\r\n"
        "\r\n,,,,\r\n"
        '"Mine ""A"",\r\nnorth",39,-77,5,x\r\n'
        "B,40,-78,,\r\n"
    )
    # A name over two lines belongs to the row that it begins on.
    assert found.good[["row", "name", "energized_mw"]].fillna(-1).to_numpy().tolist() == [
        [4, 'Mine "A",\r\nnorth', 5.0],
        [6, "B", -1.0],
    ]
    assert found.unused == ["Remark"]


@pytest.mark.parametrize(
    ("row", "column", "word"),
    [
        ('A,"39,04",-77', "lat", "'39,04' has a decimal comma; write 39.04"),
        ("A,north,-77", "lat", "no number"),
        ("A,139,-77", "lat", "latitude first"),
        ("A,nan,-77", "lat", "no number"),
        ("A,,-77", "lat", "it is missing"),
        (",39,-77", "name", "it is missing"),
        ("A,39,-77,50 MW", "energized_mw", "without units"),
        ("A,39,-77,-5", "energized_mw", "outside 0 to 10,000"),
        ("A,39,-77,60000", "energized_mw", "not kilowatts"),
        ('A,39,-77,"1,200"', "energized_mw", "write 1200 or 1.200"),
        ("A,39,-77,,0", "acres", "leave it empty where it is unknown"),
        ("A,39,-77,,,0.05", "usd_per_mwh", "5 cents a kWh are 50"),
        ("A,39,-77,,,,water", "cooling", "air, immersion or liquid"),
        ("A,39,-77,,,,,2.5", "fiber_carriers", "no whole number"),
        ("A,39,-77,,,,,,3/31/2027", "available_date", "such as 2027-03-31"),
        ("A,39,-77,,,,,,2027-02-30", "available_date", "no date"),
    ],
)
def test_a_bad_row_is_named_and_the_good_ones_stay(read, row, column, word):
    found = read(
        "name,lat,lon,energized_mw,acres,usd_per_mwh,cooling,fiber_carriers,available_date\n"
        f"Good,39,-77\n{row}\n"
    )
    assert found.good["name"].tolist() == ["Good"]
    ((at, reason),) = problems(found).items()
    assert at == (3, column)
    assert word in reason
    (sentence,) = found.problems()
    assert sentence.startswith(f"sites.csv, row 3, {column}: ")


def test_every_problem_of_a_row_is_named(read):
    found = read('name,lat,lon,cooling\nGood,39,-77,\nA,"39,0",500,ice\n')
    assert set(problems(found)) == {(3, "lat"), (3, "lon"), (3, "cooling")}


def test_decimal_commas_without_quotes_are_named_by_their_row(read):
    found = read("name,lat,lon\nGood,39,-77\nA,39,04,-77,49\n")
    assert "5 values for 3 columns" in problems(found)[3, None]
    assert found.problems()[0].startswith("sites.csv, row 3: it has 5 values")


@pytest.mark.parametrize(
    ("content", "word", "hint"),
    [
        ("name;lat;lon\nA;39,04;-77,49\n", "separated by semicolons", "points in decimals"),
        ("name\tlat\tlon\nA\t39\t-77\n", "separated by tabs", "commas"),
        ("name,lat,lon\nA,39,-77\n".encode("utf-16"), "UTF-16", "CSV UTF-8"),
        (b"PK\x03\x04rest of a workbook", "is a workbook", "CSV UTF-8"),
        (b"name,lat,lon\nCa\xf1on,39,-77\n", "line 2 holds the byte 0xf1", "CSV UTF-8"),
        ("name,lat\nA,39\n", "no column 'lon'", "'name', 'lat'"),
        ("name,lat,lon,Lat\nA,39,-77,39\n", "two columns named 'lat'", "Keep one"),
        ('name,lat,lon\n"A"x,39,-77\n', "is no CSV", "doubled"),
        ("name,lat,lon\n", "holds no rows", "one site a row"),
        ("", "is empty", "Begin it with"),
        ("\n\n", "is empty", "Begin it with"),
    ],
)
def test_a_file_that_is_no_such_csv_is_told_in_one_sentence(read, content, word, hint):
    with pytest.raises(InputError) as caught:
        read(content)
    assert word in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.exit_code == 1


def test_a_list_without_a_good_row_says_the_first_problem_and_how_many_more(read, tmp_path):
    with pytest.raises(InputError, match=r"No row of .* row 2, lat: 'x' is no number") as caught:
        read("name,lat,lon\nA,x,-77\nB,y,-77\n")
    assert "1 more" in caught.value.hint
    with pytest.raises(InputError, match="no list of sites"):
        read_sites(tmp_path / "none.csv")
