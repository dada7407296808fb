"""Tables for people without mapping tools, and Shapefiles: read by readers that did not write them."""

import csv
import warnings
import zipfile
from dataclasses import replace
from xml.etree import ElementTree as ET

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import GeoError
from geo.export import ExportLayer, shp, tabular, xlsx
from geo.export._warn import ExportWarning
from geo.export.model import SYNTHETIC_SENTENCE
from tests.geo.export_samples import HOSTILE, NOTE, digest

NAMES = [
    *HOSTILE,
    "=cmd|' /C calc'!A0",
    "@sum(1)",
    "-1+2",
    "http://example.com/",
    "_x0041_ {=1}",
    " lead and trail ",
    "007",
]


def ranking():
    count = len(NAMES)
    ids = np.arange(count)
    frame = gpd.GeoDataFrame(
        {
            "parcel_id": [f"p{i:06d}" for i in ids],
            "rank": pd.array([i + 1 if i < count - 2 else None for i in ids], dtype="Int64"),
            "score": np.where(ids < count - 2, 90.0 - ids / 7, np.nan),
            "parcel_name": pd.Series(NAMES, dtype=object),
            "is_single_homed": pd.array(
                [None if i % 4 == 1 else bool(i % 2) for i in ids], dtype="boolean"
            ),
            "headroom_mw_mid": np.where(ids % 3 == 0, np.nan, 1234.5678 * ids),
            "headroom_mw_low": 1e-7 * ids,
            "people_10ms_mid": pd.array([10**9 + i for i in ids], dtype="Int64"),
            "gates_failed": [["slope_mean_pct"], []] * (count // 2),
        },
        geometry=shapely.box(-100 + ids / 10, 40, -99.95 + ids / 10, 40.05),
        crs="OGC:CRS84",
    )
    docs = {"rank": "1 is best; empty where not ranked."}
    return ExportLayer("training_parcels", "Parcels for training", frame, "The first few.", docs)


def cells(path, sheet):
    book = openpyxl.load_workbook(path)
    return [[plain(value) for value in row] for row in book[sheet].iter_rows(values_only=True)]


def plain(value):
    """Give a text as Excel shows it: openpyxl leaves what is escaped as it is."""
    return value.replace("_x005F_", "_") if isinstance(value, str) else value


@pytest.fixture(scope="module")
def workbook(tmp_path_factory):
    path = tmp_path_factory.mktemp("book") / "x.xlsx"
    return xlsx.write(path, [ranking()], NOTE)


def test_a_sheet_holds_the_rows_in_order(workbook):
    layer = ranking()
    book = openpyxl.load_workbook(workbook)
    assert book.sheetnames == ["Summary", "Ranking", "Columns", "Sources"]
    head, *rows = cells(workbook, "Ranking")
    columns = {heading: name for name, heading in layer.aliases.items()}
    read = pd.DataFrame(rows, columns=[columns[heading] for heading in head])
    assert set(read) == set(layer.columns)
    assert list(read)[:3] == ["rank", "parcel_name", "parcel_id"]
    assert len(read) == len(layer.frame)
    for name in layer.columns:
        for got, want in zip(read[name], layer.frame[name], strict=True):
            assert (pd.isna(got) and pd.isna(want)) or got == want, name
            assert pd.isna(want) or isinstance(got, bool) == isinstance(want, bool | np.bool_)


def test_names_are_text_whatever_they_look_like(workbook):
    sheet = openpyxl.load_workbook(workbook)["Ranking"]
    names = [row[1] for row in sheet.iter_rows(min_row=2)]
    assert [plain(cell.value) for cell in names] == NAMES
    assert {cell.data_type for cell in names} <= {"s", "inlineStr"}
    assert not [cell for row in sheet.iter_rows() for cell in row if cell.hyperlink]
    with zipfile.ZipFile(workbook) as archive:
        texts = [archive.read(name) for name in archive.namelist() if "sheet" in name]
        assert not [name for name in archive.namelist() if "externalLink" in name]
    assert not [text for text in texts if b"<f>" in text or b"<hyperlink" in text]
    assert not [text for text in texts if b'TargetMode="External"' in text]


def test_a_sheet_can_be_read_filtered_and_printed(workbook):
    sheet = openpyxl.load_workbook(workbook)["Ranking"]
    assert sheet.freeze_panes == "C2"
    assert sheet.auto_filter.ref == f"A1:I{len(NAMES) + 1}"
    (bar,) = [rule for found in sheet.conditional_formatting for rule in found.rules]
    assert bar.type == "dataBar"
    assert [end.val for end in bar.dataBar.cfvo] == [0, 100]
    form = {cell.value: sheet.cell(3, cell.column).number_format for cell in sheet[1]}
    assert form["Headroom, middle (MW)"] == "#,##0"
    assert form["Score (0–100)"] == "0.00"  # noqa: RUF001
    assert sheet.page_setup.orientation == "landscape"
    assert sheet.column_dimensions["B"].width > sheet.column_dimensions["A"].width


def test_the_summary_says_what_it_is(workbook):
    rows = cells(workbook, "Summary")
    said = [row[0] for row in rows if row[0]]
    assert said[0] == "Parcels for training"
    assert "The first few." in said
    assert "Study open-conus, run r1 of 2026-01-02." in said
    assert SYNTHETIC_SENTENCE in said
    assert "Left out because of its terms: Backbones (not stated)." in said
    at = next(number for number, row in enumerate(rows) if row[0] == "Rank")
    ranked = ranking().frame.head(len(NAMES) - 2)
    assert [row[:2] for row in rows[at + 1 :]] == [
        list(pair) for pair in zip(ranked["rank"], ranked["parcel_name"], strict=True)
    ]


def test_columns_and_sources_are_told(workbook):
    told = {row[2]: row for row in cells(workbook, "Columns")[1:]}
    assert told["rank"] == ["Ranking", "Rank", "rank", "1 is best; empty where not ranked."]
    assert set(told) == set(ranking().columns)
    sources = cells(workbook, "Sources")
    assert ["Terms", "grid: MIT"] in sources
    assert ["Attribution", "=Ünï"] in sources
    assert ["Left out because of its terms", "Backbones (not stated)"] in sources


def test_what_must_not_be_passed_on_says_so_first(tmp_path):
    note = replace(NOTE, restriction="Not to be passed on: x.")
    book = xlsx.write(tmp_path / "x.xlsx", [ranking()], note)
    assert cells(book, "Summary")[0][0] == "Not to be passed on: x."
    with pytest.warns(ExportWarning):
        path = shp.write(tmp_path / "x.shp.zip", [ranking()], note)
    with zipfile.ZipFile(path) as archive:
        assert archive.read("README.txt").decode().startswith("Not to be passed on: x.\n")
    tabular.write(tmp_path / "x.csv", [ranking()], note)
    assert '"notes": [\n  {\n   "restriction"' in (tmp_path / "x.csv-metadata.json").read_text()


def test_several_layers_have_a_sheet_each(tmp_path):
    layer = ranking()
    odd = "Regions [of] a/b: c? " + "x" * 40
    titles = [odd, odd.upper(), "Summary"]
    layers = [replace(layer, name=f"n{i}", title=title) for i, title in enumerate(titles)]
    path = xlsx.write(tmp_path / "x.xlsx", layers, NOTE)
    names = openpyxl.load_workbook(path).sheetnames
    assert len(names) == len({name.casefold() for name in names}) == 6
    assert all(len(name) <= 31 for name in names)
    for name in names[1:4]:
        assert len(cells(path, name)) == len(NAMES) + 1


def test_long_texts_are_cut_with_a_warning(tmp_path):
    layer = ranking()
    frame = layer.frame.assign(parcel_name="🚀" * 20_000)
    with pytest.warns(ExportWarning, match="cut in parcel_name"):
        path = xlsx.write(tmp_path / "x.xlsx", [replace(layer, frame=frame)], NOTE)
    text = cells(path, "Ranking")[1][1]
    assert text == "🚀" * 16_383 + "…"


def test_more_rows_than_a_sheet_holds_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(xlsx, "MOST_ROWS", len(NAMES))
    with pytest.raises(GeoError, match="12 rows, and a sheet of Excel holds 11 below its heading"):
        xlsx.write(tmp_path / "x.xlsx", [ranking()], NOTE)
    assert not list(tmp_path.iterdir())


def test_an_empty_workbook_and_one_without_ranks(tmp_path):
    layer = ranking()
    xlsx.write(tmp_path / "a.xlsx", [replace(layer, frame=layer.frame.head(0))], NOTE)
    assert len(cells(tmp_path / "a.xlsx", "Ranking")) == 1
    plain = replace(
        layer, frame=layer.frame.drop(columns=["rank", "score"]), column_docs={}, aliases={}
    )
    xlsx.write(tmp_path / "b.xlsx", [plain], NOTE)
    assert len(cells(tmp_path / "b.xlsx", "Table")) == len(NAMES) + 1


def test_csv_with_outlines_reads_back(tmp_path):
    layer = ranking()
    path = tabular.write(tmp_path / "x.wkt.csv", [layer], NOTE, with_wkt=True)
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["parcel_name"].removeprefix("'") for row in rows] == NAMES
    outlines = shapely.from_wkt([row["wkt"] for row in rows])
    assert shapely.equals_exact(outlines, layer.frame.geometry.to_numpy(), 1e-7).all()
    points = shapely.points([[float(row["longitude"]), float(row["latitude"])] for row in rows])
    assert shapely.contains(outlines, points).all()
    tabular.write(tmp_path / "out", [layer], NOTE, with_wkt=True)
    assert (tmp_path / "out" / "training_parcels.wkt.csv").read_bytes() == path.read_bytes()


def shapefile(folder, layer, note=NOTE):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        path = shp.write(folder / "x.shp.zip", [layer], note)
    assert {warning.category for warning in caught} <= {ExportWarning}
    return path, [str(warning.message) for warning in caught]


def test_a_shapefile_is_opened_as_it_is_and_holds_all(tmp_path):
    layer = ranking()
    path, said = shapefile(tmp_path, layer)
    short = shp.short_names(layer.columns)
    read = pyogrio.read_dataframe(path, use_arrow=True)
    info = pyogrio.read_info(path)
    assert (len(read), info["geometry_type"], info["encoding"]) == (12, "Polygon", "UTF-8")
    assert read.crs.to_authority() == ("EPSG", "4326")
    assert list(read)[:-1] == list(short.values())
    for name in layer.columns:
        got, want = read[short[name]], layer.frame[name]
        assert got.isna().tolist() == want.isna().tolist(), name
        if pd.api.types.is_float_dtype(want.dtype):
            assert np.allclose(got.dropna(), want.dropna(), rtol=1e-9, atol=1e-12), name
        else:
            assert [
                bool(value) if want.dtype == "boolean" else value for value in got.dropna()
            ] == [
                # dBASE fills with blanks: those at the ends are lost.
                value.strip() if isinstance(value, str) else value
                for value in want.dropna()
            ], name
    assert shapely.equals(read.geometry.to_numpy(), layer.frame.geometry.to_numpy()).all()
    (cut,) = said
    changed = {name: new for name, new in short.items() if name != new}
    assert all(f"{name} -> {new}" in cut for name, new in changed.items())
    assert set(changed) == {name for name in layer.columns if len(name) > 10}


def test_a_shapefile_carries_its_note(tmp_path):
    layer = ranking()
    path, _ = shapefile(tmp_path, layer)
    with zipfile.ZipFile(path) as archive:
        assert set(archive.namelist()) == {
            *(f"training_parcels{part}" for part in shp.PARTS),
            *("training_parcels.shp.xml", "README.txt"),
        }
        assert archive.read("training_parcels.cpg") == b"UTF-8"
        readme = archive.read("README.txt").decode()
        xml = ET.fromstring(archive.read("training_parcels.shp.xml"))
    for value in NOTE.items().values():
        assert value in readme
    for name, short in shp.short_names(layer.columns).items():
        assert f"{short:<10}  {name}: {layer.aliases[name]}." in readme
    assert xml.findtext("dataIdInfo/idCredit") == "A & <B>; =Ünï"
    assert xml.findtext("dataIdInfo/resConst/Consts/useLimit") == "grid: MIT"
    assert SYNTHETIC_SENTENCE in xml.findtext("dataIdInfo/idAbs")


def test_texts_beyond_254_bytes_are_cut_between_characters(tmp_path):
    layer = ranking()
    names = ["é" * 127, "é" * 128, "x" * 254, "🚀" * 64, *NAMES[4:]]
    frame = layer.frame.assign(parcel_name=names)
    path, said = shapefile(tmp_path, replace(layer, frame=frame))
    column = shp.short_names(layer.columns)["parcel_name"]
    read = pyogrio.read_dataframe(path)[column].tolist()
    kept = [name.strip() for name in NAMES[4:]]
    assert read == ["é" * 127, "é" * 127, "x" * 254, "🚀" * 63, *kept]
    assert said[1] == "A Shapefile cuts texts to 254 bytes: longer ones were in parcel_name."
    with zipfile.ZipFile(path) as archive:
        assert "Texts were cut to 254 bytes in: parcel_name." in archive.read("README.txt").decode()


@pytest.mark.parametrize(
    "shapes",
    [
        [shapely.Point(1, 2), None],
        [shapely.LineString([(0, 0), (1, 1)]), shapely.MultiLineString([[(0, 0), (1, 2)]])],
        [None, None],
        [],
    ],
    ids=["points", "lines", "none", "empty"],
)
def test_shapefiles_of_every_kind(tmp_path, shapes):
    frame = gpd.GeoDataFrame({"name": ["a"] * len(shapes)}, geometry=shapes, crs="OGC:CRS84")
    path, said = shapefile(tmp_path, ExportLayer("a", "A", frame))
    read = pyogrio.read_dataframe(path)
    assert read.geometry.isna().tolist() == [shape is None for shape in shapes]
    assert not said


def test_a_shapefile_of_several_kinds_is_refused(tmp_path):
    shapes = [shapely.Point(1, 2), shapely.box(0, 0, 1, 1)]
    frame = gpd.GeoDataFrame({"name": ["a", "b"]}, geometry=shapes, crs="OGC:CRS84")
    with pytest.raises(GeoError, match="several kinds"):
        shp.write(tmp_path / "x.shp.zip", [ExportLayer("a", "A", frame)], NOTE)
    assert not list(tmp_path.iterdir())


def test_a_part_beyond_two_gigabytes_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(shp, "MOST_BYTES", 100)
    with pytest.raises(GeoError, match="beyond 2 GB"):
        shp.write(tmp_path / "x.shp.zip", [ranking()], NOTE)
    assert not list(tmp_path.iterdir())


@given(st.lists(st.from_regex(r"[a-z][a-z0-9_]{0,30}", fullmatch=True), max_size=40, unique=True))
def test_short_names_fit_differ_and_stay(columns):
    names = shp.short_names(columns)
    assert list(names) == columns
    assert all(0 < len(short) <= 10 for short in names.values())
    assert len({short.casefold() for short in names.values()}) == len(columns)
    assert all(names[name] == name for name in columns if len(name) <= 10)


def test_short_names_tell_what_they_stand_for():
    assert shp.short_names(["headroom_mw_low", "headroom_mw_mid", "rank", "people_10ms_mid"]) == {
        "headroom_mw_low": "hdr_mw_low",
        "headroom_mw_mid": "hdr_mw_mid",
        "rank": "rank",
        "people_10ms_mid": "pp_10ms_md",
    }
    twins = shp.short_names(["substation_138kv_mi", "sabstation_138kv_mi", "sbs138kvmi"])
    assert twins["sbs138kvmi"] == "sbs138kvmi"
    assert len(set(twins.values())) == 3


@pytest.mark.parametrize("write", [xlsx.write, shp.write], ids=["xlsx", "shp"])
def test_same_input_gives_the_same_bytes(tmp_path, write):
    suffix = ".xlsx" if write is xlsx.write else ".shp.zip"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExportWarning)
        digests = {digest(write(tmp_path / f"{i}{suffix}", [ranking()], NOTE)) for i in range(2)}
    assert len(digests) == 1
