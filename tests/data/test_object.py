"""Objects of a store: one, or several joined to one file."""

import json

import geopandas as gpd
import pyarrow as pa
import pytest
import shapely
from pyarrow import parquet

from data.access import Retry
from data.access._store import _region, open_store
from data.address import ObjectAccess
from data.catalogue import Lock, Source, Table
from data.errors import PassingPullError, PullError
from data.pull import pull
from data.readers import read_table
from tests.data.thing import thing
from tests.upstream.s3 import ObjectStore
from tests.upstream.server import Response, running

LAKES = gpd.GeoDataFrame(
    {"lake": ["a", "b", "c"]},
    geometry=[shapely.box(-90 - n, 40, -89.5 - n, 41) for n in range(3)],
    crs="OGC:CRS84",
)


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def fetch(tmp_path, pauses):
    retry = Retry(attempts=3, sleep=pauses.append, connect_s=2, read_s=1)

    def fetch(source, **options):
        return pull(source, Lock(), cache_dir=tmp_path / "cache", retry=retry, **options)

    return fetch


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "store"
    folder.mkdir()
    for name, rows in (("a", LAKES[:2]), ("b", LAKES[2:])):
        rows.to_parquet(folder / f"part-{name}.parquet", index=False)
    return folder


def source(uri, reader="geoparquet", **access):
    return thing({"kind": "object", "uri": uri} | access, reader, theme="land")


def rows(pulled):
    table = Table(reader="geoparquet")
    return read_table(table, pulled.path, source("file:///x.parquet"))


def test_one_object_keeps_its_name_and_is_read_again_when_it_changed(folder, fetch):
    entry = source(f"file://{folder}/part-a.parquet")
    first = fetch(entry)
    assert (first.origin, first.filename) == ("network", "part-a.parquet")
    assert first.path.read_bytes() == (folder / "part-a.parquet").read_bytes()
    again = fetch(entry)
    assert (again.origin, again.is_stale, again.path) == ("cache", False, first.path)
    LAKES.to_parquet(folder / "part-a.parquet", index=False)
    assert rows(fetch(entry)).num_rows == 3


def test_several_objects_become_one_file_in_the_order_of_their_names(folder, fetch):
    (folder / "part-c.csv").write_text("no part of it")
    (folder / "part-d.parquet").mkdir()
    pulled = fetch(source(f"file://{folder}/part-*.parquet"))
    assert pulled.filename == "thing.parquet"
    table = rows(pulled)
    assert table.column("lake").to_pylist() == ["a", "b", "c"]
    assert shapely.from_wkb(table.column("geometry").to_pylist())[2].equals(LAKES.geometry[2])
    geo = json.loads(parquet.read_schema(pulled.path).metadata[b"geo"])
    assert "bbox" not in geo["columns"]["geometry"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda t: t.drop_columns(["lake"]), "part-b.parquet has no column 'lake'"),
        (lambda t: t.append_column("x", pa.array([1])), "has a column 'x'"),
        (lambda t: t.set_column(0, "lake", pa.array([1])), "'lake' is int64 in object part-b"),
        (lambda t: t.select(["geometry", "lake"]), "in another order"),
        (lambda t: t.replace_schema_metadata(None), "written in another way"),
    ],
)
def test_objects_that_differ_are_refused(folder, fetch, change, says):
    path = folder / "part-b.parquet"
    parquet.write_table(change(parquet.read_table(path)), path)
    with pytest.raises(PullError, match=says):
        fetch(source(f"file://{folder}/part-*.parquet"))


def test_a_damaged_object_keeps_the_last_good_copy(folder, fetch, pauses):
    entry = source(f"file://{folder}/part-*.parquet")
    good = fetch(entry)
    raw = (folder / "part-b.parquet").read_bytes()
    (folder / "part-b.parquet").write_bytes(raw[:-100])
    stale = fetch(entry)
    assert (stale.is_stale, stale.path) == (True, good.path)
    assert len(pauses) == 2
    with pytest.raises(PullError, match=r"part-b\.parquet is damaged") as caught:
        fetch(entry, require_fresh=True)
    assert not isinstance(caught.value, PassingPullError)


def test_more_than_the_cap_and_nothing_at_all_are_refused(folder, fetch):
    with pytest.raises(PullError, match="larger than the 1,000 bytes"):
        fetch(source(f"file://{folder}/part-*.parquet", max_bytes=1000))
    with pytest.raises(PullError, match="it stands for no object"):
        fetch(source(f"file://{folder}/none-*.parquet"))
    with pytest.raises(PullError, match="does not exist"):
        fetch(source(f"file://{folder}/none.parquet"))


def test_a_scheme_without_a_client_says_what_to_install(fetch):
    with pytest.raises(PullError, match="need a client that is not installed"):
        fetch(source("nosuchstore://bucket/x.parquet"))


def test_other_schemes_go_through_fsspec(fetch):
    import fsspec

    fsspec.filesystem("memory").pipe("/shelf/t.csv", b"a\n1\n")
    assert fetch(source("memory://shelf/t.csv", "csv")).path.read_bytes() == b"a\n1\n"


def test_azure_and_google_are_opened_without_asking_anybody(monkeypatch):
    def opened(uri, **more):
        access = ObjectAccess(kind="object", uri=uri, **more)
        return open_store(access, uri, Retry())

    store, path = opened("gs://bucket/a/b.parquet", anonymous=True)
    assert (store.type_name, path) == ("gcs", "bucket/a/b.parquet")
    store, path = opened("abfs://box@account.dfs.core.windows.net/a.parquet", anonymous=True)
    assert (store.type_name, path) == ("abfs", "box/a.parquet")
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT", raising=False)
    with pytest.raises(PullError, match="names no storage account"):
        opened("abfs://box/a.parquet")


def test_the_region_comes_from_the_environment(monkeypatch):
    assert _region() is None
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    assert _region() == "eu-central-1"


@pytest.mark.slow
class TestS3:
    @pytest.fixture
    def upstream(self):
        with running() as server:
            yield server

    @pytest.fixture
    def store(self, upstream, folder):
        objects = {f"lakes/y/{path.name}": path.read_bytes() for path in folder.iterdir()}
        store = ObjectStore(objects)
        upstream.routes |= store.routes()
        return store

    def lakes(self, upstream, name="part-*.parquet", **more):
        access = {"endpoint": upstream.root, "region": "us-east-1", "anonymous": True}
        return source(f"s3://lakes/y/{name}", **(access | more))

    def test_is_read_once_and_asked_about_after(self, upstream, store, fetch):
        for name, count in (("part-*.parquet", 3), ("part-a.parquet", 2)):
            first = fetch(self.lakes(upstream, name))
            assert rows(first).num_rows == count
            upstream.requests.clear()
            again = fetch(self.lakes(upstream, name))
            assert (again.origin, again.is_stale) == ("cache", False)
            assert not [r for r in upstream.requests if "range" in r.headers]
        store.objects["lakes/y/part-a.parquet"] = store.objects["lakes/y/part-b.parquet"]
        assert rows(fetch(self.lakes(upstream, "part-a.parquet"))).num_rows == 1

    def test_refusals_are_named_and_not_repeated(self, upstream, store, fetch, pauses, monkeypatch):
        store.keys = frozenset({"good"})
        with pytest.raises(PullError, match="may not be read without credentials"):
            fetch(self.lakes(upstream))
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "bad")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush-hush-hush")
        for name in ("part-*.parquet", "part-a.parquet"):
            with pytest.raises(PullError, match="with the credentials of the env") as caught:
                fetch(self.lakes(upstream, name, anonymous=False))
            assert "hush" not in str(caught.value)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "good")
        assert rows(fetch(self.lakes(upstream, anonymous=False))).num_rows == 3
        assert pauses == []

    @pytest.mark.parametrize("name", ["a.parquet", "*.parquet"])
    def test_a_bucket_that_is_not_there_is_named(self, upstream, store, fetch, name):
        entry = self.lakes(upstream).model_dump(exclude={"unverified_since"})
        entry["access"]["uri"] = f"s3://nowhere/{name}"
        with pytest.raises(PullError, match=r"s3://nowhere/\S+ names a bucket that does not exist"):
            fetch(Source.model_validate(entry))
        assert store.objects

    def test_faults_that_pass_are_tried_again(self, upstream, store, fetch, pauses):
        path = "/lakes/y/part-a.parquet"
        fetch(self.lakes(upstream))
        store.modified_at["lakes/y/part-a.parquet"] = 1_700_000_100
        upstream.routes[path] = [Response(status=503), Response(cut=0, length=9), store.answer]
        assert fetch(self.lakes(upstream)).origin == "network"
        assert len(pauses) == 2
        store.modified_at["lakes/y/part-a.parquet"] = 1_700_000_200
        upstream.routes[path] = Response(status=503)
        assert fetch(self.lakes(upstream)).is_stale
        with pytest.raises(
            PassingPullError, match="failed 3 times: the store answered HTTP status 503"
        ):
            fetch(self.lakes(upstream), require_fresh=True)
        for status, says in (
            (429, "answered HTTP status 429"),
            (404, "vanished between listing and"),
        ):
            upstream.routes[path] = Response(status=status)
            with pytest.raises(PullError, match=says):
                fetch(self.lakes(upstream), require_fresh=True)
        upstream.routes["/lakes"] = Response(b"<!doctype html><p>moved</p>")
        with pytest.raises(PullError, match=r"no object|no listing"):
            fetch(self.lakes(upstream), require_fresh=True)

    def test_an_object_that_changes_while_it_is_read_is_read_again(self, upstream, store, fetch):
        name, asked = "lakes/y/part-a.parquet", []

        def changing(request):
            asked.append(request.method)
            answer = store.answer(request)
            if request.method == "GET" and asked.count("GET") == 1:
                store.objects[name] = store.objects["lakes/y/part-b.parquet"]
                store.modified_at[name] = 1_700_000_300
            return answer

        upstream.routes[f"/{name}"] = changing
        assert rows(fetch(self.lakes(upstream, "part-a.parquet"))).num_rows == 1
        assert asked.count("GET") > 1

    def test_a_store_that_stalls_or_is_not_there_ends_soon(self, upstream, store, fetch):
        upstream.routes["/lakes/y/part-a.parquet"] = Response(wait_s=3)
        with pytest.raises(PassingPullError, match="the store sent nothing for 1 s"):
            fetch(self.lakes(upstream, "part-a.parquet"))
        with pytest.raises(PassingPullError, match="failed 3 times"):
            fetch(self.lakes(upstream, endpoint="http://127.0.0.1:9"))
        assert store.objects

    def test_tls_that_is_none_is_named_and_not_repeated(self, upstream, fetch, pauses):
        with pytest.raises(PullError, match=r"no safe connection \(TLS\)"):
            fetch(self.lakes(upstream, endpoint=upstream.root.replace("http:", "https:")))
        assert pauses == []
