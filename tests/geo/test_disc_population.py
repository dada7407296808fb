import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rasterio.transform import Affine

from geo import disc_population as module
from geo.disc_population import PopulationGrid
from geo.errors import CrsError, GeoError, GeometryError
from geo.geodesy import to_ecef
from tests.oracle import radius as oracle
from tests.oracle.arcs import arc_to_chord_m
from tests.oracle.geodesic import METRES_PER_MILE
from tests.oracle.shapes import around, examples, places, seeds
from tests.oracle.zonal import open_raster


def centres(transform, shape):
    """Longitudes and latitudes of cells, in the array's order."""
    rows, columns = np.indices(shape)
    lon = transform.c + (columns.ravel() + 0.5) * transform.a
    return lon, transform.f + (rows.ravel() + 0.5) * transform.e


def some_grid(place, cell_deg, shape, rng, *, south_up=False, from_east=False):
    """A grid around a place: its transform, and people, most cells empty."""
    height, width = shape
    dx, dy = (-cell_deg if from_east else cell_deg), (cell_deg if south_up else -cell_deg)
    west = place[0] - dx * width * rng.uniform(0.2, 0.8)
    north = place[1] - dy * height * rng.uniform(0.2, 0.8)
    people = rng.integers(0, 10**6, shape) * (rng.random(shape) < 0.4)
    return Affine(dx, 0.0, west, 0.0, dy, north), people


@examples(60)
@given(places, seeds, st.floats(-3.0, -0.5), st.booleans(), st.booleans())
def test_people_agree_with_geod(place, seed, power, south_up, from_east):
    rng = np.random.default_rng(seed)
    transform, people = some_grid(
        place, 10.0**power, (23, 31), rng, south_up=south_up, from_east=from_east
    )
    cell_lon, cell_lat = centres(transform, people.shape)
    # Two cells of the southernmost row and their neighbours, middles of cells, and points off the grid.
    lon = np.concatenate([place[0] + 10.0**power * rng.normal(0, 12, 15), cell_lon[:9]])
    lat = np.concatenate([place[1] + 10.0**power * rng.normal(0, 12, 15), cell_lat[:9]])
    size_mi = 10.0**power * 69.0
    radii_mi = tuple(min(size_mi * times, 300.0) for times in (0.4, 3.0, 9.0))
    values = people.reshape(-1, 1)
    expected, margin_m = oracle.sums_within(lon, lat, cell_lon, cell_lat, values, radii_mi)
    found = PopulationGrid.of(people, transform, scale=1).within(lon, lat, radii_mi)
    # At 300 miles the chord decides within 1.5 m.
    clear = margin_m > 1.5
    assert clear.any()
    np.testing.assert_array_equal(np.nan_to_num(found[clear]), expected[clear, :, 0])


@examples(60)
@given(places, seeds, st.sampled_from([1.0, 10.0, 100.0, 900.0]))
def test_centres_on_the_very_edge_are_decided_by_their_chord(place, seed, radius_mi):
    # One cell in a wide row, its centre on a circle to within rounding of it.
    rng = np.random.default_rng(seed)
    for bearing in (*rng.uniform(0, 360, 6), 0.0, 90.0, 180.0, 270.0):
        ((lon, lat),) = around(place, [bearing], [radius_mi * METRES_PER_MILE])
        transform = Affine(0.01, 0.0, lon - 0.025, 0.0, -0.01, lat + 0.005)
        people = np.array([[0, 0, 7, 0, 0]])
        cell_lon, cell_lat = centres(transform, people.shape)
        chord_m = arc_to_chord_m(radius_mi * METRES_PER_MILE, place[1])
        off = to_ecef(cell_lon[2:3], cell_lat[2:3]) - to_ecef(*np.array([place]).T)
        beyond_m = np.sqrt((off**2).sum()) - chord_m
        found = PopulationGrid.of(people, transform, scale=1).within(
            *np.array([place]).T, (radius_mi,)
        )
        # Two ways to the same chord agree but for rounding.
        if abs(beyond_m) > 1e-7:
            assert np.nan_to_num(found).item() == (0.0 if beyond_m > 0.0 else 7.0)


def test_metres_from_the_edge_of_the_circle_all_around():
    # Single cells 1.5 m inside and outside of circles, at all bearings.
    for lat in (24.0, 50.0, -60.0, 74.0):
        for radius_mi in (10.0, 100.0, 300.0):
            for off_m, expected in ((-1.5, 1.0), (1.5, 0.0)):
                for bearing in np.arange(0.0, 360.0, 20.0):
                    metres = radius_mi * METRES_PER_MILE + off_m
                    ((x, y),) = around((-100.0, lat), [bearing], [metres])
                    grid = PopulationGrid.of(
                        np.array([[1]]), Affine(0.01, 0.0, x - 0.005, 0.0, -0.01, y + 0.005)
                    )
                    found = grid.within([-100.0], [lat], (radius_mi,))
                    assert np.nan_to_num(found).item() == expected


def test_everyone_is_counted_once():
    rng = np.random.default_rng(3)
    people = rng.gamma(0.1, 30.0, (40, 60)).astype(np.float32)
    grid = PopulationGrid.of(people, Affine(0.1, 0.0, -103.0, 0.0, -0.1, 42.0))
    assert abs(grid.total - people.sum(dtype=float)) < 0.001 * 40
    assert grid.within([-100.0], [40.0], (900.0,)).item() == grid.total
    # Cells too thinly peopled to count singly still add up.
    thin = PopulationGrid.of(
        np.full((10, 5_000), 0.0002), Affine(0.001, 0.0, -103.0, 0.0, -0.001, 42.0)
    )
    assert thin.total == 10.0


def test_order_threads_and_company_do_not_change_a_bit():
    rng = np.random.default_rng(8)
    people = rng.gamma(0.1, 30.0, (200, 300))
    grid = PopulationGrid.of(people, Affine(0.05, 0.0, -105.0, 0.0, -0.05, 45.0))
    lon, lat = rng.uniform(-104, -91, 5_000), rng.uniform(36, 44, 5_000)
    one = grid.within(lon, lat, (10.0, 100.0), workers=1)
    order = rng.permutation(5_000)
    assert (
        grid.within(lon[order], lat[order], (10.0, 100.0), workers=3).tobytes()
        == one[order].tobytes()
    )
    alone = np.concatenate(
        [grid.within([x], [y], (10.0, 100.0)) for x, y in zip(lon[:50], lat[:50], strict=True)]
    )
    assert alone.tobytes() == one[:50].tobytes()


def test_grids_around_the_earth_and_over_the_antimeridian():
    around_earth = np.ones((180, 360), dtype=np.int64)
    grid = PopulationGrid.of(around_earth, Affine(1.0, 0.0, -180.0, 0.0, -1.0, 90.0), scale=1)
    found = grid.within([179.9, -179.9, 0.1], [40.0, 40.0, 40.0], (300.0,))
    cell_lon, cell_lat = centres(Affine(1.0, 0.0, -180.0, 0.0, -1.0, 90.0), (180, 360))
    expected, _ = oracle.sums_within(
        np.array([179.9, -179.9, 0.1]), np.full(3, 40.0), cell_lon, cell_lat,
        np.ones((len(cell_lon), 1), dtype=np.int64), (300.0,),
    )  # fmt: skip
    np.testing.assert_array_equal(found, expected[:, :, 0])
    assert expected.min() > 50
    # The Aleutians, in a grid that goes on beyond 180 degrees.
    over = PopulationGrid.of(np.ones((20, 40)), Affine(0.1, 0.0, 178.0, 0.0, -0.1, 53.0), scale=1)
    west, east = over.within([179.9, -179.9], [52.0, 52.0], (20.0,)).ravel()
    assert west > 10
    assert abs(west - east) < 6


def test_points_off_the_grid_know_nothing():
    grid = PopulationGrid.of(np.full((10, 10), 5.0), Affine(0.1, 0.0, -100.0, 0.0, -0.1, 40.0))
    found = grid.within([-99.5, -98.9, -80.0, -99.5], [39.5, 39.5, 39.5, 39.504], (25.0, 0.01))
    assert found[0, 0] == found[3, 0] > 200
    assert 0 < found[1, 0] < found[0, 0]
    # No centre within 16 m, on the grid: nobody; off the grid: unknown.
    assert found[3, 1] == 0.0
    assert np.isnan(found[1:3, 1]).all()
    assert np.isnan(found[2, 0])
    assert grid.within([], [], (25.0,)).shape == (0, 1)


def test_rasters_are_read_in_strips(monkeypatch):
    monkeypatch.setattr(module, "STRIP_CELLS", 50)
    rng = np.random.default_rng(2)
    people = rng.integers(0, 1000, (33, 20)).astype(np.float32)
    people[rng.random(people.shape) < 0.2] = -200.0
    transform = Affine(0.1, 0.0, -103.0, 0.0, -0.1, 42.0)
    whole = PopulationGrid.of(np.where(people < 0, np.nan, people), transform)
    for source, at in (
        (people, transform),
        (people[::-1, ::-1], Affine(-0.1, 0.0, -101.0, 0.0, 0.1, 38.7)),
    ):
        with open_raster(np.ascontiguousarray(source), at, "EPSG:4326", nodata=-200.0) as dataset:
            read = PopulationGrid.of(dataset)
        assert read.total == whole.total == people[people > 0].sum()
        lon, lat = rng.uniform(-103, -101, 50), rng.uniform(38.7, 42, 50)
        np.testing.assert_array_equal(
            read.within(lon, lat, (25.0,)), whole.within(lon, lat, (25.0,))
        )


def test_bad_grids_are_refused_by_name():
    transform, ones = Affine(0.1, 0.0, -103.0, 0.0, -0.1, 42.0), np.ones((3, 3))
    with pytest.raises(GeoError, match="its transform"):
        PopulationGrid.of(ones)
    with pytest.raises(GeoError, match="-5 people in a cell"):
        PopulationGrid.of(ones - 6.0, transform)
    with pytest.raises(GeoError, match="inf people"):
        PopulationGrid.of(ones * np.inf, transform)
    with pytest.raises(GeoError, match="rotated"):
        PopulationGrid.of(ones, Affine(0.1, 0.1, -103.0, 0.0, -0.1, 42.0))
    with pytest.raises(GeoError, match="beyond the earth"):
        PopulationGrid.of(ones, Affine(30.0, 0.0, 0.0, 0.0, -90.0, 90.0))
    with pytest.raises(GeoError, match="int64"):
        PopulationGrid.of(ones * 1e16, transform)
    with open_raster(ones, Affine(30.0, 0.0, 1e6, 0.0, -30.0, 2e6), "EPSG:5070") as dataset:
        with pytest.raises(CrsError, match="warp it to EPSG:4326"):
            PopulationGrid.of(dataset)
        with pytest.raises(GeoError, match="no band 2"):
            PopulationGrid.of(dataset, band=2)
    grid = PopulationGrid.of(ones, transform)
    with pytest.raises(GeometryError, match="radius"):
        grid.within([-103.0], [42.0], (0.0,))
    with pytest.raises(GeometryError, match="Point 0"):
        grid.within([np.nan], [42.0], (1.0,))
    with pytest.raises(GeometryError, match="pole"):
        grid.within([-103.0], [88.9], (100.0,))
