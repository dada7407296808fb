"""People of population rasters, against a loop over their cells, in the grids that publishers use."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from rasterio.transform import Affine
from rasterio.warp import transform_bounds

from geo._raster import Lattice
from geo.errors import CrsError, GeoError
from geo.people import PeopleSource
from geo.people_area import cell_areas_km2
from geo.people_raster import read_people
from geo.radius import radius_sums
from tests.oracle import people as oracle
from tests.oracle.shapes import examples, seeds
from tests.oracle.zonal import open_raster

BOUNDS = (-78.0, 38.3, -76.8, 39.8)
ARC_30 = 1.0 / 120.0
MOLLWEIDE, ALBERS, UTM = "ESRI:54009", "EPSG:5070", "EPSG:32618"
# Name, CRS, cell in units of the CRS, nodata, whether cells hold people per square kilometre.
CONVENTIONS = [
    ("worldpop", "EPSG:4326", 3 * ARC_30, -99_999.0, False),
    ("ghs mollweide", MOLLWEIDE, 2_000.0, -200.0, False),
    ("ghs lonlat", "EPSG:4326", 3 * ARC_30, -200.0, False),
    ("gpw count", "EPSG:4326", 5 * ARC_30, -9_999.0, False),
    ("gpw density", "EPSG:4326", 5 * ARC_30, float(np.finfo(np.float32).min), True),
    ("albers density", ALBERS, 3_000.0, -9_999.0, True),
    ("utm", UTM, 3_000.0, -1.0, False),
]


def points_of(source):
    """Longitudes, latitudes and thousandths of people."""
    return source.lon, source.lat, source.milli


def counties():
    """Two states, west and east of a border; the eastern one has a bite out of it."""
    west, east = shapely.box(-78.0, 38.3, -77.4, 39.8), shapely.box(-77.4, 38.3, -76.8, 39.8)
    bite = shapely.Point(-76.9, 39.1).buffer(0.2)
    rows = {"county_id": ["1", "2"], "state_id": ["VA", "MD"]}
    return gpd.GeoDataFrame(rows, geometry=[west, east.difference(bite)], crs="OGC:CRS84")


def made(crs, cell, nodata, *, seed=0, margin=0.2, dtype=np.float32, declared=True):
    """A raster around the counties: values with nodata, its transform, and the values with NaN."""
    rng = np.random.default_rng(seed)
    wide = np.array(BOUNDS) + margin * np.array([-1, -1, 1, 1])
    west, south, east, north = transform_bounds("EPSG:4326", crs, *wide)
    shape = int((north - south) / cell) + 1, int((east - west) / cell) + 1
    values = rng.gamma(0.3, 300.0, shape).astype(dtype)
    values[rng.random(shape) < 0.3] = 0.0
    unknown = rng.random(shape) < 0.2
    known = np.where(unknown, np.nan, values.astype(float))
    values[unknown] = nodata
    transform = Affine(cell, 0.0, west, 0.0, -cell, north)
    raster = open_raster(values, transform, crs, nodata if declared else None)
    return raster, transform, known


@pytest.mark.parametrize(
    ("crs", "cell", "nodata", "density"), [row[1:] for row in CONVENTIONS], ids=[r[0] for r in CONVENTIONS]
)  # fmt: skip
def test_every_convention_holds_the_people_of_its_cells(crs, cell, nodata, density):
    raster, transform, known = made(crs, cell, nodata)
    land = counties()
    unit = "people_per_km2" if density else "people"
    found = read_people(raster, land, unit=unit)
    cells = oracle.cells(known, transform, crs, density=density)
    ground = shapely.union_all(land.geometry.to_numpy())
    off_deg = shapely.distance(ground, shapely.points(cells[:, :2]))
    inner = off_deg == 0.0
    states = found.states.set_index("state_id")
    assert list(states.index) == ["MD", "VA"]
    # Cells whose centre is a little off the land belong to it: no more than all so near.
    half_deg = 1.3 * np.hypot(cell, cell) / 2 / (1.0 if crs == "EPSG:4326" else 85_000.0)
    near = (off_deg > 0.0) & (off_deg < 1.3 * half_deg)
    totals = oracle.by_state(cells[inner], land.geometry, land["state_id"])
    for state, people in totals.items():
        off = states.loc[state, "source_people"] - people
        assert -1e-6 * people <= off <= cells[near, 2].sum()
    lon, lat, milli = points_of(found.source)
    assert shapely.distance(ground, shapely.points(lon, lat)).max() < half_deg
    # Nobody is lost by rounding, nor between the states and what lies beside them.
    assert milli.sum() / 1000 == pytest.approx(states["source_people"].sum(), abs=0.001)
    everyone = states["source_people"].sum() + found.outside_people
    assert sum(totals.values()) < everyone <= cells[:, 2].sum() * (1 + 1e-6)
    sums = radius_sums(
        np.array([-77.7]), np.array([38.9]), cells[inner, 0], cells[inner, 1],
        np.rint(cells[inner, 2] * 1000).astype(np.int64), (10.0,),
    )  # fmt: skip
    got, is_known = found.source.within(np.array([-77.7]), np.array([38.9]), (10.0,))
    assert is_known.all()
    # Each cell is off by less than a thousandth of a person, whichever way it is rounded.
    assert abs(int(got[0, 0]) - int(sums[0, 0, 0])) <= len(cells)
    assert (found.source.lattice is not None) == (crs == "EPSG:4326")


@examples(25)
@given(seeds, st.sampled_from(CONVENTIONS), st.integers(1, 4000))
def test_windows_that_cross_borders_change_no_bit(seed, convention, strip_cells):
    _, crs, cell, nodata, _ = convention
    raster, _, _ = made(crs, 2 * cell, nodata, seed=seed)
    most_cells = 1_500 if seed % 2 else 10**6
    whole = read_people(raster, counties(), most_cells=most_cells)
    cut = read_people(raster, counties(), most_cells=most_cells, strip_cells=strip_cells)
    for one, other in zip(points_of(whole.source), points_of(cut.source), strict=True):
        np.testing.assert_array_equal(one, other)
    pd.testing.assert_frame_equal(whole.states, cut.states)
    assert (whole.outside_people, whole.outside_count) == (cut.outside_people, cut.outside_count)


def test_a_finer_grid_is_summed_in_squares_and_loses_nobody():
    raster, _, known = made("EPSG:4326", ARC_30, -99_999.0, seed=4)
    fine = read_people(raster, counties())
    coarse = read_people(raster, counties(), most_cells=known.size // 20)
    assert (fine.times, coarse.times) == (1, 4)
    everyone = [each.states["source_people"].sum() + each.outside_people for each in (fine, coarse)]
    assert everyone[1] == pytest.approx(everyone[0], rel=1e-9)
    lon, lat, _ = points_of(coarse.source)
    a, _, c, _, e, f = coarse.source.lattice.transform
    assert (a, e) == pytest.approx((4 * ARC_30, -4 * ARC_30), rel=1e-12)
    np.testing.assert_allclose(((lon - c) / a) % 1.0, 0.5, atol=1e-6)
    np.testing.assert_allclose(((lat - f) / e) % 1.0, 0.5, atol=1e-6)


def test_thin_people_are_not_rounded_away():
    """A country of cells with a ten-thousandth of a person each has all its people."""
    values = np.full((150, 120), 1e-4, dtype=np.float64)
    transform = Affine(0.01, 0.0, -78.0, 0.0, -0.01, 39.8)
    land = counties().iloc[:1]
    found = read_people(open_raster(values, transform, "EPSG:4326"), land)
    # 60 columns lie in the county, the next has its centre half a cell beside it.
    assert found.states["source_people"].to_list() == pytest.approx([150 * 61 * 1e-4], rel=1e-12)
    assert found.source.people == pytest.approx(150 * 61 * 1e-4, abs=0.0005)


def test_states_are_scaled_to_their_census():
    raster, _, _ = made("EPSG:4326", 3 * ARC_30, -99_999.0)
    census = pd.Series({"VA": 123_456, "MD": 654_321, "PA": 7})
    plain = read_people(raster, counties(), census=census).states
    found = read_people(raster, counties(), census=census, scale_to_states=True)
    states = found.states.set_index("state_id")
    assert plain["scale_factor"].tolist() == [1.0, 1.0]
    assert states["people"].to_dict() == {"MD": 654_321, "VA": 123_456}
    assert states["source_people"].tolist() == plain["source_people"].tolist()
    np.testing.assert_allclose(
        states["scale_factor"] * states["source_people"], states["census_people"], rtol=1e-12
    )
    assert found.source.people == 654_321 + 123_456


def test_a_state_that_the_raster_leaves_out_in_part_is_not_scaled_and_its_sums_are_unknown():
    raster, _, _ = made("EPSG:4326", 3 * ARC_30, -99_999.0)
    land = counties()
    beyond = {"county_id": "3", "state_id": "MD"}
    far = gpd.GeoDataFrame([beyond], geometry=[shapely.box(-76.6, 39.0, -76.0, 39.4)], crs=4326)
    land = pd.concat([land, far.set_crs("OGC:CRS84", allow_override=True)], ignore_index=True)
    census = pd.Series({"VA": 10_000, "MD": 10_000})
    found = read_people(raster, land, census=census, scale_to_states=True)
    states = found.states.set_index("state_id")
    assert states.loc["VA", "covered_share"] == 1.0
    assert states.loc["VA", "people"] == 10_000
    assert states.loc["MD", "scale_factor"] == 1.0
    assert 0.7 < states.loc["MD", "covered_share"] < 0.95
    lon, lat = np.array([-77.9, -76.7]), np.array([39.1, 39.1])
    milli, known = found.source.within(lon, lat, (5.0, 25.0, 100.0))
    assert known.tolist() == [[True, True, False], [True, False, False]]
    again = PeopleSource.from_arrays(found.source.to_arrays())
    for one, other in zip(again.within(lon, lat, (5.0, 25.0, 100.0)), (milli, known), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_grid_and_its_points_give_the_same_sums():
    raster, _, _ = made("EPSG:4326", ARC_30, -200.0, seed=2)
    found = read_people(raster, counties()).source
    points = PeopleSource.of_milli(*points_of(found))
    assert found.lattice is not None
    assert points.lattice is None
    rng = np.random.default_rng(1)
    lon, lat = rng.uniform(-78.5, -76.5, 60), rng.uniform(38.0, 40.0, 60)
    radii = (1.0, 5.0, 25.0, 100.0)
    np.testing.assert_array_equal(
        found.within(lon, lat, radii)[0], points.within(lon, lat, radii)[0]
    )


@pytest.mark.parametrize(
    ("crs", "transform"),
    [
        (MOLLWEIDE, Affine(900.0, 0.0, -7.2e6, 0.0, -1_100.0, 4.7e6)),
        (ALBERS, Affine(1_000.0, 200.0, 1.5e6, -300.0, -900.0, 1.9e6)),
        ("EPSG:3857", Affine(2_000.0, 0.0, -8.6e6, 0.0, -2_000.0, 4.8e6)),
        ("EPSG:4326", Affine(0.05, 0.0, -78.0, 0.0, -0.04, 49.0)),
        ("EPSG:4326", Affine(0.05, 0.01, -78.0, 0.01, -0.04, 49.0)),
    ],
)
def test_cells_have_the_area_that_geod_finds(crs, transform):
    to_lonlat = pyproj.Transformer.from_crs(crs, "OGC:CRS84", always_xy=True)
    areas = cell_areas_km2(Lattice.of(transform, (3, 4)), pyproj.CRS.from_user_input(crs))
    areas = np.broadcast_to(areas, (3, 4))
    for row, column in np.ndindex(3, 4):
        wanted = oracle.area_km2(transform, row, column, to_lonlat)
        assert areas[row, column] == pytest.approx(wanted, rel=3e-6)


def broken(value, **how):
    values = np.zeros((20, 20), dtype=np.float32)
    values[7, 9] = value
    transform = Affine(0.1, 0.0, -78.2, 0.0, -0.1, 40.0)
    return open_raster(values, transform, how.pop("crs", "EPSG:4326"), **how)


def test_what_is_no_count_is_named_with_its_raster():
    with pytest.raises(GeoError, match=r"holds -3 people in a cell; state its nodata"):
        read_people(broken(-3.0), counties())
    with pytest.raises(GeoError, match="holds inf people in a cell"):
        read_people(broken(np.inf), counties())
    with pytest.raises(GeoError, match="The unit 'heads' of the raster"):
        read_people(broken(1.0), counties(), unit="heads")
    with pytest.raises(CrsError, match="states no CRS"):
        read_people(broken(1.0, crs=None), counties())
    with pytest.raises(CrsError, match="lies nowhere near the counties"):
        read_people(broken(1.0, crs="EPSG:32618"), counties())
    with pytest.raises(GeoError, match="holds nobody in VA, whose census is 5"):
        read_people(
            broken(0.0), counties().iloc[:1], census=pd.Series({"VA": 5}), scale_to_states=True
        )


@pytest.mark.parametrize("value", [-99_999.0, -9_999.0, -200.0, -3.4e38, np.nan])
def test_what_publishers_write_where_nothing_is_known_is_nobody(value):
    """Whether or not the file declares it."""
    found = read_people(broken(value), counties())
    assert found.source.people == 0.0
    assert len(found.source.lon) == 0
    milli, known = found.source.within(np.array([-77.5]), np.array([39.0]), (5.0,))
    assert (milli.tolist(), known.tolist()) == ([[0]], [[True]])
