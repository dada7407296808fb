"""Layers of an ArcGIS server: ids, pages, forms, systems, and what changes meanwhile."""

import copy
import json

import pytest
import shapely

from data.access import Retry
from data.catalogue import Lock, Table
from data.errors import PullError
from data.pull import pull
from tests.data.thing import thing
from tests.upstream import ArcgisLayer, Request, Response, reply, running


@pytest.fixture
def upstream():
    with running() as server:
        yield server


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def fetch(tmp_path, pauses):
    retry = Retry(attempts=4, sleep=pauses.append)

    def fetch(source, **options):
        return pull(source, Lock(), cache_dir=tmp_path / "cache", retry=retry, **options)

    return fetch


def source(access):
    return thing(access, "geo")


PATH = "/rest/services/Lines/FeatureServer/0"


def lines(upstream, **more):
    return source({"kind": "arcgis", "url": upstream.url(PATH)} | more)


def read(pulled):
    return [json.loads(line) for line in pulled.path.read_text().splitlines()]


def test_is_read_by_ranges_of_ids_in_their_order(upstream, fetch):
    upstream.routes |= ArcgisLayer([1, 2, 5, 9, 10, 11, 40]).routes(PATH)
    pulled = fetch(lines(upstream, where="KV > 100", fields="NAME"))
    assert [feature["id"] for feature in read(pulled)] == [1, 2, 5, 9, 10, 11, 40]
    assert pulled.filename == "thing.geojsonl"
    pages = [request.query for request in upstream.requests if request.query["f"] == "geojson"]
    assert [page["where"] for page in pages] == [
        "(KV > 100) AND OID >= 1 AND OID <= 5",
        "(KV > 100) AND OID >= 9 AND OID <= 11",
        "(KV > 100) AND OID >= 40 AND OID <= 40",
    ]
    assert {page["outFields"] for page in pages} == {"OID,NAME"}
    assert {page["outSR"] for page in pages} == {"4326"}


def test_pages_that_the_server_cuts_are_read_in_halves(upstream, fetch):
    upstream.routes |= ArcgisLayer(list(range(10)), maxRecordCount=8).routes(PATH)
    assert [f["id"] for f in read(fetch(lines(upstream)))] == list(range(10))


def test_an_empty_layer_is_an_error_unless_the_entry_expects_no_rows(upstream, fetch):
    upstream.routes |= ArcgisLayer([]).routes(PATH)
    with pytest.raises(PullError, match="has no feature where KV > 1000"):
        fetch(lines(upstream, where="KV > 1000"))
    allowed = source(
        {"kind": "arcgis", "url": upstream.url(PATH)},
    ).model_copy(update={"tables": {"thing": Table(reader="geo", rows=0)}})
    assert read(fetch(allowed)) == []


def test_a_count_that_differs_from_the_ids_is_an_error(upstream, fetch):
    layer = ArcgisLayer([1, 2, 3])
    layer.count = 5
    upstream.routes |= layer.routes(PATH)
    with pytest.raises(PullError, match="states 5 features but lists 3"):
        fetch(lines(upstream))


def test_a_feature_that_vanishes_meanwhile_is_an_error(upstream, fetch):
    layer = ArcgisLayer([1, 2, 3, 4])
    layer.drop = {2}
    upstream.routes |= layer.routes(PATH)
    with pytest.raises(PullError, match="lists the feature 2 but does not give it"):
        fetch(lines(upstream))


def test_errors_inside_a_200_count_as_what_they_say(upstream, fetch, pauses):
    routes = ArcgisLayer([1]).routes(PATH)
    upstream.routes |= routes
    upstream.routes[f"{PATH}/query"] = [
        reply({"error": {"code": 500, "message": "busy"}}),
        Response(b"<html>moment</html>"),
        routes[f"{PATH}/query"],
    ]
    assert len(read(fetch(lines(upstream)))) == 1
    assert len(pauses) == 2
    upstream.routes[f"{PATH}/query"] = reply({"error": {"code": 400, "message": "no"}})
    with pytest.raises(PullError, match="error 400: no"):
        fetch(lines(upstream, where="nonsense"))


def test_not_edited_since_is_not_read_again(upstream, fetch):
    layer = ArcgisLayer([1, 2], editingInfo={"lastEditDate": 1700000000000})
    upstream.routes |= layer.routes(PATH)
    first = fetch(lines(upstream))
    upstream.requests.clear()
    again = fetch(lines(upstream))
    assert (again.origin, again.path) == ("cache", first.path)
    assert len(upstream.requests) == 1


def test_a_layer_without_json_is_refused(upstream, fetch):
    upstream.routes |= ArcgisLayer([1], supportedQueryFormats="AMF, PBF").routes(PATH)
    with pytest.raises(PullError, match="cannot answer JSON, only AMF, PBF"):
        fetch(lines(upstream))
    upstream.routes |= ArcgisLayer([1], type="Group Layer").routes(PATH)
    with pytest.raises(PullError, match="is a group layer, which has no features"):
        fetch(lines(upstream))


@pytest.mark.parametrize("wkid", [None, 4326, 3857, 5070])
def test_esri_json_of_any_system_becomes_degrees(upstream, fetch, wkid):
    layer = ArcgisLayer([1, 2, 3], limit=2, wkid=wkid, supportedQueryFormats="JSON")
    hole = shapely.box(-99.8, 40.2, -99.6, 40.4)
    layer.shapes = {
        1: shapely.box(-100, 40, -99, 41) - hole,
        2: None,
        3: shapely.Point(-90, 30),
    }
    layer.shapes[3] = shapely.box(-91, 30, -90, 31)
    layer.properties[1] |= {"WHEN": 1700000000000, "KV": None}
    upstream.routes |= layer.routes(PATH)
    one, two, three = read(fetch(lines(upstream)))
    assert one["properties"] == {"OID": 1, "NAME": "line 1", "WHEN": 1700000000000, "KV": None}
    assert two["geometry"] is None
    for got, number in ((one, 1), (three, 3)):
        shape = shapely.geometry.shape(got["geometry"])
        assert shape.symmetric_difference(layer.shapes[number]).area < 1e-6
    assert not [r for r in upstream.requests if r.query.get("f") == "geojson"]


def test_esri_json_without_a_system_is_refused(upstream, fetch):
    layer = ArcgisLayer([1], supportedQueryFormats="JSON")
    routes = layer.routes(PATH)

    def bare(request):
        answer = json.loads(layer.query(request).body)
        return reply({k: v for k, v in answer.items() if k != "spatialReference"})

    upstream.routes |= routes | {f"{PATH}/query": bare}
    with pytest.raises(PullError, match="does not say in which system"):
        fetch(lines(upstream))


def edit(upstream, layer, change):
    """Answer pages of features as `change` leaves them."""

    def query(request):
        response = layer.query(request)
        if request.query["f"] != "geojson":
            return response
        answer = json.loads(response.body)
        change(answer)
        return reply(answer)

    upstream.routes |= layer.routes(PATH) | {f"{PATH}/query": query}


def test_geojson_in_another_system_than_asked_for_becomes_degrees(upstream, fetch):
    def project(answer):
        name = "urn:ogc:def:crs:EPSG::3857"
        answer["crs"] = {"type": "name", "properties": {"name": name}}
        for feature in answer["features"]:
            feature["geometry"]["coordinates"] = [-11131949.079, 4865942.28]

    edit(upstream, ArcgisLayer([1]), project)
    lon, lat = read(fetch(lines(upstream)))[0]["geometry"]["coordinates"]
    assert (round(lon, 5), round(lat, 5)) == (-100, 40)


def test_coordinates_that_are_no_degrees_are_refused(upstream, fetch):
    def project(answer):
        answer["features"][0]["geometry"]["coordinates"] = [-11131949.0, 4865942.0]

    edit(upstream, ArcgisLayer([1]), project)
    with pytest.raises(PullError, match="no degrees"):
        fetch(lines(upstream))


def test_features_given_twice_are_kept_once_and_counted(upstream, fetch, caplog):
    edit(upstream, ArcgisLayer([1, 2]), lambda a: a["features"].extend(a["features"][:1]))
    assert [f["id"] for f in read(fetch(lines(upstream)))] == [1, 2]
    assert "gave 1 features twice and alike" in caplog.text


def test_features_given_twice_and_not_alike_are_refused(upstream, fetch, pauses):
    def twin(answer):
        other = copy.deepcopy(answer["features"][0])
        other["properties"]["NAME"] = "another"
        answer["features"].append(other)

    edit(upstream, ArcgisLayer([1, 2]), twin)
    with pytest.raises(PullError, match="twice and not alike"):
        fetch(lines(upstream))
    assert len(pauses) == 3


def test_a_page_of_other_features_is_asked_for_again(upstream, fetch, pauses):
    layer, asked = ArcgisLayer([1, 2, 3, 4, 5]), []
    first = layer.query(Request("", {"f": "geojson", "where": "OID >= 1 AND OID <= 3"}, {}))

    def repeat(answer):
        asked.append(answer)
        if len(asked) == 2:
            answer |= json.loads(first.body)

    edit(upstream, layer, repeat)
    assert [f["id"] for f in read(fetch(lines(upstream)))] == [1, 2, 3, 4, 5]
    assert len(pauses) == 1


@pytest.mark.parametrize("times", [1, 9])
def test_a_layer_that_is_edited_while_it_is_read_is_read_again(upstream, fetch, times):
    layer = ArcgisLayer([1, 2, 3, 4], editingInfo={"lastEditDate": 1})
    edits = iter(range(times))

    def change(answer):
        if next(edits, None) is not None:
            layer.edited(layer.about["editingInfo"]["lastEditDate"] + 1)
        answer["features"][0]["properties"]["EDIT"] = layer.about["editingInfo"]["lastEditDate"]

    edit(upstream, layer, change)
    if times == 1:
        features = read(fetch(lines(upstream)))
        assert [f["properties"].get("EDIT") for f in features] == [2, None, None, 2]
    else:
        with pytest.raises(PullError, match="changed while it was read, 2 times"):
            fetch(lines(upstream))


def test_the_id_field_is_found_without_being_named(upstream, fetch):
    layer = ArcgisLayer([1, 2])
    routes = layer.routes(PATH)

    def nameless(request):
        answer = json.loads(layer.query(request).body)
        answer.pop("objectIdFieldName", None)
        return reply(answer)

    upstream.routes |= routes | {f"{PATH}/query": nameless}
    assert [f["id"] for f in read(fetch(lines(upstream)))] == [1, 2]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"<html>moved</html>", "answered a web page"),
        (b"[]", "answered a list"),
        (b"{}", "does not say which field"),
        (b'{"features": [1]}', "does not say"),
    ],
)
def test_what_is_no_answer_is_named(upstream, fetch, body, says):
    routes = ArcgisLayer([1], fields=[]).routes(PATH)
    upstream.routes |= routes | {f"{PATH}/query": Response(body)}
    with pytest.raises(PullError, match=says):
        fetch(lines(upstream))


def test_features_that_are_none_are_named(upstream, fetch):
    edit(upstream, ArcgisLayer([1]), lambda a: a.update(features=[1]))
    with pytest.raises(PullError, match="answered features that cannot be read"):
        fetch(lines(upstream))


def test_a_token_of_the_address_goes_with_every_question(upstream, fetch, monkeypatch):
    monkeypatch.setenv("LINES_TICKET", "tick/et 77")
    upstream.routes |= ArcgisLayer([1]).routes(PATH)
    entry = source({"kind": "arcgis", "url": upstream.url(PATH) + "?token=${LINES_TICKET}"})
    assert len(read(fetch(entry))) == 1
    assert {request.query["token"] for request in upstream.requests} == {"tick/et 77"}


def test_more_than_the_cap_is_refused(upstream, fetch):
    upstream.routes |= ArcgisLayer(list(range(50)), limit=50).routes(PATH)
    with pytest.raises(PullError, match="larger than the 2,000 bytes"):
        fetch(lines(upstream, max_bytes=2000))
