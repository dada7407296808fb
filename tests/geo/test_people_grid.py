"""People of points in the cells of a grid: everyone is in one cell."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import GeoError
from geo.people_grid import grid_of, people_cells, rasterize_people
from tests.oracle.shapes import examples, seeds

BOUNDS = (-80.0, 30.0, -70.0, 45.0)


def some(seed, count):
    rng = np.random.default_rng(seed)
    lon, lat = rng.uniform(-79.0, -71.0, count), rng.uniform(31.0, 44.0, count)
    # Some share a place, some stand on the borders of cells.
    lon[::3], lat[::3] = np.round(lon[::3] * 4) / 4, np.round(lat[::3] * 4) / 4
    return lon, lat, rng.integers(0, 10**7, count)


@examples(40)
@given(seeds, st.integers(1, 200), st.sampled_from([30, 180, 3600]))
def test_each_cell_holds_the_people_that_stand_in_it(seed, count, cell_arcsec):
    lon, lat, milli = some(seed, count)
    milli[0] += 1
    grid = rasterize_people(lon, lat, milli, cell_arcsec=cell_arcsec, bounds=BOUNDS)
    assert grid.milli.sum() == milli.sum()
    wanted = {}
    for one_lon, one_lat, one in zip(lon, lat, milli, strict=True):
        # Rows and columns from the grid's own corner, in whole cells.
        column = np.floor((one_lon + 180.0) * (3600 / cell_arcsec))
        row = np.floor((90.0 - one_lat) * (3600 / cell_arcsec))
        if one:
            wanted[row, column] = wanted.get((row, column), 0) + one
    at = grid.lattice.transform
    first_row = round((90.0 - at.f) * 3600 / cell_arcsec)
    first_column = round((at.c + 180.0) * 3600 / cell_arcsec)
    found = {
        (row + first_row, column + first_column): grid.milli[row, column]
        for row, column in np.argwhere(grid.milli)
    }
    assert found == wanted
    # The smallest grid: nobody is missing on any of its four sides.
    assert all(
        side.any() for side in (grid.milli[0], grid.milli[-1], grid.milli[:, 0], grid.milli[:, -1])
    )


@examples(20)
@given(seeds)
def test_the_order_of_points_changes_nothing(seed):
    lon, lat, milli = some(seed, 100)
    order = np.random.default_rng(seed).permutation(100)
    one, other = people_cells(lon, lat, milli), people_cells(lon[order], lat[order], milli[order])
    for name in ("row_no", "column_no", "milli"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_the_ends_of_the_earth_have_cells():
    cells = people_cells(np.array([-180.0, 180.0]), np.array([90.0, -90.0]), np.array([1, 2]))
    assert cells.row_no.tolist() == [0, 21_599]
    assert cells.column_no.tolist() == [0, 43_199]


def test_what_would_lose_people_is_refused():
    one = np.array([-75.0]), np.array([40.0])
    with pytest.raises(GeoError, match="scale them to thousandths"):
        people_cells(*one, np.array([1.5]))
    with pytest.raises(GeoError, match="scale them to thousandths"):
        people_cells(*one, np.array([-1]))
    with pytest.raises(GeoError, match="7 arc seconds do not divide the earth"):
        people_cells(*one, np.array([1]), cell_arcsec=7)
    with pytest.raises(GeoError, match="outside of the grid's bounds"):
        rasterize_people(*one, np.array([1]), bounds=(-74.0, 30.0, -70.0, 45.0))
    with pytest.raises(GeoError, match="no people to make a grid of"):
        grid_of(people_cells(*one, np.array([0])))
