"""Words of columns, and QGIS's XML as it is written; tests/qgis opens it in the program itself."""

import json
import re
import sqlite3
import zipfile
from contextlib import closing
from dataclasses import replace
from io import BytesIO
from xml.etree import ElementTree as ET

import geopandas as gpd
import pandas as pd
import pyogrio.raw
import pytest
import shapely

from geo.errors import GeoError
from geo.export import FORMATS, ExportLayer
from geo.export._qgis_project import project_xml
from geo.export._words import alias_of, alias_of_metric
from geo.export.palette import MEGAWATT_CLASSES, RANK_CLASSES
from geo.export.qgis import metadata_of, style_of
from tests.geo import export_samples

NOTE = replace(export_samples.NOTE, restriction="Do not pass on.")


def layer(columns, geometry=None, name="a", **rest):
    count = len(next(iter(columns.values())))
    geometry = shapely.points([[0, i] for i in range(count)]) if geometry is None else geometry
    frame = gpd.GeoDataFrame(columns, geometry=geometry, crs="OGC:CRS84")
    return ExportLayer(name, "A", frame, **rest)


def boxes(count):
    return [shapely.box(i, 0, i + 1, 1) for i in range(count)]


def rules(given):
    root = ET.fromstring(style_of(given, NOTE))
    return root, root.findall("renderer-v2/rules//rule")


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("headroom_mw_mid", "Headroom, middle (MW)"),
        ("substation_230kv_mi", "Distance to substation, 230 kV or more (mi)"),
        ("firm_generation_50mi_mw", "Firm generation within 50 mi (MW)"),
        ("people_10ms_low", "People within 10 ms, low"),
        ("population_50mi", "People within 50 mi"),
        ("rtt_major_metro_ms_high", "Round trip to major metro, high (ms)"),
        ("carrier_25mi_count", "Number of carriers within 25 mi"),
        ("county_id", "County (id)"),
        ("industrial_usd_per_mwh", "Industrial power price ($/MWh)"),
        ("is_synthetic", "Stands in a synthetic network"),
        ("somebodys_Column", "Somebodys Column"),
        ("low", "Low"),
        ("x", "X"),
    ],
)
def test_a_column_has_words(column, words):
    assert alias_of(column) == words


@pytest.mark.parametrize(
    ("label", "unit", "words"),
    [
        ("headroom of the feeding substation (low)", "mw", "Headroom of the feeding substation, low (MW)"),
        ("deliverable MW", "mw", "Deliverable MW"),
        ("land area", "acres", "Land area (acres)"),
        ("acres that are not excluded", "acres", "Acres that are not excluded"),
        ("share under lakes", "share", "Share under lakes"),
        ("compactness of the shape", None, "Compactness of the shape"),
        ("of the user", "furlongs", "Of the user (furlongs)"),
    ],
)  # fmt: skip
def test_a_metric_has_words(label, unit, words):
    assert alias_of_metric(label, unit) == words


def test_the_middle_of_a_metric_is_named():
    words = alias_of_metric("headroom of the feeding substation", "mw", is_middle=True)
    assert words == "Headroom of the feeding substation, middle (MW)"


def test_aliases_differ_and_those_given_win():
    given = layer({"a_b": [1], "a__b": [1], "c": [1]}, aliases={"c": "Sea"})
    assert given.aliases == {"a_b": "A b", "a__b": "A  b", "c": "Sea"}
    twins = layer({"a": [1], "b": [1]}, aliases={"a": "Same", "b": "Same"})
    assert twins.aliases == {"a": "Same", "b": "Same [b]"}
    with pytest.raises(GeoError, match="aliases name 'nope'"):
        layer({"a": [1]}, aliases={"nope": "x"})


def test_each_rank_falls_into_one_rule():
    _, found = rules(layer({"rank": pd.array([1, None], dtype="Int64")}, boxes(2)))
    filters = [rule.get("filter") for rule in found]
    assert filters[-1] == '"rank" IS NULL'
    python = [text.replace('"rank"', "rank").replace("AND", "and") for text in filters[:-1]]
    for rank in (1, 10, 11, 50, 51, 100, 101, 500, 501, 10**6):
        assert sum(eval(text, {"rank": rank}) for text in python) == 1  # our own text
    assert len(filters) == len(RANK_CLASSES) + 1


def test_one_kind_of_region_has_no_headings_and_names_are_quoted():
    one = layer({"rank": [1, 2], "region_kind": ["state", "state"]}, boxes(2))
    assert all(rule.get("symbol") for rule in rules(one)[1])
    two = layer({"rank": [1, 2], "region_kind": ["o'cean \\", "county"]}, boxes(2))
    headings = [rule for rule in rules(two)[1] if not rule.get("symbol")]
    assert [rule.get("label") for rule in headings] == ["Counties", "o'cean \\"]
    assert headings[1].get("filter") == "\"region_kind\" = 'o''cean \\\\'"
    assert [rule.get("checkstate") for rule in headings] == [None, "0"]


def test_substations_grow_with_headroom():
    root, found = rules(layer({"headroom_mw_mid": [1.0, None]}))
    assert found[0].get("label") == "Headroom, middle (MW)"
    assert len(found) == len(MEGAWATT_CLASSES) + 2
    sizes = [
        float(option.get("value"))
        for option in root.findall("renderer-v2/symbols/symbol/layer/Option/Option[@name='size']")
    ]
    assert sizes[:-1] == sorted(set(sizes[:-1]))
    assert root.find("renderer-v2/orderby/orderByClause").text == '"headroom_mw_mid"'


def test_every_layer_with_one_kind_of_shape_has_a_style():
    lines = [shapely.LineString([(0, 0), (1, 1)])]
    assert ET.fromstring(style_of(layer({"a": [1]}, lines), NOTE)).find("aliases/alias") is not None
    assert (
        ET.fromstring(style_of(layer({"a": [1]}, boxes(1)), NOTE)).find("renderer-v2") is not None
    )
    assert style_of(layer({"a": [1, 2]}, [lines[0], boxes(1)[0]]), NOTE) is None
    assert style_of(layer({"a": [1]}, [None]), NOTE) is None


def test_what_must_not_be_passed_on_says_so_first():
    metadata = ET.fromstring(metadata_of(layer({"a": [1]}, description="About."), NOTE))
    assert metadata.find("abstract").text.startswith("Do not pass on. The grid")
    assert [each.get("type") for each in metadata.findall("constraints")] == ["use", "other"]
    notes = ET.fromstring(style_of(layer({"a": [1]}), NOTE)).find("userNotes").get("value")
    assert notes.startswith("<p><b>Do not pass on.</b></p>")
    assert "A &amp; &lt;B&gt;" in notes


@pytest.mark.parametrize("word", ["gpkg", "fgb"])
def test_gdal_gives_words_and_descriptions_back(word, tmp_path):
    given = layer({"headroom_mw_mid": [1.0], "b": [2]}, column_docs={"b": "What b is & means"})
    path = FORMATS[word](tmp_path / f"x{FORMATS[word].suffix}", [given], NOTE)
    with pyogrio.raw.open_arrow(path, layer="a", use_pyarrow=True) as (_, reader):
        told = {field.name: field.metadata or {} for field in reader.schema}
    assert told["headroom_mw_mid"][b"GDAL:OGR:alternative_name"] == b"Headroom, middle (MW)"
    assert told["b"][b"GDAL:OGR:comment"] == b"What b is & means"


def test_the_file_has_words_descriptions_metadata_and_a_project(tmp_path):
    given = layer(
        {"headroom_mw_mid": [1.0], "b": [2]},
        name="substations",
        column_docs={"b": "What b is & means"},
    )
    path = FORMATS["gpkg"](tmp_path / "x y.gpkg", [given], NOTE)
    with closing(sqlite3.connect(path)) as connection:

        def rows(sql):
            return connection.execute(sql).fetchall()

        columns = rows("select column_name, name, title, description from gpkg_data_columns")
        assert columns == [
            ("headroom_mw_mid", *["Headroom, middle (MW)"] * 2, None),
            ("b", "B", "B", "What b is & means"),
        ]
        assert "gpkg_schema" in dict(rows("select extension_name, 1 from gpkg_extensions"))
        ((scope, stamp, text),) = rows(
            "select reference_scope, timestamp, metadata from gpkg_metadata_reference "
            "join gpkg_metadata on md_file_id = id where md_standard_uri like '%qgis.dtd'"
        )
        assert (scope, stamp) == ("table", "2026-01-02T00:00:00.000Z")
        assert text == metadata_of(given, NOTE)
        assert rows("pragma foreign_key_check") == []
        assert rows("pragma integrity_check") == [("ok",)]
        # QGIS adds rows to this table without naming the columns.
        assert [row[1] for row in rows("pragma table_info(qgis_projects)")] == [
            "name", "metadata", "content",
        ]  # fmt: skip
        ((name, described, content),) = rows("select * from qgis_projects")
    assert name == "gridstead"
    assert json.loads(described)["last_modified_time"] == "2026-01-02T00:00:00"
    with zipfile.ZipFile(BytesIO(bytes.fromhex(content))) as archive:
        (member,) = archive.namelist()
        project = ET.fromstring(archive.read(member))
    assert member.endswith(".qgs")
    assert [source.text for source in project.iter("datasource")] == [
        "./x y.gpkg|layername=substations"
    ]
    identities = {each.text for each in project.findall("projectlayers/maplayer/id")}
    assert identities == {leaf.get("id") for leaf in project.iter("layer-tree-layer")}
    assert not re.search(r"/tmp|/home|/work", ET.tostring(project, encoding="unicode"))


@pytest.mark.parametrize("name", ["training_parcels", "substations"])
def test_a_project_of_one_layer_shows_it(name):
    alone = layer({"rank": [1], "headroom_mw_mid": [2.0]}, name=name)
    root = ET.fromstring(project_xml("x.gpkg", [alone], NOTE))
    (leaf,) = root.iter("layer-tree-layer")
    assert leaf.get("checked") == "Qt::Checked"
    groups = [group.get("checked") for group in root.findall("layer-tree-group/layer-tree-group")]
    assert "Qt::Unchecked" not in groups


def test_rights_are_kept_whole():
    split = replace(NOTE, attributions=["Bureau; see reference", "Zoo\x00"])
    metadata = ET.fromstring(metadata_of(layer({"a": [1]}), split))
    assert [each.text for each in metadata.findall("rights")] == [
        "Bureau; see reference",
        "Zoo\ufffd",
    ]
