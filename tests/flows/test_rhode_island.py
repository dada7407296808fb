"""The study of real parcels: exclusions held against the rasters and waters themselves, and what ranks first."""

from pathlib import Path
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from exactextract import exact_extract
from rasterio.io import MemoryFile

from data.catalogue import load_catalogue
from data.study import load_study
from flows import cli, exclusions
from flows.fiber_graph import read_fiber
from geo.contiguous import buildable
from geo.geodesy import geodesic_km
from geo.polygons import Polygons
from tests.flows.conftest import rows
from tests.flows.equal_latency import assert_answers_equal_metrics, least_differences
from tests.flows.plain import without_prefect

ROOT = Path(__file__).parents[2]
MIRROR = ROOT.parent / "shared" / "mirror"
PARCELS = MIRROR / "parcels" / "Rhode_Island.gpkg"
PLANE = "EPSG:32130"
TOP = 20

pytestmark = [
    pytest.mark.mirror,
    pytest.mark.skipif(not PARCELS.exists(), reason="../shared/mirror is missing"),
]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The study run on the real parcels, as the README says."""
    home = tmp_path_factory.mktemp("rhode-island")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRIDSTEAD_MIRROR", str(MIRROR))
        without_prefect(patch)
        words = [
            "run",
            "rhode-island",
            "--parcels",
            PARCELS,
            "--home",
            home,
            "--no-export",
            "--quiet",
        ]
        assert cli.main([str(word) for word in words]) == 0
    (parcels,) = [path for path in (home / "work").glob("parcel-*") if path.name.count(".") == 1]
    (excluded,) = (home / "work").glob("exclusion-*.npz")
    frame = gpd.read_parquet(parcels).set_index("parcel_id")
    found = buildable(
        exclusions.load_exclusions(excluded), Polygons.from_shapes(frame.geometry.to_numpy())
    )
    frame["excluded_share"] = found.excluded_share
    frame["contiguous_acres"] = found.contiguous_acres
    (fiber,) = [
        path for path in (home / "work").glob("fiber-*.parquet") if path.name.count(".") == 1
    ]
    return SimpleNamespace(home=home, build=home / "gridstead.duckdb", parcels=frame, fiber=fiber)


def sampled_share(shape):
    """Share of points of a fine grid in a shape that lie on excluded ground, looked up one by one."""
    west, south, east, north = shape.bounds
    step = np.sqrt(shape.area / 4_000)
    x, y = np.meshgrid(np.arange(west, east, step), np.arange(south, north, step))
    x, y = x.ravel() + step / 2, y.ravel() + step / 2
    inside = shapely.contains_xy(shape, x, y)
    x, y = x[inside], y[inside]
    out = np.zeros(len(x), dtype=bool)
    for item in load_study("rhode-island").exclusions:
        if item.raster is None:
            continue
        path = MIRROR / load_catalogue().source(item.raster).access.path
        with rasterio.open(path) as raster:
            values = raster.read(1)
            columns, rows_ = ~raster.transform @ np.array([x, y])
        value = values[rows_.astype(int), columns.astype(int)]
        if item.condition.classes is not None:
            out |= np.isin(value, item.condition.classes)
        else:
            out |= value > item.condition.above
    points = shapely.points(x, y)
    near = WATER.sindex.query(points, predicate="dwithin", distance=30.0)
    out[near[0]] = True
    return out.mean()


WATER = (
    gpd.read_file(MIRROR / "constraints" / "Rhode_Island_Water.gpkg").to_crs(PLANE)
    if PARCELS.exists()
    else None
)


def test_every_parcel_of_the_file_is_measured(run):
    assert rows(run.build, "select count(*) from core.parcel") == [(3_514,)]
    assert rows(run.build, "select distinct state_id from core.parcel") == [("RI",)]
    failed = "from meta.check_result where severity = 'error' and offending_count > 0"
    assert rows(run.build, failed) == []
    told = rows(run.build, "select excluded from meta.exclusion order by exclusion_no")
    assert [text for (text,) in told] == [
        "constraint_area constraint_kind water, and 30 m around",
        "lake",
        "park",
        "ri_srtm_slope above 15",
        "ri_nlcd classes 11, 90, 95",
        "ri_padus classes 1, 2",
    ]


def test_what_is_excluded_is_what_the_rasters_and_waters_say(run):
    """The largest parcels and those that are excluded in part, against points looked up one by one."""
    parcels = run.parcels
    partly = parcels[(parcels["excluded_share"] > 0.05) & (parcels["excluded_share"] < 0.95)]
    chosen = list(dict.fromkeys([*parcels["area_acres"].nlargest(40).index, *partly.index[:60]]))
    shapes = parcels.loc[chosen].geometry.to_crs(PLANE)
    sampled = [sampled_share(shape) for shape in shapes]
    # Some 4,000 points a parcel: a border of a cell is found to a few hundredths of its area.
    assert parcels.loc[chosen, "excluded_share"].to_numpy() == pytest.approx(sampled, abs=0.02)
    assert len(partly) > 60


def test_the_slopes_of_lots_are_those_that_exactextract_finds_in_the_file(run):
    """The raster reaches every lot; a lot of which less than half is on known cells has no slope."""
    names = "slope_mean_pct, slope_max_pct, gentle_share"
    found = rows(run.build, f"select parcel_id, {names} from core.parcel_metric")
    path = MIRROR / load_catalogue().source("ri_srtm_slope").access.path
    with rasterio.open(path) as raster:
        values, transform, crs = raster.read(1, masked=True), raster.transform, raster.crs
        profile = raster.profile | {"dtype": "float32", "driver": "GTiff"}
    shapes = run.parcels.loc[[name for name, *_ in found]].geometry
    plane = gpd.GeoDataFrame(geometry=shapely.segmentize(shapes.to_numpy(), 0.01), crs=4326)
    plane = plane.to_crs(crs)
    with MemoryFile() as file:
        with file.open(**profile) as level:
            level.write((values <= 5.0).astype(np.float32).filled(profile["nodata"]), 1)
        with file.open() as level:
            gentle = exact_extract(level, plane, ["mean"], output="pandas")["mean"]
    told = exact_extract(str(path), plane, ["mean", "max", "count"], output="pandas")
    known = told["count"] * abs(transform.determinant) / plane.area
    wanted = np.column_stack([told["mean"], told["max"], gentle])
    wanted[(known < 0.5).to_numpy()] = np.nan
    measured = np.array([row[1:] for row in found], dtype=float)
    np.testing.assert_allclose(measured, wanted, rtol=1e-6, atol=1e-9)
    assert np.isfinite(measured).all(axis=1).mean() > 0.99
    assert ((measured[:, 2] > 0) & (measured[:, 2] < 1)).sum() > 30


def test_what_ranks_first_is_land_that_one_could_build_on(run):
    """No first parcel is water, a marsh or a reserve, whatever acres its file gives it.

    The largest lot has 150 acres, of which the largest piece that may be built on has 20: in a suburb
    there is no campus. The edge has a few sites of 5 acres and more.
    """
    first = {
        workload: rows(
            run.build,
            f"select parcel_id, gate_status from mart.{workload}_parcels where rank <= {TOP} "
            "order by rank",
        )
        for workload in ("training", "inference")
    }
    assert first["training"] == []
    assert run.parcels["acres"].max() > 100 > run.parcels["contiguous_acres"].max()
    assert {status for _, status in first["inference"]} == {"pass"}
    sites = run.parcels.loc[[name for name, _ in first["inference"]]]
    assert len(sites) >= 5
    assert sites["contiguous_acres"].min() >= 5
    assert sites["excluded_share"].max() < 0.9
    wet = run.parcels[(run.parcels["acres"] > 5) & (run.parcels["excluded_share"] > 0.8)]
    assert len(wet) > 1
    assert not set(wet.index) & set(sites.index)


def test_the_build_holds_the_shares_of_the_exclusions(run):
    found = rows(
        run.build, "select parcel_id, excluded_share, contiguous_acres from core.parcel_metric"
    )
    expected = run.parcels.loc[[name for name, *_ in found]]
    assert [share for _, share, _ in found] == expected["excluded_share"].tolist()
    assert [acres for *_, acres in found] == expected["contiguous_acres"].tolist()


def test_the_build_tells_of_every_line_how_its_voltage_is_known(run):
    (count, told) = rows(
        run.build,
        "select count(*), count(voltage.line_id) from core.line left join mart.line_voltage as voltage using (line_id)",
    )[0]
    assert count == told > 100
    wrong = """
        from mart.line_voltage
        where (kv is null) <> (confidence is null) or confidence not between 0 and 1 or (is_inferred and kv is null)
    """
    assert rows(run.build, f"select count(*) {wrong}") == [(0,)]
    by_class = "select is_inferred, count(*) from mart.line_voltage where kv is not null group by 1"
    found = dict(rows(run.build, by_class))
    assert found[True] > 0
    assert found[False] > 100


def test_the_round_trips_of_lots_are_the_least_of_those_to_all_metros(run):
    assert least_differences(run.build) == {"metro": [], "major_metro": []}
    pairs = "select count(distinct parcel_id), count(distinct metro_id) from mart.parcel_metro_rtt"
    ((lots, metros),) = rows(run.build, pairs)
    assert lots == len(run.parcels)
    assert metros > 180


def test_the_command_line_tells_of_lots_what_is_published_of_them(run, gridstead):
    assert_answers_equal_metrics(gridstead, run.home, count=20)


def test_round_trips_that_publishers_state_lie_in_their_intervals(run, monkeypatch):
    """Aims of the model, on the fiber of the whole country that the study measures against."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from published_rtt import judged, published, told

    found = judged(published(), read_fiber(run.fiber))
    placed = told(found[found["is_placed"]])
    assert placed["pairs"] > 200
    assert placed["covered"] >= 0.8
    assert placed["size_of_error"] <= 0.2
    assert 0.3 < placed["width"] < 1.0


def test_no_node_is_nearer_than_light_and_every_one_is_connected_or_says_why(run):
    index = read_fiber(run.fiber)
    count = len(index.node_id)
    here, there = np.repeat(np.arange(count), count), np.tile(np.arange(count), count)
    km = geodesic_km(index.lon[here], index.lat[here], index.lon[there], index.lat[there])
    low = index.node_ms[:, :, 0].ravel()
    # Kept in single precision.
    assert (low >= index.rules.fiber_ms(km) * (1 - 1e-6)).all()
    told = rows(
        run.build,
        "select is_connected, unknown_reason is null, count(*) from mart.fiber_node group by all",
    )
    assert {(known, silent) for known, silent, _ in told} == {(True, True), (False, False)}
    assert index.is_connected.mean() > 0.98
