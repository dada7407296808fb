import json
import socket
import threading
import time

import osmnx
import pytest
from pydantic import ValidationError

from data.access import Retry
from data.access._osmnx import ask, slot_wait_s
from data.address import OverpassAccess
from data.catalogue import Table
from data.errors import PullError
from data.pull import pull
from data.readers import read_table
from tests.data import overpass as stand_in
from tests.data.overpass import Failure
from tests.data.thing import thing

# The less ground, the faster osmnx.
BOX = [-77.6, 38.95, -77.4, 39.15]
POWER = {"power": ["substation", "line"]}


@pytest.fixture
def overpass():
    with stand_in.running() as server:
        yield server


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def fetch(tmp_path, pauses):
    retry = Retry(attempts=2, sleep=pauses.append)

    def fetch(source, **options):
        return pull(source, None, cache_dir=tmp_path / "cache", retry=retry, **options)

    return fetch


def source(server, *, tags=POWER, bbox=BOX, source_id="thing", **access):
    url = server if isinstance(server, str) else server.url
    return thing(
        {"kind": "overpass", "url": url, "tags": tags, "bbox": bbox} | access,
        id=source_id,
        licence="ODbL 1.0",
        data_terms="ODbL 1.0",
        attribution="© OpenStreetMap contributors",
        as_of="live",
        verified=False,
        unverified_since="2026-11-22",
        tables={"thing": {"reader": "osm", "options": {"tags": tags}}},
    )


def rows(pulled, tags=POWER):
    return read_table(Table(reader="osm", options={"tags": tags}), pulled.path, source("http://x"))


def page(error):
    return stand_in.PAGE.format(error=error)


def test_an_answer_becomes_one_file_that_depends_on_the_features_alone(overpass, fetch, tmp_path):
    first = fetch(source(overpass))
    assert (first.filename, first.origin, first.is_stale) == ("thing.parquet", "network", False)
    assert rows(first).num_rows == 8
    overpass.answer["osm3s"]["timestamp_osm_base"] = "2026-11-21T06:00:00Z"
    overpass.answer["elements"].reverse()
    again = fetch(source(overpass))
    # An hour later, in another order, nothing edited: the same bytes, so that nothing is staged again.
    assert (again.sha256, again.path) == (first.sha256, first.path)
    index = json.loads((tmp_path / "cache" / "index" / "thing.json").read_text())
    assert index["last_modified"] == "2026-11-21T06:00:00Z"
    assert not (tmp_path / "cache" / "partial" / "thing").exists()


def test_what_is_asked_is_the_tags_in_the_box(overpass, fetch):
    fetch(source(overpass))
    (query,) = overpass.queries
    assert query.startswith("[out:json][timeout:180]")
    for kind in ("node", "way", "relation"):
        assert f"({kind}['power'='substation'](poly:'" in query
        assert f"({kind}['power'='line'](poly:'" in query
    assert "38.950000 -77.600000" in query


def test_only_what_touches_the_box_is_taken(overpass, fetch):
    found = rows(fetch(source(overpass, bbox=[-77.50, 39.03, -77.48, 39.05])))
    assert set(found["osm_id"].to_pylist()) == {10, 30}


@pytest.mark.parametrize(
    ("failure", "least", "most"),
    [
        (Failure(429, page("rate_limited")), 0.5, 1), (Failure(429, headers={"Retry-After": "37"}, body=""), 37, 37),
        (Failure(504, page("runtime error: open64: 0 Success /osm3s_osm_base Dispatcher_Client::request_read_and_idx::timeout. The server is probably too busy to handle your request.")), 0.5, 1),
        (Failure(503, ""), 0.5, 1), (Failure(hang_up=True), 0.5, 1), (Failure(cut=-40), 0.5, 1),
        (Failure(body=page("runtime error: Dispatcher_Client")), 0.5, 1), (Failure(remark=stand_in.TIMED_OUT), 0.5, 1),
        (Failure(body="[]"), 0.5, 1), (Failure(body='{"version": 0.6}'), 0.5, 1), (Failure(body=""), 0.5, 1),
    ],
)  # fmt: skip
def test_what_may_pass_is_tried_again_with_our_patience(
    overpass, fetch, pauses, failure, least, most
):
    overpass.failures = [failure]
    began = time.monotonic()
    assert rows(fetch(source(overpass))).num_rows == 8
    assert len(overpass.queries) == 2
    (pause,) = pauses
    assert least <= pause <= most
    # osmnx itself would have slept 55 s.
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (Failure(429, ""), r"failed 2 times: it answered 429"),
        (Failure(504, page("too busy")), r"failed 2 times: it answered 504"),
        (Failure(body=page("Query queue is full")), "answered a page: Error : Query queue is full"),
        (Failure(cut=100), "answered JSON that is cut short"),
        (Failure(remark=stand_in.TIMED_OUT), "did not finish: runtime error: Query timed out"),
    ],
)
def test_what_does_not_pass_is_one_sentence(overpass, fetch, pauses, failure, said):
    overpass.failures = [failure] * 10
    with pytest.raises(PullError, match=said) as caught:
        fetch(source(overpass))
    assert caught.value.message.count("\n") == 0
    assert (len(overpass.queries), len(pauses)) == (2, 1)


@pytest.mark.parametrize(
    ("failure", "said", "hint"),
    [
        (Failure(400, page("line 1: parse error: Unknown type")), r"answered 400 Bad Request: Error : line 1: parse error: Unknown type\.", "tags"),
        (Failure(403, ""), r"answered 403 Forbidden\.", "url"),
        (Failure(remark=stand_in.OUT_OF_MEMORY), "did not finish: runtime error: Query run out of memory", "smaller box"),
    ],
)  # fmt: skip
def test_what_would_fail_again_is_not_tried_again(overpass, fetch, pauses, failure, said, hint):
    overpass.failures = [failure] * 10
    with pytest.raises(PullError, match=said) as caught:
        fetch(source(overpass))
    assert hint in caught.value.hint
    assert (len(overpass.queries), pauses) == (1, [])


def test_an_answer_without_features_is_an_error_and_no_empty_layer(overpass, fetch):
    with pytest.raises(PullError, match="knows nothing of these tags in that box"):
        fetch(source(overpass, tags={"aeroway": True}))
    # Features near the box, but none in it.
    with pytest.raises(PullError, match="knows nothing of these tags in that box"):
        fetch(source(overpass, bbox=[-77.55, 39.06, -77.5, 39.1]))


def test_too_large_an_answer_is_refused(overpass, fetch):
    with pytest.raises(PullError, match="more than the 500 bytes allowed") as caught:
        fetch(source(overpass, max_bytes=500))
    assert ".osm.pbf" in caught.value.hint


@pytest.mark.parametrize("failure", [Failure(504, ""), Failure(400, ""), Failure(body="{}")])
def test_the_last_good_copy_stands_in_when_the_server_fails(overpass, fetch, failure):
    good = fetch(source(overpass))
    overpass.failures = [failure] * 10
    last = fetch(source(overpass))
    assert (last.path, last.is_stale) == (good.path, True)
    overpass.failures = [failure] * 10
    with pytest.raises(PullError):
        fetch(source(overpass), require_fresh=True)
    overpass.failures = []
    # What failed was not kept: the next answer is a new one.
    assert not fetch(source(overpass)).is_stale


def test_the_last_good_copy_of_other_tags_or_another_box_does_not(overpass, fetch):
    fetch(source(overpass))
    overpass.failures = [Failure(504, "")] * 20
    for other in ({"tags": {"power": ["substation"]}}, {"bbox": [-77.6, 38.95, -77.4, 39.16]}):
        with pytest.raises(PullError, match="answered 504"):
            fetch(source(overpass, **other))


def test_offline_takes_the_last_good_copy_and_asks_nobody(overpass, fetch):
    with pytest.raises(PullError, match="not in the cache, and the run is offline"):
        fetch(source(overpass), offline=True)
    good = fetch(source(overpass))
    assert fetch(source(overpass), offline=True).path == good.path
    assert len(overpass.queries) == 1


def test_a_server_that_cannot_be_reached_is_one_sentence(fetch):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(PullError, match="failed 2 times: the server cannot be reached or hung up"):
        fetch(source(f"http://127.0.0.1:{port}/api"))
    with pytest.raises(PullError, match="cannot be read"):
        fetch(source("http://.bad/api"))


def test_a_redirect_is_followed(overpass, fetch, pauses):
    there = {"Location": f"{overpass.url}/interpreter"}
    overpass.failures = [Failure(307, "moved", headers=there)]
    assert rows(fetch(source(overpass))).num_rows == 8
    assert (len(overpass.queries), pauses) == (2, [])


@pytest.mark.parametrize(
    ("status", "seconds"),
    [
        (stand_in.FREE, 0), (stand_in.WAITING, 7), (stand_in.BUSY, 15), ("", 0), ("<html>no</html>", 0),
        (stand_in.FREE.replace("Rate limit: 2\n2 slots available now.", "Rate limit: 0"), 0),
        (stand_in.FREE.replace("2 slots", "1 slot"), 0), (stand_in.WAITING.replace("in 7", "in -3"), 0),
        (stand_in.WAITING.replace("Slot available after: 2026-11-20T06:10:42Z", "1 slots available now.\nSlot available after: 2026-11-20T06:10:42Z"), 0),
    ],
)  # fmt: skip
def test_the_status_says_how_long_to_wait_for_a_slot(status, seconds):
    assert slot_wait_s(status) == seconds


def test_a_slot_is_waited_for_before_asking(overpass, fetch, pauses):
    overpass.status = stand_in.WAITING
    fetch(source(overpass))
    assert pauses == [7]


def test_sources_that_are_pulled_side_by_side_are_asked_one_after_the_other(overpass, fetch):
    sources = [source(overpass, source_id=f"thing{number}") for number in range(3)]
    found = []
    threads = [
        threading.Thread(target=lambda each=each: found.append(fetch(each))) for each in sources
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(overpass.queries) == 3
    assert overpass.most_at_once == 1


def test_settings_and_the_resolver_are_put_back(overpass, fetch):
    def held():
        names = [name for name in vars(osmnx.settings) if not name.startswith("_")]
        return {name: getattr(osmnx.settings, name) for name in names}, socket.getaddrinfo

    before = held()
    assert before[0]["overpass_rate_limit"] is True
    fetch(source(overpass))
    assert held() == before
    overpass.failures = [Failure(400, "")]
    with pytest.raises(PullError):
        fetch(source(overpass), require_fresh=True)
    assert held() == before


def test_names_are_resolved_by_the_system_and_answers_are_kept(overpass, tmp_path):
    def question(osmnx):
        held = osmnx.settings
        return held.doh_url_template, held.use_cache, held.cache_folder, held.overpass_rate_limit

    found = ask(overpass.url, tmp_path, 1000, Retry(attempts=1), question)
    assert found == (None, True, tmp_path, False)


def test_a_damaged_or_old_answer_in_the_cache_is_asked_for_again(overpass, fetch, tmp_path):
    cache = tmp_path / "cache" / "partial" / "thing" / "overpass"

    class StopError(Exception):
        pass

    def stop(done, total):
        if done:
            raise StopError

    # The answer has come, and the process ends before the file is kept.
    with pytest.raises(StopError):
        fetch(source(overpass), progress=lambda _id, done, total: stop(done, total))
    (answer,) = cache.glob("*.json")
    good = answer.read_bytes()
    fetch(source(overpass))
    assert len(overpass.queries) == 1
    cache.mkdir(parents=True)
    answer.write_bytes(good[:-100])
    assert not fetch(source(overpass)).is_stale
    assert len(overpass.queries) == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"bbox": [-70, 41, -72, 42]}, "is no box"), ({"bbox": [-72, 42, -71, 41]}, "is no box"),
        ({"bbox": [-190, 41, -71, 42]}, "is no box"), ({"bbox": [-72, 41, -71]}, "at least 4 items"),
        ({"tags": {}}, "at least 1 item"), ({"tags": {"power": False}}, "tags"),
        ({"tags": {"power": "line']('"}}, "pattern"), ({"tags": {"po'wer": True}}, "pattern"),
        ({"url": "overpass-api.de"}, "pattern"), ({"place": "Rhode Island"}, "place"),
    ],
)  # fmt: skip
def test_an_access_that_cannot_be_asked_is_refused(change, said):
    good = {"kind": "overpass", "tags": POWER, "bbox": BOX}
    assert OverpassAccess.model_validate(good).url == "https://overpass-api.de/api"
    with pytest.raises(ValidationError, match=said):
        OverpassAccess.model_validate(good | change)
