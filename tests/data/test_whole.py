"""Downloads are proved whole before they are kept, and what is no file is named."""

import gzip
import io
import json
import sqlite3
import zipfile

import numpy as np
import py7zr
import pyarrow as pa
import pytest
import rasterio
from openpyxl import Workbook
from pyarrow import parquet

from data.access._retry import Transient
from data.access._whole import check_whole
from data.errors import IntegrityError

RANDOM = np.random.default_rng(7)
NOISE = RANDOM.bytes(6000)
NUMBERS = RANDOM.integers(0, 255, (1, 64, 64)).astype(np.uint8)


def make_zip(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.bin", NOISE)


def make_7z(path):
    with py7zr.SevenZipFile(path, "w") as file:
        file.writestr(NOISE, "a.bin")


def make_xlsx(path):
    book = Workbook()
    book.active.append(["a", 1])
    book.save(path)


def make_tif(path):
    about = {"width": 64, "height": 64, "count": 1, "dtype": "uint8", "blockysize": 16}
    place = {"crs": "EPSG:4326", "transform": rasterio.Affine(0.1, 0, -90, 0, -0.1, 40)}
    with rasterio.open(path, "w", driver="GTiff", **about, **place) as file:
        file.write(NUMBERS)


def make_gpkg(path):
    with sqlite3.connect(path) as database:
        database.execute("create table t (x blob)")
        database.executemany("insert into t values (?)", [(NOISE,)] * 5)
    database.close()


MAKERS = {
    "a.zip": make_zip,
    "a.whl": make_zip,
    "a.7z": make_7z,
    "a.xlsx": make_xlsx,
    "a.csv.gz": lambda path: path.write_bytes(gzip.compress(NOISE)),
    "a.parquet": lambda path: parquet.write_table(pa.table({"x": list(NOISE)}), path),
    "a.json": lambda path: path.write_text(json.dumps({"x": list(NOISE)})),
    "a.geojsonl": lambda path: path.write_text(f"{json.dumps(list(NOISE))}\n" * 2),
    "a.tif": make_tif,
    "a.gpkg": make_gpkg,
}


@pytest.mark.parametrize("name", MAKERS)
def test_a_whole_file_passes_and_one_cut_short_does_not(tmp_path, name):
    path = tmp_path / "thing.part"
    MAKERS[name](path)
    check_whole("http://x", path, name)
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) * 3 // 4])
    with pytest.raises(Transient, match=r"^http://x sent a damaged [^\n]+$") as caught:
        check_whole("http://x", path, name)
    assert caught.value.hint
    path.write_bytes(b"")
    with pytest.raises(Transient, match="empty file"):
        check_whole("http://x", path, name)


@pytest.mark.parametrize("name", ["a.zip", "a.7z", "a.csv.gz"])
def test_a_byte_that_fell_over_is_found(tmp_path, name):
    path = tmp_path / "thing.part"
    MAKERS[name](path)
    raw = bytearray(path.read_bytes())
    raw[2000] ^= 0xFF
    path.write_bytes(raw)
    with pytest.raises(Transient, match="damaged"):
        check_whole("http://x", path, name)


def test_a_file_without_a_telling_name_is_known_by_its_beginning(tmp_path):
    path = tmp_path / "download"
    make_zip(path)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(Transient, match="damaged archive"):
        check_whole("http://x", path, "download")


def test_an_archive_that_is_whole_but_hostile_is_not_asked_for_again(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("../evil", b"x")
    with pytest.raises(IntegrityError, match="leaves the archive"):
        check_whole("http://x", path, "a.zip")


@pytest.mark.parametrize(
    ("body", "called", "name", "is_page"),
    [
        (b"<!DOCTYPE html><p>moved", "text/html", "a.csv", True),
        (b"\xef\xbb\xbf\n <HTML>", "", "a.zip", True),
        (b"<p>busy</p>", "text/html; charset=utf-8", "download", True),
        (b"a,b\n1,2\n", "text/html", "a.csv", False),
        (b"<!doctype html>", "text/html", "a.html", False),
        (b"<kml></kml>", "text/html", "a.kml", False),
        (b"<p>,b\n", "text/csv", "a.csv", False),
    ],
)
def test_a_web_page_is_told_from_a_file(tmp_path, body, called, name, is_page):
    path = tmp_path / "x"
    path.write_bytes(body)
    if not is_page:
        check_whole("http://x", path, name, called)
        return
    with pytest.raises(Transient, match="answered a web page"):
        check_whole("http://x", path, name, called)


def test_a_document_too_large_to_parse_is_judged_by_its_ends(tmp_path, monkeypatch):
    monkeypatch.setattr("data.access._whole.JSON_MAX_BYTES", 10)
    path = tmp_path / "x"
    path.write_text(json.dumps(list(range(2000))))
    check_whole("http://x", path, "a.json")
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(Transient, match="does not end as it begins"):
        check_whole("http://x", path, "a.json")


def test_a_gzip_bomb_is_refused(tmp_path):
    path, packed = tmp_path / "a.csv.gz", io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb") as file:
        file.write(bytes(4 * 1024**2))
    path.write_bytes(packed.getvalue())
    with pytest.raises(IntegrityError, match="unpacks to more"):
        check_whole("http://x", path, "a.csv.gz")
