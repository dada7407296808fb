import json

import numpy as np
import pytest
import shapely

from data.catalogue import Source, Table, load_catalogue
from data.errors import CatalogueError, ReadError
from data.osm import has_wanted, osm_table
from data.pull import pull
from data.readers import read_table
from tests.data.osm_files import osm_pbf, osm_xml
from tests.data.overpass import recorded, running

WANTED = {
    "power": ["substation", "line", "cable"],
    "telecom": ["data_center", "exchange", "line"],
    "building": "data_center",
    "communication": ["line"],
}
SOURCE = load_catalogue().source("osm_power")


def read(path, **options):
    options = {"tags": WANTED, "columns": ["name", "voltage"]} | options
    return read_table(Table(reader="osm", options=options), path, SOURCE)


def overpass_source(url, **access):
    entry = SOURCE.model_dump()
    entry["access"] |= {"url": url, "tags": WANTED, "bbox": [-78.0, 38.3, -76.8, 39.8]} | access
    return Source.model_validate(entry)


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    """The artefact of an Overpass answer."""
    with running() as overpass:
        cache = tmp_path_factory.mktemp("cache")
        return pull(overpass_source(overpass.url), None, cache_dir=cache).path


@pytest.fixture(params=["osm", "osm.pbf"])
def extract(request, tmp_path):
    """The same elements as an extract."""
    make = osm_xml if request.param == "osm" else osm_pbf
    path = tmp_path / f"state.{request.param}"
    path.write_bytes(make(recorded("features")["elements"]))
    return path


def test_an_answer_and_an_extract_give_the_same_rows_to_the_byte(answered, extract):
    rows = read(answered)
    assert rows.num_rows == 26
    assert read(extract).equals(rows)


def test_rows_stand_in_the_order_of_type_and_id_with_their_numbers(answered):
    rows = read(answered)
    kinds, ids = (rows[name].to_pylist() for name in ("osm_type", "osm_id"))
    order = [("node", "way", "relation").index(kind) for kind in kinds]
    assert list(zip(order, ids, strict=True)) == sorted(zip(order, ids, strict=True))
    assert rows["raw_row"].to_pylist() == list(range(1, len(ids) + 1))


def test_closed_ways_are_areas_unless_they_are_lines(answered):
    rows = read(answered)
    shapes = shapely.from_wkb(np.array(rows["geometry"].to_pylist(), dtype=object))
    kinds = dict(zip(zip(rows["osm_type"].to_pylist(), rows["osm_id"].to_pylist(), strict=True), shapes, strict=True))  # fmt: skip
    assert kinds["way", 10].geom_type == "Polygon"
    # osmnx leaves `telecom` without `building` a line.
    assert kinds["way", 73].geom_type == "Polygon"
    assert kinds["way", 35].geom_type == "LineString"
    assert kinds["way", 35].is_ring
    assert (kinds["relation", 20].geom_type, len(kinds["relation", 20].interiors)) == ("Polygon", 1)
    assert kinds["way", 24].is_valid
    assert kinds["way", 24].geom_type == "MultiPolygon"
    # A route repeats its ways, a node of a way has no tags of its own.
    assert ("relation", 40) not in kinds
    assert {kind for kind, _ in kinds} == {"node", "way", "relation"}


def test_points_stand_on_their_features(answered):
    rows = read(answered)
    shapes = shapely.from_wkb(np.array(rows["geometry"].to_pylist(), dtype=object))
    points = shapely.points(rows["lon"].to_numpy(), rows["lat"].to_numpy())
    is_area = shapely.get_type_id(shapes) == 3
    assert shapely.contains(shapes[is_area], points[is_area]).all()
    assert (shapely.distance(shapes, points) < 1e-9).all()


def test_tags_become_columns_and_keep_what_else_there_is(extract):
    rows = read(extract, tags={"power": ["substation"]}).to_pylist()
    named = {row["name"]: row for row in rows}
    assert named["Sterling-Süd"]["voltage"] == "230000; 34500"
    tags = json.loads(named["Ashburn"]["tags"])
    assert list(tags) == sorted(tags)
    assert tags["operator"] == "Dominion Energy"
    assert [row["voltage"] for row in rows if row["osm_id"] == 12] == [None]
    assert all(json.loads(row["tags"])["power"] == "substation" for row in rows)


def test_tags_that_osmnx_keeps_for_itself_survive(answered, extract):
    for path in (answered, extract):
        row = next(row for row in read(path).to_pylist() if row["osm_id"] == 74)
        assert row["osm_type"] == "node"
        assert json.loads(row["tags"]) == {"id": "17", "telecom": "data_center", "type": "hall"}


@pytest.mark.parametrize(
    ("tags", "wanted", "found"),
    [
        ({"power": "line"}, {"power": True}, True), ({"power": "line"}, {"power": "line"}, True),
        ({"power": "line"}, {"power": ["cable", "line"]}, True), ({"power": "line"}, {"power": "cable"}, False),
        ({"power": "line"}, {"power": "transmission line"}, False), ({}, {"power": True}, False),
        ({"a": "b", "c": "d"}, {"x": True, "c": ["d"]}, True),
    ],
)  # fmt: skip
def test_a_feature_is_wanted_by_one_of_its_tags(tags, wanted, found):
    assert has_wanted(tags, wanted) is found


def test_nothing_wanted_gives_typed_columns_without_rows(extract):
    rows = read(extract, tags={"aeroway": True})
    assert rows.num_rows == 0
    assert rows.schema.equals(read(extract).schema)


def test_a_feature_given_twice_counts_once_and_one_without_a_shape_not_at_all():
    shapes = np.array([shapely.Point(1, 2), shapely.Point(3, 4), shapely.Point()], dtype=object)
    rows = osm_table(["node"] * 3, [7, 7, 8], [{"a": "first"}, {"a": "second"}, {}], shapes)
    assert rows["tags"].to_pylist() == ['{"a":"first"}']


@pytest.mark.parametrize("name", ["state.osm.pbf", "state.osm"])
def test_a_file_that_is_no_extract_is_one_sentence(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"<html>Not found</html>" * 50)
    with pytest.raises(ReadError, match=rf"^{name} cannot be read as osm: [^\n]+\.$"):
        read(path)


def test_a_name_that_says_nothing_of_the_format_and_tags_that_are_none_are_refused(tmp_path):
    path = tmp_path / "state.zipped"
    path.write_bytes(b"x")
    with pytest.raises(ReadError, match="is no OpenStreetMap data by its name"):
        read(path)
    with pytest.raises(CatalogueError, match="'tags' names no tag"):
        read(path, tags={})
