"""Parts of a table: whole or not there, found again, joined one at a time."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.parts import Chunk, Parts, RowReader, chunks_of

SCHEMA = pa.schema([("id", pa.string()), ("value", pa.float64()), ("none", pa.int64())])


def rows(start, stop):
    ids = [f"p{n}" for n in range(start, stop)]
    values = [None if n % 5 == 0 else n / 7 for n in range(start, stop)]
    return pa.table([ids, values, [None] * (stop - start)], schema=SCHEMA)


@pytest.fixture
def parts(tmp_path):
    return Parts(tmp_path / "t.parts", SCHEMA)


@pytest.fixture
def filled(parts):
    for chunk in chunks_of(10, 4):
        parts.write(chunk, rows(chunk.start, chunk.stop))
    return parts


def same(table):
    return table


def test_chunks_cover_every_row_once():
    assert chunks_of(10, 4) == [Chunk(0, 0, 4), Chunk(1, 4, 8), Chunk(2, 8, 10)]
    assert chunks_of(8, 4)[-1] == Chunk(1, 4, 8)
    assert chunks_of(3, 1000) == [Chunk(0, 0, 3)]
    assert chunks_of(0, 4) == []


@pytest.mark.parametrize("group", [1, 3, 7, 100])
@pytest.mark.parametrize("chunk", [1, 4, 9, 100])
def test_reads_rows_across_row_groups(tmp_path, group, chunk):
    whole = rows(0, 23)
    pq.write_table(whole, tmp_path / "t.parquet", row_group_size=group)
    with RowReader(tmp_path / "t.parquet") as reader:
        assert len(reader) == 23
        chunks = chunks_of(len(reader), chunk)
        for each in [*chunks, *reversed(chunks)]:
            assert reader.read(each).equals(whole.slice(each.start, len(each)))


def test_joined_parts_are_the_whole_table_whatever_the_chunk(tmp_path):
    for size in (1, 3, 7, 50):
        parts = Parts(tmp_path / f"{size}.parts", SCHEMA)
        chunks = chunks_of(20, size)
        for chunk in reversed(chunks):
            parts.write(chunk, rows(chunk.start, chunk.stop))
        target = tmp_path / f"{size}.parquet"
        assert parts.join(chunks, target, same) == 20
        assert pq.read_table(target).equals(rows(0, 20))
        assert not list(tmp_path.glob("*.part"))


def test_what_is_added_in_the_second_pass_is_in_every_row(filled, tmp_path):
    def with_length(table):
        return table.append_column("n", pa.array(np.full(len(table), 3)))

    filled.join(chunks_of(10, 4), tmp_path / "out.parquet", with_length)
    assert pq.read_table(tmp_path / "out.parquet").column("n").to_pylist() == [3] * 10


def test_known_columns_are_those_with_a_value_anywhere(filled):
    assert filled.known_columns(chunks_of(10, 4)) == {"id", "value"}
    filled.write(Chunk(0, 0, 1), rows(0, 1))
    assert filled.known_columns([Chunk(0, 0, 1)]) == {"id"}


def test_a_part_that_lacks_rows_is_joined_but_never_whole(filled, tmp_path):
    chunk = chunks_of(10, 4)[1]
    filled.write_some(chunk, rows(5, 7))
    assert not filled.has(chunk)
    assert filled.join(chunks_of(10, 4), tmp_path / "out.parquet", same) == 8
    held = pa.concat_tables([rows(0, 4), rows(5, 7), rows(8, 10)])
    assert pq.read_table(tmp_path / "out.parquet").equals(held)
    filled.write(chunk, rows(4, 8))
    assert filled.has(chunk)
    assert filled.join(chunks_of(10, 4), tmp_path / "out.parquet", same) == 10
    assert pq.read_table(tmp_path / "out.parquet").equals(rows(0, 10))


def test_a_whole_part_is_found_and_removed_with_the_rest(filled):
    assert all(filled.has(chunk) for chunk in chunks_of(10, 4))
    assert not filled.has(Chunk(3, 12, 16))
    filled.remove()
    filled.remove()
    assert not filled.folder.exists()


def _truncate(path):
    path.write_bytes(path.read_bytes()[:-20])


def _empty(path):
    path.write_bytes(b"")


def _garbage(path):
    path.write_bytes(b"PAR1" + bytes(200) + b"PAR1")


def _one_bit(path):
    """A flipped bit among the values: the footer is fine, the checksum of the page is not."""
    held = bytearray(path.read_bytes())
    column = pq.read_metadata(path).row_group(0).column(1)
    held[column.data_page_offset + column.total_compressed_size - 1] ^= 1
    path.write_bytes(bytes(held))


def _other_columns(path):
    table = pq.read_table(path).drop_columns(["value"])
    pq.write_table(table, path)


def _other_rows(path):
    path.write_bytes((path.parent / "part-00000.parquet").read_bytes())


def _gone(path):
    path.unlink()


@pytest.mark.parametrize(
    "spoil", [_truncate, _empty, _garbage, _one_bit, _other_columns, _other_rows, _gone]
)
def test_a_part_that_is_not_whole_is_not_there(filled, spoil):
    first, second, _ = chunks_of(10, 4)
    spoil(filled.path(second))
    assert filled.has(first)
    assert not filled.has(second)
    filled.write(second, rows(4, 8))
    assert filled.has(second)


def test_parts_of_another_chunk_size_do_not_count(filled):
    assert not any(filled.has(chunk) for chunk in chunks_of(10, 3))


def test_a_part_has_as_many_rows_as_its_chunk(parts):
    with pytest.raises(ValueError, match="chunk 0 has 4 rows, its part 3"):
        parts.write(Chunk(0, 0, 4), rows(0, 3))
    assert not parts.folder.exists()
