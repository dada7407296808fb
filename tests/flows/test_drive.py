"""`gridstead drive` on the tiny study's build, roads asked of a stand-in for the Overpass API."""

import json
import os
import shutil
import time
from types import SimpleNamespace

import numpy as np
import pytest

from data.access import Retry
from data.access.roads import MAX_AGE_S
from flows import drive as module
from tests.data import overpass as stand_in
from tests.data.overpass import Failure
from tests.flows.conftest import rows, write_to
from tests.oracle.geodesic import GEOD, METRES_PER_MILE

ASHBURN = (-77.5, 39.04)
MOTORWAY_EXIT = (-77.6, 38.93)
RESTON = (-77.45, 38.95)
BETHESDA = (-77.2, 38.98)


@pytest.fixture
def overpass():
    with stand_in.running("roads") as server:
        yield server


@pytest.fixture
def home(base, tmp_path, monkeypatch):
    """A home of its own with the build, so that roads are kept apart."""
    patient = Retry(attempts=2, sleep=lambda _seconds: None)
    monkeypatch.setattr("data.access.roads.Retry", lambda: patient)
    folder = tmp_path / "home"
    folder.mkdir()
    shutil.copy2(base.build, folder / "gridstead.duckdb")
    return SimpleNamespace(root=folder, build=folder / "gridstead.duckdb")


@pytest.fixture
def drive(gridstead, home, overpass):
    def drive(*words, url=None):
        return gridstead("drive", *words, "--home", home.root, "--url", url or overpass.url)

    return drive


def near(home, lon, lat):
    """Id and point of the parcel that is nearest to a point, and its metro's centre."""
    return rows(
        home.build,
        f"""select parcel_id, parcel.lon, parcel.lat, metro.lon, metro.lat
        from core.parcel inner join core.parcel_metric as metric using (parcel_id)
        inner join core.metro on metric.metro_id = metro.metro_id
        order by (parcel.lon - {lon}) ** 2 + (parcel.lat - {lat}) ** 2 limit 1""",
    )[0]


def miles(one, other):
    return GEOD.inv(*one, *other)[2] / METRES_PER_MILE


def sphere_miles(one, other):
    """As osmnx measures stretches: on a sphere of 6,371.009 km."""
    (lon, lat), (to_lon, to_lat) = np.radians(one), np.radians(other)
    cosine = np.sin(lat) * np.sin(to_lat) + np.cos(lat) * np.cos(to_lat) * np.cos(to_lon - lon)
    return 6_371_009 * np.arccos(cosine) / METRES_PER_MILE


def grow_old(home):
    then = time.time() - MAX_AGE_S - 60
    for path in (home.root / "cache" / "roads").glob("*.npz"):
        os.utime(path, (then, then))


def test_minutes_of_a_trip_are_those_worked_out_by_hand(drive, home):
    parcel_id, lon, lat, *metro = near(home, *ASHBURN)
    (found,) = drive("inference", parcel_id, "--json").json["parcels"]
    # Down the motorway at 65 mph, and along the primary road at 45.
    fast = sphere_miles(ASHBURN, MOTORWAY_EXIT)
    slow = sphere_miles(MOTORWAY_EXIT, RESTON) + sphere_miles(RESTON, BETHESDA)
    local = miles((lon, lat), ASHBURN) + miles(BETHESDA, metro)
    assert found["road_mi"] == pytest.approx(fast + slow, rel=1e-6)
    assert found["minutes"] == pytest.approx(60 * (fast / 65 + slow / 45 + local / 25), rel=1e-4)
    assert found["access_mi"] + found["exit_mi"] == pytest.approx(local, abs=1e-3)
    assert found["metro_mi"] == pytest.approx(miles((lon, lat), metro), abs=1e-3)


def test_a_table_says_what_minutes_are_and_whose_roads(drive):
    answer = drive("inference", "--top", 3)
    assert answer.code == 0
    assert answer.err == ""
    assert "Minutes are at the speed limit, without traffic or stops" in answer.out
    assert "No score counts them." in answer.out
    assert (
        "Roads: © OpenStreetMap contributors (ODbL 1.0), edits up to 2026-11-20T06:00:00Z."
        in answer.out
    )
    assert "unknown because" not in answer.out
    assert "study tiny" in answer.out


def test_the_shortlist_is_the_first_of_the_workload(drive, home):
    query = "select parcel_id from mart.inference_parcels where rank <= {} order by rank"
    for words, n in ((("--top", 4), 4), ((), 10)):
        found = drive("inference", *words, "--json").json["parcels"]
        told = [row["parcel_id"] for row in found]
        assert told == [row[0] for row in rows(home.build, query.format(n))]
        assert [row["rank"] for row in found] == list(range(1, n + 1))


def test_roads_are_asked_for_once_for_each_metro(drive, overpass):
    found = drive("inference", "--top", 50, "--json").json["parcels"]
    metros = {row["metro_id"] for row in found}
    assert len(overpass.queries) == len(metros) == 4
    overpass.queries.clear()
    # Boxes in which no road is known are asked about again.
    assert drive("inference", "--top", 50, "--json").json["parcels"] == found
    known = {row["metro_id"] for row in found if row["unknown_reason"] != module.NO_ROAD}
    assert len(overpass.queries) == len(metros - known)


def test_what_is_unknown_is_a_dash_with_its_reason(drive, home):
    answer = drive("inference", "--top", 50)
    assert "unknown because" in answer.out
    everyone = [row[0] for row in rows(home.build, "select parcel_id from core.parcel")]
    found = [
        row
        for parcels in (everyone[:50], everyone[50:])
        for row in drive("inference", *parcels, "--json").json["parcels"]
    ]
    assert len(found) == len(everyone) > 50
    for row in found:
        assert (row["minutes"] is None) == (row["unknown_reason"] is not None)
        assert (row["road_mi"] is None) == (row["minutes"] is None)
        # No way is shorter than the straight one, at the fastest limit of these roads.
        assert row["minutes"] is None or row["minutes"] >= row["metro_mi"] / 65 * 60 * 0.99
    assert {row["unknown_reason"] for row in found} == {
        None,
        module.NO_ROAD,
        "no main road within 10 miles",
        "no main road within 10 miles of the metro's centre",
    }


def test_a_box_without_main_roads_is_unknown_and_no_failure(drive, home, overpass):
    parcel_id, *_ = near(home, *ASHBURN)
    overpass.answer["elements"] = []
    answer = drive("inference", parcel_id, "--json")
    assert answer.code == 0
    (found,) = answer.json["parcels"]
    assert (found["minutes"], found["unknown_reason"]) == (None, module.NO_ROAD)
    assert answer.json["roads"]["as_of"] is None


def test_roads_that_are_all_motorways_cannot_be_got_on_to(drive, home, overpass):
    parcel_id, *_ = near(home, *ASHBURN)
    for element in overpass.answer["elements"]:
        if element.get("tags"):
            element["tags"]["highway"] = "motorway"
    (found,) = drive("inference", parcel_id, "--json").json["parcels"]
    assert found["minutes"] is None
    assert found["unknown_reason"] == "no main road there but motorways"


def test_the_network_is_left_alone_offline(drive, overpass):
    answer = drive("inference", "--top", 3, "--offline")
    assert answer.code == 1
    assert "not in the cache, and --offline was given" in answer.err
    first = drive("inference", "--top", 3)
    asked = len(overpass.queries)
    assert drive("inference", "--top", 3, "--offline").out == first.out
    assert len(overpass.queries) == asked


def test_old_roads_stand_in_when_the_server_fails_and_it_is_said(drive, home, overpass):
    first = drive("inference", "--top", 3, "--json").json
    assert first["roads"]["is_stale"] is False
    grow_old(home)
    overpass.failures = [Failure(504, "")] * 10
    answer = drive("inference", "--top", 3)
    assert answer.code == 0
    assert "The server could not be asked: older roads were taken from the cache." in answer.out
    overpass.failures = [Failure(504, "")] * 10
    again = drive("inference", "--top", 3, "--json").json
    assert again["roads"].pop("is_stale") is True
    del first["roads"]["is_stale"]
    assert again == first


def test_without_roads_a_failing_server_is_one_sentence(drive, overpass):
    overpass.failures = [Failure(429, "")] * 10
    answer = drive("inference", "--top", 3, "--json")
    assert answer.code == 1
    told = json.loads(answer.err)
    assert "failed 2 times" in told["error"]
    assert "answered 429" in told["error"]
    assert told["hint"]
    assert answer.out == ""


def test_who_would_make_the_box_too_large_is_left_out_and_told(drive, monkeypatch, overpass):
    monkeypatch.setattr(module, "MAX_BOX_MI2", 2_200.0)
    found = drive("inference", "--top", 50, "--json").json["parcels"]
    too_far = "its box of roads would be over 2,200 square miles"
    far = [row for row in found if (row["unknown_reason"] or "").startswith(too_far)]
    assert far
    assert all(row["unknown_reason"].endswith(": ask for it alone") for row in far)
    for metro in {row["metro_id"] for row in far}:
        own = [row for row in found if row["metro_id"] == metro]
        assert any(row not in far for row in own)
    # Alone it may fit.
    nearest = min(far, key=lambda row: row["metro_mi"])["parcel_id"]
    (alone,) = drive("inference", nearest, "--json").json["parcels"]
    assert not (alone["unknown_reason"] or "").startswith(too_far)


def test_boxes_that_are_all_too_large_are_refused(drive, monkeypatch, overpass):
    monkeypatch.setattr(module, "MAX_BOX_MI2", 100.0)
    answer = drive("inference", "--top", 3)
    assert answer.code == 2
    assert "square miles; 100 is the most that is asked for." in answer.err
    assert "Choose parcels that are nearer to a metro." in answer.err
    assert overpass.queries == []


def test_a_build_without_metros_says_so(drive, home, overpass):
    write_to(home.build, "update core.parcel_metric set metro_id = null, metro_mi = null")
    answer = drive("inference", "--top", 3, "--json")
    assert answer.code == 0
    reasons = {row["unknown_reason"] for row in answer.json["parcels"]}
    assert reasons == {"the build knows no metro"}
    assert answer.json["roads"]["as_of"] is None
    assert overpass.queries == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("inference", "--top", 51), "51 parcels are more than 50"),
        (("inference", *map(str, range(51))), "51 parcels are more than 50"),
        (("inference", "--top", 0), "--top 0 asks for no parcels"),
        (("inference", "852aaa87fffffff", "--top", 3), "exclude each other"),
        (("inference", "nowhere"), "There is no parcel 'nowhere'."),
        (("farming",), "ranks no workload 'farming'"),
        ((), "workload"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_sentence(drive, overpass, words, said):
    answer = drive(*words)
    assert answer.code == 2
    assert said in answer.err
    assert overpass.queries == []


def test_an_address_that_is_none_is_refused(drive):
    answer = drive("inference", url="overpass-api.de")
    assert answer.code == 2
    assert "is no address of an Overpass API" in answer.err


def test_without_a_build_there_is_no_shortlist(gridstead, tmp_path):
    answer = gridstead("drive", "inference", "--home", tmp_path)
    assert answer.code == 1
    assert "There is no build" in answer.err
