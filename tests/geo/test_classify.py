from pathlib import Path

import numpy as np
import pyproj
import pytest
import rasterio
import shapely
from hypothesis import given
from hypothesis import strategies as st
from rasterio.transform import Affine
from scipy import ndimage

from geo import classify as module
from geo.classify import Condition, raster_polygons
from geo.errors import CrsError, GeoError, GeometryError
from geo.polygons import Polygons
from geo.zonal import class_share
from tests.oracle.shapes import examples, seeds
from tests.oracle.zonal import open_raster, place

MIRROR = Path(__file__).parents[3] / "shared" / "mirror"
ALBERS = "EPSG:5070"
UNITS = Affine(1.0, 0.0, 0.0, 0.0, -1.0, 12.0)
TRANSFORMS = {
    "north up": Affine(30.0, 0.0, 1_900_000.0, 0.0, -30.0, 2_300_000.0),
    "south up": Affine(30.0, 0.0, 1_900_000.0, 0.0, 30.0, 2_300_000.0),
    "rotated": Affine(20.0, 7.0, 1_900_000.0, 9.0, -25.0, 2_300_000.0),
}
WORLD = (-180.0, -90.0, 180.0, 90.0)


@examples(60)
@given(
    seeds, st.sampled_from(["blocks", "noise", "ring", "all", "none"]),
    st.sampled_from([4, 5, 64]), st.sampled_from(list(TRANSFORMS)),
)  # fmt: skip
def test_cells_are_inside_when_they_satisfy_the_condition(seed, kind, window, turn):
    rng = np.random.default_rng(seed)
    values = {
        "blocks": lambda: np.kron(rng.integers(0, 3, (4, 4)), np.ones((3, 4))),
        "noise": lambda: rng.integers(0, 3, (12, 16)).astype(float),
        "ring": lambda: np.pad(np.zeros((4, 8)), 4, constant_values=2.0),
        "all": lambda: np.full((12, 16), 2.0),
        "none": lambda: np.zeros((12, 16)),
    }[kind]()
    values[rng.random(values.shape) < 0.1] = np.nan
    transform = TRANSFORMS[turn]
    with pytest.MonkeyPatch.context() as patch, open_raster(values, transform, ALBERS) as dataset:
        patch.setattr(module, "WINDOW", window)
        outlines = raster_polygons(dataset, Condition(above=1.0), bounds_lonlat=WORLD)
    expected = np.nan_to_num(values) > 1.0
    assert shapely.is_valid(outlines).all()
    assert all(outline.geom_type == "Polygon" for outline in outlines)
    forth = pyproj.Transformer.from_crs("OGC:CRS84", ALBERS, always_xy=True)
    planar = shapely.transform(outlines, forth.transform, interleaved=False)
    cell = abs(transform.determinant)
    if window == 64:
        assert len(outlines) == ndimage.label(expected)[1]
    # Each cell is wholly in one outline or in none.
    rows, columns = np.indices(values.shape)
    corners = [place(transform, columns + x, rows + y) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))]
    cells = shapely.polygons(
        np.stack([np.stack(c, axis=-1) for c in corners], axis=2).reshape(-1, 4, 2)
    )
    share = np.zeros(values.size)
    for outline in planar:
        share += shapely.area(shapely.intersection(cells, outline)) / cell
    np.testing.assert_allclose(share.reshape(values.shape), expected, atol=1e-6)
    np.testing.assert_allclose(shapely.area(planar).sum(), expected.sum() * cell, rtol=1e-6)


def held(condition, values):
    return condition.holds(np.asarray(values, dtype=float)).tolist()


def test_conditions_hold_strictly_and_never_for_unknown():
    values = [14.0, 15.0, 16.0, np.nan]
    assert held(Condition(above=15), values) == [False, False, True, False]
    assert held(Condition(below=15), values) == [True, False, False, False]
    assert held(Condition(above=14, below=16), values) == [False, True, False, False]
    assert held(Condition(classes=(14, 16)), values) == [True, False, True, False]


def test_conditions_that_nothing_satisfies_are_refused():
    for options, message in (
        ({}, "asks for nothing"),
        ({"above": 1.0, "classes": (1,)}, "one or the other"),
        ({"classes": ()}, "empty"),
        ({"above": np.nan}, "NaN"),
        ({"classes": (1.0, np.nan)}, "NaN"),
        ({"above": 5.0, "below": 5.0}, "swapped"),
    ):
        with pytest.raises(GeoError, match=message):
            Condition(**options)


def test_long_runs_follow_the_plane():
    # 40 km of cells along a parallel of the plane, which bows by 25 m against one straight line.
    transform = Affine(1000.0, 0.0, 1_900_000.0, 0.0, -1000.0, 2_300_000.0)
    with open_raster(np.ones((1, 40)), transform, ALBERS) as dataset:
        (outline,) = raster_polygons(dataset, Condition(classes=(1,)), bounds_lonlat=WORLD)
    forth = pyproj.Transformer.from_crs("OGC:CRS84", ALBERS, always_xy=True)
    xy = np.column_stack(forth.transform(*shapely.get_coordinates(outline).T))
    middle = shapely.get_coordinates(outline)
    middle = np.column_stack(forth.transform(*((middle[1:] + middle[:-1]) / 2.0).T))
    assert np.hypot(*np.diff(xy, axis=0).T).max() <= 250.001
    off = shapely.distance(
        shapely.points(middle), shapely.box(1_900_000, 2_299_000, 1_940_000, 2_300_000).exterior
    )
    assert off.max() < 0.002


def test_only_windows_that_meet_the_bounds_are_read(monkeypatch):
    monkeypatch.setattr(module, "WINDOW", 2)
    read, windows = module.read_values, []

    def spy(dataset, band, window):
        windows.append((window[0][0], window[1][0]))
        return read(dataset, band, window)

    monkeypatch.setattr(module, "read_values", spy)
    with open_raster(np.ones((12, 12)), UNITS, "EPSG:4326") as dataset:
        some = raster_polygons(dataset, Condition(above=0), bounds_lonlat=(4.5, 4.5, 5.5, 5.5))
        assert set(windows) == {(row, column) for row in (4, 6, 8) for column in (2, 4, 6)}
        assert shapely.union_all(some).covers(shapely.box(4.5, 4.5, 5.5, 5.5))
        windows.clear()
        away = raster_polygons(dataset, Condition(above=0), bounds_lonlat=(90, 4.5, 91, 5.5))
        assert (away.tolist(), windows) == ([], [])


def test_bad_asks_are_refused_by_name():
    condition = Condition(above=0)
    with open_raster(np.ones((2, 2)), UNITS, None) as dataset:
        with pytest.raises(CrsError, match="no CRS"):
            raster_polygons(dataset, condition, bounds_lonlat=WORLD)
        with pytest.raises(GeoError, match="no band 3"):
            raster_polygons(dataset, condition, bounds_lonlat=WORLD, band=3, crs="EPSG:4326")
        with pytest.raises(GeometryError, match="west, south, east, north"):
            raster_polygons(dataset, condition, bounds_lonlat=(1, 0, 0, 1), crs="EPSG:4326")
        assert len(raster_polygons(dataset, condition, bounds_lonlat=WORLD, crs="EPSG:4326")) == 1


@pytest.mark.mirror
@pytest.mark.skipif(not MIRROR.is_dir(), reason="../shared/mirror is not here")
def test_real_land_cover_is_outlined_cell_by_cell():
    place_of_parcels = (-71.45, 41.70, -71.30, 41.80)
    with rasterio.open(MIRROR / "constraints" / "ri_nlcd.tif") as dataset:
        water = raster_polygons(dataset, Condition(classes=(11,)), bounds_lonlat=place_of_parcels)
        assert shapely.is_valid(water).all()
        assert len(water) > 100
        # All of them are water by the raster, and all water of the raster is in them.
        polygons = Polygons.from_shapes(water)
        assert class_share(dataset, polygons, (11,)).share.min() > 1.0 - 1e-4
        cells = (dataset.read(1) == 11).sum()
        forth = pyproj.Transformer.from_crs("OGC:CRS84", dataset.crs.to_wkt(), always_xy=True)
        planar = shapely.transform(water, forth.transform, interleaved=False)
        np.testing.assert_allclose(shapely.area(planar).sum(), cells * 90.0**2, rtol=1e-8)
