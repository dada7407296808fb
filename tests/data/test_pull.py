import datetime as dt
from email.utils import format_datetime

import pytest

from data.access import Retry
from data.access._retry import retry_after_s
from data.catalogue import Lock, LockEntry
from data.errors import IntegrityError, PullError
from data.pull import mirror_from_environment, pull, sha256_of
from tests.data.thing import thing
from tests.upstream import Response, conditional, make_wheel, running

BODY = bytes(range(256)) * 4000


@pytest.fixture
def upstream():
    with running() as server:
        yield server


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def fetch(cache, pauses):
    retry = Retry(attempts=4, sleep=pauses.append)

    def fetch(source, lock=None, **options):
        return pull(source, lock or Lock(), cache_dir=cache, retry=retry, **options)

    return fetch


def http(upstream, path="/thing.bin", **more):
    return thing({"kind": "http", "url": upstream.url(path)} | more)


def locked(path, version="2024", sha256=None):
    entry = LockEntry(
        version=version,
        filename=path.name,
        sha256=sha256 or sha256_of(path),
        bytes=path.stat().st_size,
    )
    return Lock(sources={"thing": entry})


class TestPackage:
    ACCESS = {"kind": "package", "name": "Tiny-Data", "version": "1.2"}  # noqa: RUF012

    @pytest.fixture
    def wheel(self, tmp_path, monkeypatch):
        index = tmp_path / "index"
        index.mkdir()
        monkeypatch.setenv("PIP_FIND_LINKS", str(index))
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        return make_wheel(index, "tiny_data", "1.2", {"tiny/t.csv": b"a,b\n1,2\n"})

    def test_is_downloaded_by_pip_and_then_comes_from_the_cache(self, wheel, fetch, cache):
        lock, seen = locked(wheel, "1.2"), []
        first = fetch(thing(self.ACCESS), lock, progress=lambda *step: seen.append(step))
        assert (first.origin, first.is_stale, first.sha256) == ("network", False, sha256_of(wheel))
        place = f"objects/{first.sha256[:2]}/{first.sha256}/tiny_data-1.2-py3-none-any.whl"
        assert first.path == cache / place
        assert seen[-1] == ("thing", first.bytes, first.bytes)
        wheel.unlink()
        again = fetch(thing(self.ACCESS), lock, offline=True)
        assert (again.origin, again.path, again.fetched_at) == (
            "cache",
            first.path,
            first.fetched_at,
        )
        assert not (cache / "partial" / "thing").exists()

    def test_with_other_bytes_is_refused_and_removed(self, wheel, fetch, cache):
        right = "0" * 64
        with pytest.raises(IntegrityError) as caught:
            fetch(thing(self.ACCESS), locked(wheel, "1.2", right))
        assert right in str(caught.value)
        assert sha256_of(wheel) in str(caught.value)
        assert not list(cache.rglob("*.whl"))

    def test_damaged_in_the_cache_is_fetched_again(self, wheel, fetch):
        lock = locked(wheel, "1.2")
        path = fetch(thing(self.ACCESS), lock).path
        path.write_bytes(b"x" * path.stat().st_size)
        assert fetch(thing(self.ACCESS), lock).origin == "network"
        assert sha256_of(path) == lock.sources["thing"].sha256

    @pytest.mark.usefixtures("wheel")
    def test_that_the_index_lacks_is_one_sentence(self, fetch, wheel):
        missing = thing(self.ACCESS | {"version": "9.9"})
        with pytest.raises(PullError, match=r"pip download Tiny-Data==9\.9 failed: [^\n]+\.$"):
            fetch(missing, locked(wheel, "9.9"))

    def test_not_in_the_lock_is_refused(self, fetch):
        with pytest.raises(IntegrityError, match="not in the lock"):
            fetch(thing(self.ACCESS))

    def test_of_another_version_than_the_lock_is_refused(self, wheel, fetch):
        with pytest.raises(IntegrityError, match=r"version 1\.2 in the catalogue and 1\.1"):
            fetch(thing(self.ACCESS), locked(wheel, "1.1"))

    def test_offline_without_a_copy_says_so(self, wheel, fetch):
        with pytest.raises(PullError, match="not in the cache"):
            fetch(thing(self.ACCESS), locked(wheel, "1.2"), offline=True)

    @pytest.mark.parametrize("place", ["", "packages"])
    def test_comes_from_the_mirror_first(self, wheel, fetch, tmp_path, place):
        lock = locked(wheel, "1.2")
        target = tmp_path / "mirror" / place / wheel.name
        target.parent.mkdir(parents=True)
        wheel.rename(target)
        got = fetch(thing(self.ACCESS), lock, mirror=tmp_path / "mirror", offline=True)
        assert (got.origin, got.path) == ("mirror", target)

    def test_damaged_in_the_mirror_is_refused_and_left_alone(self, wheel, fetch, tmp_path):
        lock = locked(wheel, "1.2")
        target = tmp_path / wheel.name
        target.write_bytes(b"not a wheel")
        with pytest.raises(IntegrityError, match="sha256"):
            fetch(thing(self.ACCESS), lock, mirror=tmp_path)
        assert target.exists()


class TestFile:
    def test_relative_without_a_mirror_names_the_variable(self, fetch):
        with pytest.raises(PullError, match="none is given") as caught:
            fetch(thing({"kind": "file", "path": "grid/x.csv"}))
        assert "GRIDSTEAD_MIRROR" in caught.value.hint

    def test_is_used_where_it_lies(self, fetch, tmp_path, cache):
        path = tmp_path / "grid" / "x.csv"
        path.parent.mkdir()
        path.write_text("a\n1\n")
        got = fetch(thing({"kind": "file", "path": "grid/x.csv"}), mirror=tmp_path)
        assert (got.path, got.origin, got.bytes) == (path, "mirror", 4)
        assert fetch(thing({"kind": "file", "path": str(path)})).path == path
        assert not cache.exists()

    def test_with_other_bytes_than_the_lock_is_refused(self, fetch, tmp_path):
        path = tmp_path / "x.csv"
        path.write_text("a\n1\n")
        lock = locked(path)
        path.write_text("a\n2\n")
        with pytest.raises(IntegrityError, match=lock.sources["thing"].sha256):
            fetch(thing({"kind": "file", "path": "x.csv"}), lock, mirror=tmp_path)

    @pytest.mark.parametrize("path", ["none.csv", "../secret.csv", "/nowhere/none.csv"])
    def test_that_is_not_there_or_outside_says_so(self, fetch, tmp_path, path):
        (tmp_path / "secret.csv").write_text("a\n")
        mirror = tmp_path / "mirror"
        mirror.mkdir()
        with pytest.raises(PullError, match=path):
            fetch(thing({"kind": "file", "path": path}), mirror=mirror)

    def test_mirror_variable_that_names_no_folder_is_an_error(self, monkeypatch, tmp_path):
        monkeypatch.setenv("GRIDSTEAD_MIRROR", str(tmp_path / "none"))
        with pytest.raises(PullError, match="no folder"):
            mirror_from_environment()
        monkeypatch.setenv("GRIDSTEAD_MIRROR", str(tmp_path))
        assert mirror_from_environment() == tmp_path
        monkeypatch.delenv("GRIDSTEAD_MIRROR")
        assert mirror_from_environment() is None


class TestHttp:
    def test_is_fetched_once_and_asked_about_after(self, upstream, fetch):
        upstream.routes["/thing.bin"] = conditional(BODY)
        first = fetch(http(upstream))
        assert (first.origin, first.path.read_bytes()) == ("network", BODY)
        again = fetch(http(upstream))
        assert (again.origin, again.is_stale, again.path) == ("cache", False, first.path)
        assert upstream.requests[1].headers["if-none-match"] == '"v1"'

    def test_changed_upstream_is_a_new_object_beside_the_old(self, upstream, fetch):
        upstream.routes["/thing.bin"] = [conditional(b"one"), conditional(b"two", '"v2"')]
        old, new = fetch(http(upstream)), fetch(http(upstream))
        assert (old.path.read_bytes(), new.path.read_bytes()) == (b"one", b"two")

    def test_another_url_does_not_inherit_validators(self, upstream, fetch):
        upstream.routes |= {"/a.bin": conditional(b"a"), "/b.bin": conditional(b"b")}
        fetch(http(upstream, "/a.bin"))
        assert fetch(http(upstream, "/b.bin")).path.read_bytes() == b"b"

    def test_redirects_are_followed(self, upstream, fetch):
        upstream.routes["/old.bin"] = Response(status=302, headers={"Location": "/thing.bin"})
        upstream.routes["/thing.bin"] = Response(b"here")
        assert fetch(http(upstream, "/old.bin")).path.read_bytes() == b"here"

    def test_server_errors_are_tried_again_with_growing_pauses(self, upstream, fetch, pauses):
        upstream.routes["/thing.bin"] = [
            Response(status=500),
            Response(status=503),
            Response(status=502),
            Response(b"at last"),
        ]
        assert fetch(http(upstream)).path.read_bytes() == b"at last"
        assert [low <= pause <= 2 * low for pause, low in zip(pauses, [0.5, 1, 2], strict=True)]

    def test_retry_after_is_honoured_and_capped(self, upstream, fetch, pauses):
        upstream.routes["/thing.bin"] = [
            Response(status=429, headers={"Retry-After": "7"}),
            Response(status=429, headers={"Retry-After": "86400"}),
            Response(b"ok"),
        ]
        fetch(http(upstream))
        assert pauses == [7.0, 120.0]

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
    def test_other_client_errors_are_final(self, upstream, fetch, pauses, status):
        upstream.routes["/thing.bin"] = Response(status=status)
        with pytest.raises(PullError, match=str(status)):
            fetch(http(upstream))
        assert not pauses
        assert len(upstream.requests) == 1

    def test_a_body_cut_short_goes_on_where_it_broke_off(self, upstream, fetch):
        cut = Response(BODY, headers={"ETag": '"v1"'}, cut=300_000)
        upstream.routes["/thing.bin"] = [cut, conditional(BODY)]
        assert fetch(http(upstream)).path.read_bytes() == BODY
        assert upstream.requests[1].headers["range"].startswith("bytes=")
        assert upstream.requests[1].headers["if-range"] == '"v1"'

    def test_a_download_goes_on_in_the_next_run(self, upstream, fetch):
        upstream.routes["/thing.bin"] = Response(BODY, headers={"ETag": '"v1"'}, cut=300_000)
        with pytest.raises(PullError, match="failed 4 times"):
            fetch(http(upstream))
        upstream.routes["/thing.bin"] = conditional(BODY)
        upstream.requests.clear()
        assert fetch(http(upstream)).path.read_bytes() == BODY
        assert "range" in upstream.requests[0].headers

    def test_a_file_that_changed_meanwhile_starts_anew(self, upstream, fetch):
        cut = Response(BODY, headers={"ETag": '"v1"'}, cut=300_000)
        upstream.routes["/thing.bin"] = [cut, conditional(BODY[::-1], '"v2"')]
        assert fetch(http(upstream)).path.read_bytes() == BODY[::-1]

    def test_without_validators_a_cut_body_starts_anew(self, upstream, fetch):
        upstream.routes["/thing.bin"] = [Response(BODY, cut=300_000), Response(BODY)]
        assert fetch(http(upstream)).path.read_bytes() == BODY
        assert "range" not in upstream.requests[1].headers

    def test_a_range_gone_stale_starts_anew(self, upstream, fetch):
        cut = Response(BODY, headers={"ETag": '"v1"'}, cut=300_000)
        upstream.routes["/thing.bin"] = [cut, Response(status=416), Response(BODY)]
        assert fetch(http(upstream)).path.read_bytes() == BODY

    def test_another_range_than_asked_for_is_not_appended(self, upstream, fetch):
        cut = Response(BODY, headers={"ETag": '"v1"'}, cut=300_000)
        wrong = Response(BODY[10:], 206, {"Content-Range": f"bytes 10-99/{len(BODY)}"})
        upstream.routes["/thing.bin"] = [cut, wrong, Response(BODY)]
        assert fetch(http(upstream)).path.read_bytes() == BODY

    @pytest.mark.parametrize("length", [len(BODY), None])
    def test_more_than_the_cap_is_refused(self, upstream, fetch, cache, length):
        upstream.routes["/thing.bin"] = Response(BODY, length=length)
        with pytest.raises(PullError, match="larger than the 1,000 bytes"):
            fetch(http(upstream, max_bytes=1000))
        assert not list(cache.rglob("*.part"))

    def test_falls_back_to_the_last_good_copy_and_says_so(self, upstream, fetch):
        upstream.routes["/thing.bin"] = conditional(BODY)
        good = fetch(http(upstream))
        upstream.routes["/thing.bin"] = Response(status=500)
        stale = fetch(http(upstream))
        assert (stale.is_stale, stale.origin, stale.path) == (True, "cache", good.path)
        with pytest.raises(PullError, match="500"):
            fetch(http(upstream), require_fresh=True)

    def test_offline_takes_the_last_copy_and_asks_nobody(self, upstream, fetch):
        upstream.routes["/thing.bin"] = conditional(BODY)
        fetch(http(upstream))
        upstream.requests.clear()
        assert fetch(http(upstream), offline=True).is_stale
        assert not upstream.requests

    def test_a_damaged_last_copy_is_not_asked_about(self, upstream, fetch):
        upstream.routes["/thing.bin"] = conditional(BODY)
        fetch(http(upstream)).path.write_bytes(b"broken")
        assert fetch(http(upstream)).path.read_bytes() == BODY
        assert "if-none-match" not in upstream.requests[1].headers

    def test_pinned_must_match_and_keeps_the_last_good_copy(self, upstream, fetch, tmp_path):
        good = tmp_path / "thing.bin"
        good.write_bytes(BODY)
        upstream.routes["/thing.bin"] = conditional(BODY)
        kept = fetch(http(upstream), locked(good))
        other = locked(good, sha256="f" * 64)
        with pytest.raises(IntegrityError, match="f" * 64):
            fetch(http(upstream), other)
        assert kept.path.read_bytes() == BODY
        assert fetch(http(upstream), locked(good)).origin == "cache"

    def test_mirror_is_looked_in_first(self, upstream, fetch, tmp_path):
        (tmp_path / "kept.bin").write_bytes(b"kept")
        entry = http(upstream).model_copy(update={"mirror": "kept.bin"})
        assert fetch(entry, mirror=tmp_path).origin == "mirror"
        assert not upstream.requests

    def test_nobody_listening_is_one_sentence(self, fetch, pauses):
        gone = thing({"kind": "http", "url": "http://127.0.0.1:9/x.csv"})
        with pytest.raises(PullError, match="failed 4 times"):
            fetch(gone)
        assert len(pauses) == 3

    def test_a_cache_that_cannot_be_written_is_one_sentence(self, upstream, fetch, cache):
        upstream.routes["/thing.bin"] = Response(b"x")
        cache.write_text("a file where a folder is due")
        with pytest.raises(PullError, match="cannot be used"):
            fetch(http(upstream))


def test_retry_after_reads_seconds():
    assert retry_after_s("12") == 12


def test_retry_after_reads_dates():
    in_an_hour = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    assert 3500 < retry_after_s(format_datetime(in_an_hour)) <= 3600


def test_a_date_that_has_passed_is_no_wait():
    assert retry_after_s("Thu, 01 Jan 2015 00:00:00 +0000") == 0


@pytest.mark.parametrize("header", [None, "", "soon", "-3"])
def test_retry_after_ignores_what_it_cannot_read(header):
    assert retry_after_s(header) is None
