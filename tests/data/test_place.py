"""Places for parts: folders and stores of objects, where everything appears whole or not at all."""

import pickle
import subprocess
import sys

import pyarrow as pa
import pytest

from data import place as places
from data.errors import PullError, UsageError
from data.place import Place
from tests.bucket import bucket

PLAIN = {"compression": "none", "compression_level": None, "use_dictionary": False}
TABLE = pa.table({"parcel_id": ["a", "b"], "acres": [1.5, None]})


@pytest.fixture
def place(tmp_path):
    return Place.at(tmp_path / "a place" / "of parts")


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    real = places.Retry
    monkeypatch.setattr(places, "Retry", lambda **more: real(**more, sleep=lambda _: None))


def check_all(place):
    """Everything that a place does."""
    assert place.sizes("metric-1") == {}
    assert not place.has("metric-1/a.parquet")
    stored = place.write("metric-1/a.parquet", TABLE)
    assert place.sizes("metric-1") == {"a.parquet": stored.bytes}
    assert place.has("metric-1/a.parquet")
    assert place.read("metric-1/a.parquet").equals(TABLE)
    assert place.read("metric-1/a.parquet", ["acres"]).column_names == ["acres"]
    told = place.write_bytes("metric-1/a.json", b"{}")
    assert (told.bytes, place.read_bytes("metric-1/a.json")) == (2, b"{}")
    assert place.names("metric-1") == ["a.json", "a.parquet"]
    other = pickle.loads(pickle.dumps(place))
    assert other.read("metric-1/a.parquet").equals(TABLE)
    place.write("metric-1/a.parquet", TABLE.slice(1))
    assert other.read("metric-1/a.parquet").num_rows == 1
    with pytest.raises(PullError, match=r"metric-1/b\.parquet does not exist"):
        place.read("metric-1/b.parquet")
    place.remove("metric-1")
    place.remove("metric-1")
    assert place.names("metric-1") == []


def test_a_folder(place, tmp_path):
    check_all(place)
    assert place.is_local
    assert place.local == tmp_path / "a place" / "of parts"
    assert Place.at(place.url) == place
    assert Place.at((tmp_path / "a place" / "of parts").as_uri()) == place


def test_other_schemes_go_through_fsspec():
    check_all(Place.at("memory://shelf/parts"))


def test_files_come_and_go_whole(place, tmp_path):
    here, there = tmp_path / "here.bin", tmp_path / "deep" / "there.bin"
    here.write_bytes(bytes(3_000_000))
    stored = place.put("input-1/here.bin", here)
    place.get("input-1/here.bin", there)
    assert there.read_bytes() == here.read_bytes()
    assert stored.bytes == 3_000_000
    with pytest.raises(PullError, match="does not exist"):
        place.get("input-1/none.bin", tmp_path / "deep" / "none.bin")
    assert [path.name for path in there.parent.iterdir()] == ["there.bin"]


def test_what_is_half_written_is_not_there(place, monkeypatch):
    place.write("metric-1/a.parquet", TABLE)
    with monkeypatch.context() as patch:
        patch.setattr(places.pq, "write_table", lambda _, path, **__: path.write_bytes(b"x") / 0)
        with pytest.raises(ZeroDivisionError):
            place.write("metric-1/a.parquet", TABLE)
    assert place.read("metric-1/a.parquet").equals(TABLE)
    draft = place.scratch("metric-1/b.parquet")
    draft.write_bytes(b"of a process that was killed")
    assert place.names("metric-1") == ["a.parquet"]
    place.sweep("metric-1")
    assert [path.name for path in place.path("metric-1").iterdir()] == ["a.parquet"]


def test_damaged_bytes_are_told(place):
    stored = place.write("metric-1/a.parquet", TABLE, **PLAIN)
    path = place.path("metric-1/a.parquet")
    content = path.read_bytes()
    # 1.5 becomes 1.5625, in the values and what is told of them.
    path.write_bytes(content.replace(b"\xf8\x3f", b"\xf9\x3f"))
    assert path.read_bytes() != content
    assert path.stat().st_size == stored.bytes
    with pytest.raises(PullError, match=r"a\.parquet cannot be read: .*checksum"):
        place.read("metric-1/a.parquet")
    path.write_bytes(content[:-9])
    with pytest.raises(PullError, match=r"a\.parquet cannot be read"):
        place.read("metric-1/a.parquet")


@pytest.mark.parametrize(
    "name", ["../x", "a/../x", "/etc/x", "a//b", "a/", ".hidden", "a/.b", "", "a b", "a\nb"]
)
def test_names_stay_inside(place, name):
    for use in (place.read, place.has, place.path, place.remove):
        with pytest.raises(ValueError, match="no name of a file"):
            use(name)


def test_addresses_that_are_none_are_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is not a folder"):
        Place.at(tmp_path / "file")
    for wrong in ("s3://", "s3://bucket/x?key=1", "s3://bucket/../x"):
        with pytest.raises(UsageError, match="is no address for parts"):
            Place.at(wrong)
    with pytest.raises(UsageError, match="holds a user or a password") as caught:
        Place.at("s3://me:hushhush@bucket/x")
    assert "hushhush" not in caught.value.message
    with pytest.raises(PullError, match="need a client that is not installed"):
        Place.at("nosuchstore://bucket/x").names("a")


def test_a_bucket_with_wrong_credentials_or_none_at_all_is_told_in_one_sentence(
    monkeypatch, tmp_path
):
    with bucket() as land:
        place = Place.at(f"{land.url}/")
        check_all(place)
        assert land.objects() == [] or all(key.endswith("/") for key in land.objects())
        (tmp_path / "big").write_bytes(bytes(20_000_000))
        place.put("input-1/big", tmp_path / "big")
        place.get("input-1/big", tmp_path / "again")
        assert (tmp_path / "again").read_bytes() == bytes(20_000_000)
        # As a worker does: with the environment alone.
        ask = f"from data.place import Place; print(Place({place.url!r}).names('input-1'))"
        said = subprocess.run(
            [sys.executable, "-c", ask], capture_output=True, text=True, check=True
        )
        assert said.stdout == "['big']\n"
        nowhere = Place.at("s3://nowhere/parts")
        for use in (
            lambda at: at.names("a"),
            lambda at: at.read("a/b.parquet"),
            lambda at: at.write_bytes("a/b", b"x"),
        ):
            with pytest.raises(
                PullError, match=r"s3://nowhere/parts/a\S* names a bucket that does"
            ):
                use(nowhere)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-the-one-it-should-be")
        places._opened.cache_clear()
        for use, doing in (
            (lambda: place.names("input-1"), "read"),
            (lambda: place.read_bytes("input-1/big"), "read"),
            (lambda: place.write_bytes("input-1/b", b"x"), "written"),
        ):
            with pytest.raises(
                PullError, match=f"may not be {doing} with the credentials of the environment"
            ) as caught:
                use()
            assert "not-the-one" not in f"{caught.value.message}{caught.value.hint}"
        monkeypatch.undo()


def test_a_store_that_does_not_answer_is_told(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    places._opened.cache_clear()
    with pytest.raises(PullError, match=r"s3://land/parts/a failed 3 times"):
        Place.at("s3://land/parts").names("a")
