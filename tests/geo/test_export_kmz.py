"""KMZ: well-formed, in the order of the schema, read back by GDAL, and with no name that a balloon would run."""

import io
import zipfile
from dataclasses import replace
from xml.etree import ElementTree as ET

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from matplotlib.image import imread

from geo.errors import GeoError
from geo.export import ExportLayer, kmz
from geo.export._text import UNKNOWN
from geo.export.palette import RANK_CLASSES
from tests.geo.export_samples import HOSTILE, NOTE

KML, ATOM = "{http://www.opengis.net/kml/2.2}", "{http://www.w3.org/2005/Atom}"
NAMES = [
    *HOSTILE,
    "<![CDATA[x]]>&amp;&lt;",
    "$[rank] $[description]",
    "a\r\nb\tc",
    "x" * 10_000,
    "",
    None,
]
# What may stand in an element and in which order, as in OGC 07-147r2; none of the elements left out here is written.
FEATURE = [
    "name",
    "open",
    "author",
    "Snippet",
    "description",
    "LookAt",
    "styleUrl",
    "Style",
    "ExtendedData",
]
ORDER = {
    "kml": ["Document"],
    "Document": [*FEATURE, "Schema", "ScreenOverlay", "Folder", "Document", "Placemark"],
    "Folder": [*FEATURE, "Document"],
    "Placemark": [*FEATURE, "geometry"],
    "ScreenOverlay": [*FEATURE, "Icon", "overlayXY", "screenXY", "size"],
    "author": ["name"],
    "LookAt": ["longitude", "latitude", "heading", "tilt", "range"],
    "Style": ["IconStyle", "LineStyle", "PolyStyle", "BalloonStyle"],
    "IconStyle": ["color", "scale"],
    "LineStyle": ["color", "width"],
    "PolyStyle": ["color"],
    "BalloonStyle": ["text"],
    "Icon": ["href"],
    "ExtendedData": ["Data", "SchemaData"],
    "Data": ["value"],
    "SchemaData": ["SimpleData"],
    "Schema": ["SimpleField"],
    "SimpleField": ["displayName"],
    "MultiGeometry": ["geometry"],
    "Polygon": ["outerBoundaryIs", "innerBoundaryIs"],
    "outerBoundaryIs": ["LinearRing"],
    "innerBoundaryIs": ["LinearRing"],
    "LinearRing": ["coordinates"],
    "LineString": ["coordinates"],
    "Point": ["coordinates"],
}
GEOMETRIES = {"Point", "LineString", "Polygon", "MultiGeometry"}
MANY = {"Style", "Data", "Schema", "SimpleField", "SimpleData", "Folder", "Document", "Placemark", "innerBoundaryIs"}  # fmt: skip


def parcels(count=30):
    """Clockwise squares (the wrong way), one in two parts, one with a hole, one without a place."""
    rng = np.random.default_rng(7)
    x, y = rng.uniform(-120, -80, count), rng.uniform(30, 45, count)
    shapes = shapely.box(x, y, x + 0.01, y + 0.01, ccw=False).astype(object)
    shapes[1] = shapely.union(shapes[1], shapely.box(-90, 40, -89.5, 40.5))
    shapes[2] = shapely.difference(shapely.box(-100, 40, -99, 41), shapely.box(-99.6, 40.4, -99.4, 40.6))  # fmt: skip
    shapes[5] = None
    ids = np.arange(count)
    frame = gpd.GeoDataFrame(
        {
            "parcel_id": [f"p{i:06d}" for i in ids],
            "parcel_name": pd.Series((NAMES * count)[:count], dtype=object),
            "rank": pd.array([None if i % 7 == 6 else 1 + i * 25 for i in ids], dtype="Int64"),
            "score": np.where(ids % 4 == 3, np.nan, rng.random(count) * 100),
            "people": pd.array([None if i % 3 else int(i) * 10**8 for i in ids], dtype="Int64"),
            "is_near": pd.array(
                [None if i % 4 == 1 else bool(i % 2) for i in ids], dtype="boolean"
            ),
        },
        geometry=shapes,
        crs="OGC:CRS84",
    )
    return ExportLayer("training_parcels", "Parcels <b>", frame, "Squares & more.")


def local(element):
    return element.tag.rpartition("}")[2]


def opened(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return ET.fromstring(archive.read("doc.kml")), archive.namelist()


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    layer = parcels()
    path = kmz.write(tmp_path_factory.mktemp("kmz") / "x.kmz", [layer], NOTE)
    return layer, path, *opened(path)


def test_elements_are_those_of_kml_in_its_order(written):
    _, _, root, names = written
    assert names == ["doc.kml", "files/legend.png"]
    for element in root.iter():
        children = ["geometry" if local(child) in GEOMETRIES else local(child) for child in element]
        if not children:
            continue
        order = ORDER[local(element)]
        places = [order.index(child) for child in children]
        assert places == sorted(places), (local(element), children)
        # Styles stand before data, data before schemas: each once, but for lists.
        if local(element) != "MultiGeometry":
            once = [child for child in children if child not in MANY]
            assert len(once) == len(set(once)), (local(element), children)
    assert root.find(f"{KML}Document/{ATOM}author/{ATOM}name").text == "Gridstead 0.1.0"
    schemas = {schema.get("id") for schema in root.iter(f"{KML}Schema")}
    told = {data.get("schemaUrl") for data in root.iter(f"{KML}SchemaData")}
    assert told == {f"#{schema}" for schema in schemas}
    for placemark in root.iter(f"{KML}Placemark"):
        style = placemark.find(f"{KML}styleUrl").text.removeprefix("#")
        assert root.find(f"{KML}Document/{KML}Style[@id='{style}']") is not None


def test_gdal_reads_back_equal_rows(written):
    layer, path, *_ = written
    folders = [name for name in pyogrio.list_layers(path)[:, 0] if "(" in name]
    assert len(folders) == 6
    read = pd.concat(pyogrio.read_dataframe(path, layer=name) for name in folders)
    assert read.crs.to_epsg() == 4326
    read = read.sort_values("parcel_id").reset_index(drop=True)
    want = layer.frame
    assert read["parcel_id"].tolist() == want["parcel_id"].tolist()
    for column in ("parcel_name", "rank", "score", "is_near"):
        known = want[column].notna()
        assert read[column][known].tolist() == want[column][known].tolist(), column
        assert read[column][~known].isna().all(), column
    assert read["people"].dropna().astype(int).tolist() == want["people"].dropna().tolist()
    assert read.geometry.isna().tolist() == want.geometry.isna().tolist()
    assert shapely.equals_exact(
        shapely.normalize(read.geometry.dropna().to_numpy()),
        shapely.normalize(want.geometry.dropna().to_numpy()),
        1e-7,
    ).all()


def test_data_are_the_values_and_unknown_is_left_out(written):
    layer, _, root, _ = written
    fields = {
        field.get("name"): (field.get("type"), field.find(f"{KML}displayName").text)
        for field in root.iter(f"{KML}SimpleField")
    }
    assert {name: kind for name, (kind, _) in fields.items()} == {
        "parcel_id": "string", "parcel_name": "string", "rank": "int", "score": "double", "people": "string", "is_near": "bool",
    }  # fmt: skip
    assert fields["score"][1] == layer.aliases["score"]
    parse = {"int": int, "double": float, "bool": lambda text: text == "1", "string": str}
    got = {}
    for placemark in root.iter(f"{KML}Placemark"):
        row = {
            data.get("name"): parse[fields[data.get("name")][0]](data.text or "")
            for data in placemark.iter(f"{KML}SimpleData")
        }
        got[row["parcel_id"]] = row
    want = {
        row["parcel_id"]: {
            key: str(value) if key == "people" else value
            for key, value in row.items()
            if key != "geometry" and not pd.isna(value)
        }
        for row in layer.frame.to_dict("records")
    }
    assert got == want


def test_rings_turn_as_kml_asks_and_coordinates_are_all_there(written):
    layer, _, root, _ = written
    shapes = dict(zip(layer.frame["parcel_id"], layer.frame.geometry, strict=True))
    for placemark in root.iter(f"{KML}Placemark"):
        (parcel,) = (d.text for d in placemark.iter(f"{KML}SimpleData") if d.get("name") == "parcel_id")  # fmt: skip
        rings = []
        for kind, is_outer in (("outerBoundaryIs", True), ("innerBoundaryIs", False)):
            for boundary in placemark.iter(f"{KML}{kind}"):
                text = boundary.find(f".//{KML}coordinates").text
                ring = shapely.linearrings([list(map(float, pair.split(","))) for pair in text.split()])  # fmt: skip
                assert ring.is_ccw == is_outer
                rings.append(ring)
        shape = shapes[parcel]
        count = 0 if shape is None else shapely.get_num_coordinates(shape)
        assert sum(map(shapely.get_num_coordinates, rings)) == count


def test_balloons_show_names_and_run_nothing(written):
    layer, _, root, _ = written
    assert {text.text for text in root.iter(f"{KML}text")} == {"$[description]"}
    names = layer.frame["parcel_name"].fillna(UNKNOWN)
    for placemark in root.iter(f"{KML}Placemark"):
        balloon = placemark.find(f"{KML}description").text
        assert "$[" not in balloon
        # Read as HTML it is a heading and a table and nothing else, its text as it was.
        page = ET.fromstring(f"<html>{balloon}</html>")
        assert {element.tag for element in page.iter()} == {"html", "h3", "table", "tr", "td", "b"}
        told = {row[0].text: row[1][0].text for row in page.iter("tr")}
        name = names[int((told[layer.aliases["parcel_id"]] or "")[1:])]
        words = told[layer.aliases["parcel_name"]]
        assert (words or "").split() == name.split()
    about = root.find(f"{KML}Document/{KML}description").text
    assert about.startswith("<p><b>The grid behind this ranking is synthetic")
    assert "A &amp; &lt;B&gt;" in about
    assert "Backbones (not stated)" in about
    data = {d.get("name"): d.find(f"{KML}value").text for d in root.findall(f"{KML}Document/{KML}ExtendedData/{KML}Data")}  # fmt: skip
    assert data == NOTE.items()


def test_classes_of_ranks_are_folders_in_their_colours(written):
    layer, path, root, _ = written
    folders = root.findall(f"{KML}Document/{KML}Document")
    ranks = layer.frame["rank"]
    want = [
        int(ranks.between(one.first, one.last or np.inf).sum()) for one in RANK_CLASSES
    ] + [int(ranks.isna().sum())]  # fmt: skip
    assert [len(folder.findall(f"{KML}Placemark")) for folder in folders] == [n for n in want if n]
    assert folders[0].find(f"{KML}name").text == f"Ranks {RANK_CLASSES[0].label} ({want[0]})"
    assert folders[-1].find(f"{KML}name").text == f"Not ranked ({want[-1]})"
    fill = root.find(f".//{KML}Style[@id='rank-2']/{KML}PolyStyle/{KML}color").text
    red, green, blue = (RANK_CLASSES[1].colour[k : k + 2] for k in (1, 3, 5))
    assert fill[2:] == blue + green + red
    with zipfile.ZipFile(path) as archive:
        picture = imread(io.BytesIO(archive.read("files/legend.png")))
    seen = {"".join(f"{round(part * 255):02x}" for part in pixel[:3]) for pixel in picture.reshape(-1, 4)}  # fmt: skip
    assert {one.colour[1:] for one in RANK_CLASSES} <= seen


def test_the_same_layers_give_the_same_bytes(written, tmp_path):
    _, path, *_ = written
    again = kmz.write(tmp_path / "x.kmz", [parcels()], NOTE)
    assert again.read_bytes() == path.read_bytes()


def test_several_layers_wide_tables_and_points(tmp_path):
    wide = {f"c{i}": [i] for i in range(60)}
    point = gpd.GeoDataFrame(
        {"metro_name": ["New York"], **wide}, geometry=[shapely.Point(-74, 40.7)], crs="OGC:CRS84"
    )
    way = shapely.LineString([(-74, 40), (-75, 41)])
    line = gpd.GeoDataFrame(geometry=[way], crs="OGC:CRS84")
    ranked = gpd.GeoDataFrame(point.assign(rank=[3], score=[99.0]))
    layers = [
        ExportLayer(name, name.upper(), frame)
        for name, frame in (("metros", point), ("lines", line), ("sites", ranked))
    ]
    root, _ = opened(kmz.write(tmp_path / "x.kmz", layers, NOTE))
    folders = root.findall(f"{KML}Document/{KML}Folder")
    assert [folder.find(f"{KML}name").text for folder in folders] == ["METROS", "LINES", "SITES"]
    names = [mark.find(f"{KML}name").text for mark in root.iter(f"{KML}Placemark")]
    assert names == ["New York", "Feature 1", "3. New York"]
    assert len(list(folders[0].iter(f"{KML}SimpleData"))) == kmz.MOST_COLUMNS
    assert {d.get("name") for d in folders[2].iter(f"{KML}SimpleData")} == {"rank", "score"}
    assert [c.text for c in root.iter(f"{KML}coordinates")] == ["-74.0,40.7", "-74.0,40.0 -75.0,41.0", "-74.0,40.7"]  # fmt: skip


def test_what_must_not_be_passed_on_says_so_first(tmp_path):
    note = replace(NOTE, restriction="Do not pass on: <x>.")
    root, _ = opened(kmz.write(tmp_path / "x.kmz", [parcels()], note))
    about = root.find(f"{KML}Document/{KML}description").text
    assert about.startswith("<p><b>Do not pass on: &lt;x&gt;.</b></p>")


def test_too_many_are_refused_with_a_way_out(tmp_path, monkeypatch):
    assert kmz.MOST_FEATURES == 50_000
    monkeypatch.setattr(kmz, "MOST_FEATURES", 29)
    with pytest.raises(GeoError, match=r"30 features are too many .*--top.*pmtiles"):
        kmz.write(tmp_path / "x.kmz", [parcels()], NOTE)
    assert list(tmp_path.iterdir()) == []
