"""Divided land in pieces: every row once, in its order, cut evenly; and fingerprints of what tables say."""

import json
import shutil

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from data import pieces
from data.errors import PullError
from data.pieces import content_sha256, read_pieces, write_pieces
from data.place import Place

COUNTS = {"822a07fffffffff": 1, "82266ffffffffff": 250, "8244effffffffff": 100}


@pytest.fixture
def place(tmp_path):
    return Place.at(tmp_path / "parts")


@pytest.fixture
def divided(tmp_path):
    """Parcels of three partitions that come in turns, in row groups of 64."""
    rng = np.random.default_rng(9)
    partition = rng.permutation(np.repeat(list(COUNTS), list(COUNTS.values())))
    lon = rng.uniform(-100, -90, len(partition))
    frame = gpd.GeoDataFrame(
        {"parcel_id": [f"p{n}" for n in rng.permutation(len(partition))], "lon": lon},
        geometry=shapely.box(lon, 40, lon + 0.01, 40.01),
        crs="OGC:CRS84",
    ).assign(parcel_partition=partition)
    path = tmp_path / "parcel-1.parquet"
    frame.to_parquet(path, row_group_size=64)
    return path


def rows_of(path, partition):
    held = pq.read_table(path)
    mask = np.asarray(held.column("parcel_partition").to_pylist()) == partition
    return held.filter(pa.array(mask)).replace_schema_metadata(None)


@pytest.mark.parametrize("most", [1, 7, 100, 10_000])
@pytest.mark.parametrize("is_short_of_memory", [False, True])
def test_every_row_is_in_one_piece_of_its_partition_in_its_order(
    divided, place, most, is_short_of_memory, monkeypatch
):
    monkeypatch.setattr(pieces, "BATCH_ROWS", 40)
    if is_short_of_memory:
        monkeypatch.setattr(pieces, "MOST_HELD_BYTES", 1_000)
    made = write_pieces(divided, place, "parcel-1", most)
    assert [piece.name for piece in made] == sorted(piece.name for piece in made)
    assert place.names("parcel-1") == [*(f"{piece.name}.parquet" for piece in made), "pieces.json"]
    for partition, count in COUNTS.items():
        own = [piece for piece in made if piece.partition == partition]
        sizes = [piece.rows for piece in own]
        assert (len(own), sum(sizes)) == (-(-count // most), count)
        assert max(sizes) <= most
        assert max(sizes) - min(sizes) <= 1
        tables = [place.read(f"parcel-1/{piece.name}.parquet") for piece in own]
        assert [table.num_rows for table in tables] == sizes
        held = pa.concat_tables(tables).replace_schema_metadata(None)
        assert held.equals(rows_of(divided, partition))


def test_pieces_are_geoparquet(divided, place):
    made = write_pieces(divided, place, "parcel-1", 90)
    whole = gpd.read_parquet(divided).set_index("parcel_id")
    found = [gpd.read_parquet(place.path(f"parcel-1/{piece.name}.parquet")) for piece in made]
    for frame in found:
        assert frame.crs == whole.crs
        there = whole.loc[frame["parcel_id"]]
        assert (frame.geometry.to_numpy() == there.geometry.to_numpy()).all()
    told = json.loads(
        pq.read_schema(place.path(f"parcel-1/{made[0].name}.parquet")).metadata[b"geo"]
    )
    assert told["version"] == "1.1.0"
    assert "bbox" not in told["columns"]["geometry"]


def test_what_is_whole_is_kept_and_all_else_made_again(divided, place):
    made = write_pieces(divided, place, "parcel-1", 90)
    told = place.path("parcel-1/pieces.json")
    before = {path.name: path.stat().st_ino for path in told.parent.iterdir()}
    assert write_pieces(divided, place, "parcel-1", 90) == made == read_pieces(place, "parcel-1")
    assert {path.name: path.stat().st_ino for path in told.parent.iterdir()} == before
    first = place.path(f"parcel-1/{made[0].name}.parquet")
    content = first.read_bytes()
    for spoil in (
        told.unlink,
        lambda: told.write_bytes(told.read_bytes()[:-30]),
        lambda: told.write_text("{}"),
        lambda: first.write_bytes(content[:-1]),
        first.unlink,
    ):
        spoil()
        place.scratch(f"parcel-1/{made[0].name}.parquet").write_bytes(b"half")
        assert read_pieces(place, "parcel-1") is None
        assert write_pieces(divided, place, "parcel-1", 90) == made
        assert first.read_bytes() == content
        assert not list(told.parent.glob("*.part"))


def test_a_file_that_ends_in_the_middle_leaves_no_half_piece(divided, place, monkeypatch):
    monkeypatch.setattr(pieces, "BATCH_ROWS", 40)
    monkeypatch.setattr(pieces, "MOST_HELD_BYTES", 1_000)
    real = pieces._batches

    def torn(path):
        for number, batch in enumerate(real(path)):
            if number == 3:
                raise OSError
            yield batch

    with monkeypatch.context() as patch:
        patch.setattr(pieces, "_batches", torn)
        with pytest.raises(OSError):  # noqa: PT011
            write_pieces(divided, place, "parcel-1", 90)
    assert not list(place.path("parcel-1").glob("*.part"))
    assert read_pieces(place, "parcel-1") is None
    assert sum(piece.rows for piece in write_pieces(divided, place, "parcel-1", 90)) == 351


def test_a_place_that_is_gone_is_told(divided, place, monkeypatch):
    real = pieces._Cutting.take

    def then_gone(self, rows):
        real(self, rows)
        shutil.rmtree(place.local)

    monkeypatch.setattr(pieces._Cutting, "take", then_gone)
    write_pieces(divided, place, "parcel-1", 20)
    assert read_pieces(place, "parcel-1") is None
    with pytest.raises(PullError, match="does not exist"):
        place.read("parcel-1/82266ffffffffff-0000.parquet")


TEXTS = st.lists(st.one_of(st.none(), st.text(max_size=3)), min_size=4, max_size=4)
NUMBERS = st.lists(st.one_of(st.none(), st.floats(allow_nan=False)), min_size=4, max_size=4)


def table_of(texts, numbers, flags=(True, None, False, True)):
    return pa.table(
        {
            "parcel_id": ["a", "b", "c", "d"],
            "name": pa.array(texts, pa.string()),
            "mi": pa.array(numbers, pa.float64()),
            "is_near": pa.array(flags, pa.bool_()),
            "gates": pa.array([["x"], None, [], ["x", "y"]], pa.list_(pa.string())),
        }
    )


@given(texts=TEXTS, numbers=NUMBERS, order=st.permutations(range(4)), cut=st.integers(0, 4))
def test_a_fingerprint_is_that_of_what_is_said(texts, numbers, order, cut):
    table = table_of(texts, numbers)
    told = content_sha256(table)
    mixed = table.take(pa.array(order))
    assert content_sha256(mixed) == told
    assert content_sha256(pa.concat_tables([mixed.slice(0, cut), mixed.slice(cut)])) == told
    coded = table.set_column(1, "name", table.column("name").dictionary_encode())
    assert content_sha256(coded) == told
    longer = table.set_column(1, "name", table.column("name").cast(pa.large_string()))
    assert content_sha256(longer) == told
    sink = pa.BufferOutputStream()
    pq.write_table(mixed, sink, row_group_size=3, compression="gzip")
    assert content_sha256(pq.read_table(sink.getvalue())) == told


@given(
    one=st.tuples(TEXTS, NUMBERS).map(lambda both: table_of(*both)),
    other=st.tuples(TEXTS, NUMBERS).map(lambda both: table_of(*both)),
)
def test_what_differs_has_another_fingerprint(one, other):
    # Equal zeros of different bits are not the same.
    bits = [table.column("mi").cast(pa.string()).to_pylist() for table in (one, other)]
    is_same = one.equals(other) and bits[0] == bits[1]
    assert (content_sha256(one) == content_sha256(other)) == is_same


def test_unknown_is_neither_nothing_nor_zero():
    base = table_of(["", "x", "y", "z"], [0.0, 1.0, 2.0, 3.0])
    fingerprints = {
        content_sha256(table)
        for table in (
            base,
            table_of([None, "x", "y", "z"], [0.0, 1.0, 2.0, 3.0]),
            table_of(["", "x", "y", "z"], [None, 1.0, 2.0, 3.0]),
            table_of(["", "x", "y", "z"], [-0.0, 1.0, 2.0, 3.0]),
            table_of(["x", "", "y", "z"], [0.0, 1.0, 2.0, 3.0]),
            table_of(["", "xy", "", "z"], [0.0, 1.0, 2.0, 3.0]),
            table_of(["", "x", "y", "z"], [0.0, 1.0, 2.0, 3.0], (True, False, False, True)),
            base.rename_columns(["parcel_id", "name", "km", "is_near", "gates"]),
            base.slice(0, 3),
            base.slice(0, 0),
        )
    }
    assert len(fingerprints) == 10
