"""Every format is read back by a reader that did not write it wherever there is one."""

import csv
import datetime as dt
import json
import sqlite3
import warnings
from contextlib import closing
from xml.etree import ElementTree as ET

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely

from geo.errors import GeoError
from geo.export import FORMATS, ExportLayer, find_format
from geo.export import tabular as csv_writer
from geo.export._warn import ExportWarning
from tests.geo.export_samples import HOSTILE, NOTE, digest

NAMES = [*HOSTILE, "'; drop table x;--", "[1,2]", ""]
# Formats whose own tests are elsewhere take part where the promise is that of all.
VECTOR = ["gpkg", "geoparquet", "fgb", "geojson"]
SINGLE = ["geoparquet", "fgb", "geojson", "csv"]


def parcels(count=8, spread=1.0):
    """Clockwise squares (the wrong way for GeoJSON) with every type of cell and unknowns."""
    rng = np.random.default_rng(7)
    x, y = -100 + spread * rng.uniform(-20, 20, count), 37 + spread * rng.uniform(-7, 8, count)
    names = (NAMES * (count // len(NAMES) + 1))[:count]
    ids = np.arange(count)
    frame = gpd.GeoDataFrame(
        {
            "parcel_id": [f"p{i:06d}" for i in ids],
            "region_name": pd.Series(
                [None if i % 5 == 4 else name for i, name in enumerate(names)], dtype=object
            ),
            "rank": pd.array([None if i % 3 == 2 else i + 1 for i in ids], dtype="Int64"),
            "score": np.where(ids % 4 == 3, np.nan, rng.random(count)),
            "is_near": pd.array(
                [None if i % 4 == 1 else bool(i % 2) for i in ids], dtype="boolean"
            ),
            "factors": [{"kv": 345, "mi": [0.5]}] * count,
            "as_of": pd.Series([dt.date(2026, 1, 2)] * count, dtype=object),
        },
        geometry=shapely.box(x, y, x + 0.01, y + 0.01, ccw=False),
        crs="EPSG:4326",
    )
    docs = {"rank": "1 is best; null where not ranked."}
    return ExportLayer("training_parcels", 'Training "parcels"', frame, "Squares & more.", docs)


def metros(geometry=None):
    geometry = shapely.points([[-74.0, 40.7], [-118.2, 34.0]]) if geometry is None else geometry
    frame = gpd.GeoDataFrame(
        {"name": ["New York", "LA"][: len(geometry)]}, geometry=geometry, crs="OGC:CRS84"
    )
    return ExportLayer("metros", "Metros", frame)


def write_one(word, layer, folder):
    path = folder / f"x{FORMATS[word].suffix}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExportWarning)
        assert FORMATS[word](path, [layer], NOTE) == path
    return path


def layer_in(path):
    return pyogrio.list_layers(path)[0, 0]


def same(got, want):
    return (pd.isna(got) and pd.isna(want)) or got == want


def in_order(frame):
    return frame.sort_values("parcel_id").reset_index(drop=True)


@pytest.mark.parametrize("word", VECTOR)
def test_gdal_or_arrow_read_back_equal_rows(word, tmp_path):
    layer = parcels()
    path = write_one(word, layer, tmp_path)
    if word == "geoparquet":
        read = gpd.read_parquet(path).drop(columns="bbox", errors="ignore")
    else:
        read = pyogrio.read_dataframe(path, layer=layer_in(path), use_arrow=True)
    assert read.crs.to_authority() in {("OGC", "CRS84"), ("EPSG", "4326")}
    read, want = in_order(read), in_order(layer.frame)
    assert len(read) == len(want)
    for column in want.columns[:-1]:
        got = read[column]
        if column == "as_of":
            got = pd.to_datetime(got).dt.date
        assert [pd.isna(cell) for cell in got] == [pd.isna(cell) for cell in want[column]], column
        assert all(map(same, got, want[column])), column
    assert shapely.equals_exact(
        shapely.normalize(read.geometry.to_numpy()),
        shapely.normalize(want.geometry.to_numpy()),
        1e-7,
    ).all()


@pytest.mark.parametrize("word", FORMATS)
def test_same_input_gives_the_same_bytes(word, tmp_path):
    first = write_one(word, parcels(spread=0.01), tmp_path / "a")
    second = write_one(word, parcels(spread=0.01), tmp_path / "b")
    assert digest(first) == digest(second)


@pytest.mark.parametrize("word", [*VECTOR, "csv"])
def test_empty_layer_keeps_its_columns(word, tmp_path):
    full = parcels()
    empty = ExportLayer(full.name, full.title, full.frame.head(0))
    path = write_one(word, empty, tmp_path)
    if word == "geoparquet":
        read = gpd.read_parquet(path)
    elif word == "csv":
        read = pd.read_csv(path)
    else:
        read = pyogrio.read_dataframe(path, layer=layer_in(path))
    assert len(read) == 0
    if word != "geojson":  # a FeatureCollection of nothing has no columns
        assert set(full.columns) <= set(read.columns)


@pytest.mark.parametrize("word", [*VECTOR, "csv"])
def test_missing_geometry_is_kept(word, tmp_path):
    layer = metros(np.array([shapely.Point(-74, 40.7), None]))
    path = write_one(word, layer, tmp_path)
    if word == "csv":
        rows = read_csv(path)
        assert [row["longitude"] for row in rows] == ["-74", ""]
    elif word == "geoparquet":
        assert gpd.read_parquet(path).geometry.isna().tolist() == [False, True]
    else:
        assert pyogrio.read_dataframe(path, layer=layer_in(path)).geometry.isna().tolist() == [
            False,
            True,
        ]


def test_geoparquet_file_is_as_specified(tmp_path):
    path = write_one("geoparquet", parcels(12_000), tmp_path)
    file = pq.ParquetFile(path)
    metadata = file.metadata
    geo = json.loads(metadata.metadata[b"geo"])
    column = geo["columns"]["geometry"]
    assert geo["version"] == "1.1.0"
    assert column["encoding"] == "WKB"
    assert column["geometry_types"] == ["Polygon"]
    assert column["crs"]["id"] == {"authority": "OGC", "code": "CRS84"}
    assert column["covering"]["bbox"]["xmin"] == ["bbox", "xmin"]
    assert metadata.num_row_groups == 3
    assert {metadata.row_group(0).column(k).compression for k in range(metadata.num_columns)} == {
        "ZSTD"
    }
    note = json.loads(metadata.metadata[b"PANDAS_ATTRS"])["gridstead"]
    assert note["run_id"] == "r1"
    assert note["columns"]["rank"].startswith("1 is best")
    table = file.read()
    bounds = shapely.bounds(shapely.from_wkb(table["geometry"].to_numpy()))
    assert np.allclose(bounds[:, 0], [box["xmin"] for box in table["bbox"].to_pylist()])
    steps = np.hypot(*np.diff(bounds[:, :2], axis=0).T)
    assert np.median(steps) < 1.0, "neighbours in the file are neighbours on the ground"


def test_geopackage_as_sqlite_sees_it(tmp_path):
    path = tmp_path / "all.gpkg"
    FORMATS["gpkg"](path, [parcels(), metros()], NOTE)
    with closing(sqlite3.connect(path)) as connection:

        def rows(sql):
            return connection.execute(sql).fetchall()

        assert rows("pragma application_id") == [(0x47504B47,)]
        assert rows("pragma integrity_check") == [("ok",)]
        contents = rows(
            "select table_name, data_type, identifier, description, last_change, srs_id from gpkg_contents"
        )
        assert contents[0] == (
            "training_parcels", "features", 'Training "parcels"', "Squares & more.", "2026-01-02T00:00:00.000Z", 4326,
        )  # fmt: skip
        assert [row[0] for row in contents] == ["training_parcels", "metros", "layer_styles"]
        assert rows("select count(*) from rtree_training_parcels_geom") == [(len(NAMES),)]
        stored = dict(rows("select parcel_id, region_name from training_parcels"))
        assert stored["p000003"] == NAMES[3]
        assert stored["p000004"] is None
        styles = rows(
            "select f_table_name, f_geometry_column, useAsDefault, styleQML from layer_styles"
        )
    assert [style[:3] for style in styles] == [
        ("training_parcels", "geom", 1), ("metros", "geom", 1),
    ]  # fmt: skip
    root = ET.fromstring(styles[0][3])
    rules = root.findall("renderer-v2/rules/rule")
    symbols = {symbol.get("name") for symbol in root.findall("renderer-v2/symbols/symbol")}
    assert len(rules) == 6
    assert {rule.get("symbol") for rule in rules} == symbols
    assert rules[-1].get("filter") == '"rank" IS NULL'


def test_geopackage_carries_note_and_documentation(tmp_path):
    path = write_one("gpkg", parcels(), tmp_path)
    info = pyogrio.read_info(path, layer="training_parcels")
    assert info["dataset_metadata"]["attribution"] == "A & <B>; =Ünï"
    assert info["dataset_metadata"]["is_synthetic"] == "true"
    assert info["layer_metadata"]["column_rank"].startswith("1 is best")


def test_geopackage_takes_layers_with_one_title(tmp_path):
    twin = ExportLayer("cities", "Metros", metros().frame)
    FORMATS["gpkg"](tmp_path / "x.gpkg", [metros(), twin], NOTE)
    assert pyogrio.list_layers(tmp_path / "x.gpkg")[:2, 0].tolist() == ["metros", "cities"]


def test_geopackage_leaves_the_clock_of_gdal_alone(tmp_path):
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2001-01-01T00:00:00.000Z"})
    try:
        write_one("gpkg", metros(), tmp_path)
        assert pyogrio.get_gdal_config_option("OGR_CURRENT_DATE") == "2001-01-01T00:00:00.000Z"
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def test_flatgeobuf_is_indexed_and_described(tmp_path):
    info = pyogrio.read_info(write_one("fgb", parcels(), tmp_path))
    assert info["capabilities"]["fast_spatial_filter"]
    assert info["layer_metadata"]["TITLE"] == 'Training "parcels"'
    assert info["layer_metadata"]["run_id"] == "r1"


def test_geojson_follows_rfc_7946(tmp_path):
    layer = parcels()
    hole = shapely.Polygon(
        [(-100, 40), (-100, 41), (-99, 41), (-99, 40)],
        [[(-99.6, 40.4), (-99.4, 40.4), (-99.4, 40.6)]],
    )
    shapes = layer.frame.assign(geometry=[hole, *layer.frame.geometry[1:]])
    path = write_one("geojson", ExportLayer("a", "A", shapes), tmp_path)
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["type"] == "FeatureCollection"
    assert "crs" not in document
    assert document["gridstead"]["attribution"] == "A & <B>; =Ünï"
    assert len(document["features"]) == len(layer.frame)
    for feature, (_, row) in zip(document["features"], shapes.iterrows(), strict=True):
        properties = feature["properties"]
        assert list(properties) == layer.columns
        assert same(properties["region_name"], row["region_name"])
        assert same(properties["score"], row["score"])
        assert properties["is_near"] is (None if pd.isna(row["is_near"]) else bool(row["is_near"]))
        assert json.loads(properties["factors"]) == {"kv": 345, "mi": [0.5]}
        outer, *holes = feature["geometry"]["coordinates"]
        assert shapely.is_ccw(shapely.LinearRing(outer))
        assert not any(shapely.is_ccw(shapely.LinearRing(ring)) for ring in holes)
        assert all(value == round(value, 7) for point in outer for value in point)


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_csv_has_points_inside_and_a_description(tmp_path):
    layer = parcels()
    path = tmp_path / "x.csv"
    csv_writer.write(path, [layer], NOTE, with_wkt=True)
    rows = read_csv(path)
    assert len(rows) == len(layer.frame)
    for row, (_, want) in zip(rows, layer.frame.iterrows(), strict=True):
        assert row["region_name"] in {want["region_name"], "'" + str(want["region_name"]), ""}
        assert row["rank"] == ("" if pd.isna(want["rank"]) else str(want["rank"]))
        assert (
            row["score"] == "" if pd.isna(want["score"]) else float(row["score"]) == want["score"]
        )
        point = shapely.Point(float(row["longitude"]), float(row["latitude"]))
        assert want["geometry"].contains(point)
        assert shapely.equals_exact(shapely.from_wkt(row["wkt"]), want["geometry"], 1e-7)
    described = json.loads((tmp_path / "x.csv-metadata.json").read_text(encoding="utf-8"))
    assert [column["name"] for column in described["tableSchema"]["columns"]] == list(rows[0])
    assert described["notes"][0]["licence"] == "grid: MIT"


def test_csv_tells_empty_from_unknown_and_disarms_formulas(tmp_path):
    names = ["=cmd|' /C calc'!A0", "+1", "-x", "@sum", "plain", "", None]
    frame = gpd.GeoDataFrame(
        {"name": pd.Series(names, dtype=object), "delta": -np.arange(7.0)},
        geometry=shapely.points(np.zeros((7, 2))),
        crs="OGC:CRS84",
    )
    path = write_one("csv", ExportLayer("a", "A", frame), tmp_path)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [row["name"] for row in read_csv(path)] == [
        "'=cmd|' /C calc'!A0", "'+1", "'-x", "'@sum", "plain", "", "",
    ]  # fmt: skip
    assert lines[2].split(",")[1] == "-1", "numbers are numbers"
    assert lines[6].startswith('""')
    assert lines[7].startswith(",")


def test_csv_uses_coordinates_that_are_there(tmp_path):
    frame = gpd.GeoDataFrame(
        {"longitude": [1.5], "latitude": [2.5]}, geometry=[shapely.Point(0, 0)], crs=4326
    )
    rows = read_csv(write_one("csv", ExportLayer("a", "A", frame), tmp_path))
    assert rows == [{"longitude": "1.5", "latitude": "2.5"}]


@pytest.mark.parametrize("word", SINGLE)
def test_several_layers_make_a_folder(word, tmp_path):
    writer = FORMATS[word]
    writer(tmp_path / "out", [parcels(), metros()], NOTE)
    names = {path.name for path in (tmp_path / "out").iterdir() if not path.name.endswith(".json")}
    assert names == {f"training_parcels{writer.suffix}", f"metros{writer.suffix}"}
    with pytest.raises(GeoError, match="one layer"):
        writer(tmp_path / f"x{writer.suffix}", [parcels(), metros()], NOTE)
    with pytest.raises(GeoError, match="no name for this format"):
        writer(tmp_path / "x.gpkg", [metros()], NOTE)


@pytest.mark.parametrize("word", FORMATS)
def test_failure_leaves_the_old_file_and_no_litter(word, tmp_path, monkeypatch):
    write_one(word, parcels(spread=0.01), tmp_path)
    before = {each.name: digest(each) for each in tmp_path.iterdir()}

    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("geo.export._files.os.fsync", fail)
    with pytest.raises(GeoError, match="No space left"):
        write_one(word, parcels(16, spread=0.01), tmp_path)
    assert {each.name: digest(each) for each in tmp_path.iterdir()} == before


def test_second_layer_that_fails_leaves_the_whole_file(tmp_path, monkeypatch):
    path = tmp_path / "x.gpkg"
    FORMATS["gpkg"](path, [metros()], NOTE)
    before = digest(path)
    real = pyogrio.write_arrow

    def fail_second(table, target, **options):
        if options["layer"] == "metros":
            raise pyogrio.errors.DataSourceError("broken")  # noqa: EM101
        real(table, target, **options)

    monkeypatch.setattr(pyogrio, "write_arrow", fail_second)
    with pytest.raises(GeoError, match="broken"):
        FORMATS["gpkg"](path, [parcels(), metros()], NOTE)
    assert digest(path) == before
    assert [each.name for each in tmp_path.iterdir()] == ["x.gpkg"]


def test_unwritable_places_are_told(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(GeoError, match="cannot be written"):
        FORMATS["gpkg"](tmp_path / "file" / "x.gpkg", [metros()], NOTE)
    with pytest.raises(GeoError, match="folder"):
        FORMATS["gpkg"](tmp_path, [metros()], NOTE)


def test_nothing_and_twins_are_refused(tmp_path):
    for writer in FORMATS.values():
        with pytest.raises(GeoError, match="no layer"):
            writer(tmp_path / "out", [], NOTE)
        with pytest.raises(GeoError, match="Two layers"):
            writer(tmp_path / "out", [metros(), metros()], NOTE)


def test_format_words():
    assert {"gpkg", "geoparquet", "fgb", "geojson", "csv"} <= set(FORMATS)
    assert find_format("gpkg").suffix == ".gpkg"
    with pytest.raises(GeoError, match="'dwg' is no export format: use one of gpkg, geoparquet"):
        find_format("dwg")
