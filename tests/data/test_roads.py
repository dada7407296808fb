import os
import time

import numpy as np
import pytest

from data.access import Retry
from data.access.roads import MAX_AGE_S, NoRoadError, road_network
from data.errors import PullError
from tests.data import overpass as stand_in
from tests.data.overpass import Failure

BOX = (-78.1, 38.5, -76.8, 39.7)
MPS_PER_MPH = 1609.344 / 3600


@pytest.fixture
def overpass():
    with stand_in.running("roads") as server:
        yield server


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def roads(overpass, tmp_path, pauses):
    def roads(box=BOX, **options):
        retry = Retry(attempts=2, sleep=pauses.append)
        return road_network(
            box, url=overpass.url, folder=tmp_path / "roads", retry=retry, **options
        )

    return roads


def kept(tmp_path):
    (path,) = (tmp_path / "roads").glob("*.npz")
    return path


def grow_old(tmp_path):
    then = time.time() - MAX_AGE_S - 60
    os.utime(kept(tmp_path), (then, then))


def metres(one, other):
    """Along the sphere that osmnx measures on."""
    (lon, lat), (to_lon, to_lat) = np.radians(one), np.radians(other)
    half = np.sin((to_lat - lat) / 2) ** 2
    half += np.cos(lat) * np.cos(to_lat) * np.sin((to_lon - lon) / 2) ** 2
    return 2 * 6_371_009 * np.arcsin(np.sqrt(half))


def stretch(found, one, other):
    """Seconds and metres from a point to another; None where no road leads."""
    place = list(zip(found.lon.round(7).tolist(), found.lat.round(7).tolist(), strict=True))
    if one not in place or other not in place:
        return None
    here = (found.start == place.index(one)) & (found.end == place.index(other))
    (row,) = np.flatnonzero(here)
    return found.seconds[row], found.metres[row]


@pytest.mark.parametrize(
    ("one", "other", "mph"),
    [
        ((-77.8, 38.71), (-77.7, 38.82), 65), ((-77.7, 38.82), (-77.8, 38.71), 65),
        ((-77.45, 38.95), (-77.2, 38.98), 45), ((-77.5, 39.04), (-77.35, 39.1), 55),
        # No secondary road states a limit.
        ((-77.2, 38.98), (-77.25, 39.2), 88.5 / 1.609344),
    ],
)  # fmt: skip
def test_a_stretch_takes_its_length_at_its_limit(roads, one, other, mph):
    seconds, length = stretch(roads(), one, other)
    assert length == pytest.approx(metres(one, other), rel=1e-6)
    assert seconds == pytest.approx(length / (mph * MPS_PER_MPH), rel=1e-3)


def test_only_main_roads_that_all_may_drive_on_are_taken(roads, overpass):
    found = roads()
    assert (len(found.lon), len(found.start), found.as_of) == (13, 26, "2026-11-20T06:00:00Z")
    # Residential, private, and an island of a road.
    for one, other in [
        ((-77.5, 39.04), (-77.52, 39.05)),
        ((-77.45, 38.95), (-77.42, 38.97)),
        ((-77.0, 39.6), (-76.95, 39.62)),
    ]:
        assert stretch(found, one, other) is None
    (query,) = overpass.queries
    assert "motorway|trunk|primary|secondary" in query
    assert "residential" not in query


def test_one_gets_on_where_a_road_is_no_motorway(roads):
    found = roads()
    off = ~found.is_access
    assert sorted(zip(found.lon[off].tolist(), found.lat[off].tolist(), strict=True)) == [
        (-77.8, 38.71), (-77.7, 38.82), (-77.45, 39.2),
    ]  # fmt: skip


def test_roads_are_asked_for_once_a_month(roads, overpass, tmp_path):
    first, again = roads(), roads()
    assert len(overpass.queries) == 1
    for name, values in vars(first).items():
        np.testing.assert_array_equal(getattr(again, name), values)
    grow_old(tmp_path)
    assert roads(offline=True).as_of == first.as_of
    assert len(overpass.queries) == 1
    overpass.answer["osm3s"]["timestamp_osm_base"] = "2026-12-24T06:00:00Z"
    assert roads().as_of == "2026-12-24T06:00:00Z"
    assert len(overpass.queries) == 2
    assert [path.name for path in (tmp_path / "roads").iterdir()] == [kept(tmp_path).name]


@pytest.mark.parametrize("failure", [Failure(504, ""), Failure(400, ""), Failure(cut=-40)])
def test_old_roads_stand_in_when_the_server_fails_and_say_so(roads, overpass, tmp_path, failure):
    assert not roads().is_stale
    grow_old(tmp_path)
    overpass.failures = [failure] * 10
    last = roads()
    assert (last.is_stale, len(last.lon), last.as_of) == (True, 13, "2026-11-20T06:00:00Z")
    overpass.failures = []
    assert not roads().is_stale


def test_without_old_roads_a_failure_is_one_sentence(roads, overpass, tmp_path, pauses):
    overpass.failures = [Failure(429, headers={"Retry-After": "37"}, body="")] * 10
    with pytest.raises(PullError, match=r"failed 2 times: \S+ answered 429") as caught:
        roads()
    assert caught.value.hint
    assert pauses == [37]
    assert list((tmp_path / "roads").glob("*.npz")) == []


def test_offline_asks_nobody(roads, overpass):
    with pytest.raises(PullError, match="not in the cache, and --offline was given"):
        roads(offline=True)
    assert overpass.queries == []


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 cut short", b"<html>"])
def test_a_damaged_copy_is_asked_for_again(roads, overpass, tmp_path, damage):
    roads()
    kept(tmp_path).write_bytes(damage)
    assert len(roads().lon) == 13
    assert len(overpass.queries) == 2


@pytest.mark.parametrize(
    "box",
    [(-60.0, 30.0, -59.9, 30.1), (-77.81, 38.70, -77.79, 38.72), (-77.5, 39.3, -77.49, 39.31)],
)
def test_a_box_without_a_road_says_so(roads, box):
    with pytest.raises(NoRoadError, match="knows no main road in that box"):
        roads(box)


def test_an_answer_without_elements_says_so(roads, overpass):
    overpass.answer["elements"] = []
    with pytest.raises(NoRoadError, match="knows no main road in that box"):
        roads()


def test_another_box_has_roads_of_its_own(roads, overpass):
    roads()
    south = roads((-78.1, 38.5, -76.8, 39.0))
    assert len(overpass.queries) == 2
    assert south.lat.max() <= 39.0
