"""What every format owes: names of strangers unharmed, and the note; read by programs that did not write the file."""

import csv
import datetime as dt
import gzip
import json
import warnings
import zipfile
from dataclasses import replace
from xml.etree import ElementTree as ET

import duckdb
import geopandas as gpd
import mapbox_vector_tile
import numpy as np
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pytest
import rasterio
import shapely
from pmtiles.reader import MemorySource, Reader, all_tiles

from geo.export import FORMATS, ExportLayer
from geo.export._warn import ExportWarning
from geo.export.model import SYNTHETIC_SENTENCE
from tests.geo.export_samples import NOTE

HOSTILE = {
    "quotes": "O'Brien \"& Sons\" ''; drop table x;--",
    "html": "<script>alert(1)</script><img src=x onerror='alert(2)'>]]> &lt;b&gt; [% 1/0 %] $[name]",
    "emoji": "🚀 東京 👩🏽\u200d🔬 e\u0301",
    "rtl": "مقاطعة \u202eevil\u202c",
    "newline": "a|b;c,\td\ne",
    "long": "é" * 10_000,
    "path": "..\\..\\x/../%s{0}%00",
}
NUL, NUL_KEPT = "be\x00fore\x1b", "be\ufffdfore\ufffd"
NAMES = [*HOSTILE.values(), NUL]
KEPT = [*HOSTILE.values(), NUL_KEPT]
DBF_BYTES = 254


def note(is_synthetic=True):
    return replace(
        NOTE,
        run_id="run-7",
        is_synthetic=is_synthetic,
        attributions=["Büro of <Maps> & Co", "Zoo"],
        licences=["grid: MIT", "zoo: not stated"],
    )


def layer(title="Parcels", names=NAMES):
    """Squares of 2 km near each other, so that rasters and tiles of them are small."""
    count = len(names)
    x = -100 + 0.03 * np.arange(count)
    frame = gpd.GeoDataFrame(
        {
            "parcel_id": [f"p{i}" for i in range(count)],
            "parcel_name": pd.Series(names, dtype=object),
            "rank": np.arange(1, count + 1),
            "score": np.linspace(90, 10, count),
        },
        geometry=shapely.box(x, 38.0, x + 0.02, 38.02),
        crs="OGC:CRS84",
    )
    return ExportLayer("training_parcels", title, frame)


def write(word, given, folder, told=None):
    path = folder / f"x{FORMATS[word].suffix}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExportWarning)
        return FORMATS[word](path, [given], told or note())


def ogr_names(path):
    name = pyogrio.list_layers(path)[0, 0]
    frame = pyogrio.read_dataframe(path, layer=name)
    column = "parcel_name" if "parcel_name" in frame else frame.columns[1]
    return frame[column].tolist()


def shp_names(path):
    return ogr_names(f"/vsizip/{path}")


def parquet_names(path):
    table = pq.read_table(path, columns=["parcel_id", "parcel_name"]).to_pandas()
    return table.sort_values("parcel_id")["parcel_name"].tolist()


def fgb_names(path):
    return pyogrio.read_dataframe(path).sort_values("parcel_id")["parcel_name"].tolist()


def csv_names(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return [row["parcel_name"] for row in csv.DictReader(stream)]


def xlsx_rows(path):
    book = openpyxl.load_workbook(path)
    return [
        [cell for cell in row if cell]
        for sheet in book
        for row in sheet.iter_rows(values_only=True)
    ]


def xlsx_names(path):
    texts = {openpyxl.utils.escape.unescape(str(cell)) for row in xlsx_rows(path) for cell in row}
    return [name for name in KEPT if name in texts]


def kmz_text(path):
    with zipfile.ZipFile(path) as archive:
        return ET.fromstring(archive.read("doc.kml"))


def kmz_names(path):
    space = "{http://www.opengis.net/kml/2.2}"
    places = kmz_text(path).iter(f"{space}Placemark")
    texts = [text for place in places for text in place.itertext()]
    return [name for name in KEPT if name in texts]


def pmtiles_names(path):
    found = {}
    for _, tile in all_tiles(MemorySource(path.read_bytes())):
        for each in mapbox_vector_tile.decode(gzip.decompress(tile)).values():
            for feature in each["features"]:
                row = feature["properties"]
                if "parcel_name" in row:
                    found[row["parcel_id"]] = row["parcel_name"]
    return [found[key] for key in sorted(found)]


READ = {
    "gpkg": ogr_names,
    "geoparquet": parquet_names,
    "fgb": fgb_names,
    "geojson": ogr_names,
    "csv": csv_names,
    "csv-wkt": csv_names,
    "xlsx": xlsx_names,
    "shp": shp_names,
    "kmz": kmz_names,
    "pmtiles": pmtiles_names,
}


def sidecar(path):
    return json.loads(path.with_name(path.name + "-metadata.json").read_text(encoding="utf-8"))


def shp_told(path):
    with zipfile.ZipFile(path) as archive:
        readme = next(name for name in archive.namelist() if name.lower().startswith("readme"))
        return archive.read(readme).decode("utf-8")


def raster_told(path):
    with rasterio.open(path) as raster:
        return raster.tags()


def parquet_told(path):
    return json.loads(pq.read_metadata(path).metadata[b"PANDAS_ATTRS"])["gridstead"]


TOLD = {
    "gpkg": lambda path: pyogrio.read_info(path, layer="training_parcels")["dataset_metadata"],
    "geoparquet": parquet_told,
    "fgb": lambda path: pyogrio.read_info(path)["layer_metadata"],
    "geojson": lambda path: json.loads(path.read_text(encoding="utf-8"))["gridstead"],
    "csv": sidecar,
    "csv-wkt": sidecar,
    "xlsx": xlsx_rows,
    "shp": shp_told,
    "kmz": lambda path: list(kmz_text(path).itertext()),
    "pmtiles": lambda path: Reader(MemorySource(path.read_bytes())).metadata(),
    "cog": raster_told,
}


def flat(told):
    if isinstance(told, dict):
        return " ".join(map(flat, told.values()))
    if isinstance(told, list | tuple):
        return " ".join(map(flat, told))
    return str(told)


def test_every_format_is_read_here():
    assert set(TOLD) == set(FORMATS)
    # A raster carries no names.
    assert set(FORMATS) - set(READ) == {"cog"}


@pytest.mark.parametrize("word", READ)
def test_names_of_strangers_come_back_as_they_were(word, tmp_path):
    read = READ[word](write(word, layer(), tmp_path))
    want = KEPT
    if word == "shp":
        want = [name.encode()[:DBF_BYTES].decode(errors="ignore") for name in KEPT]
    assert read == want


@pytest.mark.parametrize("word", FORMATS)
def test_titles_of_strangers_break_no_file(word, tmp_path):
    given = layer(title=HOSTILE["html"] + NUL + HOSTILE["emoji"], names=["a", "b"])
    path = write(word, given, tmp_path)
    if word in READ and word not in {"xlsx", "kmz"}:
        assert READ[word](path) == ["a", "b"]
    assert "run-7" in flat(TOLD[word](path))


@pytest.mark.parametrize("is_synthetic", [True, False])
@pytest.mark.parametrize("word", FORMATS)
def test_every_file_says_where_it_comes_from(word, is_synthetic, tmp_path):
    path = write(word, layer(names=["a", "b"]), tmp_path, note(is_synthetic=is_synthetic))
    told = flat(TOLD[word](path))
    for words in ("run-7", "2026-01-02", "grid: MIT", "zoo: not stated", "Backbones (not stated)"):
        assert words in told, words
    if word == "pmtiles":  # whose attribution is HTML by its specification
        assert "Büro of &lt;Maps&gt; &amp; Co" in told
    else:
        assert "Büro of <Maps> & Co" in told
    assert (SYNTHETIC_SENTENCE in told) == is_synthetic


VECTOR = ["gpkg", "geoparquet", "fgb", "geojson"]


def back(word, given, folder, *, use_arrow=False):
    """Rows as read; GDAL's Arrow reader keeps wide integers with nulls, but falls over FlatGeobuf's null geometries."""
    path = write(word, given, folder)
    if word == "geoparquet":
        return gpd.read_parquet(path)
    return pyogrio.read_dataframe(path, layer=given.name, use_arrow=use_arrow)


@pytest.mark.parametrize("word", VECTOR)
def test_cells_of_every_kind_come_back(word, tmp_path):
    columns = {
        "key": pd.Series([0, 1, 2]),
        "huge": pd.Series([2**62, -(2**62), None], dtype="Int64"),
        "huger": pd.Series([2**80, 1, None], dtype=object),
        "is_on": pd.Series([True, None, False], dtype="boolean"),
        "is_all": pd.Series([True, False, True]),
        "day": pd.Series([dt.date(1999, 12, 31), None, dt.date(2026, 1, 2)], dtype=object),
        "at": pd.to_datetime(
            pd.Series(["2026-01-02T03:04:05.678Z", None, "1969-01-01T00:00:00Z"]), format="ISO8601"
        ),
        "few": pd.Series([["a", "b"], [], None], dtype=object),
        "none": pd.Series([None, None, None], dtype=object),
        "small": pd.Series([1e-300, -0.1, None]),
    }
    frame = gpd.GeoDataFrame(
        columns, geometry=shapely.points([[0, 0], [1, 1], [2, 2]]), crs="OGC:CRS84"
    )
    read = back(word, ExportLayer("a", "A", frame), tmp_path, use_arrow=True)
    read = read.sort_values("key", ignore_index=True)

    def cells(name, kind=lambda cell: cell):
        return [None if pd.isna(cell) else kind(cell) for cell in read[name]]

    assert cells("huge", int) == [2**62, -(2**62), None]
    assert cells("huger") == [str(2**80), "1", None]
    assert cells("is_on", bool) == [True, None, False]
    assert cells("is_all", bool) == [True, False, True]
    assert cells("day", lambda day: pd.Timestamp(day).date()) == frame["day"].tolist()
    assert cells("at", lambda at: pd.Timestamp(at).tz_convert("UTC")) == [
        pd.Timestamp("2026-01-02T03:04:05.678Z"), None, pd.Timestamp("1969-01-01T00:00:00Z"),
    ]  # fmt: skip
    assert cells("few", json.loads) == [["a", "b"], [], None]
    assert cells("none") == [None, None, None]
    assert cells("small", float) == [1e-300, -0.1, None]


@pytest.mark.parametrize("word", VECTOR)
@pytest.mark.parametrize(
    "shapes",
    [
        [shapely.Point(1, 2)],
        [None, None],
        [shapely.Point(1, 2), shapely.box(0, 0, 1, 1), shapely.LineString([(0, 0), (1, 1)]), None],
        [shapely.box(0, 0, 1, 1), shapely.MultiPolygon([shapely.box(5, 5, 6, 6)])],
        [shapely.box(179, -90, 180, -89), shapely.box(-180, 89, -179, 90)],
    ],
    ids=["one", "none", "mixed", "multi", "edges"],
)
def test_shapes_of_every_kind_come_back(word, shapes, tmp_path):
    frame = gpd.GeoDataFrame({"key": range(len(shapes))}, geometry=shapes, crs="OGC:CRS84")
    given = ExportLayer("a", "A", frame)
    read = back(word, given, tmp_path).sort_values("key", ignore_index=True)
    assert len(read) == len(shapes)
    for got, want in zip(read.geometry, given.frame.geometry, strict=True):
        assert (got is None) == (want is None)
        assert want is None or shapely.equals(got, want)


def test_geojson_goes_round_as_rfc_7946_wants(tmp_path):
    """Outer rings of every part counter-clockwise, seven decimals, west before east in boxes."""
    donut = shapely.box(0, 0, 3, 3, ccw=False) - shapely.box(1, 1, 2.123456789, 2)
    shapes = [shapely.MultiPolygon([donut, shapely.box(5, 5, 6, 6, ccw=False)])]
    frame = gpd.GeoDataFrame({"key": [1]}, geometry=shapes, crs="OGC:CRS84")
    path = write("geojson", ExportLayer("a", "A", frame), tmp_path)
    document = json.loads(path.read_bytes().decode("utf-8"))
    assert document["type"] == "FeatureCollection"
    assert "crs" not in document
    (feature,) = document["features"]
    assert feature["geometry"]["type"] == "MultiPolygon"
    for outer, *holes in feature["geometry"]["coordinates"]:
        assert outer[0] == outer[-1]
        assert shapely.is_ccw(shapely.LinearRing(outer))
        assert not any(shapely.is_ccw(shapely.LinearRing(ring)) for ring in holes)
    assert 2.1234568 in {x for x, _ in feature["geometry"]["coordinates"][0][1]}
    for box in (document.get("bbox"), feature.get("bbox")):
        assert box in (None, [0.0, 0.0, 6.0, 6.0])


def test_duckdb_reads_a_window_of_geoparquet(tmp_path):
    path = write("geoparquet", layer(), tmp_path)
    with duckdb.connect() as connection:
        table = connection.read_parquet(str(path))
        assert table.count("*").fetchall() == [(len(NAMES),)]
        window = table.filter("bbox.xmax >= -99.95 and bbox.xmin <= -99.93")
        found = window.project("parcel_name, st_asbinary(geometry)").fetchall()
    assert {name for name, _ in found} == {KEPT[1], KEPT[2]}
    boxes = [shapely.from_wkb(bytes(wkb)) for _, wkb in found]
    assert all(box.area == pytest.approx(0.02 * 0.02) for box in boxes)
