import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo import radius
from geo.errors import GeoError, GeometryError
from geo.radius import GroupIndex, RadiusIndex, distinct_within, radius_sums
from tests.oracle import radius as oracle
from tests.oracle.geodesic import METRES_PER_MILE
from tests.oracle.shapes import around, clusters, examples, places, scales_m, seeds

RADII_MI = (0.5, 10.0, 25.0, 100.0, 300.0)


@examples(60)
@given(clusters(), places, scales_m, seeds)
def test_sums_agree_with_geod(features, place, scale_m, seed):
    rng = np.random.default_rng(seed)
    near = around(features[0], rng.uniform(0, 360, 25), scale_m * rng.random(25))
    far = around(place, rng.uniform(0, 360, 5), scale_m * rng.random(5))
    lon, lat = np.vstack([near, far, features[:5]]).T
    values = rng.integers(-(10**9), 10**9, (len(features), 2))
    expected, margin_m = oracle.sums_within(lon, lat, *features.T, values, RADII_MI)
    sums = radius_sums(lon, lat, *features.T, values, RADII_MI)
    clear = margin_m > 0.5
    np.testing.assert_array_equal(sums[clear], expected[clear])

    groups = rng.integers(0, 7, len(features)) * 1_000_003
    counts = distinct_within(lon, lat, *features.T, groups, 25.0)
    expected = oracle.distinct_within(lon, lat, *features.T, groups, 25.0)
    np.testing.assert_array_equal(counts[clear], expected[clear])


def test_sums_of_a_crowded_country_agree_with_geod():
    rng = np.random.default_rng(11)
    features = np.column_stack([rng.uniform(-124, -67, 20_000), rng.uniform(25, 49, 20_000)])
    lon, lat = rng.uniform(-125, -66, 60), rng.uniform(24, 50, 60)
    values = rng.integers(0, 10**6, (20_000, 1))
    expected, margin_m = oracle.sums_within(lon, lat, *features.T, values, (10, 50, 100, 500))
    sums = radius_sums(lon, lat, *features.T, values[:, 0], (10, 50, 100, 500))
    assert sums.shape == (60, 4, 1)
    # At 500 miles the chord decides within 5 m.
    np.testing.assert_array_equal(sums[margin_m > 5.0], expected[margin_m > 5.0])


@examples(60)
@given(
    places, st.floats(0, 360), st.floats(-11.0, 11.0), st.sampled_from([10.0, 25.0, 50.0, 100.0])
)
def test_circles_are_geodesic_to_centimetres(place, bearing, off_m, radius_mi):
    (lon, lat), *_ = around(place, [bearing], [radius_mi * METRES_PER_MILE + off_m])
    sums = radius_sums([place[0]], [place[1]], [lon], [lat], np.array([1]), (radius_mi,))
    if abs(off_m) > 0.034:
        assert sums.item() == (off_m < 0)


def test_the_whole_circle_is_found():
    # Features 1 m on either side of circles, all around: rows at the top, bottom and widest too.
    bearings = np.arange(0.0, 360.0, 0.05)
    for lat in (24.0, 37.123, 50.0, -60.0, 75.0):
        for radius_mi in (0.3, 10.0, 100.0):
            for off_m, expected in ((-1.0, len(bearings)), (1.0, 0)):
                metres = np.full(len(bearings), radius_mi * METRES_PER_MILE + off_m)
                lon_lat = around((-100.0, lat), bearings, metres)
                values = np.ones(len(bearings), dtype=np.int64)
                sums = radius_sums([-100.0], [lat], *lon_lat.T, values, (radius_mi,))
                assert sums.item() == expected


@examples(40)
@given(places, st.floats(0.0, 4.5), seeds, st.sampled_from([0.5, 10.0, 100.0, 900.0]))
def test_company_does_not_change_a_bit(place, power, seed, radius_mi):
    # Features on circles around points that lie together, to within rounding: one by one and all at once.
    rng = np.random.default_rng(seed)
    points = around(place, rng.uniform(0, 360, 40), 10.0**power * rng.random(40))
    off_m = rng.choice([0.0, 1e-9, 1e-7, 1e-4, 0.1], 120) * rng.choice([-1.0, 1.0], 120)
    circles = [
        around(point, rng.uniform(0, 360, 3), radius_mi * METRES_PER_MILE + off)
        for point, off in zip(points, off_m.reshape(40, 3), strict=True)
    ]
    features = np.vstack([*circles, around(place, rng.uniform(0, 360, 50), 2e5 * rng.random(50))])
    values = rng.integers(-(10**9), 10**9, (len(features), 2))
    groups = rng.integers(0, 40, len(features))
    sums, counts = RadiusIndex.of(*features.T, values), GroupIndex.of(*features.T, groups)
    together = sums.sums(*points.T, (radius_mi, 30.0))
    alone = np.concatenate([sums.sums([lon], [lat], (radius_mi, 30.0)) for lon, lat in points])
    np.testing.assert_array_equal(together, alone)
    together = counts.distinct(*points.T, radius_mi)
    alone = np.concatenate([counts.distinct([lon], [lat], radius_mi) for lon, lat in points])
    np.testing.assert_array_equal(together, alone)


def test_points_in_any_order_get_their_own_sums():
    # Rows of neighbours, a crowd, and points all over: groups of all sizes, sorted first or not.
    rng = np.random.default_rng(4)
    features = np.column_stack([rng.uniform(-103, -97, 3_000), rng.uniform(37, 43, 3_000)])
    values, groups = rng.integers(0, 2**40, 3_000), rng.integers(0, 300, 3_000)
    sums, counts = RadiusIndex.of(*features.T, values), GroupIndex.of(*features.T, groups)
    lon = np.concatenate(
        [np.linspace(-102, -98, 300), rng.normal(-100, 0.05, 300), rng.uniform(-102, -98, 300)]
    )
    lat = np.concatenate(
        [np.linspace(38, 42, 300), rng.normal(40, 0.05, 300), rng.uniform(38, 42, 300)]
    )
    alone = np.concatenate([sums.sums(lon[[i]], lat[[i]], (3.0, 40.0)) for i in range(900)])
    each = np.concatenate([counts.distinct(lon[[i]], lat[[i]], 20.0) for i in range(900)])
    assert len(np.unique(alone)) > 900
    for order in (np.arange(900), rng.permutation(900), np.arange(300, 600)):
        np.testing.assert_array_equal(sums.sums(lon[order], lat[order], (3.0, 40.0)), alone[order])
        np.testing.assert_array_equal(counts.distinct(lon[order], lat[order], 20.0), each[order])


def test_circles_cross_the_antimeridian():
    lon, lat = [179.9, -179.9, 0.0], [52.0, 52.0, 52.0]
    sums = radius_sums(lon, lat, [179.95, -179.95], [52.0, 52.0], np.array([1, 10]), (25.0,))
    assert sums[:, 0, 0].tolist() == [11, 11, 0]


def test_order_and_threads_do_not_change_a_bit():
    rng = np.random.default_rng(2)
    lon, lat = rng.uniform(-101, -89, 20_000), rng.uniform(29, 41, 20_000)
    features = np.column_stack([rng.uniform(-100, -90, 3000), rng.uniform(30, 40, 3000)])
    values = rng.integers(0, 2**40, (3000, 2))
    groups = rng.integers(0, 30, 3000)
    one = radius_sums(lon, lat, *features.T, values, (10, 100), workers=1)
    counts = distinct_within(lon, lat, *features.T, groups, 25, workers=1)
    order, shuffle = rng.permutation(20_000), rng.permutation(3000)
    two = radius_sums(
        lon[order], lat[order], *features[shuffle].T, values[shuffle], (10, 100), workers=3
    )
    assert one[order].tobytes() == two.tobytes()
    again = distinct_within(
        lon[order], lat[order], *features[shuffle].T, groups[shuffle], 25, workers=3
    )
    assert counts[order].tobytes() == again.tobytes()
    with ThreadPoolExecutor(3) as pool:
        runs = pool.map(lambda _: radius_sums(lon, lat, *features.T, values, (10, 100)), range(3))
        assert all(run.tobytes() == one.tobytes() for run in runs)


def test_nothing_is_zero():
    none = np.array([], dtype=np.int64)
    assert radius_sums([-100.0], [40.0], [], [], none, (25.0,)).tolist() == [[[0]]]
    assert radius_sums([], [], [-100.0], [40.0], np.array([5]), (25.0,)).shape == (0, 1, 1)
    assert distinct_within([-100.0], [40.0], [], [], none, 25.0).tolist() == [0]
    assert radius_sums([-100.0], [40.0], [-100.0], [40.0], np.array([5]), ()).shape == (1, 0, 1)


def test_bad_input_is_refused_by_name():
    here, there = ([-100.0], [40.0]), ([-100.0], [40.0])
    with pytest.raises(GeoError, match="float64; scale them to integers"):
        radius_sums(*here, *there, np.array([1.5]), (25.0,))
    with pytest.raises(GeoError, match="shape"):
        radius_sums(*here, *there, np.array([1, 2]), (25.0,))
    with pytest.raises(GeoError, match="more than int64"):
        radius_sums([-100.0], [40.0], [-100.0] * 3, [40.0] * 3, np.full(3, 2**61), (25.0,))
    with pytest.raises(GeometryError, match="Feature 0"):
        radius_sums(*here, [-100.0], [425.25], np.array([1]), (25.0,))
    with pytest.raises(GeometryError, match="Point 0"):
        distinct_within([np.nan], [40.0], *there, np.array([1]), 25.0)
    for bad_mi in (0.0, -1.0, np.nan, 1e4):
        with pytest.raises(GeometryError, match="radius"):
            radius_sums(*here, *there, np.array([1]), (bad_mi,))
    with pytest.raises(GeometryError, match="pole"):
        radius_sums([0.0], [88.5], *there, np.array([1]), (100.0,))
    with pytest.raises(GeoError, match="0 or more"):
        distinct_within(*here, *there, np.array([-1]), 25.0)
    with pytest.raises(GeoError, match="one integer a feature"):
        distinct_within(*here, *there, np.array([1.0]), 25.0)


@pytest.mark.parametrize("cache", ["named", "none"])
def test_a_checkout_that_cannot_be_written_still_works(tmp_path, cache):
    # Root may write anywhere, so caches are kept out by files where their directories should be.
    package = tmp_path / "geo"
    shutil.copytree(
        Path(radius.__file__).parent,
        package,
        ignore=shutil.ignore_patterns("__pycache__", "export"),
    )
    (package / "__pycache__").write_text("")
    environment = {
        k: v for k, v in os.environ.items() if k not in {"NUMBA_CACHE_DIR", "PYTHONPATH"}
    }
    environment |= {
        "HOME": str(tmp_path / "__home__"),
        "XDG_CACHE_HOME": str(tmp_path / "__home__"),
    }
    (tmp_path / "__home__").write_text("")
    if cache == "named":
        environment["NUMBA_CACHE_DIR"] = str(tmp_path / "cache")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from geo import _disc\n"
        "assert _disc.__file__.startswith(sys.argv[1])\n"
        "print(_disc._half_width(4.0, 3.0, 4.0, 3.0, 8.0))"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", code, str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("3.14159"), done.stderr
    assert (tmp_path / "cache").exists() == (cache == "named")
