"""Rasters of scores: each cell holds what the shape under its centre has, and the file is as the format wants."""

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from rio_cogeo import cog_validate

from geo.errors import GeoError, GeometryError
from geo.export import ExportLayer, cog
from geo.export.suitability import grid_over, in_plane, resolution_of
from tests.geo.export_samples import NOTE

FINE = 250.0


def hexagons(side=0.06, west=-99.0, south=38.0, columns=18, rows=9):
    """Cells without gaps: every other row is shifted by half."""
    angle = np.deg2rad(np.arange(6) * 60 + 30)
    ring = np.column_stack([np.cos(angle), np.sin(angle)]) * side
    pitch = side * np.sqrt(3)
    x, y = np.meshgrid(np.arange(columns, dtype=float), np.arange(rows, dtype=float))
    x += (y % 2) / 2
    centres = np.column_stack([west + x.ravel() * pitch, south + y.ravel() * side * 1.5])
    return shapely.polygons(centres[:, None] + ring)


def parcels(shapes=None):
    """Ranked and unranked shapes, every sixth unranked, one of them without a score."""
    shapes = hexagons() if shapes is None else shapes
    rng = np.random.default_rng(3)
    score = rng.uniform(0, 100, len(shapes))
    score[:2] = 0.0, 100.0
    rank = score.argsort()[::-1].argsort().astype(float) + 1
    rank[5::6] = np.nan
    score[5] = np.nan
    frame = gpd.GeoDataFrame({"rank": rank, "score": score}, geometry=shapes, crs="OGC:CRS84")
    return ExportLayer("training_parcels", "Parcels for training", frame)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    layer = parcels()
    path = tmp_path_factory.mktemp("cog") / "x.tif"
    return layer, cog.write(path, [layer], NOTE, resolution_m=FINE)


def test_each_cell_has_the_score_of_the_shape_that_holds_its_centre(written):
    layer, path = written
    with rasterio.open(path) as file:
        stored = file.read(1)
        rows, columns = (index[::2, ::2] for index in np.indices(stored.shape))
        stored = stored[::2, ::2]
        x = file.transform.c + (columns.ravel() + 0.5) * FINE
        y = file.transform.f - (rows.ravel() + 0.5) * FINE
    centres = gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, y, crs=5070)).to_crs("OGC:CRS84")
    joined = centres.sjoin(layer.frame, how="left", predicate="within")
    assert joined.index.is_unique
    want = np.where(joined["rank"].isna(), 255, joined["score"].astype(float).round())
    # Edges of seven kilometres are bent by less than a metre where they are drawn straight in the plane.
    edges = shapely.boundary(in_plane(layer.frame.geometry))
    wrong = np.flatnonzero(stored.ravel() != want)
    assert len(wrong) < len(want) / 10_000
    assert shapely.STRtree(edges).query_nearest(
        shapely.points(x[wrong], y[wrong]), max_distance=1.0, all_matches=False
    ).shape[1] == len(wrong)  # fmt: skip
    assert 0.1 < (stored == 255).mean() < 0.6
    assert {0, 100} <= set(np.unique(stored))


def test_the_file_is_cloud_optimized_and_described(written):
    layer, path = written
    is_valid, errors, warnings = cog_validate(path, strict=True)
    assert (is_valid, errors, warnings) == (True, [], [])
    with rasterio.open(path) as file:
        assert (file.crs.to_epsg(), file.dtypes, file.nodata) == (5070, ("uint8",), 255)
        assert (file.res, file.block_shapes) == ((FINE, FINE), [(512, 512)])
        assert (file.descriptions, file.units) == (("score",), ("points",))
        known = file.read(1, masked=True).compressed().astype(float)
        told = {name: float(value) for name, value in file.tags(1).items()}
        tags = file.tags()
        first, last = file.overviews(1)[0], file.overviews(1)[-1]
        colours = file.colormap(1)
        assert max(file.shape) / last < 512
    assert told["STATISTICS_MINIMUM"] == known.min()
    assert told["STATISTICS_MAXIMUM"] == known.max()
    assert told["STATISTICS_MEAN"] == pytest.approx(known.mean())
    assert told["STATISTICS_STDDEV"] == pytest.approx(known.std())
    assert tags["title"] == layer.title
    assert NOTE.items().items() <= tags.items()
    assert "is synthetic" in tags["description"]
    assert tags["TIFFTAG_DATETIME"] == "2026:01:02 00:00:00"
    assert (colours[0], colours[100]) == ((248, 246, 227, 255), (11, 31, 102, 255))
    assert colours[255][3] == 0
    # No cell of an overview has a score that no cell has.
    with rasterio.open(path, overview_level=0) as overview:
        assert first == 2
        assert overview.width < 512
        assert set(np.unique(overview.read(1))) <= {255, *known}


def test_lightness_of_the_colours_falls_with_the_score():
    table = cog.colour_table()
    light = [np.dot(table[score][:3], (0.2126, 0.7152, 0.0722)) for score in range(101)]
    assert (np.diff(light) <= 0).all()
    assert (np.diff(light[::2]) < 0).all()


def test_many_rasters_at_once_are_those_that_are_written_alone(written, tmp_path):
    layer, alone = written
    frame = layer.frame
    scores = np.where(frame["rank"].notna(), frame["score"].astype(float), np.nan)
    rasters = {
        tmp_path / "a.tif": cog.Scores(layer.title, scores),
        tmp_path / "b.tif": cog.Scores("None", np.full(len(frame), np.nan)),
    }
    assert cog.write_scores(rasters, frame.geometry, NOTE, resolution_m=FINE) == list(rasters)
    assert (tmp_path / "a.tif").read_bytes() == alone.read_bytes()
    with rasterio.open(tmp_path / "b.tif") as file:
        assert (file.read(1) == 255).all()
        assert file.tags(1) == {"STATISTICS_VALID_PERCENT": "0"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tif", "b.tif"]


def test_cells_of_many_windows_are_those_of_one(written, tmp_path, monkeypatch):
    layer, path = written
    monkeypatch.setattr("geo.export.suitability.SIDE", 96)
    many = cog.write(tmp_path / "x.tif", [layer], NOTE, resolution_m=FINE)
    assert many.read_bytes() == path.read_bytes()


def test_where_shapes_overlap_the_first_has_the_cell(tmp_path):
    below, above = shapely.box(-99, 38, -98.8, 38.2), shapely.box(-98.95, 38.05, -98.85, 38.15)
    for order, inside in (([below, above], 10), ([above, below], 20)):
        score = [10.0, 20.0] if order[0] is below else [20.0, 10.0]
        frame = gpd.GeoDataFrame({"rank": [1, 2], "score": score}, geometry=order, crs="OGC:CRS84")
        path = cog.write(tmp_path / "x.tif", [ExportLayer("a", "A", frame)], NOTE)
        with rasterio.open(path) as file:
            middle = file.read(1)[file.height // 2, file.width // 2]
        assert middle == inside


def test_a_long_edge_bends_as_its_parallel_does():
    """A box of ten degrees: the middle of its upper edge is 17 km north of the chord in the plane."""
    box = gpd.GeoSeries([shapely.box(-101, 40, -91, 45)], crs="OGC:CRS84")
    (plane,) = in_plane(box)
    (chord,) = box.to_crs(5070)
    (top,) = gpd.GeoSeries([shapely.Point(-96, 44.999)], crs="OGC:CRS84").to_crs(5070)
    (over,) = gpd.GeoSeries([shapely.Point(-96, 45.0005)], crs="OGC:CRS84").to_crs(5070)
    assert plane.contains(top)
    assert not plane.contains(over)
    assert chord.contains(top) != plane.contains(top) or chord.contains(over)


def test_cells_are_as_large_as_shapes_allow():
    large = in_plane(gpd.GeoSeries(hexagons(), crs="OGC:CRS84"))
    small = in_plane(gpd.GeoSeries(hexagons(0.01), crs="OGC:CRS84"))
    assert (resolution_of(large), resolution_of(small)) == (1000.0, 250.0)
    grid = grid_over(large, 1000.0)
    assert (grid.west % 1000, grid.north % 1000) == (0, 0)
    bounds = shapely.total_bounds(large)
    assert grid.west <= bounds[0]
    assert grid.west + grid.width * 1000 >= bounds[2]
    assert grid.width * 1000 < bounds[2] - bounds[0] + 2000


def test_what_is_no_raster_is_told(tmp_path):
    points = parcels(shapely.points(np.zeros((6, 2))))
    with pytest.raises(GeometryError, match="takes areas"):
        cog.write(tmp_path / "x.tif", [points], NOTE)
    unscored = ExportLayer("a", "A", parcels().frame[["rank", "geometry"]])
    with pytest.raises(GeoError, match="has no score"):
        cog.write(tmp_path / "x.tif", [unscored], NOTE)
    empty = ExportLayer("a", "A", parcels().frame.head(0))
    with pytest.raises(GeoError, match="no area"):
        cog.write(tmp_path / "x.tif", [empty], NOTE)
    high = parcels()
    high.frame["score"] += 50
    with pytest.raises(GeoError, match="beyond 0 to 100"):
        cog.write(tmp_path / "x.tif", [high], NOTE)
    with pytest.raises(GeoError, match="too large"):
        cog.write(tmp_path / "x.tif", [parcels()], NOTE, resolution_m=1.0)
    assert list(tmp_path.iterdir()) == []
