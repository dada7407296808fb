import itertools
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import GeoError
from geo.polygons import Polygons
from geo.wkb import RowStatus, decode, from_arrow, join
from tests.oracle.shape import nasty_polygons, wkb
from tests.oracle.shapes import examples, parcels, seeds

MIRROR = Path(__file__).parents[3] / "shared" / "mirror" / "parcels"
BOX = shapely.box(-71.5, 41.5, -71.4, 41.6)
HOLED = shapely.Polygon(BOX.exterior, [shapely.box(-71.48, 41.52, -71.45, 41.55).exterior])
PARTS = shapely.MultiPolygon([HOLED, shapely.box(-71.3, 41.5, -71.2, 41.6)])


def column(rows, kind=None):
    return pa.array(rows, kind or pa.binary())


def flat(shapes):
    """Rings as coordinate lists, part by part: what flat arrays must hold."""
    parts = shapely.get_parts(shapes)
    return [
        [shapely.get_coordinates(ring).tolist() for ring in shapely.get_rings(part)]
        for part in parts
    ]


def unpacked(polygons):
    rings = np.split(polygons.lonlat, polygons.ring_start[1:-1])
    start = polygons.part_start
    return [[ring.tolist() for ring in rings[a:b]] for a, b in itertools.pairwise(start)]


@pytest.mark.parametrize("shape", [BOX, HOLED, PARTS], ids=["box", "holed", "parts"])
@pytest.mark.parametrize("little", [True, False])
@pytest.mark.parametrize("width", [2, 3, 4])
@pytest.mark.parametrize(("extended", "srid"), [(False, None), (True, None), (True, 4326)])
def test_every_dialect_is_read(shape, little, width, extended, srid):
    row = wkb(shape, little=little, width=width, extended=extended, srid=srid)
    # The hand-written bytes are what GEOS takes for the same shape.
    assert shapely.equals_exact(shapely.force_2d(shapely.from_wkb(row)), shape)
    got = from_arrow(column([row, row]))
    assert got.status.tolist() == [0, 0]
    assert unpacked(got.polygons) == flat([shape, shape])
    assert not got.is_closed_here.any()


@examples(40)
@given(st.lists(parcels(), min_size=1, max_size=8), nasty_polygons(), seeds)
def test_shapes_and_strangers_in_any_order(good, nasty, seed):
    rng = np.random.default_rng(seed)
    line = shapely.LineString([(0, 0), (1, 1)])
    strangers = {
        None: RowStatus.MISSING,
        shapely.Polygon(): RowStatus.EMPTY,
        shapely.MultiPolygon(): RowStatus.EMPTY,
        shapely.Point(1, 2): RowStatus.NO_POLYGON,
        line: RowStatus.NO_POLYGON,
        shapely.MultiPoint([(1, 2)]): RowStatus.NO_POLYGON,
        shapely.GeometryCollection([BOX, line]): RowStatus.COLLECTION,
    }
    shapes = np.array([*good, *nasty, *strangers], dtype=object)
    rng.shuffle(shapes)
    expected = [strangers.get(shape, RowStatus.GOOD) for shape in shapes]
    rows = shapely.to_wkb(shapes, include_srid=True)
    kind = [pa.binary(), pa.large_binary(), pa.binary_view()][seed % 3]
    # A slice of a larger column: offsets and null bits do not begin at 0.
    whole = column([b"ahead", None, *rows, b"behind"], kind)
    got = from_arrow(whole.slice(2, len(rows)), workers=seed % 3)
    assert got.status.tolist() == expected
    kept = np.flatnonzero(np.array(expected) == RowStatus.GOOD)
    assert got.rows.tolist() == kept.tolist()
    assert unpacked(got.polygons) == flat(shapes[kept])
    parts = shapely.get_num_geometries(shapes[kept])
    assert np.diff(got.polygons.shape_start).tolist() == parts.tolist()


def test_chunks_blocks_and_threads_change_nothing():
    rng = np.random.default_rng(4)
    kinds = [BOX, HOLED, PARTS, None, shapely.Point(0, 0)]
    rows = shapely.to_wkb(np.array([kinds[k] for k in rng.integers(0, 5, 10_000)], dtype=object))
    whole = from_arrow(column(rows), workers=1)
    pieces = pa.chunked_array(
        [column(rows[:1]), column([]), column(rows[1:5000]), column(rows[5000:])]
    )
    for other in (from_arrow(column(rows), workers=2), from_arrow(pieces)):
        for name in ("rows", "status", "is_closed_here"):
            np.testing.assert_array_equal(getattr(other, name), getattr(whole, name))
        for name in ("lonlat", "ring_start", "part_start", "shape_start"):
            one, two = getattr(other.polygons, name), getattr(whole.polygons, name)
            np.testing.assert_array_equal(one, two)
            assert one.dtype == two.dtype


@pytest.mark.parametrize("shape", [HOLED, PARTS], ids=["holed", "parts"])
@pytest.mark.parametrize("little", [True, False])
def test_bytes_cut_off_anywhere_are_unreadable(shape, little):
    row = wkb(shape, little=little, width=3, extended=True, srid=4326)
    # What follows belongs to others: reading on would find bytes that make sense.
    cut = [row[:end] for end in range(len(row))]
    offsets = np.cumsum([0, *(len(one) for one in cut)])
    data = np.frombuffer(b"".join(cut) + row, dtype=np.uint8)
    got = decode(data, offsets)
    assert set(got.status) == {RowStatus.UNREADABLE}
    assert len(got.polygons) == 0


@examples(60)
@given(parcels(), seeds)
def test_garbage_is_never_read_beyond_its_row(shape, seed):
    rng = np.random.default_rng(seed)
    row = bytearray(wkb(shape, width=2 + seed % 3))
    rows = []
    for _ in range(50):
        other = bytearray(row)
        for at in rng.integers(0, min(len(row), 60), rng.integers(1, 4)):
            other[at] = rng.choice([0, 1, 2, 3, 6, 7, 127, 255])
        rows.append(bytes(other))
    got = from_arrow(column(rows))
    starts = got.polygons.vertex_start
    assert starts[-1] == len(got.polygons.lonlat)
    # No row can hold more vertices than its bytes, but for the closing of rings.
    sizes = np.array([len(one) for one in rows])[got.rows]
    rings = np.diff(got.polygons.first_ring)
    assert (np.diff(starts) - 4 * rings <= sizes / 16).all()
    for kept, number in enumerate(got.rows.tolist()):
        # Garbage may be no number.
        with np.errstate(invalid="ignore"):
            read = shapely.from_wkb(rows[number], on_invalid="fix")
        if read is not None:
            xy = got.polygons.lonlat[starts[kept] : starts[kept + 1]]
            theirs = shapely.get_coordinates(read)
            assert len(xy) >= len(theirs)


def test_a_file_of_noise_has_no_polygons():
    rng = np.random.default_rng(8)
    data = rng.integers(0, 256, 100_000, dtype=np.uint8)
    offsets = np.sort(rng.integers(0, len(data), 2_000)).astype(np.int32)
    offsets[0] = 0
    got = decode(data, offsets)
    assert (got.status != RowStatus.GOOD).mean() > 0.99


def test_counts_larger_than_memory_are_unreadable():
    row = bytearray(wkb(BOX))
    for at in (5, 9):
        huge = row.copy()
        huge[at : at + 4] = b"\xff\xff\xff\xff"
        assert from_arrow(column([bytes(huge)])).status.tolist() == [RowStatus.UNREADABLE]


@pytest.mark.parametrize("offsets", [[0, 10**9], [-5, 20], [50, 20, 60], [0, 200]])
def test_offsets_that_lie_are_unreadable(offsets):
    data = np.frombuffer(wkb(BOX), dtype=np.uint8)
    got = decode(data, np.array(offsets))
    assert RowStatus.UNREADABLE in got.status


def test_parts_that_are_no_polygons_are_unreadable():
    points = shapely.to_wkb(shapely.MultiPoint([(1, 2), (3, 4)]))
    row = points[:1] + b"\x06" + points[2:]
    assert from_arrow(column([row])).status.tolist() == [RowStatus.UNREADABLE]


@pytest.mark.parametrize("number", [10, 12, 1010])
def test_curves_are_told_from_polygons(number):
    row = b"\x01" + number.to_bytes(4, "little") + b"\0\0\0\0"
    assert from_arrow(column([row])).status.tolist() == [RowStatus.CURVED]


@pytest.mark.parametrize("number", [0, 18, 99, 4003])
def test_kinds_that_are_not_there_are_unreadable(number):
    row = b"\x01" + number.to_bytes(4, "little") + wkb(BOX)[5:]
    assert from_arrow(column([row])).status.tolist() == [RowStatus.UNREADABLE]


@pytest.mark.parametrize("little", [True, False])
@pytest.mark.parametrize("width", [2, 4])
def test_open_rings_are_closed_and_said(little, width):
    rows = [wkb(PARTS, little=little, width=width, is_open=True), wkb(PARTS)]
    got = from_arrow(column(rows))
    assert unpacked(got.polygons) == flat([PARTS, PARTS])
    assert got.is_closed_here.tolist() == [True, False]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_rings_of_too_few_vertices_are_closed_all_the_same(count):
    corners = np.array([(-71.5, 41.5), (-71.4, 41.6), (-71.4, 41.5)])[:count]
    row = b"\x01\x03\0\0\0\x01\0\0\0" + count.to_bytes(4, "little") + corners.tobytes()
    got = from_arrow(column([row]))
    expected = np.vstack([corners, np.repeat(corners[:1], 4 - count, axis=0)])
    np.testing.assert_array_equal(got.polygons.lonlat, expected)
    assert got.is_closed_here.tolist() == [True]


def test_empty_rings_and_parts_are_left_out():
    none = (0).to_bytes(4, "little")
    box, empty_shell = wkb(BOX), b"\x01\x03\0\0\0\x01\0\0\0" + none
    hole_of_nothing = box[:5] + (2).to_bytes(4, "little") + box[9:] + none
    # A hole without a shell around it is no land either.
    shell_of_nothing = box[:5] + (2).to_bytes(4, "little") + none + box[9:]
    parts = b"\x01\x06\0\0\0\x03\0\0\0" + empty_shell + box + wkb(shapely.Polygon())
    got = from_arrow(column([empty_shell, hole_of_nothing, shell_of_nothing, parts]))
    assert got.status.tolist() == [RowStatus.EMPTY, 0, RowStatus.EMPTY, 0]
    assert unpacked(got.polygons) == flat([BOX, BOX])


def test_no_rows():
    for got in (from_arrow(column([])), from_arrow(pa.chunked_array([], pa.binary()))):
        assert (len(got.polygons), len(got.rows), len(got.status)) == (0, 0, 0)
    got = from_arrow(column([None, None]))
    assert got.status.tolist() == [RowStatus.MISSING] * 2


class Named(pa.ExtensionType):
    def __init__(self):
        super().__init__(pa.binary(), "geoarrow.wkb")

    def __arrow_ext_serialize__(self):
        return b""


def test_extension_columns_are_read_by_what_they_store():
    rows = pa.ExtensionArray.from_storage(Named(), column([wkb(BOX)]))
    assert unpacked(from_arrow(rows).polygons) == flat([BOX])


def test_arrays_of_the_wrong_kind_are_refused():
    data = np.frombuffer(wkb(BOX), dtype=np.uint8)
    offsets = np.array([0, len(data)])
    with pytest.raises(GeoError, match="well-known binary"):
        from_arrow(pa.array(["POINT (1 2)"]))
    with pytest.raises(GeoError, match="uint8"):
        decode(data.view(np.int8), offsets)
    with pytest.raises(GeoError, match="uint8"):
        decode(data[::2], offsets)
    with pytest.raises(GeoError, match="offsets"):
        decode(data, offsets.astype(float))
    with pytest.raises(GeoError, match="offsets"):
        decode(data, offsets[:0])
    with pytest.raises(GeoError, match="is_null"):
        decode(data, offsets, np.zeros(2, dtype=bool))


def test_reasons_are_told_of_all_but_the_good():
    assert RowStatus.GOOD.reason is None
    assert all(status.reason for status in RowStatus if status)


def test_joined_polygons_are_those_of_the_pieces():
    shapes = np.array([BOX, PARTS, HOLED], dtype=object)
    whole = Polygons.from_shapes(shapes)
    pieces = join([whole.take(np.array([0])), whole.take(np.array([1, 2])), join([])])
    for name in ("lonlat", "ring_start", "part_start", "shape_start"):
        np.testing.assert_array_equal(getattr(pieces, name), getattr(whole, name))


@pytest.mark.mirror
@pytest.mark.skipif(not MIRROR.is_dir(), reason="the real parcels (../shared/mirror) are not here")
@pytest.mark.parametrize("name", ["cambridge_ma_fy2013", "maricopa_az_rural"])
def test_real_parcels_are_decoded_as_geos_does(name):
    rows = pq.read_table(MIRROR / f"{name}.parquet")["geometry"]
    shapes = shapely.from_wkb(rows.to_numpy())
    got = from_arrow(rows)
    np.testing.assert_array_equal(got.rows, np.arange(len(shapes)))
    assert unpacked(got.polygons) == flat(shapes)
