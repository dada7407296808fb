import subprocess
import sys

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo import geodesy
from geo.errors import CrsError, GeometryError
from geo.polygons import Polygons
from tests.oracle.shapes import examples, parcels

NEAR = (-98.0, 39.0)
mixed = st.lists(parcels(near=NEAR), min_size=1, max_size=8)


def as_array(shapes):
    return shapely.force_2d(np.array(shapes, dtype=object))


@given(mixed)
@examples(60)
def test_shapes_come_back_as_they_went_in(shapes):
    shapes = as_array(shapes)
    flat = Polygons.from_shapes(gpd.GeoSeries(shapes, crs="OGC:CRS84"))
    assert len(flat) == len(shapes)
    assert shapely.equals(shapely.normalize(flat.to_shapes()), shapely.normalize(shapes)).all()
    assert (flat.bounds == shapely.bounds(shapes)).all()
    parts = shapely.get_parts(flat.to_shapes())
    assert shapely.is_ccw(shapely.get_exterior_ring(parts)).all()
    holes = [hole for part in parts for hole in part.interiors]
    assert not any(hole.is_ccw for hole in holes)
    closed = flat.lonlat[flat.ring_start[:-1]] == flat.lonlat[flat.ring_start[1:] - 1]
    assert closed.all()


@given(mixed, st.randoms(use_true_random=False))
@examples(40)
def test_taking_rows_is_taking_shapes(shapes, random):
    shapes = as_array(shapes)
    flat = Polygons.from_shapes(shapes)
    rows = np.array([random.randrange(len(shapes)) for _ in range(random.randrange(6))], dtype=int)
    taken = flat.take(rows)
    assert shapely.equals_exact(taken.to_shapes(), flat.to_shapes()[rows]).all()
    assert (taken.ecef == flat.ecef[_vertices(flat, rows)]).all()
    first = flat.take(slice(0, 1))
    mask = np.arange(len(flat)) == 0
    assert shapely.equals_exact(first.to_shapes(), flat.take(mask).to_shapes()).all()


def _vertices(flat, rows):
    starts = flat.vertex_start
    return np.concatenate([np.arange(starts[row], starts[row + 1]) for row in rows] or [[]]).astype(
        int
    )


@given(st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), min_size=3, max_size=30))
@examples(60)
def test_vertices_in_the_plane_and_in_space_agree_with_proj(points):
    points = np.array([*points, points[0]])
    ring = np.array([0, len(points)])
    flat = Polygons(points, ring, np.array([0, 1]), np.array([0, 1]))
    plane = pyproj.Transformer.from_crs("OGC:CRS84", "EPSG:6933", always_xy=True)
    assert flat.plane == pytest.approx(np.column_stack(plane.transform(*points.T)), abs=2e-8)
    space = pyproj.Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
    assert flat.ecef == pytest.approx(
        np.column_stack(space.transform(*points.T, np.zeros(len(points)))), abs=1e-8
    )
    assert flat.ecef == pytest.approx(geodesy.to_ecef(*points.T), abs=1e-8)


def test_nothing_is_no_parcel():
    none = Polygons.from_shapes(np.array([], dtype=object))
    assert len(none) == 0
    assert none.bounds.shape == (0, 4)
    assert none.ecef.shape == (0, 3)
    assert len(none.to_shapes()) == 0


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (None, "Parcel 1 of 2 is missing"),
        (shapely.Polygon(), "Parcel 1 of 2 is empty"),
        (shapely.Point(1, 2), "Parcel 1 of 2 is a Point"),
        (shapely.box(0, 0, 1, 91), "no longitude/latitude"),
    ],
)
def test_what_is_no_parcel_is_named(shape, words):
    shapes = np.array([shapely.box(0, 0, 1, 1), shape], dtype=object)
    with pytest.raises(GeometryError, match=words):
        Polygons.from_shapes(shapes)


def test_a_plane_is_no_place_for_parcels():
    with pytest.raises(CrsError, match="to_crs"):
        Polygons.from_shapes(gpd.GeoSeries([shapely.box(0, 0, 1, 1)], crs="EPSG:5070"))


WITHOUT_NUMBA = """
import sys, warnings
sys.modules["numba"] = None
import numpy as np, shapely
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    from geo.polygons import Polygons
    flat = Polygons.from_shapes(np.array([shapely.box(-98, 39, -97, 40)], dtype=object))
    print(flat.bounds.tolist(), flat.plane.sum())
print([str(warning.message) for warning in said if "numba" in str(warning.message)])
"""


def test_without_numba_the_kernels_run_slowly_and_say_so():
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_NUMBA], capture_output=True, text=True, check=True
    )
    figures, said = run.stdout.strip().splitlines()
    flat = Polygons.from_shapes(np.array([shapely.box(-98, 39, -97, 40)], dtype=object))
    assert figures == f"{flat.bounds.tolist()} {flat.plane.sum()}"
    assert said.count("numba cannot compile here") == 1
    assert "reinstall numba" in said


@given(mixed, st.floats(0.0005, 0.2))
@examples(40)
def test_cutting_edges_moves_nothing(shapes, most_deg):
    flat = Polygons.from_shapes(as_array(shapes))
    fine = flat.cut(most_deg)
    step = np.abs(np.diff(fine.lonlat, axis=0))
    step[fine.ring_start[1:-1] - 1] = 0.0
    assert step.max() <= most_deg * (1 + 1e-9)
    assert set(map(tuple, flat.lonlat)) <= set(map(tuple, fine.lonlat))
    assert fine.to_shapes().size == flat.to_shapes().size
    strayed = shapely.hausdorff_distance(fine.to_shapes(), flat.to_shapes())
    assert strayed == pytest.approx(0.0, abs=1e-12)
    assert flat.cut(90.0) is flat


@given(mixed)
@examples(30)
def test_radius_reaches_the_farthest_vertex(shapes):
    flat = Polygons.from_shapes(as_array(shapes))
    here = geodesy.to_ecef(np.full(len(flat), NEAR[0]), np.full(len(flat), NEAR[1]))
    for number, radius_m in enumerate(flat.radius_m(here)):
        own = flat.ecef[flat.vertex_start[number] : flat.vertex_start[number + 1]]
        assert radius_m == pytest.approx(
            np.linalg.norm(own - here[number], axis=1).max(), rel=1e-12
        )
