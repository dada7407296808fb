import numpy as np
import pytest
from hypothesis import given

from geo.errors import GeometryError
from geo.sample import cell_share
from tests.oracle import sample as oracle
from tests.oracle.shapes import around, examples, places, seeds


@examples(40)
@given(places, seeds)
def test_shares_agree_with_geod(place, seed):
    rng = np.random.default_rng(seed)
    fine = around(place, rng.uniform(0, 360, 30), 3e4 * rng.random(30))
    coarse = around(place, rng.uniform(0, 360, 10), 6e4 * rng.random(10))
    grid = np.vstack([fine, coarse])
    share = np.where(rng.random(40) < 0.2, np.nan, rng.random(40))
    half_diagonal_km = np.repeat([2.93, 9.9], [30, 10])
    samples = around(place, rng.uniform(0, 360, 60), 7e4 * rng.random(60)).reshape(20, 3, 2)
    covered = rng.random((20, 3)) < 0.7
    lon, lat = samples[..., 0], samples[..., 1]
    got = cell_share(lon, lat, *grid.T, share, half_diagonal_km, covered)
    expected = oracle.cell_share(lon, lat, *grid.T, share, half_diagonal_km, covered)
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_known_values():
    lon = np.array([[-100.0, -100.0, -90.0], [-90.0, -90.0, -90.0]])
    lat = np.full((2, 3), 40.0)
    # Two points in a cell of 0.6, one in no cell: nothing there if covered, unknown if not.
    grid = ([-100.0], [40.0], [0.6], 2.93)
    assert cell_share(lon, lat, *grid, covered=True) == pytest.approx([0.4, 0.0])
    assert cell_share(lon, lat, *grid, covered=False) == pytest.approx([0.6, np.nan], nan_ok=True)
    covered = np.array([[False, False, True], [False, False, True]])
    assert cell_share(lon, lat, *grid, covered=covered) == pytest.approx([0.4, 0.0])
    assert cell_share(lon[:, 0], lat[:, 0], *grid, covered=False) == pytest.approx(
        [0.6, np.nan], nan_ok=True
    )


def test_the_finest_cell_that_holds_the_point_counts():
    # 3 km from a fine cell's centre, beyond its reach, and 6 km from a coarse one's.
    place = (-100.0, 40.0)
    grid = around(place, [0.0, 180.0], [3000.0, 6000.0])
    half_km = np.array([2.93, 9.9])
    assert cell_share(
        [-100.0], [40.0], *grid.T, [0.9, 0.2], half_km, covered=True
    ) == pytest.approx([0.2])
    assert cell_share(
        [-100.0], [40.0], *grid.T, [0.9, 0.2], half_km + 0.1, covered=True
    ) == pytest.approx([0.9])


def test_an_unknown_share_is_unknown_and_not_nothing():
    got = cell_share(
        [[-100.0, -99.0]],
        [[40.0, 40.0]],
        [-100.0, -99.0],
        [40.0, 40.0],
        [np.nan, 0.5],
        2.0,
        covered=True,
    )
    assert got == pytest.approx([0.5])
    assert np.isnan(
        cell_share([-100.0], [40.0], [-100.0], [40.0], [np.nan], 2.0, covered=True)
    ).all()


def test_no_cells_and_no_parcels():
    assert cell_share([-100.0], [40.0], [], [], [], 2.0, covered=True).tolist() == [0.0]
    assert cell_share(
        np.empty((0, 7)), np.empty((0, 7)), [-100.0], [40.0], [0.5], 2.0, covered=True
    ).shape == (0,)


def test_bad_input_is_refused_by_name():
    with pytest.raises(GeometryError, match="Sample point 1"):
        cell_share([[-100.0, np.nan]], [[40.0, 40.0]], [-100.0], [40.0], [0.5], 2.0, covered=True)
    with pytest.raises(GeometryError, match="pass one a cell"):
        cell_share([-100.0], [40.0], [-100.0], [40.0], [0.5, 0.5], 2.0, covered=True)
    with pytest.raises(GeometryError, match="above 0 km"):
        cell_share([-100.0], [40.0], [-100.0], [40.0], [0.5], np.nan, covered=True)
