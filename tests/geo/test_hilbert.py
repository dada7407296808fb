import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo import hilbert
from geo.errors import GeometryError
from geo.hilbert import BITS, hilbert_key, hilbert_order
from tests.oracle import shape as oracle
from tests.oracle.shapes import examples

CELL_DEG = 360.0 / 2**BITS


@given(st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), max_size=20))
@examples(100)
def test_keys_are_those_of_the_textbook(points):
    lon, lat = np.array(points, dtype=float).reshape(-1, 2).T
    keys = hilbert_key(lon, lat)
    assert keys.dtype == np.uint64
    cells = zip(
        np.minimum(np.floor((lon + 180.0) / CELL_DEG), 2**BITS - 1).astype(int).tolist(),
        np.floor((lat + 90.0) / CELL_DEG).astype(int).tolist(),
        strict=True,
    )
    assert keys.tolist() == [oracle.hilbert_key(x, y, BITS) for x, y in cells]


def test_every_cell_of_a_small_curve_is_its_own_and_next_to_the_one_before():
    bits = 5
    side = 2**bits
    x, y = np.divmod(np.arange(side * side), side)
    keys = np.empty(side * side, dtype=np.int64)
    # Middles of cells: latitudes of the whole square, which the globe takes half of.
    hilbert._keys((x + 0.5) * 360 / side - 180, (y + 0.5) * 360 / side - 90, bits, keys)
    assert sorted(keys.tolist()) == list(range(side * side))
    order = np.argsort(keys)
    steps = np.abs(np.diff(x[order])) + np.abs(np.diff(y[order]))
    assert (steps == 1).all()


def test_cells_next_to_each_other_in_a_town_are_distinct():
    column, row = np.meshgrid(np.arange(200), np.arange(200))
    lon = -71.5 + (column.ravel() + 0.5) * CELL_DEG
    lat = 41.5 + (row.ravel() + 0.5) * CELL_DEG
    assert len(np.unique(hilbert_key(lon, lat))) == 200 * 200


def test_order_keeps_neighbours_together():
    rng = np.random.default_rng(2)
    lon, lat = rng.uniform(-124, -67, 20_000), rng.uniform(25, 49, 20_000)
    order = hilbert_order(lon, lat)
    assert sorted(order.tolist()) == list(range(20_000))
    step = np.hypot(np.diff(lon[order]), np.diff(lat[order]))
    # Evenly spread, the points lie 0.26 degrees apart.
    assert np.median(step) < 0.4
    assert np.median(step) < 0.02 * np.median(np.hypot(np.diff(lon), np.diff(lat)))


def test_places_of_a_cell_stay_in_order():
    assert hilbert_order(np.full(50, -71.0), np.full(50, 41.0)).tolist() == list(range(50))


def test_threads_and_chunks_change_nothing():
    rng = np.random.default_rng(3)
    lon, lat = rng.uniform(-180, 180, 10_000), rng.uniform(-90, 90, 10_000)
    keys = hilbert_key(lon, lat, workers=1)
    np.testing.assert_array_equal(hilbert_key(lon, lat, workers=2), keys)
    np.testing.assert_array_equal(hilbert_key(lon[3:], lat[3:]), keys[3:])
    np.testing.assert_array_equal(hilbert_key(lon[::2], lat[::2]), keys[::2])


def test_nothing_and_what_is_no_place():
    assert hilbert_key(np.array([]), np.array([])).shape == (0,)
    for lon, lat in ((np.nan, 0.0), (0.0, 91.0), (181.0, 0.0)):
        with pytest.raises(GeometryError):
            hilbert_key(np.array([lon]), np.array([lat]))
