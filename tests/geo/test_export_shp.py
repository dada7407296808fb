"""Parts of a Shapefile byte by byte: widths of its columns, and dates of its members."""

import datetime as dt
import time
import zipfile
from dataclasses import replace

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely

from geo.export import ExportLayer, shp
from tests.geo.export_samples import NOTE, digest


def layer():
    frame = gpd.GeoDataFrame(
        {
            "name": pd.Series(["é" * 60, "b", None], dtype=object),
            "none": pd.Series([None] * 3, dtype=object),
            "blank": ["", "", ""],
            "count": pd.Series([1, None, 2**40], dtype="Int64"),
            "score": [0.1, None, 1e6],
            "is_on": pd.Series([True, None, False], dtype="boolean"),
        },
        geometry=shapely.points([[0, 0], [1, 1], [2, 2]]),
        crs="OGC:CRS84",
    )
    return ExportLayer("a", "A", frame)


def fields(path):
    """Type and width of each column, as the header of a .dbf has them."""
    with zipfile.ZipFile(path) as archive:
        header = archive.read("a.dbf")
    size = int.from_bytes(header[8:10], "little")
    starts = range(32, size - 1, 32)
    return {
        header[at : at + 11].split(b"\0")[0].decode(): (chr(header[at + 11]), header[at + 16])
        for at in starts
    }


def test_texts_are_as_wide_as_the_longest(tmp_path):
    path = shp.write(tmp_path / "x.shp.zip", [layer()], NOTE)
    assert fields(path) == {
        "name": ("C", 120),
        "none": ("C", 1),
        "blank": ("C", 1),
        "count": ("N", 18),
        "score": ("N", 24),
        "is_on": ("L", 1),
    }
    read = pyogrio.read_dataframe(path)
    assert read["name"].fillna("").tolist() == ["é" * 60, "b", ""]
    assert read["none"].isna().all()


def test_members_have_the_day_of_the_run_wherever_it_is_written(tmp_path, monkeypatch):
    # In Santiago that day begins at one o'clock.
    note = replace(NOTE, run_date=dt.date(2026, 9, 6))
    found = set()
    try:
        for zone in ("Pacific/Kiritimati", "America/Los_Angeles", "America/Santiago"):
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            path = shp.write(tmp_path / "x.shp.zip", [layer()], note)
            found.add(digest(path))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert len(found) == 1
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    assert {member.date_time[:3] for member in members} == {(2026, 9, 6)}
    assert {member.external_attr >> 16 & 0o777 for member in members} == {0o644}


@pytest.mark.parametrize("rows", [0, 1])
def test_layers_with_little_in_them(rows, tmp_path):
    path = shp.write(
        tmp_path / "x.shp.zip", [ExportLayer("a", "A", layer().frame.head(rows))], NOTE
    )
    assert len(pyogrio.read_dataframe(path)) == rows
    assert fields(path)["none"] == ("C", 1)
