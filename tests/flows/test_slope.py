"""The slope of parcels: measured on the raster that a study declares, against exactextract on the file."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import rasterio
import shapely
import yaml
from exactextract import exact_extract
from rasterio.transform import Affine
from rasterio.warp import transform_bounds

from data.errors import CatalogueError, InputError, ReadError
from data.study import Slope, load_study
from flows import measuring, steps
from flows.home import Home
from tests.flows import tiny
from tests.flows.conftest import rows

SLOPES = ["slope_mean_pct", "slope_max_pct", "gentle_share"]
NODATA = -9999.0
# The raster ends in the midst of the counties, which lie from -78.0 to -76.8 and 38.3 to 39.8.
LONLAT = (-78.1037, 38.6214, -77.0519, 39.8973)
METRES = transform_bounds("EPSG:4326", "EPSG:32618", *LONLAT)


def write_raster(path, bounds=LONLAT, crs="EPSG:4326", size=(128, 105)):
    """Slopes from 0 to 12 %, unknown in a block of a sixth of the raster's width and height."""
    values = np.random.default_rng(3).uniform(0, 12, size).astype(np.float32)
    values[40:61, 30:48] = NODATA
    west, south, east, north = bounds
    transform = Affine((east - west) / size[1], 0, west, 0, (south - north) / size[0], north)
    with rasterio.open(
        path, "w", driver="GTiff", height=size[0], width=size[1], count=1, dtype="float32",
        crs=crs, transform=transform, nodata=NODATA,
    ) as file:  # fmt: skip
        file.write(values, 1)


def declare(study, reader="raster", **options):
    """Let a study and its catalogue name files/slope.tif as slope."""
    catalogue = study.parent / "own.yaml"
    sources = yaml.safe_load(catalogue.read_text())["sources"]
    kept = [entry for entry in sources if entry["id"] != "slope"]
    slope = {"id": "slope", "title": "Made slopes", "tables": {"slope": {"reader": reader}}}
    slope["tables"]["slope"]["options"] = options
    slope["access"] = {"kind": "file", "path": "files/slope.tif"}
    tiny.edit(catalogue, {"sources": [*kept, kept[-1] | slope]})
    tiny.lock(study.parent)
    themes = yaml.safe_load(study.read_text())["themes"]
    themes["land"]["sources"] = list(dict.fromkeys([*themes["land"]["sources"], "slope"]))
    tiny.edit(study, {"themes": themes, "slope": {"raster": "slope"}})


def expected(shapes, path, crs):
    """Slopes of shapes by exactextract; NaN where less than half of a shape is on valid cells."""
    with rasterio.open(path) as raster:
        values, transform = raster.read(1, masked=True), raster.transform
    plane = gpd.GeoDataFrame(geometry=cut(shapes), crs=4326).to_crs(crs)
    found = exact_extract(str(path), plane, ["mean", "max", "count"], output="pandas")
    level = path.with_name("level.tif")
    with rasterio.open(
        level, "w", driver="GTiff", height=values.shape[0], width=values.shape[1], count=1,
        dtype="float32", crs=crs, transform=transform, nodata=NODATA,
    ) as file:  # fmt: skip
        file.write(np.where(values.mask, NODATA, values.data <= 5.0).astype(np.float32), 1)
    found["gentle"] = exact_extract(str(level), plane, ["mean"], output="pandas")["mean"]
    known = found["count"] * abs(transform.determinant) / shapely.area(plane.geometry.to_numpy())
    found.loc[known < 0.5] = np.nan
    assert not ((known - 0.5).abs() < 1e-6).any()
    return found[["mean", "max", "gentle"]].to_numpy(), known.to_numpy()


def cut(shapes):
    """Edges that are straight in degrees stay so, to a hundredth of them, in another plane."""
    return shapely.segmentize(np.asarray(shapes, dtype=object), 0.01)


@pytest.fixture
def place(base, tmp_path):
    """The tiny study with a slope raster beside it, measured in a home of its own."""
    work = base.home / "work"
    (layers,) = work.glob("layers-*.duckdb")
    (power,), (fiber,), (parcels,) = (
        [path for path in work.glob(f"{what}-*.parquet") if path.name.count(".") == 1]
        for what in ("power", "fiber", "parcel")
    )
    home = Home.at(tmp_path / "home").make()
    (tmp_path / "files").mkdir()
    for path in base.study.parent.glob("files/*"):
        (tmp_path / "files" / path.name).hardlink_to(path)
    for name in (base.study.name, "own.yaml"):
        (tmp_path / name).write_text((base.study.parent / name).read_text())
    raster = tmp_path / "files" / "slope.tif"
    said = []

    def run(chunk_parcels=1000, **options):
        declare(tmp_path / base.study.name, **options)
        study = load_study(str(tmp_path / base.study.name))
        how = study.measure.model_copy(update={"chunk_parcels": chunk_parcels})
        study = study.model_copy(update={"measure": how})
        pulled = {"slope": steps.pull_source("slope", home, study, offline=False)}
        return measuring.measure_parcels(
            study, layers, power, fiber, parcels, None, home, said.append, pulled=pulled
        )

    run.raster, run.parcels, run.home, run.said = raster, parcels, home, said
    return run


@pytest.mark.parametrize(
    ("bounds", "crs"), [(LONLAT, "EPSG:4326"), (METRES, "EPSG:32618")], ids=["lonlat", "metres"]
)
def test_the_slope_of_a_cell_is_that_of_what_it_covers(place, bounds, crs):
    """Cells inside of the raster, partly beyond it, beyond it, and around its unknown block."""
    write_raster(place.raster, bounds, crs)
    shapes = gpd.read_parquet(place.parcels)
    wanted, known = expected(shapes.geometry, place.raster, crs)
    found = pd.read_parquet(place()).set_index("parcel_id").loc[shapes["parcel_id"], SLOPES]
    np.testing.assert_allclose(found.to_numpy(), wanted, rtol=1e-5, atol=1e-6)
    partly = (known > 0.5) & (known < 0.999)
    corner = (known > 0) & (known < 0.5)
    assert min(partly.sum(), corner.sum(), (known == 0).sum(), (known > 0.999).sum()) >= 3


def test_the_chunk_size_decides_no_bit_of_a_slope(place):
    write_raster(place.raster, METRES, "EPSG:32618")
    one = place()
    held = pq.read_table(one)
    assert held.column("slope_mean_pct").null_count < len(held)
    one.unlink()
    again = place(chunk_parcels=3)
    assert again == one
    assert pq.read_table(again).equals(held)


def test_metrics_are_reused_until_the_raster_or_its_reading_changes(place):
    write_raster(place.raster)
    first = place()
    assert place() == first
    assert place.said[-1] == "metrics: unchanged, reused"
    assert place(crs="OGC:CRS84") != first
    write_raster(place.raster, size=(64, 105))
    assert place() != first


def test_the_crs_of_the_catalogue_wins_over_that_of_the_file(place):
    """The file calls its degrees metres; read so, it meets no parcel."""
    write_raster(place.raster)
    right = pd.read_parquet(place())
    write_raster(place.raster, crs="EPSG:32618")
    with pytest.raises(InputError, match="slope raster 'slope' meets no parcel: By its CRS"):
        place()
    pd.testing.assert_frame_equal(pd.read_parquet(place(crs="EPSG:4326")), right)


def test_a_raster_that_is_none_or_has_no_crs_is_named(place):
    write_raster(place.raster, crs=None)
    with pytest.raises(ReadError, match=r"slope\.tif states no CRS"):
        place()
    with pytest.raises(CatalogueError, match="Source 'slope' is not read as a raster"):
        place(reader="geo")


@pytest.mark.slow
def test_a_run_tells_the_slopes_of_its_parcels(world, plain, gridstead, base):
    write_raster(world.study.parent / "files" / "slope.tif")
    declare(world.study)
    assert gridstead("run", world.study, "--home", world.home).code == 0
    query = f"select parcel_id, {', '.join(SLOPES)} from core.parcel_metric order by parcel_id"
    found = rows(world.build, query)
    query = "select st_aswkb(geometry) from core.parcel order by parcel_id"
    shapes = shapely.from_wkb([bytes(shape) for (shape,) in rows(world.build, query)])
    wanted, _ = expected(shapes, world.study.parent / "files" / "slope.tif", "EPSG:4326")
    values = np.array([row[1:] for row in found], dtype=float)
    np.testing.assert_allclose(values, wanted, rtol=1e-5, atol=1e-6)
    told = "select layer, source_id, row_count from meta.layer_source where layer = 'slope'"
    assert rows(world.build, told) == [("slope", "slope", None)]
    assert "## Slope\n\nThe slope of each parcel is that of the cells of Made slopes" in (
        (world.home / "exports" / "report.md").read_text()
    )
    first = next(row for row in found if row[1] is not None)
    answer = gridstead("explain", first[0], "--home", world.home)
    note = f"slope {first[1]:.1f} % on average, {first[2]:.1f} % at the steepest; "
    assert f"{note}{first[3]:.0%} of its known ground at or under 5 %" in " ".join(
        answer.out.split()
    )
    unknown = next(row[0] for row in found if row[1] is None)
    assert "% on average" not in gridstead("explain", unknown, "--home", world.home).out
    # The same study without the raster: nothing is known, nothing is told.
    count = "select count(slope_mean_pct), count(slope_max_pct), count(gentle_share)"
    assert rows(base.build, f"{count} from core.parcel_metric") == [(0, 0, 0)]
    assert "## Slope" not in (base.home / "exports" / "report.md").read_text()


NO_RASTER = {"raster": "gshhs_lake"}
UNKNOWN = {"raster": "gshhs_lakes"}
STEEP = {"condition": {"above": 15}, "why": "steep"}
IS_NONE = "names 'gshhs_lake' as a raster: Source 'gshhs_lake' is not read as a raster."
IS_NOWHERE = "names 'gshhs_lakes' as a raster: There is no source 'gshhs_lakes' in the catalogue."


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"slope": NO_RASTER}, f"In study tiny, slope {IS_NONE}"),
        ({"exclusions": [NO_RASTER | STEEP]}, f"In study tiny, an exclusion {IS_NONE}"),
        ({"slope": UNKNOWN}, f"In study tiny, slope {IS_NOWHERE}"),
        ({"slope": {"raster": "ri_srtm_slope"}}, "slope names raster 'ri_srtm_slope', which is in"),
    ],
)
@pytest.mark.usefixtures("untouched")
def test_what_is_no_raster_is_said_before_anything_is_pulled(world, run, monkeypatch, change, said):
    themes = yaml.safe_load(world.study.read_text())["themes"]
    if change.get("slope") is UNKNOWN:
        themes["land"]["sources"].append("gshhs_lakes")
    tiny.edit(world.study, {"themes": themes} | change)
    monkeypatch.setattr(steps, "pull_source", lambda *_, **__: pytest.fail("pulled"))
    answer = run()
    assert answer.code == 2
    assert said in " ".join(answer.err.split())


def test_a_slope_is_one_word_of_a_study(base):
    study = load_study(str(base.study))
    assert study.slope is None
    assert study.rasters == []
    assert study.model_copy(update={"slope": Slope(raster="slope")}).rasters == [("slope", "slope")]
